//! What `pg_hba.conf` asks of roles and of the network.

use catalog::columns::pg_authid;
use catalog::{CatRow, Catalog};
use protocol::hba::Surroundings;
use std::net::{IpAddr, ToSocketAddrs};

/// The world as one candidate sees it.
pub struct World<'a> {
    pub catalog: &'a Catalog,
    /// The role that wants to connect, if there is one of that name.
    pub role: Option<&'a CatRow>,
}

impl Surroundings for World<'_> {
    fn member_of(&self, role: &str) -> bool {
        let (Some(r), Ok(Some(g))) = (self.role, self.catalog.role_oid(role)) else { return false };
        // Membership must be real here: superusers are not members of everything.
        commands::roles::is_member_nosuper(self.catalog, r.oid(pg_authid::OID), g).unwrap_or(false)
    }
    fn interfaces(&self) -> Vec<(IpAddr, u8)> {
        interfaces()
    }
    fn name_of(&self, addr: IpAddr) -> Option<String> {
        ipc::resolve::host_name(addr)
    }
    fn addresses_of(&self, name: &str) -> Vec<IpAddr> {
        (name, 0).to_socket_addrs().map_or_else(|_| Vec::new(), |a| a.map(|a| a.ip()).collect())
    }
}

/// Addresses of the machine's interfaces with the lengths of their masks.
fn interfaces() -> Vec<(IpAddr, u8)> {
    let Ok(all) = nix::ifaddrs::getifaddrs() else { return Vec::new() };
    all.filter_map(|i| {
        let (a, m) = (i.address?, i.netmask?);
        if let (Some(a), Some(m)) = (a.as_sockaddr_in(), m.as_sockaddr_in()) {
            return Some((a.ip().into(), u32::from(m.ip()).leading_ones() as u8));
        }
        let (a, m) = (a.as_sockaddr_in6()?, m.as_sockaddr_in6()?);
        Some((a.ip().into(), u128::from(m.ip()).leading_ones() as u8))
    })
    .collect()
}
