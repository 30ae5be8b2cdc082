//! The functions PostgreSQL keeps in `information_schema` for its views; drivers call them as well. Here they are code of the
//! server; `data/sql_bodies.tsv` has what `\sf` prints.

use super::rows::made;
use super::{env, with_analyze};
use catalog::columns::{pg_attribute, pg_index, pg_type};
use common::{Oid, Result};
use types::array::ArrayRef;
use types::record::RecordRef;
use types::registry::RowSource;
use types::{CallCtx, Datum, DatumRef, FnImpl, c2, oids};

pub static TABLE: &[(u32, FnImpl)] = &[
    (13208, FnImpl::Srf(expand_array)),
    (13209, c2!(index_position)),
    (13210, c2!(true_typid)),
    (13211, c2!(true_typmod)),
    (13212, c2!(|_c, t: u32, m: i32| Ok::<_, common::Error>(char_max_length(Oid(t), m)))),
    (13213, c2!(|_c, t: u32, m: i32| Ok::<_, common::Error>(char_octet_length(Oid(t), m)))),
    (13215, c2!(|_c, t: u32, m: i32| Ok::<_, common::Error>(numeric_precision(Oid(t), m)))),
    (13216, c2!(|_c, t: u32, _m: i32| Ok::<_, common::Error>(numeric_radix(Oid(t))))),
    (13217, c2!(|_c, t: u32, m: i32| Ok::<_, common::Error>(numeric_scale(Oid(t), m)))),
    (13218, c2!(|_c, t: u32, m: i32| Ok::<_, common::Error>(datetime_precision(Oid(t), m)))),
    (13219, c2!(interval_type)),
];

/// The elements of an array with their places, counted from 1; of an array of more dimensions there is nothing to take.
fn expand_array(_: &CallCtx<'_>, args: &[Datum]) -> Result<Box<dyn RowSource>> {
    let Some(Datum::Bytes(b)) = args.first() else { return made(Vec::new()) };
    let a = ArrayRef::new(b)?;
    let row = |(n, d): (usize, Datum)| vec![d, Datum::I32(n as i32 + 1)];
    match a.ndim() {
        0 => made(Vec::new()),
        1 => {
            let items = a.to_vec()?;
            made(items.into_iter().map(DatumRef::to_owned).enumerate().map(row).collect())
        }
        _ => {
            let n = (a.upper(0) - a.lower[0] + 1).max(0) as usize;
            made((0..n).map(|n| row((n, Datum::Null))).collect())
        }
    }
}

/// Where in an index a column is.
fn index_position(c: &CallCtx<'_>, index: u32, column: i16) -> Result<Option<i32>> {
    use pg_index::*;
    let rows = env(c)?.catalog.scan(TABLE, INDEXRELID_INDEX, &[Datum::U32(index)])?;
    let Some(DatumRef::Bytes(keys)) = rows.first().map(|r| r.values[INDKEY].as_ref()) else {
        return Ok(None);
    };
    let keys = ArrayRef::new(keys)?.to_vec()?;
    Ok(keys.iter().position(|k| *k == DatumRef::I16(column)).map(|n| n as i32 + 1))
}

/// A column of the attribute's row, or of the type's where that is a domain.
fn of_domain<'a>(
    attribute: DatumRef<'a>,
    t: DatumRef<'a>,
    (own, below): (usize, usize),
) -> Result<DatumRef<'a>> {
    let t = RecordRef::new(t.bytes())?;
    // Fields count from 1.
    match t.field(pg_type::TYPTYPE + 1)? {
        DatumRef::I8(k) if k as u8 == b'd' => t.field(below + 1),
        _ => RecordRef::new(attribute.bytes())?.field(own + 1),
    }
}

fn true_typid(_: &CallCtx<'_>, attribute: DatumRef<'_>, t: DatumRef<'_>) -> Result<Option<u32>> {
    Ok(match of_domain(attribute, t, (pg_attribute::ATTTYPID, pg_type::TYPBASETYPE))? {
        DatumRef::U32(o) => Some(o),
        _ => None,
    })
}

fn true_typmod(_: &CallCtx<'_>, attribute: DatumRef<'_>, t: DatumRef<'_>) -> Result<Option<i32>> {
    Ok(match of_domain(attribute, t, (pg_attribute::ATTTYPMOD, pg_type::TYPTYPMOD))? {
        DatumRef::I32(m) => Some(m),
        _ => None,
    })
}

fn char_max_length(t: Oid, m: i32) -> Option<i32> {
    match t {
        _ if m == -1 => None,
        oids::BPCHAR | oids::VARCHAR => Some(m.wrapping_sub(4)),
        oids::BIT | oids::VARBIT => Some(m),
        _ => None,
    }
}

fn char_octet_length(t: Oid, m: i32) -> Option<i32> {
    /// Bytes of UTF8's longest character.
    const MOST: i32 = 4;
    match t {
        oids::TEXT | oids::BPCHAR | oids::VARCHAR if m == -1 => Some(1 << 30),
        oids::TEXT | oids::BPCHAR | oids::VARCHAR => char_max_length(t, m).map(|n| n.wrapping_mul(MOST)),
        _ => None,
    }
}

fn numeric_precision(t: Oid, m: i32) -> Option<i32> {
    match t {
        oids::INT2 => Some(16),
        oids::INT4 => Some(32),
        oids::INT8 => Some(64),
        oids::NUMERIC if m != -1 => Some((m.wrapping_sub(4) >> 16) & 0xffff),
        oids::FLOAT4 => Some(24),
        oids::FLOAT8 => Some(53),
        _ => None,
    }
}

fn numeric_radix(t: Oid) -> Option<i32> {
    match t {
        oids::INT2 | oids::INT4 | oids::INT8 | oids::FLOAT4 | oids::FLOAT8 => Some(2),
        oids::NUMERIC => Some(10),
        _ => None,
    }
}

fn numeric_scale(t: Oid, m: i32) -> Option<i32> {
    match t {
        oids::INT2 | oids::INT4 | oids::INT8 => Some(0),
        oids::NUMERIC if m != -1 => Some(m.wrapping_sub(4) & 0xffff),
        _ => None,
    }
}

fn datetime_precision(t: Oid, m: i32) -> Option<i32> {
    const DEFAULT: i32 = 6;
    match t {
        oids::DATE => Some(0),
        oids::TIME | oids::TIMETZ | oids::TIMESTAMP | oids::TIMESTAMPTZ => {
            Some(if m < 0 { DEFAULT } else { m })
        }
        oids::INTERVAL if m < 0 || m & 0xffff == 0xffff => Some(DEFAULT),
        oids::INTERVAL => Some(m & 0xffff),
        _ => None,
    }
}

/// The fields of an interval type: `YEAR TO MONTH`.
fn interval_type(c: &CallCtx<'_>, t: u32, m: i32) -> Result<Option<String>> {
    if Oid(t) != oids::INTERVAL {
        return Ok(None);
    }
    let shown = with_analyze(c, |a| Ok(analyze::format_type(a, Oid(t), m)))?;
    let rest = shown.trim_start_matches("interval");
    let rest = rest.trim_start_matches(|c: char| c == '(' || c == ')' || c.is_ascii_digit());
    Ok(rest.strip_prefix(' ').map(str::to_ascii_uppercase))
}
