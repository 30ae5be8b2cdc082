//! NestLoop whose inner side is an index scan, many outer rows at a time: first the index is searched for each of them,
//! then the rows found are fetched together, so that the processor can be told about them beforehand and the inner side's
//! filter and target list run on whole batches. The order is that of the loop. Plain queries only: a re-check of updated
//! rows and EXPLAIN ANALYZE, which shows every loop of the inner side, take the loop itself.

use super::join_common::{Pairs, Side};
use super::run_filters::Filters;
use super::scan::{KeyKind, Keys, RelCols, dir_of, heap_of, relation_of};
use super::*;
use crate::expr::colops;
use access::{BtScan, Direction, FetchStatus, IndexFetch, IndexRel, Rel, ScanOp, WARM_MAX};
use analyze::expr::{Param, ParamKind};
use analyze::query::{CmdType, JoinType};
use analyze::walk;
use common::Tid;
use planner::plan::{IndexCondKind, JoinCommon};
use transam::Snapshot;
use types::DatumRef;
use types::column::BATCH_ROWS;

/// Index entries of one outer row that semi and anti joins fetch with those of other rows; if these do not decide, the
/// rest is looked at by itself.
const FIRST_MATCHES: usize = 8;

struct IndexJoin {
    outer: BoxNode,
    pairs: Pairs,
    heap: Rc<Rel>,
    ix: Rc<IndexRel>,
    dir: Direction,
    keys: Keys,
    cols: RelCols,
    /// Heap columns, then the parameters that the inner side's expressions read.
    input: Batch,
    param_cols: Vec<u16>,
    /// The inner side's filter and target list.
    inner: Tail,
    /// What joins above want of the heap's columns.
    filters: Filters,
    scan: Option<BtScan>,
    /// For marking entries of dead rows.
    killer: Option<BtScan>,
    fetch: Option<IndexFetch>,
    leaf: Vec<Tid>,
    /// Entries found, with their outer rows; those before `at` are done.
    tids: Vec<Tid>,
    of: Vec<u16>,
    at: usize,
    /// Outer rows of the batch `input` was filled with.
    found: Vec<u16>,
    dead: Vec<usize>,
    /// Next outer row (among the live ones); its scan is open.
    row: usize,
    open: bool,
    loaded: bool,
    matched: Vec<bool>,
    out_rows: Vec<u16>,
    in_rows: Vec<u16>,
}

/// Parameters of the loop as columns.
struct ParamScope<'a> {
    cols: Option<&'a RelCols>,
    /// (parameter, column).
    params: &'a [(u32, usize)],
}

impl Scope for ParamScope<'_> {
    fn var(&self, v: &Var) -> Option<usize> {
        self.cols?.var(v)
    }
    fn special(&self, e: &Expr) -> Option<usize> {
        let id = exec_param(e)?;
        self.params.iter().find(|p| p.0 == id).map(|p| p.1)
    }
}

fn exec_param(e: &Expr) -> Option<u32> {
    match e {
        Expr::Param(Param { kind: ParamKind::Exec, id, .. }) => Some(*id),
        _ => None,
    }
}

