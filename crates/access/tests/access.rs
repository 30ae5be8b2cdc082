//! Heap and btree with real processes over a scratch cluster: one process, several, and crashes.
#![allow(clippy::unwrap_used)]

mod common;

use access::*;
use common::{Cluster, Rnd, Table, stmt};
use ipc::BackendKind;
use transam::XactOptions;
use types::Datum;

fn key(s: Strategy, v: i32) -> ScanKey {
    ScanKey { column: 1, op: ScanOp::Cmp(s, Datum::I32(v), None) }
}

#[test]
fn insert_and_read_back() {
    let c = Cluster::create("basic");
    c.recover();
    c.run(BackendKind::Client, |e| {
        let t = stmt(e, || {
            let t = Table::create(e);
            for i in 0..3000 {
                t.insert(e, (i * 7919) % 3000, i % 10, &format!("row {i}")).unwrap();
            }
            t
        });
        stmt(e, || {
            assert_eq!(t.rows(e).len(), 3000);
            let all = t.by_index(e, &t.unique, vec![], Direction::Forward);
            assert_eq!(all.iter().map(|r| r.0).collect::<Vec<_>>(), (0..3000).collect::<Vec<_>>());
            let back = t.by_index(e, &t.unique, vec![], Direction::Backward);
            assert_eq!(back.iter().map(|r| r.0).collect::<Vec<_>>(), (0..3000).rev().collect::<Vec<_>>());
            for v in [0, 1, 1500, 2999] {
                assert_eq!(t.find(e, v).unwrap().0, v);
            }
            assert!(t.find(e, 3000).is_none());
            for dir in [Direction::Forward, Direction::Backward] {
                let n = |k: Vec<ScanKey>| t.by_index(e, &t.unique, k, dir).len();
                assert_eq!(n(vec![key(Strategy::Lt, 100)]), 100);
                assert_eq!(n(vec![key(Strategy::Le, 100)]), 101);
                assert_eq!(n(vec![key(Strategy::Ge, 100), key(Strategy::Lt, 700)]), 600);
                assert_eq!(n(vec![key(Strategy::Gt, 2990)]), 9);
                assert_eq!(n(vec![ScanKey { column: 1, op: ScanOp::IsNull }]), 0);
                let any = ScanOp::Any([5, 2999, 5, 17, 9999].map(Datum::I32).to_vec(), None);
                assert_eq!(n(vec![ScanKey { column: 1, op: any }]), 3);
            }
            let b3 = t.by_index(e, &t.second, vec![key(Strategy::Eq, 3)], Direction::Forward);
            assert_eq!(b3.len(), 300);
            t.verify(e);
        });
        stmt(e, || e.begin_block(&XactOptions::default()).unwrap());
        e.start_command().unwrap();
        let err = t.insert(e, 17, 0, "dup").unwrap_err();
        assert_eq!(err.report().message, "duplicate key value violates unique constraint \"t_pkey\"");
        assert_eq!(err.report().detail.as_deref(), Some("Key (a)=(17) already exists."));
        e.abort_command();
        stmt(e, || e.rollback_block(false).unwrap());
        stmt(e, || {
            assert_eq!(t.rows(e).len(), 3000);
            t.verify(e);
        });
    });
}

