//! The row format inside a tuple (behind its header): null bitmap, aligned attributes, short variable-length headers.
//! The access methods form heap and index tuples with it and scans deform them; the byte layout is PostgreSQL's
//! (little endian). Invariant: bytes from a page never panic here, a length that leaves the tuple is XX001.
//!
//! Variable-length headers (`len` counts the header): `len << 2` in four bytes for a plain value, `len << 2 | 2` and a
//! second word (raw size and method) for one compressed in line, `len << 1 | 1` in one unaligned byte for up to 126
//! bytes of data, and `0x01 0x12` followed by sixteen bytes for a pointer to a TOAST table. Padding bytes are zero, so
//! that a reader can tell an unaligned one-byte header from padding.

use crate::column::{Column, ColumnData};
use crate::datum::{Datum, DatumRef, Phys};
use crate::tupdesc::{Attribute, TupleDesc};
use common::{Error, Oid, Result};

/// Bytes of an external TOAST pointer, its two header bytes included.
pub const TOAST_POINTER_LEN: usize = 18;
/// Most data bytes behind a one-byte header.
pub const SHORT_MAX: usize = 126;
/// Bytes of a `name` on disk.
pub const NAME_LEN: usize = 64;

const VARTAG_ONDISK: u8 = 18;

/// Where an out-of-line value lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ToastPointer {
    /// Size of the uncompressed value with its four header bytes.
    pub rawsize: i32,
    /// Bytes stored in the TOAST table (30 bits) and the compression method (upper 2 bits: 0 pglz, 1 lz4).
    pub extinfo: u32,
    pub value_id: Oid,
    pub toast_relid: Oid,
}

impl ToastPointer {
    /// Bytes stored outside.
    pub fn extsize(&self) -> u32 {
        self.extinfo & 0x3fff_ffff
    }
    /// Compression method, if the stored bytes are compressed: 0 pglz, 1 lz4.
    pub fn method(&self) -> u8 {
        (self.extinfo >> 30) as u8
    }
    /// Are the stored bytes compressed?
    pub fn is_compressed(&self) -> bool {
        i64::from(self.extsize()) < i64::from(self.rawsize) - 4
    }
    /// The eighteen bytes that stand for the value in a tuple.
    pub fn to_bytes(&self) -> [u8; TOAST_POINTER_LEN] {
        let mut b = [0; TOAST_POINTER_LEN];
        b[0] = 1;
        b[1] = VARTAG_ONDISK;
        b[2..6].copy_from_slice(&self.rawsize.to_le_bytes());
        b[6..10].copy_from_slice(&self.extinfo.to_le_bytes());
        b[10..14].copy_from_slice(&self.value_id.0.to_le_bytes());
        b[14..18].copy_from_slice(&self.toast_relid.0.to_le_bytes());
        b
    }
    /// Reads the eighteen bytes.
    pub fn from_bytes(b: &[u8]) -> Result<ToastPointer> {
        if b.len() < TOAST_POINTER_LEN || b[0] != 1 || b[1] != VARTAG_ONDISK {
            return Err(corrupt("invalid toast pointer"));
        }
        Ok(ToastPointer {
            rawsize: le_u32(b, 2) as i32,
            extinfo: le_u32(b, 6),
            value_id: Oid(le_u32(b, 10)),
            toast_relid: Oid(le_u32(b, 14)),
        })
    }
}

/// The parts of a value compressed in line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompressedParts<'a> {
    /// Size of the uncompressed data, without any header.
    pub rawsize: usize,
    /// 0 pglz, 1 lz4.
    pub method: u8,
    pub payload: &'a [u8],
}

/// Splits the bytes of [`RawAttr::Compressed`].
pub fn compressed_parts(raw: &[u8]) -> Result<CompressedParts<'_>> {
    if raw.len() < 8 {
        return Err(corrupt("compressed data is corrupted"));
    }
    let info = le_u32(raw, 4);
    Ok(CompressedParts {
        rawsize: (info & 0x3fff_ffff) as usize,
        method: (info >> 30) as u8,
        payload: &raw[8..],
    })
}

/// Builds the in-line compressed form (header included) of a value of `rawsize` bytes.
pub fn compressed_varlena(rawsize: usize, method: u8, payload: &[u8]) -> Vec<u8> {
    let len = payload.len() + 8;
    let mut v = Vec::with_capacity(len);
    v.extend_from_slice(&((len as u32) << 2 | 2).to_le_bytes());
    v.extend_from_slice(&(rawsize as u32 & 0x3fff_ffff | u32::from(method) << 30).to_le_bytes());
    v.extend_from_slice(payload);
    v
}

/// An attribute as it lies in a tuple.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RawAttr<'a> {
    Null,
    Plain(DatumRef<'a>),
    /// Compressed in line; `raw` is the whole value with its four-byte header (see [`compressed_parts`]).
    Compressed {
        raw: &'a [u8],
    },
    External(ToastPointer),
}

