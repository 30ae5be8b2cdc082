//! Types of one's own: composite types, enums, domains; CREATE TYPE, ALTER TYPE, DROP TYPE and their DOMAIN twins.

mod alter;
mod base;
pub mod composite;
mod constraint;
mod domain;
mod enums;
mod range;
pub mod shell;

pub use alter::{owner, rename, set_schema};
pub use base::create as create_base;
pub use constraint::store_check;
pub use domain::{alter as alter_domain, create as create_domain, over};
pub use enums::{alter as alter_enum, create as create_enum};
pub use range::create as create_range;

use crate::analysis::{notice, with_analyze};
use crate::ctx::CommandCtx;
use crate::drop::walk;
use crate::{naming, target};
use catalog::bootstrap::type_row;
use catalog::columns::*;
use catalog::depend::{DependencyKind, ObjectAddress};
use catalog::desc::TypeDesc;
use catalog::{Catalog, Ref};
use common::{Error, Oid, Result, bail, err};
use parser::ast::*;
use types::{Phys, UserClass};

/// A type by its possibly qualified name. 42704.
pub fn find(ctx: &CommandCtx<'_>, names: &[String]) -> Result<Ref<TypeDesc>> {
    let tn = TypeName { names: names.to_vec(), ..TypeName::default() };
    let (oid, _) = with_analyze(ctx, |a| analyze::resolve_type_name(a, &tn)).map_err(without_position)?;
    ctx.catalog.type_desc(oid)
}

/// The error as it is for names that are not part of an expression.
pub fn without_position(mut e: Error) -> Error {
    e.report_mut().position = None;
    e
}

/// A name as messages show it.
pub fn shown(ctx: &CommandCtx<'_>, oid: Oid) -> Result<String> {
    with_analyze(ctx, |a| Ok(analyze::format_type_short(a, oid)))
}

/// 42501 `must be owner of type …`.
pub fn check_owner(ctx: &CommandCtx<'_>, t: &TypeDesc) -> Result<()> {
    if !target::owns(ctx, t.owner)? {
        bail!(INSUFFICIENT_PRIVILEGE, "must be owner of type {}", shown(ctx, t.oid)?);
    }
    Ok(())
}

/// The schema and name of a type to be created.
pub fn creation(ctx: &CommandCtx<'_>, names: &[String]) -> Result<(Oid, String)> {
    let rv = target::range_var(names)?;
    let (ns, _) = target::creation_target(ctx, &rv).map_err(without_position)?;
    Ok((ns, rv.relname))
}

/// The array type whose name a new type wants gives way. 42710 for any other type of the name.
pub fn make_way(ctx: &CommandCtx<'_>, ns: Oid, name: &str) -> Result<()> {
    use pg_type::*;
    let Some(oid) = ctx.catalog.type_oid(ns, name)? else { return Ok(()) };
    let old = ctx.catalog.type_desc(oid)?;
    let is_array_of = old.elem.is_valid() && ctx.catalog.type_desc(old.elem)?.array == oid;
    if !is_array_of || old.namespace != ns {
        bail!(DUPLICATE_OBJECT, "type \"{name}\" already exists");
    }
    let free = array_name(ctx.catalog, ns, name)?;
    for r in ctx.catalog.scan(TABLE, OID_INDEX, &[types::Datum::oid(oid)])? {
        ctx.catalog.update_columns(TABLE, &r, &[(TYPNAME, types::Datum::text(&free))])?;
    }
    ctx.engine.command_counter_increment()
}

/// A free name for the array type over a type: `_name`, with more underscores while taken.
pub fn array_name(catalog: &Catalog, ns: Oid, name: &str) -> Result<String> {
    let mut underscores = 1;
    loop {
        let u = "_".repeat(underscores);
        let n = format!("{u}{}", naming::clip(name, naming::NAME_MAX - underscores));
        if catalog.type_oid(ns, &n)?.is_none() {
            return Ok(n);
        }
        underscores += 1;
    }
}

