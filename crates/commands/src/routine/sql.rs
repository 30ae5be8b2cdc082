//! Functions in SQL: the statements of a body planned once ([`Compiled`]) and run for every call.

use super::body::{self, Part};
use super::language::Language;
use super::name;
use crate::FnEnv;
use crate::aclcheck;
use crate::ctx::CommandCtx;
use analyze::jumble::Jumble;
use analyze::query::{CmdType, Query};
use analyze::routine::{Declared, Shape};
use catalog::desc::ProcDesc;
use catalog::search_path::SearchPath;
use common::{Error, Oid, Result, bail, err};
use executor::routine::{RoutineCall, RowSet};
use executor::{CompiledPlan, QueryRun, RunOptions};
use foldhash::HashMap;
use parser::ast::Statement;
use planner::PlannedStmt;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use transam::MvccSnapshot;
use types::registry::RowColumn;
use types::{Attribute, Column, Datum, TupleDesc, oids};

/// The functions this session has planned.
#[derive(Default)]
pub struct Cache {
    known: RefCell<HashMap<Oid, Vec<Rc<Compiled>>>>,
}

/// Call forms of one function that are kept; a polymorphic one has as many as types it is called with.
const FORMS_MAX: usize = 16;

/// A function ready to run for certain argument types.
pub struct Compiled {
    arg_types: Box<[Oid]>,
    result_type: Oid,
    collation: Oid,
    columns: Vec<RowColumn>,
    generation: u64,
    /// Who may do what decides which functions are merged into the plans.
    role: Oid,
    path: Rc<SearchPath>,
    name: Rc<str>,
    src: Rc<str>,
    steps: Vec<Step>,
    shape: Shape,
    row: Option<RowShape>,
    volatile: bool,
}

enum Step {
    Query(Box<QueryStep>),
    Utility(Box<Statement>),
}

struct QueryStep {
    query: Query,
    plan: Rc<PlannedStmt>,
    /// Runnable forms not in use: a function that calls itself needs several.
    idle: RefCell<Vec<CompiledPlan>>,
    /// The role last found to be allowed the functions called.
    allowed: Cell<Option<Oid>>,
    /// What its executions are counted under.
    id: Option<Jumble>,
}

/// How columns become a composite value.
struct RowShape {
    /// Invalid for the NULL of a dropped column.
    types: Vec<Oid>,
    row_type: Oid,
    names: Vec<String>,
}

/// The language.
pub struct Sql;

/// Adds the line that says where in a function an error came up.
fn in_function(e: Error, src: &str, name: &str, place: &str) -> Error {
    body::inner_position(e, src).context(format!("SQL function \"{name}\"{place}"))
}

/// Columns of a function's result in a call, where they are known: from the composite type, from OUT parameters, or from
/// what the query expects.
pub fn result_columns(
    env: &FnEnv,
    p: &ProcDesc,
    arg_types: &[Oid],
    result_type: Oid,
    expected: Option<TupleDesc>,
) -> Result<Option<TupleDesc>> {
    let t = env.catalog.storage_type(result_type)?;
    if t != oids::RECORD {
        let composite = env.catalog.type_desc(t)?.typtype == b'c';
        return Ok(if composite { Some((*env.catalog.composite_desc(t)?).clone()) } else { None });
    }
    let mut attrs: Vec<Attribute> = Vec::new();
    for (i, m) in p.arg_modes.iter().enumerate() {
        if !matches!(m, b'o' | b'b' | b't') {
            continue;
        }
        let declared = p.all_arg_types.get(i).copied().unwrap_or_default();
        let t = body::with_analyze(env, "", |a| {
            analyze::routine::resolve_types(a, arg_types, &mut p.arg_types.clone(), declared)
        })?;
        let given = p.arg_names.get(i).filter(|n| !n.is_empty()).cloned();
        let name = given.unwrap_or_else(|| format!("column{}", attrs.len() + 1));
        attrs.push(catalog::schema::attribute(&name, &*env.catalog.type_desc(t)?, -1));
    }
    Ok(if attrs.is_empty() { expected } else { Some(TupleDesc { attrs, type_oid: oids::RECORD }) })
}

