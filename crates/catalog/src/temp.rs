//! What a session knows about its temporary objects: the schema `pg_temp_N` they lie in, and what COMMIT does to their rows.
//! `commands::temp` makes the schema and acts at the end of transactions; the look-ups of this crate resolve the name `pg_temp`.

use common::Oid;
use std::cell::{Cell, RefCell};

/// What ON COMMIT asks for. PRESERVE ROWS needs no entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtCommit {
    DeleteRows,
    Drop,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    table: Oid,
    action: AtCommit,
    /// Nesting level of the transaction that made it; 0 once committed.
    level: u32,
}

/// The session's temporary objects.
#[derive(Default)]
pub struct TempObjects {
    namespace: Cell<Oid>,
    toast_namespace: Cell<Oid>,
    /// Level of the transaction that took the schemas into use; 0 once committed.
    level: Cell<u32>,
    entries: RefCell<Vec<Entry>>,
}

impl TempObjects {
    /// `pg_temp_N`, if the session has made temporary objects.
    pub fn namespace(&self) -> Option<Oid> {
        Some(self.namespace.get()).filter(|o| o.is_valid())
    }
    /// `pg_toast_temp_N`.
    pub fn toast_namespace(&self) -> Option<Oid> {
        Some(self.toast_namespace.get()).filter(|o| o.is_valid())
    }
    /// Is it one of the two?
    pub fn is_own(&self, namespace: Oid) -> bool {
        namespace.is_valid() && (namespace == self.namespace.get() || namespace == self.toast_namespace.get())
    }
    /// The schemas are there from now on, unless the transaction at `level` aborts.
    pub fn set(&self, namespace: Oid, toast: Oid, level: u32) {
        self.namespace.set(namespace);
        self.toast_namespace.set(toast);
        self.level.set(level);
    }
    /// Notes what happens to a table at commit.
    pub fn at_commit(&self, table: Oid, action: AtCommit, level: u32) {
        self.entries.borrow_mut().push(Entry { table, action, level });
    }
    /// Tables with something to do at commit.
    pub fn entries(&self) -> Vec<(Oid, AtCommit)> {
        self.entries.borrow().iter().map(|e| (e.table, e.action)).collect()
    }
    /// The table is gone.
    pub fn forget(&self, table: Oid) {
        self.entries.borrow_mut().retain(|e| e.table != table);
    }
    /// The (sub)transaction at `level` ended: what it made is its parent's, or is not.
    pub fn at_end(&self, level: u32, commit: bool) {
        if commit {
            if self.level.get() >= level {
                self.level.set(level - 1);
            }
            for e in self.entries.borrow_mut().iter_mut().filter(|e| e.level >= level) {
                e.level = level - 1;
            }
            return;
        }
        if self.level.get() >= level {
            self.set(Oid::INVALID, Oid::INVALID, 0);
        }
        self.entries.borrow_mut().retain(|e| e.level < level);
    }
}

/// The backend number in a temporary schema's name; `None` for other schemas.
pub fn backend_of_schema(name: &str) -> Option<u32> {
    name.strip_prefix("pg_temp_").or_else(|| name.strip_prefix("pg_toast_temp_"))?.parse().ok()
}
