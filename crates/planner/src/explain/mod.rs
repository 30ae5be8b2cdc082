//! EXPLAIN's text of a finished plan, in PostgreSQL's layout. Called by the session for EXPLAIN; reads the plan, the
//! catalogs (names) and, for ANALYZE, the executor's [`Instrumentation`].

mod fixed;
mod names;
mod node;
mod parallel;
mod usage;
mod value;
mod workers;

use crate::instrument::{Instrumentation, TriggerInstr};
use crate::plan::PlannedStmt;
use analyze::AnalyzeCtx;
use names::{Names, Place};
use value::Val;

/// Output format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ExplainFormat {
    #[default]
    Text,
    Json,
    Xml,
    Yaml,
}

/// EXPLAIN's options. `summary` and `timing` carry their effective values (both default to `analyze`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExplainOptions {
    pub analyze: bool,
    pub verbose: bool,
    pub costs: bool,
    pub buffers: bool,
    pub wal: bool,
    pub timing: bool,
    pub summary: bool,
    pub settings: bool,
    /// Shown with `verbose`.
    pub query_id: Option<i64>,
    pub format: ExplainFormat,
    /// `track_io_timing` is on.
    pub io_timing: bool,
}

impl Default for ExplainOptions {
    fn default() -> Self {
        ExplainOptions {
            analyze: false,
            verbose: false,
            costs: true,
            buffers: false,
            wal: false,
            timing: false,
            summary: false,
            settings: false,
            query_id: None,
            format: ExplainFormat::Text,
            io_timing: false,
        }
    }
}

/// The lines of EXPLAIN's output: one row each for TEXT; one multi-line row for the other formats. `settings` is what
/// option SETTINGS prints: names and values of the settings for planning that are not at their defaults.
pub fn explain_text(
    ctx: &AnalyzeCtx<'_>,
    settings: &[(&str, String)],
    stmt: &PlannedStmt,
    opts: ExplainOptions,
    instr: Option<&Instrumentation>,
) -> Vec<String> {
    let names = Names::new(ctx, stmt);
    let cx = node::NodeCx { names: &names, opts, instr };
    let top = Place { plan: &stmt.plan, up: None, sub: None };
    if opts.format == ExplainFormat::Text {
        return text(&cx, &top, settings, instr);
    }
    let mut obj = vec![("Plan".to_string(), Val::Obj(cx.structured(&top, None, None)))];
    if opts.settings {
        let s: Vec<(String, Val)> =
            settings.iter().map(|(k, v)| (k.to_string(), Val::Str(v.clone()))).collect();
        obj.push(("Settings".into(), Val::Obj(s)));
    }
    if let (Some(id), true) = (opts.query_id, opts.verbose) {
        obj.push(("Query Identifier".into(), Val::Num(id.to_string())));
    }
    if let (Some(i), true) = (instr, opts.buffers) {
        obj.push(("Planning".into(), Val::Obj(usage::buffer_members(&i.planning_buffers, opts.io_timing))));
    }
    if let (Some(i), true) = (instr, opts.summary) {
        obj.push(("Planning Time".into(), Val::Num(format!("{:.3}", i.planning_ms))));
    }
    if let (Some(i), true) = (instr, opts.analyze) {
        let t = i.triggers.iter().map(|t| trigger_members(t, opts)).collect();
        obj.push(("Triggers".into(), Val::Objs(t)));
        if opts.summary {
            obj.push(("Execution Time".into(), Val::Num(format!("{:.3}", i.execution_ms))));
        }
    }
    vec![written(&obj, opts.format)]
}

/// What EXPLAIN prints of a statement without a plan.
pub fn explain_utility(format: ExplainFormat) -> String {
    explain_nothing("Utility Statement", format)
        .unwrap_or_else(|| "Utility statements have no plan structure".into())
}

/// A word in the place of a plan; `None` where text has no word for it.
pub fn explain_nothing(what: &str, format: ExplainFormat) -> Option<String> {
    Some(match format {
        ExplainFormat::Text => return None,
        ExplainFormat::Json => format!("[\n  \"{what}\"\n]"),
        ExplainFormat::Yaml => format!("- \"{what}\""),
        ExplainFormat::Xml => format!(
            "<explain xmlns=\"http://www.postgresql.org/2009/explain\">\n  <{} />\n</explain>",
            what.replace(' ', "-")
        ),
    })
}

fn trigger_members(t: &TriggerInstr, opts: ExplainOptions) -> Vec<(String, Val)> {
    let mut o = vec![("Trigger Name".to_string(), Val::Str(t.name.clone()))];
    if let Some(c) = &t.constraint {
        o.push(("Constraint Name".into(), Val::Str(c.clone())));
    }
    o.push(("Relation".into(), Val::Str(t.relation.clone())));
    if opts.timing {
        o.push(("Time".into(), Val::Num(format!("{:.3}", t.total_ms))));
    }
    o.push(("Calls".into(), Val::Num(t.calls.to_string())));
    o
}

fn written(obj: &[(String, Val)], format: ExplainFormat) -> String {
    let mut out = String::new();
    match format {
        ExplainFormat::Json => {
            out.push_str("[\n  ");
            value::json_object(obj, 1, &mut out);
            out.push_str("\n]");
        }
        ExplainFormat::Yaml => {
            out.push_str("- ");
            value::yaml_object(obj, 1, true, &mut out);
        }
        _ => {
            out.push_str("<explain xmlns=\"http://www.postgresql.org/2009/explain\">\n  <Query>\n");
            value::xml_members(obj, 2, &mut out);
            out.push_str("  </Query>\n</explain>");
        }
    }
    out
}

fn text(
    cx: &node::NodeCx<'_>,
    top: &Place<'_>,
    settings: &[(&str, String)],
    instr: Option<&Instrumentation>,
) -> Vec<String> {
    let mut lines = Vec::new();
    cx.text(top, None, &mut lines);
    if cx.opts.settings {
        let l: Vec<String> = settings.iter().map(|(k, v)| format!("{k} = '{v}'")).collect();
        if !l.is_empty() {
            lines.push(format!("Settings: {}", l.join(", ")));
        }
    }
    if let (Some(id), true) = (cx.opts.query_id, cx.opts.verbose) {
        lines.push(format!("Query Identifier: {id}"));
    }
    if let Some(i) = instr {
        if cx.opts.buffers && !i.planning_buffers.is_zero() {
            lines.push("Planning:".into());
            lines.extend(usage::buffer_lines(&i.planning_buffers).into_iter().map(|l| format!("  {l}")));
        }
        if cx.opts.summary {
            lines.push(format!("Planning Time: {:.3} ms", i.planning_ms));
        }
        if cx.opts.analyze {
            // Which table is said only when there are several.
            let several = i.triggers.iter().any(|t| t.relation != i.triggers[0].relation);
            for t in &i.triggers {
                let mut what = match &t.constraint {
                    Some(c) if !cx.opts.verbose => format!("for constraint {c}"),
                    Some(c) => format!("{} for constraint {c}", t.name),
                    None => t.name.clone(),
                };
                if several {
                    what.push_str(&format!(" on {}", t.relation));
                }
                if cx.opts.timing {
                    lines.push(format!("Trigger {what}: time={:.3} calls={}", t.total_ms, t.calls));
                } else {
                    lines.push(format!("Trigger {what}: calls={}", t.calls));
                }
            }
            if cx.opts.summary {
                lines.push(format!("Execution Time: {:.3} ms", i.execution_ms));
            }
        }
    }
    lines
}
