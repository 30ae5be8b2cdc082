//! The loop: take an input, change it, run it, keep it if it went a new way.

use crate::{Outcome, Target};
use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

/// An input that takes longer than this is a failure: nothing here should cost more than its length explains.
pub const SLOW: Duration = Duration::from_secs(5);
/// Longest input.
const LENGTH_MAX: usize = 4_096;
/// Inputs kept.
const CORPUS_MAX: usize = 5_000;

/// How long to go on.
#[derive(Clone, Copy, Debug)]
pub enum Budget {
    Runs(u32),
    Time(Duration),
}

/// An input that must not have done what it did.
#[derive(Debug)]
pub struct Failure {
    pub target: String,
    pub input: Vec<u8>,
    pub what: String,
}

/// A small generator (xorshift), so that failures repeat.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }
}

/// Runs a target; the number of runs and of different outcomes, or the first failure.
pub fn run(target: &Target, seed: u64, budget: Budget) -> Result<(u32, usize), Failure> {
    let mut random = Random(seed | 1);
    let mut corpus = target.seeds.clone();
    if corpus.is_empty() {
        corpus.push(Vec::new());
    }
    let mut seen = HashSet::new();
    for input in &target.seeds {
        seen.insert(once(target, input)?);
    }
    let started = Instant::now();
    let mut runs = 0;
    loop {
        let done = match budget {
            Budget::Runs(n) => runs >= n,
            Budget::Time(t) => started.elapsed() >= t,
        };
        if done {
            return Ok((runs, seen.len()));
        }
        // Late inputs are the interesting ones.
        let from = if random.below(2) == 0 { corpus.len().saturating_sub(50) } else { 0 };
        let mut input = corpus[from + random.below(corpus.len() - from)].clone();
        for _ in 0..=random.below(4) {
            mutate(&mut input, &corpus, &target.words, &mut random);
        }
        input.truncate(LENGTH_MAX);
        runs += 1;
        if seen.insert(once(target, &input)?) && corpus.len() < CORPUS_MAX {
            corpus.push(input);
        }
    }
}

fn once(target: &Target, input: &[u8]) -> Result<Outcome, Failure> {
    let started = Instant::now();
    let failure = |what: String| Failure { target: target.name.clone(), input: input.to_vec(), what };
    let outcome = catch_unwind(AssertUnwindSafe(|| (target.run)(input))).map_err(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        failure(text.or(panic.downcast_ref::<&str>().copied()).unwrap_or("panic").to_string())
    })?;
    if started.elapsed() > SLOW {
        return Err(failure(format!("took {:?}", started.elapsed())));
    }
    Ok(outcome)
}

/// Numbers that limits are made of.
const BYTES: [u8; 12] = [0, 1, 2, 4, 8, 16, 0x7f, 0x80, 0xfe, 0xff, b'0', b'9'];

fn mutate(input: &mut Vec<u8>, corpus: &[Vec<u8>], words: &[&str], random: &mut Random) {
    let at = random.below(input.len() + 1);
    let some = |random: &mut Random, len: usize| at..(at + 1 + random.below(8)).min(len);
    match random.below(9) {
        0 if at < input.len() => input[at] ^= 1 << random.below(8),
        1 if at < input.len() => input[at] = BYTES[random.below(BYTES.len())],
        2 if at < input.len() => {
            let range = some(random, input.len());
            input.drain(range);
        }
        3 if at < input.len() => {
            let range = some(random, input.len());
            let piece = input[range].to_vec();
            let most = if random.below(20) == 0 { 200 } else { 3 };
            let times = 1 + random.below(most);
            let piece = piece.repeat(times);
            input.splice(at..at, piece);
        }
        4 | 5 if !words.is_empty() => {
            let word = words[random.below(words.len())];
            input.splice(at..at, word.bytes());
        }
        6 => {
            let other = &corpus[random.below(corpus.len())];
            let from = random.below(other.len() + 1);
            input.truncate(at);
            input.extend_from_slice(&other[from..]);
        }
        7 => {
            let value = (random.next() as u32) >> random.below(32);
            let bytes = if random.below(2) == 0 { value.to_be_bytes() } else { value.to_le_bytes() };
            let end = (at + 4).min(input.len());
            input.splice(at..end, bytes);
        }
        _ => input.insert(at, random.next() as u8),
    }
}
