//! The finished plan, PostgreSQL's plan nodes in Rust idiom. In target lists and quals of a node above scans, Vars are
//! `Outer`/`Inner` + 1-based output column of the child; in scan nodes they are `Rte(scanrelid)` + attribute number.

use analyze::expr::{AggSplit, Expr, TargetEntry};
use analyze::query::{CmdType, JoinType, LockStrength, LockWaitPolicy, RangeTblEntry, SetOp};
use common::Oid;

/// A statement ready to run.
#[derive(Clone, Debug)]
pub struct PlannedStmt {
    pub command: CmdType,
    pub plan: Plan,
    /// The flattened range table of all query levels.
    pub rtable: Vec<RangeTblEntry>,
    /// Sub-plans and init-plans by `plan_id - 1`.
    pub subplans: Vec<Plan>,
    /// Number of executor parameter slots.
    pub exec_params: u32,
    /// Types of external parameters.
    pub param_types: Vec<Oid>,
    pub has_returning: bool,
    pub has_modifying_cte: bool,
    pub row_marks: Vec<PlanRowMark>,
    /// Relations whose invalidation makes the plan stale.
    pub relation_oids: Vec<Oid>,
    /// There is a Gather or Gather Merge: the statement runs in parallel mode.
    pub parallel_mode_needed: bool,
    /// Number of plan nodes, sub-plans included.
    pub node_count: u32,
    /// Query levels without FROM: EXPLAIN counts them as relations when it decides whether columns need their names.
    pub without_from: u32,
}

#[derive(Clone, Debug)]
pub struct PlanRowMark {
    /// Index in the flattened range table.
    pub rti: u32,
    pub strength: LockStrength,
    pub wait: LockWaitPolicy,
    /// Output column of LockRows' child that holds the row's ctid.
    pub ctid_col: u16,
    /// Where the relation is an append relation: the column with the row's tableoid.
    pub tableoid_col: Option<u16>,
    /// Its members: table and range table index.
    pub members: Vec<(Oid, u32)>,
}

/// Estimates and what every node has.
#[derive(Clone, Debug)]
pub struct Plan {
    pub startup_cost: f64,
    pub total_cost: f64,
    pub rows: f64,
    pub width: i32,
    /// Output columns; non-projecting nodes (Sort, Limit, Material …) pass the child's columns on as `Outer` Vars.
    pub targetlist: Vec<TargetEntry>,
    /// Implicitly ANDed.
    pub qual: Vec<Expr>,
    /// Init-plans attached here: they set exec params on first use.
    pub init_plans: Vec<analyze::expr::SubPlan>,
    /// Below a Gather the processes share this node's work; any other node is run in full by each of them. Set on scans,
    /// Append, HashJoin and its Hash.
    pub parallel_aware: bool,
    pub node: Node,
    /// Exec params whose change makes a rescan of this node necessary (union over its subtree).
    pub ext_params: Vec<u32>,
    /// A scan of which EXPLAIN lists all columns, whatever is read.
    pub all_columns: bool,
    /// Number of the node within the statement ([`PlannedStmt::number`]): index into `Instrumentation::nodes`.
    pub node_id: u32,
}

