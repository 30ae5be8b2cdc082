//! Plan nodes over in-memory children: results are compared with straightforward Rust, over random rows, with plenty of
//! memory and with next to none (spilling).
#![allow(clippy::unwrap_used)]

use analyze::expr::*;
use analyze::query::{CmdType, JoinType};
use common::Oid;
use executor::{CompiledPlan, ExecEnv, NoSession, QueryRun, RunOptions};
use planner::plan::*;
use std::rc::Rc;
use types::{Datum, Registry, oids};

type Row = Vec<Option<i64>>;

fn env(work_mem: usize) -> Rc<ExecEnv> {
    let reg = Registry::build(&types::builtin_tables());
    let e = ExecEnv::new(None, None, Box::leak(Box::new(reg)), Rc::new(NoSession));
    e.work_mem.set(work_mem);
    *e.temp_dir.borrow_mut() = std::env::temp_dir().join("stegodon_executor_tests");
    Rc::new(e)
}

fn var(varno: VarNo, attno: i16, t: Oid) -> Expr {
    Expr::Var(Var {
        varno,
        attno,
        vartype: t,
        typmod: -1,
        collation: Oid(0),
        levels_up: 0,
        syn: (0, 0),
        location: None,
    })
}
fn outer(n: i16) -> Expr {
    var(VarNo::Outer, n, oids::INT4)
}
fn inner(n: i16) -> Expr {
    var(VarNo::Inner, n, oids::INT4)
}
fn konst(v: Option<i64>) -> Expr {
    konst_of(v.map_or(Datum::Null, |x| Datum::I32(x as i32)), oids::INT4)
}
fn konst_of(value: Datum, t: Oid) -> Expr {
    Expr::Const(Const { consttype: t, typmod: -1, collation: Oid(0), value, location: None })
}
fn op(funcid: u32, result: Oid, args: Vec<Expr>) -> Expr {
    Expr::Op(OpExpr {
        opno: Oid(0),
        funcid: Oid(funcid),
        result_type: result,
        retset: false,
        collation: Oid(0),
        input_collation: Oid(0),
        args,
        location: None,
    })
}
fn tle(e: Expr, n: usize) -> TargetEntry {
    TargetEntry {
        expr: e,
        resno: n as i16 + 1,
        name: None,
        sort_group_ref: 0,
        orig: (Oid(0), 0),
        junk: false,
    }
}
fn plan(node: Node, list: Vec<Expr>) -> Plan {
    Plan {
        startup_cost: 0.0,
        total_cost: 0.0,
        rows: 1.0,
        width: 8,
        targetlist: list.into_iter().enumerate().map(|(i, e)| tle(e, i)).collect(),
        qual: Vec::new(),
        init_plans: Vec::new(),
        parallel_aware: false,
        node,
        ext_params: Vec::new(),
        all_columns: false,
        node_id: 0,
    }
}
fn pass(node: Node, width: usize) -> Plan {
    plan(node, (1..=width as i16).map(outer).collect())
}
fn values(rows: &[Row], width: usize) -> Plan {
    let lists = rows.iter().map(|r| r.iter().map(|v| konst(*v)).collect()).collect();
    let list = (1..=width as i16).map(|n| var(VarNo::Rte(1), n, oids::INT4)).collect();
    plan(Node::ValuesScan { rti: 1, lists }, list)
}
fn stmt(p: Plan, subplans: Vec<Plan>, params: u32) -> Rc<PlannedStmt> {
    let mut s = PlannedStmt {
        command: CmdType::Select,
        plan: p,
        rtable: Vec::new(),
        subplans,
        exec_params: params,
        param_types: Vec::new(),
        has_returning: false,
        has_modifying_cte: false,
        row_marks: Vec::new(),
        relation_oids: Vec::new(),
        parallel_mode_needed: false,
        node_count: 0,
        without_from: 0,
    };
    s.number();
    Rc::new(s)
}
fn cell(d: types::DatumRef<'_>) -> Option<i64> {
    match d.to_owned() {
        Datum::Null => None,
        Datum::I16(v) => Some(v.into()),
        Datum::I32(v) => Some(v.into()),
        Datum::I64(v) => Some(v),
        Datum::Bool(v) => Some(v.into()),
        other => panic!("{other:?}"),
    }
}
fn drain(mut run: QueryRun, max: usize) -> (common::Result<Vec<Row>>, CompiledPlan) {
    let mut out = Vec::new();
    loop {
        match run.next(max) {
            Ok(Some(b)) => {
                assert!(b.live_count() > 0);
                assert!(max == 0 || b.live_count() <= max);
                b.live()
                    .each(|i| {
                        out.push(b.cols.iter().map(|c| cell(c.get(i))).collect());
                        Ok::<(), ()>(())
                    })
                    .unwrap();
            }
            Ok(None) => return (Ok(out), run.end()),
            Err(e) => return (Err(e), run.end()),
        }
    }
}
fn run_stmt(env: &Rc<ExecEnv>, s: Rc<PlannedStmt>, params: &[Datum]) -> Vec<Row> {
    let compiled = CompiledPlan::new(env, s).unwrap();
    let (a, compiled) = drain(QueryRun::start(compiled, params, &RunOptions::default()).unwrap(), 0);
    // A second run of the same compiled plan, in small portions, gives the same.
    let (b, _) = drain(QueryRun::start(compiled, params, &RunOptions::default()).unwrap(), 3);
    let (a, b) = (a.unwrap(), b.unwrap());
    // Joins with conditions give null-extended rows after a batch: their order depends on its size.
    assert_eq!(sorted(a.clone()), sorted(b));
    a
}
fn run(env: &Rc<ExecEnv>, p: Plan) -> Vec<Row> {
    run_stmt(env, stmt(p, Vec::new(), 0), &[])
}
fn sorted(mut v: Vec<Row>) -> Vec<Row> {
    v.sort();
    v
}

