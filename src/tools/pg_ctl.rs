//! `pg_ctl`: initialises, starts, stops and controls a server, and waits until that is done. Messages, their streams and exit
//! statuses are PostgreSQL's.

use crate::postmaster::{process_exists, read_pid_file};
use clap::Parser;
use common::{Error, Result};
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const HELP: &str = "pg_ctl is a utility to initialize, start, stop, or control a Stegodon server.

Usage:
  pg_ctl init[db]   [-D DATADIR] [-s] [-o OPTIONS]
  pg_ctl start      [-D DATADIR] [-l FILENAME] [-W] [-t SECS] [-s]
                    [-o OPTIONS] [-p PATH] [-c]
  pg_ctl stop       [-D DATADIR] [-m SHUTDOWN-MODE] [-W] [-t SECS] [-s]
  pg_ctl restart    [-D DATADIR] [-m SHUTDOWN-MODE] [-W] [-t SECS] [-s]
                    [-o OPTIONS] [-c]
  pg_ctl reload     [-D DATADIR] [-s]
  pg_ctl status     [-D DATADIR]
  pg_ctl promote    [-D DATADIR] [-W] [-t SECS] [-s]
  pg_ctl logrotate  [-D DATADIR] [-s]
  pg_ctl kill       SIGNALNAME PID

Common options:
  -D, --pgdata=DATADIR   location of the database storage area
  -s, --silent           only print errors, no informational messages
  -t, --timeout=SECS     seconds to wait when using -w option
  -V, --version          output version information, then exit
  -w, --wait             wait until operation completes (default)
  -W, --no-wait          do not wait until operation completes
  -?, --help             show this help, then exit
If the -D option is omitted, the environment variable PGDATA is used.

Options for start or restart:
  -c, --core-files       allow postgres to produce core files
  -l, --log=FILENAME     write (or append) server log to FILENAME
  -o, --options=OPTIONS  command line options to pass to postgres
                         (PostgreSQL server executable) or initdb
  -p PATH-TO-POSTGRES    normally not necessary

Options for stop or restart:
  -m, --mode=MODE        MODE can be \"smart\", \"fast\", or \"immediate\"

Shutdown modes are:
  smart       quit after all clients have disconnected
  fast        quit directly, with proper shutdown (default)
  immediate   quit without complete shutdown; will lead to recovery on restart

Allowed signal names for kill:
  ABRT HUP INT KILL QUIT TERM USR1 USR2
";

const TRY_HELP: &str = "Try \"pg_ctl --help\" for more information.";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Init,
    Start,
    Stop,
    Restart,
    Reload,
    Status,
    Promote,
    Logrotate,
    Kill,
}

fn action_of(word: &str) -> Option<Action> {
    Some(match word {
        "init" | "initdb" => Action::Init,
        "start" => Action::Start,
        "stop" => Action::Stop,
        "restart" => Action::Restart,
        "reload" => Action::Reload,
        "status" => Action::Status,
        "promote" => Action::Promote,
        "logrotate" => Action::Logrotate,
        "kill" => Action::Kill,
        _ => return None,
    })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Smart,
    Fast,
    Immediate,
}

fn mode_of(s: &str) -> Option<Mode> {
    match s {
        "s" | "smart" => Some(Mode::Smart),
        "f" | "fast" => Some(Mode::Fast),
        "i" | "immediate" => Some(Mode::Immediate),
        _ => None,
    }
}

#[derive(Parser, Debug)]
#[command(name = "pg_ctl", disable_version_flag = true, disable_help_flag = true)]
struct Args {
    /// Operation, and the arguments of `kill`
    words: Vec<String>,
    #[arg(short = 'D', long = "pgdata", value_name = "DATADIR")]
    pgdata: Option<PathBuf>,
    #[arg(short = 'l', long, value_name = "FILENAME")]
    log: Option<PathBuf>,
    #[arg(short = 'w', long)]
    wait: bool,
    #[arg(short = 'W', long)]
    no_wait: bool,
    #[arg(short = 't', long, value_name = "SECS")]
    timeout: Option<String>,
    #[arg(short = 's', long)]
    silent: bool,
    #[arg(short = 'm', long, value_name = "MODE")]
    mode: Option<String>,
    #[arg(short = 'o', long, value_name = "OPTIONS", allow_hyphen_values = true)]
    options: Vec<String>,
    #[arg(short = 'p', value_name = "PATH-TO-POSTGRES")]
    path: Option<PathBuf>,
    #[arg(short = 'c', long)]
    core_files: bool,
    #[arg(short = 'V', long)]
    version: bool,
    #[arg(short = '?', long)]
    help: bool,
}

