//! Cuts date and time input into fields, as PostgreSQL does: what a field is depends on its first character and the
//! separators inside, and a field keeps its text. What the fields mean is decided in [`super::parse`].

/// Most fields one value may have.
const FIELDS_MAX: usize = 25;

/// What a field looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Digits, perhaps with one point.
    Number,
    /// Digits and words with separators inside; also names of time zones with punctuation.
    Date,
    /// Digits with colons.
    Time,
    /// Sign and digits.
    Offset,
    /// Letters.
    Word,
    /// Sign and letters.
    Special,
}

/// One field, lower case.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    pub kind: Kind,
    pub text: String,
}

struct Scan<'a> {
    b: &'a [u8],
    at: usize,
    text: String,
}

impl Scan<'_> {
    fn peek(&self) -> u8 {
        self.b.get(self.at).copied().unwrap_or(0)
    }
    fn take(&mut self) {
        self.text.push(self.peek().to_ascii_lowercase() as char);
        self.at += 1;
    }
    fn take_while(&mut self, ok: impl Fn(u8) -> bool) {
        while self.at < self.b.len() && ok(self.peek()) {
            self.take();
        }
    }
    fn digits(&mut self) {
        self.take_while(|c| c.is_ascii_digit());
    }

    /// A field that begins with a digit.
    fn number(&mut self) -> Kind {
        self.digits();
        match self.peek() {
            b':' => {
                self.take_while(|c| c.is_ascii_digit() || matches!(c, b':' | b'.'));
                Kind::Time
            }
            sep @ (b'-' | b'/' | b'.') => {
                self.take();
                if !self.peek().is_ascii_digit() {
                    self.take_while(|c| c.is_ascii_alphanumeric() || c == sep);
                    return Kind::Date;
                }
                self.digits();
                if self.peek() == sep {
                    self.take_while(|c| c.is_ascii_digit() || c == sep);
                    return Kind::Date;
                }
                if sep == b'.' { Kind::Number } else { Kind::Date }
            }
            _ => Kind::Number,
        }
    }

    /// A field that begins with a letter; `is_keyword` tells words from names of zones with digits in them.
    fn word(&mut self, is_keyword: &dyn Fn(&str) -> bool) -> Kind {
        self.take_while(|c| c.is_ascii_alphabetic());
        let c = self.peek();
        let joined =
            matches!(c, b'-' | b'/' | b'.') || (c == b'+' || c.is_ascii_digit()) && !is_keyword(&self.text);
        if !joined {
            return Kind::Word;
        }
        self.take_while(|c| {
            c.is_ascii_alphanumeric() || matches!(c, b'+' | b'-' | b'/' | b'_' | b'.' | b':')
        });
        Kind::Date
    }
}

/// The fields of `text`; `None` if there is a character that begins none, or too many of either. `room` is the number of
/// bytes all fields may take, each with one more.
pub fn fields(text: &str, room: usize, is_keyword: &dyn Fn(&str) -> bool) -> Option<Vec<Field>> {
    let mut s = Scan { b: text.as_bytes(), at: 0, text: String::new() };
    let mut out = Vec::new();
    let mut used = 0;
    loop {
        while s.peek().is_ascii_whitespace() || s.peek() == 0x0b {
            s.at += 1;
        }
        if s.at >= s.b.len() {
            return Some(out);
        }
        let kind = match s.peek() {
            b'0'..=b'9' => s.number(),
            b'.' => {
                s.take();
                s.digits();
                Kind::Number
            }
            c if c.is_ascii_alphabetic() => s.word(is_keyword),
            b'+' | b'-' => {
                s.take();
                while s.peek().is_ascii_whitespace() {
                    s.at += 1;
                }
                match s.peek() {
                    c if c.is_ascii_digit() => {
                        s.take_while(|c| c.is_ascii_digit() || matches!(c, b':' | b'.' | b'-'));
                        Kind::Offset
                    }
                    c if c.is_ascii_alphabetic() => {
                        s.take_while(|c| c.is_ascii_alphabetic());
                        Kind::Special
                    }
                    _ => return None,
                }
            }
            c if c.is_ascii_punctuation() => {
                s.at += 1;
                continue;
            }
            _ => return None,
        };
        used += s.text.len() + 1;
        if out.len() == FIELDS_MAX || used > room {
            return None;
        }
        out.push(Field { kind, text: std::mem::take(&mut s.text) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_cut_where_postgresql_cuts() {
        let check = |text: &str, want: &str| {
            let got = fields(text, 150, &|w| w == "t" || w == "j")
                .map(|f| f.iter().map(|f| format!("{:?} {}", f.kind, f.text)).collect::<Vec<_>>().join(", "));
            assert_eq!(got.as_deref(), Some(want), "{text}");
        };
        check("2000-01-02T03:04+5", "Date 2000-01-02, Word t, Time 03:04, Offset +5");
        check("2000--01", "Date 2000--01");
        check("J2451187.5", "Word j, Number 2451187.5");
        check("EST5EDT e5", "Date est5edt, Date e5");
        check("- 5 +inf", "Offset -5, Special +inf");
        check("America/New_York 1.2.3", "Date america/new_york, Date 1.2.3");
        assert_eq!(fields("é", 150, &|_| false), None);
        assert_eq!(fields(&"1 ".repeat(26), 150, &|_| false), None);
        assert_eq!(fields(&"1".repeat(200), 150, &|_| false), None);
    }
}
