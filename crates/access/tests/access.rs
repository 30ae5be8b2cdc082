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
        e.start_command().unwrap();
        e.rollback_block(false).unwrap();
        e.commit_command().unwrap();
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
                    b.add(&[types::DatumRef::I32(row.1)], row.3).unwrap();
                }
                assert_eq!(b.finish(e).unwrap(), 4000);
                assert_eq!(verify::check_btree(e, &r, &t.rel, true).unwrap(), Vec::<String>::new());
                let r = std::rc::Rc::new(r);
                assert_eq!(t.by_index(e, &r, vec![key(Strategy::Eq, 5)], Direction::Forward).len(), 41);
                assert_eq!(t.by_index(e, &r, vec![], Direction::Backward).len(), 4000);
            }
            let mut u = (*t.unique).clone();
            u.rel.locator.rel_number = 30003;
            e.create_storage(u.rel.locator, true).unwrap();
            let mut b = BtBuild::new(e, &u, 1 << 20);
            for row in t.rows(e) {
                b.add(&[types::DatumRef::I32(row.1)], row.3).unwrap();
            }
            let err = b.finish(e).unwrap_err();
            assert_eq!(err.report().message, "could not create unique index \"t_pkey\"");
        });
    });
}

#[test]
fn row_locks_between_processes() {
    let c = Cluster::create("locks");
    c.recover();
    c.run(BackendKind::Client, |e| {
        let t = stmt(e, || Table::create(e));
        stmt(e, || t.insert(e, 1, 1, "one").unwrap());
    });
    let w = c.words();
    use std::sync::atomic::Ordering::SeqCst;
    // A holds a key-share lock; B updates a non-key column meanwhile, cannot change the key, and C sees both.
    let a = c.spawn(move |e| {
        let t = Table::describe();
        stmt(e, || e.begin_block(&XactOptions::default()).unwrap());
        stmt(e, || {
            let r = t.find(e, 1).unwrap();
            let cid = e.current_command_id(false);
            let m = heap::lock_tuple(e, &t.rel, r.3, cid, RowLock::KeyShare, LockWait::Block, true);
            assert_eq!(m.unwrap(), TmResult::Ok);
        });
        w[0].store(1, SeqCst);
        common::until(|| w[0].load(SeqCst) == 2);
        stmt(e, || assert!(e.end_block(false).unwrap()));
    });
    common::until(|| w[0].load(SeqCst) == 1);
    let b = c.spawn(move |e| {
        let t = Table::describe();
        stmt(e, || e.begin_block(&XactOptions::default()).unwrap());
        stmt(e, || {
            let r = t.find(e, 1).unwrap();
            let u = t.update(e, r.3, 1, 1, "two", LockWait::Block).unwrap();
            assert_eq!((u.result, u.lock), (TmResult::Ok, RowLock::NoKeyUpdate));
        });
        w[1].store(1, SeqCst);
        common::until(|| w[1].load(SeqCst) == 2);
        stmt(e, || assert!(e.end_block(false).unwrap()));
    });
    common::until(|| w[1].load(SeqCst) == 1);
    c.run(BackendKind::Client, |e| {
        let t = Table::describe();
        stmt(e, || {
            let r = t.find(e, 1).unwrap();
            assert_eq!(r.2, "one");
            let cid = e.current_command_id(false);
            let lock = |mode, wait| heap::lock_tuple(e, &t.rel, r.3, cid, mode, wait, true);
            assert_eq!(lock(RowLock::Exclusive, LockWait::Skip).unwrap(), TmResult::WouldBlock);
            assert_eq!(lock(RowLock::Share, LockWait::Skip).unwrap(), TmResult::WouldBlock);
            let err = lock(RowLock::NoKeyUpdate, LockWait::Error).unwrap_err();
            assert_eq!(err.report().message, "could not obtain lock on row in relation \"t\"");
            assert_eq!(lock(RowLock::KeyShare, LockWait::Skip).unwrap(), TmResult::Ok);
        });
    });
    w[1].store(2, SeqCst);
    c.wait(b);
    c.run(BackendKind::Client, |e| {
        let t = Table::describe();
        stmt(e, || {
            // B is over, A's key-share lock lives on in the new version: the key cannot change.
            let r = t.find(e, 1).unwrap();
            assert_eq!(r.2, "two");
            let u = t.update(e, r.3, 2, 1, "key", LockWait::Skip).unwrap();
            assert_eq!((u.result, u.lock), (TmResult::WouldBlock, RowLock::Exclusive));
            let u = t.update(e, r.3, 1, 1, "three", LockWait::Skip).unwrap();
            assert_eq!(u.result, TmResult::Ok);
        });
    });
    w[0].store(2, SeqCst);
    c.wait(a);
    c.run(BackendKind::Client, |e| {
        let t = Table::describe();
        stmt(e, || {
            let r = t.find(e, 1).unwrap();
            let (m, tid, moved) = heap::lock_latest(
                e,
                &t.rel,
                r.3,
                e.current_command_id(false),
                RowLock::Exclusive,
                LockWait::Block,
            )
            .unwrap();
            assert_eq!((m, tid, moved), (TmResult::Ok, r.3, false));
            let u = t.update(e, r.3, 2, 1, "key", LockWait::Skip).unwrap();
            assert_eq!(u.result, TmResult::Ok);
        });
        stmt(e, || t.vacuum(e));
        stmt(e, || t.verify(e));
    });
}

