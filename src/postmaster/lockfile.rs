//! `postmaster.pid`: who runs in a data directory. PostgreSQL's lines: pid, data directory, start time, port, socket
//! directory, listen address, shared-memory key, status.

use common::settings::Settings;
use common::{Error, Result, err};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The file of a running postmaster, held by it.
pub struct LockFile {
    path: PathBuf,
    lines: [String; 8],
}

/// What the file says.
#[derive(Clone, Debug, Default)]
pub struct PidFile {
    pub pid: i32,
    pub data_dir: String,
    pub start_time: i64,
    pub port: u16,
    pub socket_dir: String,
    pub listen_addr: String,
    /// `starting`, `ready`, `stopping`, `standby`.
    pub status: String,
}

/// Reads the file of a data directory, if there is one.
pub fn read_pid_file(data_dir: &Path) -> Option<PidFile> {
    let text = fs::read_to_string(data_dir.join("postmaster.pid")).ok()?;
    let mut l = text.lines();
    let mut next = || l.next().unwrap_or("").trim().to_string();
    let pid = next().parse().ok()?;
    let (data_dir, start, port, socket_dir, listen_addr) = (next(), next(), next(), next(), next());
    let _shmem = next();
    Some(PidFile {
        pid,
        data_dir,
        start_time: start.parse().unwrap_or(0),
        port: port.parse().unwrap_or(0),
        socket_dir,
        listen_addr,
        status: next(),
    })
}

/// Does a process with this id exist (ours or not)?
pub fn process_exists(pid: i32) -> bool {
    use nix::errno::Errno;
    let r = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), None);
    !matches!(r, Err(Errno::ESRCH))
}

