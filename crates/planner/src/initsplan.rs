//! From the join tree to relations and clauses: every qualification is put where it can first be evaluated, with outer
//! joins' rules kept; equality clauses go into equivalence classes; the join tree becomes a list of join problems.

use crate::equivalence;
use crate::exprs::*;
use crate::prep::from_relids;
use crate::relids::Relids;
use crate::relinfo::{BTREE_AM, build_base};
use crate::root::*;
use analyze::expr::*;
use analyze::query::*;
use common::{Error, Oid, Result, bail};
use std::cell::Cell;
use std::rc::Rc;

/// Relations to be joined: in any order within a list.
#[derive(Clone, Debug)]
pub enum JoinList {
    Rel(u32),
    List(Vec<JoinList>),
}

/// Result of working through a join tree node.
struct Scope {
    list: Vec<JoinList>,
    scope: Relids,
    inner: Relids,
}

/// A clause that refers to relations outside its syntactic place (LATERAL).
struct Postponed {
    clause: Expr,
    relids: Relids,
}

/// Makes the base relations of the join tree.
pub fn build_base_rels(g: &Glob<'_>, root: &mut Root) -> Result<()> {
    if crate::prep::numbering::count(&root.query.jointree) > Relids::MAX {
        return Err(Error::unsupported("a query level that joins more than 255 relations"));
    }
    root.base.resize_with(root.query.rtable.len() + 1, || None);
    let all = from_relids(&root.query.jointree);
    for rti in all.iter() {
        build_base(g, root, rti)?;
    }
    Ok(())
}

/// Marks Vars as needed at (at least) the given relations; bit 0 stands for the final output.
pub fn need_vars(root: &mut Root, vars: &[Expr], at: Relids) {
    for e in vars {
        let Expr::Var(v) = e else { continue };
        let rti = rte_no(v);
        let Some(Some(rel)) = root.base.get_mut(rti as usize) else { continue };
        if at.subset_of(rel.relids) && !at.is_empty() {
            continue;
        }
        match rel.needed.iter_mut().find(|(x, _)| x == e) {
            Some((_, r)) => *r |= at,
            None => rel.needed.push((e.clone(), at)),
        }
    }
}

/// Marks everything the final target list and HAVING read.
pub fn need_final<'e>(root: &mut Root, exprs: impl Iterator<Item = &'e Expr>) {
    let mut vars = Vec::new();
    for e in exprs {
        pull_vars(e, false, &mut vars);
    }
    for v in vars {
        need_vars(root, std::slice::from_ref(v), Relids::single(0));
    }
}

/// Works through the join tree: distributes its clauses, returns the join problem.
pub fn deconstruct(g: &Glob<'_>, root: &mut Root) -> Result<Vec<JoinList>> {
    let tree = std::mem::take(&mut root.query.jointree);
    let mut post = Vec::new();
    let s = from_node(g, root, &tree, false, &mut post);
    root.query.jointree = tree;
    Ok(s?.list)
}

fn from_node(
    g: &Glob<'_>,
    root: &mut Root,
    f: &FromExpr,
    below: bool,
    post: &mut Vec<Postponed>,
) -> Result<Scope> {
    let mut out = Scope { list: Vec::new(), scope: Relids::EMPTY, inner: Relids::EMPTY };
    let mut child_post = Vec::new();
    let mut remaining = f.from.len();
    for c in &f.from {
        let s = tree_node(g, root, c, below, &mut child_post)?;
        out.scope |= s.scope;
        out.inner = if f.from.len() > 1 { out.scope } else { s.inner };
        remaining -= 1;
        let n = s.list.len();
        if n <= 1 || out.list.len() + n + remaining <= g.ctx.settings.from_collapse_limit {
            out.list.extend(s.list);
        } else {
            out.list.push(JoinList::List(s.list));
        }
    }
    for p in child_post {
        if p.relids.subset_of(out.scope) {
            qual(g, root, p.clause, below, JoinType::Inner, out.scope, Relids::EMPTY, Relids::EMPTY, post)?;
        } else {
            post.push(p);
        }
    }
    for e in to_and_list(f.quals.clone()) {
        qual(g, root, e, below, JoinType::Inner, out.scope, Relids::EMPTY, Relids::EMPTY, post)?;
    }
    Ok(out)
}

