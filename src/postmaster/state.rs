//! The postmaster's life: start-up, running, the three ways of shutting down, and what the end of a child means.

use super::Postmaster;
use super::sockets::Accepted;
use crate::aux;
use common::Result;
use ipc::BackendKind as Kind;
use ipc::fork::Ended;
use ipc::signals;
use std::rc::Rc;

/// Time that children have after SIGQUIT.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(5);

/// Where the server is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PmState {
    /// Recovery runs; nobody is let in.
    Startup,
    Run,
    /// A smart or fast shutdown waits for the backends.
    StopBackends,
    /// The checkpointer writes the shutdown checkpoint.
    ShutdownCheckpoint,
    /// Children that are of no more use are told to go, and waited for.
    WaitDead,
    Stopped,
}

/// How the server was told to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ShutdownMode {
    None,
    /// No new connections; wait for the clients.
    Smart,
    /// Disconnect the clients.
    Fast,
    /// Leave at once; recovery runs at the next start.
    Immediate,
    /// Start-up failed.
    Failed,
}

/// Why a connection is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    StartingUp,
    ShuttingDown,
    InRecovery,
    TooMany,
}

impl Postmaster {
    /// Forks a child that runs `body` and exits with what it returns.
    pub(super) fn spawn(
        &mut self,
        kind: Kind,
        dead_end: bool,
        body: impl FnOnce(&mut Postmaster) -> i32,
    ) -> Option<i32> {
        // Asked before the fork: a child that finds its parent dead already must know who that was.
        let me = std::process::id() as i32;
        match ipc::fork() {
            Ok(ipc::Fork::Parent { child }) => {
                self.children.add(child, kind, dead_end);
                Some(child)
            }
            Ok(ipc::Fork::Child) => {
                signals::install_backend();
                signals::die_with_parent(me);
                super::environment::adjust_oom_score();
                let code = body(self);
                ipc::fork::exit(code)
            }
            Err(e) => {
                crate::log::report(e.report(), None);
                None
            }
        }
    }

