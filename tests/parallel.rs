//! Parallel workers as processes: who they are, and what the death or the failure of one of them, or of their leader,
//! means to the others.
#![allow(clippy::unwrap_used)]

use std::time::Duration;
use testkit::process::signal;
use testkit::wire::cancel;
use testkit::{Cluster, Kind, Options, Wire, is_alive, kill9, wait_for};

const SOON: Duration = Duration::from_secs(30);
/// Lasts long in any of the processes.
const LONG: &str = "select count(*) from t where md5(repeat(b::text, 8000)) = ''";

fn cluster() -> Cluster {
    let c = Cluster::start(Kind::Stegodon, Options::default()).unwrap();
    let mut w = wire(&c);
    w.ok("create table t as select g a, g % 10 b from generate_series(1, 40000) g");
    w.ok("analyze t");
    c
}

fn wire(c: &Cluster) -> Wire {
    let mut w = Wire::connect(c).unwrap_or_else(|e| panic!("{e}\n{}", c.log_tail()));
    w.ok("set parallel_setup_cost = 0");
    w.ok("set parallel_tuple_cost = 0");
    w.ok("set min_parallel_table_scan_size = 0");
    w.ok("set max_parallel_workers_per_gather = 2");
    w
}

/// Starts the long statement and waits for its workers.
fn working(c: &Cluster, look: &mut Wire) -> (Wire, Vec<i32>) {
    let mut w = wire(c);
    w.start(LONG).unwrap();
    let mut workers = Vec::new();
    let up = wait_for(SOON, || {
        workers = workers_of(look, w.pid);
        workers.len() == 2
    });
    assert!(up, "{}", c.log_tail());
    (w, workers)
}

fn workers_of(look: &mut Wire, leader: i32) -> Vec<i32> {
    let q = format!(
        "select pid from pg_stat_activity where backend_type = 'parallel worker' and leader_pid = {leader}"
    );
    look.ok(&q).lines().iter().map(|l| l.parse().unwrap()).collect()
}

fn all_gone(c: &Cluster, look: &mut Wire, workers: &[i32]) {
    assert!(wait_for(SOON, || !workers.iter().any(|p| is_alive(*p))), "{}", c.log_tail());
    let slots = "select count(*) from pg_stat_activity where backend_type = 'parallel worker'";
    assert!(wait_for(SOON, || look.value(slots) == "0"), "{}", c.log_tail());
}

#[test]
fn workers_are_seen_and_end_with_their_statement() {
    let c = cluster();
    let mut look = wire(&c);
    let (leader, workers) = working(&c, &mut look);
    let titles: Vec<String> = c.processes().into_iter().map(|p| p.title).collect();
    let title = format!("postgres: parallel worker for PID {}", leader.pid);
    assert_eq!(titles.iter().filter(|t| t.trim_end() == title).count(), 2, "{titles:?}");
    let same = format!(
        "select count(*) from pg_stat_activity w join pg_stat_activity l on w.leader_pid = l.pid where l.pid = {} and \
         w.query = l.query and w.usename = l.usename and w.datname = l.datname and w.state = 'active'",
        leader.pid
    );
    assert_eq!(look.value(&same), "2");
    // Cancel, by the client's key.
    let mut leader = leader;
    cancel(&c, leader.pid, leader.key).unwrap();
    let r = leader.reply_within(SOON).unwrap().unwrap();
    assert_eq!(r.code(), "57014");
    all_gone(&c, &mut look, &workers);
    assert_eq!(leader.value("select count(*) from t"), "40000");
    // A time-out.
    leader.ok("set statement_timeout = 500");
    assert_eq!(leader.query(LONG).unwrap().code(), "57014");
    leader.ok("reset statement_timeout");
    all_gone(&c, &mut look, &[]);
    // The administrator.
    leader.start(LONG).unwrap();
    assert!(wait_for(SOON, || workers_of(&mut look, leader.pid).len() == 2));
    let workers = workers_of(&mut look, leader.pid);
    look.ok(&format!("select pg_terminate_backend({})", leader.pid));
    assert!(leader.is_closed_within(SOON));
    all_gone(&c, &mut look, &workers);
}

#[test]
fn a_killed_worker_fails_its_statement_only() {
    let c = cluster();
    let mut look = wire(&c);
    look.ok("create table kept(a int); begin; insert into kept values(1)");
    let (mut leader, workers) = working(&c, &mut look);
    kill9(workers[0]);
    let r = leader.reply_within(SOON).unwrap().unwrap();
    assert_eq!(r.code(), "55000");
    all_gone(&c, &mut look, &workers);
    // Nobody else has noticed; the leader's session goes on.
    assert_eq!(leader.value("select count(*) from t where b = 3"), "4000");
    look.ok("commit");
    assert_eq!(look.value("select count(*) from kept"), "1");
    // Asked to end, it says so to its leader.
    leader.start(LONG).unwrap();
    assert!(wait_for(SOON, || workers_of(&mut look, leader.pid).len() == 2));
    signal(workers_of(&mut look, leader.pid)[0], nix::sys::signal::Signal::SIGTERM);
    assert_eq!(leader.reply_within(SOON).unwrap().unwrap().code(), "57P01");
    assert_eq!(leader.value("select 1"), "1");
}

