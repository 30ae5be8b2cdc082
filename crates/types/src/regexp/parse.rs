//! Reading a pattern: advanced regular expressions and the basic flavour. The errors are PostgreSQL's.

use super::ast::{Ast, INFINITE, LONGER, Look, Pattern, Place, SHORTER};
use super::charset::{CharSet, Class};
use super::flags::{Flags, Flavour};
use common::{Error, Result, err};

/// Most repetitions a bound can name.
const REPEAT_MAX: u16 = 255;
/// Deepest nesting of parentheses.
const DEPTH_MAX: usize = 800;

/// `invalid regular expression: …` (2201B).
#[cold]
pub fn invalid(why: &str) -> Error {
    err!(INVALID_REGULAR_EXPRESSION, "invalid regular expression: {}", why)
}
pub const BAD_REPEAT: &str = "quantifier operand invalid";
pub const BAD_ESCAPE: &str = "invalid escape \\ sequence";
pub const TOO_COMPLEX: &str = "regular expression is too complex";
const BAD_PAREN: &str = "parentheses () not balanced";
const BAD_BOUND: &str = "invalid repetition count(s)";
const BAD_BACKREF: &str = "invalid backreference number";

/// What an escape means.
pub(super) enum Escape {
    Char(char),
    /// A character that no text has.
    Impossible,
    Class(Class, bool),
    Place(Place),
    Back(u32),
}

pub(super) struct Parser {
    pub(super) text: Vec<char>,
    pub(super) at: usize,
    pub(super) flags: Flags,
    sets: Vec<CharSet>,
    looks: Vec<Look>,
    /// The insides of closed groups.
    groups: Vec<Option<Ast>>,
    depth: usize,
}

/// Reads a pattern; the flags come back with the embedded options applied.
pub fn parse(pattern: &str, flags: Flags) -> Result<(Pattern, Flags)> {
    let mut p = Parser {
        text: pattern.chars().collect(),
        at: 0,
        flags,
        sets: Vec::new(),
        looks: Vec::new(),
        groups: vec![None],
        depth: 0,
    };
    p.prefixes()?;
    if p.flags.flavour == Flavour::Literal
        && (p.flags.expanded || p.flags.newline_stops || p.flags.newline_anchors)
    {
        return Err(invalid("invalid argument to regex function"));
    }
    let ast = if p.flags.flavour == Flavour::Literal {
        let rest: Vec<char> = p.text[p.at..].to_vec();
        Ast::Cat(rest.into_iter().map(|c| p.literal(c)).collect())
    } else {
        p.alternatives(false)?
    };
    if p.flags.flavour != Flavour::Literal && p.at < p.text.len() {
        return Err(invalid(BAD_PAREN));
    }
    let groups = p.groups.len() as u32 - 1;
    Ok((Pattern { ast, sets: p.sets, looks: p.looks, groups }, p.flags))
}

impl Parser {
    pub(super) fn peek(&self) -> Option<char> {
        self.text.get(self.at).copied()
    }
    pub(super) fn looking_at(&self, s: &str) -> bool {
        let mut i = self.at;
        s.chars().all(|c| {
            i += 1;
            self.text.get(i - 1) == Some(&c)
        })
    }
    pub(super) fn eat(&mut self, s: &str) -> bool {
        let hit = self.looking_at(s);
        if hit {
            self.at += s.chars().count();
        }
        hit
    }
    fn basic(&self) -> bool {
        self.flags.flavour == Flavour::Basic
    }

    /// Directors (`***=`, `***:`) and embedded options.
    fn prefixes(&mut self) -> Result<()> {
        if self.flags.flavour == Flavour::Literal {
            return Ok(());
        }
        if self.looking_at("***") && self.text.len() > 3 {
            match self.text[3] {
                '=' => {
                    self.flags.flavour = Flavour::Literal;
                    (self.flags.expanded, self.flags.newline_stops, self.flags.newline_anchors) =
                        (false, false, false);
                    self.at = 4;
                    return Ok(());
                }
                ':' => {
                    self.flags.flavour = Flavour::Advanced;
                    self.at = 4;
                }
                '?' => return Err(invalid("invalid regexp (reg version 0.8)")),
                _ => return Err(invalid(BAD_REPEAT)),
            }
        }
        if self.basic()
            || !self.looking_at("(?")
            || !self.text.get(self.at + 2).is_some_and(char::is_ascii_alphabetic)
        {
            return Ok(());
        }
        self.at += 2;
        while let Some(c) = self.peek().filter(char::is_ascii_alphabetic) {
            if !self.flags.set(c) {
                return Err(invalid("invalid embedded option"));
            }
            self.at += 1;
        }
        if !self.eat(")") {
            return Err(invalid("invalid embedded option"));
        }
        if self.flags.flavour == Flavour::Literal {
            (self.flags.expanded, self.flags.newline_stops, self.flags.newline_anchors) =
                (false, false, false);
        }
        Ok(())
    }

