//! A queue of messages in a region: one process sends, one receives. A ring of bytes with two counters; a message longer
//! than the ring passes through in parts. Both sides sleep on their latches.
//!
//! ```text
//! header | ring of `capacity` bytes
//!          ^ read % capacity    ^ written % capacity      0 <= written - read <= capacity
//! message: length (8 bytes) | bytes | padding to a multiple of 8
//! ```

use crate::region::Region;
use crate::{Interrupts, ProcTable, Shared, WaitEvent};
use common::{Error, Result};
use std::rc::Rc;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use std::sync::atomic::{AtomicU32, AtomicU64};
use std::time::Duration;

/// Longest message.
pub const MESSAGE_MAX: usize = 1 << 30;
/// How long one sleeps at most before it looks whether the other side still lives.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// What stands before the ring.
#[repr(C, align(64))]
struct Header {
    /// Slots + 1 of the two processes, 0 before they come.
    sender: AtomicU32,
    receiver: AtomicU32,
    /// One of them has left.
    detached: AtomicU32,
    _pad: AtomicU32,
    /// Bytes ever written and read.
    written: AtomicU64,
    read: AtomicU64,
}
// SAFETY: atomics only.
unsafe impl Shared for Header {}

/// Bytes a queue with a ring of `capacity` bytes takes in its segment.
pub const fn size_of_queue(capacity: usize) -> usize {
    size_of::<Header>() + capacity
}

/// What came of a send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    Done,
    /// Nobody will receive it.
    Detached,
}

/// What there was to receive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    Message,
    /// Nothing yet.
    Empty,
    /// Nothing, and nothing will come.
    Detached,
}

/// What both sides share.
struct Ends {
    region: Rc<Region>,
    offset: usize,
    capacity: usize,
    procs: ProcTable,
}

impl Ends {
    fn new(region: Rc<Region>, offset: usize, capacity: usize, procs: ProcTable) -> Ends {
        assert!(capacity >= 64 && capacity.is_multiple_of(8), "a ring holds whole words");
        // Both parts are looked at once, so that every later access is in bounds.
        let _ = region.get::<Header>(offset);
        let _ = region.bytes(offset + size_of::<Header>(), capacity);
        Ends { region, offset, capacity, procs }
    }
    fn header(&self) -> &Header {
        self.region.get(self.offset)
    }
    fn ring(&self) -> *mut u8 {
        self.region.bytes(self.offset + size_of::<Header>(), self.capacity)
    }
    fn wake(&self, end: &AtomicU32) {
        if let Some(n) = end.load(SeqCst).checked_sub(1).filter(|n| (*n as usize) < self.procs.len()) {
            self.procs.get(n).latch().set();
        }
    }
    fn is_detached(&self) -> bool {
        self.header().detached.load(SeqCst) != 0
    }
    fn detach(&self, other: &AtomicU32) {
        self.header().detached.store(1, SeqCst);
        self.wake(other);
    }
}

/// The sending side.
pub struct Sender {
    ends: Ends,
    /// Written without telling the receiver.
    untold: usize,
}

impl Sender {
    /// Becomes the sender of the queue at `offset`.
    pub fn new(region: Rc<Region>, offset: usize, capacity: usize, procs: ProcTable, me: u32) -> Sender {
        let ends = Ends::new(region, offset, capacity, procs);
        ends.header().sender.store(me + 1, SeqCst);
        Sender { ends, untold: 0 }
    }
    /// Sends a message, waiting for room. Errors: those of interrupts; the message may then be sent in part, and the
    /// queue is of no more use.
    pub fn send(&mut self, message: &[u8], ints: &Interrupts) -> Result<Sent> {
        if message.len() > MESSAGE_MAX {
            return Err(Error::internal("message too long for a queue"));
        }
        let length = (message.len() as u64).to_le_bytes();
        let padding = [0; 8];
        let pad = message.len().next_multiple_of(8) - message.len();
        for part in [&length[..], message, &padding[..pad]] {
            if self.put(part, ints, None)? == Sent::Detached {
                return Ok(Sent::Detached);
            }
        }
        if self.untold >= self.ends.capacity / 4 {
            self.flush();
        }
        Ok(Sent::Done)
    }
    /// Sends a message as the last thing this process does: interrupts do not stop it, the end of the receiver's process
    /// does (`alive`).
    pub fn send_last(&mut self, message: &[u8], ints: &Interrupts, alive: &dyn Fn() -> bool) {
        let length = (message.len() as u64).to_le_bytes();
        let pad = message.len().next_multiple_of(8) - message.len();
        for part in [&length[..], message, &[0; 8][..pad]] {
            if !matches!(self.put(part, ints, Some(alive)), Ok(Sent::Done)) {
                return;
            }
        }
        self.flush();
    }
    /// Tells the receiver of what was sent.
    pub fn flush(&mut self) {
        if std::mem::take(&mut self.untold) > 0 {
            self.ends.wake(&self.ends.header().receiver);
        }
    }
    /// Without `alive`, interrupts are errors.
    fn put(&mut self, mut part: &[u8], ints: &Interrupts, alive: Option<&dyn Fn() -> bool>) -> Result<Sent> {
        let capacity = self.ends.capacity;
        while !part.is_empty() {
            let h = self.ends.header();
            if self.ends.is_detached() {
                return Ok(Sent::Detached);
            }
            let (written, read) = (h.written.load(Relaxed), h.read.load(Acquire));
            let free = capacity - (written - read) as usize;
            if free == 0 {
                self.untold = self.untold.max(1);
                self.flush();
                let _shown = ints.waiting(WaitEvent::MESSAGE_QUEUE_SEND);
                match alive {
                    None => ints.check()?,
                    Some(f) if !f() => return Ok(Sent::Detached),
                    Some(_) => {}
                }
                ints.latch().wait(Some(LOOK_AGAIN));
                ints.latch().reset();
                continue;
            }
            let at = (written % capacity as u64) as usize;
            let n = free.min(part.len()).min(capacity - at);
            // SAFETY: in bounds of the ring (checked by `Ends::new` and the line above). The receiver does not read these
            // bytes before it sees the counter below, and has read what was there before, as `read` says.
            unsafe { std::ptr::copy_nonoverlapping(part.as_ptr(), self.ends.ring().add(at), n) };
            h.written.store(written + n as u64, Release);
            self.untold += n;
            part = &part[n..];
        }
        Ok(Sent::Done)
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        self.ends.detach(&self.ends.header().receiver);
    }
}

