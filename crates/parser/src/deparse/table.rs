//! Tables and what is defined with them: columns, constraints, partitions; indexes, statistics, views, sequences.

use super::Deparser;
use crate::ast::*;

impl Deparser {
    fn persistence(&mut self, r: &RangeVar) {
        self.push(match r.relpersistence {
            RelPersistence::Permanent => "",
            RelPersistence::Temp => "TEMPORARY ",
            RelPersistence::Unlogged => "UNLOGGED ",
        });
    }

    pub(super) fn create_table(&mut self, s: &CreateStmt) {
        self.push("CREATE ");
        self.persistence(&s.relation);
        self.push("TABLE ");
        self.table_body(s);
    }

    pub(super) fn create_foreign_table(&mut self, s: &CreateForeignTableStmt) {
        self.push("CREATE FOREIGN TABLE ");
        self.table_body(&s.base);
        self.push(" SERVER ");
        self.ident(&s.servername);
        self.generic_options(&s.options);
    }

    /// From the name on.
    fn table_body(&mut self, s: &CreateStmt) {
        self.if_not_exists(s.if_not_exists);
        self.relation_name(&s.relation);
        if let Some(of) = &s.of_typename {
            self.push(" OF ");
            self.names(&of.names);
            self.typed_elements(&s.table_elts);
        } else if let (Some(bound), [parent]) = (&s.partbound, s.inh_relations.as_slice()) {
            self.push(" PARTITION OF ");
            self.relation_name(parent);
            self.typed_elements(&s.table_elts);
            self.push(" ");
            self.partition_bound(bound);
        } else {
            self.push(" (");
            self.list(&s.table_elts, Self::table_element);
            self.push(")");
            if !s.inh_relations.is_empty() {
                self.push(" INHERITS (");
                self.relations(&s.inh_relations);
                self.push(")");
            }
        }
        if let Some(spec) = &s.partspec {
            self.partition_spec(spec);
        }
        self.storage(s.access_method.as_ref(), &s.options, s.oncommit, s.tablespacename.as_ref());
    }

    fn storage(
        &mut self,
        method: Option<&String>,
        options: &[DefElem],
        on_commit: OnCommitAction,
        tablespace: Option<&String>,
    ) {
        self.named(" USING ", method);
        self.with_definition(" WITH ", options);
        self.push(match on_commit {
            OnCommitAction::Noop => "",
            OnCommitAction::PreserveRows => " ON COMMIT PRESERVE ROWS",
            OnCommitAction::DeleteRows => " ON COMMIT DELETE ROWS",
            OnCommitAction::Drop => " ON COMMIT DROP",
        });
        self.named(" TABLESPACE ", tablespace);
    }

    fn typed_elements(&mut self, elements: &[TableElt]) {
        if !elements.is_empty() {
            self.push(" (");
            self.list(elements, Self::table_element);
            self.push(")");
        }
    }

    fn table_element(&mut self, e: &TableElt) {
        match e {
            TableElt::Column(c) => self.column(c),
            TableElt::Constraint(c) => self.table_constraint(c),
            TableElt::Like(l) => {
                self.push("LIKE ");
                self.relation_name(&l.relation);
                self.like_options(l.options);
            }
        }
    }

    fn like_options(&mut self, options: u32) {
        let all = options & !(like_option::STORAGE * 2 - 1) != 0;
        self.when(all, " INCLUDING ALL");
        let names = [
            (like_option::COMMENTS, "COMMENTS"),
            (like_option::COMPRESSION, "COMPRESSION"),
            (like_option::CONSTRAINTS, "CONSTRAINTS"),
            (like_option::DEFAULTS, "DEFAULTS"),
            (like_option::GENERATED, "GENERATED"),
            (like_option::IDENTITY, "IDENTITY"),
            (like_option::INDEXES, "INDEXES"),
            (like_option::STATISTICS, "STATISTICS"),
            (like_option::STORAGE, "STORAGE"),
        ];
        for (bit, name) in names {
            let set = options & bit != 0;
            if set != all {
                self.push(if set { " INCLUDING " } else { " EXCLUDING " });
                self.push(name);
            }
        }
    }

