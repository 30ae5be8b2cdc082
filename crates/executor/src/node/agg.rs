//! Agg: plain, sorted and hashed. Groups are numbered; aggregate states are vectors over group numbers that take whole
//! batches. A hashed one beyond its memory writes rows of unknown groups to partition files and works them off afterwards.

pub mod overflow;
mod shared;
mod split;

use self::overflow::{DEPTH_MAX, Overflow};
use self::shared::Shared;
use super::ordered_set::{self, SetKind};
use super::own_aggregate::{Maker, is_desc};
use super::*;
use crate::expr::{Program, colops, compile};
use crate::node::group::KeyEq;
use crate::node::group_table::GroupTable;
use crate::node::sort::{Order, Sorter};
use crate::store::{SpillFile, batch_of};
use analyze::expr::{AggSplit, Aggref};
use analyze::info::expr_type;
use analyze::walk;
use common::Oid;
use planner::instrument::HashAggInstr;
use planner::plan::{AggStrategy, GroupKey, SortKey};
use types::column::BATCH_ROWS;
use types::{AggState, Arg, CallCtx, Collation, Datum, DatumRef, Phys, Rows};

/// Output of the grouping below the target list: key and carried columns, then one column an aggregate.
pub struct AggScope<'a> {
    /// Child columns available, in order.
    pub carried: &'a [u16],
    pub aggs: &'a [Aggref],
    /// GROUPING() calls, by their columns.
    pub gfuncs: &'a [Vec<u32>],
}

impl Scope for AggScope<'_> {
    fn var(&self, v: &Var) -> Option<usize> {
        if v.varno != VarNo::Outer || v.attno < 1 {
            return None;
        }
        self.carried.iter().position(|c| *c == v.attno as u16 - 1)
    }
    fn special(&self, e: &Expr) -> Option<usize> {
        if let Expr::GroupingFunc { refs, .. } = e {
            let at = self.gfuncs.iter().position(|g| g == refs)?;
            return Some(self.carried.len() + self.aggs.len() + at);
        }
        let Expr::Aggref(a) = e else { return None };
        self.aggs.iter().position(|b| same_call(b, a)).map(|p| self.carried.len() + p)
    }
}

/// The same call? A NaN among its constants is equal to itself here.
pub fn same_call(a: &Aggref, b: &Aggref) -> bool {
    a == b || (a.aggfnoid == b.aggfnoid && format!("{a:?}") == format!("{b:?}"))
}

/// `count(*)`.
const COUNT: Oid = Oid(2803);

/// One aggregate of the node.
pub struct AggCall {
    imp: Maker,
    arg_types: Vec<Oid>,
    result_type: Oid,
    collation: Collation,
    state: Box<dyn AggState>,
    args: Program,
    /// How many of the program's values are arguments; the others are sort columns.
    nargs: usize,
    filter: Option<Qual>,
    /// DISTINCT or ORDER BY: rows wait, sorted, until their group is finished.
    ordered: Option<Ordered>,
    /// WITHIN GROUP: results by group, made when all rows are in.
    set: Option<SetKind>,
    results: Vec<Datum>,
    phys: Phys,
    split: AggSplit,
}

struct Ordered {
    sorter: Sorter,
    /// Group number, then the program's values.
    row: Batch,
    distinct: Option<KeyEq>,
}

