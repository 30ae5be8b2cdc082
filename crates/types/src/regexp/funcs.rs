//! The operators and functions. A pattern is compiled once per batch while it stays the same.

use super::dfa::Subject;
use super::dissect::Span;
use super::exec::Regex;
use super::flags::Flags;
use super::similar::similar_to_posix;
use crate::array::{ArrayBuilder, Values};
use crate::column::{Arg, Column, Rows};
use crate::{CallCtx, Datum, DatumRef, RowSource, oids};
use common::{Result, bail, err};

/// The pattern compiled last.
#[derive(Default)]
struct Cache(Option<(String, Flags, Regex)>);

impl Cache {
    fn get(&mut self, pattern: &str, flags: Flags) -> Result<&Regex> {
        let hit = self.0.as_ref().is_some_and(|(p, f, _)| p == pattern && *f == flags);
        if !hit {
            self.0 = Some((pattern.to_string(), flags, Regex::new(pattern, flags)?));
        }
        match &self.0 {
            Some((_, _, r)) => Ok(r),
            None => Err(common::Error::internal("regular expression cache is empty")),
        }
    }
}

/// Runs a strict function whose second argument is a pattern.
fn with_cache(
    x: &CallCtx<'_>,
    args: &[Arg<'_>],
    rows: Rows<'_>,
    out: &mut Column,
    mut f: impl FnMut(&mut Cache, &[DatumRef<'_>]) -> Result<Datum>,
) -> Result<()> {
    let mut cache = Cache::default();
    crate::kernel::run_rows(args, rows, out, |v| {
        if v.iter().any(|d| d.is_null()) {
            return Ok(Datum::Null);
        }
        x.collation.require("regular expression")?;
        f(&mut cache, v)
    })
}

fn matches(
    ctx: &CallCtx<'_>,
    args: &[Arg<'_>],
    rows: Rows<'_>,
    out: &mut Column,
    fold_case: bool,
    want: bool,
) -> Result<()> {
    let flags = Flags { fold_case, ..flags_of(ctx)? };
    with_cache(ctx, args, rows, out, |c, v| {
        Ok(Datum::Bool(c.get(v[1].str(), flags)?.is_match(v[0].str())? == want))
    })
}
pub fn textregexeq(x: &CallCtx<'_>, a: &[Arg<'_>], r: Rows<'_>, o: &mut Column) -> Result<()> {
    matches(x, a, r, o, false, true)
}
pub fn textregexne(x: &CallCtx<'_>, a: &[Arg<'_>], r: Rows<'_>, o: &mut Column) -> Result<()> {
    matches(x, a, r, o, false, false)
}
pub fn texticregexeq(x: &CallCtx<'_>, a: &[Arg<'_>], r: Rows<'_>, o: &mut Column) -> Result<()> {
    matches(x, a, r, o, true, true)
}
pub fn texticregexne(x: &CallCtx<'_>, a: &[Arg<'_>], r: Rows<'_>, o: &mut Column) -> Result<()> {
    matches(x, a, r, o, true, false)
}

/// No options, and the characters of the call's collation. 0A000 if it is not deterministic.
fn flags_of(ctx: &CallCtx<'_>) -> Result<Flags> {
    ctx.collation.require_deterministic("regular expressions")?;
    Ok(Flags { ctype: ctx.collation.ctype(), ..Flags::default() })
}

/// Options of a function without `g`.
fn flags_arg(x: &CallCtx<'_>, v: &[DatumRef<'_>], i: usize, func: &str) -> Result<Flags> {
    let f = v.get(i).map_or(Ok(Flags::default()), |d| Flags::parse(d.str()))?;
    let f = Flags { ctype: flags_of(x)?.ctype, ..f };
    if f.global && !func.is_empty() {
        let mut e = err!(INVALID_PARAMETER_VALUE, "{} does not support the \"global\" option", func);
        if func == "regexp_match()" {
            e = e.hint("Use the regexp_matches function instead.");
        }
        return Err(e);
    }
    Ok(f)
}

/// The text of a group.
fn piece<'s>(s: &'s str, m: &[Span], i: usize) -> Option<&'s str> {
    m.get(i).copied().flatten().map(|(a, b)| &s[a..b])
}

