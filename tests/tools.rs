//! Tools that administrators use, against a server under load: what they ask must be answered, and what they show must be
//! free of errors. A tool that is missing fails its test: `cargo xtask install` brings all of them.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;
use testkit::{Cluster, Kind, Options, Wire, wait_for};

fn cluster(settings: &[(&str, &str)]) -> Cluster {
    let mut o = Options::default();
    o.settings.extend(settings.iter().map(|(n, v)| (n.to_string(), v.to_string())));
    Cluster::start(Kind::Stegodon, o).unwrap()
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn sql(c: &Cluster, text: &str) -> String {
    let out = c.psql(text).unwrap();
    assert!(out.success, "{text}: {}", out.text);
    out.text.trim().to_string()
}

fn all_of(o: &Output) -> String {
    String::from_utf8_lossy(&[o.stdout.clone(), o.stderr.clone()].concat()).into_owned()
}

/// A program, ended with its handle.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn pgbench(c: &Cluster, port: u16, host: &str, args: &[&str]) -> Command {
    let mut p = Command::new("pgbench");
    p.args(["-h", host, "-p", &port.to_string(), "-U", "postgres"]).args(args).arg("postgres");
    p.env("PGDATABASE", "postgres").current_dir(&c.dir);
    p
}

/// Tables of pgbench, and a load that goes on in the background.
fn loaded(settings: &[(&str, &str)], seconds: &str) -> (Cluster, Running) {
    let c = cluster(settings);
    let host = c.dir.display().to_string();
    let out = pgbench(&c, c.port, &host, &["-i", "-q", "-s", "1"]).output().unwrap();
    assert!(out.status.success(), "{}", all_of(&out));
    let load = pgbench(&c, c.port, &host, &["-n", "-c", "2", "-T", seconds])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    (c, Running(load))
}

fn tmux(socket: &str, args: &[&str]) -> String {
    let out = Command::new("tmux").args(["-L", socket]).args(args).output().expect("tmux");
    String::from_utf8_lossy(&out.stdout).into_owned()
}

#[test]
fn pg_activity_shows_every_view() {
    let (c, _load) = loaded(&[], "40");
    sql(&c, "create table held(a int)");
    let mut holder = Wire::connect(&c).unwrap();
    holder.ok("begin; lock table held");
    let mut waiter = Wire::connect(&c).unwrap();
    waiter.start("select * from held").unwrap();
    let program = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools/bin/pg_activity");
    assert!(program.exists(), "{} is missing: run `cargo xtask install`", program.display());
    let socket = format!("activity-{}", std::process::id());
    let errors = c.dir.join("activity.err");
    let command = format!(
        "LC_ALL=C.UTF-8 TERM=screen-256color {} -h {} -p {} -U postgres -d postgres 2>{}; echo ended; sleep 100",
        program.display(),
        c.dir.display(),
        c.port,
        errors.display()
    );
    tmux(&socket, &["new-session", "-d", "-x", "200", "-y", "50", &command]);
    let screen = || tmux(&socket, &["capture-pane", "-p"]);
    let key = |k: &str| {
        tmux(&socket, &["send-keys", k]);
    };
    let mut last = String::new();
    let shown = |words: &[&str], last: &mut String| {
        wait_for(Duration::from_secs(20), || {
            *last = screen();
            words.iter().all(|w| last.contains(w))
        })
    };
    let said = || fs::read_to_string(&errors).unwrap_or_default();
    assert!(shown(&["PostgreSQL 15.18", "RUNNING QUERIES"], &mut last), "{last}\n{}", said());
    assert!(shown(&["UPDATE pgbench_"], &mut last), "{last}\n{}", said());
    key("F2");
    assert!(shown(&["WAITING QUERIES", "select * from held"], &mut last), "{last}\n{}", said());
    key("F3");
    assert!(shown(&["BLOCKING QUERIES", "begin; lock table held"], &mut last), "{last}\n{}", said());
    key("F1");
    assert!(shown(&["RUNNING QUERIES"], &mut last), "{last}\n{}", said());
    for k in ["c", "m", "r", "w", "t", "T", "v", "+", "-", "I", "D", "h"] {
        key(k);
        std::thread::sleep(Duration::from_millis(300));
    }
    let end = screen();
    let errors = said();
    tmux(&socket, &["kill-server"]);
    assert!(!end.contains("ended") && !end.contains("Traceback"), "{end}\n{errors}");
    assert!(errors.trim().is_empty(), "{errors}");
    let log = fs::read_to_string(c.log_file()).unwrap();
    assert!(!log.replace("ERROR:  canceling autovacuum task", "").contains("ERROR:"), "{log}");
}

