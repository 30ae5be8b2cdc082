//! Agg over GROUPING SETS. Every set has groups and states of its own. Hashed sets take rows as they come; a rollup over
//! sorted input sees for each row how many leading keys it shares with the row before, which closes groups of the longer
//! sets; further rollups sort the input anew. Rows go out as groups close, hashed sets last.

use super::agg::{AggCall, AggScope, Scratch, same_call};
use super::group::KeyEq;
use super::group_table::GroupTable;
use super::sort::{Order, Sorter};
use super::*;
use crate::expr::colops;
use crate::store::batch_of;
use analyze::expr::Aggref;
use analyze::walk;
use planner::instrument::HashAggInstr;
use planner::plan::Rollup;
use types::column::BATCH_ROWS;
use types::{DatumRef, Phys};

/// One grouping set.
struct Set {
    /// Number of leading keys of its rollup.
    len: usize,
    /// Carried columns that are NULL in its rows.
    hidden: Vec<usize>,
    /// Values of the GROUPING() calls.
    grouping: Vec<i32>,
    table: Option<GroupTable>,
    calls: Vec<AggCall>,
    rows: Batch,
    ngroups: usize,
    groups: Vec<u32>,
    fresh: Vec<u16>,
}

/// Sets over one order of the input.
struct Sorted {
    keys: Vec<KeyEq>,
    sorter: Option<Sorter>,
    sets: Vec<Set>,
    last: Batch,
}

struct GroupingSets {
    child: BoxNode,
    hashed: Vec<Set>,
    sorted: Vec<Sorted>,
    carried: Vec<u16>,
    /// Closed groups to give out: sorted phase (or `usize::MAX`: hashed), set, group.
    closed: Vec<(usize, usize, u32)>,
    at: usize,
    /// Sorted phases done.
    phase: usize,
    started: bool,
    hashed_out: bool,
    scratch: Scratch,
    shape: Batch,
    input: Batch,
    tail: Tail,
    node_id: u32,
}

/// What a set adds up, with empty states.
fn make_set(
    b: &BuildCx<'_>,
    r: &Rollup,
    len: usize,
    carried: &[u16],
    grouped: &[u16],
    aggs: &[Aggref],
    gfuncs: &[Vec<u32>],
    phys: &[Phys],
) -> Result<Set> {
    let kinds: Vec<Phys> = carried.iter().map(|c| phys[*c as usize]).collect();
    let shown: Vec<u16> = r.keys[..len].iter().map(|k| k.column).collect();
    let hidden = (0..carried.len())
        .filter(|i| grouped.contains(&carried[*i]) && !shown.contains(&carried[*i]))
        .collect();
    let grouping = gfuncs
        .iter()
        .map(|refs| refs.iter().fold(0, |v, x| v << 1 | i32::from(!r.refs[..len].contains(x))))
        .collect();
    Ok(Set {
        len,
        hidden,
        grouping,
        table: if r.hashed { Some(GroupTable::new(b.env, &r.keys, phys)?) } else { None },
        calls: aggs.iter().map(|a| AggCall::compile(b, a)).collect::<Result<_>>()?,
        rows: batch_of(&kinds),
        ngroups: 0,
        groups: Vec::new(),
        fresh: Vec::new(),
    })
}

