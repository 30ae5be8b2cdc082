//! Text and binary form of ranges and multiranges.

use super::value::*;
use crate::wire::{Wire, is_space};
use crate::{CallCtx, Datum, DatumRef, FnImpl, storage_info};
use common::{Error, Oid, Result, bail, err};

fn malformed(kind: &str, text: &str, detail: &str) -> Error {
    err!(INVALID_TEXT_REPRESENTATION, "malformed {} literal: \"{}\"", kind, text).detail(detail)
}

fn skip(b: &[u8], mut at: usize) -> usize {
    while b.get(at).is_some_and(|c| is_space(*c)) {
        at += 1;
    }
    at
}

fn starts_empty(b: &[u8], at: usize) -> bool {
    b.get(at..at + 5).is_some_and(|w| w.eq_ignore_ascii_case(b"empty"))
}

/// Text of a bound; `None` if there is none.
fn bound(text: &str, at: &mut usize) -> Result<Option<String>> {
    let b = text.as_bytes();
    if matches!(b.get(*at), Some(b',' | b')' | b']')) {
        return Ok(None);
    }
    let mut out = Vec::new();
    let mut quoted = false;
    loop {
        let Some(&c) = b.get(*at) else {
            return Err(malformed("range", text, "Unexpected end of input."));
        };
        if !quoted && matches!(c, b',' | b')' | b']') {
            break;
        }
        *at += 1;
        match c {
            b'\\' => {
                let Some(&e) = b.get(*at) else {
                    return Err(malformed("range", text, "Unexpected end of input."));
                };
                out.push(e);
                *at += 1;
            }
            b'"' if !quoted => quoted = true,
            b'"' if b.get(*at) == Some(&b'"') => {
                out.push(b'"');
                *at += 1;
            }
            b'"' => quoted = false,
            c => out.push(c),
        }
    }
    Ok(Some(String::from_utf8_lossy(&out).into_owned()))
}

fn value(ctx: &CallCtx<'_>, sub: &Subtype, text: Option<String>) -> Result<Option<Datum>> {
    let Some(t) = text else { return Ok(None) };
    let oid = sub.family.subtype;
    match storage_info(oid).and_then(|i| ctx.registry.get(i.input)) {
        Some(FnImpl::Input(f)) => f(ctx, &t, oid, -1).map(Some),
        _ => Err(Error::unsupported(format_args!("input of range bounds of type {oid}"))),
    }
}

/// Reads a range literal; `None` is empty.
fn parse(ctx: &CallCtx<'_>, sub: &Subtype, text: &str) -> Result<Option<Span>> {
    let b = text.as_bytes();
    let bad = |detail| malformed("range", text, detail);
    let mut at = skip(b, 0);
    if starts_empty(b, at) {
        if skip(b, at + 5) < b.len() {
            return Err(bad("Junk after \"empty\" key word."));
        }
        return Ok(None);
    }
    let lower_inc = match b.get(at) {
        Some(b'[') => true,
        Some(b'(') => false,
        _ => return Err(bad("Missing left parenthesis or bracket.")),
    };
    at += 1;
    let lower = bound(text, &mut at)?;
    if b.get(at) != Some(&b',') {
        return Err(bad("Missing comma after lower bound."));
    }
    at += 1;
    let upper = bound(text, &mut at)?;
    let upper_inc = match b.get(at) {
        Some(b']') => true,
        Some(b')') => false,
        _ => return Err(bad("Too many commas.")),
    };
    if skip(b, at + 1) < b.len() {
        return Err(bad("Junk after right parenthesis or bracket."));
    }
    let lower = Bound::lower(value(ctx, sub, lower)?, lower_inc);
    let upper = Bound::upper(value(ctx, sub, upper)?, upper_inc);
    sub.span(lower, upper)
}

pub fn range_in(ctx: &CallCtx<'_>, s: &str, t: Oid, _: i32) -> Result<Datum> {
    let sub = Subtype::of(ctx, t)?;
    Ok(Datum::bytes(&sub.range(parse(ctx, &sub, s)?.as_ref())))
}

pub fn multirange_in(ctx: &CallCtx<'_>, s: &str, t: Oid, _: i32) -> Result<Datum> {
    let sub = Subtype::of(ctx, t)?;
    let b = s.as_bytes();
    let bad = |detail| malformed("multirange", s, detail);
    let mut at = skip(b, 0);
    if b.get(at) != Some(&b'{') {
        return Err(bad("Missing left brace."));
    }
    at += 1;
    let mut list = Vec::new();
    let mut any = false;
    loop {
        at = skip(b, at);
        match b.get(at) {
            None => return Err(bad("Unexpected end of input.")),
            Some(b'}') if !any => break,
            Some(b'[' | b'(') => {
                let end = range_end(b, at).ok_or_else(|| bad("Unexpected end of input."))?;
                list.extend(parse(ctx, &sub, &s[at..end])?);
                at = end;
            }
            Some(_) if starts_empty(b, at) => at += 5,
            Some(_) => return Err(bad("Expected range start.")),
        }
        any = true;
        at = skip(b, at);
        match b.get(at) {
            None => return Err(bad("Unexpected end of input.")),
            Some(b',') => at += 1,
            Some(b'}') => break,
            Some(_) => return Err(bad("Expected comma or end of multirange.")),
        }
    }
    if skip(b, at + 1) < b.len() {
        return Err(bad("Junk after closing right brace."));
    }
    Ok(Datum::bytes(&sub.multirange(&sub.normalized(list)?)))
}