    pub(super) fn column(&mut self, c: &ColumnDef) {
        self.ident(&c.colname);
        match &c.type_name {
            Some(t) => {
                self.push(" ");
                self.type_name(t);
            }
            None => self.push(" WITH OPTIONS"),
        }
        if let Some(method) = &c.compression {
            self.push(" COMPRESSION ");
            self.compression(method);
        }
        self.generic_options(&c.fdwoptions);
        self.collation(c.coll_clause.as_ref());
        for constraint in &c.constraints {
            self.push(" ");
            self.column_constraint(constraint);
        }
    }

    pub(super) fn compression(&mut self, method: &str) {
        if method == "default" {
            self.push("DEFAULT");
        } else {
            self.ident(method);
        }
    }

    pub(super) fn collation(&mut self, c: Option<&CollateClause>) {
        if let Some(c) = c {
            self.push(" COLLATE ");
            self.names(&c.collname);
        }
    }

    pub(super) fn column_constraint(&mut self, c: &Constraint) {
        use ConstrType as K;
        self.constraint_name(c);
        match c.contype {
            K::Null => self.push("NULL"),
            K::NotNull => self.push("NOT NULL"),
            K::Default => self.condition("DEFAULT ", c.raw_expr.as_ref()),
            K::Identity => self.identity(c),
            K::Generated => {
                self.push("GENERATED ALWAYS AS ");
                self.in_parens(c.raw_expr.as_ref());
                self.push(" STORED");
            }
            K::Check => {
                self.push("CHECK ");
                self.in_parens(c.raw_expr.as_ref());
                self.when(c.is_no_inherit, " NO INHERIT");
            }
            K::Primary | K::Unique => {
                self.push(if c.contype == K::Primary { "PRIMARY KEY" } else { "UNIQUE" });
                self.when(c.nulls_not_distinct, " NULLS NOT DISTINCT");
                self.index_parameters(c);
            }
            K::Foreign => self.references(c),
            K::AttrDeferrable => self.push("DEFERRABLE"),
            K::AttrNotDeferrable => self.push("NOT DEFERRABLE"),
            K::AttrDeferred => self.push("INITIALLY DEFERRED"),
            K::AttrImmediate => self.push("INITIALLY IMMEDIATE"),
            K::Exclusion => {}
        }
    }

    fn constraint_name(&mut self, c: &Constraint) {
        if let Some(name) = &c.conname {
            self.push("CONSTRAINT ");
            self.ident(name);
            self.push(" ");
        }
    }

    pub(super) fn in_parens(&mut self, e: Option<&Expr>) {
        self.push("(");
        self.opt_expr(e);
        self.push(")");
    }

    /// `GENERATED … AS IDENTITY [(options)]`
    pub(super) fn identity(&mut self, c: &Constraint) {
        self.push("GENERATED ");
        self.generated_when(c.generated_when);
        self.push(" AS IDENTITY");
        if !c.options.is_empty() {
            self.push(" (");
            self.sequence_options(&c.options);
            self.push(")");
        }
    }

    pub(super) fn generated_when(&mut self, when: GeneratedWhen) {
        self.push(match when {
            GeneratedWhen::Always => "ALWAYS",
            GeneratedWhen::ByDefault => "BY DEFAULT",
        });
    }

    pub(super) fn table_constraint(&mut self, c: &Constraint) {
        use ConstrType as K;
        self.constraint_name(c);
        match c.contype {
            K::Check => {
                self.push("CHECK ");
                self.in_parens(c.raw_expr.as_ref());
            }
            K::Primary | K::Unique => {
                self.push(if c.contype == K::Primary { "PRIMARY KEY" } else { "UNIQUE" });
                self.named(" USING INDEX ", c.indexname.as_ref());
                self.when(c.nulls_not_distinct, " NULLS NOT DISTINCT");
                self.opt_columns(&c.keys);
                self.include(&c.including);
                self.index_parameters(c);
            }
            K::Exclusion => {
                self.push("EXCLUDE");
                self.named(" USING ", c.access_method.as_ref());
                self.push(" (");
                self.list(&c.exclusions, |d, (element, operator)| {
                    d.index_elem(element);
                    d.push(" WITH ");
                    d.operator_plain(operator);
                });
                self.push(")");
                self.include(&c.including);
                self.index_parameters(c);
                if let Some(e) = &c.where_clause {
                    self.push(" WHERE ");
                    self.in_parens(Some(e));
                }
            }
            _ => {
                self.push("FOREIGN KEY ");
                self.paren_names(&c.fk_attrs);
                self.push(" ");
                self.references(c);
            }
        }
        self.constraint_attributes(c);
    }