/// Many processes at random on the same rows, with vacuum beside them; killed in the middle; recovered; checked.
#[test]
fn storm_killed_and_recovered() {
    let mut c = Cluster::create("storm");
    c.recover();
    c.run(BackendKind::Client, |e| {
        let t = stmt(e, || Table::create(e));
        stmt(e, || {
            for i in 0..200 {
                t.insert(e, i, i % 5, "start").unwrap();
            }
        });
    });
    for round in 0..3u64 {
        let pids: Vec<i32> = (0..4u64)
            .map(|n| c.spawn(move |e| storm(e, n + round * 10 + 1)))
            .chain(std::iter::once(c.spawn(|e| {
                let t = Table::describe();
                loop {
                    stmt(e, || t.vacuum(e));
                }
            })))
            .chain(std::iter::once(c.spawn(reader)))
            .chain(std::iter::once(c.spawn_kind(BackendKind::Checkpointer, |e| {
                e.store().become_checkpointer();
                loop {
                    e.create_checkpoint(0, 0, &mut |_| Ok(())).unwrap();
                    std::thread::sleep(std::time::Duration::from_millis(100));
                }
            })))
            .collect();
        std::thread::sleep(std::time::Duration::from_millis(1500));
        for p in pids {
            c.kill(p);
        }
        c = Cluster::attach(&c.dir.clone());
        c.recover();
        c.run(BackendKind::Client, |e| {
            let t = Table::describe();
            stmt(e, || t.verify(e));
            stmt(e, || t.vacuum(e));
            stmt(e, || {
                t.verify(e);
                let rows = t.rows(e);
                let by_index = t.by_index(e, &t.unique, vec![], Direction::Forward);
                assert_eq!(rows.len(), by_index.len());
                assert!(by_index.windows(2).all(|w| w[0].0 < w[1].0));
            });
        });
    }
}

/// Under one snapshot, the table and its indexes tell the same story whichever way they are read.
fn reader(e: &transam::Engine) {
    let t = Table::describe();
    loop {
        stmt(e, || {
            e.lock_relation(common::db(), t.rel.oid, transam::LockMode::AccessShare).unwrap();
            let snap = e.active_snapshot().unwrap();
            let at = || transam::Snapshot::Mvcc(snap.clone());
            let mut rows = t.rows_at(e, at());
            rows.sort();
            let mut back = t.by_index_at(e, at(), &t.unique, vec![], Direction::Backward);
            back.reverse();
            assert_eq!(rows, back);
            assert_eq!(rows, t.by_index_at(e, at(), &t.unique, vec![], Direction::Forward));
            for b in 0..5 {
                let dir = if b % 2 == 0 { Direction::Forward } else { Direction::Backward };
                let mut some = t.by_index_at(e, at(), &t.second, vec![key(Strategy::Eq, b)], dir);
                some.sort();
                let want: Vec<_> = rows.iter().filter(|r| r.1 == b).cloned().collect();
                assert_eq!(some, want);
            }
        });
    }
}

