//! FOREIGN KEY constraints: the referenced key found, operators chosen, the row recorded, existing rows checked. The
//! executor enforces them from `pg_constraint`.

use crate::analysis::{lost, with_analyze};
use crate::constraint::{self, ForeignPart, NewConstraint};
use crate::ctx::CommandCtx;
use crate::{acl, aclcheck, internal_triggers, naming, run_query, target};
use analyze::names;
use catalog::Ref;
use catalog::builtins::BTREE_AM;
use catalog::columns::*;
use catalog::depend::{DependencyKind, ObjectAddress};
use catalog::desc::{IndexDesc, Relation};
use common::{Error, Oid, Result, bail, err};
use parser::ast::*;
use transam::LockMode;
use types::{Datum, DatumRef, FnImpl};

fn action(a: FkAction) -> u8 {
    match a {
        FkAction::NoAction => b'a',
        FkAction::Restrict => b'r',
        FkAction::Cascade => b'c',
        FkAction::SetNull => b'n',
        FkAction::SetDefault => b'd',
    }
}

fn columns(rel: &Relation, wanted: &[String]) -> Result<Vec<i16>> {
    wanted
        .iter()
        .map(|n| match rel.desc.attrs.iter().position(|a| !a.dropped && a.name == *n) {
            Some(i) => Ok(i as i16 + 1),
            None => {
                bail!(UNDEFINED_COLUMN, "column \"{n}\" referenced in foreign key constraint does not exist")
            }
        })
        .collect()
}

/// The primary key's columns.
fn primary_key(ctx: &CommandCtx<'_>, pk: &Relation) -> Result<(Ref<IndexDesc>, Vec<i16>)> {
    for oid in &pk.indexes {
        let ix = ctx.catalog.index(*oid)?;
        if ix.primary && ix.valid {
            if !ix.immediate {
                bail!(
                    OBJECT_NOT_IN_PREREQUISITE_STATE,
                    "cannot use a deferrable primary key for referenced table \"{}\"",
                    pk.name
                );
            }
            let keys = ix.keys[..ix.num_key_atts as usize].to_vec();
            return Ok((ix, keys));
        }
    }
    bail!(UNDEFINED_OBJECT, "there is no primary key for referenced table \"{}\"", pk.name)
}

/// The unique index over exactly these columns.
fn unique_index(ctx: &CommandCtx<'_>, pk: &Relation, keys: &[i16]) -> Result<Ref<IndexDesc>> {
    for (i, k) in keys.iter().enumerate() {
        if keys[..i].contains(k) {
            bail!(INVALID_FOREIGN_KEY, "foreign key referenced-columns list must not contain duplicates");
        }
    }
    let mut deferrable = false;
    for oid in &pk.indexes {
        let ix = ctx.catalog.index(*oid)?;
        let own = &ix.keys[..ix.num_key_atts as usize];
        if ix.unique
            && ix.valid
            && ix.predicate.is_none()
            && ix.expressions.is_none()
            && own.len() == keys.len()
            && keys.iter().all(|k| own.contains(k))
        {
            if ix.immediate {
                return Ok(ix);
            }
            deferrable = true;
        }
    }
    if deferrable {
        bail!(
            OBJECT_NOT_IN_PREREQUISITE_STATE,
            "cannot use a deferrable unique constraint for referenced table \"{}\"",
            pk.name
        );
    }
    bail!(
        INVALID_FOREIGN_KEY,
        "there is no unique constraint matching given keys for referenced table \"{}\"",
        pk.name
    )
}

struct Operators {
    pf: Vec<Oid>,
    pp: Vec<Oid>,
    ff: Vec<Oid>,
}

