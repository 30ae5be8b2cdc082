//! Extensions: CREATE, ALTER and DROP EXTENSION over the [`registry`] of those compiled in. What an extension makes is
//! its member by a dependency of kind `e`: it goes with the extension, and not without it.

mod alter;
pub mod functions;
pub mod pg_stat_statements;
pub mod registry;

pub use alter::{alter, alter_contents, set_schema};

use crate::acl::{self, AclItem, AclKind};
use crate::analysis::{notice, notice_as, with_analyze};
use crate::ctx::CommandCtx;
use crate::{aclcheck, comment, target, view};
use analyze::ParamTypes;
use catalog::columns::*;
use catalog::depend::{DependencyKind, ObjectAddress};
use catalog::{CatRow, literal};
use common::{Error, Oid, Result, SqlState, bail, err};
use parser::ast::*;
use registry::{Extension, Function};
use types::{Datum, oids};

/// `pg_language`'s row of C.
const LANGUAGE_C: Oid = Oid(13);

fn row(ctx: &CommandCtx<'_>, name: &str) -> Result<Option<CatRow>> {
    use pg_extension::*;
    Ok(ctx.catalog.scan(TABLE, NAME_INDEX, &[Datum::text(name)])?.into_iter().next())
}

/// The row of an extension, or 42704.
fn require(ctx: &CommandCtx<'_>, name: &str) -> Result<CatRow> {
    row(ctx, name)?.ok_or_else(|| err!(UNDEFINED_OBJECT, "extension \"{name}\" does not exist"))
}

fn address(r: &CatRow) -> ObjectAddress {
    ObjectAddress::new(pg_extension::TABLE, r.oid(pg_extension::OID))
}

fn check_owner(ctx: &CommandCtx<'_>, r: &CatRow) -> Result<()> {
    if target::owns(ctx, r.oid(pg_extension::EXTOWNER))? {
        return Ok(());
    }
    bail!(INSUFFICIENT_PRIVILEGE, "must be owner of extension {}", r.str(pg_extension::EXTNAME))
}

/// The extension an object is a member of.
pub fn extension_of(ctx: &CommandCtx<'_>, a: ObjectAddress) -> Result<Option<ObjectAddress>> {
    let all = ctx.catalog.dependencies(a)?;
    let found = all.into_iter().find(|d| d.kind == DependencyKind::Extension && d.depender == a);
    Ok(found.map(|d| d.referenced))
}

fn check_name(name: &str) -> Result<()> {
    let invalid = |detail: &str| {
        Err(err!(INVALID_PARAMETER_VALUE, "invalid extension name: \"{name}\"").detail(detail.to_string()))
    };
    match name {
        "" => invalid("Extension names must not be empty."),
        n if n.contains("--") => invalid("Extension names must not contain \"--\"."),
        n if n.starts_with('-') || n.ends_with('-') => {
            invalid("Extension names must not begin or end with \"-\".")
        }
        n if n.contains('/') => invalid("Extension names must not contain directory separator characters."),
        _ => Ok(()),
    }
}

/// The options of a statement, each given at most once.
fn option<'o>(options: &'o [DefElem], name: &str) -> Result<Option<&'o DefElem>> {
    let mut found = None;
    for o in options.iter().filter(|o| o.defname == name) {
        if found.is_some() {
            return Err(err!(SYNTAX_ERROR, "conflicting or redundant options").at(o.location));
        }
        found = Some(o);
    }
    Ok(found)
}

fn text(o: Option<&DefElem>) -> Option<&str> {
    match o.and_then(|o| o.arg.as_ref()) {
        Some(DefArg::String(s)) => Some(s),
        _ => None,
    }
}

/// Runs CREATE EXTENSION.
pub fn create(ctx: &CommandCtx<'_>, s: &CreateExtensionStmt) -> Result<String> {
    check_name(&s.extname)?;
    if row(ctx, &s.extname)?.is_some() {
        if s.if_not_exists {
            let message = format!("extension \"{}\" already exists, skipping", s.extname);
            notice_as(ctx, SqlState::DUPLICATE_OBJECT, message);
            return Ok("CREATE EXTENSION".into());
        }
        bail!(DUPLICATE_OBJECT, "extension \"{}\" already exists", s.extname);
    }
    let version = text(option(&s.options, "new_version")?);
    let schema = text(option(&s.options, "schema")?);
    let cascade = option(&s.options, "cascade")?.is_some();
    install(ctx, &s.extname, version, schema, cascade, &mut Vec::new())?;
    Ok("CREATE EXTENSION".into())
}

