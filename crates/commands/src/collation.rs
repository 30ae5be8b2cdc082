//! Collations of one's own: CREATE COLLATION, and the ALTER and DROP of them. libc's locales are C, POSIX and C.UTF-8; ICU
//! has all.

use crate::analysis::notice;
use crate::ctx::CommandCtx;
use crate::user_type::without_position;
use crate::{naming, target};
use catalog::CatRow;
use catalog::columns::pg_collation::*;
use catalog::columns::pg_namespace;
use catalog::depend::{DependencyKind, ObjectAddress};
use common::{Error, Oid, Report, Result, Severity, SqlState, bail, err};
use parser::ast::*;
use types::Datum;
use types::locale::{ICU_VERSION, Locale};

/// The encoding of collations that libc provides: the database's, UTF8.
const UTF8: i32 = 6;
/// That of ICU's: whatever the database has.
const ANY_ENCODING: i32 = -1;

#[derive(Default)]
struct Options<'a> {
    from: Option<&'a DefElem>,
    locale: Option<String>,
    lc_collate: Option<String>,
    lc_ctype: Option<String>,
    provider: Option<String>,
    deterministic: Option<bool>,
    version: Option<String>,
}

fn text(d: &DefElem) -> Result<String> {
    match &d.arg {
        Some(DefArg::String(s)) => Ok(s.clone()),
        Some(DefArg::TypeName(t)) => Ok(t.names.last().cloned().unwrap_or_default()),
        Some(DefArg::Boolean(b)) => Ok(b.to_string()),
        Some(DefArg::Names(n)) => Ok(n.join(".")),
        Some(DefArg::Integer(i)) => Ok(i.to_string()),
        Some(DefArg::Float(f)) => Ok(f.clone()),
        _ => bail!(SYNTAX_ERROR, "{} requires a parameter", d.defname),
    }
}

fn boolean(d: &DefElem) -> Result<bool> {
    if d.arg.is_none() {
        return Ok(true);
    }
    match text(d)?.to_ascii_lowercase().as_str() {
        "true" | "on" | "1" => Ok(true),
        "false" | "off" | "0" => Ok(false),
        _ => bail!(SYNTAX_ERROR, "{} requires a Boolean value", d.defname),
    }
}

fn options(list: &[DefElem]) -> Result<Options<'_>> {
    let mut o = Options::default();
    for d in list {
        let at = |e: Error| e.at(d.location);
        let twice = || at(err!(SYNTAX_ERROR, "conflicting or redundant options"));
        let taken = match d.defname.as_str() {
            "from" => o.from.replace(d).is_some(),
            "locale" => o.locale.replace(text(d)?).is_some(),
            "lc_collate" => o.lc_collate.replace(text(d)?).is_some(),
            "lc_ctype" => o.lc_ctype.replace(text(d)?).is_some(),
            "provider" => o.provider.replace(text(d)?).is_some(),
            "deterministic" => o.deterministic.replace(boolean(d)?).is_some(),
            "version" => o.version.replace(text(d)?).is_some(),
            other => return Err(at(err!(SYNTAX_ERROR, "collation attribute \"{other}\" not recognized"))),
        };
        if taken {
            return Err(twice());
        }
    }
    if o.locale.is_some() && (o.lc_collate.is_some() || o.lc_ctype.is_some()) {
        return Err(err!(SYNTAX_ERROR, "conflicting or redundant options")
            .detail("LOCALE cannot be specified together with LC_COLLATE or LC_CTYPE."));
    }
    if o.from.is_some() && list.len() != 1 {
        return Err(err!(SYNTAX_ERROR, "conflicting or redundant options")
            .detail("FROM cannot be specified together with any other options."));
    }
    Ok(o)
}

/// What the new row says: provider, encoding, deterministic, collate, ctype, ICU locale, version.
type Facts = (u8, i32, bool, Option<String>, Option<String>, Option<String>, Option<String>);

