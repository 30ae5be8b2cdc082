//! Ordered-set and hypothetical-set aggregates: the rows of a group come in order, the result is read off them.

use super::*;
use crate::expr::colops;
use crate::node::sort::Order;
use common::{Oid, SqlState};
use std::cmp::Ordering;
use types::array::{ArrayBuilder, ArrayRef};
use types::datetime::{Interval, interval_add, interval_mul, interval_sub};
use types::{Datum, DatumRef};

/// Which of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetKind {
    Disc,
    DiscArray,
    Cont,
    ContArray,
    Mode,
    Rank,
    PercentRank,
    CumeDist,
    DenseRank,
}

impl SetKind {
    /// By `pg_proc` OID.
    pub fn of(oid: Oid) -> Option<SetKind> {
        Some(match oid.0 {
            3972 => SetKind::Disc,
            3974 | 3976 => SetKind::Cont,
            3978 => SetKind::DiscArray,
            3980 | 3982 => SetKind::ContArray,
            3984 => SetKind::Mode,
            3986 => SetKind::Rank,
            3988 => SetKind::PercentRank,
            3990 => SetKind::CumeDist,
            3992 => SetKind::DenseRank,
            _ => return None,
        })
    }
    /// Result over no rows at all.
    pub fn of_nothing(self) -> Datum {
        match self {
            SetKind::Rank | SetKind::DenseRank => Datum::I64(1),
            SetKind::PercentRank => Datum::F64(0.0),
            SetKind::CumeDist => Datum::F64(1.0),
            _ => Datum::Null,
        }
    }
}

fn checked(p: f64) -> Result<f64> {
    if !(0.0..=1.0).contains(&p) {
        return Err(Error::new(
            SqlState::NUMERIC_VALUE_OUT_OF_RANGE,
            format!("percentile value {} is not between 0 and 1", short(p)),
        ));
    }
    Ok(p)
}

/// A number as C's `%g` prints it.
fn short(x: f64) -> String {
    if x.is_nan() {
        return "NaN".into();
    }
    if x.is_infinite() {
        return if x > 0.0 { "Infinity".into() } else { "-Infinity".into() };
    }
    let exp: i32 = match format!("{x:.5e}").split_once('e') {
        Some((_, e)) => e.parse().unwrap_or(0),
        None => 0,
    };
    let trim = |s: String| {
        if s.contains('.') { s.trim_end_matches('0').trim_end_matches('.').to_string() } else { s }
    };
    if !(-4..6).contains(&exp) {
        let s = format!("{x:.5e}");
        let (m, _) = s.split_once('e').unwrap_or((&s, "0"));
        let sign = if exp < 0 { '-' } else { '+' };
        return format!("{}e{sign}{:02}", trim(m.to_string()), exp.abs());
    }
    trim(format!("{x:.*}", (5 - exp).max(0) as usize))
}

/// The result for a group: `rows` are its rows in order — group number, the `nargs` columns sorted by, the direct arguments.
pub fn result(kind: SetKind, rows: &Batch, nargs: usize, order: &Order, result_type: Oid) -> Result<Datum> {
    let direct = &rows.cols[1 + nargs..];
    let value = |i: usize| rows.cols[1].get(i);
    match kind {
        SetKind::Mode => Ok(mode(rows, order)),
        SetKind::Disc => match direct[0].get(0) {
            DatumRef::F64(p) => {
                let p = checked(p)?;
                Ok(nulls_away(rows, |n| disc(p, n)).map_or(Datum::Null, |i| value(i).to_owned()))
            }
            _ => Ok(Datum::Null),
        },
        SetKind::Cont => match direct[0].get(0) {
            DatumRef::F64(p) => cont(checked(p)?, rows),
            _ => Ok(Datum::Null),
        },
        SetKind::DiscArray | SetKind::ContArray => {
            let DatumRef::Bytes(b) = direct[0].get(0) else { return Ok(Datum::Null) };
            let a = ArrayRef::new(b)?;
            if count(rows) == 0 {
                return Ok(Datum::Null);
            }
            let elem = types::element_type(result_type)
                .ok_or_else(|| Error::internal("executor: percentiles are not an array"))?;
            if a.is_empty() {
                return Ok(Datum::Bytes(types::array::empty_array(elem).into()));
            }
            let mut out = ArrayBuilder::new(elem);
            for p in a.to_vec()? {
                let v = match p {
                    DatumRef::F64(p) => {
                        let p = checked(p)?;
                        if kind == SetKind::ContArray {
                            cont(p, rows)?
                        } else {
                            nulls_away(rows, |n| disc(p, n)).map_or(Datum::Null, |i| value(i).to_owned())
                        }
                    }
                    _ => Datum::Null,
                };
                out.push(v.as_ref());
            }
            Ok(Datum::Bytes(out.finish(&a.dims, &a.lower).into()))
        }
        _ => hypothetical(kind, rows, nargs, order),
    }
}

