//! EXPLAIN: the plan of a statement, and with ANALYZE what happened when it ran.

use crate::CommandCtx;
use crate::analysis::with_analyze;
use crate::query_ids::QueryIds;
use crate::run_query;
use common::{Error, Oid, Result, bail};
use executor::run::{CompiledPlan, QueryRun, RunOptions};
use parser::ast::{CreateTableAsStmt, DefArg, DefElem, ExplainStmt, Statement};
use planner::explain::{ExplainFormat, ExplainOptions, explain_text};
use planner::instrument::TriggerKind;
use protocol::Field;
use std::rc::Rc;
use std::time::Instant;
use types::{Datum, oids};

fn flag(o: &DefElem) -> Result<bool> {
    Ok(match &o.arg {
        None => true,
        Some(DefArg::Boolean(b)) => *b,
        Some(DefArg::Integer(i)) if matches!(i, 0 | 1) => *i != 0,
        Some(DefArg::String(s)) if s.eq_ignore_ascii_case("on") || s.eq_ignore_ascii_case("true") => true,
        Some(DefArg::String(s)) if s.eq_ignore_ascii_case("off") || s.eq_ignore_ascii_case("false") => false,
        Some(_) => bail!(SYNTAX_ERROR, "{} requires a Boolean value", o.defname),
    })
}

fn format(o: &DefElem) -> Result<ExplainFormat> {
    let name = match &o.arg {
        None => bail!(SYNTAX_ERROR, "format requires a parameter"),
        Some(DefArg::String(s)) => s.clone(),
        Some(DefArg::Integer(i)) => i.to_string(),
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

/// The query whose plan a statement shows; `None`: it has none. EXPLAIN EXECUTE comes here as the query prepared.
fn explained<'s>(ctx: &CommandCtx<'_>, s: &'s Statement, o: ExplainOptions) -> Result<Option<Explained<'s>>> {
    use Explained::{Direct, Plain};
    Ok(Some(match s {
        Statement::Select(x) if makes_table(x) => {
            let Statement::CreateTableAs(c) = analyze::select_into(s) else {
                return Err(Error::internal("SELECT INTO that makes no table"));
            };
            may_make(ctx, *c, o)?
        }
        Statement::Select(_)
        | Statement::Insert(_)
        | Statement::Update(_)
        | Statement::Delete(_)
        | Statement::Merge(_) => Direct(s),
        Statement::CreateTableAs(c) => may_make(ctx, (**c).clone(), o)?,
        Statement::DeclareCursor(d) => {
            let query = Statement::Select(d.query.clone());
            if d.options & parser::ast::cursor_opt::SCROLL != 0 {
                Explained::Scrolled(query)
            } else {
                Plain(query, true)
            }
        }
        _ => return Ok(None),
    }))
}

/// CREATE TABLE AS: its query, if there is no such table yet; with ANALYZE the table is made.
fn may_make<'s>(ctx: &CommandCtx<'_>, c: CreateTableAsStmt, o: ExplainOptions) -> Result<Explained<'s>> {
    Ok(match crate::create_as::may_create(ctx, &c)? {
        false => Explained::Nothing,
        true if o.analyze => Explained::Making(Box::new(c)),
        true => Explained::Plain(c.query, false),
    })
}

fn makes_table(s: &parser::ast::SelectStmt) -> bool {
    match &s.larg {
        Some(l) => makes_table(l),
        None => s.into_clause.is_some(),
    }
}

enum Explained<'s> {
    Direct(&'s Statement),
    /// A query inside the statement; for a cursor?
    Plain(Statement, bool),
    /// The query of a cursor that goes both ways.
    Scrolled(Statement),
    Making(Box<CreateTableAsStmt>),
    /// Nothing would be done: nothing is printed.
    Nothing,
}

/// Planning, measured: the plan, its time and the buffers touched.
fn plan(
    ctx: &CommandCtx<'_>,
    s: &Statement,
    cursor: bool,
    o: &mut ExplainOptions,
) -> Result<(Rc<planner::PlannedStmt>, planner::Instrumentation)> {
    let query = run_query::resolve(ctx, s)?;
    o.query_id = shown_query_id(ctx, &query);
    let before = ctx.engine.store().counters();
    let planning = Instant::now();
    let planned = run_query::plan_as(ctx, query, cursor, !cursor)?;
    let mut i = planner::Instrumentation {
        planning_ms: planning.elapsed().as_secs_f64() * 1000.0,
        ..planner::Instrumentation::default()
    };
    executor::add_buffers(&mut i.planning_buffers, &ctx.engine.store().counters(), &before);
    Ok((Rc::new(planned), i))
}

