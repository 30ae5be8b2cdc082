//! Functions and operators of hstore.

use super::value::{Hstore, Pair, build, key_cmp, write};
use crate::array::{ArrayBuilder, ArrayRef, build_1d};
use crate::json::{Node, Table, record_fields, write_quoted};
use crate::registry::RowSource;
use crate::{Arg, CallCtx, Collation, Column, Datum, DatumRef, Rows, oids};
use common::{Result, bail};
use std::borrow::Cow;
use std::cmp::Ordering;

type Out<'o> = &'o mut Vec<u8>;

pub fn fetchval<'a>(h: &'a [u8], key: &[u8]) -> Result<Option<&'a [u8]>> {
    let h = Hstore::new(h)?;
    Ok(h.find(key).and_then(|i| h.value(i)))
}
pub fn exists(h: &[u8], key: &[u8]) -> Result<bool> {
    Ok(Hstore::new(h)?.find(key).is_some())
}
pub fn defined(h: &[u8], key: &[u8]) -> Result<bool> {
    Ok(fetchval(h, key)?.is_some())
}

/// The elements of an array of keys that are not NULL.
fn keys(a: &[u8]) -> Result<Vec<Vec<u8>>> {
    let mut out: Vec<Vec<u8>> = Vec::new();
    for d in ArrayRef::new(a)?.iter() {
        if let DatumRef::Bytes(b) = d? {
            out.push(b.to_vec());
        }
    }
    out.sort_by(|a, b| key_cmp(a, b));
    out.dedup();
    Ok(out)
}
pub fn exists_any(h: &[u8], a: &[u8]) -> Result<bool> {
    let h = Hstore::new(h)?;
    Ok(keys(a)?.iter().any(|k| h.find(k).is_some()))
}
pub fn exists_all(h: &[u8], a: &[u8]) -> Result<bool> {
    let h = Hstore::new(h)?;
    Ok(keys(a)?.iter().all(|k| h.find(k).is_some()))
}
pub fn slice_to_array(h: &[u8], a: &[u8], out: Out<'_>) -> Result<()> {
    let (h, a) = (Hstore::new(h)?, ArrayRef::new(a)?);
    let mut b = ArrayBuilder::new(oids::TEXT);
    for k in a.iter() {
        let value = match k? {
            DatumRef::Bytes(k) => h.find(k).and_then(|i| h.value(i)),
            _ => None,
        };
        b.push(value.map_or(DatumRef::Null, DatumRef::Bytes));
    }
    out.extend_from_slice(&b.finish(&a.dims, &a.lower));
    Ok(())
}
pub fn slice_to_hstore(h: &[u8], a: &[u8], out: Out<'_>) -> Result<()> {
    let h = Hstore::new(h)?;
    let found = keys(a)?.iter().filter_map(|k| h.find(k)).map(|i| (h.key(i), h.value(i))).collect::<Vec<_>>();
    write(&found, out)
}

fn keep<'a>(h: Hstore<'a>, out: Out<'_>, keep: impl Fn(&[u8], Option<&[u8]>) -> bool) -> Result<()> {
    let left: Vec<(&'a [u8], Option<&'a [u8]>)> = h.iter().filter(|(k, v)| keep(k, *v)).collect();
    write(&left, out)
}
pub fn delete(h: &[u8], key: &[u8], out: Out<'_>) -> Result<()> {
    keep(Hstore::new(h)?, out, |k, _| k != key)
}
pub fn delete_array(h: &[u8], a: &[u8], out: Out<'_>) -> Result<()> {
    let doomed = keys(a)?;
    keep(Hstore::new(h)?, out, |k, _| doomed.binary_search_by(|d| key_cmp(d, k)).is_err())
}
pub fn delete_hstore(h: &[u8], other: &[u8], out: Out<'_>) -> Result<()> {
    let o = Hstore::new(other)?;
    keep(Hstore::new(h)?, out, |k, v| o.find(k).is_none_or(|i| o.value(i) != v))
}
pub fn concat(a: &[u8], b: &[u8], out: Out<'_>) -> Result<()> {
    let (a, b) = (Hstore::new(a)?, Hstore::new(b)?);
    // Of equal keys the first stays: the right side's pairs come first.
    let pairs = b.iter().chain(a.iter()).map(|(k, v)| (Cow::Borrowed(k), v.map(Cow::Borrowed))).collect();
    build(pairs, out)
}
pub fn contains(h: &[u8], part: &[u8]) -> Result<bool> {
    let (h, part) = (Hstore::new(h)?, Hstore::new(part)?);
    Ok(part.iter().all(|(k, v)| h.find(k).is_some_and(|i| h.value(i) == v)))
}
pub fn contained(a: &[u8], b: &[u8]) -> Result<bool> {
    contains(b, a)
}

pub fn from_text(k: Option<&[u8]>, v: Option<&[u8]>, out: Out<'_>) -> Result<bool> {
    let Some(k) = k else { return Ok(false) };
    write(&[(k, v)], out)?;
    Ok(true)
}

