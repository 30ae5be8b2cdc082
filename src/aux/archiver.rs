//! The archiver: hands finished log segments to `archive_command`, or to the function of `archive_library`, the oldest first, and marks each as done. A failure is
//! tried again: three times at once, then a minute later. A segment that is not archived is not removed.

use super::AuxContext;
use crate::modules::PlainHost;
use common::{Result, Severity, SqlState};
use module::loader::Library;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::rc::Rc;
use std::time::Duration;
use transam::ArchiverStats;

/// Tries of one segment before a pause.
const RETRIES: u32 = 3;
const PAUSE: Duration = Duration::from_secs(60);

/// Main loop.
pub fn main(cx: &mut AuxContext<'_>) -> Result<()> {
    loop {
        let mut nap = archive_all(cx)?;
        if let Some(left) = switch_due(cx) {
            if left.is_zero() {
                cx.engine.switch_wal()?;
                cx.since_switch = std::time::Instant::now();
                continue;
            }
            nap = nap.min(left);
        }
        // New segments are looked for every second: their makers do not know this process.
        cx.nap(nap.min(if nap == PAUSE { PAUSE } else { Duration::from_secs(1) }))?;
    }
}

/// `archive_timeout`: how long until the segment in use is finished by force; `None` if it is not set.
fn switch_due(cx: &AuxContext<'_>) -> Option<Duration> {
    let limit =
        Duration::from_secs(u64::try_from(cx.settings.int("archive_timeout")).ok().filter(|t| *t > 0)?);
    Some(limit.saturating_sub(cx.since_switch.elapsed()))
}

fn status_dir(cx: &AuxContext<'_>) -> PathBuf {
    cx.engine.data_dir().join("pg_wal/archive_status")
}

/// Segments that wait, the oldest first.
fn waiting(dir: &Path) -> Vec<String> {
    let Ok(list) = std::fs::read_dir(dir) else { return Vec::new() };
    let mut names: Vec<String> = list
        .flatten()
        .filter_map(|e| e.file_name().to_str()?.strip_suffix(".ready").map(str::to_string))
        .collect();
    names.sort_unstable();
    names
}

/// Archives what waits; returns how long to rest.
fn archive_all(cx: &mut AuxContext<'_>) -> Result<Duration> {
    let dir = status_dir(cx);
    for name in waiting(&dir) {
        let how = Method::of(cx)?;
        if !how.is_configured(cx) {
            crate::log::line("WARNING", "archive_mode enabled, yet archiving is not configured");
            return Ok(PAUSE);
        }
        let mut tries = 0;
        while !archive(cx, &how, &name) {
            tries += 1;
            if tries >= RETRIES {
                let text = format!(
                    "archiving write-ahead log file \"{name}\" failed too many times, will try again later"
                );
                crate::log::line("WARNING", &text);
                return Ok(PAUSE);
            }
            cx.nap(Duration::from_secs(1))?;
        }
        cx.check()?;
    }
    Ok(Duration::from_secs(1))
}

/// `%p` is the path, `%f` the name, `%%` a per cent sign.
fn expand(command: &str, name: &str) -> String {
    let mut out = String::new();
    let mut chars = command.chars();
    while let Some(c) = chars.next() {
        match (c, chars.clone().next()) {
            ('%', Some('p')) => out.push_str(&format!("pg_wal/{name}")),
            ('%', Some('f')) => out.push_str(name),
            ('%', Some('%')) => out.push('%'),
            _ => {
                out.push(c);
                continue;
            }
        }
        chars.next();
    }
    out
}

/// How segments are archived.
enum Method {
    Command(String),
    Library(Rc<Library>),
}

impl Method {
    fn of(cx: &mut AuxContext<'_>) -> Result<Method> {
        let name = cx.settings.text("archive_library").to_string();
        if name.is_empty() {
            return Ok(Method::Command(cx.settings.text("archive_command").to_string()));
        }
        Ok(Method::Library(cx.modules.library(&name, cx.settings)?))
    }
    fn is_configured(&self, cx: &mut AuxContext<'_>) -> bool {
        match self {
            Method::Command(c) => !c.is_empty(),
            // An empty name asks.
            Method::Library(l) => match l.archive(&mut PlainHost(cx.settings), "", "") {
                Some(code) => code == 0,
                None => {
                    crate::log::line("WARNING", "archive modules have to define the symbol stegodon_archive");
                    false
                }
            },
        }
    }
}

/// One try. What became of it goes to the statistics and the log.
fn archive(cx: &mut AuxContext<'_>, how: &Method, name: &str) -> bool {
    cx.title.set(&format!("postgres: archiver archiving {name}"));
    let done = match how {
        Method::Command(command) => run_command(cx, &expand(command, name)),
        Method::Library(library) => {
            let mut host = PlainHost(cx.settings);
            library.archive(&mut host, name, &format!("pg_wal/{name}")) == Some(0)
        }
    };
    count(cx, name, done)
}

/// Runs a command; why it failed goes to the log.
fn run_command(cx: &AuxContext<'_>, shell: &str) -> bool {
    crate::log::debug(Severity::Debug3, &format!("executing archive command \"{shell}\""));
    let result = {
        let _shown = cx.engine.interrupts().waiting(ipc::WaitEvent::ARCHIVE_COMMAND);
        Command::new("/bin/sh").arg("-c").arg(shell).status()
    };
    let failure = match &result {
        Ok(st) if st.success() => None,
        Ok(st) => Some(match (st.code(), st.signal()) {
            (Some(n), _) => format!("archive command failed with exit code {n}"),
            (None, Some(n)) => format!("archive command was terminated by signal {n}"),
            _ => "archive command exited with unrecognized status".to_string(),
        }),
        Err(e) => Some(format!("could not execute archive command: {}", common::error::os_message(e))),
    };
    let Some(text) = failure else { return true };
    let r = common::Report {
        detail: Some(format!("The failed archive command was: {shell}")),
        ..common::Report::new(Severity::Log, SqlState::SUCCESSFUL_COMPLETION, text)
    };
    crate::log::report(&r, None);
    false
}

/// Takes note of what came of a segment.
fn count(cx: &AuxContext<'_>, name: &str, done: bool) -> bool {
    let mut s: ArchiverStats = cx.engine.archiver_stats();
    let (number, now) = (segment_number(name), ipc::clock::now());
    let ok = done && mark_done(&status_dir(cx), name);
    if ok {
        s.archived += 1;
        (s.last_archived, s.last_archived_time) = (number, now);
        cx.title.set(&format!("postgres: archiver last was {name}"));
    } else {
        s.failed += 1;
        (s.last_failed, s.last_failed_time) = (number, now);
        cx.title.set(&format!("postgres: archiver failed on {name}"));
    }
    cx.engine.set_archiver_stats(&s);
    ok
}

/// As the statistics keep it: the number + 1.
fn segment_number(name: &str) -> i64 {
    storage::wal::segment::parse_segment_name(name).map_or(0, |(_, n)| n as i64 + 1)
}

fn mark_done(dir: &Path, name: &str) -> bool {
    let (ready, done) = (dir.join(format!("{name}.ready")), dir.join(format!("{name}.done")));
    match std::fs::rename(&ready, &done) {
        Ok(()) => true,
        Err(e) => {
            let e = common::error::os_message(&e);
            crate::log::line("WARNING", &format!("could not rename file \"{}\": {e}", ready.display()));
            false
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn placeholders() {
        assert_eq!(super::expand("cp %p /a/%f %% %x", "S"), "cp pg_wal/S /a/S % %x");
    }
}