#[test]
fn pgbouncer_in_its_three_modes() {
    let c = cluster(&[("max_connections", "30")]);
    let host = c.dir.display().to_string();
    sql(&c, "alter role postgres password 'secret'");
    let out = pgbench(&c, c.port, &host, &["-i", "-q", "-s", "1"]).output().unwrap();
    assert!(out.status.success(), "{}", all_of(&out));
    fs::write(c.data_dir().join("pg_hba.conf"), "local all all trust\nhost all all all scram-sha-256\n")
        .unwrap();
    sql(&c, "select pg_reload_conf()");
    for mode in ["session", "transaction", "statement"] {
        let port = free_port();
        let dir = c.dir.join(mode);
        fs::create_dir(&dir).unwrap();
        let log = dir.join("log");
        fs::write(
            dir.join("ini"),
            format!(
                "[databases]\n* = host=127.0.0.1 port={}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
                 unix_socket_dir =\nauth_type = scram-sha-256\nauth_file = {}\nlogfile = {}\npool_mode = {mode}\n\
                 default_pool_size = 4\nadmin_users = postgres\nserver_reset_query = DISCARD ALL\nignore_startup_parameters = extra_float_digits\n",
                c.port,
                dir.join("users").display(),
                log.display()
            ),
        )
        .unwrap();
        fs::write(dir.join("users"), "\"postgres\" \"secret\"\n").unwrap();
        for f in [&dir, &dir.join("ini"), &dir.join("users")] {
            Command::new("chmod").args(["a+rX"]).arg(f).status().unwrap();
        }
        Command::new("chmod").args(["a+x"]).arg(&c.dir).status().unwrap();
        Command::new("chown").args(["postgres"]).arg(&dir).status().unwrap();
        let mut pooler = Command::new("/usr/sbin/pgbouncer");
        if nix::unistd::Uid::effective().is_root() {
            pooler.args(["-u", "postgres"]);
        }
        let _pooler = Running(
            pooler
                .arg(dir.join("ini"))
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("pgbouncer"),
        );
        let ready = wait_for(Duration::from_secs(20), || TcpStream::connect(("127.0.0.1", port)).is_ok());
        assert!(ready, "{}", fs::read_to_string(&log).unwrap_or_default());
        let run = |args: &[&str]| {
            let out = pgbench(&c, port, "127.0.0.1", args).env("PGPASSWORD", "secret").output().unwrap();
            let text = all_of(&out);
            assert!(out.status.success(), "{mode}: {text}\n{}", fs::read_to_string(&log).unwrap_or_default());
            assert!(text.contains("number of failed transactions: 0 "), "{mode}: {text}");
        };
        match mode {
            "session" => {
                run(&["-n", "-c", "4", "-t", "100", "-M", "prepared"]);
                // A new connection for every transaction: the reset query runs each time.
                run(&["-n", "-c", "4", "-t", "20", "-C", "-S"]);
            }
            "transaction" => run(&["-n", "-c", "12", "-t", "50"]),
            // Transactions of several statements are refused by the pooler.
            _ => run(&["-n", "-c", "12", "-t", "100", "-S"]),
        }
        let sessions: i32 =
            sql(&c, "select count(*) from pg_stat_activity where client_addr is not null").parse().unwrap();
        assert!((1..=4).contains(&sessions), "{mode}: {sessions} sessions behind the pooler");
        let said = fs::read_to_string(&log).unwrap_or_default();
        assert!(!said.contains("ERROR") && !said.contains("bad packet"), "{mode}: {said}");
    }
}

/// What pgBadger makes of a log, as text.
fn badger(format: &str, prefix: Option<&str>, log: &std::path::Path) -> String {
    let mut p = Command::new("pgbadger");
    p.args(["-f", format, "-o", "-", "-x", "text", "--quiet"]);
    if let Some(x) = prefix {
        p.args(["--prefix", x]);
    }
    let out = p.arg(log).output().expect("pgbadger");
    assert!(out.status.success(), "{}", all_of(&out));
    String::from_utf8_lossy(&out.stdout).into_owned()
}