/// An attribute to be put into a tuple.
#[derive(Clone, Copy, Debug)]
pub enum FormAttr<'a> {
    /// A value; variable-length ones get their header here.
    Datum(DatumRef<'a>),
    /// A variable-length value in its stored form, header included: compressed in line or a TOAST pointer.
    Raw(&'a [u8]),
}

impl FormAttr<'_> {
    /// Is it NULL?
    pub fn is_null(&self) -> bool {
        matches!(self, FormAttr::Datum(DatumRef::Null))
    }
}

/// What a tuple header wants to know about its data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FormFlags {
    pub has_nulls: bool,
    pub has_varwidth: bool,
    pub has_external: bool,
}

/// Storage of a type: bytes (-1 variable, -2 C string) and alignment code, for built-in types.
pub fn disk_len_align(type_oid: Oid) -> (i16, u8) {
    use crate::oids::*;
    match type_oid {
        BOOL | CHAR => (1, b'c'),
        INT2 => (2, b's'),
        INT4
        | FLOAT4
        | DATE
        | OID
        | XID
        | CID
        | REGPROC
        | REGPROCEDURE
        | REGOPER
        | REGOPERATOR
        | REGCLASS
        | REGTYPE
        | REGROLE
        | REGNAMESPACE
        | REGCOLLATION
        | REGCONFIG
        | REGDICTIONARY
        | VOID
        | TRIGGER
        | ANY
        | EVENT_TRIGGER
        | LANGUAGE_HANDLER
        | FDW_HANDLER
        | INDEX_AM_HANDLER
        | TSM_HANDLER
        | TABLE_AM_HANDLER
        | ANYELEMENT
        | ANYNONARRAY
        | ANYENUM
        | ANYCOMPATIBLE
        | ANYCOMPATIBLENONARRAY => (4, b'i'),
        INT8 | FLOAT8 | MONEY | TIME | TIMESTAMP | TIMESTAMPTZ | XID8 | PG_LSN | INTERNAL => (8, b'd'),
        NAME => (64, b'c'),
        TID => (6, b's'),
        TIMETZ => (12, b'd'),
        INTERVAL => (16, b'd'),
        UUID => (16, b'c'),
        POINT => (16, b'd'),
        LSEG | BOX => (32, b'd'),
        LINE | CIRCLE => (24, b'd'),
        MACADDR => (6, b'i'),
        MACADDR8 => (8, b'i'),
        ACLITEM => (12, b'i'),
        CSTRING | UNKNOWN => (-2, b'c'),
        RECORD | PATH | POLYGON | ANYARRAY | ANYCOMPATIBLEARRAY | INT8_ARRAY | FLOAT8_ARRAY | TIME_ARRAY
        | TIMETZ_ARRAY | TIMESTAMP_ARRAY | TIMESTAMPTZ_ARRAY | INTERVAL_ARRAY | XID8_ARRAY | PG_LSN_ARRAY
        | MONEY_ARRAY => (-1, b'd'),
        _ => (-1, b'i'),
    }
}

/// Bytes an alignment code stands for.
#[inline]
pub fn align_bytes(align: u8) -> usize {
    match align {
        b'c' => 1,
        b's' => 2,
        b'd' => 8,
        _ => 4,
    }
}

/// Rounds up to a power of two.
#[inline]
pub fn align_up(off: usize, to: usize) -> usize {
    (off + to - 1) & !(to - 1)
}

#[inline]
fn le_u32(b: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([b[at], b[at + 1], b[at + 2], b[at + 3]])
}

#[cold]
fn corrupt(what: &str) -> Error {
    Error::corrupted(what)
}

#[cold]
fn overrun(attno: usize) -> Error {
    Error::corrupted(format!("attribute {} extends beyond the end of its tuple", attno + 1))
}

/// How an attribute's bytes map to a datum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Bool,
    I8,
    I16,
    I32,
    U32,
    I64,
    F32,
    F64,
    Fixed16,
    TimeTz,
    Tid,
    Name,
    FixedBytes,
    Varlena,
    CString,
}

fn kind_of(phys: Phys, len: i16) -> Kind {
    match phys {
        Phys::Bool => Kind::Bool,
        Phys::I8 => Kind::I8,
        Phys::I16 => Kind::I16,
        Phys::I32 => Kind::I32,
        Phys::U32 => Kind::U32,
        Phys::I64 if len == 6 => Kind::Tid,
        Phys::I64 => Kind::I64,
        Phys::F32 => Kind::F32,
        Phys::F64 => Kind::F64,
        Phys::Fixed16 if len == 12 => Kind::TimeTz,
        Phys::Fixed16 => Kind::Fixed16,
        Phys::Bytes => match len {
            -1 => Kind::Varlena,
            -2 => Kind::CString,
            64 => Kind::Name,
            _ => Kind::FixedBytes,
        },
    }
}

