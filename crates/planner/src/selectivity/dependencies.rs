//! Functional dependencies in estimates of AND lists: `P(a, b) = P(a) * (f + (1 - f) * P(b))` where `b` follows from `a` to the
//! degree `f`.

use super::clamp;
use super::est;
use super::extended::{Asked, Item, StatInfo, own_column};
use crate::exprs::*;
use crate::root::*;
use analyze::expr::*;
use std::collections::BTreeSet;

/// Columns by their number, expressions by -1, -2 … in the order they were met.
type Member = i32;

struct Dependency {
    members: Vec<Member>,
    degree: f64,
}

/// What an equality clause is about.
#[derive(Clone)]
enum Side {
    Column(i16),
    Expr(Expr),
}

impl Side {
    fn same(&self, o: &Side) -> bool {
        match (self, o) {
            (Side::Column(a), Side::Column(b)) => a == b,
            (Side::Expr(a), Side::Expr(b)) => equal(a, b),
            _ => false,
        }
    }
}

struct Finder<'a> {
    a: Asked<'a>,
    rel: &'a RelInfo,
}

impl Finder<'_> {
    fn item(&self, i: Item<'_>) -> Option<Side> {
        let Item::One(ri) = i else { return None };
        if ri.pseudoconstant || !ri.clause_relids.is_single() {
            return None;
        }
        self.columns(&ri.clause).map(Side::Column).or_else(|| self.expression(&ri.clause))
    }

    /// All arms of an OR must be about the same.
    fn same_of_all(&self, args: &[Expr], of: &dyn Fn(&Expr) -> Option<Side>) -> Option<Side> {
        let mut sides = args.iter().map(of);
        let first = sides.next()??;
        for s in sides {
            if !s?.same(&first) {
                return None;
            }
        }
        Some(first)
    }

    fn columns(&self, e: &Expr) -> Option<i16> {
        if let Expr::Bool { op: BoolOp::Or, args, .. } = e {
            return match self.same_of_all(args, &|x| self.columns(x).map(Side::Column))? {
                Side::Column(n) => Some(n),
                Side::Expr(_) => None,
            };
        }
        own_column(strip_relabel(self.operand(e)?), self.rel.rti)
    }

    fn expression(&self, e: &Expr) -> Option<Side> {
        if let Expr::Bool { op: BoolOp::Or, args, .. } = e {
            return self.same_of_all(args, &|x| self.expression(x));
        }
        let x = strip_relabel(self.operand(e)?);
        let known = |s: &&StatInfo| s.data().dependencies.is_some() && s.expr_index(x).is_some();
        self.rel.statlist.iter().find(known).map(|_| Side::Expr(x.clone()))
    }

    /// What is compared for equality with something constant. A boolean is, with true or false.
    fn operand<'e>(&self, e: &'e Expr) -> Option<&'e Expr> {
        let is_eq = |opno| self.a.g.ctx.catalog.operator(opno).is_ok_and(|d| d.rest.0 == est::EQSEL);
        let fixed = |x: &Expr| pull_rtis(x).is_empty() && !contains_volatile(self.a.g.ctx, x);
        match e {
            Expr::Op(o) => match &o.args[..] {
                [l, r] if is_eq(o.opno) && fixed(r) => Some(l),
                [l, r] if is_eq(o.opno) && fixed(l) => Some(r),
                _ => None,
            },
            Expr::ScalarArrayOp(o) => match &o.args[..] {
                [l, r] if o.use_or && is_eq(o.opno) && fixed(r) => Some(l),
                _ => None,
            },
            Expr::Bool { op: BoolOp::Not, args, .. } => args.first(),
            Expr::Bool { .. } => None,
            e => Some(e),
        }
    }
}

