//! Patterns as automata: the program of a part, read forwards or backwards, and the alphabet its steps are taken over.

use super::ast::{Ast, INFINITE, Place};
use super::charset::{CharSet, Class};
use super::parse::{TOO_COMPLEX, invalid};
use crate::locale::Ctype;
use common::Result;
use std::collections::HashMap;

/// Most steps of one program.
const SIZE_MAX: usize = 100_000;

/// A step of a nondeterministic automaton.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    /// A character of the set leads to the next step.
    Set(u32, u32),
    Split(u32, u32),
    At(Place, u32),
    Look(u32, u32),
    Match,
}

/// A nondeterministic automaton.
#[derive(Debug, Default)]
pub struct Program {
    pub steps: Vec<Step>,
    pub start: u32,
    /// Does any step look around?
    pub looks: bool,
    /// Does any step ask for a place?
    pub places: bool,
}

impl Program {
    /// The program of a part; `back` reads text from its end.
    pub fn new<'a>(parts: impl DoubleEndedIterator<Item = &'a Ast>, back: bool) -> Result<Program> {
        let mut p = Program::default();
        let mut next = p.push(Step::Match)?;
        if back {
            for a in parts {
                next = p.emit(a, next, true)?;
            }
        } else {
            for a in parts.rev() {
                next = p.emit(a, next, false)?;
            }
        }
        // Nothing leads back to it: who waits there has read nothing.
        p.start = p.push(Step::Split(next, next))?;
        Ok(p)
    }

    fn push(&mut self, s: Step) -> Result<u32> {
        if self.steps.len() >= SIZE_MAX {
            return Err(invalid(TOO_COMPLEX));
        }
        self.steps.push(s);
        Ok(self.steps.len() as u32 - 1)
    }

    /// Emits a part that goes on at `next`; returns its entry.
    fn emit(&mut self, a: &Ast, next: u32, back: bool) -> Result<u32> {
        match a {
            Ast::Empty => Ok(next),
            Ast::Set(s) => self.push(Step::Set(*s, next)),
            Ast::At(p) => {
                self.places = true;
                self.push(Step::At(*p, next))
            }
            Ast::Look(i) => {
                self.looks = true;
                self.push(Step::Look(*i, next))
            }
            Ast::Cat(v) if back => v.iter().try_fold(next, |n, a| self.emit(a, n, back)),
            Ast::Cat(v) => v.iter().rev().try_fold(next, |n, a| self.emit(a, n, back)),
            Ast::Alt(v) => {
                let mut entry = None;
                for a in v.iter().rev() {
                    let e = self.emit(a, next, back)?;
                    entry = Some(match entry {
                        Some(o) => self.push(Step::Split(e, o))?,
                        None => e,
                    });
                }
                Ok(entry.unwrap_or(next))
            }
            Ast::Group(a, _) => self.emit(a, next, back),
            Ast::Back(_, a) => self.emit_unconstrained(a, next, back),
            Ast::Repeat(a, min, max, _) => self.emit_repeat(a, *min, *max, next, back),
        }
    }

    fn emit_repeat(&mut self, a: &Ast, min: u16, max: u16, next: u32, back: bool) -> Result<u32> {
        let mut at = next;
        let mut copies = min;
        if max == INFINITE {
            let hub = self.push(Step::Split(0, next))?;
            let body = self.emit(a, hub, back)?;
            self.steps[hub as usize] = Step::Split(body, next);
            at = if min == 0 { hub } else { body };
            copies = min.saturating_sub(1);
        } else {
            for _ in min..max {
                let body = self.emit(a, at, back)?;
                at = self.push(Step::Split(body, next))?;
            }
        }
        for _ in 0..copies {
            at = self.emit(a, at, back)?;
        }
        Ok(at)
    }

    /// What a back-reference may match: the text of the group, wherever it stands.
    fn emit_unconstrained(&mut self, a: &Ast, next: u32, back: bool) -> Result<u32> {
        let from = self.steps.len();
        let entry = self.emit(a, next, back)?;
        for s in &mut self.steps[from..] {
            if let Step::At(_, n) | Step::Look(_, n) = *s {
                *s = Step::Split(n, n);
            }
        }
        Ok(entry)
    }
}

/// What stands beside a place.
pub const OTHER: u8 = 0;
pub const WORD: u8 = 1;
pub const NEWLINE: u8 = 2;
/// The begin or end of the text.
pub const EDGE: u8 = 3;

/// Is the place between these neighbours of the kind?
pub fn is_at(p: Place, left: u8, right: u8) -> bool {
    match p {
        Place::TextStart => left == EDGE,
        Place::TextEnd => right == EDGE,
        Place::LineStart => left == EDGE || left == NEWLINE,
        Place::LineEnd => right == EDGE || right == NEWLINE,
        Place::WordStart => left != WORD && right == WORD,
        Place::WordEnd => left == WORD && right != WORD,
        Place::WordEdge => (left == WORD) != (right == WORD),
        Place::NoWordEdge => (left == WORD) == (right == WORD),
    }
}

