//! Index paths: which clauses an index can apply, plain and index-only scans in both directions, parameterised scans
//! for the inner side of nested loops.

use super::predicate;
use crate::cost;
use crate::equivalence;
use crate::exprs::*;
use crate::parallel;
use crate::path::*;
use crate::pathkeys;
use crate::relids::Relids;
use crate::root::*;
use crate::selectivity::{self, pattern};
use analyze::expr::*;
use analyze::query::JoinType;
use common::Oid;
use std::rc::Rc;
use types::{Datum, oids};

/// Clauses by index column.
type ClauseSet = Vec<IndexClause>;

/// Builds all index and bitmap paths of a base relation.
pub fn create(g: &Glob<'_>, root: &mut Root, rti: u32) {
    if root.rel(rti).indexes.is_empty() {
        return;
    }
    let indexes = root.rel(rti).indexes.clone();
    let mut bit: Vec<Rc<Path>> = Vec::new();
    let mut bit_join: Vec<Rc<Path>> = Vec::new();
    let has_joins = !root.rel(rti).join_clauses.is_empty() || root.rel(rti).has_eclass_joins;
    for ix in &indexes {
        if !ix.predicate.is_empty() && !ix.pred_ok {
            continue;
        }
        let rset = match_clauses(g, root, rti, ix, &ix.restrict);
        plain(g, root, rti, ix, &rset, Relids::EMPTY, &mut bit);
        if has_joins {
            join_paths(g, root, rti, ix, &rset, &mut bit_join);
        }
    }
    super::bitmap::create(g, root, rti, bit, bit_join);
}

/// All clauses of a list that an index can use, ordered by column.
pub fn match_clauses(g: &Glob<'_>, root: &Root, rti: u32, ix: &Rc<IndexInfo>, list: &[Ri]) -> ClauseSet {
    let mut out = Vec::new();
    for col in 0..ix.desc.num_key_atts as usize {
        for ri in list {
            if ri.pseudoconstant {
                continue;
            }
            // The first column that takes a clause has it.
            if out.iter().any(|c: &IndexClause| Rc::ptr_eq(&c.ri, ri)) {
                continue;
            }
            if let Some(c) = match_column(g, root, rti, ix, col, ri) {
                out.push(c);
            }
        }
    }
    out
}

fn same_column(root: &Root, rti: u32, ix: &IndexInfo, col: usize, e: &Expr) -> bool {
    let e = strip_relabel(e);
    let k = ix.desc.keys[col];
    if k != 0 {
        return matches!(e, Expr::Var(v) if v.attno == k && v.varno == VarNo::Rte(rti) && v.levels_up == 0);
    }
    pathkeys::index_expr(root, rti, ix, col).is_some_and(|x| equal(strip_relabel(&x), e))
}

fn free_of(g: &Glob<'_>, rti: u32, e: &Expr) -> bool {
    !pull_rtis(e).contains(rti) && !contains_volatile(g.ctx, e)
}

fn strategy(g: &Glob<'_>, ix: &IndexInfo, col: usize, op: Oid) -> Option<(u8, Oid)> {
    let fam = ix.desc.opfamilies[col];
    let list = g.ctx.catalog.amops_of(op).ok()?;
    let a = list.iter().find(|a| a.family == fam && a.purpose == b's')?;
    let cmp = g.ctx.catalog.amproc(fam, a.left, a.right, 1).ok()??;
    Some((a.strategy as u8, cmp))
}

fn coll_ok(ix: &IndexInfo, col: usize, coll: Oid) -> bool {
    !ix.desc.collations[col].is_valid() || ix.desc.collations[col] == coll
}

