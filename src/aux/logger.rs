//! The logger: collects what all other processes write to standard error and puts it into files, which it changes by age
//! and size. It has no slot and no shared memory, ignores the signals that end others, and goes when the last writer has
//! closed the pipe: so the last words of a server reach its log.

use common::settings::Settings;
use common::{Error, Result};
use ipc::signals::{self, Action};
use jiff::Timestamp;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::log::protocol::{Assembler, Kind};

/// The postmaster's side: the process and both ends of the pipe, kept for a logger that has to be started again.
pub struct Logger {
    pub pid: i32,
    read: OwnedFd,
    write: OwnedFd,
    /// The directory as the settings name it, for the hint in the old log.
    pub directory: String,
}

impl Logger {
    /// Opens the pipe and starts the process. In the parent standard error leads into the pipe afterwards.
    pub fn start(settings: &Settings, title: &ipc::title::Title) -> Result<Logger> {
        let (read, write) = nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC)
            .map_err(|e| Error::os("could not create pipe for syslog", &e.into()).fatal())?;
        let directory = settings.text("log_directory").to_string();
        let mut l = Logger { pid: 0, read, write, directory };
        // Opened before the fork: a fault is the server's, told where the administrator looks.
        let files = Files::open_first(settings)?;
        l.fork(settings, files, || title.set("postgres: logger"))?;
        crate::log::report_with_hint(
            "redirecting log output to logging collector process",
            &format!("Future log output will appear in directory \"{}\".", l.directory),
        );
        nix::unistd::dup2_stderr(&l.write)
            .map_err(|e| Error::os("could not redirect stderr", &e.into()).fatal())?;
        crate::log::redirect();
        Ok(l)
    }

    /// Starts the process again after its end.
    pub fn restart(&mut self, settings: &Settings, in_child: impl FnOnce()) -> Result<()> {
        let files = Files::open_first(settings)?;
        self.fork(settings, files, in_child)
    }

    fn fork(&mut self, settings: &Settings, files: Files, in_child: impl FnOnce()) -> Result<()> {
        crate::log::configure(settings);
        match ipc::fork()? {
            ipc::Fork::Parent { child } => {
                self.pid = child;
                Ok(())
            }
            ipc::Fork::Child => {
                in_child();
                ipc::fork::exit(self.main(settings.clone(), files))
            }
        }
    }

    fn main(&mut self, mut settings: Settings, files: Files) -> i32 {
        for sig in [libc::SIGINT, libc::SIGTERM, libc::SIGQUIT, libc::SIGPIPE, libc::SIGUSR2, libc::SIGALRM] {
            signals::install(sig, Action::Ignore);
        }
        signals::install(libc::SIGHUP, Action::Flag);
        signals::install(libc::SIGUSR1, Action::Flag);
        signals::install(libc::SIGCHLD, Action::Default);
        signals::unblock_all();
        crate::log::begin_process("logger");
        crate::log::become_logger();
        // Its own ends of the pipe would keep it open for ever.
        if let Ok(null) = OpenOptions::new().read(true).write(true).open("/dev/null") {
            let _ = nix::unistd::dup2_stderr(&null);
            if let Ok(dup) = null.try_clone() {
                self.write = dup.into();
            }
        }
        Collector { settings: &mut settings, files, assembler: Assembler::default() }.run(&self.read)
    }
}

/// One log file.
struct Target {
    kind: Kind,
    file: File,
    path: PathBuf,
    written: u64,
}

/// The files of all formats.
struct Files {
    targets: Vec<Target>,
    /// When the files are changed next; `None`: not by time.
    next: Option<i64>,
}

/// Kinds with the words of `current_logfiles`.
const KINDS: [(Kind, &str); 3] = [(Kind::Text, "stderr"), (Kind::Csv, "csvlog"), (Kind::Json, "jsonlog")];

fn wants(s: &Settings, kind: Kind) -> bool {
    let has = |w: &str| s.text("log_destination").split(',').any(|d| d.trim().eq_ignore_ascii_case(w));
    match kind {
        // Raw output of crashes and libraries has to go somewhere too.
        Kind::Text => true,
        Kind::Csv => has("csvlog"),
        Kind::Json => has("jsonlog"),
    }
}

fn file_name(s: &Settings, at: i64, kind: Kind) -> PathBuf {
    let zone = crate::log::zone::find(s.text("log_timezone"));
    let time = Timestamp::from_second(at).unwrap_or_default().to_zoned(zone);
    let format = s.text("log_filename");
    // A format jiff does not know is taken as it stands.
    let name = jiff::fmt::strtime::format(format, &time).unwrap_or_else(|_| format.to_string());
    let suffix = match kind {
        Kind::Text => return Path::new(s.text("log_directory")).join(name),
        Kind::Csv => ".csv",
        Kind::Json => ".json",
    };
    let stem = name.strip_suffix(".log").unwrap_or(&name);
    Path::new(s.text("log_directory")).join(format!("{stem}{suffix}"))
}

fn open(s: &Settings, path: &Path, truncate: bool) -> Result<File> {
    let mut o = OpenOptions::new();
    o.create(true).mode(s.int("log_file_mode") as u32);
    if truncate {
        o.write(true).truncate(true);
    } else {
        o.append(true);
    }
    o.open(path).map_err(|e| Error::os(format!("could not open log file \"{}\"", path.display()), &e).fatal())
}

/// The next moment at which the age is up: whole multiples of it in the log's zone.
fn next_rotation(s: &Settings, now: i64) -> Option<i64> {
    let age = s.int("log_rotation_age") * 60;
    if age <= 0 {
        return None;
    }
    let zone = crate::log::zone::find(s.text("log_timezone"));
    let offset = i64::from(zone.to_offset(Timestamp::from_second(now).unwrap_or_default()).seconds());
    let local = now + offset;
    Some(local - local.rem_euclid(age) + age - offset)
}

