//! The counters of one statement, shared and as a copy.

use common::Result;
use ipc::shared_struct;
use serde::{Deserialize, Serialize};
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use types::Datum;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    Plan = 0,
    Execute = 1,
}

/// Times of one phase, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Times {
    pub calls: u64,
    pub total: f64,
    pub min: f64,
    pub max: f64,
    pub mean: f64,
    /// Sum of squared differences from the mean.
    pub sum_var: f64,
}

impl Times {
    /// One more measurement; mean and variance by Welford's method.
    fn add(&mut self, ms: f64) {
        self.calls += 1;
        self.total += ms;
        if self.calls == 1 {
            (self.min, self.max, self.mean) = (ms, ms, ms);
            return;
        }
        let old = self.mean;
        self.mean += (ms - old) / self.calls as f64;
        self.sum_var += (ms - old) * (ms - self.mean);
        self.min = self.min.min(ms);
        self.max = self.max.max(ms);
    }
    fn stddev(&self) -> f64 {
        if self.calls > 1 { (self.sum_var / self.calls as f64).sqrt() } else { 0.0 }
    }
}

/// Number of block and log counters.
const BLOCKS: usize = 17;

/// Shared blocks hit, read, dirtied, written; local the same; temporary read, written; log records, page images, bytes;
/// nanoseconds of reading and writing blocks, of reading and writing temporary ones.
pub type Used = [u64; BLOCKS];

/// What one execution has used, and the sum of many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Amounts {
    pub times: [Times; 2],
    pub rows: u64,
    pub blocks: Used,
}

impl Amounts {
    /// The counters of a process as used here.
    pub fn blocks_of(c: &storage::BufferCounters) -> Used {
        [
            c.shared_hit,
            c.shared_read,
            c.shared_dirtied,
            c.shared_written,
            c.local_hit,
            c.local_read,
            c.local_dirtied,
            c.local_written,
            c.temp_read,
            c.temp_written,
            c.wal_records,
            c.wal_images,
            c.wal_bytes,
            c.read_ns,
            c.write_ns,
            c.temp_read_ns,
            c.temp_write_ns,
        ]
    }

    /// The columns of the view from `plans` on. Nothing is compiled at run time.
    pub fn columns(&self, row: &mut Vec<Datum>) -> Result<()> {
        let times = |row: &mut Vec<Datum>, t: &Times| {
            row.push(Datum::I64(t.calls as i64));
            row.extend([t.total, t.min, t.max, t.mean, t.stddev()].map(Datum::F64));
        };
        times(row, &self.times[Phase::Plan as usize]);
        times(row, &self.times[Phase::Execute as usize]);
        row.push(Datum::I64(self.rows as i64));
        row.extend(self.blocks[..10].iter().map(|n| Datum::I64(*n as i64)));
        row.extend(self.blocks[13..].iter().map(|ns| Datum::F64(*ns as f64 / 1e6)));
        row.extend(self.blocks[10..12].iter().map(|n| Datum::I64(*n as i64)));
        row.push(types::numeric::Num::from_i128(i128::from(self.blocks[12])).to_datum()?);
        for _ in 0..4 {
            row.extend([Datum::I64(0), Datum::F64(0.0)]);
        }
        Ok(())
    }
}

const WORDS: usize = 12 + 1 + BLOCKS;

shared_struct! {
    /// One statement. Everything is read and written under its partition's lock.
    pub struct Entry {
        /// Where its text is in the file, and how long it is; 0 and u64::MAX if it could not be stored.
        pub text_at: AtomicU64,
        pub text_len: AtomicU64,
        /// How much it is used: decides who goes when the table is full. An f64's bits.
        pub usage: AtomicU64,
        words: [AtomicU64; WORDS],
    }
}

impl Entry {
    /// A copy of the counters.
    pub fn read(&self) -> Amounts {
        let w = |i: usize| self.words[i].load(Relaxed);
        let f = |i: usize| f64::from_bits(w(i));
        let times = |i: usize| Times {
            calls: w(i),
            total: f(i + 1),
            min: f(i + 2),
            max: f(i + 3),
            mean: f(i + 4),
            sum_var: f(i + 5),
        };
        Amounts { times: [times(0), times(6)], rows: w(12), blocks: std::array::from_fn(|i| w(13 + i)) }
    }
    /// Sets the counters.
    pub fn write(&self, a: &Amounts) {
        let set = |i: usize, v: u64| self.words[i].store(v, Relaxed);
        for (n, t) in a.times.iter().enumerate() {
            self.write_times(n * 6, t);
        }
        set(12, a.rows);
        a.blocks.iter().enumerate().for_each(|(i, v)| set(13 + i, *v));
    }
    fn write_times(&self, at: usize, t: &Times) {
        self.words[at].store(t.calls, Relaxed);
        for (i, v) in [t.total, t.min, t.max, t.mean, t.sum_var].into_iter().enumerate() {
            self.words[at + 1 + i].store(v.to_bits(), Relaxed);
        }
    }
    /// Adds one execution (or planning).
    pub fn add(&self, phase: Phase, ms: f64, rows: u64, blocks: &Used) {
        let w = |i: usize| self.words[i].load(Relaxed);
        let f = |i: usize| f64::from_bits(w(i));
        let at = phase as usize * 6;
        let mut t = Times {
            calls: w(at),
            total: f(at + 1),
            min: f(at + 2),
            max: f(at + 3),
            mean: f(at + 4),
            sum_var: f(at + 5),
        };
        t.add(ms);
        self.write_times(at, &t);
        let plus = |i: usize, n: u64| {
            if n != 0 {
                self.words[i].store(w(i) + n, Relaxed);
            }
        };
        plus(12, rows);
        blocks.iter().enumerate().for_each(|(i, n)| plus(13 + i, *n));
        self.use_by(1.0);
    }
    /// More (or, by a factor, less) in use.
    pub fn use_by(&self, n: f64) {
        let u = f64::from_bits(self.usage.load(Relaxed));
        self.usage.store((u + n).to_bits(), Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mean_and_deviation() {
        let mut t = Times::default();
        for ms in [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0] {
            t.add(ms);
        }
        assert_eq!((t.calls, t.total, t.min, t.max), (8, 40.0, 2.0, 9.0));
        assert!((t.mean - 5.0).abs() < 1e-9 && (t.stddev() - 2.0).abs() < 1e-9);
    }
}
