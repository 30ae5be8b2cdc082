//! A cluster for the length of a test.

use std::fs;
use std::io::{Error, Result};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// Which server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The one built from this tree, in this profile's directory.
    Stegodon,
    /// Debian's PostgreSQL 15, the oracle.
    PostgreSql,
}

/// How a cluster is made.
#[derive(Clone, Debug)]
pub struct Options {
    /// Extra settings for the command line.
    pub settings: Vec<(String, String)>,
    /// Environment of the server.
    pub environment: Vec<(String, String)>,
}

impl Default for Options {
    fn default() -> Self {
        Options { settings: vec![("shared_buffers".into(), "64MB".into())], environment: Vec::new() }
    }
}

/// Directory of Debian's server programs.
pub const ORACLE_BIN: &str = "/usr/lib/postgresql/15/bin";

/// A running cluster.
pub struct Cluster {
    pub kind: Kind,
    /// Data directory, `DIR/data`; sockets and log are in `DIR`.
    pub dir: PathBuf,
    pub port: u16,
    bin: PathBuf,
    options: Options,
    server: Option<Child>,
    /// Somebody else ends the server.
    borrowed: bool,
}

static NEXT: AtomicU32 = AtomicU32::new(0);

fn fail(text: impl Into<String>) -> Error {
    Error::other(text.into())
}

/// Where the programs of this build are: beside the running test or tool.
pub fn own_bin_dir() -> Result<PathBuf> {
    if let Some(dir) = std::env::var_os("STEGODON_BIN") {
        return Ok(PathBuf::from(dir));
    }
    let exe = std::env::current_exe()?;
    let mut dir = exe.parent().unwrap_or(Path::new("."));
    if dir.ends_with("deps") {
        dir = dir.parent().unwrap_or(dir);
    }
    Ok(dir.to_path_buf())
}

impl Cluster {
    /// Initialises and starts a cluster.
    pub fn start(kind: Kind, options: Options) -> Result<Cluster> {
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = match kind {
            Kind::Stegodon => "stegodon",
            Kind::PostgreSql => "oracle",
        };
        let dir = std::env::temp_dir().join(format!("{name}-{}-{n}", std::process::id()));
        fs::create_dir_all(&dir)?;
        let bin = match kind {
            Kind::Stegodon => own_bin_dir()?,
            Kind::PostgreSql => PathBuf::from(ORACLE_BIN),
        };
        if !bin.join("postgres").exists() {
            return Err(fail(format!(
                "{} is missing: build the workspace, or run `cargo xtask test`, which installs what the tests need",
                bin.join("postgres").display()
            )));
        }
        let port = free_port()?;
        let mut c = Cluster { kind, dir, port, bin, options, server: None, borrowed: false };
        c.init()?;
        c.launch()?;
        Ok(c)
    }

    /// A program of the server, run as a user it accepts: the oracle refuses root.
    pub fn program(&self, name: &str) -> Command {
        let path = self.bin.join(name);
        if self.kind == Kind::PostgreSql && nix::unistd::Uid::effective().is_root() {
            let mut c = Command::new("runuser");
            c.args(["-u", "postgres", "--"]).arg(path);
            return c;
        }
        Command::new(path)
    }

    /// The data directory.
    pub fn data_dir(&self) -> PathBuf {
        self.dir.join("data")
    }
    /// The server's log.
    pub fn log_file(&self) -> PathBuf {
        self.dir.join("log")
    }

    fn init(&self) -> Result<()> {
        if self.kind == Kind::PostgreSql && nix::unistd::Uid::effective().is_root() {
            let user = nix::unistd::User::from_name("postgres").ok().flatten();
            let uid = user.ok_or_else(|| fail("there is no user postgres"))?.uid;
            nix::unistd::chown(&self.dir, Some(uid), None)?;
        }
        let out = self
            .program("initdb")
            .arg("-D")
            .arg(self.data_dir())
            .args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"])
            .stdin(Stdio::null())
            .output()?;
        if !out.status.success() {
            return Err(fail(format!("initdb failed: {}", String::from_utf8_lossy(&out.stderr))));
        }
        Ok(())
    }

