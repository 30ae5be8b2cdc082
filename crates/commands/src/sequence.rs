//! Sequences: nextval, currval, setval and their state.

use crate::FnEnv;
use access::heap::{self, InsertOptions};
use access::{HeapScan, ScanOptions, ScanSpec};
use catalog::Catalog;
use common::{Error, Oid, Result};
use std::rc::Rc;
use transam::Snapshot;
use types::{Batch, Column, DatumRef, Phys};

fn storage(catalog: &Catalog, sequence: Oid) -> Result<Rc<access::Rel>> {
    let r = catalog.relation(sequence)?;
    r.rel.clone().ok_or_else(|| Error::internal(format!("sequence \"{}\" has no storage", r.name)))
}

/// Writes the one row of a sequence whose file is empty.
pub fn create_storage(catalog: &Catalog, sequence: Oid, last_value: i64, is_called: bool) -> Result<()> {
    let rel = storage(catalog, sequence)?;
    let values = [DatumRef::I64(last_value), DatumRef::I64(0), DatumRef::Bool(is_called)];
    let opts = InsertOptions { frozen: true, ..InsertOptions::default() };
    let cid = catalog.engine().current_command_id(true);
    heap::insert(catalog.engine(), &rel, &values, cid, &opts)?;
    Ok(())
}

/// A sequence's last value, and whether nextval has given it out.
pub fn state(catalog: &Catalog, sequence: Oid) -> Result<(i64, bool)> {
    let rel = storage(catalog, sequence)?;
    let spec = ScanSpec { wanted: vec![(1, 0), (3, 1)], system: Vec::new() };
    let mut batch = Batch { cols: vec![Column::new(Phys::I64), Column::new(Phys::Bool)], rows: 0, sel: None };
    let eng = catalog.engine();
    let mut scan = HeapScan::begin(eng, rel, Snapshot::Any, spec, ScanOptions::default())?;
    if !scan.next_batch(eng, &mut batch)? {
        return Err(Error::corrupted(format!("sequence {sequence} has no row")));
    }
    Ok((batch.cols[0].get(0).i64(), batch.cols[1].get(0).bool()))
}

/// The next value.
pub fn nextval(_env: &FnEnv, _sequence: Oid) -> Result<i64> {
    Err(Error::unsupported("nextval"))
}

/// Forgets cached values and `lastval` (DISCARD SEQUENCES).
pub fn forget_all(_env: &FnEnv) {}

/// Redo of a sequence's log record.
pub fn redo(_cx: &transam::RedoCtx<'_>, _record: &storage::Record) -> Result<()> {
    Err(Error::unsupported("redo of sequences"))
}
