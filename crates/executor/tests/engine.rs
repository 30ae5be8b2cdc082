//! Scans and changes of a real table through plans, alone and against another process. The table is `pg_description`
//! (objoid, classoid, objsubid, description) with its unique index on the first three columns.
#![allow(clippy::unwrap_used)]

mod common;

use ::common::{Oid, SqlState};
use analyze::expr::*;
use analyze::query::{CmdType, LockStrength, LockWaitPolicy, RangeTblEntry, RteKind};
use common::{Cluster, until};
use executor::{CompiledPlan, ExecEnv, QueryRun, RunOptions};
use ipc::BackendKind;
use planner::plan::*;
use std::rc::Rc;
use std::sync::atomic::Ordering;
use types::{Datum, oids};

const TABLE: Oid = Oid(2609);
const INDEX: Oid = Oid(2675);
/// An objoid nobody else uses.
const OURS: u32 = 900_000;

fn v(attno: i16) -> Expr {
    let t = match attno {
        -1 => oids::TID,
        3 => oids::INT4,
        4 => oids::TEXT,
        _ => oids::OID,
    };
    var(VarNo::Rte(1), attno, t)
}
fn var(varno: VarNo, attno: i16, t: Oid) -> Expr {
    let collation = if t == oids::TEXT { Oid(100) } else { Oid(0) };
    Expr::Var(Var {
        varno,
        attno,
        vartype: t,
        typmod: -1,
        collation,
        levels_up: 0,
        syn: (0, 0),
        location: None,
    })
}
fn konst(value: Datum, t: Oid) -> Expr {
    Expr::Const(Const { consttype: t, typmod: -1, collation: Oid(0), value, location: None })
}
fn param(id: u32, t: Oid) -> Expr {
    Expr::Param(Param {
        kind: ParamKind::External,
        id,
        paramtype: t,
        typmod: -1,
        collation: Oid(0),
        location: None,
    })
}
fn op(opno: u32, funcid: u32, result: Oid, args: Vec<Expr>) -> Expr {
    Expr::Op(OpExpr {
        opno: Oid(opno),
        funcid: Oid(funcid),
        result_type: result,
        retset: false,
        collation: Oid(0),
        input_collation: Oid(100),
        args,
        location: None,
    })
}
fn plan(node: Node, list: Vec<Expr>) -> Plan {
    let tle = |(i, e): (usize, Expr)| TargetEntry {
        junk: matches!(&e, Expr::Var(v) if v.attno < 0),
        expr: e,
        resno: i as i16 + 1,
        name: None,
        sort_group_ref: 0,
        orig: (Oid(0), 0),
    };
    Plan {
        startup_cost: 0.0,
        total_cost: 0.0,
        rows: 1.0,
        width: 8,
        targetlist: list.into_iter().enumerate().map(tle).collect(),
        qual: Vec::new(),
        init_plans: Vec::new(),
        parallel_aware: false,
        node,
        ext_params: Vec::new(),
        all_columns: false,
        node_id: 0,
    }
}
fn rte() -> RangeTblEntry {
    RangeTblEntry {
        kind: RteKind::Relation { relid: TABLE, relkind: b'r', lockmode: 3, inh: false, tablesample: None },
        alias: None,
        eref_name: "d".into(),
        eref_cols: Default::default(),
        col_types: Default::default(),
        col_typmods: Default::default(),
        col_collations: Default::default(),
        in_from: true,
        required_perms: 0,
        check_as_user: Oid(0),
        selected_cols: Vec::new(),
        inserted_cols: Vec::new(),
        updated_cols: Vec::new(),
        security_quals: Vec::new(),
    }
}
fn stmt(command: CmdType, p: Plan) -> Rc<PlannedStmt> {
    let mut s = PlannedStmt {
        command,
        plan: p,
        rtable: vec![rte(), rte()],
        subplans: Vec::new(),
        exec_params: 0,
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
fn cond(column: u16, value: Expr, eq: (u32, u32), cmp: u32) -> IndexCond {
    let clause = op(eq.0, eq.1, oids::BOOL, vec![v(column as i16 + 1), value.clone()]);
    let kind = IndexCondKind::Op { strategy: 3, opno: Oid(eq.0), cmp_proc: Oid(cmp), value };
    IndexCond { column, kind, clause }
}
/// Rows with objoid = `OURS` and objsubid = $1 (all of them without the second condition).
fn scan(one: bool, list: Vec<Expr>) -> Plan {
    let mut conds = vec![cond(0, konst(Datum::U32(OURS), oids::OID), (607, 184), 356)];
    if one {
        conds.push(cond(1, konst(Datum::U32(1), oids::OID), (607, 184), 356));
        conds.push(cond(2, param(1, oids::INT4), (96, 65), 351));
    }
    plan(Node::IndexScan { rti: 1, index: INDEX, conds, direction: ScanDirection::Forward }, list)
}
fn modify(command: CmdType, child: Plan) -> ModifyTable {
    ModifyTable {
        command,
        rti: 1,
        child: Box::new(child),
        insert_cols: Vec::new(),
        update_cols: Vec::new(),
        ctid_col: None,
        returning: Vec::new(),
        on_conflict: None,
        epq_marks: Vec::new(),
        check_options: Vec::new(),
        can_set_tag: true,
        merge: Vec::new(),
        tableoid_col: None,
        targets: Vec::new(),
    }
}
fn insert(on_conflict: Option<OnConflictPlan>) -> Rc<PlannedStmt> {
    let child = plan(
        Node::Result { child: None, one_time: Vec::new() },
        vec![
            konst(Datum::U32(OURS), oids::OID),
            konst(Datum::U32(1), oids::OID),
            param(1, oids::INT4),
            param(2, oids::TEXT),
        ],
    );
    let m = ModifyTable {
        insert_cols: (0..4).map(Some).collect(),
        on_conflict,
        ..modify(CmdType::Insert, child)
    };
    stmt(CmdType::Insert, plan(Node::ModifyTable(Box::new(m)), Vec::new()))
}
/// update … set description = description || $2 where objsubid = $1
fn update() -> Rc<PlannedStmt> {
    let text = op(654, 1258, oids::TEXT, vec![v(4), param(2, oids::TEXT)]);
    let m = ModifyTable {
        update_cols: vec![(4, 0)],
        ctid_col: Some(1),
        returning: Vec::new(),
        ..modify(CmdType::Update, scan(true, vec![text, v(-1)]))
    };
    stmt(CmdType::Update, plan(Node::ModifyTable(Box::new(m)), Vec::new()))
}
fn delete() -> Rc<PlannedStmt> {
    let m = ModifyTable { ctid_col: Some(0), ..modify(CmdType::Delete, scan(true, vec![v(-1)])) };
    stmt(CmdType::Delete, plan(Node::ModifyTable(Box::new(m)), Vec::new()))
}

struct Client {
    env: Rc<ExecEnv>,
}

impl Client {
    fn run(&self, s: &Rc<PlannedStmt>, params: &[Datum]) -> ::common::Result<(u64, Vec<String>)> {
        let e = self.env.engine()?;
        e.start_command()?;
        let r = (|| {
            let snap = e.transaction_snapshot()?;
            e.push_active_snapshot(snap);
            let snapshot = e.active_snapshot();
            let compiled = CompiledPlan::new(&self.env, s.clone())?;
            let mut run = QueryRun::start(compiled, params, &RunOptions { snapshot, row_limit: 0 })?;
            let mut out = Vec::new();
            if s.command == CmdType::Select {
                while let Some(b) = run.next(0)? {
                    b.live().each(|i| {
                        let row: Vec<String> = b.cols.iter().map(|c| text(c.get(i))).collect();
                        out.push(row.join("|"));
                        Ok::<(), ::common::Error>(())
                    })?;
                }
            }
            let n = run.finish()?;
            run.end();
            e.pop_active_snapshot();
            Ok((n, out))
        })();
        match &r {
            Ok(_) => e.commit_command()?,
            Err(_) => e.abort_command(),
        }
        r
    }
    fn rows(&self) -> Vec<String> {
        self.run(&stmt(CmdType::Select, scan(false, vec![v(3), v(4)])), &[]).unwrap().1
    }
    fn seq_rows(&self) -> Vec<String> {
        let mut p = plan(Node::SeqScan { rti: 1, sample: None }, vec![v(3), v(4)]);
        p.qual = vec![op(607, 184, oids::BOOL, vec![v(1), konst(Datum::U32(OURS), oids::OID)])];
        let mut r = self.run(&stmt(CmdType::Select, p), &[]).unwrap().1;
        r.sort();
        r
    }
    fn put(&self, n: i32, s: &str) -> ::common::Result<u64> {
        Ok(self.run(&insert(None), &[Datum::I32(n), Datum::text(s)])?.0)
    }
    fn begin(&self) {
        let e = self.env.engine().unwrap();
        e.start_command().unwrap();
        e.begin_block(&Default::default()).unwrap();
        e.commit_command().unwrap();
    }
    fn commit(&self) {
        let e = self.env.engine().unwrap();
        e.start_command().unwrap();
        e.end_block(false).unwrap();
        e.commit_command().unwrap();
    }
}

fn text(d: types::DatumRef<'_>) -> String {
    match d.to_owned() {
        Datum::Null => "null".into(),
        Datum::I32(v) => v.to_string(),
        Datum::U32(v) => v.to_string(),
        Datum::Bytes(b) => String::from_utf8_lossy(&b).into_owned(),
        other => format!("{other:?}"),
    }
}

fn conflict(do_update: bool) -> OnConflictPlan {
    let excluded = var(VarNo::Rte(2), 4, oids::TEXT);
    OnConflictPlan {
        do_update,
        arbiters: vec![INDEX],
        set: if do_update { vec![(4, op(654, 1258, oids::TEXT, vec![v(4), excluded]))] } else { Vec::new() },
        where_clause: Vec::new(),
        excluded_rti: 2,
    }
}

#[test]
fn changes_of_a_table() {
    let c = Cluster::create("changes");
    c.run(BackendKind::Client, |env| {
        let s = Client { env: env.clone() };
        for n in 1..=3 {
            assert_eq!(s.put(n, "x").unwrap(), 1);
        }
        assert_eq!(s.rows(), ["1|x", "2|x", "3|x"]);
        assert_eq!(s.rows(), s.seq_rows());
        let e = s.put(2, "y").unwrap_err();
        assert_eq!(e.sqlstate(), SqlState::UNIQUE_VIOLATION);
        let null = s.run(&insert(None), &[Datum::I32(9), Datum::Null]).unwrap_err();
        assert_eq!(
            null.report().message,
            "null value in column \"description\" of relation \"pg_description\" violates not-null constraint"
        );
        assert_eq!(null.report().detail.as_deref(), Some("Failing row contains (900000, 1, 9, null)."));
        assert_eq!(s.run(&update(), &[Datum::I32(2), Datum::text("+")]).unwrap().0, 1);
        assert_eq!(s.run(&update(), &[Datum::I32(7), Datum::text("+")]).unwrap().0, 0);
        assert_eq!(s.rows(), ["1|x", "2|x+", "3|x"]);
        assert_eq!(s.run(&delete(), &[Datum::I32(1)]).unwrap().0, 1);
        assert_eq!(s.rows(), ["2|x+", "3|x"]);
        assert_eq!(s.rows(), s.seq_rows());
        let p = [Datum::I32(3), Datum::text("z")];
        assert_eq!(s.run(&insert(Some(conflict(false))), &p).unwrap().0, 0);
        assert_eq!(s.run(&insert(Some(conflict(true))), &p).unwrap().0, 1);
        let p = [Datum::I32(4), Datum::text("w")];
        assert_eq!(s.run(&insert(Some(conflict(true))), &p).unwrap().0, 1);
        assert_eq!(s.rows(), ["2|x+", "3|xz", "4|w"]);
        assert_eq!(s.rows(), s.seq_rows());
    });
}

#[test]
fn a_concurrent_update_is_followed() {
    let c = Cluster::create("epq");
    let w = c.words();
    c.run(BackendKind::Client, |env| {
        let s = Client { env: env.clone() };
        s.put(1, "a").unwrap();
        s.put(2, "a").unwrap();
    });
    let first = c.spawn(|env| {
        let s = Client { env: env.clone() };
        s.begin();
        s.run(&update(), &[Datum::I32(1), Datum::text("b")]).unwrap();
        s.run(&delete(), &[Datum::I32(2)]).unwrap();
        w[0].store(1, Ordering::SeqCst);
        std::thread::sleep(std::time::Duration::from_millis(300));
        s.commit();
    });
    until(|| w[0].load(Ordering::SeqCst) == 1);
    let others: Vec<i32> = (0..2)
        .map(|k| {
            c.spawn(move |env| {
                let s = Client { env: env.clone() };
                if k == 0 {
                    assert_eq!(s.run(&update(), &[Datum::I32(1), Datum::text("c")]).unwrap().0, 1);
                } else {
                    // The deleted row is gone; a locking read of the updated one sees its latest version.
                    assert_eq!(s.run(&update(), &[Datum::I32(2), Datum::text("c")]).unwrap().0, 0);
                    let mark = PlanRowMark {
                        rti: 1,
                        strength: LockStrength::Update,
                        wait: LockWaitPolicy::Block,
                        ctid_col: 1,
                        tableoid_col: None,
                        members: Vec::new(),
                    };
                    let child = scan(true, vec![v(4), v(-1)]);
                    let list = vec![var(VarNo::Outer, 1, oids::TEXT)];
                    let p = plan(Node::LockRows { child: Box::new(child), marks: vec![mark] }, list);
                    let got = s.run(&stmt(CmdType::Select, p), &[Datum::I32(1)]).unwrap().1;
                    assert!(got[0].starts_with("ab"), "{got:?}");
                }
            })
        })
        .collect();
    c.wait(first);
    others.into_iter().for_each(|p| c.wait(p));
    c.run(BackendKind::Client, |env| {
        let s = Client { env: env.clone() };
        assert_eq!(s.rows(), ["1|abc"]);
        assert_eq!(s.rows(), s.seq_rows());
    });
}

#[test]
fn concurrent_upserts_lose_nothing() {
    let c = Cluster::create("upsert");
    let pids: Vec<i32> = (0..4)
        .map(|_| {
            c.spawn(|env| {
                let s = Client { env: env.clone() };
                for k in 0..60 {
                    let p = [Datum::I32(k % 3), Datum::text("x")];
                    assert_eq!(s.run(&insert(Some(conflict(true))), &p).unwrap().0, 1);
                }
            })
        })
        .collect();
    pids.into_iter().for_each(|p| c.wait(p));
    c.run(BackendKind::Client, |env| {
        let s = Client { env: env.clone() };
        let x = "x".repeat(80);
        assert_eq!(s.rows(), [format!("0|{x}"), format!("1|{x}"), format!("2|{x}")]);
        assert_eq!(s.rows(), s.seq_rows());
    });
}
