//! Changing jsonb: `||`, `-`, `#-`, set, insert, strip_nulls, and assignment through subscripts.

use super::access::text_items;
use super::node::{Container, Node, Value, root};
use crate::array::ArrayRef;
use common::{Error, Result, bail, err};
use std::borrow::Cow;

/// What happens at the end of a path.
#[derive(Clone, Copy, Default)]
pub struct SetOp {
    /// Add what is not there; put the value where something is.
    pub create: bool,
    pub delete: bool,
    pub replace: bool,
    pub insert_before: bool,
    pub insert_after: bool,
    /// Make missing containers on the way, pad arrays with nulls.
    pub fill_gaps: bool,
    /// An index before the array's start is an error.
    pub consistent: bool,
}

impl SetOp {
    fn creates(self) -> bool {
        self.create || self.insert_before || self.insert_after
    }
}

fn null_step(level: usize) -> Error {
    err!(NULL_VALUE_NOT_ALLOWED, "path element at position {} is null", level + 1)
}
fn occupied() -> Error {
    err!(INVALID_PARAMETER_VALUE, "cannot replace existing key")
}
fn not_composite() -> Error {
    occupied().detail("The path assumes key is a composite object, but it is a scalar value.")
}

struct Setter<'p, 'a> {
    path: &'p [Option<&'a str>],
    op: SetOp,
    value: Option<Node<'a>>,
}

