//! INSERT, UPDATE, DELETE, MERGE.

use super::Deparser;
use crate::ast::*;

impl Deparser {
    pub(super) fn insert(&mut self, s: &InsertStmt) {
        self.with(s.with_clause.as_deref());
        self.push("INSERT INTO ");
        self.relation(&s.relation);
        self.column_targets(&s.cols);
        self.overriding(s.override_);
        match &s.select_stmt {
            Some(select) => {
                self.push(" ");
                self.select(select);
            }
            None => self.push(" DEFAULT VALUES"),
        }
        if let Some(clause) = &s.on_conflict_clause {
            self.on_conflict(clause);
        }
        self.returning(&s.returning_list);
    }

    fn column_targets(&mut self, cols: &[ResTarget]) {
        if !cols.is_empty() {
            self.push(" (");
            self.list(cols, Self::column_target);
            self.push(")");
        }
    }

    fn column_target(&mut self, t: &ResTarget) {
        self.ident(t.name.as_deref().unwrap_or(""));
        self.indirection(&t.indirection);
    }

    fn overriding(&mut self, kind: OverridingKind) {
        self.push(match kind {
            OverridingKind::NotSet => "",
            OverridingKind::UserValue => " OVERRIDING USER VALUE",
            OverridingKind::SystemValue => " OVERRIDING SYSTEM VALUE",
        });
    }

    fn on_conflict(&mut self, c: &OnConflictClause) {
        self.push(" ON CONFLICT");
        if let Some(infer) = &c.infer {
            if let Some(name) = &infer.conname {
                self.push(" ON CONSTRAINT ");
                self.ident(name);
            } else {
                self.push(" (");
                self.list(&infer.index_elems, Self::index_elem);
                self.push(")");
                self.condition(" WHERE ", infer.where_clause.as_ref());
            }
        }
        if c.action == OnConflictAction::Nothing {
            self.push(" DO NOTHING");
            return;
        }
        self.push(" DO UPDATE SET ");
        self.set_clauses(&c.target_list);
        self.condition(" WHERE ", c.where_clause.as_ref());
    }

    fn returning(&mut self, items: &[ResTarget]) {
        if !items.is_empty() {
            self.push(" RETURNING ");
            self.labelled(items);
        }
    }

    /// Columns that share a row as source stand together.
    fn set_clauses(&mut self, targets: &[ResTarget]) {
        let mut i = 0;
        while i < targets.len() {
            if i > 0 {
                self.push(", ");
            }
            let count = match &targets[i].val {
                Some(Expr::MultiAssignRef(m)) => m.ncolumns.min(targets.len() - i).max(1),
                _ => 0,
            };
            if count == 0 {
                self.column_target(&targets[i]);
                i += 1;
            } else {
                self.push("(");
                self.list(&targets[i..i + count], Self::column_target);
                self.push(")");
                i += count;
            }
            self.push(" = ");
            self.opt_expr(targets[i - count.max(1)].val.as_ref());
        }
    }

    pub(super) fn update(&mut self, s: &UpdateStmt) {
        self.with(s.with_clause.as_deref());
        self.push("UPDATE ");
        self.relation(&s.relation);
        self.push(" SET ");
        self.set_clauses(&s.target_list);
        self.from(" FROM ", &s.from_clause);
        self.condition(" WHERE ", s.where_clause.as_ref());
        self.returning(&s.returning_list);
    }

    pub(super) fn delete(&mut self, s: &DeleteStmt) {
        self.with(s.with_clause.as_deref());
        self.push("DELETE FROM ");
        self.relation(&s.relation);
        self.from(" USING ", &s.using_clause);
        self.condition(" WHERE ", s.where_clause.as_ref());
        self.returning(&s.returning_list);
    }

    pub(super) fn merge(&mut self, s: &MergeStmt) {
        self.with(s.with_clause.as_deref());
        self.push("MERGE INTO ");
        self.relation(&s.relation);
        self.push(" USING ");
        self.table_expr(&s.source_relation);
        self.push(" ON ");
        self.expr(&s.join_condition);
        for when in &s.merge_when_clauses {
            self.push(if when.matched { " WHEN MATCHED" } else { " WHEN NOT MATCHED" });
            self.condition(" AND ", when.condition.as_ref());
            self.push(" THEN ");
            self.merge_action(&when.action);
        }
    }

    fn merge_action(&mut self, action: &MergeAction) {
        match action {
            MergeAction::DoNothing => self.push("DO NOTHING"),
            MergeAction::Delete => self.push("DELETE"),
            MergeAction::Update { target_list } => {
                self.push("UPDATE SET ");
                self.set_clauses(target_list);
            }
            MergeAction::Insert { cols, override_, values } => {
                self.push("INSERT");
                self.column_targets(cols);
                self.overriding(*override_);
                match values {
                    Some(values) => {
                        self.push(" VALUES (");
                        self.exprs(values);
                        self.push(")");
                    }
                    None => self.push(" DEFAULT VALUES"),
                }
            }
        }
    }
}
