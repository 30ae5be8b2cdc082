//! Extension.

use super::Parser;
use crate::ast::Statement;
use common::{Error, Result};

impl Parser<'_> {
    pub(crate) fn create_extension(&mut self) -> Result<Statement> {
        Err(Error::unsupported("this statement"))
    }
    pub(crate) fn create_fdw(&mut self) -> Result<Statement> {
        Err(Error::unsupported("this statement"))
    }
    pub(crate) fn create_server(&mut self) -> Result<Statement> {
        Err(Error::unsupported("this statement"))
    }
    pub(crate) fn create_user_mapping(&mut self) -> Result<Statement> {
        Err(Error::unsupported("this statement"))
    }
    pub(crate) fn import_foreign_schema_stmt(&mut self) -> Result<Statement> {
        Err(Error::unsupported("this statement"))
    }
    pub(crate) fn alter_extension(&mut self) -> Result<Statement> {
        Err(Error::unsupported("this statement"))
    }
    pub(crate) fn alter_fdw(&mut self) -> Result<Statement> {
        Err(Error::unsupported("this statement"))
    }
    pub(crate) fn alter_server(&mut self) -> Result<Statement> {
        Err(Error::unsupported("this statement"))
    }
    pub(crate) fn alter_user_mapping(&mut self) -> Result<Statement> {
        Err(Error::unsupported("this statement"))
    }
}
