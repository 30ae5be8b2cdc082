//! SELECTs from text to rows on the bootstrapped catalogs; the expected rows are PostgreSQL 15's (`psql -At`).
#![allow(clippy::unwrap_used)]

mod common;

use ::common::{Error, Oid, Result};
use analyze::{AnalyzeCtx, Analyzed, ParamTypes};
use catalog::search_path::SearchPath;
use common::Cluster;
use executor::{CompiledPlan, ExecEnv, QueryRun, RunOptions};
use ipc::BackendKind;
use planner::{PlannerCtx, PlannerSettings};
use std::rc::Rc;

fn run(env: &Rc<ExecEnv>, sql: &str) -> Result<String> {
    let fmt = env.fmt.borrow().clone();
    let raw = parser::parse(sql)?;
    let path = SearchPath {
        schemas: vec![Oid(11), Oid(2200)],
        creation: Oid(2200),
        creates_temp: false,
        temp: Oid(0),
    };
    let catalog = env.catalog()?;
    let engine = env.engine()?;
    let (now, unit) = (engine.transaction_timestamp(), ());
    let ctx = AnalyzeCtx {
        catalog,
        path: &path,
        registry: env.registry,
        fmt: &fmt,
        role: Oid(10),
        database: "postgres",
        source: sql,
        lock: &|_, _| Ok(()),
        env: &unit,
        xact_start_us: now,
        stmt_start_us: now,
    };
    let mut types = ParamTypes::default();
    let Analyzed::Query(q) = analyze::analyze(&ctx, &raw[0], &mut types)? else {
        return Err(Error::internal("not a query"));
    };
    let settings = PlannerSettings::default();
    let mut out = String::new();
    for q in analyze::rewrite(&ctx, *q)? {
        let columns = analyze::output_columns(&q);
        let p = PlannerCtx {
            catalog,
            settings: &settings,
            registry: env.registry,
            fmt: &fmt,
            env: &unit,
            xact_start_us: now,
            stmt_start_us: now,
            param_types: &[],
            bound_params: None,
            cursor: false,
            parallel: false,
            routines: None,
        };
        let stmt = planner::plan_query(&p, q)?;
        let compiled = CompiledPlan::new(env, Rc::new(stmt))?;
        let opts = RunOptions { snapshot: engine.active_snapshot(), row_limit: 0 };
        let mut run = QueryRun::start(compiled, &[], &opts)?;
        while let Some(b) = run.next(0)? {
            b.live().each(|i| {
                for (k, c) in columns.iter().enumerate() {
                    if k > 0 {
                        out.push('|');
                    }
                    let s = executor::expr::special::value_text(env, c.type_oid, b.cols[k].get(i))?;
                    out.push_str(&s);
                }
                out.push('\n');
                Ok::<(), Error>(())
            })?;
        }
        run.finish()?;
    }
    Ok(out)
}

#[test]
fn queries_agree_with_postgresql() {
    let c = Cluster::create("sql");
    c.run(BackendKind::Client, |env| {
        let mut bad = 0;
        for mem in [4 << 20, 64 << 10] {
            env.work_mem.set(mem);
            for case in include_str!("queries.out").split("-- ").skip(1) {
                let (sql, want) = case.split_once('\n').unwrap();
                let e = env.engine().unwrap();
                e.start_command().unwrap();
                let snap = e.transaction_snapshot().unwrap();
                e.push_active_snapshot(snap);
                let r = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run(env, sql)));
                let r = r.unwrap_or_else(|_| Err(Error::internal("panic")));
                let got = match r {
                    Ok(s) => {
                        e.pop_active_snapshot();
                        e.commit_command().unwrap();
                        s
                    }
                    Err(x) => {
                        e.abort_command();
                        format!("ERROR:  {}\n", x.report().message)
                    }
                };
                if got != want {
                    bad += 1;
                    eprintln!("{sql}\n  got:\n{got}  want:\n{want}");
                }
            }
        }
        assert_eq!(bad, 0);
    });
}
