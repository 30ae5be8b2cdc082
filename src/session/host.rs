//! What the commands ask of the session.

use super::Session;
use catalog::search_path::SearchPath;
use commands::{CopyFormat, Host};
use common::settings::{Scope, Settings};
use common::{Encoding, Oid, Report, Result};
use planner::PlannerSettings;
use protocol::Field;
use std::rc::{Rc, Weak};
use types::Datum;

/// The session behind the commands' trait.
pub struct SessionHost(pub Weak<Session>);

impl SessionHost {
    fn session(&self) -> Rc<Session> {
        self.0.upgrade().expect("commands run inside the session's methods")
    }
}

impl Host for SessionHost {
    fn notice(&self, report: Report) {
        self.session().queue_notice(report);
    }
    fn check_interrupts(&self) -> Result<()> {
        self.session().engine.check_interrupts()
    }
    fn with_settings(&self, f: &mut dyn FnMut(&Settings)) {
        f(&self.session().settings.borrow());
    }
    fn set_setting(&self, name: &str, value: Option<&str>, local: bool) -> Result<()> {
        self.session().set_setting(name, value, if local { Scope::Local } else { Scope::Session })
    }
    fn role(&self) -> Oid {
        self.session().current_role.get()
    }
    fn session_role(&self) -> Oid {
        self.session().session_role.get()
    }
    fn is_superuser(&self) -> bool {
        self.session().superuser.get()
    }
    fn database_name(&self) -> String {
        self.session().identity.database_name.clone()
    }
    fn search_path(&self) -> Result<Rc<SearchPath>> {
        self.session().search_path()
    }
    fn with_identity(
        &self,
        role: Option<Oid>,
        settings: &[String],
        f: &mut dyn FnMut() -> Result<()>,
    ) -> Result<()> {
        self.session().with_identity(role, settings, f)
    }
    fn run_utility(
        &self,
        stmt: &parser::ast::Statement,
        source: &str,
        args: &[Datum],
        arg_types: &[Oid],
    ) -> Result<()> {
        self.session().run_function_utility(stmt, source, args, arg_types)
    }
    fn set_first_schema(&self, schema: Option<Oid>) {
        let s = self.session();
        s.first_schema.set(schema);
        *s.path.borrow_mut() = None;
    }
    fn exec_env(&self) -> Rc<executor::ExecEnv> {
        self.session().env().clone()
    }
    fn planner_settings(&self) -> Rc<PlannerSettings> {
        self.session().planner_settings()
    }
    fn begin_rows(&self, columns: &[Field]) -> Result<()> {
        self.session().begin_utility_rows(columns)
    }
    fn send_row(&self, row: &[Datum], types: &[Oid]) -> Result<()> {
        self.session().send_utility_row(row, types)
    }
    fn copy_in_begin(&self, format: CopyFormat, columns: usize, encoding: Option<Encoding>) -> Result<()> {
        self.session().copy_in_begin(format == CopyFormat::Binary, columns, encoding)
    }
    fn copy_in_read(&self, buf: &mut Vec<u8>) -> Result<bool> {
        self.session().copy_in_read(buf)
    }
    fn copy_out_begin(&self, format: CopyFormat, columns: usize, encoding: Option<Encoding>) -> Result<()> {
        self.session().copy_out_begin(format == CopyFormat::Binary, columns, encoding)
    }
    fn copy_out_row(&self, data: &[u8]) -> Result<()> {
        self.session().copy_out_row(data)
    }
    fn copy_out_end(&self) -> Result<()> {
        self.session().conn.borrow_mut().out.copy_done();
        Ok(())
    }
    fn request_checkpoint(&self) -> Result<()> {
        crate::aux::checkpointer::request_and_wait(&self.session().engine)
    }
    fn client_addr(&self) -> Option<std::net::SocketAddr> {
        self.session().identity.client_addr
    }
    fn count_nested(&self) -> Option<commands::ctx::CountNested> {
        self.session().count_nested()
    }
    fn prepared_statements(&self) -> Vec<Vec<Datum>> {
        self.session().prepared_rows()
    }
    fn cursors(&self) -> Vec<Vec<Datum>> {
        self.session().cursor_rows()
    }
    fn statement_stats(&self) -> Option<commands::extension::pg_stat_statements::Store> {
        self.session().statement_stats.get().copied()
    }
    fn admin(&self) -> Rc<dyn commands::admin::Admin> {
        Rc::new(super::admin::SessionAdmin(self.0.clone()))
    }
}