fn tree_node(
    g: &Glob<'_>,
    root: &mut Root,
    t: &JoinTree,
    below: bool,
    post: &mut Vec<Postponed>,
) -> Result<Scope> {
    match t {
        JoinTree::Rte(n) => {
            Ok(Scope { list: vec![JoinList::Rel(*n)], scope: Relids::single(*n), inner: Relids::EMPTY })
        }
        JoinTree::From(f) => from_node(g, root, f, below, post),
        JoinTree::Join(j) => join_node(g, root, j, below, post),
    }
}

fn join_node(
    g: &Glob<'_>,
    root: &mut Root,
    j: &JoinExpr,
    below: bool,
    post: &mut Vec<Postponed>,
) -> Result<Scope> {
    let mut child_post = Vec::new();
    let (lb, rb) = match j.kind {
        JoinType::Inner | JoinType::Semi => (below, below),
        JoinType::Left | JoinType::Anti => (below, true),
        _ => (true, true),
    };
    let l = tree_node(g, root, &j.left, lb, &mut child_post)?;
    let r = tree_node(g, root, &j.right, rb, &mut child_post)?;
    let scope = l.scope | r.scope;
    no_locks_on_nullable(root, j.kind, l.scope, r.scope)?;
    let (nonnull, inner) = match j.kind {
        JoinType::Inner => (Relids::EMPTY, scope),
        JoinType::Left | JoinType::Anti => {
            root.nullable_base |= r.scope;
            (l.scope, l.inner | r.inner)
        }
        JoinType::Semi => (Relids::EMPTY, l.inner | r.inner),
        _ => {
            root.nullable_base |= scope;
            (scope, l.inner | r.inner)
        }
    };
    let mut clauses = to_and_list(j.quals.clone());
    for p in child_post {
        if p.relids.subset_of(scope) {
            clauses.push(p.clause);
        } else if j.kind == JoinType::Inner {
            post.push(p);
        } else {
            return Err(Error::unsupported("LATERAL reference under an outer join"));
        }
    }
    let mut sji = None;
    let mut ojscope = Relids::EMPTY;
    if j.kind != JoinType::Inner {
        let s = special_join(g, root, l.scope, r.scope, inner, j.kind, &clauses);
        if j.kind != JoinType::Semi {
            ojscope = s.min_left | s.min_right;
        }
        sji = Some(s);
    }
    for e in clauses {
        qual(g, root, e, below, j.kind, scope, ojscope, nonnull, post)?;
    }
    root.sjis.extend(sji);
    let wrap = |mut v: Vec<JoinList>| if v.len() == 1 { v.swap_remove(0) } else { JoinList::List(v) };
    let list = if j.kind == JoinType::Full {
        vec![JoinList::List(vec![wrap(l.list), wrap(r.list)])]
    } else if l.list.len() + r.list.len() <= g.ctx.settings.join_collapse_limit {
        let mut v = l.list;
        v.extend(r.list);
        v
    } else {
        vec![wrap(l.list), wrap(r.list)]
    };
    Ok(Scope { list, scope, inner })
}

/// Rows that an outer join makes up cannot be locked: 0A000.
fn no_locks_on_nullable(root: &Root, kind: JoinType, left: Relids, right: Relids) -> Result<()> {
    let nullable = match kind {
        JoinType::Inner | JoinType::Semi => return Ok(()),
        JoinType::Full => left | right,
        _ => right,
    };
    match root.query.row_marks.iter().find(|m| nullable.contains(m.rti)) {
        None => Ok(()),
        Some(m) => bail!(
            FEATURE_NOT_SUPPORTED,
            "{} cannot be applied to the nullable side of an outer join",
            m.strength.clause()
        ),
    }
}

