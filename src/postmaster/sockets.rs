//! Listening sockets: TCP addresses and Unix-domain socket files with their lock files.

use super::LockFile;
use common::settings::Settings;
use common::{Error, Result, err};
use nix::sys::socket::{Backlog, listen};
use nix::sys::time::TimeSpec;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A new connection.
pub struct Accepted {
    pub fd: OwnedFd,
    /// `None`: through a Unix socket.
    pub peer: Option<SocketAddr>,
}

/// All sockets the server listens on.
pub struct Listeners {
    tcp: Vec<TcpListener>,
    unix: Vec<(UnixListener, PathBuf)>,
}

/// Connections the kernel may hold for us; it caps the number itself.
const BACKLOG: i32 = 4096;

fn listen_tcp(a: SocketAddr) -> std::io::Result<TcpListener> {
    let t = TcpListener::bind(a)?;
    relisten(&t)?;
    t.set_nonblocking(true)?;
    Ok(t)
}

/// The standard library listens with a short queue.
fn relisten(fd: &impl AsFd) -> std::io::Result<()> {
    let backlog = Backlog::new(BACKLOG).map_err(std::io::Error::from)?;
    listen(&fd.as_fd(), backlog).map_err(std::io::Error::from)
}

/// `unix_socket_group`: a name or a number.
fn set_group(path: &Path, group: &str) -> Result<()> {
    let by_name = nix::unistd::Group::from_name(group).ok().flatten().map(|g| g.gid);
    let Some(gid) = by_name.or_else(|| group.parse().ok().map(nix::unistd::Gid::from_raw)) else {
        return Err(err!(INVALID_PARAMETER_VALUE, "group \"{group}\" does not exist").fatal());
    };
    nix::unistd::chown(path, None, Some(gid)).map_err(|e| {
        Error::os(format!("could not set group of file \"{}\"", path.display()), &e.into()).fatal()
    })
}

fn pollfd(fd: &impl AsRawFd) -> libc::pollfd {
    libc::pollfd { fd: fd.as_raw_fd(), events: libc::POLLIN, revents: 0 }
}

impl Listeners {
    /// Opens the sockets of the settings and notes them in the lock file.
    pub fn open(s: &Settings, lock: &mut LockFile) -> Result<Listeners> {
        let port = s.int("port") as u16;
        let mut l = Listeners { tcp: Vec::new(), unix: Vec::new() };
        let hosts = s.text("listen_addresses").to_string();
        for host in hosts.split(',').map(str::trim).filter(|h| !h.is_empty()) {
            l.open_tcp(host, port);
        }
        if !hosts.trim().is_empty() && l.tcp.is_empty() {
            return Err(err!(IO_ERROR, "could not create any TCP/IP sockets").fatal());
        }
        let dirs = s.text("unix_socket_directories").to_string();
        for dir in dirs.split(',').map(str::trim).filter(|d| !d.is_empty()) {
            l.open_unix(
                Path::new(dir),
                port,
                s.int("unix_socket_permissions") as u32,
                s.text("unix_socket_group"),
            )?;
        }
        if let Some(first) = l.unix.first() {
            lock.set_line(5, &first.1.parent().unwrap_or(Path::new("/")).display().to_string());
        }
        if let Some(h) = hosts.split(',').next() {
            lock.set_line(6, h.trim());
        }
        Ok(l)
    }

    fn open_tcp(&mut self, host: &str, port: u16) {
        let spec = if host == "*" { "0.0.0.0" } else { host };
        let addrs = match (spec, port).to_socket_addrs() {
            Ok(a) => a,
            Err(e) => {
                crate::log::line(
                    "LOG",
                    &format!("could not translate host name \"{host}\", service \"{port}\" to address: {e}"),
                );
                return;
            }
        };
        for a in addrs {
            match listen_tcp(a) {
                Ok(t) => {
                    let family = if a.is_ipv4() { "IPv4" } else { "IPv6" };
                    crate::log::line(
                        "LOG",
                        &format!("listening on {family} address \"{}\", port {port}", a.ip()),
                    );
                    self.tcp.push(t);
                }
                Err(e) => {
                    let e = common::error::os_message(&e);
                    crate::log::line("LOG", &format!("could not bind address \"{}\": {e}", a.ip()));
                }
            }
        }
    }

