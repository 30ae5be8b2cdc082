//! `log_line_prefix`: every escape, with padding (`%-10u`, `%5p`).

use super::Who;
use super::entry::Entry;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::sync::atomic::Ordering::Relaxed;

/// What a line is made of.
pub struct Line<'a> {
    pub who: &'a Who,
    pub number: u64,
    pub pid: u32,
    pub zone: &'a TimeZone,
    pub entry: &'a Entry,
    /// `log_error_verbosity` asks for the place in the source.
    pub verbose: bool,
}

/// Seconds from 1970 to 2000.
const EPOCH: i64 = 946_684_800;

fn from_pg(us: i64) -> Timestamp {
    Timestamp::from_microsecond(us + EPOCH * 1_000_000).unwrap_or_default()
}

impl Line<'_> {
    /// The time, with milliseconds or without.
    pub fn time(&self, t: Timestamp, millis: bool) -> String {
        let z = t.to_zoned(self.zone.clone());
        z.strftime(if millis { "%Y-%m-%d %H:%M:%S%.3f %Z" } else { "%Y-%m-%d %H:%M:%S %Z" }).to_string()
    }
    /// Where in our source, if that is wanted.
    pub fn location(&self) -> Option<common::Source> {
        self.entry.source.filter(|_| self.verbose)
    }
    /// `%P`: the process that a parallel worker works for.
    pub fn leader(&self) -> String {
        match self.who.proc.map_or(0, |p| p.leader_pid.load(Relaxed)) {
            0 => String::new(),
            pid => pid.to_string(),
        }
    }
    /// When the process began.
    pub fn started(&self) -> Timestamp {
        from_pg(self.who.started)
    }
    /// `%c`
    pub fn session_id(&self) -> String {
        format!("{:x}.{:x}", self.started().as_second(), self.pid)
    }
    /// `%v`
    pub fn vxid(&self) -> String {
        match self.who.proc {
            // The upper half tells lives of the slot apart.
            Some(p) => format!("{}/{}", p.number() + 1, p.lxid.load(Relaxed) as u32),
            None => String::new(),
        }
    }
    /// `%x`
    pub fn xid(&self) -> u32 {
        self.who.proc.map_or(0, |p| p.xid.load(Relaxed) as u32)
    }
    /// `%Q`
    pub fn query_id(&self) -> i64 {
        self.who.proc.map_or(0, |p| p.activity.own_query_id())
    }
    /// Host and port of the client.
    pub fn remote(&self) -> String {
        match (&self.who.remote_host, self.who.remote_port) {
            (Some(h), Some(p)) => format!("{h}({p})"),
            (Some(h), None) => h.clone(),
            _ => String::new(),
        }
    }
    fn escape(&self, c: char) -> Option<String> {
        let w = self.who;
        let named = |v: &Option<String>| v.clone().unwrap_or_else(|| "[unknown]".into());
        let client = w.remote_host.is_some() || w.user.is_some();
        Some(match c {
            'a' if client => {
                if w.app_name.is_empty() {
                    "[unknown]".into()
                } else {
                    w.app_name.clone()
                }
            }
            'u' if client => named(&w.user),
            'd' if client => named(&w.database),
            'r' if client => self.remote(),
            'h' if client => w.remote_host.clone().unwrap_or_default(),
            'i' if client => w.command_tag.to_string(),
            'P' => self.leader(),
            'a' | 'u' | 'd' | 'r' | 'h' | 'i' => String::new(),
            'b' => w.backend_type.to_string(),
            'p' => self.pid.to_string(),
            't' => self.time(Timestamp::now(), false),
            'm' => self.time(Timestamp::now(), true),
            'n' => {
                let now = Timestamp::now().as_millisecond();
                format!("{}.{:03}", now / 1000, now % 1000)
            }
            's' => self.time(self.started(), false),
            'c' => self.session_id(),
            'l' => self.number.to_string(),
            'v' => self.vxid(),
            'x' => self.xid().to_string(),
            'e' => self.entry.sqlstate.clone(),
            'Q' => self.query_id().to_string(),
            _ => return None,
        })
    }
}

/// The prefix of a line.
pub fn prefix(format: &str, line: &Line<'_>) -> String {
    let mut out = String::new();
    let mut chars = format.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let left = chars.next_if_eq(&'-').is_some();
        let mut width = 0usize;
        while let Some(d) = chars.peek().and_then(|c| c.to_digit(10)) {
            width = (width * 10 + d as usize).min(1000);
            chars.next();
        }
        match chars.next() {
            Some('%') => out.push('%'),
            // Processes without a client stop here.
            Some('q') if line.who.remote_host.is_none() && line.who.user.is_none() => break,
            Some('q') | None => {}
            Some(c) => {
                let Some(text) = line.escape(c) else { continue };
                if left {
                    out.push_str(&format!("{text:<width$}"));
                } else {
                    out.push_str(&format!("{text:>width$}"));
                }
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_and_padding() {
        let who = Who {
            backend_type: "client backend",
            user: Some("joe".into()),
            database: Some("db".into()),
            app_name: "psql".into(),
            remote_host: Some("127.0.0.1".into()),
            remote_port: Some(4711),
            command_tag: "SELECT",
            started: 0,
            proc: None,
        };
        let entry = Entry::plain("LOG", "x");
        let line =
            Line { who: &who, number: 3, pid: 255, zone: &TimeZone::UTC, entry: &entry, verbose: false };
        let p = |f: &str| prefix(f, &line);
        assert_eq!(
            p("%u@%d %a %r %h [%p] %l %i %e %Q %% "),
            "joe@db psql 127.0.0.1(4711) 127.0.0.1 [255] 3 SELECT 00000 0 % "
        );
        assert_eq!(p("<%6u|%-6d>"), "<   joe|db    >");
        assert_eq!(p("%c"), "386d4380.ff");
        assert_eq!(p("%s"), "2000-01-01 00:00:00 UTC");
        assert_eq!(p("%b%q %x %y%"), "client backend 0 ");
        let who = Who { backend_type: "checkpointer", ..Who::default() };
        let line = Line { who: &who, number: 1, pid: 1, zone: &TimeZone::UTC, entry: &entry, verbose: false };
        assert_eq!(prefix("%p %u%q never", &line), "1 ");
    }
}
