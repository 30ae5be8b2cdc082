//! A plan made runnable ([`CompiledPlan`], reusable) and one execution of it ([`QueryRun`]). [`Exec`] is what all nodes of
//! a run share: parameters, snapshot, sub-plans, measurements.

use crate::env::ExecEnv;
use crate::expr::colops;
use crate::modify::AfterQueue;
use crate::node::{self, BoxNode, BuildCx, ExecNode};
use analyze::expr::{SubLinkType, SubPlan};
use common::{CommandId, Error, Oid, Result, err};
use planner::instrument::{Instrumentation, NodeInstr, TriggerKind};
use planner::plan::{Plan, PlannedStmt};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use transam::{Engine, MvccSnapshot, Snapshot};
use types::{Batch, CallCtx, Collation, Column, Datum, DatumRef, FormatSettings};

/// How a plan is to be run.
#[derive(Clone, Debug, Default)]
pub struct RunOptions {
    /// What the statement sees. `None` only without an engine (tests, constants).
    pub snapshot: Option<Rc<MvccSnapshot>>,
    /// The caller wants at most so many rows in all (0 = all): a hint that keeps batches small.
    pub row_limit: u64,
}

/// Init-plans by the parameter they set.
#[derive(Default)]
pub struct InitPlans(RefCell<Vec<Rc<SubPlan>>>);

impl InitPlans {
    /// Registers one.
    pub fn add(&self, s: &SubPlan) {
        self.0.borrow_mut().push(Rc::new(s.clone()));
    }
}

#[derive(Default)]
struct ParamSlot {
    value: RefCell<Datum>,
    /// Clock of the last change.
    stamp: Cell<u64>,
    /// The init-plan that computes it, and its stamp (plus one) when it last ran.
    init: Option<Rc<SubPlan>>,
    init_stamp: Cell<u64>,
}

/// Most nested evaluations of sub-plans before 54001.
const DEPTH_MAX: u32 = 2_000;

/// State shared by all nodes of a run.
pub struct Exec {
    pub env: Rc<ExecEnv>,
    pub stmt: Rc<PlannedStmt>,
    pub fmt: Rc<FormatSettings>,
    pub xact_start_us: i64,
    pub stmt_start_us: i64,
    /// One row without columns.
    pub no_input: Batch,
    pub snapshot: Option<Snapshot>,
    /// Command id for changes of this statement.
    pub cid: CommandId,
    modifies: bool,
    ext: Vec<Datum>,
    params: Vec<ParamSlot>,
    clock: Cell<u64>,
    /// Clock at the start of this execution.
    base: Cell<u64>,
    subplans: Vec<RefCell<BoxNode>>,
    subplan_params: Vec<Vec<u32>>,
    pub(crate) ctes: Vec<RefCell<crate::node::CteStore>>,
    pub(crate) worktables: RefCell<Vec<(u32, Rc<crate::store::RowStore>)>>,
    instrument: bool,
    instr: RefCell<Instrumentation>,
    /// Rows changed by the top-level ModifyTable.
    pub processed: Cell<u64>,
    depth: Cell<u32>,
    /// The plan is run in parts: the leader does everything alone.
    pub(crate) no_workers: Cell<bool>,
    /// Replacement rows of a re-check of a concurrently updated row.
    pub(crate) epq: RefCell<Option<crate::modify::epq::EpqRows>>,
    /// Foreign-key checks due at the end of the statement.
    pub(crate) after: RefCell<AfterQueue>,
}

