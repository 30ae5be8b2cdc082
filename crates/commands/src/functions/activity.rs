//! `pg_stat_get_activity` and the functions that show one backend.

use super::env;
use super::rows::{made, opt_text};
use common::{Oid, Result};
use ipc::activity::ActivityCopy;
use ipc::{BackendKind, Proc, WaitEvent};
use std::sync::atomic::Ordering::Relaxed;
use types::registry::RowSource;
use types::{CallCtx, Datum, FnImpl, c1};

pub static TABLE: &[(u32, FnImpl)] = &[
    (2022, FnImpl::Srf(activity)),
    (1936, FnImpl::Srf(idset)),
    (1937, c1!(|c, n: i32| Ok::<_, common::Error>(slot(c, n)?.map(Proc::pid)))),
    (1938, c1!(|c, n: i32| Ok::<_, common::Error>(slot(c, n)?.map(|p| p.database().0)))),
    (1939, c1!(|c, n: i32| Ok::<_, common::Error>(slot(c, n)?.map(|p| p.role().0)))),
    (1940, c1!(backend_query)),
    (2094, c1!(|c, n: i32| time(c, n, |a| a.query_start))),
    (1391, c1!(|c, n: i32| time(c, n, |a| a.backend_start))),
    (2857, c1!(|c, n: i32| time(c, n, |a| a.xact_start))),
    (1393, c1!(backend_port)),
    (1392, c1!(backend_addr)),
    (2788, c1!(|c, n: i32| wait(c, n, WaitEvent::class))),
    (2853, c1!(|c, n: i32| wait(c, n, WaitEvent::name))),
    (1941, c1!(connections)),
];

/// OID of the predefined role `pg_read_all_stats`.
pub const READ_ALL_STATS: Oid = Oid(3375);

/// May the user see what this backend does?
fn visible(c: &CallCtx<'_>, p: &Proc) -> Result<bool> {
    let e = env(c)?;
    let role = e.host.role();
    Ok(e.host.is_superuser()
        || crate::roles::has_privs_of(&e.catalog, role, READ_ALL_STATS)?
        || (p.role().is_valid() && crate::roles::has_privs_of(&e.catalog, role, p.role())?))
}

fn activity(c: &CallCtx<'_>, args: &[Datum]) -> Result<Box<dyn RowSource>> {
    let wanted = if let Some(Datum::I32(pid)) = args.first() { Some(*pid) } else { None };
    let mut rows = Vec::new();
    for p in env(c)?.engine.procs().live() {
        if wanted.is_none_or(|w| p.pid() == w) {
            rows.push(row(c, p)?);
        }
    }
    made(rows)
}

/// A client's port; -1 for a Unix socket.
fn port(a: &ActivityCopy) -> i32 {
    if a.client_addr.is_empty() { -1 } else { a.client_port }
}

fn oid(o: Oid) -> Datum {
    if o.is_valid() { Datum::oid(o) } else { Datum::Null }
}

fn stamp(t: i64) -> Datum {
    if t == 0 { Datum::Null } else { Datum::I64(t) }
}

fn xid(x: u64) -> Datum {
    if x == 0 { Datum::Null } else { Datum::U32(x as u32) }
}