fn storm(e: &transam::Engine, seed: u64) {
    let t = Table::describe();
    let mut rnd = Rnd(seed * 7919);
    loop {
        let a = rnd.below(if seed.is_multiple_of(2) { 300 } else { 6000 }) as i32;
        let what = rnd.below(10);
        let commit = rnd.below(5) > 0;
        let text = if rnd.below(20) == 0 {
            "long ".repeat(3000 + rnd.below(100) as usize)
        } else {
            format!("v{what}")
        };
        e.start_command().unwrap();
        let snap = e.transaction_snapshot().unwrap();
        e.push_active_snapshot(snap);
        // Vacuum cuts the table off only when nobody holds it.
        e.lock_relation(common::db(), t.rel.oid, transam::LockMode::RowExclusive).unwrap();
        let r = step(e, &t, &mut rnd, a, what, &text);
        e.pop_active_snapshot();
        match r {
            Ok(()) if commit => e.commit_command().unwrap(),
            Ok(()) => e.abort_command(),
            Err(err) => {
                let code = err.sqlstate().as_str().to_string();
                assert!(code == "23505" || code == "40P01", "{err:?}");
                e.abort_command();
            }
        }
    }
}

fn step(
    e: &transam::Engine,
    t: &Table,
    rnd: &mut Rnd,
    a: i32,
    what: u64,
    text: &str,
) -> ::common::Result<()> {
    let found = t.find(e, a);
    match (found, what) {
        (None, _) => t.insert(e, a, rnd.below(5) as i32, text).map(|_| ()),
        (Some(r), 0) => heap::delete(e, &t.rel, r.3, e.current_command_id(true), LockWait::Block).map(|_| ()),
        (Some(r), 1) => {
            let cid = e.current_command_id(false);
            heap::lock_latest(e, &t.rel, r.3, cid, RowLock::Share, LockWait::Block).map(|_| ())
        }
        (Some(r), n) => {
            let b = if n < 4 { rnd.below(5) as i32 } else { r.1 };
            t.update(e, r.3, a, b, text, LockWait::Block).map(|_| ())
        }
    }
}