/// Can the index column use the clause?
fn match_column(
    g: &Glob<'_>,
    root: &Root,
    rti: u32,
    ix: &Rc<IndexInfo>,
    col: usize,
    ri: &Ri,
) -> Option<IndexClause> {
    let one = |clause: Expr, kind: IndexQualKind| {
        Some(IndexClause { ri: ri.clone(), quals: vec![IndexQual { clause, kind }], lossy: false, col })
    };
    match &ri.clause {
        Expr::Op(o) if o.args.len() == 2 => {
            if same_column(root, rti, ix, col, &o.args[0]) && free_of(g, rti, &o.args[1]) {
                if coll_ok(ix, col, o.input_collation)
                    && let Some((strategy, cmp_proc)) = strategy(g, ix, col, o.opno)
                {
                    return one(ri.clause.clone(), IndexQualKind::Op { strategy, opno: o.opno, cmp_proc });
                }
                return pattern_quals(g, ix, col, ri, o);
            }
            if same_column(root, rti, ix, col, &o.args[1]) && free_of(g, rti, &o.args[0]) {
                let com = g.ctx.catalog.operator(o.opno).ok()?.commutator;
                if !com.is_valid() || !coll_ok(ix, col, o.input_collation) {
                    return None;
                }
                let (strategy, cmp_proc) = strategy(g, ix, col, com)?;
                let mut c = o.clone();
                c.args.reverse();
                c.opno = com;
                c.funcid = g.ctx.catalog.operator(com).ok()?.code;
                return one(Expr::Op(c), IndexQualKind::Op { strategy, opno: com, cmp_proc });
            }
            None
        }
        Expr::ScalarArrayOp(o) if o.use_or => {
            if !same_column(root, rti, ix, col, &o.args[0])
                || !free_of(g, rti, &o.args[1])
                || !coll_ok(ix, col, o.input_collation)
            {
                return None;
            }
            let (strategy, cmp_proc) = strategy(g, ix, col, o.opno)?;
            one(ri.clause.clone(), IndexQualKind::ArrayOp { strategy, opno: o.opno, cmp_proc })
        }
        Expr::NullTest { arg, is_null, arg_is_row: false, .. } => {
            if !same_column(root, rti, ix, col, arg) {
                return None;
            }
            one(ri.clause.clone(), if *is_null { IndexQualKind::IsNull } else { IndexQualKind::IsNotNull })
        }
        Expr::RowCompare { .. } => row_compare(g, root, rti, ix, col, ri),
        // A boolean column by itself.
        e @ Expr::Var(_) if ix.desc.opfamilies[col] == Oid(424) && same_column(root, rti, ix, col, e) => {
            bool_qual(g, ri, e, true, col)
        }
        Expr::Bool { op: BoolOp::Not, args, .. }
            if ix.desc.opfamilies[col] == Oid(424) && same_column(root, rti, ix, col, &args[0]) =>
        {
            bool_qual(g, ri, &args[0], false, col)
        }
        _ => None,
    }
}

fn bool_qual(g: &Glob<'_>, ri: &Ri, e: &Expr, v: bool, col: usize) -> Option<IndexClause> {
    let clause = equivalence::make_op(g, Oid(91), e.clone(), is_bool_const(v), Oid::INVALID).ok()?;
    let cmp_proc = g.ctx.catalog.amproc(Oid(424), oids::BOOL, oids::BOOL, 1).ok()??;
    Some(IndexClause {
        ri: ri.clone(),
        quals: vec![IndexQual { clause, kind: IndexQualKind::Op { strategy: 3, opno: Oid(91), cmp_proc } }],
        lossy: false,
        col,
    })
}

fn row_compare(
    g: &Glob<'_>,
    root: &Root,
    rti: u32,
    ix: &Rc<IndexInfo>,
    col: usize,
    ri: &Ri,
) -> Option<IndexClause> {
    let Expr::RowCompare { opnos, input_collations, left, right, .. } = &ri.clause else { return None };
    if !same_column(root, rti, ix, col, &left[0]) || !right.iter().all(|r| free_of(g, rti, r)) {
        return None;
    }
    let (strat, _) = strategy(g, ix, col, opnos[0])?;
    let (mut columns, mut cmps) = (Vec::new(), Vec::new());
    for (i, l) in left.iter().enumerate() {
        let c = (0..ix.desc.num_key_atts as usize).find(|c| same_column(root, rti, ix, *c, l))?;
        let (s, cmp) = strategy(g, ix, c, opnos[i])?;
        if s != strat || !coll_ok(ix, c, input_collations[i]) || c != col + i {
            return None;
        }
        // A mixed-direction index cannot compare rows.
        if ix.desc.options[c] & 1 != ix.desc.options[col] & 1 {
            return None;
        }
        columns.push(c as u16);
        cmps.push(cmp);
    }
    let kind = IndexQualKind::Row { strategy: strat, columns, opnos: opnos.to_vec(), cmp_procs: cmps };
    Some(IndexClause {
        ri: ri.clone(),
        quals: vec![IndexQual { clause: ri.clause.clone(), kind }],
        lossy: false,
        col,
    })
}

