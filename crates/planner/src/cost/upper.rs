//! Costs of grouping and aggregation.

use super::*;
use crate::exprs::{cost_expr, equal, walk};
use crate::path::AggKind;
use crate::root::{Glob, Root};
use analyze::expr::*;

/// What a query's aggregates cost.
#[derive(Clone, Copy, Debug, Default)]
pub struct AggCosts {
    pub trans: QualCost,
    pub fin: QualCost,
    pub space: f64,
    pub count: usize,
    pub any_ordered: bool,
}

/// Costs of the aggregates in the expressions, of one stage of them if they are split; equal ones are computed once.
pub fn agg_costs<'e>(
    g: &Glob<'_>,
    root: &Root,
    exprs: impl IntoIterator<Item = &'e Expr>,
    split: AggSplit,
) -> AggCosts {
    let mut seen: Vec<&Expr> = Vec::new();
    for e in exprs {
        walk(e, &mut |x| {
            if matches!(x, Expr::Aggref(_)) {
                if !seen.iter().any(|s| equal(s, x)) {
                    seen.push(x);
                }
                return false;
            }
            true
        });
    }
    let mut c = AggCosts { count: seen.len(), ..Default::default() };
    let unit = g.ctx.settings.cpu_operator_cost;
    let fcost = |f: common::Oid| g.ctx.catalog.proc_desc(f).map_or(1.0, |p| p.cost) * unit;
    let mut trans_seen: Vec<(common::Oid, &Aggref)> = Vec::new();
    for x in seen {
        let Expr::Aggref(a) = x else { continue };
        if !a.order.is_empty() || !a.distinct.is_empty() || a.kind != b'n' {
            c.any_ordered = true;
        }
        let Ok(Some(d)) = g.ctx.catalog.aggregate(a.aggfnoid) else {
            c.trans.per_tuple += unit;
            continue;
        };
        if d.final_fn.is_valid() && split != AggSplit::Partial {
            c.fin.per_tuple += fcost(d.final_fn);
        }
        let shared = trans_seen.iter().any(|(f, b)| {
            *f == d.trans_fn
                && b.args == a.args
                && b.filter == a.filter
                && b.order == a.order
                && b.distinct == a.distinct
        });
        if shared {
            continue;
        }
        trans_seen.push((d.trans_fn, a));
        match split {
            AggSplit::Finalize => {
                c.trans.per_tuple += fcost(d.combine_fn);
                if d.deserial_fn.is_valid() {
                    c.trans.per_tuple += fcost(d.deserial_fn);
                }
            }
            _ => {
                c.trans.per_tuple += fcost(d.trans_fn);
                for e in a.args.iter().map(|t| &t.expr).chain(a.filter.as_deref()) {
                    c.trans += cost_expr(g.ctx, e);
                }
                if split == AggSplit::Partial && d.serial_fn.is_valid() {
                    c.fin.per_tuple += fcost(d.serial_fn);
                }
            }
        }
        for e in &a.direct_args {
            let k = cost_expr(g.ctx, e);
            c.fin.startup += k.startup;
            c.fin.per_tuple += k.per_tuple;
        }
        if let Ok(t) = g.ctx.catalog.type_desc(d.trans_type) {
            if d.trans_type == types::oids::INTERNAL {
                c.space += if d.trans_space > 0 { f64::from(d.trans_space) } else { 8192.0 };
            } else if !t.by_val {
                let w = match d.trans_space {
                    0 => a.args.first().map_or(32, |x| root.expr_width(g, &x.expr)),
                    w => w,
                };
                c.space += f64::from((w + 7) / 8 * 8) + 16.0;
            }
        }
    }
    c
}

/// Bytes of one hash aggregate entry.
pub fn hash_entry_size(ntrans: usize, width: i32, space: f64) -> f64 {
    let tuple = 16.0 + f64::from((width + 7) / 8 * 8);
    let pergroup = ntrans as f64 * 16.0;
    24.0 + 16.0 + tuple + 16.0 + pergroup + space
}

