//! A wrapper that measures a node for EXPLAIN ANALYZE: time, rows, loops, buffers.

use super::*;
use access::TidBitmap;
use planner::instrument::{BufferUsage, WalUsage};
use std::time::Instant;

/// A measured node.
pub struct Instrumented {
    id: u32,
    node: BoxNode,
    /// Milliseconds and rows of the present loop.
    first: Option<f64>,
    ms: f64,
    running: bool,
}

impl Instrumented {
    /// Wraps.
    pub fn new(id: u32, node: BoxNode) -> Instrumented {
        Instrumented { id, node, first: None, ms: 0.0, running: false }
    }
    fn close_loop(&mut self, cx: &Exec) {
        if !self.running {
            return;
        }
        let (first, ms) = (self.first.unwrap_or(self.ms), self.ms);
        cx.instr(self.id, |i| {
            i.startup_ms += first;
            i.total_ms += ms;
            i.loops += 1.0;
        });
        self.first = None;
        self.ms = 0.0;
        self.running = false;
    }
    fn measure<R>(&mut self, cx: &Exec, f: impl FnOnce(&mut BoxNode) -> R) -> R {
        let before = cx.env.engine.as_ref().map(|e| e.store().counters());
        let start = Instant::now();
        let r = f(&mut self.node);
        self.ms += start.elapsed().as_secs_f64() * 1e3;
        if let (Some(b), Some(e)) = (before, &cx.env.engine) {
            let a = e.store().counters();
            cx.instr(self.id, |i| {
                add_buffers(&mut i.buffers, &a, &b);
                add_wal(&mut i.wal, &a, &b);
            });
        }
        r
    }
}

/// Adds what was touched between two looks at the counters.
pub fn add_buffers(to: &mut BufferUsage, a: &storage::BufferCounters, b: &storage::BufferCounters) {
    to.shared_hit += a.shared_hit - b.shared_hit;
    to.shared_read += a.shared_read - b.shared_read;
    to.shared_dirtied += a.shared_dirtied - b.shared_dirtied;
    to.shared_written += a.shared_written - b.shared_written;
    to.local_hit += a.local_hit - b.local_hit;
    to.local_read += a.local_read - b.local_read;
    to.local_dirtied += a.local_dirtied - b.local_dirtied;
    to.local_written += a.local_written - b.local_written;
    to.temp_read += a.temp_read - b.temp_read;
    to.temp_written += a.temp_written - b.temp_written;
    to.read_ns += a.read_ns - b.read_ns;
    to.write_ns += a.write_ns - b.write_ns;
    to.temp_read_ns += a.temp_read_ns - b.temp_read_ns;
    to.temp_write_ns += a.temp_write_ns - b.temp_write_ns;
}

fn add_wal(to: &mut WalUsage, a: &storage::BufferCounters, b: &storage::BufferCounters) {
    to.records += a.wal_records - b.wal_records;
    to.images += a.wal_images - b.wal_images;
    to.bytes += a.wal_bytes - b.wal_bytes;
}

impl ExecNode for Instrumented {
    fn next(&mut self, cx: &Exec, want: usize) -> Result<bool> {
        self.running = true;
        let r = self.measure(cx, |n| n.next(cx, want))?;
        if r {
            let n = self.node.batch().live_count() as f64;
            cx.instr(self.id, |i| i.rows += n);
            self.first.get_or_insert(self.ms);
        }
        Ok(r)
    }
    fn batch(&self) -> &Batch {
        self.node.batch()
    }
    fn batch_mut(&mut self) -> &mut Batch {
        self.node.batch_mut()
    }
    fn rescan(&mut self, cx: &Exec) -> Result<()> {
        self.close_loop(cx);
        self.measure(cx, |n| n.rescan(cx))
    }
    fn end(&mut self, cx: &Exec) {
        self.close_loop(cx);
        self.node.end(cx);
    }
    fn push_filter(&mut self, col: usize, from: u32, f: Option<&Rc<RunFilter>>) -> bool {
        self.node.push_filter(col, from, f)
    }
    fn set_bound(&mut self, n: Option<u64>) {
        self.node.set_bound(n);
    }
    fn bitmap(&mut self, cx: &Exec) -> Result<TidBitmap> {
        self.running = true;
        self.measure(cx, |n| n.bitmap(cx))
    }
}
