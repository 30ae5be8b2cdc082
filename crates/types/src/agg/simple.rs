//! count, bool_and, bool_or, bit_and, bit_or, bit_xor.

use super::wire::{Reader, put_datum, put_i64};
use super::{Group, PerGroup};
use crate::column::Arg;
use crate::{AggState, CallCtx, Datum};
use common::{Oid, Result};

/// `count(*)` without, `count(x)` with an argument.
#[derive(Clone, Default)]
pub struct Count(i64);

impl Group for Count {
    #[inline]
    fn add(&mut self, _: &CallCtx<'_>, args: &[Arg<'_>], i: usize) -> Result<()> {
        self.0 += i64::from(args.first().is_none_or(|a| !a.is_null(i)));
        Ok(())
    }
    fn add_dense(&mut self, _: &[Arg<'_>], n: usize) -> Result<bool> {
        self.0 += n as i64;
        Ok(true)
    }
    const INVERSE: bool = true;
    fn remove(&mut self, _: &CallCtx<'_>, args: &[Arg<'_>], i: usize) -> Result<bool> {
        self.0 -= i64::from(args.first().is_none_or(|a| !a.is_null(i)));
        Ok(true)
    }
    fn finish(&self, _: &CallCtx<'_>) -> Result<Datum> {
        Ok(Datum::I64(self.0))
    }
    fn encode(&self, out: &mut Vec<u8>) -> Result<()> {
        put_i64(out, self.0);
        Ok(())
    }
    fn decode(&self, r: &mut Reader<'_>) -> Result<Self> {
        Ok(Count(r.i64()?))
    }
    fn combine(&mut self, o: &Self) -> Result<()> {
        self.0 += o.0;
        Ok(())
    }
}
pub fn count(_: &[Oid], _: Oid, _: crate::Collation) -> Box<dyn AggState> {
    PerGroup::boxed(Count::default())
}

/// A fold over booleans.
#[derive(Clone)]
pub struct Bool<const AND: bool>(Option<bool>);

impl<const AND: bool> Group for Bool<AND> {
    fn add(&mut self, _: &CallCtx<'_>, args: &[Arg<'_>], i: usize) -> Result<()> {
        if !args[0].is_null(i) {
            self.combine(&Bool(Some(args[0].get(i).bool())))?;
        }
        Ok(())
    }
    fn finish(&self, _: &CallCtx<'_>) -> Result<Datum> {
        Ok(self.0.map_or(Datum::Null, Datum::Bool))
    }
    fn encode(&self, out: &mut Vec<u8>) -> Result<()> {
        put_datum(out, &self.0.map_or(Datum::Null, Datum::Bool));
        Ok(())
    }
    fn decode(&self, r: &mut Reader<'_>) -> Result<Self> {
        let d = r.datum()?;
        Ok(Bool((!d.is_null()).then(|| d.as_ref().bool())))
    }
    fn combine(&mut self, o: &Self) -> Result<()> {
        self.0 = match (self.0, o.0) {
            (Some(a), Some(b)) => Some(if AND { a & b } else { a | b }),
            (a, b) => a.or(b),
        };
        Ok(())
    }
}
pub fn bool_and(_: &[Oid], _: Oid, _: crate::Collation) -> Box<dyn AggState> {
    PerGroup::boxed(Bool::<true>(None))
}
pub fn bool_or(_: &[Oid], _: Oid, _: crate::Collation) -> Box<dyn AggState> {
    PerGroup::boxed(Bool::<false>(None))
}

/// A fold over the bits of integers: `&`, `|`, `#`.
#[derive(Clone)]
pub struct Bits<const OP: char>(Option<Datum>);

fn fold(op: char, a: i64, b: i64) -> i64 {
    match op {
        '&' => a & b,
        '|' => a | b,
        _ => a ^ b,
    }
}

impl<const OP: char> Group for Bits<OP> {
    fn add(&mut self, _: &CallCtx<'_>, args: &[Arg<'_>], i: usize) -> Result<()> {
        if args[0].is_null(i) {
            return Ok(());
        }
        self.combine(&Bits(Some(args[0].get(i).to_owned())))
    }
    fn finish(&self, _: &CallCtx<'_>) -> Result<Datum> {
        Ok(self.0.clone().unwrap_or_default())
    }
    fn encode(&self, out: &mut Vec<u8>) -> Result<()> {
        put_datum(out, self.0.as_ref().unwrap_or(&Datum::Null));
        Ok(())
    }
    fn decode(&self, r: &mut Reader<'_>) -> Result<Self> {
        let d = r.datum()?;
        Ok(Bits((!d.is_null()).then_some(d)))
    }
    fn combine(&mut self, o: &Self) -> Result<()> {
        self.0 = match (self.0.take(), &o.0) {
            (Some(Datum::I16(a)), Some(Datum::I16(b))) => {
                Some(Datum::I16(fold(OP, i64::from(a), i64::from(*b)) as i16))
            }
            (Some(Datum::I32(a)), Some(Datum::I32(b))) => {
                Some(Datum::I32(fold(OP, i64::from(a), i64::from(*b)) as i32))
            }
            (Some(Datum::I64(a)), Some(Datum::I64(b))) => Some(Datum::I64(fold(OP, a, *b))),
            (a, b) => a.or_else(|| b.clone()),
        };
        Ok(())
    }
}
pub fn bit_and(_: &[Oid], _: Oid, _: crate::Collation) -> Box<dyn AggState> {
    PerGroup::boxed(Bits::<'&'>(None))
}
pub fn bit_or(_: &[Oid], _: Oid, _: crate::Collation) -> Box<dyn AggState> {
    PerGroup::boxed(Bits::<'|'>(None))
}
pub fn bit_xor(_: &[Oid], _: Oid, _: crate::Collation) -> Box<dyn AggState> {
    PerGroup::boxed(Bits::<'#'>(None))
}
