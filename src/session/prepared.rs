//! Prepared statements: a statement analysed once, planned when first run, revalidated when a descriptor it was built
//! from may have changed. The choice between a generic plan and plans for the actual values is PostgreSQL's: five
//! custom plans first, then whichever is cheaper.

use super::Session;
use super::plan_cache::{SmallTable, State};
use analyze::jumble::Jumble;
use analyze::query::{Query, RteKind};
use analyze::{AnalyzeCtx, Analyzed, OutputColumn, ParamTypes};
use catalog::search_path::SearchPath;
use commands::extension::pg_stat_statements::Phase;
use common::{Oid, Result, bail, err};
use executor::run::CompiledPlan;
use parser::ast::RawStmt;
use planner::{PlannedStmt, PlannerCtx};
use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;
use types::Datum;

/// What a statement turned out to be.
pub enum Work {
    Empty,
    Query(Box<Query>),
    Utility(Rc<RawStmt>),
}

/// Analysed form, valid for a catalog generation and a search path.
pub struct Analysis {
    pub work: Work,
    /// Columns of the result; empty if it returns no rows.
    pub columns: Rc<Vec<OutputColumn>>,
    /// How rows are sent, and in which formats the client wanted them, as of the last execution.
    pub row_format: RefCell<Option<(Vec<i16>, Rc<super::format::RowFormat>)>>,
    /// The RowDescription message of the simple protocol.
    pub description: OnceCell<Vec<u8>>,
    generation: u64,
    path: Rc<SearchPath>,
    /// The role last found to be allowed all functions of the query.
    functions_allowed: Cell<Oid>,
    /// What the statement is counted under.
    pub id: Option<Rc<Jumble>>,
}

impl Analysis {
    fn new(
        work: Work,
        columns: Vec<OutputColumn>,
        generation: u64,
        path: Rc<SearchPath>,
        id: Option<Jumble>,
    ) -> Analysis {
        let columns = Rc::new(columns);
        Analysis {
            work,
            columns,
            row_format: RefCell::default(),
            description: OnceCell::new(),
            generation,
            path,
            functions_allowed: Cell::default(),
            id: id.map(Rc::new),
        }
    }
    /// The form of a rewritten query.
    pub fn of_query(query: Query, generation: u64, path: Rc<SearchPath>, id: Option<Jumble>) -> Analysis {
        let columns = analyze::output_columns(&query);
        Analysis::new(Work::Query(Box::new(query)), columns, generation, path, id)
    }
    /// Was it made in this search path?
    pub fn is_for_path(&self, path: &Rc<SearchPath>) -> bool {
        Rc::ptr_eq(&self.path, path) || self.path == *path
    }
}

/// A prepared (or one-off) statement.
pub struct Prepared {
    /// The query string the statement came in.
    pub source: Rc<str>,
    raw: Option<Rc<RawStmt>>,
    pub param_types: RefCell<Vec<Oid>>,
    analysis: RefCell<Option<Rc<Analysis>>>,
    plan: RefCell<Option<Cached>>,
    generic_cost: Cell<f64>,
    custom_cost: Cell<f64>,
    pub custom_plans: Cell<u32>,
    pub generic_plans: Cell<u64>,
    /// When it was prepared, and whether by PREPARE.
    pub prepared_at: Cell<i64>,
    pub from_sql: Cell<bool>,
    /// An unnamed statement that serves again when the same text comes: as of which state of catalogs and settings.
    shared: Cell<Option<State>>,
    /// A shared statement is planned for each set of values.
    custom_only: Cell<bool>,
    /// The table that a kept plan reads whole.
    small: Cell<Option<SmallTable>>,
}

/// The generic plan, ready to run; taken out while it runs.
struct Cached {
    plan: CompiledPlan,
    generation: u64,
    /// Who may do what decides which functions are merged into the plan.
    role: Oid,
}

/// Custom plans tried before a generic one is considered, as in PostgreSQL.
const CUSTOM_PLANS: u32 = 5;

impl Prepared {
    /// The raw statement, if there is one.
    pub fn statement(&self) -> Option<&parser::ast::Statement> {
        self.raw.as_ref().map(|r| &r.stmt)
    }

