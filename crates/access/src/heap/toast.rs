//! TOAST: values too large for their row are compressed (lz4), and what is still too large goes in chunks of 1,996
//! bytes to the TOAST table, found again by (value id, sequence number). Everything here runs without page locks.
//!
//! Storage letters: `p` stays as it is, `m` is compressed and moved out only as the last resort, `x` both, `e` is
//! moved out uncompressed.

use super::form::{Value, tuple_size};
use super::insert::{InsertOptions, insert};
use super::{LockWait, delete, fetch};
use crate::btree::{self, BtScan, Direction, ScanKey, ScanOp, Strategy, UniqueCheck};
use crate::rel::{Rel, ToastRel};
use crate::txn::{self, Engine};
use common::{CommandId, Error, Result};
use transam::{LockMode, Snapshot};
use types::tuple::{
    FormAttr, RawAttr, TOAST_POINTER_LEN, ToastPointer, compressed_parts, compressed_varlena,
};
use types::{Datum, DatumRef};

/// Tuples beyond this are toasted (four of them fill a page).
const THRESHOLD: usize = 2032;
/// Data bytes of a chunk: four chunk tuples fill a page.
const CHUNK: usize = 1996;
/// Method number of lz4.
const LZ4: u8 = 1;

/// Tuple size above which rows are toasted. (Without a TOAST table, values are still compressed.)
pub(crate) fn threshold() -> usize {
    THRESHOLD
}

fn target(rel: &Rel) -> usize {
    rel.vacuum.toast_tuple_target.unwrap_or(THRESHOLD).clamp(128, 8160)
}

/// Expands a value compressed in line (header included), appending to `out`.
pub fn decompress(raw: &[u8], out: &mut Vec<u8>) -> Result<()> {
    let p = compressed_parts(raw)?;
    decompress_payload(p.payload, p.rawsize, p.method, out)
}

/// Expands compressed bytes, appending exactly `rawsize` bytes to `out`.
pub fn decompress_payload(payload: &[u8], rawsize: usize, method: u8, out: &mut Vec<u8>) -> Result<()> {
    if method != LZ4 {
        return Err(Error::corrupted(format!("invalid compression method id {method}")));
    }
    // lz4 cannot expand by more than 255: bounds the allocation.
    if rawsize > payload.len().saturating_mul(256).saturating_add(1024) {
        return Err(Error::corrupted("compressed lz4 data is corrupt"));
    }
    let at = out.len();
    out.resize(at + rawsize, 0);
    match lz4_flex::block::decompress_into(payload, &mut out[at..]) {
        Ok(n) if n == rawsize => Ok(()),
        _ => Err(Error::corrupted("compressed lz4 data is corrupt")),
    }
}

/// The value compressed in its stored form, if that saves anything.
pub(crate) fn compress(data: &[u8]) -> Option<Vec<u8>> {
    let z = lz4_flex::block::compress(data);
    (z.len() + 8 < data.len()).then(|| compressed_varlena(data.len(), LZ4, &z))
}

/// Reads any stored form, appending the value's bytes.
pub fn detoast(eng: &Engine, rel: &Rel, raw: RawAttr<'_>, out: &mut Vec<u8>) -> Result<()> {
    match raw {
        RawAttr::Null => Ok(()),
        RawAttr::Plain(DatumRef::Bytes(b)) => {
            out.extend_from_slice(b);
            Ok(())
        }
        RawAttr::Plain(_) => Err(Error::internal("detoasting a fixed-width value")),
        RawAttr::Compressed { raw } => decompress(raw, out),
        RawAttr::External(p) => fetch(eng, rel, &p, out),
    }
}

fn toast_of(rel: &Rel) -> Result<&ToastRel> {
    rel.toast
        .as_deref()
        .ok_or_else(|| Error::corrupted(format!("relation \"{}\" has no toast table", rel.name)))
}

/// The chunks' addresses of a value, in sequence order.
fn chunks(eng: &Engine, t: &ToastRel, value: u32) -> Result<Vec<common::Tid>> {
    let keys = vec![ScanKey { column: 1, op: ScanOp::Cmp(Strategy::Eq, Datum::U32(value), None) }];
    let mut scan = BtScan::begin(t.index.clone(), keys, Direction::Forward, true).outside_snapshot();
    let mut all = Vec::new();
    let mut tids = Vec::new();
    while scan.next_batch(eng, &mut tids, None)? {
        all.extend_from_slice(&tids);
    }
    scan.end(eng);
    Ok(all)
}

