//! ALTER EXTENSION: UPDATE (there is one version of each, so nothing to do or no way), SET SCHEMA, ADD and DROP of
//! members.

use super::{address, check_owner, extension_of, option, registry, require, row, text};
use crate::analysis::notice;
use crate::ctx::CommandCtx;
use crate::drop::describe::describe;
use crate::{object_address, rename, target};
use catalog::columns::*;
use catalog::depend::{DependencyKind, ObjectAddress};
use common::{Error, Oid, Result, bail};
use parser::ast::*;
use transam::LockMode;
use types::Datum;

/// Runs ALTER EXTENSION … UPDATE.
pub fn alter(ctx: &CommandCtx<'_>, s: &AlterExtensionStmt) -> Result<String> {
    use pg_extension::*;
    let r = require(ctx, &s.extname)?;
    check_owner(ctx, &r)?;
    let installed = r.str(EXTVERSION);
    let wanted = text(option(&s.options, "new_version")?)
        .or(registry::find(&s.extname).map(|x| x.version))
        .unwrap_or(installed);
    if wanted != installed {
        bail!(
            INVALID_PARAMETER_VALUE,
            "extension \"{}\" has no update path from version \"{installed}\" to version \"{wanted}\"",
            s.extname
        );
    }
    notice(ctx, format!("version \"{wanted}\" of extension \"{}\" is already installed", s.extname));
    Ok("ALTER EXTENSION".into())
}

/// Runs ALTER EXTENSION … SET SCHEMA.
pub fn set_schema(ctx: &CommandCtx<'_>, name: &str, schema: &str) -> Result<String> {
    use pg_extension::*;
    let r = require(ctx, name)?;
    let ns = ctx.catalog.require_namespace(schema)?;
    target::check_creation(ctx, ns)?;
    check_owner(ctx, &r)?;
    if !r.bool(EXTRELOCATABLE) {
        bail!(FEATURE_NOT_SUPPORTED, "extension \"{name}\" does not support SET SCHEMA");
    }
    let (me, old) = (address(&r), r.oid(EXTNAMESPACE));
    if old == ns {
        return Ok("ALTER EXTENSION".into());
    }
    for d in ctx.catalog.dependents(me)?.iter().filter(|d| d.kind == DependencyKind::Extension) {
        move_member(ctx, d.depender, ns)?;
    }
    ctx.catalog.update_columns(TABLE, &r, &[(EXTNAMESPACE, Datum::oid(ns))])?;
    replace_schema(ctx, me, ns)?;
    Ok("ALTER EXTENSION".into())
}

fn move_member(ctx: &CommandCtx<'_>, a: ObjectAddress, ns: Oid) -> Result<()> {
    match a.class {
        pg_class::TABLE => rename::move_relation(ctx, a.object, ns),
        pg_proc::TABLE => {
            use pg_proc::*;
            for r in ctx.catalog.scan(TABLE, OID_INDEX, &[Datum::oid(a.object)])? {
                let keys = [Datum::text(r.str(PRONAME)), r.values[PROARGTYPES].clone(), Datum::oid(ns)];
                if !ctx.catalog.scan(TABLE, PRONAME_ARGS_NSP_INDEX, &keys)?.is_empty() {
                    let schema = ctx.catalog.namespace_name(ns)?.unwrap_or_default();
                    bail!(DUPLICATE_FUNCTION, "{} already exists in schema \"{schema}\"", describe(ctx, a)?);
                }
                ctx.catalog.update_columns(TABLE, &r, &[(PRONAMESPACE, Datum::oid(ns))])?;
            }
            replace_schema(ctx, a, ns)
        }
        pg_cast::TABLE => Ok(()),
        pg_type::TABLE => {
            use pg_type::*;
            for r in ctx.catalog.scan(TABLE, OID_INDEX, &[Datum::oid(a.object)])? {
                move_row(ctx, ObjectAddress::new(TABLE, r.oid(TYPARRAY)), ns)?;
            }
            move_row(ctx, a, ns)?;
            replace_schema(ctx, a, ns)
        }
        pg_operator::TABLE | pg_opclass::TABLE | pg_opfamily::TABLE => {
            move_row(ctx, a, ns)?;
            replace_schema(ctx, a, ns)
        }
        other => Err(Error::unsupported(format_args!("moving a member of catalog {other}"))),
    }
}

/// Writes the new schema into an object's row.
fn move_row(ctx: &CommandCtx<'_>, a: ObjectAddress, ns: Oid) -> Result<()> {
    let Some(k) = crate::object_address::kind_of(a.class) else { return Ok(()) };
    let Some(column) = k.namespace else { return Ok(()) };
    for r in ctx.catalog.scan(k.table, k.oid_index, &[Datum::oid(a.object)])? {
        ctx.catalog.update_columns(k.table, &r, &[(column, Datum::oid(ns))])?;
    }
    ctx.engine.command_counter_increment()
}

