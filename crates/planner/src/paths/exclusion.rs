//! Constraint exclusion: relations that need not be read because their clauses contradict each other or the table's CHECK
//! constraints (setting `constraint_exclusion`).

use super::predicate;
use crate::exprs::*;
use crate::relinfo::BTREE_AM;
use crate::root::*;
use crate::settings::ConstraintExclusion;
use analyze::expr::*;
use common::{Oid, Result};

/// Are there provably no rows of the relation that its clauses let through?
pub fn excluded(g: &Glob<'_>, root: &Root, rti: u32) -> Result<bool> {
    let rel = root.rel(rti);
    let asked = match g.ctx.settings.constraint_exclusion {
        ConstraintExclusion::On => true,
        ConstraintExclusion::Partition => rel.member.is_some(),
        ConstraintExclusion::Off => false,
    };
    if !asked || rel.base_clauses.is_empty() {
        return Ok(false);
    }
    let clauses: Vec<&Expr> = rel
        .base_clauses
        .iter()
        .filter(|r| !r.pseudoconstant && !contains_mutable(g.ctx, &r.clause))
        .map(|r| &r.clause)
        .collect();
    if clauses.len() > 1 && clauses.iter().any(|c| refuted(g, c, &clauses, true)) {
        return Ok(true);
    }
    let Some(table) = &rel.relation else { return Ok(false) };
    let is_parent = !rel.members.is_empty();
    let mut checks = Vec::new();
    for c in &table.checks {
        if !c.valid || (c.no_inherit && is_parent) {
            continue;
        }
        let mut e: Expr = analyze::load_expr(&c.bin)?;
        fold::fold(g.ctx, &mut e)?;
        strip(&mut e);
        walk_mut(&mut e, &mut |x| {
            if let Expr::Var(v) = x {
                v.varno = VarNo::Rte(rti);
            }
            true
        });
        checks.extend(to_and_list(Some(canonicalize(e))));
    }
    checks.retain(|c| !contains_mutable(g.ctx, c));
    if !checks.is_empty() && refuted(g, &make_and(checks), &clauses, false) {
        return Ok(true);
    }
    let not_null = |e: &Expr| match strip_relabel(e) {
        Expr::Var(v) if v.attno > 0 && rte_no(v) == rti => {
            table.desc.attrs.get(v.attno as usize - 1).is_some_and(|a| a.not_null)
        }
        _ => false,
    };
    let asks_null = |c: &&Expr| matches!(c, Expr::NullTest { arg, is_null: true, arg_is_row: false, .. } if not_null(arg));
    Ok(!is_parent && clauses.iter().any(asks_null))
}

/// If all clauses are true, is the predicate false (`weak`: not true)?
fn refuted(g: &Glob<'_>, pred: &Expr, clauses: &[&Expr], weak: bool) -> bool {
    match pred {
        Expr::Bool { op: BoolOp::And, args, .. } if args.iter().any(|a| refuted(g, a, clauses, weak)) => {
            return true;
        }
        Expr::Bool { op: BoolOp::Or, args, .. } => return args.iter().all(|a| refuted(g, a, clauses, weak)),
        Expr::Bool { op: BoolOp::Not, args, .. }
            if args.first().is_some_and(|a| predicate::implied(g, std::slice::from_ref(a), clauses)) =>
        {
            return true;
        }
        _ => {}
    }
    if let Some((arms, any)) = array_arms(pred) {
        let no = |a: &Expr| refuted(g, a, clauses, weak);
        if if any { !arms.is_empty() && arms.iter().all(no) } else { arms.iter().any(no) } {
            return true;
        }
    }
    clauses.iter().any(|c| refutes(g, c, pred, weak))
}

