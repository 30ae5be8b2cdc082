//! CREATE DOMAIN and ALTER DOMAIN.

use super::constraint::{self, add_check, drop_check};
use super::without_position;
use crate::analysis::{notice, transform, with_analyze};
use crate::ctx::CommandCtx;
use crate::expr_depend;
use analyze::expr::Expr;
use analyze::{ExprContext, ExprTarget};
use catalog::columns::*;
use catalog::depend::{DependencyKind, ObjectAddress};
use catalog::desc::TypeDesc;
use common::{Error, Oid, Result, bail, err};
use parser::ast::*;
use types::{Datum, UserClass};

fn impossible(c: ConstrType) -> Option<&'static str> {
    Some(match c {
        ConstrType::Unique => "unique constraints not possible for domains",
        ConstrType::Primary => "primary key constraints not possible for domains",
        ConstrType::Exclusion => "exclusion constraints not possible for domains",
        ConstrType::Foreign => "foreign key constraints not possible for domains",
        ConstrType::AttrDeferrable
        | ConstrType::AttrNotDeferrable
        | ConstrType::AttrDeferred
        | ConstrType::AttrImmediate => "specifying constraint deferrability not supported for domains",
        _ => return None,
    })
}

/// What the constraint clauses of CREATE DOMAIN say besides CHECK.
#[derive(Default)]
struct Clauses {
    default: Option<Expr>,
    not_null: bool,
}

fn read_clauses(ctx: &CommandCtx<'_>, s: &CreateDomainStmt, base: &TypeDesc, typmod: i32) -> Result<Clauses> {
    let mut out = Clauses::default();
    let (mut default_seen, mut null_seen) = (false, false);
    for c in &s.constraints {
        match c.contype {
            ConstrType::Default => {
                if std::mem::replace(&mut default_seen, true) {
                    bail!(SYNTAX_ERROR, "multiple default expressions");
                }
                if let Some(raw) = &c.raw_expr {
                    let name = s.domainname.last().map_or("", String::as_str);
                    out.default = default_expr(ctx, raw, name, base.oid, typmod)?;
                }
            }
            ConstrType::NotNull | ConstrType::Null => {
                let not_null = c.contype == ConstrType::NotNull;
                if null_seen && not_null != out.not_null {
                    bail!(SYNTAX_ERROR, "conflicting NULL/NOT NULL constraints");
                }
                null_seen = true;
                out.not_null = not_null;
            }
            ConstrType::Check if c.is_no_inherit => {
                bail!(INVALID_OBJECT_DEFINITION, "check constraints for domains cannot be marked NO INHERIT");
            }
            ConstrType::Check => {}
            t => match impossible(t) {
                Some(message) => bail!(SYNTAX_ERROR, "{message}"),
                None => bail!(INTERNAL_ERROR, "unrecognized constraint subtype: {}", t as u8),
            },
        }
    }
    Ok(out)
}

/// A domain's default, converted to the type underneath; NULL is no default.
fn default_expr(
    ctx: &CommandCtx<'_>,
    raw: &parser::Expr,
    name: &str,
    type_oid: Oid,
    typmod: i32,
) -> Result<Option<Expr>> {
    let target = ExprTarget { name, type_oid, typmod };
    let e = transform(ctx, raw, ExprContext::Default, None, Some(target)).map_err(without_position)?;
    Ok((!crate::columns::is_null_constant(&e)).then_some(e))
}

/// `typdefaultbin` and `typdefault` for a default expression.
fn default_columns(ctx: &CommandCtx<'_>, e: Option<&Expr>) -> Result<Vec<(usize, Datum)>> {
    use pg_type::*;
    let Some(e) = e else { return Ok(vec![(TYPDEFAULTBIN, Datum::Null), (TYPDEFAULT, Datum::Null)]) };
    let text = with_analyze(ctx, |a| analyze::expr_to_sql(a, e, &|_| String::new()))?;
    Ok(vec![(TYPDEFAULTBIN, Datum::text(&analyze::store_expr(e)?)), (TYPDEFAULT, Datum::text(&text))])
}

