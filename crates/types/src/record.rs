//! Composite values. They describe themselves, so that output, comparison and field access need no catalog:
//! type OID (RECORD for anonymous rows), number of fields, type OID of each field (of a domain the type underneath, of a
//! dropped column 0), null bitmap, names of the fields of an anonymous row where they are not `f1`, `f2` …, then the
//! values from a multiple of 8 on, aligned as in a tuple but with four-byte length words.

use crate::array::Elem;
use crate::hash;
use crate::ops::{cmp_nulls_last, type_cmp, type_hash};
use crate::tuple::align_up;
use crate::wire::is_space;
use crate::{CallCtx, Collation, Datum, DatumRef, FnImpl, c2, k2, storage_info, type_info};
use common::{Error, Oid, Result, bail};
use std::cmp::Ordering;

/// Most fields of a row.
pub const MAX_FIELDS: usize = 1664;
/// In the word with the number of fields: names follow the bitmap.
const HAS_NAMES: u32 = 1 << 31;

/// A borrowed record.
#[derive(Clone, Debug)]
pub struct RecordRef<'a> {
    pub type_oid: Oid,
    types: &'a [u8],
    bitmap: &'a [u8],
    names: &'a [u8],
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
    build_named(type_oid, fields, &[])
}

/// As [`build_record`], with the names of the fields (none: `f1`, `f2` …, or those of the composite type).
pub fn build_named<'a>(
    type_oid: Oid,
    fields: impl ExactSizeIterator<Item = (Oid, DatumRef<'a>)> + Clone,
    names: &[String],
) -> Datum {
    let n = fields.len();
    let mut out = Vec::with_capacity(16 + 12 * n);
    out.extend_from_slice(&type_oid.0.to_le_bytes());
    let count = n as u32 | if names.is_empty() { 0 } else { HAS_NAMES };
    out.extend_from_slice(&count.to_le_bytes());
    fields.clone().for_each(|(t, _)| out.extend_from_slice(&t.0.to_le_bytes()));
    let at = out.len();
    out.resize(at + n.div_ceil(8), 0);
    for name in names {
        let b = &name.as_bytes()[..name.len().min(255)];
        out.push(b.len() as u8);
        out.extend_from_slice(b);
    }
    out.resize(align_up(out.len(), 8), 0);
    let base = out.len();
    for (i, (t, d)) in fields.enumerate() {
        if !d.is_null() {
            out[at + i / 8] |= 1 << (i % 8);
            Elem::of(t).layout.append(d, base, false, &mut out);
        }
    }
    Datum::bytes(&out)
}

