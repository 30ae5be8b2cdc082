//! range_agg and range_intersect_agg, over ranges and multiranges.

use super::ops::common_spans;
use super::value::*;
use crate::agg::wire::Reader;
use crate::agg::{Group, PerGroup};
use crate::column::Arg;
use crate::{AggState, CallCtx, Datum, DatumRef};
use common::{Oid, Result};

/// All ranges fed so far, and the type they were of.
#[derive(Clone, Default)]
struct Union {
    of: Option<RangeType>,
    list: Vec<Span>,
}

impl Group for Union {
    fn add(&mut self, _: &CallCtx<'_>, args: &[Arg<'_>], i: usize) -> Result<()> {
        if let DatumRef::Bytes(b) = args[0].get(i) {
            self.of = Some(family_of_value(b)?);
            self.list.extend(spans(b)?);
        }
        Ok(())
    }
    fn finish(&self, _: &CallCtx<'_>) -> Result<Datum> {
        let Some(t) = self.of else { return Ok(Datum::Null) };
        let sub = Subtype::of_family(t)?;
        Ok(Datum::bytes(&sub.multirange(&sub.normalized(self.list.clone())?)))
    }
    fn combine(&mut self, o: &Self) -> Result<()> {
        self.of = self.of.or(o.of);
        self.list.extend(o.list.iter().cloned());
        Ok(())
    }
    fn heap(&self) -> usize {
        self.list.capacity() * size_of::<Span>()
    }
}
pub fn range_agg(_: &[Oid], _: Oid, _: crate::Collation) -> Box<dyn AggState> {
    PerGroup::boxed(Union::default())
}

/// What all ranges fed so far have in common.
#[derive(Clone, Default)]
struct Common {
    /// The type of what was fed, and its family.
    of: Option<(Oid, RangeType)>,
    list: Vec<Span>,
}

impl Common {
    fn take(&mut self, of: (Oid, RangeType), list: Vec<Span>) -> Result<()> {
        self.list = match self.of {
            None => list,
            Some((_, f)) => common_spans(&Subtype::of_family(f)?, &self.list, &list)?,
        };
        self.of = Some(of);
        Ok(())
    }
}

impl Group for Common {
    fn add(&mut self, _: &CallCtx<'_>, args: &[Arg<'_>], i: usize) -> Result<()> {
        match args[0].get(i) {
            DatumRef::Bytes(b) => self.take((type_of(b)?, family_of_value(b)?), spans(b)?),
            _ => Ok(()),
        }
    }
    fn finish(&self, _: &CallCtx<'_>) -> Result<Datum> {
        let Some((t, f)) = self.of else { return Ok(Datum::Null) };
        let sub = Subtype::of_family(f)?;
        Ok(Datum::bytes(&if sub.family.range == t {
            sub.range(self.list.first())
        } else {
            sub.multirange(&self.list)
        }))
    }
    /// As the value it would give: what is common to values is common to their commons.
    fn encode(&self, out: &mut Vec<u8>) -> Result<()> {
        let Some((t, f)) = self.of else { return Ok(()) };
        let sub = Subtype::of_family(f)?;
        let value =
            if sub.family.range == t { sub.range(self.list.first()) } else { sub.multirange(&self.list) };
        out.extend_from_slice(&value);
        Ok(())
    }
    fn decode(&self, r: &mut Reader<'_>) -> Result<Self> {
        let mut s = Common::default();
        if !r.0.is_empty() {
            s.take((type_of(r.0)?, family_of_value(r.0)?), spans(r.0)?)?;
        }
        Ok(s)
    }
    fn combine(&mut self, o: &Self) -> Result<()> {
        match o.of {
            Some(t) => self.take(t, o.list.clone()),
            None => Ok(()),
        }
    }
    fn heap(&self) -> usize {
        self.list.capacity() * size_of::<Span>()
    }
}
pub fn range_intersect_agg(_: &[Oid], _: Oid, _: crate::Collation) -> Box<dyn AggState> {
    PerGroup::boxed(Common::default())
}
