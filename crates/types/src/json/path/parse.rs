//! Text of a jsonpath to its tree. The lexer takes the longest of its patterns, and an error names the text of the
//! token the grammar could not use, as PostgreSQL's does: a word ended by a blank shows the blank, one ended by another
//! character shows nothing and reads as the end of input.

use super::ast::{Kind, Method, Op, Path, Step};
use crate::json::lex::too_deep;
use common::{Error, Result, SqlState, err};

/// Deepest nesting of parentheses, filters and subscripts.
const DEPTH_MAX: usize = 250;
/// Most operators and accessors: they make the tree deep without nesting the text.
const STEPS_MAX: usize = 4000;

#[derive(Clone, Debug, PartialEq)]
enum Token {
    End,
    /// A word that is not quoted.
    Word(String),
    String(String),
    /// `$name` or `$"name"`.
    Variable(String),
    Number(String),
    Int(String),
    Sym(&'static str),
}

struct Lexed {
    token: Token,
    /// What an error shows; `None` reads as the end of input.
    shown: Option<String>,
}

fn error(message: &str, shown: Option<&str>) -> Error {
    match shown {
        None => err!(SYNTAX_ERROR, "{message} at end of jsonpath input"),
        Some(s) => err!(SYNTAX_ERROR, "{message} at or near \"{s}\" of jsonpath input"),
    }
}

fn blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{c}')
}
fn special(c: char) -> bool {
    matches!(
        c,
        '?' | '%'
            | '$'
            | '.'
            | '['
            | ']'
            | '{'
            | '}'
            | '('
            | ')'
            | '|'
            | '&'
            | '!'
            | '='
            | '<'
            | '>'
            | '@'
            | '#'
            | ','
            | '*'
            | ':'
            | '-'
            | '+'
            | '/'
    )
}
fn other(c: char) -> bool {
    !special(c) && !blank(c) && c != '\\' && c != '"'
}

struct Lexer<'a> {
    rest: &'a str,
}

fn digits(s: &str) -> usize {
    s.bytes().take_while(u8::is_ascii_digit).count()
}

/// Lengths of the number patterns: integer, decimal.
fn number_lengths(s: &str) -> (usize, usize) {
    let int = match s.bytes().next() {
        Some(b'0') => 1,
        Some(b'1'..=b'9') => digits(s),
        _ => 0,
    };
    let decimal = match s.as_bytes().get(int) {
        Some(b'.') => {
            let frac = digits(&s[int + 1..]);
            if int > 0 || frac > 0 { int + 1 + frac } else { 0 }
        }
        _ => 0,
    };
    (int, decimal)
}

