//! Text and binary form of arrays, of int2vector and of oidvector.

use super::layout::{ArrayBuilder, ArrayRef, Elem, MAX_DIM, count_elements, empty_array};
use crate::wire::{Wire, bad_input, is_space, push_i64, push_u64};
use crate::{CallCtx, Datum, DatumRef, FnImpl, oids, storage_info, type_info};
use common::{Error, Oid, Result, bail, err};

/// An array literal taken apart: the elements are still text.
#[derive(Debug, PartialEq)]
pub struct ArrayText {
    pub dims: Vec<i32>,
    pub lower: Vec<i32>,
    /// `None` is NULL.
    pub items: Vec<Option<String>>,
}

struct Parser<'a> {
    text: &'a str,
    /// What error messages quote.
    shown: &'a str,
    b: &'a [u8],
    at: usize,
    delim: u8,
    /// `array_nulls`: a bare NULL is no text.
    nulls: bool,
}

impl Parser<'_> {
    fn malformed(&self, detail: impl Into<String>) -> Error {
        err!(INVALID_TEXT_REPRESENTATION, "malformed array literal: \"{}\"", self.shown).detail(detail)
    }
    fn spaces(&mut self) {
        while self.b.get(self.at).is_some_and(|c| is_space(*c)) {
            self.at += 1;
        }
    }
    fn number(&mut self) -> Option<i32> {
        let start = self.at;
        if matches!(self.b.get(self.at), Some(b'-' | b'+')) {
            self.at += 1;
        }
        while self.b.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        self.text[start..self.at].parse().ok()
    }
    /// `[l:u][u]…=`
    fn bounds(&mut self) -> Result<Option<(Vec<i32>, Vec<i32>)>> {
        let (mut dims, mut lower) = (Vec::new(), Vec::new());
        loop {
            self.spaces();
            if self.b.get(self.at) != Some(&b'[') {
                break;
            }
            self.at += 1;
            if dims.len() >= MAX_DIM {
                bail!(
                    PROGRAM_LIMIT_EXCEEDED,
                    "number of array dimensions ({}) exceeds the maximum allowed ({})",
                    dims.len() + 1,
                    MAX_DIM
                );
            }
            let first = self.number().ok_or_else(|| {
                self.malformed("\"[\" must introduce explicitly-specified array dimensions.")
            })?;
            let (lo, hi) = if self.b.get(self.at) == Some(&b':') {
                self.at += 1;
                (first, self.number().ok_or_else(|| self.malformed("Missing array dimension value."))?)
            } else {
                (1, first)
            };
            if self.b.get(self.at) != Some(&b']') {
                return Err(self.malformed("Missing \"]\" after array dimensions."));
            }
            self.at += 1;
            if hi < lo {
                bail!(ARRAY_SUBSCRIPT_ERROR, "upper bound cannot be less than lower bound");
            }
            lower.push(lo);
            dims.push(hi.checked_sub(lo).and_then(|d| d.checked_add(1)).ok_or_else(|| {
                err!(PROGRAM_LIMIT_EXCEEDED, "array size exceeds the maximum allowed (134217727)")
            })?);
        }
        if dims.is_empty() {
            return Ok(None);
        }
        if self.b.get(self.at) != Some(&b'=') {
            return Err(self.malformed("Missing \"=\" after array dimensions."));
        }
        self.at += 1;
        self.spaces();
        Ok(Some((dims, lower)))
    }
    /// A quoted or bare element up to the delimiter or brace behind it.
    fn item(&mut self) -> Result<Option<String>> {
        let mut buf = Vec::new();
        let mut quoted = false;
        let mut keep = 0;
        loop {
            let Some(&c) = self.b.get(self.at) else {
                return Err(self.malformed("Unexpected end of input."));
            };
            match c {
                b'"' => {
                    if quoted || buf.len() > keep || !buf.is_empty() {
                        return Err(self.malformed("Unexpected array element."));
                    }
                    quoted = true;
                    self.at += 1;
                    self.quoted(&mut buf)?;
                    keep = buf.len();
                }
                b'\\' if !quoted => {
                    let Some(&e) = self.b.get(self.at + 1) else {
                        return Err(self.malformed("Unexpected end of input."));
                    };
                    buf.push(e);
                    self.at += 2;
                    keep = buf.len();
                }
                b'{' => return Err(self.malformed("Unexpected \"{\" character.")),
                _ if c == b'}' || c == self.delim => break,
                _ if is_space(c) => {
                    buf.push(c);
                    self.at += 1;
                }
                _ if quoted => return Err(self.malformed("Unexpected array element.")),
                _ => {
                    buf.push(c);
                    self.at += 1;
                    keep = buf.len();
                }
            }
        }
        buf.truncate(keep);
        if !quoted && buf.is_empty() {
            let c = self.b[self.at] as char;
            return Err(self.malformed(format!("Unexpected \"{c}\" character.")));
        }
        let s = String::from_utf8(buf).map_err(|_| self.malformed("Unexpected array element."))?;
        Ok(if self.nulls && !quoted && s.eq_ignore_ascii_case("null") { None } else { Some(s) })
    }
    fn quoted(&mut self, buf: &mut Vec<u8>) -> Result<()> {
        loop {
            let Some(&c) = self.b.get(self.at) else {
                return Err(self.malformed("Unexpected end of input."));
            };
            self.at += 1;
            match c {
                b'"' => return Ok(()),
                b'\\' => {
                    let Some(&e) = self.b.get(self.at) else {
                        return Err(self.malformed("Unexpected end of input."));
                    };
                    buf.push(e);
                    self.at += 1;
                }
                _ => buf.push(c),
            }
        }
    }
    /// One brace level; `shape[depth]` is the length all levels of that depth must have.
    fn level(
        &mut self,
        depth: usize,
        shape: &mut Vec<Option<i32>>,
        items: &mut Vec<Option<String>>,
        leaf: &mut Option<usize>,
    ) -> Result<()> {
        if depth >= MAX_DIM {
            bail!(
                PROGRAM_LIMIT_EXCEEDED,
                "number of array dimensions ({}) exceeds the maximum allowed ({})",
                depth + 1,
                MAX_DIM
            );
        }
        if shape.len() <= depth {
            shape.push(None);
        }
        self.at += 1;
        let mut n = 0;
        loop {
            self.spaces();
            match self.b.get(self.at) {
                None => return Err(self.malformed("Unexpected end of input.")),
                Some(b'}') if n == 0 && depth == 0 => break,
                Some(b'}') if n == 0 => return Err(self.malformed("Unexpected \"}\" character.")),
                Some(b'{') => {
                    if leaf.is_some_and(|l| l <= depth) {
                        return Err(self.malformed("Unexpected \"{\" character."));
                    }
                    self.level(depth + 1, shape, items, leaf)?;
                    self.spaces();
                }
                Some(_) => {
                    if leaf.is_some_and(|l| l != depth) || shape.len() > depth + 1 {
                        return Err(self.ragged());
                    }
                    *leaf = Some(depth);
                    items.push(self.item()?);
                }
            }
            n += 1;
            match self.b.get(self.at) {
                Some(c) if *c == self.delim => {
                    self.at += 1;
                    self.spaces();
                    if self.b.get(self.at) == Some(&b'}') {
                        return Err(self.malformed("Unexpected \"}\" character."));
                    }
                }
                Some(b'}') => break,
                None => return Err(self.malformed("Unexpected end of input.")),
                Some(_) => return Err(self.malformed("Unexpected array element.")),
            }
        }
        self.at += 1;
        match shape[depth] {
            Some(want) if want != n => return Err(self.ragged()),
            _ => shape[depth] = Some(n),
        }
        Ok(())
    }
    fn ragged(&self) -> Error {
        self.malformed("Multidimensional arrays must have sub-arrays with matching dimensions.")
    }
}

