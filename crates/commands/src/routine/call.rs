//! The way of a call: the stack is looked at, the identity and settings the function asks for are put in force, and its
//! language runs it.

use super::language;
use super::sql::{Kept, too_deep};
use crate::FnEnv;
use catalog::desc::ProcDesc;
use common::{Oid, Result};
use executor::routine::{RoutineCall, RowSet};
use types::Datum;

/// Bytes of stack that nested calls may take; analysis and planning of the innermost need the rest.
const STACK_BYTES_MAX: usize = if cfg!(debug_assertions) { 48 << 20 } else { 24 << 20 };

/// Where the stack is.
pub fn stack_address() -> usize {
    let here = 0u8;
    std::ptr::from_ref(&here) as usize
}

fn check_stack(env: &FnEnv) -> Result<()> {
    env.engine.check_interrupts()?;
    if env.stack_base.abs_diff(stack_address()) > STACK_BYTES_MAX { Err(too_deep()) } else { Ok(()) }
}

/// Runs `f` as the function's owner and under its settings, if it asks for that.
fn in_its_world<R>(env: &FnEnv, p: &ProcDesc, mut f: impl FnMut() -> Result<R>) -> Result<R> {
    if !p.sec_def && p.config.is_empty() {
        return f();
    }
    let role: Option<Oid> = p.sec_def.then_some(p.owner);
    let mut out = None;
    env.host.with_identity(role, &p.config, &mut || {
        out = Some(f()?);
        Ok(())
    })?;
    out.ok_or_else(|| common::Error::internal("a function that was not run"))
}

/// Calls a function that returns one value.
pub fn call(env: &FnEnv, call: &RoutineCall<'_>) -> Result<Datum> {
    check_stack(env)?;
    let p = env.catalog.proc_desc(call.oid)?;
    let language = language::of(p.language)?;
    in_its_world(env, &p, || language.call(env, &p, call))
}

/// Calls a function that returns a set.
pub fn open_set(env: &FnEnv, call: &RoutineCall<'_>, in_from: bool) -> Result<Box<dyn RowSet>> {
    check_stack(env)?;
    let p = env.catalog.proc_desc(call.oid)?;
    let language = language::of(p.language)?;
    if !p.retset {
        let value = in_its_world(env, &p, || language.call(env, &p, call))?;
        return Ok(Box::new(Kept::one(&env.host.exec_env(), call.result_type, &value)?));
    }
    if !p.sec_def && p.config.is_empty() {
        return language.open_set(env, &p, call, in_from);
    }
    let exec = env.host.exec_env();
    in_its_world(env, &p, || {
        let mut rows = language.open_set(env, &p, call, in_from)?;
        Ok(Box::new(Kept::of(&exec, call.result_type, &mut *rows)?) as Box<dyn RowSet>)
    })
}
