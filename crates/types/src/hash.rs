//! The hash all hash support functions use. Values are stable for a build only: hash joins and aggregates use them, and
//! whatever is stored on disk must name its own hash.

/// Mixes 64 bits (a finalizer after Stafford).
#[inline]
pub fn hash_u64(v: u64) -> u64 {
    let mut x = v.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// Hash of a byte string.
#[inline]
pub fn hash_bytes(b: &[u8]) -> u64 {
    let mut h = hash_u64(b.len() as u64);
    let mut chunks = b.chunks_exact(8);
    for c in &mut chunks {
        let mut w = [0; 8];
        w.copy_from_slice(c);
        h = hash_u64(h ^ u64::from_le_bytes(w));
    }
    let rest = chunks.remainder();
    if !rest.is_empty() {
        let mut w = [0; 8];
        w[..rest.len()].copy_from_slice(rest);
        h = hash_u64(h ^ u64::from_le_bytes(w));
    }
    h
}

/// Mixes the hash of a part into that of a whole.
#[inline]
pub fn combine(h: u64, part: u64) -> u64 {
    hash_u64(h.rotate_left(5) ^ part)
}
