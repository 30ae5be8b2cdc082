//! Functions and procedures.

use super::Parser;
use crate::ast::Statement;
use common::{Error, Result};

impl Parser<'_> {
    pub(crate) fn create_function(&mut self, _r: bool) -> Result<Statement> {
        Err(Error::unsupported("this statement"))
    }
    pub(crate) fn alter_routine(&mut self, _k: crate::ast::ObjectType) -> Result<Statement> {
        Err(Error::unsupported("this statement"))
    }
    pub(crate) fn create_language(&mut self, _r: bool) -> Result<Statement> {
        Err(Error::unsupported("this statement"))
    }
    pub(crate) fn create_cast(&mut self) -> Result<Statement> {
        Err(Error::unsupported("this statement"))
    }
    pub(crate) fn create_transform(&mut self, _r: bool) -> Result<Statement> {
        Err(Error::unsupported("this statement"))
    }
}
