//! The server's side: the trait behind the table, and the C functions that lead to it.

use crate::abi::{self, Api, Emit, Str};
use std::ffi::c_void;

/// Why a call failed.
#[derive(Clone, Debug)]
pub struct Failure {
    pub sqlstate: String,
    pub message: String,
    /// The process must end.
    pub fatal: bool,
}

impl Failure {
    /// An error without a SQLSTATE of its own.
    pub fn internal(message: impl Into<String>) -> Failure {
        Failure { sqlstate: "XX000".into(), message: message.into(), fatal: false }
    }
}

/// A background worker, as a library asks for it.
#[derive(Clone, Debug)]
pub struct WorkerDef {
    pub name: String,
    pub kind: String,
    pub library: String,
    pub function: String,
    pub extra: String,
    pub flags: u32,
    pub start: u32,
    pub restart_s: i32,
    pub argument: i64,
}

/// A setting, as a library defines it.
#[derive(Clone, Debug)]
pub struct SettingDef {
    pub name: String,
    pub description: String,
    pub default: String,
    pub unit: String,
    pub context: String,
    pub kind: u32,
    pub min: f64,
    pub max: f64,
}

/// A consumer of rows.
pub type RowSink<'a> = &'a mut dyn FnMut(&[Option<&str>]);

/// What the server does for a library. Each call happens on behalf of one library in one process.
pub trait Host {
    /// A line in the log.
    fn log(&mut self, severity: &str, text: &str);
    /// A setting as shown, and in its base unit.
    fn setting(&mut self, name: &str) -> Option<(String, String)>;
    fn define_setting(&mut self, d: SettingDef) -> Result<(), Failure>;
    /// Registers a worker; answers with a handle if it can be asked after.
    fn register_worker(&mut self, _w: WorkerDef) -> Result<String, Failure> {
        Err(Failure::internal("background workers cannot be registered here"))
    }
    /// -1 not started, 0 stopped, otherwise the pid.
    fn worker_pid(&mut self, _handle: &str) -> i32 {
        0
    }
    fn terminate_worker(&mut self, _handle: &str) {}
    fn connect(&mut self, _database: Option<&str>, _role: Option<&str>) -> Result<(), Failure> {
        Err(Failure::internal("only a background worker can connect to a database"))
    }
    fn execute(&mut self, _sql: &str, _row: RowSink<'_>) -> Result<(), Failure> {
        Err(Failure::internal("only a background worker can run statements"))
    }
    /// `abi::woken` bits.
    fn wait(&mut self, _ms: Option<u64>) -> u32 {
        abi::woken::TERMINATE
    }
    /// Name, type, extra data and argument of this worker.
    fn me(&mut self) -> (String, String, String, i64) {
        Default::default()
    }
}

/// What the table's `host` points to.
struct Context<'a> {
    host: &'a mut dyn Host,
    failure: Option<Failure>,
}

impl Context<'_> {
    fn answer(&mut self, r: Result<(), Failure>) -> i32 {
        match r {
            Ok(()) => abi::OK,
            Err(f) => {
                let code = if f.fatal { abi::FATAL } else { abi::FAILED };
                self.failure = Some(f);
                code
            }
        }
    }
}

/// Lends a host to a library for the length of `call`.
pub fn lend<R>(host: &mut dyn Host, call: impl FnOnce(*const Api) -> R) -> R {
    let mut context = Context { host, failure: None };
    let api = Api {
        length: size_of::<Api>() as u32,
        abi: abi::ABI_VERSION,
        host: (&raw mut context).cast::<c_void>(),
        log,
        setting,
        define_setting,
        register_worker,
        worker_pid,
        terminate_worker,
        connect,
        execute,
        wait,
        last_error,
        me,
    };
    call(&raw const api)
}

