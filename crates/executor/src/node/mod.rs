//! Plan nodes. [`build`] makes the tree of a plan; each node pulls batches from its children. A node that reports a batch
//! (`next` true) has at least one live row in [`ExecNode::batch`], valid until its next call.

use crate::env::ExecEnv;
use crate::expr::Scope;
use crate::expr::project::Projection;
use crate::expr::qual::{self, Qual};
use crate::run::{Exec, InitPlans};
use crate::run_filter::RunFilter;
use access::TidBitmap;
use analyze::expr::{Expr, TargetEntry, Var, VarNo};
use analyze::query::JoinType;
use common::{Error, Result};
use planner::plan::{Node, Plan, PlannedStmt};
use std::rc::Rc;
use types::Batch;

mod agg;
mod append;
mod cte;
pub(crate) mod function_scan;
mod gather;
mod group;
mod group_table;
mod grouping_sets;
mod hash_join;
mod index_join;
mod instrumented;
pub use instrumented::add_buffers;
mod join_common;
mod limit;
mod lock_rows;
mod material;
mod memoize;
mod merge_join;
mod nest_loop;
mod ordered_set;
mod own_aggregate;
mod parallel_scan;
mod project_set;
mod result;
mod run_filters;
mod sample;
pub mod scan;
mod seq_scan;
mod set_op;
pub mod sort;
mod tid_scan;
mod values;
mod window;

pub use cte::CteStore;
pub use group::KeyEq;
pub use sort::{Order, Sorter};

/// A node of a running plan.
pub trait ExecNode {
    /// Makes the next batch. `want` is how many rows the caller can use: a hint, batches may be larger.
    fn next(&mut self, cx: &Exec, want: usize) -> Result<bool>;
    /// The present batch.
    fn batch(&self) -> &Batch;
    /// The present batch, for callers that narrow its selection or take its columns.
    fn batch_mut(&mut self) -> &mut Batch;
    /// Starts over, with the parameters as they are. Also begins the first scan of an execution.
    fn rescan(&mut self, cx: &Exec) -> Result<()>;
    /// Releases pins, files and large buffers; statistics go to `cx` when it measures.
    fn end(&mut self, cx: &Exec);
    /// At most `n` rows will be fetched per scan.
    fn set_bound(&mut self, _n: Option<u64>) {}
    /// Only rows whose output column `col` passes the filter are wanted: a node that has plain rows of a scan there takes
    /// it down. `from` names the filter, `None` withdraws it. Comes before `rescan`; false: nobody took it.
    fn push_filter(&mut self, _col: usize, _from: u32, _f: Option<&Rc<RunFilter>>) -> bool {
        false
    }
    /// Bitmap nodes only: the whole result.
    fn bitmap(&mut self, _cx: &Exec) -> Result<TidBitmap> {
        Err(Error::internal("executor: not a bitmap node"))
    }
}

/// A boxed node.
pub type BoxNode = Box<dyn ExecNode>;

/// What building needs.
pub struct BuildCx<'a> {
    pub env: &'a Rc<ExecEnv>,
    pub stmt: &'a PlannedStmt,
    /// Init-plans met on the way.
    pub inits: &'a InitPlans,
    pub instrument: bool,
    /// What is shared by the nodes below the nearest Gather.
    pub parallel: Option<&'a Rc<crate::parallel::Joint>>,
}

/// Makes the node of a plan, children included.
pub fn build(b: &BuildCx<'_>, plan: &Plan) -> Result<BoxNode> {
    for i in &plan.init_plans {
        b.inits.add(i);
    }
    if let Some(joint) = b.parallel
        && plan.parallel_aware
        && !can_share(&plan.node)
    {
        joint.forbid_workers();
    }
    let node = build_bare(b, plan)?;
    Ok(if b.instrument { Box::new(instrumented::Instrumented::new(plan.node_id, node)) } else { node })
}

