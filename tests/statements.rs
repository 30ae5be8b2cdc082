//! Statements as the server counts and names them: `pg_stat_statements` needs a server with the library preloaded, query
//! identifiers in the log one with a prefix, parameters a client of the extended protocol. What is expected is what
//! PostgreSQL 15 answers: `STEGODON_ASK=postgresql` asks it.
#![allow(clippy::unwrap_used)]

use testkit::wire::row_values;
use testkit::{Cluster, Fields, Kind, Options, Wire};

fn cluster(settings: &[(&str, &str)]) -> Cluster {
    let mut o = Options::default();
    o.settings.extend(settings.iter().map(|(n, v)| (n.to_string(), v.to_string())));
    let kind = match std::env::var("STEGODON_ASK").as_deref() {
        Ok("postgresql") => Kind::PostgreSql,
        _ => Kind::Stegodon,
    };
    Cluster::start(kind, o).unwrap()
}

const LOADED: (&str, &str) = ("shared_preload_libraries", "pg_stat_statements");

fn sql(c: &Cluster, text: &str) -> String {
    c.psql(text).unwrap().text
}

/// A message with its length.
fn message(kind: u8, parts: &[&[u8]]) -> Vec<u8> {
    let body = parts.concat();
    [&[kind][..], &(body.len() as u32 + 4).to_be_bytes(), &body].concat()
}

/// Parses, binds text parameters, describes and executes; the rows, or the fields of the error.
fn extended(w: &mut Wire, name: &str, sql: &str, params: &[&str]) -> Result<Vec<Vec<String>>, Fields> {
    let text = |s: &str| [s.as_bytes(), &[0]].concat();
    let mut all = Vec::new();
    if !sql.is_empty() {
        all.extend(message(b'P', &[&text(name), &text(sql), &[0, 0]]));
    }
    let mut values = Vec::new();
    for p in params {
        values.extend((p.len() as u32).to_be_bytes());
        values.extend(p.as_bytes());
    }
    let count = (params.len() as u16).to_be_bytes();
    all.extend(message(b'B', &[&text(""), &text(name), &[0, 0], &count, &values, &[0, 0]]));
    all.extend(message(b'E', &[&text(""), &[0; 4]]));
    all.extend(message(b'S', &[]));
    w.send_bytes(&all).unwrap();
    let (mut rows, mut error) = (Vec::new(), None);
    loop {
        let (kind, body) = w.message().unwrap();
        match kind {
            b'D' => {
                rows.push(row_values(&body).unwrap().into_iter().map(Option::unwrap_or_default).collect())
            }
            b'E' => error = Some(Fields::parse(&body)),
            b'Z' => return error.map_or(Ok(rows), Err),
            _ => {}
        }
    }
}

const SHOWN: &str = "select query, calls, rows, toplevel from pg_stat_statements \
                     where query !~ 'pg_stat_statements' order by query collate \"C\", calls";

#[test]
fn statements_are_counted_under_their_normalised_text() {
    let c = cluster(&[LOADED]);
    sql(
        &c,
        "create extension pg_stat_statements; create table t(a int, b text); select pg_stat_statements_reset()",
    );
    let mut w = Wire::connect(&c).unwrap();
    for s in [
        "insert into t values (1, 'a'), (2, 'b')",
        "select a from t where a = 1",
        "select a from t where a = 2; ",
        "select a as other from t where a = -5",
        "select date '2020-01-01', interval '1' day, 'x'\n'y', $$z$$, b'1'",
        "begin",
        "declare c cursor for select 1",
        "fetch all from c",
        "commit",
        "prepare p as select $1::int + 3",
        "execute p(1)",
        "execute p(2)",
        "copy t to stdout",
        "create table u as select * from t",
        "select 1; select 2; begin; rollback",
    ] {
        w.ok(s);
    }
    let expected = "begin|2|0|t
commit|1|0|t
copy t to stdout|1|2|t
create table u as select * from t|1|2|t
declare c cursor for select 1|1|0|t
fetch all from c|1|1|t
insert into t values ($1, $2), ($3, $4)|1|2|t
prepare p as select $1::int + $2|2|2|t
rollback|1|0|t
select $1|2|2|t
select a from t where a = $1|3|2|t
select date $1, interval $2 day, $3, $4, $5|1|1|t";
    assert_eq!(sql(&c, SHOWN).trim(), expected);
    let sums = sql(
        &c,
        "select sum(calls) > 0, bool_and(min_exec_time <= mean_exec_time and mean_exec_time <= max_exec_time),
           sum(wal_records) > 0, sum(shared_blks_hit) > 0, sum(plans) from pg_stat_statements",
    );
    assert_eq!(sums.trim(), "t|t|t|t|0");
}

