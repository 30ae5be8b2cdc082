//! Whole-column operations that every node needs: copy, broadcast, gather, append. All keep the destination's memory.

use types::{Batch, BytesColumn, Column, ColumnData, DatumRef, NullMask, Rows};

/// Makes `dst` a copy of `src` (same kind).
pub fn copy(dst: &mut Column, src: &Column) {
    macro_rules! fixed {
        ($($v:ident),*) => {
            match (&mut dst.data, &src.data) {
                $((ColumnData::$v(d), ColumnData::$v(s)) => {
                    d.clear();
                    d.extend_from_slice(s);
                })*
                (ColumnData::Bytes(d), ColumnData::Bytes(s)) => copy_bytes(d, s),
                (d, s) => {
                    *d = s.clone();
                }
            }
        };
    }
    fixed!(Bool, I8, I16, I32, U32, I64, F32, F64, Fixed16);
    dst.nulls.clear();
    dst.nulls.union(&src.nulls);
}

fn copy_bytes(d: &mut BytesColumn, s: &BytesColumn) {
    d.clear();
    for i in 0..s.len() {
        d.push_from(s, i);
    }
}

/// Makes `dst` `n` rows of the same value.
pub fn fill(dst: &mut Column, d: DatumRef<'_>, n: usize) {
    dst.clear();
    fill_more(dst, d, n);
}

/// Appends `n` rows of the same value.
pub fn fill_more(dst: &mut Column, d: DatumRef<'_>, n: usize) {
    let from = dst.len();
    let to = from + n;
    match (&mut dst.data, d) {
        (_, DatumRef::Null) => {
            dst.resize(to);
            for i in from..to {
                dst.nulls.set(i);
            }
        }
        (ColumnData::Bool(v), DatumRef::Bool(x)) => v.resize(to, x),
        (ColumnData::I8(v), DatumRef::I8(x)) => v.resize(to, x),
        (ColumnData::I16(v), DatumRef::I16(x)) => v.resize(to, x),
        (ColumnData::I32(v), DatumRef::I32(x)) => v.resize(to, x),
        (ColumnData::U32(v), DatumRef::U32(x)) => v.resize(to, x),
        (ColumnData::I64(v), DatumRef::I64(x)) => v.resize(to, x),
        (ColumnData::F32(v), DatumRef::F32(x)) => v.resize(to, x),
        (ColumnData::F64(v), DatumRef::F64(x)) => v.resize(to, x),
        (ColumnData::Fixed16(v), DatumRef::Fixed16(x)) => v.resize(to, x),
        (ColumnData::Bytes(v), DatumRef::Bytes(x)) => {
            if n > 0 {
                v.push(x);
                v.resize(to);
                for i in from + 1..to {
                    v.alias(i, from);
                }
            }
        }
        (data, d) => unreachable!("physical kind mismatch: {d:?} into {data:?}"),
    }
}

fn gather_nulls(dst: &mut NullMask, from: usize, src: &NullMask, idx: impl Iterator<Item = usize>) {
    if src.any() {
        for (k, i) in idx.enumerate() {
            if src.get(i) {
                dst.set(from + k);
            }
        }
    }
}

/// An index type of [`append_gather`].
pub trait RowIx: Copy {
    /// As a usize.
    fn ix(self) -> usize;
}
impl RowIx for u16 {
    #[inline]
    fn ix(self) -> usize {
        self as usize
    }
}
impl RowIx for u32 {
    #[inline]
    fn ix(self) -> usize {
        self as usize
    }
}

