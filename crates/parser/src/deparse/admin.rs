//! Databases, tablespaces, roles, privileges, schemas, policies.

use super::Deparser;
use super::object::kind_words;
use crate::ast::*;

impl Deparser {
    /// Options of CREATE and ALTER DATABASE; none of the names stays a keyword in quotes.
    pub(super) fn database_options(&mut self, options: &[DefElem]) {
        for o in options {
            self.push(" ");
            self.quoted(&o.defname);
            self.push(" = ");
            match &o.arg {
                Some(arg) => self.def_arg(arg),
                None => self.push("DEFAULT"),
            }
        }
    }

    pub(super) fn drop_database(&mut self, s: &DropdbStmt) {
        self.push("DROP DATABASE ");
        self.if_exists(s.missing_ok);
        self.ident(&s.dbname);
        if !s.options.is_empty() {
            self.push(" (");
            self.list(&s.options, |d, _| d.push("FORCE"));
            self.push(")");
        }
    }

    pub(super) fn create_tablespace(&mut self, s: &CreateTableSpaceStmt) {
        self.named("CREATE TABLESPACE ", Some(&s.tablespacename));
        if let Some(owner) = &s.owner {
            self.push(" OWNER ");
            self.role(owner);
        }
        self.push(" LOCATION ");
        self.literal(&s.location);
        self.with_definition(" WITH ", &s.options);
    }

    pub(super) fn alter_tablespace(&mut self, s: &AlterTableSpaceOptionsStmt) {
        self.named("ALTER TABLESPACE ", Some(&s.tablespacename));
        self.push(if s.is_reset { " RESET " } else { " SET " });
        self.definition(&s.options);
    }

    pub(super) fn create_role(&mut self, s: &CreateRoleStmt) {
        self.push(match s.stmt_type {
            RoleStmtType::Role => "CREATE ROLE ",
            RoleStmtType::User => "CREATE USER ",
            RoleStmtType::Group => "CREATE GROUP ",
        });
        self.ident(&s.role);
        s.options.iter().for_each(|o| self.role_option(o));
    }

    pub(super) fn alter_role(&mut self, s: &AlterRoleStmt) {
        if s.action < 0 {
            self.push("ALTER GROUP ");
            self.role(&s.role);
            self.push(" DROP");
        } else {
            self.push("ALTER ROLE ");
            self.role(&s.role);
        }
        s.options.iter().for_each(|o| self.role_option(o));
    }

    fn role_option(&mut self, o: &DefElem) {
        let arg = o.arg.as_ref();
        self.push(" ");
        match (o.defname.as_str(), arg) {
            ("password", None) => self.push("PASSWORD NULL"),
            ("rolemembers", _) => self.opt_def_arg("USER ", arg),
            ("adminmembers", _) => self.opt_def_arg("ADMIN ", arg),
            ("addroleto", _) => self.opt_def_arg("IN ROLE ", arg),
            ("connectionlimit", _) => self.opt_def_arg("CONNECTION LIMIT ", arg),
            ("validUntil", _) => self.opt_def_arg("VALID UNTIL ", arg),
            (name, Some(DefArg::Boolean(yes))) => {
                self.when(!yes, "NO");
                self.push(match name {
                    "canlogin" => "LOGIN",
                    "isreplication" => "REPLICATION",
                    name => return self.push(&name.to_ascii_uppercase()),
                });
            }
            (name, _) => {
                self.push(&name.to_ascii_uppercase());
                self.opt_def_arg(" ", arg);
            }
        }
    }

    pub(super) fn alter_role_set(&mut self, s: &AlterRoleSetStmt) {
        self.push("ALTER ROLE ");
        match &s.role {
            Some(role) => self.role(role),
            None => self.push("ALL"),
        }
        self.named(" IN DATABASE ", s.database.as_ref());
        self.push(" ");
        self.variable_set(&s.setstmt);
    }

    fn privileges(&mut self, list: &[AccessPriv]) {
        if list.is_empty() {
            return self.push("ALL");
        }
        self.list(list, |d, p| {
            match p.priv_name.as_deref() {
                None => d.push("ALL"),
                Some(word @ ("select" | "references" | "create" | "alter system")) => {
                    d.push(&word.to_ascii_uppercase());
                }
                Some(name) => d.ident(name),
            }
            d.opt_columns(&p.cols);
        });
    }

    fn granted_by(&mut self, grantor: Option<&RoleSpec>) {
        if let Some(role) = grantor {
            self.push(" GRANTED BY ");
            self.role(role);
        }
    }

