//! The one error type. It carries everything the wire protocol's ErrorResponse can say, so that a message written
//! deep in the storage layer reaches the client as PostgreSQL would have sent it. Boxed: a `Result<()>` is one word.

use crate::SqlState;
use std::fmt;
use std::panic::Location;

/// The result of everything that can fail with a SQL error.
pub type Result<T> = std::result::Result<T, Error>;

/// How bad it is. `Error` aborts the transaction, `Fatal` the session, `Panic` the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Severity {
    Debug5,
    Debug4,
    Debug3,
    Debug2,
    Debug1,
    Log,
    Info,
    Notice,
    Warning,
    Error,
    Fatal,
    Panic,
}

impl Severity {
    /// The word that goes on the wire (fields `S` and `V`).
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Debug5 | Severity::Debug4 | Severity::Debug3 | Severity::Debug2 | Severity::Debug1 => {
                "DEBUG"
            }
            Severity::Log => "LOG",
            Severity::Info => "INFO",
            Severity::Notice => "NOTICE",
            Severity::Warning => "WARNING",
            Severity::Error => "ERROR",
            Severity::Fatal => "FATAL",
            Severity::Panic => "PANIC",
        }
    }
}

/// Everything a report (error or notice) says.
#[derive(Clone, Debug)]
pub struct Report {
    pub severity: Severity,
    pub sqlstate: SqlState,
    /// Lower case, no final stop.
    pub message: String,
    /// Sentences.
    pub detail: Option<String>,
    /// Goes to the server log only.
    pub detail_log: Option<String>,
    /// Sentences.
    pub hint: Option<String>,
    /// Byte offset into the source text of the statement; turned into a 1-based character position on the wire.
    pub position: Option<usize>,
    /// Byte offset into `internal_query`.
    pub internal_position: Option<usize>,
    pub internal_query: Option<String>,
    /// Lines, innermost first.
    pub context: Option<String>,
    pub schema: Option<String>,
    pub table: Option<String>,
    pub column: Option<String>,
    pub datatype: Option<String>,
    pub constraint: Option<String>,
    /// The routine of PostgreSQL's source that raises this error, where clients look at its name.
    pub routine: Option<&'static str>,
    /// Where in our source it was made.
    pub location: &'static Location<'static>,
}

/// An error on its way up. Build it with [`err!`](crate::err) and add to it with the methods below.
#[derive(Clone)]
pub struct Error(Box<Report>);

macro_rules! setter {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[must_use]
        pub fn $name(mut self, v: impl Into<String>) -> Self {
            self.0.$name = Some(v.into());
            self
        }
    };
}

impl Error {
    /// An error of severity ERROR.
    #[track_caller]
    pub fn new(sqlstate: SqlState, message: impl Into<String>) -> Error {
        Error(Box::new(Report::new(Severity::Error, sqlstate, message)))
    }
    /// 0A000: something PostgreSQL has and this server has not yet. `what` names the clause.
    #[track_caller]
    pub fn unsupported(what: impl fmt::Display) -> Error {
        Error::new(SqlState::FEATURE_NOT_SUPPORTED, format!("{what} is not supported yet"))
    }
    /// XX000: a broken invariant of ours.
    #[track_caller]
    pub fn internal(message: impl Into<String>) -> Error {
        Error::new(SqlState::INTERNAL_ERROR, message)
    }
    /// XX001: data on disk is not what it must be.
    #[track_caller]
    pub fn corrupted(message: impl Into<String>) -> Error {
        Error::new(SqlState::DATA_CORRUPTED, message)
    }
    /// An operating-system call failed; `doing` reads "could not open file \"base/5/1259\"". SQLSTATE follows errno
    /// as in PostgreSQL (58P01 for ENOENT, 53100 for ENOSPC, 42501 for EACCES, else 58030).
    #[track_caller]
    pub fn os(doing: impl fmt::Display, e: &std::io::Error) -> Error {
        Error::new(SqlState::from_io(e), format!("{doing}: {}", os_message(e)))
    }
    setter!(/// DETAIL line.
        detail);
    setter!(/// Detail for the server log only.
        detail_log);
    setter!(/// HINT line.
        hint);
    setter!(/// Schema field.
        schema);
    setter!(/// Table field.
        table);
    setter!(/// Column field.
        column);
    setter!(/// Data type field.
        datatype);
    setter!(/// Constraint field.
        constraint);
    setter!(/// Text of the internally generated statement that failed.
        internal_query);

