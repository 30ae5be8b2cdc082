//! CREATE VIEW: a relation without storage and the rule `_RETURN` that holds its query.

use crate::analysis::with_analyze;
use crate::ctx::CommandCtx;
use crate::relation::{self, NewRelation};
use crate::reloptions::{self, OptionsOf};
use crate::{expr_depend, target};
use analyze::query::Query;
use analyze::{OutputColumn, ParamTypes};
use catalog::bootstrap::attribute_row;
use catalog::columns::*;
use catalog::depend::{DependencyKind, ObjectAddress};
use catalog::desc::Relation;
use catalog::schema::attribute;
use catalog::{Catalog, literal};
use common::{Oid, Result, bail, err};
use parser::ast::*;
use transam::LockMode;
use types::{Attribute, Datum};

/// Gives output columns the names of the view's column list.
fn name_columns(q: &mut Query, aliases: &[String]) -> Result<()> {
    let mut names = aliases.iter();
    for t in q.target_list.iter_mut().filter(|t| !t.junk) {
        match names.next() {
            Some(n) => t.name = Some(n.as_str().into()),
            None => break,
        }
    }
    if names.next().is_some() {
        bail!(SYNTAX_ERROR, "CREATE VIEW specifies more column names than columns");
    }
    Ok(())
}

/// Attributes for a query's output.
pub fn output_attributes(catalog: &Catalog, columns: &[OutputColumn]) -> Result<Vec<Attribute>> {
    attributes_of(catalog, columns, false)
}

/// The same; a system view may have columns of type `anyarray`, like the catalog it reads.
fn attributes_of(catalog: &Catalog, columns: &[OutputColumn], system: bool) -> Result<Vec<Attribute>> {
    let mut out: Vec<Attribute> = Vec::new();
    for (i, c) in columns.iter().enumerate() {
        if columns[i + 1..].iter().any(|a| *a.name == *c.name) {
            bail!(DUPLICATE_COLUMN, "column \"{}\" specified more than once", c.name);
        }
        let t = catalog.type_desc(c.type_oid)?;
        let any_array = system && t.oid == types::oids::ANYARRAY;
        let records = t.oid == types::oids::RECORD_ARRAY;
        if t.typtype == b'p' && !(records && system) && !any_array {
            let shown = if records { "record[]" } else { &t.name };
            bail!(INVALID_TABLE_DEFINITION, "column \"{}\" has pseudo-type {shown}", c.name);
        }
        let mut a = attribute(&c.name, &t, c.typmod);
        if t.collation.is_valid() && !c.collation.is_valid() {
            return Err(err!(
                INDETERMINATE_COLLATION,
                "no collation was derived for column \"{}\" with collatable type {}",
                c.name,
                t.name
            )
            .hint("Use the COLLATE clause to set the collation explicitly."));
        }
        a.collation = c.collation;
        out.push(a);
    }
    Ok(out)
}

/// Inserts (or replaces) the rule that holds the query.
pub fn store_rule(catalog: &Catalog, view: Oid, q: &Query) -> Result<()> {
    use pg_rewrite::*;
    let action = Datum::text(&analyze::store_expr(q)?);
    let keys = [Datum::oid(view), Datum::text("_RETURN")];
    let oid = match catalog.scan(TABLE, REL_RULENAME_INDEX, &keys)?.first() {
        Some(r) => {
            catalog.update_columns(TABLE, r, &[(EV_ACTION, action)])?;
            catalog.delete_dependencies_of(ObjectAddress::new(TABLE, r.oid(OID)))?;
            r.oid(OID)
        }
        None => {
            let oid = catalog.new_oid(TABLE, OID_INDEX)?;
            let mut r = catalog.blank_row(TABLE);
            r[OID] = Datum::oid(oid);
            r[RULENAME] = Datum::text("_RETURN");
            r[EV_CLASS] = Datum::oid(view);
            r[EV_TYPE] = Datum::I8(b'1' as i8);
            r[EV_ENABLED] = Datum::I8(b'O' as i8);
            r[IS_INSTEAD] = Datum::Bool(true);
            r[EV_QUAL] = Datum::text("<>");
            r[EV_ACTION] = action;
            catalog.insert_row(TABLE, &r)?;
            oid
        }
    };
    let me = ObjectAddress::new(TABLE, oid);
    let view = ObjectAddress::new(pg_class::TABLE, view);
    catalog.record_dependency(me, view, DependencyKind::Internal)?;
    expr_depend::record(catalog, me, &expr_depend::of_query(q), DependencyKind::Normal)?;
    catalog.engine().command_counter_increment()
}

/// Makes a view from a resolved query.
pub fn make(
    catalog: &Catalog,
    name: &str,
    (namespace, persistence): (Oid, u8),
    owner: Oid,
    q: &Query,
    options: &[String],
) -> Result<Oid> {
    let system = namespace == catalog::builtins::PG_CATALOG;
    let attrs = attributes_of(catalog, &analyze::output_columns(q), system)?;
    let new = NewRelation {
        name,
        namespace,
        owner,
        kind: b'v',
        persistence,
        attrs: &attrs,
        ndims: &[],
        options,
        checks: 0,
    };
    let oid = relation::create(catalog, &new)?;
    store_rule(catalog, oid, q)?;
    target::update_class(catalog, oid, &[(pg_class::RELHASRULES, Datum::Bool(true))])?;
    Ok(oid)
}

