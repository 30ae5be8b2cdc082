//! LIKE in CREATE TABLE: columns copied from another table, and with INCLUDING what hangs on them.

use crate::columns::{Default, NewColumn};
use crate::constraint::Check;
use crate::ctx::CommandCtx;
use crate::index::{self, IndexColumn, NewIndex};
use crate::{aclcheck, comment, naming, sequence_ddl, target};
use analyze::expr::{Expr, VarNo};
use analyze::walk;
use catalog::Ref;
use catalog::columns::{pg_class, pg_constraint};
use catalog::depend::ObjectAddress;
use catalog::desc::Relation;
use common::{Oid, Result, bail};
use parser::ast::*;
use transam::LockMode;

/// What is still to be copied once the table exists.
pub struct Likeness {
    source: Ref<Relation>,
    options: u32,
    /// New attribute number by the source's.
    map: Vec<i16>,
    checks: Vec<(String, Expr, bool)>,
}

impl Likeness {
    /// The new table's columns have other numbers: `moved` by those they were read with.
    pub fn renumber(&mut self, moved: &[i16]) -> Result<()> {
        for n in self.map.iter_mut().filter(|n| **n > 0) {
            *n = moved.get(*n as usize - 1).copied().unwrap_or(*n);
        }
        self.checks.iter_mut().try_for_each(|c| remap(&mut c.1, moved))
    }
    /// CHECK constraints to be made.
    pub fn checks(&self) -> Vec<Check> {
        let check = |(name, expr, no_inherit): &(String, Expr, bool)| Check {
            name: name.clone(),
            expr: expr.clone(),
            no_inherit: *no_inherit,
            validated: true,
        };
        self.checks.iter().map(check).collect()
    }
}

/// Renumbers the columns of an expression.
pub fn remap(e: &mut Expr, map: &[i16]) -> Result<()> {
    let mut whole_row = false;
    walk::walk_mut(e, 0, &mut |x, _| {
        if let Expr::Var(v) = x
            && matches!(v.varno, VarNo::Rte(_))
        {
            whole_row |= v.attno == 0;
            if v.attno > 0 {
                v.attno = map.get(v.attno as usize - 1).copied().unwrap_or(0);
                v.syn.1 = v.attno;
            }
        }
        true
    });
    if whole_row {
        bail!(FEATURE_NOT_SUPPORTED, "cannot convert whole-row table reference");
    }
    Ok(())
}

/// Reads a LIKE clause; `first` is the number of columns before it.
pub fn read(ctx: &CommandCtx<'_>, l: &TableLikeClause, first: usize) -> Result<(Vec<NewColumn>, Likeness)> {
    let source = target::open_relation(ctx, &l.relation, LockMode::AccessShare)
        .map_err(|e| e.at_if_none(Some(l.relation.location)))?;
    if !matches!(source.kind, b'r' | b'v' | b'm' | b'c' | b'f') {
        let what = if source.kind == b'S' { "sequences" } else { "indexes" };
        return Err(common::err!(
            WRONG_OBJECT_TYPE,
            "relation \"{}\" is invalid in LIKE clause",
            source.name
        )
        .detail(format!("This operation is not supported for {what}."))
        .at(l.relation.location));
    }
    aclcheck::check_relation(ctx, &source, crate::acl::SELECT)?;
    let has = |bit: u32| l.options & bit != 0;
    let mut map = vec![0i16; source.desc.len()];
    let mut next = first as i16;
    for (i, a) in source.desc.attrs.iter().enumerate() {
        if !a.dropped {
            next += 1;
            map[i] = next;
        }
    }
    let sequences = sequence_ddl::owned_sequences(ctx.catalog, source.oid)?;
    let mut columns = Vec::new();
    for (i, a) in source.desc.attrs.iter().enumerate().filter(|(_, a)| !a.dropped) {
        let mut attr = a.clone();
        attr.missing = None;
        attr.has_default = false;
        if !has(like_option::STORAGE) {
            attr.storage = ctx.catalog.type_desc(a.type_oid)?.storage;
        }
        if !has(like_option::COMPRESSION) {
            attr.compression = 0;
        }
        let mut identity = None;
        if a.identity != 0 && has(like_option::IDENTITY) {
            let seq = sequences.iter().find(|(_, c, id)| *c == i as i16 + 1 && *id);
            identity = Some(seq.map(|s| identity_options(ctx, s.0)).transpose()?.unwrap_or_default());
        } else {
            attr.identity = 0;
        }
        let stored = source.defaults.iter().find(|d| d.attnum == i as i16 + 1);
        let wanted = if a.generated != 0 { like_option::GENERATED } else { like_option::DEFAULTS };
        if !has(like_option::GENERATED) {
            attr.generated = 0;
        }
        let default = match stored {
            Some(d) if has(wanted) => {
                let mut e: Expr = analyze::load_expr(&d.bin)?;
                remap(&mut e, &map)?;
                Default::Resolved(e)
            }
            _ => Default::None,
        };
        columns.push(NewColumn { attr, ndims: 0, default, serial: false, identity, explicit_null: false });
    }
    let mut checks = Vec::new();
    if has(like_option::CONSTRAINTS) {
        for c in &source.checks {
            let mut e: Expr = analyze::load_expr(&c.bin)?;
            remap(&mut e, &map)?;
            checks.push((c.name.clone(), e, c.no_inherit));
        }
    }
    Ok((columns, Likeness { source, options: l.options, map, checks }))
}

