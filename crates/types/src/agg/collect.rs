//! string_agg and array_agg.

use super::{Group, PerGroup};
use crate::array::{ArrayBuilder, ArrayRef};
use crate::column::Arg;
use crate::{AggState, CallCtx, Datum, DatumRef, element_type};
use common::{Error, Oid, Result, bail};

/// Joined values.
#[derive(Clone, Default)]
pub struct Join {
    text: Option<Vec<u8>>,
    /// Delimiter of the first value, which is not printed but needed when states are combined.
    first: Vec<u8>,
}
impl Group for Join {
    fn add(&mut self, _: &CallCtx<'_>, args: &[Arg<'_>], i: usize) -> Result<()> {
        if args[0].is_null(i) {
            return Ok(());
        }
        let delimiter = if args[1].is_null(i) { &[][..] } else { args[1].get(i).bytes() };
        match &mut self.text {
            None => {
                self.text = Some(args[0].get(i).bytes().to_vec());
                self.first = delimiter.to_vec();
            }
            Some(t) => {
                t.extend_from_slice(delimiter);
                t.extend_from_slice(args[0].get(i).bytes());
            }
        }
        Ok(())
    }
    fn finish(&self, _: &CallCtx<'_>) -> Result<Datum> {
        Ok(self.text.as_deref().map_or(Datum::Null, Datum::bytes))
    }
    fn combine(&mut self, o: &Self) -> Result<()> {
        match (&mut self.text, &o.text) {
            (None, _) => *self = o.clone(),
            (Some(t), Some(x)) => {
                t.extend_from_slice(&o.first);
                t.extend_from_slice(x);
            }
            _ => {}
        }
        Ok(())
    }
    fn heap(&self) -> usize {
        self.text.as_ref().map_or(0, Vec::capacity) + self.first.capacity()
    }
}
pub fn string_agg(_: &[Oid], _: Oid, _: crate::Collation) -> Box<dyn AggState> {
    PerGroup::boxed(Join::default())
}

/// Collected elements.
#[derive(Clone)]
pub struct Items {
    elem: Oid,
    items: Vec<Datum>,
    bytes: usize,
}
impl Group for Items {
    fn add(&mut self, _: &CallCtx<'_>, args: &[Arg<'_>], i: usize) -> Result<()> {
        let d = args[0].get(i).to_owned();
        self.bytes += size_of::<Datum>() + if let Datum::Bytes(b) = &d { b.len() } else { 0 };
        self.items.push(d);
        Ok(())
    }
    fn finish(&self, ctx: &CallCtx<'_>) -> Result<Datum> {
        if self.items.is_empty() {
            return Ok(Datum::Null);
        }
        let elem = element_type(ctx.result_type).unwrap_or(self.elem);
        Ok(crate::array::build_1d(elem, self.items.iter().map(Datum::as_ref)))
    }
    fn combine(&mut self, o: &Self) -> Result<()> {
        self.items.extend(o.items.iter().cloned());
        self.bytes += o.bytes;
        Ok(())
    }
    fn heap(&self) -> usize {
        self.bytes
    }
}
pub fn array_agg(arg_types: &[Oid], result_type: Oid, _: crate::Collation) -> Box<dyn AggState> {
    let elem = arg_types.first().copied().or_else(|| element_type(result_type)).unwrap_or(Oid::INVALID);
    PerGroup::boxed(Items { elem, items: Vec::new(), bytes: 0 })
}

/// Arrays of one shape as one array of a dimension more; `None` if there are none.
pub fn stack<'a>(mut items: impl ExactSizeIterator<Item = DatumRef<'a>> + Clone) -> Result<Option<Datum>> {
    let all = items.clone();
    if all.clone().any(|d| matches!(d, DatumRef::Null)) {
        bail!(NULL_VALUE_NOT_ALLOWED, "cannot accumulate null arrays");
    }
    let Some(first) = items.next() else { return Ok(None) };
    let head = ArrayRef::new(first.bytes())?;
    if head.is_empty() {
        bail!(ARRAY_SUBSCRIPT_ERROR, "cannot accumulate empty arrays");
    }
    let mut b = ArrayBuilder::new(head.elem.oid);
    let count = i32::try_from(all.len()).map_err(|_| Error::internal("too many arrays"))?;
    for d in all {
        let a = ArrayRef::new(d.bytes())?;
        if a.dims != head.dims {
            bail!(ARRAY_SUBSCRIPT_ERROR, "cannot accumulate arrays of different dimensionality");
        }
        for x in a.iter() {
            b.push(x?);
        }
    }
    let dims: Vec<i32> = std::iter::once(count).chain(head.dims.iter().copied()).collect();
    let lower: Vec<i32> = std::iter::once(1).chain(head.lower.iter().copied()).collect();
    Ok(Some(Datum::bytes(&b.finish(&dims, &lower))))
}

/// Arrays stacked into one of a dimension more.
#[derive(Clone)]
pub struct Stack(Items);
impl Group for Stack {
    fn add(&mut self, ctx: &CallCtx<'_>, args: &[Arg<'_>], i: usize) -> Result<()> {
        if args[0].is_null(i) {
            bail!(NULL_VALUE_NOT_ALLOWED, "cannot accumulate null arrays");
        }
        self.0.add(ctx, args, i)
    }
    fn finish(&self, _: &CallCtx<'_>) -> Result<Datum> {
        Ok(stack(self.0.items.iter().map(Datum::as_ref))?.unwrap_or(Datum::Null))
    }
    fn combine(&mut self, o: &Self) -> Result<()> {
        self.0.combine(&o.0)
    }
    fn heap(&self) -> usize {
        self.0.bytes
    }
}
pub fn array_agg_array(_: &[Oid], _: Oid, _: crate::Collation) -> Box<dyn AggState> {
    PerGroup::boxed(Stack(Items { elem: Oid::INVALID, items: Vec::new(), bytes: 0 }))
}
