//! The raw parse tree: what the grammar makes of a statement before anybody looks into a catalog.
//! Node and field names are those of PostgreSQL's raw parse nodes, in Rust spelling; `analyze` and `commands` read it.
//! Invariant: every `location` is a byte offset into the text given to the parser, on a character border.

mod admin;
mod dml;
mod expr;
mod name;
mod routine;
mod select;
mod table;
mod utility;

pub use admin::*;
pub use dml::*;
pub use expr::*;
pub use name::*;
pub use routine::*;
pub use select::*;
pub use table::*;
pub use utility::*;

/// One statement of a query string.
#[derive(Clone, Debug, PartialEq)]
pub struct RawStmt {
    pub stmt: Statement,
    /// Byte offset of its first byte (white space before the first token included, as PostgreSQL counts it).
    pub location: usize,
    /// Its length in bytes, up to but excluding the semicolon, or up to the end of the text.
    pub len: usize,
}

/// Every statement of PostgreSQL 15's SQL reference.
#[derive(Clone, Debug, PartialEq)]
pub enum Statement {
    Select(Box<SelectStmt>),
    Insert(Box<InsertStmt>),
    Update(Box<UpdateStmt>),
    Delete(Box<DeleteStmt>),
    Merge(Box<MergeStmt>),

    CreateTable(Box<CreateStmt>),
    CreateForeignTable(Box<CreateForeignTableStmt>),
    CreateTableAs(Box<CreateTableAsStmt>),
    AlterTable(Box<AlterTableStmt>),
    AlterTableMoveAll(Box<AlterTableMoveAllStmt>),
    Index(Box<IndexStmt>),
    Drop(Box<DropStmt>),
    Truncate(Box<TruncateStmt>),
    View(Box<ViewStmt>),
    RefreshMatView(Box<RefreshMatViewStmt>),
    CreateSequence(Box<CreateSeqStmt>),
    AlterSequence(Box<AlterSeqStmt>),
    CreateStats(Box<CreateStatsStmt>),
    AlterStats(Box<AlterStatsStmt>),
    Rename(Box<RenameStmt>),
    AlterOwner(Box<AlterOwnerStmt>),
    AlterObjectSchema(Box<AlterObjectSchemaStmt>),
    AlterObjectDepends(Box<AlterObjectDependsStmt>),
    Comment(Box<CommentStmt>),
    SecLabel(Box<SecLabelStmt>),

    Transaction(Box<TransactionStmt>),
    VariableSet(Box<VariableSetStmt>),
    VariableShow(VariableShowStmt),
    Copy(Box<CopyStmt>),
    Explain(Box<ExplainStmt>),
    Vacuum(Box<VacuumStmt>),
    Cluster(Box<ClusterStmt>),
    Reindex(Box<ReindexStmt>),
    Prepare(Box<PrepareStmt>),
    Execute(Box<ExecuteStmt>),
    Deallocate(DeallocateStmt),
    DeclareCursor(Box<DeclareCursorStmt>),
    Fetch(FetchStmt),
    ClosePortal(ClosePortalStmt),
    Lock(Box<LockStmt>),
    Checkpoint,
    Discard(DiscardStmt),
    Load(LoadStmt),
    Listen(ListenStmt),
    Notify(NotifyStmt),
    Unlisten(UnlistenStmt),
    /// SET CONSTRAINTS
    Constraints(Box<ConstraintsSetStmt>),
    Do(Box<DoStmt>),
    Call(Box<CallStmt>),
    /// RETURN expr, only inside a BEGIN ATOMIC body.
    Return(Box<ReturnStmt>),

    CreateDatabase(Box<CreatedbStmt>),
    DropDatabase(Box<DropdbStmt>),
    AlterDatabase(Box<AlterDatabaseStmt>),
    AlterDatabaseSet(Box<AlterDatabaseSetStmt>),
    AlterDatabaseRefreshColl(AlterDatabaseRefreshCollStmt),
    AlterSystem(Box<AlterSystemStmt>),
    CreateTableSpace(Box<CreateTableSpaceStmt>),
    DropTableSpace(DropTableSpaceStmt),
    AlterTableSpaceOptions(Box<AlterTableSpaceOptionsStmt>),
    CreateRole(Box<CreateRoleStmt>),
    AlterRole(Box<AlterRoleStmt>),
    AlterRoleSet(Box<AlterRoleSetStmt>),
    DropRole(DropRoleStmt),
    GrantRole(Box<GrantRoleStmt>),
    Grant(Box<GrantStmt>),
    AlterDefaultPrivileges(Box<AlterDefaultPrivilegesStmt>),
    DropOwned(DropOwnedStmt),
    ReassignOwned(ReassignOwnedStmt),
    CreateSchema(Box<CreateSchemaStmt>),
    CreatePolicy(Box<CreatePolicyStmt>),
    AlterPolicy(Box<AlterPolicyStmt>),

    CreateExtension(Box<CreateExtensionStmt>),
    AlterExtension(Box<AlterExtensionStmt>),
    AlterExtensionContents(Box<AlterExtensionContentsStmt>),
    CreateFdw(Box<CreateFdwStmt>),
    AlterFdw(Box<AlterFdwStmt>),
    CreateForeignServer(Box<CreateForeignServerStmt>),
    AlterForeignServer(Box<AlterForeignServerStmt>),
    CreateUserMapping(Box<CreateUserMappingStmt>),
    AlterUserMapping(Box<AlterUserMappingStmt>),
    DropUserMapping(DropUserMappingStmt),
    ImportForeignSchema(Box<ImportForeignSchemaStmt>),
    CreatePublication(Box<CreatePublicationStmt>),
    AlterPublication(Box<AlterPublicationStmt>),
    CreateSubscription(Box<CreateSubscriptionStmt>),
    AlterSubscription(Box<AlterSubscriptionStmt>),
    DropSubscription(DropSubscriptionStmt),

    CreateFunction(Box<CreateFunctionStmt>),
    AlterFunction(Box<AlterFunctionStmt>),
    CreateTrigger(Box<CreateTrigStmt>),
    CreateEventTrigger(Box<CreateEventTrigStmt>),
    AlterEventTrigger(AlterEventTrigStmt),
    Rule(Box<RuleStmt>),
    CreateLanguage(Box<CreatePLangStmt>),
    CreateDomain(Box<CreateDomainStmt>),
    AlterDomain(Box<AlterDomainStmt>),
    CreateEnum(CreateEnumStmt),
    AlterEnum(AlterEnumStmt),
    CreateRange(Box<CreateRangeStmt>),
    CompositeType(Box<CompositeTypeStmt>),
    AlterType(Box<AlterTypeStmt>),
    /// CREATE AGGREGATE / OPERATOR / TYPE / TEXT SEARCH … / COLLATION
    Define(Box<DefineStmt>),
    CreateOpClass(Box<CreateOpClassStmt>),
    CreateOpFamily(CreateOpFamilyStmt),
    AlterOpFamily(Box<AlterOpFamilyStmt>),
    AlterOperator(Box<AlterOperatorStmt>),
    AlterCollation(AlterCollationStmt),
    AlterTSDictionary(Box<AlterTSDictionaryStmt>),
    AlterTSConfiguration(Box<AlterTSConfigurationStmt>),
    CreateCast(Box<CreateCastStmt>),
    CreateTransform(Box<CreateTransformStmt>),
    CreateConversion(Box<CreateConversionStmt>),
    CreateAm(CreateAmStmt),
}