/// Nodes that share their work between processes.
fn can_share(n: &Node) -> bool {
    match n {
        Node::SeqScan { sample, .. } => sample.is_none(),
        Node::IndexScan { .. }
        | Node::IndexOnlyScan { .. }
        | Node::BitmapHeapScan { .. }
        | Node::Append { .. }
        | Node::Hash { .. } => true,
        // Who has found a partner is each process's knowledge.
        Node::HashJoin { join, .. } => !matches!(join.kind, JoinType::Right | JoinType::Full),
        _ => false,
    }
}

fn build_bare(b: &BuildCx<'_>, plan: &Plan) -> Result<BoxNode> {
    Ok(match &plan.node {
        Node::Result { child, one_time } => result::build(b, plan, child.as_deref(), one_time)?,
        Node::ProjectSet { child } => project_set::build(b, plan, child)?,
        Node::ModifyTable(m) => crate::modify::build(b, plan, m)?,
        Node::Append { children, .. } => append::build(b, plan, children)?,
        Node::MergeAppend { children, keys, .. } => append::build_merge(b, children, keys)?,
        Node::RecursiveUnion { wt_param, keys, all, nonrec, rec } => {
            cte::build_recursive(b, *wt_param, keys, *all, nonrec, rec)?
        }
        Node::SeqScan { .. }
        | Node::IndexScan { .. }
        | Node::IndexOnlyScan { .. }
        | Node::BitmapIndexScan { .. }
        | Node::BitmapAnd { .. }
        | Node::BitmapOr { .. }
        | Node::BitmapHeapScan { .. }
        | Node::TidScan { .. } => scan::build(b, plan)?,
        Node::SubqueryScan { child, .. } => result::build_subquery(b, plan, child)?,
        Node::FunctionScan { functions, ordinality, .. } => {
            function_scan::build(b, plan, functions, *ordinality)?
        }
        Node::ValuesScan { lists, .. } => values::build(b, plan, lists)?,
        Node::CteScan { plan_id, .. } => cte::build_scan(b, plan, *plan_id)?,
        Node::WorkTableScan { wt_param, .. } => cte::build_worktable(b, plan, *wt_param)?,
        Node::NestLoop { join, params } => nest_loop::build(b, plan, join, params)?,
        Node::MergeJoin { join, keys, .. } => merge_join::build(b, plan, join, keys)?,
        Node::HashJoin { join, keys } => hash_join::build(b, plan, join, keys)?,
        // The join above builds the table itself.
        Node::Hash { child } => build(b, child)?,
        Node::Material { child } => material::build(b, plan, child)?,
        Node::Memoize { child, keys, single, .. } => memoize::build(b, plan, child, keys, *single)?,
        Node::Sort { child, keys } | Node::IncrementalSort { child, keys, .. } => {
            sort::build(b, plan, child, keys)?
        }
        Node::Group { child, keys } => group::build_group(b, plan, child, keys)?,
        Node::Agg { child, strategy, keys, num_groups, grouping_sets, .. } => {
            agg::build(b, plan, child, *strategy, keys, *num_groups, grouping_sets)?
        }
        Node::Unique { child, keys } => group::build_unique(b, child, keys)?,
        Node::SetOp { child, op, all, keys, flag_col, first_flag, .. } => {
            set_op::build(b, plan, child, *op, *all, keys, *flag_col, *first_flag)?
        }
        Node::LockRows { child, marks } => lock_rows::build(b, plan, child, marks)?,
        Node::Limit { child, offset, count, with_ties, tie_keys } => {
            limit::build(b, plan, child, offset.as_ref(), count.as_ref(), *with_ties, tie_keys)?
        }
        Node::WindowAgg { child, .. } => window::build(b, plan, child)?,
        Node::Gather { child, workers, single_copy, .. } => {
            gather::build(b, plan, child, *workers, *single_copy)?
        }
        Node::GatherMerge { child, workers, keys, single_copy } => {
            gather::build_merge(b, plan, child, *workers, keys, *single_copy)?
        }
    })
}

/// Vars name the outer child's columns.
pub struct OuterScope;
impl Scope for OuterScope {
    fn var(&self, v: &Var) -> Option<usize> {
        (v.varno == VarNo::Outer && v.attno > 0).then(|| v.attno as usize - 1)
    }
}

