//! What the running transaction has counted, by relation and subtransaction level.

use super::{StatKey, TableStats};
use hashbrown::HashMap;

/// Row changes of one subtransaction level.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Level {
    nest: u32,
    pub(super) inserted: i64,
    pub(super) updated: i64,
    pub(super) deleted: i64,
    /// The table was emptied at this level: the counts before that, for an abort.
    before_truncate: Option<[i64; 3]>,
}

/// What a relation's shared counters get.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sum {
    pub add: TableStats,
    pub emptied: bool,
}

/// One relation.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    key: StatKey,
    /// Ascending by level.
    levels: Vec<Level>,
    pub(super) add: TableStats,
}

impl Table {
    pub(super) fn level(&mut self, nest: u32) -> &mut Level {
        if self.levels.last().is_none_or(|l| l.nest < nest) {
            self.levels.push(Level { nest, ..Level::default() });
        }
        let last = self.levels.len() - 1;
        &mut self.levels[last]
    }
    pub(super) fn truncate(&mut self, nest: u32) {
        let l = self.level(nest);
        let before = l.before_truncate.unwrap_or([l.inserted, l.updated, l.deleted]);
        *l = Level { nest, before_truncate: Some(before), ..Level::default() };
    }
    /// Live and dead rows that this transaction will add if it commits.
    pub(super) fn own(&self) -> (i64, i64) {
        self.levels
            .iter()
            .fold((0, 0), |(live, dead), l| (live + l.inserted - l.deleted, dead + l.updated + l.deleted))
    }
    fn total(&mut self, l: &Level) {
        self.add.tuples_inserted += l.inserted;
        self.add.tuples_updated += l.updated;
        self.add.tuples_deleted += l.deleted;
        self.add.ins_since_vacuum += l.inserted;
    }
    /// The level's work is undone: what it stored is dead, what it deleted lives on.
    fn undo(&mut self, mut l: Level) {
        if let Some([inserted, updated, deleted]) = l.before_truncate {
            (l.inserted, l.updated, l.deleted) = (inserted, updated, deleted);
        }
        self.total(&l);
        self.add.dead_tuples += l.inserted + l.updated;
    }
    fn commit(&mut self, l: Level) -> bool {
        let emptied = l.before_truncate.is_some();
        if emptied {
            self.add.live_tuples = 0;
            self.add.dead_tuples = 0;
            self.add.ins_since_vacuum = 0;
        }
        self.total(&l);
        self.add.live_tuples += l.inserted - l.deleted;
        self.add.dead_tuples += l.updated + l.deleted;
        self.add.mod_since_analyze += l.inserted + l.updated + l.deleted;
        emptied
    }
    /// The level's work becomes its parent's.
    fn hand_up(&mut self, l: Level) {
        let parent = self.level(l.nest - 1);
        match l.before_truncate {
            Some(_) => {
                let own = [parent.inserted, parent.updated, parent.deleted];
                let before = parent.before_truncate.unwrap_or(own);
                *parent = Level { nest: l.nest - 1, before_truncate: Some(before), ..l };
            }
            None => {
                parent.inserted += l.inserted;
                parent.updated += l.updated;
                parent.deleted += l.deleted;
            }
        }
    }
}

/// Relations found again without hashing.
const RECENT: usize = 16;

/// The running transaction's counts.
#[derive(Default)]
pub(crate) struct Pending {
    tables: Vec<Table>,
    /// Filled when there are more relations than `RECENT`.
    index: HashMap<u64, usize, foldhash::fast::FixedState>,
    recent: [u32; RECENT],
}

