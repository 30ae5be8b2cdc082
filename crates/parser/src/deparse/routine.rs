//! Functions, triggers, rules, types, operators and the other things one extends the system with.

use super::Deparser;
use crate::ast::*;

impl Deparser {
    pub(super) fn create_function(&mut self, s: &CreateFunctionStmt) {
        self.push(if s.replace { "CREATE OR REPLACE " } else { "CREATE " });
        self.push(if s.is_procedure { "PROCEDURE " } else { "FUNCTION " });
        self.names(&s.funcname);
        let table = |p: &&FunctionParameter| p.mode == FunctionParameterMode::Table;
        let (columns, parameters): (Vec<_>, Vec<_>) = s.parameters.iter().partition(table);
        self.push("(");
        self.list(&parameters, |d, p| d.parameter(p));
        self.push(")");
        if !columns.is_empty() {
            self.push(" RETURNS TABLE (");
            self.list(&columns, |d, p| d.parameter(p));
            self.push(")");
        } else if let Some(t) = &s.return_type {
            self.push(" RETURNS ");
            self.type_name(t);
        }
        s.options.iter().for_each(|o| self.routine_option(o));
        match &s.sql_body {
            Some(SqlBody::Return(e)) => self.condition(" RETURN ", Some(e)),
            Some(SqlBody::Atomic(statements)) => {
                self.push(" BEGIN ATOMIC ");
                for stmt in statements {
                    self.statement(stmt);
                    self.push("; ");
                }
                self.push("END");
            }
            None => {}
        }
    }

    fn routine_option(&mut self, o: &DefElem) {
        let arg = o.arg.as_ref();
        self.push(" ");
        match (o.defname.as_str(), arg) {
            ("as", Some(DefArg::List(parts))) => {
                self.push("AS ");
                self.list(parts, Self::def_arg);
            }
            ("transform", Some(DefArg::List(types))) => {
                self.push("TRANSFORM ");
                self.list(types, |d, t| {
                    d.push("FOR TYPE ");
                    d.def_arg(t);
                });
            }
            ("window", _) => self.push("WINDOW"),
            ("strict", Some(DefArg::Boolean(false))) => self.push("CALLED ON NULL INPUT"),
            ("strict", _) => self.push("STRICT"),
            ("volatility", Some(DefArg::String(word))) => self.push(&word.to_ascii_uppercase()),
            ("security", Some(DefArg::Boolean(true))) => self.push("SECURITY DEFINER"),
            ("security", _) => self.push("SECURITY INVOKER"),
            ("leakproof", Some(DefArg::Boolean(true))) => self.push("LEAKPROOF"),
            ("leakproof", _) => self.push("NOT LEAKPROOF"),
            ("support", _) => {
                self.push("SUPPORT ");
                self.def_names(arg);
            }
            ("parallel", _) => {
                self.push("PARALLEL ");
                self.def_ident(arg);
            }
            ("set", Some(DefArg::VariableSet(v))) => self.variable_set(v),
            // LANGUAGE, COST, ROWS
            (name, _) => {
                self.push(&name.to_ascii_uppercase());
                self.opt_def_arg(" ", arg);
            }
        }
    }

    pub(super) fn alter_function(&mut self, s: &AlterFunctionStmt) {
        self.push("ALTER ");
        self.kind(s.objtype);
        self.function_with_args(&s.func);
        s.actions.iter().for_each(|o| self.routine_option(o));
    }

    pub(super) fn create_trigger(&mut self, s: &CreateTrigStmt) {
        self.push(if s.replace { "CREATE OR REPLACE " } else { "CREATE " });
        self.when(s.isconstraint, "CONSTRAINT ");
        self.push("TRIGGER ");
        self.ident(&s.trigname);
        self.push(match s.timing {
            TriggerTiming::Before => " BEFORE ",
            TriggerTiming::After => " AFTER ",
            TriggerTiming::Instead => " INSTEAD OF ",
        });
        let events = [
            (trigger_event::INSERT, "INSERT"),
            (trigger_event::DELETE, "DELETE"),
            (trigger_event::UPDATE, "UPDATE"),
            (trigger_event::TRUNCATE, "TRUNCATE"),
        ];
        let mut word = "";
        for (bit, name) in events.into_iter().filter(|(bit, _)| s.events & bit != 0) {
            self.push(word);
            self.push(name);
            if bit == trigger_event::UPDATE && !s.columns.is_empty() {
                self.push(" OF ");
                self.idents(&s.columns);
            }
            word = " OR ";
        }
        self.push(" ON ");
        self.relation_name(&s.relation);
        if let Some(table) = &s.constrrel {
            self.push(" FROM ");
            self.relation_name(table);
        }
        self.when(s.deferrable, " DEFERRABLE");
        self.when(s.initdeferred, " INITIALLY DEFERRED");
        for (i, t) in s.transition_rels.iter().enumerate() {
            self.when(i == 0, " REFERENCING");
            self.push(if t.is_new { " NEW " } else { " OLD " });
            self.push(if t.is_table { "TABLE AS " } else { "ROW AS " });
            self.ident(&t.name);
        }
        self.push(if s.row { " FOR EACH ROW" } else { " FOR EACH STATEMENT" });
        if let Some(e) = &s.when_clause {
            self.push(" WHEN ");
            self.in_parens(Some(e));
        }
        self.execute_function(&s.funcname);
        self.push("(");
        self.list(&s.args, |d, a| d.literal(a));
        self.push(")");
    }

