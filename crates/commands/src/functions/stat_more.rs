//! Statistics of the status page caches, of what does not exist here (replication slots, subscriptions, prefetching in
//! recovery), their resets, and what is known of a command's phases.

use super::env;
use super::rows::made;
use common::{Error, Oid, Result, bail};
use transam::StatKey;
use transam::slru::SlruStats;
use types::registry::RowSource;
use types::{CallCtx, Datum, FnImpl, c1, c2, c3};

pub static TABLE: &[(u32, FnImpl)] = &[
    (676, c2!(phase_name)),
    (2306, FnImpl::Srf(slru)),
    (2307, c1!(reset_slru)),
    (6230, c3!(have_stats)),
    (6248, FnImpl::Srf(recovery_prefetch)),
    (6170, c1!(reset_slot)),
    (6232, c1!(reset_subscription)),
    (3777, c1!(|c, _: u32| require_superuser(c, "pg_stat_reset_single_function_counters"))),
    (3044, c1!(|_c: &CallCtx<'_>, _: u32| Ok::<i64, Error>(0))),
    (3045, c1!(|_c: &CallCtx<'_>, _: u32| Ok::<i64, Error>(0))),
    // Functions are not counted (track_functions has no effect).
    (3046, c1!(|_c: &CallCtx<'_>, _: u32| Ok::<Option<i64>, Error>(None))),
    (3047, c1!(|_c: &CallCtx<'_>, _: u32| Ok::<Option<f64>, Error>(None))),
    (3048, c1!(|_c: &CallCtx<'_>, _: u32| Ok::<Option<f64>, Error>(None))),
];

fn require_superuser(c: &CallCtx<'_>, function: &str) -> Result<Datum> {
    if !env(c)?.host.is_superuser() {
        bail!(INSUFFICIENT_PRIVILEGE, "permission denied for function {function}");
    }
    Ok(Datum::Null)
}

/// Phases of a btree's build; other access methods report none.
fn phase_name(_: &CallCtx<'_>, method: u32, phase: i64) -> Option<&'static str> {
    let names = [
        "initializing",
        "scanning table",
        "sorting live tuples",
        "sorting dead tuples",
        "loading tuples in tree",
    ];
    let at = usize::try_from(phase).ok()?.checked_sub(1)?;
    (Oid(method) == catalog::builtins::BTREE_AM).then(|| names.get(at).copied()).flatten()
}

/// All caches PostgreSQL has; those that are not there count nothing.
const SLRUS: [&str; 8] =
    ["CommitTs", "MultiXactMember", "MultiXactOffset", "Notify", "Serial", "Subtrans", "Xact", "other"];

fn slru(c: &CallCtx<'_>, _: &[Datum]) -> Result<Box<dyn RowSource>> {
    let e = env(c)?;
    e.engine.flush_counters();
    let own = e.engine.shared().slrus();
    let rows = SLRUS.iter().map(|name| {
        let s = own.iter().find(|(n, _)| n == name).map_or_else(
            || SlruStats { stats_reset: own[3].1.stats().stats_reset, ..SlruStats::default() },
            |(_, s)| s.stats(),
        );
        let mut row = vec![Datum::text(name)];
        let numbers = [s.zeroed, s.hit, s.read, s.written, 0, s.flushes, s.truncates, s.stats_reset];
        row.extend(numbers.map(Datum::I64));
        row
    });
    made(rows.collect())
}

/// One cache by its name, all if the name is NULL.
fn reset_slru(c: &CallCtx<'_>, name: Option<&str>) -> Result<Datum> {
    require_superuser(c, "pg_stat_reset_slru")?;
    let e = env(c)?;
    e.engine.flush_counters();
    for (n, s) in e.engine.shared().slrus() {
        if name.is_none_or(|w| w == n) {
            s.reset_stats();
        }
    }
    Ok(Datum::Null)
}

fn reset_slot(c: &CallCtx<'_>, name: Option<&str>) -> Result<Datum> {
    require_superuser(c, "pg_stat_reset_replication_slot")?;
    match name {
        Some(name) => bail!(INVALID_PARAMETER_VALUE, "replication slot \"{name}\" does not exist"),
        None => Ok(Datum::Null),
    }
}

fn reset_subscription(c: &CallCtx<'_>, oid: Option<u32>) -> Result<Datum> {
    require_superuser(c, "pg_stat_reset_subscription_stats")?;
    if oid == Some(0) {
        bail!(INVALID_PARAMETER_VALUE, "invalid subscription OID 0");
    }
    Ok(Datum::Null)
}

fn recovery_prefetch(c: &CallCtx<'_>, _: &[Datum]) -> Result<Box<dyn RowSource>> {
    // Recovery reads blocks when it needs them: nothing is prefetched.
    let reset = env(c)?.engine.shared().slrus()[3].1.stats().stats_reset;
    let mut row = vec![Datum::I64(reset)];
    row.extend([Datum::I64(0), Datum::I64(0), Datum::I64(0), Datum::I64(0), Datum::I64(0), Datum::I64(0)]);
    row.extend([Datum::I32(0), Datum::I32(0), Datum::I32(0)]);
    made(vec![row])
}

fn have_stats(c: &CallCtx<'_>, kind: &str, db: u32, object: u32) -> Result<bool> {
    let e = env(c)?;
    e.engine.flush_counters();
    Ok(match kind {
        "database" => e.engine.database_stats(Oid(db)) != transam::DatabaseStats::default(),
        "relation" => e.engine.has_stats(StatKey::new(Oid(db), Oid(object))),
        "archiver" | "bgwriter" | "checkpointer" | "slru" | "wal" => true,
        "function" | "replslot" | "subscription" => false,
        _ => bail!(INVALID_PARAMETER_VALUE, "invalid statistics kind: \"{kind}\""),
    })
}
