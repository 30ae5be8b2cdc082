//! Views of the session and of what the server was made with: prepared statements, cursors, time zones, `pg_config`.

use super::env;
use super::rows::made;
use common::Result;
use std::path::Path;
use types::datetime::{all_abbreviations, all_zones};
use types::registry::RowSource;
use types::{CallCtx, Datum, FnImpl};

pub static TABLE: &[(u32, FnImpl)] = &[
    (2510, FnImpl::Srf(|c, _| made(env(c)?.host.prepared_statements()))),
    (2511, FnImpl::Srf(|c, _| made(env(c)?.host.cursors()))),
    (2599, FnImpl::Srf(abbreviations)),
    (2856, FnImpl::Srf(zones)),
    (3400, FnImpl::Srf(config)),
];

/// Seconds as an interval without days.
fn interval(seconds: i32) -> Datum {
    Datum::Fixed16(
        types::datetime::Interval { us: i64::from(seconds) * 1_000_000, days: 0, months: 0 }.pack(),
    )
}

fn abbreviations(_: &CallCtx<'_>, _: &[Datum]) -> Result<Box<dyn RowSource>> {
    let row = |a: (&str, i32, bool)| vec![Datum::text(a.0), interval(a.1), Datum::Bool(a.2)];
    made(all_abbreviations().map(row).collect())
}

/// Every zone, as it is at the start of the transaction.
fn zones(c: &CallCtx<'_>, _: &[Datum]) -> Result<Box<dyn RowSource>> {
    let all = all_zones(c.xact_start_us);
    made(
        all.into_iter()
            .map(|z| {
                vec![
                    Datum::text(&z.name),
                    Datum::text(&z.abbreviation),
                    interval(z.offset),
                    Datum::Bool(z.dst),
                ]
            })
            .collect(),
    )
}

/// Directories by where the program is; what PostgreSQL's configure would know is not recorded.
fn config(_: &CallCtx<'_>, _: &[Datum]) -> Result<Box<dyn RowSource>> {
    let exe = std::env::current_exe().unwrap_or_default();
    let bin = exe.parent().unwrap_or(Path::new("/"));
    let prefix = bin.parent().unwrap_or(Path::new("/"));
    let at = |p: &str| prefix.join(p).display().to_string();
    let none = || "not recorded".to_string();
    let rows = [
        ("BINDIR", bin.display().to_string()),
        ("DOCDIR", at("share/doc")),
        ("HTMLDIR", at("share/doc")),
        ("INCLUDEDIR", at("include")),
        ("PKGINCLUDEDIR", at("include")),
        ("INCLUDEDIR-SERVER", at("include/server")),
        ("LIBDIR", at("lib")),
        ("PKGLIBDIR", at("lib")),
        ("LOCALEDIR", at("share/locale")),
        ("MANDIR", at("share/man")),
        ("SHAREDIR", at("share")),
        ("SYSCONFDIR", at("etc")),
        ("PGXS", at("lib/pgxs/src/makefiles/pgxs.mk")),
        ("CONFIGURE", none()),
        ("CC", none()),
        ("CPPFLAGS", none()),
        ("CFLAGS", none()),
        ("CFLAGS_SL", none()),
        ("LDFLAGS", none()),
        ("LDFLAGS_EX", none()),
        ("LDFLAGS_SL", none()),
        ("LIBS", none()),
        ("VERSION", "PostgreSQL 15.18 (Stegodon 0.1.0)".to_string()),
    ];
    made(rows.iter().map(|(n, v)| vec![Datum::text(n), Datum::text(v)]).collect())
}