    fn spawn_aux(&mut self, kind: Kind, main: fn(&mut aux::AuxContext<'_>) -> Result<()>) {
        self.spawn(kind, false, |pm| {
            pm.listeners.close();
            aux::run(pm, kind, main)
        });
    }

    /// Starts recovery.
    pub(super) fn launch_startup(&mut self) -> Result<()> {
        self.state = PmState::Startup;
        self.spawn_aux(Kind::Startup, aux::startup::main);
        Ok(())
    }

    /// What the signals since the last look ask for.
    pub(super) fn handle_signals(&mut self) -> Result<()> {
        let bits = signals::take(
            signals::RELOAD | signals::TERMINATE | signals::CANCEL | signals::USR1 | signals::CHILD,
        );
        if bits & signals::RELOAD != 0 {
            crate::log::line("LOG", "received SIGHUP, reloading configuration files");
            crate::config::reload(&mut self.settings, crate::config::Reader::Postmaster);
            crate::log::configure(&self.settings);
            self.access.reload(&self.settings);
            self.children.signal(libc::SIGHUP, |c| !c.dead_end);
            self.signal_logger(libc::SIGHUP);
        }
        if bits & signals::TERMINATE != 0 {
            crate::log::line("LOG", "received smart shutdown request");
            self.begin_shutdown(ShutdownMode::Smart);
        }
        if bits & signals::CANCEL != 0 {
            crate::log::line("LOG", "received fast shutdown request");
            self.begin_shutdown(ShutdownMode::Fast);
        }
        if signals::take(signals::QUIT) != 0 {
            crate::log::line("LOG", "received immediate shutdown request");
            self.begin_shutdown(ShutdownMode::Immediate);
        }
        if bits & signals::USR1 != 0 {
            if std::fs::remove_file(crate::postmaster::LOGROTATE_FILE).is_ok() {
                self.signal_logger(libc::SIGUSR1);
            }
            self.launch_autovacuum_worker();
            self.worker_requests();
        }
        Ok(())
    }

    /// Begins (or hastens) a shutdown.
    pub(super) fn begin_shutdown(&mut self, mode: ShutdownMode) {
        if mode <= self.shutdown {
            return;
        }
        self.shutdown = mode;
        self.lock.set_status("stopping");
        super::environment::notify_systemd("STOPPING=1");
        match mode {
            ShutdownMode::Smart => {
                // Helpers go at once, clients in their own time.
                // Background workers stay as long as clients do: their queries may use them.
                self.children
                    .signal(libc::SIGTERM, |c| is_service(c.kind) && c.kind != Kind::BackgroundWorker);
                if self.state == PmState::Run {
                    self.state = PmState::StopBackends;
                }
            }
            ShutdownMode::Fast => {
                if self.children.count(Kind::Client) > 0 {
                    crate::log::line("LOG", "aborting any active transactions");
                }
                self.children.signal(libc::SIGTERM, |c| {
                    is_service(c.kind) || matches!(c.kind, Kind::Client | Kind::Startup)
                });
                self.state = PmState::StopBackends;
            }
            ShutdownMode::Immediate | ShutdownMode::Failed => {
                self.doom_children();
                self.state = PmState::WaitDead;
            }
            ShutdownMode::None => {}
        }
    }

    /// Collects children that have ended.
    pub(super) fn reap(&mut self) {
        while let Some((pid, how)) = ipc::fork::reap() {
            if self.logger.as_ref().is_some_and(|l| l.pid == pid) {
                self.restart_logger();
            } else if let Some(child) = self.children.remove(pid) {
                self.child_ended(pid, child.kind, child.doomed || child.dead_end, how);
            } else {
                // Not forked here, and yet a child.
                self.child_ended(pid, Kind::ParallelWorker, false, how);
            }
        }
    }

    fn signal_logger(&self, sig: i32) {
        if let Some(l) = &self.logger {
            signals::send_raw(l.pid, sig);
        }
    }

    /// The logger ended: its successor goes on with the same pipe.
    fn restart_logger(&mut self) {
        let Some(mut l) = self.logger.take() else { return };
        let started = l.restart(&self.settings, || {
            self.title.set("postgres: logger");
            self.listeners.close();
            self.directory = None;
        });
        if let Err(e) = started {
            crate::log::report(e.report(), None);
            l.pid = 0;
        }
        self.logger = Some(l);
    }

    fn child_ended(&mut self, pid: i32, kind: Kind, expected: bool, how: Ended) {
        let worker = self.worker_ended(pid, how);
        let is_worker = worker.is_some();
        let name = worker.unwrap_or_else(|| process_name(kind).to_string());
        match how {
            Ended::Exit(0) if is_worker => {
                let text = format!("{name} (PID {pid}) exited with exit code 0");
                crate::log::debug(common::Severity::Debug1, &text);
            }
            Ended::Exit(0 | 1) if !is_worker => {}
            _ if expected => {}
            Ended::Exit(n) => {
                crate::log::line("LOG", &format!("{name} (PID {pid}) exited with exit code {n}"))
            }
            Ended::Signal(n) => {
                let text =
                    format!("{name} (PID {pid}) was terminated by signal {n}: {}", ipc::signals::text(n));
                crate::log::line("LOG", &text);
            }
        }
        if kind == Kind::Startup {
            return self.startup_ended(how);
        }
        if kind == Kind::Checkpointer && self.state == PmState::ShutdownCheckpoint && how == Ended::Exit(0) {
            self.state = PmState::WaitDead;
            self.children.signal(libc::SIGTERM, |c| !c.dead_end);
            return;
        }
        if expected || self.state == PmState::WaitDead {
            return;
        }
        let clean = matches!(how, Ended::Exit(0)) || (matches!(how, Ended::Exit(1)) && !needs_restart(kind));
        if clean {
            return;
        }
        if self.contain(pid, kind) {
            return;
        }
        self.crash(pid);
    }

    fn startup_ended(&mut self, how: Ended) {
        match how {
            Ended::Exit(0) if self.shutdown == ShutdownMode::None || self.shutdown == ShutdownMode::Smart => {
                self.state =
                    if self.shutdown == ShutdownMode::None { PmState::Run } else { PmState::StopBackends };
                self.launch_missing();
                if self.shutdown == ShutdownMode::None {
                    crate::log::line("LOG", "database system is ready to accept connections");
                    self.lock.set_status("ready");
                    super::environment::notify_systemd("READY=1");
                }
            }
            Ended::Exit(1) if self.shutdown >= ShutdownMode::Fast => self.state = PmState::WaitDead,
            Ended::Exit(0) => self.launch_missing(),
            _ => {
                crate::log::line("LOG", "aborting startup due to startup process failure");
                self.shutdown = ShutdownMode::Failed;
                self.state = PmState::WaitDead;
                self.doom_children();
            }
        }
    }

    /// Containment: a process that died with nothing in flight in shared memory is cleaned up after by a process of its
    /// own, and nobody else notices.
    fn contain(&mut self, pid: i32, kind: Kind) -> bool {
        if !matches!(
            kind,
            Kind::Client
                | Kind::AutovacuumWorker
                | Kind::AutovacuumLauncher
                | Kind::Archiver
                | Kind::BackgroundWorker
                | Kind::ParallelWorker
                | Kind::Monitoring
        ) {
            return false;
        }
        let Some(slot) = self.shared.procs.by_pid(pid) else {
            // It died before it had a slot, or after it had given it back.
            return true;
        };
        let in_flight = slot.in_flight();
        if !in_flight.is_clean() {
            crate::log::line(
                "LOG",
                &format!("process {pid} died inside a change of shared memory: {in_flight:?}"),
            );
            return false;
        }
        let number = slot.number();
        self.spawn(Kind::Cleaner, false, |pm| {
            pm.listeners.close();
            aux::cleaner::run(pm, number)
        })
        .is_some()
    }

    /// Shared memory is not to be touched any more: everybody goes at once.
    fn doom_children(&mut self) {
        self.children.signal(libc::SIGQUIT, |_| true);
        self.signal_parallel_workers(libc::SIGQUIT);
        self.children.doom();
        self.patience = Some(std::time::Instant::now() + PATIENCE);
    }

    /// Children that do not heed SIGQUIT (they are stopped, or stuck in the kernel).
    pub(super) fn kill_recalcitrant(&mut self) {
        if self.state == PmState::WaitDead && self.patience.is_some_and(|t| std::time::Instant::now() >= t) {
            crate::log::line("LOG", "issuing SIGKILL to recalcitrant children");
            self.children.signal(libc::SIGKILL, |_| true);
            self.signal_parallel_workers(libc::SIGKILL);
            self.patience = None;
        }
    }

    /// Parallel workers are children that backends have forked: they are found by their slots, which are believed only
    /// where they name a child. True if there are some.
    fn signal_parallel_workers(&self, sig: i32) -> bool {
        let pids: Vec<i32> = self
            .shared
            .procs
            .parallel_workers()
            .map(|p| p.pid())
            .filter(|p| ipc::fork::is_child(*p))
            .collect();
        pids.iter().for_each(|p| {
            ipc::signals::send_raw(*p, sig);
        });
        !pids.is_empty()
    }

    /// PostgreSQL's answer to a crash: everyone goes, memory is made anew, recovery runs.
    fn crash(&mut self, pid: i32) {
        let _ = pid;
        crate::log::line("LOG", "terminating any other active server processes");
        self.doom_children();
        if self.shutdown == ShutdownMode::None && !self.settings.bool("restart_after_crash") {
            crate::log::line("LOG", "shutting down because restart_after_crash is off");
            self.shutdown = ShutdownMode::Immediate;
        }
        self.state = PmState::WaitDead;
    }

    /// Goes on to the next state when what this one waits for has happened.
    pub(super) fn advance(&mut self) -> Result<()> {
        match self.state {
            PmState::Run => self.launch_missing(),
            PmState::Startup => self.start_workers(),
            PmState::StopBackends => self.stop_backends(),
            // Children that only refuse a client touch nothing: a client that says nothing must not hold us up.
            // A worker without a slot looks for its leader before it does anything, and that is gone by now.
            PmState::WaitDead
                if self.children.pids(|c| !c.dead_end).is_empty()
                    && !self.signal_parallel_workers(libc::SIGQUIT) =>
            {
                return self.all_dead();
            }
            _ => {}
        }
        Ok(())
    }

    fn stop_backends(&mut self) {
        if self.children.count(Kind::Client) == 0 {
            self.children.signal(libc::SIGTERM, |c| c.kind == Kind::BackgroundWorker);
        } else {
            self.start_workers();
        }
        let waiting = self.children.pids(|c| {
            !c.dead_end
                && (is_service(c.kind) || matches!(c.kind, Kind::Client | Kind::Startup | Kind::Cleaner))
        });
        if !waiting.is_empty() {
            return;
        }
        if self.children.has(Kind::Checkpointer) {
            self.state = PmState::ShutdownCheckpoint;
            self.children.signal(libc::SIGUSR2, |c| c.kind == Kind::Checkpointer);
        } else {
            self.state = PmState::WaitDead;
            self.children.signal(libc::SIGTERM, |_| true);
        }
    }

    fn all_dead(&mut self) -> Result<()> {
        if self.shutdown != ShutdownMode::None {
            self.state = PmState::Stopped;
            return Ok(());
        }
        crate::log::line("LOG", "all server processes terminated; reinitializing");
        if self.settings.bool("remove_temp_files_after_crash") {
            storage::temp::remove_temp_files(&self.data_dir)?;
        }
        let config = self.shared.config.clone();
        self.shared = Rc::new(crate::server::Shared::create(config)?);
        self.register_workers();
        self.launch_startup()
    }

    /// Starts the processes that should run and do not.
    fn launch_missing(&mut self) {
        if !self.children.has(Kind::Checkpointer) {
            self.spawn_aux(Kind::Checkpointer, aux::checkpointer::main);
        }
        if self.shutdown != ShutdownMode::None {
            return;
        }
        if !self.children.has(Kind::BackgroundWriter) {
            self.spawn_aux(Kind::BackgroundWriter, aux::bgwriter::main);
        }
        if !self.children.has(Kind::WalWriter) {
            self.spawn_aux(Kind::WalWriter, aux::walwriter::main);
        }
        if self.settings.text("archive_mode") != "off" && !self.children.has(Kind::Archiver) {
            self.spawn_aux(Kind::Archiver, aux::archiver::main);
        }
        if self.settings.int("monitoring_port") != 0 && !self.children.has(Kind::Monitoring) {
            self.spawn_aux(Kind::Monitoring, crate::monitoring::main);
        }
        if self.settings.bool("autovacuum") && !self.children.has(Kind::AutovacuumLauncher) {
            self.spawn_aux(Kind::AutovacuumLauncher, aux::autovacuum::launcher_main);
        }
        self.start_workers();
    }

    fn launch_autovacuum_worker(&mut self) {
        if self.state != PmState::Run
            || self.children.count(Kind::AutovacuumWorker)
                >= self.settings.int("autovacuum_max_workers") as usize
        {
            return;
        }
        self.spawn_aux(Kind::AutovacuumWorker, aux::autovacuum::worker_main);
    }

    /// Forks a backend for a connection, or a child that refuses it.
    pub(super) fn accept(&mut self, socket: Accepted) {
        let refusal = match self.state {
            PmState::Run
                if self.children.count(Kind::Client) >= self.settings.int("max_connections") as usize =>
            {
                Some(Refusal::TooMany)
            }
            PmState::Run => None,
            _ if self.shutdown != ShutdownMode::None => Some(Refusal::ShuttingDown),
            PmState::Startup => Some(Refusal::StartingUp),
            _ => Some(Refusal::InRecovery),
        };
        let mut socket = Some(socket);
        self.spawn(Kind::Client, refusal.is_some(), |pm| {
            pm.listeners.close();
            match socket.take() {
                Some(s) => crate::backend::run(pm, s.fd, s.peer, refusal),
                None => 1,
            }
        });
    }
}

/// Processes that serve the running system only: they go first at shutdown.
fn is_service(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::AutovacuumLauncher
            | Kind::AutovacuumWorker
            | Kind::BackgroundWriter
            | Kind::WalWriter
            | Kind::Archiver
            | Kind::BackgroundWorker
            | Kind::Monitoring
    )
}

/// Processes whose end with status 1 is a crash too: what they knew is lost.
fn needs_restart(kind: Kind) -> bool {
    matches!(kind, Kind::Checkpointer | Kind::BackgroundWriter | Kind::WalWriter)
}

fn process_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Client => "server process",
        Kind::Startup => "startup process",
        Kind::Checkpointer => "checkpointer process",
        Kind::BackgroundWriter => "background writer process",
        Kind::WalWriter => "WAL writer process",
        Kind::AutovacuumLauncher => "autovacuum launcher process",
        Kind::AutovacuumWorker => "autovacuum worker process",
        Kind::Archiver => "archiver process",
        Kind::ParallelWorker => "background worker \"parallel worker\"",
        _ => "server process",
    }
}
