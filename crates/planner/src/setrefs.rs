//! The last step: one flat range table, Vars that name child columns, trivial sub-query scans removed, parameters each
//! node depends on, node numbers.

use crate::exists::Choices;
use crate::exprs::*;
use crate::plan::*;
use crate::prep::pullup::empty_query;
use crate::root::*;
use crate::upper::partial;
use analyze::expr::*;
use analyze::query::*;
use common::{Oid, Result};

struct Cx<'g, 'a> {
    g: &'g Glob<'a>,
    rtable: Vec<RangeTblEntry>,
    without_from: u32,
    choices: Choices,
}

/// Finishes a statement.
pub fn finish(
    g: &Glob<'_>,
    mut top: Plan,
    rtable: Vec<RangeTblEntry>,
    command: CmdType,
    has_returning: bool,
) -> Result<PlannedStmt> {
    let mut cx = Cx { g, rtable: Vec::new(), without_from: 0, choices: Choices::default() };
    if g.has_alternatives.get() {
        cx.choices.make(&mut top);
    }
    let off = cx.add_rtable(rtable);
    cx.plan(&mut top, off);
    finish_statement(cx, top, command, has_returning)
}

fn finish_statement(
    mut cx: Cx<'_, '_>,
    mut top: Plan,
    command: CmdType,
    has_returning: bool,
) -> Result<PlannedStmt> {
    let g = cx.g;
    let mut subplans = Vec::new();
    for p in std::mem::take(&mut *g.subplans.borrow_mut()) {
        let PendingPlan { mut plan, rtable } = p;
        if g.has_alternatives.get() {
            cx.choices.make(&mut plan);
        }
        let off = cx.add_rtable(rtable);
        cx.plan(&mut plan, off);
        subplans.push(plan);
    }
    for n in &cx.choices.unused {
        let p: &mut Plan = &mut subplans[*n as usize - 1];
        (p.node, p.targetlist, p.qual) =
            (Node::Result { child: None, one_time: Vec::new() }, Vec::new(), Vec::new());
        p.init_plans.clear();
    }
    // What a sub-plan needs from outside counts for the node that runs it.
    let mut needs: Vec<Vec<u32>> = Vec::new();
    for p in &mut subplans {
        let n = ext_params(p, &needs);
        needs.push(n);
    }
    for _ in 0..2 {
        for i in 0..subplans.len() {
            needs[i] = ext_params(&mut subplans[i], &needs);
        }
    }
    ext_params(&mut top, &needs);
    let mut relation_oids: Vec<Oid> = Vec::new();
    let mut row_marks = Vec::new();
    for r in &cx.rtable {
        if let RteKind::Relation { relid, .. } = r.kind
            && !relation_oids.contains(&relid)
        {
            relation_oids.push(relid);
        }
        if let RteKind::Subquery { view: Some(v), .. } = r.kind
            && !relation_oids.contains(&v)
        {
            relation_oids.push(v);
        }
    }
    collect_marks(&top, &mut row_marks);
    let mut stmt = PlannedStmt {
        command,
        plan: top,
        rtable: cx.rtable,
        subplans,
        exec_params: g.next_param.get(),
        param_types: g.ctx.param_types.to_vec(),
        has_returning,
        has_modifying_cte: g.has_modifying_cte.get(),
        row_marks,
        relation_oids,
        parallel_mode_needed: false,
        node_count: 0,
        without_from: cx.without_from,
    };
    let forced = g.ctx.settings.force_parallel_mode != crate::settings::ForceParallel::Off;
    let any = std::iter::once(&stmt.plan).chain(&stmt.subplans).any(gathers);
    stmt.parallel_mode_needed = any || (g.parallel.ok && forced);
    stmt.number();
    Ok(stmt)
}

fn gathers(p: &Plan) -> bool {
    matches!(p.node, Node::Gather { .. } | Node::GatherMerge { .. }) || p.children().into_iter().any(gathers)
}

fn collect_marks(p: &Plan, out: &mut Vec<PlanRowMark>) {
    if let Node::LockRows { marks, .. } = &p.node {
        out.extend(marks.iter().cloned());
    }
    for c in p.children() {
        collect_marks(c, out);
    }
}

