//! Type names: from their raw form to (OID, typmod) and back to text (`format_type`).

use crate::ctx::AnalyzeCtx;
use crate::names::{name_list_to_string, quote_qualified};
use catalog::desc::TypeDesc;
use common::{Oid, Result, bail, err};
use parser::{Expr as RawExpr, TypeName, Value};
use types::oids;

/// `pg_catalog`'s OID.
pub const PG_CATALOG: Oid = Oid(11);
const ARRAY_SUBSCRIPT_HANDLER: Oid = Oid(6179);

/// Finds a type; 42704 if it does not exist, 42601 for a modifier it cannot have.
pub fn resolve_type_name(ctx: &AnalyzeCtx<'_>, tn: &TypeName) -> Result<(Oid, i32)> {
    match lookup_type_name(ctx, tn)? {
        Some(t) => Ok(t),
        None => {
            Err(err!(UNDEFINED_OBJECT, "type \"{}\" does not exist", type_name_to_string(tn)).at(tn.location))
        }
    }
}

/// As [`resolve_type_name`], `None` if there is no such type.
pub fn lookup_type_name(ctx: &AnalyzeCtx<'_>, tn: &TypeName) -> Result<Option<(Oid, i32)>> {
    if tn.pct_type {
        return pct_type(ctx, tn).map(Some);
    }
    let Some(oid) = lookup_base(ctx, tn)? else { return Ok(None) };
    let t = ctx.catalog.type_desc(oid)?;
    if !t.is_defined {
        bail_at(err!(UNDEFINED_OBJECT, "type \"{}\" is only a shell", type_name_to_string(tn)), tn)?;
    }
    let typmod = if tn.typmods.is_empty() {
        -1
    } else {
        typmod_in(ctx, tn, &t).map_err(|e| e.at_if_none(Some(tn.location)))?
    };
    if tn.array_bounds.is_empty() {
        return Ok(Some((oid, typmod)));
    }
    if !t.array.is_valid() {
        return Ok(None);
    }
    Ok(Some((t.array, typmod)))
}

fn bail_at(e: common::Error, tn: &TypeName) -> Result<()> {
    Err(e.at(tn.location))
}

fn lookup_base(ctx: &AnalyzeCtx<'_>, tn: &TypeName) -> Result<Option<Oid>> {
    match tn.names.as_slice() {
        [name] => ctx.catalog.find_type(ctx.path, name),
        [schema, name] => schema_type(ctx, schema, name, tn),
        [db, schema, name] => {
            if db != ctx.database {
                return Err(err!(
                    FEATURE_NOT_SUPPORTED,
                    "cross-database references are not implemented: {}",
                    name_list_to_string(&tn.names)
                )
                .at(tn.location));
            }
            schema_type(ctx, schema, name, tn)
        }
        _ => Err(err!(
            SYNTAX_ERROR,
            "improper qualified name (too many dotted names): {}",
            name_list_to_string(&tn.names)
        )
        .at(tn.location)),
    }
}

fn schema_type(ctx: &AnalyzeCtx<'_>, schema: &str, name: &str, tn: &TypeName) -> Result<Option<Oid>> {
    match ctx.catalog.named_schema(schema).map_err(|e| e.at(tn.location))? {
        Some(ns) => ctx.catalog.type_oid(ns, name),
        None => Err(err!(UNDEFINED_SCHEMA, "schema \"{schema}\" does not exist").at(tn.location)),
    }
}

