//! Single-user mode: one process that is postmaster, recovery, checkpointer and session at once, with statements from standard
//! input. For repairs, when the server cannot or must not be started. What it prints is what PostgreSQL's prints.

use crate::aux::{AuxContext, checkpointer};
use crate::modules::{Modules, Occasion};
use crate::postmaster::{LockFile, hold_directory};
use crate::server::registry::Knowledge;
use crate::server::{Shared, SharedConfig};
use crate::session::Session;
use crate::session::local::{LocalUser, Sent, row_values};
use common::settings::Settings;
use common::{Error, Oid, Result, Severity};
use ipc::{BackendKind, Interrupts};
use std::io::Write;
use std::path::PathBuf;
use std::rc::Rc;
use transam::{ControlFile, Engine};

/// The command line of `postgres --single`.
#[derive(Clone, Debug, Default)]
pub struct Options {
    pub data_dir: PathBuf,
    pub settings: Vec<(String, String)>,
    /// Default: the name of the operating system's user.
    pub database: Option<String>,
    /// `-E`: statements are echoed.
    pub echo: bool,
    /// `-j`: a statement ends with a semicolon and an empty line, not with its line.
    pub semicolon_newline: bool,
}

/// Runs it. Returns the exit status.
pub fn run(o: &Options) -> Result<i32> {
    let data_dir = crate::config::check_data_directory(&o.data_dir)?;
    std::env::set_current_dir(&data_dir)
        .map_err(|e| Error::os(format!("could not change directory to \"{}\"", data_dir.display()), &e))?;
    let mut settings = crate::config::load(&data_dir, &o.settings)?;
    crate::log::configure(&settings);
    // What comes before there is a slot waits for it.
    ipc::signals::own_private_wake();
    ipc::signals::install_backend();
    let lock = LockFile::create_standalone(&data_dir, &settings)?;
    let done = with_directory(o, &data_dir, &mut settings);
    lock.remove();
    done
}

fn with_directory(o: &Options, data_dir: &std::path::Path, settings: &mut Settings) -> Result<i32> {
    let _directory = hold_directory(data_dir)?;
    let mut modules = Modules::default();
    modules
        .preload("shared_preload_libraries", settings, false, Occasion::SharedPreload)
        .map_err(Error::fatal)?;
    let control = ControlFile::read(data_dir)?;
    settings.set_internal("data_checksums", if control.data_checksums { "on" } else { "off" })?;
    storage::temp::remove_temp_files(data_dir)?;
    let knowledge = Knowledge::load();
    let shared = Rc::new(Shared::create(SharedConfig::new(data_dir, settings, &control))?);
    let engine = shared.enter(BackendKind::Standalone)?;
    crate::log::begin_process(BackendKind::Standalone.as_str());
    crate::log::update(|w| w.proc = Some(engine.proc()));
    crate::backend::abort_on_unsafe_panic(engine.procs());
    engine.store().become_checkpointer();
    ipc::signals::unblock_all();
    let title = ipc::title::Title::none();
    let mut cx = AuxContext {
        engine: engine.clone(),
        settings,
        shared: shared.clone(),
        knowledge,
        title: &title,
        modules,
        since_switch: std::time::Instant::now(),
        progress: checkpointer::Progress::default(),
    };
    crate::aux::startup::main(&mut cx)?;
    let code = session(o, &engine, knowledge, cx.settings);
    engine.abort_any();
    checkpointer::last_checkpoint(&mut cx)?;
    shared.leave(&engine);
    code
}

/// The session from its banner to the end of the input.
fn session(o: &Options, engine: &Rc<Engine>, knowledge: Knowledge, settings: &Settings) -> Result<i32> {
    let user = nix::unistd::User::from_uid(nix::unistd::Uid::effective()).ok().flatten().map(|u| u.name);
    let database = o.database.clone().or(user).unwrap_or_else(|| "postgres".into());
    let who = LocalUser { database: Some(&database), role: None, override_allow: true };
    let (session, sent) = match Session::local(engine, knowledge, settings, &who) {
        Ok(s) => s,
        Err(e) => {
            crate::log::report(e.fatal().report(), None);
            return Ok(1);
        }
    };
    println!("\nPostgreSQL stand-alone backend {} (Stegodon {})", crate::VERSION, env!("CARGO_PKG_VERSION"));
    let mut input = Input { rest: Vec::new(), ended: false };
    let ended = converse(o, &session, &sent, engine.interrupts(), &mut input);
    session.close();
    match ended {
        Ok(()) => Ok(0),
        Err(e) => {
            if e.sqlstate() == common::SqlState::ADMIN_SHUTDOWN {
                crate::log::report(e.report(), None);
            }
            Ok(1)
        }
    }
}

fn converse(o: &Options, s: &Session, sent: &Sent, ints: &Interrupts, input: &mut Input) -> Result<()> {
    loop {
        show("backend> ");
        let Some(statement) = input.statement(ints, o.semicolon_newline)? else { return Ok(()) };
        if o.echo {
            show(&format!("statement: {statement}\n"));
        }
        let mut rows = Printer { session: s, columns: Vec::new() };
        match s.run_local(&statement, sent, &mut |kind, body| rows.message(kind, body)) {
            Err(e) if e.report().severity >= Severity::Fatal => return Err(e),
            // Logged, and the transaction is over: the next statement.
            Ok(()) | Err(_) => {}
        }
        if s.settings().bool("exit_on_error") && s.engine.is_aborted_block() {
            return Ok(());
        }
    }
}

