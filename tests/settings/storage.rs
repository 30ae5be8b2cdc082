//! Settings of reading, writing and syncing. What a process asks of the kernel is seen by strace.

use crate::common::*;
use std::fs;
use std::os::unix::fs::{FileExt, MetadataExt};

/// A little pool, so that tables do not fit.
fn small() -> Cluster {
    let c = cluster(&[("shared_buffers", "1MB"), ("autovacuum", "off")]);
    reload(&c, &[("bgwriter_lru_maxpages", "0")]);
    c
}

fn pid_of(c: &Cluster, kind: &str) -> i32 {
    sql(c, &format!("select pid from pg_stat_activity where backend_type = '{kind}'")).trim().parse().unwrap()
}

#[test]
fn commits() {
    let c = cluster(&[("autovacuum", "off")]);
    sql(&c, "create table t(a int)");
    let took = |w: &mut Wire| {
        let begun = Instant::now();
        w.ok("insert into t values (1)");
        begun.elapsed().as_millis()
    };
    // commit_delay waits only in company of commit_siblings others.
    let mut w = session(&c, &[("commit_delay", "100000"), ("commit_siblings", "1")]);
    assert!(took(&mut w) < 100);
    let mut other = session(&c, &[]);
    other.ok("begin; insert into t values (2)");
    assert!(took(&mut w) >= 100);
    w.ok("set commit_siblings = 2");
    assert!(took(&mut w) < 100);
    w.ok("set commit_siblings = 1; set synchronous_commit = off");
    assert!(took(&mut w) < 100);
    drop(other);
    // Times of the log's writes and syncs.
    let times = "select wal_write_time + wal_sync_time from pg_stat_wal";
    assert_eq!(sql(&c, times).trim(), "0");
    reload(&c, &[("track_wal_io_timing", "on")]);
    wait_for("times", || {
        sql(&c, "insert into t values (7)");
        sql(&c, times).trim() != "0"
    });
    reset(&c, &["track_wal_io_timing"]);
    // How a commit is made durable.
    let insert = |w: &mut Wire| {
        let pid = w.pid;
        w.ok("select 1");
        system_calls(pid, "fsync,fdatasync,openat", || {
            w.ok("insert into t values (3)");
        })
    };
    let mut w = session(&c, &[]);
    w.ok("insert into t values (3)");
    assert_eq!(count(&insert(&mut w), "fdatasync("), 1);
    w.ok("set synchronous_commit = off");
    assert_eq!(count(&insert(&mut w), "fdatasync("), 0);
    w.ok("reset synchronous_commit");
    reload(&c, &[("wal_sync_method", "fsync")]);
    let calls = insert(&mut w);
    assert!(count(&calls, "fsync(") == 1 && count(&calls, "fdatasync(") == 0, "{calls}");
    reload(&c, &[("wal_sync_method", "open_datasync")]);
    w.ok("insert into t values (3)");
    let calls = insert(&mut w);
    assert!(count(&calls, "sync(") == 0, "{calls}");
    reload(&c, &[("wal_sync_method", "open_sync")]);
    let calls = insert(&mut w);
    assert!(calls.contains("O_SYNC") && count(&calls, "sync(") == 0, "{calls}");
    reset(&c, &["wal_sync_method"]);
    reload(&c, &[("fsync", "off")]);
    wait_for("the checkpointer's reload", || count(&insert(&mut w), "sync(") == 0);
}

#[test]
fn asynchronous_commits() {
    let c = cluster(&[("autovacuum", "off")]);
    reload(&c, &[("wal_writer_delay", "10000"), ("wal_writer_flush_after", "0")]);
    sql(&c, "create table t(a int, pad text)");
    let mut w = session(&c, &[("synchronous_commit", "off")]);
    let behind = "select pg_current_wal_insert_lsn() > pg_current_wal_flush_lsn()";
    let work = "insert into t select i, repeat('x', 500) from generate_series(1, 3000) i";
    let is_behind = |w: &mut Wire| {
        w.ok(work);
        std::thread::sleep(Duration::from_millis(400));
        w.value(behind) == "t"
    };
    assert!(is_behind(&mut w));
    reload(&c, &[("wal_writer_flush_after", "128")]);
    w.ok("select 1");
    w.ok(work);
    let lag = "select pg_current_wal_insert_lsn() - pg_current_wal_flush_lsn() < 1200000";
    wait_for("the flush by volume", || w.value(lag) == "t");
    reload(&c, &[("wal_writer_delay", "10"), ("wal_writer_flush_after", "0")]);
    w.ok("insert into t values (1)");
    wait_for("the flush by time", || w.value(behind) == "f");
}