/// Runs CREATE DOMAIN.
pub fn create(ctx: &CommandCtx<'_>, s: &CreateDomainStmt) -> Result<String> {
    let (ns, name) = super::creation(ctx, &s.domainname)?;
    super::make_way(ctx, ns, &name)?;
    let (base_oid, typmod) =
        with_analyze(ctx, |a| analyze::resolve_type_name(a, &s.type_name)).map_err(without_position)?;
    let base = ctx.catalog.type_desc(base_oid)?;
    if !matches!(base.typtype, b'b' | b'c' | b'd' | b'e' | b'r' | b'm') {
        let shown = analyze::typename::type_name_to_string(&s.type_name);
        bail!(DATATYPE_MISMATCH, "\"{shown}\" is not a valid base type for a domain");
    }
    let collation = match &s.coll_clause {
        Some(_) if !base.collation.is_valid() => {
            return Err(err!(
                DATATYPE_MISMATCH,
                "collations are not supported by type {}",
                super::shown(ctx, base_oid)?
            ));
        }
        Some(c) => with_analyze(ctx, |x| analyze::lookup_collation(x, &c.collname, Some(c.location)))?,
        None => base.collation,
    };
    let clauses = read_clauses(ctx, s, &base, typmod)?;
    let (oid, array) = super::new_oids(ctx.catalog, UserClass::Domain)?;
    let t = TypeDesc {
        oid,
        name: name.clone(),
        namespace: ns,
        owner: ctx.host.role(),
        base_type: base_oid,
        typmod,
        not_null: clauses.not_null,
        collation,
        ..over(&base, array)
    };
    let mut extra = inherited_default(ctx, &base, &clauses)?;
    extra.push((pg_type::TYPNDIMS, Datum::I32(s.type_name.array_bounds.len() as i32)));
    if storage_is_enum(ctx, base_oid)? {
        // The row says what PostgreSQL's says.
        extra.extend([(pg_type::TYPLEN, Datum::I16(4)), (pg_type::TYPALIGN, Datum::I8(b'i' as i8))]);
    }
    super::insert(ctx, &t, &extra)?;
    crate::default_privileges::apply_to_type(ctx.catalog, oid, ctx.host.role(), ns)?;
    record_uses(ctx, &t, clauses.default.as_ref())?;
    for c in s.constraints.iter().filter(|c| c.contype == ConstrType::Check) {
        let t = ctx.catalog.type_desc(oid)?;
        add_check(ctx, &t, c)?;
        ctx.engine.command_counter_increment()?;
    }
    Ok("CREATE DOMAIN".into())
}

fn storage_is_enum(ctx: &CommandCtx<'_>, t: Oid) -> Result<bool> {
    Ok(UserClass::Enum.is(ctx.catalog.storage_type(t)?))
}

/// A domain without a default of its own takes over that of the type underneath.
fn inherited_default(ctx: &CommandCtx<'_>, base: &TypeDesc, c: &Clauses) -> Result<Vec<(usize, Datum)>> {
    use pg_type::*;
    if c.default.is_some() || base.typtype != b'd' {
        return default_columns(ctx, c.default.as_ref());
    }
    let rows = ctx.catalog.scan(TABLE, OID_INDEX, &[Datum::oid(base.oid)])?;
    let of = |i: usize| rows.first().and_then(|r| r.text(i)).map_or(Datum::Null, |t| Datum::text(&t));
    Ok(vec![(TYPDEFAULTBIN, of(TYPDEFAULTBIN)), (TYPDEFAULT, of(TYPDEFAULT))])
}

/// A domain depends on its type, its collation and what its default calls.
fn record_uses(ctx: &CommandCtx<'_>, t: &TypeDesc, default: Option<&Expr>) -> Result<()> {
    let me = ObjectAddress::new(pg_type::TABLE, t.oid);
    let on = ObjectAddress::new(pg_type::TABLE, t.base_type);
    ctx.catalog.record_dependency(me, on, DependencyKind::Normal)?;
    if t.collation.is_valid() {
        let on = ObjectAddress::new(catalog::columns::pg_collation::TABLE, t.collation);
        ctx.catalog.record_dependency(me, on, DependencyKind::Normal)?;
    }
    match default {
        Some(e) => expr_depend::record(
            ctx.catalog,
            me,
            &expr_depend::of_expr(e, Oid::INVALID),
            DependencyKind::Normal,
        ),
        None => Ok(()),
    }
}

