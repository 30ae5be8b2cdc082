//! Questions about arrays (dimensions, positions) and conversion between arrays and delimited text.

use super::cmp::elem_cmp;
use super::io::output_text;
use super::layout::{ArrayBuilder, ArrayRef, empty_array};
use crate::{CallCtx, DatumRef, oids};
use common::{Result, bail};

pub fn array_ndims(a: &[u8]) -> Result<Option<i32>> {
    Ok(Some(ArrayRef::new(a)?.ndim() as i32).filter(|n| *n > 0))
}
pub fn array_dims(a: &[u8], out: &mut Vec<u8>) -> Result<bool> {
    let a = ArrayRef::new(a)?;
    for i in 0..a.ndim() {
        out.extend_from_slice(format!("[{}:{}]", a.lower[i], a.upper(i)).as_bytes());
    }
    Ok(a.ndim() > 0)
}
fn dim(a: &ArrayRef<'_>, d: i32) -> Option<usize> {
    usize::try_from(d).ok().and_then(|d| d.checked_sub(1)).filter(|d| *d < a.ndim())
}
pub fn array_lower(a: &[u8], d: i32) -> Result<Option<i32>> {
    let a = ArrayRef::new(a)?;
    Ok(dim(&a, d).map(|i| a.lower[i]))
}
pub fn array_upper(a: &[u8], d: i32) -> Result<Option<i32>> {
    let a = ArrayRef::new(a)?;
    Ok(dim(&a, d).map(|i| a.upper(i)))
}
pub fn array_length(a: &[u8], d: i32) -> Result<Option<i32>> {
    let a = ArrayRef::new(a)?;
    Ok(dim(&a, d).map(|i| a.dims[i]))
}
pub fn array_cardinality(a: &[u8]) -> Result<i32> {
    Ok(ArrayRef::new(a)?.len() as i32)
}

fn positions(c: &CallCtx<'_>, a: &[u8], item: DatumRef<'_>, from: i32) -> Result<Vec<i32>> {
    let a = ArrayRef::new(a)?;
    if a.ndim() > 1 {
        bail!(FEATURE_NOT_SUPPORTED, "searching for elements in multidimensional arrays is not supported");
    }
    if a.is_empty() {
        return Ok(Vec::new());
    }
    let cmp = elem_cmp(a.elem.oid)?;
    let mut found = Vec::new();
    for (i, d) in a.iter().enumerate() {
        let at = a.lower[0] + i as i32;
        if at >= from && crate::ops::cmp_nulls_last(cmp, c.collation, d?, item).is_eq() {
            found.push(at);
        }
    }
    Ok(found)
}
pub fn array_position(c: &CallCtx<'_>, a: Option<&[u8]>, item: DatumRef<'_>) -> Result<Option<i32>> {
    let Some(a) = a else { return Ok(None) };
    Ok(positions(c, a, item, i32::MIN)?.first().copied())
}
pub fn array_position_start(
    c: &CallCtx<'_>,
    a: Option<&[u8]>,
    item: DatumRef<'_>,
    from: Option<i32>,
) -> Result<Option<i32>> {
    let Some(a) = a else { return Ok(None) };
    let Some(from) = from else {
        bail!(NULL_VALUE_NOT_ALLOWED, "initial position must not be null");
    };
    Ok(positions(c, a, item, from)?.first().copied())
}
pub fn array_positions(c: &CallCtx<'_>, a: Option<&[u8]>, item: DatumRef<'_>) -> Result<Option<Vec<u8>>> {
    let Some(a) = a else { return Ok(None) };
    let mut b = ArrayBuilder::new(oids::INT4);
    for p in positions(c, a, item, i32::MIN)? {
        b.push(DatumRef::I32(p));
    }
    Ok(Some(b.finish_1d()))
}

