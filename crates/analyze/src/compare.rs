//! Equality of expressions as SQL sees it: places in the source text and ways of writing a cast do not count.

use crate::expr::*;
use crate::walk::walk_mut;

/// Removes everything from an expression that does not change its meaning.
pub fn strip_locations(e: &mut Expr) {
    walk_mut(e, 0, &mut |x, _| {
        strip_node(x);
        true
    });
}

fn strip_node(e: &mut Expr) {
    match e {
        Expr::Var(v) => {
            v.location = None;
            v.syn = (0, 0);
        }
        Expr::Const(c) => c.location = None,
        Expr::Param(p) => p.location = None,
        Expr::Func(f) => {
            f.location = None;
            f.form = CoercionForm::ExplicitCall;
        }
        Expr::Op(o) | Expr::DistinctExpr(o) | Expr::NullIfExpr(o) => o.location = None,
        Expr::ScalarArrayOp(o) => o.location = None,
        Expr::Aggref(a) => a.location = None,
        Expr::WindowFunc(w) => w.location = None,
        Expr::SubLink(s) => {
            s.location = None;
            s.subselect.location = (0, 0);
        }
        Expr::Bool { location, .. }
        | Expr::GroupingFunc { location, .. }
        | Expr::Case { location, .. }
        | Expr::Coalesce { location, .. }
        | Expr::MinMax { location, .. }
        | Expr::SqlValueFunction { location, .. }
        | Expr::NullTest { location, .. }
        | Expr::BooleanTest { location, .. }
        | Expr::Collate { location, .. }
        | Expr::Array { location, .. }
        | Expr::Row { location, .. }
        | Expr::SetToDefault { location, .. }
        | Expr::NamedArg { location, .. } => *location = None,
        Expr::Relabel { location, form, .. }
        | Expr::CoerceViaIo { location, form, .. }
        | Expr::ArrayCoerce { location, form, .. }
        | Expr::CoerceToDomain { location, form, .. } => {
            *location = None;
            *form = CoercionForm::ImplicitCast;
        }
        _ => {}
    }
}

/// Do two expressions mean the same?
pub fn same_expr(a: &Expr, b: &Expr) -> bool {
    match (a, b) {
        (Expr::Var(x), Expr::Var(y)) => {
            x.varno == y.varno && x.attno == y.attno && x.levels_up == y.levels_up && x.vartype == y.vartype
        }
        _ if std::mem::discriminant(a) != std::mem::discriminant(b) => false,
        _ => {
            let (mut a, mut b) = (a.clone(), b.clone());
            strip_locations(&mut a);
            strip_locations(&mut b);
            a == b
        }
    }
}
