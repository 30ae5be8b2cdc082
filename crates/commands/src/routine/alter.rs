//! ALTER FUNCTION, PROCEDURE, ROUTINE (and of aggregates what they share): options, name, owner, schema. And how a
//! statement's `f(integer)` is found.

use super::create::kind_word;
use super::options;
use crate::analysis::{notice, with_analyze};
use crate::ctx::CommandCtx;
use crate::rename::{change_owner, check_new_owner};
use crate::{acl, aclcheck, target};
use catalog::Ref;
use catalog::columns::*;
use catalog::depend::{DependencyKind, ObjectAddress};
use catalog::desc::ProcDesc;
use common::{Error, Oid, Result, bail, err};
use parser::ast::*;
use types::Datum;

fn word_of(t: ObjectType) -> &'static str {
    match t {
        ObjectType::Procedure => "procedure",
        ObjectType::Routine => "routine",
        ObjectType::Aggregate => "aggregate",
        _ => "function",
    }
}

fn fits_kind(t: ObjectType, kind: u8) -> bool {
    match t {
        ObjectType::Function => kind != b'p',
        ObjectType::Procedure => kind == b'p',
        ObjectType::Aggregate => kind == b'a',
        _ => true,
    }
}

/// A type's name as the grammar gave it.
pub fn raw_type_name(t: &TypeName) -> String {
    let arrays = if t.array_bounds.is_empty() { "" } else { "[]" };
    format!("{}{arrays}", t.names.join("."))
}

/// The argument types a statement writes; `None` if one does not exist and that is no error.
fn arg_types<'a>(
    ctx: &CommandCtx<'_>,
    list: impl Iterator<Item = &'a TypeName>,
    missing_ok: bool,
) -> Result<Option<Vec<Oid>>> {
    let mut out = Vec::new();
    for t in list {
        let found = match with_analyze(ctx, |a| analyze::typename::lookup_type_name(a, t)) {
            Err(e) if e.report().message.ends_with("is only a shell") => {
                Some((crate::user_type::shell::oid(ctx, t)?, -1))
            }
            Err(e) => return Err(crate::user_type::without_position(e)),
            Ok(f) => f,
        };
        match found {
            Some((oid, _)) => out.push(oid),
            None if missing_ok => {
                if let [.., schema, _] = t.names.as_slice()
                    && ctx.catalog.namespace_oid(schema)?.is_none()
                {
                    notice(ctx, format!("schema \"{schema}\" does not exist, skipping"));
                    return Ok(None);
                }
                let shown = analyze::typename::type_name_to_string(t);
                notice(ctx, format!("type \"{shown}\" does not exist, skipping"));
                return Ok(None);
            }
            None => {
                let shown = analyze::typename::type_name_to_string(t);
                bail!(UNDEFINED_OBJECT, "type \"{shown}\" does not exist");
            }
        }
    }
    Ok(Some(out))
}

/// The routine a statement names; with `missing_ok` a notice and `None` if there is none.
pub fn find(
    ctx: &CommandCtx<'_>,
    t: ObjectType,
    f: &ObjectWithArgs,
    missing_ok: bool,
) -> Result<Option<Ref<ProcDesc>>> {
    let word = word_of(t);
    let full = f.objname.join(".");
    let (schemas, name) = match &f.objname[..] {
        [.., schema, name] => match ctx.catalog.named_schema(schema)? {
            Some(ns) => (vec![ns], name),
            None if missing_ok => {
                notice(ctx, format!("schema \"{schema}\" does not exist, skipping"));
                return Ok(None);
            }
            None => bail!(INVALID_SCHEMA_NAME, "schema \"{schema}\" does not exist"),
        },
        [name] => {
            let path = ctx.host.search_path()?;
            (path.schemas.iter().copied().filter(|s| *s != path.temp).collect(), name)
        }
        [] => return Err(Error::internal("function without a name")),
    };
    let Some(types) = arg_types(ctx, f.objargs.iter().flatten(), missing_ok)? else { return Ok(None) };
    let all_types =
        match f.objfuncargs.is_empty() || matches!(t, ObjectType::Function | ObjectType::Aggregate) {
            true => None,
            false => arg_types(ctx, f.objfuncargs.iter().map(|a| &a.arg_type), missing_ok)?,
        };
    let all = ctx.catalog.procs_named(name)?;
    let mut found: Vec<Ref<ProcDesc>> = Vec::new();
    for s in schemas {
        for p in all.iter().filter(|p| p.namespace == s) {
            let same = f.args_unspecified
                || p.arg_types == types
                || (p.kind == b'p' && all_types.as_ref().is_some_and(|a| p.all_arg_types == *a));
            let seen = found.iter().any(|q| !f.args_unspecified && q.arg_types == p.arg_types);
            if same && !seen && (!f.args_unspecified || fits_kind(t, p.kind)) {
                found.push(p.clone());
            }
        }
    }
    if found.len() > 1 && f.args_unspecified {
        return Err(err!(AMBIGUOUS_FUNCTION, "{word} name \"{full}\" is not unique")
            .hint(format!("Specify the argument list to select the {word} unambiguously.")));
    }
    if found.len() > 1 {
        return Err(err!(AMBIGUOUS_FUNCTION, "{word} name \"{full}\" is not unique"));
    }
    let shown = || -> Result<String> {
        let list = with_analyze(ctx, |a| {
            Ok(types.iter().map(|t| analyze::format_type_short(a, *t)).collect::<Vec<_>>().join(", "))
        })?;
        Ok(format!("{full}({list})"))
    };
    let Some(p) = found.pop() else {
        let agg_star = t == ObjectType::Aggregate && types.is_empty();
        let message = match f.args_unspecified {
            true => format!("could not find {} {word} named \"{full}\"", if agg_star { "an" } else { "a" }),
            false if agg_star => format!("aggregate {full}(*) does not exist"),
            false if t == ObjectType::Routine => format!("function {} does not exist", shown()?),
            false => format!("{word} {} does not exist", shown()?),
        };
        if missing_ok {
            let list: Vec<String> = f.objargs.iter().flatten().map(raw_type_name).collect();
            let list = list.join(",");
            notice(ctx, format!("{word} {full}({list}) does not exist, skipping"));
            return Ok(None);
        }
        bail!(UNDEFINED_FUNCTION, "{message}");
    };
    if !fits_kind(t, p.kind) {
        match t {
            ObjectType::Aggregate => {
                bail!(WRONG_OBJECT_TYPE, "function {} is not an aggregate", shown()?)
            }
            _ => bail!(WRONG_OBJECT_TYPE, "{} is not a {word}", shown()?),
        }
    }
    Ok(Some(p))
}

