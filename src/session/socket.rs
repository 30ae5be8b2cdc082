//! The client's socket: reads wait in one blocking `recv` that a set latch ends, so that cancel, termination and
//! time-outs are noticed while idle; writes wait likewise.

use common::{Error, Result};
use ipc::{Interrupts, WaitEvent};
use protocol::Transport;
use std::cell::RefCell;
use std::io::ErrorKind;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::rc::Rc;

/// Asked when the latch was set while waiting for the client; says what is to be sent meanwhile.
pub type WakeHook = Rc<dyn Fn() -> Result<Vec<u8>>>;

/// A connected stream socket (TCP or Unix).
pub struct ClientSocket {
    fd: OwnedFd,
    ints: Rc<Interrupts>,
    tcp: bool,
    keepalives: [u32; 4],
    /// The socket again, for a look at its state in the middle of a statement.
    peek: Option<Rc<OwnedFd>>,
    /// Called when the latch was set while waiting for the client.
    on_wake: Option<WakeHook>,
    /// There is no client: what is sent is kept here, and nothing is ever received.
    kept: Option<Rc<RefCell<Vec<u8>>>>,
}

impl ClientSocket {
    /// Wraps an accepted socket.
    pub fn new(fd: OwnedFd, ints: Rc<Interrupts>) -> ClientSocket {
        ClientSocket { fd, ints, tcp: false, keepalives: [0; 4], peek: None, on_wake: None, kept: None }
    }
    /// Nobody: what is sent is kept for whoever runs the session.
    pub fn nobody(ints: Rc<Interrupts>, kept: Rc<RefCell<Vec<u8>>>) -> Result<ClientSocket> {
        let null = std::fs::File::open("/dev/null")
            .map_err(|e| Error::os("could not open file \"/dev/null\"", &e))?;
        Ok(ClientSocket { kept: Some(kept), ..ClientSocket::new(null.into(), ints) })
    }
    /// In a process that has inherited the socket and is to leave it alone.
    pub fn close_inherited(&self) {
        ipc::fork::close_inherited(self.fd.as_raw_fd());
        if let Some(p) = &self.peek {
            ipc::fork::close_inherited(p.as_raw_fd());
        }
    }
    /// The process got its slot: signals arrive there from here on.
    pub fn set_interrupts(&mut self, ints: Rc<Interrupts>) {
        self.ints = ints;
    }
    /// `tcp_keepalives_*` and `tcp_user_timeout`; nothing on a Unix socket. 0 leaves the system's value.
    pub fn set_keepalives(&mut self, s: &common::settings::Settings) {
        use nix::sys::socket::{setsockopt, sockopt};
        let wanted =
            ["tcp_keepalives_idle", "tcp_keepalives_interval", "tcp_keepalives_count", "tcp_user_timeout"]
                .map(|n| s.int(n) as u32);
        if !self.tcp || self.keepalives == wanted {
            return;
        }
        let [idle, interval, count, user] = wanted;
        // A kernel that refuses a value keeps its own.
        if idle > 0 {
            let _ = setsockopt(&self.fd, sockopt::TcpKeepIdle, &idle);
        }
        if interval > 0 {
            let _ = setsockopt(&self.fd, sockopt::TcpKeepInterval, &interval);
        }
        if count > 0 {
            let _ = setsockopt(&self.fd, sockopt::TcpKeepCount, &count);
        }
        let _ = setsockopt(&self.fd, sockopt::TcpUserTimeout, &user);
        self.keepalives = wanted;
    }
    /// This end of a TCP connection.
    pub fn local_addr(&self) -> Option<std::net::SocketAddr> {
        use nix::sys::socket::{SockaddrStorage, getsockname};
        let a = getsockname::<SockaddrStorage>(self.fd.as_raw_fd()).ok()?;
        let v4 = a.as_sockaddr_in().map(|a| std::net::SocketAddr::from((a.ip(), a.port())));
        v4.or_else(|| a.as_sockaddr_in6().map(|a| std::net::SocketAddr::from((a.ip(), a.port()))))
    }
    /// The connection is TCP: keep-alive probes are sent.
    pub fn set_tcp(&mut self) {
        self.tcp = true;
        let _ = nix::sys::socket::setsockopt(&self.fd, nix::sys::socket::sockopt::KeepAlive, &true);
    }
    /// Lets a running statement find out that its client has gone.
    pub fn set_client_check(&mut self, ints: &Interrupts, every_ms: i64) {
        if every_ms > 0 && self.peek.is_none() && self.kept.is_none() {
            self.peek = self.fd.try_clone().ok().map(Rc::new);
        }
        if let Some(fd) = self.peek.clone() {
            ints.set_client_check(Rc::new(move || still_connected(&fd)), every_ms);
        }
    }
    /// The operating-system user at the other end of a Unix socket.
    pub fn peer_uid(&self) -> Result<nix::unistd::Uid> {
        let cred = nix::sys::socket::getsockopt(&self.fd, nix::sys::socket::sockopt::PeerCredentials)
            .map_err(|e| Error::os("could not get peer credentials", &e.into()))?;
        Ok(nix::unistd::Uid::from_raw(cred.uid()))
    }
    /// What to do when woken while waiting for the client: process interrupts, reload settings.
    pub fn set_wake_hook(&mut self, f: WakeHook) {
        self.on_wake = Some(f);
    }
    fn woken(&mut self) -> Result<()> {
        self.ints.latch().reset();
        match self.on_wake.clone() {
            Some(f) => {
                let news = f()?;
                if news.is_empty() { Ok(()) } else { self.write_all(&news) }
            }
            None => self.ints.check(),
        }
    }
}

