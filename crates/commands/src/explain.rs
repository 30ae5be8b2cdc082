//! EXPLAIN: the plan of a statement, and with ANALYZE what happened when it ran.

use crate::CommandCtx;
use crate::analysis::with_analyze;
use crate::query_ids::QueryIds;
use crate::run_query;
use common::{Error, Oid, Result, bail};
use executor::run::{CompiledPlan, QueryRun, RunOptions};
use parser::ast::{DefArg, DefElem, ExplainStmt, Statement};
use planner::explain::{ExplainFormat, ExplainOptions, explain_text};
use protocol::Field;
use std::rc::Rc;
use std::time::Instant;
use types::{Datum, oids};

fn flag(o: &DefElem) -> Result<bool> {
    Ok(match &o.arg {
        None => true,
        Some(DefArg::Boolean(b)) => *b,
        Some(DefArg::Integer(i)) => *i != 0,
        Some(DefArg::String(s)) if s.eq_ignore_ascii_case("on") || s.eq_ignore_ascii_case("true") => true,
        Some(DefArg::String(s)) if s.eq_ignore_ascii_case("off") || s.eq_ignore_ascii_case("false") => false,
        Some(_) => bail!(SYNTAX_ERROR, "{} requires a Boolean value", o.defname),
    })
}

fn format(o: &DefElem) -> Result<ExplainFormat> {
    let name = match &o.arg {
        Some(DefArg::String(s)) => s.clone(),
        _ => String::new(),
    };
    Ok(match name.to_ascii_lowercase().as_str() {
        "text" => ExplainFormat::Text,
        "json" => ExplainFormat::Json,
        "xml" => ExplainFormat::Xml,
        "yaml" => ExplainFormat::Yaml,
        _ => {
            return Err(common::err!(
                INVALID_PARAMETER_VALUE,
                "unrecognized value for EXPLAIN option \"{}\": \"{name}\"",
                o.defname
            )
            .at(o.location));
        }
    })
}

fn options(e: &ExplainStmt) -> Result<ExplainOptions> {
    let mut o = ExplainOptions::default();
    let (mut timing, mut summary) = (None, None);
    for d in &e.options {
        match d.defname.as_str() {
            "analyze" => o.analyze = flag(d)?,
            "verbose" => o.verbose = flag(d)?,
            "costs" => o.costs = flag(d)?,
            "buffers" => o.buffers = flag(d)?,
            "wal" => o.wal = flag(d)?,
            "settings" => o.settings = flag(d)?,
            "timing" => timing = Some(flag(d)?),
            "summary" => summary = Some(flag(d)?),
            "format" => o.format = format(d)?,
            other => {
                return Err(
                    common::err!(SYNTAX_ERROR, "unrecognized EXPLAIN option \"{other}\"").at(d.location)
                );
            }
        }
    }
    if o.wal && !o.analyze {
        bail!(INVALID_PARAMETER_VALUE, "EXPLAIN option WAL requires ANALYZE");
    }
    if timing == Some(true) && !o.analyze {
        bail!(INVALID_PARAMETER_VALUE, "EXPLAIN option TIMING requires ANALYZE");
    }
    o.timing = timing.unwrap_or(o.analyze);
    o.summary = summary.unwrap_or(o.analyze);
    Ok(o)
}

/// Type of the result column: json or xml by FORMAT, else text.
pub fn result_type(e: &ExplainStmt) -> Oid {
    let format = e.options.iter().rev().find(|d| d.defname == "format").and_then(|d| format(d).ok());
    match format {
        Some(ExplainFormat::Json) => oids::JSON,
        Some(ExplainFormat::Xml) => oids::XML,
        _ => oids::TEXT,
    }
}

/// The query's identifier, where one is to be shown.
fn shown_query_id(ctx: &CommandCtx<'_>, q: &analyze::query::Query) -> Option<i64> {
    let mut mode = QueryIds::Off;
    ctx.host.with_settings(&mut |s| mode = QueryIds::of(s));
    (mode == QueryIds::On).then(|| analyze::jumble::jumble(q).id)
}

/// Runs EXPLAIN.
pub fn run(ctx: &CommandCtx<'_>, e: &ExplainStmt) -> Result<String> {
    let mut o = options(e)?;
    if !matches!(
        e.query,
        Statement::Select(_)
            | Statement::Insert(_)
            | Statement::Update(_)
            | Statement::Delete(_)
            | Statement::Merge(_)
    ) {
        return Err(Error::unsupported("EXPLAIN of a utility statement"));
    }
    let planning = Instant::now();
    let query = run_query::resolve(ctx, &e.query)?;
    o.query_id = shown_query_id(ctx, &query);
    let planned = run_query::plan(ctx, query)?;
    let planning_ms = planning.elapsed().as_secs_f64() * 1000.0;
    let planned = Rc::new(planned);
    let mut instr = None;
    if o.analyze {
        let started = Instant::now();
        let snapshot = ctx.engine.transaction_snapshot()?;
        let plan = CompiledPlan::instrumented(ctx.env, planned.clone())?;
        let opts = RunOptions { snapshot: Some(snapshot), ..RunOptions::default() };
        let mut run = QueryRun::start(plan, ctx.params, &opts)?;
        while run.next(0)?.is_some() {}
        run.finish()?;
        run.stop();
        let mut i = run.instrumentation();
        i.planning_ms = planning_ms;
        i.execution_ms = started.elapsed().as_secs_f64() * 1000.0;
        instr = Some(i);
        ctx.engine.command_counter_increment()?;
    } else if o.summary {
        instr = Some(planner::Instrumentation { planning_ms, ..planner::Instrumentation::default() });
    }
    let mut settings = Vec::new();
    ctx.host.with_settings(&mut |s| settings = s.changed_for_explain());
    let lines = with_analyze(ctx, |cx| Ok(explain_text(cx, &settings, &planned, o, instr.as_ref())))?;
    let type_oid = result_type(e);
    let field = Field {
        name: "QUERY PLAN".into(),
        table: 0,
        attno: 0,
        type_oid: type_oid.0,
        type_len: -1,
        typmod: -1,
        format: 0,
    };
    ctx.host.begin_rows(&[field])?;
    if o.format != ExplainFormat::Text {
        ctx.host.send_row(&[Datum::text(&lines.join("\n"))], &[oids::TEXT])?;
    } else {
        for l in &lines {
            ctx.host.send_row(&[Datum::text(l)], &[oids::TEXT])?;
        }
    }
    Ok("EXPLAIN".into())
}