/// As [`find`]; 42883 if there is none.
pub fn require(ctx: &CommandCtx<'_>, t: ObjectType, f: &ObjectWithArgs) -> Result<Ref<ProcDesc>> {
    find(ctx, t, f, false)?.ok_or_else(|| Error::internal("no routine, and no error"))
}

/// 42501.
pub fn check_owner(ctx: &CommandCtx<'_>, p: &ProcDesc) -> Result<()> {
    if !target::owns(ctx, p.owner)? {
        bail!(INSUFFICIENT_PRIVILEGE, "must be owner of {} {}", kind_word(p.kind), p.name);
    }
    Ok(())
}

fn update(ctx: &CommandCtx<'_>, oid: Oid, changes: &[(usize, Datum)]) -> Result<()> {
    use pg_proc::*;
    let rows = ctx.catalog.scan(TABLE, OID_INDEX, &[Datum::oid(oid)])?;
    let row = rows.first().ok_or_else(|| crate::analysis::lost("function", oid))?;
    ctx.catalog.update_columns(TABLE, row, changes)?;
    ctx.engine.command_counter_increment()
}

fn tag(t: ObjectType) -> String {
    format!("ALTER {}", word_of(t).to_ascii_uppercase())
}

/// Runs ALTER FUNCTION and its kin with options.
pub fn alter(ctx: &CommandCtx<'_>, s: &AlterFunctionStmt) -> Result<String> {
    use pg_proc::*;
    let p = require(ctx, s.objtype, &s.func)?;
    check_owner(ctx, &p)?;
    if p.kind == b'a' {
        bail!(WRONG_OBJECT_TYPE, "\"{}\" is an aggregate function", s.func.objname.join("."));
    }
    let o = options::read(&s.actions, p.kind == b'p')?;
    let mut changes = Vec::new();
    if let Some(v) = o.volatile {
        changes.push((PROVOLATILE, Datum::I8(v as i8)));
    }
    if let Some(v) = o.strict {
        changes.push((PROISSTRICT, Datum::Bool(v)));
    }
    if let Some(v) = o.sec_def {
        changes.push((PROSECDEF, Datum::Bool(v)));
    }
    if let Some(v) = o.leakproof {
        if v && !ctx.host.is_superuser() {
            bail!(INSUFFICIENT_PRIVILEGE, "only superuser can define a leakproof function");
        }
        changes.push((PROLEAKPROOF, Datum::Bool(v)));
    }
    if let Some(v) = o.cost {
        changes.push((PROCOST, Datum::F32(v as f32)));
    }
    if let Some(v) = o.rows {
        if !p.retset {
            bail!(INVALID_PARAMETER_VALUE, "ROWS is not applicable when function does not return a set");
        }
        changes.push((PROROWS, Datum::F32(v as f32)));
    }
    if let Some(v) = o.parallel {
        changes.push((PROPARALLEL, Datum::I8(v as i8)));
    }
    if !o.sets.is_empty() {
        let config = options::config(ctx, p.config.clone(), &o.sets)?;
        changes.push((PROCONFIG, options::config_datum(&config)));
    }
    update(ctx, p.oid, &changes)?;
    Ok(tag(s.objtype))
}

fn with_args(o: Option<&ObjectRef>) -> Result<&ObjectWithArgs> {
    match o {
        Some(ObjectRef::WithArgs(f)) => Ok(f),
        _ => Err(Error::internal("a routine without arguments")),
    }
}