fn join(ctx: &CallCtx<'_>, a: &[u8], sep: &str, null: Option<&str>, out: &mut Vec<u8>) -> Result<()> {
    let a = ArrayRef::new(a)?;
    let mut first = true;
    for d in a.iter() {
        let d = d?;
        if d.is_null() && null.is_none() {
            continue;
        }
        if !first {
            out.extend_from_slice(sep.as_bytes());
        }
        first = false;
        match null {
            Some(text) if d.is_null() => out.extend_from_slice(text.as_bytes()),
            _ => output_text(ctx, a.elem.oid, d, out)?,
        }
    }
    Ok(())
}
pub fn array_to_text(ctx: &CallCtx<'_>, a: &[u8], sep: &str, out: &mut Vec<u8>) -> Result<()> {
    join(ctx, a, sep, None, out)
}
pub fn array_to_text_null(
    ctx: &CallCtx<'_>,
    a: Option<&[u8]>,
    sep: Option<&str>,
    null: Option<&str>,
    out: &mut Vec<u8>,
) -> Result<bool> {
    match (a, sep) {
        (Some(a), Some(sep)) => join(ctx, a, sep, null, out).map(|()| true),
        _ => Ok(false),
    }
}

/// Fields of `s`: split at `sep`, into characters without one; fields equal to `null` are NULL.
pub fn split_fields<'a>(s: &'a str, sep: Option<&str>, null: Option<&str>) -> Vec<Option<&'a str>> {
    let fields: Vec<&str> = if s.is_empty() {
        Vec::new()
    } else {
        match sep {
            None => s.char_indices().map(|(i, c)| &s[i..i + c.len_utf8()]).collect(),
            Some("") => vec![s],
            Some(sep) => s.split(sep).collect(),
        }
    };
    fields.into_iter().map(|f| if Some(f) == null { None } else { Some(f) }).collect()
}
fn split_array(
    c: &CallCtx<'_>,
    s: Option<&str>,
    sep: Option<&str>,
    null: Option<&str>,
) -> Result<Option<Vec<u8>>> {
    let Some(s) = s else { return Ok(None) };
    if sep.is_some_and(|s| !s.is_empty()) {
        crate::text::searchable(c)?;
    }
    let fields = split_fields(s, sep, null);
    if fields.is_empty() {
        return Ok(Some(empty_array(oids::TEXT)));
    }
    let mut b = ArrayBuilder::new(oids::TEXT);
    for f in fields {
        b.push(f.map_or(DatumRef::Null, |f| DatumRef::Bytes(f.as_bytes())));
    }
    Ok(Some(b.finish_1d()))
}
pub fn text_to_array(c: &CallCtx<'_>, s: Option<&str>, sep: Option<&str>) -> Result<Option<Vec<u8>>> {
    split_array(c, s, sep, None)
}
pub fn text_to_array_null(
    c: &CallCtx<'_>,
    s: Option<&str>,
    sep: Option<&str>,
    null: Option<&str>,
) -> Result<Option<Vec<u8>>> {
    split_array(c, s, sep, null)
}

/// Bucket of a value among sorted thresholds.
pub fn width_bucket_array(
    c: &CallCtx<'_>,
    v: DatumRef<'_>,
    thresholds: Option<&[u8]>,
) -> Result<Option<i32>> {
    let Some(t) = thresholds else { return Ok(None) };
    if v.is_null() {
        return Ok(None);
    }
    let a = ArrayRef::new(t)?;
    if a.ndim() > 1 {
        bail!(ARRAY_SUBSCRIPT_ERROR, "thresholds must be one-dimensional array");
    }
    let cmp = elem_cmp(a.elem.oid)?;
    let items = a.to_vec()?;
    if items.iter().any(|d| d.is_null()) {
        bail!(NULL_VALUE_NOT_ALLOWED, "thresholds array must not contain NULLs");
    }
    Ok(Some(items.partition_point(|t| cmp(c.collation, *t, v).is_le()) as i32))
}
