//! CREATE TYPE name (INPUT = …): base types, whose values are those of a built-in type under another name. The input
//! function is a built-in one under another name too (or one of an extension), and tells which form the values have: its
//! type's, the *model*'s ([`types::user_type::model_of`]).

use super::{creation, insert, make_way, without_position};
use crate::analysis::{warning_at, with_analyze};
use crate::ctx::CommandCtx;
use catalog::CatRow;
use catalog::columns::*;
use catalog::depend::{DependencyKind, ObjectAddress};
use catalog::desc::{ProcDesc, TypeDesc};
use catalog::{Ref, literal};
use common::{Error, Oid, Result, SqlState, bail, err};
use parser::ast::*;
use types::{Datum, UserClass, oids};

/// The clauses of the definition.
#[derive(Default)]
struct Definition<'a> {
    given: Vec<(&'static str, &'a DefElem)>,
}

/// Every attribute, old spellings beside the new ones.
const ATTRIBUTES: &[(&str, &str)] = &[
    ("like", "like"),
    ("internallength", "internallength"),
    ("input", "input"),
    ("output", "output"),
    ("receive", "receive"),
    ("send", "send"),
    ("typmod_in", "typmod_in"),
    ("typmod_out", "typmod_out"),
    ("analyze", "analyze"),
    ("analyse", "analyze"),
    ("subscript", "subscript"),
    ("category", "category"),
    ("preferred", "preferred"),
    ("delimiter", "delimiter"),
    ("element", "element"),
    ("default", "default"),
    ("passedbyvalue", "passedbyvalue"),
    ("alignment", "alignment"),
    ("storage", "storage"),
    ("collatable", "collatable"),
];

impl<'a> Definition<'a> {
    fn read(ctx: &CommandCtx<'_>, list: &'a [DefElem]) -> Result<Definition<'a>> {
        let mut d = Definition::default();
        for e in list {
            let Some((_, name)) = ATTRIBUTES.iter().find(|a| a.0 == e.defname) else {
                let message = format!("type attribute \"{}\" not recognized", e.defname);
                warning_at(ctx, SqlState::SYNTAX_ERROR, message, e.location);
                continue;
            };
            if d.get(name).is_some() {
                return Err(err!(SYNTAX_ERROR, "conflicting or redundant options").at(e.location));
            }
            d.given.push((name, e));
        }
        Ok(d)
    }
    fn get(&self, name: &str) -> Option<&'a DefElem> {
        self.given.iter().find(|g| g.0 == name).map(|g| g.1)
    }
    fn names(&self, name: &str) -> Result<Option<Vec<String>>> {
        self.get(name).map(crate::operator::names).transpose()
    }
    fn text(&self, name: &str) -> Result<Option<String>> {
        let Some(e) = self.get(name) else { return Ok(None) };
        Ok(Some(match &e.arg {
            Some(DefArg::String(s)) => s.clone(),
            Some(DefArg::TypeName(t)) => analyze::typename::type_name_to_string(t),
            Some(DefArg::Names(n)) => n.join("."),
            Some(DefArg::Integer(i)) => i.to_string(),
            Some(DefArg::Float(f)) => f.clone(),
            Some(DefArg::Boolean(b)) => b.to_string(),
            _ => bail!(SYNTAX_ERROR, "{name} requires a parameter"),
        }))
    }
    fn flag(&self, name: &str) -> Result<bool> {
        self.get(name).map_or(Ok(false), crate::routine::flag)
    }
    fn length(&self) -> Result<Option<i16>> {
        let Some(t) = self.text("internallength")? else { return Ok(None) };
        if t.eq_ignore_ascii_case("variable") {
            return Ok(Some(-1));
        }
        match t.parse::<i64>() {
            Ok(n) => Ok(Some(
                i16::try_from(n)
                    .map_err(|_| err!(INVALID_OBJECT_DEFINITION, "invalid type internal size {n}"))?,
            )),
            Err(_) => bail!(SYNTAX_ERROR, "invalid argument for internallength: \"{t}\""),
        }
    }
}

