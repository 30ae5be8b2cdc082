//! Can a plan be read backwards without keeping its rows? PostgreSQL's answer decides whether a cursor declared without
//! SCROLL or NO SCROLL may go back; here any cursor could, so only the answer is of interest.

use crate::plan::{Node, Plan, PlannedStmt};
use analyze::expr::{TargetEntry, VarNo};

/// Does PostgreSQL read this plan backwards?
pub fn supports_backward_scan(p: &Plan) -> bool {
    match &p.node {
        Node::Result { child: Some(c), .. } => supports_backward_scan(c),
        Node::Append { children, .. } => children.iter().all(supports_backward_scan),
        Node::SeqScan { sample, .. } => sample.is_none(),
        Node::TidScan { .. }
        | Node::FunctionScan { .. }
        | Node::ValuesScan { .. }
        | Node::CteScan { .. }
        | Node::IndexScan { .. }
        | Node::IndexOnlyScan { .. }
        | Node::Material { .. }
        | Node::Sort { .. } => true,
        Node::SubqueryScan { child, .. } | Node::LockRows { child, .. } | Node::Limit { child, .. } => {
            supports_backward_scan(child)
        }
        _ => false,
    }
}

/// What DECLARE SCROLL CURSOR puts on top of a plan that PostgreSQL does not read backwards: a node that keeps the rows.
pub fn make_scrollable(s: &mut PlannedStmt, cpu_operator_cost: f64) {
    if supports_backward_scan(&s.plan) {
        return;
    }
    let targetlist =
        s.plan.targetlist.iter().enumerate().map(|(i, t)| TargetEntry {
            expr: crate::setrefs::outer_var(i, &t.expr, VarNo::Outer),
            ..t.clone()
        });
    let top = Plan {
        startup_cost: s.plan.startup_cost,
        total_cost: s.plan.total_cost + 2.0 * cpu_operator_cost * s.plan.rows,
        rows: s.plan.rows,
        width: s.plan.width,
        targetlist: targetlist.collect(),
        qual: Vec::new(),
        init_plans: Vec::new(),
        parallel_aware: false,
        node: Node::Append { children: Vec::new(), rti: 0 },
        ext_params: s.plan.ext_params.clone(),
        all_columns: false,
        node_id: 0,
    };
    let mut child = std::mem::replace(&mut s.plan, top);
    s.plan.init_plans = std::mem::take(&mut child.init_plans);
    s.plan.node = Node::Material { child: Box::new(child) };
    s.number();
}
