//! Extended statistics in estimates of clause lists: which statistics object to take for which clauses, and its list of most
//! common combinations. Functional dependencies are in `dependencies`, numbers of groups in `multi_groups`. The choices and
//! formulas are PostgreSQL's.

use super::clause::{clause_sel_with, list_sel_with};
use super::dependencies;
use super::*;
use crate::exprs::*;
use crate::relids::Relids;
use crate::root::*;
use analyze::expr::*;
use analyze::query::JoinType;
use catalog::ext_stats::{ExtStats, McvList};
use common::{Oid, Result};
use std::rc::Rc;
use types::Datum;

/// A statistics object as the planner sees it.
pub struct StatInfo {
    all: Rc<Vec<ExtStats>>,
    at: usize,
    /// With Vars of the relation's number.
    pub exprs: Vec<Expr>,
}

impl StatInfo {
    /// The object's data.
    pub fn data(&self) -> &ExtStats {
        &self.all[self.at]
    }
    /// Place of an expression among the object's.
    pub fn expr_index(&self, e: &Expr) -> Option<usize> {
        self.exprs.iter().position(|x| equal(x, e))
    }
    fn covers(&self, u: &Uses) -> bool {
        u.attnums.iter().all(|a| self.data().keys.contains(a))
            && u.exprs.iter().all(|e| self.expr_index(e).is_some())
    }
    /// The dimension of a column or expression.
    fn dimension(&self, e: &Expr) -> Option<usize> {
        let keys = &self.data().keys;
        match strip_relabel(e) {
            Expr::Var(v) => keys.iter().position(|k| *k == v.attno),
            e => self.expr_index(e).map(|i| keys.len() + i),
        }
    }
}

/// The statistics objects on a table that have data.
pub fn stat_infos(g: &Glob<'_>, table: Oid, rti: u32) -> Result<Vec<StatInfo>> {
    let all = g.ctx.catalog.ext_stats(table)?;
    let mut out = Vec::new();
    for (at, s) in all.iter().enumerate() {
        let mut exprs: Vec<Expr> = match &s.exprs {
            Some(t) => analyze::load_expr(t)?,
            None => Vec::new(),
        };
        for e in &mut exprs {
            fold::fold(g.ctx, e)?;
            crate::relinfo::renumber(e, rti);
        }
        out.push(StatInfo { all: all.clone(), at, exprs });
    }
    Ok(out)
}

/// An element of a list of clauses: arms of an OR can be several.
#[derive(Clone, Copy)]
pub enum Item<'a> {
    One(&'a Ri),
    And(&'a [Ri]),
}

/// Elements of an AND list.
pub fn items(list: &[Ri]) -> Vec<Item<'_>> {
    list.iter().map(Item::One).collect()
}

/// Arms of an OR.
pub fn arms(arms: &[Vec<Ri>]) -> Vec<Item<'_>> {
    arms.iter().map(|a| if let [one] = &a[..] { Item::One(one) } else { Item::And(a) }).collect()
}

/// How estimates of parts are asked for: see [`super::clause::clause_sel`].
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    pub g: &'a Glob<'a>,
    pub root: &'a Root,
    pub only: u32,
    pub kind: JoinType,
    pub sji: Option<&'a SpecialJoin>,
}

impl Asked<'_> {
    /// Without extended statistics.
    fn simple(&self, i: Item<'_>) -> f64 {
        match i {
            Item::One(ri) => clause_sel_with(self.g, self.root, ri, self.only, self.kind, self.sji, false),
            Item::And(l) => self.simple_list(&l.iter().collect::<Vec<_>>()),
        }
    }
    /// Clauses together, without extended statistics.
    pub fn simple_list(&self, list: &[&Ri]) -> f64 {
        let list: Vec<Ri> = list.iter().map(|r| (*r).clone()).collect();
        list_sel_with(self.g, self.root, &list, self.only, self.kind, self.sji, false)
    }
}

