//! What a path yields on its way: values of the document, values made by methods, dates and times.

use crate::datetime::{push_date, push_timestamp};
use crate::json::build::push_iso_tz;
use crate::json::node::{Container, Node, Value};
use crate::{DatumRef, FormatSettings};
use common::Result;
use std::borrow::Cow;
use std::rc::Rc;

/// A date or time. Zones are seconds east.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Moment {
    Date(i32),
    Time(i64),
    TimeTz(i64, i32),
    Timestamp(i64),
    TimestampTz(i64, i32),
}

impl Moment {
    /// Name as `.type()` gives it.
    pub fn type_name(self) -> &'static str {
        match self {
            Moment::Date(_) => "date",
            Moment::Time(_) => "time without time zone",
            Moment::TimeTz(..) => "time with time zone",
            Moment::Timestamp(_) => "timestamp without time zone",
            Moment::TimestampTz(..) => "timestamp with time zone",
        }
    }
    /// Short name, as messages have it.
    pub fn short_name(self) -> &'static str {
        match self {
            Moment::Date(_) => "date",
            Moment::Time(_) => "time",
            Moment::TimeTz(..) => "timetz",
            Moment::Timestamp(_) => "timestamp",
            Moment::TimestampTz(..) => "timestamptz",
        }
    }
    /// ISO 8601 text.
    pub fn text(self) -> String {
        let mut fmt = FormatSettings::default();
        let mut out = Vec::new();
        match self {
            Moment::Date(d) => push_date(&fmt, d, &mut out),
            Moment::Time(t) => crate::datetime::push_time(t, &mut out),
            Moment::TimeTz(t, east) => {
                crate::datetime::push_time(t, &mut out);
                let sign = if east < 0 { '-' } else { '+' };
                let m = east.abs() / 60;
                out.extend_from_slice(format!("{sign}{:02}:{:02}", m / 60, m % 60).as_bytes());
            }
            Moment::Timestamp(t) => {
                push_timestamp(&fmt, t, &mut out);
                if let Some(c) = out.iter_mut().find(|c| **c == b' ') {
                    *c = b'T';
                }
            }
            Moment::TimestampTz(t, east) => {
                if let Ok(o) = jiff::tz::Offset::from_seconds(east) {
                    fmt.timezone = jiff::tz::TimeZone::fixed(o);
                }
                push_iso_tz(&fmt, t, &mut out);
            }
        }
        String::from_utf8_lossy(&out).into_owned()
    }
}