/// Takes an array literal apart. 22P02.
pub fn parse_array_text(text: &str, delim: u8, nulls: bool) -> Result<ArrayText> {
    let mut p = Parser { text, shown: text, b: text.as_bytes(), at: 0, delim, nulls };
    let explicit = p.bounds()?;
    if p.b.get(p.at) != Some(&b'{') {
        return Err(p.malformed(match explicit {
            Some(_) => "Array contents must start with \"{\".",
            None => "Array value must start with \"{\" or dimension information.",
        }));
    }
    // Errors within the braces show the text behind the dimensions, as PostgreSQL's do.
    p.shown = &text[p.at..];
    let (mut shape, mut items, mut leaf) = (Vec::new(), Vec::new(), None);
    p.level(0, &mut shape, &mut items, &mut leaf)?;
    p.spaces();
    if p.at < p.b.len() {
        return Err(p.malformed("Junk after closing right brace."));
    }
    p.shown = text;
    let dims: Vec<i32> = shape.iter().map(|d| d.unwrap_or(0)).collect();
    if items.is_empty() {
        if explicit.is_some() {
            return Err(p.malformed("Specified array dimensions do not match array contents."));
        }
        return Ok(ArrayText { dims: Vec::new(), lower: Vec::new(), items });
    }
    let lower = match explicit {
        Some((want, lower)) => {
            if want != dims {
                return Err(p.malformed("Specified array dimensions do not match array contents."));
            }
            lower
        }
        None => vec![1; dims.len()],
    };
    Ok(ArrayText { dims, lower, items })
}

