//! The oldest transaction ids still in use: of a table in `pg_class`, of a database in `pg_database`, of all databases in shared
//! memory. What lies before them in the status files is cut off.
//!
//! Catalogs hold the low half of an id only. As nothing is older than 2^32 ids, the next id tells the other half.

use catalog::columns::{pg_class, pg_database};
use catalog::{CatRow, Catalog};
use common::{MultiXactId, Result, Xid};
use transam::Engine;
use types::Datum;

fn complete(next: u64, low: u32) -> u64 {
    let ago = u64::from((next as u32).wrapping_sub(low));
    if u64::from(low) <= next {
        next.saturating_sub(ago).max(u64::from(low).min(next))
    } else {
        u64::from(low)
    }
}

/// The whole of a transaction id in a catalog.
pub fn full_xid(eng: &Engine, low: u32) -> Xid {
    Xid(complete(eng.next_xid().0, low))
}

/// The whole of a multixact in a catalog.
pub fn full_multi(eng: &Engine, low: u32) -> MultiXactId {
    MultiXactId(complete(eng.next_multixact().0, low))
}

/// Notes the oldest ids of this database, after its tables were vacuumed; cuts the status files if that makes a difference.
pub fn update_database(eng: &Engine, catalog: &Catalog) -> Result<()> {
    let (mut xid, mut multi) = (eng.oldest_xmin(true, true), eng.oldest_multixact());
    for r in catalog.scan_all(pg_class::TABLE)? {
        if matches!(r.char(pg_class::RELKIND), b'r' | b'm' | b't') {
            xid = xid.min(full_xid(eng, r.oid(pg_class::RELFROZENXID).0));
            multi = multi.min(full_multi(eng, r.oid(pg_class::RELMINMXID).0));
        }
    }
    let rows = catalog.scan(pg_database::TABLE, pg_database::OID_INDEX, &[Datum::oid(catalog.database())])?;
    let Some(row) = rows.first() else { return Ok(()) };
    let (old_xid, old_multi) = ids_of(eng, row);
    // Ids never move back: another session may have looked later.
    let mut changes = Vec::new();
    if xid > old_xid {
        changes.push((pg_database::DATFROZENXID, Datum::U32(xid.0 as u32)));
    }
    if multi > old_multi {
        changes.push((pg_database::DATMINMXID, Datum::U32(multi.0 as u32)));
    }
    if changes.is_empty() {
        return Ok(());
    }
    catalog.overwrite_columns(pg_database::TABLE, row, &changes)?;
    truncate(eng, catalog, xid, multi)
}

fn ids_of(eng: &Engine, r: &CatRow) -> (Xid, MultiXactId) {
    let (x, m) = (r.oid(pg_database::DATFROZENXID).0, r.oid(pg_database::DATMINMXID).0);
    (full_xid(eng, x), full_multi(eng, m))
}

/// Cuts the status files before the oldest ids of all databases; `xid` and `multi` are those of this one.
fn truncate(eng: &Engine, catalog: &Catalog, mut xid: Xid, mut multi: MultiXactId) -> Result<()> {
    for r in catalog.scan_all(pg_database::TABLE)? {
        if r.oid(pg_database::OID) != catalog.database() {
            let (x, m) = ids_of(eng, &r);
            xid = xid.min(x);
            multi = multi.min(m);
        }
    }
    eng.truncate_clog(xid)?;
    eng.truncate_multixact(multi)
}

#[cfg(test)]
mod tests {
    use super::complete;

    #[test]
    fn the_other_half_comes_from_the_next_id() {
        assert_eq!(complete(1000, 3), 3);
        assert_eq!(complete(1000, 1000), 1000);
        let next = (5u64 << 32) + 10;
        assert_eq!(complete(next, 5), (5u64 << 32) + 5);
        assert_eq!(complete(next, u32::MAX), (4u64 << 32) + u64::from(u32::MAX));
    }
}
