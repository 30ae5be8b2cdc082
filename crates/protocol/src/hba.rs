//! `pg_hba.conf`: which client may connect to which database as which user, and how it proves who it is. Rules are tried
//! in order; the first that matches decides.

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
    SameHost,
    SameNet,
}

/// A rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    pub line: usize,
    pub conn: ConnType,
    pub databases: Vec<Word>,
    pub users: Vec<Word>,
    pub address: AddressMatch,
    pub method: Method,
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
}

/// Splits a line into fields, each a comma-separated list of words.
fn fields(line: &str) -> Vec<Vec<Word>> {
    let mut out: Vec<Vec<Word>> = Vec::new();
    let mut chars = line.chars().peekable();
    let mut list: Vec<Word> = Vec::new();
    loop {
        let mut comma = false;
        while let Some(&c) = chars.peek() {
            match c {
                ',' => comma = true,
                c if c.is_whitespace() => {}
                _ => break,
            }
            chars.next();
        }
        if !comma && !list.is_empty() {
            out.push(std::mem::take(&mut list));
        }
        match chars.peek() {
            None | Some('#') => {
                if !list.is_empty() {
                    out.push(list);
                }
                return out;
            }
            Some(_) => {}
        }
        let (mut text, mut quoted, mut inside) = (String::new(), false, false);
        while let Some(&c) = chars.peek() {
            match c {
                '"' => {
                    quoted = true;
                    inside = !inside;
                }
                ',' | '#' if !inside => break,
                c if c.is_whitespace() && !inside => break,
                c => text.push(c),
            }
            chars.next();
        }
        list.push(Word { text, quoted });
    }
}

/// Reads the file. Faulty lines are all reported; a file with any is not used.
pub fn parse(text: &str) -> Result<Vec<Rule>, Vec<LineError>> {
    let (mut rules, mut errors) = (Vec::new(), Vec::new());
    for (i, line) in text.lines().enumerate() {
        let f = fields(line);
        if f.is_empty() {
            continue;
        }
        match rule(i + 1, &f) {
            Ok(r) => rules.push(r),
            Err(message) => errors.push(LineError { line: i + 1, message }),
        }
    }
    if errors.is_empty() { Ok(rules) } else { Err(errors) }
}

fn single<'a>(f: Option<&'a Vec<Word>>, missing: &str) -> Result<&'a str, String> {
    match f.map(Vec::as_slice) {
        Some([w]) => Ok(&w.text),
        Some(_) => Err("multiple values specified".to_string()),
        None => Err(missing.to_string()),
    }
}

fn rule(line: usize, f: &[Vec<Word>]) -> Result<Rule, String> {
    let conn = match single(f.first(), "end-of-line")? {
        "local" => ConnType::Local,
        "host" => ConnType::Host,
        "hostssl" => ConnType::HostSsl,
        "hostnossl" => ConnType::HostNoSsl,
        "hostgssenc" => ConnType::HostGssEnc,
        "hostnogssenc" => ConnType::HostNoGssEnc,
        other => return Err(format!("invalid connection type \"{other}\"")),
    };
    let databases = f.get(1).cloned().ok_or("end-of-line before database specification")?;
    let users = f.get(2).cloned().ok_or("end-of-line before role specification")?;
    let mut next = 3;
    let address = if conn == ConnType::Local {
        AddressMatch::None
    } else {
        let word = single(f.get(next), "end-of-line before IP address specification")?;
        next += 1;
        address(word, f, &mut next)?
    };
    let name = single(f.get(next), "end-of-line before authentication method")?;
    let method = match name {
        "trust" => Method::Trust,
        "reject" => Method::Reject,
        "password" => Method::Password,
        "md5" => Method::Md5,
        "scram-sha-256" => Method::ScramSha256,
        "peer" if conn == ConnType::Local => Method::Peer,
        "peer" => return Err("peer authentication is only supported on local sockets".to_string()),
        other => return Err(format!("invalid authentication method \"{other}\"")),
    };
    // No method here takes options yet; one that is not understood must not be ignored.
    if let Some(w) = f[next + 1..].iter().flatten().next() {
        return Err(match w.text.split_once('=') {
            Some((k, _)) => format!("unrecognized authentication option name: \"{k}\""),
            None => format!("authentication option not in name=value format: {}", w.text),
        });
    }
    Ok(Rule { line, conn, databases, users, address, method })
}