/// Runs the plan and adds what was measured.
fn measure(
    ctx: &CommandCtx<'_>,
    planned: &Rc<planner::PlannedStmt>,
    planning: &planner::Instrumentation,
) -> Result<planner::Instrumentation> {
    let started = Instant::now();
    let snapshot = ctx.engine.transaction_snapshot()?;
    let plan = CompiledPlan::instrumented(ctx.env, planned.clone())?;
    let opts = RunOptions { snapshot: Some(snapshot), ..RunOptions::default() };
    let mut run = QueryRun::start(plan, ctx.params, &opts)?;
    while run.next(0)?.is_some() {}
    run.finish()?;
    run.stop();
    let mut i = run.instrumentation();
    i.planning_ms = planning.planning_ms;
    i.planning_buffers = planning.planning_buffers;
    i.execution_ms = started.elapsed().as_secs_f64() * 1000.0;
    ctx.engine.command_counter_increment()?;
    name_triggers(ctx, &mut i)?;
    Ok(i)
}

fn constraint_name(ctx: &CommandCtx<'_>, oid: Oid) -> Result<Option<String>> {
    use catalog::columns::pg_constraint::*;
    let rows = ctx.catalog.scan(TABLE, OID_INDEX, &[Datum::oid(oid)])?;
    Ok(rows.first().and_then(|r| r.text(CONNAME)))
}

/// Names of the triggers that PostgreSQL keeps for constraints, in the order of these names.
fn name_triggers(ctx: &CommandCtx<'_>, i: &mut planner::Instrumentation) -> Result<()> {
    use catalog::columns::pg_trigger::*;
    // As in pg_trigger.tgtype: after (0) row (1) insert (4), delete (8) or update (16).
    const INSERT: i16 = 4;
    const DELETE: i16 = 8;
    i.triggers.retain(|t| t.calls > 0);
    for t in &mut i.triggers {
        let (constraint, table, kind) = t.key;
        t.relation = ctx.catalog.relation(table)?.name.clone();
        for r in ctx.catalog.scan(TABLE, TGCONSTRAINT_INDEX, &[Datum::oid(constraint)])? {
            let bits = r.i16(TGTYPE);
            let same = match kind {
                TriggerKind::Check => bits & INSERT != 0,
                TriggerKind::Deleted => bits & DELETE != 0,
                TriggerKind::Updated => bits & (INSERT | DELETE) == 0,
            };
            if same && r.oid(TGRELID) == table {
                t.name = r.text(TGNAME).unwrap_or_default();
            }
        }
        t.constraint = constraint_name(ctx, constraint)?;
    }
    let first = i.triggers.first().map(|t| t.key.1);
    i.triggers.sort_by(|a, b| (Some(a.key.1) != first, &a.name).cmp(&(Some(b.key.1) != first, &b.name)));
    Ok(())
}

/// Runs EXPLAIN.
pub fn run(ctx: &CommandCtx<'_>, e: &ExplainStmt) -> Result<String> {
    let mut o = options(e)?;
    o.io_timing = ctx.engine.store().io_timing();
    let lines = match explained(ctx, &e.query, o)? {
        Some(Explained::Direct(s)) => plan_lines(ctx, s, o, false)?,
        Some(Explained::Plain(s, cursor)) => plan_lines(ctx, &s, o, cursor)?,
        Some(Explained::Scrolled(s)) => scrolled_lines(ctx, &s, o)?,
        Some(Explained::Making(c)) => making_lines(ctx, &c, o)?,
        Some(Explained::Nothing) => nothing(o),
        None => vec![planner::explain::explain_utility(o.format)],
    };
    print(ctx, e, o, &lines)
}

fn plan_lines(
    ctx: &CommandCtx<'_>,
    s: &Statement,
    mut o: ExplainOptions,
    cursor: bool,
) -> Result<Vec<String>> {
    let (planned, planning) = plan(ctx, s, cursor, &mut o)?;
    planned_lines(ctx, planned, planning, o)
}

