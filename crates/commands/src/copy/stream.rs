//! Where COPY's bytes come from and go to: the client, a file of the server, or a program that the server runs.

use crate::ctx::{CommandCtx, CopyFormat, Host};
use crate::roles;
use common::{Encoding, Error, Result, SqlState, bail, err};
use ipc::progress::{Command as Reported, copy as progress};
use std::cell::{Cell, RefCell};
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Stdio};

/// Read from a file or program at a time.
const CHUNK: usize = 64 << 10;

enum Other {
    File(File),
    Program(Child, String),
}

/// The stream of one COPY.
pub struct Stream<'a> {
    host: &'a dyn Host,
    me: &'static ipc::Proc,
    other: Option<RefCell<Other>>,
    /// A file's text is in this encoding; none for UTF-8, binary data and the client, whose data the session turns.
    encoding: Cell<Option<Encoding>>,
    /// The beginning of a line whose end has not been read.
    rest: RefCell<Vec<u8>>,
}

/// Roles that may do without being superusers: pg_read_server_files, pg_write_server_files, pg_execute_server_program.
const READ_FILES: common::Oid = common::Oid(4569);
const WRITE_FILES: common::Oid = common::Oid(4570);
const EXECUTE_PROGRAM: common::Oid = common::Oid(4571);

fn check_privilege(ctx: &CommandCtx<'_>, is_from: bool, program: bool) -> Result<()> {
    let (role, name, what) = match (program, is_from) {
        (true, _) => (EXECUTE_PROGRAM, "pg_execute_server_program", "COPY to or from an external program"),
        (_, true) => (READ_FILES, "pg_read_server_files", "COPY from a file"),
        _ => (WRITE_FILES, "pg_write_server_files", "COPY to a file"),
    };
    if ctx.host.is_superuser() || roles::has_privs_of(ctx.catalog, ctx.host.role(), role)? {
        return Ok(());
    }
    Err(err!(INSUFFICIENT_PRIVILEGE, "must be superuser or have privileges of the {name} role to {what}")
        .hint("Anyone can COPY to stdout or from stdin. psql's \\copy command also works for anyone."))
}

fn open(path: &str, is_from: bool) -> Result<File> {
    let (doing, hint) = if is_from {
        (
            "reading",
            "COPY FROM instructs the PostgreSQL server process to read a file. You may want a client-side facility such as psql's \\copy.",
        )
    } else {
        (
            "writing",
            "COPY TO instructs the PostgreSQL server process to write a file. You may want a client-side facility such as psql's \\copy.",
        )
    };
    if !is_from && !path.starts_with('/') {
        bail!(INVALID_NAME, "relative path not allowed for COPY to file");
    }
    let mut o = OpenOptions::new();
    if is_from {
        o.read(true);
    } else {
        o.write(true).create(true).truncate(true).mode(0o644);
    }
    let f = o.open(path).map_err(|e| {
        let shown = Error::os(format!("could not open file \"{path}\" for {doing}"), &e);
        match e.kind() {
            ErrorKind::IsADirectory => {
                let message = shown.report().message.clone();
                Error::new(SqlState::WRONG_OBJECT_TYPE, message)
            }
            ErrorKind::NotFound | ErrorKind::PermissionDenied => shown.hint(hint),
            _ => shown,
        }
    })?;
    if f.metadata().is_ok_and(|m| m.is_dir()) {
        bail!(WRONG_OBJECT_TYPE, "\"{path}\" is a directory");
    }
    Ok(f)
}

