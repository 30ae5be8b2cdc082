//! CREATE FUNCTION and CREATE PROCEDURE: the row of `pg_proc`, its dependencies, and the test of the body.

use super::args::{self, Arguments};
use super::body::{self, Part};
use super::language;
use super::name::signature;
use super::options::{self, Options};
use super::sql::{check_result, result_columns};
use crate::acl::{self, AclKind};
use crate::analysis::with_analyze;
use crate::ctx::{CommandCtx, FnEnv};
use crate::{default_privileges, expr_depend, target};
use analyze::expr::Expr;
use analyze::query::Query;
use analyze::{Analyzed, ParamTypes};
use catalog::builtins::{LANGUAGE_C, LANGUAGE_INTERNAL, LANGUAGE_SQL};
use catalog::columns::*;
use catalog::depend::{DependencyKind, ObjectAddress};
use catalog::desc::ProcDesc;
use catalog::literal;
use common::{Error, Oid, Result, bail, err};
use parser::ast::*;
use types::{Datum, oids};

/// A routine as it is to be stored.
pub struct NewRoutine {
    pub name: String,
    pub namespace: Oid,
    pub language: Oid,
    pub kind: u8,
    pub args: Arguments,
    pub ret_type: Oid,
    pub retset: bool,
    pub src: String,
    /// The library of a function in language C.
    pub library: Option<String>,
    pub sql_body: Option<analyze::routine::SqlBody>,
    pub cost: f64,
    pub rows: f64,
    pub volatile: u8,
    pub strict: bool,
    pub sec_def: bool,
    pub leakproof: bool,
    pub parallel: u8,
    pub config: Vec<String>,
}

pub(super) fn polymorphic(t: Oid) -> bool {
    analyze::coerce::is_polymorphic(t)
}

/// The type after RETURNS. 42704, 42P13.
fn return_type(ctx: &CommandCtx<'_>, t: &TypeName, language: Oid) -> Result<Oid> {
    match with_analyze(ctx, |a| analyze::typename::lookup_type_name(a, t)) {
        Ok(Some((oid, _))) => Ok(oid),
        Ok(None) => {
            let shown = analyze::typename::type_name_to_string(t);
            if language != LANGUAGE_INTERNAL {
                bail!(UNDEFINED_OBJECT, "type \"{shown}\" does not exist");
            }
            crate::user_type::shell::make(ctx, t, &shown)
        }
        Err(e) if e.report().message.ends_with("is only a shell") => {
            let shown = analyze::typename::type_name_to_string(t);
            if language == LANGUAGE_SQL {
                bail!(INVALID_FUNCTION_DEFINITION, "SQL function cannot return shell type {shown}");
            }
            crate::analysis::notice_as(
                ctx,
                common::SqlState::WRONG_OBJECT_TYPE,
                format!("return type {shown} is only a shell"),
            );
            crate::user_type::shell::oid(ctx, t)
        }
        Err(e) => Err(crate::user_type::without_position(e)),
    }
}

