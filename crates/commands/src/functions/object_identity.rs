//! `pg_identify_object`, `pg_identify_object_as_address`: what an object is called whatever the search path, as one text
//! and in the parts that [`super::object_lookup`] takes.

use super::rows::{made, opt_text};
use super::with_command;
use crate::ctx::CommandCtx;
use crate::object_address::kind_of;
use crate::target::kind_word;
use analyze::names::{quote_ident, quote_qualified};
use catalog::CatRow;
use catalog::columns::*;
use catalog::depend::ObjectAddress;
use catalog::literal::text_array;
use common::{Error, Oid, Result};
use types::registry::RowSource;
use types::{CallCtx, Datum, FnImpl};

pub static TABLE: &[(u32, FnImpl)] =
    &[(3382, FnImpl::Srf(identify_as_address)), (3839, FnImpl::Srf(identify))];

/// An object by its full name.
#[derive(Default)]
struct Identity {
    text: String,
    names: Vec<String>,
    args: Vec<String>,
}

impl Identity {
    fn plain(name: &str) -> Identity {
        Identity { text: quote_ident(name), names: vec![name.into()], args: Vec::new() }
    }
    fn qualified(schema: &str, name: &str) -> Identity {
        let text = quote_qualified(Some(schema), name);
        Identity { text, names: vec![schema.into(), name.into()], args: Vec::new() }
    }
    /// `name on object`.
    fn on(name: &str, mut of: Identity) -> Identity {
        of.text = format!("{} on {}", quote_ident(name), of.text);
        of.names.push(name.into());
        of
    }
}

fn address(args: &[Datum]) -> Option<ObjectAddress> {
    match args {
        [Datum::U32(class), Datum::U32(object), Datum::I32(sub)] => {
            Some(ObjectAddress { class: Oid(*class), object: Oid(*object), sub: *sub })
        }
        _ => None,
    }
}

fn identify(c: &CallCtx<'_>, args: &[Datum]) -> Result<Box<dyn RowSource>> {
    let Some(a) = address(args) else { return made(Vec::new()) };
    with_command(c, |ctx| {
        check_sub(a)?;
        let kind = kind_name(ctx, a)?;
        let identity = of(ctx, a)?.map(|i| i.text);
        let (schema, name) = match identity {
            Some(_) => schema_and_name(ctx, a)?,
            None => (None, None),
        };
        made(vec![vec![Datum::text(&kind), opt_text(schema), opt_text(name), opt_text(identity)]])
    })
}

fn identify_as_address(c: &CallCtx<'_>, args: &[Datum]) -> Result<Box<dyn RowSource>> {
    let Some(a) = address(args) else { return made(Vec::new()) };
    with_command(c, |ctx| {
        check_sub(a)?;
        let kind = Datum::text(&kind_name(ctx, a)?);
        made(vec![match of(ctx, a)? {
            Some(i) => vec![kind, text_array(&i.names), text_array(&i.args)],
            None => vec![kind, Datum::Null, Datum::Null],
        }])
    })
}

/// Only relations have parts.
pub fn check_sub(a: ObjectAddress) -> Result<()> {
    if a.sub != 0 && a.class != pg_class::TABLE {
        return Err(Error::internal(format!("invalid non-zero objectSubId for object class {}", a.class)));
    }
    Ok(())
}

/// The one row of a catalog with an OID.
pub fn row(ctx: &CommandCtx<'_>, table: Oid, index: Oid, oid: Oid) -> Result<Option<CatRow>> {
    Ok(ctx.catalog.scan(table, index, &[Datum::oid(oid)])?.into_iter().next())
}

