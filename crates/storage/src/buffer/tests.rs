//! The pool under load from real processes, corrupted pages, redo, maps.

use crate::testing::{Rnd, START, Server, TestDir};
use crate::{
    Fork, ReadMode, RedoAction, RegFlags, RelFileLocator, RmgrId, StorageConfig, Store, Strategy, WalReader,
};
use crate::{fsm, vm};
use common::{BlockNumber, Lsn, Oid, SqlState, Xid};
use std::sync::atomic::Ordering::SeqCst;

fn config(dir: &TestDir, buffers: usize) -> StorageConfig {
    StorageConfig { shared_buffers: buffers, system_identifier: 42, ..StorageConfig::new(dir.path()) }
}
fn rel(n: u32) -> RelFileLocator {
    RelFileLocator::new(Oid(1663), Oid(5), n)
}
/// Adds `n` pages, each with one 16-byte item: block number and a counter of zero.
fn fill(s: &Store, r: RelFileLocator, n: u32) {
    s.create_file(r, Fork::Main, false).unwrap();
    for i in 0..n {
        let pin = s.extend(r, Fork::Main, None).unwrap();
        assert_eq!(pin.block(), BlockNumber(i));
        let mut p = pin.exclusive();
        let crit = s.begin_critical();
        let page = crit.page(&mut p);
        page.init(0);
        let mut item = [0; 16];
        item[..4].copy_from_slice(&i.to_le_bytes());
        page.add_item(&item).unwrap();
        let mut rec = crit.record(RmgrId::HEAP, 1, Xid(3));
        rec.block(0, &p, RegFlags::WILL_INIT).block_data(0, &item);
        crit.log(rec);
    }
}
/// Raises the counter of a page under the full recipe.
fn bump(s: &Store, r: RelFileLocator, block: u32, strategy: Option<&Strategy>) {
    let pin = s.read(r, Fork::Main, BlockNumber(block), ReadMode::Normal, strategy).unwrap();
    let mut p = pin.into_exclusive();
    let crit = s.begin_critical();
    let item = crit.page(&mut p).item_mut(1).unwrap();
    assert_eq!(item[..4], block.to_le_bytes());
    let n = u64::from_le_bytes(item[8..16].try_into().unwrap()) + 1;
    item[8..16].copy_from_slice(&n.to_le_bytes());
    let mut rec = crit.record(RmgrId::HEAP, 2, Xid(3));
    rec.block(0, &p, RegFlags::STANDARD).block_data(0, &n.to_le_bytes());
    crit.log(rec);
}
fn counter(s: &Store, r: RelFileLocator, block: u32) -> u64 {
    let pin = s.read_main(r, BlockNumber(block)).unwrap();
    let p = pin.share();
    u64::from_le_bytes(p.item(1).unwrap()[8..16].try_into().unwrap())
}
/// Replays the log from the start, as `transam` does.
fn replay(s: &Store) -> usize {
    replay_from(s, START)
}
fn replay_from(s: &Store, start: Lsn) -> usize {
    let mut reader = WalReader::new(&s.config().data_dir, 1, 42, start);
    let mut n = 0;
    while let Some(rec) = reader.next_record().unwrap() {
        n += 1;
        match (rec.rmgr, rec.info) {
            (RmgrId::HEAP, 1) => {
                let mut p = s.init_for_redo(rec, 0).unwrap();
                p.page().init(0);
                p.page().add_item(rec.block_data(0)).unwrap();
            }
            (RmgrId::HEAP, 2) => match s.read_for_redo(rec, 0).unwrap() {
                RedoAction::NeedsRedo(mut p) => {
                    p.page().item_mut(1).unwrap()[8..16].copy_from_slice(rec.block_data(0));
                }
                RedoAction::Done | RedoAction::Restored(_) => {}
                RedoAction::NotFound => panic!("not found"),
            },
            (RmgrId::XLOG, _) => s.redo_images(rec).unwrap(),
            other => panic!("{other:?}"),
        }
    }
    let end = reader.end_lsn();
    s.redo_check_missing().unwrap();
    s.start_wal(end, end).unwrap();
    n
}