#[test]
fn settings_choose_what_is_counted() {
    let c = cluster(&[LOADED]);
    sql(&c, "create extension pg_stat_statements; select pg_stat_statements_reset()");
    sql(&c, "set pg_stat_statements.track = none; select 1 as none");
    sql(&c, "set pg_stat_statements.track_utility = off; analyze; select 1");
    sql(&c, "set pg_stat_statements.track_planning = on; select 1, 2");
    sql(&c, "set compute_query_id = off; select 1, 2, 3");
    let shown =
        "select query, plans, calls from pg_stat_statements where query ~ '^(select \\$|analyze)' order by 1";
    assert_eq!(sql(&c, shown).trim(), "select $1|0|1\nselect $1, $2|1|1");
    let e = sql(&c, "set pg_stat_statements.max = 200");
    assert!(e.contains("cannot be changed without restarting the server"), "{e}");
    let e = sql(&c, "set pg_stat_statements.track = few");
    assert!(e.contains("Available values: none, top, all."), "{e}");
}

#[test]
fn statistics_survive_a_restart_and_not_a_crash() {
    let mut c = cluster(&[LOADED]);
    sql(&c, "create extension pg_stat_statements; select pg_stat_statements_reset()");
    sql(&c, "select 'kept', 'a'; select 'kept', 'b'");
    let shown = "select query, calls from pg_stat_statements where query = 'select $1, $2'";
    c.stop().unwrap();
    c.launch().unwrap();
    assert_eq!(sql(&c, shown).trim(), "select $1, $2|2");
    sql(&c, "select 'kept', 'c'");
    assert_eq!(sql(&c, shown).trim(), "select $1, $2|3");
    c.kill().unwrap();
    c.launch().unwrap();
    assert_eq!(sql(&c, shown).trim(), "");
    sql(&c, "alter system set pg_stat_statements.save = off; select pg_reload_conf()");
    c.stop().unwrap();
    c.launch().unwrap();
    assert_eq!(sql(&c, shown).trim(), "");
}

#[test]
fn the_least_used_statements_go_when_the_table_is_full() {
    let c = cluster(&[LOADED, ("pg_stat_statements.max", "100")]);
    sql(&c, "create extension pg_stat_statements; select pg_stat_statements_reset()");
    let often = "select 'often', 1, 2, 3;".repeat(50);
    sql(&c, &often);
    for n in 0..150 {
        sql(&c, &format!("create temp table t{n}(a int)"));
    }
    let out = sql(
        &c,
        "select count(*) <= 100, (select dealloc > 0 from pg_stat_statements_info) from pg_stat_statements",
    );
    assert_eq!(out.trim(), "t|t");
    let kept = sql(&c, "select calls from pg_stat_statements where query = 'select $1, $2, $3, $4'");
    assert_eq!(kept.trim(), "50");
}

#[test]
fn other_users_see_no_texts() {
    let c = cluster(&[LOADED]);
    sql(&c, "create extension pg_stat_statements; create role jo; select pg_stat_statements_reset()");
    sql(&c, "select 'secret'");
    sql(&c, "set role jo; select 'mine', 1");
    let shown = "select query, queryid is null from pg_stat_statements where calls > 0 group by 1, 2 order by query collate \"C\"";
    let seen = sql(&c, &format!("set role jo; {shown}"));
    assert!(seen.contains("<insufficient privilege>|t") && seen.contains("select $1, $2|f"), "{seen}");
    assert!(!seen.contains("select $1|"), "{seen}");
    let seen = sql(&c, &format!("grant pg_read_all_stats to jo; set role jo; {shown}"));
    assert!(!seen.contains("<insufficient privilege>") && seen.contains("select $1|f"), "{seen}");
    let e = sql(&c, "set role jo; select pg_stat_statements_reset()");
    assert!(e.contains("permission denied for function pg_stat_statements_reset"), "{e}");
    sql(&c, "select pg_stat_statements_reset(userid => 'jo'::regrole)");
    assert_eq!(sql(&c, "select count(*) from pg_stat_statements where userid = 'jo'::regrole").trim(), "0");
}

