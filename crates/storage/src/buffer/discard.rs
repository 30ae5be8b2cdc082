//! Throwing buffers away without writing them (their file goes or shrinks), and writing back those of one relation or
//! database.

use super::desc::{IO_IN_PROGRESS, REFCOUNT_MASK, TAG_VALID, Tag};
use crate::Store;
use crate::relfile::{Fork, RelFileLocator};
use common::{BlockNumber, Error, Oid, Result};
use std::sync::atomic::Ordering::{AcqRel, Acquire};

impl Store {
    /// Throws the buffers of one fork away from block `from` on.
    pub fn drop_buffers(&self, rel: RelFileLocator, fork: Fork, from: BlockNumber) -> Result<()> {
        if rel.is_temp() {
            return self.local_drop(|t| t.rel == rel && t.fork == fork && t.block >= from);
        }
        // A short range of blocks is looked up; a long one is found by walking the pool.
        let n = self.files().nblocks_or_zero(rel, fork)?.saturating_sub(from.0);
        if (n as usize) < self.shared().descs.len() / 32 && !self.in_recovery() {
            for b in from.0..from.0 + n {
                self.drop_block(&Tag { rel, fork, block: BlockNumber(b) })?;
            }
            return Ok(());
        }
        self.drop_matching(|t| t.rel == rel && t.fork == fork && t.block >= from)
    }
    /// Throws all buffers of the relations away.
    pub fn drop_relation_buffers(&self, rels: &[RelFileLocator]) -> Result<()> {
        let (temporary, rels): (Vec<RelFileLocator>, Vec<RelFileLocator>) =
            rels.iter().partition(|r| r.is_temp());
        if !temporary.is_empty() {
            self.local_drop(|t| temporary.contains(&t.rel))?;
        }
        let mut total = 0;
        for r in &rels {
            for f in Fork::ALL {
                total += self.files().nblocks_or_zero(*r, f)? as usize;
            }
        }
        if total < self.shared().descs.len() / 32 && !self.in_recovery() {
            for r in &rels {
                for f in Fork::ALL {
                    for b in 0..self.files().nblocks_or_zero(*r, f)? {
                        self.drop_block(&Tag { rel: *r, fork: f, block: BlockNumber(b) })?;
                    }
                }
            }
            return Ok(());
        }
        if rels.is_empty() {
            return Ok(());
        }
        let mut sorted = rels;
        sorted.sort_unstable();
        self.drop_matching(|t| sorted.binary_search(&t.rel).is_ok())
    }
    /// Throws all buffers of a database away.
    pub fn drop_database_buffers(&self, db: Oid) -> Result<()> {
        self.drop_matching(|t| t.rel.db_oid == db)
    }
    fn drop_matching(&self, wanted: impl Fn(&Tag) -> bool) -> Result<()> {
        for d in self.shared().descs {
            if d.load() & TAG_VALID != 0 {
                let tag = d.tag();
                // Read without a lock: a mix of two tags at worst, sorted out by the locked lookup.
                if wanted(&tag) {
                    self.drop_block(&tag)?;
                }
            }
        }
        Ok(())
    }
    fn drop_block(&self, tag: &Tag) -> Result<()> {
        let hash = tag.hash();
        let sh = self.shared();
        if sh.probe(tag, hash).is_none() {
            let _g = sh.map_shared(hash, self.proc());
            if sh.find_locked(tag, hash).is_none() {
                return Ok(());
            }
        }
        loop {
            {
                let _g = sh.map_exclusive(hash, self.proc());
                let Some(buf) = sh.find_locked(tag, hash) else { return Ok(()) };
                let d = self.desc(buf);
                let mut s = d.load();
                while s & REFCOUNT_MASK == 0 && s & IO_IN_PROGRESS == 0 {
                    match d.state.compare_exchange_weak(s, 0, AcqRel, Acquire) {
                        Ok(_) => {
                            sh.map_remove(buf, hash);
                            return Ok(());
                        }
                        Err(now) => s = now,
                    }
                }
                if self.pins().find(buf).is_some() {
                    return Err(Error::internal(format!(
                        "block {} of relation {} is pinned while its buffers are dropped",
                        tag.block,
                        tag.rel.path(tag.fork)
                    )));
                }
            }
            // The background writer or checkpointer is at it: it will be done in a moment.
            std::thread::sleep(std::time::Duration::from_micros(50));
        }
    }

    /// Writes all dirty buffers of a relation.
    pub fn flush_relation(&self, rel: RelFileLocator) -> Result<()> {
        self.flush_matching(|t| t.rel == rel)
    }
    /// Writes all dirty buffers of a database.
    pub fn flush_database(&self, db: Oid) -> Result<()> {
        self.flush_matching(|t| t.rel.db_oid == db)
    }
    /// Writes all dirty pages of init forks: recovery is about to copy their files.
    pub(crate) fn flush_init_forks(&self) -> Result<()> {
        self.flush_matching(|t| t.fork == Fork::Init)
    }
    fn flush_matching(&self, wanted: impl Fn(&Tag) -> bool) -> Result<()> {
        for (i, d) in self.shared().descs.iter().enumerate() {
            if d.load() & TAG_VALID != 0 {
                let tag = d.tag();
                if wanted(&tag) {
                    self.write_if_dirty(i as u32, Some(&tag))?;
                }
            }
        }
        Ok(())
    }
}
