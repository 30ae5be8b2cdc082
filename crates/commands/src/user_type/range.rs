//! CREATE TYPE … AS RANGE: the range type, its multirange type, arrays over both, constructors, and the cast from one to
//! the other. A multirange's OID is its range's plus one (see `types::range`).

use super::{blank, make_way, shown};
use crate::analysis::with_analyze;
use crate::ctx::CommandCtx;
use crate::naming;
use crate::routine::type_arg;
use analyze::func::Lookup;
use catalog::builtins::{BTREE_AM, LANGUAGE_INTERNAL};
use catalog::columns::*;
use catalog::depend::{DependencyKind, ObjectAddress};
use catalog::desc::TypeDesc;
use catalog::literal;
use common::{Error, Oid, Result, bail, err};
use parser::ast::*;
use types::{Datum, UserClass, oids};

/// The parameters as written.
#[derive(Default)]
struct Parameters {
    subtype: Option<TypeName>,
    opclass: Option<Vec<String>>,
    collation: Option<Vec<String>>,
    diff: Option<Vec<String>>,
    multirange: Option<Vec<String>>,
}

fn names(d: &DefElem) -> Result<Vec<String>> {
    match &d.arg {
        Some(DefArg::Names(n)) => Ok(n.clone()),
        Some(DefArg::TypeName(t)) => Ok(t.names.clone()),
        Some(DefArg::String(s)) => Ok(vec![s.clone()]),
        _ => bail!(SYNTAX_ERROR, "{} requires a parameter", d.defname),
    }
}

fn put<T>(slot: &mut Option<T>, d: &DefElem, v: T) -> Result<()> {
    if slot.replace(v).is_some() {
        return Err(err!(SYNTAX_ERROR, "conflicting or redundant options").at(d.location));
    }
    Ok(())
}

fn read(s: &CreateRangeStmt) -> Result<Parameters> {
    let mut p = Parameters::default();
    for d in &s.params {
        match d.defname.as_str() {
            "subtype" => put(&mut p.subtype, d, type_arg(d)?)?,
            "canonical" => return Err(Error::unsupported("CANONICAL")),
            "collation" => put(&mut p.collation, d, names(d)?)?,
            "subtype_opclass" => put(&mut p.opclass, d, names(d)?)?,
            "subtype_diff" => put(&mut p.diff, d, names(d)?)?,
            "multirange_type_name" => put(&mut p.multirange, d, names(d)?)?,
            other => bail!(SYNTAX_ERROR, "type attribute \"{other}\" not recognized"),
        }
    }
    Ok(p)
}

/// The operator class of the subtype: 42704. Only the type's own order is there.
fn opclass(ctx: &CommandCtx<'_>, subtype: Oid, name: Option<&[String]>) -> Result<Oid> {
    with_analyze(ctx, |a| a.check_own_order(subtype))?;
    let default = ctx.catalog.default_opclass(BTREE_AM, subtype)?;
    let Some(name) = name else {
        return match default {
            Some(c) => Ok(c.oid),
            None => Err(err!(
                UNDEFINED_OBJECT,
                "data type {} has no default operator class for access method \"btree\"",
                shown(ctx, subtype)?
            )
            .hint("You must specify an operator class for the range type or define a default operator class for the subtype.")),
        };
    };
    let Some(c) = crate::opclass::visible_class(ctx, BTREE_AM, name)? else {
        bail!(
            UNDEFINED_OBJECT,
            "operator class \"{}\" does not exist for access method \"btree\"",
            name.join(".")
        )
    };
    if default.is_none_or(|d| d.oid != c.oid) {
        return Err(Error::unsupported("SUBTYPE_OPCLASS other than the default one"));
    }
    Ok(c.oid)
}

