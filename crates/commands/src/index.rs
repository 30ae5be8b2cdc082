//! CREATE INDEX, and the making of an index for constraints: columns and expressions resolved, catalog rows inserted,
//! the tree built.

use crate::analysis::{debug, lost, notice_as, transform, with_analyze};
use crate::constraint::{self, NewConstraint};
use crate::ctx::CommandCtx;
use crate::expr_depend;
use crate::internal_triggers;
use crate::naming;
use crate::relation::{self, IndexRow, NewRelation};
use crate::reloptions::{self, OptionsOf};
use crate::target;
use analyze::expr::Expr;
use analyze::{ExprContext, ExprRel, info, names};
use catalog::Ref;
use catalog::builtins::BTREE_AM;
use catalog::columns::*;
use catalog::depend::{DependencyKind, ObjectAddress};
use catalog::desc::Relation;
use catalog::schema::attribute;
use common::{Error, Oid, Result, SqlState, bail, err};
use ipc::progress::{Command, Reporting, create_index as progress};
use parser::ast::*;
use transam::LockMode;
use types::{Attribute, Datum};

/// A resolved column of an index.
pub struct IndexColumn {
    /// Table column; 0 for an expression.
    pub attnum: i16,
    pub expr: Option<Expr>,
    pub type_oid: Oid,
    pub typmod: i32,
    pub collation: Oid,
    /// Invalid for INCLUDE columns.
    pub opclass: Oid,
    pub option: i16,
    /// Name it would like; `None` for an expression without one.
    pub name: Option<String>,
}

/// An index to be made.
pub struct NewIndex {
    pub name: String,
    pub columns: Vec<IndexColumn>,
    pub num_keys: usize,
    pub unique: bool,
    pub nulls_not_distinct: bool,
    pub primary: bool,
    pub predicate: Option<Expr>,
    pub options: Vec<String>,
    /// It belongs to a constraint of the same name.
    pub constraint: bool,
    pub deferrable: bool,
    pub deferred: bool,
    /// Operators of an exclusion constraint, one a key column.
    pub exclude: Vec<Oid>,
    /// Left without a tree: the table is about to be written anew.
    pub skip_build: bool,
}

/// Runs CREATE INDEX.
pub fn create(ctx: &CommandCtx<'_>, s: &IndexStmt) -> Result<String> {
    if s.concurrent {
        ctx.engine.prevent_in_block(ctx.top_level, "CREATE INDEX CONCURRENTLY")?;
    }
    create_for_rewrite(ctx, s, false)
}

/// `pg_stat_progress_create_index` from here on.
fn report(ctx: &CommandCtx<'_>, table: Oid, concurrent: bool) -> Reporting {
    let r = Reporting::begin(&ctx.engine.proc().progress, Command::CreateIndex, table.0);
    r.set(progress::COMMAND, if concurrent { 2 } else { 1 });
    r
}

