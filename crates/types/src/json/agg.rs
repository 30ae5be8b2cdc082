//! `json_agg`, `json_object_agg` and their jsonb twins. States hold the text (or the stored parts) built so far.

use super::build::{key_text, on_lines, to_node, write_json, write_key};
use super::node::{Node, Value};
use crate::agg::{Group, PerGroup};
use crate::column::Arg;
use crate::{AggState, CallCtx, Datum, oids};
use common::{Oid, Result, bail};
use std::borrow::Cow;

/// Text of an array or object without the closing bracket.
#[derive(Clone)]
struct TextState {
    types: [Oid; 2],
    object: bool,
    text: Vec<u8>,
}

fn types(arg_types: &[Oid]) -> [Oid; 2] {
    let t = |i| arg_types.get(i).copied().unwrap_or(oids::TEXT);
    [t(0), t(1)]
}

impl Group for TextState {
    fn add(&mut self, ctx: &CallCtx<'_>, args: &[Arg<'_>], i: usize) -> Result<()> {
        let first = args[0].get(i);
        if !self.object {
            if !self.text.is_empty() {
                self.text.extend_from_slice(b", ");
                if !first.is_null() && on_lines(self.types[0]) {
                    self.text.extend_from_slice(b"\n ");
                }
            }
            return write_json(ctx, self.types[0], first, false, &mut self.text);
        }
        if first.is_null() {
            bail!(INVALID_PARAMETER_VALUE, "field name must not be null");
        }
        if !self.text.is_empty() {
            self.text.extend_from_slice(b", ");
        }
        write_key(ctx, self.types[0], first, &mut self.text)?;
        self.text.extend_from_slice(b" : ");
        write_json(ctx, self.types[1], args[1].get(i), false, &mut self.text)
    }
    fn finish(&self, _: &CallCtx<'_>) -> Result<Datum> {
        if self.text.is_empty() {
            return Ok(Datum::Null);
        }
        let (open, close): (&[u8], &[u8]) = if self.object { (b"{ ", b" }") } else { (b"[", b"]") };
        Ok(Datum::bytes(&[open, &self.text, close].concat()))
    }
    fn combine(&mut self, o: &Self) -> Result<()> {
        if !self.text.is_empty() && !o.text.is_empty() {
            self.text.extend_from_slice(b", ");
            if !self.object && on_lines(self.types[0]) && !o.text.starts_with(b"null") {
                self.text.extend_from_slice(b"\n ");
            }
        }
        self.text.extend_from_slice(&o.text);
        Ok(())
    }
    fn heap(&self) -> usize {
        self.text.capacity()
    }
}

pub fn json_agg(arg_types: &[Oid], _: Oid, _: crate::Collation) -> Box<dyn AggState> {
    PerGroup::boxed(TextState { types: types(arg_types), object: false, text: Vec::new() })
}
pub fn json_object_agg(arg_types: &[Oid], _: Oid, _: crate::Collation) -> Box<dyn AggState> {
    PerGroup::boxed(TextState { types: types(arg_types), object: true, text: Vec::new() })
}

/// Stored documents of the parts so far.
#[derive(Clone)]
struct BinaryState {
    types: [Oid; 2],
    object: bool,
    keys: Vec<String>,
    parts: Vec<Vec<u8>>,
    bytes: usize,
}

impl Group for BinaryState {
    fn add(&mut self, ctx: &CallCtx<'_>, args: &[Arg<'_>], i: usize) -> Result<()> {
        let value = usize::from(self.object);
        if self.object {
            let k = args[0].get(i);
            if k.is_null() {
                bail!(INVALID_PARAMETER_VALUE, "field name must not be null");
            }
            let k = key_text(ctx, self.types[0], k)?;
            self.bytes += k.len() + 24;
            self.keys.push(k);
        }
        let part = to_node(ctx, self.types[value], args[value].get(i))?.to_jsonb()?;
        self.bytes += part.len() + 24;
        self.parts.push(part);
        Ok(())
    }
    fn finish(&self, _: &CallCtx<'_>) -> Result<Datum> {
        if self.parts.is_empty() {
            return Ok(Datum::Null);
        }
        let parts = self.parts.iter().map(|p| Ok(Node::from(Value::root(p)?)));
        let n = if self.object {
            let keys = self.keys.iter().map(|k| Cow::Borrowed(k.as_str()));
            Node::Object(keys.zip(parts).map(|(k, v)| Ok((k, v?))).collect::<Result<_>>()?)
        } else {
            Node::Array(parts.collect::<Result<_>>()?)
        };
        Ok(Datum::bytes(&n.to_jsonb()?))
    }
    fn combine(&mut self, o: &Self) -> Result<()> {
        self.keys.extend(o.keys.iter().cloned());
        self.parts.extend(o.parts.iter().cloned());
        self.bytes += o.bytes;
        Ok(())
    }
    fn heap(&self) -> usize {
        self.bytes
    }
}

fn binary(arg_types: &[Oid], object: bool) -> Box<dyn AggState> {
    PerGroup::boxed(BinaryState {
        types: types(arg_types),
        object,
        keys: Vec::new(),
        parts: Vec::new(),
        bytes: 0,
    })
}
pub fn jsonb_agg(arg_types: &[Oid], _: Oid, _: crate::Collation) -> Box<dyn AggState> {
    binary(arg_types, false)
}
pub fn jsonb_object_agg(arg_types: &[Oid], _: Oid, _: crate::Collation) -> Box<dyn AggState> {
    binary(arg_types, true)
}
