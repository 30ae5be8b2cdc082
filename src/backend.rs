//! A client's backend process, from the accepted socket to the end of the session.

use crate::postmaster::{Postmaster, Refusal};
use crate::session::socket::ClientSocket;
use crate::session::{self, Identity, Session};
use catalog::Catalog;
use common::{Error, Oid, Result, err};
use ipc::interrupts::TimerId;
use ipc::{BackendKind, Interrupts, signals};
use protocol::{Connection, StartupPacket, StartupRequest};
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::sync::atomic::Ordering::Relaxed;

/// Serves one connection. Returns the exit status of the process.
pub fn run(pm: &mut Postmaster, fd: OwnedFd, peer: Option<SocketAddr>, refusal: Option<Refusal>) -> i32 {
    // Before there is a slot, signals are answered by ending: nothing is shared yet.
    let early = Rc::new(Interrupts::new());
    signals::unblock_all();
    early.arm(TimerId::Startup, pm.settings.int("authentication_timeout") * 1000);
    let mut socket = ClientSocket::new(fd, early.clone());
    if peer.is_some() {
        socket.set_tcp();
        socket.set_keepalives(&pm.settings);
    }
    let mut conn = Connection::new(socket);
    crate::log::begin_process("client backend");
    let name =
        peer.filter(|_| pm.settings.bool("log_hostname")).and_then(|p| ipc::resolve::host_name(p.ip()));
    let address = peer.map_or_else(|| "[local]".to_string(), |p| p.ip().to_string());
    let host = name.clone().unwrap_or(address);
    if pm.settings.bool("log_connections") {
        let port = peer.map_or_else(String::new, |p| format!(" port={}", p.port()));
        crate::log::line("LOG", &format!("connection received: host={host}{port}"));
    }
    crate::log::update(|w| {
        w.remote_host = Some(host);
        w.remote_port = peer.map(|p| p.port());
    });
    pre_auth_delay(pm);
    let packet = match startup(pm, &mut conn, peer.is_some()) {
        Ok(Some(p)) => p,
        Ok(None) => return 0,
        Err(e) => return refuse(&mut conn, &e),
    };
    crate::log::update(|w| {
        w.user = Some(packet.user.clone());
        w.database = Some(packet.database.clone());
        w.command_tag = "authentication";
    });
    if let Some(r) = refusal {
        return refuse(&mut conn, &refusal_error(r));
    }
    match serve(pm, conn, packet, peer, name.as_deref()) {
        Ok(()) => 0,
        Err(_) => 1,
    }
}

/// `pre_auth_delay`, to attach a debugger.
fn pre_auth_delay(pm: &Postmaster) {
    let s = pm.settings.int("pre_auth_delay");
    if s > 0 {
        std::thread::sleep(std::time::Duration::from_secs(s as u64));
    }
}

fn refusal_error(r: Refusal) -> Error {
    match r {
        Refusal::StartingUp => err!(CANNOT_CONNECT_NOW, "the database system is starting up"),
        Refusal::ShuttingDown => err!(CANNOT_CONNECT_NOW, "the database system is shutting down"),
        Refusal::InRecovery => err!(CANNOT_CONNECT_NOW, "the database system is in recovery mode"),
        Refusal::TooMany => err!(TOO_MANY_CONNECTIONS, "sorry, too many clients already"),
    }
    .fatal()
}

fn refuse(conn: &mut Connection<ClientSocket>, e: &Error) -> i32 {
    crate::log::report(e.report(), None);
    conn.out.report(e.report(), None);
    // The client may have gone already.
    let _ = conn.flush();
    1
}

/// Reads startup packets until one starts a session. `None`: a cancel request was served, or the client left.
fn startup(pm: &Postmaster, conn: &mut Connection<ClientSocket>, tcp: bool) -> Result<Option<StartupPacket>> {
    for _ in 0..3 {
        match conn.read_startup()? {
            None => return Ok(None),
            Some(request @ (StartupRequest::Ssl | StartupRequest::GssEnc)) => {
                let tls = pm.access().tls.clone().filter(|_| request == StartupRequest::Ssl && tcp);
                if tls.is_none() {
                    conn.out.raw_byte(b'N');
                    conn.flush()?;
                }
                if conn.has_input() {
                    let what = if request == StartupRequest::Ssl { "SSL" } else { "GSSAPI encryption" };
                    return Err(err!(
                        PROTOCOL_VIOLATION,
                        "received unencrypted data after {what} request"
                    )
                    .detail("This could be either a client-software bug or evidence of an attempted man-in-the-middle attack.")
                    .fatal());
                }
                if let Some(t) = tls {
                    conn.out.raw_byte(b'S');
                    conn.flush()?;
                    if let Err(e) = conn.start_tls(&t) {
                        // Nobody is there who would understand an error.
                        crate::log::line("LOG", &e.report().message);
                        return Ok(None);
                    }
                }
            }
            Some(StartupRequest::Cancel { pid, key }) => {
                cancel(pm, pid, key);
                return Ok(None);
            }
            Some(StartupRequest::Start(p)) => return Ok(Some(p)),
        }
    }
    Err(err!(PROTOCOL_VIOLATION, "invalid startup packet").fatal())
}