#[test]
fn updates_deletes_toast_and_vacuum() {
    let c = Cluster::create("update");
    c.recover();
    c.run(BackendKind::Client, |e| {
        let t = stmt(e, || Table::create(e));
        let big: String =
            (0..20000u32).map(|i| char::from(b'a' + (i * i % 23 + i / 977 % 3) as u8)).collect();
        let mut rnd = Rnd(5);
        let noise: String = (0..30000).map(|_| char::from(b' ' + rnd.below(90) as u8)).collect();
        stmt(e, || {
            for i in 0..500 {
                let text = match i % 50 {
                    0 => noise.as_str(),
                    1 => big.as_str(),
                    _ => "small",
                };
                t.insert(e, i, i % 7, text).unwrap();
            }
        });
        stmt(e, || {
            assert_eq!(t.find(e, 50).unwrap().2, noise);
            assert_eq!(t.find(e, 51).unwrap().2, big);
            assert_eq!(t.rows(e).iter().filter(|r| r.2 == noise).count(), 10);
        });
        // HOT updates of one row, many times over: pruning keeps the table from growing.
        let mut hot = 0;
        for n in 0..2000 {
            stmt(e, || {
                let r = t.find(e, 7).unwrap();
                let u = t.update(e, r.3, 7, r.1, &format!("version {n}"), LockWait::Block).unwrap();
                assert_eq!(u.result, TmResult::Ok);
                hot += u32::from(!u.needs_index);
            });
        }
        assert!(hot > 1000, "{hot}");
        let pages = e.store().nblocks(t.rel.locator, storage::Fork::Main).unwrap();
        assert!(pages.0 < 20, "{pages}");
        stmt(e, || {
            assert_eq!(t.find(e, 7).unwrap().2, "version 1999");
            t.verify(e);
        });
        // Key changes and deletions.
        stmt(e, || {
            for r in t.rows(e) {
                if r.0 % 3 == 0 {
                    let cid = e.current_command_id(true);
                    assert_eq!(heap::delete(e, &t.rel, r.3, cid, LockWait::Block).unwrap(), TmResult::Ok);
                } else if r.0 % 3 == 1 {
                    let u = t.update(e, r.3, r.0 + 10000, r.1 + 1, &r.2, LockWait::Block).unwrap();
                    assert!(u.result == TmResult::Ok && u.needs_index);
                }
            }
        });
        stmt(e, || {
            assert_eq!(t.rows(e).len(), 500 - 167);
            assert!(t.find(e, 3).is_none() && t.find(e, 10004).is_some());
            assert_eq!(t.find(e, 10001).unwrap().2, big);
            t.verify(e);
        });
        let s = stmt(e, || t.vacuum(e));
        assert!(s.lpdead_items > 0 && s.index_scans == 1, "{s:?}");
        let s = stmt(e, || t.vacuum(e));
        assert_eq!(s.live_tuples, 333, "{s:?}");
        assert!(s.all_visible_pages > 0, "{s:?}");
        stmt(e, || {
            assert_eq!(t.rows(e).len(), 333);
            t.verify(e);
            let sample = sample_rows(e, &t.rel, 100, &mut || 0.5).unwrap();
            assert_eq!(sample.rows.rows, 100);
            assert_eq!(sample.total_rows, 333.0);
        });
        // Everything goes: the file is cut off and pages of the index are deleted.
        stmt(e, || {
            for r in t.rows(e) {
                heap::delete(e, &t.rel, r.3, e.current_command_id(true), LockWait::Block).unwrap();
            }
        });
        stmt(e, || t.vacuum(e));
        stmt(e, || t.verify(e));
        assert_eq!(e.store().nblocks(t.rel.locator, storage::Fork::Main).unwrap().0, 0);
    });
}

#[test]
fn savepoints_and_own_changes() {
    let c = Cluster::create("own");
    c.recover();
    c.run(BackendKind::Client, |e| {
        let t = stmt(e, || Table::create(e));
        stmt(e, || t.insert(e, 1, 1, "one").unwrap());
        stmt(e, || e.begin_block(&XactOptions::default()).unwrap());
        stmt(e, || {
            let r = t.find(e, 1).unwrap();
            t.update(e, r.3, 1, 1, "two", LockWait::Block).unwrap();
            // The same command does not see it.
            assert_eq!(t.find(e, 1).unwrap().2, "one");
        });
        stmt(e, || assert_eq!(t.find(e, 1).unwrap().2, "two"));
        stmt(e, || e.define_savepoint("s").unwrap());
        stmt(e, || {
            let r = t.find(e, 1).unwrap();
            t.update(e, r.3, 1, 5, "three", LockWait::Block).unwrap();
            t.insert(e, 2, 2, "second").unwrap();
        });
        stmt(e, || assert_eq!((t.find(e, 1).unwrap().2.as_str(), t.rows(e).len()), ("three", 2)));
        stmt(e, || e.rollback_to_savepoint("s").unwrap());
        stmt(e, || {
            assert_eq!((t.find(e, 1).unwrap().2.as_str(), t.rows(e).len()), ("two", 1));
            let r = t.find(e, 1).unwrap();
            heap::delete(e, &t.rel, r.3, e.current_command_id(true), LockWait::Block).unwrap();
        });
        stmt(e, || assert!(t.find(e, 1).is_none()));
        stmt(e, || t.insert(e, 1, 1, "again").unwrap());
        stmt(e, || assert!(e.end_block(false).unwrap()));
        stmt(e, || {
            assert_eq!(t.find(e, 1).unwrap().2, "again");
            t.verify(e);
        });
    });
}