/// SUBTYPE_DIFF: 42883, 42P17.
fn diff(ctx: &CommandCtx<'_>, subtype: Oid, name: Option<&[String]>) -> Result<Oid> {
    let Some(name) = name else { return Ok(Oid::INVALID) };
    with_analyze(ctx, |a| {
        let t = analyze::format_type_short(a, subtype);
        let shown = format!("{}({t}, {t})", name.join("."));
        let Lookup::Found(c) = a.find_function(name, &[subtype, subtype], &[], false)? else {
            bail!(UNDEFINED_FUNCTION, "function {shown} does not exist");
        };
        let p = &c.item.proc;
        if p.arg_types != [subtype, subtype] {
            bail!(UNDEFINED_FUNCTION, "function {shown} does not exist");
        }
        if p.ret_type != oids::FLOAT8 {
            bail!(
                INVALID_OBJECT_DEFINITION,
                "range subtype diff function {shown} must return type double precision"
            );
        }
        if p.volatile != b'i' {
            bail!(INVALID_OBJECT_DEFINITION, "range subtype diff function {shown} must be immutable");
        }
        Ok(p.oid)
    })
}

/// `floatrange` → `floatmultirange`, else `name_multirange`.
fn multirange_name(name: &str) -> String {
    match name.find("range") {
        Some(i) => {
            let full = format!("{}multirange{}", &name[..i], &name[i + 5..]);
            naming::clip(&full, naming::NAME_MAX).to_string()
        }
        None => format!("{}_multirange", naming::clip(name, naming::NAME_MAX - 11)),
    }
}

/// Range and multirange OIDs: neighbours.
fn new_oids(ctx: &CommandCtx<'_>) -> Result<(Oid, Oid)> {
    loop {
        let range = ctx.catalog.new_type_oid(UserClass::Range)?;
        let multi = Oid(range.0 + 1);
        if ctx.catalog.scan(pg_type::TABLE, pg_type::OID_INDEX, &[Datum::oid(multi)])?.is_empty() {
            return Ok((range, multi));
        }
    }
}

fn desc(base: TypeDesc, letter: u8, io: [u32; 4], align: u8) -> TypeDesc {
    TypeDesc {
        len: -1,
        by_val: false,
        align,
        storage: b'x',
        typtype: letter,
        category: b'R',
        relid: Oid::INVALID,
        input: Oid(io[0]),
        output: Oid(io[1]),
        receive: Oid(io[2]),
        send: Oid(io[3]),
        ..base
    }
}

fn insert(ctx: &CommandCtx<'_>, t: &TypeDesc) -> Result<()> {
    const RANGE_TYPANALYZE: u32 = 3916;
    const MULTIRANGE_TYPANALYZE: u32 = 4242;
    let analyze = if t.typtype == b'r' { RANGE_TYPANALYZE } else { MULTIRANGE_TYPANALYZE };
    super::insert(ctx, t, &[(pg_type::TYPANALYZE, Datum::oid(Oid(analyze)))])
}

/// A constructor: a function named like its type.
struct Constructor<'a> {
    name: &'a str,
    args: &'a [Oid],
    result: Oid,
    src: &'a str,
    strict: bool,
    variadic: Oid,
}

