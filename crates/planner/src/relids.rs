//! Sets of range table numbers as bits. A query level with more than 127 range table entries is refused.

use std::ops::{BitAnd, BitOr, BitOrAssign, Not};

/// The number of a member of an append relation: its place in the range table and the number of the relation of the join
/// tree that it is part of, which stands for it in sets.
pub fn member_no(place: usize, top: u32) -> u32 {
    1 << 31 | (place as u32) << 7 | (top & 127)
}

/// Is it the number of a member of an append relation?
pub fn is_member(rti: u32) -> bool {
    rti >> 31 != 0
}

/// A set of range table numbers (1-based). A member of an append relation counts as the relation it is part of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Relids(pub u128);

impl Relids {
    /// No relation.
    pub const EMPTY: Relids = Relids(0);
    /// Range table entries a query level may have.
    pub const MAX: usize = 127;

    /// One relation.
    pub fn single(rti: u32) -> Relids {
        let rti = if is_member(rti) { rti & 127 } else { rti };
        Relids(1u128.checked_shl(rti).unwrap_or(0))
    }
    pub fn add(&mut self, rti: u32) {
        self.0 |= Relids::single(rti).0;
    }
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
    pub fn contains(self, rti: u32) -> bool {
        self.0 & Relids::single(rti).0 != 0
    }
    pub fn subset_of(self, o: Relids) -> bool {
        self.0 & !o.0 == 0
    }
    pub fn overlaps(self, o: Relids) -> bool {
        self.0 & o.0 != 0
    }
    pub fn minus(self, o: Relids) -> Relids {
        Relids(self.0 & !o.0)
    }
    pub fn count(self) -> u32 {
        self.0.count_ones()
    }
    pub fn is_single(self) -> bool {
        self.count() == 1
    }
    /// The lowest member.
    pub fn first(self) -> Option<u32> {
        (self.0 != 0).then(|| self.0.trailing_zeros())
    }
    /// Members in ascending order.
    pub fn iter(self) -> impl Iterator<Item = u32> {
        let mut bits = self.0;
        std::iter::from_fn(move || {
            if bits == 0 {
                return None;
            }
            let i = bits.trailing_zeros();
            bits &= bits - 1;
            Some(i)
        })
    }
}

impl BitOr for Relids {
    type Output = Relids;
    fn bitor(self, o: Relids) -> Relids {
        Relids(self.0 | o.0)
    }
}
impl BitOrAssign for Relids {
    fn bitor_assign(&mut self, o: Relids) {
        self.0 |= o.0;
    }
}
impl BitAnd for Relids {
    type Output = Relids;
    fn bitand(self, o: Relids) -> Relids {
        Relids(self.0 & o.0)
    }
}
impl Not for Relids {
    type Output = Relids;
    fn not(self) -> Relids {
        Relids(!self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn set_algebra() {
        let a = Relids::single(1) | Relids::single(5) | Relids::single(127);
        assert_eq!(a.iter().collect::<Vec<_>>(), vec![1, 5, 127]);
        assert!(Relids::single(5).subset_of(a));
        assert!(!a.subset_of(Relids::single(5)));
        assert_eq!(a.minus(Relids::single(5)).count(), 2);
        assert!(Relids::EMPTY.subset_of(a));
        assert!(!a.overlaps(Relids::single(2)));
        assert!(!Relids::single(200).contains(200));
    }
}