/// Equality operators PK = FK, PK = PK, FK = FK for each column pair.
fn operators(
    ctx: &CommandCtx<'_>,
    name: &str,
    (pk, pk_keys): (&Relation, &[i16]),
    (fk, fk_keys): (&Relation, &[i16]),
    ix: &IndexDesc,
) -> Result<Operators> {
    let mut out = Operators { pf: Vec::new(), pp: Vec::new(), ff: Vec::new() };
    for (p, f) in pk_keys.iter().zip(fk_keys) {
        let (pa, fa) = (&pk.desc.attrs[*p as usize - 1], &fk.desc.attrs[*f as usize - 1]);
        let at = ix.keys.iter().position(|k| k == p).ok_or_else(|| lost("key column of index", ix.oid))?;
        let (family, in_type) = (ix.opfamilies[at], ix.opcintypes[at]);
        debug_assert!(ix.am == BTREE_AM);
        let pp = ctx
            .catalog
            .amop(family, in_type, in_type, 3)?
            .ok_or_else(|| Error::internal("missing operator of a btree family"))?;
        let (fk_base, _) = with_analyze(ctx, |a| a.base_type(fa.type_oid, fa.typmod))?;
        let cross = ctx.catalog.amop(family, in_type, fk_base, 3)?;
        let own = ctx.catalog.amop(family, fk_base, fk_base, 3)?;
        let (pf, ff) = match (cross, own) {
            (Some(pf), Some(ff)) => (pf, ff),
            _ if fk_base == in_type
                || with_analyze(ctx, |a| {
                    a.can_coerce(&[fk_base], &[in_type], analyze::coerce::Context::Implicit)
                })? =>
            {
                (pp, pp)
            }
            _ => {
                let (ft, pt) = with_analyze(ctx, |a| {
                    let shown = |t, m| analyze::format_type(a, t, m);
                    Ok((shown(fa.type_oid, -1), shown(pa.type_oid, -1)))
                })?;
                return Err(err!(
                    DATATYPE_MISMATCH,
                    "foreign key constraint \"{name}\" cannot be implemented"
                )
                .detail(format!(
                    "Key columns \"{}\" and \"{}\" are of incompatible types: {ft} and {pt}.",
                    fa.name, pa.name
                )));
            }
        };
        out.pf.push(pf);
        out.pp.push(pp);
        out.ff.push(ff);
    }
    Ok(out)
}

fn check_supported(c: &Constraint, pk: &Relation) -> Result<()> {
    if c.fk_matchtype == FkMatchType::Partial {
        bail!(FEATURE_NOT_SUPPORTED, "MATCH PARTIAL not yet implemented");
    }
    if pk.kind != b'r' {
        bail!(WRONG_OBJECT_TYPE, "referenced relation \"{}\" is not a table", pk.name);
    }
    target::check_not_catalog(pk)
}

/// A referenced row must live at least as long as the referencing one.
fn check_persistence(ctx: &CommandCtx<'_>, fk: &Relation, pk: &Relation) -> Result<()> {
    let wrong = match fk.persistence {
        b'p' if pk.persistence != b'p' => {
            "constraints on permanent tables may reference only permanent tables"
        }
        b'u' if pk.persistence == b't' => {
            "constraints on unlogged tables may reference only permanent or unlogged tables"
        }
        b't' if pk.persistence != b't' => {
            "constraints on temporary tables may reference only temporary tables"
        }
        b't' if !ctx.catalog.temp().is_own(pk.namespace) || !ctx.catalog.temp().is_own(fk.namespace) => {
            "constraints on temporary tables must involve temporary tables of this session"
        }
        _ => return Ok(()),
    };
    bail!(INVALID_TABLE_DEFINITION, "{wrong}")
}