fn pct_type(ctx: &AnalyzeCtx<'_>, tn: &TypeName) -> Result<(Oid, i32)> {
    let (col, rel) = match tn.names.split_last() {
        Some((c, r)) if !r.is_empty() => (c, r),
        _ => {
            return Err(err!(
                SYNTAX_ERROR,
                "improper %TYPE reference (too few dotted names): {}",
                name_list_to_string(&tn.names)
            )
            .at(tn.location));
        }
    };
    let oid = match rel {
        [name] => ctx.catalog.find_relation(ctx.path, name)?,
        [.., schema, name] => match ctx.catalog.named_schema(schema)? {
            Some(ns) => ctx.catalog.relation_oid(ns, name)?,
            None => None,
        },
        [] => None,
    };
    let Some(oid) = oid else {
        return Err(err!(UNDEFINED_TABLE, "relation \"{}\" does not exist", rel.join(".")).at(tn.location));
    };
    let r = ctx.catalog.relation(oid)?;
    match r.desc.attrs.iter().find(|a| !a.dropped && a.name == *col) {
        Some(a) => Ok((a.type_oid, a.typmod)),
        None => Err(err!(UNDEFINED_COLUMN, "column \"{col}\" of relation \"{}\" does not exist", r.name)
            .at(tn.location)),
    }
}

/// A type name as errors print it.
pub fn type_name_to_string(tn: &TypeName) -> String {
    let mut s = match tn.names.as_slice() {
        // The grammar's own spellings do not show their schema.
        [pg, name] if pg == "pg_catalog" => name.clone(),
        names => name_list_to_string(names),
    };
    if tn.pct_type {
        s.push_str("%TYPE");
    }
    if !tn.array_bounds.is_empty() {
        s.push_str("[]");
    }
    s
}

fn typmod_values(tn: &TypeName) -> Result<Vec<i32>> {
    let simple = |e: &RawExpr| match e {
        RawExpr::AConst(c) => matches!(c.val, Value::Integer(_) | Value::Float(_) | Value::String(_)),
        RawExpr::ColumnRef(c) => matches!(c.fields.as_slice(), [parser::Field::Name(_)]),
        _ => false,
    };
    if !tn.typmods.iter().all(simple) {
        return Err(bad_modifier(tn));
    }
    tn.typmods
        .iter()
        .map(|e| match e {
            RawExpr::AConst(c) => match &c.val {
                Value::Integer(i) => Ok(*i),
                Value::Float(s) | Value::String(s) => s.parse::<i32>().map_err(|_| {
                    err!(INVALID_TEXT_REPRESENTATION, "invalid input syntax for type integer: \"{s}\"")
                }),
                _ => Err(bad_modifier(tn)),
            },
            RawExpr::ColumnRef(c) if c.fields.len() == 1 => match &c.fields[0] {
                parser::Field::Name(s) => {
                    Err(err!(INVALID_TEXT_REPRESENTATION, "invalid input syntax for type integer: \"{s}\""))
                }
                parser::Field::Star => Err(bad_modifier(tn)),
            },
            _ => Err(bad_modifier(tn)),
        })
        .collect()
}

fn bad_modifier(tn: &TypeName) -> common::Error {
    err!(SYNTAX_ERROR, "type modifiers must be simple constants or identifiers").at(tn.location)
}

fn typmod_in(_ctx: &AnalyzeCtx<'_>, tn: &TypeName, t: &TypeDesc) -> Result<i32> {
    if !t.modin.is_valid() {
        return Err(err!(
            SYNTAX_ERROR,
            "type modifier is not allowed for type \"{}\"",
            type_name_to_string(tn)
        )
        .at(tn.location));
    }
    let v = typmod_values(tn)?;
    builtin_typmod_in(t.oid, &v)
}

fn one(v: &[i32]) -> Result<i32> {
    match v {
        [n] => Ok(*n),
        _ => Err(err!(INVALID_PARAMETER_VALUE, "invalid type modifier")),
    }
}

fn length_in(v: &[i32], name: &str, max: i32) -> Result<i32> {
    let n = one(v)?;
    if n < 1 {
        bail!(INVALID_PARAMETER_VALUE, "length for type {name} must be at least 1");
    }
    if n > max {
        bail!(INVALID_PARAMETER_VALUE, "length for type {name} cannot exceed {max}");
    }
    Ok(n)
}