/// Schema of the object, and its name where that is enough to tell it from others of its kind in the schema.
fn schema_and_name(ctx: &CommandCtx<'_>, a: ObjectAddress) -> Result<(Option<String>, Option<String>)> {
    let schema_of =
        |ns: Oid| -> Result<Option<String>> { Ok(ctx.catalog.namespace_name(ns)?.map(|n| quote_ident(&n))) };
    let own = |table: Oid, index: Oid, name: usize| -> Result<(Option<String>, Option<String>)> {
        Ok((None, row(ctx, table, index, a.object)?.map(|r| quote_ident(r.str(name)))))
    };
    match a.class {
        pg_class::TABLE => {
            let Some(r) = ctx.catalog.relation_if_any(a.object)? else { return Ok((None, None)) };
            Ok((schema_of(r.namespace)?, Some(quote_ident(&r.name))))
        }
        pg_constraint::TABLE => {
            use pg_constraint::*;
            match row(ctx, TABLE, OID_INDEX, a.object)? {
                Some(r) => Ok((schema_of(r.oid(CONNAMESPACE))?, None)),
                None => Ok((None, None)),
            }
        }
        pg_authid::TABLE => own(pg_authid::TABLE, pg_authid::OID_INDEX, pg_authid::ROLNAME),
        pg_database::TABLE => own(pg_database::TABLE, pg_database::OID_INDEX, pg_database::DATNAME),
        pg_tablespace::TABLE => own(pg_tablespace::TABLE, pg_tablespace::OID_INDEX, pg_tablespace::SPCNAME),
        pg_largeobject::TABLE | pg_largeobject_metadata::TABLE => Ok((None, None)),
        _ => {
            let Some(k) = kind_of(a.class) else { return Ok((None, None)) };
            let Some(r) = row(ctx, k.table, k.oid_index, a.object)? else { return Ok((None, None)) };
            let schema = match k.namespace {
                Some(c) => schema_of(r.oid(c))?,
                None => None,
            };
            let shared_names = [pg_proc::TABLE, pg_operator::TABLE];
            let name = (!shared_names.contains(&a.class)).then(|| quote_ident(r.str(k.name)));
            Ok((schema, name))
        }
    }
}

/// Is there such an object? XX000 for what is not a catalog of objects.
pub fn exists(ctx: &CommandCtx<'_>, a: ObjectAddress) -> Result<bool> {
    kind_name(ctx, a)?;
    if a.sub != 0 {
        return Ok(column(ctx, a.object, a.sub)?.is_some());
    }
    match kind_of(a.class) {
        Some(k) => Ok(row(ctx, k.table, k.oid_index, a.object)?.is_some()),
        None => Ok(true),
    }
}

/// What kind of object it is.
fn kind_name(ctx: &CommandCtx<'_>, a: ObjectAddress) -> Result<String> {
    Ok(match a.class {
        pg_class::TABLE => {
            let kind = match ctx.catalog.relation_if_any(a.object)?.map(|r| r.kind) {
                Some(b'p') => "table",
                Some(b'I') => "index",
                Some(k) => kind_word(k),
                None => "relation",
            };
            if a.sub == 0 { kind.into() } else { format!("{kind} column") }
        }
        pg_proc::TABLE => match ctx.catalog.proc_if_any(a.object)?.map(|p| p.kind) {
            Some(b'a') => "aggregate",
            Some(b'p') => "procedure",
            Some(_) => "function",
            None => "routine",
        }
        .into(),
        pg_constraint::TABLE => {
            use pg_constraint::*;
            match row(ctx, TABLE, OID_INDEX, a.object)? {
                Some(r) if r.oid(CONRELID).is_valid() => "table constraint",
                Some(_) => "domain constraint",
                None => "constraint",
            }
            .into()
        }
        pg_cast::TABLE => "cast".into(),
        pg_attrdef::TABLE => "default value".into(),
        pg_amop::TABLE => "operator of access method".into(),
        pg_amproc::TABLE => "function of access method".into(),
        pg_rewrite::TABLE => "rule".into(),
        pg_trigger::TABLE => "trigger".into(),
        pg_policy::TABLE => "policy".into(),
        pg_authid::TABLE => "role".into(),
        pg_database::TABLE => "database".into(),
        pg_tablespace::TABLE => "tablespace".into(),
        pg_user_mapping::TABLE => "user mapping".into(),
        pg_default_acl::TABLE => "default acl".into(),
        pg_parameter_acl::TABLE => "parameter ACL".into(),
        pg_publication_namespace::TABLE => "publication namespace".into(),
        pg_publication_rel::TABLE => "publication relation".into(),
        pg_subscription::TABLE => "subscription".into(),
        pg_transform::TABLE => "transform".into(),
        other => match kind_of(other) {
            Some(k) => k.word.into(),
            None => return Err(Error::internal(format!("unrecognized object class: {other}"))),
        },
    })
}

