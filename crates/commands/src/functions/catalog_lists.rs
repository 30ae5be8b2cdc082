//! Lists about the catalogs and the server's parts: which catalog columns refer to which, resource managers of the log, members of a
//! multixact, databases of a tablespace; and functions that only exist to say no.

use super::env;
use super::rows::made;
use catalog::literal;
use common::{Error, Report, Result, Severity, SqlState, err};
use transam::MemberStatus;
use types::registry::RowSource;
use types::{CallCtx, Datum, FnImpl};

/// A function that fails the same way whatever it is given.
macro_rules! refuse {
    ($error:expr) => {
        FnImpl::Scalar(|_, _, _, _| Err($error))
    };
}

pub static TABLE: &[(u32, FnImpl)] = &[
    (1035, refuse!(err!(FEATURE_NOT_SUPPORTED, "aclinsert is no longer supported"))),
    (1036, refuse!(err!(FEATURE_NOT_SUPPORTED, "aclremove is no longer supported"))),
    (1137, refuse!(super::catalog_more::no_recovery())),
    (2556, FnImpl::Srf(tablespace_databases)),
    (3071, refuse!(super::catalog_more::no_recovery())),
    (3072, refuse!(super::catalog_more::no_recovery())),
    (3086, refuse!(not_in_script())),
    (3582, refuse!(not_upgrading())),
    (3584, refuse!(not_upgrading())),
    (3586, refuse!(not_upgrading())),
    (3587, refuse!(not_upgrading())),
    (3588, refuse!(not_upgrading())),
    (3589, refuse!(not_upgrading())),
    (3590, refuse!(not_upgrading())),
    (3591, refuse!(not_upgrading())),
    (3713, FnImpl::Srf(token_types)),
    (3714, FnImpl::Srf(token_types)),
    (3819, FnImpl::Srf(multixact_members)),
    (4083, refuse!(not_upgrading())),
    (4101, refuse!(not_upgrading())),
    (4390, refuse!(not_upgrading())),
    (4391, refuse!(not_upgrading())),
    (4545, refuse!(not_upgrading())),
    (4546, refuse!(not_upgrading())),
    (4547, refuse!(not_upgrading())),
    (4548, refuse!(not_upgrading())),
    (6014, FnImpl::Srf(|_, _| made(Vec::new()))),
    (6119, FnImpl::Srf(publication_tables)),
    (6159, FnImpl::Srf(catalog_foreign_keys)),
    (6169, FnImpl::Srf(replication_slot)),
    (6224, FnImpl::Srf(resource_managers)),
    (6231, FnImpl::Srf(subscription)),
    (6241, refuse!(Error::internal("cannot advance OID counter anymore"))),
];

fn not_upgrading() -> Error {
    err!(CANT_CHANGE_RUNTIME_PARAM, "function can only be called when server is in binary upgrade mode")
}

fn not_in_script() -> Error {
    err!(
        FEATURE_NOT_SUPPORTED,
        "pg_extension_config_dump() can only be called from an SQL script executed by CREATE EXTENSION"
    )
}

const FOREIGN_KEYS: &str = include_str!("../../data/catalog_foreign_keys.tsv");

/// `pg_get_catalog_foreign_keys`: facts about PostgreSQL's catalogs, from a file.
fn catalog_foreign_keys(c: &CallCtx<'_>, _: &[Datum]) -> Result<Box<dyn RowSource>> {
    let schema = &env(c)?.catalog.builtins().schema;
    let oid =
        |name: &str| schema.tables.iter().find(|t| t.name == name).map_or(Datum::Null, |t| Datum::oid(t.oid));
    let names = |list: &str| {
        let list = list.trim_start_matches('{').trim_end_matches('}');
        literal::text_array(&list.split(',').map(str::to_string).collect::<Vec<_>>())
    };
    let row = |line: &str| {
        let f: Vec<&str> = line.split('\t').collect();
        match f[..] {
            [fk, fk_cols, pk, pk_cols, array, optional] => Some(vec![
                oid(fk),
                names(fk_cols),
                oid(pk),
                names(pk_cols),
                Datum::Bool(array == "t"),
                Datum::Bool(optional == "t"),
            ]),
            _ => None,
        }
    };
    made(FOREIGN_KEYS.lines().filter_map(row).collect())
}

/// What writes to the log, by the number in a record's header.
const RESOURCE_MANAGERS: [&str; 18] = [
    "XLOG",
    "Transaction",
    "Storage",
    "CLOG",
    "Database",
    "Tablespace",
    "MultiXact",
    "RelMap",
    "Standby",
    "Heap2",
    "Heap",
    "Btree",
    "Hash",
    "Gin",
    "Gist",
    "Sequence",
    "SPGist",
    "BRIN",
];

fn resource_managers(_: &CallCtx<'_>, _: &[Datum]) -> Result<Box<dyn RowSource>> {
    let row = |(n, name): (usize, &&str)| vec![Datum::I32(n as i32), Datum::text(name), Datum::Bool(true)];
    made(RESOURCE_MANAGERS.iter().enumerate().map(row).collect())
}

