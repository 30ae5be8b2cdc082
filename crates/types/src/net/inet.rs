//! inet and cidr. A value is the family (2 for IPv4, 3 for IPv6), the length of the prefix, and the address. cidr differs
//! in its input, which wants the bits behind the prefix to be zero, and in its output, which always shows the prefix.

use crate::hash::hash_bytes;
use crate::{CallCtx, Datum, DatumRef};
use common::{Error, Oid, Result, bail, err};
use std::cmp::Ordering;
use std::net::{IpAddr, Ipv6Addr};

/// A value taken apart.
#[derive(Clone, Debug, PartialEq)]
pub struct Net {
    pub family: u8,
    pub bits: u8,
    pub addr: Vec<u8>,
}

impl Net {
    fn new(b: &[u8]) -> Result<Net> {
        match b {
            [family, bits, addr @ ..]
                if addr.len() == (if *family == 2 { 4 } else { 16 })
                    && usize::from(*bits) <= addr.len() * 8 =>
            {
                Ok(Net { family: *family, bits: *bits, addr: addr.to_vec() })
            }
            _ => Err(Error::corrupted("malformed inet value")),
        }
    }
    fn pack(&self) -> Vec<u8> {
        [&[self.family, self.bits][..], &self.addr].concat()
    }
    fn max_bits(&self) -> u8 {
        (self.addr.len() * 8) as u8
    }
    fn mask(&self, bits: u8) -> Vec<u8> {
        (0..self.addr.len())
            .map(|i| match usize::from(bits).saturating_sub(8 * i) {
                0 => 0,
                n if n >= 8 => 0xff,
                n => 0xffu8 << (8 - n),
            })
            .collect()
    }
    fn masked(&self, bits: u8) -> Vec<u8> {
        self.addr.iter().zip(self.mask(bits)).map(|(a, m)| a & m).collect()
    }
    /// Address without the prefix length.
    fn address(&self) -> String {
        if let Ok(v4) = <[u8; 4]>::try_from(self.addr.as_slice()) {
            return IpAddr::from(v4).to_string();
        }
        let mut b = [0; 16];
        b.copy_from_slice(&self.addr);
        // Addresses with six leading zero words show the old embedded form.
        if b[..12].iter().all(|c| *c == 0) && b[12..14] != [0, 0] {
            return format!("::{}.{}.{}.{}", b[12], b[13], b[14], b[15]);
        }
        Ipv6Addr::from(b).to_string()
    }
}

fn bad(name: &str, text: &str) -> Error {
    err!(INVALID_TEXT_REPRESENTATION, "invalid input syntax for type {}: \"{}\"", name, text)
}

/// A single host.
pub fn host(addr: IpAddr) -> Datum {
    Datum::bytes(&match addr {
        IpAddr::V4(a) => [&[2, 32][..], &a.octets()].concat(),
        IpAddr::V6(a) => [&[3, 128][..], &a.octets()].concat(),
    })
}

fn parse_v4(addr: &str, bits: Option<u8>, cidr: bool) -> Option<Net> {
    let mut v = Vec::new();
    for part in addr.split('.') {
        let ok = !part.is_empty() && part.len() <= 3 && part.bytes().all(|c| c.is_ascii_digit());
        if !ok || v.len() == 4 {
            return None;
        }
        v.push(part.parse::<u8>().ok()?);
    }
    let given = v.len() as u8 * 8;
    let bits = match bits {
        Some(b) if b > 32 => return None,
        // The prefix may not reach beyond what is written.
        Some(b) if !cidr && b.div_ceil(8) * 8 > given && b / 8 > v.len() as u8 => return None,
        Some(b) => b,
        None if !cidr && v.len() != 4 => return None,
        None if !cidr => 32,
        None => {
            let class = match v[0] {
                240.. => 32,
                224.. => 8,
                192.. => 24,
                128.. => 16,
                _ => 8,
            };
            let b = class.max(given);
            if b == 8 && v[0] == 224 { 4 } else { b }
        }
    };
    v.resize(4, 0);
    Some(Net { family: 2, bits, addr: v })
}

