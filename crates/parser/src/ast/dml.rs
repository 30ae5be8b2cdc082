//! INSERT, UPDATE, DELETE, MERGE.

use super::{Expr, IndexElem, RangeVar, ResTarget, SelectStmt, TableExpr, WithClause};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum OverridingKind {
    #[default]
    NotSet,
    UserValue,
    SystemValue,
}

#[derive(Clone, Debug, PartialEq)]
pub struct InsertStmt {
    /// Its alias comes from `INSERT INTO t AS alias`.
    pub relation: RangeVar,
    /// Empty: no column list was written.
    pub cols: Vec<ResTarget>,
    /// `None` for DEFAULT VALUES.
    pub select_stmt: Option<Box<SelectStmt>>,
    pub on_conflict_clause: Option<Box<OnConflictClause>>,
    pub returning_list: Vec<ResTarget>,
    pub with_clause: Option<Box<WithClause>>,
    pub override_: OverridingKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnConflictAction {
    Nothing,
    Update,
}

#[derive(Clone, Debug, PartialEq)]
pub struct InferClause {
    pub index_elems: Vec<IndexElem>,
    pub where_clause: Option<Expr>,
    /// ON CONSTRAINT name; then `index_elems` is empty.
    pub conname: Option<String>,
    pub location: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub struct OnConflictClause {
    pub action: OnConflictAction,
    pub infer: Option<InferClause>,
    pub target_list: Vec<ResTarget>,
    pub where_clause: Option<Expr>,
    pub location: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub struct UpdateStmt {
    pub relation: RangeVar,
    pub target_list: Vec<ResTarget>,
    pub where_clause: Option<Expr>,
    pub from_clause: Vec<TableExpr>,
    pub returning_list: Vec<ResTarget>,
    pub with_clause: Option<Box<WithClause>>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct DeleteStmt {
    pub relation: RangeVar,
    pub using_clause: Vec<TableExpr>,
    pub where_clause: Option<Expr>,
    pub returning_list: Vec<ResTarget>,
    pub with_clause: Option<Box<WithClause>>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum MergeAction {
    DoNothing,
    Delete,
    Update {
        target_list: Vec<ResTarget>,
    },
    /// `values` is `None` for DEFAULT VALUES.
    Insert {
        cols: Vec<ResTarget>,
        override_: OverridingKind,
        values: Option<Vec<Expr>>,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub struct MergeWhenClause {
    pub matched: bool,
    pub condition: Option<Expr>,
    pub action: MergeAction,
}

#[derive(Clone, Debug, PartialEq)]
pub struct MergeStmt {
    pub relation: RangeVar,
    pub source_relation: TableExpr,
    pub join_condition: Expr,
    pub merge_when_clauses: Vec<MergeWhenClause>,
    pub with_clause: Option<Box<WithClause>>,
}
