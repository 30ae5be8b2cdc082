//! How finely a transaction's reads are remembered. Many rows of a page become the page, many parts of a relation the
//! relation, as PostgreSQL does with its limits. A private matter of each process.

use super::reads::Place;
use common::Oid;
use std::collections::{BTreeMap, BTreeSet};

/// Limits of PostgreSQL: `max_pred_locks_per_page`, `max_pred_locks_per_relation`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    pub rows_of_page: usize,
    pub parts_of_relation: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { rows_of_page: 2, parts_of_relation: 31 }
    }
}

#[derive(Default)]
struct Relation {
    whole: bool,
    pages: BTreeSet<u32>,
    rows: BTreeMap<u32, BTreeSet<u16>>,
    /// Pages and rows remembered.
    parts: usize,
}

/// What the running transaction has read.
#[derive(Default)]
pub struct Granularity(BTreeMap<Oid, Relation>);

/// What to tell others about a new read: the place to remember, and those it takes the place of.
#[derive(Debug, PartialEq, Eq)]
pub struct Change {
    pub add: Place,
    pub drop: Vec<Place>,
}

impl Granularity {
    /// A place is read; `None`: that is covered already.
    pub fn note(&mut self, rel: Oid, place: Place, limits: Limits) -> Option<Change> {
        let r = self.0.entry(rel).or_default();
        if r.covers(place) {
            return None;
        }
        let mut change = Change { add: place, drop: Vec::new() };
        match place {
            Place::Whole => r.take_whole(&mut change),
            Place::Page(b) => {
                r.take_page(b.0, &mut change);
            }
            Place::Row(t) => {
                let rows = r.rows.entry(t.block.0).or_default();
                if rows.len() >= limits.rows_of_page {
                    change.add = Place::Page(t.block);
                    r.take_page(t.block.0, &mut change);
                } else {
                    rows.insert(t.offset);
                    r.parts += 1;
                }
            }
        }
        if !r.whole && r.parts > limits.parts_of_relation {
            let own = change.add;
            change.add = Place::Whole;
            r.take_whole(&mut change);
            change.drop.retain(|p| *p != own);
        }
        Some(change)
    }
    /// Remembers the relation with most parts as a whole; `None`: there is none with parts.
    pub fn coarsen(&mut self) -> Option<(Oid, Change)> {
        let several = self.0.iter_mut().filter(|(_, r)| r.parts > 0);
        let (oid, r) = several.max_by_key(|(_, r)| r.parts)?;
        let mut change = Change { add: Place::Whole, drop: Vec::new() };
        r.take_whole(&mut change);
        Some((*oid, change))
    }
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

impl Relation {
    fn covers(&self, place: Place) -> bool {
        self.whole
            || match place {
                Place::Whole => false,
                Place::Page(b) => self.pages.contains(&b.0),
                Place::Row(t) => {
                    self.pages.contains(&t.block.0)
                        || self.rows.get(&t.block.0).is_some_and(|r| r.contains(&t.offset))
                }
            }
    }
    fn take_page(&mut self, block: u32, change: &mut Change) {
        self.drop_rows(block, change);
        self.pages.insert(block);
        self.parts += 1;
    }
    fn drop_rows(&mut self, block: u32, change: &mut Change) {
        for offset in self.rows.remove(&block).unwrap_or_default() {
            self.parts -= 1;
            change.drop.push(Place::Row(common::Tid::new(common::BlockNumber(block), offset)));
        }
    }
    fn take_whole(&mut self, change: &mut Change) {
        for block in self.rows.keys().copied().collect::<Vec<_>>() {
            self.drop_rows(block, change);
        }
        change
            .drop
            .extend(std::mem::take(&mut self.pages).into_iter().map(|b| Place::Page(common::BlockNumber(b))));
        self.parts = 0;
        self.whole = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use common::{BlockNumber, Tid};

    fn row(b: u32, o: u16) -> Place {
        Place::Row(Tid::new(BlockNumber(b), o))
    }
    fn page(b: u32) -> Place {
        Place::Page(BlockNumber(b))
    }

    #[test]
    fn rows_become_a_page_and_pages_a_relation() {
        let mut g = Granularity::default();
        let limits = Limits { rows_of_page: 2, parts_of_relation: 4 };
        let mut note = |p| g.note(Oid(1), p, limits);
        let add = |add| Some(Change { add, drop: vec![] });
        assert_eq!(note(row(0, 1)), add(row(0, 1)));
        assert_eq!(note(row(0, 1)), None);
        assert_eq!(note(row(0, 2)), add(row(0, 2)));
        assert_eq!(note(row(0, 3)), Some(Change { add: page(0), drop: vec![row(0, 1), row(0, 2)] }));
        assert_eq!(note(row(0, 4)), None);
        assert_eq!(note(page(0)), None);
        assert_eq!(note(row(7, 1)), add(row(7, 1)));
        assert_eq!(note(page(8)), add(page(8)));
        assert_eq!(note(page(9)), add(page(9)));
        assert_eq!(
            note(page(10)),
            Some(Change { add: Place::Whole, drop: vec![row(7, 1), page(0), page(8), page(9)] })
        );
        assert_eq!(note(row(11, 1)), None);
        assert_eq!(g.note(Oid(2), Place::Whole, limits), add(Place::Whole));
    }
}
