//! Composite values. They describe themselves, so that output, comparison and field access need no catalog:
//! type OID (RECORD for anonymous rows), number of fields, type OID of each field, null bitmap, then the values from a
//! multiple of 8 on, aligned as in a tuple but with four-byte length words.

use crate::array::output_text;
use crate::hash;
use crate::ops::{cmp_nulls_last, type_cmp, type_hash};
use crate::tuple::align_up;
use crate::wire::is_space;
use crate::{CallCtx, Datum, DatumRef, FnImpl, k2, type_info};
use common::{Error, Oid, Result, bail};
use std::cmp::Ordering;

/// A borrowed record.
#[derive(Clone, Debug)]
pub struct RecordRef<'a> {
    pub type_oid: Oid,
    types: &'a [u8],
    bitmap: &'a [u8],
    data: &'a [u8],
    natts: usize,
}

fn corrupt() -> Error {
    Error::corrupted("invalid record value")
}

fn word(b: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*b.get(at..at + 4)?.first_chunk::<4>()?))
}

/// Builds a record from its fields: (type, value).
pub fn build_record<'a>(
    type_oid: Oid,
    fields: impl ExactSizeIterator<Item = (Oid, DatumRef<'a>)> + Clone,
) -> Datum {
    let n = fields.len();
    let mut out = Vec::with_capacity(16 + 12 * n);
    out.extend_from_slice(&type_oid.0.to_le_bytes());
    out.extend_from_slice(&(n as u32).to_le_bytes());
    fields.clone().for_each(|(t, _)| out.extend_from_slice(&t.0.to_le_bytes()));
    let at = out.len();
    out.resize(align_up(at + n.div_ceil(8), 8), 0);
    let base = out.len();
    for (i, (t, d)) in fields.enumerate() {
        if !d.is_null() {
            out[at + i / 8] |= 1 << (i % 8);
            crate::array::Elem::of(t).layout.append(d, base, false, &mut out);
        }
    }
    Datum::bytes(&out)
}

impl<'a> RecordRef<'a> {
    /// Reads the header. XX001.
    pub fn new(b: &'a [u8]) -> Result<RecordRef<'a>> {
        let (type_oid, natts) = (word(b, 0).ok_or_else(corrupt)?, word(b, 4).ok_or_else(corrupt)? as usize);
        if natts > 1664 {
            return Err(corrupt());
        }
        let at = 8 + 4 * natts;
        let start = align_up(at + natts.div_ceil(8), 8);
        Ok(RecordRef {
            type_oid: Oid(type_oid),
            types: b.get(8..at).ok_or_else(corrupt)?,
            bitmap: b.get(at..at + natts.div_ceil(8)).ok_or_else(corrupt)?,
            data: b.get(start..).ok_or_else(corrupt)?,
            natts,
        })
    }
    /// Number of fields.
    pub fn len(&self) -> usize {
        self.natts
    }
    /// Has it no fields?
    pub fn is_empty(&self) -> bool {
        self.natts == 0
    }
    /// The fields in order: type and value.
    pub fn fields(&self) -> Result<Vec<(Oid, DatumRef<'a>)>> {
        let mut off = 0;
        let mut out = Vec::with_capacity(self.natts);
        for i in 0..self.natts {
            let t = Oid(word(self.types, 4 * i).ok_or_else(corrupt)?);
            if self.bitmap[i / 8] >> (i % 8) & 1 == 0 {
                out.push((t, DatumRef::Null));
                continue;
            }
            let l = crate::array::Elem::of(t).layout;
            let (d, end) = l.read(self.data, align_up(off, l.align))?;
            off = end;
            out.push((t, d));
        }
        Ok(out)
    }
    /// Field number `n` (from 1).
    pub fn field(&self, n: usize) -> Result<DatumRef<'a>> {
        let f = self.fields()?;
        n.checked_sub(1).and_then(|i| f.get(i)).map(|(_, d)| *d).ok_or_else(corrupt)
    }
}

fn record_in(_: &CallCtx<'_>, _: &str, _: Oid, _: i32) -> Result<Datum> {
    bail!(FEATURE_NOT_SUPPORTED, "input of anonymous composite types is not implemented");
}
fn record_recv(_: &CallCtx<'_>, _: &[u8], _: Oid, _: i32) -> Result<Datum> {
    bail!(FEATURE_NOT_SUPPORTED, "input of anonymous composite types is not implemented");
}

fn record_out(ctx: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    out.push(b'(');
    let mut text = Vec::new();
    for (i, (t, d)) in RecordRef::new(v.bytes())?.fields()?.into_iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        if d.is_null() {
            continue;
        }
        text.clear();
        output_text(ctx, t, d, &mut text)?;
        let quote = text.is_empty()
            || text.iter().any(|c| matches!(c, b'"' | b'\\' | b'(' | b')' | b',') || is_space(*c));
        if !quote {
            out.extend_from_slice(&text);
            continue;
        }
        out.push(b'"');
        for &c in &text {
            if matches!(c, b'"' | b'\\') {
                out.push(c);
            }
            out.push(c);
        }
        out.push(b'"');
    }
    out.push(b')');
    Ok(())
}