impl AggCall {
    /// Compiles; no groups yet.
    pub fn compile(b: &BuildCx<'_>, a: &Aggref) -> Result<AggCall> {
        let set = SetKind::of(a.aggfnoid);
        // An ordered-set aggregate is made of its sorted rows; a count of them stands in for a state.
        let code = if set.is_some() { COUNT } else { a.aggfnoid };
        let nargs = if a.star { 0 } else { a.arg_types.len().min(a.args.len()) };
        let all = set.is_some() || a.split == AggSplit::Finalize;
        let nargs = if all { a.args.len() } else { nargs };
        let types: Vec<Oid> = match a.split {
            AggSplit::Finalize => a.arg_types.clone(),
            _ => a.args.iter().take(nargs).map(|t| expr_type(&t.expr)).collect(),
        };
        let collation = b.env.collation(a.input_collation)?;
        let imp = Maker::of(b.env, code, &types, a.result_type, collation)?;
        let exprs = a.args.iter().map(|t| &t.expr).chain(&a.direct_args);
        let args = compile(b.env, exprs, &OuterScope)?;
        let ordered = if a.distinct.is_empty() && a.order.is_empty() {
            None
        } else {
            Some(Ordered::compile(b.env, a, &args)?)
        };
        let filter = match &a.filter {
            Some(f) => Qual::compile(b.env, std::slice::from_ref(&**f), &OuterScope)?,
            None => None,
        };
        let arg_types = a.arg_types.iter().map(|t| b.env.storage_type(*t)).collect::<Result<Vec<Oid>>>()?;
        Ok(AggCall {
            state: imp.make(&arg_types, a.result_type, collation),
            imp,
            arg_types,
            result_type: a.result_type,
            collation,
            args,
            nargs,
            filter,
            ordered,
            set,
            results: Vec::new(),
            phys: if a.split == AggSplit::Partial { Phys::Bytes } else { b.env.phys(a.result_type)? },
            split: a.split,
        })
    }

    /// Forgets all groups.
    pub fn reset(&mut self) {
        self.state = self.fresh();
        self.results.clear();
        if let Some(o) = &mut self.ordered {
            o.sorter.clear();
        }
    }

    /// Makes room for groups `0..n`.
    pub fn grow(&mut self, n: usize) {
        self.state.resize(n);
    }

    /// Result of a group.
    pub fn finish(&self, cx: &Exec, group: usize) -> Result<types::Datum> {
        if let Some(s) = self.set {
            return Ok(self.results.get(group).cloned().unwrap_or_else(|| s.of_nothing()));
        }
        self.ctx(cx, |ctx| self.state.finish(ctx, group))
    }

    /// Forgets all groups but one, which becomes group 0.
    pub fn keep(&mut self, cx: &Exec, group: usize) -> Result<()> {
        if self.state.keep(group) {
            return Ok(());
        }
        let mut state = self.fresh();
        state.resize(1);
        self.ctx(cx, |ctx| state.combine(ctx, 0, &*self.state, group))?;
        self.state = state;
        Ok(())
    }

    /// Do its rows wait, sorted, until all are in?
    pub fn is_ordered(&self) -> bool {
        self.ordered.is_some()
    }

    /// Bytes that the groups' states take.
    pub fn memory(&self) -> usize {
        self.state.memory()
    }

    fn fresh(&self) -> Box<dyn AggState> {
        self.imp.make(&self.arg_types, self.result_type, self.collation)
    }

