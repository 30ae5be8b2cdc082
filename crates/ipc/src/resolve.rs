//! Names of addresses. The standard library knows the other direction only.

use std::net::{IpAddr, SocketAddr, SocketAddrV4, SocketAddrV6};

/// The name of an address by reverse look-up; `None` if it has none.
pub fn host_name(addr: IpAddr) -> Option<String> {
    let mut host = [0u8; 1025];
    let rc = match SocketAddr::new(addr, 0) {
        SocketAddr::V4(a) => look_up(&raw_v4(a), &mut host),
        SocketAddr::V6(a) => look_up(&raw_v6(a), &mut host),
    };
    if rc != 0 {
        return None;
    }
    let n = host.iter().position(|b| *b == 0)?;
    String::from_utf8(host[..n].to_vec()).ok()
}

fn raw_v4(a: SocketAddrV4) -> libc::sockaddr_in {
    libc::sockaddr_in {
        sin_family: libc::AF_INET as libc::sa_family_t,
        sin_port: 0,
        sin_addr: libc::in_addr { s_addr: u32::from_ne_bytes(a.ip().octets()) },
        sin_zero: [0; 8],
    }
}

fn raw_v6(a: SocketAddrV6) -> libc::sockaddr_in6 {
    libc::sockaddr_in6 {
        sin6_family: libc::AF_INET6 as libc::sa_family_t,
        sin6_port: 0,
        sin6_flowinfo: 0,
        sin6_addr: libc::in6_addr { s6_addr: a.ip().octets() },
        sin6_scope_id: a.scope_id(),
    }
}

fn look_up<T>(addr: &T, host: &mut [u8]) -> i32 {
    // SAFETY: `addr` is a sockaddr_in or sockaddr_in6, read for its own length; `host` is written within its length.
    unsafe {
        libc::getnameinfo(
            std::ptr::from_ref(addr).cast(),
            size_of::<T>() as libc::socklen_t,
            host.as_mut_ptr().cast(),
            host.len() as libc::socklen_t,
            std::ptr::null_mut(),
            0,
            libc::NI_NAMEREQD,
        )
    }
}