    pub(super) fn constraint_attributes(&mut self, c: &Constraint) {
        self.when(c.deferrable, " DEFERRABLE");
        self.when(c.initdeferred, " INITIALLY DEFERRED");
        self.when(c.skip_validation, " NOT VALID");
        self.when(c.is_no_inherit, " NO INHERIT");
    }

    fn include(&mut self, columns: &[String]) {
        if !columns.is_empty() {
            self.push(" INCLUDE ");
            self.paren_names(columns);
        }
    }

    fn index_parameters(&mut self, c: &Constraint) {
        self.with_definition(" WITH ", &c.options);
        self.named(" USING INDEX TABLESPACE ", c.indexspace.as_ref());
    }

    fn references(&mut self, c: &Constraint) {
        self.push("REFERENCES ");
        if let Some(table) = &c.pktable {
            self.relation_name(table);
        }
        self.opt_columns(&c.pk_attrs);
        self.push(match c.fk_matchtype {
            FkMatchType::Full => " MATCH FULL",
            FkMatchType::Partial => " MATCH PARTIAL",
            FkMatchType::Simple => "",
        });
        self.foreign_action(" ON DELETE ", c.fk_del_action);
        self.opt_columns(&c.fk_del_set_cols);
        self.foreign_action(" ON UPDATE ", c.fk_upd_action);
    }

    fn foreign_action(&mut self, word: &str, action: FkAction) {
        let text = match action {
            FkAction::NoAction => return,
            FkAction::Restrict => "RESTRICT",
            FkAction::Cascade => "CASCADE",
            FkAction::SetNull => "SET NULL",
            FkAction::SetDefault => "SET DEFAULT",
        };
        self.push(word);
        self.push(text);
    }

    fn partition_spec(&mut self, s: &PartitionSpec) {
        self.push(" PARTITION BY ");
        match &s.strategy {
            PartitionStrategy::List => self.push("LIST"),
            PartitionStrategy::Range => self.push("RANGE"),
            PartitionStrategy::Hash => self.push("HASH"),
            PartitionStrategy::Other(name) => self.ident(name),
        }
        self.push(" (");
        self.list(&s.part_params, |d, p| {
            d.name_or_expr(p.name.as_ref(), p.expr.as_ref());
            d.collation_and_opclass(&p.collation, &p.opclass);
        });
        self.push(")");
    }

    pub(super) fn partition_bound(&mut self, b: &PartitionBoundSpec) {
        match &b.bound {
            PartitionBound::Default => self.push("DEFAULT"),
            PartitionBound::Hash { modulus, remainder } => {
                let text = format!("FOR VALUES WITH (modulus {modulus}, remainder {remainder})");
                self.push(&text);
            }
            PartitionBound::List(values) => self.keyword_call("FOR VALUES IN ", values),
            PartitionBound::Range { lower, upper } => {
                self.keyword_call("FOR VALUES FROM ", lower);
                self.keyword_call(" TO ", upper);
            }
        }
    }

    pub(super) fn create_table_as(&mut self, s: &CreateTableAsStmt) {
        let into = &s.into;
        self.push("CREATE ");
        self.persistence(&into.rel);
        self.kind(s.objtype);
        self.if_not_exists(s.if_not_exists);
        self.relation_name(&into.rel);
        self.opt_columns(&into.col_names);
        self.storage(
            into.access_method.as_ref(),
            &into.options,
            into.on_commit,
            into.table_space_name.as_ref(),
        );
        self.push(" AS ");
        self.statement(&s.query);
        self.when(into.skip_data, " WITH NO DATA");
    }

    pub(super) fn refresh(&mut self, s: &RefreshMatViewStmt) {
        self.push("REFRESH MATERIALIZED VIEW ");
        self.when(s.concurrent, "CONCURRENTLY ");
        self.relation_name(&s.relation);
        self.when(s.skip_data, " WITH NO DATA");
    }