fn precision_in(v: &[i32], what: &str) -> Result<i32> {
    let n = one(v)?;
    if n < 0 {
        bail!(INVALID_PARAMETER_VALUE, "{what} precision must not be negative");
    }
    Ok(n.min(6))
}

/// The typmod of a built-in type from its modifiers.
pub fn builtin_typmod_in(type_oid: Oid, v: &[i32]) -> Result<i32> {
    const CHAR_MAX: i32 = 10_485_760;
    match type_oid {
        oids::VARCHAR => Ok(length_in(v, "varchar", CHAR_MAX)? + 4),
        oids::BPCHAR => Ok(length_in(v, "char", CHAR_MAX)? + 4),
        oids::BIT => length_in(v, "bit", CHAR_MAX * 8),
        oids::VARBIT => length_in(v, "varbit", CHAR_MAX * 8),
        oids::NUMERIC => {
            let (p, s) = match v {
                [p] => (*p, 0),
                [p, s] => (*p, *s),
                _ => bail!(INVALID_PARAMETER_VALUE, "invalid NUMERIC type modifier"),
            };
            if !(1..=1000).contains(&p) {
                bail!(INVALID_PARAMETER_VALUE, "NUMERIC precision {p} must be between 1 and 1000");
            }
            if !(-1000..=1000).contains(&s) {
                bail!(INVALID_PARAMETER_VALUE, "NUMERIC scale {s} must be between -1000 and 1000");
            }
            Ok(((p << 16) | (s & 0x7ff)) + 4)
        }
        oids::TIME => precision_in(v, &format!("TIME({})", v.first().unwrap_or(&0))),
        oids::TIMETZ => precision_in(v, &format!("TIME({}) WITH TIME ZONE", v.first().unwrap_or(&0))),
        oids::TIMESTAMP => precision_in(v, &format!("TIMESTAMP({})", v.first().unwrap_or(&0))),
        oids::TIMESTAMPTZ => {
            precision_in(v, &format!("TIMESTAMP({}) WITH TIME ZONE", v.first().unwrap_or(&0)))
        }
        oids::INTERVAL => match v {
            [range] if *range == 0x7fff => Ok(-1),
            [range] => Ok(0xffff | ((range & 0x7fff) << 16)),
            [_, p] if *p < 0 => {
                bail!(INVALID_PARAMETER_VALUE, "INTERVAL({p}) precision must not be negative")
            }
            [range, p] => Ok((p.min(&6) & 0xffff) | ((range & 0x7fff) << 16)),
            _ => bail!(INVALID_PARAMETER_VALUE, "invalid INTERVAL type modifier"),
        },
        _ => bail!(FEATURE_NOT_SUPPORTED, "type modifiers of this type are not supported yet"),
    }
}

/// Is it an array type proper (not a vector type or a subscriptable base type)?
pub fn is_true_array(t: &TypeDesc) -> bool {
    t.elem.is_valid() && t.subscript_proc == ARRAY_SUBSCRIPT_HANDLER
}

/// `format_type(oid, NULL)`, the name errors use.
pub fn format_type_short(ctx: &AnalyzeCtx<'_>, oid: Oid) -> String {
    format_with(ctx, oid, None, false).unwrap_or_else(|_| "???".into())
}

/// `format_type(oid, typmod)`.
pub fn format_type(ctx: &AnalyzeCtx<'_>, oid: Oid, typmod: i32) -> String {
    format_with(ctx, oid, Some(typmod), false).unwrap_or_else(|_| "???".into())
}

/// The same, with the schema even where the name alone would find it.
pub fn format_type_qualified(ctx: &AnalyzeCtx<'_>, oid: Oid) -> String {
    format_with(ctx, oid, None, true).unwrap_or_else(|_| "???".into())
}

