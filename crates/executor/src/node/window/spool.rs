//! The rows of a partition that does not fit into memory: blocks of [`BATCH_ROWS`] rows in a temporary file, found by row
//! number. Readers go through [`Cursor`]s, one a place that is read from; blocks that several read are kept for a while.

use crate::env::ExecEnv;
use crate::expr::colops;
use crate::store::{SpillFile, batch_of};
use common::{Error, Result};
use std::cell::RefCell;
use std::rc::Rc;
use types::column::BATCH_ROWS;
use types::{Batch, Column, Phys};

/// Blocks kept for other cursors.
const KEPT: usize = 8;

/// Row number within a spool.
pub type Row = u64;

/// Rows in a file.
pub struct Spool {
    file: RefCell<SpillFile>,
    blocks: Vec<u64>,
    tail: Batch,
    kinds: Vec<Phys>,
    kept: RefCell<Vec<(usize, Rc<Batch>)>>,
    /// How many rows there are.
    pub rows: Row,
}

impl Spool {
    /// An empty one with columns of these kinds.
    pub fn new(env: &ExecEnv, kinds: Vec<Phys>) -> Result<Spool> {
        Ok(Spool {
            file: RefCell::new(SpillFile::create(env)?),
            blocks: Vec::new(),
            tail: batch_of(&kinds),
            kinds,
            kept: RefCell::default(),
            rows: 0,
        })
    }

    /// Appends the first `n` rows of columns of the spool's kinds.
    pub fn append(&mut self, cols: &[&Column], n: usize) -> Result<()> {
        debug_assert_eq!(cols.len(), self.kinds.len());
        let mut at = 0;
        while at < n {
            let to = n.min(at + BATCH_ROWS - self.tail.rows);
            for (d, s) in self.tail.cols.iter_mut().zip(cols) {
                colops::append_range(d, s, at, to);
            }
            self.tail.rows += to - at;
            at = to;
            if self.tail.rows == BATCH_ROWS {
                self.close_block()?;
            }
        }
        self.rows += n as Row;
        Ok(())
    }

    /// No more rows come.
    pub fn finish(&mut self) -> Result<()> {
        if self.tail.rows > 0 {
            self.close_block()?;
        }
        Ok(())
    }

    fn close_block(&mut self) -> Result<()> {
        self.blocks.push(self.file.borrow_mut().write(&self.tail)?);
        self.tail.clear();
        Ok(())
    }

    /// A closed block.
    pub fn block(&self, no: usize) -> Result<Rc<Batch>> {
        let mut kept = self.kept.borrow_mut();
        if let Some(k) = kept.iter().position(|(n, _)| *n == no) {
            kept[..=k].rotate_right(1);
            return Ok(kept[0].1.clone());
        }
        let Some(&at) = self.blocks.get(no) else {
            return Err(Error::internal("executor: window row out of range"));
        };
        // The memory of a block that nobody reads any more is used again.
        let old = if kept.len() < KEPT { None } else { kept.pop().and_then(|(_, b)| Rc::try_unwrap(b).ok()) };
        let mut b = old.unwrap_or_else(|| batch_of(&self.kinds));
        self.file.borrow_mut().read(at, &mut b)?;
        let b = Rc::new(b);
        kept.insert(0, (no, b.clone()));
        Ok(b)
    }

    /// Number of the block that has row `row`, and its first row.
    pub fn place(row: Row) -> (usize, Row) {
        let no = row / BATCH_ROWS as Row;
        (no as usize, no * BATCH_ROWS as Row)
    }
}

/// A place of a spool that is read from.
#[derive(Default)]
pub struct Cursor {
    /// The block of `batch` plus one; 0: none yet.
    have: usize,
    pub batch: Rc<Batch>,
}

impl Cursor {
    /// Goes to a row; its place in `batch`.
    #[inline]
    pub fn seek(&mut self, s: &Spool, row: Row) -> Result<usize> {
        let (no, first) = Spool::place(row);
        if self.have != no + 1 {
            self.batch = s.block(no)?;
            self.have = no + 1;
        }
        Ok((row - first) as usize)
    }

    /// Calls `f` with each block's part of rows `lo..hi`, until it says false; the last answer.
    pub fn pieces(
        &mut self,
        s: &Spool,
        mut lo: Row,
        hi: Row,
        mut f: impl FnMut(&Batch, u32, u32) -> Result<bool>,
    ) -> Result<bool> {
        while lo < hi {
            let at = self.seek(s, lo)?;
            let n = (hi - lo).min((self.batch.rows - at) as Row) as usize;
            if !f(&self.batch, at as u32, (at + n) as u32)? {
                return Ok(false);
            }
            lo += n as Row;
        }
        Ok(true)
    }
}
