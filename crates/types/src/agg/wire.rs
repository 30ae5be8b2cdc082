//! Transition states as bytes: what a partial aggregation hands to the finalizing one, in another process of the same
//! program. Little-endian numbers and counted bytes, without versions.

use crate::{Datum, numeric::Num};
use common::{Error, Result};

/// Reads a state.
pub struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    /// So many bytes.
    pub fn bytes(&mut self, n: usize) -> Result<&'a [u8]> {
        let Some((a, b)) = self.0.split_at_checked(n) else {
            return Err(Error::internal("aggregate state is cut off"));
        };
        self.0 = b;
        Ok(a)
    }
    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut a = [0; N];
        a.copy_from_slice(self.bytes(N)?);
        Ok(a)
    }
    /// One byte.
    pub fn u8(&mut self) -> Result<u8> {
        Ok(self.array::<1>()?[0])
    }
    /// A number.
    pub fn i64(&mut self) -> Result<i64> {
        Ok(i64::from_le_bytes(self.array()?))
    }
    /// A number.
    pub fn i128(&mut self) -> Result<i128> {
        Ok(i128::from_le_bytes(self.array()?))
    }
    /// A number.
    pub fn f64(&mut self) -> Result<f64> {
        Ok(f64::from_le_bytes(self.array()?))
    }
    /// Counted bytes.
    pub fn counted(&mut self) -> Result<&'a [u8]> {
        let n = self.i64()?;
        self.bytes(usize::try_from(n).map_err(|_| Error::internal("aggregate state has a negative length"))?)
    }
    /// Any value.
    pub fn datum(&mut self) -> Result<Datum> {
        Ok(match self.u8()? {
            0 => Datum::Null,
            1 => Datum::Bool(self.u8()? != 0),
            2 => Datum::I8(self.u8()? as i8),
            3 => Datum::I16(i16::from_le_bytes(self.array()?)),
            4 => Datum::I32(i32::from_le_bytes(self.array()?)),
            5 => Datum::I64(self.i64()?),
            6 => Datum::U32(u32::from_le_bytes(self.array()?)),
            7 => Datum::F32(f32::from_le_bytes(self.array()?)),
            8 => Datum::F64(self.f64()?),
            9 => Datum::Fixed16(self.array()?),
            _ => Datum::bytes(self.counted()?),
        })
    }
    /// A number of any length, infinities and NaN too.
    pub fn num(&mut self) -> Result<Num> {
        Num::unpack(self.counted()?)
    }
}

/// A number.
pub fn put_i64(out: &mut Vec<u8>, v: i64) {
    out.extend_from_slice(&v.to_le_bytes());
}
/// Numbers.
pub fn put_f64s(out: &mut Vec<u8>, v: &[f64]) {
    v.iter().for_each(|x| out.extend_from_slice(&x.to_le_bytes()));
}
/// Counted bytes.
pub fn put_counted(out: &mut Vec<u8>, b: &[u8]) {
    put_i64(out, b.len() as i64);
    out.extend_from_slice(b);
}
/// Any value.
pub fn put_datum(out: &mut Vec<u8>, d: &Datum) {
    match d {
        Datum::Null => out.push(0),
        Datum::Bool(v) => out.extend([1, u8::from(*v)]),
        Datum::I8(v) => out.extend([2, *v as u8]),
        Datum::I16(v) => tagged(out, 3, &v.to_le_bytes()),
        Datum::I32(v) => tagged(out, 4, &v.to_le_bytes()),
        Datum::I64(v) => tagged(out, 5, &v.to_le_bytes()),
        Datum::U32(v) => tagged(out, 6, &v.to_le_bytes()),
        Datum::F32(v) => tagged(out, 7, &v.to_le_bytes()),
        Datum::F64(v) => tagged(out, 8, &v.to_le_bytes()),
        Datum::Fixed16(v) => tagged(out, 9, v),
        Datum::Bytes(b) => {
            out.push(10);
            put_counted(out, b);
        }
    }
}
fn tagged(out: &mut Vec<u8>, tag: u8, b: &[u8]) {
    out.push(tag);
    out.extend_from_slice(b);
}
/// A number of any length.
pub fn put_num(out: &mut Vec<u8>, v: &Num) -> Result<()> {
    match v.to_datum()? {
        Datum::Bytes(b) => put_counted(out, &b),
        _ => return Err(Error::internal("a numeric is not bytes")),
    }
    Ok(())
}
