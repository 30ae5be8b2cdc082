//! Triggers.

use super::Parser;
use crate::ast::Statement;
use common::{Error, Result};

impl Parser<'_> {
    pub(crate) fn create_trigger(&mut self, _r: bool) -> Result<Statement> {
        Err(Error::unsupported("this statement"))
    }
    pub(crate) fn create_event_trigger(&mut self) -> Result<Statement> {
        Err(Error::unsupported("this statement"))
    }
    pub(crate) fn create_rule(&mut self, _r: bool) -> Result<Statement> {
        Err(Error::unsupported("this statement"))
    }
}