/// Where the range literal that begins at `at` ends.
fn range_end(b: &[u8], mut at: usize) -> Option<usize> {
    let mut quoted = false;
    loop {
        match *b.get(at)? {
            b'\\' => {
                b.get(at + 1)?;
                at += 1;
            }
            b'"' => quoted = !quoted,
            b')' | b']' if !quoted => return Some(at + 1),
            _ => {}
        }
        at += 1;
    }
}

fn push_bound(text: &[u8], out: &mut Vec<u8>) {
    let special = |c: &u8| matches!(c, b'"' | b'\\' | b'(' | b')' | b'[' | b']' | b',') || is_space(*c);
    if !text.is_empty() && !text.iter().any(special) {
        return out.extend_from_slice(text);
    }
    out.push(b'"');
    for &c in text {
        if matches!(c, b'"' | b'\\') {
            out.push(c);
        }
        out.push(c);
    }
    out.push(b'"');
}

fn write(ctx: &CallCtx<'_>, subtype: Oid, s: &Span, out: &mut Vec<u8>) -> Result<()> {
    let mut text = Vec::new();
    out.push(if s.lower.inclusive { b'[' } else { b'(' });
    for (i, v) in [&s.lower.value, &s.upper.value].into_iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        if let Some(v) = v {
            text.clear();
            crate::array::output_text(ctx, subtype, v.as_ref(), &mut text)?;
            push_bound(&text, out);
        }
    }
    out.push(if s.upper.inclusive { b']' } else { b')' });
    Ok(())
}

pub fn range_out(ctx: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    let subtype = family_of_value(v.bytes())?.subtype;
    match spans(v.bytes())?.first() {
        Some(s) => write(ctx, subtype, s, out),
        None => {
            out.extend_from_slice(b"empty");
            Ok(())
        }
    }
}
pub fn multirange_out(ctx: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    let subtype = family_of_value(v.bytes())?.subtype;
    out.push(b'{');
    for (i, s) in spans(v.bytes())?.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        write(ctx, subtype, s, out)?;
    }
    out.push(b'}');
    Ok(())
}

fn receive(ctx: &CallCtx<'_>, sub: &Subtype, w: &mut Wire<'_>) -> Result<Option<Span>> {
    let f = w.byte()? & (EMPTY | LB_INC | UB_INC | LB_INF | UB_INF);
    let oid = sub.family.subtype;
    let Some(FnImpl::Receive(recv)) = storage_info(oid).and_then(|i| ctx.registry.get(i.receive)) else {
        return Err(Error::unsupported(format_args!("binary input of range bounds of type {oid}")));
    };
    let mut next = |inf: u8| -> Result<Option<Datum>> {
        if f & (EMPTY | inf) != 0 {
            return Ok(None);
        }
        let Ok(len) = usize::try_from(w.i32()?) else {
            bail!(PROTOCOL_VIOLATION, "insufficient data left in message");
        };
        recv(ctx, w.take(len)?, oid, -1).map(Some)
    };
    let lower = Bound::lower(next(LB_INF)?, f & LB_INC != 0);
    let upper = Bound::upper(next(UB_INF)?, f & UB_INC != 0);
    if f & EMPTY != 0 { Ok(None) } else { sub.span(lower, upper) }
}
pub fn range_recv(ctx: &CallCtx<'_>, b: &[u8], t: Oid, _: i32) -> Result<Datum> {
    let sub = Subtype::of(ctx, t)?;
    let mut w = Wire::new(b);
    let s = receive(ctx, &sub, &mut w)?;
    w.end()?;
    Ok(Datum::bytes(&sub.range(s.as_ref())))
}
pub fn multirange_recv(ctx: &CallCtx<'_>, b: &[u8], t: Oid, _: i32) -> Result<Datum> {
    let sub = Subtype::of(ctx, t)?;
    let mut w = Wire::new(b);
    let n = w.i32()? as u32;
    let mut list = Vec::new();
    for _ in 0..n {
        let Ok(len) = usize::try_from(w.i32()?) else {
            bail!(PROTOCOL_VIOLATION, "insufficient data left in message");
        };
        let mut inner = Wire::new(w.take(len)?);
        list.extend(receive(ctx, &sub, &mut inner)?);
        inner.end()?;
    }
    w.end()?;
    Ok(Datum::bytes(&sub.multirange(&sub.normalized(list)?)))
}

fn send(ctx: &CallCtx<'_>, oid: Oid, s: Option<&Span>, out: &mut Vec<u8>) -> Result<()> {
    let Some(FnImpl::Send(f)) = storage_info(oid).and_then(|i| ctx.registry.get(i.send)) else {
        return Err(Error::unsupported(format_args!("binary output of range bounds of type {oid}")));
    };
    let Some(s) = s else {
        out.push(EMPTY);
        return Ok(());
    };
    out.push(flags(s));
    for v in [&s.lower.value, &s.upper.value].into_iter().flatten() {
        sized(out, |out| f(ctx, v.as_ref(), out))?;
    }
    Ok(())
}
fn sized(out: &mut Vec<u8>, f: impl FnOnce(&mut Vec<u8>) -> Result<()>) -> Result<()> {
    let at = out.len();
    out.extend_from_slice(&[0; 4]);
    f(out)?;
    let n = (out.len() - at - 4) as u32;
    out[at..at + 4].copy_from_slice(&n.to_be_bytes());
    Ok(())
}
pub fn range_send(ctx: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    let oid = family_of_value(v.bytes())?.subtype;
    send(ctx, oid, spans(v.bytes())?.first(), out)
}
pub fn multirange_send(ctx: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    let oid = family_of_value(v.bytes())?.subtype;
    let list = spans(v.bytes())?;
    out.extend_from_slice(&(list.len() as u32).to_be_bytes());
    for s in &list {
        sized(out, |out| send(ctx, oid, Some(s), out))?;
    }
    Ok(())
}