impl Pending {
    /// The relation's counts.
    #[inline]
    pub(crate) fn table(&mut self, key: StatKey) -> &mut Table {
        let hint = key.0 as usize % RECENT;
        let at = self.recent[hint] as usize;
        if self.tables.get(at).is_some_and(|t| t.key == key) {
            return &mut self.tables[at];
        }
        let at = self.search(key);
        self.recent[hint] = at as u32;
        &mut self.tables[at]
    }
    fn search(&mut self, key: StatKey) -> usize {
        if self.tables.len() <= RECENT {
            if let Some(at) = self.tables.iter().position(|t| t.key == key) {
                return at;
            }
        } else if let Some(at) = self.index.get(&key.0) {
            return *at;
        }
        let at = self.tables.len();
        self.tables.push(Table { key, levels: Vec::new(), add: TableStats::default() });
        if at == RECENT {
            self.index.extend(self.tables.iter().enumerate().map(|(i, t)| (t.key.0, i)));
        } else if at > RECENT {
            self.index.insert(key.0, at);
        }
        at
    }
    /// What is counted of a relation so far, all levels together.
    pub(crate) fn peek(&self, key: StatKey) -> Option<TableStats> {
        let t = self.tables.iter().find(|t| t.key == key)?;
        let mut s = t.add;
        for l in &t.levels {
            s.tuples_inserted += l.inserted;
            s.tuples_updated += l.updated;
            s.tuples_deleted += l.deleted;
        }
        Some(s)
    }
    /// The transaction ends: every relation's sum goes to `flush`.
    pub(crate) fn end(&mut self, committed: bool, flush: impl Fn(StatKey, &Sum)) {
        for t in &mut self.tables {
            let mut emptied = false;
            // Of an aborted transaction, deeper levels may be left.
            while let Some(l) = t.levels.pop() {
                if committed {
                    emptied |= t.commit(l);
                } else {
                    t.undo(l);
                }
            }
            let sum = Sum { add: t.add, emptied };
            if sum != Sum::default() {
                flush(t.key, &sum);
            }
        }
        self.tables.clear();
        if !self.index.is_empty() {
            self.index = HashMap::default();
        }
    }
    /// A subtransaction ends.
    pub(crate) fn end_level(&mut self, nest: u32, committed: bool) {
        for t in &mut self.tables {
            if t.levels.last().is_none_or(|l| l.nest < nest) {
                continue;
            }
            let Some(l) = t.levels.pop() else { continue };
            if committed && nest > 1 {
                t.hand_up(l);
            } else {
                t.undo(l);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use common::Oid;
    use std::cell::Cell;

    fn sum(p: &mut Pending, committed: bool) -> Sum {
        let out = Cell::new(Sum::default());
        p.end(committed, |_, s| out.set(*s));
        out.get()
    }

    #[test]
    fn aborted_rows_are_dead() {
        let k = StatKey::new(Oid(5), Oid(100));
        let mut p = Pending::default();
        p.table(k).level(1).inserted = 10;
        p.table(k).level(2).inserted = 3;
        p.table(k).level(2).deleted = 2;
        p.end_level(2, false);
        let s = sum(&mut p, true).add;
        assert_eq!((s.live_tuples, s.dead_tuples, s.tuples_inserted), (10, 3, 13));
        assert_eq!((s.mod_since_analyze, s.ins_since_vacuum, s.tuples_deleted), (10, 13, 2));
        p.table(k).level(1).updated = 4;
        let s = sum(&mut p, false).add;
        assert_eq!((s.live_tuples, s.dead_tuples, s.mod_since_analyze), (0, 4, 0));
    }

    #[test]
    fn truncation_empties_unless_undone() {
        let k = StatKey::new(Oid(5), Oid(100));
        let mut p = Pending::default();
        p.table(k).level(1).inserted = 10;
        p.table(k).truncate(2);
        p.table(k).level(2).inserted = 1;
        p.end_level(2, true);
        let s = sum(&mut p, true);
        assert!(s.emptied);
        assert_eq!((s.add.live_tuples, s.add.tuples_inserted), (1, 1));
        p.table(k).level(1).inserted = 10;
        p.table(k).truncate(2);
        p.end_level(2, false);
        let s = sum(&mut p, true);
        assert!(!s.emptied);
        assert_eq!(s.add.live_tuples, 10);
    }

    #[test]
    fn many_relations_are_told_apart() {
        let mut p = Pending::default();
        for round in 0..2 {
            for i in 1..200 {
                p.table(StatKey::new(Oid(1), Oid(i))).add.scans += i64::from(i + round);
            }
        }
        p.end(true, |k, s| assert_eq!(s.add.scans, 2 * i64::from(k.relation().0) + 1));
        assert!(p.tables.is_empty());
    }
}