/// CREATE INDEX, with or without filling it.
pub fn create_for_rewrite(ctx: &CommandCtx<'_>, s: &IndexStmt, skip_build: bool) -> Result<String> {
    let rel = target::open_relation(ctx, &s.relation, LockMode::Share)?;
    target::check_openable(&rel)?;
    let _reported = report(ctx, rel.oid, s.concurrent);
    match rel.kind {
        b'r' | b'm' => {}
        _ => {
            return Err(err!(WRONG_OBJECT_TYPE, "cannot create index on relation \"{}\"", rel.name)
                .detail(format!("This operation is not supported for {}.", plural(rel.kind))));
        }
    }
    target::check_relation_owner(ctx, &rel)?;
    target::check_not_catalog(&rel)?;
    target::check_creation(ctx, rel.namespace)?;
    target::check_not_in_use(ctx, rel.oid, &rel.name, "CREATE INDEX")?;
    check_method(ctx, &s.access_method)?;
    check_tablespace(s.table_space.as_deref())?;
    let mut columns = resolve_columns(ctx, &rel, &s.index_params)?;
    let num_keys = columns.len();
    columns.extend(resolve_included(&rel, &s.index_including_params)?);
    let predicate = match &s.where_clause {
        Some(w) => Some(resolve_predicate(ctx, &rel, w)?),
        None => None,
    };
    let name = match &s.idxname {
        Some(n) => n.clone(),
        None => {
            let wanted: Vec<Option<String>> = columns.iter().map(|c| c.name.clone()).collect();
            let names = naming::index_column_names(&wanted);
            let joined = naming::join_columns(names.iter().map(String::as_str));
            naming::choose_relation_name(ctx.catalog, &rel.name, Some(&joined), "idx", rel.namespace, false)?
        }
    };
    if s.if_not_exists && ctx.catalog.relation_oid(rel.namespace, &name)?.is_some() {
        let message = format!("relation \"{name}\" already exists, skipping");
        notice_as(ctx, SqlState::DUPLICATE_TABLE, message);
        return Ok("CREATE INDEX".into());
    }
    let new = NewIndex {
        name,
        columns,
        num_keys,
        unique: s.unique,
        nulls_not_distinct: s.nulls_not_distinct,
        primary: false,
        predicate,
        options: reloptions::merge(OptionsOf::Index, &[], &s.options, false)?,
        constraint: false,
        deferrable: false,
        deferred: false,
        exclude: Vec::new(),
        skip_build,
    };
    make(ctx, &rel, &new)?;
    Ok("CREATE INDEX".into())
}

fn plural(kind: u8) -> &'static str {
    match kind {
        b'v' => "views",
        b'S' => "sequences",
        b'i' => "indexes",
        b't' => "TOAST tables",
        b'c' => "composite types",
        _ => "such relations",
    }
}

/// Only btree indexes are made.
pub fn check_method(ctx: &CommandCtx<'_>, name: &str) -> Result<()> {
    if name == "btree" {
        return Ok(());
    }
    let rows = ctx.catalog.scan(pg_am::TABLE, pg_am::NAME_INDEX, &[Datum::text(name)])?;
    match rows.first() {
        None => bail!(UNDEFINED_OBJECT, "access method \"{name}\" does not exist"),
        Some(r) if r.char(pg_am::AMTYPE) != b'i' => {
            bail!(WRONG_OBJECT_TYPE, "access method \"{name}\" is not of type INDEX")
        }
        Some(_) => Err(Error::unsupported(format_args!("access method {name}"))),
    }
}

/// There is only `pg_default`.
pub fn check_tablespace(name: Option<&str>) -> Result<()> {
    match name {
        None | Some("pg_default") => Ok(()),
        Some("pg_global") => {
            bail!(INVALID_PARAMETER_VALUE, "only shared relations can be placed in pg_global tablespace")
        }
        Some(n) => bail!(UNDEFINED_OBJECT, "tablespace \"{n}\" does not exist"),
    }
}

fn expr_rel(rel: &Relation) -> ExprRel<'_> {
    ExprRel { name: &rel.name, oid: rel.oid, desc: &rel.desc }
}

fn resolve_predicate(ctx: &CommandCtx<'_>, rel: &Relation, w: &parser::Expr) -> Result<Expr> {
    let e = transform(ctx, w, ExprContext::IndexPredicate, Some(expr_rel(rel)), None)?;
    check_immutable(ctx, &e, "functions in index predicate must be marked IMMUTABLE")?;
    Ok(e)
}

fn check_immutable(ctx: &CommandCtx<'_>, e: &Expr, message: &str) -> Result<()> {
    if crate::volatility::contains_mutable(ctx, e)? {
        return Err(Error::new(SqlState::INVALID_OBJECT_DEFINITION, message));
    }
    Ok(())
}

fn column_of<'a>(rel: &'a Relation, name: &str) -> Option<(i16, &'a Attribute)> {
    let i = rel.desc.attrs.iter().position(|a| !a.dropped && a.name == name)?;
    Some((i as i16 + 1, &rel.desc.attrs[i]))
}