struct Ctl {
    dir: PathBuf,
    args: Args,
    mode: Mode,
    timeout: Duration,
}

/// A line on standard error, with a hint at `--help`.
fn usage(text: &str) -> i32 {
    eprintln!("pg_ctl: {text}\n{TRY_HELP}");
    1
}

fn complain(text: &str) {
    eprintln!("pg_ctl: {text}");
}

/// The same for what getopt finds: it names the program as it was called.
fn getopt(text: &str) -> i32 {
    let program = std::env::args().next().unwrap_or_else(|| "pg_ctl".into());
    eprintln!("{program}: {text}\n{TRY_HELP}");
    1
}

/// A command line that cannot be read, in PostgreSQL's words.
fn unreadable(e: &clap::Error) -> i32 {
    use clap::error::{ContextKind, ContextValue, ErrorKind};
    let argument = match e.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(s)) => s.clone(),
        _ => String::new(),
    };
    let unknown = e.kind() == ErrorKind::UnknownArgument;
    // clap shows `-D <DATADIR>` or `--pgdata <DATADIR>` where a value is missing.
    let option = argument.split([' ', '=']).next().unwrap_or("");
    match (option.strip_prefix("--"), option.chars().nth(1)) {
        (Some(_), _) if unknown => getopt(&format!("unrecognized option '{option}'")),
        (None, Some(c)) if unknown => getopt(&format!("invalid option -- '{c}'")),
        (Some(name), _) => {
            let short = [("pgdata", 'D'), ("log", 'l'), ("timeout", 't'), ("mode", 'm'), ("options", 'o')];
            match (short.iter().find(|(n, _)| *n == name), std::env::args().next_back()) {
                (Some((_, c)), Some(last)) if last == format!("-{c}") => {
                    getopt(&format!("option requires an argument -- '{c}'"))
                }
                _ => getopt(&format!("option '{option}' requires an argument")),
            }
        }
        (None, Some(c)) => getopt(&format!("option requires an argument -- '{c}'")),
        _ => usage(&e.kind().to_string()),
    }
}

/// Entry point.
pub fn main() -> Result<i32> {
    let args = match Args::try_parse() {
        Ok(a) => a,
        Err(e) => return Ok(unreadable(&e)),
    };
    if args.help {
        print!("{HELP}");
        return Ok(0);
    }
    if args.version {
        println!("pg_ctl (PostgreSQL) {} (Stegodon {})", crate::VERSION, env!("CARGO_PKG_VERSION"));
        return Ok(0);
    }
    let Some(mode) = mode_of(args.mode.as_deref().unwrap_or("fast")) else {
        return Ok(usage(&format!("unrecognized shutdown mode \"{}\"", args.mode.unwrap_or_default())));
    };
    let Some(word) = args.words.first() else { return Ok(usage("no operation specified")) };
    let Some(action) = action_of(word) else {
        return Ok(usage(&format!("unrecognized operation mode \"{word}\"")));
    };
    if action == Action::Kill {
        return Ok(kill(&args.words[1..]));
    }
    if args.words.len() > 1 {
        return Ok(usage(&format!("too many command-line arguments (first is \"{word}\")")));
    }
    let Some(dir) = crate::config::data_directory(args.pgdata.as_deref()) else {
        return Ok(usage("no database directory specified and environment variable PGDATA unset"));
    };
    let given = args.timeout.clone().or_else(|| std::env::var("PGCTLTIMEOUT").ok());
    let timeout = Duration::from_secs(given.and_then(|t| t.trim().parse().ok()).unwrap_or(60));
    let c = Ctl { dir, args, mode, timeout };
    c.perform(action)
}

/// What `postmaster.pid` says: nobody, a postmaster, or a single-user server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holder {
    Nobody,
    Postmaster(i32),
    Single(i32),
}