fn address(word: &str, f: &[Vec<Word>], next: &mut usize) -> Result<AddressMatch, String> {
    match word {
        "all" => return Ok(AddressMatch::All),
        "samehost" => return Ok(AddressMatch::SameHost),
        "samenet" => return Ok(AddressMatch::SameNet),
        _ => {}
    }
    if let Some((a, bits)) = word.split_once('/') {
        let addr: IpAddr = a.parse().map_err(|_| format!("invalid IP address \"{a}\""))?;
        let max = if addr.is_ipv4() { 32 } else { 128 };
        let bits = bits.parse().ok().filter(|b| *b <= max);
        return match bits {
            Some(bits) => Ok(AddressMatch::Net { addr, bits }),
            None => Err(format!("invalid CIDR mask in address \"{word}\"")),
        };
    }
    let addr: IpAddr =
        word.parse().map_err(|_| format!("host name \"{word}\" in an address field is not supported"))?;
    let mask_word = single(f.get(*next), "end-of-line before netmask specification")?;
    *next += 1;
    let mask: IpAddr = mask_word.parse().map_err(|_| format!("invalid IP mask \"{mask_word}\""))?;
    let (ones, total) = match mask {
        IpAddr::V4(m) => (u32::from(m).leading_ones(), u32::from(m).count_ones()),
        IpAddr::V6(m) => (u128::from(m).leading_ones(), u128::from(m).count_ones()),
    };
    if ones != total || addr.is_ipv4() != mask.is_ipv4() {
        return Err("IP address and mask do not match".to_string());
    }
    Ok(AddressMatch::Net { addr, bits: ones as u8 })
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
    fn matches_origin(&self, origin: &Origin) -> bool {
        match (self.conn, origin) {
            (ConnType::Local, Origin::Local) => return true,
            (ConnType::Host | ConnType::HostNoGssEnc, Origin::Host { .. })
            | (ConnType::HostSsl, Origin::Host { tls: true, .. })
            | (ConnType::HostNoSsl, Origin::Host { tls: false, .. }) => {}
            _ => return false,
        }
        let Origin::Host { addr, .. } = origin else { return false };
        match &self.address {
            AddressMatch::None => false,
            AddressMatch::All => true,
            AddressMatch::Net { addr: net, bits } => in_network(*addr, *net, *bits),
            AddressMatch::SameHost | AddressMatch::SameNet => addr.is_loopback(),
        }
    }
    fn matches_names(&self, database: &str, user: &str, member_of: &dyn Fn(&str) -> bool) -> bool {
        let db = self.databases.iter().any(|w| match w.text.as_str() {
            "all" if !w.quoted => true,
            "sameuser" if !w.quoted => database == user,
            "samerole" | "samegroup" if !w.quoted => member_of(database),
            "replication" if !w.quoted => false,
            name => name == database,
        });
        db && self.users.iter().any(|w| match w.text.as_str() {
            "all" if !w.quoted => true,
            name => match name.strip_prefix('+') {
                Some(group) if !w.quoted => member_of(group),
                _ => name == user,
            },
        })
    }
}

/// Finds the rule for a connection. `member_of` tells whether the user is a member of a role.
pub fn find<'a>(
    rules: &'a [Rule],
    origin: &Origin,
    database: &str,
    user: &str,
    member_of: &dyn Fn(&str) -> bool,
) -> Option<&'a Rule> {
    rules.iter().find(|r| r.matches_origin(origin) && r.matches_names(database, user, member_of))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn method(text: &str, origin: Origin, db: &str, user: &str) -> Option<Method> {
        let rules = parse(text).unwrap();
        find(&rules, &origin, db, user, &|g| g == "admins" && user == "ann").map(|r| r.method)
    }

    #[test]
    fn first_match_decides() {
        let text = "# comment\nlocal all all trust\nhost \"all\" all 10.0.0.0/8 reject\nhost a,b +admins 127.0.0.1/32 md5 # x\n\
                    host all all 192.168.0.0 255.255.0.0 scram-sha-256\nhostssl all all ::1/128 trust\n";
        let host = |a: &str| Origin::Host { addr: a.parse().unwrap(), tls: false };
        assert_eq!(method(text, Origin::Local, "x", "y"), Some(Method::Trust));
        assert_eq!(method(text, host("10.1.2.3"), "all", "y"), Some(Method::Reject));
        assert_eq!(method(text, host("10.1.2.3"), "x", "y"), None);
        assert_eq!(method(text, host("127.0.0.1"), "b", "ann"), Some(Method::Md5));
        assert_eq!(method(text, host("127.0.0.1"), "b", "bob"), None);
        assert_eq!(method(text, host("192.168.7.7"), "b", "bob"), Some(Method::ScramSha256));
        assert_eq!(method(text, host("::1"), "b", "bob"), None);
    }

    #[test]
    fn faults_are_named() {
        let errors =
            parse("locl all all trust\nhost all all trust\nlocal all all foo\nhost all all 1.2.3.4/33 md5")
                .unwrap_err();
        let lines: Vec<usize> = errors.iter().map(|e| e.line).collect();
        assert_eq!(lines, vec![1, 2, 3, 4]);
    }
}