/// Key columns of an index as written.
pub fn resolve_columns(
    ctx: &CommandCtx<'_>,
    rel: &Relation,
    elems: &[IndexElem],
) -> Result<Vec<IndexColumn>> {
    if elems.len() > 32 {
        bail!(TOO_MANY_COLUMNS, "cannot use more than 32 columns in an index");
    }
    elems.iter().map(|e| resolve_column(ctx, rel, e)).collect()
}

fn resolve_column(ctx: &CommandCtx<'_>, rel: &Relation, e: &IndexElem) -> Result<IndexColumn> {
    let mut c = match (&e.name, &e.expr) {
        (Some(n), _) => match column_of(rel, n) {
            Some((attnum, a)) => IndexColumn {
                attnum,
                expr: None,
                type_oid: a.type_oid,
                typmod: a.typmod,
                collation: a.collation,
                opclass: Oid::INVALID,
                option: 0,
                name: Some(n.clone()),
            },
            None if is_system_column(n) => {
                return Err(err!(FEATURE_NOT_SUPPORTED, "index creation on system columns is not supported"));
            }
            None => bail!(UNDEFINED_COLUMN, "column \"{n}\" does not exist"),
        },
        (None, Some(x)) => resolve_expression(ctx, rel, x)?,
        (None, None) => return Err(Error::internal("index column without name and expression")),
    };
    let t = ctx.catalog.type_desc(c.type_oid)?;
    if !e.collation.is_empty() {
        if !t.collation.is_valid() {
            let shown = with_analyze(ctx, |a| Ok(analyze::format_type_short(a, c.type_oid)))?;
            bail!(DATATYPE_MISMATCH, "collations are not supported by type {shown}");
        }
        c.collation = with_analyze(ctx, |a| analyze::lookup_collation(a, &e.collation, None))?;
    } else if t.collation.is_valid() && !c.collation.is_valid() {
        return Err(err!(
            INDETERMINATE_COLLATION,
            "could not determine which collation to use for index expression"
        )
        .hint("Use the COLLATE clause to set the collation explicitly."));
    }
    if !t.collation.is_valid() {
        c.collation = Oid::INVALID;
    }
    if !e.opclassopts.is_empty() {
        return Err(Error::unsupported("operator class parameters"));
    }
    c.opclass = resolve_opclass(ctx, &e.opclass, c.type_oid)?;
    check_pattern_class(ctx, &c)?;
    let desc = e.ordering == SortByDir::Desc;
    let nulls_first = match e.nulls_ordering {
        SortByNulls::First => true,
        SortByNulls::Last => false,
        SortByNulls::Default => desc,
    };
    c.option = i16::from(desc) | i16::from(nulls_first) << 1;
    Ok(c)
}

/// Patterns compare bytes, which is nothing to a collation for which different bytes are equal. 0A000.
fn check_pattern_class(ctx: &CommandCtx<'_>, c: &IndexColumn) -> Result<()> {
    let class = ctx.catalog.opclass(c.opclass)?;
    if class.name.ends_with("_pattern_ops") && !ctx.catalog.collation(c.collation)?.is_deterministic() {
        bail!(
            FEATURE_NOT_SUPPORTED,
            "nondeterministic collations are not supported for operator class \"{}\"",
            class.name
        );
    }
    Ok(())
}

fn is_system_column(name: &str) -> bool {
    catalog::bootstrap::SYSTEM_COLUMNS.iter().any(|(n, _, _)| *n == name)
}

