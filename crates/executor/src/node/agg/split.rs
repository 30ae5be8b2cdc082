//! Aggregation in two stages: a partial one gives transition states in place of results, a finalizing one takes them in.
//! A state is opaque bytes (`types::agg::wire`).

use super::AggCall;
use crate::expr::colops;
use crate::run::Exec;
use analyze::expr::AggSplit;
use common::Result;
use types::{Batch, CallCtx, Column, DatumRef};

impl AggCall {
    /// Its argument is states of its own kind.
    pub(super) fn finalizes(&self) -> bool {
        self.split == AggSplit::Finalize
    }
    /// Its result is its state.
    pub(super) fn is_partial(&self) -> bool {
        self.split == AggSplit::Partial
    }
    /// Takes in the states of the live rows, which the argument's program has computed.
    pub(super) fn take_states(&mut self, cx: &Exec, b: &Batch, groups: &[u32]) -> Result<()> {
        let ctx = CallCtx {
            collation: self.collation,
            result_type: self.result_type,
            arg_types: &self.arg_types,
            ..cx.call_ctx()
        };
        let states = self.args.result(0, b);
        for (k, g) in groups.iter().enumerate() {
            // NULL is the state of no rows at all.
            if let DatumRef::Bytes(s) = states.get(colops::nth_live(b, k)) {
                self.state.combine_encoded(&ctx, *g as usize, s)?;
            }
        }
        Ok(())
    }
    /// Appends the states of these groups to a column.
    pub(super) fn put_states(&self, groups: std::ops::Range<usize>, col: &mut Column) -> Result<()> {
        let mut bytes = Vec::new();
        for g in groups {
            bytes.clear();
            self.state.encode(g, &mut bytes)?;
            col.push(DatumRef::Bytes(&bytes));
        }
        Ok(())
    }
}