/// The row of the array type over `elem`.
pub fn array_desc(elem: &TypeDesc, oid: Oid, name: String) -> TypeDesc {
    TypeDesc {
        oid,
        name,
        len: -1,
        by_val: false,
        align: if elem.align == b'd' { b'd' } else { b'i' },
        storage: b'x',
        phys: Phys::Bytes,
        typtype: b'b',
        category: b'A',
        relid: Oid::INVALID,
        elem: elem.oid,
        array: Oid::INVALID,
        subscript_proc: Oid(6179),
        input: Oid(750),
        output: Oid(751),
        receive: Oid(2400),
        send: Oid(2401),
        modin: Oid::INVALID,
        modout: Oid::INVALID,
        base_type: Oid::INVALID,
        typmod: -1,
        not_null: false,
        preferred: false,
        delim: b',',
        ..elem.clone()
    }
}

/// Inserts a type that is not a relation's row type, and the array type over it.
pub fn insert(ctx: &CommandCtx<'_>, t: &TypeDesc, extra: &[(usize, types::Datum)]) -> Result<()> {
    let catalog = ctx.catalog;
    let mut row = type_row(catalog, t);
    for (i, d) in extra {
        row[*i] = d.clone();
    }
    catalog.insert_row(pg_type::TABLE, &row)?;
    let me = ObjectAddress::new(pg_type::TABLE, t.oid);
    let ns = ObjectAddress::new(pg_namespace::TABLE, t.namespace);
    catalog.record_dependency(me, ns, DependencyKind::Normal)?;
    catalog.record_role_dependency(me, t.owner, b'o')?;
    let name = array_name(catalog, t.namespace, &t.name)?;
    let array = array_desc(t, t.array, name);
    catalog.insert_row(pg_type::TABLE, &type_row(catalog, &array))?;
    let array = ObjectAddress::new(pg_type::TABLE, t.array);
    catalog.record_dependency(array, me, DependencyKind::Internal)?;
    ctx.engine.command_counter_increment()
}

/// Inserts a shell type.
pub fn insert_shell(ctx: &CommandCtx<'_>, t: &TypeDesc) -> Result<()> {
    ctx.catalog.insert_row(pg_type::TABLE, &type_row(ctx.catalog, t))?;
    let me = ObjectAddress::new(pg_type::TABLE, t.oid);
    let ns = ObjectAddress::new(pg_namespace::TABLE, t.namespace);
    ctx.catalog.record_dependency(me, ns, DependencyKind::Normal)?;
    ctx.catalog.record_role_dependency(me, t.owner, b'o')?;
    ctx.engine.command_counter_increment()
}

/// DROP TYPE and DROP DOMAIN.
pub fn drop(ctx: &CommandCtx<'_>, s: &DropStmt) -> Result<String> {
    let is_domain = s.remove_type == ObjectType::Domain;
    let tag = if is_domain { "DROP DOMAIN" } else { "DROP TYPE" };
    let mut objects = Vec::new();
    for o in &s.objects {
        let tn = match o {
            ObjectRef::Type(t) => t.clone(),
            ObjectRef::Name(n) => TypeName { names: n.clone(), ..TypeName::default() },
            _ => return Err(Error::internal("a type without a name")),
        };
        let found = match missing_schema(ctx, &tn)? {
            Some(schema) if !s.missing_ok => {
                bail!(INVALID_SCHEMA_NAME, "schema \"{schema}\" does not exist")
            }
            Some(schema) => {
                notice(ctx, format!("schema \"{schema}\" does not exist, skipping"));
                continue;
            }
            None => match with_analyze(ctx, |a| analyze::typename::lookup_type_name(a, &tn)) {
                Err(e) if e.report().message.ends_with("is only a shell") => {
                    Some((shell::oid(ctx, &tn)?, -1))
                }
                found => found.map_err(without_position)?,
            },
        };
        let Some((oid, _)) = found else {
            let name = analyze::typename::type_name_to_string(&tn);
            if !s.missing_ok {
                bail!(UNDEFINED_OBJECT, "type \"{name}\" does not exist");
            }
            notice(ctx, format!("type \"{name}\" does not exist, skipping"));
            continue;
        };
        let t = ctx.catalog.type_desc(oid)?;
        if is_domain && t.typtype != b'd' {
            let name = analyze::typename::type_name_to_string(&tn);
            bail!(WRONG_OBJECT_TYPE, "\"{name}\" is not a domain");
        }
        if !target::owns(ctx, t.owner)? && !crate::drop::owns_schema(ctx, t.namespace)? {
            bail!(INSUFFICIENT_PRIVILEGE, "must be owner of type {}", shown(ctx, oid)?);
        }
        if catalog::builtins::is_pinned(oid) {
            bail!(
                DEPENDENT_OBJECTS_STILL_EXIST,
                "cannot drop type {} because it is required by the database system",
                shown(ctx, oid)?
            );
        }
        objects.push(ObjectAddress::new(pg_type::TABLE, oid));
    }
    walk::drop_objects(ctx, &objects, s.behavior, false)?;
    Ok(tag.into())
}