    fn open_unix(&mut self, dir: &Path, port: u16, mode: u32, group: &str) -> Result<()> {
        let path = dir.join(format!(".s.PGSQL.{port}"));
        let lock_path = dir.join(format!(".s.PGSQL.{port}.lock"));
        if let Some(pid) = std::fs::read_to_string(&lock_path)
            .ok()
            .and_then(|t| t.lines().next().and_then(|l| l.trim().parse::<i32>().ok()))
            && pid != std::process::id() as i32
            && super::lockfile::process_exists(pid)
        {
            return Err(err!(LOCK_FILE_EXISTS, "lock file \"{}\" already exists", lock_path.display())
                .hint(format!("Is another postmaster (PID {pid}) using socket file \"{}\"?", path.display()))
                .fatal());
        }
        let fail = |e: std::io::Error| {
            Error::os(format!("could not bind Unix address \"{}\"", path.display()), &e).fatal()
        };
        std::fs::write(&lock_path, format!("{}\n", std::process::id())).map_err(fail)?;
        let _ = std::fs::remove_file(&path);
        let u = UnixListener::bind(&path).map_err(fail)?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).map_err(fail)?;
        if !group.is_empty() {
            set_group(&path, group)?;
        }
        relisten(&u).map_err(fail)?;
        u.set_nonblocking(true).map_err(fail)?;
        crate::log::line("LOG", &format!("listening on Unix socket \"{}\"", path.display()));
        self.unix.push((u, path));
        Ok(())
    }

    /// Waits for connections, signals or time. Returns those accepted.
    pub fn wait(&self, timeout: Duration) -> Vec<Accepted> {
        // A signal between the look at its flag and the wait is noticed by the latch.
        let ints = ipc::Interrupts::new();
        let mut raw: Vec<libc::pollfd> = Vec::new();
        for t in &self.tcp {
            raw.push(pollfd(t));
        }
        for (u, _) in &self.unix {
            raw.push(pollfd(u));
        }
        let n = ints.latch().poll(&mut raw, Some(timeout));
        ints.latch().reset();
        if n <= 0 {
            return Vec::new();
        }
        let mut out = Vec::new();
        for t in &self.tcp {
            if let Ok((stream, peer)) = t.accept() {
                let _ = stream.set_nodelay(true);
                let _ = stream.set_nonblocking(false);
                out.push(Accepted { fd: stream.into(), peer: Some(peer) });
            }
        }
        for (u, _) in &self.unix {
            if let Ok((stream, _)) = u.accept() {
                let _ = stream.set_nonblocking(false);
                out.push(Accepted { fd: stream.into(), peer: None });
            }
        }
        out
    }

    /// Keeps cleaners of temporary directories away from the socket files.
    pub fn touch(&self) {
        for (_, p) in &self.unix {
            let _ = nix::sys::stat::utimensat(
                nix::fcntl::AT_FDCWD,
                p,
                &TimeSpec::UTIME_NOW,
                &TimeSpec::UTIME_NOW,
                nix::sys::stat::UtimensatFlags::FollowSymlink,
            );
        }
    }
    /// Removes the socket files.
    pub fn remove(&self) {
        for (_, p) in &self.unix {
            let _ = std::fs::remove_file(p);
            let mut lock = p.clone().into_os_string();
            lock.push(".lock");
            let _ = std::fs::remove_file(lock);
        }
    }
    /// A child does not listen.
    pub fn close(&mut self) {
        self.tcp.clear();
        self.unix.clear();
    }
}