fn fixed_len(kind: Kind, len: i16) -> usize {
    match kind {
        Kind::Bool | Kind::I8 => 1,
        Kind::I16 => 2,
        Kind::I32 | Kind::U32 | Kind::F32 => 4,
        Kind::I64 | Kind::F64 => 8,
        Kind::Fixed16 => 16,
        Kind::TimeTz => 12,
        Kind::Tid => 6,
        Kind::Name => NAME_LEN,
        Kind::FixedBytes => len.max(0) as usize,
        Kind::Varlena | Kind::CString => 0,
    }
}

/// Appends the null bitmap of a row: one bit an attribute, set where there is a value.
pub fn form_bitmap(values: &[FormAttr<'_>], out: &mut Vec<u8>) {
    let base = out.len();
    out.resize(base + values.len().div_ceil(8), 0);
    for (i, v) in values.iter().enumerate() {
        if !v.is_null() {
            out[base + i / 8] |= 1 << (i % 8);
        }
    }
}

/// Bytes of a null bitmap.
pub fn bitmap_len(natts: usize) -> usize {
    natts.div_ceil(8)
}

/// The bytes [`form_data`] would append.
pub fn data_len(desc: &TupleDesc, values: &[FormAttr<'_>]) -> usize {
    let mut off = 0;
    for (att, v) in desc.attrs.iter().zip(values) {
        let (start, len) = match v {
            FormAttr::Datum(DatumRef::Null) => continue,
            FormAttr::Raw(raw) => (raw_start(att, raw, off), raw.len()),
            FormAttr::Datum(d) => match kind_of(att.phys, att.len) {
                Kind::Varlena => {
                    let n = d.bytes().len();
                    if goes_short(att, n) {
                        (off, n + 1)
                    } else {
                        (align_up(off, align_bytes(att.align)), n + 4)
                    }
                }
                Kind::CString => (off, d.bytes().len() + 1),
                k => (align_up(off, align_bytes(att.align)), fixed_len(k, att.len)),
            },
        };
        off = start + len;
    }
    off
}

fn goes_short(att: &Attribute, n: usize) -> bool {
    n <= SHORT_MAX && att.storage != b'p'
}

fn raw_start(att: &Attribute, raw: &[u8], off: usize) -> usize {
    let short = raw.first().is_some_and(|b| b & 1 == 1);
    if short { off } else { align_up(off, align_bytes(att.align)) }
}

/// Appends the data part of a row. Offsets count from `out`'s length on entry, which must lie at a multiple of 8 in
/// the finished tuple. Values must match the attributes' physical kinds.
pub fn form_data(desc: &TupleDesc, values: &[FormAttr<'_>], out: &mut Vec<u8>) -> FormFlags {
    debug_assert!(values.len() <= desc.attrs.len());
    let base = out.len();
    let mut flags = FormFlags::default();
    for (att, v) in desc.attrs.iter().zip(values) {
        match v {
            FormAttr::Datum(DatumRef::Null) => flags.has_nulls = true,
            FormAttr::Raw(raw) => {
                flags.has_varwidth = true;
                flags.has_external |= raw.first() == Some(&1);
                let at = raw_start(att, raw, out.len() - base);
                out.resize(base + at, 0);
                out.extend_from_slice(raw);
            }
            FormAttr::Datum(d) => form_datum(att, *d, base, out, &mut flags),
        }
    }
    flags
}

fn form_datum(att: &Attribute, d: DatumRef<'_>, base: usize, out: &mut Vec<u8>, flags: &mut FormFlags) {
    let layout = Layout::new(att.phys, att.len, att.align);
    flags.has_varwidth |= matches!(layout.kind, Kind::Varlena | Kind::CString);
    layout.append(d, base, att.storage != b'p', out);
}

/// How values of a type lie in tuples and arrays.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    pub kind: Kind,
    /// Bytes of a fixed-width type.
    pub width: usize,
    /// Alignment in bytes.
    pub align: usize,
}

impl Layout {
    pub fn new(phys: Phys, len: i16, align: u8) -> Layout {
        let kind = kind_of(phys, len);
        Layout { kind, width: fixed_len(kind, len), align: align_bytes(align) }
    }

    /// Appends a non-null value with the padding before it; offsets count from `base`.
    pub fn append(&self, d: DatumRef<'_>, base: usize, short: bool, out: &mut Vec<u8>) {
        let aligned = base + align_up(out.len() - base, self.align);
        let kind = self.kind;
        if !matches!(kind, Kind::Varlena | Kind::CString) {
            out.resize(aligned, 0);
        }
        match kind {
            Kind::Bool => out.push(u8::from(d.bool())),
            Kind::I8 => out.push(d.i8() as u8),
            Kind::I16 => out.extend_from_slice(&d.i16().to_le_bytes()),
            Kind::I32 => out.extend_from_slice(&d.i32().to_le_bytes()),
            Kind::U32 => out.extend_from_slice(&d.u32().to_le_bytes()),
            Kind::I64 => out.extend_from_slice(&d.i64().to_le_bytes()),
            Kind::F32 => out.extend_from_slice(&d.f32().to_le_bytes()),
            Kind::F64 => out.extend_from_slice(&d.f64().to_le_bytes()),
            Kind::Fixed16 => out.extend_from_slice(&d.fixed16()),
            Kind::TimeTz => out.extend_from_slice(&d.fixed16()[..12]),
            Kind::Tid => out.extend_from_slice(&tid_to_disk(d.i64())),
            Kind::Name | Kind::FixedBytes => {
                let room = if kind == Kind::Name { self.width - 1 } else { self.width };
                let b = d.bytes();
                out.extend_from_slice(&b[..b.len().min(room)]);
                out.resize(aligned + self.width, 0);
            }
            Kind::Varlena => {
                let b = d.bytes();
                if short && b.len() <= SHORT_MAX {
                    out.push(((b.len() + 1) as u8) << 1 | 1);
                } else {
                    out.resize(aligned, 0);
                    out.extend_from_slice(&(((b.len() + 4) as u32) << 2).to_le_bytes());
                }
                out.extend_from_slice(b);
            }
            Kind::CString => {
                out.extend_from_slice(d.bytes());
                out.push(0);
            }
        }
    }

    /// Reads the plain value at `off` (aligned by the caller) and tells where it ends. XX001.
    pub fn read<'a>(&self, data: &'a [u8], off: usize) -> Result<(DatumRef<'a>, usize)> {
        let meta =
            AttMeta { kind: self.kind, width: self.width as u32, align: self.align as u32, cached: u32::MAX };
        match read_attr(&meta, data, off, 0)? {
            (RawAttr::Plain(d), end) => Ok((d, end)),
            _ => Err(corrupt("toasted element in a flat value")),
        }
    }
}

fn tid_to_disk(packed: i64) -> [u8; 6] {
    let t = common::Tid::unpack(packed);
    let (hi, lo, off) =
        (((t.block.0 >> 16) as u16).to_le_bytes(), (t.block.0 as u16).to_le_bytes(), t.offset.to_le_bytes());
    [hi[0], hi[1], lo[0], lo[1], off[0], off[1]]
}

fn tid_from_disk(b: &[u8]) -> i64 {
    let w = |i: usize| i64::from(u16::from_le_bytes([b[i], b[i + 1]]));
    w(0) << 32 | w(2) << 16 | w(4)
}

/// A tuple as the deformer sees it.
#[derive(Clone, Copy, Debug)]
pub struct TupleBytes<'a> {
    /// Attributes stored; later ones of the descriptor are missing.
    pub natts: usize,
    /// Null bitmap, if the tuple has nulls.
    pub bitmap: Option<&'a [u8]>,
    /// The data part, starting at a multiple of 8.
    pub data: &'a [u8],
}

