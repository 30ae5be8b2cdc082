//! New files for a relation: TRUNCATE, REINDEX, table rewrites, sequences that are altered. The old files go at commit,
//! the new ones at abort.

use crate::ctx::CommandCtx;
use crate::target;
use catalog::columns::pg_class;
use common::{Oid, Result};
use types::Datum;

/// Gives a relation a new, empty file. An index is left without its first page.
pub fn replace(ctx: &CommandCtx<'_>, oid: Oid) -> Result<()> {
    let (catalog, eng) = (ctx.catalog, ctx.engine);
    let row = target::class_row(catalog, oid)?;
    let tablespace = row.oid(pg_class::RELTABLESPACE);
    let old = catalog.locator_of(&row)?;
    let new = eng.new_relfilenumber(old.spc_oid, old.db_oid)?;
    let new_locator = catalog.locator(tablespace, false, Oid(new)).of_backend(old.backend);
    crate::relation::create_files(
        catalog,
        new_locator,
        row.char(pg_class::RELPERSISTENCE),
        row.char(pg_class::RELKIND),
    )?;
    eng.drop_storage(old);
    eng.reads_moved(oid, oid);
    if matches!(row.char(pg_class::RELKIND), b'r' | b'm' | b't') {
        eng.count_truncate(transam::StatKey::new(catalog.database(), oid));
    }
    let is_sequence = row.char(pg_class::RELKIND) == b'S';
    let mut changes = vec![(pg_class::RELFILENODE, Datum::U32(new))];
    if !is_sequence {
        changes.push((pg_class::RELPAGES, Datum::I32(0)));
        changes.push((pg_class::RELTUPLES, Datum::F32(-1.0)));
        changes.push((pg_class::RELALLVISIBLE, Datum::I32(0)));
    }
    catalog.update_columns(pg_class::TABLE, &row, &changes)?;
    eng.command_counter_increment()
}

/// A table with its TOAST table and all its indexes emptied this way.
pub fn replace_table(ctx: &CommandCtx<'_>, table: Oid) -> Result<()> {
    let toast = target::class_row(ctx.catalog, table)?.oid(pg_class::RELTOASTRELID);
    for heap in [table, toast].into_iter().filter(|o| o.is_valid()) {
        replace(ctx, heap)?;
        let indexes = ctx.catalog.relation(heap)?.indexes.clone();
        for ix in indexes {
            replace(ctx, ix)?;
            access::btree::create_empty(ctx.engine, &ctx.catalog.index(ix)?.rel)?;
        }
    }
    Ok(())
}