fn missing_schema(ctx: &CommandCtx<'_>, tn: &TypeName) -> Result<Option<String>> {
    if let [.., schema, _] = tn.names.as_slice()
        && ctx.catalog.namespace_oid(schema)?.is_none()
    {
        return Ok(Some(schema.clone()));
    }
    Ok(None)
}

/// A new type's row with what all kinds have in common.
pub fn blank(oid: Oid, array: Oid, name: &str, namespace: Oid, owner: Oid) -> TypeDesc {
    TypeDesc {
        array,
        namespace,
        owner,
        ..catalog::desc::row_type_desc(oid, name, false, Oid::INVALID, oid, array)
    }
}

/// OIDs for a type of a class and for the array type over it.
pub fn new_oids(catalog: &Catalog, class: UserClass) -> Result<(Oid, Oid)> {
    let array = catalog.new_type_oid(UserClass::Array)?;
    Ok((catalog.new_type_oid(class)?, array))
}

/// Some column that has the type, directly or inside another type: (relation, column).
pub fn column_using(ctx: &CommandCtx<'_>, type_oid: Oid) -> Result<Option<(Oid, i16)>> {
    find_column(ctx, type_oid, &mut Vec::new())
}

/// The array type over the type comes first, then what depends on the type in order.
fn find_column(ctx: &CommandCtx<'_>, t: Oid, seen: &mut Vec<Oid>) -> Result<Option<(Oid, i16)>> {
    if !t.is_valid() || seen.contains(&t) {
        return Ok(None);
    }
    seen.push(t);
    let d = ctx.catalog.type_desc(t)?;
    if let Some(found) = find_column(ctx, d.array, seen)? {
        return Ok(Some(found));
    }
    for dep in ctx.catalog.dependents(ObjectAddress::new(pg_type::TABLE, t))? {
        let below = match dep.depender.class {
            pg_type::TABLE if ctx.catalog.type_desc(dep.depender.object)?.typtype == b'd' => {
                dep.depender.object
            }
            pg_class::TABLE if dep.depender.sub > 0 => {
                let rel = ctx.catalog.relation(dep.depender.object)?;
                if matches!(rel.kind, b'r' | b'm' | b'p') {
                    return Ok(Some((rel.oid, dep.depender.sub as i16)));
                }
                rel.row_type
            }
            _ => continue,
        };
        if let Some(found) = find_column(ctx, below, seen)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// 0A000 if some column holds values of a composite type or of a table's row type that is to change its form.
pub fn check_row_type_unused(ctx: &CommandCtx<'_>, rel: &catalog::desc::Relation) -> Result<()> {
    if !rel.row_type.is_valid() {
        return Ok(());
    }
    let Some((user, column)) = column_using(ctx, rel.row_type)? else { return Ok(()) };
    let t = ctx.catalog.relation(user)?;
    let column = &t.desc.attrs[column as usize - 1].name;
    Err(if rel.kind == b'c' {
        err!(
            FEATURE_NOT_SUPPORTED,
            "cannot alter type \"{}\" because column \"{}.{column}\" uses it",
            rel.name,
            t.name
        )
    } else {
        err!(
            FEATURE_NOT_SUPPORTED,
            "cannot alter table \"{}\" because column \"{}.{column}\" uses its row type",
            rel.name,
            t.name
        )
    })
}
