//! Settings of a session, by PGOPTIONS or SET.

use crate::common::*;

/// Setting, value, statement, what must be in the answer.
const SESSION: &[(&str, &str, &str, &str)] = &[
    ("statement_timeout", "100", "select pg_sleep(5)", "57014: canceling statement due to statement timeout"),
    ("default_transaction_isolation", "repeatable read", "show transaction_isolation", "repeatable read"),
    (
        "default_transaction_read_only",
        "on",
        "create table x(a int)",
        "25006: cannot execute CREATE TABLE in a read-only transaction",
    ),
    ("default_transaction_deferrable", "on", "show transaction_deferrable", "on"),
    ("search_path", "pg_catalog", "create table x(a int)", "permission denied"),
    ("client_encoding", "SQL_ASCII", "set client_encoding = 'sql_ascii'; show client_encoding", "SQL_ASCII"),
    (
        "application_name",
        "abc",
        "select application_name from pg_stat_activity where pid = pg_backend_pid()",
        "psql",
    ),
    ("DateStyle", "German", "select date '2024-02-01'", "01.02.2024"),
    ("IntervalStyle", "iso_8601", "select interval '1 day 2 hours'", "P1DT2H"),
    ("TimeZone", "America/New_York", "select timestamptz '2024-01-01 00:00+00'", "2023-12-31 19:00:00-05"),
    ("extra_float_digits", "-3", "select float8 '0.1' + float8 '0.2'", "0.3"),
    ("bytea_output", "escape", "select '\\x6162'::bytea", "ab"),
    ("enable_seqscan", "off", "explain select * from t where a = 1", "Index"),
    ("enable_bitmapscan", "off", "explain (costs off) select * from t where a = 1", "Index"),
    ("random_page_cost", "1000", "show random_page_cost", "1000"),
    (
        "temp_file_limit",
        "64",
        "set work_mem = 64; select count(*) from (select g from generate_series(1, 100000) g order by g desc) x",
        "53400: temporary file size exceeds temp_file_limit (64kB)",
    ),
    ("client_min_messages", "log", "set log_statement = 'all'; select 1", "1"),
    (
        "password_encryption",
        "md5",
        "create role pw_md5 password 'x'; select rolpassword ~ '^md5' from pg_authid where rolname = 'pw_md5'",
        "t",
    ),
    ("synchronous_commit", "off", "insert into t values (100); show synchronous_commit", "off"),
    ("lock_timeout", "100", "select 1", "1"),
    ("a.b", "hello", "show a.b", "hello"),
    ("work_mem", "1.5MB", "show work_mem", "1536kB"),
    ("port", "1", "select 1", "parameter \"port\" cannot be changed without restarting the server"),
    ("log_destination", "stderr", "select 1", "parameter \"log_destination\" cannot be changed now"),
    ("exit_on_error", "on", "select 1/0", "FATAL:  22012: division by zero"),
    ("array_nulls", "off", "select ('{null,a}'::text[])[1] is null", "f"),
    (
        "transform_null_equals",
        "on",
        "select count(*) from t where a = null or null = a; select null = null",
        "0\n",
    ),
    ("transform_null_equals", "on", "select (select null::int) = null", "t"),
    ("default_table_access_method", "heap", "select 1", "1"),
    (
        "default_table_access_method",
        "columns",
        "select 1",
        "invalid value for parameter \"default_table_access_method\": \"columns\"\nDETAIL:  Table access method \"columns\" does not exist.",
    ),
    (
        "default_tablespace",
        "fast",
        "select 1",
        "invalid value for parameter \"default_tablespace\": \"fast\"",
    ),
    ("temp_tablespaces", "fast", "select 1", "tablespace \"fast\" does not exist"),
    ("quote_all_identifiers", "on", "select 1", "quote_all_identifiers is not supported yet"),
    ("backslash_quote", "off", r"select E'\''", "22P06: unsafe use of"),
    (
        "temp_buffers",
        "100",
        "create temp table tt(a text); insert into tt select repeat('x', 500) from generate_series(1, 5000); \
         explain (analyze, buffers, costs off, timing off) select count(*) from tt",
        "read=",
    ),
    (
        "track_activities",
        "off",
        "select count(*) from pg_stat_activity where pid = pg_backend_pid() and query <> ''",
        "0\n",
    ),
    (
        "compute_query_id",
        "on",
        "select query_id is not null from pg_stat_activity where pid = pg_backend_pid()",
        "t",
    ),
    (
        "track_io_timing",
        "on",
        "begin; create table io as select g from generate_series(1, 10000) g; \
         explain (analyze, buffers, costs off, timing off) select count(*) from io order by 1; rollback; show track_io_timing",
        "on",
    ),
    ("session_preload_libraries", "nothing_there", "select 1", "could not access file"),
    ("local_preload_libraries", "nothing", "select 1", "could not access file"),
    (
        "debug_print_parse",
        "on",
        "set client_min_messages = log; select 4711",
        "LOG:  00000: parse tree:\nDETAIL:  Query {",
    ),
    (
        "debug_print_rewritten",
        "on",
        "set client_min_messages = log; set debug_pretty_print = off; select 4711",
        "LOG:  00000: rewritten parse tree:\nDETAIL:  Query { ",
    ),
    (
        "debug_pretty_print",
        "on",
        "set client_min_messages = log; set debug_print_plan = on; select 4711",
        "LOG:  00000: plan:\nDETAIL:  PlannedStmt {\n",
    ),
    (
        "log_statement_stats",
        "on",
        "set client_min_messages = log; select 1",
        "LOG:  00000: QUERY STATISTICS\nDETAIL:  ! system usage stats:\n!\t0.",
    ),
    ("log_statement_stats", "on", "set log_parser_stats = on", "Cannot enable parameter when"),
    ("log_parser_stats", "on", "set client_min_messages = log; select 1", "PARSE ANALYSIS STATISTICS"),
    ("log_planner_stats", "on", "set client_min_messages = log; select 1", "PLANNER STATISTICS"),
    ("log_executor_stats", "on", "set client_min_messages = log; select 1", "EXECUTOR STATISTICS"),
];

