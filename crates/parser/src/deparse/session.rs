//! Transactions, cursors, prepared statements, COPY, EXPLAIN, maintenance and other statements of a session.

use super::Deparser;
use crate::ast::*;

impl Deparser {
    pub(super) fn transaction(&mut self, s: &TransactionStmt) {
        use TransactionStmtKind as Kind;
        self.push(match s.kind {
            Kind::Begin => "BEGIN",
            Kind::Start => "START TRANSACTION",
            Kind::Commit => "COMMIT",
            Kind::Rollback => "ROLLBACK",
            Kind::Savepoint => "SAVEPOINT",
            Kind::Release => "RELEASE SAVEPOINT",
            Kind::RollbackTo => "ROLLBACK TO SAVEPOINT",
            Kind::Prepare => "PREPARE TRANSACTION",
            Kind::CommitPrepared => "COMMIT PREPARED",
            Kind::RollbackPrepared => "ROLLBACK PREPARED",
        });
        if !s.options.is_empty() {
            self.push(" ");
            self.list(&s.options, Self::transaction_mode);
        }
        self.named(" ", s.savepoint_name.as_ref());
        if let Some(gid) = &s.gid {
            self.push(" ");
            self.literal(gid);
        }
        self.when(s.chain, " AND CHAIN");
    }

    pub(super) fn copy(&mut self, s: &CopyStmt) {
        self.push("COPY ");
        if let Some(query) = &s.query {
            self.push("(");
            self.statement(query);
            self.push(")");
        }
        if let Some(relation) = &s.relation {
            self.relation_name(relation);
            self.opt_columns(&s.attlist);
        }
        self.push(if s.is_from { " FROM " } else { " TO " });
        self.when(s.is_program, "PROGRAM ");
        match &s.filename {
            Some(name) => self.literal(name),
            None => self.push(if s.is_from { "STDIN" } else { "STDOUT" }),
        }
        // Only the options without parentheses have values that are neither words nor strings.
        let words = s.options.iter().any(|o| matches!(o.arg, Some(DefArg::Boolean(_))));
        if words {
            s.options.iter().for_each(|o| self.copy_word(o));
        } else if !s.options.is_empty() {
            self.push(" WITH");
            self.utility_options(&s.options);
        }
        self.condition(" WHERE ", s.where_clause.as_ref());
    }

    fn copy_word(&mut self, o: &DefElem) {
        self.push(" ");
        match (o.defname.as_str(), &o.arg) {
            ("format", Some(DefArg::String(format))) => self.push(&format.to_ascii_uppercase()),
            ("force_quote", Some(DefArg::Star)) => self.push("FORCE QUOTE *"),
            (name @ ("force_quote" | "force_null" | "force_not_null"), Some(DefArg::List(columns))) => {
                self.push(&name.replace('_', " ").to_ascii_uppercase());
                self.push(" ");
                self.list(columns, |d, c| d.def_ident(Some(c)));
            }
            (name, Some(DefArg::Boolean(_)) | None) => self.push(&name.to_ascii_uppercase()),
            (name, Some(arg)) => {
                self.push(&name.to_ascii_uppercase());
                self.push(" ");
                self.def_arg(arg);
            }
        }
    }

    pub(super) fn explain(&mut self, s: &ExplainStmt) {
        self.push("EXPLAIN");
        self.utility_options(&s.options);
        self.push(" ");
        self.statement(&s.query);
    }

    pub(super) fn vacuum(&mut self, s: &VacuumStmt) {
        self.push(if s.is_vacuumcmd { "VACUUM" } else { "ANALYZE" });
        self.utility_options(&s.options);
        self.when(!s.rels.is_empty(), " ");
        self.list(&s.rels, |d, r| {
            d.relation_name(&r.relation);
            d.opt_columns(&r.va_cols);
        });
    }

    pub(super) fn cluster(&mut self, s: &ClusterStmt) {
        self.push("CLUSTER");
        let Some(relation) = &s.relation else {
            return self.when(!s.params.is_empty(), " VERBOSE");
        };
        self.utility_options(&s.params);
        self.push(" ");
        self.relation_name(relation);
        self.named(" USING ", s.indexname.as_ref());
    }

    pub(super) fn reindex(&mut self, s: &ReindexStmt) {
        self.push("REINDEX");
        self.utility_options(&s.params);
        self.push(match s.kind {
            ReindexObjectType::Index => " INDEX ",
            ReindexObjectType::Table => " TABLE ",
            ReindexObjectType::Schema => " SCHEMA ",
            ReindexObjectType::System => " SYSTEM ",
            ReindexObjectType::Database => " DATABASE ",
        });
        if let Some(relation) = &s.relation {
            self.relation_name(relation);
        }
        self.named("", s.name.as_ref());
    }