impl Plan {
    /// Child plans, outer before inner. Init-plans and sub-plans are not among them.
    pub fn children(&self) -> Vec<&Plan> {
        match &self.node {
            Node::Result { child, .. } => child.iter().map(|c| &**c).collect(),
            Node::ProjectSet { child }
            | Node::BitmapHeapScan { child, .. }
            | Node::SubqueryScan { child, .. }
            | Node::Hash { child }
            | Node::Material { child }
            | Node::Memoize { child, .. }
            | Node::Sort { child, .. }
            | Node::IncrementalSort { child, .. }
            | Node::Group { child, .. }
            | Node::Agg { child, .. }
            | Node::WindowAgg { child, .. }
            | Node::Unique { child, .. }
            | Node::Gather { child, .. }
            | Node::GatherMerge { child, .. }
            | Node::SetOp { child, .. }
            | Node::LockRows { child, .. }
            | Node::Limit { child, .. } => vec![child],
            Node::ModifyTable(m) => vec![&m.child],
            Node::Append { children, .. }
            | Node::MergeAppend { children, .. }
            | Node::BitmapAnd { children }
            | Node::BitmapOr { children } => children.iter().collect(),
            Node::RecursiveUnion { nonrec, rec, .. } => vec![nonrec, rec],
            Node::NestLoop { join, .. } | Node::MergeJoin { join, .. } | Node::HashJoin { join, .. } => {
                vec![&join.outer, &join.inner]
            }
            Node::SeqScan { .. }
            | Node::IndexScan { .. }
            | Node::IndexOnlyScan { .. }
            | Node::BitmapIndexScan { .. }
            | Node::TidScan { .. }
            | Node::FunctionScan { .. }
            | Node::ValuesScan { .. }
            | Node::CteScan { .. }
            | Node::WorkTableScan { .. } => Vec::new(),
        }
    }

    /// [`Plan::children`], mutable.
    pub fn children_mut(&mut self) -> Vec<&mut Plan> {
        match &mut self.node {
            Node::Result { child, .. } => child.iter_mut().map(|c| &mut **c).collect(),
            Node::ProjectSet { child }
            | Node::BitmapHeapScan { child, .. }
            | Node::SubqueryScan { child, .. }
            | Node::Hash { child }
            | Node::Material { child }
            | Node::Memoize { child, .. }
            | Node::Sort { child, .. }
            | Node::IncrementalSort { child, .. }
            | Node::Group { child, .. }
            | Node::Agg { child, .. }
            | Node::WindowAgg { child, .. }
            | Node::Unique { child, .. }
            | Node::Gather { child, .. }
            | Node::GatherMerge { child, .. }
            | Node::SetOp { child, .. }
            | Node::LockRows { child, .. }
            | Node::Limit { child, .. } => vec![child],
            Node::ModifyTable(m) => vec![&mut m.child],
            Node::Append { children, .. }
            | Node::MergeAppend { children, .. }
            | Node::BitmapAnd { children }
            | Node::BitmapOr { children } => children.iter_mut().collect(),
            Node::RecursiveUnion { nonrec, rec, .. } => vec![nonrec, rec],
            Node::NestLoop { join, .. } | Node::MergeJoin { join, .. } | Node::HashJoin { join, .. } => {
                vec![&mut join.outer, &mut join.inner]
            }
            Node::SeqScan { .. }
            | Node::IndexScan { .. }
            | Node::IndexOnlyScan { .. }
            | Node::BitmapIndexScan { .. }
            | Node::TidScan { .. }
            | Node::FunctionScan { .. }
            | Node::ValuesScan { .. }
            | Node::CteScan { .. }
            | Node::WorkTableScan { .. } => Vec::new(),
        }
    }

    fn number(&mut self, next: &mut u32) {
        self.node_id = *next;
        *next += 1;
        for c in self.children_mut() {
            c.number(next);
        }
    }
}

