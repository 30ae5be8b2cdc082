//! Buffers, times of input and output, and log of a node or of planning: the lines of the text format and the members of
//! the others.

use super::value::Val;
use crate::instrument::{BufferUsage, WalUsage};

fn group(name: &str, parts: &[(&str, u64)]) -> Option<String> {
    let l: Vec<String> = parts.iter().filter(|p| p.1 > 0).map(|p| format!("{}={}", p.0, p.1)).collect();
    (!l.is_empty()).then(|| format!("{name} {}", l.join(" ")))
}

fn times(name: &str, read: u64, write: u64) -> Option<String> {
    let l: Vec<String> = [("read", read), ("write", write)]
        .iter()
        .filter(|p| p.1 > 0)
        .map(|p| format!("{}={}", p.0, ms(p.1)))
        .collect();
    (!l.is_empty()).then(|| format!("{name} {}", l.join(" ")))
}

fn ms(ns: u64) -> String {
    format!("{:.3}", ns as f64 / 1e6)
}

/// The lines `Buffers:` and `I/O Timings:`, as far as there is something to say.
pub fn buffer_lines(b: &BufferUsage) -> Vec<String> {
    let mut out = Vec::new();
    let all = |hit, read, dirtied, written| {
        [("hit", hit), ("read", read), ("dirtied", dirtied), ("written", written)]
    };
    let l: Vec<String> = [
        group("shared", &all(b.shared_hit, b.shared_read, b.shared_dirtied, b.shared_written)),
        group("local", &all(b.local_hit, b.local_read, b.local_dirtied, b.local_written)),
        group("temp", &[("read", b.temp_read), ("written", b.temp_written)]),
    ]
    .into_iter()
    .flatten()
    .collect();
    if !l.is_empty() {
        out.push(format!("Buffers: {}", l.join(", ")));
    }
    let l: Vec<String> =
        [times("shared/local", b.read_ns, b.write_ns), times("temp", b.temp_read_ns, b.temp_write_ns)]
            .into_iter()
            .flatten()
            .collect();
    if !l.is_empty() {
        out.push(format!("I/O Timings: {}", l.join(", ")));
    }
    out
}

/// The same for the other formats; `timing`: `track_io_timing` is on.
pub fn buffer_members(b: &BufferUsage, timing: bool) -> Vec<(String, Val)> {
    let mut out: Vec<(String, Val)> = [
        ("Shared Hit Blocks", b.shared_hit),
        ("Shared Read Blocks", b.shared_read),
        ("Shared Dirtied Blocks", b.shared_dirtied),
        ("Shared Written Blocks", b.shared_written),
        ("Local Hit Blocks", b.local_hit),
        ("Local Read Blocks", b.local_read),
        ("Local Dirtied Blocks", b.local_dirtied),
        ("Local Written Blocks", b.local_written),
        ("Temp Read Blocks", b.temp_read),
        ("Temp Written Blocks", b.temp_written),
    ]
    .into_iter()
    .map(|(k, v)| (k.to_string(), Val::Num(v.to_string())))
    .collect();
    if timing {
        for (k, v) in [
            ("I/O Read Time", b.read_ns),
            ("I/O Write Time", b.write_ns),
            ("Temp I/O Read Time", b.temp_read_ns),
            ("Temp I/O Write Time", b.temp_write_ns),
        ] {
            out.push((k.to_string(), Val::Num(ms(v))));
        }
    }
    out
}

/// The line `WAL:`, if anything was logged.
pub fn wal_line(w: &WalUsage) -> Option<String> {
    group("WAL:", &[("records", w.records), ("fpi", w.images), ("bytes", w.bytes)])
}

/// The same for the other formats.
pub fn wal_members(w: &WalUsage) -> Vec<(String, Val)> {
    [("WAL Records", w.records), ("WAL FPI", w.images), ("WAL Bytes", w.bytes)]
        .into_iter()
        .map(|(k, v)| (k.to_string(), Val::Num(v.to_string())))
        .collect()
}
