//! Equivalence classes: sets of expressions that a query's equality clauses make equal wherever they are all
//! available. They give transitive restrictions, the join clauses of every join order, and sort orders.

use crate::exprs::*;
use crate::initsplan;
use crate::relids::Relids;
use crate::root::*;
use analyze::expr::*;
use analyze::query::JoinType;
use common::{Oid, Result};
use hashbrown::HashMap;
use types::oids;

/// One expression of a class.
#[derive(Clone, Debug)]
pub struct EcMember {
    pub expr: Expr,
    pub relids: Relids,
    pub nullable: Relids,
    pub is_const: bool,
    pub datatype: Oid,
}

/// A set of equal expressions.
#[derive(Clone, Debug, Default)]
pub struct EquivClass {
    pub families: Vec<Oid>,
    pub collation: Oid,
    pub members: Vec<EcMember>,
    pub sources: Vec<Ri>,
    pub derives: HashMap<(usize, usize), Ri>,
    pub relids: Relids,
    pub has_const: bool,
    pub has_volatile: bool,
    pub below_outer_join: bool,
    pub broken: bool,
    pub sort_ref: u32,
    pub merged: Option<usize>,
}

/// Relabels an expression to the operator's input type and collation, so that equal expressions are equal trees.
pub fn canonical_expr(e: &Expr, req_type: Oid, collation: Oid) -> Expr {
    let ty = type_of(e);
    let req = if is_polymorphic(req_type) { ty } else { req_type };
    if ty == req && (collation_of(e) == collation || !collation.is_valid()) {
        return e.clone();
    }
    let typmod = if req != ty { -1 } else { typmod_of(e) };
    match e {
        Expr::Const(c) => {
            Expr::Const(Const { consttype: req, typmod, collation, value: c.value.clone(), location: None })
        }
        _ => {
            let inner = strip_relabel(e);
            if type_of(inner) == req && collation_of(inner) == collation && typmod_of(inner) == typmod {
                return inner.clone();
            }
            Expr::Relabel {
                arg: Box::new(inner.clone()),
                result_type: req,
                typmod,
                collation,
                form: CoercionForm::ImplicitCast,
                location: None,
            }
        }
    }
}

fn is_polymorphic(t: Oid) -> bool {
    matches!(
        t,
        oids::ANYARRAY
            | oids::ANYELEMENT
            | oids::ANYNONARRAY
            | oids::ANYENUM
            | oids::ANYRANGE
            | oids::ANYMULTIRANGE
            | oids::RECORD
    )
}

impl Root {
    /// The live class an index stands for.
    pub fn ec_id(&self, mut i: usize) -> usize {
        while let Some(m) = self.ecs[i].merged {
            i = m;
        }
        i
    }

    fn find_member(&self, expr: &Expr, ty: Oid, families: &[Oid], collation: Oid) -> Option<usize> {
        self.ecs.iter().position(|ec| {
            ec.merged.is_none()
                && !ec.has_volatile
                && ec.collation == collation
                && ec.families == families
                && ec
                    .members
                    .iter()
                    .any(|m| m.datatype == ty && !(ec.below_outer_join && m.is_const) && equal(&m.expr, expr))
        })
    }

    fn add_member(&mut self, ec: usize, expr: Expr, relids: Relids, nullable: Relids, ty: Oid) {
        let is_const = relids.is_empty();
        let e = &mut self.ecs[ec];
        if is_const {
            e.has_const = true;
        } else {
            e.relids |= relids;
        }
        e.members.push(EcMember { expr, relids, nullable, is_const, datatype: ty });
    }
}

