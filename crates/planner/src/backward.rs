//! Can a plan be read backwards without keeping its rows? PostgreSQL's answer decides whether a cursor declared without
//! SCROLL or NO SCROLL may go back; here any cursor could, so only the answer is of interest.

use crate::plan::{Node, Plan};

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