fn parse(text: &str, cidr: bool) -> Result<Net> {
    let name = if cidr { "cidr" } else { "inet" };
    let fail = || bad(name, text);
    let (addr, bits) = match text.split_once('/') {
        None => (text, None),
        Some((a, b)) => {
            let ok = !b.is_empty()
                && b.len() <= 3
                && b.bytes().all(|c| c.is_ascii_digit())
                && (b == "0" || !b.starts_with('0'));
            (a, Some(b.parse::<u8>().ok().filter(|_| ok).ok_or_else(fail)?))
        }
    };
    let net = if addr.contains(':') {
        let a: Ipv6Addr = addr.parse().map_err(|_| fail())?;
        let bits = bits.unwrap_or(128);
        if bits > 128 {
            return Err(fail());
        }
        Net { family: 3, bits, addr: a.octets().to_vec() }
    } else {
        parse_v4(addr, bits, cidr).ok_or_else(fail)?
    };
    if cidr && net.masked(net.bits) != net.addr {
        return Err(err!(INVALID_TEXT_REPRESENTATION, "invalid cidr value: \"{}\"", text)
            .detail("Value has bits set to right of mask."));
    }
    Ok(net)
}

pub fn inet_in(_: &CallCtx<'_>, s: &str, _: Oid, _: i32) -> Result<Datum> {
    Ok(Datum::bytes(&parse(s, false)?.pack()))
}
pub fn cidr_in(_: &CallCtx<'_>, s: &str, _: Oid, _: i32) -> Result<Datum> {
    Ok(Datum::bytes(&parse(s, true)?.pack()))
}
pub fn inet_out(_: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    let n = Net::new(v.bytes())?;
    out.extend_from_slice(n.address().as_bytes());
    if n.bits != n.max_bits() {
        out.extend_from_slice(format!("/{}", n.bits).as_bytes());
    }
    Ok(())
}
pub fn cidr_out(_: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    out.extend_from_slice(show(v.bytes())?.as_bytes());
    Ok(())
}
fn receive(wire: &[u8], cidr: bool) -> Result<Datum> {
    let name = if cidr { "cidr" } else { "inet" };
    let [family, bits, _, len, addr @ ..] = wire else {
        bail!(PROTOCOL_VIOLATION, "insufficient data left in message");
    };
    if *family != 2 && *family != 3 {
        bail!(INVALID_BINARY_REPRESENTATION, "invalid address family in external \"{}\" value", name);
    }
    let want = if *family == 2 { 4 } else { 16 };
    if usize::from(*bits) > want * 8 {
        bail!(INVALID_BINARY_REPRESENTATION, "invalid bits in external \"{}\" value", name);
    }
    if usize::from(*len) != want || addr.len() != want {
        bail!(INVALID_BINARY_REPRESENTATION, "invalid length in external \"{}\" value", name);
    }
    let n = Net { family: *family, bits: *bits, addr: addr.to_vec() };
    if cidr && n.masked(n.bits) != n.addr {
        return Err(err!(INVALID_BINARY_REPRESENTATION, "invalid external \"cidr\" value")
            .detail("Value has bits set to right of mask."));
    }
    Ok(Datum::bytes(&n.pack()))
}
pub fn inet_recv(_: &CallCtx<'_>, b: &[u8], _: Oid, _: i32) -> Result<Datum> {
    receive(b, false)
}
pub fn cidr_recv(_: &CallCtx<'_>, b: &[u8], _: Oid, _: i32) -> Result<Datum> {
    receive(b, true)
}
fn send(v: DatumRef<'_>, cidr: u8, out: &mut Vec<u8>) -> Result<()> {
    let n = Net::new(v.bytes())?;
    out.extend_from_slice(&[n.family, n.bits, cidr, n.addr.len() as u8]);
    out.extend_from_slice(&n.addr);
    Ok(())
}
pub fn inet_send(_: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    send(v, 0, out)
}
pub fn cidr_send(_: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    send(v, 1, out)
}

fn common_bits(a: &[u8], b: &[u8]) -> usize {
    let mut n = 0;
    for (x, y) in a.iter().zip(b) {
        let z = (x ^ y).leading_zeros() as usize;
        n += z;
        if z < 8 {
            break;
        }
    }
    n
}
fn compare(a: &[u8], b: &[u8]) -> Result<Ordering> {
    let (x, y) = (Net::new(a)?, Net::new(b)?);
    let o = x.family.cmp(&y.family);
    if o.is_ne() {
        return Ok(o);
    }
    let n = x.bits.min(y.bits);
    Ok(x.masked(n).cmp(&y.masked(n)).then(x.bits.cmp(&y.bits)).then(x.addr.cmp(&y.addr)))
}
pub fn inet_cmp(_: crate::Collation, a: DatumRef<'_>, b: DatumRef<'_>) -> Ordering {
    compare(a.bytes(), b.bytes()).unwrap_or(Ordering::Equal)
}
pub fn inet_hash(_: crate::Collation, v: DatumRef<'_>) -> u64 {
    hash_bytes(v.bytes())
}
macro_rules! compares {
    ($($name:ident $test:ident;)*) => {$(
        pub fn $name(a: &[u8], b: &[u8]) -> Result<bool> {
            Ok(compare(a, b)?.$test())
        }
    )*};
}
compares! { eq is_eq; ne is_ne; lt is_lt; le is_le; gt is_gt; ge is_ge; }
pub fn larger<'a>(a: &'a [u8], b: &'a [u8]) -> Result<&'a [u8]> {
    Ok(if compare(a, b)?.is_gt() { a } else { b })
}
pub fn smaller<'a>(a: &'a [u8], b: &'a [u8]) -> Result<&'a [u8]> {
    Ok(if compare(a, b)?.is_lt() { a } else { b })
}

