//! Inserting rows.
use crate::rel::Rel;
use crate::txn::Engine;
use common::{BlockNumber, CommandId, Error, Result, Tid};
use types::{Batch, DatumRef};

/// How to insert.
#[derive(Clone, Copy, Debug, Default)]
pub struct InsertOptions {
    /// Token of a speculative insertion (`Engine::speculative_begin`).
    pub speculative_token: Option<u32>,
    /// COPY FREEZE and the like: the row is visible to everyone at once.
    pub frozen: bool,
    /// Do not look for room on existing pages (bulk loads into new tables).
    pub skip_fsm: bool,
}

/// Keeps the page being filled pinned through a bulk load, and its buffers in a ring.
#[derive(Default)]
pub struct BulkInsert {
    pub(crate) strategy: Option<storage::Strategy>,
    pub(crate) block: Option<BlockNumber>,
}

/// Inserts one row (values in attribute order, dropped columns NULL) and returns where.
pub fn insert(
    _eng: &Engine,
    _rel: &Rel,
    _values: &[DatumRef<'_>],
    _cid: CommandId,
    _opts: &InsertOptions,
) -> Result<Tid> {
    Err(Error::unsupported("heap insert"))
}

/// Inserts the live rows of a batch whose columns are the table's attributes in order, filling pages and logging one
/// record a page. Appends the rows' addresses.
pub fn multi_insert(
    _eng: &Engine,
    _rel: &Rel,
    _rows: &Batch,
    _cid: CommandId,
    _opts: &InsertOptions,
    _bulk: &mut BulkInsert,
    _tids: &mut Vec<Tid>,
) -> Result<()> {
    Err(Error::unsupported("heap insert"))
}
