//! Costs of reading base relations.

use super::*;
use crate::exprs::array_length_estimate;
use crate::parallel;
use crate::path::*;
use crate::root::*;
use crate::selectivity::*;
use analyze::expr::Expr;
use analyze::query::JoinType;
use std::rc::Rc;

/// Pages read by repeated index scans through a shared cache (Mackert and Lohman).
pub fn pages_fetched(g: &Glob<'_>, root: &Root, tuples: f64, pages: f64, index_pages: f64) -> f64 {
    let t = pages.max(1.0);
    let total = (root.total_pages + index_pages).max(1.0);
    let mut b = g.ctx.settings.effective_cache_size * t / total;
    b = if b <= 1.0 { 1.0 } else { b.ceil() };
    if t <= b {
        let p = 2.0 * t * tuples / (2.0 * t + tuples);
        if p >= t { t } else { p.ceil() }
    } else {
        let lim = 2.0 * t * b / (2.0 * t - b);
        let p = if tuples <= lim {
            2.0 * t * tuples / (2.0 * t + tuples)
        } else {
            b + (tuples - lim) * (t - b) / t
        };
        p.ceil()
    }
}

fn scan_quals(g: &Glob<'_>, rel: &RelInfo, param: &Option<Rc<ParamInfo>>) -> QualCost {
    match param {
        Some(p) => rel.base_cost + list_cost(g, &p.clauses),
        None => rel.base_cost,
    }
}

fn rows_of(rel: &RelInfo, param: &Option<Rc<ParamInfo>>) -> f64 {
    param.as_ref().map_or(rel.rows, |p| p.rows)
}

/// Sequential scan.
pub fn seqscan(g: &Glob<'_>, rel: &RelInfo, p: &mut Path, sample: Option<&str>) {
    let s = g.ctx.settings;
    p.rows = rows_of(rel, &p.param);
    let q = scan_quals(g, rel, &p.param);
    let mut startup = if s.enable_seqscan || sample.is_some() { 0.0 } else { DISABLE_COST };
    let page = if sample == Some("system") { s.random_page_cost } else { s.seq_page_cost };
    startup += q.startup + p.target.cost.startup;
    let mut cpu = (s.cpu_tuple_cost + q.per_tuple) * rel.tuples + p.target.cost.per_tuple * p.rows;
    if p.workers > 0 {
        cpu /= parallel::divisor(g, p.workers);
        parallel::share(g, p);
    }
    p.startup = startup;
    p.total = startup + cpu + page * rel.pages;
}

/// A scan that pays `per_row` besides the quals for each of the relation's tuples.
pub fn simple_scan(g: &Glob<'_>, rel: &RelInfo, p: &mut Path, startup: f64, per_row: f64) {
    p.rows = rows_of(rel, &p.param);
    let q = scan_quals(g, rel, &p.param);
    let start = startup + q.startup + p.target.cost.startup;
    let run = (per_row + q.per_tuple) * rel.tuples + p.target.cost.per_tuple * p.rows;
    p.startup = start;
    p.total = start + run;
}

/// Sub-query scan on top of the sub-query's path; `free`: it will not be there at all (an arm of UNION ALL).
pub fn subquery(g: &Glob<'_>, rel: &RelInfo, p: &mut Path, sub: &Path, free: bool) {
    p.rows = rows_of(rel, &p.param);
    if p.workers > 0 {
        // The processes' shares of the sub-query's rows, thinned out by the quals.
        p.rows = clamp_rows(sub.rows * rel.rows / rel.tuples.max(1.0));
    }
    p.startup = sub.startup;
    p.total = sub.total;
    if free {
        return;
    }
    let q = scan_quals(g, rel, &p.param);
    let startup = q.startup + p.target.cost.startup;
    let run = (g.ctx.settings.cpu_tuple_cost + q.per_tuple) * sub.rows + p.target.cost.per_tuple * p.rows;
    p.startup += startup;
    p.total += startup + run;
}

/// TID scan.
pub fn tidscan(g: &Glob<'_>, rel: &RelInfo, p: &mut Path, quals: &[Ri]) {
    let s = g.ctx.settings;
    p.rows = rows_of(rel, &p.param);
    let mut n = 0.0;
    for q in quals {
        match &q.clause {
            Expr::ScalarArrayOp(o) => n += array_length_estimate(g.ctx, &o.args[1]),
            _ => n += 1.0,
        }
    }
    let mut startup = 0.0;
    if !s.enable_tidscan && !quals.iter().any(|q| matches!(q.clause, Expr::CurrentOf { .. })) {
        startup += DISABLE_COST;
    }
    let mut tq = list_cost(g, quals);
    if quals.iter().any(|q| matches!(q.clause, Expr::CurrentOf { .. })) {
        startup -= DISABLE_COST;
        tq.per_tuple = 0.0;
    }
    let q = scan_quals(g, rel, &p.param);
    startup += q.startup + tq.per_tuple + p.target.cost.startup;
    let cpu = s.cpu_tuple_cost + q.per_tuple - tq.per_tuple;
    p.startup = startup;
    p.total = startup + s.random_page_cost * n + cpu * n + p.target.cost.per_tuple * p.rows;
}

