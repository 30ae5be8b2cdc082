//! One line of `pg_hba.conf` as a rule, or what is wrong with it.

use super::line::{Line, fault, hinted, lines};
use super::{AddressMatch, ClientCert, ConnType, LineError, Method, Rule, Word};
use std::net::IpAddr;
use std::path::Path;

/// Reads the file. All faulty lines are reported; a file with any is not used. `dir` is where `@file` is looked for,
/// `ssl` whether TLS is on.
pub fn parse(text: &str, dir: &Path, ssl: bool) -> (Vec<Rule>, Vec<LineError>) {
    let (mut rules, mut errors) = (Vec::new(), Vec::new());
    for l in lines(text, dir) {
        match rule(&l, ssl) {
            Ok(r) => rules.push(r),
            Err(e) => errors.push(LineError { line: l.number, ..e }),
        }
    }
    (rules, errors)
}

type Found<T> = Result<T, LineError>;

const ONE_TYPE: &str = "Specify exactly one connection type per line.";
const ONE_METHOD: &str = "Specify exactly one authentication type per line.";

/// The rule of a line.
pub fn rule(l: &Line, ssl: bool) -> Found<Rule> {
    if let Some(e) = &l.error {
        return Err(fault(e.clone()));
    }
    let mut f = l.fields.iter();
    let conn = match f.next().map(Vec::as_slice) {
        Some([w]) => connection_type(&w.text)?,
        _ => return Err(hinted("multiple values specified for connection type", ONE_TYPE)),
    };
    let databases = f.next().cloned().ok_or_else(|| fault("end-of-line before database specification"))?;
    let users = f.next().cloned().ok_or_else(|| fault("end-of-line before role specification"))?;
    let address = if conn == ConnType::Local { AddressMatch::None } else { address(&mut f)? };
    let method = match f.next().map(Vec::as_slice) {
        Some([w]) => method(&w.text, conn)?,
        Some(_) => return Err(hinted("multiple values specified for authentication type", ONE_METHOD)),
        None => return Err(fault("end-of-line before authentication method")),
    };
    let mut r = Rule {
        line: l.number,
        raw: l.raw.clone(),
        conn,
        databases,
        users,
        address,
        method,
        map: None,
        client_cert: ClientCert::Off,
        client_name_dn: false,
    };
    for w in f.flatten() {
        option(&mut r, &w.text)?;
    }
    if method == Method::Cert {
        r.client_cert = ClientCert::VerifyFull;
    }
    if conn == ConnType::HostSsl && !ssl {
        return Err(hinted(
            "hostssl record cannot match because SSL is disabled",
            "Set ssl = on in postgresql.conf.",
        ));
    }
    Ok(r)
}

fn connection_type(word: &str) -> Found<ConnType> {
    Ok(match word {
        "local" => ConnType::Local,
        "host" => ConnType::Host,
        "hostssl" => ConnType::HostSsl,
        "hostnossl" => ConnType::HostNoSsl,
        "hostgssenc" => {
            return Err(fault(
                "hostgssenc record cannot match because GSSAPI is not supported by this build",
            ));
        }
        "hostnogssenc" => ConnType::HostNoGssEnc,
        other => return Err(fault(format!("invalid connection type \"{other}\""))),
    })
}