    pub(super) fn view(&mut self, s: &ViewStmt) {
        self.push(if s.replace { "CREATE OR REPLACE " } else { "CREATE " });
        self.persistence(&s.view);
        self.push("VIEW ");
        self.relation_name(&s.view);
        self.opt_columns(&s.aliases);
        self.with_definition(" WITH ", &s.options);
        self.push(" AS ");
        self.select(&s.query);
        self.push(match s.with_check_option {
            ViewCheckOption::NoCheck => "",
            ViewCheckOption::Local => " WITH LOCAL CHECK OPTION",
            ViewCheckOption::Cascaded => " WITH CASCADED CHECK OPTION",
        });
    }

    pub(super) fn create_index(&mut self, s: &IndexStmt) {
        self.push(if s.unique { "CREATE UNIQUE INDEX " } else { "CREATE INDEX " });
        self.when(s.concurrent, "CONCURRENTLY ");
        self.if_not_exists(s.if_not_exists);
        if let Some(name) = &s.idxname {
            self.ident(name);
            self.push(" ");
        }
        self.push("ON ");
        self.relation_name(&s.relation);
        self.push(" USING ");
        self.ident(&s.access_method);
        self.push(" (");
        self.list(&s.index_params, Self::index_elem);
        self.push(")");
        if !s.index_including_params.is_empty() {
            self.push(" INCLUDE (");
            self.list(&s.index_including_params, Self::index_elem);
            self.push(")");
        }
        self.when(s.nulls_not_distinct, " NULLS NOT DISTINCT");
        self.with_definition(" WITH ", &s.options);
        self.named(" TABLESPACE ", s.table_space.as_ref());
        self.condition(" WHERE ", s.where_clause.as_ref());
    }

    /// A column's name, or an expression in parentheses.
    fn name_or_expr(&mut self, name: Option<&String>, e: Option<&Expr>) {
        match (name, e) {
            (Some(name), _) => self.ident(name),
            (None, e) => self.in_parens(e),
        }
    }

    fn collation_and_opclass(&mut self, collation: &[String], opclass: &[String]) {
        if !collation.is_empty() {
            self.push(" COLLATE ");
            self.names(collation);
        }
        if !opclass.is_empty() {
            self.push(" ");
            self.names(opclass);
        }
    }

    pub(super) fn index_elem(&mut self, e: &IndexElem) {
        self.name_or_expr(e.name.as_ref(), e.expr.as_ref());
        self.collation_and_opclass(&e.collation, &e.opclass);
        self.with_definition(" ", &e.opclassopts);
        self.push(match e.ordering {
            SortByDir::Asc => " ASC",
            SortByDir::Desc => " DESC",
            _ => "",
        });
        self.nulls(e.nulls_ordering);
    }

    pub(super) fn create_statistics(&mut self, s: &CreateStatsStmt) {
        self.push("CREATE STATISTICS ");
        self.if_not_exists(s.if_not_exists);
        self.names(&s.defnames);
        self.opt_columns(&s.stat_types);
        self.push(" ON ");
        self.list(&s.exprs, |d, e| d.name_or_expr(e.name.as_ref(), e.expr.as_ref()));
        self.from(" FROM ", &s.relations);
    }

    pub(super) fn create_sequence(&mut self, s: &CreateSeqStmt) {
        self.push("CREATE ");
        self.persistence(&s.sequence);
        self.push("SEQUENCE ");
        self.if_not_exists(s.if_not_exists);
        self.relation_name(&s.sequence);
        self.sequence_options(&s.options);
    }

    pub(super) fn alter_sequence(&mut self, s: &AlterSeqStmt) {
        self.push("ALTER SEQUENCE ");
        self.if_exists(s.missing_ok);
        self.relation_name(&s.sequence);
        self.sequence_options(&s.options);
    }

    pub(super) fn truncate(&mut self, s: &TruncateStmt) {
        self.push("TRUNCATE TABLE ");
        self.relations(&s.relations);
        self.when(s.restart_seqs, " RESTART IDENTITY");
        self.behavior(s.behavior);
    }
}
