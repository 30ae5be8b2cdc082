//! What `pg_stat_activity` shows of a process, in its slot. Written by the owner only, read by anyone without a lock: a
//! change counter, odd during a write, tells readers to try again.

use crate::Shared;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, AtomicUsize, fence};

/// Text of bounded length, in words.
#[repr(C)]
pub struct Text<const WORDS: usize> {
    len: AtomicU32,
    _pad: AtomicU32,
    words: [AtomicU64; WORDS],
}
// SAFETY: atomics only.
unsafe impl<const WORDS: usize> Shared for Text<WORDS> {}

impl<const WORDS: usize> Text<WORDS> {
    pub(crate) fn set(&self, s: &str) {
        self.len.store(put(&self.words, s, WORDS * 8), Relaxed);
    }
    pub(crate) fn get(&self) -> String {
        fetch(&self.words, self.len.load(Relaxed))
    }
}

/// Stores at most `max` bytes of a text; returns how many.
fn put(words: &[AtomicU64], s: &str, max: usize) -> u32 {
    let mut n = s.len().min(max).min(words.len() * 8);
    while !s.is_char_boundary(n) {
        n -= 1;
    }
    for (w, chunk) in words.iter().zip(s.as_bytes()[..n].chunks(8)) {
        let mut b = [0; 8];
        b[..chunk.len()].copy_from_slice(chunk);
        w.store(u64::from_le_bytes(b), Relaxed);
    }
    n as u32
}

fn fetch(words: &[AtomicU64], len: u32) -> String {
    let n = (len as usize).min(words.len() * 8);
    let mut bytes = Vec::with_capacity(n + 8);
    for w in &words[..n.div_ceil(8)] {
        bytes.extend_from_slice(&w.load(Relaxed).to_le_bytes());
    }
    bytes.truncate(n);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// `state` of `pg_stat_activity`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u32)]
pub enum State {
    #[default]
    Undefined = 0,
    Idle = 1,
    Active = 2,
    IdleInTransaction = 3,
    FastPath = 4,
    IdleInTransactionAborted = 5,
    Disabled = 6,
}

impl State {
    /// As shown; `None` for processes without one.
    pub fn as_str(self) -> Option<&'static str> {
        Some(match self {
            State::Undefined => return None,
            State::Idle => "idle",
            State::Active => "active",
            State::IdleInTransaction => "idle in transaction",
            State::FastPath => "fastpath function call",
            State::IdleInTransactionAborted => "idle in transaction (aborted)",
            State::Disabled => "disabled",
        })
    }
    fn from_u32(v: u32) -> State {
        match v {
            1 => State::Idle,
            2 => State::Active,
            3 => State::IdleInTransaction,
            4 => State::FastPath,
            5 => State::IdleInTransactionAborted,
            6 => State::Disabled,
            _ => State::Undefined,
        }
    }
}

/// The shared part. Times are microseconds since 2000, 0 is none.
#[repr(C)]
pub struct Activity {
    change: AtomicU32,
    state: AtomicU32,
    backend_start: AtomicI64,
    xact_start: AtomicI64,
    query_start: AtomicI64,
    state_change: AtomicI64,
    query_id: AtomicI64,
    client_port: AtomicU32,
    _pad: AtomicU32,
    client_addr: Text<6>,
    client_host: Text<8>,
    app_name: Text<8>,
    worker_type: Text<12>,
    tls_bits: AtomicU32,
    _pad2: AtomicU32,
    tls_version: Text<2>,
    tls_cipher: Text<6>,
    tls_client: Text<16>,
    tls_serial: Text<6>,
    tls_issuer: Text<16>,
    query_len: AtomicU32,
    /// `track_activity_query_size`.
    query_bytes: AtomicU32,
    /// Address of the words of the query's text, elsewhere in the segment; 0 if there are none.
    query_at: AtomicUsize,
}
// SAFETY: atomics only; the address is of words in the segment, which is mapped at one address everywhere.
unsafe impl Shared for Activity {}

/// A consistent copy.
#[derive(Clone, Debug, Default)]
pub struct ActivityCopy {
    pub state: State,
    pub backend_start: i64,
    pub xact_start: i64,
    pub query_start: i64,
    pub state_change: i64,
    pub query_id: i64,
    /// Printed address; empty for Unix sockets and auxiliary processes.
    pub client_addr: String,
    pub client_host: String,
    /// -1 is a Unix socket, 0 none.
    pub client_port: i32,
    pub app_name: String,
    /// Of a background worker; otherwise empty.
    pub worker_type: String,
    pub tls: TlsCopy,
    pub query: String,
}

/// Encryption of a connection; an empty version is none.
#[derive(Clone, Debug, Default)]
pub struct TlsCopy {
    pub version: String,
    pub cipher: String,
    pub bits: i32,
    /// Of the client's certificate.
    pub client: String,
    pub serial: String,
    pub issuer: String,
}