fn record_send(ctx: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    let fields = RecordRef::new(v.bytes())?.fields()?;
    out.extend_from_slice(&(fields.len() as u32).to_be_bytes());
    for (t, d) in fields {
        out.extend_from_slice(&t.0.to_be_bytes());
        if d.is_null() {
            out.extend_from_slice(&(-1i32).to_be_bytes());
            continue;
        }
        let Some(FnImpl::Send(send)) = type_info(t).and_then(|i| ctx.registry.get(i.send)) else {
            return Err(Error::unsupported(format_args!("binary output of type {t}")));
        };
        let at = out.len();
        out.extend_from_slice(&[0; 4]);
        send(ctx, d, out)?;
        let n = (out.len() - at - 4) as u32;
        out[at..at + 4].copy_from_slice(&n.to_be_bytes());
    }
    Ok(())
}

/// Three-way comparison, field by field; NULLs sort last. 42804.
pub fn compare_records(coll: Oid, a: &[u8], b: &[u8]) -> Result<Ordering> {
    let (x, y) = (RecordRef::new(a)?.fields()?, RecordRef::new(b)?.fields()?);
    for (i, ((ta, da), (tb, db))) in x.iter().zip(&y).enumerate() {
        if ta != tb {
            let name = |t: &Oid| type_info(*t).map_or("???", |i| i.name);
            bail!(
                DATATYPE_MISMATCH,
                "cannot compare dissimilar column types {} and {} at record column {}",
                name(ta),
                name(tb),
                i + 1
            );
        }
        let cmp = type_cmp(*ta)
            .ok_or_else(|| Error::unsupported(format_args!("comparison of record fields of type {ta}")))?;
        let o = cmp_nulls_last(cmp, coll, *da, *db);
        if o.is_ne() {
            return Ok(o);
        }
    }
    if x.len() != y.len() {
        bail!(DATATYPE_MISMATCH, "cannot compare record types with different numbers of columns");
    }
    Ok(Ordering::Equal)
}

/// btree support; records that cannot be compared sort as equal.
pub fn btrecordcmp(coll: Oid, a: DatumRef<'_>, b: DatumRef<'_>) -> Ordering {
    compare_records(coll, a.bytes(), b.bytes()).unwrap_or(Ordering::Equal)
}
fn image_cmp(_: Oid, a: DatumRef<'_>, b: DatumRef<'_>) -> Ordering {
    a.bytes().cmp(b.bytes())
}
fn hash_record(coll: Oid, v: DatumRef<'_>) -> u64 {
    let Ok(fields) = RecordRef::new(v.bytes()).and_then(|r| r.fields()) else { return 0 };
    fields.iter().fold(0, |h, (t, d)| {
        let part = if d.is_null() { 0 } else { type_hash(*t).map_or(0, |f| f(coll, *d)) };
        hash::combine(h, part)
    })
}

macro_rules! ops {
    ($($name:ident $image:ident $test:ident;)*) => {$(
        fn $name(a: &[u8], b: &[u8]) -> Result<bool> {
            Ok(compare_records(Oid::INVALID, a, b)?.$test())
        }
        fn $image(a: &[u8], b: &[u8]) -> bool {
            a.cmp(b).$test()
        }
    )*};
}
ops! {
    record_eq image_eq is_eq; record_ne image_ne is_ne; record_lt image_lt is_lt;
    record_le image_le is_le; record_gt image_gt is_gt; record_ge image_ge is_ge;
}

/// Record functions by OID.
pub static TABLE: &[(u32, FnImpl)] = &[
    (2290, FnImpl::Input(record_in)),
    (2291, FnImpl::Output(record_out)),
    (2402, FnImpl::Receive(record_recv)),
    (2403, FnImpl::Send(record_send)),
    (2987, FnImpl::Cmp(btrecordcmp)),
    (3187, FnImpl::Cmp(image_cmp)),
    (6192, FnImpl::Hash(hash_record)),
    (2981, k2!(record_eq)),
    (2982, k2!(record_ne)),
    (2983, k2!(record_lt)),
    (2985, k2!(record_le)),
    (2984, k2!(record_gt)),
    (2986, k2!(record_ge)),
    (3181, k2!(image_eq)),
    (3182, k2!(image_ne)),
    (3183, k2!(image_lt)),
    (3185, k2!(image_le)),
    (3184, k2!(image_gt)),
    (3186, k2!(image_ge)),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oids;

    #[test]
    fn round_trip() {
        let f = [
            (oids::INT4, DatumRef::I32(7)),
            (oids::TEXT, DatumRef::Bytes(b"a,b")),
            (oids::BOOL, DatumRef::Null),
            (oids::INT8, DatumRef::I64(-1)),
        ];
        let d = build_record(oids::RECORD, f.iter().copied());
        let b = d.as_ref().bytes();
        assert_eq!(RecordRef::new(b).unwrap().fields().unwrap(), f);
        let g = [f[0], (oids::TEXT, DatumRef::Bytes(b"a,c")), f[2], f[3]];
        let e = build_record(oids::RECORD, g.iter().copied());
        assert_eq!(compare_records(Oid(0), b, e.as_ref().bytes()).unwrap(), Ordering::Less);
        let reg = crate::Registry::build(&crate::builtin_tables());
        let fmt = crate::FormatSettings::default();
        let ctx = CallCtx {
            fmt: &fmt,
            registry: &reg,
            collation: Oid(0),
            result_type: Oid(0),
            result_typmod: -1,
            arg_types: &[],
            variadic: false,
            columns: &[],
            xact_start_us: 0,
            stmt_start_us: 0,
            env: &(),
        };
        let mut out = Vec::new();
        record_out(&ctx, d.as_ref(), &mut out).unwrap();
        assert_eq!(out, b"(7,\"a,b\",,-1)");
    }
}