/// `col LIKE 'abc%'` as `col >= 'abc' AND col < 'abd'`.
fn pattern_quals(g: &Glob<'_>, ix: &IndexInfo, col: usize, ri: &Ri, o: &OpExpr) -> Option<IndexClause> {
    use pattern::{PatternKind, Prefix};
    let kind = match o.opno.0 {
        1209 | 1211 | 2016 => PatternKind::Like,
        1627 | 1629 => PatternKind::LikeIc,
        641 | 1055 => PatternKind::Regex,
        1228 | 1234 => PatternKind::RegexIc,
        3877 => PatternKind::StartsWith,
        _ => return None,
    };
    let Expr::Const(c) = &o.args[1] else { return None };
    let Datum::Bytes(pat) = &c.value else { return None };
    let coll = ix.desc.collations[col];
    let order = g.ctx.catalog.collation(coll).ok()?;
    if !order.is_deterministic() {
        return None;
    }
    let c_like = order.collate_is_c();
    let (eq, ge, lt, ty) = match ix.desc.opfamilies[col].0 {
        1994 if ix.desc.opcintypes[col] == oids::TEXT => (98, 667, 664, oids::TEXT),
        2095 => (98, 2317, 2314, oids::TEXT),
        426 => (1054, 1061, 1058, oids::BPCHAR),
        2097 => (1054, 2329, 2326, oids::BPCHAR),
        428 => (1955, 1960, 1957, oids::BYTEA),
        _ => return None,
    };
    let (pre, _) = pattern::prefix(kind, pat);
    let konst = |b: &[u8]| {
        Expr::Const(Const {
            consttype: ty,
            typmod: -1,
            collation: c.collation,
            value: Datum::bytes(b),
            location: None,
        })
    };
    let left = o.args[0].clone();
    let qual = |op: u32, v: Expr| -> Option<IndexQual> {
        let (strategy, cmp_proc) = strategy(g, ix, col, Oid(op))?;
        let clause = equivalence::make_op(g, Oid(op), left.clone(), v, coll).ok()?;
        Some(IndexQual { clause, kind: IndexQualKind::Op { strategy, opno: Oid(op), cmp_proc } })
    };
    let pattern_family = matches!(ix.desc.opfamilies[col].0, 2095 | 2097);
    let quals = match pre {
        Prefix::Exact(p) => vec![qual(eq, konst(&p))?],
        Prefix::Partial(p) if c_like || pattern_family => {
            let mut v = vec![qual(ge, konst(&p))?];
            if let Some(gs) = pattern::greater_string(&p) {
                v.push(qual(lt, konst(&gs))?);
            }
            v
        }
        _ => return None,
    };
    Some(IndexClause { ri: ri.clone(), quals, lossy: true, col })
}

/// Can the index alone supply all columns the scan needs?
fn index_only(g: &Glob<'_>, root: &Root, rti: u32, ix: &IndexInfo) -> bool {
    if !g.ctx.settings.enable_indexonlyscan {
        return false;
    }
    let rel = root.rel(rti);
    let has = |e: &Expr| -> bool {
        let mut ok = true;
        walk(e, &mut |x| {
            if let Expr::Var(v) = x
                && v.levels_up == 0
                && v.varno == VarNo::Rte(rti)
                && (v.attno <= 0 || !ix.desc.keys.contains(&v.attno))
            {
                ok = false;
            }
            ok
        });
        ok
    };
    rel.target.exprs.iter().all(has) && ix.restrict.iter().all(|r| has(&r.clause))
}

