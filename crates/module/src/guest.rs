//! The library's side: what a library writes, in safe Rust.
//!
//! ```ignore
//! module::library!(init);
//! module::worker!(counter_main, main_loop);
//!
//! fn init(server: &mut module::Server<'_>) -> Result<(), module::SqlError> { … }
//! fn main_loop(worker: &mut module::Worker<'_>) -> Result<(), module::SqlError> { … }
//! ```

use crate::abi::{self, Api, Emit, Str};
use std::ffi::c_void;
use std::fmt;
use std::time::Duration;

/// An error of the server: SQLSTATE and message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqlError {
    pub sqlstate: String,
    pub message: String,
    /// The process must end.
    pub fatal: bool,
}

impl SqlError {
    /// An error of the library's own.
    pub fn new(message: impl Into<String>) -> SqlError {
        SqlError { sqlstate: "XX000".into(), message: message.into(), fatal: false }
    }
}

impl fmt::Display for SqlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
impl std::error::Error for SqlError {}

/// Rows as text; `None` is NULL.
pub type Rows = Vec<Vec<Option<String>>>;

extern "C" fn collect(user: *mut c_void, values: *const Str, count: usize) {
    // SAFETY: `user` is the `Rows` of `gather`, alive and not otherwise used during the call; the host lends `count`
    // values.
    let (rows, values) = unsafe { (&mut *user.cast::<Rows>(), std::slice::from_raw_parts(values, count)) };
    // SAFETY: texts lent by the host for this call.
    rows.push(values.iter().map(|v| unsafe { v.get() }.map(str::to_string)).collect());
}

fn gather<R>(call: impl FnOnce(Emit) -> R) -> (R, Rows) {
    let mut rows = Rows::new();
    let user = (&raw mut rows).cast::<c_void>();
    let r = call(Emit { call: collect, user });
    (r, rows)
}

/// How a worker is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartTime {
    PostmasterStart = 0,
    ConsistentState = 1,
    RecoveryFinished = 2,
}

/// A background worker to be registered.
#[derive(Clone, Debug)]
pub struct WorkerSpec<'a> {
    pub name: &'a str,
    /// Empty: the name.
    pub kind: &'a str,
    /// Empty: the library that registers.
    pub library: &'a str,
    pub function: &'a str,
    pub database: bool,
    pub start: StartTime,
    /// `None`: never.
    pub restart: Option<Duration>,
    pub argument: i64,
    pub extra: &'a str,
}

impl<'a> WorkerSpec<'a> {
    /// One that runs statements, starts when recovery has finished and is restarted after `restart`.
    pub fn new(name: &'a str, function: &'a str) -> WorkerSpec<'a> {
        WorkerSpec {
            name,
            kind: "",
            library: "",
            function,
            database: true,
            start: StartTime::RecoveryFinished,
            restart: None,
            argument: 0,
            extra: "",
        }
    }
    fn def(&self) -> abi::WorkerDef {
        use abi::worker_flags as f;
        abi::WorkerDef {
            name: Str::of(self.name),
            kind: Str::of(self.kind),
            library: Str::of(self.library),
            function: Str::of(self.function),
            extra: Str::of(self.extra),
            flags: f::SHMEM_ACCESS | if self.database { f::DATABASE_CONNECTION } else { 0 },
            start: self.start as u32,
            restart_s: self.restart.map_or(-1, |d| i32::try_from(d.as_secs()).unwrap_or(i32::MAX)),
            argument: self.argument,
        }
    }
}

/// A worker started by this process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handle(String);

/// What a dynamic worker does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkerStatus {
    NotStarted,
    Running(i32),
    Stopped,
}

/// The table, in the hands of a library.
pub struct Server<'a>(&'a Api);

