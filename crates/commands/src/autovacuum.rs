//! The work of an autovacuum worker in one database: every table whose counters have passed their thresholds is
//! vacuumed or analysed, each in transactions of its own. A table that somebody has locked is left for the next time;
//! an error is logged and the next table tried.

mod need;

use crate::analyze_table;
use crate::frozen_ids;
use crate::vacuum::{self, Options};
use crate::vacuum_delay::CostDelay;
use crate::vacuum_settings::VacuumSettings;
use catalog::columns::{pg_class, pg_database};
use catalog::{CatRow, Catalog};
use common::settings::Settings;
use common::{Error, Oid, Report, Result, Severity, SqlState};
use ipc::activity::State;
use ipc::{BackendKind, clock};
use need::{Limits, Need};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Instant;
use transam::{Engine, LockMode, StatKey};
use types::Datum;

/// A worker in its database.
struct Worker<'a> {
    engine: &'a Rc<Engine>,
    catalog: &'a Rc<Catalog>,
    settings: &'a Settings,
    database: String,
}

/// A table that looked as if it needed work.
struct Candidate {
    oid: Oid,
    /// For messages.
    schema: String,
    name: String,
    /// Its own storage parameters, or for a TOAST table those of its table.
    options: Vec<String>,
}

/// Vacuums and analyses the tables that are due. Fails only when the worker is to end.
pub fn run(engine: &Rc<Engine>, catalog: &Rc<Catalog>, settings: &Settings) -> Result<()> {
    engine.start_command()?;
    let rows = catalog.scan(pg_database::TABLE, pg_database::OID_INDEX, &[Datum::oid(catalog.database())])?;
    engine.commit_command()?;
    let database = rows.first().map(|r| r.str(pg_database::DATNAME).to_string()).unwrap_or_default();
    let w = Worker { engine, catalog, settings, database };
    let mut vacuumed = false;
    for c in w.candidates()? {
        vacuumed = true;
        for analyze in [false, true] {
            w.engine.check_interrupts()?;
            if let Err(e) = w.table(&c, analyze) {
                w.failed(&c, analyze, e)?;
            }
        }
    }
    if vacuumed {
        engine.start_command()?;
        engine.transaction_snapshot()?;
        frozen_ids::update_database(engine, catalog)?;
        engine.commit_command()?;
    }
    Ok(())
}

