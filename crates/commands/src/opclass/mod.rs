//! Operator classes and families of one's own, for btree and hash. [`name`] finds them, [`items`] reads and stores their
//! members, [`alter`] changes and drops them. The catalogs' rows say it all: whoever compares, sorts or hashes asks
//! `catalog` for the members of a family.

mod alter;
mod items;
mod name;

pub use alter::{alter_family, drop, owner, rename, set_schema};
pub use name::{describe, resolve};

use crate::ctx::CommandCtx;
use crate::user_type::without_position;
use crate::{acl, aclcheck, naming, target};
use analyze::typename;
use catalog::builtins::{BTREE_AM, HASH_AM};
use catalog::columns::*;
use catalog::depend::{DependencyKind, ObjectAddress};
use common::{Error, Oid, Result, bail, err};
use items::{Items, Place};
use name::{CLASS, FAMILY};
use parser::ast::*;
use types::Datum;

/// What an access method takes as members.
pub struct Method {
    pub oid: Oid,
    pub name: String,
    operators: i32,
    functions: i32,
    /// The support function that parses options of the class.
    options_function: i32,
}

/// The access method of a name. 42704; 0A000 for those without indexes here.
pub fn method(ctx: &CommandCtx<'_>, name: &str) -> Result<Method> {
    use pg_am::*;
    let rows = ctx.catalog.scan(TABLE, NAME_INDEX, &[Datum::text(name)])?;
    let Some(r) = rows.first() else { bail!(UNDEFINED_OBJECT, "access method \"{name}\" does not exist") };
    if r.char(AMTYPE) != b'i' {
        bail!(OBJECT_NOT_IN_PREREQUISITE_STATE, "access method \"{name}\" is not of type INDEX");
    }
    let (operators, functions, options_function) = match r.oid(OID) {
        BTREE_AM => (5, 5, 5),
        HASH_AM => (1, 3, 3),
        // The built-in ones can be named; nothing can be made.
        _ => (0, 0, 0),
    };
    Ok(Method { oid: r.oid(OID), name: name.to_string(), operators, functions, options_function })
}

impl Method {
    fn check_supported(&self) -> Result<()> {
        if self.operators == 0 {
            return Err(Error::unsupported(format_args!("operator classes for access method {}", self.name)));
        }
        Ok(())
    }
}

/// Schema and name of a class or family to be made; the right to make it there.
fn creation(ctx: &CommandCtx<'_>, names: &[String]) -> Result<(Oid, String)> {
    let (ns, name) = crate::user_type::creation(ctx, names)?;
    aclcheck::check_namespace(ctx, ns, acl::CREATE)?;
    Ok((ns, naming::clip(&name, naming::NAME_MAX).to_string()))
}

fn record(ctx: &CommandCtx<'_>, me: ObjectAddress, ns: Oid) -> Result<()> {
    let schema = ObjectAddress::new(pg_namespace::TABLE, ns);
    ctx.catalog.record_dependency(me, schema, DependencyKind::Normal)?;
    ctx.catalog.record_role_dependency(me, ctx.host.role(), b'o')
}

fn make_family(ctx: &CommandCtx<'_>, am: &Method, ns: Oid, name: &str) -> Result<Oid> {
    use pg_opfamily::*;
    if FAMILY.in_schema(ctx, am.oid, ns, name)?.is_some() {
        bail!(
            DUPLICATE_OBJECT,
            "operator family \"{name}\" for access method \"{}\" already exists",
            am.name
        );
    }
    let oid = ctx.catalog.new_oid(TABLE, OID_INDEX)?;
    let mut r = ctx.catalog.blank_row(TABLE);
    r[OID] = Datum::oid(oid);
    r[OPFMETHOD] = Datum::oid(am.oid);
    r[OPFNAME] = Datum::text(name);
    r[OPFNAMESPACE] = Datum::oid(ns);
    r[OPFOWNER] = Datum::oid(ctx.host.role());
    ctx.catalog.insert_row(TABLE, &r)?;
    record(ctx, ObjectAddress::new(TABLE, oid), ns)?;
    ctx.engine.command_counter_increment()?;
    Ok(oid)
}

/// Runs CREATE OPERATOR FAMILY.
pub fn create_family(ctx: &CommandCtx<'_>, s: &CreateOpFamilyStmt) -> Result<String> {
    let (ns, name) = creation(ctx, &s.opfamilyname)?;
    let am = method(ctx, &s.amname)?;
    if !ctx.host.is_superuser() {
        bail!(INSUFFICIENT_PRIVILEGE, "must be superuser to create an operator family");
    }
    am.check_supported()?;
    make_family(ctx, &am, ns, &name)?;
    Ok("CREATE OPERATOR FAMILY".into())
}

