//! What messages call an object: `table t`, `column a of table t`, `constraint c on table t`, `rule _RETURN on view v` …

use crate::ctx::CommandCtx;
use crate::target::kind_word;
use analyze::names::quote_qualified;
use catalog::CatRow;
use catalog::columns::*;
use catalog::depend::ObjectAddress;
use common::{Oid, Result};
use types::Datum;

/// A name, with its schema if it cannot be found without.
pub fn relation_name(ctx: &CommandCtx<'_>, oid: Oid) -> Result<String> {
    let r = ctx.catalog.relation(oid)?;
    let visible = ctx.catalog.relation_is_visible(&*ctx.host.search_path()?, oid)?;
    let schema = ctx.catalog.namespace_name(r.namespace)?;
    Ok(quote_qualified(if visible { None } else { schema.as_deref() }, &r.name))
}

pub(super) fn relation(ctx: &CommandCtx<'_>, oid: Oid) -> Result<String> {
    let r = ctx.catalog.relation(oid)?;
    Ok(format!("{} {}", kind_word(r.kind), relation_name(ctx, oid)?))
}

pub(super) fn row(ctx: &CommandCtx<'_>, table: Oid, index: Oid, oid: Oid) -> Result<Option<CatRow>> {
    Ok(ctx.catalog.scan(table, index, &[Datum::oid(oid)])?.into_iter().next())
}

