//! What a process does with a file, seen from outside: the wait event shown meanwhile and, under `track_io_timing` and
//! `track_wal_io_timing`, the time it took, added to the counters of the process.

use crate::store::Inner;
use ipc::WaitEvent;
use ipc::interrupts::WaitGuard;
use std::cell::Cell;
use std::time::Instant;

/// An input or output under way.
pub(crate) struct IoGuard<'a> {
    _shown: WaitGuard,
    timed: Option<(Instant, &'a Cell<u64>)>,
}

impl Drop for IoGuard<'_> {
    fn drop(&mut self) {
        if let Some((begun, sum)) = self.timed {
            sum.set(sum.get() + begun.elapsed().as_nanos() as u64);
        }
    }
}

impl Inner {
    /// Shows a wait that is not timed.
    #[inline]
    pub(crate) fn shown(&self, event: WaitEvent) -> WaitGuard {
        self.ints().waiting(event)
    }
    /// Data or temporary files: timed under `track_io_timing`, nanoseconds into `sum`.
    #[inline]
    pub(crate) fn data_io<'a>(&self, event: WaitEvent, sum: &'a Cell<u64>) -> IoGuard<'a> {
        let timed = self.io_timing.get().then(|| (Instant::now(), sum));
        IoGuard { _shown: self.shown(event), timed }
    }
    /// Log files: timed under `track_wal_io_timing`.
    pub(crate) fn wal_io<'a>(&self, event: WaitEvent, sum: &'a Cell<u64>) -> IoGuard<'a> {
        let timed = self.wal_io_timing.get().then(|| (Instant::now(), sum));
        IoGuard { _shown: self.shown(event), timed }
    }
    /// `track_io_timing` and `track_wal_io_timing` of this process.
    pub fn set_io_timing(&self, data: bool, wal: bool) {
        self.io_timing.set(data);
        self.wal_io_timing.set(wal);
    }
    /// Is `track_io_timing` on?
    pub fn io_timing(&self) -> bool {
        self.io_timing.get()
    }
    /// A wait for an input of temporary files that others keep (the executor's).
    pub fn temp_io<R>(&self, write: bool, bytes: u64, f: impl FnOnce() -> R) -> R {
        let c = &self.counters;
        let pages = bytes.div_ceil(crate::PAGE_SIZE as u64);
        let (event, sum, count) = if write {
            (WaitEvent::BUF_FILE_WRITE, &c.temp_write_ns, &c.temp_written)
        } else {
            (WaitEvent::BUF_FILE_READ, &c.temp_read_ns, &c.temp_read)
        };
        count.set(count.get() + pages);
        let _io = self.data_io(event, sum);
        f()
    }
}
