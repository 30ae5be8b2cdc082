//! The server's processes as the operating system shows them, and waiting for something to become true.

use crate::Cluster;
use nix::sys::signal::Signal;
use nix::unistd::Pid;
use std::fs;
use std::time::{Duration, Instant};

/// A child of the postmaster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    pub pid: i32,
    /// As `ps` shows it.
    pub title: String,
}

/// Asks again and again until `test` holds; false when it does not within `limit`.
pub fn wait_for(limit: Duration, mut test: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + limit;
    loop {
        if test() {
            return true;
        }
        if Instant::now() >= deadline {
            return false;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Does the process run (a zombie does not)?
pub fn is_alive(pid: i32) -> bool {
    stat(pid).is_some_and(|(state, _)| state != 'Z' && state != 'X')
}

/// State letter and parent of a process.
fn stat(pid: i32) -> Option<(char, i32)> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The command name is in parentheses and may hold anything.
    let mut rest = text.rsplit_once(") ")?.1.split(' ');
    Some((rest.next()?.chars().next()?, rest.next()?.parse().ok()?))
}

/// Sends `SIGKILL`; panics when there is no such process.
pub fn kill9(pid: i32) {
    signal(pid, Signal::SIGKILL);
}

/// Sends a signal to a process that must exist.
pub fn signal(pid: i32, s: Signal) {
    nix::sys::signal::kill(Pid::from_raw(pid), s).unwrap_or_else(|e| panic!("signal {s} to {pid}: {e}"));
}

impl Cluster {
    /// The living children of the postmaster.
    pub fn processes(&self) -> Vec<Process> {
        let Ok(postmaster) = self.postmaster_pid() else { return vec![] };
        let pids = fs::read_dir("/proc").into_iter().flatten().flatten();
        let pids = pids.filter_map(|e| e.file_name().to_string_lossy().parse::<i32>().ok());
        pids.filter(|p| stat(*p).is_some_and(|(s, parent)| s != 'Z' && parent == postmaster))
            .map(|pid| Process { pid, title: title(pid) })
            .collect()
    }
    /// Waits for a child whose title contains `word`.
    pub fn process(&self, word: &str) -> Process {
        let mut found = None;
        let there = wait_for(Duration::from_secs(20), || {
            found = self.processes().into_iter().find(|p| p.title.contains(word));
            found.is_some()
        });
        assert!(there, "no process \"{word}\" among {:?}\n{}", self.processes(), self.log_tail());
        found.unwrap_or_else(|| unreachable!())
    }
    /// The whole log.
    pub fn log(&self) -> String {
        fs::read_to_string(self.log_file()).unwrap_or_default()
    }
}

fn title(pid: i32) -> String {
    let bytes = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&bytes).replace('\0', " ").trim().to_string()
}