impl Exec {
    /// What every call of a function in this execution has in common; the caller fills in collation and types.
    pub fn call_ctx(&self) -> CallCtx<'_> {
        CallCtx {
            fmt: &self.fmt,
            registry: self.env.registry,
            collation: Collation::NONE,
            result_type: Oid::INVALID,
            result_typmod: -1,
            arg_types: &[],
            variadic: false,
            columns: &[],
            xact_start_us: self.xact_start_us,
            stmt_start_us: self.stmt_start_us,
            env: self.env.session.fn_env(),
        }
    }
    /// A context without a plan: evaluates constants, defaults, index expressions, constraints.
    pub fn bare(env: &Rc<ExecEnv>) -> Exec {
        let stmt = PlannedStmt {
            command: analyze::query::CmdType::Select,
            plan: empty_plan(),
            rtable: Vec::new(),
            subplans: Vec::new(),
            exec_params: 0,
            param_types: Vec::new(),
            has_returning: false,
            has_modifying_cte: false,
            row_marks: Vec::new(),
            relation_oids: Vec::new(),
            node_count: 1,
            without_from: 0,
            parallel_mode_needed: false,
        };
        Exec::new(env.clone(), Rc::new(stmt), &InitPlans::default(), Vec::new(), false)
    }

    fn new(
        env: Rc<ExecEnv>,
        stmt: Rc<PlannedStmt>,
        inits: &InitPlans,
        subplans: Vec<BoxNode>,
        instrument: bool,
    ) -> Exec {
        let mut params: Vec<ParamSlot> = Vec::new();
        params.resize_with(stmt.exec_params as usize + 1, ParamSlot::default);
        for i in inits.0.borrow().iter() {
            for p in &i.set_param {
                if *p as usize >= params.len() {
                    params.resize_with(*p as usize + 1, ParamSlot::default);
                }
                params[*p as usize].init = Some(i.clone());
            }
        }
        let fmt = env.fmt.borrow().clone();
        let nodes = if instrument { count_nodes(&stmt) } else { 0 };
        Exec {
            fmt,
            xact_start_us: env.session.xact_start_us(),
            stmt_start_us: env.session.stmt_start_us(),
            no_input: Batch { cols: Vec::new(), rows: 1, sel: None },
            snapshot: None,
            cid: CommandId::FIRST,
            modifies: stmt.command != analyze::query::CmdType::Select || stmt.has_modifying_cte,
            ext: Vec::new(),
            params,
            clock: Cell::new(1),
            base: Cell::new(1),
            ctes: subplans.iter().map(|_| RefCell::default()).collect(),
            subplan_params: stmt.subplans.iter().map(|p| p.ext_params.clone()).collect(),
            subplans: subplans.into_iter().map(RefCell::new).collect(),
            worktables: RefCell::default(),
            instrument,
            instr: RefCell::new(Instrumentation::new(nodes)),
            processed: Cell::new(0),
            depth: Cell::new(0),
            no_workers: Cell::new(false),
            epq: RefCell::default(),
            after: RefCell::default(),
            env,
            stmt,
        }
    }

    /// The engine.
    pub fn engine(&self) -> Result<&Engine> {
        self.env.engine()
    }
    /// The snapshot.
    pub fn snapshot(&self) -> Result<&Snapshot> {
        self.snapshot.as_ref().ok_or_else(|| Error::internal("executor: no snapshot"))
    }
    /// Binds external parameters and snapshot, forgets what a former execution computed.
    pub fn start(&mut self, params: &[Datum], opts: &RunOptions) {
        self.ext.clear();
        self.ext.extend_from_slice(params);
        let fmt = self.env.fmt.borrow();
        if !Rc::ptr_eq(&self.fmt, &fmt) {
            self.fmt = fmt.clone();
        }
        drop(fmt);
        self.xact_start_us = self.env.session.xact_start_us();
        self.stmt_start_us = self.env.session.stmt_start_us();
        self.snapshot = opts.snapshot.clone().map(Snapshot::Mvcc);
        if let (Some(s), Some(_)) = (&opts.snapshot, &self.env.engine) {
            self.cid = s.curcid;
        }
        if self.modifies
            && let Some(e) = &self.env.engine
        {
            self.cid = e.current_command_id(true);
        }
        self.base.set(self.tick());
        self.processed.set(0);
        self.depth.set(0);
        self.no_workers.set(false);
        for c in &self.ctes {
            c.borrow_mut().reset();
        }
    }
    fn tick(&self) -> u64 {
        self.clock.set(self.clock.get() + 1);
        self.clock.get()
    }
    /// Acts on cancel requests; once a batch.
    #[inline]
    pub fn check_interrupts(&self) -> Result<()> {
        match &self.env.engine {
            Some(e) => e.check_interrupts(),
            None => self.env.session.check_interrupts(),
        }
    }
    /// 54001 when sub-plans nest too deeply.
    pub fn check_stack(&self) -> Result<()> {
        if self.depth.get() > DEPTH_MAX {
            return Err(err!(STATEMENT_TOO_COMPLEX, "stack depth limit exceeded"));
        }
        Ok(())
    }
    /// `$id`.
    pub fn ext_param(&self, id: u32) -> Result<&Datum> {
        self.ext
            .get((id as usize).wrapping_sub(1))
            .ok_or_else(|| err!(UNDEFINED_OBJECT, "no value found for parameter {id}"))
    }
    /// Sets an executor parameter.
    pub fn set_param(&self, id: u32, v: DatumRef<'_>) {
        let slot = &self.params[id as usize];
        let mut d = slot.value.borrow_mut();
        if d.as_ref() != v {
            *d = v.to_owned();
            slot.stamp.set(self.tick());
        }
    }
    /// What depends on this parameter is computed again, whatever its value.
    pub fn touch_param(&self, id: u32) {
        self.params[id as usize].stamp.set(self.tick());
    }
    /// Calls `f` with an executor parameter's value, computing it first if an init-plan does.
    pub fn with_param<R>(&self, id: u32, f: impl FnOnce(DatumRef<'_>) -> R) -> Result<R> {
        let slot = &self.params[id as usize];
        if let Some(init) = &slot.init {
            let stamp = self.plan_stamp(init.plan_id) + 1;
            if slot.init_stamp.get() != stamp {
                self.run_init(init, stamp)?;
            }
        }
        Ok(f(slot.value.borrow().as_ref()))
    }
    /// A number that changes when a parameter in `ids` does, or a new execution begins.
    pub fn stamp(&self, ids: &[u32]) -> u64 {
        ids.iter().fold(self.base.get(), |s, &p| {
            let slot = &self.params[p as usize];
            let mut t = slot.stamp.get();
            if let Some(i) = &slot.init
                && !self.subplan_params[i.plan_id as usize - 1].contains(&p)
            {
                t = t.max(self.plan_stamp(i.plan_id));
            }
            s.max(t)
        })
    }
    /// [`Exec::stamp`] of a sub-plan's parameters.
    pub fn plan_stamp(&self, plan_id: u32) -> u64 {
        self.stamp(&self.subplan_params[plan_id as usize - 1])
    }
    /// Runs `f` on a sub-plan's node.
    pub fn with_subplan<R>(&self, plan_id: u32, f: impl FnOnce(&mut dyn ExecNode) -> Result<R>) -> Result<R> {
        let mut node = self.subplans[plan_id as usize - 1]
            .try_borrow_mut()
            .map_err(|_| Error::internal("executor: sub-plan runs already"))?;
        self.depth.set(self.depth.get() + 1);
        let r = f(&mut **node);
        self.depth.set(self.depth.get() - 1);
        r
    }
    fn run_init(&self, s: &SubPlan, stamp: u64) -> Result<()> {
        let set = |k: usize, v: DatumRef<'_>| {
            let slot = &self.params[s.set_param[k] as usize];
            *slot.value.borrow_mut() = v.to_owned();
            slot.init_stamp.set(stamp);
        };
        self.with_subplan(s.plan_id, |node| {
            node.rescan(self)?;
            match s.kind {
                SubLinkType::Exists => set(0, DatumRef::Bool(node.next(self, 1)?)),
                SubLinkType::Array => {
                    let mut col: Option<Column> = None;
                    while node.next(self, usize::MAX)? {
                        let b = node.batch();
                        let c = col.get_or_insert_with(|| Column::new(b.cols[0].phys()));
                        colops::append_rows(c, &b.cols[0], b.live());
                    }
                    let elem = crate::expr::arrays::elem_type(&self.env, s.result_type)?;
                    set(0, crate::expr::arrays::from_column(elem, col.as_ref(), s.stacked)?.as_ref());
                }
                _ => {
                    if !node.next(self, 2)? {
                        (0..s.set_param.len()).for_each(|k| set(k, DatumRef::Null));
                        return Ok(());
                    }
                    let row = colops::nth_live(node.batch(), 0);
                    for k in 0..s.set_param.len() {
                        set(k, node.batch().cols[k].get(row));
                    }
                    if node.batch().live_count() > 1 || node.next(self, 1)? {
                        return Err(err!(
                            CARDINALITY_VIOLATION,
                            "more than one row returned by a subquery used as an expression"
                        ));
                    }
                }
            }
            Ok(())
        })
    }
    /// Adds to a node's measurements, when there are any.
    #[inline]
    pub fn instr(&self, node_id: u32, f: impl FnOnce(&mut NodeInstr)) {
        if self.instrument
            && let Some(i) = self.instr.borrow_mut().nodes.get_mut(node_id as usize)
        {
            f(i);
        }
    }
    /// Notes calls of a constraint's trigger, when there are measurements.
    pub fn trigger_called(&self, key: (Oid, Oid, TriggerKind), calls: u64, ms: f64) {
        if self.instrument {
            self.instr.borrow_mut().trigger(key, calls, ms);
        }
    }
    /// A worker measures its own part only.
    pub(crate) fn reset_measurements(&self) {
        let mut i = self.instr.borrow_mut();
        let n = i.nodes.len();
        *i = Instrumentation::new(n);
    }
    /// Looks at the measurements.
    pub(crate) fn with_measurements<T>(&self, f: impl FnOnce(&[NodeInstr]) -> T) -> T {
        f(&self.instr.borrow().nodes)
    }
    /// Is this process a parallel worker?
    pub(crate) fn in_worker(&self) -> bool {
        self.env.engine.as_ref().is_some_and(|e| e.is_worker())
    }
    /// Does this run measure?
    pub fn instrumented(&self) -> bool {
        self.instrument
    }
}

