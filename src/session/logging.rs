//! What a session logs of its statements: `log_statement`, `log_duration`, `log_min_duration_statement` and the sampled
//! kin of it, connections and disconnections.

use super::Session;
use super::prepared::Prepared;
use crate::log;
use common::{Oid, Report, Severity, SqlState};
use parser::ast::{ExplainStmt, Statement};
use std::cell::Cell;
use types::Datum;

/// Classes of `log_statement`, the narrowest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    Ddl = 1,
    Modifying = 2,
    Other = 3,
}

/// What is remembered of the running message.
#[derive(Default)]
pub struct StatementLog {
    /// Monotonic microseconds at its begin.
    begun: Cell<i64>,
    /// Its text is in the log already.
    logged: Cell<bool>,
    /// The transaction was picked by `log_transaction_sample_rate`.
    sampled_xact: Cell<bool>,
    /// The settings say that something may be logged. Derived when settings change.
    enabled: Cell<bool>,
    /// Something shows the command tag.
    pub wants_tag: Cell<bool>,
}

/// The step of the extended protocol a line is about.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Step<'a> {
    /// A simple query.
    Statement,
    Parse(&'a str),
    /// Statement and portal.
    Bind(&'a str, &'a str),
    Execute(&'a str, &'a str),
    /// Execute of a portal that has run before.
    Fetch(&'a str, &'a str),
}

impl Step<'_> {
    /// As lines name it, before the text.
    fn words(self) -> String {
        let named = |n: &str| if n.is_empty() { "<unnamed>".to_string() } else { n.to_string() };
        let with_portal = |s: &str, p: &str| {
            if p.is_empty() { named(s) } else { format!("{}/{p}", named(s)) }
        };
        match self {
            Step::Statement => "statement".into(),
            Step::Parse(s) => format!("parse {}", named(s)),
            Step::Bind(s, p) => format!("bind {}", with_portal(s, p)),
            Step::Execute(s, p) => format!("execute {}", with_portal(s, p)),
            Step::Fetch(s, p) => format!("execute fetch from {}", with_portal(s, p)),
        }
    }
}

/// Parameters of a step: values and types.
pub type Params<'a> = Option<(&'a [Datum], &'a [Oid])>;

impl Session {
    /// Follows the settings.
    pub(super) fn configure_logging(&self) {
        let s = self.settings.borrow();
        log::configure(&s);
        let on = s.text("log_statement") != "none"
            || s.bool("log_duration")
            || s.int("log_min_duration_statement") >= 0
            || s.int("log_min_duration_sample") >= 0
            || s.real("log_transaction_sample_rate") > 0.0
            || s.bool("debug_print_parse")
            || s.bool("debug_print_rewritten")
            || s.bool("debug_print_plan")
            || s.bool("log_parser_stats")
            || s.bool("log_planner_stats");
        self.log.enabled.set(on);
        self.log.wants_tag.set(log::settings(|l| l.wants_tag).unwrap_or(false));
        let app = s.text("application_name");
        log::update(|w| {
            if w.app_name != app {
                w.app_name = app.to_string();
            }
        });
    }

    /// May any statement be logged?
    pub(super) fn logs_statements(&self) -> bool {
        self.log.enabled.get()
    }

    /// A message that may be logged begins.
    pub(super) fn log_begin(&self) {
        self.log.logged.set(false);
        if self.log.enabled.get() {
            self.log.begun.set(ipc::clock::monotonic());
            if !self.engine.in_transaction() {
                let rate = self.settings.borrow().real("log_transaction_sample_rate");
                self.log.sampled_xact.set(picked(rate));
            }
        }
    }

