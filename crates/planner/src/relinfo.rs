//! Base relations: size, indexes, column widths, statistics. Called when a query level's relations are set up.

use crate::exprs::{QualCost, strip, to_and_list, type_of, typmod_of, walk_mut};
use crate::path::Target;
use crate::relids::Relids;
use crate::root::*;
use analyze::expr::*;
use analyze::query::*;
use catalog::desc::{ColumnStats, Relation};
use common::{Error, Oid, Result};
use std::rc::Rc;
use types::oids;

/// An index relation's access method.
pub const BTREE_AM: Oid = Oid(403);
/// The hash access method, whose families define hashable equality.
pub const HASH_AM: Oid = Oid(405);

impl RelInfo {
    /// An empty relation.
    pub fn new(relids: Relids, rti: u32) -> RelInfo {
        RelInfo {
            relids,
            rti,
            rows: 0.0,
            tuples: 0.0,
            pages: 0.0,
            all_visible: 0.0,
            target: Rc::default(),
            needed: Vec::new(),
            indexes: Vec::new(),
            statlist: Vec::new(),
            base_clauses: Vec::new(),
            base_cost: QualCost::default(),
            join_clauses: Vec::new(),
            has_eclass_joins: false,
            lateral: Relids::EMPTY,
            lateral_vars: Vec::new(),
            paths: Vec::new(),
            cheapest_startup: None,
            cheapest_total: None,
            cheapest_param: Vec::new(),
            unique_path: None,
            consider_startup: false,
            relation: None,
            subroot: None,
            param_infos: Vec::new(),
            dummy: false,
            members: Vec::new(),
            widths: Vec::new(),
            member: None,
            member_exprs: None,
            unique_for: Vec::new(),
            non_unique_for: Default::default(),
            consider_parallel: false,
            partial: Vec::new(),
            option_workers: None,
        }
    }
}

/// How much of a table a sample reads and returns.
fn sample_size(g: &Glob<'_>, s: &analyze::query::TableSample, rel: &mut RelInfo) {
    let percent = match s.args.first().map(|e| crate::exprs::fold::for_estimate(g.ctx, e)) {
        Some(Expr::Const(c)) => match c.value {
            types::Datum::F32(x) if (0.0..=100.0).contains(&x) => f64::from(x),
            _ => 10.0,
        },
        _ => 10.0,
    };
    let fraction = percent / 100.0;
    if s.method == "system" {
        rel.pages = crate::selectivity::clamp_rows(rel.pages * fraction);
    }
    rel.tuples = crate::selectivity::clamp_rows(rel.tuples * fraction);
}

/// Makes the relation of a range table entry.
pub fn build_base(g: &Glob<'_>, root: &mut Root, rti: u32) -> Result<()> {
    let mut rel = RelInfo::new(Relids::single(rti), rti);
    rel.consider_startup = root.tuple_fraction > 0.0;
    let rte = root.query.rte(rti);
    if let RteKind::Relation { relid, relkind, tablesample, .. } = &rte.kind {
        let relation = g.ctx.catalog.relation(*relid)?;
        if *relkind == b'p' {
            return Err(Error::unsupported("partitioned tables"));
        }
        if !rte.security_quals.is_empty() {
            return Err(Error::unsupported("row-level security"));
        }
        if crate::append::is_parent(&rte.kind, &relation) {
            rel.relation = Some(relation);
            return add_base(root, rti, rel);
        }
        size(g, &relation, &mut rel)?;
        if g.parallel.ok {
            rel.option_workers = crate::parallel::option_workers(&relation.options);
        }
        if let Some(s) = tablesample {
            sample_size(g, s, &mut rel);
        }
        if g.ctx.settings.enable_indexscan
            || g.ctx.settings.enable_bitmapscan
            || g.ctx.settings.enable_indexonlyscan
        {
            for oid in &relation.indexes {
                if let Some(ix) = index_info(g, *oid, rti, &rel)? {
                    rel.indexes.push(Rc::new(ix));
                }
            }
            // PostgreSQL looks at the newest index first.
            rel.indexes.reverse();
        }
        rel.statlist = crate::selectivity::extended::stat_infos(g, relation.oid, rti)?;
        rel.relation = Some(relation);
    }
    add_base(root, rti, rel)
}

fn add_base(root: &mut Root, rti: u32, rel: RelInfo) -> Result<()> {
    root.total_pages += rel.pages;
    if root.base.len() <= rte_place(rti) {
        root.base.resize_with(root.query.rtable.len() + 1, || None);
    }
    root.base[rte_place(rti)] = Some(rel);
    root.all_base.add(rti);
    root.has_statistics |= !root.rel(rti).statlist.is_empty();
    Ok(())
}