impl<'a> Server<'a> {
    /// # Safety
    /// The pointer is the one the server passed to an exported function, for the length of that call.
    pub unsafe fn new(api: *const Api) -> Server<'a> {
        // SAFETY: the caller's promise.
        Server(unsafe { &*api })
    }
    fn answer(&self, code: i32) -> Result<(), SqlError> {
        if code == abi::OK {
            return Ok(());
        }
        let ((), rows) = gather(|e| (self.0.last_error)(self.0.host, e));
        let mut row = rows.into_iter().next().unwrap_or_default().into_iter();
        let mut text = || row.next().flatten().unwrap_or_default();
        Err(SqlError { sqlstate: text(), message: text(), fatal: code == abi::FATAL })
    }
    /// Writes a line to the server's log.
    pub fn log(&self, severity: &str, text: &str) {
        (self.0.log)(self.0.host, Str::of(severity), Str::of(text));
    }
    /// A setting's value as SHOW shows it.
    pub fn setting(&self, name: &str) -> Option<String> {
        let (code, rows) = gather(|e| (self.0.setting)(self.0.host, Str::of(name), e));
        (code == abi::OK).then(|| rows.into_iter().next()?.into_iter().next()?)?
    }
    /// A setting's value as a number, in its own unit.
    pub fn setting_int(&self, name: &str) -> Option<i64> {
        let (code, rows) = gather(|e| (self.0.setting)(self.0.host, Str::of(name), e));
        if code != abi::OK {
            return None;
        }
        rows.first()?.get(1)?.as_ref()?.parse().ok()
    }
    fn define(&self, d: &abi::SettingDef) -> Result<(), SqlError> {
        let code = (self.0.define_setting)(self.0.host, d);
        self.answer(code)
    }
    /// Defines a setting that is a whole number between `range`'s ends, in `unit`.
    pub fn define_int(
        &self,
        name: &str,
        description: &str,
        default: i64,
        range: std::ops::RangeInclusive<i64>,
        unit: &str,
        context: &str,
    ) -> Result<(), SqlError> {
        self.define(&abi::SettingDef {
            name: Str::of(name),
            description: Str::of(description),
            default: Str::of(&default.to_string()),
            unit: Str::of(unit),
            context: Str::of(context),
            kind: abi::setting_kind::INT,
            min: *range.start() as f64,
            max: *range.end() as f64,
        })
    }
    /// Defines a setting that is a text.
    pub fn define_string(
        &self,
        name: &str,
        description: &str,
        default: &str,
        context: &str,
    ) -> Result<(), SqlError> {
        self.define(&abi::SettingDef {
            name: Str::of(name),
            description: Str::of(description),
            default: Str::of(default),
            unit: Str::of(""),
            context: Str::of(context),
            kind: abi::setting_kind::STRING,
            min: 0.0,
            max: 0.0,
        })
    }
    /// Defines a setting that is on or off.
    pub fn define_bool(
        &self,
        name: &str,
        description: &str,
        default: bool,
        context: &str,
    ) -> Result<(), SqlError> {
        self.define(&abi::SettingDef {
            name: Str::of(name),
            description: Str::of(description),
            default: Str::of(if default { "on" } else { "off" }),
            unit: Str::of(""),
            context: Str::of(context),
            kind: abi::setting_kind::BOOL,
            min: 0.0,
            max: 0.0,
        })
    }
    /// Registers a background worker: in `init` under `shared_preload_libraries` for the life of the server, in a worker
    /// at once, with a handle.
    pub fn register_worker(&self, spec: &WorkerSpec<'_>) -> Result<Handle, SqlError> {
        let def = spec.def();
        let (code, rows) = gather(|e| (self.0.register_worker)(self.0.host, &def, e));
        self.answer(code)?;
        Ok(Handle(rows.into_iter().flatten().flatten().next().unwrap_or_default()))
    }
}

/// A background worker, in its own process.
pub struct Worker<'a> {
    server: Server<'a>,
    pub name: String,
    pub kind: String,
    pub extra: String,
    pub argument: i64,
}

