//! Collation derivation: every expression gets the collation it yields and, for calls, the one it works with.
//! Implicit collations give way to explicit ones; two different explicit ones are an error (42P21), two different
//! implicit ones an indeterminate collation that is an error only where a collation is needed (at run time).

use crate::ctx::AnalyzeCtx;
use crate::expr::*;
use crate::info::{expr_collation, expr_location, expr_type};
use crate::query::*;
use crate::walk;
use common::{Oid, Result, err};

/// OID of the default collation.
pub const DEFAULT_COLLATION: Oid = Oid(100);

/// Finds a collation by (qualified) name; 42704 if there is none.
pub fn lookup_collation(ctx: &AnalyzeCtx<'_>, name: &[String], loc: Option<usize>) -> Result<Oid> {
    let found = match name {
        [n] => ctx.catalog.find_collation(ctx.path, n)?,
        [s, n] => {
            let ns = ctx
                .catalog
                .named_schema(s)
                .map_err(|e| e.at_if_none(loc))?
                .ok_or_else(|| err!(UNDEFINED_SCHEMA, "schema \"{s}\" does not exist").at_if_none(loc))?;
            let path = catalog::search_path::SearchPath { schemas: vec![ns], ..ctx.path.clone() };
            ctx.catalog.find_collation(&path, n)?
        }
        _ => None,
    };
    found.ok_or_else(|| {
        err!(UNDEFINED_OBJECT, "collation \"{}\" for encoding \"UTF8\" does not exist", name.join("."))
            .at_if_none(loc)
    })
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Strength {
    None,
    Implicit,
    Conflict,
    Explicit,
}

#[derive(Clone, Copy, Debug)]
struct State {
    strength: Strength,
    collation: Oid,
    loc: Option<usize>,
    /// The other side of a conflict.
    other: Oid,
}

impl State {
    const NONE: State =
        State { strength: Strength::None, collation: Oid::INVALID, loc: None, other: Oid::INVALID };

    fn of(collation: Oid, loc: Option<usize>) -> State {
        if collation.is_valid() {
            State { strength: Strength::Implicit, collation, loc, other: Oid::INVALID }
        } else {
            State::NONE
        }
    }
}

/// Combines what two arguments say.
fn merge(ctx: &AnalyzeCtx<'_>, a: State, b: State) -> Result<State> {
    use std::cmp::Ordering::*;
    Ok(match b.strength.cmp(&a.strength) {
        Greater => b,
        Less => a,
        Equal => match a.strength {
            Strength::None | Strength::Conflict => a,
            Strength::Implicit if a.collation != b.collation => {
                if a.collation == DEFAULT_COLLATION {
                    b
                } else if b.collation == DEFAULT_COLLATION {
                    a
                } else {
                    State { strength: Strength::Conflict, loc: b.loc, other: b.collation, ..a }
                }
            }
            Strength::Explicit if a.collation != b.collation => {
                return Err(err!(
                    COLLATION_MISMATCH,
                    "collation mismatch between explicit collations \"{}\" and \"{}\"",
                    name_of(ctx, a.collation),
                    name_of(ctx, b.collation)
                )
                .at_if_none(b.loc));
            }
            _ => a,
        },
    })
}

fn name_of(ctx: &AnalyzeCtx<'_>, c: Oid) -> String {
    ctx.catalog.collation_name(c).ok().flatten().map_or_else(String::new, |x| x.1.to_string())
}

/// Derives the collations of an expression.
pub fn assign(ctx: &AnalyzeCtx<'_>, e: &mut Expr) -> Result<()> {
    if let Expr::Var(_) | Expr::Const(_) | Expr::Param(_) = e {
        return Ok(());
    }
    derive(ctx, e).map(|_| ())
}

/// Derives the collations of all of a query's own expressions (sub-queries have theirs).
pub fn assign_query(ctx: &AnalyzeCtx<'_>, q: &mut Query) -> Result<()> {
    for t in &mut q.target_list {
        let s = derive(ctx, &mut t.expr)?;
        if s.strength == Strength::Conflict && t.sort_group_ref != 0 {
            return Err(conflict(ctx, s));
        }
    }
    let mut r = Ok(());
    walk::query_exprs_mut(q, &mut |e| {
        if r.is_ok() {
            r = assign(ctx, e);
        }
    });
    r?;
    for rte in &mut q.rtable {
        if let RteKind::Values { lists, .. } = &rte.kind {
            // The columns of VALUES take the collation of their first row's expressions.
            for (i, c) in std::rc::Rc::make_mut(&mut rte.col_collations).iter_mut().enumerate() {
                let t = rte.col_types.get(i).copied().unwrap_or(Oid::INVALID);
                if !c.is_valid() && t.is_valid() && ctx.type_collation(t)?.is_valid() {
                    *c = lists.first().and_then(|l| l.get(i)).map_or(Oid::INVALID, expr_collation);
                }
            }
        }
    }
    Ok(())
}

/// Collation of a select-list column shared by several expressions (set operations, VALUES), which get theirs.
pub fn select_common<'e>(
    ctx: &AnalyzeCtx<'_>,
    exprs: impl IntoIterator<Item = &'e mut Expr>,
    none_ok: bool,
) -> Result<Oid> {
    let mut s = State::NONE;
    for e in exprs {
        let x = derive(ctx, e)?;
        s = merge(ctx, s, x)?;
    }
    if s.strength == Strength::Conflict {
        if none_ok {
            return Ok(Oid::INVALID);
        }
        return Err(conflict(ctx, s));
    }
    Ok(s.collation)
}