/// A sequence's definition as options.
fn identity_options(ctx: &CommandCtx<'_>, seq: Oid) -> Result<Vec<DefElem>> {
    let p = sequence_ddl::params(ctx.catalog, seq)?;
    let n = |name: &str, v: i64| DefElem::new(name, Some(DefArg::Float(v.to_string())), 0);
    // The copy counts in bigint between the bounds of the column it is copied from.
    let bigint = TypeName { names: vec!["pg_catalog".into(), "int8".into()], ..TypeName::default() };
    Ok(vec![
        DefElem::new("as", Some(DefArg::TypeName(Box::new(bigint))), 0),
        n("increment", p.increment),
        n("maxvalue", p.max),
        n("minvalue", p.min),
        n("start", p.start),
        n("cache", p.cache),
        DefElem::new("cycle", Some(DefArg::Boolean(p.cycle)), 0),
    ])
}

fn exclusion_operators(ctx: &CommandCtx<'_>, ix: &catalog::desc::IndexDesc) -> Result<Vec<Oid>> {
    use catalog::columns::pg_constraint::*;
    if !ix.exclusion {
        return Ok(Vec::new());
    }
    let rows = ctx.catalog.scan(TABLE, OID_INDEX, &[types::Datum::oid(ix.constraint)])?;
    Ok(rows.first().map(|r| catalog::literal::oid_items(r.bytes(CONEXCLOP))).unwrap_or_default())
}

/// INCLUDING COMMENTS on columns and CHECK constraints; those on indexes go with the indexes.
pub fn add_comments(ctx: &CommandCtx<'_>, table: Oid, l: &Likeness) -> Result<()> {
    if l.options & like_option::COMMENTS == 0 {
        return Ok(());
    }
    for (i, to) in l.map.iter().enumerate().filter(|(_, to)| **to > 0) {
        let of = |object, sub: i16| ObjectAddress { class: pg_class::TABLE, object, sub: i32::from(sub) };
        comment::copy(ctx, of(l.source.oid, i as i16 + 1), of(table, *to))?;
    }
    if l.options & like_option::CONSTRAINTS != 0 {
        let new = ctx.catalog.relation(table)?;
        for c in &l.source.checks {
            if let Some(n) = new.checks.iter().find(|n| n.name == c.name) {
                let of = |oid| ObjectAddress::new(pg_constraint::TABLE, oid);
                comment::copy(ctx, of(c.oid), of(n.oid))?;
            }
        }
    }
    Ok(())
}

/// INCLUDING INDEXES: copies of the source's indexes.
pub fn add_indexes(ctx: &CommandCtx<'_>, table: Oid, l: &Likeness) -> Result<()> {
    if l.options & like_option::INDEXES == 0 {
        return Ok(());
    }
    for oid in &l.source.indexes {
        let ix = ctx.catalog.index(*oid)?;
        let mut exprs: Vec<Expr> = match &ix.expressions {
            Some(t) => analyze::load_expr(t)?,
            None => Vec::new(),
        };
        exprs.iter_mut().try_for_each(|e| remap(e, &l.map))?;
        let mut exprs = exprs.into_iter();
        let rel = ctx.catalog.relation(table)?;
        let mut columns = Vec::new();
        for (i, k) in ix.keys.iter().enumerate() {
            let a = &ix.rel.rel.desc.attrs[i];
            let is_key = i < ix.num_key_atts as usize;
            columns.push(IndexColumn {
                attnum: if *k > 0 { l.map[*k as usize - 1] } else { 0 },
                expr: if *k > 0 { None } else { exprs.next() },
                type_oid: a.type_oid,
                typmod: a.typmod,
                collation: if is_key { ix.collations[i] } else { Oid::INVALID },
                opclass: if is_key { ix.opclasses[i] } else { Oid::INVALID },
                option: if is_key { ix.options[i] } else { 0 },
                name: Some(a.name.clone()),
            });
        }
        let mut predicate: Option<Expr> = ix.predicate.as_deref().map(analyze::load_expr).transpose()?;
        if let Some(p) = &mut predicate {
            remap(p, &l.map)?;
        }
        let constraint = ix.constraint.is_valid();
        let joined = naming::join_columns(columns.iter().filter_map(|c| c.name.as_deref()));
        let (second, label) = match (ix.primary, constraint) {
            (true, _) => (None, "pkey"),
            (_, true) if ix.exclusion => (Some(joined.as_str()), "excl"),
            (_, true) => (Some(joined.as_str()), "key"),
            _ => (Some(joined.as_str()), "idx"),
        };
        let name =
            naming::choose_relation_name(ctx.catalog, &rel.name, second, label, rel.namespace, constraint)?;
        let new = NewIndex {
            name,
            columns,
            num_keys: ix.num_key_atts as usize,
            unique: ix.unique,
            nulls_not_distinct: ix.nulls_not_distinct,
            primary: ix.primary,
            predicate,
            options: ctx.catalog.relation(*oid)?.options.clone(),
            constraint,
            deferrable: constraint && !ix.immediate,
            deferred: ix.deferred,
            exclude: exclusion_operators(ctx, &ix)?,
            skip_build: false,
        };
        let (made, _) = index::make(ctx, &rel, &new)?;
        if l.options & like_option::COMMENTS != 0 {
            let of = |oid| ObjectAddress::new(pg_class::TABLE, oid);
            comment::copy(ctx, of(*oid), of(made))?;
        }
    }
    Ok(())
}

/// INCLUDING STATISTICS: copies of the source's statistics objects.
pub fn add_statistics(ctx: &CommandCtx<'_>, table: Oid, l: &Likeness) -> Result<()> {
    if l.options & like_option::STATISTICS == 0 {
        return Ok(());
    }
    let comments = l.options & like_option::COMMENTS != 0;
    crate::statistics::copy(ctx, l.source.oid, &*ctx.catalog.relation(table)?, &l.map, comments)
}
