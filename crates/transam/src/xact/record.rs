//! The log records that end a transaction.
//!
//! Data of COMMIT and ABORT, little-endian: time (i64, microseconds since 2000), database (u32), counts of children,
//! files and messages (u32 each), children (u64 each), files (tablespace, database, number: u32 each), messages (four
//! u32 each). The top-level id is the record's own.

use crate::InvalMsg;
use common::{Oid, Xid};
use storage::RelFileLocator;

/// `info` of a commit record.
pub const COMMIT: u8 = 0x00;
/// `info` of an abort record.
pub const ABORT: u8 = 0x20;

/// What the record says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CommitRecord {
    pub time: i64,
    pub db: Oid,
    pub children: Vec<Xid>,
    /// Files that go with this outcome.
    pub files: Vec<RelFileLocator>,
    pub messages: Vec<InvalMsg>,
}

impl CommitRecord {
    /// As bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(
            24 + self.children.len() * 8 + self.files.len() * 12 + self.messages.len() * 16,
        );
        out.extend_from_slice(&self.time.to_le_bytes());
        for n in [self.db.0, self.children.len() as u32, self.files.len() as u32, self.messages.len() as u32]
        {
            out.extend_from_slice(&n.to_le_bytes());
        }
        for c in &self.children {
            out.extend_from_slice(&c.0.to_le_bytes());
        }
        for f in &self.files {
            put_locator(&mut out, *f);
        }
        for m in &self.messages {
            for v in [m.kind, m.db, m.a, m.b] {
                out.extend_from_slice(&v.to_le_bytes());
            }
        }
        out
    }
    /// From bytes; `None` if they are too short for what they announce.
    pub fn decode(b: &[u8]) -> Option<CommitRecord> {
        let mut r = Reader(b);
        let time = r.u64()? as i64;
        let db = Oid(r.u32()?);
        let (children, files, messages) = (r.u32()? as usize, r.u32()? as usize, r.u32()? as usize);
        if r.0.len()
            < children
                .checked_mul(8)?
                .checked_add(files.checked_mul(12)?)?
                .checked_add(messages.checked_mul(16)?)?
        {
            return None;
        }
        Some(CommitRecord {
            time,
            db,
            children: (0..children).map_while(|_| r.u64().map(Xid)).collect(),
            files: (0..files).map_while(|_| r.locator()).collect(),
            messages: (0..messages)
                .map_while(|_| Some(InvalMsg { kind: r.u32()?, db: r.u32()?, a: r.u32()?, b: r.u32()? }))
                .collect(),
        })
    }
}

/// Appends a locator as three u32.
pub fn put_locator(out: &mut Vec<u8>, f: RelFileLocator) {
    for v in [f.spc_oid.0, f.db_oid.0, f.rel_number] {
        out.extend_from_slice(&v.to_le_bytes());
    }
}

/// Reads little-endian numbers off a slice.
pub struct Reader<'a>(pub &'a [u8]);

impl Reader<'_> {
    /// Next u8.
    pub fn u8(&mut self) -> Option<u8> {
        let (h, t) = self.0.split_first()?;
        self.0 = t;
        Some(*h)
    }
    /// Next u32.
    pub fn u32(&mut self) -> Option<u32> {
        let (h, t) = self.0.split_first_chunk::<4>()?;
        self.0 = t;
        Some(u32::from_le_bytes(*h))
    }
    /// Next u64.
    pub fn u64(&mut self) -> Option<u64> {
        let (h, t) = self.0.split_first_chunk::<8>()?;
        self.0 = t;
        Some(u64::from_le_bytes(*h))
    }
    /// Next locator.
    pub fn locator(&mut self) -> Option<RelFileLocator> {
        Some(RelFileLocator::new(Oid(self.u32()?), Oid(self.u32()?), self.u32()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip_and_truncation() {
        let r = CommitRecord {
            time: -5,
            db: Oid(5),
            children: vec![Xid(7), Xid(1 << 40)],
            files: vec![RelFileLocator::new(Oid(1663), Oid(5), 16384)],
            messages: vec![InvalMsg { kind: 1, db: 2, a: 3, b: 4 }],
        };
        let b = r.encode();
        assert_eq!(CommitRecord::decode(&b), Some(r));
        for n in 0..b.len() {
            assert_eq!(CommitRecord::decode(&b[..n]), None);
        }
    }
}