#[test]
fn the_extended_protocol_counts_once_and_explains_with_parameters() {
    let c = cluster(&[LOADED]);
    sql(
        &c,
        "create extension pg_stat_statements; create table t(a int primary key, b text); select pg_stat_statements_reset()",
    );
    let mut w = Wire::connect(&c).unwrap();
    extended(&mut w, "s", "select b from t where a = $1", &["1"]).unwrap();
    extended(&mut w, "s", "", &["2"]).unwrap();
    let shown = "select query, calls, rows from pg_stat_statements where query ~ '^select b'";
    assert_eq!(w.value(shown), "select b from t where a = $1");
    assert_eq!(w.value(&shown.replace("query, calls, rows", "calls")), "2");
    let of = |w: &mut Wire| {
        w.value(
            "select name || ' ' || parameter_types::text || ' ' || from_sql || ' ' || generic_plans || ' ' \
             || custom_plans from pg_prepared_statements",
        )
    };
    assert_eq!(of(&mut w), "s {integer} false 0 2");
    let plan = extended(&mut w, "", "explain (costs off) select b from t where a = $1", &["7"]).unwrap();
    assert_eq!(plan.concat(), ["Index Scan using t_pkey on t", "  Index Cond: (a = 7)"]);
    extended(&mut w, "", "create table u as select $1::text as x", &["y"]).unwrap();
    assert_eq!(w.value("select x from u"), "y");
    let cursors =
        extended(&mut w, "", "select name, statement, is_holdable, is_scrollable from pg_cursors", &[])
            .unwrap();
    assert_eq!(
        cursors,
        [["", "select name, statement, is_holdable, is_scrollable from pg_cursors", "f", "f"]]
    );
}

#[test]
fn a_plan_whose_result_changed_names_the_routine_clients_look_for() {
    let c = cluster(&[]);
    sql(&c, "create table t(a int)");
    let mut w = Wire::connect(&c).unwrap();
    extended(&mut w, "s", "select * from t", &[]).unwrap();
    w.ok("alter table t add b int");
    let e = extended(&mut w, "s", "", &[]).unwrap_err();
    assert_eq!((e.code(), e.message()), ("0A000", "cached plan must not change result type"));
    assert_eq!(e.get('R'), "RevalidateCachedQuery");
}

#[test]
fn identifiers_are_in_the_log() {
    let c = cluster(&[
        ("compute_query_id", "on"),
        ("log_line_prefix", "<%Q> "),
        ("log_min_duration_statement", "0"),
    ]);
    sql(&c, "select 'logged', 1");
    sql(&c, "select 'logged', 2");
    let log = std::fs::read_to_string(c.log_file()).unwrap();
    let ids: Vec<&str> = log
        .lines()
        .filter(|l| l.contains("'logged'"))
        .filter_map(|l| l.strip_prefix('<')?.split_once('>').map(|p| p.0))
        .collect();
    assert_eq!(ids.len(), 2, "{log}");
    assert!(ids[0] != "0" && ids[0] == ids[1], "{ids:?}");
}

#[test]
fn statements_of_functions_are_counted_apart() {
    let c = cluster(&[LOADED]);
    sql(
        &c,
        "create extension pg_stat_statements; create table t(a int);
         create function f(x int) returns int language sql
           as 'insert into t values (x); select count(*)::int from t where a > 0'",
    );
    let shown = "select query, calls, rows, toplevel from pg_stat_statements
                 where query ~ '^ *(insert|select count|select f)' order by query collate \"C\"";
    sql(&c, "select pg_stat_statements_reset()");
    sql(&c, "select f(1)");
    assert_eq!(sql(&c, shown).trim(), "select f($1)|1|1|t");
    sql(&c, "select pg_stat_statements_reset()");
    sql(&c, "set pg_stat_statements.track = 'all'; select f(1); select f(2)");
    let expected =
        "insert into t values (x)|2|2|f\nselect count(*)::int from t where a > $1|2|2|f\nselect f($1)|2|2|t";
    assert_eq!(sql(&c, shown).trim(), expected);
}

#[test]
fn the_library_must_be_preloaded() {
    let c = cluster(&[]);
    sql(&c, "create extension pg_stat_statements");
    for f in ["* from pg_stat_statements", "* from pg_stat_statements_info", "pg_stat_statements_reset()"] {
        let mut w = Wire::connect(&c).unwrap();
        let r = w.query(&format!("select {f}")).unwrap();
        assert_eq!(r.code(), "55000", "{f}");
    }
    let e = sql(&c, "show pg_stat_statements.max");
    assert!(e.contains("unrecognized configuration parameter"), "{e}");
}
