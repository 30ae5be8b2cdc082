//! What each worker contributed to a node, as EXPLAIN ANALYZE's text shows it below the node's own lines.

use super::node::NodeCx;
use super::usage;
use crate::instrument::NodeInstr;
use crate::plan::Plan;

impl NodeCx<'_> {
    /// Lines of all workers, indented relative to the node's: a worker's first line names it.
    pub(super) fn worker_lines(&self, p: &Plan) -> Vec<String> {
        let mut out = Vec::new();
        let Some(n) = self.ni(p) else { return out };
        let mut workers: Vec<&(u32, NodeInstr)> = n.workers.iter().collect();
        workers.sort_by_key(|w| w.0);
        for (number, w) in workers {
            for (i, l) in self.lines_of(w).into_iter().enumerate() {
                out.push(if i == 0 { format!("Worker {number}:  {l}") } else { format!("  {l}") });
            }
        }
        out
    }
    fn lines_of(&self, w: &NodeInstr) -> Vec<String> {
        let mut out = Vec::new();
        if self.opts.verbose && w.loops > 0.0 {
            let (l, rows) = (w.loops, w.rows / w.loops);
            out.push(if self.opts.timing {
                let (first, last) = (w.startup_ms / l, w.total_ms / l);
                format!("actual time={first:.3}..{last:.3} rows={rows:.0} loops={l:.0}")
            } else {
                format!("actual rows={rows:.0} loops={l:.0}")
            });
        }
        if let Some(s) = &w.sort {
            let kind = if s.disk { "Disk" } else { "Memory" };
            out.push(format!("Sort Method: {}  {kind}: {}kB", s.method, s.space_kb));
        }
        if let Some(a) = &w.agg {
            let mut t = format!("Batches: {}  Memory Usage: {}kB", a.batches, a.memory_kb);
            if a.disk_kb > 0 {
                t.push_str(&format!("  Disk Usage: {}kB", a.disk_kb));
            }
            out.push(t);
        }
        if let Some(m) = &w.memoize {
            out.push(format!(
                "Hits: {}  Misses: {}  Evictions: {}  Overflows: {}  Memory Usage: {}kB",
                m.hits, m.misses, m.evictions, m.overflows, m.memory_kb
            ));
        }
        if self.opts.verbose && self.opts.buffers {
            out.extend(usage::buffer_lines(&w.buffers));
        }
        if self.opts.verbose && self.opts.wal {
            out.extend(usage::wal_line(&w.wal));
        }
        out
    }
}
