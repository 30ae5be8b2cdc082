//! `pg_ctl`: initialises, starts, stops and controls a server, and waits until that is done.

use crate::postmaster::{PidFile, process_exists, read_pid_file};
use clap::{Parser, ValueEnum};
use common::{Error, Result, bail, err};
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Action {
    #[value(alias = "initdb")]
    Init,
    Start,
    Stop,
    Restart,
    Reload,
    Status,
    Logrotate,
    Promote,
    Kill,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Smart,
    Fast,
    Immediate,
}

fn parse_mode(s: &str) -> std::result::Result<Mode, String> {
    match s {
        "s" | "smart" => Ok(Mode::Smart),
        "f" | "fast" => Ok(Mode::Fast),
        "i" | "immediate" => Ok(Mode::Immediate),
        _ => Err(format!("unrecognized shutdown mode \"{s}\"")),
    }
}

/// pg_ctl is a utility to initialize, start, stop, or control a server.
#[derive(Parser, Debug)]
#[command(name = "pg_ctl", disable_version_flag = true)]
struct Args {
    action: Option<Action>,
    /// Arguments of `kill`: signal name and process id
    rest: Vec<String>,
    /// Location of the database storage area
    #[arg(short = 'D', long = "pgdata", value_name = "DATADIR")]
    pgdata: Option<PathBuf>,
    /// Write (or append) server log to FILENAME
    #[arg(short = 'l', long, value_name = "FILENAME")]
    log: Option<PathBuf>,
    /// Wait until operation completes (default)
    #[arg(short = 'w', long)]
    wait: bool,
    /// Do not wait until operation completes
    #[arg(short = 'W', long)]
    no_wait: bool,
    /// Seconds to wait when using -w option
    #[arg(short = 't', long, value_name = "SECS")]
    timeout: Option<u64>,
    /// Only print errors, no informational messages
    #[arg(short = 's', long)]
    silent: bool,
    /// "smart", "fast", or "immediate"
    #[arg(short = 'm', long, value_name = "MODE", value_parser = parse_mode, default_value = "fast")]
    mode: Mode,
    /// Command line options to pass to postgres (or to initdb)
    #[arg(short = 'o', long, value_name = "OPTIONS", allow_hyphen_values = true)]
    options: Vec<String>,
    /// Path to postgres executable
    #[arg(short = 'p', value_name = "PATH-TO-POSTGRES")]
    path: Option<PathBuf>,
    /// Output version information, then exit
    #[arg(short = 'V', long)]
    version: bool,
}

struct Ctl {
    dir: PathBuf,
    args: Args,
}

/// Entry point.
pub fn main() -> Result<i32> {
    let args = Args::parse();
    if args.version {
        println!("pg_ctl (PostgreSQL) {} (Stegodon {})", crate::VERSION, env!("CARGO_PKG_VERSION"));
        return Ok(0);
    }
    let Some(action) = args.action else {
        return Err(
            err!(SYNTAX_ERROR, "no operation specified").hint("Try \"pg_ctl --help\" for more information.")
        );
    };
    if action == Action::Kill {
        return kill(&args.rest);
    }
    let dir = crate::config::data_directory(args.pgdata.as_deref()).ok_or_else(|| {
        err!(INVALID_PARAMETER_VALUE, "no database directory specified and environment variable PGDATA unset")
    })?;
    if action != Action::Init && action != Action::Start && !dir.is_dir() {
        eprintln!("pg_ctl: directory \"{}\" does not exist", dir.display());
        return Ok(if action == Action::Status { 4 } else { 1 });
    }
    let c = Ctl { dir, args };
    match action {
        Action::Init => c.init(),
        Action::Start => c.start(),
        Action::Stop => c.stop(),
        Action::Restart => c.restart(),
        Action::Reload => c.reload(),
        Action::Status => Ok(c.status()),
        Action::Logrotate => c.logrotate(),
        Action::Promote => c.promote(),
        Action::Kill => Ok(1),
    }
}

