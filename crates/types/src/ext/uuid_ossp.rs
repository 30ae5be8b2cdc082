//! uuid-ossp: identifiers of versions 1, 3, 4 and 5 (RFC 4122).

use super::Symbol;
use crate::{k0, k2};
use common::{Error, Result};
use md5::Digest;

type Uuid = [u8; 16];

/// 6ba7b81x-9dad-11d1-80b4-00c04fd430c8
const fn namespace(x: u8) -> Uuid {
    [0x6b, 0xa7, 0xb8, x, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8]
}

fn stamped(mut u: Uuid, version: u8) -> Uuid {
    u[6] = u[6] & 0x0f | version << 4;
    u[8] = u[8] & 0x3f | 0x80;
    u
}

fn random() -> Result<Uuid> {
    let mut u = [0; 16];
    getrandom::fill(&mut u).map_err(|e| Error::internal(format!("could not generate random bytes: {e}")))?;
    Ok(u)
}

fn v4() -> Result<Uuid> {
    Ok(stamped(random()?, 4))
}

/// By time; the node is a random multicast address, for this server tells nobody its hardware's.
fn v1() -> Result<Uuid> {
    /// From 1582-10-15 to 1970-01-01 in 100 ns.
    const EPOCH: u64 = 0x01b2_1dd2_1381_4000;
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let mut u = random()?;
    // Below 100 ns the clock tells nothing: two calls in a row differ in the clock sequence, which is random.
    let t = EPOCH + since.as_nanos() as u64 / 100;
    u[..4].copy_from_slice(&(t as u32).to_be_bytes());
    u[4..6].copy_from_slice(&((t >> 32) as u16).to_be_bytes());
    u[6..8].copy_from_slice(&((t >> 48) as u16).to_be_bytes());
    u[10] |= 3;
    Ok(stamped(u, 1))
}

fn v3(ns: Uuid, name: &[u8]) -> Uuid {
    let mut h = md5::Md5::new();
    h.update(ns);
    h.update(name);
    let mut u = [0; 16];
    u.copy_from_slice(&h.finalize());
    stamped(u, 3)
}

fn v5(ns: Uuid, name: &[u8]) -> Uuid {
    let mut h = sha1::Sha1::new();
    h.update(ns);
    h.update(name);
    let mut u = [0; 16];
    u.copy_from_slice(&h.finalize()[..16]);
    stamped(u, 5)
}

pub static SYMBOLS: &[Symbol] = &[
    ("uuid_nil", 9600, k0!(|| [0u8; 16])),
    ("uuid_ns_dns", 9601, k0!(|| namespace(0x10))),
    ("uuid_ns_url", 9602, k0!(|| namespace(0x11))),
    ("uuid_ns_oid", 9603, k0!(|| namespace(0x12))),
    ("uuid_ns_x500", 9604, k0!(|| namespace(0x14))),
    ("uuid_generate_v1", 9605, k0!(v1)),
    ("uuid_generate_v1mc", 9606, k0!(v1)),
    ("uuid_generate_v3", 9607, k2!(v3)),
    ("uuid_generate_v4", 9608, k0!(v4)),
    ("uuid_generate_v5", 9609, k2!(v5)),
];
