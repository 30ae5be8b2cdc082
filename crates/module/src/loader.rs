//! Opening a library and looking at its magic block before anything else of it runs.

use crate::abi::{ArchiveFn, InitFn, MAGIC, Magic, MagicFn, Str, WorkerFn};
use crate::host::{Host, lend};
use std::path::{Path, PathBuf};

/// Why a library cannot be used.
#[derive(Debug)]
pub enum LoadError {
    /// The system's message.
    Open(String),
    NoMagic,
    /// The library's magic block.
    Mismatch(Magic),
    /// Its `init` failed; it has said why in the log.
    Init,
}

/// An open library. It stays open for the life of the process.
pub struct Library {
    pub path: PathBuf,
    lib: &'static libloading::Library,
}

impl Library {
    /// Opens the file and checks the magic block.
    pub fn open(path: &Path) -> Result<Library, LoadError> {
        // SAFETY: opening runs the library's initialisers: trusted, as the administrator named the file.
        let lib = unsafe { libloading::Library::new(path) }.map_err(|e| LoadError::Open(cause(&e)))?;
        // Never closed: pointers into it are in many hands.
        let lib: &'static libloading::Library = Box::leak(Box::new(lib));
        // SAFETY: a symbol of this name has this type; nobody else exports it.
        let magic = unsafe { lib.get::<MagicFn>(b"stegodon_magic\0") }.map_err(|_| LoadError::NoMagic)?;
        let p = magic();
        if p.is_null() {
            return Err(LoadError::NoMagic);
        }
        // SAFETY: not null; the length stands first and says how much of the block is there.
        let length = unsafe { p.cast::<u32>().read() };
        if length != MAGIC.length {
            return Err(LoadError::Mismatch(Magic { length, abi: 0, server: 0, product: [0; 16] }));
        }
        // SAFETY: of full length.
        let magic = unsafe { *p };
        if magic != MAGIC {
            return Err(LoadError::Mismatch(magic));
        }
        Ok(Library { path: path.to_path_buf(), lib })
    }
    /// Runs `stegodon_init`, if the library has one.
    pub fn init(&self, host: &mut dyn Host) -> Result<(), LoadError> {
        // SAFETY: the magic block says that this name has this type.
        let Ok(f) = (unsafe { self.lib.get::<InitFn>(b"stegodon_init\0") }) else { return Ok(()) };
        // SAFETY: the table lives through the call (rule 5).
        match lend(host, |api| unsafe { f(api) }) {
            0 => Ok(()),
            _ => Err(LoadError::Init),
        }
    }
    /// Runs a worker's main function; `None`: there is no such function.
    pub fn run_worker(&self, function: &str, host: &mut dyn Host) -> Option<i32> {
        // SAFETY: a library registers functions that it has exported by `worker!`. Weak spot: a library that registers
        // the name of something else.
        let f = unsafe { self.lib.get::<WorkerFn>(function.as_bytes()) }.ok()?;
        // SAFETY: as in `init`.
        Some(lend(host, |api| unsafe { f(api) }))
    }
    /// Archives a segment; `None`: not an archive library.
    pub fn archive(&self, host: &mut dyn Host, name: &str, path: &str) -> Option<i32> {
        // SAFETY: as in `init`.
        let f = unsafe { self.lib.get::<ArchiveFn>(b"stegodon_archive\0") }.ok()?;
        // SAFETY: as above; the texts live through the call.
        Some(lend(host, |api| unsafe { f(api, Str::of(name), Str::of(path)) }))
    }
}

/// The system's message alone.
fn cause(e: &libloading::Error) -> String {
    match e {
        libloading::Error::DlOpen { source, .. } => {
            std::error::Error::source(source).map_or_else(|| format!("{source}"), |s| s.to_string())
        }
        other => other.to_string(),
    }
}
