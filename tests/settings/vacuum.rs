//! Settings of VACUUM.

use crate::common::*;

#[test]
fn prices_of_pages() {
    let c = cluster(&[("autovacuum", "off"), ("shared_buffers", "1MB")]);
    sql(
        &c,
        "create table t(a int, pad text); insert into t select i, repeat('x', 700) from generate_series(1, 500) i",
    );
    sql(
        &c,
        "create table big(a int, pad text); insert into big select i, repeat('x', 700) from generate_series(1, 3000) i",
    );
    sql(&c, "vacuum");
    let base = [
        ("vacuum_cost_limit", "1000"),
        ("vacuum_cost_delay", "10ms"),
        ("vacuum_cost_page_hit", "0"),
        ("vacuum_cost_page_miss", "0"),
        ("vacuum_cost_page_dirty", "0"),
    ];
    // Fifty pages at 1,000 a page and 10 ms for every 1,000.
    let took = |setting: &str, before: &str, text: &str| {
        let mut w = session(&c, &base);
        if !setting.is_empty() {
            w.ok(&format!("set {setting} = 1000"));
        }
        for s in before.split(';').filter(|s| !s.is_empty()) {
            w.ok(s);
        }
        let begun = Instant::now();
        w.ok(text);
        begun.elapsed().as_millis()
    };
    let all = "vacuum (disable_page_skipping) t";
    let (cached, evicted) = ("select count(*) from t", "update big set a = a + 1");
    assert!(took("", cached, all) < 300);
    assert!(took("vacuum_cost_page_hit", cached, all) >= 450);
    assert!(took("vacuum_cost_page_miss", cached, all) < 300);
    assert!(took("vacuum_cost_page_miss", evicted, all) >= 450);
    let change = "delete from t where a % 10 = 1";
    assert!(took("vacuum_cost_page_dirty", cached, all) < 300);
    assert!(took("vacuum_cost_page_dirty", change, all) >= 400);
    // The limit and the delay themselves.
    let mut w = session(&c, &base);
    w.ok("set vacuum_cost_page_hit = 1000");
    let mut timed = |setting: &str| {
        w.ok(setting);
        w.ok("select count(*) from t");
        let begun = Instant::now();
        w.ok(all);
        begun.elapsed().as_millis()
    };
    assert!(timed("set vacuum_cost_limit = 10000") < 300);
    assert!(timed("set vacuum_cost_limit = 1000; set vacuum_cost_delay = 0") < 300);
}

#[test]
fn ages() {
    let c = cluster(&[("autovacuum", "off")]);
    let mut w = session(&c, &[]);
    w.ok("create table t(a int)");
    w.ok("insert into t select generate_series(1, 20000)");
    for _ in 0..20 {
        w.ok("select txid_current()");
    }
    let age = |w: &mut Wire| {
        w.value("select age(relfrozenxid) from pg_class where relname = 't'").parse::<i64>().unwrap()
    };
    w.ok("vacuum t");
    assert!(age(&mut w) >= 20);
    // Young enough to freeze, but the page is all-visible and skipped.
    w.ok("set vacuum_freeze_min_age = 0");
    w.ok("vacuum t");
    assert!(age(&mut w) >= 20);
    // Old enough for all pages to be read.
    w.ok("reset vacuum_freeze_min_age; set vacuum_freeze_table_age = 0");
    w.ok("vacuum t");
    assert!(age(&mut w) >= 20);
    w.ok("set vacuum_freeze_min_age = 0");
    w.ok("vacuum t");
    assert!(age(&mut w) < 20);
    // The same for multixacts.
    let (mut a, mut b) = (session(&c, &[]), session(&c, &[]));
    a.ok("begin; select * from t where a = 1 for share");
    b.ok("begin; select * from t where a = 1 for share");
    a.ok("commit");
    b.ok("commit");
    let kept = |w: &mut Wire| w.value("select xmax <> '0' from t where a = 1");
    w.ok("vacuum t");
    assert_eq!(kept(&mut w), "t");
    w.ok("set vacuum_multixact_freeze_min_age = 0");
    w.ok("vacuum (disable_page_skipping) t");
    assert_eq!(kept(&mut w), "f");
}

#[test]
fn memory_of_maintenance() {
    let c = cluster(&[("autovacuum", "off")]);
    let mut w = session(&c, &[]);
    w.ok("create table t(a int); insert into t select generate_series(1, 300000)");
    w.ok("create index on t(a)");
    // Sorting for an index spills when it does not fit.
    let files = |w: &mut Wire, memory: &str| {
        w.ok(&format!("set maintenance_work_mem = '{memory}'"));
        let pid = w.pid;
        let calls = system_calls(pid, "openat", || {
            w.ok("create index i on t(a)");
        });
        w.ok("drop index i");
        count(&calls, "pgsql_tmp/")
    };
    assert!(files(&mut w, "1MB") > 0);
    assert_eq!(files(&mut w, "256MB"), 0);
}
