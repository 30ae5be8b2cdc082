//! Write-back: what a process wrote lately is handed to the kernel in runs after every so many blocks (`*_flush_after`), so
//! that the fsync of a checkpoint finds little to do.

use super::desc::Tag;
use crate::Store;
use crate::relfile::SEGMENT_BLOCKS;
use ipc::WaitEvent;
use std::cell::RefCell;

/// Written blocks the kernel has not been asked to write back.
#[derive(Default)]
pub(crate) struct WriteBack(RefCell<Vec<Tag>>);

/// Two blocks are of one run if they lie so close: what is between them is cheap to write with them.
const GAP: u32 = 8;

impl Store {
    /// A block was written to its file.
    pub(crate) fn note_written(&self, tag: &Tag) {
        let after = self.tuning().flush_after;
        if after == 0 || tag.rel.is_temp() {
            return;
        }
        let full = {
            let mut pending = self.writeback.0.borrow_mut();
            pending.push(*tag);
            pending.len() >= after as usize
        };
        if full {
            self.issue_writeback();
        }
    }
    /// Hands over what is pending.
    pub(crate) fn issue_writeback(&self) {
        let mut pending = std::mem::take(&mut *self.writeback.0.borrow_mut());
        pending.sort_unstable();
        let together = |a: &Tag, b: &Tag| {
            a.rel == b.rel
                && a.fork == b.fork
                && a.block.0 / SEGMENT_BLOCKS == b.block.0 / SEGMENT_BLOCKS
                && b.block.0 - a.block.0 <= GAP
        };
        for run in pending.chunk_by(together) {
            let (first, last) = (run[0], run[run.len() - 1]);
            let n = last.block.0 - first.block.0 + 1;
            let _shown = self.shown(WaitEvent::DATA_FILE_FLUSH);
            self.files().start_writeback(first.rel, first.fork, first.block.0, n);
        }
    }
}
