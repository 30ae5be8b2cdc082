//! Operators and functions. Those that need no particular form take ranges and multiranges alike.

use super::value::*;
use crate::array::ArrayRef;
use crate::column::{Arg, Column, Rows};
use crate::json::Table;
use crate::kernel::run_rows;
use crate::numeric::{Num, num_sub};
use crate::{CallCtx, Datum, DatumRef, RowSource};
use common::{Result, bail, err};
use std::cmp::Ordering;

/// Comparison of lists of ranges, the shorter first where one begins the other.
fn compare(a: &[u8], b: &[u8]) -> Result<Ordering> {
    if a == b {
        return Ok(Ordering::Equal);
    }
    let sub = Subtype::of_value(a)?;
    let (x, y) = (spans(a)?, spans(b)?);
    for (p, q) in x.iter().zip(&y) {
        let o = sub.cmp_spans(p, q);
        if o.is_ne() {
            return Ok(o);
        }
    }
    Ok(x.len().cmp(&y.len()))
}
pub fn range_cmp(_: crate::Collation, a: DatumRef<'_>, b: DatumRef<'_>) -> Ordering {
    compare(a.bytes(), b.bytes()).unwrap_or(Ordering::Equal)
}
pub fn range_hash(_: crate::Collation, v: DatumRef<'_>) -> u64 {
    let b = v.bytes();
    match (Subtype::of_value(b), spans(b)) {
        (Ok(s), Ok(list)) => s.hash(&list),
        _ => 0,
    }
}
macro_rules! compares {
    ($($name:ident $test:ident;)*) => {$(
        pub fn $name(a: &[u8], b: &[u8]) -> Result<bool> {
            Ok(compare(a, b)?.$test())
        }
    )*};
}
compares! { eq is_eq; ne is_ne; lt is_lt; le is_le; gt is_gt; ge is_ge; }

struct Two {
    sub: Subtype,
    a: Vec<Span>,
    b: Vec<Span>,
}
fn two(a: &[u8], b: &[u8]) -> Result<Two> {
    Ok(Two { sub: Subtype::of_value(a)?, a: spans(a)?, b: spans(b)? })
}
/// Runs `f` over (first of a, last of a, first of b, last of b); false where one is empty.
fn ends(a: &[u8], b: &[u8], f: impl Fn(&Subtype, [&Span; 4]) -> Result<bool>) -> Result<bool> {
    let t = two(a, b)?;
    match (t.a.first(), t.a.last(), t.b.first(), t.b.last()) {
        (Some(w), Some(x), Some(y), Some(z)) => f(&t.sub, [w, x, y, z]),
        _ => Ok(false),
    }
}
pub fn overlaps(a: &[u8], b: &[u8]) -> Result<bool> {
    let t = two(a, b)?;
    Ok(t.a.iter().any(|x| t.b.iter().any(|y| t.sub.overlap(x, y))))
}
pub fn contains(a: &[u8], b: &[u8]) -> Result<bool> {
    let t = two(a, b)?;
    Ok(t.b.iter().all(|y| t.a.iter().any(|x| t.sub.contains(x, y))))
}
pub fn contained(a: &[u8], b: &[u8]) -> Result<bool> {
    contains(b, a)
}
fn contains_value(a: &[u8], v: DatumRef<'_>) -> Result<bool> {
    let sub = Subtype::of_value(a)?;
    let v = v.to_owned();
    Ok(spans(a)?.iter().any(|s| sub.contains_value(s, &v)))
}
pub fn contains_elem(a: &[u8], v: DatumRef<'_>) -> Result<Option<bool>> {
    if v.is_null() { Ok(None) } else { contains_value(a, v).map(Some) }
}
pub fn elem_contained(v: DatumRef<'_>, a: &[u8]) -> Result<Option<bool>> {
    contains_elem(a, v)
}
pub fn before(a: &[u8], b: &[u8]) -> Result<bool> {
    ends(a, b, |s, [_, x, y, _]| Ok(s.cmp_bounds(&x.upper, &y.lower).is_lt()))
}
pub fn after(a: &[u8], b: &[u8]) -> Result<bool> {
    before(b, a)
}
pub fn overleft(a: &[u8], b: &[u8]) -> Result<bool> {
    ends(a, b, |s, [_, x, _, z]| Ok(s.cmp_bounds(&x.upper, &z.upper).is_le()))
}
pub fn overright(a: &[u8], b: &[u8]) -> Result<bool> {
    ends(a, b, |s, [w, _, y, _]| Ok(s.cmp_bounds(&w.lower, &y.lower).is_ge()))
}
pub fn adjacent(a: &[u8], b: &[u8]) -> Result<bool> {
    ends(a, b, |s, [w, x, y, z]| Ok(s.touch(&x.upper, &y.lower)? || s.touch(&z.upper, &w.lower)?))
}

