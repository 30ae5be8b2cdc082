//! The page: plain HTML made here, small SVG bars, no script. Everything that comes from users is escaped.

use super::data::{Process, Snapshot};

const STYLE: &str = "body{font:14px/1.4 system-ui,sans-serif;margin:1.5em;color:#222;max-width:80em}h1{font-size:1.4em}\
h2{font-size:1.1em;margin:1.4em 0 .4em}table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.2em .6em;\
border-bottom:1px solid #ddd;vertical-align:top}th{color:#666;font-weight:600}td.n{text-align:right;font-variant-numeric:tabular-nums}\
code{font:12px monospace;white-space:pre-wrap;word-break:break-all}.w{color:#b30}.tree{font:13px monospace;white-space:pre}";

/// Text as HTML.
fn esc(t: &str) -> String {
    let mut out = String::with_capacity(t.len());
    for c in t.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    out
}

fn bar(label: &str, part: f64, shown: &str) -> String {
    let w = (part.clamp(0.0, 1.0) * 300.0).round();
    let colour = if part > 0.9 { "#c33" } else { "#48a" };
    format!(
        "<tr><td>{label}</td><td><svg width=\"300\" height=\"14\" role=\"img\"><rect width=\"300\" height=\"14\" fill=\"#eee\"/>\
         <rect width=\"{w}\" height=\"14\" fill=\"{colour}\"/></svg></td><td class=\"n\">{shown}</td></tr>"
    )
}

fn seconds(age: f64) -> String {
    if age < 0.0 { String::new() } else { format!("{age:.1} s") }
}

/// The page.
pub fn html(s: &Snapshot) -> String {
    let sections = [glance(s), tree(s), sessions(s), blocked(s), statements(s), databases(s)].concat();
    format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta http-equiv=\"refresh\" content=\"5\">\
         <title>Stegodon</title><style>{STYLE}</style></head><body><h1>Stegodon</h1>{sections}</body></html>\n"
    )
}

fn glance(s: &Snapshot) -> String {
    let clients = s.processes.iter().filter(|p| p.is_client).count();
    let (hit, read): (i64, i64) =
        s.databases.iter().fold((0, 0), |(h, r), d| (h + d.stats.blocks_hit, r + d.stats.blocks_read));
    let ratio = hit as f64 / (hit + read).max(1) as f64;
    let unflushed = s.insert_lsn.saturating_sub(s.flushed_lsn);
    let mib = |b: u64| format!("{:.1} MiB", b as f64 / 1_048_576.0);
    format!(
        "<h2>At a glance</h2><table>{}{}{}<tr><td>Write-ahead log</td><td>{} written since the start of counting, {} records, {} syncs</td>\
         <td class=\"n\">{} not flushed</td></tr><tr><td>Checkpoints</td><td>{} by time, {} by request</td><td class=\"n\">{} buffers</td></tr></table>",
        bar(
            "Connections",
            clients as f64 / s.max_connections.max(1) as f64,
            &format!("{clients} of {}", s.max_connections)
        ),
        bar("Found in the buffer pool", ratio, &format!("{:.1} %", ratio * 100.0)),
        bar(
            "Buffer pool",
            1.0_f64.min((read as f64) / s.shared_buffers.max(1) as f64),
            &mib(s.shared_buffers as u64 * 8192)
        ),
        mib(s.wal.bytes as u64),
        s.wal.records,
        s.wal.syncs,
        mib(unflushed),
        s.writer.checkpoints_timed,
        s.writer.checkpoints_requested,
        s.writer.buffers_checkpoint
    )
}

fn tree(s: &Snapshot) -> String {
    let mut out = format!("<h2>Processes</h2><div class=\"tree\">postgres({})\n", s.postmaster);
    for (i, p) in s.processes.iter().enumerate() {
        let branch = if i + 1 == s.processes.len() { "└─" } else { "├─" };
        let who = if p.is_client {
            format!(" {} {} {}", esc(&p.user), esc(&p.database), p.state)
        } else {
            String::new()
        };
        out.push_str(&format!("{branch} {}({}){who}\n", p.kind, p.pid));
    }
    out + "</div>"
}

