//! SELECT and its clauses.

use super::Deparser;
use crate::ast::*;

impl Deparser {
    pub(super) fn select(&mut self, s: &SelectStmt) {
        self.with(s.with_clause.as_deref());
        match (&s.larg, &s.rarg) {
            (Some(left), Some(right)) => self.set_operation(s, left, right),
            _ if !s.values_lists.is_empty() => {
                self.push("VALUES ");
                self.list(&s.values_lists, |d, row| {
                    d.push("(");
                    d.exprs(row);
                    d.push(")");
                });
            }
            _ => self.simple_select(s),
        }
        if !s.sort_clause.is_empty() {
            self.push(" ");
            self.order_by(&s.sort_clause);
        }
        self.limit(s);
        for lock in &s.locking_clause {
            self.locking(lock);
        }
    }

    fn set_operation(&mut self, s: &SelectStmt, left: &SelectStmt, right: &SelectStmt) {
        self.push("(");
        self.select(left);
        self.push(match s.op {
            SetOperation::Union => ") UNION ",
            SetOperation::Intersect => ") INTERSECT ",
            _ => ") EXCEPT ",
        });
        self.push(if s.all { "ALL (" } else { "(" });
        self.select(right);
        self.push(")");
    }

    fn simple_select(&mut self, s: &SelectStmt) {
        self.push("SELECT");
        match &s.distinct_clause {
            Some(DistinctClause::All) => self.push(" DISTINCT"),
            Some(DistinctClause::On(items)) => {
                self.push(" DISTINCT ON (");
                self.exprs(items);
                self.push(")");
            }
            None => {}
        }
        if !s.target_list.is_empty() {
            self.push(" ");
            self.labelled(&s.target_list);
        }
        if let Some(into) = &s.into_clause {
            self.push(match into.rel.relpersistence {
                RelPersistence::Permanent => " INTO TABLE ",
                RelPersistence::Temp => " INTO TEMPORARY TABLE ",
                RelPersistence::Unlogged => " INTO UNLOGGED TABLE ",
            });
            self.relation_name(&into.rel);
        }
        self.from(" FROM ", &s.from_clause);
        self.condition(" WHERE ", s.where_clause.as_ref());
        if !s.group_clause.is_empty() {
            self.push(if s.group_distinct { " GROUP BY DISTINCT " } else { " GROUP BY " });
            self.list(&s.group_clause, Self::group_item);
        }
        self.condition(" HAVING ", s.having_clause.as_ref());
        if !s.window_clause.is_empty() {
            self.push(" WINDOW ");
            self.list(&s.window_clause, |d, w| {
                d.ident(w.name.as_deref().unwrap_or(""));
                d.push(" AS ");
                d.window(w);
            });
        }
    }

    pub(super) fn condition(&mut self, word: &str, e: Option<&Expr>) {
        if let Some(e) = e {
            self.push(word);
            self.expr(e);
        }
    }

    pub(super) fn with(&mut self, with: Option<&WithClause>) {
        let Some(with) = with else {
            return;
        };
        self.push(if with.recursive { "WITH RECURSIVE " } else { "WITH " });
        self.list(&with.ctes, Self::common_table_expr);
        self.push(" ");
    }

    fn common_table_expr(&mut self, cte: &CommonTableExpr) {
        self.ident(&cte.ctename);
        if !cte.aliascolnames.is_empty() {
            self.push(" ");
            self.paren_names(&cte.aliascolnames);
        }
        self.push(match cte.ctematerialized {
            CTEMaterialize::Default => " AS (",
            CTEMaterialize::Always => " AS MATERIALIZED (",
            CTEMaterialize::Never => " AS NOT MATERIALIZED (",
        });
        self.statement(&cte.ctequery);
        self.push(")");
        if let Some(search) = &cte.search_clause {
            let order = if search.search_breadth_first { "BREADTH" } else { "DEPTH" };
            self.push(&format!(" SEARCH {order} FIRST BY "));
            self.list(&search.search_col_list, |d, n| d.ident(n));
            self.push(" SET ");
            self.ident(&search.search_seq_column);
        }
        if let Some(cycle) = &cte.cycle_clause {
            self.push(" CYCLE ");
            self.list(&cycle.cycle_col_list, |d, n| d.ident(n));
            self.push(" SET ");
            self.ident(&cycle.cycle_mark_column);
            self.cycle_constant(" TO ", cycle.cycle_mark_value.as_ref());
            self.cycle_constant(" DEFAULT ", cycle.cycle_mark_default.as_ref());
            self.push(" USING ");
            self.ident(&cycle.cycle_path_column);
        }
    }

    /// Only literals may stand here, so a cast takes the form `type 'literal'`.
    fn cycle_constant(&mut self, word: &str, e: Option<&Expr>) {
        let Some(e) = e else {
            return;
        };
        self.push(word);
        if let Expr::TypeCast(cast) = e {
            self.type_name(&cast.type_name);
            self.push(" ");
            self.expr(&cast.arg);
        } else {
            self.expr(e);
        }
    }

    fn group_item(&mut self, item: &GroupByItem) {
        let set = match item {
            GroupByItem::Expr(e) => return self.expr(e),
            GroupByItem::GroupingSet(set) => set,
        };
        self.push(match set.kind {
            GroupingSetKind::Empty => "(",
            GroupingSetKind::Rollup => "ROLLUP (",
            GroupingSetKind::Cube => "CUBE (",
            GroupingSetKind::Sets => "GROUPING SETS (",
        });
        self.list(&set.content, Self::group_item);
        self.push(")");
    }

    fn limit(&mut self, s: &SelectStmt) {
        match (&s.limit_count, s.limit_option) {
            (Some(count), LimitOption::WithTies) => {
                self.push(" FETCH FIRST (");
                self.expr(count);
                self.push(") ROWS WITH TIES");
            }
            (Some(Expr::AConst(AConst { val: Value::Null, .. })), _) => self.push(" LIMIT ALL"),
            (count, _) => self.condition(" LIMIT ", count.as_ref()),
        }
        self.condition(" OFFSET ", s.limit_offset.as_ref());
    }

    fn locking(&mut self, lock: &LockingClause) {
        self.push(match lock.strength {
            LockClauseStrength::ForUpdate => " FOR UPDATE",
            LockClauseStrength::ForNoKeyUpdate => " FOR NO KEY UPDATE",
            LockClauseStrength::ForShare => " FOR SHARE",
            LockClauseStrength::ForKeyShare => " FOR KEY SHARE",
        });
        if !lock.locked_rels.is_empty() {
            self.push(" OF ");
            self.list(&lock.locked_rels, Self::relation_name);
        }
        self.push(match lock.wait_policy {
            LockWaitPolicy::Block => "",
            LockWaitPolicy::Skip => " SKIP LOCKED",
            LockWaitPolicy::Error => " NOWAIT",
        });
    }
}
