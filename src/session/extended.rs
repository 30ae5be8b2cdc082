//! The extended protocol: Parse, Bind, Describe, Execute, Close. The transaction that the first of them starts is
//! committed at Sync (unless a block is open); after an error everything up to Sync is skipped.

use super::Session;
use super::logging::Step;
use super::portal::{Portal, State};
use super::prepared::{Analysis, Prepared, Work};
use super::run::{Description, ends_failed_block, query_tag};
use common::{Error, Oid, Result, bail};
use protocol::frontend::{Bind, Target};
use std::cell::RefCell;
use std::rc::Rc;
use types::{Datum, FnImpl};

impl Session {
    fn check_failed_block(&self, p: &Prepared) -> Result<()> {
        if self.engine.is_aborted_block() && p.raw().is_some_and(|r| !ends_failed_block(&r.stmt)) {
            return Err(self.engine.aborted_error());
        }
        Ok(())
    }

    pub(super) fn parse_message(&self, name: &str, sql: &str, types: Vec<Oid>) -> Result<()> {
        let source: Rc<str> = sql.into();
        *self.source.borrow_mut() = source.clone();
        self.engine.start_command()?;
        if name.is_empty() {
            self.prepared.borrow_mut().remove("");
        } else if self.prepared.borrow().contains_key(name) {
            bail!(DUPLICATE_PSTATEMENT, "prepared statement \"{name}\" already exists");
        }
        if name.is_empty()
            && !self.engine.is_aborted_block()
            && let Some(p) = self.remembered(sql, &types)
        {
            self.show_query_id(&p);
            self.prepared.borrow_mut().insert(String::new(), p);
            self.conn.borrow_mut().out.parse_complete();
            return Ok(());
        }
        let given = if name.is_empty() { types.clone() } else { Vec::new() };
        let mut notices = Vec::new();
        let parsed = parser::parse_with_options(sql, self.often().lex, &mut notices);
        notices.into_iter().for_each(|n| self.queue_notice(n));
        let mut statements = parsed?;
        if statements.len() > 1 {
            bail!(SYNTAX_ERROR, "cannot insert multiple commands into a prepared statement");
        }
        let p = Prepared::new(source, statements.pop().map(Rc::new), types);
        self.check_failed_block(&p)?;
        self.analysis(&p, true)?;
        self.show_query_id(&p);
        p.prepared_at.set(self.engine.statement_timestamp());
        let p = Rc::new(p);
        if name.is_empty() {
            self.remember(given, &p);
        }
        self.prepared.borrow_mut().insert(name.to_string(), p);
        self.conn.borrow_mut().out.parse_complete();
        Ok(())
    }

    fn statement(&self, name: &str) -> Result<Rc<Prepared>> {
        match self.prepared.borrow().get(name) {
            Some(p) => Ok(p.clone()),
            None if name.is_empty() => {
                bail!(UNDEFINED_PSTATEMENT, "unnamed prepared statement does not exist")
            }
            None => bail!(UNDEFINED_PSTATEMENT, "prepared statement \"{name}\" does not exist"),
        }
    }

    pub(super) fn bind_message(&self, b: &Bind<'_>) -> Result<()> {
        let p = self.statement(b.statement)?;
        *self.source.borrow_mut() = p.source.clone();
        self.engine.start_command()?;
        let types = p.param_types.borrow().clone();
        if b.formats.len() > 1 && b.formats.len() != b.values.len() {
            bail!(
                PROTOCOL_VIOLATION,
                "bind message has {} parameter formats but {} parameters",
                b.formats.len(),
                b.values.len()
            );
        }
        if b.values.len() != types.len() {
            bail!(
                PROTOCOL_VIOLATION,
                "bind message supplies {} parameters, but prepared statement \"{}\" requires {}",
                b.values.len(),
                b.statement,
                types.len()
            );
        }
        self.check_failed_block(&p)?;
        if b.portal.is_empty() {
            self.drop_portal("");
        } else if self.portal(b.portal).is_some() {
            bail!(DUPLICATE_CURSOR, "cursor \"{}\" already exists", b.portal);
        }
        let params = self.read_params(b, &types)?;
        let columns = if self.engine.is_aborted_block() {
            Rc::default()
        } else {
            self.analysis(&p, false)?.columns.clone()
        };
        if b.result_formats.len() > 1 && b.result_formats.len() != columns.len() {
            bail!(
                PROTOCOL_VIOLATION,
                "bind message has {} result formats but query has {} columns",
                b.result_formats.len(),
                columns.len()
            );
        }
        if p.raw().is_some() && self.is_utility(&p) {
            p.generic_plans.set(p.generic_plans.get() + 1);
        }
        self.show_query_id(&p);
        let mut portal = Portal::new(self, b.portal, p, columns);
        portal.params = params;
        portal.formats = b.result_formats.clone();
        portal.statement_name = b.statement.to_string();
        self.open_portal(&mut portal)?;
        self.portals.borrow_mut().insert(b.portal.to_string(), Rc::new(RefCell::new(portal)));
        self.conn.borrow_mut().out.bind_complete();
        Ok(())
    }

