//! Settings of the log.

use crate::common::*;

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
    ("log_statement_sample_rate", "0", "set log_min_duration_sample = 0; select 305", "!select 305"),
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
        match want.strip_prefix('!') {
            Some(not) => assert!(!log_of(&c)[before..].contains(not), "{name}: {not}"),
            None => wait_for(&format!("{name}: {want}"), || log_of(&c)[before..].contains(want)),
        }
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

#[test]
fn parameters_in_the_log() {
    let c = cluster(&[("log_statement", "all")]);
    reload(&c, &[("log_parameter_max_length", "3")]);
    let script = c.dir.join("script.sql");
    std::fs::write(&script, "\\set n 0\nselect 1 / :n, :n + 5 as wanted;\n").unwrap();
    let run = || {
        std::process::Command::new("pgbench")
            .args(["-n", "-M", "extended", "-t", "1", "-f"])
            .arg(&script)
            .args([
                "-h",
                &c.dir.display().to_string(),
                "-p",
                &c.port.to_string(),
                "-U",
                "postgres",
                "postgres",
            ])
            .env("PGOPTIONS", "-c log_parameter_max_length_on_error=-1")
            .output()
            .unwrap()
    };
    let out = run();
    let shown = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(shown.contains("division by zero"), "{shown}");
    assert!(shown.contains("portal with parameters: $1 = '0', $2 = '0'"), "{shown}");
    std::fs::write(&script, "\\set n 123456\nselect :n as wanted;\n").unwrap();
    run();
    wait_for("the parameters", || log_of(&c).contains("DETAIL:  parameters: $1 = '123...'"));
    reload(&c, &[("log_parameter_max_length", "0")]);
    let before = log_of(&c).len();
    run();
    let log = log_of(&c);
    assert!(
        log[before..].contains("as wanted") && !log[before..].contains("parameters:"),
        "{}",
        &log[before..]
    );
}

#[test]
fn files_of_the_logger() {
    let c = cluster(&[
        ("logging_collector", "on"),
        ("log_directory", "logs"),
        ("log_file_mode", "0640"),
        ("log_rotation_age", "0"),
        ("log_statement", "all"),
    ]);
    reload(&c, &[("log_filename", "a%s.log"), ("log_rotation_size", "4kB")]);
    let files = || {
        let all = std::fs::read_dir(c.data_dir().join("logs")).map(|d| d.flatten().collect::<Vec<_>>());
        all.unwrap_or_default()
    };
    wait_for("the first file", || !files().is_empty());
    use std::os::unix::fs::PermissionsExt;
    assert_eq!(files()[0].metadata().unwrap().permissions().mode() & 0o777, 0o640);
    wait_for("a second file by size", || {
        sql(&c, &format!("select '{}'", "x".repeat(3000)));
        files().len() > 1
    });
    // A name that comes again: appended to, or begun anew when time was the reason.
    reload(
        &c,
        &[("log_filename", "fixed.log"), ("log_rotation_size", "0"), ("log_truncate_on_rotation", "off")],
    );
    let fixed = c.data_dir().join("logs/fixed.log");
    wait_for("the fixed name", || fixed.exists());
    sql(&c, "select 'before'");
    sql(&c, "select pg_rotate_logfile()");
    sql(&c, "select 'after'");
    wait_for("both", || {
        let t = std::fs::read_to_string(&fixed).unwrap_or_default();
        t.contains("'before'") && t.contains("'after'")
    });
}

#[test]
fn the_system_log() {
    // Somebody else may listen there: then the setting cannot be seen.
    let path = std::path::Path::new("/dev/log");
    let Ok(socket) = std::os::unix::net::UnixDatagram::bind(path) else { return };
    socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let c = cluster(&[
        ("log_destination", "syslog"),
        ("syslog_facility", "LOCAL3"),
        ("syslog_ident", "kernel"),
        ("syslog_sequence_numbers", "on"),
        ("syslog_split_messages", "on"),
    ]);
    let next = |word: &str| {
        let mut buf = [0; 65536];
        loop {
            let n = socket.recv(&mut buf).expect("a message");
            let text = String::from_utf8_lossy(&buf[..n]).into_owned();
            if text.contains(word) {
                return text;
            }
        }
    };
    sql(&c, "select x_one");
    let line = next("x_one");
    // LOCAL3 is 19; an ERROR is a warning to syslog.
    assert!(line.starts_with(&format!("<{}>", 19 * 8 + 4)) && line.contains(">kernel["), "{line}");
    assert!(line.contains("] [") || line.contains(": ["), "{line}");
    reload(&c, &[("syslog_sequence_numbers", "off"), ("syslog_split_messages", "off")]);
    sql(&c, &format!("select x_two, '{}'", "y".repeat(3000)));
    let line = next("STATEMENT");
    assert!(line.len() > 3000 && !line.contains(": ["), "{line}");
    let _ = std::fs::remove_file(path);
}