    pub(super) fn prepare(&mut self, s: &PrepareStmt) {
        self.named("PREPARE ", Some(&s.name));
        if !s.argtypes.is_empty() {
            self.push(" (");
            self.list(&s.argtypes, Self::type_name);
            self.push(")");
        }
        self.push(" AS ");
        self.statement(&s.query.stmt);
    }

    pub(super) fn execute(&mut self, s: &ExecuteStmt) {
        self.named("EXECUTE ", Some(&s.name));
        if !s.params.is_empty() {
            self.keyword_call("", &s.params);
        }
    }

    /// A word and a name, or what stands for no name.
    pub(super) fn name_or(&mut self, word: &str, name: Option<&String>, otherwise: &str) {
        self.push(word);
        match name {
            Some(name) => self.ident(name),
            None => self.push(otherwise),
        }
    }

    pub(super) fn declare_cursor(&mut self, s: &DeclareCursorStmt) {
        self.named("DECLARE ", Some(&s.portalname));
        let words = [
            (cursor_opt::BINARY, " BINARY"),
            (cursor_opt::INSENSITIVE, " INSENSITIVE"),
            (cursor_opt::ASENSITIVE, " ASENSITIVE"),
            (cursor_opt::SCROLL, " SCROLL"),
            (cursor_opt::NO_SCROLL, " NO SCROLL"),
        ];
        for (bit, word) in words {
            self.when(s.options & bit != 0, word);
        }
        self.push(if s.options & cursor_opt::HOLD != 0 { " CURSOR WITH HOLD FOR " } else { " CURSOR FOR " });
        self.select(&s.query);
    }

    pub(super) fn fetch(&mut self, s: &FetchStmt) {
        self.push(if s.ismove { "MOVE " } else { "FETCH " });
        self.push(match s.direction {
            FetchDirection::Forward => "FORWARD ",
            FetchDirection::Backward => "BACKWARD ",
            FetchDirection::Absolute => "ABSOLUTE ",
            FetchDirection::Relative => "RELATIVE ",
        });
        if s.how_many == FETCH_ALL {
            self.push("ALL");
        } else {
            self.push(&s.how_many.to_string());
        }
        self.named(" FROM ", Some(&s.portalname));
    }

    pub(super) fn lock(&mut self, s: &LockStmt) {
        self.push("LOCK TABLE ");
        self.relations(&s.relations);
        self.push(match s.mode {
            LockMode::AccessShare => " IN ACCESS SHARE MODE",
            LockMode::RowShare => " IN ROW SHARE MODE",
            LockMode::RowExclusive => " IN ROW EXCLUSIVE MODE",
            LockMode::ShareUpdateExclusive => " IN SHARE UPDATE EXCLUSIVE MODE",
            LockMode::Share => " IN SHARE MODE",
            LockMode::ShareRowExclusive => " IN SHARE ROW EXCLUSIVE MODE",
            LockMode::Exclusive => " IN EXCLUSIVE MODE",
            LockMode::AccessExclusive => " IN ACCESS EXCLUSIVE MODE",
        });
        self.when(s.nowait, " NOWAIT");
    }

    pub(super) fn discard(&mut self, s: DiscardStmt) {
        self.push(match s.target {
            DiscardTarget::All => "DISCARD ALL",
            DiscardTarget::Plans => "DISCARD PLANS",
            DiscardTarget::Sequences => "DISCARD SEQUENCES",
            DiscardTarget::Temp => "DISCARD TEMP",
        });
    }

    pub(super) fn notify(&mut self, s: &NotifyStmt) {
        self.named("NOTIFY ", Some(&s.conditionname));
        if let Some(payload) = &s.payload {
            self.push(", ");
            self.literal(payload);
        }
    }

    pub(super) fn set_constraints(&mut self, s: &ConstraintsSetStmt) {
        self.push("SET CONSTRAINTS ");
        self.relations(&s.constraints);
        self.when(s.constraints.is_empty(), "ALL");
        self.push(if s.deferred { " DEFERRED" } else { " IMMEDIATE" });
    }

    pub(super) fn do_block(&mut self, s: &DoStmt) {
        self.push("DO");
        for o in &s.args {
            self.push(if o.defname == "language" { " LANGUAGE" } else { "" });
            self.opt_def_arg(" ", o.arg.as_ref());
        }
    }
}
