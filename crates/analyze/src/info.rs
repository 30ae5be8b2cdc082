//! What an expression is: its type, typmod, collation and place in the source text. Used by analysis and everything
//! above it.

use crate::expr::*;
use common::Oid;
use types::oids;

/// The type of an expression's value.
pub fn expr_type(e: &Expr) -> Oid {
    match e {
        Expr::Var(v) => v.vartype,
        Expr::Const(c) => c.consttype,
        Expr::Param(p) => p.paramtype,
        Expr::Func(f) => f.result_type,
        Expr::Op(o) => o.result_type,
        Expr::NullIfExpr(o) => o.args.first().map_or(o.result_type, expr_type),
        Expr::DistinctExpr(_)
        | Expr::ScalarArrayOp(_)
        | Expr::Bool { .. }
        | Expr::NullTest { .. }
        | Expr::BooleanTest { .. }
        | Expr::RowCompare { .. }
        | Expr::CurrentOf { .. } => oids::BOOL,
        Expr::Aggref(a) => a.result_type,
        Expr::GroupingFunc { .. } => oids::INT4,
        Expr::WindowFunc(w) => w.result_type,
        Expr::SubLink(s) => s.result_type,
        Expr::SubPlan(s) => s.result_type,
        Expr::CaseTest { type_oid, .. }
        | Expr::DomainValue { type_oid, .. }
        | Expr::SetToDefault { type_oid, .. }
        | Expr::NextValue { type_oid, .. } => *type_oid,
        Expr::Case { result_type, .. }
        | Expr::Coalesce { result_type, .. }
        | Expr::MinMax { result_type, .. }
        | Expr::SqlValueFunction { result_type, .. }
        | Expr::Relabel { result_type, .. }
        | Expr::CoerceViaIo { result_type, .. }
        | Expr::ArrayCoerce { result_type, .. }
        | Expr::CoerceToDomain { result_type, .. }
        | Expr::Subscript { result_type, .. }
        | Expr::FieldSelect { result_type, .. }
        | Expr::FieldStore { result_type, .. } => *result_type,
        Expr::Collate { arg, .. } | Expr::NamedArg { arg, .. } => expr_type(arg),
        Expr::Array { array_type, .. } => *array_type,
        Expr::Row { row_type, .. } => *row_type,
    }
}

/// The column of a sub-select that is the sub-link's value.
fn value_column(s: &SubLink) -> Option<&TargetEntry> {
    let column = s.multi.map_or(0, |m| usize::from(m.column));
    s.subselect.target_list.iter().filter(|t| !t.junk).nth(column)
}

/// The type modifier of an expression's value, -1 if unknown.
pub fn expr_typmod(e: &Expr) -> i32 {
    match e {
        Expr::Var(v) => v.typmod,
        Expr::Const(c) => c.typmod,
        Expr::Param(p) => p.typmod,
        Expr::Func(f) => length_coercion(f).unwrap_or(-1),
        Expr::NullIfExpr(o) => o.args.first().map_or(-1, expr_typmod),
        Expr::SubLink(s) => match s.kind {
            SubLinkType::Expr | SubLinkType::Array | SubLinkType::MultiExpr => {
                value_column(s).map_or(-1, |t| expr_typmod(&t.expr))
            }
            _ => -1,
        },
        Expr::SubPlan(s) => s.typmod,
        Expr::Case { whens, default, result_type, .. } => {
            common_typmod(whens.iter().map(|w| &w.result).chain(default.as_deref()), *result_type)
        }
        Expr::Coalesce { args, result_type, .. } | Expr::MinMax { args, result_type, .. } => {
            common_typmod(args.iter(), *result_type)
        }
        Expr::Array { elements, elem_type, multidims, array_type, .. } => {
            common_typmod(elements.iter(), if *multidims { *array_type } else { *elem_type })
        }
        Expr::CaseTest { typmod, .. }
        | Expr::DomainValue { typmod, .. }
        | Expr::SetToDefault { typmod, .. }
        | Expr::SqlValueFunction { typmod, .. }
        | Expr::Relabel { typmod, .. }
        | Expr::ArrayCoerce { typmod, .. }
        | Expr::CoerceToDomain { typmod, .. }
        | Expr::Subscript { typmod, .. }
        | Expr::FieldSelect { typmod, .. } => *typmod,
        Expr::Collate { arg, .. } | Expr::NamedArg { arg, .. } => expr_typmod(arg),
        _ => -1,
    }
}