/// Fills `ext_params` bottom-up: exec params read in the subtree that are set outside of it.
fn ext_params(p: &mut Plan, needs: &[Vec<u32>]) -> Vec<u32> {
    let mut used: Vec<u32> = Vec::new();
    each_expr(p, &mut |e| {
        walk(e, &mut |x| {
            match x {
                Expr::Param(q) if q.kind == ParamKind::Exec => used.push(q.id),
                Expr::SubPlan(s) => {
                    if let Some(n) = needs.get(s.plan_id as usize - 1) {
                        used.extend(n.iter().filter(|i| !s.par_param.contains(i)));
                    }
                    // The test's column parameters are set by the sub-plan itself.
                    let mut inner = Vec::new();
                    for a in &s.args {
                        collect_params(a, &mut inner);
                    }
                    if let Some(t) = &s.test {
                        collect_params(t, &mut inner);
                    }
                    inner.retain(|i| !s.param_ids.contains(i));
                    used.extend(inner);
                    return false;
                }
                _ => {}
            }
            true
        });
    });
    match &p.node {
        Node::CteScan { cte_param, plan_id, .. } => {
            used.push(*cte_param);
            if let Some(n) = needs.get(*plan_id as usize - 1) {
                used.extend(n);
            }
        }
        Node::WorkTableScan { wt_param, .. } => used.push(*wt_param),
        _ => {}
    }
    let own_nest: Vec<u32> = match &p.node {
        Node::NestLoop { params, .. } => params.iter().map(|x| x.paramno).collect(),
        Node::RecursiveUnion { wt_param, .. } => vec![*wt_param],
        _ => Vec::new(),
    };
    for c in p.children_mut() {
        let n = ext_params(c, needs);
        used.extend(n.into_iter().filter(|i| !own_nest.contains(i)));
    }
    for s in &p.init_plans {
        if let Some(n) = needs.get(s.plan_id as usize - 1) {
            used.extend(n);
        }
    }
    let set: Vec<u32> = p.init_plans.iter().flat_map(|s| s.set_param.iter().copied()).collect();
    used.retain(|i| !set.contains(i));
    used.sort_unstable();
    used.dedup();
    p.ext_params = used.clone();
    used
}

fn collect_params(e: &Expr, out: &mut Vec<u32>) {
    walk(e, &mut |x| {
        if let Expr::Param(p) = x
            && p.kind == ParamKind::Exec
        {
            out.push(p.id);
        }
        true
    });
}

/// Calls `f` on every expression of a node (not of its children).
pub fn each_expr<'p>(p: &'p Plan, f: &mut dyn FnMut(&'p Expr)) {
    p.targetlist.iter().for_each(|t| f(&t.expr));
    p.qual.iter().for_each(&mut *f);
    match &p.node {
        Node::Result { one_time, .. } => one_time.iter().for_each(f),
        Node::IndexScan { conds, .. }
        | Node::IndexOnlyScan { conds, .. }
        | Node::BitmapIndexScan { conds, .. } => {
            conds.iter().for_each(|c| f(&c.clause));
        }
        Node::BitmapHeapScan { recheck, .. } => recheck.iter().for_each(f),
        Node::TidScan { tids: list, .. } | Node::Memoize { keys: list, .. } => list.iter().for_each(f),
        Node::SeqScan { sample: Some(s), .. } => s.args.iter().chain(&s.repeatable).for_each(f),
        Node::FunctionScan { functions, .. } => functions.iter().for_each(|x| f(&x.expr)),
        Node::ValuesScan { lists, .. } => lists.iter().flatten().for_each(f),
        Node::NestLoop { join, params } => {
            join.joinqual.iter().for_each(&mut *f);
            params.iter().for_each(|x| f(&x.var));
        }
        Node::MergeJoin { join, keys, .. } => {
            join.joinqual.iter().for_each(&mut *f);
            for k in keys {
                f(&k.outer);
                f(&k.inner);
            }
        }
        Node::HashJoin { join, keys } => {
            join.joinqual.iter().for_each(&mut *f);
            for k in keys {
                f(&k.outer);
                f(&k.inner);
            }
        }
        Node::Limit { offset, count, .. } => offset.iter().chain(count).for_each(f),
        Node::WindowAgg { clause, .. } => {
            clause.start_offset.iter().chain(&clause.end_offset).for_each(&mut *f);
            clause.run_condition.iter().for_each(f);
        }
        Node::ModifyTable(m) => {
            m.returning.iter().for_each(|t| f(&t.expr));
            m.check_options.iter().for_each(|c| f(&c.1));
            m.targets.iter().flat_map(|t| &t.returning).for_each(|t| f(&t.expr));
            m.targets.iter().flat_map(|t| &t.check_options).for_each(|c| f(&c.1));
            for a in m.merge.iter().chain(m.targets.iter().flat_map(|t| &t.merge)) {
                a.qual.iter().for_each(&mut *f);
                a.set.iter().for_each(|s| f(&s.1));
            }
            if let Some(oc) = &m.on_conflict {
                oc.set.iter().for_each(|s| f(&s.1));
                oc.where_clause.iter().for_each(f);
            }
        }
        _ => {}
    }
}