impl LockFile {
    /// Creates the file, or fails because another server runs. A stale file of a dead server is replaced.
    pub fn create(data_dir: &Path, s: &Settings) -> Result<LockFile> {
        LockFile::create_as(data_dir, s, false)
    }
    /// The same for a single-user server, whose process id stands there negative.
    pub fn create_standalone(data_dir: &Path, s: &Settings) -> Result<LockFile> {
        LockFile::create_as(data_dir, s, true)
    }
    fn create_as(data_dir: &Path, s: &Settings, standalone: bool) -> Result<LockFile> {
        let pid = std::process::id() as i32 * if standalone { -1 } else { 1 };
        let path = data_dir.join("postmaster.pid");
        let start =
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |d| d.as_secs());
        let lines = [
            pid.to_string(),
            data_dir.display().to_string(),
            start.to_string(),
            s.int("port").to_string(),
            String::new(),
            String::new(),
            String::new(),
            if standalone { String::new() } else { "starting".to_string() },
        ];
        let lock = LockFile { path: path.clone(), lines };
        for _ in 0..100 {
            // By a link: the file is there with its lines, or not at all.
            let draft = lock.draft()?;
            let linked = fs::hard_link(&draft, &path);
            let _ = fs::remove_file(&draft);
            match linked {
                Ok(()) => return Ok(lock),
                Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => check_other(data_dir, &path)?,
                Err(e) => {
                    return Err(Error::os("could not create lock file \"postmaster.pid\"", &e).fatal());
                }
            }
        }
        Err(err!(LOCK_FILE_EXISTS, "could not create lock file \"postmaster.pid\"").fatal())
    }

    /// The lines in a file of this process's own.
    fn draft(&self) -> Result<PathBuf> {
        let text: String = self.lines.iter().map(|l| format!("{l}\n")).collect();
        let fail = |e: std::io::Error| Error::os("could not write lock file \"postmaster.pid\"", &e).fatal();
        let draft = self.path.with_extension(format!("pid.{}", std::process::id()));
        let mut f = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&draft)
            .map_err(fail)?;
        f.write_all(text.as_bytes()).and_then(|()| f.sync_all()).map_err(fail)?;
        Ok(draft)
    }
    /// By rename: whoever reads the file sees it whole.
    fn write(&self) -> Result<()> {
        fs::rename(self.draft()?, &self.path)
            .map_err(|e| Error::os("could not write lock file \"postmaster.pid\"", &e).fatal())
    }
    /// Fills in line `n` (from 1).
    pub fn set_line(&mut self, n: usize, text: &str) {
        self.lines[n - 1] = text.to_string();
        if let Err(e) = self.write() {
            crate::log::report(e.report(), None);
        }
    }
    /// Says how the server stands: `starting`, `ready   `, `stopping`.
    pub fn set_status(&mut self, status: &str) {
        self.set_line(8, &format!("{status:<8}"));
    }
    /// Is the file still there and ours?
    pub fn is_ours(&self) -> bool {
        fs::read_to_string(&self.path)
            .ok()
            .and_then(|t| t.lines().next().and_then(|l| l.trim().parse::<i32>().ok()))
            .is_some_and(|pid| pid.unsigned_abs() == std::process::id())
    }
    /// The server has ended.
    pub fn remove(&self) {
        if self.is_ours() {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Holds the data directory against another server until the last process of this one is gone.
///
/// The lock belongs to an open file that every child inherits by its fork: when the postmaster is killed, it lasts as
/// long as a child that may still write. That one dies with its parent, so waiting a moment is the answer.
pub fn hold_directory(data_dir: &Path) -> Result<fs::File> {
    use std::fs::TryLockError;
    let fail = |e: std::io::Error| {
        Error::os(format!("could not lock directory \"{}\"", data_dir.display()), &e).fatal()
    };
    let dir = fs::File::open(data_dir).map_err(fail)?;
    for _ in 0..500 {
        match dir.try_lock() {
            Ok(()) => return Ok(dir),
            Err(TryLockError::WouldBlock) => std::thread::sleep(std::time::Duration::from_millis(10)),
            Err(TryLockError::Error(e)) => return Err(fail(e)),
        }
    }
    Err(err!(
        LOCK_FILE_EXISTS,
        "processes of an earlier server still use data directory \"{}\"",
        data_dir.display()
    )
    .hint("Terminate any old server processes associated with the data directory.")
    .fatal())
}

/// The process id in the file; 0 if the file has gone meanwhile. What is no number is nobody's to remove.
fn recorded_pid(path: &Path) -> Result<i32> {
    let text = match fs::read_to_string(path) {
        Ok(t) => t,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(0),
        Err(e) => return Err(Error::os("could not read lock file \"postmaster.pid\"", &e).fatal()),
    };
    let line = text.lines().next().unwrap_or("").trim();
    if line.is_empty() {
        return Err(err!(LOCK_FILE_EXISTS, "lock file \"postmaster.pid\" is empty")
            .hint("Either another server is starting, or the lock file is the remnant of a previous server startup crash.")
            .fatal());
    }
    line.parse().ok().filter(|p| *p != 0).ok_or_else(|| {
        err!(LOCK_FILE_EXISTS, "bogus data in lock file \"postmaster.pid\": \"{}\"", text.trim_end()).fatal()
    })
}

fn check_other(data_dir: &Path, path: &Path) -> Result<()> {
    let recorded = recorded_pid(path)?;
    let other = recorded.abs();
    let own_family = [std::process::id() as i32, nix::unistd::getppid().as_raw()];
    if other > 0 && !own_family.contains(&other) && process_exists(other) {
        let who = if recorded < 0 { "postgres" } else { "postmaster" };
        return Err(err!(LOCK_FILE_EXISTS, "lock file \"postmaster.pid\" already exists")
            .hint(format!(
                "Is another {who} (PID {other}) running in data directory \"{}\"?",
                data_dir.display()
            ))
            .fatal());
    }
    fs::remove_file(path).map_err(|e| {
        Error::os("could not remove old lock file \"postmaster.pid\"", &e)
            .hint("The file seems accidentally left over, but it could not be removed. Please remove the file by hand and try again.")
            .fatal()
    })
}