    /// Sets a variable of the server's environment, from its next start on.
    pub fn set_environment(&mut self, name: &str, value: &str) {
        self.options.environment.retain(|(n, _)| n != name);
        self.options.environment.push((name.into(), value.into()));
    }

    /// Starts the server and waits until it lets clients in.
    pub fn launch(&mut self) -> Result<()> {
        self.spawn()?;
        self.wait_ready(Duration::from_secs(60))
    }

    /// Starts the server and does not wait.
    pub fn spawn(&mut self) -> Result<()> {
        let log = fs::OpenOptions::new().create(true).append(true).open(self.log_file())?;
        let mut c = self.program("postgres");
        c.arg("-D").arg(self.data_dir()).arg("-p").arg(self.port.to_string()).arg("-k").arg(&self.dir);
        c.args(["-h", "127.0.0.1"]);
        for (n, v) in &self.options.settings {
            c.arg("-c").arg(format!("{n}={v}"));
        }
        c.envs(self.options.environment.iter().cloned());
        c.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        self.server = Some(c.spawn()?);
        Ok(())
    }

    /// Waits until the server lets clients in.
    pub fn wait_ready(&mut self, limit: Duration) -> Result<()> {
        let started = Instant::now();
        while started.elapsed() < limit {
            if let Some(child) = &mut self.server
                && let Some(status) = child.try_wait()?
            {
                return Err(fail(format!("the server ended ({status}):\n{}", self.log_tail())));
            }
            if self.status().as_deref() == Some("ready") && self.psql("select 1").is_ok_and(|o| o.success) {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Err(fail(format!("the server did not come up:\n{}", self.log_tail())))
    }

    /// Line 8 of `postmaster.pid`.
    fn status(&self) -> Option<String> {
        let text = fs::read_to_string(self.data_dir().join("postmaster.pid")).ok()?;
        text.lines().nth(7).map(|l| l.trim().to_string())
    }

    /// Process id of the postmaster.
    pub fn postmaster_pid(&self) -> Result<i32> {
        let text = fs::read_to_string(self.data_dir().join("postmaster.pid"))?;
        text.lines()
            .next()
            .and_then(|l| l.trim().parse().ok())
            .ok_or_else(|| fail("no pid in postmaster.pid"))
    }

    /// Last lines of the log.
    pub fn log_tail(&self) -> String {
        let text = fs::read_to_string(self.log_file()).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }

    /// Ends the server with a signal and waits for its end.
    pub fn stop_with(&mut self, signal: nix::sys::signal::Signal) -> Result<()> {
        let Ok(pid) = self.postmaster_pid() else { return Ok(()) };
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), signal)?;
        if let Some(mut child) = self.server.take() {
            child.wait()?;
        }
        Ok(())
    }

    /// Another handle for clients of the same server: it neither starts nor ends it.
    pub fn handle(&self) -> Cluster {
        Cluster {
            kind: self.kind,
            dir: self.dir.clone(),
            port: self.port,
            bin: self.bin.clone(),
            options: self.options.clone(),
            server: None,
            borrowed: true,
        }
    }

    /// Waits for the end of a server that was told to stop.
    pub fn stop_with_wait(&mut self) -> Result<()> {
        if let Some(mut child) = self.server.take() {
            child.wait()?;
        }
        Ok(())
    }

    /// `kill -9` of the postmaster; its children follow.
    pub fn kill(&mut self) -> Result<()> {
        self.stop_with(nix::sys::signal::Signal::SIGKILL)
    }
    /// `kill -9` of a postmaster that may not have written its lock file yet.
    pub fn kill_spawned(&mut self) -> Result<()> {
        if let Some(mut child) = self.server.take() {
            child.kill()?;
            child.wait()?;
        }
        Ok(())
    }
    /// Fast shutdown.
    pub fn stop(&mut self) -> Result<()> {
        self.stop_with(nix::sys::signal::Signal::SIGINT)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if self.borrowed {
            return;
        }
        let _ = self.stop_with(nix::sys::signal::Signal::SIGQUIT);
        if std::env::var_os("STEGODON_KEEP").is_none() {
            let _ = fs::remove_dir_all(&self.dir);
        }
    }
}

/// A port nobody listens on at present.
fn free_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