impl TupleBytes<'_> {
    #[inline]
    fn is_null(&self, i: usize) -> bool {
        self.bitmap.is_some_and(|b| b.get(i / 8).is_none_or(|w| w >> (i % 8) & 1 == 0))
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct AttMeta {
    pub kind: Kind,
    /// Bytes of a fixed-width attribute.
    pub width: u32,
    pub align: u32,
    /// Offset when the tuple has no null before it; `u32::MAX` when it depends on values.
    pub cached: u32,
}

/// Takes tuples of one row shape apart.
#[derive(Clone, Debug)]
pub struct Deformer {
    atts: Vec<AttMeta>,
    missing: Vec<Option<Datum>>,
}

/// Reads a value that is stored compressed or out of line, appending it to the buffer.
pub type DetoastFn<'f> = &'f mut dyn FnMut(RawAttr<'_>, &mut Vec<u8>) -> Result<()>;

impl Deformer {
    /// Prepares for rows of this shape.
    pub fn new(desc: &TupleDesc) -> Deformer {
        let mut known = Some(0usize);
        let mut atts = Vec::with_capacity(desc.attrs.len());
        for a in &desc.attrs {
            let kind = kind_of(a.phys, a.len);
            let (align, width) = (align_bytes(a.align), fixed_len(kind, a.len));
            let at = match kind {
                Kind::Varlena => known.filter(|o| o % align == 0),
                Kind::CString => known,
                _ => known.map(|o| align_up(o, align)),
            };
            known = if matches!(kind, Kind::Varlena | Kind::CString) { None } else { at.map(|o| o + width) };
            atts.push(AttMeta {
                kind,
                width: width as u32,
                align: align as u32,
                cached: at.and_then(|o| u32::try_from(o).ok()).unwrap_or(u32::MAX),
            });
        }
        Deformer { atts, missing: desc.attrs.iter().map(|a| a.missing.clone()).collect() }
    }

    /// Walks the attributes in order, as many as the descriptor has.
    pub fn walk<'t>(&'t self, tuple: TupleBytes<'t>) -> Walker<'t> {
        Walker { deformer: self, tuple, next: 0, off: 0, slow: false }
    }

    /// One attribute (number from 1); a missing one is NULL or its stored default.
    pub fn attribute<'t>(&'t self, tuple: TupleBytes<'t>, attnum: usize) -> Result<RawAttr<'t>> {
        let i = attnum.wrapping_sub(1);
        let Some(meta) = self.atts.get(i) else { return Ok(RawAttr::Null) };
        if i >= tuple.natts {
            return Ok(self.missing_raw(i));
        }
        if tuple.is_null(i) {
            return Ok(RawAttr::Null);
        }
        if tuple.bitmap.is_none() && meta.cached != u32::MAX {
            return Ok(read_attr(meta, tuple.data, meta.cached as usize, i)?.0);
        }
        let mut w = self.walk(tuple);
        for _ in 0..i {
            w.skip_one()?;
        }
        w.next_attr()
    }

    /// Does the attribute (from 1) lie at the same place in every tuple without nulls?
    pub fn at_fixed_place(&self, attno: u16) -> bool {
        self.atts.get(usize::from(attno).wrapping_sub(1)).is_some_and(|m| m.cached != u32::MAX)
    }
    /// How the attributes lie.
    pub(crate) fn metas(&self) -> &[AttMeta] {
        &self.atts
    }

    fn missing_raw(&self, i: usize) -> RawAttr<'_> {
        match self.missing.get(i).and_then(Option::as_ref) {
            Some(d) if !d.is_null() => RawAttr::Plain(d.as_ref()),
            _ => RawAttr::Null,
        }
    }

    /// All attributes, appended to `out`.
    pub fn deform<'t>(&'t self, tuple: TupleBytes<'t>, out: &mut Vec<RawAttr<'t>>) -> Result<()> {
        let mut w = self.walk(tuple);
        for _ in 0..self.atts.len() {
            out.push(w.next_attr()?);
        }
        Ok(())
    }

    /// Writes the wanted attributes, ascending pairs of (attribute number from 1, index into `cols`), into row `row`
    /// of the columns, and stops behind the last one. Columns grow to hold the row. `detoast` reads values that are
    /// compressed or out of line.
    pub fn deform_into_columns(
        &self,
        wanted: &[(u16, u16)],
        tuple: TupleBytes<'_>,
        detoast: DetoastFn<'_>,
        cols: &mut [Column],
        row: usize,
    ) -> Result<()> {
        let mut w = self.walk(tuple);
        for &(attnum, out_col) in wanted {
            let i = usize::from(attnum).wrapping_sub(1);
            let col = &mut cols[usize::from(out_col)];
            let Some(meta) = self.atts.get(i) else {
                return Err(Error::internal(format!("attribute number {attnum} exceeds number of columns")));
            };
            debug_assert!(i >= w.next, "wanted attributes must ascend");
            if i >= tuple.natts {
                put(self.missing_raw(i), col, row, detoast)?;
                continue;
            }
            if tuple.is_null(i) {
                col.set(row, DatumRef::Null);
                continue;
            }
            if tuple.bitmap.is_none() && meta.cached != u32::MAX {
                w.jump(i, meta.cached as usize);
            }
            while w.next < i {
                w.skip_one()?;
            }
            put_att(meta, &mut w, col, row, detoast)?;
        }
        Ok(())
    }
}