fn cancel(pm: &Postmaster, pid: i32, key: u32) {
    match pm.shared.procs.by_pid(pid) {
        Some(p) if key != 0 && p.cancel_key.load(Relaxed) == key => {
            p.signal(libc::SIGINT);
        }
        Some(_) => crate::log::line("LOG", &format!("wrong key in cancel request for process {pid}")),
        None => crate::log::line("LOG", &format!("PID {pid} in cancel request did not match any process")),
    }
}

/// From here on a panic while a lock is held, or within a critical section, ends the process by a signal, with the record
/// of what was under way intact: the postmaster decides by it whether the others may go on.
pub(crate) fn abort_on_unsafe_panic(procs: ipc::ProcTable) {
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        print(info);
        // Looked up then: a parallel worker inherits the hook and has a slot of its own.
        let me = procs.by_pid(std::process::id() as i32);
        if me.is_some_and(|p| !p.in_flight().is_clean()) {
            std::process::abort();
        }
    }));
}

fn serve(
    pm: &mut Postmaster,
    mut conn: Connection<ClientSocket>,
    packet: StartupPacket,
    peer: Option<SocketAddr>,
    host: Option<&str>,
) -> Result<()> {
    let shared = pm.shared.clone();
    let engine = match shared.enter(BackendKind::Client) {
        Ok(e) => e,
        Err(e) => {
            refuse(&mut conn, &e);
            return Err(e);
        }
    };
    let (addr, port) = peer.map_or((String::new(), -1), |a| (a.ip().to_string(), i32::from(a.port())));
    engine.proc().activity.start(ipc::clock::now(), &addr, host.unwrap_or(""), port);
    crate::log::update(|w| w.proc = Some(engine.proc()));
    abort_on_unsafe_panic(engine.procs());
    conn.transport.set_interrupts(engine.interrupts_rc());
    engine.interrupts().arm(TimerId::Startup, pm.settings.int("authentication_timeout") * 1000);
    if let Some(t) = conn.tls() {
        let (info, peer) = (t.info(), t.peer().unwrap_or_default());
        engine.proc().activity.tls(&ipc::activity::TlsCopy {
            version: info.version.into(),
            cipher: info.cipher,
            bits: info.bits,
            client: peer.subject,
            serial: peer.serial,
            issuer: peer.issuer,
        });
    }
    let r = begin_session(pm, &engine, conn, packet, peer);
    let r = match r {
        Ok(session) => {
            let r = session.serve();
            session.close();
            r
        }
        Err(failed) => {
            let (e, mut conn) = *failed;
            refuse(&mut conn, &e);
            engine.abort_any();
            Err(e)
        }
    };
    shared.leave(&engine);
    r
}

/// Why there is no session, and the connection to say so on.
type Failed = Box<(Error, Connection<ClientSocket>)>;

fn begin_session(
    pm: &mut Postmaster,
    engine: &Rc<transam::Engine>,
    mut conn: Connection<ClientSocket>,
    packet: StartupPacket,
    peer: Option<SocketAddr>,
) -> std::result::Result<Rc<Session>, Failed> {
    let admitted =
        admit(pm, engine, &mut conn, &packet, peer).and_then(|a| engine.commit_command().map(|()| a));
    match admitted {
        Ok((catalog, settings, identity)) => {
            let title = pm.take_title();
            let key = match cancel_key() {
                Ok(k) => k,
                Err(e) => return Err(Box::new((e, conn))),
            };
            let proc = engine.proc();
            proc.cancel_key.store(key, Relaxed);
            let pid = proc.pid();
            if packet.minor > 0 || !packet.unknown_options.is_empty() {
                conn.out.negotiate_protocol(0, &packet.unknown_options);
            }
            let delay = settings.int("post_auth_delay");
            if delay > 0 {
                std::thread::sleep(std::time::Duration::from_secs(delay as u64));
            }
            log_authorized(&settings, &packet, conn.tls().map(|t| t.info()));
            let session = Session::new(engine.clone(), catalog, conn, settings, identity, title);
            *session.allocations.borrow_mut() = pm.shared.segment.directory().to_vec();
            if let Some(s) = pm.shared.statement_stats() {
                let _ = session.statement_stats.set(s);
            }
            *session.modules.borrow_mut() = std::mem::take(&mut pm.modules);
            session.send_backend_key(pid, key);
            engine.interrupts().disarm(TimerId::Startup);
            Ok(session)
        }
        Err(e) => Err(Box::new((e, conn))),
    }
}

