//! What VACUUM (VERBOSE) and the log of autovacuum say about a table.

use crate::rusage::Timer;
use access::{VacuumParams, VacuumStats};
use catalog::Catalog;
use catalog::columns::pg_database;
use catalog::desc::Relation;
use common::Result;
use std::fmt::Write;
use transam::Engine;
use types::Datum;

/// `database.schema.table`.
pub fn full_name(catalog: &Catalog, rel: &Relation) -> Result<String> {
    let db = catalog.scan(pg_database::TABLE, pg_database::OID_INDEX, &[Datum::oid(catalog.database())])?;
    let db = db.first().map(|r| r.str(pg_database::DATNAME).to_string()).unwrap_or_default();
    Ok(format!("{db}.{}.{}", catalog.namespace_name(rel.namespace)?.unwrap_or_default(), rel.name))
}

/// Measured from its beginning.
pub struct Work {
    timer: Timer,
    buffers: storage::BufferCounters,
}

impl Work {
    /// Now.
    pub fn begin(eng: &Engine) -> Work {
        Work { timer: Timer::start(), buffers: eng.store().counters() }
    }

    /// Everything from the table's name on.
    pub fn text(
        &self,
        eng: &Engine,
        catalog: &Catalog,
        rel: &Relation,
        params: &VacuumParams,
        s: &VacuumStats,
    ) -> Result<String> {
        let mut out = String::new();
        let percent =
            |n: u32| if s.rel_pages == 0 { 100.0 } else { 100.0 * f64::from(n) / f64::from(s.rel_pages) };
        let _ = write!(
            out,
            "\"{}\": index scans: {}\n\
             pages: {} removed, {} remain, {} scanned ({:.2}% of total)\n\
             tuples: {} removed, {} remain, {} are dead but not yet removable\n",
            full_name(catalog, rel)?,
            s.index_scans,
            s.removed_pages,
            s.rel_pages,
            s.scanned_pages,
            percent(s.scanned_pages),
            s.tuples_deleted,
            s.new_rel_tuples as i64,
            s.recently_dead_tuples,
        );
        let age = eng.next_xid().0.saturating_sub(s.oldest_xmin.0);
        let _ = writeln!(
            out,
            "removable cutoff: {}, which was {age} XIDs old when operation ended",
            s.oldest_xmin
        );
        if let Some(x) = s.new_frozen_xid.filter(|x| *x > params.relfrozenxid) {
            let ahead = x.0 - params.relfrozenxid.0;
            let _ = writeln!(out, "new relfrozenxid: {x}, which is {ahead} XIDs ahead of previous value");
        }
        out.push_str(match (rel.indexes.is_empty() || s.index_scans == 0, params.index_cleanup) {
            (true, Some(false)) if s.lpdead_item_pages > 0 => "index scan bypassed: ",
            (true, _) => "index scan not needed: ",
            (false, _) => "index scan needed: ",
        });
        let verb = if s.index_scans == 0 && params.index_cleanup == Some(false) && s.lpdead_item_pages > 0 {
            "have"
        } else {
            "had"
        };
        let tail = if verb == "had" { " removed" } else { "" };
        let _ = writeln!(
            out,
            "{} pages from table ({:.2}% of total) {verb} {} dead item identifiers{tail}",
            s.lpdead_item_pages,
            if s.rel_pages == 0 { 0.0 } else { percent(s.lpdead_item_pages) },
            s.lpdead_items,
        );
        for (ix, i) in rel.indexes.iter().zip(&s.indexes).filter(|_| s.index_scans > 0) {
            let _ = writeln!(
                out,
                "index \"{}\": pages: {} in total, {} newly deleted, {} currently deleted, {} reusable",
                catalog.index(*ix)?.name,
                i.pages,
                i.pages_newly_deleted,
                i.pages_deleted,
                i.pages_free,
            );
        }
        self.resources(eng, &mut out);
        Ok(out)
    }

    fn resources(&self, eng: &Engine, out: &mut String) {
        let (now, was) = (eng.store().counters(), &self.buffers);
        let (hit, read) = (now.shared_hit - was.shared_hit, now.shared_read - was.shared_read);
        let dirtied = now.shared_dirtied - was.shared_dirtied;
        let seconds = self.timer.elapsed();
        let rate = |n: u64| if seconds > 0.0 { n as f64 * 8192.0 / (1024.0 * 1024.0) / seconds } else { 0.0 };
        let _ = write!(
            out,
            "avg read rate: {:.3} MB/s, avg write rate: {:.3} MB/s\n\
             buffer usage: {hit} hits, {read} misses, {dirtied} dirtied\n\
             system usage: {}",
            rate(read),
            rate(dirtied),
            self.timer.show(),
        );
    }
}
