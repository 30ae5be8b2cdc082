//! CREATE CAST and DROP CAST.

use crate::analysis::{notice, warning, with_analyze};
use crate::ctx::CommandCtx;
use crate::target;
use catalog::columns::*;
use catalog::depend::{DependencyKind, ObjectAddress};
use common::{Error, Oid, Result, SqlState, bail, err};
use parser::ast::*;
use types::{Datum, oids};

fn shown(ctx: &CommandCtx<'_>, t: Oid) -> Result<String> {
    crate::user_type::shown(ctx, t)
}

/// A cast's function: 42P17 if it cannot be one.
fn function(ctx: &CommandCtx<'_>, f: &ObjectWithArgs, source: Oid, target: Oid) -> Result<(Oid, usize)> {
    let p = crate::routine::require(ctx, ObjectType::Function, f)?;
    let n = p.arg_types.len();
    if !(1..=3).contains(&n) {
        bail!(INVALID_OBJECT_DEFINITION, "cast function must take one to three arguments");
    }
    let fits = |from: Oid, to: Oid| with_analyze(ctx, |a| a.binary_coercible(from, to));
    if !fits(source, p.arg_types[0])? {
        bail!(
            INVALID_OBJECT_DEFINITION,
            "argument of cast function must match or be binary-coercible from source data type"
        );
    }
    if n > 1 && p.arg_types[1] != oids::INT4 {
        bail!(INVALID_OBJECT_DEFINITION, "second argument of cast function must be type integer");
    }
    if n > 2 && p.arg_types[2] != oids::BOOL {
        bail!(INVALID_OBJECT_DEFINITION, "third argument of cast function must be type boolean");
    }
    if !fits(p.ret_type, target)? {
        bail!(
            INVALID_OBJECT_DEFINITION,
            "return data type of cast function must match or be binary-coercible to target data type"
        );
    }
    if p.kind != b'f' {
        bail!(INVALID_OBJECT_DEFINITION, "cast function must be a normal function");
    }
    if p.retset {
        bail!(INVALID_OBJECT_DEFINITION, "cast function must not return a set");
    }
    crate::aclcheck::check_functions(ctx.catalog, ctx.host.role(), &[p.oid])?;
    Ok((p.oid, n))
}

/// WITHOUT FUNCTION: 42501, 42P17.
fn check_binary(ctx: &CommandCtx<'_>, source: Oid, target: Oid) -> Result<()> {
    if !ctx.host.is_superuser() {
        bail!(INSUFFICIENT_PRIVILEGE, "must be superuser to create a cast WITHOUT FUNCTION");
    }
    let (s, t) = (ctx.catalog.type_desc(source)?, ctx.catalog.type_desc(target)?);
    if (s.len, s.by_val, s.align) != (t.len, t.by_val, t.align) {
        bail!(INVALID_OBJECT_DEFINITION, "source and target data types are not physically compatible");
    }
    let either = |letter: u8| s.typtype == letter || t.typtype == letter;
    let array = |d: &catalog::desc::TypeDesc| d.elem.is_valid() && d.subscript_proc == Oid(6179);
    let what = if either(b'c') {
        "composite data types are not binary-compatible"
    } else if array(&s) || array(&t) {
        "array data types are not binary-compatible"
    } else if either(b'r') || either(b'm') {
        "range data types are not binary-compatible"
    } else if either(b'e') {
        "enum data types are not binary-compatible"
    } else if either(b'd') {
        "domain data types must not be marked binary-compatible"
    } else if s.phys != t.phys {
        return Err(Error::unsupported("CREATE CAST WITHOUT FUNCTION between these types"));
    } else {
        return Ok(());
    };
    bail!(INVALID_OBJECT_DEFINITION, "{what}")
}

