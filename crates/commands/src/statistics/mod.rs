//! Statistics objects: CREATE, ALTER and DROP STATISTICS (this file and `alter`), and what ANALYZE computes: `column` of one
//! column's values, `extended` of several together, `sample` expressions over the sampled rows, `store` rows of
//! `pg_statistic`, `build` the whole for a table.

pub mod alter;
pub mod build;
pub mod column;
mod extended;
mod qsort;
mod sample;
pub mod store;

use crate::analysis::{notice_as, transform, with_analyze};
use crate::ctx::CommandCtx;
use crate::{acl, aclcheck, comment, expr_depend, naming, target};
use analyze::expr::{Expr, VarNo};
use analyze::{ExprContext, ExprRel, info};
use catalog::builtins::BTREE_AM;
use catalog::columns::pg_statistic_ext::*;
use catalog::columns::{pg_class, pg_namespace};
use catalog::depend::{DependencyKind, ObjectAddress};
use catalog::desc::Relation;
use catalog::ext_stats::{KIND_DEPENDENCIES, KIND_EXPRESSIONS, KIND_MCV_LIST, KIND_NDISTINCT};
use catalog::{CatRow, literal};
use common::{Oid, Result, SqlState, bail, err};
use parser::ast::{CreateStatsStmt, RangeVar, StatsElem, TableExpr};
use transam::LockMode;
use types::Datum;

/// Columns and expressions a statistics object may have.
const MAX_DIMENSIONS: usize = 8;

/// Words of CREATE STATISTICS and what `stxkind` calls them, in the order they are stored and shown.
pub const KINDS: [(&str, u8); 3] =
    [("ndistinct", KIND_NDISTINCT), ("dependencies", KIND_DEPENDENCIES), ("mcv", KIND_MCV_LIST)];

/// The expressions of a statistics object.
pub fn expressions(row: &CatRow) -> Result<Vec<Expr>> {
    match row.text(STXEXPRS) {
        Some(t) => analyze::load_expr(&t),
        None => Ok(Vec::new()),
    }
}

/// What is computed for a statistics object: letters of `stxkind`.
pub fn kinds(row: &CatRow) -> Vec<u8> {
    let letter = |d| if let Datum::I8(c) = d { c as u8 } else { 0 };
    literal::array_items(row.bytes(STXKIND)).into_iter().map(letter).collect()
}

/// The object of a name in a schema.
pub fn named(ctx: &CommandCtx<'_>, ns: Oid, name: &str) -> Result<Option<CatRow>> {
    let keys = [Datum::text(name), Datum::oid(ns)];
    Ok(ctx.catalog.scan(TABLE, NAME_INDEX, &keys)?.into_iter().next())
}

/// What is to be made.
#[derive(Default)]
struct New {
    keys: Vec<i16>,
    exprs: Vec<Expr>,
    /// Letters of the kinds asked for; none: all of them.
    kinds: Vec<u8>,
}

/// Runs CREATE STATISTICS.
pub fn create(ctx: &CommandCtx<'_>, s: &CreateStatsStmt) -> Result<String> {
    let tag = || Ok("CREATE STATISTICS".into());
    let Some(rv) = relation_named(s) else {
        bail!(FEATURE_NOT_SUPPORTED, "CREATE STATISTICS only supports relation names in the FROM clause");
    };
    let rel = target::open_relation(ctx, rv, LockMode::ShareUpdateExclusive)?;
    let exprs = s.exprs.iter().map(|e| element(ctx, &rel, e)).collect::<Result<Vec<_>>>()?;
    if s.relations.len() != 1 {
        bail!(FEATURE_NOT_SUPPORTED, "only a single relation is allowed in CREATE STATISTICS");
    }
    check_relation(ctx, &rel)?;
    let wanted = target::range_var(&s.defnames)?;
    let ns = creation_schema(ctx, &wanted)?;
    let name = naming::clip(&wanted.relname, naming::NAME_MAX).to_string();
    if named(ctx, ns, &name)?.is_some() {
        if s.if_not_exists {
            let text = format!("statistics object \"{name}\" already exists, skipping");
            notice_as(ctx, SqlState::DUPLICATE_OBJECT, text);
            return tag();
        }
        bail!(DUPLICATE_OBJECT, "statistics object \"{name}\" already exists");
    }
    let new = resolve(ctx, &rel, exprs, &s.stat_types)?;
    make(ctx, &rel, ns, &name, &new)?;
    tag()
}

/// The first relation of FROM, if it is a plain one.
fn relation_named(s: &CreateStatsStmt) -> Option<&RangeVar> {
    match s.relations.first() {
        Some(TableExpr::RangeVar(r)) => Some(r),
        _ => None,
    }
}

fn creation_schema(ctx: &CommandCtx<'_>, rv: &RangeVar) -> Result<Oid> {
    let (ns, _) = target::creation_target(ctx, rv).map_err(|mut e| {
        e.report_mut().position = None;
        e
    })?;
    aclcheck::check_namespace(ctx, ns, acl::CREATE)?;
    Ok(ns)
}