fn expected_desc(env: &FnEnv, columns: &[RowColumn]) -> Result<Option<TupleDesc>> {
    if columns.is_empty() {
        return Ok(None);
    }
    let mut attrs = Vec::new();
    for c in columns {
        attrs.push(catalog::schema::attribute(&c.name, &*env.catalog.type_desc(c.type_oid)?, c.typmod));
    }
    Ok(Some(TupleDesc { attrs, type_oid: oids::RECORD }))
}

/// The query whose rows are the result: the last one.
fn last_query(parts: &mut [Part]) -> Option<&mut Query> {
    match parts.last_mut() {
        Some(Part::Query(q, _)) => Some(q),
        _ => None,
    }
}

/// Checks the result of a body and converts it.
pub fn check_result(
    env: &FnEnv,
    p: &ProcDesc,
    parts: &mut [Part],
    result_type: Oid,
    columns: Option<&TupleDesc>,
) -> Result<Shape> {
    let declared = Declared { ret_type: result_type, columns, is_procedure: p.kind == b'p' };
    body::with_analyze(env, "", |a| analyze::routine::check_result(a, last_query(parts), &declared))
}

impl Compiled {
    fn fits(&self, call: &RoutineCall<'_>) -> bool {
        *self.arg_types == *call.arg_types
            && self.result_type == call.result_type
            && self.collation == call.collation
            && self.columns == call.columns
    }

    fn is_current(&self, env: &FnEnv, path: &Rc<SearchPath>) -> bool {
        self.generation == env.catalog.generation()
            && self.role == env.host.role()
            && (Rc::ptr_eq(&self.path, path) || self.path == *path)
    }

    fn new(env: &FnEnv, p: &ProcDesc, call: &RoutineCall<'_>) -> Result<Compiled> {
        let path = env.host.search_path()?;
        let mut parts = body::read(env, p, call.arg_types, call.collation)?;
        body::check_statements(&parts)?;
        let expected = expected_desc(env, call.columns)?;
        let desc = result_columns(env, p, call.arg_types, call.result_type, expected)?;
        let shape = check_result(env, p, &mut parts, call.result_type, desc.as_ref())?;
        let row = match (shape, last_query(&mut parts)) {
            (Shape::Columns, Some(q)) => Some(row_shape(env, q, call.result_type, desc.as_ref())?),
            _ => None,
        };
        let volatile = p.volatile == b'v';
        let mut steps = Vec::new();
        for part in parts {
            steps.push(step(env, part, volatile, call.arg_types)?);
        }
        Ok(Compiled {
            arg_types: call.arg_types.into(),
            collation: call.collation,
            result_type: call.result_type,
            columns: call.columns.to_vec(),
            generation: env.catalog.generation(),
            role: env.host.role(),
            path,
            name: p.name.as_str().into(),
            src: p.src.as_str().into(),
            steps,
            shape,
            row,
            volatile,
        })
    }

    fn at_statement(&self, e: Error, number: usize) -> Error {
        in_function(e, &self.src, &self.name, &format!(" statement {number}"))
    }
}

fn step(env: &FnEnv, part: Part, volatile: bool, arg_types: &[Oid]) -> Result<Step> {
    match part {
        Part::Query(query, id) => {
            if !volatile && (query.command != CmdType::Select || !query.row_marks.is_empty()) {
                bail!(
                    FEATURE_NOT_SUPPORTED,
                    "{} is not allowed in a non-volatile function",
                    name::of_query(&query)
                );
            }
            let plan = Rc::new(super::merge::plan(env, (*query).clone(), arg_types)?);
            let (idle, allowed) = (RefCell::default(), Cell::new(None));
            let step = QueryStep { query: *query, plan, idle, allowed, id };
            Ok(Step::Query(Box::new(step)))
        }
        Part::Utility(s) if !volatile => {
            bail!(
                FEATURE_NOT_SUPPORTED,
                "{} is not allowed in a non-volatile function",
                name::of_statement(&s)
            )
        }
        Part::Utility(s) => Ok(Step::Utility(s)),
    }
}

