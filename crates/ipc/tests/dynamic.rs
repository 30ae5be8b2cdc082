//! Dynamic segments and queues between real processes.
#![allow(clippy::unwrap_used)]

use ipc::dsm::{DsmSegment, DsmTable};
use ipc::fork::{Ended, exit, fork_unchecked, wait_for};
use ipc::queue::{Received, Receiver, Sender, Sent, size_of_queue};
use ipc::*;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::SeqCst;

const RING: usize = 4096;

struct World {
    dir: PathBuf,
    procs: ProcTable,
    dsm: DsmTable,
}

impl World {
    fn new(name: &str) -> World {
        let dir = std::env::temp_dir().join(format!("stegodon-dsm-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let mut l = Layout::new();
        let h = ProcTable::reserve(
            &mut l,
            ProcConfig { max_connections: 20, autovacuum_workers: 1, max_workers: 0, query_bytes: 1024 },
        );
        let d = DsmTable::reserve(&mut l, 1);
        let seg = Segment::create(l).unwrap();
        let (procs, dsm) = (ProcTable::attach(&seg, h), DsmTable::attach_table(&seg, d));
        procs.init();
        dsm.init(&dir).unwrap();
        World { dir, procs, dsm }
    }
    /// Runs `f` in a child with a slot; its status is what it returns.
    fn child(&self, f: impl FnOnce(&'static Proc, &Interrupts) -> i32) -> i32 {
        match fork_unchecked().unwrap() {
            Fork::Parent { child } => child,
            Fork::Child => {
                signals::install_backend();
                let p = self.procs.allocate(BackendKind::Client).unwrap();
                let ints = Interrupts::new();
                ints.attach(p);
                signals::unblock_all();
                let code = f(p, &ints);
                ints.detach();
                self.procs.release(p);
                exit(code)
            }
        }
    }
    fn objects(&self) -> usize {
        use std::os::unix::fs::MetadataExt;
        let ino = format!(".{:x}.", std::fs::metadata(&self.dir).unwrap().ino());
        let all = std::fs::read_dir("/dev/shm").unwrap().flatten();
        all.filter(|e| {
            e.file_name().to_string_lossy().starts_with("stegodon.")
                && e.file_name().to_string_lossy().contains(&ino)
        })
        .count()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir(&self.dir);
    }
}

/// The length and a byte of message `i`.
fn message(i: usize) -> Vec<u8> {
    vec![i as u8; (i * 37) % 9000]
}

#[test]
fn the_last_one_frees_a_segment() {
    let w = World::new("free");
    let status = wait_for(w.child(|me, _| {
        let s = w.dsm.create(me, 10_000).unwrap();
        s.get::<AtomicU64>(64).store(7, SeqCst);
        let handle = s.handle();
        let other = w.child(|me, _| {
            let s = w.dsm.open(me, handle).unwrap().unwrap();
            i32::from(s.get::<AtomicU64>(64).load(SeqCst) != 7 || s.size() != 10_000)
        });
        if wait_for(other) != Some(Ended::Exit(0)) || w.objects() != 1 {
            return 2;
        }
        drop(s);
        i32::from(w.dsm.open(me, handle).unwrap().is_some() || w.dsm.count() != 0 || w.objects() != 0)
    }));
    assert_eq!(status, Some(Ended::Exit(0)));
}

#[test]
fn what_the_dead_leave_is_taken_away() {
    let w = World::new("dead");
    let dead = w.child(|me, _| {
        std::mem::forget(w.dsm.create(me, 100).unwrap());
        exit(9)
    });
    assert_eq!(wait_for(dead), Some(Ended::Exit(9)));
    assert_eq!((w.dsm.count(), w.objects()), (1, 1));
    let cleaner = w.child(|me, _| {
        w.dsm.leave_for_dead(me, dead);
        0
    });
    wait_for(cleaner);
    assert_eq!((w.dsm.count(), w.objects()), (0, 0));
    // A killed server: the next start removes its objects.
    let dead = w.child(|me, _| {
        std::mem::forget(w.dsm.create(me, 100).unwrap());
        exit(9)
    });
    wait_for(dead);
    assert_eq!(w.objects(), 1);
    w.dsm.init(&w.dir).unwrap();
    assert_eq!(w.objects(), 0);
}

/// A receiver in this process's child, a sender in its child; the answer is the receiver's status.
fn queue(name: &str, count: usize, send: impl Fn(&mut Sender, &Interrupts) -> i32) -> Option<Ended> {
    let w = World::new(name);
    let receiver = w.child(|me, ints| {
        let s: Rc<DsmSegment> = Rc::new(w.dsm.create(me, size_of_queue(RING)).unwrap());
        let handle = s.handle();
        let mut r = Receiver::new(s, 0, RING, w.procs, me.number());
        let sender = w.child(|me, ints| {
            let s = Rc::new(w.dsm.open(me, handle).unwrap().unwrap());
            send(&mut Sender::new(s, 0, RING, w.procs, me.number()), ints)
        });
        let mut got = Vec::new();
        let mut i = 0;
        loop {
            match r.receive(&mut got, ints, &|| !ended(sender)).unwrap() {
                Received::Message if got == message(i) => i += 1,
                Received::Detached => return i32::from(i != count),
                _ => return 3,
            }
        }
    });
    wait_for(receiver)
}

/// Is the child a zombie or gone?
fn ended(pid: i32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(')').next().is_none_or(|rest| rest.trim_start().starts_with(['Z', 'X']) || rest.is_empty())
}

#[test]
fn messages_arrive_in_order() {
    let all = |s: &mut Sender, ints: &Interrupts| {
        for i in 0..3000 {
            if s.send(&message(i), ints).unwrap() != Sent::Done {
                return 1;
            }
        }
        0
    };
    assert_eq!(queue("order", 3000, all), Some(Ended::Exit(0)));
}

#[test]
fn a_sender_that_dies_is_noticed() {
    let some = |s: &mut Sender, ints: &Interrupts| {
        for i in 0..20 {
            s.send(&message(i), ints).unwrap();
        }
        exit(9)
    };
    assert_eq!(queue("dies", 20, some), Some(Ended::Exit(0)));
}

#[test]
fn a_receiver_that_leaves_is_noticed() {
    let w = World::new("leaves");
    let sender = w.child(|me, ints| {
        let s = Rc::new(w.dsm.create(me, size_of_queue(RING)).unwrap());
        let handle = s.handle();
        let mut sender = Sender::new(s, 0, RING, w.procs, me.number());
        let receiver = w.child(|me, ints| {
            let s = Rc::new(w.dsm.open(me, handle).unwrap().unwrap());
            let mut r = Receiver::new(s, 0, RING, w.procs, me.number());
            let mut got = Vec::new();
            i32::from(r.receive(&mut got, ints, &|| true).unwrap() != Received::Message)
        });
        let mut sent = 0;
        while sender.send(&message(100), ints).unwrap() == Sent::Done {
            sent += 1;
        }
        i32::from(wait_for(receiver) != Some(Ended::Exit(0)) || sent == 0)
    });
    assert_eq!(wait_for(sender), Some(Ended::Exit(0)));
}