    /// Bind plans the statement: what is wrong with the parameters' values shows here. One that returns rows and changes
    /// nothing is started as well, so that it shows the data of this moment however late it is executed.
    fn open_portal(&self, portal: &mut Portal) -> Result<()> {
        if self.engine.is_aborted_block() || portal.prepared.raw().is_none_or(|r| ends_failed_block(&r.stmt))
        {
            return Ok(());
        }
        let a = self.analysis(&portal.prepared, false)?;
        let Work::Query(q) = &a.work else { return Ok(()) };
        portal.plan(self)?;
        if q.command == analyze::query::CmdType::Select {
            self.check_read_only(q)?;
            portal.start(self)?;
        }
        Ok(())
    }

    fn read_params(&self, b: &Bind<'_>, types: &[Oid]) -> Result<Vec<Datum>> {
        let mut out = Vec::with_capacity(types.len());
        for (i, (v, t)) in b.values.iter().zip(types).enumerate() {
            let format = super::format::format_of(&b.formats, i)?;
            out.push(match v {
                None => Datum::Null,
                Some(bytes) => self
                    .read_param(*t, bytes, format)
                    .map_err(|e| in_parameter(e, i).context(param_context(i, b.portal, format, bytes)))?,
            });
        }
        Ok(out)
    }

    pub(super) fn read_param(&self, type_oid: Oid, bytes: &[u8], format: i16) -> Result<Datum> {
        let t = self.catalog.type_desc(type_oid)?;
        let ioparam = if t.elem.is_valid() { t.elem } else { t.oid };
        let registry = self.catalog.registry();
        if format == 0 {
            let text = protocol::frontend::utf8(bytes)?;
            if text.contains('\0') {
                bail!(CHARACTER_NOT_IN_REPERTOIRE, "invalid byte sequence for encoding \"UTF8\": 0x00");
            }
            return match registry.get(t.input) {
                Some(FnImpl::Input(f)) => {
                    self.env().with_call_ctx(types::Collation::NONE, |ctx| f(ctx, text, ioparam, -1))
                }
                _ => Err(Error::unsupported(format_args!("input of type {}", t.name))),
            };
        }
        // What is text in binary format comes in the client's encoding.
        let encoding =
            self.conn.borrow().out.encoding().filter(|_| super::format::is_text_in_binary(type_oid));
        let decoded = encoding.map(|e| e.decode(bytes)).transpose()?;
        let bytes = decoded.as_ref().map_or(bytes, |s| s.as_bytes());
        match registry.get(t.receive) {
            Some(FnImpl::Receive(f)) => {
                self.env().with_call_ctx(types::Collation::NONE, |ctx| f(ctx, bytes, ioparam, -1))
            }
            _ => Err(Error::unsupported(format_args!("binary input of type {}", t.name))),
        }
    }

