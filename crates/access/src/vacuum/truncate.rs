//! Cutting empty pages off the end of a table after a vacuum: only when it pays, only when the strongest table lock
//! can be had without making anybody wait, and only pages found empty again under that lock.

use super::Vacuum;
use crate::txn;
use common::{BlockNumber, Result};
use storage::{Fork, fsm, vm};
use transam::LockMode;

/// Pages worth the trouble: this many, or a sixteenth of the table.
const MIN_PAGES: u32 = 1000;
const FRACTION: u32 = 16;
/// Tries to get the lock, some milliseconds apart.
const TRIES: u32 = 50;

pub(super) fn truncate(v: &mut Vacuum<'_>) -> Result<()> {
    let pages = v.stats.rel_pages;
    let possible = pages.saturating_sub(v.nonempty_end);
    if possible == 0 || (possible < MIN_PAGES && possible < pages / FRACTION) {
        return Ok(());
    }
    v.progress.phase = 5;
    v.report();
    let (db, oid) = (txn::lock_db(v.rel), v.rel.oid);
    let mut tries = 0;
    while !v.eng.try_lock_relation(db, oid, LockMode::AccessExclusive)? {
        tries += 1;
        if tries > TRIES {
            return Ok(());
        }
        v.eng.check_interrupts()?;
        let _shown = v.eng.interrupts().waiting(ipc::WaitEvent::VACUUM_TRUNCATE);
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let r = locked(v, pages);
    v.eng.unlock_relation(db, oid, LockMode::AccessExclusive);
    r
}

fn locked(v: &mut Vacuum<'_>, expected: u32) -> Result<()> {
    let st = txn::store(v.eng);
    let now = st.nblocks(v.rel.locator, Fork::Main)?;
    if now.0 != expected {
        return Ok(());
    }
    let mut keep = now.0;
    while keep > v.nonempty_end {
        v.eng.check_interrupts()?;
        let pin = st.read_main(v.rel.locator, BlockNumber(keep - 1))?;
        let p = pin.share();
        let empty = p.is_new() || (1..=p.max_offset()).all(|o| p.item_id(o).is_unused());
        if !empty {
            break;
        }
        keep -= 1;
    }
    if keep >= now.0 {
        return Ok(());
    }
    let mut forks = vec![(Fork::Main, BlockNumber(keep))];
    if let Some(n) = vm::prepare_truncate(st, v.rel.locator, BlockNumber(keep))? {
        forks.push((Fork::Vm, n));
    }
    if let Some(n) = fsm::prepare_truncate(st, v.rel.locator, BlockNumber(keep))? {
        forks.push((Fork::Fsm, n));
    }
    v.eng.truncate_storage(v.rel.locator, &forks)?;
    v.rel.target_block.set(u32::MAX);
    v.stats.removed_pages = now.0 - keep;
    v.stats.rel_pages = keep;
    Ok(())
}
