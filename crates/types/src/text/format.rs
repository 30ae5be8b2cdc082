//! Functions that take any number of arguments of any type: concat, concat_ws, format.

use super::quote::{quote_identifier, quote_literal};
use crate::array::{ArrayRef, output_text};
use crate::column::{Arg, Column, Rows};
use crate::{CallCtx, Datum, DatumRef, oids, type_info};
use common::{Oid, Result, bail, err};

/// Text of one argument. Booleans print as in output (`t`).
fn push_text(ctx: &CallCtx<'_>, type_oid: Oid, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    match (type_oid, v) {
        (_, DatumRef::Null) => Ok(()),
        (oids::TEXT | oids::VARCHAR | oids::UNKNOWN | oids::BPCHAR | oids::NAME, DatumRef::Bytes(b)) => {
            out.extend_from_slice(b);
            Ok(())
        }
        _ => output_text(ctx, type_oid, v, out),
    }
}

/// Declared type of argument `i`, or one that fits the value.
fn arg_type(ctx: &CallCtx<'_>, i: usize, v: DatumRef<'_>) -> Oid {
    ctx.arg_types.get(i).copied().unwrap_or(match v {
        DatumRef::Bool(_) => oids::BOOL,
        DatumRef::I8(_) => oids::CHAR,
        DatumRef::I16(_) => oids::INT2,
        DatumRef::I32(_) => oids::INT4,
        DatumRef::U32(_) => oids::OID,
        DatumRef::I64(_) => oids::INT8,
        DatumRef::F32(_) => oids::FLOAT4,
        DatumRef::F64(_) => oids::FLOAT8,
        DatumRef::Fixed16(_) => oids::UUID,
        _ => oids::TEXT,
    })
}

/// The elements of an array given as VARIADIC, whatever its dimensions, and their type.
fn spread<'a>(ctx: &CallCtx<'_>, v: &[DatumRef<'a>]) -> Result<Option<(Vec<DatumRef<'a>>, Oid)>> {
    let Some(DatumRef::Bytes(array)) = v.last().filter(|_| ctx.variadic) else { return Ok(None) };
    let a = ArrayRef::new(array)?;
    let elem = if type_info(a.elem.oid).is_some() { a.elem.oid } else { oids::TEXT };
    Ok(Some((a.to_vec()?, elem)))
}

pub fn text_concat(ctx: &CallCtx<'_>, args: &[Arg<'_>], rows: Rows<'_>, out: &mut Column) -> Result<()> {
    crate::kernel::run_rows(args, rows, out, |v| {
        if ctx.variadic && v.last().is_some_and(|d| d.is_null()) {
            return Ok(Datum::Null);
        }
        let mut s = Vec::new();
        if let Some((items, elem)) = spread(ctx, v)? {
            for d in items {
                push_text(ctx, elem, d, &mut s)?;
            }
            return Ok(Datum::bytes(&s));
        }
        for (i, d) in v.iter().enumerate() {
            push_text(ctx, arg_type(ctx, i, *d), *d, &mut s)?;
        }
        Ok(Datum::bytes(&s))
    })
}

pub fn text_concat_ws(ctx: &CallCtx<'_>, args: &[Arg<'_>], rows: Rows<'_>, out: &mut Column) -> Result<()> {
    crate::kernel::run_rows(args, rows, out, |v| {
        if v[0].is_null() {
            return Ok(Datum::Null);
        }
        if ctx.variadic && v.last().is_some_and(|d| d.is_null()) {
            return Ok(Datum::Null);
        }
        let mut s = Vec::new();
        if let Some((items, elem)) = spread(ctx, v)? {
            for (n, d) in items.into_iter().filter(|d| !d.is_null()).enumerate() {
                if n > 0 {
                    s.extend_from_slice(v[0].bytes());
                }
                push_text(ctx, elem, d, &mut s)?;
            }
            return Ok(Datum::bytes(&s));
        }
        let mut first = true;
        for (i, d) in v.iter().enumerate().skip(1).filter(|(_, d)| !d.is_null()) {
            if !first {
                s.extend_from_slice(v[0].bytes());
            }
            first = false;
            push_text(ctx, arg_type(ctx, i, *d), *d, &mut s)?;
        }
        Ok(Datum::bytes(&s))
    })
}

