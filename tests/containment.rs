//! What the death of a process does to the others, and how a server is told to stop.
#![allow(clippy::unwrap_used)]

use nix::sys::signal::Signal;
use std::time::{Duration, Instant};
use testkit::process::signal;
use testkit::wire::cancel;
use testkit::{Cluster, Kind, Options, Wire, is_alive, kill9, wait_for};

const SOON: Duration = Duration::from_secs(15);

fn cluster() -> Cluster {
    Cluster::start(Kind::Stegodon, Options::default()).unwrap()
}

fn wire(c: &Cluster) -> Wire {
    Wire::connect(c).unwrap_or_else(|e| panic!("{e}\n{}", c.log_tail()))
}

/// Connects again and again: the server is recovering.
fn reconnect(c: &Cluster) -> Wire {
    let mut got = None;
    let up = wait_for(Duration::from_secs(30), || {
        got = Wire::connect(c).ok();
        got.is_some()
    });
    assert!(up, "{}", c.log_tail());
    got.unwrap()
}

/// A statement that has been sent and waits for a lock: no answer, and its process sleeps.
fn assert_waits(w: &mut Wire) {
    let r = w.reply_within(Duration::from_millis(300)).unwrap();
    assert!(r.is_none(), "did not wait: {r:?}");
}

#[test]
fn a_killed_backend_disturbs_nobody() {
    let c = cluster();
    let mut other = wire(&c);
    other.ok("create table t(a int primary key, b text); insert into t select g, 'old' from generate_series(1, 100) g");
    other.ok("create table locked(a int)");
    other.ok("prepare p(int) as select b from t where a = $1");
    let mut in_block = wire(&c);
    in_block.ok(
        "begin; insert into t values(1000, 'mine'); declare k cursor for select a from t order by a; fetch k",
    );
    let autovacuum = c.process("autovacuum launcher").pid;

    // An idle one.
    let idle = wire(&c);
    kill9(idle.pid);
    assert!(wait_for(SOON, || !is_alive(idle.pid)));
    assert_eq!(other.value("execute p(1)"), "old");

    // One inside a transaction, with rows, row locks, table locks and an index entry others wait for.
    let mut doomed = wire(&c);
    doomed.ok("begin");
    doomed.ok("insert into t select g, 'doomed' from generate_series(201, 400) g");
    doomed.ok("update t set b = 'doomed' where a <= 50");
    doomed.ok("select * from t where a = 60 for update");
    doomed.ok("lock table locked in access exclusive mode");
    doomed.ok("create table made(a int)");
    doomed.ok("savepoint s; delete from t where a = 70");
    let mut waits: Vec<(Wire, &str)> = [
        ("update t set b = 'new' where a = 1", "UPDATE 1"),
        ("select a from t where a = 60 for share", "SELECT 1"),
        ("insert into t values(201, 'new')", "INSERT 0 1"),
        ("select count(*) from locked", "SELECT 1"),
        ("delete from t where a = 70", "DELETE 1"),
    ]
    .into_iter()
    .map(|(sql, tag)| {
        let mut w = wire(&c);
        w.start(sql).unwrap();
        (w, tag)
    })
    .collect();
    for (w, _) in &mut waits {
        assert_waits(w);
    }
    kill9(doomed.pid);
    for (w, tag) in &mut waits {
        let r = w
            .reply_within(SOON)
            .unwrap()
            .unwrap_or_else(|| panic!("still waits for {tag}\n{}", c.log_tail()));
        assert!(r.error.is_none(), "{r:?}");
        assert_eq!(r.tags, [*tag]);
    }
    assert_eq!(other.value("select count(*) from t where b = 'doomed'"), "0");
    assert_eq!(other.value("execute p(2)"), "old");
    assert_eq!(other.query("select * from made").unwrap().code(), "42P01");
    assert_eq!(
        other.ok("select a, b from t where a in (1, 60, 70, 201) order by a").lines(),
        ["1|new", "60|old", "201|new"]
    );
    in_block.ok("fetch 10 from k");
    in_block.ok("commit");
    assert_eq!(wire(&c).value("select b from t where a = 1000"), "mine");
    // Nobody was restarted.
    assert_eq!(c.process("autovacuum launcher").pid, autovacuum);
    assert!(!c.log().contains("reinitializing"), "{}", c.log_tail());
}

