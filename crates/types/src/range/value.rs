//! Ranges and multiranges as bytes, and the arithmetic of their bounds. A range is its type's OID, its subtype's OID, a
//! byte of flags as on the wire, and the finite bounds, aligned from the flags' end. A multirange is its OID, the range
//! type's OID, the byte [`MULTI`], the number of ranges, and each range behind its length. Both say what they are, so
//! most operators treat a range as a list of one (an empty range: of none) and are written once.
//! Types of one's own have no table here: the multirange's OID is the range's plus one, and a stored multirange has the
//! subtype in the place of the range type, so that a value always tells its whole family.

use crate::array::Elem;
use crate::ops::{type_cmp, type_hash};
use crate::registry::row_shape;
use crate::tuple::align_up;
use crate::{CallCtx, Collation, Datum, DatumRef, UserClass, hash, oids};
use common::{Error, Oid, Result, bail, err};
use std::cmp::Ordering;

pub const EMPTY: u8 = 1;
pub const LB_INC: u8 = 2;
pub const UB_INC: u8 = 4;
pub const LB_INF: u8 = 8;
pub const UB_INF: u8 = 16;
/// Marks a multirange.
pub const MULTI: u8 = 0x80;
/// Bytes before the bounds.
const HEAD: usize = 9;

/// What belongs together: subtype, range type, multirange type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RangeType {
    pub subtype: Oid,
    pub range: Oid,
    pub multirange: Oid,
}

const fn rt(subtype: Oid, range: Oid, multirange: Oid) -> RangeType {
    RangeType { subtype, range, multirange }
}

/// The built-in range types.
pub static RANGE_TYPES: [RangeType; 6] = [
    rt(oids::INT4, oids::INT4RANGE, oids::INT4MULTIRANGE),
    rt(oids::NUMERIC, oids::NUMRANGE, oids::NUMMULTIRANGE),
    rt(oids::TIMESTAMP, oids::TSRANGE, oids::TSMULTIRANGE),
    rt(oids::TIMESTAMPTZ, oids::TSTZRANGE, oids::TSTZMULTIRANGE),
    rt(oids::DATE, oids::DATERANGE, oids::DATEMULTIRANGE),
    rt(oids::INT8, oids::INT8RANGE, oids::INT8MULTIRANGE),
];

/// Is it a range or multirange type that is not built in?
pub fn is_own(t: Oid) -> bool {
    UserClass::Range.is(t) || UserClass::Multirange.is(t)
}

/// The family of a type of one's own.
fn own_family(t: Oid, subtype: Oid) -> RangeType {
    let range = if UserClass::Range.is(t) { t } else { Oid(t.0 - 1) };
    RangeType { subtype, range, multirange: Oid(range.0 + 1) }
}

/// The family of a range or multirange type: for one's own the catalog is asked.
pub fn family(ctx: &CallCtx<'_>, t: Oid) -> Result<RangeType> {
    if let Some(f) = find_family(t) {
        return Ok(f);
    }
    let shape = if is_own(t) { row_shape(ctx, t)? } else { Vec::new() };
    match shape.first() {
        Some(c) => Ok(own_family(t, c.type_oid)),
        None => Err(Error::internal(format!("type {t} is not a range type"))),
    }
}
/// The family a stored value is of.
pub fn family_of_value(b: &[u8]) -> Result<RangeType> {
    let t = type_of(b)?;
    match find_family(t) {
        Some(f) => Ok(f),
        None if is_own(t) => Ok(own_family(t, Oid(word(b, 4)?))),
        None => Err(corrupt()),
    }
}
/// The family of a built-in range or multirange type.
pub fn find_family(t: Oid) -> Option<RangeType> {
    RANGE_TYPES.iter().find(|r| r.range == t || r.multirange == t).copied()
}

/// One end of a range.
#[derive(Clone, Debug, PartialEq)]
pub struct Bound {
    /// `None` is infinite.
    pub value: Option<Datum>,
    pub inclusive: bool,
    pub lower: bool,
}

impl Bound {
    /// A lower bound; `None` has no end.
    pub fn lower(value: Option<Datum>, inclusive: bool) -> Bound {
        Bound { inclusive: inclusive && value.is_some(), value, lower: true }
    }
    /// An upper bound.
    pub fn upper(value: Option<Datum>, inclusive: bool) -> Bound {
        Bound { inclusive: inclusive && value.is_some(), value, lower: false }
    }
    /// The bound of the other side that touches this one.
    fn turned(&self) -> Bound {
        Bound { value: self.value.clone(), inclusive: !self.inclusive, lower: !self.lower }
    }
}

