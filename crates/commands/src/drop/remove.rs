//! Taking one object out of the catalogs: its row, its dependencies, its comments, its files.

use crate::ctx::CommandCtx;
use crate::target;
use catalog::columns::*;
use catalog::depend::ObjectAddress;
use common::{Error, Oid, Result};
use types::{Datum, oids};

/// Deletes the rows an index finds; how many those are.
pub fn delete_by(ctx: &CommandCtx<'_>, table: Oid, index: Oid, keys: &[Datum]) -> Result<usize> {
    let rows = ctx.catalog.scan(table, index, keys)?;
    for r in &rows {
        ctx.catalog.delete_row(table, r)?;
    }
    Ok(rows.len())
}

/// Removes comments on an object (and, for a whole relation, on its columns).
pub fn delete_comments(ctx: &CommandCtx<'_>, a: ObjectAddress) -> Result<()> {
    use pg_description::*;
    let mut keys = vec![Datum::oid(a.object), Datum::oid(a.class)];
    if a.sub != 0 {
        keys.push(Datum::I32(a.sub));
    }
    delete_by(ctx, TABLE, O_C_O_INDEX, &keys)?;
    Ok(())
}

/// Removes an object.
pub fn remove(ctx: &CommandCtx<'_>, a: ObjectAddress) -> Result<()> {
    let by_oid = |table: Oid, index: Oid| delete_by(ctx, table, index, &[Datum::oid(a.object)]);
    match a.class {
        pg_class::TABLE if a.sub != 0 => drop_column(ctx, a.object, a.sub as i16)?,
        pg_class::TABLE => drop_relation(ctx, a.object)?,
        pg_constraint::TABLE => drop_constraint(ctx, a.object)?,
        pg_attrdef::TABLE => drop_default(ctx, a.object)?,
        pg_trigger::TABLE => drop(by_oid(pg_trigger::TABLE, pg_trigger::OID_INDEX)?),
        pg_default_acl::TABLE => drop(by_oid(pg_default_acl::TABLE, pg_default_acl::OID_INDEX)?),
        pg_rewrite::TABLE => drop(by_oid(pg_rewrite::TABLE, pg_rewrite::OID_INDEX)?),
        pg_type::TABLE => {
            by_oid(pg_enum::TABLE, pg_enum::TYPID_LABEL_INDEX)?;
            by_oid(pg_range::TABLE, pg_range::RNGTYPID_INDEX)?;
            by_oid(pg_type::TABLE, pg_type::OID_INDEX)?;
        }
        pg_largeobject::TABLE => crate::large_object::delete(ctx.catalog, a.object)?,
        pg_operator::TABLE => {
            crate::operator::unlink(ctx, a.object)?;
            by_oid(pg_operator::TABLE, pg_operator::OID_INDEX)?;
        }
        pg_opclass::TABLE => drop(by_oid(pg_opclass::TABLE, pg_opclass::OID_INDEX)?),
        pg_opfamily::TABLE => drop(by_oid(pg_opfamily::TABLE, pg_opfamily::OID_INDEX)?),
        pg_amop::TABLE => drop(by_oid(pg_amop::TABLE, pg_amop::OID_INDEX)?),
        pg_amproc::TABLE => drop(by_oid(pg_amproc::TABLE, pg_amproc::OID_INDEX)?),
        pg_cast::TABLE => drop(by_oid(pg_cast::TABLE, pg_cast::OID_INDEX)?),
        pg_proc::TABLE => {
            delete_by(ctx, pg_aggregate::TABLE, pg_aggregate::FNOID_INDEX, &[Datum::oid(a.object)])?;
            by_oid(pg_proc::TABLE, pg_proc::OID_INDEX)?;
        }
        pg_namespace::TABLE => drop(by_oid(pg_namespace::TABLE, pg_namespace::OID_INDEX)?),
        pg_collation::TABLE => drop(by_oid(pg_collation::TABLE, pg_collation::OID_INDEX)?),
        pg_statistic_ext::TABLE => crate::statistics::alter::remove(ctx, a.object)?,
        pg_extension::TABLE => drop(by_oid(pg_extension::TABLE, pg_extension::OID_INDEX)?),
        _ => return Err(Error::unsupported(format_args!("dropping an object of catalog {}", a.class))),
    }
    ctx.catalog.delete_dependencies_of(a)?;
    if a.sub == 0 {
        ctx.catalog.delete_role_dependencies_of(a)?;
        let keys = [Datum::oid(a.object), Datum::oid(a.class)];
        delete_by(ctx, pg_init_privs::TABLE, pg_init_privs::O_C_O_INDEX, &keys)?;
    }
    delete_comments(ctx, a)?;
    ctx.engine.command_counter_increment()
}