/// Takes an equality clause into the classes. `false`: the clause cannot be used so and must be applied itself.
pub fn process(g: &Glob<'_>, root: &mut Root, ri: &mut Ri, below_outer_join: bool) -> Result<bool> {
    let Expr::Op(o) = &ri.clause else { return Ok(false) };
    let d = g.ctx.catalog.operator(o.opno)?;
    let (t1, t2, coll) = (d.left, d.right, o.input_collation);
    let (t1, t2) = (
        if is_polymorphic(t1) { type_of(&o.args[0]) } else { t1 },
        if is_polymorphic(t2) { type_of(&o.args[1]) } else { t2 },
    );
    let a = canonical_expr(&o.args[0], t1, coll);
    let b = canonical_expr(&o.args[1], t2, coll);
    if equal(&a, &b) {
        // x = x is x IS NOT NULL.
        if strict(g.ctx, o.funcid) && !contains_nonstrict(g.ctx, &a) && !contains_volatile(g.ctx, &a) {
            let mut n = (**ri).clone();
            n.clause = Expr::NullTest { arg: Box::new(a), is_null: false, arg_is_row: false, location: None };
            n.merge_families.clear();
            n.can_join = false;
            n.hash_op = Oid::INVALID;
            n.norm_sel.set(-1.0);
            *ri = Ri::new(n);
        }
        return Ok(false);
    }
    if below_outer_join && (contains_nonstrict(g.ctx, &a) || contains_nonstrict(g.ctx, &b)) {
        return Ok(false);
    }
    let (ra, rb) = (ri.left_relids, ri.right_relids);
    let (na, nb) = (ra & ri.nullable_relids, rb & ri.nullable_relids);
    let fam = ri.merge_families.clone();
    let ea = root.find_member(&a, t1, &fam, coll);
    let eb = root.find_member(&b, t2, &fam, coll);
    let ec = match (ea, eb) {
        (Some(x), Some(y)) if x == y => x,
        (Some(x), Some(y)) => {
            let other = std::mem::take(&mut root.ecs[y]);
            root.ecs[y].merged = Some(x);
            let e = &mut root.ecs[x];
            e.members.extend(other.members);
            e.sources.extend(other.sources);
            e.relids |= other.relids;
            e.has_const |= other.has_const;
            e.below_outer_join |= other.below_outer_join;
            x
        }
        (Some(x), None) => {
            root.add_member(x, b, rb, nb, t2);
            x
        }
        (None, Some(y)) => {
            root.add_member(y, a, ra, na, t1);
            y
        }
        (None, None) => {
            root.ecs.push(EquivClass { families: fam, collation: coll, ..Default::default() });
            let x = root.ecs.len() - 1;
            root.add_member(x, a, ra, na, t1);
            root.add_member(x, b, rb, nb, t2);
            x
        }
    };
    root.ecs[ec].below_outer_join |= below_outer_join;
    root.ecs[ec].sources.push(ri.clone());
    ri.left_ec.set(Some(ec));
    ri.right_ec.set(Some(ec));
    Ok(true)
}

/// The class of a sort or merge expression; made if `create`.
pub fn get_for_sort_expr(
    g: &Glob<'_>,
    root: &mut Root,
    expr: &Expr,
    nullable: Relids,
    families: &[Oid],
    opcintype: Oid,
    collation: Oid,
    sort_ref: u32,
    create: bool,
) -> Option<usize> {
    let e = canonical_expr(expr, opcintype, collation);
    let ty = if is_polymorphic(opcintype) { type_of(&e) } else { opcintype };
    if let Some(rti) = crate::append::member_of(&e) {
        let known = crate::append::member_exprs(root, rti);
        let hit = known.iter().find(|(ec, t, x)| {
            let ec = &root.ecs[*ec];
            *t == ty && ec.collation == collation && ec.families == families && equal(x, &e)
        });
        return hit.map(|h| h.0);
    }
    for (i, ec) in root.ecs.iter().enumerate() {
        if ec.merged.is_some() || ec.collation != collation || ec.families != families {
            continue;
        }
        if ec.has_volatile && (sort_ref == 0 || sort_ref != ec.sort_ref) {
            continue;
        }
        if ec
            .members
            .iter()
            .any(|m| m.datatype == ty && !(ec.below_outer_join && m.is_const) && equal(&m.expr, &e))
        {
            return Some(i);
        }
    }
    if !create {
        return None;
    }
    let relids = pull_rtis(&e);
    let volatile = contains_volatile(g.ctx, &e);
    let not_const = volatile || contains_srf(&e) || contains_aggs(&e) || contains_windows(&e);
    root.ecs.push(EquivClass {
        families: families.to_vec(),
        collation,
        has_volatile: volatile,
        sort_ref,
        ..Default::default()
    });
    let i = root.ecs.len() - 1;
    root.add_member(i, e, relids, nullable & relids, ty);
    if not_const && relids.is_empty() {
        root.ecs[i].has_const = false;
        root.ecs[i].members[0].is_const = false;
    }
    Some(i)
}

