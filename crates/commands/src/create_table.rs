//! CREATE TABLE: columns, LIKE, constraints, sequences of serial and identity columns, the table, its TOAST table, its
//! indexes, its foreign keys; in this order, as PostgreSQL numbers them.

use crate::analysis::{notice_as, transform};
use crate::columns::{self, Default, NewColumn, TableConstraints};
use crate::constraint::{self, Check};
use crate::ctx::CommandCtx;
use crate::reloptions::{self, OptionsOf};
use crate::sequence_ddl;
use crate::{create_like, foreign_key, index, naming, relation, target, typed_table};
use analyze::expr::Expr;
use analyze::{ExprContext, ExprRel, ExprTarget};
use catalog::columns::pg_class;
use common::{Error, Oid, Result, SqlState, bail, err};
use parser::ast::*;
use types::{Attribute, TupleDesc, oids};

/// Is this the name of a system column?
pub fn is_system_column(name: &str) -> bool {
    catalog::bootstrap::SYSTEM_COLUMNS.iter().any(|(n, _, _)| *n == name)
}

fn check_supported(s: &CreateStmt) -> Result<()> {
    if s.partbound.is_some() {
        return Err(Error::unsupported("PARTITION OF"));
    }
    if s.partspec.is_some() {
        return Err(Error::unsupported("PARTITION BY"));
    }
    Ok(())
}

/// The only access method is `heap`.
pub fn check_access_method(name: Option<&str>) -> Result<()> {
    match name {
        None | Some("heap") => Ok(()),
        Some(m) => bail!(UNDEFINED_OBJECT, "access method \"{m}\" does not exist"),
    }
}

/// Everything about a table that is to be made.
pub struct TableSpec {
    pub columns: Vec<NewColumn>,
    pub constraints: TableConstraints,
    pub likes: Vec<create_like::Likeness>,
    /// CHECK constraints of the tables it inherits from.
    pub inherited_checks: Vec<Check>,
}

/// Runs CREATE TABLE.
pub fn create(ctx: &CommandCtx<'_>, s: &CreateStmt) -> Result<String> {
    let (ns, persistence) = target::creation_target(ctx, &s.relation)?;
    let name = &s.relation.relname;
    let exists = ctx.catalog.relation_oid(ns, name)?.is_some();
    if exists && s.if_not_exists {
        let message = format!("relation \"{name}\" already exists, skipping");
        notice_as(ctx, SqlState::DUPLICATE_TABLE, message);
        return Ok("CREATE TABLE".into());
    }
    check_supported(s)?;
    let of = s.of_typename.as_ref().map(|t| typed_table::type_of(ctx, t)).transpose()?;
    let mut spec = match &of {
        Some(class) => typed_table::elements(ctx, name, class, &s.table_elts)?,
        None => read_elements(ctx, name, &s.table_elts)?,
    };
    if s.oncommit != OnCommitAction::Noop && persistence != b't' {
        bail!(INVALID_TABLE_DEFINITION, "ON COMMIT can only be used on temporary tables");
    }
    let inherited = crate::inherit::create::merge(ctx, s, persistence, &mut spec)?;
    index::check_tablespace(s.tablespacename.as_deref())?;
    let options = reloptions::merge(OptionsOf::Table, &[], &s.options, false)?;
    if spec.columns.len() > 1600 {
        bail!(TOO_MANY_COLUMNS, "tables can have at most 1600 columns");
    }
    check_access_method(s.access_method.as_deref())?;
    if exists {
        bail!(DUPLICATE_TABLE, "relation \"{name}\" already exists");
    }
    check_keys(&mut spec)?;
    let copied = spec.likes.iter().flat_map(|l| l.checks()).map(|c| c.name);
    let own: Vec<String> =
        spec.constraints.checks.iter().filter_map(|c| c.conname.clone()).chain(copied).collect();
    let oid = make(ctx, name, (ns, persistence), spec, &options)?;
    inherited.store(ctx, oid, &own)?;
    if let Some(class) = &of {
        typed_table::record(ctx, oid, class.row_type)?;
    }
    crate::temp::note(ctx, oid, s.oncommit);
    Ok("CREATE TABLE".into())
}

fn read_elements(ctx: &CommandCtx<'_>, table: &str, elements: &[TableElt]) -> Result<TableSpec> {
    let mut spec = TableSpec {
        columns: Vec::new(),
        constraints: TableConstraints::default(),
        likes: Vec::new(),
        inherited_checks: Vec::new(),
    };
    for e in elements {
        match e {
            TableElt::Column(d) => {
                let c = columns::define(ctx, table, d, &mut spec.constraints)?;
                spec.columns.push(c);
            }
            TableElt::Constraint(c) => spec.constraints.add(table, c)?,
            TableElt::Like(l) => {
                let first = spec.columns.len();
                let (columns, likeness) = create_like::read(ctx, l, first)?;
                spec.columns.extend(columns);
                spec.likes.push(likeness);
            }
        }
    }
    if spec.columns.len() > 1600 {
        bail!(TOO_MANY_COLUMNS, "tables can have at most 1600 columns");
    }
    for (i, c) in spec.columns.iter().enumerate() {
        if spec.columns[i + 1..].iter().any(|x| x.attr.name == c.attr.name) {
            bail!(DUPLICATE_COLUMN, "column \"{}\" specified more than once", c.attr.name);
        }
    }
    Ok(spec)
}

