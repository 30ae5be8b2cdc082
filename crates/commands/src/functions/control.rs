//! Signals to other backends and to the postmaster.

use super::env;
use common::{Report, Result, Severity, SqlState, bail, err};
use ipc::BackendKind;
use std::time::Duration;
use types::{CallCtx, FnImpl, c0, c1, c2};

pub static TABLE: &[(u32, FnImpl)] =
    &[(2171, c1!(cancel)), (2096, c2!(terminate)), (2621, c0!(reload)), (2034, c0!(conf_load_time))];

// Numbers of the signals, the same on every Linux.
const SIGHUP: i32 = 1;
const SIGINT: i32 = 2;
const SIGTERM: i32 = 15;

/// OID of the predefined role `pg_signal_backend`.
const SIGNAL_BACKEND: common::Oid = common::Oid(4200);

fn warn(c: &CallCtx<'_>, text: String) -> Result<()> {
    env(c)?.host.notice(Report::new(Severity::Warning, SqlState::WARNING, text));
    Ok(())
}

fn signal(c: &CallCtx<'_>, pid: i32, sig: i32) -> Result<bool> {
    let e = env(c)?;
    let Some(p) = e.engine.procs().by_pid(pid) else {
        warn(c, format!("PID {pid} is not a PostgreSQL backend process"))?;
        return Ok(false);
    };
    let (doing, done) = if sig == SIGTERM {
        ("terminate", "process is being terminated")
    } else {
        ("cancel", "query is being canceled")
    };
    let what = if sig == SIGTERM { "process" } else { "query" };
    if !e.host.is_superuser() {
        // A process without a role is the system's own.
        if !p.role().is_valid() || crate::roles::is_superuser(&e.catalog, p.role())? {
            bail!(INSUFFICIENT_PRIVILEGE, "must be a superuser to {doing} superuser {what}");
        }
        let role = e.host.role();
        if !crate::roles::has_privs_of(&e.catalog, role, p.role())?
            && !crate::roles::has_privs_of(&e.catalog, role, SIGNAL_BACKEND)?
        {
            bail!(
                INSUFFICIENT_PRIVILEGE,
                "must be a member of the role whose {done} or member of pg_signal_backend"
            );
        }
    }
    // It may have ended meanwhile, and its slot be another's.
    if p.pid() == pid && p.kind() != BackendKind::Invalid && p.signal(sig) {
        return Ok(true);
    }
    warn(c, format!("could not send signal to process {pid}: No such process"))?;
    Ok(false)
}

fn cancel(c: &CallCtx<'_>, pid: i32) -> Result<bool> {
    signal(c, pid, SIGINT)
}

fn terminate(c: &CallCtx<'_>, pid: i32, timeout_ms: i64) -> Result<bool> {
    if timeout_ms < 0 {
        return Err(err!(NUMERIC_VALUE_OUT_OF_RANGE, "\"timeout\" must not be negative"));
    }
    if !signal(c, pid, SIGTERM)? {
        return Ok(false);
    }
    if timeout_ms == 0 {
        return Ok(true);
    }
    let e = env(c)?;
    let end = ipc::clock::monotonic().saturating_add(timeout_ms.saturating_mul(1000));
    let _shown = e.engine.interrupts().waiting(ipc::WaitEvent::BACKEND_TERMINATION);
    while ipc::clock::monotonic() < end {
        if e.engine.procs().by_pid(pid).is_none() {
            return Ok(true);
        }
        e.host.check_interrupts()?;
        let latch = e.engine.interrupts().latch();
        latch.wait(Some(Duration::from_millis(10)));
        latch.reset();
    }
    warn(c, format!("backend with PID {pid} did not terminate within {timeout_ms} milliseconds"))?;
    Ok(false)
}

fn reload(c: &CallCtx<'_>) -> Result<bool> {
    let e = env(c)?;
    if !e.host.is_superuser() {
        bail!(INSUFFICIENT_PRIVILEGE, "permission denied for function pg_reload_conf");
    }
    let postmaster = std::os::unix::process::parent_id() as i32;
    if postmaster > 1 && ipc::signals::send_raw(postmaster, SIGHUP) {
        return Ok(true);
    }
    warn(c, "failed to send signal to postmaster: No such process".into())?;
    Ok(false)
}

fn conf_load_time(c: &CallCtx<'_>) -> Result<i64> {
    let mut at = 0;
    env(c)?.host.with_settings(&mut |s| at = s.loaded_at());
    Ok(at)
}