/// Agg with grouping sets.
pub fn build(b: &BuildCx<'_>, plan: &Plan, child: &Plan, rollups: &[Rollup]) -> Result<BoxNode> {
    let mut aggs: Vec<Aggref> = Vec::new();
    let mut carried: Vec<u16> = Vec::new();
    let mut gfuncs: Vec<Vec<u32>> = Vec::new();
    for e in plan.targetlist.iter().map(|t| &t.expr).chain(&plan.qual) {
        walk::walk(e, 0, &mut |e, _| match e {
            Expr::Aggref(a) => {
                if !aggs.iter().any(|b| same_call(b, a)) {
                    aggs.push((**a).clone());
                }
                false
            }
            Expr::GroupingFunc { refs, .. } => {
                if !gfuncs.contains(refs) {
                    gfuncs.push(refs.clone());
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
    let grouped: Vec<u16> = rollups.iter().flat_map(|r| &r.keys).map(|k| k.column).collect();
    let (mut hashed, mut sorted) = (Vec::new(), Vec::new());
    for r in rollups {
        let mut sets = Vec::new();
        for len in &r.sets {
            sets.push(make_set(b, r, *len, &carried, &grouped, &aggs, &gfuncs, &phys)?);
        }
        if r.hashed {
            hashed.append(&mut sets);
            continue;
        }
        let keys =
            r.keys.iter().map(|k| KeyEq::new(b.env, std::slice::from_ref(k))).collect::<Result<Vec<_>>>()?;
        let sorter = if r.sort.is_empty() {
            None
        } else {
            Some(Sorter::new(Order::new(b.env, &r.sort)?, batch_of(&phys)))
        };
        sorted.push(Sorted { keys, sorter, sets, last: batch_of(&phys) });
    }
    let mut kinds: Vec<Phys> = carried.iter().map(|c| phys[*c as usize]).collect();
    for a in &aggs {
        kinds.push(b.env.phys(a.result_type)?);
    }
    kinds.extend(gfuncs.iter().map(|_| Phys::I32));
    let tail =
        Tail::compile(b, plan, &AggScope { carried: &carried, aggs: &aggs, gfuncs: &gfuncs }, kinds.len())?;
    Ok(Box::new(GroupingSets {
        child: super::build(b, child)?,
        hashed,
        sorted,
        carried,
        closed: Vec::new(),
        at: 0,
        phase: 0,
        started: false,
        hashed_out: false,
        scratch: Scratch::default(),
        shape: batch_of(&phys),
        input: batch_of(&kinds),
        tail,
        node_id: plan.node_id,
    }))
}

impl Set {
    fn reset(&mut self) {
        self.rows.clear();
        self.ngroups = 0;
        if let Some(t) = &mut self.table {
            t.clear();
        }
        self.calls.iter_mut().for_each(AggCall::reset);
    }

    /// Feeds a batch whose groups are known.
    fn feed(&mut self, cx: &Exec, b: &mut Batch, carried: &[u16], scratch: &mut Scratch) -> Result<()> {
        for (k, c) in carried.iter().enumerate() {
            colops::append_gather(&mut self.rows.cols[k], &b.cols[*c as usize], &self.fresh);
        }
        self.rows.rows += self.fresh.len();
        for c in &mut self.calls {
            c.grow(self.ngroups);
            c.update(cx, b, &self.groups, scratch)?;
        }
        Ok(())
    }

    fn hash(&mut self, cx: &Exec, b: &mut Batch, carried: &[u16], scratch: &mut Scratch) -> Result<()> {
        if let Some(t) = &mut self.table {
            t.find(cx, b, false, &mut self.groups, &mut self.fresh)?;
            self.ngroups = t.groups();
        }
        self.feed(cx, b, carried, scratch)
    }

    /// The row of a set without keys over no input.
    fn empty_group(&mut self) {
        self.ngroups = 1;
        self.rows.cols.iter_mut().for_each(|c| c.push(DatumRef::Null));
        self.rows.rows = 1;
        self.calls.iter_mut().for_each(|c| c.grow(1));
    }
}

impl Sorted {
    /// Feeds a batch in order; groups that close are added to `closed`.
    fn take(
        &mut self,
        cx: &Exec,
        b: &mut Batch,
        carried: &[u16],
        scratch: &mut Scratch,
        phase: usize,
        closed: &mut Vec<(usize, usize, u32)>,
    ) -> Result<()> {
        for s in &mut self.sets {
            s.groups.clear();
            s.fresh.clear();
        }
        let mut prev: Option<usize> = None;
        for k in 0..b.live_count() {
            let i = colops::nth_live(b, k);
            let mut shared = 0;
            let first = prev.is_none() && self.last.rows == 0;
            if !first {
                for eq in &mut self.keys {
                    let same = match prev {
                        Some(p) => eq.equal(cx, b, i, b, p)?,
                        None => eq.equal(cx, b, i, &self.last, 0)?,
                    };
                    if !same {
                        break;
                    }
                    shared += 1;
                }
            }
            for (n, s) in self.sets.iter_mut().enumerate() {
                if first || shared < s.len {
                    if s.ngroups > 0 {
                        closed.push((phase, n, s.ngroups as u32 - 1));
                    }
                    s.ngroups += 1;
                    s.fresh.push(i as u16);
                }
                s.groups.push(s.ngroups as u32 - 1);
            }
            prev = Some(i);
        }
        if let Some(p) = prev {
            self.last.clear();
            colops::append_row(&mut self.last, b, p);
        }
        self.sets.iter_mut().try_for_each(|s| s.feed(cx, b, carried, scratch))
    }

    fn finish(&mut self, cx: &Exec, phase: usize, closed: &mut Vec<(usize, usize, u32)>) -> Result<()> {
        for (n, s) in self.sets.iter_mut().enumerate() {
            if s.ngroups == 0 && s.len == 0 {
                s.empty_group();
            }
            if s.ngroups > 0 {
                closed.push((phase, n, s.ngroups as u32 - 1));
            }
            s.calls.iter_mut().try_for_each(|c| c.drain(cx))?;
        }
        Ok(())
    }
}

impl GroupingSets {
    fn reset(&mut self) {
        self.hashed.iter_mut().for_each(Set::reset);
        for s in &mut self.sorted {
            s.sets.iter_mut().for_each(Set::reset);
            s.last.clear();
            if let Some(x) = &mut s.sorter {
                x.clear();
            }
        }
        self.closed.clear();
        self.at = 0;
        self.phase = 0;
        self.started = false;
        self.hashed_out = false;
    }

    /// Reads all input: hashed sets, the first sorted rollup, and the sorts of the others.
    fn read(&mut self, cx: &Exec) -> Result<()> {
        self.child.rescan(cx)?;
        while self.child.next(cx, usize::MAX)? {
            cx.check_interrupts()?;
            let mut b = std::mem::take(self.child.batch_mut());
            let r = self.take(cx, &mut b);
            *self.child.batch_mut() = b;
            r?;
        }
        for s in &mut self.hashed {
            s.calls.iter_mut().try_for_each(|c| c.drain(cx))?;
        }
        if !self.hashed.is_empty() {
            let kb: usize = self
                .hashed
                .iter()
                .map(|s| s.table.as_ref().map_or(0, GroupTable::memory) + colops::memory(&s.rows))
                .sum();
            let h = HashAggInstr { batches: 1, memory_kb: (kb as u64).div_ceil(1024).max(24), disk_kb: 0 };
            cx.instr(self.node_id, |i| i.agg = Some(h));
        }
        Ok(())
    }

    fn take(&mut self, cx: &Exec, b: &mut Batch) -> Result<()> {
        for s in &mut self.hashed {
            s.hash(cx, b, &self.carried, &mut self.scratch)?;
        }
        for (n, s) in self.sorted.iter_mut().enumerate() {
            match &mut s.sorter {
                Some(x) => x.append(&cx.env, b)?,
                None => s.take(cx, b, &self.carried, &mut self.scratch, n, &mut self.closed)?,
            }
        }
        Ok(())
    }

    /// Works the next rollup off; false when all are done.
    fn advance(&mut self, cx: &Exec) -> Result<bool> {
        self.closed.clear();
        self.at = 0;
        let n = self.phase;
        if let Some(s) = self.sorted.get_mut(n) {
            self.phase += 1;
            if let Some(mut x) = s.sorter.take() {
                x.sort(&cx.env)?;
                let mut b = colops::like(&self.shape);
                while x.next(&mut b, BATCH_ROWS)? {
                    cx.check_interrupts()?;
                    s.take(cx, &mut b, &self.carried, &mut self.scratch, n, &mut self.closed)?;
                }
                x.clear();
                s.sorter = Some(x);
            }
            s.finish(cx, n, &mut self.closed)?;
            return Ok(true);
        }
        if self.hashed_out {
            return Ok(false);
        }
        self.hashed_out = true;
        for (n, s) in self.hashed.iter().enumerate() {
            self.closed.extend((0..s.ngroups as u32).map(|g| (usize::MAX, n, g)));
        }
        Ok(true)
    }

    fn emit(&mut self, cx: &Exec, want: usize) -> Result<bool> {
        while self.at < self.closed.len() {
            let to = (self.at + want.clamp(1, BATCH_ROWS)).min(self.closed.len());
            self.input.clear();
            let nc = self.carried.len();
            for &(phase, set, g) in &self.closed[self.at..to] {
                let s = if phase == usize::MAX { &self.hashed[set] } else { &self.sorted[phase].sets[set] };
                for (k, c) in self.input.cols[..nc].iter_mut().enumerate() {
                    c.push(if s.hidden.contains(&k) {
                        DatumRef::Null
                    } else {
                        s.rows.cols[k].get(g as usize)
                    });
                }
                for (c, call) in self.input.cols[nc..].iter_mut().zip(&s.calls) {
                    c.push(call.finish(cx, g as usize)?.as_ref());
                }
                for (c, v) in self.input.cols[nc + s.calls.len()..].iter_mut().zip(&s.grouping) {
                    c.push(DatumRef::I32(*v));
                }
            }
            self.input.rows = to - self.at;
            self.at = to;
            if self.tail.finish_own(cx, &mut self.input)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl ExecNode for GroupingSets {
    fn next(&mut self, cx: &Exec, want: usize) -> Result<bool> {
        if !self.started {
            self.reset();
            self.started = true;
            self.read(cx)?;
            // Groups of the first rollup that closed while reading go out with its last ones.
            let early = std::mem::take(&mut self.closed);
            if self.advance(cx)? {
                let late = std::mem::replace(&mut self.closed, early);
                self.closed.extend(late);
            }
        }
        loop {
            if self.emit(cx, want)? {
                return Ok(true);
            }
            if !self.advance(cx)? {
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
    fn rescan(&mut self, _cx: &Exec) -> Result<()> {
        self.started = false;
        Ok(())
    }
    fn end(&mut self, cx: &Exec) {
        self.tail.report(cx);
        self.reset();
        self.child.end(cx);
    }
}
