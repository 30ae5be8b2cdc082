//! Transactions, locks and recovery with real processes.
#![allow(clippy::unwrap_used)]

mod common;

use ::common::{Oid, Xid};
use common::{Cluster, db, until};
use ipc::BackendKind;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::atomic::Ordering::SeqCst;
use storage::RelFileLocator;
use transam::*;

fn stmt(e: &Engine, f: impl FnOnce()) {
    e.start_command().unwrap();
    f();
    e.commit_command().unwrap();
}

#[test]
fn commits_survive_a_crash_and_unfinished_ones_do_not() {
    let c = Cluster::create("crash");
    c.recover();
    let w = c.words();
    c.run(BackendKind::Client, |e| {
        stmt(e, || w[0].store(e.current_xid().unwrap().0, SeqCst));
        // A tree: one savepoint released, one rolled back.
        stmt(e, || e.begin_block(&XactOptions::default()).unwrap());
        stmt(e, || w[1].store(e.current_xid().unwrap().0, SeqCst));
        stmt(e, || e.define_savepoint("a").unwrap());
        stmt(e, || w[2].store(e.current_xid().unwrap().0, SeqCst));
        stmt(e, || e.release_savepoint("a").unwrap());
        stmt(e, || e.define_savepoint("b").unwrap());
        stmt(e, || w[3].store(e.current_xid().unwrap().0, SeqCst));
        stmt(e, || e.rollback_to_savepoint("b").unwrap());
        stmt(e, || assert!(e.end_block(false).unwrap()));
        assert_eq!(e.status_byte(), b'I');
        stmt(e, || {
            w[4].store(e.current_xid().unwrap().0, SeqCst);
            let rel = RelFileLocator::new(Oid(1663), db(), e.new_oid().unwrap().0);
            w[5].store(u64::from(rel.rel_number), SeqCst);
            e.create_storage(rel, true).unwrap();
        });
        e.start_command().unwrap();
        w[6].store(e.current_xid().unwrap().0, SeqCst);
        let rel = RelFileLocator::new(Oid(1663), db(), 30000);
        e.create_storage(rel, true).unwrap();
        e.store().flush_wal(e.store().insert_lsn());
        ipc::fork::exit(0);
    });
    for round in 0..2 {
        let c = Cluster::attach(&c.dir);
        c.recover();
        c.run(BackendKind::Client, |e| {
            let x = |i: usize| Xid(w[i].load(SeqCst));
            e.start_command().unwrap();
            for i in [0, 1, 2, 4] {
                assert!(e.xid_did_commit(x(i)).unwrap(), "{i} in round {round}");
                assert!(!e.xid_is_in_progress(x(i)));
            }
            assert!(e.xid_did_abort(x(3)).unwrap());
            assert!(!e.xid_did_commit(x(6)).unwrap() && !e.xid_is_in_progress(x(6)));
            assert!(e.next_xid() >= x(4));
            assert!(e.new_oid().unwrap().0 > w[5].load(SeqCst) as u32);
            let rel = RelFileLocator::new(Oid(1663), db(), w[5].load(SeqCst) as u32);
            assert!(e.store().file_exists(rel, storage::Fork::Main).unwrap());
            e.commit_command().unwrap();
        });
    }
}

#[test]
fn aborted_creation_leaves_no_file() {
    let c = Cluster::create("files");
    c.recover();
    c.run(BackendKind::Client, |e| {
        let rel = |n| RelFileLocator::new(Oid(1663), db(), n);
        stmt(e, || e.begin_block(&XactOptions::default()).unwrap());
        stmt(e, || e.create_storage(rel(20000), true).unwrap());
        stmt(e, || e.define_savepoint("s").unwrap());
        stmt(e, || e.create_storage(rel(20001), true).unwrap());
        stmt(e, || e.drop_storage(rel(20000)));
        stmt(e, || e.rollback_to_savepoint("s").unwrap());
        stmt(e, || assert!(e.end_block(false).unwrap()));
        // A removed file's name stays occupied until the next checkpoint.
        e.store().become_checkpointer();
        let there = |n| {
            e.create_checkpoint(transam::checkpoint::flags::FORCE, 0, &mut |_| Ok(())).unwrap();
            e.store().file_exists(rel(n), storage::Fork::Main).unwrap()
        };
        assert!(there(20000) && !there(20001));
        stmt(e, || e.drop_storage(rel(20000)));
        e.start_command().unwrap();
        e.create_storage(rel(20002), true).unwrap();
        e.abort_command();
        assert!(!there(20002) && !there(20000));
    });
}

