//! Operations on whole relations: create, length, truncate, remove. They keep the buffer pool, the sync requests and
//! the files in step; logging them is the caller's business.

use super::{Fork, RelFileLocator, SEGMENT_BLOCKS};
use crate::wal::record::xlog_info;
use crate::{ReadMode, RegFlags, RmgrId, Store, Strategy};
use common::{BlockNumber, Result, Xid};

impl Store {
    /// Creates an empty fork. With `is_redo`, an existing one is fine. 58P02 when it exists.
    pub fn create_file(&self, rel: RelFileLocator, fork: Fork, is_redo: bool) -> Result<()> {
        // A leftover of a backend that died does not keep its successor from making a temporary file of that name.
        self.files().create(rel, fork, is_redo || rel.is_temp())?;
        self.request_sync(rel, fork, 0);
        self.request_directory_sync(rel);
        Ok(())
    }
    /// Is there such a fork?
    pub fn file_exists(&self, rel: RelFileLocator, fork: Fork) -> Result<bool> {
        self.files().exists(rel, fork)
    }
    /// Length in blocks.
    pub fn nblocks(&self, rel: RelFileLocator, fork: Fork) -> Result<BlockNumber> {
        self.files().nblocks(rel, fork).map(BlockNumber)
    }
    /// Length in blocks, 0 when the fork does not exist.
    pub fn nblocks_or_zero(&self, rel: RelFileLocator, fork: Fork) -> Result<BlockNumber> {
        self.files().nblocks_or_zero(rel, fork).map(BlockNumber)
    }
    /// Drops buffers and shortens the forks: (fork, new length). The caller has logged and flushed it and holds the
    /// table lock.
    pub fn truncate_files(&self, rel: RelFileLocator, forks: &[(Fork, BlockNumber)]) -> Result<()> {
        for (fork, n) in forks {
            let before = self.files().nblocks_or_zero(rel, *fork)?;
            if before <= n.0 {
                continue;
            }
            self.drop_buffers(rel, *fork, *n)?;
            {
                let _shown = self.shown(ipc::WaitEvent::DATA_FILE_TRUNCATE);
                self.files().truncate(rel, *fork, n.0)?;
            }
            for seg in n.0 / SEGMENT_BLOCKS..=(before - 1) / SEGMENT_BLOCKS {
                self.request_sync(rel, *fork, seg);
            }
        }
        Ok(())
    }
    /// Drops buffers and unlinks all forks; the main fork's name stays occupied by an empty file until the next
    /// checkpoint so that the number is not reused too early (not in redo).
    pub fn unlink_relations(&self, rels: &[RelFileLocator], is_redo: bool) -> Result<()> {
        self.drop_relation_buffers(rels)?;
        for rel in rels {
            for fork in Fork::ALL {
                self.request_forget(*rel, fork);
                self.files().unlink(*rel, fork, fork == Fork::Main && !is_redo && !rel.is_temp())?;
            }
            if !is_redo {
                self.request_unlink(*rel);
            }
            self.request_directory_sync(*rel);
        }
        Ok(())
    }
    /// Copies a fork block by block into an existing, empty fork of another relation, every page logged as a full-page
    /// image except those of the free-space map (CREATE DATABASE). The source must not change meanwhile.
    pub fn copy_fork(&self, from: RelFileLocator, to: RelFileLocator, fork: Fork) -> Result<()> {
        let (reading, writing) = (Strategy::bulk_read(self), Strategy::bulk_write(self));
        for b in 0..self.files().nblocks_or_zero(from, fork)? {
            self.ints().check()?;
            let source =
                self.read(from, fork, BlockNumber(b), ReadMode::Normal, Some(&reading))?.into_share();
            let mut target = self.extend_exclusive(to, fork, Some(&writing))?;
            if source.is_new() {
                continue;
            }
            let crit = self.begin_critical();
            crit.page(&mut target).bytes_mut().copy_from_slice(source.bytes());
            if fork == Fork::Fsm {
                crit.unlogged();
                continue;
            }
            let mut rec = crit.record(RmgrId::XLOG, xlog_info::FPI, Xid::INVALID);
            let layout = if fork == Fork::Main { RegFlags::STANDARD } else { RegFlags::RAW };
            rec.block(0, &target, layout | RegFlags::FORCE_IMAGE);
            crit.log(rec);
        }
        Ok(())
    }
    /// fsyncs all segments of a fork at once. The fork's dirty buffers must have been written.
    pub fn sync_file(&self, rel: RelFileLocator, fork: Fork) -> Result<()> {
        let _shown = self.shown(ipc::WaitEvent::DATA_FILE_IMMEDIATE_SYNC);
        self.files().sync_fork(rel, fork)
    }
}
