//! Settings as functions: `current_setting`, `set_config`, `pg_show_all_settings`.

use super::env;
use super::rows::{made, opt_text};
use crate::FnEnv;
use catalog::literal;
use common::settings::{Kind, SettingDef, Settings, Source, parse_int};
use common::{Error, Result, bail, err};
use transam::IsolationLevel;
use types::registry::RowSource;
use types::{CallCtx, Datum, FnImpl, c1, c2, c3};

pub static TABLE: &[(u32, FnImpl)] = &[
    (2077, c1!(current_setting)),
    (3294, c2!(current_setting_missing)),
    (2078, c3!(set_config)),
    (2084, FnImpl::Srf(show_all)),
    (3329, FnImpl::Srf(file_settings)),
    (6240, c1!(flags)),
    (3401, FnImpl::Srf(hba_rules)),
    (6250, FnImpl::Srf(ident_mappings)),
];

/// Settings whose values tell about the machine: for superusers and members of pg_read_all_settings.
const SECRET: [&str; 21] = [
    "config_file",
    "data_directory",
    "dynamic_library_path",
    "extension_destdir",
    "external_pid_file",
    "hba_file",
    "ident_file",
    "jit_provider",
    "krb_server_keyfile",
    "log_directory",
    "log_filename",
    "primary_conninfo",
    "session_preload_libraries",
    "shared_preload_libraries",
    "ssl_ciphers",
    "ssl_dh_params_file",
    "ssl_ecdh_curve",
    "ssl_max_protocol_version",
    "ssl_min_protocol_version",
    "ssl_passphrase_command",
    "unix_socket_directories",
];

/// OID of the predefined role `pg_read_all_settings`.
const READ_ALL_SETTINGS: common::Oid = common::Oid(3374);

/// May the user see every setting?
fn may_see_all(e: &FnEnv) -> Result<bool> {
    Ok(e.host.is_superuser() || crate::roles::has_privs_of(&e.catalog, e.host.role(), READ_ALL_SETTINGS)?)
}

/// May the user see this one? SHOW asks this too.
pub fn may_examine(e: &FnEnv, name: &str) -> Result<bool> {
    Ok(!SECRET.iter().any(|s| s.eq_ignore_ascii_case(name)) || may_see_all(e)?)
}

/// 42501 for what the user may not see.
pub fn check_examine(e: &FnEnv, name: &str) -> Result<()> {
    if may_examine(e, name)? {
        return Ok(());
    }
    bail!(
        INSUFFICIENT_PRIVILEGE,
        "must be superuser or have privileges of pg_read_all_settings to examine \"{}\"",
        name.to_ascii_lowercase()
    )
}

/// Settings that live in the transaction.
fn of_transaction(c: &CallCtx<'_>, name: &str) -> Result<Option<String>> {
    let engine = &env(c)?.engine;
    let on = |b: bool| if b { "on" } else { "off" };
    Ok(Some(match name {
        "transaction_isolation" => match engine.isolation() {
            IsolationLevel::ReadUncommitted => "read uncommitted",
            IsolationLevel::ReadCommitted => "read committed",
            IsolationLevel::RepeatableRead => "repeatable read",
            IsolationLevel::Serializable => "serializable",
        }
        .to_string(),
        "transaction_read_only" => on(engine.read_only()).to_string(),
        "transaction_deferrable" => on(engine.deferrable()).to_string(),
        _ => return Ok(None),
    }))
}

fn show(c: &CallCtx<'_>, name: &str) -> Result<Option<String>> {
    let lower = name.to_ascii_lowercase();
    check_examine(env(c)?, name)?;
    if let Some(v) = of_transaction(c, &lower)? {
        return Ok(Some(v));
    }
    let mut out = None;
    env(c)?.host.with_settings(&mut |s| out = s.show(name));
    Ok(out)
}

fn current_setting(c: &CallCtx<'_>, name: &str) -> Result<String> {
    show(c, name)?.ok_or_else(|| err!(UNDEFINED_OBJECT, "unrecognized configuration parameter \"{name}\""))
}

fn current_setting_missing(c: &CallCtx<'_>, name: &str, missing_ok: bool) -> Result<Option<String>> {
    if missing_ok { show(c, name) } else { current_setting(c, name).map(Some) }
}

fn set_config(
    c: &CallCtx<'_>,
    name: Option<&str>,
    value: Option<&str>,
    local: Option<bool>,
) -> Result<Option<String>> {
    let Some(name) = name else {
        return Err(err!(NULL_VALUE_NOT_ALLOWED, "SET requires parameter name"));
    };
    env(c)?.host.set_setting(name, value, local.unwrap_or(false))?;
    show(c, name)
}

