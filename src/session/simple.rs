//! The simple protocol: one message, any number of statements, executed in one implicit transaction block.

use super::Session;
use super::logging::Step;
use super::prepared::Prepared;
use super::run::{Description, ends_failed_block};
use common::Result;
use parser::ast::{RawStmt, Statement};
use std::rc::Rc;

impl Session {
    /// Runs a query string. An error has been reported neither to the client nor to the engine when it comes back.
    pub(super) fn simple_query(&self, sql: &str) -> Result<()> {
        let source: Rc<str> = sql.into();
        *self.source.borrow_mut() = source.clone();
        self.prepared.borrow_mut().remove("");
        let whole = self.usage_begin("log_statement_stats");
        let r = self.simple_parts(source, sql);
        self.usage_end("QUERY STATISTICS", whole);
        r
    }

    fn simple_parts(&self, source: Rc<str>, sql: &str) -> Result<()> {
        self.engine.start_command()?;
        if let Some(tag) = self.cached_query(&source)? {
            self.engine.commit_command()?;
            let mut conn = self.conn.borrow_mut();
            self.write_notices(&mut conn);
            conn.out.command_complete(&tag);
            return Ok(());
        }
        let mut notices = Vec::new();
        let begun = self.usage_begin("log_parser_stats");
        let parsed = parser::parse_with_options(sql, self.often().lex, &mut notices);
        self.usage_end("PARSER STATISTICS", begun);
        for n in notices {
            self.queue_notice(n);
        }
        let statements = parsed?;
        self.log_statement(Step::Statement, sql, statements.iter().map(|r| &r.stmt), None);
        if statements.is_empty() {
            self.engine.commit_command()?;
            self.conn.borrow_mut().out.empty_query_response();
            return Ok(());
        }
        let last = statements.len() - 1;
        for (i, raw) in statements.into_iter().enumerate() {
            self.simple_statement(&source, raw, last > 0, i == last)?;
        }
        Ok(())
    }

    fn simple_statement(&self, source: &Rc<str>, raw: RawStmt, several: bool, is_last: bool) -> Result<()> {
        let control = matches!(raw.stmt, Statement::Transaction(_));
        if self.engine.is_aborted_block() && !ends_failed_block(&raw.stmt) {
            return Err(self.engine.aborted_error());
        }
        self.engine.start_command()?;
        if several {
            self.engine.begin_implicit_block();
        }
        self.engine.check_interrupts()?;
        self.forget_query_id();
        let p = Rc::new(Prepared::new(source.clone(), Some(Rc::new(raw)), Vec::new()));
        let tag = self.run_statement(&p, &[], &[], Description::Send)?;
        if is_last {
            if several {
                self.engine.end_implicit_block();
            }
            self.engine.commit_command()?;
        } else if control {
            self.engine.commit_command()?;
        } else {
            self.engine.command_counter_increment()?;
        }
        let mut conn = self.conn.borrow_mut();
        self.write_notices(&mut conn);
        conn.out.command_complete(&tag);
        Ok(())
    }
}
