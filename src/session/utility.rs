//! Statements about the session itself: transactions, settings, cursors, prepared statements, DISCARD. Everything else
//! goes to `commands`.

use super::Session;
use super::prepared::{Prepared, Work};
use super::run::Description;
use analyze::{ExprContext, ExprTarget, OutputColumn};
use commands::CommandCtx;
use common::settings::Scope;
use common::{Error, Oid, Result, bail};
use parser::ast::*;
use std::rc::Rc;
use types::{Datum, oids};

fn column(name: &str, type_oid: Oid) -> OutputColumn {
    OutputColumn {
        name: name.into(),
        type_oid,
        typmod: -1,
        collation: Oid::INVALID,
        orig_table: Oid::INVALID,
        orig_attno: 0,
    }
}

/// The EXECUTE that EXPLAIN is to explain, directly or as the query of CREATE TABLE AS.
fn explained_execute(s: &Statement) -> Option<&ExecuteStmt> {
    match s {
        Statement::Execute(e) => Some(e),
        Statement::CreateTableAs(c) => explained_execute(&c.query),
        _ => None,
    }
}

impl Session {
    /// Columns a utility statement returns, for Describe.
    pub(super) fn utility_columns(&self, s: &Statement) -> Result<Vec<OutputColumn>> {
        Ok(match s {
            Statement::Explain(e) => vec![column("QUERY PLAN", commands::explain_type(e))],
            Statement::VariableShow(v) if v.name == "all" => {
                ["name", "setting", "description"].iter().map(|n| column(n, oids::TEXT)).collect()
            }
            Statement::VariableShow(v) => {
                vec![column(&self.settings.borrow().canonical(&v.name)?, oids::TEXT)]
            }
            Statement::Call(c) => self.with_commands(|ctx| commands::routine::call_columns(ctx, c))?,
            Statement::Fetch(f) if !f.ismove => match self.portal(&f.portalname) {
                Some(p) => p.try_borrow().map(|p| p.columns.to_vec()).unwrap_or_default(),
                None => Vec::new(),
            },
            Statement::Execute(e) => match self.prepared.borrow().get(&e.name).cloned() {
                Some(p) => self.analysis(&p, false)?.columns.to_vec(),
                None => Vec::new(),
            },
            _ => Vec::new(),
        })
    }

    pub(super) fn run_utility(
        &self,
        s: &Statement,
        p: &Rc<Prepared>,
        params: &[Datum],
        formats: &[i16],
        description: Description,
    ) -> Result<String> {
        match s {
            Statement::Transaction(t) => self.transaction_statement(t),
            Statement::VariableSet(v) => self.variable_set(v),
            Statement::VariableShow(v) => self.variable_show(v, formats, description),
            Statement::Prepare(s) => self.prepare_statement(s, p),
            Statement::Execute(e) => self.execute_statement(e, formats, description),
            Statement::Deallocate(d) => self.deallocate(d),
            Statement::DeclareCursor(d) => {
                let types = p.param_types.borrow().clone();
                self.declare_cursor(d, &p.source, params, &types)?;
                Ok("DECLARE CURSOR".into())
            }
            Statement::Fetch(f) => self.fetch_statement(f, formats, description),
            Statement::ClosePortal(c) => self.close_portal(c),
            Statement::Discard(d) => self.discard(d),
            Statement::Listen(_) | Statement::Notify(_) | Statement::Unlisten(_) => self.notify_statement(s),
            Statement::AlterSystem(a) => self.alter_system(a),
            Statement::Load(l) => self.load_statement(&l.filename),
            Statement::Explain(e) => match explained_execute(&e.query) {
                Some(x) => self.explain_execute(e, x, formats, description),
                None => self.run_command(s, p, params, formats, description),
            },
            _ => self.run_command(s, p, params, formats, description),
        }
    }

