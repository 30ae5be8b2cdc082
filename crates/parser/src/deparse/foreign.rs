//! Extensions, foreign data, publications, subscriptions.

use super::Deparser;
use crate::ast::*;

impl Deparser {
    pub(super) fn create_extension(&mut self, s: &CreateExtensionStmt) {
        self.push("CREATE EXTENSION ");
        self.if_not_exists(s.if_not_exists);
        self.ident(&s.extname);
        for o in &s.options {
            match o.defname.as_str() {
                "schema" => {
                    self.push(" SCHEMA ");
                    self.def_ident(o.arg.as_ref());
                }
                "new_version" => self.opt_def_arg(" VERSION ", o.arg.as_ref()),
                _ => self.push(" CASCADE"),
            }
        }
    }

    pub(super) fn alter_extension(&mut self, s: &AlterExtensionStmt) {
        self.named("ALTER EXTENSION ", Some(&s.extname));
        self.push(" UPDATE");
        for o in &s.options {
            self.opt_def_arg(" TO ", o.arg.as_ref());
        }
    }

    pub(super) fn extension_contents(&mut self, s: &AlterExtensionContentsStmt) {
        self.named("ALTER EXTENSION ", Some(&s.extname));
        self.push(if s.action > 0 { " ADD " } else { " DROP " });
        self.kind(s.objtype);
        self.object(s.objtype, &s.object);
    }

    /// HANDLER, VALIDATOR and their negations.
    fn wrapper_functions(&mut self, options: &[DefElem]) {
        for o in options {
            self.push(if o.arg.is_none() { " NO " } else { " " });
            self.push(&o.defname.to_ascii_uppercase());
            self.when(o.arg.is_some(), " ");
            self.def_names(o.arg.as_ref());
        }
    }

    pub(super) fn foreign_data_wrapper(
        &mut self,
        words: &str,
        name: &String,
        functions: &[DefElem],
        options: &[DefElem],
    ) {
        self.named(words, Some(name));
        self.wrapper_functions(functions);
        self.generic_options(options);
    }

    pub(super) fn create_server(&mut self, s: &CreateForeignServerStmt) {
        self.push("CREATE SERVER ");
        self.if_not_exists(s.if_not_exists);
        self.ident(&s.servername);
        for (word, value) in [(" TYPE ", &s.servertype), (" VERSION ", &s.version)] {
            if let Some(value) = value {
                self.push(word);
                self.literal(value);
            }
        }
        self.named(" FOREIGN DATA WRAPPER ", Some(&s.fdwname));
        self.generic_options(&s.options);
    }

    pub(super) fn alter_server(&mut self, s: &AlterForeignServerStmt) {
        self.named("ALTER SERVER ", Some(&s.servername));
        if s.has_version {
            self.push(" VERSION ");
            self.literal_or_null(s.version.as_ref());
        }
        self.generic_options(&s.options);
    }

    /// From FOR on.
    pub(super) fn user_mapping(&mut self, user: &RoleSpec, server: &String, options: &[DefElem]) {
        self.push("FOR ");
        self.role(user);
        self.named(" SERVER ", Some(server));
        self.generic_options(options);
    }

    pub(super) fn import_foreign_schema(&mut self, s: &ImportForeignSchemaStmt) {
        self.named("IMPORT FOREIGN SCHEMA ", Some(&s.remote_schema));
        self.push(match s.list_type {
            ImportForeignSchemaType::All => "",
            ImportForeignSchemaType::LimitTo => " LIMIT TO (",
            ImportForeignSchemaType::Except => " EXCEPT (",
        });
        self.relations(&s.table_list);
        self.when(s.list_type != ImportForeignSchemaType::All, ")");
        self.named(" FROM SERVER ", Some(&s.server_name));
        self.named(" INTO ", Some(&s.local_schema));
        self.generic_options(&s.options);
    }

    fn publication_object(&mut self, o: &PublicationObject) {
        match o {
            PublicationObject::Table { relation, columns, where_clause } => {
                self.push("TABLE ");
                self.relation_name(relation);
                self.opt_columns(columns);
                if let Some(e) = where_clause {
                    self.push(" WHERE ");
                    self.in_parens(Some(e));
                }
            }
            PublicationObject::TablesInSchema(name) => self.named("TABLES IN SCHEMA ", Some(name)),
            PublicationObject::TablesInCurrentSchema => self.push("TABLES IN SCHEMA CURRENT_SCHEMA"),
        }
    }

    pub(super) fn create_publication(&mut self, s: &CreatePublicationStmt) {
        self.named("CREATE PUBLICATION ", Some(&s.pubname));
        self.when(s.for_all_tables, " FOR ALL TABLES");
        self.when(!s.pubobjects.is_empty(), " FOR ");
        self.list(&s.pubobjects, Self::publication_object);
        self.with_definition(" WITH ", &s.options);
    }

    pub(super) fn alter_publication(&mut self, s: &AlterPublicationStmt) {
        self.named("ALTER PUBLICATION ", Some(&s.pubname));
        self.push(match s.action {
            DefElemAction::Add => " ADD ",
            DefElemAction::Drop => " DROP ",
            _ => " SET ",
        });
        self.list(&s.pubobjects, Self::publication_object);
        self.with_definition("", &s.options);
    }

    pub(super) fn create_subscription(&mut self, s: &CreateSubscriptionStmt) {
        self.named("CREATE SUBSCRIPTION ", Some(&s.subname));
        self.push(" CONNECTION ");
        self.literal(&s.conninfo);
        self.push(" PUBLICATION ");
        self.idents(&s.publication);
        self.with_definition(" WITH ", &s.options);
    }

    pub(super) fn alter_subscription(&mut self, s: &AlterSubscriptionStmt) {
        use AlterSubscriptionType as Kind;
        self.named("ALTER SUBSCRIPTION ", Some(&s.subname));
        self.push(match s.kind {
            Kind::Options => " SET ",
            Kind::Skip => " SKIP ",
            Kind::Connection => " CONNECTION ",
            Kind::SetPublication => " SET PUBLICATION ",
            Kind::AddPublication => " ADD PUBLICATION ",
            Kind::DropPublication => " DROP PUBLICATION ",
            Kind::Refresh => " REFRESH PUBLICATION",
            Kind::Enabled => {
                let on = matches!(s.options.first(), Some(o) if o.arg == Some(DefArg::Boolean(true)));
                return self.push(if on { " ENABLE" } else { " DISABLE" });
            }
        });
        if let Some(conninfo) = &s.conninfo {
            self.literal(conninfo);
        }
        self.idents(&s.publication);
        match s.kind {
            Kind::Options | Kind::Skip => self.definition(&s.options),
            _ => self.with_definition(" WITH ", &s.options),
        }
    }

    pub(super) fn drop_subscription(&mut self, s: &DropSubscriptionStmt) {
        self.push("DROP SUBSCRIPTION ");
        self.if_exists(s.missing_ok);
        self.ident(&s.subname);
        self.behavior(s.behavior);
    }
}
