//! `pg_hba.conf`: which client may connect to which database as which user, and how it proves who it is. Rules are tried
//! in order; the first that matches decides. `pg_ident.conf`: which system users may be which database users.

mod ident;
mod line;
mod parse;
mod show;

pub use ident::{Mapping, check_map, parse_ident};
pub use parse::parse;
pub use show::{ShownMapping, ShownRule, show_mappings, show_rules};

use std::net::IpAddr;

/// How the client came.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Origin {
    /// Unix-domain socket.
    Local,
    /// TCP from this address, inside TLS or not.
    Host { addr: IpAddr, tls: bool },
}

/// First word of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnType {
    Local,
    Host,
    HostSsl,
    HostNoSsl,
    HostGssEnc,
    HostNoGssEnc,
}

/// Authentication methods this server knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Trust,
    Reject,
    Password,
    Md5,
    ScramSha256,
    Peer,
    Ident,
    Cert,
}

impl Method {
    /// As `pg_hba_file_rules` shows it.
    pub fn as_str(self) -> &'static str {
        match self {
            Method::Trust => "trust",
            Method::Reject => "reject",
            Method::Password => "password",
            Method::Md5 => "md5",
            Method::ScramSha256 => "scram-sha-256",
            Method::Peer => "peer",
            Method::Ident => "ident",
            Method::Cert => "cert",
        }
    }
}

/// Address part of a rule.
#[derive(Clone, Debug, PartialEq)]
pub enum AddressMatch {
    /// Local rules have none.
    None,
    All,
    Net {
        addr: IpAddr,
        bits: u8,
    },
    /// A host name, or with a leading dot all hosts of a domain.
    Name(String),
    SameHost,
    SameNet,
}

/// What a rule asks of the client's certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClientCert {
    #[default]
    Off,
    VerifyCa,
    VerifyFull,
}

/// A rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    pub line: usize,
    /// The line as it stands in the file.
    pub raw: String,
    pub conn: ConnType,
    pub databases: Vec<Word>,
    pub users: Vec<Word>,
    pub address: AddressMatch,
    pub method: Method,
    /// `map=`
    pub map: Option<String>,
    pub client_cert: ClientCert,
    /// `clientname=DN`: the whole subject stands for the user, not its common name.
    pub client_name_dn: bool,
}

/// A name in a rule; quoting takes away the special meaning of keywords.
#[derive(Clone, Debug, PartialEq)]
pub struct Word {
    pub text: String,
    pub quoted: bool,
}

/// Why a line was refused.
#[derive(Clone, Debug, PartialEq)]
pub struct LineError {
    pub line: usize,
    pub message: String,
    /// HINT of the log line, or empty.
    pub hint: &'static str,
}

/// Who wants to connect.
pub struct Candidate<'a> {
    pub origin: Origin,
    pub database: &'a str,
    pub user: &'a str,
    /// A connection for physical replication: only `replication` matches.
    pub physical_replication: bool,
}

/// What the rules ask of the world around: roles, and the network.
pub trait Surroundings {
    /// Is the user a member of this role?
    fn member_of(&self, role: &str) -> bool;
    /// Addresses and prefix lengths of the machine's own interfaces.
    fn interfaces(&self) -> Vec<(IpAddr, u8)>;
    /// The client's name by reverse look-up.
    fn name_of(&self, addr: IpAddr) -> Option<String>;
    /// Addresses of a name.
    fn addresses_of(&self, name: &str) -> Vec<IpAddr>;
}

/// Is `a` in the network of `net` with `bits` leading bits?
pub fn in_network(a: IpAddr, net: IpAddr, bits: u8) -> bool {
    match (a, net) {
        (IpAddr::V4(a), IpAddr::V4(n)) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0);
            u32::from(a) & mask == u32::from(n) & mask
        }
        (IpAddr::V6(a), IpAddr::V6(n)) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0);
            u128::from(a) & mask == u128::from(n) & mask
        }
        _ => false,
    }
}

impl Rule {
    fn matches_origin(&self, origin: &Origin, w: &dyn Surroundings) -> bool {
        match (self.conn, origin) {
            (ConnType::Local, Origin::Local) => return true,
            (ConnType::Host | ConnType::HostNoGssEnc, Origin::Host { .. })
            | (ConnType::HostSsl, Origin::Host { tls: true, .. })
            | (ConnType::HostNoSsl, Origin::Host { tls: false, .. }) => {}
            _ => return false,
        }
        let Origin::Host { addr, .. } = *origin else { return false };
        match &self.address {
            AddressMatch::None => false,
            AddressMatch::All => true,
            AddressMatch::Net { addr: net, bits } => in_network(addr, *net, *bits),
            AddressMatch::Name(name) => name_matches(name, addr, w),
            AddressMatch::SameHost => w.interfaces().iter().any(|(a, _)| *a == addr),
            AddressMatch::SameNet => w.interfaces().iter().any(|(a, bits)| in_network(addr, *a, *bits)),
        }
    }
    fn matches_names(&self, c: &Candidate<'_>, w: &dyn Surroundings) -> bool {
        let db = self.databases.iter().any(|word| match word.text.as_str() {
            "replication" if !word.quoted => c.physical_replication,
            _ if c.physical_replication => false,
            "all" if !word.quoted => true,
            "sameuser" if !word.quoted => c.database == c.user,
            "samerole" | "samegroup" if !word.quoted => w.member_of(c.database),
            name => name == c.database,
        });
        db && self.users.iter().any(|word| match word.text.as_str() {
            "all" if !word.quoted => true,
            name => match name.strip_prefix('+') {
                Some(group) if !word.quoted => w.member_of(group),
                _ => name == c.user,
            },
        })
    }
}