fn texts<'a>(a: &ArrayRef<'a>) -> Result<Vec<Option<&'a [u8]>>> {
    let text = |d: DatumRef<'a>| if let DatumRef::Bytes(b) = d { Some(b) } else { None };
    a.iter().map(|d| d.map(text)).collect()
}
fn key<'a>(k: Option<&'a [u8]>) -> Result<Cow<'a, [u8]>> {
    match k {
        Some(k) => Ok(Cow::Borrowed(k)),
        None => bail!(NULL_VALUE_NOT_ALLOWED, "null value not allowed for hstore key"),
    }
}
pub fn from_arrays(k: Option<&[u8]>, v: Option<&[u8]>, out: Out<'_>) -> Result<bool> {
    let Some(k) = k else { return Ok(false) };
    let k = ArrayRef::new(k)?;
    let v = v.map(ArrayRef::new).transpose()?;
    if k.ndim() > 1 || v.as_ref().is_some_and(|v| v.ndim() > 1) {
        bail!(ARRAY_SUBSCRIPT_ERROR, "wrong number of array subscripts");
    }
    if let Some(v) = &v
        && (k.ndim() > 0 || v.ndim() > 0)
        && (k.ndim() != v.ndim() || k.dims != v.dims || k.lower != v.lower)
    {
        bail!(ARRAY_SUBSCRIPT_ERROR, "arrays must have same bounds");
    }
    let values = v.as_ref().map(texts).transpose()?;
    let mut pairs: Vec<Pair<'_>> = Vec::new();
    for (i, k) in texts(&k)?.into_iter().enumerate() {
        let value = values.as_ref().and_then(|v| v.get(i).copied().flatten());
        pairs.push((key(k)?, value.map(Cow::Borrowed)));
    }
    build(pairs, out)?;
    Ok(true)
}
pub fn from_array(a: &[u8], out: Out<'_>) -> Result<()> {
    let a = ArrayRef::new(a)?;
    match a.dims.as_slice() {
        [] => {}
        [n] if n % 2 != 0 => bail!(ARRAY_SUBSCRIPT_ERROR, "array must have even number of elements"),
        [_] => {}
        [_, 2] => {}
        [_, _] => bail!(ARRAY_SUBSCRIPT_ERROR, "array must have two columns"),
        _ => bail!(ARRAY_SUBSCRIPT_ERROR, "wrong number of array subscripts"),
    }
    let all = texts(&a)?;
    let mut pairs: Vec<Pair<'_>> = Vec::new();
    for p in all.chunks_exact(2) {
        pairs.push((key(p[0])?, p[1].map(Cow::Borrowed)));
    }
    build(pairs, out)
}
/// A row, or the NULL of a row type: its columns, all NULL.
pub fn from_record(c: &CallCtx<'_>, v: DatumRef<'_>, out: Out<'_>) -> Result<bool> {
    let mut pairs: Vec<Pair<'_>> = Vec::new();
    if let DatumRef::Bytes(b) = v {
        for (name, t, v) in record_fields(c, b)? {
            let value = match v {
                DatumRef::Null => None,
                v => {
                    let mut text = Vec::new();
                    crate::array::output_text(c, t, v, &mut text)?;
                    Some(Cow::Owned(text))
                }
            };
            pairs.push((Cow::Owned(name.into_bytes()), value));
        }
    } else {
        let t = c.arg_types.first().copied().unwrap_or(oids::RECORD);
        if t == oids::RECORD {
            return Ok(false);
        }
        for col in crate::registry::row_shape(c, t)?.into_iter().filter(|c| c.type_oid.is_valid()) {
            pairs.push((Cow::Owned(col.name.into_bytes()), None));
        }
    }
    build(pairs, out)?;
    Ok(true)
}

fn opt(v: Option<&[u8]>) -> DatumRef<'_> {
    v.map_or(DatumRef::Null, DatumRef::Bytes)
}
pub fn akeys(h: &[u8]) -> Result<Datum> {
    Ok(build_1d(oids::TEXT, Hstore::new(h)?.iter().map(|(k, _)| DatumRef::Bytes(k))))
}
pub fn avals(h: &[u8]) -> Result<Datum> {
    Ok(build_1d(oids::TEXT, Hstore::new(h)?.iter().map(|(_, v)| opt(v))))
}
pub fn to_array(h: &[u8]) -> Result<Datum> {
    Ok(build_1d(oids::TEXT, Hstore::new(h)?.iter().flat_map(|(k, v)| [DatumRef::Bytes(k), opt(v)])))
}
pub fn to_matrix(h: &[u8], out: Out<'_>) -> Result<()> {
    let h = Hstore::new(h)?;
    let mut b = ArrayBuilder::new(oids::TEXT);
    for (k, v) in h.iter() {
        b.push(DatumRef::Bytes(k));
        b.push(opt(v));
    }
    let (dims, lower): (Vec<i32>, Vec<i32>) =
        if h.len() == 0 { (Vec::new(), Vec::new()) } else { (vec![h.len() as i32, 2], vec![1, 1]) };
    out.extend_from_slice(&b.finish(&dims, &lower));
    Ok(())
}

