//! Bodies of SQL functions: what the last statement returns must fit what the function declares, and is converted to it.
//! Called when a function is created, before it runs and before it is merged into a query.

use crate::coerce::{Context, make_const};
use crate::ctx::{AnalyzeCtx, ParamTypes};
use crate::expr::*;
use crate::info::{expr_collation, expr_type, expr_typmod};
use crate::query::*;
use crate::rte::new_rte;
use crate::scope::Analyzer;
use crate::select::new_query;
use crate::typename::format_type_short;
use common::{Error, Oid, Result, err};
use serde::{Deserialize, Serialize};
use types::{Datum, TupleDesc, oids};

/// What a function returns, resolved for one call: polymorphic types stand for something.
pub struct Declared<'a> {
    pub ret_type: Oid,
    /// Columns of the result, where they are known: of a composite type, of OUT parameters, of a column definition list.
    pub columns: Option<&'a TupleDesc>,
    pub is_procedure: bool,
}

/// A body in standard SQL, as stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum SqlBody {
    /// RETURN expression.
    Return(Box<Query>),
    /// BEGIN ATOMIC … END.
    Atomic(Vec<Query>),
}

impl SqlBody {
    /// The statements.
    pub fn queries(&self) -> &[Query] {
        match self {
            SqlBody::Return(q) => std::slice::from_ref(q),
            SqlBody::Atomic(list) => list,
        }
    }
}

/// How the last statement's columns make the function's result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// There is none.
    Void,
    /// The only column is the value.
    Value,
    /// The columns are the fields of a row.
    Columns,
}

fn mismatch(ctx: &AnalyzeCtx<'_>, d: &Declared<'_>, detail: impl Into<String>) -> Error {
    err!(
        INVALID_FUNCTION_DEFINITION,
        "return type mismatch in function declared to return {}",
        format_type_short(ctx, d.ret_type)
    )
    .detail(detail)
}

/// Checks the last statement of a body (`None`: there is none that counts) and converts its columns. 42P13.
pub fn check_result(ctx: &AnalyzeCtx<'_>, last: Option<&mut Query>, d: &Declared<'_>) -> Result<Shape> {
    if d.ret_type == oids::VOID {
        return Ok(Shape::Void);
    }
    let q = match last {
        Some(q) if q.command == CmdType::Select || !q.returning.is_empty() => q,
        _ => {
            return Err(mismatch(
                ctx,
                d,
                "Function's final statement must be SELECT or INSERT/UPDATE/DELETE RETURNING.",
            ));
        }
    };
    let t = ctx.catalog.type_desc(d.ret_type)?;
    let width = list_of(q).iter().filter(|t| !t.junk).count();
    match t.typtype {
        b'b' | b'd' | b'e' | b'r' | b'm' => {
            if width != 1 {
                return Err(mismatch(ctx, d, "Final statement must return exactly one column."));
            }
            if !convert(ctx, q, &[Some((d.ret_type, -1))])? {
                let actual = expr_type(&list_of(q)[first_column(q)].expr);
                let shown = format_type_short(ctx, actual);
                return Err(mismatch(ctx, d, format!("Actual return type is {shown}.")));
            }
            Ok(Shape::Value)
        }
        b'c' => row_result(ctx, q, d, width),
        _ if d.ret_type == oids::RECORD => row_result(ctx, q, d, width),
        _ => Err(err!(
            INVALID_FUNCTION_DEFINITION,
            "return type {} is not supported for SQL functions",
            format_type_short(ctx, d.ret_type)
        )),
    }
}

fn row_result(ctx: &AnalyzeCtx<'_>, q: &mut Query, d: &Declared<'_>, width: usize) -> Result<Shape> {
    if width == 1 && !d.is_procedure && convert(ctx, q, &[Some((d.ret_type, -1))])? {
        return Ok(Shape::Value);
    }
    let Some(desc) = d.columns else { return Ok(Shape::Columns) };
    let mut wanted = Vec::new();
    for a in &desc.attrs {
        wanted.push((!a.dropped).then_some((a.type_oid, a.typmod)));
    }
    let live = wanted.iter().flatten().count();
    let types: Vec<Oid> = list_of(q).iter().filter(|t| !t.junk).map(|t| expr_type(&t.expr)).collect();
    let shown: Vec<(Oid, i32)> = wanted.iter().flatten().copied().collect();
    for (i, t) in types.iter().enumerate() {
        let Some((want, _)) = shown.get(i) else {
            return Err(mismatch(ctx, d, "Final statement returns too many columns."));
        };
        if !ctx.can_coerce(&[*t], &[*want], Context::Assignment)? {
            return Err(mismatch(
                ctx,
                d,
                format!(
                    "Final statement returns {} instead of {} at column {}.",
                    format_type_short(ctx, *t),
                    format_type_short(ctx, *want),
                    i + 1
                ),
            ));
        }
    }
    if types.len() < live {
        return Err(mismatch(ctx, d, "Final statement returns too few columns."));
    }
    convert(ctx, q, &wanted)?;
    Ok(Shape::Columns)
}

fn list_of(q: &Query) -> &Vec<TargetEntry> {
    if q.command == CmdType::Select { &q.target_list } else { &q.returning }
}

fn first_column(q: &Query) -> usize {
    list_of(q).iter().position(|t| !t.junk).unwrap_or(0)
}

