//! The page: plain HTML made here, small plots, no script. Everything that comes from users is escaped. What wants
//! attention is coloured and also said in words.

use super::data::{Process, Snapshot};
use super::plot;
use super::style::STYLE;
use std::collections::BTreeSet;

/// Text as HTML.
pub fn esc(t: &str) -> String {
    let mut out = String::with_capacity(t.len());
    for c in t.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // Nothing a terminal or a browser might act upon.
            c if c.is_control() && c != '\n' && c != '\t' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// A number with thin spaces between groups of three digits.
fn grouped(n: i64) -> String {
    let digits = n.unsigned_abs().to_string();
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(c);
    }
    if n < 0 { format!("\u{2212}{out}") } else { out }
}

fn bytes(n: f64) -> String {
    let units = ["B", "kB", "MB", "GB", "TB"];
    let mut v = n;
    let mut unit = 0;
    while v >= 1024.0 && unit + 1 < units.len() {
        v /= 1024.0;
        unit += 1;
    }
    if unit == 0 || v >= 100.0 {
        format!("{v:.0} {}", units[unit])
    } else {
        format!("{v:.1} {}", units[unit])
    }
}

/// Seconds for a person; nothing for a time that is not there.
fn duration(s: f64) -> String {
    match s {
        s if s < 0.0 => String::new(),
        s if s < 10.0 => format!("{s:.1} s"),
        s if s < 120.0 => format!("{s:.0} s"),
        s if s < 7200.0 => format!("{:.0} min", s / 60.0),
        s if s < 172_800.0 => format!("{:.0} h", s / 3600.0),
        s => format!("{:.0} days", s / 86_400.0),
    }
}

/// The page.
pub fn html(s: &Snapshot) -> String {
    let name = if s.cluster_name.is_empty() { String::new() } else { format!(" {}", esc(&s.cluster_name)) };
    let sections =
        [cards(s), storage(s), blocked(s), sessions(s), statements(s), top(s), tree(s), databases(s)]
            .concat();
    format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta http-equiv=\"refresh\" content=\"5\">\
         <meta name=\"viewport\" content=\"width=device-width\"><meta name=\"color-scheme\" content=\"light dark\">\
         <title>Stegodon{name}</title><style>{STYLE}</style></head><body>\
         <header><h1>Stegodon{name}</h1><p>PostgreSQL {} compatible, port {}, up {}. \
         The page renews itself every five seconds.</p></header><main>{sections}</main></body></html>\n",
        crate::VERSION,
        s.port,
        duration(s.uptime)
    )
}

fn card(title: &str, value: &str, note: &str, plot: &str) -> String {
    format!(
        "<div class=\"card\"><h3>{title}</h3><p class=\"value\">{value}</p>{plot}<p class=\"note\">{note}</p></div>"
    )
}

/// The latest value of a series.
fn last(v: &[f64]) -> f64 {
    v.last().copied().unwrap_or(0.0)
}

fn peak(v: &[f64]) -> f64 {
    v.iter().copied().fold(0.0, f64::max)
}

fn cards(s: &Snapshot) -> String {
    let clients = s.processes.iter().filter(|p| p.is_client).count();
    let active = s.processes.iter().filter(|p| p.is_client && p.state == "active").count();
    let (tps, wal, reads, hits) = (&s.plots.transactions, &s.plots.wal, &s.plots.reads, &s.plots.hits);
    let full = clients as f64 / s.max_connections.max(1) as f64;
    let warn = if full > 0.9 { " <b class=\"bad\">nearly full</b>" } else { "" };
    let all = [
        card(
            "Active sessions",
            &active.to_string(),
            &format!("{clients} connected, {} at most{warn}", s.max_connections),
            &plot::line("active sessions over five minutes", &s.plots.active, 4.0),
        ),
        card(
            "Transactions a second",
            &grouped(last(tps) as i64),
            &format!("peak {}", grouped(peak(tps) as i64)),
            &plot::line("transactions a second over five minutes", tps, 10.0),
        ),
        card(
            "Write-ahead log a second",
            &bytes(last(wal)),
            &format!("peak {}", bytes(peak(wal))),
            &plot::line("bytes of log a second over five minutes", wal, 65_536.0),
        ),
        card(
            "Found in the buffer pool",
            &format!("{:.1} %", if hits.is_empty() { s.hit_ratio() * 100.0 } else { last(hits) }),
            &format!("{:.1} % since the start of counting", s.hit_ratio() * 100.0),
            &plot::line("hits in percent over five minutes", hits, 100.0),
        ),
        card(
            "Blocks read a second",
            &grouped(last(reads) as i64),
            &format!("peak {}", grouped(peak(reads) as i64)),
            &plot::line("blocks read a second over five minutes", reads, 10.0),
        ),
    ];
    format!("<section class=\"cards\">{}</section>", all.concat())
}