/// Runs CREATE FUNCTION or CREATE PROCEDURE.
pub fn create(ctx: &CommandCtx<'_>, s: &CreateFunctionStmt) -> Result<String> {
    let (namespace, name) = crate::user_type::creation(ctx, &s.funcname)?;
    let o = options::read(&s.options, s.is_procedure)?;
    let language_name = match (&o.language, &s.sql_body) {
        (Some(l), _) => l.clone(),
        (None, Some(_)) => "sql".into(),
        (None, None) => bail!(INVALID_FUNCTION_DEFINITION, "no language specified"),
    };
    let language = language::usable(ctx, &language_name)?;
    if o.window {
        return Err(Error::unsupported("CREATE FUNCTION … WINDOW"));
    }
    if o.leakproof == Some(true) && !ctx.host.is_superuser() {
        bail!(INSUFFICIENT_PRIVILEGE, "only superuser can define a leakproof function");
    }
    let kind = if s.is_procedure { ObjectType::Procedure } else { ObjectType::Function };
    let args = args::resolve(ctx, &s.parameters, language == LANGUAGE_SQL, kind)?;
    let mut retset = false;
    let ret_type = if s.is_procedure {
        if args.required_result.is_valid() { oids::RECORD } else { oids::VOID }
    } else if let Some(t) = &s.return_type {
        retset = t.setof;
        let given = return_type(ctx, t, language)?;
        if args.required_result.is_valid() && given != args.required_result {
            let shown = with_analyze(ctx, |a| Ok(analyze::format_type_short(a, args.required_result)))?;
            bail!(
                INVALID_FUNCTION_DEFINITION,
                "function result type must be {shown} because of OUT parameters"
            );
        }
        given
    } else if args.required_result.is_valid() {
        args.required_result
    } else {
        bail!(INVALID_FUNCTION_DEFINITION, "function result type must be specified");
    };
    if s.sql_body.is_some() && language != LANGUAGE_SQL {
        bail!(INVALID_FUNCTION_DEFINITION, "inline SQL function body only valid for language SQL");
    }
    if s.sql_body.is_some() && o.body.is_some() {
        bail!(INVALID_FUNCTION_DEFINITION, "duplicate function body specified");
    }
    let (src, sql_body) = match &s.sql_body {
        Some(b) => (String::new(), Some(standard_body(ctx, &name, &args, b)?)),
        None => (options::source(language, &name, &language_name, o.body.as_deref())?, None),
    };
    let library = library(ctx, language, o.body.as_deref(), &src)?;
    if let (Some(_), false) = (o.rows, retset) {
        bail!(INVALID_PARAMETER_VALUE, "ROWS is not applicable when function does not return a set");
    }
    let new = NewRoutine {
        name,
        namespace,
        language,
        kind: if s.is_procedure { b'p' } else { b'f' },
        ret_type,
        retset,
        src,
        library,
        sql_body,
        cost: o.cost.unwrap_or_else(|| options::default_cost(language)),
        rows: o.rows.unwrap_or(if retset { 1000.0 } else { 0.0 }),
        volatile: o.volatile.unwrap_or(b'v'),
        strict: o.strict.unwrap_or(false),
        sec_def: o.sec_def.unwrap_or(false),
        leakproof: o.leakproof.unwrap_or(false),
        parallel: o.parallel.unwrap_or(b'u'),
        config: options::config(ctx, Vec::new(), &o.sets)?,
        args,
    };
    let oid = store(ctx, &new, s.replace)?;
    validate(ctx, oid, &o)?;
    Ok(if s.is_procedure { "CREATE PROCEDURE" } else { "CREATE FUNCTION" }.into())
}

/// The library of a function in language C, one of those compiled in. 0A000 for others, 42883 for a symbol it lacks.
fn library(
    ctx: &CommandCtx<'_>,
    language: Oid,
    body: Option<&[String]>,
    symbol: &str,
) -> Result<Option<String>> {
    if language != LANGUAGE_C {
        return Ok(None);
    }
    let written = body.and_then(<[String]>::first).map_or("", String::as_str);
    let library = match (written, ctx.catalog.creating_extension()) {
        ("MODULE", Some((_, extension))) => format!("$libdir/{extension}"),
        _ => written.to_string(),
    };
    if !types::ext::has_library(&library) {
        return Err(Error::unsupported("CREATE FUNCTION in language c"));
    }
    // Some functions of extensions have no code: they can be named, and say so when they are called.
    if types::ext::symbol(&library, symbol).is_none() && ctx.catalog.creating_extension().is_none() {
        bail!(UNDEFINED_FUNCTION, "could not find function \"{symbol}\" in file \"{library}\"");
    }
    Ok(Some(library))
}

