//! Deterministic automata built while text is read. A state is the set of program steps that wait for the next character;
//! it and the next letter tell the state that follows and whether a match ends between them. Time is linear in the text.
//! The states are forgotten when there are too many.

use super::program::{Alphabet, EDGE, Letter, Program, Step, is_at};
use std::collections::HashMap;

/// Most states kept.
const STATES_MAX: usize = 3_000;
/// Most transitions kept.
const TABLE_MAX: usize = 1 << 20;

const UNKNOWN: u32 = u32::MAX;
/// Bit of a transition: a match ends before the letter.
const ACCEPTS: u32 = 1 << 31;
/// The state nothing follows from.
const DEAD: u32 = 0;

/// Text with what is known about it.
pub struct Subject<'t> {
    pub text: &'t str,
    /// By byte offset: which look-arounds hold. Empty where the pattern has none.
    pub looks: Vec<u64>,
}

/// A deterministic automaton in the making.
#[derive(Debug)]
pub struct Dfa {
    program: Program,
    back: bool,
    /// May a match begin anywhere?
    floating: bool,
    states: Vec<(Box<[u32]>, u8)>,
    by_key: HashMap<(Box<[u32]>, u8), u32, foldhash::fast::FixedState>,
    stride: usize,
    table: Vec<u32>,
    starts: [u32; 4],
    /// Scratch of [`Dfa::follow`].
    seen: Vec<u32>,
    round: u32,
}

impl Dfa {
    pub fn new(program: Program, back: bool, floating: bool) -> Dfa {
        let n = program.steps.len();
        let mut d = Dfa {
            program,
            back,
            floating,
            states: Vec::new(),
            by_key: HashMap::default(),
            stride: 16,
            table: Vec::new(),
            starts: [UNKNOWN; 4],
            seen: vec![0; n],
            round: 0,
        };
        d.clear();
        d
    }

    fn clear(&mut self) {
        self.states.clear();
        self.by_key.clear();
        self.table.clear();
        self.starts = [UNKNOWN; 4];
        self.states.push((Box::default(), 0));
        self.table.resize(self.stride, DEAD);
    }

    fn state(&mut self, core: Vec<u32>, kind: u8) -> u32 {
        if core.is_empty() {
            return DEAD;
        }
        let key = (core.into_boxed_slice(), kind);
        if let Some(&s) = self.by_key.get(&key) {
            return s;
        }
        let s = self.states.len() as u32;
        self.states.push(key.clone());
        self.by_key.insert(key, s);
        self.table.resize(self.table.len() + self.stride, UNKNOWN);
        s
    }

    fn start(&mut self, kind: u8) -> u32 {
        let kind = if self.program.places { kind } else { 0 };
        if self.starts[usize::from(kind)] == UNKNOWN {
            self.starts[usize::from(kind)] = self.state(vec![self.program.start], kind);
        }
        self.starts[usize::from(kind)]
    }

    /// The transition from a state over a letter.
    #[cold]
    #[inline(never)]
    fn follow(&mut self, alphabet: &Alphabet, state: u32, letter: Letter) -> u32 {
        let (color, holding) = alphabet.spelled(letter, self.program.looks);
        let (core, near) = self.states[state as usize].clone();
        let far = alphabet.kind(color);
        let (left, right) = if self.back { (far, near) } else { (near, far) };
        self.round += 1;
        let mut accepts = false;
        let mut next = Vec::new();
        let mut todo: Vec<u32> = core.to_vec();
        while let Some(i) = todo.pop() {
            if std::mem::replace(&mut self.seen[i as usize], self.round) == self.round {
                continue;
            }
            match self.program.steps[i as usize] {
                Step::Set(s, n) if far != EDGE && alphabet.has(color, s) => next.push(n),
                Step::Set(..) => {}
                Step::Split(a, b) => todo.extend([a, b]),
                Step::At(p, n) if is_at(p, left, right) => todo.push(n),
                Step::At(..) => {}
                Step::Look(l, n) if holding >> l & 1 == 1 => todo.push(n),
                Step::Look(..) => {}
                Step::Match => accepts = true,
            }
        }
        if self.floating && far != EDGE {
            next.push(self.program.start);
        }
        next.sort_unstable();
        next.dedup();
        let (mut from, mut fresh) = (Some(state), false);
        if self.states.len() >= STATES_MAX || self.table.len() >= TABLE_MAX {
            fresh = true;
        }
        if letter as usize >= self.stride {
            self.stride = (letter as usize + 1).next_power_of_two();
            fresh = true;
        }
        if fresh {
            self.clear();
            from = None;
        }
        let to =
            self.state(next, if self.program.places { far } else { 0 }) | if accepts { ACCEPTS } else { 0 };
        if let Some(s) = from {
            self.table[s as usize * self.stride + letter as usize] = to;
        }
        to
    }

