//! Transactions, settings, cursors, prepared statements, COPY, EXPLAIN, VACUUM and other session-level statements.

use super::{DefElem, DropBehavior, Expr, FuncCall, RangeVar, RawStmt, SelectStmt, Statement, TypeName};
use std::rc::Rc;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransactionStmtKind {
    Begin,
    Start,
    Commit,
    Rollback,
    Savepoint,
    Release,
    RollbackTo,
    Prepare,
    CommitPrepared,
    RollbackPrepared,
}

#[derive(Clone, Debug, PartialEq)]
pub struct TransactionStmt {
    pub kind: TransactionStmtKind,
    /// transaction_isolation (String), transaction_read_only, transaction_deferrable (Boolean)
    pub options: Vec<DefElem>,
    pub savepoint_name: Option<String>,
    /// Of the two-phase forms.
    pub gid: Option<String>,
    /// AND CHAIN
    pub chain: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VariableSetKind {
    /// SET var = value
    SetValue,
    /// SET var TO DEFAULT
    SetDefault,
    /// SET var FROM CURRENT
    SetCurrent,
    /// SET TRANSACTION, SET SESSION CHARACTERISTICS, TRANSACTION SNAPSHOT: name says which
    SetMulti,
    Reset,
    ResetAll,
}

/// A value of SET. `TypeCast` is `TIME ZONE INTERVAL '…' …`.
#[derive(Clone, Debug, PartialEq)]
pub enum SetArg {
    Const(super::AConst),
    Interval(Box<super::TypeCast>),
    /// A transaction mode of SET TRANSACTION.
    Mode(DefElem),
}

#[derive(Clone, Debug, PartialEq)]
pub struct VariableSetStmt {
    pub kind: VariableSetKind,
    /// Dotted names joined with `.`. TRANSACTION, SESSION CHARACTERISTICS, TRANSACTION SNAPSHOT for `SetMulti`.
    /// Empty for `ResetAll`.
    pub name: String,
    pub args: Vec<SetArg>,
    /// SET LOCAL
    pub is_local: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct VariableShowStmt {
    /// `all` for SHOW ALL.
    pub name: String,
}

#[derive(Clone, Debug, PartialEq)]
pub struct CopyStmt {
    pub relation: Option<RangeVar>,
    /// COPY (query) TO
    pub query: Option<Box<Statement>>,
    pub attlist: Vec<String>,
    pub is_from: bool,
    pub is_program: bool,
    /// `None`: STDIN or STDOUT.
    pub filename: Option<String>,
    pub options: Vec<DefElem>,
    pub where_clause: Option<Expr>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ExplainStmt {
    pub query: Statement,
    pub options: Vec<DefElem>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct VacuumRelation {
    pub relation: RangeVar,
    pub va_cols: Vec<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct VacuumStmt {
    pub options: Vec<DefElem>,
    /// Empty: all.
    pub rels: Vec<VacuumRelation>,
    /// False for ANALYZE.
    pub is_vacuumcmd: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ClusterStmt {
    pub relation: Option<RangeVar>,
    pub indexname: Option<String>,
    pub params: Vec<DefElem>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReindexObjectType {
    Index,
    Table,
    Schema,
    System,
    Database,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ReindexStmt {
    pub kind: ReindexObjectType,
    pub relation: Option<RangeVar>,
    pub name: Option<String>,
    pub params: Vec<DefElem>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct PrepareStmt {
    pub name: String,
    pub argtypes: Vec<TypeName>,
    /// Its place in the text is that of the whole.
    pub query: Rc<RawStmt>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ExecuteStmt {
    pub name: String,
    pub params: Vec<Expr>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct DeallocateStmt {
    /// `None`: ALL.
    pub name: Option<String>,
}

/// Bits of [`DeclareCursorStmt::options`].
pub mod cursor_opt {
    pub const BINARY: u32 = 1;
    pub const SCROLL: u32 = 2;
    pub const NO_SCROLL: u32 = 4;
    pub const INSENSITIVE: u32 = 8;
    pub const ASENSITIVE: u32 = 16;
    pub const HOLD: u32 = 32;
}

#[derive(Clone, Debug, PartialEq)]
pub struct DeclareCursorStmt {
    pub portalname: String,
    /// Bits of [`cursor_opt`].
    pub options: u32,
    pub query: Box<SelectStmt>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FetchDirection {
    Forward,
    Backward,
    Absolute,
    Relative,
}

/// `how_many` of FETCH ALL.
pub const FETCH_ALL: i64 = i64::MAX;

#[derive(Clone, Debug, PartialEq)]
pub struct FetchStmt {
    pub direction: FetchDirection,
    pub how_many: i64,
    pub portalname: String,
    pub ismove: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ClosePortalStmt {
    /// `None`: ALL.
    pub portalname: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum LockMode {
    AccessShare = 1,
    RowShare,
    RowExclusive,
    ShareUpdateExclusive,
    Share,
    ShareRowExclusive,
    Exclusive,
    AccessExclusive,
}

#[derive(Clone, Debug, PartialEq)]
pub struct LockStmt {
    pub relations: Vec<RangeVar>,
    pub mode: LockMode,
    pub nowait: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiscardTarget {
    All,
    Plans,
    Sequences,
    Temp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiscardStmt {
    pub target: DiscardTarget,
}

#[derive(Clone, Debug, PartialEq)]
pub struct LoadStmt {
    pub filename: String,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ListenStmt {
    pub conditionname: String,
}

#[derive(Clone, Debug, PartialEq)]
pub struct NotifyStmt {
    pub conditionname: String,
    pub payload: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct UnlistenStmt {
    /// `None`: `*`.
    pub conditionname: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ConstraintsSetStmt {
    /// Empty: ALL.
    pub constraints: Vec<RangeVar>,
    pub deferred: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct DoStmt {
    /// `as` (String) and `language` (String).
    pub args: Vec<DefElem>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct CallStmt {
    pub funccall: FuncCall,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ReturnStmt {
    pub returnval: Expr,
}

#[derive(Clone, Debug, PartialEq)]
pub struct DropOwnedStmt {
    pub roles: Vec<super::RoleSpec>,
    pub behavior: DropBehavior,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ReassignOwnedStmt {
    pub roles: Vec<super::RoleSpec>,
    pub newrole: super::RoleSpec,
}

/// IMPORT FOREIGN SCHEMA's choice of tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportForeignSchemaType {
    All,
    LimitTo,
    Except,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ImportForeignSchemaStmt {
    pub server_name: String,
    pub remote_schema: String,
    pub local_schema: String,
    pub list_type: ImportForeignSchemaType,
    pub table_list: Vec<RangeVar>,
    pub options: Vec<DefElem>,
}