fn row_shape(env: &FnEnv, q: &Query, result_type: Oid, desc: Option<&TupleDesc>) -> Result<RowShape> {
    let row_type = env.catalog.storage_type(result_type)?;
    let (mut types, mut names) = (Vec::new(), Vec::new());
    match desc {
        Some(d) => {
            for a in &d.attrs {
                types.push(if a.dropped { Oid::INVALID } else { env.catalog.storage_type(a.type_oid)? });
                names.push(a.name.clone());
            }
        }
        None => {
            for c in analyze::output_columns(q) {
                types.push(env.catalog.storage_type(c.type_oid)?);
                names.push(c.name.to_string());
            }
        }
    }
    if row_type != oids::RECORD {
        names.clear();
    }
    Ok(RowShape { types, row_type, names })
}

/// The function as planned for a call, made or remade as needed.
fn compiled(env: &FnEnv, p: &ProcDesc, call: &RoutineCall<'_>) -> Result<Rc<Compiled>> {
    let known =
        env.routines.known.borrow().get(&p.oid).and_then(|l| l.iter().find(|c| c.fits(call)).cloned());
    if let Some(c) = known
        && c.is_current(env, &env.host.search_path()?)
    {
        lock(env, &c)?;
        // Waiting for a lock may have let in news about the relations.
        if c.generation == env.catalog.generation() {
            return Ok(c);
        }
    }
    let made = Compiled::new(env, p, call).map_err(|e| in_function(e, &p.src, &p.name, " during startup"))?;
    let made = Rc::new(made);
    let mut known = env.routines.known.borrow_mut();
    let list = known.entry(p.oid).or_default();
    list.retain(|c| !c.fits(call) && c.generation == made.generation);
    if list.len() >= FORMS_MAX {
        list.remove(0);
    }
    list.push(made.clone());
    Ok(made)
}

fn lock(env: &FnEnv, c: &Compiled) -> Result<()> {
    use analyze::query::RteKind;
    for s in &c.steps {
        let Step::Query(q) = s else { continue };
        for r in &q.plan.rtable {
            if let RteKind::Relation { relid, lockmode, .. } = &r.kind {
                let db = body::database_of(env, *relid);
                env.engine.lock_relation(db, *relid, crate::lock_mode(*lockmode))?;
            }
        }
    }
    Ok(())
}

/// The snapshots of one call: the caller's, or one of its own that sees what earlier statements did.
struct Sight {
    snapshot: Option<Rc<MvccSnapshot>>,
    volatile: bool,
}

impl Sight {
    fn next(&mut self, env: &FnEnv) -> Result<Rc<MvccSnapshot>> {
        if !self.volatile {
            return match &self.snapshot {
                Some(s) => Ok(s.clone()),
                None => env.engine.transaction_snapshot(),
            };
        }
        env.engine.command_counter_increment()?;
        let next = match self.snapshot.take() {
            None => env.engine.transaction_snapshot()?,
            Some(mut s) => {
                let cid = env.engine.current_command_id(false);
                if s.curcid != cid {
                    Rc::make_mut(&mut s).curcid = cid;
                }
                s
            }
        };
        self.snapshot = Some(next.clone());
        Ok(next)
    }
}

/// A statement that runs, and what counts it when it has ended.
struct Running {
    run: QueryRun,
    count: Option<crate::ctx::CountNested>,
}

impl std::ops::Deref for Running {
    type Target = QueryRun;
    fn deref(&self) -> &QueryRun {
        &self.run
    }
}
impl std::ops::DerefMut for Running {
    fn deref_mut(&mut self) -> &mut QueryRun {
        &mut self.run
    }
}

