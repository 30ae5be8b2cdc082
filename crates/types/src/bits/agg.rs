//! bit_and, bit_or and bit_xor of bit strings.

use crate::agg::wire::{Reader, put_counted};
use crate::agg::{Group, PerGroup};
use crate::column::Arg;
use crate::{AggState, CallCtx, Datum, DatumRef};
use common::{Oid, Result};

type Fold = fn(&[u8], &[u8]) -> Result<Vec<u8>>;

#[derive(Clone)]
struct State {
    f: Fold,
    value: Option<Vec<u8>>,
}

impl State {
    fn take(&mut self, b: &[u8]) -> Result<()> {
        self.value = Some(match &self.value {
            None => b.to_vec(),
            Some(v) => (self.f)(v, b)?,
        });
        Ok(())
    }
}

impl Group for State {
    fn add(&mut self, _: &CallCtx<'_>, args: &[Arg<'_>], i: usize) -> Result<()> {
        match args[0].get(i) {
            DatumRef::Bytes(b) => self.take(b),
            _ => Ok(()),
        }
    }
    fn finish(&self, _: &CallCtx<'_>) -> Result<Datum> {
        Ok(self.value.as_deref().map_or(Datum::Null, Datum::bytes))
    }
    fn encode(&self, out: &mut Vec<u8>) -> Result<()> {
        if let Some(v) = &self.value {
            put_counted(out, v);
        }
        Ok(())
    }
    fn decode(&self, r: &mut Reader<'_>) -> Result<Self> {
        let value = if r.0.is_empty() { None } else { Some(r.counted()?.to_vec()) };
        Ok(State { f: self.f, value })
    }
    fn combine(&mut self, o: &Self) -> Result<()> {
        match &o.value {
            Some(b) => self.take(b),
            None => Ok(()),
        }
    }
    fn heap(&self) -> usize {
        self.value.as_ref().map_or(0, Vec::capacity)
    }
}
fn state(f: Fold) -> Box<dyn AggState> {
    PerGroup::boxed(State { f, value: None })
}
pub fn bit_and(_: &[Oid], _: Oid, _: crate::Collation) -> Box<dyn AggState> {
    state(super::and)
}
pub fn bit_or(_: &[Oid], _: Oid, _: crate::Collation) -> Box<dyn AggState> {
    state(super::or)
}
pub fn bit_xor(_: &[Oid], _: Oid, _: crate::Collation) -> Box<dyn AggState> {
    state(super::xor)
}