#[test]
fn segments() {
    let c = cluster(&[("autovacuum", "off"), ("log_checkpoints", "on")]);
    reload(&c, &[("min_wal_size", "32MB")]);
    sql(&c, "create table t(a int, pad text)");
    let wal = c.data_dir().join("pg_wal");
    let holes = || {
        let files = fs::read_dir(&wal).unwrap().flatten().filter(|e| e.file_name().len() == 24);
        files.filter(|e| e.metadata().is_ok_and(|m| m.blocks() * 512 < m.len() / 2)).count()
    };
    let turn = || {
        for _ in 0..3 {
            sql(&c, "insert into t values (1)");
            sql(&c, "select pg_switch_wal()");
        }
        let before = log_of(&c).len();
        sql(&c, "checkpoint");
        wait_for("the line", || log_of(&c)[before..].contains("checkpoint complete"));
        log_of(&c)[before..].to_string()
    };
    let log = turn();
    assert!(!log.contains(" 0 recycled"), "{log}");
    assert_eq!(holes(), 0);
    reload(&c, &[("wal_recycle", "off"), ("wal_init_zero", "off")]);
    turn();
    let log = turn();
    assert!(log.contains(" 0 recycled"), "{log}");
    assert!(holes() > 0);
    // min_wal_size keeps segments for reuse; max_wal_size begins checkpoints.
    let removed = |size: &str| -> u32 {
        reload(&c, &[("wal_recycle", "on"), ("min_wal_size", size), ("max_wal_size", "1GB")]);
        turn();
        let log = turn() + &turn();
        let numbers = log.split(" removed").filter_map(|l| l.rsplit(' ').next()?.parse::<u32>().ok());
        numbers.sum()
    };
    let (few, many) = (removed("320MB"), removed("32MB"));
    assert!(few < many, "{few} and {many} removed");
    let before = log_of(&c).len();
    reload(&c, &[("min_wal_size", "32MB"), ("max_wal_size", "32MB"), ("checkpoint_warning", "1000s")]);
    for _ in 0..6 {
        sql(&c, "insert into t values (1)");
        sql(&c, "select pg_switch_wal()");
    }
    wait_for("a checkpoint by volume", || log_of(&c)[before..].contains("checkpoint starting: wal"));
    for _ in 0..6 {
        sql(&c, "insert into t values (1)");
        sql(&c, "select pg_switch_wal()");
    }
    wait_for("the warning", || log_of(&c)[before..].contains("checkpoints are occurring too frequently"));
}

#[test]
fn page_images() {
    let c = cluster(&[("autovacuum", "off")]);
    sql(
        &c,
        "create table t(a int, pad text); insert into t select i, repeat('x', 300) from generate_series(1, 2000) i",
    );
    let bytes = |c: &Cluster| -> i64 {
        let mut w = session(c, &[]);
        w.ok("checkpoint");
        let from = w.value("select pg_current_wal_insert_lsn()");
        w.ok("update t set a = a + 1 where a % 20 = 0");
        w.value(&format!("select pg_current_wal_insert_lsn() - '{from}'")).parse().unwrap()
    };
    let full = bytes(&c);
    reload(&c, &[("wal_compression", "lz4")]);
    let compressed = bytes(&c);
    assert!(compressed * 2 < full, "{compressed} of {full}");
    reset(&c, &["wal_compression"]);
    reload(&c, &[("full_page_writes", "off")]);
    let mut none = full;
    wait_for("the checkpointer's reload", || {
        none = bytes(&c);
        none * 2 < full
    });
}