/// [`each_expr`], mutable; index conditions' parts too.
pub fn each_expr_mut(p: &mut Plan, f: &mut dyn FnMut(&mut Expr)) {
    p.targetlist.iter_mut().for_each(|t| f(&mut t.expr));
    p.qual.iter_mut().for_each(&mut *f);
    match &mut p.node {
        Node::Result { one_time, .. } => one_time.iter_mut().for_each(f),
        Node::IndexScan { conds, .. }
        | Node::IndexOnlyScan { conds, .. }
        | Node::BitmapIndexScan { conds, .. } => conds.iter_mut().for_each(|c| each_in_cond(c, f)),
        Node::BitmapHeapScan { recheck, .. } => recheck.iter_mut().for_each(f),
        Node::TidScan { tids: list, .. } | Node::Memoize { keys: list, .. } => list.iter_mut().for_each(f),
        Node::SeqScan { sample: Some(s), .. } => s.args.iter_mut().chain(&mut s.repeatable).for_each(f),
        Node::FunctionScan { functions, .. } => functions.iter_mut().for_each(|x| f(&mut x.expr)),
        Node::ValuesScan { lists, .. } => lists.iter_mut().flatten().for_each(f),
        Node::NestLoop { join, params } => {
            join.joinqual.iter_mut().for_each(&mut *f);
            params.iter_mut().for_each(|x| f(&mut x.var));
        }
        Node::MergeJoin { join, keys, .. } => {
            join.joinqual.iter_mut().for_each(&mut *f);
            keys.iter_mut().for_each(|k| [&mut k.outer, &mut k.inner].into_iter().for_each(&mut *f));
        }
        Node::HashJoin { join, keys } => {
            join.joinqual.iter_mut().for_each(&mut *f);
            keys.iter_mut().for_each(|k| [&mut k.outer, &mut k.inner].into_iter().for_each(&mut *f));
        }
        Node::Limit { offset, count, .. } => offset.iter_mut().chain(count).for_each(f),
        Node::WindowAgg { clause, .. } => {
            clause.start_offset.iter_mut().chain(&mut clause.end_offset).for_each(&mut *f);
            clause.run_condition.iter_mut().for_each(f);
        }
        Node::ModifyTable(m) => each_in_modify(m, f),
        _ => {}
    }
}

fn each_in_cond(c: &mut IndexCond, f: &mut dyn FnMut(&mut Expr)) {
    f(&mut c.clause);
    match &mut c.kind {
        IndexCondKind::Op { value, .. } => f(value),
        IndexCondKind::ArrayOp { array, .. } => f(array),
        IndexCondKind::Row { values, .. } => values.iter_mut().for_each(f),
        _ => {}
    }
}

fn each_in_modify(m: &mut ModifyTable, f: &mut dyn FnMut(&mut Expr)) {
    m.returning.iter_mut().for_each(|t| f(&mut t.expr));
    m.check_options.iter_mut().for_each(|c| f(&mut c.1));
    let mut actions: Vec<&mut MergeActionPlan> = m.merge.iter_mut().collect();
    for t in &mut m.targets {
        t.returning.iter_mut().for_each(|t| f(&mut t.expr));
        t.check_options.iter_mut().for_each(|c| f(&mut c.1));
        actions.extend(&mut t.merge);
    }
    for a in actions {
        a.qual.iter_mut().for_each(&mut *f);
        a.set.iter_mut().for_each(|s| f(&mut s.1));
    }
    if let Some(oc) = &mut m.on_conflict {
        oc.set.iter_mut().for_each(|s| f(&mut s.1));
        oc.where_clause.iter_mut().for_each(f);
    }
}