/// A support function by name and exactly these argument types.
fn lookup(ctx: &CommandCtx<'_>, name: &[String], forms: &[&[Oid]]) -> Result<Ref<ProcDesc>> {
    with_analyze(ctx, |a| {
        for args in forms {
            let all = a.func_candidates(name, args.len(), &[], false)?;
            if let Some(p) = all.into_iter().map(|c| c.item.proc).find(|p| p.arg_types == *args) {
                return Ok(p);
            }
        }
        let list: Vec<String> = forms[0].iter().map(|t| analyze::format_type_short(a, *t)).collect();
        Err(err!(UNDEFINED_FUNCTION, "function {}({}) does not exist", name.join("."), list.join(", ")))
    })
}

fn function(
    ctx: &CommandCtx<'_>,
    name: Option<Vec<String>>,
    what: &str,
    forms: &[&[Oid]],
    returns: Oid,
) -> Result<Option<Ref<ProcDesc>>> {
    let Some(name) = name else { return Ok(None) };
    let p = lookup(ctx, &name, forms)?;
    if p.ret_type != returns {
        bail!(
            INVALID_OBJECT_DEFINITION,
            "type {what} function {} must return type {}",
            name.join("."),
            super::shown(ctx, returns)
                .or_else(|_| Ok::<_, Error>(ctx.catalog.type_desc(returns)?.name.clone()))?
        );
    }
    Ok(Some(p))
}

fn letter(text: Option<String>, what: &str, words: &[(&str, u8)]) -> Result<Option<u8>> {
    let Some(t) = text else { return Ok(None) };
    match words.iter().find(|w| w.0.eq_ignore_ascii_case(&t)) {
        Some(w) => Ok(Some(w.1)),
        None => bail!(INVALID_PARAMETER_VALUE, "{what} \"{t}\" not recognized"),
    }
}

/// Length, by value, alignment and storage as the row says them.
fn form(ctx: &CommandCtx<'_>, d: &Definition<'_>) -> Result<(i16, bool, u8, u8)> {
    let mut like = (-1i16, false, b'i', b'p');
    if let Some(e) = d.get("like") {
        let t = crate::routine::type_arg(e)?;
        let (oid, _) = with_analyze(ctx, |a| analyze::resolve_type_name(a, &t)).map_err(without_position)?;
        let t = ctx.catalog.type_desc(oid)?;
        like = (t.len, t.by_val, t.align, t.storage);
    }
    let len = d.length()?.unwrap_or(like.0);
    let by_val = if d.get("passedbyvalue").is_some() { d.flag("passedbyvalue")? } else { like.1 };
    let align = [
        ("double", b'd'),
        ("float8", b'd'),
        ("pg_catalog.float8", b'd'),
        ("double precision", b'd'),
        ("int4", b'i'),
        ("integer", b'i'),
        ("pg_catalog.int4", b'i'),
        ("int2", b's'),
        ("pg_catalog.int2", b's'),
        ("char", b'c'),
        ("pg_catalog.bpchar", b'c'),
    ];
    let align = letter(d.text("alignment")?, "alignment", &align)?.unwrap_or(like.2);
    let storage = [("plain", b'p'), ("external", b'e'), ("extended", b'x'), ("main", b'm')];
    let storage = letter(d.text("storage")?, "storage", &storage)?.unwrap_or(like.3);
    Ok((len, by_val, align, storage))
}

fn check_form((len, by_val, align, storage): (i16, bool, u8, u8)) -> Result<()> {
    if len == 0 || len < -2 {
        bail!(INVALID_OBJECT_DEFINITION, "invalid type internal size {len}");
    }
    if by_val {
        let right = match len {
            1 => b'c',
            2 => b's',
            4 => b'i',
            8 => b'd',
            _ => bail!(INVALID_OBJECT_DEFINITION, "internal size {len} is invalid for passed-by-value type"),
        };
        if align != right {
            bail!(
                INVALID_OBJECT_DEFINITION,
                "alignment \"{}\" is invalid for passed-by-value type of size {len}",
                char::from(align)
            );
        }
    } else if (len == -1 && !matches!(align, b'i' | b'd')) || (len == -2 && align != b'c') {
        bail!(
            INVALID_OBJECT_DEFINITION,
            "alignment \"{}\" is invalid for variable-length type",
            char::from(align)
        );
    }
    if storage != b'p' && len != -1 {
        bail!(INVALID_OBJECT_DEFINITION, "fixed-size types must have storage PLAIN");
    }
    Ok(())
}