fn resolve_expression(ctx: &CommandCtx<'_>, rel: &Relation, x: &parser::Expr) -> Result<IndexColumn> {
    let e = transform(ctx, x, ExprContext::IndexExpr, Some(expr_rel(rel)), None)?;
    // `(a)` is the column.
    if let Expr::Var(v) = &e
        && v.attno > 0
    {
        return Ok(IndexColumn {
            attnum: v.attno,
            expr: None,
            type_oid: v.vartype,
            typmod: v.typmod,
            collation: v.collation,
            opclass: Oid::INVALID,
            option: 0,
            name: rel.desc.attrs.get(v.attno as usize - 1).map(|a| a.name.clone()),
        });
    }
    check_immutable(ctx, &e, "functions in index expression must be marked IMMUTABLE")?;
    let t = ctx.catalog.type_desc(info::expr_type(&e))?;
    if t.typtype == b'p' && t.oid != types::oids::UNKNOWN {
        bail!(INVALID_TABLE_DEFINITION, "column \"expr\" has pseudo-type {}", t.name);
    }
    Ok(IndexColumn {
        attnum: 0,
        type_oid: t.oid,
        typmod: info::expr_typmod(&e),
        collation: info::expr_collation(&e),
        opclass: Oid::INVALID,
        option: 0,
        name: analyze::figure_index_name(x),
        expr: Some(e),
    })
}

fn resolve_opclass(ctx: &CommandCtx<'_>, name: &[String], type_oid: Oid) -> Result<Oid> {
    let shown_type = || with_analyze(ctx, |a| Ok(analyze::format_type_short(a, type_oid)));
    if name.is_empty() {
        return match ctx.catalog.default_opclass(BTREE_AM, type_oid)? {
            Some(c) => Ok(c.oid),
            None => Err(err!(
                UNDEFINED_OBJECT,
                "data type {} has no default operator class for access method \"btree\"",
                shown_type()?
            )
            .hint("You must specify an operator class for the index or define a default operator class for the data type.")),
        };
    }
    let Some(class) = crate::opclass::visible_class(ctx, BTREE_AM, name)? else {
        bail!(
            UNDEFINED_OBJECT,
            "operator class \"{}\" does not exist for access method \"btree\"",
            name.join(".")
        );
    };
    let fits =
        class.in_type == type_oid || with_analyze(ctx, |a| a.binary_coercible(type_oid, class.in_type))?;
    if !fits {
        let shown = shown_type()?;
        bail!(DATATYPE_MISMATCH, "operator class \"{}\" does not accept data type {shown}", name.join("."));
    }
    Ok(class.oid)
}

/// INCLUDE columns.
pub fn resolve_included(rel: &Relation, elems: &[IndexElem]) -> Result<Vec<IndexColumn>> {
    elems
        .iter()
        .map(|e| {
            let Some(n) = &e.name else {
                bail!(FEATURE_NOT_SUPPORTED, "expressions are not supported in included columns")
            };
            included(rel, n)
        })
        .collect()
}

/// One INCLUDE column by name.
pub fn included(rel: &Relation, name: &str) -> Result<IndexColumn> {
    let Some((attnum, a)) = column_of(rel, name) else {
        bail!(UNDEFINED_COLUMN, "column \"{name}\" does not exist")
    };
    Ok(IndexColumn {
        attnum,
        expr: None,
        type_oid: a.type_oid,
        typmod: a.typmod,
        collation: Oid::INVALID,
        opclass: Oid::INVALID,
        option: 0,
        name: Some(name.to_string()),
    })
}

