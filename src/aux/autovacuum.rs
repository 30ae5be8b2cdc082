//! Autovacuum: the launcher wakes up every `autovacuum_naptime` and has a worker started for the database whose turn it
//! is; a worker vacuums and analyses the tables whose counters passed their thresholds.

use super::AuxContext;
use catalog::Catalog;
use catalog::columns::pg_database;
use common::{Oid, Result};
use std::collections::BTreeMap;
use std::sync::atomic::Ordering::{AcqRel, Release};
use std::time::{Duration, Instant};

/// Slot word of the launcher that names the database the next worker is for.
const NEXT_DATABASE: usize = 0;

/// The launcher's main loop.
pub fn launcher_main(cx: &mut AuxContext<'_>) -> Result<()> {
    let catalog = Catalog::new(cx.engine.clone(), cx.knowledge.builtins, cx.knowledge.registry, Oid::INVALID);
    let mut last: BTreeMap<Oid, Instant> = BTreeMap::new();
    loop {
        let naptime = Duration::from_secs(cx.settings.int("autovacuum_naptime").max(1) as u64);
        let mut databases = databases(cx, &catalog)?;
        cx.engine.stats_retain_databases(&databases);
        // Where nothing was counted there is nothing to do.
        let counted = cx.engine.stats_databases();
        databases.retain(|db| counted.contains(db));
        last.retain(|db, _| databases.contains(db));
        let share = naptime / databases.len().max(1) as u32;
        cx.nap(share.max(Duration::from_millis(100)))?;
        if !cx.settings.bool("autovacuum") || !cx.settings.bool("track_counts") {
            continue;
        }
        // The one that has waited longest.
        let due = databases.iter().min_by_key(|db| last.get(*db).copied());
        if let Some(db) = due {
            last.insert(*db, Instant::now());
            cx.engine.proc().spare[NEXT_DATABASE].store(u64::from(db.0), Release);
            ipc::signals::send_raw(nix::unistd::getppid().as_raw(), libc::SIGUSR1);
        }
    }
}

fn databases(cx: &AuxContext<'_>, catalog: &Catalog) -> Result<Vec<Oid>> {
    cx.engine.start_command()?;
    let rows = catalog.scan_all(pg_database::TABLE);
    cx.engine.commit_command()?;
    Ok(rows?.iter().filter(|r| r.bool(pg_database::DATALLOWCONN)).map(|r| r.oid(pg_database::OID)).collect())
}

/// A worker: one database, then it ends.
pub fn worker_main(cx: &mut AuxContext<'_>) -> Result<()> {
    let Some(launcher) = cx.shared.procs.by_kind(ipc::BackendKind::AutovacuumLauncher) else { return Ok(()) };
    let db = Oid(launcher.spare[NEXT_DATABASE].swap(0, AcqRel) as u32);
    if !db.is_valid() {
        return Ok(());
    }
    cx.engine.proc().database.store(db.0, Release);
    cx.engine.set_track_counts(cx.settings.bool("track_counts"));
    let catalog = Catalog::new(cx.engine.clone(), cx.knowledge.builtins, cx.knowledge.registry, db);
    cx.engine.start_command()?;
    let row = catalog.scan(pg_database::TABLE, pg_database::OID_INDEX, &[types::Datum::oid(db)])?;
    cx.engine.commit_command()?;
    let Some(row) = row.first() else { return Ok(()) };
    cx.title.set(&format!("postgres: autovacuum worker {}", row.str(pg_database::DATNAME)));
    commands::autovacuum::run(&cx.engine, &catalog, cx.settings)
}