fn storage(s: &Snapshot) -> String {
    let p = &s.pool;
    let total = f64::from(p.total.max(1));
    let clean = p.used.saturating_sub(p.dirty);
    let blocks = |n: u32| bytes(f64::from(n) * 8192.0);
    let unflushed = s.insert_lsn.saturating_sub(s.flushed_lsn);
    let (w, a) = (&s.writer, &s.archiver);
    let archiver = if a.archived + a.failed > 0 {
        let failed = if a.failed > 0 {
            format!(", <b class=\"bad\">{} failed</b>", grouped(a.failed))
        } else {
            String::new()
        };
        format!("<dt>Archiver</dt><dd>{} segments archived{failed}</dd>", grouped(a.archived))
    } else {
        String::new()
    };
    format!(
        "<section><h2>Buffer pool and log</h2><div class=\"two\"><div>{}<p class=\"key\"><i class=\"used\"></i>clean {} \
         <i class=\"dirty\"></i>changed {} <i class=\"ground\"></i>free {} of {}; {} in use this moment</p></div>\
         <dl><dt>Log</dt><dd>{} records, {}, {} syncs; ends at {}, {} not durable</dd>\
         <dt>Checkpoints</dt><dd>{} by time, {} by request; {} buffers written</dd>\
         <dt>Buffers written</dt><dd>{} ahead by the background writer, {} by sessions</dd>{archiver}</dl></div></section>",
        plot::bar(
            "buffer pool: clean, changed, free",
            &[("used", f64::from(clean) / total), ("dirty", f64::from(p.dirty) / total)]
        ),
        blocks(clean),
        blocks(p.dirty),
        blocks(p.total - p.used.min(p.total)),
        blocks(p.total),
        grouped(i64::from(p.pinned)),
        grouped(s.wal.records),
        bytes(s.wal.bytes as f64),
        grouped(s.wal.syncs),
        common::Lsn(s.insert_lsn),
        bytes(unflushed as f64),
        grouped(w.checkpoints_timed),
        grouped(w.checkpoints_requested),
        grouped(w.buffers_checkpoint),
        grouped(w.buffers_clean),
        grouped(w.buffers_backend),
    )
}

fn wait(p: &Process) -> String {
    p.wait.map_or_else(String::new, |(c, e)| format!("{}: {}", esc(c), esc(e)))
}

/// Longer than that, an idle transaction holds vacuum back.
const IDLE_TOO_LONG_S: f64 = 60.0;

fn state(p: &Process) -> String {
    if !p.blocked_by.is_empty() {
        return format!("<b class=\"bad\">blocked</b> {}", p.state);
    }
    if p.state.starts_with("idle in transaction") && p.xact_age > IDLE_TOO_LONG_S {
        return format!("<b class=\"bad\">{}</b>", p.state);
    }
    p.state.to_string()
}

/// Longest text of a statement in a table; the rest can be unfolded.
const SHORT: usize = 160;

fn statement(text: &str) -> String {
    let trimmed = text.trim();
    if trimmed.chars().count() <= SHORT {
        return format!("<code>{}</code>", esc(trimmed));
    }
    let short: String = trimmed.chars().take(SHORT).collect();
    format!(
        "<details><summary><code>{}…</code></summary><code>{}</code></details>",
        esc(&short),
        esc(trimmed)
    )
}