/// Do the prefixes agree, and do the lengths of the prefixes pass the test?
fn subnet(a: &[u8], b: &[u8], test: impl Fn(u8, u8) -> bool) -> Result<bool> {
    let (x, y) = (Net::new(a)?, Net::new(b)?);
    if x.family != y.family || !test(x.bits, y.bits) {
        return Ok(false);
    }
    Ok(common_bits(&x.addr, &y.addr) >= usize::from(x.bits.min(y.bits)))
}
pub fn sub(a: &[u8], b: &[u8]) -> Result<bool> {
    subnet(a, b, |x, y| x > y)
}
pub fn subeq(a: &[u8], b: &[u8]) -> Result<bool> {
    subnet(a, b, |x, y| x >= y)
}
pub fn sup(a: &[u8], b: &[u8]) -> Result<bool> {
    subnet(a, b, |x, y| x < y)
}
pub fn supeq(a: &[u8], b: &[u8]) -> Result<bool> {
    subnet(a, b, |x, y| x <= y)
}
pub fn overlap(a: &[u8], b: &[u8]) -> Result<bool> {
    subnet(a, b, |_, _| true)
}

pub fn show(b: &[u8]) -> Result<String> {
    let n = Net::new(b)?;
    Ok(format!("{}/{}", n.address(), n.bits))
}
pub fn host_text(b: &[u8]) -> Result<String> {
    Ok(Net::new(b)?.address())
}
pub fn inet_abbrev(b: &[u8]) -> Result<String> {
    let n = Net::new(b)?;
    Ok(if n.bits == n.max_bits() { n.address() } else { format!("{}/{}", n.address(), n.bits) })
}
pub fn cidr_abbrev(b: &[u8]) -> Result<String> {
    let n = Net::new(b)?;
    if n.family == 2 {
        let shown = usize::from(n.bits).div_ceil(8).max(1);
        let parts: Vec<String> = n.addr[..shown].iter().map(u8::to_string).collect();
        return Ok(format!("{}/{}", parts.join("."), n.bits));
    }
    if n.bits == 0 {
        return Ok("::/0".into());
    }
    let words: Vec<u16> = n.addr.chunks(2).map(|c| u16::from(c[0]) << 8 | u16::from(c[1])).collect();
    let used = usize::from(n.bits).div_ceil(16).max(2);
    if used == 8 {
        return Ok(format!("{}/{}", n.address(), n.bits));
    }
    Ok(format!("{}/{}", compressed(&words[..used]), n.bits))
}
/// Words in hexadecimal with the longest run of zeros left out.
fn compressed(words: &[u16]) -> String {
    let (mut best, mut len) = (0, 0);
    let mut i = 0;
    while i < words.len() {
        let n = words[i..].iter().take_while(|w| **w == 0).count();
        if n > len {
            (best, len) = (i, n);
        }
        i += n.max(1);
    }
    let hex = |w: &[u16]| w.iter().map(|x| format!("{x:x}")).collect::<Vec<_>>().join(":");
    if len == 0 {
        return hex(words);
    }
    format!("{}::{}", hex(&words[..best]), hex(&words[best + len..]))
}
pub fn family(b: &[u8]) -> Result<i32> {
    Ok(if Net::new(b)?.family == 2 { 4 } else { 6 })
}
pub fn masklen(b: &[u8]) -> Result<i32> {
    Ok(i32::from(Net::new(b)?.bits))
}
fn with(n: &Net, bits: u8, addr: Vec<u8>) -> Vec<u8> {
    Net { family: n.family, bits, addr }.pack()
}
pub fn broadcast(b: &[u8]) -> Result<Vec<u8>> {
    let n = Net::new(b)?;
    let addr = n.addr.iter().zip(n.mask(n.bits)).map(|(a, m)| a | !m).collect();
    Ok(with(&n, n.bits, addr))
}
pub fn network(b: &[u8]) -> Result<Vec<u8>> {
    let n = Net::new(b)?;
    Ok(with(&n, n.bits, n.masked(n.bits)))
}
pub fn netmask(b: &[u8]) -> Result<Vec<u8>> {
    let n = Net::new(b)?;
    Ok(with(&n, n.max_bits(), n.mask(n.bits)))
}
pub fn hostmask(b: &[u8]) -> Result<Vec<u8>> {
    let n = Net::new(b)?;
    Ok(with(&n, n.max_bits(), n.mask(n.bits).iter().map(|m| !m).collect()))
}
fn mask_length(n: &Net, bits: i32) -> Result<u8> {
    match bits {
        -1 => Ok(n.max_bits()),
        b if b >= 0 && b <= i32::from(n.max_bits()) => Ok(b as u8),
        b => bail!(INVALID_PARAMETER_VALUE, "invalid mask length: {}", b),
    }
}
pub fn inet_set_masklen(b: &[u8], bits: i32) -> Result<Vec<u8>> {
    let n = Net::new(b)?;
    let bits = mask_length(&n, bits)?;
    Ok(with(&n, bits, n.addr.clone()))
}
pub fn cidr_set_masklen(b: &[u8], bits: i32) -> Result<Vec<u8>> {
    let n = Net::new(b)?;
    let bits = mask_length(&n, bits)?;
    Ok(with(&n, bits, n.masked(bits)))
}
pub fn same_family(a: &[u8], b: &[u8]) -> Result<bool> {
    Ok(Net::new(a)?.family == Net::new(b)?.family)
}
pub fn merge(a: &[u8], b: &[u8]) -> Result<Vec<u8>> {
    let (x, y) = (Net::new(a)?, Net::new(b)?);
    if x.family != y.family {
        bail!(INVALID_PARAMETER_VALUE, "cannot merge addresses from different families");
    }
    let bits = common_bits(&x.addr, &y.addr).min(usize::from(x.bits.min(y.bits))) as u8;
    Ok(with(&x, bits, x.masked(bits)))
}
fn combine(a: &[u8], b: &[u8], what: &str, f: impl Fn(u8, u8) -> u8) -> Result<Vec<u8>> {
    let (x, y) = (Net::new(a)?, Net::new(b)?);
    if x.family != y.family {
        bail!(INVALID_PARAMETER_VALUE, "cannot {} inet values of different sizes", what);
    }
    let addr = x.addr.iter().zip(&y.addr).map(|(p, q)| f(*p, *q)).collect();
    Ok(with(&x, x.bits.max(y.bits), addr))
}
pub fn and(a: &[u8], b: &[u8]) -> Result<Vec<u8>> {
    combine(a, b, "AND", |p, q| p & q)
}
pub fn or(a: &[u8], b: &[u8]) -> Result<Vec<u8>> {
    combine(a, b, "OR", |p, q| p | q)
}
pub fn not(a: &[u8]) -> Result<Vec<u8>> {
    let n = Net::new(a)?;
    Ok(with(&n, n.bits, n.addr.iter().map(|p| !p).collect()))
}
fn value(n: &Net) -> u128 {
    n.addr.iter().fold(0, |v, b| v << 8 | u128::from(*b))
}
fn out_of_range() -> Error {
    err!(NUMERIC_VALUE_OUT_OF_RANGE, "result is out of range")
}
fn moved(a: &[u8], by: i128) -> Result<Vec<u8>> {
    let n = Net::new(a)?;
    let v = if by < 0 { value(&n).checked_sub(by.unsigned_abs()) } else { value(&n).checked_add(by as u128) };
    let v = v.filter(|v| n.family == 3 || *v <= u128::from(u32::MAX)).ok_or_else(out_of_range)?;
    let b = v.to_be_bytes();
    Ok(with(&n, n.bits, b[16 - n.addr.len()..].to_vec()))
}
pub fn plus(a: &[u8], by: i64) -> Result<Vec<u8>> {
    moved(a, i128::from(by))
}
pub fn plus_left(by: i64, a: &[u8]) -> Result<Vec<u8>> {
    moved(a, i128::from(by))
}
pub fn minus(a: &[u8], by: i64) -> Result<Vec<u8>> {
    moved(a, -i128::from(by))
}
pub fn distance(a: &[u8], b: &[u8]) -> Result<i64> {
    let (x, y) = (Net::new(a)?, Net::new(b)?);
    if x.family != y.family {
        bail!(INVALID_PARAMETER_VALUE, "cannot subtract inet values of different sizes");
    }
    let (p, q) = (value(&x), value(&y));
    let d = p.abs_diff(q);
    let signed = if p >= q { i128::try_from(d) } else { i128::try_from(d).map(|d| -d) };
    signed.ok().and_then(|d| i64::try_from(d).ok()).ok_or_else(out_of_range)
}
