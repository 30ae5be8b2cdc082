//! Forming rows straight from column vectors: what bulk loads use in place of [`crate::tuple::form_data`], with the
//! layout of each attribute worked out once.

use crate::column::{Column, ColumnData};
use crate::tupdesc::TupleDesc;
use crate::tuple::{FormFlags, Kind, Layout, SHORT_MAX, align_up, bitmap_len};

struct Att {
    layout: Layout,
    /// Short headers are allowed.
    short: bool,
}

/// Forms the rows of batches of one shape.
pub struct Former {
    atts: Vec<Att>,
}

impl Former {
    /// Prepares for rows of this shape.
    pub fn new(desc: &TupleDesc) -> Former {
        let att = |a: &crate::Attribute| Att {
            layout: Layout::new(a.phys, a.len, a.align),
            short: a.storage != b'p',
        };
        Former { atts: desc.attrs.iter().map(att).collect() }
    }
    /// Is any attribute of row `i` null?
    #[inline]
    pub fn has_nulls(&self, cols: &[Column], i: usize) -> bool {
        cols.iter().any(|c| c.nulls.any() && c.nulls.get(i))
    }
    /// Appends the null bitmap of row `i`.
    pub fn bitmap(&self, cols: &[Column], i: usize, out: &mut Vec<u8>) {
        let base = out.len();
        out.resize(base + bitmap_len(cols.len()), 0);
        for (k, c) in cols.iter().enumerate() {
            if !c.nulls.get(i) {
                out[base + k / 8] |= 1 << (k % 8);
            }
        }
    }
    /// Appends the data part of row `i`; `out`'s length on entry must be a multiple of 8 in the finished tuple.
    pub fn data(&self, cols: &[Column], i: usize, out: &mut Vec<u8>) -> FormFlags {
        let base = out.len();
        let mut flags = FormFlags::default();
        for (a, c) in self.atts.iter().zip(cols) {
            if c.nulls.any() && c.nulls.get(i) {
                flags.has_nulls = true;
                continue;
            }
            a.append(c, i, base, out, &mut flags);
        }
        flags
    }
}

#[inline]
fn pad(base: usize, align: usize, out: &mut Vec<u8>) {
    let n = align_up(out.len() - base, align) - (out.len() - base);
    out.extend_from_slice(&[0; 8][..n]);
}

impl Att {
    #[inline]
    fn append(&self, c: &Column, i: usize, base: usize, out: &mut Vec<u8>, flags: &mut FormFlags) {
        let l = &self.layout;
        match (l.kind, &c.data) {
            (Kind::I32, ColumnData::I32(v)) => {
                pad(base, 4, out);
                out.extend_from_slice(&v[i].to_le_bytes());
            }
            (Kind::I64, ColumnData::I64(v)) => {
                pad(base, l.align, out);
                out.extend_from_slice(&v[i].to_le_bytes());
            }
            (Kind::F64, ColumnData::F64(v)) => {
                pad(base, l.align, out);
                out.extend_from_slice(&v[i].to_le_bytes());
            }
            (Kind::Varlena, ColumnData::Bytes(v)) => {
                let b = v.get(i);
                flags.has_varwidth = true;
                if self.short && b.len() <= SHORT_MAX {
                    out.push(((b.len() + 1) as u8) << 1 | 1);
                } else {
                    pad(base, l.align, out);
                    out.extend_from_slice(&(((b.len() + 4) as u32) << 2).to_le_bytes());
                }
                out.extend_from_slice(b);
            }
            (kind, _) => {
                flags.has_varwidth |= kind == Kind::CString;
                l.append(c.get(i), base, self.short, out);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::datum::DatumRef;
    use crate::tuple::{FormAttr, form_bitmap, form_data, tests::desc};

    #[test]
    fn rows_from_columns_are_rows_from_values() {
        let desc = desc();
        let long = vec![b'x'; 300];
        let full = [
            DatumRef::I32(-5),
            DatumRef::Bool(true),
            DatumRef::I64(1 << 40),
            DatumRef::Bytes(b"hello"),
            DatumRef::I16(-2),
            DatumRef::Bytes(b"relname"),
            DatumRef::I64(77),
            DatumRef::Fixed16([7; 16]),
            DatumRef::Bytes(&long),
            DatumRef::F64(1.5),
            DatumRef::Bytes(b"c"),
        ];
        let value = |row: usize, k: usize| if row >> k & 1 == 1 { DatumRef::Null } else { full[k] };
        let mut cols: Vec<Column> = desc.attrs.iter().map(|a| Column::new(a.phys)).collect();
        for row in 0..1 << full.len() {
            cols.iter_mut().enumerate().for_each(|(k, c)| c.push(value(row, k)));
        }
        let f = Former::new(&desc);
        for row in 0..1 << full.len() {
            let attrs: Vec<FormAttr<'_>> = (0..full.len()).map(|k| FormAttr::Datum(value(row, k))).collect();
            let (mut want, mut got) = (Vec::new(), Vec::new());
            let flags = form_data(&desc, &attrs, &mut want);
            assert_eq!(flags, f.data(&cols, row, &mut got));
            assert_eq!(f.has_nulls(&cols, row), flags.has_nulls);
            assert_eq!(want, got);
            want.clear();
            got.clear();
            form_bitmap(&attrs, &mut want);
            f.bitmap(&cols, row, &mut got);
            assert_eq!(want, got);
        }
    }
}