/// The 30 columns; what the user may not see is NULL.
fn row(c: &CallCtx<'_>, p: &Proc) -> Result<Vec<Datum>> {
    let a = p.activity.read();
    let event = WaitEvent(p.wait_event.load(Relaxed));
    let client = matches!(p.kind(), BackendKind::Client | BackendKind::WalSender);
    let mut r = vec![Datum::Null; 30];
    r[0] = oid(p.database());
    r[1] = Datum::I32(p.pid());
    r[2] = oid(p.role());
    r[3] = Datum::text(&a.app_name);
    if !visible(c, p)? {
        r[5] = Datum::text("<insufficient privilege>");
        return Ok(r);
    }
    r[4] = opt_text(a.state.as_str());
    r[5] = Datum::text(&a.query);
    r[6] = opt_text(event.class());
    r[7] = opt_text(event.name());
    r[8] = stamp(a.xact_start);
    r[9] = stamp(a.query_start);
    r[10] = stamp(a.backend_start);
    r[11] = stamp(a.state_change);
    r[12] = a.client_addr.parse().map_or(Datum::Null, types::net::inet_host);
    r[13] = if a.client_host.is_empty() { Datum::Null } else { Datum::text(&a.client_host) };
    r[14] = if client { Datum::I32(port(&a)) } else { Datum::Null };
    r[15] = xid(p.xid.load(Relaxed));
    r[16] = xid(p.xmin.load(Relaxed));
    r[17] = Datum::text(if a.worker_type.is_empty() { p.kind().as_str() } else { &a.worker_type });
    if client {
        let t = &a.tls;
        let opt = |s: &str| if s.is_empty() { Datum::Null } else { Datum::text(s) };
        r[18] = Datum::Bool(!t.version.is_empty());
        if !t.version.is_empty() {
            r[19] = opt(&t.version);
            r[20] = opt(&t.cipher);
            r[21] = Datum::I32(t.bits);
            r[22] = opt(&t.client);
            r[23] = match t.serial.parse::<i128>() {
                Ok(n) => types::numeric::Num::from_i128(n).to_datum()?,
                Err(_) => Datum::Null,
            };
            r[24] = opt(&t.issuer);
        }
        r[25] = Datum::Bool(false);
        r[27] = Datum::Bool(false);
    }
    let leader = p.leader_pid.load(Relaxed);
    if leader != 0 {
        r[28] = Datum::I32(leader);
    }
    r[29] = if a.query_id == 0 { Datum::Null } else { Datum::I64(a.query_id) };
    Ok(r)
}

/// Backends by number: slots from 1.
fn slot(c: &CallCtx<'_>, n: i32) -> Result<Option<&'static Proc>> {
    let procs = env(c)?.engine.procs();
    Ok(procs.live().find(|p| p.number() as i32 + 1 == n))
}

fn idset(c: &CallCtx<'_>, _: &[Datum]) -> Result<Box<dyn RowSource>> {
    made(env(c)?.engine.procs().live().map(|p| vec![Datum::I32(p.number() as i32 + 1)]).collect())
}

fn seen(c: &CallCtx<'_>, n: i32) -> Result<Option<&'static Proc>> {
    Ok(match slot(c, n)? {
        Some(p) if visible(c, p)? => Some(p),
        _ => None,
    })
}

fn backend_query(c: &CallCtx<'_>, n: i32) -> Result<String> {
    Ok(match slot(c, n)? {
        None => "<backend information not available>".into(),
        Some(p) if !visible(c, p)? => "<insufficient privilege>".into(),
        Some(p) => match p.activity.read().query {
            q if q.is_empty() => "<command string not enabled>".into(),
            q => q,
        },
    })
}

fn time(c: &CallCtx<'_>, n: i32, f: fn(&ActivityCopy) -> i64) -> Result<Option<i64>> {
    Ok(seen(c, n)?.map(|p| f(&p.activity.read())).filter(|t| *t != 0))
}

fn backend_port(c: &CallCtx<'_>, n: i32) -> Result<Option<i32>> {
    Ok(seen(c, n)?.filter(|p| p.kind() == BackendKind::Client).map(|p| port(&p.activity.read())))
}

fn backend_addr(c: &CallCtx<'_>, n: i32) -> Result<Datum> {
    let addr = seen(c, n)?.map(|p| p.activity.read().client_addr).unwrap_or_default();
    Ok(addr.parse().map_or(Datum::Null, types::net::inet_host))
}

fn wait(c: &CallCtx<'_>, n: i32, f: fn(WaitEvent) -> Option<&'static str>) -> Result<Option<&'static str>> {
    Ok(seen(c, n)?.and_then(|p| f(WaitEvent(p.wait_event.load(Relaxed)))))
}

fn connections(c: &CallCtx<'_>, database: u32) -> Result<i32> {
    let procs = env(c)?.engine.procs();
    Ok(procs.live().filter(|p| p.database().0 == database).count() as i32)
}
