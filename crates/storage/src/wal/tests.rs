//! Concurrent insertion from real processes, torn tails, restart.

use super::position::SEGMENT_SIZE;
use super::{RegFlags, RmgrId, segment};
use crate::testing::{Rnd, START, Server, TestDir, read_log};
use crate::{Fork, RelFileLocator, StorageConfig};
use common::{Lsn, Oid, Xid};
use std::os::unix::fs::FileExt;

fn config(dir: &TestDir) -> StorageConfig {
    StorageConfig {
        shared_buffers: 64,
        wal_buffers: Some(16),
        system_identifier: 42,
        ..StorageConfig::new(dir.path())
    }
}

/// A record that names its writer and number, of pseudo-random length.
fn payload(writer: u32, n: u32, rnd: &mut Rnd) -> Vec<u8> {
    let len = match rnd.below(100) * u64::from(n != 100) {
        0 if n == 100 => 400_000,
        0 => rnd.below(60_000),
        1..=10 => rnd.below(9000),
        _ => rnd.below(200),
    };
    let mut v = vec![(writer as u8) ^ (n as u8); 8 + len as usize];
    v[..4].copy_from_slice(&writer.to_le_bytes());
    v[4..8].copy_from_slice(&n.to_le_bytes());
    v
}

#[test]
fn processes_insert_and_flush_concurrently() {
    const WRITERS: u32 = 5;
    const EACH: u32 = 6000;
    let dir = TestDir::new("wal-concurrent");
    let server = Server::new(config(&dir));
    let store = server.bootstrap();
    let mut children = Vec::new();
    for w in 0..WRITERS {
        children.push(server.fork(|srv| {
            let s = srv.store();
            let mut rnd = Rnd(w as u64 * 77 + 5);
            for n in 0..EACH {
                let p = payload(w, n, &mut rnd);
                let lsn = s.log(RmgrId::TRANSACTION, w as u8, Xid(7), &p);
                if n % 50 == 0 {
                    s.flush_wal(lsn);
                    if s.flushed_lsn() < lsn {
                        return 1;
                    }
                }
            }
            s.flush_wal(s.last_insert_lsn());
            0
        }));
    }
    for c in children {
        assert_eq!(ipc::fork::wait_for(c), Some(ipc::fork::Ended::Exit(0)));
    }
    assert_eq!(store.flushed_lsn(), store.insert_lsn());
    let (log, end) = read_log(dir.path());
    assert_eq!(log.len() as u32, WRITERS * EACH);
    assert_eq!(end, store.insert_lsn());
    assert!(end.0 > 2 * SEGMENT_SIZE + 100, "the log should cross a segment boundary");
    let mut rnds: Vec<Rnd> = (0..WRITERS).map(|w| Rnd(w as u64 * 77 + 5)).collect();
    let mut next = vec![0u32; WRITERS as usize];
    for (_, info, data) in &log {
        let w = *info as usize;
        assert_eq!(*data, payload(w as u32, next[w], &mut rnds[w]), "writer {w} record {}", next[w]);
        next[w] += 1;
    }
}

#[test]
fn every_torn_tail_is_the_end() {
    let dir = TestDir::new("wal-torn");
    let server = Server::new(config(&dir));
    let s = server.bootstrap();
    let mut ends = Vec::new();
    for i in 0..5u8 {
        ends.push(s.log(RmgrId::HEAP, i, Xid(9), &vec![i; 40 + i as usize * 13]));
    }
    s.flush_wal(s.insert_lsn());
    let path = segment::segment_path(dir.path(), 1, 1);
    let whole = std::fs::read(&path).unwrap();
    let f = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    let (from, to) = (ends[3].0 % SEGMENT_SIZE, ends[4].0 % SEGMENT_SIZE);
    for cut in from..to {
        // Everything from `cut` on was never written.
        let mut torn = whole[..8192].to_vec();
        let lost: Vec<u8> = torn[cut as usize..].to_vec();
        torn[cut as usize..].fill(0);
        f.write_all_at(&torn, 0).unwrap();
        let (log, end) = read_log(dir.path());
        if lost.iter().all(|b| *b == 0) {
            continue;
        }
        assert_eq!((log.len(), end), (4, ends[3]), "cut at {cut}");
        // One byte differs.
        let mut bad = whole[..8192].to_vec();
        bad[cut as usize] ^= 0x40;
        f.write_all_at(&bad, 0).unwrap();
        let n = read_log(dir.path()).0.len();
        let padding = cut >= to - 7 && n == 5;
        assert!(n == 4 || padding, "flipped at {cut}: {n} records");
    }
}

