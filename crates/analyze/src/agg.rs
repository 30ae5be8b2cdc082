//! Aggregates: building their nodes, the level they belong to, and the rule that other columns must be grouped.

use crate::compare::same_expr;
use crate::expr::*;
use crate::info::{expr_location, expr_type};
use crate::query::*;
use crate::scope::Analyzer;
use crate::walk::{children, walk};
use catalog::desc::ProcDesc;
use common::{Oid, Result, err};
use parser::FuncCall;
use std::borrow::Cow;

/// A plain target entry, the `i`-th.
pub fn entry(i: usize, expr: Expr) -> TargetEntry {
    TargetEntry {
        expr,
        resno: i as i16 + 1,
        name: None,
        sort_group_ref: 0,
        orig: (Oid::INVALID, 0),
        junk: false,
    }
}

impl Analyzer<'_> {
    /// The node of an aggregate call.
    pub fn build_aggregate(
        &mut self,
        fc: &FuncCall,
        p: &ProcDesc,
        args: Vec<Expr>,
        declared: Vec<Oid>,
        result: Oid,
        variadic: bool,
    ) -> Result<Expr> {
        if args.iter().any(crate::coerce::returns_set) {
            return Err(err!(
                FEATURE_NOT_SUPPORTED,
                "aggregate function calls cannot contain set-returning function calls"
            )
            .hint("You might be able to move the set-returning function into a LATERAL FROM item.")
            .at_if_none(args.iter().find(|a| crate::coerce::returns_set(a)).and_then(expr_location)));
        }
        let filter = self.transform_filter(fc)?;
        // What "any" stands for is the argument's own type.
        let mut declared = declared;
        for (d, e) in declared.iter_mut().zip(&args) {
            if *d == types::oids::ANY {
                *d = expr_type(e);
            }
        }
        let mut args = args;
        let (mut list, order, direct_args, num_args);
        if fc.agg_within_group {
            let columns = args.split_off(args.len() - fc.agg_order.len());
            (list, order) = self.ordered_set_list(fc, columns)?;
            num_args = list.len();
            direct_args = args;
        } else {
            list = args.into_iter().enumerate().map(|(i, e)| entry(i, e)).collect::<Vec<_>>();
            num_args = list.len();
            order =
                self.transform_sort_clause(&fc.agg_order, &mut list, crate::kind::ExprKind::OrderBy, true)?;
            direct_args = Vec::new();
        }
        let distinct = if fc.agg_distinct {
            let d = self.transform_distinct(&mut list, &order, true)?;
            if let Some(bad) = d.iter().find(|s| !s.sortop.is_valid()) {
                let t = list.iter().find(|t| t.sort_group_ref == bad.tle_ref);
                return Err(err!(
                    UNDEFINED_FUNCTION,
                    "could not identify an ordering operator for type {}",
                    t.map_or(String::new(), |t| crate::typename::format_type_short(
                        self.ctx,
                        expr_type(&t.expr)
                    ))
                )
                .detail("Aggregates with DISTINCT must be able to sort their inputs.")
                .at_if_none(t.and_then(|t| expr_location(&t.expr))));
            }
            d
        } else {
            Vec::new()
        };
        for t in &mut list[num_args..] {
            t.junk = true;
        }
        let kind = self.ctx.catalog.aggregate(p.oid)?.map_or(b'n', |a| a.kind);
        let mut agg = Aggref {
            aggfnoid: p.oid,
            result_type: result,
            collation: Oid::INVALID,
            input_collation: Oid::INVALID,
            arg_types: declared,
            direct_args,
            args: list,
            order,
            distinct,
            filter: filter.map(Box::new),
            star: fc.agg_star,
            variadic,
            kind,
            levels_up: 0,
            split: AggSplit::Simple,
            location: Some(fc.location),
        };
        let inputs: Vec<&Expr> = agg.args.iter().map(|t| &t.expr).chain(agg.filter.as_deref()).collect();
        agg.levels_up = self.aggregate_level(&inputs)?;
        self.check_direct_args(&agg)?;
        self.check_agg_allowed(agg.levels_up, fc.location, "aggregate functions")?;
        Ok(Expr::Aggref(Box::new(agg)))
    }

    /// Direct arguments belong to the aggregate's level or to one further out.
    fn check_direct_args(&self, agg: &Aggref) -> Result<()> {
        let mut bad = None;
        for e in &agg.direct_args {
            walk(e, 0, &mut |x, depth| {
                match x {
                    Expr::Var(v) if v.levels_up >= depth && v.levels_up - depth < agg.levels_up => {
                        bad.get_or_insert_with(|| {
                            err!(
                                GROUPING_ERROR,
                                "outer-level aggregate cannot contain a lower-level variable in its direct arguments"
                            )
                            .at_if_none(v.location)
                        });
                    }
                    Expr::Aggref(a) if a.levels_up >= depth && a.levels_up - depth <= agg.levels_up => {
                        bad.get_or_insert_with(|| {
                            err!(GROUPING_ERROR, "aggregate function calls cannot be nested")
                                .at_if_none(a.location)
                        });
                    }
                    _ => {}
                }
                bad.is_none()
            });
        }
        bad.map_or(Ok(()), Err)
    }

    /// May an aggregate (`what`) of `up` levels above stand here?
    pub fn check_agg_allowed(&mut self, up: u32, loc: usize, what: &str) -> Result<()> {
        let depth = self.levels.len() - 1 - (up as usize).min(self.levels.len() - 1);
        let lv = &mut self.levels[depth];
        lv.has_aggs = true;
        match lv.kind.forbids_aggregates() {
            None => Ok(()),
            Some(place) => {
                let e = if lv.kind == crate::kind::ExprKind::FromSubselect {
                    err!(GROUPING_ERROR, "{what} are not allowed in FROM clause of their own query level")
                } else {
                    err!(GROUPING_ERROR, "{what} are not allowed in {place}")
                };
                Err(e.at(loc))
            }
        }
    }

    /// The query level an aggregate belongs to: that of its innermost variables.
    pub fn aggregate_level(&self, inputs: &[&Expr]) -> Result<u32> {
        let mut var_level: Option<u32> = None;
        let mut inner_agg: Option<(u32, Option<usize>)> = None;
        let mut window: Option<Option<usize>> = None;
        let mut look = |e: &Expr, depth: u32| {
            match e {
                Expr::Var(v) if v.levels_up >= depth => {
                    let l = v.levels_up - depth;
                    var_level = Some(var_level.map_or(l, |x| x.min(l)));
                }
                Expr::Aggref(a) if a.levels_up >= depth => {
                    let l = a.levels_up - depth;
                    if inner_agg.is_none_or(|(x, _)| l < x) {
                        inner_agg = Some((l, a.location));
                    }
                    return false;
                }
                Expr::GroupingFunc { levels_up, location, .. } if *levels_up >= depth => {
                    let l = levels_up - depth;
                    if inner_agg.is_none_or(|(x, _)| l < x) {
                        inner_agg = Some((l, *location));
                    }
                }
                Expr::WindowFunc(w) if depth == 0 => window = Some(w.location),
                _ => {}
            }
            true
        };
        for e in inputs {
            walk(e, 0, &mut look);
        }
        if let Some(l) = window {
            return Err(err!(
                GROUPING_ERROR,
                "aggregate function calls cannot contain window function calls"
            )
            .at_if_none(l));
        }
        let level = match (var_level, inner_agg) {
            (None, None) => 0,
            (Some(v), None) => v,
            (None, Some((a, _))) => a,
            (Some(v), Some((a, _))) => v.min(a),
        };
        if let Some((a, l)) = inner_agg
            && a == level
        {
            return Err(err!(GROUPING_ERROR, "aggregate function calls cannot be nested").at_if_none(l));
        }
        Ok(level)
    }

    /// Checks a grouped query: every column of its own outside aggregates must be grouped or depend on grouped ones.
    pub fn check_grouping(&mut self, q: &mut Query) -> Result<()> {
        let common = self.finish_grouping(q)?;
        let q = &*q;
        let groups: Vec<&Expr> = q
            .group_clause
            .iter()
            .filter_map(|g| q.target_list.iter().find(|t| t.sort_group_ref == g.tle_ref))
            .map(|t| &t.expr)
            .collect();
        let joined = q.rtable.iter().any(|r| matches!(r.kind, RteKind::Join { .. }));
        let flatten = |e| if joined { Cow::Owned(flatten_join_vars(q, e)) } else { Cow::Borrowed(e) };
        let flat: Vec<Cow<'_, Expr>> = groups.into_iter().map(flatten).collect();
        let constant: Vec<bool> =
            q.group_clause.iter().map(|g| common.as_ref().is_none_or(|c| c.contains(&g.tle_ref))).collect();
        let check = GroupCheck { an: self, q, groups: &flat, constant: &constant };
        for t in q.target_list.iter() {
            check.check(&flatten(&t.expr), 0)?;
        }
        if let Some(h) = &q.having {
            check.check(&flatten(h), 0)?;
        }
        Ok(())
    }
}