#[test]
fn small_pool_concurrent_load_then_crash_and_redo() {
    const PAGES: u32 = 300;
    const WRITERS: u32 = 4;
    const EACH: u32 = 4000;
    let dir = TestDir::new("pool-load");
    let cfg = config(&dir, 48);
    {
        let server = Server::new(cfg.clone());
        let s = server.bootstrap();
        fill(&s, rel(100), PAGES);
        let mut children = Vec::new();
        for w in 0..WRITERS {
            children.push(server.fork(|srv| {
                let s = srv.store();
                let mut rnd = Rnd(w as u64 + 99);
                let ring = Strategy::bulk_write(&s);
                for i in 0..EACH {
                    let hot = i % 3 == 0;
                    let b = rnd.below(if hot { 10 } else { PAGES as u64 }) as u32;
                    bump(&s, rel(100), b, (w == 0).then_some(&ring));
                }
                if !s.pinned_buffers().is_empty() {
                    return 2;
                }
                s.flush_wal(s.last_insert_lsn());
                0
            }));
        }
        // Meanwhile: background writer, checkpoints, readers of runs.
        let bg = server.fork(|srv| {
            let s = srv.store();
            for i in 0..60 {
                s.bgwriter_pass(100, 2.0).unwrap();
                if i % 20 == 0 {
                    s.begin_checkpoint();
                    s.write_all_dirty(|_, _| Ok(())).unwrap();
                }
                let mut out = Vec::new();
                s.read_multi(rel(100), Fork::Main, BlockNumber(i * 4), 16, None, &mut out).unwrap();
                for (k, p) in out.iter().enumerate() {
                    assert_eq!(p.block(), BlockNumber(i * 4 + k as u32));
                    assert_eq!(p.share().item(1).unwrap()[..4], p.block().0.to_le_bytes());
                }
                drop(out);
                std::thread::sleep(std::time::Duration::from_millis(3));
            }
            0
        });
        children.push(bg);
        for c in children {
            assert_eq!(ipc::fork::wait_for(c), Some(ipc::fork::Ended::Exit(0)));
        }
        s.flush_wal(s.insert_lsn());
        let total: u64 = (0..PAGES).map(|b| counter(&s, rel(100), b)).sum();
        assert_eq!(total, u64::from(WRITERS * EACH));
        for d in server.shared.descs {
            assert_eq!(d.load() & super::desc::REFCOUNT_MASK, 0, "a pin leaked");
        }
    }
    // The crash: shared memory is gone, the files have whatever was written. Some pages are torn as well.
    let path = dir.path().join("base/5/100");
    let mut bytes = std::fs::read(&path).unwrap();
    for b in [3usize, 50, 299] {
        bytes[b * 8192 + 4096..(b + 1) * 8192].fill(0x55);
    }
    std::fs::write(&path, &bytes).unwrap();
    for life in 0..2 {
        let server = Server::new(cfg.clone());
        let s = server.store();
        s.become_checkpointer();
        let n = replay(&s);
        assert!(n as u32 > WRITERS * EACH);
        let total: u64 = (0..PAGES).map(|b| counter(&s, rel(100), b)).sum();
        assert_eq!(total, u64::from(WRITERS * EACH), "life {life}");
    }
}