/// The node, if the loop is of this kind.
pub fn build(
    b: &BuildCx<'_>,
    plan: &Plan,
    join: &JoinCommon,
    params: &[(u32, u16)],
) -> Result<Option<BoxNode>> {
    let inner = &*join.inner;
    let Node::IndexScan { rti, index, conds, direction } = &inner.node else { return Ok(None) };
    let plain = b.stmt.command == CmdType::Select && b.stmt.row_marks.is_empty() && !b.stmt.has_modifying_cte;
    let kind = matches!(join.kind, JoinType::Inner | JoinType::Semi | JoinType::Anti);
    let simple = conds.iter().all(|c| {
        matches!(c.kind, IndexCondKind::Op { .. } | IndexCondKind::IsNull | IndexCondKind::IsNotNull)
    });
    if b.instrument || inner.parallel_aware || !plain || !kind || !simple || !inner.init_plans.is_empty() {
        return Ok(None);
    }
    let exprs = || inner.targetlist.iter().map(|t| &t.expr).chain(&inner.qual);
    let (mut used, mut sub_plans) = (Vec::new(), false);
    for e in exprs().chain(&join.joinqual) {
        walk::walk(e, 0, &mut |e, _| {
            sub_plans |= matches!(e, Expr::SubPlan(_));
            if let Some(id) = exec_param(e)
                && let Some(p) = params.iter().find(|p| p.0 == id)
                && !used.contains(p)
            {
                used.push(*p);
            }
            true
        });
    }
    if sub_plans {
        return Ok(None);
    }
    let all: Vec<(u32, usize)> = params.iter().map(|p| (p.0, usize::from(p.1))).collect();
    let (keys, ix, _) = Keys::compile_in(b, *index, conds, &ParamScope { cols: None, params: &all })?;
    let heap = heap_of(b.env, relation_of(b, *rti)?)?;
    let cols = RelCols::collect(exprs(), &heap, false)?;
    let mut input = cols.batch(&heap);
    let base = input.cols.len();
    let outer_phys = output_phys(b.env, &join.outer)?;
    input.cols.extend(used.iter().map(|p| types::Column::new(outer_phys[usize::from(p.1)])));
    let places: Vec<(u32, usize)> = used.iter().enumerate().map(|(k, p)| (p.0, base + k)).collect();
    let scope = ParamScope { cols: Some(&cols), params: &places };
    let tail = Tail::compile(b, inner, &scope, input.cols.len())?;
    let pairs = Pairs::compile(b, plan, join, &[])?;
    let volatile = keys.values.is_volatile()
        || tail.is_volatile()
        || pairs.joinqual.as_ref().is_some_and(Qual::is_volatile)
        || pairs.tail.is_volatile();
    if volatile {
        return Ok(None);
    }
    Ok(Some(Box::new(IndexJoin {
        outer: super::build(b, &join.outer)?,
        pairs,
        heap,
        ix,
        dir: dir_of(*direction),
        keys,
        cols,
        input,
        param_cols: used.iter().map(|p| p.1).collect(),
        inner: tail,
        filters: Filters::default(),
        scan: None,
        killer: None,
        fetch: None,
        leaf: Vec::new(),
        tids: Vec::new(),
        of: Vec::new(),
        at: 0,
        found: Vec::new(),
        dead: Vec::new(),
        row: 0,
        open: false,
        loaded: false,
        matched: Vec::new(),
        out_rows: Vec::new(),
        in_rows: Vec::new(),
    })))
}

/// Puts the values of an outer row into the keys; false if one is NULL, which matches nothing.
fn set_keys(keys: &mut Keys, outer: &Batch, row: usize) -> bool {
    for (key, kind) in keys.keys.iter_mut().zip(&keys.kinds) {
        if let KeyKind::Op(s, k, cmp) = kind {
            let v = keys.values.result(*k, outer).get(row);
            if v == DatumRef::Null {
                return false;
            }
            key.op = ScanOp::Cmp(*s, v.to_owned(), *cmp);
        }
    }
    true
}

impl IndexJoin {
    /// Makes sure that there is an outer row to be looked at; false at the end.
    fn load(&mut self, cx: &Exec, want: usize) -> Result<bool> {
        if self.loaded && self.row < self.outer.batch().live_count() {
            return Ok(true);
        }
        cx.check_interrupts()?;
        self.loaded = self.outer.next(cx, want)?;
        self.row = 0;
        self.open = false;
        if self.loaded {
            let outer = self.outer.batch();
            self.keys.values.run(cx, outer, outer.live())?;
        }
        Ok(self.loaded)
    }

    /// Opens the scan for the present outer row; false if it can match nothing.
    fn open_row(&mut self) -> bool {
        let outer = self.outer.batch();
        if !set_keys(&mut self.keys, outer, colops::nth_live(outer, self.row)) {
            return false;
        }
        self.keys.begin(&mut self.scan, &self.ix, self.dir, false);
        true
    }

    /// Searches the index for outer rows until enough entries are there or the outer batch ends.
    fn collect(&mut self, cx: &Exec, enough: usize) -> Result<()> {
        let eng = cx.engine()?;
        self.tids.clear();
        self.of.clear();
        self.at = 0;
        while self.tids.len() < enough && self.row < self.outer.batch().live_count() {
            if !self.open {
                self.open = self.open_row();
            }
            let more = match &mut self.scan {
                Some(s) if self.open => s.next_batch(eng, &mut self.leaf, None)?,
                _ => false,
            };
            if more {
                let o = colops::nth_live(self.outer.batch(), self.row) as u16;
                self.tids.extend_from_slice(&self.leaf);
                self.of.resize(self.tids.len(), o);
            } else {
                self.open = false;
                self.row += 1;
            }
        }
        Ok(())
    }