fn common_typmod<'a>(items: impl Iterator<Item = &'a Expr>, type_oid: Oid) -> i32 {
    let mut typmod = None;
    for e in items {
        let t = expr_typmod(e);
        if expr_type(e) != type_oid || t < 0 || typmod.is_some_and(|x| x != t) {
            return -1;
        }
        typmod = Some(t);
    }
    typmod.unwrap_or(-1)
}

/// The typmod a length-coercion call (`varchar(x, 14, false)` written as a cast) applies.
fn length_coercion(f: &FuncExpr) -> Option<i32> {
    if !matches!(f.form, CoercionForm::ExplicitCast | CoercionForm::ImplicitCast)
        || !(2..=3).contains(&f.args.len())
    {
        return None;
    }
    match &f.args[1] {
        Expr::Const(c) if c.consttype == oids::INT4 => match c.value {
            types::Datum::I32(v) => Some(v),
            _ => None,
        },
        _ => None,
    }
}

/// The collation of an expression's value.
pub fn expr_collation(e: &Expr) -> Oid {
    match e {
        Expr::Var(v) => v.collation,
        Expr::Const(c) => c.collation,
        Expr::Param(p) => p.collation,
        Expr::Func(f) => f.collation,
        Expr::Op(o) | Expr::NullIfExpr(o) => o.collation,
        Expr::Aggref(a) => a.collation,
        Expr::WindowFunc(w) => w.collation,
        Expr::SubLink(s) => match s.kind {
            SubLinkType::Expr | SubLinkType::Array | SubLinkType::MultiExpr => {
                value_column(s).map_or(Oid::INVALID, |t| expr_collation(&t.expr))
            }
            _ => Oid::INVALID,
        },
        Expr::SubPlan(s) => s.collation,
        Expr::CaseTest { collation, .. }
        | Expr::DomainValue { collation, .. }
        | Expr::SetToDefault { collation, .. }
        | Expr::Case { collation, .. }
        | Expr::Coalesce { collation, .. }
        | Expr::MinMax { collation, .. }
        | Expr::Relabel { collation, .. }
        | Expr::CoerceViaIo { collation, .. }
        | Expr::ArrayCoerce { collation, .. }
        | Expr::CoerceToDomain { collation, .. }
        | Expr::Collate { collation, .. }
        | Expr::Array { collation, .. }
        | Expr::Subscript { collation, .. }
        | Expr::FieldSelect { collation, .. } => *collation,
        Expr::SqlValueFunction { result_type, .. } if *result_type == oids::NAME => Oid(950),
        Expr::NamedArg { arg, .. } => expr_collation(arg),
        _ => Oid::INVALID,
    }
}

fn leftmost(own: Option<usize>, other: Option<usize>) -> Option<usize> {
    match (own, other) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

fn list_location(list: &[Expr]) -> Option<usize> {
    list.iter().find_map(expr_location)
}

/// Where the expression starts in the source text.
pub fn expr_location(e: &Expr) -> Option<usize> {
    match e {
        Expr::Var(v) => v.location,
        Expr::Const(c) => c.location,
        Expr::Param(p) => p.location,
        Expr::Func(f) => leftmost(f.location, list_location(&f.args)),
        Expr::Op(o) | Expr::DistinctExpr(o) | Expr::NullIfExpr(o) => {
            leftmost(o.location, list_location(&o.args))
        }
        Expr::ScalarArrayOp(o) => leftmost(o.location, list_location(&o.args)),
        Expr::Bool { args, location, .. } => leftmost(*location, list_location(args)),
        Expr::Aggref(a) => a.location,
        Expr::WindowFunc(w) => w.location,
        Expr::SubLink(s) => leftmost(s.location, s.test.as_deref().and_then(expr_location)),
        Expr::GroupingFunc { location, .. }
        | Expr::Case { location, .. }
        | Expr::Coalesce { location, .. }
        | Expr::MinMax { location, .. }
        | Expr::SqlValueFunction { location, .. }
        | Expr::Array { location, .. }
        | Expr::Row { location, .. }
        | Expr::SetToDefault { location, .. } => *location,
        Expr::NullTest { arg, location, .. }
        | Expr::BooleanTest { arg, location, .. }
        | Expr::Relabel { arg, location, .. }
        | Expr::CoerceViaIo { arg, location, .. }
        | Expr::ArrayCoerce { arg, location, .. }
        | Expr::CoerceToDomain { arg, location, .. }
        | Expr::Collate { arg, location, .. }
        | Expr::NamedArg { arg, location, .. } => leftmost(*location, expr_location(arg)),
        Expr::Subscript { arg, .. } | Expr::FieldSelect { arg, .. } | Expr::FieldStore { arg, .. } => {
            expr_location(arg)
        }
        Expr::RowCompare { left, .. } => list_location(left),
        _ => None,
    }
}