impl<'a> Lexer<'a> {
    fn take(&mut self, n: usize) -> &'a str {
        let (a, b) = self.rest.split_at(n);
        self.rest = b;
        a
    }
    fn sym(&mut self, s: &'static str) -> Lexed {
        let t = self.take(s.len());
        Lexed { token: Token::Sym(s), shown: Some(t.to_string()) }
    }
    fn next(&mut self) -> Result<Lexed> {
        loop {
            self.rest = self.rest.trim_start_matches(blank);
            if !self.rest.starts_with("/*") {
                break;
            }
            self.comment()?;
        }
        let Some(c) = self.rest.chars().next() else {
            return Ok(Lexed { token: Token::End, shown: None });
        };
        if c == '"' {
            let s = self.quoted()?;
            return Ok(Lexed { token: Token::String(s), shown: Some("\"".into()) });
        }
        if let Some(n) = self.number()? {
            return Ok(n);
        }
        if c == '$' {
            let after = &self.rest[1..];
            if after.starts_with('"') {
                self.take(1);
                let s = self.quoted()?;
                return Ok(Lexed { token: Token::Variable(s), shown: Some("\"".into()) });
            }
            let n: usize = after.chars().take_while(|c| other(*c)).map(char::len_utf8).sum();
            if n > 0 {
                let text = self.take(1 + n);
                let token = Token::Variable(text[1..].to_string());
                return Ok(Lexed { token, shown: Some(text.to_string()) });
            }
            return Ok(self.sym("$"));
        }
        if other(c) || c == '\\' {
            return self.word();
        }
        const SYMBOLS: [&str; 8] = ["&&", "||", "**", "<=", "==", "<>", "!=", ">="];
        if let Some(s) = SYMBOLS.iter().find(|s| self.rest.starts_with(**s)) {
            let mut l = self.sym(s);
            if *s == "<>" {
                l.token = Token::Sym("!=");
            }
            return Ok(l);
        }
        const SINGLE: [&str; 24] = [
            "?", "%", ".", "[", "]", "{", "}", "(", ")", "|", "&", "!", "=", "<", ">", "@", "#", ",", "*",
            ":", "-", "+", "/", "$",
        ];
        match SINGLE.iter().find(|s| self.rest.starts_with(**s)) {
            Some(s) => Ok(self.sym(s)),
            None => Err(error("syntax error", None)),
        }
    }
    fn comment(&mut self) -> Result<()> {
        match self.rest[2..].find("*/") {
            Some(i) => {
                self.take(i + 4);
                Ok(())
            }
            None => Err(error("unexpected end of comment", None)),
        }
    }
    fn number(&mut self) -> Result<Option<Lexed>> {
        let s = self.rest;
        let (int, decimal) = number_lengths(s);
        let plain = int.max(decimal);
        if plain == 0 {
            return Ok(None);
        }
        let char_at = |i: usize| s[i..].chars().next();
        // (end, is it a number, message)
        let mut best = (plain, "");
        let mut consider = |end: usize, message: &'static str| {
            if end > best.0 {
                best = (end, message);
            }
        };
        for base in [decimal, int].into_iter().filter(|b| *b > 0) {
            if matches!(char_at(base), Some('e' | 'E')) {
                let sign = usize::from(matches!(char_at(base + 1), Some('+' | '-')));
                let n = digits(&s[base + 1 + sign..]);
                let end = base + 1 + sign + n;
                if n > 0 {
                    consider(end, "");
                    if let Some(c) = char_at(end).filter(|c| other(*c)) {
                        consider(end + c.len_utf8(), "trailing junk after numeric literal");
                    }
                } else if sign > 0 {
                    consider(end, "invalid numeric literal");
                }
            }
            if let Some(c) = char_at(base).filter(|c| other(*c)) {
                consider(base + c.len_utf8(), "trailing junk after numeric literal");
            }
        }
        let word: usize = s.chars().take_while(|c| other(*c)).map(char::len_utf8).sum();
        if word > best.0 {
            return Ok(None);
        }
        let text = self.take(best.0);
        if !best.1.is_empty() {
            return Err(error(best.1, Some(text)));
        }
        let token = match text.bytes().all(|c| c.is_ascii_digit()) {
            true => Token::Int(text.into()),
            false => Token::Number(text.into()),
        };
        Ok(Some(Lexed { token, shown: Some(text.to_string()) }))
    }
    fn word(&mut self) -> Result<Lexed> {
        let mut s = String::new();
        loop {
            let n: usize = self.rest.chars().take_while(|c| other(*c)).map(char::len_utf8).sum();
            s.push_str(self.take(n));
            if !self.rest.starts_with('\\') {
                break;
            }
            self.escapes(&mut s)?;
        }
        let blanks: String = self.rest.chars().take_while(|c| blank(*c)).collect();
        let shown = (!blanks.is_empty()).then_some(blanks);
        if shown.is_some() {
            self.rest = self.rest.trim_start_matches(blank);
        }
        Ok(Lexed { token: Token::Word(s), shown })
    }
    fn quoted(&mut self) -> Result<String> {
        self.take(1);
        let mut s = String::new();
        loop {
            let n = self.rest.find(['"', '\\']).unwrap_or(self.rest.len());
            s.push_str(self.take(n));
            match self.rest.bytes().next() {
                None => return Err(error("unexpected end of quoted string", None)),
                Some(b'"') => {
                    self.take(1);
                    return Ok(s);
                }
                _ => self.escapes(&mut s)?,
            }
        }
    }
    /// One escape, or a run of `\u` escapes, which may form pairs of surrogates.
    fn escapes(&mut self, out: &mut String) -> Result<()> {
        let Some(c) = self.rest[1..].chars().next() else {
            return Err(error("unexpected end after backslash", Some("\\")));
        };
        let plain = match c {
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\u{b}',
            'x' => {
                let hex: String =
                    self.rest[2..].chars().take(2).take_while(char::is_ascii_hexdigit).collect();
                if hex.len() < 2 {
                    let shown = self.rest[..2 + hex.len()].to_string();
                    return Err(error("invalid hex character sequence", Some(&shown)));
                }
                self.take(4);
                return push_code(u32::from_str_radix(&hex, 16).unwrap_or(0), &mut None, out);
            }
            'u' => return self.unicode(out),
            c => c,
        };
        out.push(plain);
        self.take(1 + c.len_utf8());
        Ok(())
    }
    fn unicode(&mut self, out: &mut String) -> Result<()> {
        let mut high = None;
        while self.rest.starts_with("\\u") {
            let body = &self.rest[2..];
            let braces = body.starts_with('{');
            let hex: String = body[usize::from(braces)..]
                .chars()
                .take(if braces { 6 } else { 4 })
                .take_while(char::is_ascii_hexdigit)
                .collect();
            let closed = !braces || body[1 + hex.len()..].starts_with('}');
            if hex.is_empty() || (!braces && hex.len() < 4) || !closed {
                let shown = &self.rest[..2 + usize::from(braces) + hex.len()];
                return Err(error("invalid Unicode escape sequence", Some(shown)));
            }
            self.take(2 + hex.len() + if braces { 2 } else { 0 });
            push_code(u32::from_str_radix(&hex, 16).unwrap_or(0), &mut high, out)?;
        }
        match high {
            Some(_) => Err(surrogate("Unicode low surrogate must follow a high surrogate.")),
            None => Ok(()),
        }
    }
}

