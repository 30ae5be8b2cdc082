//! Sub-links that stay expressions become sub-plans or init-plans; references to outer query levels become
//! parameters.

use crate::create_plan;
use crate::exists;
use crate::exprs::*;
use crate::path::{Path, PathKind};
use crate::plan::Node;
use crate::planner::{cheapest_fractional, subquery_planner};
use crate::prep::sublinks::simplify_exists;
use crate::root::*;
use analyze::expr::*;
use analyze::query::Query;
use common::{Error, Oid, Result};
use types::oids;

/// Plans the sub-links of an expression in place. `top`: it is a qualification, where NULL counts as false.
pub fn process_sublinks(g: &Glob<'_>, root: &mut Root, e: &mut Expr, top: bool) -> Result<()> {
    match e {
        Expr::SubLink(s) => {
            if let Some(t) = &mut s.test {
                process_sublinks(g, root, t, false)?;
            }
            let s = (**s).clone();
            *e = match s.multi {
                Some(m) => multi_column(g, root, s, m)?,
                None => make(g, root, s, top)?,
            };
            Ok(())
        }
        Expr::Bool { op: BoolOp::And, args, .. } => {
            args.iter_mut().try_for_each(|a| process_sublinks(g, root, a, top))
        }
        Expr::Bool { op: BoolOp::Or, args, .. } => {
            args.iter_mut().try_for_each(|a| process_sublinks(g, root, a, top))
        }
        _ => {
            let mut r = Ok(());
            each_child_mut(e, &mut |c| {
                if r.is_ok() {
                    r = process_sublinks(g, root, c, false);
                }
            });
            r
        }
    }
}

/// The parameter that carries an outer expression down from its level.
fn outer_param(g: &Glob<'_>, depth: usize, item: Expr) -> u32 {
    let mut all = g.plan_params.borrow_mut();
    if all.len() <= depth {
        all.resize_with(depth + 1, Vec::new);
    }
    if let Some(p) = all[depth].iter().find(|p| equal(&p.item, &item)) {
        return p.id;
    }
    let id = g.new_param();
    all[depth].push(ParamItem { item, id });
    id
}

/// An executor parameter as an expression.
pub fn exec_param(id: u32, ty: Oid, typmod: i32, collation: Oid) -> Expr {
    Expr::Param(Param { kind: ParamKind::Exec, id, paramtype: ty, typmod, collation, location: None })
}

/// Replaces references to outer levels (Vars and aggregates) by parameters.
pub fn replace_outer_refs(g: &Glob<'_>, depth: usize, e: &mut Expr) {
    replace(e, &mut |x| {
        let up = match x {
            Expr::Var(v) if v.levels_up > 0 => v.levels_up,
            Expr::Aggref(a) if a.levels_up > 0 => a.levels_up,
            Expr::GroupingFunc { levels_up, .. } if *levels_up > 0 => *levels_up,
            _ => return None,
        };
        let mut item = x.clone();
        shift_levels(&mut item, -(up as i32), up);
        strip(&mut item);
        let (ty, tm, coll) = (type_of(&item), typmod_of(&item), collation_of(&item));
        let owner = depth.checked_sub(up as usize)?;
        Some(exec_param(outer_param(g, owner, item), ty, tm, coll))
    });
}

fn take_params(g: &Glob<'_>, depth: usize) -> Vec<ParamItem> {
    g.plan_params.borrow_mut().get_mut(depth).map(std::mem::take).unwrap_or_default()
}

/// One column of a sub-select that several columns are assigned from; the first one asked for plans it.
fn multi_column(g: &Glob<'_>, root: &mut Root, s: SubLink, m: MultiColumn) -> Result<Expr> {
    let link = Expr::SubLink(Box::new(s));
    let (ty, typmod, collation) = (type_of(&link), typmod_of(&link), collation_of(&link));
    let planned = match root.multi.iter().find(|p| p.0 == m.source) {
        Some(p) => p.1.clone(),
        None => {
            let Expr::SubLink(s) = link else { return Err(Error::internal("no sub-link")) };
            let planned = make(g, root, *s, false)?;
            root.multi.push((m.source, planned.clone()));
            planned
        }
    };
    match planned {
        Expr::SubPlan(p) => {
            let column = SubPlan { result_type: ty, typmod, collation, column: m.column, ..*p };
            Ok(Expr::SubPlan(Box::new(column)))
        }
        // An init-plan: its columns' parameters follow one another.
        Expr::Param(p) => Ok(exec_param(p.id + u32::from(m.column), ty, typmod, collation)),
        _ => Err(Error::internal("multi-column sub-select is neither sub-plan nor init-plan")),
    }
}