/// Fast lane for the common fixed-width kinds; everything else through [`RawAttr`].
#[inline]
fn put_att(
    meta: &AttMeta,
    w: &mut Walker<'_>,
    col: &mut Column,
    row: usize,
    detoast: DetoastFn<'_>,
) -> Result<()> {
    if row < col.len() {
        match (meta.kind, &mut col.data) {
            (Kind::I32, ColumnData::I32(v)) => {
                v[row] = i32::from_le_bytes(w.take_fixed(meta)?);
                col.nulls.unset(row);
                return Ok(());
            }
            (Kind::I64, ColumnData::I64(v)) => {
                v[row] = i64::from_le_bytes(w.take_fixed(meta)?);
                col.nulls.unset(row);
                return Ok(());
            }
            (Kind::F64, ColumnData::F64(v)) => {
                v[row] = f64::from_le_bytes(w.take_fixed(meta)?);
                col.nulls.unset(row);
                return Ok(());
            }
            _ => {}
        }
    }
    put(w.next_attr()?, col, row, detoast)
}

fn put(raw: RawAttr<'_>, col: &mut Column, row: usize, detoast: DetoastFn<'_>) -> Result<()> {
    match raw {
        RawAttr::Null => col.set(row, DatumRef::Null),
        RawAttr::Plain(d) => col.set(row, d),
        stored => {
            if row >= col.len() {
                col.resize(row + 1);
            }
            col.nulls.unset(row);
            match &mut col.data {
                ColumnData::Bytes(b) => b.set_with(row, |buf| detoast(stored, buf))?,
                _ => return Err(corrupt("toasted value in a fixed-width column")),
            }
        }
    }
    Ok(())
}

