//! CREATE, ALTER and DROP DATABASE. A new database is a page-by-page logged copy of its template; a dropped one's
//! directory is removed once no log record after the last checkpoint can name it.

use crate::analysis::notice;
use crate::ctx::CommandCtx;
use crate::database_locale::{self, Wanted};
use crate::{comment, role_config, roles, target};
use catalog::CatRow;
use catalog::builtins::DEFAULT_TABLESPACE;
use catalog::columns::*;
use catalog::depend::ObjectAddress;
use common::{Error, Oid, Result, bail, err};
use parser::ast::*;
use std::time::Duration;
use transam::LockMode;
use types::Datum;

fn text(d: &DefElem) -> String {
    crate::reloptions::value_text(d.arg.as_ref())
}

fn is_default(d: &DefElem) -> bool {
    d.arg.is_none()
}

fn boolean(d: &DefElem) -> Result<bool> {
    match text(d).to_ascii_lowercase().as_str() {
        "true" | "on" | "1" => Ok(true),
        "false" | "off" | "0" => Ok(false),
        _ => bail!(SYNTAX_ERROR, "{} requires a Boolean value", d.defname),
    }
}

fn connection_limit(d: &DefElem) -> Result<i32> {
    let n: i32 = match text(d).parse() {
        Ok(n) => n,
        Err(_) => bail!(SYNTAX_ERROR, "{} requires an integer value", d.defname),
    };
    if n < -1 {
        bail!(INVALID_PARAMETER_VALUE, "invalid connection limit: {n}");
    }
    Ok(n)
}

fn check_options(options: &[DefElem], known: &[&str]) -> Result<()> {
    for (i, d) in options.iter().enumerate() {
        if options[..i].iter().any(|x| x.defname == d.defname) {
            return Err(err!(SYNTAX_ERROR, "conflicting or redundant options").at(d.location));
        }
        if !known.contains(&d.defname.as_str()) {
            return Err(err!(SYNTAX_ERROR, "option \"{}\" not recognized", d.defname).at(d.location));
        }
    }
    Ok(())
}

const CREATE_OPTIONS: [&str; 16] = [
    "tablespace",
    "owner",
    "template",
    "encoding",
    "locale",
    "lc_collate",
    "lc_ctype",
    "icu_locale",
    "locale_provider",
    "is_template",
    "allow_connections",
    "connection_limit",
    "collation_version",
    "location",
    "oid",
    "strategy",
];

