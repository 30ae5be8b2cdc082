//! TABLESAMPLE: which rows of a scan are in the sample, by a hash of their place and a seed. BERNOULLI decides for each
//! row, SYSTEM for each page. Without REPEATABLE the seed is chosen once an execution, so that rescans see the same rows.

use super::*;
use crate::expr::{NoScope, Program, compile};
use analyze::query::TableSample;
use common::{Oid, err};
use std::hash::{BuildHasher, Hasher};
use types::{ColumnData, DatumRef};

/// A sampling method with its parameters.
pub struct Sampler {
    params: Program,
    repeatable: bool,
    by_page: bool,
    /// Column of the scan with the rows' places.
    column: usize,
    seed: u64,
    seed_of: u64,
    /// Of 2^32 hash values the lowest this many are in.
    cutoff: u64,
}

/// An expression that makes a scan deliver its rows' places.
pub fn ctid_test(rti: u32) -> Expr {
    let var = Expr::Var(Var {
        varno: VarNo::Rte(rti),
        attno: -1,
        vartype: types::oids::TID,
        typmod: -1,
        collation: Oid::INVALID,
        levels_up: 0,
        syn: (rti, -1),
        location: None,
    });
    Expr::NullTest { arg: Box::new(var), is_null: false, arg_is_row: false, location: None }
}

impl Sampler {
    /// Compiles the parameters.
    pub fn new(b: &BuildCx<'_>, s: &TableSample, column: usize) -> Result<Sampler> {
        Ok(Sampler {
            params: compile(b.env, s.args.iter().chain(&s.repeatable), &NoScope)?,
            repeatable: s.repeatable.is_some(),
            by_page: s.method == "system",
            column,
            seed: 0,
            seed_of: 0,
            cutoff: 0,
        })
    }

    /// Evaluates the parameters for a (re)scan.
    pub fn start(&mut self, cx: &Exec) -> Result<()> {
        let percent = match self.params.value_once(cx, 0)?.as_ref() {
            DatumRef::F32(x) => f64::from(x),
            _ => return Err(err!(INVALID_TABLESAMPLE_ARGUMENT, "TABLESAMPLE parameter cannot be null")),
        };
        if self.repeatable {
            self.seed = match self.params.result(1, &cx.no_input).get(0) {
                DatumRef::F64(x) => (x + 0.0).to_bits(),
                _ => {
                    return Err(err!(
                        INVALID_TABLESAMPLE_REPEAT,
                        "TABLESAMPLE REPEATABLE parameter cannot be null"
                    ));
                }
            };
        } else {
            let execution = cx.stamp(&[]);
            if self.seed_of != execution {
                self.seed_of = execution;
                self.seed = std::collections::hash_map::RandomState::new().build_hasher().finish();
            }
        }
        if !(0.0..=100.0).contains(&percent) {
            return Err(err!(INVALID_TABLESAMPLE_ARGUMENT, "sample percentage must be between 0 and 100"));
        }
        self.cutoff = (percent / 100.0 * 4_294_967_296.0).round() as u64;
        Ok(())
    }

    /// Keeps the rows in the sample.
    pub fn filter(&self, b: &mut Batch) {
        let ColumnData::I64(places) = &b.cols[self.column].data else { return };
        let live = b.live_count();
        let mut keep = Vec::with_capacity(live);
        for k in 0..live {
            let i = crate::expr::colops::nth_live(b, k);
            let place = if self.by_page { places[i] >> 16 } else { places[i] };
            let hash = types::hash::hash_u64(types::hash::hash_u64(place as u64) ^ self.seed);
            if hash >> 32 < self.cutoff {
                keep.push(i as u16);
            }
        }
        if keep.len() < live {
            b.sel = Some(keep);
        }
    }
}
