//! Paths: candidate ways to compute a relation, with costs. Shared by `Rc`; the winner becomes a plan in `create_plan`.

use crate::exprs::QualCost;
use crate::relids::Relids;
use crate::root::{IndexInfo, Ri};
use analyze::expr::{AggSplit, Expr, SortGroupClause};
use analyze::query::{JoinType, SetOp};
use common::Oid;
use std::rc::Rc;

/// A sort order of one key: an equivalence class and how it is ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PathKey {
    pub ec: usize,
    pub family: Oid,
    pub desc: bool,
    pub nulls_first: bool,
}

/// Output columns of a path and what they cost.
#[derive(Clone, Debug, Default)]
pub struct Target {
    pub exprs: Vec<Expr>,
    /// In parallel with `exprs`; 0 = not a sort or group column.
    pub refs: Vec<u32>,
    pub cost: QualCost,
    pub width: i32,
}

/// What a parameterised path of a base relation needs and applies.
#[derive(Debug)]
pub struct ParamInfo {
    pub outer: Relids,
    pub rows: f64,
    pub clauses: Vec<Ri>,
}

/// A clause an index can use.
#[derive(Clone, Debug)]
pub struct IndexClause {
    pub ri: Ri,
    /// The clauses actually applied (derived ones for LIKE prefixes), in index form `indexkey op value`.
    pub quals: Vec<IndexQual>,
    /// The index condition implies less than the clause.
    pub lossy: bool,
    pub col: usize,
}

/// One condition in index form.
#[derive(Clone, Debug)]
pub struct IndexQual {
    pub clause: Expr,
    pub kind: IndexQualKind,
}

#[derive(Clone, Debug)]
pub enum IndexQualKind {
    Op { strategy: u8, opno: Oid, cmp_proc: Oid },
    ArrayOp { strategy: u8, opno: Oid, cmp_proc: Oid },
    IsNull,
    IsNotNull,
    Row { strategy: u8, columns: Vec<u16>, opnos: Vec<Oid>, cmp_procs: Vec<Oid> },
}

#[derive(Clone, Debug)]
pub struct IndexPath {
    pub rti: u32,
    pub index: Rc<IndexInfo>,
    pub clauses: Vec<IndexClause>,
    pub only: bool,
    pub backward: bool,
    /// Cost of the index access alone (for bitmap scans).
    pub index_total: f64,
    pub selectivity: f64,
}

/// A bitmap-making tree.
#[derive(Clone, Debug)]
pub enum Bitmap {
    Index(Rc<Path>),
    And { subs: Vec<Rc<Bitmap>>, total: f64, selectivity: f64 },
    Or { subs: Vec<Rc<Bitmap>>, total: f64, selectivity: f64 },
}