fn facts(ctx: &CommandCtx<'_>, o: &Options<'_>) -> Result<Facts> {
    if let Some(from) = o.from {
        let names = match &from.arg {
            Some(DefArg::Names(n)) => n.clone(),
            Some(DefArg::TypeName(t)) => t.names.clone(),
            _ => vec![text(from)?],
        };
        let r = require(ctx, &names)?;
        let get = |c: usize| r.text(c);
        if r.char(COLLPROVIDER) == b'd' {
            bail!(INVALID_OBJECT_DEFINITION, "collation \"default\" cannot be copied");
        }
        return Ok((
            r.char(COLLPROVIDER),
            r.i32(COLLENCODING),
            r.bool(COLLISDETERMINISTIC),
            get(COLLCOLLATE),
            get(COLLCTYPE),
            get(COLLICULOCALE),
            get(COLLVERSION),
        ));
    }
    let provider = o.provider.as_deref().unwrap_or("libc").to_ascii_lowercase();
    match provider.as_str() {
        "libc" => {}
        "icu" => {
            let Some(name) = &o.locale else {
                bail!(INVALID_OBJECT_DEFINITION, "parameter \"locale\" must be specified")
            };
            let deterministic = o.deterministic.unwrap_or(true);
            Locale::icu(name, deterministic)?;
            let version = o.version.clone().or_else(|| Some(ICU_VERSION.into()));
            return Ok((b'i', ANY_ENCODING, deterministic, None, None, Some(name.clone()), version));
        }
        _ => bail!(
            INVALID_OBJECT_DEFINITION,
            "unrecognized collation provider: {}",
            o.provider.as_deref().unwrap_or_default()
        ),
    }
    let part = |p: &Option<String>, name: &str| {
        p.clone()
            .or_else(|| o.locale.clone())
            .ok_or_else(|| err!(INVALID_OBJECT_DEFINITION, "parameter \"{name}\" must be specified"))
    };
    let (collate, ctype) = (part(&o.lc_collate, "lc_collate")?, part(&o.lc_ctype, "lc_ctype")?);
    if o.deterministic == Some(false) {
        bail!(FEATURE_NOT_SUPPORTED, "nondeterministic collations not supported with this provider");
    }
    Locale::libc(&collate, &ctype)?;
    Ok((b'c', UTF8, true, Some(collate), Some(ctype), None, o.version.clone()))
}

fn opt(s: Option<String>) -> Datum {
    s.map_or(Datum::Null, |s| Datum::text(&s))
}

/// The row of a name in a schema, of any encoding.
fn named(ctx: &CommandCtx<'_>, ns: Oid, name: &str) -> Result<Option<CatRow>> {
    let rows = ctx.catalog.scan(TABLE, NAME_ENC_NSP_INDEX, &[Datum::text(name)])?;
    Ok(rows.into_iter().find(|r| r.oid(COLLNAMESPACE) == ns))
}

/// The collation a name means; `None` if there is none.
fn find(ctx: &CommandCtx<'_>, names: &[String]) -> Result<Option<CatRow>> {
    let rv = target::range_var(names)?;
    let schemas = target::schemas_of(ctx, &rv)?;
    for ns in schemas {
        if let Some(r) = named(ctx, ns, &rv.relname)? {
            return Ok(Some(r));
        }
    }
    Ok(None)
}

fn require(ctx: &CommandCtx<'_>, names: &[String]) -> Result<CatRow> {
    find(ctx, names)?.ok_or_else(|| {
        err!(UNDEFINED_OBJECT, "collation \"{}\" for encoding \"UTF8\" does not exist", names.join("."))
    })
}