#[test]
fn block_states_and_messages() {
    let c = Cluster::create("blocks");
    c.recover();
    c.run(BackendKind::Client, |e| {
        let said = Rc::new(RefCell::new(Vec::new()));
        let s = said.clone();
        e.set_notice_sink(Rc::new(move |r| s.borrow_mut().push(format!("{} {}", r.sqlstate, r.message))));
        let take = || said.borrow_mut().drain(..).collect::<Vec<_>>();
        stmt(e, || assert!(e.end_block(false).unwrap()));
        assert_eq!(take(), ["25P01 there is no transaction in progress"]);
        stmt(e, || e.rollback_block(false).unwrap());
        assert_eq!(take(), ["25P01 there is no transaction in progress"]);
        stmt(e, || e.begin_block(&XactOptions::default()).unwrap());
        assert_eq!(e.status_byte(), b'T');
        stmt(e, || e.begin_block(&XactOptions::default()).unwrap());
        assert_eq!(take(), ["25001 there is already a transaction in progress"]);
        let err = |r: ::common::Result<()>| {
            let x = r.unwrap_err();
            format!("{} {}", x.sqlstate(), x.report().message)
        };
        e.start_command().unwrap();
        assert_eq!(err(e.release_savepoint("x")), "3B001 savepoint \"x\" does not exist");
        assert_eq!(
            err(e.prevent_in_block(true, "VACUUM")),
            "25001 VACUUM cannot run inside a transaction block"
        );
        e.abort_command();
        assert_eq!(e.status_byte(), b'E');
        assert!(e.is_aborted_block());
        stmt(e, || assert!(!e.end_block(false).unwrap()));
        assert_eq!(e.status_byte(), b'I');
        // A failed savepoint recovers by ROLLBACK TO.
        stmt(e, || e.begin_block(&XactOptions::default()).unwrap());
        stmt(e, || e.define_savepoint("s").unwrap());
        stmt(e, || {
            e.current_xid().unwrap();
        });
        e.start_command().unwrap();
        e.abort_command();
        assert_eq!(e.status_byte(), b'E');
        stmt(e, || e.rollback_to_savepoint("s").unwrap());
        assert_eq!(e.status_byte(), b'T');
        stmt(e, || assert!(e.end_block(true).unwrap()));
        assert_eq!(e.status_byte(), b'T');
        stmt(e, || e.rollback_block(false).unwrap());
        assert_eq!(e.status_byte(), b'I');
        e.start_command().unwrap();
        let o = XactOptions { isolation: Some(IsolationLevel::Serializable), ..XactOptions::default() };
        e.begin_block(&o).unwrap();
        e.abort_command();
    });
}

#[test]
fn snapshots_and_isolation() {
    let c = Cluster::create("snap");
    c.recover();
    let w = c.words();
    let other = c.spawn(|e| {
        stmt(e, || e.begin_block(&XactOptions::default()).unwrap());
        stmt(e, || w[0].store(e.current_xid().unwrap().0, SeqCst));
        stmt(e, || e.define_savepoint("s").unwrap());
        stmt(e, || w[1].store(e.current_xid().unwrap().0, SeqCst));
        until(|| w[2].load(SeqCst) == 1);
        stmt(e, || assert!(e.end_block(false).unwrap()));
        w[2].store(2, SeqCst);
    });
    until(|| w[1].load(SeqCst) != 0);
    c.run(BackendKind::Client, |e| {
        let (x, sub) = (Xid(w[0].load(SeqCst)), Xid(w[1].load(SeqCst)));
        stmt(e, || {
            e.begin_block(&XactOptions {
                isolation: Some(IsolationLevel::RepeatableRead),
                ..XactOptions::default()
            })
            .unwrap()
        });
        e.start_command().unwrap();
        let s = e.transaction_snapshot().unwrap();
        assert!(e.xid_in_snapshot(x, &s).unwrap() && e.xid_in_snapshot(sub, &s).unwrap());
        assert!(e.xid_is_in_progress(x) && e.xid_is_in_progress(sub));
        assert_eq!(e.oldest_xmin(false, false), x);
        assert_eq!(e.top_parent_xid(sub).unwrap(), x);
        e.commit_command().unwrap();
        w[2].store(1, SeqCst);
        until(|| w[2].load(SeqCst) == 2);
        e.start_command().unwrap();
        let again = e.transaction_snapshot().unwrap();
        assert!(e.xid_in_snapshot(x, &again).unwrap());
        assert!(!e.xid_is_in_progress(sub) && e.xid_did_commit(sub).unwrap());
        assert_eq!(e.oldest_xmin(false, false), x);
        assert!(!e.xid_in_snapshot(x, &e.latest_snapshot().unwrap()).unwrap());
        e.commit_command().unwrap();
        stmt(e, || assert!(e.end_block(false).unwrap()));
        stmt(e, || assert!(!e.xid_in_snapshot(x, &e.transaction_snapshot().unwrap()).unwrap()));
        assert!(e.oldest_xmin(false, false) > sub);
    });
    c.wait(other);
}

