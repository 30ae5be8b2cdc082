//! How volatile an expression is, by the functions it calls.

use crate::ctx::CommandCtx;
use analyze::expr::Expr;
use analyze::walk;
use common::Result;

fn worst(ctx: &CommandCtx<'_>, e: &Expr) -> Result<u8> {
    let mut found = b'i';
    let mut failed = None;
    let io = |arg: &Expr, result: common::Oid| -> Result<[common::Oid; 2]> {
        let from = ctx.catalog.type_desc(analyze::info::expr_type(arg))?.output;
        Ok([from, ctx.catalog.type_desc(result)?.input])
    };
    walk::walk(e, 0, &mut |x, _| {
        let mut more = Vec::new();
        let proc = match x {
            Expr::Func(f) if is_text_concatenation(f.funcid) => concatenated(ctx, &f.args),
            Expr::Op(o) if is_text_concatenation(o.funcid) => concatenated(ctx, &o.args),
            Expr::CoerceViaIo { arg, result_type, .. } => {
                match io(arg, *result_type) {
                    Ok(p) => more.extend(p),
                    Err(e) => failed = Some(e),
                }
                None
            }
            Expr::Func(f) => Some(f.funcid),
            Expr::Op(o) | Expr::DistinctExpr(o) | Expr::NullIfExpr(o) => Some(o.funcid),
            Expr::ScalarArrayOp(o) => Some(o.funcid),
            Expr::NextValue { .. } => {
                found = b'v';
                None
            }
            Expr::SqlValueFunction { .. } if found == b'i' => {
                found = b's';
                None
            }
            _ => None,
        };
        more.extend(proc);
        for p in more {
            match ctx.catalog.proc_desc(p) {
                Ok(d) if d.volatile == b'v' => found = b'v',
                Ok(d) if d.volatile == b's' && found == b'i' => found = b's',
                Ok(_) => {}
                Err(e) => failed = Some(e),
            }
        }
        true
    });
    failed.map_or(Ok(found), Err)
}

/// `text || any` and `any || text` are what the output of the other operand is: PostgreSQL inlines them before it looks.
fn is_text_concatenation(f: common::Oid) -> bool {
    matches!(f.0, 2003 | 2004)
}

fn concatenated(ctx: &CommandCtx<'_>, args: &[Expr]) -> Option<common::Oid> {
    let other = args.iter().map(analyze::info::expr_type).find(|t| *t != types::oids::TEXT)?;
    ctx.catalog.type_desc(other).ok().map(|t| t.output)
}

/// Calls something that is not IMMUTABLE? Functions of one expression count as that expression.
pub fn contains_mutable(ctx: &CommandCtx<'_>, e: &Expr) -> Result<bool> {
    let own = |x: &Expr, _| matches!(x, Expr::Func(f) if f.funcid >= common::Oid::FIRST_NORMAL);
    if walk::contains(e, &mut { own }) {
        let mut folded = e.clone();
        crate::routine::fold(ctx, &mut folded)?;
        return Ok(worst(ctx, &folded)? != b'i');
    }
    Ok(worst(ctx, e)? != b'i')
}

/// Calls something VOLATILE?
pub fn contains_volatile(ctx: &CommandCtx<'_>, e: &Expr) -> Result<bool> {
    Ok(worst(ctx, e)? == b'v')
}
