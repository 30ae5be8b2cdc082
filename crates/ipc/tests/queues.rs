//! Regions and queues between real processes.
#![allow(clippy::unwrap_used)]

use ipc::fork::{Ended, exit, fork_unchecked, wait_for};
use ipc::queue::{Received, Receiver, Sender, Sent, size_of_queue};
use ipc::*;
use std::rc::Rc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::SeqCst;

const RING: usize = 4096;

struct World {
    procs: ProcTable,
}

impl World {
    fn new() -> World {
        let mut l = Layout::new();
        let h = ProcTable::reserve(
            &mut l,
            ProcConfig { max_connections: 20, autovacuum_workers: 1, max_workers: 0, query_bytes: 1024 },
        );
        let seg = Segment::create(l).unwrap();
        let procs = ProcTable::attach(&seg, h);
        procs.init();
        World { procs }
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
}

/// A region with a counter and a ring.
fn region() -> (Rc<Region>, usize, usize) {
    let mut l = RegionLayout::default();
    let counter = l.reserve::<AtomicU64>(1);
    let ring = l.reserve_bytes(size_of_queue(RING), 64);
    (Rc::new(Region::new(&l).unwrap()), counter, ring)
}

#[test]
fn children_share_a_region() {
    let w = World::new();
    let (r, counter, _) = region();
    let children: Vec<i32> = (0..3)
        .map(|_| {
            w.child(|_, _| {
                r.get::<AtomicU64>(counter).fetch_add(7, SeqCst);
                0
            })
        })
        .collect();
    assert!(children.into_iter().all(|c| wait_for(c) == Some(Ended::Exit(0))));
    assert_eq!(r.get::<AtomicU64>(counter).load(SeqCst), 21);
}

#[test]
fn a_sibling_is_the_parents_child() {
    let w = World::new();
    let (r, counter, _) = region();
    let me = std::process::id();
    let middle = w.child(|_, _| match fork_sibling().unwrap() {
        Fork::Child => {
            r.get::<AtomicU64>(counter).store(u64::from(std::process::id()), SeqCst);
            let tid = nix::unistd::gettid().as_raw();
            exit(i32::from(std::os::unix::process::parent_id() != me || tid != std::process::id() as i32))
        }
        Fork::Parent { child } => {
            // Not this process's to wait for.
            i32::from(wait_for(child).is_some())
        }
    });
    assert_eq!(wait_for(middle), Some(Ended::Exit(0)));
    let sibling = loop {
        let pid = r.get::<AtomicU64>(counter).load(SeqCst) as i32;
        if pid != 0 {
            break pid;
        }
    };
    assert_eq!(wait_for(sibling), Some(Ended::Exit(0)));
}

/// The length and a byte of message `i`.
fn message(i: usize) -> Vec<u8> {
    vec![i as u8; (i * 37) % 9000]
}

/// A receiver in this process's child, a sender in its child; the answer is the receiver's status.
fn queue(count: usize, send: impl Fn(&mut Sender, &Interrupts) -> i32) -> Option<Ended> {
    let w = World::new();
    let receiver = w.child(|me, ints| {
        let (region, _, ring) = region();
        let mut r = Receiver::new(region.clone(), ring, RING, w.procs, me.number());
        let sender = w
            .child(|me, ints| send(&mut Sender::new(region.clone(), ring, RING, w.procs, me.number()), ints));
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
    assert_eq!(queue(3000, all), Some(Ended::Exit(0)));
}

#[test]
fn a_sender_that_dies_is_noticed() {
    let some = |s: &mut Sender, ints: &Interrupts| {
        for i in 0..20 {
            s.send(&message(i), ints).unwrap();
        }
        exit(9)
    };
    assert_eq!(queue(20, some), Some(Ended::Exit(0)));
}

#[test]
fn a_receiver_that_leaves_is_noticed() {
    let w = World::new();
    let sender = w.child(|me, ints| {
        let (region, _, ring) = region();
        let mut sender = Sender::new(region.clone(), ring, RING, w.procs, me.number());
        let receiver = w.child(|me, ints| {
            let mut r = Receiver::new(region.clone(), ring, RING, w.procs, me.number());
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
