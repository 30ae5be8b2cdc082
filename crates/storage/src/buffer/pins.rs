//! The pins of one process. However often a process pins a buffer, the shared pin count counts it once; the number
//! of its own pins and the content lock it holds are kept here. Small and linear: a query holds a handful of pins.

use hashbrown::HashMap;
use std::cell::RefCell;

/// How a process holds a buffer's content lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Held {
    No,
    Shared(u32),
    Exclusive,
}

#[derive(Clone, Copy)]
struct Slot {
    /// Buffer + 1; 0 is a free slot.
    buf: u32,
    count: u32,
    held: Held,
}

/// [`Slot::buf`] of pins that are another process's.
const DISOWNED: u32 = u32::MAX;

/// Table size from which lookups go through a map.
const LINEAR_MAX: usize = 24;

#[derive(Default)]
struct Table {
    slots: Vec<Slot>,
    free: Vec<u32>,
    /// Buffer → slot; maintained while the table is larger than `LINEAR_MAX`.
    map: HashMap<u32, u32, foldhash::fast::FixedState>,
}

/// The table.
#[derive(Default)]
pub(crate) struct Pins(RefCell<Table>);

impl Pins {
    /// The slot of a buffer this process has pinned.
    #[inline]
    pub fn find(&self, buf: u32) -> Option<u32> {
        let t = self.0.borrow();
        if t.slots.len() > LINEAR_MAX {
            return t.map.get(&buf).copied();
        }
        t.slots.iter().position(|s| s.buf == buf + 1).map(|i| i as u32)
    }
    /// A slot for a buffer's first pin.
    #[inline]
    pub fn add(&self, buf: u32) -> u32 {
        let t = &mut *self.0.borrow_mut();
        let slot = Slot { buf: buf + 1, count: 1, held: Held::No };
        let i = match t.free.pop() {
            Some(i) => {
                t.slots[i as usize] = slot;
                i
            }
            None => {
                t.slots.push(slot);
                (t.slots.len() - 1) as u32
            }
        };
        if t.slots.len() > LINEAR_MAX {
            if t.slots.len() == LINEAR_MAX + 1 && t.map.is_empty() {
                t.map = t.slots.iter().enumerate().map(|(i, s)| (s.buf.wrapping_sub(1), i as u32)).collect();
                t.map.remove(&u32::MAX);
            }
            t.map.insert(buf, i);
        }
        i
    }
    /// One more pin.
    #[inline]
    pub fn increment(&self, slot: u32) {
        self.0.borrow_mut().slots[slot as usize].count += 1;
    }
    /// One pin less; true when it was the last.
    #[inline]
    pub fn decrement(&self, slot: u32) -> bool {
        let t = &mut *self.0.borrow_mut();
        let s = &mut t.slots[slot as usize];
        s.count -= 1;
        if s.count > 0 {
            return false;
        }
        let buf = s.buf - 1;
        s.buf = 0;
        t.free.push(slot);
        if t.slots.len() > LINEAR_MAX {
            t.map.remove(&buf);
            if t.free.len() == t.slots.len() {
                t.slots.clear();
                t.free.clear();
                t.map.clear();
            }
        }
        true
    }
    /// Own pins on the buffer.
    #[inline]
    pub fn count(&self, slot: u32) -> u32 {
        self.0.borrow().slots[slot as usize].count
    }
    /// The content lock held.
    #[inline]
    pub fn held(&self, slot: u32) -> Held {
        self.0.borrow().slots[slot as usize].held
    }
    /// Notes the content lock held.
    #[inline]
    pub fn set_held(&self, slot: u32, h: Held) {
        self.0.borrow_mut().slots[slot as usize].held = h;
    }
    /// A child of the process that has these pins goes on: they are not its own. Their places stay taken, under a number no
    /// buffer has and with a count that is never used up, for the guards that refer to them.
    pub fn disown(&self) {
        let t = &mut *self.0.borrow_mut();
        t.map.clear();
        for s in t.slots.iter_mut().filter(|s| s.buf != 0) {
            *s = Slot { buf: DISOWNED, count: u32::MAX / 2, held: Held::No };
        }
    }
    /// Buffers pinned by this process.
    pub fn buffers(&self) -> Vec<u32> {
        self.0.borrow().slots.iter().filter(|s| s.buf != 0 && s.buf != DISOWNED).map(|s| s.buf - 1).collect()
    }
}
