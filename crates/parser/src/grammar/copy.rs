//! COPY in its three generations of option syntax.

use super::Parser;
use crate::ast::{CopyStmt, DefArg, DefElem, Statement};
use crate::keywords::Kw;
use crate::token::T;
use common::{Result, err};

impl Parser<'_> {
    pub(crate) fn copy_stmt(&mut self) -> Result<Statement> {
        self.skip()?;
        let mut stmt = CopyStmt {
            relation: None,
            query: None,
            attlist: Vec::new(),
            is_from: false,
            is_program: false,
            filename: None,
            options: Vec::new(),
            where_clause: None,
        };
        if self.eat_char(b'(')? {
            stmt.query = Some(Box::new(self.preparable_stmt()?));
            self.expect_char(b')')?;
            self.expect_kw(Kw::To)?;
            self.copy_target(&mut stmt)?;
            self.opt_with()?;
            stmt.options = self.copy_options()?;
            return Ok(Statement::Copy(Box::new(stmt)));
        }
        let binary_at = self.tok.start;
        let binary = self.eat_kw(Kw::Binary)?;
        stmt.relation = Some(self.qualified_name()?);
        stmt.attlist = self.opt_column_list()?;
        stmt.is_from = match self.eat_one_of(&[Kw::From, Kw::To])? {
            Some(kw) => kw == Kw::From,
            None => return Err(self.syntax_error()),
        };
        self.copy_target(&mut stmt)?;
        if binary {
            stmt.options.push(format_option("binary", binary_at));
        }
        self.copy_delimiters(&mut stmt)?;
        self.opt_with()?;
        let options = self.copy_options()?;
        stmt.options.extend(options);
        let where_at = self.tok.start;
        stmt.where_clause = self.opt_where()?;
        if !stmt.is_from && stmt.where_clause.is_some() {
            return Err(err!(SYNTAX_ERROR, "WHERE clause not allowed with COPY TO").at(where_at));
        }
        Ok(Statement::Copy(Box::new(stmt)))
    }

    /// File name, STDIN, STDOUT, or PROGRAM 'command'.
    fn copy_target(&mut self, stmt: &mut CopyStmt) -> Result<()> {
        stmt.is_program = self.eat_kw(Kw::Program)?;
        if self.eat_one_of(&[Kw::Stdin, Kw::Stdout])?.is_some() {
            if stmt.is_program {
                return Err(err!(SYNTAX_ERROR, "STDIN/STDOUT not allowed with PROGRAM"));
            }
            return Ok(());
        }
        stmt.filename = Some(self.sconst()?);
        Ok(())
    }

    /// `[USING] DELIMITERS 'x'`
    fn copy_delimiters(&mut self, stmt: &mut CopyStmt) -> Result<()> {
        let at = self.tok.start;
        if self.eat_kw(Kw::Using)? {
            self.expect_kw(Kw::Delimiters)?;
        } else if !self.eat_kw(Kw::Delimiters)? {
            return Ok(());
        }
        let value = DefArg::String(self.sconst()?);
        stmt.options.push(DefElem::new("delimiter", Some(value), at));
        Ok(())
    }

    fn copy_options(&mut self) -> Result<Vec<DefElem>> {
        if self.at_char(b'(') {
            return self.paren_list(Self::copy_generic_option);
        }
        let mut options = Vec::new();
        while let Some(option) = self.copy_option()? {
            options.push(option);
        }
        Ok(options)
    }

    fn copy_generic_option(&mut self) -> Result<DefElem> {
        let at = self.tok.start;
        let name = self.col_label()?;
        let arg = match self.kind() {
            T::Char(b'*') => {
                self.skip()?;
                Some(DefArg::Star)
            }
            T::Char(b'(') => {
                Some(DefArg::List(self.paren_list(|p| Ok(DefArg::String(p.boolean_or_string()?)))?))
            }
            _ => self.opt_option_value()?,
        };
        Ok(DefElem::new(name, arg, at))
    }

    /// One option in the keyword syntax.
    fn copy_option(&mut self) -> Result<Option<DefElem>> {
        let at = self.tok.start;
        let Some(kw) = self.eat_one_of(&[
            Kw::Binary,
            Kw::Freeze,
            Kw::Delimiter,
            Kw::Null,
            Kw::Csv,
            Kw::Header,
            Kw::Quote,
            Kw::Escape,
            Kw::Force,
            Kw::Encoding,
        ])?
        else {
            return Ok(None);
        };
        let option = match kw {
            Kw::Binary | Kw::Csv => format_option(kw.text(), at),
            Kw::Freeze | Kw::Header => DefElem::new(kw.text(), Some(DefArg::Boolean(true)), at),
            Kw::Force => self.copy_force(at)?,
            _ => {
                if kw != Kw::Encoding {
                    self.eat_kw(Kw::As)?;
                }
                DefElem::new(kw.text(), Some(DefArg::String(self.sconst()?)), at)
            }
        };
        Ok(Some(option))
    }

    /// Behind FORCE: QUOTE, NOT NULL, NULL.
    fn copy_force(&mut self, at: usize) -> Result<DefElem> {
        let name = match self.eat_one_of(&[Kw::Quote, Kw::Not, Kw::Null])? {
            Some(Kw::Quote) => "force_quote",
            Some(Kw::Not) => {
                self.expect_kw(Kw::Null)?;
                "force_not_null"
            }
            Some(_) => "force_null",
            None => return Err(self.syntax_error()),
        };
        if name == "force_quote" && self.eat_char(b'*')? {
            return Ok(DefElem::new(name, Some(DefArg::Star), at));
        }
        let columns = self.name_list()?.into_iter().map(DefArg::String).collect();
        Ok(DefElem::new(name, Some(DefArg::List(columns)), at))
    }
}

fn format_option(format: &str, at: usize) -> DefElem {
    DefElem::new("format", Some(DefArg::String(format.to_string())), at)
}
