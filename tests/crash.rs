//! Random processes are killed under a load like pgbench's. The clients keep their own books of what was acknowledged;
//! after each recovery the database must agree with them and with itself.
//!
//! `STEGODON_CRASH_ROUNDS` sets the number of rounds, `STEGODON_CRASH_SEED` repeats a run's choices.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use testkit::{Cluster, Kind, Options, Random, Wire, is_alive, wait_for};

const ACCOUNTS: u64 = 2000;
const TELLERS: u64 = 20;
const BRANCHES: u64 = 2;
const CLIENTS: u64 = 4;

/// What the clients know, over all rounds.
#[derive(Default)]
struct Books {
    /// COMMIT was answered.
    committed: Mutex<BTreeSet<u64>>,
    /// The connection was lost between COMMIT and its answer: either may be true.
    unknown: Mutex<BTreeSet<u64>>,
    next_id: AtomicU64,
    /// Rows of `churn`: the version acknowledged last, `None` where there is no row.
    rows: Mutex<BTreeMap<u64, Option<u64>>>,
    /// What they are instead if a commit without an answer happened.
    rows_unknown: Mutex<BTreeMap<u64, Option<u64>>>,
    /// Highest acknowledged value of the sequence.
    sequence: AtomicU64,
    count: AtomicU64,
}

fn setup(w: &mut Wire) {
    w.ok("create table branches(bid int primary key, bbalance int not null, filler char(88))");
    w.ok("create table tellers(tid int primary key, bid int, tbalance int not null, filler char(84))");
    w.ok("create table accounts(aid int primary key, bid int, abalance int not null, filler char(84))");
    w.ok("create table history(id int8 primary key, tid int, bid int, aid int, delta int, mtime timestamp, note text)");
    w.ok(&format!("insert into branches select g, 0, '' from generate_series(1, {BRANCHES}) g"));
    w.ok(&format!("insert into tellers select g, 1, 0, '' from generate_series(1, {TELLERS}) g"));
    w.ok(&format!("insert into accounts select g, 1, 0, '' from generate_series(1, {ACCOUNTS}) g"));
    w.ok("create index history_aid on history(aid)");
    w.ok("create index accounts_balance on accounts(abalance)");
    w.ok("create table churn(id int8 primary key, version int8 not null, body text, sum text)");
    w.ok("create index churn_version on churn(version)");
    w.ok("create index churn_sum on churn(sum)");
    w.ok("create sequence numbers");
}

/// One transaction. `Err` when the connection is lost.
fn transaction(w: &mut Wire, r: &mut Random, books: &Books) -> Result<(), String> {
    let id = books.next_id.fetch_add(1, Ordering::Relaxed);
    let (aid, tid, bid) = (r.below(ACCOUNTS) + 1, r.below(TELLERS) + 1, r.below(BRANCHES) + 1);
    let delta = r.below(10_000) as i64 - 5000;
    let note = if r.below(20) == 0 { "long ".repeat(1000) } else { String::from("short") };
    let savepoint = r.below(5) == 0;
    let rollback = r.below(10) == 0;
    let mut steps = vec!["begin".to_string()];
    if savepoint {
        steps.push("savepoint a".into());
        steps.push(format!("update accounts set abalance = abalance + 1 where aid = {aid}"));
        steps.push(format!("insert into history values({id}, 0, 0, 0, 1000000, now(), 'undone')"));
        steps.push("rollback to a".into());
    }
    steps.push(format!("update accounts set abalance = abalance + {delta} where aid = {aid}"));
    steps.push(format!("select abalance from accounts where aid = {aid}"));
    steps.push(format!("update tellers set tbalance = tbalance + {delta} where tid = {tid}"));
    steps.push(format!("update branches set bbalance = bbalance + {delta} where bid = {bid}"));
    steps.push(format!("insert into history values({id}, {tid}, {bid}, {aid}, {delta}, now(), '{note}')"));
    for sql in &steps {
        let reply = w.query(sql).map_err(|e| format!("{e}"))?;
        if let Some(e) = reply.error {
            if reply.status == b'X' {
                return Err(format!("{}: {}", e.code(), e.message()));
            }
            assert!(e.code() == "40P01", "{sql}: {e:?}");
            w.query("rollback").map_err(|e| e.to_string())?;
            return Ok(());
        }
    }
    if rollback {
        w.query("rollback").map_err(|e| e.to_string())?;
        return Ok(());
    }
    books.unknown.lock().unwrap().insert(id);
    match w.query("commit") {
        Ok(reply) if reply.error.is_none() => {
            assert_eq!(reply.tags, ["COMMIT"]);
            books.unknown.lock().unwrap().remove(&id);
            books.committed.lock().unwrap().insert(id);
            books.count.fetch_add(1, Ordering::Relaxed);
            Ok(())
        }
        Ok(reply) => Err(format!("{:?}", reply.error)),
        Err(e) => Err(format!("{e}")),
    }
}