impl Ctl {
    fn perform(&self, action: Action) -> Result<i32> {
        match action {
            Action::Init => self.init(),
            Action::Start => self.start(),
            Action::Stop => self.stop(),
            Action::Restart => self.restart(),
            Action::Reload => self.reload(),
            Action::Status => Ok(self.status()),
            Action::Promote => Ok(self.promote()),
            Action::Logrotate => self.logrotate(),
            Action::Kill => Ok(1),
        }
    }
    fn pid_file(&self) -> PathBuf {
        self.dir.join("postmaster.pid")
    }
    /// Who holds the directory, or the exit status of a complaint.
    fn holder(&self, is_status: bool) -> std::result::Result<Holder, i32> {
        let shown = self.dir.display();
        let failed = if is_status { 4 } else { 1 };
        match std::fs::metadata(&self.dir) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                complain(&format!("directory \"{shown}\" does not exist"));
                return Err(failed);
            }
            Err(e) => {
                let e = common::error::os_message(&e);
                complain(&format!("could not access directory \"{shown}\": {e}"));
                return Err(failed);
            }
            Ok(_) => {}
        }
        if !self.dir.join("PG_VERSION").exists() {
            complain(&format!("directory \"{shown}\" is not a database cluster directory"));
            return Err(failed);
        }
        let file = self.pid_file();
        let text = match std::fs::read_to_string(&file) {
            Ok(t) => t,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Holder::Nobody),
            Err(e) => {
                let e = common::error::os_message(&e);
                complain(&format!("could not open PID file \"{}\": {e}", file.display()));
                return Err(1);
            }
        };
        if text.is_empty() {
            complain(&format!("the PID file \"{}\" is empty", file.display()));
            return Err(1);
        }
        match text.lines().next().unwrap_or("").trim().parse::<i32>() {
            Ok(0) => Ok(Holder::Nobody),
            Ok(pid) if pid < 0 => Ok(Holder::Single(-pid)),
            Ok(pid) => Ok(Holder::Postmaster(pid)),
            Err(_) => {
                complain(&format!("invalid data in PID file \"{}\"", file.display()));
                Err(1)
            }
        }
    }
    fn no_pid_file(&self) {
        complain(&format!("PID file \"{}\" does not exist\nIs server running?", self.pid_file().display()));
    }
    /// The postmaster's id, or the exit status of the message that there is none.
    fn postmaster_for(&self, doing: &str) -> std::result::Result<i32, i32> {
        match self.holder(false)? {
            Holder::Postmaster(pid) => Ok(pid),
            Holder::Nobody => {
                self.no_pid_file();
                Err(1)
            }
            Holder::Single(pid) => {
                complain(&format!("cannot {doing}; single-user server is running (PID: {pid})"));
                if doing == "reload server" {
                    eprintln!("Please terminate the single-user server and try again.");
                }
                Err(1)
            }
        }
    }
    fn say(&self, text: &str) {
        if !self.args.silent {
            println!("{text}");
        }
    }
    fn progress(&self, text: &str) {
        if !self.args.silent {
            print!("{text}");
            // A closed terminal is no reason to stop waiting.
            let _ = std::io::stdout().flush();
        }
    }
    fn sibling(&self, name: &str) -> Result<PathBuf> {
        let me =
            std::env::current_exe().map_err(|e| Error::os("could not find own program executable", &e))?;
        Ok(me.parent().unwrap_or(Path::new(".")).join(name))
    }
    fn logrotate(&self) -> Result<i32> {
        let pid = match self.postmaster_for("rotate log file") {
            Ok(p) => p,
            Err(code) => return Ok(code),
        };
        let file = self.dir.join(crate::postmaster::LOGROTATE_FILE);
        std::fs::write(&file, "").map_err(|e| {
            Error::os(format!("could not create log rotation signal file \"{}\"", file.display()), &e)
        })?;
        if !send(pid, libc::SIGUSR1, "log rotation signal") {
            let _ = std::fs::remove_file(&file);
            return Ok(1);
        }
        self.say("server signaled to rotate log file");
        Ok(0)
    }
    /// There is no standby, so there is never anything to promote.
    fn promote(&self) -> i32 {
        match self.postmaster_for("promote server") {
            Err(code) => code,
            Ok(_) => {
                complain("cannot promote server; server is not in standby mode");
                1
            }
        }
    }
    fn init(&self) -> Result<i32> {
        let mut c = Command::new(self.sibling("initdb")?);
        c.arg("-D").arg(&self.dir).args(self.args.options.iter().flat_map(|o| split_words(o)));
        if self.args.silent {
            c.stdout(Stdio::null());
        }
        let status = c.status().map_err(|e| Error::os("could not start initdb", &e))?;
        if !status.success() {
            complain("database system initialization failed");
            return Ok(1);
        }
        Ok(0)
    }

    /// Options of the server before, which a restart without `-o` repeats: the line of `postmaster.opts` behind the program.
    fn former_options(&self) -> Option<Vec<String>> {
        let text = std::fs::read_to_string(self.dir.join("postmaster.opts")).ok()?;
        let words = split_words(text.lines().next()?);
        Some(words.into_iter().skip(1).collect())
    }

    fn spawn_server(&self, former: Option<Vec<String>>) -> Result<u32> {
        let program = match &self.args.path {
            Some(p) => p.clone(),
            None => self.sibling("postgres")?,
        };
        let mut c = Command::new(program);
        match former {
            Some(options) => c.args(options),
            None => c.arg("-D").arg(&self.dir).args(self.args.options.iter().flat_map(|o| split_words(o))),
        };
        c.stdin(Stdio::null());
        if let Some(f) = &self.args.log {
            let log = OpenOptions::new()
                .create(true)
                .append(true)
                .open(f)
                .map_err(|e| Error::os(format!("could not open log file \"{}\"", f.display()), &e))?;
            let err = log.try_clone().map_err(|e| Error::os("could not duplicate file descriptor", &e))?;
            c.stdout(log).stderr(err);
        }
        if self.args.core_files {
            allow_core_files();
        }
        // A group of its own: Ctrl-C at the terminal is not for the server.
        c.process_group(0);
        let child = c.spawn().map_err(|e| Error::os("could not start server", &e))?;
        Ok(child.id())
    }

    fn start(&self) -> Result<i32> {
        self.start_with(None)
    }
    fn start_with(&self, former: Option<Vec<String>>) -> Result<i32> {
        match self.holder(false) {
            Err(code) => return Ok(code),
            // A restart has just found out.
            Ok(h) if h != Holder::Nobody && former.is_none() => {
                complain("another server might be running; trying to start server anyway");
            }
            Ok(_) => {}
        }
        let pid = match self.spawn_server(former) {
            Ok(pid) => pid,
            Err(e) => {
                complain(&e.report().message);
                complain("could not start server\nExamine the log output.");
                return Ok(1);
            }
        };
        if self.args.no_wait {
            self.say("server starting");
            return Ok(0);
        }
        self.wait_ready(pid)
    }

    fn wait_ready(&self, pid: u32) -> Result<i32> {
        self.progress("waiting for server to start...");
        let ready = self.wait_until(|| {
            let there = read_pid_file(&self.dir)
                .is_some_and(|p| p.pid == pid as i32 && ["ready", "standby"].contains(&p.status.as_str()));
            if there { Some(true) } else { ended(pid).then_some(false) }
        });
        match ready {
            Some(true) => {
                self.say(" done");
                self.say("server started");
                Ok(0)
            }
            Some(false) => {
                self.say(" stopped waiting");
                complain("could not start server\nExamine the log output.");
                Ok(1)
            }
            None => {
                self.say(" stopped waiting");
                complain("server did not start in time");
                Ok(1)
            }
        }
    }
    /// Asks until there is an answer or time is over, a dot a second.
    fn wait_until(&self, mut ask: impl FnMut() -> Option<bool>) -> Option<bool> {
        let started = Instant::now();
        let mut dots = 0;
        loop {
            if let Some(answer) = ask() {
                return Some(answer);
            }
            if started.elapsed() >= self.timeout {
                return None;
            }
            if started.elapsed().as_secs() > dots {
                dots += 1;
                self.progress(".");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Tells a postmaster to stop; waits if that is wanted. The answer is the exit status.
    fn stop_postmaster(&self, pid: i32, wait: bool) -> i32 {
        let sig = match self.mode {
            Mode::Smart => libc::SIGTERM,
            Mode::Fast => libc::SIGINT,
            Mode::Immediate => libc::SIGQUIT,
        };
        if !send(pid, sig, "stop signal") {
            return 1;
        }
        if !wait {
            self.say("server shutting down");
            return 0;
        }
        self.progress("waiting for server to shut down...");
        let gone = || read_pid_file(&self.dir).is_none_or(|q| q.pid != pid) || !process_exists(pid);
        if self.wait_until(|| gone().then_some(true)).is_none() {
            self.say(" failed");
            complain("server does not shut down");
            if self.mode == Mode::Smart {
                eprintln!(
                    "HINT: The \"-m fast\" option immediately disconnects sessions rather than\nwaiting for session-initiated disconnection."
                );
            }
            return 1;
        }
        self.say(" done");
        0
    }

    fn stop(&self) -> Result<i32> {
        let pid = match self.postmaster_for("stop server") {
            Ok(p) => p,
            Err(code) => return Ok(code),
        };
        let code = self.stop_postmaster(pid, !self.args.no_wait);
        if code == 0 && !self.args.no_wait {
            self.say("server stopped");
        }
        Ok(code)
    }

    fn restart(&self) -> Result<i32> {
        let former = if self.args.options.is_empty() { self.former_options() } else { None };
        let holder = match self.holder(false) {
            Ok(h) => h,
            Err(code) => return Ok(code),
        };
        match holder {
            Holder::Nobody => {
                self.no_pid_file();
                eprintln!("trying to start server anyway");
                return self.start_with(former);
            }
            Holder::Single(pid) if process_exists(pid) => {
                complain(&format!("cannot restart server; single-user server is running (PID: {pid})"));
                complain("Please terminate the single-user server and try again.");
                return Ok(1);
            }
            Holder::Postmaster(pid) if process_exists(pid) => {
                let code = self.stop_postmaster(pid, true);
                if code != 0 {
                    return Ok(code);
                }
                self.say("server stopped");
            }
            Holder::Postmaster(pid) | Holder::Single(pid) => {
                complain(&format!("old server process (PID: {pid}) seems to be gone"));
                eprintln!("starting server anyway");
            }
        }
        self.start_with(former)
    }

    fn reload(&self) -> Result<i32> {
        match self.postmaster_for("reload server") {
            Err(code) => Ok(code),
            Ok(pid) if send(pid, libc::SIGHUP, "reload signal") => {
                self.say("server signaled");
                Ok(0)
            }
            Ok(_) => Ok(1),
        }
    }

    fn status(&self) -> i32 {
        match self.holder(true) {
            Err(code) => return code,
            Ok(Holder::Single(pid)) if process_exists(pid) => {
                println!("pg_ctl: single-user server is running (PID: {pid})");
                return 0;
            }
            Ok(Holder::Postmaster(pid)) if process_exists(pid) => {
                println!("pg_ctl: server is running (PID: {pid})");
                if let Ok(opts) = std::fs::read_to_string(self.dir.join("postmaster.opts")) {
                    print!("{opts}");
                }
                return 0;
            }
            Ok(_) => {}
        }
        println!("pg_ctl: no server running");
        3
    }
}

/// `-c`: as much as the hard limit allows. Who may not is told, and goes on.
fn allow_core_files() {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    let raised = getrlimit(Resource::RLIMIT_CORE)
        .map(|(_, hard)| hard > 0 && setrlimit(Resource::RLIMIT_CORE, hard, hard).is_ok());
    if raised != Ok(true) {
        complain("cannot set core file size limit; disallowed by hard limit");
    }
}

/// Has the child ended? Reaps it.
fn ended(pid: u32) -> bool {
    use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
    let r = waitpid(nix::unistd::Pid::from_raw(pid as i32), Some(WaitPidFlag::WNOHANG));
    !matches!(r, Ok(WaitStatus::StillAlive))
}

/// Sends a signal; a failure is said.
fn send(pid: i32, sig: i32, what: &str) -> bool {
    if ipc::signals::send_raw(pid, sig) {
        return true;
    }
    let e = common::error::os_message(&std::io::Error::last_os_error());
    complain(&format!("could not send {what} (PID: {pid}): {e}"));
    false
}

fn kill(rest: &[String]) -> i32 {
    let [name, pid, extra @ ..] = rest else { return usage("missing arguments for kill mode") };
    if !extra.is_empty() {
        return usage("too many command-line arguments (first is \"kill\")");
    }
    let sig = match name.as_str() {
        "ABRT" => libc::SIGABRT,
        "HUP" => libc::SIGHUP,
        "INT" => libc::SIGINT,
        "KILL" => libc::SIGKILL,
        "QUIT" => libc::SIGQUIT,
        "TERM" => libc::SIGTERM,
        "USR1" => libc::SIGUSR1,
        "USR2" => libc::SIGUSR2,
        _ => return usage(&format!("unrecognized signal name \"{name}\"")),
    };
    // 0 and negative numbers mean groups of processes.
    let Some(pid) = pid.parse::<i32>().ok().filter(|p| *p > 0) else {
        return usage(&format!("invalid process ID \"{pid}\""));
    };
    i32::from(!send(pid, sig, &format!("signal {sig}")))
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
