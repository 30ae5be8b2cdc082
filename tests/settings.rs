//! One test per setting with an effect, as tables: what is set, what is run, what must be seen. Settings of a session are
//! set by PGOPTIONS, those of the server by ALTER SYSTEM and a reload, those of a start by the command line.
#![allow(clippy::unwrap_used)]

use std::time::{Duration, Instant};
use testkit::{Cluster, Kind, Options};

fn cluster(settings: &[(&str, &str)]) -> Cluster {
    let mut o = Options::default();
    o.settings.extend(settings.iter().map(|(n, v)| (n.to_string(), v.to_string())));
    Cluster::start(Kind::Stegodon, o).unwrap()
}

fn sql(c: &Cluster, text: &str) -> String {
    c.psql(text).unwrap().text
}

fn with_options(c: &Cluster, setting: &str, value: &str, text: &str) -> String {
    let option = format!("-c {setting}={}", value.replace(' ', "\\ "));
    let out = c
        .psql_command("postgres")
        .env("PGOPTIONS", option)
        .args(["-At", "-v", "VERBOSITY=verbose", "-c", text])
        .output()
        .unwrap();
    String::from_utf8_lossy(&[out.stdout, out.stderr].concat()).into_owned()
}

fn log_of(c: &Cluster) -> String {
    std::fs::read_to_string(c.log_file()).unwrap_or_default()
}

fn wait_for(what: &str, mut test: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !test() {
        assert!(begun.elapsed() < Duration::from_secs(20), "{what} does not come");
        std::thread::sleep(Duration::from_millis(50));
    }
}

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

/// Setting, value, statement, what the log must hold afterwards.
const LOG: &[(&str, &str, &str, &str)] = &[
    ("log_statement", "ddl", "create table log_ddl(a int)", "LOG:  statement: create table log_ddl(a int)"),
    ("log_statement", "mod", "insert into t values (201)", "LOG:  statement: insert into t values (201)"),
    ("log_duration", "on", "select 301", " ms\n"),
    ("log_min_duration_statement", "0", "select 302", " ms  statement: select 302\n"),
    ("log_min_duration_sample", "0", "select 303", " ms  statement: select 303\n"),
    ("log_transaction_sample_rate", "1", "select 304", " ms  statement: select 304\n"),
    (
        "log_connections",
        "on",
        "select 1",
        "LOG:  connection authorized: user=postgres database=postgres application_name=psql\n",
    ),
    ("log_disconnections", "on", "select 1", "LOG:  disconnection: session time: 0:00:0"),
    ("log_checkpoints", "on", "checkpoint", "LOG:  checkpoint complete: wrote "),
    (
        "log_temp_files",
        "0",
        "set work_mem = 64; select count(*) from (select g from generate_series(1, 100000) g order by g desc) x",
        "LOG:  temporary file: path \"base/pgsql_tmp/pgsql_tmp",
    ),
    (
        "log_line_prefix",
        "<%u@%d %e %b> ",
        "select 1/0",
        "<postgres@postgres 22012 client backend> ERROR:  division by zero\n<postgres@postgres 22012 client backend> STATEMENT:  select 1/0\n",
    ),
    ("log_error_verbosity", "verbose", "select 1/0", "ERROR:  22012: division by zero"),
    (
        "log_min_messages",
        "notice",
        "drop table if exists not_there",
        "NOTICE:  table \"not_there\" does not exist, skipping",
    ),
    ("log_timezone", "Asia/Tokyo", "select x_unknown", " JST ["),
];

