//! CREATE, ALTER and DROP OPERATOR. A commutator or negator that does not exist yet is made as a shell: a row without a
//! function, to be filled in later.

use crate::analysis::{notice, warning, with_analyze};
use crate::ctx::CommandCtx;
use crate::routine::{flag, type_arg};
use crate::{acl, aclcheck, target};
use analyze::func::Lookup;
use catalog::CatRow;
use catalog::columns::*;
use catalog::depend::{DependencyKind, ObjectAddress};
use catalog::desc::OperDesc;
use common::{Error, Oid, Result, SqlState, bail, err};
use parser::ast::*;
use types::{Datum, oids};

/// The definition as written.
#[derive(Default)]
struct Definition {
    left: Option<TypeName>,
    right: Option<TypeName>,
    function: Option<Vec<String>>,
    commutator: Option<Vec<String>>,
    negator: Option<Vec<String>>,
    restrict: Option<Vec<String>>,
    join: Option<Vec<String>>,
    hashes: bool,
    merges: bool,
}

/// The name an attribute gives.
pub fn names(d: &DefElem) -> Result<Vec<String>> {
    match &d.arg {
        Some(DefArg::Names(n)) => Ok(n.clone()),
        Some(DefArg::TypeName(t)) => Ok(t.names.clone()),
        Some(DefArg::String(s)) => Ok(vec![s.clone()]),
        _ => bail!(SYNTAX_ERROR, "{} requires a parameter", d.defname),
    }
}

fn read(ctx: &CommandCtx<'_>, s: &DefineStmt) -> Result<Definition> {
    let mut o = Definition::default();
    for d in &s.definition {
        match d.defname.as_str() {
            "leftarg" | "rightarg" => {
                let t = type_arg(d)?;
                if t.setof {
                    bail!(INVALID_FUNCTION_DEFINITION, "SETOF type not allowed for operator argument");
                }
                *(if d.defname == "leftarg" { &mut o.left } else { &mut o.right }) = Some(t);
            }
            "function" | "procedure" => o.function = Some(names(d)?),
            "commutator" => o.commutator = Some(names(d)?),
            "negator" => o.negator = Some(names(d)?),
            "restrict" => o.restrict = Some(names(d)?),
            "join" => o.join = Some(names(d)?),
            "hashes" => o.hashes = flag(d)?,
            "merges" => o.merges = flag(d)?,
            "sort1" | "sort2" | "ltcmp" | "gtcmp" => o.merges = true,
            other => {
                let message = format!("operator attribute \"{other}\" not recognized");
                warning(ctx, SqlState::SYNTAX_ERROR, message);
            }
        }
    }
    Ok(o)
}

/// Schema and name of an operator to be made.
fn creation(ctx: &CommandCtx<'_>, names: &[String]) -> Result<(Oid, String)> {
    crate::user_type::creation(ctx, names)
}

fn valid_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() < 64
        && name.chars().all(|c| "~!@#^&|`?+-*/%<>=".contains(c))
        && !name.contains("/*")
        && !name.contains("--")
        && name != "=>"
        && !(name.len() > 1 && name.ends_with(['+', '-']) && !name.chars().any(|c| "~!@#^&|`?%".contains(c)))
}

/// An estimator by name: 42883, 42804.
fn estimator(ctx: &CommandCtx<'_>, name: Option<&[String]>, args: &[Oid], what: &str) -> Result<Oid> {
    let Some(name) = name else { return Ok(Oid::INVALID) };
    with_analyze(ctx, |a| {
        let list: Vec<String> = args.iter().map(|t| analyze::format_type_short(a, *t)).collect();
        let Lookup::Found(c) = a.find_function(name, args, &[], false)? else {
            bail!(UNDEFINED_FUNCTION, "function {}({}) does not exist", name.join("."), list.join(", "));
        };
        if c.item.proc.ret_type != oids::FLOAT8 {
            bail!(
                INVALID_OBJECT_DEFINITION,
                "{what} estimator function {} must return type double precision",
                name.join(".")
            );
        }
        Ok(c.item.proc.oid)
    })
}

const RESTRICT_ARGS: [Oid; 4] = [oids::INTERNAL, oids::OID, oids::INTERNAL, oids::INT4];
const JOIN_ARGS: [Oid; 5] = [oids::INTERNAL, oids::OID, oids::INTERNAL, oids::INT2, oids::INTERNAL];