/// The columns of PRIMARY KEY and UNIQUE exist, once; those of a primary key are NOT NULL.
fn check_keys(spec: &mut TableSpec) -> Result<()> {
    for c in &spec.constraints.indexes {
        let primary = c.contype == ConstrType::Primary;
        for (i, k) in c.keys.iter().enumerate() {
            let Some(col) = spec.columns.iter_mut().find(|x| x.attr.name == *k) else {
                if is_system_column(k) {
                    continue;
                }
                return Err(
                    err!(UNDEFINED_COLUMN, "column \"{k}\" named in key does not exist").at(c.location)
                );
            };
            if c.keys[..i].contains(k) {
                let what = if primary { "primary key" } else { "unique" };
                return Err(err!(DUPLICATE_COLUMN, "column \"{k}\" appears twice in {what} constraint")
                    .at(c.location));
            }
            if primary {
                if col.explicit_null && !col.attr.not_null {
                    return Err(err!(
                        SYNTAX_ERROR,
                        "conflicting NULL/NOT NULL declarations for column \"{k}\" of table"
                    )
                    .at(c.location));
                }
                col.attr.not_null = true;
            }
        }
    }
    Ok(())
}

/// Makes the sequence of a serial or identity column.
pub fn make_sequence(
    ctx: &CommandCtx<'_>,
    table: &str,
    ns: (Oid, u8),
    owner: Oid,
    c: &NewColumn,
    doing: &str,
) -> Result<Option<Oid>> {
    if !c.serial && c.identity.is_none() {
        return Ok(None);
    }
    let mut options = c.identity.clone().unwrap_or_default();
    let mut name = None;
    options.retain(|o| {
        if let ("sequence_name", Some(DefArg::Names(n))) = (o.defname.as_str(), &o.arg) {
            name = n.last().cloned();
        }
        o.defname != "sequence_name"
    });
    if c.identity.is_some() && !matches!(c.attr.type_oid, oids::INT2 | oids::INT4 | oids::INT8) {
        bail!(INVALID_PARAMETER_VALUE, "identity column type must be smallint, integer, or bigint");
    }
    if !options.iter().any(|o| o.defname == "as") {
        let type_name = match c.attr.type_oid {
            oids::INT2 => "int2",
            oids::INT4 => "int4",
            _ => "int8",
        };
        let tn = TypeName { names: vec!["pg_catalog".into(), type_name.into()], ..TypeName::default() };
        options.push(DefElem::new("as", Some(DefArg::TypeName(Box::new(tn))), 0));
    }
    let o = sequence_ddl::read_options(ctx, &options, None, c.identity.is_some())?;
    let name = match name {
        Some(n) => n,
        None => naming::choose_relation_name(ctx.catalog, table, Some(&c.attr.name), "seq", ns.0, false)?,
    };
    let text = format!(
        "{doing} will create implicit sequence \"{name}\" for serial column \"{table}.{}\"",
        c.attr.name
    );
    crate::analysis::debug(ctx, text);
    sequence_ddl::make(ctx, &name, ns, owner, &o).map(Some)
}

/// Resolves a column's default. A NULL constant is no default.
pub fn resolve_default(
    ctx: &CommandCtx<'_>,
    table: &str,
    oid: Oid,
    desc: &TupleDesc,
    c: &NewColumn,
    seq: Option<Oid>,
) -> Result<Option<Expr>> {
    if c.serial
        && let Some(s) = seq
    {
        return columns::nextval_expr(ctx, s, &c.attr).map(Some);
    }
    let e = match &c.default {
        Default::None => return Ok(None),
        Default::Resolved(e) => e.clone(),
        Default::Raw(raw) => {
            let a = &c.attr;
            let t = ExprTarget { name: &a.name, type_oid: a.type_oid, typmod: a.typmod };
            if a.generated != 0 {
                let rel = ExprRel { name: table, oid, desc };
                let e = transform(ctx, raw, ExprContext::GeneratedColumn, Some(rel), Some(t))?;
                check_generation(ctx, &e)?;
                return Ok(Some(e));
            }
            transform(ctx, raw, ExprContext::Default, None, Some(t))?
        }
    };
    Ok((!columns::is_null_constant(&e)).then_some(e))
}

