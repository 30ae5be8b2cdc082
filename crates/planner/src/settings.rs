//! The settings that steer the planner, with PostgreSQL's defaults. The session copies them from its GUC table.

/// Planner settings. Sizes are in the unit PostgreSQL keeps them in: pages of 8 kB and kilobytes.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannerSettings {
    pub enable_seqscan: bool,
    pub enable_indexscan: bool,
    pub enable_indexonlyscan: bool,
    pub enable_bitmapscan: bool,
    pub enable_tidscan: bool,
    pub enable_sort: bool,
    pub enable_incremental_sort: bool,
    pub enable_hashagg: bool,
    pub enable_material: bool,
    pub enable_memoize: bool,
    pub enable_nestloop: bool,
    pub enable_mergejoin: bool,
    pub enable_hashjoin: bool,
    pub seq_page_cost: f64,
    pub random_page_cost: f64,
    pub cpu_tuple_cost: f64,
    pub cpu_index_tuple_cost: f64,
    pub cpu_operator_cost: f64,
    /// Pages.
    pub effective_cache_size: f64,
    /// Kilobytes.
    pub work_mem: u64,
    pub hash_mem_multiplier: f64,
    pub from_collapse_limit: usize,
    pub join_collapse_limit: usize,
    pub geqo: bool,
    pub geqo_threshold: usize,
    pub geqo_effort: usize,
    pub default_statistics_target: i32,
    pub cursor_tuple_fraction: f64,
    pub constraint_exclusion: ConstraintExclusion,
    /// 0 in a parallel worker: what it plans it runs alone.
    pub max_parallel_workers_per_gather: u32,
    /// Pages.
    pub min_parallel_table_scan_size: f64,
    pub min_parallel_index_scan_size: f64,
    pub parallel_setup_cost: f64,
    pub parallel_tuple_cost: f64,
    pub parallel_leader_participation: bool,
    pub force_parallel_mode: ForceParallel,
    pub enable_gathermerge: bool,
    pub enable_parallel_hash: bool,
    pub enable_parallel_append: bool,
}

/// `force_parallel_mode`: run what could run in a worker in one, whatever it costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForceParallel {
    Off,
    On,
    /// Likewise, but EXPLAIN does not show it.
    Regress,
}

/// For which tables CHECK constraints are compared with a query's conditions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ConstraintExclusion {
    Off,
    /// Members of append relations.
    #[default]
    Partition,
    On,
}

impl Default for PlannerSettings {
    fn default() -> Self {
        PlannerSettings {
            enable_seqscan: true,
            enable_indexscan: true,
            enable_indexonlyscan: true,
            enable_bitmapscan: true,
            enable_tidscan: true,
            enable_sort: true,
            enable_incremental_sort: true,
            enable_hashagg: true,
            enable_material: true,
            enable_memoize: true,
            enable_nestloop: true,
            enable_mergejoin: true,
            enable_hashjoin: true,
            seq_page_cost: 1.0,
            random_page_cost: 4.0,
            cpu_tuple_cost: 0.01,
            cpu_index_tuple_cost: 0.005,
            cpu_operator_cost: 0.0025,
            effective_cache_size: 524288.0,
            work_mem: 4096,
            hash_mem_multiplier: 2.0,
            from_collapse_limit: 8,
            join_collapse_limit: 8,
            geqo: true,
            geqo_threshold: 12,
            geqo_effort: 5,
            default_statistics_target: 100,
            cursor_tuple_fraction: 0.1,
            max_parallel_workers_per_gather: 2,
            min_parallel_table_scan_size: 1024.0,
            min_parallel_index_scan_size: 64.0,
            parallel_setup_cost: 1000.0,
            parallel_tuple_cost: 0.1,
            parallel_leader_participation: true,
            force_parallel_mode: ForceParallel::Off,
            enable_gathermerge: true,
            enable_parallel_hash: true,
            enable_parallel_append: true,
            constraint_exclusion: ConstraintExclusion::Partition,
        }
    }
}

impl PlannerSettings {
    /// Bytes a hash table may take.
    pub fn hash_mem_bytes(&self) -> f64 {
        self.work_mem as f64 * 1024.0 * self.hash_mem_multiplier
    }
    /// Bytes a sort may take.
    pub fn work_mem_bytes(&self) -> f64 {
        self.work_mem as f64 * 1024.0
    }
}
