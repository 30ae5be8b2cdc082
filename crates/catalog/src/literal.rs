//! Text of the bootstrap data ↔ values, for the few types the catalogs are made of; and the array values that catalog
//! rows hold (PostgreSQL's array layout, see `types`).

use common::{Error, Oid, Result};
use types::{Datum, Phys, oids};

/// Physical kind of a type from its `pg_type` facts.
pub fn phys_of(oid: Oid, len: i16, by_val: bool, typtype: u8) -> Phys {
    match (oid, len) {
        (oids::BOOL, _) => Phys::Bool,
        (oids::CHAR, _) => Phys::I8,
        (oids::INT2, _) => Phys::I16,
        (oids::INT4 | oids::DATE, _) => Phys::I32,
        (oids::FLOAT4, _) => Phys::F32,
        (oids::FLOAT8, _) => Phys::F64,
        (oids::TID, _) => Phys::I64,
        (oids::UUID | oids::INTERVAL | oids::TIMETZ, _) => Phys::Fixed16,
        (_, 8) if by_val => Phys::I64,
        (_, 4) if by_val && typtype == b'p' => Phys::I32,
        (_, 4) if by_val => Phys::U32,
        _ => Phys::Bytes,
    }
}

/// Bytes and alignment of an element of an array of `elem`.
fn element_layout(elem: Oid) -> (i16, usize) {
    match elem {
        oids::BOOL | oids::CHAR => (1, 1),
        oids::INT2 => (2, 2),
        oids::INT4 | oids::OID | oids::REGPROC | oids::FLOAT4 | oids::XID => (4, 4),
        oids::INT8 | oids::FLOAT8 | oids::TIMESTAMPTZ => (8, 8),
        oids::NAME => (64, 1),
        oids::ACLITEM => (12, 4),
        _ => (-1, 4),
    }
}

/// Builds a one-dimensional array without nulls. `lower` is 1, but 0 for int2vector and oidvector.
pub fn make_array(elem: Oid, items: &[Datum], lower: i32) -> Datum {
    let mut out: Vec<u8> = Vec::with_capacity(24 + items.len() * 8);
    let ndim: i32 = i32::from(!items.is_empty() || lower == 0);
    out.extend_from_slice(&ndim.to_le_bytes());
    out.extend_from_slice(&0i32.to_le_bytes());
    out.extend_from_slice(&elem.0.to_le_bytes());
    if ndim == 1 {
        out.extend_from_slice(&(items.len() as i32).to_le_bytes());
        out.extend_from_slice(&lower.to_le_bytes());
    }
    let (len, align) = element_layout(elem);
    for d in items {
        while !(out.len() + 4).is_multiple_of(align) {
            out.push(0);
        }
        push_element(d, len, &mut out);
    }
    Datum::bytes(&out)
}

fn push_element(d: &Datum, len: i16, out: &mut Vec<u8>) {
    match d {
        Datum::Bool(b) => out.push(u8::from(*b)),
        Datum::I8(v) => out.push(*v as u8),
        Datum::I16(v) => out.extend_from_slice(&v.to_le_bytes()),
        Datum::I32(v) => out.extend_from_slice(&v.to_le_bytes()),
        Datum::U32(v) => out.extend_from_slice(&v.to_le_bytes()),
        Datum::I64(v) => out.extend_from_slice(&v.to_le_bytes()),
        Datum::F32(v) => out.extend_from_slice(&v.to_le_bytes()),
        Datum::F64(v) => out.extend_from_slice(&v.to_le_bytes()),
        Datum::Fixed16(v) => out.extend_from_slice(v),
        Datum::Bytes(b) if len < 0 => {
            out.extend_from_slice(&(((b.len() as u32) + 4) << 2).to_le_bytes());
            out.extend_from_slice(b);
        }
        Datum::Bytes(b) => {
            let n = (len as usize).min(b.len());
            out.extend_from_slice(&b[..n]);
            out.resize(out.len() + len as usize - n, 0);
        }
        Datum::Null => {}
    }
}

/// An int2vector.
pub fn int2vector(items: &[i16]) -> Datum {
    make_array(oids::INT2, &items.iter().map(|&v| Datum::I16(v)).collect::<Vec<_>>(), 0)
}

/// An oidvector.
pub fn oidvector(items: &[Oid]) -> Datum {
    make_array(oids::OID, &items.iter().map(|v| Datum::U32(v.0)).collect::<Vec<_>>(), 0)
}

/// A text array.
pub fn text_array(items: &[String]) -> Datum {
    make_array(oids::TEXT, &items.iter().map(|s| Datum::text(s)).collect::<Vec<_>>(), 1)
}

/// Elements of a one-dimensional array of fixed-width elements or text, nulls left out. Bounds-checked.
pub fn array_items(bytes: &[u8]) -> Vec<Datum> {
    let word = |at: usize| -> Option<i32> {
        bytes.get(at..at + 4).map(|b| i32::from_le_bytes([b[0], b[1], b[2], b[3]]))
    };
    let (Some(1), Some(0), Some(elem), Some(n)) = (word(0), word(4), word(8), word(12)) else {
        return Vec::new();
    };
    let elem = Oid(elem as u32);
    let (len, align) = element_layout(elem);
    let mut at = 20usize;
    let mut out = Vec::new();
    for _ in 0..n.max(0) {
        while !(at + 4).is_multiple_of(align) {
            at += 1;
        }
        let size = if len > 0 {
            len as usize
        } else {
            let Some(h) = word(at) else { break };
            at += 4;
            ((h as u32 >> 2) as usize).saturating_sub(4)
        };
        let Some(b) = bytes.get(at..at + size) else { break };
        at += size;
        out.push(fixed_element(elem, b));
    }
    out
}