fn drop_relation(ctx: &CommandCtx<'_>, oid: Oid) -> Result<()> {
    let row = target::class_row(ctx.catalog, oid)?;
    let kind = row.char(pg_class::RELKIND);
    if kind == b'r' {
        target::check_not_in_use(ctx, oid, row.str(pg_class::RELNAME), "DROP TABLE")?;
        ctx.engine.note_write_all(oid)?;
    }
    let relfilenode = row.oid(pg_class::RELFILENODE);
    if relfilenode.is_valid() && matches!(kind, b'r' | b'i' | b'S' | b't' | b'm') {
        let locator = ctx.catalog.locator_of(&row)?;
        ctx.engine.drop_storage(locator);
    }
    let key = [Datum::oid(oid)];
    if kind == b'i' {
        for index in ctx.catalog.scan(pg_index::TABLE, pg_index::INDEXRELID_INDEX, &key)? {
            ctx.engine.reads_moved(oid, index.oid(pg_index::INDRELID));
        }
        delete_by(ctx, pg_index::TABLE, pg_index::INDEXRELID_INDEX, &key)?;
    }
    crate::inherit::forget(ctx, oid)?;
    if kind == b'S' {
        delete_by(ctx, pg_sequence::TABLE, pg_sequence::SEQRELID_INDEX, &key)?;
    }
    delete_by(ctx, pg_statistic::TABLE, pg_statistic::RELID_ATT_INH_INDEX, &key)?;
    delete_by(ctx, pg_attribute::TABLE, pg_attribute::RELID_ATTNUM_INDEX, &key)?;
    ctx.catalog.delete_row(pg_class::TABLE, &row)
}

fn drop_column(ctx: &CommandCtx<'_>, rel: Oid, attnum: i16) -> Result<()> {
    use pg_attribute::*;
    let keys = [Datum::oid(rel), Datum::I16(attnum)];
    for r in ctx.catalog.scan(TABLE, RELID_ATTNUM_INDEX, &keys)? {
        let changes = [
            (ATTNAME, Datum::text(&format!("........pg.dropped.{attnum}........"))),
            (ATTTYPID, Datum::oid(Oid::INVALID)),
            (ATTNOTNULL, Datum::Bool(false)),
            (ATTHASDEF, Datum::Bool(false)),
            (ATTIDENTITY, Datum::I8(0)),
            (ATTGENERATED, Datum::I8(0)),
            (ATTISDROPPED, Datum::Bool(true)),
            (ATTSTATTARGET, Datum::I32(0)),
            (ATTHASMISSING, Datum::Bool(false)),
            (ATTMISSINGVAL, Datum::Null),
            (ATTACL, Datum::Null),
            (ATTOPTIONS, Datum::Null),
        ];
        ctx.catalog.update_columns(TABLE, &r, &changes)?;
    }
    debug_assert_ne!(oids::INT4, Oid::INVALID);
    let keys = [Datum::oid(rel), Datum::I16(attnum)];
    delete_by(ctx, pg_statistic::TABLE, pg_statistic::RELID_ATT_INH_INDEX, &keys)?;
    Ok(())
}

fn drop_constraint(ctx: &CommandCtx<'_>, oid: Oid) -> Result<()> {
    use pg_constraint::*;
    for r in ctx.catalog.scan(TABLE, OID_INDEX, &[Datum::oid(oid)])? {
        if r.char(CONTYPE) == b'c' && r.oid(CONRELID).is_valid() {
            let class = target::class_row(ctx.catalog, r.oid(CONRELID))?;
            let n = class.i16(pg_class::RELCHECKS).max(1) - 1;
            let change = [(pg_class::RELCHECKS, Datum::I16(n))];
            ctx.catalog.update_columns(pg_class::TABLE, &class, &change)?;
        }
        ctx.catalog.delete_row(TABLE, &r)?;
    }
    Ok(())
}

fn drop_default(ctx: &CommandCtx<'_>, oid: Oid) -> Result<()> {
    use pg_attrdef::*;
    for r in ctx.catalog.scan(TABLE, OID_INDEX, &[Datum::oid(oid)])? {
        let keys = [Datum::oid(r.oid(ADRELID)), Datum::I16(r.i16(ADNUM))];
        for a in ctx.catalog.scan(pg_attribute::TABLE, pg_attribute::RELID_ATTNUM_INDEX, &keys)? {
            let change = [(pg_attribute::ATTHASDEF, Datum::Bool(false))];
            ctx.catalog.update_columns(pg_attribute::TABLE, &a, &change)?;
        }
        ctx.catalog.delete_row(TABLE, &r)?;
    }
    Ok(())
}