/// Plain scans of an index with a set of clauses; those fit for bitmaps are noted too.
fn plain(
    g: &Glob<'_>,
    root: &mut Root,
    rti: u32,
    ix: &Rc<IndexInfo>,
    set: &ClauseSet,
    outer: Relids,
    bit: &mut Vec<Rc<Path>>,
) {
    let lower_array = |c: &IndexClause| {
        c.col > 0 && c.quals.iter().any(|q| matches!(q.kind, IndexQualKind::ArrayOp { .. }))
    };
    let skipped = set.iter().any(lower_array);
    let first: ClauseSet = set.iter().filter(|c| !lower_array(c)).cloned().collect();
    let mut paths = build(g, root, rti, ix, first, outer, true, false);
    if skipped {
        paths.extend(build(g, root, rti, ix, set.clone(), outer, false, false));
    }
    for p in paths {
        let good = matches!(&p.kind, PathKind::Index(ip) if p.keys.is_empty() || ip.selectivity < 1.0);
        let has_clauses = matches!(&p.kind, PathKind::Index(ip) if !ip.clauses.is_empty() || !ip.index.predicate.is_empty());
        if good && has_clauses {
            bit.push(Rc::new(p.clone()));
        }
        root.rel_mut(rti).add_path(p);
    }
}

/// Paths of one index with exactly these clauses.
pub fn build(
    g: &Glob<'_>,
    root: &mut Root,
    rti: u32,
    ix: &Rc<IndexInfo>,
    clauses: ClauseSet,
    outer: Relids,
    ordered: bool,
    bitmap: bool,
) -> Vec<Path> {
    let mut out = Vec::new();
    let outer = outer | root.rel(rti).lateral;
    let useful = !bitmap && ordered && pathkeys::any_useful(root, root.rel(rti));
    let only = !bitmap && index_only(g, root, rti, ix);
    let useful_pred = !ix.predicate.is_empty();
    if clauses.is_empty() && !useful && !useful_pred && !only {
        return out;
    }
    let loops = loop_count(g, root, rti, outer);
    let relids = root.rel(rti).relids;
    let fwd = if useful {
        let k = pathkeys::for_index(g, root, rti, ix, false);
        pathkeys::truncate_useless(root, relids, &k)
    } else {
        Vec::new()
    };
    let back = if useful {
        let k = pathkeys::for_index(g, root, rti, ix, true);
        pathkeys::truncate_useless(root, relids, &k)
    } else {
        Vec::new()
    };
    let param = param_info(g, root, rti, outer);
    let rel = root.rel(rti);
    let filters = unapplied(ix, &clauses, &param);
    let make = |keys: Vec<PathKey>, backward: bool, aware: bool| {
        let mut p = Path::new(PathKind::Dummy, relids, rel.target.clone());
        p.aware = aware;
        p.param = param.clone();
        p.outer = outer;
        p.keys = keys.into();
        let ip = IndexPath {
            rti,
            index: ix.clone(),
            clauses: clauses.clone(),
            only,
            backward,
            index_total: 0.0,
            selectivity: 1.0,
        };
        cost::scan::index(g, root, rel, &mut p, ip, loops, &filters);
        p
    };
    let mut partial = Vec::new();
    let shared = outer.is_empty() && !bitmap && parallel::worth_index(g.ctx.settings, rel, ix.pages, only);
    let mut both = |keys: Vec<PathKey>, backward: bool| {
        if shared {
            let p = make(keys.clone(), backward, true);
            if p.workers > 0 {
                partial.push(p);
            }
        }
        out.push(make(keys, backward, false));
    };
    if !clauses.is_empty() || !fwd.is_empty() || useful_pred || only {
        both(fwd, false);
    }
    if !back.is_empty() {
        both(back, true);
    }
    for p in partial {
        root.rel_mut(rti).add_partial(p);
    }
    out
}