    /// Work of `commands` that no statement of the client asked for.
    pub(super) fn with_commands<T>(&self, f: impl FnOnce(&CommandCtx<'_>) -> Result<T>) -> Result<T> {
        f(&CommandCtx {
            engine: &self.engine,
            catalog: &self.catalog,
            env: self.env(),
            host: &*self.fn_env().host,
            source: "",
            top_level: true,
            params: &[],
            param_types: &[],
        })
    }

    /// CREATE TABLE AS EXECUTE: the prepared statement's query with its parameters.
    fn create_as_execute(
        &self,
        c: &CreateTableAsStmt,
        e: &ExecuteStmt,
        formats: &[i16],
        description: Description,
    ) -> Result<String> {
        let (target, params) = self.executed(e)?;
        let query = match target.statement() {
            Some(q @ Statement::Select(_)) => q.clone(),
            _ => bail!(WRONG_OBJECT_TYPE, "prepared statement is not a SELECT"),
        };
        let made = Statement::CreateTableAs(Box::new(CreateTableAsStmt { query, ..c.clone() }));
        self.run_command(&made, &target, &params, formats, description)
    }

    fn run_command(
        &self,
        s: &Statement,
        p: &Rc<Prepared>,
        params: &[Datum],
        formats: &[i16],
        description: Description,
    ) -> Result<String> {
        if let Statement::CreateTableAs(c) = s
            && let Statement::Execute(e) = &c.query
        {
            return self.create_as_execute(c, e, formats, description);
        }
        self.describe_utility.set(description == Description::Send);
        *self.utility_formats.borrow_mut() = formats.to_vec();
        let types = p.param_types.borrow().clone();
        let ctx = CommandCtx {
            engine: &self.engine,
            catalog: &self.catalog,
            env: self.env(),
            host: &*self.fn_env().host,
            source: &p.source,
            top_level: self.in_utility.get() == 0,
            params,
            param_types: &types,
        };
        commands::run(&ctx, s)
    }

    /// EXPLAIN of a prepared statement: the plan that EXECUTE would use.
    fn explain_execute(
        &self,
        e: &ExplainStmt,
        x: &ExecuteStmt,
        formats: &[i16],
        description: Description,
    ) -> Result<String> {
        let planning = std::time::Instant::now();
        let (target, params) = self.executed(x)?;
        let a = self.analysis(&target, false)?;
        if let Statement::CreateTableAs(c) = &e.query
            && let Some(query) = target.statement()
            && matches!(query, Statement::Select(_))
            && e.options.iter().any(|o| o.defname == "analyze")
        {
            // The table is made: from the statement's query, as CREATE TABLE AS EXECUTE does it.
            let made = CreateTableAsStmt { query: query.clone(), ..(**c).clone() };
            let made =
                ExplainStmt { query: Statement::CreateTableAs(Box::new(made)), options: e.options.clone() };
            let made = Statement::Explain(Box::new(made));
            return self.run_command(&made, &target, &params, formats, description);
        }
        if matches!(e.query, Statement::CreateTableAs(_)) && e.options.iter().any(|o| o.defname == "analyze")
        {
            bail!(WRONG_OBJECT_TYPE, "prepared statement is not a SELECT");
        }
        let (plan, kept) = self.plan_for(&target, &a, &params, false)?;
        let ms = planning.elapsed().as_secs_f64() * 1000.0;
        let stmt = plan.stmt().clone();
        if kept {
            self.return_plan(&target, plan);
        }
        self.check_privileges(&target)?;
        self.describe_utility.set(description == Description::Send);
        *self.utility_formats.borrow_mut() = formats.to_vec();
        let types = target.param_types.borrow().clone();
        let ctx = CommandCtx {
            engine: &self.engine,
            catalog: &self.catalog,
            env: self.env(),
            host: &*self.fn_env().host,
            source: &target.source,
            top_level: true,
            params: &params,
            param_types: &types,
        };
        commands::explain_planned(&ctx, e, stmt, a.id.as_ref().map(|j| j.id), ms)
    }

    fn variable_set(&self, v: &VariableSetStmt) -> Result<String> {
        let scope = if v.is_local { Scope::Local } else { Scope::Session };
        if v.is_local && v.kind != VariableSetKind::SetMulti {
            self.engine.warn_no_block(true, "SET LOCAL");
        }
        match v.kind {
            VariableSetKind::SetMulti => return self.set_multi(v),
            VariableSetKind::SetValue => {
                let value = self.set_value(v)?;
                if v.name.eq_ignore_ascii_case("transaction_isolation") && !self.engine.in_block() {
                    self.engine.warn_no_block(true, "SET TRANSACTION");
                }
                self.set_setting(&v.name, Some(&value), scope)?;
            }
            VariableSetKind::SetDefault => self.set_setting(&v.name, None, scope)?,
            VariableSetKind::Reset => {
                self.set_setting(&v.name, None, scope)?;
                return Ok("RESET".into());
            }
            VariableSetKind::ResetAll => {
                let level = self.engine.nest_level();
                self.settings.borrow_mut().reset_all(level);
                self.apply_settings();
                return Ok("RESET".into());
            }
            // The value is there already; the name must be one.
            VariableSetKind::SetCurrent => drop(self.settings.borrow().canonical(&v.name)?),
        }
        Ok("SET".into())
    }

    fn set_multi(&self, v: &VariableSetStmt) -> Result<String> {
        let modes = v.args.iter().filter_map(|a| if let SetArg::Mode(m) = a { Some(m) } else { None });
        match v.name.as_str() {
            "TRANSACTION" => {
                self.engine.warn_no_block(true, "SET TRANSACTION");
                for m in modes {
                    self.set_transaction_mode(m)?;
                }
            }
            "SESSION CHARACTERISTICS" => {
                for m in modes {
                    let value = super::transaction::mode_value(m)?;
                    self.set_setting(&format!("default_{}", m.defname), Some(&value), Scope::Session)?;
                }
            }
            other => return Err(Error::unsupported(format_args!("SET {other}"))),
        }
        Ok("SET".into())
    }

    /// The text of SET's values.
    pub(super) fn set_value(&self, v: &VariableSetStmt) -> Result<String> {
        commands::set_value::text(v, |c| self.interval_zone(c))
    }

    fn shown(&self, name: &str) -> Result<String> {
        use transam::IsolationLevel as L;
        match name.to_ascii_lowercase().as_str() {
            "transaction_isolation" => Ok(match self.engine.isolation() {
                L::Serializable => "serializable",
                L::RepeatableRead => "repeatable read",
                L::ReadCommitted => "read committed",
                L::ReadUncommitted => "read uncommitted",
            }
            .into()),
            "transaction_read_only" => Ok(if self.engine.read_only() { "on" } else { "off" }.into()),
            "transaction_deferrable" => Ok(if self.engine.deferrable() { "on" } else { "off" }.into()),
            _ => {
                let s = self.settings.borrow();
                s.canonical(name)?;
                Ok(s.show(name).unwrap_or_default())
            }
        }
    }

    fn variable_show(&self, v: &VariableShowStmt, formats: &[i16], d: Description) -> Result<String> {
        let columns = if v.name == "all" {
            ["name", "setting", "description"].iter().map(|n| column(n, oids::TEXT)).collect()
        } else {
            vec![column(&self.settings.borrow().canonical(&v.name)?, oids::TEXT)]
        };
        let mut rows: Vec<Vec<Datum>> = Vec::new();
        if v.name == "all" {
            let defs = self.settings.borrow().defs();
            for def in defs.all() {
                if def.has_flag("NO_SHOW_ALL") || !commands::functions::may_examine(self.fn_env(), def.name)?
                {
                    continue;
                }
                let shown = self.shown(def.name)?;
                rows.push(vec![Datum::text(def.name), Datum::text(&shown), Datum::text(def.short_desc)]);
            }
        } else {
            commands::functions::check_examine(self.fn_env(), &v.name)?;
            rows.push(vec![Datum::text(&self.shown(&v.name)?)]);
        }
        self.send_all(&columns, &rows, formats, d)?;
        Ok("SHOW".into())
    }

    fn send_all(
        &self,
        columns: &[OutputColumn],
        rows: &[Vec<Datum>],
        formats: &[i16],
        d: Description,
    ) -> Result<()> {
        if self.in_utility.get() > 0 {
            return Ok(());
        }
        let types: Vec<Oid> = columns.iter().map(|c| c.type_oid).collect();
        let format = self.row_format(&types, formats)?;
        let fields = self.fields(columns, formats)?;
        let mut conn = self.conn.borrow_mut();
        self.write_notices(&mut conn);
        if d == Description::Send {
            conn.out.row_description(&fields);
        }
        rows.iter().try_for_each(|r| format.write_row(self, &mut conn, r))
    }

    fn prepare_statement(&self, s: &PrepareStmt, p: &Rc<Prepared>) -> Result<String> {
        if s.name.is_empty() {
            bail!(INVALID_SQL_STATEMENT_NAME, "invalid statement name: must not be empty");
        }
        if self.prepared.borrow().contains_key(&s.name) {
            bail!(DUPLICATE_PSTATEMENT, "prepared statement \"{}\" already exists", s.name);
        }
        let types = self.with_analyze_ctx(&p.source, |ctx| {
            s.argtypes
                .iter()
                .map(|t| analyze::resolve_type_name(ctx, t).map(|(oid, _)| oid))
                .collect::<Result<Vec<_>>>()
        })?;
        let prepared = Prepared::new(p.source.clone(), Some(s.query.clone()), types);
        let a = self.analysis(&prepared, true)?;
        if matches!(a.work, Work::Utility(_)) {
            bail!(INVALID_PSTATEMENT_DEFINITION, "utility statements cannot be prepared");
        }
        prepared.prepared_at.set(self.engine.statement_timestamp());
        prepared.from_sql.set(true);
        self.prepared.borrow_mut().insert(s.name.clone(), Rc::new(prepared));
        Ok("PREPARE".into())
    }

    /// The statement of EXECUTE, with its parameters evaluated.
    fn executed(&self, e: &ExecuteStmt) -> Result<(Rc<Prepared>, Vec<Datum>)> {
        let Some(target) = self.prepared.borrow().get(&e.name).cloned() else {
            bail!(UNDEFINED_PSTATEMENT, "prepared statement \"{}\" does not exist", e.name);
        };
        let types = target.param_types.borrow().clone();
        if types.len() != e.params.len() {
            return Err(common::err!(
                SYNTAX_ERROR,
                "wrong number of parameters for prepared statement \"{}\"",
                e.name
            )
            .detail(format!("Expected {} parameters but got {}.", types.len(), e.params.len())));
        }
        let source = self.source.borrow().clone();
        let params = self.with_analyze_ctx(&source, |ctx| {
            let mut out = Vec::new();
            for (i, (x, t)) in e.params.iter().zip(&types).enumerate() {
                let name = format!("${}", i + 1);
                let target = ExprTarget { name: &name, type_oid: *t, typmod: -1 };
                let x =
                    analyze::transform_expr_for(ctx, x, ExprContext::ExecuteParameter, None, Some(target))?;
                out.push(executor::eval_constant(self.env(), &x)?);
            }
            Ok(out)
        })?;
        Ok((target, params))
    }

    fn execute_statement(&self, e: &ExecuteStmt, formats: &[i16], d: Description) -> Result<String> {
        let (target, params) = self.executed(e)?;
        let outer = self.source.replace(target.source.clone());
        let r = self.run_statement(&target, &params, formats, d);
        if r.is_ok() {
            *self.source.borrow_mut() = outer;
        }
        r
    }

    fn deallocate(&self, d: &DeallocateStmt) -> Result<String> {
        match &d.name {
            None => {
                self.prepared.borrow_mut().clear();
                self.forget_plans();
                Ok("DEALLOCATE ALL".into())
            }
            Some(n) => {
                if self.prepared.borrow_mut().remove(n).is_none() {
                    bail!(UNDEFINED_PSTATEMENT, "prepared statement \"{n}\" does not exist");
                }
                Ok("DEALLOCATE".into())
            }
        }
    }

    fn fetch_statement(&self, f: &FetchStmt, formats: &[i16], d: Description) -> Result<String> {
        let portal = self.require_cursor(&f.portalname)?;
        let Ok(mut portal) = portal.try_borrow_mut() else {
            bail!(OBJECT_IN_USE, "cursor \"{}\" is already in use", f.portalname);
        };
        if f.ismove {
            let n = portal.fetch(self, f.direction, f.how_many, &mut |_| Ok(()))?;
            return Ok(format!("MOVE {n}"));
        }
        let formats = if portal.formats.is_empty() { formats.to_vec() } else { portal.formats.clone() };
        let columns = portal.columns.clone();
        self.send_all(&columns, &[], &formats, d)?;
        let types: Vec<Oid> = columns.iter().map(|c| c.type_oid).collect();
        let format = self.row_format(&types, &formats)?;
        let mut send = |row: &super::portal::Row| {
            let mut conn = self.conn.borrow_mut();
            self.write_notices(&mut conn);
            format.write_row(self, &mut conn, row)
        };
        let n = portal.fetch(self, f.direction, f.how_many, &mut send)?;
        Ok(format!("FETCH {n}"))
    }

    fn close_portal(&self, c: &ClosePortalStmt) -> Result<String> {
        match &c.portalname {
            None => {
                self.drop_all_cursors();
                Ok("CLOSE CURSOR ALL".into())
            }
            Some(n) => {
                self.require_cursor(n)?;
                self.drop_portal(n);
                Ok("CLOSE CURSOR".into())
            }
        }
    }

    fn discard(&self, d: &DiscardStmt) -> Result<String> {
        match d.target {
            DiscardTarget::All => {
                self.engine.prevent_in_block(true, "DISCARD ALL")?;
                self.drop_all_cursors();
                let level = self.engine.nest_level();
                self.settings.borrow_mut().reset_all(level);
                self.apply_settings();
                self.prepared.borrow_mut().clear();
                self.engine.unlisten(None);
                self.engine.release_session_advisory_locks();
                commands::sequence::forget_all(self.fn_env());
                self.with_commands(commands::temp::remove_all)?;
                Ok("DISCARD ALL".into())
            }
            DiscardTarget::Plans => {
                self.catalog.reset_caches();
                self.forget_plans();
                Ok("DISCARD PLANS".into())
            }
            DiscardTarget::Sequences => {
                commands::sequence::forget_all(self.fn_env());
                Ok("DISCARD SEQUENCES".into())
            }
            DiscardTarget::Temp => {
                self.with_commands(commands::temp::remove_all)?;
                Ok("DISCARD TEMP".into())
            }
        }
    }
}