fn fixed_element(elem: Oid, b: &[u8]) -> Datum {
    match (elem, b.len()) {
        (oids::BOOL, 1) => Datum::Bool(b[0] != 0),
        (oids::CHAR, 1) => Datum::I8(b[0] as i8),
        (oids::INT2, 2) => Datum::I16(i16::from_le_bytes([b[0], b[1]])),
        (oids::FLOAT4, 4) => Datum::F32(f32::from_le_bytes([b[0], b[1], b[2], b[3]])),
        (oids::INT4, 4) => Datum::I32(i32::from_le_bytes([b[0], b[1], b[2], b[3]])),
        (_, 4) if element_layout(elem).0 == 4 => Datum::U32(u32::from_le_bytes([b[0], b[1], b[2], b[3]])),
        _ => Datum::bytes(b),
    }
}

/// Reads the `i16`s of an int2vector or int2 array value.
pub fn int2_items(bytes: &[u8]) -> Vec<i16> {
    array_items(bytes).iter().map(|d| if let Datum::I16(v) = d { *v } else { 0 }).collect()
}

/// Reads the OIDs of an oidvector or oid array value.
pub fn oid_items(bytes: &[u8]) -> Vec<Oid> {
    array_items(bytes).iter().map(|d| if let Datum::U32(v) = d { Oid(*v) } else { Oid::INVALID }).collect()
}

/// Reads the strings of a text array value.
pub fn text_items(bytes: &[u8]) -> Vec<String> {
    array_items(bytes)
        .iter()
        .map(
            |d| if let Datum::Bytes(b) = d { String::from_utf8_lossy(b).into_owned() } else { String::new() },
        )
        .collect()
}

/// A field of the bootstrap data as a value of a catalog column's type.
pub fn parse(type_oid: Oid, text: &str) -> Result<Datum> {
    let bad = || Error::internal(format!("bootstrap data: bad value \"{text}\" of type {type_oid}"));
    Ok(match type_oid {
        oids::BOOL => Datum::Bool(text == "t"),
        oids::CHAR => Datum::I8(text.bytes().next().unwrap_or(0) as i8),
        oids::INT2 => Datum::I16(text.parse().map_err(|_| bad())?),
        oids::INT4 => Datum::I32(text.parse().map_err(|_| bad())?),
        oids::INT8 => Datum::I64(text.parse().map_err(|_| bad())?),
        oids::OID | oids::REGPROC | oids::XID => Datum::U32(text.parse().map_err(|_| bad())?),
        oids::FLOAT4 => Datum::F32(text.parse().map_err(|_| bad())?),
        oids::NAME | oids::TEXT => Datum::text(text),
        t if t == types::oids::PG_NODE_TREE => Datum::text(text),
        oids::INT2VECTOR | oids::OIDVECTOR => {
            let elem = if type_oid == oids::INT2VECTOR { oids::INT2 } else { oids::OID };
            let items: Result<Vec<_>> = text.split_ascii_whitespace().map(|s| parse(elem, s)).collect();
            make_array(elem, &items?, 0)
        }
        _ => {
            let elem = array_element(type_oid).ok_or_else(bad)?;
            let inner = text.strip_prefix('{').and_then(|t| t.strip_suffix('}')).ok_or_else(bad)?;
            let items: Result<Vec<_>> = split_array(inner).iter().map(|s| parse(elem, s)).collect();
            make_array(elem, &items?, 1)
        }
    })
}

fn array_element(t: Oid) -> Option<Oid> {
    Some(match t {
        oids::OID_ARRAY => oids::OID,
        oids::TEXT_ARRAY => oids::TEXT,
        oids::CHAR_ARRAY => oids::CHAR,
        oids::INT2_ARRAY => oids::INT2,
        oids::FLOAT4_ARRAY => oids::FLOAT4,
        _ => return None,
    })
}

/// Splits `a,"b c",d`; quotes and backslashes as in array literals.
fn split_array(s: &str) -> Vec<String> {
    let mut out = Vec::new();
    if s.is_empty() {
        return out;
    }
    let (mut cur, mut quoted) = (String::new(), false);
    let mut chars = s.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => quoted = !quoted,
            '\\' => cur.extend(chars.next()),
            ',' if !quoted => out.push(std::mem::take(&mut cur)),
            c => cur.push(c),
        }
    }
    out.push(cur);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_round_trip() {
        assert_eq!(int2_items(as_bytes(&int2vector(&[1, -2, 3]))), vec![1, -2, 3]);
        assert_eq!(oid_items(as_bytes(&oidvector(&[]))), Vec::<Oid>::new());
        let texts = vec!["a".to_string(), String::new(), "longer text".to_string()];
        assert_eq!(text_items(as_bytes(&text_array(&texts))), texts);
        assert!(text_items(&as_bytes(&text_array(&texts))[..22]).len() < 3);
        let parsed = parse(oids::TEXT_ARRAY, "{a,\"b,c\",\"d\\\"\"}").unwrap();
        assert_eq!(text_items(as_bytes(&parsed)), vec!["a", "b,c", "d\""]);
    }

    fn as_bytes(d: &Datum) -> &[u8] {
        match d {
            Datum::Bytes(b) => b,
            _ => panic!("not bytes"),
        }
    }
}
