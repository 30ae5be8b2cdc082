//! Functions, triggers, rules, types, operators and the other things one extends the system with.

use super::{
    ColumnDef, Constraint, DefElem, DropBehavior, Expr, ObjectType, ObjectWithArgs, RangeVar, Statement,
    TypeName,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FunctionParameterMode {
    /// No mode was written.
    Default,
    In,
    Out,
    InOut,
    Variadic,
    /// Column of RETURNS TABLE.
    Table,
}

#[derive(Clone, Debug, PartialEq)]
pub struct FunctionParameter {
    pub name: Option<String>,
    pub arg_type: TypeName,
    pub mode: FunctionParameterMode,
    pub defexpr: Option<Expr>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct CreateFunctionStmt {
    pub is_procedure: bool,
    pub replace: bool,
    pub funcname: Vec<String>,
    pub parameters: Vec<FunctionParameter>,
    pub return_type: Option<TypeName>,
    /// as (List of one or two strings), language, transform, window, volatility, strict, security, leakproof, cost,
    /// rows, support, set, parallel
    pub options: Vec<DefElem>,
    /// RETURN expr (one `Return`) or BEGIN ATOMIC … END.
    pub sql_body: Option<SqlBody>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum SqlBody {
    Return(Expr),
    Atomic(Vec<Statement>),
}

#[derive(Clone, Debug, PartialEq)]
pub struct AlterFunctionStmt {
    pub objtype: ObjectType,
    pub func: ObjectWithArgs,
    pub actions: Vec<DefElem>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TriggerTiming {
    Before,
    After,
    Instead,
}

/// Bits of [`CreateTrigStmt::events`].
pub mod trigger_event {
    pub const INSERT: u16 = 4;
    pub const DELETE: u16 = 8;
    pub const UPDATE: u16 = 16;
    pub const TRUNCATE: u16 = 32;
}

#[derive(Clone, Debug, PartialEq)]
pub struct TriggerTransition {
    pub name: String,
    pub is_new: bool,
    pub is_table: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct CreateTrigStmt {
    pub replace: bool,
    pub isconstraint: bool,
    pub trigname: String,
    pub relation: RangeVar,
    pub funcname: Vec<String>,
    pub args: Vec<String>,
    /// FOR EACH ROW
    pub row: bool,
    pub timing: TriggerTiming,
    /// Bits of [`trigger_event`].
    pub events: u16,
    pub columns: Vec<String>,
    pub when_clause: Option<Expr>,
    pub transition_rels: Vec<TriggerTransition>,
    pub deferrable: bool,
    pub initdeferred: bool,
    /// FROM table of a constraint trigger.
    pub constrrel: Option<RangeVar>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct CreateEventTrigStmt {
    pub trigname: String,
    pub eventname: String,
    /// Each a list of strings.
    pub whenclause: Vec<DefElem>,
    pub funcname: Vec<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct AlterEventTrigStmt {
    pub trigname: String,
    pub fires: super::TriggerFires,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleEvent {
    Select,
    Update,
    Delete,
    Insert,
}

#[derive(Clone, Debug, PartialEq)]
pub struct RuleStmt {
    pub relation: RangeVar,
    pub rulename: String,
    pub where_clause: Option<Expr>,
    pub event: RuleEvent,
    pub instead: bool,
    /// Empty: NOTHING.
    pub actions: Vec<Statement>,
    pub replace: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct CreatePLangStmt {
    pub replace: bool,
    pub plname: String,
    pub plhandler: Vec<String>,
    pub plinline: Vec<String>,
    pub plvalidator: Vec<String>,
    pub pltrusted: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct CreateDomainStmt {
    pub domainname: Vec<String>,
    pub type_name: TypeName,
    pub coll_clause: Option<super::CollateClause>,
    pub constraints: Vec<Constraint>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum AlterDomainCmd {
    /// SET DEFAULT, or DROP DEFAULT with `None`.
    Default(Option<Expr>),
    DropNotNull,
    SetNotNull,
    AddConstraint(Box<Constraint>),
    DropConstraint {
        name: String,
        behavior: DropBehavior,
        missing_ok: bool,
    },
    ValidateConstraint {
        name: String,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub struct AlterDomainStmt {
    pub type_name: Vec<String>,
    pub cmd: AlterDomainCmd,
}

#[derive(Clone, Debug, PartialEq)]
pub struct CreateEnumStmt {
    pub type_name: Vec<String>,
    pub vals: Vec<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct AlterEnumStmt {
    pub type_name: Vec<String>,
    /// Set for RENAME VALUE.
    pub old_val: Option<String>,
    pub new_val: String,
    pub new_val_neighbor: Option<String>,
    pub new_val_is_after: bool,
    pub skip_if_new_val_exists: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct CreateRangeStmt {
    pub type_name: Vec<String>,
    pub params: Vec<DefElem>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct CompositeTypeStmt {
    pub typevar: RangeVar,
    pub coldeflist: Vec<ColumnDef>,
}

/// ALTER TYPE name SET (…)
#[derive(Clone, Debug, PartialEq)]
pub struct AlterTypeStmt {
    pub type_name: Vec<String>,
    pub options: Vec<DefElem>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct DefineStmt {
    pub kind: ObjectType,
    /// CREATE AGGREGATE with the old parenthesised syntax.
    pub oldstyle: bool,
    pub defnames: Vec<String>,
    /// An aggregate's arguments.
    pub args: Vec<FunctionParameter>,
    /// Number of direct arguments of an ordered-set aggregate.
    pub num_direct_args: Option<usize>,
    pub definition: Vec<DefElem>,
    pub if_not_exists: bool,
    pub replace: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub enum OpClassItem {
    Operator { number: i32, name: ObjectWithArgs, order_family: Vec<String> },
    Function { number: i32, class_args: Vec<Option<TypeName>>, name: ObjectWithArgs },
    Storage(TypeName),
}

#[derive(Clone, Debug, PartialEq)]
pub struct CreateOpClassStmt {
    pub opclassname: Vec<String>,
    pub opfamilyname: Vec<String>,
    pub amname: String,
    pub datatype: TypeName,
    pub items: Vec<OpClassItem>,
    pub is_default: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct CreateOpFamilyStmt {
    pub opfamilyname: Vec<String>,
    pub amname: String,
}

#[derive(Clone, Debug, PartialEq)]
pub enum OpFamilyDropItem {
    Operator { number: i32, args: Vec<Option<TypeName>> },
    Function { number: i32, args: Vec<Option<TypeName>> },
}

#[derive(Clone, Debug, PartialEq)]
pub enum OpFamilyItems {
    Add(Vec<OpClassItem>),
    Drop(Vec<OpFamilyDropItem>),
}

#[derive(Clone, Debug, PartialEq)]
pub struct AlterOpFamilyStmt {
    pub opfamilyname: Vec<String>,
    pub amname: String,
    pub items: OpFamilyItems,
}

#[derive(Clone, Debug, PartialEq)]
pub struct AlterOperatorStmt {
    pub opername: ObjectWithArgs,
    pub options: Vec<DefElem>,
}

/// ALTER COLLATION name REFRESH VERSION
#[derive(Clone, Debug, PartialEq)]
pub struct AlterCollationStmt {
    pub collname: Vec<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct AlterTSDictionaryStmt {
    pub dictname: Vec<String>,
    pub options: Vec<DefElem>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlterTSConfigType {
    AddMapping,
    AlterMappingForToken,
    ReplaceDict,
    ReplaceDictForToken,
    DropMapping,
}

#[derive(Clone, Debug, PartialEq)]
pub struct AlterTSConfigurationStmt {
    pub kind: AlterTSConfigType,
    pub cfgname: Vec<String>,
    pub tokentype: Vec<String>,
    /// For the REPLACE forms: the old and the new one.
    pub dicts: Vec<Vec<String>>,
    pub missing_ok: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CoercionContext {
    Implicit,
    Assignment,
    Explicit,
}

#[derive(Clone, Debug, PartialEq)]
pub struct CreateCastStmt {
    pub sourcetype: TypeName,
    pub targettype: TypeName,
    pub func: Option<ObjectWithArgs>,
    pub context: CoercionContext,
    pub inout: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct CreateTransformStmt {
    pub replace: bool,
    pub type_name: TypeName,
    pub lang: String,
    pub fromsql: Option<ObjectWithArgs>,
    pub tosql: Option<ObjectWithArgs>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct CreateConversionStmt {
    pub conversion_name: Vec<String>,
    pub for_encoding_name: String,
    pub to_encoding_name: String,
    pub func_name: Vec<String>,
    pub def: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct CreateAmStmt {
    pub amname: String,
    pub handler_name: Vec<String>,
    /// `i` index, `t` table.
    pub amtype: char,
}
