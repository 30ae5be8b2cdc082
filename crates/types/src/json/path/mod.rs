//! jsonpath: the type, and the functions that apply paths to documents. A stored path is its printed text; a kernel parses
//! it once per batch while it stays the same.

mod ast;
mod exec;
mod item;
mod moment;
mod parse;
mod regex;
pub mod table;

pub use item::Moment;

use super::node::Node;
use super::srf::Table;
use crate::column::{Arg, Column, Rows};
use crate::kernel::run_rows;
use crate::{CallCtx, Datum, DatumRef, RowSource};
use ast::Path;
use common::{Error, Oid, Result, bail, err};
use exec::{Exec, Fail, single_bool};

fn jsonpath_in(_: &CallCtx<'_>, s: &str, _: Oid, _: i32) -> Result<Datum> {
    let mut out = Vec::new();
    parse::parse(s)?.write(&mut out);
    Ok(Datum::bytes(&out))
}
fn jsonpath_out(_: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    out.extend_from_slice(v.bytes());
    Ok(())
}
fn jsonpath_recv(c: &CallCtx<'_>, b: &[u8], t: Oid, m: i32) -> Result<Datum> {
    match b.split_first() {
        Some((1, text)) => match std::str::from_utf8(text) {
            Ok(s) => jsonpath_in(c, s, t, m),
            Err(_) => bail!(CHARACTER_NOT_IN_REPERTOIRE, "invalid byte sequence for encoding \"UTF8\""),
        },
        Some((v, _)) => Err(Error::internal(format!("unsupported jsonpath version number: {v}"))),
        None => bail!(PROTOCOL_VIOLATION, "no data left in message"),
    }
}
fn jsonpath_send(_: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    out.push(1);
    out.extend_from_slice(v.bytes());
    Ok(())
}

/// The path parsed last.
#[derive(Default)]
struct Cache(Option<(Vec<u8>, Path)>);

impl Cache {
    fn get(&mut self, text: &[u8]) -> Result<&Path> {
        if self.0.as_ref().is_none_or(|(t, _)| t != text) {
            let s = std::str::from_utf8(text).map_err(|_| Error::corrupted("invalid jsonpath value"))?;
            self.0 = Some((text.to_vec(), parse::parse(s)?));
        }
        match &self.0 {
            Some((_, p)) => Ok(p),
            None => Err(Error::internal("jsonpath cache is empty")),
        }
    }
}

/// Arguments of a call: document, path, variables, silent.
struct Call<'a> {
    document: &'a [u8],
    path: &'a [u8],
    vars: &'a [u8],
    silent: bool,
}

/// The operators have neither variables nor errors.
fn call<'a>(v: &[DatumRef<'a>]) -> Option<Call<'a>> {
    if v.iter().any(|d| d.is_null()) {
        return None;
    }
    let vars = v.get(2).map_or(&[][..], |d| d.bytes());
    let silent = v.get(3).is_none_or(|d| d.bool());
    Some(Call { document: v[0].bytes(), path: v[1].bytes(), vars, silent })
}

type Answer = fn(&mut Exec<'_, '_>, &Path, bool) -> std::result::Result<Datum, Fail>;

fn run(
    ctx: &CallCtx<'_>,
    args: &[Arg<'_>],
    rows: Rows<'_>,
    out: &mut Column,
    tz: bool,
    answer: Answer,
) -> Result<()> {
    let mut cache = Cache::default();
    run_rows(args, rows, out, |v| {
        let Some(c) = call(v) else { return Ok(Datum::Null) };
        let path = cache.get(c.path)?;
        match answer(&mut Exec::new(ctx, path, c.document, c.vars, tz)?, path, c.silent) {
            Ok(d) => Ok(d),
            Err(Fail::Soft(_)) if c.silent => Ok(Datum::Null),
            Err(f) => Err(f.error()),
        }
    })
}

fn exists(x: &mut Exec<'_, '_>, p: &Path, _: bool) -> std::result::Result<Datum, Fail> {
    x.exists(p).map(Datum::Bool)
}
fn matches(x: &mut Exec<'_, '_>, p: &Path, silent: bool) -> std::result::Result<Datum, Fail> {
    match single_bool(&x.all(p)?) {
        Some(b) => Ok(b.map_or(Datum::Null, Datum::Bool)),
        None if silent => Ok(Datum::Null),
        None => Err(Fail::Hard(err!(SINGLETON_SQL_JSON_ITEM_REQUIRED, "single boolean result is expected"))),
    }
}
fn array(x: &mut Exec<'_, '_>, p: &Path, silent: bool) -> std::result::Result<Datum, Fail> {
    let v = match x.all(p) {
        Err(Fail::Soft(_)) if silent => Vec::new(),
        v => v?,
    };
    let n = Node::Array(v.iter().map(|i| i.node()).collect());
    Ok(Datum::bytes(&n.to_jsonb()?))
}
fn first(x: &mut Exec<'_, '_>, p: &Path, _: bool) -> std::result::Result<Datum, Fail> {
    match x.all(p)?.first() {
        Some(i) => Ok(Datum::bytes(&i.to_jsonb()?)),
        None => Ok(Datum::Null),
    }
}
fn query(ctx: &CallCtx<'_>, args: &[Datum], tz: bool) -> Result<Box<dyn RowSource>> {
    let refs: Vec<DatumRef<'_>> = args.iter().map(Datum::as_ref).collect();
    let Some(c) = call(&refs) else { return Ok(Table::boxed(Vec::new())) };
    let mut cache = Cache::default();
    let path = cache.get(c.path)?;
    let items = match Exec::new(ctx, path, c.document, c.vars, tz)?.all(path) {
        Err(Fail::Soft(_)) if c.silent => Vec::new(),
        Err(f) => return Err(f.error()),
        Ok(v) => v,
    };
    let rows = items.iter().map(|i| Ok(vec![Datum::bytes(&i.to_jsonb()?)]));
    Ok(Table::boxed(rows.collect::<Result<_>>()?))
}
