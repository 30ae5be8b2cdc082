//! A database's directory: made as a copy of another, and removed. The copy goes page by page through the buffer pool and
//! the log, so that recovery needs nothing but the log; the directory goes away with the transaction that made it if
//! that aborts.

use crate::Engine;
use crate::xact::record::Reader;
use common::{BlockNumber, Error, Oid, Result, Xid};
use std::path::PathBuf;
use storage::relfile::database_dir;
use storage::{Fork, ReadMode, RelFileLocator, RmgrId, Strategy};

/// `info` of a directory's creation.
pub const CREATE: u8 = 0x00;
/// `info` of a directory's removal.
pub const DROP: u8 = 0x20;
const VERSION: &[u8] = b"15\n";

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
        self.pending_databases.borrow_mut().push((spc, new));
        self.make_directory(spc, new)?;
        self.store.log(RmgrId::DATABASE, CREATE, xid, &data(spc, new));
        for n in self.relation_numbers(spc, template)? {
            for fork in [Fork::Main, Fork::Vm] {
                let from = RelFileLocator::new(spc, template, n);
                self.copy_fork(from, RelFileLocator { db_oid: new, ..from }, fork, xid)?;
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
    fn copy_fork(&self, from: RelFileLocator, to: RelFileLocator, fork: Fork, xid: Xid) -> Result<()> {
        let store = &self.store;
        if !store.file_exists(from, fork)? {
            return Ok(());
        }
        store.create_file(to, fork, false)?;
        self.log_create_storage(to, fork, xid);
        let read = Strategy::bulk_read(store);
        let write = Strategy::bulk_write(store);
        for b in 0..store.nblocks(from, fork)?.0 {
            self.check_interrupts()?;
            let source = store.read(from, fork, BlockNumber(b), ReadMode::Normal, Some(&read))?;
            let copy = Box::new((*source.share()).clone());
            let mut target = store.extend(to, fork, Some(&write))?.exclusive();
            if target.pin().block() != BlockNumber(b) {
                return Err(Error::internal("database copy found its target extended by somebody else"));
            }
            let crit = store.begin_critical();
            *crit.page(&mut target) = *copy;
            store.log_full_page(&mut target, fork == Fork::Main);
            crit.unlogged();
        }
        Ok(())
    }
    /// DROP DATABASE: removes the directory at once. Cannot be undone: the caller has locked the database, committed or is
    /// about to commit, and has asked for an immediate checkpoint.
    pub fn drop_database_files(&self, spc: Oid, db: Oid) -> Result<()> {
        self.store.forget_database_syncs(db);
        let lsn =
            self.store.log(RmgrId::DATABASE, DROP, self.top_xid_if_any().unwrap_or_default(), &data(spc, db));
        self.store.flush_wal(lsn);
        self.force_sync_commit();
        self.remove_directory(spc, db)
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
    /// Commit keeps the directories made, abort removes them.
    pub(crate) fn databases_at_end(&self, commit: bool) {
        let made = std::mem::take(&mut *self.pending_databases.borrow_mut());
        if commit {
            return;
        }
        for (spc, db) in made {
            self.store.forget_database_syncs(db);
            if let Err(e) = self.remove_directory(spc, db) {
                let mut r = e.report().clone();
                r.severity = common::Severity::Warning;
                self.notice(r);
            }
        }
    }
    /// Replays both records.
    pub(crate) fn database_redo(&self, r: &storage::Record) -> Result<()> {
        let mut d = Reader(r.data());
        let (Some(spc), Some(db)) = (d.u32(), d.u32()) else {
            return Err(Error::corrupted("invalid database record"));
        };
        let (spc, db) = (Oid(spc), Oid(db));
        match r.info & 0xF0 {
            CREATE => self.make_directory(spc, db),
            DROP => {
                self.store.forget_database_syncs(db);
                self.store.redo_forget_database(db);
                self.remove_directory(spc, db)
            }
            _ => Err(Error::corrupted("invalid database record")),
        }
    }
}
