//! What a library's worker finds behind the table of the crate `module`.

use super::Worker;
use crate::modules::{failure, log_line, worker_spec};
use ipc::{WorkerHandle, WorkerStatus};
use module::abi::woken;
use module::host::{Failure, Host, RowSink, SettingDef, WorkerDef};
use std::time::Duration;

/// The worker behind the trait.
pub struct WorkerHost<'a>(pub &'a mut Worker);

fn handle(text: &str) -> Option<WorkerHandle> {
    let (slot, generation) = text.split_once('/')?;
    Some(WorkerHandle { slot: slot.parse().ok()?, generation: generation.parse().ok()? })
}

impl Host for WorkerHost<'_> {
    fn log(&mut self, severity: &str, text: &str) {
        log_line(severity, text);
    }
    fn setting(&mut self, name: &str) -> Option<(String, String)> {
        self.0.with_settings(|s| crate::modules::setting(s, name))
    }
    fn define_setting(&mut self, _: SettingDef) -> Result<(), Failure> {
        Err(Failure::internal("settings are defined when a library is loaded"))
    }
    fn register_worker(&mut self, w: WorkerDef) -> Result<String, Failure> {
        let mut spec = worker_spec(w, &self.0.spec.library);
        spec.notify_pid = self.0.engine.proc().pid();
        let h = self.0.register(&spec).map_err(|e| failure(&e))?;
        Ok(format!("{}/{}", h.slot, h.generation))
    }
    fn worker_pid(&mut self, text: &str) -> i32 {
        match handle(text).map(|h| self.0.shared.workers.status(h)) {
            Some(WorkerStatus::Running(pid)) => pid,
            Some(WorkerStatus::NotStarted) => -1,
            _ => 0,
        }
    }
    fn terminate_worker(&mut self, text: &str) {
        if let Some(h) = handle(text) {
            self.0.shared.workers.terminate(h);
        }
    }
    fn connect(&mut self, database: Option<&str>, role: Option<&str>) -> Result<(), Failure> {
        self.0.connect(database, role).map_err(|e| {
            let f = failure(&e);
            if f.fatal {
                crate::log::report(e.report(), None);
            }
            f
        })
    }
    fn execute(&mut self, sql: &str, row: RowSink<'_>) -> Result<(), Failure> {
        self.0.execute(sql, row).map_err(|e| failure(&e))
    }
    fn wait(&mut self, ms: Option<u64>) -> u32 {
        let w = self.0.wait(ms.map(Duration::from_millis));
        let bits = [
            (w.timeout, woken::TIMEOUT),
            (w.latch, woken::LATCH),
            (w.reload, woken::RELOAD),
            (w.terminate, woken::TERMINATE),
        ];
        bits.iter().filter(|(b, _)| *b).map(|(_, n)| n).sum()
    }
    fn me(&mut self) -> (String, String, String, i64) {
        let s = &self.0.spec;
        (s.name.clone(), s.type_name().to_string(), s.extra.clone(), s.argument)
    }
}
