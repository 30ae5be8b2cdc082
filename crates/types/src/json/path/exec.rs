//! Evaluation of a jsonpath. In lax mode arrays are unwrapped and wrapped where an accessor wants the other thing, and
//! what is missing yields nothing; in strict mode both are errors. Errors of the document's making are *soft*: a
//! predicate around them becomes unknown, and `silent` turns them into no result. Others always surface.

use super::ast::{Kind, Method, Op, Path, Step};
use super::item::{Item, compare_numbers};
use super::moment;
use crate::CallCtx;
use crate::json::lex::too_deep;
use crate::json::node::{Node, Value, root};
use crate::numeric::{Num, num_add, num_div, num_sub};
use crate::regexp::Regex;
use common::{Error, err};
use std::borrow::Cow;
use std::cmp::Ordering;
use std::rc::Rc;

/// Why evaluation stopped.
pub enum Fail {
    Soft(Error),
    Hard(Error),
}

impl From<Error> for Fail {
    fn from(e: Error) -> Fail {
        Fail::Hard(e)
    }
}

impl Fail {
    /// The error.
    pub fn error(self) -> Error {
        match self {
            Fail::Soft(e) | Fail::Hard(e) => e,
        }
    }
}

type Res<T> = Result<T, Fail>;

/// Three-valued truth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Truth {
    False,
    True,
    Unknown,
}

fn truth(b: bool) -> Truth {
    if b { Truth::True } else { Truth::False }
}

/// Where results go; `None` when only their existence matters.
type Found<'f, 'a> = Option<&'f mut Vec<Item<'a>>>;

/// Deepest recursion of evaluation.
const DEPTH_MAX: usize = 1000;

/// A run of a path over a document.
pub struct Exec<'a, 'c> {
    ctx: &'c CallCtx<'c>,
    lax: bool,
    ignore_structure: bool,
    document: &'a [u8],
    root: Item<'a>,
    current: Item<'a>,
    vars: &'a [u8],
    use_tz: bool,
    innermost_size: i64,
    /// Number for the next document made by `.keyvalue()`.
    next_base: u64,
    depth: usize,
    regexes: Vec<(String, String, Rc<Regex>)>,
}

macro_rules! soft {
    ($code:ident, $($t:tt)*) => {
        return Err(Fail::Soft(err!($code, $($t)*)))
    };
}

impl<'a, 'c> Exec<'a, 'c> {
    /// Prepares a run. 22023 if `vars` is no object; without bytes there are none, and every variable is null.
    pub fn new(
        ctx: &'c CallCtx<'c>,
        path: &Path,
        document: &'a [u8],
        vars: &'a [u8],
        use_tz: bool,
    ) -> common::Result<Exec<'a, 'c>> {
        if !vars.is_empty() && !root(vars)?.is_object() {
            return Err(err!(INVALID_PARAMETER_VALUE, "\"vars\" argument is not an object")
                .detail("Jsonpath parameters should be encoded as key-value pairs of \"vars\" object."));
        }
        let item = Item::of(Value::root(document)?, 0);
        Ok(Exec {
            ctx,
            lax: path.lax,
            ignore_structure: path.lax,
            document,
            root: item.clone(),
            current: item,
            vars,
            use_tz,
            innermost_size: -1,
            next_base: 2,
            depth: 0,
            regexes: Vec::new(),
        })
    }

    /// Is there a result?
    pub fn exists(&mut self, path: &Path) -> Res<bool> {
        let root = self.root.clone();
        if self.lax {
            return self.item(&path.expr, &root, None);
        }
        Ok(!self.all(path)?.is_empty())
    }

