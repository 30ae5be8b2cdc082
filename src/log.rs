//! The server log: lines on standard error, in PostgreSQL's shape (`log_line_prefix` = `%m [%p] `).

use common::{Report, Severity};
use std::io::Write;

/// Writes one line with a severity word.
pub fn line(severity: &str, text: &str) {
    write_line(&format!("{} {severity}:  {text}\n", prefix()));
}

/// An error or notice, with its detail and hint lines and the statement it came from.
pub fn report(r: &Report, statement: Option<&str>) {
    if r.severity < Severity::Warning && r.severity != Severity::Log {
        return;
    }
    let p = prefix();
    let mut text = format!("{p} {}:  {}", r.severity.as_str(), r.message);
    if let (Some(pos), Some(s)) = (r.position, statement) {
        text.push_str(&format!(" at character {}", protocol::writer::char_position(s, pos)));
    }
    text.push('\n');
    for (word, v) in [
        ("DETAIL", r.detail_log.as_ref().or(r.detail.as_ref())),
        ("HINT", r.hint.as_ref()),
        ("CONTEXT", r.context.as_ref()),
    ] {
        if let Some(v) = v {
            text.push_str(&format!("{p} {word}:  {}\n", v.replace('\n', "\n\t")));
        }
    }
    if let Some(s) = statement
        && !s.is_empty()
        && r.severity >= Severity::Error
    {
        text.push_str(&format!("{p} STATEMENT:  {}\n", s.replace('\n', "\n\t")));
    }
    write_line(&text);
}

fn write_line(text: &str) {
    // One write: lines of several processes do not mix. A log that cannot be written to is nobody's error.
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

fn prefix() -> String {
    let now = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC);
    format!("{} [{}]", now.strftime("%Y-%m-%d %H:%M:%S%.3f UTC"), std::process::id())
}