/// Reads an out-of-line value, appending its bytes.
pub fn fetch(eng: &Engine, rel: &Rel, p: &ToastPointer, out: &mut Vec<u8>) -> Result<()> {
    let t = toast_of(rel)?;
    let _lock = txn::lock_briefly(eng, &t.heap, LockMode::AccessShare)?;
    let size = p.extsize() as usize;
    let mut stored = Vec::with_capacity(size.min(1 << 24));
    let missing = |n: usize| {
        Error::corrupted(format!(
            "missing chunk number {n} for toast value {} in {}",
            p.value_id, t.heap.name
        ))
    };
    let mut seq = 0;
    for tid in chunks(eng, t, p.value_id.0)? {
        let Some(row) = fetch::fetch_row(eng, &t.heap, tid, &Snapshot::Toast)? else { continue };
        let (Some(Datum::U32(id)), Some(Datum::I32(n)), Some(Datum::Bytes(b))) =
            (row.first(), row.get(1), row.get(2))
        else {
            return Err(missing(seq));
        };
        if *id != p.value_id.0 {
            continue;
        }
        if *n as usize != seq {
            return Err(missing(seq));
        }
        stored.extend_from_slice(b);
        seq += 1;
    }
    if stored.len() != size {
        return Err(missing(seq));
    }
    if p.is_compressed() {
        let rawsize = (p.rawsize.max(4) - 4) as usize;
        decompress_payload(&stored, rawsize, p.method(), out)
    } else {
        out.extend_from_slice(&stored);
        Ok(())
    }
}

/// Stores bytes in the TOAST table; returns the pointer's bytes.
fn store(
    eng: &Engine,
    rel: &Rel,
    data: &[u8],
    rawsize: usize,
    method: Option<u8>,
    cid: CommandId,
) -> Result<[u8; TOAST_POINTER_LEN]> {
    let t = toast_of(rel)?;
    let _lock = txn::lock_briefly(eng, &t.heap, LockMode::RowExclusive)?;
    let mut value_id = eng.new_oid()?;
    while !chunks(eng, t, value_id.0)?.is_empty() {
        value_id = eng.new_oid()?;
    }
    for (seq, chunk) in data.chunks(CHUNK).enumerate() {
        eng.check_interrupts()?;
        let row = [DatumRef::U32(value_id.0), DatumRef::I32(seq as i32), DatumRef::Bytes(chunk)];
        let tid = insert(eng, &t.heap, &row, cid, &InsertOptions::default())?;
        btree::insert(eng, &t.index, &t.heap, &row[..2], tid, UniqueCheck::Yes)?;
    }
    let p = ToastPointer {
        rawsize: rawsize as i32 + 4,
        extinfo: data.len() as u32 | u32::from(method.unwrap_or(0)) << 30,
        value_id,
        toast_relid: t.heap.oid,
    };
    Ok(p.to_bytes())
}

fn stored_len(v: &Value<'_>) -> usize {
    match v.attr() {
        FormAttr::Datum(DatumRef::Bytes(b)) => b.len() + 4,
        FormAttr::Raw(r) => r.len(),
        FormAttr::Datum(_) => 0,
    }
}

fn is_external(v: &Value<'_>) -> bool {
    matches!(v.attr(), FormAttr::Raw(r) if r.first() == Some(&1))
}

fn is_plain(v: &Value<'_>) -> bool {
    matches!(v.attr(), FormAttr::Datum(DatumRef::Bytes(_)))
}

/// The largest value that `pick` accepts and that is worth the trouble.
fn biggest(rel: &Rel, values: &[Value<'_>], pick: impl Fn(usize, u8, &Value<'_>) -> bool) -> Option<usize> {
    let min = TOAST_POINTER_LEN + 14;
    (0..values.len())
        .filter(|&i| {
            let a = &rel.desc.attrs[i];
            a.len == -1 && !is_external(&values[i]) && pick(i, a.storage, &values[i])
        })
        .filter(|&i| stored_len(&values[i]) > min)
        .max_by_key(|&i| stored_len(&values[i]))
}