    fn execute_function(&mut self, name: &[String]) {
        self.push(" EXECUTE FUNCTION ");
        self.names(name);
    }

    pub(super) fn create_event_trigger(&mut self, s: &CreateEventTrigStmt) {
        self.push("CREATE EVENT TRIGGER ");
        self.ident(&s.trigname);
        self.push(" ON ");
        self.ident(&s.eventname);
        for (i, o) in s.whenclause.iter().enumerate() {
            self.push(if i == 0 { " WHEN " } else { " AND " });
            self.ident(&o.defname);
            self.opt_def_arg(" IN ", o.arg.as_ref());
        }
        self.execute_function(&s.funcname);
        self.push("()");
    }

    pub(super) fn alter_event_trigger(&mut self, s: &AlterEventTrigStmt) {
        self.push("ALTER EVENT TRIGGER ");
        self.ident(&s.trigname);
        self.push(match s.fires {
            TriggerFires::Origin => " ENABLE",
            TriggerFires::Always => " ENABLE ALWAYS",
            TriggerFires::Replica => " ENABLE REPLICA",
            TriggerFires::Disabled => " DISABLE",
        });
    }

    pub(super) fn create_rule(&mut self, s: &RuleStmt) {
        self.push(if s.replace { "CREATE OR REPLACE RULE " } else { "CREATE RULE " });
        self.ident(&s.rulename);
        self.push(match s.event {
            RuleEvent::Select => " AS ON SELECT TO ",
            RuleEvent::Update => " AS ON UPDATE TO ",
            RuleEvent::Delete => " AS ON DELETE TO ",
            RuleEvent::Insert => " AS ON INSERT TO ",
        });
        self.relation_name(&s.relation);
        self.condition(" WHERE ", s.where_clause.as_ref());
        self.push(if s.instead { " DO INSTEAD " } else { " DO ALSO " });
        if s.actions.is_empty() {
            return self.push("NOTHING");
        }
        self.push("(");
        for (i, action) in s.actions.iter().enumerate() {
            self.when(i > 0, "; ");
            self.statement(action);
        }
        self.push(")");
    }

    pub(super) fn create_language(&mut self, s: &CreatePLangStmt) {
        self.push(if s.replace { "CREATE OR REPLACE " } else { "CREATE " });
        self.when(s.pltrusted, "TRUSTED ");
        self.push("LANGUAGE ");
        self.ident(&s.plname);
        for (word, name) in
            [(" HANDLER ", &s.plhandler), (" INLINE ", &s.plinline), (" VALIDATOR ", &s.plvalidator)]
        {
            self.opt_names(word, name);
        }
    }

    /// A word and a qualified name, if there is one.
    pub(super) fn opt_names(&mut self, word: &str, names: &[String]) {
        if !names.is_empty() {
            self.push(word);
            self.names(names);
        }
    }

    pub(super) fn create_domain(&mut self, s: &CreateDomainStmt) {
        self.push("CREATE DOMAIN ");
        self.names(&s.domainname);
        self.push(" AS ");
        self.type_name(&s.type_name);
        self.collation(s.coll_clause.as_ref());
        for c in &s.constraints {
            self.push(" ");
            self.column_constraint(c);
        }
    }

