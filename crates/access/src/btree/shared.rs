//! A scan shared between processes: each takes the next leaf, whichever that is, so that together they read every leaf
//! once. Who takes a leaf holds the shared place only until it has locked the page and knows its neighbour; its entries
//! are looked at without.

use super::page::Opaque;
use super::scan::{BtScan, Direction};
use crate::txn::Engine;
use common::{BlockNumber, Error, Result, err};
use ipc::region::Mutex;
use ipc::{Region, WaitEvent, shared_struct};
use std::rc::Rc;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;
use storage::PageRef;
use types::Batch;

shared_struct! {
    /// How far the processes are. Changed under the lock.
    pub struct SharedPlace {
        lock: Mutex,
        /// One of the stages below.
        stage: AtomicU32,
        /// How often the ANY arrays were moved on.
        element: AtomicU32,
        /// The leaf read last, and its neighbours then.
        block: AtomicU32,
        next: AtomicU32,
        prev: AtomicU32,
    }
}

const FIRST_PAGE: u32 = 0;
const NEXT_PAGE: u32 = 1;
/// Nothing more for the present array elements.
const ENDED: u32 = 2;
const DONE: u32 = 3;

/// What a process holds of a shared scan.
pub struct Share {
    pub region: Rc<Region>,
    /// Where the [`SharedPlace`] lies.
    pub at: usize,
    /// How often this process has moved its arrays on.
    pub element: u32,
}

/// Waits for the place.
fn lock<'r>(eng: &Engine, s: &'r SharedPlace) -> Result<ipc::region::MutexGuard<'r>> {
    let held = s.lock.lock(eng.interrupts(), WaitEvent::BTREE_PAGE)?;
    held.ok_or_else(|| err!(OBJECT_NOT_IN_PREREQUISITE_STATE, "lost connection to parallel worker"))
}

impl BtScan {
    /// From here on the scan takes its leaves in turn with other processes, until it is restarted.
    pub fn share(&mut self, region: Rc<Region>, at: usize) {
        self.share = Some(Share { region, at, element: 0 });
    }

    /// Reads the next leaf that is this process's; false: there are none.
    pub(super) fn advance_shared(
        &mut self,
        eng: &Engine,
        columns: &mut Option<(&[(u16, u16)], &mut Batch)>,
    ) -> Result<bool> {
        let Some(mut share) = self.share.take() else { return Err(Error::internal("scan is not shared")) };
        let r = self.take_leaf(eng, &mut share, columns);
        self.share = Some(share);
        r
    }
    fn take_leaf(
        &mut self,
        eng: &Engine,
        share: &mut Share,
        columns: &mut Option<(&[(u16, u16)], &mut Batch)>,
    ) -> Result<bool> {
        let region = share.region.clone();
        let s: &SharedPlace = region.get(share.at);
        let Some((page, start)) = self.claim(eng, share, s)? else { return Ok(false) };
        self.note_leaf(eng, &page)?;
        let block = page.pin().block();
        self.read_page(page, start, columns)?;
        if self.has_ended() {
            // The keys say so; others may have gone on, and will find the same.
            let _g = lock(eng, s)?;
            let same = s.element.load(Relaxed) == share.element;
            if same && s.stage.load(Relaxed) < ENDED && s.block.load(Relaxed) == block.0 {
                s.stage.store(ENDED, Relaxed);
            }
        }
        Ok(true)
    }
    /// Finds and locks the next leaf, and leaves word of its neighbours.
    fn claim(&mut self, eng: &Engine, share: &mut Share, s: &SharedPlace) -> Result<Option<(PageRef, u16)>> {
        let _g = lock(eng, s)?;
        loop {
            let element = s.element.load(Relaxed);
            while share.element < element {
                self.next_array_element();
                share.element += 1;
            }
            let found = match s.stage.load(Relaxed) {
                DONE => return Ok(None),
                FIRST_PAGE => {
                    eng.count_scan(self.relation().stat_key());
                    self.find_first(eng)?
                }
                NEXT_PAGE => {
                    let at = |a: &AtomicU32| BlockNumber(a.load(Relaxed));
                    self.stand_at(at(&s.block), at(&s.next), at(&s.prev));
                    self.find_neighbour(eng)?
                }
                _ => {
                    let more = self.next_array_element();
                    share.element += 1;
                    s.element.store(share.element, Relaxed);
                    s.stage.store(if more { FIRST_PAGE } else { DONE }, Relaxed);
                    continue;
                }
            };
            let Some((page, start)) = found else {
                s.stage.store(ENDED, Relaxed);
                continue;
            };
            let o = Opaque::read(&page)?;
            let last = match self.direction() {
                Direction::Forward => o.is_rightmost(),
                Direction::Backward => o.is_leftmost(),
            };
            s.block.store(page.pin().block().0, Relaxed);
            s.next.store(o.next.0, Relaxed);
            s.prev.store(o.prev.0, Relaxed);
            s.stage.store(if last { ENDED } else { NEXT_PAGE }, Relaxed);
            return Ok(Some((page, start)));
        }
    }
}