    fn ctx<R>(&self, cx: &Exec, f: impl FnOnce(&CallCtx<'_>) -> R) -> R {
        f(&CallCtx {
            collation: self.collation,
            result_type: self.result_type,
            arg_types: &self.arg_types,
            ..cx.call_ctx()
        })
    }

    /// Feeds the live rows of `b`; `groups` runs in parallel with them.
    pub fn update(&mut self, cx: &Exec, b: &mut Batch, groups: &[u32], scratch: &mut Scratch) -> Result<()> {
        let saved = if let Some(f) = &mut self.filter {
            let saved = b.sel.clone();
            f.filter(cx, b)?;
            // Groups of the rows that are left.
            scratch.groups.clear();
            let mut k = 0;
            let all = match &saved {
                None => Rows::All(b.rows),
                Some(s) => Rows::Sel(s),
            };
            let mut pass = b.live_count();
            let mut pos = 0;
            all.each(|i| {
                if pass > 0 && colops::nth_live(b, pos) == i {
                    scratch.groups.push(groups[k]);
                    pos += 1;
                    pass -= 1;
                }
                k += 1;
                Ok::<(), Error>(())
            })?;
            Some(saved)
        } else {
            None
        };
        let groups: &[u32] = if saved.is_some() { &scratch.groups } else { groups };
        let r = self.feed(cx, b, groups);
        if let Some(s) = saved {
            b.sel = s;
        }
        r
    }

    /// May its arguments be computed together with those of others?
    fn shares(&self) -> bool {
        let plain = self.filter.is_none() && self.ordered.is_none() && self.set.is_none();
        plain && !self.finalizes() && self.args.volatile_calls == 0
    }

    /// Feeds the live rows of `b`, whose arguments a common program has computed from its value `first` on.
    fn feed_shared(
        &mut self,
        cx: &Exec,
        b: &Batch,
        groups: &[u32],
        p: &mut Program,
        first: usize,
    ) -> Result<()> {
        if let Some(d) = p.small(first)
            && self.state.update_dec(groups, d, b.live())
        {
            return Ok(());
        }
        p.settle(first, cx, b)?;
        let ctx = CallCtx {
            collation: self.collation,
            result_type: self.result_type,
            arg_types: &self.arg_types,
            ..cx.call_ctx()
        };
        match self.nargs {
            0 => self.state.update(&ctx, groups, &[], b.live()),
            1 => self.state.update(&ctx, groups, &[p.result(first, b)], b.live()),
            n => {
                let args: Vec<Arg<'_>> = (first..first + n).map(|k| p.result(k, b)).collect();
                self.state.update(&ctx, groups, &args, b.live())
            }
        }
    }

    fn feed(&mut self, cx: &Exec, b: &Batch, groups: &[u32]) -> Result<()> {
        if b.live_count() == 0 {
            return Ok(());
        }
        self.args.run(cx, b, b.live())?;
        if let Some(o) = &mut self.ordered {
            return o.take(&cx.env, b, &self.args, groups);
        }
        if self.finalizes() {
            return self.take_states(cx, b, groups);
        }
        let ctx = CallCtx {
            collation: self.collation,
            result_type: self.result_type,
            arg_types: &self.arg_types,
            ..cx.call_ctx()
        };
        let p = &self.args;
        match self.nargs {
            0 => self.state.update(&ctx, groups, &[], b.live()),
            1 => self.state.update(&ctx, groups, &[p.result(0, b)], b.live()),
            n => {
                let args: Vec<Arg<'_>> = (0..n).map(|k| p.result(k, b)).collect();
                self.state.update(&ctx, groups, &args, b.live())
            }
        }
    }

    /// Feeds the waiting rows of ordered aggregates.
    pub fn drain(&mut self, cx: &Exec) -> Result<()> {
        let Some(mut o) = self.ordered.take() else { return Ok(()) };
        let r = match self.set {
            Some(s) => self.drain_set(cx, &mut o, s),
            None => self.drain_from(cx, &mut o),
        };
        o.sorter.clear();
        self.ordered = Some(o);
        r
    }

    /// Computes the results of an ordered-set aggregate.
    fn drain_set(&mut self, cx: &Exec, o: &mut Ordered, kind: SetKind) -> Result<()> {
        o.sorter.sort(&cx.env)?;
        let mut out = colops::like(&o.row);
        let mut rows = colops::like(&o.row);
        self.results.clear();
        loop {
            let more = o.sorter.next(&mut out, BATCH_ROWS)?;
            let mut lo = 0;
            while lo < out.rows || (!more && rows.rows > 0) {
                // Rows up to the next group go together.
                let group = if rows.rows > 0 { rows.cols[0].get(0).u32() } else { out.cols[0].get(lo).u32() };
                let same = |i: usize| more && i < out.rows && out.cols[0].get(i).u32() == group;
                let mut hi = lo;
                while same(hi) {
                    hi += 1;
                }
                for (d, s) in rows.cols.iter_mut().zip(&out.cols) {
                    colops::append_range(d, s, lo, hi);
                }
                rows.rows += hi - lo;
                lo = hi;
                if more && lo == out.rows {
                    break;
                }
                while self.results.len() < group as usize {
                    self.results.push(kind.of_nothing());
                }
                let r = ordered_set::result(kind, &rows, self.nargs, o.sorter.order(), self.result_type)?;
                self.results.push(r);
                rows.clear();
            }
            if !more {
                return Ok(());
            }
        }
    }

    fn drain_from(&mut self, cx: &Exec, o: &mut Ordered) -> Result<()> {
        o.sorter.sort(&cx.env)?;
        let mut out = colops::like(&o.row);
        let mut last = colops::like(&o.row);
        let mut groups = Vec::new();
        let mut sel = Vec::new();
        while o.sorter.next(&mut out, BATCH_ROWS)? {
            groups.clear();
            sel.clear();
            for i in 0..out.rows {
                if let Some(d) = &mut o.distinct {
                    let same = match i {
                        0 => last.rows > 0 && d.equal(cx, &out, 0, &last, 0)?,
                        _ => d.equal(cx, &out, i, &out, i - 1)?,
                    };
                    if same {
                        continue;
                    }
                }
                sel.push(i as u16);
                groups.push(out.cols[0].get(i).u32());
            }
            last.clear();
            colops::append_row(&mut last, &out, out.rows - 1);
            let args: Vec<Arg<'_>> =
                out.cols[1..=self.nargs].iter().map(|c| Arg { col: c, konst: false }).collect();
            if !sel.is_empty() {
                let state = &mut self.state;
                let arg_types = &self.arg_types;
                let ctx = CallCtx {
                    collation: self.collation,
                    result_type: self.result_type,
                    arg_types,
                    ..cx.call_ctx()
                };
                state.update(&ctx, &groups, &args, Rows::Sel(&sel))?;
            }
        }
        Ok(())
    }
}

impl Ordered {
    fn compile(env: &ExecEnv, a: &Aggref, args: &Program) -> Result<Ordered> {
        let mut kinds = vec![Phys::U32];
        kinds.extend(&args.phys);
        let mut keys = vec![SortKey {
            column: 0,
            sortop: Oid::INVALID,
            cmp_proc: Oid(356),
            desc: false,
            collation: Oid::INVALID,
            nulls_first: false,
        }];
        let column = |tle_ref: u32| {
            a.args
                .iter()
                .position(|t| t.sort_group_ref == tle_ref)
                .ok_or_else(|| Error::internal("executor: aggregate sort column not found"))
        };
        // Sorting by ORDER BY alone keeps equal arguments together only if it covers them; DISTINCT's columns follow.
        for c in a.order.iter().chain(&a.distinct) {
            let k = column(c.tle_ref)?;
            if keys.iter().any(|s| s.column as usize == k + 1) {
                continue;
            }
            let t = env.storage_type(expr_type(&a.args[k].expr))?;
            let cmp = comparison(env, t, c.sortop)?;
            let desc = is_desc(env, c.sortop)?;
            keys.push(SortKey {
                column: k as u16 + 1,
                sortop: c.sortop,
                cmp_proc: cmp,
                desc,
                collation: analyze::info::expr_collation(&a.args[k].expr),
                nulls_first: c.nulls_first,
            });
        }
        let distinct = if a.distinct.is_empty() {
            None
        } else {
            let mut group = vec![GroupKey {
                column: 0,
                eq_proc: Oid(184),
                hash_proc: Oid::INVALID,
                collation: Oid::INVALID,
            }];
            for c in &a.distinct {
                let k = column(c.tle_ref)?;
                let eq_proc = match c.eqop.0 {
                    96 => Oid(65),
                    410 => Oid(467),
                    98 => Oid(67),
                    _ => env.catalog()?.operator(c.eqop)?.code,
                };
                group.push(GroupKey {
                    column: k as u16 + 1,
                    eq_proc,
                    hash_proc: Oid::INVALID,
                    collation: analyze::info::expr_collation(&a.args[k].expr),
                });
            }
            Some(KeyEq::new(env, &group)?)
        };
        let row = batch_of(&kinds);
        Ok(Ordered { sorter: Sorter::new(Order::new(env, &keys)?, row.clone()), row, distinct })
    }

