//! Sampling rows for ANALYZE: blocks are chosen evenly at random (Knuth's selection sampling), rows of the chosen
//! blocks by reservoir (Vitter's algorithm R), as in PostgreSQL.

use crate::heap::header::Header;
use crate::heap::page::{self, bases};
use crate::heap::scan::{self, Pending, ScanSpec};
use crate::heap::visibility::{self, Hints, VacuumState};
use crate::rel::Rel;
use crate::txn::{self, Engine};
use common::{BlockNumber, Result, Tid};
use ipc::progress::{Command, analyze};
use std::rc::Rc;
use storage::{Fork, ReadMode, Strategy};
use types::{Batch, Column};

/// A random sample of a table.
#[derive(Clone, Debug, Default)]
pub struct Sample {
    /// The rows, all attributes in order, in physical order; at most the target (may exceed 1,024 rows).
    pub rows: Batch,
    /// Estimated live and dead rows in the table.
    pub total_rows: f64,
    pub dead_rows: f64,
    /// Found in the pages read.
    pub scanned_live: u64,
    pub scanned_dead: u64,
    pub pages: u32,
    pub scanned_pages: u32,
}

/// Takes up to `target` rows at random. `rand` yields values in [0, 1).
pub fn sample_rows(
    eng: &Engine,
    rel: &Rc<Rel>,
    target: usize,
    rand: &mut dyn FnMut() -> f64,
) -> Result<Sample> {
    let st = txn::store(eng);
    let pages = st.nblocks(rel.locator, Fork::Main)?.0;
    let strategy = Strategy::vacuum(st);
    let mut chosen: Vec<Tid> = Vec::new();
    let (mut live, mut dead, mut seen, mut scanned) = (0u64, 0u64, 0u64, 0u32);
    let blocks = chosen_blocks(pages, target as u32, rand);
    let ahead = st.tuning().maintenance_io_concurrency as usize;
    let progress = &eng.proc().progress;
    progress.set(Command::Analyze, analyze::PHASE, 1);
    progress.set(Command::Analyze, analyze::BLOCKS, blocks.len() as i64);
    for (i, &b) in blocks.iter().enumerate() {
        // The first announces all of its followers, each other one the last of them.
        let new = if i == 0 { 1..ahead } else { ahead.saturating_sub(1)..ahead };
        for next in new.filter_map(|k| blocks.get(i + k)) {
            st.prefetch(rel.locator, Fork::Main, BlockNumber(*next), 1);
        }
        progress.set(Command::Analyze, analyze::BLOCKS_DONE, i64::from(scanned));
        scanned += 1;
        eng.check_interrupts()?;
        let pin = st.read(rel.locator, Fork::Main, BlockNumber(b), ReadMode::Normal, Some(&strategy))?;
        let p = pin.share();
        for off in 1..=p.max_offset() {
            if p.item_id(off).is_dead() {
                dead += 1;
            }
            let Some(t) = page::tuple(&p, off)? else { continue };
            match sampled_state(eng, rel, &Header::read(t, bases(&p)), p.lsn())? {
                Seen::Live => live += 1,
                Seen::Dead => {
                    dead += 1;
                    continue;
                }
                Seen::Neither => continue,
            }
            seen += 1;
            let tid = Tid::new(BlockNumber(b), off);
            if chosen.len() < target {
                chosen.push(tid);
            } else {
                let k = (rand() * seen as f64) as usize;
                if k < target {
                    chosen[k] = tid;
                }
            }
        }
    }
    progress.set(Command::Analyze, analyze::BLOCKS_DONE, i64::from(scanned));
    chosen.sort_unstable();
    let rows = fetch(eng, rel, &chosen)?;
    let scale = if scanned == 0 { 0.0 } else { f64::from(pages) / f64::from(scanned) };
    Ok(Sample {
        rows,
        total_rows: (live as f64 * scale + 0.5).floor(),
        dead_rows: (dead as f64 * scale + 0.5).floor(),
        scanned_live: live,
        scanned_dead: dead,
        pages,
        scanned_pages: scanned,
    })
}

/// Up to `want` blocks, each with the same chance, ascending.
fn chosen_blocks(pages: u32, want: u32, rand: &mut dyn FnMut() -> f64) -> Vec<u32> {
    let mut left = want.min(pages);
    let mut out = Vec::with_capacity(left as usize);
    for b in 0..pages {
        // With probability wanted / remaining.
        if left > 0 && rand() * f64::from(pages - b) < f64::from(left) {
            out.push(b);
            left -= 1;
        }
    }
    out
}

enum Seen {
    Live,
    Dead,
    Neither,
}

/// How a version counts: running inserts only if they are the own ones, running deletes as live unless own.
fn sampled_state(eng: &Engine, rel: &Rel, h: &Header, lsn: common::Lsn) -> Result<Seen> {
    let mut hints = Hints::new(lsn);
    let horizon = txn::prune_horizon(eng, rel);
    Ok(match visibility::satisfies_vacuum(eng, h, horizon, &mut hints)? {
        VacuumState::Live => Seen::Live,
        VacuumState::Dead | VacuumState::RecentlyDead(_) => Seen::Dead,
        VacuumState::InsertInProgress if txn::is_current(eng, h.xmin) => Seen::Live,
        VacuumState::InsertInProgress => Seen::Neither,
        VacuumState::DeleteInProgress => match visibility::update_xid(eng, h)? {
            Some(x) if txn::is_current(eng, x) => Seen::Dead,
            _ => Seen::Live,
        },
    })
}

/// Reads the chosen rows; those pruned meanwhile are left out.
fn fetch(eng: &Engine, rel: &Rel, tids: &[Tid]) -> Result<Batch> {
    let n = rel.desc.len();
    let spec = ScanSpec { wanted: (0..n as u16).map(|i| (i + 1, i)).collect(), system: Vec::new() };
    let mut out =
        Batch { cols: rel.desc.attrs.iter().map(|a| Column::new(a.phys)).collect(), rows: 0, sel: None };
    let mut pending = Pending::new();
    for group in tids.chunk_by(|a, b| a.block == b.block) {
        eng.check_interrupts()?;
        let pin = txn::store(eng).read_main(rel.locator, group[0].block)?;
        let p = pin.share();
        for tid in group {
            if let Some(t) = page::tuple(&p, tid.offset)? {
                scan::emit(rel, &spec, t, *tid, &p, &mut out, &mut pending)?;
            }
        }
        drop(p);
        scan::resolve(eng, rel, &mut pending, &mut out)?;
    }
    Ok(out)
}
