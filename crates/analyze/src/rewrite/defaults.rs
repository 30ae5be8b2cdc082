//! Defaults: columns an INSERT does not mention, DEFAULT markers, identity columns, and what may not be assigned.
//! Afterwards an INSERT's target list has one entry for every attribute of the table, in order (dropped and generated
//! ones as NULL; the executor computes generated columns).

use crate::coerce::make_const;
use crate::ctx::AnalyzeCtx;
use crate::expr::*;
use crate::query::*;
use catalog::desc::Relation;
use common::{Oid, Result, err};
use types::{Attribute, Datum, oids};

/// Completes an INSERT or UPDATE.
pub fn fill(ctx: &AnalyzeCtx<'_>, q: &mut Query) -> Result<()> {
    let RteKind::Relation { relid, .. } = q.rte(q.result_relation).kind else { return Ok(()) };
    let rel = ctx.catalog.relation(relid)?;
    if q.command == CmdType::Insert {
        fill_insert(ctx, q, &rel)?;
        if let Some(oc) = &mut q.on_conflict {
            fill_update(ctx, &mut oc.set, &rel)?;
        }
        return Ok(());
    }
    if q.command == CmdType::Merge {
        return fill_merge(ctx, q, &rel);
    }
    fill_update(ctx, &mut q.target_list, &rel)
}

fn fill_merge(ctx: &AnalyzeCtx<'_>, q: &mut Query, rel: &Relation) -> Result<()> {
    for i in 0..q.merge_actions.len() {
        let a = &mut q.merge_actions[i];
        match a.command {
            Some(CmdType::Update) => fill_update(ctx, &mut a.target_list, rel)?,
            Some(CmdType::Insert) => {
                // The query stands in for the INSERT it is not.
                let (list, overriding) = (std::mem::take(&mut a.target_list), a.overriding);
                q.target_list = list;
                q.overriding = overriding;
                fill_insert(ctx, q, rel)?;
                q.merge_actions[i].target_list = std::mem::take(&mut q.target_list);
                q.overriding = Overriding::None;
            }
            _ => {}
        }
    }
    Ok(())
}

/// The default of a column as an expression of its type; `None` if it has none.
pub fn column_default(ctx: &AnalyzeCtx<'_>, rel: &Relation, attno: i16) -> Result<Option<Expr>> {
    let a = &rel.desc.attrs[attno as usize - 1];
    if a.generated != 0 {
        return Ok(None);
    }
    if let Some(d) = rel.defaults.iter().find(|d| d.attnum == attno) {
        return Ok(Some(Expr::clone(&*crate::load_stored(&d.bin)?)));
    }
    if a.identity != 0 {
        return identity_default(ctx, rel, attno).map(Some);
    }
    let t = ctx.catalog.type_desc(a.type_oid)?;
    if t.typtype == b'd'
        && let Some(bin) = ctx.catalog.type_default(t.oid)?
    {
        let e = crate::load_expr(&bin)?;
        return crate::stand_alone::coerce_for_assignment(ctx, e, a.type_oid, a.typmod);
    }
    if types::UserClass::Base.is(t.oid)
        && let Some(text) = ctx.catalog.type_default_text(t.oid)?
    {
        let value = ctx.input(t.oid, &text, -1)?;
        return Ok(Some(crate::coerce::make_const(t.oid, value)));
    }
    if t.typtype == b'd' {
        // A domain's NULL still has to pass the domain's constraints.
        let null = null_of(ctx, a)?;
        return Ok(Some(null));
    }
    Ok(None)
}

/// The next value of the sequence an identity column owns.
fn identity_default(ctx: &AnalyzeCtx<'_>, rel: &Relation, attno: i16) -> Result<Expr> {
    use catalog::depend::{DependencyKind, ObjectAddress};
    let a = &rel.desc.attrs[attno as usize - 1];
    let column = ObjectAddress::column(rel.oid, attno);
    for d in ctx.catalog.dependents(column)? {
        if d.kind == DependencyKind::Internal
            && d.depender.class == column.class
            && d.depender.sub == 0
            && ctx.catalog.relation(d.depender.object)?.kind == b'S'
        {
            return Ok(Expr::NextValue { seqid: d.depender.object, type_oid: a.type_oid });
        }
    }
    Err(common::Error::internal(format!(
        "no owned sequence found for identity column \"{}\" of relation \"{}\"",
        a.name, rel.name
    )))
}

fn null_of(ctx: &AnalyzeCtx<'_>, a: &Attribute) -> Result<Expr> {
    if a.dropped {
        return Ok(make_const(oids::INT4, Datum::Null));
    }
    let (base, base_mod) = ctx.base_type(a.type_oid, a.typmod)?;
    let c = Expr::Const(Const {
        consttype: base,
        typmod: base_mod,
        collation: a.collation,
        value: Datum::Null,
        location: None,
    });
    Ok(if base == a.type_oid {
        c
    } else {
        Expr::CoerceToDomain {
            arg: Box::new(c),
            result_type: a.type_oid,
            typmod: a.typmod,
            collation: a.collation,
            form: CoercionForm::ImplicitCast,
            location: None,
        }
    })
}

fn is_default(e: &Expr) -> bool {
    matches!(e, Expr::SetToDefault { .. })
}

