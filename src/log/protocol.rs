//! How messages travel through the pipe to the logger: in chunks that one `write` delivers whole, so that messages of many
//! processes do not mix. What does not begin like a chunk (a panic's text, a library's) is taken as plain text.

use std::collections::BTreeMap;

/// Formats of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Text,
    Csv,
    Json,
}

/// Most bytes that the kernel writes to a pipe at once.
const CHUNK: usize = 4096;
const HEADER: usize = 9;
const LAST: u8 = 1;

impl Kind {
    fn bits(self) -> u8 {
        match self {
            Kind::Text => 0,
            Kind::Csv => 2,
            Kind::Json => 4,
        }
    }
    fn of(bits: u8) -> Kind {
        match bits & 6 {
            2 => Kind::Csv,
            4 => Kind::Json,
            _ => Kind::Text,
        }
    }
}

/// The chunks of a message.
pub fn chunks(kind: Kind, pid: u32, text: &[u8]) -> Vec<Vec<u8>> {
    let mut out = Vec::new();
    let mut rest = text;
    loop {
        let n = rest.len().min(CHUNK - HEADER);
        let last = n == rest.len();
        let mut c = Vec::with_capacity(HEADER + n);
        c.extend_from_slice(&[0, 0]);
        c.extend_from_slice(&(n as u16).to_le_bytes());
        c.extend_from_slice(&pid.to_le_bytes());
        c.push(kind.bits() | if last { LAST } else { 0 });
        c.extend_from_slice(&rest[..n]);
        out.push(c);
        if last {
            return out;
        }
        rest = &rest[n..];
    }
}

/// Puts chunks together again.
#[derive(Default)]
pub struct Assembler {
    input: Vec<u8>,
    /// Unfinished messages by process and format.
    open: BTreeMap<(u32, u8), Vec<u8>>,
}

impl Assembler {
    /// Takes what was read and hands whole messages to `f`.
    pub fn feed(&mut self, bytes: &[u8], f: &mut dyn FnMut(Kind, &[u8])) {
        self.input.extend_from_slice(bytes);
        let mut at = 0;
        while at < self.input.len() {
            let b = &self.input[at..];
            if b.len() < HEADER && (b[0] == 0) {
                break;
            }
            let len = if b.len() >= HEADER { usize::from(u16::from_le_bytes([b[2], b[3]])) } else { 0 };
            let is_chunk = b.len() >= HEADER && b[0] == 0 && b[1] == 0 && b[8] < 8 && len <= CHUNK - HEADER;
            if !is_chunk {
                // Plain text up to what may be a chunk.
                let n = b.iter().skip(1).position(|c| *c == 0).map_or(b.len(), |n| n + 1);
                f(Kind::Text, &b[..n]);
                at += n;
                continue;
            }
            if b.len() < HEADER + len {
                break;
            }
            let pid = u32::from_le_bytes([b[4], b[5], b[6], b[7]]);
            let (flags, body) = (b[8], &b[HEADER..HEADER + len]);
            let key = (pid, flags & 6);
            let mut message = self.open.remove(&key).unwrap_or_default();
            message.extend_from_slice(body);
            if flags & LAST != 0 {
                f(Kind::of(flags), &message);
            } else {
                self.open.insert(key, message);
            }
            at += HEADER + len;
        }
        self.input.drain(..at);
    }
    /// The pipe is closed: what is left comes out as it is.
    pub fn finish(&mut self, f: &mut dyn FnMut(Kind, &[u8])) {
        for ((_, bits), message) in std::mem::take(&mut self.open) {
            f(Kind::of(bits), &message);
        }
        if !self.input.is_empty() {
            f(Kind::Text, &std::mem::take(&mut self.input));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_many_processes_in_any_slicing() {
        let long = "q".repeat(10_000);
        let mut bytes = Vec::new();
        let a = chunks(Kind::Text, 1, long.as_bytes());
        let b = chunks(Kind::Csv, 2, b"csv\n");
        bytes.extend_from_slice(&a[0]);
        bytes.extend_from_slice(&b[0]);
        a[1..].iter().for_each(|c| bytes.extend_from_slice(c));
        bytes.extend_from_slice(b"raw text\n");
        bytes.extend_from_slice(&chunks(Kind::Json, 3, b"{}\n")[0]);
        for step in [1, 7, 4096, 1 << 20] {
            let mut got = Vec::new();
            let mut raw = String::new();
            let mut asm = Assembler::default();
            for piece in bytes.chunks(step) {
                asm.feed(piece, &mut |k, m| {
                    let t = String::from_utf8_lossy(m).into_owned();
                    if k == Kind::Text && !t.starts_with('q') {
                        raw.push_str(&t);
                    } else {
                        got.push((k, t));
                    }
                });
            }
            assert_eq!(raw, "raw text\n");
            assert_eq!(
                got,
                vec![
                    (Kind::Csv, "csv\n".to_string()),
                    (Kind::Text, long.clone()),
                    (Kind::Json, "{}\n".to_string())
                ]
            );
        }
    }
}
