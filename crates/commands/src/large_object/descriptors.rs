//! The numbers by which a session knows the large objects it has opened.

use super::Open;
use common::{Oid, Result, err};
use std::cell::{RefCell, RefMut};
use transam::Engine;

/// Open objects by number.
#[derive(Default)]
pub struct Descriptors {
    open: RefCell<Vec<Option<Open>>>,
}

impl Descriptors {
    /// Keeps an open object; the lowest free number.
    pub fn add(&self, o: Open) -> i32 {
        let mut open = self.open.borrow_mut();
        let n = open.iter().position(Option::is_none).unwrap_or(open.len());
        if n == open.len() {
            open.push(None);
        }
        open[n] = Some(o);
        n as i32
    }
    /// The object behind a number; 42704 if there is none.
    pub fn get(&self, fd: i32) -> Result<RefMut<'_, Open>> {
        let missing = || err!(UNDEFINED_OBJECT, "invalid large-object descriptor: {fd}");
        let n = usize::try_from(fd).map_err(|_| missing())?;
        RefMut::filter_map(self.open.borrow_mut(), |o| o.get_mut(n).and_then(Option::as_mut))
            .map_err(|_| missing())
    }
    /// Forgets a number.
    pub fn close(&self, fd: i32, engine: &Engine) -> Result<()> {
        self.get(fd)?.close(engine);
        self.open.borrow_mut()[fd as usize] = None;
        Ok(())
    }
    /// Forgets an object that is going.
    pub fn forget(&self, oid: Oid, engine: &Engine) {
        self.retain(engine, |o| o.oid != oid);
    }
    fn retain(&self, engine: &Engine, keep: impl Fn(&Open) -> bool) {
        for slot in self.open.borrow_mut().iter_mut() {
            if let Some(o) = slot
                && !keep(o)
            {
                o.close(engine);
                *slot = None;
            }
        }
    }
    /// A transaction of nesting level `level` has ended: the outermost takes all with it, a subtransaction hands its
    /// descriptors to its parent or takes them along.
    pub fn at_end(&self, level: u32, commit: bool, engine: &Engine) {
        if self.open.borrow().is_empty() {
            return;
        }
        if level <= 1 {
            self.open.borrow_mut().clear();
        } else if commit {
            for o in self.open.borrow_mut().iter_mut().flatten() {
                o.level = o.level.min(level - 1);
            }
        } else {
            self.retain(engine, |o| o.level < level);
        }
    }
}
