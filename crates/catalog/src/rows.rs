//! Reading and changing rows of the system catalogs: ordinary heap tables with btree indexes, read under a fresh
//! catalog snapshot, changed with WAL, indexes and invalidation like any table.

use crate::cache::Catalog;
use access::btree::{self, Direction, ScanKey, ScanOp, Strategy, UniqueCheck};
use access::heap::{self, InsertOptions, LockWait, UpdateOptions};
use access::txn;
use access::{BtScan, FetchStatus, HeapScan, IndexFetch, IndexRel, Rel, ScanOptions, ScanSpec, TmResult};
use common::{Error, Oid, Result, Tid};
use std::rc::Rc;
use transam::{LockMode, Snapshot};
use types::{Batch, Column, Datum, DatumRef};

/// What it takes to work on one catalog.
pub struct Handle {
    pub rel: Rc<Rel>,
    pub indexes: Vec<(Vec<i16>, Rc<IndexRel>)>,
    /// Columns in any index, ascending, for the HOT decision.
    indexed: Vec<u16>,
    /// All columns, in order; then the row's address.
    spec: ScanSpec,
    row_type: Oid,
}

/// A row of a catalog.
#[derive(Clone, Debug)]
pub struct CatRow {
    pub tid: Tid,
    pub values: Vec<Datum>,
}

impl CatRow {
    fn at(&self, c: usize) -> DatumRef<'_> {
        self.values.get(c).map_or(DatumRef::Null, Datum::as_ref)
    }
    /// An OID column; NULL reads as invalid.
    pub fn oid(&self, c: usize) -> Oid {
        if let DatumRef::U32(v) = self.at(c) { Oid(v) } else { Oid::INVALID }
    }
    /// A boolean; NULL reads as false.
    pub fn bool(&self, c: usize) -> bool {
        matches!(self.at(c), DatumRef::Bool(true))
    }
    /// A `"char"`; NULL reads as 0.
    pub fn char(&self, c: usize) -> u8 {
        if let DatumRef::I8(v) = self.at(c) { v as u8 } else { 0 }
    }
    /// An int2; NULL reads as 0.
    pub fn i16(&self, c: usize) -> i16 {
        if let DatumRef::I16(v) = self.at(c) { v } else { 0 }
    }
    /// An int4; NULL reads as 0.
    pub fn i32(&self, c: usize) -> i32 {
        if let DatumRef::I32(v) = self.at(c) { v } else { 0 }
    }
    /// An int8; NULL reads as 0.
    pub fn i64(&self, c: usize) -> i64 {
        if let DatumRef::I64(v) = self.at(c) { v } else { 0 }
    }
    /// A float4; NULL reads as 0.
    pub fn f32(&self, c: usize) -> f32 {
        if let DatumRef::F32(v) = self.at(c) { v } else { 0.0 }
    }
    /// Bytes of a variable-length column; NULL reads as empty.
    pub fn bytes(&self, c: usize) -> &[u8] {
        if let DatumRef::Bytes(b) = self.at(c) { b } else { &[] }
    }
    /// Bytes of a variable-length column.
    pub fn opt_bytes(&self, c: usize) -> Option<Rc<[u8]>> {
        if let Some(Datum::Bytes(b)) = self.values.get(c) { Some(b.clone()) } else { None }
    }
    /// A name or text; NULL reads as empty.
    pub fn str(&self, c: usize) -> &str {
        std::str::from_utf8(self.bytes(c)).unwrap_or("")
    }
    /// A text; `None` for NULL.
    pub fn text(&self, c: usize) -> Option<String> {
        if self.at(c).is_null() { None } else { Some(self.str(c).to_string()) }
    }
}

impl Catalog {
    /// The handle of a catalog.
    pub fn handle(&self, table: Oid) -> Result<Rc<Handle>> {
        if let Some(h) = self.handles.borrow().get(&table) {
            return Ok(h.clone());
        }
        let t = self
            .builtins
            .schema
            .table(table)
            .ok_or_else(|| Error::internal(format!("{table} is not a system catalog")))?;
        let rel = Rc::new(self.catalog_storage(t));
        let mut indexes = Vec::new();
        let mut indexed: Vec<u16> = Vec::new();
        for oid in &t.indexes {
            let Some(ix) = self.builtins.schema.index(*oid) else { continue };
            indexed.extend(ix.keys.iter().map(|k| *k as u16));
            indexes.push((ix.keys.clone(), Rc::new(self.catalog_index_rel(ix)?)));
        }
        indexed.sort_unstable();
        indexed.dedup();
        let n = t.desc.len() as u16;
        let spec = ScanSpec {
            wanted: (0..n).map(|i| (i + 1, i)).collect(),
            system: vec![(access::SysCol::Ctid, n)],
        };
        let h = Rc::new(Handle { rel, indexes, indexed, spec, row_type: t.row_type });
        self.handles.borrow_mut().insert(table, h.clone());
        Ok(h)
    }