/// The equality operator of the class's families for two types.
pub fn equality_op(g: &Glob<'_>, ec: &EquivClass, left: Oid, right: Oid) -> Option<Oid> {
    let base = |t: Oid| {
        if g.ctx.catalog.type_desc(t).is_ok_and(|d| d.elem.is_valid() && d.len == -1) {
            oids::ANYARRAY
        } else if let Ok(Some(f)) = g.ctx.catalog.range_family(t) {
            if f.range == t { oids::ANYRANGE } else { oids::ANYMULTIRANGE }
        } else {
            t
        }
    };
    ec.families.iter().find_map(|f| {
        g.ctx
            .catalog
            .amop(*f, left, right, 3)
            .ok()
            .flatten()
            .or_else(|| g.ctx.catalog.amop(*f, base(left), base(right), 3).ok().flatten())
    })
}

/// Restrictions that follow from the classes: `a = b and b = 5` gives `a = 5`.
pub fn generate_base(g: &Glob<'_>, root: &mut Root) -> Result<()> {
    for i in 0..root.ecs.len() {
        if root.ecs[i].merged.is_some() || root.ecs[i].members.len() < 2 {
            continue;
        }
        let ok = if root.ecs[i].has_const { with_const(g, root, i)? } else { without_const(g, root, i)? };
        if !ok {
            root.ecs[i].broken = true;
            for ri in root.ecs[i].sources.clone() {
                if root.ecs[i].has_const || ri.required_relids.is_single() {
                    initsplan::distribute(root, ri);
                }
            }
        }
        let n = root.ecs[i].relids.count();
        if n > 1 {
            for r in root.ecs[i].relids.iter().collect::<Vec<_>>() {
                if let Some(Some(rel)) = root.base.get_mut(r as usize) {
                    rel.has_eclass_joins = true;
                }
            }
        }
    }
    Ok(())
}

fn with_const(g: &Glob<'_>, root: &mut Root, i: usize) -> Result<bool> {
    let ec = &root.ecs[i];
    if ec.members.len() == 2 && ec.sources.len() == 1 {
        let ri = ec.sources[0].clone();
        initsplan::distribute(root, ri);
        return Ok(true);
    }
    let Some(k) = ec
        .members
        .iter()
        .position(|m| m.is_const && matches!(m.expr, Expr::Const(_)))
        .or_else(|| ec.members.iter().position(|m| m.is_const))
    else {
        return Ok(true);
    };
    let ec = ec.clone();
    for (n, m) in ec.members.iter().enumerate() {
        if n == k {
            continue;
        }
        let c = &ec.members[k];
        let Some(op) = equality_op(g, &ec, m.datatype, c.datatype) else { return Ok(false) };
        let clause = make_op(g, op, m.expr.clone(), c.expr.clone(), ec.collation)?;
        initsplan::implied_equality(
            g,
            root,
            clause,
            m.relids,
            m.nullable | c.nullable,
            ec.below_outer_join,
            m.is_const,
            i,
        )?;
    }
    Ok(true)
}

