//! CREATE AGGREGATE: a row of `pg_proc` without code, and one of `pg_aggregate` that names the functions behind it.

use super::args::{self, Arguments};
use super::create::{NewRoutine, polymorphic, store};
use crate::analysis::{warning, with_analyze};
use crate::ctx::CommandCtx;
use analyze::func::Lookup;
use catalog::builtins::LANGUAGE_INTERNAL;
use catalog::columns::*;
use catalog::depend::{DependencyKind, ObjectAddress};
use common::{Error, Oid, Result, SqlState, bail};
use parser::ast::*;
use types::{Datum, oids};

/// The definition as written.
#[derive(Default)]
struct Definition {
    sfunc: Option<Vec<String>>,
    finalfunc: Option<Vec<String>>,
    combinefunc: Option<Vec<String>>,
    msfunc: Option<Vec<String>>,
    minvfunc: Option<Vec<String>>,
    mfinalfunc: Option<Vec<String>>,
    finalfunc_extra: bool,
    mfinalfunc_extra: bool,
    finalfunc_modify: Option<u8>,
    mfinalfunc_modify: Option<u8>,
    sortop: Option<Vec<String>>,
    basetype: Option<TypeName>,
    stype: Option<TypeName>,
    mstype: Option<TypeName>,
    sspace: i32,
    msspace: i32,
    initcond: Option<String>,
    minitcond: Option<String>,
    parallel: u8,
}

fn names(d: &DefElem) -> Result<Vec<String>> {
    match &d.arg {
        Some(DefArg::Names(n)) => Ok(n.clone()),
        Some(DefArg::TypeName(t)) => Ok(t.names.clone()),
        Some(DefArg::String(s)) => Ok(vec![s.clone()]),
        _ => bail!(SYNTAX_ERROR, "{} requires a parameter", d.defname),
    }
}

fn text(d: &DefElem) -> Result<String> {
    match &d.arg {
        Some(DefArg::String(s)) | Some(DefArg::Float(s)) => Ok(s.clone()),
        Some(DefArg::Integer(i)) => Ok(i.to_string()),
        Some(DefArg::Names(n)) => Ok(n.join(".")),
        Some(DefArg::TypeName(t)) => Ok(t.names.join(".")),
        Some(DefArg::Boolean(b)) => Ok(b.to_string()),
        _ => bail!(SYNTAX_ERROR, "{} requires a parameter", d.defname),
    }
}

/// A type as an option's value.
pub fn type_arg(d: &DefElem) -> Result<TypeName> {
    match &d.arg {
        Some(DefArg::TypeName(t)) => Ok((**t).clone()),
        Some(DefArg::Names(n)) => Ok(TypeName { names: n.clone(), ..TypeName::default() }),
        Some(DefArg::String(s)) => Ok(TypeName { names: vec![s.clone()], ..TypeName::default() }),
        _ => bail!(SYNTAX_ERROR, "argument of {} must be a type name", d.defname),
    }
}

/// A flag as an option's value.
pub fn flag(d: &DefElem) -> Result<bool> {
    if d.arg.is_none() {
        return Ok(true);
    }
    match text(d)?.to_ascii_lowercase().as_str() {
        "true" | "on" | "1" => Ok(true),
        "false" | "off" | "0" => Ok(false),
        _ => bail!(SYNTAX_ERROR, "{} requires a Boolean value", d.defname),
    }
}

fn modify(d: &DefElem) -> Result<u8> {
    match text(d)?.as_str() {
        "read_only" => Ok(b'r'),
        "shareable" => Ok(b's'),
        "read_write" => Ok(b'w'),
        _ => bail!(SYNTAX_ERROR, "parameter \"{}\" must be READ_ONLY, SHAREABLE, or READ_WRITE", d.defname),
    }
}

