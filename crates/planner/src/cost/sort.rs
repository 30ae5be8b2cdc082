//! Costs of sorting, materialising and merging appended inputs.

use super::*;
use crate::root::{Glob, Root};
use crate::selectivity::num_groups;

/// (startup, run) of sorting in memory or on disk; `limit` ≥ 0 bounds the output.
pub fn tuplesort(g: &Glob<'_>, tuples: f64, width: i32, limit: f64) -> (f64, f64) {
    let s = g.ctx.settings;
    let mem = s.work_mem_bytes();
    let n = tuples.max(2.0);
    let cmp = 2.0 * s.cpu_operator_cost;
    let bytes = byte_size(n, width);
    let (out_n, out_bytes) =
        if limit > 0.0 && limit < n { (limit, byte_size(limit, width)) } else { (n, bytes) };
    let startup = if out_bytes > mem {
        let pages = (bytes / 8192.0).ceil();
        let runs = bytes / mem;
        let order = (mem / (2.0 * 8192.0 + 32.0 * 8192.0)).floor().clamp(6.0, 500.0);
        let passes = if runs > order { (runs.ln() / order.ln()).ceil() } else { 1.0 };
        let accesses = 2.0 * pages * passes;
        cmp * n * log2(n) + accesses * (s.seq_page_cost * 0.75 + s.random_page_cost * 0.25)
    } else if n > 2.0 * out_n || bytes > mem {
        cmp * n * log2(2.0 * out_n)
    } else {
        cmp * n * log2(n)
    };
    (startup, s.cpu_operator_cost * n)
}

/// (startup, total) of a Sort over an input of total cost `input`.
pub fn sort(g: &Glob<'_>, input: f64, tuples: f64, width: i32, limit: f64) -> (f64, f64) {
    let (st, run) = tuplesort(g, tuples, width, limit);
    let mut startup = input + st;
    if !g.ctx.settings.enable_sort {
        startup += DISABLE_COST;
    }
    (startup, startup + run)
}

/// (startup, total) of an Incremental Sort on `presorted` leading keys.
pub fn incremental(
    g: &Glob<'_>,
    root: &Root,
    keys: &[crate::path::PathKey],
    presorted: usize,
    in_startup: f64,
    in_total: f64,
    tuples: f64,
    width: i32,
    limit: f64,
) -> (f64, f64) {
    let s = g.ctx.settings;
    let tuples = tuples.max(2.0);
    let run = in_total - in_startup;
    let exprs: Vec<&Expr> =
        keys[..presorted].iter().filter_map(|k| root.ecs[k.ec].members.first()).map(|m| &m.expr).collect();
    let groups = if exprs.iter().any(|e| crate::exprs::pull_rtis(e).is_empty()) {
        tuples.min(200.0)
    } else {
        num_groups(g, root, &exprs, tuples)
    };
    let per_group = tuples / groups;
    let group_input = run / groups;
    let (gs, gr) = tuplesort(g, 1.5 * per_group, width, limit);
    let startup = gs + in_startup + group_input;
    let mut r = gr + (gr + gs) * (groups - 1.0) + group_input * (groups - 1.0);
    r += s.cpu_tuple_cost * tuples;
    r += 2.0 * s.cpu_tuple_cost * groups;
    (startup, startup + r)
}

/// (startup, total) of a Material node.
pub fn material(g: &Glob<'_>, in_startup: f64, in_total: f64, tuples: f64, width: i32) -> (f64, f64) {
    let s = g.ctx.settings;
    let bytes = byte_size(tuples, width);
    let mut run = in_total - in_startup + 2.0 * s.cpu_operator_cost * tuples;
    if bytes > s.work_mem_bytes() {
        run += s.seq_page_cost * (bytes / 8192.0).ceil();
    }
    (in_startup, in_startup + run)
}