/// The first group if there is one, else the match.
fn sub_match(r: &Regex, s: &str) -> Result<Option<String>> {
    let m = r.find(&r.subject(s), 0)?;
    Ok(m.and_then(|m| piece(s, &m, usize::from(m.len() > 1)).map(str::to_string)))
}
fn opt(s: Option<String>) -> Datum {
    s.map_or(Datum::Null, |s| Datum::text(&s))
}
pub fn textregexsubstr(x: &CallCtx<'_>, a: &[Arg<'_>], r: Rows<'_>, o: &mut Column) -> Result<()> {
    let f = flags_of(x)?;
    with_cache(x, a, r, o, |c, v| Ok(opt(sub_match(c.get(v[1].str(), f)?, v[0].str())?)))
}
/// `substring(s SIMILAR p ESCAPE e)`.
pub fn substring_similar(x: &CallCtx<'_>, a: &[Arg<'_>], r: Rows<'_>, o: &mut Column) -> Result<()> {
    let f = flags_of(x)?;
    with_cache(x, a, r, o, |c, v| {
        let p = similar_to_posix(v[1].str(), Some(v[2].str()))?;
        Ok(opt(sub_match(c.get(&p, f)?, v[0].str())?))
    })
}

/// Appends the replacement: `\1`…`\9` groups, `\&` the match, `\\` a backslash.
fn push_replacement(s: &str, m: &[Span], replacement: &str, out: &mut String) {
    let mut it = replacement.chars();
    while let Some(ch) = it.next() {
        if ch != '\\' {
            out.push(ch);
            continue;
        }
        match it.clone().next() {
            Some(d @ '1'..='9') => {
                it.next();
                out.push_str(piece(s, m, d as usize - '0' as usize).unwrap_or(""));
            }
            Some('&') => {
                it.next();
                out.push_str(piece(s, m, 0).unwrap_or(""));
            }
            Some('\\') => {
                it.next();
                out.push('\\');
            }
            _ => out.push('\\'),
        }
    }
}

/// Replaces the `n`-th match from character `start` (from 1) on; `n` 0 means all.
fn replace(r: &Regex, s: &str, replacement: &str, start: i32, n: i32) -> Result<String> {
    let from = byte_of(s, start);
    let mut out = String::from(&s[..from]);
    let mut last = from;
    let mut k = 0;
    let mut all = Matches::new(r, s, from);
    while let Some((m, begin, end)) = all.next()? {
        k += 1;
        if n > 0 && k != n {
            continue;
        }
        out.push_str(&s[last..begin]);
        push_replacement(s, &m, replacement, &mut out);
        last = end;
        if n > 0 {
            break;
        }
    }
    out.push_str(&s[last..]);
    Ok(out)
}

fn byte_of(s: &str, start: i32) -> usize {
    s.char_indices().nth((start.max(1) - 1) as usize).map_or(s.len(), |(i, _)| i)
}

/// The matches from a byte offset on, with the text before it as context.
struct Matches<'r, 's> {
    regex: &'r Regex,
    subject: Subject<'s>,
    at: usize,
}

impl<'r, 's> Matches<'r, 's> {
    fn new(regex: &'r Regex, s: &'s str, from: usize) -> Self {
        Matches { regex, subject: regex.subject(s), at: from }
    }
    /// The next match with its begin and end.
    fn next(&mut self) -> Result<Option<(Vec<Span>, usize, usize)>> {
        let s = self.subject.text;
        if self.at > s.len() {
            return Ok(None);
        }
        let Some(m) = self.regex.find(&self.subject, self.at)? else {
            self.at = s.len() + 1;
            return Ok(None);
        };
        let Some((begin, end)) = m[0] else { return Ok(None) };
        self.at = if begin == end { end + s[end..].chars().next().map_or(1, char::len_utf8) } else { end };
        Ok(Some((m, begin, end)))
    }
    fn nth(&mut self, n: i32) -> Result<Option<Vec<Span>>> {
        for _ in 1..n {
            if self.next()?.is_none() {
                return Ok(None);
            }
        }
        Ok(self.next()?.map(|m| m.0))
    }
}