fn delimiter(elem: Oid) -> u8 {
    if elem == oids::BOX { b';' } else { b',' }
}

/// I/O function of an element type.
fn element_fn(ctx: &CallCtx<'_>, elem: Oid, pick: impl Fn(&crate::TypeInfo) -> Oid) -> Result<FnImpl> {
    storage_info(elem)
        .and_then(|t| ctx.registry.get(pick(t)))
        .ok_or_else(|| Error::unsupported(format_args!("input or output of array elements of type {elem}")))
}

pub fn array_in(ctx: &CallCtx<'_>, s: &str, elem: Oid, typmod: i32) -> Result<Datum> {
    let t = parse_array_text(s, delimiter(elem), ctx.fmt.array_nulls)?;
    count_elements(&t.dims)?;
    let FnImpl::Input(input) = element_fn(ctx, elem, |t| t.input)? else {
        return Err(Error::internal("element type has no input function"));
    };
    let ioparam = type_info(elem).filter(|t| t.is_array()).map_or(elem, |t| t.elem);
    let mut b = ArrayBuilder::new(elem);
    for item in &t.items {
        match item {
            None => b.push(DatumRef::Null),
            Some(text) => b.push(input(ctx, text, ioparam, typmod)?.as_ref()),
        }
    }
    Ok(Datum::bytes(&b.finish(&t.dims, &t.lower)))
}

fn needs_quotes(s: &[u8], delim: u8) -> bool {
    s.is_empty()
        || s.eq_ignore_ascii_case(b"null")
        || s.iter().any(|c| matches!(c, b'"' | b'\\' | b'{' | b'}') || *c == delim || is_space(*c))
}