struct Rng(u64);
impl Rng {
    fn next(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }
    fn rows(&mut self, n: usize, keys: u64) -> Vec<Row> {
        (0..n)
            .map(|i| {
                let k = self.next(keys + 1);
                vec![if k == 0 { None } else { Some(k as i64) }, Some(i as i64)]
            })
            .collect()
    }
}

const KINDS: [JoinType; 6] =
    [JoinType::Inner, JoinType::Left, JoinType::Right, JoinType::Full, JoinType::Semi, JoinType::Anti];

/// The join of rows on their first column (and, with `extra`, second columns unequal by parity).
fn naive_join(kind: JoinType, l: &[Row], r: &[Row], extra: bool) -> Vec<Row> {
    let mut out = Vec::new();
    let mut rmatched = vec![false; r.len()];
    for a in l {
        let mut matched = false;
        for (j, b) in r.iter().enumerate() {
            let hit = a[0].is_some() && a[0] == b[0] && (!extra || a[1] < b[1]);
            if hit {
                matched = true;
                rmatched[j] = true;
                if !matches!(kind, JoinType::Semi | JoinType::Anti) {
                    out.push(vec![a[0], a[1], b[0], b[1]]);
                }
            }
        }
        match kind {
            JoinType::Left | JoinType::Full if !matched => out.push(vec![a[0], a[1], None, None]),
            JoinType::Semi if matched => out.push(vec![a[0], a[1]]),
            JoinType::Anti if !matched => out.push(vec![a[0], a[1]]),
            _ => {}
        }
    }
    if matches!(kind, JoinType::Right | JoinType::Full) {
        for (j, b) in r.iter().enumerate() {
            if !rmatched[j] {
                out.push(vec![None, None, b[0], b[1]]);
            }
        }
    }
    out
}

fn common_join(kind: JoinType, l: Plan, r: Plan, extra: bool) -> (JoinCommon, Vec<Expr>) {
    let mut list = vec![outer(1), outer(2)];
    if !matches!(kind, JoinType::Semi | JoinType::Anti) {
        list.extend([inner(1), inner(2)]);
    }
    let joinqual = if extra { vec![op(66, oids::BOOL, vec![outer(2), inner(2)])] } else { Vec::new() };
    (JoinCommon { kind, outer: Box::new(l), inner: Box::new(r), joinqual, inner_unique: false }, list)
}

