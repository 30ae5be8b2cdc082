//! Extended statistics as stored: values of `pg_ndistinct`, `pg_dependencies` and `pg_mcv_list`. ANALYZE writes them, output
//! functions and the planner read them. The bytes are this server's own; a damaged value reads as an empty one.

use crate::array;
use crate::cache::Catalog;
use crate::desc::ColumnStats;
use common::{Oid, Result};
use std::rc::Rc;
use types::Datum;

/// Kinds of extended statistics, as in `pg_statistic_ext.stxkind`.
pub const KIND_NDISTINCT: u8 = b'd';
pub const KIND_DEPENDENCIES: u8 = b'f';
pub const KIND_MCV_LIST: u8 = b'm';
pub const KIND_EXPRESSIONS: u8 = b'e';

/// Columns are named by their number, expressions by -1, -2 … in the order of the definition.
pub type Member = i16;

/// Number of distinct combinations of some members.
#[derive(Clone, Debug, PartialEq)]
pub struct NDistinct {
    pub members: Vec<Member>,
    pub ndistinct: f64,
}

/// How far the last member follows from the others: 0 … 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Dependence {
    pub members: Vec<Member>,
    pub degree: f64,
}

/// Most common combinations of values.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct McvList {
    /// Type of each dimension.
    pub types: Vec<Oid>,
    /// By dimension, then by item; NULL where the item has NULL.
    pub values: Vec<Vec<Datum>>,
    pub frequency: Vec<f64>,
    /// The frequency an item would have if the dimensions were independent.
    pub base: Vec<f64>,
}

/// A statistics object with what ANALYZE has found for it.
#[derive(Clone, Debug)]
pub struct ExtStats {
    pub oid: Oid,
    /// Ascending.
    pub keys: Vec<i16>,
    /// The expressions as stored; `None` without any.
    pub exprs: Option<Rc<str>>,
    pub ndistinct: Option<Vec<NDistinct>>,
    pub dependencies: Option<Vec<Dependence>>,
    pub mcv: Option<McvList>,
    /// One an expression; empty if they were not analysed.
    pub expr_stats: Vec<Rc<ColumnStats>>,
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let (head, tail) = self.0.split_at_checked(n)?;
        self.0 = tail;
        Some(head)
    }
    fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }
    fn f64(&mut self) -> Option<f64> {
        Some(f64::from_le_bytes(self.take(8)?.try_into().ok()?))
    }
    fn members(&mut self) -> Option<Vec<Member>> {
        let n = self.u32()? as usize;
        let bytes = self.take(n.checked_mul(2)?)?;
        Some(bytes.chunks_exact(2).map(|c| i16::from_le_bytes([c[0], c[1]])).collect())
    }
}

fn write_numbers<'a>(items: impl ExactSizeIterator<Item = (&'a [Member], f64)>) -> Datum {
    let mut out = Vec::new();
    out.extend_from_slice(&(items.len() as u32).to_le_bytes());
    for (members, number) in items {
        out.extend_from_slice(&number.to_le_bytes());
        out.extend_from_slice(&(members.len() as u32).to_le_bytes());
        members.iter().for_each(|m| out.extend_from_slice(&m.to_le_bytes()));
    }
    Datum::bytes(&out)
}

fn read_numbers(b: &[u8]) -> Vec<(Vec<Member>, f64)> {
    let mut r = Reader(b);
    let n = r.u32().unwrap_or(0);
    let mut one = || {
        let number = r.f64()?;
        Some((r.members()?, number))
    };
    (0..n).map_while(|_| one()).collect()
}

/// A value of `pg_ndistinct`.
pub fn write_ndistinct(items: &[NDistinct]) -> Datum {
    write_numbers(items.iter().map(|i| (&i.members[..], i.ndistinct)))
}

/// Reads a value of `pg_ndistinct`.
pub fn read_ndistinct(b: &[u8]) -> Vec<NDistinct> {
    read_numbers(b).into_iter().map(|(members, ndistinct)| NDistinct { members, ndistinct }).collect()
}

/// A value of `pg_dependencies`.
pub fn write_dependencies(items: &[Dependence]) -> Datum {
    write_numbers(items.iter().map(|i| (&i.members[..], i.degree)))
}

/// Reads a value of `pg_dependencies`.
pub fn read_dependencies(b: &[u8]) -> Vec<Dependence> {
    read_numbers(b).into_iter().map(|(members, degree)| Dependence { members, degree }).collect()
}

/// A value of `pg_mcv_list`.
pub fn write_mcv(catalog: &Catalog, m: &McvList) -> Result<Datum> {
    let mut out = Vec::new();
    let word = |out: &mut Vec<u8>, n: usize| out.extend_from_slice(&(n as u32).to_le_bytes());
    word(&mut out, m.types.len());
    word(&mut out, m.frequency.len());
    for (f, b) in m.frequency.iter().zip(&m.base) {
        out.extend_from_slice(&f.to_le_bytes());
        out.extend_from_slice(&b.to_le_bytes());
    }
    for (t, values) in m.types.iter().zip(&m.values) {
        out.extend_from_slice(&t.0.to_le_bytes());
        out.extend(values.iter().map(|v| u8::from(v.is_null())));
        let present: Vec<Datum> = values.iter().filter(|v| !v.is_null()).cloned().collect();
        let array = array::build(&*catalog.type_desc(*t)?, &present);
        let bytes = if let Datum::Bytes(b) = &array { &b[..] } else { &[] };
        word(&mut out, bytes.len());
        out.extend_from_slice(bytes);
    }
    Ok(Datum::bytes(&out))
}

/// Reads a value of `pg_mcv_list`.
pub fn read_mcv(catalog: &Catalog, b: &[u8]) -> Result<McvList> {
    Ok(try_mcv(catalog, b)?.unwrap_or_default())
}

fn try_mcv(catalog: &Catalog, b: &[u8]) -> Result<Option<McvList>> {
    let mut r = Reader(b);
    let mut m = McvList::default();
    let (Some(dims), Some(items)) = (r.u32(), r.u32()) else { return Ok(None) };
    for _ in 0..items {
        let (Some(f), Some(base)) = (r.f64(), r.f64()) else { return Ok(None) };
        m.frequency.push(f);
        m.base.push(base);
    }
    for _ in 0..dims {
        let (Some(t), Some(nulls)) = (r.u32(), r.take(items as usize)) else { return Ok(None) };
        let Some(array) = r.u32().and_then(|n| r.take(n as usize)) else { return Ok(None) };
        let mut present = array::elements(&*catalog.type_desc(Oid(t))?, array).into_iter();
        m.types.push(Oid(t));
        m.values.push(
            nulls
                .iter()
                .map(|n| if *n != 0 { Datum::Null } else { present.next().unwrap_or_default() })
                .collect(),
        );
    }
    Ok(Some(m))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_survive() {
        let items = vec![
            NDistinct { members: vec![1, 3], ndistinct: 12.0 },
            NDistinct { members: vec![1, -1, -2], ndistinct: 1e9 },
        ];
        let Datum::Bytes(b) = write_ndistinct(&items) else { panic!("not bytes") };
        assert_eq!(read_ndistinct(&b), items);
        for cut in 0..b.len() {
            assert!(read_ndistinct(&b[..cut]).len() < 2);
        }
    }
}
