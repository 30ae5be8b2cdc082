//! ANALYZE of one table: a random sample of rows becomes a row of `pg_statistic` per column. Estimators and thresholds
//! are PostgreSQL's: Haas and Stokes for the number of distinct values, most common values that stand out, an
//! equi-depth histogram of the others, correlation between value order and row order.

use crate::vacuum::{class_row, overwrite_if_changed};
use catalog::Catalog;
use catalog::cache::{KIND_CORRELATION, KIND_HISTOGRAM, KIND_MCV};
use catalog::columns::{pg_class, pg_statistic as st};
use catalog::desc::Relation;
use common::{Error, Oid, Result, bail};
use ipc::progress::analyze::PHASE;
use ipc::progress::{Command, Reporting};
use std::cmp::Ordering;
use std::rc::Rc;
use transam::{Engine, LockMode};
use types::{Attribute, CmpFn, Column, Datum, FnImpl, oids};

/// What was found out about a column.
struct Stats {
    null_frac: f32,
    width: i32,
    distinct: f32,
    mcv: Vec<(Datum, f32)>,
    histogram: Vec<Datum>,
    correlation: Option<f32>,
    eqop: Oid,
    ltop: Oid,
}

/// Samples a table and stores the statistics of the columns named, or of all. `update_sizes`: also note pages and rows in
/// `pg_class` (a VACUUM in the same statement has done so already).
pub fn analyze(
    eng: &Rc<Engine>,
    catalog: &Rc<Catalog>,
    oid: Oid,
    columns: &[String],
    target: usize,
    update_sizes: bool,
) -> Result<()> {
    // Its columns of any array type have no order, and nobody plans with them.
    if oid == st::TABLE {
        return Ok(());
    }
    let rel = catalog.relation(oid)?;
    let Some(heap) = rel.rel.clone() else {
        return Err(Error::internal("analyze of a relation without storage"));
    };
    for n in columns {
        if !rel.desc.attrs.iter().any(|a| !a.dropped && a.name == *n) {
            bail!(UNDEFINED_COLUMN, "column \"{n}\" of relation \"{}\" does not exist", rel.name);
        }
    }
    let reported = Reporting::begin(&eng.proc().progress, Command::Analyze, oid.0);
    let mut rng = Rng::seeded(oid);
    let sample = access::sample_rows(eng, &heap, 300 * target, &mut || rng.next())?;
    reported.set(PHASE, 3);
    for (i, a) in rel.desc.attrs.iter().enumerate() {
        if a.dropped || !(columns.is_empty() || columns.contains(&a.name)) || sample.rows.rows == 0 {
            continue;
        }
        if let Some(s) =
            column_stats(catalog, a, &sample.rows.cols[i], sample.rows.rows, sample.total_rows, target)?
        {
            store(catalog, oid, i as i16 + 1, a, &s, false)?;
        }
        eng.check_interrupts()?;
    }
    if rel.has_subclass {
        reported.set(PHASE, 2);
        inherited(eng, catalog, &rel, columns, target, &mut rng)?;
    }
    reported.set(PHASE, 5);
    eng.report_analyze(heap.stat_key(), sample.total_rows, sample.dead_rows, columns.is_empty());
    if update_sizes && let Some(row) = class_row(catalog, oid)? {
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

/// Samples a table together with all that inherit from it, each in proportion to its size, and stores what is found beside the
/// statistics of the table alone.
fn inherited(
    eng: &Rc<Engine>,
    catalog: &Rc<Catalog>,
    rel: &Relation,
    columns: &[String],
    target: usize,
    rng: &mut Rng,
) -> Result<()> {
    let mut tables = Vec::new();
    for oid in catalog.descendants(rel.oid)? {
        if oid != rel.oid {
            eng.lock_relation(catalog.database(), oid, LockMode::AccessShare)?;
        }
        let Some(r) = catalog.relation_if_any(oid)? else { continue };
        let Some(heap) = r.rel.clone() else { continue };
        let pages = eng.store().nblocks(heap.locator, storage::Fork::Main)?.0;
        tables.push((r, heap, f64::from(pages)));
    }
    let pages: f64 = tables.iter().map(|t| t.2).sum();
    if tables.len() < 2 || pages == 0.0 {
        return Ok(());
    }
    let mut all: Vec<Column> = rel.desc.attrs.iter().map(|a| Column::new(a.phys)).collect();
    let (mut rows, mut total) = (0, 0.0);
    for (table, heap, own) in &tables {
        let share = (300.0 * target as f64 * own / pages).round() as usize;
        if share == 0 {
            continue;
        }
        let sample = access::sample_rows(eng, heap, share, &mut || rng.next())?;
        let map = analyze::rewrite::inherit::attribute_map(rel, table)?;
        for (to, from) in all.iter_mut().zip(map).filter(|x| x.1 > 0) {
            let from = &sample.rows.cols[from as usize - 1];
            (0..sample.rows.rows).for_each(|i| to.push(from.get(i)));
        }
        rows += sample.rows.rows;
        total += sample.total_rows;
    }
    for (i, a) in rel.desc.attrs.iter().enumerate() {
        if a.dropped || !(columns.is_empty() || columns.contains(&a.name)) || rows == 0 {
            continue;
        }
        if let Some(s) = column_stats(catalog, a, &all[i], rows, total, target)? {
            store(catalog, rel.oid, i as i16 + 1, a, &s, true)?;
        }
        eng.check_interrupts()?;
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

fn order(catalog: &Catalog, type_oid: Oid) -> Result<Option<(CmpFn, Oid, Oid)>> {
    // Arrays of different elements (pg_statistic has such) are in no order.
    if type_oid == types::oids::ANYARRAY {
        return Ok(None);
    }
    let Some(class) = catalog.default_opclass(catalog::builtins::BTREE_AM, type_oid)? else {
        return Ok(None);
    };
    let t = class.in_type;
    let (Some(proc), Some(eq), Some(lt)) = (
        catalog.amproc(class.family, t, t, 1)?,
        catalog.amop(class.family, t, t, 3)?,
        catalog.amop(class.family, t, t, 1)?,
    ) else {
        return Ok(None);
    };
    match catalog.registry().get(proc) {
        Some(FnImpl::Cmp(f)) => Ok(Some((f, eq, lt))),
        _ => Ok(None),
    }
}

/// Values wider than this say nothing in a histogram and would bloat it.
const WIDTH_THRESHOLD: usize = 1024;

fn column_stats(
    catalog: &Catalog,
    a: &Attribute,
    col: &Column,
    rows: usize,
    total: f64,
    target: usize,
) -> Result<Option<Stats>> {
    let Some((cmp, eqop, ltop)) = order(catalog, a.type_oid)? else { return Ok(None) };
    let (mut nulls, mut wide, mut bytes) = (0usize, 0usize, 0usize);
    let mut values: Vec<(Datum, u32)> = Vec::with_capacity(rows);
    for i in 0..rows {
        let d = col.get(i);
        if d.is_null() {
            nulls += 1;
            continue;
        }
        if let types::DatumRef::Bytes(b) = d {
            bytes += b.len() + if b.len() < 127 { 1 } else { 4 };
            if b.len() > WIDTH_THRESHOLD {
                wide += 1;
                continue;
            }
        }
        values.push((d.to_owned(), i as u32));
    }
    let nonnull = rows - nulls;
    let width = if a.len > 0 { i32::from(a.len) } else { (bytes / nonnull.max(1)) as i32 };
    let mut s = Stats {
        null_frac: nulls as f32 / rows as f32,
        width,
        distinct: 0.0,
        mcv: Vec::new(),
        histogram: Vec::new(),
        correlation: None,
        eqop,
        ltop,
    };
    if values.is_empty() {
        // All null or all wide: wide values count as distinct each.
        s.distinct = if wide > 0 { -1.0 + s.null_frac } else { 0.0 };
        return Ok(Some(s));
    }
    let collation = catalog.collation(a.collation)?;
    values.sort_by(|x, y| cmp(collation, x.0.as_ref(), y.0.as_ref()).then(x.1.cmp(&y.1)));
    let same = |x: &Datum, y: &Datum| cmp(collation, x.as_ref(), y.as_ref()) == Ordering::Equal;
    // Runs of equal values: (first index, length).
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for (i, v) in values.iter().enumerate() {
        match runs.last_mut() {
            Some(r) if same(&values[r.0].0, &v.0) => r.1 += 1,
            _ => runs.push((i, 1)),
        }
    }
    s.distinct = distinct(&runs, values.len(), wide, nonnull, total * f64::from(1.0 - s.null_frac));
    let mcv = common_values(&runs, values.len(), s.distinct, rows, total, target);
    s.mcv = mcv.iter().map(|&r| (values[runs[r].0].0.clone(), runs[r].1 as f32 / rows as f32)).collect();
    s.histogram = histogram(&runs, &values, &mcv, target);
    s.correlation = correlation(&values);
    Ok(Some(s))
}

/// Number of distinct values: positive, or negative as a fraction of the rows.
fn distinct(runs: &[(usize, usize)], n: usize, wide: usize, nonnull: usize, total_nonnull: f64) -> f32 {
    let d = runs.len() as f64 + wide as f64;
    let multiple = runs.iter().filter(|r| r.1 > 1).count();
    if multiple == 0 {
        return -(nonnull as f32) / nonnull.max(1) as f32;
    }
    if wide == 0 && multiple == runs.len() {
        // Every value was seen twice: these are all there are.
        return d as f32;
    }
    let f1 = (runs.len() - multiple + wide) as f64;
    let n = (n + wide) as f64;
    let estimate = if total_nonnull > 0.0 { n * d / ((n - f1) + f1 * n / total_nonnull) } else { d };
    let estimate = estimate.clamp(d, total_nonnull.max(d));
    let estimate = (estimate + 0.5).floor();
    // A number that grows with the table is stored as a fraction.
    if estimate > 0.1 * total_nonnull { -(estimate / total_nonnull) as f32 } else { estimate as f32 }
}

/// Indexes (into `runs`) of the most common values, most common first.
fn common_values(
    runs: &[(usize, usize)],
    n: usize,
    distinct: f32,
    rows: usize,
    total: f64,
    target: usize,
) -> Vec<usize> {
    let mut tracked: Vec<usize> = (0..runs.len()).filter(|&r| runs[r].1 > 1).collect();
    tracked.sort_by(|&x, &y| runs[y].1.cmp(&runs[x].1).then(runs[x].0.cmp(&runs[y].0)));
    tracked.truncate(target);
    let complete = tracked.len() == runs.len() && distinct > 0.0 && runs.len() <= target;
    if complete {
        return tracked;
    }
    let mut keep = tracked.len();
    let ndistinct = if distinct < 0.0 { f64::from(-distinct) * total } else { f64::from(distinct) };
    let mut sum: usize = tracked.iter().map(|&r| runs[r].1).sum();
    // Drop values from the least common up until the last kept is clearly more common than the average of the rest.
    while keep > 0 {
        let last = runs[tracked[keep - 1]].1;
        sum -= last;
        let other_distinct = ndistinct - (keep as f64 - 1.0);
        let selectivity = ((n - sum.min(n)) as f64 / rows as f64 / other_distinct.max(1.0)).clamp(0.0, 1.0);
        // Standard error of the hypergeometric distribution behind the sample.
        let k = selectivity * total;
        let (nn, ss) = (total, rows as f64);
        let variance = if nn > 1.0 { ss * k * (nn - k) * (nn - ss) / (nn * nn * (nn - 1.0)) } else { 0.0 };
        if last as f64 > selectivity * ss + 2.0 * variance.max(0.0).sqrt() + 0.5 {
            break;
        }
        keep -= 1;
    }
    tracked.truncate(keep);
    tracked
}

/// Bounds of equally full buckets over the values that are not most common.
fn histogram(runs: &[(usize, usize)], values: &[(Datum, u32)], mcv: &[usize], target: usize) -> Vec<Datum> {
    let rest: Vec<usize> =
        (0..runs.len()).filter(|r| !mcv.contains(r)).flat_map(|r| runs[r].0..runs[r].0 + runs[r].1).collect();
    let distinct_left = runs.len() - mcv.len();
    let bounds = distinct_left.min(target + 1);
    if bounds < 2 {
        return Vec::new();
    }
    (0..bounds).map(|i| values[rest[i * (rest.len() - 1) / (bounds - 1)]].0.clone()).collect()
}

/// How far the physical order follows the value order: -1 … 1.
fn correlation(values: &[(Datum, u32)]) -> Option<f32> {
    let n = values.len() as f64;
    if values.len() < 2 {
        return None;
    }
    // Positions among the non-null sample rows, in physical order.
    let mut by_row: Vec<usize> = (0..values.len()).collect();
    by_row.sort_by_key(|&i| values[i].1);
    let mut sum_xy = 0.0;
    for (position, &rank) in by_row.iter().enumerate() {
        sum_xy += rank as f64 * position as f64;
    }
    let sum_x = (n - 1.0) * n / 2.0;
    let sum_x2 = (n - 1.0) * n * (2.0 * n - 1.0) / 6.0;
    Some(((n * sum_xy - sum_x * sum_x) / (n * sum_x2 - sum_x * sum_x)) as f32)
}

fn store(catalog: &Catalog, rel: Oid, attnum: i16, a: &Attribute, s: &Stats, inherited: bool) -> Result<()> {
    let t = catalog.type_desc(a.type_oid)?;
    let float4 = catalog.type_desc(oids::FLOAT4)?;
    let mut row = catalog.blank_row(st::TABLE);
    row[st::STARELID] = Datum::oid(rel);
    row[st::STAATTNUM] = Datum::I16(attnum);
    row[st::STAINHERIT] = Datum::Bool(inherited);
    row[st::STANULLFRAC] = Datum::F32(s.null_frac);
    row[st::STAWIDTH] = Datum::I32(s.width);
    row[st::STADISTINCT] = Datum::F32(s.distinct);
    for i in 0..5 {
        row[st::STAKIND1 + i] = Datum::I16(0);
        row[st::STAOP1 + i] = Datum::oid(Oid::INVALID);
        row[st::STACOLL1 + i] = Datum::oid(Oid::INVALID);
    }
    let mut slot = 0;
    let mut put = |kind: i16, op: Oid, numbers: Option<Vec<Datum>>, values: Option<Vec<Datum>>| {
        row[st::STAKIND1 + slot] = Datum::I16(kind);
        row[st::STAOP1 + slot] = Datum::oid(op);
        row[st::STACOLL1 + slot] = Datum::oid(a.collation);
        if let Some(n) = numbers {
            row[st::STANUMBERS1 + slot] = catalog::array::build(&float4, &n);
        }
        if let Some(v) = values {
            row[st::STAVALUES1 + slot] = catalog::array::build(&t, &v);
        }
        slot += 1;
    };
    if !s.mcv.is_empty() {
        let numbers = s.mcv.iter().map(|m| Datum::F32(m.1)).collect();
        put(KIND_MCV, s.eqop, Some(numbers), Some(s.mcv.iter().map(|m| m.0.clone()).collect()));
    }
    if !s.histogram.is_empty() {
        put(KIND_HISTOGRAM, s.ltop, None, Some(s.histogram.clone()));
    }
    if let Some(c) = s.correlation {
        put(KIND_CORRELATION, s.ltop, Some(vec![Datum::F32(c)]), None);
    }
    let keys = [Datum::oid(rel), Datum::I16(attnum), Datum::Bool(inherited)];
    match catalog.scan(st::TABLE, st::RELID_ATT_INH_INDEX, &keys)?.first() {
        Some(old) => catalog.update_row(st::TABLE, old, &row)?,
        None => catalog.insert_row(st::TABLE, &row)?,
    };
    Ok(())
}