    pub(super) fn grant_role(&mut self, s: &GrantRoleStmt) {
        self.push(if s.is_grant { "GRANT " } else { "REVOKE " });
        self.when(!s.is_grant && s.admin_opt, "ADMIN OPTION FOR ");
        self.privileges(&s.granted_roles);
        self.push(if s.is_grant { " TO " } else { " FROM " });
        self.roles(&s.grantee_roles);
        self.when(s.is_grant && s.admin_opt, " WITH ADMIN OPTION");
        self.granted_by(s.grantor.as_ref());
        self.behavior(s.behavior);
    }

    pub(super) fn grant(&mut self, s: &GrantStmt) {
        self.push(if s.is_grant { "GRANT " } else { "REVOKE " });
        self.when(!s.is_grant && s.grant_option, "GRANT OPTION FOR ");
        self.privileges(&s.privileges);
        self.push(" ON ");
        self.grant_target(s);
        self.push(if s.is_grant { " TO " } else { " FROM " });
        self.roles(&s.grantees);
        self.when(s.is_grant && s.grant_option, " WITH GRANT OPTION");
        self.granted_by(s.grantor.as_ref());
        self.behavior(s.behavior);
    }

    fn grant_target(&mut self, s: &GrantStmt) {
        let words = match s.objtype {
            ObjectType::ForeignServer => "FOREIGN SERVER",
            kind => kind_words(kind),
        };
        match s.targtype {
            GrantTargetType::Defaults => return self.push(&format!("{words}S")),
            GrantTargetType::AllInSchema => self.push(&format!("ALL {words}S IN SCHEMA ")),
            GrantTargetType::Object => self.push(&format!("{words} ")),
        }
        match &s.objects {
            GrantObjects::Relations(list) => self.relations(list),
            GrantObjects::Functions(list) => self.list(list, Self::function_with_args),
            GrantObjects::Names(list) => self.list(list, |d, n| d.names(n)),
            GrantObjects::Simple(list) if s.objtype == ObjectType::LargeObject => {
                self.list(list, |d, oid| d.push(oid));
            }
            GrantObjects::Simple(list) => self.idents(list),
            GrantObjects::None => {}
        }
    }

    pub(super) fn default_privileges(&mut self, s: &AlterDefaultPrivilegesStmt) {
        self.push("ALTER DEFAULT PRIVILEGES ");
        for o in &s.options {
            match &o.arg {
                Some(DefArg::Roles(roles)) => {
                    self.push("FOR ROLE ");
                    self.roles(roles);
                }
                Some(DefArg::List(names)) => {
                    self.push("IN SCHEMA ");
                    self.list(names, |d, n| d.def_ident(Some(n)));
                }
                _ => {}
            }
            self.push(" ");
        }
        self.grant(&s.action);
    }

    pub(super) fn create_schema(&mut self, s: &CreateSchemaStmt) {
        self.push("CREATE SCHEMA");
        self.when(s.if_not_exists, " IF NOT EXISTS");
        self.named(" ", s.schemaname.as_ref());
        if let Some(role) = &s.authrole {
            self.push(" AUTHORIZATION ");
            self.role(role);
        }
        for element in &s.schema_elts {
            self.push(" ");
            self.statement(element);
        }
    }

    pub(super) fn create_policy(&mut self, s: &CreatePolicyStmt) {
        self.named("CREATE POLICY ", Some(&s.policy_name));
        self.push(" ON ");
        self.relation_name(&s.table);
        self.push(if s.permissive { " AS PERMISSIVE FOR " } else { " AS RESTRICTIVE FOR " });
        self.push(&s.cmd_name.to_ascii_uppercase());
        self.policy_rest(&s.roles, s.qual.as_ref(), s.with_check.as_ref());
    }

    pub(super) fn alter_policy(&mut self, s: &AlterPolicyStmt) {
        self.named("ALTER POLICY ", Some(&s.policy_name));
        self.push(" ON ");
        self.relation_name(&s.table);
        self.policy_rest(&s.roles, s.qual.as_ref(), s.with_check.as_ref());
    }

    fn policy_rest(&mut self, roles: &[RoleSpec], qual: Option<&Expr>, check: Option<&Expr>) {
        if !roles.is_empty() {
            self.push(" TO ");
            self.roles(roles);
        }
        for (word, e) in [(" USING ", qual), (" WITH CHECK ", check)] {
            if e.is_some() {
                self.push(word);
                self.in_parens(e);
            }
        }
    }

    pub(super) fn drop_owned(&mut self, s: &DropOwnedStmt) {
        self.push("DROP OWNED BY ");
        self.roles(&s.roles);
        self.behavior(s.behavior);
    }

    pub(super) fn reassign_owned(&mut self, s: &ReassignOwnedStmt) {
        self.push("REASSIGN OWNED BY ");
        self.roles(&s.roles);
        self.push(" TO ");
        self.role(&s.newrole);
    }

    pub(super) fn drop_role(&mut self, s: &DropRoleStmt) {
        self.push("DROP ROLE ");
        self.if_exists(s.missing_ok);
        self.roles(&s.roles);
    }
}
