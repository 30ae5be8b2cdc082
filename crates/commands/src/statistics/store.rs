//! Column statistics as rows of `pg_statistic`.

use super::column::{Stats, ValueKind};
use catalog::Catalog;
use catalog::cache::{KIND_CORRELATION, KIND_HISTOGRAM, KIND_MCV};
use catalog::columns::pg_statistic as st;
use common::{Oid, Result};
use types::{Datum, oids};

/// The row.
pub fn row(catalog: &Catalog, rel: Oid, attnum: i16, k: &ValueKind, s: &Stats) -> Result<Vec<Datum>> {
    let t = catalog.type_desc(k.type_oid)?;
    let float4 = catalog.type_desc(oids::FLOAT4)?;
    let mut row = catalog.blank_row(st::TABLE);
    row[st::STARELID] = Datum::oid(rel);
    row[st::STAATTNUM] = Datum::I16(attnum);
    row[st::STAINHERIT] = Datum::Bool(false);
    row[st::STANULLFRAC] = Datum::F32(s.null_frac);
    row[st::STAWIDTH] = Datum::I32(s.width);
    row[st::STADISTINCT] = Datum::F32(s.distinct);
    for i in 0..5 {
        row[st::STAKIND1 + i] = Datum::I16(0);
        row[st::STAOP1 + i] = Datum::oid(Oid::INVALID);
        row[st::STACOLL1 + i] = Datum::oid(Oid::INVALID);
    }
    let mut slot = 0;
    let mut put = |kind: i16, op: Oid, numbers: Option<Vec<Datum>>, values: Option<Vec<Datum>>| {
        row[st::STAKIND1 + slot] = Datum::I16(kind);
        row[st::STAOP1 + slot] = Datum::oid(op);
        row[st::STACOLL1 + slot] = Datum::oid(k.collation);
        if let Some(n) = numbers {
            row[st::STANUMBERS1 + slot] = catalog::array::build(&float4, &n);
        }
        if let Some(v) = values {
            row[st::STAVALUES1 + slot] = catalog::array::build(&t, &v);
        }
        slot += 1;
    };
    if !s.mcv.is_empty() {
        let numbers = s.mcv.iter().map(|m| Datum::F32(m.1)).collect();
        put(KIND_MCV, s.eqop, Some(numbers), Some(s.mcv.iter().map(|m| m.0.clone()).collect()));
    }
    if !s.histogram.is_empty() {
        put(KIND_HISTOGRAM, s.ltop, None, Some(s.histogram.clone()));
    }
    if let Some(c) = s.correlation {
        put(KIND_CORRELATION, s.ltop, Some(vec![Datum::F32(c)]), None);
    }
    Ok(row)
}

/// Puts a row in place of the one of the same column.
pub fn store(catalog: &Catalog, row: &[Datum]) -> Result<()> {
    match catalog.scan(st::TABLE, st::RELID_ATT_INH_INDEX, &row[..=st::STAINHERIT])?.first() {
        Some(old) => catalog.update_row(st::TABLE, old, row)?,
        None => catalog.insert_row(st::TABLE, row)?,
    };
    Ok(())
}

/// The row as a value of the catalog's row type.
pub fn record(catalog: &Catalog, row: &[Datum]) -> Result<Datum> {
    let Some(t) = catalog.builtins().schema.table(st::TABLE) else {
        return Err(common::Error::internal("pg_statistic has no shape"));
    };
    let fields = t.desc.attrs.iter().zip(row).map(|(a, d)| (a.type_oid, d.as_ref()));
    Ok(types::record::build_record(t.row_type, fields.collect::<Vec<_>>().into_iter()))
}