    /// Fetches rows of the entries found and runs the inner side's filter and target list on them; false if none is
    /// left.
    fn fetch_rows(&mut self, cx: &Exec, most: usize) -> Result<bool> {
        let eng = cx.engine()?;
        let Some(fetch) = &mut self.fetch else { return Err(Error::internal("executor: scan not open")) };
        self.input.clear();
        self.found.clear();
        self.dead.clear();
        let from = self.at;
        while self.at < self.tids.len() && self.found.len() < most {
            if (self.at - from).is_multiple_of(WARM_MAX) {
                cx.check_interrupts()?;
                fetch.warm(eng, &self.tids[self.at..]);
            }
            match fetch.fetch_into(eng, self.tids[self.at], &mut self.input)? {
                FetchStatus::Found(_) => self.found.push(self.of[self.at]),
                FetchStatus::AllDead => self.dead.push(self.at),
                FetchStatus::NotVisible => {}
            }
            self.at += 1;
        }
        if !self.dead.is_empty() {
            self.kill(cx)?;
        }
        if self.found.is_empty() {
            return Ok(false);
        }
        if self.filters.any() {
            self.filters.apply(&mut self.input, |_| true);
            if self.input.live_count() == 0 {
                return Ok(false);
            }
        }
        let outer = self.outer.batch();
        let base = self.input.cols.len() - self.param_cols.len();
        for (d, c) in self.input.cols[base..].iter_mut().zip(&self.param_cols) {
            colops::append_gather(d, &outer.cols[usize::from(*c)], &self.found);
        }
        self.inner.finish_own(cx, &mut self.input)
    }

    /// Marks the entries of rows that are dead to everyone, so that later scans pass over them. Since the row was looked at,
    /// vacuum may have made room for another one at its place: it is looked at again when the entry's page has been
    /// read. The entry is marked only if that page has not changed since, and as long as the entry is there, so is the row.
    fn kill(&mut self, cx: &Exec) -> Result<()> {
        let eng = cx.engine()?;
        let Some(fetch) = &mut self.fetch else { return Ok(()) };
        let mut unused = self.cols.batch(&self.heap);
        for &d in &self.dead {
            if !set_keys(&mut self.keys, self.outer.batch(), usize::from(self.of[d])) {
                continue;
            }
            self.keys.begin(&mut self.killer, &self.ix, self.dir, false);
            let Some(k) = &mut self.killer else { continue };
            while k.next_batch(eng, &mut self.leaf, None)? {
                if let Some(n) = self.leaf.iter().position(|t| *t == self.tids[d]) {
                    if matches!(fetch.fetch_into(eng, self.tids[d], &mut unused)?, FetchStatus::AllDead) {
                        k.kill(n);
                    }
                    break;
                }
            }
        }
        if let Some(k) = &mut self.killer {
            k.end(eng);
        }
        self.killer = None;
        Ok(())
    }

    /// Pairs the rows fetched with their outer rows and tests the join's condition; returns how many are left.
    fn pair(&mut self, cx: &Exec) -> Result<usize> {
        let inner = &self.inner.proj.out;
        self.in_rows.clear();
        match inner.live() {
            types::Rows::All(n) => self.in_rows.extend(0..n as u16),
            types::Rows::Sel(s) => self.in_rows.extend_from_slice(s),
        }
        self.out_rows.clear();
        self.out_rows.extend(self.in_rows.iter().map(|i| self.found[usize::from(*i)]));
        self.pairs.batch.clear();
        self.pairs.gather(self.outer.batch(), &self.out_rows, inner, &self.in_rows);
        qual::apply(&mut self.pairs.joinqual, cx, &mut self.pairs.batch)
    }

    fn next_inner(&mut self, cx: &Exec, want: usize) -> Result<bool> {
        let most = want.clamp(1, BATCH_ROWS);
        loop {
            if self.at >= self.tids.len() {
                if !self.load(cx, want)? {
                    return Ok(false);
                }
                self.collect(cx, most)?;
                continue;
            }
            if self.fetch_rows(cx, most)? && self.pair(cx)? > 0 && self.pairs.finish(cx)? {
                return Ok(true);
            }
        }
    }

    /// Fetches the entries found and notes which outer rows have a partner.
    fn match_rows(&mut self, cx: &Exec) -> Result<()> {
        while self.at < self.tids.len() {
            if !self.fetch_rows(cx, BATCH_ROWS)? {
                continue;
            }
            if self.pairs.joinqual.is_none() {
                let matched = &mut self.matched;
                let found = &self.found;
                self.inner.proj.out.live().each(|i| {
                    matched[usize::from(found[i])] = true;
                    Ok::<(), Error>(())
                })?;
                continue;
            }
            for k in 0..self.pair(cx)? {
                let p = colops::nth_live(&self.pairs.batch, k);
                self.matched[usize::from(self.out_rows[p])] = true;
            }
        }
        Ok(())
    }

