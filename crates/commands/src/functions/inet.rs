//! Reading and writing `inet`: what client addresses need. In memory: family (2 IPv4, 3 IPv6), prefix length, address.

use common::{Error, Oid, Result, SqlState, err};
use std::net::IpAddr;
use types::{CallCtx, Datum, DatumRef, FnImpl};

pub static TABLE: &[(u32, FnImpl)] = &[
    (910, FnImpl::Input(input)),
    (911, FnImpl::Output(output)),
    (2496, FnImpl::Receive(receive)),
    (2497, FnImpl::Send(send)),
];

/// A single host.
pub fn host(addr: IpAddr) -> Datum {
    with_prefix(addr, if addr.is_ipv4() { 32 } else { 128 })
}

fn with_prefix(addr: IpAddr, bits: u8) -> Datum {
    match addr {
        IpAddr::V4(a) => Datum::bytes(&[&[2, bits][..], &a.octets()].concat()),
        IpAddr::V6(a) => Datum::bytes(&[&[3, bits][..], &a.octets()].concat()),
    }
}

fn input(_: &CallCtx<'_>, text: &str, _: Oid, _: i32) -> Result<Datum> {
    let bad = || err!(INVALID_TEXT_REPRESENTATION, "invalid input syntax for type inet: \"{text}\"");
    let (addr, bits) = match text.trim().split_once('/') {
        Some((a, b)) => (a, Some(b.parse::<u8>().map_err(|_| bad())?)),
        None => (text.trim(), None),
    };
    let addr: IpAddr = addr.parse().map_err(|_| bad())?;
    let most = if addr.is_ipv4() { 32 } else { 128 };
    match bits.unwrap_or(most) {
        b if b <= most => Ok(with_prefix(addr, b)),
        _ => Err(bad()),
    }
}

fn parts(b: &[u8]) -> Option<(IpAddr, u8)> {
    match b {
        [2, bits, rest @ ..] => Some((IpAddr::from(*rest.first_chunk::<4>()?), *bits)),
        [3, bits, rest @ ..] => Some((IpAddr::from(*rest.first_chunk::<16>()?), *bits)),
        _ => None,
    }
}

fn output(_: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    let (addr, bits) = parts(v.bytes()).ok_or_else(|| Error::corrupted("malformed inet value"))?;
    let most = if addr.is_ipv4() { 32 } else { 128 };
    let text = if bits == most { addr.to_string() } else { format!("{addr}/{bits}") };
    out.extend_from_slice(text.as_bytes());
    Ok(())
}

fn receive(_: &CallCtx<'_>, wire: &[u8], _: Oid, _: i32) -> Result<Datum> {
    let bad = || Error::new(SqlState::INVALID_BINARY_REPRESENTATION, "invalid external \"inet\" value");
    let [family, bits, _, len, rest @ ..] = wire else { return Err(bad()) };
    let most = match (*family, *len) {
        (2, 4) => 32,
        (3, 16) => 128,
        _ => return Err(bad()),
    };
    if rest.len() != usize::from(*len) || *bits > most {
        return Err(bad());
    }
    Ok(Datum::bytes(&[&[*family, *bits][..], rest].concat()))
}

fn send(_: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    let b = v.bytes();
    let [family, bits, rest @ ..] = b else { return Err(Error::corrupted("malformed inet value")) };
    out.extend_from_slice(&[*family, *bits, 0, rest.len() as u8]);
    out.extend_from_slice(rest);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        for (addr, len) in [("127.0.0.1", 6), ("::1", 18)] {
            let a: IpAddr = addr.parse().unwrap();
            let Datum::Bytes(b) = host(a) else { panic!("bytes") };
            assert_eq!((b.len(), parts(&b).unwrap().0), (len, a));
        }
        assert!(parts(&[2, 32, 1]).is_none());
    }
}
