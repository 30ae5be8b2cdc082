//! A table written anew as it is: VACUUM FULL, and CLUSTER in the order of an index. Rows old enough for every snapshot are
//! written as visible to all; others keep their history, also those deleted of late: an older snapshot sees after the
//! rewrite what it saw before.

use crate::ctx::CommandCtx;
use crate::{table_scan, target};
use access::heap::carry::{Carrier, Fate};
use access::{
    BtScan, BulkInsert, Direction, HeapScan, IndexRel, InsertOptions, Rel, ScanOptions, ScanSpec, SysCol,
    heap,
};
use catalog::columns::pg_class;
use common::{BlockNumber, CommandId, Oid, Result, Tid, Xid};
use ipc::progress::{Command, cluster as progress};
use std::rc::Rc;
use transam::Snapshot;
use types::column::BATCH_ROWS;
use types::{Batch, Column, Datum, DatumRef, Phys};

/// What was done, for VERBOSE.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rewritten {
    pub rows: u64,
    /// Versions left out: nobody could see them.
    pub gone: u64,
    /// Pages of the old file.
    pub pages: u32,
}

struct Writer<'a> {
    ctx: &'a CommandCtx<'a>,
    old: Rc<Rel>,
    new: Rc<Rel>,
    cid: CommandId,
    bulk: BulkInsert,
    placed: Vec<Tid>,
    carrier: Carrier,
    /// Versions deleted by older transactions are gone, those made by older ones visible to everyone.
    horizon: Xid,
    /// A page's versions, the one that was asked for last.
    fates: Option<(BlockNumber, Vec<Fate>)>,
    /// Versions written, and those nobody could see any more.
    rows: u64,
    gone: u64,
}

/// Writes the table's rows into new files, in the order of an index if one is given, and builds the indexes.
pub fn rewrite_plain(
    ctx: &CommandCtx<'_>,
    table: Oid,
    old: &Rc<Rel>,
    order: Option<&Rc<IndexRel>>,
) -> Result<Rewritten> {
    let class = target::class_row(ctx.catalog, table)?;
    let frozen = class.oid(pg_class::RELFROZENXID);
    super::replace_heap(ctx, table, class.oid(pg_class::RELTOASTRELID))?;
    let rel = ctx.catalog.relation(table)?;
    let mut w = Writer {
        ctx,
        old: old.clone(),
        new: table_scan::heap_of(&rel)?,
        cid: ctx.engine.current_command_id(true),
        bulk: BulkInsert::default(),
        placed: Vec::new(),
        carrier: Carrier::new(),
        horizon: ctx.engine.oldest_xmin(false, false),
        fates: None,
        rows: 0,
        gone: 0,
    };
    let old_pages = ctx.engine.store().nblocks(old.locator, storage::Fork::Main)?.0;
    match order {
        Some(ix) => by_index(&mut w, ix)?,
        None => {
            w.report(progress::PHASE, 1);
            w.report(progress::BLOCKS, i64::from(old_pages));
            as_they_lie(&mut w)?;
            w.report(progress::BLOCKS_SCANNED, i64::from(old_pages));
        }
    }
    std::mem::take(&mut w.carrier).finish(ctx.engine, &w.new, &mut w.bulk)?;
    // Versions were kept that are older than this transaction.
    target::update_class(ctx.catalog, table, &[(pg_class::RELFROZENXID, Datum::oid(frozen))])?;
    w.report(progress::PHASE, 6);
    let pages = ctx.engine.store().nblocks(old.locator, storage::Fork::Main)?.0;
    let done = Rewritten { rows: w.rows, gone: w.gone, pages };
    drop(w);
    super::finish(ctx, &rel)?;
    Ok(done)
}

/// All columns that are there, and the version's address behind them.
fn spec(old: &Rel) -> ScanSpec {
    let live = old.desc.attrs.iter().enumerate().filter(|(_, a)| !a.dropped);
    ScanSpec {
        wanted: live.map(|(i, _)| (i as u16 + 1, i as u16)).collect(),
        system: vec![(SysCol::Ctid, old.desc.len() as u16)],
    }
}

