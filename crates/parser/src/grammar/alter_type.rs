//! Alter type.

use super::Parser;
use crate::ast::Statement;
use common::{Error, Result};

impl Parser<'_> {
    pub(crate) fn alter_type(&mut self) -> Result<Statement> {
        Err(Error::unsupported("this statement"))
    }
    pub(crate) fn alter_domain(&mut self) -> Result<Statement> {
        Err(Error::unsupported("this statement"))
    }
    pub(crate) fn attribute_def(&mut self) -> Result<crate::ast::ColumnDef> {
        self.column_def()
    }
}
