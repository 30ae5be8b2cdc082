//! The monitoring endpoint (`monitoring_port`, off by default): `/metrics` for Prometheus, and one page for a person. A
//! process of its own, with a runtime, since many sockets share it; everything it tells it reads from shared memory and
//! the catalogs. Whoever asks gives the name and password of a superuser or a member of `pg_monitor` (HTTP Basic).

mod data;
mod history;
mod metrics;
mod page;
mod plot;
mod style;

use crate::aux::AuxContext;
use catalog::Catalog;
use catalog::columns::pg_authid;
use common::{Error, Oid, Result, err};
use std::rc::Rc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Longest request head.
const HEAD_MAX: usize = 8192;
/// Time a client has for its request, and for taking the answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// Most clients at a time.
const CLIENTS_MAX: usize = 32;
/// OID of the predefined role `pg_monitor`.
const MONITOR: Oid = Oid(3373);

/// What a request is answered from.
struct Server {
    engine: Rc<transam::Engine>,
    catalog: Rc<Catalog>,
    max_connections: i64,
    reserved: i64,
    shared_buffers: i64,
    postmaster: u32,
    port: i64,
    cluster_name: String,
    started: std::time::Instant,
    history: std::cell::RefCell<history::History>,
    statements: Option<commands::extension::pg_stat_statements::Store>,
}

/// Main loop of the process.
pub fn main(cx: &mut AuxContext<'_>) -> Result<()> {
    cx.title.set("postgres: monitoring endpoint");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| Error::os("could not start the runtime of the monitoring endpoint", &e))?;
    let port = cx.settings.int("monitoring_port") as u16;
    let hosts: Vec<String> = cx
        .settings
        .text("listen_addresses")
        .split(',')
        .map(|h| if h.trim() == "*" { "0.0.0.0".to_string() } else { h.trim().to_string() })
        .filter(|h| !h.is_empty())
        .collect();
    let server = Rc::new(Server {
        engine: cx.engine.clone(),
        catalog: Catalog::new(cx.engine.clone(), cx.knowledge.builtins, cx.knowledge.registry, Oid(1)),
        max_connections: cx.settings.int("max_connections"),
        reserved: cx.settings.int("superuser_reserved_connections"),
        shared_buffers: cx.settings.int("shared_buffers"),
        postmaster: std::os::unix::process::parent_id(),
        port: cx.settings.int("port"),
        cluster_name: cx.settings.text("cluster_name").to_string(),
        started: std::time::Instant::now(),
        history: Default::default(),
        statements: cx.shared.statement_stats(),
    });
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, async {
        let slots = Rc::new(tokio::sync::Semaphore::new(CLIENTS_MAX));
        for host in hosts {
            let listener = match TcpListener::bind((host.as_str(), port)).await {
                Ok(l) => l,
                Err(e) => {
                    let e = common::error::os_message(&e);
                    crate::log::line(
                        "LOG",
                        &format!("could not bind monitoring address \"{host}\", port {port}: {e}"),
                    );
                    continue;
                }
            };
            crate::log::line("LOG", &format!("monitoring endpoint on address \"{host}\", port {port}"));
            tokio::task::spawn_local(accept(listener, server.clone(), slots.clone()));
        }
        // Signals end a wait of the latch, not one of the runtime.
        let mut sampled = std::time::Instant::now();
        let _ = data::Snapshot::take(&server);
        loop {
            tokio::time::sleep(Duration::from_millis(200)).await;
            cx.check()?;
            if sampled.elapsed() >= history::INTERVAL {
                sampled = std::time::Instant::now();
                server.history.borrow_mut().sample(&server.engine);
            }
        }
    })
}

async fn accept(listener: TcpListener, server: Rc<Server>, slots: Rc<tokio::sync::Semaphore>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        // More clients than slots: the last ones are closed unanswered.
        let Ok(slot) = slots.clone().try_acquire_owned_rc() else { continue };
        let server = server.clone();
        tokio::task::spawn_local(async move {
            let _slot = slot;
            // A client that is too slow is dropped.
            let _ = tokio::time::timeout(PATIENCE, serve(stream, &server)).await;
        });
    }
}

/// A semaphore's permit that lives on its own, within one thread.
trait OwnedPermit {
    fn try_acquire_owned_rc(self) -> std::result::Result<Permit, ()>;
}
struct Permit(Rc<tokio::sync::Semaphore>);
impl OwnedPermit for Rc<tokio::sync::Semaphore> {
    fn try_acquire_owned_rc(self) -> std::result::Result<Permit, ()> {
        match self.try_acquire() {
            Ok(p) => {
                p.forget();
                Ok(Permit(self.clone()))
            }
            Err(_) => Err(()),
        }
    }
}
impl Drop for Permit {
    fn drop(&mut self) {
        self.0.add_permits(1);
    }
}

/// Method, path and credentials of a request.
struct Request {
    method: String,
    path: String,
    credentials: Option<(String, String)>,
}

