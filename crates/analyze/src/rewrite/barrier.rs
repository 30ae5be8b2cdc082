//! Writing through a view with `security_barrier`: the view's condition must be tested before anything of the statement's
//! own condition that could tell about rows the view does not show. What is not leakproof there goes behind a CASE of the
//! view's condition, whose order of evaluation is certain wherever the plan puts it.

use crate::ctx::AnalyzeCtx;
use crate::expr::*;
use crate::walk;
use common::{Oid, Result};

/// The statement's condition and the view's as one.
pub fn guard(ctx: &AnalyzeCtx<'_>, own: Expr, view: Expr) -> Result<Expr> {
    let own = match own {
        Expr::Bool { op: BoolOp::And, args, .. } => args,
        e => vec![e],
    };
    let (mut open, mut leaky) = (Vec::new(), Vec::new());
    for e in own {
        if leaks(ctx, &e)? { leaky.push(e) } else { open.push(e) }
    }
    if leaky.is_empty() {
        open.push(view);
        return Ok(and(open));
    }
    // Indexes are found by the condition itself, which a volatile one must not be tested twice for.
    if !is_volatile(ctx, &view)? {
        open.push(view.clone());
    }
    open.push(Expr::Case {
        result_type: types::oids::BOOL,
        collation: Oid::INVALID,
        arg: None,
        whens: vec![CaseWhen { expr: view, result: and(leaky) }],
        default: Some(Box::new(crate::coerce::make_const(types::oids::BOOL, types::Datum::Bool(false)))),
        location: None,
    });
    Ok(and(open))
}

fn and(mut l: Vec<Expr>) -> Expr {
    if l.len() == 1 {
        return l.swap_remove(0);
    }
    Expr::Bool { op: BoolOp::And, args: l, location: None }
}

/// Could an expression tell about a row's values by an error, a message or the time it takes?
fn leaks(ctx: &AnalyzeCtx<'_>, e: &Expr) -> Result<bool> {
    let mut calls = None;
    match e {
        Expr::Var(_) | Expr::Const(_) | Expr::Param(_) | Expr::CaseTest { .. } | Expr::CurrentOf { .. } => {
            return Ok(false);
        }
        Expr::SqlValueFunction { .. } => return Ok(false),
        Expr::Func(x) => calls = Some(x.funcid),
        Expr::Op(x) | Expr::DistinctExpr(x) | Expr::NullIfExpr(x) => calls = Some(x.funcid),
        Expr::ScalarArrayOp(x) => calls = Some(x.funcid),
        Expr::Bool { .. }
        | Expr::Case { .. }
        | Expr::NullTest { .. }
        | Expr::BooleanTest { .. }
        | Expr::Relabel { .. }
        | Expr::Collate { .. }
        | Expr::FieldSelect { .. }
        | Expr::Array { .. }
        | Expr::Row { .. } => {}
        _ => return Ok(true),
    }
    if let Some(f) = calls
        && has_vars(e)
        && !ctx.catalog.proc_desc(f)?.leakproof
    {
        return Ok(true);
    }
    let mut found = Ok(false);
    walk::children(e, &mut |c| {
        if matches!(found, Ok(false)) {
            found = leaks(ctx, c);
        }
    });
    found
}

fn has_vars(e: &Expr) -> bool {
    let mut found = false;
    walk::walk(e, 0, &mut |x, d| {
        found |= matches!(x, Expr::Var(v) if v.levels_up == d);
        !found
    });
    found
}

fn is_volatile(ctx: &AnalyzeCtx<'_>, e: &Expr) -> Result<bool> {
    let mut found = Ok(false);
    walk::walk(e, 0, &mut |x, _| {
        let f = match x {
            Expr::Func(x) => x.funcid,
            Expr::Op(x) => x.funcid,
            _ => return true,
        };
        if matches!(found, Ok(false)) {
            found = ctx.catalog.proc_desc(f).map(|p| p.volatile == b'v');
        }
        true
    });
    found
}