fn taken(ctx: &CommandCtx<'_>, p: &ProcDesc, name: &str, ns: Oid) -> Result<bool> {
    Ok(ctx.catalog.procs_named(name)?.iter().any(|q| q.namespace == ns && q.arg_types == p.arg_types))
}

fn duplicate(ctx: &CommandCtx<'_>, p: &ProcDesc, name: &str, ns: Oid) -> Result<Error> {
    let list = with_analyze(ctx, |a| {
        Ok(p.arg_types.iter().map(|t| analyze::format_type_short(a, *t)).collect::<Vec<_>>().join(", "))
    })?;
    let schema = ctx.catalog.namespace_name(ns)?.unwrap_or_default();
    Ok(err!(DUPLICATE_FUNCTION, "function {name}({list}) already exists in schema \"{schema}\""))
}

/// ALTER … RENAME TO.
pub fn rename(ctx: &CommandCtx<'_>, s: &RenameStmt) -> Result<String> {
    let p = require(ctx, s.rename_type, with_args(s.object.as_ref())?)?;
    if taken(ctx, &p, &s.newname, p.namespace)? {
        return Err(duplicate(ctx, &p, &s.newname, p.namespace)?);
    }
    check_owner(ctx, &p)?;
    aclcheck::check_namespace(ctx, p.namespace, acl::CREATE)?;
    update(ctx, p.oid, &[(pg_proc::PRONAME, Datum::text(&s.newname))])?;
    Ok(tag(s.rename_type))
}

/// ALTER … OWNER TO.
pub fn owner(ctx: &CommandCtx<'_>, s: &AlterOwnerStmt, owner: Oid) -> Result<String> {
    let p = require(ctx, s.object_type, with_args(Some(&s.object))?)?;
    if p.owner != owner {
        check_owner(ctx, &p)?;
        check_new_owner(ctx, owner, Some(p.namespace))?;
        change_owner(ctx, ObjectAddress::new(pg_proc::TABLE, p.oid), owner)?;
        ctx.engine.command_counter_increment()?;
    }
    Ok(tag(s.object_type))
}

/// ALTER … SET SCHEMA.
pub fn set_schema(ctx: &CommandCtx<'_>, s: &AlterObjectSchemaStmt) -> Result<String> {
    let p = require(ctx, s.object_type, with_args(s.object.as_ref())?)?;
    let ns = ctx.catalog.require_namespace(&s.newschema)?;
    target::check_move(ctx, p.namespace, ns)?;
    check_owner(ctx, &p)?;
    target::check_creation(ctx, ns)?;
    if p.namespace != ns {
        if taken(ctx, &p, &p.name, ns)? {
            return Err(duplicate(ctx, &p, &p.name, ns)?);
        }
        update(ctx, p.oid, &[(pg_proc::PRONAMESPACE, Datum::oid(ns))])?;
        let me = ObjectAddress::new(pg_proc::TABLE, p.oid);
        use pg_depend::*;
        let keys = [Datum::oid(me.class), Datum::oid(me.object), Datum::I32(0)];
        for r in ctx.catalog.scan(TABLE, DEPENDER_INDEX, &keys)? {
            if r.oid(REFCLASSID) == pg_namespace::TABLE {
                ctx.catalog.delete_row(TABLE, &r)?;
            }
        }
        let schema = ObjectAddress::new(pg_namespace::TABLE, ns);
        ctx.catalog.record_dependency(me, schema, DependencyKind::Normal)?;
        ctx.engine.command_counter_increment()?;
    }
    Ok(tag(s.object_type))
}

/// DROP FUNCTION, PROCEDURE, ROUTINE, AGGREGATE.
pub fn drop(ctx: &CommandCtx<'_>, s: &DropStmt) -> Result<String> {
    let mut objects = Vec::new();
    for o in &s.objects {
        let f = with_args(Some(o))?;
        let Some(p) = find(ctx, s.remove_type, f, s.missing_ok)? else { continue };
        if s.remove_type == ObjectType::Function && p.kind == b'a' {
            return Err(err!(WRONG_OBJECT_TYPE, "\"{}\" is an aggregate function", f.objname.join("."))
                .hint("Use DROP AGGREGATE to drop aggregate functions."));
        }
        if !target::owns(ctx, p.owner)? && !crate::drop::owns_schema(ctx, p.namespace)? {
            bail!(INSUFFICIENT_PRIVILEGE, "must be owner of {} {}", kind_word(p.kind), f.objname.join("."));
        }
        let a = ObjectAddress::new(pg_proc::TABLE, p.oid);
        if p.oid < Oid::FIRST_NORMAL {
            bail!(
                DEPENDENT_OBJECTS_STILL_EXIST,
                "cannot drop {} because it is required by the database system",
                crate::drop::describe::describe(ctx, a)?
            );
        }
        objects.push(a);
    }
    crate::drop::walk::drop_objects(ctx, &objects, s.behavior, false)?;
    Ok(format!("DROP {}", word_of(s.remove_type).to_ascii_uppercase()))
}