#[test]
fn pgbadger_reads_our_logs() {
    let prefix = "%t [%p]: user=%u,db=%d,app=%a,client=%h ";
    let c = cluster(&[
        ("logging_collector", "on"),
        ("log_destination", "stderr,csvlog,jsonlog"),
        ("log_filename", "badger.log"),
        ("log_line_prefix", prefix),
        ("log_min_duration_statement", "0"),
        ("log_checkpoints", "on"),
        ("log_connections", "on"),
        ("log_disconnections", "on"),
        ("log_lock_waits", "on"),
        ("log_temp_files", "0"),
        ("deadlock_timeout", "100ms"),
    ]);
    let host = c.dir.display().to_string();
    let out = pgbench(&c, c.port, &host, &["-i", "-q", "-s", "1"]).output().unwrap();
    assert!(out.status.success(), "{}", all_of(&out));
    let out = pgbench(&c, c.port, &host, &["-n", "-c", "2", "-t", "50"]).output().unwrap();
    assert!(out.status.success(), "{}", all_of(&out));
    let _ = c.psql("select 1/0");
    sql(
        &c,
        "set work_mem = 64; select count(*) from (select g from generate_series(1, 50000) g order by g desc) x",
    );
    sql(&c, "checkpoint");
    let mut holder = Wire::connect(&c).unwrap();
    holder.ok("begin; lock table pgbench_accounts");
    let mut waiter = Wire::connect(&c).unwrap();
    waiter.start("select count(*) from pgbench_accounts").unwrap();
    std::thread::sleep(Duration::from_millis(400));
    holder.ok("commit");
    waiter.reply().unwrap();
    drop((holder, waiter));
    let dir = c.data_dir().join("log");
    let there = |f: &str, word: &str| fs::read_to_string(dir.join(f)).unwrap_or_default().contains(word);
    assert!(wait_for(Duration::from_secs(10), || there("badger.json", "still waiting for")));
    std::thread::sleep(Duration::from_millis(300));
    for (format, prefix, file) in [
        ("stderr", Some(prefix), "badger.log"),
        ("csv", None, "badger.csv"),
        ("jsonlog", None, "badger.json"),
    ] {
        let text = badger(format, prefix, &dir.join(file));
        let number = |label: &str| -> i64 {
            let line = text.lines().find(|l| l.trim_start().starts_with(label));
            let digits = line.map(|l| l.rsplit(':').next().unwrap_or_default().replace([',', ' '], ""));
            digits
                .and_then(|d| d.chars().take_while(char::is_ascii_digit).collect::<String>().parse().ok())
                .unwrap_or(-1)
        };
        assert!(number("Number of queries") > 600, "{format}: {text}");
        assert!(number("Number of unique normalized queries") > 10, "{format}: {text}");
        assert!(number("Number of unique normalized events") > 0, "{format}: {text}");
        assert!(text.contains("division by zero"), "{format}: {text}");
        assert!(text.to_lowercase().contains("update pgbench_accounts"), "{format}: {text}");
    }
}

#[test]
fn the_exporter_scrapes_without_errors() {
    let (c, _load) = loaded(&[], "20");
    let port = free_port();
    let log = c.dir.join("exporter.log");
    let _exporter = Running(
        Command::new("prometheus-postgres-exporter")
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .arg("--auto-discover-databases")
            .env(
                "DATA_SOURCE_NAME",
                format!("postgresql://postgres@127.0.0.1:{}/postgres?sslmode=disable", c.port),
            )
            .stdout(Stdio::null())
            .stderr(fs::File::create(&log).unwrap())
            .spawn()
            .expect("prometheus-postgres-exporter"),
    );
    assert!(wait_for(Duration::from_secs(20), || TcpStream::connect(("127.0.0.1", port)).is_ok()));
    let scrape = || {
        let mut s = TcpStream::connect(("127.0.0.1", port)).unwrap();
        s.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").unwrap();
        let mut text = String::new();
        s.read_to_string(&mut text).unwrap();
        text
    };
    let (_, text) = (scrape(), scrape());
    let value = |name: &str| {
        text.lines().find(|l| l.starts_with(name)).and_then(|l| l.rsplit(' ').next()).unwrap_or("")
    };
    let said = fs::read_to_string(&log).unwrap_or_default();
    assert_eq!(value("pg_up"), "1", "{said}\n{text}");
    assert_eq!(value("pg_exporter_last_scrape_error"), "0", "{said}");
    for name in [
        "pg_stat_database_xact_commit{",
        "pg_stat_bgwriter_checkpoints_timed",
        "pg_stat_activity_count{",
        "pg_settings_max_connections",
        "pg_locks_count{",
        "pg_database_size_bytes{",
    ] {
        assert!(text.contains(name), "{name} is not in {text}\n{said}");
    }
    assert!(!said.contains("level=error") && !said.contains("Error"), "{said}");
    let log = fs::read_to_string(c.log_file()).unwrap();
    assert!(!log.replace("ERROR:  canceling autovacuum task", "").contains("ERROR:"), "{log}");
}