/// A checkpoint as `transam` runs it; its redo pointer goes to a file.
fn checkpoint(s: &Store) {
    s.sync_pre_checkpoint();
    let redo = s.begin_checkpoint();
    s.write_all_dirty(|_, _| {
        s.absorb_sync_requests();
        Ok(())
    })
    .unwrap();
    s.sync_requested_files().unwrap();
    s.flush_wal(s.insert_lsn());
    let path = s.config().data_dir.join("redo");
    crate::datadir::write_file_durably(&path, &redo.0.to_le_bytes()).unwrap();
    s.sync_post_checkpoint().unwrap();
}
fn redo_start(dir: &TestDir) -> Lsn {
    match std::fs::read(dir.path().join("redo")) {
        Ok(b) => Lsn(u64::from_le_bytes(b.try_into().unwrap())),
        Err(_) => START,
    }
}
/// Tears pages that were changed since the checkpoint: the second half never reached the disk.
fn tear(dir: &TestDir, start: Lsn, rnd: &mut Rnd) -> u32 {
    let mut reader = WalReader::new(dir.path(), 1, 42, start);
    let mut changed = std::collections::BTreeSet::new();
    while let Some(r) = reader.next_record().unwrap() {
        changed.extend(r.blocks().iter().map(|b| b.block.0));
    }
    let path = dir.path().join("base/5/50");
    let mut bytes = std::fs::read(&path).unwrap();
    let mut torn = 0;
    for b in changed {
        let at = b as usize * 8192;
        if rnd.below(4) == 0 && at + 8192 <= bytes.len() {
            bytes[at + 4096..at + 8192].fill(0xEE);
            torn += 1;
        }
    }
    std::fs::write(&path, &bytes).unwrap();
    torn
}