#[test]
fn log_goes_on_after_restart_and_forgets_the_torn_rest() {
    let dir = TestDir::new("wal-restart");
    let cfg = config(&dir);
    let mut expect = 0;
    for life in 0..4u8 {
        let server = Server::new(cfg.clone());
        let s = server.store();
        s.become_checkpointer();
        if life == 0 {
            s.start_wal(START, START).unwrap();
        } else {
            let (log, end) = read_log(dir.path());
            assert_eq!(log.len(), expect);
            s.start_wal(end, START).unwrap();
        }
        for i in 0..100u8 {
            s.log(RmgrId::XLOG, life, Xid(1), &vec![i; i as usize * 7]);
            expect += 1;
        }
        s.flush_wal(s.insert_lsn());
        // Never flushed: lost with this life (written in part perhaps, and then cleared).
        s.log(RmgrId::XLOG, 99, Xid(1), &[1; 20_000]);
    }
    let (log, _) = read_log(dir.path());
    assert_eq!(log.len(), expect);
    assert!(log.iter().all(|r| r.1 < 4));
}

#[test]
fn record_ending_at_a_segment_boundary() {
    let dir = TestDir::new("wal-boundary");
    let server = Server::new(config(&dir));
    let s = server.bootstrap();
    // Fill segment 1 exactly: header 24 bytes plus data, in multiples of 8.
    let left = |s: &crate::Store| 2 * SEGMENT_SIZE - s.insert_lsn().0;
    while left(&s) > 200_000 {
        s.log(RmgrId::XLOG, 1, Xid(1), &vec![5; 99_976]);
    }
    let n = left(&s) - 24;
    let end = s.log(RmgrId::XLOG, 2, Xid(1), &vec![6; n as usize]);
    assert_eq!(end, Lsn(2 * SEGMENT_SIZE));
    s.flush_wal(end);
    assert_eq!(s.flushed_lsn(), end);
    let (log, e) = read_log(dir.path());
    assert_eq!((log.last().unwrap().1, e), (2, end));
    // A restart at the boundary, then a record that begins the next segment.
    let server = Server::new(config(&dir));
    let s2 = server.store();
    s2.become_checkpointer();
    s2.start_wal(e, START).unwrap();
    let end2 = s2.log(RmgrId::XLOG, 3, Xid(1), b"next");
    assert_eq!(s2.redo_lsn(), START);
    s2.flush_wal(end2);
    let (log2, _) = read_log(dir.path());
    assert_eq!(log2.len(), log.len() + 1);
    assert_eq!(log2.last().unwrap().0, Lsn(2 * SEGMENT_SIZE + 64));
}

#[test]
fn walwriter_flushes_and_prepares_segments() {
    let dir = TestDir::new("wal-writer");
    let server = Server::new(config(&dir));
    let s = server.bootstrap();
    assert!(!s.background_flush());
    let lsn = s.log(RmgrId::XLOG, 1, Xid(1), &[1; 100]);
    // Less than a page, and nobody asked.
    assert!(!s.background_flush());
    s.set_async_lsn(lsn);
    assert!(s.background_flush() && s.flushed_lsn() >= lsn);
    while s.insert_lsn().0 < SEGMENT_SIZE + SEGMENT_SIZE / 2 {
        s.log(RmgrId::XLOG, 1, Xid(1), &[1; 50_000]);
    }
    assert!(s.background_flush());
    assert!(segment::segment_path(dir.path(), 1, 2).exists());
}

#[test]
fn block_references_and_images_round_trip() {
    for compress in [false, true] {
        let dir = TestDir::new(if compress { "wal-blocks-lz4" } else { "wal-blocks" });
        let mut cfg = config(&dir);
        cfg.wal_compression = compress;
        let server = Server::new(cfg);
        let s = server.bootstrap();
        let rel = RelFileLocator::new(Oid(1663), Oid(5), 16400);
        s.create_file(rel, Fork::Main, false).unwrap();
        let a = s.extend(rel, Fork::Main, None).unwrap();
        let b = s.extend(rel, Fork::Main, None).unwrap();
        let (mut pa, mut pb) = (a.exclusive(), b.exclusive());
        let crit = s.begin_critical();
        for p in [&mut pa, &mut pb] {
            let page = crit.page(p);
            page.init(16);
            page.add_item(b"some tuple").unwrap();
        }
        let mut rec = crit.record(RmgrId::HEAP, 0x20, Xid(1 << 40));
        rec.data(b"main ").data(b"data");
        rec.block(0, &pa, RegFlags::STANDARD | RegFlags::KEEP_DATA).block_data(0, b"kept");
        rec.block(3, &pb, RegFlags::WILL_INIT).block_data(3, b"of b");
        let lsn = crit.log(rec);
        drop(crit);
        assert_eq!((pa.lsn(), pb.lsn()), (lsn, lsn));
        let mut rec2 = {
            let crit = s.begin_critical();
            crit.page(&mut pa).add_item(b"second").unwrap();
            let mut r = crit.record(RmgrId::HEAP, 0, Xid(3));
            r.block(0, &pa, RegFlags::STANDARD).block_data(0, b"second");
            crit.log(r)
        };
        s.flush_wal(rec2);
        let mut r = super::WalReader::new(dir.path(), 1, 42, START);
        let one = r.next_record().unwrap().unwrap().clone();
        assert_eq!((one.end, one.xid, one.data()), (lsn, Xid(1 << 40), &b"main data"[..]));
        assert_eq!(
            (one.block_count(), one.block_data(0), one.block_data(3)),
            (4, &b"kept"[..], &b"of b"[..])
        );
        assert!(!one.has_image(3) && one.block(3).unwrap().will_init);
        assert_eq!(one.block(3).unwrap().rel, rel);
        // The first change after START: page LSN 0 <= redo 0, so an image was taken.
        assert!(one.has_image(0));
        let mut page = crate::Page::zeroed();
        one.restore_image(0, &mut page).unwrap();
        assert_eq!(page.item(1).unwrap(), b"some tuple");
        assert!(one.total_len() < 400, "the hole is left out: {}", one.total_len());
        let two = r.next_record().unwrap().unwrap();
        assert!(!two.has_image(0));
        assert_eq!(two.block_data(0), b"second");
        rec2 = two.end;
        assert_eq!(rec2, pa.lsn());
        // After a checkpoint begins, the next change takes an image again.
        drop((pa, pb));
        s.begin_checkpoint();
        let mut pa = a.exclusive();
        let crit = s.begin_critical();
        crit.page(&mut pa).add_item(b"third").unwrap();
        let mut r3 = crit.record(RmgrId::HEAP, 0, Xid(3));
        r3.block(0, &pa, RegFlags::STANDARD);
        let l3 = crit.log(r3);
        drop(crit);
        s.flush_wal(l3);
        r.refresh();
        assert!(r.next_record().unwrap().unwrap().has_image(0));
    }
}

