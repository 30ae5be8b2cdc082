//! Dispatch on the kind of statement.

use super::Deparser;
use crate::ast::Statement as S;

impl Deparser {
    pub(super) fn statement(&mut self, stmt: &S) {
        match stmt {
            S::Select(s) => self.select(s),
            S::Insert(s) => self.insert(s),
            S::Update(s) => self.update(s),
            S::Delete(s) => self.delete(s),
            S::Merge(s) => self.merge(s),
            S::CreateTable(s) => self.create_table(s),
            S::CreateForeignTable(s) => self.create_foreign_table(s),
            S::CreateTableAs(s) => self.create_table_as(s),
            S::AlterTable(s) => self.alter_table(s),
            S::AlterTableMoveAll(s) => self.move_all(s),
            S::Index(s) => self.create_index(s),
            S::Drop(s) => self.drop(s),
            S::Truncate(s) => self.truncate(s),
            S::View(s) => self.view(s),
            S::RefreshMatView(s) => self.refresh(s),
            S::CreateSequence(s) => self.create_sequence(s),
            S::AlterSequence(s) => self.alter_sequence(s),
            S::CreateStats(s) => self.create_statistics(s),
            S::AlterStats(s) => {
                self.push("ALTER STATISTICS ");
                self.if_exists(s.missing_ok);
                self.names(&s.defnames);
                self.push(&format!(" SET STATISTICS {}", s.stxstattarget));
            }
            S::Rename(s) => self.rename(s),
            S::AlterOwner(s) => self.alter_owner(s),
            S::AlterObjectSchema(s) => self.alter_object_schema(s),
            S::AlterObjectDepends(s) => self.alter_object_depends(s),
            S::Comment(s) => self.comment(s),
            S::SecLabel(s) => self.security_label(s),
            other => self.session_statement(other),
        }
    }

    fn session_statement(&mut self, stmt: &S) {
        match stmt {
            S::Transaction(s) => self.transaction(s),
            S::VariableSet(s) => self.variable_set(s),
            S::VariableShow(s) => {
                self.push("SHOW ");
                self.quoted(&s.name);
            }
            S::Copy(s) => self.copy(s),
            S::Explain(s) => self.explain(s),
            S::Vacuum(s) => self.vacuum(s),
            S::Cluster(s) => self.cluster(s),
            S::Reindex(s) => self.reindex(s),
            S::Prepare(s) => self.prepare(s),
            S::Execute(s) => self.execute(s),
            S::Deallocate(s) => self.name_or("DEALLOCATE ", s.name.as_ref(), "ALL"),
            S::DeclareCursor(s) => self.declare_cursor(s),
            S::Fetch(s) => self.fetch(s),
            S::ClosePortal(s) => self.name_or("CLOSE ", s.portalname.as_ref(), "ALL"),
            S::Lock(s) => self.lock(s),
            S::Checkpoint => self.push("CHECKPOINT"),
            S::Discard(s) => self.discard(*s),
            S::Load(s) => {
                self.push("LOAD ");
                self.literal(&s.filename);
            }
            S::Listen(s) => self.named("LISTEN ", Some(&s.conditionname)),
            S::Notify(s) => self.notify(s),
            S::Unlisten(s) => self.name_or("UNLISTEN ", s.conditionname.as_ref(), "*"),
            S::Constraints(s) => self.set_constraints(s),
            S::Do(s) => self.do_block(s),
            S::Call(s) => {
                self.push("CALL ");
                self.call(&s.funccall);
            }
            S::Return(s) => self.condition("RETURN ", Some(&s.returnval)),
            other => self.admin_statement(other),
        }
    }

    fn admin_statement(&mut self, stmt: &S) {
        match stmt {
            S::CreateDatabase(s) => {
                self.named("CREATE DATABASE ", Some(&s.dbname));
                self.database_options(&s.options);
            }
            S::DropDatabase(s) => self.drop_database(s),
            S::AlterDatabase(s) => {
                self.named("ALTER DATABASE ", Some(&s.dbname));
                self.database_options(&s.options);
            }
            S::AlterDatabaseSet(s) => {
                self.named("ALTER DATABASE ", Some(&s.dbname));
                self.push(" ");
                self.variable_set(&s.setstmt);
            }
            S::AlterDatabaseRefreshColl(s) => {
                self.named("ALTER DATABASE ", Some(&s.dbname));
                self.push(" REFRESH COLLATION VERSION");
            }
            S::AlterSystem(s) => {
                self.push("ALTER SYSTEM ");
                self.variable_set(&s.setstmt);
            }
            S::CreateTableSpace(s) => self.create_tablespace(s),
            S::DropTableSpace(s) => {
                self.push("DROP TABLESPACE ");
                self.if_exists(s.missing_ok);
                self.ident(&s.tablespacename);
            }
            S::AlterTableSpaceOptions(s) => self.alter_tablespace(s),
            S::CreateRole(s) => self.create_role(s),
            S::AlterRole(s) => self.alter_role(s),
            S::AlterRoleSet(s) => self.alter_role_set(s),
            S::DropRole(s) => self.drop_role(s),
            S::GrantRole(s) => self.grant_role(s),
            S::Grant(s) => self.grant(s),
            S::AlterDefaultPrivileges(s) => self.default_privileges(s),
            S::DropOwned(s) => self.drop_owned(s),
            S::ReassignOwned(s) => self.reassign_owned(s),
            S::CreateSchema(s) => self.create_schema(s),
            S::CreatePolicy(s) => self.create_policy(s),
            S::AlterPolicy(s) => self.alter_policy(s),
            other => self.foreign_statement(other),
        }
    }