/// `regexp_replace(s, p, r [, flags])`.
pub fn textregexreplace(x: &CallCtx<'_>, a: &[Arg<'_>], r: Rows<'_>, o: &mut Column) -> Result<()> {
    with_cache(x, a, r, o, |c, v| {
        if let Some(d) = v.get(3)
            && d.str().starts_with(|c: char| c.is_ascii_digit())
        {
            let ch = d.str().chars().next().unwrap_or('0');
            return Err(err!(INVALID_PARAMETER_VALUE, "invalid regular expression option: \"{}\"", ch)
                .hint("If you meant to use regexp_replace() with a start parameter, cast the fourth argument to integer explicitly."));
        }
        let f = flags_arg(x, v, 3, "")?;
        let n = i32::from(!f.global);
        let f = Flags { global: false, ..f };
        Ok(Datum::text(&replace(c.get(v[1].str(), f)?, v[0].str(), v[2].str(), 1, n)?))
    })
}

fn positive(v: i32, name: &str, min: i32) -> Result<i32> {
    if v < min {
        bail!(INVALID_PARAMETER_VALUE, "invalid value for parameter \"{}\": {}", name, v);
    }
    Ok(v)
}
fn int_arg(v: &[DatumRef<'_>], i: usize, name: &str, min: i32, default: i32) -> Result<i32> {
    v.get(i).map_or(Ok(default), |d| positive(d.i32(), name, min))
}

/// `regexp_replace(s, p, r, start [, n [, flags]])`.
pub fn textregexreplace_extended(x: &CallCtx<'_>, a: &[Arg<'_>], r: Rows<'_>, o: &mut Column) -> Result<()> {
    with_cache(x, a, r, o, |c, v| {
        let start = int_arg(v, 3, "start", 1, 1)?;
        let f = flags_arg(x, v, 5, "")?;
        let n = int_arg(v, 4, "n", 0, i32::from(!f.global))?;
        let f = Flags { global: false, ..f };
        Ok(Datum::text(&replace(c.get(v[1].str(), f)?, v[0].str(), v[2].str(), start, n)?))
    })
}

/// The groups (or the match) as text[].
fn groups(s: &str, m: &[Span]) -> Datum {
    let mut b = ArrayBuilder::new(oids::TEXT);
    let from = usize::from(m.len() > 1);
    for i in from..m.len() {
        b.push(piece(s, m, i).map_or(DatumRef::Null, |p| DatumRef::Bytes(p.as_bytes())));
    }
    Datum::bytes(&b.finish_1d())
}
pub fn regexp_match(x: &CallCtx<'_>, a: &[Arg<'_>], r: Rows<'_>, o: &mut Column) -> Result<()> {
    with_cache(x, a, r, o, |c, v| {
        let f = flags_arg(x, v, 2, "regexp_match()")?;
        let (r, s) = (c.get(v[1].str(), f)?, v[0].str());
        Ok(r.find(&r.subject(s), 0)?.map_or(Datum::Null, |m| groups(s, &m)))
    })
}
pub fn regexp_like(x: &CallCtx<'_>, a: &[Arg<'_>], r: Rows<'_>, o: &mut Column) -> Result<()> {
    with_cache(x, a, r, o, |c, v| {
        let f = flags_arg(x, v, 2, "regexp_like()")?;
        Ok(Datum::Bool(c.get(v[1].str(), f)?.is_match(v[0].str())?))
    })
}
pub fn regexp_count(x: &CallCtx<'_>, a: &[Arg<'_>], r: Rows<'_>, o: &mut Column) -> Result<()> {
    with_cache(x, a, r, o, |c, v| {
        let start = int_arg(v, 2, "start", 1, 1)?;
        let f = flags_arg(x, v, 3, "regexp_count()")?;
        let s = v[0].str();
        let mut all = Matches::new(c.get(v[1].str(), f)?, s, byte_of(s, start));
        let mut n = 0;
        while all.next()?.is_some() {
            n += 1;
        }
        Ok(Datum::I32(n))
    })
}
pub fn regexp_instr(x: &CallCtx<'_>, a: &[Arg<'_>], r: Rows<'_>, o: &mut Column) -> Result<()> {
    with_cache(x, a, r, o, |c, v| {
        let start = int_arg(v, 2, "start", 1, 1)?;
        let n = int_arg(v, 3, "n", 1, 1)?;
        let end = int_arg(v, 4, "endoption", 0, 0)?;
        if end > 1 {
            bail!(INVALID_PARAMETER_VALUE, "invalid value for parameter \"endoption\": {}", end);
        }
        let f = flags_arg(x, v, 5, "regexp_instr()")?;
        let sub = int_arg(v, 6, "subexpr", 0, 0)? as usize;
        let s = v[0].str();
        let m = Matches::new(c.get(v[1].str(), f)?, s, byte_of(s, start)).nth(n)?;
        let at = m.and_then(|m| m.get(sub).copied().flatten()).map(|m| if end == 1 { m.1 } else { m.0 });
        Ok(Datum::I32(at.map_or(0, |at| s[..at].chars().count() as i32 + 1)))
    })
}
pub fn regexp_substr(x: &CallCtx<'_>, a: &[Arg<'_>], r: Rows<'_>, o: &mut Column) -> Result<()> {
    with_cache(x, a, r, o, |c, v| {
        let start = int_arg(v, 2, "start", 1, 1)?;
        let n = int_arg(v, 3, "n", 1, 1)?;
        let f = flags_arg(x, v, 4, "regexp_substr()")?;
        let sub = int_arg(v, 5, "subexpr", 0, 0)? as usize;
        let s = v[0].str();
        let m = Matches::new(c.get(v[1].str(), f)?, s, byte_of(s, start)).nth(n)?;
        Ok(opt(m.and_then(|m| piece(s, &m, sub).map(str::to_string))))
    })
}

