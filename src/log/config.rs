//! The settings of the log, read out once and kept in a form that a line can be made from.

use common::Severity;
use common::settings::Settings;

/// Where lines go.
#[derive(Clone, Copy, Debug, Default)]
pub struct Destinations {
    pub stderr: bool,
    pub csv: bool,
    pub json: bool,
    pub syslog: bool,
}

/// How much of an error is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verbosity {
    Terse,
    #[default]
    Default,
    Verbose,
}

/// All of them.
#[derive(Clone, Debug)]
pub struct LogSettings {
    pub destinations: Destinations,
    pub line_prefix: String,
    pub min_messages: Severity,
    pub min_error_statement: Severity,
    pub verbosity: Verbosity,
    pub zone: jiff::tz::TimeZone,
    zone_name: String,
    pub syslog_facility: String,
    pub syslog_ident: String,
    pub syslog_sequence_numbers: bool,
    pub syslog_split_messages: bool,
    /// `%i` or a structured format is in use: sessions keep the command tag up to date.
    pub wants_tag: bool,
}

impl Default for LogSettings {
    fn default() -> Self {
        LogSettings {
            destinations: Destinations { stderr: true, ..Destinations::default() },
            line_prefix: "%m [%p] ".into(),
            min_messages: Severity::Warning,
            min_error_statement: Severity::Error,
            verbosity: Verbosity::Default,
            zone: jiff::tz::TimeZone::UTC,
            zone_name: String::new(),
            syslog_facility: "local0".into(),
            syslog_ident: "postgres".into(),
            syslog_sequence_numbers: true,
            syslog_split_messages: true,
            wants_tag: false,
        }
    }
}

impl LogSettings {
    /// Reads them.
    pub fn update(&mut self, s: &Settings) {
        let mut to = Destinations::default();
        for word in s.text("log_destination").split(',') {
            match word.trim().to_ascii_lowercase().as_str() {
                "stderr" => to.stderr = true,
                "csvlog" => to.csv = true,
                "jsonlog" => to.json = true,
                "syslog" => to.syslog = true,
                _ => {}
            }
        }
        self.destinations = to;
        if self.line_prefix != s.text("log_line_prefix") {
            self.line_prefix = s.text("log_line_prefix").to_string();
        }
        self.min_messages = super::level(s.text("log_min_messages"));
        self.min_error_statement = super::level(s.text("log_min_error_statement"));
        self.verbosity = match s.text("log_error_verbosity") {
            "terse" => Verbosity::Terse,
            "verbose" => Verbosity::Verbose,
            _ => Verbosity::Default,
        };
        if self.zone_name != s.text("log_timezone") {
            self.zone_name = s.text("log_timezone").to_string();
            self.zone = super::zone::find(&self.zone_name);
        }
        self.syslog_facility = s.text("syslog_facility").to_string();
        self.syslog_ident = s.text("syslog_ident").to_string();
        self.syslog_sequence_numbers = s.bool("syslog_sequence_numbers");
        self.syslog_split_messages = s.bool("syslog_split_messages");
        self.wants_tag = to.csv || to.json || self.line_prefix.contains("i");
    }
}