fn invalid_input() -> Error {
    err!(INVALID_TEXT_REPRESENTATION, "invalid input syntax for type jsonpath")
}
fn surrogate(detail: &str) -> Error {
    invalid_input().detail(detail)
}

fn push_code(code: u32, high: &mut Option<u32>, out: &mut String) -> Result<()> {
    if code == 0 {
        return Err(Error::new(SqlState::UNTRANSLATABLE_CHARACTER, "unsupported Unicode escape sequence")
            .detail("\\u0000 cannot be converted to text."));
    }
    match (code, high.take()) {
        (0xd800..=0xdbff, None) => *high = Some(code),
        (0xd800..=0xdbff, Some(_)) => {
            return Err(surrogate("Unicode high surrogate must not follow a high surrogate."));
        }
        (0xdc00..=0xdfff, Some(h)) => {
            let c = 0x10000 + ((h & 0x3ff) << 10) + (code & 0x3ff);
            out.push(char::from_u32(c).unwrap_or('\u{fffd}'));
        }
        (0xdc00..=0xdfff, None) | (_, Some(_)) => {
            return Err(surrogate("Unicode low surrogate must follow a high surrogate."));
        }
        (c, None) => match char::from_u32(c) {
            Some(c) => out.push(c),
            None => return Err(surrogate("Unicode escape value out of range.")),
        },
    }
    Ok(())
}

struct Parser<'a> {
    lexer: Lexer<'a>,
    at: Lexed,
    depth: usize,
    /// Within how many filters; within how many subscripts.
    filters: usize,
    subscripts: usize,
    /// Operators and accessors so far.
    steps: usize,
    /// What is wrong although the grammar allows it; syntax errors go first.
    misplaced: Option<&'static str>,
}

fn is_word(t: &Token, w: &str) -> bool {
    matches!(t, Token::Word(s) if s.eq_ignore_ascii_case(w))
}