impl Ctl {
    /// The postmaster's id, or the message that there is none.
    fn postmaster_for(&self, doing: &str) -> Option<i32> {
        let Some(p) = read_pid_file(&self.dir) else {
            eprintln!(
                "pg_ctl: PID file \"{}/postmaster.pid\" does not exist\nIs server running?",
                self.dir.display()
            );
            return None;
        };
        if p.pid < 0 {
            eprintln!("pg_ctl: cannot {doing}; single-user server is running (PID: {})", -p.pid);
            return None;
        }
        Some(p.pid)
    }
    fn logrotate(&self) -> Result<i32> {
        let Some(pid) = self.postmaster_for("rotate log file") else { return Ok(1) };
        let file = self.dir.join(crate::postmaster::LOGROTATE_FILE);
        std::fs::write(&file, "").map_err(|e| {
            Error::os(format!("could not create log rotation signal file \"{}\"", file.display()), &e)
        })?;
        if !ipc::signals::send_raw(pid, libc::SIGUSR1) {
            let _ = std::fs::remove_file(&file);
            eprintln!("pg_ctl: could not send log rotation signal (PID: {pid}): No such process");
            return Ok(1);
        }
        self.say("server signaled to rotate log file");
        Ok(0)
    }
    /// There is no standby yet, so there is never anything to promote.
    fn promote(&self) -> Result<i32> {
        if self.postmaster_for("promote server").is_none() {
            return Ok(1);
        }
        eprintln!("pg_ctl: cannot promote server; server is not in standby mode");
        Ok(1)
    }
    fn say(&self, text: &str) {
        if !self.args.silent {
            println!("{text}");
        }
    }
    fn sibling(&self, name: &str) -> Result<PathBuf> {
        let me =
            std::env::current_exe().map_err(|e| Error::os("could not find own program executable", &e))?;
        Ok(me.parent().unwrap_or(Path::new(".")).join(name))
    }
    fn running(&self) -> Option<PidFile> {
        read_pid_file(&self.dir).filter(|p| process_exists(p.pid.abs()))
    }
    fn timeout(&self) -> Duration {
        let env = std::env::var("PGCTLTIMEOUT").ok().and_then(|t| t.parse().ok());
        Duration::from_secs(self.args.timeout.or(env).unwrap_or(60))
    }

    fn init(&self) -> Result<i32> {
        let status = Command::new(self.sibling("initdb")?)
            .arg("-D")
            .arg(&self.dir)
            .args(self.args.options.iter().flat_map(|o| split_words(o)))
            .status()
            .map_err(|e| Error::os("could not start initdb", &e))?;
        if !status.success() {
            bail!(INTERNAL_ERROR, "database system initialization failed");
        }
        Ok(0)
    }

    fn spawn_server(&self) -> Result<u32> {
        let program = match &self.args.path {
            Some(p) => p.clone(),
            None => self.sibling("postgres")?,
        };
        let mut c = Command::new(program);
        c.arg("-D").arg(&self.dir).args(self.args.options.iter().flat_map(|o| split_words(o)));
        c.stdin(Stdio::null());
        match &self.args.log {
            Some(f) => {
                let log = OpenOptions::new()
                    .create(true)
                    .append(true)
                    .open(f)
                    .map_err(|e| Error::os(format!("could not open log file \"{}\"", f.display()), &e))?;
                let err =
                    log.try_clone().map_err(|e| Error::os("could not duplicate file descriptor", &e))?;
                c.stdout(log).stderr(err);
            }
            None => {
                c.stdout(Stdio::inherit()).stderr(Stdio::inherit());
            }
        }
        // A group of its own: Ctrl-C at the terminal is not for the server.
        c.process_group(0);
        let child = c.spawn().map_err(|e| Error::os("could not start server", &e))?;
        Ok(child.id())
    }

    fn start(&self) -> Result<i32> {
        if self.running().is_some() {
            eprintln!("pg_ctl: another server might be running; trying to start server anyway");
        }
        let pid = self.spawn_server()?;
        if self.args.no_wait {
            self.say("server starting");
            return Ok(0);
        }
        self.wait_ready(pid)
    }

    fn progress(&self, text: &str) {
        if !self.args.silent {
            print!("{text}");
            let _ = std::io::stdout().flush();
        }
    }

