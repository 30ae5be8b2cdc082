//! Taking the tuples of a page apart column by column instead of row by row: at each attribute the loop runs over all
//! tuples, so that one tuple's offset does not wait for the bytes of another. Tuples with nulls, out-of-line or compressed
//! values and damaged ones are left to the row-wise [`Deformer`].

use crate::column::{Column, ColumnData};
use crate::tuple::{AttMeta, Deformer, Kind, align_up};

/// In place of an offset: this tuple is not taken apart here.
pub const NO_DATA: u32 = u32::MAX;

enum Step {
    Fixed { width: u32, align: usize, out: Option<u16> },
    Var { align: usize, out: Option<u16> },
}

/// Takes runs of tuples of one shape apart; tuples must have no nulls and at least [`RunDeformer::natts`] attributes.
#[derive(Default)]
pub struct RunDeformer {
    /// (batch column, offset in the data).
    fixed: Vec<(u16, usize)>,
    /// Where the walk begins, and the attributes it passes.
    first: u32,
    steps: Vec<Step>,
    natts: usize,
    /// Wanted pairs that are not handled here.
    rest: Vec<(u16, u16)>,
    at: Vec<u32>,
}

/// Kinds whose disk form is the value in memory.
fn is_plain(kind: Kind) -> bool {
    use Kind::*;
    matches!(kind, Bool | I8 | I16 | I32 | U32 | I64 | F32 | F64)
}

