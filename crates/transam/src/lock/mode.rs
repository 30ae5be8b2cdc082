//! The eight lock modes and which exclude which: PostgreSQL's table.

/// A mode, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum LockMode {
    AccessShare = 1,
    RowShare = 2,
    RowExclusive = 3,
    ShareUpdateExclusive = 4,
    Share = 5,
    ShareRowExclusive = 6,
    Exclusive = 7,
    AccessExclusive = 8,
}

const M: [u32; 9] = {
    const AS: u32 = 1 << 1;
    const RS: u32 = 1 << 2;
    const RX: u32 = 1 << 3;
    const SUX: u32 = 1 << 4;
    const S: u32 = 1 << 5;
    const SRX: u32 = 1 << 6;
    const X: u32 = 1 << 7;
    const AX: u32 = 1 << 8;
    [
        0,
        AX,
        X | AX,
        S | SRX | X | AX,
        SUX | S | SRX | X | AX,
        RX | SUX | SRX | X | AX,
        RX | SUX | S | SRX | X | AX,
        RS | RX | SUX | S | SRX | X | AX,
        AS | RS | RX | SUX | S | SRX | X | AX,
    ]
};

/// Modes that conflict with this one, as a mask of `1 << mode`.
pub fn conflicts(mode: LockMode) -> u32 {
    M[mode as usize]
}

impl LockMode {
    /// All modes.
    pub const ALL: [LockMode; 8] = [
        LockMode::AccessShare,
        LockMode::RowShare,
        LockMode::RowExclusive,
        LockMode::ShareUpdateExclusive,
        LockMode::Share,
        LockMode::ShareRowExclusive,
        LockMode::Exclusive,
        LockMode::AccessExclusive,
    ];
    /// Its bit in masks.
    pub fn bit(self) -> u32 {
        1 << self as u32
    }
    /// From its number.
    pub fn from_u8(v: u8) -> Option<LockMode> {
        Self::ALL.get((v as usize).wrapping_sub(1)).copied()
    }
    /// As in `pg_locks.mode`.
    pub fn name(self) -> &'static str {
        match self {
            LockMode::AccessShare => "AccessShareLock",
            LockMode::RowShare => "RowShareLock",
            LockMode::RowExclusive => "RowExclusiveLock",
            LockMode::ShareUpdateExclusive => "ShareUpdateExclusiveLock",
            LockMode::Share => "ShareLock",
            LockMode::ShareRowExclusive => "ShareRowExclusiveLock",
            LockMode::Exclusive => "ExclusiveLock",
            LockMode::AccessExclusive => "AccessExclusiveLock",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conflict_table_is_symmetric_and_as_documented() {
        for a in LockMode::ALL {
            for b in LockMode::ALL {
                assert_eq!(conflicts(a) & b.bit() != 0, conflicts(b) & a.bit() != 0);
            }
            assert_ne!(conflicts(a) & LockMode::AccessExclusive.bit(), 0);
        }
        assert_eq!(conflicts(LockMode::Share) & LockMode::Share.bit(), 0);
        assert_ne!(conflicts(LockMode::ShareUpdateExclusive) & LockMode::ShareUpdateExclusive.bit(), 0);
        assert_eq!(conflicts(LockMode::RowExclusive) & LockMode::RowExclusive.bit(), 0);
    }
}