/// A type's name, always with its schema where it has no name of its own in the grammar.
pub fn type_name(ctx: &CommandCtx<'_>, oid: Oid) -> Result<String> {
    crate::analysis::with_analyze(ctx, |a| Ok(analyze::typename::format_type_qualified(a, oid)))
}

fn of(ctx: &CommandCtx<'_>, a: ObjectAddress) -> Result<Option<Identity>> {
    if let Some(found) = of_relation_part(ctx, a)? {
        return Ok(found);
    }
    if let Some(found) = of_nameless(ctx, a)? {
        return Ok(found);
    }
    if let Some(found) = of_access_method_part(ctx, a)? {
        return Ok(found);
    }
    let Some(k) = kind_of(a.class) else { return Ok(None) };
    let Some(r) = row(ctx, k.table, k.oid_index, a.object)? else { return Ok(None) };
    Ok(Some(match k.namespace {
        Some(c) => Identity::qualified(&schema_name(ctx, r.oid(c))?, r.str(k.name)),
        None => Identity::plain(r.str(k.name)),
    }))
}

fn schema_name(ctx: &CommandCtx<'_>, oid: Oid) -> Result<String> {
    Ok(ctx.catalog.namespace_name(oid)?.unwrap_or_default().to_string())
}

fn relation(ctx: &CommandCtx<'_>, oid: Oid) -> Result<Option<Identity>> {
    let Some(r) = ctx.catalog.relation_if_any(oid)? else { return Ok(None) };
    Ok(Some(Identity::qualified(&schema_name(ctx, r.namespace)?, &r.name)))
}

fn column(ctx: &CommandCtx<'_>, rel: Oid, attnum: i32) -> Result<Option<Identity>> {
    let (Some(mut i), Some(r)) = (relation(ctx, rel)?, ctx.catalog.relation_if_any(rel)?) else {
        return Ok(None);
    };
    let system = catalog::bootstrap::SYSTEM_COLUMNS.iter().find(|c| i32::from(c.1) == attnum).map(|c| c.0);
    let found = usize::try_from(attnum - 1).ok().and_then(|n| r.desc.attrs.get(n)).filter(|a| !a.dropped);
    let Some(name) = found.map(|a| &*a.name).or(system) else { return Ok(None) };
    i.text = format!("{}.{}", i.text, quote_ident(name));
    i.names.push(name.into());
    Ok(Some(i))
}

/// Relations, columns, and what belongs to a relation.
fn of_relation_part(ctx: &CommandCtx<'_>, a: ObjectAddress) -> Result<Option<Option<Identity>>> {
    let on = |name: &str, rel: Oid| -> Result<Option<Identity>> {
        Ok(relation(ctx, rel)?.map(|i| Identity::on(name, i)))
    };
    Ok(Some(match a.class {
        pg_class::TABLE if a.sub == 0 => relation(ctx, a.object)?,
        pg_class::TABLE => column(ctx, a.object, a.sub)?,
        pg_attrdef::TABLE => {
            use pg_attrdef::*;
            match row(ctx, TABLE, OID_INDEX, a.object)? {
                Some(r) => column(ctx, r.oid(ADRELID), i32::from(r.i16(ADNUM)))?.map(|mut i| {
                    i.text = format!("for {}", i.text);
                    i
                }),
                None => None,
            }
        }
        pg_constraint::TABLE => {
            use pg_constraint::*;
            match row(ctx, TABLE, OID_INDEX, a.object)? {
                Some(r) if r.oid(CONRELID).is_valid() => on(r.str(CONNAME), r.oid(CONRELID))?,
                Some(r) => {
                    let domain = type_name(ctx, r.oid(CONTYPID))?;
                    let text = format!("{} on {domain}", quote_ident(r.str(CONNAME)));
                    Some(Identity { text, names: vec![domain], args: vec![r.str(CONNAME).into()] })
                }
                None => None,
            }
        }
        pg_rewrite::TABLE => {
            use pg_rewrite::*;
            match row(ctx, TABLE, OID_INDEX, a.object)? {
                Some(r) => on(r.str(RULENAME), r.oid(EV_CLASS))?,
                None => None,
            }
        }
        pg_trigger::TABLE => {
            use pg_trigger::*;
            match row(ctx, TABLE, OID_INDEX, a.object)? {
                Some(r) => on(r.str(TGNAME), r.oid(TGRELID))?,
                None => None,
            }
        }
        pg_policy::TABLE => {
            use pg_policy::*;
            match row(ctx, TABLE, OID_INDEX, a.object)? {
                Some(r) => on(r.str(POLNAME), r.oid(POLRELID))?,
                None => None,
            }
        }
        _ => return Ok(None),
    }))
}

