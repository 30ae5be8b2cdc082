//! A table written anew as it is: VACUUM FULL, and CLUSTER in the order of an index. Rows old enough for every snapshot are
//! written as visible to all; younger ones carry this transaction's id, so that a snapshot older than the statement
//! does not see them.

use crate::ctx::CommandCtx;
use crate::{table_scan, target};
use access::{
    BtScan, BulkInsert, Direction, HeapScan, IndexFetch, IndexRel, InsertOptions, Rel, ScanOptions, ScanSpec,
    SysCol, heap,
};
use catalog::columns::pg_class;
use common::{CommandId, Oid, Result, Tid, Xid};
use ipc::progress::{Command, cluster as progress};
use std::rc::Rc;
use types::column::BATCH_ROWS;
use types::{Batch, Column, DatumRef, Phys};

/// What was done, for VERBOSE.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rewritten {
    pub rows: u64,
    /// Pages of the old file.
    pub pages: u32,
}

struct Writer<'a> {
    ctx: &'a CommandCtx<'a>,
    new: Rc<Rel>,
    cid: CommandId,
    bulk: BulkInsert,
    placed: Vec<Tid>,
    /// Rows of older transactions are visible to everyone.
    horizon: Xid,
    next_xid: Xid,
    rows: u64,
}

/// Writes the table's rows into new files, in the order of an index if one is given, and builds the indexes.
pub fn rewrite_plain(
    ctx: &CommandCtx<'_>,
    table: Oid,
    old: &Rc<Rel>,
    order: Option<&Rc<IndexRel>>,
) -> Result<Rewritten> {
    let class = target::class_row(ctx.catalog, table)?;
    super::replace_heap(ctx, table, class.oid(pg_class::RELTOASTRELID))?;
    let rel = ctx.catalog.relation(table)?;
    let mut w = Writer {
        ctx,
        new: table_scan::heap_of(&rel)?,
        cid: ctx.engine.current_command_id(true),
        bulk: BulkInsert::default(),
        placed: Vec::new(),
        horizon: ctx.engine.oldest_xmin(false, false),
        next_xid: ctx.engine.next_xid(),
        rows: 0,
    };
    let old_pages = ctx.engine.store().nblocks(old.locator, storage::Fork::Main)?.0;
    match order {
        Some(ix) => by_index(&mut w, old, ix)?,
        None => {
            w.report(progress::PHASE, 1);
            w.report(progress::BLOCKS, i64::from(old_pages));
            as_they_lie(&mut w, old)?;
            w.report(progress::BLOCKS_SCANNED, i64::from(old_pages));
        }
    }
    w.report(progress::PHASE, 6);
    let pages = ctx.engine.store().nblocks(old.locator, storage::Fork::Main)?.0;
    super::finish(ctx, &rel)?;
    Ok(Rewritten { rows: w.rows, pages })
}

/// All columns that are there, and xmin behind them.
fn spec(old: &Rel) -> ScanSpec {
    let live = old.desc.attrs.iter().enumerate().filter(|(_, a)| !a.dropped);
    ScanSpec {
        wanted: live.map(|(i, _)| (i as u16 + 1, i as u16)).collect(),
        system: vec![(SysCol::Xmin, old.desc.len() as u16)],
    }
}

fn batch_for(old: &Rel) -> Batch {
    let mut cols: Vec<Column> = old.desc.attrs.iter().map(|a| Column::new(a.phys)).collect();
    cols.push(Column::new(Phys::U32));
    Batch { cols, rows: 0, sel: None }
}

fn as_they_lie(w: &mut Writer<'_>, old: &Rc<Rel>) -> Result<()> {
    let eng = w.ctx.engine;
    let mut batch = batch_for(old);
    let snapshot = table_scan::latest_snapshot(w.ctx)?;
    let mut scan = HeapScan::begin(eng, old.clone(), snapshot, spec(old), ScanOptions::default())?;
    loop {
        batch.clear();
        let more = scan.next_batch(eng, &mut batch)?;
        w.write(&mut batch)?;
        if !more {
            return Ok(());
        }
        eng.check_interrupts()?;
    }
}

fn by_index(w: &mut Writer<'_>, old: &Rc<Rel>, order: &Rc<IndexRel>) -> Result<()> {
    let eng = w.ctx.engine;
    let mut batch = batch_for(old);
    w.report(progress::PHASE, 2);
    let mut scan = BtScan::begin(order.clone(), Vec::new(), Direction::Forward, false).outside_snapshot();
    let mut fetch = IndexFetch::new(old.clone(), table_scan::latest_snapshot(w.ctx)?, spec(old));
    let mut tids = Vec::new();
    loop {
        tids.clear();
        let more = scan.next_batch(eng, &mut tids, None)?;
        for t in &tids {
            eng.check_interrupts()?;
            fetch.fetch_into(eng, *t, &mut batch)?;
            if batch.rows >= BATCH_ROWS {
                w.write(&mut batch)?;
                batch.clear();
            }
        }
        if !more {
            break;
        }
    }
    fetch.release();
    scan.end(eng);
    w.write(&mut batch)
}

impl Writer<'_> {
    /// `pg_stat_progress_cluster`
    fn report(&self, param: usize, v: i64) {
        self.ctx.engine.proc().progress.set(Command::Cluster, param, v);
    }
    /// Is a row of this xmin (its low half) visible to every snapshot?
    fn is_old(&self, xmin: u32) -> bool {
        let ago = (self.next_xid.0 as u32).wrapping_sub(xmin);
        xmin < Xid::FIRST_NORMAL.0 as u32 || Xid(self.next_xid.0.wrapping_sub(u64::from(ago))) < self.horizon
    }
    fn write(&mut self, batch: &mut Batch) -> Result<()> {
        let live: Vec<u16> = {
            let mut v = Vec::new();
            batch.live().each(|i| {
                v.push(i as u16);
                Ok::<(), common::Error>(())
            })?;
            v
        };
        let Some(xmins) = batch.cols.pop() else { return Ok(()) };
        let age = |i: u16| match xmins.get(i as usize) {
            DatumRef::U32(x) => self.is_old(x),
            _ => false,
        };
        let old: Vec<bool> = live.iter().map(|i| age(*i)).collect();
        for c in &mut batch.cols {
            // Columns that were dropped are not fetched.
            while c.len() < batch.rows {
                c.push(DatumRef::Null);
            }
        }
        let mut at = 0;
        // The order is kept: runs of rows of one kind, one behind the other.
        while at < live.len() {
            let end = (at..live.len()).find(|k| old[*k] != old[at]).unwrap_or(live.len());
            batch.sel = Some(live[at..end].to_vec());
            let options = InsertOptions { skip_fsm: true, frozen: old[at], ..InsertOptions::default() };
            self.placed.clear();
            let eng = self.ctx.engine;
            heap::multi_insert(eng, &self.new, batch, self.cid, &options, &mut self.bulk, &mut self.placed)?;
            at = end;
        }
        self.rows += live.len() as u64;
        self.report(progress::TUPLES_SCANNED, self.rows as i64);
        self.report(progress::TUPLES_WRITTEN, self.rows as i64);
        batch.sel = None;
        batch.cols.push(xmins);
        Ok(())
    }
}
