//! The control file `global/pg_control`: identity and state of the cluster, and where recovery begins. 8 kB, of which
//! the first sector is used: little-endian fields in the order of `ControlFile`, then their CRC-32. Written in place and
//! synced; one sector, so a crash leaves the old or the new content.

use crate::xact::record::Reader;
use common::{Error, Lsn, MultiXactId, Oid, Result, Xid, bail};
use std::path::Path;

/// Version of this layout.
pub const CONTROL_VERSION: u32 = 1_500_001;
/// Version of the catalogs, PostgreSQL 15's with our suffix.
pub const CATALOG_VERSION: u32 = 202_209_061;
const FILE_BYTES: usize = 8192;
const SECTOR: usize = 512;
/// Below the data directory.
pub const PATH: &str = "global/pg_control";

/// State of the cluster. Numbers are PostgreSQL's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u32)]
pub enum DbState {
    #[default]
    Startup = 0,
    Shutdowned = 1,
    ShutdownedInRecovery = 2,
    Shutdowning = 3,
    InCrashRecovery = 4,
    InArchiveRecovery = 5,
    InProduction = 6,
}

impl DbState {
    /// As `pg_controldata` says it.
    pub fn as_str(self) -> &'static str {
        match self {
            DbState::Startup => "starting up",
            DbState::Shutdowned => "shut down",
            DbState::ShutdownedInRecovery => "shut down in recovery",
            DbState::Shutdowning => "shutting down",
            DbState::InCrashRecovery => "in crash recovery",
            DbState::InArchiveRecovery => "in archive recovery",
            DbState::InProduction => "in production",
        }
    }
    fn from_u32(v: u32) -> Option<DbState> {
        use DbState as D;
        [
            D::Startup,
            D::Shutdowned,
            D::ShutdownedInRecovery,
            D::Shutdowning,
            D::InCrashRecovery,
            D::InArchiveRecovery,
            D::InProduction,
        ]
        .get(v as usize)
        .copied()
    }
}

