//! Costs of the three join methods, in two steps: a quick lower bound that spares most candidates the second step.

use super::*;
use crate::path::*;
use crate::relids::Relids;
use crate::root::*;
use crate::selectivity::*;
use analyze::query::JoinType;

/// Facts about a pair of relations used by all join paths between them.
#[derive(Clone, Debug)]
pub struct JoinExtra<'s> {
    pub clauses: std::rc::Rc<[Ri]>,
    pub merge_clauses: Vec<Ri>,
    pub sji: &'s SpecialJoin,
    pub inner_unique: bool,
    pub match_frac: f64,
    pub match_count: f64,
}

/// (startup, total) of scanning a path once more.
pub fn rescan(g: &Glob<'_>, p: &Path) -> (f64, f64) {
    let s = g.ctx.settings;
    match &p.kind {
        PathKind::Function { .. } => (0.0, p.total - p.startup),
        PathKind::Memoize { rescan, .. } => *rescan,
        PathKind::HashJoin { .. } if hash_batches(g, p) == 1.0 => (0.0, p.total - p.startup),
        PathKind::Cte { .. } | PathKind::WorkTable { .. } => spooled(g, p, s.cpu_tuple_cost),
        PathKind::Material { .. } | PathKind::Sort { .. } => spooled(g, p, s.cpu_operator_cost),
        _ => (p.startup, p.total),
    }
}

fn spooled(g: &Glob<'_>, p: &Path, per: f64) -> (f64, f64) {
    let s = g.ctx.settings;
    let mut run = per * p.rows;
    let bytes = byte_size(p.rows, p.target.width);
    if bytes > s.work_mem_bytes() {
        run += s.seq_page_cost * (bytes / 8192.0).ceil();
    }
    (0.0, run)
}

/// Partial result of costing a join.
#[derive(Clone, Copy, Debug, Default)]
pub struct Work {
    pub startup: f64,
    pub run: f64,
    pub total: f64,
    pub inner_run: f64,
    pub inner_rescan_run: f64,
    pub outer_rows: f64,
    pub inner_rows: f64,
    pub outer_skip: f64,
    pub inner_skip: f64,
    pub buckets: f64,
    pub batches: f64,
}

fn early_out(kind: JoinType, x: &JoinExtra<'_>) -> bool {
    matches!(kind, JoinType::Semi | JoinType::Anti) || x.inner_unique
}

/// First step for a nested loop.
pub fn nestloop_initial(g: &Glob<'_>, kind: JoinType, o: &Path, i: &Path, x: &JoinExtra<'_>) -> Work {
    let mut w = Work::default();
    let (rs, rt) = rescan(g, i);
    w.startup = o.startup + i.startup;
    w.run = o.total - o.startup;
    if o.rows > 1.0 {
        w.run += (o.rows - 1.0) * rs;
    }
    let run = i.total - i.startup;
    let rescan_run = rt - rs;
    if early_out(kind, x) {
        w.inner_run = run;
        w.inner_rescan_run = rescan_run;
    } else {
        w.run += run;
        if o.rows > 1.0 {
            w.run += (o.rows - 1.0) * rescan_run;
        }
    }
    w.total = w.startup + w.run;
    w
}

/// Second step for a nested loop.
pub fn nestloop_final(g: &Glob<'_>, p: &mut Path, w: &Work, x: &JoinExtra<'_>) {
    let s = g.ctx.settings;
    let PathKind::NestLoop(j) = &p.kind else { return };
    let (o, i) = (j.outer.rows.max(1.0), j.inner.rows.max(1.0));
    let mut startup = w.startup;
    let mut run = w.run;
    if !s.enable_nestloop {
        startup += DISABLE_COST;
    }
    let ntuples = if early_out(j.kind, x) {
        let mut matched = (o * x.match_frac).round_ties_even();
        let mut unmatched = o - matched;
        let frac = 2.0 / (x.match_count + 1.0);
        let mut n = matched * i * frac;
        if indexed_join_quals(j) {
            run += w.inner_run * frac;
            if matched > 1.0 {
                run += (matched - 1.0) * w.inner_rescan_run * frac;
            }
            run += unmatched * w.inner_rescan_run / i;
        } else {
            n += unmatched * i;
            run += w.inner_run;
            if unmatched >= 1.0 {
                unmatched -= 1.0;
            } else {
                matched -= 1.0;
            }
            if matched > 0.0 {
                run += matched * w.inner_rescan_run * frac;
            }
            if unmatched > 0.0 {
                run += unmatched * w.inner_rescan_run;
            }
        }
        n
    } else {
        o * i
    };
    let q = list_cost(g, j.clauses.iter());
    startup += q.startup + p.target.cost.startup;
    run += (s.cpu_tuple_cost + q.per_tuple) * ntuples + p.target.cost.per_tuple * p.rows;
    p.startup = startup;
    p.total = startup + run;
}