#[test]
fn a_deadlock_is_found_and_reported() {
    let c = Cluster::create("deadlock");
    c.recover();
    let w = c.words();
    let tag = |n| LockTag::relation(db(), Oid(n));
    let kid = |a: u32, b: u32, me: usize| {
        c.spawn(move |e| {
            e.set_lock_timeouts(50, 0);
            e.start_command().unwrap();
            e.lock_relation(db(), Oid(a), LockMode::AccessExclusive).unwrap();
            w[me].store(1, SeqCst);
            until(|| w[0].load(SeqCst) == 1 && w[1].load(SeqCst) == 1);
            match e.lock_relation(db(), Oid(b), LockMode::RowExclusive) {
                Ok(()) => {
                    w[2].fetch_add(1, SeqCst);
                    e.commit_command().unwrap();
                }
                Err(x) => {
                    assert_eq!(x.report().message, "deadlock detected");
                    let d = x.report().detail.clone().unwrap();
                    assert_eq!(d.lines().count(), 2, "{d}");
                    assert!(d.contains("waits for RowExclusiveLock on relation"), "{d}");
                    w[3].fetch_add(1, SeqCst);
                    e.abort_command();
                }
            }
        })
    };
    let (a, b) = (kid(100, 200, 0), kid(200, 100, 1));
    c.wait(a);
    c.wait(b);
    assert_eq!((w[2].load(SeqCst), w[3].load(SeqCst)), (1, 1));
    c.run(BackendKind::Client, |e| {
        e.start_command().unwrap();
        for n in [100, 200] {
            assert_eq!(
                e.lock(tag(n), LockMode::AccessExclusive, false, true).unwrap(),
                LockOutcome::Acquired
            );
        }
        e.commit_command().unwrap();
        assert!(e.shared().locks.locks.is_empty() && e.shared().locks.holders.is_empty());
    });
}

#[test]
fn locks_hammered_exclude_and_leave_nothing() {
    let c = Cluster::create("hammer");
    c.recover();
    let w = c.words();
    let kids: Vec<i32> = (0..4u64)
        .map(|k| {
            c.spawn(move |e| {
                let mut r = k + 1;
                for _ in 0..800 {
                    r = r.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                    let rel = (r >> 33) % 4;
                    e.start_command().unwrap();
                    let strong = (r >> 40) % 3 == 0;
                    let mode = if strong { LockMode::AccessExclusive } else { LockMode::RowExclusive };
                    e.lock_relation(db(), Oid(500 + rel as u32), mode).unwrap();
                    let cell = &w[10 + rel as usize];
                    if strong {
                        assert_eq!(cell.swap(1 << 32, SeqCst), 0);
                        cell.store(0, SeqCst);
                    } else {
                        assert!(cell.fetch_add(1, SeqCst) < 1 << 32);
                        cell.fetch_sub(1, SeqCst);
                    }
                    if (r >> 45) % 8 == 0 {
                        e.abort_command();
                    } else {
                        e.commit_command().unwrap();
                    }
                }
            })
        })
        .collect();
    kids.into_iter().for_each(|k| c.wait(k));
    c.run(BackendKind::Client, |e| {
        let t = &e.shared().locks;
        assert!(t.locks.is_empty() && t.holders.is_empty());
        assert!(t.strong.iter().all(|s| s.load(SeqCst) == 0));
    });
}

