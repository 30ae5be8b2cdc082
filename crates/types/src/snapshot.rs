//! `pg_snapshot` and its older twin `txid_snapshot`: which transactions a snapshot sees. A value is three or more 64-bit
//! numbers, little-endian: xmin, xmax, and the ids between them that were running, ascending.

use crate::array::Values;
use crate::wire::{Wire, bad_input};
use crate::{CallCtx, Datum, DatumRef, FnImpl, RowSource, k1, k2};
use common::{Error, Oid, Result, SqlState, err};

/// Functions of the two types.
pub static TABLE: &[(u32, FnImpl)] = &[
    (5055, FnImpl::Input(snapshot_in)),
    (2939, FnImpl::Input(snapshot_in)),
    (5056, FnImpl::Output(snapshot_out)),
    (2940, FnImpl::Output(snapshot_out)),
    (5057, FnImpl::Receive(snapshot_recv)),
    (2941, FnImpl::Receive(snapshot_recv)),
    (5058, FnImpl::Send(snapshot_send)),
    (2942, FnImpl::Send(snapshot_send)),
    (5062, k1!(xmin)),
    (2945, k1!(xmin)),
    (5063, k1!(xmax)),
    (2946, k1!(xmax)),
    (5064, FnImpl::Srf(running)),
    (2947, FnImpl::Srf(running)),
    (5065, k2!(visible)),
    (2948, k2!(visible)),
];

/// Most ids a value holds: a gigabyte of them.
const RUNNING_MAX: usize = (1 << 30) / 8 - 2;

/// The value of a snapshot.
pub fn build(xmin: u64, xmax: u64, running: &[u64]) -> Vec<u8> {
    [xmin, xmax].iter().chain(running).flat_map(|x| x.to_le_bytes()).collect()
}

fn ids(b: &[u8]) -> Result<Vec<u64>> {
    let v: Vec<u64> = b.as_chunks::<8>().0.iter().map(|c| u64::from_le_bytes(*c)).collect();
    if v.len() < 2 || !b.len().is_multiple_of(8) {
        Err(Error::corrupted("malformed snapshot value"))
    } else {
        Ok(v)
    }
}

/// Reads digits; zero where there are none, as `strtoull` does.
fn number(s: &mut &str) -> Option<u64> {
    let n = s.bytes().take_while(u8::is_ascii_digit).count();
    let (digits, rest) = s.split_at(n);
    *s = rest;
    if n == 0 { Some(0) } else { digits.parse().ok() }
}

fn parse(text: &str) -> Option<Vec<u8>> {
    let mut s = text;
    let xmin = number(&mut s)?;
    s = s.strip_prefix(':')?;
    let xmax = number(&mut s)?;
    s = s.strip_prefix(':')?;
    if xmin == 0 || xmax == 0 || xmax < xmin || xmax > i64::MAX as u64 {
        return None;
    }
    let mut running: Vec<u64> = Vec::new();
    while !s.is_empty() {
        let x = number(&mut s)?;
        let before = running.last().copied().unwrap_or(0);
        if x < xmin || x >= xmax || x < before {
            return None;
        }
        if x != before {
            running.push(x);
        }
        if !s.is_empty() {
            s = s.strip_prefix(',')?;
        }
    }
    Some(build(xmin, xmax, &running))
}

fn snapshot_in(_: &CallCtx<'_>, s: &str, _: Oid, _: i32) -> Result<Datum> {
    parse(s).map(|b| Datum::bytes(&b)).ok_or_else(|| bad_input("pg_snapshot", s))
}
fn snapshot_out(_: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    let v = ids(v.bytes())?;
    let running: Vec<String> = v[2..].iter().map(u64::to_string).collect();
    out.extend_from_slice(format!("{}:{}:{}", v[0], v[1], running.join(",")).as_bytes());
    Ok(())
}
fn snapshot_recv(_: &CallCtx<'_>, b: &[u8], _: Oid, _: i32) -> Result<Datum> {
    let bad = || err!(INVALID_BINARY_REPRESENTATION, "invalid external pg_snapshot data");
    let mut w = Wire::new(b);
    let n = w.i32()?;
    if n < 0 || n as usize > RUNNING_MAX {
        return Err(bad());
    }
    let (xmin, xmax) = (w.i64()?, w.i64()?);
    if xmin <= 0 || xmax <= 0 || xmax < xmin {
        return Err(bad());
    }
    let mut running: Vec<u64> = Vec::new();
    for _ in 0..n {
        let x = w.i64()?;
        let before = running.last().copied().unwrap_or(0);
        if x < xmin || x >= xmax || (x as u64) < before {
            return Err(bad());
        }
        if x as u64 != before {
            running.push(x as u64);
        }
    }
    w.end()?;
    Ok(Datum::bytes(&build(xmin as u64, xmax as u64, &running)))
}
fn snapshot_send(_: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    let v = ids(v.bytes())?;
    out.extend_from_slice(&(v.len() as u32 - 2).to_be_bytes());
    v.iter().for_each(|x| out.extend_from_slice(&x.to_be_bytes()));
    Ok(())
}
fn xmin(b: &[u8]) -> Result<i64> {
    Ok(ids(b)?[0] as i64)
}
fn xmax(b: &[u8]) -> Result<i64> {
    Ok(ids(b)?[1] as i64)
}
fn visible(xid: i64, b: &[u8]) -> Result<bool> {
    let v = ids(b)?;
    let x = xid as u64;
    Ok(x < v[0] || (x < v[1] && v[2..].binary_search(&x).is_err()))
}
fn running(_: &CallCtx<'_>, args: &[Datum]) -> Result<Box<dyn RowSource>> {
    let v = match args.first().map(Datum::as_ref) {
        Some(DatumRef::Bytes(b)) => ids(b)?,
        Some(DatumRef::Null) => return Ok(Values::boxed(Vec::new())),
        _ => return Err(Error::new(SqlState::INTERNAL_ERROR, "snapshot expected")),
    };
    Ok(Values::boxed(v[2..].iter().map(|x| Datum::I64(*x as i64)).collect()))
}
