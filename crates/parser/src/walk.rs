//! Visiting the raw tree: the direct children of a node, in the order written. The visitor decides whether and how to go
//! deeper, so that it can keep state on the way.

use crate::ast::*;
use common::Result;

/// A part of a statement that can hold queries or table names.
#[derive(Clone, Copy)]
pub enum Node<'a> {
    Expr(&'a Expr),
    Select(&'a SelectStmt),
    Table(&'a TableExpr),
    Statement(&'a Statement),
}

/// What a visitor is: called for each child.
pub type Visit<'a, 'f> = &'f mut dyn FnMut(Node<'a>) -> Result<()>;

fn exprs<'a>(list: impl IntoIterator<Item = &'a Expr>, f: Visit<'a, '_>) -> Result<()> {
    list.into_iter().try_for_each(|e| f(Node::Expr(e)))
}

fn indirection<'a>(list: &'a [Indirection], f: Visit<'a, '_>) -> Result<()> {
    list.iter().try_for_each(|i| match i {
        Indirection::Index(e) => f(Node::Expr(e)),
        Indirection::Slice { lower, upper } => exprs(lower.iter().chain(upper), f),
        Indirection::Field(_) | Indirection::Star => Ok(()),
    })
}

fn targets<'a>(list: &'a [ResTarget], f: Visit<'a, '_>) -> Result<()> {
    list.iter().try_for_each(|t| {
        indirection(&t.indirection, f)?;
        exprs(&t.val, f)
    })
}

fn sorts<'a>(list: &'a [SortBy], f: Visit<'a, '_>) -> Result<()> {
    list.iter().try_for_each(|s| f(Node::Expr(&s.node)))
}

fn group_items<'a>(list: &'a [GroupByItem], f: Visit<'a, '_>) -> Result<()> {
    list.iter().try_for_each(|g| match g {
        GroupByItem::Expr(e) => f(Node::Expr(e)),
        GroupByItem::GroupingSet(s) => group_items(&s.content, f),
    })
}

fn window<'a>(w: &'a WindowDef, f: Visit<'a, '_>) -> Result<()> {
    exprs(&w.partition_clause, f)?;
    sorts(&w.order_clause, f)?;
    let Some(frame) = &w.frame else { return Ok(()) };
    [&frame.start, &frame.end].into_iter().try_for_each(|b| match b {
        FrameBound::OffsetPreceding(e) | FrameBound::OffsetFollowing(e) => f(Node::Expr(e)),
        _ => Ok(()),
    })
}

/// Children of a SELECT but for its WITH clause, whose names the visitor has to know first.
pub fn select_children<'a>(s: &'a SelectStmt, f: Visit<'a, '_>) -> Result<()> {
    if let Some(DistinctClause::On(list)) = &s.distinct_clause {
        exprs(list, f)?;
    }
    targets(&s.target_list, f)?;
    s.from_clause.iter().try_for_each(|t| f(Node::Table(t)))?;
    exprs(&s.where_clause, f)?;
    group_items(&s.group_clause, f)?;
    exprs(&s.having_clause, f)?;
    s.window_clause.iter().try_for_each(|w| window(w, f))?;
    exprs(s.values_lists.iter().flatten(), f)?;
    for arm in s.larg.iter().chain(&s.rarg) {
        f(Node::Select(arm))?;
    }
    select_tail(s, f)
}

/// ORDER BY, OFFSET and LIMIT of a SELECT.
pub fn select_tail<'a>(s: &'a SelectStmt, f: Visit<'a, '_>) -> Result<()> {
    sorts(&s.sort_clause, f)?;
    exprs(s.limit_offset.iter().chain(&s.limit_count), f)
}

/// Children of an item of FROM.
pub fn table_children<'a>(t: &'a TableExpr, f: Visit<'a, '_>) -> Result<()> {
    match t {
        TableExpr::RangeVar(_) => Ok(()),
        TableExpr::RangeSubselect(s) => f(Node::Select(&s.subquery)),
        TableExpr::RangeFunction(r) => exprs(r.functions.iter().map(|i| &i.func), f),
        TableExpr::RangeTableFunc(x) => {
            exprs([&x.docexpr, &x.rowexpr], f)?;
            targets(&x.namespaces, f)?;
            exprs(x.columns.iter().flat_map(|c| c.colexpr.iter().chain(&c.coldefexpr)), f)
        }
        TableExpr::JoinExpr(j) => {
            f(Node::Table(&j.larg))?;
            f(Node::Table(&j.rarg))?;
            exprs(&j.quals, f)
        }
        TableExpr::RangeTableSample(s) => exprs(s.args.iter().chain(&s.repeatable), f),
    }
}