impl Transport for ClientSocket {
    fn read(&mut self, buf: &mut [u8]) -> Result<usize> {
        if self.kept.is_some() {
            return Ok(0);
        }
        loop {
            let received = {
                let _shown = self.ints.waiting(WaitEvent::CLIENT_READ);
                self.ints.latch().recv(self.fd.as_fd(), buf)
            };
            match received {
                Ok(n) => return Ok(n),
                Err(e) if e.kind() == ErrorKind::Interrupted => self.woken()?,
                // The client is gone: the same as an orderly end of the stream.
                Err(e) if e.kind() == ErrorKind::ConnectionReset => return Ok(0),
                Err(e) => return Err(Error::os("could not receive data from client", &e).fatal()),
            }
        }
    }

    fn write_all(&mut self, mut buf: &[u8]) -> Result<()> {
        if let Some(k) = &self.kept {
            k.borrow_mut().extend_from_slice(buf);
            return Ok(());
        }
        while !buf.is_empty() {
            let _shown = self.ints.waiting(WaitEvent::CLIENT_WRITE);
            let sent = self.ints.latch().blocking(|| {
                nix::sys::socket::send(self.fd.as_raw_fd(), buf, nix::sys::socket::MsgFlags::MSG_NOSIGNAL)
            });
            match sent {
                Some(Ok(n)) => buf = &buf[n..],
                // A client that does not read must not keep a terminated backend alive; a mere cancel waits.
                Some(Err(nix::errno::Errno::EINTR)) | None => {
                    self.ints.latch().reset();
                    if self.ints.peek(ipc::signals::TERMINATE) != 0 {
                        return Err(connection_lost());
                    }
                }
                Some(Err(_)) => return Err(connection_lost()),
            }
        }
        Ok(())
    }
}

fn still_connected(fd: &OwnedFd) -> bool {
    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
    // Nothing but the end of the connection is asked for: any answer is that.
    let mut fds = [PollFd::new(fd.as_fd(), PollFlags::from_bits_retain(libc::POLLRDHUP))];
    !matches!(poll(&mut fds, PollTimeout::ZERO), Ok(n) if n > 0)
}

/// 08006: nothing more can be sent.
pub fn connection_lost() -> Error {
    common::err!(CONNECTION_FAILURE, "connection to client lost").fatal()
}