/// What the index access alone costs and selects.
struct IndexAccess {
    startup: f64,
    total: f64,
    selectivity: f64,
    correlation: f64,
    /// Index pages read.
    pages: f64,
}

/// Clauses of an index path for selectivity: applied ones plus the predicate's.
fn sel_quals<'p>(ip: &'p IndexPath, quals: &[&'p Expr]) -> Vec<&'p Expr> {
    let mut v: Vec<&Expr> =
        ip.index.predicate.iter().filter(|p| !quals.iter().any(|q| crate::exprs::equal(p, q))).collect();
    v.extend_from_slice(quals);
    v
}

fn quals_sel(g: &Glob<'_>, root: &Root, ip: &IndexPath, col_limit: Option<usize>) -> f64 {
    // Where the index condition is the clause itself its memoised selectivity serves.
    let within = |c: &&IndexClause| col_limit.is_none_or(|l| c.col <= l);
    if ip.index.predicate.is_empty() && ip.clauses.iter().filter(within).all(|c| !c.lossy) {
        let list: Vec<Ri> = ip.clauses.iter().filter(within).map(|c| c.ri.clone()).collect();
        return list_sel(g, root, &list, ip.rti, JoinType::Inner, None);
    }
    let quals: Vec<&Expr> =
        ip.clauses.iter().filter(within).flat_map(|c| c.quals.iter().map(|q| &q.clause)).collect();
    let all = sel_quals(ip, &quals);
    clause::exprs_sel(g, root, &all, ip.rti, JoinType::Inner, None)
}

fn btree_access(g: &Glob<'_>, root: &Root, rel: &RelInfo, ip: &IndexPath, loops: f64) -> IndexAccess {
    let s = g.ctx.settings;
    let ix = &ip.index;
    let (mut eq_here, mut saop, mut null_op, mut sa_bound) = (false, false, false, 1.0);
    let mut col = 0;
    let mut last = None;
    'outer: for c in &ip.clauses {
        if c.col != col {
            if !eq_here {
                break;
            }
            eq_here = false;
            col += 1;
            if c.col != col {
                break 'outer;
            }
        }
        last = Some(c.col);
        for q in &c.quals {
            match &q.kind {
                IndexQualKind::Op { strategy, .. } => eq_here |= *strategy == 3,
                IndexQualKind::ArrayOp { strategy, .. } => {
                    saop = true;
                    if let Expr::ScalarArrayOp(o) = &q.clause {
                        let n = array_length_estimate(g.ctx, &o.args[1]);
                        if n > 1.0 {
                            sa_bound *= n;
                        }
                    }
                    eq_here |= *strategy == 3;
                }
                IndexQualKind::IsNull => {
                    null_op = true;
                    eq_here = true;
                }
                IndexQualKind::IsNotNull | IndexQualKind::Row { .. } => {}
            }
        }
    }
    let nkeys = ix.desc.num_key_atts as usize;
    let selectivity = quals_sel(g, root, ip, None);
    let mut tuples = if ix.unique && col == nkeys - 1 && eq_here && !saop && !null_op {
        1.0
    } else {
        let all_bound = ip.clauses.iter().all(|c| last.is_some_and(|l| c.col <= l));
        let bs = if all_bound || ip.clauses.is_empty() {
            selectivity
        } else {
            match last {
                Some(l) => quals_sel(g, root, ip, Some(l)),
                None => 1.0,
            }
        };
        (bs * rel.tuples / sa_bound).round_ties_even()
    };
    let mut sa = 1.0;
    let mut nquals = 0.0;
    let mut arg_cost = 0.0;
    for q in ip.clauses.iter().flat_map(|c| &c.quals) {
        nquals += 1.0;
        if let (IndexQualKind::ArrayOp { .. }, Expr::ScalarArrayOp(o)) = (&q.kind, &q.clause) {
            let n = array_length_estimate(g.ctx, &o.args[1]);
            if n > 1.0 {
                sa *= n;
            }
        }
        arg_cost += other_side_cost(g, &q.clause);
    }
    tuples = tuples.min(ix.tuples).max(1.0);
    let pages = if ix.pages > 1.0 && ix.tuples > 1.0 { (tuples * ix.pages / ix.tuples).ceil() } else { 1.0 };
    let scans = sa * loops;
    let mut total = if scans > 1.0 {
        pages_fetched(g, root, pages * scans, ix.pages, ix.pages) * s.random_page_cost / loops
    } else {
        pages * s.random_page_cost
    };
    let mut startup = arg_cost;
    total += arg_cost;
    total += tuples * sa * (s.cpu_index_tuple_cost + s.cpu_operator_cost * nquals);
    if ix.tuples > 1.0 {
        let d = ix.tuples.log2().ceil() * s.cpu_operator_cost;
        startup += d;
        total += sa * d;
    }
    let d = f64::from(ix.tree_height + 1) * 50.0 * s.cpu_operator_cost;
    startup += d;
    total += sa * d;
    IndexAccess { startup, total, selectivity, correlation: correlation(g, root, ip), pages }
}