fn push_element(s: &[u8], delim: u8, out: &mut Vec<u8>) {
    if !needs_quotes(s, delim) {
        out.extend_from_slice(s);
        return;
    }
    out.push(b'"');
    for &c in s {
        if matches!(c, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(c);
    }
    out.push(b'"');
}

pub fn array_out(ctx: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    let a = ArrayRef::new(v.bytes())?;
    if a.is_empty() {
        out.extend_from_slice(b"{}");
        return Ok(());
    }
    let FnImpl::Output(output) = element_fn(ctx, a.elem.oid, |t| t.output)? else {
        return Err(Error::internal("element type has no output function"));
    };
    let delim = delimiter(a.elem.oid);
    if a.lower.iter().any(|l| *l != 1) {
        for i in 0..a.ndim() {
            out.extend_from_slice(format!("[{}:{}]", a.lower[i], a.upper(i)).as_bytes());
        }
        out.push(b'=');
    }
    let mut index = vec![0; a.ndim()];
    let mut text = Vec::new();
    out.resize(out.len() + a.ndim(), b'{');
    for (k, d) in a.iter().enumerate() {
        let d = d?;
        if k > 0 {
            advance(&mut index, &a.dims, delim, out);
        }
        if d.is_null() {
            out.extend_from_slice(b"NULL");
        } else {
            text.clear();
            output(ctx, d, &mut text)?;
            push_element(&text, delim, out);
        }
    }
    out.resize(out.len() + a.ndim(), b'}');
    Ok(())
}

/// Steps to the next element, writing the braces and the delimiter in between.
fn advance(index: &mut [i32], dims: &[i32], delim: u8, out: &mut Vec<u8>) {
    let mut closed = 0;
    for i in (0..dims.len()).rev() {
        index[i] += 1;
        if index[i] < dims[i] {
            break;
        }
        index[i] = 0;
        closed += 1;
    }
    out.resize(out.len() + closed, b'}');
    out.push(delim);
    out.resize(out.len() + closed, b'{');
}

pub fn array_recv(ctx: &CallCtx<'_>, b: &[u8], elem: Oid, typmod: i32) -> Result<Datum> {
    let mut w = Wire::new(b);
    let ndim = w.i32()?;
    if !(0..=MAX_DIM as i32).contains(&ndim) {
        bail!(INVALID_BINARY_REPRESENTATION, "invalid number of dimensions: {}", ndim);
    }
    let flags = w.i32()?;
    if flags != 0 && flags != 1 {
        bail!(INVALID_BINARY_REPRESENTATION, "invalid array flags");
    }
    let wire_elem = Oid(w.i32()? as u32);
    if wire_elem != elem {
        bail!(
            DATATYPE_MISMATCH,
            "binary data has array element type {} ({}) instead of expected {} ({})",
            wire_elem,
            type_info(wire_elem).map_or("???", |t| t.name),
            elem,
            type_info(elem).map_or("???", |t| t.name)
        );
    }
    let (mut dims, mut lower) = (Vec::new(), Vec::new());
    for _ in 0..ndim {
        dims.push(w.i32()?);
        lower.push(w.i32()?);
    }
    let n = count_elements(&dims)?;
    let FnImpl::Receive(receive) = element_fn(ctx, elem, |t| t.receive)? else {
        return Err(Error::internal("element type has no receive function"));
    };
    let ioparam = type_info(elem).filter(|t| t.is_array()).map_or(elem, |t| t.elem);
    let mut builder = ArrayBuilder::new(elem);
    for _ in 0..n {
        let len = w.i32()?;
        match usize::try_from(len) {
            Ok(len) => builder.push(receive(ctx, w.take(len)?, ioparam, typmod)?.as_ref()),
            Err(_) if len == -1 => builder.push(DatumRef::Null),
            Err(_) => bail!(INVALID_BINARY_REPRESENTATION, "insufficient data left in message"),
        }
    }
    w.end()?;
    Ok(Datum::bytes(&builder.finish(&dims, &lower)))
}

pub fn array_send(ctx: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    let a = ArrayRef::new(v.bytes())?;
    let items = a.to_vec()?;
    let mut word = |v: i32| out.extend_from_slice(&v.to_be_bytes());
    word(a.ndim() as i32);
    word(i32::from(items.iter().any(|d| d.is_null())));
    word(a.elem.oid.0 as i32);
    for i in 0..a.ndim() {
        word(a.dims[i]);
        word(a.lower[i]);
    }
    if items.is_empty() {
        return Ok(());
    }
    let FnImpl::Send(send) = element_fn(ctx, a.elem.oid, |t| t.send)? else {
        return Err(Error::internal("element type has no send function"));
    };
    for d in items {
        if d.is_null() {
            out.extend_from_slice(&(-1i32).to_be_bytes());
            continue;
        }
        let at = out.len();
        out.extend_from_slice(&[0; 4]);
        send(ctx, d, out)?;
        let len = (out.len() - at - 4) as i32;
        out[at..at + 4].copy_from_slice(&len.to_be_bytes());
    }
    Ok(())
}

/// A vector type: one dimension from 0, no nulls, elements separated by blanks.
fn vector(elem: Oid, items: &[Datum]) -> Datum {
    let mut b = ArrayBuilder::new(elem);
    items.iter().for_each(|d| b.push(d.as_ref()));
    if items.is_empty() {
        let mut v = empty_array(elem);
        v[0] = 1;
        v.extend_from_slice(&[0; 8]);
        return Datum::bytes(&v);
    }
    Datum::bytes(&b.finish(&[items.len() as i32], &[0]))
}

/// An oidvector value.
pub fn oidvector(oids: &[Oid]) -> Datum {
    let items: Vec<Datum> = oids.iter().map(|o| Datum::oid(*o)).collect();
    vector(oids::OID, &items)
}
/// An int2vector value.
pub fn int2vector(v: &[i16]) -> Datum {
    let items: Vec<Datum> = v.iter().map(|o| Datum::I16(*o)).collect();
    vector(oids::INT2, &items)
}

/// Numbers with blanks between them. What is no number is shown with all that follows it.
fn vector_words<T>(s: &str, type_name: &str, read: impl Fn(&str) -> Result<T>) -> Result<Vec<T>> {
    let mut rest = s.trim_ascii_start();
    let mut v = Vec::new();
    while !rest.is_empty() {
        let n = rest.find(|c: char| c.is_ascii_whitespace()).unwrap_or(rest.len());
        let word = &rest[..n];
        let numeric = word.strip_prefix(['+', '-']).unwrap_or(word).bytes().all(|b| b.is_ascii_digit());
        v.push(read(word).map_err(|e| if numeric { e } else { bad_input(type_name, rest) })?);
        rest = rest[n..].trim_ascii_start();
    }
    Ok(v)
}

pub fn int2vectorin(_: &CallCtx<'_>, s: &str, _: Oid, _: i32) -> Result<Datum> {
    let v = vector_words(s, "smallint", crate::int::parse_int::<i16>)?;
    Ok(int2vector(&v))
}
pub fn oidvectorin(_: &CallCtx<'_>, s: &str, _: Oid, _: i32) -> Result<Datum> {
    let v = vector_words(s, "oid", |w| crate::misc::parse_oid(w).map(Oid))?;
    if v.len() > 1600 {
        return Err(bad_input("oidvector", s));
    }
    Ok(oidvector(&v))
}
pub fn vectorout(_: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    for (i, d) in ArrayRef::new(v.bytes())?.iter().enumerate() {
        if i > 0 {
            out.push(b' ');
        }
        match d? {
            DatumRef::I16(v) => push_i64(out, i64::from(v)),
            DatumRef::U32(v) => push_u64(out, u64::from(v)),
            _ => {}
        }
    }
    Ok(())
}
pub fn int2vectorrecv(c: &CallCtx<'_>, b: &[u8], _: Oid, _: i32) -> Result<Datum> {
    vector_recv(c, b, oids::INT2)
}
fn vector_recv(c: &CallCtx<'_>, b: &[u8], elem: Oid) -> Result<Datum> {
    let d = array_recv(c, b, elem, -1)?;
    let a = ArrayRef::new(d.as_ref().bytes())?;
    if a.is_empty() {
        return Ok(vector(elem, &[]));
    }
    if a.ndim() != 1 || a.may_have_nulls() || a.lower[0] != 0 {
        let name = if elem == oids::OID { "oidvector" } else { "int2vector" };
        bail!(INVALID_BINARY_REPRESENTATION, "invalid {} data", name);
    }
    drop(a);
    Ok(d)
}
pub fn oidvectorrecv(c: &CallCtx<'_>, b: &[u8], _: Oid, _: i32) -> Result<Datum> {
    vector_recv(c, b, oids::OID)
}

/// The integers of an int2vector or oidvector.
pub fn vector_items(b: &[u8]) -> Result<Vec<i64>> {
    ArrayRef::new(b)?
        .iter()
        .map(|d| {
            Ok(match d? {
                DatumRef::I16(v) => i64::from(v),
                DatumRef::U32(v) => i64::from(v),
                _ => 0,
            })
        })
        .collect()
}

/// Writes a value of a built-in type as text.
pub fn output_text(ctx: &CallCtx<'_>, type_oid: Oid, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    match element_fn(ctx, type_oid, |t| t.output)? {
        FnImpl::Output(f) => f(ctx, v, out),
        _ => Err(Error::unsupported("output of this type")),
    }
}

