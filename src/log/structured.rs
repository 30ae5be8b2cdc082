//! The machine-readable formats: a CSV line and a JSON object per message, with PostgreSQL's columns and keys.

use super::prefix::Line;
use jiff::Timestamp;

fn quote(v: &str) -> String {
    format!("\"{}\"", v.replace('"', "\"\""))
}

/// The 26 columns.
pub fn csv(l: &Line<'_>) -> String {
    let (w, e) = (l.who, l.entry);
    let opt = |v: &Option<String>| v.as_deref().map(quote).unwrap_or_default();
    let client = w.remote_host.is_some() || w.user.is_some();
    let remote = match (&w.remote_host, w.remote_port) {
        (Some(h), Some(p)) => quote(&format!("{h}:{p}")),
        (Some(h), None) => quote(h),
        _ => String::new(),
    };
    let number = |n: Option<usize>| n.map(|n| n.to_string()).unwrap_or_default();
    let fields = [
        l.time(Timestamp::now(), true),
        opt(&w.user),
        opt(&w.database),
        l.pid.to_string(),
        remote,
        l.session_id(),
        l.number.to_string(),
        if client { quote(w.command_tag) } else { String::new() },
        l.time(l.started(), false),
        l.vxid(),
        l.xid().to_string(),
        e.severity.to_string(),
        e.sqlstate.clone(),
        quote(&e.message),
        opt(&e.detail),
        opt(&e.hint),
        opt(&e.internal_query),
        number(e.internal_position.filter(|_| e.internal_query.is_some())),
        opt(&e.context),
        opt(&e.statement),
        number(e.position.filter(|_| e.statement.is_some())),
        l.location().map_or(String::new(), |s| quote(&format!("{}, {}:{}", s.routine, s.file, s.line))),
        quote(&w.app_name),
        quote(w.backend_type),
        String::new(),
        l.query_id().to_string(),
    ];
    let mut line = fields.join(",");
    line.push('\n');
    line
}

/// One object; what is empty is left out.
pub fn json(l: &Line<'_>) -> String {
    let (w, e) = (l.who, l.entry);
    let mut o: Vec<(&str, serde_json::Value)> = Vec::new();
    let text = |o: &mut Vec<(&'static str, serde_json::Value)>, k, v: &Option<String>| {
        if let Some(v) = v {
            o.push((k, v.as_str().into()));
        }
    };
    o.push(("timestamp", l.time(Timestamp::now(), true).into()));
    text(&mut o, "user", &w.user);
    text(&mut o, "dbname", &w.database);
    o.push(("pid", l.pid.into()));
    text(&mut o, "remote_host", &w.remote_host);
    if let Some(p) = w.remote_port {
        o.push(("remote_port", p.into()));
    }
    o.push(("session_id", l.session_id().into()));
    o.push(("line_num", l.number.into()));
    if w.remote_host.is_some() || w.user.is_some() {
        o.push(("ps", w.command_tag.into()));
    }
    o.push(("session_start", l.time(l.started(), false).into()));
    if !l.vxid().is_empty() {
        o.push(("vxid", l.vxid().into()));
    }
    o.push(("txid", l.xid().into()));
    o.push(("error_severity", e.severity.into()));
    if e.sqlstate != "00000" {
        o.push(("state_code", e.sqlstate.as_str().into()));
    }
    o.push(("message", e.message.as_str().into()));
    text(&mut o, "detail", &e.detail);
    text(&mut o, "hint", &e.hint);
    text(&mut o, "internal_query", &e.internal_query);
    if let (Some(p), true) = (e.internal_position, e.internal_query.is_some()) {
        o.push(("internal_position", p.into()));
    }
    text(&mut o, "context", &e.context);
    text(&mut o, "statement", &e.statement);
    if let (Some(p), true) = (e.position, e.statement.is_some()) {
        o.push(("cursor_position", p.into()));
    }
    if let Some(s) = l.location() {
        o.push(("func_name", s.routine.into()));
        o.push(("file_name", s.file.into()));
        o.push(("file_line_num", s.line.into()));
    }
    o.push(("application_name", w.app_name.as_str().into()));
    o.push(("backend_type", w.backend_type.into()));
    o.push(("query_id", l.query_id().into()));
    let body: Vec<String> = o.iter().map(|(k, v)| format!("\"{k}\":{v}")).collect();
    format!("{{{}}}\n", body.join(","))
}