#[test]
fn reads_and_writes() {
    let c = small();
    sql(
        &c,
        "create table t(a int, b int, pad text); insert into t select i, i % 50, repeat('x', 600) from generate_series(1, 6000) i",
    );
    sql(&c, "create index on t(b)");
    sql(&c, "vacuum analyze t");
    sql(&c, "checkpoint");
    let calls = |settings: &[(&str, &str)], text: &str, which: &str| {
        let mut w = session(&c, settings);
        w.ok("select 1");
        let pid = w.pid;
        system_calls(pid, which, || {
            w.ok(text);
        })
    };
    let bitmap = "set enable_seqscan = off; set enable_indexscan = off; select count(pad) from t where b = 7";
    assert!(count(&calls(&[("effective_io_concurrency", "4")], bitmap, "fadvise64"), "WILLNEED") > 50);
    assert_eq!(count(&calls(&[("effective_io_concurrency", "0")], bitmap, "fadvise64"), "WILLNEED"), 0);
    assert!(count(&calls(&[("maintenance_io_concurrency", "4")], "analyze t", "fadvise64"), "WILLNEED") > 50);
    assert_eq!(
        count(&calls(&[("maintenance_io_concurrency", "0")], "analyze t", "fadvise64"), "WILLNEED"),
        0
    );
    let change = "update t set pad = repeat('y', 600)";
    assert!(
        count(&calls(&[("backend_flush_after", "8")], change, "sync_file_range"), "sync_file_range(") > 5
    );
    assert_eq!(
        count(&calls(&[("backend_flush_after", "0")], change, "sync_file_range"), "sync_file_range("),
        0
    );
    // The same for the checkpointer and the background writer.
    let flushes = |kind: &str, work: &dyn Fn()| {
        let mut w = session(&c, &[]);
        w.ok("update t set a = a + 1 where a % 100 < 3");
        count(&system_calls(pid_of(&c, kind), "sync_file_range", work), "sync_file_range(")
    };
    let checkpoint = || {
        sql(&c, "checkpoint");
    };
    assert!(flushes("checkpointer", &checkpoint) > 0);
    reload(&c, &[("checkpoint_flush_after", "0")]);
    wait_for("the checkpointer's reload", || flushes("checkpointer", &checkpoint) == 0);
    let cleaned = || sql(&c, "select buffers_clean from pg_stat_bgwriter");
    let pass = || {
        reload(
            &c,
            &[("bgwriter_lru_maxpages", "1000"), ("bgwriter_delay", "10"), ("bgwriter_lru_multiplier", "10")],
        );
        let before = cleaned();
        wait_for("the background writer", || {
            sql(&c, "update t set b = b where a % 3 = 0");
            cleaned() != before
        });
        reload(&c, &[("bgwriter_lru_maxpages", "0")]);
    };
    reload(&c, &[("bgwriter_flush_after", "1")]);
    assert!(flushes("background writer", &pass) > 0);
    reload(&c, &[("bgwriter_flush_after", "0")]);
    assert_eq!(flushes("background writer", &pass), 0);
    assert_ne!(sql(&c, "select buffers_clean from pg_stat_bgwriter").trim(), "0");
}

#[test]
fn damaged_pages() {
    let mut c = cluster(&[("autovacuum", "off")]);
    for t in ["t", "u"] {
        sql(&c, &format!("create table {t}(a int); insert into {t} select generate_series(1, 10)"));
    }
    let file = |t: &str| c.data_dir().join(sql(&c, &format!("select pg_relation_filepath('{t}')")).trim());
    let (t, u) = (file("t"), file("u"));
    c.stop().unwrap();
    // In the hole of t's page, and in the header of u's.
    let open = |p: &std::path::Path| fs::OpenOptions::new().write(true).open(p).unwrap();
    open(&t).write_all_at(b"damage", 2000).unwrap();
    open(&u).write_all_at(&[0xff; 8], 12).unwrap();
    c.launch().unwrap();
    let got = sql(&c, "select count(*) from t");
    assert!(got.contains("WARNING:  page verification failed, calculated checksum"), "{got}");
    assert!(got.contains("ERROR:  invalid page in block 0 of relation base/"), "{got}");
    let got = with_options(&c, "ignore_checksum_failure", "on", "select count(*) from t");
    assert!(got.starts_with("10\n") && got.contains("page verification failed"), "{got}");
    assert!(sql(&c, "select count(*) from u").contains("invalid page in block 0"));
    let got = with_options(&c, "zero_damaged_pages", "on", "select count(*) from u");
    assert!(got.starts_with("0\n") && got.contains("; zeroing out page"), "{got}");
}

#[test]
fn files_of_a_process() {
    let open_after = |limit: &str| {
        let c = cluster(&[("max_files_per_process", limit)]);
        let mut w = session(&c, &[]);
        for i in 0..150 {
            w.ok(&format!("create table t{i}(a int); insert into t{i} values (1)"));
        }
        fs::read_dir(format!("/proc/{}/fd", w.pid)).unwrap().count()
    };
    let few = open_after("64");
    assert!(few <= 64, "{few} files");
    assert!(open_after("1000") > 100);
}
