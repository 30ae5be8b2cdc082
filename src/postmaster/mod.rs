//! The postmaster: one thread, no runtime. It reads the settings, makes the shared segment, listens, forks, reaps and
//! restarts. Of shared memory it reads process slots only: nothing a crashed child may have broken.

mod access;
mod children;
mod environment;
mod lockfile;
mod sockets;
mod state;
mod workers;

pub use access::Access;
pub use lockfile::{LockFile, PidFile, hold_directory, process_exists, read_pid_file};
pub use state::Refusal;

use crate::modules::{Modules, Occasion};
use crate::server::registry::Knowledge;
use crate::server::{Shared, SharedConfig};
use children::Children;
use common::settings::Settings;
use common::{Error, Result};
use sockets::Listeners;
use state::{PmState, ShutdownMode};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};
use transam::ControlFile;

/// Its presence asks for the next log file (`pg_ctl logrotate`, `pg_rotate_logfile`).
pub const LOGROTATE_FILE: &str = "logrotate";

/// The command line of `postgres`.
#[derive(Clone, Debug, Default)]
pub struct Options {
    pub data_dir: PathBuf,
    /// Assignments that win over the files.
    pub settings: Vec<(String, String)>,
    /// The whole command line, for `postmaster.opts`.
    pub command_line: String,
}

/// Everything the postmaster holds. Children inherit it by the fork and take what they need.
pub struct Postmaster {
    pub settings: Settings,
    pub data_dir: PathBuf,
    pub knowledge: Knowledge,
    pub shared: Rc<Shared>,
    listeners: Listeners,
    lock: LockFile,
    /// Open in every process of this server: nobody else may start here while one lives.
    directory: Option<std::fs::File>,
    logger: Option<crate::aux::logger::Logger>,
    children: Children,
    workers: workers::Workers,
    /// Loaded libraries.
    pub modules: Modules,
    state: PmState,
    shutdown: ShutdownMode,
    title: ipc::title::Title,
    access: Access,
    /// Checks of the lock file and of the sockets are done once a minute.
    next_check: Instant,
    /// When children that were told to go at once are killed.
    patience: Option<Instant>,
}

/// Runs the server until it is shut down. Returns the exit status.
pub fn run(o: &Options) -> Result<i32> {
    let mut pm = Postmaster::start(o)?;
    pm.main_loop()
}

impl Postmaster {
    fn start(o: &Options) -> Result<Postmaster> {
        let title = ipc::title::Title::init();
        ipc::title::set_comm(c"postgres");
        let data_dir = crate::config::check_data_directory(&o.data_dir)?;
        std::env::set_current_dir(&data_dir).map_err(|e| {
            Error::os(format!("could not change directory to \"{}\"", data_dir.display()), &e)
        })?;
        let mut settings = crate::config::load(&data_dir, &o.settings)?;
        crate::log::configure(&settings);
        title.set_cluster_name(settings.text("cluster_name"));
        check_combinations(&settings)?;
        crate::monitoring::check_port(&settings)?;
        let mut lock = LockFile::create(&data_dir, &settings)?;
        let directory = hold_directory(&data_dir).inspect_err(|_| lock.remove())?;
        let logger = match settings.bool("logging_collector") {
            true => {
                Some(crate::aux::logger::Logger::start(&settings, &title).inspect_err(|_| lock.remove())?)
            }
            false => None,
        };
        if nix::unistd::Uid::effective().is_root() {
            crate::log::line("WARNING", "the server runs as root: a fault in it endangers the whole machine");
        }
        let version =
            format!("starting PostgreSQL {} (Stegodon {})", crate::VERSION, env!("CARGO_PKG_VERSION"));
        crate::log::line("LOG", &version);
        let mut modules = Modules::default();
        modules
            .preload("shared_preload_libraries", &mut settings, false, Occasion::SharedPreload)
            .map_err(Error::fatal)
            .inspect_err(|_| lock.remove())?;
        let control = ControlFile::read(&data_dir)?;
        settings.set_internal("data_checksums", if control.data_checksums { "on" } else { "off" })?;
        let listeners = Listeners::open(&settings, &mut lock)?;
        std::fs::write(data_dir.join("postmaster.opts"), format!("{}\n", o.command_line))
            .map_err(|e| Error::os("could not write file \"postmaster.opts\"", &e))?;
        write_external_pid(&settings);
        storage::temp::remove_temp_files(&data_dir)?;
        let access = Access::load(&settings)?;
        let knowledge = Knowledge::load();
        let shared = Rc::new(Shared::create(SharedConfig::new(&data_dir, &settings, &control))?);
        if let Some(s) = shared.statement_stats() {
            s.load(&data_dir, settings.bool("pg_stat_statements.save"));
        }
        ipc::signals::install_postmaster();
        title.set(&format!("postgres -D {}", data_dir.display()));
        let mut pm = Postmaster {
            settings,
            data_dir,
            knowledge,
            shared,
            listeners,
            lock,
            directory: Some(directory),
            logger,
            children: Children::default(),
            workers: workers::Workers::default(),
            modules,
            state: PmState::Startup,
            shutdown: ShutdownMode::None,
            title,
            access,
            next_check: Instant::now() + Duration::from_secs(60),
            patience: None,
        };
        pm.register_workers();
        Ok(pm)
    }

