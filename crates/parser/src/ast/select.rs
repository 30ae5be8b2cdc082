//! SELECT, its clauses and what may stand in FROM.

use super::{Alias, Expr, Indirection, OnCommitAction, RangeVar, Statement, TypeName, WindowDef};
use super::{DefElem, RelPersistence};

/// An item of a target list. In SELECT and RETURNING: `val AS name`. In INSERT's column list: `name indirection`.
/// In UPDATE's SET: `name indirection = val`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ResTarget {
    pub name: Option<String>,
    pub indirection: Vec<Indirection>,
    pub val: Option<Expr>,
    pub location: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum SetOperation {
    #[default]
    None,
    Union,
    Intersect,
    Except,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum LimitOption {
    #[default]
    Count,
    WithTies,
}

/// DISTINCT or DISTINCT ON (…).
#[derive(Clone, Debug, PartialEq)]
pub enum DistinctClause {
    All,
    On(Vec<Expr>),
}

/// A SELECT, VALUES, TABLE or set operation. A leaf has `op == None`; a set operation has `larg` and `rarg`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct SelectStmt {
    pub distinct_clause: Option<DistinctClause>,
    pub into_clause: Option<Box<IntoClause>>,
    pub target_list: Vec<ResTarget>,
    pub from_clause: Vec<TableExpr>,
    pub where_clause: Option<Expr>,
    pub group_clause: Vec<GroupByItem>,
    /// GROUP BY DISTINCT
    pub group_distinct: bool,
    pub having_clause: Option<Expr>,
    pub window_clause: Vec<WindowDef>,
    /// Rows of VALUES; non-empty exactly for a VALUES leaf.
    pub values_lists: Vec<Vec<Expr>>,
    pub sort_clause: Vec<SortBy>,
    pub limit_offset: Option<Expr>,
    /// `LIMIT ALL` is a NULL constant.
    pub limit_count: Option<Expr>,
    pub limit_option: LimitOption,
    pub locking_clause: Vec<LockingClause>,
    pub with_clause: Option<Box<WithClause>>,
    pub op: SetOperation,
    pub all: bool,
    pub larg: Option<Box<SelectStmt>>,
    pub rarg: Option<Box<SelectStmt>>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum GroupByItem {
    Expr(Expr),
    GroupingSet(GroupingSet),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupingSetKind {
    Empty,
    Rollup,
    Cube,
    Sets,
}

#[derive(Clone, Debug, PartialEq)]
pub struct GroupingSet {
    pub kind: GroupingSetKind,
    pub content: Vec<GroupByItem>,
    pub location: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum SortByDir {
    #[default]
    Default,
    Asc,
    Desc,
    Using,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum SortByNulls {
    #[default]
    Default,
    First,
    Last,
}

#[derive(Clone, Debug, PartialEq)]
pub struct SortBy {
    pub node: Expr,
    pub sortby_dir: SortByDir,
    pub sortby_nulls: SortByNulls,
    /// Operator of USING.
    pub use_op: Vec<String>,
    /// Of the USING operator; otherwise the expression's.
    pub location: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LockClauseStrength {
    ForKeyShare,
    ForShare,
    ForNoKeyUpdate,
    ForUpdate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum LockWaitPolicy {
    #[default]
    Block,
    Skip,
    Error,
}

#[derive(Clone, Debug, PartialEq)]
pub struct LockingClause {
    /// Empty: all tables.
    pub locked_rels: Vec<RangeVar>,
    pub strength: LockClauseStrength,
    pub wait_policy: LockWaitPolicy,
}

#[derive(Clone, Debug, PartialEq)]
pub struct WithClause {
    pub ctes: Vec<CommonTableExpr>,
    pub recursive: bool,
    pub location: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum CTEMaterialize {
    #[default]
    Default,
    Always,
    Never,
}

#[derive(Clone, Debug, PartialEq)]
pub struct CTESearchClause {
    pub search_col_list: Vec<String>,
    pub search_breadth_first: bool,
    pub search_seq_column: String,
    pub location: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub struct CTECycleClause {
    pub cycle_col_list: Vec<String>,
    pub cycle_mark_column: String,
    /// `None`: TRUE.
    pub cycle_mark_value: Option<Expr>,
    /// `None`: FALSE.
    pub cycle_mark_default: Option<Expr>,
    pub cycle_path_column: String,
    pub location: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub struct CommonTableExpr {
    pub ctename: String,
    pub aliascolnames: Vec<String>,
    pub ctematerialized: CTEMaterialize,
    /// SELECT, INSERT, UPDATE, DELETE (MERGE parses, PostgreSQL refuses it in analysis).
    pub ctequery: Box<Statement>,
    pub search_clause: Option<CTESearchClause>,
    pub cycle_clause: Option<Box<CTECycleClause>>,
    pub location: usize,
}

/// SELECT INTO, CREATE TABLE AS, CREATE MATERIALIZED VIEW.
#[derive(Clone, Debug, PartialEq)]
pub struct IntoClause {
    /// Its `relpersistence` says TEMP or UNLOGGED.
    pub rel: RangeVar,
    pub col_names: Vec<String>,
    pub access_method: Option<String>,
    pub options: Vec<DefElem>,
    pub on_commit: OnCommitAction,
    pub table_space_name: Option<String>,
    /// WITH NO DATA
    pub skip_data: bool,
}

impl IntoClause {
    /// What SELECT INTO says: only a target.
    pub fn into_table(mut rel: RangeVar, persistence: RelPersistence) -> IntoClause {
        rel.relpersistence = persistence;
        IntoClause {
            rel,
            col_names: Vec::new(),
            access_method: None,
            options: Vec::new(),
            on_commit: OnCommitAction::Noop,
            table_space_name: None,
            skip_data: false,
        }
    }
}

/// An item of FROM.
#[derive(Clone, Debug, PartialEq)]
pub enum TableExpr {
    RangeVar(Box<RangeVar>),
    RangeSubselect(Box<RangeSubselect>),
    RangeFunction(Box<RangeFunction>),
    RangeTableFunc(Box<RangeTableFunc>),
    JoinExpr(Box<JoinExpr>),
    RangeTableSample(Box<RangeTableSample>),
}

#[derive(Clone, Debug, PartialEq)]
pub struct RangeSubselect {
    pub lateral: bool,
    pub subquery: Box<SelectStmt>,
    pub alias: Option<Alias>,
    /// Of the opening parenthesis.
    pub location: usize,
}

/// A column of a function's column definition list.
#[derive(Clone, Debug, PartialEq)]
pub struct FuncColumnDef {
    pub colname: String,
    pub type_name: TypeName,
    pub coll_clause: Option<super::CollateClause>,
    pub location: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub struct RangeFunctionItem {
    /// A [`Expr::FuncCall`] or one of the special syntaxes (CURRENT_DATE, COALESCE …).
    pub func: Expr,
    pub coldeflist: Vec<FuncColumnDef>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct RangeFunction {
    pub lateral: bool,
    pub ordinality: bool,
    pub is_rowsfrom: bool,
    /// One, unless ROWS FROM.
    pub functions: Vec<RangeFunctionItem>,
    pub alias: Option<Alias>,
    pub coldeflist: Vec<FuncColumnDef>,
    pub location: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub struct RangeTableFuncCol {
    pub colname: String,
    pub type_name: Option<TypeName>,
    pub for_ordinality: bool,
    pub is_not_null: bool,
    pub colexpr: Option<Expr>,
    pub coldefexpr: Option<Expr>,
    pub location: usize,
}

/// XMLTABLE
#[derive(Clone, Debug, PartialEq)]
pub struct RangeTableFunc {
    pub lateral: bool,
    pub docexpr: Expr,
    pub rowexpr: Expr,
    pub namespaces: Vec<ResTarget>,
    pub columns: Vec<RangeTableFuncCol>,
    pub alias: Option<Alias>,
    pub location: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JoinType {
    Inner,
    Left,
    Full,
    Right,
}

/// CROSS JOIN is an inner join without `using_clause` and `quals`.
#[derive(Clone, Debug, PartialEq)]
pub struct JoinExpr {
    pub jointype: JoinType,
    pub is_natural: bool,
    pub larg: TableExpr,
    pub rarg: TableExpr,
    /// Empty unless USING was written.
    pub using_clause: Vec<String>,
    /// Alias of the USING columns.
    pub join_using_alias: Option<Alias>,
    pub quals: Option<Expr>,
    pub alias: Option<Alias>,
    /// Of the JOIN's first keyword.
    pub location: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub struct RangeTableSample {
    pub relation: RangeVar,
    pub method: Vec<String>,
    pub args: Vec<Expr>,
    pub repeatable: Option<Expr>,
    pub location: usize,
}
