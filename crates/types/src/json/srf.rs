//! Set-returning functions: keys, members and elements of documents.

use super::node::{Value, root};
use super::text_tree::{TextKind, TextNode};
use crate::column::Column;
use crate::{CallCtx, Datum, RowSource};
use common::{Result, bail};
use std::vec::IntoIter;

/// Rows known beforehand, of any number of columns.
pub struct Table(IntoIter<Vec<Datum>>);

impl Table {
    /// A source of these rows.
    pub fn boxed(rows: Vec<Vec<Datum>>) -> Box<dyn RowSource> {
        Box::new(Table(rows.into_iter()))
    }
}

impl RowSource for Table {
    fn next(&mut self, _: &CallCtx<'_>, out: &mut [Column], max: usize) -> Result<usize> {
        let mut n = 0;
        for row in self.0.by_ref().take(max) {
            for (c, d) in out.iter_mut().zip(&row) {
                c.push(d.as_ref());
            }
            n += 1;
        }
        Ok(n)
    }
}

fn arg(args: &[Datum]) -> Option<&Datum> {
    args.first().filter(|d| !d.is_null())
}

fn datum(v: Value<'_>, text: bool) -> Result<Datum> {
    if !text {
        return Ok(Datum::bytes(&v.to_jsonb()?));
    }
    let mut out = Vec::new();
    Ok(if v.write_text(&mut out)? { Datum::bytes(&out) } else { Datum::Null })
}
fn text_datum(n: &TextNode<'_>, text: bool) -> Datum {
    match text {
        true => n.as_text().map_or(Datum::Null, Datum::text),
        false => Datum::text(n.raw),
    }
}

type Source = Result<Box<dyn RowSource>>;

fn jsonb_members(args: &[Datum], name: &str, text: bool) -> Source {
    let Some(d) = arg(args) else { return Ok(Table::boxed(Vec::new())) };
    let c = root(d.as_ref().bytes())?;
    if !c.is_object() {
        bail!(INVALID_PARAMETER_VALUE, "cannot call {} on a non-object", name);
    }
    let rows = c.members().map(|m| {
        let (k, v) = m?;
        Ok(vec![Datum::text(k), datum(v, text)?])
    });
    Ok(Table::boxed(rows.collect::<Result<_>>()?))
}
pub fn jsonb_each(_: &CallCtx<'_>, args: &[Datum]) -> Source {
    jsonb_members(args, "jsonb_each", false)
}
pub fn jsonb_each_text(_: &CallCtx<'_>, args: &[Datum]) -> Source {
    jsonb_members(args, "jsonb_each_text", true)
}
pub fn jsonb_object_keys(_: &CallCtx<'_>, args: &[Datum]) -> Source {
    let Some(d) = arg(args) else { return Ok(Table::boxed(Vec::new())) };
    let c = root(d.as_ref().bytes())?;
    if !c.is_object() {
        let what = if c.is_scalar() { "a scalar" } else { "an array" };
        bail!(INVALID_PARAMETER_VALUE, "cannot call jsonb_object_keys on {}", what);
    }
    Ok(Table::boxed((0..c.len()).map(|i| Ok(vec![Datum::text(c.key(i)?)])).collect::<Result<_>>()?))
}
fn jsonb_items(args: &[Datum], text: bool) -> Source {
    let Some(d) = arg(args) else { return Ok(Table::boxed(Vec::new())) };
    let c = root(d.as_ref().bytes())?;
    if c.is_scalar() {
        bail!(INVALID_PARAMETER_VALUE, "cannot extract elements from a scalar");
    }
    if c.is_object() {
        bail!(INVALID_PARAMETER_VALUE, "cannot extract elements from an object");
    }
    Ok(Table::boxed(c.values().map(|v| Ok(vec![datum(v?, text)?])).collect::<Result<_>>()?))
}
pub fn jsonb_array_elements(_: &CallCtx<'_>, args: &[Datum]) -> Source {
    jsonb_items(args, false)
}
pub fn jsonb_array_elements_text(_: &CallCtx<'_>, args: &[Datum]) -> Source {
    jsonb_items(args, true)
}

fn json_members(args: &[Datum], text: bool) -> Source {
    let Some(d) = arg(args) else { return Ok(Table::boxed(Vec::new())) };
    let TextKind::Object(m) = TextNode::parse(d.as_ref().str())?.kind else {
        let array = super::lex::first_kind(d.as_ref().str()) == b'[';
        let what = if array { "an array as an object" } else { "a scalar" };
        bail!(INVALID_PARAMETER_VALUE, "cannot deconstruct {}", what);
    };
    Ok(Table::boxed(m.iter().map(|(k, v)| vec![Datum::text(k), text_datum(v, text)]).collect()))
}
pub fn json_each(_: &CallCtx<'_>, args: &[Datum]) -> Source {
    json_members(args, false)
}
pub fn json_each_text(_: &CallCtx<'_>, args: &[Datum]) -> Source {
    json_members(args, true)
}
pub fn json_object_keys(_: &CallCtx<'_>, args: &[Datum]) -> Source {
    let Some(d) = arg(args) else { return Ok(Table::boxed(Vec::new())) };
    let TextKind::Object(m) = TextNode::parse(d.as_ref().str())?.kind else {
        let array = super::lex::first_kind(d.as_ref().str()) == b'[';
        let what = if array { "an array" } else { "a scalar" };
        bail!(INVALID_PARAMETER_VALUE, "cannot call json_object_keys on {}", what);
    };
    Ok(Table::boxed(m.iter().map(|(k, _)| vec![Datum::text(k)]).collect()))
}
fn json_items(args: &[Datum], name: &str, text: bool) -> Source {
    let Some(d) = arg(args) else { return Ok(Table::boxed(Vec::new())) };
    match TextNode::parse(d.as_ref().str())?.kind {
        TextKind::Array(v) => Ok(Table::boxed(v.iter().map(|x| vec![text_datum(x, text)]).collect())),
        TextKind::Object(_) => bail!(INVALID_PARAMETER_VALUE, "cannot call {} on a non-array", name),
        _ => bail!(INVALID_PARAMETER_VALUE, "cannot call {} on a scalar", name),
    }
}
pub fn json_array_elements(_: &CallCtx<'_>, args: &[Datum]) -> Source {
    json_items(args, "json_array_elements", false)
}
pub fn json_array_elements_text(_: &CallCtx<'_>, args: &[Datum]) -> Source {
    json_items(args, "json_array_elements_text", true)
}
