//! What functions of administrators ask of the server beyond the session: configuration files and the like. The root
//! implements it.

use common::settings::FileEntry;

/// The server, as far as administrators' functions need it.
pub trait Admin {
    /// `pg_file_settings`.
    fn file_settings(&self) -> Vec<FileEntry>;
}