impl Parser<'_> {
    fn advance(&mut self) -> Result<Token> {
        let next = self.lexer.next()?;
        Ok(std::mem::replace(&mut self.at, next).token)
    }
    fn fail<T>(&self) -> Result<T> {
        Err(error("syntax error", self.at.shown.as_deref()))
    }
    fn misplaced(&mut self, why: &'static str) {
        self.misplaced.get_or_insert(why);
    }
    fn is(&self, s: &str) -> bool {
        matches!(&self.at.token, Token::Sym(x) if *x == s)
    }
    fn accept(&mut self, s: &str) -> Result<bool> {
        let yes = self.is(s);
        if yes {
            self.advance()?;
        }
        Ok(yes)
    }
    fn expect(&mut self, s: &str) -> Result<()> {
        if self.accept(s)? { Ok(()) } else { self.fail() }
    }
    fn word(&mut self, w: &str) -> Result<bool> {
        let yes = is_word(&self.at.token, w);
        if yes {
            self.advance()?;
        }
        Ok(yes)
    }
    fn enter(&mut self) -> Result<()> {
        self.depth += 1;
        if self.depth > DEPTH_MAX { Err(too_deep()) } else { Ok(()) }
    }

    fn step(&mut self) -> Result<()> {
        self.steps += 1;
        if self.steps > STEPS_MAX { Err(too_deep()) } else { Ok(()) }
    }

    /// An expression or predicate whose operators bind at least as tightly as `min`.
    fn operators(&mut self, min: u8) -> Result<Step> {
        self.enter()?;
        let mut left = self.unary()?;
        loop {
            let op = match &self.at.token {
                Token::Sym("||") => Op::Or,
                Token::Sym("&&") => Op::And,
                Token::Sym("==") => Op::Eq,
                Token::Sym("!=") => Op::Ne,
                Token::Sym("<") => Op::Lt,
                Token::Sym(">") => Op::Gt,
                Token::Sym("<=") => Op::Le,
                Token::Sym(">=") => Op::Ge,
                Token::Sym("+") => Op::Add,
                Token::Sym("-") => Op::Sub,
                Token::Sym("*") => Op::Mul,
                Token::Sym("/") => Op::Div,
                Token::Sym("%") => Op::Mod,
                t if is_word(t, "starts") => Op::StartsWith,
                t if is_word(t, "like_regex") => {
                    if min > 2 {
                        break;
                    }
                    if left.is_predicate() {
                        return self.fail();
                    }
                    left = self.like_regex(left)?;
                    continue;
                }
                _ => break,
            };
            let prio = op.priority();
            if prio < min {
                break;
            }
            if left.is_predicate() != (prio < 2) {
                return self.fail();
            }
            self.advance()?;
            let right = if op == Op::StartsWith {
                if !self.word("with")? {
                    return self.fail();
                }
                match self.at.token.clone() {
                    Token::String(s) => {
                        self.advance()?;
                        Step::new(Kind::String(s))
                    }
                    Token::Variable(s) => {
                        self.advance()?;
                        Step::new(Kind::Variable(s))
                    }
                    _ => return self.fail(),
                }
            } else {
                self.operators(prio + 1)?
            };
            if op != Op::StartsWith && right.is_predicate() != (prio < 2) {
                return self.fail();
            }
            self.step()?;
            left = Step::new(Kind::Binary(op, Box::new(left), Box::new(right)));
        }
        self.depth -= 1;
        Ok(left)
    }

    fn like_regex(&mut self, left: Step) -> Result<Step> {
        self.advance()?;
        let Token::String(pattern) = self.at.token.clone() else { return self.fail() };
        self.advance()?;
        let mut given = String::new();
        if self.word("flag")? {
            let Token::String(f) = self.at.token.clone() else { return self.fail() };
            given = f;
            self.advance()?;
        }
        for c in given.chars() {
            if !"ismxq".contains(c) {
                return Err(invalid_input()
                    .detail(format!("Unrecognized flag character \"{c}\" in LIKE_REGEX predicate.")));
            }
        }
        let flags: String = "ismxq".chars().filter(|c| given.contains(*c)).collect();
        super::regex::compile(&pattern, &flags)?;
        Ok(Step::new(Kind::LikeRegex(Box::new(left), pattern, flags)))
    }

    fn unary(&mut self) -> Result<Step> {
        self.enter()?;
        let r = self.unary_inner();
        self.depth -= 1;
        r
    }

    fn unary_inner(&mut self) -> Result<Step> {
        for (s, minus) in [("+", false), ("-", true)] {
            if self.accept(s)? {
                let a = self.unary()?;
                if a.is_predicate() {
                    return self.fail();
                }
                return Ok(match (a.kind, a.next) {
                    (Kind::Number(n), None) => Step::new(Kind::Number(if minus { n.negated() } else { n })),
                    (kind, next) => {
                        let a = Box::new(Step { kind, next });
                        Step::new(if minus { Kind::Minus(a) } else { Kind::Plus(a) })
                    }
                });
            }
        }
        if self.accept("!")? {
            if !self.is("(") && !is_word(&self.at.token, "exists") {
                return self.fail();
            }
            let a = self.delimited()?;
            return Ok(Step::new(Kind::Not(Box::new(a))));
        }
        let mut step = self.primary()?;
        self.accessors(&mut step)?;
        Ok(step)
    }

    /// `(predicate)` or `exists (…)`.
    fn delimited(&mut self) -> Result<Step> {
        if self.word("exists")? {
            return self.exists();
        }
        self.expect("(")?;
        let p = self.operators(0)?;
        if !p.is_predicate() {
            return self.fail();
        }
        self.expect(")")?;
        Ok(p)
    }

    fn exists(&mut self) -> Result<Step> {
        self.expect("(")?;
        let e = self.operators(0)?;
        if e.is_predicate() {
            return self.fail();
        }
        self.expect(")")?;
        Ok(Step::new(Kind::Exists(Box::new(e))))
    }

    fn primary(&mut self) -> Result<Step> {
        let kind = match self.at.token.clone() {
            Token::Sym("$") => Kind::Root,
            Token::Sym("@") => {
                if self.filters == 0 {
                    self.misplaced("@ is not allowed in root expressions");
                }
                Kind::Current
            }
            Token::String(s) => Kind::String(s),
            Token::Variable(s) => Kind::Variable(s),
            Token::Int(s) | Token::Number(s) => Kind::Number(number(&s)?),
            Token::Sym("(") => {
                self.advance()?;
                let e = self.operators(0)?;
                self.expect(")")?;
                if e.is_predicate() && self.word("is")? {
                    if !self.word("unknown")? {
                        return self.fail();
                    }
                    return Ok(Step::new(Kind::IsUnknown(Box::new(e))));
                }
                return Ok(e);
            }
            Token::Word(w) => match w.as_str() {
                "null" => Kind::Null,
                "true" => Kind::Bool(true),
                "false" => Kind::Bool(false),
                w if w.eq_ignore_ascii_case("last") => {
                    if self.subscripts == 0 {
                        self.misplaced("LAST is allowed only in array subscripts");
                    }
                    Kind::Last
                }
                w if w.eq_ignore_ascii_case("exists") => {
                    self.advance()?;
                    return self.exists();
                }
                _ => return self.fail(),
            },
            _ => return self.fail(),
        };
        self.advance()?;
        Ok(Step::new(kind))
    }

    fn accessors(&mut self, step: &mut Step) -> Result<()> {
        loop {
            self.step()?;
            if self.accept("?")? {
                self.expect("(")?;
                self.filters += 1;
                let p = self.operators(0)?;
                self.filters -= 1;
                if !p.is_predicate() {
                    return self.fail();
                }
                self.expect(")")?;
                step.push(Kind::Filter(Box::new(p)));
            } else if self.accept("[")? {
                let kind = self.subscript()?;
                step.push(kind);
            } else if self.accept(".")? {
                let kind = self.member()?;
                step.push(kind);
            } else {
                return Ok(());
            }
        }
    }

    fn subscript(&mut self) -> Result<Kind> {
        if self.accept("*")? {
            self.expect("]")?;
            return Ok(Kind::AnyArray);
        }
        self.subscripts += 1;
        let mut list = Vec::new();
        loop {
            let from = self.operators(3)?;
            if from.is_predicate() {
                return self.fail();
            }
            let to = if self.word("to")? {
                let to = self.operators(3)?;
                if to.is_predicate() {
                    return self.fail();
                }
                Some(to)
            } else {
                None
            };
            list.push((from, to));
            if !self.accept(",")? {
                break;
            }
        }
        self.subscripts -= 1;
        self.expect("]")?;
        Ok(Kind::Index(list))
    }

    fn member(&mut self) -> Result<Kind> {
        if self.accept("*")? {
            return Ok(Kind::AnyKey);
        }
        if self.accept("**")? {
            return self.any();
        }
        match self.at.token.clone() {
            Token::String(s) => {
                self.advance()?;
                Ok(Kind::Key(s))
            }
            Token::Word(w) => {
                self.advance()?;
                if self.is("(") {
                    const METHODS: [Method; 7] = [
                        Method::Type,
                        Method::Size,
                        Method::Double,
                        Method::Ceiling,
                        Method::Floor,
                        Method::Abs,
                        Method::KeyValue,
                    ];
                    if w.eq_ignore_ascii_case("datetime") {
                        self.advance()?;
                        let template = match self.at.token.clone() {
                            Token::String(s) => {
                                self.advance()?;
                                Some(s)
                            }
                            _ => None,
                        };
                        self.expect(")")?;
                        return Ok(Kind::Datetime(template));
                    }
                    if let Some(m) = METHODS.iter().find(|m| w.eq_ignore_ascii_case(m.name())) {
                        self.advance()?;
                        self.expect(")")?;
                        return Ok(Kind::Method(*m));
                    }
                }
                Ok(Kind::Key(w))
            }
            _ => self.fail(),
        }
    }

    fn any(&mut self) -> Result<Kind> {
        if !self.accept("{")? {
            return Ok(Kind::Any(0, u32::MAX));
        }
        let first = self.level()?;
        let last = if self.word("to")? { self.level()? } else { first };
        self.expect("}")?;
        Ok(Kind::Any(first, last))
    }

    fn level(&mut self) -> Result<u32> {
        if self.word("last")? {
            return Ok(u32::MAX);
        }
        match self.at.token.clone() {
            Token::Int(s) => {
                self.advance()?;
                let v: i32 = crate::int::parse_int(&s)?;
                Ok(v as u32)
            }
            _ => self.fail(),
        }
    }
}

