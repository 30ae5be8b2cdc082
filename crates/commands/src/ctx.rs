//! What utility statements work with, and what they need from the session.

use catalog::Catalog;
use catalog::search_path::SearchPath;
use common::settings::Settings;
use common::{Encoding, Oid, Report, Result};
use executor::env::ExecEnv;
use planner::PlannerSettings;
use protocol::Field;
use std::rc::Rc;
use transam::Engine;
use types::Datum;

/// Format of a COPY stream, for the CopyIn/CopyOut response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CopyFormat {
    Text,
    Binary,
}

/// Counts a statement of a function that has ended: identifier, the text it is in, rows.
pub type CountNested = Box<dyn FnOnce(&analyze::jumble::Jumble, &str, u64)>;

/// The session, as far as commands need it.
pub trait Host {
    /// A NOTICE or WARNING for the client.
    fn notice(&self, report: Report);
    /// Acts on cancel and termination.
    fn check_interrupts(&self) -> Result<()>;
    /// Looks at the session's settings.
    fn with_settings(&self, f: &mut dyn FnMut(&Settings));
    /// SET (LOCAL) of a setting with all its checks; `None` is RESET.
    fn set_setting(&self, name: &str, value: Option<&str>, local: bool) -> Result<()>;
    /// CURRENT_USER.
    fn role(&self) -> Oid;
    /// SESSION_USER.
    fn session_role(&self) -> Oid;
    fn is_superuser(&self) -> bool;
    /// Name of the connected database.
    fn database_name(&self) -> String;
    fn search_path(&self) -> Result<Rc<SearchPath>>;
    /// Runs `f` as another role and under settings `name=value`, as a function may ask for.
    fn with_identity(
        &self,
        role: Option<Oid>,
        settings: &[String],
        f: &mut dyn FnMut() -> Result<()>,
    ) -> Result<()>;
    /// Runs a utility statement of a function's body, with the function's arguments. What it returns is dropped.
    fn run_utility(
        &self,
        stmt: &parser::ast::Statement,
        source: &str,
        args: &[Datum],
        arg_types: &[Oid],
    ) -> Result<()>;
    /// Puts a schema in front of the search path, or takes it away again.
    fn set_first_schema(&self, schema: Option<Oid>);
    fn planner_settings(&self) -> Rc<PlannerSettings>;
    /// Result rows of EXPLAIN and the like: the columns, then the rows.
    fn begin_rows(&self, columns: &[Field]) -> Result<()>;
    fn send_row(&self, row: &[Datum], types: &[Oid]) -> Result<()>;
    /// COPY FROM STDIN: tells the client to send. The data is in `encoding`, else in the client's.
    fn copy_in_begin(&self, format: CopyFormat, columns: usize, encoding: Option<Encoding>) -> Result<()>;
    /// Appends the next piece of the client's data to `buf`; false when it has said it is done. CopyFail is an error
    /// (57014 `COPY from stdin failed: …`).
    fn copy_in_read(&self, buf: &mut Vec<u8>) -> Result<bool>;
    /// COPY TO STDOUT. The data goes out in `encoding`, else in the client's.
    fn copy_out_begin(&self, format: CopyFormat, columns: usize, encoding: Option<Encoding>) -> Result<()>;
    /// One CopyData message.
    fn copy_out_row(&self, data: &[u8]) -> Result<()>;
    fn copy_out_end(&self) -> Result<()>;
    /// Asks the checkpointer for an immediate checkpoint and waits for it.
    fn request_checkpoint(&self) -> Result<()>;
    /// What plans and expressions of this session run with.
    fn exec_env(&self) -> Rc<ExecEnv>;
    /// Address of a TCP client.
    fn client_addr(&self) -> Option<std::net::SocketAddr>;
    /// If statements inside functions are counted: begins to measure one. What comes back counts it.
    fn count_nested(&self) -> Option<CountNested>;
    /// Rows of `pg_prepared_statements` and of `pg_cursors`.
    fn prepared_statements(&self) -> Vec<Vec<Datum>>;
    fn cursors(&self) -> Vec<Vec<Datum>>;
    /// The statistics of `pg_stat_statements`, if that is preloaded.
    fn statement_stats(&self) -> Option<crate::extension::pg_stat_statements::Store>;
    /// The server beyond the session.
    fn admin(&self) -> Rc<dyn crate::admin::Admin>;
}

/// What functions that need the database find in [`types::CallCtx::env`].
pub struct FnEnv {
    pub engine: Rc<Engine>,
    pub catalog: Rc<Catalog>,
    pub host: Rc<dyn Host>,
    /// Sequences this session has used.
    pub sequences: crate::sequence::SessionSequences,
    /// Large objects that are open.
    pub large_objects: crate::large_object::Descriptors,
    /// Constraints of domains, compiled.
    pub domain_checks: crate::functions::DomainChecks,
    /// Functions of languages, ready to run.
    pub routines: crate::routine::Cache,
    /// Where the stack was when the session began.
    pub stack_base: usize,
    /// The generator behind `random()`.
    pub random: crate::functions::Random,
}

/// Everything a utility statement runs with.
pub struct CommandCtx<'a> {
    pub engine: &'a Rc<Engine>,
    pub catalog: &'a Rc<Catalog>,
    pub env: &'a Rc<ExecEnv>,
    pub host: &'a dyn Host,
    /// Text of the whole query string; positions are byte offsets into it.
    pub source: &'a str,
    /// Sent by the client itself, not run from a function.
    pub top_level: bool,
    /// Values and types of `$n` for the statement (EXPLAIN EXECUTE, CREATE TABLE AS … in a prepared statement).
    pub params: &'a [Datum],
    pub param_types: &'a [Oid],
}
