//! What the executor measured, for EXPLAIN ANALYZE. Indexed by [`crate::plan::Plan::node_id`]; the executor fills it,
//! the explain module prints it.

use common::Oid;

/// Measurements of one run of a statement.
#[derive(Clone, Debug, Default)]
pub struct Instrumentation {
    /// By `node_id`. Sums over all loops.
    pub nodes: Vec<NodeInstr>,
    pub planning_ms: f64,
    pub execution_ms: f64,
    /// Buffers touched while planning.
    pub planning_buffers: BufferUsage,
    /// (trigger name, constraint name, relation, ms, calls).
    pub triggers: Vec<TriggerInstr>,
}

/// Which trigger of a constraint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TriggerKind {
    /// Of the referencing table, or of a deferrable unique constraint.
    #[default]
    Check,
    /// Of the referenced table.
    Deleted,
    Updated,
}

/// A trigger's share.
#[derive(Clone, Debug, Default)]
pub struct TriggerInstr {
    /// Constraint, its table or the one it refers to, and which of its triggers: the name is looked up by these.
    pub key: (Oid, Oid, TriggerKind),
    pub name: String,
    pub constraint: Option<String>,
    pub relation: String,
    pub total_ms: f64,
    pub calls: u64,
}

/// Measurements of one node, summed over its loops.
#[derive(Clone, Debug, Default)]
pub struct NodeInstr {
    /// Milliseconds until the first row.
    pub startup_ms: f64,
    pub total_ms: f64,
    pub rows: f64,
    /// Zero: never executed.
    pub loops: f64,
    /// Removed by `qual`.
    pub removed_filter: f64,
    /// Removed by the join condition.
    pub removed_join: f64,
    pub removed_recheck: f64,
    pub heap_fetches: u64,
    pub exact_blocks: u64,
    pub lossy_blocks: u64,
    pub buffers: BufferUsage,
    pub wal: WalUsage,
    pub sort: Option<SortInstr>,
    pub incremental_sort: Option<IncrementalSortInstr>,
    pub hash: Option<HashInstr>,
    pub agg: Option<HashAggInstr>,
    pub memoize: Option<MemoizeInstr>,
    /// INSERT … ON CONFLICT.
    pub tuples_inserted: f64,
    pub conflicting_tuples: f64,
    /// Gather: how many workers were started.
    pub workers_launched: Option<u32>,
    /// What each worker contributed (its number, its share of the sums above); workers that did not run the node are
    /// absent.
    pub workers: Vec<(u32, NodeInstr)>,
}

/// Buffer accesses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BufferUsage {
    pub shared_hit: u64,
    pub shared_read: u64,
    pub shared_dirtied: u64,
    pub shared_written: u64,
    pub local_hit: u64,
    pub local_read: u64,
    pub local_dirtied: u64,
    pub local_written: u64,
    pub temp_read: u64,
    pub temp_written: u64,
    /// Nanoseconds, under `track_io_timing`; likewise the ones below.
    pub read_ns: u64,
    pub write_ns: u64,
    pub temp_read_ns: u64,
    pub temp_write_ns: u64,
}

/// What went to the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WalUsage {
    pub records: u64,
    pub images: u64,
    pub bytes: u64,
}

/// How a Sort went.
#[derive(Clone, Debug, Default)]
pub struct SortInstr {
    /// `quicksort`, `top-N heapsort`, `external merge`, `external sort`.
    pub method: &'static str,
    pub space_kb: u64,
    pub disk: bool,
}

/// How an Incremental Sort went: full-sort groups and pre-sorted groups.
#[derive(Clone, Debug, Default)]
pub struct IncrementalSortInstr {
    pub full: SortGroupInstr,
    pub prefix: SortGroupInstr,
}

/// One kind of group of an Incremental Sort.
#[derive(Clone, Debug, Default)]
pub struct SortGroupInstr {
    pub groups: u64,
    pub methods: Vec<&'static str>,
    pub memory_total_kb: u64,
    pub memory_peak_kb: u64,
    pub disk_total_kb: u64,
    pub disk_peak_kb: u64,
}

/// A hash join's table.
#[derive(Clone, Debug, Default)]
pub struct HashInstr {
    pub buckets: u64,
    pub buckets_original: u64,
    pub batches: u64,
    pub batches_original: u64,
    pub memory_kb: u64,
}

/// A hash aggregate's table.
#[derive(Clone, Debug, Default)]
pub struct HashAggInstr {
    pub batches: u64,
    pub memory_kb: u64,
    pub disk_kb: u64,
}

/// A Memoize cache.
#[derive(Clone, Debug, Default)]
pub struct MemoizeInstr {
    pub hits: u64,
    pub misses: u64,
    pub evictions: u64,
    pub overflows: u64,
    pub memory_kb: u64,
}

impl Instrumentation {
    /// A trigger was called: `calls` times, for so long.
    pub fn trigger(&mut self, key: (Oid, Oid, TriggerKind), calls: u64, ms: f64) {
        match self.triggers.iter_mut().find(|t| t.key == key) {
            Some(t) => {
                t.calls += calls;
                t.total_ms += ms;
            }
            None => {
                self.triggers.push(TriggerInstr { key, calls, total_ms: ms, ..TriggerInstr::default() });
            }
        }
    }
    /// Room for `n` nodes.
    pub fn new(n: usize) -> Instrumentation {
        Instrumentation { nodes: vec![NodeInstr::default(); n], ..Default::default() }
    }
}

impl BufferUsage {
    /// Nothing touched?
    pub fn is_zero(&self) -> bool {
        *self == BufferUsage::default()
    }
}