/// Writes some of a client's own rows of `churn`, short and long ones, and keeps book of each.
fn churn(w: &mut Wire, r: &mut Random, client: u64, books: &Books) -> Result<(), String> {
    let mut pending: BTreeMap<u64, Option<u64>> = BTreeMap::new();
    w.query("begin").map_err(|e| e.to_string())?;
    let number: u64 = match w.query("select nextval('numbers')") {
        Ok(reply) if reply.error.is_none() => reply.value().unwrap().parse().unwrap(),
        other => return Err(format!("{other:?}")),
    };
    for _ in 0..=r.below(4) {
        let id = r.below(200) * CLIENTS + client;
        if books.rows_unknown.lock().unwrap().contains_key(&id) {
            continue;
        }
        let version = books.next_id.fetch_add(1, Ordering::Relaxed);
        let long = [1, 1, 10, 100, 300][r.below(5) as usize];
        let body =
            format!("(select string_agg(md5(({version} + g)::text), '') from generate_series(1, {long}) g)");
        let sql = if r.below(4) == 0 {
            pending.insert(id, None);
            format!("delete from churn where id = {id}")
        } else {
            pending.insert(id, Some(version));
            format!(
                "insert into churn select {id}, {version}, b, md5(b) from (select {body} as b) s \
                 on conflict (id) do update set version = excluded.version, body = excluded.body, sum = excluded.sum"
            )
        };
        let reply = w.query(&sql).map_err(|e| e.to_string())?;
        if let Some(e) = reply.error {
            assert!(reply.status == b'X', "{sql}: {e:?}");
            return Err(e.message().into());
        }
    }
    if r.below(6) == 0 {
        return w.query("rollback").map(|_| ()).map_err(|e| e.to_string());
    }
    books.rows_unknown.lock().unwrap().extend(pending.clone());
    match w.query("commit") {
        Ok(reply) if reply.error.is_none() => {
            books.rows_unknown.lock().unwrap().retain(|id, _| !pending.contains_key(id));
            books.rows.lock().unwrap().extend(pending);
            books.sequence.fetch_max(number, Ordering::Relaxed);
            books.count.fetch_add(1, Ordering::Relaxed);
            Ok(())
        }
        other => Err(format!("{other:?}")),
    }
}

/// Compares `churn` with the books, and settles what was unknown.
fn check_churn(w: &mut Wire, books: &Books, what: &str) {
    let bad = w.ok("select id, version, length(body) from churn where sum <> md5(body)").lines();
    assert!(bad.is_empty(), "{what}: values and their sums differ: {bad:?}");
    let found: BTreeMap<u64, u64> = w
        .ok("select id, version from churn")
        .rows
        .iter()
        .map(|r| (r[0].as_ref().unwrap().parse().unwrap(), r[1].as_ref().unwrap().parse().unwrap()))
        .collect();
    let mut rows = books.rows.lock().unwrap();
    for (id, other) in std::mem::take(&mut *books.rows_unknown.lock().unwrap()) {
        if found.get(&id).copied() == other {
            rows.insert(id, other);
        }
    }
    for (id, version) in &*rows {
        assert_eq!(found.get(id), version.as_ref(), "{what}: row {id} of churn");
    }
    for id in found.keys() {
        assert!(rows.contains_key(id), "{what}: row {id} of churn comes from nowhere");
    }
    let next: u64 = w.value("select nextval('numbers')").parse().unwrap();
    assert!(next > books.sequence.load(Ordering::Relaxed), "{what}: the sequence gave {next} before");
}