    fn take(&mut self, env: &ExecEnv, b: &Batch, args: &Program, groups: &[u32]) -> Result<()> {
        self.row.clear();
        for g in groups {
            self.row.cols[0].push(DatumRef::U32(*g));
        }
        for (k, c) in self.row.cols[1..].iter_mut().enumerate() {
            let a = args.result(k, b);
            b.live().each(|i| {
                c.push(a.get(i));
                Ok::<(), Error>(())
            })?;
        }
        self.row.rows = groups.len();
        self.sorter.append(env, &mut self.row)
    }
}

/// Buffers of [`AggCall::update`].
#[derive(Default)]
pub struct Scratch {
    groups: Vec<u32>,
}

#[derive(PartialEq, Clone, Copy)]
enum Phase {
    /// Nothing read yet.
    Start,
    /// Sorted input: more of it may come.
    Reading,
    /// Groups `at..` of the table are being given out.
    Emitting,
    Done,
}

struct Partition {
    file: SpillFile,
    depth: u32,
}

struct Agg {
    child: BoxNode,
    strategy: AggStrategy,
    /// Hashed.
    table: Option<GroupTable>,
    /// Sorted.
    eq: Option<KeyEq>,
    /// Child columns carried per group, and their values (one row a group).
    carried: Vec<u16>,
    groups_rows: Batch,
    ngroups: usize,
    calls: Vec<AggCall>,
    shared: Option<Shared>,
    params: Vec<u32>,
    stamp: u64,
    phase: Phase,
    at: usize,
    groups: Vec<u32>,
    fresh: Vec<u16>,
    scratch: Scratch,
    /// Input of the target list.
    input: Batch,
    tail: Tail,
    /// Hash aggregation that ran out of memory: rows of new groups go to these files.
    spilling: Option<Overflow>,
    depth: u32,
    pending: Vec<Partition>,
    spill_batch: Batch,
    /// Sorted: last input row seen belongs to the last group.
    last: Batch,
    child_shape: Batch,
    node_id: u32,
    peak: usize,
    spilled: u64,
    /// Number of groups at which memory is looked at again, and batches since.
    check_at: usize,
    unchecked: u32,
    batches: u64,
}

/// Agg.
pub fn build(
    b: &BuildCx<'_>,
    plan: &Plan,
    child: &Plan,
    strategy: AggStrategy,
    keys: &[GroupKey],
    _num_groups: f64,
    grouping_sets: &[planner::plan::Rollup],
) -> Result<BoxNode> {
    if !grouping_sets.is_empty() {
        return super::grouping_sets::build(b, plan, child, grouping_sets);
    }
    let mut aggs: Vec<Aggref> = Vec::new();
    let mut carried: Vec<u16> = Vec::new();
    for e in plan.targetlist.iter().map(|t| &t.expr).chain(&plan.qual) {
        walk::walk(e, 0, &mut |e, _| match e {
            Expr::Aggref(a) => {
                if !aggs.iter().any(|b| same_call(b, a)) {
                    aggs.push((**a).clone());
                }
                false
            }
            Expr::Var(v) if v.varno == VarNo::Outer && v.attno > 0 => {
                let c = v.attno as u16 - 1;
                if !carried.contains(&c) {
                    carried.push(c);
                }
                true
            }
            _ => true,
        });
    }
    let phys = output_phys(b.env, child)?;
    let calls = aggs.iter().map(|a| AggCall::compile(b, a)).collect::<Result<Vec<_>>>()?;
    let mut kinds: Vec<Phys> = carried.iter().map(|c| phys[*c as usize]).collect();
    let groups_rows = batch_of(&kinds);
    kinds.extend(calls.iter().map(|c| c.phys));
    let tail =
        Tail::compile(b, plan, &AggScope { carried: &carried, aggs: &aggs, gfuncs: &[] }, kinds.len())?;
    let hashed = strategy == AggStrategy::Hashed;
    Ok(Box::new(Agg {
        child: super::build(b, child)?,
        strategy,
        table: if hashed { Some(GroupTable::new(b.env, keys, &phys)?) } else { None },
        eq: if strategy == AggStrategy::Sorted { Some(KeyEq::new(b.env, keys)?) } else { None },
        carried,
        groups_rows,
        ngroups: 0,
        shared: Shared::compile(b, &aggs, &calls)?,
        calls,
        params: plan.ext_params.clone(),
        stamp: 0,
        phase: Phase::Start,
        at: 0,
        groups: Vec::new(),
        fresh: Vec::new(),
        scratch: Scratch::default(),
        input: batch_of(&kinds),
        tail,
        spilling: None,
        depth: 0,
        pending: Vec::new(),
        spill_batch: batch_of(&phys),
        last: batch_of(&phys),
        child_shape: batch_of(&phys),
        node_id: plan.node_id,
        peak: 0,
        spilled: 0,
        check_at: 0,
        unchecked: 0,
        batches: 1,
    }))
}

impl Agg {
    fn reset_groups(&mut self) {
        self.groups_rows.clear();
        self.ngroups = 0;
        self.check_at = 0;
        self.at = 0;
        if let Some(t) = &mut self.table {
            t.clear();
        }
        for c in &mut self.calls {
            c.state = c.fresh();
        }
    }