/// CREATE COLLATION.
pub fn create(ctx: &CommandCtx<'_>, s: &DefineStmt) -> Result<String> {
    let rv = target::range_var(&s.defnames)?;
    let (ns, _) = target::creation_target(ctx, &rv).map_err(without_position)?;
    let o = options(&s.definition)?;
    let (provider, encoding, deterministic, collate, ctype, icu, version) = facts(ctx, &o)?;
    let name = naming::clip(&rv.relname, naming::NAME_MAX).to_string();
    if named(ctx, ns, &name)?.is_some() {
        let of = if encoding == UTF8 { " for encoding \"UTF8\"" } else { "" };
        if s.if_not_exists {
            notice(ctx, format!("collation \"{name}\"{of} already exists, skipping"));
            return Ok("CREATE COLLATION".into());
        }
        bail!(DUPLICATE_OBJECT, "collation \"{name}\"{of} already exists");
    }
    // C has no locale to be opened, so nobody compares its version.
    if !matches!(collate.as_deref(), Some("C" | "POSIX")) {
        check_recorded(ctx, &rv, ns, provider, version.as_deref())?;
    }
    let oid = ctx.catalog.new_oid(TABLE, OID_INDEX)?;
    let owner = ctx.host.role();
    ctx.catalog.insert_row(
        TABLE,
        &[
            Datum::oid(oid),
            Datum::text(&name),
            Datum::oid(ns),
            Datum::oid(owner),
            Datum::I8(provider as i8),
            Datum::Bool(deterministic),
            Datum::I32(encoding),
            opt(collate),
            opt(ctype),
            opt(icu),
            opt(version),
        ],
    )?;
    let a = ObjectAddress::new(TABLE, oid);
    let schema = ObjectAddress::new(pg_namespace::TABLE, ns);
    ctx.catalog.record_dependency(a, schema, DependencyKind::Normal)?;
    ctx.catalog.record_role_dependency(a, owner, b'o')?;
    ctx.engine.command_counter_increment()?;
    Ok("CREATE COLLATION".into())
}

/// What a provider says its version is; `None` if it has none.
pub fn actual_version(provider: u8) -> Option<&'static str> {
    (provider == b'i').then_some(ICU_VERSION)
}

/// A version given by hand that is not the provider's: a warning, an error where there is none. XX000.
fn check_recorded(
    ctx: &CommandCtx<'_>,
    rv: &RangeVar,
    ns: Oid,
    provider: u8,
    version: Option<&str>,
) -> Result<()> {
    let Some(recorded) = version else { return Ok(()) };
    let Some(actual) = actual_version(provider) else {
        bail!(
            INTERNAL_ERROR,
            "collation \"{}\" has no actual version, but a version was recorded",
            rv.relname
        )
    };
    if actual == recorded {
        return Ok(());
    }
    let schema = ctx.catalog.namespace_name(ns)?.unwrap_or_default();
    let name = types::text_io::quote_qualified(&schema, &rv.relname);
    let mut w = Report::new(
        Severity::Warning,
        SqlState::WARNING,
        format!("collation \"{}\" has version mismatch", rv.relname),
    );
    w.detail = Some(format!(
        "The collation in the database was created using version {recorded}, but the operating system provides version {actual}."
    ));
    w.hint = Some(format!(
        "Rebuild all objects affected by this collation and run ALTER COLLATION {name} REFRESH VERSION, or build PostgreSQL with the right library version."
    ));
    ctx.host.notice(w);
    Ok(())
}

/// ALTER COLLATION … REFRESH VERSION.
pub fn refresh(ctx: &CommandCtx<'_>, s: &AlterCollationStmt) -> Result<String> {
    let r = require(ctx, &s.collname)?;
    check_owner(ctx, &r)?;
    let old = r.text(COLLVERSION);
    let new = actual_version(r.char(COLLPROVIDER)).map(str::to_string);
    match (&old, &new) {
        (Some(a), Some(b)) if a != b => {
            notice(ctx, format!("changing version from {a} to {b}"));
            ctx.catalog.update_columns(TABLE, &r, &[(COLLVERSION, Datum::text(b))])?;
        }
        (a, b) if a.is_none() != b.is_none() => bail!(INTERNAL_ERROR, "invalid collation version change"),
        _ => notice(ctx, "version has not changed"),
    }
    Ok("ALTER COLLATION".into())
}

fn check_owner(ctx: &CommandCtx<'_>, r: &CatRow) -> Result<()> {
    if !target::owns(ctx, r.oid(COLLOWNER))? {
        bail!(INSUFFICIENT_PRIVILEGE, "must be owner of collation {}", r.str(COLLNAME));
    }
    Ok(())
}