fn read(ctx: &CommandCtx<'_>, s: &DefineStmt) -> Result<Definition> {
    let mut o = Definition { parallel: b'u', ..Definition::default() };
    for d in &s.definition {
        match d.defname.as_str() {
            "sfunc" | "sfunc1" => o.sfunc = Some(names(d)?),
            "finalfunc" => o.finalfunc = Some(names(d)?),
            "combinefunc" => o.combinefunc = Some(names(d)?),
            "serialfunc" | "deserialfunc" => {
                return Err(Error::unsupported(d.defname.to_ascii_uppercase()));
            }
            "msfunc" => o.msfunc = Some(names(d)?),
            "minvfunc" => o.minvfunc = Some(names(d)?),
            "mfinalfunc" => o.mfinalfunc = Some(names(d)?),
            "finalfunc_extra" => o.finalfunc_extra = flag(d)?,
            "mfinalfunc_extra" => o.mfinalfunc_extra = flag(d)?,
            "finalfunc_modify" => o.finalfunc_modify = Some(modify(d)?),
            "mfinalfunc_modify" => o.mfinalfunc_modify = Some(modify(d)?),
            "sortop" => o.sortop = Some(names(d)?),
            "basetype" => o.basetype = Some(type_arg(d)?),
            "hypothetical" => return Err(Error::unsupported("HYPOTHETICAL")),
            "stype" | "stype1" => o.stype = Some(type_arg(d)?),
            "mstype" => o.mstype = Some(type_arg(d)?),
            "sspace" => o.sspace = text(d)?.parse().unwrap_or(0),
            "msspace" => o.msspace = text(d)?.parse().unwrap_or(0),
            "initcond" | "initcond1" => o.initcond = Some(text(d)?),
            "minitcond" => o.minitcond = Some(text(d)?),
            "parallel" => {
                o.parallel = match text(d)?.as_str() {
                    "safe" => b's',
                    "restricted" => b'r',
                    "unsafe" => b'u',
                    _ => bail!(SYNTAX_ERROR, "parameter \"parallel\" must be SAFE, RESTRICTED, or UNSAFE"),
                }
            }
            other => {
                let message = format!("aggregate attribute \"{other}\" not recognized");
                warning(ctx, SqlState::SYNTAX_ERROR, message);
            }
        }
    }
    Ok(o)
}

fn check_moving(o: &Definition) -> Result<()> {
    if o.mstype.is_some() {
        if o.msfunc.is_none() {
            bail!(INVALID_FUNCTION_DEFINITION, "aggregate msfunc must be specified when mstype is specified");
        }
        if o.minvfunc.is_none() {
            bail!(
                INVALID_FUNCTION_DEFINITION,
                "aggregate minvfunc must be specified when mstype is specified"
            );
        }
        return Ok(());
    }
    let without = |what: &str| {
        common::err!(INVALID_FUNCTION_DEFINITION, "aggregate {what} must not be specified without mstype")
    };
    if o.msfunc.is_some() {
        return Err(without("msfunc"));
    }
    if o.minvfunc.is_some() {
        return Err(without("minvfunc"));
    }
    if o.mfinalfunc.is_some() {
        return Err(without("mfinalfunc"));
    }
    if o.msspace != 0 {
        return Err(without("msspace"));
    }
    if o.minitcond.is_some() {
        return Err(without("minitcond"));
    }
    Ok(())
}

/// A state type: 42P13 for a pseudo-type that can have no values.
fn state_type(ctx: &CommandCtx<'_>, t: &TypeName) -> Result<Oid> {
    let oid = with_analyze(ctx, |a| analyze::resolve_type_name(a, t))
        .map_err(crate::user_type::without_position)?
        .0;
    if ctx.catalog.type_desc(oid)?.typtype == b'p' && !polymorphic(oid) {
        if oid == oids::INTERNAL && ctx.host.is_superuser() {
            return Err(Error::unsupported("an aggregate with a state of type internal"));
        }
        let shown = with_analyze(ctx, |a| Ok(analyze::format_type_short(a, oid)))?;
        bail!(INVALID_FUNCTION_DEFINITION, "aggregate transition data type cannot be {shown}");
    }
    Ok(oid)
}

struct Support {
    oid: Oid,
    result: Oid,
    strict: bool,
    shown: String,
}

/// A function an aggregate is made of: 42883, 42804.
fn support(ctx: &CommandCtx<'_>, name: &[String], args: &[Oid], variadic: bool) -> Result<Support> {
    with_analyze(ctx, |a| {
        let list: Vec<String> = args.iter().map(|t| analyze::format_type_short(a, *t)).collect();
        let shown = format!("{}({})", name.join("."), list.join(", "));
        let found = match a.find_function(name, args, &[], variadic)? {
            Lookup::Found(c) if c.item.proc.kind == b'f' || c.item.proc.kind == b'w' => c,
            _ => bail!(UNDEFINED_FUNCTION, "function {shown} does not exist"),
        };
        let p = found.item.proc.clone();
        if p.retset {
            bail!(DATATYPE_MISMATCH, "function {shown} returns a set");
        }
        let mut declared = found.args.clone();
        let result = analyze::routine::resolve_types(a, args, &mut declared, p.ret_type)?;
        for (given, wanted) in args.iter().zip(&declared) {
            if !polymorphic(*wanted) && *wanted != oids::ANY && !a.binary_coercible(*given, *wanted)? {
                let list: Vec<String> = declared.iter().map(|t| analyze::format_type_short(a, *t)).collect();
                bail!(
                    DATATYPE_MISMATCH,
                    "function {}({}) requires run-time type coercion",
                    name.join("."),
                    list.join(", ")
                );
            }
        }
        crate::aclcheck::check_functions(ctx.catalog, ctx.host.role(), &[p.oid])?;
        Ok(Support { oid: p.oid, result, strict: p.strict, shown })
    })
}

