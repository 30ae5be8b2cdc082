//! Settings of the planner: a setting, a query, and what its plan must show with it and must not show without it.

use crate::common::*;

/// Setting, value, more settings, query, what EXPLAIN shows with the value and not with the default (or a prefixed `!`:
/// the reverse).
const PLANS: &[(&str, &str, &str, &str, &str)] = &[
    ("enable_seqscan", "off", "", "select * from small where v = 3", "disabled"),
    ("enable_indexscan", "off", "set enable_bitmapscan = off", "select * from big where id = 5", "Seq Scan"),
    ("enable_indexonlyscan", "off", "", "select id from big where id < 50", "!Index Only Scan"),
    ("enable_bitmapscan", "off", "", "select * from big where k = 5", "!Bitmap"),
    ("enable_tidscan", "off", "", "select * from big where ctid = '(0,1)'", "!Tid Scan"),
    ("enable_sort", "off", "", "select * from small order by v", "disabled"),
    (
        "enable_incremental_sort",
        "off",
        "set enable_seqscan = off; set enable_bitmapscan = off",
        "select * from big order by k, v limit 5",
        "!Incremental Sort",
    ),
    ("enable_hashagg", "off", "", "select v, count(*) from big group by v", "!HashAggregate"),
    (
        "enable_material",
        "off",
        "set enable_hashjoin = off; set enable_mergejoin = off",
        "select * from small a, small b where a.v < b.v",
        "!Materialize",
    ),
    ("enable_nestloop", "off", "", "select * from small a, small b where a.v < b.v", "disabled"),
    (
        "enable_mergejoin",
        "off",
        "set enable_hashjoin = off; set enable_nestloop = off",
        "select * from big a join big b using (id)",
        "!Merge Join",
    ),
    ("enable_hashjoin", "off", "", "select * from big a join big b on a.v = b.v", "!Hash Join"),
    ("seq_page_cost", "1000", "", "select * from big where id < 9000", "!Seq Scan on big"),
    ("random_page_cost", "10000", "", "select * from big where k = 5", "Seq Scan"),
    ("cpu_tuple_cost", "1000", "", "select * from small", "cost=0.00..1000"),
    ("cpu_index_tuple_cost", "1000", "", "select * from big where k = 5", "Seq Scan"),
    ("cpu_operator_cost", "1000", "", "select * from small where v = 1", "cost=0.00..1000"),
    (
        "effective_cache_size",
        "1",
        "set enable_hashjoin = off; set enable_mergejoin = off; set enable_material = off",
        "select * from small s join big b on b.k = s.v",
        "other cost",
    ),
    ("work_mem", "64kB", "", "select * from big order by v, pad", "other cost"),
    (
        "hash_mem_multiplier",
        "1000",
        "set work_mem = '64kB'",
        "select v, pad, count(*) from big group by v, pad",
        "other cost",
    ),
    (
        "join_collapse_limit",
        "1",
        "",
        "select * from big a join big b on a.v = b.v join small s on s.v = a.id",
        "other plan",
    ),
    (
        "from_collapse_limit",
        "1",
        "",
        "select * from (select a.id, a.v from big a, big b where a.v = b.v) x, small s where s.v = x.id",
        "other plan",
    ),
    ("geqo", "off", "set geqo_threshold = 2; set geqo_effort = 1", NINE, "other cost"),
    ("geqo_threshold", "2", "set geqo_effort = 1", NINE, "other cost"),
    ("geqo_effort", "1", "set geqo_threshold = 2", NINE, "other cost"),
    (
        "enable_gathermerge",
        "off",
        "set parallel_setup_cost = 0; set parallel_tuple_cost = 0; set min_parallel_table_scan_size = 0",
        "select * from big order by v",
        "!Gather Merge",
    ),
];

/// A star: its clauses connect more than a hundred sets of relations, and its best order is not the greedy one.
const NINE: &str = "select * from big f join big a on a.id = f.v join big b on b.k = f.k and b.v < 500 \
    join small c on c.v = f.id join big d on d.v = f.v and d.k < 7 join big e on e.id = f.k + 1 join small g on g.v = f.k \
    join big h on h.id = f.v + 2 and h.v = 3 join big i on i.v = f.id + 1";