#[test]
fn concurrent_processes_then_crash_then_redo() {
    let c = Cluster::create("crash");
    c.recover();
    c.run(BackendKind::Client, |e| {
        stmt(e, || Table::create(e));
    });
    let w = c.words();
    let workers = 4;
    let pids: Vec<i32> = (0..workers)
        .map(|n| {
            c.spawn(move |e| {
                let t = Table::describe();
                let mut rnd = Rnd(n as u64 + 11);
                for i in 0..400 {
                    let a = i * workers + n;
                    stmt(e, || t.insert(e, a, rnd.below(20) as i32, "new").unwrap());
                    w[n as usize].store(i as u64 + 1, std::sync::atomic::Ordering::SeqCst);
                    if i % 3 == 0 {
                        stmt(e, || {
                            let r = t.find(e, a).unwrap();
                            let u = t.update(e, r.3, a, r.1 + (i % 2), "updated", LockWait::Block).unwrap();
                            assert_eq!(u.result, TmResult::Ok);
                        });
                    }
                    // One row that all fight for.
                    stmt(e, || {
                        let Some(r) = t.find(e, 0) else { return };
                        let mut at = r.3;
                        loop {
                            let n: i32 = r.2.parse().unwrap_or(0);
                            let u = t.update(e, at, 0, r.1, &format!("{}", n + 1), LockWait::Block).unwrap();
                            match u.result {
                                TmResult::Updated { ctid, .. } => at = ctid,
                                _ => break,
                            }
                        }
                    });
                }
            })
        })
        .collect();
    for p in pids {
        c.wait(p);
    }
    c.run(BackendKind::Client, |e| {
        let t = Table::describe();
        stmt(e, || {
            assert_eq!(t.rows(e).len(), 1600);
            t.verify(e);
        });
        stmt(e, || t.vacuum(e));
        stmt(e, || t.verify(e));
        e.store().flush_wal(e.store().insert_lsn());
    });
    // Crash: the shared memory is forgotten; twice.
    for _ in 0..2 {
        let c = Cluster::attach(&c.dir);
        c.recover();
        c.run(BackendKind::Client, |e| {
            let t = Table::describe();
            stmt(e, || {
                assert_eq!(t.rows(e).len(), 1600);
                let all = t.by_index(e, &t.unique, vec![], Direction::Forward);
                assert_eq!(all.iter().map(|r| r.0).collect::<Vec<_>>(), (0..1600).collect::<Vec<_>>());
                t.verify(e);
            });
        });
    }
}

#[test]
fn build_agrees_with_inserts() {
    let c = Cluster::create("build");
    c.recover();
    c.run(BackendKind::Client, |e| {
        let t = stmt(e, || {
            let t = Table::create(e);
            for i in 0..4000 {
                t.insert(e, i, (i * 31) % 97, "x").unwrap();
            }
            t
        });
        stmt(e, || {
            for (n, memory) in [(30001u32, 64 << 20), (30002, 0)] {
                let mut r = (*t.second).clone();
                r.rel.locator.rel_number = n;
                e.create_storage(r.rel.locator, true).unwrap();
                let mut b = BtBuild::new(e, &r, memory);
                // A small memory spills only beyond a megabyte: add entries until it does.
                for row in t.rows(e) {
                    b.add(&[types::DatumRef::I32(row.1)], row.3, true).unwrap();
                }
                assert_eq!(b.finish(e).unwrap(), 4000);
                assert_eq!(verify::check_btree(e, &r, &t.rel, true).unwrap(), Vec::<String>::new());
                let r = std::rc::Rc::new(r);
                assert_eq!(t.by_index(e, &r, vec![key(Strategy::Eq, 5)], Direction::Forward).len(), 42);
                assert_eq!(t.by_index(e, &r, vec![], Direction::Backward).len(), 4000);
            }
            let mut u = (*t.unique).clone();
            u.rel.locator.rel_number = 30003;
            e.create_storage(u.rel.locator, true).unwrap();
            let mut b = BtBuild::new(e, &u, 1 << 20);
            for row in t.rows(e) {
                b.add(&[types::DatumRef::I32(row.1)], row.3, true).unwrap();
            }
            let err = b.finish(e).unwrap_err();
            assert_eq!(err.report().message, "could not create unique index \"t_pkey\"");
        });
    });
}
