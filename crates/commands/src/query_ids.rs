//! Are query identifiers computed? `compute_query_id`, where `auto` and `regress` mean: if something that wants them is loaded.

use common::settings::Settings;

/// What `compute_query_id` comes down to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueryIds {
    Off,
    On,
    /// Computed, but not shown by EXPLAIN.
    Regress,
}

impl QueryIds {
    /// By the settings.
    pub fn of(s: &Settings) -> QueryIds {
        match s.text("compute_query_id") {
            "on" => QueryIds::On,
            "regress" if is_preloaded(s, "pg_stat_statements") => QueryIds::Regress,
            "auto" if is_preloaded(s, "pg_stat_statements") => QueryIds::On,
            _ => QueryIds::Off,
        }
    }
}

/// Is a library in `shared_preload_libraries`? Only its file's name counts.
pub fn is_preloaded(s: &Settings, library: &str) -> bool {
    s.text("shared_preload_libraries").split(',').any(|l| {
        let l = l.trim().trim_matches('"');
        let file = l.rsplit('/').next().unwrap_or(l);
        file.strip_suffix(".so").unwrap_or(file) == library
    })
}
