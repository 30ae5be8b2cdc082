//! Changing rows: the ModifyTable node, constraints and indexes of its target, ON CONFLICT, foreign keys, the re-check of
//! concurrently updated rows. COPY and CREATE INDEX use [`target`], [`bulk`] and [`index_build`] directly.

pub mod after;
pub mod bulk;
mod conflict;
pub mod epq;
pub mod fkey;
pub mod index_build;
mod merge;
mod sides;
mod table;
pub mod target;

pub use after::{AfterQueue, Deferred, fire_after, run_deferred, run_immediate};
pub use bulk::BulkInserter;
pub use index_build::IndexEntries;
pub use table::build;
pub use target::{IndexTarget, TargetRelation};

use crate::run::Exec;
use common::Result;
use planner::plan::Node;

/// Runs data-changing CTEs to their end, whether their rows were read or not.
pub fn finish_ctes(cx: &Exec) -> Result<()> {
    for (k, p) in cx.stmt.subplans.iter().enumerate() {
        if matches!(p.node, Node::ModifyTable(_)) {
            cx.ctes[k].borrow_mut().complete(cx, k as u32 + 1)?;
        }
    }
    Ok(())
}