/// What there is no code for.
fn refuse(d: &Definition<'_>) -> Result<()> {
    for name in ["typmod_in", "typmod_out", "analyze", "element"] {
        if d.get(name).is_some() {
            return Err(Error::unsupported(format_args!("CREATE TYPE … {}", name.to_ascii_uppercase())));
        }
    }
    if d.get("subscript").is_some() {
        return Err(Error::unsupported("CREATE TYPE … SUBSCRIPT"));
    }
    if d.text("delimiter")?.is_some_and(|t| t != ",") {
        return Err(Error::unsupported("CREATE TYPE … DELIMITER"));
    }
    Ok(())
}

fn category(d: &Definition<'_>) -> Result<u8> {
    let Some(t) = d.text("category")? else { return Ok(b'U') };
    match t.bytes().next() {
        Some(c @ 32..=126) => Ok(c),
        _ => bail!(INVALID_PARAMETER_VALUE, "invalid type category \"{t}\": must be simple ASCII"),
    }
}

/// A type's shell, which must be there: 42710 if not, or if the type is there already.
fn shell_of(ctx: &CommandCtx<'_>, ns: Oid, name: &str) -> Result<Oid> {
    if let Some(oid) = ctx.catalog.type_oid(ns, name)? {
        if !ctx.catalog.type_desc(oid)?.is_defined {
            return Ok(oid);
        }
        make_way(ctx, ns, name)?;
    }
    Err(err!(DUPLICATE_OBJECT, "type \"{name}\" does not exist")
        .hint("Create the type as a shell type, then create its I/O functions, then do a full CREATE TYPE."))
}

/// Runs CREATE TYPE name (…).
pub fn create(ctx: &CommandCtx<'_>, s: &DefineStmt) -> Result<String> {
    if !ctx.host.is_superuser() {
        bail!(INSUFFICIENT_PRIVILEGE, "must be superuser to create a base type");
    }
    let (ns, name) = creation(ctx, &s.defnames)?;
    let shell = shell_of(ctx, ns, &name)?;
    let d = Definition::read(ctx, &s.definition)?;
    let form = form(ctx, &d)?;
    let category = category(&d)?;
    if let Some(e) = d.get("element") {
        let t = crate::routine::type_arg(e)?;
        let (oid, _) = with_analyze(ctx, |a| analyze::resolve_type_name(a, &t)).map_err(without_position)?;
        if ctx.catalog.type_desc(oid)?.typtype == b'p' {
            bail!(DATATYPE_MISMATCH, "array element type cannot be {}", super::shown(ctx, oid)?);
        }
    }
    for what in ["input", "output"] {
        if d.get(what).is_none() {
            bail!(INVALID_OBJECT_DEFINITION, "type {what} function must be specified");
        }
    }
    if d.get("typmod_out").is_some() && d.get("typmod_in").is_none() {
        bail!(
            INVALID_OBJECT_DEFINITION,
            "type modifier output function is useless without a type modifier input function"
        );
    }
    let text_in: [&[Oid]; 2] = [&[oids::CSTRING], &[oids::CSTRING, oids::OID, oids::INT4]];
    let wire_in: [&[Oid]; 2] = [&[oids::INTERNAL], &[oids::INTERNAL, oids::OID, oids::INT4]];
    let input = function(ctx, d.names("input")?, "input", &text_in, shell)?;
    let output = function(ctx, d.names("output")?, "output", &[&[shell]], oids::CSTRING)?;
    let receive = function(ctx, d.names("receive")?, "receive", &wire_in, shell)?;
    let send = function(ctx, d.names("send")?, "send", &[&[shell]], oids::BYTEA)?;
    refuse(&d)?;
    check_form(form)?;
    for (p, what) in [(&input, "input"), (&output, "output"), (&receive, "receive"), (&send, "send")] {
        if let Some(p) = p
            && p.volatile == b'v'
        {
            let message = format!("type {what} function {} should not be volatile", p.name);
            crate::analysis::warning(ctx, SqlState::INVALID_OBJECT_DEFINITION, message);
        }
    }
    let oid_of = |p: &Option<Ref<ProcDesc>>| p.as_ref().map_or(Oid::INVALID, |p| p.oid);
    let model = model(ctx, oid_of(&input), &name)?;
    let oid = ctx.catalog.new_base_type_oid(model)?;
    let t = TypeDesc {
        len: form.0,
        by_val: form.1,
        align: form.2,
        storage: form.3,
        typtype: b'b',
        category,
        preferred: d.flag("preferred")?,
        is_defined: true,
        relid: Oid::INVALID,
        array: ctx.catalog.new_type_oid(UserClass::Array)?,
        input: oid_of(&input),
        output: oid_of(&output),
        receive: oid_of(&receive),
        send: oid_of(&send),
        collation: Oid(if d.flag("collatable")? { 100 } else { 0 }),
        ..super::blank(oid, Oid::INVALID, &name, ns, ctx.host.role())
    };
    replace_shell(ctx, shell, oid)?;
    let mut extra = Vec::new();
    if let Some(text) = d.text("default")? {
        extra.push((pg_type::TYPDEFAULT, Datum::text(&text)));
    }
    insert(ctx, &t, &extra)?;
    let me = ObjectAddress::new(pg_type::TABLE, oid);
    for f in [t.input, t.output, t.receive, t.send].into_iter().filter(|f| f.is_valid()) {
        ctx.catalog.record_dependency(me, ObjectAddress::new(pg_proc::TABLE, f), DependencyKind::Normal)?;
    }
    ctx.engine.command_counter_increment()?;
    Ok("CREATE TYPE".into())
}