    pub(super) fn set(&mut self, s: CharSet) -> Ast {
        let i = self.sets.iter().position(|o| *o == s).unwrap_or_else(|| {
            self.sets.push(s);
            self.sets.len() - 1
        });
        Ast::Set(i as u32)
    }
    pub(super) fn literal(&mut self, c: char) -> Ast {
        let fold = self.flags.fold_case;
        self.set(CharSet::one(c, fold))
    }

    /// Skips blanks and comments where the expanded syntax has them, and `(?#…)`.
    fn skip(&mut self) {
        loop {
            let start = self.at;
            if self.flags.expanded {
                while self.peek().is_some_and(|c| Class::Space.has(c, self.flags.ctype)) {
                    self.at += 1;
                }
                if self.peek() == Some('#') {
                    while self.peek().is_some_and(|c| c != '\n') {
                        self.at += 1;
                    }
                }
            }
            if !self.basic() && self.looking_at("(?#") {
                while self.peek().is_some_and(|c| c != ')') {
                    self.at += 1;
                }
                self.at = (self.at + 1).min(self.text.len());
            }
            if self.at == start {
                return;
            }
        }
    }

    fn at_close(&self) -> bool {
        if self.basic() { self.looking_at("\\)") } else { self.peek() == Some(')') }
    }

