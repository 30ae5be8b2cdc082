//! The postmaster's side of background workers: which are registered, when each is to be started, and what their end means.

use super::Postmaster;
use super::state::{PmState, ShutdownMode};
use common::Severity;
use ipc::fork::Ended;
use ipc::{BackendKind, StartTime, WorkerSpec, signals};
use std::time::{Duration, Instant};

/// A worker that has a slot.
struct Registered {
    slot: u32,
    spec: WorkerSpec,
    pid: Option<i32>,
    /// It failed then, and waits for its restart interval.
    failed_at: Option<Instant>,
    terminate: bool,
}

/// All workers.
#[derive(Default)]
pub struct Workers(Vec<Registered>, Origin);

/// Where the list comes from when shared memory is made.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Origin {
    /// The preloaded libraries.
    #[default]
    Libraries,
    /// The workers before a crash.
    Before,
}

impl Workers {
    fn notify(w: &Registered) {
        if w.spec.notify_pid > 0 {
            signals::send_raw(w.spec.notify_pid, libc::SIGUSR1);
        }
    }
}

impl Postmaster {
    /// Puts the workers of preloaded libraries into their slots: at start, and when shared memory was made anew. Of those
    /// before, only what may be restarted stays.
    pub(super) fn register_workers(&mut self) {
        let Workers(before, origin) =
            std::mem::replace(&mut self.workers, Workers(Vec::new(), Origin::Before));
        let specs: Vec<WorkerSpec> = match origin {
            Origin::Libraries => self.modules.workers.clone(),
            // Who asked to be notified is dead.
            Origin::Before => before
                .into_iter()
                .filter(|w| w.spec.restart.is_some() && !w.terminate)
                .map(|w| WorkerSpec { notify_pid: 0, ..w.spec })
                .collect(),
        };
        for spec in specs {
            if let Some(slot) = self.shared.workers.place(&spec) {
                self.workers.0.push(Registered { slot, spec, pid: None, failed_at: None, terminate: false });
            }
        }
    }

    /// A backend asks for a worker, or for the end of one.
    pub(super) fn worker_requests(&mut self) {
        for (slot, terminate) in self.shared.workers.published() {
            match self.workers.0.iter_mut().find(|w| w.slot == slot) {
                Some(w) if terminate && !w.terminate => {
                    w.terminate = true;
                    match w.pid {
                        Some(pid) => {
                            signals::send_raw(pid, libc::SIGTERM);
                        }
                        None => Workers::notify(w),
                    }
                }
                Some(_) => {}
                None => {
                    let Some(spec) = self.shared.workers.spec(slot) else { continue };
                    let text = format!("registering background worker \"{}\"", spec.name);
                    crate::log::debug(Severity::Debug1, &text);
                    self.workers.0.push(Registered { slot, spec, pid: None, failed_at: None, terminate });
                }
            }
        }
        self.start_workers();
    }

    fn may_start(&self, start: StartTime) -> bool {
        match self.state {
            PmState::Startup => start == StartTime::PostmasterStart,
            PmState::Run => true,
            // A smart shutdown waits for clients, whose parallel queries still want workers.
            PmState::StopBackends => {
                self.shutdown == ShutdownMode::Smart && self.children.count(BackendKind::Client) > 0
            }
            _ => false,
        }
    }

    /// Starts the workers that are due, and drops those that will not run again.
    pub(super) fn start_workers(&mut self) {
        let now = Instant::now();
        let mut due = Vec::new();
        let may = [StartTime::PostmasterStart, StartTime::ConsistentState, StartTime::RecoveryFinished]
            .map(|s| self.may_start(s));
        let table = self.shared.workers;
        self.workers.0.retain_mut(|w| {
            if w.pid.is_some() {
                return true;
            }
            let gone = w.terminate || (w.failed_at.is_some() && w.spec.restart.is_none());
            if gone {
                table.forget(w.slot);
                Workers::notify(w);
                return false;
            }
            let waits = w.failed_at.is_some_and(|t| now < t + w.spec.restart.unwrap_or_default());
            if !waits && may[w.spec.start as usize] {
                due.push((w.slot, w.spec.clone()));
            }
            true
        });
        for (slot, spec) in due {
            let text = format!("starting background worker process \"{}\"", spec.name);
            crate::log::debug(Severity::Debug1, &text);
            let pid = self.spawn(BackendKind::BackgroundWorker, false, |pm| {
                pm.listeners.close();
                crate::worker::run(pm, spec)
            });
            let Some(w) = self.workers.0.iter_mut().find(|w| w.slot == slot) else { continue };
            // A fork that failed is tried again as a worker that failed is.
            w.failed_at = if pid.is_none() { Some(now) } else { None };
            w.pid = pid;
            if pid.is_some() {
                table.set_pid(slot, pid, false);
                Workers::notify(w);
            }
        }
    }

    /// How long until a worker's restart is due.
    pub(super) fn next_worker_start(&self) -> Option<Duration> {
        let due = self.workers.0.iter().filter(|w| w.pid.is_none());
        due.filter_map(|w| Some(w.failed_at? + w.spec.restart?)).min().map(|t| t - Instant::now().min(t))
    }

    /// A child ended: if it was a worker, what the log calls it.
    pub(super) fn worker_ended(&mut self, pid: i32, how: Ended) -> Option<String> {
        let w = self.workers.0.iter_mut().find(|w| w.pid == Some(pid))?;
        w.pid = None;
        if how == Ended::Exit(0) {
            // It has done what it was for.
            w.terminate = true;
        } else {
            w.failed_at = Some(Instant::now());
        }
        let again = !w.terminate && w.spec.restart.is_some();
        let (slot, name) = (w.slot, format!("background worker \"{}\"", w.spec.type_name()));
        self.shared.workers.set_pid(slot, None, again);
        if !again && let Some(i) = self.workers.0.iter().position(|w| w.slot == slot) {
            let w = self.workers.0.remove(i);
            self.shared.workers.forget(slot);
            Workers::notify(&w);
        }
        Some(name)
    }
}
