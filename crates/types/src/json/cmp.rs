//! Order, hash, containment and existence of jsonb.

use super::access::text_items;
use super::node::{Container, Value, root};
use crate::DatumRef;
use crate::hash::{combine, hash_bytes, hash_u64};
use crate::numeric::{hash_numeric, numeric_cmp};
use common::Result;
use std::cmp::Ordering;

/// Null, string, number, boolean, array, object.
fn rank(v: &Value<'_>) -> u8 {
    match v {
        Value::Null => 0,
        Value::String(_) => 1,
        Value::Number(_) => 2,
        Value::Bool(_) => 3,
        Value::Array(_) => 4,
        Value::Object(_) => 5,
    }
}

fn cmp_values(a: Value<'_>, b: Value<'_>) -> Result<Ordering> {
    Ok(match (a, b) {
        (Value::String(x), Value::String(y)) => x.as_bytes().cmp(y.as_bytes()),
        (Value::Number(x), Value::Number(y)) => {
            numeric_cmp(crate::Collation::NONE, DatumRef::Bytes(x), DatumRef::Bytes(y))
        }
        (Value::Bool(x), Value::Bool(y)) => x.cmp(&y),
        (Value::Array(x), Value::Array(y)) | (Value::Object(x), Value::Object(y)) => cmp_containers(x, y)?,
        (x, y) => rank(&x).cmp(&rank(&y)),
    })
}

fn cmp_containers(a: Container<'_>, b: Container<'_>) -> Result<Ordering> {
    if a.is_object() != b.is_object() {
        return Ok(a.is_object().cmp(&b.is_object()));
    }
    // The number of parts overrides whether one of them is a bare scalar, so an empty array is less than any scalar.
    let o = a.len().cmp(&b.len()).then(b.is_scalar().cmp(&a.is_scalar()));
    if o.is_ne() {
        return Ok(o);
    }
    for i in 0..a.len() {
        if a.is_object() {
            let o = a.key(i)?.as_bytes().cmp(b.key(i)?.as_bytes());
            if o.is_ne() {
                return Ok(o);
            }
        }
        let o = cmp_values(a.value(i)?, b.value(i)?)?;
        if o.is_ne() {
            return Ok(o);
        }
    }
    Ok(Ordering::Equal)
}

/// Three-way comparison of stored documents. XX001.
pub fn compare(a: &[u8], b: &[u8]) -> Result<Ordering> {
    if a == b {
        return Ok(Ordering::Equal);
    }
    cmp_containers(root(a)?, root(b)?)
}
pub fn jsonb_cmp(_: crate::Collation, a: DatumRef<'_>, b: DatumRef<'_>) -> Ordering {
    compare(a.bytes(), b.bytes()).unwrap_or_else(|_| a.bytes().cmp(b.bytes()))
}
fn hash_value(v: Value<'_>) -> Result<u64> {
    Ok(match v {
        Value::Null => hash_u64(1),
        Value::Bool(b) => hash_u64(2 + u64::from(b)),
        Value::String(s) => hash_bytes(s.as_bytes()),
        Value::Number(n) => hash_numeric(crate::Collation::NONE, DatumRef::Bytes(n)),
        Value::Array(c) | Value::Object(c) => hash_container(c)?,
    })
}
fn hash_container(c: Container<'_>) -> Result<u64> {
    let mut h = hash_u64(c.len() as u64 * 2 + u64::from(c.is_object()));
    for i in 0..c.len() {
        if c.is_object() {
            h = combine(h, hash_bytes(c.key(i)?.as_bytes()));
        }
        h = combine(h, hash_value(c.value(i)?)?);
    }
    Ok(h)
}
pub fn jsonb_hash(_: crate::Collation, v: DatumRef<'_>) -> u64 {
    root(v.bytes()).and_then(hash_container).unwrap_or(0)
}
macro_rules! compares {
    ($($name:ident $test:ident;)*) => {$(
        pub fn $name(a: &[u8], b: &[u8]) -> Result<bool> {
            Ok(compare(a, b)?.$test())
        }
    )*};
}
compares! { eq is_eq; ne is_ne; lt is_lt; le is_le; gt is_gt; ge is_ge; }

fn equal_scalars(a: &Value<'_>, b: &Value<'_>) -> Result<bool> {
    Ok(rank(a) == rank(b) && a.container().is_none() && cmp_values(*a, *b)?.is_eq())
}

/// Does `a` contain `b`?
fn contains_container(a: Container<'_>, b: Container<'_>) -> Result<bool> {
    if a.is_object() != b.is_object() {
        return Ok(false);
    }
    if a.is_object() {
        if a.len() < b.len() {
            return Ok(false);
        }
        for m in b.members() {
            let (k, want) = m?;
            let Some(have) = a.get(k)? else { return Ok(false) };
            let ok = match (have.container(), want.container()) {
                (Some(x), Some(y)) => contains_container(x, y)?,
                _ => equal_scalars(&have, &want)?,
            };
            if !ok {
                return Ok(false);
            }
        }
        return Ok(true);
    }
    // A bare scalar may be contained in an array, but not the other way round.
    if a.is_scalar() && !b.is_scalar() {
        return Ok(false);
    }
    let have = a.values().collect::<Result<Vec<_>>>()?;
    for want in b.values() {
        let want = want?;
        let mut found = false;
        for h in &have {
            found = match (h.container(), want.container()) {
                (Some(x), Some(y)) => contains_container(x, y)?,
                (None, None) => equal_scalars(h, &want)?,
                _ => false,
            };
            if found {
                break;
            }
        }
        if !found {
            return Ok(false);
        }
    }
    Ok(true)
}
pub fn jsonb_contains(a: &[u8], b: &[u8]) -> Result<bool> {
    contains_container(root(a)?, root(b)?)
}
pub fn jsonb_contained(a: &[u8], b: &[u8]) -> Result<bool> {
    contains_container(root(b)?, root(a)?)
}

fn exists(c: Container<'_>, key: &str) -> Result<bool> {
    if c.is_object() {
        return Ok(c.get(key)?.is_some());
    }
    for v in c.values() {
        if matches!(v?, Value::String(s) if s == key) {
            return Ok(true);
        }
    }
    Ok(false)
}
pub fn jsonb_exists(a: &[u8], key: &str) -> Result<bool> {
    exists(root(a)?, key)
}
pub fn jsonb_exists_any(a: &[u8], keys: &[u8]) -> Result<bool> {
    let c = root(a)?;
    for k in text_items(keys)?.into_iter().flatten() {
        if exists(c, k)? {
            return Ok(true);
        }
    }
    Ok(false)
}
pub fn jsonb_exists_all(a: &[u8], keys: &[u8]) -> Result<bool> {
    let c = root(a)?;
    for k in text_items(keys)?.into_iter().flatten() {
        if !exists(c, k)? {
            return Ok(false);
        }
    }
    Ok(true)
}
