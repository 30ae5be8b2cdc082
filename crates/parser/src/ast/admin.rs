//! Databases, roles, privileges, schemas, policies, extensions, foreign data, publications and subscriptions.

use super::{
    DefElem, DropBehavior, Expr, ObjectRef, ObjectType, ObjectWithArgs, RangeVar, RoleSpec, Statement,
    VariableSetStmt,
};

#[derive(Clone, Debug, PartialEq)]
pub struct CreatedbStmt {
    pub dbname: String,
    pub options: Vec<DefElem>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct DropdbStmt {
    pub dbname: String,
    pub missing_ok: bool,
    /// `force`
    pub options: Vec<DefElem>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct AlterDatabaseStmt {
    pub dbname: String,
    pub options: Vec<DefElem>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct AlterDatabaseSetStmt {
    pub dbname: String,
    pub setstmt: VariableSetStmt,
}

#[derive(Clone, Debug, PartialEq)]
pub struct AlterDatabaseRefreshCollStmt {
    pub dbname: String,
}

#[derive(Clone, Debug, PartialEq)]
pub struct AlterSystemStmt {
    pub setstmt: VariableSetStmt,
}

#[derive(Clone, Debug, PartialEq)]
pub struct CreateTableSpaceStmt {
    pub tablespacename: String,
    pub owner: Option<RoleSpec>,
    pub location: String,
    pub options: Vec<DefElem>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct DropTableSpaceStmt {
    pub tablespacename: String,
    pub missing_ok: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct AlterTableSpaceOptionsStmt {
    pub tablespacename: String,
    pub options: Vec<DefElem>,
    pub is_reset: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoleStmtType {
    Role,
    User,
    Group,
}

#[derive(Clone, Debug, PartialEq)]
pub struct CreateRoleStmt {
    pub stmt_type: RoleStmtType,
    pub role: String,
    /// password, superuser, createdb, createrole, inherit, canlogin, isreplication, bypassrls, connectionlimit,
    /// validUntil, rolemembers, adminmembers, addroleto, sysid
    pub options: Vec<DefElem>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct AlterRoleStmt {
    pub role: RoleSpec,
    pub options: Vec<DefElem>,
    /// +1: add the members of `rolemembers`, -1: remove them (ALTER GROUP).
    pub action: i32,
}

#[derive(Clone, Debug, PartialEq)]
pub struct AlterRoleSetStmt {
    /// `None`: ALL.
    pub role: Option<RoleSpec>,
    pub database: Option<String>,
    pub setstmt: VariableSetStmt,
}

#[derive(Clone, Debug, PartialEq)]
pub struct DropRoleStmt {
    pub roles: Vec<RoleSpec>,
    pub missing_ok: bool,
}

/// One privilege (`select (a, b)`), or a role in GRANT role.
#[derive(Clone, Debug, PartialEq)]
pub struct AccessPriv {
    /// `None`: ALL PRIVILEGES.
    pub priv_name: Option<String>,
    pub cols: Vec<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct GrantRoleStmt {
    pub granted_roles: Vec<AccessPriv>,
    pub grantee_roles: Vec<RoleSpec>,
    pub is_grant: bool,
    pub admin_opt: bool,
    pub grantor: Option<RoleSpec>,
    pub behavior: DropBehavior,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrantTargetType {
    Object,
    AllInSchema,
    Defaults,
}

/// What privileges are granted on.
#[derive(Clone, Debug, PartialEq)]
pub enum GrantObjects {
    Relations(Vec<RangeVar>),
    Functions(Vec<ObjectWithArgs>),
    /// Types and domains: qualified names.
    Names(Vec<Vec<String>>),
    /// Databases, schemas, languages, tablespaces, servers, parameters …; large objects by number.
    Simple(Vec<String>),
    /// ALTER DEFAULT PRIVILEGES names only a kind.
    None,
}

#[derive(Clone, Debug, PartialEq)]
pub struct GrantStmt {
    pub is_grant: bool,
    pub targtype: GrantTargetType,
    pub objtype: ObjectType,
    pub objects: GrantObjects,
    /// Empty: ALL PRIVILEGES.
    pub privileges: Vec<AccessPriv>,
    pub grantees: Vec<RoleSpec>,
    pub grant_option: bool,
    pub grantor: Option<RoleSpec>,
    pub behavior: DropBehavior,
}

#[derive(Clone, Debug, PartialEq)]
pub struct AlterDefaultPrivilegesStmt {
    /// schemas, roles
    pub options: Vec<DefElem>,
    pub action: GrantStmt,
}

#[derive(Clone, Debug, PartialEq)]
pub struct CreateSchemaStmt {
    /// `None`: named as the role.
    pub schemaname: Option<String>,
    pub authrole: Option<RoleSpec>,
    pub schema_elts: Vec<Statement>,
    pub if_not_exists: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct CreatePolicyStmt {
    pub policy_name: String,
    pub table: RangeVar,
    /// all, select, insert, update, delete
    pub cmd_name: String,
    pub permissive: bool,
    pub roles: Vec<RoleSpec>,
    pub qual: Option<Expr>,
    pub with_check: Option<Expr>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct AlterPolicyStmt {
    pub policy_name: String,
    pub table: RangeVar,
    pub roles: Vec<RoleSpec>,
    pub qual: Option<Expr>,
    pub with_check: Option<Expr>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct CreateExtensionStmt {
    pub extname: String,
    pub if_not_exists: bool,
    pub options: Vec<DefElem>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct AlterExtensionStmt {
    pub extname: String,
    pub options: Vec<DefElem>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct AlterExtensionContentsStmt {
    pub extname: String,
    /// +1 add, -1 drop
    pub action: i32,
    pub objtype: ObjectType,
    pub object: ObjectRef,
}

#[derive(Clone, Debug, PartialEq)]
pub struct CreateFdwStmt {
    pub fdwname: String,
    pub func_options: Vec<DefElem>,
    pub options: Vec<DefElem>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct AlterFdwStmt {
    pub fdwname: String,
    pub func_options: Vec<DefElem>,
    pub options: Vec<DefElem>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct CreateForeignServerStmt {
    pub servername: String,
    pub servertype: Option<String>,
    pub version: Option<String>,
    pub fdwname: String,
    pub if_not_exists: bool,
    pub options: Vec<DefElem>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct AlterForeignServerStmt {
    pub servername: String,
    pub version: Option<String>,
    pub has_version: bool,
    pub options: Vec<DefElem>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct CreateUserMappingStmt {
    pub user: RoleSpec,
    pub servername: String,
    pub if_not_exists: bool,
    pub options: Vec<DefElem>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct AlterUserMappingStmt {
    pub user: RoleSpec,
    pub servername: String,
    pub options: Vec<DefElem>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct DropUserMappingStmt {
    pub user: RoleSpec,
    pub servername: String,
    pub missing_ok: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub enum PublicationObject {
    Table { relation: RangeVar, columns: Vec<String>, where_clause: Option<Expr> },
    TablesInSchema(String),
    TablesInCurrentSchema,
}

#[derive(Clone, Debug, PartialEq)]
pub struct CreatePublicationStmt {
    pub pubname: String,
    pub options: Vec<DefElem>,
    pub pubobjects: Vec<PublicationObject>,
    pub for_all_tables: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct AlterPublicationStmt {
    pub pubname: String,
    /// Options of SET (…).
    pub options: Vec<DefElem>,
    pub pubobjects: Vec<PublicationObject>,
    /// What is done with `pubobjects`.
    pub action: super::DefElemAction,
}

#[derive(Clone, Debug, PartialEq)]
pub struct CreateSubscriptionStmt {
    pub subname: String,
    pub conninfo: String,
    pub publication: Vec<String>,
    pub options: Vec<DefElem>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlterSubscriptionType {
    Options,
    Connection,
    SetPublication,
    AddPublication,
    DropPublication,
    Refresh,
    Enabled,
    Skip,
}

#[derive(Clone, Debug, PartialEq)]
pub struct AlterSubscriptionStmt {
    pub kind: AlterSubscriptionType,
    pub subname: String,
    pub conninfo: Option<String>,
    pub publication: Vec<String>,
    pub options: Vec<DefElem>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct DropSubscriptionStmt {
    pub subname: String,
    pub missing_ok: bool,
    pub behavior: DropBehavior,
}