/// Replaces references to join columns by what they stand for.
pub fn flatten_join_vars(q: &Query, e: &Expr) -> Expr {
    let mut e = e.clone();
    crate::walk::walk_mut(&mut e, 0, &mut |x, depth| {
        if let Expr::Var(v) = x
            && v.levels_up == depth
            && let VarNo::Rte(n) = v.varno
            && v.attno > 0
            && let RteKind::Join { alias_vars, .. } = &q.rte(n).kind
            && let Some(a) = alias_vars.get(v.attno as usize - 1)
        {
            let loc = v.location;
            let mut r = flatten_join_vars(q, a);
            if depth > 0 {
                crate::rewrite::shift_levels(&mut r, depth as i32);
            }
            if let Expr::Var(rv) = &mut r {
                rv.location = loc;
            }
            *x = r;
            return false;
        }
        true
    });
    e
}

struct GroupCheck<'q, 'a, 'c> {
    an: &'q Analyzer<'c>,
    q: &'q Query,
    groups: &'a [Cow<'a, Expr>],
    /// Is the group column part of every grouping set?
    constant: &'a [bool],
}

impl GroupCheck<'_, '_, '_> {
    fn check(&self, e: &Expr, depth: u32) -> Result<()> {
        if matches!(e, Expr::Const(_) | Expr::Param(_)) {
            return Ok(());
        }
        match e {
            Expr::Aggref(a) if a.levels_up == depth => {
                // Its direct arguments are evaluated once per group.
                for d in &a.direct_args {
                    self.check(d, depth).map_err(|e| {
                        e.detail(
                            "Direct arguments of an ordered-set aggregate must use only grouped columns.",
                        )
                    })?;
                }
                return Ok(());
            }
            Expr::Aggref(a) if a.levels_up > depth => return Ok(()),
            Expr::GroupingFunc { levels_up, .. } if *levels_up >= depth => return Ok(()),
            _ => {}
        }
        if !self.groups.is_empty() && !matches!(e, Expr::Row { .. }) {
            for g in self.groups {
                let same = if depth == 0 {
                    same_expr(g, e)
                } else {
                    let mut g = Expr::clone(g);
                    crate::rewrite::shift_levels(&mut g, depth as i32);
                    same_expr(&g, e)
                };
                if same {
                    return Ok(());
                }
            }
        }
        match e {
            Expr::Var(v) => {
                if v.levels_up != depth {
                    return Ok(());
                }
                self.check_var(v, depth)
            }
            Expr::SubLink(s) => {
                if let Some(t) = &s.test {
                    self.check(t, depth)?;
                }
                self.check_query(&s.subselect, depth + 1)
            }
            e => {
                let mut r = Ok(());
                children(e, &mut |c| {
                    if r.is_ok() {
                        r = self.check(c, depth);
                    }
                });
                r
            }
        }
    }

    fn check_query(&self, q: &Query, depth: u32) -> Result<()> {
        let mut r = Ok(());
        crate::walk::query_exprs(q, &mut |e| {
            if r.is_ok() {
                r = self.check(e, depth);
            }
        });
        crate::walk::subqueries(q, &mut |s| {
            if r.is_ok() {
                r = self.check_query(s, depth + 1);
            }
        });
        r
    }

    fn check_var(&self, v: &Var, depth: u32) -> Result<()> {
        let VarNo::Rte(n) = v.varno else { return Ok(()) };
        let rte = self.q.rte(n);
        if let RteKind::Relation { relid, .. } = &rte.kind
            && self.depends_on_key(*relid, n)?
        {
            return Ok(());
        }
        let name = match v.attno {
            0 => "*".to_string(),
            a if a < 0 => crate::scope::SYSTEM_COLUMNS
                .iter()
                .find(|c| c.1 == a)
                .map_or_else(String::new, |c| c.0.to_string()),
            a => rte.eref_cols.get(a as usize - 1).map_or_else(String::new, |n| n.to_string()),
        };
        let full = if matches!(rte.kind, RteKind::Join { .. }) && rte.alias.is_none() {
            name
        } else {
            format!("{}.{name}", rte.eref_name)
        };
        let e = if depth == 0 {
            err!(
                GROUPING_ERROR,
                "column \"{full}\" must appear in the GROUP BY clause or be used in an aggregate function"
            )
        } else {
            err!(GROUPING_ERROR, "subquery uses ungrouped column \"{full}\" from outer query")
        };
        Err(e.at_if_none(v.location))
    }

    /// Are all columns of the table's primary key grouped?
    fn depends_on_key(&self, relid: Oid, rti: u32) -> Result<bool> {
        let rel = self.an.ctx.catalog.relation(relid)?;
        for i in &rel.indexes {
            let ix = self.an.ctx.catalog.index(*i)?;
            if !ix.primary || !ix.immediate {
                continue;
            }
            let keys = &ix.keys[..ix.num_key_atts as usize];
            return Ok(keys.iter().all(|k| {
                self.groups.iter().zip(self.constant).filter(|x| *x.1).any(|(g, _)| {
                    matches!(&**g, Expr::Var(x) if x.levels_up == 0 && x.varno == VarNo::Rte(rti) && x.attno == *k)
                })
            }));
        }
        Ok(false)
    }
}

/// Place of the first own-level variable in a query (used for "must not reference" errors).
pub fn first_var(e: &Expr) -> Option<Option<usize>> {
    let mut hit = None;
    walk(e, 0, &mut |x, d| {
        if let Expr::Var(v) = x
            && v.levels_up == d
            && hit.is_none()
        {
            hit = Some(v.location);
        }
        hit.is_none()
    });
    hit
}
