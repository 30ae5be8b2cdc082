//! Values: text and binary input of every built-in type, and the output of what came in.

use crate::{Target, failed, hash, shape};
use common::Oid;
use std::rc::Rc;
use types::{CallCtx, Datum, FnImpl, FormatSettings, Registry, TypeInfo, type_info};

/// Words that some type or other understands.
const WORDS: [&str; 48] = [
    "NaN",
    "Infinity",
    "-inf",
    "e",
    "E+10",
    "0x",
    ".",
    "-",
    "+",
    "1",
    "99999999999999999999",
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    "null",
    "NULL",
    "t",
    "epoch",
    "now",
    "today",
    "allballs",
    "BC",
    "AM",
    "UTC",
    "Europe/Paris",
    "2024-02-29",
    "12:34:56.789",
    "J2451187",
    "1 day",
    "P1Y2M3DT4H",
    "ago",
    "mon",
    "192.168.0.0/24",
    "::1",
    "08:00:2b:01:02:03",
    "$.a[*] ? (@ > 1)",
    "lax ",
    "strict ",
    "\\x00ff",
    "empty",
    "a:1A,2B",
];

const SEEDS: [&str; 30] = [
    "0",
    "-1.5e10",
    "12345.678",
    "t",
    "abc",
    "{1,2,NULL}",
    "{{a,b},{c,\"d e\"}}",
    "[0:1]={1,2}",
    "2024-02-29 12:34:56.789+01",
    "epoch",
    "1 year 2 mons -3 days 04:05:06",
    "P1Y2M3DT4H5M6S",
    "12:34:56",
    "(1,2)",
    "<(1,2),3>",
    "[(0,0),(1,1)]",
    "{1,2,3}",
    "192.168.1.1/24",
    "08:00:2b:01:02:03:04:05",
    "0101",
    "\\xdeadbeef",
    "[1,10)",
    "{[1,2),[5,6)}",
    "{\"a\": [1, null, \"x\"]}",
    "$.a[0 to 2] ? (@.b like_regex \"x\")",
    "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
    "16/B374D848",
    "10:20:10,14",
    "$1,234.56",
    "(1,abc)",
];

pub(crate) fn targets() -> Vec<Target> {
    let registry = Rc::new(Registry::build(&types::builtin_tables()));
    let mut list = Vec::new();
    for t in (1..13_000).filter_map(|oid| type_info(Oid(oid))) {
        // Arrays of everything go the same way; a few stand for all.
        if t.is_array() && ![1007, 1009, 1185, 1231].contains(&t.oid.0) {
            continue;
        }
        if let Some(FnImpl::Input(_)) = registry.get(t.input) {
            list.push(Target {
                name: format!("in {}", t.oid.0),
                seeds: SEEDS.map(|s| s.as_bytes().to_vec()).to_vec(),
                words: WORDS.to_vec(),
                run: input(t, registry.clone()),
            });
        }
        if let Some(FnImpl::Receive(_)) = registry.get(t.receive) {
            list.push(Target {
                name: format!("receive {}", t.oid.0),
                seeds: [1, 2, 4, 8, 12, 16, 24, 32].map(|n| vec![0; n]).to_vec(),
                words: Vec::new(),
                run: receive(t, registry.clone()),
            });
        }
    }
    list
}

fn with_ctx<R>(registry: &Registry, f: impl FnOnce(&CallCtx<'_>) -> R) -> R {
    f(&CallCtx {
        fmt: &FormatSettings::default(),
        registry,
        collation: types::Collation::C,
        result_type: Oid(0),
        result_typmod: -1,
        arg_types: &[],
        variadic: false,
        columns: &[],
        xact_start_us: 0,
        stmt_start_us: 0,
        env: &(),
    })
}

fn input(t: &'static TypeInfo, registry: Rc<Registry>) -> Box<dyn Fn(&[u8]) -> u64> {
    Box::new(move |b| {
        let text = String::from_utf8_lossy(b).replace('\0', "");
        with_ctx(&registry, |ctx| {
            let Some(FnImpl::Input(f)) = registry.get(t.input) else { return 0 };
            let ioparam = if t.elem.is_valid() { t.elem } else { t.oid };
            match f(ctx, &text, ioparam, -1) {
                Ok(v) => written(ctx, t, &v, true),
                Err(e) => failed(&e),
            }
        })
    })
}

fn receive(t: &'static TypeInfo, registry: Rc<Registry>) -> Box<dyn Fn(&[u8]) -> u64> {
    Box::new(move |b| {
        with_ctx(&registry, |ctx| {
            let Some(FnImpl::Receive(f)) = registry.get(t.receive) else { return 0 };
            let ioparam = if t.elem.is_valid() { t.elem } else { t.oid };
            match f(ctx, b, ioparam, -1) {
                Ok(v) => written(ctx, t, &v, false),
                Err(e) => failed(&e),
            }
        })
    })
}

/// Every value can be written in both forms. What was read from text can be read again from its own text.
fn written(ctx: &CallCtx<'_>, t: &TypeInfo, v: &Datum, again: bool) -> u64 {
    let mut out = Vec::new();
    if let Some(FnImpl::Output(f)) = ctx.registry.get(t.output) {
        match f(ctx, v.as_ref(), &mut out) {
            Err(e) => return hash(failed(&e), b"out"),
            Ok(()) if again => read_again(ctx, t, &out),
            Ok(()) => {}
        }
    }
    let mut wire = Vec::new();
    if let Some(FnImpl::Send(f)) = ctx.registry.get(t.send)
        && let Err(e) = f(ctx, v.as_ref(), &mut wire)
    {
        return hash(failed(&e), b"send");
    }
    if let Some(FnImpl::Hash(f)) = ctx.registry.get(t.hash) {
        let _ = f(types::Collation::C, v.as_ref());
    }
    shape(&out)
}

fn read_again(ctx: &CallCtx<'_>, t: &TypeInfo, text: &[u8]) {
    let (Ok(text), Some(FnImpl::Input(f)), Some(FnImpl::Output(write))) =
        (std::str::from_utf8(text), ctx.registry.get(t.input), ctx.registry.get(t.output))
    else {
        return;
    };
    let ioparam = if t.elem.is_valid() { t.elem } else { t.oid };
    let second = f(ctx, text, ioparam, -1).unwrap_or_else(|e| panic!("not read again: {text}: {e}"));
    let mut out = Vec::new();
    let _ = write(ctx, second.as_ref(), &mut out);
    assert_eq!(String::from_utf8_lossy(&out), text, "another value came back");
}