/// Adds a foreign key to a table. Returns its name, and whether the rows that are there are to be checked.
pub fn add(ctx: &CommandCtx<'_>, fk_oid: Oid, c: &Constraint) -> Result<(String, bool)> {
    let pk_name = c.pktable.as_ref().ok_or_else(|| Error::internal("foreign key without a table"))?;
    let pk = target::open_relation(ctx, pk_name, LockMode::ShareRowExclusive)?;
    let fk = ctx.catalog.relation(fk_oid)?;
    check_supported(c, &pk)?;
    check_persistence(ctx, &fk, &pk)?;
    let fk_keys = columns(&fk, &c.fk_attrs)?;
    let set_cols = columns(&fk, &c.fk_del_set_cols)?;
    for (k, n) in set_cols.iter().zip(&c.fk_del_set_cols) {
        if !fk_keys.contains(k) {
            bail!(
                INVALID_COLUMN_REFERENCE,
                "column \"{n}\" referenced in ON DELETE SET action must be part of foreign key"
            );
        }
    }
    let (ix, pk_keys) = if c.pk_attrs.is_empty() {
        primary_key(ctx, &pk)?
    } else {
        let keys = columns(&pk, &c.pk_attrs)?;
        if keys.len() != fk_keys.len() {
            return Err(disagree());
        }
        (unique_index(ctx, &pk, &keys)?, keys)
    };
    if pk_keys.len() != fk_keys.len() {
        return Err(disagree());
    }
    aclcheck::check_relation(ctx, &pk, acl::REFERENCES)?;
    check_generated(&fk, &fk_keys, c)?;
    let name = constraint_name(ctx, &fk, c)?;
    let ops = operators(ctx, &name, (&pk, &pk_keys), (&fk, &fk_keys), &ix)?;
    let validated = !c.skip_validation;
    let oid = constraint::insert(
        ctx.catalog,
        &NewConstraint {
            name: &name,
            namespace: fk.namespace,
            kind: b'f',
            deferrable: c.deferrable,
            deferred: c.initdeferred,
            exclude: &[],
            rel: fk.oid,
            domain: Oid::INVALID,
            index: ix.oid,
            keys: &fk_keys,
            validated,
            no_inherit: true,
            bin: None,
            foreign: Some(ForeignPart {
                rel: pk.oid,
                keys: &pk_keys,
                on_update: action(c.fk_upd_action),
                on_delete: action(c.fk_del_action),
                match_type: if c.fk_matchtype == FkMatchType::Full { b'f' } else { b's' },
                pf_eq: &ops.pf,
                pp_eq: &ops.pp,
                ff_eq: &ops.ff,
                delete_set_cols: &set_cols,
            }),
        },
    )?;
    record_dependencies(ctx, oid, (&fk, &fk_keys), (&pk, &pk_keys), ix.oid)?;
    let of = internal_triggers::Of {
        constraint: oid,
        index: ix.oid,
        deferrable: c.deferrable,
        deferred: c.initdeferred,
    };
    let (on_delete, on_update) = (action(c.fk_del_action), action(c.fk_upd_action));
    internal_triggers::of_foreign_key(ctx.catalog, &of, fk.oid, pk.oid, on_delete, on_update)?;
    ctx.engine.command_counter_increment()?;
    let flag = [(pg_class::RELHASTRIGGERS, Datum::Bool(true))];
    target::update_class(ctx.catalog, fk.oid, &flag)?;
    if pk.oid != fk.oid {
        target::update_class(ctx.catalog, pk.oid, &flag)?;
    }
    Ok((name, validated))
}

fn disagree() -> Error {
    err!(INVALID_FOREIGN_KEY, "number of referencing and referenced columns for foreign key disagree")
}

fn check_generated(fk: &Relation, keys: &[i16], c: &Constraint) -> Result<()> {
    let generated = keys.iter().any(|k| fk.desc.attrs[*k as usize - 1].generated != 0);
    let word = |a, event: &str| match a {
        FkAction::SetNull => Some(format!("ON {event} SET NULL")),
        FkAction::SetDefault => Some(format!("ON {event} SET DEFAULT")),
        FkAction::Cascade if event == "UPDATE" => Some("ON UPDATE CASCADE".into()),
        _ => None,
    };
    if generated && let Some(w) = word(c.fk_upd_action, "UPDATE").or_else(|| word(c.fk_del_action, "DELETE"))
    {
        bail!(SYNTAX_ERROR, "invalid {w} action for foreign key constraint containing generated column");
    }
    Ok(())
}

