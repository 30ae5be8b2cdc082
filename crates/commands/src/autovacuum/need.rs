//! When a table needs work: the thresholds of the settings, overridden by the table's storage parameters.

use common::settings::Settings;
use std::time::Duration;
use transam::TableStats;

/// What a table needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Need {
    pub vacuum: bool,
    pub analyze: bool,
}

impl Need {
    /// Anything?
    pub fn any(self) -> bool {
        self.vacuum || self.analyze
    }
}

/// The limits that hold for a table.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    enabled: bool,
    vacuum: (f64, f64),
    insert: (f64, f64),
    analyze: (f64, f64),
    freeze_max_age: u64,
    pub cost_delay_ms: f64,
    pub cost_limit: i64,
    log_min_ms: i64,
}

/// A value from a table's `name=value` strings.
fn option<T: std::str::FromStr>(options: &[String], name: &str) -> Option<T> {
    options.iter().find_map(|o| o.split_once('=').filter(|(n, _)| *n == name)?.1.parse().ok())
}

fn is_off(options: &[String], name: &str) -> bool {
    option::<String>(options, name).is_some_and(|v| {
        matches!(v.to_ascii_lowercase().as_str(), "off" | "of" | "0")
            || is_prefix(&v, "false")
            || is_prefix(&v, "no")
    })
}

fn is_prefix(v: &str, word: &str) -> bool {
    !v.is_empty() && word.starts_with(&v.to_ascii_lowercase())
}

impl Limits {
    /// From the settings and the table's storage parameters.
    pub fn new(s: &Settings, options: &[String]) -> Limits {
        let real = |name: &str| option(options, name).unwrap_or_else(|| s.real(name));
        let int = |name: &str| option(options, name).unwrap_or_else(|| s.int(name));
        let own_age = option(options, "autovacuum_freeze_max_age").unwrap_or(i64::MAX);
        let or = |v: f64, other: &str| if v >= 0.0 { v } else { s.real(other) };
        let limit = int("autovacuum_vacuum_cost_limit");
        Limits {
            enabled: !is_off(options, "autovacuum_enabled"),
            vacuum: (int("autovacuum_vacuum_threshold") as f64, real("autovacuum_vacuum_scale_factor")),
            insert: (
                int("autovacuum_vacuum_insert_threshold") as f64,
                real("autovacuum_vacuum_insert_scale_factor"),
            ),
            analyze: (int("autovacuum_analyze_threshold") as f64, real("autovacuum_analyze_scale_factor")),
            // A table may ask for it earlier, not later.
            freeze_max_age: own_age.min(s.int("autovacuum_freeze_max_age")).max(0) as u64,
            cost_delay_ms: or(real("autovacuum_vacuum_cost_delay"), "vacuum_cost_delay"),
            cost_limit: if limit > 0 { limit } else { s.int("vacuum_cost_limit") },
            log_min_ms: int("log_autovacuum_min_duration"),
        }
    }
    /// Is work that took this long logged?
    pub fn logs(&self, took: Duration) -> bool {
        self.log_min_ms >= 0 && took.as_millis() as i64 >= self.log_min_ms
    }
    /// What a table with these counters, rows and age of its oldest transaction id needs.
    pub fn need(&self, s: &TableStats, reltuples: f64, age: u64) -> Need {
        // A table that was never counted counts as empty.
        let rows = reltuples.max(0.0);
        let passed = |n: i64, (threshold, scale): (f64, f64)| n as f64 > threshold + scale * rows;
        let inserts = self.insert.0 >= 0.0 && passed(s.ins_since_vacuum, self.insert);
        let old = age > self.freeze_max_age;
        Need {
            // Old ids are frozen whatever the table says: the commit log could not be cut otherwise.
            vacuum: old || (self.enabled && (passed(s.dead_tuples, self.vacuum) || inserts)),
            analyze: self.enabled && passed(s.mod_since_analyze, self.analyze),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use common::settings::Definitions;

    fn limits(options: &[&str]) -> Limits {
        let options: Vec<String> = options.iter().map(ToString::to_string).collect();
        Limits::new(&Settings::new(Definitions::load()), &options)
    }

    #[test]
    fn thresholds_grow_with_the_table() {
        let l = limits(&[]);
        let dead = |n| TableStats { dead_tuples: n, ..Default::default() };
        assert!(!l.need(&dead(50), -1.0, 0).any());
        assert!(l.need(&dead(51), -1.0, 0).vacuum);
        assert!(!l.need(&dead(250), 1000.0, 0).vacuum);
        assert!(l.need(&dead(251), 1000.0, 0).vacuum);
        let ins = |n| TableStats { ins_since_vacuum: n, mod_since_analyze: n, ..Default::default() };
        assert_eq!(l.need(&ins(1000), 0.0, 0), Need { vacuum: false, analyze: true });
        assert_eq!(l.need(&ins(1001), 0.0, 0), Need { vacuum: true, analyze: true });
        assert!(l.need(&dead(0), 0.0, 300_000_000).vacuum);
    }

    #[test]
    fn tables_have_their_own_limits() {
        let all = TableStats {
            dead_tuples: 2000,
            ins_since_vacuum: 2000,
            mod_since_analyze: 2000,
            ..Default::default()
        };
        assert!(!limits(&["autovacuum_enabled=off"]).need(&all, 0.0, 0).any());
        assert!(limits(&["autovacuum_enabled=on"]).need(&all, 0.0, 0).any());
        let l = limits(&["autovacuum_vacuum_insert_threshold=-1", "autovacuum_vacuum_threshold=5000"]);
        assert_eq!(l.need(&all, 0.0, 0), Need { vacuum: false, analyze: true });
        assert_eq!(limits(&["autovacuum_vacuum_cost_limit=7"]).cost_limit, 7);
        assert_eq!(limits(&[]).cost_limit, 200);
    }
}
