//! `pg_describe_object`.

use super::env;
use crate::ctx::CommandCtx;
use catalog::columns::pg_class;
use catalog::depend::ObjectAddress;
use common::{Oid, Result};
use types::{CallCtx, FnImpl, c3};

pub static TABLE: &[(u32, FnImpl)] = &[(3537, c3!(describe))];

fn describe(c: &CallCtx<'_>, class: u32, object: u32, sub: i32) -> Result<Option<String>> {
    let e = env(c)?;
    if class == 0 && object == 0 {
        return Ok(None);
    }
    let a = ObjectAddress { class: Oid(class), object: Oid(object), sub };
    if a.class == pg_class::TABLE && e.catalog.relation_if_any(a.object)?.is_none() {
        return Ok(None);
    }
    let exec = e.host.exec_env();
    let ctx = CommandCtx {
        engine: &e.engine,
        catalog: &e.catalog,
        env: &exec,
        host: &*e.host,
        source: "",
        top_level: false,
        params: &[],
        param_types: &[],
    };
    let text = crate::drop::describe::describe(&ctx, a)?;
    Ok(Some(text).filter(|t| !t.starts_with("object ")))
}