fn special_join(
    g: &Glob<'_>,
    root: &Root,
    left: Relids,
    right: Relids,
    inner: Relids,
    kind: JoinType,
    clauses: &[Expr],
) -> SpecialJoin {
    let mut s = SpecialJoin {
        min_left: left,
        min_right: right,
        syn_left: left,
        syn_right: right,
        kind,
        lhs_strict: false,
        delay_upper: false,
        semi_can_hash: false,
        semi_can_sort: false,
        semi_operators: Vec::new(),
        semi_rhs: Vec::new(),
    };
    if kind == JoinType::Semi {
        semijoin_info(g, &mut s, clauses);
    }
    if kind == JoinType::Full {
        return s;
    }
    let mut used = Relids::EMPTY;
    let mut strict = Relids::EMPTY;
    for c in clauses {
        used |= pull_rtis(c);
        strict |= nonnullable_rels(g.ctx, c, true);
    }
    s.lhs_strict = strict.overlaps(left);
    s.min_left = used & left;
    s.min_right = (used | inner) & right;
    let semi = matches!(kind, JoinType::Semi | JoinType::Anti);
    for o in &root.sjis {
        let all = o.syn_left | o.syn_right;
        if o.kind == JoinType::Full {
            if left.overlaps(all) {
                s.min_left |= all;
            }
            if right.overlaps(all) {
                s.min_right |= all;
            }
            continue;
        }
        if left.overlaps(o.syn_right) && used.overlaps(o.syn_right) && (semi || !strict.overlaps(o.min_right))
        {
            s.min_left |= all;
        }
        if right.overlaps(o.syn_right)
            && (used.overlaps(o.syn_right)
                || !used.overlaps(o.min_left)
                || semi
                || matches!(o.kind, JoinType::Semi | JoinType::Anti)
                || !o.lhs_strict
                || o.delay_upper)
        {
            s.min_right |= all;
        }
    }
    if s.min_left.is_empty() {
        s.min_left = left;
    }
    if s.min_right.is_empty() {
        s.min_right = right;
    }
    s
}

/// Can the right side of a semi join be made unique on its join columns?
fn semijoin_info(g: &Glob<'_>, s: &mut SpecialJoin, clauses: &[Expr]) {
    let (mut can_sort, mut can_hash) = (true, true);
    let (mut ops, mut rhs) = (Vec::new(), Vec::new());
    for c in clauses {
        let all = pull_rtis(c);
        let Expr::Op(o) = c else {
            if all.overlaps(s.syn_right) || contains_volatile(g.ctx, c) {
                return;
            }
            continue;
        };
        if o.args.len() != 2 {
            if all.overlaps(s.syn_right) {
                return;
            }
            continue;
        }
        let (l, r) = (pull_rtis(&o.args[0]), pull_rtis(&o.args[1]));
        if !all.overlaps(s.syn_right) || all.subset_of(s.syn_right) {
            if contains_volatile(g.ctx, c) {
                return;
            }
            continue;
        }
        let Ok(d) = g.ctx.catalog.operator(o.opno) else { return };
        let (op, e) = if !r.is_empty() && r.subset_of(s.syn_right) && !l.overlaps(s.syn_right) {
            (o.opno, &o.args[1])
        } else if !l.is_empty() && l.subset_of(s.syn_right) && !r.overlaps(s.syn_right) {
            if !d.commutator.is_valid() {
                return;
            }
            (d.commutator, &o.args[0])
        } else {
            return;
        };
        can_sort &= d.can_merge && !merge_families(g, o.opno).is_empty();
        can_hash &= d.can_hash;
        if !can_sort && !can_hash {
            return;
        }
        if contains_volatile(g.ctx, e) {
            return;
        }
        ops.push(op);
        rhs.push(e.clone());
    }
    if ops.is_empty() {
        return;
    }
    s.semi_can_sort = can_sort;
    s.semi_can_hash = can_hash;
    s.semi_operators = ops;
    s.semi_rhs = rhs;
}