pub fn lower(a: &[u8]) -> Result<Datum> {
    Ok(spans(a)?.first().and_then(|s| s.lower.value.clone()).unwrap_or(Datum::Null))
}
pub fn upper(a: &[u8]) -> Result<Datum> {
    Ok(spans(a)?.last().and_then(|s| s.upper.value.clone()).unwrap_or(Datum::Null))
}
pub fn is_empty(a: &[u8]) -> Result<bool> {
    Ok(spans(a)?.is_empty())
}
pub fn lower_inc(a: &[u8]) -> Result<bool> {
    Ok(spans(a)?.first().is_some_and(|s| s.lower.inclusive))
}
pub fn upper_inc(a: &[u8]) -> Result<bool> {
    Ok(spans(a)?.last().is_some_and(|s| s.upper.inclusive))
}
pub fn lower_inf(a: &[u8]) -> Result<bool> {
    Ok(spans(a)?.first().is_some_and(|s| s.lower.value.is_none()))
}
pub fn upper_inf(a: &[u8]) -> Result<bool> {
    Ok(spans(a)?.last().is_some_and(|s| s.upper.value.is_none()))
}

fn joined(a: &[u8], b: &[u8], strict: bool, out: &mut Vec<u8>) -> Result<()> {
    let t = two(a, b)?;
    let s = match (t.a.first(), t.b.first()) {
        (Some(x), Some(y)) => {
            let gap = !t.sub.overlap(x, y)
                && !t.sub.touch(&x.upper, &y.lower)?
                && !t.sub.touch(&y.upper, &x.lower)?;
            if strict && gap {
                bail!(DATA_EXCEPTION, "result of range union would not be contiguous");
            }
            Some(t.sub.hull(x, y))
        }
        (x, y) => x.or(y).cloned(),
    };
    out.extend_from_slice(&t.sub.range(s.as_ref()));
    Ok(())
}
pub fn range_union(a: &[u8], b: &[u8], out: &mut Vec<u8>) -> Result<()> {
    joined(a, b, true, out)
}
pub fn range_merge(a: &[u8], b: &[u8], out: &mut Vec<u8>) -> Result<()> {
    joined(a, b, false, out)
}
pub fn range_intersect(a: &[u8], b: &[u8], out: &mut Vec<u8>) -> Result<()> {
    let t = two(a, b)?;
    let s = match (t.a.first(), t.b.first()) {
        (Some(x), Some(y)) => t.sub.intersect(x, y)?,
        _ => None,
    };
    out.extend_from_slice(&t.sub.range(s.as_ref()));
    Ok(())
}
pub fn range_minus(a: &[u8], b: &[u8], out: &mut Vec<u8>) -> Result<()> {
    let t = two(a, b)?;
    let s = match (t.a.first(), t.b.first()) {
        (Some(x), Some(y)) => t.sub.minus(x, y)?,
        (x, _) => x.cloned().into_iter().collect(),
    };
    if s.len() > 1 {
        bail!(DATA_EXCEPTION, "result of range difference would not be contiguous");
    }
    out.extend_from_slice(&t.sub.range(s.first()));
    Ok(())
}
pub fn multirange_union(a: &[u8], b: &[u8], out: &mut Vec<u8>) -> Result<()> {
    let mut t = two(a, b)?;
    t.a.append(&mut t.b);
    out.extend_from_slice(&t.sub.multirange(&t.sub.normalized(t.a)?));
    Ok(())
}
pub fn multirange_minus(a: &[u8], b: &[u8], out: &mut Vec<u8>) -> Result<()> {
    let t = two(a, b)?;
    let mut left = t.a;
    for y in &t.b {
        let mut next = Vec::with_capacity(left.len() + 1);
        for x in &left {
            next.extend(t.sub.minus(x, y)?);
        }
        left = next;
    }
    out.extend_from_slice(&t.sub.multirange(&left));
    Ok(())
}
/// The ranges both lists have in common.
pub fn common_spans(sub: &Subtype, a: &[Span], b: &[Span]) -> Result<Vec<Span>> {
    let mut out = Vec::new();
    let mut from = 0;
    for x in a {
        // Both lists are sorted: what ends before this range begins is of no use to later ones either.
        while b.get(from).is_some_and(|y| sub.cmp_bounds(&y.upper, &x.lower).is_lt()) {
            from += 1;
        }
        for y in &b[from..] {
            if sub.cmp_bounds(&y.lower, &x.upper).is_gt() {
                break;
            }
            out.extend(sub.intersect(x, y)?);
        }
    }
    Ok(out)
}
pub fn multirange_intersect(a: &[u8], b: &[u8], out: &mut Vec<u8>) -> Result<()> {
    let t = two(a, b)?;
    out.extend_from_slice(&t.sub.multirange(&common_spans(&t.sub, &t.a, &t.b)?));
    Ok(())
}
pub fn merge_all(a: &[u8], out: &mut Vec<u8>) -> Result<()> {
    let sub = Subtype::of_value(a)?;
    let list = spans(a)?;
    let s = match (list.first(), list.last()) {
        (Some(x), Some(y)) => Some(sub.hull(x, y)),
        _ => None,
    };
    out.extend_from_slice(&sub.range(s.as_ref()));
    Ok(())
}

