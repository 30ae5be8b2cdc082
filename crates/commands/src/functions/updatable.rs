//! `pg_relation_is_updatable` and `pg_column_is_updatable`: which changes a relation takes. A view takes them when it is simple enough
//! to stand for rows of one table.

use super::env;
use analyze::expr::Expr;
use analyze::query::{CmdType, Query, RteKind};
use catalog::desc::Relation;
use common::{Oid, Result};
use types::{CallCtx, FnImpl, c2, c3};

pub static TABLE: &[(u32, FnImpl)] = &[(3842, c2!(relation)), (3843, c3!(column))];

/// UPDATE, INSERT and DELETE as bits of their command numbers.
const ALL: i32 = 1 << 2 | 1 << 3 | 1 << 4;

fn relation(c: &CallCtx<'_>, oid: u32, _triggers: bool) -> Result<i32> {
    Ok(if changes(c, Oid(oid), None, 0)? { ALL } else { 0 })
}

fn column(c: &CallCtx<'_>, oid: u32, attnum: i16, _triggers: bool) -> Result<bool> {
    Ok(attnum > 0 && changes(c, Oid(oid), Some(attnum), 0)?)
}

/// Most views on views that are followed.
const DEPTH_MAX: u32 = 100;

fn changes(c: &CallCtx<'_>, oid: Oid, column: Option<i16>, depth: u32) -> Result<bool> {
    let Some(r) = env(c)?.catalog.relation_if_any(oid)? else { return Ok(false) };
    match r.kind {
        b'r' | b'p' => Ok(true),
        b'v' if depth < DEPTH_MAX => view(c, &r, column, depth),
        _ => Ok(false),
    }
}

fn view(c: &CallCtx<'_>, r: &Relation, column: Option<i16>, depth: u32) -> Result<bool> {
    let Some(text) = &r.view_query else { return Ok(false) };
    let q: Query = analyze::load_expr(text)?;
    let Some(base) = base_of(&q) else { return Ok(false) };
    let plain = |e: &Expr| match e {
        Expr::Var(v) if v.attno > 0 && v.levels_up == 0 => Some(v.attno),
        _ => None,
    };
    let mut targets = q.target_list.iter().filter(|t| !t.junk).map(|t| plain(&t.expr));
    match column {
        None => Ok(targets.any(|t| t.is_some()) && changes(c, base, None, depth + 1)?),
        Some(n) => match targets.nth(n as usize - 1).flatten() {
            Some(attno) => changes(c, base, Some(attno), depth + 1),
            None => Ok(false),
        },
    }
}

/// The one relation of a query whose rows are its rows.
fn base_of(q: &Query) -> Option<Oid> {
    let simple = q.command == CmdType::Select
        && q.set_operations.is_none()
        && !q.has_aggs
        && !q.has_window_funcs
        && !q.has_target_srfs
        && q.group_clause.is_empty()
        && q.having.is_none()
        && q.distinct.is_empty()
        && q.limit_count.is_none()
        && q.limit_offset.is_none()
        && q.ctes.is_empty();
    match q.rtable.as_slice() {
        [one] if simple => match &one.kind {
            RteKind::Relation { relid, tablesample: None, .. } => Some(*relid),
            _ => None,
        },
        _ => None,
    }
}
