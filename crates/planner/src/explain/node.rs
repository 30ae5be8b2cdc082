//! One plan node: its title, its properties, its children.

use super::names::{Names, Place, operation};
use super::value::Val;
use super::{ExplainOptions, fixed, parallel, usage};
use crate::exprs::*;
use crate::instrument::{Instrumentation, NodeInstr};
use crate::plan::*;
use analyze::expr::*;
use analyze::names::quote_ident;
use analyze::query::*;
use catalog::desc::Relation;
use common::Oid;
use std::borrow::Cow;

/// What printing a node needs.
pub struct NodeCx<'a> {
    pub names: &'a Names<'a>,
    pub opts: ExplainOptions,
    pub instr: Option<&'a Instrumentation>,
}

/// A property: text form and structured form.
pub(super) enum Prop {
    /// `Label: text` and `"Label": "text"`.
    Both(&'static str, String),
    /// A list: joined by commas in text.
    List(&'static str, Vec<String>),
    Num(&'static str, String),
    Text(String),
    Struct(&'static str, Val),
}

fn join_word(k: JoinType) -> &'static str {
    match k {
        JoinType::Inner => "Inner",
        JoinType::Left => "Left",
        JoinType::Full => "Full",
        JoinType::Right => "Right",
        JoinType::Semi => "Semi",
        JoinType::Anti => "Anti",
    }
}

/// Members of a node's object so far; text needs none.
type Members<'m> = Option<&'m mut Vec<(&'static str, Val)>>;

struct Title {
    /// Structured node type.
    node_type: &'static str,
    /// Text name without its target.
    text: Cow<'static, str>,
    extra: Vec<(&'static str, Val)>,
}

fn s(v: &str) -> Val {
    Val::Str(v.into())
}

fn indent(n: usize, out: &mut String) {
    out.extend(std::iter::repeat_n(' ', n));
}

impl<'a> NodeCx<'a> {
    pub(super) fn ni(&self, p: &Plan) -> Option<&'a NodeInstr> {
        if !self.opts.analyze {
            return None;
        }
        self.instr.and_then(|i| i.nodes.get(p.node_id as usize))
    }

    fn title(&self, p: &Plan) -> Title {
        let plain = |n: &'static str| Title { node_type: n, text: n.into(), extra: Vec::new() };
        let joined = |n: &'static str, base: &str, k: JoinType| {
            let text = match (k, n) {
                (JoinType::Inner, _) => n.into(),
                (k, "Nested Loop") => format!("Nested Loop {} Join", join_word(k)).into(),
                (k, _) => format!("{base} {} Join", join_word(k)).into(),
            };
            Title { node_type: n, text, extra: vec![("Join Type", s(join_word(k)))] }
        };
        match &p.node {
            Node::Result { .. } => plain("Result"),
            Node::ProjectSet { .. } => plain("ProjectSet"),
            Node::ModifyTable(m) => Title {
                node_type: "ModifyTable",
                text: operation(m.command).into(),
                extra: vec![("Operation", s(operation(m.command)))],
            },
            Node::Append { .. } => plain("Append"),
            Node::MergeAppend { .. } => plain("Merge Append"),
            Node::RecursiveUnion { .. } => plain("Recursive Union"),
            Node::SeqScan { sample: None, .. } => plain("Seq Scan"),
            Node::SeqScan { .. } => plain("Sample Scan"),
            Node::IndexScan { .. } => plain("Index Scan"),
            Node::IndexOnlyScan { .. } => plain("Index Only Scan"),
            Node::BitmapIndexScan { .. } => plain("Bitmap Index Scan"),
            Node::BitmapAnd { .. } => plain("BitmapAnd"),
            Node::BitmapOr { .. } => plain("BitmapOr"),
            Node::BitmapHeapScan { .. } => plain("Bitmap Heap Scan"),
            Node::TidScan { .. } => plain("Tid Scan"),
            Node::SubqueryScan { .. } => plain("Subquery Scan"),
            Node::FunctionScan { .. } => plain("Function Scan"),
            Node::ValuesScan { .. } => plain("Values Scan"),
            Node::CteScan { .. } => plain("CTE Scan"),
            Node::WorkTableScan { .. } => plain("WorkTable Scan"),
            Node::NestLoop { join, .. } => joined("Nested Loop", "Nested Loop", join.kind),
            Node::MergeJoin { join, .. } => joined("Merge Join", "Merge", join.kind),
            Node::HashJoin { join, .. } => joined("Hash Join", "Hash", join.kind),
            Node::Hash { .. } => plain("Hash"),
            Node::Material { .. } => {
                Title { node_type: "Materialize", text: "Materialize".into(), extra: Vec::new() }
            }
            Node::Memoize { .. } => plain("Memoize"),
            Node::Sort { .. } => plain("Sort"),
            Node::IncrementalSort { .. } => plain("Incremental Sort"),
            Node::Group { .. } => plain("Group"),
            Node::Agg { strategy, split, .. } => {
                let (text, st) = match strategy {
                    AggStrategy::Plain => ("Aggregate", "Plain"),
                    AggStrategy::Sorted => ("GroupAggregate", "Sorted"),
                    AggStrategy::Hashed => ("HashAggregate", "Hashed"),
                    AggStrategy::Mixed => ("MixedAggregate", "Mixed"),
                };
                Title {
                    node_type: "Aggregate",
                    text: format!("{}{text}", parallel::prefix(*split)).into(),
                    extra: vec![("Strategy", s(st)), ("Partial Mode", s(parallel::mode(*split)))],
                }
            }
            Node::WindowAgg { .. } => plain("WindowAgg"),
            Node::Unique { .. } => plain("Unique"),
            Node::Gather { .. } => plain("Gather"),
            Node::GatherMerge { .. } => plain("Gather Merge"),
            Node::SetOp { op, all, hashed, .. } => {
                let cmd = match (op, all) {
                    (SetOp::Intersect, false) => "Intersect",
                    (SetOp::Intersect, true) => "Intersect All",
                    (SetOp::Except, false) => "Except",
                    (SetOp::Except, true) => "Except All",
                    _ => "Union",
                };
                Title {
                    node_type: "SetOp",
                    text: format!("{} {cmd}", if *hashed { "HashSetOp" } else { "SetOp" }).into(),
                    extra: vec![
                        ("Strategy", s(if *hashed { "Hashed" } else { "Sorted" })),
                        ("Command", s(cmd)),
                    ],
                }
            }
            Node::LockRows { .. } => plain("LockRows"),
            Node::Limit { .. } => plain("Limit"),
        }
    }

    fn schema(&self, r: &Relation) -> String {
        let name = self.names.ctx.catalog.namespace_name(r.namespace).ok().flatten();
        name.map_or_else(|| "?".to_string(), |n| n.to_string())
    }

    fn rel_name(&self, oid: Oid) -> String {
        self.names.ctx.catalog.relation(oid).map_or_else(|_| format!("{oid}"), |r| r.name.clone())
    }

    /// ` on table alias` and its structured members.
    fn target(&self, rti: u32, text: &mut String, mut props: Members<'_>) {
        let Some(rte) = self.names.stmt.rtable.get(rti as usize - 1) else { return };
        let alias = self.names.alias(rti);
        let mut note = |k: &'static str, v: &str| {
            if let Some(p) = &mut props {
                p.push((k, s(v)));
            }
        };
        let mut same = false;
        match &rte.kind {
            RteKind::Relation { relid, .. } => {
                let relation = self.names.ctx.catalog.relation(*relid).ok();
                let unknown;
                let name = match &relation {
                    Some(r) => &r.name,
                    None => {
                        unknown = relid.to_string();
                        &unknown
                    }
                };
                note("Relation Name", name);
                text.push_str(" on ");
                if self.opts.verbose {
                    let schema = relation.as_ref().map_or_else(|| "?".into(), |r| self.schema(r));
                    note("Schema", &schema);
                    text.push_str(&quote_ident(&schema));
                    text.push('.');
                }
                text.push_str(&quote_ident(name));
                same = name == alias;
            }
            RteKind::Cte { name, .. } => {
                note("CTE Name", name);
                text.push_str(" on ");
                text.push_str(&quote_ident(name));
                same = name == alias;
            }
            _ => text.push_str(" on"),
        }
        note("Alias", alias);
        if !same {
            text.push(' ');
            text.push_str(&quote_ident(alias));
        }
    }

    /// A node's first line without costs is appended to `text`.
    fn heading(&self, p: &Plan, t: &Title, text: &mut String, mut props: Members<'_>) {
        if p.parallel_aware {
            text.push_str("Parallel ");
        }
        text.push_str(&t.text);
        let mut note = |k: &'static str, v: &str| {
            if let Some(p) = &mut props {
                p.push((k, s(v)));
            }
        };
        match &p.node {
            Node::IndexScan { rti, index, direction, .. }
            | Node::IndexOnlyScan { rti, index, direction, .. } => {
                let back = *direction == ScanDirection::Backward;
                note("Scan Direction", if back { "Backward" } else { "Forward" });
                let name = self.rel_name(*index);
                text.push_str(if back { " Backward using " } else { " using " });
                text.push_str(&quote_ident(&name));
                note("Index Name", &name);
                self.target(*rti, text, props);
            }
            Node::BitmapIndexScan { index, .. } => {
                let name = self.rel_name(*index);
                text.push_str(" on ");
                text.push_str(&quote_ident(&name));
                note("Index Name", &name);
            }
            Node::FunctionScan { rti, functions, .. } => {
                if let [f] = functions.as_slice()
                    && let Expr::Func(f) = &f.expr
                    && let Ok(d) = self.names.ctx.catalog.proc_desc(f.funcid)
                {
                    let alias = self.names.alias(*rti);
                    note("Function Name", &d.name);
                    text.push_str(" on ");
                    if self.opts.verbose {
                        let ns = self.names.ctx.catalog.namespace_name(d.namespace).ok().flatten();
                        let ns = ns.as_deref().unwrap_or("?");
                        note("Schema", ns);
                        text.push_str(ns);
                        text.push('.');
                    }
                    text.push_str(&quote_ident(&d.name));
                    if alias != d.name {
                        text.push(' ');
                        text.push_str(&quote_ident(alias));
                    }
                    note("Alias", alias);
                } else {
                    self.target(*rti, text, props);
                }
            }
            Node::SeqScan { rti, .. }
            | Node::BitmapHeapScan { rti, .. }
            | Node::TidScan { rti, .. }
            | Node::SubqueryScan { rti, .. }
            | Node::ValuesScan { rti, .. }
            | Node::CteScan { rti, .. }
            | Node::WorkTableScan { rti, .. } => self.target(*rti, text, props),
            Node::ModifyTable(m) => self.target(m.rti, text, props),
            _ => {}
        }
    }

    /// A node and its subtree in text form. `arrow`: column of the arrow, none at the top.
    pub fn text(&self, at: &Place<'_>, arrow: Option<usize>, out: &mut Vec<String>) {
        let p = at.plan;
        if let Node::Gather { child, invisible: true, .. } = &p.node {
            return self.text(&Place { plan: child, up: Some(at), sub: at.sub }, arrow, out);
        }
        let mut line = String::with_capacity(120);
        if let Some(n) = arrow {
            indent(n, &mut line);
            line.push_str("->  ");
        }
        self.heading(p, &self.title(p), &mut line, None);
        if self.opts.costs {
            line.push_str("  (cost=");
            fixed::push(&mut line, p.startup_cost, 2);
            line.push_str("..");
            fixed::push(&mut line, p.total_cost, 2);
            line.push_str(" rows=");
            fixed::push(&mut line, p.rows, 0);
            line.push_str(" width=");
            fixed::push(&mut line, f64::from(p.width), 0);
            line.push(')');
        }
        if self.opts.analyze && self.instr.is_some() {
            match self.ni(p) {
                Some(n) if n.loops > 0.0 => {
                    let l = n.loops;
                    if self.opts.timing {
                        line.push_str(&format!(
                            " (actual time={:.3}..{:.3} rows={:.0} loops={:.0})",
                            n.startup_ms / l,
                            n.total_ms / l,
                            n.rows / l,
                            l
                        ));
                    } else {
                        line.push_str(&format!(" (actual rows={:.0} loops={:.0})", n.rows / l, l));
                    }
                }
                _ => line.push_str(" (never executed)"),
            }
        }
        out.push(line);
        let ind = arrow.map_or(0, |a| a + 4) + 2;
        let mut pad = String::new();
        indent(ind, &mut pad);
        for prop in self.props(at) {
            match prop {
                Prop::Both(k, v) | Prop::Num(k, v) => out.push([&pad, k, ": ", &v].concat()),
                Prop::List(k, v) => out.push([&pad, k, ": ", &v.join(", ")].concat()),
                Prop::Text(v) => out.push([pad.as_str(), &v].concat()),
                Prop::Struct(..) => {}
            }
        }
        if self.opts.buffers
            && let Some(n) = self.ni(p)
        {
            out.extend(usage::buffer_lines(&n.buffers).into_iter().map(|l| format!("{pad}{l}")));
        }
        if self.opts.wal
            && let Some(l) = self.ni(p).and_then(|n| usage::wal_line(&n.wal))
        {
            out.push(format!("{pad}{l}"));
        }
        out.extend(self.worker_lines(p).into_iter().map(|l| format!("{pad}{l}")));
        for i in &p.init_plans {
            self.sub_text(at, i, ind, out);
        }
        for c in p.children() {
            let below = Place { plan: c, up: Some(at), sub: None };
            self.text(&below, Some(ind), out);
        }
        for sp in subplans_of(p) {
            self.sub_text(at, sp, ind, out);
        }
    }

    fn sub_text(&self, at: &Place<'_>, sp: &SubPlan, ind: usize, out: &mut Vec<String>) {
        let Some(plan) = self.names.stmt.subplans.get(sp.plan_id as usize - 1) else { return };
        out.push(format!("{}{}", " ".repeat(ind), sp.plan_name));
        let below = Place { plan, up: Some(at), sub: Some(sp) };
        self.text(&below, Some(ind + 2), out);
    }

    /// A node and its subtree in structured form.
    pub fn structured(
        &self,
        at: &Place<'_>,
        relationship: Option<&str>,
        name: Option<&str>,
    ) -> Vec<(String, Val)> {
        let p = at.plan;
        if let Node::Gather { child, invisible: true, .. } = &p.node {
            return self.structured(&Place { plan: child, up: Some(at), sub: at.sub }, relationship, name);
        }
        let t = self.title(p);
        let mut o: Vec<(String, Val)> = vec![("Node Type".into(), s(t.node_type))];
        let mut head = Vec::new();
        self.heading(p, &t, &mut String::new(), Some(&mut head));
        let head: Vec<(String, Val)> =
            t.extra.into_iter().chain(head).map(|(k, v)| (k.to_string(), v)).collect();
        let pre = ["Strategy", "Partial Mode", "Operation", "Command"];
        for (k, v) in head.iter().filter(|h| pre.contains(&h.0.as_str())) {
            o.push((k.clone(), v.clone()));
        }
        if let Some(r) = relationship {
            o.push(("Parent Relationship".into(), s(r)));
        }
        if let Some(n) = name {
            o.push(("Subplan Name".into(), s(n)));
        }
        o.push(("Parallel Aware".into(), Val::Bool(p.parallel_aware)));
        o.push(("Async Capable".into(), Val::Bool(false)));
        o.extend(head.into_iter().filter(|h| !pre.contains(&h.0.as_str())));
        let num = |v: String| Val::Num(v);
        if self.opts.costs {
            o.push(("Startup Cost".into(), num(format!("{:.2}", p.startup_cost))));
            o.push(("Total Cost".into(), num(format!("{:.2}", p.total_cost))));
            o.push(("Plan Rows".into(), num(format!("{:.0}", p.rows))));
            o.push(("Plan Width".into(), num(p.width.to_string())));
        }
        if let Some(n) = self.ni(p) {
            let l = n.loops.max(1.0);
            if self.opts.timing {
                o.push(("Actual Startup Time".into(), num(format!("{:.3}", n.startup_ms / l))));
                o.push(("Actual Total Time".into(), num(format!("{:.3}", n.total_ms / l))));
            }
            o.push(("Actual Rows".into(), num(format!("{:.0}", n.rows / l))));
            o.push(("Actual Loops".into(), num(format!("{:.0}", n.loops))));
        }
        for prop in self.props(at) {
            match prop {
                Prop::Both(k, v) => o.push((k.into(), Val::Str(v))),
                Prop::List(k, v) => o.push((k.into(), Val::List(v))),
                Prop::Num(k, v) => o.push((k.into(), Val::Num(v))),
                Prop::Text(_) => {}
                Prop::Struct(k, v) => o.push((k.into(), v)),
            }
        }
        let measured = self.ni(p);
        if self.opts.buffers {
            let b = measured.map(|n| n.buffers).unwrap_or_default();
            o.extend(usage::buffer_members(&b, self.opts.io_timing));
        }
        if self.opts.wal {
            o.extend(usage::wal_members(&measured.map(|n| n.wal).unwrap_or_default()));
        }
        let mut plans = Vec::new();
        let sub = |sp: &SubPlan, rel: &str, plans: &mut Vec<Vec<(String, Val)>>| {
            if let Some(plan) = self.names.stmt.subplans.get(sp.plan_id as usize - 1) {
                let below = Place { plan, up: Some(at), sub: Some(sp) };
                plans.push(self.structured(&below, Some(rel), Some(&sp.plan_name)));
            }
        };
        for i in &p.init_plans {
            sub(i, "InitPlan", &mut plans);
        }
        let member = matches!(
            p.node,
            Node::Append { .. } | Node::MergeAppend { .. } | Node::BitmapAnd { .. } | Node::BitmapOr { .. }
        );
        for (i, c) in p.children().into_iter().enumerate() {
            let rel = if member {
                "Member"
            } else if matches!(p.node, Node::SubqueryScan { .. }) {
                "Subquery"
            } else if i == 0 {
                "Outer"
            } else {
                "Inner"
            };
            let below = Place { plan: c, up: Some(at), sub: None };
            plans.push(self.structured(&below, Some(rel), None));
        }
        for sp in subplans_of(p) {
            sub(sp, "SubPlan", &mut plans);
        }
        if !plans.is_empty() {
            o.push(("Plans".into(), Val::Objs(plans)));
        }
        o
    }

    fn removed(&self, at: &Place<'_>, label: &'static str, pick: fn(&NodeInstr) -> f64, out: &mut Vec<Prop>) {
        if let Some(n) = self.ni(at.plan) {
            let v = if n.loops > 0.0 { pick(n) / n.loops } else { 0.0 };
            // The structured formats show zeros, too.
            if pick(n) > 0.0 || self.opts.format != super::ExplainFormat::Text {
                out.push(Prop::Num(label, format!("{v:.0}")));
            }
        }
    }

    fn scan_qual(&self, at: &Place<'_>, label: &'static str, list: &[Expr], out: &mut Vec<Prop>) {
        let prefix = matches!(at.plan.node, Node::SubqueryScan { .. }) || self.opts.verbose;
        if let Some(t) = self.names.quals(at, list, prefix) {
            out.push(Prop::Both(label, t));
        }
    }

    fn index_cond(&self, at: &Place<'_>, conds: &[IndexCond], out: &mut Vec<Prop>) {
        match conds {
            [c] => self.scan_qual(at, "Index Cond", std::slice::from_ref(&c.clause), out),
            _ => {
                let l: Vec<Expr> = conds.iter().map(|c| c.clause.clone()).collect();
                self.scan_qual(at, "Index Cond", &l, out);
            }
        }
    }

    fn upper_qual(&self, at: &Place<'_>, label: &'static str, list: &[Expr], out: &mut Vec<Prop>) {
        if let Some(t) = self.names.quals(at, list, self.prefix()) {
            out.push(Prop::Both(label, t));
        }
    }

    fn prefix(&self) -> bool {
        self.names.several() || self.opts.verbose
    }

    fn filter(&self, at: &Place<'_>, out: &mut Vec<Prop>) {
        if at.plan.qual.is_empty() {
            return;
        }
        self.scan_qual(at, "Filter", &at.plan.qual, out);
        self.removed(at, "Rows Removed by Filter", |n| n.removed_filter, out);
    }

    pub(super) fn upper_filter(&self, at: &Place<'_>, out: &mut Vec<Prop>) {
        if at.plan.qual.is_empty() {
            return;
        }
        self.upper_qual(at, "Filter", &at.plan.qual, out);
        self.removed(at, "Rows Removed by Filter", |n| n.removed_filter, out);
    }

    /// Texts of child columns; `own`: as the node itself passes them on.
    fn columns(&self, at: &Place<'_>, cols: impl Iterator<Item = u16>, own: bool) -> Vec<String> {
        let children = at.plan.children();
        let merges = matches!(at.plan.node, Node::MergeAppend { .. });
        // What is merged is known by the columns of the result.
        let Some(c) = (if merges { Some(&at.plan) } else { children.first() }) else { return Vec::new() };
        let below = if merges { *at } else { Place { plan: c, up: Some(at), sub: None } };
        cols.filter_map(|i| c.targetlist.get(i as usize))
            .map(|t| {
                let text = self.names.expr(&below, &t.expr, self.prefix());
                // Seen through the node's own columns a computed one stands in parentheses.
                if own && !matches!(t.expr, Expr::Var(_)) { format!("({text})") } else { text }
            })
            .collect()
    }

    fn sort_key(&self, at: &Place<'_>, keys: &[SortKey]) -> Vec<String> {
        self.sort_columns(at, keys, true)
    }

    fn sort_columns(&self, at: &Place<'_>, keys: &[SortKey], own: bool) -> Vec<String> {
        let cols = self.columns(at, keys.iter().map(|k| k.column), own);
        let children = at.plan.children();
        cols.into_iter()
            .zip(keys)
            .map(|(mut t, k)| {
                let cat = self.names.ctx.catalog;
                if let Some(c) = children.first()
                    && let Some(te) = c.targetlist.get(k.column as usize)
                    && k.collation.is_valid()
                    && let Ok(td) = cat.type_desc(type_of(&te.expr))
                    && td.collation != k.collation
                    && let Ok(Some((_, n))) = cat.collation_name(k.collation)
                {
                    t.push_str(&format!(" COLLATE {}", quote_ident(&n)));
                }
                if k.desc {
                    t.push_str(" DESC");
                    if !k.nulls_first {
                        t.push_str(" NULLS LAST");
                    }
                } else if k.nulls_first {
                    t.push_str(" NULLS FIRST");
                }
                t
            })
            .collect()
    }

    fn props(&self, at: &Place<'_>) -> Vec<Prop> {
        let p = at.plan;
        let mut out = Vec::new();
        // What these hand on is their inputs' business.
        let unions =
            matches!(p.node, Node::RecursiveUnion { .. } | Node::Append { .. } | Node::MergeAppend { .. });
        let shows_columns = !unions;
        if self.opts.verbose && (p.all_columns || !p.targetlist.is_empty()) && shows_columns {
            let prefix = self.names.several();
            let listed = || p.targetlist.iter().map(|t| self.names.expr(at, &t.expr, prefix)).collect();
            let all = if p.all_columns { self.names.all_columns(p, prefix) } else { None };
            out.push(Prop::List("Output", all.unwrap_or_else(listed)));
        }
        match &p.node {
            Node::IndexScan { conds, .. } | Node::IndexOnlyScan { conds, .. } => {
                self.index_cond(at, conds, &mut out);
                if !conds.is_empty() {
                    self.removed(at, "Rows Removed by Index Recheck", |n| n.removed_recheck, &mut out);
                }
                self.filter(at, &mut out);
                if matches!(p.node, Node::IndexOnlyScan { .. })
                    && let Some(n) = self.ni(p)
                {
                    out.push(Prop::Num("Heap Fetches", n.heap_fetches.to_string()));
                }
            }
            Node::BitmapIndexScan { conds, .. } => self.index_cond(at, conds, &mut out),
            Node::BitmapHeapScan { recheck, .. } => {
                self.scan_qual(at, "Recheck Cond", recheck, &mut out);
                self.removed(at, "Rows Removed by Index Recheck", |n| n.removed_recheck, &mut out);
                self.filter(at, &mut out);
                if let Some(n) = self.ni(p) {
                    let mut t = String::new();
                    if n.exact_blocks > 0 {
                        t.push_str(&format!(" exact={}", n.exact_blocks));
                    }
                    if n.lossy_blocks > 0 {
                        t.push_str(&format!(" lossy={}", n.lossy_blocks));
                    }
                    if !t.is_empty() {
                        out.push(Prop::Text(format!("Heap Blocks:{t}")));
                    }
                    out.push(Prop::Struct("Exact Heap Blocks", Val::Num(n.exact_blocks.to_string())));
                    out.push(Prop::Struct("Lossy Heap Blocks", Val::Num(n.lossy_blocks.to_string())));
                }
            }
            Node::TidScan { tids, .. } => {
                let q = if tids.len() > 1 { vec![make_or(tids.clone())] } else { tids.clone() };
                self.scan_qual(at, "TID Cond", &q, &mut out);
                self.filter(at, &mut out);
            }
            Node::FunctionScan { functions, .. } => {
                if self.opts.verbose {
                    let l: Vec<String> =
                        functions.iter().map(|f| self.names.expr(at, &f.expr, self.opts.verbose)).collect();
                    out.push(Prop::Both("Function Call", l.join(", ")));
                }
                self.filter(at, &mut out);
            }
            Node::SeqScan { sample: Some(t), .. } => {
                let list = |l: &[Expr]| -> Vec<String> {
                    l.iter().map(|e| self.names.expr(at, e, self.prefix())).collect()
                };
                let args = list(&t.args);
                let repeat = t.repeatable.as_ref().map(|e| list(std::slice::from_ref(e)).concat());
                let mut text = format!("Sampling: {} ({})", t.method, args.join(", "));
                if let Some(r) = &repeat {
                    text.push_str(&format!(" REPEATABLE ({r})"));
                }
                out.push(Prop::Text(text));
                out.push(Prop::Struct("Sampling Method", s(&t.method)));
                out.push(Prop::Struct("Sampling Parameters", Val::List(args)));
                if let Some(r) = repeat {
                    out.push(Prop::Struct("Repeatable Seed", Val::Str(r)));
                }
                self.filter(at, &mut out);
            }
            Node::SeqScan { .. }
            | Node::ValuesScan { .. }
            | Node::CteScan { .. }
            | Node::WorkTableScan { .. }
            | Node::SubqueryScan { .. } => self.filter(at, &mut out),
            Node::NestLoop { join, .. } => {
                self.join_unique(join, &mut out);
                self.join_filter(at, join, &mut out);
            }
            Node::MergeJoin { join, keys, .. } => {
                self.join_unique(join, &mut out);
                let l: Vec<String> = keys
                    .iter()
                    .map(|k| {
                        format!(
                            "({} {} {})",
                            self.names.expr(at, &k.outer, self.prefix()),
                            self.operator(k.opno),
                            self.names.expr(at, &k.inner, self.prefix())
                        )
                    })
                    .collect();
                if !l.is_empty() {
                    out.push(Prop::Both("Merge Cond", anded(l)));
                }
                self.join_filter(at, join, &mut out);
            }
            Node::HashJoin { join, keys } => {
                self.join_unique(join, &mut out);
                let l: Vec<String> = keys
                    .iter()
                    .map(|k| {
                        format!(
                            "({} {} {})",
                            self.names.expr(at, &k.outer, self.prefix()),
                            self.operator(k.opno),
                            self.names.expr(at, &k.inner, self.prefix())
                        )
                    })
                    .collect();
                out.push(Prop::Both("Hash Cond", anded(l)));
                self.join_filter(at, join, &mut out);
            }
            Node::Agg { keys, strategy, grouping_sets, .. } => {
                self.grouping_sets(at, *strategy, grouping_sets, &mut out);
                if !keys.is_empty() {
                    out.push(Prop::List("Group Key", self.columns(at, keys.iter().map(|k| k.column), false)));
                }
                self.upper_filter(at, &mut out);
                if matches!(strategy, AggStrategy::Hashed | AggStrategy::Mixed)
                    && let Some(n) = self.ni(p)
                    && let Some(h) = &n.agg
                {
                    let mut t = format!("Batches: {}  Memory Usage: {}kB", h.batches, h.memory_kb);
                    if h.batches > 1 {
                        t.push_str(&format!("  Disk Usage: {}kB", h.disk_kb));
                    }
                    out.push(Prop::Text(t));
                    out.push(Prop::Struct("HashAgg Batches", Val::Num(h.batches.to_string())));
                    out.push(Prop::Struct("Peak Memory Usage", Val::Num(h.memory_kb.to_string())));
                    out.push(Prop::Struct("Disk Usage", Val::Num(h.disk_kb.to_string())));
                }
            }
            Node::WindowAgg { clause, .. } => {
                self.upper_filter(at, &mut out);
                self.upper_qual(at, "Run Condition", &clause.run_condition, &mut out);
            }
            Node::Group { keys, .. } => {
                out.push(Prop::List("Group Key", self.columns(at, keys.iter().map(|k| k.column), false)));
                self.upper_filter(at, &mut out);
            }
            Node::Memoize { keys, binary, .. } => self.memoize(at, keys, *binary, &mut out),
            Node::Sort { keys, .. } => {
                out.push(Prop::List("Sort Key", self.sort_key(at, keys)));
                if let Some(x) = self.ni(p).and_then(|n| n.sort.as_ref()) {
                    let kind = if x.disk { "Disk" } else { "Memory" };
                    out.push(Prop::Text(format!("Sort Method: {}  {kind}: {}kB", x.method, x.space_kb)));
                    out.push(Prop::Struct("Sort Method", s(x.method)));
                    out.push(Prop::Struct("Sort Space Used", Val::Num(x.space_kb.to_string())));
                    out.push(Prop::Struct("Sort Space Type", s(kind)));
                }
            }
            Node::IncrementalSort { keys, presorted, .. } => {
                let l = self.sort_key(at, keys);
                // Without direction, as PostgreSQL shows them.
                let bare = |k: &String| {
                    k.split(" DESC").next().unwrap_or(k).split(" NULLS ").next().unwrap_or(k).to_string()
                };
                let pre = l.iter().take(*presorted as usize).map(bare).collect();
                out.push(Prop::List("Sort Key", l));
                out.push(Prop::List("Presorted Key", pre));
                if let Some(x) = self.ni(p).and_then(|n| n.incremental_sort.as_ref()) {
                    incremental_lines(x, &mut out);
                } else if let Some(x) = self.ni(p).and_then(|n| n.sort.as_ref()) {
                    let kind = if x.disk { "Disk" } else { "Memory" };
                    out.push(Prop::Text(format!("Sort Method: {}  {kind}: {}kB", x.method, x.space_kb)));
                }
            }
            Node::Gather { workers, single_copy, .. } | Node::GatherMerge { workers, single_copy, .. } => {
                self.gather(at, *workers, *single_copy, &mut out);
            }
            Node::Append { .. } => out.push(Prop::Struct("Subplans Removed", Val::Num("0".into()))),
            Node::MergeAppend { keys, .. } => {
                out.push(Prop::List("Sort Key", self.sort_key(at, keys)));
                out.push(Prop::Struct("Subplans Removed", Val::Num("0".into())));
            }
            Node::Result { one_time, .. } => {
                self.upper_qual(at, "One-Time Filter", one_time, &mut out);
                self.upper_filter(at, &mut out);
            }
            Node::ModifyTable(m) => self.modify_props(at, m, &mut out),
            Node::Hash { .. } => {
                if let Some(h) = self.ni(p).and_then(|n| n.hash.as_ref()) {
                    let t = if h.buckets_original != h.buckets && h.buckets_original != 0
                        || h.batches_original != h.batches && h.batches_original != 0
                    {
                        format!(
                            "Buckets: {} (originally {})  Batches: {} (originally {})  Memory Usage: {}kB",
                            h.buckets, h.buckets_original, h.batches, h.batches_original, h.memory_kb
                        )
                    } else {
                        format!(
                            "Buckets: {}  Batches: {}  Memory Usage: {}kB",
                            h.buckets, h.batches, h.memory_kb
                        )
                    };
                    out.push(Prop::Text(t));
                    out.push(Prop::Struct("Hash Buckets", Val::Num(h.buckets.to_string())));
                    out.push(Prop::Struct("Original Hash Buckets", Val::Num(h.buckets_original.to_string())));
                    out.push(Prop::Struct("Hash Batches", Val::Num(h.batches.to_string())));
                    out.push(Prop::Struct("Original Hash Batches", Val::Num(h.batches_original.to_string())));
                    out.push(Prop::Struct("Peak Memory Usage", Val::Num(h.memory_kb.to_string())));
                }
            }
            _ => {}
        }
        out
    }

    /// The keys of grouping sets, one line a set; those of a rollup with its own sort below that.
    fn grouping_sets(&self, at: &Place<'_>, strategy: AggStrategy, rollups: &[Rollup], out: &mut Vec<Prop>) {
        let mut groups: Vec<Vec<(String, Val)>> = Vec::new();
        for (i, r) in rollups.iter().enumerate() {
            let mixed = i == 0 && matches!(strategy, AggStrategy::Hashed | AggStrategy::Mixed);
            let name = if r.hashed || mixed { "Hash Key" } else { "Group Key" };
            let mut o: Vec<(String, Val)> = Vec::new();
            let mut pad = "";
            if !r.sort.is_empty() {
                let l = self.sort_columns(at, &r.sort, false);
                out.push(Prop::Text(format!("Sort Key: {}", l.join(", "))));
                o.push(("Sort Key".into(), Val::List(l)));
                pad = "  ";
            }
            let mut lists = Vec::new();
            for n in &r.sets {
                let l = self.columns(at, r.keys[..*n].iter().map(|k| k.column), false);
                let text = if l.is_empty() { "()".to_string() } else { l.join(", ") };
                out.push(Prop::Text(format!("{pad}{name}: {text}")));
                lists.push(l);
            }
            o.push((format!("{name}s"), Val::Lists(lists)));
            groups.push(o);
        }
        if !groups.is_empty() {
            out.push(Prop::Struct("Grouping Sets", Val::Objs(groups)));
        }
    }

    fn memoize(&self, at: &Place<'_>, keys: &[Expr], binary: bool, out: &mut Vec<Prop>) {
        let l: Vec<String> = keys.iter().map(|e| self.names.expr(at, e, self.prefix())).collect();
        out.push(Prop::Both("Cache Key", l.join(", ")));
        out.push(Prop::Both("Cache Mode", if binary { "binary" } else { "logical" }.to_string()));
        let Some(m) = self.ni(at.plan).and_then(|n| n.memoize.as_ref()).filter(|m| m.misses > 0) else {
            return;
        };
        out.push(Prop::Text(format!(
            "Hits: {}  Misses: {}  Evictions: {}  Overflows: {}  Memory Usage: {}kB",
            m.hits, m.misses, m.evictions, m.overflows, m.memory_kb
        )));
        for (name, n) in [
            ("Cache Hits", m.hits),
            ("Cache Misses", m.misses),
            ("Cache Evictions", m.evictions),
            ("Cache Overflows", m.overflows),
            ("Peak Memory Usage", m.memory_kb),
        ] {
            out.push(Prop::Struct(name, Val::Num(n.to_string())));
        }
    }

    /// An operator's name.
    fn operator(&self, op: Oid) -> String {
        self.names.ctx.catalog.operator(op).map_or_else(|_| "=".into(), |o| o.name.clone())
    }

    fn join_unique(&self, j: &JoinCommon, out: &mut Vec<Prop>) {
        if self.opts.verbose && j.inner_unique {
            out.push(Prop::Text("Inner Unique: true".into()));
        }
        out.push(Prop::Struct("Inner Unique", Val::Bool(j.inner_unique)));
    }

    fn join_filter(&self, at: &Place<'_>, j: &JoinCommon, out: &mut Vec<Prop>) {
        self.upper_qual(at, "Join Filter", &j.joinqual, out);
        if !j.joinqual.is_empty() {
            self.removed(at, "Rows Removed by Join Filter", |n| n.removed_join, out);
        }
        self.upper_filter(at, out);
    }

    /// The tables that are changed, where they are not the one the statement names.
    fn modify_targets(&self, m: &ModifyTable, out: &mut Vec<Prop>) {
        let mut objects = Vec::new();
        for t in m.targets.iter().filter(|t| !t.hidden) {
            let mut text = operation(m.command).to_string();
            let mut props = Vec::new();
            self.target(t.rti, &mut text, Some(&mut props));
            out.push(Prop::Text(text));
            objects.push(props.into_iter().map(|(k, v)| (k.to_string(), v)).collect());
        }
        if !objects.is_empty() {
            out.push(Prop::Struct("Target Tables", Val::Objs(objects)));
        }
    }

    fn modify_props(&self, at: &Place<'_>, m: &ModifyTable, out: &mut Vec<Prop>) {
        self.modify_targets(m, out);
        let Some(oc) = &m.on_conflict else { return };
        out.push(Prop::Both("Conflict Resolution", if oc.do_update { "UPDATE" } else { "NOTHING" }.into()));
        if !oc.arbiters.is_empty() {
            let l = oc.arbiters.iter().map(|o| self.rel_name(*o)).collect();
            out.push(Prop::List("Conflict Arbiter Indexes", l));
        }
        if !oc.where_clause.is_empty() {
            self.upper_qual(at, "Conflict Filter", &oc.where_clause, out);
            self.removed(at, "Rows Removed by Conflict Filter", |n| n.removed_recheck, out);
        }
        if let Some(n) = self.ni(at.plan) {
            out.push(Prop::Num("Tuples Inserted", format!("{:.0}", n.tuples_inserted)));
            out.push(Prop::Num("Conflicting Tuples", format!("{:.0}", n.conflicting_tuples)));
        }
    }
}

fn anded(mut l: Vec<String>) -> String {
    if l.len() == 1 { l.swap_remove(0) } else { format!("({})", l.join(" AND ")) }
}

fn incremental_lines(x: &crate::instrument::IncrementalSortInstr, out: &mut Vec<Prop>) {
    for (label, gr) in [("Full-sort Groups", &x.full), ("Pre-sorted Groups", &x.prefix)] {
        if gr.groups == 0 {
            continue;
        }
        let plural = if gr.methods.len() > 1 { "Sort Methods" } else { "Sort Method" };
        let mut t = format!("{label}: {}  {plural}: {}", gr.groups, gr.methods.join(", "));
        if gr.memory_total_kb > 0 {
            t.push_str(&format!(
                "  Average Memory: {}kB  Peak Memory: {}kB",
                gr.memory_total_kb / gr.groups,
                gr.memory_peak_kb
            ));
        }
        if gr.disk_total_kb > 0 {
            t.push_str(&format!(
                "  Average Disk: {}kB  Peak Disk: {}kB",
                gr.disk_total_kb / gr.groups,
                gr.disk_peak_kb
            ));
        }
        out.push(Prop::Text(t));
    }
}

/// Sub-plans used by a node's expressions, each once.
fn subplans_of(p: &Plan) -> Vec<&SubPlan> {
    let mut out: Vec<&SubPlan> = Vec::new();
    crate::setrefs::each_expr(p, &mut |e| {
        walk(e, &mut |x| {
            if let Expr::SubPlan(s) = x
                && !out.iter().any(|o| o.plan_id == s.plan_id)
            {
                out.push(s);
            }
            true
        });
    });
    out
}