    /// Makes room for the groups there are.
    fn grow(&mut self, n: usize) {
        self.ngroups = n;
        for c in &mut self.calls {
            c.state.resize(n);
        }
    }

    fn carry(&mut self, from: &Batch, rows: &[u16]) {
        for (k, c) in self.carried.iter().enumerate() {
            colops::append_gather(&mut self.groups_rows.cols[k], &from.cols[*c as usize], rows);
        }
        self.groups_rows.rows += rows.len();
    }

    fn update_all(&mut self, cx: &Exec, b: &mut Batch) -> Result<()> {
        if let Some(s) = &mut self.shared
            && b.live_count() > 0
        {
            s.program.run(cx, b, b.live())?;
        }
        for (k, c) in self.calls.iter_mut().enumerate() {
            match self.shared.as_mut().and_then(|s| Some((&mut s.program, s.first[k]?))) {
                Some((program, first)) if b.live_count() > 0 => {
                    c.feed_shared(cx, b, &self.groups, program, first)?;
                }
                _ => c.update(cx, b, &self.groups, &mut self.scratch)?,
            }
        }
        Ok(())
    }

    fn drain_all(&mut self, cx: &Exec) -> Result<()> {
        self.calls.iter_mut().try_for_each(|c| c.drain(cx))
    }

