//! EXPLAIN of parallel plans: what Gather nodes show, and the names of aggregates computed in two stages.

use super::names::{Names, Place};
use super::node::{NodeCx, Prop};
use super::value::Val;
use crate::exprs::*;
use crate::plan::Plan;
use analyze::expr::*;

/// Word before an aggregate node's name.
pub fn prefix(split: AggSplit) -> &'static str {
    match split {
        AggSplit::Simple => "",
        AggSplit::Partial => "Partial ",
        AggSplit::Finalize => "Finalize ",
    }
}

/// "Partial Mode" of the structured formats.
pub fn mode(split: AggSplit) -> &'static str {
    match split {
        AggSplit::Simple => "Simple",
        AggSplit::Partial => "Partial",
        AggSplit::Finalize => "Finalize",
    }
}

impl NodeCx<'_> {
    /// Parameters of init-plans that the workers need: evaluated before they start.
    fn evaluated(&self, at: &Place<'_>) -> Vec<String> {
        fn init_params(p: &Plan, out: &mut Vec<u32>) {
            out.extend(p.init_plans.iter().flat_map(|s| &s.set_param));
            p.children().into_iter().for_each(|c| init_params(c, out));
        }
        let mut set = Vec::new();
        let stmt = self.names.stmt;
        std::iter::once(&stmt.plan).chain(&stmt.subplans).for_each(|p| init_params(p, &mut set));
        let children = at.plan.children();
        let used = children.first().map_or(&[][..], |c| &c.ext_params);
        used.iter().filter(|p| set.contains(p)).map(|p| format!("${p}")).collect()
    }

    pub(super) fn gather(&self, at: &Place<'_>, workers: u32, single_copy: bool, out: &mut Vec<Prop>) {
        self.upper_filter(at, out);
        out.push(Prop::Num("Workers Planned", workers.to_string()));
        let params = self.evaluated(at);
        if !params.is_empty() {
            out.push(Prop::List("Params Evaluated", params));
        }
        if let Some(n) = self.ni(at.plan).and_then(|n| n.workers_launched) {
            out.push(Prop::Num("Workers Launched", n.to_string()));
        }
        if single_copy {
            out.push(Prop::Text("Single Copy: true".into()));
        }
        if matches!(at.plan.node, crate::plan::Node::Gather { .. }) {
            out.push(Prop::Struct("Single Copy", Val::Bool(single_copy)));
        }
    }
}

/// Parameters with numbers from here on stand for texts of [`Finals`].
const FIRST: u32 = u32::MAX / 2;

/// Aggregates of a Finalize node read transition states; they are shown as the aggregates that made these.
pub struct Finals {
    /// The expression with its finalizing aggregates replaced; absent where there are none.
    pub expr: Option<Expr>,
    texts: Vec<String>,
}

impl Finals {
    pub fn of(names: &Names<'_>, at: &Place<'_>, e: &Expr, prefix: bool) -> Finals {
        let mut f = Finals { expr: None, texts: Vec::new() };
        let is_final = |x: &Expr| matches!(x, Expr::Aggref(a) if a.split == AggSplit::Finalize);
        let mut any = false;
        walk(e, &mut |x| {
            any |= is_final(x);
            !any
        });
        if !any {
            return f;
        }
        let mut copy = e.clone();
        replace(&mut copy, &mut |x| {
            let Expr::Aggref(a) = x else { return None };
            if a.split != AggSplit::Finalize {
                return None;
            }
            let state = a.args.first().map(|t| &t.expr)?;
            let id = FIRST + f.texts.len() as u32;
            f.texts.push(made_by(names, at, state, prefix)?);
            Some(crate::subplan::exec_param(id, a.result_type, -1, a.collation))
        });
        f.expr = Some(copy);
        f
    }

    /// Text behind a parameter made here.
    pub fn text(&self, p: &Param) -> Option<String> {
        if p.kind != ParamKind::Exec || p.id < FIRST {
            return None;
        }
        self.texts.get((p.id - FIRST) as usize).cloned()
    }
}

/// The aggregate whose state a column is.
fn made_by(names: &Names<'_>, at: &Place<'_>, state: &Expr, prefix: bool) -> Option<String> {
    match state {
        Expr::Aggref(a) => {
            let mut whole = a.clone();
            whole.split = AggSplit::Simple;
            Some(names.expr(at, &Expr::Aggref(whole), prefix))
        }
        Expr::Var(v) => {
            let children = at.plan.children();
            let child = children.first()?;
            let t = child.targetlist.get(v.attno.max(1) as usize - 1)?;
            made_by(names, &Place { plan: child, up: Some(at), sub: None }, &t.expr, prefix)
        }
        _ => None,
    }
}
