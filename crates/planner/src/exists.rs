//! EXISTS over a correlated sub-select has two plans: to run the sub-select for each outer row, or to read all of it once
//! into a hash table where the outer rows look up. Which is cheaper depends on how often the test is made; that is known
//! when the plan around it stands, and decided there.

use crate::create_plan::entry;
use crate::exprs::*;
use crate::plan::Plan;
use crate::prep::sublinks::simplify_exists;
use crate::root::Glob;
use crate::setrefs::each_expr_mut;
use analyze::expr::*;
use common::Result;
use std::collections::HashMap;

/// `EXISTS (SELECT … WHERE outer = inner AND …)` as `(outer, …) = ANY (SELECT inner, …)`; `None` if its conditions on the
/// outer row are other than hashable equalities.
pub fn as_any(g: &Glob<'_>, exists: &SubLink) -> Result<Option<SubLink>> {
    let mut sub = (*exists.subselect).clone();
    if !simplify_exists(&mut sub) || sub.jointree.from.is_empty() {
        return Ok(None);
    }
    let Some(mut quals) = sub.jointree.quals.take() else { return Ok(None) };
    if query_is_correlated(&sub) || contains_volatile(g.ctx, &quals) {
        return Ok(None);
    }
    fold::fold(g.ctx, &mut quals)?;
    let (mut inner, mut tests) = (Vec::new(), Vec::new());
    for clause in to_and_list(Some(canonicalize(quals))) {
        if !refers_to_level(&clause, 1) {
            inner.push(clause);
            continue;
        }
        let Expr::Op(o) = clause else { return Ok(None) };
        let Some((outer, op, column)) = oriented(g, o)? else { return Ok(None) };
        let at = tests.len();
        sub.target_list.push(entry(at, column.clone(), 0));
        tests.push(test(at, outer, op, &column));
    }
    if tests.is_empty() {
        return Ok(None);
    }
    if !inner.is_empty() {
        sub.jointree.quals = Some(make_and(inner));
    }
    Ok(Some(SubLink {
        kind: SubLinkType::Any,
        test: Some(Box::new(make_and(tests))),
        subselect: Box::new(sub),
        ..exists.clone()
    }))
}

/// The two sides of a hashable equality, the outer one first; `None` if a side mixes both levels.
fn oriented(g: &Glob<'_>, mut o: OpExpr) -> Result<Option<(Expr, OpExpr, Expr)>> {
    let (Some(right), Some(left)) = (o.args.pop(), o.args.pop()) else { return Ok(None) };
    let (outer, column) = match refers_to_level(&left, 1) {
        true => (left, right),
        false => {
            let commutator = g.ctx.catalog.operator(o.opno)?.commutator;
            if !commutator.is_valid() {
                return Ok(None);
            }
            o.opno = commutator;
            o.funcid = g.ctx.catalog.operator(commutator)?.code;
            (right, left)
        }
    };
    let separate = !has_level_vars(&outer) && !refers_to_level(&column, 1) && !contains_subplans(&outer);
    let hashed = g.ctx.catalog.operator(o.opno)?.can_hash;
    Ok((separate && hashed).then_some((outer, o, column)))
}

/// `outer op` the sub-select's column.
fn test(at: usize, mut outer: Expr, op: OpExpr, column: &Expr) -> Expr {
    shift_levels(&mut outer, -1, 1);
    let column = Expr::Param(Param {
        kind: ParamKind::SubLink,
        id: at as u32 + 1,
        paramtype: type_of(column),
        typmod: typmod_of(column),
        collation: collation_of(column),
        location: None,
    });
    Expr::Op(OpExpr { args: vec![outer, column], ..op })
}

/// Which of its two forms each test takes. A test that stands in several nodes, which find it in their inputs' columns, takes
/// the same form everywhere: that of the node that makes it, the lowest.
#[derive(Default)]
pub struct Choices {
    /// By the number of the sub-plan that runs for each row: is the hashed one taken?
    hashed: HashMap<u32, bool>,
    /// The sub-plans that were planned and not taken.
    pub unused: Vec<u32>,
}

impl Choices {
    /// Decides for a plan and what is below it.
    pub fn make(&mut self, p: &mut Plan) {
        p.children_mut().into_iter().for_each(|c| self.make(c));
        let rows = p.rows;
        p.targetlist.iter_mut().for_each(|t| self.take(&mut t.expr, rows));
        // A condition is tested for rows that do not pass, too.
        each_expr_mut(p, &mut |e| self.take(e, rows * 2.0));
    }

    fn take(&mut self, e: &mut Expr, times: f64) {
        if let Expr::SubPlan(s) = e
            && let Some(mut other) = s.alternative.take()
        {
            let cost = |s: &SubPlan| s.startup_cost + times * s.per_call_cost;
            let hashed = *self.hashed.entry(s.plan_id).or_insert_with(|| {
                let hashed = cost(&other) <= cost(s);
                self.unused.push(if hashed { s.plan_id } else { other.plan_id });
                hashed
            });
            if hashed {
                std::mem::swap(s, &mut other);
            }
        }
        each_child_mut(e, &mut |c| self.take(c, times));
    }
}
