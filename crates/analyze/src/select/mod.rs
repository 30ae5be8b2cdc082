//! SELECT and VALUES. Set operations are in [`setop`], FOR UPDATE in [`locking`].

mod locking;
pub use locking::add_row_mark;
mod setop;

use crate::expr::*;
use crate::info::expr_location;
use crate::kind::ExprKind;
use crate::query::*;
use crate::rte::ColInfo;
use crate::scope::Analyzer;
use common::{Oid, Result, err};
use parser::{DistinctClause, SelectStmt};

/// An empty query of a kind.
pub fn new_query(command: CmdType) -> Query {
    Query {
        command,
        result_relation: 0,
        has_aggs: false,
        has_window_funcs: false,
        has_target_srfs: false,
        has_sub_links: false,
        has_distinct_on: false,
        has_recursive: false,
        has_modifying_cte: false,
        has_for_update: false,
        ctes: Vec::new(),
        rtable: Vec::new(),
        jointree: FromExpr::default(),
        target_list: Vec::new(),
        overriding: Overriding::None,
        on_conflict: None,
        returning: Vec::new(),
        group_clause: Vec::new(),
        group_distinct: false,
        grouping_sets: Vec::new(),
        having: None,
        windows: Vec::new(),
        distinct: Vec::new(),
        sort: Vec::new(),
        limit_offset: None,
        limit_count: None,
        limit_option: LimitOption::Count,
        row_marks: Vec::new(),
        set_operations: None,
        merge_actions: Vec::new(),
        check_options: Vec::new(),
        location: (0, 0),
    }
}