    fn run_plain(&mut self, cx: &Exec) -> Result<()> {
        self.grow(1);
        while self.child.next(cx, usize::MAX)? {
            cx.check_interrupts()?;
            let n = self.child.batch().live_count();
            self.groups.clear();
            self.groups.resize(n, 0);
            if self.groups_rows.rows == 0 && !self.carried.is_empty() {
                let i = colops::nth_live(self.child.batch(), 0) as u16;
                let b = std::mem::take(self.child.batch_mut());
                self.carry(&b, &[i]);
                *self.child.batch_mut() = b;
            }
            let mut b = std::mem::take(self.child.batch_mut());
            let r = self.update_all(cx, &mut b);
            *self.child.batch_mut() = b;
            r?;
        }
        self.drain_all(cx)?;
        // Without rows the carried columns are NULL.
        if self.groups_rows.rows == 0 {
            self.groups_rows.cols.iter_mut().for_each(|c| c.push(DatumRef::Null));
            self.groups_rows.rows = 1;
        }
        Ok(())
    }

    fn take_hashed(&mut self, cx: &Exec, b: &mut Batch) -> Result<()> {
        let frozen = self.spilling.is_some();
        let mut groups = std::mem::take(&mut self.groups);
        let mut fresh = std::mem::take(&mut self.fresh);
        let table = self.table.as_mut().ok_or_else(|| Error::internal("executor: no group table"))?;
        table.find(cx, b, frozen, &mut groups, &mut fresh)?;
        let n = table.groups();
        if frozen && groups.contains(&u32::MAX) {
            let files = self.spilling.as_mut().ok_or_else(|| Error::internal("executor: not spilling"))?;
            files.put_unknown(cx, table, b, &mut groups, self.depth, &mut self.spill_batch)?;
        }
        self.groups = groups;
        if !fresh.is_empty() {
            self.carry(b, &fresh);
            self.grow(n);
        }
        self.fresh = fresh;
        if b.live_count() > 0 {
            self.update_all(cx, b)?;
        }
        Ok(())
    }

    /// Adding up what all groups hold is not free: it is done when there are notably more of them, and now and then.
    fn check_memory(&mut self, cx: &Exec) {
        self.unchecked += 1;
        if self.ngroups < self.check_at && self.unchecked < 64 {
            return;
        }
        self.unchecked = 0;
        self.check_at = self.ngroups + (self.ngroups / 16).clamp(1, 8192);
        let used = self.table.as_ref().map_or(0, GroupTable::memory)
            + colops::memory(&self.groups_rows)
            + self.calls.iter().map(|c| c.state.memory()).sum::<usize>();
        self.peak = self.peak.max(used);
        let can = self.depth < DEPTH_MAX && self.calls.iter().all(|c| c.ordered.is_none());
        if used > cx.env.hash_mem() && self.spilling.is_none() && can && self.ngroups > 1 {
            self.spilling = Some(Overflow::default());
        }
    }