/// Makes and fills an index; the caller holds at least SHARE on the table. Returns the index and its constraint.
pub fn make(ctx: &CommandCtx<'_>, rel: &Ref<Relation>, n: &NewIndex) -> Result<(Oid, Oid)> {
    let catalog = ctx.catalog;
    let attrs = index_attributes(ctx, rel, n)?;
    let new = NewRelation {
        name: &n.name,
        namespace: rel.namespace,
        owner: rel.owner,
        kind: b'i',
        persistence: rel.persistence,
        attrs: &attrs,
        ndims: &[],
        options: &n.options,
        checks: 0,
    };
    let oid = relation::create(catalog, &new)?;
    ctx.engine.lock_relation(catalog.database(), oid, LockMode::AccessExclusive)?;
    insert_row(ctx, rel, n, oid)?;
    let me = ObjectAddress::new(pg_class::TABLE, oid);
    let constraint = if n.constraint { add_constraint(ctx, rel, n, oid)? } else { Oid::INVALID };
    if constraint.is_valid() {
        let owner = ObjectAddress::new(pg_constraint::TABLE, constraint);
        catalog.record_dependency(me, owner, DependencyKind::Internal)?;
    } else {
        for c in n.columns.iter().filter(|c| c.attnum != 0) {
            let on = ObjectAddress::column(rel.oid, c.attnum);
            catalog.record_dependency(me, on, DependencyKind::Auto)?;
        }
        if n.columns.iter().all(|c| c.attnum == 0) {
            let table = ObjectAddress::new(pg_class::TABLE, rel.oid);
            catalog.record_dependency(me, table, DependencyKind::Auto)?;
        }
    }
    for c in &n.columns {
        let class = ObjectAddress::new(pg_opclass::TABLE, c.opclass);
        if class.object.is_valid() {
            catalog.record_dependency(me, class, DependencyKind::Normal)?;
        }
    }
    for e in n.columns.iter().filter_map(|c| c.expr.as_ref()).chain(&n.predicate) {
        let (own, other): (Vec<_>, Vec<_>) =
            expr_depend::of_expr(e, rel.oid).into_iter().partition(|a| a.object == rel.oid);
        expr_depend::record(catalog, me, &own, DependencyKind::Auto)?;
        expr_depend::record(catalog, me, &other, DependencyKind::Normal)?;
    }
    ctx.engine.command_counter_increment()?;
    if n.skip_build {
        access::btree::create_empty(ctx.engine, &ctx.catalog.index(oid)?.rel)?;
        let flag = [(pg_class::RELHASINDEX, Datum::Bool(true))];
        target::update_class(catalog, rel.oid, &flag)?;
    } else {
        crate::index_build::build(ctx, rel.oid, oid)?;
    }
    Ok((oid, constraint))
}

fn index_attributes(ctx: &CommandCtx<'_>, rel: &Relation, n: &NewIndex) -> Result<Vec<Attribute>> {
    let wanted: Vec<Option<String>> = n.columns.iter().map(|c| c.name.clone()).collect();
    let names = naming::index_column_names(&wanted);
    n.columns
        .iter()
        .zip(names)
        .map(|(c, name)| {
            let t = ctx.catalog.type_desc(c.type_oid)?;
            let mut a = attribute(&name, &t, c.typmod);
            a.collation = c.collation;
            if c.attnum > 0 {
                let source = &rel.desc.attrs[c.attnum as usize - 1];
                a.storage = source.storage;
                a.compression = source.compression;
                if c.opclass == Oid::INVALID {
                    a.collation = source.collation;
                }
            }
            Ok(a)
        })
        .collect()
}

fn insert_row(ctx: &CommandCtx<'_>, rel: &Relation, n: &NewIndex, oid: Oid) -> Result<()> {
    let keys: Vec<i16> = n.columns.iter().map(|c| c.attnum).collect();
    let key_columns = &n.columns[..n.num_keys];
    let collations: Vec<Oid> = key_columns.iter().map(|c| c.collation).collect();
    let opclasses: Vec<Oid> = key_columns.iter().map(|c| c.opclass).collect();
    let options: Vec<i16> = key_columns.iter().map(|c| c.option).collect();
    let exprs: Vec<&Expr> = n.columns.iter().filter_map(|c| c.expr.as_ref()).collect();
    let exprs = if exprs.is_empty() { None } else { Some(analyze::store_expr(&exprs)?) };
    let predicate = n.predicate.as_ref().map(analyze::store_expr).transpose()?;
    relation::insert_index_row(
        ctx.catalog,
        &IndexRow {
            index: oid,
            table: rel.oid,
            keys: &keys,
            num_key_atts: n.num_keys,
            unique: n.unique,
            nulls_not_distinct: n.nulls_not_distinct,
            primary: n.primary,
            immediate: !n.deferrable,
            exclusion: !n.exclude.is_empty(),
            check_xmin: false,
            collations: &collations,
            opclasses: &opclasses,
            options: &options,
            expressions: exprs.as_deref(),
            predicate: predicate.as_deref(),
        },
    )
}

