//! Calls of SQL functions replaced by their bodies: a scalar function that is one SELECT of an expression costs nothing
//! then. The conditions are PostgreSQL's.

use super::*;
use crate::PlannerCtx;
use crate::routines::BodyOf;
use analyze::expr::*;
use analyze::info::{expr_collation, expr_type};
use analyze::query::{CmdType, Query};
use catalog::builtins::LANGUAGE_SQL;
use common::{Oid, Result};
use types::oids;

/// The body of a scalar function with its arguments put in, or `None` where the call has to stay one.
pub fn scalar(
    ctx: &PlannerCtx<'_>,
    (funcid, args): (Oid, &[Expr]),
    result_type: Oid,
    (input_collation, result_collation): (Oid, Oid),
) -> Result<Option<Expr>> {
    if funcid < Oid::FIRST_NORMAL {
        return Ok(None);
    }
    let Some(routines) = ctx.routines else { return Ok(None) };
    let p = ctx.catalog.proc_desc(funcid)?;
    if p.language != LANGUAGE_SQL
        || p.kind != b'f'
        || p.sec_def
        || p.retset
        || p.ret_type == oids::RECORD
        || !p.config.is_empty()
        || p.arg_types.len() != args.len()
        || args.iter().any(|a| any(a, &mut |x| matches!(x, Expr::CaseTest { .. })))
        || !routines.may_execute(funcid)?
    {
        return Ok(None);
    }
    let arg_types: Vec<Oid> = args.iter().map(expr_type).collect();
    let collation = input_collation;
    let call = BodyOf { funcid, arg_types: &arg_types, result_type, collation, columns: None };
    let Some((q, shape)) = routines.single_query(&call)? else { return Ok(None) };
    if shape != analyze::routine::Shape::Value || !is_expression(&q) {
        return Ok(None);
    }
    let Some(t) = q.target_list.into_iter().next() else { return Ok(None) };
    let mut body = t.expr;
    strip(&mut body);
    let unstable = match p.volatile {
        b'i' => contains_mutable(ctx, &body),
        b's' => contains_volatile(ctx, &body),
        _ => false,
    };
    if unstable || (p.strict && contains_nonstrict(ctx, &body)) || !usable(ctx, &body, args, p.strict) {
        return Ok(None);
    }
    replace(&mut body, &mut |x| match x {
        Expr::Param(q) if q.kind == ParamKind::External => args.get(q.id as usize - 1).cloned(),
        _ => None,
    });
    let own = expr_collation(&body);
    if result_collation.is_valid() && own.is_valid() && own != result_collation {
        body = Expr::Collate { arg: Box::new(body), collation: result_collation, location: None };
    }
    Ok(Some(body))
}

/// `SELECT expression` and nothing more.
fn is_expression(q: &Query) -> bool {
    q.command == CmdType::Select
        && !q.has_aggs
        && !q.has_window_funcs
        && !q.has_target_srfs
        && !q.has_sub_links
        && q.ctes.is_empty()
        && q.rtable.is_empty()
        && q.jointree.from.is_empty()
        && q.jointree.quals.is_none()
        && q.group_clause.is_empty()
        && q.grouping_sets.is_empty()
        && q.having.is_none()
        && q.windows.is_empty()
        && q.distinct.is_empty()
        && q.sort.is_empty()
        && q.limit_count.is_none()
        && q.limit_offset.is_none()
        && q.set_operations.is_none()
        && q.target_list.len() == 1
}

/// Can the arguments be evaluated as often as the body mentions them?
fn usable(ctx: &PlannerCtx<'_>, body: &Expr, args: &[Expr], strict: bool) -> bool {
    let mut uses = vec![0usize; args.len()];
    walk(body, &mut |x| {
        if let Expr::Param(p) = x
            && p.kind == ParamKind::External
            && let Some(n) = uses.get_mut(p.id as usize - 1)
        {
            *n += 1;
        }
        true
    });
    uses.iter().zip(args).all(|(n, a)| match n {
        0 => !strict,
        1 => true,
        _ => {
            let c = cost_expr(ctx, a);
            !contains_subplans(a)
                && c.startup + c.per_tuple <= 10.0 * ctx.settings.cpu_operator_cost
                && !contains_volatile(ctx, a)
        }
    })
}
