//! Who is there, and may they come in: `pg_hba.conf`, password exchanges, certificates, role and database checks.

use super::socket::ClientSocket;
use super::surroundings::World;
use crate::postmaster::Access;
use catalog::CatRow;
use catalog::Catalog;
use catalog::columns::{pg_authid, pg_database};
use common::{Error, Oid, Result, SqlState, bail, err};
use protocol::auth as codes;
use protocol::frontend::Frontend;
use protocol::hba::{self, Candidate, ClientCert, Method, Origin, Rule};
use protocol::scram::{Channel, Exchange, MECHANISM, MECHANISM_PLUS, Outcome};
use protocol::{Connection, StartupPacket};
use std::net::SocketAddr;
use std::sync::atomic::Ordering::Relaxed;
use types::Datum;

/// The result: who and where.
pub struct Admission {
    pub role: Oid,
    pub superuser: bool,
    pub database: Oid,
}

/// One attempt to come in.
pub struct Attempt<'a> {
    pub access: &'a Access,
    pub hba_file: &'a str,
    pub log_connections: bool,
    pub packet: &'a StartupPacket,
    pub peer: Option<SocketAddr>,
    pub local: Option<SocketAddr>,
}

type Conn = Connection<ClientSocket>;

/// Authenticates the client and finds role and database. Runs inside a transaction; errors are FATAL.
pub fn authenticate(conn: &mut Conn, catalog: &Catalog, a: &Attempt<'_>) -> Result<Admission> {
    let packet = a.packet;
    let row = catalog.role_row(&packet.user)?;
    let origin = match a.peer {
        None => Origin::Local,
        Some(p) => Origin::Host { addr: p.ip(), tls: conn.tls().is_some() },
    };
    let candidate = Candidate {
        origin,
        database: &packet.database,
        user: &packet.user,
        physical_replication: packet.is_physical_replication(),
    };
    let world = World { catalog, role: row.as_ref() };
    let Some(rule) = hba::find(&a.access.rules, &candidate, &world) else {
        return Err(a.refusal(conn, "no pg_hba.conf entry for"));
    };
    a.prove(conn, rule, row.as_ref())?;
    let Some(row) = row else {
        bail_fatal(err!(INVALID_AUTHORIZATION_SPECIFICATION, "role \"{}\" does not exist", packet.user))?
    };
    admit_role(catalog, packet, &row)
}

/// Role and database, once it is known who is there.
fn admit_role(catalog: &Catalog, packet: &StartupPacket, row: &CatRow) -> Result<Admission> {
    if !row.bool(pg_authid::ROLCANLOGIN) {
        bail_fatal(err!(
            INVALID_AUTHORIZATION_SPECIFICATION,
            "role \"{}\" is not permitted to log in",
            packet.user
        ))?
    }
    let superuser = row.bool(pg_authid::ROLSUPER);
    let database = find_database(catalog, packet, superuser)?;
    let role = row.oid(pg_authid::OID);
    if !superuser && commands::aclcheck::database_mask(catalog, database, role, commands::acl::CONNECT)? == 0
    {
        let e = err!(INSUFFICIENT_PRIVILEGE, "permission denied for database \"{}\"", packet.database);
        bail_fatal(e.detail("User does not have CONNECT privilege."))?
    }
    let limit = row.i32(pg_authid::ROLCONNLIMIT);
    if limit >= 0 && !superuser {
        let used = catalog.engine().procs().live().filter(|p| p.role.load(Relaxed) == role.0).count();
        if used >= limit as usize {
            bail!(TOO_MANY_CONNECTIONS, "too many connections for role \"{}\"", packet.user);
        }
    }
    Ok(Admission { role, superuser, database })
}

fn bail_fatal<T>(e: Error) -> Result<T> {
    Err(e.fatal())
}

/// Is the role's password past its VALID UNTIL?
fn is_expired(row: &CatRow) -> bool {
    matches!(row.values.get(pg_authid::ROLVALIDUNTIL), Some(Datum::I64(until)) if *until < ipc::clock::now())
}

