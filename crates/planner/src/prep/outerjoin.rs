//! Outer joins whose null-extended rows a strict qualification above removes anyway become inner (or anti) joins.
//! RIGHT joins are turned round.

use super::tree_relids;
use crate::PlannerCtx;
use crate::exprs::*;
use crate::relids::Relids;
use analyze::expr::*;
use analyze::query::*;

/// Does the tree have outer joins at all?
pub fn has_outer(f: &FromExpr) -> bool {
    fn tree_has(t: &JoinTree) -> bool {
        match t {
            JoinTree::Rte(_) => false,
            JoinTree::Join(j) => matches!(j.kind, JoinType::Left | JoinType::Right | JoinType::Full) || t2(j),
            JoinTree::From(f) => f.from.iter().any(tree_has),
        }
    }
    fn t2(j: &JoinExpr) -> bool {
        tree_has(&j.left) || tree_has(&j.right)
    }
    f.from.iter().any(tree_has)
}

/// Reduces the outer joins of a join tree. Quals must be folded and canonical.
pub fn reduce(ctx: &PlannerCtx<'_>, from: &mut FromExpr) {
    if !has_outer(from) {
        return;
    }
    from_node(ctx, from, Relids::EMPTY, &[]);
}

fn from_node(ctx: &PlannerCtx<'_>, f: &mut FromExpr, nonnull: Relids, forced: &[Expr]) {
    let mut nn = nonnull;
    let mut forced = forced.to_vec();
    if let Some(q) = &f.quals {
        nn |= nonnullable_rels(ctx, q, true);
        forced_null_vars(q, &mut forced);
    }
    for t in &mut f.from {
        tree(ctx, t, nn, &forced);
    }
}

fn tree(ctx: &PlannerCtx<'_>, t: &mut JoinTree, nonnull: Relids, forced: &[Expr]) {
    match t {
        JoinTree::Rte(_) => {}
        JoinTree::From(f) => from_node(ctx, f, nonnull, forced),
        JoinTree::Join(j) => join(ctx, j, nonnull, forced),
    }
}

fn join(ctx: &PlannerCtx<'_>, j: &mut JoinExpr, nonnull: Relids, forced: &[Expr]) {
    let (l, r) = (tree_relids(&j.left), tree_relids(&j.right));
    match j.kind {
        JoinType::Left if nonnull.overlaps(r) => j.kind = JoinType::Inner,
        JoinType::Right if nonnull.overlaps(l) => j.kind = JoinType::Inner,
        JoinType::Full => match (nonnull.overlaps(l), nonnull.overlaps(r)) {
            (true, true) => j.kind = JoinType::Inner,
            (true, false) => j.kind = JoinType::Left,
            (false, true) => j.kind = JoinType::Right,
            _ => {}
        },
        _ => {}
    }
    if j.kind == JoinType::Right {
        std::mem::swap(&mut j.left, &mut j.right);
        j.kind = JoinType::Left;
    }
    let r = tree_relids(&j.right);
    // LEFT JOIN … WHERE right.x IS NULL with a strict condition on x keeps only unmatched rows.
    if j.kind == JoinType::Left
        && let Some(q) = &j.quals
    {
        let mut strict_vars = Vec::new();
        nonnullable_vars(ctx, q, true, &mut strict_vars);
        let hit = forced.iter().any(|v| strict_vars.contains(v) && pull_rtis(v).subset_of(r));
        if hit {
            j.kind = JoinType::Anti;
        }
    }
    let mut nn = Relids::EMPTY;
    let mut fv = Vec::new();
    if j.kind != JoinType::Full
        && let Some(q) = &j.quals
    {
        nn = nonnullable_rels(ctx, q, true);
        forced_null_vars(q, &mut fv);
    }
    match j.kind {
        JoinType::Inner | JoinType::Semi => {
            nn |= nonnull;
            fv.extend_from_slice(forced);
            tree(ctx, &mut j.left, nn, &fv);
            tree(ctx, &mut j.right, nn, &fv);
        }
        JoinType::Left | JoinType::Anti => {
            tree(ctx, &mut j.left, nonnull, forced);
            tree(ctx, &mut j.right, nn, &fv);
        }
        _ => {
            tree(ctx, &mut j.left, Relids::EMPTY, &[]);
            tree(ctx, &mut j.right, Relids::EMPTY, &[]);
        }
    }
}

fn forced_null_vars(e: &Expr, out: &mut Vec<Expr>) {
    match e {
        Expr::NullTest { arg, is_null: true, arg_is_row: false, .. } => {
            if matches!(&**arg, Expr::Var(v) if v.levels_up == 0) {
                out.push((**arg).clone());
            }
        }
        Expr::Bool { op: BoolOp::And, args, .. } => args.iter().for_each(|a| forced_null_vars(a, out)),
        _ => {}
    }
}

/// Vars whose NULL makes the clause not true.
fn nonnullable_vars(ctx: &PlannerCtx<'_>, e: &Expr, top: bool, out: &mut Vec<Expr>) {
    match e {
        Expr::Var(v) if v.levels_up == 0 => out.push(e.clone()),
        Expr::Func(f) if strict(ctx, f.funcid) => {
            f.args.iter().for_each(|a| nonnullable_vars(ctx, a, false, out));
        }
        Expr::Op(o) if strict(ctx, o.funcid) => {
            o.args.iter().for_each(|a| nonnullable_vars(ctx, a, false, out));
        }
        Expr::Bool { op: BoolOp::And, args, .. } if top => {
            args.iter().for_each(|a| nonnullable_vars(ctx, a, top, out));
        }
        Expr::Relabel { arg, .. } | Expr::CoerceViaIo { arg, .. } | Expr::Collate { arg, .. } => {
            nonnullable_vars(ctx, arg, top, out);
        }
        Expr::NullTest { arg, is_null: false, arg_is_row: false, .. } if top => {
            nonnullable_vars(ctx, arg, false, out);
        }
        _ => {}
    }
}
