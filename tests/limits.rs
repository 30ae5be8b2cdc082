//! Statements larger than anybody writes by hand: they run, or end in an error that the session survives, and can be
//! cancelled while they are planned.
#![allow(clippy::unwrap_used)]

use std::time::{Duration, Instant};
use testkit::wire::cancel;
use testkit::{Cluster, Kind, Options, Wire};

#[test]
fn long_chains_run_or_are_refused() {
    let c = Cluster::start(Kind::Stegodon, Options::default()).unwrap();
    let mut w = Wire::connect(&c).unwrap();
    let arms = |n: usize, op: &str| vec!["select 1 a"; n].join(op);
    assert_eq!(w.value(&format!("select count(*) from ({}) x", arms(5000, " union all "))), "5000");
    assert_eq!(w.value(&format!("select count(*) from ({}) x", arms(5000, " union "))), "1");
    let ors: Vec<String> = (0..5000).map(|i| format!("a = {}", i % 7)).collect();
    assert_eq!(
        w.value(&format!("select count(*) from generate_series(1, 9) a where {}", ors.join(" or "))),
        "6"
    );
    assert_eq!(w.value(&format!("select {}", vec!["1"; 3900].join("+"))), "3900");
    for sql in [
        arms(50_000, " union all "),
        format!("select {}", vec!["1"; 50_000].join("+")),
        format!("select {}1{}", "(".repeat(20_000), ")".repeat(20_000)),
        format!("select {}1", "not ".repeat(20_000)),
        format!("select * from (select 1){}", " s cross join (select 1)".repeat(20_000)),
    ] {
        let e = w.query(&sql).unwrap().error.unwrap_or_else(|| panic!("accepted: {}", &sql[..60]));
        assert!(["54001", "0A000"].contains(&e.code()), "{}: {e:?}", &sql[..60]);
    }
    assert_eq!(w.value("select 7"), "7");
    assert!(!c.log().contains("reinitializing"), "{}", c.log_tail());
}

#[test]
fn planning_can_be_cancelled() {
    let c = Cluster::start(Kind::Stegodon, Options::default()).unwrap();
    let mut w = Wire::connect(&c).unwrap();
    w.ok("create table t(a int, b int); set join_collapse_limit = 100; set from_collapse_limit = 100; set geqo = off");
    // All orders of twelve relations that all join with each other take long to look at.
    let from: Vec<String> = (0..12).map(|i| format!("t t{i}")).collect();
    let on: Vec<String> =
        (0..12).flat_map(|i| (0..i).map(move |j| format!("t{i}.a + t{j}.b = t{j}.a"))).collect();
    let started = Instant::now();
    w.start(&format!("explain select * from {} where {}", from.join(", "), on.join(" and "))).unwrap();
    if w.reply_within(Duration::from_millis(700)).unwrap().is_some() {
        return;
    }
    cancel(&c, w.pid, w.key).unwrap();
    let reply = w.reply_within(Duration::from_secs(20)).unwrap().expect("an answer after the cancel");
    assert_eq!(reply.error.expect("cancelled").code(), "57014");
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    assert_eq!(w.value("select 7"), "7");
}