impl PlannedStmt {
    /// Numbers the nodes in pre-order: the main tree from 0, then the trees of `subplans` in order. Returns how many
    /// there are.
    pub fn number(&mut self) -> u32 {
        let mut next = 0;
        self.plan.number(&mut next);
        for p in &mut self.subplans {
            p.number(&mut next);
        }
        self.node_count = next;
        next
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScanDirection {
    Forward,
    Backward,
}

/// One index condition: `index column (0-based) strategy value`.
#[derive(Clone, Debug)]
pub struct IndexCond {
    pub column: u16,
    pub kind: IndexCondKind,
    /// The clause over the table's (or index's) Vars, for EXPLAIN and recheck.
    pub clause: Expr,
}

#[derive(Clone, Debug)]
pub enum IndexCondKind {
    /// Btree strategy 1..5 (< <= = >= >) against a run-time value free of the scanned relation's Vars; `opno`'s right-hand
    /// type may differ from the column's (cross-type operator of the family: `cmp_proc` compares column to value).
    Op {
        strategy: u8,
        opno: Oid,
        cmp_proc: Oid,
        value: Expr,
    },
    /// `column = ANY (array)`.
    ArrayOp {
        strategy: u8,
        opno: Oid,
        cmp_proc: Oid,
        array: Expr,
    },
    IsNull,
    IsNotNull,
    /// `(a, b) < (x, y)`: leading row comparison.
    Row {
        strategy: u8,
        columns: Vec<u16>,
        opnos: Vec<Oid>,
        cmp_procs: Vec<Oid>,
        values: Vec<Expr>,
    },
}

#[derive(Clone, Debug)]
pub struct SortKey {
    /// 0-based output column of the child.
    pub column: u16,
    /// The `<` or `>` operator.
    pub sortop: Oid,
    /// Comparison support function (btree support 1), and whether its result is reversed.
    pub cmp_proc: Oid,
    pub desc: bool,
    pub collation: Oid,
    pub nulls_first: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AggStrategy {
    /// No GROUP BY: one group.
    Plain,
    Sorted,
    Hashed,
    Mixed,
}

/// A hash join or hash aggregate key: operands and support functions.
#[derive(Clone, Debug)]
pub struct HashKey {
    /// The operator of the join's condition.
    pub opno: Oid,
    pub outer: Expr,
    pub inner: Expr,
    pub eq_proc: Oid,
    pub outer_hash_proc: Oid,
    pub inner_hash_proc: Oid,
    pub collation: Oid,
}

#[derive(Clone, Debug)]
pub struct GroupKey {
    /// 0-based output column of the child.
    pub column: u16,
    pub eq_proc: Oid,
    pub hash_proc: Oid,
    pub collation: Oid,
}

/// Grouping sets over one order of the input, or one hashed set.
#[derive(Clone, Debug)]
pub struct Rollup {
    pub hashed: bool,
    pub keys: Vec<GroupKey>,
    /// Order to sort the input in; empty where it comes in order (or needs none).
    pub sort: Vec<SortKey>,
    /// Target list numbers of the keys.
    pub refs: Vec<u32>,
    /// The sets, as numbers of leading keys, longest first.
    pub sets: Vec<usize>,
}

#[derive(Clone, Debug)]
pub struct MergeKey {
    /// The operator of the join's condition.
    pub opno: Oid,
    pub outer: Expr,
    pub inner: Expr,
    pub cmp_proc: Oid,
    pub collation: Oid,
    pub desc: bool,
    pub nulls_first: bool,
}

#[derive(Clone, Debug)]
pub struct JoinCommon {
    pub kind: JoinType,
    pub outer: Box<Plan>,
    pub inner: Box<Plan>,
    /// ON conditions that are not keys; a LEFT join's row that fails them is null-extended.
    pub joinqual: Vec<Expr>,
    /// At most one inner row can match an outer row.
    pub inner_unique: bool,
}

#[derive(Clone, Debug)]
pub struct NestLoopParam {
    pub paramno: u32,
    /// `Outer` Var whose value is put into the slot before the inner side is rescanned.
    pub var: Expr,
}

/// A relation an Insert/Update/Delete works on.
#[derive(Clone, Debug)]
pub struct ModifyTable {
    pub command: CmdType,
    /// Index into the flattened range table.
    pub rti: u32,
    /// Makes the rows to insert, or finds those to change.
    pub child: Box<Plan>,
    /// INSERT: for each table attribute its 0-based child column (dropped ones None → NULL).
    /// UPDATE: changed attributes (attno, child column); the others keep the old row's values.
    pub insert_cols: Vec<Option<u16>>,
    pub update_cols: Vec<(i16, u16)>,
    /// UPDATE/DELETE: child column with the row's ctid.
    pub ctid_col: Option<u16>,
    /// Expressions over the new row (`Rte(rti)` Vars; for joins in UPDATE FROM / DELETE USING also `Outer` Vars of the
    /// child's columns).
    pub returning: Vec<TargetEntry>,
    pub on_conflict: Option<OnConflictPlan>,
    /// For EvalPlanQual: the range table entries of the child whose rows stay fixed, with the child columns that hold
    /// their ctids.
    pub epq_marks: Vec<PlanRowMark>,
    /// Views' WITH CHECK OPTION quals over the new row.
    pub check_options: Vec<(String, Expr)>,
    pub can_set_tag: bool,
    /// MERGE's WHEN clauses; their expressions read the child's columns (`Outer`).
    pub merge: Vec<MergeActionPlan>,
    /// Where others inherit from the table: the child column with a row's tableoid, and the tables to be changed with what
    /// replaces the above for each of them.
    pub tableoid_col: Option<u16>,
    pub targets: Vec<ModifyTarget>,
}

/// One of several tables that a statement changes.
#[derive(Clone, Debug)]
pub struct ModifyTarget {
    pub relid: Oid,
    pub rti: u32,
    /// The statement's own table: rows that MERGE inserts go there.
    pub is_root: bool,
    /// All rows of it are excluded; it is here for MERGE's inserts only.
    pub hidden: bool,
    pub update_cols: Vec<(i16, u16)>,
    pub returning: Vec<TargetEntry>,
    pub check_options: Vec<(String, Expr)>,
    pub merge: Vec<MergeActionPlan>,
}

/// A WHEN clause of MERGE.
#[derive(Clone, Debug)]
pub struct MergeActionPlan {
    pub matched: bool,
    /// INSERT, UPDATE or DELETE; `None` does nothing.
    pub command: Option<CmdType>,
    pub qual: Vec<Expr>,
    /// Attribute numbers and their new values: for INSERT all attributes but dropped ones.
    pub set: Vec<(i16, Expr)>,
}

#[derive(Clone, Debug)]
pub struct OnConflictPlan {
    pub do_update: bool,
    /// Index oids that arbitrate; empty: any unique index (DO NOTHING without target).
    pub arbiters: Vec<Oid>,
    /// (attno, expression over `Rte(rti)` = existing row and `Rte(excluded_rti)` = proposed row).
    pub set: Vec<(i16, Expr)>,
    pub where_clause: Vec<Expr>,
    pub excluded_rti: u32,
}

/// What a node does. Boxing the larger variants would only move the size: there is one per plan node.
#[allow(clippy::large_enum_variant)]
#[derive(Clone, Debug)]
pub enum Node {
    /// A row without a table; `one_time` is a constant-per-scan gate.
    Result {
        child: Option<Box<Plan>>,
        one_time: Vec<Expr>,
    },
    /// Set-returning functions in the target list.
    ProjectSet {
        child: Box<Plan>,
    },
    ModifyTable(Box<ModifyTable>),
    /// `rti`: the relation the children are members of; 0 for set operations.
    Append {
        children: Vec<Plan>,
        rti: u32,
    },
    MergeAppend {
        children: Vec<Plan>,
        rti: u32,
        keys: Vec<SortKey>,
    },
    RecursiveUnion {
        wt_param: u32,
        keys: Vec<GroupKey>,
        all: bool,
        nonrec: Box<Plan>,
        rec: Box<Plan>,
    },
    SeqScan {
        rti: u32,
        sample: Option<Box<analyze::query::TableSample>>,
    },
    IndexScan {
        rti: u32,
        index: Oid,
        conds: Vec<IndexCond>,
        direction: ScanDirection,
    },
    /// Target list and qual use `VarNo::Index` Vars (1-based index column).
    IndexOnlyScan {
        rti: u32,
        index: Oid,
        conds: Vec<IndexCond>,
        direction: ScanDirection,
    },
    BitmapIndexScan {
        rti: u32,
        index: Oid,
        conds: Vec<IndexCond>,
    },
    BitmapAnd {
        children: Vec<Plan>,
    },
    BitmapOr {
        children: Vec<Plan>,
    },
    BitmapHeapScan {
        rti: u32,
        child: Box<Plan>,
        recheck: Vec<Expr>,
    },
    TidScan {
        rti: u32,
        tids: Vec<Expr>,
    },
    SubqueryScan {
        rti: u32,
        child: Box<Plan>,
    },
    FunctionScan {
        rti: u32,
        functions: Vec<analyze::query::RangeFunction>,
        ordinality: bool,
    },
    ValuesScan {
        rti: u32,
        lists: Vec<Vec<Expr>>,
    },
    /// Reads the init-plan `plan_id`'s rows, shared by all references through `cte_param`.
    CteScan {
        rti: u32,
        plan_id: u32,
        cte_param: u32,
    },
    WorkTableScan {
        rti: u32,
        wt_param: u32,
    },
    NestLoop {
        join: JoinCommon,
        params: Vec<NestLoopParam>,
    },
    MergeJoin {
        join: JoinCommon,
        keys: Vec<MergeKey>,
        skip_mark_restore: bool,
    },
    /// `inner` is a Hash node.
    HashJoin {
        join: JoinCommon,
        keys: Vec<HashKey>,
    },
    Hash {
        child: Box<Plan>,
    },
    Material {
        child: Box<Plan>,
    },
    Memoize {
        child: Box<Plan>,
        /// Values that the child's rows depend on.
        keys: Vec<Expr>,
        /// At most one row for each key is asked for.
        single: bool,
        /// Keys are compared bit by bit.
        binary: bool,
        est_entries: u32,
    },
    Sort {
        child: Box<Plan>,
        keys: Vec<SortKey>,
    },
    IncrementalSort {
        child: Box<Plan>,
        keys: Vec<SortKey>,
        presorted: u16,
    },
    Group {
        child: Box<Plan>,
        keys: Vec<GroupKey>,
    },
    /// Aggrefs stay in `targetlist` and `qual`, their arguments over `Outer` Vars. Partial: an Aggref's value is its
    /// transition state, opaque bytes. Finalize: its only argument is the `Outer` Var with such a state.
    Agg {
        child: Box<Plan>,
        strategy: AggStrategy,
        split: AggSplit,
        keys: Vec<GroupKey>,
        num_groups: f64,
        /// GROUPING SETS: what to compute, in the order EXPLAIN shows it; `keys` is empty then.
        grouping_sets: Vec<Rollup>,
    },
    WindowAgg {
        child: Box<Plan>,
        partition: Vec<GroupKey>,
        /// Tell peers apart.
        order: Vec<GroupKey>,
        /// Direction of the first ORDER BY column.
        desc: bool,
        nulls_first: bool,
        /// Frame, offsets and run condition over `Outer` Vars.
        clause: Box<analyze::query::WindowClause>,
        /// No window above: rows that fail the run condition may be left out.
        top: bool,
    },
    Unique {
        child: Box<Plan>,
        keys: Vec<GroupKey>,
    },
    /// Runs `child` in `workers` processes (and, when it can, in its own) and hands on their rows as they come. Its target list
    /// and `qual` are over the child's columns (`Outer`): what is not parallel safe is computed here.
    Gather {
        child: Box<Plan>,
        workers: u32,
        /// One worker only and no part of it here: the plan is not a partial one (force_parallel_mode).
        single_copy: bool,
        /// EXPLAIN does not show it (force_parallel_mode = regress).
        invisible: bool,
    },
    /// A Gather that keeps the order of its sorted inputs (`keys`: columns of the child).
    GatherMerge {
        child: Box<Plan>,
        workers: u32,
        keys: Vec<SortKey>,
        single_copy: bool,
    },
    /// Sorted or hashed INTERSECT/EXCEPT; `flag_col` tells which input a row came from.
    SetOp {
        child: Box<Plan>,
        op: SetOp,
        all: bool,
        hashed: bool,
        keys: Vec<GroupKey>,
        flag_col: u16,
        first_flag: i32,
    },
    LockRows {
        child: Box<Plan>,
        marks: Vec<PlanRowMark>,
    },
    Limit {
        child: Box<Plan>,
        offset: Option<Expr>,
        count: Option<Expr>,
        with_ties: bool,
        tie_keys: Vec<GroupKey>,
    },
}