/// Converts the output columns to the types wanted (`None`: the NULL of a dropped column); false if one has no
/// assignment cast. Where the columns matter to the query itself, it becomes a sub-query.
fn convert(ctx: &AnalyzeCtx<'_>, q: &mut Query, wanted: &[Option<(Oid, i32)>]) -> Result<bool> {
    let mut entries = list_of(q).iter().filter(|t| !t.junk);
    let mut exprs = Vec::new();
    let mut free = q.set_operations.is_none();
    let mut changes = false;
    let mut an = Analyzer::new(ctx, ParamTypes::none());
    an.push_level();
    for w in wanted {
        let Some((t, typmod)) = *w else {
            exprs.push(make_const(oids::INT4, Datum::Null));
            changes = true;
            continue;
        };
        let Some(e) = entries.next() else { return Ok(false) };
        let is_const = matches!(e.expr, Expr::Const(_));
        let done = an.coerce_to_target(
            e.expr.clone(),
            t,
            typmod,
            Context::Assignment,
            CoercionForm::ImplicitCast,
            None,
        )?;
        let Some(mut x) = done else { return Ok(false) };
        crate::collation::assign(ctx, &mut x)?;
        if x != e.expr {
            changes = true;
            free &= e.sort_group_ref == 0 || is_const;
        }
        exprs.push(x);
    }
    if !changes {
        return Ok(true);
    }
    if q.command != CmdType::Select {
        free = true;
    }
    if free {
        put_columns(q, exprs, wanted);
        return Ok(true);
    }
    wrap(ctx, q, wanted)
}

/// Replaces the output columns in place.
fn put_columns(q: &mut Query, exprs: Vec<Expr>, wanted: &[Option<(Oid, i32)>]) {
    let list = if q.command == CmdType::Select { &mut q.target_list } else { &mut q.returning };
    let mut old: Vec<TargetEntry> = std::mem::take(list);
    let junk: Vec<TargetEntry> = old.iter().filter(|t| t.junk).cloned().collect();
    old.retain(|t| !t.junk);
    let mut old = old.into_iter();
    for (e, w) in exprs.into_iter().zip(wanted) {
        let resno = list.len() as i16 + 1;
        match w {
            Some(_) => {
                if let Some(t) = old.next() {
                    list.push(TargetEntry { expr: e, resno, ..t });
                }
            }
            None => list.push(TargetEntry {
                expr: e,
                resno,
                name: None,
                sort_group_ref: 0,
                orig: (Oid::INVALID, 0),
                junk: false,
            }),
        }
    }
    for t in junk {
        let resno = list.len() as i16 + 1;
        list.push(TargetEntry { resno, ..t });
    }
}

/// `SELECT (converted columns) FROM (the query)`.
fn wrap(ctx: &AnalyzeCtx<'_>, q: &mut Query, wanted: &[Option<(Oid, i32)>]) -> Result<bool> {
    let columns = crate::output_columns(q);
    let mut outer = Query { location: q.location, ..new_query(CmdType::Select) };
    let inner = std::mem::replace(q, new_query(CmdType::Select));
    let kind =
        RteKind::Subquery { query: Box::new(inner), lateral: false, security_barrier: false, view: None };
    let mut rte = new_rte(kind, None, "*SELECT*");
    for c in &columns {
        rte.push_column(c.name.clone(), c.type_oid, c.typmod, c.collation);
    }
    outer.rtable.push(rte);
    outer.jointree.from.push(JoinTree::Rte(1));
    for (i, c) in columns.iter().enumerate() {
        outer.target_list.push(TargetEntry {
            expr: Expr::Var(Var {
                varno: VarNo::Rte(1),
                attno: i as i16 + 1,
                vartype: c.type_oid,
                typmod: c.typmod,
                collation: c.collation,
                levels_up: 0,
                syn: (1, i as i16 + 1),
                location: None,
            }),
            resno: i as i16 + 1,
            name: Some(c.name.clone()),
            sort_group_ref: 0,
            orig: (Oid::INVALID, 0),
            junk: false,
        });
    }
    *q = outer;
    convert(ctx, q, wanted)
}

/// Types of a query's columns with typmods and collations, as attributes of the rows it returns.
pub fn column_shapes(q: &Query) -> Vec<(Oid, i32, Oid)> {
    list_of(q)
        .iter()
        .filter(|t| !t.junk)
        .map(|t| (expr_type(&t.expr), expr_typmod(&t.expr), expr_collation(&t.expr)))
        .collect()
}

/// Result type of a call and the types its arguments were declared with, pseudo-types replaced. 42804 if they do not
/// determine each other.
pub fn resolve_types(ctx: &AnalyzeCtx<'_>, actual: &[Oid], declared: &mut [Oid], result: Oid) -> Result<Oid> {
    crate::polymorphic::enforce(ctx, actual, declared, result)
}

/// Resolves a parameter's default value.
pub fn default_value(ctx: &AnalyzeCtx<'_>, raw: &parser::Expr, t: Oid) -> Result<Expr> {
    let mut an = Analyzer::new(ctx, ParamTypes::none());
    an.push_level();
    let kind = crate::kind::ExprKind::of(crate::ctx::ExprContext::FunctionDefault);
    let e = an.transform_expr_kind(raw, kind)?;
    let mut e = an.coerce_to_specific(e, t, -1, "DEFAULT")?;
    crate::collation::assign(ctx, &mut e)?;
    if crate::walk::contains(&e, &mut |x, _| matches!(x, Expr::Var(_))) {
        return Err(err!(INVALID_COLUMN_REFERENCE, "cannot use table references in parameter default value"));
    }
    crate::compare::strip_locations(&mut e);
    Ok(e)
}
