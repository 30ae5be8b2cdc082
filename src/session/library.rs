//! LOAD.

use super::Session;
use crate::modules::Occasion;
use common::Result;

impl Session {
    /// LOAD 'file'. Who is no superuser may load plugins only.
    pub(super) fn load_statement(&self, file: &str) -> Result<String> {
        let restricted = !self.superuser.get();
        let mut settings = self.settings.borrow_mut();
        self.modules.borrow_mut().load(file, &mut settings, restricted, Occasion::Session)?;
        Ok("LOAD".into())
    }
}