/// Runs CREATE OPERATOR CLASS.
pub fn create(ctx: &CommandCtx<'_>, s: &CreateOpClassStmt) -> Result<String> {
    let (ns, name) = creation(ctx, &s.opclassname)?;
    let am = method(ctx, &s.amname)?;
    if !ctx.host.is_superuser() {
        bail!(INSUFFICIENT_PRIVILEGE, "must be superuser to create an operator class");
    }
    am.check_supported()?;
    let in_type = crate::analysis::with_analyze(ctx, |a| typename::resolve_type_name(a, &s.datatype))
        .map_err(without_position)?
        .0;
    let family = if !s.opfamilyname.is_empty() {
        FAMILY.require(ctx, &am, &s.opfamilyname)?.oid(pg_opfamily::OID)
    } else {
        match FAMILY.in_schema(ctx, am.oid, ns, &name)? {
            Some(r) => r.oid(pg_opfamily::OID),
            None => make_family(ctx, &am, ns, &name)?,
        }
    };
    let mut items = Items::default();
    for i in &s.items {
        items.read(ctx, &am, i, Some(in_type))?;
    }
    if items.storage.is_some_and(|t| t != in_type) {
        bail!(
            INVALID_OBJECT_DEFINITION,
            "storage type cannot be different from data type for access method \"{}\"",
            am.name
        );
    }
    if CLASS.in_schema(ctx, am.oid, ns, &name)?.is_some() {
        bail!(DUPLICATE_OBJECT, "operator class \"{name}\" for access method \"{}\" already exists", am.name);
    }
    if s.is_default {
        check_no_default(ctx, &am, &name, in_type, &s.datatype)?;
    }
    use pg_opclass::*;
    let oid = ctx.catalog.new_oid(TABLE, OID_INDEX)?;
    let mut r = ctx.catalog.blank_row(TABLE);
    r[OID] = Datum::oid(oid);
    r[OPCMETHOD] = Datum::oid(am.oid);
    r[OPCNAME] = Datum::text(&name);
    r[OPCNAMESPACE] = Datum::oid(ns);
    r[OPCOWNER] = Datum::oid(ctx.host.role());
    r[OPCFAMILY] = Datum::oid(family);
    r[OPCINTYPE] = Datum::oid(in_type);
    r[OPCDEFAULT] = Datum::Bool(s.is_default);
    r[OPCKEYTYPE] = Datum::oid(Oid::INVALID);
    ctx.catalog.insert_row(TABLE, &r)?;
    let me = ObjectAddress::new(TABLE, oid);
    let place =
        Place { family, class: Some((oid, in_type)), am: am.oid, name: items::family_name(ctx, family)? };
    items.store(ctx, &place)?;
    record(ctx, me, ns)?;
    let on = ObjectAddress::new(pg_opfamily::TABLE, family);
    ctx.catalog.record_dependency(me, on, DependencyKind::Auto)?;
    let on = ObjectAddress::new(pg_type::TABLE, in_type);
    ctx.catalog.record_dependency(me, on, DependencyKind::Normal)?;
    ctx.engine.command_counter_increment()?;
    Ok("CREATE OPERATOR CLASS".into())
}

/// 42710 if the type has a default class of the access method already.
fn check_no_default(ctx: &CommandCtx<'_>, am: &Method, name: &str, t: Oid, written: &TypeName) -> Result<()> {
    use pg_opclass::*;
    let rows = ctx.catalog.scan(TABLE, AM_NAME_NSP_INDEX, &[Datum::oid(am.oid)])?;
    let Some(r) = rows.iter().find(|r| r.oid(OPCINTYPE) == t && r.bool(OPCDEFAULT)) else { return Ok(()) };
    let shown = typename::type_name_to_string(written);
    Err(err!(DUPLICATE_OBJECT, "could not make operator class \"{name}\" be default for type {shown}")
        .detail(format!("Operator class \"{}\" already is the default.", r.str(OPCNAME))))
}

/// A lookup by the words of CREATE INDEX and its kin: the class of an access method along the search path.
pub fn visible_class(
    ctx: &CommandCtx<'_>,
    am: Oid,
    names: &[String],
) -> Result<Option<catalog::Ref<catalog::desc::OpclassDesc>>> {
    let rv = target::range_var(names)?;
    let all = ctx.catalog.opclasses_named(am, &rv.relname)?;
    let schemas = target::schemas_of(ctx, &rv)?;
    Ok(schemas.iter().find_map(|ns| all.iter().find(|c| c.namespace == *ns).cloned()))
}
