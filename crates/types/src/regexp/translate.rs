//! Flags, and translation of a pattern to the `regex` crate's syntax.

use common::{Error, Result, err};
use regex::{Regex, RegexBuilder};

/// Options of a match.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Flags {
    pub fold_case: bool,
    pub global: bool,
    /// `.` and `[^…]` do not match a line end.
    pub newline_stops: bool,
    /// `^` and `$` match at line ends.
    pub newline_anchors: bool,
    /// Blanks and comments in the pattern are skipped.
    pub expanded: bool,
    /// The pattern is a plain string.
    pub literal: bool,
}

impl Flags {
    /// Reads option letters. 22023.
    pub fn parse(letters: &str) -> Result<Flags> {
        let mut f = Flags::default();
        for c in letters.chars() {
            match c {
                'g' => f.global = true,
                _ if f.set(c) => {}
                _ => {
                    return Err(err!(
                        INVALID_PARAMETER_VALUE,
                        "invalid regular expression option: \"{}\"",
                        c
                    ));
                }
            }
        }
        Ok(f)
    }
    fn set(&mut self, c: char) -> bool {
        match c {
            'i' => self.fold_case = true,
            'c' => self.fold_case = false,
            'n' | 'm' => (self.newline_stops, self.newline_anchors) = (true, true),
            's' => (self.newline_stops, self.newline_anchors) = (false, false),
            'p' => (self.newline_stops, self.newline_anchors) = (true, false),
            'w' => (self.newline_stops, self.newline_anchors) = (false, true),
            'x' => self.expanded = true,
            't' => self.expanded = false,
            'q' => self.literal = true,
            'a' | 'b' | 'e' => {}
            _ => return false,
        }
        true
    }
}

#[cold]
fn invalid(why: &str) -> Error {
    err!(INVALID_REGULAR_EXPRESSION, "invalid regular expression: {}", why)
}

struct Translator<'a> {
    rest: std::iter::Peekable<std::str::Chars<'a>>,
    out: String,
    flags: Flags,
    depth: usize,
}

/// Compiles a pattern. 2201B, 0A000.
pub fn compile(pattern: &str, mut flags: Flags) -> Result<Regex> {
    let mut pattern = pattern;
    if let Some(p) = pattern.strip_prefix("***=") {
        flags.literal = true;
        pattern = p;
    } else if let Some(p) = pattern.strip_prefix("***:") {
        pattern = p;
    } else if pattern.starts_with("***") {
        return Err(invalid("quantifier operand invalid"));
    }
    let text = if flags.literal {
        regex::escape(pattern)
    } else {
        let (body, flags2) = embedded(pattern, flags)?;
        flags = flags2;
        let mut t = Translator { rest: body.chars().peekable(), out: String::new(), flags, depth: 0 };
        t.run()?;
        t.out
    };
    RegexBuilder::new(&text)
        .case_insensitive(flags.fold_case)
        .dot_matches_new_line(!flags.newline_stops)
        .multi_line(flags.newline_anchors)
        .size_limit(32 << 20)
        .build()
        .map_err(|e| explain(&e))
}

/// Options written as `(?imx)` at the start.
fn embedded(pattern: &str, mut flags: Flags) -> Result<(&str, Flags)> {
    if let Some(rest) = pattern.strip_prefix("(?")
        && let Some(end) = rest.find(')')
        && end > 0
        && rest[..end].bytes().all(|c| c.is_ascii_lowercase())
    {
        for c in rest[..end].chars() {
            if !flags.set(c) {
                return Err(invalid("invalid embedded option"));
            }
        }
        return Ok((&rest[end + 1..], flags));
    }
    Ok((pattern, flags))
}

fn explain(e: &regex::Error) -> Error {
    let s = e.to_string();
    if matches!(e, regex::Error::CompiledTooBig(_)) {
        return invalid("regular expression is too complex");
    }
    invalid(if s.contains("repetition operator missing") {
        "quantifier operand invalid"
    } else if s.contains("group") || s.contains("parenthes") {
        "parentheses () not balanced"
    } else if s.contains("character class range") {
        "invalid character range"
    } else if s.contains("class") {
        "brackets [] not balanced"
    } else if s.contains("repetition") {
        "invalid repetition count(s)"
    } else {
        "invalid escape \\ sequence"
    })
}