/// The only relation that clauses are about, if it has statistics objects.
pub fn single_rel<'r>(root: &'r Root, list: &[Item<'_>]) -> Option<&'r RelInfo> {
    let rti = single(list)?;
    root.base.get(analyze::query::rte_place(rti))?.as_ref().filter(|r| !r.statlist.is_empty())
}

fn single(list: &[Item<'_>]) -> Option<u32> {
    let mut found = None;
    for i in list {
        let one = match i {
            Item::One(ri) if ri.clause_relids.is_empty() => continue,
            Item::One(ri) if ri.clause_relids.is_single() => ri.clause_relids.first()?,
            Item::One(_) => return None,
            Item::And(l) => single(&items(l))?,
        };
        if *found.get_or_insert(one) != one {
            return None;
        }
    }
    found
}

/// Selectivity of the clauses that statistics objects say something about; those are marked in `done`.
pub fn list_sel(a: Asked<'_>, rel: &RelInfo, list: &[Item<'_>], done: &mut [bool], is_or: bool) -> f64 {
    let sel = mcv_list_sel(a, rel, list, done, is_or);
    if is_or { sel } else { sel * dependencies::list_sel(a, rel, list, done) }
}

/// What a clause is about.
#[derive(Default)]
struct Uses {
    attnums: Vec<i16>,
    exprs: Vec<Expr>,
}

impl Uses {
    fn is_empty(&self) -> bool {
        self.attnums.is_empty() && self.exprs.is_empty()
    }
    fn is_simple(&self) -> bool {
        self.attnums.len() + self.exprs.len() == 1
    }
    fn add(&mut self, attno: i16) {
        if !self.attnums.contains(&attno) {
            self.attnums.push(attno);
        }
    }
}

/// Can lists of common values tell of the clause?
fn compatible(a: Asked<'_>, i: Item<'_>, rti: u32, u: &mut Uses) -> bool {
    match i {
        Item::And(l) => l.iter().all(|r| compatible(a, Item::One(r), rti, u)),
        Item::One(r) => {
            !r.pseudoconstant
                && r.clause_relids == Relids::single(rti)
                && compatible_expr(a, &r.clause, rti, u)
        }
    }
}

/// Is it a column that can have statistics?
pub fn own_column(e: &Expr, rti: u32) -> Option<i16> {
    match e {
        Expr::Var(v) if v.levels_up == 0 && v.attno > 0 && rte_no(v) == rti => Some(v.attno),
        _ => None,
    }
}

fn compatible_expr(a: Asked<'_>, e: &Expr, rti: u32, u: &mut Uses) -> bool {
    let e = strip_relabel(e);
    let column_or_expr = |x: &Expr, u: &mut Uses| match x {
        Expr::Var(_) => own_column(x, rti).map(|n| u.add(n)).is_some(),
        x => {
            u.exprs.push(x.clone());
            true
        }
    };
    let comparable = |opno: Oid| {
        use est::*;
        let rest = a.g.ctx.catalog.operator(opno).map_or(0, |d| d.rest.0);
        matches!(rest, EQSEL | NEQSEL | SCALARLTSEL | SCALARLESEL | SCALARGTSEL | SCALARGESEL)
    };
    match e {
        Expr::Op(o) => match operands(&o.args) {
            Some((x, _, _)) if comparable(o.opno) => column_or_expr(x, u),
            _ => false,
        },
        Expr::ScalarArrayOp(o) => match operands(&o.args) {
            Some((x, _, true)) if comparable(o.opno) => column_or_expr(x, u),
            _ => false,
        },
        Expr::Bool { args, .. } => args.iter().all(|x| compatible_expr(a, x, rti, u)),
        Expr::NullTest { arg, .. } => column_or_expr(arg, u),
        e => column_or_expr(e, u),
    }
}

/// `x op constant` taken apart; `true`: the constant is on the right.
fn operands(args: &[Expr]) -> Option<(&Expr, &Const, bool)> {
    let [l, r] = args else { return None };
    match (strip_relabel(l), strip_relabel(r)) {
        (x, Expr::Const(c)) => Some((x, c, true)),
        (Expr::Const(c), x) => Some((x, c, false)),
        _ => None,
    }
}

/// The object that covers most columns and expressions of the clauses still open; the narrowest of equals.
fn best<'s>(stats: &'s [StatInfo], uses: &[Uses]) -> Option<(&'s StatInfo, &'s McvList)> {
    let mut best = None;
    let (mut most, mut narrowest) = (2, usize::MAX);
    for s in stats {
        let Some(mcv) = &s.data().mcv else { continue };
        let mut attnums: Vec<i16> = Vec::new();
        let mut exprs: Vec<usize> = Vec::new();
        for u in uses.iter().filter(|u| !u.is_empty() && s.covers(u)) {
            attnums.extend(&u.attnums);
            exprs.extend(u.exprs.iter().filter_map(|e| s.expr_index(e)));
        }
        attnums.sort_unstable();
        attnums.dedup();
        exprs.sort_unstable();
        exprs.dedup();
        let matched = attnums.len() + exprs.len();
        let width = s.data().keys.len() + s.exprs.len();
        if matched > most || (matched == most && width < narrowest) {
            best = Some((s, mcv));
            (most, narrowest) = (matched, width);
        }
    }
    best
}

