//! Resolved expressions: every name is an object id, every node knows its type. The planner and the executor work on
//! the same tree; after planning, [`Var`]s name slots of child nodes ([`VarNo`]). Serialised (JSON) it is the
//! `pg_node_tree` text of the catalogs: defaults, CHECK constraints, index expressions and predicates.

use common::Oid;
use serde::{Deserialize, Serialize};
use std::rc::Rc;
use types::Datum;

/// Which row a [`Var`] looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum VarNo {
    /// Range table entry, 1-based. In scan nodes of a finished plan: the scanned relation's row.
    Rte(u32),
    /// Left (outer) child's output column (finished plans only).
    Outer,
    /// Right (inner) child's output column (finished plans only).
    Inner,
    /// Index tuple column of an index-only scan (finished plans only).
    Index,
}

/// A column of some row. `attno` 0 is the whole row; negative ones are system columns (PostgreSQL's numbers: ctid -1,
/// xmin -2, cmin -3, xmax -4, cmax -5, tableoid -6).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Var {
    pub varno: VarNo,
    pub attno: i16,
    pub vartype: Oid,
    pub typmod: i32,
    pub collation: Oid,
    /// Query levels up (0 = this one). Always 0 after planning: outer references have become Params.
    pub levels_up: u32,
    /// The range table entry and column it named before the plan was finished, for EXPLAIN.
    pub syn: (u32, i16),
    pub location: Option<usize>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Const {
    pub consttype: Oid,
    pub typmod: i32,
    pub collation: Oid,
    pub value: Datum,
    pub location: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ParamKind {
    /// `$n` of a prepared statement or function, 1-based.
    External,
    /// Slot of the executor's parameter array, set by a sub-plan, an init-plan or a nested loop.
    Exec,
    /// Sub-select output column while the sub-link is being analysed.
    SubLink,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Param {
    pub kind: ParamKind,
    pub id: u32,
    pub paramtype: Oid,
    pub typmod: i32,
    pub collation: Oid,
    pub location: Option<usize>,
}

/// How a function call is to be displayed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CoercionForm {
    ExplicitCall,
    ExplicitCast,
    ImplicitCast,
    SqlSyntax,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FuncExpr {
    pub funcid: Oid,
    pub result_type: Oid,
    pub retset: bool,
    pub variadic: bool,
    pub form: CoercionForm,
    pub collation: Oid,
    pub input_collation: Oid,
    pub args: Vec<Expr>,
    pub location: Option<usize>,
}

/// An operator call (also DISTINCT FROM and NULLIF, by the variant of [`Expr`] that holds it).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OpExpr {
    pub opno: Oid,
    /// The `pg_proc` row behind it.
    pub funcid: Oid,
    pub result_type: Oid,
    pub retset: bool,
    pub collation: Oid,
    pub input_collation: Oid,
    pub args: Vec<Expr>,
    pub location: Option<usize>,
}

/// `scalar op ANY/ALL (array)`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScalarArrayOpExpr {
    pub opno: Oid,
    pub funcid: Oid,
    /// ANY if true, ALL if false.
    pub use_or: bool,
    pub input_collation: Oid,
    pub args: Vec<Expr>,
    pub location: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BoolOp {
    And,
    Or,
    Not,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BoolTest {
    IsTrue,
    IsNotTrue,
    IsFalse,
    IsNotFalse,
    IsUnknown,
    IsNotUnknown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AggSplit {
    Simple,
    /// Emits transition states (parallel). `result_type` of such an [`Aggref`] is bytea.
    Partial,
    /// Consumes transition states: an [`Aggref`]'s only argument is one.
    Finalize,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Aggref {
    pub aggfnoid: Oid,
    pub result_type: Oid,
    pub collation: Oid,
    pub input_collation: Oid,
    pub arg_types: Vec<Oid>,
    /// WITHIN GROUP's direct arguments.
    pub direct_args: Vec<Expr>,
    /// The aggregated arguments; those past `num_args` are there for `order` only.
    pub args: Vec<TargetEntry>,
    pub order: Vec<SortGroupClause>,
    pub distinct: Vec<SortGroupClause>,
    pub filter: Option<Box<Expr>>,
    pub star: bool,
    pub variadic: bool,
    /// `n` normal, `o` ordered-set, `h` hypothetical.
    pub kind: u8,
    pub levels_up: u32,
    pub split: AggSplit,
    pub location: Option<usize>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WindowFunc {
    pub winfnoid: Oid,
    pub result_type: Oid,
    pub collation: Oid,
    pub input_collation: Oid,
    pub args: Vec<Expr>,
    pub filter: Option<Box<Expr>>,
    /// Index into `Query::window_clause`.
    pub winref: u32,
    pub star: bool,
    pub is_agg: bool,
    pub location: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SubLinkType {
    Exists,
    All,
    Any,
    RowCompare,
    Expr,
    MultiExpr,
    Array,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SubLink {
    pub kind: SubLinkType,
    /// For ANY/ALL/ROWCOMPARE: the comparison, in which `Param{kind: SubLink, id: n}` is the sub-select's n-th column.
    pub test: Option<Box<Expr>>,
    pub oper_name: Vec<String>,
    /// `SET (a, b) = (SELECT …)`: which of its columns this stands for.
    pub multi: Option<MultiColumn>,
    pub subselect: Box<crate::query::Query>,
    /// `bool` for the testing kinds, the column's type for EXPR, its array type for ARRAY.
    pub result_type: Oid,
    pub location: Option<usize>,
}

/// A column of a sub-select that several columns are assigned from: it runs once for all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MultiColumn {
    /// The same for all columns of the sub-select: where it stands in the statement's text.
    pub source: usize,
    /// From zero.
    pub column: u16,
}

/// A planned sub-select inside an expression (finished plans only).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SubPlan {
    pub kind: SubLinkType,
    /// 1-based index into `PlannedStmt::subplans`.
    pub plan_id: u32,
    /// `SubPlan 1`, `InitPlan 1 (returns $0)`, …
    pub plan_name: String,
    pub test: Option<Box<Expr>>,
    /// Exec params that the sub-select's columns are put into for `test`.
    pub param_ids: Vec<u32>,
    pub result_type: Oid,
    /// ARRAY over a column of arrays: they are stacked into one of a dimension more.
    pub stacked: bool,
    pub typmod: i32,
    pub collation: Oid,
    /// Evaluate ANY through a hash table of the sub-select's rows.
    pub use_hash_table: bool,
    pub unknown_eq_false: bool,
    /// MULTIEXPR: the column that is this expression's value, from zero.
    pub column: u16,
    /// Exec params this node sets (init-plans); a MULTIEXPR's columns.
    pub set_param: Vec<u32>,
    /// Exec params to set from `args` before each run (correlation), in parallel with `args`.
    pub par_param: Vec<u32>,
    pub args: Vec<Expr>,
    pub startup_cost: f64,
    pub per_call_cost: f64,
    /// A parallel worker may run it.
    pub parallel_safe: bool,
    /// Another way to the same answer, until the planner has chosen.
    pub alternative: Option<Box<SubPlan>>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CaseWhen {
    pub expr: Expr,
    pub result: Expr,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SqlValueFunctionOp {
    CurrentDate,
    CurrentTime,
    CurrentTimestamp,
    LocalTime,
    LocalTimestamp,
    CurrentRole,
    CurrentUser,
    SessionUser,
    CurrentCatalog,
    CurrentSchema,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RowCompareType {
    Lt,
    Le,
    Eq,
    Ge,
    Gt,
    Ne,
}

/// An expression. Rare variants keep their lists behind a pointer: all others are moved about in the size of the largest.
#[allow(clippy::box_collection)]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Expr {
    Var(Var),
    Const(Const),
    Param(Param),
    Func(FuncExpr),
    Op(OpExpr),
    /// `a IS DISTINCT FROM b`: the operator is `=`.
    DistinctExpr(OpExpr),
    /// `NULLIF(a, b)`: the operator is `=`.
    NullIfExpr(OpExpr),
    ScalarArrayOp(ScalarArrayOpExpr),
    Bool {
        op: BoolOp,
        args: Vec<Expr>,
        location: Option<usize>,
    },
    Aggref(Box<Aggref>),
    GroupingFunc {
        args: Vec<Expr>,
        refs: Vec<u32>,
        levels_up: u32,
        location: Option<usize>,
    },
    WindowFunc(Box<WindowFunc>),
    SubLink(Box<SubLink>),
    SubPlan(Box<SubPlan>),
    /// Evaluates alternatives' cheaper one; resolved by the planner.
    Case {
        result_type: Oid,
        collation: Oid,
        arg: Option<Box<Expr>>,
        whens: Vec<CaseWhen>,
        default: Option<Box<Expr>>,
        location: Option<usize>,
    },
    /// The value of the enclosing CASE's argument inside its WHEN tests.
    CaseTest {
        type_oid: Oid,
        typmod: i32,
        collation: Oid,
    },
    Coalesce {
        result_type: Oid,
        collation: Oid,
        args: Vec<Expr>,
        location: Option<usize>,
    },
    MinMax {
        greatest: bool,
        result_type: Oid,
        collation: Oid,
        input_collation: Oid,
        args: Vec<Expr>,
        location: Option<usize>,
    },
    SqlValueFunction {
        op: SqlValueFunctionOp,
        result_type: Oid,
        typmod: i32,
        location: Option<usize>,
    },
    NullTest {
        arg: Box<Expr>,
        is_null: bool,
        arg_is_row: bool,
        location: Option<usize>,
    },
    BooleanTest {
        arg: Box<Expr>,
        test: BoolTest,
        location: Option<usize>,
    },
    /// A cast without code: only the type label changes.
    Relabel {
        arg: Box<Expr>,
        result_type: Oid,
        typmod: i32,
        collation: Oid,
        form: CoercionForm,
        location: Option<usize>,
    },
    /// A cast through the output and input functions.
    CoerceViaIo {
        arg: Box<Expr>,
        result_type: Oid,
        collation: Oid,
        form: CoercionForm,
        location: Option<usize>,
    },
    /// Element-wise array cast; `elem` is applied to [`Expr::CaseTest`].
    ArrayCoerce {
        arg: Box<Expr>,
        elem: Box<Expr>,
        result_type: Oid,
        typmod: i32,
        collation: Oid,
        form: CoercionForm,
        location: Option<usize>,
    },
    /// Checks a domain's constraints.
    CoerceToDomain {
        arg: Box<Expr>,
        result_type: Oid,
        typmod: i32,
        collation: Oid,
        form: CoercionForm,
        location: Option<usize>,
    },
    /// VALUE inside a domain's CHECK.
    DomainValue {
        type_oid: Oid,
        typmod: i32,
        collation: Oid,
    },
    Collate {
        arg: Box<Expr>,
        collation: Oid,
        location: Option<usize>,
    },
    Array {
        array_type: Oid,
        elem_type: Oid,
        collation: Oid,
        elements: Vec<Expr>,
        multidims: bool,
        location: Option<usize>,
    },
    /// `a[1]`, `a[1:2]`; with `assign` the modified array is the result.
    Subscript {
        container_type: Oid,
        elem_type: Oid,
        result_type: Oid,
        typmod: i32,
        collation: Oid,
        upper: Vec<Option<Expr>>,
        lower: Option<Box<Vec<Option<Expr>>>>,
        arg: Box<Expr>,
        assign: Option<Box<Expr>>,
    },
    Row {
        args: Vec<Expr>,
        row_type: Oid,
        col_names: Vec<String>,
        location: Option<usize>,
    },
    RowCompare {
        cmp: RowCompareType,
        opnos: Box<Vec<Oid>>,
        funcids: Box<Vec<Oid>>,
        input_collations: Box<Vec<Oid>>,
        left: Box<Vec<Expr>>,
        right: Box<Vec<Expr>>,
    },
    /// `(composite).field`.
    FieldSelect {
        arg: Box<Expr>,
        fieldnum: i16,
        result_type: Oid,
        typmod: i32,
        collation: Oid,
    },
    FieldStore {
        arg: Box<Expr>,
        newvals: Vec<Expr>,
        fieldnums: Vec<i16>,
        result_type: Oid,
    },
    /// DEFAULT in VALUES or SET; replaced by the rewriter.
    SetToDefault {
        type_oid: Oid,
        typmod: i32,
        collation: Oid,
        location: Option<usize>,
    },
    /// `WHERE CURRENT OF cursor`.
    CurrentOf {
        rte: u32,
        cursor: String,
    },
    /// `nextval` of an identity column.
    NextValue {
        seqid: Oid,
        type_oid: Oid,
    },
    NamedArg {
        arg: Box<Expr>,
        name: String,
        number: u32,
        location: Option<usize>,
    },
}

/// An output column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TargetEntry {
    pub expr: Expr,
    /// 1-based; for INSERT and UPDATE the attribute number of the target column.
    pub resno: i16,
    pub name: Option<Rc<str>>,
    /// Non-zero if named by a sort, group or distinct clause.
    pub sort_group_ref: u32,
    /// Table and attribute this is a plain copy of, else invalid and 0 (RowDescription).
    pub orig: (Oid, i16),
    /// Not part of the result.
    pub junk: bool,
}

/// ORDER BY / GROUP BY / DISTINCT item, pointing at a target entry by `tle_ref`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SortGroupClause {
    pub tle_ref: u32,
    pub eqop: Oid,
    /// `<` or `>` operator; invalid if the type cannot be sorted.
    pub sortop: Oid,
    pub nulls_first: bool,
    pub hashable: bool,
}

/// A shared, immutable expression.
pub type ExprRc = Rc<Expr>;

// Expressions are passed by value: the size is what each step of analysis and planning copies.
const _: () = assert!(size_of::<Expr>() <= 80);