#[test]
fn joins_agree_with_a_naive_join() {
    let mut rng = Rng(42);
    for (n, m, keys, mem) in
        [(0, 5, 3, 1 << 20), (30, 20, 7, 1 << 20), (2500, 900, 400, 1 << 20), (2500, 2100, 900, 4096)]
    {
        let (l, r) = (rng.rows(n, keys), rng.rows(m, keys));
        let env = env(mem);
        for kind in KINDS {
            for extra in [false, true] {
                let want = sorted(naive_join(kind, &l, &r, extra));
                let hash = {
                    let h = pass(Node::Hash { child: Box::new(values(&r, 2)) }, 2);
                    let (join, list) = common_join(kind, values(&l, 2), h, extra);
                    let key = HashKey {
                        opno: Oid(96),
                        outer: outer(1),
                        inner: inner(1),
                        eq_proc: Oid(65),
                        outer_hash_proc: Oid(450),
                        inner_hash_proc: Oid(450),
                        collation: Oid(0),
                    };
                    run(&env, plan(Node::HashJoin { join, keys: vec![key] }, list))
                };
                assert_eq!(sorted(hash), want, "hash {kind:?} {extra} {n}x{m}");
                let merge = {
                    let s = |p| sort(p, &[(0, false, false)], 2);
                    let (join, list) = common_join(kind, s(values(&l, 2)), s(values(&r, 2)), extra);
                    let key = MergeKey {
                        opno: Oid(96),
                        outer: outer(1),
                        inner: inner(1),
                        cmp_proc: Oid(351),
                        collation: Oid(0),
                        desc: false,
                        nulls_first: false,
                    };
                    run(&env, plan(Node::MergeJoin { join, keys: vec![key], skip_mark_restore: false }, list))
                };
                assert_eq!(sorted(merge), want, "merge {kind:?} {extra} {n}x{m}");
                if !matches!(kind, JoinType::Right | JoinType::Full) && n < 100 {
                    let mat = pass(Node::Material { child: Box::new(values(&r, 2)) }, 2);
                    let (mut join, list) = common_join(kind, values(&l, 2), mat, extra);
                    join.joinqual.push(op(65, oids::BOOL, vec![outer(1), inner(1)]));
                    let nest = run(&env, plan(Node::NestLoop { join, params: vec![] }, list));
                    let naive = naive_join(kind, &l, &r, extra);
                    // The outer order is kept.
                    assert_eq!(nest, naive, "nest loop {kind:?} {extra}");
                }
            }
        }
    }
}

fn sort(p: Plan, keys: &[(u16, bool, bool)], width: usize) -> Plan {
    let keys = keys
        .iter()
        .map(|(c, desc, nf)| SortKey {
            column: *c,
            sortop: Oid(97),
            cmp_proc: Oid(351),
            desc: *desc,
            collation: Oid(0),
            nulls_first: *nf,
        })
        .collect();
    pass(Node::Sort { child: Box::new(p), keys }, width)
}

fn limit(p: Plan, offset: Option<i64>, count: Option<i64>, width: usize) -> Plan {
    let k = |v: Option<i64>| v.map(|v| konst_of(Datum::I64(v), oids::INT8));
    pass(
        Node::Limit {
            child: Box::new(p),
            offset: k(offset),
            count: k(count),
            with_ties: false,
            tie_keys: Vec::new(),
        },
        width,
    )
}

fn key_order(desc: bool, nulls_first: bool, v: Option<i64>) -> (i32, i64) {
    match v {
        None => (if nulls_first { -1 } else { 1 }, 0),
        Some(x) => (0, if desc { -x } else { x }),
    }
}

#[test]
fn sort_and_top_n() {
    let mut rng = Rng(7);
    let rows = rng.rows(9000, 500);
    for mem in [64 << 20, 16 << 10] {
        let env = env(mem);
        for (desc, nf) in [(false, false), (false, true), (true, false), (true, true)] {
            let mut want = rows.clone();
            want.sort_by_key(|r| (key_order(desc, nf, r[0]), -r[1].unwrap()));
            let keys = [(0, desc, nf), (1, true, false)];
            assert_eq!(run(&env, sort(values(&rows, 2), &keys, 2)), want);
            let top = limit(sort(values(&rows, 2), &keys, 2), Some(5), Some(40), 2);
            assert_eq!(run(&env, top), want[5..45], "{desc} {nf} {mem}");
        }
        let mut want: Vec<_> = rows.iter().map(|r| r[0]).collect();
        want.sort_by_key(|v| key_order(false, false, *v));
        let got: Vec<_> =
            run(&env, sort(values(&rows, 2), &[(0, false, false)], 2)).iter().map(|r| r[0]).collect();
        assert_eq!(got, want);
    }
}

