//! Hashes of values by their type.

use super::jenkins::{hash_bytes, hash_word};
use crate::array::ArrayRef;
use crate::column::{Arg, Column, Rows};
use crate::json::node::{Container, Value, root};
use crate::numeric::Num;
use crate::range::value::{self as range, Subtype};
use crate::record::RecordRef;
use crate::{Datum, DatumRef, UserClass, oids, text};
use common::{Oid, Result, err};

type Seed = Option<u64>;

fn long(v: i64, seed: Seed) -> u64 {
    let (lo, hi) = (v as u32, (v >> 32) as u32);
    hash_word(lo ^ if v >= 0 { hi } else { !hi }, seed)
}

fn double(v: f64, seed: Seed) -> u64 {
    if v == 0.0 {
        return seed.unwrap_or(0);
    }
    let v = if v.is_nan() { f64::from_bits(0x7ff8_0000_0000_0000) } else { v };
    hash_bytes(&v.to_le_bytes(), seed)
}

fn number(b: &[u8], seed: Seed) -> Result<u64> {
    let n = Num::unpack(b)?;
    if !n.is_finite() {
        return Ok(seed.unwrap_or(0));
    }
    if n.is_zero() {
        return Ok(seed.map_or(u64::from(u32::MAX), |s| s.wrapping_sub(1)));
    }
    let digits: Vec<u8> = n.digits.iter().flat_map(|d| d.to_le_bytes()).collect();
    let h = hash_bytes(&digits, seed);
    Ok(if seed.is_some() { h ^ i64::from(n.weight) as u64 } else { h ^ u64::from(n.weight as u32) })
}

fn fold(parts: impl IntoIterator<Item = Result<u64>>, start: u64, seed: Seed) -> Result<u64> {
    let mut h = start;
    for p in parts {
        h = h.wrapping_mul(31).wrapping_add(p?);
        if seed.is_none() {
            h &= u64::from(u32::MAX);
        }
    }
    Ok(h)
}

fn rotate(h: u64, seed: Seed) -> u64 {
    // PostgreSQL turns the two halves of a long hash each by itself.
    let half = |h: u64| u64::from((h as u32).rotate_left(1));
    if seed.is_some() { half(h >> 32) << 32 | half(h) } else { half(h) }
}

const EMPTY: u8 = 1;
fn span(s: Option<&range::Span>, subtype: Oid, seed: Seed) -> Result<u64> {
    let Some(s) = s else { return Ok(rotate(hash_word(u32::from(EMPTY), seed), seed)) };
    let f = 2 * u8::from(s.lower.inclusive)
        + 4 * u8::from(s.upper.inclusive)
        + 8 * u8::from(s.lower.value.is_none())
        + 16 * u8::from(s.upper.value.is_none());
    let bound = |v: &Option<Datum>| v.as_ref().map_or(Ok(0), |v| by_type(subtype, v.as_ref(), seed));
    let h = hash_word(u32::from(f), seed) ^ bound(&s.lower.value)?;
    Ok(rotate(h, seed) ^ bound(&s.upper.value)?)
}

fn range_value(b: &[u8], seed: Seed) -> Result<u64> {
    let t = Subtype::of_value(b)?.family;
    let spans = range::spans(b)?;
    if range::type_of(b)? == t.range {
        return span(spans.first(), t.subtype, seed);
    }
    fold(spans.iter().map(|s| span(Some(s), t.subtype, seed)), 1, seed)
}

fn json_scalar(v: Value<'_>, h: u64, seed: Seed) -> Result<u64> {
    let part = match v {
        Value::Null => seed.unwrap_or(0).wrapping_add(1),
        Value::String(s) => hash_bytes(s.as_bytes(), seed),
        Value::Number(n) => number(n, seed)?,
        Value::Bool(b) => match seed {
            Some(s) if s != 0 => hash_word(u32::from(b), seed),
            _ => 4 >> u32::from(b),
        },
        Value::Array(c) | Value::Object(c) => return json_container(c, h, seed),
    };
    Ok(rotate(h, seed) ^ part)
}

fn json_container(c: Container<'_>, mut h: u64, seed: Seed) -> Result<u64> {
    let mark: u64 = if c.is_object() { 0x2000_0000 } else { 0x4000_0000 };
    h ^= mark | if seed.is_some() { mark << 32 } else { 0 };
    if c.is_object() {
        for m in c.members() {
            let (k, v) = m?;
            h = json_scalar(Value::String(k), h, seed)?;
            h = json_scalar(v, h, seed)?;
        }
    } else {
        for v in c.values() {
            h = json_scalar(v?, h, seed)?;
        }
    }
    Ok(h)
}

