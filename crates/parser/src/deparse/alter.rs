//! ALTER TABLE and its siblings.

use super::Deparser;
use crate::ast::*;

impl Deparser {
    pub(super) fn alter_table(&mut self, s: &AlterTableStmt) {
        self.push("ALTER ");
        self.kind(s.objtype);
        self.if_exists(s.missing_ok);
        self.relation_name(&s.relation);
        self.push(" ");
        if s.objtype == ObjectType::Type {
            self.list(&s.cmds, Self::attribute_command);
        } else {
            self.list(&s.cmds, Self::alter_command);
        }
    }

    pub(super) fn move_all(&mut self, s: &AlterTableMoveAllStmt) {
        self.push("ALTER ");
        self.kind(s.objtype);
        self.push("ALL IN TABLESPACE ");
        self.ident(&s.orig_tablespacename);
        if !s.roles.is_empty() {
            self.push(" OWNED BY ");
            self.roles(&s.roles);
        }
        self.push(" SET TABLESPACE ");
        self.ident(&s.new_tablespacename);
        self.when(s.nowait, " NOWAIT");
    }

    /// A command on a composite type.
    fn attribute_command(&mut self, c: &AlterTableCmd) {
        match c {
            AlterTableCmd::AddColumn { def, behavior, .. } => {
                self.push("ADD ATTRIBUTE ");
                self.column(def);
                self.behavior(*behavior);
            }
            AlterTableCmd::DropColumn { name, behavior, missing_ok } => {
                self.push("DROP ATTRIBUTE ");
                self.if_exists(*missing_ok);
                self.ident(name);
                self.behavior(*behavior);
            }
            AlterTableCmd::AlterColumnType { name, type_name, coll_clause, behavior, .. } => {
                self.column_word("ALTER ATTRIBUTE ", name, " TYPE ");
                self.type_name(type_name);
                self.collation(coll_clause.as_ref());
                self.behavior(*behavior);
            }
            other => self.alter_command(other),
        }
    }

    /// A word, a name, and what follows it.
    fn column_word(&mut self, before: &str, name: &str, after: &str) {
        self.push(before);
        self.ident(name);
        self.push(after);
    }

    fn alter_command(&mut self, c: &AlterTableCmd) {
        use AlterTableCmd as C;
        match c {
            C::AddColumn { def, missing_ok, .. } => {
                self.push("ADD COLUMN ");
                self.if_not_exists(*missing_ok);
                self.column(def);
            }
            C::DropColumn { name, behavior, missing_ok } => {
                self.push("DROP COLUMN ");
                self.if_exists(*missing_ok);
                self.ident(name);
                self.behavior(*behavior);
            }
            C::AddConstraint(c) => {
                self.push("ADD ");
                self.table_constraint(c);
            }
            C::AlterConstraint(c) => {
                self.column_word("ALTER CONSTRAINT ", c.conname.as_deref().unwrap_or(""), "");
                self.constraint_attributes(c);
            }
            C::ValidateConstraint { name } => self.column_word("VALIDATE CONSTRAINT ", name, ""),
            C::DropConstraint { name, behavior, missing_ok } => {
                self.push("DROP CONSTRAINT ");
                self.if_exists(*missing_ok);
                self.ident(name);
                self.behavior(*behavior);
            }
            C::GenericOptions(options) => self.generic_options(options),
            C::AttachPartition { name, bound } => {
                self.push("ATTACH PARTITION ");
                self.relation_name(name);
                if let Some(bound) = bound {
                    self.push(" ");
                    self.partition_bound(bound);
                }
            }
            C::DetachPartition { name, concurrent } => {
                self.push("DETACH PARTITION ");
                self.relation_name(name);
                self.when(*concurrent, " CONCURRENTLY");
            }
            C::DetachPartitionFinalize { name } => {
                self.push("DETACH PARTITION ");
                self.relation_name(name);
                self.push(" FINALIZE");
            }
            C::EnableTrig { .. }
            | C::EnableTrigAll
            | C::EnableTrigUser
            | C::DisableTrig { .. }
            | C::DisableTrigAll
            | C::DisableTrigUser
            | C::EnableRule { .. }
            | C::DisableRule { .. } => self.triggers_and_rules(c),
            C::ColumnDefault { .. }
            | C::DropNotNull { .. }
            | C::SetNotNull { .. }
            | C::DropExpression { .. }
            | C::SetStatistics { .. }
            | C::SetOptions { .. }
            | C::ResetOptions { .. }
            | C::SetStorage { .. }
            | C::SetCompression { .. }
            | C::AlterColumnType { .. }
            | C::AlterColumnGenericOptions { .. }
            | C::AddIdentity { .. }
            | C::SetIdentity { .. }
            | C::DropIdentity { .. } => self.column_command(c),
            other => self.table_command(other),
        }
    }

