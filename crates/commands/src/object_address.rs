//! Objects that are not relations, by the words of a statement: which catalog a kind of object lives in, and which row a name means.
//! COMMENT ON, OWNER TO and their kin share this.

use crate::analysis::with_analyze;
use crate::ctx::CommandCtx;
use catalog::CatRow;
use catalog::columns::*;
use catalog::depend::ObjectAddress;
use common::{Error, Oid, Result, bail};
use parser::ast::{ObjectRef, ObjectType};
use types::Datum;

/// Where a kind of object keeps what.
pub struct Kind {
    pub table: Oid,
    pub oid_index: Oid,
    pub name: usize,
    pub namespace: Option<usize>,
    pub owner: Option<usize>,
    pub acl: Option<usize>,
    /// What messages call it.
    pub word: &'static str,
}

macro_rules! kinds {
    ($($m:ident $word:literal $name:ident, $ns:expr, $owner:expr, $acl:expr;)*) => {
        const KINDS: &[Kind] = &[$({
            use $m::*;
            Kind { table: TABLE, oid_index: OID_INDEX, name: $name, namespace: $ns, owner: $owner, acl: $acl, word: $word }
        }),*];
    };
}

kinds! {
    pg_type "type" TYPNAME, Some(TYPNAMESPACE), Some(TYPOWNER), Some(TYPACL);
    pg_proc "function" PRONAME, Some(PRONAMESPACE), Some(PROOWNER), Some(PROACL);
    pg_operator "operator" OPRNAME, Some(OPRNAMESPACE), Some(OPROWNER), None;
    pg_opclass "operator class" OPCNAME, Some(OPCNAMESPACE), Some(OPCOWNER), None;
    pg_opfamily "operator family" OPFNAME, Some(OPFNAMESPACE), Some(OPFOWNER), None;
    pg_collation "collation" COLLNAME, Some(COLLNAMESPACE), Some(COLLOWNER), None;
    pg_conversion "conversion" CONNAME, Some(CONNAMESPACE), Some(CONOWNER), None;
    pg_statistic_ext "statistics object" STXNAME, Some(STXNAMESPACE), Some(STXOWNER), None;
    pg_ts_config "text search configuration" CFGNAME, Some(CFGNAMESPACE), Some(CFGOWNER), None;
    pg_ts_dict "text search dictionary" DICTNAME, Some(DICTNAMESPACE), Some(DICTOWNER), None;
    pg_ts_parser "text search parser" PRSNAME, Some(PRSNAMESPACE), None, None;
    pg_ts_template "text search template" TMPLNAME, Some(TMPLNAMESPACE), None, None;
    pg_largeobject_metadata "large object" OID, None, Some(LOMOWNER), Some(LOMACL);
    pg_namespace "schema" NSPNAME, None, Some(NSPOWNER), Some(NSPACL);
    pg_language "language" LANNAME, None, Some(LANOWNER), Some(LANACL);
    pg_am "access method" AMNAME, None, None, None;
    pg_extension "extension" EXTNAME, None, Some(EXTOWNER), None;
    pg_foreign_data_wrapper "foreign-data wrapper" FDWNAME, None, Some(FDWOWNER), Some(FDWACL);
    pg_foreign_server "server" SRVNAME, None, Some(SRVOWNER), Some(SRVACL);
    pg_event_trigger "event trigger" EVTNAME, None, Some(EVTOWNER), None;
    pg_publication "publication" PUBNAME, None, Some(PUBOWNER), None;
}

/// The kind that lives in a catalog.
pub fn kind_of(table: Oid) -> Option<&'static Kind> {
    // A large object goes by the catalog of its pages and lives in that of its owner.
    let table = if table == pg_largeobject::TABLE { pg_largeobject_metadata::TABLE } else { table };
    KINDS.iter().find(|k| k.table == table)
}

fn table_of(t: ObjectType) -> Option<Oid> {
    Some(match t {
        ObjectType::Collation => pg_collation::TABLE,
        ObjectType::Conversion => pg_conversion::TABLE,
        ObjectType::Statistic => pg_statistic_ext::TABLE,
        ObjectType::TSConfiguration => pg_ts_config::TABLE,
        ObjectType::TSDictionary => pg_ts_dict::TABLE,
        ObjectType::TSParser => pg_ts_parser::TABLE,
        ObjectType::TSTemplate => pg_ts_template::TABLE,
        ObjectType::Language => pg_language::TABLE,
        ObjectType::AccessMethod => pg_am::TABLE,
        ObjectType::Extension => pg_extension::TABLE,
        ObjectType::Fdw => pg_foreign_data_wrapper::TABLE,
        ObjectType::ForeignServer => pg_foreign_server::TABLE,
        ObjectType::EventTrigger => pg_event_trigger::TABLE,
        ObjectType::Publication => pg_publication::TABLE,
        _ => return None,
    })
}

fn find(ctx: &CommandCtx<'_>, k: &Kind, names: &[String]) -> Result<Option<CatRow>> {
    let last = names.last().map_or("", String::as_str);
    let rows: Vec<CatRow> =
        ctx.catalog.scan_all(k.table)?.into_iter().filter(|r| r.str(k.name) == last).collect();
    let Some(column) = k.namespace else { return Ok(rows.into_iter().next()) };
    let schemas = match names {
        [.., schema, _] => vec![ctx.catalog.require_namespace(schema)?],
        _ => ctx.host.search_path()?.schemas.clone(),
    };
    for ns in schemas {
        if let Some(r) = rows.iter().find(|r| r.oid(column) == ns) {
            return Ok(Some(r.clone()));
        }
    }
    Ok(None)
}