/// Pages and tuples by the present size and the density found by the last VACUUM or ANALYZE.
fn size(g: &Glob<'_>, r: &Relation, rel: &mut RelInfo) -> Result<()> {
    if r.rel.is_none() {
        return Ok(());
    }
    let mut cur = match g.parallel.sizes.iter().find(|s| s.0 == r.oid) {
        Some(s) => s.1,
        None => g.ctx.catalog.relation_blocks(r)?,
    };
    // A table that others inherit from is often empty and stays so.
    if cur < 10 && r.reltuples < 0.0 && !r.has_subclass {
        cur = 10;
    }
    rel.pages = f64::from(cur);
    if cur == 0 {
        return Ok(());
    }
    let density = if r.reltuples >= 0.0 && r.relpages > 0 {
        f64::from(r.reltuples) / f64::from(r.relpages)
    } else {
        let mut width = 0;
        for (i, a) in r.desc.attrs.iter().enumerate() {
            if a.dropped {
                continue;
            }
            width += column_width(g, r.oid, i as i16 + 1, a.type_oid, a.typmod);
        }
        let fillfactor = r
            .options
            .iter()
            .find_map(|o| o.strip_prefix("fillfactor="))
            .and_then(|v| v.parse::<i64>().ok())
            .unwrap_or(100);
        (((8192 - 24) * fillfactor / 100) / (i64::from(width) + 24 + 4)) as f64
    };
    rel.tuples = (density * f64::from(cur)).round_ties_even();
    rel.all_visible = match r.relallvisible {
        0 => 0.0,
        v if f64::from(v) >= f64::from(cur) => 1.0,
        v => f64::from(v) / f64::from(cur),
    };
    Ok(())
}

/// Estimated width of a column: statistics, else the type's typical size.
pub fn column_width(g: &Glob<'_>, rel: Oid, attno: i16, ty: Oid, typmod: i32) -> i32 {
    if let Ok(Some(s)) = g.ctx.catalog.column_stats(rel, attno)
        && s.width > 0
    {
        return s.width;
    }
    type_width(g, ty, typmod)
}

/// Typical width of a type's values.
pub fn type_width(g: &Glob<'_>, ty: Oid, typmod: i32) -> i32 {
    let Ok(t) = g.ctx.catalog.type_desc(ty) else { return 32 };
    if t.len > 0 {
        return i32::from(t.len);
    }
    let max = match ty {
        oids::BPCHAR | oids::VARCHAR if typmod >= 4 => (typmod - 4) * 4 + 4,
        oids::NUMERIC if typmod >= 4 => {
            let prec = ((typmod - 4) >> 16) & 0xffff;
            // Varlena header, numeric header, base-10000 digits with slop.
            4 + 4 + (prec + 2 * 3) / 4 * 2
        }
        oids::BIT | oids::VARBIT if typmod >= 0 => (typmod + 7) / 8 + 8,
        _ => -1,
    };
    if max > 0 {
        return match ty {
            oids::BPCHAR => max,
            _ if max <= 32 => max,
            _ if max < 1000 => 32 + (max - 32) / 2,
            _ => 32 + (1000 - 32) / 2,
        };
    }
    32
}

fn index_info(g: &Glob<'_>, oid: Oid, rti: u32, rel: &RelInfo) -> Result<Option<IndexInfo>> {
    let desc = g.ctx.catalog.index(oid)?;
    if !desc.valid || !desc.live || desc.am != BTREE_AM {
        return Ok(None);
    }
    if desc.check_xmin {
        // HOT chains of its time are broken for it: who may still see their older versions reads the table.
        let seen = g.ctx.catalog.engine().proc().xmin.load(std::sync::atomic::Ordering::Relaxed);
        if seen != 0 && desc.made_by.0 >= seen {
            return Ok(None);
        }
    }
    let irel = g.ctx.catalog.relation(oid)?;
    let pages = f64::from(g.ctx.catalog.index_blocks(&desc)?);
    let mut exprs: Vec<Expr> = match &desc.expressions {
        Some(s) => Vec::clone(&*analyze::load_stored(s)?),
        None => Vec::new(),
    };
    let mut predicate = match &desc.predicate {
        Some(s) => to_and_list(Some(Expr::clone(&*analyze::load_stored(s)?))),
        None => Vec::new(),
    };
    for e in exprs.iter_mut().chain(predicate.iter_mut()) {
        crate::exprs::fold::fold(g.ctx, e)?;
        renumber(e, rti);
    }
    if predicate.len() == 1 {
        let p = crate::exprs::canonicalize(predicate.swap_remove(0));
        predicate = to_and_list(Some(p));
    }
    let tuples = if predicate.is_empty() {
        rel.tuples
    } else if irel.reltuples >= 0.0 && irel.relpages > 1 {
        let density = f64::from(irel.reltuples) / f64::from(irel.relpages - 1);
        (density * (pages - 1.0).max(0.0)).round_ties_even().min(rel.tuples)
    } else {
        rel.tuples
    };
    Ok(Some(IndexInfo {
        tree_height: g.ctx.catalog.index_height(&desc)?,
        unique: desc.unique,
        immediate: desc.immediate,
        pages,
        tuples,
        exprs,
        predicate,
        pred_ok: false,
        restrict: Vec::new(),
        desc,
    }))
}

