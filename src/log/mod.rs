//! The server log. Every process has one [`PgLog`], installed as the default subscriber of `tracing` before the first
//! fork and found again through it: code far from any session can log, and there is no global of our own. A line becomes
//! text in PostgreSQL's shape (`log_line_prefix`), CSV or JSON, and goes to standard error, to the logger process through
//! its pipe, or to syslog. [Decision 0012](../../docs/decisions/0012-the-log-through-tracing.md) says why.

mod config;
mod entry;
mod prefix;
pub mod protocol;
mod sink;
mod structured;
pub mod zone;

pub use config::LogSettings;
pub use entry::{Entry, at_least, level};

use common::settings::Settings;
use common::{Report, Severity, SqlState};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Who is logging.
#[derive(Clone, Default)]
pub struct Who {
    /// `backend_type`.
    pub backend_type: &'static str,
    /// Session of a client: user and database are known, `%q` does not stop.
    pub user: Option<String>,
    pub database: Option<String>,
    pub app_name: String,
    /// `[local]` or the address.
    pub remote_host: Option<String>,
    pub remote_port: Option<u16>,
    /// What `ps` shows of the statement.
    pub command_tag: &'static str,
    /// Microseconds since 2000.
    pub started: i64,
    pub proc: Option<&'static ipc::Proc>,
}

struct State {
    settings: LogSettings,
    who: Who,
    /// Lines this process has logged.
    lines: u64,
    pid: u32,
    syslog: sink::Syslog,
    /// Standard error is the logger's pipe.
    redirected: bool,
    /// This is the logger: its own lines wait here until it writes them itself.
    own: Option<Vec<String>>,
}

/// The log of a process.
pub struct PgLog(Mutex<State>);