    /// The present state.
    pub fn catalog_snapshot(&self) -> Result<Snapshot> {
        Ok(Snapshot::Mvcc(self.eng.catalog_snapshot()?))
    }

    /// Rows whose leading index columns equal `keys`, in index order.
    pub fn scan(&self, table: Oid, index: Oid, keys: &[Datum]) -> Result<Vec<CatRow>> {
        self.scan_seen_by(table, index, keys, self.catalog_snapshot()?)
    }

    /// The same, as a snapshot sees them.
    pub fn scan_seen_by(
        &self,
        table: Oid,
        index: Oid,
        keys: &[Datum],
        snapshot: Snapshot,
    ) -> Result<Vec<CatRow>> {
        let keys = keys
            .iter()
            .enumerate()
            .map(|(i, d)| ScanKey { column: i as u16 + 1, op: ScanOp::Cmp(Strategy::Eq, d.clone(), None) })
            .collect();
        self.scan_keys(table, index, keys, Direction::Forward, usize::MAX, snapshot)
    }

    /// The first `limit` rows that satisfy the keys, in the index's order or against it.
    pub fn scan_keys(
        &self,
        table: Oid,
        index: Oid,
        keys: Vec<ScanKey>,
        direction: Direction,
        limit: usize,
        snapshot: Snapshot,
    ) -> Result<Vec<CatRow>> {
        let h = self.handle(table)?;
        let (_, ix) = h
            .indexes
            .iter()
            .find(|(_, ix)| ix.rel.oid == index)
            .ok_or_else(|| Error::internal(format!("{index} is not an index of catalog {table}")))?;
        let mut scan = BtScan::begin(ix.clone(), keys, direction, false);
        let mut fetch = IndexFetch::new(h.rel.clone(), snapshot, h.spec.clone());
        let mut tids = Vec::new();
        let mut batch = empty_batch(&h);
        let mut rows = Vec::new();
        while rows.len() < limit && scan.next_batch(&self.eng, &mut tids, None)? {
            for tid in &tids {
                if rows.len() == limit {
                    break;
                }
                if let FetchStatus::Found(_) = fetch.fetch_into(&self.eng, *tid, &mut batch)? {
                    take_rows(&mut batch, &mut rows);
                }
            }
        }
        scan.end(&self.eng);
        fetch.release();
        Ok(rows)
    }

    /// The transaction that made a row.
    pub fn row_xmin(&self, table: Oid, tid: Tid) -> Result<common::Xid> {
        let h = self.handle(table)?;
        let p = self.eng.store().read_main(h.rel.locator, tid.block)?.into_share();
        let header = heap::page::read_header(&p, tid.offset)?;
        Ok(header.filter(|h| !h.xmin_frozen()).map_or(common::Xid::FROZEN, |h| h.xmin))
    }

    /// All rows of a catalog, in physical order.
    pub fn scan_all(&self, table: Oid) -> Result<Vec<CatRow>> {
        let h = self.handle(table)?;
        let _lock = txn::lock_briefly(&self.eng, &h.rel, LockMode::AccessShare)?;
        let mut scan = HeapScan::begin(
            &self.eng,
            h.rel.clone(),
            self.catalog_snapshot()?,
            h.spec.clone(),
            ScanOptions::default(),
        )?;
        let mut batch = empty_batch(&h);
        let mut rows = Vec::new();
        loop {
            batch.clear();
            let more = scan.next_batch(&self.eng, &mut batch)?;
            take_rows(&mut batch, &mut rows);
            if !more {
                return Ok(rows);
            }
        }
    }

    /// Inserts a row.
    pub fn insert_row(&self, table: Oid, values: &[Datum]) -> Result<Tid> {
        let h = self.handle(table)?;
        let _lock = txn::lock_briefly(&self.eng, &h.rel, LockMode::RowExclusive)?;
        let refs: Vec<DatumRef<'_>> = values.iter().map(Datum::as_ref).collect();
        let cid = self.eng.current_command_id(true);
        let tid = heap::insert(&self.eng, &h.rel, &refs, cid, &InsertOptions::default())?;
        self.insert_index_entries(&h, &refs, tid)?;
        self.queue_row_invalidation(table, values);
        self.note_member(table, values)?;
        Ok(tid)
    }