impl<'a> Stream<'a> {
    /// Opens what the statement names; the client if it names nothing.
    pub fn open(
        ctx: &CommandCtx<'a>,
        name: Option<&str>,
        program: bool,
        is_from: bool,
    ) -> Result<Stream<'a>> {
        let host = ctx.host;
        let whole = |other| Stream {
            host,
            me: ctx.engine.proc(),
            other,
            encoding: Cell::new(None),
            rest: RefCell::default(),
        };
        let Some(name) = name else { return Ok(whole(None)) };
        check_privilege(ctx, is_from, program)?;
        let other = if program {
            let mut c = Command::new("/bin/sh");
            c.arg("-c").arg(name);
            if is_from {
                c.stdin(Stdio::null()).stdout(Stdio::piped());
            } else {
                c.stdin(Stdio::piped()).stdout(Stdio::null());
            }
            let child =
                c.spawn().map_err(|e| Error::os(format!("could not execute command \"{name}\""), &e))?;
            Other::Program(child, name.to_string())
        } else {
            let f = open(name, is_from)?;
            if is_from && let Ok(m) = f.metadata() {
                ctx.engine.proc().progress.set(Reported::Copy, progress::BYTES_TOTAL, m.len() as i64);
            }
            Other::File(f)
        };
        Ok(whole(Some(RefCell::new(other))))
    }
    /// Tells the client to send.
    pub fn begin_in(&self, format: CopyFormat, columns: usize, encoding: Option<Encoding>) -> Result<()> {
        match &self.other {
            None => self.host.copy_in_begin(format, columns, encoding),
            Some(_) => {
                self.set_encoding(format, encoding);
                Ok(())
            }
        }
    }
    fn set_encoding(&self, format: CopyFormat, encoding: Option<Encoding>) {
        let mut client = String::new();
        self.host.with_settings(&mut |s| client = s.show("client_encoding").unwrap_or_default());
        let e = encoding.or_else(|| Encoding::by_name(&client));
        self.encoding.set(e.filter(|e| format == CopyFormat::Text && !e.is_identity()));
    }
    /// Appends a file's bytes in UTF-8, whole lines at a time.
    fn decode(&self, e: Encoding, data: &[u8], buf: &mut Vec<u8>) -> Result<()> {
        let mut rest = self.rest.borrow_mut();
        rest.extend_from_slice(data);
        let last = data.is_empty();
        let end = if last { rest.len() } else { rest.iter().rposition(|&b| b == b'\n').map_or(0, |n| n + 1) };
        buf.extend_from_slice(e.decode(&rest[..end])?.as_bytes());
        rest.drain(..end);
        Ok(())
    }
    /// Appends the next piece to `buf`; false at the end.
    pub fn copy_in_read(&self, buf: &mut Vec<u8>) -> Result<bool> {
        let Some(other) = &self.other else { return self.host.copy_in_read(buf) };
        self.host.check_interrupts()?;
        let start = buf.len();
        buf.resize(start + CHUNK, 0);
        let read = match &mut *other.borrow_mut() {
            Other::File(f) => f.read(&mut buf[start..]),
            Other::Program(c, _) => match &mut c.stdout {
                Some(out) => out.read(&mut buf[start..]),
                None => Ok(0),
            },
        };
        let n = read.map_err(|e| Error::os("could not read from COPY file", &e))?;
        buf.truncate(start + n);
        self.me.progress.add(Reported::Copy, progress::BYTES, n as i64);
        if let Some(e) = self.encoding.get() {
            let piece = buf.split_off(start);
            self.decode(e, &piece, buf)?;
        }
        Ok(n > 0)
    }
    /// Tells the client what will come.
    pub fn begin_out(&self, format: CopyFormat, columns: usize, encoding: Option<Encoding>) -> Result<()> {
        match &self.other {
            None => self.host.copy_out_begin(format, columns, encoding),
            Some(_) => {
                self.set_encoding(format, encoding);
                Ok(())
            }
        }
    }
    /// One row.
    pub fn row(&self, data: &[u8]) -> Result<()> {
        let Some(other) = &self.other else { return self.host.copy_out_row(data) };
        let encoded;
        let data = match self.encoding.get() {
            None => data,
            Some(e) => {
                encoded = e.encode(protocol::frontend::utf8(data)?)?;
                &*encoded
            }
        };
        self.me.progress.add(Reported::Copy, progress::BYTES, data.len() as i64);
        let failed = match &mut *other.borrow_mut() {
            Other::File(f) => {
                return f.write_all(data).map_err(|e| Error::os("could not write to COPY file", &e));
            }
            Other::Program(c, _) => c.stdin.as_mut().and_then(|input| input.write_all(data).err()),
        };
        let Some(e) = failed else { return Ok(()) };
        // A program that does not read to its end may have said why.
        if e.kind() == ErrorKind::BrokenPipe {
            self.end(true)?;
        }
        Err(err!(INTERNAL_ERROR, "could not write to COPY program: {}", common::error::os_message(&e)))
    }
    /// The end, in either direction: a program must have ended well.
    pub fn end(&self, out: bool) -> Result<()> {
        let Some(other) = &self.other else {
            return if out { self.host.copy_out_end() } else { Ok(()) };
        };
        let Other::Program(child, name) = &mut *other.borrow_mut() else { return Ok(()) };
        child.stdin = None;
        child.stdout = None;
        let status = child.wait().map_err(|e| Error::os("could not wait for COPY program", &e))?;
        if status.success() {
            return Ok(());
        }
        let how = match status.code() {
            Some(127) => "command not found".to_string(),
            Some(126) => "command not executable".to_string(),
            Some(c) => format!("child process exited with exit code {c}"),
            None => {
                let n = status.signal().unwrap_or(0);
                format!("child process was terminated by signal {n}: {}", ipc::signals::text(n))
            }
        };
        Err(err!(EXTERNAL_ROUTINE_EXCEPTION, "program \"{name}\" failed").detail(how))
    }
}
