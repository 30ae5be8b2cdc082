//! `stats_fetch_consistency`: what a transaction has read of the statistics once, it reads again. Kept until the
//! transaction ends or `pg_stat_clear_snapshot()`.

use super::{StatKey, TableStats};
use crate::Engine;
use ipc::clock;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;

/// How consistent reads are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Consistency {
    /// Every read sees the present.
    #[default]
    None,
    /// An object's numbers stay what they were at their first read.
    Cache,
    /// All numbers are those of the first read of any.
    Snapshot,
}

/// What this process has read in the running transaction.
#[derive(Default)]
pub struct StatsView {
    mode: Cell<Consistency>,
    seen: RefCell<HashMap<u64, Option<TableStats>>>,
    /// When the snapshot was taken; 0: there is none.
    taken: Cell<i64>,
}

impl StatsView {
    /// Changes `stats_fetch_consistency`.
    pub fn set_mode(&self, mode: Consistency) {
        if self.mode.replace(mode) != mode {
            self.clear();
        }
    }
    /// Forgets what was read.
    pub fn clear(&self) {
        if self.taken.take() != 0 || !self.seen.borrow().is_empty() {
            self.seen.borrow_mut().clear();
        }
    }
    /// When the snapshot in use was taken.
    pub fn snapshot_time(&self) -> Option<i64> {
        Some(self.taken.get()).filter(|t| *t != 0)
    }
}

impl Engine {
    /// What this transaction reads of the statistics.
    pub fn stats_view(&self) -> &StatsView {
        &self.stats_view
    }
    /// The counters under a key, as this transaction is to see them.
    pub(super) fn seen_stats(&self, key: StatKey) -> Option<TableStats> {
        let (v, stats) = (&self.stats_view, &self.shared.stats);
        match v.mode.get() {
            Consistency::None => stats.get(key),
            Consistency::Cache => *v.seen.borrow_mut().entry(key.0).or_insert_with(|| stats.get(key)),
            Consistency::Snapshot => {
                if v.taken.get() == 0 {
                    v.taken.set(clock::now());
                    *v.seen.borrow_mut() = stats.keys().into_iter().map(|k| (k.0, stats.get(k))).collect();
                }
                v.seen.borrow().get(&key.0).copied().flatten()
            }
        }
    }
    /// Is anything counted under the key (`pg_stat_have_stats`)?
    pub fn has_stats(&self, key: StatKey) -> bool {
        self.shared.stats.get(key).is_some()
    }
}
