//! Resolved trees back to SQL text, as `pg_get_expr`, `pg_get_viewdef`, `pg_get_constraintdef`, `pg_get_indexdef` and
//! EXPLAIN print it. Expressions are in [`expr`], queries in [`query`]; both write into one [`Deparser`].

mod expr;
mod func;
mod modify;
mod query;

use crate::ctx::AnalyzeCtx;
use crate::expr::{Expr, Param, Var};
use crate::query::Query;
use crate::routine::SqlBody;
use common::Result;

/// How an expression is written.
#[derive(Clone, Copy)]
pub struct ExprStyle<'a> {
    /// Leave out parentheses that precedence makes superfluous (`pg_get_expr(…, true)`).
    pub pretty: bool,
    /// Break CASE over several lines (everything but EXPLAIN).
    pub indent: bool,
    /// Text of a Var (quoted as needed).
    pub var: &'a dyn Fn(&Var) -> String,
    /// Text of an Exec parameter, where it stands for something that has a name.
    pub param: Option<&'a dyn Fn(&Param) -> Option<String>>,
}

/// The names a query level shows: one per range table entry, with its column names.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scope {
    pub names: Vec<String>,
    pub cols: Vec<Vec<String>>,
    pub is_unnamed_join: Vec<bool>,
    pub windows: Vec<crate::query::WindowClause>,
    pub targets: Vec<crate::expr::TargetEntry>,
    pub join_vars: Vec<Option<Vec<Expr>>>,
    pub rtable: Vec<crate::query::RangeTblEntry>,
}

/// Writes SQL text.
pub(crate) struct Deparser<'a> {
    pub ctx: &'a AnalyzeCtx<'a>,
    pub out: String,
    pub pretty: bool,
    pub indent: bool,
    pub level: i32,
    pub style: Option<ExprStyle<'a>>,
    /// Do the output names of the query being written matter to anybody?
    pub names_visible: bool,
    /// Query levels, outermost first.
    pub scopes: Vec<Scope>,
    /// The function whose body this is, and the names of its parameters.
    pub params: Option<(&'a str, &'a [String])>,
    /// The query is the expression of RETURN.
    pub is_return: bool,
}

/// SQL text of an expression as `pg_get_expr(bin, rel)`: fully parenthesised. `name_of` says how a Var is written.
pub fn expr_to_sql(ctx: &AnalyzeCtx<'_>, e: &Expr, name_of: &dyn Fn(&Var) -> String) -> Result<String> {
    expr_to_sql_styled(ctx, e, ExprStyle { pretty: false, indent: true, var: name_of, param: None })
}

/// SQL text of an expression in a given style.
pub fn expr_to_sql_styled<'a>(ctx: &'a AnalyzeCtx<'a>, e: &Expr, style: ExprStyle<'a>) -> Result<String> {
    let mut d = Deparser {
        ctx,
        out: String::new(),
        pretty: style.pretty,
        indent: style.indent,
        level: 0,
        style: Some(style),
        names_visible: true,
        scopes: Vec::new(),
        params: None,
        is_return: false,
    };
    d.expr(e, false)?;
    Ok(d.out)
}

/// Does an index or partition key have to put this expression in parentheses?
pub fn looks_like_function(e: &Expr) -> bool {
    match e {
        Expr::Func(f) => {
            matches!(f.form, crate::expr::CoercionForm::ExplicitCall | crate::expr::CoercionForm::SqlSyntax)
        }
        Expr::Coalesce { .. } | Expr::MinMax { .. } | Expr::SqlValueFunction { .. } | Expr::NullIfExpr(_) => {
            true
        }
        _ => false,
    }
}

/// SQL text of a query as `pg_get_viewdef`, without the closing semicolon. `pretty` as in its second argument.
pub fn query_to_sql_styled(ctx: &AnalyzeCtx<'_>, q: &Query, pretty: bool) -> Result<String> {
    let names: Vec<String> = crate::output_columns(q).into_iter().map(|c| c.name.to_string()).collect();
    view_to_sql(ctx, q, &names, pretty)
}

/// The same with these names for its columns: what a view's are called now.
pub fn view_to_sql(ctx: &AnalyzeCtx<'_>, q: &Query, names: &[String], pretty: bool) -> Result<String> {
    let mut d = Deparser {
        ctx,
        out: String::new(),
        pretty,
        indent: true,
        level: 0,
        style: None,
        names_visible: true,
        scopes: Vec::new(),
        params: None,
        is_return: false,
    };
    d.query(q, Some(names))?;
    Ok(d.out)
}

/// SQL text of a query as `pg_get_viewdef(…, true)`, without the closing semicolon.
pub fn query_to_sql(ctx: &AnalyzeCtx<'_>, q: &Query) -> Result<String> {
    query_to_sql_styled(ctx, q, true)
}

/// The body of a function as `pg_get_function_sqlbody` prints it. `names` are those of its input parameters.
pub fn body_to_sql(ctx: &AnalyzeCtx<'_>, body: &SqlBody, name: &str, names: &[String]) -> Result<String> {
    let one = |q: &Query, level: i32, is_return: bool| -> Result<String> {
        let mut d = Deparser {
            ctx,
            out: String::new(),
            pretty: false,
            indent: true,
            level,
            style: None,
            names_visible: false,
            // The function stands around the query: columns are qualified.
            scopes: vec![Scope::default()],
            params: Some((name, names)),
            is_return,
        };
        d.query(q, None)?;
        Ok(d.out)
    };
    match body {
        SqlBody::Return(q) => one(q, 0, true),
        SqlBody::Atomic(list) => {
            let mut out = String::from("BEGIN ATOMIC\n");
            for q in list {
                out.push_str(&one(q, 1, false)?);
                out.push_str(";\n");
            }
            out.push_str("END");
            Ok(out)
        }
    }
}
