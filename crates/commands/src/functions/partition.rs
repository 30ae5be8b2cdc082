//! Partition trees. Nothing is partitioned here: a plain table is no part of any tree.

use super::env;
use super::rows::made;
use catalog::columns::pg_class::*;
use common::{Error, Result};
use types::registry::RowSource;
use types::{CallCtx, Datum, FnImpl, c1};

pub static TABLE_OF_FUNCTIONS: &[(u32, FnImpl)] =
    &[(3423, FnImpl::Srf(none)), (3424, c1!(root)), (3425, FnImpl::Srf(none))];

/// Refuses what belongs to a partition tree.
fn check(c: &CallCtx<'_>, oid: u32) -> Result<()> {
    let rows = env(c)?.catalog.scan(TABLE, OID_INDEX, &[Datum::U32(oid)])?;
    if rows.iter().any(|r| matches!(r.char(RELKIND), b'p' | b'I') || r.bool(RELISPARTITION)) {
        return Err(Error::unsupported("partition trees"));
    }
    Ok(())
}

fn none(c: &CallCtx<'_>, args: &[Datum]) -> Result<Box<dyn RowSource>> {
    if let Some(Datum::U32(oid)) = args.first() {
        check(c, *oid)?;
    }
    made(Vec::new())
}

fn root(c: &CallCtx<'_>, oid: u32) -> Result<Option<u32>> {
    check(c, oid).map(|()| None)
}
