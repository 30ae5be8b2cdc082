//! What functions of administrators find behind [`commands::admin::Admin`].

use super::Session;
use common::settings::FileEntry;
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
}
