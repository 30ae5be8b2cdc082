//! Containment: giving back what a dead process had pinned.

use crate::Store;
use crate::buffer::desc::{PIN_WAITER, REFCOUNT_MASK};
use ipc::Proc;

impl Store {
    /// Gives back all pins of this process, which ends without running the destructors of what holds them.
    pub fn release_own_pins(&self) {
        for buf in self.pins().buffers() {
            self.raw_unpin(buf);
        }
    }
    /// Lowers the pin counts that a dead process's record lists, and wakes whoever waits for them. Only for a process
    /// whose record says that nothing was in flight.
    pub fn release_dead_pins(&self, dead: &Proc) {
        for buf in dead.pins.buffers() {
            let s = self.shared().descs[buf as usize].unpin();
            if s & PIN_WAITER != 0 && s & REFCOUNT_MASK == 1 {
                self.io_condvar(buf).broadcast();
            }
        }
        dead.pins.clear();
    }
}