/// `int4range(a, b[, flags])` and its like; NULL bounds are infinite.
pub fn constructor(ctx: &CallCtx<'_>, args: &[Arg<'_>], rows: Rows<'_>, out: &mut Column) -> Result<()> {
    let sub = Subtype::of(ctx, ctx.result_type)?;
    run_rows(args, rows, out, |v| {
        let (lo, hi) = match v.get(2).map(|f| (f.is_null(), *f)) {
            None => (true, false),
            Some((true, _)) => {
                bail!(DATA_EXCEPTION, "range constructor flags argument must not be null")
            }
            Some((_, f)) => match f.str() {
                "[]" => (true, true),
                "[)" => (true, false),
                "(]" => (false, true),
                "()" => (false, false),
                _ => {
                    return Err(err!(SYNTAX_ERROR, "invalid range bound flags")
                        .hint("Valid values are \"[]\", \"[)\", \"(]\", and \"()\"."));
                }
            },
        };
        let value = |d: DatumRef<'_>| (!d.is_null()).then(|| d.to_owned());
        let s = sub.span(Bound::lower(value(v[0]), lo), Bound::upper(value(v[1]), hi))?;
        Ok(Datum::bytes(&sub.range(s.as_ref())))
    })
}
pub fn multirange_empty(ctx: &CallCtx<'_>, out: &mut Vec<u8>) -> Result<()> {
    out.extend_from_slice(&Subtype::of(ctx, ctx.result_type)?.multirange(&[]));
    Ok(())
}
pub fn multirange_one(r: &[u8], out: &mut Vec<u8>) -> Result<()> {
    out.extend_from_slice(&Subtype::of_value(r)?.multirange(&spans(r)?));
    Ok(())
}
pub fn multirange_many(ctx: &CallCtx<'_>, a: &[u8], out: &mut Vec<u8>) -> Result<()> {
    let sub = Subtype::of(ctx, ctx.result_type)?;
    let a = ArrayRef::new(a)?;
    if a.ndim() > 1 {
        bail!(CARDINALITY_VIOLATION, "multiranges cannot be constructed from multidimensional arrays");
    }
    let mut list = Vec::with_capacity(a.len());
    for d in a.iter() {
        let d = d?;
        if d.is_null() {
            bail!(NULL_VALUE_NOT_ALLOWED, "multirange values cannot contain null members");
        }
        list.extend(spans(d.bytes())?);
    }
    out.extend_from_slice(&sub.multirange(&sub.normalized(list)?));
    Ok(())
}
pub fn unnest(_: &CallCtx<'_>, args: &[Datum]) -> Result<Box<dyn RowSource>> {
    let Some(Datum::Bytes(b)) = args.first() else { return Ok(Table::boxed(Vec::new())) };
    let sub = Subtype::of_value(b)?;
    let rows = spans(b)?.iter().map(|s| vec![Datum::bytes(&sub.range(Some(s)))]).collect();
    Ok(Table::boxed(rows))
}
pub fn canonical(r: &[u8]) -> &[u8] {
    r
}
pub fn int_subdiff(a: i64, b: i64) -> f64 {
    a as f64 - b as f64
}
pub fn int4_subdiff(a: i32, b: i32) -> f64 {
    f64::from(a) - f64::from(b)
}
pub fn ts_subdiff(a: i64, b: i64) -> f64 {
    (a as f64 - b as f64) / 1_000_000.0
}
pub fn num_subdiff(a: &[u8], b: &[u8]) -> Result<f64> {
    crate::numeric::to_float(&num_sub(&Num::unpack(a)?, &Num::unpack(b)?))
}
