//! Failures on demand, in debug builds only: `SET stegodon.fault = 'panic'` makes the next statement panic,
//! `'panic in critical section'` and `'panic with lock'` do it where shared memory could be half changed. For tests.

use super::Session;
#[cfg(debug_assertions)]
use common::settings::Scope;

impl Session {
    /// Acts on the setting at the beginning of a statement.
    #[cfg(debug_assertions)]
    pub(super) fn fail_on_demand(&self) {
        let fault = self.settings.borrow().show("stegodon.fault").unwrap_or_default();
        if fault.is_empty() {
            return;
        }
        let _ = self.settings.borrow_mut().set("stegodon.fault", Some(""), Scope::Session, 0, true);
        let proc = self.engine.proc();
        match fault.as_str() {
            "panic" => panic!("a fault that was asked for"),
            "panic in critical section" => {
                let _crit = proc.critical_section();
                panic!("a fault that was asked for");
            }
            "panic with lock" => {
                let _guard = proc.fast_path_lock.exclusive(proc);
                panic!("a fault that was asked for");
            }
            _ => {}
        }
    }
    #[cfg(not(debug_assertions))]
    pub(super) fn fail_on_demand(&self) {}
}
