//! Pub.

use super::Parser;
use crate::ast::Statement;
use common::{Error, Result};

impl Parser<'_> {
    pub(crate) fn create_publication(&mut self) -> Result<Statement> {
        Err(Error::unsupported("this statement"))
    }
    pub(crate) fn create_subscription(&mut self) -> Result<Statement> {
        Err(Error::unsupported("this statement"))
    }
    pub(crate) fn alter_publication(&mut self) -> Result<Statement> {
        Err(Error::unsupported("this statement"))
    }
    pub(crate) fn alter_subscription(&mut self) -> Result<Statement> {
        Err(Error::unsupported("this statement"))
    }
}
