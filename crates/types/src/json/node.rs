//! `jsonb`: the binary form, reading it in place, and the tree it is built from.
//!
//! A container is a header word, one entry word a part, then the parts' bytes. Header: bit 31 set for an object, bit 30
//! for an array that only wraps a scalar (a document that is neither object nor array), the low 28 bits the number of
//! elements or members. Entry: the high three bits name the kind, the low 29 are the offset where the part's bytes end,
//! counted from the end of the entries. An object's entries are all keys, then all values; keys are unique and sorted by
//! length, then bytes, so a member is found by binary search and any part is reached in one step. Strings are their
//! bytes, numbers are `numeric`'s disk form, containers nest. Words are little endian and not aligned.

use super::lex::{self, DEPTH_MAX, Scalar, Sink};
use crate::numeric::Num;
use common::{Error, Result, bail};
use std::borrow::Cow;
use std::cmp::Ordering;

const OBJECT: u32 = 1 << 31;
const SCALAR: u32 = 1 << 30;
const COUNT: u32 = (1 << 28) - 1;
const OFFSET: u32 = (1 << 29) - 1;
/// Most bytes the parts of one container may take.
const BYTES_MAX: usize = (1 << 28) - 1;

const K_NULL: u32 = 0;
const K_STRING: u32 = 1;
const K_NUMBER: u32 = 2;
const K_FALSE: u32 = 3;
const K_TRUE: u32 = 4;
const K_CONTAINER: u32 = 5;

fn corrupt() -> Error {
    Error::corrupted("invalid jsonb value")
}

/// A borrowed array or object.
#[derive(Clone, Copy, Debug)]
pub struct Container<'a> {
    bytes: &'a [u8],
    head: u32,
    /// Where the parts' bytes begin.
    base: usize,
}

/// A borrowed value.
#[derive(Clone, Copy, Debug)]
pub enum Value<'a> {
    Null,
    Bool(bool),
    /// `numeric` in its disk form.
    Number(&'a [u8]),
    String(&'a str),
    Array(Container<'a>),
    Object(Container<'a>),
}

fn word(b: &[u8], at: usize) -> Result<u32> {
    Ok(u32::from_le_bytes(*b.get(at..).and_then(|b| b.first_chunk::<4>()).ok_or_else(corrupt)?))
}

impl<'a> Container<'a> {
    fn new(bytes: &'a [u8]) -> Result<Container<'a>> {
        let head = word(bytes, 0)?;
        let entries = (head & COUNT) as usize * if head & OBJECT != 0 { 2 } else { 1 };
        let base = 4 + 4 * entries;
        if base > bytes.len() {
            return Err(corrupt());
        }
        Ok(Container { bytes, head, base })
    }
    /// Elements of an array, members of an object.
    pub fn len(&self) -> usize {
        (self.head & COUNT) as usize
    }
    /// Has it no parts?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Is it an object?
    pub fn is_object(&self) -> bool {
        self.head & OBJECT != 0
    }
    /// Does it only wrap a scalar?
    pub fn is_scalar(&self) -> bool {
        self.head & SCALAR != 0
    }
    fn entry(&self, i: usize) -> Result<(u32, &'a [u8])> {
        let e = word(self.bytes, 4 + 4 * i)?;
        let from = if i == 0 { 0 } else { (word(self.bytes, 4 * i)? & OFFSET) as usize };
        let part = self.bytes.get(self.base + from..self.base + (e & OFFSET) as usize).ok_or_else(corrupt)?;
        Ok((e >> 29, part))
    }
    fn part(&self, i: usize) -> Result<Value<'a>> {
        let (kind, b) = self.entry(i)?;
        Ok(match kind {
            K_NULL => Value::Null,
            K_FALSE => Value::Bool(false),
            K_TRUE => Value::Bool(true),
            K_NUMBER => Value::Number(b),
            K_STRING => Value::String(std::str::from_utf8(b).map_err(|_| corrupt())?),
            K_CONTAINER => {
                let c = Container::new(b)?;
                if c.is_object() { Value::Object(c) } else { Value::Array(c) }
            }
            _ => return Err(corrupt()),
        })
    }
    /// Element `i` of an array, value of member `i` of an object (which must exist).
    pub fn value(&self, i: usize) -> Result<Value<'a>> {
        self.part(if self.is_object() { self.len() + i } else { i })
    }
    /// Key of member `i` of an object.
    pub fn key(&self, i: usize) -> Result<&'a str> {
        std::str::from_utf8(self.entry(i)?.1).map_err(|_| corrupt())
    }
    /// The values in order.
    pub fn values(self) -> impl Iterator<Item = Result<Value<'a>>> {
        (0..self.len()).map(move |i| self.value(i))
    }
    /// The members of an object in order.
    pub fn members(self) -> impl Iterator<Item = Result<(&'a str, Value<'a>)>> {
        (0..self.len()).map(move |i| Ok((self.key(i)?, self.value(i)?)))
    }
    /// The member of this name; `None` for arrays too.
    pub fn get(&self, key: &str) -> Result<Option<Value<'a>>> {
        if !self.is_object() {
            return Ok(None);
        }
        let (mut lo, mut hi) = (0, self.len());
        while lo < hi {
            let mid = (lo + hi) / 2;
            match key_cmp(self.entry(mid)?.1, key.as_bytes()) {
                Ordering::Equal => return self.value(mid).map(Some),
                Ordering::Less => lo = mid + 1,
                Ordering::Greater => hi = mid,
            }
        }
        Ok(None)
    }
    /// Element of an array; negative ones count from the end. `None` for objects and out of range.
    pub fn element(&self, index: i64) -> Result<Option<Value<'a>>> {
        if self.is_object() {
            return Ok(None);
        }
        let i = if index < 0 { self.len() as i64 + index } else { index };
        if i < 0 || i >= self.len() as i64 { Ok(None) } else { self.value(i as usize).map(Some) }
    }
    /// As a document.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }
}