fn check_relation(ctx: &CommandCtx<'_>, rel: &Relation) -> Result<()> {
    if !matches!(rel.kind, b'r' | b'm' | b'f' | b'p') {
        let of = match rel.kind {
            b'v' => "views",
            b'S' => "sequences",
            b'i' => "indexes",
            b't' => "TOAST tables",
            b'c' => "composite types",
            _ => "such relations",
        };
        return Err(err!(WRONG_OBJECT_TYPE, "cannot define statistics for relation \"{}\"", rel.name)
            .detail(format!("This operation is not supported for {of}.")));
    }
    target::check_relation_owner(ctx, rel)?;
    target::check_not_catalog(rel)
}

/// A column by name, or an expression.
enum Element {
    Column(String),
    Expr(Expr),
}

fn element(ctx: &CommandCtx<'_>, rel: &Relation, e: &StatsElem) -> Result<Element> {
    match (&e.name, &e.expr) {
        (Some(n), _) => Ok(Element::Column(n.clone())),
        (None, Some(x)) => {
            let r = ExprRel { name: &rel.name, oid: rel.oid, desc: &rel.desc };
            transform(ctx, x, ExprContext::StatsExpr, Some(r), None).map(Element::Expr)
        }
        (None, None) => Err(common::Error::internal("statistics element without name and expression")),
    }
}

fn has_order(ctx: &CommandCtx<'_>, t: Oid) -> Result<bool> {
    Ok(ctx.catalog.default_opclass(BTREE_AM, t)?.is_some())
}

fn shown_type(ctx: &CommandCtx<'_>, t: Oid) -> Result<String> {
    with_analyze(ctx, |a| Ok(analyze::format_type_short(a, t)))
}

const SYSTEM_COLUMN: &str = "statistics creation on system columns is not supported";

/// A column's number, if there can be statistics on it.
fn key(ctx: &CommandCtx<'_>, rel: &Relation, name: &str) -> Result<i16> {
    let Some(i) = rel.desc.attrs.iter().position(|a| !a.dropped && a.name == name) else {
        if catalog::bootstrap::SYSTEM_COLUMNS.iter().any(|(n, _, _)| *n == name) {
            bail!(FEATURE_NOT_SUPPORTED, "{SYSTEM_COLUMN}");
        }
        bail!(UNDEFINED_COLUMN, "column \"{name}\" does not exist");
    };
    let t = rel.desc.attrs[i].type_oid;
    if !has_order(ctx, t)? {
        bail!(
            FEATURE_NOT_SUPPORTED,
            "column \"{name}\" cannot be used in statistics because its type {} has no default btree operator class",
            shown_type(ctx, t)?
        );
    }
    Ok(i as i16 + 1)
}

fn resolve(ctx: &CommandCtx<'_>, rel: &Relation, elements: Vec<Element>, words: &[String]) -> Result<New> {
    let n = elements.len();
    if n > MAX_DIMENSIONS {
        bail!(TOO_MANY_COLUMNS, "cannot have more than {MAX_DIMENSIONS} columns in statistics");
    }
    let mut new = New::default();
    for e in elements {
        match e {
            Element::Column(name) => new.keys.push(key(ctx, rel, &name)?),
            // `(a)` is the column.
            Element::Expr(Expr::Var(v)) => match usize::try_from(i32::from(v.attno) - 1) {
                Ok(i) => new.keys.push(key(ctx, rel, &rel.desc.attrs[i].name)?),
                Err(_) => bail!(FEATURE_NOT_SUPPORTED, "{SYSTEM_COLUMN}"),
            },
            Element::Expr(e) => {
                check_expression(ctx, &e, n)?;
                new.exprs.push(e);
            }
        }
    }
    if n == 1 && new.exprs.len() == 1 && !words.is_empty() {
        bail!(
            SYNTAX_ERROR,
            "when building statistics on a single expression, statistics kinds may not be specified"
        );
    }
    let known = |w: &String| match KINDS.iter().find(|(k, _)| k == w) {
        Some((_, letter)) => Ok(*letter),
        None => Err(err!(SYNTAX_ERROR, "unrecognized statistics kind \"{w}\"")),
    };
    new.kinds = words.iter().map(known).collect::<Result<_>>()?;
    if n < 2 && new.exprs.len() != 1 {
        bail!(INVALID_OBJECT_DEFINITION, "extended statistics require at least 2 columns");
    }
    new.keys.sort_unstable();
    if new.keys.windows(2).any(|w| w[0] == w[1]) {
        bail!(DUPLICATE_COLUMN, "duplicate column name in statistics definition");
    }
    if (1..new.exprs.len())
        .any(|i| new.exprs[..i].iter().any(|e| analyze::compare::same_expr(e, &new.exprs[i])))
    {
        bail!(DUPLICATE_COLUMN, "duplicate expression in statistics definition");
    }
    Ok(new)
}