#[test]
fn random_bytes_never_panic_the_decoder() {
    let mut rnd = Rnd(3);
    for _ in 0..5000 {
        let mut r = super::Record::default();
        let n = 24 + rnd.below(200) as usize;
        r.buffer().extend((0..n).map(|_| rnd.below(256) as u8));
        r.buffer()[22] = rnd.below(4) as u8;
        r.buffer()[16..20].copy_from_slice(&(rnd.below(64) as u32).to_le_bytes());
        if r.decode(Lsn(1), Lsn(2)).is_ok() {
            let mut page = crate::Page::zeroed();
            for id in 0..33 {
                let _ = (r.block_data(id), r.restore_image(id, &mut page));
            }
        }
    }
}

#[test]
fn acknowledged_records_survive_a_kill() {
    use std::sync::atomic::Ordering::SeqCst;
    for round in 0..5 {
        let dir = TestDir::new("wal-kill");
        let server = Server::new(config(&dir));
        let s = server.bootstrap();
        let children: Vec<i32> = (0..4u32)
            .map(|w| {
                server.fork(move |srv| {
                    let s = srv.store();
                    let mut rnd = Rnd(u64::from(w) + 1);
                    for n in 0.. {
                        let lsn = s.log(RmgrId::TRANSACTION, w as u8, Xid(7), &payload(w, n, &mut rnd));
                        s.flush_wal(lsn);
                        // Reported after it is durable: the slot's spare words are free for tests.
                        srv.procs.get(0).spare[w as usize].store(u64::from(n) + 1, SeqCst);
                    }
                    0
                })
            })
            .collect();
        let acked = || (0..4).map(|w| server.procs.get(0).spare[w].load(SeqCst)).collect::<Vec<u64>>();
        crate::testing::wait_until(|| acked().iter().sum::<u64>() > 20);
        std::thread::sleep(std::time::Duration::from_millis(30 + round * 13));
        for c in &children {
            nix::sys::signal::kill(nix::unistd::Pid::from_raw(*c), nix::sys::signal::Signal::SIGKILL)
                .unwrap();
        }
        for c in children {
            assert_eq!(ipc::fork::wait_for(c), Some(ipc::fork::Ended::Signal(9)));
        }
        let (log, _) = read_log(dir.path());
        let mut seen = [0u64; 4];
        let mut rnds: Vec<Rnd> = (0..4).map(|w| Rnd(w + 1)).collect();
        for (_, info, data) in &log {
            let w = *info as usize;
            assert_eq!(*data, payload(w as u32, seen[w] as u32, &mut rnds[w]));
            seen[w] += 1;
        }
        let acked = acked();
        for w in 0..4 {
            assert!(seen[w] >= acked[w], "writer {w}: {} of {} acknowledged records", seen[w], acked[w]);
        }
        assert_eq!(s.proc().number(), 0);
    }
}

/// Not a test of correctness: prints what an insertion costs. `cargo test --release -- --ignored --nocapture`.
#[test]
#[ignore = "measures time"]
fn insertion_time() {
    let dir = TestDir::new("wal-bench");
    let mut cfg = config(&dir);
    cfg.wal_buffers = Some(2048);
    let server = Server::new(cfg);
    let s = server.bootstrap();
    s.preallocate_wal(20).unwrap();
    let n = 1_000_000u32;
    let data = [7u8; 76];
    let t = std::time::Instant::now();
    for _ in 0..n {
        s.log(RmgrId::HEAP, 0, Xid(3), &data);
    }
    println!("insert of a 100-byte record: {} ns", t.elapsed().as_nanos() / u128::from(n));
}
