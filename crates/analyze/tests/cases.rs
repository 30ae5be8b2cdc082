//! Statements with the result columns, view text or error that PostgreSQL 15 has for them (`tests/cases/*.sql`, one
//! statement a line; `.out` beside it was taken from PostgreSQL). `ANALYZE_PROBE=file` prints instead of comparing.
#![allow(clippy::unwrap_used)]

use analyze::*;
use catalog::desc::Relation;
use common::Oid;
use ipc::{BackendKind, Interrupts, Layout, ProcConfig, ProcTable, Segment};
use std::fmt::Write;
use std::path::PathBuf;
use std::rc::Rc;
use storage::{SharedStorage, StorageConfig, Store};
use transam::{ControlFile, Engine, EngineParts, TransamConfig, TransamShared};
use types::{Attribute, FormatSettings, Registry, TupleDesc};

fn engine() -> Engine {
    let dir: PathBuf = std::env::temp_dir().join(format!("stegodon-analyze-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&dir);
    for d in [
        "global",
        "base/5",
        "base/1",
        "pg_wal",
        "pg_xact",
        "pg_subtrans",
        "pg_multixact/offsets",
        "pg_multixact/members",
    ] {
        std::fs::create_dir_all(dir.join(d)).unwrap();
    }
    let procs_cfg =
        ProcConfig { max_connections: 4, autovacuum_workers: 1, max_workers: 0, query_bytes: 1024 };
    let config = StorageConfig { shared_buffers: 2048, system_identifier: 77, ..StorageConfig::new(&dir) };
    let t = TransamConfig { procs: procs_cfg, locks_per_transaction: 16, reads_per_transaction: 64 };
    let mut l = Layout::new();
    let p = ProcTable::reserve(&mut l, procs_cfg);
    let sh = SharedStorage::reserve(&mut l, &config);
    let th = TransamShared::reserve(&mut l, &t);
    let seg = Segment::create(l).unwrap();
    let procs = ProcTable::attach(&seg, p);
    procs.init();
    SharedStorage::attach(&seg, sh).init(&config);
    TransamShared::attach(&seg, th).init();
    let proc = procs.allocate(BackendKind::Bootstrap).unwrap();
    proc.database.store(5, std::sync::atomic::Ordering::Relaxed);
    let interrupts = Rc::new(Interrupts::new());
    interrupts.attach(proc);
    let store = Store::new(SharedStorage::attach(&seg, sh), proc, interrupts.clone(), &config);
    let e = Engine::new(EngineParts {
        store,
        shared: TransamShared::attach(&seg, th),
        proc,
        procs,
        interrupts,
        data_dir: dir,
    });
    std::mem::forget(seg);
    e.bootstrap_cluster(&ControlFile::new_cluster(77, true, [1; 32])).unwrap();
    e
}

fn table(cat: &catalog::Catalog, oid: u32, name: &str, cols: &[(&str, u32, i32)]) {
    let attrs: Vec<Attribute> = cols
        .iter()
        .map(|(n, t, m)| {
            let d = cat.type_desc(Oid(*t)).unwrap();
            Attribute {
                name: n.to_string(),
                type_oid: d.oid,
                typmod: *m,
                len: d.len,
                by_val: d.by_val,
                align: d.align,
                storage: d.storage,
                compression: 0,
                phys: d.phys,
                collation: d.collation,
                not_null: false,
                has_default: false,
                missing: None,
                identity: 0,
                generated: 0,
                dropped: false,
            }
        })
        .collect();
    let desc = Rc::new(TupleDesc { attrs, type_oid: Oid(oid + 1) });
    let pg_class = cat.relation(Oid(1259)).unwrap();
    let rel = Relation {
        oid: Oid(oid),
        name: name.into(),
        namespace: Oid(2200),
        kind: b'r',
        row_type: Oid(oid + 1),
        desc,
        defaults: Vec::new(),
        checks: Vec::new(),
        indexes: Vec::new(),
        rel: None,
        column_lists: Default::default(),
        ..(*pg_class).clone()
    };
    cat.preload(rel, Vec::new());
}

fn run(cat: &catalog::Catalog, sql: &str) -> String {
    let path = catalog::search_path::SearchPath {
        schemas: vec![Oid(11), Oid(2200)],
        creation: Oid(2200),
        creates_temp: false,
        temp: Oid(0),
    };
    let fmt = FormatSettings::default();
    let lock = |_: Oid, _: u8| Ok(());
    let (mode, sql) = match sql.split_once(": ") {
        Some((m, s)) if m.chars().all(|c| c.is_ascii_lowercase()) => (m, s),
        _ => ("", sql),
    };
    let view = mode == "view";
    let ctx = AnalyzeCtx {
        catalog: cat,
        path: &path,
        registry: cat.registry(),
        fmt: &fmt,
        role: Oid(10),
        database: "analyze_w",
        source: sql,
        lock: &lock,
        env: &(),
        xact_start_us: 0,
        stmt_start_us: 0,
    };
    let mut out = String::new();
    let stand_alone = match mode {
        "check" => Some(ExprContext::Check),
        "index" => Some(ExprContext::IndexExpr),
        "default" => Some(ExprContext::Default),
        _ => None,
    };
    let r = if let Some(c) = stand_alone {
        stand_alone_text(cat, &ctx, sql, c).map(|s| (s, None))
    } else {
        parser::parse(sql).and_then(|mut l| {
            let mut params = ParamTypes::variable(Vec::new());
            let a = analyze(&ctx, &l.remove(0), &mut params)?;
            let Analyzed::Query(q) = a else { return Ok(("utility\n".to_string(), None)) };
            if view {
                return Ok((format!("{};\n", query_to_sql_styled(&ctx, &q, true)?), None));
            }
            let mut s = String::new();
            for c in output_columns(&q) {
                let _ = writeln!(s, "{}|{}", c.name, format_type(&ctx, c.type_oid, c.typmod));
            }
            let q2 = rewrite(&ctx, *q)?;
            // What is stored must come back the same.
            let text = store_expr(&q2[0])?;
            let back: query::Query = load_expr(&text)?;
            assert_eq!(format!("{back:?}"), format!("{:?}", q2[0]));
            if mode == "params" {
                s = params.types.iter().map(|t| format!("{}\n", format_type(&ctx, *t, -1))).collect();
            }
            Ok((s, Some(params)))
        })
    };
    match r {
        Ok((s, _)) => out.push_str(&s),
        Err(e) => {
            let r = e.report();
            let _ = write!(out, "ERROR {}", r.sqlstate);
            if let Some(p) = r.position {
                let _ = write!(out, " at {}", sql[..p.min(sql.len())].chars().count() + 1);
            }
            let _ = writeln!(out, ": {}", r.message);
            if let Some(d) = &r.detail {
                let _ = writeln!(out, "DETAIL: {d}");
            }
            if let Some(h) = &r.hint {
                let _ = writeln!(out, "HINT: {h}");
            }
        }
    }
    out
}

/// A CHECK of `t`, an index expression of it, or a default of its column `a` (integer), as the catalog functions show
/// it: fully parenthesised and pretty.
fn stand_alone_text(
    cat: &catalog::Catalog,
    ctx: &AnalyzeCtx<'_>,
    sql: &str,
    context: ExprContext,
) -> common::Result<String> {
    let rel = cat.relation(Oid(20000))?;
    let shape = ExprRel { name: "t", oid: rel.oid, desc: &rel.desc };
    let target =
        (context == ExprContext::Default).then_some(ExprTarget { name: "a", type_oid: Oid(23), typmod: -1 });
    let e = transform_expr_for(ctx, &parser::parse_expression(sql)?, context, Some(shape), target)?;
    let name = |v: &expr::Var| match v.attno {
        n if n < 0 => scope::SYSTEM_COLUMNS.iter().find(|c| c.1 == n).unwrap().0.to_string(),
        n => names::quote_ident(&rel.desc.attrs[n as usize - 1].name),
    };
    let mut out = String::new();
    for pretty in [false, true] {
        let style = ExprStyle { pretty, indent: true, var: &name, param: None };
        let _ = writeln!(out, "{}", expr_to_sql_styled(ctx, &e, style)?);
    }
    Ok(out)
}

fn open() -> Rc<catalog::Catalog> {
    let e = Rc::new(engine());
    let reg: &'static Registry = Box::leak(Box::new(Registry::build(&types::builtin_tables())));
    let cat = catalog::Catalog::new(e.clone(), catalog::builtins::Builtins::load(), reg, Oid(5));
    e.start_command().unwrap();
    catalog::bootstrap::bootstrap(
        &cat,
        &catalog::bootstrap::BootstrapOptions {
            superuser: "postgres".into(),
            password: None,
            collate: "C".into(),
            ctype: "C".into(),
            icu_locale: None,
            encoding: 6,
        },
    )
    .unwrap();
    e.commit_command().unwrap();
    e.start_command().unwrap();
    let t = [
        ("a", 23, -1),
        ("b", 25, -1),
        ("c", 1700, 655366),
        ("d", 1082, -1),
        ("e", 1043, 14),
        ("f", 1007, -1),
    ];
    table(&cat, 20000, "t", &t);
    table(&cat, 20010, "u", &[("a", 23, -1), ("k", 1184, -1), ("s", 23, -1)]);
    table(
        &cat,
        20020,
        "acc",
        &[("aid", 23, -1), ("bid", 23, -1), ("abalance", 23, -1), ("filler", 1042, 88)],
    );
    cat
}

#[test]
fn cases() {
    let cat = open();
    if let Ok(f) = std::env::var("ANALYZE_PROBE") {
        for line in std::fs::read_to_string(f).unwrap().lines().filter(|l| !l.is_empty()) {
            print!("> {line}\n{}", run(&cat, line));
        }
        return;
    }
    let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut bad = String::new();
    for f in std::fs::read_dir(dir).unwrap() {
        let f = f.unwrap().path();
        if f.extension().is_none_or(|x| x != "sql") {
            continue;
        }
        let expected = std::fs::read_to_string(f.with_extension("out")).unwrap();
        let mut got = String::new();
        for line in std::fs::read_to_string(&f).unwrap().lines().filter(|l| !l.is_empty()) {
            let _ = write!(got, "> {line}\n{}", run(&cat, line));
        }
        if got != expected {
            let _ = writeln!(bad, "{}:\n--- got\n{got}\n--- expected\n{expected}", f.display());
        }
    }
    let _ = std::fs::remove_dir_all(cat.engine().data_dir());
    assert!(bad.is_empty(), "{bad}");
}