/// Order of keys within an object: shorter ones first.
pub fn key_cmp(a: &[u8], b: &[u8]) -> Ordering {
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

impl<'a> Value<'a> {
    /// Reads a stored document.
    pub fn root(bytes: &'a [u8]) -> Result<Value<'a>> {
        let c = root(bytes)?;
        Ok(if c.is_object() {
            Value::Object(c)
        } else if c.is_scalar() {
            c.value(0)?
        } else {
            Value::Array(c)
        })
    }
    /// As a document of its own.
    pub fn to_jsonb(self) -> Result<Vec<u8>> {
        match self {
            Value::Array(c) | Value::Object(c) => Ok(c.bytes.to_vec()),
            v => Node::from(v).to_jsonb(),
        }
    }
    /// The container, if it is one.
    pub fn container(self) -> Option<Container<'a>> {
        match self {
            Value::Array(c) | Value::Object(c) => Some(c),
            _ => None,
        }
    }
    /// Name of the type as `jsonb_typeof` gives it.
    pub fn type_name(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        }
    }
    /// Appends the value as JSON text.
    pub fn write(self, out: &mut Vec<u8>) -> Result<()> {
        self.write_indented(out, None)
    }
    /// Appends what `->>` gives: a string without quotes, else JSON text. `false` for null.
    pub fn write_text(self, out: &mut Vec<u8>) -> Result<bool> {
        match self {
            Value::Null => return Ok(false),
            Value::String(s) => out.extend_from_slice(s.as_bytes()),
            v => v.write(out)?,
        }
        Ok(true)
    }
    /// Appends the value, on several lines when a level of indentation is given.
    pub fn write_indented(self, out: &mut Vec<u8>, level: Option<usize>) -> Result<()> {
        let (c, open, close) = match self {
            Value::Null => return push(out, b"null"),
            Value::Bool(true) => return push(out, b"true"),
            Value::Bool(false) => return push(out, b"false"),
            Value::Number(n) => {
                Num::unpack(n)?.write(out);
                return Ok(());
            }
            Value::String(s) => {
                lex::push_string(s, out);
                return Ok(());
            }
            Value::Array(c) => (c, b'[', b']'),
            Value::Object(c) => (c, b'{', b'}'),
        };
        out.push(open);
        let inner = level.map(|l| l + 1);
        for i in 0..c.len() {
            if i > 0 {
                out.extend_from_slice(if level.is_some() { b"," } else { b", " });
            }
            indent(out, inner);
            if c.is_object() {
                lex::push_string(c.key(i)?, out);
                out.extend_from_slice(b": ");
            }
            c.value(i)?.write_indented(out, inner)?;
        }
        indent(out, level);
        out.push(close);
        Ok(())
    }
}

fn push(out: &mut Vec<u8>, b: &[u8]) -> Result<()> {
    out.extend_from_slice(b);
    Ok(())
}

fn indent(out: &mut Vec<u8>, level: Option<usize>) {
    if let Some(l) = level {
        out.push(b'\n');
        out.resize(out.len() + 4 * l, b' ');
    }
}

/// The outermost container of a stored document.
pub fn root(bytes: &[u8]) -> Result<Container<'_>> {
    Container::new(bytes)
}

