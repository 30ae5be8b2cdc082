//! What functions of administrators ask of the server beyond the session: configuration files and the like. The root
//! implements it.

use common::Result;
use common::settings::FileEntry;
use protocol::hba::{ShownMapping, ShownRule};

/// The server, as far as administrators' functions need it.
pub trait Admin {
    /// `pg_file_settings`.
    fn file_settings(&self) -> Vec<FileEntry>;
    /// `pg_hba_file_rules`.
    fn hba_rules(&self) -> Result<Vec<ShownRule>>;
    /// `pg_ident_file_mappings`.
    fn ident_mappings(&self) -> Result<Vec<ShownMapping>>;
    /// `pg_shmem_allocations`.
    fn shared_memory(&self) -> Vec<ipc::segment::Allocation>;
    /// Who owns this process's memory: a tree below TopMemoryContext.
    fn memory_contexts(&self) -> Vec<ipc::memory::MemoryContext>;
    /// Encryption of this session.
    fn tls(&self) -> Option<protocol::tls::TlsInfo>;
}
