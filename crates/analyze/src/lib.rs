//! Name and type resolution: raw parse tree → [`query::Query`], rewriting (views), and deparsing back to SQL.
//! The session loop and `commands` call [`analyze`] and [`rewrite`]; DDL calls [`transform_expr_for`].
#![forbid(unsafe_code)]

pub mod ctx;
pub mod expr;
pub mod info;
pub mod names;
pub mod query;
pub mod typename;
pub mod walk;

pub use ctx::{AnalyzeCtx, Analyzed, ExprContext, ExprRel, ExprTarget, OutputColumn, ParamTypes};
pub use typename::{format_type, format_type_short, resolve_type_name};

use common::{Error, Result};
use expr::Expr;
use query::Query;

/// Resolves one raw statement. SELECT, INSERT, UPDATE and DELETE become a [`Query`]; everything else is handed back
/// for `commands`. With `params.variable`, types of `$n` are inferred and left in `params.types`.
pub fn analyze(_ctx: &AnalyzeCtx<'_>, _raw: &parser::RawStmt, _params: &mut ParamTypes) -> Result<Analyzed> {
    Err(Error::unsupported("analysis"))
}

/// Expands views, fills in INSERT's defaults and column-level details. The result is what the planner gets.
pub fn rewrite(_ctx: &AnalyzeCtx<'_>, _query: Query) -> Result<Vec<Query>> {
    Err(Error::unsupported("rewriting"))
}

/// Resolves a stand-alone expression of DDL (default, CHECK, index …), with the restrictions and error texts of its
/// context. Columns of `rel` appear as `Var { varno: Rte(1) }`. With `target`, the result is coerced to it by
/// assignment rules (defaults) or must be of it.
pub fn transform_expr_for(
    _ctx: &AnalyzeCtx<'_>,
    _expr: &parser::Expr,
    _context: ExprContext,
    _rel: Option<ExprRel<'_>>,
    _target: Option<ExprTarget<'_>>,
) -> Result<Expr> {
    Err(Error::unsupported("expression analysis"))
}

/// Coerces a resolved expression to a column's type as INSERT does; `None` if there is no assignment cast.
pub fn coerce_for_assignment(
    _ctx: &AnalyzeCtx<'_>,
    _expr: Expr,
    _type_oid: common::Oid,
    _typmod: i32,
) -> Result<Option<Expr>> {
    Err(Error::unsupported("coercion"))
}

/// The text stored in a catalog for an expression.
pub fn store_expr<T: serde::Serialize>(e: &T) -> Result<String> {
    serde_json::to_string(e).map_err(|e| Error::internal(format!("could not store expression: {e}")))
}

/// Reads back what [`store_expr`] wrote.
pub fn load_expr<T: serde::de::DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|e| Error::internal(format!("could not read stored expression: {e}")))
}

/// The columns a query returns (RETURNING's for data-modifying ones), junk left out.
pub fn output_columns(query: &Query) -> Vec<OutputColumn> {
    let list = match query.command {
        query::CmdType::Select => &query.target_list,
        _ => &query.returning,
    };
    list.iter()
        .filter(|t| !t.junk)
        .map(|t| OutputColumn {
            name: t.name.clone().unwrap_or_else(|| "?column?".into()),
            type_oid: info::expr_type(&t.expr),
            typmod: info::expr_typmod(&t.expr),
            collation: info::expr_collation(&t.expr),
            orig_table: t.orig.0,
            orig_attno: t.orig.1,
        })
        .collect()
}

/// SQL text of an expression, as `pg_get_expr`. `name_of` says how a Var is written (already quoted).
pub fn expr_to_sql(
    _ctx: &AnalyzeCtx<'_>,
    _expr: &Expr,
    _name_of: &dyn Fn(&expr::Var) -> String,
) -> Result<String> {
    Err(Error::unsupported("deparsing"))
}

/// SQL text of a query, as `pg_get_viewdef` (pretty) with the closing semicolon left out.
pub fn query_to_sql(_ctx: &AnalyzeCtx<'_>, _query: &Query) -> Result<String> {
    Err(Error::unsupported("deparsing"))
}
