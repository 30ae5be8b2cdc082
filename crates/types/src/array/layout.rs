//! Reading and building the array layout.

use crate::tuple::{Layout, align_up};
use crate::{Datum, DatumRef, Phys, storage_info};
use common::{Error, Oid, Result, bail};

/// Most dimensions.
pub const MAX_DIM: usize = 6;
/// Most elements: a gigabyte of datums in PostgreSQL.
pub const MAX_ELEMENTS: usize = 134_217_727;

/// The length word that is not there.
const HEAD: usize = 4;

/// What an array must know of its element type.
#[derive(Clone, Copy, Debug)]
pub struct Elem {
    pub oid: Oid,
    pub phys: Phys,
    pub(crate) layout: Layout,
}

impl Elem {
    /// Storage of an element type. A domain must have been replaced by the type underneath.
    pub fn of(oid: Oid) -> Elem {
        match storage_info(oid) {
            Some(t) => Elem { oid, phys: t.phys, layout: Layout::new(t.phys, t.len, t.align) },
            None => Elem { oid, phys: Phys::Bytes, layout: Layout::new(Phys::Bytes, -1, b'd') },
        }
    }
}

/// A borrowed array.
#[derive(Clone, Debug)]
pub struct ArrayRef<'a> {
    pub elem: Elem,
    pub dims: Vec<i32>,
    pub lower: Vec<i32>,
    bitmap: Option<&'a [u8]>,
    data: &'a [u8],
    len: usize,
}

fn corrupt() -> Error {
    Error::corrupted("invalid array value")
}

/// Number of elements of the given dimensions. 54000.
pub fn count_elements(dims: &[i32]) -> Result<usize> {
    let mut n = 1usize;
    for d in dims {
        n = usize::try_from(*d)
            .ok()
            .and_then(|d| n.checked_mul(d))
            .filter(|n| *n <= MAX_ELEMENTS)
            .ok_or_else(|| {
                common::err!(
                    PROGRAM_LIMIT_EXCEEDED,
                    "array size exceeds the maximum allowed ({})",
                    MAX_ELEMENTS
                )
            })?;
    }
    Ok(if dims.is_empty() { 0 } else { n })
}

impl<'a> ArrayRef<'a> {
    /// Reads the header. XX001.
    pub fn new(b: &'a [u8]) -> Result<ArrayRef<'a>> {
        let word = |i: usize| -> Result<i32> {
            let w = b.get(i..i + 4).and_then(|w| w.first_chunk::<4>()).ok_or_else(corrupt)?;
            Ok(i32::from_le_bytes(*w))
        };
        let ndim = word(0)?;
        if !(0..=MAX_DIM as i32).contains(&ndim) {
            bail!(DATA_CORRUPTED, "invalid number of dimensions: {}", ndim);
        }
        let ndim = ndim as usize;
        let offset = word(4)? as usize;
        let elem = Elem::of(Oid(word(8)? as u32));
        let dims = (0..ndim).map(|i| word(12 + 4 * i)).collect::<Result<Vec<_>>>()?;
        let lower = (0..ndim).map(|i| word(12 + 4 * (ndim + i))).collect::<Result<Vec<_>>>()?;
        let len = count_elements(&dims)?;
        let head = 12 + 8 * ndim;
        let (bitmap, start) = if offset == 0 {
            (None, align_up(head + HEAD, 8) - HEAD)
        } else {
            (
                Some(b.get(head..head + len.div_ceil(8)).ok_or_else(corrupt)?),
                offset.checked_sub(HEAD).ok_or_else(corrupt)?,
            )
        };
        let data = if len == 0 { &[][..] } else { b.get(start..).ok_or_else(corrupt)? };
        if bitmap.is_none() && len > data.len() {
            return Err(corrupt());
        }
        Ok(ArrayRef { elem, dims, lower, bitmap, data, len })
    }
    /// Number of elements.
    pub fn len(&self) -> usize {
        self.len
    }
    /// Has it no elements?
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
    /// Number of dimensions.
    pub fn ndim(&self) -> usize {
        self.dims.len()
    }
    /// May it hold nulls?
    pub fn may_have_nulls(&self) -> bool {
        self.bitmap.is_some()
    }
    /// The elements in storage order (last subscript fastest).
    pub fn iter(&self) -> Elements<'a, '_> {
        Elements { array: self, i: 0, off: 0 }
    }
    /// All elements.
    pub fn to_vec(&self) -> Result<Vec<DatumRef<'a>>> {
        self.iter().collect()
    }
    /// Upper bound of a dimension (from 0).
    pub fn upper(&self, dim: usize) -> i32 {
        self.lower[dim] + self.dims[dim] - 1
    }
}