impl Activity {
    fn write(&self, f: impl FnOnce(&Activity)) {
        // Only the owner writes: no read-modify-write is needed.
        let c = self.change.load(Relaxed);
        self.change.store(c.wrapping_add(1), Relaxed);
        fence(Release);
        f(self);
        self.change.store(c.wrapping_add(2), Release);
    }
    /// Where the text of the query goes; once, before any fork. A text takes at most `bytes - 1`, as in PostgreSQL.
    pub fn set_query_space(&self, words: &'static [AtomicU64], bytes: usize) {
        debug_assert!(words.len() * 8 >= bytes);
        self.query_bytes.store(bytes as u32, Relaxed);
        self.query_at.store(words.as_ptr() as usize, Relaxed);
    }
    /// `track_activity_query_size`.
    pub fn query_bytes(&self) -> usize {
        self.query_bytes.load(Relaxed) as usize
    }
    fn query_words(&self) -> &'static [AtomicU64] {
        let (at, bytes) = (self.query_at.load(Relaxed), self.query_bytes.load(Relaxed) as usize);
        if at == 0 {
            return &[];
        }
        // SAFETY: address and length come from `set_query_space`: a slice of the segment, which is never unmapped.
        unsafe { std::slice::from_raw_parts(at as *const AtomicU64, bytes.div_ceil(8)) }
    }
    fn set_query(&self, s: &str) {
        let max = (self.query_bytes.load(Relaxed) as usize).saturating_sub(1);
        self.query_len.store(put(self.query_words(), s, max), Relaxed);
    }
    /// `track_activities` is off: nothing is shown but that.
    pub fn disable(&self) {
        if self.is_disabled() {
            return;
        }
        self.write(|a| {
            a.state.store(State::Disabled as u32, Relaxed);
            for t in [&a.xact_start, &a.query_start, &a.state_change, &a.query_id] {
                t.store(0, Relaxed);
            }
            a.set_query("");
        });
    }
    /// Has `disable` been called last?
    pub fn is_disabled(&self) -> bool {
        self.state.load(Relaxed) == State::Disabled as u32
    }
    /// A process begins.
    pub fn start(&self, at: i64, client_addr: &str, client_host: &str, client_port: i32) {
        // Even, whatever a dead owner left.
        let c = self.change.load(Relaxed);
        self.change.store(c.wrapping_add(c & 1), Relaxed);
        self.write(|a| {
            a.state.store(0, Relaxed);
            a.backend_start.store(at, Relaxed);
            for t in [&a.xact_start, &a.query_start, &a.state_change, &a.query_id] {
                t.store(0, Relaxed);
            }
            a.client_addr.set(client_addr);
            a.client_host.set(client_host);
            a.client_port.store(client_port as u32, Relaxed);
            a.app_name.set("");
            a.worker_type.set("");
            a.tls_version.set("");
            a.set_query("");
        });
    }
    /// A process begins that works on what another one does.
    pub fn start_as(&self, at: i64, other: &ActivityCopy) {
        self.start(at, "", "", 0);
        self.write(|a| {
            a.state.store(other.state as u32, Relaxed);
            a.xact_start.store(other.xact_start, Relaxed);
            a.query_start.store(other.query_start, Relaxed);
            a.state_change.store(other.state_change, Relaxed);
            a.query_id.store(other.query_id, Relaxed);
            a.app_name.set(&other.app_name);
            a.set_query(&other.query);
        });
    }
    /// The connection is encrypted.
    pub fn tls(&self, t: &TlsCopy) {
        self.write(|a| {
            a.tls_bits.store(t.bits as u32, Relaxed);
            a.tls_version.set(&t.version);
            a.tls_cipher.set(&t.cipher);
            a.tls_client.set(&t.client);
            a.tls_serial.set(&t.serial);
            a.tls_issuer.set(&t.issuer);
        });
    }
    /// A statement begins.
    pub fn query(&self, at: i64, text: &str) {
        self.write(|a| {
            a.state.store(State::Active as u32, Relaxed);
            a.state_change.store(at, Relaxed);
            a.query_start.store(at, Relaxed);
            a.query_id.store(0, Relaxed);
            a.set_query(text);
        });
    }
    /// The state changes; the last query stays visible.
    pub fn state(&self, at: i64, s: State) {
        self.write(|a| {
            a.state.store(s as u32, Relaxed);
            a.state_change.store(at, Relaxed);
        });
    }
    /// A transaction begins, or ends (0).
    pub fn xact(&self, at: i64) {
        if !self.is_disabled() {
            self.write(|a| a.xact_start.store(at, Relaxed));
        }
    }
    /// `application_name` changes.
    pub fn app_name(&self, name: &str) {
        self.write(|a| a.app_name.set(name));
    }
    /// What a background worker calls itself.
    pub fn worker_type(&self, name: &str) {
        self.write(|a| a.worker_type.set(name));
    }
    /// The query's id changes.
    pub fn query_id(&self, id: i64) {
        self.write(|a| a.query_id.store(id, Relaxed));
    }
    /// The query's id, as the owner itself sees it.
    pub fn own_query_id(&self) -> i64 {
        self.query_id.load(Relaxed)
    }
    /// Reads a consistent copy. Gives up on consistency after many tries: a process that died in a write leaves it odd.
    pub fn read(&self) -> ActivityCopy {
        for attempt in 0.. {
            let before = self.change.load(Acquire);
            let copy = ActivityCopy {
                state: State::from_u32(self.state.load(Relaxed)),
                backend_start: self.backend_start.load(Relaxed),
                xact_start: self.xact_start.load(Relaxed),
                query_start: self.query_start.load(Relaxed),
                state_change: self.state_change.load(Relaxed),
                query_id: self.query_id.load(Relaxed),
                client_addr: self.client_addr.get(),
                client_host: self.client_host.get(),
                client_port: self.client_port.load(Relaxed) as i32,
                app_name: self.app_name.get(),
                worker_type: self.worker_type.get(),
                tls: TlsCopy {
                    version: self.tls_version.get(),
                    cipher: self.tls_cipher.get(),
                    bits: self.tls_bits.load(Relaxed) as i32,
                    client: self.tls_client.get(),
                    serial: self.tls_serial.get(),
                    issuer: self.tls_issuer.get(),
                },
                query: fetch(self.query_words(), self.query_len.load(Relaxed)),
            };
            fence(Acquire);
            if (before & 1 == 0 && self.change.load(Relaxed) == before) || attempt > 1000 {
                return copy;
            }
            std::hint::spin_loop();
        }
        ActivityCopy::default()
    }
}
