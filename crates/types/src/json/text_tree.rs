//! `json` keeps its text. Functions that look inside parse it into a tree of spans: what they return is the text as
//! written, white space within values included.

use super::lex::{self, Scalar, Sink};
use common::{Error, Result};
use std::borrow::Cow;

/// A value and where it stands in the text.
#[derive(Clone, Debug)]
pub struct TextNode<'a> {
    pub raw: &'a str,
    pub kind: TextKind<'a>,
}

/// What the value is.
#[derive(Clone, Debug)]
pub enum TextKind<'a> {
    Null,
    Bool,
    Number,
    String(Cow<'a, str>),
    Array(Vec<TextNode<'a>>),
    /// In order of appearance, duplicates included.
    Object(Vec<(Cow<'a, str>, TextNode<'a>)>),
}

impl<'a> TextNode<'a> {
    /// Parses a document. 22P02, 22P05.
    pub fn parse(text: &'a str) -> Result<TextNode<'a>> {
        let mut s = Builder { text, stack: Vec::new(), key: None, done: None };
        lex::parse(text, true, &mut s)?;
        s.done.ok_or_else(|| Error::internal("parser gave no value"))
    }
    /// What `->>` gives; `None` for null.
    pub fn as_text(&self) -> Option<&str> {
        match &self.kind {
            TextKind::Null => None,
            TextKind::String(s) => Some(s),
            _ => Some(self.raw),
        }
    }
    /// The member of this name, the last one if there are several.
    pub fn get(&self, key: &str) -> Option<&TextNode<'a>> {
        match &self.kind {
            TextKind::Object(m) => m.iter().rev().find(|(k, _)| k == key).map(|(_, v)| v),
            _ => None,
        }
    }
    /// Element of an array, counted from the end when negative.
    pub fn element(&self, index: i64) -> Option<&TextNode<'a>> {
        let TextKind::Array(v) = &self.kind else { return None };
        let i = if index < 0 { v.len() as i64 + index } else { index };
        usize::try_from(i).ok().and_then(|i| v.get(i))
    }
    /// Follows a path. Of members with equal names the last one that leads to an end counts.
    pub fn path(&self, path: &[&str]) -> Option<&TextNode<'a>> {
        let Some((first, rest)) = path.split_first() else { return Some(self) };
        match &self.kind {
            TextKind::Object(m) => m.iter().rev().filter(|(k, _)| k == first).find_map(|(_, v)| v.path(rest)),
            TextKind::Array(_) => self.element(path_index(first)?)?.path(rest),
            _ => None,
        }
    }
    /// Appends the value without nulls among the members of objects, without white space.
    pub fn write_stripped(&self, out: &mut Vec<u8>) {
        match &self.kind {
            TextKind::Array(v) => {
                out.push(b'[');
                for (i, x) in v.iter().enumerate() {
                    if i > 0 {
                        out.push(b',');
                    }
                    x.write_stripped(out);
                }
                out.push(b']');
            }
            TextKind::Object(m) => {
                out.push(b'{');
                let mut first = true;
                for (k, x) in m.iter().filter(|(_, x)| !matches!(x.kind, TextKind::Null)) {
                    if !std::mem::take(&mut first) {
                        out.push(b',');
                    }
                    lex::push_string(k, out);
                    out.push(b':');
                    x.write_stripped(out);
                }
                out.push(b'}');
            }
            TextKind::String(s) => lex::push_string(s, out),
            _ => out.extend_from_slice(self.raw.as_bytes()),
        }
    }
}

/// A path element as an array index.
pub fn path_index(s: &str) -> Option<i64> {
    let t = s.trim_start_matches(|c: char| c.is_ascii() && crate::wire::is_space(c as u8));
    t.parse::<i32>().ok().map(i64::from)
}

struct Open<'a> {
    start: usize,
    key: Option<Cow<'a, str>>,
    kind: TextKind<'a>,
}

struct Builder<'a> {
    text: &'a str,
    stack: Vec<Open<'a>>,
    key: Option<Cow<'a, str>>,
    done: Option<TextNode<'a>>,
}

impl<'a> Builder<'a> {
    fn add(&mut self, key: Option<Cow<'a, str>>, n: TextNode<'a>) {
        match self.stack.last_mut().map(|o| &mut o.kind) {
            Some(TextKind::Array(v)) => v.push(n),
            Some(TextKind::Object(m)) => m.push((key.unwrap_or_default(), n)),
            _ => self.done = Some(n),
        }
    }
}

impl<'a> Sink<'a> for Builder<'a> {
    fn start(&mut self, object: bool, at: usize) -> Result<()> {
        let kind = if object { TextKind::Object(Vec::new()) } else { TextKind::Array(Vec::new()) };
        self.stack.push(Open { start: at, key: self.key.take(), kind });
        Ok(())
    }
    fn end(&mut self, end: usize) -> Result<()> {
        if let Some(o) = self.stack.pop() {
            self.add(o.key, TextNode { raw: &self.text[o.start..end], kind: o.kind });
        }
        Ok(())
    }
    fn key(&mut self, key: Cow<'a, str>) -> Result<()> {
        self.key = Some(key);
        Ok(())
    }
    fn scalar(&mut self, v: Scalar<'a>, start: usize, end: usize) -> Result<()> {
        let kind = match v {
            Scalar::Null => TextKind::Null,
            Scalar::Bool(_) => TextKind::Bool,
            Scalar::Number(_) => TextKind::Number,
            Scalar::String(s) => TextKind::String(s),
        };
        let key = self.key.take();
        self.add(key, TextNode { raw: &self.text[start..end], kind });
        Ok(())
    }
}
