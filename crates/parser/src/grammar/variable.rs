//! SET, RESET, SHOW, SET CONSTRAINTS.

use super::Parser;
use super::primary::literal_cast;
use super::types::system_type;
use crate::ast::{
    AConst, ConstraintsSetStmt, Expr, SetArg, Statement, Value, VariableSetKind, VariableSetStmt,
    VariableShowStmt,
};
use crate::keywords::Kw;
use crate::token::T;
use common::{Result, err};

/// Bits of the interval fields that a time zone may have.
const HOUR: i32 = 1 << 10;
const HOUR_TO_MINUTE: i32 = HOUR | 1 << 11;

fn set(kind: VariableSetKind, name: &str, args: Vec<SetArg>) -> VariableSetStmt {
    VariableSetStmt { kind, name: name.to_string(), args, is_local: false }
}

fn text(value: String, location: usize) -> SetArg {
    SetArg::Const(AConst { val: Value::String(value), location })
}

impl Parser<'_> {
    pub(crate) fn set_stmt(&mut self) -> Result<Statement> {
        self.skip()?;
        if self.at_kw(Kw::Constraints) && !self.peek_assigns() {
            return self.set_constraints();
        }
        let scoped = matches!(self.kw(), Some(Kw::Local | Kw::Session)) && !self.peek_assigns();
        let mut is_local = false;
        if scoped && !(self.at_kw(Kw::Session) && self.session_belongs_to_rest()) {
            is_local = self.at_kw(Kw::Local);
            self.skip()?;
        }
        let mut stmt = self.set_rest()?;
        stmt.is_local = is_local;
        Ok(Statement::VariableSet(Box::new(stmt)))
    }

    /// The word behind the present one shows that the present one is a variable's name.
    fn peek_assigns(&mut self) -> bool {
        matches!(self.peek(), T::Char(b'=' | b'.') | T::Kw(Kw::To | Kw::From))
    }

    fn session_belongs_to_rest(&mut self) -> bool {
        match self.peek() {
            T::Kw(Kw::Characteristics) => self.third_is(Kw::As),
            kind => kind == T::Kw(Kw::Authorization),
        }
    }

    /// What may follow SET in a statement and in ALTER ROLE, ALTER DATABASE.
    pub(crate) fn set_rest(&mut self) -> Result<VariableSetStmt> {
        if self.peek_assigns() {
            return self.set_rest_more();
        }
        match self.kw() {
            Some(Kw::Transaction) if !self.peek_is_kw(Kw::Snapshot) => {
                self.skip()?;
                let modes = self.transaction_modes()?;
                Ok(set(
                    VariableSetKind::SetMulti,
                    "TRANSACTION",
                    modes.into_iter().map(SetArg::Mode).collect(),
                ))
            }
            Some(Kw::Session) if self.peek_is_kw(Kw::Characteristics) => {
                self.skip()?;
                self.expect_kws(&[Kw::Characteristics, Kw::As, Kw::Transaction])?;
                let modes = self.transaction_modes()?.into_iter().map(SetArg::Mode).collect();
                Ok(set(VariableSetKind::SetMulti, "SESSION CHARACTERISTICS", modes))
            }
            _ => self.set_rest_more(),
        }
    }

    /// What may follow SET in a function's definition, too.
    pub(crate) fn set_rest_more(&mut self) -> Result<VariableSetStmt> {
        use VariableSetKind::{SetDefault, SetMulti, SetValue};
        if self.peek_assigns() {
            return self.generic_set();
        }
        match self.kw() {
            Some(Kw::Time) => {
                self.skip()?;
                self.expect_kw(Kw::Zone)?;
                match self.zone_value()? {
                    Some(zone) => Ok(set(SetValue, "timezone", vec![zone])),
                    None => Ok(set(SetDefault, "timezone", Vec::new())),
                }
            }
            Some(Kw::Catalog) => {
                self.skip()?;
                let at = self.tok.start;
                self.sconst()?;
                Err(err!(FEATURE_NOT_SUPPORTED, "current database cannot be changed").at(at))
            }
            Some(Kw::Schema) => {
                self.skip()?;
                let at = self.tok.start;
                Ok(set(SetValue, "search_path", vec![text(self.sconst()?, at)]))
            }
            Some(Kw::Names) => {
                self.skip()?;
                let at = self.tok.start;
                if self.at(T::SConst) {
                    return Ok(set(SetValue, "client_encoding", vec![text(self.sconst()?, at)]));
                }
                self.eat_kw(Kw::Default)?;
                Ok(set(SetDefault, "client_encoding", Vec::new()))
            }
            Some(Kw::Role) => {
                self.skip()?;
                let at = self.tok.start;
                Ok(set(SetValue, "role", vec![text(self.non_reserved_word_or_sconst()?, at)]))
            }
            Some(Kw::Session) => {
                self.skip()?;
                self.expect_kw(Kw::Authorization)?;
                if self.eat_kw(Kw::Default)? {
                    return Ok(set(SetDefault, "session_authorization", Vec::new()));
                }
                let at = self.tok.start;
                let user = self.non_reserved_word_or_sconst()?;
                Ok(set(SetValue, "session_authorization", vec![text(user, at)]))
            }
            Some(Kw::Xml) => {
                self.skip()?;
                self.expect_kw(Kw::Option)?;
                let at = self.tok.start;
                match self.eat_one_of(&[Kw::Document, Kw::Content])? {
                    Some(kw) => {
                        let value = text(kw.text().to_ascii_uppercase(), at);
                        Ok(set(SetValue, "xmloption", vec![value]))
                    }
                    None => Err(self.syntax_error()),
                }
            }
            Some(Kw::Transaction) => {
                self.skip()?;
                self.expect_kw(Kw::Snapshot)?;
                let at = self.tok.start;
                Ok(set(SetMulti, "TRANSACTION SNAPSHOT", vec![text(self.sconst()?, at)]))
            }
            _ => self.generic_set(),
        }
    }

    fn generic_set(&mut self) -> Result<VariableSetStmt> {
        let name = self.var_name()?;
        if self.eat_kw(Kw::From)? {
            self.expect_kw(Kw::Current)?;
            return Ok(set(VariableSetKind::SetCurrent, &name, Vec::new()));
        }
        self.set_value(name)
    }

    /// `TO` or `=` and a value or DEFAULT.
    fn set_value(&mut self, name: String) -> Result<VariableSetStmt> {
        if !self.eat_kw(Kw::To)? {
            self.expect_char(b'=')?;
        }
        if self.eat_kw(Kw::Default)? {
            return Ok(set(VariableSetKind::SetDefault, &name, Vec::new()));
        }
        let args = self.list(Self::var_value)?;
        Ok(set(VariableSetKind::SetValue, &name, args))
    }

    pub(crate) fn var_name(&mut self) -> Result<String> {
        let mut name = self.col_id()?;
        while self.eat_char(b'.')? {
            name.push('.');
            name.push_str(&self.col_id()?);
        }
        Ok(name)
    }

    fn var_value(&mut self) -> Result<SetArg> {
        let location = self.tok.start;
        let val = match self.kind() {
            T::IConst | T::FConst | T::Char(b'+' | b'-') => self.numeric_only()?,
            _ => Value::String(self.boolean_or_string()?),
        };
        Ok(SetArg::Const(AConst { val, location }))
    }

    /// A number with optional sign.
    pub(crate) fn numeric_only(&mut self) -> Result<Value> {
        let negative = self.at_char(b'-');
        if negative || self.at_char(b'+') {
            self.skip()?;
        }
        match self.kind() {
            T::IConst => {
                let n = self.iconst()?;
                Ok(Value::Integer(if negative { n.wrapping_neg() } else { n }))
            }
            T::FConst => {
                let digits = self.advance()?.text;
                Ok(Value::Float(if negative { format!("-{digits}") } else { digits.into_owned() }))
            }
            _ => Err(self.syntax_error()),
        }
    }

    /// TRUE, FALSE, ON, a word or a string, always as text.
    pub(crate) fn boolean_or_string(&mut self) -> Result<String> {
        match self.kw() {
            Some(kw @ (Kw::True | Kw::False | Kw::On)) => {
                self.skip()?;
                Ok(kw.text().to_string())
            }
            _ => self.non_reserved_word_or_sconst(),
        }
    }

    /// `None` for DEFAULT and LOCAL.
    fn zone_value(&mut self) -> Result<Option<SetArg>> {
        let at = self.tok.start;
        match self.kind() {
            T::SConst => Ok(Some(text(self.sconst()?, at))),
            T::Ident => Ok(Some(text(self.word()?, at))),
            T::Kw(Kw::Default | Kw::Local) => {
                self.skip()?;
                Ok(None)
            }
            T::Kw(Kw::Interval) => {
                self.skip()?;
                let mut type_name = system_type("interval", at);
                if self.at_char(b'(') {
                    type_name.typmods = self.interval_precision()?;
                }
                let literal_at = self.tok.start;
                let literal = self.sconst()?;
                if type_name.typmods.is_empty() {
                    let fields_at = self.tok.start;
                    type_name.typmods = self.opt_interval_fields()?;
                    if let Some(Expr::AConst(AConst { val: Value::Integer(mask), .. })) =
                        type_name.typmods.first()
                        && !matches!(*mask, HOUR | HOUR_TO_MINUTE)
                    {
                        let message = "time zone interval must be HOUR or HOUR TO MINUTE";
                        return Err(err!(SYNTAX_ERROR, "{message}").at(fields_at));
                    }
                }
                match literal_cast(literal, literal_at, type_name) {
                    Expr::TypeCast(cast) => Ok(Some(SetArg::Interval(cast))),
                    _ => Err(self.syntax_error()),
                }
            }
            _ => {
                let val = self.numeric_only()?;
                Ok(Some(SetArg::Const(AConst { val, location: at })))
            }
        }
    }

    /// RESET, also as a clause of ALTER ROLE and others.
    pub(crate) fn reset_stmt(&mut self) -> Result<VariableSetStmt> {
        self.skip()?;
        if self.eat_kw(Kw::All)? {
            return Ok(set(VariableSetKind::ResetAll, "", Vec::new()));
        }
        let name = self.setting_name()?;
        Ok(set(VariableSetKind::Reset, &name, Vec::new()))
    }

    /// A variable, or one of the settings with a name of several words.
    fn setting_name(&mut self) -> Result<String> {
        match self.kw() {
            Some(Kw::Time) if self.peek_is_kw(Kw::Zone) => {
                self.skip()?;
                self.skip()?;
                Ok("timezone".to_string())
            }
            Some(Kw::Transaction) if self.peek_is_kw(Kw::Isolation) => {
                self.skip()?;
                self.skip()?;
                self.expect_kw(Kw::Level)?;
                Ok("transaction_isolation".to_string())
            }
            Some(Kw::Session) if self.peek_is_kw(Kw::Authorization) => {
                self.skip()?;
                self.skip()?;
                Ok("session_authorization".to_string())
            }
            _ => self.var_name(),
        }
    }

    /// SET or RESET as a clause of ALTER ROLE, ALTER DATABASE, ALTER SYSTEM.
    pub(crate) fn set_reset_clause(&mut self) -> Result<VariableSetStmt> {
        if self.at_kw(Kw::Reset) {
            return self.reset_stmt();
        }
        self.expect_kw(Kw::Set)?;
        self.set_rest()
    }

    /// As above in a function's definition.
    pub(crate) fn function_set_reset(&mut self) -> Result<VariableSetStmt> {
        if self.at_kw(Kw::Reset) {
            return self.reset_stmt();
        }
        self.expect_kw(Kw::Set)?;
        self.set_rest_more()
    }

    /// ALTER SYSTEM takes only plain variables.
    pub(crate) fn system_set_reset(&mut self) -> Result<VariableSetStmt> {
        match self.eat_one_of(&[Kw::Set, Kw::Reset])? {
            Some(Kw::Set) => {
                let name = self.var_name()?;
                self.set_value(name)
            }
            Some(_) if self.eat_kw(Kw::All)? => Ok(set(VariableSetKind::ResetAll, "", Vec::new())),
            Some(_) => {
                let name = self.var_name()?;
                Ok(set(VariableSetKind::Reset, &name, Vec::new()))
            }
            None => Err(self.syntax_error()),
        }
    }

    pub(crate) fn show_stmt(&mut self) -> Result<Statement> {
        self.skip()?;
        let name = if self.eat_kw(Kw::All)? { "all".to_string() } else { self.setting_name()? };
        Ok(Statement::VariableShow(VariableShowStmt { name }))
    }

    fn set_constraints(&mut self) -> Result<Statement> {
        self.skip()?;
        let constraints = if self.eat_kw(Kw::All)? { Vec::new() } else { self.qualified_name_list()? };
        let deferred = match self.eat_one_of(&[Kw::Deferred, Kw::Immediate])? {
            Some(kw) => kw == Kw::Deferred,
            None => return Err(self.syntax_error()),
        };
        Ok(Statement::Constraints(Box::new(ConstraintsSetStmt { constraints, deferred })))
    }
}
