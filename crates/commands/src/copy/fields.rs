//! Splitting a record into fields, and writing fields: escapes of the text format, quotes of CSV.

use super::options::{CopyOptions, Format};
use common::{Result, bail};

/// A record's fields: unescaped bytes in one buffer, and where each lies; `None` is NULL.
#[derive(Default)]
pub struct Fields {
    pub data: Vec<u8>,
    pub spans: Vec<Option<(u32, u32)>>,
}

impl Fields {
    /// Field `i`.
    pub fn get(&self, i: usize) -> Option<&[u8]> {
        self.spans[i].map(|(s, e)| &self.data[s as usize..e as usize])
    }

    /// Splits a record. `force_not_null` and `force_null` per field (CSV).
    pub fn split(&mut self, line: &[u8], o: &CopyOptions, force: &[(bool, bool)]) -> Result<()> {
        self.data.clear();
        self.spans.clear();
        match o.format {
            Format::Csv => self.split_csv(line, o, force),
            _ => {
                self.split_text(line, o);
                Ok(())
            }
        }
    }

    fn split_text(&mut self, line: &[u8], o: &CopyOptions) {
        let null = o.null.as_bytes();
        let mut rest = line;
        loop {
            // Raw extent of the field: a delimiter behind a backslash is data.
            let mut n = 0;
            let mut escaped = false;
            while n < rest.len() && rest[n] != o.delimiter {
                if rest[n] == b'\\' {
                    escaped = true;
                    n += 1;
                }
                n += 1;
            }
            let n = n.min(rest.len());
            let raw = &rest[..n];
            if raw == null {
                self.spans.push(None);
            } else {
                let start = self.data.len() as u32;
                if escaped {
                    unescape(raw, &mut self.data);
                } else {
                    self.data.extend_from_slice(raw);
                }
                self.spans.push(Some((start, self.data.len() as u32)));
            }
            if n == rest.len() {
                return;
            }
            rest = &rest[n + 1..];
        }
    }

    fn split_csv(&mut self, line: &[u8], o: &CopyOptions, force: &[(bool, bool)]) -> Result<()> {
        let null = o.null.as_bytes();
        let mut i = 0;
        loop {
            let start = self.data.len();
            let (mut quoted, mut saw_quote) = (false, false);
            loop {
                match line.get(i) {
                    None if quoted => bail!(BAD_COPY_FILE_FORMAT, "unterminated CSV quoted field"),
                    None => break,
                    Some(&c) if !quoted && c == o.delimiter => break,
                    Some(&c)
                        if quoted
                            && c == o.escape
                            && line.get(i + 1).is_some_and(|&d| d == o.escape || d == o.quote) =>
                    {
                        self.data.push(line[i + 1]);
                        i += 1;
                    }
                    Some(&c) if c == o.quote => {
                        quoted = !quoted;
                        saw_quote = true;
                    }
                    Some(&c) => self.data.push(c),
                }
                i += 1;
            }
            let k = self.spans.len();
            let (not_null, force_null) = force.get(k).copied().unwrap_or((false, false));
            let is_null = &self.data[start..] == null && if saw_quote { force_null } else { !not_null };
            self.spans.push(if is_null { None } else { Some((start as u32, self.data.len() as u32)) });
            if i >= line.len() {
                return Ok(());
            }
            i += 1;
        }
    }
}

/// Undoes the text format's escapes.
fn unescape(raw: &[u8], out: &mut Vec<u8>) {
    let mut i = 0;
    while i < raw.len() {
        let c = raw[i];
        i += 1;
        if c != b'\\' || i == raw.len() {
            out.push(c);
            continue;
        }
        let e = raw[i];
        i += 1;
        match e {
            b'b' => out.push(8),
            b'f' => out.push(12),
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            b'v' => out.push(11),
            b'0'..=b'7' => {
                let mut v = u32::from(e - b'0');
                for _ in 0..2 {
                    match raw.get(i) {
                        Some(&d @ b'0'..=b'7') => {
                            v = v * 8 + u32::from(d - b'0');
                            i += 1;
                        }
                        _ => break,
                    }
                }
                out.push(v as u8);
            }
            b'x' if raw.get(i).is_some_and(u8::is_ascii_hexdigit) => {
                let mut v = 0u32;
                for _ in 0..2 {
                    match raw.get(i).and_then(|d| char::from(*d).to_digit(16)) {
                        Some(d) => {
                            v = v * 16 + d;
                            i += 1;
                        }
                        None => break,
                    }
                }
                out.push(v as u8);
            }
            other => out.push(other),
        }
    }
}

/// Appends a value in the text format.
pub fn write_text(value: &[u8], delimiter: u8, out: &mut Vec<u8>) {
    for &c in value {
        let e = match c {
            8 => b'b',
            12 => b'f',
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            11 => b'v',
            b'\\' => b'\\',
            c if c == delimiter => c,
            c => {
                out.push(c);
                continue;
            }
        };
        out.push(b'\\');
        out.push(e);
    }
}

/// Appends a value in CSV, quoted if it must be (or `force`). A lone column whose value is `\.` is quoted too.
pub fn write_csv(value: &[u8], o: &CopyOptions, force: bool, single: bool, out: &mut Vec<u8>) {
    let special = |c: u8| c == o.delimiter || c == o.quote || c == b'\n' || c == b'\r';
    let quote = force
        || value == o.null.as_bytes()
        || (single && value == b"\\.")
        || value.iter().any(|&c| special(c));
    if !quote {
        out.extend_from_slice(value);
        return;
    }
    out.push(o.quote);
    for &c in value {
        if c == o.quote || c == o.escape {
            out.push(o.escape);
        }
        out.push(c);
    }
    out.push(o.quote);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(line: &str, options: &CopyOptions) -> Vec<Option<String>> {
        let mut f = Fields::default();
        f.split(line.as_bytes(), options, &[]).unwrap();
        (0..f.spans.len()).map(|i| f.get(i).map(|b| String::from_utf8_lossy(b).into_owned())).collect()
    }

    fn some(s: &str) -> Option<String> {
        Some(s.to_string())
    }

    #[test]
    fn text_fields() {
        let o = CopyOptions::new(&[], true).unwrap();
        assert_eq!(split("a\t\\N\t\tx\\ty", &o), vec![some("a"), None, some(""), some("x\ty")]);
        assert_eq!(split("", &o), vec![some("")]);
        assert_eq!(split("\\101\\x42\\\tz", &o), vec![some("AB\tz")]);
        assert_eq!(split("x\\", &o), vec![some("x\\")]);
    }

    #[test]
    fn csv_fields() {
        let mut o = CopyOptions::new(&[], true).unwrap();
        o.format = Format::Csv;
        o.delimiter = b',';
        o.null = String::new();
        assert_eq!(split("a,\"b,\"\"c\",,\"\"", &o), vec![some("a"), some("b,\"c"), None, some("")]);
        let mut f = Fields::default();
        assert!(f.split(b"\"x", &o, &[]).is_err());
    }

    #[test]
    fn text_survives_a_round_trip() {
        let o = CopyOptions::new(&[], true).unwrap();
        for v in ["plain", "tab\tnew\nline", "back\\slash", "\\N", "", "\u{8}\u{c}\u{b}\r"] {
            let mut out = Vec::new();
            write_text(v.as_bytes(), b'\t', &mut out);
            assert_eq!(split(&String::from_utf8(out).unwrap(), &o), vec![some(v)]);
        }
    }
}
