//! A session without a client: background workers and the single-user mode. It runs statements as the simple protocol does;
//! what would go to the client is handed to whoever runs them, message by message.

use super::{Identity, Session, socket::ClientSocket};
use crate::server::registry::Knowledge;
use catalog::Catalog;
use catalog::columns::{pg_authid, pg_database};
use common::settings::Settings;
use common::{Error, Oid, Result, Severity, bail, err};
use protocol::Connection;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::atomic::Ordering::Relaxed;

/// The bootstrap superuser.
const BOOTSTRAP_ROLE: Oid = Oid(10);

/// Takes one message of the protocol: its kind and body.
pub type Sink<'a> = &'a mut dyn FnMut(u8, &[u8]);

/// Bytes a session without a client has sent.
pub type Sent = Rc<RefCell<Vec<u8>>>;

/// Whom a session is for.
pub struct LocalUser<'a> {
    /// `None`: shared catalogs only.
    pub database: Option<&'a str>,
    /// `None`: the bootstrap superuser.
    pub role: Option<&'a str>,
    /// May connect where nobody may (single-user mode).
    pub override_allow: bool,
}

fn identify(catalog: &Catalog, who: &LocalUser<'_>) -> Result<Identity> {
    let row = match who.role {
        Some(name) => catalog.role_row(name)?.ok_or_else(|| {
            err!(INVALID_AUTHORIZATION_SPECIFICATION, "role \"{name}\" does not exist").fatal()
        })?,
        None => {
            let rows =
                catalog.scan(pg_authid::TABLE, pg_authid::OID_INDEX, &[types::Datum::oid(BOOTSTRAP_ROLE)])?;
            rows.into_iter().next().ok_or_else(|| Error::internal("there is no bootstrap superuser"))?
        }
    };
    let (name, role) = (row.str(pg_authid::ROLNAME).to_string(), row.oid(pg_authid::OID));
    if who.role.is_some() && !who.override_allow && !row.bool(pg_authid::ROLCANLOGIN) {
        return Err(
            err!(INVALID_AUTHORIZATION_SPECIFICATION, "role \"{name}\" is not permitted to log in").fatal()
        );
    }
    let (database, database_name) = match who.database {
        None => (Oid::INVALID, String::new()),
        Some(d) => {
            let Some(row) = catalog.database_row(d)? else {
                return Err(err!(UNDEFINED_DATABASE, "database \"{d}\" does not exist").fatal());
            };
            if !who.override_allow && !row.bool(pg_database::DATALLOWCONN) {
                bail!(
                    OBJECT_NOT_IN_PREREQUISITE_STATE,
                    "database \"{d}\" is not currently accepting connections"
                );
            }
            (row.oid(pg_database::OID), d.to_string())
        }
    };
    Ok(Identity {
        authenticated: role,
        authenticated_is_superuser: row.bool(pg_authid::ROLSUPER),
        user_name: name,
        database,
        database_name,
        remote: String::new(),
        client_addr: None,
    })
}

impl Session {
    /// A session without a client.
    pub fn local(
        engine: &Rc<transam::Engine>,
        knowledge: Knowledge,
        settings: &Settings,
        who: &LocalUser<'_>,
    ) -> Result<(Rc<Session>, Sent)> {
        engine.start_command()?;
        engine.transaction_snapshot()?;
        let global = Catalog::new(engine.clone(), knowledge.builtins, knowledge.registry, Oid::INVALID);
        let identity = identify(&global, who)?;
        engine.proc().database.store(identity.database.0, Relaxed);
        engine.proc().role.store(identity.authenticated.0, Relaxed);
        let catalog = Catalog::new(engine.clone(), knowledge.builtins, knowledge.registry, identity.database);
        let mut settings = settings.clone();
        settings.set_initial("client_encoding", "UTF8", common::settings::Source::DynamicDefault)?;
        super::stored_settings(&mut settings, &catalog, identity.authenticated)?;
        settings.set_internal("server_encoding", "UTF8")?;
        settings.set_internal("session_authorization", &identity.user_name)?;
        let superuser = if identity.authenticated_is_superuser { "on" } else { "off" };
        settings.set_internal("is_superuser", superuser)?;
        engine.commit_command()?;
        let sent = Sent::default();
        let socket = ClientSocket::nobody(engine.interrupts_rc(), sent.clone())?;
        let title = ipc::title::Title::none();
        let session =
            Session::new(engine.clone(), catalog, Connection::new(socket), settings, identity, title);
        session.report_settings();
        session.conn.borrow_mut().flush()?;
        sent.borrow_mut().clear();
        Ok((session, sent))
    }

    /// Runs statements and hands over what they answer. An error has ended the transaction as it does for a client, and has
    /// been logged; one that is FATAL ends the session.
    pub fn run_local(&self, sql: &str, sent: &Sent, sink: Sink<'_>) -> Result<()> {
        self.begin_statement();
        self.log_begin();
        self.show_query(sql);
        let mut done = self.contained(|| self.simple_query(sql));
        if done.is_ok() {
            self.log_duration(super::logging::Step::Statement, sql, None);
            self.engine.interrupts().disarm(ipc::interrupts::TimerId::Statement);
        }
        if let Err(e) = &done {
            if e.report().severity >= Severity::Fatal {
                // Whoever runs the session says what ended it in its own words.
                if e.sqlstate() != common::SqlState::ADMIN_SHUTDOWN {
                    self.report_error(e);
                }
                self.engine.abort_any();
            } else {
                // The same as for a client; nothing is left to be sent later.
                let e = e.clone();
                self.recover(e)?;
            }
        }
        let flushed = self.conn.borrow_mut().flush();
        deliver(&mut sent.borrow_mut(), sink);
        self.engine.proc().activity.state(ipc::clock::now(), ipc::activity::State::Idle);
        if done.is_ok() {
            done = flushed;
        }
        done
    }

    /// The settings in force.
    pub fn settings(&self) -> std::cell::Ref<'_, Settings> {
        self.settings.borrow()
    }

    /// Reads the configuration files again, as at SIGHUP.
    pub fn reload(&self) {
        self.reload_settings();
    }
}

/// Takes whole messages out of what was sent.
fn deliver(bytes: &mut Vec<u8>, sink: Sink<'_>) {
    let mut at = 0;
    while let Some(head) = bytes.get(at..at + 5) {
        let len = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
        let Some(body) = bytes.get(at + 5..at + 1 + len) else { break };
        sink(head[0], body);
        at += 1 + len;
    }
    bytes.clear();
}

/// The values of a DataRow as text; `None` is NULL.
pub fn row_values(body: &[u8]) -> Vec<Option<&str>> {
    let mut out = Vec::new();
    let mut rest = body.get(2..).unwrap_or(&[]);
    while let Some((len, after)) = rest.split_at_checked(4) {
        let len = i32::from_be_bytes([len[0], len[1], len[2], len[3]]);
        match usize::try_from(len).ok().and_then(|n| after.split_at_checked(n)) {
            Some((v, next)) => {
                out.push(Some(std::str::from_utf8(v).unwrap_or("")));
                rest = next;
            }
            None => {
                out.push(None);
                rest = after;
            }
        }
    }
    out
}
