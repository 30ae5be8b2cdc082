//! A pattern made ready, and its matches.

use super::ast::{Ast, BACKREF, Look, Place, SHORTER, intricate, preference};
use super::charset::CharSet;
use super::dfa::{Dfa, Subject};
use super::dissect::{Dissection, Span};
use super::flags::Flags;
use super::parse::{TOO_COMPLEX, invalid, parse};
use super::program::{Alphabet, Program};
use super::tree::Part;
use common::Result;
use std::cell::RefCell;

/// Most places of a text tried with back-references, in characters read.
const TRIES: usize = 50_000_000;

/// A regular expression.
#[derive(Debug)]
pub struct Regex {
    flags: Flags,
    groups: usize,
    tree: Part,
    backref: bool,
    short: bool,
    /// Are there groups, or parts of different preference?
    intricate: bool,
    /// Can it match at the begin of the text only?
    anchored: bool,
    /// Every match begins with it; `whole`: and is it.
    prefix: String,
    whole: bool,
    state: RefCell<State>,
    looks: Vec<Look>,
}

#[derive(Debug)]
struct State {
    alphabet: Alphabet,
    search: Dfa,
    looks: Vec<Dfa>,
}

fn literal_prefix(a: &Ast, sets: &[CharSet], out: &mut String) -> bool {
    match a {
        Ast::Empty => true,
        Ast::Set(s) => match sets[*s as usize].single() {
            Some(c) => {
                out.push(c);
                true
            }
            None => false,
        },
        Ast::Cat(v) => v.iter().all(|a| literal_prefix(a, sets, out)),
        Ast::Group(a, None) => literal_prefix(a, sets, out),
        Ast::Group(a, Some(_)) => {
            literal_prefix(a, sets, out);
            false
        }
        _ => false,
    }
}

fn begins_text(a: &Ast) -> bool {
    match a {
        Ast::At(Place::TextStart) => true,
        Ast::Cat(v) => v.first().is_some_and(begins_text),
        Ast::Group(a, _) => begins_text(a),
        _ => false,
    }
}

impl Regex {
    /// Compiles a pattern. 2201B.
    pub fn new(pattern: &str, flags: Flags) -> Result<Regex> {
        let (p, flags) = parse(pattern, flags)?;
        let attributes = p.ast.attributes();
        let search = Dfa::new(Program::new([&p.ast].into_iter(), false)?, false, true);
        let mut looks = Vec::new();
        for l in &p.looks {
            looks.push(Dfa::new(Program::new([&l.ast].into_iter(), l.ahead)?, l.ahead, true));
        }
        let mut prefix = String::new();
        let whole = literal_prefix(&p.ast, &p.sets, &mut prefix) && !prefix.is_empty();
        Ok(Regex {
            flags,
            groups: p.groups as usize + 1,
            tree: Part::of(&p.ast),
            backref: attributes & BACKREF != 0,
            short: preference(attributes) == SHORTER,
            intricate: intricate(attributes),
            anchored: begins_text(&p.ast),
            prefix,
            whole,
            state: RefCell::new(State { alphabet: Alphabet::new(p.sets, flags.ctype), search, looks }),
            looks: p.looks,
        })
    }

    /// Number of capturing groups.
    pub fn groups(&self) -> usize {
        self.groups - 1
    }