#[test]
fn waiting_for_a_transaction_lock_timeout_and_nowait() {
    let c = Cluster::create("waits");
    c.recover();
    let w = c.words();
    let holder = c.spawn(|e| {
        stmt(e, || e.begin_block(&XactOptions::default()).unwrap());
        stmt(e, || e.lock_relation(db(), Oid(7), LockMode::ShareRowExclusive).unwrap());
        stmt(e, || w[0].store(e.current_xid().unwrap().0, SeqCst));
        until(|| w[1].load(SeqCst) == 1);
        std::thread::sleep(std::time::Duration::from_millis(30));
        stmt(e, || assert!(e.end_block(false).unwrap()));
    });
    until(|| w[0].load(SeqCst) != 0);
    c.run(BackendKind::Client, |e| {
        let x = Xid(w[0].load(SeqCst));
        e.start_command().unwrap();
        assert!(!e.try_lock_relation(db(), Oid(7), LockMode::RowExclusive).unwrap());
        assert!(!e.try_wait_for_xid(x).unwrap());
        e.set_lock_timeouts(1000, 20);
        let err = e.lock_relation(db(), Oid(7), LockMode::RowExclusive).unwrap_err();
        assert_eq!(
            (err.sqlstate().as_str(), err.report().message.as_str()),
            ("55P03", "canceling statement due to lock timeout")
        );
        e.set_lock_timeouts(1000, 0);
        let shown = e.lock_status();
        assert!(shown.iter().any(|s| s.tag == LockTag::transaction(x) && s.granted));
        w[1].store(1, SeqCst);
        e.wait_for_xid(x, &|| None).unwrap();
        assert!(e.xid_did_commit(x).unwrap());
        e.commit_command().unwrap();
    });
    c.wait(holder);
}

#[test]
fn a_killed_backend_is_cleaned_up() {
    let c = Cluster::create("kill");
    c.recover();
    let w = c.words();
    let victim = c.spawn(|e| {
        stmt(e, || e.begin_block(&XactOptions::default()).unwrap());
        stmt(e, || e.lock_relation(db(), Oid(9), LockMode::AccessExclusive).unwrap());
        stmt(e, || e.lock_relation(db(), Oid(10), LockMode::RowExclusive).unwrap());
        stmt(e, || w[0].store(e.current_xid().unwrap().0, SeqCst));
        loop {
            e.proc().latch().wait(None);
        }
    });
    until(|| w[0].load(SeqCst) != 0);
    let waiter = c.spawn(|e| {
        e.start_command().unwrap();
        w[1].store(1, SeqCst);
        e.lock_relation(db(), Oid(9), LockMode::RowExclusive).unwrap();
        e.commit_command().unwrap();
    });
    until(|| w[1].load(SeqCst) == 1);
    std::thread::sleep(std::time::Duration::from_millis(30));
    let dead = c.kill(victim);
    assert!(dead.in_flight().is_clean());
    c.run(BackendKind::Cleaner, |e| e.cleanup_dead(dead).unwrap());
    c.wait(waiter);
    c.run(BackendKind::Client, |e| {
        let x = Xid(w[0].load(SeqCst));
        e.start_command().unwrap();
        assert!(!e.xid_is_in_progress(x) && e.xid_did_abort(x).unwrap());
        e.lock_relation(db(), Oid(10), LockMode::AccessExclusive).unwrap();
        e.commit_command().unwrap();
        assert!(e.shared().locks.strong.iter().all(|s| s.load(SeqCst) == 0));
    });
}

struct Seen(RefCell<Vec<InvalMsg>>, RefCell<u32>);
impl InvalHandler for Seen {
    fn invalidate(&self, _: &Engine, m: &InvalMsg) {
        self.0.borrow_mut().push(*m);
    }
    fn reset(&self, _: &Engine) {
        *self.1.borrow_mut() += 1;
    }
}

#[test]
fn invalidations_arrive_at_commit_only() {
    let c = Cluster::create("inval");
    c.recover();
    let w = c.words();
    let reader = c.spawn(|e| {
        let seen = Rc::new(Seen(RefCell::default(), RefCell::default()));
        e.set_inval_handler(seen.clone());
        e.accept_invalidations();
        w[0].store(1, SeqCst);
        until(|| w[1].load(SeqCst) == 1);
        e.accept_invalidations();
        assert_eq!(*seen.0.borrow(), [InvalMsg { kind: 1, db: 5, a: 2, b: 0 }]);
        let resets = *seen.1.borrow();
        w[0].store(2, SeqCst);
        until(|| w[1].load(SeqCst) == 2);
        e.accept_invalidations();
        assert_eq!(*seen.1.borrow(), resets + 1);
    });
    until(|| w[0].load(SeqCst) == 1);
    c.run(BackendKind::Client, |e| {
        let m = |a| InvalMsg { kind: 1, db: 5, a, b: 0 };
        e.start_command().unwrap();
        e.queue_invalidation(m(1));
        e.abort_command();
        stmt(e, || e.begin_block(&XactOptions::default()).unwrap());
        stmt(e, || e.queue_invalidation(m(2)));
        stmt(e, || e.define_savepoint("s").unwrap());
        stmt(e, || e.queue_invalidation(m(3)));
        stmt(e, || e.rollback_to_savepoint("s").unwrap());
        stmt(e, || {
            e.current_xid().unwrap();
        });
        stmt(e, || assert!(e.end_block(false).unwrap()));
        w[1].store(1, SeqCst);
        until(|| w[0].load(SeqCst) == 2);
        for i in 0..5000 {
            e.send_invalidations_now(&[m(i)]);
        }
        w[1].store(2, SeqCst);
    });
    c.wait(reader);
}

