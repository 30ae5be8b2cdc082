//! SQL functions that need the database: `regclass`, `format_type`, `pg_get_indexdef`, `current_setting` … Each file
//! holds one family and a table of (pg_proc OID, code); [`tables`] lists them for the registry. A function finds the
//! database by [`env`]; it never takes a lock that outlives its call, except where that is its purpose.

mod aclitem;
mod activity;
mod advisory;
mod catalog_lists;
mod catalog_more;
mod collation;
mod comment;
mod control;
pub(crate) mod definition;
mod describe_object;
mod domains;
mod encoding;
mod enums;
mod files;
mod information_schema;
mod json_record;
mod large_object;
mod locks;
mod log_files;
mod name;
mod notify;
mod object_identity;
mod object_lookup;
mod partition;
mod privilege;
mod random;
mod record_io;
mod reg;
mod row_shape;
pub(crate) mod rows;
mod sequence;
mod session;
mod setting;
mod size;
mod size_text;
mod sleep;
mod snapshot;
mod stat_misc;
mod stat_more;
mod stat_replication;
mod stat_server;
mod stat_tables;
pub(crate) mod statistics;
mod surroundings;
mod transaction;
mod updatable;
mod value_io;
mod visible;

pub use activity::READ_ALL_STATS;
pub use domains::{DomainChecks, check as check_domain};
pub use random::Random;
pub use setting::{check_examine, may_examine};

use crate::FnEnv;
use crate::ctx::CommandCtx;
use analyze::AnalyzeCtx;
use common::{Error, Result};
use types::{CallCtx, FnImpl};

/// The tables to merge into the registry.
pub fn tables() -> Vec<&'static [(u32, FnImpl)]> {
    vec![
        crate::extension::functions::TABLE,
        describe_object::TABLE,
        activity::TABLE,
        advisory::TABLE,
        aclitem::TABLE,
        collation::TABLE,
        catalog_lists::TABLE,
        catalog_more::TABLE,
        comment::TABLE,
        control::TABLE,
        definition::TABLE,
        domains::TABLE,
        encoding::TABLE,
        enums::TABLE,
        files::TABLE,
        information_schema::TABLE,
        json_record::TABLE,
        large_object::TABLE,
        locks::TABLE,
        log_files::TABLE,
        name::TABLE,
        notify::TABLE,
        object_identity::TABLE,
        object_lookup::TABLE,
        partition::TABLE_OF_FUNCTIONS,
        privilege::TABLE,
        random::TABLE,
        record_io::TABLE,
        reg::TABLE,
        row_shape::TABLE,
        sequence::TABLE,
        session::TABLE,
        setting::TABLE,
        size::TABLE,
        size_text::TABLE,
        sleep::TABLE,
        snapshot::TABLE,
        stat_misc::TABLE,
        stat_more::TABLE,
        stat_replication::TABLE,
        stat_server::TABLE,
        stat_tables::TABLE,
        statistics::TABLE_OF_FUNCTIONS,
        surroundings::TABLE,
        transaction::TABLE,
        updatable::TABLE,
        visible::TABLE,
    ]
}

/// The database a call runs in.
pub(crate) fn env<'a>(c: &CallCtx<'a>) -> Result<&'a FnEnv> {
    c.env.downcast_ref::<FnEnv>().ok_or_else(|| Error::internal("function needs a database session"))
}

/// Calls `f` with what utility statements work with.
fn with_command<R>(c: &CallCtx<'_>, f: impl FnOnce(&CommandCtx<'_>) -> Result<R>) -> Result<R> {
    let e = env(c)?;
    let exec = e.host.exec_env();
    f(&CommandCtx {
        engine: &e.engine,
        catalog: &e.catalog,
        env: &exec,
        host: &*e.host,
        source: "",
        top_level: false,
        params: &[],
        param_types: &[],
    })
}

/// Calls `f` with a context for name resolution and deparsing.
fn with_analyze<R>(c: &CallCtx<'_>, f: impl FnOnce(&AnalyzeCtx<'_>) -> Result<R>) -> Result<R> {
    let e = env(c)?;
    let path = e.host.search_path()?;
    let database = e.host.database_name();
    // Looking at a definition takes no lock, as in PostgreSQL.
    let lock = |_, _| Ok(());
    f(&AnalyzeCtx {
        catalog: &e.catalog,
        path: &path,
        registry: c.registry,
        fmt: c.fmt,
        role: e.host.role(),
        database: &database,
        source: "",
        lock: &lock,
        env: c.env,
        xact_start_us: c.xact_start_us,
        stmt_start_us: c.stmt_start_us,
    })
}