impl Worker<'_> {
    fn key(&self, class: &CatRow) -> StatKey {
        let db = if class.bool(pg_class::RELISSHARED) { Oid::INVALID } else { self.catalog.database() };
        StatKey::new(db, class.oid(pg_class::OID))
    }
    fn need(&self, class: &CatRow, options: &[String]) -> Need {
        let Some(stats) = self.engine.table_stats(self.key(class)) else { return Need::default() };
        let limits = Limits::new(self.settings, options);
        let age = self.engine.next_xid().0
            - frozen_ids::full_xid(self.engine, class.oid(pg_class::RELFROZENXID).0).0;
        let mut need = limits.need(&stats, f64::from(class.f32(pg_class::RELTUPLES)), age);
        // TOAST tables and pg_statistic have no statistics.
        need.analyze &= class.char(pg_class::RELKIND) != b't' && class.oid(pg_class::OID) != PG_STATISTIC;
        need
    }
    /// Looks at all tables; also forgets the counters of relations that are gone.
    fn candidates(&self) -> Result<Vec<Candidate>> {
        self.engine.start_command()?;
        self.engine.transaction_snapshot()?;
        let known = self.engine.stats_databases();
        let rows = self.catalog.scan_all(pg_class::TABLE)?;
        let mut found = Vec::new();
        let mut toast_options: BTreeMap<Oid, Vec<String>> = BTreeMap::new();
        for r in &rows {
            let toast = r.oid(pg_class::RELTOASTRELID);
            if toast.is_valid() {
                toast_options.insert(toast, self.options(r));
            }
        }
        for r in &rows {
            let kind = r.char(pg_class::RELKIND);
            if !matches!(kind, b'r' | b'm' | b't') || r.char(pg_class::RELPERSISTENCE) == b't' {
                continue;
            }
            let oid = r.oid(pg_class::OID);
            let options = match toast_options.get(&oid) {
                Some(o) if kind == b't' => o.clone(),
                _ => self.options(r),
            };
            if self.need(r, &options).any() {
                let schema = self.catalog.namespace_name(r.oid(pg_class::RELNAMESPACE))?;
                found.push(Candidate {
                    oid,
                    schema: schema.map_or_else(String::new, |s| s.to_string()),
                    name: r.str(pg_class::RELNAME).to_string(),
                    options,
                });
            }
        }
        self.forget_dropped(&rows, &known);
        self.engine.commit_command()?;
        Ok(found)
    }
    fn options(&self, r: &CatRow) -> Vec<String> {
        r.opt_bytes(pg_class::RELOPTIONS).map_or_else(Vec::new, |b| catalog::literal::text_items(&b))
    }
    /// `rows`: all relations. One made since then counts from zero again, which does no harm.
    fn forget_dropped(&self, rows: &[CatRow], known: &[Oid]) {
        let db = self.catalog.database();
        if known.contains(&db) {
            let live: BTreeSet<Oid> = rows.iter().map(|r| r.oid(pg_class::OID)).collect();
            self.engine.stats_retain_relations(db, &live);
        }
    }

    /// Vacuums or analyses one table, if it is still due and nobody has it locked.
    fn table(&self, c: &Candidate, analyze: bool) -> Result<()> {
        self.engine.start_command()?;
        self.engine.transaction_snapshot()?;
        if let Some(class) = vacuum::class_row(self.catalog, c.oid)? {
            let need = self.need(&class, &c.options);
            if if analyze { need.analyze } else { need.vacuum } {
                self.locked(c, &class, analyze, need)?;
            }
        }
        self.engine.commit_command()
    }
    fn locked(&self, c: &Candidate, class: &CatRow, analyze: bool, need: Need) -> Result<()> {
        let db = self.key(class).database();
        if !self.engine.try_lock_relation(db, c.oid, LockMode::ShareUpdateExclusive)? {
            let verb = if analyze { "analyze" } else { "vacuum" };
            let text = format!("skipping {verb} of \"{}\" --- lock not available", c.name);
            self.log(SqlState::LOCK_NOT_AVAILABLE, text);
            return Ok(());
        }
        if self.catalog.relation_if_any(c.oid)?.is_none() {
            return Ok(());
        }
        let what = match (analyze, need.analyze) {
            (true, _) => "ANALYZE",
            (false, true) => "VACUUM ANALYZE",
            (false, false) => "VACUUM",
        };
        let activity = &self.engine.proc().activity;
        activity.query(clock::now(), &format!("autovacuum: {what} {}.{}", c.schema, c.name));
        let r = if analyze { self.analyze(c) } else { self.vacuum(c) };
        activity.state(clock::now(), State::Idle);
        r
    }
    fn vacuum(&self, c: &Candidate) -> Result<()> {
        self.engine.set_vacuum_flag();
        let started = Instant::now();
        let memory = match self.settings.int("autovacuum_work_mem") {
            -1 => self.settings.int("maintenance_work_mem"),
            kb => kb,
        };
        let limits = Limits::new(self.settings, &c.options);
        let workers =
            self.engine.procs().live().filter(|p| p.kind() == BackendKind::AutovacuumWorker).count().max(1);
        let delay = CostDelay {
            delay_ms: limits.cost_delay_ms,
            // The workers share what one may spend.
            cost_limit: (limits.cost_limit / workers as i64).max(1) as u32,
        };
        let settings = Some(VacuumSettings::new(self.settings, &c.options));
        let o =
            Options { vacuum: true, skip_toast: true, delay: Some(delay), settings, ..Options::default() };
        let memory = memory as usize * 1024;
        let told = RefCell::new(String::new());
        let keep = |text: String| *told.borrow_mut() = text;
        vacuum::vacuum_relation(self.engine, self.catalog, c.oid, &o, memory, Some(&keep))?;
        if limits.logs(started.elapsed()) {
            let text = told.take().replacen("finished vacuuming", "automatic vacuum of table", 1);
            self.log(SqlState::SUCCESSFUL_COMPLETION, text);
        }
        Ok(())
    }
    fn analyze(&self, c: &Candidate) -> Result<()> {
        let started = Instant::now();
        let target = self.settings.int("default_statistics_target") as usize;
        let request = analyze_table::Request {
            oid: c.oid,
            columns: &[],
            target,
            update_sizes: true,
            warn: None,
            say: None,
        };
        let env = executor::ExecEnv::new(
            Some(self.engine.clone()),
            Some(self.catalog.clone()),
            self.catalog.registry(),
            Rc::new(executor::NoSession),
        );
        analyze_table::analyze(self.engine, self.catalog, &Rc::new(env), &request)?;
        if Limits::new(self.settings, &c.options).logs(started.elapsed()) {
            let text = format!(
                "automatic analyze of table \"{}\"\nelapsed: {:.2} s",
                self.shown(c),
                started.elapsed().as_secs_f64()
            );
            self.log(SqlState::SUCCESSFUL_COMPLETION, text);
        }
        Ok(())
    }
    fn shown(&self, c: &Candidate) -> String {
        format!("{}.{}.{}", self.database, c.schema, c.name)
    }
    fn log(&self, state: SqlState, text: String) {
        self.engine.notice(Report::new(Severity::Log, state, text));
    }
    /// Logs the error and goes on, unless the worker is to end.
    fn failed(&self, c: &Candidate, analyze: bool, e: Error) -> Result<()> {
        if e.report().severity >= Severity::Fatal || e.sqlstate() == SqlState::ADMIN_SHUTDOWN {
            return Err(e);
        }
        self.engine.abort_any();
        self.engine.proc().activity.state(clock::now(), State::Idle);
        let what = if analyze { "analyze" } else { "vacuum" };
        let mut report =
            e.context(format!("automatic {what} of table \"{}\"", self.shown(c))).report().clone();
        if report.sqlstate == SqlState::QUERY_CANCELED {
            report.message = "canceling autovacuum task".into();
        }
        self.engine.notice(report);
        Ok(())
    }
}

/// OID of `pg_statistic`.
const PG_STATISTIC: Oid = Oid(2619);
