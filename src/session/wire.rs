//! The message loop of a session, and what an error does to it.

use super::Session;
use super::function_call::Call;
use super::logging::Step;
use commands::query_ids::QueryIds;
use common::{Error, Oid, Result, Severity};
use ipc::activity::State;
use ipc::interrupts::TimerId;
use protocol::frontend::{self, Frontend};
use protocol::writer::TransactionStatus;

/// Largest buffer for a message that is kept for the next one.
const KEPT_MESSAGE_BYTES: usize = 16 * 1024;

/// Settings read without a look-up by name, and the version of the settings they are from.
#[derive(Clone, Copy)]
pub struct Often {
    version: u64,
    statement_timeout: i64,
    client_check: i64,
    idle_session_timeout: i64,
    idle_in_transaction_timeout: i64,
    update_title: bool,
    track_activities: bool,
    pub query_ids: bool,
    /// `plan_cache_mode = force_custom_plan`.
    pub custom_plans: bool,
    /// One of `log_parser_stats` and its kin is on.
    pub usage: bool,
    /// One of `debug_print_parse` and its kin is on.
    pub print_trees: bool,
    pub lex: parser::LexOptions,
    pub track: super::statement_stats::Track,
}

impl Often {
    /// Of no version.
    pub const NONE: Often = Often {
        version: u64::MAX,
        statement_timeout: 0,
        client_check: 0,
        idle_session_timeout: 0,
        idle_in_transaction_timeout: 0,
        update_title: false,
        track_activities: true,
        query_ids: false,
        custom_plans: false,
        usage: false,
        print_trees: false,
        lex: parser::LexOptions { plain_strings: true, warn_escapes: true, backslash_quote: true },
        track: super::statement_stats::Track::NONE,
    };
}

/// How the loop ended.
enum Flow {
    Continue,
    /// ReadyForQuery is due.
    Ready,
    Stop,
}

impl Session {
    /// Serves the client until it leaves. An error that comes back has been sent to the client and ends the session.
    pub fn serve(&self) -> Result<()> {
        let mut ready = true;
        loop {
            let mut at_rest = false;
            if ready {
                if let Err(e) = self.send_ready() {
                    return self.end_with(e);
                }
                ready = false;
                at_rest = !self.engine.in_block();
            }
            let step = self.contained(|| self.next_message(at_rest));
            match step {
                Ok(Flow::Continue) => {}
                Ok(Flow::Ready) => ready = true,
                Ok(Flow::Stop) => return Ok(()),
                Err(e) if e.report().severity >= Severity::Fatal => return self.end_with(e),
                Err(e) if self.settings.borrow().bool("exit_on_error") => return self.end_with(e.fatal()),
                Err(e) => {
                    ready = self.recover(e)?;
                }
            }
        }
    }

    /// A panic in the program becomes an error of the statement. Where it could have left shared memory half changed, the
    /// hook of [`crate::backend`] has ended the process before anything was unwound.
    pub(super) fn contained<T>(&self, f: impl FnOnce() -> Result<T>) -> Result<T> {
        match std::panic::catch_unwind(std::panic::AssertUnwindSafe(f)) {
            Ok(r) => r,
            Err(payload) => {
                let text = payload
                    .downcast_ref::<String>()
                    .map(String::as_str)
                    .or_else(|| payload.downcast_ref::<&str>().copied())
                    .unwrap_or("unknown panic");
                Err(Error::internal(text.to_string()))
            }
        }
    }