fn scrolled_lines(ctx: &CommandCtx<'_>, s: &Statement, mut o: ExplainOptions) -> Result<Vec<String>> {
    let (mut planned, planning) = plan(ctx, s, true, &mut o)?;
    if !planned.row_marks.is_empty() {
        return Err(common::err!(
            FEATURE_NOT_SUPPORTED,
            "DECLARE SCROLL CURSOR ... FOR UPDATE is not supported"
        )
        .detail("Scrollable cursors must be READ ONLY."));
    }
    let mut cost = 0.0;
    ctx.host.with_settings(&mut |s| cost = s.real("cpu_operator_cost"));
    planner::make_scrollable(Rc::make_mut(&mut planned), cost);
    planned_lines(ctx, planned, planning, o)
}

/// Runs EXPLAIN of a prepared statement whose plan the session has made.
pub fn run_planned(
    ctx: &CommandCtx<'_>,
    e: &ExplainStmt,
    planned: Rc<planner::PlannedStmt>,
    query_id: Option<i64>,
    planning_ms: f64,
) -> Result<String> {
    let mut o = options(e)?;
    o.io_timing = ctx.engine.store().io_timing();
    let mut mode = QueryIds::Off;
    ctx.host.with_settings(&mut |s| mode = QueryIds::of(s));
    o.query_id = query_id.filter(|_| mode == QueryIds::On);
    let lines = match &e.query {
        Statement::CreateTableAs(c) if !crate::create_as::may_create(ctx, c)? => nothing(o),
        _ => {
            let planning = planner::Instrumentation { planning_ms, ..planner::Instrumentation::default() };
            planned_lines(ctx, planned, planning, o)?
        }
    };
    print(ctx, e, o, &lines)
}

/// The table that would be made is there.
fn nothing(o: ExplainOptions) -> Vec<String> {
    planner::explain::explain_nothing("CREATE TABLE AS", o.format).into_iter().collect()
}

/// CREATE TABLE AS with ANALYZE: the table is made.
fn making_lines(ctx: &CommandCtx<'_>, c: &CreateTableAsStmt, mut o: ExplainOptions) -> Result<Vec<String>> {
    let (planned, planning) = plan(ctx, &c.query, false, &mut o)?;
    let started = Instant::now();
    let start = |_| {
        let plan = CompiledPlan::instrumented(ctx.env, planned.clone())?;
        let opts = RunOptions { snapshot: Some(ctx.engine.latest_snapshot()?), ..RunOptions::default() };
        QueryRun::start(plan, ctx.params, &opts)
    };
    let mut i = match crate::create_as::create_from(ctx, c, start)?.1 {
        Some(run) => run.instrumentation(),
        None => CompiledPlan::instrumented(ctx.env, planned.clone())?.instrumentation(),
    };
    i.planning_ms = planning.planning_ms;
    i.planning_buffers = planning.planning_buffers;
    i.execution_ms = started.elapsed().as_secs_f64() * 1000.0;
    text_of(ctx, &planned, o, Some(&i))
}

fn planned_lines(
    ctx: &CommandCtx<'_>,
    planned: Rc<planner::PlannedStmt>,
    planning: planner::Instrumentation,
    o: ExplainOptions,
) -> Result<Vec<String>> {
    let instr = if o.analyze {
        Some(measure(ctx, &planned, &planning)?)
    } else {
        (o.summary || o.buffers).then_some(planning)
    };
    text_of(ctx, &planned, o, instr.as_ref())
}

fn text_of(
    ctx: &CommandCtx<'_>,
    planned: &planner::PlannedStmt,
    o: ExplainOptions,
    instr: Option<&planner::Instrumentation>,
) -> Result<Vec<String>> {
    let mut settings = Vec::new();
    if o.settings {
        ctx.host.with_settings(&mut |s| settings = s.changed_for_explain());
    }
    with_analyze(ctx, |cx| Ok(explain_text(cx, &settings, planned, o, instr)))
}

fn print(ctx: &CommandCtx<'_>, e: &ExplainStmt, o: ExplainOptions, lines: &[String]) -> Result<String> {
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
    if o.format != ExplainFormat::Text && !lines.is_empty() {
        ctx.host.send_row(&[Datum::text(&lines.join("\n"))], &[oids::TEXT])?;
    } else {
        for l in lines {
            ctx.host.send_row(&[Datum::text(l)], &[oids::TEXT])?;
        }
    }
    Ok("EXPLAIN".into())
}
