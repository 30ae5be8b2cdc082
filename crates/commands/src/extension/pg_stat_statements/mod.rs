//! `pg_stat_statements` 1.10: what the extension makes, and its functions over the shared [`Store`]. The session counts
//! into the store (root, `statement_stats`); a statement's text is normalised and stored when it is first seen.

mod entry;
mod saved;
mod store;
mod texts;

pub use entry::{Amounts, Phase, Used};
pub use store::{Key, Store, StoreHandle};

use super::registry::{Extension, Function, View};
use crate::functions::{env, rows::made};
use crate::roles;
use common::{Oid, Result, err};
use types::registry::RowSource;
use types::{CallCtx, Datum, FnImpl, c3, oids};

const BOOL: u32 = 16;
const INT8: u32 = 20;
const TEXT: u32 = 25;
const OID: u32 = 26;
const FLOAT8: u32 = 701;
const TIMESTAMPTZ: u32 = 1184;
const NUMERIC: u32 = 1700;
const RECORD: u32 = oids::RECORD.0;

/// What `shared_preload_libraries` calls it.
pub const LIBRARY: &str = "pg_stat_statements";

/// Its settings, one a line as in the table of `common`.
pub const SETTINGS: &str = "\
pg_stat_statements.max\tinteger\t\t100\t1073741823\t\t5000\tpostmaster\tCustomized Options\tSets the maximum number of statements tracked by pg_stat_statements.\t\t
pg_stat_statements.save\tbool\t\t\t\t\ton\tsighup\tCustomized Options\tSave pg_stat_statements statistics across server shutdowns.\t\t
pg_stat_statements.track\tenum\t\t\t\tnone,top,all\ttop\tsuperuser\tCustomized Options\tSelects which statements are tracked by pg_stat_statements.\t\t
pg_stat_statements.track_planning\tbool\t\t\t\t\toff\tsuperuser\tCustomized Options\tSelects whether planning duration is tracked by pg_stat_statements.\t\t
pg_stat_statements.track_utility\tbool\t\t\t\t\ton\tsuperuser\tCustomized Options\tSelects whether utility commands are tracked by pg_stat_statements.\t\t
";

pub static EXTENSION: Extension = Extension {
    name: LIBRARY,
    version: "1.10",
    comment: "track planning and execution statistics of all SQL statements executed",
    relocatable: true,
    superuser: true,
    trusted: false,
    requires: &[],
    library: "$libdir/pg_stat_statements",
    functions: &[
        Function {
            oid: 9000,
            name: "pg_stat_statements_reset",
            args: &[(b'i', "userid", OID), (b'i', "dbid", OID), (b'i', "queryid", INT8)],
            defaults: &["0", "0", "0"],
            returns: oids::VOID.0,
            retset: false,
            rows: 0.0,
            strict: true,
            volatile: b'v',
            parallel: b's',
            symbol: "pg_stat_statements_reset_1_7",
            public: false,
            code: c3!(reset),
        },
        Function {
            oid: 9001,
            name: "pg_stat_statements_info",
            args: &[(b'o', "dealloc", INT8), (b'o', "stats_reset", TIMESTAMPTZ)],
            defaults: &[],
            returns: RECORD,
            retset: false,
            rows: 0.0,
            strict: true,
            volatile: b'v',
            parallel: b's',
            symbol: "pg_stat_statements_info",
            public: true,
            code: FnImpl::Srf(info),
        },
        Function {
            oid: 9002,
            name: "pg_stat_statements",
            args: COLUMNS,
            defaults: &[],
            returns: RECORD,
            retset: true,
            rows: 1000.0,
            strict: true,
            volatile: b'v',
            parallel: b's',
            symbol: "pg_stat_statements_1_10",
            public: true,
            code: FnImpl::Srf(statements),
        },
    ],
    script: "",
    views: &[
        View { name: "pg_stat_statements_info", text: "SELECT * FROM pg_stat_statements_info()" },
        View { name: "pg_stat_statements", text: "SELECT * FROM pg_stat_statements(true)" },
    ],
};

