//! A background worker's process: enters shared memory, finds its main function, in the server itself ([`builtin`]) or in
//! a library, runs it, and leaves. The postmaster's side is in `postmaster::workers`.

mod host;

use crate::modules::Modules;
use crate::postmaster::Postmaster;
use crate::server::Shared;
use crate::server::registry::Knowledge;
use crate::session::Session;
use crate::session::local::{LocalUser, Sent, row_values};
use common::settings::Settings;
use common::{Error, Result, Severity, SqlState, err};
use ipc::{BackendKind, WaitEvent, WorkerHandle, WorkerSpec};
use std::rc::Rc;
use std::time::Duration;
use transam::Engine;

/// What woke a worker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Woken {
    pub timeout: bool,
    pub latch: bool,
    pub reload: bool,
    pub terminate: bool,
}

/// A worker, as its main function sees it.
pub struct Worker {
    pub spec: WorkerSpec,
    pub engine: Rc<Engine>,
    pub shared: Rc<Shared>,
    pub knowledge: Knowledge,
    settings: Settings,
    modules: Modules,
    session: Option<(Rc<Session>, Sent)>,
    /// SIGTERM was noticed.
    terminated: bool,
}

/// A main function of the server's own. An error ends the process with status 1.
pub type MainFn = fn(&mut Worker) -> Result<()>;

/// Main functions that `library = "postgres"` means.
fn builtin(function: &str) -> Option<MainFn> {
    BUILTIN.iter().find(|(name, _)| *name == function).map(|(_, f)| *f)
}

const BUILTIN: [(&str, MainFn); 0] = [];

impl Worker {
    /// Opens a session of its own (`None`: shared catalogs only; the bootstrap superuser). Once.
    pub fn connect(&mut self, database: Option<&str>, role: Option<&str>) -> Result<()> {
        if !self.spec.database_connection {
            return Err(err!(
                PROGRAM_LIMIT_EXCEEDED,
                "database connection requirement not indicated during registration"
            )
            .fatal());
        }
        if self.session.is_some() {
            return Err(Error::internal("a background worker connects once"));
        }
        let who = LocalUser { database, role, override_allow: false };
        self.session = Some(Session::local(&self.engine, self.knowledge, &self.settings, &who)?);
        Ok(())
    }
    /// Runs statements as the simple protocol does; rows go to `row` as text.
    pub fn execute(&mut self, sql: &str, row: &mut dyn FnMut(&[Option<&str>])) -> Result<()> {
        let Some((session, sent)) = &self.session else {
            return Err(Error::internal("the background worker has no database connection"));
        };
        let r = session.run_local(sql, sent, &mut |kind, body| {
            if kind == b'D' {
                row(&row_values(body));
            }
        });
        self.terminated |= r.as_ref().is_err_and(|e| e.sqlstate() == SqlState::ADMIN_SHUTDOWN);
        r
    }
    /// The settings in force.
    pub fn with_settings<R>(&self, f: impl FnOnce(&Settings) -> R) -> R {
        match &self.session {
            Some((s, _)) => f(&s.settings()),
            None => f(&self.settings),
        }
    }
    /// Sleeps until the latch is set, a signal comes, or time is over. `None`: no limit.
    pub fn wait(&mut self, limit: Option<Duration>) -> Woken {
        let ints = self.engine.interrupts();
        let set = {
            let _shown = ints.waiting(WaitEvent::EXTENSION);
            ints.latch().wait(limit)
        };
        ints.latch().reset();
        let reload = ints.take(ipc::signals::RELOAD) != 0;
        let terminate = ints.peek(ipc::signals::TERMINATE) != 0;
        self.terminated |= terminate;
        // Somebody may wait for this process to take note of what has changed.
        if ints.take(ipc::signals::CATCHUP) != 0 && !self.engine.in_block() {
            self.engine.accept_invalidations();
        }
        if reload {
            crate::config::reload(&mut self.settings, crate::config::Reader::Child);
            crate::log::configure(&self.settings);
            if let Some((s, _)) = &self.session {
                s.reload();
            }
        }
        Woken { timeout: !set, latch: set, reload, terminate }
    }
    /// Has another worker started. 53000 when there is no slot left.
    pub fn register(&self, spec: &WorkerSpec) -> Result<WorkerHandle> {
        crate::modules::check_worker(spec).map_err(|text| err!(INVALID_PARAMETER_VALUE, "{text}"))?;
        self.shared.workers.register(spec).ok_or_else(|| {
            err!(INSUFFICIENT_RESOURCES, "could not register background process")
                .hint("You may need to increase max_worker_processes.")
        })
    }
    fn close(&mut self) {
        if let Some((s, _)) = self.session.take() {
            s.close();
        }
    }
}