fn row_of(ctx: &CommandCtx<'_>, oid: Oid) -> Result<CatRow> {
    use pg_operator::*;
    let rows = ctx.catalog.scan(TABLE, OID_INDEX, &[Datum::oid(oid)])?;
    rows.into_iter().next().ok_or_else(|| crate::analysis::lost("operator", oid))
}

/// The operator of exactly these types in a schema, shells included.
fn existing(ctx: &CommandCtx<'_>, ns: Oid, name: &str, left: Oid, right: Oid) -> Result<Option<CatRow>> {
    use pg_operator::*;
    let keys = [Datum::text(name), Datum::oid(left), Datum::oid(right), Datum::oid(ns)];
    Ok(ctx.catalog.scan(TABLE, OPRNAME_L_R_N_INDEX, &keys)?.into_iter().next())
}

fn blank(ctx: &CommandCtx<'_>, oid: Oid, ns: Oid, name: &str, left: Oid, right: Oid) -> Vec<Datum> {
    use pg_operator::*;
    let mut r = ctx.catalog.blank_row(TABLE);
    r[OID] = Datum::oid(oid);
    r[OPRNAME] = Datum::text(name);
    r[OPRNAMESPACE] = Datum::oid(ns);
    r[OPROWNER] = Datum::oid(ctx.host.role());
    r[OPRKIND] = Datum::I8(if left.is_valid() { b'b' } else { b'l' } as i8);
    r[OPRCANMERGE] = Datum::Bool(false);
    r[OPRCANHASH] = Datum::Bool(false);
    r[OPRLEFT] = Datum::oid(left);
    r[OPRRIGHT] = Datum::oid(right);
    for c in [OPRRESULT, OPRCOM, OPRNEGATE, OPRCODE, OPRREST, OPRJOIN] {
        r[c] = Datum::oid(Oid::INVALID);
    }
    r
}

/// The operator a COMMUTATOR or NEGATOR clause names, made as a shell if it is not there. Invalid: the operator itself.
fn other(
    ctx: &CommandCtx<'_>,
    names: &[String],
    (left, right): (Oid, Oid),
    own: (Oid, &str, Oid, Oid),
    is_commutator: bool,
) -> Result<Oid> {
    let found = with_analyze(ctx, |a| a.operator_of_types(names, left, right))?;
    if let Some(o) = found {
        return Ok(o);
    }
    let (ns, name) = creation(ctx, names)?;
    if (ns, name.as_str(), left, right) == own {
        if !is_commutator {
            bail!(INVALID_FUNCTION_DEFINITION, "operator cannot be its own negator or sort operator");
        }
        return Ok(Oid::INVALID);
    }
    if let Some(r) = existing(ctx, ns, &name, left, right)? {
        return Ok(r.oid(pg_operator::OID));
    }
    aclcheck::check_namespace(ctx, ns, acl::CREATE)?;
    use pg_operator::*;
    let oid = ctx.catalog.new_oid(TABLE, OID_INDEX)?;
    ctx.catalog.insert_row(TABLE, &blank(ctx, oid, ns, &name, left, right))?;
    let me = ObjectAddress::new(TABLE, oid);
    ctx.catalog.record_dependency(me, ObjectAddress::new(pg_namespace::TABLE, ns), DependencyKind::Normal)?;
    ctx.catalog.record_role_dependency(me, ctx.host.role(), b'o')?;
    ctx.engine.command_counter_increment()?;
    Ok(oid)
}

/// Sets a link of another operator back to this one, if it has none yet.
fn link_back(ctx: &CommandCtx<'_>, oid: Oid, column: usize, to: Oid) -> Result<()> {
    let row = row_of(ctx, oid)?;
    if !row.oid(column).is_valid() {
        ctx.catalog.update_columns(pg_operator::TABLE, &row, &[(column, Datum::oid(to))])?;
        ctx.engine.command_counter_increment()?;
    }
    Ok(())
}

/// What of the operator is about joins; empty: nothing.
fn joins_by(o: &Definition) -> &'static str {
    if o.join.is_some() {
        "have join selectivity"
    } else if o.merges {
        "merge join"
    } else if o.hashes {
        "hash"
    } else {
        ""
    }
}