fn show(ctx: &CommandCtx<'_>, t: Oid) -> Result<String> {
    with_analyze(ctx, |a| Ok(analyze::format_type_short(a, t)))
}

/// A transition function with its state type.
fn transition(
    ctx: &CommandCtx<'_>,
    name: &[String],
    state: Oid,
    args: &Arguments,
    init: Option<&str>,
) -> Result<Support> {
    let mut types = vec![state];
    types.extend(&args.input);
    let f = support(ctx, name, &types, args.variadic.is_valid())?;
    if f.result != state {
        bail!(
            DATATYPE_MISMATCH,
            "return type of transition function {} is not {}",
            name.join("."),
            show(ctx, state)?
        );
    }
    let first = args.input.first().copied();
    if f.strict && init.is_none() {
        let fits = match first {
            Some(t) => with_analyze(ctx, |a| a.binary_coercible(t, state))?,
            None => false,
        };
        if !fits {
            bail!(
                INVALID_FUNCTION_DEFINITION,
                "must not omit initial value when transition function is strict and transition type is not compatible with input type"
            );
        }
    }
    Ok(f)
}

/// A final function: what it returns is the aggregate's result.
fn finish(
    ctx: &CommandCtx<'_>,
    name: Option<&[String]>,
    state: Oid,
    args: &Arguments,
    extra: bool,
) -> Result<(Oid, Oid)> {
    let Some(name) = name else { return Ok((Oid::INVALID, state)) };
    let mut types = vec![state];
    if extra {
        types.extend(&args.input);
    }
    let f = support(ctx, name, &types, false)?;
    if extra && f.strict {
        bail!(INVALID_FUNCTION_DEFINITION, "final function with extra arguments must not be declared STRICT");
    }
    Ok((f.oid, f.result))
}

