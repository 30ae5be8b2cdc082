//! Running one statement to its end and sending what it returns.

use super::Session;
use super::format::RowFormat;
use super::prepared::{Analysis, Prepared, Work};
use super::statement_stats::Meter;
use analyze::query::{CmdType, Query};
use commands::extension::pg_stat_statements::Phase;
use common::{Error, Result};
use executor::run::{CompiledPlan, QueryRun, RunOptions};
use parser::ast::Statement;
use std::rc::Rc;
use types::Datum;

/// Where rows go.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Description {
    /// RowDescription before the rows (simple protocol).
    Send,
    /// The client asked by Describe, or does not want to know.
    Omit,
}

/// The command tag of a query.
pub fn query_tag(command: CmdType, rows: u64) -> String {
    match command {
        CmdType::Select => format!("SELECT {rows}"),
        CmdType::Insert => format!("INSERT 0 {rows}"),
        CmdType::Update => format!("UPDATE {rows}"),
        CmdType::Delete => format!("DELETE {rows}"),
        CmdType::Merge => format!("MERGE {rows}"),
    }
}

impl Session {
    /// Runs a statement that needs no portal. Returns the command tag; empty for an empty statement.
    pub(super) fn run_statement(
        &self,
        p: &Rc<Prepared>,
        params: &[Datum],
        formats: &[i16],
        description: Description,
    ) -> Result<String> {
        let needs_snapshot = p.raw().is_some_and(|r| !is_transaction_control(&r.stmt));
        if needs_snapshot && p.raw().is_some_and(|r| is_query(&r.stmt)) {
            // Taken before analysis, as the first thing the statement does in its transaction.
            let _ = self.engine.transaction_snapshot()?;
        }
        let a = self.analysis(p, false)?;
        self.show_query_id(p);
        match &a.work {
            Work::Empty => Ok(String::new()),
            Work::Query(q) => self.run_query(p, &a, q, params, formats, description),
            Work::Utility(u) => {
                let meter = self.utility_meter(&u.stmt);
                let tag = self.run_utility(&u.stmt, p, params, formats, description)?;
                self.count_utility(&a, &p.source, meter, &tag);
                Ok(tag)
            }
        }
    }

    fn run_query(
        &self,
        p: &Rc<Prepared>,
        a: &Rc<Analysis>,
        q: &Query,
        params: &[Datum],
        formats: &[i16],
        description: Description,
    ) -> Result<String> {
        let plan = self.plan_for(p, a, params, false)?;
        self.check_read_only(q)?;
        self.check_privileges(p)?;
        self.execute_plan(p, a, plan, params, formats, description)
    }

    /// Runs a plan; one that is `kept` goes back to the statement.
    pub(super) fn execute_plan(
        &self,
        p: &Rc<Prepared>,
        a: &Rc<Analysis>,
        (plan, kept): (CompiledPlan, bool),
        params: &[Datum],
        formats: &[i16],
        description: Description,
    ) -> Result<String> {
        let Work::Query(q) = &a.work else { return Err(Error::internal("running a utility statement")) };
        let snapshot = self.engine.transaction_snapshot()?;
        let opts = RunOptions { snapshot: Some(snapshot), ..RunOptions::default() };
        let meter = self.meter();
        let begun = self.usage_begin("log_executor_stats");
        let run = QueryRun::start(plan, params, &opts)?;
        let r = self.send_run(p, a, q, (run, kept, meter), formats, description);
        self.usage_end("EXECUTOR STATISTICS", begun);
        r
    }

    /// Sends all rows of a run, and ends it.
    pub(super) fn send_run(
        &self,
        p: &Rc<Prepared>,
        a: &Rc<Analysis>,
        q: &Query,
        (mut run, cached, meter): (QueryRun, bool, Option<Meter>),
        formats: &[i16],
        description: Description,
    ) -> Result<String> {
        if !a.columns.is_empty() {
            self.send_rows(&mut run, a, formats, description)?;
        } else if q.command == CmdType::Select {
            self.send_empty_rows(&mut run, description)?;
        }
        let rows = run.finish()?;
        self.count_statement(a, &p.source, Phase::Execute, meter, rows);
        let plan = run.end();
        if cached {
            self.return_plan(p, plan);
        }
        Ok(query_tag(q.command, rows))
    }