fn add_constraint(ctx: &CommandCtx<'_>, rel: &Relation, n: &NewIndex, index: Oid) -> Result<Oid> {
    let keys: Vec<i16> = n.columns[..n.num_keys].iter().map(|c| c.attnum).collect();
    let oid = constraint::insert(
        ctx.catalog,
        &NewConstraint {
            name: &n.name,
            namespace: rel.namespace,
            kind: match (n.primary, n.exclude.is_empty()) {
                (true, _) => b'p',
                (_, true) => b'u',
                _ => b'x',
            },
            deferrable: n.deferrable,
            deferred: n.deferred,
            exclude: &n.exclude,
            rel: rel.oid,
            domain: Oid::INVALID,
            index,
            keys: &keys,
            validated: true,
            no_inherit: true,
            bin: None,
            foreign: None,
        },
    )?;
    let me = ObjectAddress::new(pg_constraint::TABLE, oid);
    for c in n.columns.iter().filter(|c| c.attnum != 0) {
        let on = ObjectAddress::column(rel.oid, c.attnum);
        ctx.catalog.record_dependency(me, on, DependencyKind::Auto)?;
    }
    if n.columns.iter().all(|c| c.attnum == 0) {
        let table = ObjectAddress::new(pg_class::TABLE, rel.oid);
        ctx.catalog.record_dependency(me, table, DependencyKind::Auto)?;
    }
    if n.deferrable {
        let of = internal_triggers::Of { constraint: oid, index, deferrable: true, deferred: n.deferred };
        internal_triggers::of_deferrable(ctx.catalog, &of, rel.oid, n.primary)?;
    }
    Ok(oid)
}

/// A constraint's column that is not there has a message of its own.
fn named_in_key(e: Error) -> Error {
    let m = &e.report().message;
    match m.strip_prefix("column \"").and_then(|m| m.strip_suffix("\" does not exist")) {
        Some(n) if e.sqlstate() == SqlState::UNDEFINED_COLUMN => {
            err!(UNDEFINED_COLUMN, "column \"{n}\" named in key does not exist")
        }
        _ => e,
    }
}

/// The index of a PRIMARY KEY or UNIQUE constraint of a table, which may be a new one (`is_new`). For a primary key the columns are NOT NULL already.
pub fn make_for_constraint(
    ctx: &CommandCtx<'_>,
    rel: &Ref<Relation>,
    c: &Constraint,
    skip_build: bool,
    is_new: bool,
) -> Result<(Oid, Oid)> {
    let primary = c.contype == ConstrType::Primary;
    let exclusion = c.contype == ConstrType::Exclusion;
    check_tablespace(c.indexspace.as_deref())?;
    if primary {
        for oid in &rel.indexes {
            if ctx.catalog.index(*oid)?.primary {
                return Err(constraint::multiple_primary(&rel.name));
            }
        }
    }
    let elems: Vec<IndexElem> = if exclusion {
        check_method(ctx, c.access_method.as_deref().unwrap_or("gist"))?;
        c.exclusions.iter().map(|e| e.0.clone()).collect()
    } else {
        c.keys.iter().map(|k| IndexElem { name: Some(k.clone()), ..IndexElem::default() }).collect()
    };
    let mut columns = resolve_columns(ctx, rel, &elems).map_err(named_in_key)?;
    let exclude = columns
        .iter()
        .zip(&c.exclusions)
        .map(|(column, (_, op))| exclusion_operator(ctx, column, op))
        .collect::<Result<Vec<Oid>>>()?;
    let predicate = match &c.where_clause {
        Some(w) => Some(resolve_predicate(ctx, rel, w)?),
        None => None,
    };
    let num_keys = columns.len();
    for n in &c.including {
        columns.push(included(rel, n)?);
    }
    let name = match &c.conname {
        Some(n) => n.clone(),
        None if primary => {
            naming::choose_relation_name(ctx.catalog, &rel.name, None, "pkey", rel.namespace, true)?
        }
        None if exclusion => {
            let wanted: Vec<Option<String>> = columns.iter().map(|c| c.name.clone()).collect();
            let names = naming::index_column_names(&wanted);
            let joined = naming::join_columns(names.iter().map(String::as_str));
            naming::choose_relation_name(ctx.catalog, &rel.name, Some(&joined), "excl", rel.namespace, true)?
        }
        None => {
            let all = c.keys.iter().chain(&c.including).map(String::as_str);
            let joined = naming::join_columns(all);
            naming::choose_relation_name(ctx.catalog, &rel.name, Some(&joined), "key", rel.namespace, true)?
        }
    };
    if naming::constraint_on_relation(ctx.catalog, rel.oid, &name)? {
        bail!(DUPLICATE_OBJECT, "constraint \"{name}\" for relation \"{}\" already exists", rel.name);
    }
    let new = NewIndex {
        name,
        columns,
        num_keys,
        unique: !exclusion,
        nulls_not_distinct: c.nulls_not_distinct,
        primary,
        predicate,
        options: reloptions::merge(OptionsOf::Index, &[], &c.options, false)?,
        constraint: true,
        deferrable: c.deferrable || c.initdeferred,
        deferred: c.initdeferred,
        exclude,
        skip_build,
    };
    if !exclusion {
        let doing = if is_new { "CREATE TABLE /" } else { "ALTER TABLE / ADD" };
        let what = if primary { "PRIMARY KEY" } else { "UNIQUE" };
        let text =
            format!("{doing} {what} will create implicit index \"{}\" for table \"{}\"", new.name, rel.name);
        debug(ctx, text);
    }
    make(ctx, rel, &new)
}