    fn wait_ready(&self, pid: u32) -> Result<i32> {
        self.progress("waiting for server to start...");
        let started = Instant::now();
        let mut dots = 0;
        loop {
            if let Some(p) = read_pid_file(&self.dir)
                && p.pid == pid as i32
                && ["ready", "standby"].contains(&p.status.as_str())
            {
                self.say(" done\nserver started");
                return Ok(0);
            }
            if ended(pid) {
                self.say(" stopped waiting");
                eprintln!("pg_ctl: could not start server\nExamine the log output.");
                return Ok(1);
            }
            if started.elapsed() > self.timeout() {
                self.say(" stopped waiting");
                eprintln!("pg_ctl: server did not start in time");
                return Ok(1);
            }
            if started.elapsed().as_secs() > dots {
                dots += 1;
                self.progress(".");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ends a running server. `None`: there was none.
    fn stop_running(&self) -> Result<Option<bool>> {
        let Some(p) = self.running() else {
            eprintln!("pg_ctl: PID file \"{}\" does not exist", self.dir.join("postmaster.pid").display());
            eprintln!("Is server running?");
            return Ok(None);
        };
        let sig = match self.args.mode {
            Mode::Smart => nix::sys::signal::Signal::SIGTERM,
            Mode::Fast => nix::sys::signal::Signal::SIGINT,
            Mode::Immediate => nix::sys::signal::Signal::SIGQUIT,
        };
        send(p.pid, sig, "stop")?;
        if self.args.no_wait {
            self.say("server shutting down");
            return Ok(Some(true));
        }
        self.progress("waiting for server to shut down...");
        let started = Instant::now();
        let mut dots = 0;
        while read_pid_file(&self.dir).is_some_and(|q| q.pid == p.pid) && process_exists(p.pid) {
            if started.elapsed() > self.timeout() {
                self.say(" failed");
                eprintln!("pg_ctl: server does not shut down");
                if self.args.mode == Mode::Smart {
                    eprintln!(
                        "HINT: The \"-m fast\" option immediately disconnects sessions rather than\nwaiting for session-initiated disconnection."
                    );
                }
                return Ok(Some(false));
            }
            if started.elapsed().as_secs() > dots {
                dots += 1;
                self.progress(".");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        self.say(" done\nserver stopped");
        Ok(Some(true))
    }

    fn stop(&self) -> Result<i32> {
        Ok(i32::from(self.stop_running()? != Some(true)))
    }

    fn restart(&self) -> Result<i32> {
        match self.stop_running()? {
            Some(false) => return Ok(1),
            None => eprintln!("starting server anyway"),
            Some(true) => {}
        }
        self.start()
    }

    fn reload(&self) -> Result<i32> {
        let Some(p) = self.running() else {
            eprintln!("pg_ctl: PID file \"{}\" does not exist", self.dir.join("postmaster.pid").display());
            eprintln!("Is server running?");
            return Ok(1);
        };
        send(p.pid, nix::sys::signal::Signal::SIGHUP, "reload")?;
        self.say("server signaled");
        Ok(0)
    }

    fn status(&self) -> i32 {
        if !self.dir.join("PG_VERSION").exists() {
            eprintln!("pg_ctl: directory \"{}\" is not a database cluster directory", self.dir.display());
            return 4;
        }
        match self.running() {
            Some(p) => {
                println!("pg_ctl: server is running (PID: {})", p.pid);
                if let Ok(opts) = std::fs::read_to_string(self.dir.join("postmaster.opts")) {
                    print!("{opts}");
                }
                0
            }
            None => {
                println!("pg_ctl: no server running");
                3
            }
        }
    }
}

/// Has the child ended? Reaps it.
fn ended(pid: u32) -> bool {
    use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
    let r = waitpid(nix::unistd::Pid::from_raw(pid as i32), Some(WaitPidFlag::WNOHANG));
    !matches!(r, Ok(WaitStatus::StillAlive))
}

fn send(pid: i32, sig: nix::sys::signal::Signal, what: &str) -> Result<()> {
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid.abs()), sig)
        .map_err(|e| Error::os(format!("could not send {what} signal (PID: {pid})"), &e.into()))
}

fn kill(rest: &[String]) -> Result<i32> {
    let [name, pid] = rest else { bail!(SYNTAX_ERROR, "missing arguments for kill mode") };
    let full = if name.starts_with("SIG") { name.clone() } else { format!("SIG{name}") };
    let sig: nix::sys::signal::Signal =
        full.parse().map_err(|_| err!(SYNTAX_ERROR, "unrecognized signal name \"{name}\""))?;
    let pid: i32 = pid.parse().map_err(|_| err!(SYNTAX_ERROR, "invalid process ID \"{pid}\""))?;
    send(pid, sig, name)?;
    Ok(0)
}

/// Words of an options string; quotes keep blanks.
fn split_words(s: &str) -> Vec<String> {
    let mut out = Vec::new();
    let (mut word, mut any, mut quote) = (String::new(), false, None);
    for c in s.chars() {
        match (quote, c) {
            (Some(q), c) if c == q => quote = None,
            (Some(_), c) => word.push(c),
            (None, '"' | '\'') => {
                quote = Some(c);
                any = true;
            }
            (None, c) if c.is_whitespace() => {
                if std::mem::take(&mut any) {
                    out.push(std::mem::take(&mut word));
                }
            }
            (None, c) => {
                any = true;
                word.push(c);
            }
        }
    }
    if any {
        out.push(word);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_options() {
        assert_eq!(split_words("-c a=1  -p '5 4'"), vec!["-c", "a=1", "-p", "5 4"]);
        assert!(split_words("  ").is_empty());
    }
}
