//! Names of lockable things: 16 bytes, laid out like PostgreSQL's lock tags.

use common::{BlockNumber, Oid, Tid, Xid};

/// What kind of thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum TagType {
    Relation = 0,
    RelationExtend = 1,
    DatabaseFrozenIds = 2,
    Page = 3,
    Tuple = 4,
    Transaction = 5,
    VirtualTransaction = 6,
    SpeculativeToken = 7,
    Object = 8,
    UserLock = 9,
    Advisory = 10,
}

/// The name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LockTag {
    pub f1: u32,
    pub f2: u32,
    pub f3: u32,
    pub f4: u16,
    pub kind: TagType,
}

impl LockTag {
    fn new(kind: TagType, f1: u32, f2: u32, f3: u32, f4: u16) -> LockTag {
        LockTag { f1, f2, f3, f4, kind }
    }
    /// A table, index, sequence … `db` is 0 for shared ones.
    pub fn relation(db: Oid, rel: Oid) -> LockTag {
        Self::new(TagType::Relation, db.0, rel.0, 0, 0)
    }
    /// The right to extend a relation.
    pub fn extend(db: Oid, rel: Oid) -> LockTag {
        Self::new(TagType::RelationExtend, db.0, rel.0, 0, 0)
    }
    /// The right to change a database's datfrozenxid.
    pub fn frozen_ids(db: Oid) -> LockTag {
        Self::new(TagType::DatabaseFrozenIds, db.0, 0, 0, 0)
    }
    /// A page of a relation.
    pub fn page(db: Oid, rel: Oid, block: BlockNumber) -> LockTag {
        Self::new(TagType::Page, db.0, rel.0, block.0, 0)
    }
    /// A row version: serialises those who wait for its lockers.
    pub fn tuple(db: Oid, rel: Oid, tid: Tid) -> LockTag {
        Self::new(TagType::Tuple, db.0, rel.0, tid.block.0, tid.offset)
    }
    /// A transaction: held exclusively by it while it runs.
    pub fn transaction(xid: Xid) -> LockTag {
        Self::new(TagType::Transaction, xid.0 as u32, (xid.0 >> 32) as u32, 0, 0)
    }
    /// A virtual transaction (backend id from 1, local number).
    pub fn virtual_transaction(backend: u32, lxid: u64) -> LockTag {
        Self::new(TagType::VirtualTransaction, backend, lxid as u32, (lxid >> 32) as u32, 0)
    }
    /// A speculative insertion (ON CONFLICT).
    pub fn speculative(xid: Xid, token: u32) -> LockTag {
        Self::new(TagType::SpeculativeToken, xid.0 as u32, (xid.0 >> 32) as u32, token, 0)
    }
    /// Any other catalog object: `db` 0 for shared catalogs, class is the catalog's oid.
    pub fn object(db: Oid, class: Oid, object: Oid, sub: u16) -> LockTag {
        Self::new(TagType::Object, db.0, class.0, object.0, sub)
    }
    /// `pg_advisory_lock(bigint)`.
    pub fn advisory_int8(db: Oid, key: i64) -> LockTag {
        Self::new(TagType::Advisory, db.0, (key >> 32) as u32, key as u32, 1)
    }
    /// `pg_advisory_lock(int, int)`.
    pub fn advisory_int4(db: Oid, a: i32, b: i32) -> LockTag {
        Self::new(TagType::Advisory, db.0, a as u32, b as u32, 2)
    }
    /// The transaction id of a transaction tag.
    pub fn xid(&self) -> Option<Xid> {
        matches!(self.kind, TagType::Transaction | TagType::SpeculativeToken).then_some(Xid(u64::from(
            self.f1,
        ) | u64::from(
            self.f2,
        ) << 32))
    }
    /// As key of the shared table.
    pub fn words(&self) -> [u64; 2] {
        [
            u64::from(self.f1) | u64::from(self.f2) << 32,
            u64::from(self.f3) | u64::from(self.f4) << 32 | (self.kind as u64) << 48,
        ]
    }
    /// From the key; `None` if it is none.
    pub fn from_words(w: [u64; 2]) -> Option<LockTag> {
        use TagType as T;
        const KINDS: [TagType; 11] = [
            T::Relation,
            T::RelationExtend,
            T::DatabaseFrozenIds,
            T::Page,
            T::Tuple,
            T::Transaction,
            T::VirtualTransaction,
            T::SpeculativeToken,
            T::Object,
            T::UserLock,
            T::Advisory,
        ];
        let kind = *KINDS.get((w[1] >> 48) as u8 as usize)?;
        Some(Self::new(kind, w[0] as u32, (w[0] >> 32) as u32, w[1] as u32, (w[1] >> 32) as u16))
    }
    /// As deadlock reports name it.
    pub fn describe(&self) -> String {
        let (f1, f2, f3, f4) = (self.f1, self.f2, self.f3, self.f4);
        match self.kind {
            TagType::Relation => format!("relation {f2} of database {f1}"),
            TagType::RelationExtend => format!("extension of relation {f2} of database {f1}"),
            TagType::DatabaseFrozenIds => format!("pg_database.datfrozenxid of database {f1}"),
            TagType::Page => format!("page {f3} of relation {f2} of database {f1}"),
            TagType::Tuple => format!("tuple ({f3},{f4}) of relation {f2} of database {f1}"),
            TagType::Transaction => format!("transaction {}", self.xid().unwrap_or_default()),
            TagType::VirtualTransaction => {
                format!("virtual transaction {f1}/{}", u64::from(f2) | u64::from(f3) << 32)
            }
            TagType::SpeculativeToken => {
                format!("speculative token {f3} of transaction {}", self.xid().unwrap_or_default())
            }
            TagType::Object => format!("object {f3} of class {f2} of database {f1}"),
            TagType::UserLock => format!("user lock [{f1},{f2},{f3}]"),
            TagType::Advisory => format!("advisory lock [{f1},{f2},{f3},{f4}]"),
        }
    }
}
