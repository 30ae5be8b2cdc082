//! Real processes on one segment: each test forks children that work against each other.
#![allow(clippy::unwrap_used)]

use ipc::fork::{Ended, exit, fork_unchecked, wait_for};
use ipc::*;
use std::os::fd::AsFd;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::{AtomicU32, AtomicU64};
use std::time::{Duration, Instant};

struct World {
    seg: Segment,
    table: ProcTable,
}

fn world<T: Shared>(name: &str, count: usize) -> (World, &'static [T]) {
    let mut l = Layout::new();
    let h = ProcTable::reserve(
        &mut l,
        ProcConfig { max_connections: 20, autovacuum_workers: 1, max_workers: 0, query_bytes: 1024 },
    );
    let extra = l.reserve::<T>(name, count);
    let seg = Segment::create(l).unwrap();
    let table = ProcTable::attach(&seg, h);
    table.init();
    let extra = seg.slice(extra);
    (World { seg, table }, extra)
}

fn child(w: &World, f: impl FnOnce(&'static Proc, &Interrupts)) -> i32 {
    match fork_unchecked().unwrap() {
        Fork::Parent { child } => child,
        Fork::Child => {
            signals::install_backend();
            let p = w.table.allocate(BackendKind::Client).unwrap();
            let ints = Interrupts::new();
            ints.attach(p);
            signals::unblock_all();
            f(p, &ints);
            ints.detach();
            w.table.release(p);
            exit(0)
        }
    }
}

shared_struct! {
    struct Counters { lock: LwLock, a: AtomicU32, b: AtomicU64, c: AtomicU64 }
}

#[test]
fn lwlock_excludes() {
    let (w, c) = world::<Counters>("counters", 1);
    let c = &c[0];
    c.lock.init(Tranche::BUFFER_CONTENT);
    let kids: Vec<i32> = (0..6)
        .map(|k| {
            child(&w, |me, _| {
                for i in 0..20_000u64 {
                    if (i + k) % 3 == 0 {
                        let _g = c.lock.exclusive(me);
                        c.b.store(c.b.load(Relaxed) + 1, Relaxed);
                        c.c.store(c.c.load(Relaxed) + 1, Relaxed);
                    } else {
                        let _g = c.lock.shared(me);
                        if c.b.load(Relaxed) != c.c.load(Relaxed) {
                            exit(3);
                        }
                    }
                }
            })
        })
        .collect();
    for k in kids {
        assert_eq!(wait_for(k), Some(Ended::Exit(0)));
    }
    let expect: u64 = (0..6u64).map(|k| (0..20_000u64).filter(|i| (i + k) % 3 == 0).count() as u64).sum();
    assert_eq!(c.b.load(Relaxed), expect);
    assert!(w.seg.size() > 0);
}

#[test]
fn shm_hash_counts() {
    let mut l = Layout::new();
    let h = ProcTable::reserve(
        &mut l,
        ProcConfig { max_connections: 20, autovacuum_workers: 1, max_workers: 0, query_bytes: 1024 },
    );
    let hh = ShmHash::<2, AtomicU64>::reserve(&mut l, "hash", 1000);
    let locks = l.reserve::<PaddedLwLock>("locks", 16);
    let seg = Segment::create(l).unwrap();
    let table = ProcTable::attach(&seg, h);
    table.init();
    let hash = ShmHash::attach(&seg, hh);
    hash.init();
    let locks = seg.slice(locks);
    let w = World { seg, table };
    let kids: Vec<i32> = (0..4)
        .map(|k| {
            child(&w, |me, _| {
                for i in 0..5000u64 {
                    let key = [i % 97, 7];
                    let hv = ShmHash::<2, AtomicU64>::hash(&key);
                    let _g = locks[hv as usize % 16].exclusive(me);
                    let (at, found) = hash.find_or_insert(hv, &key).unwrap();
                    if !found {
                        hash.value(at).store(0, Relaxed);
                    }
                    hash.value(at).fetch_add(1, Relaxed);
                    drop(_g);
                    let own = [1000 + k, i];
                    let hv = ShmHash::<2, AtomicU64>::hash(&own);
                    let _g = locks[hv as usize % 16].exclusive(me);
                    hash.insert(hv, &own).unwrap();
                    assert!(hash.remove(hv, &own).is_some());
                }
            })
        })
        .collect();
    for k in kids {
        assert_eq!(wait_for(k), Some(Ended::Exit(0)));
    }
    let total: u64 = (0..16).flat_map(|p| hash.indexes(p, 16)).map(|i| hash.value(i).load(Relaxed)).sum();
    assert_eq!(total, 20_000);
    assert_eq!(hash.len(), 97);
    let spare: Vec<[u64; 2]> = (0..1000 - 97).map(|i| [9999, i]).collect();
    for k in &spare {
        hash.insert(ShmHash::<2, AtomicU64>::hash(k), k).unwrap();
    }
    assert!(hash.insert(1, &[1, 1]).is_none());
}

#[test]
fn latch_and_cancel() {
    let (w, c) = world::<Counters>("counters", 1);
    let c = &c[0];
    let kid = child(&w, |me, ints| {
        c.a.store(1, SeqCst);
        me.latch().wait(None);
        me.latch().reset();
        c.a.store(2, SeqCst);
        loop {
            me.latch().wait(None);
            me.latch().reset();
            if let Err(e) = ints.check() {
                exit(if e.report().message == "canceling statement due to user request" { 9 } else { 8 });
            }
        }
    });
    let slot = wait_slot(&w, kid);
    until(|| c.a.load(SeqCst) == 1);
    slot.latch().set();
    until(|| c.a.load(SeqCst) == 2);
    assert!(slot.signal(libc::SIGINT));
    assert_eq!(wait_for(kid), Some(Ended::Exit(9)));
}

fn until(f: impl Fn() -> bool) {
    let t = Instant::now();
    while !f() {
        assert!(t.elapsed() < Duration::from_secs(10));
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn wait_slot(w: &World, pid: i32) -> &'static Proc {
    let t = Instant::now();
    loop {
        if let Some(p) = w.table.by_pid(pid) {
            return p;
        }
        assert!(t.elapsed() < Duration::from_secs(10));
    }
}

#[test]
fn blocking_recv_is_interrupted() {
    let (w, _) = world::<AtomicU32>("x", 1);
    let (mut ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
    let kid = child(&w, |me, ints| {
        let mut buf = [0; 16];
        let n = me.latch().recv(theirs.as_fd(), &mut buf).unwrap_or(0);
        if n != 3 {
            exit(5);
        }
        for _ in 0..3 {
            let r = me.latch().wait_fd(
                theirs.as_fd(),
                latch::Interest { read: true, write: false },
                Some(Duration::from_millis(5)),
            );
            if !r.timeout && !r.latch {
                exit(6);
            }
        }
        loop {
            match me.latch().recv(theirs.as_fd(), &mut buf) {
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {
                    me.latch().reset();
                    if ints.check().is_err() {
                        exit(7);
                    }
                }
                _ => exit(8),
            }
        }
    });
    std::io::Write::write_all(&mut ours, b"abc").unwrap();
    std::thread::sleep(Duration::from_millis(50));
    wait_slot(&w, kid).signal(libc::SIGTERM);
    assert_eq!(wait_for(kid), Some(Ended::Exit(7)));
}

#[test]
fn statement_timeout_ends_a_condvar_wait() {
    let (w, c) = world::<CondVar>("cv", 1);
    let kid = child(&w, |_, ints| {
        ints.arm(TimerId::Statement, 30);
        match c[0].wait_until(ints, WaitEvent::CHECKPOINT_DONE, None, || false) {
            Err(e) if e.report().message == "canceling statement due to statement timeout" => exit(4),
            _ => exit(5),
        }
    });
    assert_eq!(wait_for(kid), Some(Ended::Exit(4)));
}

#[test]
fn a_killed_holder_is_seen_and_an_idle_one_is_clean() {
    let (w, c) = world::<Counters>("counters", 1);
    let c = &c[0];
    c.lock.init(Tranche::WAL_WRITE);
    let holder = child(&w, |me, _| {
        let _g = c.lock.exclusive(me);
        c.a.fetch_add(1, SeqCst);
        loop {
            me.latch().wait(None);
        }
    });
    let idle = child(&w, |me, _| {
        c.a.fetch_add(1, SeqCst);
        loop {
            me.latch().wait(None);
        }
    });
    until(|| c.a.load(SeqCst) == 2);
    // A third process sleeps on the lock and dies there: clean as well.
    let sleeper = child(&w, |me, _| {
        c.a.fetch_add(1, SeqCst);
        drop(c.lock.exclusive(me));
    });
    let sleeper_slot = wait_slot(&w, sleeper);
    until(|| c.lock.has_waiters());
    std::thread::sleep(Duration::from_millis(20));
    let (h, i) = (wait_slot(&w, holder), wait_slot(&w, idle));
    for (pid, slot, clean) in [(holder, h, false), (idle, i, true), (sleeper, sleeper_slot, true)] {
        signals::send_raw(pid, libc::SIGKILL);
        assert_eq!(wait_for(pid), Some(Ended::Signal(libc::SIGKILL)));
        assert_eq!(slot.in_flight().is_clean(), clean, "{:?}", slot.in_flight());
    }
    assert_eq!(h.in_flight().lwlocks, vec![Tranche::WAL_WRITE]);
}
