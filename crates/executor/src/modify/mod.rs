//! Changing rows.

pub mod epq;

use crate::node::{BoxNode, BuildCx};
use crate::run::Exec;
use common::{Error, Result};
use planner::plan::{ModifyTable, Plan};

#[derive(Default)]
pub struct AfterQueue {}

pub fn build(_b: &BuildCx<'_>, _plan: &Plan, _m: &ModifyTable) -> Result<BoxNode> {
    Err(Error::unsupported("ModifyTable"))
}
pub fn finish_ctes(_cx: &Exec) -> Result<()> {
    Ok(())
}
pub fn fire_after(_cx: &Exec) -> Result<()> {
    Ok(())
}
