//! The tree of a jsonpath and how it is printed. A step is followed by its accessors through `next`, so `$.a[1]` is
//! `Root -> Key -> Index`. The stored form of a jsonpath is its printed text, which parses to the same tree.

use crate::json::lex::push_string;
use crate::numeric::Num;

/// A whole path.
#[derive(Clone, Debug)]
pub struct Path {
    pub lax: bool,
    pub expr: Step,
}

/// A part of a path and what is applied to its result.
#[derive(Clone, Debug)]
pub struct Step {
    pub kind: Kind,
    pub next: Option<Box<Step>>,
}

/// Operators of two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    Or,
    And,
    Eq,
    Ne,
    Lt,
    Gt,
    Le,
    Ge,
    StartsWith,
    Add,
    Sub,
    Mul,
    Div,
    Mod,
}

impl Op {
    /// As written.
    pub fn symbol(self) -> &'static str {
        match self {
            Op::Or => "||",
            Op::And => "&&",
            Op::Eq => "==",
            Op::Ne => "!=",
            Op::Lt => "<",
            Op::Gt => ">",
            Op::Le => "<=",
            Op::Ge => ">=",
            Op::StartsWith => "starts with",
            Op::Add => "+",
            Op::Sub => "-",
            Op::Mul => "*",
            Op::Div => "/",
            Op::Mod => "%",
        }
    }
    /// How tightly it binds.
    pub fn priority(self) -> u8 {
        match self {
            Op::Or => 0,
            Op::And => 1,
            Op::Add | Op::Sub => 3,
            Op::Mul | Op::Div | Op::Mod => 4,
            _ => 2,
        }
    }
}

/// Methods without arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Type,
    Size,
    Double,
    Ceiling,
    Floor,
    Abs,
    KeyValue,
}

impl Method {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Method::Type => "type",
            Method::Size => "size",
            Method::Double => "double",
            Method::Ceiling => "ceiling",
            Method::Floor => "floor",
            Method::Abs => "abs",
            Method::KeyValue => "keyvalue",
        }
    }
}

/// What a step does.
#[derive(Clone, Debug)]
pub enum Kind {
    Root,
    Current,
    Last,
    Null,
    Bool(bool),
    Number(Num),
    String(String),
    Variable(String),
    Key(String),
    AnyKey,
    AnyArray,
    /// Subscripts and ranges.
    Index(Vec<(Step, Option<Step>)>),
    /// `.**{first to last}`; `u32::MAX` is `last`.
    Any(u32, u32),
    Filter(Box<Step>),
    Method(Method),
    Datetime(Option<String>),
    Binary(Op, Box<Step>, Box<Step>),
    Plus(Box<Step>),
    Minus(Box<Step>),
    Not(Box<Step>),
    IsUnknown(Box<Step>),
    Exists(Box<Step>),
    /// Value, pattern, flags in the order `ismxq`.
    LikeRegex(Box<Step>, String, String),
}

