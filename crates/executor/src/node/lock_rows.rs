//! LockRows: to come.
use super::*;
use planner::plan::PlanRowMark;
/// LockRows.
pub fn build(_b: &BuildCx<'_>, _child: &Plan, _marks: &[PlanRowMark]) -> Result<BoxNode> {
    Err(Error::unsupported("row locks"))
}
