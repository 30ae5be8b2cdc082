//! Column vectors and batches: what flows between the executor's nodes and through scalar kernels. A batch holds at
//! most [`BATCH_ROWS`] rows; one row is a batch of one. A selection vector names the rows that are still alive.

use crate::datum::{Datum, DatumRef, Phys};

/// Most rows in a batch.
pub const BATCH_ROWS: usize = 1024;

/// One bit a row, set where the value is NULL. Words beyond the stored ones read as zero, so a column without nulls
/// stores none.
#[derive(Clone, Debug, Default)]
pub struct NullMask {
    words: Vec<u64>,
}

impl NullMask {
    /// May any bit be set? (`false` is certain.)
    #[inline]
    pub fn any(&self) -> bool {
        !self.words.is_empty()
    }
    /// Is row `i` null?
    #[inline]
    pub fn get(&self, i: usize) -> bool {
        self.words.get(i >> 6).is_some_and(|w| w >> (i & 63) & 1 == 1)
    }
    /// Marks row `i` null.
    #[inline]
    pub fn set(&mut self, i: usize) {
        let w = i >> 6;
        if w >= self.words.len() {
            self.words.resize(w + 1, 0);
        }
        self.words[w] |= 1 << (i & 63);
    }
    /// Marks row `i` not null.
    #[inline]
    pub fn unset(&mut self, i: usize) {
        if let Some(w) = self.words.get_mut(i >> 6) {
            *w &= !(1 << (i & 63));
        }
    }
    /// No nulls.
    pub fn clear(&mut self) {
        self.words.clear();
    }
    /// The stored words; missing ones are zero.
    pub fn words(&self) -> &[u64] {
        &self.words
    }
    /// Marks rows `0..n` null.
    pub fn set_all(&mut self, n: usize) {
        self.words.clear();
        self.words.resize(n.div_ceil(64), u64::MAX);
        self.trim(n);
    }
    /// Forgets the bits from row `n` on.
    fn trim(&mut self, n: usize) {
        self.words.truncate(n.div_ceil(64));
        if !n.is_multiple_of(64)
            && let Some(w) = self.words.get_mut(n / 64)
        {
            *w &= (1 << (n % 64)) - 1;
        }
    }
    /// Ors the first `n` bits of another mask into this one.
    pub fn union_first(&mut self, other: &NullMask, n: usize) {
        self.union(other);
        self.trim(n);
    }
    /// Ors another mask into this one.
    pub fn union(&mut self, other: &NullMask) {
        if other.words.len() > self.words.len() {
            self.words.resize(other.words.len(), 0);
        }
        for (a, b) in self.words.iter_mut().zip(&other.words) {
            *a |= *b;
        }
    }
}

/// Variable-length values: (offset, length) views into one growing buffer.
#[derive(Clone, Debug, Default)]
pub struct BytesColumn {
    views: Vec<(u32, u32)>,
    data: Vec<u8>,
}