/// Widens a clause's relations by outer joins that must come first. Returns whether it had to be delayed, and which of
/// its relations can be null-extended below it.
fn outerjoin_delay(root: &mut Root, relids: &mut Relids, pushed_down: bool) -> (bool, Relids) {
    let orig = *relids;
    let (mut delayed, mut nullable) = (false, Relids::EMPTY);
    if root.sjis.is_empty() {
        return (false, nullable);
    }
    loop {
        let mut found = false;
        for s in &mut root.sjis {
            if s.kind == JoinType::Semi {
                continue;
            }
            if relids.overlaps(s.min_right) || (s.kind == JoinType::Full && relids.overlaps(s.min_left)) {
                if !s.min_left.subset_of(*relids) || !s.min_right.subset_of(*relids) {
                    *relids |= s.min_left | s.min_right;
                    delayed = true;
                    found = true;
                }
                nullable |= s.min_right;
                if s.kind == JoinType::Full {
                    nullable |= s.min_left;
                }
                if pushed_down && s.kind != JoinType::Full && relids.overlaps(s.min_left) {
                    s.delay_upper = true;
                }
            }
        }
        if !found {
            break;
        }
    }
    (delayed, nullable & orig)
}

fn qual(
    g: &Glob<'_>,
    root: &mut Root,
    clause: Expr,
    below: bool,
    kind: JoinType,
    scope: Relids,
    ojscope: Relids,
    nonnull: Relids,
    post: &mut Vec<Postponed>,
) -> Result<()> {
    let mut relids = pull_rtis(&clause) & (root.all_base | scope);
    if !relids.subset_of(scope) {
        post.push(Postponed { clause, relids });
        return Ok(());
    }
    let mut pseudo = false;
    if relids.is_empty() {
        if !ojscope.is_empty() {
            relids = ojscope;
        } else {
            relids = scope;
            if !contains_volatile(g.ctx, &clause) {
                pseudo = true;
                root.has_pseudoconstant = true;
                if !below {
                    relids = from_relids_of(root);
                }
            }
        }
    }
    let (pushed_down, delayed, nullable, maybe_eq, maybe_oj);
    if relids.overlaps(nonnull) {
        pushed_down = false;
        maybe_eq = false;
        maybe_oj = true;
        let mut r = relids;
        (delayed, nullable) = outerjoin_delay(root, &mut r, false);
        relids = ojscope;
    } else {
        pushed_down = true;
        maybe_oj = false;
        (delayed, nullable) = outerjoin_delay(root, &mut relids, true);
        maybe_eq = !delayed;
        if delayed && is_what_anti_join_leaves(root, &clause) {
            return Ok(());
        }
    }
    let ri = make_ri(g, clause, pushed_down, delayed, pseudo, relids, nonnull, nullable);
    if relids.count() > 1 {
        let mut vars = Vec::new();
        pull_vars(&ri.clause, false, &mut vars);
        let vars: Vec<Expr> = vars.into_iter().cloned().collect();
        need_vars(root, &vars, relids);
    }
    let mut ri = with_merge_info(g, ri);
    if !ri.merge_families.is_empty() {
        if maybe_eq {
            // An outer join's own condition on its inner side holds below the join only.
            let below = below || !nonnull.is_empty();
            if equivalence_allowed(root, &ri) && equivalence::process(g, root, &mut ri, below)? {
                return Ok(());
            }
            crate::pathkeys::init_merge_ecs(g, root, &ri);
        } else if maybe_oj && ri.can_join {
            crate::pathkeys::init_merge_ecs(g, root, &ri);
            if ri.left_relids.subset_of(nonnull) && !ri.right_relids.overlaps(nonnull) {
                root.oj_left.push(ri);
                return Ok(());
            }
            if ri.right_relids.subset_of(nonnull) && !ri.left_relids.overlaps(nonnull) {
                root.oj_right.push(ri);
                return Ok(());
            }
            if kind == JoinType::Full {
                root.oj_full.push(ri);
                return Ok(());
            }
        } else {
            crate::pathkeys::init_merge_ecs(g, root, &ri);
        }
    }
    distribute(root, ri);
    Ok(())
}

fn from_relids_of(root: &Root) -> Relids {
    root.all_base
}

/// `column IS NULL` of the inner side of an anti join: it holds for all rows the join lets through.
fn is_what_anti_join_leaves(root: &Root, clause: &Expr) -> bool {
    let Expr::NullTest { arg, is_null: true, arg_is_row: false, .. } = clause else { return false };
    let Expr::Var(v) = &**arg else { return false };
    let below = |s: &SpecialJoin| s.kind == JoinType::Anti && s.syn_right.contains(rte_no(v));
    v.levels_up == 0 && root.sjis.iter().any(below)
}