/// Clauses that a scan must check itself: neither index conditions nor implied by the predicate.
pub fn filters_of(
    g: &Glob<'_>,
    ix: &IndexInfo,
    clauses: &[IndexClause],
    param: &Option<Rc<ParamInfo>>,
) -> Vec<Ri> {
    let mut out = unapplied(ix, clauses, param);
    if !clauses.is_empty() {
        let quals: Vec<&Expr> =
            clauses.iter().filter(|c| !c.lossy).flat_map(|c| c.quals.iter().map(|q| &q.clause)).collect();
        out.retain(|ri| {
            contains_mutable(g.ctx, &ri.clause)
                || !predicate::implied(g, std::slice::from_ref(&ri.clause), &quals)
        });
    }
    out
}

/// Clauses that an index path does not apply itself: what its costs count for each row. (Whether the applied ones imply
/// some of them is asked only of the path that is chosen: the proof may be long.)
pub fn unapplied(ix: &IndexInfo, clauses: &[IndexClause], param: &Option<Rc<ParamInfo>>) -> Vec<Ri> {
    let mut out = Vec::new();
    let all = ix.restrict.iter().chain(param.iter().flat_map(|p| &p.clauses));
    for ri in all {
        if ri.pseudoconstant {
            continue;
        }
        let used = clauses.iter().any(|c| {
            !c.lossy
                && (Rc::ptr_eq(&c.ri, ri)
                    || (ri.parent_ec.is_some() && c.ri.parent_ec == ri.parent_ec)
                    || equal(&c.ri.clause, &ri.clause))
        });
        if used {
            continue;
        }
        out.push(ri.clone());
    }
    out
}

/// How often a parameterised scan will run: rows of the smallest relation that drives it.
pub fn loop_count(g: &Glob<'_>, root: &Root, rti: u32, outer: Relids) -> f64 {
    if outer.is_empty() {
        return 1.0;
    }
    let mut best = 0.0;
    for o in outer.iter() {
        let Some(Some(rel)) = root.base.get(o as usize) else { continue };
        if rel.dummy {
            continue;
        }
        let mut rows = rel.rows;
        for s in &root.sjis {
            if s.kind == JoinType::Semi && s.syn_left.contains(rti) && s.syn_right.contains(o) {
                let raw: f64 = s
                    .syn_right
                    .iter()
                    .filter_map(|r| root.base.get(r as usize)?.as_ref())
                    .map(|r| r.rows)
                    .product();
                let exprs: Vec<&Expr> = s.semi_rhs.iter().collect();
                if !exprs.is_empty() {
                    rows = rows.min(selectivity::num_groups(g, root, &exprs, raw));
                }
            }
        }
        if best == 0.0 || rows < best {
            best = rows;
        }
    }
    if best > 0.0 { best } else { 1.0 }
}

/// Clauses and row estimate of a relation parameterised by others.
pub fn param_info(g: &Glob<'_>, root: &mut Root, rti: u32, outer: Relids) -> Option<Rc<ParamInfo>> {
    if outer.is_empty() {
        return None;
    }
    if let Some(p) = root.rel(rti).param_infos.iter().find(|p| p.outer == outer) {
        return Some(p.clone());
    }
    let clauses = param_clauses(g, root, rti, outer);
    let mut list = clauses.clone();
    list.extend(root.rel(rti).base_clauses.iter().cloned());
    let r = root.rel(rti);
    let sel = selectivity::list_sel(g, root, &list, rti, JoinType::Inner, None);
    let rows = selectivity::clamp_rows(r.tuples * sel).min(r.rows);
    let p = Rc::new(ParamInfo { outer, rows, clauses });
    root.rel_mut(rti).param_infos.push(p.clone());
    Some(p)
}

/// Join clauses that a scan of the relation can check when the rows of `outer` are given. A member's are those of the
/// relation it is part of.
fn param_clauses(g: &Glob<'_>, root: &mut Root, rti: u32, outer: Relids) -> Vec<Ri> {
    if let Some(m) = root.rel(rti).member.clone() {
        let list = param_clauses(g, root, m.parent, outer);
        return list.iter().map(|r| crate::append::translate_clause(g, root, rti, r)).collect();
    }
    let rel = Relids::single(rti);
    let all = rel | outer;
    let mut clauses: Vec<Ri> =
        root.rel(rti).join_clauses.iter().filter(|r| movable_into(r, rel, all)).cloned().collect();
    clauses.extend(equivalence::join_clauses(g, root, all, outer, rel));
    clauses
}