/// The client's name must be the rule's, or end in it, and that name must lead back to the client's address.
fn name_matches(rule: &str, addr: IpAddr, w: &dyn Surroundings) -> bool {
    let Some(name) = w.name_of(addr) else { return false };
    let fits = match rule.strip_prefix('.') {
        Some(_) => name.to_ascii_lowercase().ends_with(&rule.to_ascii_lowercase()),
        None => name.eq_ignore_ascii_case(rule),
    };
    fits && w.addresses_of(&name).contains(&addr)
}

/// Finds the rule for a connection.
pub fn find<'a>(rules: &'a [Rule], c: &Candidate<'_>, w: &dyn Surroundings) -> Option<&'a Rule> {
    rules.iter().find(|r| r.matches_origin(&c.origin, w) && r.matches_names(c, w))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    struct World<'a>(&'a str);
    impl Surroundings for World<'_> {
        fn member_of(&self, role: &str) -> bool {
            role == "admins" && self.0 == "ann"
        }
        fn interfaces(&self) -> Vec<(IpAddr, u8)> {
            vec![("172.16.3.4".parse().unwrap(), 16)]
        }
        fn name_of(&self, addr: IpAddr) -> Option<String> {
            (addr.to_string() == "9.9.9.9").then(|| "db.example.com".to_string())
        }
        fn addresses_of(&self, name: &str) -> Vec<IpAddr> {
            if name == "db.example.com" { vec!["9.9.9.9".parse().unwrap()] } else { Vec::new() }
        }
    }

    fn method(text: &str, origin: Origin, database: &str, user: &str) -> Option<Method> {
        let (rules, errors) = parse(text, Path::new("/nowhere"), true);
        assert_eq!(errors, vec![]);
        let c = Candidate { origin, database, user, physical_replication: false };
        find(&rules, &c, &World(user)).map(|r| r.method)
    }

    #[test]
    fn first_match_decides() {
        let text = "# comment\nlocal all all trust\nhost \"all\" all 10.0.0.0/8 reject\nhost a,b +admins 127.0.0.1/32 md5 # x\n\
                    host all all 192.168.0.0 255.255.0.0 scram-sha-256\nhostssl all all ::1/128 trust\n\
                    host all all samehost password\nhost all all samenet md5\nhost all all .example.com reject\n\
                    hostnossl x joe 0.0.0.0/0 \\\n trust\n";
        let at = |a: &str, tls| Origin::Host { addr: a.parse().unwrap(), tls };
        let host = |a: &str| at(a, false);
        assert_eq!(method(text, Origin::Local, "x", "y"), Some(Method::Trust));
        assert_eq!(method(text, host("10.1.2.3"), "all", "y"), Some(Method::Reject));
        assert_eq!(method(text, host("10.1.2.3"), "x", "y"), None);
        assert_eq!(method(text, host("127.0.0.1"), "b", "ann"), Some(Method::Md5));
        assert_eq!(method(text, host("127.0.0.1"), "b", "bob"), None);
        assert_eq!(method(text, host("192.168.7.7"), "b", "bob"), Some(Method::ScramSha256));
        assert_eq!(method(text, host("::1"), "b", "bob"), None);
        assert_eq!(method(text, at("::1", true), "b", "bob"), Some(Method::Trust));
        assert_eq!(method(text, host("172.16.3.4"), "b", "bob"), Some(Method::Password));
        assert_eq!(method(text, host("172.16.9.9"), "b", "bob"), Some(Method::Md5));
        assert_eq!(method(text, host("9.9.9.9"), "b", "bob"), Some(Method::Reject));
        assert_eq!(method(text, host("8.8.8.8"), "x", "joe"), Some(Method::Trust));
        assert_eq!(method(text, at("8.8.8.8", true), "x", "joe"), None);
    }

    #[test]
    fn faults_are_named() {
        let text = "locl all all trust\nhost all all trust\nlocal all all foo\nhost all all 1.2.3.4/33 md5\n\
                    host all all 1.2.3.4/32 peer\nlocal all all md5 map=x\nhostssl all all all md5 clientcert=x\n\
                    host all all all gss\nhost all,";
        let (_, errors) = parse(text, Path::new("/nowhere"), true);
        let got: Vec<(usize, &str)> = errors.iter().map(|e| (e.line, e.message.as_str())).collect();
        assert_eq!(
            got,
            vec![
                (1, "invalid connection type \"locl\""),
                (2, "end-of-line before authentication method"),
                (3, "invalid authentication method \"foo\""),
                (4, "invalid CIDR mask in address \"1.2.3.4/33\""),
                (5, "peer authentication is only supported on local sockets"),
                (
                    6,
                    "authentication option \"map\" is only valid for authentication methods ident, peer, gssapi, sspi, and cert"
                ),
                (7, "invalid value for clientcert: \"x\""),
                (8, "invalid authentication method \"gss\": not supported by this build"),
                (9, "end-of-line before role specification"),
            ]
        );
    }
}
