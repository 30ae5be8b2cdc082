//! Expressions. The large variants are boxed so that an `Expr` stays small enough to be passed by value.

use super::{SelectStmt, SortBy, TypeName};
use std::rc::Rc;

#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    ColumnRef(ColumnRef),
    ParamRef(ParamRef),
    AConst(AConst),
    AExpr(Box<AExpr>),
    BoolExpr(Box<BoolExpr>),
    NullTest(Box<NullTest>),
    BooleanTest(Box<BooleanTest>),
    TypeCast(Box<TypeCast>),
    CollateClause(Box<CollateClause>),
    FuncCall(Box<FuncCall>),
    NamedArgExpr(Box<NamedArgExpr>),
    SubLink(Box<SubLink>),
    CaseExpr(Box<CaseExpr>),
    CoalesceExpr(Box<CoalesceExpr>),
    MinMaxExpr(Box<MinMaxExpr>),
    SQLValueFunction(SQLValueFunction),
    AArrayExpr(Box<AArrayExpr>),
    RowExpr(Box<RowExpr>),
    AIndirection(Box<AIndirection>),
    GroupingFunc(Box<GroupingFunc>),
    CurrentOfExpr(Box<CurrentOfExpr>),
    XmlExpr(Box<XmlExpr>),
    XmlSerialize(Box<XmlSerialize>),
    SetToDefault(SetToDefault),
    MultiAssignRef(Box<MultiAssignRef>),
}

/// One element of a column reference.
#[derive(Clone, Debug, PartialEq)]
pub enum Field {
    Name(String),
    /// `*`, only in last place.
    Star,
}

/// `a`, `t.a`, `s.t.a`, `t.*`, `*`.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnRef {
    pub fields: Vec<Field>,
    pub location: usize,
}

/// `$n`
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ParamRef {
    pub number: i32,
    pub location: usize,
}

/// A literal's value. `Float` is any number that does not fit an i32, as written; `BitString` starts with `b` or `x`.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Integer(i32),
    Float(String),
    String(String),
    BitString(String),
    Boolean(bool),
    Null,
}

