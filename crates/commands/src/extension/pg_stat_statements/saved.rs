//! The statistics on disk: written at a clean shutdown, read and removed at the next start, so that a crash loses them.

use super::entry::Amounts;
use super::store::{Key, Store};
use common::{Error, Result};
use ipc::Proc;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Saved {
    version: u32,
    dealloc: i64,
    stats_reset: i64,
    statements: Vec<(Key, f64, Amounts, String)>,
}

fn path(data_dir: &Path) -> PathBuf {
    data_dir.join("pg_stat").join("pg_stat_statements.stat")
}

impl Store {
    /// Writes everything.
    pub fn save(&self, me: &Proc, data_dir: &Path) -> Result<()> {
        let (dealloc, stats_reset) = self.info();
        let rows = self.read(me, true)?;
        let statements =
            rows.into_iter().filter_map(|r| Some((r.key, r.usage, r.amounts, r.text?))).collect();
        let saved = Saved { version: VERSION, dealloc, stats_reset, statements };
        let bytes = serde_json::to_vec(&saved)
            .map_err(|e| Error::internal(format!("pg_stat_statements could not be saved: {e}")))?;
        storage::datadir::write_file_durably(&path(data_dir), &bytes)
    }

    /// Reads what was saved, unless it is not wanted, and removes it. Before anyone counts.
    pub fn load(&self, data_dir: &Path, wanted: bool) {
        super::texts::remove(data_dir);
        let file = path(data_dir);
        let bytes = std::fs::read(&file).unwrap_or_default();
        let _ = std::fs::remove_file(&file);
        if !wanted || bytes.is_empty() {
            return;
        }
        let Ok(saved) = serde_json::from_slice::<Saved>(&bytes) else { return };
        if saved.version != VERSION {
            return;
        }
        self.set_info(saved.dealloc, saved.stats_reset);
        let mut all = Vec::new();
        for (key, usage, amounts, text) in saved.statements {
            if !self.restore(&key, usage, &amounts, (all.len() as u64, text.len() as u64)) {
                break;
            }
            all.extend_from_slice(text.as_bytes());
        }
        self.set_text_end(all.len() as u64);
        // Without the file the texts are unknown, the numbers are not.
        let _ = super::texts::replace(&all);
    }
}
