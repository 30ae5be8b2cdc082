//! SQL values as JSON: `to_json`, `row_to_json`, `json_build_*`, `json_object` and their jsonb twins.

use super::access::text_items;
use super::lex;
use super::node::{Node, parse_tree};
use crate::array::{ArrayRef, output_text};
use crate::column::{Arg, Column, Rows};
use crate::datetime::{push_date, push_timestamp, push_timestamptz};
use crate::kernel::run_rows;
use crate::record::RecordRef;
use crate::registry::DateStyle;
use crate::{CallCtx, Datum, DatumRef, FormatSettings, oids};
use common::{Oid, Result, bail, err};
use std::borrow::Cow;

/// How values of a type become JSON.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Category {
    Bool,
    Number,
    Date,
    Json,
    Jsonb,
    Array,
    Composite,
    /// Has a cast to json, which wins.
    Hstore,
    Other,
}

fn category(t: Oid) -> Category {
    use oids::*;
    match t {
        BOOL => Category::Bool,
        INT2 | INT4 | INT8 | FLOAT4 | FLOAT8 | NUMERIC => Category::Number,
        DATE | TIMESTAMP | TIMESTAMPTZ => Category::Date,
        JSON => Category::Json,
        JSONB => Category::Jsonb,
        RECORD => Category::Composite,
        _ if crate::ext::is_hstore(t) => Category::Hstore,
        _ => match crate::storage_info(t) {
            Some(i) if i.input == Oid(750) || t == INT2VECTOR || t == OIDVECTOR || t == ANYARRAY => {
                Category::Array
            }
            Some(i) if i.input == Oid(2290) => Category::Composite,
            _ => Category::Other,
        },
    }
}

fn is_compound(t: Oid) -> bool {
    matches!(category(t), Category::Array | Category::Composite)
}

/// A date or timestamp in ISO 8601 form, whatever the session's style.
fn push_iso(ctx: &CallCtx<'_>, t: Oid, v: DatumRef<'_>, out: &mut Vec<u8>) {
    let fmt = FormatSettings { date_style: DateStyle::Iso, ..ctx.fmt.clone() };
    match (t, v) {
        (oids::DATE, DatumRef::I32(d)) => push_date(&fmt, d, out),
        (oids::TIMESTAMP, DatumRef::I64(v)) => {
            let at = out.len();
            push_timestamp(&fmt, v, out);
            separate(&mut out[at..]);
        }
        (_, DatumRef::I64(v)) => push_iso_tz(&fmt, v, out),
        _ => {}
    }
}

fn separate(b: &mut [u8]) {
    if let Some(i) = b.iter().position(|c| *c == b' ')
        && b.get(i + 1).is_some_and(u8::is_ascii_digit)
    {
        b[i] = b'T';
    }
}

/// With a `T` and minutes in the zone offset.
pub fn push_iso_tz(fmt: &FormatSettings, v: i64, out: &mut Vec<u8>) {
    let at = out.len();
    push_timestamptz(fmt, v, out);
    separate(&mut out[at..]);
    let text = &out[at..];
    if let Some(t) = text.iter().position(|c| *c == b'T') {
        let zone = text[t..].iter().position(|c| matches!(c, b'+' | b'-')).map(|i| at + t + i);
        if let Some(z) = zone {
            let end = z + 3;
            if out.get(end) != Some(&b':') && end <= out.len() {
                out.splice(end..end, *b":00");
            }
        }
    }
}

/// Names of a record's fields.
pub fn field_names(ctx: &CallCtx<'_>, r: &RecordRef<'_>) -> Result<Vec<String>> {
    if let Some(n) = r.names() {
        return Ok(n.into_iter().map(str::to_string).collect());
    }
    if r.type_oid == oids::RECORD {
        return Ok((1..=r.len()).map(|i| format!("f{i}")).collect());
    }
    Ok(crate::registry::row_shape(ctx, r.type_oid)?.into_iter().map(|c| c.name).collect())
}

/// The fields that are not dropped: name, type, value.
pub(crate) fn record_fields<'a>(ctx: &CallCtx<'_>, b: &'a [u8]) -> Result<Vec<(String, Oid, DatumRef<'a>)>> {
    let r = RecordRef::new(b)?;
    let names = field_names(ctx, &r)?;
    let fields = r.fields()?;
    Ok(names
        .into_iter()
        .zip(fields)
        .filter(|(_, (t, _))| t.is_valid())
        .map(|(n, (t, v))| (n, t, v))
        .collect())
}

