//! Dependencies of stored expressions and queries: columns, functions, operators, types and the relations named by
//! `regclass` constants.

use analyze::expr::{Expr, VarNo};
use analyze::query::{Query, RteKind};
use analyze::walk;
use catalog::Catalog;
use catalog::columns::*;
use catalog::depend::{DependencyKind, ObjectAddress};
use common::{Oid, Result};
use types::{Datum, oids};

fn add(out: &mut Vec<ObjectAddress>, a: ObjectAddress) {
    if !catalog::builtins::is_pinned(a.object) && !out.contains(&a) {
        out.push(a);
    }
}

fn add_type(out: &mut Vec<ObjectAddress>, t: Oid) {
    add(out, ObjectAddress::new(pg_type::TABLE, t));
}

/// What an expression node itself names; Vars are the caller's.
fn node(e: &Expr, out: &mut Vec<ObjectAddress>) {
    let proc = |o: Oid| ObjectAddress::new(pg_proc::TABLE, o);
    match e {
        Expr::Func(f) => add(out, proc(f.funcid)),
        Expr::Op(o) | Expr::DistinctExpr(o) | Expr::NullIfExpr(o) => {
            add(out, ObjectAddress::new(pg_operator::TABLE, o.opno));
        }
        Expr::Aggref(a) => add(out, proc(a.aggfnoid)),
        Expr::WindowFunc(w) => add(out, proc(w.winfnoid)),
        Expr::NextValue { seqid, .. } => add(out, ObjectAddress::new(pg_class::TABLE, *seqid)),
        Expr::Const(c) => {
            add_type(out, c.consttype);
            if let (oids::REGCLASS, Datum::U32(v)) = (c.consttype, &c.value) {
                add(out, ObjectAddress::new(pg_class::TABLE, Oid(*v)));
            }
        }
        Expr::Relabel { result_type, .. }
        | Expr::CoerceViaIo { result_type, .. }
        | Expr::ArrayCoerce { result_type, .. }
        | Expr::CoerceToDomain { result_type, .. } => add_type(out, *result_type),
        Expr::Row { row_type, .. } => add_type(out, *row_type),
        _ => {}
    }
}

/// What an expression over one relation's row depends on.
pub fn of_expr(e: &Expr, rel: Oid) -> Vec<ObjectAddress> {
    let mut out = Vec::new();
    walk::walk(e, 0, &mut |x, _| {
        match x {
            Expr::Var(v) if v.varno == VarNo::Rte(1) => {
                let a = if v.attno > 0 {
                    ObjectAddress::column(rel, v.attno)
                } else {
                    ObjectAddress::new(pg_class::TABLE, rel)
                };
                add(&mut out, a);
            }
            x => node(x, &mut out),
        }
        true
    });
    out
}

/// Columns of the relation that an expression uses, in order of appearance.
pub fn columns_of(e: &Expr) -> Vec<i16> {
    let mut out = Vec::new();
    walk::walk(e, 0, &mut |x, _| {
        if let Expr::Var(v) = x
            && v.varno == VarNo::Rte(1)
            && !out.contains(&v.attno)
        {
            out.push(v.attno);
        }
        true
    });
    out
}

/// What a query depends on, sub-queries included.
pub fn of_query(q: &Query) -> Vec<ObjectAddress> {
    let mut out = Vec::new();
    query(q, &mut Vec::new(), &mut out);
    // A relation of which a column is named is depended upon through the column.
    let with_columns: Vec<Oid> = out.iter().filter(|a| a.sub != 0).map(|a| a.object).collect();
    out.retain(|a| a.class != pg_class::TABLE || a.sub != 0 || !with_columns.contains(&a.object));
    out
}

fn query<'a>(q: &'a Query, outer: &mut Vec<&'a Query>, out: &mut Vec<ObjectAddress>) {
    outer.push(q);
    for r in &q.rtable {
        if let RteKind::Relation { relid, .. } = &r.kind {
            add(out, ObjectAddress::new(pg_class::TABLE, *relid));
            for c in r.selected_cols.iter().filter(|c| **c > 0) {
                add(out, ObjectAddress::column(*relid, *c));
            }
        }
        if let RteKind::Function { functions, .. } = &r.kind {
            for f in functions {
                f.col_types.iter().for_each(|t| add_type(out, *t));
            }
        }
    }
    let sorts = q.group_clause.iter().chain(&q.distinct).chain(&q.sort);
    for op in sorts.flat_map(|c| [c.eqop, c.sortop]).filter(|o| o.is_valid()) {
        add(out, ObjectAddress::new(pg_operator::TABLE, op));
    }
    let used = without_join_columns(q);
    walk::query_exprs(&used, &mut |e| {
        walk::walk(e, 0, &mut |x, _| {
            match x {
                Expr::Var(v) => var(v, outer, out),
                x => node(x, out),
            }
            true
        });
    });
    let mut subs: Vec<&'a Query> = Vec::new();
    walk::subqueries(q, &mut |s| subs.push(s));
    walk::query_exprs(q, &mut |e| sublinks(e, &mut subs));
    for s in subs {
        query(s, outer, out);
    }
    outer.pop();
}

/// A join lists all columns of its sides: only those count that are something of their own (merged by USING).
fn without_join_columns(q: &Query) -> Query {
    let mut q = q.clone();
    for r in &mut q.rtable {
        if let RteKind::Join { alias_vars, .. } = &mut r.kind {
            alias_vars.retain(|e| !matches!(e, Expr::Var(_)));
        }
    }
    q
}

fn sublinks<'a>(e: &'a Expr, subs: &mut Vec<&'a Query>) {
    if let Expr::SubLink(s) = e
        && !subs.iter().any(|q| std::ptr::eq(*q, &*s.subselect))
    {
        subs.push(&s.subselect);
    }
    walk::children(e, &mut |c| sublinks(c, subs));
}

fn var(v: &analyze::expr::Var, outer: &[&Query], out: &mut Vec<ObjectAddress>) {
    let VarNo::Rte(n) = v.varno else { return };
    let Some(level) = outer.len().checked_sub(1 + v.levels_up as usize) else { return };
    let Some(rte) = outer[level].rtable.get((n as usize).wrapping_sub(1)) else { return };
    if let RteKind::Relation { relid, .. } = &rte.kind
        && v.attno > 0
    {
        add(out, ObjectAddress::column(*relid, v.attno));
    }
}

/// Records dependencies of one kind on a list of objects.
pub fn record(
    catalog: &Catalog,
    depender: ObjectAddress,
    on: &[ObjectAddress],
    kind: DependencyKind,
) -> Result<()> {
    on.iter().filter(|a| **a != depender).try_for_each(|a| catalog.record_dependency(depender, *a, kind))
}