fn address<'a>(f: &mut impl Iterator<Item = &'a Vec<Word>>) -> Found<AddressMatch> {
    const ONE: &str = "Specify one address range per line.";
    let w = match f.next().map(Vec::as_slice) {
        Some([w]) => w,
        Some(_) => return Err(hinted("multiple values specified for host address", ONE)),
        None => return Err(fault("end-of-line before IP address specification")),
    };
    let word = w.text.as_str();
    match word {
        "all" if !w.quoted => return Ok(AddressMatch::All),
        "samehost" if !w.quoted => return Ok(AddressMatch::SameHost),
        "samenet" if !w.quoted => return Ok(AddressMatch::SameNet),
        _ => {}
    }
    if let Some((a, bits)) = word.split_once('/') {
        let Ok(addr) = a.parse::<IpAddr>() else {
            return Err(fault(format!("specifying both host name and CIDR mask is invalid: \"{word}\"")));
        };
        let max = if addr.is_ipv4() { 32 } else { 128 };
        return match bits.parse().ok().filter(|b| *b <= max) {
            Some(bits) => Ok(AddressMatch::Net { addr, bits }),
            None => Err(fault(format!("invalid CIDR mask in address \"{word}\""))),
        };
    }
    let Ok(addr) = word.parse::<IpAddr>() else { return Ok(AddressMatch::Name(word.to_string())) };
    let mask_word = match f.next().map(Vec::as_slice) {
        Some([w]) => &w.text,
        Some(_) => return Err(fault("multiple values specified for netmask")),
        None => {
            return Err(hinted(
                "end-of-line before netmask specification",
                "Specify an address range in CIDR notation, or provide a separate netmask.",
            ));
        }
    };
    let Ok(mask) = mask_word.parse::<IpAddr>() else {
        return Err(fault(format!("invalid IP mask \"{mask_word}\": Name or service not known")));
    };
    let (ones, total) = match mask {
        IpAddr::V4(m) => (u32::from(m).leading_ones(), u32::from(m).count_ones()),
        IpAddr::V6(m) => (u128::from(m).leading_ones(), u128::from(m).count_ones()),
    };
    if ones != total || addr.is_ipv4() != mask.is_ipv4() {
        return Err(fault("IP address and mask do not match"));
    }
    Ok(AddressMatch::Net { addr, bits: ones as u8 })
}

fn method(name: &str, conn: ConnType) -> Found<Method> {
    Ok(match name {
        "trust" => Method::Trust,
        "reject" => Method::Reject,
        "password" => Method::Password,
        "md5" => Method::Md5,
        "scram-sha-256" => Method::ScramSha256,
        "peer" if conn != ConnType::Local => {
            return Err(fault("peer authentication is only supported on local sockets"));
        }
        // On a local socket the system itself can be asked.
        "ident" if conn == ConnType::Local => Method::Peer,
        "peer" => Method::Peer,
        "ident" => Method::Ident,
        "cert" if conn != ConnType::HostSsl => {
            return Err(fault("cert authentication is only supported on hostssl connections"));
        }
        "cert" => Method::Cert,
        "gss" | "sspi" | "pam" | "bsd" | "ldap" | "radius" => {
            return Err(fault(format!(
                "invalid authentication method \"{name}\": not supported by this build"
            )));
        }
        other => return Err(fault(format!("invalid authentication method \"{other}\""))),
    })
}

fn option(r: &mut Rule, word: &str) -> Found<()> {
    let Some((name, value)) = word.split_once('=') else {
        return Err(fault(format!("authentication option not in name=value format: {word}")));
    };
    match name {
        "map" => {
            if !matches!(r.method, Method::Ident | Method::Peer | Method::Cert) {
                return Err(fault(
                    "authentication option \"map\" is only valid for authentication methods ident, peer, gssapi, sspi, and cert",
                ));
            }
            r.map = Some(value.to_string());
        }
        "clientcert" | "clientname" if r.conn != ConnType::HostSsl => {
            return Err(fault(format!("{name} can only be configured for \"hostssl\" rows")));
        }
        "clientcert" => {
            r.client_cert = match value {
                "verify-full" => ClientCert::VerifyFull,
                "verify-ca" if r.method == Method::Cert => {
                    return Err(fault(
                        "clientcert can only be set to \"verify-full\" when using \"cert\" authentication",
                    ));
                }
                "verify-ca" => ClientCert::VerifyCa,
                _ => return Err(fault(format!("invalid value for clientcert: \"{value}\""))),
            }
        }
        "clientname" => {
            r.client_name_dn = match value {
                "CN" => false,
                "DN" => true,
                _ => return Err(fault(format!("invalid value for clientname: \"{value}\""))),
            }
        }
        other => return Err(fault(format!("unrecognized authentication option name: \"{other}\""))),
    }
    Ok(())
}