/// Appends `src[idx[k]]` for every k.
pub fn append_gather<I: RowIx>(dst: &mut Column, src: &Column, idx: &[I]) {
    let from = dst.len();
    macro_rules! fixed {
        ($($v:ident),*) => {
            match (&mut dst.data, &src.data) {
                $((ColumnData::$v(d), ColumnData::$v(s)) => d.extend(idx.iter().map(|i| s[i.ix()])),)*
                (ColumnData::Bytes(d), ColumnData::Bytes(s)) => {
                    for i in idx {
                        d.push_from(s, i.ix());
                    }
                }
                (d, s) => unreachable!("physical kind mismatch: {s:?} into {d:?}"),
            }
        };
    }
    fixed!(Bool, I8, I16, I32, U32, I64, F32, F64, Fixed16);
    gather_nulls(&mut dst.nulls, from, &src.nulls, idx.iter().map(|i| i.ix()));
}

/// Appends rows `lo..hi`.
pub fn append_range(dst: &mut Column, src: &Column, lo: usize, hi: usize) {
    let from = dst.len();
    macro_rules! fixed {
        ($($v:ident),*) => {
            match (&mut dst.data, &src.data) {
                $((ColumnData::$v(d), ColumnData::$v(s)) => d.extend_from_slice(&s[lo..hi]),)*
                (ColumnData::Bytes(d), ColumnData::Bytes(s)) => {
                    for i in lo..hi {
                        d.push_from(s, i);
                    }
                }
                (d, s) => unreachable!("physical kind mismatch: {s:?} into {d:?}"),
            }
        };
    }
    fixed!(Bool, I8, I16, I32, U32, I64, F32, F64, Fixed16);
    gather_nulls(&mut dst.nulls, from, &src.nulls, lo..hi);
}

/// Appends the selected rows.
pub fn append_rows(dst: &mut Column, src: &Column, rows: Rows<'_>) {
    match rows {
        Rows::All(n) => append_range(dst, src, 0, n),
        Rows::Sel(s) => append_gather(dst, src, s),
    }
}

/// Appends the live rows of a batch to another of the same shape, which has no selection.
pub fn append_batch(dst: &mut Batch, src: &Batch) {
    debug_assert!(dst.sel.is_none());
    for (d, s) in dst.cols.iter_mut().zip(&src.cols) {
        append_rows(d, s, src.live());
    }
    dst.rows += src.live_count();
}

/// Copies one row onto the end.
pub fn append_row(dst: &mut Batch, src: &Batch, row: usize) {
    for (d, s) in dst.cols.iter_mut().zip(&src.cols) {
        d.push(s.get(row));
    }
    dst.rows += 1;
}

/// An empty batch with columns of the same kinds.
pub fn like(b: &Batch) -> Batch {
    Batch { cols: b.cols.iter().map(|c| Column::new(c.phys())).collect(), rows: 0, sel: None }
}

/// Bytes a batch holds.
pub fn memory(b: &Batch) -> usize {
    b.cols.iter().map(Column::memory).sum()
}

/// Makes `dst` a copy of `src`, selection and all.
pub fn copy_batch(dst: &mut Batch, src: &Batch) {
    if dst.cols.len() != src.cols.len() {
        *dst = like(src);
    }
    for (d, s) in dst.cols.iter_mut().zip(&src.cols) {
        copy(d, s);
    }
    dst.rows = src.rows;
    match (&mut dst.sel, &src.sel) {
        (Some(d), Some(s)) => {
            d.clear();
            d.extend_from_slice(s);
        }
        (d, s) => *d = s.clone(),
    }
}

/// The `k`-th live row.
#[inline]
pub fn nth_live(b: &Batch, k: usize) -> usize {
    b.sel.as_ref().map_or(k, |s| s[k] as usize)
}

/// Keeps live rows `lo..hi` (counted among the live ones).
pub fn slice_live(b: &mut Batch, lo: usize, hi: usize) {
    match &mut b.sel {
        Some(s) => {
            s.truncate(hi);
            s.drain(..lo.min(s.len()));
        }
        None => {
            let hi = hi.min(b.rows);
            if lo == 0 && hi == b.rows {
                return;
            }
            b.sel = Some((lo.min(hi)..hi).map(|i| i as u16).collect());
        }
    }
}