/// Functions, types and other objects that more than a name tells apart.
fn of_nameless(ctx: &CommandCtx<'_>, a: ObjectAddress) -> Result<Option<Option<Identity>>> {
    let named = |table: Oid, index: Oid, name: usize| -> Result<Option<Identity>> {
        Ok(row(ctx, table, index, a.object)?.map(|r| Identity::plain(r.str(name))))
    };
    Ok(Some(match a.class {
        pg_proc::TABLE => match ctx.catalog.proc_if_any(a.object)? {
            Some(p) => {
                let args = p.arg_types.iter().map(|t| type_name(ctx, *t)).collect::<Result<Vec<_>>>()?;
                let mut i = Identity::qualified(&schema_name(ctx, p.namespace)?, &p.name);
                i.text = format!("{}({})", i.text, args.join(","));
                i.args = args;
                Some(i)
            }
            None => None,
        },
        pg_type::TABLE => match row(ctx, pg_type::TABLE, pg_type::OID_INDEX, a.object)? {
            Some(_) => {
                let text = type_name(ctx, a.object)?;
                Some(Identity { names: vec![text.clone()], text, args: Vec::new() })
            }
            None => None,
        },
        pg_cast::TABLE => match row(ctx, pg_cast::TABLE, pg_cast::OID_INDEX, a.object)? {
            Some(r) => {
                let from = type_name(ctx, r.oid(pg_cast::CASTSOURCE))?;
                let to = type_name(ctx, r.oid(pg_cast::CASTTARGET))?;
                Some(Identity { text: format!("({from} AS {to})"), names: vec![from], args: vec![to] })
            }
            None => None,
        },
        pg_operator::TABLE => {
            use pg_operator::*;
            match row(ctx, TABLE, OID_INDEX, a.object)? {
                Some(r) => Some(operator(ctx, &r)?),
                None => None,
            }
        }
        pg_largeobject::TABLE | pg_largeobject_metadata::TABLE => {
            use pg_largeobject_metadata::*;
            row(ctx, TABLE, OID_INDEX, a.object)?.map(|_| Identity::plain_number(a.object))
        }
        pg_authid::TABLE => named(pg_authid::TABLE, pg_authid::OID_INDEX, pg_authid::ROLNAME)?,
        pg_database::TABLE => named(pg_database::TABLE, pg_database::OID_INDEX, pg_database::DATNAME)?,
        pg_tablespace::TABLE => {
            named(pg_tablespace::TABLE, pg_tablespace::OID_INDEX, pg_tablespace::SPCNAME)?
        }
        pg_parameter_acl::TABLE => {
            use pg_parameter_acl::*;
            row(ctx, TABLE, OID_INDEX, a.object)?.map(|r| {
                let name = r.text(PARNAME).unwrap_or_default();
                Identity { text: name.to_string(), names: vec![name.to_string()], args: Vec::new() }
            })
        }
        pg_default_acl::TABLE => {
            use pg_default_acl::*;
            match row(ctx, TABLE, OID_INDEX, a.object)? {
                Some(r) => Some(default_acl(ctx, &r)?),
                None => None,
            }
        }
        _ => return Ok(None),
    }))
}

impl Identity {
    fn plain_number(n: Oid) -> Identity {
        Identity { text: n.to_string(), names: vec![n.to_string()], args: Vec::new() }
    }
}