fn number(s: &str) -> Result<crate::numeric::Num> {
    crate::numeric::parse_numeric(s)
}

/// Parses a path. 42601, 22P02.
pub fn parse(text: &str) -> Result<Path> {
    let mut lexer = Lexer { rest: text };
    let at = lexer.next()?;
    if at.token == Token::End {
        return Err(err!(
            INVALID_TEXT_REPRESENTATION,
            "invalid input syntax for type jsonpath: \"{}\"",
            text
        ));
    }
    let mut p = Parser { lexer, at, depth: 0, filters: 0, subscripts: 0, steps: 0, misplaced: None };
    let mut lax = true;
    if p.word("strict")? {
        lax = false;
    } else {
        p.word("lax")?;
    }
    let expr = p.operators(0)?;
    if p.at.token != Token::End {
        return p.fail();
    }
    if let Some(why) = p.misplaced {
        return Err(err!(SYNTAX_ERROR, "{why}"));
    }
    Ok(Path { lax, expr })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is printed parses to what prints the same.
    #[test]
    fn round_trips() {
        for s in [
            "$.a[*] ? (@.b > 1 && !(@.c == \"x\") || exists(@.d)).e.type()",
            "strict $.**{2 to last}[last - 1 to last, 0]",
            "-(1 + $.a) * 2 - -3 % $\"v w\"",
            "($ ? (@ like_regex \"^a\" flag \"iq\") is unknown)",
            "$ ? (@ starts with $x).datetime(\"yyyy\")",
        ] {
            let Ok(p) = parse(s) else { continue };
            let mut a = Vec::new();
            p.write(&mut a);
            let text = String::from_utf8(a).unwrap();
            let mut b = Vec::new();
            parse(&text).unwrap().write(&mut b);
            assert_eq!(text.as_bytes(), b, "{s}");
        }
    }

    #[test]
    fn garbage_never_panics() {
        let s = "strict $.a[1 to last]?(@.\"b\\u00e9\" >= 1.5e3 && exists($x)).**{2}.datetime(\"x\")/*c*/";
        for i in 0..s.len() {
            let _ = parse(&s[..i]);
            for c in "\"\\$@().*[]{}1e +-/é".chars() {
                let mut t = s[..i].to_string();
                t.push(c);
                t.push_str(&s[i..]);
                let _ = parse(&t);
            }
        }
        let _ = parse(&"(".repeat(100_000));
        let _ = parse(&"-".repeat(100_000));
        let _ = parse(&"$?(".repeat(100_000));
    }
}
