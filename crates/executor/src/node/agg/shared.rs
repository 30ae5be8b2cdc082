//! What several aggregates of a node compute together.

use super::AggCall;
use crate::expr::{Program, compile_small};
use crate::node::{BuildCx, OuterScope};
use analyze::expr::Aggref;
use common::{Oid, Result};

/// The arguments of several aggregates in one program: what they have in common is computed once, and numerics to be
/// added up stay small numbers.
pub(super) struct Shared {
    pub program: Program,
    /// Of each aggregate, its first value there.
    pub first: Vec<Option<usize>>,
}

/// sum and avg of numeric.
const SUMS: [Oid; 2] = [Oid(2114), Oid(2103)];

impl Shared {
    pub fn compile(b: &BuildCx<'_>, aggs: &[Aggref], calls: &[AggCall]) -> Result<Option<Shared>> {
        let mut first = Vec::with_capacity(aggs.len());
        let mut exprs = Vec::new();
        for (a, c) in aggs.iter().zip(calls) {
            let shares = c.nargs > 0 && c.shares();
            first.push(shares.then_some(exprs.len()));
            if shares {
                exprs.extend(a.args[..c.nargs].iter().map(|t| (&t.expr, SUMS.contains(&a.aggfnoid))));
            }
        }
        let worthwhile = exprs.len() > 1 || exprs.iter().any(|e| e.1);
        if !worthwhile {
            return Ok(None);
        }
        let program = compile_small(b.env, exprs, &OuterScope)?;
        Ok((program.volatile_calls == 0).then_some(Shared { program, first }))
    }
}