#[test]
fn check_postgres_has_no_complaints() {
    let (c, _load) = loaded(&[("autovacuum_naptime", "1s")], "60");
    sql(&c, "vacuum analyze");
    // Action, more arguments, what the line must contain.
    let actions: &[(&str, &str, &str)] = &[
        ("connection", "", "version 15.18"),
        ("version", "--warning=15.18", "version 15.18"),
        ("backends", "", "of 100 connections"),
        ("locks", "--warning=1000 --critical=2000", "total"),
        ("bloat", "--warning=100MB --critical=200MB", "OK"),
        ("txn_idle", "--warning=60 --critical=90", "OK"),
        ("txn_time", "--warning=60 --critical=90", "OK"),
        ("txn_wraparound", "", "OK"),
        ("autovac_freeze", "", "OK"),
        ("query_time", "--warning=60 --critical=90", "OK"),
        ("database_size", "--warning=10GB --critical=20GB", "postgres: "),
        ("relation_size", "--warning=10GB --critical=20GB", "OK"),
        ("table_size", "--warning=10GB --critical=20GB", "OK"),
        ("index_size", "--warning=10GB --critical=20GB", "OK"),
        ("indexes_size", "--warning=10GB --critical=20GB", "OK"),
        ("total_relation_size", "--warning=10GB --critical=20GB", "OK"),
        ("last_vacuum", "--warning=1d --critical=2d", "OK"),
        ("last_analyze", "--warning=1d --critical=2d", "OK"),
        ("hitratio", "--warning=1% --critical=1%", "OK"),
        ("commitratio", "--warning=1% --critical=1%", "OK"),
        ("dbstats", "", "dbname:postgres"),
        ("disabled_triggers", "", "OK"),
        ("prepared_txns", "", "OK"),
        ("sequence", "", "OK"),
        ("timesync", "--warning=60 --critical=90", "OK"),
        ("wal_files", "--warning=100 --critical=200", "OK"),
        ("archive_ready", "--warning=100 --critical=200", "OK"),
        ("custom_query", "--query=select+1+as+result --valtype=integer --warning=5", "OK"),
    ];
    let mut bad = Vec::new();
    for (action, more, want) in actions {
        let out = Command::new("check_postgres")
            .arg(format!("--action={action}"))
            .args(["--dbuser=postgres", "--dbname=postgres"])
            .arg(format!("--host={}", c.dir.display()))
            .arg(format!("--port={}", c.port))
            .args(more.split(' ').filter(|a| !a.is_empty()).map(|a| a.replace('+', " ")))
            .env("PGSSLMODE", "disable")
            .output()
            .expect("check_postgres");
        let text = all_of(&out);
        if !text.contains(want) || text.contains("UNKNOWN") {
            bad.push(format!("{action}: {text}"));
        }
    }
    let log = fs::read_to_string(c.log_file()).unwrap();
    // Autovacuum makes way for the load.
    let errors: Vec<&str> =
        log.lines().filter(|l| l.contains("ERROR:") && !l.contains("canceling autovacuum task")).collect();
    assert!(bad.is_empty() && errors.is_empty(), "{}\n{}", bad.join("\n"), errors.join("\n"));
}

/// Titles below a postmaster, without what differs from run to run.
fn titles(c: &Cluster) -> Vec<String> {
    let mut all: Vec<String> = c
        .processes()
        .into_iter()
        .map(|p| p.title.trim_start_matches("postgres: ").to_string())
        // Kinds that only one of the servers has.
        .filter(|t| !t.starts_with("logical replication launcher") && !t.starts_with("stats collector"))
        .collect();
    all.sort();
    all
}