    /// Wraps a parsed statement.
    pub fn new(source: Rc<str>, raw: Option<Rc<RawStmt>>, param_types: Vec<Oid>) -> Prepared {
        Prepared {
            source,
            raw,
            param_types: RefCell::new(param_types),
            analysis: RefCell::default(),
            plan: RefCell::default(),
            generic_cost: Cell::new(-1.0),
            custom_cost: Cell::new(0.0),
            custom_plans: Cell::new(0),
            generic_plans: Cell::new(0),
            prepared_at: Cell::new(0),
            from_sql: Cell::new(false),
            shared: Cell::new(None),
            custom_only: Cell::new(false),
            small: Cell::new(None),
        }
    }
    /// Lets the statement serve again for the same text as long as `state` lasts.
    pub fn share(&self, state: State) {
        self.shared.set(Some(state));
    }
    /// The state that a shared statement is good for.
    pub fn shared_state(&self) -> Option<State> {
        self.shared.get()
    }
    /// The identifier of the statement as analysed last.
    pub fn query_id(&self) -> Option<i64> {
        self.analysis.borrow().as_ref().and_then(|a| a.id.as_ref().map(|j| j.id))
    }
    /// Replaces the analysed form's query: a cursor computes more than its statement says.
    pub(super) fn replace_query(&self, query: Query) {
        let mut slot = self.analysis.borrow_mut();
        if let Some(a) = slot.take() {
            let columns = Vec::clone(&a.columns);
            let path = a.path.clone();
            let id = a.id.as_deref().cloned();
            *slot =
                Some(Rc::new(Analysis::new(Work::Query(Box::new(query)), columns, a.generation, path, id)));
        }
    }
    /// Is a plan ready?
    pub fn has_plan(&self) -> bool {
        self.plan.borrow().is_some()
    }
    /// Takes the ready plan out; [`Session::return_plan`] puts it back.
    pub fn take_plan(&self) -> Option<CompiledPlan> {
        self.plan.borrow_mut().take().map(|c| c.plan)
    }
    /// The raw statement; `None` for an empty query string.
    pub fn raw(&self) -> Option<&RawStmt> {
        self.raw.as_deref()
    }
}

