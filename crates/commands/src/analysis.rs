//! Bridges from a utility statement to name resolution and to expression evaluation: contexts are built here, once a
//! use, from what the session offers.

use crate::ctx::CommandCtx;
use analyze::expr::{Expr, Var, VarNo};
use analyze::{AnalyzeCtx, ExprContext, ExprRel, ExprTarget};
use common::{Error, Oid, Report, Result, Severity, SqlState};
use executor::expr::Scope;
use types::Datum;

/// Calls `f` with a context for analysis in the statement's text.
pub fn with_analyze<R>(ctx: &CommandCtx<'_>, f: impl FnOnce(&AnalyzeCtx<'_>) -> Result<R>) -> Result<R> {
    let path = ctx.host.search_path()?;
    let fmt = ctx.env.fmt.borrow().clone();
    let database = ctx.host.database_name();
    let lock =
        |oid: Oid, mode: u8| ctx.engine.lock_relation(ctx.catalog.database(), oid, crate::lock_mode(mode));
    f(&AnalyzeCtx {
        catalog: ctx.catalog,
        path: &path,
        registry: ctx.catalog.registry(),
        fmt: &fmt,
        role: ctx.host.role(),
        database: &database,
        source: ctx.source,
        lock: &lock,
        env: ctx.env.session.fn_env(),
        xact_start_us: ctx.env.session.xact_start_us(),
        stmt_start_us: ctx.env.session.stmt_start_us(),
    })
}

/// Resolves an expression of DDL.
pub fn transform(
    ctx: &CommandCtx<'_>,
    raw: &parser::Expr,
    context: ExprContext,
    rel: Option<ExprRel<'_>>,
    target: Option<ExprTarget<'_>>,
) -> Result<Expr> {
    with_analyze(ctx, |a| analyze::transform_expr_for(a, raw, context, rel, target))
}

/// Value of an expression without columns.
pub fn evaluate(ctx: &CommandCtx<'_>, e: &Expr) -> Result<Datum> {
    executor::eval_constant(ctx.env, e)
}

/// Columns of a table's row in a batch that holds all attributes in order and then the row's address.
pub struct TableScope {
    pub natts: usize,
}

impl Scope for TableScope {
    fn var(&self, v: &Var) -> Option<usize> {
        match (v.varno, v.attno) {
            (VarNo::Rte(_), a) if a > 0 => Some(a as usize - 1),
            (VarNo::Rte(_), -1) => Some(self.natts),
            _ => None,
        }
    }
}

/// Sends a NOTICE.
pub fn notice(ctx: &CommandCtx<'_>, message: impl Into<String>) {
    ctx.host.notice(Report::new(Severity::Notice, SqlState::SUCCESSFUL_COMPLETION, message));
}

/// Sends a message for those who debug (DEBUG1).
pub fn debug(ctx: &CommandCtx<'_>, message: impl Into<String>) {
    ctx.host.notice(Report::new(Severity::Debug1, SqlState::SUCCESSFUL_COMPLETION, message));
}

/// Sends a NOTICE with a SQLSTATE of its own.
pub fn notice_as(ctx: &CommandCtx<'_>, state: SqlState, message: impl Into<String>) {
    ctx.host.notice(Report::new(Severity::Notice, state, message));
}

/// Sends a WARNING.
pub fn warning(ctx: &CommandCtx<'_>, state: SqlState, message: impl Into<String>) {
    ctx.host.notice(Report::new(Severity::Warning, state, message));
}

/// Sends a WARNING about a place in the statement.
pub fn warning_at(ctx: &CommandCtx<'_>, state: SqlState, message: impl Into<String>, at: usize) {
    let mut r = Report::new(Severity::Warning, state, message);
    r.position = Some(at);
    ctx.host.notice(r);
}

/// A setting's text.
pub fn setting(ctx: &CommandCtx<'_>, name: &str) -> String {
    let mut out = String::new();
    ctx.host.with_settings(&mut |s| out = s.show(name).unwrap_or_default());
    out
}

/// A setting's number, in its base unit.
pub fn setting_int(ctx: &CommandCtx<'_>, name: &str) -> i64 {
    let mut out = 0;
    ctx.host.with_settings(&mut |s| out = s.int(name));
    out
}

/// XX000 for a catalog row that must be there.
pub fn lost(what: &str, oid: Oid) -> Error {
    Error::internal(format!("cache lookup failed for {what} {oid}"))
}
