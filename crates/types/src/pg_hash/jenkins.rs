//! lookup3 over bytes and over one word, with 32 and with 64 bits.

const START: u32 = 0x9e37_79b9_u32.wrapping_add(3_923_095);

fn mix(s: &mut [u32; 3]) {
    let [a, b, c] = s;
    for (r, which) in [4, 6, 8, 16, 19, 4].into_iter().zip(0..) {
        // The three words change roles from round to round.
        let (x, y, z) = match which % 3 {
            0 => (&mut *a, &mut *b, &mut *c),
            1 => (&mut *b, &mut *c, &mut *a),
            _ => (&mut *c, &mut *a, &mut *b),
        };
        *x = x.wrapping_sub(*z);
        *x ^= z.rotate_left(r);
        *z = z.wrapping_add(*y);
    }
}

fn last(s: &mut [u32; 3]) {
    let [a, b, c] = s;
    let step = |x: &mut u32, y: u32, r: u32| {
        *x ^= y;
        *x = x.wrapping_sub(y.rotate_left(r));
    };
    step(c, *b, 14);
    step(a, *c, 11);
    step(b, *a, 25);
    step(c, *b, 16);
    step(a, *c, 4);
    step(b, *a, 14);
    step(c, *b, 24);
}

fn begin(len: usize, seed: Option<u64>) -> [u32; 3] {
    let mut s = [START.wrapping_add(len as u32); 3];
    if let Some(seed) = seed.filter(|s| *s != 0) {
        s[0] = s[0].wrapping_add((seed >> 32) as u32);
        s[1] = s[1].wrapping_add(seed as u32);
        mix(&mut s);
    }
    s
}

fn result(s: [u32; 3], seed: Option<u64>) -> u64 {
    if seed.is_some() { u64::from(s[1]) << 32 | u64::from(s[2]) } else { u64::from(s[2]) }
}

/// Hash of bytes: 32 bits without a seed, 64 with one.
pub fn hash_bytes(b: &[u8], seed: Option<u64>) -> u64 {
    let mut s = begin(b.len(), seed);
    let mut chunks = b.chunks_exact(12);
    for c in &mut chunks {
        for (w, v) in s.iter_mut().zip(c.chunks_exact(4)) {
            *w = w.wrapping_add(u32::from_le_bytes([v[0], v[1], v[2], v[3]]));
        }
        mix(&mut s);
    }
    // The lowest byte of the third word is the length's.
    for (i, v) in chunks.remainder().iter().enumerate() {
        let shift = if i < 8 { i % 4 * 8 } else { (i - 7) * 8 };
        let w = &mut s[i / 4];
        *w = w.wrapping_add(u32::from(*v) << shift);
    }
    last(&mut s);
    result(s, seed)
}

/// Hash of one word.
pub fn hash_word(k: u32, seed: Option<u64>) -> u64 {
    let mut s = begin(4, seed);
    s[0] = s[0].wrapping_add(k);
    last(&mut s);
    result(s, seed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_postgres() {
        assert_eq!(hash_bytes(b"abc", None) as i32, -785_388_649);
        assert_eq!(hash_bytes(b"Hello World", None) as i32, 726_613_166);
        assert_eq!(hash_bytes(b"", None) as i32, -1_477_818_771);
        assert_eq!(hash_word(3, None) as i32, -28_094_569);
        assert_eq!(hash_word(3, Some(3)) as i64, -4_460_696_064_598_510_827);
        assert_eq!(hash_bytes(b"abc", Some(3)) as i64, 8_038_125_643_135_246_751);
    }
}