#[test]
fn many_backends_may_die() {
    let c = Cluster::start(
        Kind::Stegodon,
        Options {
            settings: vec![("shared_buffers".into(), "8MB".into()), ("max_connections".into(), "10".into())],
            ..Options::default()
        },
    )
    .unwrap();
    let mut w = wire(&c);
    w.ok("create table t(a int primary key)");
    // More than there are slots: each must come back.
    for n in 0..30 {
        let mut d = reconnect(&c);
        d.ok(&format!("begin; insert into t values({n}); lock table t in row exclusive mode"));
        d.start("select count(*) from generate_series(1, 100000000) g").unwrap();
        kill9(d.pid);
        assert!(wait_for(SOON, || !is_alive(d.pid)));
    }
    let r = w.query("select count(*) from t").unwrap();
    // Dying inside a change of shared memory restarts the server; then this connection is gone, and that is right.
    if r.status == b'X' {
        assert!(c.log().contains("died inside"), "{}", c.log_tail());
        w = reconnect(&c);
    }
    assert_eq!(w.value("select count(*) from t"), "0");
    w.ok("drop table t");
}

#[test]
fn killed_auxiliary_processes_cost_no_data() {
    let c = cluster();
    wire(&c).ok("create table t(a int primary key)");
    for (n, name) in
        ["checkpointer", "background writer", "walwriter", "autovacuum launcher"].iter().enumerate()
    {
        let mut w = reconnect(&c);
        w.ok(&format!("insert into t values({n})"));
        let mut open = wire(&c);
        open.ok(&format!("begin; insert into t values({})", 100 + n));
        let victim = c.process(name).pid;
        kill9(victim);
        assert!(wait_for(SOON, || !is_alive(victim)));
        assert!(
            wait_for(SOON, || c.processes().iter().any(|p| p.title.contains(name) && p.pid != victim)),
            "{name} was not started again\n{}",
            c.log_tail()
        );
        let mut w = reconnect(&c);
        assert_eq!(w.value("select count(*) from t"), (n + 1).to_string(), "after {name}");
        w.ok("checkpoint");
    }
}

#[test]
fn nobody_outlives_the_postmaster() {
    let mut c = cluster();
    let mut w = wire(&c);
    w.ok("create table t(a int primary key); insert into t select generate_series(1, 1000)");
    w.ok("begin; insert into t values(5000)");
    let mut busy = wire(&c);
    busy.start("select count(*) from generate_series(1, 1000000000) g").unwrap();
    let mut waiting = wire(&c);
    waiting.start("insert into t values(5000)").unwrap();
    assert_waits(&mut waiting);
    let children = c.processes();
    assert!(children.len() >= 7, "{children:?}");
    let started = Instant::now();
    c.kill().unwrap();
    let gone = wait_for(Duration::from_secs(1), || children.iter().all(|p| !is_alive(p.pid)));
    assert!(gone, "after {:?}: {children:?}", started.elapsed());
    c.launch().unwrap();
    let mut w = wire(&c);
    assert_eq!(w.value("select count(*) from t"), "1000");
    w.ok("insert into t values(5000)");
}

