//! Process titles as `ps` shows them. Linux shows the bytes where the kernel put argv (and, past them, the
//! environment), so a title is written over these; the environment is moved to the heap first.

use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

/// The area a title can be written to.
pub struct Title {
    area: Option<(usize, usize)>,
    /// Bytes of the area that may differ from zero.
    used: Cell<usize>,
    /// `cluster_name`, shown behind `postgres: `.
    cluster: RefCell<String>,
}

impl Title {
    /// Finds the argument area. To be called once, early in the postmaster, before threads exist.
    pub fn init() -> Title {
        let area = find_area();
        if area.is_some() {
            move_environment();
        }
        Title { area, used: Cell::new(area.map_or(0, |a| a.1)), cluster: RefCell::default() }
    }
    /// A title that goes nowhere (tests, tools).
    pub fn none() -> Title {
        Title { area: None, used: Cell::new(0), cluster: RefCell::default() }
    }
    /// The cluster's name, which titles of its processes carry.
    pub fn set_cluster_name(&self, name: &str) {
        *self.cluster.borrow_mut() = name.to_string();
    }
    /// Writes the title; cut to what fits.
    pub fn set(&self, text: &str) {
        let Some((start, len)) = self.area else { return };
        let cluster = self.cluster.borrow();
        let named;
        let text = match text.strip_prefix("postgres: ") {
            Some(rest) if !cluster.is_empty() => {
                named = format!("postgres: {cluster}: {rest}");
                &named
            }
            _ => text,
        };
        let n = text.len().min(len - 1);
        // SAFETY: [start, start + len) is the process's own argument and environment area, writable, and nothing refers
        // to it: std copied the arguments at start, the environment was moved. Atomics because ps reads it any time.
        let area = unsafe { std::slice::from_raw_parts(start as *const AtomicU8, len) };
        for (cell, b) in area.iter().zip(&text.as_bytes()[..n]) {
            cell.store(*b, Relaxed);
        }
        let used = self.used.replace(n);
        area[n..used.max(n)].iter().for_each(|cell| cell.store(0, Relaxed));
    }
}

/// Names the process in `/proc/PID/comm`.
pub fn set_comm(name: &std::ffi::CStr) {
    // SAFETY: prctl copies at most 16 bytes of the NUL-terminated name.
    unsafe {
        libc::prctl(libc::PR_SET_NAME, name.as_ptr());
    }
}

/// arg_start, arg_end, env_start, env_end are fields 48 to 51 of /proc/self/stat.
fn find_area() -> Option<(usize, usize)> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let rest = &stat[stat.rfind(')')? + 2..];
    let f: Vec<&str> = rest.split_ascii_whitespace().collect();
    let num = |field: usize| f.get(field - 3)?.parse::<usize>().ok();
    let (arg_start, arg_end, env_start, env_end) = (num(48)?, num(49)?, num(50)?, num(51)?);
    if arg_start == 0 || arg_end <= arg_start {
        return None;
    }
    let end = if env_start == arg_end { env_end } else { arg_end };
    Some((arg_start, end - arg_start))
}

unsafe extern "C" {
    static mut environ: *mut *mut libc::c_char;
}

fn move_environment() {
    // SAFETY: no other thread exists (contract of `init`), `environ` is a NULL-terminated array of C strings. The copies
    // are leaked on purpose: they live as long as the process.
    unsafe {
        if environ.is_null() {
            return;
        }
        let mut copies = Vec::new();
        let mut p = environ;
        while !(*p).is_null() {
            copies.push(libc::strdup(*p));
            p = p.add(1);
        }
        copies.push(std::ptr::null_mut());
        environ = Box::leak(copies.into_boxed_slice()).as_mut_ptr();
    }
}