fn check_expression(ctx: &CommandCtx<'_>, e: &Expr, elements: usize) -> Result<()> {
    let mut system = false;
    analyze::walk::walk(e, 0, &mut |x, _| {
        // A whole row counts as one.
        system |= matches!(x, Expr::Var(v) if matches!(v.varno, VarNo::Rte(_)) && v.attno <= 0);
        true
    });
    if system {
        bail!(FEATURE_NOT_SUPPORTED, "{SYSTEM_COLUMN}");
    }
    let t = info::expr_type(e);
    if elements > 1 && !has_order(ctx, t)? {
        bail!(
            FEATURE_NOT_SUPPORTED,
            "expression cannot be used in multivariate statistics because its type {} has no default btree operator class",
            shown_type(ctx, t)?
        );
    }
    Ok(())
}

/// Inserts the row and its dependencies.
fn make(ctx: &CommandCtx<'_>, rel: &Relation, ns: Oid, name: &str, new: &New) -> Result<Oid> {
    let oid = ctx.catalog.new_oid(TABLE, OID_INDEX)?;
    let owner = ctx.host.role();
    let several = new.keys.len() + new.exprs.len() > 1;
    let asked = |k: u8| several && (new.kinds.is_empty() || new.kinds.contains(&k));
    let mut kinds: Vec<Datum> =
        KINDS.iter().filter(|(_, k)| asked(*k)).map(|(_, k)| Datum::I8(*k as i8)).collect();
    if !new.exprs.is_empty() {
        kinds.push(Datum::I8(KIND_EXPRESSIONS as i8));
    }
    let mut row = ctx.catalog.blank_row(TABLE);
    row[OID] = Datum::oid(oid);
    row[STXRELID] = Datum::oid(rel.oid);
    row[STXNAME] = Datum::text(name);
    row[STXNAMESPACE] = Datum::oid(ns);
    row[STXOWNER] = Datum::oid(owner);
    row[STXSTATTARGET] = Datum::I32(-1);
    row[STXKEYS] = literal::int2vector(&new.keys);
    row[STXKIND] = literal::make_array(types::oids::CHAR, &kinds, 1);
    if !new.exprs.is_empty() {
        row[STXEXPRS] = Datum::text(&analyze::store_expr(&new.exprs)?);
    }
    ctx.catalog.insert_row(TABLE, &row)?;
    let me = ObjectAddress::new(TABLE, oid);
    let table = ObjectAddress::new(pg_class::TABLE, rel.oid);
    for k in &new.keys {
        ctx.catalog.record_dependency(me, ObjectAddress::column(rel.oid, *k), DependencyKind::Auto)?;
    }
    if new.keys.is_empty() {
        ctx.catalog.record_dependency(me, table, DependencyKind::Auto)?;
    }
    for e in &new.exprs {
        for a in expr_depend::of_expr(e, rel.oid) {
            let own = a.class == pg_class::TABLE && a.object == rel.oid;
            let kind = if own { DependencyKind::Auto } else { DependencyKind::Normal };
            ctx.catalog.record_dependency(me, a, kind)?;
        }
    }
    let schema = ObjectAddress::new(pg_namespace::TABLE, ns);
    ctx.catalog.record_dependency(me, schema, DependencyKind::Normal)?;
    ctx.catalog.record_role_dependency(me, owner, b'o')?;
    ctx.engine.command_counter_increment()?;
    Ok(oid)
}

/// LIKE … INCLUDING STATISTICS: the same objects on another table. `map`: its columns by those of the source.
pub fn copy(ctx: &CommandCtx<'_>, source: Oid, table: &Relation, map: &[i16], comments: bool) -> Result<()> {
    let mut rows = ctx.catalog.scan(TABLE, RELID_INDEX, &[Datum::oid(source)])?;
    rows.sort_by_key(|r| r.oid(OID));
    for r in rows {
        let mut exprs = expressions(&r)?;
        exprs.iter_mut().try_for_each(|e| crate::create_like::remap(e, map))?;
        let keys = literal::int2_items(r.bytes(STXKEYS));
        let keys: Vec<i16> = keys.iter().map(|k| map.get(*k as usize - 1).copied().unwrap_or(0)).collect();
        let mut words: Vec<Option<String>> = Vec::new();
        for k in &keys {
            words.push(table.desc.attrs.get(*k as usize - 1).map(|a| a.name.clone()));
        }
        words.extend(exprs.iter().map(|_| None));
        let parts: Vec<&str> = words.iter().map(|w| w.as_deref().unwrap_or("expr")).collect();
        let addition = naming::join_columns(parts);
        let mut pass = 0;
        let name = loop {
            let label = if pass == 0 { "stat".to_string() } else { format!("stat{pass}") };
            let name = naming::make_object_name(&table.name, Some(&addition), Some(&label));
            if named(ctx, table.namespace, &name)?.is_none() {
                break name;
            }
            pass += 1;
        };
        let new = New { keys, exprs, kinds: kinds(&r) };
        let oid = make(ctx, table, table.namespace, &name, &new)?;
        if comments {
            let of = |oid| ObjectAddress::new(TABLE, oid);
            comment::copy(ctx, of(r.oid(OID)), of(oid))?;
        }
    }
    Ok(())
}
