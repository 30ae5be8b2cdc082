//! SeqScan. Columns are read in stages when that pays: those that run-time filters look at, those of the filter, then, for
//! the rows that are left, the others.

use super::parallel_scan::Share;
use super::sample::Sampler;
use super::scan::{Base, RelCols};
use super::*;
use access::{HeapScan, ScanOptions, ScanSpec};
use types::column::BATCH_ROWS;

/// Smaller tables are read in one stage.
const STAGED_BLOCKS: u32 = 8;
/// After this many rows it is known whether few enough are left for the stages to pay.
const TRIAL: u64 = 8192;

struct SeqScan {
    base: Base,
    scan: Option<HeapScan>,
    sample: Option<Sampler>,
    share: Option<Share>,
    /// Input columns that the filter reads; `None`: no stages (it reads system columns).
    qual_cols: Option<Vec<usize>>,
    /// The stage of each input column, the number of stages, and the one after which the filter is tested. With one stage
    /// the first and the last mean nothing.
    stage_of: Vec<u8>,
    stages: u8,
    qual_stage: u8,
    /// Rows read, and left at the end.
    seen: u64,
    kept: u64,
}

/// Makes the node.
pub(super) fn build(b: &BuildCx<'_>, base: Base, plan: &Plan, sample: Option<Sampler>) -> BoxNode {
    let qual_cols = RelCols::collect(&plan.qual, &base.heap, false)
        .ok()
        .filter(|c| c.system.is_empty())
        .and_then(|c| c.attrs.iter().map(|a| base.cols.attrs.binary_search(a).ok()).collect());
    Box::new(SeqScan {
        base,
        scan: None,
        share: if sample.is_none() { Share::of(b, plan) } else { None },
        qual_cols: qual_cols.filter(|_| sample.is_none()),
        sample,
        stage_of: Vec::new(),
        stages: 1,
        qual_stage: 0,
        seen: 0,
        kept: 0,
    })
}

impl SeqScan {
    /// Reads this process's part only, where the work is shared.
    fn take_share(&mut self) {
        if let (Some(share), Some(scan)) = (&self.share, &mut self.scan)
            && let Some(source) = share.blocks(scan.nblocks())
        {
            scan.share(source);
        }
    }

    /// Decides which columns are read when.
    fn lay_stages(&mut self) {
        self.stages = 1;
        let Some(scan) = &mut self.scan else { return };
        let b = &self.base;
        let staged = (b.filters.any() || b.tail.qual.is_some()) && scan.nblocks() >= STAGED_BLOCKS;
        let Some(qual) = self.qual_cols.as_ref().filter(|_| staged) else {
            scan.set_stages(Vec::new());
            return;
        };
        // Filters on columns that cost a walk wait for the second stage.
        let n = b.cols.attrs.len();
        self.stage_of.clear();
        self.stage_of.resize(n, 2);
        b.filters.columns().chain(qual.iter().copied()).for_each(|c| self.stage_of[c] = 1);
        for c in b.filters.columns().filter(|c| scan.at_fixed_place(b.cols.attrs[*c] as u16)) {
            self.stage_of[c] = 0;
        }
        // Stages without columns are left out.
        let used: Vec<u8> = (0..3).filter(|s| self.stage_of.contains(s)).collect();
        for s in &mut self.stage_of {
            *s = used.iter().position(|u| u == s).unwrap_or(0) as u8;
        }
        let all = b.cols.spec();
        let spec = |s: usize| ScanSpec {
            wanted: all
                .wanted
                .iter()
                .filter(|w| usize::from(self.stage_of[usize::from(w.1)]) == s)
                .copied()
                .collect(),
            system: if s + 1 == used.len() { all.system.clone() } else { Vec::new() },
        };
        self.qual_stage = qual.iter().map(|c| self.stage_of[*c]).max().unwrap_or(0);
        self.stages = used.len().max(1) as u8;
        scan.set_stages((0..used.len()).map(spec).collect());
    }

    /// Fills and filters the batch last read; false if no row is left.
    fn finish(&mut self, cx: &Exec) -> Result<bool> {
        let b = &mut self.base;
        let Some(scan) = &mut self.scan else { return Ok(false) };
        self.seen += b.input.rows as u64;
        for s in 0..self.stages {
            if s > 0 {
                scan.fill_stage(cx.engine()?, usize::from(s), &mut b.input)?;
            }
            b.filters.apply(&mut b.input, |c| self.stages == 1 || self.stage_of[c] == s);
            if b.input.live_count() == 0
                || ((s == self.qual_stage || self.stages == 1) && b.tail.filter(cx, &mut b.input)? == 0)
            {
                return Ok(false);
            }
        }
        self.kept += b.input.live_count() as u64;
        if self.stages > 1 && self.seen > TRIAL && self.kept * 3 > self.seen * 2 {
            scan.set_stages(Vec::new());
            self.stages = 1;
        }
        b.tail.proj.project_own(cx, &mut b.input)?;
        Ok(true)
    }
}

impl ExecNode for SeqScan {
    fn next(&mut self, cx: &Exec, want: usize) -> Result<bool> {
        if cx.epq.borrow().is_some()
            && let Some(r) = self.base.epq(cx)?
        {
            return Ok(r);
        }
        let eng = cx.engine()?;
        let plain = self.base.tail.qual.is_none() && !self.base.filters.any();
        loop {
            cx.check_interrupts()?;
            self.base.input.clear();
            let Some(scan) = &mut self.scan else { return Err(Error::internal("executor: scan not open")) };
            scan.set_batch_rows(if plain { want.clamp(1, BATCH_ROWS) } else { BATCH_ROWS });
            if !scan.next_batch(eng, &mut self.base.input)? {
                return Ok(false);
            }
            if let Some(s) = &self.sample {
                s.filter(&mut self.base.input);
            }
            if self.finish(cx)? {
                return Ok(true);
            }
        }
    }
    fn batch(&self) -> &Batch {
        &self.base.tail.proj.out
    }
    fn batch_mut(&mut self) -> &mut Batch {
        &mut self.base.tail.proj.out
    }
    fn push_filter(&mut self, col: usize, from: u32, f: Option<&Rc<RunFilter>>) -> bool {
        self.sample.is_none() && self.base.push_filter(col, from, f)
    }
    fn rescan(&mut self, cx: &Exec) -> Result<()> {
        self.base.epq_done = false;
        if let Some(s) = &mut self.sample {
            s.start(cx)?;
        }
        let eng = cx.engine()?;
        let snapshot = cx.snapshot()?.clone();
        match &mut self.scan {
            Some(s) => s.rescan(eng, Some(snapshot))?,
            None => {
                let opts = ScanOptions { prune: true, ..ScanOptions::default() };
                let spec = self.base.cols.spec();
                self.scan = Some(HeapScan::begin(eng, self.base.heap.clone(), snapshot, spec, opts)?);
            }
        }
        (self.seen, self.kept) = (0, 0);
        self.lay_stages();
        self.take_share();
        Ok(())
    }
    fn end(&mut self, cx: &Exec) {
        self.scan = None;
        self.base.tail.report(cx);
    }
}