/// A range that is not empty.
#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    pub lower: Bound,
    pub upper: Bound,
}

/// Compares values of a subtype.
pub struct Subtype {
    cmp: crate::CmpFn,
    pub family: RangeType,
}

fn corrupt() -> Error {
    Error::corrupted("invalid range value")
}

impl Subtype {
    /// Of a range or multirange type.
    pub fn of(ctx: &CallCtx<'_>, t: Oid) -> Result<Subtype> {
        Subtype::of_family(family(ctx, t)?)
    }
    /// Of a family.
    pub fn of_family(family: RangeType) -> Result<Subtype> {
        let cmp = type_cmp(family.subtype).ok_or_else(corrupt)?;
        Ok(Subtype { cmp, family })
    }
    /// Of a stored value.
    pub fn of_value(b: &[u8]) -> Result<Subtype> {
        Subtype::of_family(family_of_value(b)?)
    }
    /// Compares two values.
    pub fn cmp_values(&self, a: &Datum, b: &Datum) -> Ordering {
        (self.cmp)(Collation::C, a.as_ref(), b.as_ref())
    }
    /// Compares positions of bounds, not looking at whether they are inclusive.
    pub fn cmp_positions(&self, a: &Bound, b: &Bound) -> Ordering {
        match (&a.value, &b.value) {
            (Some(x), Some(y)) => self.cmp_values(x, y),
            (None, None) => b.lower.cmp(&a.lower),
            (None, _) => {
                if a.lower {
                    Ordering::Less
                } else {
                    Ordering::Greater
                }
            }
            (_, None) => {
                if b.lower {
                    Ordering::Greater
                } else {
                    Ordering::Less
                }
            }
        }
    }
    /// Compares bounds.
    pub fn cmp_bounds(&self, a: &Bound, b: &Bound) -> Ordering {
        let o = self.cmp_positions(a, b);
        if o.is_ne() || a.value.is_none() {
            return o;
        }
        let side = |x: &Bound, first: Ordering| if x.lower { first } else { first.reverse() };
        match (a.inclusive, b.inclusive) {
            (true, true) => Ordering::Equal,
            (false, false) if a.lower == b.lower => Ordering::Equal,
            (false, _) => side(a, Ordering::Greater),
            (true, false) => side(b, Ordering::Less),
        }
    }
    /// Compares ranges: lower bounds, then upper ones.
    pub fn cmp_spans(&self, a: &Span, b: &Span) -> Ordering {
        self.cmp_bounds(&a.lower, &b.lower).then_with(|| self.cmp_bounds(&a.upper, &b.upper))
    }
    /// Makes a range of bounds in canonical form; `None` is empty. 22000, 22003, 22008.
    pub fn span(&self, mut lower: Bound, mut upper: Bound) -> Result<Option<Span>> {
        match self.cmp_positions(&lower, &upper) {
            Ordering::Greater => {
                bail!(DATA_EXCEPTION, "range lower bound must be less than or equal to range upper bound")
            }
            Ordering::Equal if !(lower.inclusive && upper.inclusive) => return Ok(None),
            _ => {}
        }
        if let Some(step) = self.step() {
            if let Some(v) = lower.value.as_mut().filter(|_| !lower.inclusive)
                && let Some(next) = step(v)?
            {
                *v = next;
                lower.inclusive = true;
            }
            if let Some(v) = upper.value.as_mut().filter(|_| upper.inclusive)
                && let Some(next) = step(v)?
            {
                *v = next;
                upper.inclusive = false;
            }
            if self.cmp_positions(&lower, &upper).is_eq() && !(lower.inclusive && upper.inclusive) {
                return Ok(None);
            }
        }
        Ok(Some(Span { lower, upper }))
    }
    /// The successor function of a discrete subtype; it gives `None` for values without one.
    fn step(&self) -> Option<fn(&Datum) -> Result<Option<Datum>>> {
        match self.family.range {
            oids::INT4RANGE => Some(|d| {
                let v = d.as_ref().i32().checked_add(1);
                v.map(|v| Some(Datum::I32(v)))
                    .ok_or_else(|| err!(NUMERIC_VALUE_OUT_OF_RANGE, "integer out of range"))
            }),
            oids::INT8RANGE => Some(|d| {
                let v = d.as_ref().i64().checked_add(1);
                v.map(|v| Some(Datum::I64(v)))
                    .ok_or_else(|| err!(NUMERIC_VALUE_OUT_OF_RANGE, "bigint out of range"))
            }),
            oids::DATERANGE => Some(|d| {
                let v = d.as_ref().i32();
                if crate::datetime::cal::date_infinite(v) {
                    return Ok(None);
                }
                if v + 1 >= crate::datetime::cal::END_DAY as i32 {
                    return Err(err!(DATETIME_VALUE_OUT_OF_RANGE, "date out of range"));
                }
                Ok(Some(Datum::I32(v + 1)))
            }),
            _ => None,
        }
    }
    /// Do the ends touch without a gap and without overlapping? `upper` is an upper, `lower` a lower bound.
    pub fn touch(&self, upper: &Bound, lower: &Bound) -> Result<bool> {
        if upper.value.is_none() || lower.value.is_none() {
            return Ok(false);
        }
        Ok(match self.cmp_positions(upper, lower) {
            Ordering::Less => self.step().is_some() && self.span(upper.turned(), lower.turned())?.is_none(),
            Ordering::Equal => upper.inclusive != lower.inclusive,
            Ordering::Greater => false,
        })
    }
    /// Do two ranges have a point in common?
    pub fn overlap(&self, a: &Span, b: &Span) -> bool {
        self.cmp_bounds(&a.lower, &b.upper).is_le() && self.cmp_bounds(&b.lower, &a.upper).is_le()
    }
    /// Does `a` contain all of `b`?
    pub fn contains(&self, a: &Span, b: &Span) -> bool {
        self.cmp_bounds(&a.lower, &b.lower).is_le() && self.cmp_bounds(&a.upper, &b.upper).is_ge()
    }
    /// Is the value within?
    pub fn contains_value(&self, a: &Span, v: &Datum) -> bool {
        let low = a.lower.value.as_ref().is_none_or(|l| match self.cmp_values(l, v) {
            Ordering::Less => true,
            Ordering::Equal => a.lower.inclusive,
            Ordering::Greater => false,
        });
        low && a.upper.value.as_ref().is_none_or(|u| match self.cmp_values(u, v) {
            Ordering::Greater => true,
            Ordering::Equal => a.upper.inclusive,
            Ordering::Less => false,
        })
    }
    fn min<'b>(&self, a: &'b Bound, b: &'b Bound) -> &'b Bound {
        if self.cmp_bounds(a, b).is_le() { a } else { b }
    }
    fn max<'b>(&self, a: &'b Bound, b: &'b Bound) -> &'b Bound {
        if self.cmp_bounds(a, b).is_ge() { a } else { b }
    }
    /// What two ranges have in common.
    pub fn intersect(&self, a: &Span, b: &Span) -> Result<Option<Span>> {
        if !self.overlap(a, b) {
            return Ok(None);
        }
        self.span(self.max(&a.lower, &b.lower).clone(), self.min(&a.upper, &b.upper).clone())
    }
    /// The smallest range around both.
    pub fn hull(&self, a: &Span, b: &Span) -> Span {
        Span { lower: self.min(&a.lower, &b.lower).clone(), upper: self.max(&a.upper, &b.upper).clone() }
    }
    /// What is left of `a` without `b`: none, one or two ranges.
    pub fn minus(&self, a: &Span, b: &Span) -> Result<Vec<Span>> {
        if !self.overlap(a, b) {
            return Ok(vec![a.clone()]);
        }
        let mut out = Vec::new();
        if self.cmp_bounds(&a.lower, &b.lower).is_lt() {
            out.extend(self.span(a.lower.clone(), b.lower.turned())?);
        }
        if self.cmp_bounds(&a.upper, &b.upper).is_gt() {
            out.extend(self.span(b.upper.turned(), a.upper.clone())?);
        }
        Ok(out)
    }
    /// Sorts ranges and joins those that overlap or touch.
    pub fn normalized(&self, mut list: Vec<Span>) -> Result<Vec<Span>> {
        list.sort_by(|a, b| self.cmp_spans(a, b));
        let mut out: Vec<Span> = Vec::with_capacity(list.len());
        for s in list {
            if let Some(last) = out.last_mut()
                && (self.overlap(last, &s) || self.touch(&last.upper, &s.lower)?)
            {
                *last = self.hull(last, &s);
                continue;
            }
            out.push(s);
        }
        Ok(out)
    }
    /// A stored range; `None` is empty.
    pub fn range(&self, s: Option<&Span>) -> Vec<u8> {
        let mut out = Vec::with_capacity(32);
        out.extend_from_slice(&self.family.range.0.to_le_bytes());
        out.extend_from_slice(&self.family.subtype.0.to_le_bytes());
        let Some(s) = s else {
            out.push(EMPTY);
            return out;
        };
        out.push(flags(s));
        let layout = Elem::of(self.family.subtype).layout;
        for v in [&s.lower.value, &s.upper.value].into_iter().flatten() {
            layout.append(v.as_ref(), HEAD, false, &mut out);
        }
        out
    }
    /// A stored multirange of normalized ranges.
    pub fn multirange(&self, list: &[Span]) -> Vec<u8> {
        let mut out = Vec::with_capacity(16 + 32 * list.len());
        out.extend_from_slice(&self.family.multirange.0.to_le_bytes());
        let own = is_own(self.family.multirange);
        let second = if own { self.family.subtype } else { self.family.range };
        out.extend_from_slice(&second.0.to_le_bytes());
        out.push(MULTI);
        out.extend_from_slice(&(list.len() as u32).to_le_bytes());
        for s in list {
            let r = self.range(Some(s));
            out.extend_from_slice(&(r.len() as u32).to_le_bytes());
            out.extend_from_slice(&r);
        }
        out
    }
    /// Hash of a list of ranges.
    pub fn hash(&self, list: &[Span]) -> u64 {
        let Some(f) = type_hash(self.family.subtype) else { return 0 };
        let mut h = hash::hash_u64(list.len() as u64);
        for s in list {
            h = hash::combine(h, u64::from(flags(s)));
            for v in [&s.lower.value, &s.upper.value].into_iter().flatten() {
                h = hash::combine(h, f(Collation::C, v.as_ref()));
            }
        }
        h
    }
}