    pub(super) fn alter_domain(&mut self, s: &AlterDomainStmt) {
        self.push("ALTER DOMAIN ");
        self.names(&s.type_name);
        match &s.cmd {
            AlterDomainCmd::Default(Some(e)) => self.condition(" SET DEFAULT ", Some(e)),
            AlterDomainCmd::Default(None) => self.push(" DROP DEFAULT"),
            AlterDomainCmd::DropNotNull => self.push(" DROP NOT NULL"),
            AlterDomainCmd::SetNotNull => self.push(" SET NOT NULL"),
            AlterDomainCmd::AddConstraint(c) => {
                self.push(" ADD ");
                self.table_constraint(c);
            }
            AlterDomainCmd::DropConstraint { name, behavior, missing_ok } => {
                self.push(" DROP CONSTRAINT ");
                self.if_exists(*missing_ok);
                self.ident(name);
                self.behavior(*behavior);
            }
            AlterDomainCmd::ValidateConstraint { name } => self.named(" VALIDATE CONSTRAINT ", Some(name)),
        }
    }

    pub(super) fn create_enum(&mut self, s: &CreateEnumStmt) {
        self.push("CREATE TYPE ");
        self.names(&s.type_name);
        self.push(" AS ENUM (");
        self.list(&s.vals, |d, v| d.literal(v));
        self.push(")");
    }

    pub(super) fn alter_enum(&mut self, s: &AlterEnumStmt) {
        self.push("ALTER TYPE ");
        self.names(&s.type_name);
        if let Some(old) = &s.old_val {
            self.push(" RENAME VALUE ");
            self.literal(old);
            self.push(" TO ");
            return self.literal(&s.new_val);
        }
        self.push(" ADD VALUE ");
        self.if_not_exists(s.skip_if_new_val_exists);
        self.literal(&s.new_val);
        if let Some(neighbor) = &s.new_val_neighbor {
            self.push(if s.new_val_is_after { " AFTER " } else { " BEFORE " });
            self.literal(neighbor);
        }
    }

    pub(super) fn create_range(&mut self, s: &CreateRangeStmt) {
        self.push("CREATE TYPE ");
        self.names(&s.type_name);
        self.push(" AS RANGE ");
        self.definition(&s.params);
    }

    pub(super) fn composite_type(&mut self, s: &CompositeTypeStmt) {
        self.push("CREATE TYPE ");
        self.relation_name(&s.typevar);
        self.push(" AS (");
        self.list(&s.coldeflist, Self::column);
        self.push(")");
    }

    pub(super) fn define(&mut self, s: &DefineStmt) {
        self.push(if s.replace { "CREATE OR REPLACE " } else { "CREATE " });
        self.kind(s.kind);
        self.if_not_exists(s.if_not_exists);
        if s.kind == ObjectType::Operator {
            self.operator_plain(&s.defnames);
        } else {
            self.names(&s.defnames);
        }
        self.push(" ");
        match s.definition.as_slice() {
            [DefElem { defname, arg: Some(DefArg::Names(names)), .. }]
                if s.kind == ObjectType::Collation && defname == "from" =>
            {
                self.push("FROM ");
                self.names(names);
            }
            // Its names may not be keywords.
            options if s.oldstyle => {
                self.push("(");
                self.list(options, |d, o| {
                    d.quoted(&o.defname);
                    d.opt_def_arg(" = ", o.arg.as_ref());
                });
                self.push(")");
            }
            [] => {}
            options => {
                if s.kind == ObjectType::Aggregate {
                    self.aggregate_parameters(s);
                }
                self.definition(options);
            }
        }
    }

    fn aggregate_parameters(&mut self, s: &DefineStmt) {
        let Some(direct) = s.num_direct_args else {
            self.push("(");
            self.list(&s.args, Self::parameter);
            return self.push(if s.args.is_empty() { "*) " } else { ") " });
        };
        let (first, ordered) = s.args.split_at(direct.min(s.args.len()));
        self.push("(");
        self.list(first, Self::parameter);
        self.push(" ORDER BY ");
        // A variadic direct argument stands for the ordered one as well.
        self.list(if ordered.is_empty() { &first[first.len() - 1..] } else { ordered }, Self::parameter);
        self.push(") ");
    }

    pub(super) fn create_opclass(&mut self, s: &CreateOpClassStmt) {
        self.push("CREATE OPERATOR CLASS ");
        self.names(&s.opclassname);
        self.push(if s.is_default { " DEFAULT FOR TYPE " } else { " FOR TYPE " });
        self.type_name(&s.datatype);
        self.push(" USING ");
        self.ident(&s.amname);
        self.opt_names(" FAMILY ", &s.opfamilyname);
        self.push(" AS ");
        self.list(&s.items, Self::opclass_item);
    }

