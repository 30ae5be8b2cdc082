//! `pg_describe_object`.

use super::{object_identity, with_command};
use catalog::columns::pg_class;
use catalog::depend::ObjectAddress;
use common::{Oid, Result};
use types::{CallCtx, FnImpl, c3};

pub static TABLE: &[(u32, FnImpl)] = &[(3537, c3!(describe))];

fn describe(c: &CallCtx<'_>, class: u32, object: u32, sub: i32) -> Result<Option<String>> {
    if class == 0 && object == 0 {
        return Ok(None);
    }
    let a = ObjectAddress { class: Oid(class), object: Oid(object), sub };
    with_command(c, |ctx| {
        object_identity::check_sub(a)?;
        if !object_identity::exists(ctx, a)?
            || a.class == pg_class::TABLE && ctx.catalog.relation_if_any(a.object)?.is_none()
        {
            return Ok(None);
        }
        let text = crate::drop::describe::describe(ctx, a)?;
        Ok(Some(text).filter(|t| !t.starts_with("object ")))
    })
}
