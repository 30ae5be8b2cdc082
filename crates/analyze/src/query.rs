//! The resolved statement, PostgreSQL's `Query` in Rust idiom: range table, join tree, target list and clauses.

use crate::expr::{Expr, SortGroupClause, TargetEntry};
use catalog::desc::ColumnLists;
use common::Oid;
use serde::{Deserialize, Serialize};
use std::rc::Rc;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CmdType {
    Select,
    Insert,
    Update,
    Delete,
    Merge,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum JoinType {
    Inner,
    Left,
    Full,
    Right,
    /// Planner only: EXISTS / IN pulled up.
    Semi,
    /// Planner only: NOT EXISTS.
    Anti,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum JoinTree {
    /// Range table index, 1-based.
    Rte(u32),
    Join(Box<JoinExpr>),
    From(FromExpr),
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FromExpr {
    pub from: Vec<JoinTree>,
    pub quals: Option<Expr>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JoinExpr {
    pub kind: JoinType,
    pub natural: bool,
    pub left: JoinTree,
    pub right: JoinTree,
    /// Names of USING, for deparsing.
    pub using: Vec<String>,
    pub quals: Option<Expr>,
    /// The join's own range table entry; 0 for joins made by the planner.
    pub rtindex: u32,
}

/// A function in FROM.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RangeFunction {
    pub expr: Expr,
    pub col_names: Vec<String>,
    pub col_types: Vec<Oid>,
    pub col_typmods: Vec<i32>,
    pub col_collations: Vec<Oid>,
    /// Was a column definition list given?
    pub has_coldef: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum RteKind {
    Relation {
        relid: Oid,
        relkind: u8,
        /// Heavyweight lock mode taken (PostgreSQL's numbers 1..8).
        lockmode: u8,
        /// FROM ONLY is the negation.
        inh: bool,
        tablesample: Option<Box<TableSample>>,
    },
    Subquery {
        query: Box<Query>,
        lateral: bool,
        security_barrier: bool,
        /// The view it came from.
        view: Option<Oid>,
    },
    Join {
        kind: JoinType,
        /// Expression of each output column over the joined relations' Vars (merged USING columns are COALESCEs for
        /// FULL joins).
        alias_vars: Vec<Expr>,
        merged_cols: usize,
        using_alias: Option<String>,
    },
    Function {
        functions: Vec<RangeFunction>,
        ordinality: bool,
        lateral: bool,
    },
    Values {
        lists: Vec<Vec<Expr>>,
        lateral: bool,
    },
    /// Reference to a WITH item, `levels_up` query levels away; `recursive` for the self-reference.
    Cte {
        name: String,
        levels_up: u32,
        recursive: bool,
    },
    /// Empty FROM made explicit by the planner.
    Result,
    /// Planner only: a UNION ALL whose arms are relations of the same query level.
    Append {
        members: Vec<AppendMember>,
    },
}

/// An arm of [`RteKind::Append`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AppendMember {
    /// Its place in the range table.
    pub rti: u32,
    /// What it gives for each column of the union.
    pub columns: Vec<Expr>,
}

/// Low bits of a member's number: see [`rte_place`].
pub const MEMBER_BITS: u32 = 8;

/// Place in the range table, from 1, of a relation's number. Members of append relations are numbered by the planner so that
/// their low [`MEMBER_BITS`] bits are the number of the relation of the join tree they are part of.
pub fn rte_place(rti: u32) -> usize {
    (if rti >> 31 == 0 { rti } else { (rti & 0x7fff_ffff) >> MEMBER_BITS }) as usize
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TableSample {
    pub method: String,
    pub args: Vec<Expr>,
    pub repeatable: Option<Expr>,
}

/// A range table entry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RangeTblEntry {
    pub kind: RteKind,
    /// User-written alias, if any.
    pub alias: Option<Rc<str>>,
    /// The name it is known by, and its column names (all attributes, dropped ones as empty strings).
    pub eref_name: Rc<str>,
    pub eref_cols: Rc<Vec<Rc<str>>>,
    /// Types, typmods and collations of the columns, in parallel with `eref_cols`. Those of a relation are its
    /// descriptor's.
    pub col_types: Rc<Vec<Oid>>,
    pub col_typmods: Rc<Vec<i32>>,
    pub col_collations: Rc<Vec<Oid>>,
    pub in_from: bool,
    /// Privileges the user must have: bits as in PostgreSQL's AclMode (INSERT 1, SELECT 2, UPDATE 4, DELETE 8 …).
    pub required_perms: u32,
    /// Role to check as; invalid = current user.
    pub check_as_user: Oid,
    /// Attribute numbers read, inserted, updated (system columns negative).
    pub selected_cols: Vec<i16>,
    pub inserted_cols: Vec<i16>,
    pub updated_cols: Vec<i16>,
    /// Quals of row security or security-barrier views to be applied below everything else.
    pub security_quals: Vec<Expr>,
}

impl RangeTblEntry {
    /// Appends a column.
    pub fn push_column(&mut self, name: Rc<str>, type_oid: Oid, typmod: i32, collation: Oid) {
        Rc::make_mut(&mut self.eref_cols).push(name);
        Rc::make_mut(&mut self.col_types).push(type_oid);
        Rc::make_mut(&mut self.col_typmods).push(typmod);
        Rc::make_mut(&mut self.col_collations).push(collation);
    }
    /// Changes the type of a column.
    pub fn set_column_type(&mut self, i: usize, type_oid: Oid, typmod: i32, collation: Oid) {
        Rc::make_mut(&mut self.col_types)[i] = type_oid;
        Rc::make_mut(&mut self.col_typmods)[i] = typmod;
        Rc::make_mut(&mut self.col_collations)[i] = collation;
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CteMaterialize {
    Default,
    Always,
    Never,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CommonTableExpr {
    pub name: String,
    pub materialized: CteMaterialize,
    pub query: Box<Query>,
    pub recursive: bool,
    /// References to it found during analysis.
    pub refcount: u32,
    pub col_names: Rc<Vec<Rc<str>>>,
    pub col_types: Rc<Vec<Oid>>,
    pub col_typmods: Rc<Vec<i32>>,
    pub col_collations: Rc<Vec<Oid>>,
    /// SEARCH and CYCLE, until the rewriter has taken them apart; their columns are among the above.
    #[serde(default)]
    pub search: Option<crate::cte_search::CteSearch>,
    #[serde(default)]
    pub cycle: Option<Box<crate::cte_search::CteCycle>>,
    pub location: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SetOp {
    Union,
    Intersect,
    Except,
}

impl CommonTableExpr {
    /// Its columns, as an entry for a reference to it has them.
    pub fn column_lists(&self) -> ColumnLists {
        ColumnLists {
            names: self.col_names.clone(),
            types: self.col_types.clone(),
            typmods: self.col_typmods.clone(),
            collations: self.col_collations.clone(),
            live: self.col_names.len(),
        }
    }
    /// Appends a column.
    pub fn push_column(&mut self, name: Rc<str>, type_oid: Oid, typmod: i32, collation: Oid) {
        Rc::make_mut(&mut self.col_names).push(name);
        Rc::make_mut(&mut self.col_types).push(type_oid);
        Rc::make_mut(&mut self.col_typmods).push(typmod);
        Rc::make_mut(&mut self.col_collations).push(collation);
    }
}

/// A node of UNION/INTERSECT/EXCEPT; leaves are sub-query range table entries.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum SetOpTree {
    Leaf(u32),
    Node(Box<SetOperation>),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SetOperation {
    pub op: SetOp,
    pub all: bool,
    pub left: SetOpTree,
    pub right: SetOpTree,
    pub col_types: Vec<Oid>,
    pub col_typmods: Vec<i32>,
    pub col_collations: Vec<Oid>,
    /// One per column, unless UNION ALL; `tle_ref` is unused.
    pub group_clauses: Vec<SortGroupClause>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LockStrength {
    KeyShare,
    Share,
    NoKeyUpdate,
    Update,
}

impl LockStrength {
    /// The clause that asks for it.
    pub fn clause(self) -> &'static str {
        match self {
            LockStrength::KeyShare => "FOR KEY SHARE",
            LockStrength::Share => "FOR SHARE",
            LockStrength::NoKeyUpdate => "FOR NO KEY UPDATE",
            LockStrength::Update => "FOR UPDATE",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LockWaitPolicy {
    Block,
    Skip,
    Error,
}

/// FOR UPDATE and its kin, applied to one range table entry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RowMark {
    pub rti: u32,
    pub strength: LockStrength,
    pub wait: LockWaitPolicy,
    /// Pushed down from an outer query's clause.
    pub pushed_down: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OnConflict {
    pub do_update: bool,
    /// Inference: index column expressions (as Vars of the target), or the constraint's index by oid.
    pub arbiter_elems: Vec<Expr>,
    /// Collation and operator class written with each of them; invalid where nothing is.
    #[serde(default)]
    pub arbiter_classes: Vec<(Oid, Oid)>,
    pub arbiter_where: Option<Expr>,
    pub constraint: Oid,
    pub set: Vec<TargetEntry>,
    pub where_clause: Option<Expr>,
    /// Range table index of EXCLUDED.
    pub excluded_rti: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WindowClause {
    pub name: Option<String>,
    pub refname: Option<String>,
    pub partition: Vec<SortGroupClause>,
    pub order: Vec<SortGroupClause>,
    /// `order` comes from the window named.
    #[serde(default)]
    pub copied_order: bool,
    /// PostgreSQL's frame option bits.
    pub frame_options: u32,
    pub start_offset: Option<Expr>,
    pub end_offset: Option<Expr>,
    /// RANGE with an offset: the `in_range` support functions; else invalid.
    #[serde(default)]
    pub start_in_range: Oid,
    #[serde(default)]
    pub end_in_range: Oid,
    pub winref: u32,
    /// Planner only: conditions that end a partition early (its functions only grow or only shrink).
    #[serde(default)]
    pub run_condition: Vec<Expr>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum GroupingSet {
    Empty,
    Simple(Vec<u32>),
    Rollup(Vec<GroupingSet>),
    Cube(Vec<GroupingSet>),
    Sets(Vec<GroupingSet>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LimitOption {
    Count,
    WithTies,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Overriding {
    None,
    User,
    System,
}

/// A condition of WITH CHECK OPTION, over the target's new row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ViewCheck {
    pub view: String,
    pub qual: Expr,
}

/// WHEN [NOT] MATCHED [AND qual] THEN command.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MergeAction {
    pub matched: bool,
    /// INSERT, UPDATE or DELETE; `None` is DO NOTHING.
    pub command: Option<CmdType>,
    pub qual: Option<Expr>,
    /// As an INSERT's or UPDATE's.
    pub target_list: Vec<TargetEntry>,
    pub overriding: Overriding,
}

/// A resolved SELECT, INSERT, UPDATE, DELETE or MERGE.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Query {
    pub command: CmdType,
    /// Range table index of the target, 0 for SELECT.
    pub result_relation: u32,
    pub has_aggs: bool,
    pub has_window_funcs: bool,
    pub has_target_srfs: bool,
    pub has_sub_links: bool,
    pub has_distinct_on: bool,
    pub has_recursive: bool,
    pub has_modifying_cte: bool,
    pub has_for_update: bool,
    pub ctes: Vec<CommonTableExpr>,
    pub rtable: Vec<RangeTblEntry>,
    pub jointree: FromExpr,
    pub target_list: Vec<TargetEntry>,
    pub overriding: Overriding,
    pub on_conflict: Option<Box<OnConflict>>,
    pub returning: Vec<TargetEntry>,
    pub group_clause: Vec<SortGroupClause>,
    pub group_distinct: bool,
    pub grouping_sets: Vec<GroupingSet>,
    pub having: Option<Expr>,
    pub windows: Vec<WindowClause>,
    pub distinct: Vec<SortGroupClause>,
    pub sort: Vec<SortGroupClause>,
    pub limit_offset: Option<Expr>,
    pub limit_count: Option<Expr>,
    pub limit_option: LimitOption,
    pub row_marks: Vec<RowMark>,
    pub set_operations: Option<SetOpTree>,
    /// MERGE's WHEN clauses in order.
    #[serde(default)]
    pub merge_actions: Vec<MergeAction>,
    /// Set by the rewriter where the target is reached through views.
    #[serde(default)]
    pub check_options: Vec<ViewCheck>,
    /// Byte range of the statement in its source text.
    pub location: (usize, usize),
}

impl Query {
    /// The range table entry with 1-based index `rti`.
    pub fn rte(&self, rti: u32) -> &RangeTblEntry {
        &self.rtable[rte_place(rti) - 1]
    }
}