/// Does one clause alone refute the predicate? Its arms may do so for different reasons.
fn refutes(g: &Glob<'_>, c: &Expr, p: &Expr, weak: bool) -> bool {
    match c {
        Expr::Bool { op: BoolOp::And, args, .. } => return args.iter().any(|a| refutes(g, a, p, weak)),
        Expr::Bool { op: BoolOp::Or, args, .. } => return args.iter().all(|a| refuted(g, p, &[a], weak)),
        Expr::Bool { op: BoolOp::Not, args, .. } => return args.first().is_some_and(|a| equal(a, p)),
        _ => {}
    }
    if let Some((arms, any)) = array_arms(c) {
        let no = |a: &Expr| refuted(g, p, &[a], weak);
        return if any { !arms.is_empty() && arms.iter().all(no) } else { arms.iter().any(no) };
    }
    match (c, p) {
        (_, Expr::NullTest { arg, is_null: true, arg_is_row: false, .. }) => predicate::strict_in(g, c, arg),
        (
            Expr::NullTest { arg, is_null: true, arg_is_row: false, .. },
            Expr::NullTest { arg: b, is_null: false, arg_is_row: false, .. },
        ) => equal(arg, b),
        (Expr::NullTest { arg, is_null: true, arg_is_row: false, .. }, _) => {
            weak && predicate::strict_in(g, p, arg)
        }
        (Expr::Op(c), Expr::Op(p)) => op_refutes(g, c, p),
        _ => false,
    }
}

/// `x op ANY (constants)` as its arms, and whether one (ANY) or all of them must hold.
fn array_arms(e: &Expr) -> Option<(Vec<Expr>, bool)> {
    let Expr::ScalarArrayOp(o) = e else { return None };
    let items = crate::exprs::array::array_constants(&o.args[1])?;
    let arm = |item: Expr| {
        Expr::Op(OpExpr {
            opno: o.opno,
            funcid: o.funcid,
            result_type: types::oids::BOOL,
            retset: false,
            collation: Oid::INVALID,
            input_collation: o.input_collation,
            args: vec![o.args[0].clone(), item],
            location: None,
        })
    };
    Some((items.into_iter().map(arm).collect(), o.use_or))
}

/// Can `x op1 c1` and `x op2 c2` not both be true?
fn op_refutes(g: &Glob<'_>, c: &OpExpr, p: &OpExpr) -> bool {
    if c.input_collation != p.input_collation || c.args.len() != 2 || p.args.len() != 2 {
        return false;
    }
    if c.args.iter().zip(&p.args).all(|(a, b)| equal(a, b))
        && g.ctx.catalog.operator(c.opno).is_ok_and(|d| d.negator == p.opno && d.negator.is_valid())
    {
        return true;
    }
    let (Some((cx, ck, cop)), Some((px, pk, pop))) =
        (predicate::against_const(g, c), predicate::against_const(g, p))
    else {
        return false;
    };
    if !equal(&cx, &px) || ck.value.is_null() || pk.value.is_null() {
        return false;
    }
    let strategies = |op: Oid| -> Vec<(Oid, i16)> {
        let own = g.ctx.catalog.amops_of(op).map_or_else(|_| Vec::new(), |l| l.to_vec());
        let mut out: Vec<(Oid, i16)> =
            own.iter().filter(|a| a.method == BTREE_AM).map(|a| (a.family, a.strategy)).collect();
        // <> is the negation of the family's equality.
        if out.is_empty()
            && let Ok(d) = g.ctx.catalog.operator(op)
            && let Ok(l) = g.ctx.catalog.amops_of(d.negator)
        {
            out.extend(l.iter().filter(|a| a.method == BTREE_AM && a.strategy == 3).map(|a| (a.family, 6)));
        }
        out
    };
    let predicates = strategies(pop);
    for (family, cs) in strategies(cop) {
        let Some((_, ps)) = predicates.iter().find(|b| b.0 == family) else { continue };
        // The clause's constant against the predicate's.
        let tests: &[i16] = match (cs, *ps) {
            (1, 3..=5) | (2, 5) | (3, 5) => &[2],
            (2, 3 | 4) | (3, 4) => &[1],
            (3, 1) | (4, 1) | (5, 1..=3) => &[4],
            (3, 2) | (4, 2 | 3) => &[5],
            (3, 3) => &[1, 5],
            (3, 6) | (6, 3) => &[3],
            _ => continue,
        };
        for t in tests {
            let op = g.ctx.catalog.amop(family, ck.consttype, pk.consttype, *t).ok().flatten();
            let Some(f) = op.and_then(|o| g.ctx.catalog.operator(o).ok()).map(|d| d.code) else { continue };
            let (a, b) = ((&ck.value, ck.consttype), (&pk.value, pk.consttype));
            if g.ev().test(f, a, b, c.input_collation) == Some(true) {
                return true;
            }
        }
    }
    false
}