/// Are all join clauses checked by the inner index scan?
fn indexed_join_quals(j: &JoinPath) -> bool {
    if !j.clauses.is_empty() {
        return false;
    }
    let Some(param) = &j.inner.param else { return false };
    let clauses: Vec<&Ri> = match &j.inner.kind {
        PathKind::Index(ip) => ip.clauses.iter().map(|c| &c.ri).collect(),
        PathKind::BitmapHeap { bitmap, .. } => match &**bitmap {
            Bitmap::Index(p) => match &p.kind {
                PathKind::Index(ip) => ip.clauses.iter().map(|c| &c.ri).collect(),
                _ => return false,
            },
            _ => return false,
        },
        _ => return false,
    };
    let mut found = false;
    for ri in &param.clauses {
        if ri.clause_relids.overlaps(j.outer.rel) {
            if !clauses.iter().any(|c| {
                std::rc::Rc::ptr_eq(c, ri)
                    || (ri.parent_ec.is_some() && c.parent_ec == ri.parent_ec)
                    || crate::exprs::equal(&c.clause, &ri.clause)
            }) {
                return false;
            }
            found = true;
        }
    }
    found
}

/// The smallest power of two that is not below `x` (above 1).
fn power_of_two_above(x: f64) -> f64 {
    (x.ceil() as u64).next_power_of_two() as f64
}

/// The largest power of two that is not above `x` (1 or more).
fn power_of_two_below(x: f64) -> f64 {
    (1u64 << (x.max(1.0) as u64).ilog2()) as f64
}

/// (buckets, batches) of a hash table.
pub fn hash_size(g: &Glob<'_>, rows: f64, width: i32, shared: Option<u32>) -> (f64, f64) {
    let n = if rows <= 0.0 { 1000.0 } else { rows };
    let tup = 16.0 + 16.0 + f64::from((width + 7) / 8 * 8);
    let bytes = n * tup;
    let mut mem = g.ctx.settings.hash_mem_bytes();
    // All processes' memory together.
    mem *= f64::from(shared.unwrap_or(0) + 1);
    let per_mcv = tup + 64.0 + 4.0 + 16.0;
    let skew = ((mem / per_mcv) as u64 as f64 * 2.0 / 100.0) as u64 as f64;
    if skew > 0.0 {
        mem -= skew * per_mcv;
    }
    let max_ptr = power_of_two_below(mem / 8.0).min(1073741824.0);
    let mut buckets = power_of_two_above(n.min(max_ptr).max(1024.0));
    let mut batches = 1.0;
    if bytes + buckets * 8.0 > mem {
        if shared.is_some() {
            return hash_size(g, rows, width, None);
        }
        let b = power_of_two_above((mem / (tup + 8.0)).ceil());
        buckets = b.min(max_ptr);
        let need = (bytes / (mem - buckets * 8.0)).ceil().min(max_ptr);
        batches = 2.0;
        while batches < need {
            batches *= 2.0;
        }
    }
    (buckets, batches)
}

/// Parts in which a hash join's table is made, by estimate.
pub fn hash_batches(g: &Glob<'_>, p: &Path) -> f64 {
    match &p.kind {
        PathKind::HashJoin { join, .. } => hash_size(g, join.inner.rows, join.inner.target.width, None).1,
        _ => 1.0,
    }
}

/// First step for a hash join; `shared`: the processes build one table.
pub fn hash_initial(g: &Glob<'_>, o: &Path, i: &Path, nclauses: usize, shared: bool) -> Work {
    let s = g.ctx.settings;
    let n = nclauses as f64;
    let mut w = Work {
        startup: o.startup + i.total + (s.cpu_operator_cost * n + s.cpu_tuple_cost) * i.rows,
        run: o.total - o.startup + s.cpu_operator_cost * n * o.rows,
        ..Work::default()
    };
    (w.buckets, w.batches) = if shared {
        let rows = i.rows * crate::parallel::divisor(g, i.workers);
        hash_size(g, rows, i.target.width, Some(o.workers))
    } else {
        hash_size(g, i.rows, i.target.width, None)
    };
    if w.batches > 1.0 {
        let op = page_size(o.rows, o.target.width);
        let ip = page_size(i.rows, i.target.width);
        w.startup += s.seq_page_cost * ip;
        w.run += s.seq_page_cost * (ip + 2.0 * op);
    }
    w.total = w.startup + w.run;
    w
}