const COLUMNS: &[(u8, &str, u32)] = &[
    (b'i', "showtext", BOOL),
    (b'o', "userid", OID),
    (b'o', "dbid", OID),
    (b'o', "toplevel", BOOL),
    (b'o', "queryid", INT8),
    (b'o', "query", TEXT),
    (b'o', "plans", INT8),
    (b'o', "total_plan_time", FLOAT8),
    (b'o', "min_plan_time", FLOAT8),
    (b'o', "max_plan_time", FLOAT8),
    (b'o', "mean_plan_time", FLOAT8),
    (b'o', "stddev_plan_time", FLOAT8),
    (b'o', "calls", INT8),
    (b'o', "total_exec_time", FLOAT8),
    (b'o', "min_exec_time", FLOAT8),
    (b'o', "max_exec_time", FLOAT8),
    (b'o', "mean_exec_time", FLOAT8),
    (b'o', "stddev_exec_time", FLOAT8),
    (b'o', "rows", INT8),
    (b'o', "shared_blks_hit", INT8),
    (b'o', "shared_blks_read", INT8),
    (b'o', "shared_blks_dirtied", INT8),
    (b'o', "shared_blks_written", INT8),
    (b'o', "local_blks_hit", INT8),
    (b'o', "local_blks_read", INT8),
    (b'o', "local_blks_dirtied", INT8),
    (b'o', "local_blks_written", INT8),
    (b'o', "temp_blks_read", INT8),
    (b'o', "temp_blks_written", INT8),
    (b'o', "blk_read_time", FLOAT8),
    (b'o', "blk_write_time", FLOAT8),
    (b'o', "temp_blk_read_time", FLOAT8),
    (b'o', "temp_blk_write_time", FLOAT8),
    (b'o', "wal_records", INT8),
    (b'o', "wal_fpi", INT8),
    (b'o', "wal_bytes", NUMERIC),
    (b'o', "jit_functions", INT8),
    (b'o', "jit_generation_time", FLOAT8),
    (b'o', "jit_inlining_count", INT8),
    (b'o', "jit_inlining_time", FLOAT8),
    (b'o', "jit_optimization_count", INT8),
    (b'o', "jit_optimization_time", FLOAT8),
    (b'o', "jit_emission_count", INT8),
    (b'o', "jit_emission_time", FLOAT8),
];

fn store(c: &CallCtx<'_>) -> Result<Store> {
    env(c)?.host.statement_stats().ok_or_else(|| {
        err!(
            OBJECT_NOT_IN_PREREQUISITE_STATE,
            "pg_stat_statements must be loaded via shared_preload_libraries"
        )
    })
}

fn reset(c: &CallCtx<'_>, user: u32, database: u32, query: i64) -> Result<i32> {
    let s = store(c)?;
    s.reset(env(c)?.engine.proc(), user, database, query).map(|()| 0)
}

fn info(c: &CallCtx<'_>, _: &[Datum]) -> Result<Box<dyn RowSource>> {
    let (dealloc, stats_reset) = store(c)?.info();
    made(vec![vec![Datum::I64(dealloc), Datum::I64(stats_reset)]])
}

fn statements(c: &CallCtx<'_>, args: &[Datum]) -> Result<Box<dyn RowSource>> {
    let s = store(c)?;
    let e = env(c)?;
    let role = e.host.role();
    let all =
        e.host.is_superuser() || roles::has_privs_of(&e.catalog, role, crate::functions::READ_ALL_STATS)?;
    let show_text = matches!(args.first(), Some(Datum::Bool(true)));
    let mut rows = Vec::new();
    for r in s.read(e.engine.proc(), show_text)? {
        let mut row = vec![Datum::oid(Oid(r.key.user)), Datum::oid(Oid(r.key.database))];
        row.push(Datum::Bool(r.key.toplevel));
        if all || r.key.user == role.0 {
            row.push(Datum::I64(r.key.query));
            row.push(r.text.as_deref().map_or(Datum::Null, Datum::text));
        } else {
            row.push(Datum::Null);
            row.push(if show_text { Datum::text("<insufficient privilege>") } else { Datum::Null });
        }
        r.amounts.columns(&mut row)?;
        rows.push(row);
    }
    made(rows)
}