impl Files {
    fn open_first(s: &Settings) -> Result<Files> {
        let dir = Path::new(s.text("log_directory"));
        if !dir.is_dir() {
            use std::os::unix::fs::DirBuilderExt;
            // A directory that cannot be made shows when the file is opened.
            let _ = std::fs::DirBuilder::new().mode(0o700).create(dir);
        }
        let now = Timestamp::now().as_second();
        let mut f = Files { targets: Vec::new(), next: next_rotation(s, now) };
        for (kind, _) in KINDS {
            if wants(s, kind) {
                f.open_target(s, kind, now, false)?;
            }
        }
        f.note();
        Ok(f)
    }

    fn open_target(&mut self, s: &Settings, kind: Kind, at: i64, by_time: bool) -> Result<()> {
        let path = file_name(s, at, kind);
        let old = self.targets.iter().position(|t| t.kind == kind);
        let another = old.is_none_or(|i| self.targets[i].path != path);
        let truncate = by_time && another && s.bool("log_truncate_on_rotation");
        let file = open(s, &path, truncate)?;
        let written = file.metadata().map_or(0, |m| m.len());
        let target = Target { kind, file, path, written };
        match old {
            Some(i) => self.targets[i] = target,
            None => self.targets.push(target),
        }
        Ok(())
    }

    /// `current_logfiles`, put in place by rename.
    fn note(&self) {
        let mut text = String::new();
        for (kind, word) in KINDS {
            if let Some(t) = self.targets.iter().find(|t| t.kind == kind) {
                text.push_str(&format!("{word} {}\n", t.path.display()));
            }
        }
        let draft = Path::new("current_logfiles.tmp");
        if std::fs::write(draft, text).is_ok() {
            let _ = std::fs::rename(draft, "current_logfiles");
        }
    }

    fn write(&mut self, kind: Kind, text: &[u8]) {
        let at = self
            .targets
            .iter()
            .position(|t| t.kind == kind)
            .or_else(|| self.targets.iter().position(|t| t.kind == Kind::Text));
        if let Some(i) = at {
            // A full disk loses lines, as in PostgreSQL; there is nowhere to say so.
            let t = &mut self.targets[i];
            if t.file.write_all(text).is_ok() {
                t.written += text.len() as u64;
            }
        }
    }
}

struct Collector<'a> {
    settings: &'a mut Settings,
    files: Files,
    assembler: Assembler,
}

impl Collector<'_> {
    fn run(&mut self, pipe: &OwnedFd) -> i32 {
        let ints = ipc::Interrupts::new();
        let Ok(dup) = pipe.try_clone() else { return 1 };
        let mut input = File::from(dup);
        let mut buf = vec![0; 65_536];
        loop {
            ints.latch().reset();
            self.requests();
            let mut fds = [libc::pollfd { fd: pipe.as_raw_fd(), events: libc::POLLIN, revents: 0 }];
            let n = ints.latch().poll(&mut fds, Some(self.timeout()));
            if n <= 0 || fds[0].revents == 0 {
                continue;
            }
            match input.read(&mut buf) {
                Ok(0) => break,
                Ok(n) => self.take(&buf[..n]),
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        let files = &mut self.files;
        self.assembler.finish(&mut |k, m| files.write(k, m));
        0
    }

    fn take(&mut self, bytes: &[u8]) {
        let files = &mut self.files;
        self.assembler.feed(bytes, &mut |k, m| files.write(k, m));
    }

    fn timeout(&self) -> Duration {
        let left = self.files.next.map_or(3600, |n| n - Timestamp::now().as_second());
        Duration::from_secs(left.clamp(0, 3600) as u64 + 1)
    }

    /// Signals, time and size.
    fn requests(&mut self) {
        let bits = signals::take(signals::RELOAD | signals::USR1);
        let mut rotate = bits & signals::USR1 != 0;
        let now = Timestamp::now().as_second();
        if bits & signals::RELOAD != 0 {
            let before = (
                self.settings.text("log_directory").to_string(),
                self.settings.text("log_filename").to_string(),
                self.settings.text("log_destination").to_string(),
            );
            crate::config::reload(self.settings, crate::config::Reader::Child);
            crate::log::configure(self.settings);
            let s = &self.settings;
            rotate |= before.0 != s.text("log_directory")
                || before.1 != s.text("log_filename")
                || before.2 != s.text("log_destination");
            let _ = std::fs::create_dir(s.text("log_directory"));
            self.files.next = next_rotation(self.settings, now);
        }
        let by_time = self.files.next.is_some_and(|n| now >= n);
        let limit = self.settings.int("log_rotation_size") as u64 * 1024;
        for (kind, _) in KINDS {
            let full = limit > 0 && self.files.targets.iter().any(|t| t.kind == kind && t.written >= limit);
            if rotate || by_time || full {
                self.rotate(kind, if by_time { self.files.next.unwrap_or(now) } else { now }, by_time);
            }
        }
        if by_time {
            self.files.next = next_rotation(self.settings, now);
        }
        for text in crate::log::take_own() {
            self.files.write(Kind::Text, text.as_bytes());
        }
    }

    fn rotate(&mut self, kind: Kind, at: i64, by_time: bool) {
        if !wants(self.settings, kind) {
            self.files.targets.retain(|t| t.kind != kind);
        } else if let Err(e) = self.files.open_target(self.settings, kind, at, by_time) {
            crate::log::line("LOG", &e.report().message);
            crate::log::line("LOG", "disabling automatic rotation (use SIGHUP to re-enable)");
            self.files.next = None;
        }
        self.files.note();
    }
}
