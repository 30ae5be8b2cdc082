//! CALL and DO.

use super::language;
use crate::analysis::with_analyze;
use crate::ctx::{CommandCtx, FnEnv};
use analyze::expr::{Expr, ParamKind};
use analyze::func::ProcedureCall;
use analyze::{OutputColumn, ParamTypes};
use common::{Error, Oid, Result, bail, err};
use executor::routine::RoutineCall;
use parser::ast::{CallStmt, DefArg, DoStmt};
use protocol::Field;
use types::Datum;

fn resolve(ctx: &CommandCtx<'_>, s: &CallStmt) -> Result<ProcedureCall> {
    let params = ParamTypes::fixed(ctx.param_types.to_vec());
    with_analyze(ctx, |a| analyze::func::analyze_call(a, &s.funccall, params))
}

/// Columns of the row a CALL returns.
pub fn columns(ctx: &CommandCtx<'_>, s: &CallStmt) -> Result<Vec<OutputColumn>> {
    let call = resolve(ctx, s)?;
    Ok(call
        .columns
        .into_iter()
        .map(|(name, type_oid)| OutputColumn {
            name: name.into(),
            type_oid,
            typmod: -1,
            collation: Oid::INVALID,
            orig_table: Oid::INVALID,
            orig_attno: 0,
        })
        .collect())
}

/// Puts the statement's parameters in.
fn bind(e: &mut Expr, ctx: &CommandCtx<'_>) {
    analyze::walk::walk_mut(e, 0, &mut |x, _| {
        if let Expr::Param(p) = x
            && p.kind == ParamKind::External
            && let Some(v) = ctx.params.get(p.id as usize - 1)
        {
            *x = Expr::Const(analyze::expr::Const {
                consttype: p.paramtype,
                typmod: p.typmod,
                collation: p.collation,
                value: v.clone(),
                location: None,
            });
        }
        true
    });
}

/// Runs CALL.
pub fn call(ctx: &CommandCtx<'_>, s: &CallStmt) -> Result<String> {
    let mut resolved = resolve(ctx, s)?;
    let p = ctx.catalog.proc_desc(resolved.procid)?;
    if !ctx.host.is_superuser() {
        crate::aclcheck::check_functions(ctx.catalog, ctx.host.role(), &[p.oid])?;
    }
    let (mut values, mut types) = (Vec::new(), Vec::new());
    for a in &mut resolved.args {
        bind(a, ctx);
        types.push(analyze::info::expr_type(a));
        values.push(executor::eval_constant(ctx.env, a)?);
    }
    let env = ctx.env.session.fn_env().downcast_ref::<FnEnv>();
    let env = env.ok_or_else(|| Error::internal("CALL outside a session"))?;
    let result = super::call(
        env,
        &RoutineCall {
            oid: p.oid,
            args: &values,
            arg_types: &types,
            result_type: p.ret_type,
            collation: Oid::INVALID,
            columns: &[],
            snapshot: None,
        },
    )?;
    if !resolved.columns.is_empty() {
        send(ctx, &resolved, &result)?;
    }
    Ok("CALL".into())
}

fn send(ctx: &CommandCtx<'_>, call: &ProcedureCall, result: &Datum) -> Result<()> {
    let mut fields = Vec::new();
    let mut types = Vec::new();
    for (name, t) in &call.columns {
        types.push(*t);
        fields.push(Field {
            name: name.as_str().into(),
            table: 0,
            attno: 0,
            type_oid: t.0,
            type_len: ctx.catalog.type_desc(*t)?.len,
            typmod: -1,
            format: 0,
        });
    }
    let row: Vec<Datum> = match result {
        Datum::Null => vec![Datum::Null; types.len()],
        d => {
            let r = types::record::RecordRef::new(d.as_ref().bytes())?;
            r.fields()?.into_iter().map(|f| f.1.to_owned()).collect()
        }
    };
    ctx.host.begin_rows(&fields)?;
    ctx.host.send_row(&row, &types)
}

/// Runs DO: 42704 for a language that is not there, 0A000 for one that cannot.
pub fn do_block(ctx: &CommandCtx<'_>, s: &DoStmt) -> Result<String> {
    let mut code = None;
    let mut name = None;
    for a in &s.args {
        let slot = if a.defname == "as" { &mut code } else { &mut name };
        if slot.is_some() {
            return Err(err!(SYNTAX_ERROR, "conflicting or redundant options").at(a.location));
        }
        if let Some(DefArg::String(t)) = &a.arg {
            *slot = Some(t.clone());
        }
    }
    if code.is_none() {
        bail!(SYNTAX_ERROR, "no inline code specified");
    }
    let name = name.unwrap_or_else(|| "plpgsql".into());
    language::find(ctx, &name)?;
    bail!(FEATURE_NOT_SUPPORTED, "language \"{name}\" does not support inline code execution")
}