/// The description.
pub fn describe(ctx: &CommandCtx<'_>, a: ObjectAddress) -> Result<String> {
    let missing = || format!("object {} of catalog {}", a.object, a.class);
    Ok(match a.class {
        pg_class::TABLE if a.sub != 0 => {
            let r = ctx.catalog.relation(a.object)?;
            let system = catalog::bootstrap::SYSTEM_COLUMNS.iter().find(|c| i32::from(c.1) == a.sub);
            let name = match r.desc.attrs.get((a.sub as usize).wrapping_sub(1)) {
                Some(c) => c.name.to_string(),
                None => system.map_or(String::new(), |c| c.0.to_string()),
            };
            format!("column {name} of {}", relation(ctx, a.object)?)
        }
        pg_class::TABLE => relation(ctx, a.object)?,
        pg_constraint::TABLE => {
            use pg_constraint::*;
            match row(ctx, TABLE, OID_INDEX, a.object)? {
                Some(r) if r.oid(CONRELID).is_valid() => {
                    let on = relation(ctx, r.oid(CONRELID))?;
                    format!("constraint {} on {on}", r.str(CONNAME))
                }
                Some(r) => format!("constraint {}", r.str(CONNAME)),
                None => missing(),
            }
        }
        pg_attrdef::TABLE => {
            use pg_attrdef::*;
            match row(ctx, TABLE, OID_INDEX, a.object)? {
                Some(r) => {
                    let c = ObjectAddress::column(r.oid(ADRELID), r.i16(ADNUM));
                    format!("default value for {}", describe(ctx, c)?)
                }
                None => missing(),
            }
        }
        pg_type::TABLE => {
            let shown = crate::analysis::with_analyze(ctx, |x| Ok(analyze::format_type_short(x, a.object)))?;
            format!("type {shown}")
        }
        pg_default_acl::TABLE => {
            use pg_default_acl::*;
            match row(ctx, TABLE, OID_INDEX, a.object)? {
                Some(r) => {
                    let what = match r.char(DEFACLOBJTYPE) {
                        b'r' => "relations",
                        b'S' => "sequences",
                        b'f' => "functions",
                        b'T' => "types",
                        _ => "schemas",
                    };
                    let role = ctx.catalog.role_name(r.oid(DEFACLROLE))?.unwrap_or_default();
                    let place = match ctx.catalog.namespace_name(r.oid(DEFACLNAMESPACE))? {
                        Some(n) => format!(" in schema {n}"),
                        None => String::new(),
                    };
                    format!("default privileges on new {what} belonging to role {role}{place}")
                }
                None => missing(),
            }
        }
        pg_trigger::TABLE => {
            use pg_trigger::*;
            match row(ctx, TABLE, OID_INDEX, a.object)? {
                Some(r) => format!("trigger {} on {}", r.str(TGNAME), relation(ctx, r.oid(TGRELID))?),
                None => missing(),
            }
        }
        pg_rewrite::TABLE => {
            use pg_rewrite::*;
            match row(ctx, TABLE, OID_INDEX, a.object)? {
                Some(r) => format!("rule {} on {}", r.str(RULENAME), relation(ctx, r.oid(EV_CLASS))?),
                None => missing(),
            }
        }
        pg_namespace::TABLE => match ctx.catalog.namespace_name(a.object)? {
            Some(n) => format!("schema {n}"),
            None => missing(),
        },
        pg_collation::TABLE => match ctx.catalog.collation_name(a.object)? {
            Some((ns, name)) => {
                let found = ctx.catalog.find_collation(&*ctx.host.search_path()?, &name)? == Some(a.object);
                let schema = if found { None } else { ctx.catalog.namespace_name(ns)? };
                format!("collation {}", quote_qualified(schema.as_deref(), &name))
            }
            None => missing(),
        },
        pg_largeobject::TABLE => format!("large object {}", a.object),
        pg_authid::TABLE => match ctx.catalog.role_name(a.object)? {
            Some(n) => format!("role {n}"),
            None => missing(),
        },
        pg_database::TABLE => {
            use pg_database::*;
            match row(ctx, TABLE, OID_INDEX, a.object)? {
                Some(r) => format!("database {}", r.str(DATNAME)),
                None => missing(),
            }
        }
        pg_operator::TABLE => format!("operator {}", crate::operator::describe(ctx, a.object)?),
        pg_opclass::TABLE | pg_opfamily::TABLE | pg_amop::TABLE | pg_amproc::TABLE => {
            crate::opclass::describe(ctx, a)?.unwrap_or_else(missing)
        }
        pg_cast::TABLE => {
            use pg_cast::*;
            match row(ctx, TABLE, OID_INDEX, a.object)? {
                Some(r) => format!(
                    "cast from {} to {}",
                    crate::user_type::shown(ctx, r.oid(CASTSOURCE))?,
                    crate::user_type::shown(ctx, r.oid(CASTTARGET))?
                ),
                None => missing(),
            }
        }
        pg_proc::TABLE => match ctx.catalog.proc_if_any(a.object)? {
            Some(p) => format!("function {}", crate::routine::name::signature(ctx, &p)?),
            None => missing(),
        },
        pg_statistic_ext::TABLE => {
            use pg_statistic_ext::*;
            match row(ctx, TABLE, OID_INDEX, a.object)? {
                Some(r) => format!("statistics object {}", statistics_name(ctx, &r)?),
                None => missing(),
            }
        }
        pg_extension::TABLE => {
            use pg_extension::*;
            match row(ctx, TABLE, OID_INDEX, a.object)? {
                Some(r) => format!("extension {}", r.str(EXTNAME)),
                None => missing(),
            }
        }
        _ => match super::describe_more::describe_rest(ctx, a)? {
            Some(text) => text,
            None => missing(),
        },
    })
}

/// A statistics object's name, with its schema if it cannot be found without.
fn statistics_name(ctx: &CommandCtx<'_>, r: &CatRow) -> Result<String> {
    use pg_statistic_ext::*;
    let (ns, name) = (r.oid(STXNAMESPACE), r.str(STXNAME));
    let mut first = None;
    for s in &ctx.host.search_path()?.schemas {
        if crate::statistics::named(ctx, *s, name)?.is_some() {
            first = Some(*s);
            break;
        }
    }
    let schema = if first == Some(ns) { None } else { ctx.catalog.namespace_name(ns)? };
    Ok(quote_qualified(schema.as_deref(), name))
}
