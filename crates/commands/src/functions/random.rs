//! `random` and `setseed`: PostgreSQL's generator (xoroshiro128**, seeded by splitmix64), so that a seed gives the numbers it
//! gives there. The state is the session's.

use super::env;
use common::{Result, bail, err};
use types::{CallCtx, FnImpl, c0, c1};

pub static TABLE: &[(u32, FnImpl)] = &[(1598, c0!(random)), (1599, c1!(setseed))];

/// State of the generator; `None` until first used.
#[derive(Default)]
pub struct Random(std::cell::Cell<Option<[u64; 2]>>);

/// The next of a series of well mixed numbers.
fn splitmix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let v = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let v = (v ^ (v >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    v ^ (v >> 31)
}

fn seeded(mut seed: u64) -> [u64; 2] {
    [splitmix(&mut seed), splitmix(&mut seed)]
}

impl Random {
    /// The state for `seed` from -1 to 1.
    fn seed(&self, seed: f64) {
        let scaled = ((1u64 << 52) - 1) as f64 * seed;
        self.0.set(Some(seeded(scaled as i64 as u64)));
    }
    /// A number in [0, 1).
    fn next(&self) -> Result<f64> {
        let [s0, s1] = match self.0.get() {
            Some(s) => s,
            None => {
                let fail = |_| err!(INTERNAL_ERROR, "could not generate random values");
                seeded(getrandom::u64().map_err(fail)?)
            }
        };
        let value = s0.wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let x = s1 ^ s0;
        self.0.set(Some([s0.rotate_left(24) ^ x ^ (x << 16), x.rotate_left(37)]));
        Ok((value >> 12) as f64 / (1u64 << 52) as f64)
    }
}

fn random(c: &CallCtx<'_>) -> Result<f64> {
    env(c)?.random.next()
}

fn setseed(c: &CallCtx<'_>, seed: f64) -> Result<i32> {
    if !(-1.0..=1.0).contains(&seed) {
        bail!(INVALID_PARAMETER_VALUE, "setseed parameter {} is out of allowed range [-1,1]", seed);
    }
    env(c)?.random.seed(seed);
    Ok(0)
}