fn conflict(ctx: &AnalyzeCtx<'_>, s: State) -> common::Error {
    err!(
        COLLATION_MISMATCH,
        "collation mismatch between implicit collations \"{}\" and \"{}\"",
        name_of(ctx, s.collation),
        name_of(ctx, s.other)
    )
    .hint("You can choose the collation by applying the COLLATE clause to one or both expressions.")
    .at_if_none(s.loc)
}

fn derive_children(ctx: &AnalyzeCtx<'_>, e: &mut Expr) -> Result<State> {
    let mut s = State::NONE;
    let mut r = Ok(());
    walk::children_mut(e, &mut |c| {
        if r.is_err() {
            return;
        }
        match derive(ctx, c).and_then(|x| merge(ctx, s, x)) {
            Ok(x) => s = x,
            Err(x) => r = Err(x),
        }
    });
    r.map(|()| s)
}

fn derive(ctx: &AnalyzeCtx<'_>, e: &mut Expr) -> Result<State> {
    // Where a conflict is: of interest only for what has a collation.
    let leaf = matches!(e, Expr::Var(_) | Expr::Const(_) | Expr::Param(_));
    let t = expr_type(e);
    let loc = match leaf || (t.is_valid() && ctx.type_collation(t)?.is_valid()) {
        true => expr_location(e),
        false => None,
    };
    match e {
        Expr::Var(_)
        | Expr::Const(_)
        | Expr::Param(_)
        | Expr::CaseTest { .. }
        | Expr::DomainValue { .. }
        | Expr::SetToDefault { .. }
        | Expr::SqlValueFunction { .. }
        | Expr::CurrentOf { .. }
        | Expr::NextValue { .. } => return Ok(State::of(expr_collation(e), loc)),
        Expr::Collate { arg, collation, location } => {
            derive(ctx, arg)?;
            return Ok(State {
                strength: Strength::Explicit,
                collation: *collation,
                loc: *location,
                other: Oid::INVALID,
            });
        }
        Expr::FieldSelect { arg, collation, .. } => {
            derive(ctx, arg)?;
            return Ok(State::of(*collation, loc));
        }
        Expr::Row { args, .. } => {
            for a in args {
                derive(ctx, a)?;
            }
            return Ok(State::NONE);
        }
        Expr::RowCompare { left, right, input_collations, .. } => {
            for ((l, r), c) in left.iter_mut().zip(right.iter_mut()).zip(input_collations.iter_mut()) {
                let a = derive(ctx, l)?;
                let b = derive(ctx, r)?;
                let s = merge(ctx, a, b)?;
                *c = input_for_comparison(s)?;
            }
            return Ok(State::NONE);
        }
        Expr::SubLink(s) => {
            if let Some(t) = &mut s.test {
                derive(ctx, t)?;
            }
            return Ok(State::of(expr_collation(e), loc));
        }
        Expr::Case { arg, whens, default, result_type, collation, .. } => {
            if let Some(a) = arg {
                derive(ctx, a)?;
            }
            let mut s = State::NONE;
            for w in whens {
                derive(ctx, &mut w.expr)?;
                let x = derive(ctx, &mut w.result)?;
                s = merge(ctx, s, x)?;
            }
            if let Some(d) = default {
                let x = derive(ctx, d)?;
                s = merge(ctx, s, x)?;
            }
            let t = *result_type;
            return finish(ctx, s, t, collation, loc);
        }
        Expr::Aggref(a) => {
            let mut s = State::NONE;
            for d in a.direct_args.iter_mut() {
                let x = derive(ctx, d)?;
                // A hypothetical argument's collation is its column's.
                if a.kind != b'h' {
                    s = merge(ctx, s, x)?;
                }
            }
            for t in a.args.iter_mut() {
                let x = derive(ctx, &mut t.expr)?;
                if !t.junk {
                    s = merge(ctx, s, x)?;
                }
            }
            if let Some(f) = &mut a.filter {
                derive(ctx, f)?;
            }
            a.input_collation = input(s);
            let t = a.result_type;
            return finish(ctx, s, t, &mut a.collation, loc);
        }
        Expr::WindowFunc(w) => {
            let mut s = State::NONE;
            for a in w.args.iter_mut() {
                let x = derive(ctx, a)?;
                s = merge(ctx, s, x)?;
            }
            if let Some(f) = &mut w.filter {
                derive(ctx, f)?;
            }
            w.input_collation = input(s);
            let t = w.result_type;
            return finish(ctx, s, t, &mut w.collation, loc);
        }
        Expr::Subscript { arg, upper, lower, assign, collation, result_type, .. } => {
            let s = derive(ctx, arg)?;
            for x in upper.iter_mut().chain(lower.iter_mut().flat_map(|l| l.iter_mut())).flatten() {
                derive(ctx, x)?;
            }
            if let Some(a) = assign {
                derive(ctx, a)?;
            }
            let t = *result_type;
            return finish(ctx, s, t, collation, loc);
        }
        Expr::ArrayCoerce { arg, elem, collation, result_type, .. } => {
            let s = derive(ctx, arg)?;
            derive(ctx, elem)?;
            let t = *result_type;
            return finish(ctx, s, t, collation, loc);
        }
        _ => {}
    }
    let s = derive_children(ctx, e)?;
    let t = expr_type(e);
    match e {
        Expr::Func(f) => {
            f.input_collation = input(s);
            finish(ctx, s, t, &mut f.collation, loc)
        }
        Expr::Op(o) | Expr::NullIfExpr(o) => {
            o.input_collation = input(s);
            finish(ctx, s, t, &mut o.collation, loc)
        }
        Expr::DistinctExpr(o) => {
            o.input_collation = input(s);
            Ok(State::NONE)
        }
        Expr::ScalarArrayOp(o) => {
            o.input_collation = input(s);
            Ok(State::NONE)
        }
        Expr::MinMax { input_collation, collation, .. } => {
            *input_collation = input_for_comparison(s)?;
            finish(ctx, s, t, collation, loc)
        }
        Expr::CoerceToDomain { arg, collation, .. } => {
            // A domain's own collation gives way to a COLLATE right below only.
            let own = if t.is_valid() { ctx.type_collation(t)? } else { Oid::INVALID };
            if own.is_valid() && own != DEFAULT_COLLATION && !matches!(**arg, Expr::Collate { .. }) {
                *collation = own;
                return Ok(State::of(own, loc));
            }
            finish(ctx, s, t, collation, loc)
        }
        Expr::Coalesce { collation, .. }
        | Expr::Relabel { collation, .. }
        | Expr::CoerceViaIo { collation, .. }
        | Expr::Array { collation, .. } => finish(ctx, s, t, collation, loc),
        Expr::NamedArg { .. } => Ok(s),
        _ => Ok(State::NONE),
    }
}

/// The collation of GREATEST, LEAST and row comparisons. 42P22 where their arguments disagree: PostgreSQL says so when they
/// are evaluated.
fn input_for_comparison(s: State) -> Result<Oid> {
    if s.strength == Strength::Conflict {
        return Err(types::locale::indeterminate("string comparison"));
    }
    Ok(input(s))
}

fn input(s: State) -> Oid {
    if s.strength == Strength::Conflict { Oid::INVALID } else { s.collation }
}

/// The node's own collation from its inputs': none for uncollatable types, the type's default if no input has one.
fn finish(ctx: &AnalyzeCtx<'_>, s: State, t: Oid, slot: &mut Oid, loc: Option<usize>) -> Result<State> {
    let type_coll = if t.is_valid() { ctx.type_collation(t)? } else { Oid::INVALID };
    if !type_coll.is_valid() {
        *slot = Oid::INVALID;
        return Ok(State::NONE);
    }
    if s.strength == Strength::None {
        *slot = type_coll;
        return Ok(State::of(type_coll, loc));
    }
    *slot = input(s);
    Ok(s)
}