    fn main_loop(&mut self) -> Result<i32> {
        self.launch_startup()?;
        loop {
            let ready = self.listeners.wait(self.wait_time());
            self.handle_signals()?;
            self.reap();
            if self.accepts() {
                for socket in ready {
                    self.accept(socket);
                }
            }
            self.advance()?;
            if self.state == PmState::Stopped {
                return Ok(self.finish());
            }
            self.periodic_check();
        }
    }

    fn wait_time(&self) -> Duration {
        let usual = match self.state {
            PmState::Run | PmState::Startup if self.shutdown == ShutdownMode::None => Duration::from_secs(5),
            _ => Duration::from_millis(100),
        };
        self.next_worker_start().map_or(usual, |d| usual.min(d.max(Duration::from_millis(1))))
    }

    fn accepts(&self) -> bool {
        // Refusals are given by a child too: it can wait for the client, the postmaster cannot.
        self.state != PmState::Stopped
    }

    fn periodic_check(&mut self) {
        self.kill_recalcitrant();
        if Instant::now() < self.next_check {
            return;
        }
        self.next_check = Instant::now() + Duration::from_secs(60);
        if !self.lock.is_ours() {
            crate::log::line(
                "LOG",
                "performing immediate shutdown because data directory lock file is invalid",
            );
            self.begin_shutdown(ShutdownMode::Immediate);
        }
        self.listeners.touch();
    }

    fn finish(&mut self) -> i32 {
        crate::log::line("LOG", "database system is shut down");
        self.listeners.remove();
        self.lock.remove();
        let external = self.settings.text("external_pid_file");
        if !external.is_empty() {
            let _ = std::fs::remove_file(external);
        }
        i32::from(self.shutdown == ShutdownMode::Failed)
    }

    /// The data directory.
    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }
    /// Who may come in.
    pub fn access(&self) -> &Access {
        &self.access
    }
    /// The process title.
    pub fn title(&self) -> &ipc::title::Title {
        &self.title
    }
    /// A child takes the title for itself.
    pub fn take_title(&mut self) -> ipc::title::Title {
        std::mem::replace(&mut self.title, ipc::title::Title::none())
    }
    /// What an auxiliary process takes over.
    pub fn child_parts(&mut self) -> (&mut Settings, Knowledge, &ipc::title::Title) {
        (&mut self.settings, self.knowledge, &self.title)
    }
}

/// `external_pid_file`; failing is no reason not to run.
fn write_external_pid(s: &Settings) {
    let path = s.text("external_pid_file");
    if !path.is_empty()
        && let Err(e) = std::fs::write(path, format!("{}\n", std::process::id()))
    {
        let e = common::error::os_message(&e);
        crate::log::line("LOG", &format!("could not write external PID file \"{path}\": {e}"));
    }
}

fn check_combinations(s: &Settings) -> Result<()> {
    if s.int("superuser_reserved_connections") >= s.int("max_connections") {
        return Err(common::err!(
            INVALID_PARAMETER_VALUE,
            "superuser_reserved_connections ({}) must be less than max_connections ({})",
            s.int("superuser_reserved_connections"),
            s.int("max_connections")
        )
        .fatal());
    }
    Ok(())
}
