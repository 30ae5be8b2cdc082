//! Settings kept for a role, a database, or a role in a database (`pg_db_role_setting`).

use crate::ctx::CommandCtx;
use crate::{set_value, target};
use catalog::columns::{pg_database, pg_db_role_setting as t};
use catalog::literal;
use common::{Error, Oid, Result, bail};
use parser::ast::*;
use types::Datum;

/// Changes the settings of (database, role); invalid stands for all.
pub fn change(ctx: &CommandCtx<'_>, database: Oid, role: Oid, v: &VariableSetStmt) -> Result<()> {
    let keys = [Datum::oid(database), Datum::oid(role)];
    let row = ctx.catalog.scan(t::TABLE, t::DATABASEID_ROL_INDEX, &keys)?.into_iter().next();
    let mut items = row.as_ref().map(|r| literal::text_items(r.bytes(t::SETCONFIG))).unwrap_or_default();
    let mut name = v.name.clone();
    let mut failed = Ok(());
    if v.kind != VariableSetKind::ResetAll {
        ctx.host.with_settings(&mut |s| match s.canonical(&v.name) {
            Ok(n) => name = n,
            Err(e) => failed = Err(e),
        });
        std::mem::replace(&mut failed, Ok(()))?;
        items.retain(|i| !i.split('=').next().unwrap_or("").eq_ignore_ascii_case(&name));
    }
    match v.kind {
        VariableSetKind::ResetAll => items.clear(),
        VariableSetKind::Reset | VariableSetKind::SetDefault => {}
        VariableSetKind::SetValue => {
            let value = set_value::stored(v)?;
            let superuser = ctx.host.is_superuser();
            ctx.host.with_settings(&mut |s| failed = s.check_stored(&name, &value, superuser));
            failed?;
            items.push(format!("{name}={value}"));
        }
        VariableSetKind::SetCurrent => {
            let mut value = String::new();
            ctx.host.with_settings(&mut |s| value = s.show(&name).unwrap_or_default());
            items.push(format!("{name}={value}"));
        }
        VariableSetKind::SetMulti => return Err(Error::unsupported("SET TRANSACTION as a stored setting")),
    }
    match (row, items.is_empty()) {
        (Some(r), true) => ctx.catalog.delete_row(t::TABLE, &r)?,
        (Some(r), false) => {
            let change = [(t::SETCONFIG, literal::text_array(&items))];
            ctx.catalog.update_columns(t::TABLE, &r, &change)?;
        }
        (None, true) => {}
        (None, false) => {
            let mut r = ctx.catalog.blank_row(t::TABLE);
            r[t::SETDATABASE] = Datum::oid(database);
            r[t::SETROLE] = Datum::oid(role);
            r[t::SETCONFIG] = literal::text_array(&items);
            ctx.catalog.insert_row(t::TABLE, &r)?;
        }
    }
    Ok(())
}

/// Deletes the settings of a dropped database or role.
pub fn delete(ctx: &CommandCtx<'_>, database: Option<Oid>, role: Option<Oid>) -> Result<()> {
    for r in ctx.catalog.scan_all(t::TABLE)? {
        let hit = database.is_some_and(|d| r.oid(t::SETDATABASE) == d)
            || role.is_some_and(|o| r.oid(t::SETROLE) == o);
        if hit {
            ctx.catalog.delete_row(t::TABLE, &r)?;
        }
    }
    Ok(())
}

/// Runs ALTER ROLE … SET.
pub fn alter_role_set(ctx: &CommandCtx<'_>, s: &AlterRoleSetStmt) -> Result<String> {
    let role = match &s.role {
        Some(r) => target::role(ctx, r)?,
        None => Oid::INVALID,
    };
    if !ctx.host.is_superuser() && role != ctx.host.role() {
        bail!(INSUFFICIENT_PRIVILEGE, "permission denied");
    }
    let database = match &s.database {
        Some(d) => match ctx.catalog.database_row(d)? {
            Some(r) => r.oid(pg_database::OID),
            None => bail!(UNDEFINED_DATABASE, "database \"{d}\" does not exist"),
        },
        None => Oid::INVALID,
    };
    change(ctx, database, role, &s.setstmt)?;
    Ok("ALTER ROLE".into())
}