    /// `ALTER COLUMN name …`
    fn column_command(&mut self, c: &AlterTableCmd) {
        use AlterTableCmd as C;
        let alter = "ALTER COLUMN ";
        match c {
            C::ColumnDefault { name, default: Some(e) } => {
                self.column_word(alter, name, " SET DEFAULT ");
                self.expr(e);
            }
            C::ColumnDefault { name, default: None } => self.column_word(alter, name, " DROP DEFAULT"),
            C::DropNotNull { name } => self.column_word(alter, name, " DROP NOT NULL"),
            C::SetNotNull { name } => self.column_word(alter, name, " SET NOT NULL"),
            C::DropExpression { name, missing_ok } => {
                self.column_word(alter, name, " DROP EXPRESSION");
                self.when(*missing_ok, " IF EXISTS");
            }
            C::SetStatistics { name, num, value } => {
                match name {
                    Some(name) => self.column_word(alter, name, ""),
                    None => self.push(&format!("{alter}{num}")),
                }
                self.push(&format!(" SET STATISTICS {value}"));
            }
            C::SetOptions { name, options } => {
                self.column_word(alter, name, " SET ");
                self.definition(options);
            }
            C::ResetOptions { name, options } => {
                self.column_word(alter, name, " RESET ");
                self.definition(options);
            }
            C::SetStorage { name, storage } => {
                self.column_word(alter, name, " SET STORAGE ");
                self.ident(storage);
            }
            C::SetCompression { name, method } => {
                self.column_word(alter, name, " SET COMPRESSION ");
                self.compression(method);
            }
            C::AlterColumnType { name, type_name, coll_clause, using, .. } => {
                self.column_word(alter, name, " TYPE ");
                self.type_name(type_name);
                self.collation(coll_clause.as_ref());
                self.condition(" USING ", using.as_ref());
            }
            C::AlterColumnGenericOptions { name, options } => {
                self.column_word(alter, name, "");
                self.generic_options(options);
            }
            C::AddIdentity { name, def } => {
                self.column_word(alter, name, " ADD ");
                self.identity(def);
            }
            C::SetIdentity { name, options } => {
                self.column_word(alter, name, "");
                options.iter().for_each(|o| self.identity_option(o));
            }
            C::DropIdentity { name, missing_ok } => {
                self.column_word(alter, name, " DROP IDENTITY");
                self.when(*missing_ok, " IF EXISTS");
            }
            _ => {}
        }
    }

    fn identity_option(&mut self, o: &DefElem) {
        match (o.defname.as_str(), &o.arg) {
            ("generated", Some(DefArg::String(letter))) => {
                self.push(" SET GENERATED ");
                self.generated_when(match letter.as_str() {
                    "a" => GeneratedWhen::Always,
                    _ => GeneratedWhen::ByDefault,
                });
            }
            (name, _) => {
                self.push(if name == "restart" { " " } else { " SET " });
                self.sequence_option(o);
            }
        }
    }

    fn triggers_and_rules(&mut self, c: &AlterTableCmd) {
        use AlterTableCmd as C;
        let fires = |fires: &TriggerFires| match fires {
            TriggerFires::Always => "ENABLE ALWAYS ",
            TriggerFires::Replica => "ENABLE REPLICA ",
            _ => "ENABLE ",
        };
        let (words, name) = match c {
            C::EnableTrig { name, fires: f } => (format!("{}TRIGGER ", fires(f)), name),
            C::EnableRule { name, fires: f } => (format!("{}RULE ", fires(f)), name),
            C::DisableTrig { name } => ("DISABLE TRIGGER ".to_string(), name),
            C::DisableRule { name } => ("DISABLE RULE ".to_string(), name),
            C::EnableTrigAll => return self.push("ENABLE TRIGGER ALL"),
            C::EnableTrigUser => return self.push("ENABLE TRIGGER USER"),
            C::DisableTrigAll => return self.push("DISABLE TRIGGER ALL"),
            _ => return self.push("DISABLE TRIGGER USER"),
        };
        self.column_word(&words, name, "");
    }

    /// What concerns the table as a whole.
    fn table_command(&mut self, c: &AlterTableCmd) {
        use AlterTableCmd as C;
        match c {
            C::ChangeOwner(role) => {
                self.push("OWNER TO ");
                self.role(role);
            }
            C::ClusterOn { name } => self.column_word("CLUSTER ON ", name, ""),
            C::DropCluster => self.push("SET WITHOUT CLUSTER"),
            C::SetLogged => self.push("SET LOGGED"),
            C::SetUnLogged => self.push("SET UNLOGGED"),
            C::DropOids => self.push("SET WITHOUT OIDS"),
            C::SetAccessMethod { name } => self.column_word("SET ACCESS METHOD ", name, ""),
            C::SetTableSpace { name } => self.column_word("SET TABLESPACE ", name, ""),
            C::SetRelOptions(options) => {
                self.push("SET ");
                self.definition(options);
            }
            C::ResetRelOptions(options) => {
                self.push("RESET ");
                self.definition(options);
            }
            C::AddInherit(parent) => {
                self.push("INHERIT ");
                self.relation_name(parent);
            }
            C::DropInherit(parent) => {
                self.push("NO INHERIT ");
                self.relation_name(parent);
            }
            C::AddOf(t) => {
                self.push("OF ");
                self.names(&t.names);
            }
            C::DropOf => self.push("NOT OF"),
            C::ReplicaIdentity(identity) => match identity {
                ReplicaIdentity::Nothing => self.push("REPLICA IDENTITY NOTHING"),
                ReplicaIdentity::Full => self.push("REPLICA IDENTITY FULL"),
                ReplicaIdentity::Default => self.push("REPLICA IDENTITY DEFAULT"),
                ReplicaIdentity::Index(name) => self.column_word("REPLICA IDENTITY USING INDEX ", name, ""),
            },
            C::EnableRowSecurity => self.push("ENABLE ROW LEVEL SECURITY"),
            C::DisableRowSecurity => self.push("DISABLE ROW LEVEL SECURITY"),
            C::ForceRowSecurity => self.push("FORCE ROW LEVEL SECURITY"),
            C::NoForceRowSecurity => self.push("NO FORCE ROW LEVEL SECURITY"),
            _ => {}
        }
    }
}
