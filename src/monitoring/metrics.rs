//! `/metrics`: Prometheus's text format, with the names that its exporter for PostgreSQL has made common.

use super::data::Snapshot;
use std::collections::BTreeMap;

fn escape(v: &str) -> String {
    v.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

struct Out(String);

impl Out {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        self.0.push_str(&format!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
    }
    fn line(&mut self, name: &str, labels: &[(&str, &str)], v: f64) {
        let inner: Vec<String> = labels.iter().map(|(k, v)| format!("{k}=\"{}\"", escape(v))).collect();
        let labels = if inner.is_empty() { String::new() } else { format!("{{{}}}", inner.join(",")) };
        self.0.push_str(&format!("{name}{labels} {v}\n"));
    }
    fn single(&mut self, name: &str, kind: &str, help: &str, v: f64) {
        self.head(name, kind, help);
        self.line(name, &[], v);
    }
}

/// The text.
pub fn text(s: &Snapshot) -> String {
    let mut o = Out(String::new());
    o.single("pg_up", "gauge", "The server answers.", 1.0);
    o.single("pg_settings_max_connections", "gauge", "Slots for clients.", s.max_connections as f64);
    o.single(
        "pg_settings_superuser_reserved_connections",
        "gauge",
        "Slots kept for superusers.",
        s.reserved as f64,
    );
    o.single("pg_settings_shared_buffers_bytes", "gauge", "Buffer pool.", s.shared_buffers as f64 * 8192.0);
    activity(&mut o, s);
    databases(&mut o, s);
    writers(&mut o, s);
    o.0
}

fn activity(o: &mut Out, s: &Snapshot) {
    let mut counts: BTreeMap<(&str, &str), f64> = BTreeMap::new();
    let mut oldest: BTreeMap<(&str, &str), f64> = BTreeMap::new();
    for p in s.processes.iter().filter(|p| p.is_client) {
        let key = (p.database.as_str(), p.state);
        *counts.entry(key).or_default() += 1.0;
        let age = oldest.entry(key).or_default();
        *age = age.max(p.xact_age);
    }
    o.head("pg_stat_activity_count", "gauge", "Sessions by database and state.");
    for ((d, state), n) in &counts {
        o.line("pg_stat_activity_count", &[("datname", d), ("state", state)], *n);
    }
    o.head("pg_stat_activity_max_tx_duration", "gauge", "Seconds of the oldest transaction.");
    for ((d, state), age) in &oldest {
        o.line("pg_stat_activity_max_tx_duration", &[("datname", d), ("state", state)], *age);
    }
    let mut waits: BTreeMap<(&str, &str), f64> = BTreeMap::new();
    for (class, event) in s.processes.iter().filter_map(|p| p.wait) {
        *waits.entry((class, event)).or_default() += 1.0;
    }
    o.head("stegodon_waits", "gauge", "Processes by what they wait for.");
    for ((class, event), n) in &waits {
        o.line("stegodon_waits", &[("type", class), ("event", event)], *n);
    }
    let blocked = s.processes.iter().filter(|p| !p.blocked_by.is_empty()).count();
    o.single("stegodon_blocked_sessions", "gauge", "Sessions that wait for another's lock.", blocked as f64);
}

fn databases(o: &mut Out, s: &Snapshot) {
    type Get = fn(&super::data::Database) -> f64;
    let all: [(&str, &str, &str, Get); 14] = [
        ("numbackends", "gauge", "Sessions.", |d| d.backends as f64),
        ("xact_commit", "counter", "Transactions committed.", |d| d.stats.xact_commit as f64),
        ("xact_rollback", "counter", "Transactions rolled back.", |d| d.stats.xact_rollback as f64),
        ("blks_read", "counter", "Blocks read.", |d| d.stats.blocks_read as f64),
        ("blks_hit", "counter", "Blocks found in the pool.", |d| d.stats.blocks_hit as f64),
        ("tup_returned", "counter", "Rows read by scans.", |d| d.rows.returned as f64),
        ("tup_fetched", "counter", "Rows fetched by index scans.", |d| d.rows.fetched as f64),
        ("tup_inserted", "counter", "Rows inserted.", |d| d.rows.inserted as f64),
        ("tup_updated", "counter", "Rows updated.", |d| d.rows.updated as f64),
        ("tup_deleted", "counter", "Rows deleted.", |d| d.rows.deleted as f64),
        ("temp_files", "counter", "Temporary files.", |d| d.stats.temp_files as f64),
        ("temp_bytes", "counter", "Bytes of temporary files.", |d| d.stats.temp_bytes as f64),
        ("deadlocks", "counter", "Deadlocks.", |d| d.stats.deadlocks as f64),
        ("sessions", "counter", "Sessions begun.", |d| d.stats.sessions as f64),
    ];
    for (name, kind, help, get) in all {
        let name = format!("pg_stat_database_{name}");
        o.head(&name, kind, help);
        for d in &s.databases {
            o.line(&name, &[("datname", &d.name)], get(d));
        }
    }
}

fn writers(o: &mut Out, s: &Snapshot) {
    let (w, l, a) = (&s.writer, &s.wal, &s.archiver);
    for (name, help, v) in [
        ("pg_stat_bgwriter_checkpoints_timed", "Checkpoints by time.", w.checkpoints_timed),
        ("pg_stat_bgwriter_checkpoints_req", "Checkpoints by request.", w.checkpoints_requested),
        ("pg_stat_bgwriter_buffers_checkpoint", "Buffers written by checkpoints.", w.buffers_checkpoint),
        ("pg_stat_bgwriter_buffers_clean", "Buffers written ahead.", w.buffers_clean),
        ("pg_stat_bgwriter_buffers_backend", "Buffers written by backends.", w.buffers_backend),
        ("pg_stat_bgwriter_buffers_alloc", "Buffers filled.", w.buffers_alloc),
        ("pg_stat_wal_records", "Log records.", l.records),
        ("pg_stat_wal_fpi", "Page images in the log.", l.images),
        ("pg_stat_wal_bytes", "Bytes of log.", l.bytes),
        ("pg_stat_wal_sync", "Syncs of the log.", l.syncs),
        ("pg_stat_archiver_archived_count", "Segments archived.", a.archived),
        ("pg_stat_archiver_failed_count", "Failed tries to archive.", a.failed),
    ] {
        o.single(name, "counter", help, v as f64);
    }
    o.single("stegodon_wal_insert_lsn", "counter", "End of the log.", s.insert_lsn as f64);
    o.single("stegodon_wal_flushed_lsn", "counter", "End of its durable part.", s.flushed_lsn as f64);
}