fn mcv_list_sel(a: Asked<'_>, rel: &RelInfo, list: &[Item<'_>], done: &mut [bool], is_or: bool) -> f64 {
    let mut sel = if is_or { 0.0 } else { 1.0 };
    if !rel.statlist.iter().any(|s| s.data().mcv.is_some()) {
        return sel;
    }
    let mut uses: Vec<Uses> = Vec::new();
    for (i, item) in list.iter().enumerate() {
        let mut u = Uses::default();
        let fits = !done[i] && compatible(a, *item, rel.rti, &mut u);
        uses.push(if fits { u } else { Uses::default() });
    }
    while let Some((s, mcv)) = best(&rel.statlist, &uses) {
        // Clauses on one column or expression are estimated better by its own statistics.
        let mut chosen: Vec<(Item<'_>, bool)> = Vec::new();
        for (i, u) in uses.iter_mut().enumerate() {
            if !u.is_empty() && s.covers(u) {
                chosen.push((list[i], u.is_simple()));
                done[i] = true;
                *u = Uses::default();
            }
        }
        let m = Matcher { a, stat: s, mcv };
        if is_or {
            let one = m.or_sel(&chosen);
            sel = sel + one - sel * one;
        } else {
            sel *= m.and_sel(&chosen);
        }
    }
    sel
}

/// Shares of the table: by frequency, by the frequency independence would give.
#[derive(Clone, Copy, Default)]
struct Share {
    real: f64,
    base: f64,
}

struct Matcher<'a> {
    a: Asked<'a>,
    stat: &'a StatInfo,
    mcv: &'a McvList,
}

/// The common combinations by their frequency, the others as if independent.
fn combine(simple: f64, common: Share, total: f64) -> f64 {
    let other = clamp(simple - common.base).min(1.0 - total);
    clamp(common.real + other)
}

