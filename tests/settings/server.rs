//! Settings of sockets, shared memory, processes and archiving.

use crate::common::*;
use std::fs;
use std::process::Command;

#[test]
fn sockets() {
    let group = Command::new("id").arg("-gn").output().unwrap();
    let group = String::from_utf8_lossy(&group.stdout).trim().to_string();
    let dir = std::env::temp_dir().join(format!("sockets-{}", std::process::id()));
    fs::create_dir_all(&dir).unwrap();
    let mut c = cluster(&[
        ("unix_socket_group", &group),
        ("log_hostname", "on"),
        ("log_connections", "on"),
        ("update_process_title", "off"),
    ]);
    let conninfo =
        |host: &str, c: &Cluster| format!("host={host} port={} user=postgres dbname=postgres", c.port);
    let ask = |host: &str, c: &Cluster, text: &str| {
        let out = Command::new("psql").args(["-XAt", "-d", &conninfo(host, c), "-c", text]).output().unwrap();
        String::from_utf8_lossy(&[out.stdout, out.stderr].concat()).trim().to_string()
    };
    // log_hostname: the address has a name in /etc/hosts.
    let host =
        ask("127.0.0.1", &c, "select client_hostname from pg_stat_activity where pid = pg_backend_pid()");
    assert_eq!(host, "localhost");
    assert!(log_of(&c).contains("connection received: host=localhost port="), "{}", log_of(&c));
    // update_process_title = off: the title stays what it was at the session's start.
    let title = "select pg_backend_pid()";
    let mut w = session(&c, &[]);
    let pid = w.value(title);
    w.ok("begin");
    let shown = fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap();
    assert!(!shown.contains("idle in transaction"), "{shown}");
    w.ok("commit; set update_process_title = on");
    w.ok("begin");
    wait_for("the title", || {
        fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap().contains("idle in transaction")
    });
    drop(w);
    // listen_addresses and unix_socket_directories: given in the file, which the command line must not override.
    c.stop().unwrap();
    let mut server = c
        .program("postgres")
        .arg("-D")
        .arg(c.data_dir())
        .args(["-p", &c.port.to_string(), "-c", "listen_addresses=127.0.0.2"])
        .args(["-c", &format!("unix_socket_directories={}", dir.display())])
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    wait_for("the other directory", || ask(&dir.display().to_string(), &c, "select 1") == "1");
    assert_eq!(ask("127.0.0.2", &c, "select 2"), "2");
    assert!(ask("127.0.0.1", &c, "select 3").contains("Connection refused"));
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(server.id() as i32), nix::sys::signal::Signal::SIGINT)
        .unwrap();
    server.wait().unwrap();
    let _ = fs::remove_dir_all(&dir);
}

#[test]
fn keepalives() {
    let c = cluster(&[]);
    let dsn = format!("host=127.0.0.1 port={} user=postgres dbname=postgres", c.port);
    let mut client = postgres::Client::connect(&dsn, postgres::NoTls).unwrap();
    let pid: i32 = client.query_one("select pg_backend_pid()", &[]).unwrap().get(0);
    let calls = system_calls(pid, "setsockopt", || {
        client
            .batch_execute(
                "set tcp_keepalives_idle = 71; set tcp_keepalives_interval = 72; set tcp_keepalives_count = 7; \
                 set tcp_user_timeout = 74000",
            )
            .unwrap();
    });
    for want in ["TCP_KEEPIDLE, [71]", "TCP_KEEPINTVL, [72]", "TCP_KEEPCNT, [7]", "TCP_USER_TIMEOUT, [74000]"]
    {
        assert!(calls.contains(want), "{want}\n{calls}");
    }
}

fn sizes_of_shared_memory() {
    let sizes = |settings: &[(&str, &str)]| {
        let c = cluster(settings);
        sql(&c, "select name, allocated_size from pg_shmem_allocations order by 1")
    };
    let default = sizes(&[]);
    for (name, value) in [
        ("shared_buffers", "32MB"),
        ("wal_buffers", "4MB"),
        ("max_locks_per_transaction", "256"),
        ("max_worker_processes", "60"),
        ("max_wal_senders", "60"),
        ("autovacuum_max_workers", "60"),
        ("max_connections", "300"),
    ] {
        assert_ne!(sizes(&[(name, value)]), default, "{name}");
    }
    let shown = |settings: &[(&str, &str)]| -> usize {
        let c = cluster(settings);
        let text = format!(
            "select length(query) from pg_stat_activity where pid = pg_backend_pid() /* {} */",
            "x".repeat(5000)
        );
        sql(&c, &text).trim().parse().unwrap()
    };
    assert!(shown(&[]) < 1100 && shown(&[("track_activity_query_size", "8kB")]) > 5000);
    // Huge pages: asked for, or not.
    let rounds = |value: &str| {
        let c = cluster(&[("huge_pages", value), ("log_min_messages", "debug1")]);
        std::thread::sleep(Duration::from_millis(1500));
        log_of(&c).contains("chunks of shared memory are huge pages")
    };
    assert!(!rounds("off"));
}

