//! INSERT from VALUES, from a query, or of defaults.

use super::assign::Place;
use super::{column_entry, is_unknown_literal};
use crate::expr::*;
use crate::info::{expr_collation, expr_location, expr_type, expr_typmod};
use crate::kind::ExprKind;
use crate::query::*;
use crate::rte::ColInfo;
use crate::scope::{Analyzer, acl};
use crate::select::new_query;
use catalog::desc::Relation;
use common::{Result, err};
use parser::{Indirection, InsertStmt, OverridingKind, ResTarget, SelectStmt};

/// A column that is inserted into, or a part of one, and where it was named.
struct Target {
    attno: i16,
    steps: Vec<Indirection>,
    loc: Option<usize>,
}

impl Analyzer<'_> {
    /// INSERT.
    pub fn transform_insert(&mut self, s: &InsertStmt) -> Result<Query> {
        let mut q = new_query(CmdType::Insert);
        if let Some(w) = &s.with_clause {
            q.has_recursive = w.recursive;
            self.transform_with(w)?;
        }
        q.overriding = match s.override_ {
            OverridingKind::NotSet => Overriding::None,
            OverridingKind::UserValue => Overriding::User,
            OverridingKind::SystemValue => Overriding::System,
        };
        let update =
            s.on_conflict_clause.as_ref().is_some_and(|c| c.action == parser::OnConflictAction::Update);
        let general = s.select_stmt.as_deref().filter(|x| is_general(x));
        // The query is analysed before the target is added, but cannot see it either way.
        let (rel, item) =
            self.set_target(&s.relation, false, acl::INSERT | if update { acl::UPDATE } else { 0 })?;
        q.result_relation = item.rti;
        let targets = self.insert_targets(&rel, &s.cols)?;
        let exprs: Vec<Expr> = match (&s.select_stmt, general) {
            (None, _) => Vec::new(),
            (_, Some(sel)) => self.insert_from_query(&rel, &targets, sel)?,
            (Some(sel), None) if sel.values_lists.len() > 1 => {
                self.insert_from_values(&rel, &targets, &sel.values_lists)?
            }
            (Some(sel), None) => {
                let list = self.transform_expr_list(&sel.values_lists[0], ExprKind::ValuesSingle, true)?;
                self.insert_row(&rel, &targets, list, !s.cols.is_empty())?
            }
        };
        let n = exprs.len();
        for (t, e) in targets.iter().zip(exprs) {
            self.add_target(&rel, &mut q.target_list, t, e)?;
        }
        let rte = self.rte(item.rti);
        rte.inserted_cols.extend(
            targets.iter().take(n.max(if s.cols.is_empty() { n } else { targets.len() })).map(|t| t.attno),
        );
        // Only the target is visible in what follows.
        self.level().namespace.clear();
        if let Some(c) = &s.on_conflict_clause {
            q.on_conflict = Some(Box::new(self.transform_on_conflict(c, &rel, &item)?));
        }
        if !s.returning_list.is_empty() {
            self.level().namespace = vec![item];
            q.returning = self.transform_returning(&s.returning_list)?;
        }
        q.jointree = FromExpr { from: std::mem::take(&mut self.level().joinlist), quals: None };
        self.finish_query(&mut q);
        crate::collation::assign_query(self.ctx, &mut q)?;
        Ok(q)
    }

    /// The target list of MERGE's INSERT; without values every column gets its default.
    pub(super) fn merge_insert(
        &mut self,
        rel: &Relation,
        rti: u32,
        cols: &[ResTarget],
        values: Option<&[parser::Expr]>,
    ) -> Result<Vec<TargetEntry>> {
        let Some(values) = values else { return Ok(Vec::new()) };
        let targets = self.insert_targets(rel, cols)?;
        let list = self.transform_expr_list(values, ExprKind::ValuesSingle, true)?;
        let exprs = self.insert_row(rel, &targets, list, !cols.is_empty())?;
        let mut out = Vec::new();
        for (t, e) in targets.iter().zip(exprs) {
            self.add_target(rel, &mut out, t, e)?;
            self.rte(rti).inserted_cols.push(t.attno);
        }
        Ok(out)
    }

    /// Adds a value to the target list; parts of one column are put into it one after the other.
    fn add_target(&mut self, rel: &Relation, list: &mut Vec<TargetEntry>, t: &Target, e: Expr) -> Result<()> {
        if t.steps.is_empty() {
            list.push(column_entry(rel, t.attno, e));
            return Ok(());
        }
        let a = &rel.desc.attrs[t.attno as usize - 1];
        let place = Place::column(a, t.loc);
        if let Some(prev) = list.iter_mut().find(|p| p.resno == t.attno) {
            let base = prev.expr.clone();
            prev.expr = self.assign_part(base, &place, &t.steps, e)?;
            return Ok(());
        }
        let (base, base_mod) = self.ctx.base_type(a.type_oid, a.typmod)?;
        let null = Expr::Const(Const {
            consttype: base,
            typmod: base_mod,
            collation: a.collation,
            value: types::Datum::Null,
            location: None,
        });
        let e = self.assign_part(null, &place, &t.steps, e)?;
        list.push(column_entry(rel, t.attno, e));
        Ok(())
    }

    /// A value for a part of a column, converted to that part's type.
    fn part_value(&mut self, rel: &Relation, t: &Target, e: Expr) -> Result<Expr> {
        let a = &rel.desc.attrs[t.attno as usize - 1];
        let place = Place::column(a, t.loc);
        if let Expr::SetToDefault { .. } = e {
            let field = matches!(t.steps.last(), Some(Indirection::Field(_)));
            return Err(super::default_refused(!field, place.loc));
        }
        let (type_oid, typmod) = self.part_type(&place, &t.steps)?;
        let field = t.steps.iter().rev().find_map(|s| match s {
            Indirection::Field(f) => Some(f.as_str()),
            _ => None,
        });
        let subscripted = !matches!(t.steps.last(), Some(Indirection::Field(_)));
        let part = Place { name: field.unwrap_or(&a.name), type_oid, typmod, subscripted, ..place };
        self.assign_part(e.clone(), &part, &[], e)
    }

    fn insert_targets(&mut self, rel: &Relation, cols: &[ResTarget]) -> Result<Vec<Target>> {
        if cols.is_empty() {
            return Ok(rel
                .desc
                .attrs
                .iter()
                .enumerate()
                .filter(|(_, a)| !a.dropped)
                .map(|(i, _)| Target { attno: i as i16 + 1, steps: Vec::new(), loc: None })
                .collect());
        }
        let mut out: Vec<Target> = Vec::new();
        for c in cols {
            let name = c.name.as_deref().unwrap_or("");
            let attno = self.target_column(rel, name, c.location, true)?;
            // Several parts of a column may be named, but not a part beside the whole.
            if out.iter().any(|t| t.attno == attno && (t.steps.is_empty() || c.indirection.is_empty())) {
                return Err(
                    err!(DUPLICATE_COLUMN, "column \"{name}\" specified more than once").at(c.location)
                );
            }
            out.push(Target { attno, steps: c.indirection.clone(), loc: Some(c.location) });
        }
        Ok(out)
    }

    /// Checks the number of values and converts each to its column's type.
    fn insert_row(
        &mut self,
        rel: &Relation,
        targets: &[Target],
        list: Vec<Expr>,
        named: bool,
    ) -> Result<Vec<Expr>> {
        if list.len() > targets.len() {
            return Err(err!(SYNTAX_ERROR, "INSERT has more expressions than target columns")
                .at_if_none(expr_location(&list[targets.len()])));
        }
        if named && list.len() < targets.len() {
            let e = err!(SYNTAX_ERROR, "INSERT has more target columns than expressions")
                .at_if_none(targets[list.len()].loc);
            let row = match list.as_slice() {
                [Expr::Row { args, .. }] => args.len() == targets.len(),
                _ => false,
            };
            return Err(if row {
                e.hint("The insertion source is a row expression containing the same number of columns expected by the INSERT. Did you accidentally use extra parentheses?")
            } else {
                e
            });
        }
        let mut out = Vec::with_capacity(list.len());
        for (e, t) in list.into_iter().zip(targets) {
            out.push(if t.steps.is_empty() {
                self.assigned_expr(rel, t.attno, e)?
            } else {
                self.part_value(rel, t, e)?
            });
        }
        Ok(out)
    }

    fn insert_from_query(
        &mut self,
        rel: &Relation,
        targets: &[Target],
        sel: &SelectStmt,
    ) -> Result<Vec<Expr>> {
        let named = targets.iter().any(|t| t.loc.is_some());
        // Names of the target must not be visible inside, nor those of WITH's siblings' tables: a level of its own.
        self.push_level();
        self.level().resolve_unknowns = false;
        let r = self.transform_select(sel);
        self.pop_level();
        let q = r?;
        let list: Vec<TargetEntry> = q.target_list.iter().filter(|t| !t.junk).cloned().collect();
        let item = self.add_subquery(q, None, "*SELECT*", false)?;
        let rti = item.rti;
        self.add_to_query(item, true);
        let mut exprs = Vec::new();
        for (i, t) in list.into_iter().enumerate() {
            if is_unknown_literal(&t.expr) {
                exprs.push(t.expr);
                continue;
            }
            exprs.push(Expr::Var(Var {
                varno: VarNo::Rte(rti),
                attno: i as i16 + 1,
                vartype: expr_type(&t.expr),
                typmod: expr_typmod(&t.expr),
                collation: expr_collation(&t.expr),
                levels_up: 0,
                syn: (rti, i as i16 + 1),
                location: expr_location(&t.expr),
            }));
        }
        let row = self.insert_row(rel, targets, exprs, named)?;
        self.settle_unknown_columns(rti)?;
        Ok(row)
    }

    /// Literals and parameters of open type that the target list took over: in the sub-query, where nobody reads
    /// them, parameters get the type found for them and literals become text.
    fn settle_unknown_columns(&mut self, rti: u32) -> Result<()> {
        let RteKind::Subquery { query, .. } = &mut self.rte(rti).kind else { return Ok(()) };
        let mut list = std::mem::take(&mut query.target_list);
        for t in &mut list {
            if let Expr::Param(p) = &mut t.expr
                && p.paramtype == types::oids::UNKNOWN
            {
                p.paramtype = self.params.types[p.id as usize - 1];
                p.collation = self.ctx.type_collation(p.paramtype)?;
            }
            if is_unknown_literal(&t.expr) {
                self.resolve_unknown_entry(t)?;
                crate::collation::assign(self.ctx, &mut t.expr)?;
            }
        }
        let rte = self.rte(rti);
        for (i, t) in list.iter().filter(|t| !t.junk).enumerate() {
            let e = &t.expr;
            rte.set_column_type(i, expr_type(e), expr_typmod(e), expr_collation(e));
        }
        if let RteKind::Subquery { query, .. } = &mut rte.kind {
            query.target_list = list;
        }
        Ok(())
    }

    fn insert_from_values(
        &mut self,
        rel: &Relation,
        targets: &[Target],
        lists: &[Vec<parser::Expr>],
    ) -> Result<Vec<Expr>> {
        let named = targets.iter().any(|t| t.loc.is_some());
        let mut rows: Vec<Vec<Expr>> = Vec::new();
        let mut width = None;
        for l in lists {
            let list = self.transform_expr_list(l, ExprKind::Values, true)?;
            if *width.get_or_insert(list.len()) != list.len() {
                return Err(err!(SYNTAX_ERROR, "VALUES lists must all be the same length")
                    .at_if_none(list.first().and_then(expr_location)));
            }
            let mut row = self.insert_row(rel, targets, list, named)?;
            for e in row.iter_mut() {
                crate::collation::assign(self.ctx, e)?;
            }
            rows.push(row);
        }
        let cols: Vec<ColInfo> = rows[0]
            .iter()
            .enumerate()
            .map(|(i, e)| ColInfo {
                name: format!("column{}", i + 1).into(),
                type_oid: expr_type(e),
                typmod: {
                    let column: Vec<&Expr> = rows.iter().map(|r| &r[i]).collect();
                    crate::coerce::common_typmod(&column, expr_type(e))
                },
                collation: expr_collation(e),
            })
            .collect();
        let lateral = rows.iter().flatten().any(|e| crate::agg::first_var(e).is_some());
        let item = self.add_values(rows, cols, None, lateral)?;
        let out = item
            .live()
            .map(|(_, c)| {
                Expr::Var(Var {
                    varno: VarNo::Rte(c.varno),
                    attno: c.attno,
                    vartype: c.type_oid,
                    typmod: c.typmod,
                    collation: c.collation,
                    levels_up: 0,
                    syn: c.syn,
                    location: None,
                })
            })
            .collect();
        self.add_to_query(item, true);
        Ok(out)
    }
}

/// Is it a query proper, rather than a bare VALUES?
fn is_general(s: &SelectStmt) -> bool {
    s.values_lists.is_empty()
        || !s.sort_clause.is_empty()
        || s.limit_count.is_some()
        || s.limit_offset.is_some()
        || !s.locking_clause.is_empty()
        || s.with_clause.is_some()
}