    fn opclass_item(&mut self, item: &OpClassItem) {
        match item {
            OpClassItem::Operator { number, name, order_family } => {
                self.push(&format!("OPERATOR {number} "));
                self.operator_with_args(name);
                self.opt_names(" FOR ORDER BY ", order_family);
            }
            OpClassItem::Function { number, class_args, name } => {
                self.push(&format!("FUNCTION {number} "));
                if !class_args.is_empty() {
                    self.push("(");
                    self.opt_types(class_args);
                    self.push(") ");
                }
                self.function_with_args(name);
            }
            OpClassItem::Storage(t) => {
                self.push("STORAGE ");
                self.type_name(t);
            }
        }
    }

    pub(super) fn create_opfamily(&mut self, s: &CreateOpFamilyStmt) {
        self.push("CREATE OPERATOR FAMILY ");
        self.names(&s.opfamilyname);
        self.named(" USING ", Some(&s.amname));
    }

    pub(super) fn alter_opfamily(&mut self, s: &AlterOpFamilyStmt) {
        self.push("ALTER OPERATOR FAMILY ");
        self.names(&s.opfamilyname);
        self.named(" USING ", Some(&s.amname));
        match &s.items {
            OpFamilyItems::Add(items) => {
                self.push(" ADD ");
                self.list(items, Self::opclass_item);
            }
            OpFamilyItems::Drop(items) => {
                self.push(" DROP ");
                self.list(items, |d, item| {
                    let (word, number, args) = match item {
                        OpFamilyDropItem::Operator { number, args } => ("OPERATOR", number, args),
                        OpFamilyDropItem::Function { number, args } => ("FUNCTION", number, args),
                    };
                    d.push(&format!("{word} {number} ("));
                    d.opt_types(args);
                    d.push(")");
                });
            }
        }
    }

    pub(super) fn alter_text_search_mapping(&mut self, s: &AlterTSConfigurationStmt) {
        use AlterTSConfigType as Kind;
        self.push("ALTER TEXT SEARCH CONFIGURATION ");
        self.names(&s.cfgname);
        self.push(match s.kind {
            Kind::AddMapping => " ADD MAPPING",
            Kind::DropMapping => " DROP MAPPING",
            _ => " ALTER MAPPING",
        });
        self.when(s.missing_ok, " IF EXISTS");
        if !s.tokentype.is_empty() {
            self.push(" FOR ");
            self.idents(&s.tokentype);
        }
        match s.kind {
            Kind::AddMapping | Kind::AlterMappingForToken => {
                self.push(" WITH ");
                self.list(&s.dicts, |d, n| d.names(n));
            }
            Kind::ReplaceDict | Kind::ReplaceDictForToken => {
                for (word, name) in [" REPLACE ", " WITH "].into_iter().zip(&s.dicts) {
                    self.push(word);
                    self.names(name);
                }
            }
            Kind::DropMapping => {}
        }
    }

    pub(super) fn create_cast(&mut self, s: &CreateCastStmt) {
        self.push("CREATE CAST (");
        self.type_name(&s.sourcetype);
        self.push(" AS ");
        self.type_name(&s.targettype);
        self.push(")");
        match &s.func {
            Some(f) => {
                self.push(" WITH FUNCTION ");
                self.function_with_args(f);
            }
            None => self.push(if s.inout { " WITH INOUT" } else { " WITHOUT FUNCTION" }),
        }
        self.push(match s.context {
            CoercionContext::Implicit => " AS IMPLICIT",
            CoercionContext::Assignment => " AS ASSIGNMENT",
            CoercionContext::Explicit => "",
        });
    }

    pub(super) fn create_transform(&mut self, s: &CreateTransformStmt) {
        self.push(if s.replace { "CREATE OR REPLACE TRANSFORM " } else { "CREATE TRANSFORM " });
        self.transform_for(&s.type_name, &s.lang);
        let mut open = " (";
        for (word, f) in [("FROM", &s.fromsql), ("TO", &s.tosql)] {
            if let Some(f) = f {
                self.push(&format!("{open}{word} SQL WITH FUNCTION "));
                self.function_with_args(f);
                open = ", ";
            }
        }
        self.push(")");
    }

    pub(super) fn create_conversion(&mut self, s: &CreateConversionStmt) {
        self.push(if s.def { "CREATE DEFAULT CONVERSION " } else { "CREATE CONVERSION " });
        self.names(&s.conversion_name);
        self.push(" FOR ");
        self.literal(&s.for_encoding_name);
        self.push(" TO ");
        self.literal(&s.to_encoding_name);
        self.opt_names(" FROM ", &s.func_name);
    }
}