fn delays() {
    let c = cluster(&[]);
    let took = |c: &Cluster| {
        let begun = Instant::now();
        sql(c, "select 1");
        begun.elapsed() >= Duration::from_secs(1)
    };
    assert!(!took(&c));
    reload(&c, &[("pre_auth_delay", "1")]);
    assert!(took(&c));
    reset(&c, &["pre_auth_delay"]);
    let begun = Instant::now();
    with_options(&c, "post_auth_delay", "1", "select 1");
    assert!(begun.elapsed() >= Duration::from_secs(1));
}

fn the_archive() {
    let to = std::env::temp_dir().join(format!("archive-{}", std::process::id()));
    fs::create_dir_all(&to).unwrap();
    let command = format!("cp %p {}/%f", to.display());
    let c = cluster(&[("archive_mode", "on"), ("archive_command", &command), ("archive_timeout", "1s")]);
    // Nobody switches: the time does.
    sql(&c, "create table t(a int)");
    wait_for("the segment", || fs::read_dir(&to).unwrap().count() > 0);
    let _ = fs::remove_dir_all(&to);
}

#[test]
fn recovery_tells_of_its_progress() {
    let mut c = cluster(&[
        ("log_startup_progress_interval", "1"),
        ("restart_after_crash", "off"),
        ("remove_temp_files_after_crash", "on"),
        ("autovacuum", "off"),
    ]);
    sql(&c, "create table t(a int); insert into t select generate_series(1, 50000)");
    let temp = c.data_dir().join("base/pgsql_tmp");
    let _ = fs::create_dir_all(&temp);
    fs::write(temp.join("pgsql_tmp1.1"), "left").unwrap();
    // The checkpointer's death cannot be contained: all end, and nobody starts them again.
    testkit::kill9(c.process("checkpointer").pid);
    c.stop_with_wait().unwrap();
    assert!(log_of(&c).contains("shutting down because restart_after_crash is off"), "{}", log_of(&c));
    c.launch().unwrap();
    let log = log_of(&c);
    assert!(log.contains("redo in progress, elapsed time: 0."), "{log}");
    assert!(!temp.join("pgsql_tmp1.1").exists());
}

#[test]
fn checkpoints_by_time_and_their_pace() {
    let c = cluster(&[("autovacuum", "off"), ("checkpoint_timeout", "30s"), ("log_checkpoints", "on")]);
    let begun = Instant::now();
    // The least timeout there is: time for others.
    sizes_of_shared_memory();
    delays();
    the_archive();
    pace();
    while begun.elapsed() < Duration::from_secs(40) && !log_of(&c).contains("checkpoint starting: time") {
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(log_of(&c).contains("checkpoint starting: time"), "{}", log_of(&c));
}

/// A checkpoint by volume spreads its writes over the timeout, as far as checkpoint_completion_target says.
fn pace() {
    let c = cluster(&[
        ("autovacuum", "off"),
        ("log_checkpoints", "on"),
        ("bgwriter_lru_maxpages", "0"),
        ("max_wal_size", "64MB"),
        ("min_wal_size", "32MB"),
    ]);
    sql(
        &c,
        "create table t(a int, pad text); insert into t select i, repeat('x', 600) from generate_series(1, 6000) i",
    );
    let completes = |target: &str| {
        sql(&c, "checkpoint");
        reload(&c, &[("checkpoint_completion_target", target)]);
        let before = log_of(&c).len();
        sql(&c, "update t set a = a + 1");
        while !log_of(&c)[before..].contains("checkpoint starting: wal") {
            sql(&c, "select pg_switch_wal(); create table if not exists u(a int); drop table u");
        }
        std::thread::sleep(Duration::from_millis(1500));
        log_of(&c)[before..].contains("checkpoint complete")
    };
    assert!(!completes("0.9"));
    assert!(completes("0"));
}