#[test]
fn settings_of_a_session() {
    let c = cluster(&[]);
    sql(&c, "create table t(a int primary key); insert into t select generate_series(1, 20)");
    for (name, value, text, want) in SESSION {
        let got = with_options(&c, name, value, text);
        assert!(got.contains(want), "{name} = {value}: {text}\n{got}");
    }
}

#[test]
fn lock_waits_and_lock_timeout() {
    let c = cluster(&[("log_lock_waits", "on"), ("deadlock_timeout", "100ms")]);
    sql(&c, "create table t(a int)");
    let mut holder =
        c.psql_command("postgres").args(["-c", "begin; lock t; select pg_sleep(1.5)"]).spawn().unwrap();
    wait_for("the lock", || {
        sql(&c, "select count(*) from pg_locks where mode = 'AccessExclusiveLock' and granted and relation = 't'::regclass").trim() == "1"
    });
    let got = with_options(&c, "lock_timeout", "400", "select * from t");
    assert!(got.contains("55P03: canceling statement due to lock timeout"), "{got}");
    let log = log_of(&c);
    assert!(log.contains("still waiting for AccessShareLock on relation "), "{log}");
    assert!(log.contains("DETAIL:  Process holding the lock: "), "{log}");
    holder.wait().unwrap();
}

#[test]
fn idle_timeouts_and_lost_clients() {
    let c = cluster(&[("idle_session_timeout", "300")]);
    let out = c
        .psql_command("postgres")
        .args(["-c", "select 1", "-c", "\\! sleep 1", "-c", "select 2"])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(text.contains("terminating connection due to idle-session timeout"), "{text}");
    sql(&c, "alter system set idle_session_timeout = 0");
    let out = c
        .psql_command("postgres")
        .env("PGOPTIONS", "-c idle_in_transaction_session_timeout=200 -c idle_session_timeout=0")
        .args(["-c", "begin", "-c", "\\! sleep 1", "-c", "select 2"])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(text.contains("terminating connection due to idle-in-transaction timeout"), "{text}");
    let mut sleeper = c
        .psql_command("postgres")
        .env("PGOPTIONS", "-c client_connection_check_interval=100")
        .args(["-c", "select pg_sleep(30)"])
        .spawn()
        .unwrap();
    let count = || sql(&c, "select count(*) from pg_stat_activity where query = 'select pg_sleep(30)'");
    wait_for("the sleeper", || count().trim() == "1");
    sleeper.kill().unwrap();
    sleeper.wait().unwrap();
    wait_for("the end of the sleeper's backend", || count().trim() == "0");
}