    fn close_spill(&mut self) {
        for file in self.spilling.take().into_iter().flat_map(Overflow::files) {
            self.spilled += file.len();
            self.batches += 1;
            self.pending.push(Partition { file, depth: self.depth + 1 });
        }
    }

    fn run_hashed(&mut self, cx: &Exec) -> Result<()> {
        while self.child.next(cx, usize::MAX)? {
            cx.check_interrupts()?;
            let mut b = std::mem::take(self.child.batch_mut());
            let r = self.take_hashed(cx, &mut b);
            *self.child.batch_mut() = b;
            r?;
            self.check_memory(cx);
        }
        self.close_spill();
        self.drain_all(cx)
    }

    /// Works the next partition off; false if there is none.
    fn run_partition(&mut self, cx: &Exec) -> Result<bool> {
        let Some(mut p) = self.pending.pop() else { return Ok(false) };
        self.reset_groups();
        self.depth = p.depth;
        let mut at = 0;
        let mut b = colops::like(&self.child_shape);
        while at < p.file.len() {
            cx.check_interrupts()?;
            at = p.file.read(at, &mut b)?;
            self.take_hashed(cx, &mut b)?;
            self.check_memory(cx);
        }
        self.close_spill();
        self.depth = 0;
        Ok(true)
    }

    /// Reads sorted input until enough groups are complete; the last one stays open unless the input ended.
    fn run_sorted(&mut self, cx: &Exec, want: usize) -> Result<()> {
        let enough = want.clamp(1, BATCH_ROWS);
        loop {
            if !self.child.next(cx, usize::MAX)? {
                self.phase = Phase::Done;
                self.drain_all(cx)?;
                return Ok(());
            }
            cx.check_interrupts()?;
            let mut b = std::mem::take(self.child.batch_mut());
            let r = self.take_sorted(cx, &mut b);
            *self.child.batch_mut() = b;
            r?;
            let ordered = self.calls.iter().any(|c| c.ordered.is_some());
            if self.ngroups > enough && !ordered {
                return Ok(());
            }
        }
    }

    fn take_sorted(&mut self, cx: &Exec, b: &mut Batch) -> Result<()> {
        let Some(eq) = &mut self.eq else { return Err(Error::internal("executor: no keys")) };
        self.groups.clear();
        self.fresh.clear();
        let mut n = self.ngroups;
        let mut prev: Option<usize> = None;
        for k in 0..b.live_count() {
            let i = colops::nth_live(b, k);
            let same = match prev {
                Some(p) => eq.equal(cx, b, i, b, p)?,
                None => n > 0 && self.last.rows > 0 && eq.equal(cx, b, i, &self.last, 0)?,
            };
            if !same {
                n += 1;
                self.fresh.push(i as u16);
            }
            self.groups.push(n as u32 - 1);
            prev = Some(i);
        }
        if let Some(p) = prev {
            self.last.clear();
            colops::append_row(&mut self.last, b, p);
        }
        let fresh = std::mem::take(&mut self.fresh);
        self.carry(b, &fresh);
        self.fresh = fresh;
        self.grow(n);
        self.update_all(cx, b)
    }

