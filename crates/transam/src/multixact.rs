//! Multixacts: ids for sets of lockers (and at most one updater) of one row.

use common::Xid;

/// What a member does to the row. Numbers are stored on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum MemberStatus {
    ForKeyShare = 0,
    ForShare = 1,
    ForNoKeyUpdate = 2,
    ForUpdate = 3,
    NoKeyUpdate = 4,
    Update = 5,
}

impl MemberStatus {
    /// Does it change the row (rather than lock it)?
    pub fn is_update(self) -> bool {
        self >= MemberStatus::NoKeyUpdate
    }
    /// From its stored number.
    pub fn from_u8(v: u8) -> Option<MemberStatus> {
        use MemberStatus as S;
        [S::ForKeyShare, S::ForShare, S::ForNoKeyUpdate, S::ForUpdate, S::NoKeyUpdate, S::Update]
            .get(v as usize)
            .copied()
    }
}

/// One member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Member {
    pub xid: Xid,
    pub status: MemberStatus,
}
