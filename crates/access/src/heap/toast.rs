//! TOAST: large values, compressed or in chunks elsewhere.

use common::{Error, Result};
use types::tuple::compressed_parts;

/// Expands a value compressed in line (header included), appending to `out`.
pub fn decompress(raw: &[u8], out: &mut Vec<u8>) -> Result<()> {
    let p = compressed_parts(raw)?;
    decompress_payload(p.payload, p.rawsize, p.method, out)
}

/// Expands compressed bytes, appending exactly `rawsize` bytes to `out`.
pub fn decompress_payload(payload: &[u8], rawsize: usize, method: u8, out: &mut Vec<u8>) -> Result<()> {
    if method != 1 {
        return Err(Error::corrupted(format!("invalid compression method id {method}")));
    }
    if rawsize > payload.len().saturating_mul(256).saturating_add(1024) {
        return Err(Error::corrupted("compressed lz4 data is corrupt"));
    }
    let at = out.len();
    out.resize(at + rawsize, 0);
    match lz4_flex::block::decompress_into(payload, &mut out[at..]) {
        Ok(n) if n == rawsize => Ok(()),
        _ => Err(Error::corrupted("compressed lz4 data is corrupt")),
    }
}
