//! A column of numbers taken apart once: 64-bit integers over one power of ten. Money and quantities of a batch are loaded,
//! added and multiplied here without touching digits, and end in a sum or are written out once. Whatever does not fit
//! (NaN, long numbers, columns of mixed scale, products beyond 64 bits) clears [`DecColumn::ok`], and the caller evaluates
//! the rows the general way.

use super::small::{Small, to_num};
use crate::column::{Arg, Column, ColumnData, NullMask, Rows};
use common::Result;

/// Largest scale of a value here.
const SCALE_MAX: i32 = 18;

const TEN: [i64; 19] = {
    let mut t = [1i64; 19];
    let mut i = 1;
    while i < 19 {
        t[i] = t[i - 1] * 10;
        i += 1;
    }
    t
};

/// `10^n`, if that is a 64-bit integer.
#[inline]
pub fn ten(n: i32) -> Option<i64> {
    TEN.get(usize::try_from(n).ok()?).copied()
}

/// Values `v[i] / 10^scale`; rows that were not asked for hold anything within the bound.
#[derive(Clone, Debug, Default)]
pub struct DecColumn {
    pub v: Vec<i64>,
    pub nulls: NullMask,
    /// Decimal digits behind the point, of the integers; displayed too, unless `scales` says otherwise by row.
    pub scale: i32,
    /// Display scales by row, where they differ; else empty.
    pub scales: Vec<u8>,
    /// No value is farther from zero.
    bound: u64,
    /// One value for all rows, in row 0.
    pub one: bool,
    /// Do the fields say anything?
    pub ok: bool,
}

/// A sum, a difference or a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecOp {
    Add,
    Sub,
    Mul,
}

/// Reads a disk form whose header is `head`, as an integer over `10^-scale`.
#[inline(always)]
fn read(b: &[u8], head: u16, scale: i32) -> Option<i64> {
    let n = b.len() / 2 - 1;
    if n > 4 {
        return None;
    }
    let mut m = 0i64;
    for d in b[2..].chunks_exact(2) {
        m = m * 10_000 + i64::from(u16::from_le_bytes([d[0], d[1]]));
    }
    let weight = i32::from(head & 0x3f) - i32::from(head & 0x40);
    if m == 0 {
        return Some(0);
    }
    let m = match 4 * (weight + 1 - n as i32) + scale {
        0 => m,
        -1 => m / 10,
        -2 => m / 100,
        -3 => m / 1000,
        e => m.checked_mul(ten(e)?)?,
    };
    Some(if head & 0x2000 != 0 { -m } else { m })
}