fn rows(args: &[Datum], row: impl Fn(&[u8], Option<&[u8]>) -> Vec<Datum>) -> Result<Box<dyn RowSource>> {
    let Some(Datum::Bytes(b)) = args.first() else { return Ok(Table::boxed(Vec::new())) };
    Ok(Table::boxed(Hstore::new(b)?.iter().map(|(k, v)| row(k, v)).collect()))
}
fn owned(v: Option<&[u8]>) -> Datum {
    v.map_or(Datum::Null, Datum::bytes)
}
pub fn skeys(_: &CallCtx<'_>, args: &[Datum]) -> Result<Box<dyn RowSource>> {
    rows(args, |k, _| vec![Datum::bytes(k)])
}
pub fn svals(_: &CallCtx<'_>, args: &[Datum]) -> Result<Box<dyn RowSource>> {
    rows(args, |_, v| vec![owned(v)])
}
pub fn each(_: &CallCtx<'_>, args: &[Datum]) -> Result<Box<dyn RowSource>> {
    rows(args, |k, v| vec![Datum::bytes(k), owned(v)])
}

/// As JSON text; `loose`: what looks like a number or a Boolean is one.
fn json(h: &[u8], loose: bool, out: Out<'_>) -> Result<()> {
    let text = |b: &[u8], out: &mut Vec<u8>| write_quoted(std::str::from_utf8(b).unwrap_or(""), out);
    out.push(b'{');
    for (i, (k, v)) in Hstore::new(h)?.iter().enumerate() {
        if i > 0 {
            out.extend_from_slice(b", ");
        }
        text(k, out);
        out.extend_from_slice(b": ");
        match v {
            None => out.extend_from_slice(b"null"),
            Some(b"t") if loose => out.extend_from_slice(b"true"),
            Some(b"f") if loose => out.extend_from_slice(b"false"),
            Some(v) if loose && crate::json::is_number(v) => out.extend_from_slice(v),
            Some(v) => text(v, out),
        }
    }
    out.push(b'}');
    Ok(())
}
/// As a tree: an object of strings.
pub fn node(h: &[u8]) -> Result<Node<'static>> {
    let text = |b: &[u8]| String::from_utf8_lossy(b).into_owned();
    let members = Hstore::new(h)?.iter().map(|(k, v)| {
        let value = v.map_or(Node::Null, |v| Node::String(Cow::Owned(text(v))));
        (Cow::Owned(text(k)), value)
    });
    Ok(Node::Object(members.collect()))
}
fn jsonb(h: &[u8], loose: bool) -> Result<Vec<u8>> {
    let mut text = Vec::new();
    json(h, loose, &mut text)?;
    crate::json::parse_tree(std::str::from_utf8(&text).unwrap_or("{}"))?.to_jsonb()
}
pub fn to_json(h: &[u8], out: Out<'_>) -> Result<()> {
    json(h, false, out)
}
pub fn to_json_loose(h: &[u8], out: Out<'_>) -> Result<()> {
    json(h, true, out)
}
pub fn to_jsonb(h: &[u8]) -> Result<Vec<u8>> {
    jsonb(h, false)
}
pub fn to_jsonb_loose(h: &[u8]) -> Result<Vec<u8>> {
    jsonb(h, true)
}

fn order(a: &[u8], b: &[u8]) -> Result<Ordering> {
    Ok(Hstore::new(a)?.compare(&Hstore::new(b)?))
}
pub fn cmp(_: Collation, a: DatumRef<'_>, b: DatumRef<'_>) -> Ordering {
    order(a.bytes(), b.bytes()).unwrap_or(Ordering::Equal)
}
pub fn hash(_: Collation, v: DatumRef<'_>) -> u64 {
    crate::pg_hash::hash_bytes(v.bytes(), None)
}
pub fn hash_extended(h: &[u8], seed: i64) -> i64 {
    crate::pg_hash::hash_bytes(h, Some(seed as u64)) as i64
}
pub fn eq(a: &[u8], b: &[u8]) -> Result<bool> {
    Ok(order(a, b)?.is_eq())
}
pub fn ne(a: &[u8], b: &[u8]) -> Result<bool> {
    Ok(order(a, b)?.is_ne())
}
pub fn lt(a: &[u8], b: &[u8]) -> Result<bool> {
    Ok(order(a, b)?.is_lt())
}
pub fn le(a: &[u8], b: &[u8]) -> Result<bool> {
    Ok(order(a, b)?.is_le())
}
pub fn gt(a: &[u8], b: &[u8]) -> Result<bool> {
    Ok(order(a, b)?.is_gt())
}
pub fn ge(a: &[u8], b: &[u8]) -> Result<bool> {
    Ok(order(a, b)?.is_ge())
}
/// Ones digit: how the value reads as one of today; tens digit: as one of before.
pub fn version_diag(h: &[u8]) -> Result<i32> {
    Hstore::new(h).map(|_| 2)
}

/// `hstore_subscript_handler` is there to be named.
pub fn subscript_handler(_: &CallCtx<'_>, _: &[Arg<'_>], _: Rows<'_>, _: &mut Column) -> Result<()> {
    Err(common::Error::unsupported("subscripts of hstore"))
}
