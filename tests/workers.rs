//! Background workers and loaded libraries, with the example library `session_counter`.
#![allow(clippy::unwrap_used)]

use nix::sys::signal::Signal;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;
use testkit::process::signal;
use testkit::{Cluster, Kind, Options, Wire, is_alive, kill9, wait_for};

const SOON: Duration = Duration::from_secs(30);

/// Builds the example once; it lies beside the server's programs.
fn library() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT
        .get_or_init(|| {
            let bin = testkit::cluster::own_bin_dir().unwrap();
            let mut c = Command::new(env!("CARGO"));
            c.args(["build", "--quiet", "-p", "session_counter"]).current_dir(env!("CARGO_MANIFEST_DIR"));
            if bin.ends_with("release") {
                c.arg("--release");
            }
            assert!(c.status().unwrap().success(), "the example does not build");
            bin.join("libsession_counter.so")
        })
        .clone()
}

fn options(settings: &[(&str, &str)]) -> Options {
    let mut o = Options::default();
    o.settings.extend(settings.iter().map(|(n, v)| (n.to_string(), v.to_string())));
    o
}

fn cluster(settings: &[(&str, &str)]) -> Cluster {
    library();
    Cluster::start(Kind::Stegodon, options(settings)).unwrap()
}

fn logged(c: &Cluster, text: &str) {
    assert!(wait_for(SOON, || c.log().contains(text)), "\"{text}\" is not in the log:\n{}", c.log_tail());
}

fn psql(c: &Cluster, sql: &str) -> String {
    c.psql(sql).unwrap().text.trim().to_string()
}

#[test]
fn a_library_counts_sessions() {
    let mut c =
        cluster(&[("shared_preload_libraries", "session_counter"), ("session_counter.interval", "1s")]);
    let worker = c.process("session counter");
    assert_eq!(worker.title, "postgres: session counter");
    // The worker started from the worker has come and gone.
    logged(&c, "session counter has ");
    let mut other = Wire::connect(&c).unwrap();
    let samples = || psql(&c, "select count(*) from session_counter.samples").parse::<i64>().unwrap_or(0);
    assert!(wait_for(SOON, || samples() >= 3), "{}", c.log_tail());
    assert_eq!(
        psql(
            &c,
            "select datname, backend_type, usename from pg_stat_activity where backend_type like 'session%'"
        ),
        "postgres|session counter|postgres"
    );
    assert_eq!(
        psql(
            &c,
            "select setting, unit, category, context, min_val, max_val from pg_settings where name = 'session_counter.interval'"
        ),
        "1|s|Customized Options|sighup|1|86400"
    );
    assert_eq!(psql(&c, "show session_counter.interval"), "1s");
    assert!(psql(&c, "set session_counter.interval = 5").contains("cannot be changed now"));

    // A reload reaches it.
    psql(&c, "alter system set session_counter.keep = '1s'");
    psql(&c, "select pg_reload_conf()");
    assert!(wait_for(SOON, || psql(
        &c,
        "select min(at) > now() - interval '4s' from session_counter.samples"
    ) == "t"));

    // Terminated: status 1, and started again after its interval.
    psql(&c, &format!("select pg_terminate_backend({})", worker.pid));
    logged(&c, "FATAL:  terminating background worker \"session counter\" due to administrator command");
    logged(
        &c,
        &format!("background worker \"session counter\" (PID {}) exited with exit code 1", worker.pid),
    );
    let second = c.process("session counter").pid;
    assert_ne!(second, worker.pid);

    // Killed where it waits for its time: contained, and started again.
    let waits = format!("select wait_event is not null from pg_stat_activity where pid = {second}");
    assert!(wait_for(SOON, || psql(&c, &waits) == "t"));
    kill9(second);
    logged(
        &c,
        &format!("background worker \"session counter\" (PID {second}) was terminated by signal 9: Killed"),
    );
    assert!(wait_for(SOON, || c
        .processes()
        .iter()
        .any(|p| p.title == "postgres: session counter" && p.pid != second)));
    assert_eq!(other.value("select 'still here'"), "still here");

    // At a smart shutdown it stays until the clients have gone.
    let third = c.process("session counter").pid;
    signal(c.postmaster_pid().unwrap(), Signal::SIGTERM);
    logged(&c, "received smart shutdown request");
    assert_eq!(other.value("select 1"), "1");
    assert!(is_alive(third));
    drop(other);
    c.stop_with_wait().unwrap();
    let log = c.log();
    let end = log.rfind(&format!("(PID {third}) exited with exit code 1")).expect("the worker's end");
    assert!(end < log.rfind("database system is shut down").unwrap(), "{log}");
}