/// Appends a value as JSON text. `lines` puts line feeds between the parts of the outermost array or row.
pub fn write_json(ctx: &CallCtx<'_>, t: Oid, v: DatumRef<'_>, lines: bool, out: &mut Vec<u8>) -> Result<()> {
    if v.is_null() {
        out.extend_from_slice(b"null");
        return Ok(());
    }
    match category(t) {
        Category::Hstore => crate::ext::hstore_to_json(v.bytes(), out)?,
        Category::Bool => out.extend_from_slice(if v.bool() { b"true" } else { b"false" }),
        Category::Number => {
            let at = out.len();
            output_text(ctx, t, v, out)?;
            if !lex::is_number(&out[at..]) {
                out.insert(at, b'"');
                out.push(b'"');
            }
        }
        Category::Date => {
            out.push(b'"');
            push_iso(ctx, t, v, out);
            out.push(b'"');
        }
        Category::Json => out.extend_from_slice(v.bytes()),
        Category::Jsonb => super::node::Value::root(v.bytes())?.write(out)?,
        Category::Array => write_array(ctx, v.bytes(), lines, out)?,
        Category::Composite => {
            out.push(b'{');
            for (i, (name, t, v)) in record_fields(ctx, v.bytes())?.into_iter().enumerate() {
                if i > 0 {
                    out.extend_from_slice(if lines { b",\n " } else { b"," });
                }
                lex::push_string(&name, out);
                out.push(b':');
                write_json(ctx, t, v, false, out)?;
            }
            out.push(b'}');
        }
        Category::Other => {
            let mut text = Vec::new();
            output_text(ctx, t, v, &mut text)?;
            lex::push_string(&String::from_utf8_lossy(&text), out);
        }
    }
    Ok(())
}

fn write_array(ctx: &CallCtx<'_>, b: &[u8], lines: bool, out: &mut Vec<u8>) -> Result<()> {
    let a = ArrayRef::new(b)?;
    let items = a.to_vec()?;
    if items.is_empty() {
        out.extend_from_slice(b"[]");
        return Ok(());
    }
    write_dim(ctx, a.elem.oid, &a.dims, &items, lines, out)
}

