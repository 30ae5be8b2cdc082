//! Building an index.
use crate::rel::IndexRel;
use crate::txn::Engine;
use common::{Error, Result, Tid};
use types::{Batch, DatumRef};

/// Makes an empty index in the (existing, empty) main fork.
pub fn create_empty(_eng: &Engine, _ix: &IndexRel) -> Result<()> {
    Err(Error::unsupported("CREATE INDEX"))
}

/// Collects entries, sorts them (spilling beyond `maintenance_work_mem`) and writes the tree bottom up.
pub struct BtBuild<'a> {
    ix: &'a IndexRel,
}

impl<'a> BtBuild<'a> {
    /// Begins a build of an index whose main fork exists and is empty. `memory_bytes`: maintenance_work_mem.
    /// `temp_dir`: where sorted runs go.
    pub fn new(
        _eng: &Engine,
        ix: &'a IndexRel,
        _memory_bytes: usize,
        _temp_dir: &std::path::Path,
    ) -> BtBuild<'a> {
        BtBuild { ix }
    }
    /// Adds one entry: values in index column order. `live`: counts for uniqueness (not a row already deleted).
    pub fn add(&mut self, _values: &[DatumRef<'_>], _tid: Tid, _live: bool) -> Result<()> {
        Err(Error::unsupported(format!("CREATE INDEX {}", self.ix.rel.name)))
    }
    /// Adds the live rows of a batch: `cols[i]` is the batch column of index column i, `tid_col` holds packed TIDs.
    pub fn add_batch(&mut self, _rows: &Batch, _cols: &[usize], _tid_col: usize) -> Result<()> {
        Err(Error::unsupported(format!("CREATE INDEX {}", self.ix.rel.name)))
    }
    /// Sorts, checks uniqueness (23505 `could not create unique index`), writes. Returns the number of entries.
    pub fn finish(self, _eng: &Engine) -> Result<u64> {
        Err(Error::unsupported("CREATE INDEX"))
    }
}