/// How a proof came out.
enum Proof {
    /// Who the client showed to be, for the log.
    Identity(String),
    /// Let in without a proof.
    Trusted,
    /// Why not, for the log.
    Failed(String),
}

impl Attempt<'_> {
    fn refusal(&self, conn: &Conn, what: &str) -> Error {
        let p = self.packet;
        let host = self.peer.map_or_else(|| "[local]".to_string(), |a| a.ip().to_string());
        let how = if conn.tls().is_some() { "SSL encryption" } else { "no encryption" };
        let text = if p.is_physical_replication() {
            format!("{what} replication connection from host \"{host}\", user \"{}\", {how}", p.user)
        } else {
            let (user, db) = (&p.user, &p.database);
            format!("{what} host \"{host}\", user \"{user}\", database \"{db}\", {how}")
        };
        Error::new(SqlState::INVALID_AUTHORIZATION_SPECIFICATION, text).fatal()
    }

    fn prove(&self, conn: &mut Conn, rule: &Rule, row: Option<&CatRow>) -> Result<()> {
        let user = &self.packet.user;
        if rule.method == Method::Reject {
            return Err(self.refusal(conn, "pg_hba.conf rejects connection for"));
        }
        self.check_certificate(conn, rule)?;
        let mut proof = match rule.method {
            Method::Trust | Method::Reject => Proof::Trusted,
            Method::Password | Method::Md5 | Method::ScramSha256 => self.password(conn, rule.method, row)?,
            Method::Peer => self.mapped(rule, peer_name(conn)?),
            Method::Ident => self.ident(rule),
            Method::Cert => Proof::Trusted,
        };
        if rule.client_cert == ClientCert::VerifyFull && !matches!(proof, Proof::Failed(_)) {
            let by_name = self.certificate_name(conn, rule);
            if rule.method == Method::Cert || matches!(by_name, Proof::Failed(_)) {
                proof = by_name;
            }
        }
        let place = format!("{}:{}", self.hba_file, rule.line);
        match proof {
            Proof::Identity(who) if self.log_connections => {
                let method = rule.method.as_str();
                let text = format!("connection authenticated: identity=\"{who}\" method={method} ({place})");
                crate::log::line("LOG", &text);
            }
            Proof::Identity(_) | Proof::Trusted => {}
            Proof::Failed(why) => {
                let (state, text) = match rule.method {
                    Method::Peer => (false, "Peer authentication failed for user"),
                    Method::Ident => (false, "Ident authentication failed for user"),
                    Method::Cert => (false, "certificate authentication failed for user"),
                    Method::Trust => (false, "\"trust\" authentication failed for user"),
                    _ => (true, "password authentication failed for user"),
                };
                let state = if state {
                    SqlState::INVALID_PASSWORD
                } else {
                    SqlState::INVALID_AUTHORIZATION_SPECIFICATION
                };
                let why = if why.is_empty() { why } else { format!("{why}\n") };
                let line = format!("Connection matched pg_hba.conf line {}: \"{}\"", rule.line, rule.raw);
                return Err(Error::new(state, format!("{text} \"{user}\""))
                    .detail_log(format!("{why}{line}"))
                    .fatal());
            }
        }
        conn.out.authentication(codes::AUTH_OK, &[]);
        Ok(())
    }

    /// The client's certificate, where the rule wants one; TLS has verified it by then.
    fn check_certificate(&self, conn: &Conn, rule: &Rule) -> Result<()> {
        if rule.client_cert == ClientCert::Off {
            return Ok(());
        }
        if !self.access.tls.as_ref().is_some_and(|t| t.has_ca) {
            return bail_fatal(err!(
                CONFIG_FILE_ERROR,
                "client certificates can only be checked if a root certificate store is available"
            ));
        }
        if conn.tls().and_then(|t| t.peer()).is_none() {
            return bail_fatal(err!(
                INVALID_AUTHORIZATION_SPECIFICATION,
                "connection requires a valid client certificate"
            ));
        }
        Ok(())
    }

    fn certificate_name(&self, conn: &Conn, rule: &Rule) -> Proof {
        let Some(peer) = conn.tls().and_then(|t| t.peer()) else { return Proof::Failed(String::new()) };
        let name = if rule.client_name_dn { Some(peer.subject.clone()) } else { peer.common_name.clone() };
        let user = &self.packet.user;
        let Some(name) = name.filter(|n| !n.is_empty()) else {
            return Proof::Failed(format!(
                "certificate authentication failed for user \"{user}\": client certificate contains no user name"
            ));
        };
        match hba::check_map(&self.access.maps, rule.map.as_deref(), user, &name) {
            Ok(()) => Proof::Identity(peer.subject),
            Err(line) => {
                crate::log::line("LOG", &line);
                if rule.method != Method::Cert {
                    let text = format!(
                        "certificate validation (clientcert=verify-full) failed for user \"{user}\": CN mismatch"
                    );
                    crate::log::line("LOG", &text);
                }
                Proof::Failed(String::new())
            }
        }
    }

    fn password(&self, conn: &mut Conn, method: Method, row: Option<&CatRow>) -> Result<Proof> {
        let user = &self.packet.user;
        let stored = row.and_then(|r| r.text(pg_authid::ROLPASSWORD));
        let why = match (row, &stored) {
            (None, _) => format!("Role \"{user}\" does not exist."),
            (_, None) => format!("User \"{user}\" has no password assigned."),
            (Some(r), _) if is_expired(r) => format!("User \"{user}\" has an expired password."),
            _ => format!("Password does not match for user \"{user}\"."),
        };
        // An expired password is as good as none.
        let stored = stored.filter(|_| !row.is_some_and(is_expired));
        let stored = stored.as_deref();
        let ok = match method {
            Method::Password => {
                conn.out.authentication(codes::AUTH_CLEARTEXT, &[]);
                let given = read_password(conn)?;
                stored.is_some_and(|s| codes::plain_check(s, user, &given))
            }
            // md5 in the rules means: md5 if that is what is stored, else SCRAM.
            Method::Md5 if stored.is_some_and(codes::is_md5) => md5_exchange(conn, stored)?,
            _ => scram_exchange(conn, user, stored)?,
        };
        let why = match stored {
            Some(s) if !ok && method == Method::ScramSha256 && codes::is_md5(s) => {
                format!("User \"{user}\" does not have a valid SCRAM secret.")
            }
            _ => why,
        };
        Ok(if ok { Proof::Identity(user.clone()) } else { Proof::Failed(why) })
    }

    /// A system user, by the map of the rule.
    fn mapped(&self, rule: &Rule, system_user: Option<String>) -> Proof {
        let Some(name) = system_user else { return Proof::Failed(String::new()) };
        match hba::check_map(&self.access.maps, rule.map.as_deref(), &self.packet.user, &name) {
            Ok(()) => Proof::Identity(name),
            Err(line) => {
                crate::log::line("LOG", &line);
                Proof::Failed(String::new())
            }
        }
    }

    fn ident(&self, rule: &Rule) -> Proof {
        let (Some(peer), Some(local)) = (self.peer, self.local) else { return Proof::Failed(String::new()) };
        match super::ident::ask(peer, local) {
            Ok(name) => self.mapped(rule, Some(name)),
            Err(line) => {
                crate::log::line("LOG", &line);
                Proof::Failed(String::new())
            }
        }
    }
}

