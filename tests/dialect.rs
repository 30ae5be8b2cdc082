//! Errors of statements in another system's dialect have a HINT, in both protocols; everything else about them is
//! PostgreSQL's.
#![allow(clippy::unwrap_used)]

use testkit::{Cluster, Kind, Options, Wire};

#[test]
fn hints_reach_the_client() {
    let c = Cluster::start(Kind::Stegodon, Options::default()).unwrap();
    let mut w = Wire::connect(&c).unwrap();
    w.ok("create table t (a int)");
    for (sql, code, position, hint) in [
        ("select top 5 a from t", "42601", "12", "LIMIT"),
        ("select 1; select `a` from t", "42601", "22", "double quotes"),
        ("select 1 from dual", "42P01", "15", "Leave FROM dual out"),
        ("select a from t where a = \"x\"", "42703", "27", "'x'"),
        ("create table u (a datetime)", "42704", "19", "timestamp"),
        ("show tables", "42704", "", "\\dt"),
        // PostgreSQL's own hint wins.
        ("select nvl(1, 2)", "42883", "8", "No function matches"),
        ("select a from t limit 5, 10", "42601", "17", "Use separate LIMIT and OFFSET clauses."),
        ("select a from from t", "42601", "15", ""),
    ] {
        let e = w.query(sql).unwrap().error.unwrap();
        assert_eq!((e.code(), e.get('P')), (code, position), "{sql}");
        let got = e.get('H');
        assert!(got.contains(hint) && got.is_empty() == hint.is_empty(), "{sql}: {got}");
    }
}
