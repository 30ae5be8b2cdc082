//! Statistics of one column's (or expression's) sampled values. Estimators and thresholds are PostgreSQL's: Haas and Stokes
//! for the number of distinct values, most common values that stand out, an equi-depth histogram of the others,
//! correlation between value order and row order.

use catalog::Catalog;
use common::{Oid, Result};
use std::cmp::Ordering;
use types::{CmpFn, Column, Datum, FnImpl};

/// What is known of the values' type.
#[derive(Clone, Copy, Debug)]
pub struct ValueKind {
    pub type_oid: Oid,
    /// Bytes of a value; negative: of variable length.
    pub len: i16,
    pub collation: Oid,
}

/// How the sample stands to the table.
#[derive(Clone, Copy, Debug)]
pub struct SampleSize {
    pub total_rows: f64,
    /// Entries most lists may have.
    pub target: usize,
}

/// What was found out.
pub struct Stats {
    pub null_frac: f32,
    pub width: i32,
    pub distinct: f32,
    pub mcv: Vec<(Datum, f32)>,
    pub histogram: Vec<Datum>,
    pub correlation: Option<f32>,
    pub eqop: Oid,
    pub ltop: Oid,
}

/// A type's default order: comparison, equality operator, less-than operator.
pub fn order(catalog: &Catalog, type_oid: Oid) -> Result<Option<(CmpFn, Oid, Oid)>> {
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
    match catalog.registry().get(catalog.code_oid(proc)?) {
        Some(FnImpl::Cmp(f)) => Ok(Some((f, eq, lt))),
        _ => Ok(None),
    }
}

/// Values wider than this (with their length word) say nothing in a histogram and would bloat it.
const WIDTH_THRESHOLD: usize = 1024;

/// Is a value of variable length left out of lists?
pub fn too_wide(bytes: usize) -> bool {
    bytes + 4 > WIDTH_THRESHOLD
}

/// The non-null values with their place in the sample, and what was counted on the way.
struct Collected {
    values: Vec<(Datum, u32)>,
    nulls: usize,
    wide: usize,
    bytes: usize,
}

fn collect(k: &ValueKind, col: &Column, rows: usize) -> Collected {
    let mut c = Collected { values: Vec::with_capacity(rows), nulls: 0, wide: 0, bytes: 0 };
    for i in 0..rows {
        let d = col.get(i);
        if d.is_null() {
            c.nulls += 1;
            continue;
        }
        if let types::DatumRef::Bytes(b) = d
            && k.len < 0
        {
            c.bytes += b.len() + if b.len() < 127 { 1 } else { 4 };
            if too_wide(b.len()) {
                c.wide += 1;
                continue;
            }
        }
        c.values.push((d.to_owned(), i as u32));
    }
    c
}

/// Statistics of the first `rows` values of a column.
pub fn compute(
    catalog: &Catalog,
    k: &ValueKind,
    col: &Column,
    rows: usize,
    size: SampleSize,
) -> Result<Stats> {
    let mut c = collect(k, col, rows);
    let nonnull = rows - c.nulls;
    let average = c.bytes.checked_div(nonnull).unwrap_or(0);
    let order = order(catalog, k.type_oid)?;
    let mut s = Stats {
        null_frac: (c.nulls as f64 / rows as f64) as f32,
        width: if k.len > 0 { i32::from(k.len) } else { average as i32 },
        distinct: 0.0,
        mcv: Vec::new(),
        histogram: Vec::new(),
        correlation: None,
        eqop: order.map_or(Oid::INVALID, |o| o.1),
        ltop: order.map_or(Oid::INVALID, |o| o.2),
    };
    let Some((cmp, _, _)) = order else { return Ok(s) };
    if c.values.is_empty() {
        // Wide values count as distinct each.
        s.distinct = if c.wide > 0 { -(1.0 - s.null_frac) } else { 0.0 };
        return Ok(s);
    }
    let coll = catalog.collation(k.collation)?;
    c.values.sort_by(|x, y| cmp(coll, x.0.as_ref(), y.0.as_ref()).then(x.1.cmp(&y.1)));
    let mut runs: Vec<Run> = Vec::new();
    for (i, v) in c.values.iter().enumerate() {
        match runs.last_mut() {
            Some(r) if cmp(coll, c.values[r.first].0.as_ref(), v.0.as_ref()) == Ordering::Equal => {
                r.count += 1
            }
            _ => runs.push(Run { first: i, count: 1 }),
        }
    }
    s.distinct = distinct(&runs, c.wide, nonnull, rows, size.total_rows, s.null_frac);
    let mcv = common_values(&runs, &s, c.wide, rows, size);
    s.mcv = mcv.iter().map(|&r| (c.values[runs[r].first].0.clone(), share(runs[r].count, rows))).collect();
    s.histogram = histogram(&runs, &c.values, &mcv, size.target);
    s.correlation = correlation(&c.values);
    Ok(s)
}

fn share(count: usize, rows: usize) -> f32 {
    (count as f64 / rows as f64) as f32
}