    /// Text to be searched: what look-arounds ask about it is found out once.
    pub fn subject<'t>(&self, text: &'t str) -> Subject<'t> {
        let mut s = Subject { text, looks: Vec::new() };
        if self.looks.is_empty() {
            return s;
        }
        s.looks = vec![0; text.len() + 1];
        let mut st = self.state.borrow_mut();
        let State { alphabet, looks, .. } = &mut *st;
        for (i, (look, dfa)) in self.looks.iter().zip(looks).enumerate() {
            let mut hits = vec![look.negative; text.len() + 1];
            let mark = |at: usize| {
                hits[at] = !look.negative;
                false
            };
            if look.ahead {
                dfa.backward(alphabet, &s, text.len(), 0, mark);
            } else {
                dfa.forward(alphabet, &s, 0, text.len(), mark);
            }
            for (bits, hit) in s.looks.iter_mut().zip(&hits) {
                *bits |= u64::from(*hit) << i;
            }
        }
        s
    }

    /// Is there a match anywhere?
    pub fn is_match(&self, text: &str) -> Result<bool> {
        if self.whole {
            return Ok(memchr::memmem::find(text.as_bytes(), self.prefix.as_bytes()).is_some());
        }
        let s = self.subject(text);
        if self.backref {
            return Ok(self.find(&s, 0)?.is_some());
        }
        if self.anchored {
            let mut hit = false;
            let mut st = self.state.borrow_mut();
            let alphabet = &mut st.alphabet;
            self.tree.with_forward(|d| {
                d.forward(alphabet, &s, 0, text.len(), |_| {
                    hit = true;
                    true
                })
            })?;
            return Ok(hit);
        }
        Ok(self.search(&s, 0).is_some())
    }

    /// Earliest end of a match from `from` on, and where the leftmost may begin.
    fn search(&self, s: &Subject<'_>, from: usize) -> Option<(usize, usize)> {
        let mut from = from;
        if !self.prefix.is_empty() {
            from += memchr::memmem::find(&s.text.as_bytes()[from..], self.prefix.as_bytes())?;
        }
        let mut st = self.state.borrow_mut();
        let State { alphabet, search, .. } = &mut *st;
        search.search(alphabet, s, from)
    }

    /// The match that begins leftmost, not before `from`: its span and those of the groups.
    pub fn find(&self, s: &Subject<'_>, from: usize) -> Result<Option<Vec<Span>>> {
        if self.anchored && from > 0 {
            return Ok(None);
        }
        let (close, mut begin) = if self.anchored {
            (0, 0)
        } else {
            let Some((close, cold)) = self.search(s, from) else { return Ok(None) };
            (if self.backref { s.text.len() } else { close }, cold)
        };
        if self.backref {
            return self.find_trying(s, begin, close);
        }
        let mut read = 0;
        loop {
            let mut end = None;
            {
                let mut st = self.state.borrow_mut();
                let alphabet = &mut st.alphabet;
                let stop = self.tree.with_forward(|d| {
                    d.forward(alphabet, s, begin, s.text.len(), |at| {
                        end = Some(at);
                        self.short
                    })
                })?;
                read += stop - begin;
            }
            if let Some(end) = end {
                return self.dissect(s, begin, end);
            }
            if begin >= close {
                return Ok(None);
            }
            begin += s.text[begin..].chars().next().map_or(1, char::len_utf8);
            if read > 8 * (close - from) + 4096 {
                let mut st = self.state.borrow_mut();
                let State { alphabet, search, .. } = &mut *st;
                match search.leftmost(alphabet, s, begin) {
                    Some(b) => begin = b,
                    None => return Ok(None),
                }
                read = 0;
            }
        }
    }

    fn dissect(&self, s: &Subject<'_>, begin: usize, end: usize) -> Result<Option<Vec<Span>>> {
        let mut st = self.state.borrow_mut();
        let mut d = Dissection::new(&mut st.alphabet, s, self.flags, self.groups);
        if self.intricate && self.groups > 1 {
            d.run(&self.tree, begin, end)?;
        }
        d.groups[0] = Some((begin, end));
        Ok(Some(d.groups))
    }

    /// With back-references: every place and every end the automaton allows is tried.
    fn find_trying(&self, s: &Subject<'_>, mut begin: usize, close: usize) -> Result<Option<Vec<Span>>> {
        let mut st = self.state.borrow_mut();
        let mut tried = 0;
        loop {
            let mut d = Dissection::new(&mut st.alphabet, s, self.flags, self.groups);
            let mut ends = d.ends(&self.tree, begin, s.text.len())?;
            tried += ends.last().map_or(1, |e| e - begin + 1);
            if tried > TRIES {
                return Err(invalid(TOO_COMPLEX));
            }
            if !self.short {
                ends.reverse();
            }
            for end in ends {
                d.groups.fill(None);
                if d.run(&self.tree, begin, end)? {
                    d.groups[0] = Some((begin, end));
                    return Ok(Some(d.groups));
                }
            }
            if begin >= close {
                return Ok(None);
            }
            begin += s.text[begin..].chars().next().map_or(1, char::len_utf8);
        }
    }
}