/// Second step for a hash join.
pub fn hash_final(g: &Glob<'_>, root: &Root, p: &mut Path, w: &Work, x: &JoinExtra<'_>) {
    let s = g.ctx.settings;
    let PathKind::HashJoin { join, clauses } = &p.kind else { return };
    let (o, i) = (&join.outer, &join.inner);
    let (mut startup, mut run) = (w.startup, w.run);
    if !s.enable_hashjoin {
        startup += DISABLE_COST;
    }
    let virt = w.buckets * w.batches;
    let (mut bucket, mut mcv) = (1.0f64, 1.0f64);
    if matches!(i.kind, PathKind::Unique { .. }) {
        bucket = 1.0 / virt;
        mcv = 0.0;
    } else {
        for c in clauses {
            let (b, m) = bucket_of(g, root, c, i.rel, virt);
            bucket = bucket.min(b);
            mcv = mcv.min(m);
        }
    }
    if byte_size(clamp_rows(i.rows * mcv), i.target.width) > s.hash_mem_bytes() {
        startup += DISABLE_COST;
    }
    let hq = list_cost(g, clauses);
    let mut qp = list_cost(g, join.clauses.iter());
    qp.startup -= hq.startup;
    qp.per_tuple -= hq.per_tuple;
    startup += hq.startup;
    let tuples = if early_out(join.kind, x) {
        let matched = (o.rows * x.match_frac).round_ties_even();
        let frac = 2.0 / (x.match_count + 1.0);
        run += hq.per_tuple * matched * clamp_rows(i.rows * bucket * frac) * 0.5;
        run += hq.per_tuple * (o.rows - matched) * clamp_rows(i.rows / virt) * 0.05;
        if join.kind == JoinType::Anti { o.rows - matched } else { matched }
    } else {
        run += hq.per_tuple * o.rows * clamp_rows(i.rows * bucket) * 0.5;
        approx_tuples(g, root, o, i, clauses)
    };
    startup += qp.startup + p.target.cost.startup;
    run += (s.cpu_tuple_cost + qp.per_tuple) * tuples + p.target.cost.per_tuple * p.rows;
    p.startup = startup;
    p.total = startup + run;
}

fn bucket_of(g: &Glob<'_>, root: &Root, c: &Ri, inner: Relids, virt: f64) -> (f64, f64) {
    let Expr::Op(op) = &c.clause else { return (1.0, 1.0) };
    let right_is_inner = c.right_relids.subset_of(inner);
    let slot = if right_is_inner { 2 } else { 0 };
    let mut memo = c.bucket.get();
    if memo[slot] < 0.0 {
        let key = &op.args[usize::from(right_is_inner)];
        let (b, m) = groups::hash_bucket(g, root, key, virt);
        memo[slot] = b;
        memo[slot + 1] = m;
        c.bucket.set(memo);
    }
    (memo[slot], memo[slot + 1])
}

/// Rough number of rows that pass the clauses, ignoring outer-join padding.
fn approx_tuples(g: &Glob<'_>, root: &Root, o: &Path, i: &Path, clauses: &[Ri]) -> f64 {
    let s = plain_join(o.rel, i.rel);
    let sel: f64 = clauses.iter().map(|c| clause_sel(g, root, c, 0, JoinType::Inner, Some(&s))).product();
    clamp_rows(sel * o.rows * i.rows)
}

/// A join without special rules.
pub fn plain_join(left: Relids, right: Relids) -> SpecialJoin {
    SpecialJoin {
        min_left: left,
        min_right: right,
        syn_left: left,
        syn_right: right,
        kind: JoinType::Inner,
        lhs_strict: false,
        delay_upper: false,
        semi_can_hash: false,
        semi_can_sort: false,
        semi_operators: Vec::new(),
        semi_rhs: Vec::new(),
    }
}

