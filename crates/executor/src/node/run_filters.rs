//! The run-time filters that a scan has been given ([`RunFilter`]), and which of them are worth their time.

use crate::run_filter::RunFilter;
use std::rc::Rc;
use types::Batch;

/// After this many rows it is known whether a filter drops enough.
const TRIAL: u64 = 16_384;

struct Pushed {
    /// Column of the scan's input batch.
    col: usize,
    /// The join it comes from.
    from: u32,
    filter: Rc<RunFilter>,
    seen: u64,
    kept: u64,
    off: bool,
}

/// The filters of a scan.
#[derive(Default)]
pub struct Filters {
    list: Vec<Pushed>,
    spare: Vec<u16>,
}

impl Filters {
    /// Takes a filter on an input column, in place of one from the same join; `None` takes it away.
    pub fn set(&mut self, col: usize, from: u32, f: Option<&Rc<RunFilter>>) -> bool {
        self.list.retain(|p| (p.col, p.from) != (col, from));
        if let Some(f) = f {
            self.list.push(Pushed { col, from, filter: f.clone(), seen: 0, kept: 0, off: false });
        }
        true
    }
    /// Are there any that are not found useless?
    pub fn any(&self) -> bool {
        self.list.iter().any(|p| !p.off)
    }
    /// Their columns.
    pub fn columns(&self) -> impl Iterator<Item = usize> {
        self.list.iter().filter(|p| !p.off).map(|p| p.col)
    }
    /// Leaves only the rows that pass the filters on these columns.
    pub fn apply(&mut self, b: &mut Batch, on: impl Fn(usize) -> bool) {
        for p in self.list.iter_mut().filter(|p| !p.off && on(p.col)) {
            let before = b.live_count();
            if before == 0 {
                return;
            }
            let mut sel = std::mem::take(&mut self.spare);
            p.filter.select(&b.cols[p.col], b.live(), &mut sel);
            p.seen += before as u64;
            p.kept += sel.len() as u64;
            p.off = p.seen > TRIAL && p.kept * 20 > p.seen * 19;
            self.spare = if sel.len() < before { b.sel.replace(sel).unwrap_or_default() } else { sel };
        }
    }
}