    fn insert_index_entries(&self, h: &Handle, values: &[DatumRef<'_>], tid: Tid) -> Result<()> {
        for (keys, ix) in &h.indexes {
            let keys: Vec<DatumRef<'_>> = keys.iter().map(|k| values[*k as usize - 1]).collect();
            let unique = if ix.unique { UniqueCheck::Yes } else { UniqueCheck::No };
            btree::insert(&self.eng, ix, &h.rel, &keys, tid, unique)?;
        }
        Ok(())
    }

    /// Replaces a row.
    pub fn update_row(&self, table: Oid, row: &CatRow, values: &[Datum]) -> Result<Tid> {
        let h = self.handle(table)?;
        let _lock = txn::lock_briefly(&self.eng, &h.rel, LockMode::RowExclusive)?;
        let refs: Vec<DatumRef<'_>> = values.iter().map(Datum::as_ref).collect();
        let changed: Vec<u16> =
            (0..values.len()).filter(|&i| row.values.get(i) != values.get(i)).map(|i| i as u16 + 1).collect();
        let opts = UpdateOptions {
            cid: self.eng.current_command_id(true),
            wait: LockWait::Block,
            indexed_attrs: &h.indexed,
            key_attrs: &h.indexed,
            changed: Some(&changed),
        };
        let r = heap::update(&self.eng, &h.rel, row.tid, &refs, &opts)?;
        concurrently_changed(&r.result)?;
        if r.needs_index {
            self.insert_index_entries(&h, &refs, r.tid)?;
        }
        self.queue_row_invalidation(table, &row.values);
        self.queue_row_invalidation(table, values);
        Ok(r.tid)
    }

    /// Replaces some columns of a row.
    pub fn update_columns(&self, table: Oid, row: &CatRow, changes: &[(usize, Datum)]) -> Result<Tid> {
        let mut values = row.values.clone();
        for (c, d) in changes {
            values[*c] = d.clone();
        }
        self.update_row(table, row, &values)
    }

    /// Overwrites some columns of a row in place, outside any transaction (sizes and statistics of `pg_class`).
    pub fn overwrite_columns(&self, table: Oid, row: &CatRow, changes: &[(usize, Datum)]) -> Result<()> {
        let h = self.handle(table)?;
        let _lock = txn::lock_briefly(&self.eng, &h.rel, LockMode::RowExclusive)?;
        let refs: Vec<(u16, DatumRef<'_>)> =
            changes.iter().map(|(c, d)| (*c as u16 + 1, d.as_ref())).collect();
        heap::inplace_update(&self.eng, &h.rel, row.tid, &refs)?;
        self.queue_row_invalidation(table, &row.values);
        Ok(())
    }

    /// Deletes a row.
    pub fn delete_row(&self, table: Oid, row: &CatRow) -> Result<()> {
        let h = self.handle(table)?;
        let _lock = txn::lock_briefly(&self.eng, &h.rel, LockMode::RowExclusive)?;
        let cid = self.eng.current_command_id(true);
        let r = heap::delete(&self.eng, &h.rel, row.tid, cid, LockWait::Block)?;
        concurrently_changed(&r)?;
        self.queue_row_invalidation(table, &row.values);
        Ok(())
    }

    /// An OID no row of the catalog has.
    pub fn new_oid(&self, table: Oid, oid_index: Oid) -> Result<Oid> {
        loop {
            let oid = self.eng.new_oid()?;
            if self.scan(table, oid_index, &[Datum::oid(oid)])?.is_empty() {
                return Ok(oid);
            }
        }
    }

    /// An unused OID for a type whose values are stored as `class` says.
    pub fn new_type_oid(&self, class: types::UserClass) -> Result<Oid> {
        loop {
            let oid = self.new_oid(crate::columns::pg_type::TABLE, crate::columns::pg_type::OID_INDEX)?;
            if class.fits(oid) {
                return Ok(oid);
            }
        }
    }

    /// An unused OID for a base type whose values look like the model's.
    pub fn new_base_type_oid(&self, model: u8) -> Result<Oid> {
        loop {
            let oid = self.eng.new_oid()?;
            if types::user_type::fits_model(oid, model)
                && self
                    .scan(
                        crate::columns::pg_type::TABLE,
                        crate::columns::pg_type::OID_INDEX,
                        &[Datum::oid(oid)],
                    )?
                    .is_empty()
            {
                return Ok(oid);
            }
        }
    }

    /// A row of NULLs for `table`, to be filled in.
    pub fn blank_row(&self, table: Oid) -> Vec<Datum> {
        vec![Datum::Null; self.builtins.schema.table(table).map_or(0, |t| t.desc.len())]
    }
}

fn concurrently_changed(r: &TmResult) -> Result<()> {
    match r {
        TmResult::Ok => Ok(()),
        TmResult::SelfModified { .. } => Err(Error::internal("tuple already updated by self")),
        TmResult::Updated { .. } | TmResult::Deleted { .. } => {
            Err(Error::internal("tuple concurrently updated"))
        }
        other => Err(Error::internal(format!("unexpected outcome of a catalog change: {other:?}"))),
    }
}

fn empty_batch(h: &Handle) -> Batch {
    let mut cols: Vec<Column> = h.rel.desc.attrs.iter().map(|a| Column::new(a.phys)).collect();
    cols.push(Column::new(types::Phys::I64));
    debug_assert!(h.row_type.is_valid());
    Batch { cols, rows: 0, sel: None }
}

fn take_rows(batch: &mut Batch, rows: &mut Vec<CatRow>) {
    let n = batch.cols.len() - 1;
    for i in 0..batch.rows {
        let values = batch.cols[..n].iter().map(|c| c.get(i).to_owned()).collect();
        rows.push(CatRow { tid: Tid::unpack(batch.cols[n].get(i).i64()), values });
    }
    batch.clear();
}