    fn send_ready(&self) -> Result<()> {
        self.report_settings();
        let (status, state) = match self.engine.status_byte() {
            b'T' => (TransactionStatus::InTransaction, State::IdleInTransaction),
            b'E' => (TransactionStatus::Failed, State::IdleInTransactionAborted),
            _ => (TransactionStatus::Idle, State::Idle),
        };
        if status == TransactionStatus::Idle {
            self.engine.accept_invalidations();
        }
        {
            let mut conn = self.conn.borrow_mut();
            self.write_notices(&mut conn);
            if status == TransactionStatus::Idle {
                self.write_notifications(&mut conn.out)?;
            }
            conn.out.ready_for_query(status);
            conn.flush()?;
        }
        let activity = &self.engine.proc().activity;
        if self.often().track_activities {
            activity.state(ipc::clock::now(), state);
        } else {
            activity.disable();
        }
        self.count_time(state);
        self.set_title(state.as_str().unwrap_or("idle"));
        self.engine.interrupts().disarm(TimerId::ClientCheck);
        *self.source.borrow_mut() = self.no_source.clone();
        self.arm_idle_timeout(status);
        Ok(())
    }

    fn arm_idle_timeout(&self, status: TransactionStatus) {
        let often = self.often();
        let (id, ms) = match status {
            TransactionStatus::Idle => (TimerId::IdleSession, often.idle_session_timeout),
            _ => (TimerId::IdleInTransaction, often.idle_in_transaction_timeout),
        };
        if ms > 0 {
            self.engine.interrupts().arm(id, ms);
        }
    }

    /// The client's next message, read and acted upon.
    fn next_message(&self, at_rest: bool) -> Result<Flow> {
        self.at_rest.set(at_rest);
        self.between_messages.set(true);
        let message = self.conn.borrow_mut().read_message();
        self.between_messages.set(false);
        self.at_rest.set(false);
        // A cancel that came before the message was for a statement that is over.
        let ints = self.engine.interrupts();
        if ints.peek(ipc::signals::CANCEL) != 0 {
            ints.take(ipc::signals::CANCEL);
        }
        let Some(kind) = message? else { return Ok(Flow::Stop) };
        self.engine.interrupts().disarm(TimerId::IdleSession);
        self.engine.interrupts().disarm(TimerId::IdleInTransaction);
        if self.skip_to_sync.get() && !matches!(kind, b'S' | b'X') {
            return Ok(Flow::Continue);
        }
        self.in_extended_message.set(matches!(kind, b'P' | b'B' | b'D' | b'E' | b'C'));
        if matches!(kind, b'Q' | b'P' | b'B' | b'E' | b'F') {
            self.begin_statement();
            self.log_begin();
        }
        // The connection is needed while the message is acted upon: it is worked on in a buffer that lasts.
        let mut body = self.message.take();
        body.clear();
        self.message_body(kind, &mut body)?;
        let flow = self.act_on(kind, &body);
        if body.capacity() <= KEPT_MESSAGE_BYTES {
            self.message.replace(body);
        }
        flow
    }

    fn act_on(&self, kind: u8, body: &[u8]) -> Result<Flow> {
        match frontend::decode(kind, body)? {
            Frontend::Query(sql) => {
                self.show_query(sql);
                self.fail_on_demand();
                self.simple_query(sql)?;
                self.log_duration(Step::Statement, sql, None);
                self.engine.interrupts().disarm(TimerId::Statement);
                return Ok(Flow::Ready);
            }
            Frontend::Parse { name, sql, param_types } => {
                self.show_query(sql);
                self.parse_message(name, sql, param_types.into_iter().map(Oid).collect())?;
                self.log_duration(Step::Parse(name), sql, None);
            }
            Frontend::Bind(b) => {
                self.bind_message(&b)?;
                self.log_bind(b.statement, b.portal);
            }
            Frontend::Describe(target, name) => self.describe_message(target, name)?,
            Frontend::Execute { portal, max_rows } => {
                self.show_portal_query(portal);
                self.execute_message(portal, max_rows)?;
            }
            Frontend::Close(target, name) => self.close_message(target, name),
            Frontend::Sync => {
                self.skip_to_sync.set(false);
                self.sync_message()?;
                self.engine.interrupts().disarm(TimerId::Statement);
                return Ok(Flow::Ready);
            }
            Frontend::Flush => self.conn.borrow_mut().flush()?,
            Frontend::Terminate => return Ok(Flow::Stop),
            // Left over from a COPY that failed.
            Frontend::CopyData(_) | Frontend::CopyDone | Frontend::CopyFail(_) => {}
            Frontend::FunctionCall { oid, formats, args, result_format } => {
                self.function_call(&Call { function: Oid(oid), formats, args, result_format })?;
                self.engine.interrupts().disarm(TimerId::Statement);
                return Ok(Flow::Ready);
            }
            Frontend::Password(_) => {
                return Err(common::err!(PROTOCOL_VIOLATION, "invalid frontend message type 112").fatal());
            }
        }
        Ok(Flow::Continue)
    }

