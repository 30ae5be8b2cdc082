//! Works out which part of a pattern matched which text, as PostgreSQL does: parts from left to right, each taking the
//! longest or shortest text that lets the rest match. Without back-references the automata know whether the rest
//! matches, and nothing is tried in vain; with them matches are tried one after the other, within a budget.

use super::dfa::Subject;
use super::flags::Flags;
use super::parse::{TOO_COMPLEX, invalid};
use super::program::Alphabet;
use super::tree::{Node, Part};
use crate::locale::{lower_char as lower, upper_char as upper};
use common::Result;
use std::collections::HashSet;

/// Most characters looked at for one match of a pattern with back-references.
const BUDGET: u64 = 200_000_000;

/// A group's text, by byte offsets.
pub type Span = Option<(usize, usize)>;

pub struct Dissection<'a, 't> {
    pub alphabet: &'a mut Alphabet,
    pub subject: &'a Subject<'t>,
    pub flags: Flags,
    pub groups: Vec<Span>,
    budget: u64,
}

impl<'a, 't> Dissection<'a, 't> {
    pub fn new(alphabet: &'a mut Alphabet, subject: &'a Subject<'t>, flags: Flags, groups: usize) -> Self {
        Dissection { alphabet, subject, flags, groups: vec![None; groups], budget: BUDGET }
    }

    fn spend(&mut self, n: usize) -> Result<()> {
        self.budget = self.budget.saturating_sub(n as u64 + 1);
        if self.budget == 0 { Err(invalid(TOO_COMPLEX)) } else { Ok(()) }
    }

    fn forget(&mut self, p: &Part) {
        for g in p.groups.0..p.groups.1 {
            self.groups[g as usize] = None;
        }
    }

    /// Where a part that begins at `begin` may end, ascending.
    pub fn ends(&mut self, p: &Part, begin: usize, limit: usize) -> Result<Vec<usize>> {
        let mut v = Vec::new();
        let (alphabet, subject) = (&mut *self.alphabet, self.subject);
        let read = p.with_forward(|d| {
            d.forward(alphabet, subject, begin, limit, |at| {
                v.push(at);
                false
            })
        })?;
        self.spend(read - begin)?;
        Ok(v)
    }

    fn matches(&mut self, p: &Part, begin: usize, end: usize) -> Result<bool> {
        Ok(self.ends(p, begin, end)?.last() == Some(&end))
    }

    /// Fills the groups of a part that is known to match from `begin` to `end`, but for its back-references.
    pub fn run(&mut self, p: &Part, begin: usize, end: usize) -> Result<bool> {
        match &p.node {
            Node::Leaf => Ok(true),
            Node::Capture(n, inner) => {
                let ok = self.run(inner, begin, end)?;
                if ok {
                    self.groups[*n as usize] = Some((begin, end));
                }
                Ok(ok)
            }
            Node::Row(parts) => self.row(parts, begin, end),
            Node::Choice(v) => {
                for c in v {
                    if self.matches(c, begin, end)? {
                        if self.run(c, begin, end)? {
                            return Ok(true);
                        }
                        self.forget(c);
                    }
                }
                Ok(false)
            }
            Node::Repeat(min, max, inner) => self.repeat(inner, *min, *max, begin, end),
            Node::Back(n, min, max) => Ok(self.back(*n, *min, *max, begin, end)),
        }
    }

    /// The ends of the first part of a row that let the rest reach `end`, in the order to try them.
    fn splits(&mut self, parts: &[Part], begin: usize, end: usize) -> Result<Vec<usize>> {
        let mut ends = self.ends(&parts[0], begin, end)?;
        let low = ends.first().copied().unwrap_or(end);
        let mut fits = Vec::new();
        let (alphabet, subject) = (&mut *self.alphabet, self.subject);
        parts[0].with_suffix(&parts[1..], |d| {
            d.backward(alphabet, subject, end, low, |at| {
                fits.push(at);
                false
            });
        })?;
        self.spend(end - low)?;
        fits.reverse();
        ends.retain(|e| fits.binary_search(e).is_ok());
        if !parts[0].short {
            ends.reverse();
        }
        Ok(ends)
    }

