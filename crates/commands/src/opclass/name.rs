//! Names of operator classes and families: one rule for both, over two catalogs.

use super::Method;
use crate::ctx::CommandCtx;
use crate::target;
use catalog::CatRow;
use catalog::columns::*;
use catalog::depend::ObjectAddress;
use common::{Error, Oid, Result, bail};
use parser::ast::{ObjectRef, ObjectType};
use types::Datum;

/// Where the things of a kind are.
pub struct Kind {
    pub table: Oid,
    pub oid_index: Oid,
    pub name_index: Oid,
    pub word: &'static str,
}

pub const CLASS: Kind = Kind {
    table: pg_opclass::TABLE,
    oid_index: pg_opclass::OID_INDEX,
    name_index: pg_opclass::AM_NAME_NSP_INDEX,
    word: "operator class",
};
pub const FAMILY: Kind = Kind {
    table: pg_opfamily::TABLE,
    oid_index: pg_opfamily::OID_INDEX,
    name_index: pg_opfamily::AM_NAME_NSP_INDEX,
    word: "operator family",
};

/// The columns both catalogs begin with: OID, method, name, schema, owner.
pub const METHOD: usize = 1;
pub const NAME: usize = 2;
pub const NAMESPACE: usize = 3;
pub const OWNER: usize = 4;

/// The kind a statement is about.
pub fn kind(t: ObjectType) -> &'static Kind {
    if t == ObjectType::OpClass { &CLASS } else { &FAMILY }
}

/// Access method and name as the grammar gives them.
pub fn split(o: &ObjectRef) -> Result<(&str, &[String])> {
    match o {
        ObjectRef::Name(n) if n.len() > 1 => Ok((&n[0], &n[1..])),
        _ => Err(Error::internal("an operator class without an access method")),
    }
}

impl Kind {
    /// The row of a name in a schema.
    pub fn in_schema(&self, ctx: &CommandCtx<'_>, am: Oid, ns: Oid, name: &str) -> Result<Option<CatRow>> {
        let keys = [Datum::oid(am), Datum::text(name), Datum::oid(ns)];
        Ok(ctx.catalog.scan(self.table, self.name_index, &keys)?.into_iter().next())
    }
    /// The row a name means. 3F000 for a schema that is not there.
    pub fn find(&self, ctx: &CommandCtx<'_>, am: Oid, names: &[String]) -> Result<Option<CatRow>> {
        let rv = target::range_var(names)?;
        let schemas = target::schemas_of(ctx, &rv)?;
        for ns in schemas {
            if let Some(r) = self.in_schema(ctx, am, ns, &rv.relname)? {
                return Ok(Some(r));
            }
        }
        Ok(None)
    }
    /// The same, or 42704.
    pub fn require(&self, ctx: &CommandCtx<'_>, am: &Method, names: &[String]) -> Result<CatRow> {
        match self.find(ctx, am.oid, names)? {
            Some(r) => Ok(r),
            None => bail!(
                UNDEFINED_OBJECT,
                "{} \"{}\" does not exist for access method \"{}\"",
                self.word,
                names.join("."),
                am.name
            ),
        }
    }
    /// 42501.
    pub fn check_owner(&self, ctx: &CommandCtx<'_>, r: &CatRow) -> Result<()> {
        if !target::owns(ctx, r.oid(OWNER))? {
            bail!(INSUFFICIENT_PRIVILEGE, "must be owner of {} {}", self.word, r.str(NAME));
        }
        Ok(())
    }
}

/// The object a statement names, with its owner.
pub fn resolve(ctx: &CommandCtx<'_>, t: ObjectType, o: &ObjectRef) -> Result<(ObjectAddress, Oid)> {
    let (am, names) = split(o)?;
    let k = kind(t);
    let r = k.require(ctx, &super::method(ctx, am)?, names)?;
    Ok((ObjectAddress::new(k.table, r.oid(0)), r.oid(OWNER)))
}

fn shown(ctx: &CommandCtx<'_>, k: &Kind, oid: Oid) -> Result<Option<String>> {
    let rows = ctx.catalog.scan(k.table, k.oid_index, &[Datum::oid(oid)])?;
    let Some(r) = rows.first() else { return Ok(None) };
    let am = ctx.catalog.scan(pg_am::TABLE, pg_am::OID_INDEX, &[Datum::oid(r.oid(METHOD))])?;
    let am = am.first().map(|a| a.str(pg_am::AMNAME).to_string()).unwrap_or_default();
    let found = k.find(ctx, r.oid(METHOD), &[r.str(NAME).to_string()])?;
    let schema = match found.is_some_and(|f| f.oid(0) == oid) {
        true => None,
        false => ctx.catalog.namespace_name(r.oid(NAMESPACE))?,
    };
    let name = analyze::names::quote_qualified(schema.as_deref(), r.str(NAME));
    Ok(Some(format!("{} {name} for access method {am}", k.word)))
}

/// What messages call an object of the four catalogs; `None` if it is gone.
pub fn describe(ctx: &CommandCtx<'_>, a: ObjectAddress) -> Result<Option<String>> {
    match a.class {
        pg_opclass::TABLE => return shown(ctx, &CLASS, a.object),
        pg_opfamily::TABLE => return shown(ctx, &FAMILY, a.object),
        _ => {}
    }
    let (is_operator, index) = match a.class {
        pg_amop::TABLE => (true, pg_amop::OID_INDEX),
        _ => (false, pg_amproc::OID_INDEX),
    };
    let rows = ctx.catalog.scan(a.class, index, &[Datum::oid(a.object)])?;
    let Some(r) = rows.first() else { return Ok(None) };
    // Both catalogs begin with OID, family, left and right type, number.
    let family = shown(ctx, &FAMILY, r.oid(1))?.unwrap_or_default();
    let ty = |t: Oid| crate::user_type::shown(ctx, t);
    let (word, member) = match is_operator {
        true => ("operator", crate::operator::describe(ctx, r.oid(pg_amop::AMOPOPR))?),
        false => {
            let p = ctx.catalog.proc_desc(r.oid(pg_amproc::AMPROC))?;
            ("function", crate::routine::name::signature(ctx, &p)?)
        }
    };
    Ok(Some(format!("{word} {} ({}, {}) of {family}: {member}", r.i16(4), ty(r.oid(2))?, ty(r.oid(3))?)))
}
