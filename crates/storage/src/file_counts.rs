//! Blocks read and found per relation file, gathered by each process: `pg_statio_…`. One comparison a page in the common
//! case of several pages of one file in a row.

use crate::RelFileLocator;
use hashbrown::HashMap;
use std::cell::{Cell, RefCell};

/// Blocks of one file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FileCount {
    pub hit: u64,
    pub read: u64,
}

/// Counts since they were taken last.
#[derive(Default)]
pub(crate) struct FileCounts {
    at: Cell<Option<RelFileLocator>>,
    now: Cell<FileCount>,
    rest: RefCell<HashMap<RelFileLocator, FileCount, foldhash::fast::FixedState>>,
}

impl FileCounts {
    #[inline]
    pub fn hit(&self, rel: RelFileLocator) {
        let mut c = if self.at.get() == Some(rel) { self.now.get() } else { self.turn_to(rel) };
        c.hit += 1;
        self.now.set(c);
    }
    pub fn read(&self, rel: RelFileLocator) {
        let mut c = if self.at.get() == Some(rel) { self.now.get() } else { self.turn_to(rel) };
        c.read += 1;
        self.now.set(c);
    }
    #[cold]
    fn turn_to(&self, rel: RelFileLocator) -> FileCount {
        self.put_by();
        self.at.set(Some(rel));
        self.rest.borrow_mut().remove(&rel).unwrap_or_default()
    }
    fn put_by(&self) {
        if let Some(old) = self.at.take() {
            self.rest.borrow_mut().insert(old, self.now.replace(FileCount::default()));
        }
    }
    /// Takes all counts.
    pub fn take(&self) -> Vec<(RelFileLocator, FileCount)> {
        self.put_by();
        self.rest.borrow_mut().drain().collect()
    }
}