fn constraint_name(ctx: &CommandCtx<'_>, fk: &Relation, c: &Constraint) -> Result<String> {
    match &c.conname {
        Some(n) => {
            if naming::constraint_on_relation(ctx.catalog, fk.oid, n)? {
                bail!(DUPLICATE_OBJECT, "constraint \"{n}\" for relation \"{}\" already exists", fk.name);
            }
            Ok(n.clone())
        }
        None => {
            let joined = naming::join_columns(c.fk_attrs.iter().map(String::as_str));
            naming::choose_constraint_name(ctx.catalog, &fk.name, Some(&joined), "fkey", fk.namespace, &[])
        }
    }
}

fn record_dependencies(
    ctx: &CommandCtx<'_>,
    oid: Oid,
    (fk, fk_keys): (&Relation, &[i16]),
    (pk, pk_keys): (&Relation, &[i16]),
    index: Oid,
) -> Result<()> {
    let me = ObjectAddress::new(pg_constraint::TABLE, oid);
    for k in fk_keys {
        ctx.catalog.record_dependency(me, ObjectAddress::column(fk.oid, *k), DependencyKind::Auto)?;
    }
    for k in pk_keys {
        ctx.catalog.record_dependency(me, ObjectAddress::column(pk.oid, *k), DependencyKind::Normal)?;
    }
    let index = ObjectAddress::new(pg_class::TABLE, index);
    ctx.catalog.record_dependency(me, index, DependencyKind::Normal)
}

fn column(table: &str, name: &str) -> parser::Expr {
    parser::Expr::ColumnRef(ColumnRef {
        fields: vec![Field::Name(table.into()), Field::Name(name.into())],
        location: 0,
    })
}

fn and(mut v: Vec<parser::Expr>, op: BoolExprType) -> Option<parser::Expr> {
    if v.len() < 2 {
        return v.pop();
    }
    Some(parser::Expr::BoolExpr(Box::new(BoolExpr { boolop: op, args: v, location: 0 })))
}

fn is_null(e: parser::Expr, not: bool) -> parser::Expr {
    parser::Expr::NullTest(Box::new(NullTest {
        arg: e,
        nulltesttype: if not { NullTestType::IsNotNull } else { NullTestType::IsNull },
        location: 0,
    }))
}

fn only(ctx: &CommandCtx<'_>, r: &Relation, alias: &str) -> Result<TableExpr> {
    let schema = ctx.catalog.namespace_name(r.namespace)?;
    Ok(TableExpr::RangeVar(Box::new(RangeVar {
        schemaname: schema.map(|s| s.to_string()),
        relname: r.name.clone(),
        inh: false,
        alias: Some(Alias { aliasname: alias.into(), colnames: Vec::new() }),
        ..RangeVar::default()
    })))
}

/// An operator's name with its schema.
fn operator_name(ctx: &CommandCtx<'_>, oid: Oid) -> Result<Vec<String>> {
    let o = ctx.catalog.operator(oid)?;
    let schema = ctx.catalog.namespace_name(o.namespace)?.unwrap_or_default();
    Ok(vec![schema.to_string(), o.name.clone()])
}

/// The rows of the referencing table without a match, as a query tree.
fn orphans(
    ctx: &CommandCtx<'_>,
    fk: &Relation,
    pk: &Relation,
    f: &catalog::desc::ForeignKey,
) -> Result<SelectStmt> {
    let pairs: Vec<(&str, &str)> = f
        .conkey
        .iter()
        .zip(&f.confkey)
        .map(|(a, b)| {
            let (a, b) = (&fk.desc.attrs[*a as usize - 1], &pk.desc.attrs[*b as usize - 1]);
            (a.name.as_str(), b.name.as_str())
        })
        .collect();
    let names = f.pf_eq.iter().map(|o| operator_name(ctx, *o)).collect::<Result<Vec<_>>>()?;
    let equal = pairs.iter().zip(&names).map(|((a, b), name)| {
        parser::Expr::AExpr(Box::new(AExpr {
            kind: AExprKind::Op,
            name: name.clone().into(),
            lexpr: Some(column("pk", b)),
            rexpr: Some(column("fk", a)),
            list: Vec::new(),
            location: 0,
        }))
    });
    let join = TableExpr::JoinExpr(Box::new(JoinExpr {
        jointype: JoinType::Left,
        is_natural: false,
        larg: only(ctx, fk, "fk")?,
        rarg: only(ctx, pk, "pk")?,
        using_clause: Vec::new(),
        join_using_alias: None,
        quals: and(equal.collect(), BoolExprType::And),
        alias: None,
        location: 0,
    }));
    let present = pairs.iter().map(|(a, _)| is_null(column("fk", a), true)).collect();
    let full = f.match_type == b'f';
    let mut conditions = vec![is_null(column("pk", pairs.first().map_or("", |p| p.1)), false)];
    conditions.extend(and(present, if full { BoolExprType::Or } else { BoolExprType::And }));
    let target_list =
        pairs.iter().map(|(a, _)| ResTarget { val: Some(column("fk", a)), ..ResTarget::default() }).collect();
    Ok(SelectStmt {
        target_list,
        from_clause: vec![join],
        where_clause: and(conditions, BoolExprType::And),
        ..SelectStmt::default()
    })
}