    /// Appends the body of the message read last, its strings in UTF-8.
    fn message_body(&self, kind: u8, out: &mut Vec<u8>) -> Result<()> {
        let conn = self.conn.borrow();
        match conn.out.encoding() {
            None => out.extend_from_slice(conn.body()),
            Some(e) => *out = protocol::transcode::to_utf8(e, kind, conn.body())?,
        }
        Ok(())
    }

    pub(super) fn begin_statement(&self) {
        self.engine.set_statement_timestamp(ipc::clock::now());
        let often = self.often();
        let (ms, check) = (often.statement_timeout, often.client_check);
        if check > 0 {
            self.engine.interrupts().arm(TimerId::ClientCheck, check);
        }
        if ms > 0 && !self.engine.interrupts().is_armed(TimerId::Statement) {
            self.engine.interrupts().arm(TimerId::Statement, ms);
        }
    }

    pub(super) fn show_query(&self, sql: &str) {
        let a = &self.engine.proc().activity;
        if !self.often().track_activities {
            a.disable();
            return;
        }
        let now = self.engine.statement_timestamp();
        a.query(now, sql);
        self.count_time(State::Active);
        self.set_title(command_word(sql));
    }

    fn show_portal_query(&self, name: &str) {
        if let Some(p) = self.portal(name)
            && let Ok(p) = p.try_borrow()
        {
            self.show_query(&p.prepared.source.clone());
        }
    }

    fn set_title(&self, state: &'static str) {
        if self.log.wants_tag.get() {
            crate::log::update(|w| w.command_tag = state);
        }
        let mut title = self.title_text.borrow_mut();
        if !self.often().update_title || title.1 == state {
            return;
        }
        if title.0.is_empty() {
            let i = &self.identity;
            title.0 = format!("postgres: {} {} {} ", i.user_name, i.database_name, i.remote);
        }
        let fixed = title.0.len();
        title.0.push_str(state);
        self.title.set(&title.0);
        title.0.truncate(fixed);
        title.1 = state;
    }

    /// The settings that every message asks for.
    pub(super) fn often(&self) -> Often {
        let s = self.settings.borrow();
        let known = self.often.get();
        if known.version == s.version() {
            return known;
        }
        let fresh = Often {
            version: s.version(),
            statement_timeout: s.int("statement_timeout"),
            client_check: s.int("client_connection_check_interval"),
            idle_session_timeout: s.int("idle_session_timeout"),
            idle_in_transaction_timeout: s.int("idle_in_transaction_session_timeout"),
            update_title: s.bool("update_process_title"),
            track_activities: s.bool("track_activities"),
            query_ids: QueryIds::of(&s) != QueryIds::Off,
            custom_plans: s.text("plan_cache_mode") == "force_custom_plan",
            usage: ["statement", "parser", "planner", "executor"]
                .iter()
                .any(|what| s.bool(&format!("log_{what}_stats"))),
            print_trees: ["parse", "rewritten", "plan"]
                .iter()
                .any(|what| s.bool(&format!("debug_print_{what}"))),
            lex: super::settings::lex_options(&s),
            track: self.track_by(&s),
        };
        self.often.set(fresh);
        fresh
    }

    /// After an error: the transaction is aborted, the client told. Says whether ReadyForQuery follows at once.
    pub(super) fn recover(&self, e: Error) -> Result<bool> {
        let extended = self.in_extended_message.get();
        self.engine.interrupts().disarm(TimerId::Statement);
        // A cancel that arrived meanwhile was for the statement that has failed already.
        self.engine.interrupts().take(ipc::signals::CANCEL);
        let e = dialect::with_hint(e, &self.source.borrow());
        self.report_error(&e);
        self.engine.abort_command();
        self.apply_settings();
        if extended {
            self.skip_to_sync.set(true);
            // The error reaches the client now, not when it sends Sync.
            self.conn.borrow_mut().flush()?;
            return Ok(false);
        }
        Ok(true)
    }

