//! Consistency checks in the manner of amcheck.
use crate::rel::{IndexRel, Rel};
use crate::txn::Engine;
use common::{Error, Result};

/// Checks a table's pages, headers and update chains. Returns the findings; empty = sound.
pub fn check_heap(_eng: &Engine, _rel: &Rel) -> Result<Vec<String>> {
    Err(Error::unsupported("check_heap"))
}

/// Checks an index's order, links and high keys, and that each row of `heap` visible to everyone has its entry.
pub fn check_btree(_eng: &Engine, _ix: &IndexRel, _heap: &Rel) -> Result<Vec<String>> {
    Err(Error::unsupported("check_btree"))
}
