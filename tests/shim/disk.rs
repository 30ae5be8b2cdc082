//! A disk that can be full, fail, or forget. Loaded into the server by LD_PRELOAD, built by the test that uses it.
//!
//! `SHIM_RULES` names a file with lines `write ERRNO PART` and `fsync ERRNO PART`: such a call on a file whose path contains
//! PART fails with that error number. It is read at each call, so that a test can change it.
//!
//! `SHIM_SHADOW` names a directory that gets what a power loss would leave of the files below `SHIM_ROOT`: in `i/` the
//! contents of each file as of its last fsync, in `d/` the entries of each directory as of its.

use std::ffi::{c_char, c_int, c_void, CStr};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

extern "C" {
    fn dlsym(handle: *mut c_void, name: *const c_char) -> *mut c_void;
    fn __errno_location() -> *mut c_int;
}

/// The process has one thread: set while the shim itself works with files.
static BUSY: AtomicBool = AtomicBool::new(false);

struct Quiet;
impl Quiet {
    fn enter() -> Option<Quiet> {
        (!BUSY.swap(true, Ordering::Relaxed)).then_some(Quiet)
    }
}
impl Drop for Quiet {
    fn drop(&mut self) {
        BUSY.store(false, Ordering::Relaxed);
    }
}

fn real(name: &CStr) -> *mut c_void {
    // SAFETY: RTLD_NEXT and a terminated name.
    unsafe { dlsym(-1isize as *mut c_void, name.as_ptr()) }
}

fn path_of(fd: c_int) -> Option<PathBuf> {
    fs::read_link(format!("/proc/self/fd/{fd}")).ok()
}

/// The error a rule asks for.
fn refused(what: &str, fd: c_int) -> Option<c_int> {
    let _quiet = Quiet::enter()?;
    let rules = fs::read_to_string(std::env::var_os("SHIM_RULES")?).ok()?;
    let path = path_of(fd)?.to_string_lossy().into_owned();
    rules.lines().find_map(|l| {
        let mut words = l.split(' ');
        let (kind, errno, part) = (words.next()?, words.next()?, words.next()?);
        (kind == what && path.contains(part)).then(|| errno.parse().ok())?
    })
}

fn fail(errno: c_int) {
    // SAFETY: the thread's own errno.
    unsafe { *__errno_location() = errno };
}

macro_rules! writes {
    ($($name:ident($($arg:ident: $t:ty),*) -> $r:ty;)*) => {$(
        #[no_mangle]
        pub unsafe extern "C" fn $name(fd: c_int, $($arg: $t),*) -> $r {
            if let Some(e) = refused("write", fd) {
                fail(e);
                return -1;
            }
            let name = concat!(stringify!($name), "\0");
            let f: unsafe extern "C" fn(c_int, $($t),*) -> $r =
                std::mem::transmute(real(CStr::from_bytes_with_nul_unchecked(name.as_bytes())));
            f(fd, $($arg),*)
        }
    )*};
}

writes! {
    write(buf: *const c_void, n: usize) -> isize;
    pwrite(buf: *const c_void, n: usize, at: i64) -> isize;
    pwrite64(buf: *const c_void, n: usize, at: i64) -> isize;
    pwritev(iov: *const c_void, n: c_int, at: i64) -> isize;
    pwritev64(iov: *const c_void, n: c_int, at: i64) -> isize;
    fallocate(mode: c_int, at: i64, n: i64) -> c_int;
    fallocate64(mode: c_int, at: i64, n: i64) -> c_int;
}

macro_rules! syncs {
    ($($name:ident)*) => {$(
        #[no_mangle]
        pub unsafe extern "C" fn $name(fd: c_int) -> c_int {
            if let Some(e) = refused("fsync", fd) {
                fail(e);
                return -1;
            }
            // What is durable when the call returns is at least what was there when it began.
            remember(fd);
            0
        }
    )*};
}
syncs! { fsync fdatasync }

fn key(m: &fs::Metadata) -> String {
    let born = m.created().ok().and_then(|t| t.duration_since(std::time::UNIX_EPOCH).ok());
    format!("{}-{}", m.ino(), born.map_or(0, |d| d.as_nanos()))
}

fn replace(path: &Path, f: impl FnOnce(&Path) -> std::io::Result<()>) {
    let tmp = path.with_extension(format!("tmp{}", std::process::id()));
    if f(&tmp).is_ok() {
        let _ = fs::rename(&tmp, path);
    }
}

fn remember(fd: c_int) {
    let Some(_quiet) = Quiet::enter() else { return };
    let (Some(shadow), Some(root)) = (std::env::var_os("SHIM_SHADOW"), std::env::var_os("SHIM_ROOT")) else {
        return;
    };
    let Some(path) = path_of(fd) else { return };
    let Ok(rel) = path.strip_prefix(&root) else { return };
    let Ok(m) = fs::metadata(format!("/proc/self/fd/{fd}")) else { return };
    let shadow = Path::new(&shadow);
    if m.is_file() {
        let to = shadow.join("i").join(key(&m));
        replace(&to, |tmp| fs::copy(format!("/proc/self/fd/{fd}"), tmp).map(|_| ()));
    } else if m.is_dir() {
        let mut list = String::new();
        for e in fs::read_dir(&path).into_iter().flatten().flatten() {
            let Ok(m) = e.metadata() else { continue };
            let what = if m.is_dir() { "D".to_string() } else { key(&m) };
            list.push_str(&format!("{}\t{what}\n", e.file_name().to_string_lossy()));
        }
        let name = format!("r{}", rel.to_string_lossy().replace('/', "+"));
        replace(&shadow.join("d").join(name), |tmp| fs::write(tmp, list));
    }
}
