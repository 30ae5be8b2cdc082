//! What an administrator sees of a running server: what every process waits for, how far a command has got, who blocks
//! whom. Several sessions are held in place by a lock, a pause or a client that does not go on, and looked at from another.
#![allow(clippy::unwrap_used)]

use std::time::{Duration, Instant};
use testkit::{Cluster, Kind, Options, Wire};

fn cluster(settings: &[(&str, &str)]) -> Cluster {
    let settings = settings.iter().map(|(n, v)| (n.to_string(), v.to_string())).collect();
    let options = Options { settings, ..Options::default() };
    Cluster::start(Kind::Stegodon, options).unwrap()
}

fn ask(w: &mut Wire, sql: &str) -> String {
    w.ok(sql).lines().join("\n")
}

/// Asks until the answer is `want`, for half a minute at most.
fn until(w: &mut Wire, sql: &str, want: &str) {
    let begun = Instant::now();
    loop {
        let got = ask(w, sql);
        if got == want {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "{sql}: {got}, not {want}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn wait_of(pid: i32) -> String {
    format!("select state, wait_event_type, wait_event from pg_stat_activity where pid = {pid}")
}

#[test]
fn every_process_shows_what_it_waits_for() {
    let mut c = cluster(&[]);
    let mut eye = Wire::connect(&c).unwrap();
    let idle = Wire::connect(&c).unwrap();
    until(&mut eye, &wait_of(idle.pid), "idle|Client|ClientRead");
    for (kind, want) in [
        ("checkpointer", "Activity|CheckpointerMain"),
        ("walwriter", "Activity|WalWriterMain"),
        ("autovacuum launcher", "Activity|AutoVacuumMain"),
        ("background writer", "Activity|BgWriterHibernate"),
    ] {
        let sql = format!(
            "select wait_event_type, wait_event from pg_stat_activity where backend_type = '{kind}' and datname is null \
             and state is null and client_port is null and backend_start is not null and query = ''"
        );
        until(&mut eye, &sql, want);
    }
    let mut sleeper = Wire::connect(&c).unwrap();
    sleeper.start("select pg_sleep(100)").unwrap();
    until(&mut eye, &wait_of(sleeper.pid), "active|Timeout|PgSleep");
    assert_eq!(ask(&mut eye, &format!("select pg_cancel_backend({})", sleeper.pid)), "t");

    ask(&mut eye, "create table t(i int primary key); insert into t values (1)");
    let mut holder = Wire::connect(&c).unwrap();
    ask(&mut holder, "begin; update t set i = i; select pg_advisory_lock(7)");
    let pid = holder.pid;
    until(&mut eye, &wait_of(pid), "idle in transaction|Client|ClientRead");
    let xids = "select backend_xid is not null, xact_start is not null, query_start <= state_change";
    assert_eq!(ask(&mut eye, &format!("{xids} from pg_stat_activity where pid = {pid}")), "t|t|t");
    for (sql, kind) in [
        ("update t set i = i", "transactionid"),
        ("select pg_advisory_lock(7)", "advisory"),
        ("lock table t", "relation"),
    ] {
        let mut blocked = Wire::connect(&c).unwrap();
        blocked.start(&format!("begin; {sql}")).unwrap();
        until(&mut eye, &wait_of(blocked.pid), &format!("active|Lock|{kind}"));
        assert_eq!(ask(&mut eye, &format!("select pg_blocking_pids({})", blocked.pid)), format!("{{{pid}}}"));
        let lock = format!(
            "select locktype, granted, waitstart is not null from pg_locks where pid = {} and not granted",
            blocked.pid
        );
        assert_eq!(ask(&mut eye, &lock), format!("{kind}|f|t"));
        ask(&mut eye, &format!("select pg_terminate_backend({}, 5000)", blocked.pid));
    }
    // A client that takes nothing.
    let mut lazy = Wire::connect(&c).unwrap();
    lazy.start("select repeat('x', 1000) from generate_series(1, 100000)").unwrap();
    until(&mut eye, &wait_of(lazy.pid), "active|Client|ClientWrite");
    c.stop().unwrap();
}

#[test]
fn activity_follows_its_settings() {
    let mut c = cluster(&[("track_activity_query_size", "2000")]);
    let mut eye = Wire::connect(&c).unwrap();
    let mut w = Wire::connect(&c).unwrap();
    let (pid, long) = (w.pid, "x".repeat(3000));
    ask(&mut w, &format!("select length('{long}')"));
    assert_eq!(
        ask(&mut eye, &format!("select length(query) from pg_stat_activity where pid = {pid}")),
        "1999"
    );
    ask(&mut w, "set track_activities = off");
    ask(&mut w, "begin; select 1");
    let all = "select state, query, query_start, xact_start, state_change from pg_stat_activity";
    until(&mut eye, &format!("{all} where pid = {pid}"), "disabled||||");
    ask(&mut w, "commit; set track_activities = on");
    until(
        &mut eye,
        &format!(
            "select state, query_start, state_change is not null from pg_stat_activity where pid = {pid}"
        ),
        "idle||t",
    );
    c.stop().unwrap();
}

#[test]
fn commands_report_their_progress() {
    let mut c = cluster(&[]);
    let mut eye = Wire::connect(&c).unwrap();
    let mut w = Wire::connect(&c).unwrap();
    ask(
        &mut eye,
        "create table t(i int primary key, v text) with (autovacuum_enabled = off); \
         insert into t select g, repeat('x', 100) from generate_series(1, 20000) g; delete from t where i % 3 = 0",
    );
    let blocks = "pg_relation_size('t') / 8192";
    ask(&mut w, "set vacuum_cost_delay = '100ms'; set vacuum_cost_limit = 20");
    w.start("vacuum t").unwrap();
    let vacuum = format!(
        "select phase, heap_blks_total = {blocks}, heap_blks_scanned between 1 and heap_blks_total, heap_blks_vacuumed, \
         index_vacuum_count, max_dead_tuples = heap_blks_total * 291, num_dead_tuples > 0, relid::regclass, datname \
         from pg_stat_progress_vacuum where pid = {}",
        w.pid
    );
    until(&mut eye, &vacuum, "scanning heap|t|t|0|0|t|t|t|postgres");
    until(&mut eye, &wait_of(w.pid), "active|Timeout|VacuumDelay");
    ask(&mut eye, &format!("select pg_cancel_backend({})", w.pid));
    assert_eq!(w.reply().unwrap().code(), "57014");
    until(&mut eye, "select count(*) from pg_stat_progress_vacuum", "0");

    // COPY in, held by the client; COPY out, held by its query.
    w.start("copy t from stdin").unwrap();
    // Records are told apart a buffer at a time.
    let rows: String = (30001..40001).map(|i| format!("{i}\ta\n")).collect();
    w.send(b'd', rows.as_bytes()).unwrap();
    let copy = "select relid::regclass, command, type, bytes_processed, bytes_total, tuples_processed, tuples_excluded \
                from pg_stat_progress_copy";
    until(&mut eye, copy, "t|COPY FROM|PIPE|80000|0|10000|0");
    until(&mut eye, &wait_of(w.pid), "active|Client|ClientRead");
    w.send(b'c', b"").unwrap();
    assert!(w.reply().unwrap().code().is_empty());
    w.start("copy (select g, pg_sleep(case when g = 2 then 100 end) from generate_series(1, 3) g) to stdout")
        .unwrap();
    until(
        &mut eye,
        "select relid, command, type, bytes_total from pg_stat_progress_copy",
        "0|COPY TO|PIPE|0",
    );
    ask(&mut eye, &format!("select pg_cancel_backend({})", w.pid));
    assert_eq!(w.reply().unwrap().code(), "57014");

    // An index on a large table is seen while it is made.
    ask(&mut eye, "create table big(i int); insert into big select g from generate_series(1, 20000) g");
    w.start("create index bi on big(md5(repeat(i::text, 3000)))").unwrap();
    let index = "select command, phase like 'building index: %', relid::regclass, index_relid > 0, \
                 blocks_done <= blocks_total, partitions_total from pg_stat_progress_create_index";
    until(&mut eye, index, "CREATE INDEX|t|big|t|t|0");
    assert!(w.reply().unwrap().code().is_empty());
    assert_eq!(ask(&mut eye, "select count(*) from pg_stat_progress_create_index"), "0");
    c.stop().unwrap();
}

#[test]
fn health_checks_print_what_they_should() {
    let mut c = cluster(&[("max_connections", "40"), ("superuser_reserved_connections", "4")]);
    let mut eye = Wire::connect(&c).unwrap();
    let idle = Wire::connect(&c).unwrap();
    let mut sleeper = Wire::connect(&c).unwrap();
    sleeper.start("select pg_sleep(100)").unwrap();
    until(&mut eye, &wait_of(sleeper.pid), "active|Timeout|PgSleep");
    until(&mut eye, &wait_of(idle.pid), "idle|Client|ClientRead");
    assert_eq!(
        ask(
            &mut eye,
            "select usename, state, query from pg_stat_activity where state <> 'idle' and pid <> pg_backend_pid() order by query_start"
        ),
        "postgres|active|select pg_sleep(100)"
    );
    assert_eq!(
        ask(
            &mut eye,
            "select state, count(*) from pg_stat_activity where backend_type = 'client backend' group by state order by 2 desc, 1"
        ),
        "active|2\nidle|1"
    );
    assert_eq!(
        ask(
            &mut eye,
            "select used, reserved, max, round(100.0 * used / (max - reserved), 1) as pct_used from \
             (select count(*) used from pg_stat_activity where backend_type = 'client backend') a, \
             (select setting::int reserved from pg_settings where name = 'superuser_reserved_connections') r, \
             (select setting::int max from pg_settings where name = 'max_connections') m"
        ),
        "3|4|40|8.3"
    );
    let over = "select pid, pg_terminate_backend(pid) from pg_stat_activity where state = 'idle' and state_change < now() - interval";
    assert_eq!(ask(&mut eye, &format!("{over} '1 hour'")), "");
    assert_eq!(ask(&mut eye, &format!("{over} '0'")), format!("{}|t", idle.pid));
    assert_eq!(
        ask(
            &mut eye,
            "select pid, now() - query_start > interval '0' from pg_stat_activity where state = 'active' \
             and pid <> pg_backend_pid() order by now() - query_start desc limit 5"
        ),
        format!("{}|t", sleeper.pid)
    );
    assert_eq!(
        ask(
            &mut eye,
            "select count(*) from pg_stat_activity where query like 'autovacuum:%' and state = 'active' and pid <> pg_backend_pid()"
        ),
        "0"
    );
    assert_eq!(
        ask(
            &mut eye,
            "select datname, round(100.0 * blks_hit / (blks_hit + blks_read), 2) > 50 as ratio from pg_stat_database where datname = current_database()"
        ),
        "postgres|t"
    );
    ask(
        &mut eye,
        "create table d(i int) with (autovacuum_enabled = off); insert into d select generate_series(1, 10); delete from d where i < 4",
    );
    assert_eq!(
        ask(
            &mut eye,
            "select relname, n_dead_tup, n_live_tup, last_autovacuum from pg_stat_user_tables where n_dead_tup > 0 order by n_dead_tup desc"
        ),
        "d|3|7|"
    );
    assert_eq!(
        ask(
            &mut eye,
            "select 'connections' as what, concat(count(*)::text, '/', current_setting('max_connections')) as value from pg_stat_activity \
             where backend_type = 'client backend' union all select 'waiting', count(*)::text from pg_stat_activity where wait_event_type = 'Lock' \
             union all select 'longest', concat(max(extract(epoch from now() - xact_start))::int::text, 's') \
             from pg_stat_activity where pid = pg_backend_pid()"
        ),
        "connections|2/40\nwaiting|0\nlongest|0s"
    );
    c.stop().unwrap();
}
