//! One client's session: its settings, prepared statements and portals, and the loop that reads messages and answers
//! them. All state hangs off [`Session`]; nothing is global.

mod admin;
mod alter_system;
mod auth;
mod copy;
mod current_of;
mod extended;
mod fault;
mod format;
mod function;
mod function_call;
mod host;
mod ident;
mod library;
mod listing;
pub mod local;
mod logging;
mod notify;
mod parallel_worker;
mod plan_cache;
mod portal;
mod prepared;
mod run;
mod services;
mod session_time;
mod setting_check;
mod settings;
mod simple;
pub mod socket;
mod statement_id;
mod statement_stats;
mod surroundings;
mod transaction;
mod usage;
mod utility;
mod wire;

pub use admin::log_memory;
pub use auth::{Admission, Attempt, authenticate};
pub use settings::{check as check_setting, find_zone, split_names, startup_settings, stored_settings};

use catalog::Catalog;
use catalog::search_path::SearchPath;
use common::settings::Settings;
use common::{Oid, Report};
use executor::env::ExecEnv;
use planner::PlannerSettings;
use portal::Portal;
use prepared::Prepared;
use protocol::Connection;
use socket::ClientSocket;
use std::cell::{Cell, OnceCell, RefCell};
use std::collections::BTreeMap;
use std::rc::{Rc, Weak};
use transam::Engine;

/// Who the session is.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The role that logged in.
    pub authenticated: Oid,
    pub authenticated_is_superuser: bool,
    pub user_name: String,
    pub database: Oid,
    pub database_name: String,
    /// As `ps` shows it: `[local]` or `127.0.0.1(54321)`.
    pub remote: String,
    pub client_addr: Option<std::net::SocketAddr>,
}