/// Runs CREATE CAST.
pub fn create(ctx: &CommandCtx<'_>, s: &CreateCastStmt) -> Result<String> {
    let resolve = |t: &TypeName| {
        with_analyze(ctx, |a| analyze::resolve_type_name(a, t)).map_err(crate::user_type::without_position)
    };
    let (source, target) = (resolve(&s.sourcetype)?.0, resolve(&s.targettype)?.0);
    let (sd, td) = (ctx.catalog.type_desc(source)?, ctx.catalog.type_desc(target)?);
    for (d, which) in [(&sd, "source"), (&td, "target")] {
        if d.typtype == b'p' {
            bail!(WRONG_OBJECT_TYPE, "{which} data type {} is a pseudo-type", shown(ctx, d.oid)?);
        }
    }
    if !target::owns(ctx, sd.owner)? && !target::owns(ctx, td.owner)? {
        bail!(
            INSUFFICIENT_PRIVILEGE,
            "must be owner of type {} or type {}",
            shown(ctx, source)?,
            shown(ctx, target)?
        );
    }
    for (d, which) in [(&sd, "source"), (&td, "target")] {
        if d.typtype == b'd' {
            let message = format!("cast will be ignored because the {which} data type is a domain");
            warning(ctx, SqlState::WRONG_OBJECT_TYPE, message);
        }
    }
    let (method, function, nargs) = match (&s.func, s.inout) {
        (Some(f), _) => {
            let (oid, n) = function(ctx, f, source, target)?;
            (b'f', oid, n)
        }
        (None, true) => (b'i', Oid::INVALID, 0),
        (None, false) => {
            check_binary(ctx, source, target)?;
            (b'b', Oid::INVALID, 0)
        }
    };
    if source == target && nargs < 2 {
        bail!(INVALID_OBJECT_DEFINITION, "source data type and target data type are the same");
    }
    let context = match s.context {
        CoercionContext::Implicit => b'i',
        CoercionContext::Assignment => b'a',
        CoercionContext::Explicit => b'e',
    };
    use pg_cast::*;
    let keys = [Datum::oid(source), Datum::oid(target)];
    if !ctx.catalog.scan(TABLE, SOURCE_TARGET_INDEX, &keys)?.is_empty() {
        bail!(
            DUPLICATE_OBJECT,
            "cast from type {} to type {} already exists",
            shown(ctx, source)?,
            shown(ctx, target)?
        );
    }
    let oid = ctx.catalog.new_oid(TABLE, OID_INDEX)?;
    let mut r = ctx.catalog.blank_row(TABLE);
    r[OID] = Datum::oid(oid);
    r[CASTSOURCE] = Datum::oid(source);
    r[CASTTARGET] = Datum::oid(target);
    r[CASTFUNC] = Datum::oid(function);
    r[CASTCONTEXT] = Datum::I8(context as i8);
    r[CASTMETHOD] = Datum::I8(method as i8);
    ctx.catalog.insert_row(TABLE, &r)?;
    let me = ObjectAddress::new(TABLE, oid);
    for (class, on) in [(pg_type::TABLE, source), (pg_type::TABLE, target), (pg_proc::TABLE, function)] {
        if on.is_valid() {
            ctx.catalog.record_dependency(me, ObjectAddress::new(class, on), DependencyKind::Normal)?;
        }
    }
    ctx.engine.command_counter_increment()?;
    Ok("CREATE CAST".into())
}

/// Runs DROP CAST.
pub fn drop(ctx: &CommandCtx<'_>, s: &DropStmt) -> Result<String> {
    let mut objects = Vec::new();
    for o in &s.objects {
        let ObjectRef::Cast(pair) = o else { return Err(Error::internal("a cast without types")) };
        let mut types = Vec::new();
        for t in [&pair.0, &pair.1] {
            match with_analyze(ctx, |a| analyze::typename::lookup_type_name(a, t))? {
                Some((oid, _)) => types.push(oid),
                None => {
                    let name = analyze::typename::type_name_to_string(t);
                    if !s.missing_ok {
                        return Err(err!(UNDEFINED_OBJECT, "type \"{name}\" does not exist"));
                    }
                    notice(ctx, format!("type \"{name}\" does not exist, skipping"));
                    break;
                }
            }
        }
        let [source, target] = types[..] else { continue };
        use pg_cast::*;
        let keys = [Datum::oid(source), Datum::oid(target)];
        let (from, to) = (shown(ctx, source)?, shown(ctx, target)?);
        let Some(row) = ctx.catalog.scan(TABLE, SOURCE_TARGET_INDEX, &keys)?.into_iter().next() else {
            if !s.missing_ok {
                bail!(UNDEFINED_OBJECT, "cast from type {from} to type {to} does not exist");
            }
            let raw = crate::routine::raw_type_name;
            let (from, to) = (raw(&pair.0), raw(&pair.1));
            notice(ctx, format!("cast from type {from} to type {to} does not exist, skipping"));
            continue;
        };
        let (sd, td) = (ctx.catalog.type_desc(source)?, ctx.catalog.type_desc(target)?);
        if !target::owns(ctx, sd.owner)? && !target::owns(ctx, td.owner)? {
            bail!(INSUFFICIENT_PRIVILEGE, "must be owner of type {from} or type {to}");
        }
        let oid = row.oid(OID);
        if oid < Oid::FIRST_NORMAL {
            bail!(
                DEPENDENT_OBJECTS_STILL_EXIST,
                "cannot drop cast from {from} to {to} because it is required by the database system"
            );
        }
        objects.push(ObjectAddress::new(TABLE, oid));
    }
    crate::drop::walk::drop_objects(ctx, &objects, s.behavior, false)?;
    Ok("DROP CAST".into())
}