/// Turns a stored expression's Vars into those of a range table entry.
pub fn renumber(e: &mut Expr, rti: u32) {
    strip(e);
    walk_mut(e, &mut |x| {
        if let Expr::Var(v) = x {
            v.varno = VarNo::Rte(rti);
        }
        true
    });
}

impl Root {
    /// Statistics of a column of a base table.
    pub fn column_stats(&self, g: &Glob<'_>, rti: u32, attno: i16) -> Option<Rc<ColumnStats>> {
        let rel = self.base.get(rte_place(rti))?.as_ref()?;
        let oid = rel.relation.as_ref()?.oid;
        if let Some(s) = self.stats_cache.borrow().get(&(rti, attno)) {
            return s.clone();
        }
        let s = g.ctx.catalog.column_stats_of(oid, attno, !rel.members.is_empty()).ok().flatten();
        self.stats_cache.borrow_mut().insert((rti, attno), s.clone());
        s
    }

    /// Estimated width of a Var of a base relation.
    pub fn var_width(&self, g: &Glob<'_>, v: &Var) -> i32 {
        let rti = crate::exprs::rte_no(v);
        let Some(Some(rel)) = self.base.get(rte_place(rti)) else {
            return type_width(g, v.vartype, v.typmod);
        };
        if let Some(w) = rel.widths.iter().find(|w| w.0 == v.attno) {
            return w.1;
        }
        if let Some(r) = &rel.relation {
            if v.attno > 0 {
                return column_width(g, r.oid, v.attno, v.vartype, v.typmod);
            }
            if v.attno == 0 {
                return r
                    .desc
                    .attrs
                    .iter()
                    .enumerate()
                    .filter(|(_, a)| !a.dropped)
                    .map(|(i, a)| column_width(g, r.oid, i as i16 + 1, a.type_oid, a.typmod))
                    .sum::<i32>()
                    + 24;
            }
            return if v.attno == -1 { 6 } else { type_width(g, v.vartype, v.typmod) };
        }
        if let Some(sub) = &rel.subroot
            && v.attno > 0
            && let Some(t) = sub.tlist.iter().filter(|t| !t.junk).nth(v.attno as usize - 1)
        {
            return sub.expr_width(g, &t.expr);
        }
        type_width(g, v.vartype, v.typmod)
    }

    /// Estimated width of any expression.
    pub fn expr_width(&self, g: &Glob<'_>, e: &Expr) -> i32 {
        match e {
            Expr::Var(v) => self.var_width(g, v),
            Expr::Aggref(a) if a.split == AggSplit::Partial => {
                // As wide as PostgreSQL's states are.
                let state = g.ctx.catalog.aggregate(a.aggfnoid).ok().flatten().map(|d| d.trans_type);
                let ty = state.filter(|t| *t != oids::INTERNAL).unwrap_or(oids::BYTEA);
                type_width(g, ty, -1)
            }
            _ => type_width(g, type_of(e), typmod_of(e)),
        }
    }

    /// Width and evaluation cost of a target.
    pub fn finish_target(&self, g: &Glob<'_>, exprs: Vec<Expr>, refs: Vec<u32>) -> Target {
        let mut t = Target { exprs, refs, ..Target::default() };
        for e in &t.exprs {
            t.width += self.expr_width(g, e);
            if !matches!(e, Expr::Var(_)) {
                t.cost += crate::exprs::cost_expr(g.ctx, e);
            }
        }
        t
    }
}