impl Step {
    /// A step without accessors.
    pub fn new(kind: Kind) -> Step {
        Step { kind, next: None }
    }
    /// Appends an accessor behind the last one.
    pub fn push(&mut self, kind: Kind) {
        let mut slot = &mut self.next;
        while let Some(n) = slot {
            slot = &mut n.next;
        }
        *slot = Some(Box::new(Step::new(kind)));
    }
    /// Is it true, false or unknown?
    pub fn is_predicate(&self) -> bool {
        self.next.is_none()
            && match &self.kind {
                Kind::Binary(op, ..) => op.priority() < 3,
                Kind::Not(_) | Kind::IsUnknown(_) | Kind::Exists(_) | Kind::LikeRegex(..) => true,
                _ => false,
            }
    }
    fn priority(&self) -> u8 {
        match &self.kind {
            Kind::Binary(op, ..) => op.priority(),
            Kind::Plus(_) | Kind::Minus(_) => 5,
            _ => 6,
        }
    }
    fn write(&self, out: &mut Vec<u8>, key: bool, brackets: bool) {
        let brackets = brackets || self.next.is_some();
        let mut put = |s: &str| out.extend_from_slice(s.as_bytes());
        match &self.kind {
            Kind::Root => put("$"),
            Kind::Current => put("@"),
            Kind::Last => put("last"),
            Kind::Null => put("null"),
            Kind::Bool(b) => put(if *b { "true" } else { "false" }),
            Kind::Number(n) => {
                let paren = self.next.is_some();
                if paren {
                    out.push(b'(');
                }
                n.write(out);
                if paren {
                    out.push(b')');
                }
            }
            Kind::String(s) => push_string(s, out),
            Kind::Variable(s) => {
                put("$");
                push_string(s, out);
            }
            Kind::Key(s) => {
                if key {
                    put(".");
                }
                push_string(s, out);
            }
            Kind::AnyKey => put(if key { ".*" } else { "*" }),
            Kind::AnyArray => put("[*]"),
            Kind::Index(list) => {
                out.push(b'[');
                for (i, (from, to)) in list.iter().enumerate() {
                    if i > 0 {
                        out.push(b',');
                    }
                    from.write(out, false, false);
                    if let Some(to) = to {
                        out.extend_from_slice(b" to ");
                        to.write(out, false, false);
                    }
                }
                out.push(b']');
            }
            Kind::Any(first, last) => {
                put(if key { ".**" } else { "**" });
                const MAX: u32 = u32::MAX;
                match (*first, *last) {
                    (0, MAX) => {}
                    (MAX, MAX) => put("{last}"),
                    (a, b) if a == b => put(&format!("{{{a}}}")),
                    (MAX, b) => put(&format!("{{last to {b}}}")),
                    (a, MAX) => put(&format!("{{{a} to last}}")),
                    (a, b) => put(&format!("{{{a} to {b}}}")),
                }
            }
            Kind::Filter(p) => {
                put("?(");
                p.write(out, false, false);
                out.push(b')');
            }
            Kind::Method(m) => put(&format!(".{}()", m.name())),
            Kind::Datetime(t) => {
                put(".datetime(");
                if let Some(t) = t {
                    push_string(t, out);
                }
                out.push(b')');
            }
            _ => self.write_operator(out, brackets),
        }
        if let Some(n) = &self.next {
            n.write(out, true, true);
        }
    }
    fn write_operator(&self, out: &mut Vec<u8>, brackets: bool) {
        let prio = self.priority();
        let open = |out: &mut Vec<u8>| {
            if brackets {
                out.push(b'(');
            }
        };
        match &self.kind {
            Kind::Binary(op, l, r) => {
                open(out);
                l.write(out, false, l.priority() <= prio);
                out.extend_from_slice(format!(" {} ", op.symbol()).as_bytes());
                r.write(out, false, r.priority() <= prio);
            }
            Kind::Plus(a) | Kind::Minus(a) => {
                open(out);
                out.push(if matches!(self.kind, Kind::Plus(_)) { b'+' } else { b'-' });
                a.write(out, false, a.priority() <= prio);
            }
            Kind::Not(a) => {
                out.extend_from_slice(b"!(");
                a.write(out, false, false);
                return out.push(b')');
            }
            Kind::IsUnknown(a) => {
                out.push(b'(');
                a.write(out, false, false);
                return out.extend_from_slice(b") is unknown");
            }
            Kind::Exists(a) => {
                out.extend_from_slice(b"exists (");
                a.write(out, false, false);
                return out.push(b')');
            }
            Kind::LikeRegex(a, pattern, flags) => {
                open(out);
                a.write(out, false, a.priority() <= prio);
                out.extend_from_slice(b" like_regex ");
                push_string(pattern, out);
                if !flags.is_empty() {
                    out.extend_from_slice(format!(" flag \"{flags}\"").as_bytes());
                }
            }
            _ => return,
        }
        if brackets {
            out.push(b')');
        }
    }
}

impl Path {
    /// Appends the text.
    pub fn write(&self, out: &mut Vec<u8>) {
        if !self.lax {
            out.extend_from_slice(b"strict ");
        }
        self.expr.write(out, false, true);
    }
}