fn check_attributes(o: &Definition, binary: bool, result: Oid) -> Result<()> {
    if !binary {
        let what = if o.commutator.is_some() { "have commutators" } else { joins_by(o) };
        if !what.is_empty() {
            bail!(INVALID_FUNCTION_DEFINITION, "only binary operators can {what}");
        }
    }
    if result != oids::BOOL {
        let what = if o.negator.is_some() {
            "have negators"
        } else if o.restrict.is_some() {
            "have restriction selectivity"
        } else {
            joins_by(o)
        };
        if !what.is_empty() {
            bail!(INVALID_FUNCTION_DEFINITION, "only boolean operators can {what}");
        }
    }
    Ok(())
}

/// Runs CREATE OPERATOR.
pub fn create(ctx: &CommandCtx<'_>, s: &DefineStmt) -> Result<String> {
    let (ns, name) = creation(ctx, &s.defnames)?;
    let o = read(ctx, s)?;
    let Some(function) = &o.function else {
        bail!(INVALID_FUNCTION_DEFINITION, "operator function must be specified")
    };
    let resolve = |t: &Option<TypeName>| -> Result<Oid> {
        match t {
            Some(t) => Ok(with_analyze(ctx, |a| analyze::resolve_type_name(a, t))
                .map_err(crate::user_type::without_position)?
                .0),
            None => Ok(Oid::INVALID),
        }
    };
    let (left, right) = (resolve(&o.left)?, resolve(&o.right)?);
    if !left.is_valid() && !right.is_valid() {
        bail!(INVALID_FUNCTION_DEFINITION, "operator argument types must be specified");
    }
    if !right.is_valid() {
        return Err(err!(INVALID_FUNCTION_DEFINITION, "operator right argument type must be specified")
            .detail("Postfix operators are not supported."));
    }
    let args: Vec<Oid> = [left, right].into_iter().filter(|t| t.is_valid()).collect();
    let p = with_analyze(ctx, |a| {
        let list: Vec<String> = args.iter().map(|t| analyze::format_type_short(a, *t)).collect();
        let cands = a.func_candidates(function, args.len(), &[], false)?;
        let same = cands.into_iter().map(|c| c.item.proc).find(|p| p.arg_types == args);
        same.ok_or_else(|| {
            err!(UNDEFINED_FUNCTION, "function {}({}) does not exist", function.join("."), list.join(", "))
        })
    })?;
    aclcheck::check_functions(ctx.catalog, ctx.host.role(), &[p.oid])?;
    let rest = estimator(ctx, o.restrict.as_deref(), &RESTRICT_ARGS, "restriction")?;
    let join = estimator(ctx, o.join.as_deref(), &JOIN_ARGS, "join")?;
    if !valid_name(&name) {
        bail!(INVALID_NAME, "\"{name}\" is not a valid operator name");
    }
    check_attributes(&o, left.is_valid(), p.ret_type)?;
    let old = existing(ctx, ns, &name, left, right)?;
    if old.as_ref().is_some_and(|r| r.oid(pg_operator::OPRCODE).is_valid()) {
        bail!(DUPLICATE_FUNCTION, "operator {name} already exists");
    }
    use pg_operator::*;
    let own = (ns, name.as_str(), left, right);
    let com = match &o.commutator {
        Some(n) => Some(other(ctx, n, (right, left), own, true)?),
        None => None,
    };
    let neg = match &o.negator {
        Some(n) => Some(other(ctx, n, (left, right), own, false)?),
        None => None,
    };
    let oid = match &old {
        Some(r) => r.oid(OID),
        None => ctx.catalog.new_oid(TABLE, OID_INDEX)?,
    };
    let com = com.map(|c| if c.is_valid() { c } else { oid });
    let mut r = blank(ctx, oid, ns, &name, left, right);
    r[OPRCANMERGE] = Datum::Bool(o.merges);
    r[OPRCANHASH] = Datum::Bool(o.hashes);
    r[OPRRESULT] = Datum::oid(p.ret_type);
    r[OPRCODE] = Datum::oid(p.oid);
    r[OPRREST] = Datum::oid(rest);
    r[OPRJOIN] = Datum::oid(join);
    r[OPRCOM] = Datum::oid(com.unwrap_or_default());
    r[OPRNEGATE] = Datum::oid(neg.unwrap_or_default());
    let me = ObjectAddress::new(TABLE, oid);
    match &old {
        Some(row) => {
            let row = row_of(ctx, row.oid(OID))?;
            // Links that were set when others named it stay.
            for (c, v) in [(OPRCOM, com), (OPRNEGATE, neg)] {
                if v.is_none() {
                    r[c] = Datum::oid(row.oid(c));
                }
            }
            ctx.catalog.update_row(TABLE, &row, &r)?;
            ctx.catalog.delete_dependencies_of(me)?;
            ctx.catalog.note_member(TABLE, &r)?;
        }
        None => {
            ctx.catalog.insert_row(TABLE, &r)?;
            ctx.catalog.record_role_dependency(me, ctx.host.role(), b'o')?;
        }
    }
    let on = [
        (pg_namespace::TABLE, ns),
        (pg_type::TABLE, left),
        (pg_type::TABLE, right),
        (pg_type::TABLE, p.ret_type),
        (pg_proc::TABLE, p.oid),
        (pg_proc::TABLE, rest),
        (pg_proc::TABLE, join),
    ];
    for (class, o) in on.into_iter().filter(|o| o.1.is_valid()) {
        ctx.catalog.record_dependency(me, ObjectAddress::new(class, o), DependencyKind::Normal)?;
    }
    ctx.engine.command_counter_increment()?;
    if let Some(c) = com.filter(|c| *c != oid) {
        link_back(ctx, c, OPRCOM, oid)?;
    }
    if let Some(n) = neg {
        link_back(ctx, n, OPRNEGATE, oid)?;
    }
    Ok("CREATE OPERATOR".into())
}