fn available(name: &str) -> Result<&'static Extension> {
    registry::find(name).ok_or_else(|| {
        err!(FEATURE_NOT_SUPPORTED, "extension \"{name}\" is not available")
            .detail("Extensions are part of the server; pg_available_extensions lists them.")
            .hint("The extension must first be installed on the system where PostgreSQL is running.")
    })
}

fn install(
    ctx: &CommandCtx<'_>,
    name: &str,
    version: Option<&str>,
    schema: Option<&str>,
    cascade: bool,
    parents: &mut Vec<String>,
) -> Result<Oid> {
    let x = available(name)?;
    if let Some(v) = version
        && v != x.version
    {
        bail!(
            INVALID_PARAMETER_VALUE,
            "extension \"{name}\" has no installation script nor update path for version \"{v}\""
        );
    }
    let ns = match schema {
        Some(s) => ctx.catalog.require_namespace(s)?,
        None => ctx.host.search_path()?.creation,
    };
    if !ns.is_valid() {
        bail!(INVALID_SCHEMA_NAME, "no schema has been selected to create in");
    }
    let required = requirements(ctx, x, schema, cascade, parents)?;
    check_allowed(ctx, x)?;
    target::check_creation(ctx, ns)?;
    let oid = insert_row(ctx, x, ns, &required)?;
    let me = ObjectAddress::new(pg_extension::TABLE, oid);
    for f in x.functions {
        make_function(ctx, x, f, ns, me)?;
    }
    ctx.engine.command_counter_increment()?;
    ctx.host.set_first_schema(Some(ns));
    let made =
        x.views.iter().try_for_each(|v| make_view(ctx, v, ns, me)).and_then(|()| run_script(ctx, x, me));
    ctx.host.set_first_schema(None);
    made?;
    comment::write(ctx, me, Some(x.comment))?;
    ctx.engine.command_counter_increment()?;
    Ok(oid)
}

/// Runs an extension's script: what it makes are members of the extension, and belong to a superuser's who may not be the
/// one who asked for it.
fn run_script(ctx: &CommandCtx<'_>, x: &'static Extension, me: ObjectAddress) -> Result<()> {
    if x.script.is_empty() {
        return Ok(());
    }
    let statements = parser::parse(x.script)?;
    let owner = catalog::builtins::BOOTSTRAP_SUPERUSER;
    let role = (x.trusted && !ctx.host.is_superuser()).then_some(owner);
    let quiet = ["client_min_messages=warning".to_string()];
    ctx.catalog.set_creating_extension(Some((me, x.name)));
    let done = ctx.host.with_identity(role, &quiet, &mut || {
        for s in &statements {
            let inner =
                CommandCtx { source: x.script, top_level: false, params: &[], param_types: &[], ..*ctx };
            crate::run(&inner, &s.stmt)?;
            ctx.engine.command_counter_increment()?;
        }
        Ok(())
    });
    ctx.catalog.set_creating_extension(None);
    done
}

/// The extensions this one needs; with CASCADE they are created.
fn requirements(
    ctx: &CommandCtx<'_>,
    x: &Extension,
    schema: Option<&str>,
    cascade: bool,
    parents: &mut Vec<String>,
) -> Result<Vec<Oid>> {
    let mut out = Vec::new();
    for name in x.requires {
        if let Some(r) = row(ctx, name)? {
            out.push(r.oid(pg_extension::OID));
            continue;
        }
        if !cascade {
            return Err(err!(UNDEFINED_OBJECT, "required extension \"{name}\" is not installed")
                .hint("Use CREATE EXTENSION ... CASCADE to install required extensions too."));
        }
        if parents.iter().any(|p| p == name) {
            bail!(
                INVALID_RECURSION,
                "cyclic dependency detected between extensions \"{}\" and \"{name}\"",
                x.name
            );
        }
        notice(ctx, format!("installing required extension \"{name}\""));
        parents.push(x.name.to_string());
        out.push(install(ctx, name, None, schema, cascade, parents)?);
        parents.pop();
    }
    Ok(out)
}

