//! A sequential scan that fills its batch in stages: first the columns that decide about the rows, then, for the rows that
//! are left, the others. The pages of a batch stay pinned until its last stage is filled, which keeps its tuples in place;
//! each stage locks a page once more. Called by [`super::HeapScan`].

use super::scan::{Columnar, Pending, ScanSpec, Seen, resolve};
use crate::rel::Rel;
use crate::txn::Engine;
use common::Result;
use storage::{PageRef, Pinned};
use types::{Batch, Rows};

/// Pages pinned for a batch at most: tables with few rows a page get smaller batches.
const PAGES_MAX: usize = 16;

/// The part of a batch that comes from one page.
struct Visit {
    pin: Pinned,
    /// First row of the batch, and how many.
    first: usize,
    rows: usize,
}

struct Stage {
    spec: ScanSpec,
    columnar: Columnar,
}

/// The stages of a scan and the pages of its present batch.
pub(super) struct Staged {
    stages: Vec<Stage>,
    visits: Vec<Visit>,
    /// The tuple of each row of the batch, less `base`.
    tuples: Vec<Seen>,
    /// Row of the batch that `tuples` begins with.
    base: usize,
    seen: Vec<Seen>,
    rows: Vec<u16>,
    pending: Pending,
}

impl Staged {
    pub(super) fn new(rel: &Rel, specs: Vec<ScanSpec>) -> Staged {
        let stage = |spec: ScanSpec| Stage { columnar: Columnar::new(rel, &spec), spec };
        Staged {
            stages: specs.into_iter().map(stage).collect(),
            visits: Vec::new(),
            tuples: Vec::new(),
            base: 0,
            seen: Vec::new(),
            rows: Vec::new(),
            pending: Vec::new(),
        }
    }

    /// Lets go of the pages.
    pub(super) fn release(&mut self) {
        self.visits.clear();
        self.tuples.clear();
    }

    /// As many pages are pinned as may be.
    pub(super) fn is_full(&self) -> bool {
        self.visits.len() >= PAGES_MAX
    }

    /// Appends these tuples to the batch with the columns of the first stage.
    pub(super) fn take(
        &mut self,
        rel: &Rel,
        p: &PageRef,
        seen: &[Seen],
        out: &mut Batch,
        pending: &mut Pending,
    ) -> Result<()> {
        // A page without rows must not count: sixteen of them would end the scan with an empty batch.
        if seen.is_empty() {
            return Ok(());
        }
        if self.visits.is_empty() {
            self.base = out.rows;
        }
        self.visits.push(Visit { pin: p.pin().clone(), first: out.rows, rows: seen.len() });
        self.tuples.extend_from_slice(seen);
        let s = &mut self.stages[0];
        s.columnar.copy_run(rel, &s.spec, p, seen, out, pending)
    }

    /// Fills the columns of a later stage for the live rows.
    pub(super) fn fill(&mut self, eng: &Engine, rel: &Rel, n: usize, out: &mut Batch) -> Result<()> {
        let sel = out.sel.take();
        let r = self.fill_rows(eng, rel, n, sel.as_deref(), out);
        out.sel = sel;
        if n + 1 == self.stages.len() {
            self.release();
        }
        r
    }

    fn fill_rows(
        &mut self,
        eng: &Engine,
        rel: &Rel,
        n: usize,
        sel: Option<&[u16]>,
        out: &mut Batch,
    ) -> Result<()> {
        let s = &mut self.stages[n];
        let live = match sel {
            Some(s) => Rows::Sel(s),
            None => Rows::All(out.rows),
        };
        let mut at = 0;
        for v in &self.visits {
            self.rows.clear();
            let end = v.first + v.rows;
            match live {
                Rows::All(_) => self.rows.extend((v.first..end).map(|i| i as u16)),
                Rows::Sel(sel) => {
                    let of_page = sel[at..].iter().take_while(|&&i| usize::from(i) < end);
                    self.rows.extend(of_page);
                    at += self.rows.len();
                }
            }
            if self.rows.is_empty() {
                continue;
            }
            self.seen.clear();
            self.seen.extend(self.rows.iter().map(|&i| self.tuples[usize::from(i) - self.base]));
            let p = v.pin.share();
            s.columnar.fill_rows(rel, &s.spec, &p, &self.seen, &self.rows, out, &mut self.pending)?;
            drop(p);
            if !self.pending.is_empty() {
                resolve(eng, rel, &mut self.pending, out)?;
            }
        }
        Ok(())
    }
}