impl Session {
    /// Runs `f` with a context for analysis of `source`.
    pub(super) fn with_analyze_ctx<R>(
        &self,
        source: &str,
        f: impl FnOnce(&AnalyzeCtx<'_>) -> Result<R>,
    ) -> Result<R> {
        let path = self.search_path()?;
        let fmt = self.env().fmt.borrow().clone();
        let lock = |rel: Oid, mode: u8| self.lock_relation(rel, mode);
        let ctx = AnalyzeCtx {
            catalog: &self.catalog,
            path: &path,
            registry: self.catalog.registry(),
            fmt: &fmt,
            role: self.current_role.get(),
            database: &self.identity.database_name,
            source,
            lock: &lock,
            env: self.env().session.fn_env(),
            xact_start_us: self.engine.transaction_timestamp(),
            stmt_start_us: self.engine.statement_timestamp(),
        };
        f(&ctx)
    }

    fn lock_relation(&self, rel: Oid, mode: u8) -> Result<()> {
        let shared = self.catalog.builtins().schema.table(rel).is_some_and(|t| t.shared);
        let db = if shared { Oid::INVALID } else { self.catalog.database() };
        self.engine.lock_relation(db, rel, commands::lock_mode(mode))
    }

    /// The analysed form, made or remade as needed. `variable` lets parameter types be inferred (first analysis).
    pub(super) fn analysis(&self, p: &Prepared, variable: bool) -> Result<Rc<Analysis>> {
        let path = self.search_path()?;
        if let Some(a) = &*p.analysis.borrow()
            && a.generation == self.catalog.generation()
            && a.is_for_path(&path)
        {
            return Ok(a.clone());
        }
        let Some(raw) = &p.raw else {
            return Ok(Rc::new(Analysis::new(Work::Empty, Vec::new(), 0, path, None)));
        };
        let old_columns = p.analysis.borrow().as_ref().map(|a| a.columns.clone());
        let given = p.param_types.borrow().clone();
        let mut params = if variable { ParamTypes::variable(given) } else { ParamTypes::fixed(given) };
        let begun = self.usage_begin("log_parser_stats");
        let mut id = None;
        let work = self.with_analyze_ctx(&p.source, |ctx| {
            let analyzed = analyze::analyze(ctx, raw, &mut params)?;
            id = self.identify(&p.source, raw, &analyzed);
            match analyzed {
                Analyzed::Utility(None) => Ok(Work::Utility(raw.clone())),
                Analyzed::Utility(Some(s)) => {
                    Ok(Work::Utility(Rc::new(RawStmt { stmt: *s, location: raw.location, len: raw.len })))
                }
                Analyzed::Query(mut q) => {
                    self.print_tree("debug_print_parse", "parse tree:", &q);
                    analyze::rewrite_in_place(ctx, &mut q)?;
                    self.print_tree("debug_print_rewritten", "rewritten parse tree:", &q);
                    Ok(Work::Query(q))
                }
            }
        })?;
        self.usage_end("PARSE ANALYSIS STATISTICS", begun);
        if variable {
            if let Some(i) = params.types.iter().position(|t| !t.is_valid() || *t == types::oids::UNKNOWN) {
                bail!(INDETERMINATE_DATATYPE, "could not determine data type of parameter ${}", i + 1);
            }
            *p.param_types.borrow_mut() = params.types;
        }
        let columns = match &work {
            Work::Query(q) => analyze::output_columns(q),
            Work::Utility(u) => self.utility_columns(&u.stmt)?,
            Work::Empty => Vec::new(),
        };
        if old_columns.is_some_and(|old| !same_shape(&old, &columns)) && !variable {
            let mut e = err!(FEATURE_NOT_SUPPORTED, "cached plan must not change result type");
            e.report_mut().routine = Some("RevalidateCachedQuery");
            return Err(e);
        }
        let a = Rc::new(Analysis::new(work, columns, self.catalog.generation(), path, id));
        *p.analysis.borrow_mut() = Some(a.clone());
        *p.plan.borrow_mut() = None;
        Ok(a)
    }

    /// Was the statement found to be no query?
    pub(super) fn is_utility(&self, p: &Prepared) -> bool {
        p.analysis.borrow().as_ref().is_some_and(|a| matches!(a.work, Work::Utility(_)))
    }

    /// `debug_print_parse` and its kin: a tree in the log, as Rust shows it.
    fn print_tree(&self, setting: &str, title: &str, tree: &dyn std::fmt::Debug) {
        if !self.often().print_trees {
            return;
        }
        let s = self.settings.borrow();
        if !s.bool(setting) {
            return;
        }
        let text = if s.bool("debug_pretty_print") { format!("{tree:#?}") } else { format!("{tree:?}") };
        drop(s);
        let mut r =
            common::Report::new(common::Severity::Log, common::SqlState::SUCCESSFUL_COMPLETION, title);
        r.detail = Some(text);
        self.queue_notice(r);
    }

    /// Is the statement's analysed form still good?
    pub(super) fn analysis_is_current(&self, p: &Prepared) -> bool {
        let Ok(path) = self.search_path() else { return false };
        p.analysis
            .borrow()
            .as_ref()
            .is_some_and(|a| a.generation == self.catalog.generation() && a.is_for_path(&path))
    }

    /// A plan for a query statement with these parameter values, ready to run, and whether to give it back afterwards
    /// with [`Session::return_plan`].
    pub(super) fn plan_for(
        &self,
        p: &Prepared,
        a: &Rc<Analysis>,
        params: &[Datum],
        cursor: bool,
    ) -> Result<(CompiledPlan, bool)> {
        if let Work::Query(query) = &a.work {
            self.lock_query(query)?;
        }
        // Waiting for a lock may have let in news about the relations.
        let a = &self.analysis(p, false)?;
        let Work::Query(query) = &a.work else {
            return Err(common::Error::internal("planning a utility statement"));
        };
        let custom = !params.is_empty() && p.shared.get().is_none() && self.often().custom_plans;
        let kept = if custom { None } else { p.plan.borrow_mut().take() };
        if let Some(c) = kept
            && c.generation == self.catalog.generation()
            && c.role == self.current_role.get()
            && p.small.get().is_none_or(|s| self.is_unchanged(s))
        {
            p.generic_plans.set(p.generic_plans.get() + 1);
            return Ok((c.plan, true));
        }
        let meter = self.planning_meter();
        if let Some(stmt) = self.plan_shared(p, query)? {
            self.count_statement(a, &p.source, Phase::Plan, meter, 0);
            p.generic_plans.set(p.generic_plans.get() + 1);
            return Ok((CompiledPlan::new(self.env(), Rc::new(stmt))?, true));
        }
        let shared = p.shared.get().is_some();
        let generic = !shared && (params.is_empty() || self.wants_generic(p, query, params.len(), cursor)?);
        let types = p.param_types.borrow().clone();
        let bound = if generic && !params.is_empty() { None } else { Some(params) };
        let stmt = self.plan_query(Query::clone(query), &types, bound, cursor)?;
        self.count_statement(a, &p.source, Phase::Plan, meter, 0);
        if generic {
            p.generic_plans.set(p.generic_plans.get() + 1);
        } else {
            p.custom_plans.set(p.custom_plans.get() + 1);
            p.custom_cost.set(p.custom_cost.get() + stmt.plan.total_cost + planning_cost(&stmt));
        }
        Ok((CompiledPlan::new(self.env(), Rc::new(stmt))?, generic))
    }

    /// A plan for all parameter values of a shared statement, if such a plan is as good as one for these.
    fn plan_shared(&self, p: &Prepared, query: &Query) -> Result<Option<PlannedStmt>> {
        if p.shared.get().is_none() || p.custom_only.get() {
            return Ok(None);
        }
        let types = p.param_types.borrow().clone();
        let found = self.generic_plan(query, &types)?;
        p.custom_only.set(found.is_none());
        p.small.set(found.as_ref().and_then(|f| f.1));
        Ok(found.map(|f| f.0))
    }

    /// Should the next plan serve all parameter values?
    fn wants_generic(&self, p: &Prepared, query: &Query, nparams: usize, cursor: bool) -> Result<bool> {
        let mode = self.settings.borrow().text("plan_cache_mode").to_string();
        match mode.as_str() {
            "force_generic_plan" => return Ok(true),
            "force_custom_plan" => return Ok(false),
            _ => {}
        }
        debug_assert!(nparams > 0);
        if p.custom_plans.get() < CUSTOM_PLANS {
            return Ok(false);
        }
        if p.generic_cost.get() < 0.0 {
            let types = p.param_types.borrow().clone();
            let stmt = self.plan_query(query.clone(), &types, None, cursor)?;
            p.generic_cost.set(stmt.plan.total_cost);
        }
        Ok(p.generic_cost.get() < p.custom_cost.get() / f64::from(p.custom_plans.get()))
    }

    /// May the current user do what the query asks of its tables? Asked when it starts to run, as plans outlive SET ROLE.
    pub(super) fn check_privileges(&self, p: &Prepared) -> Result<()> {
        let a = self.analysis(p, false)?;
        self.check_privileges_of(&a, &[])
    }

    /// The same for an analysed form, and functions that were called in making it.
    pub(super) fn check_privileges_of(&self, a: &Analysis, functions: &[Oid]) -> Result<()> {
        let Work::Query(query) = &a.work else { return Ok(()) };
        let (role, superuser) = (self.current_role.get(), self.superuser.get());
        commands::aclcheck::check_query_privileges(&self.catalog, role, superuser, query)?;
        if !superuser && a.functions_allowed.get() != role {
            commands::aclcheck::check_functions(
                &self.catalog,
                role,
                &commands::aclcheck::query_functions(query),
            )?;
            commands::aclcheck::check_functions(&self.catalog, role, functions)?;
            a.functions_allowed.set(role);
        }
        Ok(())
    }

    /// Is a plan made from the present analysis still good?
    pub(super) fn plan_is_current(&self, p: &Prepared) -> bool {
        p.analysis.borrow().as_ref().is_some_and(|a| a.generation == self.catalog.generation())
    }

    /// Gives a generic plan back for the next execution.
    pub(super) fn return_plan(&self, p: &Prepared, plan: CompiledPlan) {
        *p.plan.borrow_mut() =
            Some(Cached { plan, generation: self.catalog.generation(), role: self.current_role.get() });
    }

    /// Takes the locks a query needs on its relations, sub-queries included.
    pub(super) fn lock_query(&self, q: &Query) -> Result<()> {
        for rte in &q.rtable {
            match &rte.kind {
                RteKind::Relation { relid, lockmode, .. } => self.lock_relation(*relid, *lockmode)?,
                RteKind::Subquery { query, .. } => self.lock_query(query)?,
                _ => {}
            }
        }
        for c in &q.ctes {
            self.lock_query(&c.query)?;
        }
        Ok(())
    }

    /// Plans a query.
    pub(super) fn plan_query(
        &self,
        query: Query,
        types: &[Oid],
        bound: Option<&[Datum]>,
        cursor: bool,
    ) -> Result<PlannedStmt> {
        let begun = self.usage_begin("log_planner_stats");
        let plan = self.with_planner_ctx(types, bound, cursor, |ctx| planner::plan_query(ctx, query))?;
        self.usage_end("PLANNER STATISTICS", begun);
        self.print_tree("debug_print_plan", "plan:", &plan);
        Ok(plan)
    }

    /// Runs `f` with a context for planning.
    pub(super) fn with_planner_ctx<R>(
        &self,
        types: &[Oid],
        bound: Option<&[Datum]>,
        cursor: bool,
        f: impl FnOnce(&PlannerCtx<'_>) -> Result<R>,
    ) -> Result<R> {
        let settings = self.planner_settings();
        let fmt = self.env().fmt.borrow().clone();
        f(&PlannerCtx {
            catalog: &self.catalog,
            settings: &settings,
            registry: self.catalog.registry(),
            fmt: &fmt,
            env: self.env().session.fn_env(),
            xact_start_us: self.engine.transaction_timestamp(),
            stmt_start_us: self.engine.statement_timestamp(),
            param_types: types,
            bound_params: bound,
            cursor,
            parallel: !cursor,
            routines: Some(&commands::routine::Merge(self.fn_env())),
        })
    }
}

/// What planning itself costs, in the planner's units: PostgreSQL charges it to custom plans.
fn planning_cost(stmt: &PlannedStmt) -> f64 {
    1000.0 * 0.0025 * (stmt.rtable.len() as f64 + 1.0)
}

fn same_shape(a: &[OutputColumn], b: &[OutputColumn]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(x, y)| x.type_oid == y.type_oid && x.typmod == y.typmod)
}