fn other_side_cost(g: &Glob<'_>, clause: &Expr) -> f64 {
    let other = match clause {
        Expr::Op(o) => o.args.get(1),
        Expr::ScalarArrayOp(o) => o.args.get(1),
        Expr::RowCompare { right, .. } => {
            return right
                .iter()
                .map(|e| crate::exprs::cost_expr(g.ctx, e))
                .map(|c| c.startup + c.per_tuple)
                .sum();
        }
        _ => None,
    };
    other.map_or(0.0, |e| {
        let c = crate::exprs::cost_expr(g.ctx, e);
        c.startup + c.per_tuple
    })
}

fn correlation(g: &Glob<'_>, root: &Root, ip: &IndexPath) -> f64 {
    let d = &ip.index.desc;
    let st = match d.keys.first() {
        Some(0) => g.ctx.catalog.column_stats(d.oid, 1).ok().flatten(),
        Some(k) => root.column_stats(g, ip.rti, *k),
        None => None,
    };
    // The correlation known is that with the type's own order.
    let class = d.opclasses.first().and_then(|c| g.ctx.catalog.opclass(*c).ok());
    if class.is_some_and(|c| !c.is_default) {
        return 0.0;
    }
    let Some(c) = st.and_then(|s| s.correlation) else { return 0.0 };
    let mut c = f64::from(c);
    if d.options.first().is_some_and(|o| o & 1 != 0) {
        c = -c;
    }
    if d.num_key_atts > 1 { c * 0.75 } else { c }
}

/// Index scan; `filters`: clauses the index does not apply. A parallel-aware one gets its workers here, none if it is
/// not worth it.
pub fn index(
    g: &Glob<'_>,
    root: &Root,
    rel: &RelInfo,
    p: &mut Path,
    mut ip: IndexPath,
    loops: f64,
    filters: &[Ri],
) {
    let s = g.ctx.settings;
    p.rows = rows_of(rel, &p.param);
    let a = btree_access(g, root, rel, &ip, loops);
    ip.index_total = a.total;
    ip.selectivity = a.selectivity;
    let enabled = if ip.only { s.enable_indexonlyscan && s.enable_indexscan } else { s.enable_indexscan };
    let mut startup = if enabled { 0.0 } else { DISABLE_COST };
    startup += a.startup;
    let mut run = a.total - a.startup;
    let fetched = clamp_rows(a.selectivity * rel.tuples);
    let vis = |x: f64| if ip.only { (x * (1.0 - rel.all_visible)).ceil() } else { x };
    let (max_io, min_io);
    let random_pages;
    if loops > 1.0 {
        let pf = vis(pages_fetched(g, root, fetched * loops, rel.pages, ip.index.pages));
        random_pages = pf;
        max_io = pf * s.random_page_cost / loops;
        let pf = (a.selectivity * rel.pages).ceil();
        let pf = vis(pages_fetched(g, root, pf * loops, rel.pages, ip.index.pages));
        min_io = pf * s.random_page_cost / loops;
    } else {
        let pf = vis(pages_fetched(g, root, fetched, rel.pages, ip.index.pages));
        random_pages = pf;
        max_io = pf * s.random_page_cost;
        let pf = vis((a.selectivity * rel.pages).ceil());
        min_io = if pf > 0.0 {
            s.random_page_cost + if pf > 1.0 { (pf - 1.0) * s.seq_page_cost } else { 0.0 }
        } else {
            0.0
        };
    }
    if p.aware {
        let heap = (!ip.only).then_some(random_pages);
        p.workers = parallel::workers(s, rel, heap, Some(a.pages));
    }
    run += max_io + a.correlation * a.correlation * (min_io - max_io);
    let q = list_cost(g, filters);
    startup += q.startup + p.target.cost.startup;
    let mut cpu = (s.cpu_tuple_cost + q.per_tuple) * fetched + p.target.cost.per_tuple * p.rows;
    if p.workers > 0 {
        cpu /= parallel::divisor(g, p.workers);
        parallel::share(g, p);
    }
    run += cpu;
    p.startup = startup;
    p.total = startup + run;
    p.kind = PathKind::Index(ip);
}