fn check_allowed(ctx: &CommandCtx<'_>, x: &Extension) -> Result<()> {
    if !x.superuser || ctx.host.is_superuser() {
        return Ok(());
    }
    let hint = if x.trusted {
        if aclcheck::check_database(ctx, acl::CREATE).is_ok() {
            return Ok(());
        }
        "Must have CREATE privilege on current database to create this extension."
    } else {
        "Must be superuser to create this extension."
    };
    Err(err!(INSUFFICIENT_PRIVILEGE, "permission denied to create extension \"{}\"", x.name).hint(hint))
}

fn insert_row(ctx: &CommandCtx<'_>, x: &Extension, ns: Oid, required: &[Oid]) -> Result<Oid> {
    use pg_extension::*;
    let oid = ctx.catalog.new_oid(TABLE, OID_INDEX)?;
    let owner = ctx.host.role();
    let mut r = ctx.catalog.blank_row(TABLE);
    r[OID] = Datum::oid(oid);
    r[EXTNAME] = Datum::text(x.name);
    r[EXTOWNER] = Datum::oid(owner);
    r[EXTNAMESPACE] = Datum::oid(ns);
    r[EXTRELOCATABLE] = Datum::Bool(x.relocatable);
    r[EXTVERSION] = Datum::text(x.version);
    r[EXTCONFIG] = Datum::Null;
    r[EXTCONDITION] = Datum::Null;
    ctx.catalog.insert_row(TABLE, &r)?;
    let me = ObjectAddress::new(TABLE, oid);
    ctx.catalog.record_role_dependency(me, owner, b'o')?;
    let schema = ObjectAddress::new(pg_namespace::TABLE, ns);
    ctx.catalog.record_dependency(me, schema, DependencyKind::Normal)?;
    for r in required {
        ctx.catalog.record_dependency(me, ObjectAddress::new(TABLE, *r), DependencyKind::Normal)?;
    }
    ctx.engine.command_counter_increment()?;
    Ok(oid)
}

fn make_function(
    ctx: &CommandCtx<'_>,
    x: &Extension,
    f: &Function,
    ns: Oid,
    extension: ObjectAddress,
) -> Result<()> {
    use pg_proc::*;
    let owner = ctx.host.role();
    let inputs: Vec<Oid> = f.args.iter().filter(|a| a.0 != b'o').map(|a| Oid(a.2)).collect();
    let mut r = ctx.catalog.blank_row(TABLE);
    r[OID] = Datum::oid(Oid(f.oid));
    r[PRONAME] = Datum::text(f.name);
    r[PRONAMESPACE] = Datum::oid(ns);
    r[PROOWNER] = Datum::oid(owner);
    r[PROLANG] = Datum::oid(LANGUAGE_C);
    r[PROCOST] = Datum::F32(1.0);
    r[PROROWS] = Datum::F32(f.rows);
    r[PROVARIADIC] = Datum::oid(Oid::INVALID);
    r[PROSUPPORT] = Datum::oid(Oid::INVALID);
    r[PROKIND] = Datum::I8(b'f' as i8);
    r[PROISSTRICT] = Datum::Bool(f.strict);
    r[PRORETSET] = Datum::Bool(f.retset);
    r[PROVOLATILE] = Datum::I8(f.volatile as i8);
    r[PROPARALLEL] = Datum::I8(f.parallel as i8);
    r[PRONARGS] = Datum::I16(inputs.len() as i16);
    r[PRONARGDEFAULTS] = Datum::I16(f.defaults.len() as i16);
    r[PRORETTYPE] = Datum::oid(Oid(f.returns));
    r[PROARGTYPES] = literal::oidvector(&inputs);
    for c in [PROALLARGTYPES, PROARGMODES, PROARGNAMES, PROARGDEFAULTS, PROTRFTYPES, PROSQLBODY, PROCONFIG] {
        r[c] = Datum::Null;
    }
    if inputs.len() != f.args.len() {
        let types: Vec<Datum> = f.args.iter().map(|a| Datum::oid(Oid(a.2))).collect();
        let modes: Vec<Datum> = f.args.iter().map(|a| Datum::I8(a.0 as i8)).collect();
        r[PROALLARGTYPES] = literal::make_array(oids::OID, &types, 1);
        r[PROARGMODES] = literal::make_array(oids::CHAR, &modes, 1);
    }
    if f.args.iter().any(|a| !a.1.is_empty()) {
        let names: Vec<String> = f.args.iter().map(|a| a.1.to_string()).collect();
        r[PROARGNAMES] = literal::text_array(&names);
    }
    if !f.defaults.is_empty() {
        r[PROARGDEFAULTS] = Datum::text(&f.defaults.join(", "));
    }
    r[PROSRC] = Datum::text(f.symbol);
    r[PROBIN] = Datum::text(x.library);
    let own = [AclItem { grantee: owner, grantor: owner, privs: acl::EXECUTE, goptions: 0 }];
    r[PROACL] = if f.public { Datum::Null } else { acl::format(&own) };
    ctx.catalog.insert_row(TABLE, &r)?;
    let me = ObjectAddress::new(TABLE, Oid(f.oid));
    if !f.public {
        record_initial(ctx, me, acl::format(&own))?;
    }
    let schema = ObjectAddress::new(pg_namespace::TABLE, ns);
    ctx.catalog.record_dependency(me, schema, DependencyKind::Normal)?;
    ctx.catalog.record_role_dependency(me, owner, b'o')?;
    ctx.catalog.record_dependency(me, extension, DependencyKind::Extension)
}

