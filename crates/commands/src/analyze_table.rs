//! ANALYZE of one table: a random sample of rows becomes a row of `pg_statistic` per column and indexed expression, and the
//! data of the table's statistics objects. What is computed of the values is in `statistics`.

use crate::statistics::build::{self, Analysis};
use crate::statistics::column::{self, SampleSize, ValueKind};
use crate::statistics::store;
use crate::vacuum::{class_row, overwrite_if_changed};
use catalog::Catalog;
use catalog::columns::{pg_attribute, pg_class, pg_statistic as st};
use catalog::desc::Relation;
use common::{Error, Oid, Result, bail};
use executor::ExecEnv;
use executor::expr::colops;
use ipc::progress::analyze::PHASE;
use ipc::progress::{Command, Reporting};
use std::rc::Rc;
use transam::{Engine, LockMode};
use types::{Column, Datum};

/// What ANALYZE of a table is to do.
pub struct Request<'a> {
    pub oid: Oid,
    /// All, if none is named.
    pub columns: &'a [String],
    /// `default_statistics_target`.
    pub target: usize,
    /// Also note pages and rows in `pg_class` (a VACUUM in the same statement has done so already).
    pub update_sizes: bool,
    /// Takes warnings; in the background there is nobody to warn.
    pub warn: Option<&'a dyn Fn(String)>,
    /// Takes what VERBOSE says.
    pub say: Option<&'a dyn Fn(String)>,
}

/// Samples a table and stores its statistics.
pub fn analyze(eng: &Rc<Engine>, catalog: &Rc<Catalog>, env: &Rc<ExecEnv>, r: &Request<'_>) -> Result<()> {
    let oid = r.oid;
    // Its columns of any array type have no order, and nobody plans with them.
    if oid == st::TABLE {
        return Ok(());
    }
    let rel = catalog.relation(oid)?;
    let Some(heap) = rel.rel.clone() else {
        return Err(Error::internal("analyze of a relation without storage"));
    };
    for (i, n) in r.columns.iter().enumerate() {
        if !rel.desc.attrs.iter().any(|a| !a.dropped && a.name == *n) {
            bail!(UNDEFINED_COLUMN, "column \"{n}\" of relation \"{}\" does not exist", rel.name);
        }
        if r.columns[..i].contains(n) {
            bail!(DUPLICATE_COLUMN, "column \"{n}\" of relation \"{}\" appears more than once", rel.name);
        }
    }
    let targets = column_targets(catalog, &rel, r)?;
    let full_name = format!("{}.{}", catalog.namespace_name(rel.namespace)?.unwrap_or_default(), rel.name);
    if let Some(say) = r.say {
        say(format!("analyzing \"{full_name}\""));
    }
    let objects = build::definitions(catalog, oid)?;
    let mut rows_wanted = targets.iter().copied().max().unwrap_or(0).max(1);
    let indexes_too = r.columns.is_empty();
    if indexes_too && has_expressions(catalog, &rel)? {
        rows_wanted = rows_wanted.max(r.target);
    }
    for o in &objects {
        rows_wanted =
            rows_wanted.max(o.target(&|k| targets.get(k as usize - 1).map_or(-1, |t| *t as i32), r.target));
    }
    let reported = Reporting::begin(&eng.proc().progress, Command::Analyze, oid.0);
    let mut rng = Rng::seeded(oid);
    let sample = access::sample_rows(eng, &heap, 300 * rows_wanted, &mut || rng.next())?;
    tell(r, &rel, &sample);
    reported.set(PHASE, 3);
    if sample.rows.rows > 0 {
        for (i, a) in rel.desc.attrs.iter().enumerate().filter(|(i, _)| targets[*i] > 0) {
            let k = ValueKind { type_oid: a.type_oid, len: a.len, collation: a.collation };
            let size = SampleSize { total_rows: sample.total_rows, target: targets[i] };
            let s = column::compute(catalog, &k, &sample.rows.cols[i], sample.rows.rows, size)?;
            store::store(catalog, &store::row(catalog, oid, i as i16 + 1, &k, &s)?)?;
            eng.check_interrupts()?;
        }
        let a = Analysis {
            catalog,
            env,
            rel: &rel,
            rows: &sample.rows,
            total_rows: sample.total_rows,
            targets: &targets,
            default_target: r.target,
            background: r.warn.is_none(),
        };
        if indexes_too {
            rel.indexes.iter().try_for_each(|ix| a.index(*ix))?;
        }
        reported.set(PHASE, 4);
        for o in &objects {
            if !a.object(o)?
                && let Some(warn) = r.warn
            {
                warn(a.warning(o)?);
            }
            eng.check_interrupts()?;
        }
    }
    if rel.has_subclass {
        if let Some(say) = r.say {
            say(format!("analyzing \"{full_name}\" inheritance tree"));
        }
        inherited(eng, catalog, r, &rel, &targets, 300 * rows_wanted)?;
    }
    reported.set(PHASE, 5);
    eng.report_analyze(heap.stat_key(), sample.total_rows, sample.dead_rows, r.columns.is_empty());
    if r.update_sizes { note_sizes(eng, catalog, &rel, &heap, &sample) } else { Ok(()) }
}

/// VERBOSE about a sample.
fn tell(r: &Request<'_>, rel: &Relation, s: &access::Sample) {
    if let Some(say) = r.say {
        say(format!(
            "\"{}\": scanned {} of {} pages, containing {} live rows and {} dead rows; {} rows in sample, {:.0} estimated total rows",
            rel.name, s.scanned_pages, s.pages, s.scanned_live, s.scanned_dead, s.rows.rows, s.total_rows
        ));
    }
}

