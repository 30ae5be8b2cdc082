//! Comparison and hash functions of the built-in types by type OID, for code that compares values without a registry at
//! hand: arrays, records, min and max.

use crate::registry::{CmpFn, HashFn};
use crate::{Collation, DatumRef, FnImpl, storage_info};
use common::Oid;
use std::cmp::Ordering;

fn find(oid: Oid) -> Option<FnImpl> {
    let tables = crate::builtin_tables();
    let found = tables.iter().flat_map(|t| t.iter()).find(|(o, _)| *o == oid.0).map(|(_, f)| *f);
    found.or_else(|| crate::ext::code(oid))
}

/// Default btree comparison of a built-in type.
pub fn type_cmp(type_oid: Oid) -> Option<CmpFn> {
    use crate::oids::*;
    Some(match type_oid {
        INT2 | INT4 | INT8 | DATE | TIME | TIMESTAMP | TIMESTAMPTZ => crate::int::int_cmp,
        TEXT | VARCHAR | NAME => crate::text::text_cmp,
        BYTEA => crate::text::bytes_cmp,
        BPCHAR => crate::text::bpcharcmp,
        OID | REGCLASS | REGTYPE | REGPROC => crate::misc::u32_cmp,
        NUMERIC => crate::numeric::numeric_cmp,
        FLOAT4 | FLOAT8 => crate::float::float_cmp,
        RECORD => crate::record::btrecordcmp,
        // cidr has no operator class of its own: inet's takes both.
        CIDR => return type_cmp(INET),
        _ => match storage_info(type_oid) {
            Some(t) if t.is_array() => crate::array::array_cmp,
            t => match find(t?.cmp)? {
                FnImpl::Cmp(f) => f,
                _ => return None,
            },
        },
    })
}

/// Default hash of a built-in type.
pub fn type_hash(type_oid: Oid) -> Option<HashFn> {
    use crate::oids::*;
    Some(match type_oid {
        INT2 | INT4 | INT8 | DATE | TIME | TIMESTAMP | TIMESTAMPTZ => crate::int::int_hash,
        TEXT | VARCHAR | NAME => crate::text::text_hash,
        BYTEA => crate::text::bytes_hash,
        NUMERIC => crate::numeric::hash_numeric,
        FLOAT4 | FLOAT8 => crate::float::float_hash,
        _ => match find(storage_info(type_oid)?.hash)? {
            FnImpl::Hash(f) => f,
            _ => return None,
        },
    })
}

/// Comparison where NULL sorts last and equals itself.
pub fn cmp_nulls_last(cmp: CmpFn, coll: Collation, a: DatumRef<'_>, b: DatumRef<'_>) -> Ordering {
    match (a.is_null(), b.is_null()) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        _ => cmp(coll, a, b),
    }
}