/// An equality is no equivalence if one side would have to be evaluated above an outer join the other is below of.
fn equivalence_allowed(root: &mut Root, ri: &Ri) -> bool {
    let mut l = ri.left_relids;
    if !l.is_empty() && outerjoin_delay(root, &mut l, true).0 {
        return false;
    }
    let mut r = ri.right_relids;
    r.is_empty() || !outerjoin_delay(root, &mut r, true).0
}

/// Puts a clause on its relation's list, or on the join lists of all relations it needs.
pub fn distribute(root: &mut Root, ri: Ri) {
    let req = ri.required_relids;
    if req.is_single() {
        if let Some(rti) = req.first() {
            root.rel_mut(rti).base_clauses.push(ri);
        }
        return;
    }
    for rti in req.iter() {
        if let Some(Some(rel)) = root.base.get_mut(rti as usize) {
            rel.join_clauses.push(ri.clone());
        }
    }
}

/// A clause derived from an equivalence class.
pub fn implied_equality(
    g: &Glob<'_>,
    root: &mut Root,
    mut clause: Expr,
    mut relids: Relids,
    nullable: Relids,
    below: bool,
    both_const: bool,
    ec: usize,
) -> Result<()> {
    let mut pseudo = false;
    if both_const {
        fold::fold(g.ctx, &mut clause)?;
        if bool_const(&clause) == Some(true) {
            return Ok(());
        }
    }
    if relids.is_empty() {
        relids = root.ecs[ec].relids;
        if !below {
            relids = root.all_base;
        }
        pseudo = true;
        root.has_pseudoconstant = true;
    }
    let ri = make_ri(g, clause, true, false, pseudo, relids, Relids::EMPTY, nullable);
    if relids.count() > 1 {
        let mut vars = Vec::new();
        pull_vars(&ri.clause, false, &mut vars);
        let vars: Vec<Expr> = vars.into_iter().cloned().collect();
        need_vars(root, &vars, relids);
    }
    let ri = with_merge_info(g, ri);
    if !ri.merge_families.is_empty() {
        ri.left_ec.set(Some(ec));
        ri.right_ec.set(Some(ec));
    }
    distribute(root, ri);
    Ok(())
}

/// Wraps a clause.
pub fn make_ri(
    g: &Glob<'_>,
    clause: Expr,
    pushed_down: bool,
    delayed: bool,
    pseudo: bool,
    required: Relids,
    outer: Relids,
    nullable: Relids,
) -> Ri {
    let or_arms = match &clause {
        Expr::Bool { op: BoolOp::Or, args, .. } if !pseudo => Some(
            args.iter()
                .map(|a| {
                    let list = match a {
                        Expr::Bool { op: BoolOp::And, args, .. } => args.as_slice(),
                        x => std::slice::from_ref(x),
                    };
                    list.iter()
                        .map(|c| {
                            let r = pull_rtis(c);
                            make_ri(g, c.clone(), pushed_down, delayed, false, r, outer, nullable)
                        })
                        .collect()
                })
                .collect(),
        ),
        _ => None,
    };
    let (mut l, mut r, mut can_join) = (Relids::EMPTY, Relids::EMPTY, false);
    let clause_relids;
    match &clause {
        Expr::Op(o) if o.args.len() == 2 => {
            l = pull_rtis(&o.args[0]);
            r = pull_rtis(&o.args[1]);
            clause_relids = l | r;
            can_join = !l.is_empty() && !r.is_empty() && !l.overlaps(r);
        }
        c => clause_relids = pull_rtis(c),
    }
    let serial = g.next_ri.get();
    g.next_ri.set(serial + 1);
    Rc::new(RestrictInfo {
        serial,
        clause,
        is_pushed_down: pushed_down,
        outerjoin_delayed: delayed,
        can_join,
        pseudoconstant: pseudo,
        clause_relids,
        required_relids: required,
        outer_relids: outer,
        nullable_relids: nullable,
        left_relids: l,
        right_relids: r,
        or_arms,
        parent_ec: None,
        left_ec: Cell::new(None),
        right_ec: Cell::new(None),
        merge_families: Vec::new(),
        hash_op: Oid::INVALID,
        cost: Cell::new(None),
        norm_sel: Cell::new(-1.0),
        outer_sel: Cell::new(-1.0),
        bucket: Cell::new([-1.0; 4]),
        merge_sel: Cell::default(),
    })
}