#[test]
fn workers_do_not_outlive_their_leader() {
    let c = cluster();
    let mut look = wire(&c);
    let (leader, workers) = working(&c, &mut look);
    kill9(leader.pid);
    all_gone(&c, &mut look, &workers);
    assert_eq!(look.value("select count(*) from t"), "40000");
    // Its locks are free.
    look.ok("lock table t in access exclusive mode nowait".replace("lock", "begin; lock").as_str());
    look.ok("commit");
}

/// Builds a table for long in all processes, then would probe it with another table.
const BUILD: &str = "select count(*) from u join t on u.a = t.a where md5(repeat(t.b::text, 8000)) <> ''";

fn with_hash_joins(c: &Cluster) -> Wire {
    let mut w = wire(c);
    w.ok("set enable_mergejoin = off");
    w.ok("set enable_nestloop = off");
    w
}

/// Starts to build a shared table and waits for the workers to be at it.
fn building(c: &Cluster, look: &mut Wire, w: &mut Wire) -> Vec<i32> {
    let plan = w.ok(&format!("explain (costs off) {BUILD}")).lines().join(" ");
    assert!(plan.contains("Parallel Hash Join"), "{plan}");
    w.start(BUILD).unwrap();
    let up = wait_for(SOON, || workers_of(look, w.pid).len() == 2);
    assert!(up, "{}", c.log_tail());
    workers_of(look, w.pid)
}

#[test]
fn a_worker_killed_while_it_builds_a_hash_table_fails_its_statement_only() {
    let c = cluster();
    let mut look = wire(&c);
    look.ok("create table u as select g % 40000 a from generate_series(1, 400000) g");
    look.ok("analyze u");
    let mut w = with_hash_joins(&c);
    for leader_works in ["on", "off"] {
        w.ok(&format!("set parallel_leader_participation = {leader_works}"));
        let workers = building(&c, &mut look, &mut w);
        kill9(workers[1]);
        assert_eq!(w.reply_within(SOON).unwrap().unwrap().code(), "55000", "{leader_works}");
        all_gone(&c, &mut look, &workers);
        // Asked to end.
        let workers = building(&c, &mut look, &mut w);
        signal(workers[0], nix::sys::signal::Signal::SIGTERM);
        assert_eq!(w.reply_within(SOON).unwrap().unwrap().code(), "57P01", "{leader_works}");
        all_gone(&c, &mut look, &workers);
        // A cancel.
        let workers = building(&c, &mut look, &mut w);
        cancel(&c, w.pid, w.key).unwrap();
        assert_eq!(w.reply_within(SOON).unwrap().unwrap().code(), "57014", "{leader_works}");
        all_gone(&c, &mut look, &workers);
        // One that fails.
        let r = w.query("select count(*) from u join t on u.a = t.a where 1 / (t.a - 39999) < 7").unwrap();
        assert_eq!(r.code(), "22012", "{leader_works}");
        assert_eq!(w.value("select count(*) from u join t on u.a = t.a"), "399990");
    }
    w.ok("set parallel_leader_participation = on");
    let workers = building(&c, &mut look, &mut w);
    kill9(w.pid);
    all_gone(&c, &mut look, &workers);
    assert_eq!(look.value("select count(*) from u"), "400000");
}

#[test]
fn a_worker_that_fails_ends_the_statement_at_once() {
    let c = cluster();
    let mut w = wire(&c);
    // Only a row of the worker fails: the leader takes no part.
    w.ok("set parallel_leader_participation = off");
    let r = w.query("select count(*) from t where 1 / (a - 39999) = 7").unwrap();
    assert_eq!(r.code(), "22012");
    assert_eq!(w.value("select count(*) from t"), "40000");
}

#[test]
fn limits_of_workers_are_kept() {
    let c = cluster();
    let mut w = wire(&c);
    let launched = |w: &mut Wire| -> String {
        let plan =
            w.ok("explain (analyze, costs off, timing off, summary off) select count(*) from t").lines();
        plan.iter().find(|l| l.contains("Workers Launched")).unwrap().trim().to_string()
    };
    assert_eq!(launched(&mut w), "Workers Launched: 2");
    w.ok("set max_parallel_workers = 1");
    assert_eq!(launched(&mut w), "Workers Launched: 1");
    w.ok("set max_parallel_workers = 0");
    assert_eq!(launched(&mut w), "Workers Launched: 0");
    assert_eq!(w.value("select count(*) from t"), "40000");
    w.ok("reset max_parallel_workers");
    // What is fetched in parts is not run in parallel.
    w.ok("begin; declare c cursor for select a from t where b = 1");
    w.ok("fetch 1 from c");
    assert!(workers_of(&mut wire(&c), w.pid).is_empty());
    w.ok("commit");
    w.ok("begin isolation level serializable");
    assert_eq!(w.value("select count(*) from t"), "40000");
    w.ok("commit");
}

#[test]
fn a_fast_shutdown_ends_workers_too() {
    let mut c = cluster();
    let mut look = wire(&c);
    let (_leader, workers) = working(&c, &mut look);
    drop(look);
    c.stop().unwrap();
    assert!(!workers.iter().any(|p| is_alive(*p)));
}