    /// All results.
    pub fn all(&mut self, path: &Path) -> Res<Vec<Item<'a>>> {
        let root = self.root.clone();
        let mut found = Vec::new();
        self.item(&path.expr, &root, Some(&mut found))?;
        Ok(found)
    }

    fn item(&mut self, step: &Step, it: &Item<'a>, found: Found<'_, 'a>) -> Res<bool> {
        self.target(step, it, found, self.lax)
    }

    fn next(&mut self, step: &Step, it: Item<'a>, found: Found<'_, 'a>) -> Res<bool> {
        match &step.next {
            Some(n) => self.item(n, &it, found),
            None => {
                if let Some(f) = found {
                    f.push(it);
                }
                Ok(true)
            }
        }
    }

    /// Applies a step to each element.
    fn unwrapped(&mut self, step: &Step, it: &Item<'a>, mut found: Found<'_, 'a>, unwrap: bool) -> Res<bool> {
        let mut any = false;
        for x in it.children()? {
            let got = self.target(step, &x, found.as_deref_mut(), unwrap)?;
            any |= got;
            if got && found.is_none() {
                return Ok(true);
            }
        }
        Ok(any)
    }

    /// Applies a step to an item; `unwrap` says whether an array may stand for its elements.
    fn target(&mut self, step: &Step, it: &Item<'a>, found: Found<'_, 'a>, unwrap: bool) -> Res<bool> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(Fail::Hard(too_deep()));
        }
        let r = self.dispatch(step, it, found, unwrap);
        self.depth -= 1;
        r
    }

    fn dispatch(&mut self, step: &Step, it: &Item<'a>, found: Found<'_, 'a>, unwrap: bool) -> Res<bool> {
        match &step.kind {
            Kind::Null => self.next(step, Item::Null, found),
            Kind::Bool(b) => self.next(step, Item::Bool(*b), found),
            Kind::Number(n) => {
                let n = packed(n)?;
                self.next(step, n, found)
            }
            Kind::String(s) => self.next(step, Item::String(Cow::Owned(s.clone())), found),
            Kind::Variable(name) => {
                let v = self.variable(name)?;
                self.next(step, v, found)
            }
            Kind::Root => {
                let r = self.root.clone();
                self.next(step, r, found)
            }
            Kind::Current => {
                let c = self.current.clone();
                self.next(step, c, found)
            }
            Kind::Last => {
                if self.innermost_size < 0 {
                    return Err(Fail::Hard(Error::internal(
                        "evaluating jsonpath LAST outside of array subscript",
                    )));
                }
                let n = packed(&Num::from_i64(self.innermost_size - 1))?;
                self.next(step, n, found)
            }
            Kind::Key(k) => self.key(step, k, it, found, unwrap),
            Kind::AnyKey => {
                if it.is_object() {
                    self.any_of(step, it, found, (1, 1, 1), false)
                } else if unwrap && it.is_array() {
                    self.unwrapped(step, it, found, false)
                } else if !self.ignore_structure {
                    soft!(
                        SQL_JSON_OBJECT_NOT_FOUND,
                        "jsonpath wildcard member accessor can only be applied to an object"
                    )
                } else {
                    Ok(false)
                }
            }
            Kind::AnyArray => {
                if it.is_array() {
                    self.any_of(step, it, found, (1, 1, 1), false)
                } else if self.lax {
                    self.next(step, it.clone(), found)
                } else if !self.ignore_structure {
                    soft!(
                        SQL_JSON_ARRAY_NOT_FOUND,
                        "jsonpath wildcard array accessor can only be applied to an array"
                    )
                } else {
                    Ok(false)
                }
            }
            Kind::Index(list) => self.index(step, list, it, found),
            Kind::Any(first, last) => self.any(step, (*first, *last), it, found),
            Kind::Filter(p) => {
                if unwrap && it.is_array() {
                    return self.unwrapped(step, it, found, false);
                }
                let saved = std::mem::replace(&mut self.current, it.clone());
                let t = self.truth(p, it);
                self.current = saved;
                if t? == Truth::True { self.next(step, it.clone(), found) } else { Ok(false) }
            }
            Kind::Method(m) => self.method(step, *m, it, found, unwrap),
            Kind::Datetime(template) => {
                if unwrap && it.is_array() {
                    return self.unwrapped(step, it, found, false);
                }
                let Item::String(s) = it else {
                    soft!(
                        INVALID_ARGUMENT_FOR_SQL_JSON_DATETIME_FUNCTION,
                        "jsonpath item method .datetime() can only be applied to a string"
                    )
                };
                let m = match template {
                    None => moment::parse(s).ok_or_else(|| {
                        Fail::Soft(
                            err!(
                                INVALID_ARGUMENT_FOR_SQL_JSON_DATETIME_FUNCTION,
                                "datetime format is not recognized: \"{s}\""
                            )
                            .hint("Use a datetime template argument to specify the input data format."),
                        )
                    })?,
                    Some(t) => crate::datetime::parse_template(self.ctx, s, t).map_err(Fail::Soft)?,
                };
                self.next(step, Item::Moment(m), found)
            }
            Kind::Binary(op, l, r) if op.priority() >= 3 => self.arithmetic(step, *op, l, r, it, found),
            Kind::Plus(a) | Kind::Minus(a) => {
                let minus = matches!(step.kind, Kind::Minus(_));
                self.sign(step, minus, a, it, found)
            }
            _ => {
                let bare = Step { kind: step.kind.clone(), next: None };
                let b = match self.truth(&bare, it)? {
                    Truth::Unknown => Item::Null,
                    t => Item::Bool(t == Truth::True),
                };
                self.next(step, b, found)
            }
        }
    }

    fn variable(&self, name: &str) -> Res<Item<'a>> {
        if self.vars.is_empty() {
            return Ok(Item::Null);
        }
        match root(self.vars)?.get(name)? {
            Some(v) => Ok(Item::of(v, 1)),
            None => Err(Fail::Hard(err!(UNDEFINED_OBJECT, "could not find jsonpath variable \"{name}\""))),
        }
    }

    fn key(
        &mut self,
        step: &Step,
        key: &str,
        it: &Item<'a>,
        found: Found<'_, 'a>,
        unwrap: bool,
    ) -> Res<bool> {
        if it.is_object() {
            if let Some(v) = it.get(key)? {
                return self.next(step, v, found);
            }
            if !self.ignore_structure {
                soft!(SQL_JSON_MEMBER_NOT_FOUND, "JSON object does not contain key \"{key}\"");
            }
            return Ok(false);
        }
        if unwrap && it.is_array() {
            return self.unwrapped(step, it, found, false);
        }
        if !self.ignore_structure {
            soft!(SQL_JSON_MEMBER_NOT_FOUND, "jsonpath member accessor can only be applied to an object");
        }
        Ok(false)
    }

    /// Applies what follows the step to the parts at levels `first..=last` below the item.
    fn any_of(
        &mut self,
        step: &Step,
        it: &Item<'a>,
        mut found: Found<'_, 'a>,
        (level, first, last): (u32, u32, u32),
        ignore: bool,
    ) -> Res<bool> {
        if level > last {
            return Ok(false);
        }
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(Fail::Hard(too_deep()));
        }
        let mut any = false;
        for v in it.children()? {
            let leaf = !matches!(v, Item::Part(..) | Item::Made(..));
            if level >= first || (first == u32::MAX && last == u32::MAX && leaf) {
                match &step.next {
                    Some(n) => {
                        let saved = self.ignore_structure;
                        self.ignore_structure |= ignore;
                        let got = self.target(n, &v, found.as_deref_mut(), self.lax);
                        self.ignore_structure = saved;
                        any |= got?;
                    }
                    None => {
                        any = true;
                        if let Some(f) = &mut found {
                            f.push(v.clone());
                        }
                    }
                }
                if any && found.is_none() {
                    break;
                }
            }
            if level < last && !leaf {
                any |= self.any_of(step, &v, found.as_deref_mut(), (level + 1, first, last), ignore)?;
                if any && found.is_none() {
                    break;
                }
            }
        }
        self.depth -= 1;
        Ok(any)
    }

    fn any(
        &mut self,
        step: &Step,
        (first, last): (u32, u32),
        it: &Item<'a>,
        mut found: Found<'_, 'a>,
    ) -> Res<bool> {
        let mut any = false;
        if first == 0 {
            let saved = std::mem::replace(&mut self.ignore_structure, true);
            let got = self.next(step, it.clone(), found.as_deref_mut());
            self.ignore_structure = saved;
            any = got?;
            if any && found.is_none() {
                return Ok(true);
            }
        }
        if matches!(it, Item::Part(..) | Item::Made(..)) {
            any |= self.any_of(step, it, found, (1, first, last), true)?;
        }
        Ok(any)
    }

    fn index(
        &mut self,
        step: &Step,
        list: &[(Step, Option<Step>)],
        it: &Item<'a>,
        found: Found<'_, 'a>,
    ) -> Res<bool> {
        let array = it.is_array();
        if !array && !self.lax {
            if !self.ignore_structure {
                soft!(SQL_JSON_ARRAY_NOT_FOUND, "jsonpath array accessor can only be applied to an array");
            }
            return Ok(false);
        }
        let size = if array { it.len() as i64 } else { 1 };
        let saved = std::mem::replace(&mut self.innermost_size, size);
        let r = self.index_inner(step, list, it, found, array.then_some(size));
        self.innermost_size = saved;
        r
    }

    fn index_inner(
        &mut self,
        step: &Step,
        list: &[(Step, Option<Step>)],
        it: &Item<'a>,
        mut found: Found<'_, 'a>,
        array: Option<i64>,
    ) -> Res<bool> {
        let size = array.unwrap_or(1);
        let mut any = false;
        for (from, to) in list {
            let lo = self.array_index(from, it)?;
            let hi = match to {
                Some(to) => self.array_index(to, it)?,
                None => lo,
            };
            if !self.ignore_structure && (lo < 0 || lo > hi || hi >= size) {
                soft!(INVALID_SQL_JSON_SUBSCRIPT, "jsonpath array subscript is out of bounds");
            }
            for i in lo.max(0)..=hi.min(size - 1) {
                let v = match array {
                    None => it.clone(),
                    Some(_) => match it.element(i as usize)? {
                        Some(v) => v,
                        None => continue,
                    },
                };
                // What follows sees the size of the array around, as the subscripts do.
                any |= self.next(step, v, found.as_deref_mut())?;
                if any && found.is_none() {
                    return Ok(true);
                }
            }
        }
        Ok(any)
    }

    fn array_index(&mut self, step: &Step, it: &Item<'a>) -> Res<i64> {
        let mut v = Vec::new();
        self.item(step, it, Some(&mut v))?;
        let [Item::Number(n)] = v.as_slice() else {
            soft!(INVALID_SQL_JSON_SUBSCRIPT, "jsonpath array subscript is not a single numeric value")
        };
        let mut n = Num::unpack(n)?;
        n.trunc(0);
        match n.to_i128().and_then(|v| i32::try_from(v).ok()) {
            Some(v) => Ok(i64::from(v)),
            None => soft!(INVALID_SQL_JSON_SUBSCRIPT, "jsonpath array subscript is out of integer range"),
        }
    }

    fn method(
        &mut self,
        step: &Step,
        m: Method,
        it: &Item<'a>,
        found: Found<'_, 'a>,
        unwrap: bool,
    ) -> Res<bool> {
        let name = m.name();
        match m {
            Method::Type => {
                let v = Item::String(Cow::Borrowed(it.type_name()));
                return self.next(step, v, found);
            }
            Method::Size => {
                let size = if it.is_array() {
                    it.len() as i64
                } else if self.lax || self.ignore_structure {
                    if !self.lax {
                        return Ok(false);
                    }
                    1
                } else {
                    soft!(
                        SQL_JSON_ARRAY_NOT_FOUND,
                        "jsonpath item method .size() can only be applied to an array"
                    )
                };
                let v = packed(&Num::from_i64(size))?;
                return self.next(step, v, found);
            }
            _ => {}
        }
        if unwrap && it.is_array() {
            return self.unwrapped(step, it, found, false);
        }
        let v = match (m, it) {
            (Method::KeyValue, it) => return self.key_values(step, it, found),
            (Method::Double, it) => self.double(it)?,
            (_, Item::Number(n)) => {
                let n = Num::unpack(n)?;
                let floor = |n: &Num| {
                    let mut t = n.clone();
                    t.trunc(0);
                    if n.signum() < 0 && crate::numeric::num_sub(&t, n).signum() != 0 {
                        t = num_sub(&t, &Num::from_i64(1));
                    }
                    t
                };
                packed(&match m {
                    Method::Abs if n.signum() < 0 => n.negated(),
                    Method::Abs => n,
                    Method::Floor => floor(&n),
                    _ => floor(&n.negated()).negated(),
                })?
            }
            _ => soft!(
                NON_NUMERIC_SQL_JSON_ITEM,
                "jsonpath item method .{name}() can only be applied to a numeric value"
            ),
        };
        self.next(step, v, found)
    }

    fn double(&self, it: &Item<'a>) -> Res<Item<'a>> {
        let text = match it {
            Item::Number(n) => {
                let mut t = Vec::new();
                Num::unpack(n)?.write(&mut t);
                String::from_utf8_lossy(&t).into_owned()
            }
            Item::String(s) => s.to_string(),
            _ => soft!(
                NON_NUMERIC_SQL_JSON_ITEM,
                "jsonpath item method .double() can only be applied to a string or numeric value"
            ),
        };
        match crate::float::parse_f64(&text, "double precision") {
            Ok(v) if v.is_finite() => {
                let mut out = Vec::new();
                crate::numeric::float8_numeric(v, &mut out)?;
                Ok(Item::Number(Cow::Owned(out)))
            }
            _ if matches!(it, Item::Number(_)) => soft!(
                NON_NUMERIC_SQL_JSON_ITEM,
                "numeric argument of jsonpath item method .double() is out of range for type double precision"
            ),
            _ => soft!(
                NON_NUMERIC_SQL_JSON_ITEM,
                "string argument of jsonpath item method .double() is not a valid representation of a double precision number"
            ),
        }
    }

    fn key_values(&mut self, step: &Step, it: &Item<'a>, mut found: Found<'_, 'a>) -> Res<bool> {
        if !it.is_object() {
            soft!(
                SQL_JSON_OBJECT_NOT_FOUND,
                "jsonpath item method .keyvalue() can only be applied to an object"
            );
        }
        let document = if matches!(it, Item::Part(_, 1)) { self.vars } else { self.document };
        let (base, offset) = it.place(document)?;
        let id = Num::from_i128(i128::from(base) * 10_000_000_000 + i128::from(offset));
        let mut any = false;
        for (k, v) in it.members()? {
            any = true;
            if step.next.is_none() && found.is_none() {
                break;
            }
            let object = Node::Object(vec![
                (Cow::Borrowed("key"), Node::String(Cow::Borrowed(&k))),
                (Cow::Borrowed("value"), Value::root(&v)?.into()),
                (Cow::Borrowed("id"), Node::num(&id)?),
            ]);
            let made = Item::Made(Rc::from(object.to_jsonb()?), self.next_base);
            self.next_base += 1;
            let got = self.next(step, made, found.as_deref_mut())?;
            if got && found.is_none() {
                return Ok(true);
            }
            any = got || any && step.next.is_none();
        }
        Ok(any)
    }

    /// Results of an operand; arrays among them are unwrapped in lax mode.
    fn operand(&mut self, step: &Step, it: &Item<'a>, unwrap: bool) -> Res<Vec<Item<'a>>> {
        let mut v = Vec::new();
        self.item(step, it, Some(&mut v))?;
        if !unwrap || !self.lax || !v.iter().any(Item::is_array) {
            return Ok(v);
        }
        let mut out = Vec::with_capacity(v.len());
        for x in v {
            match x.elements()? {
                Some(e) => out.extend(e),
                None => out.push(x),
            }
        }
        Ok(out)
    }

    /// As [`Exec::operand`]; `None` for a soft error.
    fn quiet_operand(&mut self, step: &Step, it: &Item<'a>, unwrap: bool) -> Res<Option<Vec<Item<'a>>>> {
        let depth = self.depth;
        match self.operand(step, it, unwrap) {
            Ok(v) => Ok(Some(v)),
            Err(Fail::Soft(_)) => {
                self.depth = depth;
                Ok(None)
            }
            Err(e) => Err(e),
        }
    }

    fn arithmetic(
        &mut self,
        step: &Step,
        op: Op,
        l: &Step,
        r: &Step,
        it: &Item<'a>,
        found: Found<'_, 'a>,
    ) -> Res<bool> {
        let a = self.operand(l, it, true)?;
        let b = self.operand(r, it, true)?;
        let one = |v: &[Item<'a>], side: &str| match v {
            [Item::Number(n)] => Ok(Num::unpack(n)?),
            _ => soft!(
                SINGLETON_SQL_JSON_ITEM_REQUIRED,
                "{side} operand of jsonpath operator {} is not a single numeric value",
                op.symbol()
            ),
        };
        let (x, y) = (one(&a, "left")?, one(&b, "right")?);
        let v = match op {
            Op::Add => Ok(num_add(&x, &y)),
            Op::Sub => Ok(num_sub(&x, &y)),
            Op::Mul => Ok(crate::numeric::num_mul(&x, &y)),
            Op::Div => num_div(&x, &y),
            _ => crate::numeric::num_rem(&x, &y),
        }
        .map_err(Fail::Soft)?;
        let v = packed(&v)?;
        self.next(step, v, found)
    }

    fn sign(
        &mut self,
        step: &Step,
        minus: bool,
        a: &Step,
        it: &Item<'a>,
        mut found: Found<'_, 'a>,
    ) -> Res<bool> {
        let mut any = false;
        for x in self.operand(a, it, true)? {
            let v = match &x {
                Item::Number(_) if !minus => x,
                Item::Number(n) => packed(&Num::unpack(n)?.negated())?,
                _ if found.is_none() && step.next.is_none() => continue,
                _ => soft!(
                    SQL_JSON_NUMBER_NOT_FOUND,
                    "operand of unary jsonpath operator {} is not a numeric value",
                    if minus { "-" } else { "+" }
                ),
            };
            any |= self.next(step, v, found.as_deref_mut())?;
            if any && found.is_none() {
                return Ok(true);
            }
        }
        Ok(any)
    }

    /// Truth of a predicate.
    fn truth(&mut self, p: &Step, it: &Item<'a>) -> Res<Truth> {
        match &p.kind {
            Kind::Binary(Op::And, l, r) => {
                let a = self.truth(l, it)?;
                if a == Truth::False {
                    return Ok(a);
                }
                let b = self.truth(r, it)?;
                Ok(if b == Truth::True { a } else { b })
            }
            Kind::Binary(Op::Or, l, r) => {
                let a = self.truth(l, it)?;
                if a == Truth::True {
                    return Ok(a);
                }
                let b = self.truth(r, it)?;
                Ok(if b == Truth::False { a } else { b })
            }
            Kind::Not(a) => Ok(match self.truth(a, it)? {
                Truth::True => Truth::False,
                Truth::False => Truth::True,
                Truth::Unknown => Truth::Unknown,
            }),
            Kind::IsUnknown(a) => Ok(truth(self.truth(a, it)? == Truth::Unknown)),
            Kind::Exists(a) => {
                if !self.lax {
                    return Ok(match self.quiet_operand(a, it, false)? {
                        None => Truth::Unknown,
                        Some(v) => truth(!v.is_empty()),
                    });
                }
                let depth = self.depth;
                match self.item(a, it, None) {
                    Ok(b) => Ok(truth(b)),
                    Err(Fail::Soft(_)) => {
                        self.depth = depth;
                        Ok(Truth::Unknown)
                    }
                    Err(e) => Err(e),
                }
            }
            Kind::Binary(Op::StartsWith, l, r) => self.each_pair(l, Some((r, false)), it, |_, a, b| {
                Ok(match (a, b) {
                    (Item::String(a), Some(Item::String(b))) => truth(a.starts_with(b.as_ref())),
                    _ => Truth::Unknown,
                })
            }),
            Kind::LikeRegex(a, pattern, flags) => {
                let re = self.regex(pattern, flags)?;
                self.each_pair(a, None, it, |_, a, _| {
                    Ok(match a {
                        Item::String(s) => truth(re.is_match(s)?),
                        _ => Truth::Unknown,
                    })
                })
            }
            Kind::Binary(op, l, r) => self.each_pair(l, Some((r, true)), it, |x, a, b| match b {
                Some(b) => x.compare(*op, a, b),
                None => Ok(Truth::Unknown),
            }),
            _ => Err(Fail::Hard(Error::internal("jsonpath: not a predicate"))),
        }
    }

    /// Is the test true of any pair of operands? In strict mode one unknown makes all unknown.
    fn each_pair(
        &mut self,
        l: &Step,
        r: Option<(&Step, bool)>,
        it: &Item<'a>,
        mut test: impl FnMut(&mut Self, &Item<'a>, Option<&Item<'a>>) -> Res<Truth>,
    ) -> Res<Truth> {
        let Some(left) = self.quiet_operand(l, it, true)? else { return Ok(Truth::Unknown) };
        let right: Vec<Option<Item<'a>>> = match r {
            None => vec![None],
            Some((r, unwrap)) => match self.quiet_operand(r, it, unwrap)? {
                Some(v) => v.into_iter().map(Some).collect(),
                None => return Ok(Truth::Unknown),
            },
        };
        let (mut hit, mut error) = (false, false);
        for a in &left {
            for b in &right {
                match test(self, a, b.as_ref())? {
                    Truth::Unknown if !self.lax => return Ok(Truth::Unknown),
                    Truth::Unknown => error = true,
                    Truth::True if self.lax => return Ok(Truth::True),
                    Truth::True => hit = true,
                    Truth::False => {}
                }
            }
        }
        Ok(match (hit, error) {
            (true, _) => Truth::True,
            (false, true) => Truth::Unknown,
            _ => Truth::False,
        })
    }

    /// Compiles a pattern once a run.
    fn regex(&mut self, pattern: &str, flags: &str) -> Res<Rc<Regex>> {
        if let Some((.., r)) = self.regexes.iter().find(|(p, f, _)| p == pattern && f == flags) {
            return Ok(r.clone());
        }
        let r = Rc::new(super::regex::compile(pattern, flags)?);
        self.regexes.push((pattern.to_string(), flags.to_string(), r.clone()));
        Ok(r)
    }

    fn compare(&self, op: Op, a: &Item<'a>, b: &Item<'a>) -> Res<Truth> {
        let o = match (a, b) {
            (Item::Null, Item::Null) => Ordering::Equal,
            (Item::Bool(x), Item::Bool(y)) => x.cmp(y),
            (Item::Number(x), Item::Number(y)) => compare_numbers(x, y),
            (Item::String(x), Item::String(y)) => x.as_bytes().cmp(y.as_bytes()),
            (Item::Moment(x), Item::Moment(y)) => match moment::compare(self.ctx.fmt, *x, *y, self.use_tz)? {
                Some(o) => o,
                None => return Ok(Truth::Unknown),
            },
            (Item::Null, _) | (_, Item::Null) => return Ok(truth(op == Op::Ne)),
            _ => return Ok(Truth::Unknown),
        };
        Ok(truth(match op {
            Op::Eq => o.is_eq(),
            Op::Ne => o.is_ne(),
            Op::Lt => o.is_lt(),
            Op::Gt => o.is_gt(),
            Op::Le => o.is_le(),
            _ => o.is_ge(),
        }))
    }
}

fn packed<'a>(n: &Num) -> Res<Item<'a>> {
    let mut b = Vec::new();
    n.pack(&mut b)?;
    Ok(Item::Number(Cow::Owned(b)))
}

/// Is the result one boolean, or null?
pub fn single_bool(v: &[Item<'_>]) -> Option<Option<bool>> {
    match v {
        [Item::Bool(b)] => Some(Some(*b)),
        [Item::Null] => Some(None),
        _ => None,
    }
}
