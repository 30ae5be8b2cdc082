//! The shape of TOAST tables: (chunk_id oid, chunk_seq int4, chunk_data bytea), unique on the first two.

use crate::builtins::Builtins;
use crate::schema::attribute;
use access::{IndexRel, KeyColumn, Rel};
use common::Oid;
use std::rc::Rc;
use storage::RelFileLocator;
use types::{Collation, FnImpl, Registry, TupleDesc, oids};

/// btree `oid_ops` and `int4_ops` with their comparison functions.
pub const TOAST_OPCLASSES: [(Oid, Oid, Oid); 2] =
    [(Oid(1981), oids::OID, Oid(356)), (Oid(1978), oids::INT4, Oid(351))];

/// Columns of a TOAST table.
pub fn toast_desc(b: &Builtins) -> TupleDesc {
    let columns = [("chunk_id", oids::OID), ("chunk_seq", oids::INT4), ("chunk_data", oids::BYTEA)];
    let attrs = columns
        .iter()
        .filter_map(|(name, t)| {
            let mut a = attribute(name, b.type_desc(*t)?, -1);
            // Chunks are never toasted again.
            a.storage = b'p';
            Some(a)
        })
        .collect();
    TupleDesc { attrs, type_oid: Oid::INVALID }
}

/// The index of a TOAST table.
pub fn toast_index(b: &Builtins, reg: &Registry, oid: Oid, locator: RelFileLocator, heap: &Rel) -> IndexRel {
    let attrs = toast_desc(b).attrs.into_iter().take(2).collect();
    let desc = Rc::new(TupleDesc { attrs, type_oid: Oid::INVALID });
    let mut rel = Rel::new(oid, format!("{}_index", heap.name), locator, desc);
    rel.is_catalog = heap.is_catalog;
    rel.persistence = heap.persistence;
    let keys = TOAST_OPCLASSES
        .iter()
        .filter_map(|(_, t, cmp)| match reg.get(*cmp) {
            Some(FnImpl::Cmp(f)) => Some(KeyColumn::new(*t, f, Collation::NONE, false, false, true)),
            _ => None,
        })
        .collect();
    let mut ix = IndexRel::new(rel, heap.oid, heap.name.clone(), keys);
    ix.unique = true;
    ix
}
