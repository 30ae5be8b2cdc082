//! Overwriting a row where it stands, outside transactions: statistics in `pg_class`, sequences.

use super::page;
use super::redo::overwrite;
use super::wal::{self, Writer};
use crate::rel::Rel;
use crate::txn::{self, Engine};
use common::{Error, Result, Tid};
use storage::{RegFlags, RmgrId};
use types::DatumRef;
use types::tuple::{FormAttr, RawAttr, form_data};

/// Overwrites columns (attribute number from 1, value; any order) of the version at `tid`, non-transactionally. The
/// tuple's size and its NULLs must not change: XX000 otherwise.
pub fn inplace_update(eng: &Engine, rel: &Rel, tid: Tid, values: &[(u16, DatumRef<'_>)]) -> Result<()> {
    let pin = txn::store(eng).read_main(rel.locator, tid.block)?;
    let mut g = pin.exclusive();
    let data = new_data(rel, &g, tid, values)?;
    let cr = txn::store(eng).begin_critical();
    overwrite(cr.page(&mut g), tid.offset, &data)?;
    wal::finish(rel, &cr, || {
        let mut w = Writer::default();
        w.u16(tid.offset);
        let mut r = cr.record(RmgrId::HEAP, wal::INPLACE, txn::current_xid(eng));
        r.data(w.bytes());
        r.block(0, &g, RegFlags::STANDARD);
        r.block_data(0, &data);
        r
    });
    Ok(())
}

/// The tuple's data part with the values put in.
fn new_data(rel: &Rel, g: &storage::Page, tid: Tid, values: &[(u16, DatumRef<'_>)]) -> Result<Vec<u8>> {
    let t =
        page::tuple(g, tid.offset)?.ok_or_else(|| Error::internal("in-place update of a missing tuple"))?;
    let tb = page::tuple_bytes(t);
    let mut raws = Vec::with_capacity(tb.natts);
    let mut walker = rel.deformer.walk(tb);
    for _ in 0..tb.natts {
        raws.push(walker.next_attr()?);
    }
    let mut pointers = Vec::new();
    for r in &raws {
        if let RawAttr::External(p) = r {
            pointers.push(p.to_bytes());
        }
    }
    let mut ptr = pointers.iter();
    let mut attrs: Vec<FormAttr<'_>> = raws
        .iter()
        .map(|r| match r {
            RawAttr::Null => FormAttr::Datum(DatumRef::Null),
            RawAttr::Plain(d) => FormAttr::Datum(*d),
            RawAttr::Compressed { raw } => FormAttr::Raw(raw),
            RawAttr::External(_) => FormAttr::Raw(ptr.next().map_or(&[][..], |b| &b[..])),
        })
        .collect();
    for (att, v) in values {
        let slot = attrs
            .get_mut(*att as usize - 1)
            .ok_or_else(|| Error::internal("in-place update of a column the tuple does not have"))?;
        if slot.is_null() != v.is_null() {
            return Err(Error::internal("in-place update must not change NULLs"));
        }
        *slot = FormAttr::Datum(*v);
    }
    let mut data = Vec::with_capacity(tb.data.len());
    form_data(&rel.desc, &attrs, &mut data);
    if data.len() != tb.data.len() {
        return Err(Error::internal("in-place update must not change the tuple's size"));
    }
    Ok(data)
}