/// Runs CREATE VIEW.
pub fn create(ctx: &CommandCtx<'_>, s: &ViewStmt) -> Result<String> {
    if s.query.into_clause.is_some() {
        bail!(FEATURE_NOT_SUPPORTED, "views must not contain SELECT INTO");
    }
    let mut params = ParamTypes::none();
    let mut q = with_analyze(ctx, |a| analyze::analyze_select(a, &s.query, &mut params))?;
    if q.has_modifying_cte {
        bail!(FEATURE_NOT_SUPPORTED, "views must not contain data-modifying statements in WITH");
    }
    name_columns(&mut q, &s.aliases)?;
    let mut options = reloptions::merge(OptionsOf::View, &[], &s.options, false)?;
    match s.with_check_option {
        ViewCheckOption::NoCheck => {}
        ViewCheckOption::Local => options.push("check_option=local".into()),
        ViewCheckOption::Cascaded => options.push("check_option=cascaded".into()),
    }
    if options.iter().any(|o| o.starts_with("check_option="))
        && let Some(reason) = analyze::not_updatable(&q)
    {
        return Err(err!(
            FEATURE_NOT_SUPPORTED,
            "WITH CHECK OPTION is supported only on automatically updatable views"
        )
        .hint(reason));
    }
    if s.view.relpersistence == RelPersistence::Unlogged {
        bail!(SYNTAX_ERROR, "views cannot be unlogged because they do not have storage");
    }
    let mut rv = s.view.clone();
    if rv.relpersistence == RelPersistence::Permanent && uses_temp(ctx, &q)? {
        rv.relpersistence = RelPersistence::Temp;
        crate::analysis::notice(ctx, format!("view \"{}\" will be a temporary view", rv.relname));
    }
    let (ns, persistence) = target::creation_target(ctx, &rv)?;
    let name = &s.view.relname;
    if let Some(oid) = ctx.catalog.relation_oid(ns, name)?
        && s.replace
    {
        target::lock_oid(ctx, oid, LockMode::AccessExclusive)?;
        replace(ctx, oid, &q, &options)?;
    } else {
        make(ctx.catalog, name, (ns, persistence), ctx.host.role(), &q, &options)?;
    }
    Ok("CREATE VIEW".into())
}

/// Does the query name a temporary relation?
pub fn uses_temp(ctx: &CommandCtx<'_>, q: &Query) -> Result<bool> {
    if ctx.catalog.temp().namespace().is_none() {
        return Ok(false);
    }
    for a in expr_depend::of_query(q) {
        if a.class == pg_class::TABLE
            && let Some(r) = ctx.catalog.relation_if_any(a.object)?
            && r.persistence == b't'
        {
            return Ok(true);
        }
    }
    Ok(false)
}

fn check_replacement(ctx: &CommandCtx<'_>, old: &Relation, new: &[Attribute]) -> Result<()> {
    if new.len() < old.desc.len() {
        bail!(INVALID_TABLE_DEFINITION, "cannot drop columns from view");
    }
    for (o, n) in old.desc.attrs.iter().zip(new) {
        if o.name != n.name {
            return Err(err!(
                INVALID_TABLE_DEFINITION,
                "cannot change name of view column \"{}\" to \"{}\"",
                o.name,
                n.name
            )
            .hint("Use ALTER VIEW ... RENAME COLUMN ... to change name of view column instead."));
        }
        if (o.type_oid, o.typmod) != (n.type_oid, n.typmod) {
            let shown =
                |a: &Attribute| with_analyze(ctx, |x| Ok(analyze::format_type(x, a.type_oid, a.typmod)));
            bail!(
                INVALID_TABLE_DEFINITION,
                "cannot change data type of view column \"{}\" from {} to {}",
                o.name,
                shown(o)?,
                shown(n)?
            );
        }
    }
    Ok(())
}

fn replace(ctx: &CommandCtx<'_>, oid: Oid, q: &Query, options: &[String]) -> Result<()> {
    let old = ctx.catalog.relation(oid)?;
    if old.kind != b'v' {
        bail!(WRONG_OBJECT_TYPE, "\"{}\" is not a view", old.name);
    }
    target::check_relation_owner(ctx, &old)?;
    let attrs = output_attributes(ctx.catalog, &analyze::output_columns(q))?;
    check_replacement(ctx, &old, &attrs)?;
    for (i, a) in attrs.iter().enumerate().skip(old.desc.len()) {
        let row = attribute_row(ctx.catalog, oid, i as i16 + 1, a, 0);
        ctx.catalog.insert_row(pg_attribute::TABLE, &row)?;
    }
    let options = if options.is_empty() { Datum::Null } else { literal::text_array(options) };
    target::update_class(
        ctx.catalog,
        oid,
        &[(pg_class::RELNATTS, Datum::I16(attrs.len() as i16)), (pg_class::RELOPTIONS, options)],
    )?;
    store_rule(ctx.catalog, oid, q)
}