fn sessions(s: &Snapshot) -> String {
    let mut clients: Vec<&Process> = s.processes.iter().filter(|p| p.is_client).collect();
    if clients.is_empty() {
        return "<section><h2>Sessions</h2><p>Nobody is connected.</p></section>".into();
    }
    // Who works comes first, the longest transaction on top.
    clients.sort_by(|a, b| {
        (a.state == "idle").cmp(&(b.state == "idle")).then(b.xact_age.total_cmp(&a.xact_age))
    });
    let mut rows = String::new();
    for p in clients {
        let client = if p.client.is_empty() { "local".to_string() } else { esc(&p.client) };
        let quiet = if p.state == "idle" { " class=\"quiet\"" } else { "" };
        rows.push_str(&format!(
            "<tr{quiet}><td class=\"n\">{}</td><td>{}</td><td>{}</td><td>{}</td><td>{client}</td><td>{}</td><td>{}</td>\
             <td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"sql\">{}</td></tr>",
            p.pid,
            esc(&p.user),
            esc(&p.database),
            esc(&p.application),
            state(p),
            wait(p),
            duration(p.xact_age),
            if p.state == "active" { duration(p.query_age) } else { String::new() },
            statement(&p.query)
        ));
    }
    format!(
        "<section><h2>Sessions</h2><div class=\"wide\"><table><thead><tr><th class=\"n\">pid</th><th>user</th><th>database</th>\
         <th>application</th><th>client</th><th>state</th><th>waits for</th><th class=\"n\">transaction</th>\
         <th class=\"n\">statement</th><th></th></tr></thead><tbody>{rows}</tbody></table></div></section>"
    )
}

/// Who blocks whom, as trees whose roots wait for nobody.
fn blocked(s: &Snapshot) -> String {
    let waiting: Vec<&Process> = s.processes.iter().filter(|p| !p.blocked_by.is_empty()).collect();
    if waiting.is_empty() {
        return "<section><h2>Who blocks whom</h2><p>Nobody waits for a lock.</p></section>".into();
    }
    let blockers: BTreeSet<i32> = waiting.iter().flat_map(|p| p.blocked_by.iter().copied()).collect();
    let is_root = |pid: &i32| !waiting.iter().any(|w| w.pid == *pid);
    let mut seen = BTreeSet::new();
    let mut items: String =
        blockers.iter().filter(|p| is_root(p)).map(|p| branch(s, *p, &mut seen)).collect();
    // A deadlock that nobody has broken yet has no root.
    for w in &waiting {
        if !seen.contains(&w.pid) {
            items.push_str(&branch(s, w.pid, &mut seen));
        }
    }
    let n = waiting.len();
    let who = if n == 1 { "One session waits".to_string() } else { format!("{n} sessions wait") };
    format!(
        "<section><h2>Who blocks whom</h2><p class=\"bad\">{who} for a lock.</p><ul class=\"locks\">{items}</ul></section>"
    )
}

fn branch(s: &Snapshot, pid: i32, seen: &mut BTreeSet<i32>) -> String {
    let first = seen.insert(pid);
    let p = s.processes.iter().find(|p| p.pid == pid);
    let about = p.map_or_else(String::new, |p| {
        let held = if p.xact_age >= 0.0 {
            format!(", transaction for {}", duration(p.xact_age))
        } else {
            String::new()
        };
        format!(" {} in {}, {}{held} {}", esc(&p.user), esc(&p.database), p.state, statement(&p.query))
    });
    let below: String = if first {
        let next: Vec<i32> =
            s.processes.iter().filter(|w| w.blocked_by.contains(&pid)).map(|w| w.pid).collect();
        next.into_iter().map(|w| branch(s, w, seen)).collect()
    } else {
        String::new()
    };
    let below = if below.is_empty() { below } else { format!("<ul>{below}</ul>") };
    format!("<li><b>{pid}</b>{about}{below}</li>")
}

fn statements(s: &Snapshot) -> String {
    let mut running: Vec<&Process> =
        s.processes.iter().filter(|p| p.is_client && p.state == "active").collect();
    running.sort_by(|a, b| b.query_age.total_cmp(&a.query_age));
    let rows: String = running
        .iter()
        .take(10)
        .map(|p| {
            let (age, text) = (duration(p.query_age), statement(&p.query));
            format!(
                "<tr><td class=\"n\">{age}</td><td class=\"n\">{}</td><td class=\"sql\">{text}</td></tr>",
                p.pid
            )
        })
        .collect();
    if rows.is_empty() {
        return "<section><h2>Longest running statements</h2><p>None runs.</p></section>".into();
    }
    format!(
        "<section><h2>Longest running statements</h2><div class=\"wide\"><table><thead><tr><th class=\"n\">for</th>\
         <th class=\"n\">pid</th><th></th></tr></thead><tbody>{rows}</tbody></table></div></section>"
    )
}