fn empty_plan() -> Plan {
    Plan {
        startup_cost: 0.0,
        total_cost: 0.0,
        rows: 1.0,
        width: 0,
        targetlist: Vec::new(),
        qual: Vec::new(),
        init_plans: Vec::new(),
        parallel_aware: false,
        node: planner::plan::Node::Result { child: None, one_time: Vec::new() },
        ext_params: Vec::new(),
        all_columns: false,
        node_id: 0,
    }
}

fn count_nodes(stmt: &PlannedStmt) -> usize {
    fn max_id(p: &Plan) -> u32 {
        p.children().iter().map(|c| max_id(c)).fold(p.node_id, u32::max)
    }
    stmt.subplans.iter().chain([&stmt.plan]).map(max_id).max().unwrap_or(0) as usize + 1
}

/// A compiled plan with all its buffers; run it as often as the plan stays valid.
pub struct CompiledPlan {
    exec: Exec,
    root: BoxNode,
    /// Columns of the result; the rest of the root's output is junk.
    columns: usize,
    width: usize,
}

impl CompiledPlan {
    /// Junk columns are handed out behind the others.
    pub fn show_junk(&mut self) {
        self.columns = self.width;
    }
    /// Compiles.
    pub fn new(env: &Rc<ExecEnv>, stmt: Rc<PlannedStmt>) -> Result<CompiledPlan> {
        CompiledPlan::compile(env, stmt, false)
    }
    /// Compiles for EXPLAIN ANALYZE: every node is measured.
    pub fn instrumented(env: &Rc<ExecEnv>, stmt: Rc<PlannedStmt>) -> Result<CompiledPlan> {
        CompiledPlan::compile(env, stmt, true)
    }
    fn compile(env: &Rc<ExecEnv>, stmt: Rc<PlannedStmt>, instrument: bool) -> Result<CompiledPlan> {
        let inits = InitPlans::default();
        let b = BuildCx { env, stmt: &stmt, inits: &inits, instrument, parallel: None };
        let subplans = stmt.subplans.iter().map(|p| node::build(&b, p)).collect::<Result<Vec<_>>>()?;
        let root = node::build(&b, &stmt.plan)?;
        let width = stmt.plan.targetlist.len();
        let columns = stmt.plan.targetlist.iter().filter(|t| !t.junk).count();
        let exec = Exec::new(env.clone(), stmt, &inits, subplans, instrument);
        Ok(CompiledPlan { exec, root, columns, width })
    }
    /// Measurements, of nothing yet.
    pub fn instrumentation(&self) -> Instrumentation {
        self.exec.instr.borrow().clone()
    }
    /// The plan.
    pub fn stmt(&self) -> &Rc<PlannedStmt> {
        &self.exec.stmt
    }
}

