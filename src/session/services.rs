//! What the executor asks of the session.

use super::Session;
use analyze::expr::SqlValueFunctionOp;
use common::{Error, Oid, Report, Result};
use executor::routine::{RoutineCall, RowSet};
use std::any::Any;
use std::rc::{Rc, Weak};
use types::Datum;

/// The session behind the executor's trait.
pub struct Services {
    pub session: Weak<Session>,
    pub fn_env: Rc<commands::FnEnv>,
}

impl Services {
    fn session(&self) -> Rc<Session> {
        self.session.upgrade().expect("plans run inside the session's methods")
    }
}

impl executor::env::Session for Services {
    fn check_interrupts(&self) -> Result<()> {
        self.session().engine.check_interrupts()
    }
    fn notice(&self, report: Report) {
        self.session().queue_notice(report);
    }
    fn xact_start_us(&self) -> i64 {
        self.session().engine.transaction_timestamp()
    }
    fn stmt_start_us(&self) -> i64 {
        self.session().engine.statement_timestamp()
    }
    fn nextval(&self, sequence: Oid) -> Result<i64> {
        commands::sequence::nextval(self.session().fn_env(), sequence)
    }
    fn name_value(&self, op: SqlValueFunctionOp) -> Result<Datum> {
        let s = self.session();
        let role = |oid| Ok(s.catalog.role_name(oid)?.map_or(Datum::Null, |n| Datum::text(&n)));
        match op {
            SqlValueFunctionOp::CurrentUser | SqlValueFunctionOp::CurrentRole => role(s.current_role.get()),
            SqlValueFunctionOp::SessionUser => role(s.session_role.get()),
            SqlValueFunctionOp::CurrentCatalog => Ok(Datum::text(&s.identity.database_name)),
            SqlValueFunctionOp::CurrentSchema => {
                let creation = s.search_path()?.creation;
                if !creation.is_valid() {
                    return Ok(Datum::Null);
                }
                Ok(s.catalog.namespace_name(creation)?.map_or(Datum::Null, |n| Datum::text(&n)))
            }
            other => Err(Error::internal(format!("{other:?} is not a name"))),
        }
    }
    fn call_function(&self, call: &RoutineCall<'_>) -> Result<Datum> {
        commands::routine::call(&self.fn_env, call)
    }
    fn open_set(&self, call: &RoutineCall<'_>, in_from: bool) -> Result<Box<dyn RowSet>> {
        commands::routine::open_set(&self.fn_env, call, in_from)
    }
    fn current_of(&self, cursor: &str, table: Oid) -> Result<Option<common::Tid>> {
        self.session().current_of(cursor, table)
    }
    fn begin_worker(&self, leader: i32, notices: Rc<dyn Fn(Report)>) {
        self.session().begin_parallel_worker(leader, notices);
    }
    fn fn_env(&self) -> &dyn Any {
        self.fn_env.as_ref()
    }
}
