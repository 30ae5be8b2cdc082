//! Advisory locks: for the session or the transaction, shared or exclusive, on one bigint or two integers.

use super::env;
use common::{Report, Result, Severity, SqlState};
use transam::LockTag;
use types::{CallCtx, FnImpl, c0, c1, c2};

/// How a lock function behaves.
#[derive(Clone, Copy)]
struct How {
    shared: bool,
    session: bool,
}

const SESSION: How = How { shared: false, session: true };
const SESSION_SHARED: How = How { shared: true, session: true };
const XACT: How = How { shared: false, session: false };
const XACT_SHARED: How = How { shared: true, session: false };

pub static TABLE: &[(u32, FnImpl)] = &[
    (2880, c1!(|c, k: i64| lock(c, wide(c, k), SESSION))),
    (2881, c1!(|c, k: i64| lock(c, wide(c, k), SESSION_SHARED))),
    (3089, c1!(|c, k: i64| lock(c, wide(c, k), XACT))),
    (3090, c1!(|c, k: i64| lock(c, wide(c, k), XACT_SHARED))),
    (2882, c1!(|c, k: i64| try_lock(c, wide(c, k), SESSION))),
    (2883, c1!(|c, k: i64| try_lock(c, wide(c, k), SESSION_SHARED))),
    (3091, c1!(|c, k: i64| try_lock(c, wide(c, k), XACT))),
    (3092, c1!(|c, k: i64| try_lock(c, wide(c, k), XACT_SHARED))),
    (2884, c1!(|c, k: i64| unlock(c, wide(c, k), false))),
    (2885, c1!(|c, k: i64| unlock(c, wide(c, k), true))),
    (2886, c2!(|c, a: i32, b: i32| lock(c, pair(c, a, b), SESSION))),
    (2887, c2!(|c, a: i32, b: i32| lock(c, pair(c, a, b), SESSION_SHARED))),
    (3093, c2!(|c, a: i32, b: i32| lock(c, pair(c, a, b), XACT))),
    (3094, c2!(|c, a: i32, b: i32| lock(c, pair(c, a, b), XACT_SHARED))),
    (2888, c2!(|c, a: i32, b: i32| try_lock(c, pair(c, a, b), SESSION))),
    (2889, c2!(|c, a: i32, b: i32| try_lock(c, pair(c, a, b), SESSION_SHARED))),
    (3095, c2!(|c, a: i32, b: i32| try_lock(c, pair(c, a, b), XACT))),
    (3096, c2!(|c, a: i32, b: i32| try_lock(c, pair(c, a, b), XACT_SHARED))),
    (2890, c2!(|c, a: i32, b: i32| unlock(c, pair(c, a, b), false))),
    (2891, c2!(|c, a: i32, b: i32| unlock(c, pair(c, a, b), true))),
    (2892, c0!(unlock_all)),
];

fn wide(c: &CallCtx<'_>, key: i64) -> Result<LockTag> {
    Ok(LockTag::advisory_int8(env(c)?.catalog.database(), key))
}

fn pair(c: &CallCtx<'_>, a: i32, b: i32) -> Result<LockTag> {
    Ok(LockTag::advisory_int4(env(c)?.catalog.database(), a, b))
}

fn lock(c: &CallCtx<'_>, tag: Result<LockTag>, how: How) -> Result<i32> {
    env(c)?.engine.advisory_lock(tag?, how.shared, how.session, false)?;
    Ok(0)
}

fn try_lock(c: &CallCtx<'_>, tag: Result<LockTag>, how: How) -> Result<bool> {
    env(c)?.engine.advisory_lock(tag?, how.shared, how.session, true)
}

fn unlock(c: &CallCtx<'_>, tag: Result<LockTag>, shared: bool) -> Result<bool> {
    let e = env(c)?;
    let held = e.engine.advisory_unlock(tag?, shared);
    if !held {
        let mode = if shared { "ShareLock" } else { "ExclusiveLock" };
        let text = format!("you don't own a lock of type {mode}");
        e.host.notice(Report::new(Severity::Warning, SqlState::WARNING, text));
    }
    Ok(held)
}

fn unlock_all(c: &CallCtx<'_>) -> Result<i32> {
    env(c)?.engine.release_session_advisory_locks();
    Ok(0)
}