#[test]
fn cancel_and_terminate() {
    let c = cluster();
    let mut w = wire(&c);
    w.ok("create table t(a int primary key); insert into t values(1)");
    // A running computation.
    w.start("select count(*) from generate_series(1, 1000000000) g").unwrap();
    assert_waits(&mut w);
    cancel(&c, w.pid, w.key).unwrap();
    let r = w.reply_within(SOON).unwrap().expect("cancelled");
    assert_eq!((r.code(), r.status), ("57014", b'I'));
    assert_eq!(r.error.unwrap().message(), "canceling statement due to user request");
    // A wait for a lock; with a wrong key nothing happens.
    let mut holder = wire(&c);
    holder.ok("begin; update t set a = 2");
    w.start("update t set a = 3").unwrap();
    assert_waits(&mut w);
    cancel(&c, w.pid, w.key ^ 1).unwrap();
    assert_waits(&mut w);
    cancel(&c, w.pid, w.key).unwrap();
    assert_eq!(w.reply_within(SOON).unwrap().expect("cancelled").code(), "57014");
    // An idle session does not feel it.
    cancel(&c, w.pid, w.key).unwrap();
    assert_eq!(w.value("select 1"), "1");
    // In a transaction block the transaction fails.
    w.ok("begin");
    w.start("select count(*) from generate_series(1, 1000000000) g").unwrap();
    assert_waits(&mut w);
    cancel(&c, w.pid, w.key).unwrap();
    let r = w.reply_within(SOON).unwrap().expect("cancelled");
    assert_eq!((r.code(), r.status), ("57014", b'E'));
    assert_eq!(w.query("select 1").unwrap().code(), "25P02");
    w.ok("rollback");
    // statement_timeout and lock_timeout.
    w.ok("set statement_timeout = '200ms'");
    let r = w.query("select count(*) from generate_series(1, 1000000000) g").unwrap();
    assert_eq!(r.code(), "57014");
    assert_eq!(r.error.unwrap().message(), "canceling statement due to statement timeout");
    assert_eq!(w.query("update t set a = 3").unwrap().code(), "57014");
    w.ok("set statement_timeout = 0; set lock_timeout = '200ms'");
    let r = w.query("update t set a = 3").unwrap();
    assert_eq!(r.code(), "55P03");
    assert_eq!(r.error.unwrap().message(), "canceling statement due to lock timeout");
    w.ok("set lock_timeout = 0");
    // SIGTERM is what pg_terminate_backend sends: idle, in a block, busy, waiting.
    let mut busy = wire(&c);
    busy.start("select count(*) from generate_series(1, 1000000000) g").unwrap();
    assert_waits(&mut busy);
    w.start("update t set a = 3").unwrap();
    assert_waits(&mut w);
    for mut v in [wire(&c), busy, w] {
        signal(v.pid, Signal::SIGTERM);
        let r = v.reply_within(SOON).unwrap().unwrap_or_else(|| panic!("no answer\n{}", c.log_tail()));
        assert_eq!(r.code(), "57P01");
        assert_eq!(r.error.unwrap().message(), "terminating connection due to administrator command");
        assert!(v.is_closed_within(SOON));
        assert!(wait_for(SOON, || !is_alive(v.pid)));
    }
    signal(holder.pid, Signal::SIGTERM);
    assert_eq!(wire(&c).ok("update t set a = 4 returning a").lines(), ["4"]);
    // The SQL functions.
    let (mut a, mut b) = (wire(&c), wire(&c));
    assert_eq!(a.value("select pg_backend_pid()"), a.pid.to_string());
    b.start("select pg_sleep(600)").unwrap();
    assert_waits(&mut b);
    assert_eq!(a.value(&format!("select pg_cancel_backend({})", b.pid)), "t");
    assert_eq!(b.reply_within(SOON).unwrap().expect("cancelled").code(), "57014");
    assert_eq!(a.value(&format!("select pg_terminate_backend({})", b.pid)), "t");
    assert_eq!(b.reply_within(SOON).unwrap().expect("ended").code(), "57P01");
    let r = a.ok("select pg_terminate_backend(2147483647)");
    assert_eq!((r.value(), r.notices.len()), (Some("f"), 1));
}

#[test]
fn shutdown_smart_fast_immediate() {
    let mut c = cluster();
    let mut w = wire(&c);
    w.ok("create table t(a int primary key); begin; insert into t values(1)");
    let postmaster = c.postmaster_pid().unwrap();
    signal(postmaster, Signal::SIGTERM);
    let refused = wait_for(SOON, || match Wire::connect(&c) {
        Err(e) => e.to_string() == "57P03: the database system is shutting down",
        Ok(_) => false,
    });
    assert!(refused, "{:?}", Wire::connect(&c).err());
    assert!(is_alive(postmaster));
    // Clients that connect and say nothing hold nobody up.
    let _silent = [Wire::raw(&c).unwrap(), Wire::raw(&c).unwrap()];
    w.ok("commit");
    assert_eq!(w.value("select a from t"), "1");
    w.send(b'X', &[]).unwrap();
    let started = Instant::now();
    c.stop_with_wait().unwrap();
    assert!(started.elapsed() < SOON, "{:?}", started.elapsed());
    assert!(!c.data_dir().join("postmaster.pid").exists());
    assert!(c.log().contains("database system is shut down"));
    c.launch().unwrap();
    let recoveries = c.log().matches("redo done").count();
    // Smart hastened to fast: the open transaction is rolled back, its client told.
    let mut w = wire(&c);
    w.ok("begin; insert into t values(2)");
    let mut busy = wire(&c);
    busy.start("select count(*) from generate_series(1, 1000000000) g").unwrap();
    signal(c.postmaster_pid().unwrap(), Signal::SIGTERM);
    c.stop().unwrap();
    assert_eq!(w.reply().unwrap().code(), "57P01");
    assert_eq!(busy.reply().unwrap().code(), "57P01");
    c.launch().unwrap();
    assert_eq!(
        c.log().matches("redo done").count(),
        recoveries,
        "recovery after a clean stop:\n{}",
        c.log_tail()
    );
    assert_eq!(wire(&c).ok("select a from t").lines(), ["1"]);
    // Immediate: clients are thrown out, recovery follows.
    let mut w = wire(&c);
    w.ok("insert into t values(3)");
    w.ok("begin; insert into t values(4)");
    c.stop_with(Signal::SIGQUIT).unwrap();
    let last = w.reply();
    assert!(last.is_err() || last.unwrap().code() == "57P01");
    assert!(!c.data_dir().join("postmaster.pid").exists());
    c.launch().unwrap();
    assert!(c.log().matches("redo done").count() > recoveries, "{}", c.log_tail());
    assert_eq!(wire(&c).ok("select a from t order by a").lines(), ["1", "3"]);
}