/// Cursor over the attributes of one tuple.
#[derive(Clone, Debug)]
pub struct Walker<'t> {
    deformer: &'t Deformer,
    tuple: TupleBytes<'t>,
    next: usize,
    off: usize,
    /// Did a null or a variable-length value go by, so that cached offsets no longer hold?
    slow: bool,
}

impl<'t> Walker<'t> {
    #[inline]
    fn jump(&mut self, att: usize, off: usize) {
        (self.next, self.off) = (att, off);
    }

    /// Aligned start of the next attribute, or `None` when it is null or missing.
    #[inline]
    fn start(&mut self, i: usize, meta: &AttMeta) -> Option<usize> {
        if i >= self.tuple.natts {
            return None;
        }
        if self.tuple.is_null(i) {
            self.slow = true;
            return None;
        }
        if !self.slow && meta.cached != u32::MAX {
            return Some(meta.cached as usize);
        }
        self.slow = true;
        let unaligned = match meta.kind {
            Kind::Varlena => self.tuple.data.get(self.off).is_some_and(|b| *b != 0),
            Kind::CString => true,
            _ => false,
        };
        Some(if unaligned { self.off } else { align_up(self.off, meta.align as usize) })
    }

    /// The next attribute. Past the last one of the descriptor: NULL.
    #[inline]
    pub fn next_attr(&mut self) -> Result<RawAttr<'t>> {
        let i = self.next;
        let Some(meta) = self.deformer.atts.get(i) else { return Ok(RawAttr::Null) };
        self.next = i + 1;
        let Some(start) = self.start(i, meta) else {
            return Ok(if i >= self.tuple.natts { self.deformer.missing_raw(i) } else { RawAttr::Null });
        };
        let (v, end) = read_attr(meta, self.tuple.data, start, i)?;
        self.off = end;
        Ok(v)
    }

    #[inline]
    fn skip_one(&mut self) -> Result<()> {
        let i = self.next;
        let Some(meta) = self.deformer.atts.get(i) else { return Ok(()) };
        self.next = i + 1;
        if let Some(start) = self.start(i, meta) {
            self.off = match meta.kind {
                Kind::Varlena => start + varlena_size(self.tuple.data, start, i)?,
                Kind::CString => read_attr(meta, self.tuple.data, start, i)?.1,
                _ => start + meta.width as usize,
            };
        }
        Ok(())
    }

    #[inline]
    fn take_fixed<const N: usize>(&mut self, meta: &AttMeta) -> Result<[u8; N]> {
        let i = self.next;
        let off = if !self.slow && meta.cached != u32::MAX {
            meta.cached as usize
        } else {
            align_up(self.off, meta.align as usize)
        };
        self.next = i + 1;
        self.off = off + N;
        match self.tuple.data.get(off..).and_then(|d| d.first_chunk::<N>()) {
            Some(b) => Ok(*b),
            None => Err(overrun(i)),
        }
    }
}

impl<'t> Iterator for Walker<'t> {
    type Item = Result<RawAttr<'t>>;
    fn next(&mut self) -> Option<Self::Item> {
        (self.next < self.deformer.atts.len()).then(|| self.next_attr())
    }
}

/// Bytes a variable-length value takes, header included, checked against the end of the tuple.
fn varlena_size(data: &[u8], off: usize, attno: usize) -> Result<usize> {
    let head = *data.get(off).ok_or_else(|| overrun(attno))?;
    let len = if head == 1 {
        TOAST_POINTER_LEN
    } else if head & 1 == 1 {
        usize::from(head >> 1)
    } else {
        let word = data.get(off..off + 4).ok_or_else(|| overrun(attno))?;
        let len = (le_u32(word, 0) >> 2) as usize;
        if len < 4 {
            return Err(corrupt("invalid length word of a variable-length value"));
        }
        len
    };
    if data.len() - off < len { Err(overrun(attno)) } else { Ok(len) }
}

