//! One look at the server: processes, who blocks whom, databases, buffers, log.

use super::Server;
use super::history::Series;
use catalog::columns::{pg_authid, pg_database};
use commands::extension::pg_stat_statements::{Amounts, Phase};
use common::Result;
use ipc::WaitEvent;
use std::collections::BTreeMap;
use std::sync::atomic::Ordering::Relaxed;
use transam::{ArchiverStats, DatabaseRows, DatabaseStats, WalStats, WriterStats};

/// A process.
pub struct Process {
    pub pid: i32,
    pub kind: &'static str,
    pub is_client: bool,
    pub database: String,
    pub user: String,
    pub application: String,
    pub client: String,
    pub state: &'static str,
    pub wait: Option<(&'static str, &'static str)>,
    /// Seconds; negative: none.
    pub xact_age: f64,
    pub query_age: f64,
    pub query: String,
    pub blocked_by: Vec<i32>,
}

/// A database.
pub struct Database {
    pub name: String,
    pub backends: usize,
    pub stats: DatabaseStats,
    pub rows: DatabaseRows,
}

/// All of it.
pub struct Snapshot {
    pub postmaster: u32,
    pub max_connections: i64,
    pub reserved: i64,
    pub shared_buffers: i64,
    pub processes: Vec<Process>,
    pub databases: Vec<Database>,
    pub writer: WriterStats,
    pub wal: WalStats,
    pub archiver: ArchiverStats,
    pub insert_lsn: u64,
    pub flushed_lsn: u64,
    pub pool: storage::PoolSummary,
    /// Of `pg_stat_statements`, if that library is preloaded: the costliest first.
    pub top: Option<Vec<TopStatement>>,
    pub plots: Plots,
    pub port: i64,
    pub cluster_name: String,
    /// Seconds.
    pub uptime: f64,
}

/// A statement as counted.
pub struct TopStatement {
    pub user: String,
    pub database: String,
    pub text: String,
    pub calls: u64,
    pub total_ms: f64,
    pub mean_ms: f64,
    pub rows: u64,
}

/// Statements shown.
const TOP: usize = 10;

fn top(
    s: &Server,
    databases: &BTreeMap<u32, String>,
    roles: &BTreeMap<u32, String>,
) -> Result<Option<Vec<TopStatement>>> {
    let Some(store) = s.statements else { return Ok(None) };
    let mut rows = store.read(s.engine.proc(), true)?;
    let cost = |a: &Amounts| a.times.iter().map(|t| t.total).sum::<f64>();
    rows.sort_by(|a, b| cost(&b.amounts).total_cmp(&cost(&a.amounts)));
    let name = |names: &BTreeMap<u32, String>, oid: u32| names.get(&oid).cloned().unwrap_or_default();
    let made = rows.into_iter().take(TOP).map(|r| {
        let run = r.amounts.times[Phase::Execute as usize];
        TopStatement {
            user: name(roles, r.key.user),
            database: name(databases, r.key.database),
            text: r.text.unwrap_or_default(),
            calls: run.calls,
            total_ms: cost(&r.amounts),
            mean_ms: run.mean,
            rows: r.amounts.rows,
        }
    });
    Ok(Some(made.collect()))
}

/// The last minutes.
#[derive(Default)]
pub struct Plots {
    pub transactions: Series,
    pub wal: Series,
    pub reads: Series,
    pub hits: Series,
    pub active: Series,
}

impl Snapshot {
    /// Part of the blocks wanted that was in the pool, since the start of counting.
    pub fn hit_ratio(&self) -> f64 {
        let (hit, read): (i64, i64) =
            self.databases.iter().fold((0, 0), |(h, r), d| (h + d.stats.blocks_hit, r + d.stats.blocks_read));
        if hit + read == 0 { 1.0 } else { hit as f64 / (hit + read) as f64 }
    }
    /// Takes it.
    pub fn take(s: &Server) -> Result<Snapshot> {
        let (databases, roles) = s.in_transaction(|c| {
            let d: BTreeMap<u32, String> = c
                .scan_all(pg_database::TABLE)?
                .iter()
                .map(|r| (r.oid(pg_database::OID).0, r.str(pg_database::DATNAME).to_string()))
                .collect();
            let r: BTreeMap<u32, String> = c
                .scan_all(pg_authid::TABLE)?
                .iter()
                .map(|r| (r.oid(pg_authid::OID).0, r.str(pg_authid::ROLNAME).to_string()))
                .collect();
            Ok((d, r))
        })?;
        let e = &s.engine;
        let now = ipc::clock::now();
        let age = |t: i64| if t == 0 { -1.0 } else { (now - t) as f64 / 1e6 };
        let mut processes = Vec::new();
        for p in e.procs().live() {
            let a = p.activity.read();
            let event = WaitEvent(p.wait_event.load(Relaxed));
            let waits = p.wait_lock.load(Relaxed) != 0;
            processes.push(Process {
                pid: p.pid(),
                kind: if p.pid() == e.proc().pid() { "monitoring endpoint" } else { p.kind().as_str() },
                is_client: p.kind() == ipc::BackendKind::Client,
                database: databases.get(&p.database().0).cloned().unwrap_or_default(),
                user: roles.get(&p.role().0).cloned().unwrap_or_default(),
                application: a.app_name.clone(),
                client: a.client_addr.clone(),
                state: a.state.as_str().unwrap_or(""),
                wait: event.class().zip(event.name()),
                xact_age: age(a.xact_start),
                query_age: age(a.query_start),
                query: a.query.clone(),
                blocked_by: if waits { e.blocking_pids(p.pid()) } else { Vec::new() },
            });
        }
        let top = top(s, &databases, &roles)?;
        let mut history = s.history.borrow_mut();
        history.set_databases(databases.keys().map(|o| common::Oid(*o)).collect());
        let plots = Plots {
            transactions: history.transactions(),
            wal: history.wal(),
            reads: history.reads(),
            hits: history.hits(),
            active: history.active(),
        };
        let databases = databases
            .iter()
            .map(|(oid, name)| Database {
                name: name.clone(),
                backends: e.procs().live().filter(|p| p.database().0 == *oid).count(),
                stats: e.database_stats(common::Oid(*oid)),
                rows: e.database_rows(common::Oid(*oid)),
            })
            .collect();
        Ok(Snapshot {
            postmaster: s.postmaster,
            max_connections: s.max_connections,
            reserved: s.reserved,
            shared_buffers: s.shared_buffers,
            processes,
            databases,
            writer: e.writer_stats(),
            wal: e.wal_stats(),
            archiver: e.archiver_stats(),
            insert_lsn: e.store().insert_lsn().0,
            flushed_lsn: e.store().flushed_lsn().0,
            top,
            pool: e.store().pool_summary(),
            plots,
            port: s.port,
            cluster_name: s.cluster_name.clone(),
            uptime: s.started.elapsed().as_secs_f64(),
        })
    }
}
