//! SQL functions that need the database: `regclass`, `format_type`, `pg_get_indexdef`, `current_setting` …

use types::FnImpl;

/// The tables to merge into the registry.
pub fn tables() -> Vec<&'static [(u32, FnImpl)]> {
    Vec::new()
}