impl<'a> Worker<'a> {
    /// # Safety
    /// As [`Server::new`].
    pub unsafe fn new(api: *const Api) -> Worker<'a> {
        // SAFETY: the caller's promise.
        let server = unsafe { Server::new(api) };
        let (argument, rows) = gather(|e| (server.0.me)(server.0.host, e));
        let mut row = rows.into_iter().next().unwrap_or_default().into_iter();
        let mut text = || row.next().flatten().unwrap_or_default();
        Worker { name: text(), kind: text(), extra: text(), argument, server }
    }
    /// The server: its log and settings.
    pub fn server(&self) -> &Server<'a> {
        &self.server
    }
    /// Connects to a database (`None`: shared catalogs only) as a role (`None`: the bootstrap superuser). Once.
    pub fn connect(&mut self, database: Option<&str>, role: Option<&str>) -> Result<(), SqlError> {
        let api = self.server.0;
        let code = (api.connect)(api.host, Str::maybe(database), Str::maybe(role));
        self.server.answer(code)
    }
    /// Runs statements as the simple protocol does: in one transaction unless they say otherwise.
    pub fn execute(&mut self, sql: &str) -> Result<Rows, SqlError> {
        let api = self.server.0;
        let (code, rows) = gather(|e| (api.execute)(api.host, Str::of(sql), e));
        self.server.answer(code).map(|()| rows)
    }
    /// Sleeps until woken, signalled, or time is over. Returns false when the worker is to end.
    pub fn wait(&mut self, limit: Option<Duration>) -> bool {
        let ms = limit.map_or(-1, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX));
        (self.server.0.wait)(self.server.0.host, ms) & abi::woken::TERMINATE == 0
    }
    /// What a worker this one has registered does.
    pub fn status(&self, h: &Handle) -> WorkerStatus {
        match (self.server.0.worker_pid)(self.server.0.host, Str::of(&h.0)) {
            0 => WorkerStatus::Stopped,
            p if p < 0 => WorkerStatus::NotStarted,
            p => WorkerStatus::Running(p),
        }
    }
    /// Ends a worker this one has registered, for good.
    pub fn terminate(&self, h: &Handle) {
        (self.server.0.terminate_worker)(self.server.0.host, Str::of(&h.0));
    }
}

/// What came of archiving a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Archive {
    Done,
    Failed,
    /// The library's settings do not say where to.
    NotConfigured,
}

/// Runs a library's function, catching panics; an error goes to the log.
pub fn guarded(server: &Server<'_>, f: impl FnOnce() -> Result<(), SqlError>) -> i32 {
    match std::panic::catch_unwind(std::panic::AssertUnwindSafe(f)) {
        Ok(Ok(())) => 0,
        Ok(Err(e)) => {
            // A fatal one was logged by the server.
            if !e.fatal {
                server.log("ERROR", &e.message);
            }
            1
        }
        Err(_) => {
            server.log("ERROR", "panic in a loaded library");
            1
        }
    }
}

/// Makes the library loadable: the magic block, and `init`, called when it is loaded.
#[macro_export]
macro_rules! library {
    ($init:path) => {
        /// The magic block.
        #[unsafe(no_mangle)]
        pub extern "C" fn stegodon_magic() -> *const $crate::abi::Magic {
            static MAGIC: $crate::abi::Magic = $crate::abi::MAGIC;
            &raw const MAGIC
        }
        /// Called by the server when it has loaded the library.
        ///
        /// # Safety
        /// The table lives through the call.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn stegodon_init(api: *const $crate::abi::Api) -> i32 {
            // SAFETY: the server passes its table.
            let (log, mut server) = unsafe { ($crate::Server::new(api), $crate::Server::new(api)) };
            $crate::guest::guarded(&log, || $init(&mut server))
        }
    };
}

/// Exports a worker's main function under a name.
#[macro_export]
macro_rules! worker {
    ($name:ident, $main:path) => {
        /// A worker's main function, called in the worker's process.
        ///
        /// # Safety
        /// The table lives through the call.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $name(api: *const $crate::abi::Api) -> i32 {
            // SAFETY: the server passes its table.
            let (server, mut worker) = unsafe { ($crate::Server::new(api), $crate::Worker::new(api)) };
            $crate::guest::guarded(&server, || $main(&mut worker))
        }
    };
}

/// Exports an archive function: `fn(&Server, name: &str, path: &str) -> Archive`; with an empty name it says whether
/// archiving is configured.
#[macro_export]
macro_rules! archive {
    ($archive:path) => {
        /// Archives one segment.
        ///
        /// # Safety
        /// The table and the texts live through the call.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn stegodon_archive(
            api: *const $crate::abi::Api,
            name: $crate::abi::Str,
            path: $crate::abi::Str,
        ) -> i32 {
            // SAFETY: the server passes its table, and texts that live through the call.
            let (server, name, path) = unsafe { ($crate::Server::new(api), name.get(), path.get()) };
            let call = || $archive(&server, name.unwrap_or(""), path.unwrap_or(""));
            match std::panic::catch_unwind(std::panic::AssertUnwindSafe(call)) {
                Ok($crate::Archive::Done) => 0,
                Ok($crate::Archive::NotConfigured) => 2,
                _ => 1,
            }
        }
    };
}