    /// Branches with `|` between them, up to the end or a closing parenthesis.
    fn alternatives(&mut self, in_look: bool) -> Result<Ast> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(invalid(TOO_COMPLEX));
        }
        let mut v = vec![self.branch(in_look)?];
        while !self.basic() && self.eat("|") {
            v.push(self.branch(in_look)?);
        }
        self.depth -= 1;
        Ok(if v.len() == 1 { v.swap_remove(0) } else { Ast::Alt(v) })
    }

    fn branch(&mut self, in_look: bool) -> Result<Ast> {
        let mut v = Vec::new();
        let start = self.at;
        loop {
            self.skip();
            if self.peek().is_none() || self.at_close() || (!self.basic() && self.peek() == Some('|')) {
                break;
            }
            let first = v.is_empty() || (v.len() == 1 && self.basic() && self.text.get(start) == Some(&'^'));
            let (atom, quantifiable) = self.atom(in_look, first)?;
            v.push(if quantifiable { self.quantified(atom)? } else { atom });
        }
        Ok(match v.len() {
            0 => Ast::Empty,
            1 => v.swap_remove(0),
            _ => Ast::Cat(v),
        })
    }

    fn line_start(&self) -> Ast {
        Ast::At(if self.flags.newline_anchors { Place::LineStart } else { Place::TextStart })
    }
    fn line_end(&self) -> Ast {
        Ast::At(if self.flags.newline_anchors { Place::LineEnd } else { Place::TextEnd })
    }

    /// An atom or a constraint; the latter takes no quantifier.
    fn atom(&mut self, in_look: bool, first: bool) -> Result<(Ast, bool)> {
        if self.eat("[[:<:]]") {
            return Ok((Ast::At(Place::WordStart), false));
        }
        if self.eat("[[:>:]]") {
            return Ok((Ast::At(Place::WordEnd), false));
        }
        let c = self.text[self.at];
        if self.basic() {
            return self.basic_atom(c, in_look, first);
        }
        self.at += 1;
        let next_digit = self.peek().is_some_and(|d| d.is_ascii_digit());
        Ok((
            match c {
                '^' => return Ok((self.line_start(), false)),
                '$' => return Ok((self.line_end(), false)),
                '*' | '+' | '?' => return Err(invalid(BAD_REPEAT)),
                '{' if next_digit => return Err(invalid(BAD_REPEAT)),
                '(' if self.peek() == Some('?') => return self.special_group(in_look),
                '(' => self.group(in_look, true)?,
                '[' => self.bracket()?,
                '.' => self.set(CharSet::any(self.flags.newline_stops)),
                '\\' => return self.escaped(in_look),
                c => self.literal(c),
            },
            true,
        ))
    }

    fn basic_atom(&mut self, c: char, in_look: bool, first: bool) -> Result<(Ast, bool)> {
        self.at += 1;
        let ast = match c {
            '*' if !first => return Err(invalid(BAD_REPEAT)),
            '^' if first => return Ok((self.line_start(), false)),
            '$' if self.peek().is_none() || self.at_close() => return Ok((self.line_end(), false)),
            '[' => self.bracket()?,
            '.' => self.set(CharSet::any(self.flags.newline_stops)),
            '\\' => {
                let Some(e) = self.peek() else { return Err(invalid(BAD_ESCAPE)) };
                self.at += 1;
                match e {
                    '(' => self.group(in_look, true)?,
                    '{' => return Err(invalid(BAD_REPEAT)),
                    '<' => return Ok((Ast::At(Place::WordStart), false)),
                    '>' => return Ok((Ast::At(Place::WordEnd), false)),
                    '1'..='9' => self.back_reference(e as u32 - '0' as u32, in_look)?,
                    e => self.literal(e),
                }
            }
            c => self.literal(c),
        };
        Ok((ast, true))
    }

    fn group(&mut self, in_look: bool, captures: bool) -> Result<Ast> {
        let n = if captures && !in_look {
            self.groups.push(None);
            Some(self.groups.len() - 1)
        } else {
            None
        };
        let inner = self.alternatives(in_look)?;
        if !(if self.basic() { self.eat("\\)") } else { self.eat(")") }) {
            return Err(invalid(BAD_PAREN));
        }
        if let Some(n) = n {
            self.groups[n] = Some(inner.clone());
        }
        Ok(Ast::Group(Box::new(inner), n.map(|n| n as u32)))
    }

    /// What begins with `(?`.
    fn special_group(&mut self, in_look: bool) -> Result<(Ast, bool)> {
        if self.eat("?:") {
            return Ok((self.group(in_look, false)?, true));
        }
        let (ahead, negative) = if self.eat("?=") {
            (true, false)
        } else if self.eat("?!") {
            (true, true)
        } else if self.eat("?<=") {
            (false, false)
        } else if self.eat("?<!") {
            (false, true)
        } else {
            return Err(invalid(BAD_REPEAT));
        };
        let inner = self.group(true, false)?;
        self.looks.push(Look { ast: inner, ahead, negative });
        if self.looks.len() > 64 {
            return Err(invalid(TOO_COMPLEX));
        }
        Ok((Ast::Look(self.looks.len() as u32 - 1), false))
    }

    fn back_reference(&mut self, n: u32, in_look: bool) -> Result<Ast> {
        match self.groups.get(n as usize) {
            Some(Some(a)) if !in_look => Ok(Ast::Back(n, Box::new(a.clone()))),
            _ => Err(invalid(BAD_BACKREF)),
        }
    }

    fn escaped(&mut self, in_look: bool) -> Result<(Ast, bool)> {
        Ok(match self.escape()? {
            Escape::Char(c) => (self.literal(c), true),
            Escape::Impossible => (self.set(CharSet::default()), true),
            Escape::Class(k, complement) => {
                let mut s = CharSet::class(k, complement);
                s.no_newline = complement && k == Class::Space && self.flags.newline_stops;
                (self.set(s), true)
            }
            Escape::Place(p) => (Ast::At(p), false),
            Escape::Back(n) => (self.back_reference(n, in_look)?, true),
        })
    }

    /// Up to `max` digits of a base, at least `min`.
    fn digits(&mut self, base: u32, min: usize, max: usize) -> Result<u32> {
        let start = self.at;
        let mut n = 0u32;
        while self.at - start < max
            && let Some(d) = self.peek().and_then(|c| c.to_digit(base))
        {
            n = n.saturating_mul(base).saturating_add(d);
            self.at += 1;
        }
        if self.at - start < min { Err(invalid(BAD_ESCAPE)) } else { Ok(n) }
    }

    fn code_point(n: u32) -> Result<Escape> {
        match char::from_u32(n) {
            Some(c) => Ok(Escape::Char(c)),
            None if n > 0x7fff_fffe => Err(invalid(BAD_ESCAPE)),
            None => Ok(Escape::Impossible),
        }
    }

    /// An escape of the advanced flavour, behind its backslash.
    pub(super) fn escape(&mut self) -> Result<Escape> {
        let Some(c) = self.peek() else { return Err(invalid(BAD_ESCAPE)) };
        self.at += 1;
        if !c.is_ascii_alphanumeric() {
            return Ok(Escape::Char(c));
        }
        Ok(match c {
            'a' => Escape::Char('\x07'),
            'b' => Escape::Char('\x08'),
            'B' => Escape::Char('\\'),
            'e' => Escape::Char('\x1b'),
            'f' => Escape::Char('\x0c'),
            'n' => Escape::Char('\n'),
            'r' => Escape::Char('\r'),
            't' => Escape::Char('\t'),
            'v' => Escape::Char('\x0b'),
            'c' => {
                let Some(c) = self.peek() else { return Err(invalid(BAD_ESCAPE)) };
                self.at += 1;
                Escape::Char(char::from((c as u32 & 0o37) as u8))
            }
            'u' => Self::code_point(self.digits(16, 4, 4)?)?,
            'U' => Self::code_point(self.digits(16, 8, 8)?)?,
            'x' => Self::code_point(self.digits(16, 1, 255)?)?,
            'A' => Escape::Place(Place::TextStart),
            'Z' => Escape::Place(Place::TextEnd),
            'm' => Escape::Place(Place::WordStart),
            'M' => Escape::Place(Place::WordEnd),
            'y' => Escape::Place(Place::WordEdge),
            'Y' => Escape::Place(Place::NoWordEdge),
            'd' | 'D' => Escape::Class(Class::Digit, c == 'D'),
            's' | 'S' => Escape::Class(Class::Space, c == 'S'),
            'w' | 'W' => Escape::Class(Class::Word, c == 'W'),
            '0'..='9' => self.number_escape(c)?,
            _ => return Err(invalid(BAD_ESCAPE)),
        })
    }

    /// A back-reference, or a character by its octal code.
    fn number_escape(&mut self, first: char) -> Result<Escape> {
        let start = self.at;
        self.at -= 1;
        if first != '0' {
            let n = self.digits(10, 1, 255)?;
            if self.at == start || (n as usize) < self.groups.len() {
                return Ok(Escape::Back(n));
            }
            self.at = start - 1;
        }
        let mut n = self.digits(8, 1, 3)?;
        if n > 0xff {
            self.at -= 1;
            n >>= 3;
        }
        Self::code_point(n)
    }

    /// The quantifier behind an atom, if there is one.
    fn quantified(&mut self, atom: Ast) -> Result<Ast> {
        self.skip();
        let lazy_allowed = !self.basic();
        let (min, max) = match self.peek() {
            Some('*') => {
                self.at += 1;
                (0, INFINITE)
            }
            Some('+') if !self.basic() => {
                self.at += 1;
                (1, INFINITE)
            }
            Some('?') if !self.basic() => {
                self.at += 1;
                (0, 1)
            }
            Some('{') if !self.basic() && self.text.get(self.at + 1).is_some_and(char::is_ascii_digit) => {
                self.at += 1;
                return self.bound(atom);
            }
            Some('\\') if self.basic() && self.eat("\\{") => return self.bound(atom),
            _ => return Ok(atom),
        };
        let preference = if lazy_allowed && self.eat("?") { SHORTER } else { LONGER };
        Ok(Ast::Repeat(Box::new(atom), min, max, preference))
    }

    fn bound_number(&mut self) -> Result<Option<u16>> {
        let mut n = None;
        while let Some(d) = self.peek().and_then(|c| c.to_digit(10)) {
            let v = n.unwrap_or(0) * 10 + d as u16;
            if v > REPEAT_MAX {
                return Err(invalid(BAD_BOUND));
            }
            n = Some(v);
            self.at += 1;
        }
        self.skip();
        Ok(n)
    }

    /// `m}`, `m,}` or `m,n}`.
    fn bound(&mut self, atom: Ast) -> Result<Ast> {
        self.skip();
        let ended = |p: &Parser| {
            if p.peek().is_none() { invalid("braces {} not balanced") } else { invalid(BAD_BOUND) }
        };
        let Some(min) = self.bound_number()? else { return Err(ended(self)) };
        let (max, exact) = if self.eat(",") {
            self.skip();
            let max = self.bound_number()?.unwrap_or(INFINITE);
            if min > max {
                return Err(invalid(BAD_BOUND));
            }
            (max, false)
        } else {
            (min, true)
        };
        if !self.eat(if self.basic() { "\\}" } else { "}" }) {
            return Err(ended(self));
        }
        let lazy = !self.basic() && self.eat("?");
        let preference = match (exact, lazy) {
            (true, _) => 0,
            (_, true) => SHORTER,
            _ => LONGER,
        };
        Ok(Ast::Repeat(Box::new(atom), min, max, preference))
    }
}