    fn send_rows(
        &self,
        run: &mut QueryRun,
        a: &Analysis,
        formats: &[i16],
        description: Description,
    ) -> Result<()> {
        if self.in_utility.get() > 0 {
            while run.next(0)?.is_some() {}
            return Ok(());
        }
        let format = self.result_format(a, formats)?;
        if description == Description::Send {
            self.send_description(a, formats)?;
        }
        while let Some(batch) = run.next(0)? {
            let mut conn = self.conn.borrow_mut();
            self.write_notices(&mut conn);
            format.write_batch(self, &mut conn, batch)?;
        }
        Ok(())
    }

    /// The encoders of a result, looked up again only when formats or settings change.
    fn result_format(&self, a: &Analysis, formats: &[i16]) -> Result<Rc<RowFormat>> {
        if let Some((f, r)) = &*a.row_format.borrow()
            && f == formats
            && r.is_for(&self.env().fmt.borrow(), self.conn.borrow().out.encoding())
        {
            return Ok(r.clone());
        }
        let types: Vec<_> = a.columns.iter().map(|c| c.type_oid).collect();
        let r = Rc::new(self.row_format(&types, formats)?);
        *a.row_format.borrow_mut() = Some((formats.to_vec(), r.clone()));
        Ok(r)
    }

    fn send_description(&self, a: &Analysis, formats: &[i16]) -> Result<()> {
        let out = &mut self.conn.borrow_mut().out;
        // What is kept has the default formats, and names as they are inside.
        if !formats.is_empty() || out.encoding().is_some() {
            out.row_description(&self.fields(&a.columns, formats)?);
            return Ok(());
        }
        if let Some(bytes) = a.description.get() {
            out.append(bytes);
            return Ok(());
        }
        let at = out.pending().len();
        out.row_description(&self.fields(&a.columns, formats)?);
        let _ = a.description.set(out.pending()[at..].to_vec());
        Ok(())
    }

    /// `SELECT` without columns: rows without values.
    fn send_empty_rows(&self, run: &mut QueryRun, description: Description) -> Result<()> {
        if description == Description::Send {
            self.conn.borrow_mut().out.row_description(&[]);
        }
        while let Some(batch) = run.next(0)? {
            let mut conn = self.conn.borrow_mut();
            for _ in 0..batch.live_count() {
                conn.out.data_row(0, |_, _| Ok::<bool, Error>(false))?;
            }
        }
        Ok(())
    }

    /// Is the target a temporary table?
    fn writes_temp(&self, q: &Query) -> Result<bool> {
        match q.rtable.get((q.result_relation as usize).wrapping_sub(1)).map(|r| &r.kind) {
            Some(&analyze::query::RteKind::Relation { relid, .. }) => {
                Ok(self.catalog.relation(relid)?.persistence == b't')
            }
            _ => Ok(false),
        }
    }
    /// 25006 for a data-changing query in a read-only transaction.
    pub(super) fn check_read_only(&self, q: &Query) -> Result<()> {
        if !self.engine.read_only() || self.writes_temp(q)? {
            return Ok(());
        }
        if q.command != CmdType::Select && self.engine.read_only() {
            let what = match q.command {
                CmdType::Insert => "INSERT",
                CmdType::Update => "UPDATE",
                CmdType::Delete => "DELETE",
                _ => "MERGE",
            };
            common::bail!(READ_ONLY_SQL_TRANSACTION, "cannot execute {what} in a read-only transaction");
        }
        if q.has_modifying_cte {
            common::bail!(READ_ONLY_SQL_TRANSACTION, "cannot execute SELECT in a read-only transaction");
        }
        if !q.row_marks.is_empty() && self.engine.read_only() {
            common::bail!(
                READ_ONLY_SQL_TRANSACTION,
                "cannot execute SELECT FOR UPDATE in a read-only transaction"
            );
        }
        Ok(())
    }
}

/// Statements that a failed transaction block still accepts.
pub fn ends_failed_block(s: &Statement) -> bool {
    use parser::ast::TransactionStmtKind as K;
    match s {
        Statement::Transaction(t) => {
            matches!(t.kind, K::Commit | K::Rollback | K::RollbackTo | K::Prepare)
        }
        _ => false,
    }
}

/// SELECT, INSERT, UPDATE, DELETE, MERGE.
pub fn is_query(s: &Statement) -> bool {
    matches!(
        s,
        Statement::Select(_)
            | Statement::Insert(_)
            | Statement::Update(_)
            | Statement::Delete(_)
            | Statement::Merge(_)
    )
}

/// Statements that must not take a snapshot: they come before SET TRANSACTION, or end the transaction.
pub fn is_transaction_control(s: &Statement) -> bool {
    matches!(
        s,
        Statement::Transaction(_)
            | Statement::VariableSet(_)
            | Statement::VariableShow(_)
            | Statement::Lock(_)
    )
}
