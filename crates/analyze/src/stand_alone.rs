//! Expressions of DDL: defaults, CHECK constraints, index expressions and predicates, USING.

use crate::coerce::Context;
use crate::ctx::{AnalyzeCtx, ExprContext, ExprRel, ExprTarget, ParamTypes};
use crate::expr::*;
use crate::info::{expr_location, expr_type};
use crate::kind::ExprKind;
use crate::scope::Analyzer;
use crate::typename::format_type_short;
use common::{Oid, Result, err};
use types::oids;

/// Resolves a stand-alone expression of DDL (default, CHECK, index …), with the restrictions and error texts of its
/// context. Columns of `rel` appear as `Var { varno: Rte(1) }`. With `target`, the result is coerced to it by
/// assignment rules. CHECK constraints, predicates and the like must be boolean.
pub fn transform_expr_for(
    ctx: &AnalyzeCtx<'_>,
    expr: &parser::Expr,
    context: ExprContext,
    rel: Option<ExprRel<'_>>,
    target: Option<ExprTarget<'_>>,
) -> Result<Expr> {
    let mut an = Analyzer::new(ctx, ParamTypes::none());
    an.push_level();
    if let Some(r) = rel {
        let item = an.add_shape(r, b'r', None, true, 1, None)?;
        an.add_to_query(item, true);
    }
    let kind = ExprKind::of(context);
    let mut e = an.transform_expr_kind(expr, kind)?;
    e = match context {
        ExprContext::Check | ExprContext::DomainCheck => an.coerce_to_boolean(e, "CHECK")?,
        ExprContext::IndexPredicate | ExprContext::CopyWhere => an.coerce_to_boolean(e, "WHERE")?,
        ExprContext::TriggerWhen => an.coerce_to_boolean(e, "WHEN")?,
        ExprContext::Policy => an.coerce_to_boolean(e, "POLICY")?,
        _ => e,
    };
    if let Some(t) = target {
        e = to_target(&mut an, e, context, t)?;
    } else if expr_type(&e) == oids::UNKNOWN
        && !matches!(context, ExprContext::IndexExpr | ExprContext::StatsExpr)
    {
        e = an.coerce_implicit(e, oids::TEXT)?;
    }
    crate::collation::assign(ctx, &mut e)?;
    if let Some(r) = rel
        && context == ExprContext::GeneratedColumn
    {
        check_generated(r, &e)?;
    }
    Ok(e)
}

/// Resolves a CHECK of a domain over (type, typmod, collation): `VALUE` is the value to be tested.
pub fn transform_domain_check(
    ctx: &AnalyzeCtx<'_>,
    expr: &parser::Expr,
    (type_oid, typmod, collation): (Oid, i32, Oid),
) -> Result<Expr> {
    let mut an = Analyzer::new(ctx, ParamTypes::none());
    an.push_level();
    an.domain_value = Some(Expr::DomainValue { type_oid, typmod, collation });
    let e = an.transform_expr_kind(expr, ExprKind::DomainCheck)?;
    let mut e = an.coerce_to_boolean(e, "CHECK")?;
    crate::collation::assign(ctx, &mut e)?;
    Ok(e)
}

fn to_target(an: &mut Analyzer<'_>, e: Expr, context: ExprContext, t: ExprTarget<'_>) -> Result<Expr> {
    let source = expr_type(&e);
    let loc = expr_location(&e);
    let done =
        an.coerce_to_target(e, t.type_oid, t.typmod, Context::Assignment, CoercionForm::ImplicitCast, None)?;
    let ctx = an.ctx;
    done.ok_or_else(|| match context {
        ExprContext::Using => err!(
            DATATYPE_MISMATCH,
            "result of USING clause for column \"{}\" cannot be cast automatically to type {}",
            t.name,
            format_type_short(ctx, t.type_oid)
        )
        .hint("You might need to add an explicit cast."),
        ExprContext::ExecuteParameter => err!(
            DATATYPE_MISMATCH,
            "parameter ${} of type {} cannot be coerced to the expected type {}",
            t.name,
            format_type_short(ctx, source),
            format_type_short(ctx, t.type_oid)
        )
        .hint("You will need to rewrite or cast the expression.")
        .at_if_none(loc),
        ExprContext::GeneratedColumn => err!(
            DATATYPE_MISMATCH,
            "column \"{}\" is of type {} but generation expression is of type {}",
            t.name,
            format_type_short(ctx, t.type_oid),
            format_type_short(ctx, source)
        )
        .hint("You will need to rewrite or cast the expression."),
        _ => err!(
            DATATYPE_MISMATCH,
            "column \"{}\" is of type {} but default expression is of type {}",
            t.name,
            format_type_short(ctx, t.type_oid),
            format_type_short(ctx, source)
        )
        .hint("You will need to rewrite or cast the expression."),
    })
}

fn check_generated(r: ExprRel<'_>, e: &Expr) -> Result<()> {
    let mut bad = None;
    crate::walk::walk(e, 0, &mut |x, _| {
        if let Expr::Var(v) = x
            && v.attno > 0
            && let Some(a) = r.desc.attrs.get(v.attno as usize - 1)
            && a.generated != 0
        {
            bad = Some((a.name.clone(), v.location));
        }
        bad.is_none()
    });
    match bad {
        None => Ok(()),
        Some((n, loc)) => Err(err!(
            INVALID_OBJECT_DEFINITION,
            "cannot use generated column \"{n}\" in column generation expression"
        )
        .detail("A generated column cannot reference another generated column.")
        .at_if_none(loc)),
    }
}

/// Coerces a resolved expression to a column's type as INSERT does; `None` if there is no assignment cast.
pub fn coerce_for_assignment(
    ctx: &AnalyzeCtx<'_>,
    expr: Expr,
    type_oid: Oid,
    typmod: i32,
) -> Result<Option<Expr>> {
    let mut an = Analyzer::new(ctx, ParamTypes::none());
    an.push_level();
    let e =
        an.coerce_to_target(expr, type_oid, typmod, Context::Assignment, CoercionForm::ImplicitCast, None)?;
    match e {
        None => Ok(None),
        Some(mut e) => {
            crate::collation::assign(ctx, &mut e)?;
            Ok(Some(e))
        }
    }
}
