//! Statistics of databases and of the server: `pg_stat_get_db_…`, `…_bgwriter_…`, `pg_stat_get_wal` and the resets.

use super::env;
use super::rows::made;
use crate::FnEnv;
use common::{Error, Oid, Result, bail, err};
use transam::{DatabaseRows, DatabaseStats, StatKey, WriterStats};
use types::registry::RowSource;
use types::{CallCtx, Datum, FnImpl, c0, c1};

macro_rules! db {
    ($f:ident) => {
        c1!(|c, d: u32| Ok::<i64, Error>(database(c, d)?.$f))
    };
}
macro_rules! db_ms {
    ($f:ident) => {
        c1!(|c, d: u32| Ok::<f64, Error>(database(c, d)?.$f as f64 / 1000.0))
    };
}
macro_rules! db_rows {
    ($f:ident) => {
        c1!(|c, d: u32| Ok::<i64, Error>(rows_of(c, d)?.$f))
    };
}
macro_rules! writer {
    ($f:ident) => {
        c0!(|c| Ok::<i64, Error>(writers(c)?.$f))
    };
}
macro_rules! none {
    () => {
        c1!(|_c: &CallCtx<'_>, _: u32| Ok::<i64, Error>(0))
    };
}

pub static TABLE: &[(u32, FnImpl)] = &[
    (1942, db!(xact_commit)),
    (1943, db!(xact_rollback)),
    (1944, c1!(|c, d: u32| Ok::<i64, Error>(fetched(&database(c, d)?)))),
    (1945, db!(blocks_hit)),
    (2758, db_rows!(returned)),
    (2759, db_rows!(fetched)),
    (2760, db_rows!(inserted)),
    (2761, db_rows!(updated)),
    (2762, db_rows!(deleted)),
    (3150, db!(temp_files)),
    (3151, db!(temp_bytes)),
    (3152, db!(deadlocks)),
    (3426, db!(checksum_failures)),
    (3428, c1!(|_c: &CallCtx<'_>, _: u32| Ok::<Option<i64>, Error>(None))),
    (3074, c1!(|c, d: u32| Ok::<Option<i64>, Error>(stamp(database(c, d)?.stats_reset)))),
    // Only a standby has conflicts.
    (3065, none!()),
    (3066, none!()),
    (3067, none!()),
    (3068, none!()),
    (3069, none!()),
    (3070, none!()),
    (2844, c1!(|c, d: u32| Ok::<f64, Error>(rows_of(c, d)?.read_time as f64 / 1000.0))),
    (2845, c1!(|c, d: u32| Ok::<f64, Error>(rows_of(c, d)?.write_time as f64 / 1000.0))),
    (6185, db_ms!(session_time)),
    (6186, db_ms!(active_time)),
    (6187, db_ms!(idle_in_transaction_time)),
    (6188, db!(sessions)),
    (6189, db!(sessions_abandoned)),
    (6190, db!(sessions_fatal)),
    (6191, db!(sessions_killed)),
    (2769, writer!(checkpoints_timed)),
    (2770, writer!(checkpoints_requested)),
    (2771, writer!(buffers_checkpoint)),
    (2772, writer!(buffers_clean)),
    (2773, writer!(maxwritten_clean)),
    (2775, writer!(buffers_backend)),
    (3063, writer!(buffers_backend_fsync)),
    (2859, writer!(buffers_alloc)),
    (3160, c0!(|c| Ok::<f64, Error>(writers(c)?.write_time as f64 / 1000.0))),
    (3161, c0!(|c| Ok::<f64, Error>(writers(c)?.sync_time as f64 / 1000.0))),
    (3075, c0!(|c| Ok::<Option<i64>, Error>(stamp(writers(c)?.stats_reset)))),
    (1136, FnImpl::Srf(wal)),
    (3195, FnImpl::Srf(archiver)),
    (
        2137,
        c0!(|c| {
            env(c)?.engine.flush_counters();
            Ok::<Datum, Error>(Datum::Null)
        }),
    ),
    (2274, c0!(reset)),
    (3775, c1!(reset_shared)),
    (3776, c1!(reset_relation)),
    (3788, c0!(|c| Ok::<Option<i64>, Error>(env(c)?.engine.stats_view().snapshot_time()))),
    (
        2230,
        c0!(|c| {
            env(c)?.engine.stats_view().clear();
            Ok::<Datum, Error>(Datum::Null)
        }),
    ),
];

fn stamp(t: i64) -> Option<i64> {
    (t != 0).then_some(t)
}

/// The counters, with what this session itself has not handed over yet.
fn database(c: &CallCtx<'_>, db: u32) -> Result<DatabaseStats> {
    let e = env(c)?;
    e.engine.flush_counters();
    Ok(e.engine.database_stats(Oid(db)))
}

fn fetched(d: &DatabaseStats) -> i64 {
    d.blocks_read + d.blocks_hit
}

fn rows_of(c: &CallCtx<'_>, db: u32) -> Result<DatabaseRows> {
    let e = env(c)?;
    e.engine.flush_counters();
    Ok(e.engine.database_rows(Oid(db)))
}

fn writers(c: &CallCtx<'_>) -> Result<WriterStats> {
    let e = env(c)?;
    e.engine.flush_counters();
    Ok(e.engine.writer_stats())
}

fn wal(c: &CallCtx<'_>, _: &[Datum]) -> Result<Box<dyn RowSource>> {
    let e = env(c)?;
    e.engine.flush_counters();
    let s = e.engine.wal_stats();
    made(vec![vec![
        Datum::I64(s.records),
        Datum::I64(s.images),
        types::numeric::Num::from_i64(s.bytes).to_datum()?,
        Datum::I64(s.buffers_full),
        Datum::I64(s.writes),
        Datum::I64(s.syncs),
        Datum::F64(s.write_time as f64 / 1000.0),
        Datum::F64(s.sync_time as f64 / 1000.0),
        stamp(s.stats_reset).map_or(Datum::Null, Datum::I64),
    ]])
}

fn archiver(c: &CallCtx<'_>, _: &[Datum]) -> Result<Box<dyn RowSource>> {
    let s = env(c)?.engine.archiver_stats();
    let time = |t: i64| stamp(t).map_or(Datum::Null, Datum::I64);
    let name = |n: i64| {
        if n == 0 { Datum::Null } else { Datum::text(&storage::wal::segment::segment_name(1, n as u64 - 1)) }
    };
    made(vec![vec![
        Datum::I64(s.archived),
        name(s.last_archived),
        time(s.last_archived_time),
        Datum::I64(s.failed),
        name(s.last_failed),
        time(s.last_failed_time),
        time(s.stats_reset),
    ]])
}

fn require_superuser(e: &FnEnv, function: &str) -> Result<()> {
    if !e.host.is_superuser() {
        bail!(INSUFFICIENT_PRIVILEGE, "permission denied for function {function}");
    }
    Ok(())
}

fn reset(c: &CallCtx<'_>) -> Result<Datum> {
    let e = env(c)?;
    require_superuser(e, "pg_stat_reset")?;
    e.engine.reset_database_stats(e.catalog.database());
    Ok(Datum::Null)
}

fn reset_shared(c: &CallCtx<'_>, what: &str) -> Result<Datum> {
    let e = env(c)?;
    require_superuser(e, "pg_stat_reset_shared")?;
    if what != "recovery_prefetch" && !e.engine.reset_shared_stats(what) {
        return Err(err!(INVALID_PARAMETER_VALUE, "unrecognized reset target: \"{what}\"")
            .hint("Target must be \"archiver\", \"bgwriter\", \"recovery_prefetch\", or \"wal\"."));
    }
    Ok(Datum::Null)
}

fn reset_relation(c: &CallCtx<'_>, rel: u32) -> Result<Datum> {
    let e = env(c)?;
    require_superuser(e, "pg_stat_reset_single_table_counters")?;
    for db in [e.catalog.database(), Oid::INVALID] {
        e.engine.reset_relation_stats(StatKey::new(db, Oid(rel)));
    }
    Ok(Datum::Null)
}
