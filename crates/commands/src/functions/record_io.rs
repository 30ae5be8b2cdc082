//! Input and output of composite values by their type's present columns: a value stored before a column was added or
//! dropped is read as if it had been written after.

use super::env;
use super::value_io::{input_value, receive_value};
use common::{Oid, Result, bail, err};
use types::record::{self, RecordRef};
use types::wire::Wire;
use types::{CallCtx, Datum, DatumRef, FnImpl, TupleDesc, oids};

/// Record input and output by OID.
pub static TABLE: &[(u32, FnImpl)] = &[
    (2290, FnImpl::Input(record_in)),
    (2291, FnImpl::Output(record_out)),
    (2402, FnImpl::Receive(record_recv)),
    (2403, FnImpl::Send(record_send)),
];

fn desc_of(c: &CallCtx<'_>, type_oid: Oid) -> Result<std::rc::Rc<TupleDesc>> {
    if type_oid == oids::RECORD || !type_oid.is_valid() {
        bail!(FEATURE_NOT_SUPPORTED, "input of anonymous composite types is not implemented");
    }
    env(c)?.catalog.composite_desc(type_oid)
}

/// A row of a composite type from its columns; those of dropped ones are not in `values`.
fn build(c: &CallCtx<'_>, type_oid: Oid, desc: &TupleDesc, values: Vec<Datum>) -> Result<Datum> {
    let catalog = &env(c)?.catalog;
    let mut given = values.into_iter();
    let mut fields = Vec::with_capacity(desc.len());
    for a in &desc.attrs {
        fields.push(if a.dropped {
            (Oid::INVALID, Datum::Null)
        } else {
            (catalog.storage_type(a.type_oid)?, given.next().unwrap_or_default())
        });
    }
    Ok(record::build_record(type_oid, fields.iter().map(|(t, d)| (*t, d.as_ref()))))
}

fn record_in(c: &CallCtx<'_>, s: &str, type_oid: Oid, _: i32) -> Result<Datum> {
    let desc = desc_of(c, type_oid)?;
    let live: Vec<_> = desc.attrs.iter().filter(|a| !a.dropped).collect();
    let mut values = Vec::with_capacity(live.len());
    record::parse_record_text(s, live.len(), &mut |i, text| {
        values.push(input_value(c, live[i].type_oid, live[i].typmod, text.as_deref())?);
        Ok(())
    })?;
    build(c, type_oid, &desc, values)
}

fn record_recv(c: &CallCtx<'_>, b: &[u8], type_oid: Oid, _: i32) -> Result<Datum> {
    let desc = desc_of(c, type_oid)?;
    let live: Vec<_> = desc.attrs.iter().filter(|a| !a.dropped).collect();
    let mut w = Wire::new(b);
    let n = w.i32()?;
    if n as usize != live.len() {
        bail!(DATATYPE_MISMATCH, "wrong number of columns: {n}, expected {}", live.len());
    }
    let mut values = Vec::with_capacity(live.len());
    for (i, a) in live.iter().enumerate() {
        let t = Oid(w.i32()? as u32);
        if t != a.type_oid {
            let catalog = &env(c)?.catalog;
            let name = |t: Oid| catalog.type_label(t).unwrap_or_else(|_| "???".into());
            bail!(
                DATATYPE_MISMATCH,
                "binary data has type {t} ({}) instead of expected {} ({}) in record column {}",
                name(t),
                a.type_oid,
                name(a.type_oid),
                i + 1
            );
        }
        let len = w.i32()?;
        values.push(match usize::try_from(len) {
            Ok(len) => {
                if len > w.left() {
                    bail!(INVALID_BINARY_REPRESENTATION, "insufficient data left in message");
                }
                receive_value(c, a.type_oid, a.typmod, Some(w.take(len)?))?
            }
            Err(_) if len == -1 => receive_value(c, a.type_oid, a.typmod, None)?,
            Err(_) => bail!(INVALID_BINARY_REPRESENTATION, "insufficient data left in message"),
        });
    }
    w.end()
        .map_err(|_| err!(INVALID_BINARY_REPRESENTATION, "improper binary format in record column {n}"))?;
    build(c, type_oid, &desc, values)
}

/// A value and its type.
type Field<'a> = (Oid, DatumRef<'a>);

/// The fields as the type has them, and the types to be told a client.
fn present<'a>(c: &CallCtx<'_>, v: DatumRef<'a>) -> Result<(Vec<Field<'a>>, Vec<Oid>)> {
    let r = RecordRef::new(v.bytes())?;
    let mut fields = r.fields()?;
    if r.type_oid == oids::RECORD || !r.type_oid.is_valid() {
        let types = fields.iter().map(|f| f.0).collect();
        return Ok((fields, types));
    }
    let catalog = &env(c)?.catalog;
    let desc = catalog.composite_desc(r.type_oid)?;
    fields.truncate(desc.len());
    for (i, a) in desc.attrs.iter().enumerate() {
        if i == fields.len() {
            fields.push((catalog.storage_type(a.type_oid)?, DatumRef::Null));
        }
        if a.dropped {
            fields[i] = (Oid::INVALID, DatumRef::Null);
        }
    }
    Ok((fields, desc.attrs.iter().map(|a| a.type_oid).collect()))
}

fn record_out(c: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    record::write_text(c, &present(c, v)?.0, out)
}

fn record_send(c: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    let (fields, types) = present(c, v)?;
    record::write_binary(c, &fields, &types, out)
}
