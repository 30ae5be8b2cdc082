//! CREATE SEQUENCE and the options that ALTER SEQUENCE and identity columns share with it.

use super::Parser;
use crate::ast::{CreateSeqStmt, DefArg, DefElem, RelPersistence, Statement};
use crate::keywords::Kw;
use crate::token::T;
use common::Result;

impl Parser<'_> {
    /// CREATE SEQUENCE; the present token is SEQUENCE.
    pub(crate) fn create_sequence(&mut self, persistence: RelPersistence) -> Result<Statement> {
        self.skip()?;
        let if_not_exists = self.if_not_exists()?;
        let mut sequence = self.qualified_name()?;
        sequence.relpersistence = persistence;
        let options = self.sequence_options()?;
        Ok(Statement::CreateSequence(Box::new(CreateSeqStmt { sequence, options, if_not_exists })))
    }

    /// Whether a sequence option begins here.
    pub(crate) fn at_sequence_option(&mut self) -> bool {
        match self.kw() {
            Some(Kw::No) => matches!(self.peek(), T::Kw(Kw::Cycle | Kw::Maxvalue | Kw::Minvalue)),
            Some(kw) => matches!(
                kw,
                Kw::As
                    | Kw::Cache
                    | Kw::Cycle
                    | Kw::Increment
                    | Kw::Maxvalue
                    | Kw::Minvalue
                    | Kw::Owned
                    | Kw::Sequence
                    | Kw::Start
                    | Kw::Restart
                    | Kw::Logged
                    | Kw::Unlogged
            ),
            None => false,
        }
    }

    /// Any number of options.
    pub(crate) fn sequence_options(&mut self) -> Result<Vec<DefElem>> {
        let mut options = Vec::new();
        while self.at_sequence_option() || self.at_kw(Kw::No) {
            options.push(self.sequence_option()?);
        }
        Ok(options)
    }

    /// `(options)`, optional; not empty.
    pub(crate) fn opt_paren_sequence_options(&mut self) -> Result<Vec<DefElem>> {
        if !self.eat_char(b'(')? {
            return Ok(Vec::new());
        }
        let mut options = vec![self.sequence_option()?];
        options.extend(self.sequence_options()?);
        self.expect_char(b')')?;
        Ok(options)
    }

    pub(crate) fn sequence_option(&mut self) -> Result<DefElem> {
        let at = self.tok.start;
        let Some(kw) = self.kw().filter(|_| self.at_sequence_option_word()) else {
            return Err(self.syntax_error());
        };
        self.skip()?;
        let (name, arg) = match kw {
            Kw::As => ("as", Some(DefArg::TypeName(Box::new(self.simple_type()?)))),
            Kw::Cache | Kw::Maxvalue | Kw::Minvalue => (kw.text(), Some(self.numeric_arg()?)),
            Kw::Cycle => ("cycle", Some(DefArg::Boolean(true))),
            Kw::Logged | Kw::Unlogged => (kw.text(), None),
            Kw::No => match self.eat_one_of(&[Kw::Cycle, Kw::Maxvalue, Kw::Minvalue])? {
                Some(Kw::Cycle) => ("cycle", Some(DefArg::Boolean(false))),
                Some(kw) => (kw.text(), None),
                None => return Err(self.syntax_error()),
            },
            Kw::Increment => {
                self.eat_kw(Kw::By)?;
                ("increment", Some(self.numeric_arg()?))
            }
            Kw::Owned => {
                self.expect_kw(Kw::By)?;
                ("owned_by", Some(DefArg::Names(self.any_name()?)))
            }
            Kw::Sequence => {
                self.expect_kw(Kw::Name)?;
                ("sequence_name", Some(DefArg::Names(self.any_name()?)))
            }
            Kw::Start => {
                self.opt_with()?;
                ("start", Some(self.numeric_arg()?))
            }
            _ => {
                let with = self.opt_with()?;
                let number = matches!(self.tok.kind, T::IConst | T::FConst | T::Char(b'+' | b'-'));
                let value = if with || number { Some(self.numeric_arg()?) } else { None };
                ("restart", value)
            }
        };
        Ok(DefElem::new(name, arg, at))
    }

    fn at_sequence_option_word(&self) -> bool {
        matches!(
            self.kw(),
            Some(
                Kw::As
                    | Kw::Cache
                    | Kw::Cycle
                    | Kw::No
                    | Kw::Increment
                    | Kw::Maxvalue
                    | Kw::Minvalue
                    | Kw::Owned
                    | Kw::Sequence
                    | Kw::Start
                    | Kw::Restart
                    | Kw::Logged
                    | Kw::Unlogged
            )
        )
    }
}
