//! `pg_stat_get_…` of tables and indexes: one counter each, 0 (or NULL for times) where nothing was counted.

use super::env;
use common::{Oid, Result};
use transam::{StatKey, TableStats};
use types::{CallCtx, FnImpl, c1};

macro_rules! counter {
    ($f:ident) => {
        c1!(|c, r: u32| Ok::<i64, common::Error>(stats(c, r)?.$f))
    };
}
macro_rules! time {
    ($f:ident) => {
        c1!(|c, r: u32| Ok::<Option<i64>, common::Error>(Some(stats(c, r)?.$f).filter(|t| *t != 0)))
    };
}

pub static TABLE: &[(u32, FnImpl)] = &[
    (1928, counter!(scans)),
    (1929, counter!(tuples_returned)),
    (1930, counter!(tuples_fetched)),
    (1931, counter!(tuples_inserted)),
    (1932, counter!(tuples_updated)),
    (1933, counter!(tuples_deleted)),
    (1972, counter!(tuples_hot_updated)),
    (2878, counter!(live_tuples)),
    (2879, counter!(dead_tuples)),
    (3177, counter!(mod_since_analyze)),
    (5053, counter!(ins_since_vacuum)),
    (2781, time!(last_vacuum)),
    (2782, time!(last_autovacuum)),
    (2783, time!(last_analyze)),
    (2784, time!(last_autoanalyze)),
    (3054, counter!(vacuum_count)),
    (3055, counter!(autovacuum_count)),
    (3056, counter!(analyze_count)),
    (3057, counter!(autoanalyze_count)),
];

/// The relation in this database, or among the shared ones.
fn stats(c: &CallCtx<'_>, rel: u32) -> Result<TableStats> {
    let e = env(c)?;
    let of = |db| e.engine.table_stats(StatKey::new(db, Oid(rel)));
    Ok(of(e.catalog.database()).or_else(|| of(Oid::INVALID)).unwrap_or_default())
}
