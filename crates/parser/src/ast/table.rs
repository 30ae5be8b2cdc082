//! Tables, indexes, views, sequences: CREATE, ALTER, DROP and what they share.

use super::{
    CollateClause, DefElem, DropBehavior, Expr, IntoClause, ObjectRef, ObjectType, RangeVar, RoleSpec,
    SelectStmt, SortByDir, SortByNulls, Statement, TypeName,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum OnCommitAction {
    #[default]
    Noop,
    PreserveRows,
    DeleteRows,
    Drop,
}

#[derive(Clone, Debug, PartialEq)]
pub struct CreateStmt {
    /// Its `relpersistence` says TEMP or UNLOGGED.
    pub relation: RangeVar,
    pub table_elts: Vec<TableElt>,
    /// INHERITS, or the one parent of PARTITION OF.
    pub inh_relations: Vec<RangeVar>,
    /// Set for PARTITION OF.
    pub partbound: Option<PartitionBoundSpec>,
    pub partspec: Option<PartitionSpec>,
    pub of_typename: Option<TypeName>,
    pub options: Vec<DefElem>,
    pub oncommit: OnCommitAction,
    pub tablespacename: Option<String>,
    pub access_method: Option<String>,
    pub if_not_exists: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct CreateForeignTableStmt {
    pub base: CreateStmt,
    pub servername: String,
    pub options: Vec<DefElem>,
}

/// An element of a table's definition. Not boxed: a list of them is short-lived and mostly columns.
#[allow(clippy::large_enum_variant)]
#[derive(Clone, Debug, PartialEq)]
pub enum TableElt {
    Column(ColumnDef),
    Constraint(Constraint),
    Like(TableLikeClause),
}

/// Bits of [`TableLikeClause::options`].
pub mod like_option {
    pub const COMMENTS: u32 = 1;
    pub const COMPRESSION: u32 = 2;
    pub const CONSTRAINTS: u32 = 4;
    pub const DEFAULTS: u32 = 8;
    pub const GENERATED: u32 = 16;
    pub const IDENTITY: u32 = 32;
    pub const INDEXES: u32 = 64;
    pub const STATISTICS: u32 = 128;
    pub const STORAGE: u32 = 256;
    pub const ALL: u32 = 0x7FFF_FFFF;
}

#[derive(Clone, Debug, PartialEq)]
pub struct TableLikeClause {
    pub relation: RangeVar,
    /// Bits of [`like_option`].
    pub options: u32,
}

#[derive(Clone, Debug, PartialEq, Default)]
pub struct ColumnDef {
    pub colname: String,
    /// `None` in `OF type` and PARTITION OF tables, where only options are written.
    pub type_name: Option<TypeName>,
    pub compression: Option<String>,
    pub fdwoptions: Vec<DefElem>,
    pub coll_clause: Option<CollateClause>,
    /// In the order written, with the DEFERRABLE … attributes as entries of their own.
    pub constraints: Vec<Constraint>,
    pub location: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ConstrType {
    #[default]
    Null,
    NotNull,
    Default,
    Identity,
    Generated,
    Check,
    Primary,
    Unique,
    Exclusion,
    Foreign,
    AttrDeferrable,
    AttrNotDeferrable,
    AttrDeferred,
    AttrImmediate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum GeneratedWhen {
    #[default]
    Always,
    ByDefault,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum FkMatchType {
    Full,
    Partial,
    #[default]
    Simple,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum FkAction {
    #[default]
    NoAction,
    Restrict,
    Cascade,
    SetNull,
    SetDefault,
}

/// A constraint of any kind; which fields count depends on `contype`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Constraint {
    pub contype: ConstrType,
    pub conname: Option<String>,
    pub deferrable: bool,
    pub initdeferred: bool,
    /// Of CONSTRAINT, or of the constraint's first keyword.
    pub location: usize,
    pub is_no_inherit: bool,
    /// CHECK condition, DEFAULT value, generation expression.
    pub raw_expr: Option<Expr>,
    pub generated_when: GeneratedWhen,
    pub nulls_not_distinct: bool,
    pub keys: Vec<String>,
    pub including: Vec<String>,
    /// Element and its operator.
    pub exclusions: Vec<(IndexElem, Vec<String>)>,
    /// WITH (…) of an index, or the sequence options of an identity column.
    pub options: Vec<DefElem>,
    /// USING INDEX name
    pub indexname: Option<String>,
    pub indexspace: Option<String>,
    pub access_method: Option<String>,
    pub where_clause: Option<Expr>,
    pub pktable: Option<RangeVar>,
    /// Referencing columns; empty for a column constraint.
    pub fk_attrs: Vec<String>,
    pub pk_attrs: Vec<String>,
    pub fk_matchtype: FkMatchType,
    pub fk_upd_action: FkAction,
    pub fk_del_action: FkAction,
    /// ON DELETE SET NULL (columns)
    pub fk_del_set_cols: Vec<String>,
    /// NOT VALID
    pub skip_validation: bool,
    pub initially_valid: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PartitionStrategy {
    List,
    Range,
    Hash,
    /// A word that names none: 22023 when the statement is executed.
    Other(String),
}

#[derive(Clone, Debug, PartialEq)]
pub struct PartitionElem {
    pub name: Option<String>,
    pub expr: Option<Expr>,
    pub collation: Vec<String>,
    pub opclass: Vec<String>,
    pub location: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub struct PartitionSpec {
    pub strategy: PartitionStrategy,
    pub part_params: Vec<PartitionElem>,
    pub location: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub enum PartitionBound {
    Default,
    Hash {
        modulus: i32,
        remainder: i32,
    },
    List(Vec<Expr>),
    /// MINVALUE and MAXVALUE appear as column references of that name, as PostgreSQL's raw tree has them.
    Range {
        lower: Vec<Expr>,
        upper: Vec<Expr>,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub struct PartitionBoundSpec {
    pub bound: PartitionBound,
    pub location: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub struct CreateTableAsStmt {
    /// A SELECT, or an EXECUTE.
    pub query: Statement,
    pub into: IntoClause,
    /// Table or MatView.
    pub objtype: ObjectType,
    pub if_not_exists: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct RefreshMatViewStmt {
    pub concurrent: bool,
    pub skip_data: bool,
    pub relation: RangeVar,
}

/// A column or expression of an index.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct IndexElem {
    pub name: Option<String>,
    pub expr: Option<Expr>,
    pub collation: Vec<String>,
    pub opclass: Vec<String>,
    pub opclassopts: Vec<DefElem>,
    pub ordering: SortByDir,
    pub nulls_ordering: SortByNulls,
}

#[derive(Clone, Debug, PartialEq)]
pub struct IndexStmt {
    pub idxname: Option<String>,
    pub relation: RangeVar,
    /// `btree` when USING was not written.
    pub access_method: String,
    pub table_space: Option<String>,
    pub index_params: Vec<IndexElem>,
    pub index_including_params: Vec<IndexElem>,
    pub options: Vec<DefElem>,
    pub where_clause: Option<Expr>,
    pub unique: bool,
    pub nulls_not_distinct: bool,
    pub concurrent: bool,
    pub if_not_exists: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct AlterTableStmt {
    pub relation: RangeVar,
    pub cmds: Vec<AlterTableCmd>,
    /// Table, Index, Sequence, View, MatView, ForeignTable, Type (composite).
    pub objtype: ObjectType,
    pub missing_ok: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TriggerFires {
    Origin,
    Always,
    Replica,
    Disabled,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ReplicaIdentity {
    Nothing,
    Full,
    Default,
    Index(String),
}

/// One action of ALTER TABLE and its siblings. `missing_ok` is IF EXISTS, for ADD COLUMN it is IF NOT EXISTS.
#[derive(Clone, Debug, PartialEq)]
pub enum AlterTableCmd {
    AddColumn {
        def: ColumnDef,
        missing_ok: bool,
        behavior: DropBehavior,
    },
    /// SET DEFAULT, or DROP DEFAULT with `None`.
    ColumnDefault {
        name: String,
        default: Option<Expr>,
    },
    DropNotNull {
        name: String,
    },
    SetNotNull {
        name: String,
    },
    DropExpression {
        name: String,
        missing_ok: bool,
    },
    /// By name, or by number for an index.
    SetStatistics {
        name: Option<String>,
        num: i16,
        value: i32,
    },
    SetOptions {
        name: String,
        options: Vec<DefElem>,
    },
    ResetOptions {
        name: String,
        options: Vec<DefElem>,
    },
    SetStorage {
        name: String,
        storage: String,
    },
    SetCompression {
        name: String,
        method: String,
    },
    DropColumn {
        name: String,
        behavior: DropBehavior,
        missing_ok: bool,
    },
    AddConstraint(Box<Constraint>),
    AlterConstraint(Box<Constraint>),
    ValidateConstraint {
        name: String,
    },
    DropConstraint {
        name: String,
        behavior: DropBehavior,
        missing_ok: bool,
    },
    AlterColumnType {
        name: String,
        type_name: TypeName,
        coll_clause: Option<CollateClause>,
        using: Option<Expr>,
        behavior: DropBehavior,
        location: usize,
    },
    AlterColumnGenericOptions {
        name: String,
        options: Vec<DefElem>,
    },
    ChangeOwner(RoleSpec),
    ClusterOn {
        name: String,
    },
    DropCluster,
    SetLogged,
    SetUnLogged,
    DropOids,
    SetAccessMethod {
        name: String,
    },
    SetTableSpace {
        name: String,
    },
    SetRelOptions(Vec<DefElem>),
    ResetRelOptions(Vec<DefElem>),
    EnableTrig {
        name: String,
        fires: TriggerFires,
    },
    EnableTrigAll,
    EnableTrigUser,
    DisableTrig {
        name: String,
    },
    DisableTrigAll,
    DisableTrigUser,
    EnableRule {
        name: String,
        fires: TriggerFires,
    },
    DisableRule {
        name: String,
    },
    AddInherit(RangeVar),
    DropInherit(RangeVar),
    AddOf(TypeName),
    DropOf,
    ReplicaIdentity(ReplicaIdentity),
    EnableRowSecurity,
    DisableRowSecurity,
    ForceRowSecurity,
    NoForceRowSecurity,
    GenericOptions(Vec<DefElem>),
    AttachPartition {
        name: RangeVar,
        bound: Option<PartitionBoundSpec>,
    },
    DetachPartition {
        name: RangeVar,
        concurrent: bool,
    },
    DetachPartitionFinalize {
        name: RangeVar,
    },
    AddIdentity {
        name: String,
        def: Box<Constraint>,
    },
    SetIdentity {
        name: String,
        options: Vec<DefElem>,
    },
    DropIdentity {
        name: String,
        missing_ok: bool,
    },
}

/// ALTER TABLE ALL IN TABLESPACE
#[derive(Clone, Debug, PartialEq)]
pub struct AlterTableMoveAllStmt {
    pub orig_tablespacename: String,
    pub objtype: ObjectType,
    pub roles: Vec<RoleSpec>,
    pub new_tablespacename: String,
    pub nowait: bool,
}

/// DROP of most kinds of objects.
#[derive(Clone, Debug, PartialEq)]
pub struct DropStmt {
    pub objects: Vec<ObjectRef>,
    pub remove_type: ObjectType,
    pub behavior: DropBehavior,
    pub missing_ok: bool,
    pub concurrent: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct TruncateStmt {
    pub relations: Vec<RangeVar>,
    pub restart_seqs: bool,
    pub behavior: DropBehavior,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ViewCheckOption {
    #[default]
    NoCheck,
    Local,
    Cascaded,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ViewStmt {
    pub view: RangeVar,
    pub aliases: Vec<String>,
    pub query: Box<SelectStmt>,
    pub replace: bool,
    pub options: Vec<DefElem>,
    pub with_check_option: ViewCheckOption,
}

#[derive(Clone, Debug, PartialEq)]
pub struct CreateSeqStmt {
    pub sequence: RangeVar,
    /// as, cache, cycle, increment, maxvalue, minvalue, owned_by, sequence_name, start, restart
    pub options: Vec<DefElem>,
    pub if_not_exists: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct AlterSeqStmt {
    pub sequence: RangeVar,
    pub options: Vec<DefElem>,
    pub missing_ok: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct StatsElem {
    pub name: Option<String>,
    pub expr: Option<Expr>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct CreateStatsStmt {
    pub defnames: Vec<String>,
    pub stat_types: Vec<String>,
    pub exprs: Vec<StatsElem>,
    pub relations: Vec<super::TableExpr>,
    pub if_not_exists: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct AlterStatsStmt {
    pub defnames: Vec<String>,
    pub stxstattarget: i32,
    pub missing_ok: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct RenameStmt {
    pub rename_type: ObjectType,
    /// The kind of relation that a renamed column or attribute belongs to.
    pub relation_type: Option<ObjectType>,
    /// Set for relations and what lives in them (columns, constraints, triggers, rules, policies).
    pub relation: Option<RangeVar>,
    /// Set for everything else.
    pub object: Option<ObjectRef>,
    /// The old name of the thing in `relation`, or of a role, database, tablespace.
    pub subname: Option<String>,
    pub newname: String,
    pub behavior: DropBehavior,
    pub missing_ok: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct AlterOwnerStmt {
    pub object_type: ObjectType,
    pub object: ObjectRef,
    pub newowner: RoleSpec,
}

#[derive(Clone, Debug, PartialEq)]
pub struct AlterObjectSchemaStmt {
    pub object_type: ObjectType,
    pub relation: Option<RangeVar>,
    pub object: Option<ObjectRef>,
    pub newschema: String,
    pub missing_ok: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct AlterObjectDependsStmt {
    pub object_type: ObjectType,
    /// The relation, for triggers and indexes and materialized views.
    pub relation: Option<RangeVar>,
    pub object: Option<ObjectRef>,
    pub extname: String,
    pub remove: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct CommentStmt {
    pub objtype: ObjectType,
    pub object: ObjectRef,
    /// `None`: IS NULL.
    pub comment: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct SecLabelStmt {
    pub objtype: ObjectType,
    pub object: ObjectRef,
    pub provider: Option<String>,
    pub label: Option<String>,
}
