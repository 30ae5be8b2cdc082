//! UNION, INTERSECT, EXCEPT: leaves become sub-queries of the range table, nodes carry the common column types.

use super::new_query;
use crate::expr::*;
use crate::info::{expr_location, expr_type, expr_typmod};
use crate::kind::ExprKind;
use crate::query::*;
use crate::scope::{Analyzer, NsCol, NsCols, NsItem, NsNames};
use common::{Oid, Result, err};
use parser::SelectStmt;
use std::rc::Rc;
use types::oids;

/// What a node of the tree yields: per column its expression's type, place and, for leaves, where it is.
struct Arm {
    tree: SetOpTree,
    cols: Vec<ArmCol>,
}

struct ArmCol {
    type_oid: Oid,
    typmod: i32,
    collation: Oid,
    loc: Option<usize>,
    /// (range table index, position in its target list) of a leaf's column.
    leaf: Option<(u32, usize)>,
}

impl Analyzer<'_> {
    pub(super) fn transform_set_operation(&mut self, s: &SelectStmt) -> Result<Query> {
        let mut q = new_query(CmdType::Select);
        let mut leftmost = s;
        while let Some(l) = leftmost.larg.as_deref() {
            leftmost = l;
        }
        if let Some(into) = &leftmost.into_clause {
            return Err(err!(SYNTAX_ERROR, "SELECT ... INTO is not allowed here").at(into.rel.location));
        }
        if let Some(l) = s.locking_clause.first() {
            return Err(err!(
                FEATURE_NOT_SUPPORTED,
                "{} is not allowed with UNION/INTERSECT/EXCEPT",
                super::locking::strength_name(l.strength)
            ));
        }
        if let Some(w) = &s.with_clause {
            q.has_recursive = w.recursive;
            self.transform_with(w)?;
        }
        let arm = self.transform_arm(s, true)?;
        // The output columns: those of the leftmost leaf by name, of the whole tree by type.
        let mut list: Vec<TargetEntry> = Vec::new();
        let names: Vec<Rc<str>> = match &self.level().rtable[0].kind {
            RteKind::Subquery { query, .. } => query
                .target_list
                .iter()
                .filter(|t| !t.junk)
                .map(|t| t.name.clone().unwrap_or_default())
                .collect(),
            _ => Vec::new(),
        };
        for (i, (c, n)) in arm.cols.iter().zip(names).enumerate() {
            let e = column_var(1, i, c);
            crate::target::push_entry(&mut list, e, Some(n));
        }
        self.sort_set_operation(s, &mut q, &mut list)?;
        q.limit_offset = self.transform_limit(&s.limit_offset, ExprKind::Offset)?;
        q.limit_count = self.transform_limit(&s.limit_count, ExprKind::Limit)?;
        if s.limit_option == parser::LimitOption::WithTies {
            q.limit_option = LimitOption::WithTies;
        }
        q.set_operations = Some(arm.tree);
        q.target_list = list;
        self.finish_query(&mut q);
        Ok(q)
    }

    /// ORDER BY of the whole may name output columns only.
    fn sort_set_operation(
        &mut self,
        s: &SelectStmt,
        q: &mut Query,
        list: &mut Vec<TargetEntry>,
    ) -> Result<()> {
        let cols: Vec<NsCol> = list
            .iter()
            .map(|t| {
                let (varno, attno) = match &t.expr {
                    Expr::Var(v) => (1, v.attno),
                    _ => (1, 0),
                };
                NsCol {
                    varno,
                    attno,
                    type_oid: expr_type(&t.expr),
                    typmod: expr_typmod(&t.expr),
                    collation: crate::info::expr_collation(&t.expr),
                    syn: (varno, attno),
                }
            })
            .collect();
        let names = Rc::new(list.iter().map(|t| t.name.clone().unwrap_or_default()).collect());
        let item = NsItem {
            what: Rc::new(NsNames { rti: 1, name: "".into(), names, cols: NsCols::List(cols.into()) }),
            rel_visible: false,
            cols_visible: true,
            lateral_only: false,
            lateral_ok: true,
        };
        let before = list.len();
        let old = std::mem::replace(&mut self.level().namespace, vec![item]);
        let r = self.transform_sort_clause(&s.sort_clause, list, ExprKind::OrderBy, false);
        self.level().namespace = old;
        q.sort = r?;
        if list.len() > before {
            return Err(err!(FEATURE_NOT_SUPPORTED, "invalid UNION/INTERSECT/EXCEPT ORDER BY clause")
                .detail("Only result column names can be used, not expressions or functions.")
                .hint("Add the expression/function to every SELECT, or move the UNION into a FROM clause.")
                .at_if_none(expr_location(&list[before].expr)));
        }
        Ok(())
    }

    fn transform_arm(&mut self, s: &SelectStmt, top: bool) -> Result<Arm> {
        self.check_stack()?;
        let is_leaf = s.op == parser::SetOperation::None
            || (!top
                && (!s.sort_clause.is_empty()
                    || s.limit_offset.is_some()
                    || s.limit_count.is_some()
                    || !s.locking_clause.is_empty()
                    || s.with_clause.is_some()));
        if is_leaf {
            return self.transform_leaf(s);
        }
        let (name, op) = match s.op {
            parser::SetOperation::Union => ("UNION", SetOp::Union),
            parser::SetOperation::Intersect => ("INTERSECT", SetOp::Intersect),
            _ => ("EXCEPT", SetOp::Except),
        };
        let (Some(l), Some(r)) = (&s.larg, &s.rarg) else {
            return Err(common::Error::internal("set operation without arms"));
        };
        let mut left = self.transform_arm(l, false)?;
        let known = left_columns(self, &left);
        let recursive = top && op == SetOp::Union && self.begin_recursive_arm(&known)?;
        let right = self.transform_arm(r, false);
        let mut right = right?;
        if left.cols.len() != right.cols.len() {
            return Err(err!(SYNTAX_ERROR, "each {name} query must have the same number of columns")
                .at_if_none(right.cols.first().and_then(|c| c.loc)));
        }
        let mut node = SetOperation {
            op,
            all: s.all,
            left: SetOpTree::Leaf(0),
            right: SetOpTree::Leaf(0),
            col_types: Vec::new(),
            col_typmods: Vec::new(),
            col_collations: Vec::new(),
            group_clauses: Vec::new(),
        };
        let mut cols = Vec::new();
        for (a, b) in left.cols.iter_mut().zip(right.cols.iter_mut()) {
            let t = self.common_type_of(&[(a.type_oid, a.loc), (b.type_oid, b.loc)], name)?;
            let loc = if a.loc.is_some() { a.loc } else { b.loc };
            self.convert_arm_column(a, t, name)?;
            self.convert_arm_column(b, t, name)?;
            let typmod =
                if a.type_oid == t && b.type_oid == t && a.typmod == b.typmod { a.typmod } else { -1 };
            let collation = self.arm_collation(a, b, t, op == SetOp::Union && s.all)?;
            if !(op == SetOp::Union && s.all) {
                let o = self.ctx.sort_ops_needed(t, false, true).map_err(|e| e.at_if_none(loc))?;
                node.group_clauses.push(SortGroupClause {
                    tle_ref: 0,
                    eqop: o.eq,
                    sortop: o.lt,
                    nulls_first: false,
                    hashable: o.hashable,
                });
            }
            node.col_types.push(t);
            node.col_typmods.push(typmod);
            node.col_collations.push(collation);
            cols.push(ArmCol { type_oid: t, typmod, collation, loc, leaf: None });
        }
        if recursive {
            let at: Vec<Option<usize>> = cols.iter().map(|c: &ArmCol| c.loc).collect();
            self.check_recursive_types(&node, &at)?;
        }
        node.left = self.settle_arm(left, &node.col_types, name)?;
        node.right = self.settle_arm(right, &node.col_types, name)?;
        Ok(Arm { tree: SetOpTree::Node(Box::new(node)), cols })
    }

    fn arm_collation(&self, a: &ArmCol, b: &ArmCol, t: Oid, union_all: bool) -> Result<Oid> {
        if !self.ctx.type_collation(t)?.is_valid() {
            return Ok(Oid::INVALID);
        }
        let var = |c: &ArmCol| {
            Expr::Var(Var {
                varno: VarNo::Rte(1),
                attno: 1,
                vartype: t,
                typmod: -1,
                collation: if c.collation.is_valid() {
                    c.collation
                } else {
                    crate::collation::DEFAULT_COLLATION
                },
                levels_up: 0,
                syn: (0, 0),
                location: c.loc,
            })
        };
        crate::collation::select_common(self.ctx, &mut [var(a), var(b)], union_all)
    }

    /// Converts a leaf's column to the common type where that can be done in place.
    fn convert_arm_column(&mut self, c: &mut ArmCol, t: Oid, name: &str) -> Result<()> {
        if c.type_oid == t {
            return Ok(());
        }
        if c.type_oid != oids::UNKNOWN
            && !self.ctx.can_coerce(&[c.type_oid], &[t], crate::coerce::Context::Implicit)?
        {
            return Err(err!(
                CANNOT_COERCE,
                "{name} could not convert type {} to {}",
                crate::typename::format_type_short(self.ctx, c.type_oid),
                crate::typename::format_type_short(self.ctx, t)
            )
            .at_if_none(c.loc));
        }
        let Some((rti, i)) = c.leaf else { return Ok(()) };
        let lv = self.level();
        let rte = &mut lv.rtable[rti as usize - 1];
        let RteKind::Subquery { query, .. } = &mut rte.kind else { return Ok(()) };
        if query.set_operations.is_some() {
            return Ok(());
        }
        let te = &mut query.target_list[i];
        let literal = c.type_oid == oids::UNKNOWN;
        if !literal && (te.sort_group_ref != 0 || !query.distinct.is_empty()) {
            // The leaf works with its own type: it is converted from outside.
            return Ok(());
        }
        let e = te.expr.clone();
        let mut e = self.coerce_to_common(e, t, name)?;
        crate::collation::assign(self.ctx, &mut e)?;
        let lv = self.level();
        let rte = &mut lv.rtable[rti as usize - 1];
        rte.set_column_type(i, t, expr_typmod(&e), crate::info::expr_collation(&e));
        if let RteKind::Subquery { query, .. } = &mut rte.kind {
            c.collation = crate::info::expr_collation(&e);
            query.target_list[i].expr = e;
        }
        c.type_oid = t;
        c.typmod = -1;
        Ok(())
    }

    /// An arm some of whose columns still have another type than the node wants becomes a leaf that converts them:
    /// a nested operation compares by its own types first.
    fn settle_arm(&mut self, arm: Arm, want: &[Oid], name: &str) -> Result<SetOpTree> {
        if arm.cols.iter().zip(want).all(|(c, t)| c.type_oid == *t) {
            return Ok(arm.tree);
        }
        let rti = leftmost(&arm.tree);
        let inner = match &arm.tree {
            SetOpTree::Leaf(n) => match &self.rte(*n).kind {
                RteKind::Subquery { query, .. } => (**query).clone(),
                _ => return Err(common::Error::internal("set operation leaf is no sub-query")),
            },
            SetOpTree::Node(_) => self.nested_operation(arm)?,
        };
        let q = self.converted(inner, want, name)?;
        let cols = crate::output_columns(&q);
        let rte = self.rte(rti);
        for (i, c) in cols.iter().enumerate() {
            rte.set_column_type(i, c.type_oid, c.typmod, c.collation);
        }
        if let RteKind::Subquery { query, .. } = &mut rte.kind {
            **query = q;
        }
        Ok(SetOpTree::Leaf(rti))
    }

    /// Moves a node's leaves into a query of their own.
    fn nested_operation(&mut self, arm: Arm) -> Result<Query> {
        let mut q = new_query(CmdType::Select);
        let mut tree = arm.tree;
        let first = leftmost(&tree);
        self.move_leaves(&mut tree, first, &mut q.rtable);
        let names = q.rtable[0].eref_cols.clone();
        for (i, (c, n)) in arm.cols.iter().zip(&*names).enumerate() {
            let e = column_var(1, i, c);
            crate::target::push_entry(&mut q.target_list, e, Some(n.clone()));
        }
        q.set_operations = Some(tree);
        Ok(q)
    }

    fn move_leaves(&mut self, t: &mut SetOpTree, keep: u32, out: &mut Vec<RangeTblEntry>) {
        match t {
            SetOpTree::Leaf(n) => {
                let rte = self.rte(*n);
                let mut moved = rte.clone();
                if *n != keep {
                    // An entry nobody refers to any more.
                    rte.kind = RteKind::Result;
                }
                if let RteKind::Subquery { query, .. } = &mut moved.kind {
                    crate::rewrite::shift_query_levels(query, 1);
                }
                out.push(moved);
                *n = out.len() as u32;
            }
            SetOpTree::Node(s) => {
                self.move_leaves(&mut s.left, keep, out);
                self.move_leaves(&mut s.right, keep, out);
            }
        }
    }

    /// `SELECT col::type, … FROM (inner)`.
    fn converted(&mut self, mut inner: Query, want: &[Oid], name: &str) -> Result<Query> {
        crate::rewrite::shift_query_levels(&mut inner, 1);
        let cols = crate::output_columns(&inner);
        let mut q = new_query(CmdType::Select);
        for (i, (c, t)) in cols.iter().zip(want).enumerate() {
            let col = ArmCol {
                type_oid: c.type_oid,
                typmod: c.typmod,
                collation: c.collation,
                loc: None,
                leaf: None,
            };
            let mut e = self.coerce_to_common(column_var(1, i, &col), *t, name)?;
            crate::collation::assign(self.ctx, &mut e)?;
            crate::target::push_entry(&mut q.target_list, e, Some(c.name.clone()));
        }
        let kind =
            RteKind::Subquery { query: Box::new(inner), lateral: false, security_barrier: false, view: None };
        let mut rte = crate::rte::new_rte(kind, None, "unnamed_subquery");
        for c in cols {
            rte.push_column(c.name, c.type_oid, c.typmod, c.collation);
        }
        q.rtable.push(rte);
        q.jointree.from.push(JoinTree::Rte(1));
        Ok(q)
    }

    fn transform_leaf(&mut self, s: &SelectStmt) -> Result<Arm> {
        if let Some(into) = &s.into_clause {
            return Err(err!(SYNTAX_ERROR, "INTO is only allowed on first SELECT of UNION/INTERSECT/EXCEPT")
                .at(into.rel.location));
        }
        self.push_level();
        self.level().resolve_unknowns = false;
        let r = self.transform_select(s);
        self.pop_level();
        let q = r?;
        let n = self.level().rtable.len() + 1;
        let infos: Vec<(Oid, i32, Oid, Option<usize>, usize)> = q
            .target_list
            .iter()
            .enumerate()
            .filter(|(_, t)| !t.junk)
            .map(|(i, t)| {
                (
                    expr_type(&t.expr),
                    expr_typmod(&t.expr),
                    crate::info::expr_collation(&t.expr),
                    expr_location(&t.expr),
                    i,
                )
            })
            .collect();
        let item = self.add_subquery(q, None, &format!("*SELECT* {n}"), false)?;
        self.rte(item.rti).in_from = false;
        let cols = infos
            .into_iter()
            .map(|(type_oid, typmod, collation, loc, i)| ArmCol {
                type_oid,
                typmod,
                collation,
                loc,
                leaf: Some((item.rti, i)),
            })
            .collect();
        Ok(Arm { tree: SetOpTree::Leaf(item.rti), cols })
    }
}