#[test]
fn settings_of_the_log() {
    let c = cluster(&[]);
    sql(&c, "create table t(a int)");
    for (name, value, text, want) in LOG {
        let quoted = value.replace('\'', "''");
        assert!(sql(&c, &format!("alter system set {name} = '{quoted}'")).is_empty());
        sql(&c, "select pg_reload_conf()");
        wait_for(name, || sql(&c, &format!("show {name}")).trim() == value.trim());
        let before = log_of(&c).len();
        sql(&c, text);
        wait_for(&format!("{name}: {want}"), || log_of(&c)[before..].contains(want));
        sql(&c, &format!("alter system reset {name}"));
        sql(&c, "select pg_reload_conf()");
    }
    let off = log_of(&c).len();
    sql(&c, "alter system set log_min_error_statement = 'panic'");
    sql(&c, "select pg_reload_conf()");
    wait_for("the reload", || sql(&c, "show log_min_error_statement").trim() == "panic");
    sql(&c, "select 1/0");
    assert!(!log_of(&c)[off..].contains("STATEMENT:  select 1/0"));
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

#[test]
fn settings_of_a_start() {
    let dir = std::env::temp_dir().join(format!("extpid-{}", std::process::id()));
    let c = cluster(&[
        ("max_connections", "5"),
        ("superuser_reserved_connections", "2"),
        ("cluster_name", "kernel"),
        ("unix_socket_permissions", "0700"),
        ("external_pid_file", &dir.display().to_string()),
        ("authentication_timeout", "1s"),
    ]);
    let socket = c.dir.join(format!(".s.PGSQL.{}", c.port));
    use std::os::unix::fs::PermissionsExt;
    assert_eq!(std::fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o700);
    let pid = std::fs::read_to_string(&dir).unwrap();
    assert_eq!(pid.trim(), c.postmaster_pid().unwrap().to_string());
    let ps = std::process::Command::new("ps").args(["-eo", "args"]).output().unwrap();
    assert!(String::from_utf8_lossy(&ps.stdout).contains("postgres: kernel: checkpointer"));
    sql(&c, "create role joe login");
    let hold = |user: &str| {
        c.psql_command("postgres").args(["-U", user, "-c", "select pg_sleep(8)"]).spawn().unwrap()
    };
    // Looked at from outside: a session that asks would take a slot.
    let sessions = || {
        let out = std::process::Command::new("pgrep").args(["-fc", "kernel: .* SELECT$"]).output().unwrap();
        String::from_utf8_lossy(&out.stdout).trim().parse::<usize>().unwrap_or(0)
    };
    let mut held: Vec<_> = (0..3).map(|_| hold("joe")).collect();
    wait_for("three sessions", || sessions() == 3);
    let out = c.psql_command("postgres").args(["-U", "joe", "-c", "select 1"]).output().unwrap();
    let text = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(
        text.contains("remaining connection slots are reserved for non-replication superuser connections"),
        "{text}"
    );
    held.push(hold("postgres"));
    held.push(hold("postgres"));
    wait_for("the superusers", || sessions() == 5);
    wait_for("the refusal", || sql(&c, "select 1").contains("sorry, too many clients already"));
    for mut h in held {
        h.wait().unwrap();
    }
    // A client that says nothing is sent away.
    let mut s = std::net::TcpStream::connect(("127.0.0.1", c.port)).unwrap();
    let begun = Instant::now();
    let mut buf = [0; 100];
    let _ = std::io::Read::read(&mut s, &mut buf);
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[test]
fn limits_of_roles_and_databases() {
    let c = cluster(&[]);
    sql(&c, "create role few login connection limit 1");
    sql(&c, "create database small connection limit 1");
    let mut a = c.psql_command("postgres").args(["-U", "few", "-c", "select pg_sleep(3)"]).spawn().unwrap();
    wait_for("the session", || {
        sql(&c, "select count(*) from pg_stat_activity where usename = 'few'").trim() == "1"
    });
    let out = c.psql_command("small").args(["-U", "few", "-c", "select 1"]).output().unwrap();
    let text = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(text.contains("FATAL:  too many connections for role \"few\""), "{text}");
    sql(&c, "create role many login");
    let mut b = c.psql_command("small").args(["-U", "many", "-c", "select pg_sleep(3)"]).spawn().unwrap();
    wait_for("the other", || {
        sql(&c, "select count(*) from pg_stat_activity where usename = 'many'").trim() == "1"
    });
    let out = c.psql_command("small").args(["-U", "many", "-c", "select 1"]).output().unwrap();
    let text = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(text.contains("FATAL:  too many connections for database \"small\""), "{text}");
    a.wait().unwrap();
    b.wait().unwrap();
}

#[test]
fn files_reload_and_leave_old_values_in_force() {
    // Nothing on the command line that would differ from the file.
    let c = Cluster::start(Kind::Stegodon, Options { settings: Vec::new(), ..Options::default() }).unwrap();
    let conf = c.data_dir().join("postgresql.conf");
    let whole = std::fs::read_to_string(&conf).unwrap();
    std::fs::create_dir(c.data_dir().join("conf.d")).unwrap();
    std::fs::write(c.data_dir().join("conf.d/a.conf"), "work_mem = '5MB'\nx.y = 'z'\n").unwrap();
    let lines = whole.lines().count();
    let try_conf = |more: &str| -> String {
        let before = log_of(&c).len();
        std::fs::write(&conf, format!("{whole}{more}")).unwrap();
        sql(&c, "select pg_reload_conf()");
        wait_for("the reload", || log_of(&c)[before..].contains("reloading configuration files"));
        let mut seen = 0;
        wait_for("the end of the reload", || {
            std::thread::sleep(Duration::from_millis(700));
            seen == std::mem::replace(&mut seen, log_of(&c).len())
        });
        log_of(&c)[before..].to_string()
    };
    let log = try_conf("include_dir 'conf.d'\ninclude_if_exists 'nowhere'\n");
    assert!(log.contains("parameter \"work_mem\" changed to \"5MB\""), "{log}");
    assert_eq!(sql(&c, "show work_mem").trim(), "5MB");
    let row =
        sql(&c, "select sourcefile ~ 'conf.d/a.conf$', sourceline from pg_settings where name = 'work_mem'");
    assert_eq!(row.trim(), "t|1");
    let log = try_conf("work_mem = abc\nmaintenance_work_mem = 32MB\n");
    assert!(log.contains("invalid value for parameter \"work_mem\": \"abc\""), "{log}");
    assert!(log.contains("contains errors; unaffected changes were applied"), "{log}");
    assert_eq!(sql(&c, "show work_mem; show maintenance_work_mem").trim(), "5MB\n32MB");
    let log = try_conf("work_mem = 1.5GB\nfoo = 1\n");
    assert!(log.contains(&format!("line {}, near token \"GB\"", lines + 1)), "{log}");
    assert!(log.contains("contains errors; no changes were applied"), "{log}");
    assert_eq!(sql(&c, "show work_mem").trim(), "5MB");
    let errors = sql(&c, "select sourceline, error from pg_file_settings where error is not null order by 1");
    assert_eq!(
        errors.trim(),
        format!("{}|syntax error\n{}|unrecognized configuration parameter", lines + 1, lines + 2)
    );
    let log = try_conf("max_connections = 77\n");
    let row = sql(&c, "select setting, pending_restart from pg_settings where name = 'max_connections'");
    assert_eq!(row.trim(), "100|t");
    try_conf("");
    assert!(
        log.contains("parameter \"work_mem\" removed from configuration file, reset to default"),
        "{log}"
    );
    assert_eq!(sql(&c, "show work_mem").trim(), "4MB");
    sql(&c, "alter system set work_mem = '7MB'");
    sql(&c, "alter system set search_path = a, \"B c\"");
    let auto = std::fs::read_to_string(c.data_dir().join("postgresql.auto.conf")).unwrap();
    assert!(auto.ends_with("work_mem = '7MB'\nsearch_path = 'a, \"B c\"'\n"), "{auto}");
    sql(&c, "alter system reset all");
    assert!(
        sql(&c, "begin; alter system set work_mem = '7MB'")
            .contains("ALTER SYSTEM cannot run inside a transaction block")
    );
}

#[test]
fn the_logger_writes_all_formats_and_rotates() {
    let c = cluster(&[
        ("logging_collector", "on"),
        ("log_destination", "stderr,csvlog,jsonlog"),
        ("log_filename", "%H%M%S.log"),
    ]);
    sql(&c, "select 1/0");
    let current =
        |format: &str| sql(&c, &format!("select pg_current_logfile('{format}')")).trim().to_string();
    let read = |f: &str| std::fs::read_to_string(c.data_dir().join(f)).unwrap_or_default();
    let (text, csv, json) = (current("stderr"), current("csvlog"), current("jsonlog"));
    wait_for("the line", || read(&text).contains("ERROR:  division by zero"));
    assert!(read(&csv).contains("ERROR,22012,\"division by zero\",,,,,,\"select 1/0\""), "{}", read(&csv));
    assert!(
        read(&json).contains(
            "\"error_severity\":\"ERROR\",\"state_code\":\"22012\",\"message\":\"division by zero\""
        )
    );
    std::thread::sleep(Duration::from_millis(1100));
    assert_eq!(sql(&c, "select pg_rotate_logfile()").trim(), "t");
    wait_for("another file", || current("stderr") != text);
    let second = current("stderr");
    std::thread::sleep(Duration::from_millis(1100));
    let out = c.program("pg_ctl").arg("-D").arg(c.data_dir()).arg("logrotate").output().unwrap();
    assert!(String::from_utf8_lossy(&out.stdout).contains("server signaled to rotate log file"));
    wait_for("a third file", || current("stderr") != second);
    // A logger that is killed is replaced, and what was written meanwhile is not lost.
    let children = std::process::Command::new("pgrep")
        .args(["-P", &c.postmaster_pid().unwrap().to_string(), "-f", "logger"])
        .output()
        .unwrap();
    let pid = String::from_utf8_lossy(&children.stdout).trim().to_string();
    assert!(!pid.is_empty());
    std::process::Command::new("kill").args(["-9", &pid]).status().unwrap();
    sql(&c, "select 'after'/0");
    sql(&c, "select x_after_kill");
    wait_for("the line", || read(&current("stderr")).contains("x_after_kill"));
}