const TOKEN_TYPES: &str = include_str!("../../data/token_types.tsv");

/// `ts_token_type`: what the one parser there is tells apart.
fn token_types(_: &CallCtx<'_>, args: &[Datum]) -> Result<Box<dyn RowSource>> {
    const DEFAULT_PARSER: u32 = 3722;
    match args.first() {
        Some(Datum::U32(DEFAULT_PARSER)) => {}
        Some(Datum::U32(oid)) => {
            return Err(Error::internal(format!("cache lookup failed for text search parser {oid}")));
        }
        Some(Datum::Bytes(b)) => {
            let name = String::from_utf8_lossy(b);
            if !matches!(&*name, "default" | "pg_catalog.default") {
                return Err(err!(UNDEFINED_OBJECT, "text search parser \"{name}\" does not exist"));
            }
        }
        _ => return made(Vec::new()),
    }
    let row = |line: &str| {
        let mut f = line.split('\t');
        let number = f.next()?.parse().ok()?;
        Some(vec![Datum::I32(number), Datum::text(f.next()?), Datum::text(f.next()?)])
    };
    made(TOKEN_TYPES.lines().filter_map(row).collect())
}

fn multixact_members(c: &CallCtx<'_>, args: &[Datum]) -> Result<Box<dyn RowSource>> {
    let Some(Datum::U32(multi)) = args.first() else { return made(Vec::new()) };
    if *multi == 0 {
        return Err(err!(INVALID_PARAMETER_VALUE, "invalid MultiXactId: {multi}"));
    }
    let members = env(c)?.engine.multixact_members(common::MultiXactId(u64::from(*multi)))?;
    let mode = |s: MemberStatus| match s {
        MemberStatus::ForKeyShare => "keysh",
        MemberStatus::ForShare => "sh",
        MemberStatus::ForNoKeyUpdate => "fornokeyupd",
        MemberStatus::ForUpdate => "forupd",
        MemberStatus::NoKeyUpdate => "nokeyupd",
        MemberStatus::Update => "upd",
    };
    made(members.iter().map(|m| vec![Datum::U32(m.xid.0 as u32), Datum::text(mode(m.status))]).collect())
}

/// `pg_tablespace_databases`: the databases that have files in a tablespace.
fn tablespace_databases(c: &CallCtx<'_>, args: &[Datum]) -> Result<Box<dyn RowSource>> {
    let Some(Datum::U32(oid)) = args.first() else { return made(Vec::new()) };
    let e = env(c)?;
    let warn = |text: String| {
        e.host.notice(Report::new(Severity::Warning, SqlState::WARNING, text));
        made(Vec::new())
    };
    match *oid {
        1664 => return warn("global tablespace never has databases".into()),
        1663 => {}
        other => return warn(format!("{other} is not a tablespace OID")),
    }
    let dir = e.engine.store().config().data_dir.join("base");
    let entries = std::fs::read_dir(&dir).map_err(|x| Error::os("could not open directory \"base\"", &x))?;
    let mut found: Vec<u32> = Vec::new();
    for entry in entries.flatten() {
        let number = entry.file_name().to_str().and_then(|n| n.parse::<u32>().ok()).filter(|n| *n != 0);
        let empty = std::fs::read_dir(entry.path()).is_ok_and(|mut d| d.next().is_none());
        found.extend(number.filter(|_| !empty));
    }
    found.sort_unstable();
    made(found.into_iter().map(|o| vec![Datum::U32(o)]).collect())
}

/// There are no publications.
fn publication_tables(_: &CallCtx<'_>, args: &[Datum]) -> Result<Box<dyn RowSource>> {
    match args.first() {
        Some(Datum::Bytes(b)) => {
            Err(err!(UNDEFINED_OBJECT, "publication \"{}\" does not exist", String::from_utf8_lossy(b)))
        }
        _ => made(Vec::new()),
    }
}

/// Counters of a slot that does not exist: zeros, as in PostgreSQL.
fn replication_slot(_: &CallCtx<'_>, args: &[Datum]) -> Result<Box<dyn RowSource>> {
    let Some(name) = args.first() else { return made(Vec::new()) };
    let mut row = vec![name.clone()];
    row.extend(std::iter::repeat_n(Datum::I64(0), 8));
    row.push(Datum::Null);
    made(vec![row])
}

/// The same of a subscription.
fn subscription(_: &CallCtx<'_>, args: &[Datum]) -> Result<Box<dyn RowSource>> {
    let Some(oid) = args.first() else { return made(Vec::new()) };
    made(vec![vec![oid.clone(), Datum::I64(0), Datum::I64(0), Datum::Null]])
}

#[cfg(test)]
mod tests {
    #[test]
    fn foreign_keys_have_six_fields() {
        assert!(super::FOREIGN_KEYS.lines().all(|l| l.split('\t').count() == 6));
    }
}