/// Sessions other than this one in a database.
fn others_in(ctx: &CommandCtx<'_>, db: Oid) -> Vec<&'static ipc::Proc> {
    let me = ctx.engine.proc().number();
    ctx.engine.procs().live().filter(|p| p.number() != me && p.database() == db).collect()
}

/// Waits a while for sessions that are about to end (autovacuum above all).
fn wait_for_others(ctx: &CommandCtx<'_>, db: Oid) -> Result<usize> {
    for _ in 0..50 {
        let n = others_in(ctx, db).len();
        if n == 0 {
            return Ok(0);
        }
        ctx.engine.check_interrupts()?;
        std::thread::sleep(Duration::from_millis(100));
    }
    Ok(others_in(ctx, db).len())
}

fn in_use(what: &str, name: &str, n: usize) -> Error {
    let detail = if n == 1 {
        "There is 1 other session using the database.".to_string()
    } else {
        format!("There are {n} other sessions using the database.")
    };
    err!(OBJECT_IN_USE, "{what} \"{name}\" is being accessed by other users").detail(detail)
}

fn may_create(ctx: &CommandCtx<'_>) -> Result<bool> {
    let row = roles::role_row(ctx.catalog, ctx.host.role())?;
    Ok(ctx.host.is_superuser() || row.is_some_and(|r| r.bool(pg_authid::ROLCREATEDB)))
}

/// PostgreSQL's number of an encoding.
fn encoding(d: &DefElem) -> Result<i32> {
    let name = text(d);
    let clean: String =
        name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    match clean.as_str() {
        "utf8" | "unicode" | "6" => Ok(6),
        "sqlascii" | "0" | "latin1" | "iso88591" | "eucjp" | "euccn" | "euckr" | "win1252" => {
            Err(Error::unsupported(format_args!("ENCODING {name}")))
        }
        _ => Err(err!(UNDEFINED_OBJECT, "{name} is not a valid encoding name").at(d.location)),
    }
}

/// Runs CREATE DATABASE.
pub fn create(ctx: &CommandCtx<'_>, s: &CreatedbStmt) -> Result<String> {
    use pg_database::*;
    ctx.engine.prevent_in_block(ctx.top_level, "CREATE DATABASE")?;
    check_options(&s.options, &CREATE_OPTIONS)?;
    let find = |n: &str| s.options.iter().find(|d| d.defname == n && !is_default(d));
    for refused in ["oid", "location"] {
        if find(refused).is_some() {
            return Err(Error::unsupported(format_args!("{refused} in CREATE DATABASE")));
        }
    }
    if let Some(d) = find("strategy")
        && !["wal_log", "file_copy"].contains(&text(d).to_ascii_lowercase().as_str())
    {
        return Err(err!(INVALID_PARAMETER_VALUE, "invalid create database strategy \"{}\"", text(d))
            .hint("Valid strategies are \"wal_log\", and \"file_copy\"."));
    }
    let tablespace = find("tablespace").map(text);
    crate::index::check_tablespace(tablespace.as_deref())?;
    let limit = find("connection_limit").map(connection_limit).transpose()?.unwrap_or(-1);
    let encoding = find("encoding").map(encoding).transpose()?;
    let owner = match find("owner") {
        Some(d) => target::role_by_name(ctx, &text(d))?,
        None => ctx.host.role(),
    };
    if !may_create(ctx)? {
        bail!(INSUFFICIENT_PRIVILEGE, "permission denied to create database");
    }
    if !ctx.host.is_superuser() && !roles::is_member(ctx.catalog, ctx.host.role(), owner)? {
        let n = ctx.catalog.role_name(owner)?.unwrap_or_default();
        bail!(INSUFFICIENT_PRIVILEGE, "must be member of role \"{n}\"");
    }
    let template = find("template").map_or_else(|| "template1".to_string(), text);
    let Some(source) = ctx.catalog.database_row(&template)? else {
        bail!(UNDEFINED_DATABASE, "template database \"{template}\" does not exist");
    };
    if !source.bool(DATISTEMPLATE) && !target::owns(ctx, source.oid(DATDBA))? {
        bail!(INSUFFICIENT_PRIVILEGE, "permission denied to copy database \"{template}\"");
    }
    let row = new_row(ctx, s, &source, owner, encoding, limit, &template)?;
    let (src, dst) = (source.oid(OID), row[OID].as_ref().oid());
    ctx.engine.lock_object(Oid::INVALID, TABLE, src, 0, LockMode::Share)?;
    if ctx.catalog.database_row(&s.dbname)?.is_some() {
        bail!(DUPLICATE_DATABASE, "database \"{}\" already exists", s.dbname);
    }
    let n = wait_for_others(ctx, src)?;
    if n > 0 {
        return Err(in_use("source database", &template, n));
    }
    ctx.engine.lock_object(Oid::INVALID, TABLE, dst, 0, LockMode::AccessExclusive)?;
    ctx.catalog.insert_row(TABLE, &row)?;
    record_shared_dependency(ctx, ObjectAddress::new(TABLE, dst), owner, b'o')?;
    copy_dependencies(ctx, src, dst)?;
    ctx.engine.create_database_files(DEFAULT_TABLESPACE, src, dst)?;
    Ok("CREATE DATABASE".into())
}

fn new_row(
    ctx: &CommandCtx<'_>,
    s: &CreatedbStmt,
    source: &CatRow,
    owner: Oid,
    encoding: Option<i32>,
    limit: i32,
    template: &str,
) -> Result<Vec<Datum>> {
    use pg_database::*;
    let find = |n: &str| s.options.iter().find(|d| d.defname == n && !is_default(d));
    let mut r = source.values.clone();
    let locale = find("locale").map(text);
    let wanted = Wanted {
        provider: find("locale_provider").map(text),
        collate: find("lc_collate").map(text).or_else(|| locale.clone()),
        ctype: find("lc_ctype").map(text).or(locale),
        icu: find("icu_locale").map(text),
        version: find("collation_version").map(text),
    };
    database_locale::choose(&mut r, source, template, &wanted)?;
    if let Some(e) = encoding {
        r[ENCODING] = Datum::I32(e);
    }
    let oid = loop {
        let oid = ctx.catalog.new_oid(TABLE, OID_INDEX)?;
        if !database_dir(ctx, oid).exists() {
            break oid;
        }
    };
    r[OID] = Datum::oid(oid);
    r[DATNAME] = Datum::text(&s.dbname);
    r[DATDBA] = Datum::oid(owner);
    r[DATISTEMPLATE] = Datum::Bool(find("is_template").map(boolean).transpose()?.unwrap_or(false));
    r[DATALLOWCONN] = Datum::Bool(find("allow_connections").map(boolean).transpose()?.unwrap_or(true));
    r[DATCONNLIMIT] = Datum::I32(limit);
    r[DATACL] = Datum::Null;
    Ok(r)
}

fn database_dir(ctx: &CommandCtx<'_>, db: Oid) -> std::path::PathBuf {
    ctx.engine.store().files().database_path(DEFAULT_TABLESPACE, db)
}

/// Records a role dependency of a shared object.
pub fn record_shared_dependency(ctx: &CommandCtx<'_>, a: ObjectAddress, role: Oid, kind: u8) -> Result<()> {
    use pg_shdepend::*;
    if role < Oid::FIRST_NORMAL {
        return Ok(());
    }
    let mut r = ctx.catalog.blank_row(TABLE);
    r[DBID] = Datum::oid(Oid::INVALID);
    r[CLASSID] = Datum::oid(a.class);
    r[OBJID] = Datum::oid(a.object);
    r[OBJSUBID] = Datum::I32(a.sub);
    r[REFCLASSID] = Datum::oid(pg_authid::TABLE);
    r[REFOBJID] = Datum::oid(role);
    r[DEPTYPE] = Datum::I8(kind as i8);
    ctx.catalog.insert_row(TABLE, &r)?;
    Ok(())
}

fn copy_dependencies(ctx: &CommandCtx<'_>, src: Oid, dst: Oid) -> Result<()> {
    use pg_shdepend::*;
    for r in ctx.catalog.scan(TABLE, DEPENDER_INDEX, &[Datum::oid(src)])? {
        let mut v = r.values.clone();
        v[DBID] = Datum::oid(dst);
        ctx.catalog.insert_row(TABLE, &v)?;
    }
    Ok(())
}

/// The row of a database the user owns.
pub fn owned_row(ctx: &CommandCtx<'_>, name: &str) -> Result<CatRow> {
    let Some(row) = ctx.catalog.database_row(name)? else {
        bail!(UNDEFINED_DATABASE, "database \"{name}\" does not exist");
    };
    if !target::owns(ctx, row.oid(pg_database::DATDBA))? {
        bail!(INSUFFICIENT_PRIVILEGE, "must be owner of database {name}");
    }
    Ok(row)
}

/// Runs DROP DATABASE.
pub fn drop(ctx: &CommandCtx<'_>, s: &DropdbStmt) -> Result<String> {
    use pg_database::*;
    ctx.engine.prevent_in_block(ctx.top_level, "DROP DATABASE")?;
    let mut force = false;
    for d in &s.options {
        match d.defname.as_str() {
            "force" => force = true,
            o => return Err(err!(SYNTAX_ERROR, "unrecognized DROP DATABASE option \"{o}\"").at(d.location)),
        }
    }
    let name = &s.dbname;
    if ctx.catalog.database_row(name)?.is_none() && s.missing_ok {
        notice(ctx, format!("database \"{name}\" does not exist, skipping"));
        return Ok("DROP DATABASE".into());
    }
    let oid = owned_row(ctx, name)?.oid(OID);
    ctx.engine.lock_object(Oid::INVALID, TABLE, oid, 0, LockMode::AccessExclusive)?;
    let row = owned_row(ctx, name)?;
    if row.bool(DATISTEMPLATE) {
        bail!(WRONG_OBJECT_TYPE, "cannot drop a template database");
    }
    if oid == ctx.catalog.database() {
        bail!(OBJECT_IN_USE, "cannot drop the currently open database");
    }
    if force {
        for p in others_in(ctx, oid) {
            const SIGTERM: i32 = 15;
            p.signal(SIGTERM);
        }
    }
    let n = wait_for_others(ctx, oid)?;
    if n > 0 {
        return Err(in_use("database", name, n));
    }
    ctx.catalog.delete_row(TABLE, &row)?;
    comment::delete_shared(ctx, ObjectAddress::new(TABLE, oid))?;
    role_config::delete(ctx, Some(oid), None)?;
    delete_dependencies(ctx, oid)?;
    // Behind a checkpoint no log record that redo could need names the directory.
    ctx.host.request_checkpoint()?;
    ctx.engine.drop_database_files(DEFAULT_TABLESPACE, oid)?;
    Ok("DROP DATABASE".into())
}

fn delete_dependencies(ctx: &CommandCtx<'_>, db: Oid) -> Result<()> {
    use pg_shdepend::*;
    let own = [Datum::oid(Oid::INVALID), Datum::oid(pg_database::TABLE), Datum::oid(db)];
    for keys in [&[Datum::oid(db)][..], &own[..]] {
        for r in ctx.catalog.scan(TABLE, DEPENDER_INDEX, keys)? {
            ctx.catalog.delete_row(TABLE, &r)?;
        }
    }
    Ok(())
}

/// Runs ALTER DATABASE … WITH options.
pub fn alter(ctx: &CommandCtx<'_>, s: &AlterDatabaseStmt) -> Result<String> {
    use pg_database::*;
    check_options(&s.options, &["is_template", "allow_connections", "connection_limit", "tablespace"])?;
    let row = owned_row(ctx, &s.dbname)?;
    let mut changes = Vec::new();
    for d in &s.options {
        match d.defname.as_str() {
            "is_template" => changes.push((DATISTEMPLATE, Datum::Bool(boolean(d)?))),
            "allow_connections" => {
                let b = boolean(d)?;
                if !b && row.oid(OID) == ctx.catalog.database() {
                    bail!(INVALID_PARAMETER_VALUE, "cannot disallow connections for current database");
                }
                changes.push((DATALLOWCONN, Datum::Bool(b)));
            }
            "connection_limit" => changes.push((DATCONNLIMIT, Datum::I32(connection_limit(d)?))),
            _ => return Err(Error::unsupported("ALTER DATABASE SET TABLESPACE")),
        }
    }
    ctx.catalog.update_columns(TABLE, &row, &changes)?;
    Ok("ALTER DATABASE".into())
}

/// Runs ALTER DATABASE … SET.
pub fn alter_set(ctx: &CommandCtx<'_>, s: &AlterDatabaseSetStmt) -> Result<String> {
    let oid = owned_row(ctx, &s.dbname)?.oid(pg_database::OID);
    role_config::change(ctx, oid, Oid::INVALID, &s.setstmt)?;
    Ok("ALTER DATABASE".into())
}

/// ALTER DATABASE … RENAME TO.
pub fn rename(ctx: &CommandCtx<'_>, old: &str, new: &str) -> Result<()> {
    use pg_database::*;
    let row = owned_row(ctx, old)?;
    if !may_create(ctx)? {
        bail!(INSUFFICIENT_PRIVILEGE, "permission denied to rename database");
    }
    if ctx.catalog.database_row(new)?.is_some() {
        bail!(DUPLICATE_DATABASE, "database \"{new}\" already exists");
    }
    let oid = row.oid(OID);
    if oid == ctx.catalog.database() {
        bail!(FEATURE_NOT_SUPPORTED, "current database cannot be renamed");
    }
    ctx.engine.lock_object(Oid::INVALID, TABLE, oid, 0, LockMode::AccessExclusive)?;
    let n = wait_for_others(ctx, oid)?;
    if n > 0 {
        return Err(in_use("database", old, n));
    }
    ctx.catalog.update_columns(TABLE, &row, &[(DATNAME, Datum::text(new))])?;
    Ok(())
}

/// ALTER DATABASE … OWNER TO.
pub fn change_owner(ctx: &CommandCtx<'_>, name: &str, owner: Oid) -> Result<()> {
    use pg_database::*;
    let row = owned_row(ctx, name)?;
    let oid = row.oid(OID);
    ctx.catalog.update_columns(TABLE, &row, &[(DATDBA, Datum::oid(owner))])?;
    use pg_shdepend as d;
    let keys = [Datum::oid(Oid::INVALID), Datum::oid(TABLE), Datum::oid(oid)];
    for r in ctx.catalog.scan(d::TABLE, d::DEPENDER_INDEX, &keys)? {
        if r.char(d::DEPTYPE) == b'o' {
            ctx.catalog.delete_row(d::TABLE, &r)?;
        }
    }
    record_shared_dependency(ctx, ObjectAddress::new(TABLE, oid), owner, b'o')
}
