//! Runs functions on arguments and compares with what PostgreSQL 15 answered. A line of `data/*.txt` is
//! `oid TAB result type TAB argument types TAB arguments… TAB expected`; `\N` is NULL, an expected error starts with `!`.

use std::fmt::Write;
use types::{Arg, CallCtx, Column, Datum, FnImpl, FormatSettings, Registry, Rows, phys_of, type_info};

fn registry() -> Registry {
    Registry::build(&types::builtin_tables())
}

fn settings() -> FormatSettings {
    FormatSettings {
        timezone: jiff::tz::TimeZone::get("America/New_York").expect("zone"),
        timezone_name: "America/New_York".into(),
        ..FormatSettings::default()
    }
}

fn unescape(s: &str) -> String {
    let mut out = String::new();
    let mut it = s.chars();
    while let Some(c) = it.next() {
        match (c, c == '\\') {
            (_, true) => match it.next() {
                Some('t') => out.push('\t'),
                Some('n') => out.push('\n'),
                Some('r') => out.push('\r'),
                Some(c) => out.push(c),
                None => {}
            },
            (c, _) => out.push(c),
        }
    }
    out
}

/// Text to datum, then through the binary form where there is one.
fn input(ctx: &CallCtx<'_>, type_oid: u32, text: &str) -> common::Result<Datum> {
    let t = type_info(common::Oid(type_oid)).expect("known type");
    let Some(FnImpl::Input(f)) = ctx.registry.get(t.input) else { panic!("no input function of {}", t.name) };
    let ioparam = if t.elem.is_valid() { t.elem } else { t.oid };
    let d = f(ctx, text, ioparam, -1)?;
    if let (Some(FnImpl::Send(send)), Some(FnImpl::Receive(recv))) =
        (ctx.registry.get(t.send), ctx.registry.get(t.receive))
    {
        let mut wire = Vec::new();
        send(ctx, d.as_ref(), &mut wire)?;
        let back = recv(ctx, &wire, ioparam, -1)?;
        let same = back == d || format!("{back:?}") == format!("{d:?}");
        assert!(same, "recv(send({text})) of {} differs: {back:?} {d:?}", t.name);
    }
    Ok(d)
}

fn output(ctx: &CallCtx<'_>, type_oid: u32, d: &Datum) -> common::Result<String> {
    if d.is_null() {
        return Ok("\\N".into());
    }
    let t = type_info(common::Oid(type_oid)).expect("known type");
    let Some(FnImpl::Output(f)) = ctx.registry.get(t.output) else {
        panic!("no output function of {}", t.name)
    };
    let mut out = Vec::new();
    f(ctx, d.as_ref(), &mut out)?;
    Ok(String::from_utf8_lossy(&out).into_owned())
}

fn call(
    reg: &Registry,
    fmt: &FormatSettings,
    oid: u32,
    ret: u32,
    types_: &[u32],
    args: &[&str],
) -> common::Result<String> {
    let arg_types: Vec<common::Oid> = types_.iter().map(|t| common::Oid(*t)).collect();
    let ctx = CallCtx {
        fmt,
        registry: reg,
        collation: types::Collation::C,
        result_type: common::Oid(ret),
        result_typmod: -1,
        arg_types: &arg_types,
        variadic: false,
        columns: &[],
        xact_start_us: 757_382_400_000_000,
        stmt_start_us: 757_382_400_000_000,
        env: &(),
    };
    if let Some(FnImpl::Input(_)) = reg.get(common::Oid(oid)) {
        return output(&ctx, ret, &input(&ctx, ret, &unescape(args[0]))?);
    }
    let mut cols = Vec::new();
    let mut datums = Vec::new();
    for (t, a) in types_.iter().zip(args) {
        let d = if *a == "\\N" { Datum::Null } else { input(&ctx, *t, &unescape(a))? };
        let mut c = Column::new(phys_of(common::Oid(*t)));
        c.push(d.as_ref());
        cols.push(c);
        datums.push(d);
    }
    match reg.get(common::Oid(oid)) {
        Some(FnImpl::Scalar(k)) => {
            let args: Vec<Arg<'_>> = cols.iter().map(|c| Arg { col: c, konst: false }).collect();
            let mut out = Column::new(phys_of(common::Oid(ret)));
            k(&ctx, &args, Rows::All(1), &mut out)?;
            output(&ctx, ret, &out.get(0).to_owned())
        }
        Some(FnImpl::Cmp(f)) => {
            if datums.iter().any(Datum::is_null) {
                return Ok("\\N".into());
            }
            Ok((f(types::Collation::C, datums[0].as_ref(), datums[1].as_ref()) as i32).to_string())
        }
        Some(FnImpl::Srf(f)) => {
            let mut src = f(&ctx, &datums)?;
            let mut out = vec![Column::new(phys_of(common::Oid(ret)))];
            while out[0].len() < 100 && src.next(&ctx, &mut out, 7)? > 0 {}
            let mut s = String::new();
            for i in 0..out[0].len() {
                let _ = write!(s, "{}|", output(&ctx, ret, &out[0].get(i).to_owned())?);
            }
            Ok(s)
        }
        Some(FnImpl::Agg(a)) => {
            // One group fed with the same row twice.
            let mut st = (a.make)(&arg_types, common::Oid(ret), types::Collation::C);
            st.resize(1);
            let args: Vec<Arg<'_>> = cols.iter().map(|c| Arg { col: c, konst: true }).collect();
            st.update(&ctx, &[0, 0], &args, Rows::All(2))?;
            output(&ctx, ret, &st.finish(&ctx, 0)?)
        }
        _ => panic!("function {oid} has no code"),
    }
}

