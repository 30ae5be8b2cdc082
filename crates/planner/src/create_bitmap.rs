//! Bitmap scans: the tree of index scans that makes the bitmap, what has to be tested again on pages that it knows as a whole, and
//! what no index tests.

use crate::create_plan::*;
use crate::exprs::*;
use crate::path::*;
use crate::paths::predicate;
use crate::plan::*;
use crate::root::*;
use analyze::expr::*;
use common::{Error, Result};

/// A scan of the rows that a bitmap finds.
pub fn bitmap_scan(
    g: &Glob<'_>,
    root: &mut Root,
    path: &Path,
    rti: u32,
    b: &Bitmap,
    clauses: Vec<Ri>,
) -> Result<Plan> {
    let mut lossless: Vec<Expr> = Vec::new();
    let Fetched { plan: child, originals: recheck, applied, serials } =
        bitmap_tree(g, root, rti, b, &mut lossless)?;
    let mut quals = Vec::new();
    let mut ecs = Vec::new();
    bitmap_ecs(b, &mut ecs);
    for ri in clauses {
        if ri.pseudoconstant
            || ri.parent_ec.is_some_and(|e| ecs.contains(&e))
            || serials.contains(&ri.serial)
            || applied.iter().any(|r| equal(r, &ri.clause))
            || lossless.iter().any(|r| equal(r, &ri.clause))
        {
            continue;
        }
        if !contains_mutable(g.ctx, &ri.clause) {
            let have: Vec<&Expr> = applied.iter().collect();
            if predicate::implied(g, std::slice::from_ref(&ri.clause), &have) {
                continue;
            }
        }
        quals.push(ri.clause.clone());
    }
    let recheck: Vec<Expr> = recheck
        .into_iter()
        .filter(|r| bool_const(r) != Some(true) && !quals.iter().any(|q| equal(q, r)))
        .collect();
    let recheck = with_params(g, root, recheck);
    let quals = with_params(g, root, quals);
    Ok(wrap(path, Node::BitmapHeapScan { rti, child: Box::new(child), recheck }, quals))
}

/// Equivalence classes whose clauses a bitmap applies exactly.
fn bitmap_ecs(b: &Bitmap, out: &mut Vec<usize>) {
    match b {
        Bitmap::Index(p) => {
            if let PathKind::Index(ip) = &p.kind {
                out.extend(ip.clauses.iter().filter(|c| !c.lossy).filter_map(|c| c.ri.parent_ec));
            }
        }
        Bitmap::And { subs, .. } => subs.iter().for_each(|s| bitmap_ecs(s, out)),
        Bitmap::Or { .. } => {}
    }
}

/// A tree that makes a bitmap, and what is known of the rows it finds.
struct Fetched {
    plan: Plan,
    /// The clauses as they were written, to test again on lossy pages.
    originals: Vec<Expr>,
    /// What the indexes test.
    applied: Vec<Expr>,
    /// Numbers of the clauses that need no other test.
    serials: Vec<u32>,
}

fn bitmap_tree(
    g: &Glob<'_>,
    root: &mut Root,
    rti: u32,
    b: &Bitmap,
    lossless: &mut Vec<Expr>,
) -> Result<Fetched> {
    let tuples = root.rel(rti).tuples;
    match b {
        Bitmap::Index(p) => {
            let PathKind::Index(ip) = &p.kind else {
                return Err(Error::internal("bitmap over a non-index path"));
            };
            let conds = index_conds(g, root, ip);
            let (mut originals, mut applied, mut serials) = (Vec::new(), Vec::new(), Vec::new());
            for c in &ip.clauses {
                originals.push(c.ri.clause.clone());
                applied.extend(c.quals.iter().map(|q| q.clause.clone()));
                if !c.lossy {
                    serials.push(c.ri.serial);
                    lossless.push(c.ri.clause.clone());
                }
            }
            for pred in &ip.index.predicate {
                let have: Vec<&Expr> = originals.iter().collect();
                if !predicate::implied(g, std::slice::from_ref(pred), &have) {
                    originals.push(pred.clone());
                    applied.push(pred.clone());
                }
            }
            let rows = crate::selectivity::clamp_rows(ip.selectivity * tuples);
            let n = Node::BitmapIndexScan { rti, index: ip.index.desc.oid, conds };
            Ok(Fetched { plan: small(0.0, ip.index_total, rows, n), originals, applied, serials })
        }
        Bitmap::And { subs, total, selectivity } => {
            let mut children = Vec::new();
            let (mut originals, mut applied, mut serials) =
                (Vec::<Expr>::new(), Vec::<Expr>::new(), Vec::new());
            let add = |list: &mut Vec<Expr>, more: Vec<Expr>| {
                for x in more {
                    if !list.iter().any(|y| equal(y, &x)) {
                        list.push(x);
                    }
                }
            };
            for s in subs {
                let arm = bitmap_tree(g, root, rti, s, lossless)?;
                children.push(arm.plan);
                add(&mut originals, arm.originals);
                add(&mut applied, arm.applied);
                serials.extend(arm.serials);
            }
            let rows = crate::selectivity::clamp_rows(selectivity * tuples);
            let plan = small(*total, *total, rows, Node::BitmapAnd { children });
            Ok(Fetched { plan, originals, applied, serials })
        }
        Bitmap::Or { subs, total, selectivity } => {
            let (mut children, mut originals, mut applied) = (Vec::new(), Vec::new(), Vec::new());
            for s in subs {
                let mut own = Vec::new();
                // Arms that are themselves ORs are flattened, as the index scans below them are.
                let arm = bitmap_tree(g, root, rti, s, &mut own)?;
                children.push(arm.plan);
                originals.push(make_and(arm.originals));
                applied.push(make_and(arm.applied));
            }
            let rows = crate::selectivity::clamp_rows(selectivity * tuples);
            let plan = match children.len() {
                1 => children.swap_remove(0),
                _ => small(*total, *total, rows, Node::BitmapOr { children }),
            };
            let either = |arms: Vec<Expr>| vec![make_or(arms)];
            Ok(Fetched { plan, originals: either(originals), applied: either(applied), serials: Vec::new() })
        }
    }
}