/// RETURN expr or BEGIN ATOMIC … END, resolved.
fn standard_body(
    ctx: &CommandCtx<'_>,
    name: &str,
    args: &Arguments,
    b: &SqlBody,
) -> Result<analyze::routine::SqlBody> {
    if args.input.iter().any(|t| polymorphic(*t)) {
        bail!(
            FEATURE_NOT_SUPPORTED,
            "SQL function with unquoted function body cannot have polymorphic arguments"
        );
    }
    let mut names = Vec::new();
    for (i, n) in args.names.iter().enumerate() {
        if !matches!(args.modes.get(i), Some(b'o' | b't')) {
            names.push(n.clone());
        }
    }
    let one = |stmt: &Statement| -> Result<Query> {
        let select;
        let is_return = matches!(stmt, Statement::Return(_)) || matches!(b, SqlBody::Return(_));
        let stmt = match stmt {
            Statement::Return(r) => {
                select = select_of(&r.returnval);
                &select
            }
            s => s,
        };
        let raw = RawStmt { stmt: stmt.clone(), location: 0, len: ctx.source.len() };
        let mut params = ParamTypes::of_function(name, names.clone(), args.input.clone(), Oid::INVALID);
        match with_analyze(ctx, |a| analyze::analyze(a, &raw, &mut params))? {
            Analyzed::Query(mut q) => {
                q.location = (0, 0);
                if is_return {
                    q.target_list.iter_mut().for_each(|t| t.name = None);
                }
                Ok(*q)
            }
            Analyzed::Utility(u) => bail!(
                FEATURE_NOT_SUPPORTED,
                "{} is not yet supported in unquoted SQL function body",
                super::name::of_statement(u.as_deref().unwrap_or(stmt))
            ),
        }
    };
    match b {
        SqlBody::Return(e) => Ok(analyze::routine::SqlBody::Return(Box::new(one(&select_of(e))?))),
        SqlBody::Atomic(list) => {
            Ok(analyze::routine::SqlBody::Atomic(list.iter().map(one).collect::<Result<_>>()?))
        }
    }
}

fn select_of(e: &parser::Expr) -> Statement {
    let target = ResTarget { val: Some(e.clone()), ..ResTarget::default() };
    Statement::Select(Box::new(SelectStmt { target_list: vec![target], ..SelectStmt::default() }))
}

fn datums(types: &[u8]) -> Vec<Datum> {
    types.iter().map(|m| Datum::I8(*m as i8)).collect()
}

/// The columns of the row that say what a routine is.
fn columns(new: &NewRoutine) -> Result<Vec<(usize, Datum)>> {
    use pg_proc::*;
    let a = &new.args;
    let all: Vec<Datum> = a.all.iter().map(|t| Datum::oid(*t)).collect();
    let or_null = |empty: bool, d: Datum| if empty { Datum::Null } else { d };
    Ok(vec![
        (PRONAME, Datum::text(&new.name)),
        (PRONAMESPACE, Datum::oid(new.namespace)),
        (PROLANG, Datum::oid(new.language)),
        (PROCOST, Datum::F32(new.cost as f32)),
        (PROROWS, Datum::F32(new.rows as f32)),
        (PROVARIADIC, Datum::oid(a.variadic)),
        (PROSUPPORT, Datum::oid(Oid::INVALID)),
        (PROKIND, Datum::I8(new.kind as i8)),
        (PROSECDEF, Datum::Bool(new.sec_def)),
        (PROLEAKPROOF, Datum::Bool(new.leakproof)),
        (PROISSTRICT, Datum::Bool(new.strict)),
        (PRORETSET, Datum::Bool(new.retset)),
        (PROVOLATILE, Datum::I8(new.volatile as i8)),
        (PROPARALLEL, Datum::I8(new.parallel as i8)),
        (PRONARGS, Datum::I16(a.input.len() as i16)),
        (PRONARGDEFAULTS, Datum::I16(a.defaults.len() as i16)),
        (PRORETTYPE, Datum::oid(new.ret_type)),
        (PROARGTYPES, literal::oidvector(&a.input)),
        (PROALLARGTYPES, or_null(all.is_empty(), literal::make_array(oids::OID, &all, 1))),
        (PROARGMODES, or_null(a.modes.is_empty(), literal::make_array(oids::CHAR, &datums(&a.modes), 1))),
        (PROARGNAMES, or_null(a.names.is_empty(), literal::text_array(&a.names))),
        (
            PROARGDEFAULTS,
            match a.defaults.is_empty() {
                true => Datum::Null,
                false => Datum::text(&analyze::store_expr(&a.defaults)?),
            },
        ),
        (PROSRC, Datum::text(&new.src)),
        (PROBIN, new.library.as_deref().map_or(Datum::Null, Datum::text)),
        (
            PROSQLBODY,
            match &new.sql_body {
                Some(b) => Datum::text(&analyze::store_expr(b)?),
                None => Datum::Null,
            },
        ),
        (PROCONFIG, options::config_datum(&new.config)),
    ])
}

