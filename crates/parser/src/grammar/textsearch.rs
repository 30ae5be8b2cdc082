//! ALTER TEXT SEARCH …

use super::Parser;
use super::alter_object::{ALL_FORMS, Forms};
use crate::ast::{
    AlterTSConfigType, AlterTSConfigurationStmt, AlterTSDictionaryStmt, ObjectRef, ObjectType, Statement,
};
use crate::keywords::Kw;
use common::Result;

impl Parser<'_> {
    /// ALTER TEXT SEARCH; these words have been read.
    pub(crate) fn alter_text_search(&mut self) -> Result<Statement> {
        let kind = self.text_search_kind()?;
        let name = self.any_name()?;
        match kind {
            ObjectType::TSDictionary if self.at_char(b'(') => {
                let options = self.definition()?;
                let stmt = AlterTSDictionaryStmt { dictname: name, options };
                Ok(Statement::AlterTSDictionary(Box::new(stmt)))
            }
            ObjectType::TSConfiguration if matches!(self.kw(), Some(Kw::Add | Kw::Alter | Kw::Drop)) => {
                self.alter_mapping(name)
            }
            ObjectType::TSParser | ObjectType::TSTemplate => {
                let forms = Forms { owner: false, ..ALL_FORMS };
                self.shared_form(kind, ObjectRef::Name(name), forms)
            }
            _ => self.shared_form(kind, ObjectRef::Name(name), ALL_FORMS),
        }
    }

    fn alter_mapping(&mut self, cfgname: Vec<String>) -> Result<Statement> {
        use AlterTSConfigType as Kind;
        let mut stmt = AlterTSConfigurationStmt {
            kind: Kind::AddMapping,
            cfgname,
            tokentype: Vec::new(),
            dicts: Vec::new(),
            missing_ok: false,
        };
        let verb = self.eat_one_of(&[Kw::Add, Kw::Alter, Kw::Drop])?;
        self.expect_kw(Kw::Mapping)?;
        if verb == Some(Kw::Drop) {
            stmt.kind = Kind::DropMapping;
            stmt.missing_ok = self.if_exists_only()?;
            self.expect_kw(Kw::For)?;
            stmt.tokentype = self.name_list()?;
            return Ok(Statement::AlterTSConfiguration(Box::new(stmt)));
        }
        let alter = verb == Some(Kw::Alter);
        if alter && self.eat_kw(Kw::Replace)? {
            stmt.kind = Kind::ReplaceDict;
            self.replaced_dictionary(&mut stmt)?;
            return Ok(Statement::AlterTSConfiguration(Box::new(stmt)));
        }
        self.expect_kw(Kw::For)?;
        stmt.tokentype = self.name_list()?;
        if alter && self.eat_kw(Kw::Replace)? {
            stmt.kind = Kind::ReplaceDictForToken;
            self.replaced_dictionary(&mut stmt)?;
        } else {
            self.expect_kw(Kw::With)?;
            stmt.kind = if alter { Kind::AlterMappingForToken } else { Kind::AddMapping };
            stmt.dicts = self.any_name_list()?;
        }
        Ok(Statement::AlterTSConfiguration(Box::new(stmt)))
    }

    /// `old WITH new`
    fn replaced_dictionary(&mut self, stmt: &mut AlterTSConfigurationStmt) -> Result<()> {
        let old = self.any_name()?;
        self.expect_kw(Kw::With)?;
        stmt.dicts = vec![old, self.any_name()?];
        Ok(())
    }
}