impl Analyzer<'_> {
    /// A SELECT, VALUES or set operation at the innermost (fresh) level.
    pub fn transform_select(&mut self, s: &SelectStmt) -> Result<Query> {
        self.check_stack()?;
        if s.op != parser::SetOperation::None {
            return self.transform_set_operation(s);
        }
        if !s.values_lists.is_empty() {
            return self.transform_values(s);
        }
        self.transform_plain_select(s)
    }

    fn transform_plain_select(&mut self, s: &SelectStmt) -> Result<Query> {
        let mut q = new_query(CmdType::Select);
        if let Some(into) = &s.into_clause {
            return Err(err!(SYNTAX_ERROR, "SELECT ... INTO is not allowed here").at(into.rel.location));
        }
        self.level().locking = s.locking_clause.clone();
        self.level().window_defs = s.window_clause.clone();
        if let Some(w) = &s.with_clause {
            q.has_recursive = w.recursive;
            self.transform_with(w)?;
        }
        self.transform_from(&s.from_clause)?;
        let mut list = self.transform_target_list(&s.target_list, ExprKind::SelectTarget)?;
        let quals = self.transform_condition(&s.where_clause, ExprKind::Where)?;
        q.having = self.transform_condition(&s.having_clause, ExprKind::Having)?;
        q.sort = self.transform_sort_clause(&s.sort_clause, &mut list, ExprKind::OrderBy, false)?;
        (q.group_clause, q.grouping_sets) =
            self.transform_group_clause(&s.group_clause, &mut list, &q.sort)?;
        q.group_distinct = s.group_distinct;
        match &s.distinct_clause {
            None => {}
            Some(DistinctClause::All) => q.distinct = self.transform_distinct(&mut list, &q.sort, false)?,
            Some(DistinctClause::On(on)) => {
                q.distinct = self.transform_distinct_on(on, &mut list, &q.sort)?;
                q.has_distinct_on = true;
            }
        }
        self.transform_limits(s, &mut q)?;
        q.windows = self.transform_windows(&mut list)?;
        if self.level().resolve_unknowns {
            self.resolve_unknown_list(&mut list)?;
        }
        q.target_list = list;
        q.jointree = FromExpr { from: std::mem::take(&mut self.level().joinlist), quals };
        self.finish_query(&mut q);
        for l in &s.locking_clause {
            self.transform_locking(&mut q, l, false)?;
        }
        crate::collation::assign_query(self.ctx, &mut q)?;
        if q.has_aggs || !q.group_clause.is_empty() || !q.grouping_sets.is_empty() || q.having.is_some() {
            self.check_grouping(&mut q)?;
        }
        if q.has_aggs {
            refuse_recursive_aggregates(&q)?;
        }
        Ok(q)
    }

    /// LIMIT, OFFSET, WITH TIES.
    fn transform_limits(&mut self, s: &SelectStmt, q: &mut Query) -> Result<()> {
        q.limit_offset = self.transform_limit(&s.limit_offset, ExprKind::Offset)?;
        q.limit_count = self.transform_limit(&s.limit_count, ExprKind::Limit)?;
        if s.limit_option == parser::LimitOption::WithTies {
            q.limit_option = LimitOption::WithTies;
            if matches!(&q.limit_count, Some(Expr::Const(c)) if c.value.is_null()) {
                return Err(err!(
                    INVALID_ROW_COUNT_IN_LIMIT_CLAUSE,
                    "row count cannot be null in FETCH FIRST ... WITH TIES clause"
                ));
            }
        }
        Ok(())
    }

    /// WHERE, HAVING and the like.
    pub fn transform_condition(
        &mut self,
        raw: &Option<parser::Expr>,
        kind: ExprKind,
    ) -> Result<Option<Expr>> {
        let Some(r) = raw else { return Ok(None) };
        let e = self.transform_expr_kind(r, kind)?;
        Ok(Some(self.coerce_to_boolean(e, kind.place())?))
    }

    /// Moves what the level has gathered into the query.
    pub fn finish_query(&mut self, q: &mut Query) {
        let lv = self.level();
        q.rtable = std::mem::take(&mut lv.rtable);
        q.ctes = std::mem::take(&mut lv.ctes);
        q.has_aggs = lv.has_aggs;
        q.has_window_funcs = lv.has_window_funcs;
        q.has_target_srfs = lv.has_target_srfs;
        q.has_sub_links = lv.has_sub_links;
        q.has_modifying_cte = lv.has_modifying_cte;
    }

    fn transform_values(&mut self, s: &SelectStmt) -> Result<Query> {
        let mut q = new_query(CmdType::Select);
        if let Some(w) = &s.with_clause {
            q.has_recursive = w.recursive;
            self.transform_with(w)?;
        }
        let kind = ExprKind::Values;
        let width = s.values_lists[0].len();
        let mut rows: Vec<Vec<Expr>> = Vec::with_capacity(s.values_lists.len());
        for r in &s.values_lists {
            let list = self.transform_expr_list(r, kind, false)?;
            if list.len() != width {
                let mut e = err!(SYNTAX_ERROR, "VALUES lists must all be the same length");
                e = e.at_if_none(list.first().and_then(expr_location));
                return Err(e);
            }
            rows.push(list);
        }
        let mut cols = Vec::new();
        for c in 0..width {
            let column: Vec<&Expr> = rows.iter().map(|r| &r[c]).collect();
            let t = self.common_type(&column, "VALUES")?;
            for r in rows.iter_mut().filter(|r| crate::info::expr_type(&r[c]) != t) {
                let e = std::mem::replace(&mut r[c], crate::coerce::make_const(t, types::Datum::Null));
                r[c] = self.coerce_to_common(e, t, "VALUES")?;
            }
            let column: Vec<&Expr> = rows.iter().map(|r| &r[c]).collect();
            let typmod = crate::coerce::common_typmod(&column, t);
            let collation = if self.ctx.type_collation(t)?.is_valid() {
                crate::collation::select_common(self.ctx, rows.iter_mut().map(|r| &mut r[c]), true)?
            } else {
                Oid::INVALID
            };
            cols.push(ColInfo { name: format!("column{}", c + 1).into(), type_oid: t, typmod, collation });
        }
        let lateral = !self.level().rtable.is_empty()
            && rows.iter().flatten().any(|e| crate::agg::first_var(e).is_some());
        let item = self.add_values(rows, cols, None, lateral)?;
        let depth = self.levels.len() - 1;
        let mut list = Vec::new();
        for (name, e) in self.expand_item(depth, &item, 0) {
            crate::target::push_entry(&mut list, without_location(e), Some(name));
        }
        self.add_to_query(item, true);
        q.sort = self.transform_sort_clause(&s.sort_clause, &mut list, ExprKind::OrderBy, false)?;
        self.transform_limits(s, &mut q)?;
        if let Some(l) = s.locking_clause.first() {
            return Err(err!(
                FEATURE_NOT_SUPPORTED,
                "{} cannot be applied to VALUES",
                locking::strength_name(l.strength)
            ));
        }
        q.target_list = list;
        q.jointree = FromExpr { from: std::mem::take(&mut self.level().joinlist), quals: None };
        self.finish_query(&mut q);
        crate::collation::assign_query(self.ctx, &mut q)?;
        Ok(q)
    }

    /// A row of VALUES; `t.*` is expanded. DEFAULT stays as a marker if allowed.
    pub fn transform_expr_list(
        &mut self,
        raw: &[parser::Expr],
        kind: ExprKind,
        allow_default: bool,
    ) -> Result<Vec<Expr>> {
        let mut out = Vec::with_capacity(raw.len());
        for r in raw {
            if allow_default && let parser::Expr::SetToDefault(d) = r {
                out.push(Expr::SetToDefault {
                    type_oid: types::oids::UNKNOWN,
                    typmod: -1,
                    collation: Oid::INVALID,
                    location: Some(d.location),
                });
                continue;
            }
            let star = match r {
                parser::Expr::ColumnRef(_) | parser::Expr::AIndirection(_) => {
                    self.with_kind(kind, |a| a.expand_star_in_list(r))?
                }
                _ => None,
            };
            match star {
                Some(list) => out.extend(list.into_iter().map(|x| x.1)),
                None => out.push(self.transform_expr_kind(r, kind)?),
            }
        }
        Ok(out)
    }
}

fn without_location(e: Expr) -> Expr {
    match e {
        Expr::Var(v) => Expr::Var(Var { location: None, ..v }),
        e => e,
    }
}

/// An aggregate over a WITH RECURSIVE item in its own recursive term would need all of it at once.
fn refuse_recursive_aggregates(q: &Query) -> Result<()> {
    let is_self = |r: &RangeTblEntry| matches!(r.kind, RteKind::Cte { recursive: true, .. });
    if !q.rtable.iter().any(is_self) {
        return Ok(());
    }
    let mut at = None;
    crate::walk::query_exprs(q, &mut |e| {
        crate::walk::walk(e, 0, &mut |x, depth| {
            if let Expr::Aggref(a) = x
                && a.levels_up == depth
            {
                at = at.or(a.location);
            }
            true
        });
    });
    Err(err!(INVALID_RECURSION, "aggregate functions are not allowed in a recursive query's recursive term")
        .at_if_none(at))
}