/// A literal. TRUE and FALSE are literals here, without PostgreSQL's cast to `bool` around them.
#[derive(Clone, Debug, PartialEq)]
pub struct AConst {
    pub val: Value,
    pub location: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AExprKind {
    /// Ordinary operator; a prefix operator has no `lexpr`.
    Op,
    /// `lexpr op ANY (array)`
    OpAny,
    /// `lexpr op ALL (array)`
    OpAll,
    /// IS DISTINCT FROM; name is `=`
    Distinct,
    NotDistinct,
    /// NULLIF(lexpr, rexpr); name is `=`
    NullIf,
    /// `lexpr IN (list)`; name is `=`, or `<>` for NOT IN
    In,
    /// name is `~~` or `!~~`
    Like,
    /// name is `~~*` or `!~~*`
    ILike,
    /// name is `~` or `!~`; rexpr is a call of pg_catalog.similar_to_escape
    Similar,
    /// `list` holds the two bounds; name is `BETWEEN` …
    Between,
    NotBetween,
    BetweenSym,
    NotBetweenSym,
}

/// An operator and what it works on. `location` is the operator's.
#[derive(Clone, Debug, PartialEq)]
pub struct AExpr {
    pub kind: AExprKind,
    /// Qualified operator name.
    pub name: Rc<[String]>,
    pub lexpr: Option<Expr>,
    pub rexpr: Option<Expr>,
    /// The right side of IN and of the BETWEEN family, else empty.
    pub list: Vec<Expr>,
    pub location: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BoolExprType {
    And,
    Or,
    Not,
}

/// AND and OR are flattened: `a AND b AND c` has three `args`.
#[derive(Clone, Debug, PartialEq)]
pub struct BoolExpr {
    pub boolop: BoolExprType,
    pub args: Vec<Expr>,
    pub location: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NullTestType {
    IsNull,
    IsNotNull,
}

#[derive(Clone, Debug, PartialEq)]
pub struct NullTest {
    pub arg: Expr,
    pub nulltesttype: NullTestType,
    pub location: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BoolTestType {
    IsTrue,
    IsNotTrue,
    IsFalse,
    IsNotFalse,
    IsUnknown,
    IsNotUnknown,
}

#[derive(Clone, Debug, PartialEq)]
pub struct BooleanTest {
    pub arg: Expr,
    pub booltesttype: BoolTestType,
    pub location: usize,
}

/// `CAST(arg AS type)`, `arg::type`, `type 'literal'`.
#[derive(Clone, Debug, PartialEq)]
pub struct TypeCast {
    pub arg: Expr,
    pub type_name: TypeName,
    /// The `::` or CAST token; for `type 'literal'` PostgreSQL reports none, here it is the type name's start.
    pub location: usize,
}

/// `arg COLLATE name`; in a column definition there is no `arg`.
#[derive(Clone, Debug, PartialEq)]
pub struct CollateClause {
    pub arg: Option<Expr>,
    pub collname: Vec<String>,
    pub location: usize,
}

/// How a call was written, for deparsing only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum CoercionForm {
    #[default]
    ExplicitCall,
    /// SQL syntax such as EXTRACT, OVERLAY, AT TIME ZONE, LIKE … ESCAPE.
    SqlSyntax,
}

/// A function, aggregate or window function call.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct FuncCall {
    pub funcname: Vec<String>,
    /// Named arguments appear as [`Expr::NamedArgExpr`].
    pub args: Vec<Expr>,
    pub agg_order: Vec<SortBy>,
    pub agg_filter: Option<Expr>,
    pub over: Option<Box<WindowDef>>,
    /// `agg_order` comes from WITHIN GROUP.
    pub agg_within_group: bool,
    /// `count(*)`
    pub agg_star: bool,
    pub agg_distinct: bool,
    /// The last argument was marked VARIADIC.
    pub func_variadic: bool,
    pub funcformat: CoercionForm,
    pub location: usize,
}

/// `name => arg` in a call.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedArgExpr {
    pub name: String,
    pub arg: Expr,
    pub location: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameMode {
    Range,
    Rows,
    Groups,
}

#[derive(Clone, Debug, PartialEq)]
pub enum FrameBound {
    UnboundedPreceding,
    OffsetPreceding(Expr),
    CurrentRow,
    OffsetFollowing(Expr),
    UnboundedFollowing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameExclusion {
    NoOthers,
    CurrentRow,
    Group,
    Ties,
}

#[derive(Clone, Debug, PartialEq)]
pub struct WindowFrame {
    pub mode: FrameMode,
    pub start: FrameBound,
    /// `CurrentRow` when BETWEEN was not written.
    pub end: FrameBound,
    pub between: bool,
    /// `None` when not written; EXCLUDE NO OTHERS is the same thing.
    pub exclusion: Option<FrameExclusion>,
}

/// OVER (…), OVER name (only `name` set), or an item of the WINDOW clause.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct WindowDef {
    pub name: Option<String>,
    /// The existing window it starts from.
    pub refname: Option<String>,
    pub partition_clause: Vec<Expr>,
    pub order_clause: Vec<SortBy>,
    pub frame: Option<WindowFrame>,
    pub location: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubLinkType {
    Exists,
    All,
    Any,
    Expr,
    /// ARRAY(SELECT …)
    Array,
}

#[derive(Clone, Debug, PartialEq)]
pub struct SubLink {
    pub sub_link_type: SubLinkType,
    pub testexpr: Option<Expr>,
    /// Operator of ANY / ALL; empty for IN, which is `= ANY`.
    pub oper_name: Vec<String>,
    pub subselect: Box<SelectStmt>,
    pub location: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub struct CaseWhen {
    pub expr: Expr,
    pub result: Expr,
    pub location: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub struct CaseExpr {
    pub arg: Option<Expr>,
    pub args: Vec<CaseWhen>,
    pub defresult: Option<Expr>,
    pub location: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub struct CoalesceExpr {
    pub args: Vec<Expr>,
    pub location: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MinMaxOp {
    Greatest,
    Least,
}

#[derive(Clone, Debug, PartialEq)]
pub struct MinMaxExpr {
    pub op: MinMaxOp,
    pub args: Vec<Expr>,
    pub location: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SQLValueFunctionOp {
    CurrentDate,
    CurrentTime,
    CurrentTimestamp,
    LocalTime,
    LocalTimestamp,
    CurrentRole,
    CurrentUser,
    User,
    SessionUser,
    CurrentCatalog,
    CurrentSchema,
}

/// A function called without parentheses.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SQLValueFunction {
    pub op: SQLValueFunctionOp,
    /// Precision, where one was written.
    pub typmod: Option<i32>,
    pub location: usize,
}

/// `ARRAY[…]`
#[derive(Clone, Debug, PartialEq)]
pub struct AArrayExpr {
    pub elements: Vec<Expr>,
    pub location: usize,
}

/// `ROW(…)` or `(a, b)`.
#[derive(Clone, Debug, PartialEq)]
pub struct RowExpr {
    pub args: Vec<Expr>,
    /// ROW was written.
    pub explicit: bool,
    pub location: usize,
}

/// One step of an indirection.
#[derive(Clone, Debug, PartialEq)]
pub enum Indirection {
    /// `.name`
    Field(String),
    /// `.*`
    Star,
    /// `[index]`
    Index(Expr),
    /// `[lower:upper]`
    Slice { lower: Option<Expr>, upper: Option<Expr> },
}

/// `expr.field`, `expr[index]`, `(expr).*`.
#[derive(Clone, Debug, PartialEq)]
pub struct AIndirection {
    pub arg: Expr,
    pub indirection: Vec<Indirection>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct GroupingFunc {
    pub args: Vec<Expr>,
    pub location: usize,
}

/// `WHERE CURRENT OF cursor`
#[derive(Clone, Debug, PartialEq)]
pub struct CurrentOfExpr {
    pub cursor_name: String,
    pub location: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum XmlExprOp {
    Concat,
    Element,
    Forest,
    Parse,
    Pi,
    Root,
    IsDocument,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum XmlOption {
    #[default]
    Document,
    Content,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum XmlStandalone {
    Yes,
    No,
    NoValue,
    Omitted,
}

#[derive(Clone, Debug, PartialEq)]
pub struct XmlExpr {
    pub op: XmlExprOp,
    /// Element or processing-instruction name.
    pub name: Option<String>,
    /// XMLATTRIBUTES, or the arguments of XMLFOREST.
    pub named_args: Vec<super::ResTarget>,
    pub args: Vec<Expr>,
    pub xmloption: XmlOption,
    /// PRESERVE WHITESPACE (XMLPARSE).
    pub preserve_whitespace: bool,
    /// XMLROOT only.
    pub standalone: Option<XmlStandalone>,
    pub location: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub struct XmlSerialize {
    pub xmloption: XmlOption,
    pub expr: Expr,
    pub type_name: TypeName,
    pub location: usize,
}

/// DEFAULT in the place of a value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SetToDefault {
    pub location: usize,
}

/// One column of `SET (a, b) = source`. The first column (`colno` 1) carries the source, the others follow it directly
/// in the target list and carry `None`.
#[derive(Clone, Debug, PartialEq)]
pub struct MultiAssignRef {
    pub source: Option<Expr>,
    pub colno: usize,
    pub ncolumns: usize,
}

impl Expr {
    /// Where an error about this expression points, as PostgreSQL's `exprLocation`: the leftmost of the expression's
    /// own position and that of its first argument, where the own position is in the middle.
    pub fn location(&self) -> usize {
        match self {
            Expr::ColumnRef(e) => e.location,
            Expr::ParamRef(e) => e.location,
            Expr::AConst(e) => e.location,
            Expr::AExpr(e) => leftmost(e.location, e.lexpr.as_ref()),
            Expr::BoolExpr(e) if e.boolop == BoolExprType::Not => e.location,
            Expr::BoolExpr(e) => leftmost(e.location, e.args.first()),
            Expr::NullTest(e) => leftmost(e.location, Some(&e.arg)),
            Expr::BooleanTest(e) => leftmost(e.location, Some(&e.arg)),
            Expr::TypeCast(e) => leftmost(e.location, Some(&e.arg)).min(e.type_name.location),
            Expr::CollateClause(e) => leftmost(e.location, e.arg.as_ref()),
            Expr::FuncCall(e) => leftmost(e.location, e.args.first()),
            Expr::NamedArgExpr(e) => e.location,
            Expr::SubLink(e) => leftmost(e.location, e.testexpr.as_ref()),
            Expr::CaseExpr(e) => e.location,
            Expr::CoalesceExpr(e) => e.location,
            Expr::MinMaxExpr(e) => e.location,
            Expr::SQLValueFunction(e) => e.location,
            Expr::AArrayExpr(e) => e.location,
            Expr::RowExpr(e) => e.location,
            Expr::AIndirection(e) => e.arg.location(),
            Expr::GroupingFunc(e) => e.location,
            Expr::CurrentOfExpr(e) => e.location,
            Expr::XmlExpr(e) => leftmost(e.location, e.args.first()),
            Expr::XmlSerialize(e) => e.location,
            Expr::SetToDefault(e) => e.location,
            Expr::MultiAssignRef(e) => e.source.as_ref().map_or(0, Expr::location),
        }
    }
}

fn leftmost(own: usize, arg: Option<&Expr>) -> usize {
    arg.map_or(own, |a| own.min(a.location()))
}
