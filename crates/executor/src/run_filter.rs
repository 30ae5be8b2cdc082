//! Run-time join filters: a hash join that drops outer rows without partner tells the scan below which keys its table
//! has, so that most of those rows are gone before anything else is read of them. A filter may let rows through that have
//! no partner, never the reverse.

use types::{Column, ColumnData, Rows};

/// Filters are not made of more keys than this, and have at most [`BITS_MAX`] bits.
const KEYS_MAX: usize = 1 << 22;
const BITS_MAX: u64 = 1 << 26;
/// A map of a key range may have this many bits a key, and always [`SMALL_RANGE`].
const BITS_A_KEY: u64 = 64;
const SMALL_RANGE: u64 = 1 << 18;

/// The integer keys a join's table has.
#[derive(Debug)]
pub enum RunFilter {
    /// A bit for each value from `min` on.
    Range { min: i64, bits: Vec<u64>, len: u64 },
    /// Two bits of one word a key (a blocked Bloom filter); the shift leaves the number of a word.
    Bloom { words: Vec<u64>, shift: u32 },
}

#[inline(always)]
fn spread(x: i64) -> u64 {
    (x as u64 ^ (x as u64 >> 32)).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

#[inline(always)]
fn two_bits(h: u64) -> u64 {
    1 << (h & 63) | 1 << (h >> 6 & 63)
}

/// Calls `f` with the values of an integer column that are not null; false if the column is of another kind.
fn each_key(c: &Column, mut f: impl FnMut(i64)) -> bool {
    macro_rules! run {
        ($v:expr) => {
            for (i, x) in $v.iter().enumerate() {
                if !c.nulls.get(i) {
                    f(i64::from(*x));
                }
            }
        };
    }
    match &c.data {
        ColumnData::I16(v) => run!(v),
        ColumnData::I32(v) => run!(v),
        ColumnData::I64(v) => run!(v),
        _ => return false,
    }
    true
}

#[inline(always)]
fn pick(sel: &mut Vec<u16>, rows: Rows<'_>, key: impl Fn(usize) -> Option<i64>, test: impl Fn(i64) -> bool) {
    sel.clear();
    sel.resize(rows.count(), 0);
    let mut k = 0;
    let _ = rows.each(|i| {
        sel[k] = i as u16;
        k += usize::from(key(i).is_some_and(&test));
        Ok::<(), ()>(())
    });
    sel.truncate(k);
}

/// Where the keys of a filter come from.
pub trait Keys {
    /// How many there are at most.
    fn count(&self) -> usize;
    /// Calls `f` with those that are not null; false if they are no integers.
    fn each(&self, f: impl FnMut(i64)) -> bool;
}

impl Keys for Column {
    fn count(&self) -> usize {
        self.len()
    }
    fn each(&self, f: impl FnMut(i64)) -> bool {
        each_key(self, f)
    }
}

impl RunFilter {
    /// The filter of a table's key column; `None` when there would be no use in one.
    pub fn of(keys: &impl Keys) -> Option<RunFilter> {
        let n = keys.count();
        if n > KEYS_MAX {
            return None;
        }
        let (mut min, mut max) = (i64::MAX, i64::MIN);
        if !keys.each(|x| {
            min = min.min(x);
            max = max.max(x);
        }) {
            return None;
        }
        if min > max {
            return Some(RunFilter::Range { min: 0, bits: Vec::new(), len: 0 });
        }
        let len = (max as u64).wrapping_sub(min as u64).saturating_add(1);
        if len <= SMALL_RANGE.max(BITS_A_KEY * n as u64).min(BITS_MAX) {
            let mut bits = vec![0u64; len.div_ceil(64) as usize];
            keys.each(|x| {
                let at = (x as u64).wrapping_sub(min as u64);
                bits[(at >> 6) as usize] |= 1 << (at & 63);
            });
            return Some(RunFilter::Range { min, bits, len });
        }
        let count = (n / 4).next_power_of_two().max(64);
        let shift = 64 - count.trailing_zeros();
        let mut words = vec![0u64; count];
        keys.each(|x| {
            let h = spread(x);
            words[(h >> shift) as usize] |= two_bits(h);
        });
        Some(RunFilter::Bloom { words, shift })
    }

    #[inline(always)]
    fn pick(&self, sel: &mut Vec<u16>, rows: Rows<'_>, key: impl Fn(usize) -> Option<i64> + Copy) {
        match self {
            RunFilter::Range { min, bits, len } => pick(sel, rows, key, |x| {
                let at = (x as u64).wrapping_sub(*min as u64);
                at < *len && bits[(at >> 6) as usize] >> (at & 63) & 1 == 1
            }),
            RunFilter::Bloom { words, shift } => pick(sel, rows, key, |x| {
                let h = spread(x);
                let w = two_bits(h);
                words[(h >> shift) as usize] & w == w
            }),
        }
    }

    /// The rows, of those listed, whose key may have a partner: in `sel`. NULL has none.
    pub fn select(&self, c: &Column, rows: Rows<'_>, sel: &mut Vec<u16>) {
        let nulls = &c.nulls;
        macro_rules! run {
            ($v:expr) => {{
                let v = $v;
                if nulls.any() {
                    self.pick(sel, rows, |i| (!nulls.get(i)).then(|| i64::from(v[i])))
                } else {
                    self.pick(sel, rows, |i| Some(i64::from(v[i])))
                }
            }};
        }
        match &c.data {
            ColumnData::I16(v) => run!(v),
            ColumnData::I32(v) => run!(v),
            ColumnData::I64(v) => run!(v),
            _ => {
                sel.clear();
                let _ = rows.each(|i| {
                    sel.push(i as u16);
                    Ok::<(), ()>(())
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use types::{DatumRef, Phys};

    fn column(v: &[Option<i64>]) -> Column {
        let mut c = Column::new(Phys::I64);
        v.iter().for_each(|x| c.push(x.map_or(DatumRef::Null, DatumRef::I64)));
        c
    }

    #[test]
    fn keys_pass_and_most_others_do_not() {
        for step in [1, 1_000_003] {
            let keys: Vec<Option<i64>> = (0..5000).map(|i| Some(i * 2 * step - 77)).collect();
            let f = RunFilter::of(&column(&keys)).unwrap();
            assert_eq!(matches!(f, RunFilter::Bloom { .. }), step > 1);
            let mut sel = Vec::new();
            let probe: Vec<Option<i64>> = (0..1000).map(|i| Some(i * step - 77)).chain([None]).collect();
            f.select(&column(&probe), Rows::All(probe.len()), &mut sel);
            assert!((0..1000).step_by(2).all(|i| sel.contains(&i)), "a key was dropped");
            assert!(sel.len() < 600 && !sel.contains(&1000), "{} pass", sel.len());
        }
    }

    #[test]
    fn ends_of_the_range_and_nothing_at_all() {
        let f = RunFilter::of(&column(&[Some(i64::MIN), Some(i64::MAX), None])).unwrap();
        let mut sel = Vec::new();
        f.select(&column(&[Some(i64::MAX), Some(i64::MIN), None]), Rows::Sel(&[0, 1, 2]), &mut sel);
        assert_eq!(sel, [0, 1]);
        let f = RunFilter::of(&column(&[None])).unwrap();
        f.select(&column(&[Some(0), None]), Rows::All(2), &mut sel);
        assert!(sel.is_empty());
    }
}