#[test]
fn killed_servers_recover_every_acknowledged_change() {
    const PAGES: u32 = 200;
    let dir = TestDir::new("pool-kill");
    let cfg = config(&dir, 40);
    let mut acked = 0;
    let mut certain = 0;
    let mut rnd = Rnd(2024);
    let mut torn = 0;
    for life in 0..6u64 {
        let server = Server::new(cfg.clone());
        let s = server.store();
        s.become_checkpointer();
        if life == 0 {
            s.start_wal(START, START).unwrap();
            fill(&s, rel(50), PAGES);
        } else {
            let start = redo_start(&dir);
            torn += tear(&dir, start, &mut rnd);
            replay_from(&s, start);
        }
        checkpoint(&s);
        let total: u64 = (0..PAGES).map(|b| counter(&s, rel(50), b)).sum();
        // Each writer of each life may have made one change more than it could report.
        assert!(total >= acked + certain && total <= acked + certain + 4, "life {life}: {total}");
        certain = total;
        s.resign_checkpointer();
        let mut children: Vec<i32> = (0..4u64)
            .map(|w| {
                server.fork(move |srv| {
                    let s = srv.store();
                    let mut rnd = Rnd(life * 10 + w + 1);
                    for n in 1.. {
                        bump(&s, rel(50), rnd.below(PAGES as u64) as u32, None);
                        s.flush_wal(s.last_insert_lsn());
                        srv.procs.get(0).spare[w as usize].store(n, SeqCst);
                    }
                    0
                })
            })
            .collect();
        children.push(server.fork(|srv| {
            let s = srv.store();
            s.become_checkpointer();
            loop {
                checkpoint(&s);
                s.bgwriter_pass(50, 2.0).unwrap();
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
        }));
        let sum = || (0..4).map(|w| server.procs.get(0).spare[w].load(SeqCst)).sum::<u64>();
        crate::testing::wait_until(|| sum() > 100);
        std::thread::sleep(std::time::Duration::from_millis(rnd.below(80)));
        for c in &children {
            nix::sys::signal::kill(nix::unistd::Pid::from_raw(*c), nix::sys::signal::Signal::SIGKILL)
                .unwrap();
        }
        for c in children {
            ipc::fork::wait_for(c);
        }
        acked = sum();
    }
    assert!(torn > 0, "the test should have torn some pages");
}

#[test]
fn processes_extend_concurrently_and_lose_no_page() {
    let dir = TestDir::new("pool-extend");
    let server = Server::new(config(&dir, 200));
    let s = server.bootstrap();
    s.create_file(rel(6), Fork::Main, false).unwrap();
    let children: Vec<i32> = (0..5u8)
        .map(|w| {
            server.fork(move |srv| {
                let s = srv.store();
                let mut mine = 0;
                let put = |page: &mut crate::PageMut| {
                    assert!(page.is_new());
                    let crit = s.begin_critical();
                    let p = crit.page(page);
                    p.init(0);
                    p.add_item(&[w; 10]).unwrap();
                    crit.unlogged();
                };
                while mine < 250 {
                    if w % 2 == 0 {
                        put(&mut s.extend_exclusive(rel(6), Fork::Main, None).unwrap());
                        mine += 1;
                        // As an inserter looks at the last block: it must never be half-made.
                        let last = s.nblocks(rel(6), Fork::Main).unwrap().0 - 1;
                        let pin = s.read_main(rel(6), BlockNumber(last)).unwrap();
                        let g = pin.share();
                        assert!(g.is_new() || g.max_offset() == 1);
                    } else {
                        let mut out = Vec::new();
                        s.extend_by(rel(6), Fork::Main, 10, None, &mut out).unwrap();
                        for p in out {
                            put(&mut p.into_exclusive());
                            mine += 1;
                        }
                    }
                }
                i32::from(mine != 250)
            })
        })
        .collect();
    for c in children {
        assert_eq!(ipc::fork::wait_for(c), Some(ipc::fork::Ended::Exit(0)));
    }
    let mut seen = [0; 5];
    for b in 0..s.nblocks(rel(6), Fork::Main).unwrap().0 {
        let p = s.read_main(rel(6), BlockNumber(b)).unwrap();
        seen[p.share().item(1).unwrap()[0] as usize] += 1;
    }
    assert_eq!(seen, [250; 5]);
}

#[test]
fn corrupted_page_is_an_error_and_not_a_panic() {
    let dir = TestDir::new("pool-corrupt");
    let cfg = config(&dir, 128);
    {
        let server = Server::new(cfg.clone());
        let s = server.bootstrap();
        fill(&s, rel(7), 5);
        s.write_all_dirty(|_, _| Ok(())).unwrap();
        assert!(s.sync_requested_files().unwrap().files >= 2);
    }
    let path = dir.path().join("base/5/7");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[2 * 8192 + 5000] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    let server = Server::new(cfg);
    let s = server.store();
    let e = s.read_main(rel(7), BlockNumber(2)).err().unwrap();
    assert_eq!(e.sqlstate(), SqlState::DATA_CORRUPTED);
    assert_eq!(e.report().message, "invalid page in block 2 of relation base/5/7");
    let mut out = Vec::new();
    // The run ends before the broken block, and fails at it.
    s.read_multi(rel(7), Fork::Main, BlockNumber(0), 5, None, &mut out).unwrap();
    assert_eq!(out.len(), 2);
    out.clear();
    assert!(s.read_multi(rel(7), Fork::Main, BlockNumber(2), 3, None, &mut out).is_err());
    assert!(out.is_empty());
    let z = s.read(rel(7), Fork::Main, BlockNumber(2), ReadMode::ZeroOnError, None).unwrap();
    assert!(z.share().is_new());
    assert_eq!(counter(&s, rel(7), 3), 0);
    let e = s.read_main(rel(7), BlockNumber(5)).err().unwrap();
    assert_eq!(e.report().message, "could not read block 5 in file \"base/5/7\": read only 0 of 8192 bytes");
    drop(z);
    assert!(s.pinned_buffers().is_empty() && !s.proc().in_critical_section());
}

#[test]
fn cleanup_lock_waits_for_other_pins() {
    let dir = TestDir::new("pool-cleanup");
    let server = Server::new(config(&dir, 32));
    let s = server.bootstrap();
    fill(&s, rel(8), 1);
    let pin = s.read_main(rel(8), BlockNumber(0)).unwrap();
    let second = pin.clone();
    assert!(pin.try_for_cleanup().is_none() && pin.for_cleanup().is_err());
    drop(second);
    assert!(pin.try_for_cleanup().unwrap().is_cleanup_ok());
    let child = server.fork(|srv| {
        let s = srv.store();
        let p = s.read_main(rel(8), BlockNumber(0)).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(200));
        drop(p);
        0
    });
    crate::testing::wait_until(|| {
        server.shared.descs.iter().any(|d| d.load() & super::desc::REFCOUNT_MASK == 2)
    });
    assert!(pin.try_for_cleanup().is_none());
    let t = std::time::Instant::now();
    let page = pin.for_cleanup().unwrap();
    assert!(t.elapsed() > std::time::Duration::from_millis(30));
    drop(page);
    assert_eq!(ipc::fork::wait_for(child), Some(ipc::fork::Ended::Exit(0)));
}