impl RunDeformer {
    /// For ascending pairs of (attribute number from 1, batch column).
    pub fn new(d: &Deformer, wanted: &[(u16, u16)]) -> RunDeformer {
        let mut r = RunDeformer::default();
        let mut walk = Vec::new();
        let metas = d.metas();
        for &(att, col) in wanted {
            let Some(m) = metas.get(usize::from(att).wrapping_sub(1)) else {
                r.rest.push((att, col));
                continue;
            };
            match m.kind {
                k if is_plain(k) && m.cached != u32::MAX => {
                    r.fixed.push((col, m.cached as usize));
                    r.natts = r.natts.max(usize::from(att));
                }
                k if is_plain(k) || k == Kind::Varlena => walk.push((att, col)),
                _ => r.rest.push((att, col)),
            }
        }
        let (Some(&(lo, _)), Some(&(hi, _))) = (walk.first(), walk.last()) else { return r };
        let hi = usize::from(hi);
        // The last attribute before the first wanted one that lies at a known place.
        let from = (0..usize::from(lo)).rev().find(|&i| metas[i].cached != u32::MAX);
        let Some(from) = from.filter(|&f| metas[f..hi].iter().all(|m| m.kind != Kind::CString)) else {
            r.rest.extend(walk);
            r.rest.sort_unstable();
            return r;
        };
        r.first = metas[from].cached;
        r.natts = r.natts.max(hi);
        let out = |i: usize| walk.iter().find(|w| usize::from(w.0) == i + 1).map(|w| w.1);
        r.steps = (from..hi).map(|i| step(&metas[i], out(i))).collect();
        r
    }
    /// Attributes a tuple must have.
    pub fn natts(&self) -> usize {
        self.natts
    }
    /// The wanted pairs that are not handled here.
    pub fn rest(&self) -> &[(u16, u16)] {
        &self.rest
    }
    /// Fills rows `base..` of the columns from the tuples whose data begin at `starts`. Appends to `odd` the tuples
    /// (numbers in `starts`) that turned out not to be plain; their rows are undefined.
    pub fn run(
        &mut self,
        page: &[u8],
        starts: &[u32],
        base: usize,
        cols: &mut [Column],
        odd: &mut Vec<usize>,
    ) {
        self.run_to(page, starts, |i| base + i, cols, odd);
    }
    /// The same for tuples that go to listed rows of the columns, one each.
    pub fn run_rows(
        &mut self,
        page: &[u8],
        starts: &[u32],
        rows: &[u16],
        cols: &mut [Column],
        odd: &mut Vec<usize>,
    ) {
        debug_assert!(rows.len() >= starts.len());
        self.run_to(page, starts, |i| usize::from(rows[i]), cols, odd);
    }
    #[inline(always)]
    fn run_to(
        &mut self,
        page: &[u8],
        starts: &[u32],
        row: impl Fn(usize) -> usize + Copy,
        cols: &mut [Column],
        odd: &mut Vec<usize>,
    ) {
        for &(col, at) in &self.fixed {
            copy_column(&mut cols[usize::from(col)].data, row, page, starts, at);
        }
        if self.steps.is_empty() {
            return;
        }
        let at = &mut self.at;
        at.clear();
        at.extend(starts.iter().map(|s| if *s == NO_DATA { NO_DATA } else { s + self.first }));
        for s in &self.steps {
            match s {
                Step::Fixed { width, align, out } => {
                    for o in at.iter_mut().filter(|o| **o != NO_DATA) {
                        *o = align_up(*o as usize, *align) as u32;
                    }
                    if let Some(c) = out {
                        copy_column(&mut cols[usize::from(*c)].data, row, page, at, 0);
                    }
                    at.iter_mut().filter(|o| **o != NO_DATA).for_each(|o| *o += width);
                }
                Step::Var { align, out: None } => {
                    for (i, o) in at.iter_mut().enumerate() {
                        if *o != NO_DATA {
                            match skip(page, *o as usize, *align) {
                                Some(end) => *o = end as u32,
                                None => {
                                    *o = NO_DATA;
                                    odd.push(i);
                                }
                            }
                        }
                    }
                }
                Step::Var { align, out: Some(c) } => {
                    let ColumnData::Bytes(v) = &mut cols[usize::from(*c)].data else { continue };
                    for (i, o) in at.iter_mut().enumerate() {
                        if *o != NO_DATA {
                            match plain(page, *o as usize, *align) {
                                Some((from, end)) => {
                                    v.set_part(row(i), page, from, end - from);
                                    *o = end as u32;
                                }
                                None => {
                                    *o = NO_DATA;
                                    odd.push(i);
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn step(m: &AttMeta, out: Option<u16>) -> Step {
    match m.kind {
        Kind::Varlena => Step::Var { align: m.align as usize, out },
        _ => Step::Fixed { width: m.width, align: m.align as usize, out },
    }
}

#[inline]
fn header(page: &[u8], at: usize) -> Option<u32> {
    page.get(at..)?.first_chunk::<4>().map(|h| u32::from_le_bytes(*h))
}

/// Where a plain variable-length value ends.
#[inline]
fn skip(page: &[u8], at: usize, align: usize) -> Option<usize> {
    let b = *page.get(at)?;
    if b & 1 == 1 {
        return (b != 1).then_some(at + usize::from(b >> 1));
    }
    let at = align_up(at, align);
    Some(at + (header(page, at)? >> 2) as usize)
}

/// Where a plain variable-length value begins and ends.
#[inline]
fn plain(page: &[u8], at: usize, align: usize) -> Option<(usize, usize)> {
    let b = *page.get(at)?;
    let (from, end, plain) = if b & 1 == 1 {
        (at + 1, at + usize::from(b >> 1), b != 1)
    } else {
        let at = align_up(at, align);
        let h = header(page, at)?;
        (at + 4, at + (h >> 2) as usize, h & 3 == 0)
    };
    (plain && from <= end && end <= page.len()).then_some((from, end))
}

/// Copies one fixed-width attribute of a run of tuples.
#[inline(always)]
fn copy_column(
    data: &mut ColumnData,
    row: impl Fn(usize) -> usize + Copy,
    page: &[u8],
    starts: &[u32],
    at: usize,
) {
    #[inline(always)]
    fn run<T, const N: usize>(
        v: &mut [T],
        row: impl Fn(usize) -> usize,
        page: &[u8],
        starts: &[u32],
        at: usize,
        f: impl Fn([u8; N]) -> T,
    ) {
        for (i, &s) in starts.iter().enumerate() {
            let o = s as usize + at;
            if s != NO_DATA
                && let Some(b) = page.get(o..).and_then(|b| b.first_chunk::<N>())
                && let Some(x) = v.get_mut(row(i))
            {
                *x = f(*b);
            }
        }
    }
    match data {
        ColumnData::Bool(v) => run(v, row, page, starts, at, |b: [u8; 1]| b[0] != 0),
        ColumnData::I8(v) => run(v, row, page, starts, at, i8::from_le_bytes),
        ColumnData::I16(v) => run(v, row, page, starts, at, i16::from_le_bytes),
        ColumnData::I32(v) => run(v, row, page, starts, at, i32::from_le_bytes),
        ColumnData::U32(v) => run(v, row, page, starts, at, u32::from_le_bytes),
        ColumnData::I64(v) => run(v, row, page, starts, at, i64::from_le_bytes),
        ColumnData::F32(v) => run(v, row, page, starts, at, f32::from_le_bytes),
        ColumnData::F64(v) => run(v, row, page, starts, at, f64::from_le_bytes),
        ColumnData::Fixed16(_) | ColumnData::Bytes(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::datum::DatumRef;
    use crate::tuple::{FormAttr, TupleBytes, compressed_varlena, form_data, tests::desc};

    #[test]
    fn columns_as_rows() {
        let mut desc = desc();
        // Without the C string at the end, which is not walked over.
        desc.attrs.pop();
        let d = Deformer::new(&desc);
        let (mut page, mut starts) = (Vec::new(), Vec::new());
        let long = vec![b'y'; 300];
        let packed = compressed_varlena(500, 1, b"packed");
        for i in 0..40usize {
            let text = &long[..i * 7];
            let mut form: Vec<FormAttr<'_>> = [
                DatumRef::I32(i as i32),
                DatumRef::Bool(i % 2 == 1),
                DatumRef::I64(i as i64 * 7),
                DatumRef::Bytes(text),
                DatumRef::I16(-(i as i16)),
                DatumRef::Bytes(b"relname"),
                DatumRef::I64(77),
                DatumRef::Fixed16([0; 16]),
                DatumRef::Bytes(&text[..i / 2]),
                DatumRef::F64(i as f64),
            ]
            .into_iter()
            .map(FormAttr::Datum)
            .collect();
            if i == 9 {
                form[3] = FormAttr::Raw(&packed);
            }
            page.resize(align_up(page.len(), 8), 0);
            starts.push(if i == 5 { NO_DATA } else { page.len() as u32 });
            form_data(&desc, &form, &mut page);
        }
        page.extend_from_slice(&[0; 8]);
        for mask in 1u32..1 << desc.attrs.len() {
            let wanted: Vec<(u16, u16)> =
                (0..desc.attrs.len() as u16).filter(|a| mask >> a & 1 == 1).map(|a| (a + 1, a)).collect();
            let mut r = RunDeformer::new(&d, &wanted);
            let mut cols: Vec<Column> = desc.attrs.iter().map(|a| Column::new(a.phys)).collect();
            let mut want = cols.clone();
            cols.iter_mut().for_each(|c| c.resize(starts.len() + 2));
            let mut odd = Vec::new();
            r.run(&page, &starts, 2, &mut cols, &mut odd);
            for (i, s) in starts.iter().enumerate().filter(|s| *s.1 != NO_DATA) {
                let t = TupleBytes { natts: desc.attrs.len(), bitmap: None, data: &page[*s as usize..] };
                d.deform_into_columns(&wanted, t, &mut |_, _| Ok(()), &mut want, i + 2).unwrap();
                for w in wanted.iter().filter(|w| !r.rest().contains(w)) {
                    let (got, want) = (cols[w.1 as usize].get(i + 2), want[w.1 as usize].get(i + 2));
                    assert!(odd.contains(&i) || got == want, "{w:?} of {i}");
                }
            }
            assert!(odd.is_empty() || (odd == [9] && mask & 8 != 0));
        }
    }
}