/// A session.
pub struct Session {
    me: Weak<Session>,
    pub engine: Rc<Engine>,
    pub catalog: Rc<Catalog>,
    pub identity: Identity,
    env: OnceCell<Rc<ExecEnv>>,
    fn_env: OnceCell<Rc<commands::FnEnv>>,
    conn: RefCell<Connection<ClientSocket>>,
    settings: RefCell<Settings>,
    session_role: Cell<Oid>,
    current_role: Cell<Oid>,
    superuser: Cell<bool>,
    /// Valid for a settings version, a catalog generation and a role.
    path: RefCell<Option<(u64, u64, Oid, Rc<SearchPath>)>>,
    /// Searched before the path, and where things are made: the schema a running CREATE SCHEMA fills.
    first_schema: Cell<Option<Oid>>,
    /// Which schemas the role may look into, for a catalog generation and a role.
    usable_schemas: RefCell<(u64, Oid, BTreeMap<Oid, bool>)>,
    planner_settings: RefCell<Option<(u64, Rc<PlannerSettings>)>>,
    reported: RefCell<BTreeMap<&'static str, String>>,
    /// Version of the settings that `reported` was compared with last.
    reported_version: Cell<u64>,
    prepared: RefCell<BTreeMap<String, Rc<Prepared>>>,
    plans: RefCell<plan_cache::PlanCache>,
    portals: RefCell<BTreeMap<String, Rc<RefCell<Portal>>>>,
    /// Notices raised while the connection is in use (a row is being written): sent before the next message.
    notices: RefCell<Vec<Report>>,
    /// This process is a parallel worker, without a client: who takes the notices.
    worker_notices: RefCell<Option<Rc<dyn Fn(Report)>>>,
    /// Text of the running statement, for error positions and `debug_query_string`.
    source: RefCell<Rc<str>>,
    title: ipc::title::Title,
    /// The part of the title that stays, and the activity last shown.
    title_text: RefCell<(String, &'static str)>,
    often: Cell<wire::Often>,
    /// The message being acted upon.
    message: RefCell<Vec<u8>>,
    log: logging::StatementLog,
    /// The parts of the shared segment.
    pub allocations: RefCell<Vec<ipc::segment::Allocation>>,
    /// Loaded libraries.
    pub modules: RefCell<crate::modules::Modules>,
    times: session_time::Times,
    /// Where statements are counted, if they are.
    pub statement_stats: OnceCell<commands::extension::pg_stat_statements::Store>,
    /// What `source` is between statements.
    no_source: Rc<str>,
    /// Answers in extended protocol skip to Sync after an error.
    skip_to_sync: Cell<bool>,
    /// The message being worked on belongs to the extended protocol.
    in_extended_message: Cell<bool>,
    /// A utility statement that returns rows sends RowDescription itself, in these formats.
    describe_utility: Cell<bool>,
    utility_formats: RefCell<Vec<i16>>,
    /// What the running COPY's stream is in where that is not UTF-8, and what of it waits for the rest of its line.
    copy_encoding: Cell<Option<common::Encoding>>,
    copy_rest: RefCell<Vec<u8>>,
    /// Functions that run under an identity or settings of their own, and utility statements of functions.
    in_function: Cell<u32>,
    in_utility: Cell<u32>,
    /// The running function has its owner's rights.
    security_definer: Cell<bool>,
    /// Nothing runs and no transaction is open: notifications may be sent at any moment.
    at_rest: Cell<bool>,
    /// No message is being acted upon.
    between_messages: Cell<bool>,
}

impl Session {
    /// Makes the session of an authenticated client.
    pub fn new(
        engine: Rc<Engine>,
        catalog: Rc<Catalog>,
        conn: Connection<ClientSocket>,
        settings: Settings,
        identity: Identity,
        title: ipc::title::Title,
    ) -> Rc<Session> {
        let session = Rc::new_cyclic(|me| Session {
            me: me.clone(),
            engine: engine.clone(),
            catalog: catalog.clone(),
            env: OnceCell::new(),
            fn_env: OnceCell::new(),
            conn: RefCell::new(conn),
            settings: RefCell::new(settings),
            session_role: Cell::new(identity.authenticated),
            current_role: Cell::new(identity.authenticated),
            superuser: Cell::new(identity.authenticated_is_superuser),
            path: RefCell::default(),
            first_schema: Cell::default(),
            usable_schemas: RefCell::default(),
            planner_settings: RefCell::default(),
            reported: RefCell::default(),
            reported_version: Cell::new(u64::MAX),
            prepared: RefCell::default(),
            plans: RefCell::default(),
            portals: RefCell::default(),
            notices: RefCell::default(),
            worker_notices: RefCell::default(),
            source: RefCell::new("".into()),
            title,
            title_text: RefCell::new((String::new(), "")),
            often: Cell::new(wire::Often::NONE),
            message: RefCell::default(),
            log: logging::StatementLog::default(),
            allocations: RefCell::default(),
            modules: RefCell::default(),
            times: session_time::Times::default(),
            statement_stats: OnceCell::new(),
            no_source: "".into(),
            skip_to_sync: Cell::new(false),
            in_extended_message: Cell::new(false),
            describe_utility: Cell::new(false),
            utility_formats: RefCell::default(),
            copy_encoding: Cell::default(),
            copy_rest: RefCell::default(),
            at_rest: Cell::new(false),
            between_messages: Cell::new(false),
            in_function: Cell::default(),
            in_utility: Cell::default(),
            security_definer: Cell::default(),
            identity,
        });
        session.wire_up();
        session
    }

    /// Ties the layers below to this session: notices, transaction hooks, execution environment.
    fn wire_up(self: &Rc<Session>) {
        let weak = self.me.clone();
        self.engine.set_notice_sink(Rc::new(move |r: Report| {
            if let Some(s) = weak.upgrade() {
                s.queue_notice(r);
            }
        }));
        self.engine.register_hook(Rc::new(transaction::Hook(self.me.clone())));
        let host = Rc::new(host::SessionHost(self.me.clone()));
        let fn_env = Rc::new(commands::FnEnv {
            engine: self.engine.clone(),
            catalog: self.catalog.clone(),
            host,
            sequences: Default::default(),
            domain_checks: Default::default(),
            large_objects: Default::default(),
            routines: Default::default(),
            stack_base: commands::routine::stack_address(),
            random: Default::default(),
        });
        let services = Rc::new(services::Services { session: self.me.clone(), fn_env: fn_env.clone() });
        let env = Rc::new(ExecEnv::new(
            Some(self.engine.clone()),
            Some(self.catalog.clone()),
            self.catalog.registry(),
            services,
        ));
        let weak = self.me.clone();
        *env.temp.log.borrow_mut() = Some(Rc::new(move |path, bytes| {
            if let Some(s) = weak.upgrade() {
                let text = format!("temporary file: path \"{}\", size {bytes}", path.display());
                s.queue_notice(Report::new(
                    common::Severity::Log,
                    common::SqlState::SUCCESSFUL_COMPLETION,
                    text,
                ));
            }
        }));
        let weak = self.me.clone();
        self.catalog.set_schema_check(Rc::new(move |schema| match weak.upgrade() {
            Some(s) => s.may_use_schema(schema),
            None => Ok(true),
        }));
        let weak = Rc::downgrade(&env);
        self.catalog.set_comparer(Rc::new(move |proc, collation| match weak.upgrade() {
            Some(env) => env.cmp(proc, collation),
            None => Err(common::Error::internal("a comparison without its session")),
        }));
        let _ = self.env.set(env);
        let _ = self.fn_env.set(fn_env);
        let weak = self.me.clone();
        let hook: socket::WakeHook = Rc::new(move || match weak.upgrade() {
            Some(s) => s.on_wake(),
            None => Ok(Vec::new()),
        });
        self.conn.borrow_mut().transport.set_wake_hook(hook);
        let me = self.me.clone();
        self.engine.interrupts().set_log_memory(Rc::new(move || {
            if let Some(s) = me.upgrade() {
                s.log_memory_contexts();
            }
        }));
        self.begin_times();
        self.apply_settings();
    }

