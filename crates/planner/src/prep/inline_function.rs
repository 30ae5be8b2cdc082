//! Set-returning SQL functions in FROM become sub-queries, which may then be merged like any other. The conditions are
//! PostgreSQL's: one SELECT, not volatile, not strict, run as the caller.

use crate::PlannerCtx;
use crate::exprs::*;
use crate::routines::BodyOf;
use analyze::expr::*;
use analyze::info::expr_type;
use analyze::query::*;
use analyze::routine::Shape;
use catalog::builtins::LANGUAGE_SQL;
use common::{Oid, Result};
use types::{Attribute, TupleDesc, oids};

/// Replaces the functions of a query level that can be.
pub fn inline(ctx: &PlannerCtx<'_>, q: &mut Query) -> Result<()> {
    for r in &mut q.rtable {
        let RteKind::Function { functions, ordinality: false, lateral } = &mut r.kind else { continue };
        let lateral = *lateral;
        let [f] = functions.as_mut_slice() else { continue };
        if let Some(body) = body_of(ctx, f)? {
            r.kind =
                RteKind::Subquery { query: Box::new(body), lateral, security_barrier: false, view: None };
        }
    }
    Ok(())
}

fn body_of(ctx: &PlannerCtx<'_>, f: &mut RangeFunction) -> Result<Option<Query>> {
    let Some(routines) = ctx.routines else { return Ok(None) };
    let Expr::Func(call) = &mut f.expr else { return Ok(None) };
    if call.funcid < Oid::FIRST_NORMAL || !call.retset {
        return Ok(None);
    }
    let p = ctx.catalog.proc_desc(call.funcid)?;
    if p.language != LANGUAGE_SQL
        || p.kind != b'f'
        || p.strict
        || p.volatile == b'v'
        || p.ret_type == oids::VOID
        || p.sec_def
        || !p.retset
        || !p.config.is_empty()
        || p.arg_types.len() != call.args.len()
        || !routines.may_execute(p.oid)?
    {
        return Ok(None);
    }
    for a in &mut call.args {
        strip(a);
        fold::fold(ctx, a)?;
    }
    if call.args.iter().any(|a| contains_volatile(ctx, a) || contains_subplans(a)) {
        return Ok(None);
    }
    let arg_types: Vec<Oid> = call.args.iter().map(expr_type).collect();
    let desc = described(ctx, f);
    let Expr::Func(call) = &f.expr else { return Ok(None) };
    let t = ctx.catalog.storage_type(call.result_type)?;
    let is_row = t == oids::RECORD || ctx.catalog.type_desc(t)?.typtype == b'c';
    let of = BodyOf {
        funcid: p.oid,
        arg_types: &arg_types,
        result_type: call.result_type,
        collation: call.input_collation,
        columns: if is_row { Some(&desc) } else { None },
    };
    let Some((mut body, shape)) = routines.single_query(&of)? else { return Ok(None) };
    if body.command != CmdType::Select || (shape == Shape::Columns) != is_row {
        return Ok(None);
    }
    substitute(&mut body, &call.args, 1);
    Ok(Some(body))
}

/// The columns the query expects of the function.
fn described(ctx: &PlannerCtx<'_>, f: &RangeFunction) -> TupleDesc {
    let mut attrs = Vec::new();
    for i in 0..f.col_types.len() {
        let dropped = !f.col_types[i].is_valid();
        let shape = if dropped { oids::INT4 } else { f.col_types[i] };
        let Ok(t) = ctx.catalog.type_desc(shape) else { continue };
        let mut a: Attribute = catalog::schema::attribute(&f.col_names[i], &t, f.col_typmods[i]);
        a.dropped = dropped;
        attrs.push(a);
    }
    TupleDesc { attrs, type_oid: oids::RECORD }
}

/// Puts the arguments, which belong `level` levels above, in the place of the parameters.
fn substitute(q: &mut Query, args: &[Expr], level: u32) {
    query_exprs_mut(q, &mut |e| substitute_in(e, args, level));
    subqueries_mut(q, &mut |s| substitute(s, args, level + 1));
}

fn substitute_in(e: &mut Expr, args: &[Expr], level: u32) {
    match e {
        Expr::Param(p) if p.kind == ParamKind::External => {
            if let Some(a) = args.get(p.id as usize - 1) {
                let mut a = a.clone();
                shift_levels(&mut a, level as i32, 0);
                *e = a;
            }
            return;
        }
        Expr::SubLink(s) => substitute(&mut s.subselect, args, level + 1),
        _ => {}
    }
    each_child_mut(e, &mut |c| substitute_in(c, args, level));
}