impl DecColumn {
    fn start(&mut self, n: usize, one: bool) {
        self.nulls.clear();
        self.scales.clear();
        self.v.clear();
        self.v.resize(n, 0);
        (self.scale, self.bound, self.one, self.ok) = (0, 0, one, false);
    }
    /// Loads a column of numerics or integers.
    pub fn load(&mut self, a: Arg<'_>, rows: Rows<'_>) {
        let rows = if a.konst { Rows::All(1) } else { rows };
        self.start(rows.bound(), a.konst);
        self.ok = match &a.col.data {
            ColumnData::Bytes(_) => self.load_numbers(a.col, rows).is_some(),
            ColumnData::I16(v) => self.load_ints(a.col, rows, |i| v[i].into()),
            ColumnData::I32(v) => self.load_ints(a.col, rows, |i| v[i].into()),
            ColumnData::I64(v) => self.load_ints(a.col, rows, |i| v[i]),
            _ => false,
        };
    }
    fn load_ints(&mut self, c: &Column, rows: Rows<'_>, f: impl Fn(usize) -> i64) -> bool {
        let (v, bound) = (&mut self.v, &mut self.bound);
        let _ = rows.each(|i| {
            if !c.nulls.get(i) {
                v[i] = f(i);
                *bound = (*bound).max(v[i].unsigned_abs());
            }
            Ok::<(), ()>(())
        });
        self.nulls.union(&c.nulls);
        true
    }
    fn load_numbers(&mut self, c: &Column, rows: Rows<'_>) -> Option<()> {
        let ColumnData::Bytes(src) = &c.data else { return None };
        let (v, mut bound) = (&mut self.v, 0u64);
        // The header's marks and display scale, which all rows must share.
        let mut shape = None;
        let nulls = c.nulls.any();
        rows.each(|i| {
            if nulls && c.nulls.get(i) {
                return Ok(());
            }
            let b = src.get(i);
            if b.len() < 2 || b.len() & 1 == 1 {
                return Err(());
            }
            let head = u16::from_le_bytes([b[0], b[1]]);
            let this = head & 0xdf80;
            if *shape.get_or_insert(this) != this || this & 0xc000 != 0x8000 {
                return Err(());
            }
            let m = read(b, head, i32::from(this >> 7 & 0x3f)).ok_or(())?;
            v[i] = m;
            bound = bound.max(m.unsigned_abs());
            Ok(())
        })
        .ok()?;
        self.nulls.union(&c.nulls);
        self.bound = bound;
        self.scale = shape.map_or(0, |s| i32::from(s >> 7 & 0x3f));
        (self.scale <= SCALE_MAX).then_some(())
    }
    /// Makes this the result of an operation on two others, for the first `n` rows.
    pub fn calculate(&mut self, op: DecOp, a: &DecColumn, b: &DecColumn, n: usize) {
        let one = a.one && b.one;
        self.start(if one { 1 } else { n }, one);
        self.ok = self.try_calculate(op, a, b).is_some();
    }
    fn try_calculate(&mut self, op: DecOp, a: &DecColumn, b: &DecColumn) -> Option<()> {
        if !a.ok || !b.ok || !a.scales.is_empty() || !b.scales.is_empty() {
            return None;
        }
        let limit = i64::MAX as u64;
        if op == DecOp::Mul {
            self.scale = a.scale + b.scale;
            self.bound = a.bound.checked_mul(b.bound).filter(|x| *x <= limit)?;
            self.zip(a, b, i64::wrapping_mul);
        } else {
            self.scale = a.scale.max(b.scale);
            let (f, g) = (ten(self.scale - a.scale)?, ten(self.scale - b.scale)?);
            let (x, y) = (a.bound.checked_mul(f as u64)?, b.bound.checked_mul(g as u64)?);
            self.bound = x.checked_add(y).filter(|x| *x <= limit)?;
            let g = if op == DecOp::Sub { -g } else { g };
            self.zip(a, b, |x, y| x.wrapping_mul(f).wrapping_add(y.wrapping_mul(g)));
        }
        if self.scale > SCALE_MAX {
            return None;
        }
        for s in [a, b] {
            if !s.nulls.any() {
                continue;
            }
            if s.one {
                self.nulls.set_all(self.v.len());
            } else {
                self.nulls.union(&s.nulls);
            }
        }
        Some(())
    }
    fn zip(&mut self, a: &DecColumn, b: &DecColumn, f: impl Fn(i64, i64) -> i64) {
        let n = self.v.len();
        let out = &mut self.v[..];
        match (a.one, b.one) {
            (true, true) => out[0] = f(a.v[0], b.v[0]),
            (true, false) => {
                let x = a.v[0];
                out.iter_mut().zip(&b.v[..n]).for_each(|(o, y)| *o = f(x, *y));
            }
            (false, true) => {
                let y = b.v[0];
                out.iter_mut().zip(&a.v[..n]).for_each(|(o, x)| *o = f(*x, y));
            }
            (false, false) => {
                out.iter_mut().zip(a.v[..n].iter().zip(&b.v[..n])).for_each(|(o, (x, y))| *o = f(*x, *y));
            }
        }
    }
    /// Starts a column of `n` rows that [`DecColumn::put`] fills: all are NULL.
    pub fn start_parts(&mut self, n: usize) {
        self.start(n, false);
        self.nulls.set_all(n);
        self.scale = -1;
        self.ok = true;
    }
    /// Gives the listed rows the values of another column.
    pub fn put(&mut self, from: &DecColumn, rows: &[u16]) {
        self.ok = self.ok && from.ok && from.scales.is_empty() && self.try_put(from, rows).is_some();
    }
    fn try_put(&mut self, from: &DecColumn, rows: &[u16]) -> Option<()> {
        if rows.is_empty() {
            return Some(());
        }
        if self.scale < 0 {
            self.scale = from.scale;
        } else if self.scale != from.scale {
            if self.scales.is_empty() {
                self.scales.resize(self.v.len(), self.scale as u8);
            }
            if from.scale > self.scale {
                let f = ten(from.scale - self.scale)?;
                self.bound = self.bound.checked_mul(f as u64).filter(|x| *x <= i64::MAX as u64)?;
                self.v.iter_mut().for_each(|x| *x *= f);
                self.scale = from.scale;
            }
        }
        let f = ten(self.scale - from.scale)?;
        let bound = from.bound.checked_mul(f as u64).filter(|x| *x <= i64::MAX as u64)?;
        self.bound = self.bound.max(bound);
        for &r in rows {
            let (r, i) = (usize::from(r), if from.one { 0 } else { usize::from(r) });
            if from.nulls.get(i) {
                continue;
            }
            self.v[r] = from.v[i] * f;
            self.nulls.unset(r);
            if let Some(s) = self.scales.get_mut(r) {
                *s = from.scale as u8;
            }
        }
        Some(())
    }
    /// Can `n` of the values be added up in 64 bits?
    pub fn adds_up(&self, n: usize) -> bool {
        self.bound.checked_mul(n as u64).is_some_and(|x| x <= i64::MAX as u64)
    }
    /// Appends the disk forms as rows of a column of numerics.
    pub fn write(&self, rows: Rows<'_>, out: &mut Column) -> Result<()> {
        out.resize(rows.bound());
        let Column { data: ColumnData::Bytes(dst), nulls } = out else { return Ok(()) };
        let pad = (4 - self.scale.rem_euclid(4)) % 4;
        let unit = -(self.scale + pad) / 4;
        let factor = TEN[pad as usize];
        rows.each(|i| {
            let k = if self.one { 0 } else { i };
            if self.nulls.get(k) {
                nulls.set(i);
                return Ok(());
            }
            let dscale = self.scales.get(k).map_or(self.scale, |s| i32::from(*s));
            dst.set_with(i, |out| match self.v[k].checked_mul(factor) {
                Some(m) if (Small { m, unit, dscale }).write(out) => Ok(()),
                _ => to_num(i128::from(self.v[k]) * i128::from(factor), unit, dscale).pack(out),
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::datum::{DatumRef, Phys};
    use crate::numeric::{Num, num_add, num_mul, num_sub, parse_numeric};

    fn column(texts: &[&str]) -> Column {
        let mut c = Column::new(Phys::Bytes);
        for t in texts {
            let mut v = Vec::new();
            match *t {
                "" => c.push(DatumRef::Null),
                t => {
                    parse_numeric(t).unwrap().pack(&mut v).unwrap();
                    c.push(DatumRef::Bytes(&v));
                }
            }
        }
        c
    }
    fn load(c: &Column) -> DecColumn {
        let mut d = DecColumn::default();
        d.load(Arg { col: c, konst: false }, Rows::All(c.len()));
        d
    }
    fn same(d: &DecColumn, i: usize, want: &Num) {
        let mut out = Column::new(Phys::Bytes);
        d.write(Rows::All(d.v.len()), &mut out).unwrap();
        let mut v = Vec::new();
        want.pack(&mut v).unwrap();
        assert_eq!(out.get(i), DatumRef::Bytes(&v), "row {i}");
    }

    #[test]
    fn calculates_as_numbers_do() {
        let a = ["0.00", "1.05", "-99999.99", "104949.50", "0.01", "1234567.25"];
        let b = ["0.0500", "10000.0000", "-0.0001", "7.0000", "123456.7890", "0.0000"];
        let (x, y) = (column(&a), column(&b));
        let (d, e) = (load(&x), load(&y));
        assert!(d.ok && e.ok);
        type F = fn(&Num, &Num) -> Num;
        for (op, f) in [(DecOp::Add, num_add as F), (DecOp::Sub, num_sub), (DecOp::Mul, num_mul)] {
            let mut r = DecColumn::default();
            r.calculate(op, &d, &e, a.len());
            assert!(r.ok, "{op:?}");
            for i in 0..a.len() {
                same(&r, i, &f(&parse_numeric(a[i]).unwrap(), &parse_numeric(b[i]).unwrap()));
            }
        }
    }
    #[test]
    fn what_does_not_fit_says_so() {
        assert!(!load(&column(&["1.0", "1.00"])).ok);
        assert!(!load(&column(&["NaN"])).ok);
        assert!(!load(&column(&["12345678901234567890"])).ok);
        let big = load(&column(&["1000000000000"]));
        let mut r = DecColumn::default();
        r.calculate(DecOp::Mul, &big, &big, 1);
        assert!(!r.ok);
    }
    #[test]
    fn parts_keep_their_scales() {
        let mut r = DecColumn::default();
        r.start_parts(4);
        r.put(&load(&column(&["0", "0", "0", "5"])), &[3]);
        r.put(&load(&column(&["1.50", "", "2.25", "0.00"])), &[0, 1]);
        assert!(r.ok && r.nulls.get(1) && r.nulls.get(2));
        same(&r, 3, &parse_numeric("5").unwrap());
        same(&r, 0, &parse_numeric("1.50").unwrap());
    }
}