/// Pieces between matches; empty matches at the end or right behind a match do not split.
fn split<'s>(r: &Regex, s: &'s str) -> Result<Vec<&'s str>> {
    let mut out = Vec::new();
    let mut last = 0;
    let mut all = Matches::new(r, s, 0);
    while let Some((_, begin, end)) = all.next()? {
        if begin < s.len() && end > last {
            out.push(&s[last..begin]);
            last = end;
        }
    }
    out.push(&s[last..]);
    Ok(out)
}
pub fn regexp_split_to_array(x: &CallCtx<'_>, a: &[Arg<'_>], r: Rows<'_>, o: &mut Column) -> Result<()> {
    with_cache(x, a, r, o, |c, v| {
        let f = flags_arg(x, v, 2, "regexp_split_to_array()")?;
        let parts = split(c.get(v[1].str(), f)?, v[0].str())?;
        Ok(crate::array::build_1d(oids::TEXT, parts.iter().map(|p| DatumRef::Bytes(p.as_bytes()))))
    })
}

fn srf_args(args: &[Datum]) -> Option<Vec<DatumRef<'_>>> {
    let v: Vec<DatumRef<'_>> = args.iter().map(Datum::as_ref).collect();
    (!v.iter().any(|d| d.is_null())).then_some(v)
}
pub fn regexp_split_to_table(x: &CallCtx<'_>, args: &[Datum]) -> Result<Box<dyn RowSource>> {
    let Some(v) = srf_args(args) else { return Ok(Values::boxed(Vec::new())) };
    x.collation.require("regular expression")?;
    let f = flags_arg(x, &v, 2, "regexp_split_to_table()")?;
    let r = Regex::new(v[1].str(), f)?;
    let parts = split(&r, v[0].str())?;
    Ok(Values::boxed(parts.iter().map(|p| Datum::text(p)).collect()))
}
pub fn regexp_matches(x: &CallCtx<'_>, args: &[Datum]) -> Result<Box<dyn RowSource>> {
    let Some(v) = srf_args(args) else { return Ok(Values::boxed(Vec::new())) };
    x.collation.require("regular expression")?;
    let f = flags_arg(x, &v, 2, "")?;
    let r = Regex::new(v[1].str(), Flags { global: false, ..f })?;
    let s = v[0].str();
    let mut all = Matches::new(&r, s, 0);
    let mut out = Vec::new();
    while let Some((m, _, _)) = all.next()? {
        out.push(groups(s, &m));
        if !f.global {
            break;
        }
    }
    Ok(Values::boxed(out))
}