/// `log_connections`: who is in.
fn log_authorized(
    s: &common::settings::Settings,
    packet: &StartupPacket,
    tls: Option<protocol::tls::TlsInfo>,
) {
    if !s.bool("log_connections") {
        return;
    }
    let mut text = format!("connection authorized: user={} database={}", packet.user, packet.database);
    if !s.text("application_name").is_empty() {
        text.push_str(&format!(" application_name={}", s.text("application_name")));
    }
    if let Some(t) = tls {
        let (v, c, b) = (t.version, t.cipher, t.bits);
        text.push_str(&format!(" SSL enabled (protocol={v}, cipher={c}, bits={b})"));
    }
    crate::log::line("LOG", &text);
}

fn cancel_key() -> Result<u32> {
    let mut b = [0; 4];
    protocol::scram::random(&mut b)?;
    Ok(u32::from_ne_bytes(b) | 1)
}

type Admitted = (Rc<Catalog>, common::settings::Settings, Identity);

fn admit(
    pm: &mut Postmaster,
    engine: &Rc<transam::Engine>,
    conn: &mut Connection<ClientSocket>,
    packet: &StartupPacket,
    peer: Option<SocketAddr>,
) -> Result<Admitted> {
    let remote = peer.map_or("[local]".to_string(), |a| format!("{}({})", a.ip(), a.port()));
    pm.title().set(&format!("postgres: {} {} {remote} authentication", packet.user, packet.database));
    let k = pm.knowledge;
    engine.start_command()?;
    engine.transaction_snapshot()?;
    // Roles and databases are shared: any database's view of the catalogs will do to find them.
    let global = Catalog::new(engine.clone(), k.builtins, k.registry, Oid::INVALID);
    let attempt = session::Attempt {
        access: pm.access(),
        hba_file: pm.settings.text("hba_file"),
        log_connections: pm.settings.bool("log_connections"),
        packet,
        peer,
        local: conn.transport.local_addr(),
    };
    let who = session::authenticate(conn, &global, &attempt).map_err(Error::fatal)?;
    check_reserved(pm, who.superuser)?;
    engine.proc().database.store(who.database.0, Relaxed);
    engine.proc().role.store(who.role.0, Relaxed);
    let catalog = Catalog::new(engine.clone(), k.builtins, k.registry, who.database);
    let mut settings = pm.settings.clone();
    // A client that does not say otherwise speaks the server's encoding.
    settings.set_initial("client_encoding", "UTF8", common::settings::Source::DynamicDefault)?;
    session::startup_settings(&mut settings, packet, who.superuser).map_err(Error::fatal)?;
    session::stored_settings(&mut settings, &catalog, who.role)?;
    preload(pm, &mut settings).map_err(Error::fatal)?;
    settings.set_internal("server_encoding", "UTF8")?;
    settings.set_internal("session_authorization", &packet.user)?;
    settings.set_internal("is_superuser", if who.superuser { "on" } else { "off" })?;
    let identity = Identity {
        authenticated: who.role,
        authenticated_is_superuser: who.superuser,
        user_name: packet.user.clone(),
        database: who.database,
        database_name: packet.database.clone(),
        remote,
        client_addr: peer,
    };
    Ok((catalog, settings, identity))
}

/// `session_preload_libraries` and `local_preload_libraries`.
fn preload(pm: &mut Postmaster, settings: &mut common::settings::Settings) -> Result<()> {
    use crate::modules::Occasion::Session;
    pm.modules.preload("session_preload_libraries", settings, false, Session)?;
    pm.modules.preload("local_preload_libraries", settings, true, Session)
}

/// The last slots are kept for superusers (53300).
fn check_reserved(pm: &Postmaster, superuser: bool) -> Result<()> {
    let reserved = pm.settings.int("superuser_reserved_connections");
    let max = pm.settings.int("max_connections");
    if !superuser && pm.shared.procs.count_kind(BackendKind::Client) as i64 > max - reserved {
        return Err(err!(
            TOO_MANY_CONNECTIONS,
            "remaining connection slots are reserved for non-replication superuser connections"
        )
        .fatal());
    }
    Ok(())
}