/// Statistics of a table together with all that inherit from it: each gives rows by its share of the pages.
fn inherited(
    eng: &Rc<Engine>,
    catalog: &Rc<Catalog>,
    r: &Request<'_>,
    rel: &Relation,
    targets: &[usize],
    rows_wanted: usize,
) -> Result<()> {
    let mut members = Vec::new();
    for oid in catalog.descendants(rel.oid)? {
        if oid != rel.oid {
            eng.lock_relation(catalog.database(), oid, LockMode::AccessShare)?;
        }
        let Some(member) = catalog.relation_if_any(oid)? else { continue };
        let Some(heap) = member.rel.clone() else { continue };
        let pages = eng.store().nblocks(heap.locator, storage::Fork::Main)?.0;
        members.push((member, heap, pages));
    }
    let pages: u32 = members.iter().map(|m| m.2).sum();
    if members.len() < 2 || pages == 0 {
        return Ok(());
    }
    let mut rng = Rng::seeded(rel.oid);
    let mut cols: Vec<Column> = rel.desc.attrs.iter().map(|a| Column::new(a.phys)).collect();
    let (mut rows, mut total_rows) = (0, 0.0);
    for (member, heap, own) in members.iter().filter(|m| m.2 > 0) {
        let share = (rows_wanted as f64 * f64::from(*own) / f64::from(pages)).round_ties_even() as usize;
        let sample = access::sample_rows(eng, heap, share.max(1), &mut || rng.next())?;
        tell(r, member, &sample);
        for (to, a) in cols.iter_mut().zip(&rel.desc.attrs).filter(|(_, a)| !a.dropped) {
            let at = member.desc.attrs.iter().position(|m| !m.dropped && m.name == a.name);
            let from = at.ok_or_else(|| Error::internal("a child lacks a column of its parent"))?;
            colops::append_range(to, &sample.rows.cols[from], 0, sample.rows.rows);
        }
        rows += sample.rows.rows;
        total_rows += sample.total_rows;
        eng.check_interrupts()?;
    }
    for (i, a) in rel.desc.attrs.iter().enumerate().filter(|(i, _)| targets[*i] > 0 && rows > 0) {
        let k = ValueKind { type_oid: a.type_oid, len: a.len, collation: a.collation };
        let s = column::compute(catalog, &k, &cols[i], rows, SampleSize { total_rows, target: targets[i] })?;
        let mut row = store::row(catalog, rel.oid, i as i16 + 1, &k, &s)?;
        row[st::STAINHERIT] = Datum::Bool(true);
        store::store(catalog, &row)?;
    }
    Ok(())
}

/// By column: how many entries its lists may have, 0 for one that is not analysed.
fn column_targets(catalog: &Catalog, rel: &Relation, r: &Request<'_>) -> Result<Vec<usize>> {
    let mut out = vec![0; rel.desc.len()];
    let keys = [Datum::oid(rel.oid)];
    for row in catalog.scan(pg_attribute::TABLE, pg_attribute::RELID_ATTNUM_INDEX, &keys)? {
        let Some(i) = usize::try_from(row.i16(pg_attribute::ATTNUM) - 1).ok().filter(|i| *i < out.len())
        else {
            continue;
        };
        let a = &rel.desc.attrs[i];
        if !a.dropped && (r.columns.is_empty() || r.columns.contains(&a.name)) {
            out[i] = usize::try_from(row.i32(pg_attribute::ATTSTATTARGET)).unwrap_or(r.target);
        }
    }
    Ok(out)
}

fn has_expressions(catalog: &Catalog, rel: &Relation) -> Result<bool> {
    for ix in &rel.indexes {
        if catalog.index(*ix)?.expressions.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Sizes of the table and its indexes, in `pg_class`.
fn note_sizes(
    eng: &Rc<Engine>,
    catalog: &Rc<Catalog>,
    rel: &Relation,
    heap: &access::Rel,
    sample: &access::Sample,
) -> Result<()> {
    if let Some(row) = class_row(catalog, rel.oid)? {
        let (visible, _) = storage::vm::count(eng.store(), heap.locator)?;
        let changes = [
            (pg_class::RELPAGES, Datum::I32(sample.pages as i32)),
            (pg_class::RELTUPLES, Datum::F32(sample.total_rows as f32)),
            (pg_class::RELALLVISIBLE, Datum::I32(visible as i32)),
        ];
        overwrite_if_changed(catalog, &row, &changes)?;
        for ix in &rel.indexes {
            let desc = catalog.index(*ix)?;
            // A partial index holds an unknown share of the rows; vacuum will count them.
            if desc.predicate.is_some() {
                continue;
            }
            let pages = eng.store().nblocks(desc.rel.rel.locator, storage::Fork::Main)?.0;
            if let Some(row) = class_row(catalog, *ix)? {
                let changes = [
                    (pg_class::RELPAGES, Datum::I32(pages as i32)),
                    (pg_class::RELTUPLES, Datum::F32(sample.total_rows as f32)),
                ];
                overwrite_if_changed(catalog, &row, &changes)?;
            }
        }
    }
    Ok(())
}

/// A small generator: sampling wants speed and spread, not secrecy.
struct Rng(u64);

impl Rng {
    fn seeded(oid: Oid) -> Rng {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Rng((now.as_nanos() as u64 ^ (u64::from(oid.0) << 32)) | 1)
    }
    fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }
}