/// The same after the default has changed; what ties the domain to an extension stays.
fn depend_anew(ctx: &CommandCtx<'_>, t: &TypeDesc, default: Option<&Expr>) -> Result<()> {
    let me = ObjectAddress::new(pg_type::TABLE, t.oid);
    let old = ctx.catalog.dependencies(me)?;
    ctx.catalog.delete_dependencies_of(me)?;
    let schema = ObjectAddress::new(catalog::columns::pg_namespace::TABLE, t.namespace);
    ctx.catalog.record_dependency(me, schema, DependencyKind::Normal)?;
    for d in old.iter().filter(|d| d.kind != DependencyKind::Normal) {
        ctx.catalog.record_dependency(me, d.referenced, d.kind)?;
    }
    record_uses(ctx, t, default)
}

fn update(ctx: &CommandCtx<'_>, oid: Oid, changes: &[(usize, Datum)]) -> Result<()> {
    for r in ctx.catalog.scan(pg_type::TABLE, pg_type::OID_INDEX, &[Datum::oid(oid)])? {
        ctx.catalog.update_columns(pg_type::TABLE, &r, changes)?;
    }
    ctx.engine.command_counter_increment()
}

/// Runs ALTER DOMAIN.
pub fn alter(ctx: &CommandCtx<'_>, s: &AlterDomainStmt) -> Result<String> {
    let t = super::find(ctx, &s.type_name)?;
    if t.typtype != b'd' {
        bail!(WRONG_OBJECT_TYPE, "{} is not a domain", super::shown(ctx, t.oid)?);
    }
    super::check_owner(ctx, &t)?;
    match &s.cmd {
        AlterDomainCmd::Default(raw) => {
            let e = match raw {
                Some(raw) => default_expr(ctx, raw, &t.name, t.base_type, t.typmod)?,
                None => None,
            };
            update(ctx, t.oid, &default_columns(ctx, e.as_ref())?)?;
            depend_anew(ctx, &t, e.as_ref())?;
        }
        AlterDomainCmd::SetNotNull if !t.not_null => {
            constraint::validate_not_null(ctx, &t)?;
            update(ctx, t.oid, &[(pg_type::TYPNOTNULL, Datum::Bool(true))])?;
        }
        AlterDomainCmd::SetNotNull => {}
        AlterDomainCmd::DropNotNull => update(ctx, t.oid, &[(pg_type::TYPNOTNULL, Datum::Bool(false))])?,
        AlterDomainCmd::AddConstraint(c) => {
            if c.contype != ConstrType::Check {
                match impossible(c.contype) {
                    Some(message) => bail!(SYNTAX_ERROR, "{message}"),
                    None => return Err(Error::internal("unrecognized constraint subtype")),
                }
            }
            let e = add_check(ctx, &t, c)?;
            if !c.skip_validation {
                constraint::validate(ctx, &t, &e)?;
            }
        }
        AlterDomainCmd::DropConstraint { name, behavior, missing_ok } => {
            if !drop_check(ctx, &t, name, *behavior)? {
                let message =
                    format!("constraint \"{name}\" of domain \"{}\" does not exist", s.type_name.join("."));
                if !missing_ok {
                    bail!(UNDEFINED_OBJECT, "{message}");
                }
                notice(ctx, format!("{message}, skipping"));
            }
        }
        AlterDomainCmd::ValidateConstraint { name } => {
            constraint::validate_named(ctx, &t, name, &s.type_name)?
        }
    }
    ctx.engine.command_counter_increment()?;
    Ok("ALTER DOMAIN".into())
}

/// What every domain over a type has: the type's form, and functions of its own.
pub fn over(base: &TypeDesc, array: Oid) -> TypeDesc {
    TypeDesc {
        typtype: b'd',
        preferred: false,
        relid: Oid::INVALID,
        elem: Oid::INVALID,
        array,
        subscript_proc: Oid::INVALID,
        input: Oid(2597),
        receive: Oid(2598),
        modin: Oid::INVALID,
        modout: Oid::INVALID,
        not_null: false,
        ..base.clone()
    }
}