/// Rows that count: those whose column is not NULL. They stand together, before or after the others.
fn count(rows: &Batch) -> usize {
    (0..rows.rows).filter(|i| !rows.cols[1].nulls.get(*i)).count()
}

/// `f(number of rows that count)` is an index among them; the row it means.
fn nulls_away(rows: &Batch, f: impl FnOnce(usize) -> usize) -> Option<usize> {
    let n = count(rows);
    if n == 0 {
        return None;
    }
    let first = (0..rows.rows).find(|i| !rows.cols[1].nulls.get(*i))?;
    Some(first + f(n).min(n - 1))
}

fn disc(p: f64, n: usize) -> usize {
    ((p * n as f64).ceil() as usize).max(1) - 1
}

fn cont(p: f64, rows: &Batch) -> Result<Datum> {
    let n = count(rows);
    if n == 0 {
        return Ok(Datum::Null);
    }
    let at = p * (n - 1) as f64;
    let (lo, hi) = (at.floor(), at.ceil());
    let row = |k: f64| nulls_away(rows, |_| k as usize).map_or(DatumRef::Null, |i| rows.cols[1].get(i));
    let (a, b) = (row(lo), row(hi));
    if lo == hi {
        return Ok(a.to_owned());
    }
    let part = at - lo;
    Ok(match (a, b) {
        (DatumRef::F64(a), DatumRef::F64(b)) => Datum::F64(a + part * (b - a)),
        (DatumRef::Fixed16(a), DatumRef::Fixed16(b)) => {
            let (a, b) = (Interval::unpack(a), Interval::unpack(b));
            let d = Interval::unpack(interval_mul(interval_sub(b, a)?.pack(), part)?);
            Datum::Fixed16(interval_add(d, a)?.pack())
        }
        _ => Datum::Null,
    })
}

/// The commonest value, the first of several.
fn mode(rows: &Batch, order: &Order) -> Datum {
    let (mut best, mut best_run) = (None, 0);
    let mut start = 0;
    for i in 0..rows.rows {
        if rows.cols[1].nulls.get(i) {
            start = i + 1;
            continue;
        }
        if i > start && order.compare(rows, i, rows, i - 1) != Ordering::Equal {
            start = i;
        }
        if i + 1 - start > best_run {
            best_run = i + 1 - start;
            best = Some(start);
        }
    }
    best.map_or(Datum::Null, |i| rows.cols[1].get(i).to_owned())
}

fn hypothetical(kind: SetKind, rows: &Batch, nargs: usize, order: &Order) -> Result<Datum> {
    let mut row = colops::like(rows);
    for (k, c) in row.cols.iter_mut().enumerate() {
        let from = if (1..=nargs).contains(&k) { rows.cols.len() - nargs + (k - 1) } else { k };
        c.push(rows.cols[from].get(0));
    }
    row.rows = 1;
    let mut before = 0;
    let mut distinct = 0;
    for i in 0..rows.rows {
        let o = order.compare(rows, i, &row, 0);
        let counts = o == Ordering::Less || (o == Ordering::Equal && kind == SetKind::CumeDist);
        if !counts {
            break;
        }
        before += 1;
        if i == 0 || order.compare(rows, i, rows, i - 1) != Ordering::Equal {
            distinct += 1;
        }
    }
    let n = rows.rows as f64;
    Ok(match kind {
        SetKind::Rank => Datum::I64(before + 1),
        SetKind::DenseRank => Datum::I64(distinct + 1),
        SetKind::PercentRank => Datum::F64(before as f64 / n),
        _ => Datum::F64((before + 1) as f64 / (n + 1.0)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles() {
        assert_eq!([disc(0.0, 4), disc(0.25, 4), disc(0.26, 4), disc(1.0, 4)], [0, 0, 1, 3]);
        assert_eq!(short(1.5), "1.5");
        assert_eq!(short(-0.0001), "-0.0001");
        assert_eq!(short(1e10), "1e+10");
    }
}
