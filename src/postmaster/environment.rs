//! What the postmaster's surroundings are told or ask for: systemd's notifications, and the kernel's choice of victims when
//! memory runs out.

use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// Tells systemd how the server stands (`READY=1`, `STOPPING=1`), if it asks to be told.
pub fn notify_systemd(state: &str) {
    let Ok(path) = std::env::var("NOTIFY_SOCKET") else { return };
    let addr = match path.strip_prefix('@') {
        Some(name) => SocketAddr::from_abstract_name(name),
        None => SocketAddr::from_pathname(&path),
    };
    // Nobody listening is no fault of ours.
    if let (Ok(addr), Ok(socket)) = (addr, UnixDatagram::unbound()) {
        let _ = socket.send_to_addr(state.as_bytes(), &addr);
    }
}

/// A child takes the score of `PG_OOM_ADJUST_VALUE` (0) where the postmaster is protected: `PG_OOM_ADJUST_FILE` names the file.
pub fn adjust_oom_score() {
    let Ok(file) = std::env::var("PG_OOM_ADJUST_FILE") else { return };
    let value = std::env::var("PG_OOM_ADJUST_VALUE").unwrap_or_else(|_| "0".into());
    // As in PostgreSQL: what cannot be done is not done.
    let _ = std::fs::write(file, value);
}