fn leftmost(t: &SetOpTree) -> u32 {
    match t {
        SetOpTree::Leaf(n) => *n,
        SetOpTree::Node(s) => leftmost(&s.left),
    }
}

fn column_var(rti: u32, i: usize, c: &ArmCol) -> Expr {
    Expr::Var(Var {
        varno: VarNo::Rte(rti),
        attno: i as i16 + 1,
        vartype: c.type_oid,
        typmod: c.typmod,
        collation: c.collation,
        levels_up: 0,
        syn: (rti, i as i16 + 1),
        location: c.loc,
    })
}

/// Names and types of the left arm, for a recursive WITH item.
fn left_columns(an: &mut Analyzer<'_>, arm: &Arm) -> Vec<crate::rte::ColInfo> {
    let names: Vec<Rc<str>> = match &an.level().rtable[0].kind {
        RteKind::Subquery { query, .. } => {
            query.target_list.iter().filter(|t| !t.junk).map(|t| t.name.clone().unwrap_or_default()).collect()
        }
        _ => Vec::new(),
    };
    arm.cols
        .iter()
        .zip(names)
        .map(|(c, name)| {
            let t = if c.type_oid == oids::UNKNOWN { oids::TEXT } else { c.type_oid };
            let collation = an.ctx.type_collation(t).unwrap_or(Oid::INVALID);
            crate::rte::ColInfo {
                name,
                type_oid: t,
                typmod: c.typmod,
                collation: if c.collation.is_valid() { c.collation } else { collation },
            }
        })
        .collect()
}