/// 42P13 where the result would have a type that no argument determines.
fn check_result_type(new: &NewRoutine) -> Result<()> {
    let has = |f: &dyn Fn(Oid) -> bool| new.args.input.iter().any(|t| f(*t));
    let simple = |t: Oid| {
        matches!(
            t,
            oids::ANYELEMENT
                | oids::ANYARRAY
                | oids::ANYNONARRAY
                | oids::ANYENUM
                | oids::ANYRANGE
                | oids::ANYMULTIRANGE
        )
    };
    let range = |t: Oid| matches!(t, oids::ANYRANGE | oids::ANYMULTIRANGE);
    let crange = |t: Oid| matches!(t, oids::ANYCOMPATIBLERANGE | oids::ANYCOMPATIBLEMULTIRANGE);
    let compat = |t: Oid| polymorphic(t) && !simple(t);
    let needs = |t: Oid| -> Option<String> {
        let name = types::type_info(t).map_or("anyelement", |i| i.name);
        if range(t) && !has(&range) {
            return Some(format!(
                "A result of type {name} requires at least one input of type anyrange or anymultirange."
            ));
        }
        if crange(t) && !has(&crange) {
            return Some(format!(
                "A result of type {name} requires at least one input of type anycompatiblerange or anycompatiblemultirange."
            ));
        }
        if simple(t) && !has(&simple) {
            return Some(format!(
                "A result of type {name} requires at least one input of type anyelement, anyarray, anynonarray, anyenum, anyrange, or anymultirange."
            ));
        }
        if compat(t) && !has(&compat) {
            return Some(format!(
                "A result of type {name} requires at least one input of type anycompatible, anycompatiblearray, anycompatiblenonarray, anycompatiblerange, or anycompatiblemultirange."
            ));
        }
        None
    };
    let outs = new.args.all.iter().zip(&new.args.modes).filter(|(_, m)| matches!(m, b'o' | b't'));
    for t in std::iter::once(new.ret_type).chain(outs.map(|(t, _)| *t)) {
        if let Some(detail) = needs(t) {
            return Err(err!(INVALID_FUNCTION_DEFINITION, "cannot determine result data type").detail(detail));
        }
        if t == oids::INTERNAL && !new.args.input.contains(&oids::INTERNAL) {
            return Err(err!(INVALID_FUNCTION_DEFINITION, "unsafe use of pseudo-type \"internal\"")
                .detail("A function returning \"internal\" must have at least one \"internal\" argument."));
        }
    }
    Ok(())
}

/// Stores a routine, or puts it in the place of one with the same name and argument types.
pub fn store(ctx: &CommandCtx<'_>, new: &NewRoutine, replace: bool) -> Result<Oid> {
    use pg_proc::*;
    check_result_type(new)?;
    let old = ctx
        .catalog
        .procs_named(&new.name)?
        .into_iter()
        .find(|p| p.namespace == new.namespace && p.arg_types == new.args.input);
    let changes = columns(new)?;
    let oid = match old {
        Some(p) => {
            if !replace {
                bail!(
                    DUPLICATE_FUNCTION,
                    "function \"{}\" already exists with same argument types",
                    new.name
                );
            }
            if !target::owns(ctx, p.owner)? {
                bail!(INSUFFICIENT_PRIVILEGE, "must be owner of {} {}", kind_word(p.kind), p.name);
            }
            if p.oid < Oid::FIRST_NORMAL {
                return Err(Error::unsupported("replacing a built-in function"));
            }
            check_replacement(ctx, &p, new)?;
            let rows = ctx.catalog.scan(TABLE, OID_INDEX, &[Datum::oid(p.oid)])?;
            let row = rows.first().ok_or_else(|| crate::analysis::lost("function", p.oid))?;
            ctx.catalog.update_columns(TABLE, row, &changes)?;
            ctx.catalog.delete_dependencies_of(ObjectAddress::new(TABLE, p.oid))?;
            p.oid
        }
        None => {
            let oid = ctx.catalog.new_oid(TABLE, OID_INDEX)?;
            let owner = ctx.host.role();
            let mut r = ctx.catalog.blank_row(TABLE);
            for (c, d) in changes {
                r[c] = d;
            }
            r[OID] = Datum::oid(oid);
            r[PROOWNER] = Datum::oid(owner);
            let items = default_privileges::for_new(ctx.catalog, AclKind::Function, owner, new.namespace)?;
            if let Some(items) = &items {
                r[PROACL] = acl::format(items);
            }
            ctx.catalog.insert_row(TABLE, &r)?;
            let me = ObjectAddress::new(TABLE, oid);
            ctx.catalog.record_role_dependency(me, owner, b'o')?;
            if let Some(items) = &items {
                default_privileges::record_roles(ctx.catalog, me, owner, items)?;
            }
            oid
        }
    };
    record_dependencies(ctx, oid, new)?;
    ctx.engine.command_counter_increment()?;
    Ok(oid)
}