#[test]
fn multixacts_and_many_ids_survive() {
    let c = Cluster::create("multi");
    c.recover();
    let w = c.words();
    c.run(BackendKind::Client, |e| {
        // Enough subtransactions to overflow the slot's cache.
        stmt(e, || e.begin_block(&XactOptions::default()).unwrap());
        stmt(e, || w[0].store(e.current_xid().unwrap().0, SeqCst));
        for i in 0..100 {
            stmt(e, || e.define_savepoint("s").unwrap());
            stmt(e, || w[1].store(e.current_xid().unwrap().0, SeqCst));
            if i % 2 == 0 {
                stmt(e, || e.release_savepoint("s").unwrap());
            }
        }
        let (top, last) = (Xid(w[0].load(SeqCst)), Xid(w[1].load(SeqCst)));
        assert!(e.is_current_xid(last) && e.is_current_xid(top));
        e.start_command().unwrap();
        let m = e
            .multixact_create(
                Member { xid: top, status: MemberStatus::ForShare },
                Member { xid: last, status: MemberStatus::NoKeyUpdate },
            )
            .unwrap();
        w[2].store(m.0, SeqCst);
        assert!(e.multixact_is_running(m, true).unwrap());
        e.commit_command().unwrap();
        stmt(e, || assert!(e.end_block(false).unwrap()));
        for _ in 0..40_000 {
            stmt(e, || {
                e.current_xid().unwrap();
            });
            e.set_sync_commit(SyncCommit::Off);
        }
        w[3].store(e.next_xid().0 - 1, SeqCst);
        e.store().become_checkpointer();
        e.create_checkpoint(transam::checkpoint::flags::FORCE, 0, &mut |_| Ok(())).unwrap();
        stmt(e, || {
            e.current_xid().unwrap();
        });
        e.store().flush_wal(e.store().insert_lsn());
    });
    let c = Cluster::attach(&c.dir);
    c.recover();
    c.run(BackendKind::Client, |e| {
        e.start_command().unwrap();
        let m = ::common::MultiXactId(w[2].load(SeqCst));
        assert_eq!(e.multixact_members(m).unwrap().len(), 2);
        assert!(!e.multixact_is_running(m, false).unwrap());
        for x in [w[1].load(SeqCst), w[3].load(SeqCst), w[3].load(SeqCst) + 1, 32768, 32767] {
            assert!(e.xid_did_commit(Xid(x)).unwrap(), "{x}");
        }
        assert!(e.next_multixact().0 > m.0);
        e.commit_command().unwrap();
    });
}

#[test]
fn a_commit_half_way_makes_the_crash_uncontained() {
    let c = Cluster::create("inflight");
    c.recover();
    let w = c.words();
    let pid = c.spawn(|e| {
        let _crit = e.proc().critical_section();
        w[0].store(1, SeqCst);
        loop {
            e.proc().latch().wait(None);
        }
    });
    until(|| w[0].load(SeqCst) == 1);
    let dead = c.kill(pid);
    assert!(!dead.in_flight().is_clean());
    c.run(BackendKind::Cleaner, |e| assert!(e.cleanup_dead(dead).is_err()));
}