    /// Tells the client how to cancel.
    pub fn send_backend_key(&self, pid: i32, key: u32) {
        self.conn.borrow_mut().out.backend_key_data(pid, key);
    }
    /// The execution environment.
    pub fn env(&self) -> &Rc<ExecEnv> {
        self.env.get().expect("set by wire_up")
    }
    fn fn_env(&self) -> &Rc<commands::FnEnv> {
        self.fn_env.get().expect("set by wire_up")
    }
    /// The search path in force.
    pub fn search_path(&self) -> common::Result<Rc<SearchPath>> {
        let (version, generation) = (self.settings.borrow().version(), self.catalog.generation());
        let role = self.current_role.get();
        if let Some((v, g, r, p)) = &*self.path.borrow()
            && (*v, *g, *r) == (version, generation, role)
        {
            return Ok(p.clone());
        }
        let names = settings::split_names(self.settings.borrow().text("search_path"));
        let mut path = self.catalog.search_path(&names, role, self.catalog.temp().namespace())?;
        if let Some(first) = self.first_schema.get() {
            path.schemas.insert(0, first);
            path.creation = first;
        }
        let path = Rc::new(path);
        *self.path.borrow_mut() = Some((version, generation, role, path.clone()));
        Ok(path)
    }
    /// USAGE of a schema, remembered until a catalog or the role changes.
    fn may_use_schema(&self, schema: Oid) -> common::Result<bool> {
        if self.superuser.get() {
            return Ok(true);
        }
        let (generation, role) = (self.catalog.generation(), self.current_role.get());
        {
            let mut known = self.usable_schemas.borrow_mut();
            if (known.0, known.1) != (generation, role) {
                *known = (generation, role, BTreeMap::new());
            }
            if let Some(usable) = known.2.get(&schema) {
                return Ok(*usable);
            }
        }
        let usage = commands::acl::USAGE;
        let usable = commands::aclcheck::namespace_mask(&self.catalog, schema, role, usage)? == usage;
        self.usable_schemas.borrow_mut().2.insert(schema, usable);
        Ok(usable)
    }
    /// Notices wait until the connection is free and the current message is whole.
    fn queue_notice(&self, r: Report) {
        let leader = self.worker_notices.borrow().clone();
        if let Some(tell) = leader {
            return tell(r);
        }
        if let Ok(source) = self.source.try_borrow() {
            crate::log::report(&r, Some(&source));
        }
        let wanted = self.client_min_messages();
        // To clients LOG stands below NOTICE.
        if r.severity < common::Severity::Error && r.severity != common::Severity::Info && r.severity < wanted
        {
            return;
        }
        self.notices.borrow_mut().push(r);
        if let Ok(mut conn) = self.conn.try_borrow_mut() {
            self.write_notices(&mut conn);
        }
    }
    fn write_notices(&self, conn: &mut Connection<ClientSocket>) {
        for r in self.notices.borrow_mut().drain(..) {
            let position = r.position.map(|p| protocol::writer::char_position(&self.source.borrow(), p));
            conn.out.report(&r, position);
        }
    }
}