#[test]
fn pins_of_a_killed_process_are_given_back() {
    let dir = TestDir::new("pool-killed");
    let server = Server::new(config(&dir, 64));
    let s = server.bootstrap();
    fill(&s, rel(8), 10);
    let child = server.fork(|srv| {
        let s = srv.store();
        let pins: Vec<_> = (0..10).map(|b| s.read_main(rel(8), BlockNumber(b)).unwrap()).collect();
        let again = pins[3].clone();
        let _ = again.share();
        std::thread::sleep(std::time::Duration::from_secs(60));
        0
    });
    crate::testing::wait_until(|| server.procs.by_pid(child).is_some_and(|p| p.pins.buffers().len() == 10));
    std::thread::sleep(std::time::Duration::from_millis(50));
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(child), nix::sys::signal::Signal::SIGKILL).unwrap();
    ipc::fork::wait_for(child);
    let dead = server.procs.by_pid(child).unwrap();
    assert!(dead.in_flight().is_clean(), "{:?}", dead.in_flight());
    let pin = s.read_main(rel(8), BlockNumber(3)).unwrap();
    assert!(pin.try_for_cleanup().is_none());
    s.release_dead_pins(dead);
    assert!(pin.try_for_cleanup().is_some());
    drop(pin);
    for d in server.shared.descs {
        assert_eq!(d.load() & super::desc::REFCOUNT_MASK, 0);
    }
}

#[test]
fn hint_bits_reach_the_file_with_an_image_first() {
    let dir = TestDir::new("pool-hint");
    let server = Server::new(config(&dir, 32));
    let s = server.bootstrap();
    fill(&s, rel(9), 1);
    s.begin_checkpoint();
    s.write_all_dirty(|_, _| Ok(())).unwrap();
    let images = s.counters().wal_images;
    let pin = s.read_main(rel(9), BlockNumber(0)).unwrap();
    let page = pin.share();
    let at = page.item_id(1).offset() as usize + 6;
    page.set_hint(at, 0x0100);
    s.mark_dirty_hint(&page);
    assert_eq!(s.counters().wal_images, images + 1);
    page.set_hint(at, 0x0200);
    s.mark_dirty_hint(&page);
    assert_eq!(s.counters().wal_images, images + 1);
    assert_eq!(page.item(1).unwrap()[7], 3);
    drop((page, pin));
    assert_eq!(s.write_all_dirty(|_, _| Ok(())).unwrap(), 1);
    assert!(s.flushed_lsn() >= s.insert_lsn());
}

#[test]
fn truncate_and_unlink_forget_buffers() {
    let dir = TestDir::new("pool-drop");
    let server = Server::new(config(&dir, 32));
    let s = server.bootstrap();
    fill(&s, rel(10), 20);
    fill(&s, rel(11), 3);
    s.truncate_files(rel(10), &[(Fork::Main, BlockNumber(5))]).unwrap();
    assert_eq!(s.nblocks(rel(10), Fork::Main).unwrap(), BlockNumber(5));
    assert!(s.read_main(rel(10), BlockNumber(5)).is_err());
    let p = s.extend(rel(10), Fork::Main, None).unwrap();
    assert!(p.share().is_new());
    drop(p);
    s.unlink_relations(&[rel(10)], false).unwrap();
    assert!(dir.path().join("base/5/10").exists(), "the name stays occupied until a checkpoint");
    s.sync_pre_checkpoint();
    s.write_all_dirty(|_, _| Ok(())).unwrap();
    s.sync_requested_files().unwrap();
    s.sync_post_checkpoint().unwrap();
    assert!(!dir.path().join("base/5/10").exists());
    assert_eq!(counter(&s, rel(11), 2), 0);
    s.drop_database_buffers(Oid(5)).unwrap();
    assert_eq!(counter(&s, rel(11), 2), 0);
}

