//! Sizes of append relations: those of their members, added up.

use super::{translate, translate_clause};
use crate::exprs::*;
use crate::initsplan::{make_ri, with_merge_info};
use crate::paths::base;
use crate::relids::Relids;
use crate::root::*;
use analyze::expr::*;
use common::Result;
use std::rc::Rc;

/// Rows and widths of an append relation whose output columns are `exprs`; its members get their clauses on the way.
pub fn set_size(g: &Glob<'_>, root: &mut Root, rti: u32, exprs: Vec<Expr>) -> Result<()> {
    let (mut rows, mut bytes) = (0.0, 0.0);
    let mut widths = vec![0.0; exprs.len()];
    let (mut live, mut parallel) = (false, true);
    for m in root.rel(rti).members.clone() {
        let own: Vec<Expr> = exprs.iter().map(|e| translate(root, m, e)).collect();
        prepare(g, root, rti, m, &own)?;
        if root.rel(m).dummy {
            let t = root.finish_target(g, own, vec![0; exprs.len()]);
            root.rel_mut(m).target = Rc::new(t);
        } else {
            base::set_size(g, root, m, own)?;
        }
        let rel = root.rel(m);
        if rel.dummy {
            root.total_pages -= rel.pages;
            continue;
        }
        live = true;
        parallel &= rel.consider_parallel;
        rows += rel.rows;
        bytes += f64::from(rel.target.width) * rel.rows;
        for (w, e) in widths.iter_mut().zip(&rel.target.exprs) {
            *w += f64::from(root.expr_width(g, e)) * rel.rows;
        }
    }
    let per_row = |x: f64| if rows > 0.0 { (x / rows).round_ties_even() as i32 } else { 0 };
    let known: Vec<(i16, i32)> = exprs
        .iter()
        .zip(&widths)
        .filter_map(|(e, w)| match e {
            Expr::Var(v) => Some((v.attno, per_row(*w))),
            _ => None,
        })
        .collect();
    root.rel_mut(rti).widths = known;
    let n = exprs.len();
    let mut t = root.finish_target(g, exprs, vec![0; n]);
    t.width = per_row(bytes);
    let rel = root.rel_mut(rti);
    rel.target = Rc::new(t);
    rel.dummy |= !live;
    rel.consider_parallel = live && parallel;
    rel.rows = if rel.dummy { 0.0 } else { rows };
    rel.tuples = rows;
    Ok(())
}

/// Gives a member the parent's clauses in its own terms; those that become constant decide at once.
fn prepare(g: &Glob<'_>, root: &mut Root, rti: u32, m: u32, own: &[Expr]) -> Result<()> {
    let parent = root.rel(rti);
    let (clauses, joins) = (parent.base_clauses.clone(), parent.join_clauses.clone());
    let (classes, lateral, startup) = (parent.has_eclass_joins, parent.lateral, parent.consider_startup);
    let mut out = Vec::new();
    let mut empty = parent.dummy;
    for ri in &clauses {
        let mut e = translate(root, m, &ri.clause);
        let before = e.clone();
        fold::fold(g.ctx, &mut e)?;
        match bool_const(&e) {
            Some(true) if !ri.pseudoconstant => continue,
            Some(false) => empty = true,
            _ => {}
        }
        empty |= const_null(&e);
        if equal(&before, &e) {
            out.push(translate_clause(g, root, m, ri));
            continue;
        }
        for c in to_and_list(Some(canonicalize(e))) {
            let pseudo = pull_rtis(&c).is_empty() && !contains_volatile(g.ctx, &c);
            root.has_pseudoconstant |= pseudo;
            let (down, delayed) = (ri.is_pushed_down, ri.outerjoin_delayed);
            let (outer, nullable) = (ri.outer_relids, ri.nullable_relids);
            let n = make_ri(g, c, down, delayed, pseudo, ri.required_relids, outer, nullable);
            out.push(with_merge_info(g, n));
        }
    }
    let joins: Vec<Ri> = joins.iter().map(|r| translate_clause(g, root, m, r)).collect();
    let mut vars = Vec::new();
    own.iter().for_each(|e| pull_vars(e, false, &mut vars));
    let needed: Vec<(Expr, Relids)> = vars.into_iter().map(|v| (v.clone(), Relids::single(0))).collect();
    let rel = root.rel_mut(m);
    rel.base_clauses = out;
    rel.join_clauses = joins;
    rel.has_eclass_joins = classes;
    rel.lateral = lateral;
    rel.consider_startup = startup;
    rel.needed = needed;
    rel.dummy |= empty;
    Ok(())
}
