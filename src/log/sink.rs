//! Where lines end: standard error, the logger's pipe, syslog.

use super::LogSettings;
use super::protocol::{Kind, chunks};
use std::io::Write;
use std::os::unix::net::UnixDatagram;

/// Standard error; one write, so that lines of several processes do not mix.
pub fn stderr(text: &str) {
    // A log that cannot be written to is nobody's error.
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
}

/// Hands a message to the logger: standard error leads there.
pub fn to_logger(kind: Kind, text: &str) -> bool {
    let mut err = std::io::stderr().lock();
    for c in chunks(kind, std::process::id(), text.as_bytes()) {
        let _ = err.write_all(&c);
    }
    true
}

/// The system's log, by its socket.
#[derive(Default)]
pub struct Syslog {
    socket: Option<UnixDatagram>,
    sequence: u64,
}

/// Longest piece of a message, as PostgreSQL cuts them.
const PIECE: usize = 900;

impl Syslog {
    /// Sends one message, cut in pieces where `syslog_split_messages` says so.
    pub fn send(&mut self, s: &LogSettings, severity: &str, text: &str) {
        if self.socket.is_none() {
            let Ok(socket) = UnixDatagram::unbound() else { return };
            // Nobody listens: lines are lost, as they are with syslog(3).
            if socket.connect("/dev/log").is_err() {
                return;
            }
            self.socket = Some(socket);
        }
        self.sequence += 1;
        let priority = facility(&s.syslog_facility) * 8 + urgency(severity);
        let pieces = if s.syslog_split_messages { split(text.trim_end()) } else { vec![text.trim_end()] };
        for (i, piece) in pieces.iter().enumerate() {
            let number = if s.syslog_sequence_numbers {
                format!("[{}-{}] ", self.sequence, i + 1)
            } else {
                String::new()
            };
            let line = format!("<{priority}>{}[{}]: {number}{piece}", s.syslog_ident, std::process::id());
            if let Some(socket) = &self.socket
                && socket.send(line.as_bytes()).is_err()
            {
                self.socket = None;
                return;
            }
        }
    }
}

fn facility(name: &str) -> u32 {
    16 + name.strip_prefix("local").and_then(|n| n.parse::<u32>().ok()).unwrap_or(0)
}

/// The numbers of syslog's severities that PostgreSQL uses.
fn urgency(severity: &str) -> u32 {
    match severity {
        "DEBUG" => 7,
        "LOG" | "INFO" => 6,
        "NOTICE" | "WARNING" => 5,
        "ERROR" => 4,
        "FATAL" => 3,
        _ => 2,
    }
}

fn split(text: &str) -> Vec<&str> {
    let mut out = Vec::new();
    for line in text.lines() {
        let mut rest = line;
        while rest.len() > PIECE {
            let at = (1..=PIECE).rev().find(|i| rest.is_char_boundary(*i)).unwrap_or(rest.len());
            let at = rest[..at].rfind(' ').filter(|n| *n > 0).unwrap_or(at);
            out.push(&rest[..at]);
            rest = rest[at..].trim_start();
        }
        if !rest.is_empty() {
            out.push(rest);
        }
    }
    out
}
