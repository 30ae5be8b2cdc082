//! Subscripts of what is no array: jsonb, and fixed-width geometric values.

use crate::expr::program::{Src, State};
use common::{Result, bail};
use types::{Batch, Column, DatumRef, Phys, Rows};

/// Reads along a path of subscripts, or assigns at its end.
pub(crate) fn subscript(
    a: Src,
    path: &[Src],
    assign: Option<Src>,
    st: &State,
    input: &Batch,
    rows: Rows<'_>,
    out: &mut Column,
) -> Result<()> {
    out.resize(rows.bound());
    let src = st.arg(a, input);
    rows.each(|i| {
        let mut steps = Vec::with_capacity(path.len());
        let mut ints = Vec::with_capacity(path.len());
        for p in path {
            match st.arg(*p, input).get(i) {
                DatumRef::I32(n) => {
                    ints.push(true);
                    steps.push(n.to_string());
                }
                DatumRef::Bytes(b) => {
                    ints.push(false);
                    steps.push(String::from_utf8_lossy(b).into_owned());
                }
                _ if assign.is_some() => {
                    bail!(NULL_VALUE_NOT_ALLOWED, "jsonb subscript in assignment must not be null")
                }
                _ => {
                    out.nulls.set(i);
                    return Ok(());
                }
            }
        }
        let steps: Vec<Option<&str>> = steps.iter().map(|s| Some(s.as_str())).collect();
        let doc = match src.get(i) {
            DatumRef::Bytes(b) => Some(b),
            _ => None,
        };
        if let Some(v) = assign {
            // A null of SQL is stored as null of JSON.
            let null = types::json::null();
            let value = match st.arg(v, input).get(i) {
                DatumRef::Bytes(b) => b,
                _ => &null,
            };
            let first_is_int = ints.first() == Some(&true);
            out.set(i, DatumRef::Bytes(&types::json::jsonb_assign(doc, &steps, first_is_int, value)?));
            return Ok(());
        }
        let found = match doc {
            Some(b) => types::json::jsonb_path(b, &steps)?,
            None => None,
        };
        match found {
            Some(v) => out.set(i, DatumRef::Bytes(&v.to_jsonb()?)),
            None => out.nulls.set(i),
        }
        Ok(())
    })
}

/// A coordinate (a float8) or a point of a geometric value; NULL outside it.
pub(crate) fn part(
    a: Src,
    index: Src,
    st: &State,
    input: &Batch,
    rows: Rows<'_>,
    out: &mut Column,
) -> Result<()> {
    out.resize(rows.bound());
    let (src, index) = (st.arg(a, input), st.arg(index, input));
    let float = out.phys() == Phys::F64;
    let width = if float { 8 } else { 16 };
    rows.each(|i| {
        let (DatumRef::Bytes(b), DatumRef::I32(n)) = (src.get(i), index.get(i)) else {
            out.nulls.set(i);
            return Ok(());
        };
        let at = usize::try_from(n).ok().and_then(|n| n.checked_mul(width));
        match at.and_then(|at| b.get(at..at.checked_add(width)?)) {
            Some(p) if float => {
                let mut w = [0; 8];
                w.copy_from_slice(p);
                out.set(i, DatumRef::F64(f64::from_le_bytes(w)));
            }
            Some(p) => out.set(i, DatumRef::Bytes(p)),
            None => out.nulls.set(i),
        }
        Ok(())
    })
}