fn names_of(o: Option<&ObjectRef>) -> Result<&[String]> {
    match o {
        Some(ObjectRef::Name(n)) => Ok(n),
        _ => Err(Error::internal("a collation without a name")),
    }
}

fn check_free(ctx: &CommandCtx<'_>, ns: Oid, name: &str) -> Result<()> {
    if let Some(r) = named(ctx, ns, name)? {
        let schema = ctx.catalog.namespace_name(ns)?.unwrap_or_default();
        let of = if r.i32(COLLENCODING) == UTF8 { " for encoding \"UTF8\"" } else { "" };
        bail!(DUPLICATE_OBJECT, "collation \"{name}\"{of} already exists in schema \"{schema}\"");
    }
    Ok(())
}

/// ALTER COLLATION … RENAME TO.
pub fn rename(ctx: &CommandCtx<'_>, s: &RenameStmt) -> Result<String> {
    let r = require(ctx, names_of(s.object.as_ref())?)?;
    check_owner(ctx, &r)?;
    let new = naming::clip(&s.newname, naming::NAME_MAX).to_string();
    check_free(ctx, r.oid(COLLNAMESPACE), &new)?;
    target::check_creation(ctx, r.oid(COLLNAMESPACE))?;
    ctx.catalog.update_columns(TABLE, &r, &[(COLLNAME, Datum::text(&new))])?;
    Ok("ALTER COLLATION".into())
}

/// ALTER COLLATION … SET SCHEMA.
pub fn set_schema(ctx: &CommandCtx<'_>, o: Option<&ObjectRef>, schema: &str) -> Result<String> {
    let r = require(ctx, names_of(o)?)?;
    check_owner(ctx, &r)?;
    let ns = ctx.catalog.require_namespace(schema)?;
    target::check_move(ctx, r.oid(COLLNAMESPACE), ns)?;
    if ns != r.oid(COLLNAMESPACE) {
        check_free(ctx, ns, r.str(COLLNAME))?;
        target::check_creation(ctx, ns)?;
        ctx.catalog.update_columns(TABLE, &r, &[(COLLNAMESPACE, Datum::oid(ns))])?;
        let a = ObjectAddress::new(TABLE, r.oid(OID));
        ctx.catalog.delete_dependencies_of(a)?;
        let schema = ObjectAddress::new(pg_namespace::TABLE, ns);
        ctx.catalog.record_dependency(a, schema, DependencyKind::Normal)?;
    }
    Ok("ALTER COLLATION".into())
}

/// DROP COLLATION.
pub fn drop(ctx: &CommandCtx<'_>, s: &DropStmt) -> Result<String> {
    let mut objects = Vec::new();
    for o in &s.objects {
        let names = names_of(Some(o))?;
        let found = match target::range_var(names)?.schemaname {
            Some(schema) if s.missing_ok && ctx.catalog.namespace_oid(&schema)?.is_none() => {
                notice(ctx, format!("schema \"{schema}\" does not exist, skipping"));
                continue;
            }
            _ => find(ctx, names)?,
        };
        match found {
            Some(r) => {
                check_owner(ctx, &r)?;
                objects.push(ObjectAddress::new(TABLE, r.oid(OID)));
            }
            None if s.missing_ok => {
                notice(ctx, format!("collation \"{}\" does not exist, skipping", names.join(".")));
            }
            None => {
                require(ctx, names)?;
            }
        }
    }
    crate::drop::walk::drop_objects(ctx, &objects, s.behavior, false)?;
    Ok("DROP COLLATION".into())
}

/// ALTER COLLATION … OWNER TO.
pub fn owner(ctx: &CommandCtx<'_>, o: &ObjectRef, owner: Oid) -> Result<String> {
    let r = require(ctx, names_of(Some(o))?)?;
    if r.oid(COLLOWNER) != owner {
        check_owner(ctx, &r)?;
        crate::rename::check_new_owner(ctx, owner, Some(r.oid(COLLNAMESPACE)))?;
        crate::rename::change_owner(ctx, ObjectAddress::new(TABLE, r.oid(OID)), owner)?;
    }
    Ok("ALTER COLLATION".into())
}