fn make(g: &Glob<'_>, root: &mut Root, s: SubLink, top: bool) -> Result<Expr> {
    let mut q: Query = (*s.subselect).clone();
    let (mut fraction, mut simple_exists) = (0.0, false);
    match s.kind {
        SubLinkType::Exists => {
            // Any row will do: nothing of it is looked at.
            simple_exists = simplify_exists(&mut q);
            fraction = 1.0;
        }
        SubLinkType::Any | SubLinkType::All => fraction = 0.5,
        _ => {}
    }
    let outer_params = take_params(g, root.depth);
    let sub = subquery_planner(g, q, root.depth + 1, fraction, None)?;
    let mine = take_params(g, root.depth);
    if let Some(l) = g.plan_params.borrow_mut().get_mut(root.depth) {
        *l = outer_params;
    }
    let best = cheapest_fractional(&sub.final_paths, fraction)
        .ok_or_else(|| Error::internal("sub-query has no path"))?;
    let mut planned = build(g, root, sub, &best, mine, s.clone(), top)?;
    if let Expr::SubPlan(p) = &mut planned
        && simple_exists
    {
        p.alternative = hashed_exists(g, root, &s)?;
        p.parallel_safe &= p.alternative.as_ref().is_none_or(|a| a.parallel_safe);
    }
    Ok(planned)
}

/// The hashed form of an EXISTS that depends on the outer row.
fn hashed_exists(g: &Glob<'_>, root: &mut Root, exists: &SubLink) -> Result<Option<Box<SubPlan>>> {
    let Some(mut any) = exists::as_any(g, exists)? else { return Ok(None) };
    if let Some(t) = &mut any.test {
        replace_outer_refs(g, root.depth, t);
    }
    let outer_params = take_params(g, root.depth);
    let sub = subquery_planner(g, (*any.subselect).clone(), root.depth + 1, 0.0, None)?;
    let own_params = take_params(g, root.depth);
    if let Some(l) = g.plan_params.borrow_mut().get_mut(root.depth) {
        *l = outer_params;
    }
    let best =
        cheapest_fractional(&sub.final_paths, 0.0).ok_or_else(|| Error::internal("sub-query has no path"))?;
    if !own_params.is_empty() || !fits(g, &best) {
        return Ok(None);
    }
    match build(g, root, sub, &best, Vec::new(), any, true)? {
        Expr::SubPlan(p) if p.use_hash_table => {
            g.has_alternatives.set(true);
            Ok(Some(p))
        }
        _ => Ok(None),
    }
}

/// Does the plan keep its rows, so that a re-scan is cheap without another Material?
fn keeps_rows(p: &Path) -> bool {
    matches!(
        p.kind,
        PathKind::Material { .. }
            | PathKind::Function { .. }
            | PathKind::Cte { .. }
            | PathKind::WorkTable { .. }
            | PathKind::Sort { .. }
    )
}

