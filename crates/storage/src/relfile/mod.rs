//! Names and places of relation files: the locator that identifies a relation's storage, its forks, and the paths as
//! PostgreSQL lays them out.

pub mod files;
mod ops;
pub(crate) mod sync;

use common::Oid;

/// Tablespace of ordinary relations.
pub const DEFAULT_TABLESPACE: Oid = Oid(1663);
/// Tablespace of the relations shared by all databases.
pub const GLOBAL_TABLESPACE: Oid = Oid(1664);
/// Blocks in one 1 GB segment file.
pub const SEGMENT_BLOCKS: u32 = 131_072;

/// Where a relation's files are: tablespace, database (0 for shared relations), file number; and for a temporary relation the
/// backend it belongs to, whose private buffers hold its pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(C)]
pub struct RelFileLocator {
    pub spc_oid: Oid,
    pub db_oid: Oid,
    pub rel_number: u32,
    /// Number of the backend that owns a temporary relation; 0 for all others.
    pub backend: u32,
}

/// The files a relation consists of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Fork {
    #[default]
    Main = 0,
    Fsm = 1,
    Vm = 2,
    Init = 3,
}

impl Fork {
    /// All forks, main first.
    pub const ALL: [Fork; 4] = [Fork::Main, Fork::Fsm, Fork::Vm, Fork::Init];

    /// Inverse of `as u8`.
    pub fn from_u8(v: u8) -> Option<Fork> {
        Fork::ALL.get(v as usize).copied()
    }
    /// File name suffix.
    pub fn suffix(self) -> &'static str {
        match self {
            Fork::Main => "",
            Fork::Fsm => "_fsm",
            Fork::Vm => "_vm",
            Fork::Init => "_init",
        }
    }
    /// The name `pg_relation_size` takes.
    pub fn name(self) -> &'static str {
        match self {
            Fork::Main => "main",
            Fork::Fsm => "fsm",
            Fork::Vm => "vm",
            Fork::Init => "init",
        }
    }
}

/// Directory of a database's files, relative to the data directory.
pub fn database_dir(spc: Oid, db: Oid) -> String {
    if spc == GLOBAL_TABLESPACE {
        "global".to_string()
    } else if spc == DEFAULT_TABLESPACE {
        format!("base/{db}")
    } else {
        format!("pg_tblspc/{spc}/PG_15_STEGODON/{db}")
    }
}

impl RelFileLocator {
    /// Builds a locator.
    pub fn new(spc_oid: Oid, db_oid: Oid, rel_number: u32) -> RelFileLocator {
        RelFileLocator { spc_oid, db_oid, rel_number, backend: 0 }
    }
    /// The same files as those of a backend's temporary relation.
    pub fn of_backend(self, backend: u32) -> RelFileLocator {
        RelFileLocator { backend, ..self }
    }
    /// Does it belong to a temporary relation?
    #[inline]
    pub fn is_temp(&self) -> bool {
        self.backend != 0
    }
    /// Path of a fork's first segment, relative to the data directory: `base/DB/N`, or `base/DB/tBACKEND_N`.
    pub fn path(&self, fork: Fork) -> String {
        if self.is_temp() {
            let dir = database_dir(self.spc_oid, self.db_oid);
            return format!("{dir}/t{}_{}{}", self.backend, self.rel_number, fork.suffix());
        }
        format!("{}/{}{}", database_dir(self.spc_oid, self.db_oid), self.rel_number, fork.suffix())
    }
    /// Path of segment `seg`: `.1`, `.2` … after the first.
    pub fn segment_path(&self, fork: Fork, seg: u32) -> String {
        if seg == 0 { self.path(fork) } else { format!("{}.{seg}", self.path(fork)) }
    }
}