fn write_dim(
    ctx: &CallCtx<'_>,
    elem: Oid,
    dims: &[i32],
    items: &[DatumRef<'_>],
    lines: bool,
    out: &mut Vec<u8>,
) -> Result<()> {
    let Some((n, rest)) = dims.split_first() else { return Ok(()) };
    let step = items.len() / (*n).max(1) as usize;
    out.push(b'[');
    for (i, part) in items.chunks(step.max(1)).enumerate() {
        if i > 0 {
            out.extend_from_slice(if lines { b",\n " } else { b"," });
        }
        if rest.is_empty() {
            write_json(ctx, elem, part[0], false, out)?;
        } else {
            write_dim(ctx, elem, rest, part, false, out)?;
        }
    }
    out.push(b']');
    Ok(())
}

/// A value as a jsonb tree.
pub fn to_node<'a>(ctx: &CallCtx<'_>, t: Oid, v: DatumRef<'a>) -> Result<Node<'a>> {
    if v.is_null() {
        return Ok(Node::Null);
    }
    let text = |v| -> Result<String> {
        let mut text = Vec::new();
        output_text(ctx, t, v, &mut text)?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    };
    Ok(match category(t) {
        Category::Hstore => crate::ext::hstore_node(v.bytes())?,
        Category::Bool => Node::Bool(v.bool()),
        Category::Number => {
            let s = text(v)?;
            if lex::is_number(s.as_bytes()) {
                Node::num(&crate::numeric::parse_numeric(&s)?)?
            } else {
                Node::String(Cow::Owned(s))
            }
        }
        Category::Date => {
            let mut s = Vec::new();
            push_iso(ctx, t, v, &mut s);
            Node::String(Cow::Owned(String::from_utf8_lossy(&s).into_owned()))
        }
        Category::Json => parse_tree(v.str())?,
        Category::Jsonb => super::node::Value::root(v.bytes())?.into(),
        Category::Array => {
            let a = ArrayRef::new(v.bytes())?;
            let items = a.to_vec()?;
            if items.is_empty() {
                Node::Array(Vec::new())
            } else {
                dim_node(ctx, a.elem.oid, &a.dims, &items)?
            }
        }
        Category::Composite => Node::Object(
            record_fields(ctx, v.bytes())?
                .into_iter()
                .map(|(name, t, v)| Ok((Cow::Owned(name), to_node(ctx, t, v)?)))
                .collect::<Result<_>>()?,
        ),
        Category::Other => Node::String(Cow::Owned(text(v)?)),
    })
}

fn dim_node<'a>(ctx: &CallCtx<'_>, elem: Oid, dims: &[i32], items: &[DatumRef<'a>]) -> Result<Node<'a>> {
    let Some((n, rest)) = dims.split_first() else { return Ok(Node::Null) };
    let step = (items.len() / (*n).max(1) as usize).max(1);
    let part = |p: &[DatumRef<'a>]| match rest.is_empty() {
        true => to_node(ctx, elem, p[0]),
        false => dim_node(ctx, elem, rest, p),
    };
    Ok(Node::Array(items.chunks(step).map(part).collect::<Result<_>>()?))
}

fn first_type(ctx: &CallCtx<'_>) -> Oid {
    ctx.arg_types.first().copied().unwrap_or(oids::TEXT)
}

pub fn to_json(ctx: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<bool> {
    if v.is_null() {
        return Ok(false);
    }
    write_json(ctx, first_type(ctx), v, false, out).map(|()| true)
}
pub fn to_json_pretty(
    ctx: &CallCtx<'_>,
    v: DatumRef<'_>,
    lines: Option<bool>,
    out: &mut Vec<u8>,
) -> Result<bool> {
    match lines {
        Some(lines) if !v.is_null() => write_json(ctx, first_type(ctx), v, lines, out).map(|()| true),
        _ => Ok(false),
    }
}
pub fn to_jsonb(ctx: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<bool> {
    if v.is_null() {
        return Ok(false);
    }
    out.extend_from_slice(&to_node(ctx, first_type(ctx), v)?.to_jsonb()?);
    Ok(true)
}

/// Is the argument at `i` fit to be a key? 22023.
fn check_key(t: Oid) -> Result<()> {
    if matches!(category(t), Category::Array | Category::Composite | Category::Json | Category::Jsonb) {
        bail!(INVALID_PARAMETER_VALUE, "key value must be scalar, not array, composite, or json");
    }
    Ok(())
}

/// Appends a value as the key of a member.
pub fn write_key(ctx: &CallCtx<'_>, t: Oid, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    lex::push_string(&key_text(ctx, t, v)?, out);
    Ok(())
}

/// A value as the text of a key.
pub fn key_text(ctx: &CallCtx<'_>, t: Oid, v: DatumRef<'_>) -> Result<String> {
    check_key(t)?;
    let mut text = Vec::new();
    match category(t) {
        Category::Bool => text.extend_from_slice(if v.bool() { b"true" } else { b"false" }),
        Category::Date => push_iso(ctx, t, v, &mut text),
        _ => output_text(ctx, t, v, &mut text)?,
    }
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// Runs `f` over the arguments of a VARIADIC "any" function; an array passed as VARIADIC is spread, a NULL one gives NULL.
fn variadic(
    ctx: &CallCtx<'_>,
    args: &[Arg<'_>],
    rows: Rows<'_>,
    out: &mut Column,
    mut f: impl FnMut(&[(Oid, DatumRef<'_>)]) -> Result<Datum>,
) -> Result<()> {
    run_rows(args, rows, out, |v| {
        if ctx.variadic
            && let [first] = v
        {
            if first.is_null() {
                return Ok(Datum::Null);
            }
            let a = ArrayRef::new(first.bytes())?;
            let items: Vec<_> = a.to_vec()?.into_iter().map(|d| (a.elem.oid, d)).collect();
            return f(&items);
        }
        let typed: Vec<_> = v
            .iter()
            .enumerate()
            .map(|(i, d)| (ctx.arg_types.get(i).copied().unwrap_or(oids::TEXT), *d))
            .collect();
        f(&typed)
    })
}

pub fn json_build_array(c: &CallCtx<'_>, a: &[Arg<'_>], r: Rows<'_>, o: &mut Column) -> Result<()> {
    variadic(c, a, r, o, |items| {
        let mut out = vec![b'['];
        for (i, (t, v)) in items.iter().enumerate() {
            if i > 0 {
                out.extend_from_slice(b", ");
            }
            write_json(c, *t, *v, false, &mut out)?;
        }
        out.push(b']');
        Ok(Datum::bytes(&out))
    })
}
pub fn jsonb_build_array(c: &CallCtx<'_>, a: &[Arg<'_>], r: Rows<'_>, o: &mut Column) -> Result<()> {
    variadic(c, a, r, o, |items| {
        let v = items.iter().map(|(t, v)| to_node(c, *t, *v)).collect::<Result<_>>()?;
        Ok(Datum::bytes(&Node::Array(v).to_jsonb()?))
    })
}
fn even(n: usize, name: &str) -> Result<()> {
    if !n.is_multiple_of(2) {
        return Err(err!(INVALID_PARAMETER_VALUE, "argument list must have even number of elements")
            .hint(format!("The arguments of {name}() must consist of alternating keys and values.")));
    }
    Ok(())
}
pub fn json_build_object(c: &CallCtx<'_>, a: &[Arg<'_>], r: Rows<'_>, o: &mut Column) -> Result<()> {
    variadic(c, a, r, o, |items| {
        even(items.len(), "json_build_object")?;
        let mut out = vec![b'{'];
        for (i, kv) in items.chunks(2).enumerate() {
            if i > 0 {
                out.extend_from_slice(b", ");
            }
            if kv[0].1.is_null() {
                return Err(err!(INVALID_PARAMETER_VALUE, "argument {} cannot be null", 2 * i + 1)
                    .hint("Object keys should be text."));
            }
            write_key(c, kv[0].0, kv[0].1, &mut out)?;
            out.extend_from_slice(b" : ");
            write_json(c, kv[1].0, kv[1].1, false, &mut out)?;
        }
        out.push(b'}');
        Ok(Datum::bytes(&out))
    })
}
pub fn jsonb_build_object(c: &CallCtx<'_>, a: &[Arg<'_>], r: Rows<'_>, o: &mut Column) -> Result<()> {
    variadic(c, a, r, o, |items| {
        even(items.len(), "jsonb_build_object")?;
        let mut m = Vec::with_capacity(items.len() / 2);
        for (i, kv) in items.chunks(2).enumerate() {
            if kv[0].1.is_null() {
                bail!(INVALID_PARAMETER_VALUE, "argument {}: key must not be null", 2 * i + 1);
            }
            let key = key_text(c, kv[0].0, kv[0].1)?;
            m.push((Cow::Owned(key), to_node(c, kv[1].0, kv[1].1)?));
        }
        Ok(Datum::bytes(&Node::Object(m).to_jsonb()?))
    })
}

type Pairs<'a> = Vec<(&'a str, Option<&'a str>)>;

/// Keys and values of `json_object(text[])`.
fn pairs_of(a: &[u8]) -> Result<Pairs<'_>> {
    let dims = ArrayRef::new(a)?.dims;
    match dims[..] {
        [] => {}
        [n] if n % 2 == 0 => {}
        [_] => bail!(ARRAY_SUBSCRIPT_ERROR, "array must have even number of elements"),
        [_, 2] => {}
        [_, _] => bail!(ARRAY_SUBSCRIPT_ERROR, "array must have two columns"),
        _ => bail!(ARRAY_SUBSCRIPT_ERROR, "wrong number of array subscripts"),
    }
    let items = text_items(a)?;
    items.chunks(2).map(|kv| Ok((key_of(kv[0])?, kv[1]))).collect()
}
fn key_of(k: Option<&str>) -> Result<&str> {
    k.ok_or_else(|| err!(NULL_VALUE_NOT_ALLOWED, "null value not allowed for object key"))
}
/// Keys and values of `json_object(text[], text[])`.
fn zipped<'a>(keys: &'a [u8], values: &'a [u8]) -> Result<Pairs<'a>> {
    let (dk, dv) = (ArrayRef::new(keys)?.dims, ArrayRef::new(values)?.dims);
    if dk.len() > 1 || dk.len() != dv.len() {
        bail!(ARRAY_SUBSCRIPT_ERROR, "wrong number of array subscripts");
    }
    let (k, v) = (text_items(keys)?, text_items(values)?);
    if k.len() != v.len() {
        bail!(ARRAY_SUBSCRIPT_ERROR, "mismatched array dimensions");
    }
    k.into_iter().zip(v).map(|(k, v)| Ok((key_of(k)?, v))).collect()
}
fn text_object(pairs: Pairs<'_>, out: &mut Vec<u8>) {
    out.push(b'{');
    for (i, (k, v)) in pairs.into_iter().enumerate() {
        if i > 0 {
            out.extend_from_slice(b", ");
        }
        lex::push_string(k, out);
        out.extend_from_slice(b" : ");
        match v {
            Some(v) => lex::push_string(v, out),
            None => out.extend_from_slice(b"null"),
        }
    }
    out.push(b'}');
}
fn node_object(pairs: Pairs<'_>, out: &mut Vec<u8>) -> Result<()> {
    let m = pairs.into_iter().map(|(k, v)| (Cow::Borrowed(k), v.map_or(Node::Null, Node::str))).collect();
    out.extend_from_slice(&Node::Object(m).to_jsonb()?);
    Ok(())
}
pub fn json_object(a: &[u8], out: &mut Vec<u8>) -> Result<()> {
    text_object(pairs_of(a)?, out);
    Ok(())
}
pub fn json_object_two(k: &[u8], v: &[u8], out: &mut Vec<u8>) -> Result<()> {
    text_object(zipped(k, v)?, out);
    Ok(())
}
pub fn jsonb_object(a: &[u8], out: &mut Vec<u8>) -> Result<()> {
    node_object(pairs_of(a)?, out)
}
pub fn jsonb_object_two(k: &[u8], v: &[u8], out: &mut Vec<u8>) -> Result<()> {
    node_object(zipped(k, v)?, out)
}

/// Are values of this type written on lines of their own by `json_agg`?
pub fn on_lines(t: Oid) -> bool {
    is_compound(t)
}
