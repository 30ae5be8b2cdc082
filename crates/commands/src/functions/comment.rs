//! Comments on objects.

use super::env;
use catalog::builtins::PG_CATALOG;
use catalog::columns::*;
use common::Result;
use types::{CallCtx, Datum, FnImpl, c1, c2};

pub static TABLE: &[(u32, FnImpl)] =
    &[(1215, c2!(object)), (1348, c1!(object_any)), (1216, c2!(column)), (1993, c2!(shared))];

fn find(c: &CallCtx<'_>, oid: u32, class: u32, sub: i32) -> Result<Option<String>> {
    use pg_description::*;
    let keys = [Datum::U32(oid), Datum::U32(class), Datum::I32(sub)];
    Ok(env(c)?.catalog.scan(TABLE, O_C_O_INDEX, &keys)?.first().and_then(|r| r.text(DESCRIPTION)))
}

fn object(c: &CallCtx<'_>, oid: u32, class: &str) -> Result<Option<String>> {
    match env(c)?.catalog.relation_oid(PG_CATALOG, class)? {
        Some(class) => find(c, oid, class.0, 0),
        None => Ok(None),
    }
}

fn object_any(c: &CallCtx<'_>, oid: u32) -> Result<Option<String>> {
    use pg_description::*;
    let rows = env(c)?.catalog.scan(TABLE, O_C_O_INDEX, &[Datum::U32(oid)])?;
    Ok(rows.iter().find(|r| r.i32(OBJSUBID) == 0).and_then(|r| r.text(DESCRIPTION)))
}

fn column(c: &CallCtx<'_>, oid: u32, column: i32) -> Result<Option<String>> {
    find(c, oid, pg_class::TABLE.0, column)
}

fn shared(c: &CallCtx<'_>, oid: u32, class: &str) -> Result<Option<String>> {
    use pg_shdescription::*;
    let e = env(c)?;
    let Some(class) = e.catalog.relation_oid(PG_CATALOG, class)? else { return Ok(None) };
    let rows = e.catalog.scan_all(TABLE)?;
    Ok(rows
        .iter()
        .find(|r| r.oid(OBJOID).0 == oid && r.oid(CLASSOID) == class)
        .and_then(|r| r.text(DESCRIPTION)))
}