#[test]
fn copied_fork_is_equal_and_survives_redo() {
    let dir = TestDir::new("pool-copy");
    let cfg = config(&dir, 64);
    {
        let server = Server::new(cfg.clone());
        let s = server.bootstrap();
        fill(&s, rel(30), 100);
        bump(&s, rel(30), 42, None);
        s.create_file(rel(31), Fork::Main, false).unwrap();
        s.copy_fork(rel(30), rel(31), Fork::Main).unwrap();
        assert_eq!((counter(&s, rel(31), 42), counter(&s, rel(31), 99)), (1, 0));
        s.flush_wal(s.insert_lsn());
    }
    let server = Server::new(cfg);
    let s = server.store();
    s.become_checkpointer();
    replay(&s);
    assert_eq!((counter(&s, rel(31), 42), counter(&s, rel(31), 99)), (1, 0));
}

#[test]
fn all_pinned_is_an_error() {
    let dir = TestDir::new("pool-full");
    let server = Server::new(config(&dir, 16));
    let s = server.bootstrap();
    fill(&s, rel(12), 40);
    let pins: Vec<_> = (0..16).map(|b| s.read_main(rel(12), BlockNumber(b)).unwrap()).collect();
    let e = s.read_main(rel(12), BlockNumber(20)).err().unwrap();
    assert_eq!(e.report().message, "no unpinned buffers available");
    drop(pins);
    assert!(s.read_main(rel(12), BlockNumber(20)).is_ok());
}

#[test]
fn sync_queue_survives_being_full() {
    let dir = TestDir::new("pool-sync");
    let server = Server::new(config(&dir, 32));
    let cp = server.bootstrap();
    cp.create_file(rel(13), Fork::Main, false).unwrap();
    let child = server.fork(|srv| {
        let s = srv.store();
        for i in 0..5000u32 {
            s.request_sync(rel(13), Fork::Main, i % 7);
        }
        0
    });
    assert_eq!(ipc::fork::wait_for(child), Some(ipc::fork::Ended::Exit(0)));
    cp.absorb_sync_requests();
    // Segments 0..7 and the directory.
    assert_eq!(cp.sync_requested_files().unwrap().files, 8);
    assert_eq!(cp.sync_requested_files().unwrap().files, 0);
}

#[test]
fn free_space_map_finds_what_was_recorded() {
    let dir = TestDir::new("fsm");
    let server = Server::new(config(&dir, 64));
    let s = server.bootstrap();
    let r = rel(20);
    s.create_file(r, Fork::Main, false).unwrap();
    s.files().extend(r, Fork::Main, 0, 9000).unwrap();
    assert_eq!(fsm::search(&s, r, 100).unwrap(), None);
    let mut rnd = Rnd(12);
    let mut model = std::collections::BTreeMap::new();
    for _ in 0..500 {
        let b = rnd.below(9000) as u32;
        let free = rnd.below(8000) as usize;
        fsm::record(&s, r, BlockNumber(b), free).unwrap();
        model.insert(b, free);
    }
    fsm::vacuum(&s, r, BlockNumber(0), BlockNumber(9000)).unwrap();
    for _ in 0..300 {
        let need = 1 + rnd.below(8000) as usize;
        match fsm::search(&s, r, need).unwrap() {
            Some(b) => assert!(model[&b.0] >= need),
            None => assert!(model.values().all(|f| *f < need + 32)),
        }
    }
    let first = fsm::search(&s, r, 7000).unwrap().unwrap();
    model.insert(first.0, 10);
    let next = fsm::record_and_search(&s, r, first, 10, 7000).unwrap().unwrap();
    assert!(next != first && model[&next.0] >= 7000);
    // Truncation of the heap: nothing beyond is offered.
    let keep = fsm::prepare_truncate(&s, r, BlockNumber(100)).unwrap();
    s.truncate_files(r, &[(Fork::Main, BlockNumber(100)), (Fork::Fsm, keep.unwrap())]).unwrap();
    for _ in 0..50 {
        if let Some(b) = fsm::search(&s, r, 1).unwrap() {
            assert!(b.0 < 100);
        }
    }
}

