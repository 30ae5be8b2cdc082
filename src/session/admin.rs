//! What functions of administrators find behind [`commands::admin::Admin`].

use super::Session;
use common::settings::FileEntry;
use common::{Error, Result};
use ipc::memory::MemoryContext;
use protocol::hba::{ShownMapping, ShownRule, show_mappings, show_rules};
use std::path::Path;
use std::rc::{Rc, Weak};

/// The server as one session sees it.
pub struct SessionAdmin(pub Weak<Session>);

impl SessionAdmin {
    fn session(&self) -> Rc<Session> {
        self.0.upgrade().expect("functions run inside the session's methods")
    }
}

impl commands::admin::Admin for SessionAdmin {
    fn file_settings(&self) -> Vec<FileEntry> {
        crate::config::file_settings(&self.session().settings.borrow())
    }
    fn hba_rules(&self) -> Result<Vec<ShownRule>> {
        let session = self.session();
        let s = session.settings.borrow();
        let file = s.text("hba_file");
        Ok(show_rules(&read(file)?, dir(file), s.bool("ssl")))
    }
    fn ident_mappings(&self) -> Result<Vec<ShownMapping>> {
        let session = self.session();
        let s = session.settings.borrow();
        let file = s.text("ident_file");
        Ok(show_mappings(&read(file)?, dir(file)))
    }
    fn shared_memory(&self) -> Vec<ipc::segment::Allocation> {
        self.session().allocations.borrow().to_vec()
    }
    fn memory_contexts(&self) -> Vec<ipc::memory::MemoryContext> {
        self.session().memory_contexts()
    }
    fn tls(&self) -> Option<protocol::tls::TlsInfo> {
        self.session().conn.try_borrow().ok()?.tls().map(|t| t.info())
    }
}

impl Session {
    /// What is known of the owners of this process's memory.
    fn memory_contexts(&self) -> Vec<MemoryContext> {
        let mut owned = self.catalog.memory();
        let buffers = self.conn.try_borrow().map_or(0, |c| c.buffer_bytes());
        let message = self.message.try_borrow().map_or(0, |m| m.capacity());
        owned.push(MemoryContext::below_top("MessageContext", buffers + message, 3));
        let local = self.engine.store().local_bytes();
        if local > 0 {
            owned.push(MemoryContext::below_top("LocalBufferContext", local, 1));
        }
        ipc::memory::tree(owned)
    }
    /// `pg_log_backend_memory_contexts` of this session.
    pub(super) fn log_memory_contexts(&self) {
        log_memory(&self.memory_contexts());
    }
}

/// Writes a process's memory contexts to the log.
pub fn log_memory(tree: &[MemoryContext]) {
    crate::log::line("LOG", &format!("logging memory contexts of PID {}", std::process::id()));
    for l in ipc::memory::lines(tree) {
        crate::log::line("LOG", &l);
    }
}

fn read(file: &str) -> Result<String> {
    std::fs::read(file)
        .map(|b| String::from_utf8_lossy(&b).into_owned())
        .map_err(|e| Error::os(format!("could not open configuration file \"{file}\""), &e))
}

fn dir(file: &str) -> &Path {
    Path::new(file).parent().unwrap_or(Path::new("/"))
}
