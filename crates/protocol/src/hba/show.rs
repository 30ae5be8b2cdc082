//! The access files as `pg_hba_file_rules` and `pg_ident_file_mappings` show them, faulty lines included.

use super::line::lines;
use super::{AddressMatch, ClientCert, ConnType, Rule, Word, parse, parse_ident};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;

/// A row of `pg_hba_file_rules`.
#[derive(Clone, Debug, Default)]
pub struct ShownRule {
    pub line: usize,
    /// Absent for a faulty line.
    pub conn: Option<&'static str>,
    pub databases: Vec<String>,
    pub users: Vec<String>,
    pub address: Option<String>,
    pub netmask: Option<String>,
    pub method: Option<&'static str>,
    pub options: Vec<String>,
    pub error: Option<String>,
}

/// A row of `pg_ident_file_mappings`: map, system user, database user.
#[derive(Clone, Debug, Default)]
pub struct ShownMapping {
    pub line: usize,
    pub mapping: Option<[String; 3]>,
    pub error: Option<String>,
}

fn netmask(a: IpAddr, bits: u8) -> IpAddr {
    match a {
        IpAddr::V4(_) => Ipv4Addr::from(u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0)).into(),
        IpAddr::V6(_) => Ipv6Addr::from(u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0)).into(),
    }
}

fn shown(r: &Rule) -> ShownRule {
    let words = |w: &[Word]| w.iter().map(|w| w.text.clone()).collect();
    let (address, netmask) = match &r.address {
        AddressMatch::None => (None, None),
        AddressMatch::All => (Some("all".to_string()), None),
        AddressMatch::SameHost => (Some("samehost".to_string()), None),
        AddressMatch::SameNet => (Some("samenet".to_string()), None),
        AddressMatch::Name(n) => (Some(n.clone()), None),
        AddressMatch::Net { addr, bits } => (Some(addr.to_string()), Some(netmask(*addr, *bits).to_string())),
    };
    let mut options = Vec::new();
    options.extend(r.map.as_ref().map(|m| format!("map={m}")));
    match r.client_cert {
        ClientCert::Off => {}
        ClientCert::VerifyCa => options.push("clientcert=verify-ca".into()),
        ClientCert::VerifyFull => options.push("clientcert=verify-full".into()),
    }
    ShownRule {
        line: r.line,
        conn: Some(match r.conn {
            ConnType::Local => "local",
            ConnType::Host => "host",
            ConnType::HostSsl => "hostssl",
            ConnType::HostNoSsl => "hostnossl",
            ConnType::HostGssEnc => "hostgssenc",
            ConnType::HostNoGssEnc => "hostnogssenc",
        }),
        databases: words(&r.databases),
        users: words(&r.users),
        address,
        netmask,
        method: Some(r.method.as_str()),
        options,
        error: None,
    }
}

/// All lines of `pg_hba.conf`.
pub fn show_rules(text: &str, dir: &Path, ssl: bool) -> Vec<ShownRule> {
    let (rules, errors) = parse(text, dir, ssl);
    let mut out: Vec<ShownRule> = rules.iter().map(shown).collect();
    out.extend(errors.into_iter().map(|e| ShownRule {
        line: e.line,
        error: Some(e.message),
        ..ShownRule::default()
    }));
    out.sort_by_key(|r| r.line);
    out
}

/// All lines of `pg_ident.conf`.
pub fn show_mappings(text: &str, dir: &Path) -> Vec<ShownMapping> {
    let (maps, errors) = parse_ident(text, dir);
    let mut out: Vec<ShownMapping> = maps
        .into_iter()
        .map(|m| ShownMapping {
            line: m.line,
            mapping: Some([m.map, m.system_user, m.database_user]),
            error: None,
        })
        .collect();
    out.extend(errors.into_iter().map(|e| ShownMapping {
        line: e.line,
        mapping: None,
        error: Some(e.message),
    }));
    out.sort_by_key(|m| m.line);
    debug_assert!(out.len() == lines(text, dir).len());
    out
}