#[test]
fn visibility_map_counts_and_truncates() {
    let dir = TestDir::new("vm");
    let server = Server::new(config(&dir, 32));
    let s = server.bootstrap();
    let r = rel(21);
    s.create_file(r, Fork::Main, false).unwrap();
    let mut pin = None;
    assert_eq!(vm::status(&s, r, BlockNumber(7), &mut pin).unwrap(), 0);
    for b in [0, 7, 40000, 70000] {
        let b = BlockNumber(b);
        vm::pin(&s, r, b, &mut pin).unwrap();
        let mut page = pin.as_ref().unwrap().exclusive();
        let crit = s.begin_critical();
        vm::set_bits(crit.page(&mut page), b, if b.0 == 7 { 3 } else { 1 });
        let mut rec = crit.record(RmgrId::HEAP2, 0x40, Xid(3));
        rec.block(0, &page, RegFlags::RAW);
        crit.log(rec);
    }
    assert_eq!(vm::count(&s, r).unwrap(), (4, 1));
    vm::pin(&s, r, BlockNumber(7), &mut pin).unwrap();
    assert!(vm::clear(&s, pin.as_ref().unwrap(), BlockNumber(7), vm::VALID_BITS).unwrap());
    assert!(!vm::clear(&s, pin.as_ref().unwrap(), BlockNumber(7), vm::VALID_BITS).unwrap());
    drop(pin);
    let keep = vm::prepare_truncate(&s, r, BlockNumber(40000)).unwrap();
    assert_eq!(keep, Some(BlockNumber(2)));
    s.truncate_files(r, &[(Fork::Vm, keep.unwrap())]).unwrap();
    assert_eq!(vm::count(&s, r).unwrap(), (1, 0));
}

#[test]
fn temp_files_round_trip_and_respect_the_limit() {
    let dir = TestDir::new("temp");
    let server = Server::new(config(&dir, 32));
    let s = server.bootstrap();
    let mut f = s.temp_file(None).unwrap();
    let mut rnd = Rnd(8);
    let mut model = Vec::new();
    for _ in 0..300 {
        let chunk: Vec<u8> = (0..rnd.below(3000)).map(|_| rnd.below(256) as u8).collect();
        f.write(&chunk).unwrap();
        model.extend(chunk);
    }
    f.rewind().unwrap();
    let mut back = vec![0; model.len()];
    assert!(f.read_exact(&mut back).unwrap());
    assert!(back == model);
    assert!(!f.read_exact(&mut [0; 1]).unwrap());
    f.seek(100_000).unwrap();
    let mut ten = [0; 10];
    f.read_exact(&mut ten).unwrap();
    assert_eq!(ten, model[100_000..100_010]);
    drop(f);
    let mut small = s.temp_file(Some(100)).unwrap();
    let e = small.write(&vec![1; 300_000]).unwrap_err();
    assert_eq!(e.report().message, "temporary file size exceeds temp_file_limit (100kB)");
    assert_eq!(e.sqlstate().as_str(), "53400");
    drop(small);
    assert_eq!(std::fs::read_dir(dir.path().join("base/pgsql_tmp")).unwrap().count(), 0);
}

/// Not a test of correctness: prints what a hit costs. `cargo test --release -- --ignored --nocapture`.
#[test]
#[ignore = "measures time"]
fn hit_time() {
    let dir = TestDir::new("pool-bench");
    let server = Server::new(config(&dir, 2000));
    let s = server.bootstrap();
    fill(&s, rel(1), 1000);
    let n = 2_000_000u32;
    let t = std::time::Instant::now();
    for i in 0..n {
        drop(s.read_main(rel(1), BlockNumber(i % 1000)).unwrap());
    }
    println!("pin and unpin of a cached page: {} ns", t.elapsed().as_nanos() / u128::from(n));
    let t = std::time::Instant::now();
    for i in 0..n {
        drop(s.read_main(rel(1), BlockNumber(i % 1000)).unwrap().into_share());
    }
    println!("with shared content lock: {} ns", t.elapsed().as_nanos() / u128::from(n));
    let t = std::time::Instant::now();
    for i in 0..n / 10 {
        bump(&s, rel(1), i % 1000, None);
    }
    println!("logged change of a page: {} ns", t.elapsed().as_nanos() / u128::from(n / 10));
}
