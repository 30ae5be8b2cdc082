//! Hashing of fixed-size keys in shared tables. The same in every process: no random seed.

/// Mixes words into 32 well-spread bits.
#[inline]
pub fn hash_words(words: &[u64]) -> u32 {
    let mut h: u64 = 0x9E37_79B9_7F4A_7C15;
    for w in words {
        let m = u128::from(h ^ w) * 0xA076_1D64_78BD_642F_u128;
        h = (m as u64) ^ ((m >> 64) as u64) ^ 0xE703_7ED1_A0B4_28DB;
    }
    let m = u128::from(h) * 0x8EBC_6AF0_9C88_C6E3_u128;
    ((m as u64) ^ ((m >> 64) as u64)) as u32
}