/// Body of the child. Returns the exit status: 0 is "done, not again".
pub fn run(pm: &mut Postmaster, spec: WorkerSpec) -> i32 {
    let shared = pm.shared.clone();
    let engine = match shared.enter(BackendKind::BackgroundWorker) {
        Ok(e) => e,
        Err(e) => {
            crate::log::report(e.report(), None);
            return 1;
        }
    };
    let type_name = spec.type_name().to_string();
    engine.proc().activity.worker_type(&type_name);
    crate::log::begin_process("background worker");
    crate::log::update(|w| {
        w.proc = Some(engine.proc());
        w.backend_type = Box::leak(type_name.clone().into_boxed_str());
    });
    engine.set_notice_sink(Rc::new(|r| crate::log::report(&r, None)));
    crate::backend::abort_on_unsafe_panic(engine.procs());
    pm.title().set(&format!("postgres: {}", spec.name));
    let mut worker = Worker {
        engine: engine.clone(),
        shared: shared.clone(),
        knowledge: pm.knowledge,
        settings: pm.settings.clone(),
        modules: pm.modules.clone(),
        session: None,
        terminated: false,
        spec,
    };
    ipc::signals::unblock_all();
    let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| call_main(&mut worker)));
    let terminated = worker.terminated || engine.interrupts().peek(ipc::signals::TERMINATE) != 0;
    engine.interrupts().take(ipc::signals::TERMINATE);
    worker.close();
    engine.abort_any();
    shared.leave(&engine);
    match ended {
        Ok(_) if terminated => end_by_command(&type_name),
        Ok(Ok(code)) => code,
        Ok(Err(e)) if e.sqlstate() == SqlState::ADMIN_SHUTDOWN => end_by_command(&type_name),
        Ok(Err(e)) => {
            crate::log::report(e.report(), None);
            if e.report().severity >= Severity::Panic { 2 } else { 1 }
        }
        Err(_) => {
            crate::log::line("ERROR", &format!("background worker \"{type_name}\" panicked"));
            1
        }
    }
}

/// SIGTERM: as PostgreSQL's default handler says it.
fn end_by_command(type_name: &str) -> i32 {
    let text = format!("terminating background worker \"{type_name}\" due to administrator command");
    crate::log::report(&common::Report::new(Severity::Fatal, SqlState::ADMIN_SHUTDOWN, text), None);
    1
}

fn call_main(w: &mut Worker) -> Result<i32> {
    let function = w.spec.function.clone();
    if w.spec.library == "postgres" {
        let main = builtin(&function)
            .ok_or_else(|| Error::internal(format!("internal function \"{function}\" not found")))?;
        return main(w).map(|()| 0);
    }
    let mut modules = w.modules.clone();
    let library = modules.library(&w.spec.library.clone(), &mut w.settings)?;
    w.modules = modules;
    let code = library.run_worker(&function, &mut host::WorkerHost(w));
    code.ok_or_else(|| {
        let file = library.path.display();
        err!(UNDEFINED_FUNCTION, "could not find function \"{function}\" in file \"{file}\"")
    })
}