/// The form of the values, by the input function. 0A000 if that is not the one of a base type.
fn model(ctx: &CommandCtx<'_>, input: Oid, name: &str) -> Result<u8> {
    if let Some((_, extension)) = ctx.catalog.creating_extension()
        && let Some(m) = types::user_type::extension_model(extension, name)
    {
        return Ok(m);
    }
    let code = ctx.catalog.code_oid(input)?;
    types::user_type::model_of(code)
        .ok_or_else(|| Error::unsupported("CREATE TYPE with an input function that is not a base type's"))
}

/// The type's OID tells the form of its values, which nobody knew when the shell was made: the shell goes, and the
/// functions that were declared over it are told the type's.
fn replace_shell(ctx: &CommandCtx<'_>, shell: Oid, oid: Oid) -> Result<()> {
    let old = ObjectAddress::new(pg_type::TABLE, shell);
    for d in ctx.catalog.dependents(old)? {
        if d.depender.class != pg_proc::TABLE {
            return Err(Error::internal("a shell type that something other than functions uses"));
        }
        use pg_proc::*;
        for r in ctx.catalog.scan(TABLE, OID_INDEX, &[Datum::oid(d.depender.object)])? {
            retarget(ctx, &r, shell, oid)?;
        }
        ctx.engine.command_counter_increment()?;
    }
    {
        use pg_depend::*;
        let keys = [Datum::oid(pg_type::TABLE), Datum::oid(shell)];
        for r in ctx.catalog.scan(TABLE, REFERENCE_INDEX, &keys)? {
            ctx.catalog.update_columns(TABLE, &r, &[(REFOBJID, Datum::oid(oid))])?;
        }
    }
    ctx.catalog.delete_dependencies_of(old)?;
    ctx.catalog.delete_role_dependencies_of(old)?;
    crate::drop::remove::delete_by(ctx, pg_type::TABLE, pg_type::OID_INDEX, &[Datum::oid(shell)])?;
    ctx.engine.command_counter_increment()
}

fn retarget(ctx: &CommandCtx<'_>, r: &CatRow, shell: Oid, oid: Oid) -> Result<()> {
    use pg_proc::*;
    let swap = |t: Oid| if t == shell { oid } else { t };
    let args: Vec<Oid> = literal::oid_items(r.bytes(PROARGTYPES)).into_iter().map(swap).collect();
    let mut changes =
        vec![(PRORETTYPE, Datum::oid(swap(r.oid(PRORETTYPE)))), (PROARGTYPES, literal::oidvector(&args))];
    if r.opt_bytes(PROALLARGTYPES).is_some() {
        let all: Vec<Datum> =
            literal::oid_items(r.bytes(PROALLARGTYPES)).into_iter().map(|t| Datum::oid(swap(t))).collect();
        changes.push((PROALLARGTYPES, literal::make_array(oids::OID, &all, 1)));
    }
    ctx.catalog.update_columns(TABLE, r, &changes)?;
    Ok(())
}
