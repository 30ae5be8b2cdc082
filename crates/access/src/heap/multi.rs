//! Inserting many rows: tuples of a batch are formed one behind the other, then copied page by page, with one log record
//! a page.

use super::form;
use super::header;
use super::insert::{InsertOptions, fresh_bases, page_with_room};
use super::page::{self, bases};
use super::wal::{self, Writer};
use crate::rel::Rel;
use crate::txn::{self, Engine};
use common::{CommandId, Error, MultiXactId, Result, Tid, Xid};
use std::ops::Range;
use storage::{PageMut, RegFlags, RmgrId, Strategy, fsm};
use transam::ssi::Place;
use types::form::Former;
use types::{Batch, DatumRef};

/// Keeps to one page after the other through a bulk load into one table, with its buffers in a ring.
#[derive(Default)]
pub struct BulkInsert {
    pub(super) strategy: Option<Strategy>,
    /// Blocks added ahead and not used yet.
    pub(super) spare: Vec<storage::Pinned>,
    pub(super) added: u32,
    former: Option<Former>,
    formed: Formed,
    /// Data of a page's log record, and the offsets it fills.
    data: Vec<u8>,
    offs: Vec<u16>,
}

impl Drop for BulkInsert {
    /// Blocks added ahead and not used are made known to other inserts. (A failure costs room, nothing else.)
    fn drop(&mut self) {
        for p in self.spare.drain(..) {
            let _ = fsm::record(p.store(), p.rel(), p.block(), storage::PAGE_SIZE - 64);
        }
    }
}

/// Tuples one behind the other, each beginning at a multiple of eight.
#[derive(Default)]
struct Formed {
    bytes: Vec<u8>,
    places: Vec<Range<u32>>,
}

impl Formed {
    fn len(&self) -> usize {
        self.places.len()
    }
    fn get(&self, n: usize) -> &[u8] {
        &self.bytes[self.places[n].start as usize..self.places[n].end as usize]
    }
    fn form(
        &mut self,
        eng: &Engine,
        rel: &Rel,
        former: &Former,
        rows: &Batch,
        cid: CommandId,
        frozen: bool,
    ) -> Result<()> {
        self.bytes.clear();
        self.places.clear();
        let mask = if frozen { header::XMIN_FROZEN } else { 0 };
        rows.live().each(|i| {
            let at = self.bytes.len();
            let whole = form::form_row(former, &rows.cols, i, cid, mask, &mut self.bytes);
            if !whole {
                self.bytes.truncate(at);
                let values: Vec<DatumRef<'_>> = rows.cols.iter().map(|c| c.get(i)).collect();
                let mut t = form::form_tuple(eng, rel, &values, cid)?;
                let infomask = header::infomask(&t) | mask;
                header::set_infomask(&mut t, infomask);
                header::set_cid(&mut t, cid.0);
                self.bytes.extend_from_slice(&t);
            }
            self.places.push(at as u32..self.bytes.len() as u32);
            let end = header::maxalign(self.bytes.len());
            self.bytes.resize(end, 0);
            Ok(())
        })
    }
}

/// Inserts the live rows of a batch whose columns are the table's attributes in order, filling pages and logging one
/// record a page. Appends the rows' addresses.
pub fn multi_insert(
    eng: &Engine,
    rel: &Rel,
    rows: &Batch,
    cid: CommandId,
    opts: &InsertOptions,
    bulk: &mut BulkInsert,
    tids: &mut Vec<Tid>,
) -> Result<()> {
    eng.not_in_worker("insert tuples")?;
    txn::note_write(eng, rel, Place::Whole)?;
    let mut formed = std::mem::take(&mut bulk.formed);
    let former = bulk.former.get_or_insert_with(|| Former::new(&rel.desc));
    formed.form(eng, rel, former, rows, cid, opts.frozen)?;
    let xid = eng.current_xid()?;
    let mut done = 0;
    while done < formed.len() {
        eng.check_interrupts()?;
        done += insert_page(eng, rel, xid, &formed, done, opts, bulk, tids)?;
    }
    bulk.formed = formed;
    Ok(())
}

/// Fills one page with as many of the tuples from `first` on as fit; at least one.
fn insert_page(
    eng: &Engine,
    rel: &Rel,
    xid: Xid,
    tuples: &Formed,
    first: usize,
    opts: &InsertOptions,
    bulk: &mut BulkInsert,
    tids: &mut Vec<Tid>,
) -> Result<usize> {
    let mut g: PageMut = page_with_room(eng, rel, tuples.get(first).len(), opts, Some(bulk))?;
    let block = g.pin().block();
    let is_new = g.is_new();
    if !is_new {
        wal::ensure_fits(eng, rel, &mut g, xid, MultiXactId(0))?;
    }
    let fresh = fresh_bases(eng, xid);
    let vm = wal::vm_pin_if_visible(eng, rel, &g)?;
    let reserve = rel.target_free_space();
    let (data, offs) = (&mut bulk.data, &mut bulk.offs);
    data.clear();
    offs.clear();

    let cr = txn::store(eng).begin_critical();
    let p = cr.page(&mut g);
    if is_new {
        page::init(p, fresh);
    }
    let b = bases(p);
    let init = p.max_offset() == 0;
    let word = b.xid_word(xid);
    for n in first..tuples.len() {
        let t = tuples.get(n);
        if n > first && p.heap_free_space() < header::maxalign(t.len()) + reserve {
            break;
        }
        let Some(off) = p.add_heap_item(t) else { break };
        let item = p.item_mut(off)?;
        header::set_xmin_word(item, word);
        header::set_ctid(item, Tid::new(block, off));
        offs.push(off);
        data.extend_from_slice(&(t.len() as u16 - wal::SKIPPED as u16).to_le_bytes());
        data.extend_from_slice(&t[wal::SKIPPED..]);
    }
    let cleared = wal::clear_visible(eng, p, &vm, block)?;
    wal::finish(rel, &cr, || {
        let mut w = Writer::default();
        let flags = if cleared { wal::F_VM_CLEARED } else { 0 } | if init { wal::F_INIT } else { 0 };
        w.u8(flags).u16(offs.len() as u16);
        if init {
            w.u64(b.xid).u64(b.multi);
        }
        let mut r = cr.record(RmgrId::HEAP2, wal::MULTI_INSERT, xid);
        r.data(w.bytes());
        if !init {
            for o in offs.iter() {
                r.data(&o.to_le_bytes());
            }
        }
        r.block(0, &g, if init { RegFlags::WILL_INIT } else { RegFlags::STANDARD });
        r.block_data(0, data);
        r
    });
    if offs.is_empty() {
        return Err(Error::internal("heap page has no room after all"));
    }
    tids.extend(offs.iter().map(|o| Tid::new(block, *o)));
    eng.count_insert(rel.stat_key(), offs.len() as u64);
    Ok(offs.len())
}
