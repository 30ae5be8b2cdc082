//! What processes share of a scan: where it stands. Chunks of a table are large at first, so that each process reads its
//! file in order, and small towards the end, so that all finish at the same time (PostgreSQL's rule).

use super::{BoxNode, BuildCx};
use crate::parallel::{Joint, Place, Prepare};
use crate::run::Exec;
use access::BtScan;
use access::bitmap::BitmapIter;
use access::btree::shared::SharedPlace;
use access::heap::scan::BlockSource;
use common::{Error, Result};
use ipc::{Region, shared_struct};
use planner::plan::Plan;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{AcqRel, Acquire};

/// A table is cut in about so many chunks.
const CHUNKS: u64 = 2048;
const CHUNK_MAX: u64 = 8192;
/// When so many chunks are left they get smaller.
const RAMP_DOWN: u64 = 64;

shared_struct! {
    /// How far a shared sequential scan is.
    pub struct Position {
        /// Blocks of the table, plus one; 0: nobody has looked yet.
        blocks: AtomicU64,
        next: AtomicU64,
    }
}

/// A scan's share, if its node shares its work.
pub struct Share {
    joint: Rc<Joint>,
    place: Place<Position>,
}

impl Share {
    /// For a scan below a Gather that is parallel aware.
    pub fn of(b: &BuildCx<'_>, plan: &Plan) -> Option<Share> {
        let joint = b.parallel.filter(|_| plan.parallel_aware)?;
        Some(Share { joint: joint.clone(), place: joint.reserve(1) })
    }
    /// The blocks this process is to read of a table with so many, if it is not alone.
    pub fn blocks(&self, blocks: u32) -> Option<BlockSource> {
        let region = self.joint.region()?;
        let total = agree(self.place, &region, u64::from(blocks));
        Some(chunks(region, self.place, total))
    }
}

/// The size of the table is what the first process found.
fn agree(place: Place<Position>, region: &Region, blocks: u64) -> u64 {
    match place.of(region).blocks.compare_exchange(0, blocks + 1, AcqRel, Acquire) {
        Ok(_) => blocks,
        Err(others) => others - 1,
    }
}

fn chunks(region: Rc<Region>, place: Place<Position>, total: u64) -> BlockSource {
    let mut size = (total / CHUNKS).max(1).next_power_of_two().min(CHUNK_MAX);
    Box::new(move || {
        let at = place.of(&region).next.fetch_add(size, AcqRel);
        if at >= total {
            return None;
        }
        let n = size.min(total - at);
        if size > 1 && at > total.saturating_sub(size * RAMP_DOWN) {
            size /= 2;
        }
        Some((at as u32, n as u32))
    })
}

/// An index scan's share.
pub struct IndexShare {
    joint: Rc<Joint>,
    place: Place<SharedPlace>,
}

impl IndexShare {
    /// For a scan below a Gather that is parallel aware.
    pub fn of(b: &BuildCx<'_>, plan: &Plan) -> Option<IndexShare> {
        let joint = b.parallel.filter(|_| plan.parallel_aware)?;
        Some(IndexShare { joint: joint.clone(), place: joint.reserve(1) })
    }
    /// Has the scan, which is about to begin, take its leaves in turn with other processes.
    pub fn apply(&self, scan: &mut BtScan) {
        if let Some(region) = self.joint.region() {
            scan.share(region, self.place.offset());
        }
    }
}

/// What makes the bitmap of a heap scan. Where processes share the scan, the leader makes it before it forks, and the others
/// find it in their memory.
pub struct BitmapSource {
    node: RefCell<BoxNode>,
    made: RefCell<Option<BitmapIter>>,
    share: Option<(Rc<Joint>, Place<AtomicU64>)>,
}

impl BitmapSource {
    /// For the bitmap heap scan `plan`, over the node `node`.
    pub fn new(b: &BuildCx<'_>, plan: &Plan, node: BoxNode) -> Rc<BitmapSource> {
        let joint = b.parallel.filter(|_| plan.parallel_aware);
        let s = Rc::new(BitmapSource {
            node: RefCell::new(node),
            made: RefCell::default(),
            share: joint.map(|j| (j.clone(), j.reserve(1))),
        });
        if let Some(j) = joint {
            j.before_fork(s.clone());
        }
        s
    }
    /// The pages this process is to read.
    pub fn pages(&self, cx: &Exec) -> Result<BitmapIter> {
        let shared = self.share.as_ref().and_then(|(j, p)| Some((j.region()?, *p)));
        let made = self.made.borrow_mut().take();
        let Some((region, place)) = shared else { return made.map_or_else(|| self.make(cx), Ok) };
        let mut pages = made.ok_or_else(|| Error::internal("executor: a shared bitmap is read twice"))?;
        pages.share(Box::new(move || place.of(&region).fetch_add(1, AcqRel) as usize));
        Ok(pages)
    }
    fn make(&self, cx: &Exec) -> Result<BitmapIter> {
        Ok(self.node.borrow_mut().bitmap(cx)?.into_pages())
    }
    pub fn rescan(&self, cx: &Exec) -> Result<()> {
        self.node.borrow_mut().rescan(cx)
    }
    pub fn end(&self, cx: &Exec) {
        *self.made.borrow_mut() = None;
        // A worker has a copy of what the leader measured.
        if self.share.is_none() || !cx.in_worker() {
            self.node.borrow_mut().end(cx);
        }
    }
}

impl Prepare for BitmapSource {
    fn prepare(&self, cx: &Exec) -> Result<()> {
        self.rescan(cx)?;
        let pages = self.make(cx)?;
        *self.made.borrow_mut() = Some(pages);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_block_is_read_once() {
        for total in [0u64, 1, 7, 100, 5000, 300_000] {
            let joint = Joint::new(2);
            let place: Place<Position> = joint.reserve(1);
            let region = joint.begin().expect("memory");
            let total = agree(place, &region, total);
            // The second comer's idea of the size does not count.
            assert_eq!(agree(place, &region, total + 9), total);
            let mut both = [chunks(region.clone(), place, total), chunks(region, place, total)];
            let mut seen = Vec::new();
            let mut turn = 0;
            let mut idle = 0;
            while idle < 2 {
                match both[turn % 2]() {
                    Some(c) => seen.push(c),
                    None => idle += 1,
                }
                turn += 1;
            }
            seen.sort_unstable();
            let mut next = 0;
            for (at, n) in seen {
                assert_eq!(at, next);
                next += n;
            }
            assert_eq!(u64::from(next), total);
        }
    }
}