#[test]
fn bulk_load_bitmap_and_index_only_scans() {
    let c = Cluster::create("bulk");
    c.recover();
    c.run(BackendKind::Client, |e| {
        let t = stmt(e, || Table::create(e));
        let n = 20000;
        stmt(e, || {
            let mut bulk = BulkInsert::default();
            let mut b = common::batch();
            b.cols.truncate(3);
            let mut tids = Vec::new();
            for from in (0..n).step_by(1000) {
                b.clear();
                for i in from..from + 1000 {
                    b.cols[0].push(types::DatumRef::I32(i));
                    b.cols[1].push(types::DatumRef::I32(i % 3));
                    b.cols[2].push(types::DatumRef::Bytes(b"some text"));
                    b.rows += 1;
                }
                let cid = e.current_command_id(true);
                heap::multi_insert(e, &t.rel, &b, cid, &InsertOptions::default(), &mut bulk, &mut tids)
                    .unwrap();
            }
            assert_eq!(tids.len(), n as usize);
            // Three distinct values: posting lists; descending TIDs land inside them.
            for (i, tid) in tids.iter().enumerate().rev() {
                let (a, b) = ([types::DatumRef::I32(i as i32)], [types::DatumRef::I32(i as i32 % 3)]);
                btree::insert(e, &t.unique, &t.rel, &a, *tid, UniqueCheck::Yes).unwrap();
                let at = (i * 7919) % n as usize;
                let _ = b;
                let b = [types::DatumRef::I32(at as i32 % 3)];
                btree::insert(e, &t.second, &t.rel, &b, tids[at], UniqueCheck::No).unwrap();
            }
        });
        stmt(e, || {
            t.verify(e);
            assert_eq!(t.rows(e).len(), n as usize);
            let mut pages = t.by_index(e, &t.second, vec![key(Strategy::Eq, 1)], Direction::Backward);
            assert_eq!(pages.len(), 6667);
            pages.reverse();
            assert!(pages.windows(2).all(|w| w[0].3 < w[1].3));
            // The same rows by a bitmap, exact and lossy.
            for limit in [1 << 20, 0] {
                let k = vec![key(Strategy::Eq, 1)];
                let mut s = BtScan::begin(t.second.clone(), k, Direction::Forward, false);
                let mut m = TidBitmap::new(limit);
                let mut tids = Vec::new();
                while s.next_batch(e, &mut tids, None).unwrap() {
                    m.add(&tids, false);
                }
                let spec = ScanSpec { wanted: vec![(2, 1)], system: vec![] };
                let mut h =
                    BitmapHeapScan::begin(e, t.rel.clone(), Table::snap(e), spec, m.into_pages()).unwrap();
                let (mut rows, mut ones, mut b, mut recheck) = (0, 0, common::batch(), Vec::new());
                while h.next_batch(e, &mut b, &mut recheck).unwrap() {
                    rows += b.rows;
                    ones += (0..b.rows).filter(|&i| b.cols[1].get(i).i32() == 1).count();
                    b.clear();
                }
                assert_eq!((ones, rows > ones), (6667, limit == 0));
            }
        });
        stmt(e, || t.vacuum(e));
        stmt(e, || {
            let mut s =
                BtScan::begin(t.unique.clone(), vec![key(Strategy::Lt, 500)], Direction::Forward, true);
            let mut f = IndexFetch::new(t.rel.clone(), Table::snap(e), ScanSpec::default());
            let (mut tids, mut seen) = (Vec::new(), 0);
            let mut b = common::batch();
            while s.next_batch(e, &mut tids, Some((&[(1, 0)], &mut b))).unwrap() {
                for tid in &tids {
                    assert!(f.all_visible(e, *tid).unwrap());
                    assert_eq!(b.cols[0].get(seen).i32(), seen as i32);
                    seen += 1;
                }
            }
            assert_eq!(seen, 500);
            s.end(e);
        });
        // Delete a range: leaves become empty, are deleted and used again.
        stmt(e, || {
            for r in t.rows(e) {
                if r.0 >= 2000 && r.0 < 18000 {
                    heap::delete(e, &t.rel, r.3, e.current_command_id(true), LockWait::Block).unwrap();
                }
            }
        });
        let s = stmt(e, || t.vacuum(e));
        assert!(s.indexes[0].pages_newly_deleted > 10, "{:?}", s.indexes);
        stmt(e, || t.verify(e));
        let before = e.store().nblocks(t.unique.rel.locator, storage::Fork::Main).unwrap();
        stmt(e, || e.current_xid().unwrap());
        stmt(e, || t.vacuum(e));
        stmt(e, || {
            for i in 2000..12000 {
                t.insert(e, i, i % 3, "again").unwrap();
            }
        });
        stmt(e, || {
            t.verify(e);
            assert_eq!(t.by_index(e, &t.unique, vec![], Direction::Backward).len(), 14000);
        });
        assert_eq!(e.store().nblocks(t.unique.rel.locator, storage::Fork::Main).unwrap(), before);
        e.store().flush_wal(e.store().insert_lsn());
    });
    let c = Cluster::attach(&c.dir);
    c.recover();
    c.run(BackendKind::Client, |e| {
        let t = Table::describe();
        stmt(e, || {
            t.verify(e);
            assert_eq!(t.rows(e).len(), 14000);
        });
    });
}

