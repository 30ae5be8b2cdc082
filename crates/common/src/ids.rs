//! Newtypes for the identifiers that travel through every layer. Each is a plain integer on disk and in shared
//! memory (`repr(transparent)`), and a distinct type in code so that a block number never passes for an object id.

use std::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[repr(transparent)]
        pub struct $name(pub $inner);

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }
        impl From<$inner> for $name {
            fn from(v: $inner) -> Self {
                Self(v)
            }
        }
        impl From<$name> for $inner {
            fn from(v: $name) -> Self {
                v.0
            }
        }
    };
}

id!(
    /// Object identifier: the key of a catalog row. Zero is "none".
    Oid(u32)
);
id!(
    /// Transaction id, 64 bits: it never wraps. Values below [`Xid::FIRST_NORMAL`] are special.
    Xid(u64)
);
id!(
    /// Command counter within a transaction.
    CommandId(u32)
);
id!(
    /// Byte position in the write-ahead log. Zero is "none".
    Lsn(u64)
);
id!(
    /// Number of an 8 kB block in a relation fork.
    BlockNumber(u32)
);
id!(
    /// Multixact id, 64 bits: names a set of lockers of one row.
    MultiXactId(u64)
);

impl Oid {
    /// No object.
    pub const INVALID: Oid = Oid(0);
    /// First object id handed out to user objects; lower ones belong to `initdb`.
    pub const FIRST_NORMAL: Oid = Oid(16384);

    /// Is this a real object id?
    pub fn is_valid(self) -> bool {
        self.0 != 0
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Xid {
    /// No transaction.
    pub const INVALID: Xid = Xid(0);
    /// The transaction that `initdb` writes with: always committed.
    pub const BOOTSTRAP: Xid = Xid(1);
    /// Marks a tuple visible to everyone.
    pub const FROZEN: Xid = Xid(2);
    /// First id of an ordinary transaction.
    pub const FIRST_NORMAL: Xid = Xid(3);

    /// Is this a transaction at all (special ones included)?
    pub fn is_valid(self) -> bool {
        self.0 != 0
    }
    /// Is this an ordinary transaction, neither invalid, bootstrap nor frozen?
    pub fn is_normal(self) -> bool {
        self.0 >= Self::FIRST_NORMAL.0
    }
    /// The next id.
    pub fn next(self) -> Xid {
        Xid(self.0 + 1)
    }
}

impl fmt::Display for Xid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl CommandId {
    /// First command of a transaction.
    pub const FIRST: CommandId = CommandId(0);
}

impl Lsn {
    /// No position.
    pub const INVALID: Lsn = Lsn(0);

    /// Is this a real position?
    pub fn is_valid(self) -> bool {
        self.0 != 0
    }
}

impl fmt::Display for Lsn {
    /// PostgreSQL's form: high and low half in upper-case hexadecimal, `16/B374D848`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:X}/{:X}", self.0 >> 32, self.0 as u32)
    }
}

impl BlockNumber {
    /// No block.
    pub const INVALID: BlockNumber = BlockNumber(u32::MAX);

    /// Is this a real block number?
    pub fn is_valid(self) -> bool {
        self.0 != u32::MAX
    }
    /// The block after this one.
    pub fn next(self) -> BlockNumber {
        BlockNumber(self.0 + 1)
    }
}

impl fmt::Display for BlockNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Address of a row version: block and line pointer number (1-based, as in PostgreSQL's `ctid`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tid {
    /// Block in the main fork.
    pub block: BlockNumber,
    /// Line pointer number, from 1. Zero is "none".
    pub offset: u16,
}

impl Tid {
    /// Builds an address.
    pub fn new(block: BlockNumber, offset: u16) -> Tid {
        Tid { block, offset }
    }
    /// Does it point at a line pointer?
    pub fn is_valid(self) -> bool {
        self.offset != 0
    }
    /// One integer, ordered like (block, offset): the form in which `tid` values travel in column vectors.
    pub fn pack(self) -> i64 {
        (i64::from(self.block.0) << 16) | i64::from(self.offset)
    }
    /// Inverse of [`Tid::pack`].
    pub fn unpack(v: i64) -> Tid {
        Tid { block: BlockNumber((v >> 16) as u32), offset: v as u16 }
    }
}

impl fmt::Display for Tid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({},{})", self.block, self.offset)
    }
}
