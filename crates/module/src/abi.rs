//! What crosses the border, byte for byte. Everything is `repr(C)`.

use std::ffi::c_void;

/// Version of the table below.
pub const ABI_VERSION: u32 = 1;
/// Version of the server, as `server_version_num` / 100.
pub const SERVER_VERSION: u32 = 1500;
/// Tells our libraries from everybody else's.
pub const PRODUCT: [u8; 16] = *b"Stegodon library";

/// The magic block.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Magic {
    pub length: u32,
    pub abi: u32,
    pub server: u32,
    pub product: [u8; 16],
}

/// Ours.
pub const MAGIC: Magic =
    Magic { length: size_of::<Magic>() as u32, abi: ABI_VERSION, server: SERVER_VERSION, product: PRODUCT };

/// Text lent for the length of a call: UTF-8, not terminated. A null pointer is "none".
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Str {
    pub ptr: *const u8,
    pub len: usize,
}

impl Str {
    /// No text.
    pub const NONE: Str = Str { ptr: std::ptr::null(), len: 0 };
    /// Lends a text.
    pub fn of(s: &str) -> Str {
        Str { ptr: s.as_ptr(), len: s.len() }
    }
    /// Lends a text, if there is one.
    pub fn maybe(s: Option<&str>) -> Str {
        s.map_or(Str::NONE, Str::of)
    }
    /// The text; `None` if there is none, or if it is not UTF-8.
    ///
    /// # Safety
    /// The pointer is null, or valid for `len` bytes for as long as the result is used.
    pub unsafe fn get<'a>(self) -> Option<&'a str> {
        if self.ptr.is_null() {
            return None;
        }
        // SAFETY: the caller's promise.
        std::str::from_utf8(unsafe { std::slice::from_raw_parts(self.ptr, self.len) }).ok()
    }
}

/// Takes results: called any number of times with `values` of `count` texts.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Emit {
    pub call: extern "C" fn(*mut c_void, *const Str, usize),
    pub user: *mut c_void,
}

/// Worker flags: PostgreSQL's values.
pub mod worker_flags {
    /// Shared memory is used (always set).
    pub const SHMEM_ACCESS: u32 = 1;
    /// Statements will be run.
    pub const DATABASE_CONNECTION: u32 = 2;
}

/// A background worker to be registered.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct WorkerDef {
    pub name: Str,
    pub kind: Str,
    /// Library and function in it; an empty library is the one that registers.
    pub library: Str,
    pub function: Str,
    pub extra: Str,
    pub flags: u32,
    /// 0: when the postmaster has started, 1: in a consistent state, 2: when recovery has finished.
    pub start: u32,
    /// Seconds until a worker that failed is started again; negative: never.
    pub restart_s: i32,
    pub argument: i64,
}

/// Kinds of settings.
pub mod setting_kind {
    pub const BOOL: u32 = 0;
    pub const INT: u32 = 1;
    pub const REAL: u32 = 2;
    pub const STRING: u32 = 3;
}

/// A setting to be defined. Numbers are in `unit` (`ms`, `s`, `min`, `kB`, `8kB`, `MB`, or empty).
#[repr(C)]
#[derive(Clone, Copy)]
pub struct SettingDef {
    pub name: Str,
    pub description: Str,
    pub default: Str,
    pub unit: Str,
    /// `postmaster`, `sighup`, `superuser`, `user`, …
    pub context: Str,
    pub kind: u32,
    pub min: f64,
    pub max: f64,
}

/// Answers of functions that may fail: `last_error` says why.
pub const OK: i32 = 0;
pub const FAILED: i32 = 1;
/// The process must end (SIGTERM, FATAL).
pub const FATAL: i32 = 2;

/// Bits of the answer of `wait`.
pub mod woken {
    /// Time is over.
    pub const TIMEOUT: u32 = 1;
    /// The latch was set.
    pub const LATCH: u32 = 2;
    /// SIGHUP: the settings were read again.
    pub const RELOAD: u32 = 4;
    /// SIGTERM: return from the main function.
    pub const TERMINATE: u32 = 8;
}

/// What a library can call. The first argument of each is `host`.
#[repr(C)]
pub struct Api {
    pub length: u32,
    pub abi: u32,
    pub host: *mut c_void,
    /// A line in the server's log: severity (`LOG`, `WARNING`, `DEBUG1` …), text.
    pub log: extern "C" fn(*mut c_void, Str, Str),
    /// A setting's value, emitted.
    pub setting: extern "C" fn(*mut c_void, Str, Emit) -> i32,
    pub define_setting: extern "C" fn(*mut c_void, *const SettingDef) -> i32,
    /// Registers a background worker: at preload statically, in a worker dynamically. Emits a handle then.
    pub register_worker: extern "C" fn(*mut c_void, *const WorkerDef, Emit) -> i32,
    /// State of a dynamic worker: its pid, 0 stopped, -1 not started yet.
    pub worker_pid: extern "C" fn(*mut c_void, Str) -> i32,
    pub terminate_worker: extern "C" fn(*mut c_void, Str) -> i32,
    /// Connects a worker to a database (none: shared catalogs only) as a role (none: the bootstrap superuser).
    pub connect: extern "C" fn(*mut c_void, Str, Str) -> i32,
    /// Runs statements; rows are emitted, a null pointer is NULL.
    pub execute: extern "C" fn(*mut c_void, Str, Emit) -> i32,
    /// Sleeps for at most so many milliseconds (negative: no limit).
    pub wait: extern "C" fn(*mut c_void, i64) -> u32,
    /// Emits SQLSTATE and message of the last call that failed.
    pub last_error: extern "C" fn(*mut c_void, Emit),
    /// Emits name, type and extra data of this worker.
    pub me: extern "C" fn(*mut c_void, Emit) -> i64,
}

/// `stegodon_magic`.
pub type MagicFn = extern "C" fn() -> *const Magic;
/// `stegodon_init`, called once when the library is loaded.
pub type InitFn = unsafe extern "C" fn(*const Api) -> i32;
/// A worker's main function. Its answer is the exit status.
pub type WorkerFn = unsafe extern "C" fn(*const Api) -> i32;
/// `stegodon_archive`: 0 archived, 1 failed, 2 not configured. Name and path of the segment; an empty name asks whether
/// archiving is configured.
pub type ArchiveFn = unsafe extern "C" fn(*const Api, Str, Str) -> i32;
