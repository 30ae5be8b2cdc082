//! Does a set of clauses imply a predicate? Used for partial indexes and for leaving out filters a scan already
//! guarantees. Sound, not complete.

use crate::exprs::*;
use crate::relinfo::BTREE_AM;
use crate::root::Glob;
use analyze::expr::*;

/// Do the clauses (ANDed) imply all of the predicates?
pub fn implied(g: &Glob<'_>, preds: &[Expr], clauses: &[&Expr]) -> bool {
    preds.iter().all(|p| one(g, p, clauses))
}

fn one(g: &Glob<'_>, p: &Expr, clauses: &[&Expr]) -> bool {
    match p {
        Expr::Bool { op: BoolOp::And, args, .. } => return args.iter().all(|a| one(g, a, clauses)),
        Expr::Bool { op: BoolOp::Or, args, .. } if args.iter().any(|a| one(g, a, clauses)) => return true,
        _ => {}
    }
    clauses.iter().any(|c| clause_implies(g, c, p))
}

fn clause_implies(g: &Glob<'_>, c: &Expr, p: &Expr) -> bool {
    if equal(c, p) {
        return true;
    }
    match c {
        Expr::Bool { op: BoolOp::And, args, .. } => {
            return one(g, p, &args.iter().collect::<Vec<_>>());
        }
        Expr::Bool { op: BoolOp::Or, args, .. } => return args.iter().all(|a| one(g, p, &[a])),
        _ => {}
    }
    match p {
        Expr::NullTest { arg, is_null: false, arg_is_row: false, .. } => strict_in(g, c, arg),
        Expr::Op(po) if po.args.len() == 2 => match c {
            Expr::Op(co) if co.args.len() == 2 => op_implies(g, co, po),
            Expr::ScalarArrayOp(_) => false,
            _ => false,
        },
        _ => false,
    }
}

/// Is the clause false or NULL whenever the expression is NULL?
pub fn strict_in(g: &Glob<'_>, c: &Expr, arg: &Expr) -> bool {
    let arg = strip_relabel(arg);
    match c {
        Expr::Op(o) if strict(g.ctx, o.funcid) => o.args.iter().any(|a| sub_strict(g, a, arg)),
        Expr::Func(f) if strict(g.ctx, f.funcid) => f.args.iter().any(|a| sub_strict(g, a, arg)),
        Expr::ScalarArrayOp(o) if o.use_or && strict(g.ctx, o.funcid) => sub_strict(g, &o.args[0], arg),
        Expr::Var(_) => equal(c, arg),
        Expr::NullTest { arg: a, is_null: false, arg_is_row: false, .. } => sub_strict(g, a, arg),
        _ => false,
    }
}

fn sub_strict(g: &Glob<'_>, e: &Expr, arg: &Expr) -> bool {
    let e = strip_relabel(e);
    if equal(e, arg) {
        return true;
    }
    match e {
        Expr::Op(o) if strict(g.ctx, o.funcid) => o.args.iter().any(|a| sub_strict(g, a, arg)),
        Expr::Func(f) if strict(g.ctx, f.funcid) => f.args.iter().any(|a| sub_strict(g, a, arg)),
        _ => false,
    }
}

/// `x op constant`, whichever way round it is written.
pub fn against_const(g: &Glob<'_>, o: &OpExpr) -> Option<(Expr, Const, common::Oid)> {
    match (&o.args[0], &o.args[1]) {
        (x, Expr::Const(k)) => Some((x.clone(), k.clone(), o.opno)),
        (Expr::Const(k), x) => {
            let com = g.ctx.catalog.operator(o.opno).ok()?.commutator;
            com.is_valid().then(|| (x.clone(), k.clone(), com))
        }
        _ => None,
    }
}

/// `x op1 c1` ⇒ `x op2 c2` by operator families.
fn op_implies(g: &Glob<'_>, c: &OpExpr, p: &OpExpr) -> bool {
    if c.input_collation != p.input_collation {
        return false;
    }
    let (Some((cx, ck, cop)), Some((px, pk, pop))) = (against_const(g, c), against_const(g, p)) else {
        return false;
    };
    if !equal(&cx, &px) || ck.value.is_null() || pk.value.is_null() {
        return false;
    }
    let (Ok(ca), Ok(pa)) = (g.ctx.catalog.amops_of(cop), g.ctx.catalog.amops_of(pop)) else { return false };
    for a in ca.iter().filter(|a| a.method == BTREE_AM) {
        let pred = pa.iter().find(|b| b.family == a.family).map(|b| b.strategy).or_else(|| {
            // <> is the negation of the family's equality.
            let neg = g.ctx.catalog.operator(pop).ok()?.negator;
            let l = g.ctx.catalog.amops_of(neg).ok()?;
            l.iter().find(|b| b.family == a.family && b.strategy == 3).map(|_| 6)
        });
        let Some(ps) = pred else { continue };
        // For clause strategy and predicate strategy: the test `clause const T predicate const`.
        let test: &[i16] = match (a.strategy, ps) {
            (1, 1) => &[2],
            (1, 2) => &[2],
            (1, 6) => &[2],
            (2, 1) => &[1],
            (2, 2) => &[2],
            (2, 6) => &[1],
            (3, s) => match s {
                1 => &[1],
                2 => &[2],
                3 => &[3],
                4 => &[4],
                5 => &[5],
                _ => &[1, 5],
            },
            (4, 4) => &[4],
            (4, 5) => &[5],
            (4, 6) => &[5],
            (5, 4) => &[4],
            (5, 5) => &[4],
            (5, 6) => &[4],
            _ => continue,
        };
        for t in test {
            let op = g.ctx.catalog.amop(a.family, ck.consttype, pk.consttype, *t).ok().flatten();
            let Some(f) = op.and_then(|o| g.ctx.catalog.operator(o).ok()).map(|d| d.code) else { continue };
            if g.ev().test(f, (&ck.value, ck.consttype), (&pk.value, pk.consttype), c.input_collation)
                == Some(true)
            {
                return true;
            }
        }
    }
    false
}