/// Runs `f` on the context; a panic becomes `otherwise`.
fn on<R>(p: *mut c_void, otherwise: R, f: impl FnOnce(&mut Context<'_>) -> R) -> R {
    // SAFETY: `p` is the context of the `lend` that is on the stack below; the library has no other thread and calls
    // one function at a time (rule 5 of the README).
    let c = unsafe { &mut *p.cast::<Context<'_>>() };
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| f(c))).unwrap_or(otherwise)
}

fn text(s: Str) -> String {
    // SAFETY: lent by the library for this call.
    unsafe { s.get() }.unwrap_or("").to_string()
}

fn emit(e: Emit, values: &[Option<&str>]) {
    let lent: Vec<Str> = values.iter().map(|v| Str::maybe(*v)).collect();
    (e.call)(e.user, lent.as_ptr(), lent.len());
}

extern "C" fn log(p: *mut c_void, severity: Str, line: Str) {
    on(p, (), |c| c.host.log(&text(severity), &text(line)));
}
extern "C" fn setting(p: *mut c_void, name: Str, e: Emit) -> i32 {
    on(p, abi::FAILED, |c| match c.host.setting(&text(name)) {
        Some((shown, raw)) => {
            emit(e, &[Some(&shown), Some(&raw)]);
            abi::OK
        }
        None => abi::FAILED,
    })
}
extern "C" fn define_setting(p: *mut c_void, d: *const abi::SettingDef) -> i32 {
    // SAFETY: lent by the library for this call.
    let d = unsafe { &*d };
    on(p, abi::FAILED, |c| {
        let r = c.host.define_setting(SettingDef {
            name: text(d.name),
            description: text(d.description),
            default: text(d.default),
            unit: text(d.unit),
            context: text(d.context),
            kind: d.kind,
            min: d.min,
            max: d.max,
        });
        c.answer(r)
    })
}
extern "C" fn register_worker(p: *mut c_void, d: *const abi::WorkerDef, e: Emit) -> i32 {
    // SAFETY: lent by the library for this call.
    let d = unsafe { &*d };
    on(p, abi::FAILED, |c| {
        let r = c.host.register_worker(WorkerDef {
            name: text(d.name),
            kind: text(d.kind),
            library: text(d.library),
            function: text(d.function),
            extra: text(d.extra),
            flags: d.flags,
            start: d.start,
            restart_s: d.restart_s,
            argument: d.argument,
        });
        c.answer(r.map(|h| emit(e, &[Some(&h)])))
    })
}
extern "C" fn worker_pid(p: *mut c_void, h: Str) -> i32 {
    on(p, 0, |c| c.host.worker_pid(&text(h)))
}
extern "C" fn terminate_worker(p: *mut c_void, h: Str) -> i32 {
    on(p, abi::FAILED, |c| {
        c.host.terminate_worker(&text(h));
        abi::OK
    })
}
extern "C" fn connect(p: *mut c_void, database: Str, role: Str) -> i32 {
    on(p, abi::FAILED, |c| {
        // SAFETY: lent by the library for this call.
        let (d, r) = unsafe { (database.get(), role.get()) };
        let r = c.host.connect(d, r);
        c.answer(r)
    })
}
extern "C" fn execute(p: *mut c_void, sql: Str, e: Emit) -> i32 {
    on(p, abi::FAILED, |c| {
        let r = c.host.execute(&text(sql), &mut |row| emit(e, row));
        c.answer(r)
    })
}
extern "C" fn wait(p: *mut c_void, ms: i64) -> u32 {
    on(p, abi::woken::TERMINATE, |c| c.host.wait(u64::try_from(ms).ok()))
}
extern "C" fn last_error(p: *mut c_void, e: Emit) {
    on(p, (), |c| {
        if let Some(f) = c.failure.take() {
            emit(e, &[Some(&f.sqlstate), Some(&f.message)]);
        }
    });
}
extern "C" fn me(p: *mut c_void, e: Emit) -> i64 {
    on(p, 0, |c| {
        let (name, kind, extra, argument) = c.host.me();
        emit(e, &[Some(&name), Some(&kind), Some(&extra)]);
        argument
    })
}
