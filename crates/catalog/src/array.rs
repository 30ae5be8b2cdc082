//! Array values of any element type, as far as catalog rows hold them: `anyarray` columns of `pg_statistic` and
//! `pg_attribute.attmissingval`. One dimension, no nulls. The layout is the one of `types`.

use crate::desc::TypeDesc;
use common::Oid;
use types::{Datum, Phys};

fn align_of(t: &TypeDesc) -> usize {
    match t.align {
        b's' => 2,
        b'i' => 4,
        b'd' => 8,
        _ => 1,
    }
}

/// Builds a one-dimensional array.
pub fn build(t: &TypeDesc, items: &[Datum]) -> Datum {
    let mut out: Vec<u8> = Vec::new();
    out.extend_from_slice(&i32::from(!items.is_empty()).to_le_bytes());
    out.extend_from_slice(&0i32.to_le_bytes());
    out.extend_from_slice(&t.oid.0.to_le_bytes());
    if !items.is_empty() {
        out.extend_from_slice(&(items.len() as i32).to_le_bytes());
        out.extend_from_slice(&1i32.to_le_bytes());
    }
    for d in items {
        pad(&mut out, align_of(t));
        push(t, d, &mut out);
    }
    Datum::bytes(&out)
}

/// Offsets count from the start of the value's length word, which memory leaves out.
fn pad(out: &mut Vec<u8>, align: usize) {
    while !(out.len() + 4).is_multiple_of(align) {
        out.push(0);
    }
}

fn push(t: &TypeDesc, d: &Datum, out: &mut Vec<u8>) {
    match d {
        Datum::Null => {}
        Datum::Bool(b) => out.push(u8::from(*b)),
        Datum::I8(v) => out.push(*v as u8),
        Datum::I16(v) => out.extend_from_slice(&v.to_le_bytes()),
        Datum::I32(v) => out.extend_from_slice(&v.to_le_bytes()),
        Datum::U32(v) => out.extend_from_slice(&v.to_le_bytes()),
        Datum::I64(v) if t.len == 6 => {
            let tid = common::Tid::unpack(*v);
            out.extend_from_slice(&((tid.block.0 >> 16) as u16).to_le_bytes());
            out.extend_from_slice(&(tid.block.0 as u16).to_le_bytes());
            out.extend_from_slice(&tid.offset.to_le_bytes());
        }
        Datum::I64(v) => out.extend_from_slice(&v.to_le_bytes()),
        Datum::F32(v) => out.extend_from_slice(&v.to_le_bytes()),
        Datum::F64(v) => out.extend_from_slice(&v.to_le_bytes()),
        Datum::Fixed16(v) => out.extend_from_slice(&v[..if t.len == 12 { 12 } else { 16 }]),
        Datum::Bytes(b) if t.len < 0 => {
            out.extend_from_slice(&((b.len() as u32 + 4) << 2).to_le_bytes());
            out.extend_from_slice(b);
        }
        Datum::Bytes(b) => {
            let n = b.len().min(t.len as usize);
            out.extend_from_slice(&b[..n]);
            out.resize(out.len() + t.len as usize - n, 0);
        }
    }
}

fn word(b: &[u8], at: usize) -> Option<u32> {
    b.get(at..at + 4).map(|w| u32::from_le_bytes([w[0], w[1], w[2], w[3]]))
}

/// Element type of an array value; `None` if there is no value.
pub fn element_type(b: &[u8]) -> Option<Oid> {
    word(b, 8).map(Oid)
}

/// The elements. Bounds-checked: a damaged value yields what can be read.
pub fn elements(t: &TypeDesc, b: &[u8]) -> Vec<Datum> {
    let (Some(1), Some(0), Some(n)) = (word(b, 0), word(b, 4), word(b, 12)) else { return Vec::new() };
    let mut at = 20usize;
    let mut out = Vec::new();
    for _ in 0..n {
        while !(at + 4).is_multiple_of(align_of(t)) {
            at += 1;
        }
        let size = if t.len > 0 {
            t.len as usize
        } else {
            let Some(h) = word(b, at) else { break };
            at += 4;
            ((h >> 2) as usize).saturating_sub(4)
        };
        let Some(e) = b.get(at..at + size) else { break };
        at += size;
        out.push(element(t, e));
    }
    out
}

fn element(t: &TypeDesc, e: &[u8]) -> Datum {
    let mut w = [0u8; 16];
    let n = e.len().min(16);
    w[..n].copy_from_slice(&e[..n]);
    let w4 = [w[0], w[1], w[2], w[3]];
    let w8 = [w[0], w[1], w[2], w[3], w[4], w[5], w[6], w[7]];
    match t.phys {
        Phys::Bool => Datum::Bool(w[0] != 0),
        Phys::I8 => Datum::I8(w[0] as i8),
        Phys::I16 => Datum::I16(i16::from_le_bytes([w[0], w[1]])),
        Phys::I32 => Datum::I32(i32::from_le_bytes(w4)),
        Phys::U32 => Datum::U32(u32::from_le_bytes(w4)),
        Phys::I64 if t.len == 6 => {
            let half = |i: usize| u32::from(u16::from_le_bytes([w[i], w[i + 1]]));
            Datum::I64(common::Tid::new((half(0) << 16 | half(2)).into(), half(4) as u16).pack())
        }
        Phys::I64 => Datum::I64(i64::from_le_bytes(w8)),
        Phys::F32 => Datum::F32(f32::from_le_bytes(w4)),
        Phys::F64 => Datum::F64(f64::from_le_bytes(w8)),
        Phys::Fixed16 => Datum::Fixed16(w),
        Phys::Bytes if t.oid == types::oids::NAME => {
            Datum::bytes(&e[..e.iter().position(|&c| c == 0).unwrap_or(e.len())])
        }
        Phys::Bytes => Datum::bytes(e),
    }
}

/// The only element of a one-element array.
pub fn first_element(t: &TypeDesc, b: &[u8]) -> Option<Datum> {
    elements(t, b).into_iter().next()
}