/// `text || anynonarray` and its mirror image.
pub fn concat_strict(ctx: &CallCtx<'_>, args: &[Arg<'_>], rows: Rows<'_>, out: &mut Column) -> Result<()> {
    crate::kernel::run_rows(args, rows, out, |v| {
        if v.iter().any(|d| d.is_null()) {
            return Ok(Datum::Null);
        }
        let mut s = Vec::new();
        for (i, d) in v.iter().enumerate() {
            match d {
                // As the cast to text writes it, not as output does.
                DatumRef::Bool(b) => s.extend_from_slice(if *b { b"true" } else { b"false" }),
                _ => push_text(ctx, arg_type(ctx, i, *d), *d, &mut s)?,
            }
        }
        Ok(Datum::bytes(&s))
    })
}

/// One `%` specifier.
#[derive(Default)]
struct Spec {
    position: Option<i32>,
    left: bool,
    width: Width,
    conversion: char,
}
#[derive(Default)]
enum Width {
    #[default]
    None,
    Fixed(i32),
    /// From the next argument, or from a numbered one.
    Arg(Option<i32>),
}

struct Format<'a> {
    rest: std::iter::Peekable<std::str::Chars<'a>>,
}

impl Format<'_> {
    fn number(&mut self) -> Result<Option<i32>> {
        let mut v: Option<i32> = None;
        while let Some(d) = self.rest.peek().and_then(|c| c.to_digit(10)) {
            self.rest.next();
            let next = v.unwrap_or(0).checked_mul(10).and_then(|x| x.checked_add(d as i32));
            v = Some(next.ok_or_else(|| err!(NUMERIC_VALUE_OUT_OF_RANGE, "number is out of range"))?);
        }
        Ok(v)
    }
    fn check_position(p: i32) -> Result<i32> {
        if p == 0 {
            bail!(INVALID_PARAMETER_VALUE, "format specifies argument 0, but arguments are numbered from 1");
        }
        Ok(p)
    }
    fn spec(&mut self) -> Result<Spec> {
        let mut s = Spec::default();
        let end = || {
            err!(INVALID_PARAMETER_VALUE, "unterminated format() type specifier")
                .hint("For a single \"%\" use \"%%\".")
        };
        let lead_zero = self.rest.peek() == Some(&'0');
        match self.number()? {
            Some(n) if self.rest.peek() == Some(&'$') => {
                self.rest.next();
                s.position = Some(Self::check_position(n)?);
            }
            Some(n) if !lead_zero || n != 0 => s.width = Width::Fixed(n),
            _ => {}
        }
        if matches!(s.width, Width::None) {
            while self.rest.peek() == Some(&'-') {
                self.rest.next();
                s.left = true;
            }
            if self.rest.peek() == Some(&'*') {
                self.rest.next();
                let n = self.number()?;
                if n.is_some() {
                    if self.rest.next() != Some('$') {
                        bail!(INVALID_PARAMETER_VALUE, "width argument position must be ended by \"$\"");
                    }
                    Self::check_position(n.unwrap_or(0))?;
                }
                s.width = Width::Arg(n);
            } else if let Some(n) = self.number()? {
                s.width = Width::Fixed(n);
            }
        }
        s.conversion = self.rest.next().ok_or_else(end)?;
        if !matches!(s.conversion, 's' | 'I' | 'L') {
            return Err(err!(
                INVALID_PARAMETER_VALUE,
                "unrecognized format() type specifier \"{}\"",
                s.conversion
            )
            .hint("For a single \"%\" use \"%%\"."));
        }
        Ok(s)
    }
}