/// One row of `pg_settings`.
fn row(s: &Settings, d: &SettingDef, transaction: Option<String>, all: bool) -> Vec<Datum> {
    let opt = |t: &str| if t.is_empty() { Datum::Null } else { Datum::text(t) };
    let kind = match d.kind {
        Kind::Bool => "bool",
        Kind::Int => "integer",
        Kind::Real => "real",
        Kind::String => "string",
        Kind::Enum => "enum",
    };
    let numeric = matches!(d.kind, Kind::Int | Kind::Real);
    let file = s.source_file(d.name).filter(|_| all && s.source(d.name) == Source::File);
    let items: Vec<String> = d.enum_values.iter().map(ToString::to_string).collect();
    // Shown with a unit, listed without.
    let reset = s.show_reset(d.name).map(|v| match d.kind {
        Kind::Int if !d.unit.is_empty() => parse_int(&v, d.unit).map_or(v, |n| n.to_string()),
        _ => v,
    });
    let source = match s.source(d.name) {
        _ if d.name.starts_with("transaction_") => Source::Override.as_str(),
        other => other.as_str(),
    };
    vec![
        Datum::text(d.name),
        opt_text(transaction.or_else(|| s.raw(d.name))),
        opt(d.unit),
        Datum::text(d.category),
        Datum::text(d.short_desc),
        opt(d.extra_desc),
        Datum::text(d.context.as_str()),
        Datum::text(kind),
        Datum::text(source),
        if numeric { opt(d.min_text) } else { Datum::Null },
        if numeric { opt(d.max_text) } else { Datum::Null },
        if items.is_empty() { Datum::Null } else { literal::text_array(&items) },
        Datum::text(d.boot),
        opt_text(reset),
        opt_text(file.map(|f| f.0)),
        file.map_or(Datum::Null, |f| Datum::I32(f.1 as i32)),
        Datum::Bool(s.pending_restart(d.name)),
    ]
}

fn show_all(c: &CallCtx<'_>, _: &[Datum]) -> Result<Box<dyn RowSource>> {
    let e = env(c)?;
    let all = may_see_all(e)?;
    let mut rows = Vec::new();
    let mut failed = None;
    e.host.with_settings(&mut |s| {
        for d in s.defs().all() {
            if d.has_flag("NO_SHOW_ALL") || (!all && SECRET.contains(&d.name)) {
                continue;
            }
            match of_transaction(c, d.name) {
                Ok(t) => rows.push(row(s, d, t, all)),
                Err(e) => failed = Some(e),
            }
        }
    });
    match failed {
        Some(e) => Err::<Box<dyn RowSource>, Error>(e),
        None => made(rows),
    }
}

/// `pg_settings_get_flags`; NULL for an unknown setting.
fn flags(c: &CallCtx<'_>, name: &str) -> Result<Datum> {
    let mut found = None;
    env(c)?.host.with_settings(&mut |s| {
        let defs = s.defs();
        found =
            defs.find(name).map(|i| defs.get(i).flags.iter().map(ToString::to_string).collect::<Vec<_>>());
    });
    Ok(found.map_or(Datum::Null, |f| literal::text_array(&f)))
}

/// Rows of `pg_file_settings`.
fn file_settings(c: &CallCtx<'_>, _: &[Datum]) -> Result<Box<dyn RowSource>> {
    let opt = |t: &str| if t.is_empty() { Datum::Null } else { Datum::text(t) };
    let entries = env(c)?.host.admin().file_settings();
    let rows = entries.iter().enumerate().map(|(i, e)| {
        let known = !e.name.is_empty();
        vec![
            opt(&e.file),
            if e.line == 0 { Datum::Null } else { Datum::I32(e.line as i32) },
            Datum::I32(i as i32 + 1),
            opt(&e.name),
            if known { Datum::text(&e.value) } else { Datum::Null },
            Datum::Bool(e.applied),
            opt_text(e.error.as_deref()),
        ]
    });
    made(rows.collect())
}

fn int(n: usize) -> Datum {
    Datum::I32(n as i32)
}

/// Rows of `pg_hba_file_rules`.
fn hba_rules(c: &CallCtx<'_>, _: &[Datum]) -> Result<Box<dyn RowSource>> {
    let list = |v: &[String], there: bool| {
        if there && !v.is_empty() { literal::text_array(v) } else { Datum::Null }
    };
    let rows = env(c)?.host.admin().hba_rules()?.into_iter().map(|r| {
        let there = r.conn.is_some();
        vec![
            int(r.line),
            opt_text(r.conn),
            list(&r.databases, there),
            list(&r.users, there),
            opt_text(r.address.as_deref()),
            opt_text(r.netmask.as_deref()),
            opt_text(r.method),
            list(&r.options, there),
            opt_text(r.error.as_deref()),
        ]
    });
    made(rows.collect())
}

/// Rows of `pg_ident_file_mappings`.
fn ident_mappings(c: &CallCtx<'_>, _: &[Datum]) -> Result<Box<dyn RowSource>> {
    let rows = env(c)?.host.admin().ident_mappings()?.into_iter().map(|m| {
        let part = |i: usize| opt_text(m.mapping.as_ref().map(|p| p[i].as_str()));
        vec![int(m.line), part(0), part(1), part(2), opt_text(m.error.as_deref())]
    });
    made(rows.collect())
}