/// Checks all rows of the referencing table; 23503 for the first that has no partner.
pub fn validate(ctx: &CommandCtx<'_>, fk_oid: Oid, name: &str) -> Result<()> {
    crate::analysis::debug(ctx, format!("validating foreign key constraint \"{name}\""));
    let fk = ctx.catalog.relation(fk_oid)?;
    let f = fk
        .fkeys_out
        .iter()
        .find(|f| f.name == name)
        .cloned()
        .ok_or_else(|| Error::internal(format!("foreign key \"{name}\" is missing")))?;
    let pk = ctx.catalog.relation(f.confrelid)?;
    if ctx.catalog.relation_blocks(&fk)? == 0 {
        return Ok(());
    }
    let stmt = Statement::Select(Box::new(orphans(ctx, &fk, &pk, &f)?));
    let query = run_query::resolve(ctx, &stmt)?;
    let mut run = run_query::start_alone(ctx, query)?;
    let found = match run.next(1)? {
        Some(b) => {
            let row = executor::expr::colops::nth_live(b, 0);
            Some((0..f.conkey.len()).map(|c| b.cols[c].get(row).to_owned()).collect::<Vec<Datum>>())
        }
        None => None,
    };
    run.stop();
    match found {
        Some(values) => Err(violation(ctx, &fk, &pk, &f, &values)?),
        None => Ok(()),
    }
}

fn violation(
    ctx: &CommandCtx<'_>,
    fk: &Relation,
    pk: &Relation,
    f: &catalog::desc::ForeignKey,
    values: &[Datum],
) -> Result<Error> {
    let mut shown = Vec::new();
    let mut cols = Vec::new();
    for (k, v) in f.conkey.iter().zip(values) {
        let a = &fk.desc.attrs[*k as usize - 1];
        cols.push(names::quote_ident(&a.name));
        let mut text = Vec::new();
        match (v.as_ref(), ctx.catalog.registry().get(ctx.catalog.type_desc(a.type_oid)?.output)) {
            (DatumRef::Null, _) => text.extend_from_slice(b"null"),
            (v, Some(FnImpl::Output(out))) => {
                ctx.env.with_call_ctx(types::Collation::NONE, |c| out(c, v, &mut text))?;
            }
            _ => {}
        }
        shown.push(String::from_utf8_lossy(&text).into_owned());
    }
    let schema = ctx.catalog.namespace_name(fk.namespace)?.unwrap_or_default();
    let mixed = f.match_type == b'f' && values.iter().any(Datum::is_null);
    let detail = if mixed {
        "MATCH FULL does not allow mixing of null and nonnull key values.".to_string()
    } else {
        format!("Key ({})=({}) is not present in table \"{}\".", cols.join(", "), shown.join(", "), pk.name)
    };
    Ok(err!(
        FOREIGN_KEY_VIOLATION,
        "insert or update on table \"{}\" violates foreign key constraint \"{}\"",
        fk.name,
        f.name
    )
    .detail(detail)
    .schema(&*schema)
    .table(&fk.name)
    .constraint(&f.name))
}
