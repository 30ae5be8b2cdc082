//! The deadlock detector: looks for cycles among waiting processes, run by one that has waited for
//! `deadlock_timeout`. PostgreSQL's published algorithm: a *hard* edge leads to a holder of a conflicting lock, a *soft*
//! edge to a process that is merely ahead in the same queue with a conflicting request. A cycle with a soft edge may be
//! resolved by letting the waiter pass; only a cycle that no reordering removes is a deadlock.
//!
//! The caller holds all partition locks.

use super::mode::{LockMode, conflicts};
use super::table::LockTables;
use super::tag::LockTag;
use crate::parallel;
use ipc::procs::wait_status;
use ipc::{Proc, ProcTable};
use std::sync::atomic::Ordering::{Acquire, Relaxed};

/// Orders tried at most, as a bound on time under all partition locks.
const ATTEMPTS_MAX: usize = 200;

/// One step of the cycle: who waits for what.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    pub tag: LockTag,
    pub mode: LockMode,
    pub pid: i32,
    pub slot: u32,
}

/// What the detector found.
#[derive(Debug)]
pub enum Verdict {
    None,
    /// Queues were reordered; somebody may have been woken.
    Resolved,
    Deadlock(Vec<Step>),
}

#[derive(Clone, Copy, PartialEq)]
struct Edge {
    waiter: u32,
    blocker: u32,
    lock: u32,
}

struct Search<'a> {
    t: &'a LockTables,
    procs: &'a ProcTable,
    visited: Vec<u32>,
    steps: Vec<Step>,
    soft: Vec<Edge>,
    attempts: usize,
}

enum Config {
    Clean,
    Hard,
    Soft(Vec<Edge>),
}

/// Looks from `start`, a waiting process.
pub fn check(t: &LockTables, procs: &ProcTable, start: &Proc) -> Verdict {
    let mut s = Search { t, procs, visited: vec![], steps: vec![], soft: vec![], attempts: 0 };
    let mut constraints = Vec::new();
    match s.solve(start.number(), &mut constraints) {
        None => {
            // Report the cycle as it stands, without reordering.
            s.cycle_from(start.number(), &[]);
            Verdict::Deadlock(std::mem::take(&mut s.steps))
        }
        Some(orders) if orders.is_empty() => Verdict::None,
        Some(orders) => {
            for (lock, order) in &orders {
                t.relink(procs, *lock, order);
                t.wake_up(procs, *lock);
            }
            Verdict::Resolved
        }
    }
}

type Orders = Vec<(u32, Vec<u32>)>;