    /// Where in the statement: byte offset of the offending token.
    #[must_use]
    pub fn at(mut self, byte: usize) -> Self {
        self.0.position = Some(byte);
        self
    }
    /// Like [`Error::at`], unless a position is already known.
    #[must_use]
    pub fn at_if_none(mut self, byte: Option<usize>) -> Self {
        if self.0.position.is_none() {
            self.0.position = byte;
        }
        self
    }
    /// Appends a CONTEXT line.
    #[must_use]
    pub fn context(mut self, line: impl Into<String>) -> Self {
        let line = line.into();
        match &mut self.0.context {
            Some(c) => {
                c.push('\n');
                c.push_str(&line);
            }
            None => self.0.context = Some(line),
        }
        self
    }
    /// Raises or lowers the severity.
    #[must_use]
    pub fn severity(mut self, s: Severity) -> Self {
        self.0.severity = s;
        self
    }
    /// Turns it into one that ends the session.
    #[must_use]
    pub fn fatal(self) -> Self {
        self.severity(Severity::Fatal)
    }
    /// The five-character code.
    pub fn sqlstate(&self) -> SqlState {
        self.0.sqlstate
    }
    /// What it says.
    pub fn report(&self) -> &Report {
        &self.0
    }
    /// What it says, to be changed.
    pub fn report_mut(&mut self) -> &mut Report {
        &mut self.0
    }
}

/// A place in our source, as errors name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    /// `executor/src/run.rs`
    pub file: &'static str,
    pub line: u32,
    /// The module.
    pub routine: &'static str,
}

impl Report {
    /// Where it was made: for LOCATION lines and the fields F, L and R of the protocol.
    pub fn source(&self) -> Source {
        let path = self.location.file();
        let file = path.strip_prefix("crates/").unwrap_or(path);
        let mut parts = file.rsplit('/').map(|p| p.trim_end_matches(".rs"));
        let last = parts.next().unwrap_or(file);
        // mod.rs and lib.rs are called like their folder and crate.
        let routine = match last {
            "mod" => parts.next().unwrap_or(last),
            "lib" => file.split('/').next().unwrap_or(last),
            other => other,
        };
        Source { file, line: self.location.line(), routine: self.routine.unwrap_or(routine) }
    }
    /// A bare report.
    #[track_caller]
    pub fn new(severity: Severity, sqlstate: SqlState, message: impl Into<String>) -> Report {
        Report {
            severity,
            sqlstate,
            message: message.into(),
            detail: None,
            detail_log: None,
            hint: None,
            position: None,
            internal_position: None,
            internal_query: None,
            context: None,
            schema: None,
            table: None,
            column: None,
            datatype: None,
            constraint: None,
            routine: None,
            location: Location::caller(),
        }
    }
}

/// `strerror`'s words without Rust's "(os error N)".
pub fn os_message(e: &std::io::Error) -> String {
    let s = e.to_string();
    match s.find(" (os error") {
        Some(i) => s[..i].to_string(),
        None => s,
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:  {}: {}", self.0.severity.as_str(), self.0.sqlstate, self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl std::error::Error for Error {}

impl From<Report> for Error {
    fn from(r: Report) -> Error {
        Error(Box::new(r))
    }
}

/// Builds an [`Error`]: `err!(UNDEFINED_TABLE, "relation \"{}\" does not exist", name)`. The first word is a constant of
/// [`SqlState`].
#[macro_export]
macro_rules! err {
    ($state:ident, $($arg:tt)+) => {
        $crate::Error::new($crate::SqlState::$state, format!($($arg)+))
    };
}

/// `return Err(err!(…))`.
#[macro_export]
macro_rules! bail {
    ($state:ident, $($arg:tt)+) => {
        return Err($crate::err!($state, $($arg)+))
    };
}