    /// `log_statement`, before the statement runs.
    pub(super) fn log_statement<'a>(
        &self,
        step: Step<'_>,
        text: &str,
        statements: impl Iterator<Item = &'a Statement>,
        params: Params<'_>,
    ) {
        if !self.log.enabled.get() {
            return;
        }
        let wanted = match self.settings.borrow().text("log_statement") {
            "ddl" => Class::Ddl,
            "mod" => Class::Modifying,
            "all" => Class::Other,
            _ => return,
        };
        if wanted == Class::Other || statements.into_iter().any(|s| self.class(s) <= wanted) {
            self.write_statement(format!("{}: {text}", step.words()), params);
            self.log.logged.set(true);
        }
    }

    /// `log_duration` and `log_min_duration_statement`, after it has run.
    pub(super) fn log_duration(&self, step: Step<'_>, text: &str, params: Params<'_>) {
        if !self.log.enabled.get() {
            return;
        }
        let us = ipc::clock::monotonic() - self.log.begun.get();
        let (plain, full) = {
            let s = self.settings.borrow();
            let exceeds = |ms: i64| ms == 0 || (ms > 0 && us / 1000 >= ms);
            let sampled =
                exceeds(s.int("log_min_duration_sample")) && picked(s.real("log_statement_sample_rate"));
            let full = exceeds(s.int("log_min_duration_statement")) || sampled || self.log.sampled_xact.get();
            (s.bool("log_duration"), full)
        };
        let ms = format!("{}.{:03} ms", us / 1000, us % 1000);
        if full && !self.log.logged.get() {
            self.write_statement(format!("duration: {ms}  {}: {text}", step.words()), params);
        } else if plain || full {
            self.write_statement(format!("duration: {ms}"), None);
        }
    }

    /// The same for Bind, whose portal knows the parameters.
    pub(super) fn log_bind(&self, statement: &str, portal: &str) {
        let Some(p) = self.portal(portal) else { return };
        let p = p.borrow();
        let types = p.prepared.param_types.borrow().clone();
        self.log_duration(Step::Bind(statement, portal), &p.prepared.source, Some((&p.params, &types)));
    }

    fn write_statement(&self, text: String, params: Params<'_>) {
        let mut r = Report::new(Severity::Log, SqlState::SUCCESSFUL_COMPLETION, text);
        let max = self.settings.borrow().int("log_parameter_max_length");
        if let Some((values, types)) = params
            && !values.is_empty()
            && max != 0
        {
            r.detail = Some(format!("parameters: {}", self.params_text(values, types, max)));
        }
        log::report(&r, None);
    }

    /// `log_parameter_max_length_on_error`: the parameters of a statement that failed.
    pub(super) fn params_of_error(&self, values: &[Datum], types: &[Oid]) -> Option<String> {
        let max = self.settings.borrow().int("log_parameter_max_length_on_error");
        (max != 0 && !values.is_empty()).then(|| self.params_text(values, types, max))
    }

    /// `$1 = '…', $2 = NULL`, each value cut to `max` bytes (-1: whole).
    fn params_text(&self, values: &[Datum], types: &[Oid], max: i64) -> String {
        let format = self.row_format(types, &[]);
        let one = |i: usize, v: &Datum| -> String {
            let text = format.as_ref().ok().and_then(|f| f.text_of(self, i, v).ok()).flatten();
            match text {
                None => format!("${} = NULL", i + 1),
                Some(t) => {
                    let quoted = t.replace('\'', "''");
                    let n = usize::try_from(max).ok().filter(|m| *m < quoted.len());
                    let n = n.map(|m| (0..=m).rev().find(|i| quoted.is_char_boundary(*i)).unwrap_or(0));
                    match n {
                        Some(n) => format!("${} = '{}...'", i + 1, &quoted[..n]),
                        None => format!("${} = '{quoted}'", i + 1),
                    }
                }
            }
        };
        values.iter().enumerate().map(|(i, v)| one(i, v)).collect::<Vec<_>>().join(", ")
    }

    fn class(&self, s: &Statement) -> Class {
        match s {
            Statement::Execute(e) => {
                let p: Option<std::rc::Rc<Prepared>> = self.prepared.borrow().get(&e.name).cloned();
                p.and_then(|p| p.raw().map(|r| class(&r.stmt))).unwrap_or(Class::Other)
            }
            other => class(other),
        }
    }

    /// `log_disconnections`.
    pub(super) fn log_disconnection(&self) {
        if !self.settings.borrow().bool("log_disconnections") {
            return;
        }
        let us = ipc::clock::now() - self.engine.proc().activity.read().backend_start;
        let (s, ms) = (us / 1_000_000, us / 1000 % 1000);
        let i = &self.identity;
        let (host, port) = match i.client_addr {
            None => ("[local]".to_string(), String::new()),
            Some(a) => (a.ip().to_string(), format!(" port={}", a.port())),
        };
        let (h, m, s) = (s / 3600, s / 60 % 60, s % 60);
        log::line(
            "LOG",
            &format!(
                "disconnection: session time: {h}:{m:02}:{s:02}.{ms:03} user={} database={} host={host}{port}",
                i.user_name, i.database_name
            ),
        );
    }
}

/// One in so many.
fn picked(rate: f64) -> bool {
    if rate >= 1.0 {
        return true;
    }
    let mut b = [0; 4];
    rate > 0.0
        && protocol::scram::random(&mut b).is_ok()
        && f64::from(u32::from_ne_bytes(b)) < rate * f64::from(u32::MAX)
}

fn explained(e: &ExplainStmt) -> Class {
    let analyze = e.options.iter().any(|o| o.defname == "analyze");
    if analyze { class(&e.query) } else { Class::Other }
}

/// PostgreSQL's classes: what defines, what changes rows, the rest.
fn class(s: &Statement) -> Class {
    use Statement as S;
    match s {
        S::Insert(_) | S::Update(_) | S::Delete(_) | S::Merge(_) | S::Truncate(_) => Class::Modifying,
        S::Copy(c) if c.is_from => Class::Modifying,
        S::Prepare(p) => class(&p.query.stmt),
        S::Explain(e) => explained(e),
        S::Select(_)
        | S::Copy(_)
        | S::Execute(_)
        | S::Transaction(_)
        | S::VariableSet(_)
        | S::VariableShow(_)
        | S::Vacuum(_)
        | S::Reindex(_)
        | S::Deallocate(_)
        | S::DeclareCursor(_)
        | S::Fetch(_)
        | S::ClosePortal(_)
        | S::Lock(_)
        | S::Checkpoint
        | S::Discard(_)
        | S::Load(_)
        | S::Listen(_)
        | S::Notify(_)
        | S::Unlisten(_)
        | S::Constraints(_)
        | S::Do(_)
        | S::Call(_) => Class::Other,
        _ => Class::Ddl,
    }
}