impl BytesColumn {
    /// Number of rows.
    pub fn len(&self) -> usize {
        self.views.len()
    }
    /// Has it no rows?
    pub fn is_empty(&self) -> bool {
        self.views.is_empty()
    }
    /// Value of row `i`.
    #[inline]
    pub fn get(&self, i: usize) -> &[u8] {
        let (o, l) = self.views[i];
        &self.data[o as usize..o as usize + l as usize]
    }
    /// Appends a row.
    #[inline]
    pub fn push(&mut self, b: &[u8]) {
        let o = self.data.len() as u32;
        self.data.extend_from_slice(b);
        self.views.push((o, b.len() as u32));
    }
    /// Copies `len` bytes of a larger buffer. Short ones go by whole words, beyond their end, which takes no call.
    #[inline(always)]
    fn copy(&mut self, from: &[u8], at: usize, len: usize) -> (u32, u32) {
        let o = self.data.len();
        match from.get(at..).and_then(|b| b.first_chunk::<16>()) {
            Some(w) if len <= 16 => {
                self.data.extend_from_slice(w);
                self.data.truncate(o + len);
            }
            _ => self.data.extend_from_slice(&from[at..at + len]),
        }
        (o as u32, len as u32)
    }
    /// Appends row `i` of another column.
    #[inline]
    pub fn push_from(&mut self, src: &BytesColumn, i: usize) {
        let (o, l) = src.views[i];
        let view = self.copy(&src.data, o as usize, l as usize);
        self.views.push(view);
    }
    /// Sets row `i` (which must exist) to `len` bytes at a place of a larger buffer.
    #[inline]
    pub fn set_part(&mut self, i: usize, from: &[u8], at: usize, len: usize) {
        let view = self.copy(from, at, len);
        self.views[i] = view;
    }
    /// Sets row `i` (which must exist); its former bytes stay unused in the buffer.
    #[inline]
    pub fn set(&mut self, i: usize, b: &[u8]) {
        let o = self.data.len() as u32;
        self.data.extend_from_slice(b);
        self.views[i] = (o, b.len() as u32);
    }
    /// Builds a value in place: `f` appends its bytes to the buffer, which then become row `i`.
    #[inline]
    pub fn set_with<R>(&mut self, i: usize, f: impl FnOnce(&mut Vec<u8>) -> R) -> R {
        let o = self.data.len();
        let r = f(&mut self.data);
        self.views[i] = (o as u32, (self.data.len() - o) as u32);
        r
    }
    /// Makes row `i` share row `j`'s bytes.
    #[inline]
    pub fn alias(&mut self, i: usize, j: usize) {
        self.views[i] = self.views[j];
    }
    /// Drops all rows, keeps the memory.
    pub fn clear(&mut self) {
        self.views.clear();
        self.data.clear();
    }
    /// Makes it `n` rows long, new ones empty.
    pub fn resize(&mut self, n: usize) {
        self.views.resize(n, (0, 0));
    }
    /// Gives back memory beyond the rows'.
    pub fn shrink(&mut self) {
        self.views.shrink_to_fit();
        self.data.shrink_to_fit();
    }
    /// Bytes held.
    pub fn memory(&self) -> usize {
        self.views.capacity() * 8 + self.data.capacity()
    }
}

/// The values of a column. NULL rows hold an arbitrary (valid) value.
#[derive(Clone, Debug)]
pub enum ColumnData {
    Bool(Vec<bool>),
    I8(Vec<i8>),
    I16(Vec<i16>),
    I32(Vec<i32>),
    U32(Vec<u32>),
    I64(Vec<i64>),
    F32(Vec<f32>),
    F64(Vec<f64>),
    Fixed16(Vec<[u8; 16]>),
    Bytes(BytesColumn),
}

/// Runs `$body` with `$v` bound to the vector of a fixed-width column, or `$bytes_body` for variable length.
#[macro_export]
macro_rules! each_column_data {
    ($data:expr, $v:ident => $body:expr, $b:ident => $bytes_body:expr) => {
        match $data {
            $crate::ColumnData::Bool($v) => $body,
            $crate::ColumnData::I8($v) => $body,
            $crate::ColumnData::I16($v) => $body,
            $crate::ColumnData::I32($v) => $body,
            $crate::ColumnData::U32($v) => $body,
            $crate::ColumnData::I64($v) => $body,
            $crate::ColumnData::F32($v) => $body,
            $crate::ColumnData::F64($v) => $body,
            $crate::ColumnData::Fixed16($v) => $body,
            $crate::ColumnData::Bytes($b) => $bytes_body,
        }
    };
}

/// A column vector.
#[derive(Clone, Debug)]
pub struct Column {
    pub data: ColumnData,
    pub nulls: NullMask,
}