fn run(data: &str, name: &str) {
    let (reg, fmt) = (registry(), settings());
    let (mut failed, mut total) = (String::new(), 0);
    let mut bad = 0;
    for line in data.split_terminator('\n') {
        let f: Vec<&str> = line.split('\t').collect();
        let oid: u32 = f[0].parse().expect("oid");
        let ret: u32 = f[1].parse().expect("type");
        let types_: Vec<u32> =
            f[2].split(',').filter(|s| !s.is_empty()).map(|s| s.parse().expect("type")).collect();
        let args = &f[3..3 + types_.len()];
        let want = f[3 + types_.len()];
        let run = std::panic::AssertUnwindSafe(|| call(&reg, &fmt, oid, ret, &types_, args));
        let got = match std::panic::catch_unwind(run).unwrap_or_else(|_| Ok("panic".into())) {
            Ok(s) => s,
            Err(e) => format!("!{} {}", e.sqlstate(), e.report().message),
        };
        let want = if want == "\\N" { want.to_string() } else { unescape(want) };
        // A comparison function promises a sign only.
        let is_cmp = matches!(reg.get(common::Oid(oid)), Some(FnImpl::Cmp(_)));
        let want = match want.parse::<i64>() {
            Ok(v) if is_cmp => v.signum().to_string(),
            _ => want,
        };
        total += 1;
        if got != want {
            bad += 1;
            let _ = writeln!(failed, "{line}\n    got {got}");
        }
    }
    if bad > 0 {
        let path = std::env::temp_dir().join(format!("types-oracle-{name}.txt"));
        std::fs::write(&path, &failed).expect("scratch file");
        panic!("{bad} of {total} differ in {name}, see {}", path.display());
    }
}

/// All data files; a file given by ORACLE_FILE instead for a run on fresh data.
#[test]
fn answers_as_postgresql() {
    if let Ok(p) = std::env::var("ORACLE_FILE") {
        return run(&std::fs::read_to_string(p).expect("file"), "fresh");
    }
    run(include_str!("data/functions.txt"), "functions");
    run(include_str!("data/numeric.txt"), "numeric");
    run(include_str!("data/datetime.txt"), "datetime");
    run(include_str!("data/input.txt"), "input");
    run(include_str!("data/templates.txt"), "templates");
}

fn context<'a>(fmt: &'a FormatSettings, registry: &'a Registry) -> CallCtx<'a> {
    CallCtx {
        fmt,
        registry,
        collation: types::Collation::NONE,
        result_type: common::Oid(0),
        result_typmod: -1,
        arg_types: &[],
        variadic: false,
        columns: &[],
        xact_start_us: 0,
        stmt_start_us: 0,
        env: &(),
    }
}

