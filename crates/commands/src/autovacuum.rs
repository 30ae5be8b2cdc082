//! The work of an autovacuum worker in one database.

use catalog::Catalog;
use common::Result;
use common::settings::Settings;
use std::rc::Rc;
use transam::Engine;

/// Vacuums and analyses the tables that are due.
pub fn run(_engine: &Rc<Engine>, _catalog: &Rc<Catalog>, _settings: &Settings) -> Result<()> {
    Ok(())
}