/// An operator by which to exclude: commutative, and one that the index can look up, which for a btree leaves equality.
fn exclusion_operator(ctx: &CommandCtx<'_>, c: &IndexColumn, name: &[String]) -> Result<Oid> {
    let o = with_analyze(ctx, |a| a.find_operator(name, c.type_oid, c.type_oid, None))?;
    let shown = || {
        format!(
            "{}({})",
            o.name,
            with_analyze(ctx, |a| Ok(analyze::format_type_short(a, o.left)))
                .map(|l| format!("{l},{l}"))
                .unwrap_or_default()
        )
    };
    if o.commutator != o.oid {
        return Err(err!(WRONG_OBJECT_TYPE, "operator {} is not commutative", shown())
            .detail("Only commutative operators can be used in exclusion constraints."));
    }
    let class = ctx.catalog.opclass(c.opclass)?;
    if !ctx.catalog.amops_of(o.oid)?.iter().any(|a| a.family == class.family && a.purpose == b's') {
        let family =
            ctx.catalog.scan(pg_opfamily::TABLE, pg_opfamily::OID_INDEX, &[Datum::oid(class.family)])?;
        let family = family.first().map(|r| r.str(pg_opfamily::OPFNAME).to_string()).unwrap_or_default();
        return Err(err!(
            WRONG_OBJECT_TYPE,
            "operator {} is not a member of operator family \"{family}\"",
            shown()
        )
        .detail("The exclusion operator must be related to the index operator class for the constraint."));
    }
    Ok(o.oid)
}

/// How error details name an index's key columns: quoted names, expressions as SQL.
pub fn key_names(ctx: &CommandCtx<'_>, rel: &Relation, ix: &catalog::desc::IndexDesc) -> Result<Vec<String>> {
    let exprs: Vec<Expr> = match &ix.expressions {
        Some(t) => analyze::load_expr(t)?,
        None => Vec::new(),
    };
    let mut exprs = exprs.iter();
    ix.keys[..ix.num_key_atts as usize]
        .iter()
        .map(|k| match *k {
            0 => {
                let e = exprs.next().ok_or_else(|| lost("expression of index", ix.oid))?;
                let name_of = |v: &analyze::expr::Var| {
                    let a = rel.desc.attrs.get((v.attno as usize).wrapping_sub(1));
                    names::quote_ident(a.map_or("", |a| &a.name))
                };
                with_analyze(ctx, |a| analyze::expr_to_sql(a, e, &name_of))
            }
            k => Ok(names::quote_ident(&rel.desc.attrs[k as usize - 1].name)),
        })
        .collect()
}
