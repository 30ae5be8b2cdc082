//! The cleaner: takes away what a dead backend left in shared memory, so that nobody else notices its death.

use crate::postmaster::Postmaster;
use ipc::BackendKind;

/// Cleans up slot `number`. A failure here is a crash of the server (status 2).
pub fn run(pm: &mut Postmaster, number: u32) -> i32 {
    let shared = pm.shared.clone();
    let engine = match shared.enter(BackendKind::Cleaner) {
        Ok(e) => e,
        Err(e) => {
            crate::log::report(e.report(), None);
            return 2;
        }
    };
    ipc::signals::unblock_all();
    let dead = shared.procs.get(number);
    match engine.cleanup_dead(dead) {
        Ok(()) => {
            shared.leave(&engine);
            0
        }
        Err(e) => {
            crate::log::report(e.report(), None);
            2
        }
    }
}