/// Equal values in a row.
struct Run {
    first: usize,
    count: usize,
}

/// Number of distinct values: positive, or negative as a fraction of the rows.
fn distinct(runs: &[Run], wide: usize, nonnull: usize, rows: usize, total: f64, null_frac: f32) -> f32 {
    let multiple = runs.iter().filter(|r| r.count > 1).count();
    if multiple == 0 {
        // Nothing was seen twice: a unique column.
        return -(1.0 - f64::from(null_frac)) as f32;
    }
    let d = if wide == 0 && multiple == runs.len() {
        // Every value was seen twice: these are all there are.
        runs.len() as f32
    } else {
        let f1 = (runs.len() - multiple + wide) as f64;
        let d = f1 + multiple as f64;
        let n = (rows - (rows - nonnull)) as f64;
        let all = total * (1.0 - f64::from(null_frac));
        let estimate = if all > 0.0 { n * d / ((n - f1) + f1 * n / all) } else { 0.0 };
        let estimate = if estimate < d { d } else { estimate };
        let estimate = if estimate > all { all } else { estimate };
        (estimate + 0.5).floor() as f32
    };
    // A number that grows with the table is stored as a fraction.
    if f64::from(d) > 0.1 * total { -(f64::from(d) / total) as f32 } else { d }
}

/// Indexes (into `runs`) of the most common values, most common first.
fn common_values(runs: &[Run], s: &Stats, wide: usize, rows: usize, size: SampleSize) -> Vec<usize> {
    let mut tracked: Vec<usize> = (0..runs.len()).filter(|&r| runs[r].count > 1).collect();
    tracked.sort_by(|&x, &y| runs[y].count.cmp(&runs[x].count).then(x.cmp(&y)));
    tracked.truncate(size.target);
    if tracked.len() == runs.len() && wide == 0 && s.distinct > 0.0 {
        return tracked;
    }
    let counts: Vec<usize> = tracked.iter().map(|&r| runs[r].count).collect();
    tracked.truncate(standing_out(&counts, s, rows, size.total_rows));
    tracked
}

/// How many of the most common values are clearly more common than the average of the rest.
fn standing_out(counts: &[usize], s: &Stats, rows: usize, total: f64) -> usize {
    let mut keep = counts.len();
    // The whole table was read: the counts are no estimates.
    if rows as f64 == total || total <= 1.0 || keep == 0 {
        return keep;
    }
    let ndistinct = if s.distinct < 0.0 { f64::from(-s.distinct) * total } else { f64::from(s.distinct) };
    let mut sum: f64 = counts[..keep - 1].iter().map(|c| *c as f64).sum();
    while keep > 0 {
        let last = counts[keep - 1] as f64;
        let (nn, n) = (total, rows as f64);
        let mut selectivity = (1.0 - sum / n - f64::from(s.null_frac)).clamp(0.0, 1.0);
        let others = ndistinct - (keep as f64 - 1.0);
        if others > 1.0 {
            selectivity /= others;
        }
        // The sample follows a hypergeometric distribution: two standard deviations and the correction for continuity.
        let k = nn * last / n;
        let variance = n * k * (nn - k) * (nn - n) / (nn * nn * (nn - 1.0));
        if last > selectivity * n + 2.0 * variance.sqrt() + 0.5 {
            break;
        }
        keep -= 1;
        if keep > 0 {
            sum -= counts[keep - 1] as f64;
        }
    }
    keep
}

/// Bounds of equally full buckets over the values that are not most common.
fn histogram(runs: &[Run], values: &[(Datum, u32)], mcv: &[usize], target: usize) -> Vec<Datum> {
    let mut common = vec![false; runs.len()];
    mcv.iter().for_each(|r| common[*r] = true);
    let others = || runs.iter().zip(&common).filter(|(_, c)| !**c).map(|(r, _)| r);
    let bounds = (runs.len() - mcv.len()).min(target + 1);
    if bounds < 2 {
        return Vec::new();
    }
    let rest: Vec<usize> = others().flat_map(|r| r.first..r.first + r.count).collect();
    (0..bounds).map(|i| values[rest[i * (rest.len() - 1) / (bounds - 1)]].0.clone()).collect()
}

/// How far the physical order follows the value order: -1 … 1.
fn correlation(values: &[(Datum, u32)]) -> Option<f32> {
    let n = values.len() as f64;
    if values.len() < 2 {
        return None;
    }
    // Positions among the values, in physical order.
    let mut by_row: Vec<usize> = (0..values.len()).collect();
    by_row.sort_by_key(|&i| values[i].1);
    let sum_xy: f64 = by_row.iter().enumerate().map(|(position, &rank)| rank as f64 * position as f64).sum();
    let sum_x = (n - 1.0) * n / 2.0;
    let sum_x2 = (n - 1.0) * n * (2.0 * n - 1.0) / 6.0;
    Some(((n * sum_xy - sum_x * sum_x) / (n * sum_x2 - sum_x * sum_x)) as f32)
}