/// Reads a variable-length value that starts at `off`, and tells where it ends.
fn read_varlena(data: &[u8], off: usize, attno: usize) -> Result<(RawAttr<'_>, usize)> {
    let len = varlena_size(data, off, attno)?;
    let raw = &data[off..off + len];
    let v = match raw[0] {
        1 => RawAttr::External(ToastPointer::from_bytes(raw)?),
        h if h & 1 == 1 => RawAttr::Plain(DatumRef::Bytes(&raw[1..])),
        h if h & 2 == 2 => RawAttr::Compressed { raw },
        _ => RawAttr::Plain(DatumRef::Bytes(&raw[4..])),
    };
    Ok((v, off + len))
}

#[inline]
fn read_attr<'t>(meta: &AttMeta, data: &'t [u8], off: usize, attno: usize) -> Result<(RawAttr<'t>, usize)> {
    match meta.kind {
        Kind::Varlena => return read_varlena(data, off, attno),
        Kind::CString => {
            let rest = data.get(off..).ok_or_else(|| overrun(attno))?;
            let n = rest.iter().position(|b| *b == 0).ok_or_else(|| overrun(attno))?;
            return Ok((RawAttr::Plain(DatumRef::Bytes(&rest[..n])), off + n + 1));
        }
        _ => {}
    }
    let end = off + meta.width as usize;
    let b = data.get(off..end).ok_or_else(|| overrun(attno))?;
    Ok((RawAttr::Plain(decode_fixed(meta.kind, b)), end))
}

