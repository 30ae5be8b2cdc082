//! Shell types: a name without form, so that functions can be declared over a type that is still to be made.

use super::{creation, insert_shell};
use crate::ctx::CommandCtx;
use catalog::desc::TypeDesc;
use common::{Error, Oid, Result, SqlState};
use parser::ast::TypeName;
use types::{Phys, UserClass};

/// The OID of a type that may be a shell.
pub fn oid(ctx: &CommandCtx<'_>, t: &TypeName) -> Result<Oid> {
    let found = match t.names.as_slice() {
        [name] => ctx.catalog.find_type(&*ctx.host.search_path()?, name)?,
        [.., schema, name] => match ctx.catalog.named_schema(schema)? {
            Some(ns) => ctx.catalog.type_oid(ns, name)?,
            None => None,
        },
        [] => None,
    };
    found.ok_or_else(|| Error::internal("a shell type that is not there"))
}

/// The row of a shell type.
pub fn desc(oid: Oid, name: &str, namespace: Oid, owner: Oid) -> TypeDesc {
    TypeDesc {
        len: 4,
        by_val: true,
        align: b'i',
        storage: b'p',
        phys: Phys::I32,
        typtype: b'p',
        category: b'P',
        is_defined: false,
        relid: Oid::INVALID,
        array: Oid::INVALID,
        input: Oid(2398),
        output: Oid(2399),
        receive: Oid::INVALID,
        send: Oid::INVALID,
        ..super::blank(oid, Oid::INVALID, name, namespace, owner)
    }
}

/// Makes the shell that a function in a compiled language returns.
pub fn make(ctx: &CommandCtx<'_>, t: &TypeName, shown: &str) -> Result<Oid> {
    let mut r = common::Report::new(
        common::Severity::Notice,
        SqlState::UNDEFINED_OBJECT,
        format!("type \"{shown}\" is not yet defined"),
    );
    r.detail = Some("Creating a shell type definition.".into());
    ctx.host.notice(r);
    let (ns, name) = creation(ctx, &t.names)?;
    let oid = ctx.catalog.new_type_oid(UserClass::Base)?;
    insert_shell(ctx, &desc(oid, &name, ns, ctx.host.role()))?;
    Ok(oid)
}

/// Runs CREATE TYPE name.
pub fn create(ctx: &CommandCtx<'_>, s: &parser::ast::DefineStmt) -> Result<String> {
    if !ctx.host.is_superuser() {
        common::bail!(INSUFFICIENT_PRIVILEGE, "must be superuser to create a base type");
    }
    let (ns, name) = creation(ctx, &s.defnames)?;
    super::make_way(ctx, ns, &name)?;
    let oid = ctx.catalog.new_type_oid(UserClass::Base)?;
    insert_shell(ctx, &desc(oid, &name, ns, ctx.host.role()))?;
    Ok("CREATE TYPE".into())
}