#[test]
fn limit_and_offset() {
    let rows: Vec<Row> = (0..3000).map(|i| vec![Some(i)]).collect();
    let env = env(1 << 20);
    for (off, n, want) in [
        (None, Some(0), 0..0),
        (None, Some(1), 0..1),
        (Some(2990), Some(100), 2990..3000),
        (Some(5000), None, 0..0),
        (Some(1024), Some(1024), 1024..2048),
    ] {
        let got = run(&env, limit(values(&rows, 1), off, n, 1));
        assert_eq!(got, rows[want], "{off:?} {n:?}");
    }
}

fn agg_of(fnoid: u32, result: Oid, args: Vec<Expr>, distinct: bool) -> Expr {
    let arg_types = args.iter().map(analyze::info::expr_type).collect();
    let clause =
        SortGroupClause { tle_ref: 1, eqop: Oid(96), sortop: Oid(97), nulls_first: false, hashable: true };
    let star = args.is_empty();
    let mut args: Vec<TargetEntry> = args.into_iter().enumerate().map(|(i, e)| tle(e, i)).collect();
    if distinct {
        args[0].sort_group_ref = 1;
    }
    Expr::Aggref(Box::new(Aggref {
        aggfnoid: Oid(fnoid),
        result_type: result,
        collation: Oid(0),
        input_collation: Oid(0),
        arg_types,
        direct_args: Vec::new(),
        args,
        order: Vec::new(),
        distinct: if distinct { vec![clause] } else { Vec::new() },
        filter: None,
        star,
        variadic: false,
        kind: b'n',
        levels_up: 0,
        split: AggSplit::Simple,
        location: None,
    }))
}

fn group_key(column: u16) -> GroupKey {
    GroupKey { column, eq_proc: Oid(65), hash_proc: Oid(450), collation: Oid(0) }
}

#[test]
fn aggregation_sorted_hashed_and_spilled() {
    let mut rng = Rng(99);
    for (n, keys) in [(0, 1), (50, 5), (6000, 2500)] {
        let rows = rng.rows(n, keys);
        let mut groups: std::collections::BTreeMap<Option<i64>, Vec<i64>> = Default::default();
        for r in &rows {
            groups.entry(r[0]).or_default().push(r[1].unwrap());
        }
        let want: Vec<Row> = groups
            .iter()
            .map(|(k, v)| {
                let mut d: Vec<i64> = v.iter().map(|x| x % 10).collect();
                d.sort_unstable();
                d.dedup();
                vec![
                    *k,
                    Some(v.len() as i64),
                    Some(v.iter().sum()),
                    v.iter().min().copied(),
                    Some(d.len() as i64),
                ]
            })
            .collect();
        let list = || {
            vec![
                outer(1),
                agg_of(2803, oids::INT8, vec![], false),
                agg_of(2108, oids::INT8, vec![outer(2)], false),
                agg_of(2132, oids::INT4, vec![outer(2)], false),
            ]
        };
        let agg = |p, strategy, list: Vec<Expr>| {
            plan(
                Node::Agg {
                    child: Box::new(p),
                    strategy,
                    split: AggSplit::Simple,
                    keys: vec![group_key(0)],
                    num_groups: 1.0,
                    grouping_sets: Vec::new(),
                },
                list,
            )
        };
        let without: Vec<Row> = want.iter().map(|r| r[..4].to_vec()).collect();
        for mem in [64 << 20, 8 << 10] {
            let env = env(mem);
            let hashed = run(&env, agg(values(&rows, 2), AggStrategy::Hashed, list()));
            assert_eq!(sorted(hashed), without, "hashed {n} {mem}");
            let s = sort(values(&rows, 2), &[(0, false, true)], 2);
            let got = run(&env, agg(s, AggStrategy::Sorted, list()));
            assert_eq!(got, without, "sorted {n} {mem}");
            let mut l = list();
            l.push(agg_of(
                2147,
                oids::INT8,
                vec![op(156, oids::INT4, vec![outer(2), konst(Some(10))])],
                true,
            ));
            let s = sort(values(&rows, 2), &[(0, false, true)], 2);
            let got = run(&env, agg(s, AggStrategy::Sorted, l.clone()));
            assert_eq!(got, want, "distinct, sorted {n} {mem}");
            let got = run(&env, agg(values(&rows, 2), AggStrategy::Hashed, l));
            assert_eq!(sorted(got), want, "distinct, hashed {n} {mem}");
        }
        let env = env(1 << 20);
        let plain = plan(
            Node::Agg {
                child: Box::new(values(&rows, 2)),
                strategy: AggStrategy::Plain,
                split: AggSplit::Simple,
                keys: Vec::new(),
                num_groups: 1.0,
                grouping_sets: Vec::new(),
            },
            vec![agg_of(2803, oids::INT8, vec![], false), agg_of(2108, oids::INT8, vec![outer(2)], false)],
        );
        let sum = if n == 0 { None } else { Some((0..n as i64).sum()) };
        assert_eq!(run(&env, plain), vec![vec![Some(n as i64), sum]]);
    }
}