/// Runs CREATE AGGREGATE.
pub fn create(ctx: &CommandCtx<'_>, s: &DefineStmt) -> Result<String> {
    let (namespace, name) = crate::user_type::creation(ctx, &s.defnames)?;
    if s.num_direct_args.is_some() {
        return Err(Error::unsupported("ordered-set aggregates of one's own"));
    }
    let o = read(ctx, s)?;
    let Some(stype) = &o.stype else {
        bail!(INVALID_FUNCTION_DEFINITION, "aggregate stype must be specified")
    };
    let Some(sfunc) = &o.sfunc else {
        bail!(INVALID_FUNCTION_DEFINITION, "aggregate sfunc must be specified")
    };
    check_moving(&o)?;
    let args = arguments(ctx, s, &o)?;
    let state = state_type(ctx, stype)?;
    if polymorphic(state) && !args.input.iter().any(|t| polymorphic(*t)) {
        return Err(common::err!(INVALID_FUNCTION_DEFINITION, "cannot determine transition data type").detail(
            format!(
                "A result of type {} requires at least one input of type anyelement, anyarray, anynonarray, anyenum, anyrange, or anymultirange.",
                show(ctx, state)?
            ),
        ));
    }
    let mstate = match &o.mstype {
        Some(t) => state_type(ctx, t)?,
        None => Oid::INVALID,
    };
    for (init, t) in [(&o.initcond, state), (&o.minitcond, mstate)] {
        if let Some(text) = init
            && !polymorphic(t)
        {
            with_analyze(ctx, |a| a.input(t, text, -1))?;
        }
    }
    let trans = transition(ctx, sfunc, state, &args, o.initcond.as_deref())?;
    let mut functions = vec![trans.oid];
    let moving = match &o.msfunc {
        Some(f) => {
            let m = transition(ctx, f, mstate, &args, o.minitcond.as_deref())?;
            let inv = transition(ctx, o.minvfunc.as_deref().unwrap_or_default(), mstate, &args, Some(""))?;
            if m.strict != inv.strict {
                bail!(
                    INVALID_FUNCTION_DEFINITION,
                    "strictness of aggregate's forward and inverse transition functions must match"
                );
            }
            functions.extend([m.oid, inv.oid]);
            (m.oid, inv.oid)
        }
        None => (Oid::INVALID, Oid::INVALID),
    };
    let (fin, result) = finish(ctx, o.finalfunc.as_deref(), state, &args, o.finalfunc_extra)?;
    let combine = match &o.combinefunc {
        Some(f) => {
            let c = support(ctx, f, &[state, state], false)?;
            if c.result != state {
                bail!(
                    DATATYPE_MISMATCH,
                    "return type of combine function {} is not {}",
                    f.join("."),
                    show(ctx, state)?
                );
            }
            let _ = &c.shown;
            c.oid
        }
        None => Oid::INVALID,
    };
    let mfin = match mstate.is_valid() {
        true => {
            let (f, r) = finish(ctx, o.mfinalfunc.as_deref(), mstate, &args, o.mfinalfunc_extra)?;
            if r != result {
                bail!(
                    INVALID_FUNCTION_DEFINITION,
                    "moving-aggregate implementation returns type {}, but plain implementation returns type {}",
                    show(ctx, r)?,
                    show(ctx, result)?
                );
            }
            f
        }
        false => Oid::INVALID,
    };
    functions.extend([fin, combine, mfin]);
    let sortop = match &o.sortop {
        Some(n) => {
            let [t] = args.input[..] else {
                bail!(
                    INVALID_FUNCTION_DEFINITION,
                    "sort operator can only be specified for single-argument aggregates"
                )
            };
            with_analyze(ctx, |a| a.find_operator(n, t, t, None))?.oid
        }
        None => Oid::INVALID,
    };
    let new = NewRoutine {
        name,
        namespace,
        language: LANGUAGE_INTERNAL,
        kind: b'a',
        args,
        ret_type: result,
        retset: false,
        src: "aggregate_dummy".into(),
        library: None,
        sql_body: None,
        cost: 1.0,
        rows: 0.0,
        volatile: b'i',
        strict: false,
        sec_def: false,
        leakproof: false,
        parallel: o.parallel,
        config: Vec::new(),
    };
    let oid = store(ctx, &new, s.replace)?;
    use pg_aggregate::*;
    let mut r = ctx.catalog.blank_row(TABLE);
    r[AGGFNOID] = Datum::oid(oid);
    r[AGGKIND] = Datum::I8(b'n' as i8);
    r[AGGNUMDIRECTARGS] = Datum::I16(0);
    for (c, f) in [
        (AGGTRANSFN, trans.oid),
        (AGGFINALFN, fin),
        (AGGCOMBINEFN, combine),
        (AGGSERIALFN, Oid::INVALID),
        (AGGDESERIALFN, Oid::INVALID),
        (AGGMTRANSFN, moving.0),
        (AGGMINVTRANSFN, moving.1),
        (AGGMFINALFN, mfin),
        (AGGSORTOP, sortop),
        (AGGTRANSTYPE, state),
        (AGGMTRANSTYPE, mstate),
    ] {
        r[c] = Datum::oid(f);
    }
    r[AGGFINALEXTRA] = Datum::Bool(o.finalfunc_extra);
    r[AGGMFINALEXTRA] = Datum::Bool(o.mfinalfunc_extra);
    r[AGGFINALMODIFY] = Datum::I8(o.finalfunc_modify.unwrap_or(b'r') as i8);
    r[AGGMFINALMODIFY] = Datum::I8(o.mfinalfunc_modify.unwrap_or(b'r') as i8);
    r[AGGTRANSSPACE] = Datum::I32(o.sspace);
    r[AGGMTRANSSPACE] = Datum::I32(o.msspace);
    r[AGGINITVAL] = o.initcond.as_deref().map_or(Datum::Null, Datum::text);
    r[AGGMINITVAL] = o.minitcond.as_deref().map_or(Datum::Null, Datum::text);
    match ctx.catalog.scan(TABLE, FNOID_INDEX, &[Datum::oid(oid)])?.first() {
        Some(old) => drop(ctx.catalog.update_row(TABLE, old, &r)?),
        None => drop(ctx.catalog.insert_row(TABLE, &r)?),
    }
    let me = ObjectAddress::new(pg_proc::TABLE, oid);
    functions.sort();
    functions.dedup();
    for f in functions.into_iter().filter(|f| f.is_valid()) {
        ctx.catalog.record_dependency(me, ObjectAddress::new(pg_proc::TABLE, f), DependencyKind::Normal)?;
    }
    if sortop.is_valid() {
        let on = ObjectAddress::new(pg_operator::TABLE, sortop);
        ctx.catalog.record_dependency(me, on, DependencyKind::Normal)?;
    }
    ctx.engine.command_counter_increment()?;
    Ok("CREATE AGGREGATE".into())
}

/// The arguments, in the new or in the old way of writing.
fn arguments(ctx: &CommandCtx<'_>, s: &DefineStmt, o: &Definition) -> Result<Arguments> {
    if !s.oldstyle {
        if o.basetype.is_some() {
            bail!(
                INVALID_FUNCTION_DEFINITION,
                "basetype is redundant with aggregate input type specification"
            );
        }
        return args::resolve(ctx, &s.args, false, ObjectType::Aggregate);
    }
    let Some(t) = &o.basetype else {
        bail!(INVALID_FUNCTION_DEFINITION, "aggregate input type must be specified")
    };
    let mut a = Arguments::default();
    let any = matches!(&t.names[..], [n] if n.eq_ignore_ascii_case("any"));
    if !any {
        a.input.push(with_analyze(ctx, |x| analyze::resolve_type_name(x, t))?.0);
    }
    Ok(a)
}
