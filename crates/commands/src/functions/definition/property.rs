//! What access methods, indexes and index columns can do. NULL for a property nobody knows.

use super::super::env;
use catalog::builtins::{BTREE_AM, HASH_AM};
use catalog::columns::*;
use common::{Oid, Result};
use types::{CallCtx, Datum};

const GIST_AM: Oid = Oid(783);
const GIN_AM: Oid = Oid(2742);
const BRIN_AM: Oid = Oid(3580);
const SPGIST_AM: Oid = Oid(4000);

/// Of an access method.
pub fn access_method(_: &CallCtx<'_>, am: u32, name: &str) -> Option<bool> {
    let am = Oid(am);
    if ![BTREE_AM, HASH_AM, GIST_AM, GIN_AM, BRIN_AM, SPGIST_AM].contains(&am) {
        return None;
    }
    Some(match name.to_ascii_lowercase().as_str() {
        "can_order" | "can_unique" => am == BTREE_AM,
        "can_multi_col" => [BTREE_AM, GIST_AM, GIN_AM, BRIN_AM].contains(&am),
        "can_exclude" => [BTREE_AM, HASH_AM, GIST_AM, SPGIST_AM].contains(&am),
        "can_include" => [BTREE_AM, GIST_AM, SPGIST_AM].contains(&am),
        _ => return None,
    })
}

/// Of an index.
pub fn index(c: &CallCtx<'_>, oid: u32, name: &str) -> Result<Option<bool>> {
    if !is_index(c, oid)? {
        return Ok(None);
    }
    Ok(match name.to_ascii_lowercase().as_str() {
        "clusterable" | "index_scan" | "bitmap_scan" | "backward_scan" => Some(true),
        _ => None,
    })
}

fn is_index(c: &CallCtx<'_>, oid: u32) -> Result<bool> {
    let rows = env(c)?.catalog.scan(pg_index::TABLE, pg_index::INDEXRELID_INDEX, &[Datum::U32(oid)])?;
    Ok(!rows.is_empty())
}

/// Of an index column. Included columns are only returned.
pub fn column(c: &CallCtx<'_>, oid: u32, column: i32, name: &str) -> Result<Option<bool>> {
    if !is_index(c, oid)? {
        return Ok(None);
    }
    let ix = env(c)?.catalog.index(Oid(oid))?;
    let Some(k) = usize::try_from(column - 1).ok().filter(|k| *k < ix.keys.len()) else { return Ok(None) };
    let key = k < usize::from(ix.num_key_atts);
    let bits = ix.options.get(k).copied().unwrap_or(0);
    let (desc, nulls_first) = (bits & 1 != 0, bits & 2 != 0);
    Ok(match name.to_ascii_lowercase().as_str() {
        "returnable" => Some(true),
        "distance_orderable" => Some(false),
        "asc" | "desc" | "nulls_first" | "nulls_last" if !key => None,
        "asc" => Some(!desc),
        "desc" => Some(desc),
        "nulls_first" => Some(nulls_first),
        "nulls_last" => Some(!nulls_first),
        "orderable" => Some(key),
        "search_array" | "search_nulls" => key.then_some(true),
        _ => None,
    })
}