impl Matcher<'_> {
    fn total(&self) -> f64 {
        self.mcv.frequency.iter().sum()
    }

    fn share(&self, hits: impl Iterator<Item = bool>) -> Share {
        let mut s = Share::default();
        for (i, _) in hits.enumerate().filter(|(_, hit)| *hit) {
            s.real += self.mcv.frequency[i];
            s.base += self.mcv.base[i];
        }
        s
    }

    fn and_sel(&self, chosen: &[(Item<'_>, bool)]) -> f64 {
        let mut list: Vec<&Ri> = Vec::new();
        for (i, _) in chosen {
            match i {
                Item::One(r) => list.push(r),
                Item::And(l) => list.extend(*l),
            }
        }
        let simple = self.a.simple_list(&list);
        let clauses: Vec<&Expr> = list.iter().map(|r| &r.clause).collect();
        let hits = self.matches(&clauses, false);
        combine(simple, self.share(hits.into_iter()), self.total())
    }

    /// `P(A OR B) = P(A) + P(B) - P(A AND B)`, clause after clause.
    fn or_sel(&self, chosen: &[(Item<'_>, bool)]) -> f64 {
        let total = self.total();
        let mut so_far = vec![false; self.mcv.frequency.len()];
        let (mut sel, mut simple_sel) = (0.0, 0.0);
        for (item, is_simple) in chosen {
            let simple = self.a.simple(*item);
            let simple_overlap = simple_sel * simple;
            let hits = match item {
                Item::One(r) => self.matches(&[&r.clause], false),
                Item::And(l) => self.matches(&l.iter().map(|r| &r.clause).collect::<Vec<_>>(), false),
            };
            let share = self.share(hits.iter().copied());
            let overlap = self.share(hits.iter().zip(&so_far).map(|(a, b)| *a && *b));
            so_far.iter_mut().zip(&hits).for_each(|(a, b)| *a |= *b);
            let one = if *is_simple { simple } else { combine(simple, share, total) };
            let both = combine(simple_overlap, overlap, total);
            sel = clamp(sel + one - both);
            simple_sel = clamp(simple_sel + simple - simple_overlap);
        }
        sel
    }

    /// Which items satisfy all (or, with `is_or`, any) of the clauses.
    fn matches(&self, clauses: &[&Expr], is_or: bool) -> Vec<bool> {
        let mut all = vec![!is_or; self.mcv.frequency.len()];
        for c in clauses {
            for (a, hit) in all.iter_mut().zip(self.clause(c)) {
                *a = if is_or { *a || hit } else { *a && hit };
            }
        }
        all
    }

    fn clause(&self, e: &Expr) -> Vec<bool> {
        let e = strip_relabel(e);
        match e {
            Expr::Op(o) => match operands(&o.args) {
                Some((x, c, left)) => self.compare(o.funcid, x, &c.value, c.consttype, !left),
                None => self.nothing(),
            },
            Expr::ScalarArrayOp(o) => self.array(o),
            Expr::NullTest { arg, is_null, .. } => match self.values(arg) {
                Some((values, _)) => values.iter().map(|v| v.is_null() == *is_null).collect(),
                None => self.nothing(),
            },
            Expr::Bool { op: BoolOp::Not, args, .. } => {
                self.matches(&args.iter().collect::<Vec<_>>(), false).into_iter().map(|b| !b).collect()
            }
            Expr::Bool { op, args, .. } => self.matches(&args.iter().collect::<Vec<_>>(), *op == BoolOp::Or),
            e => match self.values(e) {
                Some((values, _)) => values.iter().map(|v| *v == Datum::Bool(true)).collect(),
                None => self.nothing(),
            },
        }
    }

    fn nothing(&self) -> Vec<bool> {
        vec![false; self.mcv.frequency.len()]
    }

    /// The items' values of a column or expression, and their type.
    fn values(&self, e: &Expr) -> Option<(&[Datum], Oid)> {
        let d = self.stat.dimension(e)?;
        Some((self.mcv.values.get(d)?, *self.mcv.types.get(d)?))
    }

    fn compare(&self, funcid: Oid, x: &Expr, c: &Datum, ctype: Oid, const_left: bool) -> Vec<bool> {
        let Some((values, t)) = self.values(x) else { return self.nothing() };
        if c.is_null() {
            return self.nothing();
        }
        let coll = collation_of(x);
        let found = self.a.g.ev().filter_column(funcid, values, t, c, ctype, const_left, coll);
        found.unwrap_or_else(|| self.nothing())
    }

    fn array(&self, o: &ScalarArrayOpExpr) -> Vec<bool> {
        let Some((x, c, true)) = operands(&o.args) else { return self.nothing() };
        let Some((values, _)) = self.values(x) else { return self.nothing() };
        let elem = self.a.g.ctx.catalog.type_desc(c.consttype).map_or(Oid::INVALID, |t| t.elem);
        let elems = match c.value.is_null() {
            true => return self.nothing(),
            false => self.a.g.ev().array_elems(&c.value, elem).unwrap_or_default(),
        };
        let mut all = vec![!o.use_or; values.len()];
        for v in &elems {
            let hits = self.compare(o.funcid, x, v, elem, false);
            for (a, hit) in all.iter_mut().zip(hits) {
                *a = if o.use_or { *a || hit } else { *a && hit };
            }
        }
        all.iter().zip(values).map(|(hit, v)| *hit && !v.is_null()).collect()
    }
}