fn parse(head: &str) -> Option<Request> {
    let mut lines = head.split("\r\n");
    let mut first = lines.next()?.split(' ');
    let (method, target) = (first.next()?.to_string(), first.next()?);
    let path = target.split('?').next()?.to_string();
    let mut credentials = None;
    for l in lines {
        let Some((name, value)) = l.split_once(':') else { continue };
        if name.eq_ignore_ascii_case("authorization") {
            credentials = protocol::auth::basic_credentials(value.trim());
        }
    }
    Some(Request { method, path, credentials })
}

async fn serve(mut s: TcpStream, server: &Server) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.windows(4).any(|w| w == b"\r\n\r\n") {
        let mut buf = [0; 1024];
        let n = s.read(&mut buf).await?;
        if n == 0 || head.len() + n > HEAD_MAX {
            return Ok(());
        }
        head.extend_from_slice(&buf[..n]);
    }
    let (status, kind, body) = match parse(&String::from_utf8_lossy(&head)) {
        Some(r) => answer(server, &r).await,
        None => ("400 Bad Request", "text/plain", "bad request\n".to_string()),
    };
    let challenge =
        if status.starts_with("401") { "WWW-Authenticate: Basic realm=\"Stegodon\"\r\n" } else { "" };
    let text = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}; charset=utf-8\r\nContent-Length: {}\r\nCache-Control: no-store\r\n\
         X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n\
         Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'\r\n{challenge}Connection: close\r\n\r\n{body}",
        body.len()
    );
    s.write_all(text.as_bytes()).await?;
    s.shutdown().await
}

type Answer = (&'static str, &'static str, String);

async fn answer(server: &Server, r: &Request) -> Answer {
    if r.method != "GET" {
        return ("405 Method Not Allowed", "text/plain", "only GET\n".into());
    }
    let allowed = match &r.credentials {
        Some((user, password)) => server.may_see(user, password),
        None => Ok(false),
    };
    match allowed {
        Ok(true) => {}
        Ok(false) => {
            // Guessing is slow.
            if r.credentials.is_some() {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            return (
                "401 Unauthorized",
                "text/plain",
                "name and password of a member of pg_monitor\n".into(),
            );
        }
        Err(e) => return failure(&e),
    }
    let made = match r.path.as_str() {
        "/metrics" => data::Snapshot::take(server).map(|s| ("text/plain", metrics::text(&s))),
        "/" => data::Snapshot::take(server).map(|s| ("text/html", page::html(&s))),
        _ => return ("404 Not Found", "text/plain", "not found\n".into()),
    };
    match made {
        Ok((kind, body)) => ("200 OK", kind, body),
        Err(e) => failure(&e),
    }
}

fn failure(e: &Error) -> Answer {
    crate::log::report(e.report(), None);
    ("500 Internal Server Error", "text/plain", "see the server log\n".into())
}

impl Server {
    /// Runs `f` in a transaction of its own.
    fn in_transaction<T>(&self, f: impl FnOnce(&Catalog) -> Result<T>) -> Result<T> {
        self.engine.start_command()?;
        let r = self.engine.transaction_snapshot().and_then(|_| f(&self.catalog));
        match r {
            Ok(v) => {
                self.engine.commit_command()?;
                Ok(v)
            }
            Err(e) => {
                self.engine.abort_any();
                Err(e)
            }
        }
    }
    /// Does the password fit, and may this role see everything?
    fn may_see(&self, user: &str, password: &str) -> Result<bool> {
        self.in_transaction(|catalog| {
            let Some(row) = catalog.role_row(user)? else { return Ok(false) };
            let expired = matches!(
                row.values.get(pg_authid::ROLVALIDUNTIL),
                Some(types::Datum::I64(until)) if *until < ipc::clock::now()
            );
            let Some(stored) = row.text(pg_authid::ROLPASSWORD).filter(|_| !expired) else {
                return Ok(false);
            };
            Ok(row.bool(pg_authid::ROLCANLOGIN)
                && protocol::auth::plain_check(&stored, user, password)
                && commands::roles::has_privs_of(catalog, row.oid(pg_authid::OID), MONITOR)?)
        })
    }
}

/// 22023 for a port that is the server's own.
pub fn check_port(settings: &common::settings::Settings) -> Result<()> {
    let port = settings.int("monitoring_port");
    if port != 0 && port == settings.int("port") {
        return Err(err!(INVALID_PARAMETER_VALUE, "monitoring_port must not be the same as port").fatal());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests() {
        let r = parse("GET /metrics?x=1 HTTP/1.1\r\nHost: x\r\nauthorization: Basic YW5uOnM6cA==\r\n\r\n")
            .unwrap();
        assert_eq!((r.method.as_str(), r.path.as_str()), ("GET", "/metrics"));
        assert_eq!(r.credentials, Some(("ann".into(), "s:p".into())));
        assert!(parse("").is_none());
        assert!(parse("GET / HTTP/1.1\r\nAuthorization: Basic !!\r\n\r\n").unwrap().credentials.is_none());
    }
}