impl<'a> Setter<'_, 'a> {
    fn new_value(&self) -> Node<'a> {
        self.value.clone().unwrap_or(Node::Null)
    }
    fn last(&self, level: usize) -> bool {
        level + 1 == self.path.len()
    }
    fn set(&self, n: Node<'a>, level: usize) -> Result<Node<'a>> {
        if level > super::lex::DEPTH_MAX {
            return Err(super::lex::too_deep());
        }
        let Some(step) = self.path[level] else { return Err(null_step(level)) };
        match n.opened()? {
            Node::Object(m) => self.set_object(m, step, level),
            Node::Array(v) => self.set_array(v, step, level),
            _ if self.op.fill_gaps => Err(not_composite()),
            n => Ok(n),
        }
    }
    fn set_object(&self, m: Vec<(Cow<'a, str>, Node<'a>)>, step: &'a str, level: usize) -> Result<Node<'a>> {
        let mut out = Vec::with_capacity(m.len() + 1);
        let mut found = false;
        for (k, v) in m {
            if k != step {
                out.push((k, v));
                continue;
            }
            found = true;
            if !self.last(level) {
                out.push((k, self.set(v, level + 1)?));
                continue;
            }
            if self.op.insert_before || self.op.insert_after {
                return Err(occupied().hint("Try using the function jsonb_set to replace key value."));
            }
            if !self.op.delete {
                out.push((k, self.new_value()));
            }
        }
        if !found && self.last(level) && self.op.creates() {
            out.push((Cow::Borrowed(step), self.new_value()));
        } else if !found && !self.last(level) && self.op.fill_gaps {
            out.push((Cow::Borrowed(step), self.chain(level + 1)?));
        }
        Ok(Node::Object(out))
    }
    fn set_array(&self, v: Vec<Node<'a>>, step: &str, level: usize) -> Result<Node<'a>> {
        let n = v.len() as i64;
        let op = self.op;
        let mut idx = super::text_tree::path_index(step).ok_or_else(|| {
            err!(
                INVALID_TEXT_REPRESENTATION,
                "path element at position {} is not an integer: \"{}\"",
                level + 1,
                step
            )
        })?;
        let mut before = false;
        if idx < 0 {
            if -idx > n {
                if op.consistent {
                    bail!(
                        INVALID_PARAMETER_VALUE,
                        "path element at position {} is out of range: {}",
                        level + 1,
                        idx
                    );
                }
                before = true;
            } else {
                idx += n;
            }
        }
        if !op.fill_gaps && idx > n {
            idx = n;
        }
        let mut out = Vec::with_capacity(v.len() + 1);
        let mut done = false;
        if (before || n == 0) && self.last(level) && op.creates() {
            if op.fill_gaps && n == 0 && idx > 0 {
                nulls(&mut out, idx)?;
            }
            out.push(self.new_value());
            done = true;
        }
        for (i, x) in v.into_iter().enumerate() {
            if before || i as i64 != idx {
                out.push(x);
                continue;
            }
            done = true;
            if !self.last(level) {
                out.push(self.set(x, level + 1)?);
                continue;
            }
            if op.insert_before || op.create {
                out.push(self.new_value());
            }
            if op.insert_after || op.insert_before {
                out.push(x);
            }
            if op.insert_after || op.replace {
                out.push(self.new_value());
            }
        }
        if !done && self.last(level) && op.creates() {
            if op.fill_gaps {
                nulls(&mut out, idx - n)?;
            }
            out.push(self.new_value());
        } else if !done && !self.last(level) && op.fill_gaps {
            nulls(&mut out, idx - n)?;
            out.push(self.chain(level + 1)?);
        }
        Ok(Node::Array(out))
    }
    /// Containers from `level` to the end of the path, with the value innermost.
    fn chain(&self, level: usize) -> Result<Node<'a>> {
        let mut n = self.new_value();
        for l in (level..self.path.len()).rev() {
            let Some(step) = self.path[l] else { return Err(null_step(l)) };
            n = match step.parse::<i32>() {
                Ok(i) => {
                    let mut v = Vec::new();
                    nulls(&mut v, i64::from(i))?;
                    v.push(n);
                    Node::Array(v)
                }
                Err(_) => Node::Object(vec![(Cow::Borrowed(step), n)]),
            };
        }
        Ok(n)
    }
}

fn nulls(v: &mut Vec<Node<'_>>, n: i64) -> Result<()> {
    let n = usize::try_from(n).unwrap_or(0);
    if n > (1 << 26) {
        bail!(
            PROGRAM_LIMIT_EXCEEDED,
            "number of jsonb array elements exceeds the maximum allowed ({})",
            (1 << 28) - 1
        );
    }
    v.resize(v.len() + n, Node::Null);
    Ok(())
}

fn set_path(
    b: &[u8],
    path: &[Option<&str>],
    value: Option<Node<'_>>,
    op: SetOp,
    out: &mut Vec<u8>,
) -> Result<()> {
    let s = Setter { path, op, value };
    out.extend_from_slice(&s.set(Node::open(b)?, 0)?.to_jsonb()?);
    Ok(())
}

fn path_of(path: &[u8]) -> Result<Vec<Option<&str>>> {
    if ArrayRef::new(path)?.ndim() > 1 {
        bail!(ARRAY_SUBSCRIPT_ERROR, "wrong number of array subscripts");
    }
    text_items(path)
}

pub fn jsonb_set(b: &[u8], path: &[u8], value: &[u8], create: bool, out: &mut Vec<u8>) -> Result<()> {
    let path = path_of(path)?;
    let c = root(b)?;
    if c.is_scalar() {
        bail!(INVALID_PARAMETER_VALUE, "cannot set path in scalar");
    }
    if path.is_empty() || c.is_empty() && !create {
        out.extend_from_slice(b);
        return Ok(());
    }
    let op = SetOp { create, replace: !create, ..SetOp::default() };
    set_path(b, &path, Some(Value::root(value)?.into()), op, out)
}
pub fn jsonb_set_lax(
    b: Option<&[u8]>,
    path: Option<&[u8]>,
    value: Option<&[u8]>,
    create: Option<bool>,
    treatment: Option<&str>,
    out: &mut Vec<u8>,
) -> Result<bool> {
    let (Some(b), Some(path), Some(create)) = (b, path, create) else { return Ok(false) };
    let bad = || {
        err!(
            INVALID_PARAMETER_VALUE,
            "null_value_treatment must be \"delete_key\", \"return_target\", \"use_json_null\", or \"raise_exception\""
        )
    };
    let treatment = treatment.ok_or_else(bad)?;
    if let Some(v) = value {
        return jsonb_set(b, path, v, create, out).map(|()| true);
    }
    match treatment {
        "raise_exception" => Err(err!(NULL_VALUE_NOT_ALLOWED, "JSON value must not be null")
            .detail("Exception was raised because null_value_treatment is \"raise_exception\".")
            .hint(
                "To avoid, either change the null_value_treatment argument or ensure that an SQL NULL is not passed.",
            )),
        "use_json_null" => jsonb_set(b, path, &Node::Null.to_jsonb()?, create, out).map(|()| true),
        "delete_key" => jsonb_delete_path(b, path, out).map(|()| true),
        "return_target" => {
            out.extend_from_slice(b);
            Ok(true)
        }
        _ => Err(bad()),
    }
}
pub fn jsonb_insert(b: &[u8], path: &[u8], value: &[u8], after: bool, out: &mut Vec<u8>) -> Result<()> {
    let path = path_of(path)?;
    if root(b)?.is_scalar() {
        bail!(INVALID_PARAMETER_VALUE, "cannot set path in scalar");
    }
    if path.is_empty() {
        out.extend_from_slice(b);
        return Ok(());
    }
    let op = SetOp { insert_after: after, insert_before: !after, ..SetOp::default() };
    set_path(b, &path, Some(Value::root(value)?.into()), op, out)
}
pub fn jsonb_delete_path(b: &[u8], path: &[u8], out: &mut Vec<u8>) -> Result<()> {
    let path = path_of(path)?;
    let c = root(b)?;
    if c.is_scalar() {
        bail!(INVALID_PARAMETER_VALUE, "cannot delete path in scalar");
    }
    if path.is_empty() || c.is_empty() {
        out.extend_from_slice(b);
        return Ok(());
    }
    set_path(b, &path, None, SetOp { delete: true, ..SetOp::default() }, out)
}

/// Assignment through subscripts: `None` as the container starts from the kind the first subscript asks for.
pub fn assign(b: Option<&[u8]>, path: &[Option<&str>], first_is_int: bool, value: &[u8]) -> Result<Vec<u8>> {
    let empty = match first_is_int {
        true => Node::Array(Vec::new()),
        false => Node::Object(Vec::new()),
    };
    let start = match b {
        Some(b) => Node::open(b)?,
        None => empty,
    };
    let op = SetOp { create: true, fill_gaps: true, consistent: true, ..SetOp::default() };
    Setter { path, op, value: Some(Value::root(value)?.into()) }.set(start, 0)?.to_jsonb()
}

fn elements(b: &[u8]) -> Result<Vec<Node<'_>>> {
    Ok(match Node::open(b)? {
        Node::Array(v) => v,
        Node::Object(m) => vec![Node::Object(m)],
        n => vec![n],
    })
}
pub fn jsonb_concat(a: &[u8], b: &[u8], out: &mut Vec<u8>) -> Result<()> {
    let n = match (Node::open(a)?, Node::open(b)?) {
        (Node::Object(mut x), Node::Object(y)) => {
            x.extend(y);
            Node::Object(x)
        }
        _ => {
            let mut v = elements(a)?;
            v.extend(elements(b)?);
            Node::Array(v)
        }
    };
    out.extend_from_slice(&n.to_jsonb()?);
    Ok(())
}