/// A value being built or changed. `Raw` parts are copied byte by byte.
#[derive(Clone, Debug)]
pub enum Node<'a> {
    Null,
    Bool(bool),
    Number(Cow<'a, [u8]>),
    String(Cow<'a, str>),
    Array(Vec<Node<'a>>),
    /// Any order, duplicates allowed: the last of equal keys wins.
    Object(Vec<(Cow<'a, str>, Node<'a>)>),
    Raw(Container<'a>),
}

impl<'a> From<Value<'a>> for Node<'a> {
    fn from(v: Value<'a>) -> Node<'a> {
        match v {
            Value::Null => Node::Null,
            Value::Bool(b) => Node::Bool(b),
            Value::Number(n) => Node::Number(Cow::Borrowed(n)),
            Value::String(s) => Node::String(Cow::Borrowed(s)),
            Value::Array(c) | Value::Object(c) => Node::Raw(c),
        }
    }
}

impl<'a> Node<'a> {
    /// From a stored document, its top level taken apart.
    pub fn open(bytes: &'a [u8]) -> Result<Node<'a>> {
        Node::from(Value::root(bytes)?).opened()
    }
    /// A raw container taken apart one level.
    pub fn opened(self) -> Result<Node<'a>> {
        let Node::Raw(c) = self else { return Ok(self) };
        Ok(if c.is_object() {
            Node::Object(
                c.members().map(|m| m.map(|(k, v)| (Cow::Borrowed(k), v.into()))).collect::<Result<_>>()?,
            )
        } else {
            Node::Array(c.values().map(|v| v.map(Node::from)).collect::<Result<_>>()?)
        })
    }
    /// A number.
    pub fn num(n: &Num) -> Result<Node<'static>> {
        let mut b = Vec::new();
        n.pack(&mut b)?;
        Ok(Node::Number(Cow::Owned(b)))
    }
    /// A string.
    pub fn str(s: &'a str) -> Node<'a> {
        Node::String(Cow::Borrowed(s))
    }
    /// The stored form.
    pub fn to_jsonb(self) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        match self {
            Node::Array(_) | Node::Object(_) | Node::Raw(_) => {
                self.append(&mut out, 0)?;
            }
            scalar => {
                out.extend_from_slice(&(SCALAR | 1).to_le_bytes());
                out.extend_from_slice(&[0; 4]);
                let kind = scalar.append(&mut out, 0)?;
                let end = out.len() - 8;
                limit(end, "array elements")?;
                out[4..8].copy_from_slice(&(kind << 29 | end as u32).to_le_bytes());
            }
        }
        Ok(out)
    }
    /// Appends the part's bytes and tells its kind.
    fn append(self, out: &mut Vec<u8>, depth: usize) -> Result<u32> {
        if depth > DEPTH_MAX {
            return Err(lex::too_deep());
        }
        Ok(match self {
            Node::Null => K_NULL,
            Node::Bool(false) => K_FALSE,
            Node::Bool(true) => K_TRUE,
            Node::Number(n) => {
                out.extend_from_slice(&n);
                K_NUMBER
            }
            Node::String(s) => {
                out.extend_from_slice(s.as_bytes());
                K_STRING
            }
            Node::Raw(c) => {
                out.extend_from_slice(c.bytes);
                K_CONTAINER
            }
            Node::Array(items) => {
                count(items.len(), "array elements")?;
                let at = begin(out, items.len() as u32, items.len());
                let base = out.len();
                for (i, x) in items.into_iter().enumerate() {
                    let kind = x.append(out, depth + 1)?;
                    entry(out, at + 4 * i, base, kind, "array elements")?;
                }
                K_CONTAINER
            }
            Node::Object(members) => {
                let members = sorted(members);
                let n = members.len();
                count(n, "object pairs")?;
                let at = begin(out, OBJECT | n as u32, 2 * n);
                let base = out.len();
                for (i, (k, _)) in members.iter().enumerate() {
                    out.extend_from_slice(k.as_bytes());
                    entry(out, at + 4 * i, base, K_STRING, "object elements")?;
                }
                for (i, (_, v)) in members.into_iter().enumerate() {
                    let kind = v.append(out, depth + 1)?;
                    entry(out, at + 4 * (n + i), base, kind, "object elements")?;
                }
                K_CONTAINER
            }
        })
    }
}

fn begin(out: &mut Vec<u8>, head: u32, entries: usize) -> usize {
    out.extend_from_slice(&head.to_le_bytes());
    let at = out.len();
    out.resize(at + 4 * entries, 0);
    at
}

fn entry(out: &mut [u8], at: usize, base: usize, kind: u32, what: &str) -> Result<()> {
    let end = out.len() - base;
    limit(end, what)?;
    out[at..at + 4].copy_from_slice(&(kind << 29 | end as u32).to_le_bytes());
    Ok(())
}

fn limit(end: usize, what: &str) -> Result<()> {
    if end > BYTES_MAX {
        bail!(
            PROGRAM_LIMIT_EXCEEDED,
            "total size of jsonb {} exceeds the maximum of {} bytes",
            what,
            BYTES_MAX
        );
    }
    Ok(())
}

fn count(n: usize, what: &str) -> Result<()> {
    if n > COUNT as usize {
        bail!(PROGRAM_LIMIT_EXCEEDED, "number of jsonb {} exceeds the maximum allowed ({})", what, COUNT);
    }
    Ok(())
}

/// Members in key order, the last of equal keys kept.
fn sorted<'a>(mut m: Vec<(Cow<'a, str>, Node<'a>)>) -> Vec<(Cow<'a, str>, Node<'a>)> {
    let cmp = |a: &str, b: &str| key_cmp(a.as_bytes(), b.as_bytes());
    if m.windows(2).all(|w| cmp(&w[0].0, &w[1].0).is_lt()) {
        return m;
    }
    m.sort_by(|a, b| cmp(&a.0, &b.0));
    m.reverse();
    // Stable order reversed: of equal keys the last comes first, and is the one dedup keeps.
    m.dedup_by(|a, b| a.0 == b.0);
    m.reverse();
    m
}

/// Builds the tree of a document.
#[derive(Default)]
pub struct TreeSink<'a> {
    stack: Vec<(Option<Cow<'a, str>>, Node<'a>)>,
    key: Option<Cow<'a, str>>,
    done: Option<Node<'a>>,
}

