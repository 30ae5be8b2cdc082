//! Reading, writing and cutting a large object page by page.

use super::{INV_READ, INV_WRITE, check_privilege};
use crate::{FnEnv, acl};
use access::{Direction, ScanKey, ScanOp, Strategy};
use catalog::CatRow;
use catalog::columns::pg_largeobject::*;
use common::{Oid, Result, bail};
use std::rc::Rc;
use transam::MvccSnapshot;
use types::Datum;

/// Bytes of a page.
const PAGE: i64 = 2048;
/// Pages read in one scan.
const PAGES_AT_A_TIME: usize = 32;
/// One past the last byte an object can have.
const LIMIT: i64 = (i32::MAX as i64) * PAGE;

/// An object that was opened.
pub struct Open {
    pub oid: Oid,
    pub at: i64,
    /// Was opened for reading, for writing.
    pub reads: bool,
    pub writes: bool,
    /// The state it sees; the present one where there is none.
    snapshot: Option<Rc<MvccSnapshot>>,
    /// Nesting level of the transaction that opened it.
    pub level: u32,
}

fn page_bytes(r: &CatRow) -> Vec<u8> {
    r.bytes(DATA).to_vec()
}

impl Open {
    /// Opens an object with these flags, if the user may.
    pub fn new(e: &FnEnv, oid: Oid, flags: i32) -> Result<Open> {
        let writes = flags & INV_WRITE != 0;
        let reads = flags & INV_READ != 0 || writes;
        if !reads {
            bail!(INVALID_PARAMETER_VALUE, "invalid flags for opening a large object: {flags}");
        }
        let wanted =
            if flags & INV_READ != 0 { acl::SELECT } else { 0 } | if writes { acl::UPDATE } else { 0 };
        check_privilege(e, oid, wanted)?;
        let snapshot = if writes { None } else { Some(e.engine.transaction_snapshot()?) };
        if let Some(s) = &snapshot {
            e.engine.register_snapshot(s);
        }
        Ok(Open { oid, at: 0, reads, writes, snapshot, level: e.engine.nest_level() })
    }
    /// What was kept for it is kept no longer.
    pub fn close(&self, engine: &transam::Engine) {
        if let Some(s) = &self.snapshot {
            engine.unregister_snapshot(s);
        }
    }
    fn rows(&self, e: &FnEnv, page: ScanOp, dir: Direction, limit: usize) -> Result<Vec<(i32, CatRow)>> {
        let snapshot = match &self.snapshot {
            Some(s) => transam::Snapshot::Mvcc(s.clone()),
            None => e.catalog.catalog_snapshot()?,
        };
        let of_object = ScanOp::Cmp(Strategy::Eq, Datum::oid(self.oid), None);
        let keys = vec![ScanKey { column: 1, op: of_object }, ScanKey { column: 2, op: page }];
        let rows = e.catalog.scan_keys(TABLE, LOID_PN_INDEX, keys, dir, limit, snapshot)?;
        Ok(rows.into_iter().map(|r| (r.i32(PAGENO), r)).collect())
    }
    /// The first pages from number `from` on.
    fn pages(&self, e: &FnEnv, from: i32, limit: usize) -> Result<Vec<(i32, CatRow)>> {
        self.rows(e, ScanOp::Cmp(Strategy::Ge, Datum::I32(from), None), Direction::Forward, limit)
    }
    fn page(&self, e: &FnEnv, n: i32) -> Result<Option<CatRow>> {
        let same = ScanOp::Cmp(Strategy::Eq, Datum::I32(n), None);
        Ok(self.rows(e, same, Direction::Forward, 1)?.into_iter().next().map(|(_, r)| r))
    }
    /// Bytes of the whole object.
    pub fn size(&self, e: &FnEnv) -> Result<i64> {
        let any = ScanOp::Cmp(Strategy::Ge, Datum::I32(0), None);
        let last = self.rows(e, any, Direction::Backward, 1)?.into_iter().next();
        Ok(last.map_or(0, |(n, r)| i64::from(n) * PAGE + r.bytes(DATA).len() as i64))
    }
    /// Moves; `whence` is 0 from the start, 1 from here, 2 from the end.
    pub fn seek(&mut self, e: &FnEnv, offset: i64, whence: i32) -> Result<i64> {
        let base = match whence {
            0 => 0,
            1 => self.at,
            2 => self.size(e)?,
            other => bail!(INVALID_PARAMETER_VALUE, "invalid whence setting: {other}"),
        };
        let to = base.wrapping_add(offset);
        if !(0..=LIMIT).contains(&to) {
            bail!(INVALID_PARAMETER_VALUE, "invalid large object seek target: {to}");
        }
        self.at = to;
        Ok(to)
    }
    /// Reads up to `n` bytes and moves behind them. What lies between two pages reads as zeros.
    pub fn read(&mut self, e: &FnEnv, n: usize) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        let end = self.at.saturating_add(n as i64);
        let mut page = self.at / PAGE;
        while self.at < end {
            let some = self.pages(e, page as i32, PAGES_AT_A_TIME)?;
            let Some((last, _)) = some.last() else { break };
            page = i64::from(*last) + 1;
            for (number, r) in &some {
                self.take(&mut out, i64::from(*number), r.bytes(DATA), end);
            }
        }
        Ok(out)
    }
    fn fill(&mut self, out: &mut Vec<u8>, to: i64) {
        if to > self.at {
            out.resize(out.len() + (to - self.at) as usize, 0);
            self.at = to;
        }
    }
    fn take(&mut self, out: &mut Vec<u8>, number: i64, data: &[u8], end: i64) {
        let start = number * PAGE;
        self.fill(out, start.min(end));
        let skip = (self.at - start).max(0) as usize;
        let stop = ((end - start).max(0) as usize).min(data.len());
        if skip < stop {
            out.extend_from_slice(&data[skip..stop]);
            self.at += (stop - skip) as i64;
        }
    }
    /// Writes at the place and moves behind it.
    pub fn write(&mut self, e: &FnEnv, data: &[u8]) -> Result<()> {
        if self.at.saturating_add(data.len() as i64) > LIMIT {
            bail!(INVALID_PARAMETER_VALUE, "invalid large object write request size: {}", data.len());
        }
        let mut rest = data;
        while !rest.is_empty() {
            let (page, skip) = ((self.at / PAGE) as i32, (self.at % PAGE) as usize);
            let n = rest.len().min(PAGE as usize - skip);
            let old = self.page(e, page)?;
            let mut bytes = old.as_ref().map(page_bytes).unwrap_or_default();
            if bytes.len() < skip + n {
                bytes.resize(skip + n, 0);
            }
            bytes[skip..skip + n].copy_from_slice(&rest[..n]);
            self.put(e, page, old, &bytes)?;
            rest = &rest[n..];
            self.at += n as i64;
        }
        e.engine.command_counter_increment()
    }
    fn put(&self, e: &FnEnv, page: i32, old: Option<CatRow>, bytes: &[u8]) -> Result<()> {
        match old {
            Some(r) => {
                e.catalog.update_columns(TABLE, &r, &[(DATA, Datum::bytes(bytes))])?;
            }
            None => {
                let mut r = e.catalog.blank_row(TABLE);
                r[LOID] = Datum::oid(self.oid);
                r[PAGENO] = Datum::I32(page);
                r[DATA] = Datum::bytes(bytes);
                e.catalog.insert_row(TABLE, &r)?;
            }
        }
        Ok(())
    }
    /// Makes the object exactly this long.
    pub fn truncate(&mut self, e: &FnEnv, len: i64) -> Result<()> {
        if !(0..=LIMIT).contains(&len) {
            bail!(INVALID_PARAMETER_VALUE, "invalid large object truncation target: {len}");
        }
        let (page, keep) = ((len / PAGE) as i32, (len % PAGE) as usize);
        let mut kept = false;
        for (n, r) in self.pages(e, page, usize::MAX)? {
            if n == page {
                kept = true;
                let mut bytes = page_bytes(&r);
                bytes.resize(keep, 0);
                self.put(e, page, Some(r), &bytes)?;
            } else {
                e.catalog.delete_row(TABLE, &r)?;
            }
        }
        // A page that ends where the object is to end marks its length.
        if !kept {
            self.put(e, page, None, &vec![0; keep])?;
        }
        e.engine.command_counter_increment()
    }
}
