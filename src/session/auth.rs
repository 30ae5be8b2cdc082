//! Who is there, and may they come in: `pg_hba.conf`, password exchanges, role and database checks.

use super::socket::ClientSocket;
use catalog::CatRow;
use catalog::Catalog;
use catalog::columns::{pg_authid, pg_database};
use common::{Error, Oid, Result, bail, err};
use protocol::auth as codes;
use protocol::frontend::Frontend;
use protocol::hba::{self, Method, Origin, Rule};
use protocol::scram::{Exchange, MECHANISM, Outcome};
use protocol::{Connection, StartupPacket};
use std::sync::atomic::Ordering::Relaxed;
use types::Datum;

/// The result: who and where.
pub struct Admission {
    pub role: Oid,
    pub superuser: bool,
    pub database: Oid,
}

/// Authenticates the client and finds role and database. Runs inside a transaction; errors are FATAL.
pub fn authenticate(
    conn: &mut Connection<ClientSocket>,
    catalog: &Catalog,
    rules: &[Rule],
    origin: &Origin,
    packet: &StartupPacket,
) -> Result<Admission> {
    let row = catalog.role_row(&packet.user)?;
    let is_member = |group: &str| -> bool {
        let (Some(r), Ok(Some(g))) = (&row, catalog.role_oid(group)) else { return false };
        commands::roles::is_member(catalog, r.oid(pg_authid::OID), g).unwrap_or(false)
    };
    let Some(rule) = hba::find(rules, origin, &packet.database, &packet.user, &is_member) else {
        return Err(no_entry(origin, packet));
    };
    prove(conn, rule, origin, packet, row.as_ref())?;
    let Some(row) = row else {
        bail_fatal(err!(INVALID_AUTHORIZATION_SPECIFICATION, "role \"{}\" does not exist", packet.user))?
    };
    if !row.bool(pg_authid::ROLCANLOGIN) {
        bail_fatal(err!(
            INVALID_AUTHORIZATION_SPECIFICATION,
            "role \"{}\" is not permitted to log in",
            packet.user
        ))?
    }
    let superuser = row.bool(pg_authid::ROLSUPER);
    let database = find_database(catalog, packet, superuser)?;
    if !superuser
        && commands::aclcheck::database_mask(
            catalog,
            database,
            row.oid(pg_authid::OID),
            commands::acl::CONNECT,
        )? == 0
    {
        let e = err!(INSUFFICIENT_PRIVILEGE, "permission denied for database \"{}\"", packet.database);
        bail_fatal(e.detail("User does not have CONNECT privilege."))?
    }
    let (role, limit) = (row.oid(pg_authid::OID), row.i32(pg_authid::ROLCONNLIMIT));
    if limit >= 0 && !superuser {
        let used = catalog.engine().procs().live().filter(|p| p.role.load(Relaxed) == role.0).count();
        if used >= limit as usize {
            bail!(TOO_MANY_CONNECTIONS, "too many connections for role \"{}\"", packet.user);
        }
    }
    Ok(Admission { role: row.oid(pg_authid::OID), superuser, database })
}

fn bail_fatal<T>(e: Error) -> Result<T> {
    Err(e.fatal())
}

fn host_name(origin: &Origin) -> String {
    match origin {
        Origin::Local => "[local]".into(),
        Origin::Host { addr, .. } => addr.to_string(),
    }
}

fn no_entry(origin: &Origin, p: &StartupPacket) -> Error {
    err!(
        INVALID_AUTHORIZATION_SPECIFICATION,
        "no pg_hba.conf entry for host \"{}\", user \"{}\", database \"{}\", no encryption",
        host_name(origin),
        p.user,
        p.database
    )
    .fatal()
}

/// Is the role's password past its VALID UNTIL?
fn is_expired(row: &CatRow) -> bool {
    matches!(row.values.get(pg_authid::ROLVALIDUNTIL), Some(Datum::I64(until)) if *until < ipc::clock::now())
}

