//! Recovery: reads the log from the last checkpoint's redo pointer to its end and hands each record to its handler.
//! Run by the startup process before anyone connects. A crash in the middle just begins again: handlers are idempotent
//! (pages by their LSN, the rest by nature), and the control file moves only with the checkpoint at the end.

use crate::control::{CheckPoint, ControlFile, DbState};
use crate::xact::record::{ABORT, COMMIT, CommitRecord, Reader};
use crate::{Engine, XidStatus, checkpoint, files, multixact, oid, slru, status};
use common::{BlockNumber, Error, Lsn, Report, Result, Severity, SqlState, Xid};
use std::sync::atomic::Ordering::{Relaxed, Release, SeqCst};
use std::time::{Duration, Instant};
use storage::{Fork, Record, RmgrId, WalReader};

/// What handlers work with.
pub struct RedoCtx<'a> {
    pub engine: &'a Engine,
}

/// Replays one record.
pub type RedoFn = fn(&RedoCtx<'_>, &Record) -> Result<()>;

/// Handlers by resource.
pub struct RedoTable([Option<(&'static str, RedoFn)>; 256]);

impl Default for RedoTable {
    fn default() -> Self {
        RedoTable::new()
    }
}

impl RedoTable {
    /// A table with the handlers of this crate.
    pub fn new() -> RedoTable {
        let mut t = RedoTable([None; 256]);
        t.register(RmgrId::XLOG, "XLOG", redo_xlog);
        t.register(RmgrId::TRANSACTION, "Transaction", redo_xact);
        t.register(RmgrId::STORAGE, "Storage", redo_storage);
        t.register(RmgrId::MULTIXACT, "MultiXact", redo_multixact);
        t.register(RmgrId::DATABASE, "Database", |cx, r| cx.engine.database_redo(r));
        t
    }
    /// Adds or replaces a handler.
    pub fn register(&mut self, id: RmgrId, name: &'static str, f: RedoFn) {
        self.0[id.0 as usize] = Some((name, f));
    }
    /// Name of a resource.
    pub fn name(&self, id: RmgrId) -> &'static str {
        self.0[id.0 as usize].map_or("???", |h| h.0)
    }
}

/// What recovery found.
#[derive(Clone, Copy, Debug, Default)]
pub struct RecoveryReport {
    /// False: the cluster had been shut down properly.
    pub needed: bool,
    pub redo_start: Lsn,
    /// End of the valid log.
    pub end: Lsn,
    pub records: u64,
}

impl Engine {
    fn log_line(&self, text: String) {
        self.notice(Report::new(Severity::Log, SqlState::SUCCESSFUL_COMPLETION, text));
    }
    /// Brings the cluster to a state in which transactions can run. Errors are fatal to the server. A line in the log tells
    /// of the progress after every `every` (zero: never).
    pub fn perform_recovery(&self, table: &RedoTable, every: Duration) -> Result<RecoveryReport> {
        let control = ControlFile::read(&self.data_dir)?;
        if control.checkpoint_end.0 == 0 {
            return Err(Error::corrupted("control file contains invalid checkpoint location").fatal());
        }
        self.store.become_checkpointer();
        let clean = control.state == DbState::Shutdowned;
        if !clean {
            self.log_line(
                "database system was not properly shut down; automatic recovery in progress".into(),
            );
            // What the kernel had not written when the machine went down must not be taken for durable.
            storage::datadir::sync_tree(&self.data_dir.join("pg_xact"))?;
            self.update_control(|c| c.state = DbState::InCrashRecovery)?;
        }
        self.load_counters(&control.copy);
        let report = self.replay(table, &control, every)?;
        self.finish_recovery(&control, report)?;
        Ok(report)
    }
    fn load_counters(&self, k: &CheckPoint) {
        let c = self.shared.c;
        c.in_recovery.store(1, SeqCst);
        c.next_xid.store(k.next_xid.0, Relaxed);
        c.next_oid.store(k.next_oid.0, Relaxed);
        c.oids_left.store(0, Relaxed);
        c.next_multi.store(k.next_multi.0, Relaxed);
        c.next_member.store(k.next_member, Relaxed);
        c.oldest_xid.store(k.oldest_xid.0, Relaxed);
        c.oldest_multi.store(k.oldest_multi.0, Relaxed);
    }
    fn replay(&self, table: &RedoTable, control: &ControlFile, every: Duration) -> Result<RecoveryReport> {
        let (begun, mut told) = (Instant::now(), Instant::now());
        let start = control.copy.redo;
        let mut reader =
            WalReader::new(&self.data_dir, control.copy.timeline, control.system_identifier, start).syncing();
        let mut report = RecoveryReport { redo_start: start, ..RecoveryReport::default() };
        let mut seen_checkpoint = false;
        let cx = RedoCtx { engine: self };
        while reader.next_record()?.is_some() {
            let r = reader.current();
            let is_it = r.end == control.checkpoint_end && r.rmgr == RmgrId::XLOG;
            seen_checkpoint |= is_it;
            let proper_end = is_it && control.state == DbState::Shutdowned;
            if !proper_end && !report.needed {
                report.needed = true;
                self.log_line(format!("redo starts at {start}"));
            }
            self.replay_one(table, &cx, r)?;
            report.records += 1;
            if !every.is_zero() && told.elapsed() >= every {
                told = Instant::now();
                let (took, at) = (begun.elapsed().as_secs_f64(), r.start);
                self.log_line(format!("redo in progress, elapsed time: {took:.2} s, current LSN: {at}"));
            }
            if self.interrupts.peek(ipc::signals::TERMINATE) != 0 {
                return Err(common::err!(ADMIN_SHUTDOWN, "terminating recovery on request").fatal());
            }
        }
        if !seen_checkpoint {
            return Err(
                Error::corrupted("could not locate a valid checkpoint record").severity(Severity::Panic)
            );
        }
        report.end = reader.end_lsn();
        if report.needed {
            self.log_line(format!("redo done at {}", reader.current().start));
        }
        Ok(report)
    }
    fn replay_one(&self, table: &RedoTable, cx: &RedoCtx<'_>, r: &Record) -> Result<()> {
        if r.xid.is_normal() {
            self.shared.c.next_xid.fetch_max(r.xid.0 + 1, Relaxed);
        }
        let Some((name, f)) = table.0[r.rmgr.0 as usize] else {
            return Err(Error::corrupted(format!("unexpected resource manager {} at {}", r.rmgr.0, r.start)));
        };
        f(cx, r).map_err(|e| {
            e.context(format!("WAL redo at {} for {name}/{:02X}", r.start, r.info)).severity(Severity::Panic)
        })
    }
    fn finish_recovery(&self, control: &ControlFile, report: RecoveryReport) -> Result<()> {
        self.store.redo_check_missing()?;
        let c = self.shared.c;
        let next = c.next_xid.load(Relaxed);
        c.latest_completed.store(next - 1, Relaxed);
        c.life_xid.store(next, Relaxed);
        c.completions.store(1, Release);
        self.prepare_status_pages(&control.copy)?;
        self.store.remove_temp_relations()?;
        if report.needed || control.state != DbState::Shutdowned {
            self.store.reset_unlogged_relations()?;
        }
        self.store.start_wal(report.end, report.end)?;
        c.ckpt_lsn.store(control.checkpoint_end.0, Relaxed);
        c.ckpt_time.store(control.copy.time, Relaxed);
        c.recovery_end.store(report.end.0, Relaxed);
        c.in_recovery.store(0, SeqCst);
        if report.needed || control.state != DbState::Shutdowned {
            let what = checkpoint::flags::END_OF_RECOVERY | checkpoint::flags::IMMEDIATE;
            self.create_checkpoint(what, 0, &mut |_| Ok(()))?;
        }
        self.update_control(|c| c.state = DbState::InProduction)?;
        self.store.resign_checkpointer();
        Ok(())
    }
    /// The pages that hold the next ids exist from here on; pg_subtrans begins empty.
    fn prepare_status_pages(&self, k: &CheckPoint) -> Result<()> {
        let c = self.shared.c;
        let words = slru::PAGE_WORDS as u64;
        let pages = |from: u64, to: u64, per: u64| from / per..=to.max(from) / per;
        self.with_slru(|cx| {
            for p in pages(k.next_xid.0, c.next_xid.load(Relaxed), status::XIDS_PER_PAGE) {
                self.shared.clog.touch_page(cx, p)?;
            }
            for p in pages(k.next_multi.0, c.next_multi.load(Relaxed), words) {
                self.shared.offsets.touch_page(cx, p)?;
            }
            for p in pages(k.next_member, c.next_member.load(Relaxed), words) {
                self.shared.members.touch_page(cx, p)?;
            }
            self.shared.subtrans.remove_all(cx)?;
            self.shared.subtrans.zero_page(cx, c.next_xid.load(Relaxed) / words)
        })
    }

    /// Makes the first transaction of a cluster possible (initdb): counters, log, control file. The directories exist.
    pub fn bootstrap_cluster(&self, control: &ControlFile) -> Result<()> {
        let first = storage::Store::first_wal_lsn();
        let mut control = control.clone();
        control.copy.next_xid = Xid::FIRST_NORMAL;
        control.copy.next_oid = common::Oid(12000);
        control.copy.next_multi = common::MultiXactId(1);
        control.copy.next_member = 1;
        control.copy.oldest_xid = Xid::FIRST_NORMAL;
        control.copy.oldest_multi = common::MultiXactId(1);
        control.copy.redo = first;
        self.load_counters(&control.copy);
        let c = self.shared.c;
        c.latest_completed.store(Xid::FIRST_NORMAL.0 - 1, Relaxed);
        c.life_xid.store(Xid::FIRST_NORMAL.0, Relaxed);
        c.completions.store(1, Release);
        self.prepare_status_pages(&control.copy)?;
        self.store.become_checkpointer();
        self.store.start_wal(first, first)?;
        c.in_recovery.store(0, SeqCst);
        control.write(&self.data_dir)
    }
}

fn bad(what: &str) -> Error {
    Error::corrupted(format!("invalid {what} record"))
}

fn redo_xlog(cx: &RedoCtx<'_>, r: &Record) -> Result<()> {
    let c = cx.engine.shared.c;
    match r.info & 0xF0 {
        checkpoint::NOOP => Ok(()),
        oid::NEXT_OID => {
            let next = Reader(r.data()).u32().ok_or_else(|| bad("next oid"))?;
            c.next_oid.store(next, Relaxed);
            c.oids_left.store(0, Relaxed);
            Ok(())
        }
        checkpoint::CHECKPOINT_SHUTDOWN | checkpoint::CHECKPOINT_ONLINE => {
            let k = CheckPoint::decode(r.data()).ok_or_else(|| bad("checkpoint"))?;
            c.next_xid.fetch_max(k.next_xid.0, Relaxed);
            c.next_multi.fetch_max(k.next_multi.0, Relaxed);
            c.next_member.fetch_max(k.next_member, Relaxed);
            c.next_oid.store(k.next_oid.0, Relaxed);
            Ok(())
        }
        0xA0 | 0xB0 => cx.engine.store.redo_images(r),
        // NOOP, SWITCH and the like change nothing.
        _ => Ok(()),
    }
}

fn redo_xact(cx: &RedoCtx<'_>, r: &Record) -> Result<()> {
    let e = cx.engine;
    let rec = CommitRecord::decode(r.data()).ok_or_else(|| bad("transaction"))?;
    for x in &rec.children {
        e.shared.c.next_xid.fetch_max(x.0 + 1, Relaxed);
    }
    let outcome = match r.info & 0x70 {
        COMMIT => XidStatus::Committed,
        ABORT => XidStatus::Aborted,
        _ => return Err(bad("transaction")),
    };
    e.with_slru(|s| status::set_tree(&e.shared.clog, s, r.xid, &rec.children, outcome, Lsn::INVALID))?;
    e.remove_files(&rec.files, true)
}

fn redo_storage(cx: &RedoCtx<'_>, r: &Record) -> Result<()> {
    let store = &cx.engine.store;
    let mut d = Reader(r.data());
    let rel = d.locator().ok_or_else(|| bad("storage"))?;
    let fork = |d: &mut Reader<'_>| d.u8().and_then(Fork::from_u8).ok_or_else(|| bad("storage"));
    match r.info & 0xF0 {
        files::CREATE => store.create_file(rel, fork(&mut d)?, true),
        files::TRUNCATE => {
            // The file may be gone already; later log drops it again.
            store.create_file(rel, Fork::Main, true)?;
            let mut forks = Vec::new();
            while !d.0.is_empty() {
                let f = fork(&mut d)?;
                let n = BlockNumber(d.u32().ok_or_else(|| bad("storage"))?);
                store.redo_forget_truncated(rel, f, n);
                forks.push((f, n));
            }
            store.truncate_files(rel, &forks)
        }
        _ => Err(bad("storage")),
    }
}

fn redo_multixact(cx: &RedoCtx<'_>, r: &Record) -> Result<()> {
    match r.info & 0xF0 {
        multixact::CREATE_ID => cx.engine.multixact_redo(r.data(), Lsn::INVALID),
        _ => Err(bad("multixact")),
    }
}