fn add_offset(e: &mut Expr, off: u32) {
    walk_mut(e, &mut |x| {
        match x {
            Expr::Var(v) => {
                if let VarNo::Rte(n) = v.varno {
                    let n = rte_place(n) as u32 + off;
                    v.varno = VarNo::Rte(n);
                    v.syn = (n, v.attno);
                } else if v.varno == VarNo::Index && v.syn.0 != 0 {
                    v.syn.0 = rte_place(v.syn.0) as u32 + off;
                }
            }
            Expr::CurrentOf { rte, .. } => *rte = rte_place(*rte) as u32 + off,
            _ => {}
        }
        true
    });
}

fn offset_marks(list: &mut [PlanRowMark], off: u32) {
    for m in list {
        m.rti += off;
        m.members.iter_mut().for_each(|x| x.1 = rte_place(x.1) as u32 + off);
    }
}

pub(crate) fn outer_var(i: usize, e: &Expr, which: VarNo) -> Expr {
    let syn = match e {
        Expr::Var(v) => v.syn,
        _ => (0, 0),
    };
    Expr::Var(Var {
        varno: which,
        attno: i as i16 + 1,
        vartype: type_of(e),
        typmod: typmod_of(e),
        collation: collation_of(e),
        levels_up: 0,
        syn,
        location: None,
    })
}

/// The only input of an Append does instead of it.
fn replace_by_child(p: &mut Plan) {
    let (Node::Append { children, .. } | Node::MergeAppend { children, .. }) = &mut p.node else { return };
    let Some(mut c) = children.pop() else { return };
    let init = std::mem::take(&mut p.init_plans);
    c.init_plans.splice(0..0, init);
    for (t, o) in c.targetlist.iter_mut().zip(std::mem::take(&mut p.targetlist)) {
        t.name = o.name;
        t.junk = o.junk;
        t.orig = o.orig;
        t.sort_group_ref = o.sort_group_ref;
    }
    *p = c;
}

/// A child's output as it was before its own references were set.
type Out = Vec<Expr>;

fn find_in(list: &Out, e: &Expr, which: VarNo) -> Option<Expr> {
    let i = list.iter().position(|x| equal(x, e))?;
    let mut v = outer_var(i, &list[i], which);
    if let (Expr::Var(n), Expr::Var(src)) = (&mut v, &list[i])
        && let VarNo::Rte(r) = src.varno
    {
        n.syn = (r, src.attno);
    }
    Some(v)
}

fn fix(e: &mut Expr, outer: &Out, inner: Option<&Out>) {
    replace(e, &mut |x| {
        if matches!(x, Expr::Const(_) | Expr::Param(_)) {
            return None;
        }
        // Vars name outer columns first, then inner ones; larger expressions a child computed are taken whole.
        find_in(outer, x, VarNo::Outer).or_else(|| inner.and_then(|i| find_in(i, x, VarNo::Inner)))
    });
}

/// Constants are taken from the child only where the whole column is one.
fn fix_top(e: &mut Expr, outer: &Out) {
    fix(e, outer, None);
}

/// To the nodes above an index-only scan its columns are the table's.
pub fn name_table_columns(e: &mut Expr) {
    walk_mut(e, &mut |x| {
        if let Expr::Var(v) = x
            && v.varno == VarNo::Index
        {
            v.varno = VarNo::Rte(v.syn.0);
            v.attno = v.syn.1;
        }
        true
    });
}

impl Cx<'_, '_> {
    fn add_rtable(&mut self, list: Vec<RangeTblEntry>) -> u32 {
        let off = self.rtable.len() as u32;
        self.without_from += u32::from(list.is_empty());
        for mut r in list {
            match &mut r.kind {
                RteKind::Subquery { query, .. } => **query = empty_query(),
                RteKind::Join { alias_vars, .. } => alias_vars.clear(),
                RteKind::Function { functions, .. } => functions.clear(),
                RteKind::Values { lists, .. } => lists.clear(),
                RteKind::Append { members } => members.clear(),
                _ => {}
            }
            r.security_quals.clear();
            self.rtable.push(r);
        }
        off
    }