    /// Sends an error to the client and the log.
    pub(super) fn report_error(&self, e: &Error) {
        let r = e.report();
        crate::log::report(r, Some(&self.source.borrow()));
        let position = r.position.map(|p| protocol::writer::char_position(&self.source.borrow(), p));
        let mut conn = match self.conn.try_borrow_mut() {
            Ok(c) => c,
            // An error out of the connection itself: nobody can be told.
            Err(_) => return,
        };
        self.write_notices(&mut conn);
        conn.out.report(r, position);
    }

    fn end_with(&self, e: Error) -> Result<()> {
        self.count_end(&e);
        self.report_error(&e);
        self.engine.abort_any();
        // The client may be gone; nothing more can be done about it.
        let _ = self.conn.borrow_mut().flush();
        Err(e)
    }

    /// The latch was set while the session waited for its client. Returns what is to be sent at once.
    pub(super) fn on_wake(&self) -> Result<Vec<u8>> {
        let ints = self.engine.interrupts();
        if self.between_messages.get() {
            // Nothing runs that a cancel could be for.
            ints.take(ipc::signals::CANCEL);
        }
        if !self.engine.in_block() && ints.take(ipc::signals::CATCHUP) != 0 {
            self.engine.accept_invalidations();
        }
        if ints.take(ipc::signals::RELOAD) != 0 {
            self.reload_settings();
        }
        ints.check()?;
        let mut out = protocol::Writer::default();
        if self.at_rest.get() && ints.take(ipc::signals::NOTIFY) != 0 {
            self.write_notifications(&mut out)?;
        }
        Ok(out.pending().to_vec())
    }

    pub(super) fn reload_settings(&self) {
        let mut s = self.settings.borrow_mut();
        crate::config::reload(&mut s, crate::config::Reader::Child);
        drop(s);
        self.apply_settings();
    }

    /// The end of the session: whatever runs is aborted, whatever is held is given back.
    pub fn close(&self) {
        self.log_disconnection();
        self.count_time(State::Idle);
        self.engine.abort_any();
        self.drop_all_cursors();
        if self.catalog.temp().namespace().is_some()
            && let Err(e) = self.remove_temp_objects()
        {
            self.engine.abort_any();
            crate::log::report(e.report(), None);
        }
    }

    fn remove_temp_objects(&self) -> Result<()> {
        self.engine.start_command()?;
        self.engine.transaction_snapshot()?;
        self.superuser.set(true);
        self.with_commands(commands::temp::remove_all)?;
        self.engine.commit_command()
    }
}

/// What `ps` shows of a running statement: its first word, upper case.
fn command_word(sql: &str) -> &'static str {
    const WORDS: [&str; 30] = [
        "SELECT",
        "INSERT",
        "UPDATE",
        "DELETE",
        "BEGIN",
        "COMMIT",
        "ROLLBACK",
        "COPY",
        "VACUUM",
        "ANALYZE",
        "CREATE",
        "DROP",
        "ALTER",
        "TRUNCATE",
        "SET",
        "SHOW",
        "FETCH",
        "DECLARE",
        "CLOSE",
        "PREPARE",
        "EXECUTE",
        "EXPLAIN",
        "CHECKPOINT",
        "LOCK",
        "GRANT",
        "REVOKE",
        "SAVEPOINT",
        "RELEASE",
        "START",
        "WITH",
    ];
    let word = sql.trim_start();
    let n = word.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(word.len());
    let found = WORDS.iter().find(|w| w.eq_ignore_ascii_case(&word[..n]));
    match found {
        Some(&"WITH") => "SELECT",
        Some(&"END") => "COMMIT",
        Some(w) => w,
        None => "active",
    }
}
