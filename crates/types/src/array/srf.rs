//! Set-returning functions over arrays and delimited text.

use super::layout::ArrayRef;
use super::search::split_fields;
use crate::column::Column;
use crate::{CallCtx, Datum, DatumRef, RowSource};
use common::Result;
use std::vec::IntoIter;

/// Rows that are known beforehand, one column.
pub struct Values(IntoIter<Datum>);

impl Values {
    /// A source of these rows.
    pub fn boxed(v: Vec<Datum>) -> Box<dyn RowSource> {
        Box::new(Values(v.into_iter()))
    }
}

impl RowSource for Values {
    fn next(&mut self, _: &CallCtx<'_>, out: &mut [Column], max: usize) -> Result<usize> {
        let mut n = 0;
        for d in self.0.by_ref().take(max) {
            out[0].push(d.as_ref());
            n += 1;
        }
        Ok(n)
    }
}

pub fn array_unnest(_: &CallCtx<'_>, args: &[Datum]) -> Result<Box<dyn RowSource>> {
    let Datum::Bytes(b) = &args[0] else { return Ok(Values::boxed(Vec::new())) };
    let a = ArrayRef::new(b)?;
    let items = a.iter().map(|d| d.map(DatumRef::to_owned)).collect::<Result<Vec<_>>>()?;
    Ok(Values::boxed(items))
}

pub fn generate_subscripts(_: &CallCtx<'_>, args: &[Datum]) -> Result<Box<dyn RowSource>> {
    if args.iter().any(Datum::is_null) {
        return Ok(Values::boxed(Vec::new()));
    }
    let a = ArrayRef::new(args[0].as_ref().bytes())?;
    let dim = args[1].as_ref().i32();
    let mut v = Vec::new();
    if dim >= 1 && dim as usize <= a.ndim() {
        let d = dim as usize - 1;
        v.extend((a.lower[d]..=a.upper(d)).map(Datum::I32));
    }
    if args.get(2).is_some_and(|r| r.as_ref().bool()) {
        v.reverse();
    }
    Ok(Values::boxed(v))
}

fn opt(args: &[Datum], i: usize) -> Option<&str> {
    args.get(i).filter(|d| !d.is_null()).map(|d| d.as_ref().str())
}

pub fn text_to_table(c: &CallCtx<'_>, args: &[Datum]) -> Result<Box<dyn RowSource>> {
    let Some(s) = opt(args, 0) else { return Ok(Values::boxed(Vec::new())) };
    if opt(args, 1).is_some_and(|s| !s.is_empty()) {
        crate::text::searchable(c)?;
    }
    let fields = split_fields(s, opt(args, 1), opt(args, 2));
    Ok(Values::boxed(fields.into_iter().map(|f| f.map_or(Datum::Null, Datum::text)).collect()))
}