fn start(env: &FnEnv, s: &QueryStep, args: &[Datum], opts: &RunOptions) -> Result<Running> {
    let (role, superuser) = (env.host.role(), env.host.is_superuser());
    if !superuser {
        aclcheck::check_query_privileges(&env.catalog, role, superuser, &s.query)?;
        if s.allowed.get() != Some(role) {
            aclcheck::check_functions(&env.catalog, role, &aclcheck::query_functions(&s.query))?;
            s.allowed.set(Some(role));
        }
    }
    if env.engine.read_only() && s.query.command != CmdType::Select {
        bail!(
            READ_ONLY_SQL_TRANSACTION,
            "cannot execute {} in a read-only transaction",
            name::of_query(&s.query)
        );
    }
    if s.query.command != CmdType::Select && env.engine.in_parallel_mode() {
        env.engine.not_in_parallel_mode(&format!("execute {}", name::of_query(&s.query)))?;
    }
    let idle = s.idle.borrow_mut().pop();
    let plan = match idle {
        Some(p) => p,
        None => CompiledPlan::new(&env.host.exec_env(), s.plan.clone())?,
    };
    let count = if s.id.is_some() { env.host.count_nested() } else { None };
    Ok(Running { run: QueryRun::start(plan, args, opts)?, count })
}

fn give_back(c: &Compiled, s: &QueryStep, r: Running) {
    if let (Some(count), Some(j)) = (r.count, &s.id) {
        count(j, &c.src, r.run.counted());
    }
    s.idle.borrow_mut().push(r.run.end());
}

/// Runs a statement for its effects.
fn run_step(env: &FnEnv, c: &Compiled, s: &Step, args: &[Datum], sight: &mut Sight) -> Result<()> {
    match s {
        Step::Query(q) => {
            let opts = RunOptions { snapshot: Some(sight.next(env)?), ..RunOptions::default() };
            let mut run = start(env, q, args, &opts)?;
            while run.next(0)?.is_some() {}
            run.finish()?;
            give_back(c, q, run);
            Ok(())
        }
        Step::Utility(s) => {
            sight.next(env)?;
            env.host.run_utility(s, &c.src, args, &c.arg_types)
        }
    }
}

impl RowShape {
    fn value(&self, cols: &[Column], row: usize) -> Datum {
        let fields = self.types.iter().enumerate().map(|(i, t)| {
            // The NULL that stands for a dropped column has no type.
            let c = cols.get(i).filter(|_| t.is_valid());
            (*t, c.map_or(types::DatumRef::Null, |c| c.get(row)))
        });
        types::record::build_named(self.row_type, fields, &self.names)
    }
}

/// Runs the statements before the last and returns the last, if its rows are the result.
fn run_prelude<'c>(
    env: &FnEnv,
    c: &'c Compiled,
    args: &[Datum],
    sight: &mut Sight,
) -> Result<Option<(usize, &'c QueryStep)>> {
    let n = c.steps.len();
    for (i, s) in c.steps.iter().enumerate() {
        if i + 1 == n
            && c.shape != Shape::Void
            && let Step::Query(q) = s
        {
            return Ok(Some((n, q)));
        }
        run_step(env, c, s, args, sight).map_err(|e| c.at_statement(e, i + 1))?;
    }
    Ok(None)
}

impl Compiled {
    fn value(&self, cols: &[Column], row: usize) -> Datum {
        match &self.row {
            Some(r) => r.value(cols, row),
            None => cols.first().map_or(Datum::Null, |c| c.get(row).to_owned()),
        }
    }

    /// The first row of the last statement.
    fn first(&self, env: &FnEnv, q: &QueryStep, args: &[Datum], sight: &mut Sight) -> Result<Datum> {
        let lazy = q.query.command == CmdType::Select && !q.plan.has_modifying_cte;
        let row_limit = u64::from(lazy);
        let opts = RunOptions { snapshot: Some(sight.next(env)?), row_limit };
        let mut run = start(env, q, args, &opts)?;
        let mut out = Datum::Null;
        let n = run.columns();
        if let Some(b) = run.next(usize::from(lazy))? {
            let row = executor::expr::colops::nth_live(b, 0);
            out = self.value(&b.cols[..n], row);
        }
        if !lazy {
            while run.next(0)?.is_some() {}
            run.finish()?;
        }
        give_back(self, q, run);
        Ok(out)
    }
}