/// Moves one value to the TOAST table.
fn move_out(eng: &Engine, rel: &Rel, v: &mut Value<'_>, cid: CommandId) -> Result<()> {
    let ptr = match v.attr() {
        FormAttr::Datum(DatumRef::Bytes(b)) => store(eng, rel, b, b.len(), None, cid)?,
        FormAttr::Raw(r) => {
            let p = compressed_parts(r)?;
            store(eng, rel, p.payload, p.rawsize, Some(p.method), cid)?
        }
        FormAttr::Datum(_) => return Err(Error::internal("moving out a fixed-width value")),
    };
    *v = Value::Stored(ptr.to_vec());
    Ok(())
}

/// Compresses and moves out values until the tuple is small enough: PostgreSQL's four rounds.
pub(crate) fn shrink(eng: &Engine, rel: &Rel, values: &mut [Value<'_>], cid: CommandId) -> Result<()> {
    let goal = target(rel);
    let can_move = rel.toast.is_some();
    let mut tried = vec![false; values.len()];
    let too_big = |v: &[Value<'_>]| tuple_size(rel, v) > goal;
    // Round 1: compress x, and move out at once what alone would not fit.
    while too_big(values) {
        let Some(i) =
            biggest(rel, values, |i, s, v| !tried[i] && (s == b'x' && is_plain(v) || s == b'e' && can_move))
        else {
            break;
        };
        tried[i] = true;
        if rel.desc.attrs[i].storage == b'x' {
            compress_value(&mut values[i]);
        }
        if can_move && stored_len(&values[i]) > goal {
            move_out(eng, rel, &mut values[i], cid)?;
        }
    }
    // Round 2: move out x and e.
    while too_big(values) {
        let Some(i) = biggest(rel, values, |_, s, _| can_move && (s == b'x' || s == b'e')) else { break };
        move_out(eng, rel, &mut values[i], cid)?;
    }
    // Round 3: compress m.
    while too_big(values) {
        let Some(i) = biggest(rel, values, |i, s, v| !tried[i] && s == b'm' && is_plain(v)) else { break };
        tried[i] = true;
        compress_value(&mut values[i]);
    }
    // Round 4: move out m, only if the tuple does not fit a page otherwise.
    while tuple_size(rel, values) > super::page::MAX_TUPLE_SIZE {
        let Some(i) = biggest(rel, values, |_, s, _| can_move && s == b'm') else { break };
        move_out(eng, rel, &mut values[i], cid)?;
    }
    Ok(())
}

fn compress_value(v: &mut Value<'_>) {
    let z = match v.attr() {
        FormAttr::Datum(DatumRef::Bytes(b)) => compress(b),
        _ => None,
    };
    if let Some(z) = z {
        *v = Value::Stored(z);
    }
}

/// Deletes the chunks of an out-of-line value.
pub(crate) fn delete_value(eng: &Engine, rel: &Rel, p: &ToastPointer, cid: CommandId) -> Result<()> {
    let t = toast_of(rel)?;
    let _lock = txn::lock_briefly(eng, &t.heap, LockMode::RowExclusive)?;
    for tid in chunks(eng, t, p.value_id.0)? {
        // Chunks of an aborted transaction with the same id may linger; only visible ones are ours to delete.
        if fetch::fetch_row(eng, &t.heap, tid, &Snapshot::SelfSeen)?.is_some() {
            delete::delete(eng, &t.heap, tid, cid, LockWait::Block)?;
        }
    }
    Ok(())
}

/// The TOAST pointers of a tuple.
pub(crate) fn pointers(rel: &Rel, t: &[u8]) -> Result<Vec<(usize, ToastPointer)>> {
    if super::header::infomask(t) & super::header::HASEXTERNAL == 0 {
        return Ok(Vec::new());
    }
    let mut raws = Vec::with_capacity(rel.desc.len());
    rel.deformer.deform(super::page::tuple_bytes(t), &mut raws)?;
    Ok(raws
        .iter()
        .enumerate()
        .filter_map(|(i, r)| match r {
            RawAttr::External(p) => Some((i, *p)),
            _ => None,
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compression_round_trip() {
        let data: Vec<u8> = (0..9000u32).map(|i| (i / 100) as u8).collect();
        let z = compress(&data).unwrap();
        assert!(z.len() < data.len());
        let mut out = b"x".to_vec();
        decompress(&z, &mut out).unwrap();
        assert_eq!(&out[1..], &data[..]);
        assert!(decompress(&z[..z.len() - 3], &mut Vec::new()).is_err());
        assert!(decompress_payload(b"abc", 1 << 29, LZ4, &mut Vec::new()).is_err());
    }
}
