//! Auxiliary processes: forked by the postmaster, each with a slot and an engine, no client.

pub mod archiver;
pub mod autovacuum;
pub mod bgwriter;
pub mod checkpointer;
pub mod cleaner;
pub mod logger;
pub mod startup;
pub mod walwriter;

use crate::postmaster::Postmaster;
use crate::server::Shared;
use crate::server::registry::Knowledge;
use common::settings::Settings;
use common::{Result, Severity};
use ipc::BackendKind;
use std::rc::Rc;
use std::time::Duration;
use transam::Engine;

/// What an auxiliary process works with.
pub struct AuxContext<'a> {
    pub engine: Rc<Engine>,
    pub settings: &'a mut Settings,
    pub shared: Rc<Shared>,
    pub knowledge: Knowledge,
    pub title: &'a ipc::title::Title,
    /// Used by the archiver.
    pub modules: crate::modules::Modules,
    /// Used by the archiver: the last forced end of a segment.
    pub since_switch: std::time::Instant,
    /// Used by the checkpointer.
    pub progress: checkpointer::Progress,
}

/// Body of a child: enters shared memory, runs `main`, leaves. Returns the exit status.
pub fn run(pm: &mut Postmaster, kind: BackendKind, main: fn(&mut AuxContext<'_>) -> Result<()>) -> i32 {
    let shared = pm.shared.clone();
    let engine = match shared.enter(kind) {
        Ok(e) => e,
        Err(e) => {
            crate::log::report(e.report(), None);
            return 1;
        }
    };
    engine.set_notice_sink(Rc::new(|r| crate::log::report(&r, None)));
    crate::log::begin_process(kind.as_str());
    crate::log::update(|w| w.proc = Some(engine.proc()));
    let modules = std::mem::take(&mut pm.modules);
    let (settings, knowledge, title) = pm.child_parts();
    follow_settings(&engine, settings);
    title.set(&format!("postgres: {}", kind.as_str()));
    engine.interrupts().set_log_memory(Rc::new(|| {
        crate::session::log_memory(&ipc::memory::tree(Vec::new()));
    }));
    ipc::signals::unblock_all();
    let mut cx = AuxContext {
        engine: engine.clone(),
        settings,
        shared: shared.clone(),
        knowledge,
        title,
        modules,
        since_switch: std::time::Instant::now(),
        progress: checkpointer::Progress::default(),
    };
    let r = main(&mut cx);
    let code = match &r {
        Ok(()) => 0,
        // Told to end.
        Err(e) if e.sqlstate() == common::SqlState::ADMIN_SHUTDOWN => 0,
        Err(e) => {
            crate::log::report(e.report(), None);
            if e.report().severity >= Severity::Panic { 2 } else { 1 }
        }
    };
    engine.abort_any();
    shared.leave(&engine);
    code
}

/// What the engine of an auxiliary process has to know of the settings.
fn follow_settings(engine: &Engine, s: &Settings) {
    engine.store().tune(crate::tuning::tuning(s, engine.proc().kind()));
    engine.store().set_wal_compression(s.text("wal_compression") != "off");
    engine.store().set_io_timing(s.bool("track_io_timing"), s.bool("track_wal_io_timing"));
}

impl AuxContext<'_> {
    /// Sleeps until woken or time is over, and acts on signals: reload, and the end (57P01).
    pub fn nap(&mut self, time: Duration) -> Result<()> {
        use ipc::WaitEvent as W;
        let event = match self.engine.proc().kind() {
            BackendKind::BackgroundWriter => W::BGWRITER_MAIN,
            BackendKind::WalWriter => W::WAL_WRITER_MAIN,
            BackendKind::AutovacuumLauncher => W::AUTOVACUUM_MAIN,
            BackendKind::Archiver => W::ARCHIVER_MAIN,
            _ => W::NONE,
        };
        self.nap_as(time, event)
    }
    /// [`AuxContext::nap`], shown as a wait of the caller's choice.
    pub fn nap_as(&mut self, time: Duration, event: ipc::WaitEvent) -> Result<()> {
        let ints = self.engine.interrupts();
        {
            let _shown = ints.waiting(event);
            ints.latch().wait(Some(time));
        }
        ints.latch().reset();
        self.check()
    }
    /// Acts on signals.
    pub fn check(&mut self) -> Result<()> {
        let ints = self.engine.interrupts();
        if ints.take(ipc::signals::RELOAD) != 0 {
            crate::config::reload(self.settings, crate::config::Reader::Child);
            crate::log::configure(self.settings);
            follow_settings(&self.engine, self.settings);
        }
        ints.check()
    }
}