/// First step for a merge join.
pub fn merge_initial(
    g: &Glob<'_>,
    root: &Root,
    kind: JoinType,
    clauses: &[Ri],
    o: &Path,
    i: &Path,
    outer_sort: &[PathKey],
    inner_sort: &[PathKey],
) -> Work {
    let mut w = Work::default();
    let (orows, irows) = (o.rows.max(1.0), i.rows.max(1.0));
    let (mut os, mut oe, mut is, mut ie) = (0.0, 1.0, 0.0, 1.0);
    if let (Some(c), true) = (clauses.first(), kind != JoinType::Full) {
        let keys = if outer_sort.is_empty() { &o.keys[..] } else { outer_sort };
        let (desc, nf) = keys.first().map_or((false, false), |k| (k.desc, k.nulls_first));
        let slot = usize::from(desc) + 2 * usize::from(nf);
        let mut known = c.merge_sel.get();
        let sel = known[slot].unwrap_or_else(|| {
            let s = crate::selectivity::merge::scan_fractions(g, root, &c.clause, desc, nf);
            known[slot] = Some(s);
            c.merge_sel.set(known);
            s
        });
        if c.left_relids.subset_of(o.rel) {
            [os, oe, is, ie] = sel;
        } else {
            [is, ie, os, oe] = sel;
        }
        match kind {
            JoinType::Left | JoinType::Anti => {
                os = 0.0;
                oe = 1.0;
            }
            JoinType::Right => {
                is = 0.0;
                ie = 1.0;
            }
            _ => {}
        }
    }
    let outer_skip = (orows * os).round_ties_even();
    let inner_skip = (irows * is).round_ties_even();
    let or = clamp_rows(orows * oe);
    let ir = clamp_rows(irows * ie);
    let (os, oe) = (outer_skip / orows, or / orows);
    let (is, ie) = (inner_skip / irows, ir / irows);
    let side = |p: &Path, sorted: &[PathKey], rows: f64, s: f64, e: f64| -> (f64, f64) {
        let (st, tot) = if sorted.is_empty() {
            (p.startup, p.total)
        } else {
            super::sort::sort(g, p.total, rows, p.target.width, -1.0)
        };
        (st + (tot - st) * s, (tot - st) * (e - s))
    };
    let (a, b) = side(o, outer_sort, orows, os, oe);
    w.startup += a;
    w.run += b;
    let (a, b) = side(i, inner_sort, irows, is, ie);
    w.startup += a;
    w.inner_run = b;
    w.total = w.startup + w.run + w.inner_run;
    w.outer_rows = or;
    w.inner_rows = ir;
    w.outer_skip = outer_skip;
    w.inner_skip = inner_skip;
    w
}

/// Second step for a merge join: decides on materialising the inner side and on mark/restore.
pub fn merge_final(g: &Glob<'_>, root: &Root, p: &mut Path, w: &Work, x: &JoinExtra<'_>) {
    let s = g.ctx.settings;
    let rows = p.rows;
    let target = p.target.clone();
    let PathKind::MergeJoin { join, clauses, inner_sort, skip_mark, materialize, .. } = &mut p.kind else {
        return;
    };
    let (o, i) = (&join.outer, &join.inner);
    let irows = i.rows.max(1.0);
    let (mut startup, mut run) = (w.startup, w.run);
    if !s.enable_mergejoin {
        startup += DISABLE_COST;
    }
    let mq = list_cost(g, clauses.iter());
    let mut qp = list_cost(g, join.clauses.iter());
    qp.startup -= mq.startup;
    qp.per_tuple -= mq.per_tuple;
    *skip_mark = (matches!(join.kind, JoinType::Semi | JoinType::Anti) || x.inner_unique)
        && join.clauses.len() == clauses.len();
    let tuples = approx_tuples(g, root, o, i, clauses);
    let rescanned =
        if matches!(o.kind, PathKind::Unique { .. }) || *skip_mark { 0.0 } else { (tuples - irows).max(0.0) };
    let ratio = 1.0 + rescanned / irows;
    let bare = w.inner_run * ratio;
    let mat = w.inner_run + s.cpu_operator_cost * w.inner_rows * ratio;
    *materialize = if *skip_mark {
        false
    } else if (s.enable_material && mat < bare) || (inner_sort.is_empty() && !supports_mark(i)) {
        true
    } else {
        s.enable_material && !inner_sort.is_empty() && byte_size(irows, i.target.width) > s.work_mem_bytes()
    };
    run += if *materialize { mat } else { bare };
    startup += mq.startup + mq.per_tuple * (w.outer_skip + w.inner_skip * ratio);
    run += mq.per_tuple * ((w.outer_rows - w.outer_skip) + (w.inner_rows - w.inner_skip) * ratio);
    startup += qp.startup + target.cost.startup;
    run += (s.cpu_tuple_cost + qp.per_tuple) * tuples + target.cost.per_tuple * rows;
    p.startup = startup;
    p.total = startup + run;
}

/// Can the node remember a position and go back to it?
fn supports_mark(p: &Path) -> bool {
    match &p.kind {
        PathKind::Index(_) | PathKind::Material { .. } | PathKind::Sort { .. } => true,
        PathKind::Projection { sub, dummy: true } => supports_mark(sub),
        _ => false,
    }
}