fn pad(text: &str, width: i32, left: bool, out: &mut Vec<u8>) {
    let missing = (width.unsigned_abs() as usize).saturating_sub(text.chars().count());
    let left = left || width < 0;
    if left {
        out.extend_from_slice(text.as_bytes());
    }
    out.resize(out.len() + missing, b' ');
    if !left {
        out.extend_from_slice(text.as_bytes());
    }
}

fn format_one(ctx: &CallCtx<'_>, v: &[DatumRef<'_>], types: &dyn Fn(usize) -> Oid) -> Result<Datum> {
    if v[0].is_null() {
        return Ok(Datum::Null);
    }
    let mut f = Format { rest: v[0].str().chars().peekable() };
    let mut out = Vec::new();
    let mut next = 1;
    let fetch = |at: usize| -> Result<(usize, DatumRef<'_>)> {
        v.get(at)
            .map(|d| (at, *d))
            .ok_or_else(|| err!(INVALID_PARAMETER_VALUE, "too few arguments for format()"))
    };
    while let Some(c) = f.rest.next() {
        if c != '%' {
            out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            continue;
        }
        if f.rest.peek() == Some(&'%') {
            f.rest.next();
            out.push(b'%');
            continue;
        }
        let spec = f.spec()?;
        let width = match spec.width {
            Width::None => 0,
            Width::Fixed(n) => n,
            Width::Arg(p) => {
                let at = p.map_or(next, |p| p as usize);
                let (_, d) = fetch(at)?;
                next = at + 1;
                match d {
                    DatumRef::Null => 0,
                    DatumRef::I16(n) => i32::from(n),
                    DatumRef::I32(n) => n,
                    _ => {
                        let mut text = Vec::new();
                        push_text(ctx, types(at), d, &mut text)?;
                        crate::int::parse_int(&String::from_utf8_lossy(&text))?
                    }
                }
            }
        };
        let at = spec.position.map_or(next, |p| p as usize);
        let (_, d) = fetch(at)?;
        next = at + 1;
        let mut text = Vec::new();
        push_text(ctx, types(at), d, &mut text)?;
        let text = String::from_utf8_lossy(&text);
        match spec.conversion {
            's' => pad(&text, width, spec.left, &mut out),
            'I' if d.is_null() => {
                bail!(NULL_VALUE_NOT_ALLOWED, "null values cannot be formatted as an SQL identifier")
            }
            'I' => pad(&quote_identifier(&text), width, spec.left, &mut out),
            _ if d.is_null() => pad("NULL", width, spec.left, &mut out),
            _ => pad(&quote_literal(&text), width, spec.left, &mut out),
        }
    }
    Ok(Datum::bytes(&out))
}

pub fn text_format(ctx: &CallCtx<'_>, args: &[Arg<'_>], rows: Rows<'_>, out: &mut Column) -> Result<()> {
    crate::kernel::run_rows(args, rows, out, |v| match v {
        [fmt, DatumRef::Bytes(array)] if ctx.variadic && !fmt.is_null() => {
            format_array(ctx, fmt.str(), array)
        }
        [fmt, DatumRef::Null] if ctx.variadic => format_one(ctx, &[*fmt], &|_| oids::TEXT),
        v => format_one(ctx, v, &|i| arg_type(ctx, i, v[i])),
    })
}

/// `format(fmt, VARIADIC array)`: for callers that know the call was variadic.
pub fn format_array(ctx: &CallCtx<'_>, fmt: &str, array: &[u8]) -> Result<Datum> {
    let a = ArrayRef::new(array)?;
    let mut v = vec![DatumRef::Bytes(fmt.as_bytes())];
    v.extend(a.to_vec()?);
    let elem = if type_info(a.elem.oid).is_some() { a.elem.oid } else { oids::TEXT };
    format_one(ctx, &v, &|_| elem)
}
