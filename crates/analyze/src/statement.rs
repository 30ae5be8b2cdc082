//! Entry points for whole statements, and the check that all parameter types were found.

use crate::ctx::{AnalyzeCtx, Analyzed, ParamTypes};
use crate::expr::*;
use crate::query::*;
use crate::scope::Analyzer;
use crate::walk;
use common::{Error, Oid, Result, err};
use parser::{RawStmt, Statement};
use types::oids;

/// Resolves one raw statement. SELECT, INSERT, UPDATE and DELETE become a [`Query`]; everything else is handed back
/// for `commands` (SELECT INTO as CREATE TABLE AS). With `params.variable`, types of `$n` are inferred and left in
/// `params.types`.
pub fn analyze(ctx: &AnalyzeCtx<'_>, raw: &RawStmt, params: &mut ParamTypes) -> Result<Analyzed> {
    let mut an = Analyzer::new(ctx, std::mem::take(params));
    let r = statement(&mut an, &raw.stmt);
    *params = std::mem::take(&mut an.params);
    let mut q = match r? {
        Some(q) => q,
        None => {
            if params.variable {
                infer_contained(ctx, &raw.stmt, params)?;
            }
            let other = matches!(raw.stmt, Statement::Select(_)).then(|| Box::new(select_into(&raw.stmt)));
            return Ok(Analyzed::Utility(other));
        }
    };
    q.location = (raw.location, raw.len);
    if params.variable {
        check_params(params, &q)?;
    }
    Ok(Analyzed::Query(Box::new(q)))
}

/// The types of parameters in the query that a utility statement contains.
fn infer_contained(ctx: &AnalyzeCtx<'_>, s: &Statement, params: &mut ParamTypes) -> Result<()> {
    let stmt = match s {
        Statement::Explain(e) => e.query.clone(),
        Statement::CreateTableAs(c) => c.query.clone(),
        Statement::DeclareCursor(d) => Statement::Select(d.query.clone()),
        Statement::Select(_) => match select_into(s) {
            Statement::CreateTableAs(c) => c.query.clone(),
            _ => return Ok(()),
        },
        _ => return Ok(()),
    };
    let raw = RawStmt { stmt, location: 0, len: ctx.source.len() };
    analyze(ctx, &raw, params).map(|_| ())
}

/// Resolves a SELECT inside another statement (view, cursor …).
pub fn analyze_select(
    ctx: &AnalyzeCtx<'_>,
    s: &parser::SelectStmt,
    params: &mut ParamTypes,
) -> Result<Query> {
    let raw = RawStmt { stmt: Statement::Select(Box::new(s.clone())), location: 0, len: ctx.source.len() };
    match analyze(ctx, &raw, params)? {
        Analyzed::Query(q) => Ok(*q),
        Analyzed::Utility(_) => Err(Error::internal("SELECT INTO where a query was expected")),
    }
}

fn leftmost(s: &parser::SelectStmt) -> &parser::SelectStmt {
    match &s.larg {
        Some(l) => leftmost(l),
        None => s,
    }
}

fn statement(an: &mut Analyzer<'_>, s: &Statement) -> Result<Option<Query>> {
    an.push_level();
    match s {
        Statement::Select(s) if leftmost(s).into_clause.is_some() => Ok(None),
        Statement::Select(s) => an.transform_select(s).map(Some),
        Statement::Insert(s) => an.transform_insert(s).map(Some),
        Statement::Update(s) => an.transform_update(s).map(Some),
        Statement::Delete(s) => an.transform_delete(s).map(Some),
        Statement::Merge(s) => an.transform_merge(s).map(Some),
        _ => Ok(None),
    }
}

/// SELECT INTO is CREATE TABLE AS in other words.
pub fn select_into(s: &Statement) -> Statement {
    let Statement::Select(sel) = s else { return s.clone() };
    let mut sel = sel.clone();
    let mut at: &mut parser::SelectStmt = &mut sel;
    while at.into_clause.is_none() {
        match &mut at.larg {
            Some(l) => at = l,
            None => return s.clone(),
        }
    }
    let Some(into) = at.into_clause.take() else { return s.clone() };
    Statement::CreateTableAs(Box::new(parser::CreateTableAsStmt {
        query: Statement::Select(sel),
        into: *into,
        objtype: parser::ObjectType::Table,
        if_not_exists: false,
    }))
}

/// Every `$n` must have got a type, the same at every use (42P18, 42P08).
fn check_params(params: &ParamTypes, q: &Query) -> Result<()> {
    if params.types.is_empty() {
        // None was used.
        return Ok(());
    }
    let mut bad: Option<Error> = None;
    walk::walk_query(q, 0, &mut |e, _| {
        if let Expr::Param(p) = e
            && p.kind == ParamKind::External
            && bad.is_none()
        {
            let t = params.types.get(p.id as usize - 1).copied().unwrap_or(Oid::INVALID);
            if t == oids::UNKNOWN || !t.is_valid() || p.paramtype == oids::UNKNOWN {
                bad = Some(
                    err!(INDETERMINATE_DATATYPE, "could not determine data type of parameter ${}", p.id)
                        .at_if_none(p.location),
                );
            } else if p.paramtype != t {
                bad = Some(
                    err!(AMBIGUOUS_PARAMETER, "inconsistent types deduced for parameter ${}", p.id)
                        .at_if_none(p.location),
                );
            }
        }
        bad.is_none()
    });
    if let Some(e) = bad {
        return Err(e);
    }
    // Numbers never mentioned have no type either.
    match params.types.iter().position(|t| !t.is_valid() || *t == oids::UNKNOWN) {
        Some(i) => Err(err!(INDETERMINATE_DATATYPE, "could not determine data type of parameter ${}", i + 1)),
        None => Ok(()),
    }
}