/// Element type of a polymorphic call: from the array's header, else from the declared types.
pub fn call_elem(ctx: &CallCtx<'_>) -> Oid {
    let of_array = match crate::element_type(ctx.result_type) {
        None if !crate::UserClass::Array.is(ctx.result_type) => {
            ctx.arg_types.iter().find_map(|t| crate::element_type(*t))
        }
        e => e,
    };
    // Arrays over user types do not tell their element type here; the element beside them does.
    let beside = || ctx.arg_types.iter().find(|t| !crate::UserClass::Array.is(**t)).copied();
    of_array.or_else(beside).unwrap_or(Oid::INVALID)
}

impl Elem {
    /// Delimiter between elements in text.
    pub fn delimiter(&self) -> u8 {
        delimiter(self.oid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals() {
        let t = parse_array_text("{1, \"a b\" ,NULL,\"NULL\"}", b',', true).unwrap();
        assert_eq!(t.dims, [4]);
        assert_eq!(t.items, [Some("1".into()), Some("a b".into()), None, Some("NULL".into())]);
        let t = parse_array_text("[0:1][2:3]={{1,2},{3,4}}", b',', true).unwrap();
        assert_eq!((t.dims, t.lower), (vec![2, 2], vec![0, 2]));
        assert_eq!(parse_array_text("{}", b',', true).unwrap().dims, Vec::<i32>::new());
        for bad in ["", "1", "{1,", "{1}}", "{{1},{2,3}}", "{1,{2}}", "{a\"b\"}", "{,}", "{1,}", "[1:2]={1}"]
        {
            assert!(parse_array_text(bad, b',', true).is_err(), "{bad}");
        }
    }
}