/// The operator a statement names: 42883.
pub fn find(ctx: &CommandCtx<'_>, f: &ObjectWithArgs) -> Result<(Option<Oid>, String)> {
    let mut types = [Oid::INVALID; 2];
    for (i, t) in f.objargs.iter().take(2).enumerate() {
        if let Some(t) = t {
            types[i] = with_analyze(ctx, |a| analyze::resolve_type_name(a, t))
                .map_err(crate::user_type::without_position)?
                .0;
        }
    }
    if !types[1].is_valid() {
        return Err(err!(SYNTAX_ERROR, "postfix operators are not supported"));
    }
    let found = with_analyze(ctx, |a| a.operator_of_types(&f.objname, types[0], types[1]))?;
    let shown = with_analyze(ctx, |a| {
        let right = analyze::format_type_short(a, types[1]);
        let name = f.objname.join(".");
        Ok(match types[0].is_valid() {
            true => format!("{} {name} {right}", analyze::format_type_short(a, types[0])),
            false => format!("{name} {right}"),
        })
    })?;
    Ok((found, shown))
}

/// 42883 for two operand types.
pub fn missing<T>(ctx: &CommandCtx<'_>, name: &[String], left: Oid, right: Oid) -> Result<T> {
    let (l, r) = (crate::user_type::shown(ctx, left)?, crate::user_type::shown(ctx, right)?);
    bail!(UNDEFINED_FUNCTION, "operator does not exist: {l} {} {r}", name.join("."))
}

fn require(ctx: &CommandCtx<'_>, f: &ObjectWithArgs) -> Result<catalog::Ref<OperDesc>> {
    match find(ctx, f)? {
        (Some(oid), _) => ctx.catalog.operator(oid),
        (None, shown) => bail!(UNDEFINED_FUNCTION, "operator does not exist: {shown}"),
    }
}

fn check_owner(ctx: &CommandCtx<'_>, o: &OperDesc) -> Result<()> {
    if !target::owns(ctx, o.owner)? {
        bail!(INSUFFICIENT_PRIVILEGE, "must be owner of operator {}", o.name);
    }
    Ok(())
}