    /// Sets the references of a subtree; returns what its columns were, in flat range table numbers.
    fn plan(&mut self, p: &mut Plan, off: u32) -> Out {
        for s in &mut p.init_plans {
            s.args.iter_mut().for_each(|a| add_offset(a, off));
        }
        match &mut p.node {
            Node::SubqueryScan { .. } => return self.subquery(p, off),
            Node::ModifyTable(_) => return self.modify(p, off),
            Node::Append { .. } | Node::MergeAppend { .. } | Node::RecursiveUnion { .. } => {
                return self.positional(p, off);
            }
            _ => {}
        }
        if p.children().is_empty()
            || matches!(p.node, Node::BitmapHeapScan { .. } | Node::BitmapAnd { .. } | Node::BitmapOr { .. })
        {
            return self.leaf(p, off);
        }
        if matches!(p.node, Node::NestLoop { .. } | Node::MergeJoin { .. } | Node::HashJoin { .. }) {
            return self.join(p, off);
        }
        // One child.
        let mut child_out = Vec::new();
        for c in p.children_mut() {
            child_out = self.plan(c, off);
        }
        each_expr_mut(p, &mut |e| add_offset(e, off));
        if let Node::LockRows { marks, .. } = &mut p.node {
            offset_marks(marks, off);
        }
        let out: Out = p.targetlist.iter().map(|t| t.expr.clone()).collect();
        let passes = matches!(
            p.node,
            Node::Material { .. }
                | Node::Memoize { .. }
                | Node::Sort { .. }
                | Node::IncrementalSort { .. }
                | Node::Unique { .. }
                | Node::SetOp { .. }
                | Node::LockRows { .. }
                | Node::Limit { .. }
                | Node::Hash { .. }
        );
        if passes {
            for (i, t) in p.targetlist.iter_mut().enumerate() {
                let src = child_out.get(i).unwrap_or(&t.expr).clone();
                t.expr = outer_var(i, &src, VarNo::Outer);
                if let (Expr::Var(n), Expr::Var(s)) = (&mut t.expr, &src)
                    && let VarNo::Rte(r) = s.varno
                {
                    n.syn = (r, s.attno);
                }
            }
            // Its columns are the child's (an index-only scan's are known by the table's names above it).
            return if child_out.len() == out.len() { child_out } else { out };
        }
        if matches!(
            &p.node,
            Node::Result { child: Some(_), .. }
                | Node::ProjectSet { .. }
                | Node::Gather { .. }
                | Node::GatherMerge { .. }
                | Node::Agg { .. }
                | Node::WindowAgg { .. }
                | Node::Group { .. }
        ) {
            if let Node::Agg { child, grouping_sets, .. } = &p.node
                && !grouping_sets.is_empty()
            {
                // A grouping column is the child's even where it is a constant: some sets show it as NULL.
                for t in p.targetlist.iter_mut().filter(|t| t.sort_group_ref != 0) {
                    let i = child.targetlist.iter().position(|c| c.sort_group_ref == t.sort_group_ref);
                    if let Some(i) = i
                        && child_out.get(i).is_some_and(|c| equal(c, &t.expr))
                        && matches!(t.expr, Expr::Const(_) | Expr::Param(_))
                    {
                        t.expr = outer_var(i, &child_out[i], VarNo::Outer);
                    }
                }
            }
            if matches!(p.node, Node::Agg { split: AggSplit::Finalize, .. }) {
                p.targetlist.iter_mut().map(|t| &mut t.expr).chain(&mut p.qual).for_each(partial::combine);
            }
            for t in &mut p.targetlist {
                fix_top(&mut t.expr, &child_out);
            }
            for q in &mut p.qual {
                fix_top(q, &child_out);
            }
            if let Node::WindowAgg { clause, .. } = &mut p.node {
                clause.run_condition.iter_mut().for_each(|e| fix_top(e, &child_out));
            }
        }
        out
    }