fn operator(ctx: &CommandCtx<'_>, r: &CatRow) -> Result<Identity> {
    use pg_operator::*;
    let (schema, name) = (schema_name(ctx, r.oid(OPRNAMESPACE))?, r.str(OPRNAME));
    let (mut shown, mut args) = (Vec::new(), Vec::new());
    for side in [r.oid(OPRLEFT), r.oid(OPRRIGHT)] {
        if side.is_valid() {
            args.push(type_name(ctx, side)?);
            shown.extend(args.last().cloned());
        } else {
            shown.push("NONE".into());
        }
    }
    let text = format!("{}.{name}({})", quote_ident(&schema), shown.join(","));
    Ok(Identity { text, names: vec![schema, name.into()], args })
}

fn default_acl(ctx: &CommandCtx<'_>, r: &CatRow) -> Result<Identity> {
    use pg_default_acl::*;
    let role = ctx.catalog.role_name(r.oid(DEFACLROLE))?.unwrap_or_default();
    let kind = r.char(DEFACLOBJTYPE);
    let mut i = Identity { text: format!("for role {}", quote_ident(&role)), ..Identity::default() };
    i.names.push(role.to_string());
    if r.oid(DEFACLNAMESPACE).is_valid() {
        let schema = schema_name(ctx, r.oid(DEFACLNAMESPACE))?;
        i.text = format!("{} in schema {}", i.text, quote_ident(&schema));
        i.names.push(schema);
    }
    i.text.push_str(match kind {
        b'r' => " on tables",
        b'S' => " on sequences",
        b'f' => " on functions",
        b'T' => " on types",
        _ => " on schemas",
    });
    i.args.push((kind as char).to_string());
    Ok(i)
}

/// Operator classes and families, their operators and functions.
fn of_access_method_part(ctx: &CommandCtx<'_>, a: ObjectAddress) -> Result<Option<Option<Identity>>> {
    let family = |oid: Oid| -> Result<Option<Identity>> {
        use pg_opfamily::*;
        match row(ctx, TABLE, OID_INDEX, oid)? {
            Some(r) => using(ctx, r.oid(OPFMETHOD), r.oid(OPFNAMESPACE), r.str(OPFNAME)).map(Some),
            None => Ok(None),
        }
    };
    let part = |word: &str, number: i16, of: Oid, left: Oid, right: Oid| -> Result<Option<Identity>> {
        let Some(mut i) = family(of)? else { return Ok(None) };
        i.args = vec![type_name(ctx, left)?, type_name(ctx, right)?];
        i.text = format!("{word} {number} ({}, {}) of {}", i.args[0], i.args[1], i.text);
        i.names.push(number.to_string());
        Ok(Some(i))
    };
    Ok(Some(match a.class {
        pg_opclass::TABLE => {
            use pg_opclass::*;
            match row(ctx, TABLE, OID_INDEX, a.object)? {
                Some(r) => Some(using(ctx, r.oid(OPCMETHOD), r.oid(OPCNAMESPACE), r.str(OPCNAME))?),
                None => None,
            }
        }
        pg_opfamily::TABLE => family(a.object)?,
        pg_amop::TABLE => {
            use pg_amop::*;
            match row(ctx, TABLE, OID_INDEX, a.object)? {
                Some(r) => part(
                    "operator",
                    r.i16(AMOPSTRATEGY),
                    r.oid(AMOPFAMILY),
                    r.oid(AMOPLEFTTYPE),
                    r.oid(AMOPRIGHTTYPE),
                )?,
                None => None,
            }
        }
        pg_amproc::TABLE => {
            use pg_amproc::*;
            match row(ctx, TABLE, OID_INDEX, a.object)? {
                Some(r) => part(
                    "function",
                    r.i16(AMPROCNUM),
                    r.oid(AMPROCFAMILY),
                    r.oid(AMPROCLEFTTYPE),
                    r.oid(AMPROCRIGHTTYPE),
                )?,
                None => None,
            }
        }
        _ => return Ok(None),
    }))
}

/// `schema.name USING method`.
fn using(ctx: &CommandCtx<'_>, am: Oid, ns: Oid, name: &str) -> Result<Identity> {
    let method = row(ctx, pg_am::TABLE, pg_am::OID_INDEX, am)?.map(|r| r.str(pg_am::AMNAME).to_string());
    let method = method.unwrap_or_default();
    let mut i = Identity::qualified(&schema_name(ctx, ns)?, name);
    i.text = format!("{} USING {}", i.text, quote_ident(&method));
    i.names.insert(0, method);
    Ok(i)
}
