//! Forming heap tuples: header, null bitmap, data, with large values toasted on the way.

use super::header::{self, HEADER_SIZE, Header, maxalign};
use super::page::MAX_TUPLE_SIZE;
use super::toast;
use crate::rel::Rel;
use crate::txn::Engine;
use common::{CommandId, Result};
use types::form::Former;
use types::tuple::{self, FormAttr};
use types::{Column, DatumRef};

/// A value on its way into a tuple: borrowed, or a stored form made by toasting.
pub enum Value<'a> {
    Ref(FormAttr<'a>),
    Stored(Vec<u8>),
}

impl Value<'_> {
    /// As the tuple codec wants it.
    pub fn attr(&self) -> FormAttr<'_> {
        match self {
            Value::Ref(a) => *a,
            Value::Stored(b) => FormAttr::Raw(b),
        }
    }
}

/// Bytes of the tuple with these values.
pub fn tuple_size(rel: &Rel, values: &[Value<'_>]) -> usize {
    let attrs: Vec<FormAttr<'_>> = values.iter().map(Value::attr).collect();
    let nulls = attrs.iter().any(FormAttr::is_null);
    let bitmap = if nulls { tuple::bitmap_len(attrs.len()) } else { 0 };
    maxalign(HEADER_SIZE + bitmap) + tuple::data_len(&rel.desc, &attrs)
}

/// Forms the tuple; xmin, xmax, cid and ctid are left zero, infomask says "no xmax".
fn form(rel: &Rel, attrs: &[FormAttr<'_>], out: &mut Vec<u8>) {
    let base = out.len();
    out.resize(base + HEADER_SIZE, 0);
    let nulls = attrs.iter().any(FormAttr::is_null);
    if nulls {
        tuple::form_bitmap(attrs, out);
    }
    let hoff = maxalign(out.len() - base);
    out.resize(base + hoff, 0);
    // The codec aligns relative to where the data begins; hoff is a multiple of 8.
    let f = tuple::form_data(&rel.desc, attrs, out);
    let mut mask = header::XMAX_INVALID;
    if nulls {
        mask |= header::HASNULL;
    }
    if f.has_varwidth {
        mask |= header::HASVARWIDTH;
    }
    if f.has_external {
        mask |= header::HASEXTERNAL;
    }
    let h = Header {
        infomask: mask,
        infomask2: attrs.len() as u16 & header::NATTS_MASK,
        hoff: hoff as u8,
        ..Default::default()
    };
    h.write(&mut out[base..], header::Bases::default());
}

/// Appends the tuple of row `i` of these columns; xmin and ctid are left zero, `mask` is added to its infomask. False
/// when it is so large that values must be toasted: what was appended is to be thrown away.
pub(super) fn form_row(
    former: &Former,
    cols: &[Column],
    i: usize,
    cid: CommandId,
    mask: u16,
    out: &mut Vec<u8>,
) -> bool {
    let base = out.len();
    let nulls = former.has_nulls(cols, i);
    let hoff =
        if nulls { maxalign(HEADER_SIZE + tuple::bitmap_len(cols.len())) } else { maxalign(HEADER_SIZE) };
    let mut mask = mask | header::XMAX_INVALID;
    if nulls {
        mask |= header::HASNULL;
        out.resize(base + HEADER_SIZE, 0);
        former.bitmap(cols, i, out);
        out.resize(base + hoff, 0);
    } else {
        out.extend_from_slice(&[0; maxalign(HEADER_SIZE)]);
    }
    let f = former.data(cols, i, out);
    if f.has_varwidth {
        mask |= header::HASVARWIDTH;
    }
    let t = &mut out[base..];
    header::set_infomask2(t, cols.len() as u16 & header::NATTS_MASK);
    header::set_infomask(t, mask);
    header::set_cid(t, cid.0);
    t[HEADER_SIZE - 1] = hoff as u8;
    t.len() <= toast::threshold()
}

/// Forms a tuple from plain values, toasting what is too large. 54000 when it cannot be made to fit a page.
pub fn form_tuple(eng: &Engine, rel: &Rel, values: &[DatumRef<'_>], cid: CommandId) -> Result<Vec<u8>> {
    let attrs: Vec<FormAttr<'_>> = values.iter().map(|v| FormAttr::Datum(*v)).collect();
    let size = maxalign(HEADER_SIZE) + tuple::bitmap_len(attrs.len()) + tuple::data_len(&rel.desc, &attrs);
    if size <= toast::threshold() {
        let mut t = Vec::with_capacity(size + 16);
        form(rel, &attrs, &mut t);
        return check_size(t);
    }
    form_values(eng, rel, attrs.into_iter().map(Value::Ref).collect(), cid)
}

/// The same from values some of which may be in stored form already.
pub fn form_values(eng: &Engine, rel: &Rel, mut values: Vec<Value<'_>>, cid: CommandId) -> Result<Vec<u8>> {
    if tuple_size(rel, &values) > toast::threshold() {
        toast::shrink(eng, rel, &mut values, cid)?;
    }
    let attrs: Vec<FormAttr<'_>> = values.iter().map(Value::attr).collect();
    let mut t = Vec::with_capacity(256);
    form(rel, &attrs, &mut t);
    check_size(t)
}

fn check_size(t: Vec<u8>) -> Result<Vec<u8>> {
    if maxalign(t.len()) > MAX_TUPLE_SIZE {
        return Err(common::err!(
            PROGRAM_LIMIT_EXCEEDED,
            "row is too big: size {}, maximum size {}",
            maxalign(t.len()),
            MAX_TUPLE_SIZE
        ));
    }
    Ok(t)
}