/// Milliseconds for a person.
fn milliseconds(ms: f64) -> String {
    match ms {
        ms if ms < 10.0 => format!("{ms:.2} ms"),
        ms if ms < 1000.0 => format!("{ms:.0} ms"),
        ms => duration(ms / 1000.0),
    }
}

/// The costliest statements since counting began.
fn top(s: &Snapshot) -> String {
    let Some(all) = &s.top else { return String::new() };
    let whole: f64 = all.iter().map(|t| t.total_ms).sum::<f64>().max(f64::MIN_POSITIVE);
    let rows: String = all
        .iter()
        .map(|t| {
            format!(
                "<tr><td class=\"share\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td>\
                 <td class=\"n\">{}</td><td>{}</td><td>{}</td><td class=\"sql\">{}</td></tr>",
                plot::bar("share of the time", &[("used", t.total_ms / whole)]),
                milliseconds(t.total_ms),
                grouped(t.calls as i64),
                milliseconds(t.mean_ms),
                grouped(t.rows as i64),
                esc(&t.user),
                esc(&t.database),
                statement(&t.text)
            )
        })
        .collect();
    if rows.is_empty() {
        return "<section><h2>Top statements</h2><p>None was counted yet.</p></section>".into();
    }
    format!(
        "<section><h2>Top statements</h2><div class=\"wide\"><table><thead><tr><th></th><th class=\"n\">time</th>\
         <th class=\"n\">calls</th><th class=\"n\">mean</th><th class=\"n\">rows</th><th>user</th><th>database</th><th></th>\
         </tr></thead><tbody>{rows}</tbody></table></div></section>"
    )
}

fn tree(s: &Snapshot) -> String {
    let mut out = format!("<section><h2>Processes</h2><div class=\"tree\">{} postgres\n", s.postmaster);
    // What serves the server first, then the clients.
    let mut all: Vec<&Process> = s.processes.iter().collect();
    all.sort_by_key(|p| (p.is_client, p.pid));
    for (i, p) in all.iter().enumerate() {
        let twig = if i + 1 == all.len() { "└─" } else { "├─" };
        let what = if p.is_client {
            let client = if p.client.is_empty() { "[local]".to_string() } else { esc(&p.client) };
            format!("{} {} {client} {}", esc(&p.user), esc(&p.database), p.state)
        } else {
            p.kind.to_string()
        };
        let waits =
            p.wait.map_or_else(String::new, |_| format!("  <span class=\"quiet\">{}</span>", wait(p)));
        out.push_str(&format!("{twig} {} {what}{waits}\n", p.pid));
    }
    out + "</div></section>"
}

fn databases(s: &Snapshot) -> String {
    let mut out = "<section><h2>Databases</h2><div class=\"wide\"><table><thead><tr><th>name</th><th class=\"n\">sessions</th>\
                   <th class=\"n\">commits</th><th class=\"n\">rollbacks</th><th class=\"n\">blocks read</th><th class=\"n\">found</th>\
                   <th class=\"n\">inserted</th><th class=\"n\">updated</th><th class=\"n\">deleted</th><th class=\"n\">deadlocks</th>\
                   </tr></thead><tbody>"
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
            d.stats.deadlocks,
        ] {
            out.push_str(&format!("<td class=\"n\">{}</td>", grouped(n)));
        }
        out.push_str("</tr>");
    }
    out + "</tbody></table></div></section>"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_users_wrote_is_escaped() {
        assert_eq!(esc("<a href='x'>&\u{1b}[2J"), "&lt;a href=&#39;x&#39;&gt;&amp;\u{fffd}[2J");
        let long = statement(&"<b>".repeat(200));
        assert!(!long.contains("<b>") && long.contains("<details>"), "{long}");
    }

    #[test]
    fn numbers_for_people() {
        assert_eq!(grouped(-1_234_567), "\u{2212}1\u{202f}234\u{202f}567");
        assert_eq!(
            (bytes(512.0), bytes(1536.0), bytes(3e9)),
            ("512 B".into(), "1.5 kB".into(), "2.8 GB".into())
        );
        assert_eq!(
            (duration(-1.0), duration(4.25), duration(300.0)),
            (String::new(), "4.2 s".into(), "5 min".into())
        );
    }
}