fn not_default(a: &Attribute) -> common::Error {
    let e = err!(GENERATED_ALWAYS, "cannot insert a non-DEFAULT value into column \"{}\"", a.name);
    if a.generated != 0 {
        e.detail(format!("Column \"{}\" is a generated column.", a.name))
    } else {
        e.detail(format!("Column \"{}\" is an identity column defined as GENERATED ALWAYS.", a.name))
            .hint("Use OVERRIDING SYSTEM VALUE to override.")
    }
}

/// Column of the multi-row VALUES an entry copies.
fn values_column(q: &Query, e: &Expr) -> Option<(u32, usize)> {
    match e {
        Expr::Var(Var { varno: VarNo::Rte(n), attno, levels_up: 0, .. }) if *attno > 0 => {
            matches!(q.rte(*n).kind, RteKind::Values { .. }).then_some((*n, *attno as usize - 1))
        }
        _ => None,
    }
}

fn fill_insert(ctx: &AnalyzeCtx<'_>, q: &mut Query, rel: &Relation) -> Result<()> {
    let given = std::mem::take(&mut q.target_list);
    let mut out: Vec<TargetEntry> = Vec::with_capacity(rel.desc.len());
    for (i, a) in rel.desc.attrs.iter().enumerate() {
        let attno = i as i16 + 1;
        let entry = given.iter().find(|t| t.resno == attno).map(|t| t.expr.clone());
        let mut value = entry;
        if let Some(e) = value.clone()
            && !a.dropped
        {
            let column = values_column(q, &e);
            let all_default = match column {
                Some((n, c)) => match &q.rte(n).kind {
                    RteKind::Values { lists, .. } => lists.iter().all(|l| is_default(&l[c])),
                    _ => false,
                },
                None => is_default(&e),
            };
            if all_default {
                value = None;
            } else if a.generated != 0 {
                return Err(not_default(a));
            } else if a.identity != 0 && q.overriding == Overriding::User {
                value = None;
            } else if a.identity == b'a' && q.overriding != Overriding::System {
                return Err(not_default(a));
            } else if let Some((n, c)) = column {
                replace_in_values(ctx, q, rel, attno, n, c)?;
            }
        }
        let expr = match value {
            Some(e) => e,
            None if a.dropped || a.generated != 0 => null_of(ctx, a)?,
            None => match column_default(ctx, rel, attno)? {
                Some(e) => e,
                None => null_of(ctx, a)?,
            },
        };
        out.push(TargetEntry {
            expr,
            resno: attno,
            name: Some(a.name.as_str().into()),
            sort_group_ref: 0,
            orig: (Oid::INVALID, 0),
            junk: false,
        });
    }
    drop_value_markers(ctx, q)?;
    q.target_list = out;
    Ok(())
}

/// DEFAULT items in one column of a multi-row VALUES.
fn replace_in_values(
    ctx: &AnalyzeCtx<'_>,
    q: &mut Query,
    rel: &Relation,
    attno: i16,
    n: u32,
    c: usize,
) -> Result<()> {
    let default = match column_default(ctx, rel, attno)? {
        Some(e) => e,
        None => null_of(ctx, &rel.desc.attrs[attno as usize - 1])?,
    };
    if let RteKind::Values { lists, .. } = &mut q.rtable[n as usize - 1].kind {
        for l in lists.iter_mut().filter(|l| is_default(&l[c])) {
            l[c] = default.clone();
        }
    }
    Ok(())
}

/// Markers left in columns whose values are not used.
fn drop_value_markers(_ctx: &AnalyzeCtx<'_>, q: &mut Query) -> Result<()> {
    for r in &mut q.rtable {
        if let RteKind::Values { lists, .. } = &mut r.kind {
            for e in lists.iter_mut().flatten() {
                if let Expr::SetToDefault { type_oid, typmod, collation, .. } = e {
                    *e = Expr::Const(Const {
                        consttype: *type_oid,
                        typmod: *typmod,
                        collation: *collation,
                        value: Datum::Null,
                        location: None,
                    });
                }
            }
        }
    }
    Ok(())
}

fn fill_update(ctx: &AnalyzeCtx<'_>, list: &mut Vec<TargetEntry>, rel: &Relation) -> Result<()> {
    for t in list.iter_mut().filter(|t| !t.junk) {
        let a = &rel.desc.attrs[t.resno as usize - 1];
        if a.generated != 0 {
            if !is_default(&t.expr) {
                return Err(err!(GENERATED_ALWAYS, "column \"{}\" can only be updated to DEFAULT", a.name)
                    .detail(format!("Column \"{}\" is a generated column.", a.name)));
            }
            continue;
        }
        if a.identity == b'a' && !is_default(&t.expr) {
            return Err(err!(GENERATED_ALWAYS, "column \"{}\" can only be updated to DEFAULT", a.name)
                .detail(format!(
                    "Column \"{}\" is an identity column defined as GENERATED ALWAYS.",
                    a.name
                )));
        }
        if is_default(&t.expr) {
            t.expr = match column_default(ctx, rel, t.resno)? {
                Some(e) => e,
                None => null_of(ctx, a)?,
            };
        }
    }
    // The executor computes generated columns of every new row version.
    list.retain(|t| t.junk || rel.desc.attrs[t.resno as usize - 1].generated == 0);
    Ok(())
}