macro_rules! fields {
    ($(#[$m:meta])* $name:ident { $($(#[$fm:meta])* $f:ident : $t:ty),* $(,)? }) => {
        $(#[$m])*
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct $name { $($(#[$fm])* pub $f: $t),* }
        impl Field for $name {
            fn put(&self, out: &mut Vec<u8>) { $(self.$f.put(out);)* }
            fn get(r: &mut Reader<'_>) -> Option<Self> { Some($name { $($f: Field::get(r)?),* }) }
        }
    };
}

/// A value of the file.
trait Field: Sized {
    fn put(&self, out: &mut Vec<u8>);
    fn get(r: &mut Reader<'_>) -> Option<Self>;
}
macro_rules! field_u32 {
    ($($t:ty, $to:expr, $from:expr;)+) => { $(impl Field for $t {
        fn put(&self, out: &mut Vec<u8>) { let f: fn(&$t) -> u32 = $to; out.extend_from_slice(&f(self).to_le_bytes()); }
        fn get(r: &mut Reader<'_>) -> Option<Self> { let f: fn(u32) -> Option<$t> = $from; f(r.u32()?) }
    })+ };
}
macro_rules! field_u64 {
    ($($t:ty, $to:expr, $from:expr;)+) => { $(impl Field for $t {
        fn put(&self, out: &mut Vec<u8>) { let f: fn(&$t) -> u64 = $to; out.extend_from_slice(&f(self).to_le_bytes()); }
        fn get(r: &mut Reader<'_>) -> Option<Self> { let f: fn(u64) -> $t = $from; Some(f(r.u64()?)) }
    })+ };
}
field_u32! {
    u32, |v| *v, Some;
    bool, |v| u32::from(*v), |v| Some(v != 0);
    Oid, |v| v.0, |v| Some(Oid(v));
    DbState, |v| *v as u32, DbState::from_u32;
}
field_u64! {
    u64, |v| *v, |v| v;
    i64, |v| *v as u64, |v| v as i64;
    Xid, |v| v.0, Xid;
    Lsn, |v| v.0, Lsn;
    MultiXactId, |v| v.0, MultiXactId;
}
impl Field for [u8; 32] {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self);
    }
    fn get(r: &mut Reader<'_>) -> Option<Self> {
        let (h, t) = r.0.split_first_chunk::<32>()?;
        r.0 = t;
        Some(*h)
    }
}

fields! {
    /// A checkpoint: also the data of its log record.
    CheckPoint {
        /// Where replay begins.
        redo: Lsn,
        timeline: u32,
        prev_timeline: u32,
        full_page_writes: bool,
        next_oid: Oid,
        next_xid: Xid,
        next_multi: MultiXactId,
        next_member: u64,
        oldest_xid: Xid,
        oldest_xid_db: Oid,
        oldest_multi_db: Oid,
        oldest_multi: MultiXactId,
        oldest_active_xid: Xid,
        /// Microseconds since 2000.
        time: i64,
    }
}

fields! {
    /// The whole file.
    ControlFile {
        control_version: u32,
        catalog_version: u32,
        system_identifier: u64,
        state: DbState,
        wal_level: u32,
        /// Last change, microseconds since 2000.
        time: i64,
        /// Start of the last checkpoint's record.
        checkpoint: Lsn,
        /// Its end.
        checkpoint_end: Lsn,
        copy: CheckPoint,
        unlogged_lsn: Lsn,
        max_connections: u32,
        max_worker_processes: u32,
        max_wal_senders: u32,
        max_prepared_xacts: u32,
        max_locks_per_xact: u32,
        data_checksums: bool,
        page_size: u32,
        wal_segment_size: u32,
        mock_auth_nonce: [u8; 32],
    }
}

impl CheckPoint {
    /// As bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.put(&mut out);
        out
    }
    /// From bytes.
    pub fn decode(b: &[u8]) -> Option<CheckPoint> {
        CheckPoint::get(&mut Reader(b))
    }
}

impl ControlFile {
    /// The file of a cluster about to be made.
    pub fn new_cluster(system_identifier: u64, data_checksums: bool, nonce: [u8; 32]) -> ControlFile {
        ControlFile {
            control_version: CONTROL_VERSION,
            catalog_version: CATALOG_VERSION,
            system_identifier,
            state: DbState::Startup,
            wal_level: 1,
            time: ipc::clock::now(),
            copy: CheckPoint {
                timeline: 1,
                prev_timeline: 1,
                full_page_writes: true,
                ..CheckPoint::default()
            },
            max_connections: 100,
            max_worker_processes: 8,
            max_wal_senders: 10,
            max_locks_per_xact: 64,
            data_checksums,
            page_size: 8192,
            wal_segment_size: 16 << 20,
            mock_auth_nonce: nonce,
            ..ControlFile::default()
        }
    }
    /// As the file's bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(FILE_BYTES);
        self.put(&mut out);
        let crc = crc32fast::hash(&out);
        out.extend_from_slice(&crc.to_le_bytes());
        debug_assert!(out.len() <= SECTOR);
        out.resize(FILE_BYTES, 0);
        out
    }
    /// From the file's bytes.
    pub fn decode(b: &[u8]) -> Result<ControlFile> {
        let mut r = Reader(b);
        let bad = || Error::corrupted("incorrect checksum in control file");
        let c = ControlFile::get(&mut r).ok_or_else(bad)?;
        let used = b.len() - r.0.len();
        if r.u32() != Some(crc32fast::hash(&b[..used])) {
            return Err(bad());
        }
        if c.control_version != CONTROL_VERSION {
            bail!(
                OBJECT_NOT_IN_PREREQUISITE_STATE,
                "database files are incompatible with server: the database cluster was initialized with control \
                 version {}, but the server was compiled with control version {CONTROL_VERSION}",
                c.control_version
            );
        }
        Ok(c)
    }
    /// Reads it from a data directory.
    pub fn read(data_dir: &Path) -> Result<ControlFile> {
        let path = data_dir.join(PATH);
        let b = std::fs::read(&path)
            .map_err(|e| Error::os(format!("could not open file \"{}\"", path.display()), &e))?;
        ControlFile::decode(&b)
    }
    /// Writes it durably.
    pub fn write(&self, data_dir: &Path) -> Result<()> {
        storage::datadir::overwrite_durably(&data_dir.join(PATH), &self.encode())
    }
}

impl crate::Engine {
    /// Changes the control file, one process at a time.
    pub fn update_control(&self, f: impl FnOnce(&mut ControlFile)) -> Result<()> {
        let _g = self.shared.c.control_file.exclusive(self.proc());
        let mut c = ControlFile::read(&self.data_dir)?;
        f(&mut c);
        c.time = ipc::clock::now();
        c.write(&self.data_dir)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip_and_damage() {
        let mut c = ControlFile::new_cluster(0x1234_5678_9ABC_DEF0, true, [7; 32]);
        c.copy.next_xid = Xid(1 << 40);
        c.state = DbState::InProduction;
        let b = c.encode();
        assert_eq!(ControlFile::decode(&b).unwrap(), c);
        for i in 0..200 {
            let mut d = b.clone();
            d[i] ^= 1;
            assert!(ControlFile::decode(&d).is_err(), "byte {i}");
        }
        assert!(ControlFile::decode(&b[..100]).is_err());
        assert_eq!(CheckPoint::decode(&c.copy.encode()), Some(c.copy));
    }
}