fn without_const(g: &Glob<'_>, root: &mut Root, i: usize) -> Result<bool> {
    let ec = root.ecs[i].clone();
    let mut prev: Vec<(u32, usize)> = Vec::new();
    for (n, m) in ec.members.iter().enumerate() {
        let Some(r) = m.relids.first().filter(|_| m.relids.is_single()) else { continue };
        if let Some(p) = prev.iter_mut().find(|p| p.0 == r) {
            let q = &ec.members[p.1];
            let Some(op) = equality_op(g, &ec, q.datatype, m.datatype) else { return Ok(false) };
            let clause = make_op(g, op, q.expr.clone(), m.expr.clone(), ec.collation)?;
            initsplan::implied_equality(
                g,
                root,
                clause,
                q.relids | m.relids,
                q.nullable | m.nullable,
                ec.below_outer_join,
                false,
                i,
            )?;
            p.1 = n;
        } else {
            prev.push((r, n));
        }
    }
    // Whatever join order is chosen, the members' columns must be there for the clauses made then.
    for m in &ec.members {
        let mut vars = Vec::new();
        pull_vars(&m.expr, true, &mut vars);
        let vars: Vec<Expr> = vars.into_iter().cloned().collect();
        initsplan::need_vars(root, &vars, ec.relids);
    }
    Ok(true)
}

/// An operator call.
pub fn make_op(g: &Glob<'_>, op: Oid, left: Expr, right: Expr, collation: Oid) -> Result<Expr> {
    let d = g.ctx.catalog.operator(op)?;
    Ok(Expr::Op(OpExpr {
        opno: op,
        funcid: d.code,
        result_type: d.result,
        retset: false,
        collation: Oid::INVALID,
        input_collation: collation,
        args: vec![left, right],
        location: None,
    }))
}

/// Outer-join clauses `outer = inner` whose outer side is known to equal a constant give `inner = constant` below.
pub fn reconsider_outer(g: &Glob<'_>, root: &mut Root) -> Result<()> {
    loop {
        let mut found = false;
        for left in [true, false] {
            let list =
                if left { std::mem::take(&mut root.oj_left) } else { std::mem::take(&mut root.oj_right) };
            let mut keep = Vec::new();
            for ri in list {
                if reconsider_one(g, root, &ri, left)? {
                    found = true;
                    // Kept as a join clause, but it filters nothing any more.
                    ri.norm_sel.set(2.0);
                    ri.outer_sel.set(1.0);
                    initsplan::distribute(root, ri);
                } else {
                    keep.push(ri);
                }
            }
            if left {
                root.oj_left = keep;
            } else {
                root.oj_right = keep;
            }
        }
        if !found {
            break;
        }
    }
    let rest: Vec<Ri> = std::mem::take(&mut root.oj_left)
        .into_iter()
        .chain(std::mem::take(&mut root.oj_right))
        .chain(std::mem::take(&mut root.oj_full))
        .collect();
    for ri in rest {
        initsplan::distribute(root, ri);
    }
    Ok(())
}

fn reconsider_one(g: &Glob<'_>, root: &mut Root, ri: &Ri, outer_left: bool) -> Result<bool> {
    if ri.outerjoin_delayed && !strict_clause(g, &ri.clause) {
        return Ok(false);
    }
    let Expr::Op(o) = &ri.clause else { return Ok(false) };
    let d = g.ctx.catalog.operator(o.opno)?;
    let (oi, ii) = if outer_left { (0, 1) } else { (1, 0) };
    let (ot, it) = if outer_left { (d.left, d.right) } else { (d.right, d.left) };
    let outer = canonical_expr(&o.args[oi], ot, o.input_collation);
    let inner = canonical_expr(&o.args[ii], it, o.input_collation);
    let irel = if outer_left { ri.right_relids } else { ri.left_relids };
    let mut done = false;
    for i in 0..root.ecs.len() {
        let ec = &root.ecs[i];
        if ec.merged.is_some()
            || !ec.has_const
            || ec.has_volatile
            || ec.collation != o.input_collation
            || ec.families != ri.merge_families
            || !ec.members.iter().any(|m| equal(&m.expr, &outer))
        {
            continue;
        }
        let ec = ec.clone();
        for m in ec.members.iter().filter(|m| m.is_const) {
            let Some(op) = equality_op(g, &ec, it, m.datatype) else { continue };
            let clause = make_op(g, op, inner.clone(), m.expr.clone(), ec.collation)?;
            let mut n = initsplan::make_ri(
                g,
                clause,
                true,
                false,
                false,
                irel,
                Relids::EMPTY,
                ri.nullable_relids & irel,
            );
            n = initsplan::with_merge_info(g, n);
            if process(g, root, &mut n, true)? {
                done = true;
            }
        }
        break;
    }
    Ok(done)
}

