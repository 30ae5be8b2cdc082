//! The last minutes, for the plots: totals of the server, taken every few seconds by the endpoint itself.

use common::Oid;
use std::collections::VecDeque;
use std::time::{Duration, Instant};
use transam::Engine;

/// Between two samples.
pub const INTERVAL: Duration = Duration::from_secs(2);
/// Samples kept: five minutes.
const KEPT: usize = 150;

/// Totals at a moment.
#[derive(Clone, Copy, Debug)]
struct Sample {
    at: Instant,
    transactions: i64,
    read: i64,
    hit: i64,
    wal: u64,
    active: usize,
}

/// The samples, the oldest first.
#[derive(Default)]
pub struct History {
    samples: VecDeque<Sample>,
    /// Whose counters are summed up.
    databases: Vec<Oid>,
}

/// Values over time, the oldest first, for a plot.
pub type Series = Vec<f64>;

impl History {
    /// The databases there are.
    pub fn set_databases(&mut self, all: Vec<Oid>) {
        if self.databases != all {
            // Totals of another set of databases do not compare.
            self.samples.clear();
            self.databases = all;
        }
    }
    /// Takes a sample.
    pub fn sample(&mut self, e: &Engine) {
        let mut s = Sample {
            at: Instant::now(),
            transactions: 0,
            read: 0,
            hit: 0,
            wal: e.store().insert_lsn().0,
            active: e.procs().live().filter(|p| is_active(p)).count(),
        };
        for d in &self.databases {
            let one = e.database_stats(*d);
            s.transactions += one.xact_commit + one.xact_rollback;
            s.read += one.blocks_read;
            s.hit += one.blocks_hit;
        }
        if self.samples.len() == KEPT {
            self.samples.pop_front();
        }
        self.samples.push_back(s);
    }

    fn rates(&self, total: impl Fn(&Sample) -> f64) -> Series {
        let pairs = self.samples.iter().zip(self.samples.iter().skip(1));
        pairs.map(|(a, b)| (total(b) - total(a)).max(0.0) / (b.at - a.at).as_secs_f64().max(0.001)).collect()
    }
    /// Transactions a second.
    pub fn transactions(&self) -> Series {
        self.rates(|s| s.transactions as f64)
    }
    /// Bytes of log a second.
    pub fn wal(&self) -> Series {
        self.rates(|s| s.wal as f64)
    }
    /// Blocks read from files a second.
    pub fn reads(&self) -> Series {
        self.rates(|s| s.read as f64)
    }
    /// Part of the blocks that was found in the pool, in percent; nothing wanted counts as all found.
    pub fn hits(&self) -> Series {
        let pairs = self.samples.iter().zip(self.samples.iter().skip(1));
        let percent = |hit: i64, read: i64| {
            if hit + read <= 0 { 100.0 } else { 100.0 * hit as f64 / (hit + read) as f64 }
        };
        pairs.map(|(a, b)| percent(b.hit - a.hit, b.read - a.read)).collect()
    }
    /// Sessions that run a statement.
    pub fn active(&self) -> Series {
        self.samples.iter().map(|s| s.active as f64).collect()
    }
}

fn is_active(p: &ipc::Proc) -> bool {
    p.kind() == ipc::BackendKind::Client && p.activity.read().state.as_str() == Some("active")
}
