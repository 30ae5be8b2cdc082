//! One message for the log, before it has a format.

use super::LogSettings;
use super::config::Verbosity;
use super::prefix::{Line, prefix};
use common::{Report, Severity};

/// A message.
#[derive(Clone, Debug, Default)]
pub struct Entry {
    pub severity: &'static str,
    pub sqlstate: String,
    pub message: String,
    pub detail: Option<String>,
    pub hint: Option<String>,
    pub internal_query: Option<String>,
    pub internal_position: Option<usize>,
    pub context: Option<String>,
    /// Where in our source.
    pub source: Option<common::Source>,
    /// The statement, where `log_min_error_statement` asks for it.
    pub statement: Option<String>,
    /// Character position in the statement.
    pub position: Option<usize>,
}

/// A severity by its name in a setting.
pub fn level(name: &str) -> Severity {
    match name {
        "debug5" => Severity::Debug5,
        "debug4" => Severity::Debug4,
        "debug3" => Severity::Debug3,
        "debug2" => Severity::Debug2,
        "debug1" => Severity::Debug1,
        "log" => Severity::Log,
        "info" => Severity::Info,
        "notice" => Severity::Notice,
        "error" => Severity::Error,
        "fatal" => Severity::Fatal,
        "panic" => Severity::Panic,
        _ => Severity::Warning,
    }
}

/// Is a message of this severity logged at this level? In the log, LOG stands between ERROR and FATAL.
pub fn at_least(s: Severity, level: Severity) -> bool {
    match (s, level) {
        (Severity::Log, Severity::Log) => true,
        (Severity::Log, l) => l <= Severity::Error,
        (s, Severity::Log) => s >= Severity::Fatal,
        (s, l) => s >= l,
    }
}

impl Entry {
    /// A message alone.
    pub fn plain(severity: &'static str, text: &str) -> Entry {
        Entry { severity, sqlstate: "00000".into(), message: text.into(), ..Entry::default() }
    }
    /// An error or a notice.
    pub fn of_report(r: &Report, statement: Option<&str>, show_statement: bool) -> Entry {
        let statement = statement.filter(|s| !s.is_empty());
        let position = match (r.position, statement) {
            (Some(p), Some(s)) => Some(protocol::writer::char_position(s, p)),
            _ => None,
        };
        Entry {
            severity: r.severity.as_str(),
            sqlstate: r.sqlstate.to_string(),
            message: r.message.clone(),
            detail: r.detail_log.clone().or_else(|| r.detail.clone()),
            hint: r.hint.clone(),
            internal_query: r.internal_query.clone(),
            internal_position: r.internal_position,
            context: r.context.clone(),
            source: Some(r.source()),
            statement: statement.filter(|_| show_statement).map(str::to_string),
            position,
        }
    }

    /// The lines of the plain format, each with its prefix. For syslog they carry none of the tabs that mark continued
    /// lines.
    pub fn text(&self, s: &LogSettings, cx: &Line<'_>, syslog: bool) -> String {
        let p = prefix(&s.line_prefix, cx);
        let tabs = |t: &str| if syslog { t.to_string() } else { t.replace('\n', "\n\t") };
        let mut out = format!("{p}{}:  ", self.severity);
        if s.verbosity == Verbosity::Verbose {
            out.push_str(&format!("{}: ", self.sqlstate));
        }
        out.push_str(&tabs(&self.message));
        if let Some(n) = self.position.or(self.internal_position) {
            out.push_str(&format!(" at character {n}"));
        }
        out.push('\n');
        let mut more = |word: &str, v: &Option<String>| {
            if let Some(v) = v {
                out.push_str(&format!("{p}{word}:  {}\n", tabs(v)));
            }
        };
        if s.verbosity >= Verbosity::Default {
            more("DETAIL", &self.detail);
            more("HINT", &self.hint);
            more("QUERY", &self.internal_query);
            more("CONTEXT", &self.context);
        }
        if s.verbosity == Verbosity::Verbose {
            more("LOCATION", &self.source.map(|l| format!("{}, {}:{}", l.routine, l.file, l.line)));
        }
        more("STATEMENT", &self.statement);
        out
    }
}

impl PartialOrd for Verbosity {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        (*self as u8).partial_cmp(&(*other as u8))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_stands_between_error_and_fatal() {
        assert!(at_least(Severity::Log, Severity::Error));
        assert!(!at_least(Severity::Log, Severity::Fatal));
        assert!(at_least(Severity::Fatal, Severity::Log));
        assert!(!at_least(Severity::Error, Severity::Log));
        assert!(!at_least(Severity::Notice, Severity::Warning));
        assert!(at_least(Severity::Debug1, Severity::Debug2));
    }
}