/// One execution.
pub struct QueryRun {
    plan: CompiledPlan,
    /// Rows of the root's batch given out already.
    given: usize,
    /// The root has a batch with rows left.
    pending: bool,
    done: bool,
    returned: u64,
    /// Rows were asked for.
    begun: bool,
    out: Batch,
    limit: u64,
}

impl QueryRun {
    /// Begins: binds the external parameters.
    pub fn start(mut plan: CompiledPlan, params: &[Datum], opts: &RunOptions) -> Result<QueryRun> {
        plan.exec.start(params, opts);
        plan.root.rescan(&plan.exec)?;
        Ok(QueryRun {
            plan,
            given: 0,
            pending: false,
            done: false,
            returned: 0,
            begun: false,
            out: Batch::default(),
            limit: opts.row_limit,
        })
    }
    /// Rows changed, or returned where none are.
    pub fn counted(&self) -> u64 {
        match self.plan.stmt().command {
            analyze::query::CmdType::Select => self.returned,
            _ => self.plan.exec.processed.get(),
        }
    }
    /// The plan.
    pub fn stmt(&self) -> &Rc<PlannedStmt> {
        self.plan.stmt()
    }
    /// Number of result columns.
    pub fn columns(&self) -> usize {
        self.plan.columns
    }
    /// Next rows, at most `max_rows` (0 = as many as come); `None` at the end. Only the first [`QueryRun::columns`]
    /// columns are the result's.
    pub fn next(&mut self, max_rows: usize) -> Result<Option<&Batch>> {
        let max = if max_rows == 0 { usize::MAX } else { max_rows };
        let p = &mut self.plan;
        if !std::mem::replace(&mut self.begun, true) {
            // Workers would wait for whoever fetches the rest, with their locks and memory.
            p.exec.no_workers.set(max_rows != 0 || self.limit != 0);
        }
        if !self.pending {
            if self.done {
                return Ok(None);
            }
            p.exec.check_interrupts()?;
            let left =
                if self.limit > 0 { (self.limit - self.returned.min(self.limit)) as usize } else { max };
            let more = p.root.next(&p.exec, max.min(left.max(1)))?;
            p.exec.env.check_comparisons()?;
            if !more {
                self.done = true;
                return Ok(None);
            }
            self.given = 0;
            if p.root.batch().live_count() <= max && p.columns == p.width {
                self.returned += p.root.batch().live_count() as u64;
                return Ok(Some(p.root.batch()));
            }
            self.pending = true;
        }
        // Part of a batch, or junk columns to be cut off: a copy.
        let b = p.root.batch();
        let total = b.live_count();
        let n = (total - self.given).min(max);
        if self.out.cols.len() != p.columns {
            self.out = colops::like(b);
            self.out.cols.truncate(p.columns);
        }
        self.out.clear();
        for k in self.given..self.given + n {
            colops::append_row(&mut self.out, b, colops::nth_live(b, k));
        }
        self.given += n;
        self.pending = self.given < total;
        self.returned += n as u64;
        Ok(Some(&self.out))
    }
    /// Runs whatever is left of a data-changing statement without returning rows, does what is due at the end of the
    /// statement (foreign keys), and returns the number of rows for the command tag.
    pub fn finish(&mut self) -> Result<u64> {
        let stmt = self.plan.exec.stmt.clone();
        let modifies = stmt.command != analyze::query::CmdType::Select;
        if modifies {
            while !self.done {
                self.next(0)?;
            }
        }
        if modifies || stmt.has_modifying_cte {
            crate::modify::finish_ctes(&self.plan.exec)?;
            crate::modify::fire_after(&self.plan.exec)?;
        }
        Ok(if modifies { self.plan.exec.processed.get() } else { self.returned })
    }
    /// Rows returned so far.
    pub fn returned(&self) -> u64 {
        self.returned
    }
    /// Was the last row returned?
    pub fn is_done(&self) -> bool {
        self.done && !self.pending
    }
    /// Measurements; nodes deliver them when they end, so call it after [`QueryRun::stop`].
    pub fn instrumentation(&self) -> Instrumentation {
        self.plan.exec.instr.borrow().clone()
    }
    /// Releases pins and files.
    pub fn stop(&mut self) {
        let p = &mut self.plan;
        p.root.end(&p.exec);
        for s in &p.exec.subplans {
            s.borrow_mut().end(&p.exec);
        }
        for c in &p.exec.ctes {
            c.borrow_mut().reset();
        }
        *p.exec.epq.borrow_mut() = None;
        *p.exec.after.borrow_mut() = AfterQueue::default();
        p.exec.snapshot = None;
        self.done = true;
        self.pending = false;
    }
    /// [`QueryRun::stop`], then gives the compiled plan back for the next execution.
    pub fn end(mut self) -> CompiledPlan {
        self.stop();
        self.plan
    }
}