impl Column {
    /// An empty column.
    pub fn new(phys: Phys) -> Column {
        let data = match phys {
            Phys::Bool => ColumnData::Bool(Vec::new()),
            Phys::I8 => ColumnData::I8(Vec::new()),
            Phys::I16 => ColumnData::I16(Vec::new()),
            Phys::I32 => ColumnData::I32(Vec::new()),
            Phys::U32 => ColumnData::U32(Vec::new()),
            Phys::I64 => ColumnData::I64(Vec::new()),
            Phys::F32 => ColumnData::F32(Vec::new()),
            Phys::F64 => ColumnData::F64(Vec::new()),
            Phys::Fixed16 => ColumnData::Fixed16(Vec::new()),
            Phys::Bytes => ColumnData::Bytes(BytesColumn::default()),
        };
        Column { data, nulls: NullMask::default() }
    }
    /// Its physical kind.
    pub fn phys(&self) -> Phys {
        match &self.data {
            ColumnData::Bool(_) => Phys::Bool,
            ColumnData::I8(_) => Phys::I8,
            ColumnData::I16(_) => Phys::I16,
            ColumnData::I32(_) => Phys::I32,
            ColumnData::U32(_) => Phys::U32,
            ColumnData::I64(_) => Phys::I64,
            ColumnData::F32(_) => Phys::F32,
            ColumnData::F64(_) => Phys::F64,
            ColumnData::Fixed16(_) => Phys::Fixed16,
            ColumnData::Bytes(_) => Phys::Bytes,
        }
    }
    /// Number of rows stored.
    pub fn len(&self) -> usize {
        each_column_data!(&self.data, v => v.len(), b => b.len())
    }
    /// Has it no rows?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Drops all rows, keeps the memory.
    pub fn clear(&mut self) {
        self.nulls.clear();
        each_column_data!(&mut self.data, v => v.clear(), b => b.clear());
    }
    /// Makes it `n` rows long; new rows hold zero values.
    pub fn resize(&mut self, n: usize) {
        each_column_data!(&mut self.data, v => v.resize(n, Default::default()), b => b.resize(n));
    }
    /// Value of row `i`.
    #[inline]
    pub fn get(&self, i: usize) -> DatumRef<'_> {
        if self.nulls.get(i) {
            return DatumRef::Null;
        }
        match &self.data {
            ColumnData::Bool(v) => DatumRef::Bool(v[i]),
            ColumnData::I8(v) => DatumRef::I8(v[i]),
            ColumnData::I16(v) => DatumRef::I16(v[i]),
            ColumnData::I32(v) => DatumRef::I32(v[i]),
            ColumnData::U32(v) => DatumRef::U32(v[i]),
            ColumnData::I64(v) => DatumRef::I64(v[i]),
            ColumnData::F32(v) => DatumRef::F32(v[i]),
            ColumnData::F64(v) => DatumRef::F64(v[i]),
            ColumnData::Fixed16(v) => DatumRef::Fixed16(v[i]),
            ColumnData::Bytes(b) => DatumRef::Bytes(b.get(i)),
        }
    }
    /// Appends a row. The datum must be NULL or of this column's kind.
    #[inline]
    pub fn push(&mut self, d: DatumRef<'_>) {
        let i = self.len();
        match (&mut self.data, d) {
            (_, DatumRef::Null) => {
                self.resize(i + 1);
                self.nulls.set(i);
            }
            (ColumnData::Bool(v), DatumRef::Bool(x)) => v.push(x),
            (ColumnData::I8(v), DatumRef::I8(x)) => v.push(x),
            (ColumnData::I16(v), DatumRef::I16(x)) => v.push(x),
            (ColumnData::I32(v), DatumRef::I32(x)) => v.push(x),
            (ColumnData::U32(v), DatumRef::U32(x)) => v.push(x),
            (ColumnData::I64(v), DatumRef::I64(x)) => v.push(x),
            (ColumnData::F32(v), DatumRef::F32(x)) => v.push(x),
            (ColumnData::F64(v), DatumRef::F64(x)) => v.push(x),
            (ColumnData::Fixed16(v), DatumRef::Fixed16(x)) => v.push(x),
            (ColumnData::Bytes(v), DatumRef::Bytes(x)) => v.push(x),
            (data, d) => unreachable!("physical kind mismatch: {d:?} into {data:?}"),
        }
    }
    /// Sets row `i`, growing the column to hold it. Same rule on kinds as [`Column::push`].
    #[inline]
    pub fn set(&mut self, i: usize, d: DatumRef<'_>) {
        if i >= self.len() {
            self.resize(i + 1);
        }
        if d.is_null() {
            self.nulls.set(i);
            return;
        }
        self.nulls.unset(i);
        match (&mut self.data, d) {
            (ColumnData::Bool(v), DatumRef::Bool(x)) => v[i] = x,
            (ColumnData::I8(v), DatumRef::I8(x)) => v[i] = x,
            (ColumnData::I16(v), DatumRef::I16(x)) => v[i] = x,
            (ColumnData::I32(v), DatumRef::I32(x)) => v[i] = x,
            (ColumnData::U32(v), DatumRef::U32(x)) => v[i] = x,
            (ColumnData::I64(v), DatumRef::I64(x)) => v[i] = x,
            (ColumnData::F32(v), DatumRef::F32(x)) => v[i] = x,
            (ColumnData::F64(v), DatumRef::F64(x)) => v[i] = x,
            (ColumnData::Fixed16(v), DatumRef::Fixed16(x)) => v[i] = x,
            (ColumnData::Bytes(v), DatumRef::Bytes(x)) => v.set(i, x),
            (data, d) => unreachable!("physical kind mismatch: {d:?} into {data:?}"),
        }
    }
    /// Appends the last row once more.
    #[inline]
    pub fn repeat_last(&mut self) {
        let n = self.len();
        if self.nulls.get(n - 1) {
            self.push(DatumRef::Null);
            return;
        }
        each_column_data!(&mut self.data, v => v.push(v[n - 1]), b => {
            b.resize(n + 1);
            b.alias(n, n - 1);
        });
    }
    /// A column of one row, used as a constant argument.
    pub fn constant(phys: Phys, d: &Datum) -> Column {
        let mut c = Column::new(phys);
        c.push(d.as_ref());
        c
    }
    /// Gives back memory beyond the rows'.
    pub fn shrink(&mut self) {
        each_column_data!(&mut self.data, v => v.shrink_to_fit(), b => b.shrink());
    }
    /// Bytes held.
    pub fn memory(&self) -> usize {
        each_column_data!(&self.data, v => std::mem::size_of_val(v.as_slice()), b => b.memory())
    }
}