/// Runs DROP OPERATOR.
pub fn drop(ctx: &CommandCtx<'_>, s: &DropStmt) -> Result<String> {
    let mut objects = Vec::new();
    for o in &s.objects {
        let ObjectRef::WithArgs(f) = o else { return Err(Error::internal("an operator without types")) };
        let (found, shown) = find(ctx, f)?;
        let Some(oid) = found else {
            if !s.missing_ok {
                bail!(UNDEFINED_FUNCTION, "operator does not exist: {shown}");
            }
            notice(ctx, format!("operator {} does not exist, skipping", f.objname.join(".")));
            continue;
        };
        let d = ctx.catalog.operator(oid)?;
        if !crate::drop::owns_schema(ctx, d.namespace)? {
            check_owner(ctx, &d)?;
        }
        let a = ObjectAddress::new(pg_operator::TABLE, oid);
        if oid < Oid::FIRST_NORMAL {
            bail!(
                DEPENDENT_OBJECTS_STILL_EXIST,
                "cannot drop {} because it is required by the database system",
                crate::drop::describe::describe(ctx, a)?
            );
        }
        objects.push(a);
    }
    crate::drop::walk::drop_objects(ctx, &objects, s.behavior, false)?;
    Ok("DROP OPERATOR".into())
}

/// Takes the links of others to an operator that goes.
pub fn unlink(ctx: &CommandCtx<'_>, oid: Oid) -> Result<()> {
    use pg_operator::*;
    let row = row_of(ctx, oid)?;
    for c in [OPRCOM, OPRNEGATE] {
        let other = row.oid(c);
        if !other.is_valid() || other == oid || other < Oid::FIRST_NORMAL {
            continue;
        }
        let keys = [Datum::oid(other)];
        if let Some(o) = ctx.catalog.scan(TABLE, OID_INDEX, &keys)?.first()
            && o.oid(c) == oid
        {
            ctx.catalog.update_columns(TABLE, o, &[(c, Datum::oid(Oid::INVALID))])?;
            ctx.engine.command_counter_increment()?;
        }
    }
    Ok(())
}

/// Runs ALTER OPERATOR … SET (RESTRICT, JOIN).
pub fn alter(ctx: &CommandCtx<'_>, s: &AlterOperatorStmt) -> Result<String> {
    use pg_operator::*;
    let d = require(ctx, &s.opername)?;
    let mut changes = Vec::new();
    for o in &s.options {
        // `= NONE` takes the estimator away.
        let value = match &o.arg {
            None => None,
            Some(DefArg::String(t)) if t == "none" => None,
            Some(_) => Some(names(o)?),
        };
        let (args, column, what): (&[Oid], usize, &str) = match o.defname.as_str() {
            "restrict" => (&RESTRICT_ARGS, OPRREST, "restriction"),
            "join" => (&JOIN_ARGS, OPRJOIN, "join"),
            "leftarg" | "rightarg" | "function" | "procedure" | "commutator" | "negator" | "hashes"
            | "merges" => {
                bail!(SYNTAX_ERROR, "operator attribute \"{}\" cannot be changed", o.defname)
            }
            other => bail!(SYNTAX_ERROR, "operator attribute \"{other}\" not recognized"),
        };
        let f = estimator(ctx, value.as_deref(), args, what)?;
        if f.is_valid() && d.result != oids::BOOL {
            let what = if column == OPRREST { "restriction" } else { "join" };
            bail!(INVALID_FUNCTION_DEFINITION, "only boolean operators can have {what} selectivity");
        }
        changes.push((column, Datum::oid(f)));
    }
    check_owner(ctx, &d)?;
    ctx.catalog.update_columns(TABLE, &row_of(ctx, d.oid)?, &changes)?;
    ctx.engine.command_counter_increment()?;
    Ok("ALTER OPERATOR".into())
}

/// `+++(integer,integer)`, as messages show an operator.
pub fn describe(ctx: &CommandCtx<'_>, oid: Oid) -> Result<String> {
    let o = ctx.catalog.operator(oid)?;
    let visible = with_analyze(ctx, |a| a.operator_of_types(std::slice::from_ref(&o.name), o.left, o.right))?;
    let schema = match visible == Some(oid) {
        true => String::new(),
        false => {
            let n = ctx.catalog.namespace_name(o.namespace)?.unwrap_or_default();
            format!("{}.", analyze::names::quote_ident(&n))
        }
    };
    let side = |t: Oid| -> Result<String> {
        if t.is_valid() { crate::user_type::shown(ctx, t) } else { Ok("NONE".into()) }
    };
    Ok(format!("{schema}{}({},{})", o.name, side(o.left)?, side(o.right)?))
}