/// The object depends on another schema.
fn replace_schema(ctx: &CommandCtx<'_>, a: ObjectAddress, ns: Oid) -> Result<()> {
    use pg_depend::*;
    let keys = [Datum::oid(a.class), Datum::oid(a.object), Datum::I32(0)];
    for r in ctx.catalog.scan(TABLE, DEPENDER_INDEX, &keys)? {
        if r.oid(REFCLASSID) == pg_namespace::TABLE {
            ctx.catalog.delete_row(TABLE, &r)?;
        }
    }
    let schema = ObjectAddress::new(pg_namespace::TABLE, ns);
    ctx.catalog.record_dependency(a, schema, DependencyKind::Normal)?;
    ctx.engine.command_counter_increment()
}

/// Runs ALTER EXTENSION … ADD and DROP.
pub fn alter_contents(ctx: &CommandCtx<'_>, s: &AlterExtensionContentsStmt) -> Result<String> {
    let r = require(ctx, &s.extname)?;
    check_owner(ctx, &r)?;
    if matches!(
        s.objtype,
        ObjectType::Database
            | ObjectType::Extension
            | ObjectType::Index
            | ObjectType::Publication
            | ObjectType::Role
            | ObjectType::Statistic
            | ObjectType::Subscription
            | ObjectType::TableSpace
    ) {
        bail!(INVALID_OBJECT_DEFINITION, "cannot add an object of this type to an extension");
    }
    let a = member(ctx, s)?;
    let me = address(&r);
    let owner = extension_of(ctx, a)?;
    if s.action > 0 {
        if let Some(o) = owner {
            let name = describe(ctx, o)?;
            let name = name.strip_prefix("extension ").unwrap_or(&name);
            bail!(
                OBJECT_NOT_IN_PREREQUISITE_STATE,
                "{} is already a member of extension \"{name}\"",
                describe(ctx, a)?
            );
        }
        if a.class == pg_namespace::TABLE && a.object == r.oid(pg_extension::EXTNAMESPACE) {
            bail!(
                OBJECT_NOT_IN_PREREQUISITE_STATE,
                "cannot add schema \"{}\" to extension \"{}\" because the schema contains the extension",
                ctx.catalog.namespace_name(a.object)?.unwrap_or_default(),
                s.extname
            );
        }
        ctx.catalog.record_dependency(a, me, DependencyKind::Extension)?;
    } else {
        if owner != Some(me) {
            bail!(
                OBJECT_NOT_IN_PREREQUISITE_STATE,
                "{} is not a member of extension \"{}\"",
                describe(ctx, a)?,
                s.extname
            );
        }
        use pg_depend::*;
        let keys = [Datum::oid(a.class), Datum::oid(a.object), Datum::I32(0)];
        for d in ctx.catalog.scan(TABLE, DEPENDER_INDEX, &keys)? {
            if d.oid(REFCLASSID) == pg_extension::TABLE && d.char(DEPTYPE) == b'e' {
                ctx.catalog.delete_row(TABLE, &d)?;
            }
        }
    }
    ctx.engine.command_counter_increment()?;
    debug_assert!(row(ctx, &s.extname)?.is_some());
    Ok("ALTER EXTENSION".into())
}

/// The object that is to become, or is, a member.
fn member(ctx: &CommandCtx<'_>, s: &AlterExtensionContentsStmt) -> Result<ObjectAddress> {
    let must_own = |owner: Oid, a: ObjectAddress| {
        if target::owns(ctx, owner)? {
            return Ok(a);
        }
        bail!(INSUFFICIENT_PRIVILEGE, "must be owner of {}", describe(ctx, a)?)
    };
    match (s.objtype, &s.object) {
        (
            ObjectType::Table
            | ObjectType::View
            | ObjectType::Sequence
            | ObjectType::MatView
            | ObjectType::ForeignTable,
            ObjectRef::Name(names),
        ) => {
            let rv = target::range_var(names)?;
            let rel = target::open_relation(ctx, &rv, LockMode::ShareUpdateExclusive)?;
            let (kind, word) = match s.objtype {
                ObjectType::Table => (b'r', "table"),
                ObjectType::View => (b'v', "view"),
                ObjectType::Sequence => (b'S', "sequence"),
                ObjectType::MatView => (b'm', "materialized view"),
                _ => (b'f', "foreign table"),
            };
            if rel.kind != kind && !(kind == b'r' && rel.kind == b'p') {
                bail!(WRONG_OBJECT_TYPE, "\"{}\" is not a {word}", rel.name);
            }
            target::check_relation_owner(ctx, &rel)?;
            Ok(ObjectAddress::new(pg_class::TABLE, rel.oid))
        }
        (ObjectType::Schema, ObjectRef::Name(names)) => {
            let name = names.last().map_or("", String::as_str);
            let ns = ctx.catalog.require_namespace(name)?;
            if !crate::drop::owns_schema(ctx, ns)? {
                bail!(INSUFFICIENT_PRIVILEGE, "must be owner of schema {name}");
            }
            Ok(ObjectAddress::new(pg_namespace::TABLE, ns))
        }
        _ => {
            let (a, owner) = object_address::resolve(ctx, s.objtype, &s.object)?;
            if owner.is_valid() { must_own(owner, a) } else { Ok(a) }
        }
    }
}