    /// Takes the first entries of the present outer row; true if there may be more.
    fn first_entries(&mut self, cx: &Exec) -> Result<bool> {
        if !self.open_row() {
            return Ok(false);
        }
        let eng = cx.engine()?;
        let Some(scan) = &mut self.scan else { return Ok(false) };
        if !scan.next_batch(eng, &mut self.leaf, None)? {
            return Ok(false);
        }
        let o = colops::nth_live(self.outer.batch(), self.row) as u16;
        let first = self.leaf.len().min(FIRST_MATCHES);
        self.tids.extend_from_slice(&self.leaf[..first]);
        self.of.resize(self.tids.len(), o);
        Ok(first < self.leaf.len() || scan.next_batch(eng, &mut self.leaf, None)?)
    }

    /// Looks at all entries of the present outer row, until it has a partner.
    fn all_entries(&mut self, cx: &Exec) -> Result<()> {
        let o = colops::nth_live(self.outer.batch(), self.row);
        if !self.open_row() {
            return Ok(());
        }
        let mut leaf = Vec::new();
        while !self.matched[o] {
            let Some(scan) = &mut self.scan else { return Ok(()) };
            if !scan.next_batch(cx.engine()?, &mut leaf, None)? {
                return Ok(());
            }
            for part in leaf.chunks(WARM_MAX) {
                self.tids.clear();
                self.tids.extend_from_slice(part);
                self.of.clear();
                self.of.resize(part.len(), o as u16);
                self.at = 0;
                self.match_rows(cx)?;
                if self.matched[o] {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Semi and anti joins: decides about a number of outer rows, and gives out those that stay.
    fn next_half(&mut self, cx: &Exec, want: usize) -> Result<bool> {
        let wanted = self.pairs.kind == JoinType::Semi;
        let most = want.clamp(1, BATCH_ROWS);
        loop {
            if !self.load(cx, want)? {
                return Ok(false);
            }
            self.matched.clear();
            self.matched.resize(self.outer.batch().rows, false);
            self.tids.clear();
            self.of.clear();
            self.at = 0;
            let first = self.row;
            let live = self.outer.batch().live_count();
            let mut undecided = Vec::new();
            while self.row < live && self.row - first < most && self.tids.len() < BATCH_ROWS {
                if self.first_entries(cx)? {
                    undecided.push(self.row);
                }
                self.row += 1;
            }
            let end = self.row;
            self.match_rows(cx)?;
            for r in undecided {
                self.row = r;
                if !self.matched[colops::nth_live(self.outer.batch(), r)] {
                    self.all_entries(cx)?;
                }
            }
            self.row = end;
            self.open = false;
            self.tids.clear();
            self.at = 0;
            let outer = self.outer.batch();
            self.out_rows.clear();
            let rows = (first..end).map(|k| colops::nth_live(outer, k));
            self.out_rows.extend(rows.filter(|i| self.matched[*i] == wanted).map(|i| i as u16));
            if self.out_rows.is_empty() {
                continue;
            }
            self.pairs.batch.clear();
            self.pairs.outer_only(outer, &self.out_rows);
            if self.pairs.finish(cx)? {
                return Ok(true);
            }
        }
    }
}

impl ExecNode for IndexJoin {
    fn next(&mut self, cx: &Exec, want: usize) -> Result<bool> {
        if self.pairs.kind == JoinType::Inner { self.next_inner(cx, want) } else { self.next_half(cx, want) }
    }
    fn batch(&self) -> &Batch {
        &self.pairs.tail.proj.out
    }
    fn batch_mut(&mut self) -> &mut Batch {
        &mut self.pairs.tail.proj.out
    }
    fn push_filter(&mut self, col: usize, from: u32, f: Option<&Rc<RunFilter>>) -> bool {
        match self.pairs.plain_column(col) {
            Some(Side::Outer(c)) => self.outer.push_filter(c, from, f),
            Some(Side::Inner(c)) if self.pairs.kind == JoinType::Inner => match self.inner.plain_column(c) {
                Some(c) if c < self.input.cols.len() - self.param_cols.len() => self.filters.set(c, from, f),
                _ => false,
            },
            _ => false,
        }
    }
    fn rescan(&mut self, cx: &Exec) -> Result<()> {
        self.tids.clear();
        self.at = 0;
        self.row = 0;
        self.open = false;
        self.loaded = false;
        let snapshot = cx.snapshot()?.clone();
        match &mut self.fetch {
            Some(f) => f.set_snapshot(snapshot),
            None => self.fetch = Some(IndexFetch::new(self.heap.clone(), snapshot, self.cols.spec())),
        }
        self.outer.rescan(cx)
    }
    fn end(&mut self, cx: &Exec) {
        if let (Some(s), Ok(e)) = (&mut self.scan, cx.engine()) {
            s.end(e);
        }
        if let Some(f) = &mut self.fetch {
            f.release();
            f.set_snapshot(Snapshot::Any);
        }
        self.inner.report(cx);
        self.pairs.tail.report(cx);
        self.outer.end(cx);
    }
}