    pub(super) fn describe_message(&self, target: Target, name: &str) -> Result<()> {
        self.engine.start_command()?;
        match target {
            Target::Statement => {
                let p = self.statement(name)?;
                self.check_failed_describe(&p)?;
                let a = self.analysis(&p, false)?;
                let types: Vec<u32> = p.param_types.borrow().iter().map(|t| t.0).collect();
                self.conn.borrow_mut().out.parameter_description(&types);
                self.describe_columns(&a, &[])
            }
            Target::Portal => {
                let Some(p) = self.portal(name) else {
                    bail!(UNDEFINED_CURSOR, "portal \"{name}\" does not exist");
                };
                let p = p.borrow();
                self.check_failed_describe(&p.prepared)?;
                let fields = self.fields(&p.columns, &p.formats)?;
                let returns = !p.columns.is_empty() || {
                    let a = self.analysis(&p.prepared, false)?;
                    returns_empty_rows(&a)
                };
                let mut conn = self.conn.borrow_mut();
                if returns {
                    conn.out.row_description(&fields);
                } else {
                    conn.out.no_data();
                }
                Ok(())
            }
        }
    }

    fn check_failed_describe(&self, p: &Prepared) -> Result<()> {
        if self.engine.is_aborted_block() { self.check_failed_block(p) } else { Ok(()) }
    }

    fn describe_columns(&self, a: &Analysis, formats: &[i16]) -> Result<()> {
        if a.columns.is_empty() && !returns_empty_rows(a) {
            self.conn.borrow_mut().out.no_data();
            return Ok(());
        }
        let fields = self.fields(&a.columns, formats)?;
        self.conn.borrow_mut().out.row_description(&fields);
        Ok(())
    }

    pub(super) fn execute_message(&self, name: &str, max_rows: i32) -> Result<()> {
        let Some(portal) = self.portal(name) else {
            bail!(UNDEFINED_CURSOR, "portal \"{name}\" does not exist");
        };
        let Ok(mut portal) = portal.try_borrow_mut() else {
            bail!(OBJECT_IN_USE, "portal \"{name}\" is already active");
        };
        *self.source.borrow_mut() = portal.prepared.source.clone();
        self.engine.start_command()?;
        self.engine.check_interrupts()?;
        let p = portal.prepared.clone();
        if p.raw().is_none() {
            self.conn.borrow_mut().out.empty_query_response();
            return Ok(());
        }
        self.check_failed_block(&p)?;
        self.show_query_id(&p);
        let limit = if max_rows > 0 { max_rows as u64 } else { u64::MAX };
        let is_control = p.raw().is_some_and(|r| matches!(r.stmt, parser::ast::Statement::Transaction(_)));
        let again = !matches!(portal.state, State::Ready);
        let statement = portal.statement_name.clone();
        let step = if again { Step::Fetch(&statement, name) } else { Step::Execute(&statement, name) };
        let types = p.param_types.borrow().clone();
        self.log_statement(
            step,
            &p.source,
            p.raw().map(|r| &r.stmt).into_iter(),
            Some((&portal.params, &types)),
        );
        match self.execute_portal(&mut portal, limit) {
            Ok(Some(tag)) => {
                self.log_duration(step, &p.source, Some((&portal.params, &types)));
                drop(portal);
                if is_control {
                    self.engine.commit_command()?;
                } else {
                    self.engine.command_counter_increment()?;
                }
                let mut conn = self.conn.borrow_mut();
                self.write_notices(&mut conn);
                conn.out.command_complete(&tag);
                Ok(())
            }
            Ok(None) => {
                self.log_duration(step, &p.source, Some((&portal.params, &types)));
                self.conn.borrow_mut().out.portal_suspended();
                Ok(())
            }
            Err(e) => {
                portal.state = State::Failed;
                let values = self.params_of_error(&portal.params, &types);
                Err(match values {
                    None => e,
                    Some(v) if name.is_empty() => e.context(format!("unnamed portal with parameters: {v}")),
                    Some(v) => e.context(format!("portal \"{name}\" with parameters: {v}")),
                })
            }
        }
    }