/// Selectivity of the clauses that dependencies tie together; those are marked in `done`.
pub fn list_sel(a: Asked<'_>, rel: &RelInfo, list: &[Item<'_>], done: &mut [bool]) -> f64 {
    if !rel.statlist.iter().any(|s| s.data().dependencies.is_some()) {
        return 1.0;
    }
    let finder = Finder { a, rel };
    let mut exprs: Vec<Expr> = Vec::new();
    let mut of_clause: Vec<Option<Member>> = Vec::new();
    for (i, item) in list.iter().enumerate() {
        let side = if done[i] { None } else { finder.item(*item) };
        of_clause.push(side.map(|s| match s {
            Side::Column(n) => i32::from(n),
            Side::Expr(e) => {
                let at = exprs.iter().position(|x| equal(x, &e)).unwrap_or_else(|| {
                    exprs.push(e);
                    exprs.len() - 1
                });
                -(at as i32) - 1
            }
        }));
    }
    let mut open: BTreeSet<Member> = of_clause.iter().flatten().copied().collect();
    if open.len() < 2 {
        return 1.0;
    }
    let all: Vec<Dependency> = rel.statlist.iter().flat_map(|s| usable(s, &exprs, &open)).collect();
    let mut applied: Vec<&Dependency> = Vec::new();
    while let Some(d) = strongest(&all, &open) {
        if let Some(implied) = d.members.last() {
            open.remove(implied);
        }
        applied.push(d);
    }
    if applied.is_empty() { 1.0 } else { apply(a, list, done, &of_clause, &applied) }
}

/// The dependencies of an object whose members all occur in clauses.
fn usable(s: &StatInfo, exprs: &[Expr], open: &BTreeSet<Member>) -> Vec<Dependency> {
    let Some(stored) = &s.data().dependencies else { return Vec::new() };
    let columns = s.data().keys.iter().filter(|k| open.contains(&i32::from(**k))).count();
    let expressions = exprs.iter().filter(|e| s.expr_index(e).is_some()).count();
    if columns + expressions < 2 {
        return Vec::new();
    }
    let member = |m: i16| -> Option<Member> {
        if m > 0 {
            return Some(i32::from(m)).filter(|m| open.contains(m));
        }
        let e = s.exprs.get(usize::try_from(-1 - i32::from(m)).ok()?)?;
        exprs.iter().position(|x| equal(x, e)).map(|i| -(i as i32) - 1)
    };
    let one = |d: &catalog::ext_stats::Dependence| {
        let members = d.members.iter().map(|m| member(*m)).collect::<Option<Vec<_>>>()?;
        Some(Dependency { members, degree: d.degree })
    };
    stored.iter().filter_map(one).collect()
}

/// The widest, then strongest dependency among members that are still open.
fn strongest<'d>(all: &'d [Dependency], open: &BTreeSet<Member>) -> Option<&'d Dependency> {
    let mut best: Option<&Dependency> = None;
    for d in all.iter().filter(|d| d.members.len() <= open.len()) {
        let weaker = best.is_some_and(|b| {
            d.members.len() < b.members.len() || (d.members.len() == b.members.len() && b.degree > d.degree)
        });
        if !weaker && d.members.iter().all(|m| open.contains(m)) {
            best = Some(d);
        }
    }
    best
}

fn apply(
    a: Asked<'_>,
    list: &[Item<'_>],
    done: &mut [bool],
    of_clause: &[Option<Member>],
    applied: &[&Dependency],
) -> f64 {
    let members: BTreeSet<Member> = applied.iter().flat_map(|d| d.members.iter().copied()).collect();
    let members: Vec<Member> = members.into_iter().collect();
    let place = |m: &Member| members.binary_search(m).unwrap_or(0);
    let mut sels: Vec<f64> = Vec::new();
    for m in &members {
        let mut clauses: Vec<&Ri> = Vec::new();
        for (i, item) in list.iter().enumerate().filter(|(i, _)| of_clause[*i] == Some(*m)) {
            if let Item::One(ri) = item {
                clauses.push(ri);
            }
            done[i] = true;
        }
        sels.push(a.simple_list(&clauses));
    }
    // Of a chain a → b → c the second link was found first: from the back.
    for d in applied.iter().rev() {
        let Some((to, from)) = d.members.split_last() else { continue };
        let s1 = from.iter().map(|m| sels[place(m)]).fold(1.0, |x, y| x * y);
        let s2 = sels[place(to)];
        let f = d.degree;
        sels[place(to)] = if s1 <= s2 { f + (1.0 - f) * s2 } else { f * s2 / s1 + (1.0 - f) * s2 };
    }
    clamp(sels.iter().fold(1.0, |x, y| x * y))
}
