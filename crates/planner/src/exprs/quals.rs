//! The shape of qualifications: AND/OR trees flattened, common factors of ORs pulled out, NOT pushed down.

use super::props::{const_null, is_bool_const};
use super::walk::equal;
use crate::PlannerCtx;
use analyze::expr::*;
use types::Datum;

/// Conjunction of a list (one element stays itself, none is true).
pub fn make_and(mut args: Vec<Expr>) -> Expr {
    match args.len() {
        0 => is_bool_const(true),
        1 => args.swap_remove(0),
        _ => Expr::Bool { op: BoolOp::And, args, location: None },
    }
}

/// Disjunction of a list (none is false).
pub fn make_or(mut args: Vec<Expr>) -> Expr {
    match args.len() {
        0 => is_bool_const(false),
        1 => args.swap_remove(0),
        _ => Expr::Bool { op: BoolOp::Or, args, location: None },
    }
}

/// The list a conjunction is made of; a constant true gives none.
pub fn to_and_list(e: Option<Expr>) -> Vec<Expr> {
    match e {
        None => Vec::new(),
        Some(Expr::Bool { op: BoolOp::And, args, .. }) => {
            args.into_iter().flat_map(|a| to_and_list(Some(a))).collect()
        }
        Some(Expr::Const(Const { value: Datum::Bool(true), .. })) => Vec::new(),
        Some(x) => vec![x],
    }
}

/// The negation, pushed down: operators by their negators, De Morgan, tests by their opposites.
pub fn negate(ctx: &PlannerCtx<'_>, e: Expr) -> Expr {
    match e {
        Expr::Const(Const { value: Datum::Bool(b), .. }) => is_bool_const(!b),
        Expr::Const(c) if c.value.is_null() => Expr::Const(c),
        Expr::Op(mut o) => match ctx.catalog.operator(o.opno) {
            Ok(d) if d.negator.is_valid() => match ctx.catalog.operator(d.negator) {
                Ok(n) => {
                    o.opno = d.negator;
                    o.funcid = n.code;
                    Expr::Op(o)
                }
                Err(_) => not(Expr::Op(o)),
            },
            _ => not(Expr::Op(o)),
        },
        Expr::ScalarArrayOp(mut o) => match ctx.catalog.operator(o.opno) {
            Ok(d) if d.negator.is_valid() => match ctx.catalog.operator(d.negator) {
                Ok(n) => {
                    o.opno = d.negator;
                    o.funcid = n.code;
                    o.use_or = !o.use_or;
                    Expr::ScalarArrayOp(o)
                }
                Err(_) => not(Expr::ScalarArrayOp(o)),
            },
            _ => not(Expr::ScalarArrayOp(o)),
        },
        Expr::Bool { op: BoolOp::And, args, .. } => {
            make_or(args.into_iter().map(|a| negate(ctx, a)).collect())
        }
        Expr::Bool { op: BoolOp::Or, args, .. } => {
            make_and(args.into_iter().map(|a| negate(ctx, a)).collect())
        }
        Expr::Bool { op: BoolOp::Not, mut args, .. } => args.swap_remove(0),
        Expr::NullTest { arg, is_null, arg_is_row: false, location } => {
            Expr::NullTest { arg, is_null: !is_null, arg_is_row: false, location }
        }
        Expr::BooleanTest { arg, test, location } => Expr::BooleanTest {
            arg,
            test: match test {
                BoolTest::IsTrue => BoolTest::IsNotTrue,
                BoolTest::IsNotTrue => BoolTest::IsTrue,
                BoolTest::IsFalse => BoolTest::IsNotFalse,
                BoolTest::IsNotFalse => BoolTest::IsFalse,
                BoolTest::IsUnknown => BoolTest::IsNotUnknown,
                BoolTest::IsNotUnknown => BoolTest::IsUnknown,
            },
            location,
        },
        other => not(other),
    }
}

fn not(e: Expr) -> Expr {
    Expr::Bool { op: BoolOp::Not, args: vec![e], location: None }
}

/// Puts a folded qualification into canonical form. NULL at the top of a WHERE clause counts as false.
pub fn canonicalize(e: Expr) -> Expr {
    factor(e)
}

fn flatten(args: Vec<Expr>, op: BoolOp, out: &mut Vec<Expr>) {
    for a in args {
        match a {
            Expr::Bool { op: o, args, .. } if o == op => flatten(args, op, out),
            x => out.push(x),
        }
    }
}

fn factor(e: Expr) -> Expr {
    match e {
        Expr::Bool { op: BoolOp::And, args, .. } => {
            let mut flat = Vec::new();
            flatten(args.into_iter().map(factor).collect(), BoolOp::And, &mut flat);
            let mut out: Vec<Expr> = Vec::with_capacity(flat.len());
            for a in flat {
                match &a {
                    Expr::Const(Const { value: Datum::Bool(true), .. }) => {}
                    Expr::Const(_) => return is_bool_const(false),
                    _ => out.push(a),
                }
            }
            make_and(out)
        }
        Expr::Bool { op: BoolOp::Or, args, .. } => {
            let mut flat = Vec::new();
            flatten(args.into_iter().map(factor).collect(), BoolOp::Or, &mut flat);
            let mut out = Vec::with_capacity(flat.len());
            for a in flat {
                match &a {
                    Expr::Const(Const { value: Datum::Bool(true), .. }) => return is_bool_const(true),
                    Expr::Const(_) => {}
                    _ => out.push(a),
                }
            }
            pull_common(out)
        }
        e if const_null(&e) => is_bool_const(false),
        other => other,
    }
}

fn arms(e: &Expr) -> &[Expr] {
    match e {
        Expr::Bool { op: BoolOp::And, args, .. } => args,
        other => std::slice::from_ref(other),
    }
}

/// `(a AND b) OR (a AND c)` → `a AND (b OR c)`.
fn pull_common(args: Vec<Expr>) -> Expr {
    if args.len() < 2 {
        return make_or(args);
    }
    let Some(shortest) = args.iter().min_by_key(|a| arms(a).len()) else { return make_or(args) };
    let mut winners: Vec<Expr> = Vec::new();
    for c in arms(shortest) {
        if args.iter().all(|a| arms(a).iter().any(|x| equal(x, c))) && !winners.iter().any(|w| equal(w, c)) {
            winners.push(c.clone());
        }
    }
    if winners.is_empty() {
        return make_or(args);
    }
    let mut rest = Vec::new();
    for a in args {
        let left: Vec<Expr> =
            arms(&a).iter().filter(|x| !winners.iter().any(|w| equal(w, x))).cloned().collect();
        if left.is_empty() {
            // One arm is just the common part: it absorbs the others.
            return make_and(winners);
        }
        rest.push(make_and(left));
    }
    let mut flat = Vec::new();
    flatten(rest, BoolOp::Or, &mut flat);
    winners.push(make_or(flat));
    make_and(winners)
}