impl<'a> TreeSink<'a> {
    fn add(&mut self, key: Option<Cow<'a, str>>, n: Node<'a>) {
        match self.stack.last_mut() {
            None => self.done = Some(n),
            Some((_, Node::Array(v))) => v.push(n),
            Some((_, Node::Object(v))) => v.push((key.unwrap_or_default(), n)),
            Some(_) => {}
        }
    }
}

impl<'a> Sink<'a> for TreeSink<'a> {
    fn start(&mut self, object: bool, _: usize) -> Result<()> {
        let n = if object { Node::Object(Vec::new()) } else { Node::Array(Vec::new()) };
        self.stack.push((self.key.take(), n));
        Ok(())
    }
    fn end(&mut self, _: usize) -> Result<()> {
        if let Some((key, n)) = self.stack.pop() {
            self.add(key, n);
        }
        Ok(())
    }
    fn key(&mut self, key: Cow<'a, str>) -> Result<()> {
        if key.len() > BYTES_MAX {
            bail!(PROGRAM_LIMIT_EXCEEDED, "string too long to represent as jsonb string");
        }
        self.key = Some(key);
        Ok(())
    }
    fn scalar(&mut self, v: Scalar<'a>, _: usize, _: usize) -> Result<()> {
        let n = match v {
            Scalar::Null => Node::Null,
            Scalar::Bool(b) => Node::Bool(b),
            Scalar::String(s) => Node::String(s),
            Scalar::Number(s) => Node::num(&crate::numeric::parse_numeric(s)?)?,
        };
        let key = self.key.take();
        self.add(key, n);
        Ok(())
    }
}

/// The tree of a JSON text. 22P02.
pub fn parse_tree(text: &str) -> Result<Node<'_>> {
    let mut s = TreeSink::default();
    lex::parse(text, true, &mut s)?;
    s.done.ok_or_else(|| Error::internal("parser gave no value"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(b: &[u8]) -> String {
        let mut out = Vec::new();
        Value::root(b).unwrap().write(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn round_trips() {
        for (from, to) in [
            ("1", "1"),
            ("1.500", "1.500"),
            ("\"a\\u0041\"", "\"aA\""),
            ("[]", "[]"),
            ("{}", "{}"),
            ("{\"bb\":1,\"a\":2,\"a\":3}", "{\"a\": 3, \"bb\": 1}"),
            ("[[1],{\"a\":[null,true,false]}]", "[[1], {\"a\": [null, true, false]}]"),
        ] {
            let b = parse_tree(from).unwrap().to_jsonb().unwrap();
            assert_eq!(text(&b), to);
            let again = parse_tree(to).unwrap().to_jsonb().unwrap();
            assert_eq!(text(&again), to);
        }
    }

    #[test]
    fn fields_and_damage() {
        let b = parse_tree("{\"k\":[1,{\"z\":\"é\"}],\"longer\":null,\"a\":2}").unwrap().to_jsonb().unwrap();
        let r = root(&b).unwrap();
        assert!(matches!(r.get("longer").unwrap(), Some(Value::Null)));
        assert!(r.get("lonner").unwrap().is_none());
        // Damaged bytes give errors, never panics.
        for i in 0..b.len() {
            for bit in 0..8 {
                let mut d = b.clone();
                d[i] ^= 1 << bit;
                let _ = Value::root(&d).and_then(|v| v.write(&mut Vec::new()));
                let _ = Value::root(&d[..i]).and_then(|v| v.write(&mut Vec::new()));
            }
        }
    }
}