/// B-tree families in which an operator is equality.
pub fn merge_families(g: &Glob<'_>, op: Oid) -> Vec<Oid> {
    g.ctx.catalog.amops_of(op).map_or_else(
        |_| Vec::new(),
        |l| l.iter().filter(|a| a.method == BTREE_AM && a.strategy == 3).map(|a| a.family).collect(),
    )
}

/// Fills in whether a clause can be merge- or hash-joined. The clause must not be shared yet.
pub fn with_merge_info(g: &Glob<'_>, mut ri: Ri) -> Ri {
    if ri.pseudoconstant {
        return ri;
    }
    let Expr::Op(o) = &ri.clause else { return ri };
    if o.args.len() != 2 {
        return ri;
    }
    let Ok(d) = g.ctx.catalog.operator(o.opno) else { return ri };
    if (!d.can_merge && !d.can_hash) || contains_volatile(g.ctx, &ri.clause) {
        return ri;
    }
    let fams = if d.can_merge { merge_families(g, o.opno) } else { Vec::new() };
    let hash = if d.can_hash && ri.can_join { o.opno } else { Oid::INVALID };
    if let Some(r) = Rc::get_mut(&mut ri) {
        r.merge_families = fams;
        r.hash_op = hash;
    }
    ri
}

/// Calls `f` with the expressions of a LATERAL entry and how deep below the query they stand.
fn lateral_exprs(q: &Query, rti: u32, f: &mut dyn FnMut(&Expr, u32)) -> bool {
    match &q.rte(rti).kind {
        RteKind::Subquery { query, lateral: true, .. } => {
            walk_query_levels(query, 0, &mut |e, lvl| f(e, lvl + 1));
        }
        RteKind::Function { functions, lateral: true, .. } => {
            functions.iter().for_each(|x| walk_levels(&x.expr, 0, &mut |e, lvl| f(e, lvl)));
        }
        RteKind::Values { lists, lateral: true } => {
            lists.iter().flatten().for_each(|x| walk_levels(x, 0, &mut |e, lvl| f(e, lvl)));
        }
        RteKind::Append { members } => {
            let mut any = false;
            for m in members {
                any |= lateral_exprs(q, m.rti, f);
            }
            return any;
        }
        _ => return false,
    }
    true
}

/// LATERAL references of sub-queries, functions and VALUES in FROM.
pub fn find_lateral(g: &Glob<'_>, root: &mut Root) -> Result<()> {
    for rti in root.all_base.iter().collect::<Vec<_>>() {
        let mut vars: Vec<Expr> = Vec::new();
        let mut add = |e: &Expr, lvl: u32| {
            if let Expr::Var(v) = e
                && v.levels_up == lvl
                && matches!(v.varno, VarNo::Rte(_))
            {
                let mut v = v.clone();
                v.levels_up = 0;
                let mut e = Expr::Var(v);
                strip(&mut e);
                if !vars.contains(&e) {
                    vars.push(e);
                }
            }
        };
        if !lateral_exprs(&root.query, rti, &mut add) {
            continue;
        }
        if vars.is_empty() {
            continue;
        }
        root.has_lateral = true;
        let mut from = Relids::EMPTY;
        for v in &vars {
            from |= pull_rtis(v);
        }
        need_vars(root, &vars, Relids::single(rti));
        root.rel_mut(rti).lateral = from;
        root.rel_mut(rti).lateral_vars = vars;
    }
    // Transitive closure: what my neighbours need, I need.
    loop {
        let mut changed = false;
        for rti in root.all_base.iter().collect::<Vec<_>>() {
            let l = root.rel(rti).lateral;
            let more = l.iter().fold(l, |a, r| a | root.rel(r).lateral);
            if more != l {
                root.rel_mut(rti).lateral = more;
                changed = true;
            }
        }
        if !changed {
            break;
        }
    }
    let _ = g;
    Ok(())
}