fn delete_keys(b: &[u8], drop: impl Fn(&str) -> bool, out: &mut Vec<u8>) -> Result<()> {
    let n = match Node::open(b)? {
        Node::Object(mut m) => {
            m.retain(|(k, _)| !drop(k));
            Node::Object(m)
        }
        Node::Array(mut v) => {
            v.retain(|x| !matches!(x, Node::String(s) if drop(s)));
            Node::Array(v)
        }
        _ => bail!(INVALID_PARAMETER_VALUE, "cannot delete from scalar"),
    };
    out.extend_from_slice(&n.to_jsonb()?);
    Ok(())
}
pub fn jsonb_delete(b: &[u8], key: &str, out: &mut Vec<u8>) -> Result<()> {
    delete_keys(b, |k| k == key, out)
}
pub fn jsonb_delete_array(b: &[u8], keys: &[u8], out: &mut Vec<u8>) -> Result<()> {
    let keys = path_of(keys)?;
    delete_keys(b, |k| keys.contains(&Some(k)), out)
}
pub fn jsonb_delete_idx(b: &[u8], idx: i32, out: &mut Vec<u8>) -> Result<()> {
    let mut v = match Node::open(b)? {
        Node::Array(v) => v,
        Node::Object(_) => bail!(INVALID_PARAMETER_VALUE, "cannot delete from object using integer index"),
        _ => bail!(INVALID_PARAMETER_VALUE, "cannot delete from scalar"),
    };
    let i = if idx < 0 { v.len() as i64 + i64::from(idx) } else { i64::from(idx) };
    if let Ok(i) = usize::try_from(i)
        && i < v.len()
    {
        v.remove(i);
    }
    out.extend_from_slice(&Node::Array(v).to_jsonb()?);
    Ok(())
}

fn stripped(c: Container<'_>) -> Result<Node<'_>> {
    let one = |v| match v {
        Value::Array(c) | Value::Object(c) => stripped(c),
        v => Ok(Node::from(v)),
    };
    if !c.is_object() {
        return Ok(Node::Array(c.values().map(|v| one(v?)).collect::<Result<_>>()?));
    }
    let mut m = Vec::with_capacity(c.len());
    for x in c.members() {
        let (k, v) = x?;
        if !matches!(v, Value::Null) {
            m.push((Cow::Borrowed(k), one(v)?));
        }
    }
    Ok(Node::Object(m))
}
pub fn jsonb_strip_nulls(b: &[u8], out: &mut Vec<u8>) -> Result<()> {
    match Value::root(b)? {
        Value::Array(c) | Value::Object(c) => out.extend_from_slice(&stripped(c)?.to_jsonb()?),
        _ => out.extend_from_slice(b),
    }
    Ok(())
}