#[derive(Clone, Debug)]
pub struct JoinPath {
    pub kind: JoinType,
    pub outer: Rc<Path>,
    pub inner: Rc<Path>,
    pub clauses: Rc<[Ri]>,
    pub inner_unique: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UniqueMethod {
    Noop,
    Hash,
    Sort,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AggKind {
    Plain,
    Sorted,
    Hashed,
    /// Grouping sets, some hashed, some sorted.
    Mixed,
}

#[derive(Clone, Debug)]
pub enum PathKind {
    SeqScan {
        rti: u32,
    },
    Index(IndexPath),
    BitmapHeap {
        rti: u32,
        bitmap: Rc<Bitmap>,
    },
    Tid {
        rti: u32,
        quals: Vec<Ri>,
    },
    Subquery {
        rti: u32,
        sub: Rc<Path>,
    },
    Function {
        rti: u32,
    },
    Values {
        rti: u32,
    },
    Cte {
        rti: u32,
    },
    WorkTable {
        rti: u32,
    },
    /// No relation: one row if the quals hold.
    Result {
        quals: Vec<Expr>,
    },
    /// Proven empty.
    Dummy,
    Material {
        sub: Rc<Path>,
    },
    /// A cache of the parameterised `sub`'s results.
    Memoize {
        sub: Rc<Path>,
        exprs: Vec<Expr>,
        /// At most one row for each key is asked for.
        single: bool,
        /// Keys are compared bit by bit.
        binary: bool,
        entries: f64,
        /// (startup, total) of a scan after the first.
        rescan: (f64, f64),
    },
    Unique {
        sub: Rc<Path>,
        method: UniqueMethod,
        exprs: Vec<Expr>,
        operators: Vec<Oid>,
    },
    NestLoop(JoinPath),
    MergeJoin {
        join: JoinPath,
        clauses: Vec<Ri>,
        outer_sort: Vec<PathKey>,
        inner_sort: Vec<PathKey>,
        skip_mark: bool,
        materialize: bool,
    },
    HashJoin {
        join: JoinPath,
        clauses: Vec<Ri>,
    },
    /// `rti`: the append relation; 0 for set operations.
    Append {
        subs: Vec<Rc<Path>>,
        rti: u32,
    },
    /// Inputs with the members they read; those that lack the order get a Sort.
    MergeAppend {
        subs: Vec<(u32, Rc<Path>)>,
        rti: u32,
    },
    /// Computes another target list.
    Projection {
        sub: Rc<Path>,
        dummy: bool,
    },
    ProjectSet {
        sub: Rc<Path>,
    },
    Sort {
        sub: Rc<Path>,
    },
    IncrementalSort {
        sub: Rc<Path>,
        presorted: usize,
    },
    Group {
        sub: Rc<Path>,
        clauses: Vec<SortGroupClause>,
        qual: Vec<Expr>,
    },
    UpperUnique {
        sub: Rc<Path>,
        cols: usize,
    },
    Agg {
        sub: Rc<Path>,
        kind: AggKind,
        split: AggSplit,
        clauses: Vec<SortGroupClause>,
        qual: Vec<Expr>,
        groups: f64,
    },
    GroupingSets {
        sub: Rc<Path>,
        kind: AggKind,
        rollups: Vec<crate::upper::grouping_sets::Rollup>,
        qual: Vec<Expr>,
    },
    /// The functions of one window; `qual` filters the result of the topmost.
    Window {
        sub: Rc<Path>,
        clause: Box<analyze::query::WindowClause>,
        qual: Vec<Expr>,
        top: bool,
    },
    MinMax {
        quals: Vec<Expr>,
    },
    SetOp {
        sub: Rc<Path>,
        op: SetOp,
        all: bool,
        hashed: bool,
        groups: Vec<SortGroupClause>,
        flag_col: usize,
        first_flag: i32,
    },
    RecursiveUnion {
        nonrec: Rc<Path>,
        rec: Rc<Path>,
        wt_param: u32,
        all: bool,
        groups: Vec<SortGroupClause>,
    },
    LockRows {
        sub: Rc<Path>,
    },
    Limit {
        sub: Rc<Path>,
        offset: Option<Box<Expr>>,
        count: Option<Box<Expr>>,
        with_ties: bool,
    },
    Modify {
        sub: Rc<Path>,
    },
    /// The rows of a partial path from all processes.
    Gather {
        sub: Rc<Path>,
    },
    GatherMerge {
        sub: Rc<Path>,
    },
}

impl PathKind {
    /// The path it is computed from, where there is one.
    pub fn only_child(&self) -> Option<&Rc<Path>> {
        match self {
            PathKind::Subquery { sub, .. }
            | PathKind::Material { sub }
            | PathKind::Memoize { sub, .. }
            | PathKind::Unique { sub, .. }
            | PathKind::Projection { sub, .. }
            | PathKind::ProjectSet { sub }
            | PathKind::Sort { sub }
            | PathKind::IncrementalSort { sub, .. }
            | PathKind::Group { sub, .. }
            | PathKind::UpperUnique { sub, .. }
            | PathKind::Agg { sub, .. }
            | PathKind::GroupingSets { sub, .. }
            | PathKind::Window { sub, .. }
            | PathKind::SetOp { sub, .. }
            | PathKind::LockRows { sub }
            | PathKind::Limit { sub, .. }
            | PathKind::Modify { sub }
            | PathKind::Gather { sub }
            | PathKind::GatherMerge { sub } => Some(sub),
            _ => None,
        }
    }

    /// (safe in a worker as far as the inputs go, workers it is made for).
    fn parallel(&self) -> (bool, u32) {
        match self {
            PathKind::Gather { .. }
            | PathKind::GatherMerge { .. }
            | PathKind::LockRows { .. }
            | PathKind::Modify { .. }
            | PathKind::RecursiveUnion { .. }
            | PathKind::Cte { .. }
            | PathKind::WorkTable { .. }
            | PathKind::Window { .. }
            | PathKind::MinMax { .. } => (false, 0),
            PathKind::NestLoop(join) | PathKind::MergeJoin { join, .. } | PathKind::HashJoin { join, .. } => {
                (join.outer.safe && join.inner.safe, join.outer.workers)
            }
            PathKind::Append { subs, .. } => (subs.iter().all(|s| s.safe), 0),
            PathKind::MergeAppend { subs, .. } => (subs.iter().all(|s| s.1.safe), 0),
            _ => self.only_child().map_or((true, 0), |s| (s.safe, s.workers)),
        }
    }
}

/// A way to compute a relation.
#[derive(Clone, Debug)]
pub struct Path {
    pub kind: PathKind,
    pub rel: Relids,
    pub target: Rc<Target>,
    pub param: Option<Rc<ParamInfo>>,
    pub rows: f64,
    pub startup: f64,
    pub total: f64,
    pub keys: Rc<[PathKey]>,
    /// Relations that must be on the outer side of a nested loop around it.
    pub outer: Relids,
    /// A worker may run it (whether its relation may be computed there counts when it is added).
    pub safe: bool,
    /// Partial: each process computes a part, with so many workers in mind. 0: complete.
    pub workers: u32,
    /// The node itself divides the work.
    pub aware: bool,
}

impl Path {
    /// A path without order or parameters; costs to be filled in.
    pub fn new(kind: PathKind, rel: Relids, target: Rc<Target>) -> Path {
        Path::keyed(kind, rel, target, Rc::from([]))
    }
    /// A path with an order.
    pub fn keyed(kind: PathKind, rel: Relids, target: Rc<Target>, keys: Rc<[PathKey]>) -> Path {
        let (safe, workers) = kind.parallel();
        Path {
            kind,
            rel,
            target,
            param: None,
            rows: 1.0,
            startup: 0.0,
            total: 0.0,
            keys,
            outer: Relids::EMPTY,
            safe,
            workers,
            aware: false,
        }
    }
    /// The path with another node in the place of its own (which is not copied: it may hold long lists).
    pub fn with_kind(&self, kind: PathKind) -> Path {
        Path {
            kind,
            rel: self.rel,
            target: self.target.clone(),
            param: self.param.clone(),
            rows: self.rows,
            startup: self.startup,
            total: self.total,
            keys: self.keys.clone(),
            outer: self.outer,
            safe: self.safe,
            workers: self.workers,
            aware: self.aware,
        }
    }
    /// Sets rows and costs.
    pub fn cost(mut self, rows: f64, startup: f64, total: f64) -> Path {
        self.rows = rows;
        self.startup = startup;
        self.total = total;
        self
    }
}
