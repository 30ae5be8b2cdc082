//! How EXPLAIN names things: unique relation aliases, columns behind child references, parameters behind nested loops
//! and sub-plans.

use crate::exprs::*;
use crate::plan::*;
use analyze::AnalyzeCtx;
use analyze::expr::*;
use analyze::names::quote_ident;
use analyze::query::*;

/// A plan node with what lies above it.
#[derive(Clone, Copy)]
pub struct Place<'p> {
    pub plan: &'p Plan,
    pub up: Option<&'p Place<'p>>,
    /// The sub-plan expression this plan was started from, if any.
    pub sub: Option<&'p SubPlan>,
}

/// Names used throughout one EXPLAIN.
pub struct Names<'a> {
    pub ctx: &'a AnalyzeCtx<'a>,
    pub stmt: &'a PlannedStmt,
    /// By range table number - 1; empty where the plan does not scan it.
    pub refs: Vec<String>,
}

fn scanned(p: &Plan, out: &mut Vec<u32>) {
    match &p.node {
        Node::SeqScan { rti, .. }
        | Node::IndexScan { rti, .. }
        | Node::IndexOnlyScan { rti, .. }
        | Node::BitmapHeapScan { rti, .. }
        | Node::TidScan { rti, .. }
        | Node::SubqueryScan { rti, .. }
        | Node::FunctionScan { rti, .. }
        | Node::ValuesScan { rti, .. }
        | Node::CteScan { rti, .. }
        | Node::WorkTableScan { rti, .. } => out.push(*rti),
        Node::Append { rti, .. } | Node::MergeAppend { rti, .. } if *rti != 0 => out.push(*rti),
        Node::ModifyTable(m) => {
            out.push(m.rti);
            out.extend(m.targets.iter().map(|t| t.rti));
            if let Some(oc) = &m.on_conflict {
                out.push(oc.excluded_rti);
            }
        }
        _ => {}
    }
    p.children().into_iter().for_each(|c| scanned(c, out));
}

