//! Fuzzing of everything that reads bytes from outside: what each target does with them ([`targets`]), and a loop that mutates
//! inputs and keeps those with a new outcome ([`run`]). `cargo xtask fuzz SECONDS` runs it for long, `tests/short.rs` briefly
//! and with a fixed seed.
//!
//! Feedback is the outcome: the code and shape of the error, or the shape of what came out. That needs no instrumented build,
//! and an input that gets further than others nearly always ends differently.
//! Invariant: a target fails by panicking, by taking longer than [`SLOW`], or by overflowing the stack.
#![forbid(unsafe_code)]

mod bytes;
mod engine;
mod text;
mod values;

pub use engine::{Budget, Failure, SLOW, run};

/// What an input led to, as a number: equal for inputs that went the same way.
pub type Outcome = u64;

/// Something that reads bytes.
pub struct Target {
    pub name: String,
    /// Inputs to start from.
    pub seeds: Vec<Vec<u8>>,
    /// Pieces to put into inputs.
    pub words: Vec<&'static str>,
    pub run: Box<dyn Fn(&[u8]) -> Outcome>,
}

/// All of them.
pub fn targets() -> Vec<Target> {
    let mut all = bytes::targets();
    all.extend(text::targets());
    all.extend(values::targets());
    all
}

/// The outcome of an error: its code and its message without what varies.
fn failed(e: &common::Error) -> Outcome {
    let r = e.report();
    let mut h = hash(0, r.sqlstate.as_str().as_bytes());
    let mut quoted = false;
    for b in r.message.bytes() {
        match b {
            b'"' => quoted = !quoted,
            b'0'..=b'9' => {}
            _ if quoted => {}
            _ => h = hash(h, &[b]),
        }
    }
    h
}

/// FNV-1a.
fn hash(seed: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(seed ^ 0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(*b)).wrapping_mul(0x100_0000_01b3))
}

/// The outcome of an output: its length class and the kinds of its characters.
fn shape(out: &[u8]) -> Outcome {
    let kinds = out.iter().take(12).map(|b| match b {
        b'0'..=b'9' => b'0',
        b'a'..=b'z' | b'A'..=b'Z' => b'a',
        b => *b,
    });
    hash(1 + u64::from(out.len().ilog2_or_zero()), &kinds.collect::<Vec<u8>>())
}

/// `ilog2` that knows zero.
trait LogOrZero {
    fn ilog2_or_zero(self) -> u32;
}

impl LogOrZero for usize {
    fn ilog2_or_zero(self) -> u32 {
        self.checked_ilog2().unwrap_or(0)
    }
}
