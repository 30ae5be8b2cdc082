//! Stored expressions as text.

use super::super::{env, with_analyze};
use analyze::expr::{Expr, Var};
use analyze::names::quote_ident;
use analyze::{ExprStyle, expr_to_sql_styled, load_expr};
use catalog::Ref;
use catalog::desc::Relation;
use common::{Oid, Result};
use types::CallCtx;

/// Text of an expression over the columns of one relation.
pub fn text(c: &CallCtx<'_>, e: &Expr, rel: Option<&Relation>, pretty: bool) -> Result<String> {
    let column = |v: &Var| match (rel, v.attno) {
        (Some(r), n) if n > 0 => {
            r.desc.attrs.get(n as usize - 1).map_or_else(|| "???".into(), |a| quote_ident(&a.name))
        }
        (_, n) => system_column(n).into(),
    };
    let style = ExprStyle { pretty, indent: true, var: &column, param: None };
    with_analyze(c, |a| expr_to_sql_styled(a, e, style))
}

fn system_column(attno: i16) -> &'static str {
    match attno {
        -1 => "ctid",
        -2 => "xmin",
        -3 => "cmin",
        -4 => "xmax",
        -5 => "cmax",
        -6 => "tableoid",
        _ => "???",
    }
}

/// Text of a stored expression, or of a list of them.
pub fn stored(c: &CallCtx<'_>, json: &str, rel: Option<&Relation>, pretty: bool) -> Result<String> {
    if json.trim_start().starts_with('[') {
        let list: Vec<Expr> = load_expr(json)?;
        let parts: Result<Vec<String>> = list.iter().map(|e| text(c, e, rel, pretty)).collect();
        return Ok(parts?.join(", "));
    }
    text(c, &load_expr(json)?, rel, pretty)
}

/// `pg_get_expr`. NULL when the relation is gone.
pub fn get_expr(c: &CallCtx<'_>, json: &str, relid: u32, pretty: bool) -> Result<Option<String>> {
    let rel: Option<Ref<Relation>> = match relid {
        0 => None,
        oid => match env(c)?.catalog.relation_if_any(Oid(oid))? {
            Some(r) => Some(r),
            None => return Ok(None),
        },
    };
    stored(c, json, rel.as_deref(), pretty).map(Some)
}