/// Children of a data-changing statement but for its WITH clause. Other statements have none.
pub fn statement_children<'a>(s: &'a Statement, f: Visit<'a, '_>) -> Result<()> {
    match s {
        Statement::Select(s) => f(Node::Select(s)),
        Statement::Insert(i) => {
            targets(&i.cols, f)?;
            i.select_stmt.iter().try_for_each(|s| f(Node::Select(s)))?;
            if let Some(c) = &i.on_conflict_clause {
                targets(&c.target_list, f)?;
                exprs(&c.where_clause, f)?;
            }
            targets(&i.returning_list, f)
        }
        Statement::Update(u) => {
            targets(&u.target_list, f)?;
            u.from_clause.iter().try_for_each(|t| f(Node::Table(t)))?;
            exprs(&u.where_clause, f)?;
            targets(&u.returning_list, f)
        }
        Statement::Delete(d) => {
            d.using_clause.iter().try_for_each(|t| f(Node::Table(t)))?;
            exprs(&d.where_clause, f)?;
            targets(&d.returning_list, f)
        }
        Statement::Merge(m) => {
            f(Node::Table(&m.source_relation))?;
            f(Node::Expr(&m.join_condition))?;
            m.merge_when_clauses.iter().try_for_each(|w| {
                exprs(&w.condition, f)?;
                match &w.action {
                    MergeAction::Update { target_list } => targets(target_list, f),
                    MergeAction::Insert { values, .. } => exprs(values.iter().flatten(), f),
                    MergeAction::DoNothing | MergeAction::Delete => Ok(()),
                }
            })
        }
        _ => Ok(()),
    }
}

/// Children of an expression.
pub fn expr_children<'a>(e: &'a Expr, f: Visit<'a, '_>) -> Result<()> {
    match e {
        Expr::ColumnRef(_)
        | Expr::ParamRef(_)
        | Expr::AConst(_)
        | Expr::SQLValueFunction(_)
        | Expr::CurrentOfExpr(_)
        | Expr::SetToDefault(_) => Ok(()),
        Expr::AExpr(x) => exprs(x.lexpr.iter().chain(&x.rexpr).chain(&x.list), f),
        Expr::BoolExpr(b) => exprs(&b.args, f),
        Expr::NullTest(n) => f(Node::Expr(&n.arg)),
        Expr::BooleanTest(b) => f(Node::Expr(&b.arg)),
        Expr::TypeCast(t) => f(Node::Expr(&t.arg)),
        Expr::CollateClause(c) => exprs(&c.arg, f),
        Expr::FuncCall(c) => {
            exprs(&c.args, f)?;
            sorts(&c.agg_order, f)?;
            exprs(&c.agg_filter, f)?;
            c.over.iter().try_for_each(|w| window(w, f))
        }
        Expr::NamedArgExpr(n) => f(Node::Expr(&n.arg)),
        Expr::SubLink(s) => {
            exprs(&s.testexpr, f)?;
            f(Node::Select(&s.subselect))
        }
        Expr::CaseExpr(c) => {
            exprs(&c.arg, f)?;
            exprs(c.args.iter().flat_map(|w| [&w.expr, &w.result]), f)?;
            exprs(&c.defresult, f)
        }
        Expr::CoalesceExpr(c) => exprs(&c.args, f),
        Expr::MinMaxExpr(m) => exprs(&m.args, f),
        Expr::AArrayExpr(a) => exprs(&a.elements, f),
        Expr::RowExpr(r) => exprs(&r.args, f),
        Expr::AIndirection(i) => {
            f(Node::Expr(&i.arg))?;
            indirection(&i.indirection, f)
        }
        Expr::GroupingFunc(g) => exprs(&g.args, f),
        Expr::XmlExpr(x) => {
            targets(&x.named_args, f)?;
            exprs(&x.args, f)
        }
        Expr::XmlSerialize(x) => f(Node::Expr(&x.expr)),
        Expr::MultiAssignRef(m) => exprs(&m.source, f),
    }
}

/// The WITH clause of a statement.
pub fn with_clause(s: &Statement) -> Option<&WithClause> {
    match s {
        Statement::Select(s) => s.with_clause.as_deref(),
        Statement::Insert(s) => s.with_clause.as_deref(),
        Statement::Update(s) => s.with_clause.as_deref(),
        Statement::Delete(s) => s.with_clause.as_deref(),
        Statement::Merge(s) => s.with_clause.as_deref(),
        _ => None,
    }
}