/// Flags of a range that is not empty.
pub fn flags(s: &Span) -> u8 {
    let mut f = 0;
    for (b, inc, inf) in [(&s.lower, LB_INC, LB_INF), (&s.upper, UB_INC, UB_INF)] {
        if b.value.is_none() {
            f |= inf;
        } else if b.inclusive {
            f |= inc;
        }
    }
    f
}

fn word(b: &[u8], at: usize) -> Result<u32> {
    Ok(u32::from_le_bytes(*b.get(at..).and_then(|b| b.first_chunk::<4>()).ok_or_else(corrupt)?))
}

/// Type of a stored range or multirange.
pub fn type_of(b: &[u8]) -> Result<Oid> {
    word(b, 0).map(Oid)
}

/// The ranges of a stored range or multirange. XX001.
pub fn spans(b: &[u8]) -> Result<Vec<Span>> {
    let flags = *b.get(8).ok_or_else(corrupt)?;
    if flags & MULTI == 0 {
        return Ok(one(b, flags)?.into_iter().collect());
    }
    let n = word(b, HEAD)? as usize;
    let mut at = HEAD + 4;
    let mut out = Vec::new();
    for _ in 0..n {
        let len = word(b, at)? as usize;
        let r = b.get(at + 4..at + 4 + len).ok_or_else(corrupt)?;
        let f = *r.get(8).ok_or_else(corrupt)?;
        if f & MULTI != 0 {
            return Err(corrupt());
        }
        out.extend(one(r, f)?);
        at += 4 + len;
    }
    Ok(out)
}

fn one(b: &[u8], flags: u8) -> Result<Option<Span>> {
    if flags & EMPTY != 0 {
        return Ok(None);
    }
    let layout = Elem::of(Oid(word(b, 4)?)).layout;
    let data = &b[HEAD..];
    let mut off = 0;
    let mut next = |infinite: bool| -> Result<Option<Datum>> {
        if infinite {
            return Ok(None);
        }
        let (d, end) = layout.read(data, align_up(off, layout.align))?;
        off = end;
        Ok(Some(DatumRef::to_owned(d)))
    };
    let lower = Bound::lower(next(flags & LB_INF != 0)?, flags & LB_INC != 0);
    let upper = Bound::upper(next(flags & UB_INF != 0)?, flags & UB_INC != 0);
    Ok(Some(Span { lower, upper }))
}