/// May the join clause be checked inside a scan of `cur` when all of `all` is available?
pub fn movable_into(ri: &Ri, cur: Relids, all: Relids) -> bool {
    ri.clause_relids.subset_of(all)
        && ri.clause_relids.overlaps(cur)
        && !cur.overlaps(ri.outer_relids)
        && !ri.pseudoconstant
        && !ri.nullable_relids.overlaps(cur)
}

/// May the join clause become a condition of a scan of the relation?
pub fn movable_to(ri: &Ri, rti: u32) -> bool {
    ri.clause_relids.contains(rti)
        && !ri.outer_relids.contains(rti)
        && !ri.nullable_relids.contains(rti)
        && !ri.pseudoconstant
}

/// Scans parameterised by join clauses.
fn join_paths(
    g: &Glob<'_>,
    root: &mut Root,
    rti: u32,
    ix: &Rc<IndexInfo>,
    rset: &ClauseSet,
    bit: &mut Vec<Rc<Path>>,
) {
    let joins: Vec<Ri> = root.rel(rti).join_clauses.iter().filter(|r| movable_to(r, rti)).cloned().collect();
    let jset = match_clauses(g, root, rti, ix, &joins);
    let mut eset: ClauseSet = Vec::new();
    if root.rel(rti).has_eclass_joins {
        for col in 0..ix.desc.num_key_atts as usize {
            let Some(key) = pathkeys::index_expr(root, rti, ix, col) else { continue };
            let (fam, coll) = (ix.desc.opfamilies[col], ix.desc.collations[col]);
            let key = strip_relabel(&key).clone();
            let list = equivalence::clauses_for_column(g, root, rti, &|ec, m| {
                ec.families.contains(&fam)
                    && (!coll.is_valid() || coll == ec.collation)
                    && equal(strip_relabel(&m.expr), &key)
            });
            for ri in list {
                if let Some(c) = match_column(g, root, rti, ix, col, &ri) {
                    eset.push(c);
                }
            }
        }
    }
    if jset.is_empty() && eset.is_empty() {
        return;
    }
    let mut considered: Vec<Relids> = Vec::new();
    let mut n = 0;
    let all: Vec<Relids> = jset.iter().chain(&eset).map(|c| c.ri.clause_relids).collect();
    for r in all {
        if considered.contains(&r) {
            continue;
        }
        for old in considered.clone() {
            n += 1;
            if n > 10 * 8 {
                break;
            }
            let u = old | r;
            if u != old && u != r && !considered.contains(&u) {
                considered.push(u);
                one_param(g, root, rti, ix, rset, &jset, &eset, u, bit);
            }
        }
        considered.push(r);
        one_param(g, root, rti, ix, rset, &jset, &eset, r, bit);
    }
}

fn one_param(
    g: &Glob<'_>,
    root: &mut Root,
    rti: u32,
    ix: &Rc<IndexInfo>,
    rset: &ClauseSet,
    jset: &ClauseSet,
    eset: &ClauseSet,
    relids: Relids,
    bit: &mut Vec<Rc<Path>>,
) {
    let mut set: ClauseSet = Vec::new();
    let mut outer = Relids::EMPTY;
    for col in 0..ix.desc.num_key_atts as usize {
        for c in jset.iter().filter(|c| c.col == col && c.ri.clause_relids.subset_of(relids)) {
            set.push(c.clone());
            outer |= c.ri.clause_relids;
        }
        if let Some(c) = eset.iter().find(|c| c.col == col && c.ri.clause_relids.subset_of(relids)) {
            set.push(c.clone());
            outer |= c.ri.clause_relids;
        }
        set.extend(rset.iter().filter(|c| c.col == col).cloned());
    }
    let outer = outer.minus(Relids::single(rti));
    if outer.is_empty() {
        return;
    }
    plain(g, root, rti, ix, &set, outer, bit);
}