/// Looks at the sums while the others write: one snapshot must show whole transactions only.
fn audit(place: &Cluster, stop: &AtomicBool) {
    let sums = "select (select sum(abalance) from accounts), (select sum(bbalance) from branches), \
                (select sum(tbalance) from tellers), (select coalesce(sum(delta), 0) from history), \
                (select count(*) from accounts)";
    while !stop.load(Ordering::Relaxed) {
        let Some(mut w) = connect(place) else {
            std::thread::sleep(Duration::from_millis(10));
            continue;
        };
        let mut in_block = false;
        while !stop.load(Ordering::Relaxed) {
            in_block = !in_block;
            let script: &[&str] = if in_block {
                &[
                    "begin isolation level repeatable read",
                    "set local enable_seqscan = off",
                    sums,
                    sums,
                    "commit",
                ]
            } else {
                &["select 1", sums]
            };
            let mut seen: Option<Vec<Option<String>>> = None;
            let mut lost = false;
            for sql in script {
                let reply = match w.query(sql) {
                    Ok(reply) => reply,
                    Err(e) => {
                        let hangs = e.kind() == std::io::ErrorKind::TimedOut;
                        assert!(!hangs, "{sql}: backend {} hangs\n{}", w.pid, activity(place));
                        lost = true;
                        break;
                    }
                };
                if reply.status == b'X' {
                    lost = true;
                    break;
                }
                assert!(reply.error.is_none(), "{sql}: {:?}", reply.error);
                if *sql == sums {
                    let row = reply.rows[0].clone();
                    assert!(
                        row[..4].iter().all(|v| v == &row[0]),
                        "a snapshot shows parts of transactions: {row:?}"
                    );
                    assert_eq!(
                        row[4].as_deref(),
                        Some(ACCOUNTS.to_string().as_str()),
                        "rows seen by a snapshot"
                    );
                    assert!(
                        seen.is_none() || seen.as_ref() == Some(&row),
                        "a snapshot changed: {seen:?} {row:?}"
                    );
                    seen = Some(row);
                }
            }
            if lost {
                break;
            }
        }
    }
}

/// Connects; a server that does not answer at all is a failure, a refusal is not.
fn connect(place: &Cluster) -> Option<Wire> {
    match Wire::connect(place) {
        Ok(w) => Some(w),
        Err(e) if e.kind() == std::io::ErrorKind::TimedOut => {
            panic!("no answer to a startup packet; processes {:?}\n{}", place.processes(), place.log_tail())
        }
        Err(_) => None,
    }
}

/// Runs the load until `stop`, connecting again whenever the connection is lost.
fn client(sock: &Cluster, seed: u64, number: u64, books: &Books, stop: &AtomicBool) {
    let mut r = Random::new(seed);
    while !stop.load(Ordering::Relaxed) {
        let Some(mut w) = connect(sock) else {
            std::thread::sleep(Duration::from_millis(10));
            continue;
        };
        while !stop.load(Ordering::Relaxed) {
            let done = match r.below(3) {
                0 => churn(&mut w, &mut r, number, books),
                _ => transaction(&mut w, &mut r, books),
            };
            if let Err(e) = done {
                assert!(!e.contains("no answer"), "{e}: backend {} hangs\n{}", w.pid, activity(sock));
                break;
            }
        }
    }
}

/// Maintenance beside the load: what moves pages about.
fn maintenance(sock: &Cluster, seed: u64, stop: &AtomicBool) {
    let mut r = Random::new(seed);
    let jobs = [
        "vacuum accounts",
        "vacuum churn",
        "reindex table churn",
        "insert into scratch select g + 1000, 'y' from generate_series(1, 2000) g on conflict do nothing",
        "delete from scratch where a > 1500",
        "vacuum scratch",
        "vacuum",
        "analyze history",
        "checkpoint",
        "create table if not exists scratch(a int primary key, b text)",
        "insert into scratch select g, repeat('x', 3000) from generate_series(1, 50) g on conflict do nothing",
        "truncate scratch",
        "drop table if exists scratch",
        "create index history_extra on history(tid, delta)",
        "drop index if exists history_extra",
    ];
    while !stop.load(Ordering::Relaxed) {
        let Some(mut w) = connect(sock) else {
            std::thread::sleep(Duration::from_millis(10));
            continue;
        };
        while !stop.load(Ordering::Relaxed) {
            let job = r.pick(&jobs);
            match w.query(job) {
                Ok(reply) if reply.status != b'X' => {
                    // Missing or present already: the job before it may have been cut short.
                    let code = reply.code().to_string();
                    let fine = ["", "42P01", "42P07", "40P01", "0A000"].contains(&code.as_str());
                    assert!(fine, "{job}: {:?}", reply.error);
                }
                Err(e) if e.kind() == std::io::ErrorKind::TimedOut => {
                    panic!("{job}: backend {} hangs\n{}", w.pid, activity(sock))
                }
                _ => break,
            }
        }
    }
}