/// (total cost, selectivity) of a bitmap tree.
pub fn bitmap_node(g: &Glob<'_>, b: &Bitmap) -> (f64, f64) {
    match b {
        Bitmap::Index(p) => match &p.kind {
            PathKind::Index(ip) => {
                (ip.index_total + 0.1 * g.ctx.settings.cpu_operator_cost * p.rows, ip.selectivity)
            }
            _ => (p.total, 1.0),
        },
        Bitmap::And { total, selectivity, .. } | Bitmap::Or { total, selectivity, .. } => {
            (*total, *selectivity)
        }
    }
}

/// Intersection of bitmaps.
pub fn bitmap_and(g: &Glob<'_>, subs: Vec<Rc<Bitmap>>) -> Bitmap {
    let (mut total, mut selectivity) = (0.0, 1.0);
    for (i, b) in subs.iter().enumerate() {
        let (c, s) = bitmap_node(g, b);
        selectivity *= s;
        total += c;
        if i > 0 {
            total += 100.0 * g.ctx.settings.cpu_operator_cost;
        }
    }
    Bitmap::And { subs, total, selectivity }
}

/// Union of bitmaps.
pub fn bitmap_or(g: &Glob<'_>, subs: Vec<Rc<Bitmap>>) -> Bitmap {
    let (mut total, mut selectivity) = (0.0f64, 0.0f64);
    for (i, b) in subs.iter().enumerate() {
        let (c, s) = bitmap_node(g, b);
        selectivity += s;
        total += c;
        if i > 0 && !matches!(&**b, Bitmap::Index(_)) {
            total += 100.0 * g.ctx.settings.cpu_operator_cost;
        }
    }
    Bitmap::Or { subs, total, selectivity: selectivity.min(1.0) }
}

fn bitmap_index_pages(b: &Bitmap) -> f64 {
    match b {
        Bitmap::Index(p) => match &p.kind {
            PathKind::Index(ip) => ip.index.pages,
            _ => 0.0,
        },
        Bitmap::And { subs, .. } | Bitmap::Or { subs, .. } => {
            subs.iter().map(|s| bitmap_index_pages(s)).sum()
        }
    }
}

/// Bitmap heap scan. A parallel-aware one gets its workers here, none if it is not worth it.
pub fn bitmap_heap(g: &Glob<'_>, root: &Root, rel: &RelInfo, p: &mut Path, b: &Bitmap, loops: f64) {
    let s = g.ctx.settings;
    p.rows = rows_of(rel, &p.param);
    let (index_cost, sel) = bitmap_node(g, b);
    let mut fetched = clamp_rows(sel * rel.tuples);
    let t = rel.pages.max(1.0);
    let single = 2.0 * t * fetched / (2.0 * t + fetched);
    let heap_pages = single.min(rel.pages);
    let mut pf = if loops > 1.0 {
        pages_fetched(g, root, fetched * loops, rel.pages, bitmap_index_pages(b)) / loops
    } else {
        single
    };
    pf = if pf >= t { t } else { pf.ceil() };
    let max_entries = s.work_mem_bytes() / 64.0;
    if max_entries < heap_pages {
        let lossy = (heap_pages - max_entries / 2.0).max(0.0);
        let exact = heap_pages - lossy;
        if lossy > 0.0 {
            fetched = clamp_rows(sel * (exact / heap_pages) * rel.tuples + (lossy / heap_pages) * rel.tuples);
        }
    }
    let mut startup = if s.enable_bitmapscan { 0.0 } else { DISABLE_COST };
    startup += index_cost;
    let per_page = if pf >= 2.0 {
        s.random_page_cost - (s.random_page_cost - s.seq_page_cost) * (pf / t).sqrt()
    } else {
        s.random_page_cost
    };
    let q = scan_quals(g, rel, &p.param);
    startup += q.startup + p.target.cost.startup;
    let mut cpu = (s.cpu_tuple_cost + q.per_tuple) * fetched;
    if p.aware {
        p.workers = parallel::workers(s, rel, Some(pf), None);
        if p.workers > 0 {
            cpu /= parallel::divisor(g, p.workers);
            parallel::share(g, p);
        }
    }
    let run = pf * per_page + cpu + p.target.cost.per_tuple * p.rows;
    p.startup = startup;
    p.total = startup + run;
}