/// The object a statement names, with its owner (invalid where it has none); 42704 and its kin if there is none.
pub fn resolve(ctx: &CommandCtx<'_>, t: ObjectType, o: &ObjectRef) -> Result<(ObjectAddress, Oid)> {
    let by_oid = |table: Oid, oid: Oid| -> Result<(ObjectAddress, Oid)> {
        let owner = match kind_of(table) {
            Some(Kind { owner: Some(c), oid_index, .. }) => {
                let rows = ctx.catalog.scan(table, *oid_index, &[Datum::oid(oid)])?;
                rows.first().map_or(Oid::INVALID, |r| r.oid(*c))
            }
            _ => Oid::INVALID,
        };
        Ok((ObjectAddress::new(table, oid), owner))
    };
    match (t, o) {
        (ObjectType::Type | ObjectType::Domain, ObjectRef::Type(tn)) => {
            let oid = with_analyze(ctx, |a| analyze::resolve_type_name(a, tn))?.0;
            if t == ObjectType::Domain && ctx.catalog.type_desc(oid)?.typtype != b'd' {
                let shown = with_analyze(ctx, |a| Ok(analyze::format_type_short(a, oid)))?;
                bail!(WRONG_OBJECT_TYPE, "\"{shown}\" is not a domain");
            }
            by_oid(pg_type::TABLE, oid)
        }
        (
            ObjectType::Function | ObjectType::Procedure | ObjectType::Routine | ObjectType::Aggregate,
            ObjectRef::WithArgs(f),
        ) => by_oid(pg_proc::TABLE, crate::routine::require(ctx, t, f)?.oid),
        (ObjectType::Operator, ObjectRef::WithArgs(f)) => match crate::operator::find(ctx, f)? {
            (Some(oid), _) => by_oid(pg_operator::TABLE, oid),
            (None, shown) => bail!(UNDEFINED_FUNCTION, "operator does not exist: {shown}"),
        },
        (ObjectType::OpClass | ObjectType::OpFamily, o) => crate::opclass::resolve(ctx, t, o),
        (ObjectType::Cast, ObjectRef::Cast(pair)) => {
            let (from, _) = with_analyze(ctx, |a| analyze::resolve_type_name(a, &pair.0))?;
            let (to, _) = with_analyze(ctx, |a| analyze::resolve_type_name(a, &pair.1))?;
            use pg_cast::*;
            let keys = [Datum::oid(from), Datum::oid(to)];
            match ctx.catalog.scan(TABLE, SOURCE_TARGET_INDEX, &keys)?.first() {
                Some(r) => Ok((ObjectAddress::new(TABLE, r.oid(OID)), Oid::INVALID)),
                None => {
                    let shown = |t| with_analyze(ctx, |a| Ok(analyze::format_type_short(a, t)));
                    bail!(
                        UNDEFINED_OBJECT,
                        "cast from type {} to type {} does not exist",
                        shown(from)?,
                        shown(to)?
                    )
                }
            }
        }
        (t, ObjectRef::Name(names)) if table_of(t).is_some() => {
            let table = table_of(t).unwrap_or_default();
            let k = kind_of(table).ok_or_else(|| Error::internal("object kind without a catalog"))?;
            match find(ctx, k, names)? {
                Some(r) => {
                    let owner = k.owner.map_or(Oid::INVALID, |c| r.oid(c));
                    Ok((ObjectAddress::new(table, r.oid(0)), owner))
                }
                None if t == ObjectType::Collation => bail!(
                    UNDEFINED_OBJECT,
                    "collation \"{}\" for encoding \"UTF8\" does not exist",
                    names.join(".")
                ),
                None => bail!(UNDEFINED_OBJECT, "{} \"{}\" does not exist", k.word, names.join(".")),
            }
        }
        (ObjectType::DomConstraint, ObjectRef::DomainConstraint(tn, name)) => {
            use pg_constraint::*;
            let oid = with_analyze(ctx, |a| analyze::resolve_type_name(a, tn))?.0;
            let t = ctx.catalog.type_desc(oid)?;
            if t.typtype != b'd' {
                let shown = analyze::typename::type_name_to_string(tn);
                bail!(WRONG_OBJECT_TYPE, "\"{shown}\" is not a domain");
            }
            let shown = crate::user_type::shown(ctx, oid)?;
            let rows = ctx.catalog.scan(TABLE, CONTYPID_INDEX, &[Datum::oid(oid)])?;
            match rows.iter().find(|r| r.str(CONNAME) == name) {
                Some(r) => Ok((ObjectAddress::new(TABLE, r.oid(OID)), t.owner)),
                None => {
                    bail!(UNDEFINED_OBJECT, "constraint \"{name}\" for domain {shown} does not exist")
                }
            }
        }
        (ObjectType::LargeObject, ObjectRef::LargeObject(text)) => {
            let oid = crate::large_object::parse_oid(text)?;
            let row = crate::large_object::require(ctx.catalog, oid)?;
            Ok((crate::large_object::address(oid), row.oid(pg_largeobject_metadata::LOMOWNER)))
        }
        (other, _) => Err(Error::unsupported(format_args!("this statement on {other:?}"))),
    }
}