fn build(
    g: &Glob<'_>,
    root: &mut Root,
    mut sub: Root,
    best: &std::rc::Rc<Path>,
    params: Vec<ParamItem>,
    s: SubLink,
    top: bool,
) -> Result<Expr> {
    let cols: Vec<(Oid, i32, Oid)> = sub
        .tlist
        .iter()
        .filter(|t| !t.junk)
        .map(|t| (type_of(&t.expr), typmod_of(&t.expr), collation_of(&t.expr)))
        .collect();
    let mut path = best.clone();
    // The sub-query's own parameters are numbered before those that carry its results.
    let mut plan = create_plan::create(g, &mut sub, &path)?;
    let mut sp = SubPlan {
        kind: s.kind,
        plan_id: 0,
        plan_name: String::new(),
        test: None,
        param_ids: Vec::new(),
        result_type: s.result_type,
        stacked: s.kind == SubLinkType::Array && cols.first().is_some_and(|c| c.0 == s.result_type),
        typmod: cols.first().map_or(-1, |c| c.1),
        collation: cols.first().map_or(Oid::INVALID, |c| c.2),
        use_hash_table: false,
        unknown_eq_false: top,
        set_param: Vec::new(),
        par_param: params.iter().map(|p| p.id).collect(),
        args: Vec::new(),
        startup_cost: 0.0,
        per_call_cost: 0.0,
        parallel_safe: path.safe,
        alternative: None,
        column: 0,
    };
    for p in params {
        let mut a = p.item;
        process_sublinks(g, root, &mut a, false)?;
        replace_outer_refs(g, root.depth, &mut a);
        sp.args.push(a);
    }
    let correlated = !sp.par_param.is_empty();
    let init = !correlated
        && matches!(
            s.kind,
            SubLinkType::Exists
                | SubLinkType::Expr
                | SubLinkType::Array
                | SubLinkType::RowCompare
                | SubLinkType::MultiExpr
        );
    let mut result = None;
    if init {
        let (ty, tm, coll) = match s.kind {
            SubLinkType::Exists => (oids::BOOL, -1, Oid::INVALID),
            SubLinkType::Expr => cols.first().copied().unwrap_or((oids::TEXT, -1, Oid::INVALID)),
            _ => (s.result_type, -1, cols.first().map_or(Oid::INVALID, |c| c.2)),
        };
        if s.kind == SubLinkType::MultiExpr {
            sp.set_param = cols.iter().map(|_| g.new_param()).collect();
            result = sp.set_param.first().map(|id| exec_param(*id, ty, tm, coll));
        } else if s.kind == SubLinkType::RowCompare {
            let ids: Vec<u32> = cols.iter().map(|_| g.new_param()).collect();
            let mut t =
                s.test.as_deref().cloned().ok_or_else(|| Error::internal("row comparison without test"))?;
            subst_cols(&mut t, &ids, &cols);
            sp.set_param = ids;
            result = Some(t);
        } else {
            let id = g.new_param();
            sp.set_param = vec![id];
            result = Some(exec_param(id, ty, tm, coll));
        }
    } else if let Some(t) = &s.test {
        let ids: Vec<u32> = cols.iter().map(|_| g.new_param()).collect();
        let mut t = (**t).clone();
        subst_cols(&mut t, &ids, &cols);
        sp.param_ids = ids.clone();
        if s.kind == SubLinkType::Any && !correlated && hashable(g, &t, &ids) && fits(g, &path) {
            sp.use_hash_table = true;
        } else if !correlated && g.ctx.settings.enable_material && !keeps_rows(&path) {
            path = std::rc::Rc::new(crate::paths::join::material(g, &path));
            let init_plans = std::mem::take(&mut plan.init_plans);
            plan = create_plan::pass(&path, plan, |child| Node::Material { child });
            plan.init_plans = init_plans;
        }
        sp.test = Some(Box::new(t));
    }
    costs(g, &mut sp, &path);
    let mut list = g.subplans.borrow_mut();
    list.push(PendingPlan { plan, rtable: std::mem::take(&mut sub.query.rtable) });
    sp.plan_id = list.len() as u32;
    drop(list);
    if init {
        let names: Vec<String> = sp.set_param.iter().map(|p| format!("${p}")).collect();
        sp.plan_name = format!("InitPlan {} (returns {})", sp.plan_id, names.join(","));
        g.parallel.safe_params.borrow_mut().extend(&sp.set_param);
        root.init_plans.push(sp);
        return result.ok_or_else(|| Error::internal("init-plan without result"));
    }
    sp.plan_name = format!("SubPlan {}", sp.plan_id);
    if s.kind == SubLinkType::MultiExpr {
        sp.set_param = cols.iter().map(|_| g.new_param()).collect();
        let names: Vec<String> = sp.set_param.iter().map(|p| format!("${p}")).collect();
        sp.plan_name += &format!(" (returns {})", names.join(","));
    }
    Ok(Expr::SubPlan(Box::new(sp)))
}

fn subst_cols(t: &mut Expr, ids: &[u32], cols: &[(Oid, i32, Oid)]) {
    replace(t, &mut |x| match x {
        Expr::Param(p) if p.kind == ParamKind::SubLink => {
            let i = p.id as usize - 1;
            let c = cols.get(i)?;
            Some(exec_param(*ids.get(i)?, c.0, c.1, c.2))
        }
        _ => None,
    });
    strip(t);
}

/// Is the test a list of hashable strict equalities between outer values and the sub-select's columns?
fn hashable(g: &Glob<'_>, t: &Expr, ids: &[u32]) -> bool {
    let list = match t {
        Expr::Bool { op: BoolOp::And, args, .. } => args.as_slice(),
        x => std::slice::from_ref(x),
    };
    list.iter().all(|e| {
        let Expr::Op(o) = e else { return false };
        let Ok(d) = g.ctx.catalog.operator(o.opno) else { return false };
        let is_col = |x: &Expr| {
            any(x, &mut |y| matches!(y, Expr::Param(p) if p.kind == ParamKind::Exec && ids.contains(&p.id)))
        };
        d.can_hash
            && strict(g.ctx, o.funcid)
            && o.args.len() == 2
            && !is_col(&o.args[0])
            && is_col(&o.args[1])
            && !has_level_vars(&o.args[1])
    })
}

fn fits(g: &Glob<'_>, p: &Path) -> bool {
    p.rows * (f64::from((p.target.width + 7) / 8 * 8) + 24.0) <= g.ctx.settings.hash_mem_bytes()
}

fn costs(g: &Glob<'_>, sp: &mut SubPlan, p: &Path) {
    let unit = g.ctx.settings.cpu_operator_cost;
    let mut c = sp.test.as_deref().map_or_else(QualCost::default, |t| cost_expr(g.ctx, t));
    if sp.use_hash_table {
        c.startup += p.total + unit * p.rows;
    } else {
        let run = p.total - p.startup;
        c.per_tuple += match sp.kind {
            SubLinkType::Exists => run / p.rows.max(1.0),
            SubLinkType::Any | SubLinkType::All => 0.5 * run + 0.5 * p.rows * unit,
            _ => run,
        };
        if sp.par_param.is_empty() && keeps_rows(p) {
            c.startup += p.startup;
        } else {
            c.per_tuple += p.startup;
        }
    }
    sp.startup_cost = c.startup;
    sp.per_call_cost = c.per_tuple;
}