#[test]
fn lock_file() {
    let mut c = cluster();
    let mut second = c.program("postgres");
    second.arg("-D").arg(c.data_dir()).args(["-p", "1", "-h", ""]).arg("-k").arg(&c.dir);
    let out = second.output().unwrap();
    let text = String::from_utf8_lossy(&out.stderr).into_owned();
    assert_eq!(out.status.code(), Some(1), "{text}");
    assert!(text.contains("FATAL:  lock file \"postmaster.pid\" already exists"), "{text}");
    assert!(text.contains("HINT:  Is another postmaster (PID "), "{text}");
    assert_eq!(wire(&c).value("select 1"), "1");
    // Left over by a process that is dead.
    c.kill().unwrap();
    assert!(c.data_dir().join("postmaster.pid").exists());
    c.launch().unwrap();
    assert_eq!(wire(&c).value("select 1"), "1");
    // Left over, and the number now belongs to something that cannot be it.
    c.stop().unwrap();
    std::fs::write(c.data_dir().join("postmaster.pid"), format!("{}\n", std::process::id())).unwrap();
    c.launch().unwrap();
    assert_eq!(wire(&c).value("select 1"), "1");
}

#[test]
fn a_new_server_waits_for_the_old_ones_processes() {
    let mut c = cluster();
    let w = wire(&c);
    // A stopped process handles no signal; it must go with the postmaster all the same.
    signal(w.pid, Signal::SIGSTOP);
    c.kill().unwrap();
    c.launch().unwrap();
    assert!(!is_alive(w.pid));
    // A process that holds the directory keeps a server out.
    c.stop().unwrap();
    let dir = std::fs::File::open(c.data_dir()).unwrap();
    dir.lock().unwrap();
    let e = c.launch().unwrap_err().to_string();
    assert!(e.contains("processes of an earlier server still use data directory"), "{e}");
    assert!(!c.data_dir().join("postmaster.pid").exists());
    drop(dir);
    c.launch().unwrap();
}

#[test]
fn a_panic_costs_its_statement() {
    let c = cluster();
    let mut other = wire(&c);
    other.ok("create table t(a int)");
    let mut w = wire(&c);
    w.ok("prepare p as select 7");
    w.ok("begin; insert into t values (1)");
    w.ok("set stegodon.fault = 'panic'");
    let e = w.query("select 1").unwrap().error.expect("the statement fails");
    assert_eq!((e.code(), e.message()), ("XX000", "a fault that was asked for"));
    assert_eq!(w.query("select 1").unwrap().error.unwrap().code(), "25P02");
    w.ok("rollback");
    assert_eq!(w.value("execute p"), "7");
    assert_eq!(w.value("select count(*) from t"), "0");
    other.ok("insert into t values (2)");
    assert_eq!(w.value("select count(*) from t"), "1");
}

#[test]
fn a_panic_that_may_leave_shared_memory_broken_restarts_the_server() {
    for fault in ["panic with lock", "panic in critical section"] {
        let c = cluster();
        let mut other = wire(&c);
        other.ok("create table t(a int); insert into t values (1)");
        let mut w = wire(&c);
        w.ok("begin; insert into t values (2)");
        w.ok(&format!("set stegodon.fault = '{fault}'"));
        assert!(w.query("select 1").is_err() || w.is_closed_within(SOON), "{fault}");
        assert!(other.is_closed_within(SOON), "{fault}: {}", c.log_tail());
        let mut again = reconnect(&c);
        assert_eq!(again.value("select count(*) from t"), "1", "{fault}");
    }
}