    fn leaf(&mut self, p: &mut Plan, off: u32) -> Out {
        match &mut p.node {
            Node::SeqScan { rti, .. }
            | Node::IndexScan { rti, .. }
            | Node::IndexOnlyScan { rti, .. }
            | Node::BitmapIndexScan { rti, .. }
            | Node::BitmapHeapScan { rti, .. }
            | Node::TidScan { rti, .. }
            | Node::FunctionScan { rti, .. }
            | Node::ValuesScan { rti, .. }
            | Node::CteScan { rti, .. }
            | Node::WorkTableScan { rti, .. } => *rti = rte_place(*rti) as u32 + off,
            _ => {}
        }
        for c in p.children_mut() {
            self.plan(c, off);
        }
        each_expr_mut(p, &mut |e| add_offset(e, off));
        p.targetlist
            .iter()
            .map(|t| {
                let mut e = t.expr.clone();
                name_table_columns(&mut e);
                e
            })
            .collect()
    }

    fn join(&mut self, p: &mut Plan, off: u32) -> Out {
        let (Node::NestLoop { join, .. } | Node::MergeJoin { join, .. } | Node::HashJoin { join, .. }) =
            &mut p.node
        else {
            return Vec::new();
        };
        let outer = self.plan(&mut join.outer, off);
        let inner = self.plan(&mut join.inner, off);
        for e in &mut join.joinqual {
            add_offset(e, off);
            fix(e, &outer, Some(&inner));
        }
        match &mut p.node {
            Node::NestLoop { params, .. } => {
                for n in params {
                    add_offset(&mut n.var, off);
                    fix(&mut n.var, &outer, None);
                }
            }
            Node::MergeJoin { keys, .. } => {
                for k in keys {
                    add_offset(&mut k.outer, off);
                    add_offset(&mut k.inner, off);
                    fix(&mut k.outer, &outer, None);
                    fix(&mut k.inner, &Vec::new(), Some(&inner));
                }
            }
            Node::HashJoin { keys, .. } => {
                for k in keys {
                    add_offset(&mut k.outer, off);
                    add_offset(&mut k.inner, off);
                    fix(&mut k.outer, &outer, None);
                    fix(&mut k.inner, &Vec::new(), Some(&inner));
                }
            }
            _ => {}
        }
        for t in &mut p.targetlist {
            add_offset(&mut t.expr, off);
        }
        let out: Out = p.targetlist.iter().map(|t| t.expr.clone()).collect();
        for t in &mut p.targetlist {
            fix(&mut t.expr, &outer, Some(&inner));
        }
        for q in &mut p.qual {
            add_offset(q, off);
            fix(q, &outer, Some(&inner));
        }
        out
    }

    /// Append and RecursiveUnion: columns by position.
    fn positional(&mut self, p: &mut Plan, off: u32) -> Out {
        let mut first: Option<Out> = None;
        for c in p.children_mut() {
            let o = self.plan(c, off);
            first.get_or_insert(o);
        }
        let first = first.unwrap_or_default();
        for t in &mut p.targetlist {
            add_offset(&mut t.expr, off);
        }
        let out: Out = p.targetlist.iter().map(|t| t.expr.clone()).collect();
        if let Node::Append { children, rti } | Node::MergeAppend { children, rti, .. } = &mut p.node
            && *rti != 0
        {
            *rti += off;
            let parent = &self.rtable[*rti as usize - 1];
            if let [_] = children.as_slice() {
                replace_by_child(p);
                return out;
            }
            // EXPLAIN names the parent's columns above it.
            if matches!(parent.kind, RteKind::Relation { .. }) && !out.iter().any(contains_subplans) {
                return out;
            }
        }
        for (i, t) in p.targetlist.iter_mut().enumerate() {
            let src = first.get(i).unwrap_or(&t.expr).clone();
            let mut v = outer_var(i, &src, VarNo::Outer);
            if let Expr::Var(n) = &mut v {
                n.syn = (0, 0);
            }
            t.expr = v;
        }
        out
    }