/// Iterator over the elements of an array.
pub struct Elements<'a, 'r> {
    array: &'r ArrayRef<'a>,
    i: usize,
    off: usize,
}

impl<'a> Iterator for Elements<'a, '_> {
    type Item = Result<DatumRef<'a>>;
    fn next(&mut self) -> Option<Self::Item> {
        let i = self.i;
        if i >= self.array.len {
            return None;
        }
        self.i += 1;
        if self.array.bitmap.is_some_and(|b| b[i / 8] >> (i % 8) & 1 == 0) {
            return Some(Ok(DatumRef::Null));
        }
        let l = &self.array.elem.layout;
        self.off = align_up(self.off, l.align);
        match l.read(self.array.data, self.off) {
            Ok((d, end)) => {
                self.off = end;
                Some(Ok(d))
            }
            Err(e) => {
                self.i = usize::MAX;
                Some(Err(e))
            }
        }
    }
}

/// Collects elements and writes the array.
#[derive(Debug)]
pub struct ArrayBuilder {
    elem: Elem,
    data: Vec<u8>,
    bitmap: Vec<u8>,
    len: usize,
    has_nulls: bool,
}

impl ArrayBuilder {
    /// An array over this element type.
    pub fn new(elem: Oid) -> ArrayBuilder {
        ArrayBuilder { elem: Elem::of(elem), data: Vec::new(), bitmap: Vec::new(), len: 0, has_nulls: false }
    }
    /// Elements so far.
    pub fn len(&self) -> usize {
        self.len
    }
    /// No elements so far?
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
    /// Bytes held.
    pub fn memory(&self) -> usize {
        self.data.capacity() + self.bitmap.capacity()
    }
    /// Adds an element.
    pub fn push(&mut self, d: DatumRef<'_>) {
        if self.len.is_multiple_of(8) {
            self.bitmap.push(0);
        }
        if d.is_null() {
            self.has_nulls = true;
        } else {
            self.bitmap[self.len / 8] |= 1 << (self.len % 8);
            self.elem.layout.append(d, 0, false, &mut self.data);
            let end = align_up(self.data.len(), self.elem.layout.align);
            self.data.resize(end, 0);
        }
        self.len += 1;
    }
    /// Writes the array with these dimensions and lower bounds. No elements: the empty array.
    pub fn finish(&self, dims: &[i32], lower: &[i32]) -> Vec<u8> {
        if self.len == 0 {
            return empty_array(self.elem.oid);
        }
        let ndim = dims.len();
        let head = 16 + 8 * ndim;
        let start = if self.has_nulls { align_up(head + self.len.div_ceil(8), 8) } else { align_up(head, 8) };
        let mut out = Vec::with_capacity(start - HEAD + self.data.len());
        let mut word = |v: i32| out.extend_from_slice(&v.to_le_bytes());
        word(ndim as i32);
        word(if self.has_nulls { start as i32 } else { 0 });
        word(self.elem.oid.0 as i32);
        dims.iter().chain(lower).for_each(|v| word(*v));
        if self.has_nulls {
            out.extend_from_slice(&self.bitmap);
        }
        out.resize(start - HEAD, 0);
        out.extend_from_slice(&self.data);
        out
    }
    /// Writes a one-dimensional array with lower bound 1.
    pub fn finish_1d(&self) -> Vec<u8> {
        self.finish(&[self.len as i32], &[1])
    }
}

/// The array without elements.
pub fn empty_array(elem: Oid) -> Vec<u8> {
    let mut out = vec![0; 8];
    out.extend_from_slice(&elem.0.to_le_bytes());
    out
}

/// A one-dimensional array.
pub fn build_1d<'a>(elem: Oid, items: impl IntoIterator<Item = DatumRef<'a>>) -> Datum {
    let mut b = ArrayBuilder::new(elem);
    for d in items {
        b.push(d);
    }
    Datum::bytes(&b.finish_1d())
}

/// The strings of a `cstring[]`, as type modifier input functions get them.
pub fn cstring_array(b: &[u8]) -> Result<Vec<&str>> {
    let a = ArrayRef::new(b)?;
    if a.elem.oid != crate::oids::CSTRING {
        bail!(ARRAY_ELEMENT_ERROR, "typmod array must be type cstring[]");
    }
    if a.ndim() != 1 {
        bail!(ARRAY_SUBSCRIPT_ERROR, "typmod array must be one-dimensional");
    }
    let mut v = Vec::with_capacity(a.len());
    for d in a.iter() {
        let d = d?;
        if d.is_null() {
            bail!(NULL_VALUE_NOT_ALLOWED, "typmod array must not contain nulls");
        }
        v.push(d.str());
    }
    Ok(v)
}