fn interval(v: [u8; 16]) -> i64 {
    let i = crate::datetime::Interval::unpack(v);
    let days = i64::from(i.months) * 30 + i64::from(i.days);
    (i128::from(i.us) + i128::from(days) * 86_400_000_000) as i64
}

fn small(type_oid: Oid, v: DatumRef<'_>, seed: Seed) -> Option<u64> {
    Some(match v {
        DatumRef::Bool(b) => hash_word(u32::from(b), seed),
        DatumRef::I8(c) => hash_word(i32::from(c) as u32, seed),
        DatumRef::I16(i) => hash_word(i32::from(i) as u32, seed),
        DatumRef::I32(i) => hash_word(i as u32, seed),
        DatumRef::U32(i) => hash_word(i, seed),
        DatumRef::I64(i) if UserClass::Enum.is(type_oid) => hash_word(i as u32, seed),
        DatumRef::I64(i) if type_oid == oids::TID => {
            let (block, offset) = ((i >> 16) as u32, i as u16);
            let b = [(block >> 16) as u16, block as u16, offset].map(u16::to_le_bytes).concat();
            hash_bytes(&b, seed)
        }
        DatumRef::I64(i) => long(i, seed),
        DatumRef::F32(f) => double(f64::from(f), seed),
        DatumRef::F64(f) => double(f, seed),
        DatumRef::Fixed16(b) if type_oid == oids::TIMETZ => {
            let (us, zone) = crate::datetime::unpack_timetz(b);
            long(us, seed) ^ hash_word(zone as u32, seed)
        }
        DatumRef::Fixed16(b) if type_oid == oids::INTERVAL => long(interval(b), seed),
        DatumRef::Fixed16(b) => hash_bytes(&b, seed),
        DatumRef::Null | DatumRef::Bytes(_) => return None,
    })
}

/// The hash of a value of a type; 32 bits without a seed. 42883 for types that have none.
pub fn by_type(type_oid: Oid, v: DatumRef<'_>, seed: Seed) -> Result<u64> {
    if let Some(h) = small(type_oid, v, seed) {
        return Ok(h);
    }
    if v.is_null() {
        return Ok(0);
    }
    let b = v.bytes();
    let type_oid = crate::storage_info(type_oid).map_or(type_oid, |t| t.oid);
    match type_oid {
        oids::BPCHAR => Ok(hash_bytes(text::trim_blanks(b), seed)),
        oids::NUMERIC => number(b, seed),
        oids::JSONB => match root(b)? {
            c if c.is_empty() => Ok(seed.unwrap_or(0)),
            c => json_container(c, 0, seed),
        },
        oids::RECORD => {
            fold(RecordRef::new(b)?.fields()?.iter().map(|(t, d)| by_type(*t, *d, seed)), 0, seed)
        }
        oids::OIDVECTOR => {
            let items = crate::array::vector_items(b)?;
            let raw: Vec<u8> = items.iter().flat_map(|o| (*o as u32).to_le_bytes()).collect();
            Ok(hash_bytes(&raw, seed))
        }
        t if range::find_family(t).is_some() => range_value(b, seed),
        t if crate::storage_info(t).is_some_and(|i| i.is_array()) || UserClass::Array.is(t) => array(b, seed),
        oids::JSON => Err(err!(UNDEFINED_FUNCTION, "could not identify a hash function for type json")),
        _ => Ok(hash_bytes(b, seed)),
    }
}

fn array(b: &[u8], seed: Seed) -> Result<u64> {
    let a = ArrayRef::new(b)?;
    let items = a.to_vec()?;
    fold(items.iter().map(|d| by_type(a.elem.oid, *d, seed)), 1, seed)
}

/// Runs a hash function over rows: the second argument, if there is one, is the seed.
pub fn rows(type_oid: Oid, args: &[Arg<'_>], rows: Rows<'_>, out: &mut Column) -> Result<()> {
    crate::kernel::run_rows(args, rows, out, |v| {
        if v.iter().any(|d| d.is_null()) {
            return Ok(Datum::Null);
        }
        let seed = v.get(1).map(|s| s.i64() as u64);
        let h = match (type_oid, v[0]) {
            (oids::ANYARRAY, DatumRef::Bytes(b)) => array(b, seed)?,
            (oids::ANYRANGE, DatumRef::Bytes(b)) => range_value(b, seed)?,
            (oids::ANYENUM, DatumRef::I64(i)) => hash_word(i as u32, seed),
            (t, d) => by_type(t, d, seed)?,
        };
        Ok(match seed {
            Some(_) => Datum::I64(h as i64),
            None => Datum::I32(h as u32 as i32),
        })
    })
}