    fn subquery(&mut self, p: &mut Plan, off: u32) -> Out {
        let id = p.node_id as usize;
        p.node_id = 0;
        let rtable = self
            .g
            .sub_rtables
            .borrow_mut()
            .get_mut(id.wrapping_sub(1))
            .map(std::mem::take)
            .unwrap_or_default();
        each_expr_mut(p, &mut |e| add_offset(e, off));
        let out: Out = p.targetlist.iter().map(|t| t.expr.clone()).collect();
        let sub_off = self.add_rtable(rtable);
        let Node::SubqueryScan { rti, child } = &mut p.node else { return out };
        *rti = rte_place(*rti) as u32 + off;
        let rti = *rti;
        self.plan(child, sub_off);
        // A scan that only passes everything on is not needed.
        let unread = p.qual.is_empty() && p.targetlist.is_empty();
        let trivial = unread
            || p.qual.is_empty()
                && p.targetlist.len() == child.targetlist.len()
                && p.targetlist.iter().zip(&child.targetlist).enumerate().all(|(i, (t, below))| {
                    let same = |v: &Var| v.varno == VarNo::Rte(rti) && v.attno as usize == i + 1;
                    t.junk == below.junk && matches!(&t.expr, Expr::Var(v) if same(v))
                });
        if trivial {
            let init = std::mem::take(&mut p.init_plans);
            let tl = std::mem::take(&mut p.targetlist);
            let c = std::mem::replace(
                &mut **child,
                Plan {
                    startup_cost: 0.0,
                    total_cost: 0.0,
                    rows: 0.0,
                    width: 0,
                    targetlist: Vec::new(),
                    qual: Vec::new(),
                    init_plans: Vec::new(),
                    parallel_aware: false,
                    node: Node::Append { children: Vec::new(), rti: 0 },
                    ext_params: Vec::new(),
                    all_columns: false,
                    node_id: 0,
                },
            );
            *p = c;
            p.init_plans.splice(0..0, init);
            for (t, o) in p.targetlist.iter_mut().zip(tl) {
                if o.name.is_some() {
                    t.name = o.name;
                }
                t.junk = o.junk;
                t.sort_group_ref = o.sort_group_ref;
                if o.orig.1 != 0 {
                    t.orig = o.orig;
                }
            }
        }
        out
    }

    fn modify(&mut self, p: &mut Plan, off: u32) -> Out {
        let Node::ModifyTable(m) = &mut p.node else { return Vec::new() };
        m.rti += off;
        let rti = m.rti;
        let child = self.plan(&mut m.child, off);
        offset_marks(&mut m.epq_marks, off);
        let fix_returning = |e: &mut Expr, rti: u32| {
            add_offset(e, off);
            replace(e, &mut |x| match x {
                Expr::Var(v) if v.varno != VarNo::Rte(rti) => find_in(&child, x, VarNo::Outer),
                _ => None,
            });
        };
        let fix_merge = |list: &mut Vec<MergeActionPlan>| {
            for a in list {
                for e in a.qual.iter_mut().chain(a.set.iter_mut().map(|s| &mut s.1)) {
                    add_offset(e, off);
                    replace(e, &mut |x| match x {
                        Expr::Var(_) => find_in(&child, x, VarNo::Outer),
                        _ => None,
                    });
                }
            }
        };
        m.returning.iter_mut().for_each(|t| fix_returning(&mut t.expr, rti));
        m.check_options.iter_mut().for_each(|c| add_offset(&mut c.1, off));
        fix_merge(&mut m.merge);
        for t in &mut m.targets {
            t.rti = rte_place(t.rti) as u32 + off;
            let rti = t.rti;
            t.returning.iter_mut().for_each(|x| fix_returning(&mut x.expr, rti));
            t.check_options.iter_mut().for_each(|c| add_offset(&mut c.1, off));
            fix_merge(&mut t.merge);
        }
        if let Some(oc) = &mut m.on_conflict {
            oc.excluded_rti += off;
            oc.set.iter_mut().for_each(|s| add_offset(&mut s.1, off));
            oc.where_clause.iter_mut().for_each(|e| add_offset(e, off));
        }
        let tl = m.targets.iter().find(|t| !t.hidden).map_or(&m.returning, |t| &t.returning).clone();
        p.targetlist = tl;
        p.targetlist.iter().map(|t| t.expr.clone()).collect()
    }
}