impl Language for Sql {
    fn call(&self, env: &FnEnv, p: &ProcDesc, call: &RoutineCall<'_>) -> Result<Datum> {
        let c = compiled(env, p, call)?;
        let mut sight =
            Sight { snapshot: if c.volatile { None } else { call.snapshot.cloned() }, volatile: c.volatile };
        match run_prelude(env, &c, call.args, &mut sight)? {
            Some((n, q)) => c.first(env, q, call.args, &mut sight).map_err(|e| c.at_statement(e, n)),
            None => Ok(Datum::Null),
        }
    }

    fn open_set(
        &self,
        env: &FnEnv,
        p: &ProcDesc,
        call: &RoutineCall<'_>,
        _in_from: bool,
    ) -> Result<Box<dyn RowSet>> {
        let c = compiled(env, p, call)?;
        let mut sight =
            Sight { snapshot: if c.volatile { None } else { call.snapshot.cloned() }, volatile: c.volatile };
        let Some((n, q)) = run_prelude(env, &c, call.args, &mut sight)? else {
            return Ok(Box::new(Rows { run: None, step: 0, c: c.clone() }));
        };
        let begin = |sight: &mut Sight| {
            let opts = RunOptions { snapshot: Some(sight.next(env)?), ..RunOptions::default() };
            start(env, q, call.args, &opts)
        };
        let run = begin(&mut sight).map_err(|e| c.at_statement(e, n))?;
        let lazy = q.query.command == CmdType::Select && !q.plan.has_modifying_cte;
        let mut rows = Rows { run: Some(run), step: n, c: c.clone() };
        if lazy {
            return Ok(Box::new(rows));
        }
        Ok(Box::new(Kept::of(&env.host.exec_env(), call.result_type, &mut rows)?))
    }

    fn validate(&self, ctx: &CommandCtx<'_>, p: &ProcDesc) -> Result<()> {
        super::create::validate_sql(ctx, p)
    }
}

/// Rows read from the running last statement.
struct Rows {
    run: Option<Running>,
    /// Number of the statement.
    step: usize,
    c: Rc<Compiled>,
}

impl RowSet for Rows {
    fn next(&mut self, out: &mut Column, max: usize) -> Result<usize> {
        let c = self.c.clone();
        let Some(run) = &mut self.run else { return Ok(0) };
        let width = run.columns();
        match run.next(max).map_err(|e| c.at_statement(e, self.step))? {
            Some(b) => {
                let mut n = 0;
                b.live().each(|i| {
                    out.push(c.value(&b.cols[..width], i).as_ref());
                    n += 1;
                    Ok::<(), Error>(())
                })?;
                Ok(n)
            }
            None => {
                run.finish().map_err(|e| c.at_statement(e, self.step))?;
                if let (Some(run), Some(Step::Query(q))) = (self.run.take(), c.steps.get(self.step - 1)) {
                    give_back(&c, q, run);
                }
                Ok(0)
            }
        }
    }
}

/// Rows read to the end.
pub struct Kept {
    rows: Column,
    at: usize,
}

impl Kept {
    /// Reads all rows of a set.
    pub fn of(env: &executor::ExecEnv, t: Oid, from: &mut dyn RowSet) -> Result<Kept> {
        let mut rows = Column::new(env.phys(t)?);
        while from.next(&mut rows, types::column::BATCH_ROWS)? > 0 {}
        Ok(Kept { rows, at: 0 })
    }
}

impl Kept {
    /// The one row of a function that returns no set.
    pub fn one(env: &executor::ExecEnv, t: Oid, value: &Datum) -> Result<Kept> {
        let mut rows = Column::new(env.phys(t)?);
        rows.push(value.as_ref());
        Ok(Kept { rows, at: 0 })
    }
}

impl RowSet for Kept {
    fn next(&mut self, out: &mut Column, max: usize) -> Result<usize> {
        let n = max.min(self.rows.len() - self.at);
        executor::expr::colops::append_range(out, &self.rows, self.at, self.at + n);
        self.at += n;
        Ok(n)
    }
}

/// 54001 for calls that nest too deeply.
pub fn too_deep() -> Error {
    err!(STATEMENT_TOO_COMPLEX, "stack depth limit exceeded").hint(
        "Increase the configuration parameter \"max_stack_depth\" (currently 2048kB), after ensuring the platform's stack depth limit is adequate.",
    )
}