impl Search<'_> {
    /// Queue orders under which there is no cycle; `None` if there are none.
    fn solve(&mut self, start: u32, constraints: &mut Vec<Edge>) -> Option<Orders> {
        self.attempts += 1;
        if self.attempts > ATTEMPTS_MAX {
            return None;
        }
        let orders = self.expand(constraints)?;
        match self.test(start, constraints, &orders) {
            Config::Clean => Some(orders),
            Config::Hard => None,
            Config::Soft(edges) => {
                for e in edges {
                    if constraints.contains(&e) {
                        continue;
                    }
                    constraints.push(e);
                    if let Some(o) = self.solve(start, constraints) {
                        return Some(o);
                    }
                    constraints.pop();
                }
                None
            }
        }
    }
    fn test(&mut self, start: u32, constraints: &[Edge], orders: &Orders) -> Config {
        let mut found = Vec::new();
        let starts = constraints.iter().flat_map(|c| [c.waiter, c.blocker]).chain([start]);
        for s in starts.collect::<Vec<_>>() {
            if self.cycle_from(s, orders) {
                if self.soft.is_empty() {
                    return Config::Hard;
                }
                found = std::mem::take(&mut self.soft);
            }
        }
        if found.is_empty() { Config::Clean } else { Config::Soft(found) }
    }
    /// Each constrained queue, sorted so that every constraint's waiter is ahead of its blocker.
    fn expand(&self, constraints: &[Edge]) -> Option<Orders> {
        let mut orders: Orders = Vec::new();
        for c in constraints {
            if orders.iter().any(|o| o.0 == c.lock) {
                continue;
            }
            let mut left: Vec<u32> = self.t.queue(self.procs, c.lock).iter().map(|p| p.number()).collect();
            let mut order = Vec::new();
            while !left.is_empty() {
                let free = left.iter().position(|p| {
                    !constraints
                        .iter()
                        .any(|k| k.lock == c.lock && k.blocker == *p && left.contains(&k.waiter))
                })?;
                order.push(left.remove(free));
            }
            orders.push((c.lock, order));
        }
        Some(orders)
    }
    fn cycle_from(&mut self, start: u32, orders: &[(u32, Vec<u32>)]) -> bool {
        self.visited.clear();
        self.steps.clear();
        self.soft.clear();
        let found = self.visit(start, orders);
        self.steps.reverse();
        found
    }
    /// Follows what the processes of a group wait for: a leader and its workers wait for each other without a lock.
    fn visit(&mut self, n: u32, orders: &[(u32, Vec<u32>)]) -> bool {
        let group = parallel::group(self.procs.get(n));
        if let Some(i) = self.visited.iter().position(|v| *v == group) {
            return i == 0;
        }
        self.visited.push(group);
        let alone = self.procs.get(n).lock_group_leader.load(Relaxed) == 0;
        if alone {
            return self.visit_member(n, group, orders);
        }
        let members: Vec<u32> =
            self.procs.live().filter(|p| parallel::group(p) == group).map(|p| p.number()).collect();
        members.into_iter().any(|m| self.visit_member(m, group, orders))
    }
    fn visit_member(&mut self, n: u32, group: u32, orders: &[(u32, Vec<u32>)]) -> bool {
        let p = self.procs.get(n);
        let wait_lock = p.wait_lock.load(Relaxed);
        if wait_lock == 0 || p.wait_status.load(Acquire) != wait_status::WAITING {
            return false;
        }
        let lock = wait_lock - 1;
        let Some(mode) = LockMode::from_u8(p.wait_mode.load(Relaxed) as u8) else { return false };
        let c = conflicts(mode);
        let other = |q: u32, s: &Self| parallel::group(s.procs.get(q)) != group;
        for h in self.t.holders_of(lock) {
            let r = self.t.holder(h);
            let q = r.proc.load(Relaxed);
            if other(q, self) && r.mask.load(Relaxed) & c != 0 && self.visit(q, orders) {
                self.note(p, lock, mode);
                return true;
            }
        }
        let queue = match orders.iter().find(|o| o.0 == lock) {
            Some(o) => o.1.clone(),
            None => self.t.queue(self.procs, lock).iter().map(|q| q.number()).collect(),
        };
        for q in queue.into_iter().take_while(|q| *q != n) {
            let wants = 1u32 << self.procs.get(q).wait_mode.load(Relaxed);
            if other(q, self) && wants & c != 0 && self.visit(q, orders) {
                self.note(p, lock, mode);
                self.soft.push(Edge { waiter: n, blocker: q, lock });
                return true;
            }
        }
        false
    }
    fn note(&mut self, p: &Proc, lock: u32, mode: LockMode) {
        if let Some(tag) = self.t.tag(lock) {
            self.steps.push(Step { tag, mode, pid: p.pid(), slot: p.number() });
        }
    }
}

/// The error of a deadlock.
pub fn report(steps: &[Step], query_of: impl Fn(u32) -> String) -> common::Error {
    let mut client = String::new();
    for (i, s) in steps.iter().enumerate() {
        let next = steps[(i + 1) % steps.len()].pid;
        if i > 0 {
            client.push('\n');
        }
        client.push_str(&format!(
            "Process {} waits for {} on {}; blocked by process {next}.",
            s.pid,
            s.mode.name(),
            s.tag.describe()
        ));
    }
    let mut log = client.clone();
    for s in steps {
        log.push_str(&format!("\nProcess {}: {}", s.pid, query_of(s.slot)));
    }
    common::err!(T_R_DEADLOCK_DETECTED, "deadlock detected")
        .detail(client)
        .detail_log(log)
        .hint("See server log for query details.")
}
