//! A database's directory: made as a copy of another, and removed. The copy goes page by page through the buffer pool and
//! the log, so that recovery needs nothing but the log; the directory goes away with the transaction that made it if
//! that aborts. A dropped one goes when the transaction has committed: the commit record names it, so that a crash finds
//! the database whole or gone.

use crate::Engine;
use crate::xact::record::Reader;
use common::{Error, Oid, Result};
use std::path::PathBuf;
use storage::relfile::database_dir;
use storage::{Fork, RelFileLocator, RmgrId};

/// `info` of a directory's creation.
pub const CREATE: u8 = 0x00;
const VERSION: &[u8] = b"15\n";

/// A directory that goes with one outcome of the transaction.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pending {
    spc: Oid,
    db: Oid,
    at_commit: bool,
}

/// In commit records a file number of 0 stands for the whole database.
pub(crate) fn is_database(f: &RelFileLocator) -> bool {
    f.rel_number == 0
}

fn data(spc: Oid, db: Oid) -> [u8; 8] {
    let mut d = [0; 8];
    d[..4].copy_from_slice(&spc.0.to_le_bytes());
    d[4..].copy_from_slice(&db.0.to_le_bytes());
    d
}

impl Engine {
    fn database_path(&self, spc: Oid, db: Oid) -> PathBuf {
        self.data_dir.join(database_dir(spc, db))
    }
    /// CREATE DATABASE: makes the directory of `new` and copies all relations of `template` into it. The caller holds the
    /// locks that keep others out of both.
    pub fn create_database_files(&self, spc: Oid, template: Oid, new: Oid) -> Result<()> {
        let xid = self.current_xid()?;
        self.pending_databases.borrow_mut().push(Pending { spc, db: new, at_commit: false });
        self.make_directory(spc, new)?;
        self.store.log(RmgrId::DATABASE, CREATE, xid, &data(spc, new));
        for n in self.relation_numbers(spc, template)? {
            let from = RelFileLocator::new(spc, template, n);
            let to = RelFileLocator { db_oid: new, ..from };
            for fork in Fork::ALL {
                if self.store.file_exists(from, fork)? {
                    self.store.create_file(to, fork, false)?;
                    self.log_create_storage(to, fork, xid);
                    self.store.copy_fork(from, to, fork)?;
                }
            }
        }
        self.force_sync_commit();
        Ok(())
    }
    fn make_directory(&self, spc: Oid, db: Oid) -> Result<()> {
        let dir = self.database_path(spc, db);
        let fail = |e: std::io::Error| {
            Error::os(format!("could not create directory \"{}\"", database_dir(spc, db)), &e)
        };
        match std::fs::create_dir(&dir) {
            Err(e) if e.kind() != std::io::ErrorKind::AlreadyExists => return Err(fail(e)),
            _ => {}
        }
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        std::fs::set_permissions(&dir, mode).map_err(fail)?;
        storage::datadir::write_file_durably(&dir.join("PG_VERSION"), VERSION)?;
        storage::datadir::sync_path(&self.data_dir.join("base"))
    }
    /// Numbers of the relations that have a main fork.
    fn relation_numbers(&self, spc: Oid, db: Oid) -> Result<Vec<u32>> {
        let dir = self.database_path(spc, db);
        let list = std::fs::read_dir(&dir)
            .map_err(|e| Error::os(format!("could not open directory \"{}\"", database_dir(spc, db)), &e))?;
        let mut out: Vec<u32> =
            list.flatten().filter_map(|e| e.file_name().to_str()?.parse::<u32>().ok()).collect();
        out.sort_unstable();
        Ok(out)
    }
    /// DROP DATABASE: the directory goes when the transaction commits. The caller has locked the database, found nobody in
    /// it, and had a checkpoint made since, so that redo meets no record that needs its files.
    pub fn drop_database_files(&self, spc: Oid, db: Oid) -> Result<()> {
        self.current_xid()?;
        self.pending_databases.borrow_mut().push(Pending { spc, db, at_commit: true });
        self.force_sync_commit();
        Ok(())
    }
    fn remove_directory(&self, spc: Oid, db: Oid) -> Result<()> {
        self.store.drop_database_buffers(db)?;
        self.store.files().close_database(db);
        match std::fs::remove_dir_all(self.database_path(spc, db)) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                Err(Error::os(format!("could not remove directory \"{}\"", database_dir(spc, db)), &e))
            }
            _ => storage::datadir::sync_path(&self.data_dir.join("base")),
        }
    }
    /// The directories that go with this outcome, for its log record.
    pub(crate) fn databases_to_drop(&self, commit: bool) -> Vec<RelFileLocator> {
        let locator = |p: &Pending| RelFileLocator::new(p.spc, p.db, 0);
        self.pending_databases.borrow().iter().filter(|p| p.at_commit == commit).map(locator).collect()
    }
    /// Removes the directories that go with this outcome.
    pub(crate) fn databases_at_end(&self, commit: bool) {
        let doomed = self.databases_to_drop(commit);
        self.pending_databases.borrow_mut().clear();
        for f in doomed {
            if let Err(e) = self.forget_database(f.spc_oid, f.db_oid) {
                let mut r = e.report().clone();
                r.severity = common::Severity::Warning;
                self.notice(r);
            }
        }
    }
    /// Everything of a database that is gone, on disk and in memory.
    pub(crate) fn forget_database(&self, spc: Oid, db: Oid) -> Result<()> {
        self.store.forget_database_syncs(db);
        self.remove_directory(spc, db)
    }
    /// Replays a creation.
    pub(crate) fn database_redo(&self, r: &storage::Record) -> Result<()> {
        let mut d = Reader(r.data());
        let (Some(spc), Some(db)) = (d.u32(), d.u32()) else {
            return Err(Error::corrupted("invalid database record"));
        };
        let (spc, db) = (Oid(spc), Oid(db));
        match r.info & 0xF0 {
            CREATE => self.make_directory(spc, db),
            _ => Err(Error::corrupted("invalid database record")),
        }
    }
}