/// The body of a password message.
fn password_message(conn: &mut Conn) -> Result<Vec<u8>> {
    conn.flush()?;
    match conn.read_message()? {
        Some(b'p') => match conn.message(b'p')? {
            Frontend::Password(b) => Ok(b.to_vec()),
            other => Err(Error::internal(format!("{other:?} is not a password"))),
        },
        Some(k) => bail_fatal(err!(PROTOCOL_VIOLATION, "expected password response, got message type {k}")),
        // The client asks its user for the password and comes back.
        None => bail_fatal(err!(CONNECTION_FAILURE, "connection closed during authentication")),
    }
}

fn read_password(conn: &mut Conn) -> Result<String> {
    let body = password_message(conn)?;
    let text = body.strip_suffix(b"\0").unwrap_or(&body);
    if text.is_empty() {
        bail_fatal::<()>(err!(INVALID_PASSWORD, "empty password returned by client"))?;
    }
    Ok(String::from_utf8_lossy(text).into_owned())
}

fn md5_exchange(conn: &mut Conn, stored: Option<&str>) -> Result<bool> {
    let mut salt = [0; 4];
    protocol::scram::random(&mut salt)?;
    conn.out.authentication(codes::AUTH_MD5, &salt);
    let answer = read_password(conn)?;
    Ok(stored.is_some_and(|s| codes::md5_check(s, &salt, &answer)))
}