/// (startup, total, rows) of an Agg node.
pub fn agg(
    g: &Glob<'_>,
    kind: AggKind,
    c: &AggCosts,
    cols: usize,
    groups: f64,
    in_startup: f64,
    in_total: f64,
    in_rows: f64,
    in_width: i32,
    having: QualCost,
    having_sel: f64,
    has_having: bool,
) -> (f64, f64, f64) {
    let s = g.ctx.settings;
    let colcost = s.cpu_operator_cost * cols as f64;
    let (mut startup, mut total);
    let mut rows = groups;
    match kind {
        AggKind::Plain => {
            startup = in_total + c.trans.startup + c.trans.per_tuple * in_rows;
            startup += c.fin.startup + c.fin.per_tuple;
            total = startup + s.cpu_tuple_cost;
            rows = 1.0;
        }
        AggKind::Sorted | AggKind::Mixed => {
            let disabled = if kind == AggKind::Mixed && !s.enable_hashagg { DISABLE_COST } else { 0.0 };
            startup = in_startup + disabled;
            total = disabled + in_total + c.trans.startup + c.trans.per_tuple * in_rows + colcost * in_rows;
            total += c.fin.startup + c.fin.per_tuple * groups + s.cpu_tuple_cost * groups;
        }
        AggKind::Hashed => {
            startup = in_total;
            if !s.enable_hashagg {
                startup += DISABLE_COST;
            }
            startup += c.trans.startup + c.trans.per_tuple * in_rows + colcost * in_rows + c.fin.startup;
            total = startup + c.fin.per_tuple * groups + s.cpu_tuple_cost * groups;
        }
    }
    if matches!(kind, AggKind::Hashed | AggKind::Mixed) {
        {
            let entry = hash_entry_size(c.count, in_width, c.space);
            let mem = s.hash_mem_bytes();
            let (limit, parts) = if entry * groups < mem {
                (mem, 0.0)
            } else {
                let mut p: f64 = (1.0 + groups * entry * 1.5 / mem).min((mem * 0.25 / 8192.0).max(4.0));
                p = p.clamp(4.0, 1024.0);
                let p = p.log2().ceil().exp2();
                ((mem - p * 8192.0).max(mem * 0.75), p)
            };
            let batches = (groups * entry / limit).max(groups / (limit / entry).max(1.0)).ceil().max(1.0);
            if batches > 1.0 {
                let depth = (batches.ln() / parts.max(2.0).ln()).ceil();
                let pages = byte_size(in_rows, in_width) / 8192.0;
                let moved = pages * depth * 2.0;
                startup += moved * s.random_page_cost;
                total += moved * s.random_page_cost + moved * s.seq_page_cost;
                let spill = depth * in_rows * 2.0 * s.cpu_tuple_cost;
                startup += spill;
                total += spill;
            }
        }
    }
    if has_having {
        startup += having.startup;
        total += having.startup + rows * having.per_tuple;
        rows = crate::selectivity::clamp_rows(rows * having_sel);
    }
    (startup, total, rows)
}

/// (startup, total) of a WindowAgg node over `sub`.
pub fn window(g: &Glob<'_>, w: &crate::upper::window::ActiveWindow, sub: &crate::path::Path) -> (f64, f64) {
    let s = g.ctx.settings;
    let (mut startup, mut total) = (sub.startup, sub.total);
    for f in &w.funcs {
        let Expr::WindowFunc(f) = f else { continue };
        let mut per = g.ctx.catalog.proc_desc(f.winfnoid).map_or(1.0, |p| p.cost) * s.cpu_operator_cost;
        for e in f.args.iter().chain(f.filter.as_deref()) {
            let c = cost_expr(g.ctx, e);
            startup += c.startup;
            per += c.per_tuple;
        }
        total += per * sub.rows;
    }
    let columns = (w.clause.partition.len() + w.clause.order.len()) as f64;
    total += (s.cpu_operator_cost * columns + s.cpu_tuple_cost) * sub.rows;
    (startup, total)
}