/// Output under every DateStyle and IntervalStyle: style, interval style, type, value, expected.
#[test]
fn styles() {
    use types::registry::{DateOrder, DateStyle, IntervalStyle};
    let reg = registry();
    let mut failed = String::new();
    for line in include_str!("data/styles.txt").lines() {
        let f: Vec<&str> = line.split('\t').collect();
        let (style, order) = f[0].split_once(", ").expect("two words");
        let mut fmt = settings();
        let t: u32 = f[2].parse().expect("type");
        fmt.date_style = match style {
            "ISO" => DateStyle::Iso,
            "SQL" => DateStyle::Sql,
            "German" => DateStyle::German,
            _ => DateStyle::Postgres,
        };
        fmt.date_order = match order {
            "MDY" => DateOrder::Mdy,
            "DMY" => DateOrder::Dmy,
            _ => DateOrder::Ymd,
        };
        fmt.interval_style = match f[1] {
            "postgres" => IntervalStyle::Postgres,
            "postgres_verbose" => IntervalStyle::PostgresVerbose,
            "sql_standard" => IntervalStyle::SqlStandard,
            _ => IntervalStyle::Iso8601,
        };
        let d = input(&context(&settings(), &reg), t, f[3]).expect("valid input");
        let got = output(&context(&fmt, &reg), t, &d).expect("output");
        if got != f[4] {
            let _ = writeln!(failed, "{line}\n    got {got}");
        }
    }
    assert!(failed.is_empty(), "{failed}");
}

/// Random text and bytes into every input and receive function and into those that take templates: errors, no panics.
#[test]
fn garbage_never_panics() {
    let (reg, fmt) = (registry(), settings());
    let ctx = context(&fmt, &reg);
    let mut state = 0x1234_5678_9abc_def0u64;
    let mut random = move |n: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % n
    };
    let words = [
        "2024",
        "-",
        ":",
        "12",
        " ",
        "{",
        "}",
        ",",
        "\"",
        "\\",
        ".",
        "+",
        "e",
        "J",
        "P",
        "T",
        "jan",
        "ä",
        "€",
        "bc",
        "pm",
        "99999999999999999999",
        "/",
        "[",
        "]",
        "=",
        "(",
        ")",
        "NULL",
        "inf",
        "0",
        "z",
        "YYYY",
        "MM",
        "FM",
        "th",
        "9",
        "D",
        "G",
        "S",
        "MI",
        "V",
        "EEEE",
        "RN",
        "%",
        "$",
        "s",
        "*",
        "1",
        "I",
        "Q",
        "HH24",
        "TZH",
        "US",
        "Mon",
        "Day",
        "?",
        "|",
    ];
    let mut text = |n: usize| (0..random(n)).map(|_| words[random(words.len())]).collect::<String>();
    let mut inputs = Vec::new();
    let mut receives = Vec::new();
    for (oid, f) in types::builtin_tables().into_iter().flatten() {
        match f {
            FnImpl::Input(f) => inputs.push((*oid, *f)),
            FnImpl::Receive(f) => receives.push((*oid, *f)),
            _ => {}
        }
    }
    for _ in 0..400 {
        let t = text(9);
        for (_, f) in &inputs {
            for typmod in [-1, 6, 655_366] {
                let _ = f(&ctx, &t, types::oids::INT4, typmod);
            }
        }
        for (_, f) in &receives {
            let _ = f(&ctx, t.as_bytes(), types::oids::INT4, -1);
        }
    }
    let (ts, iv, num) = ("2024-02-29 12:34:56.789", "1 year 2 mons -3 days 04:05:06", "-1234.5678");
    for _ in 0..3000 {
        let (a, b) = (text(8), text(8));
        let (a, b) = (a.replace('\\', "\\\\"), b.replace('\\', "\\\\"));
        let _ = call(&reg, &fmt, 2049, 25, &[1114, 25], &[ts, &b]);
        let _ = call(&reg, &fmt, 1770, 25, &[1184, 25], &[ts, &b]);
        let _ = call(&reg, &fmt, 1768, 25, &[1186, 25], &[iv, &b]);
        for n in [num, "0", "NaN", "1e30", "0.004"] {
            let _ = call(&reg, &fmt, 1772, 25, &[1700, 25], &[n, &b]);
            let _ = call(&reg, &fmt, 1776, 25, &[701, 25], &[n, &b]);
        }
        for (f, ret) in
            [(1777, 1700), (1778, 1184), (1780, 1082), (1254, 16), (850, 16), (1637, 25), (3539, 25)]
        {
            let _ = call(&reg, &fmt, f, ret, &[25, 25], &[&a, &b]);
        }
    }
}

/// Lists the functions that have code.
#[test]
#[ignore = "prints a list for the generator of the data files"]
fn list() {
    for t in types::builtin_tables() {
        for (oid, f) in t {
            let kind = match f {
                FnImpl::Scalar(_) => "scalar",
                FnImpl::Cmp(_) => "cmp",
                FnImpl::Srf(_) => "srf",
                FnImpl::Agg(_) => "agg",
                _ => continue,
            };
            println!("@{oid} {kind}");
        }
    }
}
