//! Names and small pieces that many statements share: types, relations, roles, options, object references.

use super::{Expr, VariableSetStmt};

/// A type as written. Built-in spellings are already mapped (`int` is `["pg_catalog", "int4"]`).
#[derive(Clone, Debug, PartialEq, Default)]
pub struct TypeName {
    /// Qualified name, outermost first.
    pub names: Vec<String>,
    /// Expressions in parentheses after the name; for `interval` the field mask and then the precision.
    pub typmods: Vec<Expr>,
    /// One entry per dimension, -1 where no bound was written.
    pub array_bounds: Vec<i32>,
    pub setof: bool,
    /// `names` is `table.column` followed by `%TYPE`.
    pub pct_type: bool,
    pub location: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum RelPersistence {
    #[default]
    Permanent,
    Unlogged,
    Temp,
}

/// `alias` or `alias (col, …)`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Alias {
    pub aliasname: String,
    pub colnames: Vec<String>,
}

/// A relation's name in a statement.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct RangeVar {
    pub catalogname: Option<String>,
    pub schemaname: Option<String>,
    pub relname: String,
    /// False for `ONLY name`.
    pub inh: bool,
    pub relpersistence: RelPersistence,
    pub alias: Option<Alias>,
    pub location: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum DropBehavior {
    #[default]
    Restrict,
    Cascade,
}

#[derive(Clone, Debug, PartialEq)]
pub enum RoleSpecType {
    /// An ordinary role name.
    CString(String),
    CurrentRole,
    CurrentUser,
    SessionUser,
    Public,
}

#[derive(Clone, Debug, PartialEq)]
pub struct RoleSpec {
    pub roletype: RoleSpecType,
    pub location: usize,
}

/// What an option's value may be.
#[derive(Clone, Debug, PartialEq)]
pub enum DefArg {
    Integer(i32),
    Float(String),
    String(String),
    Boolean(bool),
    TypeName(Box<TypeName>),
    /// A qualified name or operator.
    Names(Vec<String>),
    Star,
    Expr(Box<Expr>),
    Roles(Vec<RoleSpec>),
    RangeVar(Box<RangeVar>),
    List(Vec<DefArg>),
    VariableSet(Box<VariableSetStmt>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum DefElemAction {
    #[default]
    Unspec,
    Set,
    Add,
    Drop,
}

/// A named option, `name [= value]`.
#[derive(Clone, Debug, PartialEq)]
pub struct DefElem {
    pub defnamespace: Option<String>,
    pub defname: String,
    pub arg: Option<DefArg>,
    pub defaction: DefElemAction,
    pub location: usize,
}

impl DefElem {
    /// The option without namespace and action.
    pub fn new(defname: impl Into<String>, arg: Option<DefArg>, location: usize) -> DefElem {
        DefElem {
            defnamespace: None,
            defname: defname.into(),
            arg,
            defaction: DefElemAction::Unspec,
            location,
        }
    }
}

/// A function, aggregate or operator with its argument types.
#[derive(Clone, Debug, PartialEq)]
pub struct ObjectWithArgs {
    pub objname: Vec<String>,
    /// Input argument types; `None` is the NONE of an operator's missing operand.
    pub objargs: Vec<Option<TypeName>>,
    /// All parameters, when they were written with names or modes.
    pub objfuncargs: Vec<super::FunctionParameter>,
    /// No argument list was written.
    pub args_unspecified: bool,
    /// An aggregate's `(*)` .
    pub agg_star: bool,
}

/// An object of any kind named in DROP, COMMENT, ALTER … OWNER / SCHEMA / RENAME, SECURITY LABEL, ALTER EXTENSION.
#[derive(Clone, Debug, PartialEq)]
pub enum ObjectRef {
    /// A possibly qualified name; for triggers, rules, policies, table constraints: the table's name, then the object's;
    /// for operator classes and families: the access method, then the name.
    Name(Vec<String>),
    Type(TypeName),
    WithArgs(ObjectWithArgs),
    Cast(Box<(TypeName, TypeName)>),
    DomainConstraint(Box<TypeName>, String),
    Transform(Box<TypeName>, String),
    /// A large object's OID as written.
    LargeObject(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ObjectType {
    AccessMethod,
    Aggregate,
    Attribute,
    Cast,
    Collation,
    Column,
    Conversion,
    Database,
    Default,
    Domain,
    DomConstraint,
    EventTrigger,
    Extension,
    Fdw,
    ForeignServer,
    ForeignTable,
    Function,
    Index,
    Language,
    LargeObject,
    MatView,
    OpClass,
    Operator,
    OpFamily,
    ParameterAcl,
    Policy,
    Procedure,
    Publication,
    Role,
    Routine,
    Rule,
    Schema,
    Sequence,
    Statistic,
    Subscription,
    TabConstraint,
    Table,
    TableSpace,
    Transform,
    Trigger,
    TSConfiguration,
    TSDictionary,
    TSParser,
    TSTemplate,
    Type,
    UserMapping,
    View,
}