/// A letter of the alphabet: a class of characters that no set of the pattern tells apart, and which look-arounds hold.
/// Letter 0 is the edge of the text where nothing is looked for.
pub type Letter = u32;

/// Characters as letters.
#[derive(Debug)]
pub struct Alphabet {
    sets: Vec<CharSet>,
    ctype: Ctype,
    ascii: [u32; 128],
    wide: HashMap<char, u32, foldhash::fast::FixedState>,
    by_signature: HashMap<Box<[u64]>, u32, foldhash::fast::FixedState>,
    /// By colour: one bit for each set.
    signatures: Vec<Box<[u64]>>,
    kinds: Vec<u8>,
    by_looks: HashMap<(u32, u64), Letter, foldhash::fast::FixedState>,
    /// Colour and look-arounds of letters made for look-arounds.
    letters: Vec<(u32, u64)>,
}

impl Alphabet {
    pub fn new(sets: Vec<CharSet>, ctype: Ctype) -> Alphabet {
        let mut a = Alphabet {
            sets,
            ctype,
            ascii: [0; 128],
            wide: HashMap::default(),
            by_signature: HashMap::default(),
            signatures: vec![Box::default()],
            kinds: vec![EDGE],
            by_looks: HashMap::default(),
            letters: Vec::new(),
        };
        for b in 0..128u8 {
            a.ascii[usize::from(b)] = a.classify(char::from(b));
        }
        a
    }
    fn classify(&mut self, c: char) -> u32 {
        let kind = match c {
            '\n' => NEWLINE,
            c if Class::Word.has(c, self.ctype) => WORD,
            _ => OTHER,
        };
        let mut sig = vec![0u64; self.sets.len() / 64 + 2];
        sig[0] = u64::from(kind);
        for (i, s) in self.sets.iter().enumerate() {
            if s.has(c, self.ctype) {
                sig[i / 64 + 1] |= 1 << (i % 64);
            }
        }
        let sig = sig.into_boxed_slice();
        if let Some(&color) = self.by_signature.get(&sig) {
            return color;
        }
        let color = self.signatures.len() as u32;
        self.signatures.push(sig.clone());
        self.kinds.push(kind);
        self.by_signature.insert(sig, color);
        color
    }
    #[cold]
    fn wide_color(&mut self, c: char) -> u32 {
        if let Some(&color) = self.wide.get(&c) {
            return color;
        }
        let color = self.classify(c);
        self.wide.insert(c, color);
        color
    }
    /// Colour and length of the character at a byte offset; (0, 0) at the end.
    #[inline(always)]
    pub fn after(&mut self, text: &str, at: usize) -> (u32, usize) {
        match text.as_bytes().get(at) {
            Some(&b) if b < 128 => (self.ascii[usize::from(b)], 1),
            Some(_) => self.wide_after(text, at),
            None => (0, 0),
        }
    }
    fn wide_after(&mut self, text: &str, at: usize) -> (u32, usize) {
        text.get(at..).and_then(|t| t.chars().next()).map_or((0, 0), |c| (self.wide_color(c), c.len_utf8()))
    }
    /// Colour and length of the character before a byte offset.
    #[inline(always)]
    pub fn before(&mut self, text: &str, at: usize) -> (u32, usize) {
        match at.checked_sub(1).map(|i| text.as_bytes()[i]) {
            Some(b) if b < 128 => (self.ascii[usize::from(b)], 1),
            Some(_) => text[..at].chars().next_back().map_or((0, 0), |c| (self.wide_color(c), c.len_utf8())),
            None => (0, 0),
        }
    }
    /// What kind of neighbour a colour is.
    #[inline]
    pub fn kind(&self, color: u32) -> u8 {
        self.kinds[color as usize]
    }
    /// Is a colour in a set?
    #[inline]
    pub fn has(&self, color: u32, set: u32) -> bool {
        self.signatures[color as usize].get(set as usize / 64 + 1).is_some_and(|w| w >> (set % 64) & 1 == 1)
    }
    /// The letter of a colour where some look-arounds hold.
    pub fn with_looks(&mut self, color: u32, holding: u64) -> Letter {
        if let Some(&l) = self.by_looks.get(&(color, holding)) {
            return l;
        }
        let l = self.letters.len() as Letter;
        self.letters.push((color, holding));
        self.by_looks.insert((color, holding), l);
        l
    }
    /// Colour and look-arounds of a letter.
    pub fn spelled(&self, letter: Letter, looks: bool) -> (u32, u64) {
        if looks { self.letters[letter as usize] } else { (letter, 0) }
    }
}