/// The receiving side.
pub struct Receiver {
    ends: Ends,
    /// Bytes of the message under way that are still to come, padding included.
    left: Option<(usize, usize)>,
}

impl Receiver {
    /// Becomes the receiver of the queue at `offset`.
    pub fn new(region: Rc<Region>, offset: usize, capacity: usize, procs: ProcTable, me: u32) -> Receiver {
        let ends = Ends::new(region, offset, capacity, procs);
        ends.header().receiver.store(me + 1, SeqCst);
        Receiver { ends, left: None }
    }
    /// Takes a message if there is a whole one. `out` keeps what came of one that is under way: it is to be handed in
    /// again, unchanged, until an answer other than `Empty`.
    pub fn try_receive(&mut self, out: &mut Vec<u8>) -> Result<Received> {
        // Asked first: what was sent before the end is still there.
        let detached = self.ends.is_detached();
        loop {
            if self.left.is_none() {
                let mut head = [0; 8];
                if self.available() < 8 {
                    return Ok(if detached { Received::Detached } else { Received::Empty });
                }
                self.take(&mut head);
                let len = u64::from_le_bytes(head) as usize;
                if len > MESSAGE_MAX {
                    return Err(Error::internal("a queue holds no message"));
                }
                out.clear();
                self.left = Some((len, len.next_multiple_of(8)));
            }
            let (len, padded) = self.left.unwrap_or_default();
            let n = self.available().min(padded - out.len());
            let at = out.len();
            out.resize(at + n, 0);
            self.take(&mut out[at..]);
            if out.len() == padded {
                self.left = None;
                out.truncate(len);
                return Ok(Received::Message);
            }
            if n == 0 {
                return Ok(if detached { Received::Detached } else { Received::Empty });
            }
        }
    }
    /// Waits for a message. `alive` says whether the sender's process still runs: one that died has not detached.
    pub fn receive(
        &mut self,
        out: &mut Vec<u8>,
        ints: &Interrupts,
        alive: &dyn Fn() -> bool,
    ) -> Result<Received> {
        let _shown = ints.waiting(WaitEvent::MESSAGE_QUEUE_RECEIVE);
        loop {
            // Asked before the look: what a process sent before its end is there by then.
            let lives = alive();
            match self.try_receive(out)? {
                Received::Empty if !lives => return Ok(Received::Detached),
                Received::Empty => {}
                r => return Ok(r),
            }
            ints.check()?;
            ints.latch().wait(Some(LOOK_AGAIN));
            ints.latch().reset();
        }
    }
    fn available(&self) -> usize {
        let h = self.ends.header();
        let n = h.written.load(Acquire).wrapping_sub(h.read.load(Relaxed));
        (n as usize).min(self.ends.capacity)
    }
    /// Takes bytes that are there.
    fn take(&self, to: &mut [u8]) {
        let (h, capacity) = (self.ends.header(), self.ends.capacity);
        let read = h.read.load(Relaxed);
        let at = (read % capacity as u64) as usize;
        let first = to.len().min(capacity - at);
        // SAFETY: in bounds of the ring; `available` has seen these bytes written, and the sender does not touch them
        // before it sees the counter below.
        unsafe {
            std::ptr::copy_nonoverlapping(self.ends.ring().add(at), to.as_mut_ptr(), first);
            std::ptr::copy_nonoverlapping(self.ends.ring(), to.as_mut_ptr().add(first), to.len() - first);
        }
        h.read.store(read + to.len() as u64, Release);
        // A sender that waits sleeps when the ring was full.
        if !to.is_empty() && h.written.load(SeqCst).wrapping_sub(read) as usize >= capacity {
            self.ends.wake(&h.sender);
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.ends.detach(&self.ends.header().sender);
    }
}