impl PgLog {
    fn state(&self) -> MutexGuard<'_, State> {
        // A panic while a line was being made leaves nothing half done that matters.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes the log of this process tree. Called once by `main`, before any fork.
pub fn init() {
    let who = Who { backend_type: "postmaster", started: ipc::clock::now(), ..Who::default() };
    let state = State {
        settings: LogSettings::default(),
        who,
        lines: 0,
        pid: std::process::id(),
        syslog: sink::Syslog::default(),
        redirected: false,
        own: None,
    };
    // Fails only if there is one already, which is as good.
    let _ = tracing::subscriber::set_global_default(PgLog(Mutex::new(state)));
}

fn with<R>(f: impl FnOnce(&mut State) -> R) -> Option<R> {
    let mut f = Some(f);
    tracing::dispatcher::get_default(|d| {
        let log = d.downcast_ref::<PgLog>()?;
        f.take().map(|f| f(&mut log.state()))
    })
}

/// Takes the settings that concern the log.
pub fn configure(s: &Settings) {
    with(|l| l.settings.update(s));
}

/// A parallel worker begins: what it says is about its leader's session.
pub fn begin_worker(backend_type: &'static str, proc: &'static ipc::Proc) {
    with(|l| {
        l.who.backend_type = backend_type;
        l.who.started = ipc::clock::now();
        l.who.proc = Some(proc);
        l.lines = 0;
        l.pid = std::process::id();
    });
}

/// A child begins: its own lines, its own start.
pub fn begin_process(backend_type: &'static str) {
    with(|l| {
        l.who = Who { backend_type, started: ipc::clock::now(), ..Who::default() };
        l.lines = 0;
        l.pid = std::process::id();
    });
}

/// What is known of the process changes.
pub fn update(f: impl FnOnce(&mut Who)) {
    with(|l| f(&mut l.who));
}

/// Looks at the settings.
pub fn settings<R>(f: impl FnOnce(&LogSettings) -> R) -> Option<R> {
    with(|l| f(&l.settings))
}

/// Standard error leads to the logger from here on.
pub fn redirect() {
    with(|l| l.redirected = true);
}

/// This process is the logger, which writes its own lines itself.
pub fn become_logger() {
    with(|l| l.own = Some(Vec::new()));
}

/// The logger's own lines since the last call.
pub fn take_own() -> Vec<String> {
    with(|l| l.own.as_mut().map(std::mem::take)).flatten().unwrap_or_default()
}

/// A line of severity LOG with a hint (or an empty one) and a context.
pub fn line_context(text: &str, hint: &str, context: &str) {
    let hint = (!hint.is_empty()).then(|| hint.to_string());
    write(&Entry { hint, context: Some(context.to_string()), ..Entry::plain("LOG", text) });
}

/// A line of severity LOG with a hint.
pub fn report_with_hint(text: &str, hint: &str) {
    write(&Entry { hint: Some(hint.to_string()), ..Entry::plain("LOG", text) });
}

/// Writes one line with a severity word.
pub fn line(severity: &'static str, text: &str) {
    write(&Entry::plain(severity, text));
}

/// A line of severity LOG with a detail.
pub fn line_detail(text: &str, detail: &str) {
    let detail = (!detail.is_empty()).then(|| detail.to_string());
    write(&Entry { detail, ..Entry::plain("LOG", text) });
}

/// A line of severity LOG with a detail and a hint.
pub fn line_detail_hint(text: &str, detail: &str, hint: &str) {
    let (detail, hint) = (Some(detail.to_string()), Some(hint.to_string()));
    write(&Entry { detail, hint, ..Entry::plain("LOG", text) });
}

/// A debugging line (`log_min_messages`).
pub fn debug(severity: Severity, text: &str) {
    report(&Report::new(severity, SqlState::SUCCESSFUL_COMPLETION, text), None);
}

/// An error or notice, with its detail and hint lines and the statement it came from.
pub fn report(r: &Report, statement: Option<&str>) {
    let wanted = with(|l| at_least(r.severity, l.settings.min_messages))
        .unwrap_or_else(|| at_least(r.severity, Severity::Warning));
    if !wanted {
        return;
    }
    let show = with(|l| at_least(r.severity, l.settings.min_error_statement)).unwrap_or(true);
    write(&Entry::of_report(r, statement, show));
}

fn write(e: &Entry) {
    let done = with(|l| {
        l.lines += 1;
        let zone = l.settings.zone.clone();
        let who = l.who.clone();
        let verbose = l.settings.verbosity == config::Verbosity::Verbose;
        let cx = prefix::Line { who: &who, number: l.lines, pid: l.pid, zone: &zone, entry: e, verbose };
        let to = l.settings.destinations;
        if l.own.is_some() {
            let text = e.text(&l.settings, &cx, false);
            if let Some(own) = &mut l.own {
                own.push(text);
            }
            return;
        }
        if to.syslog {
            l.syslog.send(&l.settings, e.severity, &e.text(&l.settings, &cx, true));
        }
        let csv = to.csv && l.redirected && sink::to_logger(protocol::Kind::Csv, &structured::csv(&cx));
        let json = to.json && l.redirected && sink::to_logger(protocol::Kind::Json, &structured::json(&cx));
        // What has nowhere else to go yet (the logger does not run) must be seen somewhere.
        let stranded = (to.csv && !csv) || (to.json && !json);
        if to.stderr || stranded || !(to.csv || to.json || to.syslog) {
            let text = e.text(&l.settings, &cx, false);
            if l.redirected {
                sink::to_logger(protocol::Kind::Text, &text);
            } else {
                sink::stderr(&text);
            }
        }
    });
    if done.is_none() {
        sink::stderr(&format!("{}:  {}\n", e.severity, e.message));
    }
}

impl tracing::Subscriber for PgLog {
    fn enabled(&self, m: &tracing::Metadata<'_>) -> bool {
        *m.level() <= tracing::Level::WARN
    }
    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }
    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn event(&self, event: &tracing::Event<'_>) {
        let mut text = Message(String::new());
        event.record(&mut text);
        let severity = if *event.metadata().level() == tracing::Level::ERROR { "LOG" } else { "WARNING" };
        line(severity, &text.0);
    }
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}

/// Collects an event's message.
struct Message(String);

impl tracing::field::Visit for Message {
    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}
