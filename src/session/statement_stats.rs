//! Counting statements for `pg_stat_statements`: time, rows, blocks and log of each statement that ends well, under its
//! query identifier. Queries are measured where they run ([`super::run`], [`super::portal`]), utility statements as a
//! whole. Without the library nothing is measured.

use super::Session;
use super::prepared::Analysis;
use analyze::jumble::Jumble;
use commands::extension::pg_stat_statements::{Amounts, Key, Phase, Used};
use common::settings::Settings;
use parser::ast::Statement;
use std::time::Instant;
use storage::BufferCounters;

/// What is to be counted, by the settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Track {
    statements: bool,
    /// Those inside functions too.
    nested: bool,
    utility: bool,
    planning: bool,
}

impl Track {
    /// Nothing.
    pub const NONE: Track = Track { statements: false, nested: false, utility: false, planning: false };
}

/// What was used since, or in several stretches.
pub struct Meter {
    started: Instant,
    before: BufferCounters,
    /// Of former stretches.
    ms: f64,
    blocks: Used,
}

impl Session {
    /// Reads the settings.
    pub(super) fn track_by(&self, s: &Settings) -> Track {
        if self.statement_stats.get().is_none() || s.text("pg_stat_statements.track") == "none" {
            return Track::NONE;
        }
        Track {
            statements: true,
            nested: s.text("pg_stat_statements.track") == "all",
            utility: s.bool("pg_stat_statements.track_utility"),
            planning: s.bool("pg_stat_statements.track_planning"),
        }
    }

    /// Begins to measure, if executions are counted.
    pub(super) fn meter(&self) -> Option<Meter> {
        self.often().track.statements.then(|| self.new_meter())
    }
    /// The same for planning.
    pub(super) fn planning_meter(&self) -> Option<Meter> {
        self.often().track.planning.then(|| self.new_meter())
    }
    /// The same for a utility statement. Those about prepared statements are not counted: the statement they run is.
    pub(super) fn utility_meter(&self, s: &Statement) -> Option<Meter> {
        let counted = !matches!(s, Statement::Prepare(_) | Statement::Execute(_) | Statement::Deallocate(_));
        (counted && self.often().track.utility).then(|| self.new_meter())
    }

    fn new_meter(&self) -> Meter {
        Meter {
            started: Instant::now(),
            before: self.engine.store().counters(),
            ms: 0.0,
            blocks: Used::default(),
        }
    }

    /// A stretch ends.
    pub(super) fn pause(&self, m: &mut Meter) {
        m.ms += m.started.elapsed().as_secs_f64() * 1000.0;
        let before = Amounts::blocks_of(&m.before);
        let after = Amounts::blocks_of(&self.engine.store().counters());
        for ((sum, a), b) in m.blocks.iter_mut().zip(after).zip(before) {
            *sum += a - b;
        }
    }
    /// The next one begins.
    pub(super) fn resume(&self, m: &mut Meter) {
        m.before = self.engine.store().counters();
        m.started = Instant::now();
    }

    /// Counts what was measured to a statement.
    pub(super) fn count_statement(
        &self,
        a: &Analysis,
        source: &str,
        phase: Phase,
        m: Option<Meter>,
        rows: u64,
    ) {
        if let Some(mut m) = m {
            self.pause(&mut m);
            self.count_paused(a, source, phase, &m, rows);
        }
    }

    /// The same for a measurement that has ended.
    pub(super) fn count_paused(&self, a: &Analysis, source: &str, phase: Phase, m: &Meter, rows: u64) {
        if let Some(j) = &a.id {
            self.count_in_store((j, source), phase, m, rows, true);
        }
    }

    fn count_in_store(
        &self,
        (j, source): (&Jumble, &str),
        phase: Phase,
        m: &Meter,
        rows: u64,
        toplevel: bool,
    ) {
        let Some(store) = self.statement_stats.get() else { return };
        let key = Key {
            user: self.current_role.get().0,
            database: self.identity.database.0,
            query: j.id,
            toplevel,
        };
        let text = || analyze::jumble::normalize(source, j);
        if let Err(e) = store.count(self.engine.proc(), &key, (phase, m.ms, rows), &m.blocks, text) {
            // The statement itself has done its work.
            crate::log::line("LOG", &e.report().message);
        }
    }

    /// Begins to measure a query inside a function, if those are counted. Utility statements there are not.
    pub(super) fn count_nested(&self) -> Option<commands::ctx::CountNested> {
        if !self.often().track.nested || !self.often().query_ids {
            return None;
        }
        let (me, mut m) = (self.me.clone(), self.new_meter());
        Some(Box::new(move |j, source, rows| {
            if let Some(s) = me.upgrade() {
                s.pause(&mut m);
                s.count_in_store((j, source), Phase::Execute, &m, rows, false);
            }
        }))
    }

    /// Counts a utility statement, by its command tag.
    pub(super) fn count_utility(&self, a: &Analysis, source: &str, m: Option<Meter>, tag: &str) {
        let words = ["COPY ", "FETCH ", "SELECT "];
        let rows = words.iter().find_map(|w| tag.strip_prefix(w)?.parse().ok()).unwrap_or(0);
        self.count_statement(a, source, Phase::Execute, m, rows);
    }
}
