//! Sets of range table numbers as bits. `prep::numbering` gives the relations of a join tree numbers that fit; a query level
//! that joins more than [`Relids::MAX`] relations is refused.

use analyze::query::MEMBER_BITS;
use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::ops::{BitAnd, BitOr, BitOrAssign, Not};

/// Low bits of a member's number.
const TOP: u32 = (1 << MEMBER_BITS) - 1;

/// The number of a member of an append relation: its place in the range table and the number of the relation of the join
/// tree that it is part of, which stands for it in sets.
pub fn member_no(place: usize, top: u32) -> u32 {
    1 << 31 | (place as u32) << MEMBER_BITS | (top & TOP)
}

/// Is it the number of a member of an append relation?
pub fn is_member(rti: u32) -> bool {
    rti >> 31 != 0
}

const WORDS: usize = (1 << MEMBER_BITS) / 64;

/// A set of range table numbers (1-based). A member of an append relation counts as the relation it is part of.
#[derive(Clone, Copy, Debug, Default, Eq)]
pub struct Relids([u64; WORDS]);

impl Relids {
    /// No relation.
    pub const EMPTY: Relids = Relids([0; WORDS]);
    /// The highest number.
    pub const MAX: usize = WORDS * 64 - 1;

    /// One relation. None at all if its number is too high; see `prep::numbering`.
    #[inline]
    pub fn single(rti: u32) -> Relids {
        let rti = if is_member(rti) { rti & TOP } else { rti };
        let mut r = Relids::EMPTY;
        if let Some(w) = r.0.get_mut(rti as usize / 64) {
            *w = 1 << (rti % 64);
        }
        r
    }
    pub fn add(&mut self, rti: u32) {
        *self |= Relids::single(rti);
    }
    #[inline]
    pub fn is_empty(self) -> bool {
        self.0.iter().fold(0, |all, w| all | w) == 0
    }
    #[inline]
    pub fn contains(self, rti: u32) -> bool {
        let rti = if is_member(rti) { rti & TOP } else { rti };
        self.0.get(rti as usize / 64).is_some_and(|w| w >> (rti % 64) & 1 == 1)
    }
    #[inline]
    pub fn subset_of(self, o: Relids) -> bool {
        self.minus(o).is_empty()
    }
    #[inline]
    pub fn overlaps(self, o: Relids) -> bool {
        !(self & o).is_empty()
    }
    #[inline]
    pub fn minus(mut self, o: Relids) -> Relids {
        self.0.iter_mut().zip(&o.0).for_each(|(a, b)| *a &= !b);
        self
    }
    #[inline]
    pub fn count(self) -> u32 {
        self.0.iter().map(|w| w.count_ones()).sum()
    }
    pub fn is_single(self) -> bool {
        self.count() == 1
    }
    /// The lowest member.
    #[inline]
    pub fn first(self) -> Option<u32> {
        let k = self.0.iter().position(|w| *w != 0)?;
        Some(k as u32 * 64 + self.0[k].trailing_zeros())
    }
    /// Members in ascending order.
    pub fn iter(self) -> impl Iterator<Item = u32> {
        let (mut k, mut bits) = (0, self.0[0]);
        std::iter::from_fn(move || {
            while bits == 0 {
                k += 1;
                bits = *self.0.get(k)?;
            }
            let i = bits.trailing_zeros();
            bits &= bits - 1;
            Some(k as u32 * 64 + i)
        })
    }
}

impl PartialEq for Relids {
    /// Word by word without a branch: a call of `memcmp` costs more than the sets are long.
    #[inline]
    fn eq(&self, o: &Relids) -> bool {
        self.0.iter().zip(&o.0).fold(0, |differing, (a, b)| differing | (a ^ b)) == 0
    }
}

/// The order of the sets as numbers.
impl Ord for Relids {
    fn cmp(&self, o: &Relids) -> Ordering {
        self.0.iter().rev().cmp(o.0.iter().rev())
    }
}
impl PartialOrd for Relids {
    fn partial_cmp(&self, o: &Relids) -> Option<Ordering> {
        Some(self.cmp(o))
    }
}
impl Hash for Relids {
    fn hash<H: Hasher>(&self, h: &mut H) {
        // Most sets are in the first words.
        let used = self.0.iter().rposition(|w| *w != 0).map_or(0, |k| k + 1);
        self.0[..used].iter().for_each(|w| h.write_u64(*w));
    }
}

impl BitOr for Relids {
    type Output = Relids;
    #[inline]
    fn bitor(mut self, o: Relids) -> Relids {
        self |= o;
        self
    }
}
impl BitOrAssign for Relids {
    #[inline]
    fn bitor_assign(&mut self, o: Relids) {
        self.0.iter_mut().zip(&o.0).for_each(|(a, b)| *a |= b);
    }
}
impl BitAnd for Relids {
    type Output = Relids;
    #[inline]
    fn bitand(mut self, o: Relids) -> Relids {
        self.0.iter_mut().zip(&o.0).for_each(|(a, b)| *a &= b);
        self
    }
}
impl Not for Relids {
    type Output = Relids;
    fn not(mut self) -> Relids {
        self.0.iter_mut().for_each(|w| *w = !*w);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn set_algebra() {
        let a = Relids::single(1) | Relids::single(5) | Relids::single(127) | Relids::single(200);
        assert_eq!(a.iter().collect::<Vec<_>>(), vec![1, 5, 127, 200]);
        assert!(Relids::single(5).subset_of(a));
        assert!(!a.subset_of(Relids::single(5)));
        assert_eq!(a.minus(Relids::single(5)).count(), 3);
        assert!(Relids::EMPTY.subset_of(a));
        assert!(!a.overlaps(Relids::single(2)));
        assert!(Relids::single(member_no(70_000, 200)).contains(200));
        assert!(Relids::single(64) > Relids::single(63));
        assert!(!Relids::single(600).contains(600));
    }
}
