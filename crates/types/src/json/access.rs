//! Reading parts: `->`, `->>`, `#>`, `#>>` and lengths, for json and jsonb.

use super::node::{Value, root};
use super::text_tree::{TextKind, TextNode, path_index};
use crate::DatumRef;
use crate::array::ArrayRef;
use common::{Result, bail};

/// Elements of a text array; `None` for NULL.
pub fn text_items(a: &[u8]) -> Result<Vec<Option<&str>>> {
    ArrayRef::new(a)?
        .iter()
        .map(|d| {
            Ok(match d? {
                DatumRef::Bytes(b) => Some(std::str::from_utf8(b).unwrap_or("")),
                _ => None,
            })
        })
        .collect()
}

fn put(v: Option<Value<'_>>, text: bool, out: &mut Vec<u8>) -> Result<bool> {
    match v {
        None => Ok(false),
        Some(v) if text => v.write_text(out),
        Some(v) => {
            out.extend_from_slice(&v.to_jsonb()?);
            Ok(true)
        }
    }
}

pub fn jsonb_field(b: &[u8], key: &str, out: &mut Vec<u8>) -> Result<bool> {
    put(root(b)?.get(key)?, false, out)
}
pub fn jsonb_field_text(b: &[u8], key: &str, out: &mut Vec<u8>) -> Result<bool> {
    put(root(b)?.get(key)?, true, out)
}
pub fn jsonb_element(b: &[u8], i: i32, out: &mut Vec<u8>) -> Result<bool> {
    put(root(b)?.element(i64::from(i))?, false, out)
}
pub fn jsonb_element_text(b: &[u8], i: i32, out: &mut Vec<u8>) -> Result<bool> {
    put(root(b)?.element(i64::from(i))?, true, out)
}

/// Follows a path of member names and indexes.
pub fn jsonb_path<'a>(b: &'a [u8], path: &[Option<&str>]) -> Result<Option<Value<'a>>> {
    let mut v = Value::root(b)?;
    for p in path {
        let Some(p) = p else { return Ok(None) };
        let next = match v {
            Value::Object(c) => c.get(p)?,
            Value::Array(c) => match path_index(p) {
                Some(i) => c.element(i)?,
                None => None,
            },
            _ => None,
        };
        match next {
            Some(n) => v = n,
            None => return Ok(None),
        }
    }
    Ok(Some(v))
}
pub fn jsonb_extract(b: &[u8], path: &[u8], out: &mut Vec<u8>) -> Result<bool> {
    put(jsonb_path(b, &text_items(path)?)?, false, out)
}
pub fn jsonb_extract_text(b: &[u8], path: &[u8], out: &mut Vec<u8>) -> Result<bool> {
    put(jsonb_path(b, &text_items(path)?)?, true, out)
}
pub fn jsonb_array_length(b: &[u8]) -> Result<i32> {
    match Value::root(b)? {
        Value::Array(c) => Ok(c.len() as i32),
        Value::Object(_) => bail!(INVALID_PARAMETER_VALUE, "cannot get array length of a non-array"),
        _ => bail!(INVALID_PARAMETER_VALUE, "cannot get array length of a scalar"),
    }
}

fn put_text(n: Option<&TextNode<'_>>, text: bool, out: &mut Vec<u8>) -> Result<bool> {
    let s = match n {
        Some(n) if text => n.as_text(),
        n => n.map(|n| n.raw),
    };
    out.extend_from_slice(s.unwrap_or("").as_bytes());
    Ok(s.is_some())
}
pub fn json_field(s: &str, key: &str, out: &mut Vec<u8>) -> Result<bool> {
    put_text(TextNode::parse(s)?.get(key), false, out)
}
pub fn json_field_text(s: &str, key: &str, out: &mut Vec<u8>) -> Result<bool> {
    put_text(TextNode::parse(s)?.get(key), true, out)
}
pub fn json_element(s: &str, i: i32, out: &mut Vec<u8>) -> Result<bool> {
    put_text(TextNode::parse(s)?.element(i64::from(i)), false, out)
}
pub fn json_element_text(s: &str, i: i32, out: &mut Vec<u8>) -> Result<bool> {
    put_text(TextNode::parse(s)?.element(i64::from(i)), true, out)
}
fn json_path(s: &str, path: &[u8], text: bool, out: &mut Vec<u8>) -> Result<bool> {
    let items = text_items(path)?;
    let Some(path) = items.into_iter().collect::<Option<Vec<&str>>>() else { return Ok(false) };
    let n = TextNode::parse(s)?;
    if path.is_empty() && !text {
        out.extend_from_slice(s.as_bytes());
        return Ok(true);
    }
    if path.is_empty() && !matches!(n.kind, TextKind::String(_) | TextKind::Null) {
        out.extend_from_slice(s.as_bytes());
        return Ok(true);
    }
    put_text(n.path(&path), text, out)
}
pub fn json_extract(s: &str, path: &[u8], out: &mut Vec<u8>) -> Result<bool> {
    json_path(s, path, false, out)
}
pub fn json_extract_text(s: &str, path: &[u8], out: &mut Vec<u8>) -> Result<bool> {
    json_path(s, path, true, out)
}
pub fn json_array_length(s: &str) -> Result<i32> {
    match TextNode::parse(s)?.kind {
        TextKind::Array(v) => Ok(v.len() as i32),
        TextKind::Object(_) => bail!(INVALID_PARAMETER_VALUE, "cannot get array length of a non-array"),
        _ => bail!(INVALID_PARAMETER_VALUE, "cannot get array length of a scalar"),
    }
}
pub fn json_strip_nulls(s: &str, out: &mut Vec<u8>) -> Result<()> {
    TextNode::parse(s)?.write_stripped(out);
    Ok(())
}