fn decode_fixed(kind: Kind, b: &[u8]) -> DatumRef<'_> {
    fn arr<const N: usize>(b: &[u8]) -> [u8; N] {
        b.first_chunk::<N>().copied().unwrap_or([0; N])
    }
    match kind {
        Kind::Bool => DatumRef::Bool(b[0] != 0),
        Kind::I8 => DatumRef::I8(b[0] as i8),
        Kind::I16 => DatumRef::I16(i16::from_le_bytes(arr(b))),
        Kind::I32 => DatumRef::I32(i32::from_le_bytes(arr(b))),
        Kind::U32 => DatumRef::U32(u32::from_le_bytes(arr(b))),
        Kind::I64 => DatumRef::I64(i64::from_le_bytes(arr(b))),
        Kind::F32 => DatumRef::F32(f32::from_le_bytes(arr(b))),
        Kind::F64 => DatumRef::F64(f64::from_le_bytes(arr(b))),
        Kind::Fixed16 => DatumRef::Fixed16(arr(b)),
        Kind::TimeTz => {
            let mut v = [0; 16];
            v[..12].copy_from_slice(b);
            DatumRef::Fixed16(v)
        }
        Kind::Tid => DatumRef::I64(tid_from_disk(b)),
        Kind::Name => {
            let n = b.iter().position(|c| *c == 0).unwrap_or(b.len());
            DatumRef::Bytes(&b[..n])
        }
        Kind::FixedBytes | Kind::Varlena | Kind::CString => DatumRef::Bytes(b),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::oids;

    fn att(type_oid: Oid, phys: Phys) -> Attribute {
        let (len, align) = disk_len_align(type_oid);
        Attribute {
            name: "a".into(),
            type_oid,
            typmod: -1,
            len,
            by_val: len > 0 && len <= 8,
            align,
            storage: if len == -1 { b'x' } else { b'p' },
            compression: 0,
            phys,
            collation: Oid(0),
            not_null: false,
            has_default: false,
            missing: None,
            identity: 0,
            generated: 0,
            dropped: false,
        }
    }

    pub(crate) fn desc() -> TupleDesc {
        TupleDesc {
            attrs: vec![
                att(oids::INT4, Phys::I32),
                att(oids::BOOL, Phys::Bool),
                att(oids::INT8, Phys::I64),
                att(oids::TEXT, Phys::Bytes),
                att(oids::INT2, Phys::I16),
                att(oids::NAME, Phys::Bytes),
                att(oids::TID, Phys::I64),
                att(oids::TIMETZ, Phys::Fixed16),
                att(oids::TEXT, Phys::Bytes),
                att(oids::FLOAT8, Phys::F64),
                att(oids::CSTRING, Phys::Bytes),
            ],
            type_oid: oids::RECORD,
        }
    }

    #[test]
    fn round_trip_with_every_null_pattern() {
        let desc = desc();
        let d = Deformer::new(&desc);
        let long = vec![b'x'; 300];
        let mut tz = [7u8; 16];
        tz[12..].fill(0);
        let full = [
            DatumRef::I32(-5),
            DatumRef::Bool(true),
            DatumRef::I64(1 << 40),
            DatumRef::Bytes(b"hello"),
            DatumRef::I16(-2),
            DatumRef::Bytes(b"relname"),
            DatumRef::I64(common::Tid::new(common::BlockNumber(0x12345), 7).pack()),
            DatumRef::Fixed16(tz),
            DatumRef::Bytes(&long),
            DatumRef::F64(1.5),
            DatumRef::Bytes(b"c"),
        ];
        for mask in 0u32..(1 << full.len()) {
            let vals: Vec<DatumRef<'_>> = full
                .iter()
                .enumerate()
                .map(|(i, v)| if mask >> i & 1 == 1 { DatumRef::Null } else { *v })
                .collect();
            let form: Vec<FormAttr<'_>> = vals.iter().map(|v| FormAttr::Datum(*v)).collect();
            let (mut data, mut bitmap) = (Vec::new(), Vec::new());
            let flags = form_data(&desc, &form, &mut data);
            form_bitmap(&form, &mut bitmap);
            assert_eq!(flags.has_nulls, mask != 0);
            assert_eq!(data.len(), data_len(&desc, &form));
            let t =
                TupleBytes { natts: vals.len(), bitmap: flags.has_nulls.then_some(&bitmap[..]), data: &data };
            let got: Vec<RawAttr<'_>> = d.walk(t).collect::<Result<_>>().unwrap();
            let mut cols: Vec<Column> = desc.attrs.iter().map(|a| Column::new(a.phys)).collect();
            let wanted: Vec<(u16, u16)> = (0..vals.len() as u16)
                .filter(|i| (mask + u32::from(*i)) % 3 != 0)
                .map(|i| (i + 1, i))
                .collect();
            d.deform_into_columns(&wanted, t, &mut |_, _| Ok(()), &mut cols, 0).unwrap();
            for (i, v) in vals.iter().enumerate() {
                let want = if v.is_null() { RawAttr::Null } else { RawAttr::Plain(*v) };
                assert_eq!(got[i], want);
                assert_eq!(d.attribute(t, i + 1).unwrap(), want);
            }
            for (n, c) in wanted {
                assert_eq!(cols[usize::from(c)].get(0), vals[usize::from(n) - 1]);
            }
        }
    }

    #[test]
    fn corrupt_bytes_are_errors() {
        let desc = desc();
        let d = Deformer::new(&desc);
        let mut state = 1u64;
        for len in 0..200 {
            let data: Vec<u8> = (0..len)
                .map(|_| {
                    state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                    (state >> 33) as u8
                })
                .collect();
            let t = TupleBytes { natts: 11, bitmap: None, data: &data };
            for a in d.walk(t) {
                if a.is_err() {
                    break;
                }
            }
        }
    }

    #[test]
    fn toast_forms() {
        let desc = TupleDesc {
            attrs: vec![
                att(oids::INT4, Phys::I32),
                att(oids::TEXT, Phys::Bytes),
                att(oids::TEXT, Phys::Bytes),
            ],
            type_oid: oids::RECORD,
        };
        let p =
            ToastPointer { rawsize: 5000, extinfo: 1234 | 1 << 30, value_id: Oid(77), toast_relid: Oid(88) };
        let c = compressed_varlena(1000, 1, b"payload");
        let pb = p.to_bytes();
        let form = [FormAttr::Datum(DatumRef::I32(1)), FormAttr::Raw(&pb), FormAttr::Raw(&c)];
        let mut data = Vec::new();
        let flags = form_data(&desc, &form, &mut data);
        assert!(flags.has_external && flags.has_varwidth && !flags.has_nulls);
        assert_eq!(data.len(), 4 + 18 + 2 + 15);
        let d = Deformer::new(&desc);
        let t = TupleBytes { natts: 3, bitmap: None, data: &data };
        assert_eq!(d.attribute(t, 2).unwrap(), RawAttr::External(p));
        assert_eq!(d.attribute(t, 3).unwrap(), RawAttr::Compressed { raw: &c });
        let parts = compressed_parts(&c).unwrap();
        assert_eq!((parts.rawsize, parts.method, parts.payload), (1000, 1, &b"payload"[..]));
    }

    #[test]
    fn missing_values() {
        let mut desc = desc();
        desc.attrs[4].missing = Some(Datum::I16(42));
        let d = Deformer::new(&desc);
        let mut data = Vec::new();
        form_data(&desc, &[FormAttr::Datum(DatumRef::I32(9))], &mut data);
        let t = TupleBytes { natts: 1, bitmap: None, data: &data };
        assert_eq!(d.attribute(t, 5).unwrap(), RawAttr::Plain(DatumRef::I16(42)));
        assert_eq!(d.attribute(t, 4).unwrap(), RawAttr::Null);
        let mut cols = vec![Column::new(Phys::I16), Column::new(Phys::Bytes)];
        d.deform_into_columns(&[(4, 1), (5, 0)], t, &mut |_, _| Ok(()), &mut cols, 3).unwrap();
        assert_eq!(cols[0].get(3), DatumRef::I16(42));
        assert!(cols[1].get(3).is_null());
    }
}