/// Which rows of a batch a kernel works on.
#[derive(Clone, Copy, Debug)]
pub enum Rows<'a> {
    /// All of `0..n`.
    All(usize),
    /// The listed ones, ascending.
    Sel(&'a [u16]),
}

impl Rows<'_> {
    /// How many.
    pub fn count(&self) -> usize {
        match self {
            Rows::All(n) => *n,
            Rows::Sel(s) => s.len(),
        }
    }
    /// One past the highest row index: the length an output column needs.
    pub fn bound(&self) -> usize {
        match self {
            Rows::All(n) => *n,
            Rows::Sel(s) => s.last().map_or(0, |&i| i as usize + 1),
        }
    }
    /// Calls `f` with each row index.
    #[inline]
    pub fn each<E>(&self, mut f: impl FnMut(usize) -> Result<(), E>) -> Result<(), E> {
        match self {
            Rows::All(n) => (0..*n).try_for_each(f),
            Rows::Sel(s) => s.iter().try_for_each(|&i| f(i as usize)),
        }
    }
}

/// An argument of a kernel: a column, or a constant held in row 0 of a one-row column.
#[derive(Clone, Copy, Debug)]
pub struct Arg<'a> {
    pub col: &'a Column,
    pub konst: bool,
}

impl<'a> Arg<'a> {
    /// Index into the column for row `i` of the batch.
    #[inline]
    pub fn index(&self, i: usize) -> usize {
        if self.konst { 0 } else { i }
    }
    /// Value for row `i` of the batch.
    #[inline]
    pub fn get(&self, i: usize) -> DatumRef<'a> {
        self.col.get(self.index(i))
    }
    /// Is it null in row `i`?
    #[inline]
    pub fn is_null(&self, i: usize) -> bool {
        self.col.nulls.get(self.index(i))
    }
}

/// Rows on their way through a plan.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    pub cols: Vec<Column>,
    /// Rows stored in each column (selected or not).
    pub rows: usize,
    /// Rows alive, ascending; `None` means all.
    pub sel: Option<Vec<u16>>,
}

impl Batch {
    /// The rows alive.
    pub fn live(&self) -> Rows<'_> {
        match &self.sel {
            None => Rows::All(self.rows),
            Some(s) => Rows::Sel(s),
        }
    }
    /// How many rows are alive.
    pub fn live_count(&self) -> usize {
        self.sel.as_ref().map_or(self.rows, Vec::len)
    }
    /// Empties all columns, keeps the memory.
    pub fn clear(&mut self) {
        self.rows = 0;
        self.sel = None;
        for c in &mut self.cols {
            c.clear();
        }
    }
}