/// What the server's processes wait for, for the message of a failure.
fn activity(place: &Cluster) -> String {
    let sql = "select pid, wait_event_type, wait_event, state, query, pg_blocking_pids(pid) from pg_stat_activity; \
               select * from pg_locks";
    place.psql(sql).map_or_else(|e| e.to_string(), |o| o.text)
}

/// Kills one process and returns what it was.
fn kill_one(c: &mut Cluster, r: &mut Random) -> String {
    if r.below(4) == 0 {
        let children = c.processes();
        c.kill().unwrap();
        let gone = wait_for(Duration::from_secs(5), || children.iter().all(|p| !is_alive(p.pid)));
        assert!(gone, "children outlive the postmaster: {children:?}");
        // Now and then it dies again before recovery is through.
        let mut again = 0;
        while r.below(2) == 0 {
            c.spawn().unwrap();
            std::thread::sleep(Duration::from_millis(r.below(150)));
            c.kill_spawned().unwrap();
            again += 1;
        }
        c.launch().unwrap();
        return format!("postmaster, {again} times in recovery");
    }
    let all = c.processes();
    let (backends, aux): (Vec<_>, Vec<_>) = all
        .into_iter()
        .filter(|p| p.title.starts_with("postgres: "))
        .partition(|p| p.title.contains("[local]"));
    let from = if r.below(2) == 0 && !backends.is_empty() { &backends } else { &aux };
    let victim = r.pick(from).clone();
    let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(victim.pid), nix::sys::signal::Signal::SIGKILL);
    victim.title
}

fn connect_patiently(c: &Cluster) -> Wire {
    let mut got = None;
    let mut last = String::new();
    let up = wait_for(Duration::from_secs(60), || match Wire::connect(c) {
        Ok(w) => {
            got = Some(w);
            true
        }
        Err(e) => {
            last = e.to_string();
            false
        }
    });
    assert!(up, "no connection: {last}\n{}", c.log_tail());
    got.unwrap()
}

fn check(c: &Cluster, books: &Books, what: &str) {
    let mut w = connect_patiently(c);
    let sums = w.ok("select (select sum(abalance) from accounts), (select sum(bbalance) from branches), \
         (select sum(tbalance) from tellers), (select coalesce(sum(delta), 0) from history)");
    let row = &sums.rows[0];
    assert!(row.iter().all(|v| v == &row[0]), "{what}: sums differ: {row:?}");
    for (t, n) in [("accounts", ACCOUNTS), ("tellers", TELLERS), ("branches", BRANCHES)] {
        assert_eq!(w.value(&format!("select count(*) from {t}")), n.to_string(), "{what}: rows of {t}");
    }
    let present: BTreeSet<u64> =
        w.ok("select id from history").rows.iter().map(|r| r[0].as_ref().unwrap().parse().unwrap()).collect();
    let committed = books.committed.lock().unwrap();
    let unknown = books.unknown.lock().unwrap();
    let lost: Vec<_> = committed.difference(&present).collect();
    assert!(
        lost.is_empty(),
        "{what}: {} acknowledged transactions are lost: {:?}",
        lost.len(),
        &lost[..lost.len().min(20)]
    );
    let invented: Vec<_> =
        present.iter().filter(|i| !committed.contains(i) && !unknown.contains(i)).collect();
    assert!(invented.is_empty(), "{what}: rows of transactions that were not committed: {invented:?}");
    check_churn(&mut w, books, what);
    for (t, key) in
        [("churn", "id"), ("history", "id"), ("accounts", "aid"), ("tellers", "tid"), ("branches", "bid")]
    {
        w.ok("set enable_indexscan = off; set enable_bitmapscan = off; set enable_indexonlyscan = off; set enable_seqscan = on");
        let twice = w.ok(&format!("select {key} from {t} group by {key} having count(*) > 1")).lines();
        assert!(twice.is_empty(), "{what}: duplicate keys in {t}: {twice:?}");
    }
    let by_index = "set enable_seqscan = off; set enable_bitmapscan = off; set enable_indexscan = on; set enable_indexonlyscan = on";
    let by_table = "set enable_indexscan = off; set enable_bitmapscan = off; set enable_indexonlyscan = off; set enable_seqscan = on";
    for sql in [
        "select id, tid, bid, aid, delta, length(note) from history where id >= 0 order by id",
        "select aid, id from history where aid >= 0 order by aid, id",
        "select aid, abalance from accounts where aid > 0 order by aid",
        "select abalance, aid from accounts where abalance > -2000000000 order by abalance, aid",
        "select tid, tbalance from tellers where tid > 0 order by tid",
        "select bid, bbalance from branches where bid > 0 order by bid",
        "select id, version, sum from churn where id >= 0 order by id",
        "select version, id, md5(body) from churn where version >= 0 order by version, id",
        "select sum, id from churn where sum >= '' order by sum, id",
    ] {
        w.ok(by_index);
        let a = w.ok(sql).lines();
        w.ok(by_table);
        let b = w.ok(sql).lines();
        if a != b {
            let sa: BTreeSet<_> = a.iter().collect();
            let sb: BTreeSet<_> = b.iter().collect();
            let x: Vec<_> = sa.difference(&sb).take(5).collect();
            let y: Vec<_> = sb.difference(&sa).take(5).collect();
            panic!(
                "{what}: {sql}: index {} rows, table {} rows; only index {x:?}, only table {y:?}",
                a.len(),
                b.len()
            );
        }
    }
    let log = c.log();
    for bad in ["PANIC", "panicked at"] {
        let lines: Vec<_> = log.lines().filter(|l| l.contains(bad)).collect();
        assert!(lines.is_empty(), "{what}: {lines:?}");
    }
}