fn show(text: &str) {
    let mut out = std::io::stdout().lock();
    // Nobody reads: the statements still have their effect.
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Standard input, statement by statement.
struct Input {
    rest: Vec<u8>,
    ended: bool,
}

impl Input {
    /// The next statement; `None` at the end. A line ends it, unless a backslash stands before the line's end (both are
    /// taken out).
    fn statement(&mut self, ints: &Interrupts, semicolon_newline: bool) -> Result<Option<String>> {
        let mut text = Vec::new();
        loop {
            let Some(c) = self.byte(ints)? else {
                return Ok((!text.is_empty()).then(|| String::from_utf8_lossy(&text).into_owned()));
            };
            if c == b'\n' {
                if semicolon_newline {
                    if text.ends_with(b";\n") {
                        text.push(c);
                        break;
                    }
                } else if text.last() == Some(&b'\\') {
                    text.pop();
                    continue;
                } else {
                    text.push(c);
                    break;
                }
            }
            text.push(c);
        }
        Ok(Some(String::from_utf8_lossy(&text).into_owned()))
    }
    fn byte(&mut self, ints: &Interrupts) -> Result<Option<u8>> {
        while self.rest.is_empty() {
            if self.ended {
                return Ok(None);
            }
            let mut buf = [0; 4096];
            let read = ints.latch().blocking(|| nix::unistd::read(std::io::stdin(), &mut buf));
            match read {
                Some(Ok(0)) => self.ended = true,
                Some(Ok(n)) => {
                    self.rest = buf[..n].to_vec();
                    self.rest.reverse();
                }
                Some(Err(nix::errno::Errno::EINTR)) | None => {
                    ints.latch().reset();
                    // Nothing runs that could be cancelled.
                    ints.take(ipc::signals::CANCEL);
                    ints.check()?;
                }
                Some(Err(_)) => self.ended = true,
            }
        }
        Ok(self.rest.pop())
    }
}

/// A result's column.
struct Column {
    name: String,
    /// Behind the name and the value: type and its properties.
    about: String,
}

/// Prints rows as PostgreSQL's debugging receiver does.
struct Printer<'a> {
    session: &'a Session,
    columns: Vec<Column>,
}

impl Printer<'_> {
    fn message(&mut self, kind: u8, body: &[u8]) {
        match kind {
            b'T' => {
                self.columns = self.describe(body).unwrap_or_default();
                let mut text = String::new();
                for (i, c) in self.columns.iter().enumerate() {
                    text.push_str(&format!("\t{:2}: {}\t{}\n", i + 1, c.name, c.about));
                }
                show(&(text + "\t----\n"));
            }
            b'D' => {
                let mut text = String::new();
                for (i, (v, c)) in row_values(body).into_iter().zip(&self.columns).enumerate() {
                    if let Some(v) = v {
                        text.push_str(&format!("\t{:2}: {} = \"{v}\"\t{}\n", i + 1, c.name, c.about));
                    }
                }
                show(&(text + "\t----\n"));
            }
            _ => {}
        }
    }
    /// The columns of a RowDescription.
    fn describe(&self, body: &[u8]) -> Option<Vec<Column>> {
        let count = u16::from_be_bytes([*body.first()?, *body.get(1)?]);
        let mut rest = body.get(2..)?;
        let mut out = Vec::new();
        for _ in 0..count {
            let end = rest.iter().position(|b| *b == 0)?;
            let name = String::from_utf8_lossy(&rest[..end]).into_owned();
            let f = rest.get(end + 1..end + 19)?;
            let word = |at: usize| i32::from_be_bytes([f[at], f[at + 1], f[at + 2], f[at + 3]]);
            let len = i16::from_be_bytes([f[10], f[11]]);
            let by_val = self.session.catalog.type_desc(Oid(word(6) as u32)).is_ok_and(|t| t.by_val);
            out.push(Column {
                name,
                about: format!(
                    "(typeid = {}, len = {len}, typmod = {}, byval = {})",
                    word(6) as u32,
                    word(12),
                    if by_val { "t" } else { "f" }
                ),
            });
            rest = &rest[end + 19..];
        }
        Some(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statements(text: &str, semicolon_newline: bool) -> Vec<String> {
        let mut rest = text.as_bytes().to_vec();
        rest.reverse();
        let mut input = Input { rest, ended: true };
        let ints = Interrupts::new();
        std::iter::from_fn(|| input.statement(&ints, semicolon_newline).expect("no signals")).collect()
    }

    #[test]
    fn a_line_is_a_statement() {
        assert_eq!(statements("a\n\nb \\\nc\nd", false), ["a\n", "\n", "b c\n", "d"]);
    }

    #[test]
    fn a_semicolon_and_an_empty_line() {
        assert_eq!(statements("a;\nb;\n\nc\n", true), ["a;\nb;\n\n", "c\n"]);
    }
}