    fn row(&mut self, mut parts: &[Part], mut begin: usize, end: usize) -> Result<bool> {
        while parts.len() > 1 {
            if parts.iter().any(|p| p.backref) {
                return self.row_trying(parts, begin, end);
            }
            let Some(&mid) = self.splits(parts, begin, end)?.first() else { return Ok(false) };
            if !self.run(&parts[0], begin, mid)? {
                return Ok(false);
            }
            begin = mid;
            parts = &parts[1..];
        }
        self.run(&parts[0], begin, end)
    }

    /// A row where what follows may turn out not to match.
    fn row_trying(&mut self, parts: &[Part], begin: usize, end: usize) -> Result<bool> {
        if parts.len() == 1 {
            return self.run(&parts[0], begin, end);
        }
        for mid in self.splits(parts, begin, end)? {
            if self.run(&parts[0], begin, mid)? && self.row_trying(&parts[1..], mid, end)? {
                return Ok(true);
            }
            parts.iter().for_each(|p| self.forget(p));
        }
        Ok(false)
    }

    /// `min` to `max` times the part: the ends of the single rounds are found by trying, from the preferred one on.
    fn repeat(&mut self, p: &Part, min: u16, max: u16, begin: usize, end: usize) -> Result<bool> {
        // No round at all is the last resort of a part that takes what it can, and the first of one that does not.
        let may_skip = min == 0 && begin == end;
        if may_skip && p.short {
            return Ok(true);
        }
        let min = usize::from(min).max(1);
        let max = if max == super::ast::INFINITE { usize::MAX } else { usize::from(max) };
        let max = max.min(end - begin).max(min);
        // One frame for each round: where it begins and the ends still to try.
        let mut rounds: Vec<(usize, Vec<usize>)> = Vec::new();
        let mut hopeless: HashSet<(usize, usize), foldhash::fast::FixedState> = HashSet::default();
        let mut at = begin;
        loop {
            let k = rounds.len() + 1;
            let mut ends = self.ends(p, at, end)?;
            // An empty round only where the number of rounds needs it.
            if !(k < min || (k == min && at == end)) {
                ends.retain(|e| *e > at);
            }
            if p.short {
                ends.reverse();
            }
            rounds.push((at, ends));
            // To the next end to try, dropping rounds that have none left.
            loop {
                let k = rounds.len();
                let Some((from, ends)) = rounds.last_mut() else {
                    self.forget(p);
                    return Ok(may_skip);
                };
                let Some(e) = ends.pop() else {
                    hopeless.insert((k, *from));
                    rounds.pop();
                    continue;
                };
                let from = *from;
                if e == end && k >= min {
                    if self.rounds_match(p, &rounds, end)? {
                        return Ok(true);
                    }
                    continue;
                }
                if k >= max || (!p.backref && hopeless.contains(&(k + 1, e))) {
                    continue;
                }
                debug_assert!(from <= e);
                at = e;
                break;
            }
            self.spend(1)?;
        }
    }

    fn rounds_match(&mut self, p: &Part, rounds: &[(usize, Vec<usize>)], end: usize) -> Result<bool> {
        for (i, (from, _)) in rounds.iter().enumerate() {
            let to = rounds.get(i + 1).map_or(end, |r| r.0);
            self.forget(p);
            if !self.run(p, *from, to)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn same(&self, a: &str, b: &str) -> bool {
        if !self.flags.fold_case {
            return a == b;
        }
        let t = self.flags.ctype;
        let fold = |c| lower(upper(c, t), t);
        a.chars().map(fold).eq(b.chars().map(fold))
    }

    fn back(&mut self, n: u32, min: u16, max: u16, begin: usize, end: usize) -> bool {
        let Some((from, to)) = self.groups[n as usize] else { return false };
        let text = self.subject.text;
        let (pattern, given) = (&text[from..to], &text[begin..end]);
        if pattern.is_empty() {
            return given.is_empty();
        }
        if given.is_empty() {
            return min == 0;
        }
        if !given.len().is_multiple_of(pattern.len()) {
            return false;
        }
        let times = given.len() / pattern.len();
        if times < usize::from(min) || (max != super::ast::INFINITE && times > usize::from(max)) {
            return false;
        }
        (0..times).all(|i| {
            given
                .get(i * pattern.len()..(i + 1) * pattern.len())
                .is_some_and(|piece| self.same(pattern, piece))
        })
    }
}