#[test]
fn acknowledged_commits_survive_random_kills() {
    let rounds: u64 = std::env::var("STEGODON_CRASH_ROUNDS").ok().and_then(|v| v.parse().ok()).unwrap_or(5);
    let seed = std::env::var("STEGODON_CRASH_SEED").ok().and_then(|v| v.parse().ok()).unwrap_or_else(|| {
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as u64
    });
    println!("STEGODON_CRASH_SEED={seed}");
    let mut r = Random::new(seed);
    let settings = [("shared_buffers", "4MB"), ("max_wal_size", "32MB"), ("autovacuum_naptime", "1s")];
    let settings = settings.iter().map(|(n, v)| (n.to_string(), v.to_string())).collect();
    let mut c = Cluster::start(Kind::Stegodon, Options { settings, ..Options::default() }).unwrap();
    setup(&mut Wire::connect(&c).unwrap());
    let books = Arc::new(Books::default());
    for round in 1..=rounds {
        let stop = Arc::new(AtomicBool::new(false));
        let mut victims = String::new();
        let place = c.handle();
        std::thread::scope(|s| {
            let mut threads = vec![];
            for n in 0..CLIENTS {
                let (books, stop, place) = (&books, &stop, &place);
                let seed = seed ^ (round << 8) ^ n;
                threads.push(s.spawn(move || client(place, seed, n, books, stop)));
            }
            let (st, p) = (&stop, &place);
            threads.push(s.spawn(move || maintenance(p, seed ^ round, st)));
            threads.push(s.spawn(move || audit(p, st)));
            for _ in 0..=r.below(2) {
                let target = books.count.load(Ordering::Relaxed) + 30 + r.below(200);
                let started = Instant::now();
                while books.count.load(Ordering::Relaxed) < target {
                    if threads.iter().any(|t| t.is_finished()) || started.elapsed() > Duration::from_secs(60)
                    {
                        stop.store(true, Ordering::Relaxed);
                        assert!(
                            threads.iter().any(|t| t.is_finished()),
                            "no commits any more\n{}",
                            c.log_tail()
                        );
                        return;
                    }
                    std::thread::sleep(Duration::from_millis(1));
                }
                victims.push_str(&kill_one(&mut c, &mut r));
                victims.push_str("; ");
            }
            stop.store(true, Ordering::Relaxed);
        });
        println!("round {round}: {victims} {} commits", books.count.load(Ordering::Relaxed));
        check(&c, &books, &format!("round {round} ({victims})"));
    }
}