fn check_generation(ctx: &CommandCtx<'_>, e: &Expr) -> Result<()> {
    if crate::volatility::contains_mutable(ctx, e)? {
        bail!(INVALID_OBJECT_DEFINITION, "generation expression is not immutable");
    }
    Ok(())
}

/// Makes a table from a specification.
pub fn make(
    ctx: &CommandCtx<'_>,
    name: &str,
    (ns, persistence): (Oid, u8),
    mut spec: TableSpec,
    options: &[String],
) -> Result<Oid> {
    let owner = ctx.host.role();
    let mut sequences = Vec::new();
    for c in &spec.columns {
        sequences.push(make_sequence(ctx, name, (ns, persistence), owner, c, "CREATE TABLE")?);
    }
    let attrs: Vec<Attribute> = spec.columns.iter().map(|c| c.attr.clone()).collect();
    let desc = TupleDesc { attrs, type_oid: oids::RECORD };
    let mut defaults = Vec::new();
    for (c, seq) in spec.columns.iter_mut().zip(&sequences) {
        let d = resolve_default(ctx, name, Oid::INVALID, &desc, c, *seq)?;
        c.attr.has_default = d.is_some();
        defaults.push(d);
    }
    let checks = resolve_checks(ctx, name, ns, &desc, &spec)?;
    let attrs: Vec<Attribute> = spec.columns.iter().map(|c| c.attr.clone()).collect();
    let ndims: Vec<i32> = spec.columns.iter().map(|c| c.ndims).collect();
    let oid = relation::create(
        ctx.catalog,
        &relation::NewRelation {
            name,
            namespace: ns,
            owner,
            kind: b'r',
            persistence,
            attrs: &attrs,
            ndims: &ndims,
            options,
            checks: checks.len() as i16,
        },
    )?;
    target::lock_oid(ctx, oid, transam::LockMode::AccessExclusive)?;
    for (i, (c, seq)) in spec.columns.iter().zip(&sequences).enumerate() {
        if let Some(s) = seq {
            sequence_ddl::record_owner(ctx, *s, oid, i as i16 + 1, c.identity.is_some())?;
        }
        if let Some(e) = &defaults[i] {
            columns::store_default(ctx, oid, i as i16 + 1, e, c.attr.generated != 0)?;
        }
    }
    for c in &checks {
        constraint::insert_check(ctx.catalog, oid, ns, c)?;
    }
    ctx.engine.command_counter_increment()?;
    relation::create_toast_if_needed(ctx.catalog, oid)?;
    for c in &spec.constraints.indexes {
        index::make_for_constraint(ctx, &ctx.catalog.relation(oid)?, c, false, true)?;
    }
    for l in &spec.likes {
        create_like::add_indexes(ctx, oid, l)?;
        create_like::add_statistics(ctx, oid, l)?;
        create_like::add_comments(ctx, oid, l)?;
    }
    for c in &spec.constraints.foreign {
        let mut c = c.clone();
        c.skip_validation = false;
        foreign_key::add(ctx, oid, &c)?;
    }
    debug_assert_eq!(ctx.catalog.relation(oid)?.kind, b'r', "{}", pg_class::TABLE);
    Ok(oid)
}

fn resolve_checks(
    ctx: &CommandCtx<'_>,
    name: &str,
    ns: Oid,
    desc: &TupleDesc,
    spec: &TableSpec,
) -> Result<Vec<Check>> {
    let mut out: Vec<Check> = Vec::new();
    for c in spec.likes.iter().flat_map(|l| l.checks()) {
        if !crate::inherit::create::merges_with(ctx, &spec.inherited_checks, &c, name)? {
            out.push(c);
        }
    }
    out.extend(spec.inherited_checks.iter().cloned());
    // Named ones first: generated names must keep clear of them.
    let mut taken: Vec<String> = out.iter().map(|c| c.name.clone()).collect();
    let named = spec.constraints.checks.iter().filter_map(|c| c.conname.clone());
    let reserved: Vec<String> = named.collect();
    for c in &spec.constraints.checks {
        let mut c = c.clone();
        c.skip_validation = false;
        let mut others = taken.clone();
        if c.conname.is_none() {
            others.extend(reserved.iter().cloned());
        }
        if let Some(n) = &c.conname
            && spec.inherited_checks.iter().any(|i| i.name == *n)
        {
            let own = constraint::resolve_check(ctx, name, ns, Oid::INVALID, desc, &c, &[])?;
            crate::inherit::create::merges_with(ctx, &spec.inherited_checks, &own, name)?;
            continue;
        }
        let check = constraint::resolve_check(ctx, name, ns, Oid::INVALID, desc, &c, &others)?;
        taken.push(check.name.clone());
        out.push(check);
    }
    Ok(out)
}
