//! Reading a whole table under a lock that keeps writers out: index builds, constraint validation, rewrites.

use crate::ctx::CommandCtx;
use access::heap::{header, page};
use access::{HeapScan, Rel, ScanOptions, ScanSpec, SysCol};
use common::{BlockNumber, Error, Oid, Result, Tid};
use std::rc::Rc;
use transam::Snapshot;
use types::{Batch, Column, Phys};

/// A batch for all attributes of a table and the row's address.
fn batch_for(rel: &Rel) -> Batch {
    let mut cols: Vec<Column> = rel.desc.attrs.iter().map(|a| Column::new(a.phys)).collect();
    cols.push(Column::new(Phys::I64));
    Batch { cols, rows: 0, sel: None }
}

/// The latest state of things, this transaction's own changes included.
pub fn latest_snapshot(ctx: &CommandCtx<'_>) -> Result<Snapshot> {
    Ok(Snapshot::Mvcc(ctx.engine.latest_snapshot()?))
}

/// Calls `f` with batches of all visible rows: attribute n is column n-1, the row's address comes last.
pub fn each_batch(
    ctx: &CommandCtx<'_>,
    rel: &Rc<Rel>,
    f: &mut dyn FnMut(&mut Batch) -> Result<()>,
) -> Result<()> {
    let all: Vec<u16> = (1..=rel.desc.len() as u16).collect();
    each_batch_of(ctx, rel, &all, f)
}

/// [`each_batch`] with these attributes only (ascending); the columns of the others stay empty.
pub fn each_batch_of(
    ctx: &CommandCtx<'_>,
    rel: &Rc<Rel>,
    attrs: &[u16],
    f: &mut dyn FnMut(&mut Batch) -> Result<()>,
) -> Result<()> {
    scan(ctx, rel, attrs, latest_snapshot(ctx)?, f)
}

/// [`each_batch_of`], with every version that vacuum could not remove, given the horizon.
pub fn each_version_of(
    ctx: &CommandCtx<'_>,
    rel: &Rc<Rel>,
    attrs: &[u16],
    horizon: common::Xid,
    f: &mut dyn FnMut(&mut Batch) -> Result<()>,
) -> Result<()> {
    scan(ctx, rel, attrs, Snapshot::NonVacuumable(horizon), f)
}

fn scan(
    ctx: &CommandCtx<'_>,
    rel: &Rc<Rel>,
    attrs: &[u16],
    snapshot: Snapshot,
    f: &mut dyn FnMut(&mut Batch) -> Result<()>,
) -> Result<()> {
    let live = attrs.iter().filter(|a| !rel.desc.attrs[**a as usize - 1].dropped);
    let spec = ScanSpec {
        wanted: live.map(|a| (*a, *a - 1)).collect(),
        system: vec![(SysCol::Ctid, rel.desc.len() as u16)],
    };
    let mut batch = batch_for(rel);
    let mut scan = HeapScan::begin(ctx.engine, rel.clone(), snapshot, spec, ScanOptions::default())?;
    loop {
        batch.clear();
        if !scan.next_batch(ctx.engine, &mut batch)? {
            return Ok(());
        }
        ctx.engine.check_interrupts()?;
        f(&mut batch)?;
    }
}

/// The heap descriptor of a relation that has one.
pub fn heap_of(r: &catalog::desc::Relation) -> Result<Rc<Rel>> {
    r.rel.clone().ok_or_else(|| Error::internal(format!("relation \"{}\" has no storage", r.name)))
}

/// Heads of HOT chains: an index points at the chain's first line pointer, whatever version is the visible one.
#[derive(Default)]
pub struct HotRoots {
    block: Option<BlockNumber>,
    /// Root by offset; 0 = itself. Empty on a page without chains.
    roots: Vec<u16>,
    /// A chain with several versions was met.
    pub any: bool,
}

impl HotRoots {
    /// Address of the chain's head for a row version.
    pub fn root(&mut self, ctx: &CommandCtx<'_>, rel: &Rel, tid: Tid) -> Result<Tid> {
        if self.block != Some(tid.block) {
            self.load(ctx, rel, tid.block)?;
        }
        match self.roots.get(tid.offset as usize).copied() {
            Some(0) | None => Ok(tid),
            Some(root) => {
                self.any = true;
                Ok(Tid::new(tid.block, root))
            }
        }
    }
    fn load(&mut self, ctx: &CommandCtx<'_>, rel: &Rel, block: BlockNumber) -> Result<()> {
        let p = ctx.engine.store().read_main(rel.locator, block)?.into_share();
        let bases = page::bases(&p);
        let max = p.max_offset();
        self.roots.clear();
        self.block = Some(block);
        if !has_chains(&p)? {
            return Ok(());
        }
        self.roots.resize(max as usize + 1, 0);
        for head in 1..=max {
            let id = p.item_id(head);
            let mut at = head;
            if id.is_redirect() {
                at = id.offset();
            } else if !id.is_normal() || is_heap_only(&p, head)? {
                continue;
            }
            let mut previous_xmax = None;
            // A chain cannot be longer than the page has line pointers.
            for _ in 0..max {
                if at == 0 || at > max {
                    break;
                }
                let Some(t) = page::tuple(&p, at)? else { break };
                let h = header::Header::read(t, bases);
                if previous_xmax.is_some_and(|x| x != h.xmin && h.xmin.is_normal()) {
                    break;
                }
                if at != head {
                    self.roots[at as usize] = head;
                }
                if !h.is_hot_updated() {
                    break;
                }
                previous_xmax = (!h.is_multi()).then_some(h.xmax);
                at = header::ctid(t).offset;
            }
        }
        Ok(())
    }
}

/// Has the page a row whose index entries lead elsewhere?
fn has_chains(p: &storage::Page) -> Result<bool> {
    for off in 1..=p.max_offset() {
        if p.item_id(off).is_redirect() || is_heap_only(p, off)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn is_heap_only(p: &storage::Page, off: u16) -> Result<bool> {
    Ok(page::tuple(p, off)?.is_some_and(|t| header::infomask2(t) & header::HEAP_ONLY != 0))
}

/// Does another backend of this database hold a snapshot to which a transaction before `xid` may be running?
pub fn older_snapshot_exists(ctx: &CommandCtx<'_>, xid: common::Xid) -> bool {
    let me = ctx.engine.proc().number();
    let db: Oid = ctx.catalog.database();
    ctx.engine.procs().live().any(|p| {
        let x = p.xmin.load(std::sync::atomic::Ordering::Relaxed);
        p.number() != me && p.database() == db && x != 0 && x < xid.0
    })
}
