//! Autovacuum: tables past their thresholds are vacuumed and analysed without being asked for, counters survive a
//! crash, and the death of a worker or launcher disturbs nobody.
#![allow(clippy::unwrap_used)]

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::time::{Duration, Instant};
use testkit::{Cluster, Kind, Options};

fn cluster() -> Cluster {
    let mut options = Options::default();
    for (n, v) in [
        ("autovacuum_naptime", "1s"),
        ("autovacuum_vacuum_threshold", "20"),
        ("autovacuum_analyze_threshold", "20"),
        ("log_autovacuum_min_duration", "0"),
    ] {
        options.settings.push((n.into(), v.into()));
    }
    Cluster::start(Kind::Stegodon, options).unwrap()
}

fn ask(c: &Cluster, sql: &str) -> String {
    let out = c.psql(sql).unwrap();
    assert!(out.success, "{sql}: {}", out.text);
    out.text.trim().to_string()
}

/// Asks until the answer is `want`, for a minute at most.
fn until(c: &Cluster, sql: &str, want: &str) {
    let begun = Instant::now();
    loop {
        let got = ask(c, sql);
        if got == want {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{sql}: {got}, not {want}\n{}", c.log_tail());
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Process ids of the server's children whose title contains a text.
fn children(c: &Cluster, title: &str) -> Vec<i32> {
    let parent = c.postmaster_pid().unwrap().to_string();
    let out =
        std::process::Command::new("ps").args(["-o", "pid=,args=", "--ppid", &parent]).output().unwrap();
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    let lines = text.lines().filter(|l| l.contains(title));
    lines.filter_map(|l| l.split_whitespace().next()?.parse().ok()).collect()
}

#[test]
fn tables_are_vacuumed_and_analysed() {
    let mut c = cluster();
    ask(
        &c,
        "create table t(i int primary key, v int); create table off(i int) with (autovacuum_enabled = off)",
    );
    ask(
        &c,
        "insert into t select g, g from generate_series(1, 1000) g; insert into off select 1 from generate_series(1, 500)",
    );
    until(&c, "select reltuples from pg_class where relname = 't'", "1000");
    until(&c, "select count(*) > 0 from pg_statistic where starelid = 't'::regclass", "t");
    ask(&c, "update t set v = v + 1");
    until(
        &c,
        "select n_dead_tup, n_live_tup, n_mod_since_analyze, n_tup_upd, autovacuum_count > 0, last_autovacuum is not null, \
         autoanalyze_count > 1 from pg_stat_user_tables where relname = 't'",
        "0|1000|0|1000|t|t|t",
    );
    let off = "select n_live_tup, n_mod_since_analyze, autoanalyze_count, autovacuum_count from pg_stat_user_tables where relname = 'off'";
    assert_eq!(ask(&c, off), "500|500|0|0");
    // A worker forgets tables that are gone, not what is counted for the whole database.
    let all = "select tup_inserted >= 1500 from pg_stat_database where datname = current_database()";
    assert_eq!(ask(&c, all), "t");

    // Rows of an aborted transaction are dead; a truncated table is empty.
    ask(&c, "create table a(i int) with (autovacuum_enabled = off)");
    let _ = c.psql("begin; insert into a select generate_series(1, 30); savepoint s; delete from a; rollback to s; insert into a values (1); rollback").unwrap();
    let stats =
        "select n_live_tup, n_dead_tup, n_tup_ins, n_tup_del from pg_stat_user_tables where relname = 'a'";
    assert_eq!(ask(&c, stats), "0|31|31|30");
    ask(&c, "insert into a values (1), (2); truncate a; insert into a values (3)");
    let stats = "select n_live_tup, n_dead_tup, n_tup_ins, n_tup_del, n_mod_since_analyze, n_ins_since_vacuum \
                 from pg_stat_user_tables where relname = 'a'";
    assert_eq!(ask(&c, stats), "1|0|32|30|1|1");

    // The counters outlive a shutdown, and a crash once they are saved.
    let before = ask(&c, off);
    c.stop().unwrap();
    assert!(c.data_dir().join("pg_stat/stegodon.stat").exists());
    c.launch().unwrap();
    assert_eq!(ask(&c, off), before);
    c.kill().unwrap();
    c.launch().unwrap();
    assert_eq!(ask(&c, off), before);
    c.stop().unwrap();
}

#[test]
fn killed_workers_are_contained() {
    let mut c = cluster();
    ask(
        &c,
        "create table t(i int, v text) with (autovacuum_vacuum_cost_limit = 1, autovacuum_vacuum_cost_delay = 20)",
    );
    ask(
        &c,
        "insert into t select g, repeat('x', 500) from generate_series(1, 8000) g; delete from t where i % 2 = 0",
    );
    let session = c
        .psql_command("postgres")
        .args(["-At", "-c", "select pg_sleep(6), 'alive'"])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    let worker = loop {
        if let Some(pid) = children(&c, "autovacuum worker postgres").first() {
            let busy = ask(
                &c,
                "select count(*) from pg_stat_activity where query like 'autovacuum: VACUUM%public.t'",
            );
            if busy == "1" {
                break *pid;
            }
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "no worker\n{}", c.log_tail());
        std::thread::sleep(Duration::from_millis(50));
    };
    kill(Pid::from_raw(worker), Signal::SIGKILL).unwrap();
    let launcher = children(&c, "autovacuum launcher");
    assert_eq!(launcher.len(), 1);
    kill(Pid::from_raw(launcher[0]), Signal::SIGKILL).unwrap();
    let out = session.wait_with_output().unwrap();
    assert!(String::from_utf8_lossy(&out.stdout).contains("alive"), "{}", c.log_tail());
    // Both come back.
    ask(&c, "alter table t reset (autovacuum_vacuum_cost_limit, autovacuum_vacuum_cost_delay)");
    until(&c, "select autovacuum_count > 0 from pg_stat_user_tables where relname = 't'", "t");
    let again = children(&c, "autovacuum launcher");
    assert!(again.len() == 1 && again != launcher);
    let pids = children(&c, "");
    c.stop().unwrap();
    for pid in pids {
        assert!(kill(Pid::from_raw(pid), None).is_err(), "process {pid} outlived the server");
    }
}

/// Rows of catalogs are inserted at the end of files that VACUUM is about to cut: none may get lost.
#[test]
fn vacuum_cuts_catalogs_beside_ddl() {
    let c = cluster();
    let ddl = |name: &str| {
        format!(
            "create table {name}_a (i int primary key, v int check (v > 0)); \
             create table {name}_b (i int primary key, v int check (v > 0)); drop table {name}_a, {name}_b;\n"
        )
        .repeat(150)
    };
    let vacuum = "vacuum pg_constraint; vacuum pg_index; vacuum pg_class; vacuum pg_attribute;\n".repeat(80);
    std::thread::scope(|s| {
        let sessions = [ddl("x"), ddl("y"), ddl("z"), vacuum];
        let mut running = Vec::new();
        for (i, sql) in sessions.into_iter().enumerate() {
            let file = c.dir.join(format!("ddl{i}.sql"));
            std::fs::write(&file, sql).unwrap();
            let mut psql = c.psql_command("postgres");
            running.push(
                s.spawn(move || psql.args(["-v", "ON_ERROR_STOP=1", "-f"]).arg(file).output().unwrap()),
            );
        }
        for r in running {
            let out = r.join().unwrap();
            assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        }
    });
    for (catalog, column) in
        [("pg_constraint", "conname"), ("pg_class", "relname"), ("pg_attribute", "attrelid")]
    {
        let by_index = format!(
            "set enable_seqscan = off; set enable_bitmapscan = off; select count(*) from {catalog} where {column} >= \
             (select min({column}) from {catalog})"
        );
        assert_eq!(
            ask(&c, &by_index).lines().last(),
            ask(&c, &format!("select count(*) from {catalog}")).lines().last()
        );
    }
}

/// What must have come of a table's changes, for the settings given; the others never ask for work.
#[test]
fn thresholds_of_the_server() {
    let never = [
        ("autovacuum_vacuum_threshold", "1000000"),
        ("autovacuum_vacuum_insert_threshold", "-1"),
        ("autovacuum_analyze_threshold", "1000000"),
    ];
    let mut o = Options::default();
    o.settings.push(("autovacuum_naptime".into(), "1s".into()));
    let c = Cluster::start(Kind::Stegodon, o).unwrap();
    let set = |settings: &[(&str, &str)]| {
        ask(&c, "alter system reset all");
        for (n, v) in never.iter().chain(settings) {
            ask(&c, &format!("alter system set {n} = '{v}'"));
        }
        ask(&c, "select pg_reload_conf()");
    };
    // Threshold, factor, change, which counter says that the work was done.
    let delete = "delete from t where a <= 100";
    let insert = "insert into t select generate_series(1, 100)";
    let cases = [
        ("autovacuum_vacuum_threshold", "autovacuum_vacuum_scale_factor", delete, "autovacuum_count"),
        (
            "autovacuum_vacuum_insert_threshold",
            "autovacuum_vacuum_insert_scale_factor",
            insert,
            "autovacuum_count",
        ),
        ("autovacuum_analyze_threshold", "autovacuum_analyze_scale_factor", insert, "autoanalyze_count"),
    ];
    for (threshold, factor, change, counter) in cases {
        set(&[(threshold, "0"), (factor, "50")]);
        ask(&c, "drop table if exists t");
        ask(&c, "create table t(a int)");
        ask(&c, "insert into t select generate_series(1, 1000)");
        ask(&c, "vacuum analyze t");
        ask(&c, change);
        // The factor alone keeps the work away, and with a lower one it comes.
        std::thread::sleep(Duration::from_millis(2500));
        let done = format!("select {counter} > 0 from pg_stat_user_tables where relname = 't'");
        assert_eq!(ask(&c, &done), "f", "{factor}");
        set(&[(threshold, "0"), (factor, "0.05")]);
        until(&c, &done, "t");
    }
    // Without counting nothing is known.
    set(&[("track_counts", "off")]);
    until(&c, "show track_counts", "off");
    ask(&c, "create table u(a int)");
    ask(&c, "insert into u values (1)");
    assert_eq!(ask(&c, "select n_tup_ins from pg_stat_user_tables where relname = 'u'"), "0");
}

#[test]
fn old_rows_are_frozen_though_autovacuum_is_off_for_them() {
    let mut o = Options::default();
    for (n, v) in [
        ("autovacuum_naptime", "1s"),
        ("autovacuum_freeze_max_age", "100000"),
        ("autovacuum_work_mem", "1MB"),
    ] {
        o.settings.push((n.into(), v.into()));
    }
    let c = Cluster::start(Kind::Stegodon, o).unwrap();
    ask(&c, "create table old(a int) with (autovacuum_enabled = off)");
    ask(&c, "insert into old values (1)");
    // Ids are used up by savepoints: one each.
    let mut w = testkit::Wire::connect(&c).unwrap();
    let round = "savepoint s; insert into used values (1); release s;".repeat(500);
    w.ok("create table used(a int)");
    for _ in 0..202 {
        w.ok(&format!("begin; {round} commit"));
    }
    until(&c, "select age(relfrozenxid) < 100000 from pg_class where relname = 'old'", "t");
}