    /// Runs a portal on; the tag when it is finished, `None` when the row limit stopped it.
    fn execute_portal(&self, portal: &mut Portal, limit: u64) -> Result<Option<String>> {
        match &portal.state {
            State::Done { tag } if !portal.columns.is_empty() || tag.starts_with("SELECT") => {
                return Ok(Some(finished_tag(tag)));
            }
            State::Done { .. } | State::Failed => {
                bail!(OBJECT_NOT_IN_PREREQUISITE_STATE, "portal \"{}\" cannot be run", portal.name)
            }
            _ => {}
        }
        let prepared = portal.prepared.clone();
        if prepared.raw().is_some_and(|r| ends_failed_block(&r.stmt)) {
            return self.execute_statement_portal(portal);
        }
        let a = self.analysis(&prepared, false)?;
        let Work::Query(q) = &a.work else { return self.execute_statement_portal(portal) };
        if matches!(portal.state, State::Ready | State::Planned { .. }) {
            self.check_read_only(q)?;
            portal.start(self)?;
        }
        if limit == u64::MAX || portal.columns.is_empty() && q.command != analyze::query::CmdType::Select {
            // The common case: everything at once.
            if let Some(run) = portal.take_fresh_run(self) {
                let tag = self.send_run(&prepared, &a, q, run, &portal.formats, Description::Omit)?;
                portal.state = State::Done { tag: tag.clone() };
                return Ok(Some(tag));
            }
        }
        if q.command != analyze::query::CmdType::Select {
            // A statement that changes data runs to its end whatever the client fetches.
            portal.materialize(self)?;
        }
        self.fetch_and_send(portal, limit)
    }

    /// Statements that are no queries run in one go.
    fn execute_statement_portal(&self, portal: &mut Portal) -> Result<Option<String>> {
        let prepared = portal.prepared.clone();
        let tag = self.run_statement(&prepared, &portal.params, &portal.formats, Description::Omit)?;
        portal.state = State::Done { tag: tag.clone() };
        Ok(Some(tag))
    }

    fn fetch_and_send(&self, portal: &mut Portal, limit: u64) -> Result<Option<String>> {
        let types: Vec<Oid> = portal.columns.iter().map(|c| c.type_oid).collect();
        let format = self.row_format(&types, &portal.formats)?;
        let count = i64::try_from(limit).unwrap_or(parser::ast::FETCH_ALL);
        let mut send = |row: &super::portal::Row| {
            let mut conn = self.conn.borrow_mut();
            self.write_notices(&mut conn);
            format.write_row(self, &mut conn, row)
        };
        let n = portal.fetch(self, parser::ast::FetchDirection::Forward, count, &mut send)?;
        if n == limit {
            return Ok(None);
        }
        let a = self.analysis(&portal.prepared, false)?;
        let tag = match &a.work {
            Work::Query(q) => query_tag(q.command, n),
            _ => format!("SELECT {n}"),
        };
        portal.stop(self, State::Done { tag: tag.clone() });
        Ok(Some(tag))
    }

    pub(super) fn close_message(&self, target: Target, name: &str) {
        match target {
            Target::Statement => {
                self.prepared.borrow_mut().remove(name);
            }
            Target::Portal => self.drop_portal(name),
        }
        self.conn.borrow_mut().out.close_complete();
    }

    /// Sync: the implicit transaction ends.
    pub(super) fn sync_message(&self) -> Result<()> {
        self.engine.end_implicit_block();
        if self.engine.in_transaction() || self.engine.is_aborted_block() {
            self.engine.commit_command()?;
        }
        Ok(())
    }
}

/// `SELECT` without a target list returns rows without columns.
fn returns_empty_rows(a: &Analysis) -> bool {
    matches!(&a.work, Work::Query(q) if q.command == analyze::query::CmdType::Select)
}

/// What a finished portal says when executed again: the same command, no rows.
fn finished_tag(tag: &str) -> String {
    match tag.rsplit_once(' ') {
        Some((head, n)) if n.bytes().all(|b| b.is_ascii_digit()) => format!("{head} 0"),
        _ => tag.to_string(),
    }
}

/// Names the parameter in the error about bytes left over.
fn in_parameter(mut e: Error, i: usize) -> Error {
    let message = &mut e.report_mut().message;
    if message == "incorrect binary data format" {
        message.push_str(&format!(" in bind parameter {}", i + 1));
    }
    e
}

fn param_context(i: usize, portal: &str, format: i16, bytes: &[u8]) -> String {
    let n = i + 1;
    let portal =
        if portal.is_empty() { "unnamed portal".to_string() } else { format!("portal \"{portal}\"") };
    if format == 0 {
        let text = String::from_utf8_lossy(&bytes[..bytes.len().min(64)]);
        format!("{portal} parameter ${n} = '{text}'")
    } else {
        format!("{portal} parameter ${n}")
    }
}
