//! Lists of options: storage parameters, definitions, EXPLAIN and COPY options, foreign-data options.

use super::Parser;
use super::name::is_non_reserved;
use crate::ast::{DefArg, DefElem, DefElemAction, Value};
use crate::keywords::{Category, Kw};
use crate::token::T;
use common::Result;

impl From<Value> for DefArg {
    fn from(v: Value) -> DefArg {
        match v {
            Value::Integer(n) => DefArg::Integer(n),
            Value::Float(f) | Value::String(f) | Value::BitString(f) => DefArg::Float(f),
            Value::Boolean(b) => DefArg::Boolean(b),
            Value::Null => DefArg::String(String::new()),
        }
    }
}

impl Parser<'_> {
    /// A number as an option's value.
    pub(crate) fn numeric_arg(&mut self) -> Result<DefArg> {
        Ok(self.numeric_only()?.into())
    }

    /// Value in a definition: a type name, keyword, operator, number or string.
    pub(crate) fn def_arg(&mut self) -> Result<DefArg> {
        match self.kind() {
            T::SConst => Ok(DefArg::String(self.sconst()?)),
            T::IConst | T::FConst => self.numeric_arg(),
            T::Char(b'+' | b'-') if matches!(self.peek(), T::IConst | T::FConst) => self.numeric_arg(),
            T::Kw(Kw::None) => Ok(DefArg::String(self.word()?)),
            T::Kw(Kw::Operator) if self.peek_is_char(b'(') => Ok(DefArg::Names(self.operator_call()?)),
            T::Kw(kw) if kw.category() == Category::Reserved => Ok(DefArg::String(self.word()?)),
            T::Ident | T::Kw(_) => Ok(DefArg::TypeName(Box::new(self.func_type()?))),
            _ => Ok(DefArg::Names(self.qual_all_op()?)),
        }
    }

    /// `(name [= value], …)`
    pub(crate) fn definition(&mut self) -> Result<Vec<DefElem>> {
        self.paren_list(|p| {
            let at = p.tok.start;
            let name = p.col_label()?;
            let arg = if p.eat_char(b'=')? { Some(p.def_arg()?) } else { None };
            Ok(DefElem::new(name, arg, at))
        })
    }

    /// `([namespace.]name [= value], …)`
    pub(crate) fn reloptions(&mut self) -> Result<Vec<DefElem>> {
        self.paren_list(|p| {
            let at = p.tok.start;
            let mut name = p.col_label()?;
            let mut defnamespace = None;
            if p.eat_char(b'.')? {
                defnamespace = Some(std::mem::replace(&mut name, p.col_label()?));
            }
            let arg = if p.eat_char(b'=')? { Some(p.def_arg()?) } else { None };
            Ok(DefElem { defnamespace, ..DefElem::new(name, arg, at) })
        })
    }

    /// `(name [value], …)` of EXPLAIN, VACUUM, REINDEX, CLUSTER.
    pub(crate) fn utility_options(&mut self) -> Result<Vec<DefElem>> {
        self.paren_list(|p| {
            let at = p.tok.start;
            let name = match p.kw() {
                Some(Kw::Analyze | Kw::Analyse) => {
                    p.skip()?;
                    "analyze".to_string()
                }
                _ => p.non_reserved_word()?,
            };
            let arg = p.opt_option_value()?;
            Ok(DefElem::new(name, arg, at))
        })
    }

    /// A word, string or number; or nothing.
    pub(crate) fn opt_option_value(&mut self) -> Result<Option<DefArg>> {
        Ok(match self.kind() {
            T::SConst | T::Kw(Kw::True | Kw::False | Kw::On) => {
                Some(DefArg::String(self.boolean_or_string()?))
            }
            T::IConst | T::FConst | T::Char(b'+' | b'-') => Some(self.numeric_arg()?),
            kind if is_non_reserved(kind) => Some(DefArg::String(self.boolean_or_string()?)),
            _ => None,
        })
    }

    /// `OPTIONS (name 'value', …)`, optional.
    pub(crate) fn opt_generic_options(&mut self) -> Result<Vec<DefElem>> {
        if !self.eat_kw(Kw::Options)? {
            return Ok(Vec::new());
        }
        self.paren_list(Self::generic_option)
    }

    fn generic_option(&mut self) -> Result<DefElem> {
        let at = self.tok.start;
        let name = self.col_label()?;
        let value = self.sconst()?;
        Ok(DefElem::new(name, Some(DefArg::String(value)), at))
    }

    /// `OPTIONS ([ADD | SET | DROP] name ['value'], …)`
    pub(crate) fn alter_generic_options(&mut self) -> Result<Vec<DefElem>> {
        self.expect_kw(Kw::Options)?;
        self.paren_list(|p| {
            // The verbs are themselves possible names: then a string follows.
            let verb = match p.kw() {
                Some(kw @ (Kw::Add | Kw::Set | Kw::Drop)) if p.peek() != T::SConst => kw,
                _ => return p.generic_option(),
            };
            p.skip()?;
            if verb == Kw::Drop {
                let at = p.tok.start;
                let name = p.col_label()?;
                return Ok(DefElem { defaction: DefElemAction::Drop, ..DefElem::new(name, None, at) });
            }
            let defaction = if verb == Kw::Add { DefElemAction::Add } else { DefElemAction::Set };
            Ok(DefElem { defaction, ..p.generic_option()? })
        })
    }
}