/// Vars name columns 1.. of one relation-like input (sub-query, function, VALUES, CTE scans).
pub struct RelScope;
impl Scope for RelScope {
    fn var(&self, v: &Var) -> Option<usize> {
        (matches!(v.varno, VarNo::Rte(_) | VarNo::Outer) && v.attno > 0).then(|| v.attno as usize - 1)
    }
}

/// Filter and target list of a node, with the count of rows filtered away.
pub struct Tail {
    pub qual: Option<Qual>,
    pub proj: Projection,
    node_id: u32,
    removed: u64,
}

impl Tail {
    /// Compiles the plan's qual and target list over an input of `width` columns.
    pub fn compile(b: &BuildCx<'_>, plan: &Plan, scope: &dyn Scope, width: usize) -> Result<Tail> {
        Tail::from_parts(b, plan.node_id, &plan.qual, &plan.targetlist, scope, width)
    }
    /// The same from parts.
    pub fn from_parts(
        b: &BuildCx<'_>,
        node_id: u32,
        qual: &[Expr],
        list: &[TargetEntry],
        scope: &dyn Scope,
        width: usize,
    ) -> Result<Tail> {
        Ok(Tail {
            qual: Qual::compile(b.env, qual, scope)?,
            proj: Projection::compile(b.env, list, scope, width)?,
            node_id,
            removed: 0,
        })
    }
    /// Does filter or target list call volatile functions?
    pub fn is_volatile(&self) -> bool {
        self.qual.as_ref().is_some_and(Qual::is_volatile) || self.proj.is_volatile()
    }
    /// The input column that output column `col` is, when filtering earlier changes nothing but work.
    pub fn plain_column(&self, col: usize) -> Option<usize> {
        if self.qual.as_ref().is_some_and(Qual::is_volatile) {
            return None;
        }
        self.proj.plain_column(col)
    }
    /// Filters; returns how many rows are left.
    #[inline]
    pub fn filter(&mut self, cx: &Exec, input: &mut Batch) -> Result<usize> {
        if self.qual.is_none() {
            return Ok(input.live_count());
        }
        let before = input.live_count();
        let left = qual::apply(&mut self.qual, cx, input)?;
        self.removed += (before - left) as u64;
        Ok(left)
    }
    /// Filters and projects a batch that the node owns; false if no row is left.
    #[inline]
    pub fn finish_own(&mut self, cx: &Exec, input: &mut Batch) -> Result<bool> {
        if self.filter(cx, input)? == 0 {
            return Ok(false);
        }
        self.proj.project_own(cx, input)?;
        Ok(true)
    }
    /// Filters and projects the child's batch; false if no row is left.
    pub fn finish_child(&mut self, cx: &Exec, child: &mut dyn ExecNode) -> Result<bool> {
        if self.filter(cx, child.batch_mut())? == 0 {
            return Ok(false);
        }
        if self.proj.is_identity() {
            colops_copy(&mut self.proj.out, child.batch());
        } else {
            self.proj.project(cx, child.batch())?;
        }
        Ok(true)
    }
    /// Reports what was filtered away.
    pub fn report(&mut self, cx: &Exec) {
        let n = std::mem::take(&mut self.removed);
        if n > 0 {
            cx.instr(self.node_id, |i| i.removed_filter += n as f64);
        }
    }
}

fn colops_copy(dst: &mut Batch, src: &Batch) {
    crate::expr::colops::copy_batch(dst, src);
}

/// Physical kinds of a plan's output.
pub fn output_phys(env: &ExecEnv, plan: &Plan) -> Result<Vec<types::Phys>> {
    plan.targetlist.iter().map(|t| env.phys(analyze::info::expr_type(&t.expr))).collect()
}

/// An empty batch for a plan's output.
pub fn output_batch(env: &ExecEnv, plan: &Plan) -> Result<Batch> {
    let cols = output_phys(env, plan)?.into_iter().map(types::Column::new).collect();
    Ok(Batch { cols, rows: 0, sel: None })
}