fn constructor(ctx: &CommandCtx<'_>, ns: Oid, owner: Oid, c: &Constructor<'_>) -> Result<Oid> {
    use pg_proc::*;
    let oid = ctx.catalog.new_oid(TABLE, OID_INDEX)?;
    let mut r = ctx.catalog.blank_row(TABLE);
    r[OID] = Datum::oid(oid);
    r[PRONAME] = Datum::text(c.name);
    r[PRONAMESPACE] = Datum::oid(ns);
    r[PROOWNER] = Datum::oid(owner);
    r[PROLANG] = Datum::oid(LANGUAGE_INTERNAL);
    r[PROCOST] = Datum::F32(1.0);
    r[PROROWS] = Datum::F32(0.0);
    r[PROVARIADIC] = Datum::oid(c.variadic);
    r[PROSUPPORT] = Datum::oid(Oid::INVALID);
    r[PROKIND] = Datum::I8(b'f' as i8);
    for (column, v) in
        [(PROSECDEF, false), (PROLEAKPROOF, false), (PROISSTRICT, c.strict), (PRORETSET, false)]
    {
        r[column] = Datum::Bool(v);
    }
    r[PROVOLATILE] = Datum::I8(b'i' as i8);
    r[PROPARALLEL] = Datum::I8(b's' as i8);
    r[PRONARGS] = Datum::I16(c.args.len() as i16);
    r[PRONARGDEFAULTS] = Datum::I16(0);
    r[PRORETTYPE] = Datum::oid(c.result);
    r[PROARGTYPES] = literal::oidvector(c.args);
    if c.variadic.is_valid() {
        let all: Vec<Datum> = c.args.iter().map(|t| Datum::oid(*t)).collect();
        r[PROALLARGTYPES] = literal::make_array(oids::OID, &all, 1);
        r[PROARGMODES] = literal::make_array(oids::CHAR, &[Datum::I8(b'v' as i8)], 1);
    }
    r[PROSRC] = Datum::text(c.src);
    ctx.catalog.insert_row(TABLE, &r)?;
    // The type owns its constructors: they go with it, and cannot go alone.
    let me = ObjectAddress::new(TABLE, oid);
    ctx.catalog.record_dependency(
        me,
        ObjectAddress::new(pg_type::TABLE, c.result),
        DependencyKind::Internal,
    )?;
    Ok(oid)
}