fn batch_for(old: &Rel) -> Batch {
    let mut cols: Vec<Column> = old.desc.attrs.iter().map(|a| Column::new(a.phys)).collect();
    cols.push(Column::new(Phys::I64));
    Batch { cols, rows: 0, sel: None }
}

fn as_they_lie(w: &mut Writer<'_>) -> Result<()> {
    let eng = w.ctx.engine;
    let mut batch = batch_for(&w.old);
    let mut scan = HeapScan::begin(eng, w.old.clone(), Snapshot::Any, spec(&w.old), ScanOptions::default())?;
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

/// An index names the heads of HOT chains: all versions of a chain are written, one behind the other.
fn by_index(w: &mut Writer<'_>, order: &Rc<IndexRel>) -> Result<()> {
    let eng = w.ctx.engine;
    let mut batch = batch_for(&w.old);
    let spec = spec(&w.old);
    w.report(progress::PHASE, 2);
    let mut scan = BtScan::begin(order.clone(), Vec::new(), Direction::Forward, false).outside_snapshot();
    let mut tids = Vec::new();
    loop {
        tids.clear();
        let more = scan.next_batch(eng, &mut tids, None)?;
        for t in &tids {
            eng.check_interrupts()?;
            for version in heap::carry::chain(eng, &w.old, *t)? {
                heap::fetch_into(eng, &w.old, version, &Snapshot::Any, &spec, &mut batch)?;
            }
            if batch.rows >= BATCH_ROWS {
                w.write(&mut batch)?;
                batch.clear();
            }
        }
        if !more {
            break;
        }
    }
    scan.end(eng);
    w.write(&mut batch)
}

impl Writer<'_> {
    /// `pg_stat_progress_cluster`
    fn report(&self, param: usize, v: i64) {
        self.ctx.engine.proc().progress.set(Command::Cluster, param, v);
    }
    fn fate(&mut self, tid: Tid) -> Result<Fate> {
        let fates = match self.fates.take() {
            Some((block, f)) if block == tid.block => f,
            _ => heap::carry::fates(self.ctx.engine, &self.old, tid.block, self.horizon)?,
        };
        let fate = fates.get(usize::from(tid.offset).wrapping_sub(1)).copied().unwrap_or(Fate::Gone);
        self.fates = Some((tid.block, fates));
        Ok(fate)
    }
    fn write(&mut self, batch: &mut Batch) -> Result<()> {
        let Some(tids) = batch.cols.pop() else { return Ok(()) };
        for c in &mut batch.cols {
            // Columns that were dropped are not fetched.
            while c.len() < batch.rows {
                c.push(DatumRef::Null);
            }
        }
        // The order is kept: settled rows in runs, the others one by one.
        let mut run: Vec<u16> = Vec::new();
        for i in 0..batch.rows {
            let tid = Tid::unpack(tids.get(i).i64());
            match self.fate(tid)? {
                Fate::Gone => self.gone += 1,
                Fate::Settled => run.push(i as u16),
                Fate::Kept(header) => {
                    self.settled(batch, &mut run)?;
                    let values: Vec<DatumRef<'_>> = batch.cols.iter().map(|c| c.get(i)).collect();
                    let eng = self.ctx.engine;
                    self.carrier.write(eng, &self.new, &mut self.bulk, tid, header, &values, self.cid)?;
                    self.rows += 1;
                }
            }
        }
        self.settled(batch, &mut run)?;
        self.report(progress::TUPLES_SCANNED, (self.rows + self.gone) as i64);
        self.report(progress::TUPLES_WRITTEN, self.rows as i64);
        batch.cols.push(tids);
        Ok(())
    }
    /// Writes rows that everybody sees.
    fn settled(&mut self, batch: &mut Batch, run: &mut Vec<u16>) -> Result<()> {
        if run.is_empty() {
            return Ok(());
        }
        self.rows += run.len() as u64;
        batch.sel = Some(std::mem::take(run));
        let options = InsertOptions { skip_fsm: true, frozen: true, ..InsertOptions::default() };
        self.placed.clear();
        let eng = self.ctx.engine;
        heap::multi_insert(eng, &self.new, batch, self.cid, &options, &mut self.bulk, &mut self.placed)?;
        batch.sel = None;
        Ok(())
    }
}
