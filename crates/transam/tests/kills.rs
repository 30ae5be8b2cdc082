//! Random kills under load: backends die at any instruction; clean deaths are contained, the others send the whole
//! cluster through recovery. Every acknowledged commit must be there afterwards, and nothing of the others.
#![allow(clippy::unwrap_used)]

mod common;

use ::common::{Oid, Xid};
use common::{Cluster, db};
use ipc::fork::wait_for;
use ipc::{BackendKind, signals};
use std::sync::atomic::Ordering::SeqCst;
use std::time::{Duration, Instant};
use transam::*;

/// Word `k` of a child: highest xid it was told is committed; `20 + k`: highest it aborted.
fn work(e: &Engine, acked: &std::sync::atomic::AtomicU64, aborted: &std::sync::atomic::AtomicU64, seed: u64) {
    let mut r = seed;
    e.set_lock_timeouts(20, 0);
    loop {
        r = r.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        let pick = |n: u64, s: u32| (r >> s) % n;
        let go = || -> ::common::Result<Xid> {
            e.start_command()?;
            e.lock_relation(db(), Oid(900 + pick(4, 20) as u32), LockMode::RowExclusive)?;
            if pick(5, 30) == 0 {
                e.lock_relation(db(), Oid(900 + pick(4, 25) as u32), LockMode::ShareRowExclusive)?;
            }
            let x = e.current_xid()?;
            let _s = e.transaction_snapshot()?;
            if pick(4, 35) == 0 {
                e.begin_subxact(None)?;
                let sub = e.current_xid()?;
                e.multixact_create(
                    Member { xid: x, status: MemberStatus::ForShare },
                    Member { xid: sub, status: MemberStatus::ForKeyShare },
                )?;
                if pick(2, 40) == 0 { e.release_subxact()? } else { e.rollback_subxact()? }
            }
            Ok(x)
        };
        match go() {
            Ok(x) if pick(6, 45) != 0 => {
                e.commit_command().unwrap();
                acked.store(x.0, SeqCst);
            }
            Ok(x) => {
                e.abort_command();
                aborted.store(x.0, SeqCst);
            }
            Err(err) => {
                assert_eq!(err.report().message, "deadlock detected");
                e.abort_command();
            }
        }
    }
}

#[test]
fn acknowledged_commits_survive_random_kills() {
    let first = Cluster::create("kills");
    let dir = first.dir.clone();
    let (mut contained, mut restarts) = (0, 0);
    let until = Instant::now() + Duration::from_secs(4);
    let mut seed = 12345u64;
    let mut acked = Vec::new();
    let mut aborted = Vec::new();
    while Instant::now() < until {
        let c = Cluster::attach(&dir);
        c.recover();
        let w = c.words();
        let (mine, theirs) = (acked.clone(), aborted.clone());
        c.run(BackendKind::Client, move |e| {
            e.start_command().unwrap();
            for x in mine {
                assert!(e.xid_did_commit(Xid(x)).unwrap(), "{x} was acknowledged");
            }
            for x in theirs {
                assert!(!e.xid_did_commit(Xid(x)).unwrap(), "{x} was rolled back");
            }
            e.commit_command().unwrap();
        });
        let spawn = |k: usize, seed: u64| c.spawn(move |e| work(e, &w[k], &w[20 + k], seed));
        let mut kids: Vec<i32> = (0..4).map(|k| spawn(k, seed + k as u64)).collect();
        let checkpointer = c.spawn(|e| {
            e.store().become_checkpointer();
            loop {
                e.create_checkpoint(checkpoint::flags::IMMEDIATE, 0, &mut |_| Ok(())).unwrap();
                std::thread::sleep(Duration::from_millis(7));
            }
        });
        let mut up = true;
        while up && Instant::now() < until {
            seed = seed.wrapping_mul(6364136223846793005).wrapping_add(99991);
            std::thread::sleep(Duration::from_micros(seed >> 32 & 0x3FFF));
            let k = (seed >> 50) as usize % 4;
            let slot = c.procs.by_pid(kids[k]);
            signals::send_raw(kids[k], 9);
            wait_for(kids[k]).unwrap();
            acked.push(w[k].load(SeqCst));
            aborted.push(w[20 + k].load(SeqCst));
            // Killed before it had its slot, or after: nothing to clean.
            if let Some(slot) = slot.or_else(|| c.procs.by_pid(kids[k])) {
                if slot.in_flight().is_clean() {
                    contained += 1;
                    c.run(BackendKind::Cleaner, |e| e.cleanup_dead(slot).unwrap());
                } else {
                    up = false;
                }
            }
            if up {
                kids[k] = spawn(k, seed);
            }
        }
        restarts += 1;
        for k in kids.iter().chain([&checkpointer]) {
            signals::send_raw(*k, 9);
            wait_for(*k);
        }
        acked.extend((0..4).map(|k| w[k].load(SeqCst)));
        aborted.extend((0..4).map(|k| w[20 + k].load(SeqCst)));
        acked.retain(|x| *x != 0);
        // An id above every durable one may be handed out again after a restart.
        let durable = acked.iter().copied().max().unwrap_or(0);
        aborted.retain(|x| *x != 0 && *x < durable);
    }
    assert!(contained > 0 && restarts > 0 && acked.len() > 10, "{contained} {restarts} {}", acked.len());
    let _ = std::fs::remove_dir_all(dir);
}