/// Runs CREATE TYPE … AS RANGE.
pub fn create(ctx: &CommandCtx<'_>, s: &CreateRangeStmt) -> Result<String> {
    let (ns, name) = super::creation(ctx, &s.type_name)?;
    make_way(ctx, ns, &name)?;
    let p = read(s)?;
    let Some(subtype) = &p.subtype else { bail!(SYNTAX_ERROR, "type attribute \"subtype\" is required") };
    let subtype =
        with_analyze(ctx, |a| analyze::resolve_type_name(a, subtype)).map_err(super::without_position)?.0;
    let sub = ctx.catalog.type_desc(subtype)?;
    if sub.typtype == b'p' {
        bail!(DATATYPE_MISMATCH, "range subtype cannot be {}", shown(ctx, subtype)?);
    }
    let opclass = opclass(ctx, subtype, p.opclass.as_deref())?;
    let collation = match &p.collation {
        Some(_) if !sub.collation.is_valid() => {
            bail!(WRONG_OBJECT_TYPE, "range collation specified but subtype does not support collation")
        }
        Some(n) => with_analyze(ctx, |a| analyze::lookup_collation(a, n, None))?,
        None => sub.collation,
    };
    // Range values compare without asking the catalog.
    if collation.is_valid() && !ctx.catalog.collation(collation)?.by_bytes() {
        return Err(Error::unsupported("a range type whose collation is not C"));
    }
    let diff = diff(ctx, subtype, p.diff.as_deref())?;
    let (mns, mname) = match &p.multirange {
        Some(n) => super::creation(ctx, n)?,
        None => (ns, multirange_name(&name)),
    };
    match ctx.catalog.type_oid(mns, &mname)? {
        Some(_) if p.multirange.is_none() => {
            if let Err(e) = make_way(ctx, mns, &mname) {
                return Err(err!(DUPLICATE_OBJECT, "type \"{mname}\" already exists")
                    .detail(format!("Failed while creating a multirange type for type \"{name}\"."))
                    .hint("You can manually specify a multirange type name using the \"multirange_type_name\" attribute.")
                    .at_if_none(e.report().position));
            }
        }
        Some(_) => make_way(ctx, mns, &mname)?,
        None => {}
    }
    let owner = ctx.host.role();
    let (range, multi) = new_oids(ctx)?;
    let array = ctx.catalog.new_type_oid(UserClass::Array)?;
    let marray = ctx.catalog.new_type_oid(UserClass::Array)?;
    let align = if sub.align == b'd' { b'd' } else { b'i' };
    let t = desc(blank(range, array, &name, ns, owner), b'r', [3834, 3835, 3836, 3837], align);
    insert(ctx, &t)?;
    let m = desc(blank(multi, marray, &mname, mns, owner), b'm', [4231, 4232, 4233, 4234], align);
    insert(ctx, &m)?;
    let me = ObjectAddress::new(pg_type::TABLE, range);
    let multi_at = ObjectAddress::new(pg_type::TABLE, multi);
    {
        use pg_range::*;
        let mut r = ctx.catalog.blank_row(TABLE);
        r[RNGTYPID] = Datum::oid(range);
        r[RNGSUBTYPE] = Datum::oid(subtype);
        r[RNGMULTITYPID] = Datum::oid(multi);
        r[RNGCOLLATION] = Datum::oid(collation);
        r[RNGSUBOPC] = Datum::oid(opclass);
        r[RNGCANONICAL] = Datum::oid(Oid::INVALID);
        r[RNGSUBDIFF] = Datum::oid(diff);
        ctx.catalog.insert_row(TABLE, &r)?;
    }
    let on = [
        (pg_type::TABLE, subtype),
        (pg_opclass::TABLE, opclass),
        (pg_collation::TABLE, collation),
        (pg_proc::TABLE, diff),
    ];
    for (class, oid) in on.into_iter().filter(|o| o.1.is_valid()) {
        ctx.catalog.record_dependency(me, ObjectAddress::new(class, oid), DependencyKind::Normal)?;
    }
    // The multirange type is part of the range type.
    ctx.catalog.record_dependency(multi_at, me, DependencyKind::Internal)?;
    ctx.engine.command_counter_increment()?;
    let none = Oid::INVALID;
    let make = |ns: Oid, c: &Constructor<'_>| constructor(ctx, ns, owner, c);
    make(
        ns,
        &Constructor {
            name: &name,
            args: &[subtype, subtype],
            result: range,
            src: "range_constructor2",
            strict: false,
            variadic: none,
        },
    )?;
    make(
        ns,
        &Constructor {
            name: &name,
            args: &[subtype, subtype, oids::TEXT],
            result: range,
            src: "range_constructor3",
            strict: false,
            variadic: none,
        },
    )?;
    make(
        mns,
        &Constructor {
            name: &mname,
            args: &[],
            result: multi,
            src: "multirange_constructor0",
            strict: true,
            variadic: none,
        },
    )?;
    let one = make(
        mns,
        &Constructor {
            name: &mname,
            args: &[range],
            result: multi,
            src: "multirange_constructor1",
            strict: true,
            variadic: none,
        },
    )?;
    make(
        mns,
        &Constructor {
            name: &mname,
            args: &[array],
            result: multi,
            src: "multirange_constructor2",
            strict: true,
            variadic: range,
        },
    )?;
    ctx.engine.command_counter_increment()?;
    cast_to_multirange(ctx, range, multi, one)?;
    Ok("CREATE TYPE".into())
}

/// A range is a multirange of one.
fn cast_to_multirange(ctx: &CommandCtx<'_>, range: Oid, multi: Oid, function: Oid) -> Result<()> {
    use pg_cast::*;
    let oid = ctx.catalog.new_oid(TABLE, OID_INDEX)?;
    let mut r = ctx.catalog.blank_row(TABLE);
    r[OID] = Datum::oid(oid);
    r[CASTSOURCE] = Datum::oid(range);
    r[CASTTARGET] = Datum::oid(multi);
    r[CASTFUNC] = Datum::oid(function);
    r[CASTCONTEXT] = Datum::I8(b'e' as i8);
    r[CASTMETHOD] = Datum::I8(b'f' as i8);
    ctx.catalog.insert_row(TABLE, &r)?;
    let me = ObjectAddress::new(TABLE, oid);
    for (class, on) in [(pg_type::TABLE, range), (pg_type::TABLE, multi), (pg_proc::TABLE, function)] {
        ctx.catalog.record_dependency(me, ObjectAddress::new(class, on), DependencyKind::Internal)?;
    }
    ctx.engine.command_counter_increment()
}