fn format_with(ctx: &AnalyzeCtx<'_>, oid: Oid, typmod: Option<i32>, force: bool) -> Result<String> {
    if !oid.is_valid() {
        return Ok("-".into());
    }
    let mut t = ctx.catalog.type_desc(oid)?;
    let is_array = is_true_array(&t) && t.storage != b'p';
    if is_array {
        t = ctx.catalog.type_desc(t.elem)?;
    }
    let mut name = base_name(ctx, &t, typmod, force)?;
    if is_array {
        name.push_str("[]");
    }
    Ok(name)
}

fn base_name(ctx: &AnalyzeCtx<'_>, t: &TypeDesc, typmod: Option<i32>, force: bool) -> Result<String> {
    let given = typmod.filter(|t| *t >= 0);
    let m = given.map_or(String::new(), |m| typmod_out(t.oid, m));
    let fixed = match t.oid {
        oids::BOOL => "boolean".into(),
        oids::BPCHAR if given.is_some() => format!("character{m}"),
        oids::BPCHAR if typmod.is_none() => "character".into(),
        oids::BPCHAR => "bpchar".into(),
        oids::BIT if given.is_some() => format!("bit{m}"),
        oids::BIT if typmod.is_none() => "bit".into(),
        oids::BIT => "\"bit\"".into(),
        oids::CHAR if !force => "\"char\"".into(),
        oids::VARBIT => format!("bit varying{m}"),
        oids::FLOAT4 => "real".into(),
        oids::FLOAT8 => "double precision".into(),
        oids::INT2 => "smallint".into(),
        oids::INT4 => "integer".into(),
        oids::INT8 => "bigint".into(),
        oids::NUMERIC => format!("numeric{m}"),
        oids::INTERVAL => format!("interval{m}"),
        oids::TIME => format!("time{m} without time zone"),
        oids::TIMETZ => format!("time{m} with time zone"),
        oids::TIMESTAMP => format!("timestamp{m} without time zone"),
        oids::TIMESTAMPTZ => format!("timestamp{m} with time zone"),
        oids::VARCHAR => format!("character varying{m}"),
        _ => {
            let visible = !force && ctx.catalog.find_type(ctx.path, &t.name)? == Some(t.oid);
            let schema = if visible { None } else { ctx.catalog.namespace_name(t.namespace)? };
            format!("{}{m}", quote_qualified(schema.as_deref(), &t.name))
        }
    };
    Ok(fixed)
}

/// The modifier of a built-in type in parentheses, as its `typmodout` writes it.
pub fn typmod_out(type_oid: Oid, m: i32) -> String {
    match type_oid {
        oids::VARCHAR | oids::BPCHAR if m > 4 => format!("({})", m - 4),
        oids::NUMERIC if m >= 4 => {
            let x = m - 4;
            let scale = ((x & 0x7ff) ^ 1024) - 1024;
            format!("({},{})", (x >> 16) & 0xffff, scale)
        }
        oids::BIT | oids::VARBIT | oids::TIME | oids::TIMETZ | oids::TIMESTAMP | oids::TIMESTAMPTZ => {
            format!("({m})")
        }
        oids::INTERVAL => interval_typmod_out(m),
        _ => String::new(),
    }
}

fn interval_typmod_out(m: i32) -> String {
    let (fields, precision) = ((m >> 16) & 0x7fff, m & 0xffff);
    let (year, month, day, hour, minute, second) = (1 << 2, 1 << 1, 1 << 3, 1 << 10, 1 << 11, 1 << 12);
    let name = match fields {
        f if f == year => " year",
        f if f == month => " month",
        f if f == day => " day",
        f if f == hour => " hour",
        f if f == minute => " minute",
        f if f == second => " second",
        f if f == year | month => " year to month",
        f if f == day | hour => " day to hour",
        f if f == day | hour | minute => " day to minute",
        f if f == day | hour | minute | second => " day to second",
        f if f == hour | minute => " hour to minute",
        f if f == hour | minute | second => " hour to second",
        f if f == minute | second => " minute to second",
        _ => "",
    };
    if precision == 0xffff { name.to_string() } else { format!("{name}({precision})") }
}