fn make_view(ctx: &CommandCtx<'_>, v: &registry::View, ns: Oid, extension: ObjectAddress) -> Result<()> {
    let raw = parser::parse(v.text)?.into_iter().next().map(|r| r.stmt);
    let Some(Statement::Select(s)) = raw else {
        return Err(Error::internal("an extension's view that is not a SELECT"));
    };
    let q = with_analyze(ctx, |a| analyze::analyze_select(a, &s, &mut ParamTypes::none()))?;
    let owner = ctx.host.role();
    let oid = view::make(ctx.catalog, v.name, (ns, b'p'), owner, &q, &[])?;
    let mut items = AclKind::Table.default_list(owner);
    items.push(AclItem { grantee: Oid::INVALID, grantor: owner, privs: acl::SELECT, goptions: 0 });
    let acl = acl::format(&items);
    target::update_class(ctx.catalog, oid, &[(pg_class::RELACL, acl.clone())])?;
    let me = ObjectAddress::new(pg_class::TABLE, oid);
    record_initial(ctx, me, acl)?;
    ctx.catalog.record_dependency(me, extension, DependencyKind::Extension)?;
    ctx.engine.command_counter_increment()
}

/// Notes privileges that the extension's script would give, so that a dump leaves them out.
fn record_initial(ctx: &CommandCtx<'_>, a: ObjectAddress, acl: Datum) -> Result<()> {
    use pg_init_privs::*;
    let mut r = ctx.catalog.blank_row(TABLE);
    r[OBJOID] = Datum::oid(a.object);
    r[CLASSOID] = Datum::oid(a.class);
    r[OBJSUBID] = Datum::I32(a.sub);
    r[PRIVTYPE] = Datum::I8(b'e' as i8);
    r[INITPRIVS] = acl;
    ctx.catalog.insert_row(TABLE, &r).map(|_| ())
}

/// Runs DROP EXTENSION.
pub fn drop(ctx: &CommandCtx<'_>, s: &DropStmt) -> Result<String> {
    let mut objects = Vec::new();
    for o in &s.objects {
        let ObjectRef::Name(names) = o else { return Err(Error::internal("an extension without a name")) };
        let name = names.last().map_or("", String::as_str);
        match row(ctx, name)? {
            Some(r) => {
                check_owner(ctx, &r)?;
                objects.push(address(&r));
            }
            None if s.missing_ok => notice(ctx, format!("extension \"{name}\" does not exist, skipping")),
            None => bail!(UNDEFINED_OBJECT, "extension \"{name}\" does not exist"),
        }
    }
    crate::drop::walk::drop_objects(ctx, &objects, s.behavior, false)?;
    Ok("DROP EXTENSION".into())
}