    /// Gives out groups `at..upto`, `want` at a time. True if a batch has rows.
    fn emit(&mut self, cx: &Exec, upto: usize, want: usize) -> Result<bool> {
        while self.at < upto {
            let to = (self.at + want.clamp(1, BATCH_ROWS)).min(upto);
            self.input.clear();
            let nc = self.carried.len();
            for (d, s) in self.input.cols[..nc].iter_mut().zip(&self.groups_rows.cols) {
                colops::append_range(d, s, self.at, to);
            }
            for (k, c) in self.calls.iter().enumerate() {
                let col = &mut self.input.cols[nc + k];
                if c.is_partial() {
                    c.put_states(self.at..to, col)?;
                    continue;
                }
                if c.set.is_some() {
                    for g in self.at..to {
                        col.push(c.finish(cx, g)?.as_ref());
                    }
                    continue;
                }
                c.ctx(cx, |ctx| -> Result<()> {
                    for g in self.at..to {
                        col.push(c.state.finish(ctx, g)?.as_ref());
                    }
                    Ok(())
                })?;
            }
            self.input.rows = to - self.at;
            self.at = to;
            if self.tail.finish_own(cx, &mut self.input)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Sorted: forgets the groups given out, keeps the open one as group 0.
    fn keep_last(&mut self, cx: &Exec) -> Result<()> {
        let last = self.ngroups - 1;
        self.calls.iter_mut().try_for_each(|c| c.keep(cx, last))?;
        let mut rows = colops::like(&self.groups_rows);
        for (d, s) in rows.cols.iter_mut().zip(&self.groups_rows.cols) {
            colops::append_range(d, s, last, last + 1);
        }
        rows.rows = 1;
        self.groups_rows = rows;
        self.ngroups = 1;
        self.at = 0;
        Ok(())
    }

    fn next_sorted(&mut self, cx: &Exec, want: usize) -> Result<bool> {
        loop {
            let complete =
                if self.phase == Phase::Done { self.ngroups } else { self.ngroups.saturating_sub(1) };
            if self.emit(cx, complete, want)? {
                return Ok(true);
            }
            if self.phase == Phase::Done {
                return Ok(false);
            }
            if self.ngroups > 1 {
                self.keep_last(cx)?;
            }
            self.run_sorted(cx, want)?;
        }
    }

    fn report(&self, cx: &Exec) {
        if self.strategy == AggStrategy::Hashed {
            let h = HashAggInstr {
                batches: self.batches,
                memory_kb: (self.peak as u64).div_ceil(1024).max(24),
                disk_kb: self.spilled.div_ceil(1024),
            };
            cx.instr(self.node_id, |i| i.agg = Some(h));
        }
    }
}

impl ExecNode for Agg {
    fn next(&mut self, cx: &Exec, want: usize) -> Result<bool> {
        if self.phase == Phase::Start {
            self.reset_groups();
            self.last.clear();
            self.pending.clear();
            self.child.rescan(cx)?;
            self.phase = Phase::Emitting;
            match self.strategy {
                AggStrategy::Plain => self.run_plain(cx)?,
                AggStrategy::Hashed => {
                    self.run_hashed(cx)?;
                    self.report(cx);
                }
                AggStrategy::Sorted => self.phase = Phase::Reading,
                AggStrategy::Mixed => {
                    return Err(Error::internal("executor: mixed strategy without grouping sets"));
                }
            }
        }
        if self.strategy == AggStrategy::Sorted {
            return self.next_sorted(cx, want);
        }
        loop {
            if self.emit(cx, self.ngroups, want)? {
                return Ok(true);
            }
            if !self.run_partition(cx)? {
                return Ok(false);
            }
        }
    }
    fn batch(&self) -> &Batch {
        &self.tail.proj.out
    }
    fn batch_mut(&mut self) -> &mut Batch {
        &mut self.tail.proj.out
    }
    fn rescan(&mut self, cx: &Exec) -> Result<()> {
        let stamp = cx.stamp(&self.params);
        // Results of plain and in-memory hashed aggregation can be given out again.
        let whole =
            self.phase == Phase::Emitting && self.strategy != AggStrategy::Sorted && self.batches == 1;
        if whole && stamp == self.stamp {
            self.at = 0;
            return Ok(());
        }
        self.stamp = stamp;
        self.phase = Phase::Start;
        Ok(())
    }
    fn end(&mut self, cx: &Exec) {
        self.tail.report(cx);
        self.stamp = 0;
        self.phase = Phase::Start;
        if self.ngroups > BATCH_ROWS {
            self.groups_rows = colops::like(&self.groups_rows);
        }
        self.reset_groups();
        self.pending.clear();
        self.batches = 1;
        self.spilled = 0;
        self.child.end(cx);
    }
}

/// The comparison that goes with a sort operator: that of the type, unless the operator or the type is a user's.
fn comparison(env: &ExecEnv, t: Oid, sortop: Oid) -> Result<Oid> {
    let usual = types::storage_info(t).map_or(Oid::INVALID, |i| i.cmp);
    if usual.is_valid() && sortop < Oid::FIRST_NORMAL {
        return Ok(usual);
    }
    let c = env.catalog()?;
    for a in c.amops_of(sortop)?.iter().filter(|a| a.method == catalog::builtins::BTREE_AM) {
        if let Some(p) = c.amproc(a.family, a.left, a.right, 1)? {
            return Ok(p);
        }
    }
    Ok(usual)
}