#[test]
fn unique_and_set_operations() {
    let env = env(1 << 20);
    let rows: Vec<Row> = [1, 1, 2, 2, 2, 3].iter().map(|v| vec![Some(*v)]).collect();
    let u = pass(Node::Unique { child: Box::new(values(&rows, 1)), keys: vec![group_key(0)] }, 1);
    assert_eq!(run(&env, u), vec![vec![Some(1)], vec![Some(2)], vec![Some(3)]]);
    use analyze::query::SetOp::*;
    // (value, flag): left 1 1 1 2 null, right 1 1 3 null
    let rows: Vec<Row> = [(Some(1), 0), (Some(1), 0), (Some(1), 0), (Some(2), 0), (None, 0)]
        .into_iter()
        .chain([(Some(1), 1), (Some(1), 1), (Some(3), 1), (None, 1)])
        .map(|(v, f)| vec![v, Some(f)])
        .collect();
    for (op, all, want) in [
        (Intersect, false, vec![None, Some(1)]),
        (Intersect, true, vec![None, Some(1), Some(1)]),
        (Except, false, vec![Some(2)]),
        (Except, true, vec![Some(1), Some(2)]),
    ] {
        let p = pass(
            Node::SetOp {
                child: Box::new(values(&rows, 2)),
                op,
                all,
                hashed: true,
                keys: vec![group_key(0)],
                flag_col: 1,
                first_flag: 0,
            },
            2,
        );
        let got: Vec<_> = sorted(run(&env, p)).iter().map(|r| r[0]).collect();
        assert_eq!(got, want, "{op:?} {all}");
    }
}

#[test]
fn recursive_union_counts() {
    let env = env(1 << 20);
    // with recursive t(n) as (values (1) union all select n + 1 from t where n < 5000) select n from t
    let mut scan = plan(
        Node::WorkTableScan { rti: 1, wt_param: 0 },
        vec![op(177, oids::INT4, vec![var(VarNo::Rte(1), 1, oids::INT4), konst(Some(1))])],
    );
    scan.qual = vec![op(66, oids::BOOL, vec![var(VarNo::Rte(1), 1, oids::INT4), konst(Some(5000))])];
    let cte = pass(
        Node::RecursiveUnion {
            wt_param: 0,
            keys: Vec::new(),
            all: true,
            nonrec: Box::new(values(&[vec![Some(1)]], 1)),
            rec: Box::new(scan),
        },
        1,
    );
    let main =
        plan(Node::CteScan { rti: 1, plan_id: 1, cte_param: 1 }, vec![var(VarNo::Rte(1), 1, oids::INT4)]);
    let got = run_stmt(&env, stmt(main, vec![cte], 2), &[]);
    assert_eq!(got, (1..=5000).map(|n| vec![Some(n)]).collect::<Vec<Row>>());
}