    fn foreign_statement(&mut self, stmt: &S) {
        match stmt {
            S::CreateExtension(s) => self.create_extension(s),
            S::AlterExtension(s) => self.alter_extension(s),
            S::AlterExtensionContents(s) => self.extension_contents(s),
            S::CreateFdw(s) => {
                let words = "CREATE FOREIGN DATA WRAPPER ";
                self.foreign_data_wrapper(words, &s.fdwname, &s.func_options, &s.options);
            }
            S::AlterFdw(s) => {
                let words = "ALTER FOREIGN DATA WRAPPER ";
                self.foreign_data_wrapper(words, &s.fdwname, &s.func_options, &s.options);
            }
            S::CreateForeignServer(s) => self.create_server(s),
            S::AlterForeignServer(s) => self.alter_server(s),
            S::CreateUserMapping(s) => {
                self.push("CREATE USER MAPPING ");
                self.if_not_exists(s.if_not_exists);
                self.user_mapping(&s.user, &s.servername, &s.options);
            }
            S::AlterUserMapping(s) => {
                self.push("ALTER USER MAPPING ");
                self.user_mapping(&s.user, &s.servername, &s.options);
            }
            S::DropUserMapping(s) => {
                self.push("DROP USER MAPPING ");
                self.if_exists(s.missing_ok);
                self.user_mapping(&s.user, &s.servername, &[]);
            }
            S::ImportForeignSchema(s) => self.import_foreign_schema(s),
            S::CreatePublication(s) => self.create_publication(s),
            S::AlterPublication(s) => self.alter_publication(s),
            S::CreateSubscription(s) => self.create_subscription(s),
            S::AlterSubscription(s) => self.alter_subscription(s),
            S::DropSubscription(s) => self.drop_subscription(s),
            other => self.routine_statement(other),
        }
    }

    fn routine_statement(&mut self, stmt: &S) {
        match stmt {
            S::CreateFunction(s) => self.create_function(s),
            S::AlterFunction(s) => self.alter_function(s),
            S::CreateTrigger(s) => self.create_trigger(s),
            S::CreateEventTrigger(s) => self.create_event_trigger(s),
            S::AlterEventTrigger(s) => self.alter_event_trigger(s),
            S::Rule(s) => self.create_rule(s),
            S::CreateLanguage(s) => self.create_language(s),
            S::CreateDomain(s) => self.create_domain(s),
            S::AlterDomain(s) => self.alter_domain(s),
            S::CreateEnum(s) => self.create_enum(s),
            S::AlterEnum(s) => self.alter_enum(s),
            S::CreateRange(s) => self.create_range(s),
            S::CompositeType(s) => self.composite_type(s),
            S::AlterType(s) => {
                self.opt_names("ALTER TYPE ", &s.type_name);
                self.push(" SET ");
                self.operator_definition(&s.options);
            }
            S::Define(s) => self.define(s),
            S::CreateOpClass(s) => self.create_opclass(s),
            S::CreateOpFamily(s) => self.create_opfamily(s),
            S::AlterOpFamily(s) => self.alter_opfamily(s),
            S::AlterOperator(s) => {
                self.push("ALTER OPERATOR ");
                self.operator_with_args(&s.opername);
                self.push(" SET ");
                self.operator_definition(&s.options);
            }
            S::AlterCollation(s) => {
                self.opt_names("ALTER COLLATION ", &s.collname);
                self.push(" REFRESH VERSION");
            }
            S::AlterTSDictionary(s) => {
                self.opt_names("ALTER TEXT SEARCH DICTIONARY ", &s.dictname);
                self.with_definition(" ", &s.options);
            }
            S::AlterTSConfiguration(s) => self.alter_text_search_mapping(s),
            S::CreateCast(s) => self.create_cast(s),
            S::CreateTransform(s) => self.create_transform(s),
            S::CreateConversion(s) => self.create_conversion(s),
            S::CreateAm(s) => {
                self.named("CREATE ACCESS METHOD ", Some(&s.amname));
                self.push(if s.amtype == 'i' { " TYPE INDEX" } else { " TYPE TABLE" });
                self.opt_names(" HANDLER ", &s.handler_name);
            }
            _ => debug_assert!(false, "every kind of statement has its place above"),
        }
    }
}