pub(super) fn kind_word(kind: u8) -> &'static str {
    match kind {
        b'p' => "procedure",
        b'a' => "aggregate",
        _ => "function",
    }
}

fn check_replacement(ctx: &CommandCtx<'_>, old: &ProcDesc, new: &NewRoutine) -> Result<()> {
    let shown = signature(ctx, old)?;
    let drop = format!("DROP {}", kind_word(old.kind).to_ascii_uppercase());
    let hint = format!("Use {drop} {shown} first.");
    if old.kind != new.kind {
        let what = match old.kind {
            b'a' => "an aggregate function",
            b'p' => "a procedure",
            b'w' => "a window function",
            _ => "a function",
        };
        return Err(err!(WRONG_OBJECT_TYPE, "cannot change routine kind")
            .detail(format!("\"{}\" is {what}.", old.name)));
    }
    if old.ret_type != new.ret_type || old.retset != new.retset {
        let message = if new.kind == b'p' {
            "cannot change whether a procedure has output parameters"
        } else {
            "cannot change return type of existing function"
        };
        return Err(err!(INVALID_FUNCTION_DEFINITION, "{message}").hint(hint));
    }
    let outs = |types: &[Oid], modes: &[u8], names: &[String]| -> Vec<(Oid, String)> {
        let at = modes.iter().enumerate().filter(|(_, m)| matches!(m, b'o' | b'b' | b't'));
        at.map(|(i, _)| (types[i], names.get(i).cloned().unwrap_or_default())).collect()
    };
    if old.ret_type == oids::RECORD
        && outs(&old.all_arg_types, &old.arg_modes, &old.arg_names)
            != outs(&new.args.all, &new.args.modes, &new.args.names)
    {
        return Err(err!(INVALID_FUNCTION_DEFINITION, "cannot change return type of existing function")
            .detail("Row type defined by OUT parameters is different.")
            .hint(hint));
    }
    let inputs = |modes: &[u8], names: &[String]| -> Vec<String> {
        let is_in = |i: &usize| matches!(modes.get(*i).copied().unwrap_or(b'i'), b'i' | b'b' | b'v');
        (0..names.len()).filter(is_in).map(|i| names[i].clone()).collect()
    };
    let new_names = inputs(&new.args.modes, &new.args.names);
    for (i, n) in inputs(&old.arg_modes, &old.arg_names).iter().enumerate() {
        if !n.is_empty() && new_names.get(i) != Some(n) {
            return Err(
                err!(INVALID_FUNCTION_DEFINITION, "cannot change name of input parameter \"{n}\"").hint(hint)
            );
        }
    }
    if let Some(text) = &old.arg_defaults {
        let had: Vec<Expr> = analyze::load_expr(text)?;
        let have = &new.args.defaults;
        if have.len() < had.len() {
            return Err(err!(
                INVALID_FUNCTION_DEFINITION,
                "cannot remove parameter defaults from existing function"
            )
            .hint(hint));
        }
        for (a, b) in had.iter().zip(&have[have.len() - had.len()..]) {
            if analyze::info::expr_type(a) != analyze::info::expr_type(b) {
                return Err(err!(
                    INVALID_FUNCTION_DEFINITION,
                    "cannot change data type of existing parameter default value"
                )
                .hint(hint));
            }
        }
    }
    Ok(())
}