/// A value on its way through a path.
#[derive(Clone, Debug)]
pub enum Item<'a> {
    Null,
    Bool(bool),
    Number(Cow<'a, [u8]>),
    String(Cow<'a, str>),
    /// Part of a document; the number tells of which (see `Exec::base`).
    Part(Container<'a>, u64),
    /// A document made on the way, with its number.
    Made(Rc<[u8]>, u64),
    Moment(Moment),
}

impl<'a> Item<'a> {
    /// A value of document `base`.
    pub fn of(v: Value<'a>, base: u64) -> Item<'a> {
        match v {
            Value::Null => Item::Null,
            Value::Bool(b) => Item::Bool(b),
            Value::Number(n) => Item::Number(Cow::Borrowed(n)),
            Value::String(s) => Item::String(Cow::Borrowed(s)),
            Value::Array(c) | Value::Object(c) => Item::Part(c, base),
        }
    }
    /// A value inside a made document: copied.
    fn copied(v: Value<'_>, base: u64) -> Item<'a> {
        match v {
            Value::Null => Item::Null,
            Value::Bool(b) => Item::Bool(b),
            Value::Number(n) => Item::Number(Cow::Owned(n.to_vec())),
            Value::String(s) => Item::String(Cow::Owned(s.to_string())),
            Value::Array(c) | Value::Object(c) => Item::Made(Rc::from(c.bytes()), base),
        }
    }
    fn container(&self) -> Option<Container<'_>> {
        match self {
            Item::Part(c, _) => Some(*c),
            Item::Made(b, _) => Value::root(b).ok()?.container(),
            _ => None,
        }
    }
    /// The elements, if it is an array.
    pub fn elements(&self) -> Result<Option<Vec<Item<'a>>>> {
        match self.container() {
            Some(c) if !c.is_object() => self.children().map(Some),
            _ => Ok(None),
        }
    }
    /// Is it an array?
    pub fn is_array(&self) -> bool {
        self.container().is_some_and(|c| !c.is_object())
    }
    /// Is it an object?
    pub fn is_object(&self) -> bool {
        self.container().is_some_and(|c| c.is_object())
    }
    /// Number of elements of an array.
    pub fn len(&self) -> usize {
        self.container().map_or(0, |c| c.len())
    }
    /// Elements of an array or values of an object; none of a scalar.
    pub fn children(&self) -> Result<Vec<Item<'a>>> {
        match self {
            Item::Part(c, base) => c.values().map(|v| Ok(Item::of(v?, *base))).collect(),
            Item::Made(b, base) => match Value::root(b)?.container() {
                Some(c) => c.values().map(|v| Ok(Item::copied(v?, *base))).collect(),
                None => Ok(Vec::new()),
            },
            _ => Ok(Vec::new()),
        }
    }
    /// Element `i` of an array.
    pub fn element(&self, i: usize) -> Result<Option<Item<'a>>> {
        Ok(match self {
            Item::Part(c, base) => c.element(i as i64)?.map(|v| Item::of(v, *base)),
            Item::Made(b, base) => match Value::root(b)?.container() {
                Some(c) => c.element(i as i64)?.map(|v| Item::copied(v, *base)),
                None => None,
            },
            _ => None,
        })
    }
    /// The member of an object.
    pub fn get(&self, key: &str) -> Result<Option<Item<'a>>> {
        Ok(match self {
            Item::Part(c, base) => c.get(key)?.map(|v| Item::of(v, *base)),
            Item::Made(b, base) => match Value::root(b)?.container() {
                Some(c) => c.get(key)?.map(|v| Item::copied(v, *base)),
                None => None,
            },
            _ => None,
        })
    }
    /// The members of an object: keys and stored values.
    pub fn members(&self) -> Result<Vec<(String, Vec<u8>)>> {
        let Some(c) = self.container() else { return Ok(Vec::new()) };
        c.members()
            .map(|m| {
                let (k, v) = m?;
                Ok((k.to_string(), v.to_jsonb()?))
            })
            .collect()
    }
    /// As a document.
    pub fn to_jsonb(&self) -> Result<Vec<u8>> {
        self.node().to_jsonb()
    }
    /// As a part of a document.
    pub fn node(&self) -> Node<'_> {
        match self {
            Item::Null => Node::Null,
            Item::Bool(b) => Node::Bool(*b),
            Item::Number(n) => Node::Number(Cow::Borrowed(n)),
            Item::String(s) => Node::str(s),
            Item::Part(c, _) => Node::Raw(*c),
            Item::Made(..) => self.container().map_or(Node::Null, Node::Raw),
            Item::Moment(m) => Node::String(Cow::Owned(m.text())),
        }
    }
    /// Name of the type as `.type()` gives it.
    pub fn type_name(&self) -> &'static str {
        match self {
            Item::Null => "null",
            Item::Bool(_) => "boolean",
            Item::Number(_) => "number",
            Item::String(_) => "string",
            Item::Moment(m) => m.type_name(),
            _ if self.is_object() => "object",
            _ => "array",
        }
    }
    /// Number of the document this is a part of, and how far its bytes lie behind the start of it in PostgreSQL's form.
    pub fn place(&self, root: &[u8]) -> Result<(u64, u64)> {
        match self {
            Item::Part(c, base) => {
                let at = (c.bytes().as_ptr() as usize).wrapping_sub(root.as_ptr() as usize);
                let offset = match Value::root(root)?.container() {
                    Some(r) if at > 0 && at < root.len() => offset_in(r, root.as_ptr() as usize, at, 0)?.0,
                    _ => None,
                };
                Ok((*base, offset.unwrap_or(0)))
            }
            Item::Made(_, base) => Ok((*base, 0)),
            _ => Ok((0, 0)),
        }
    }
}

/// Where the container at byte `target` of the document lies in PostgreSQL's layout, in which containers and numbers
/// are aligned to 4: `(offset if found, end of this container)`.
fn offset_in(c: Container<'_>, start: usize, target: usize, at: u64) -> Result<(Option<u64>, u64)> {
    if c.bytes().as_ptr() as usize - start == target {
        return Ok((Some(at), at));
    }
    let entries = c.len() as u64 * if c.is_object() { 2 } else { 1 };
    let mut end = at + 4 + 4 * entries;
    if c.is_object() {
        for i in 0..c.len() {
            end += c.key(i)?.len() as u64;
        }
    }
    let up = |v: u64| v.div_ceil(4) * 4;
    for v in c.values() {
        match v? {
            Value::String(s) => end += s.len() as u64,
            Value::Number(n) => end = up(end) + 4 + n.len() as u64,
            Value::Array(x) | Value::Object(x) => {
                let (found, e) = offset_in(x, start, target, up(end))?;
                if found.is_some() {
                    return Ok((found, e));
                }
                end = e;
            }
            _ => {}
        }
    }
    Ok((None, end))
}

/// Numbers by value.
pub fn compare_numbers(a: &[u8], b: &[u8]) -> std::cmp::Ordering {
    crate::numeric::numeric_cmp(crate::Collation::NONE, DatumRef::Bytes(a), DatumRef::Bytes(b))
}