#[test]
fn plans_follow_the_settings() {
    let c = cluster(&[]);
    let mut w = session(&c, &[("jit", "off")]);
    w.ok("create table big(id int primary key, k int, v int, pad text)");
    w.ok("insert into big select i, i % 200, i % 1000, repeat('x', 40) from generate_series(1, 10000) i");
    w.ok("create index on big(k)");
    w.ok("create table small(v int); insert into small select generate_series(1, 10)");
    w.ok("vacuum analyze big");
    w.ok("vacuum analyze small");
    for (name, value, more, query, want) in PLANS {
        w.ok("reset all");
        if !more.is_empty() {
            w.ok(more);
        }
        let plan = |w: &mut Wire| w.ok(&format!("explain {query}")).lines().join("\n");
        let default = plan(&mut w);
        w.ok(&format!("set {name} = '{value}'"));
        let changed = plan(&mut w);
        let both = format!("{name} = {value}: {query}\n--- default\n{default}\n--- set\n{changed}");
        match *want {
            "disabled" => assert!(changed.contains("100000000") && !default.contains("100000000"), "{both}"),
            "other cost" => assert_ne!(changed, default, "{both}"),
            "other plan" => {
                let shape =
                    |t: &str| t.lines().map(|l| l.split("  (").next().unwrap_or(l)).collect::<String>();
                assert_ne!(shape(&changed), shape(&default), "{both}");
            }
            w if w.starts_with('!') => {
                assert!(default.contains(&w[1..]) && !changed.contains(&w[1..]), "{both}");
            }
            w => assert!(changed.contains(w) && !default.contains(w), "{both}"),
        }
    }
    the_rest(&mut w);
}

fn the_rest(w: &mut Wire) {
    // A cursor is planned for its first rows, unless it is said to be read to its end.
    w.ok("reset all");
    let scan = |w: &mut Wire, fraction: &str| {
        w.ok(&format!("set cursor_tuple_fraction = {fraction}"));
        w.ok("set debug_print_plan = on; set client_min_messages = log; begin");
        let r = w.ok("declare c cursor for select * from big order by k");
        w.ok("rollback; reset debug_print_plan; reset client_min_messages");
        let plan = r.notices.iter().find(|n| n.message() == "plan:").map(|n| n.get('D').to_string());
        plan.expect("the plan is in a notice")
    };
    w.ok("set random_page_cost = 20");
    let (first, all) = (scan(w, "0.00001"), scan(w, "1"));
    assert!(first.contains("IndexScan") && !all.contains("IndexScan"), "{first}\n{all}");
    // Statistics.
    w.ok("reset all");
    let values =
        "select array_length(histogram_bounds, 1) from pg_stats where tablename = 'big' and attname = 'id'";
    assert_eq!(w.value(values), "101");
    w.ok("set default_statistics_target = 10; analyze big");
    assert_eq!(w.value(values), "11");
    // Plans of prepared statements.
    w.ok("prepare p(int) as select * from big where k = $1");
    let generic = |w: &mut Wire, mode: &str| {
        w.ok(&format!("set plan_cache_mode = {mode}"));
        w.ok("explain execute p(3)").lines().join("\n").contains("$1")
    };
    assert!(generic(w, "force_generic_plan") && !generic(w, "force_custom_plan"));
    // Memory at run time: a hash join in parts, or in one.
    let batches = |w: &mut Wire| {
        let t = w.ok("explain (analyze, costs off) select count(*) from big a join big b on a.v = b.v and a.pad = b.pad");
        let t = t.lines().join("\n");
        t.split("Batches: ").nth(1).map(|b| b.chars().take_while(char::is_ascii_digit).collect::<String>())
    };
    w.ok("set work_mem = 64; set hash_mem_multiplier = 1; set enable_mergejoin = off; set enable_nestloop = off");
    let parts = batches(w).expect("a hash join");
    w.ok("set hash_mem_multiplier = 1000");
    assert_ne!(parts, "1");
    assert_eq!(batches(w).unwrap(), "1");
    w.ok("set hash_mem_multiplier = 1; set work_mem = '64MB'");
    assert_eq!(batches(w).unwrap(), "1");
}