#[test]
fn ps_and_pstree_show_the_same_tree() {
    let shape = |kind: Kind| -> (Vec<String>, String) {
        let c = Cluster::start(kind, Options::default()).unwrap();
        let mut busy = Wire::connect(&c).unwrap();
        busy.start("select pg_sleep(30)").unwrap();
        let mut open = Wire::connect(&c).unwrap();
        open.ok("begin");
        let _idle = Wire::connect(&c).unwrap();
        std::thread::sleep(Duration::from_millis(1500));
        let pid = c.postmaster_pid().unwrap().to_string();
        let out = Command::new("pstree").args(["-A", &pid]).output().expect("pstree");
        let tree = String::from_utf8_lossy(&out.stdout).trim().to_string();
        (titles(&c), tree)
    };
    let (own, own_tree) = shape(Kind::Stegodon);
    let (want, want_tree) = shape(Kind::PostgreSql);
    assert_eq!(own, want);
    // One generation below the postmaster, all of one name.
    let words = |t: &str| {
        t.split(|c: char| !c.is_alphabetic())
            .filter(|w| !w.is_empty())
            .map(str::to_string)
            .collect::<std::collections::BTreeSet<_>>()
    };
    assert_eq!(words(&own_tree), words(&want_tree), "{own_tree}\n{want_tree}");
}

/// System calls of a backend while `n` statements run, by name.
fn calls(c: &Cluster, statement: &str, n: usize) -> Vec<(String, usize)> {
    let mut w = Wire::connect(c).unwrap();
    for _ in 0..20 {
        w.ok(statement);
    }
    let file: PathBuf = c.dir.join(format!("calls-{}", w.pid));
    let mut tracer = Command::new("strace")
        .args(["-c", "-p", &w.pid.to_string(), "-o"])
        .arg(&file)
        .stderr(Stdio::null())
        .spawn()
        .expect("strace");
    let status = format!("/proc/{}/status", w.pid);
    assert!(wait_for(Duration::from_secs(10), || {
        let t = fs::read_to_string(&status).unwrap_or_default();
        t.lines().any(|l| l.strip_prefix("TracerPid:").is_some_and(|p| p.trim() != "0"))
    }));
    for _ in 0..n {
        w.ok(statement);
    }
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(tracer.id() as i32), nix::sys::signal::Signal::SIGINT)
        .unwrap();
    tracer.wait().unwrap();
    let text = fs::read_to_string(&file).unwrap();
    text.lines()
        .filter_map(|l| {
            let f: Vec<&str> = l.split_whitespace().collect();
            let count = f.get(3)?.parse().ok()?;
            (f[0].contains('.') && *f.last()? != "total")
                .then(|| (f.last().map_or("", |v| v).to_string(), count))
        })
        .collect()
}

#[test]
fn a_busy_backend_is_quiet() {
    let c = cluster(&[("autovacuum", "off"), ("fsync", "off")]);
    sql(
        &c,
        "create table t(a int primary key, b int); insert into t select i, i from generate_series(1, 1000) i",
    );
    // A lookup in the pool: receive, send, and nothing else worth counting.
    let read = calls(&c, "select b from t where a = 500", 200);
    let others: usize =
        read.iter().filter(|(n, _)| !matches!(n.as_str(), "recvfrom" | "sendto")).map(|(_, k)| k).sum();
    let exchanges: usize =
        read.iter().filter(|(n, _)| matches!(n.as_str(), "recvfrom" | "sendto")).map(|(_, k)| k).sum();
    assert!(exchanges <= 2 * 200 + 20 && others <= 40, "{read:?}");
    // A small update adds the write of its log record.
    let write = calls(&c, "update t set b = b + 1 where a = 500", 200);
    let others: usize = write
        .iter()
        .filter(|(n, _)| !matches!(n.as_str(), "recvfrom" | "sendto" | "pwrite64"))
        .map(|(_, k)| k)
        .sum();
    let log = write.iter().find(|(n, _)| n == "pwrite64").map_or(0, |(_, k)| *k);
    assert!(others <= 60 && log <= 220, "{write:?}");
}