fn scram_exchange(conn: &mut Conn, user: &str, stored: Option<&str>) -> Result<bool> {
    let end_point = conn.tls().map(|t| t.end_point().to_vec());
    // Over TLS the mechanism that binds to the channel is offered first.
    let offer = match &end_point {
        Some(_) => format!("{MECHANISM_PLUS}\0{MECHANISM}\0\0"),
        None => format!("{MECHANISM}\0\0"),
    };
    conn.out.authentication(codes::AUTH_SASL, offer.as_bytes());
    let first = password_message(conn)?;
    let malformed = || err!(PROTOCOL_VIOLATION, "malformed SASL initial response").fatal();
    let nul = first.iter().position(|b| *b == 0).ok_or_else(malformed)?;
    let channel = match (&first[..nul], &end_point) {
        (m, Some(data)) if m == MECHANISM_PLUS.as_bytes() => Channel::Bound(data),
        (m, Some(_)) if m == MECHANISM.as_bytes() => Channel::Offered,
        (m, None) if m == MECHANISM.as_bytes() => Channel::None,
        _ => {
            return bail_fatal(err!(
                PROTOCOL_VIOLATION,
                "client selected an invalid SASL authentication mechanism"
            ));
        }
    };
    let rest = &first[nul + 1..];
    let (len, data) = rest.split_at_checked(4).ok_or_else(malformed)?;
    let len = i32::from_be_bytes([len[0], len[1], len[2], len[3]]);
    if usize::try_from(len).ok() != Some(data.len()) {
        return Err(malformed());
    }
    let (exchange, reply) = Exchange::start(user, stored, data, channel)?;
    conn.out.authentication(codes::AUTH_SASL_CONTINUE, &reply);
    let last = password_message(conn)?;
    match exchange.finish(&last)? {
        Outcome::Ok(reply) => {
            conn.out.authentication(codes::AUTH_SASL_FINAL, &reply);
            Ok(true)
        }
        Outcome::Wrong => Ok(false),
    }
}

/// The operating-system user at the other end of the socket.
fn peer_name(conn: &Conn) -> Result<Option<String>> {
    let uid = conn.transport.peer_uid()?;
    let name = nix::unistd::User::from_uid(uid).ok().flatten().map(|u| u.name);
    if name.is_none() {
        crate::log::line("LOG", &format!("could not look up local user ID {uid}: user does not exist"));
    }
    Ok(name)
}

fn find_database(catalog: &Catalog, packet: &StartupPacket, superuser: bool) -> Result<Oid> {
    let Some(db) = catalog.database_row(&packet.database)? else {
        return bail_fatal(err!(UNDEFINED_DATABASE, "database \"{}\" does not exist", packet.database));
    };
    if !db.bool(pg_database::DATALLOWCONN) {
        return bail_fatal(err!(
            OBJECT_NOT_IN_PREREQUISITE_STATE,
            "database \"{}\" is not currently accepting connections",
            packet.database
        ));
    }
    let limit = db.i32(pg_database::DATCONNLIMIT);
    let oid = db.oid(pg_database::OID);
    if limit >= 0 && !superuser {
        let used = catalog.engine().procs().live().filter(|p| p.database() == oid).count();
        if used >= limit as usize {
            bail!(TOO_MANY_CONNECTIONS, "too many connections for database \"{}\"", packet.database);
        }
    }
    Ok(oid)
}