fn record_dependencies(ctx: &CommandCtx<'_>, oid: Oid, new: &NewRoutine) -> Result<()> {
    let me = ObjectAddress::new(pg_proc::TABLE, oid);
    let mut on = vec![
        ObjectAddress::new(pg_namespace::TABLE, new.namespace),
        ObjectAddress::new(pg_language::TABLE, new.language),
        ObjectAddress::new(pg_type::TABLE, new.ret_type),
    ];
    let all = if new.args.all.is_empty() { &new.args.input } else { &new.args.all };
    on.extend(all.iter().map(|t| ObjectAddress::new(pg_type::TABLE, *t)));
    for d in &new.args.defaults {
        on.extend(expr_depend::of_expr(d, Oid::INVALID));
    }
    for q in new.sql_body.iter().flat_map(|b| b.queries()) {
        on.extend(expr_depend::of_query(q));
    }
    on.sort();
    on.dedup();
    expr_depend::record(ctx.catalog, me, &on, DependencyKind::Normal)
}

/// Tests what was stored, unless that is switched off.
fn validate(ctx: &CommandCtx<'_>, oid: Oid, o: &Options) -> Result<()> {
    let _ = o;
    let p = ctx.catalog.proc_desc(oid)?;
    if p.language == LANGUAGE_C {
        return Ok(());
    }
    if p.language == LANGUAGE_INTERNAL {
        if ctx.catalog.builtins().proc_by_src(&p.src).is_none() {
            bail!(UNDEFINED_FUNCTION, "there is no built-in function named \"{}\"", p.src);
        }
        return Ok(());
    }
    let checks = crate::analysis::setting(ctx, "check_function_bodies") == "on";
    if !checks || p.config.is_empty() {
        return language::of(p.language)?.validate(ctx, &p);
    }
    let mut f = || language::of(p.language)?.validate(ctx, &p);
    ctx.host.with_identity(None, &p.config, &mut f)
}

/// The test of a function in SQL: its types, and if bodies are to be checked, its statements.
pub fn validate_sql(ctx: &CommandCtx<'_>, p: &ProcDesc) -> Result<()> {
    let shown = |t: Oid| with_analyze(ctx, |a| Ok(analyze::format_type_short(a, t)));
    let is_pseudo = |t: Oid| Ok::<bool, Error>(ctx.catalog.type_desc(t)?.typtype == b'p' && !polymorphic(t));
    if is_pseudo(p.ret_type)? && p.ret_type != oids::RECORD && p.ret_type != oids::VOID {
        bail!(INVALID_FUNCTION_DEFINITION, "SQL functions cannot return type {}", shown(p.ret_type)?);
    }
    for t in &p.arg_types {
        if is_pseudo(*t)? {
            bail!(INVALID_FUNCTION_DEFINITION, "SQL functions cannot have arguments of type {}", shown(*t)?);
        }
    }
    if crate::analysis::setting(ctx, "check_function_bodies") != "on" {
        return Ok(());
    }
    let env = ctx.env.session.fn_env().downcast_ref::<FnEnv>();
    let env = env.ok_or_else(|| Error::internal("CREATE FUNCTION outside a session"))?;
    let test = || -> Result<()> {
        if p.arg_types.iter().any(|t| polymorphic(*t)) {
            // What the body means is known only in a call.
            return if p.sql_body.is_none() { parser::parse(&p.src).map(|_| ()) } else { Ok(()) };
        }
        let mut parts: Vec<Part> = body::read(env, p, &p.arg_types, Oid::INVALID)?;
        for x in &parts {
            if let Part::Utility(s) = x
                && let Statement::Call(c) = &**s
            {
                check_call(ctx, env, p, c)?;
            }
        }
        let columns = result_columns(env, p, &p.arg_types, p.ret_type, None)?;
        check_result(env, p, &mut parts, p.ret_type, columns.as_ref()).map(|_| ())
    };
    test().map_err(|e| {
        let placed = e.report().position.is_some();
        let e = body::outer_position(e, &p.src, ctx.source);
        if placed { e } else { e.context(format!("SQL function \"{}\"", p.name)) }
    })
}

/// 0A000 for a procedure with output arguments.
fn check_call(_ctx: &CommandCtx<'_>, env: &FnEnv, p: &ProcDesc, c: &CallStmt) -> Result<()> {
    let call = body::with_analyze(env, &p.src, |a| {
        let params =
            ParamTypes::of_function(&p.name, body::input_names(p), p.arg_types.clone(), Oid::INVALID);
        analyze::func::analyze_call(a, &c.funccall, params)
    })?;
    if !call.columns.is_empty() {
        bail!(
            FEATURE_NOT_SUPPORTED,
            "calling procedures with output arguments is not supported in SQL functions"
        );
    }
    Ok(())
}