impl<'a> Names<'a> {
    pub fn new(ctx: &'a AnalyzeCtx<'a>, stmt: &'a PlannedStmt) -> Names<'a> {
        let mut used = Vec::new();
        scanned(&stmt.plan, &mut used);
        stmt.subplans.iter().for_each(|p| scanned(p, &mut used));
        let mut refs: Vec<String> = Vec::with_capacity(stmt.rtable.len());
        for (i, r) in stmt.rtable.iter().enumerate() {
            if !used.contains(&(i as u32 + 1)) {
                refs.push(String::new());
                continue;
            }
            let base = r.alias.clone().unwrap_or_else(|| r.eref_name.clone());
            let mut name = base.clone();
            let mut n = 0;
            while refs.iter().any(|r| **r == *name) {
                n += 1;
                name = format!("{base}_{n}").into();
            }
            refs.push(name.to_string());
        }
        Names { ctx, stmt, refs }
    }

    /// Are there several relations, so that columns are named with theirs?
    pub fn several(&self) -> bool {
        self.stmt.rtable.len() + self.stmt.without_from as usize > 1
    }

    /// The alias of a range table entry.
    pub fn alias(&self, rti: u32) -> &str {
        let i = rti as usize - 1;
        match self.refs.get(i) {
            Some(s) if !s.is_empty() => s,
            _ => self.stmt.rtable.get(i).map_or("?", |r| &r.eref_name),
        }
    }

    fn column(&self, rti: u32, attno: i16) -> String {
        let sys = match attno {
            -1 => "ctid",
            -2 => "xmin",
            -3 => "cmin",
            -4 => "xmax",
            -5 => "cmax",
            -6 => "tableoid",
            0 => "*",
            _ => "",
        };
        if !sys.is_empty() {
            return sys.into();
        }
        self.stmt
            .rtable
            .get(rti as usize - 1)
            .and_then(|r| r.eref_cols.get(attno as usize - 1))
            .map_or_else(|| format!("col{attno}"), |c| quote_ident(c))
    }

    fn rte_var(&self, rti: u32, attno: i16, prefix: bool) -> String {
        let c = self.column(rti, attno);
        if prefix || attno == 0 { format!("{}.{c}", quote_ident(self.alias(rti))) } else { c }
    }

    /// All columns of the relation a node scans, or of its index if it reads nothing else.
    pub fn all_columns(&self, p: &Plan, prefix: bool) -> Option<Vec<String>> {
        let (rti, numbers): (u32, Vec<i16>) = match p.node {
            Node::IndexOnlyScan { rti, index, .. } => (rti, self.ctx.catalog.index(index).ok()?.keys.clone()),
            Node::SeqScan { rti, .. }
            | Node::IndexScan { rti, .. }
            | Node::BitmapHeapScan { rti, .. }
            | Node::TidScan { rti, .. }
            | Node::FunctionScan { rti, .. }
            | Node::ValuesScan { rti, .. }
            | Node::CteScan { rti, .. }
            | Node::WorkTableScan { rti, .. } => {
                let columns = self.stmt.rtable.get(rti as usize - 1)?.eref_cols.len();
                (rti, (1..=columns as i16).collect())
            }
            _ => return None,
        };
        Some(numbers.into_iter().map(|n| self.rte_var(rti, n, prefix)).collect())
    }

    /// Text of an expression at a place in the plan.
    pub fn expr(&self, at: &Place<'_>, e: &Expr, prefix: bool) -> String {
        let finals = super::parallel::Finals::of(self, at, e, prefix);
        let e = finals.expr.as_ref().unwrap_or(e);
        let var = |v: &Var| self.var(at, v, prefix);
        let param = |p: &Param| finals.text(p).or_else(|| self.param(at, p));
        let style = analyze::ExprStyle { pretty: false, indent: false, var: &var, param: Some(&param) };
        // The styled deparser borrows for as long as its context; the text is owned.
        deparse(self.ctx, e, style)
    }

    fn var(&self, at: &Place<'_>, v: &Var, prefix: bool) -> String {
        match v.varno {
            VarNo::Rte(n) => self.rte_var(n, v.attno, prefix),
            VarNo::Index => self.rte_var(v.syn.0.max(1), v.syn.1, prefix),
            VarNo::Outer | VarNo::Inner => {
                let children = at.plan.children();
                let child = if v.varno == VarNo::Outer { children.first() } else { children.last() };
                let Some(child) = child else { return format!("${}", v.attno) };
                let Some(t) = child.targetlist.get(v.attno.max(1) as usize - 1) else {
                    return format!("${}", v.attno);
                };
                let below = Place { plan: child, up: Some(at), sub: None };
                match &t.expr {
                    Expr::Var(x) => self.var(&below, x, prefix),
                    x => {
                        let s = self.expr(&below, x, prefix);
                        format!("({s})")
                    }
                }
            }
        }
    }

    /// What stands behind an exec param: a nested loop's outer column or a sub-plan's argument.
    fn param(&self, at: &Place<'_>, p: &Param) -> Option<String> {
        if p.kind != ParamKind::Exec {
            return None;
        }
        let mut cur = *at;
        while let Some(up) = cur.up {
            if let Some(s) = cur.sub
                && let Some(i) = s.par_param.iter().position(|x| *x == p.id)
            {
                let a = s.args.get(i)?;
                return Some(self.wrapped(up, a));
            }
            if let Node::NestLoop { params, .. } = &up.plan.node
                && let Some(n) = params.iter().find(|x| x.paramno == p.id)
            {
                return Some(self.wrapped(up, &n.var));
            }
            cur = *up;
        }
        None
    }

    fn wrapped(&self, at: &Place<'_>, e: &Expr) -> String {
        let s = self.expr(at, e, true);
        match e {
            Expr::Var(_) | Expr::Const(_) | Expr::Param(_) | Expr::Func(_) | Expr::Aggref(_) => s,
            _ if s.starts_with('(') => s,
            _ => format!("({s})"),
        }
    }

    /// ANDed conditions as one text.
    pub fn quals(&self, at: &Place<'_>, list: &[Expr], prefix: bool) -> Option<String> {
        if let [e] = list {
            return Some(self.expr(at, e, prefix));
        }
        if list.is_empty() {
            return None;
        }
        Some(self.expr(at, &make_and(list.to_vec()), prefix))
    }
}

fn deparse<'a>(ctx: &'a AnalyzeCtx<'a>, e: &Expr, style: analyze::ExprStyle<'_>) -> String {
    analyze::expr_to_sql_styled(ctx, e, style).unwrap_or_else(|_| "?".into())
}

/// Kind of command, for ModifyTable.
pub fn operation(c: CmdType) -> &'static str {
    match c {
        CmdType::Insert => "Insert",
        CmdType::Update => "Update",
        CmdType::Delete => "Delete",
        CmdType::Merge => "Merge",
        CmdType::Select => "???",
    }
}