impl<'a> RecordRef<'a> {
    /// Reads the header. XX001.
    pub fn new(b: &'a [u8]) -> Result<RecordRef<'a>> {
        let (type_oid, count) = (word(b, 0).ok_or_else(corrupt)?, word(b, 4).ok_or_else(corrupt)?);
        let natts = (count & !HAS_NAMES) as usize;
        if natts > MAX_FIELDS {
            return Err(corrupt());
        }
        let at = 8 + 4 * natts;
        let names_at = at + natts.div_ceil(8);
        let mut end = names_at;
        if count & HAS_NAMES != 0 {
            for _ in 0..natts {
                end += 1 + *b.get(end).ok_or_else(corrupt)? as usize;
            }
        }
        Ok(RecordRef {
            type_oid: Oid(type_oid),
            types: b.get(8..at).ok_or_else(corrupt)?,
            bitmap: b.get(at..names_at).ok_or_else(corrupt)?,
            names: b.get(names_at..end).ok_or_else(corrupt)?,
            data: b.get(align_up(end, 8)..).ok_or_else(corrupt)?,
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
    /// Names of the fields, if the value has them: of anonymous rows, `f1`, `f2` … where it has not.
    pub fn names(&self) -> Option<Vec<&'a str>> {
        let mut rest = self.names;
        let mut out = Vec::with_capacity(self.natts);
        while let Some((n, tail)) = rest.split_first() {
            let (name, tail) = tail.split_at_checked(*n as usize)?;
            out.push(std::str::from_utf8(name).ok()?);
            rest = tail;
        }
        (out.len() == self.natts && self.natts > 0).then_some(out)
    }
    /// The fields in order: type and value. Fields of dropped columns have the invalid type.
    pub fn fields(&self) -> Result<Vec<(Oid, DatumRef<'a>)>> {
        let mut off = 0;
        let mut out = Vec::with_capacity(self.natts);
        for i in 0..self.natts {
            let t = Oid(word(self.types, 4 * i).ok_or_else(corrupt)?);
            if self.is_null(i) {
                out.push((t, DatumRef::Null));
                continue;
            }
            let l = Elem::of(t).layout;
            let (d, end) = l.read(self.data, align_up(off, l.align))?;
            off = end;
            out.push((t, d));
        }
        Ok(out)
    }
    fn is_null(&self, i: usize) -> bool {
        self.bitmap[i / 8] >> (i % 8) & 1 == 0
    }
    /// `IS NULL` (`true`) and `IS NOT NULL` of the row: all fields are, or none is.
    pub fn all_null(&self, null: bool) -> bool {
        (0..self.natts).all(|i| self.is_null(i) == null || word(self.types, 4 * i) == Some(0))
    }
    /// Field number `n` (from 1); NULL beyond the last: the type has grown since.
    pub fn field(&self, n: usize) -> Result<DatumRef<'a>> {
        let f = self.fields()?;
        Ok(n.checked_sub(1).and_then(|i| f.get(i)).map_or(DatumRef::Null, |(_, d)| *d))
    }
    /// What makes two values the same bytes.
    fn image(&self) -> (&'a [u8], &'a [u8], &'a [u8]) {
        (self.types, self.bitmap, self.data)
    }
}

fn record_in(_: &CallCtx<'_>, _: &str, _: Oid, _: i32) -> Result<Datum> {
    bail!(FEATURE_NOT_SUPPORTED, "input of anonymous composite types is not implemented");
}
fn record_recv(_: &CallCtx<'_>, _: &[u8], _: Oid, _: i32) -> Result<Datum> {
    bail!(FEATURE_NOT_SUPPORTED, "input of anonymous composite types is not implemented");
}

/// Takes a record literal apart: `take` gets the fields in order as text, `None` for NULL. `columns` are to be there;
/// a field's own error comes before that of what follows it. 22P02.
pub fn parse_record_text(
    s: &str,
    columns: usize,
    take: &mut dyn FnMut(usize, Option<String>) -> Result<()>,
) -> Result<()> {
    let bad = |detail: &str| {
        common::err!(INVALID_TEXT_REPRESENTATION, "malformed record literal: \"{s}\"").detail(detail)
    };
    let b = s.as_bytes();
    let mut at = b.iter().take_while(|c| is_space(**c)).count();
    if b.get(at) != Some(&b'(') {
        return Err(bad("Missing left parenthesis."));
    }
    at += 1;
    for i in 0..columns {
        if i > 0 {
            if b.get(at) != Some(&b',') {
                return Err(bad("Too few columns."));
            }
            at += 1;
        }
        if matches!(b.get(at), Some(b',' | b')')) {
            take(i, None)?;
            continue;
        }
        let mut text = Vec::new();
        let mut quoted = false;
        loop {
            let Some(&c) = b.get(at) else { return Err(bad("Unexpected end of input.")) };
            if !quoted && matches!(c, b',' | b')') {
                break;
            }
            at += 1;
            match c {
                b'\\' => {
                    text.push(*b.get(at).ok_or_else(|| bad("Unexpected end of input."))?);
                    at += 1;
                }
                b'"' if quoted && b.get(at) == Some(&b'"') => {
                    text.push(b'"');
                    at += 1;
                }
                b'"' => quoted = !quoted,
                c => text.push(c),
            }
        }
        take(i, Some(String::from_utf8(text).map_err(|_| bad("Unexpected end of input."))?))?;
    }
    if b.get(at) != Some(&b')') {
        return Err(bad("Too many columns."));
    }
    at += 1;
    if b[at..].iter().any(|c| !is_space(*c)) {
        return Err(bad("Junk after right parenthesis."));
    }
    Ok(())
}

fn record_out(ctx: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    write_text(ctx, &RecordRef::new(v.bytes())?.fields()?, out)
}

/// Text form of a row.
pub fn write_text(ctx: &CallCtx<'_>, fields: &[(Oid, DatumRef<'_>)], out: &mut Vec<u8>) -> Result<()> {
    out.push(b'(');
    let mut text = Vec::new();
    for (i, (t, d)) in fields.iter().filter(|f| f.0.is_valid()).enumerate() {
        if i > 0 {
            out.push(b',');
        }
        if d.is_null() {
            continue;
        }
        text.clear();
        crate::array::output_text(ctx, *t, *d, &mut text)?;
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
    let types: Vec<Oid> = fields.iter().map(|f| f.0).collect();
    write_binary(ctx, &fields, &types, out)
}

/// Binary form of a row; `types` are the OIDs to be told the client.
pub fn write_binary(
    ctx: &CallCtx<'_>,
    fields: &[(Oid, DatumRef<'_>)],
    types: &[Oid],
    out: &mut Vec<u8>,
) -> Result<()> {
    let live = || fields.iter().zip(types).filter(|(f, _)| f.0.is_valid());
    out.extend_from_slice(&(live().count() as u32).to_be_bytes());
    for ((t, d), shown) in live() {
        out.extend_from_slice(&shown.0.to_be_bytes());
        if d.is_null() {
            out.extend_from_slice(&(-1i32).to_be_bytes());
            continue;
        }
        let Some(FnImpl::Send(send)) = storage_info(*t).and_then(|i| ctx.registry.get(i.send)) else {
            return Err(Error::unsupported(format_args!("binary output of type {t}")));
        };
        let at = out.len();
        out.extend_from_slice(&[0; 4]);
        send(ctx, *d, out)?;
        let n = (out.len() - at - 4) as u32;
        out[at..at + 4].copy_from_slice(&n.to_be_bytes());
    }
    Ok(())
}

/// The SQL name of a built-in type without modifiers, as messages have it.
pub fn sql_name(t: Oid) -> &'static str {
    use crate::oids::*;
    match t {
        BOOL => "boolean",
        INT2 => "smallint",
        INT4 => "integer",
        INT8 => "bigint",
        FLOAT4 => "real",
        FLOAT8 => "double precision",
        BPCHAR => "character",
        VARCHAR => "character varying",
        TIME => "time without time zone",
        TIMETZ => "time with time zone",
        TIMESTAMP => "timestamp without time zone",
        TIMESTAMPTZ => "timestamp with time zone",
        VARBIT => "bit varying",
        CHAR => "\"char\"",
        _ => type_info(t).map_or("???", |i| i.name),
    }
}

/// Three-way comparison, field by field; NULLs sort last. Dropped columns do not count. 42804, 42883.
pub fn compare_records(coll: Collation, a: &[u8], b: &[u8]) -> Result<Ordering> {
    let live = |b| -> Result<Vec<(Oid, DatumRef<'_>)>> {
        let mut f = RecordRef::new(b)?.fields()?;
        f.retain(|f| f.0.is_valid());
        Ok(f)
    };
    let (x, y) = (live(a)?, live(b)?);
    for (i, ((ta, da), (tb, db))) in x.iter().zip(&y).enumerate() {
        if ta != tb {
            bail!(
                DATATYPE_MISMATCH,
                "cannot compare dissimilar column types {} and {} at record column {}",
                sql_name(*ta),
                sql_name(*tb),
                i + 1
            );
        }
        let Some(cmp) = type_cmp(*ta) else {
            bail!(UNDEFINED_FUNCTION, "could not identify a comparison function for type {}", sql_name(*ta));
        };
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

fn image_order(a: &[u8], b: &[u8]) -> Ordering {
    match (RecordRef::new(a), RecordRef::new(b)) {
        (Ok(x), Ok(y)) => x.image().cmp(&y.image()),
        _ => a.cmp(b),
    }
}

/// btree support; records that cannot be compared sort as equal.
pub fn btrecordcmp(coll: Collation, a: DatumRef<'_>, b: DatumRef<'_>) -> Ordering {
    compare_records(coll, a.bytes(), b.bytes()).unwrap_or(Ordering::Equal)
}
fn image_cmp(_: crate::Collation, a: DatumRef<'_>, b: DatumRef<'_>) -> Ordering {
    image_order(a.bytes(), b.bytes())
}
fn hash_record(coll: Collation, v: DatumRef<'_>) -> u64 {
    let Ok(fields) = RecordRef::new(v.bytes()).and_then(|r| r.fields()) else { return 0 };
    fields.iter().fold(0, |h, (t, d)| {
        let part = if d.is_null() { 0 } else { type_hash(*t).map_or(0, |f| f(coll, *d)) };
        hash::combine(h, part)
    })
}

macro_rules! ops {
    ($($name:ident $image:ident $test:ident;)*) => {$(
        fn $name(c: &CallCtx<'_>, a: &[u8], b: &[u8]) -> Result<bool> {
            Ok(compare_records(c.collation, a, b)?.$test())
        }
        fn $image(a: &[u8], b: &[u8]) -> bool {
            image_order(a, b).$test()
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
    (2981, c2!(record_eq)),
    (2982, c2!(record_ne)),
    (2983, c2!(record_lt)),
    (2985, c2!(record_le)),
    (2984, c2!(record_gt)),
    (2986, c2!(record_ge)),
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
        assert_eq!(compare_records(Collation::NONE, b, e.as_ref().bytes()).unwrap(), Ordering::Less);
        let reg = crate::Registry::build(&crate::builtin_tables());
        let fmt = crate::FormatSettings::default();
        let ctx = CallCtx {
            fmt: &fmt,
            registry: &reg,
            collation: crate::Collation::NONE,
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