    #[inline(always)]
    fn step(&mut self, alphabet: &Alphabet, state: u32, letter: Letter) -> u32 {
        if (letter as usize) < self.stride {
            let e = self.table[state as usize * self.stride + letter as usize];
            if e != UNKNOWN {
                return e;
            }
        }
        self.follow(alphabet, state, letter)
    }

    /// Reads forwards from `from`, at most to `limit`; `f` is called where a match may end, and says whether to stop.
    #[inline]
    pub fn forward(
        &mut self,
        alphabet: &mut Alphabet,
        s: &Subject<'_>,
        from: usize,
        limit: usize,
        mut f: impl FnMut(usize) -> bool,
    ) -> usize {
        let (color, _) = alphabet.before(s.text, from);
        let mut state = self.start(alphabet.kind(color));
        let mut at = from;
        loop {
            let (color, len) = alphabet.after(s.text, at);
            let letter = if self.program.looks { alphabet.with_looks(color, s.looks[at]) } else { color };
            let e = self.step(alphabet, state, letter);
            if e & ACCEPTS != 0 && f(at) {
                return at;
            }
            state = e & !ACCEPTS;
            if at >= limit || state == DEAD {
                return at;
            }
            at += len;
        }
    }

    /// Reads backwards from `from`, at most to `limit`.
    pub fn backward(
        &mut self,
        alphabet: &mut Alphabet,
        s: &Subject<'_>,
        from: usize,
        limit: usize,
        mut f: impl FnMut(usize) -> bool,
    ) {
        let (color, _) = alphabet.after(s.text, from);
        let mut state = self.start(alphabet.kind(color));
        let mut at = from;
        loop {
            let (color, len) = alphabet.before(s.text, at);
            let letter = if self.program.looks { alphabet.with_looks(color, s.looks[at]) } else { color };
            let e = self.step(alphabet, state, letter);
            if e & ACCEPTS != 0 && f(at) {
                return;
            }
            state = e & !ACCEPTS;
            if at <= limit || state == DEAD {
                return;
            }
            at -= len;
        }
    }

    /// Searches from `from` on: the earliest end of a match, and a place no match that is under way there began before.
    pub fn search(
        &mut self,
        alphabet: &mut Alphabet,
        s: &Subject<'_>,
        from: usize,
    ) -> Option<(usize, usize)> {
        let (color, _) = alphabet.before(s.text, from);
        let mut state = self.start(alphabet.kind(color));
        let mut at = from;
        let mut cold = from;
        loop {
            let (color, len) = alphabet.after(s.text, at);
            let letter = if self.program.looks { alphabet.with_looks(color, s.looks[at]) } else { color };
            if self.starts.contains(&state) {
                cold = at;
            }
            let e = self.step(alphabet, state, letter);
            if e & ACCEPTS != 0 {
                return Some((at, cold));
            }
            if at >= s.text.len() {
                return None;
            }
            state = e & !ACCEPTS;
            at += len;
        }
    }

    /// The leftmost place from `from` on where a match begins, in time linear in the text whatever the pattern: every
    /// step carries the earliest beginning that leads to it.
    pub fn leftmost(&self, alphabet: &mut Alphabet, s: &Subject<'_>, from: usize) -> Option<usize> {
        let n = self.program.steps.len();
        let mut now: Vec<(u32, usize)> = Vec::new();
        let mut best: Option<usize> = None;
        let mut at = from;
        let (color, _) = alphabet.before(s.text, from);
        let mut left = alphabet.kind(color);
        let mut seen = vec![usize::MAX; n];
        loop {
            let (color, len) = alphabet.after(s.text, at);
            let right = alphabet.kind(color);
            let holding = s.looks.get(at).copied().unwrap_or(0);
            if best.is_none() {
                now.push((self.program.start, at));
            }
            now.sort_unstable_by_key(|(_, b)| *b);
            seen.fill(usize::MAX);
            let mut next: Vec<(u32, usize)> = Vec::new();
            for (core, begin) in now.drain(..) {
                let mut todo = vec![core];
                while let Some(i) = todo.pop() {
                    if seen[i as usize] <= begin {
                        continue;
                    }
                    seen[i as usize] = begin;
                    match self.program.steps[i as usize] {
                        Step::Set(set, k) if right != EDGE && alphabet.has(color, set) => {
                            next.push((k, begin))
                        }
                        Step::Split(a, b) => todo.extend([a, b]),
                        Step::At(p, k) if is_at(p, left, right) => todo.push(k),
                        Step::Look(l, k) if holding >> l & 1 == 1 => todo.push(k),
                        Step::Match => best = Some(best.map_or(begin, |b| b.min(begin))),
                        _ => {}
                    }
                }
            }
            next.retain(|(_, b)| best.is_none_or(|best| *b < best));
            if len == 0 || (next.is_empty() && best.is_some()) {
                return best;
            }
            now = next;
            left = right;
            at += len;
        }
    }
}