fn strict_clause(g: &Glob<'_>, e: &Expr) -> bool {
    matches!(e, Expr::Op(o) if strict(g.ctx, o.funcid))
}

/// Join clauses between two disjoint sets of relations that the classes imply.
pub fn join_clauses(g: &Glob<'_>, root: &mut Root, join: Relids, outer: Relids, inner: Relids) -> Vec<Ri> {
    let mut out = Vec::new();
    for i in 0..root.ecs.len() {
        let ec = &root.ecs[i];
        if ec.merged.is_some()
            || ec.has_const
            || ec.members.len() < 2
            || !ec.relids.overlaps(outer)
            || !ec.relids.overlaps(inner)
        {
            continue;
        }
        if !ec.broken {
            match one_class(g, root, i, join, outer, inner) {
                Some(list) => {
                    out.extend(list);
                    continue;
                }
                None => root.ecs[i].broken = true,
            }
        }
        out.extend(
            root.ecs[i]
                .sources
                .iter()
                .filter(|r| {
                    r.required_relids.subset_of(join)
                        && !r.required_relids.subset_of(outer)
                        && !r.required_relids.subset_of(inner)
                })
                .cloned(),
        );
    }
    out
}

fn is_var(e: &Expr) -> bool {
    matches!(strip_relabel(e), Expr::Var(_))
}

/// May a clause equate these two? The inner side of a semi join has no columns above the join: its members meet those of
/// the relations the join's condition names, and no others.
fn meets(root: &Root, x: &EcMember, y: &EcMember) -> bool {
    root.sjis.iter().filter(|s| s.kind == JoinType::Semi).all(|s| {
        match (x.relids.overlaps(s.syn_right), y.relids.overlaps(s.syn_right)) {
            (true, false) => y.relids.overlaps(s.min_left),
            (false, true) => x.relids.overlaps(s.min_left),
            _ => true,
        }
    })
}

fn one_class(
    g: &Glob<'_>,
    root: &mut Root,
    i: usize,
    join: Relids,
    outer: Relids,
    inner: Relids,
) -> Option<Vec<Ri>> {
    let ec = &root.ecs[i];
    let (mut os, mut is, mut ns) = (Vec::new(), Vec::new(), Vec::new());
    for (n, m) in ec.members.iter().enumerate() {
        if m.relids.is_empty() || !m.relids.subset_of(join) {
            continue;
        }
        if m.relids.subset_of(outer) {
            os.push(n);
        } else if m.relids.subset_of(inner) {
            is.push(n);
        } else {
            ns.push(n);
        }
    }
    let mut out = Vec::new();
    if !os.is_empty() && !is.is_empty() {
        let mut best = None;
        let mut best_score = -1;
        let mut apart = false;
        'search: for &a in &os {
            for &b in &is {
                let (x, y) = (&ec.members[a], &ec.members[b]);
                if !meets(root, x, y) {
                    apart = true;
                    continue;
                }
                let Some(op) = equality_op(g, ec, x.datatype, y.datatype) else { continue };
                let mut score = i32::from(is_var(&x.expr)) + i32::from(is_var(&y.expr));
                if g.ctx.catalog.operator(op).is_ok_and(|d| d.can_hash) {
                    score += 1;
                }
                if score > best_score {
                    best = Some((a, b, op));
                    best_score = score;
                    if score == 3 {
                        break 'search;
                    }
                }
            }
        }
        match best {
            Some((a, b, op)) => out.push(clause_for(g, root, i, a, b, op)?),
            None if apart => {}
            None => return None,
        }
    }
    if !ns.is_empty() {
        let mut olds = os;
        olds.extend(is);
        let mut prev: Option<usize> = None;
        for n in ns {
            let other = match prev {
                Some(p) => Some(p),
                None => olds.first().copied(),
            };
            if let Some(o) = other {
                let (x, y) = (&root.ecs[i].members[o], &root.ecs[i].members[n]);
                let op = equality_op(g, &root.ecs[i], x.datatype, y.datatype)?;
                out.push(clause_for(g, root, i, o, n, op)?);
            }
            prev = Some(n);
        }
    }
    Some(out)
}

