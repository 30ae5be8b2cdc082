//! What a run of a plan sees of its session: catalogs, function registry, settings, and the [`Session`] trait through
//! which the executor asks the upper layers for what it cannot do itself (notices, sequences, names of the user).

use crate::modify::Deferred;
use crate::routine::{RoutineCall, RowSet};
use analyze::expr::SqlValueFunctionOp;
use catalog::cache::Catalog;
use common::{Error, Oid, Report, Result};
use std::any::Any;
use std::cell::{Cell, RefCell};
use std::path::PathBuf;
use std::rc::Rc;

use transam::Engine;
use types::typeinfo;
use types::{CallCtx, Collation, Datum, FnImpl, FormatSettings, Phys, Registry};

/// Services of the session that a plan may need. Implemented by the root; [`NoSession`] serves tests.
pub trait Session {
    /// Acts on cancel and termination requests: 57014, 57P01.
    fn check_interrupts(&self) -> Result<()>;
    /// A NOTICE or WARNING for the client.
    fn notice(&self, report: Report);
    /// Start of the transaction, microseconds from 2000-01-01 UTC.
    fn xact_start_us(&self) -> i64;
    /// Start of the statement.
    fn stmt_start_us(&self) -> i64;
    /// `nextval` of a sequence (identity columns); permissions are the caller's affair.
    fn nextval(&self, sequence: Oid) -> Result<i64>;
    /// CURRENT_USER, SESSION_USER, CURRENT_CATALOG, CURRENT_SCHEMA: NULL when there is none.
    fn name_value(&self, op: SqlValueFunctionOp) -> Result<Datum>;
    /// A function without built-in code (SQL, PL/pgSQL), called with one row of arguments.
    fn call_function(&self, call: &RoutineCall<'_>) -> Result<Datum>;
    /// The same for one that returns a set. `in_from`: it is an item of FROM, not of a select list.
    fn open_set(&self, call: &RoutineCall<'_>, in_from: bool) -> Result<Box<dyn RowSet>>;
    /// Where a cursor stands in a table: `None` if the row it stands on is not of this table. 34000, 24000.
    fn current_of(&self, cursor: &str, table: Oid) -> Result<Option<common::Tid>> {
        let _ = table;
        Err(Error::unsupported(format_args!("WHERE CURRENT OF {cursor} here")))
    }
    /// This process is a parallel worker of `leader` from here on: it has no client, and `notices` takes what that is to see.
    fn begin_worker(&self, _leader: i32, _notices: Rc<dyn Fn(Report)>) {}
    /// What [`CallCtx::env`] is for functions of higher crates.
    fn fn_env(&self) -> &dyn Any;
}

/// A session that knows nothing: for tests and for evaluating constants.
#[derive(Default)]
pub struct NoSession;

impl Session for NoSession {
    fn check_interrupts(&self) -> Result<()> {
        Ok(())
    }
    fn notice(&self, _report: Report) {}
    fn xact_start_us(&self) -> i64 {
        0
    }
    fn stmt_start_us(&self) -> i64 {
        0
    }
    fn nextval(&self, _sequence: Oid) -> Result<i64> {
        Err(Error::unsupported("nextval outside a session"))
    }
    fn name_value(&self, _op: SqlValueFunctionOp) -> Result<Datum> {
        Ok(Datum::Null)
    }
    fn call_function(&self, call: &RoutineCall<'_>) -> Result<Datum> {
        Err(Error::unsupported(format_args!("function with OID {}", call.oid)))
    }
    fn open_set(&self, call: &RoutineCall<'_>, _in_from: bool) -> Result<Box<dyn RowSet>> {
        Err(Error::unsupported(format_args!("function with OID {}", call.oid)))
    }
    fn fn_env(&self) -> &dyn Any {
        &()
    }
}

/// Everything plans of one session share. Settings are cells: the session changes them in place on SET.
pub struct ExecEnv {
    /// `None` only in tests without a database.
    pub engine: Option<Rc<Engine>>,
    pub catalog: Option<Rc<Catalog>>,
    pub registry: &'static Registry,
    pub session: Rc<dyn Session>,
    pub fmt: RefCell<Rc<FormatSettings>>,
    /// `work_mem` in bytes.
    pub work_mem: Cell<usize>,
    pub hash_mem_multiplier: Cell<f64>,
    /// How many parallel workers there may be.
    pub limits: Cell<crate::parallel::Limits>,
    /// Where spills go (`base/pgsql_tmp`), and the number of the next file.
    pub temp_dir: RefCell<PathBuf>,
    pub temp_counter: Cell<u64>,
    pub temp: Rc<crate::store::TempAccount>,
    /// Checks of deferred constraints that wait for the end of the transaction.
    pub deferred: Deferred,
    /// Functions of users that values were compared, hashed or tested by: kept to the process's end.
    pub(crate) own_code: RefCell<foldhash::HashMap<(Oid, Oid), &'static types::locale::OwnCode>>,
    pub(crate) pending: crate::own_code::Pending,
}

impl ExecEnv {
    /// An environment with default settings.
    pub fn new(
        engine: Option<Rc<Engine>>,
        catalog: Option<Rc<Catalog>>,
        registry: &'static Registry,
        session: Rc<dyn Session>,
    ) -> ExecEnv {
        ExecEnv {
            engine,
            catalog,
            registry,
            session,
            fmt: RefCell::new(Rc::new(FormatSettings::default())),
            work_mem: Cell::new(4 << 20),
            hash_mem_multiplier: Cell::new(2.0),
            limits: Cell::default(),
            temp_dir: RefCell::new(PathBuf::from("base/pgsql_tmp")),
            temp_counter: Cell::new(0),
            temp: Rc::default(),
            deferred: Deferred::default(),
            own_code: RefCell::default(),
            pending: Rc::default(),
        }
    }
    /// The engine.
    pub fn engine(&self) -> Result<&Engine> {
        self.engine.as_deref().ok_or_else(|| Error::internal("executor: no engine"))
    }
    /// The catalogs.
    pub fn catalog(&self) -> Result<&Catalog> {
        self.catalog.as_deref().ok_or_else(|| Error::internal("executor: no catalog"))
    }
    /// Bytes a hash table may take.
    pub fn hash_mem(&self) -> usize {
        (self.work_mem.get() as f64 * self.hash_mem_multiplier.get()) as usize
    }
    /// The code behind a function: its own, or that of the built-in function it is another name for.
    pub fn code(&self, oid: Oid) -> Result<Option<FnImpl>> {
        match (&self.catalog, self.registry.get(oid)) {
            (Some(c), None) => Ok(self.registry.get(c.code_oid(oid)?)),
            (_, found) => Ok(found),
        }
    }
    /// The collation an OID means.
    pub fn collation(&self, oid: Oid) -> Result<Collation> {
        match &self.catalog {
            Some(c) => c.collation(oid),
            None => Ok(Collation::new(oid, None)),
        }
    }
    /// Physical kind of a type.
    pub fn phys(&self, type_oid: Oid) -> Result<Phys> {
        if let Some(t) = typeinfo::type_info(type_oid) {
            return Ok(t.phys);
        }
        match &self.catalog {
            Some(c) => Ok(c.type_desc(type_oid)?.phys),
            None => Ok(Phys::Bytes),
        }
    }
    /// The type whose form values of a type have (a domain's are those of the type underneath).
    pub fn storage_type(&self, type_oid: Oid) -> Result<Oid> {
        match &self.catalog {
            Some(c) => c.storage_type(type_oid),
            None => Ok(type_oid),
        }
    }
    /// A context for calls outside an expression program.
    pub fn with_call_ctx<R>(&self, collation: Collation, f: impl FnOnce(&CallCtx<'_>) -> R) -> R {
        let fmt = self.fmt.borrow().clone();
        f(&CallCtx {
            fmt: &fmt,
            registry: self.registry,
            collation,
            result_type: Oid::INVALID,
            result_typmod: -1,
            arg_types: &[],
            variadic: false,
            columns: &[],
            xact_start_us: self.session.xact_start_us(),
            stmt_start_us: self.session.stmt_start_us(),
            env: self.session.fn_env(),
        })
    }
}
