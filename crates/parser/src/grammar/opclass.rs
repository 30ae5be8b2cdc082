//! Opclass.

use super::Parser;
use crate::ast::Statement;
use common::{Error, Result};

impl Parser<'_> {
    pub(crate) fn alter_operator(&mut self) -> Result<Statement> {
        Err(Error::unsupported("this statement"))
    }
}