/// The (cached) clause that equates two members.
pub fn clause_for(g: &Glob<'_>, root: &mut Root, i: usize, a: usize, b: usize, op: Oid) -> Option<Ri> {
    if let Some(r) = root.ecs[i].derives.get(&(a, b)) {
        return Some(r.clone());
    }
    let ec = &root.ecs[i];
    let (x, y) = (&ec.members[a], &ec.members[b]);
    let clause = make_op(g, op, x.expr.clone(), y.expr.clone(), ec.collation).ok()?;
    let n = initsplan::make_ri(
        g,
        clause,
        true,
        false,
        false,
        x.relids | y.relids,
        Relids::EMPTY,
        x.nullable | y.nullable,
    );
    let mut n = (*initsplan::with_merge_info(g, n)).clone();
    n.parent_ec = Some(i);
    n.left_ec.set(Some(i));
    n.right_ec.set(Some(i));
    let n = Ri::new(n);
    root.ecs[i].derives.insert((a, b), n.clone());
    Some(n)
}

/// Is there a class that can join the two relation sets?
pub fn relevant(root: &Root, a: Relids, b: Relids) -> bool {
    root.ecs.iter().any(|ec| {
        ec.merged.is_none() && ec.members.len() > 1 && ec.relids.overlaps(a) && ec.relids.overlaps(b)
    })
}

/// Clauses `column = something of another relation` for a column matched by `is_col`.
pub fn clauses_for_column(
    g: &Glob<'_>,
    root: &mut Root,
    rti: u32,
    is_col: &dyn Fn(&EquivClass, &EcMember) -> bool,
) -> Vec<Ri> {
    let rel = Relids::single(rti);
    let member = crate::relids::is_member(rti);
    let mut out = Vec::new();
    for i in 0..root.ecs.len() {
        let ec = &root.ecs[i];
        if ec.merged.is_some() || ec.has_const || ec.members.len() < 2 || !ec.relids.contains(rti) {
            continue;
        }
        let is_me = |m: &EcMember| {
            m.relids == rel
                && if member {
                    let expr = crate::append::translate(root, rti, &m.expr);
                    is_col(ec, &EcMember { expr, ..m.clone() })
                } else {
                    is_col(ec, m)
                }
        };
        let Some(me) = ec.members.iter().position(is_me) else { continue };
        for o in 0..root.ecs[i].members.len() {
            let ec = &root.ecs[i];
            let m = &ec.members[o];
            if o == me || m.relids.overlaps(rel) || m.relids.is_empty() {
                continue;
            }
            if !meets(root, &ec.members[me], m) {
                continue;
            }
            let Some(op) = equality_op(g, ec, ec.members[me].datatype, m.datatype) else { continue };
            if let Some(r) = clause_for(g, root, i, me, o, op) {
                out.push(if member { crate::append::translate_clause(g, root, rti, &r) } else { r });
            }
        }
        if !out.is_empty() {
            break;
        }
    }
    out
}