#[test]
fn speculative_insertion() {
    let c = Cluster::create("spec");
    c.recover();
    c.run(BackendKind::Client, |e| {
        stmt(e, || Table::create(e));
    });
    // Four processes insert the same keys with ON CONFLICT DO NOTHING: each key ends up once, nobody fails.
    let pids: Vec<i32> = (0..4)
        .map(|_| {
            c.spawn(|e| {
                let t = Table::describe();
                for a in 0..300 {
                    stmt(e, || insert_on_conflict(e, &t, a));
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
            assert_eq!(t.rows(e).len(), 300);
            assert_eq!(t.by_index(e, &t.unique, vec![], Direction::Forward).len(), 300);
        });
        stmt(e, || t.vacuum(e));
        stmt(e, || t.verify(e));
    });
}

fn insert_on_conflict(e: &transam::Engine, t: &Table, a: i32) -> bool {
    let row = [types::DatumRef::I32(a), types::DatumRef::I32(1), types::DatumRef::Bytes(b"x")];
    loop {
        if btree::check_conflict(e, &t.unique, &t.rel, &row[..1], None).unwrap() != Conflict::None {
            return false;
        }
        let xid = e.current_xid().unwrap();
        let token = e.speculative_begin(xid).unwrap();
        let o = InsertOptions { speculative_token: Some(token), ..Default::default() };
        let tid = heap::insert(e, &t.rel, &row, e.current_command_id(true), &o).unwrap();
        let ok = btree::insert(e, &t.unique, &t.rel, &row[..1], tid, UniqueCheck::Partial).unwrap();
        if ok {
            btree::insert(e, &t.second, &t.rel, &row[1..2], tid, UniqueCheck::No).unwrap();
            heap::finish_speculative(e, &t.rel, tid).unwrap();
        } else {
            heap::abort_speculative(e, &t.rel, tid).unwrap();
        }
        e.speculative_end(xid, token);
        if ok {
            return true;
        }
    }
}

#[test]
fn marks_directions_and_many_keys() {
    let c = Cluster::create("marks");
    c.recover();
    c.run(BackendKind::Client, |e| {
        let t = stmt(e, || {
            let t = Table::create(e);
            for i in 0..2000 {
                t.insert(e, i, i / 4, "x").unwrap();
            }
            t
        });
        stmt(e, || {
            let mut s = BtScan::begin(t.unique.clone(), vec![], Direction::Forward, false);
            let (mut first, mut second, mut third) = (Vec::new(), Vec::new(), Vec::new());
            assert!(s.next_batch(e, &mut first, None).unwrap());
            assert!(s.next_batch(e, &mut second, None).unwrap());
            let mark = s.mark();
            assert!(s.next_batch(e, &mut third, None).unwrap());
            s.restore(&mark);
            let mut again = Vec::new();
            assert!(s.next_batch(e, &mut again, None).unwrap());
            assert_eq!(again, second);
            assert!(s.next_batch(e, &mut again, None).unwrap());
            assert_eq!(again, third);
            // Back over the same pages.
            s.set_direction(Direction::Backward);
            assert!(s.next_batch(e, &mut again, None).unwrap());
            again.reverse();
            assert_eq!(again, second);
            // Every combination of bounds agrees with a filter.
            let all = t.rows(e);
            let ops = [Strategy::Lt, Strategy::Le, Strategy::Eq, Strategy::Ge, Strategy::Gt];
            let holds = |s: Strategy, x: i32, v: i32| match s {
                Strategy::Lt => x < v,
                Strategy::Le => x <= v,
                Strategy::Eq => x == v,
                Strategy::Ge => x >= v,
                Strategy::Gt => x > v,
            };
            for a in ops {
                for b in ops {
                    for (x, y) in [(100, 300), (300, 100), (200, 200), (-1, 600)] {
                        let want = all.iter().filter(|r| holds(a, r.1, x) && holds(b, r.1, y)).count();
                        for dir in [Direction::Forward, Direction::Backward] {
                            let got = t.by_index(e, &t.second, vec![key(a, x), key(b, y)], dir);
                            assert_eq!(got.len(), want, "{a:?} {x} {b:?} {y} {dir:?}");
                        }
                    }
                }
            }
        });
    });
}

#[test]
fn unlogged_tables_write_no_log() {
    let c = Cluster::create("unlogged");
    c.recover();
    c.run(BackendKind::Client, |e| {
        let t = stmt(e, || {
            Table::create(e);
            let t = Table::describe();
            let unlog = |ix: &IndexRel| {
                let mut ix = ix.clone();
                ix.rel.persistence = Persistence::Unlogged;
                std::rc::Rc::new(ix)
            };
            let mut rel = (*t.rel).clone();
            rel.persistence = Persistence::Unlogged;
            let toast = rel.toast.as_ref().unwrap();
            let mut heap = (*toast.heap).clone();
            heap.persistence = Persistence::Unlogged;
            rel.toast =
                Some(std::rc::Rc::new(ToastRel { heap: std::rc::Rc::new(heap), index: unlog(&toast.index) }));
            Table { rel: std::rc::Rc::new(rel), unique: unlog(&t.unique), second: unlog(&t.second) }
        });
        let before = stmt(e, || {
            e.current_xid().unwrap();
            e.store().counters().wal_records
        });
        stmt(e, || {
            for i in 0..3000 {
                t.insert(e, i, i % 7, "x").unwrap();
            }
            t.insert(e, 5000, 1, &"long".repeat(20000)).unwrap();
            for r in t.rows(e) {
                if r.0 % 2 == 0 {
                    heap::delete(e, &t.rel, r.3, e.current_command_id(true), LockWait::Block).unwrap();
                }
            }
        });
        // The commits, and the counter of object ids.
        let records = e.store().counters().wal_records - before;
        assert!(records < 10, "{records}");
        stmt(e, || t.verify(e));
        stmt(e, || t.vacuum(e));
        stmt(e, || {
            t.verify(e);
            assert_eq!(t.by_index(e, &t.unique, vec![], Direction::Forward).len(), t.rows(e).len());
        });
    });
}
