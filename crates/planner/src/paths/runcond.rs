//! Conditions on a sub-query's window function that can end its partitions early: `row_number() <= 10` above a sub-query
//! becomes a run condition of the window below, for functions known to only grow or only shrink.

use crate::exprs::*;
use crate::relinfo::BTREE_AM;
use crate::root::*;
use analyze::clause::frame;
use analyze::expr::*;
use analyze::query::*;

/// How a function's value moves along a partition.
#[derive(Clone, Copy, Default)]
struct Monotonic {
    increasing: bool,
    decreasing: bool,
}

/// `pg_proc` rows with a known direction.
fn monotonic(w: &WindowFunc, c: &WindowClause) -> Monotonic {
    match w.winfnoid.0 {
        // row_number, rank, dense_rank
        3100..=3102 => Monotonic { increasing: true, decreasing: false },
        // count
        2147 | 2803 => {
            if c.order.is_empty() {
                return Monotonic { increasing: true, decreasing: true };
            }
            Monotonic {
                increasing: c.frame_options & frame::START_UNBOUNDED_PRECEDING != 0,
                decreasing: c.frame_options & frame::END_UNBOUNDED_FOLLOWING != 0,
            }
        }
        _ => Monotonic::default(),
    }
}

/// Makes a run condition of `e`, a clause on the sub-query `rti`, if it is fit for that. False: the clause need not be
/// checked above any more.
pub fn keep_above(g: &Glob<'_>, sub: &mut Query, rti: u32, e: &Expr) -> bool {
    let Expr::Op(o) = e else { return true };
    if o.args.len() != 2 || !strict(g.ctx, o.funcid) {
        return true;
    }
    for side in [0, 1] {
        let Expr::Var(v) = &o.args[side] else { continue };
        if v.varno != VarNo::Rte(rti) || v.attno <= 0 || v.levels_up != 0 {
            continue;
        }
        let target = sub.target_list.iter().filter(|t| !t.junk).nth(v.attno as usize - 1);
        let Some(mut x) = target.map(|t| t.expr.clone()) else { continue };
        while let Expr::Relabel { arg, .. } = x {
            x = *arg;
        }
        if let Some(keep) = push(g, sub, &x, o, side) {
            return keep;
        }
    }
    true
}

fn push(g: &Glob<'_>, sub: &mut Query, func: &Expr, o: &OpExpr, side: usize) -> Option<bool> {
    let Expr::WindowFunc(w) = func else { return None };
    let other = &o.args[1 - side];
    if contains_subplans(func) || has_level_vars(other) || contains_volatile(g.ctx, other) {
        return None;
    }
    let clause = sub.windows.iter_mut().find(|c| c.winref == w.winref)?;
    let m = monotonic(w, clause);
    if !m.increasing && !m.decreasing {
        return None;
    }
    let left = side == 0;
    let ops = g.ctx.catalog.amops_of(o.opno).ok()?;
    let op = ops.iter().find(|a| a.method == BTREE_AM)?;
    let (opno, keep) = match op.strategy {
        1 | 2 if (left && m.increasing) || (!left && m.decreasing) => (o.opno, false),
        4 | 5 if (left && m.decreasing) || (!left && m.increasing) => (o.opno, false),
        3 if m.increasing && m.decreasing => (o.opno, false),
        3 => {
            let below = m.increasing == left;
            let strategy = if below { 2 } else { 4 };
            (g.ctx.catalog.amop(op.family, op.left, op.right, strategy).ok()??, true)
        }
        _ => return None,
    };
    let funcid = g.ctx.catalog.operator(opno).ok()?.code;
    let args = if left { vec![func.clone(), other.clone()] } else { vec![other.clone(), func.clone()] };
    clause.run_condition.push(Expr::Op(OpExpr { opno, funcid, args, ..o.clone() }));
    Some(keep)
}
