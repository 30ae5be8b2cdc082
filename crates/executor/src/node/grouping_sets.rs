//! Agg over GROUPING SETS. Every set has groups and states of its own. Hashed sets take rows as they come; a rollup over
//! sorted input sees for each row how many leading keys it shares with the row before, which closes groups of the longer
//! sets; further rollups sort the input anew. Rows go out as groups close, hashed sets last. When the hashed sets outgrow
//! their memory, rows of new groups go to files, set by set, which are worked off at the end.

use super::agg::overflow::{DEPTH_MAX, Overflow};
use super::agg::{AggCall, AggScope, Scratch, same_call};
use super::group::KeyEq;
use super::group_table::GroupTable;
use super::sort::{Order, Sorter};
use super::*;
use crate::expr::colops;
use crate::store::{SpillFile, batch_of};
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
    /// Rows of groups that have no room; how many times they were split before.
    overflow: Option<Overflow>,
    depth: u32,
}

/// What is done at present.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Start,
    /// Reading the input: hashed sets, and the rollup that it is sorted for.
    Input,
    /// Working a rollup off that the input was sorted anew for.
    Rollup(usize),
    /// Giving hashed groups out: those in memory, then those of files.
    Hashed,
    Files,
    Done,
}

/// Rows of one hashed set.
struct File {
    set: usize,
    file: SpillFile,
    depth: u32,
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
    stage: Stage,
    files: Vec<File>,
    spill_batch: Batch,
    /// Some aggregate's rows wait until all are in: nothing can go out earlier.
    ordered: bool,
    peak: usize,
    batches: u64,
    spilled: u64,
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
        overflow: None,
        depth: 0,
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
    let sets = hashed.iter().chain(sorted.iter().flat_map(|s: &Sorted| &s.sets));
    let ordered = sets.flat_map(|s: &Set| &s.calls).any(AggCall::is_ordered);
    Ok(Box::new(GroupingSets {
        child: super::build(b, child)?,
        hashed,
        sorted,
        carried,
        closed: Vec::new(),
        at: 0,
        stage: Stage::Start,
        files: Vec::new(),
        spill_batch: batch_of(&phys),
        ordered,
        peak: 0,
        batches: 1,
        spilled: 0,
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
        self.overflow = None;
        self.depth = 0;
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

    fn hash(
        &mut self,
        cx: &Exec,
        b: &mut Batch,
        carried: &[u16],
        scratch: &mut Scratch,
        tmp: &mut Batch,
    ) -> Result<()> {
        let Some(t) = &mut self.table else { return Err(Error::internal("executor: no group table")) };
        t.find(cx, b, self.overflow.is_some(), &mut self.groups, &mut self.fresh)?;
        self.ngroups = t.groups();
        let Some(files) = self.overflow.as_mut().filter(|_| self.groups.contains(&u32::MAX)) else {
            return self.feed(cx, b, carried, scratch);
        };
        let all = b.sel.clone();
        files.put_unknown(cx, t, b, &mut self.groups, self.depth, tmp)?;
        let fed = if b.live_count() > 0 { self.feed(cx, b, carried, scratch) } else { Ok(()) };
        b.sel = all;
        fed
    }

    /// Bytes that its groups take.
    fn memory(&self) -> usize {
        self.table.as_ref().map_or(0, GroupTable::memory)
            + colops::memory(&self.rows)
            + self.calls.iter().map(AggCall::memory).sum::<usize>()
    }

    /// Forgets the groups that were given out; the open one becomes the first.
    fn trim(&mut self, cx: &Exec) -> Result<()> {
        if self.ngroups < 2 {
            return Ok(());
        }
        let open = self.ngroups - 1;
        self.calls.iter_mut().try_for_each(|c| c.keep(cx, open))?;
        let mut rows = colops::like(&self.rows);
        colops::append_row(&mut rows, &self.rows, open);
        self.rows = rows;
        self.ngroups = 1;
        Ok(())
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
        self.files.clear();
        self.at = 0;
        self.stage = Stage::Start;
        self.peak = 0;
        self.batches = 1;
        self.spilled = 0;
    }

    /// Are there groups enough to be given out?
    fn enough(&self) -> bool {
        self.closed.len() >= BATCH_ROWS && !self.ordered
    }

    /// Reads input until groups of the rollup it is sorted for have closed.
    fn read(&mut self, cx: &Exec) -> Result<()> {
        while !self.enough() {
            if !self.child.next(cx, usize::MAX)? {
                return self.input_ends(cx);
            }
            cx.check_interrupts()?;
            let mut b = std::mem::take(self.child.batch_mut());
            let r = self.take(cx, &mut b);
            *self.child.batch_mut() = b;
            r?;
            self.check_memory(cx, 0..self.hashed.len());
        }
        Ok(())
    }

    fn input_ends(&mut self, cx: &Exec) -> Result<()> {
        for (n, s) in self.sorted.iter_mut().enumerate().filter(|(_, s)| s.sorter.is_none()) {
            s.finish(cx, n, &mut self.closed)?;
        }
        for s in &mut self.hashed {
            s.calls.iter_mut().try_for_each(|c| c.drain(cx))?;
        }
        (0..self.hashed.len()).for_each(|n| self.close_files(n));
        if !self.hashed.is_empty() {
            let h = HashAggInstr {
                batches: self.batches,
                memory_kb: (self.peak as u64).div_ceil(1024).max(24),
                disk_kb: self.spilled.div_ceil(1024),
            };
            cx.instr(self.node_id, |i| i.agg = Some(h));
        }
        self.stage = Stage::Rollup(0);
        Ok(())
    }

    fn take(&mut self, cx: &Exec, b: &mut Batch) -> Result<()> {
        for s in &mut self.hashed {
            s.hash(cx, b, &self.carried, &mut self.scratch, &mut self.spill_batch)?;
        }
        for (n, s) in self.sorted.iter_mut().enumerate() {
            match &mut s.sorter {
                Some(x) => x.append(&cx.env, b)?,
                None => s.take(cx, b, &self.carried, &mut self.scratch, n, &mut self.closed)?,
            }
        }
        Ok(())
    }

    /// Lets hashed sets that hold too much take no more groups.
    fn check_memory(&mut self, cx: &Exec, sets: std::ops::Range<usize>) {
        let used: usize = self.hashed[sets.clone()].iter().map(Set::memory).sum();
        self.peak = self.peak.max(used);
        if used <= cx.env.hash_mem() || self.ordered {
            return;
        }
        for s in &mut self.hashed[sets] {
            if s.overflow.is_none() && s.depth < DEPTH_MAX && s.ngroups > 1 {
                s.overflow = Some(Overflow::default());
            }
        }
    }

    fn close_files(&mut self, set: usize) {
        let s = &mut self.hashed[set];
        let depth = s.depth + 1;
        for file in s.overflow.take().into_iter().flat_map(Overflow::files) {
            self.spilled += file.len();
            self.batches += 1;
            self.files.push(File { set, file, depth });
        }
    }

    /// Goes on with a rollup; the next one is up when there is no more of it.
    fn rollup(&mut self, cx: &Exec, n: usize) -> Result<()> {
        let Some(s) = self.sorted.get_mut(n) else {
            self.stage = Stage::Hashed;
            return Ok(());
        };
        self.stage = Stage::Rollup(n + 1);
        let Some(mut x) = s.sorter.take() else { return Ok(()) };
        if s.last.rows == 0 {
            x.sort(&cx.env)?;
        }
        let mut b = colops::like(&self.shape);
        let mut more = true;
        while self.ordered || self.closed.len() < BATCH_ROWS {
            more = x.next(&mut b, BATCH_ROWS)?;
            if !more {
                break;
            }
            cx.check_interrupts()?;
            s.take(cx, &mut b, &self.carried, &mut self.scratch, n, &mut self.closed)?;
        }
        if more {
            self.stage = Stage::Rollup(n);
        } else {
            x.clear();
            s.finish(cx, n, &mut self.closed)?;
        }
        s.sorter = Some(x);
        Ok(())
    }

    /// Works the next file of a hashed set off.
    fn file(&mut self, cx: &Exec) -> Result<()> {
        let Some(mut f) = self.files.pop() else {
            self.stage = Stage::Done;
            return Ok(());
        };
        let n = f.set;
        self.hashed[n].reset();
        self.hashed[n].depth = f.depth;
        let mut b = colops::like(&self.shape);
        let mut at = 0;
        while at < f.file.len() {
            cx.check_interrupts()?;
            at = f.file.read(at, &mut b)?;
            self.hashed[n].hash(cx, &mut b, &self.carried, &mut self.scratch, &mut self.spill_batch)?;
            self.check_memory(cx, n..n + 1);
        }
        self.close_files(n);
        self.closed.extend((0..self.hashed[n].ngroups as u32).map(|g| (usize::MAX, n, g)));
        Ok(())
    }

    /// Goes on until there are rows to give out, which are listed in `closed`; false when all is done.
    fn advance(&mut self, cx: &Exec) -> Result<bool> {
        self.closed.clear();
        self.at = 0;
        if matches!(self.stage, Stage::Input | Stage::Rollup(_)) {
            for s in self.sorted.iter_mut().flat_map(|s| &mut s.sets) {
                s.trim(cx)?;
            }
        }
        while self.closed.is_empty() {
            match self.stage {
                Stage::Start => {
                    self.child.rescan(cx)?;
                    self.stage = Stage::Input;
                }
                Stage::Input => self.read(cx)?,
                Stage::Rollup(n) => self.rollup(cx, n)?,
                Stage::Hashed => {
                    self.stage = Stage::Files;
                    for (n, s) in self.hashed.iter().enumerate() {
                        self.closed.extend((0..s.ngroups as u32).map(|g| (usize::MAX, n, g)));
                    }
                }
                Stage::Files => self.file(cx)?,
                Stage::Done => return Ok(false),
            }
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
        self.reset();
        Ok(())
    }
    fn end(&mut self, cx: &Exec) {
        self.tail.report(cx);
        self.reset();
        self.child.end(cx);
    }
}