#[test]
fn a_crash_of_the_server_starts_workers_again() {
    let c = cluster(&[("shared_preload_libraries", "session_counter")]);
    let worker = c.process("session counter").pid;
    kill9(c.process("checkpointer").pid);
    logged(&c, "all server processes terminated; reinitializing");
    assert!(wait_for(SOON, || c
        .processes()
        .iter()
        .any(|p| p.title == "postgres: session counter" && p.pid != worker)));
    assert!(wait_for(SOON, || psql(&c, "select 1") == "1"));
}

#[test]
fn libraries_are_loaded_and_refused() {
    let c = cluster(&[]);
    let mut w = Wire::connect(&c).unwrap();
    w.ok("set session_counter.interval = '30s'");
    w.ok("load 'session_counter'");
    assert_eq!(w.value("show session_counter.interval"), "30s");
    logged(&c, "background worker \"session counter\": must be registered in shared_preload_libraries");
    w.ok("load 'session_counter'; load '$libdir/session_counter'; load 'pg_stat_statements'");

    let load = |name: &str| {
        let out = c
            .psql_command("postgres")
            .args(["-v", "VERBOSITY=verbose", "-c", &format!("load '{name}'")])
            .output();
        let text = String::from_utf8(out.unwrap().stderr).unwrap();
        text.lines().filter(|l| !l.starts_with("LOCATION:")).map(|l| format!("{l}\n")).collect::<String>()
    };
    assert_eq!(
        load("nosuch"),
        "ERROR:  58P01: could not access file \"nosuch\": No such file or directory\n"
    );
    assert!(
        load("/etc/passwd")
            .starts_with("ERROR:  XX000: could not load library \"/etc/passwd\": /etc/passwd: ")
    );
    let libc = std::fs::read_to_string("/proc/self/maps").unwrap();
    let libc = libc
        .lines()
        .filter_map(|l| l.split_whitespace().last())
        .find(|l| l.contains("libc.so"))
        .unwrap()
        .to_string();
    assert!(load(&libc).contains("missing magic block\nHINT:  Extension libraries"), "{}", load(&libc));

    // The same library with another version of the interface.
    let mut bytes = std::fs::read(library()).unwrap();
    let at = bytes.windows(16).position(|b| b == b"Stegodon library").unwrap();
    bytes[at - 8] = 99;
    let other = c.dir.join("other.so");
    std::fs::write(&other, bytes).unwrap();
    let text = load(&other.display().to_string());
    assert!(text.contains("version mismatch\nDETAIL:  Server is version 15"), "{text}");

    // Who is no superuser may load plugins only.
    w.ok("create role plain login");
    w.ok("set role plain");
    let e = w.query("load 'session_counter'").unwrap().error.unwrap();
    assert_eq!(e.message(), "access to library \"session_counter\" is not allowed");
    w.ok("reset role");

    // A library for sessions that does not exist keeps them out.
    w.ok("alter role plain set local_preload_libraries = 'nosuch'");
    let out = c.psql_command("postgres").args(["-U", "plain", "-c", "select 1"]).output().unwrap();
    let text = String::from_utf8(out.stderr).unwrap();
    assert!(
        text.contains("FATAL:  could not access file \"$libdir/plugins/nosuch\": No such file or directory"),
        "{text}"
    );
}

#[test]
fn a_server_without_its_library_does_not_start() {
    let mut c = cluster(&[]);
    c.stop().unwrap();
    std::fs::write(c.data_dir().join("postgresql.auto.conf"), "shared_preload_libraries = 'nosuch'\n")
        .unwrap();
    let e = c.launch().unwrap_err().to_string();
    assert!(e.contains("FATAL:  could not access file \"nosuch\": No such file or directory"), "{e}");
}

#[test]
fn a_library_archives() {
    library();
    let dir = std::env::temp_dir().join(format!("stegodon-archive-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let library = "session_counter";
    let c = cluster(&[
        ("archive_mode", "on"),
        ("archive_library", library),
        ("shared_preload_libraries", library),
    ]);
    psql(&c, "create table t(a int)");
    psql(&c, "select pg_switch_wal()");
    logged(&c, "archive_mode enabled, yet archiving is not configured");
    let text = format!("alter system set session_counter.archive_directory = '{}'", dir.display());
    psql(&c, &text);
    psql(&c, "select pg_reload_conf()");
    let archived = || std::fs::read_dir(&dir).unwrap().flatten().count();
    assert!(wait_for(Duration::from_secs(90), || archived() > 0), "{}", c.log_tail());
    assert!(wait_for(SOON, || psql(&c, "select archived_count > 0 from pg_stat_archiver") == "t"));
    std::fs::remove_dir_all(&dir).unwrap();
}