#[test]
fn below_xmax_everything_is_running_or_over() {
    let c = Cluster::create("consistent");
    c.recover();
    let w = c.words();
    let writers: Vec<i32> = (0..3u64)
        .map(|k| {
            c.spawn(move |e| {
                e.set_sync_commit(SyncCommit::Off);
                let mut i = k;
                while w[0].load(SeqCst) < 2 {
                    i += 1;
                    stmt(e, || e.begin_block(&XactOptions::default()).unwrap());
                    stmt(e, || {
                        e.current_xid().unwrap();
                    });
                    stmt(e, || e.define_savepoint("s").unwrap());
                    stmt(e, || {
                        e.current_xid().unwrap();
                    });
                    if i % 3 == 0 {
                        stmt(e, || e.rollback_to_savepoint("s").unwrap());
                    }
                    stmt(e, || assert!(e.end_block(false).unwrap()));
                }
            })
        })
        .collect();
    let readers: Vec<i32> = (0..2)
        .map(|_| {
            c.spawn(move |e| {
                for _ in 0..3000 {
                    e.start_command().unwrap();
                    let s = e.transaction_snapshot().unwrap();
                    let horizon = e.oldest_xmin(false, false);
                    assert!(horizon <= s.xmin, "{horizon} {s:?}");
                    for x in s.xmax.0.saturating_sub(12).max(3)..s.xmax.0 {
                        if !e.xid_in_snapshot(Xid(x), &s).unwrap() {
                            let st = e.xid_status(Xid(x)).unwrap().0;
                            assert!(st != XidStatus::InProgress, "{x} {s:?}");
                            assert!(!e.xid_is_in_progress(Xid(x)));
                        }
                    }
                    e.commit_command().unwrap();
                }
                w[0].fetch_add(1, SeqCst);
            })
        })
        .collect();
    readers.into_iter().chain(writers).for_each(|k| c.wait(k));
}

#[test]
fn a_copied_database_survives_and_an_aborted_copy_does_not() {
    let c = Cluster::create("copydb");
    c.recover();
    let locate = |db, n| RelFileLocator::new(Oid(1663), Oid(db), n);
    c.run(BackendKind::Client, |e| {
        stmt(e, || {
            e.create_storage(locate(5, 700), true).unwrap();
            for i in 0..3u8 {
                let mut p = e.store().extend(locate(5, 700), storage::Fork::Main, None).unwrap().exclusive();
                let crit = e.store().begin_critical();
                crit.page(&mut p).init(0);
                crit.page(&mut p).add_item(&[i; 40]);
                e.store().log_full_page(&mut p, true);
                crit.unlogged();
            }
        });
        stmt(e, || e.create_database_files(Oid(1663), Oid(5), Oid(6)).unwrap());
        e.start_command().unwrap();
        e.create_database_files(Oid(1663), Oid(5), Oid(7)).unwrap();
        e.abort_command();
        assert!(!e.data_dir().join("base/7").exists());
        stmt(e, || e.create_database_files(Oid(1663), Oid(5), Oid(8)).unwrap());
        stmt(e, || e.drop_database_files(Oid(1663), Oid(8)).unwrap());
        assert!(!e.data_dir().join("base/8").exists());
        ipc::fork::exit(0);
    });
    let c = Cluster::attach(&c.dir);
    c.recover();
    c.run(BackendKind::Client, |e| {
        assert!(e.data_dir().join("base/6/PG_VERSION").exists());
        assert!(!e.data_dir().join("base/8").exists());
        assert_eq!(e.store().nblocks(locate(6, 700), storage::Fork::Main).unwrap().0, 3);
        for i in 0..3u8 {
            let p = e.store().read_main(locate(6, 700), ::common::BlockNumber(u32::from(i))).unwrap();
            assert_eq!(p.share().item(1).unwrap(), &[i; 40]);
        }
    });
}

#[test]
fn a_held_snapshot_keeps_the_horizon_down() {
    let c = Cluster::create("held");
    c.recover();
    let other = |c: &Cluster| {
        c.run(BackendKind::Client, |e| {
            stmt(e, || {
                e.current_xid().unwrap();
            });
        });
    };
    c.run(BackendKind::Client, |e| {
        stmt(e, || e.begin_block(&XactOptions::default()).unwrap());
        e.start_command().unwrap();
        let cursor = e.transaction_snapshot().unwrap();
        e.commit_command().unwrap();
        other(&c);
        stmt(e, || assert!(e.transaction_snapshot().unwrap().xmin > cursor.xmin));
        assert_eq!(e.oldest_xmin(false, false), cursor.xmin);
        let was = cursor.xmin;
        drop(cursor);
        e.start_command().unwrap();
        drop(e.transaction_snapshot().unwrap());
        e.commit_command().unwrap();
        assert!(e.oldest_xmin(false, false) > was);
        e.abort_any();
    });
}