fn wait(p: &Process) -> String {
    p.wait.map_or_else(String::new, |(c, e)| format!("{c}: {e}"))
}

fn sessions(s: &Snapshot) -> String {
    let mut out = "<h2>Sessions</h2><table><tr><th>pid</th><th>user</th><th>database</th><th>application</th><th>client</th>\
                   <th>state</th><th>waits for</th><th>transaction</th><th>statement</th></tr>"
        .to_string();
    for p in s.processes.iter().filter(|p| p.is_client) {
        out.push_str(&format!(
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td class=\"n\">{}</td><td><code>{}</code></td></tr>",
            p.pid,
            esc(&p.user),
            esc(&p.database),
            esc(&p.application),
            if p.client.is_empty() { "local".to_string() } else { esc(&p.client) },
            p.state,
            wait(p),
            seconds(p.xact_age),
            esc(&p.query)
        ));
    }
    out + "</table>"
}

fn blocked(s: &Snapshot) -> String {
    let mut rows = String::new();
    for p in s.processes.iter().filter(|p| !p.blocked_by.is_empty()) {
        for by in &p.blocked_by {
            let other = s.processes.iter().find(|o| o.pid == *by).map_or("", |o| o.query.as_str());
            rows.push_str(&format!(
                "<tr><td class=\"w\">{}</td><td><code>{}</code></td><td>{by}</td><td><code>{}</code></td></tr>",
                p.pid,
                esc(&p.query),
                esc(other)
            ));
        }
    }
    if rows.is_empty() {
        return "<h2>Who blocks whom</h2><p>Nobody waits for a lock.</p>".into();
    }
    format!(
        "<h2>Who blocks whom</h2><table><tr><th>waits</th><th></th><th>for</th><th></th></tr>{rows}</table>"
    )
}

fn statements(s: &Snapshot) -> String {
    let mut running: Vec<&Process> = s.processes.iter().filter(|p| p.state == "active").collect();
    running.sort_by(|a, b| b.query_age.total_cmp(&a.query_age));
    let rows: String = running
        .iter()
        .take(10)
        .map(|p| {
            let (age, text) = (seconds(p.query_age), esc(&p.query));
            format!("<tr><td class=\"n\">{age}</td><td>{}</td><td><code>{text}</code></td></tr>", p.pid)
        })
        .collect();
    if rows.is_empty() {
        return "<h2>Longest running statements</h2><p>None runs.</p>".into();
    }
    format!(
        "<h2>Longest running statements</h2><table><tr><th>for</th><th>pid</th><th></th></tr>{rows}</table>"
    )
}

fn databases(s: &Snapshot) -> String {
    let mut out = "<h2>Databases</h2><table><tr><th>name</th><th>sessions</th><th>commits</th><th>rollbacks</th><th>read</th>\
                   <th>hit</th><th>inserted</th><th>updated</th><th>deleted</th></tr>"
        .to_string();
    for d in &s.databases {
        out.push_str(&format!("<tr><td>{}</td>", esc(&d.name)));
        for n in [
            d.backends as i64,
            d.stats.xact_commit,
            d.stats.xact_rollback,
            d.stats.blocks_read,
            d.stats.blocks_hit,
            d.rows.inserted,
            d.rows.updated,
            d.rows.deleted,
        ] {
            out.push_str(&format!("<td class=\"n\">{n}</td>"));
        }
        out.push_str("</tr>");
    }
    out + "</table>"
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_users_wrote_is_escaped() {
        assert_eq!(super::esc("<a href=\"x\">&"), "&lt;a href=&quot;x&quot;&gt;&amp;");
    }
}
