//! The monitoring page in a real browser: Chromium, driven over WebDriver, on a server with sessions, waits and a hostile
//! statement. The PNG it takes is left in `target/monitoring/` for people.
#![allow(clippy::unwrap_used)]

use base64::Engine as _;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use testkit::{Cluster, Kind, Options, Wire, wait_for};

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// One HTTP exchange; head and body of the answer.
fn http(port: u16, request: &str) -> (String, String) {
    let mut s = TcpStream::connect(("127.0.0.1", port)).unwrap();
    s.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    s.write_all(request.as_bytes()).unwrap();
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && s.read(&mut byte).unwrap_or(0) == 1 {
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let length = head.lines().find_map(|l| {
        let (n, v) = l.split_once(':')?;
        n.eq_ignore_ascii_case("content-length").then(|| v.trim().parse::<usize>().ok())?
    });
    let mut body = vec![0; length.unwrap_or(0)];
    s.read_exact(&mut body).unwrap();
    (head, String::from_utf8_lossy(&body).into_owned())
}

/// chromedriver with one session.
struct Browser {
    driver: Child,
    port: u16,
    session: String,
    profile: std::path::PathBuf,
}

impl Browser {
    fn start(dark: bool) -> Browser {
        let port = free_port();
        let driver = Command::new("/usr/bin/chromedriver")
            .arg(format!("--port={port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver is installed by `cargo xtask install`");
        let profile = std::env::temp_dir().join(format!("browser-{}-{port}", std::process::id()));
        let mut b = Browser { driver, port, session: String::new(), profile };
        assert!(wait_for(Duration::from_secs(20), || TcpStream::connect(("127.0.0.1", port)).is_ok()));
        let mut args = vec![
            "--headless=new".to_string(),
            "--no-sandbox".into(),
            "--disable-gpu".into(),
            "--disable-quic".into(),
            "--disable-dev-shm-usage".into(),
            "--no-first-run".into(),
            "--disable-background-networking".into(),
            "--disable-component-update".into(),
            "--disable-sync".into(),
            "--window-size=1280,1500".into(),
            format!("--user-data-dir={}", b.profile.display()),
        ];
        if dark {
            args.push("--force-dark-mode".into());
            args.push("--blink-settings=preferredColorScheme=0".into());
        }
        let wanted = json!({"capabilities": {"alwaysMatch": {"goog:chromeOptions": {
            "binary": "/usr/bin/chromium", "args": args}}}});
        let made = b.call("POST", "/session", Some(wanted));
        b.session = made["sessionId"].as_str().unwrap_or_else(|| panic!("no session: {made}")).to_string();
        b
    }
    fn call(&self, method: &str, path: &str, body: Option<Value>) -> Value {
        let body = body.map(|b| b.to_string()).unwrap_or_default();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        let (_, answer) = http(self.port, &request);
        serde_json::from_str::<Value>(&answer).unwrap_or(Value::Null)["value"].take()
    }
    fn in_session(&self, method: &str, path: &str, body: Option<Value>) -> Value {
        self.call(method, &format!("/session/{}{path}", self.session), body)
    }
    fn open(&self, url: &str) {
        self.in_session("POST", "/url", Some(json!({"url": url})));
    }
    fn script(&self, text: &str) -> Value {
        self.in_session("POST", "/execute/sync", Some(json!({"script": text, "args": []})))
    }
    fn text(&self) -> String {
        self.script("return document.body.innerText").as_str().unwrap_or_default().to_string()
    }
    /// A PNG of the whole page.
    fn picture(&self, name: &str) -> Vec<u8> {
        let height = self.script("return document.documentElement.scrollHeight").as_u64().unwrap_or(1500);
        let size = json!({"width": 1280, "height": height.clamp(800, 6000) + 140});
        self.in_session("POST", "/window/rect", Some(size));
        let shot = self.in_session("GET", "/screenshot", None);
        let png = base64::prelude::BASE64_STANDARD.decode(shot.as_str().unwrap()).unwrap();
        let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("target/monitoring");
        std::fs::create_dir_all(&dir).unwrap();
        std::fs::write(dir.join(name), &png).unwrap();
        png
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if !self.session.is_empty() {
            self.in_session("DELETE", "", None);
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
        let _ = std::fs::remove_dir_all(&self.profile);
    }
}

const HOSTILE: &str = "select '<script>document.title = \"taken\"</script><img src=x onerror=\"document.title=1\">', pg_sleep(60)";

fn server(port: u16) -> Cluster {
    let mut o = Options::default();
    for (n, v) in [("monitoring_port", port.to_string()), ("cluster_name", "kernel".into())] {
        o.settings.push((n.into(), v));
    }
    o.settings.push(("shared_preload_libraries".into(), "pg_stat_statements".into()));
    let c = Cluster::start(Kind::Stegodon, o).unwrap();
    for text in [
        "create role watcher login password 'secret' in role pg_monitor",
        "create role other login password 'other'",
        "create extension pg_stat_statements",
        "create table account(id int primary key, balance int)",
        "insert into account select i, 100 from generate_series(1, 20000) i",
    ] {
        let said = c.psql(text).unwrap();
        assert!(said.success, "{text}: {}", said.text);
    }
    assert!(wait_for(Duration::from_secs(20), || TcpStream::connect(("127.0.0.1", port)).is_ok()));
    c
}

#[test]
fn the_page_in_chromium() {
    let port = free_port();
    let c = server(port);
    // Somebody holds a row, somebody waits for it, a third waits for the second; somebody writes what a browser runs.
    let mut holder = Wire::connect(&c).unwrap();
    holder.ok("begin; update account set balance = 0 where id = 1");
    let mut waiter = Wire::connect(&c).unwrap();
    waiter.start("update account set balance = balance + 1 where id = 1").unwrap();
    let mut third = Wire::connect(&c).unwrap();
    third.start("begin; lock table account").unwrap();
    let mut hostile = Wire::connect(&c).unwrap();
    hostile.start(HOSTILE).unwrap();
    let mut load = Command::new("pgbench")
        .args(["-n", "-T", "14", "-c", "2", "-f", "/dev/stdin"])
        .args(["-h", &c.dir.display().to_string(), "-p", &c.port.to_string(), "-U", "postgres", "postgres"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    load.stdin.take().unwrap().write_all(b"select sum(g) from generate_series(1, 500) g;\n").unwrap();
    std::thread::sleep(Duration::from_secs(7));
    let b = Browser::start(false);
    b.open(&format!("http://watcher:secret@127.0.0.1:{port}/"));
    let text = b.text();
    assert_eq!(b.script("return document.title").as_str(), Some("Stegodon kernel"), "{text}");
    for want in [
        "Active sessions",
        "Transactions a second",
        "Write-ahead log a second",
        "Found in the buffer pool",
        "Who blocks whom",
        "2 sessions wait for a lock.",
        "checkpointer",
        "walwriter",
        "<script>document.title",
        "idle in transaction",
        "Databases",
        "Top statements",
    ] {
        assert!(text.contains(want), "{want} is not in\n{text}");
    }
    // Who blocks whom is a tree: the holder, below it the waiter.
    let nested = format!(
        "return [...document.querySelectorAll('.locks > li')].some(l => l.innerText.startsWith('{}') && l.querySelector('ul').innerText.includes('{}'))",
        holder.pid, waiter.pid
    );
    assert_eq!(b.script(&nested), Value::Bool(true), "{text}");
    // Nothing of it runs, nothing is fetched from elsewhere.
    assert_eq!(b.script("return document.scripts.length + document.images.length"), json!(0));
    assert_eq!(b.script("return performance.getEntriesByType('resource').filter(r => !r.name.endsWith('favicon.ico')).length"), json!(0));
    // The plots have points, and nothing is wider than the window.
    assert_eq!(b.script("return document.querySelectorAll('svg.plot polyline').length"), json!(5));
    assert_eq!(
        b.script("return document.documentElement.scrollWidth <= window.innerWidth"),
        Value::Bool(true)
    );
    let light = b.script("return getComputedStyle(document.body).backgroundColor");
    assert!(b.picture("light.png").starts_with(b"\x89PNG"));
    b.in_session("POST", "/goog/cdp/execute", Some(json!({"cmd": "Emulation.setEmulatedMedia", "params": {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}})));
    let dark = b.script("return getComputedStyle(document.body).backgroundColor");
    assert_ne!(light, dark);
    b.picture("dark.png");
    // Small windows: tables scroll in themselves.
    b.in_session("POST", "/window/rect", Some(json!({"width": 500, "height": 900})));
    assert_eq!(
        b.script("return document.documentElement.scrollWidth <= window.innerWidth"),
        Value::Bool(true)
    );
    let _ = load.kill();
    let _ = load.wait();
}

fn get(port: u16, path: &str, more: &str) -> (String, String) {
    http(port, &format!("GET {path} HTTP/1.1\r\nHost: x\r\n{more}\r\n"))
}

fn basic(user: &str, password: &str) -> String {
    let both = base64::prelude::BASE64_STANDARD.encode(format!("{user}:{password}"));
    format!("Authorization: Basic {both}\r\n")
}

#[test]
fn hostile_clients() {
    let port = free_port();
    let c = server(port);
    let status = |head: &str| head.split(' ').nth(1).unwrap_or_default().to_string();
    let ok = basic("watcher", "secret");
    assert_eq!(status(&get(port, "/", &ok).0), "200");
    assert_eq!(status(&get(port, "/metrics", &ok).0), "200");
    assert!(get(port, "/metrics", &ok).1.contains("\npg_up 1\n"));
    let (head, _) = get(port, "/", &ok);
    for h in [
        "Content-Security-Policy: default-src 'none'",
        "Cache-Control: no-store",
        "X-Content-Type-Options: nosniff",
    ] {
        assert!(head.contains(h), "{h} is not in\n{head}");
    }
    // Nobody, a wrong password, a role without the right, no login, an expired password.
    assert_eq!(status(&get(port, "/", "").0), "401");
    assert_eq!(status(&get(port, "/", &basic("watcher", "wrong")).0), "401");
    assert_eq!(status(&get(port, "/", &basic("other", "other")).0), "401");
    assert_eq!(status(&get(port, "/", "Authorization: Basic %%%\r\n").0), "401");
    c.psql("alter role watcher valid until '2001-01-01'").unwrap();
    assert_eq!(status(&get(port, "/", &ok).0), "401");
    c.psql("alter role watcher valid until 'infinity' nologin").unwrap();
    assert_eq!(status(&get(port, "/", &ok).0), "401");
    c.psql("alter role watcher login").unwrap();
    // Read only, and only what there is.
    assert_eq!(status(&http(port, &format!("POST / HTTP/1.1\r\nContent-Length: 0\r\n{ok}\r\n")).0), "405");
    assert_eq!(status(&get(port, "/../../etc/passwd", &ok).0), "404");
    assert_eq!(status(&http(port, "\0\u{1}\u{2}\r\n\r\n").0), "400");
    // A head without an end is cut off, and costs the server nothing.
    let mut s = TcpStream::connect(("127.0.0.1", port)).unwrap();
    s.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let _ = s.write_all(&vec![b'x'; 100_000]);
    let mut rest = Vec::new();
    let _ = s.read_to_end(&mut rest);
    assert!(rest.is_empty() || rest.starts_with(b"HTTP/1.1 4"), "{}", String::from_utf8_lossy(&rest));
    // Slow ones are dropped after their time, and many of them do not keep others out for longer.
    let slow: Vec<TcpStream> = (0..40).filter_map(|_| TcpStream::connect(("127.0.0.1", port)).ok()).collect();
    let begun = Instant::now();
    let served = wait_for(Duration::from_secs(20), || {
        std::panic::catch_unwind(|| status(&get(port, "/metrics", &basic("watcher", "secret")).0))
            .is_ok_and(|s| s == "200")
    });
    assert!(served, "slow clients keep others out for {:?}", begun.elapsed());
    drop(slow);
    assert_eq!(c.psql("select 1").unwrap().text.trim(), "1");
}
