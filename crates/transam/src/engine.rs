//! The engine: storage and transactions as one process sees them.

use ipc::{Interrupts, Proc, ProcTable};
use std::rc::Rc;
use storage::Store;

/// One process's handle on the storage engine. Not `Send`; lives as long as the process.
pub struct Engine {
    pub(crate) store: Store,
    pub(crate) proc: &'static Proc,
    pub(crate) procs: ProcTable,
    pub(crate) interrupts: Rc<Interrupts>,
}

impl Engine {
    /// Pages and log.
    pub fn store(&self) -> &Store {
        &self.store
    }
    /// This process's slot.
    pub fn proc(&self) -> &'static Proc {
        self.proc
    }
    /// All slots.
    pub fn procs(&self) -> ProcTable {
        self.procs
    }
    /// Cancel, terminate, time-outs.
    pub fn interrupts(&self) -> &Interrupts {
        &self.interrupts
    }
    /// Fails if the statement or session is to end. Call it in every loop that may last.
    #[inline]
    pub fn check_interrupts(&self) -> common::Result<()> {
        self.interrupts.check()
    }
}
