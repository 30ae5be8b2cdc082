//! Composite values in expressions: ROW and whole rows, fields read and replaced, IS NULL.

use crate::expr::program::{FieldStoreStep, RowStep, State};
use common::{Oid, Result};
use types::record::{RecordRef, build_named, build_record};
use types::{Arg, Batch, Column, DatumRef, Rows};

/// `row IS [NOT] NULL`: every column is null, or none is.
pub(crate) fn null_test(a: Arg<'_>, is_null: bool, rows: Rows<'_>, out: &mut Column) -> Result<()> {
    out.resize(rows.bound());
    rows.each(|i| {
        let yes = match a.get(i) {
            DatumRef::Null => is_null,
            v => RecordRef::new(v.bytes())?.all_null(is_null),
        };
        out.set(i, DatumRef::Bool(yes));
        Ok(())
    })
}

/// ROW(…).
pub(crate) fn make(r: &RowStep, st: &State, input: &Batch, rows: Rows<'_>, out: &mut Column) -> Result<()> {
    out.resize(rows.bound());
    rows.each(|i| {
        let fields = r.args.iter().zip(&r.types).map(|(s, t)| {
            // The NULL that stands for a dropped column has no type.
            (*t, if t.is_valid() { st.arg(*s, input).get(i) } else { DatumRef::Null })
        });
        out.set(i, build_named(r.row_type, fields, &r.names).as_ref());
        Ok(())
    })
}

/// `(row).field`.
pub(crate) fn field(a: Arg<'_>, field: u16, rows: Rows<'_>, out: &mut Column) -> Result<()> {
    out.resize(rows.bound());
    rows.each(|i| {
        match a.get(i) {
            DatumRef::Null => out.nulls.set(i),
            v => match RecordRef::new(v.bytes())?.field(field as usize)? {
                DatumRef::Null => out.nulls.set(i),
                d => out.set(i, d),
            },
        }
        Ok(())
    })
}

/// The row with fields replaced; a NULL row counts as one of NULLs.
pub(crate) fn store(
    f: &FieldStoreStep,
    st: &State,
    input: &Batch,
    rows: Rows<'_>,
    out: &mut Column,
) -> Result<()> {
    out.resize(rows.bound());
    rows.each(|i| {
        let old = match st.arg(f.a, input).get(i) {
            DatumRef::Null => Vec::new(),
            v => RecordRef::new(v.bytes())?.fields()?,
        };
        let mut fields: Vec<(Oid, DatumRef<'_>)> = f
            .types
            .iter()
            .enumerate()
            .map(|(k, t)| (*t, old.get(k).filter(|_| t.is_valid()).map_or(DatumRef::Null, |o| o.1)))
            .collect();
        for (n, s) in &f.fields {
            if let Some(x) = fields.get_mut(*n as usize - 1) {
                x.1 = st.arg(*s, input).get(i);
            }
        }
        out.set(i, build_record(f.row_type, fields.into_iter()).as_ref());
        Ok(())
    })
}

/// The fields of a row as one row of columns; a NULL row gives NULLs.
pub(crate) fn spread(v: DatumRef<'_>, out: &mut [Column]) -> Result<()> {
    let fields = match v {
        DatumRef::Null => Vec::new(),
        v => RecordRef::new(v.bytes())?.fields()?,
    };
    for (k, c) in out.iter_mut().enumerate() {
        c.push(fields.get(k).map_or(DatumRef::Null, |f| f.1));
    }
    Ok(())
}