#[test]
fn correlated_sub_plans_and_init_plans() {
    let env = env(1 << 20);
    let rows: Vec<Row> = (0..20).map(|i| vec![Some(i)]).collect();
    let param = |id| {
        Expr::Param(Param {
            kind: ParamKind::Exec,
            id,
            paramtype: oids::INT4,
            typmod: -1,
            collation: Oid(0),
            location: None,
        })
    };
    let agg = |child| {
        plan(
            Node::Agg {
                child: Box::new(child),
                strategy: AggStrategy::Plain,
                split: AggSplit::Simple,
                keys: Vec::new(),
                num_groups: 1.0,
                grouping_sets: Vec::new(),
            },
            vec![agg_of(2803, oids::INT8, vec![], false)],
        )
    };
    // select v, (select count(*) from t where w < v) from t where v < (select count(*) from t) - exact in INT8.
    let mut below = values(&rows, 1);
    below.qual = vec![op(66, oids::BOOL, vec![var(VarNo::Rte(1), 1, oids::INT4), param(0)])];
    below.ext_params = vec![0];
    let mut counted = agg(below);
    counted.ext_params = vec![0];
    let sub = |plan_id, par: Vec<u32>, args: Vec<Expr>, set: Vec<u32>| SubPlan {
        kind: SubLinkType::Expr,
        plan_id,
        plan_name: String::new(),
        test: None,
        param_ids: Vec::new(),
        result_type: oids::INT8,
        typmod: -1,
        collation: Oid(0),
        use_hash_table: false,
        unknown_eq_false: false,
        set_param: set,
        par_param: par,
        args,
        startup_cost: 0.0,
        per_call_cost: 0.0,
        parallel_safe: false,
        stacked: false,
        alternative: None,
        column: 0,
    };
    let v = var(VarNo::Rte(1), 1, oids::INT4);
    let mut main = values(&rows, 1);
    main.targetlist =
        vec![tle(v.clone(), 0), tle(Expr::SubPlan(Box::new(sub(1, vec![0], vec![v.clone()], vec![]))), 1)];
    main.init_plans = vec![sub(2, vec![], vec![], vec![1])];
    let total = match param(1) {
        Expr::Param(p) => Expr::Param(Param { paramtype: oids::INT8, ..p }),
        other => other,
    };
    main.qual = vec![op(852, oids::BOOL, vec![v, total])];
    let all = agg(values(&rows[..7], 1));
    let s = stmt(main, vec![counted, all], 2);
    assert_eq!(run_stmt(&env, s, &[]), vec![vec![Some(7), Some(7)]]);
}

#[test]
fn short_circuit_protects_from_errors() {
    let env = env(1 << 20);
    let rows: Vec<Row> = vec![vec![Some(0)], vec![Some(2)], vec![None]];
    let v = || var(VarNo::Rte(1), 1, oids::INT4);
    let div = || op(154, oids::INT4, vec![konst(Some(10)), v()]);
    // case when v = 0 then -1 else 10 / v end
    let case = Expr::Case {
        result_type: oids::INT4,
        collation: Oid(0),
        arg: None,
        whens: vec![CaseWhen {
            expr: op(65, oids::BOOL, vec![v(), konst(Some(0))]),
            result: konst(Some(-1)),
        }],
        default: Some(Box::new(div())),
        location: None,
    };
    // v <> 0 and 10 / v > 3
    let and = Expr::Bool {
        op: BoolOp::And,
        args: vec![
            op(144, oids::BOOL, vec![v(), konst(Some(0))]),
            op(147, oids::BOOL, vec![div(), konst(Some(3))]),
        ],
        location: None,
    };
    let mut p = values(&rows, 1);
    p.targetlist = vec![tle(case, 0), tle(and, 1)];
    assert_eq!(run(&env, p), vec![vec![Some(-1), Some(0)], vec![Some(5), Some(1)], vec![None, None]]);
    let mut p = values(&rows, 1);
    p.targetlist = vec![tle(div(), 0)];
    let c = CompiledPlan::new(&env, stmt(p, Vec::new(), 0)).unwrap();
    let (r, c) = drain(QueryRun::start(c, &[], &RunOptions::default()).unwrap(), 0);
    assert_eq!(r.unwrap_err().report().message, "division by zero");
    // The plan is usable after an error.
    let (r, _) = drain(QueryRun::start(c, &[], &RunOptions::default()).unwrap(), 0);
    assert!(r.is_err());
}

#[test]
fn filters_on_parameters_columns_and_nulls() {
    let env = env(1 << 20);
    let rows: Vec<Row> =
        (0..100).map(|i| vec![if i % 7 == 0 { None } else { Some(i) }, Some(99 - i)]).collect();
    let v = |n| var(VarNo::Rte(1), n, oids::INT4);
    let ext = Expr::Param(Param {
        kind: ParamKind::External,
        id: 1,
        paramtype: oids::INT8,
        typmod: -1,
        collation: Oid(0),
        location: None,
    });
    let mut p = values(&rows, 2);
    // a > b and $1 >= a
    p.qual = vec![op(147, oids::BOOL, vec![v(1), v(2)]), op(479, oids::BOOL, vec![ext, v(1)])];
    let got = run_stmt(&env, stmt(p, Vec::new(), 0), &[Datum::I64(60)]);
    let want: Vec<Row> =
        rows.iter().filter(|r| r[0].is_some_and(|a| a > r[1].unwrap() && a <= 60)).cloned().collect();
    assert!(!want.is_empty());
    assert_eq!(got, want);
}