fn literal(c: char, out: &mut String) {
    if c.is_ascii_punctuation() {
        out.push('\\');
    }
    out.push(c);
}

impl Translator<'_> {
    fn run(&mut self) -> Result<()> {
        while let Some(c) = self.rest.next() {
            match c {
                '\\' => self.escape(false)?,
                '[' => self.bracket()?,
                '(' => self.open()?,
                ')' => {
                    if self.depth == 0 {
                        return Err(invalid("parentheses () not balanced"));
                    }
                    self.depth -= 1;
                    self.out.push(')');
                }
                '{' if !self.rest.peek().is_some_and(char::is_ascii_digit) => self.out.push_str("\\{"),
                '{' => self.bound()?,
                '}' => self.out.push_str("\\}"),
                ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c' if self.flags.expanded => {}
                '#' if self.flags.expanded => {
                    for c in self.rest.by_ref() {
                        if c == '\n' {
                            break;
                        }
                    }
                }
                '.' | '*' | '+' | '?' | '|' | '^' => self.out.push(c),
                '$' => self.out.push('$'),
                _ => literal(c, &mut self.out),
            }
        }
        if self.depth > 0 {
            return Err(invalid("parentheses () not balanced"));
        }
        Ok(())
    }

    fn open(&mut self) -> Result<()> {
        self.depth += 1;
        if self.rest.peek() != Some(&'?') {
            self.out.push('(');
            return Ok(());
        }
        self.rest.next();
        match self.rest.next() {
            Some(':') => {
                self.out.push_str("(?:");
                Ok(())
            }
            Some('=' | '!' | '<') => {
                Err(Error::unsupported("look-around constraint in a regular expression"))
            }
            Some('#') => {
                self.depth -= 1;
                for c in self.rest.by_ref() {
                    if c == ')' {
                        return Ok(());
                    }
                }
                Err(invalid("parentheses () not balanced"))
            }
            _ => Err(invalid("quantifier operand invalid")),
        }
    }

    fn bound(&mut self) -> Result<()> {
        let mut body = String::new();
        loop {
            match self.rest.next() {
                Some('}') => break,
                Some(c) if c.is_ascii_digit() || c == ',' => body.push(c),
                _ => return Err(invalid("braces {} not balanced")),
            }
        }
        let mut it = body.split(',');
        let lo: u32 =
            it.next().and_then(|n| n.parse().ok()).ok_or_else(|| invalid("invalid repetition count(s)"))?;
        let hi = it.next();
        let bad = lo > 255
            || hi.is_some_and(|h| !h.is_empty() && h.parse::<u32>().map_or(true, |h| h > 255 || h < lo))
            || it.next().is_some();
        if bad {
            return Err(invalid("invalid repetition count(s)"));
        }
        self.out.push('{');
        self.out.push_str(&body);
        self.out.push('}');
        Ok(())
    }

    fn hex(&mut self, min: usize, max: usize) -> Result<char> {
        let mut v = 0u32;
        let mut n = 0;
        while n < max
            && let Some(d) = self.rest.peek().and_then(|c| c.to_digit(16))
        {
            v = v << 4 | d;
            n += 1;
            self.rest.next();
        }
        char::from_u32(v).filter(|_| n >= min).ok_or_else(|| invalid("invalid escape \\ sequence"))
    }

    /// Behind a backslash.
    fn escape(&mut self, in_class: bool) -> Result<()> {
        let Some(c) = self.rest.next() else { return Err(invalid("invalid escape \\ sequence")) };
        let word = match c {
            'd' | 's' | 'w' | 'D' | 'S' | 'W' => {
                self.out.push('\\');
                self.out.push(c);
                return Ok(());
            }
            'm' if !in_class => Some("\\b{start}"),
            'M' if !in_class => Some("\\b{end}"),
            'y' if !in_class => Some("\\b"),
            'Y' if !in_class => Some("\\B"),
            'A' if !in_class => Some("\\A"),
            'Z' if !in_class => Some("\\z"),
            _ => None,
        };
        if let Some(w) = word {
            self.out.push_str(w);
            return Ok(());
        }
        let ch = match c {
            'a' => '\x07',
            'b' => '\x08',
            'B' => '\\',
            'c' => match self.rest.next() {
                Some(x) => char::from((x as u32 as u8) & 0x1f),
                None => return Err(invalid("invalid escape \\ sequence")),
            },
            'e' => '\x1b',
            'f' => '\x0c',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\x0b',
            'u' => self.hex(4, 4)?,
            'U' => self.hex(8, 8)?,
            'x' => self.hex(1, 255)?,
            '0' => {
                let mut v = 0;
                for _ in 0..2 {
                    let Some(d) = self.rest.peek().and_then(|c| c.to_digit(8)) else { break };
                    v = v * 8 + d;
                    self.rest.next();
                }
                char::from_u32(v).unwrap_or('\0')
            }
            '1'..='9' if !in_class => {
                return Err(Error::unsupported("back-reference in a regular expression"));
            }
            c if c.is_alphanumeric() => return Err(invalid("invalid escape \\ sequence")),
            c => c,
        };
        literal(ch, &mut self.out);
        Ok(())
    }

    /// A bracket expression.
    fn bracket(&mut self) -> Result<()> {
        let unbalanced = || invalid("brackets [] not balanced");
        let ahead: String = self.rest.clone().take(6).collect();
        for (posix, ours) in [("[:<:]]", "\\b{start}"), ("[:>:]]", "\\b{end}")] {
            if ahead == posix {
                self.rest.nth(5);
                self.out.push_str(ours);
                return Ok(());
            }
        }
        self.out.push('[');
        if self.rest.peek() == Some(&'^') {
            self.rest.next();
            self.out.push('^');
            if self.flags.newline_stops {
                self.out.push_str("\\n");
            }
        }
        let mut first = true;
        loop {
            let c = self.rest.next().ok_or_else(unbalanced)?;
            match c {
                ']' if !first => break,
                '[' if matches!(self.rest.peek(), Some(':' | '.' | '=')) => self.class_item()?,
                '\\' => self.escape(true)?,
                '-' if !first && self.rest.peek() != Some(&']') => self.out.push('-'),
                c => literal(c, &mut self.out),
            }
            first = false;
        }
        self.out.push(']');
        Ok(())
    }

    /// `[:alpha:]`, `[.x.]`, `[=x=]` inside brackets.
    fn class_item(&mut self) -> Result<()> {
        let kind = self.rest.next().unwrap_or(':');
        let mut name = String::new();
        loop {
            match self.rest.next() {
                Some(c) if c == kind && self.rest.peek() == Some(&']') => {
                    self.rest.next();
                    break;
                }
                Some(c) => name.push(c),
                None => return Err(invalid("brackets [] not balanced")),
            }
        }
        if kind != ':' {
            let mut it = name.chars();
            return match (it.next(), it.next()) {
                (Some(c), None) => {
                    literal(c, &mut self.out);
                    Ok(())
                }
                _ => Err(invalid("invalid collating element")),
            };
        }
        const CLASSES: [&str; 13] = [
            "alpha", "upper", "lower", "digit", "xdigit", "alnum", "space", "print", "punct", "graph",
            "cntrl", "blank", "word",
        ];
        if !CLASSES.contains(&name.as_str()) {
            return Err(invalid("invalid character class"));
        }
        self.out.push_str("[:");
        self.out.push_str(&name);
        self.out.push_str(":]");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (t, p, want) in [
            ("pg_class", "^(pg_class)$", true),
            ("pg_classx", "^(pg_class)$", false),
            ("a]b", "[]]", true),
            ("a-b", "a[+-]b", true),
            ("x{y", "x{y", true),
            ("aaa", "^a{3}$", true),
            ("one two", "\\mtwo\\M", true),
            ("a\nb", "a.b", true),
            ("AbC", "(?i)abc", true),
            ("a.b", "***=a.b", true),
            ("axb", "***=a.b", false),
            ("&&", "[&&]{2}", true),
            ("foo bar", "[[:<:]]bar", true),
            ("\\", "[\\\\]", true),
        ] {
            assert_eq!(compile(p, Flags::default()).unwrap().is_match(t), want, "{t} ~ {p}");
        }
        for p in ["(", ")", "[", "*a", "a{2,1}", "\\1", "(?=a)", "a**"] {
            assert!(compile(p, Flags::default()).is_err() || p == "a**", "{p}");
        }
    }
}