fn prove(
    conn: &mut Connection<ClientSocket>,
    rule: &Rule,
    origin: &Origin,
    packet: &StartupPacket,
    row: Option<&CatRow>,
) -> Result<()> {
    // An expired password is as good as none.
    let valid = row.filter(|r| !is_expired(r));
    let stored = valid.and_then(|r| r.text(pg_authid::ROLPASSWORD));
    let stored = stored.as_deref();
    let ok = match rule.method {
        Method::Trust => true,
        Method::Reject => bail_fatal(err!(
            INVALID_AUTHORIZATION_SPECIFICATION,
            "pg_hba.conf rejects connection for host \"{}\", user \"{}\", database \"{}\", no encryption",
            host_name(origin),
            packet.user,
            packet.database
        ))?,
        Method::Password => {
            conn.out.authentication(codes::AUTH_CLEARTEXT, &[]);
            let given = read_password(conn)?;
            stored.is_some_and(|s| codes::plain_check(s, &packet.user, &given))
        }
        // md5 in the rules means: md5 if that is what is stored, else SCRAM.
        Method::Md5 if stored.is_some_and(codes::is_md5) => md5_exchange(conn, stored)?,
        Method::Md5 | Method::ScramSha256 => scram_exchange(conn, &packet.user, stored)?,
        Method::Peer => peer_matches(conn, &packet.user)?,
    };
    if !ok {
        let text = match rule.method {
            Method::Peer => format!("Peer authentication failed for user \"{}\"", packet.user),
            _ => format!("password authentication failed for user \"{}\"", packet.user),
        };
        let state = match rule.method {
            Method::Peer => common::SqlState::INVALID_AUTHORIZATION_SPECIFICATION,
            _ => common::SqlState::INVALID_PASSWORD,
        };
        return Err(Error::new(state, text)
            .detail_log(format!("Connection matched pg_hba.conf line {}", rule.line))
            .fatal());
    }
    conn.out.authentication(codes::AUTH_OK, &[]);
    Ok(())
}

/// The body of a password message.
fn password_message(conn: &mut Connection<ClientSocket>) -> Result<Vec<u8>> {
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

fn read_password(conn: &mut Connection<ClientSocket>) -> Result<String> {
    let body = password_message(conn)?;
    let text = body.strip_suffix(b"\0").unwrap_or(&body);
    if text.is_empty() {
        bail_fatal::<()>(err!(INVALID_PASSWORD, "empty password returned by client"))?;
    }
    Ok(String::from_utf8_lossy(text).into_owned())
}

fn md5_exchange(conn: &mut Connection<ClientSocket>, stored: Option<&str>) -> Result<bool> {
    let mut salt = [0; 4];
    protocol::scram::random(&mut salt)?;
    conn.out.authentication(codes::AUTH_MD5, &salt);
    let answer = read_password(conn)?;
    Ok(stored.is_some_and(|s| codes::md5_check(s, &salt, &answer)))
}

fn scram_exchange(conn: &mut Connection<ClientSocket>, user: &str, stored: Option<&str>) -> Result<bool> {
    conn.out.authentication(codes::AUTH_SASL, format!("{MECHANISM}\0\0").as_bytes());
    let first = password_message(conn)?;
    let malformed = || err!(PROTOCOL_VIOLATION, "malformed SASL initial response").fatal();
    let nul = first.iter().position(|b| *b == 0).ok_or_else(malformed)?;
    if &first[..nul] != MECHANISM.as_bytes() {
        bail_fatal::<()>(err!(
            PROTOCOL_VIOLATION,
            "client selected an invalid SASL authentication mechanism"
        ))?;
    }
    let rest = &first[nul + 1..];
    let (len, data) = rest.split_at_checked(4).ok_or_else(malformed)?;
    let len = i32::from_be_bytes([len[0], len[1], len[2], len[3]]);
    if usize::try_from(len).ok() != Some(data.len()) {
        return Err(malformed());
    }
    let (exchange, reply) = Exchange::start(user, stored, data)?;
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

fn peer_matches(conn: &Connection<ClientSocket>, user: &str) -> Result<bool> {
    let uid = conn.transport.peer_uid()?;
    let name = nix::unistd::User::from_uid(uid).ok().flatten().map(|u| u.name);
    Ok(name.as_deref() == Some(user))
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
