//! Dispatch of CREATE.

use super::Parser;
use crate::ast::{Constraint, RelPersistence, RoleStmtType, Statement};
use crate::keywords::Kw;
use crate::token::T;
use common::{Result, err};

impl Parser<'_> {
    pub(crate) fn create_stmt(&mut self) -> Result<Statement> {
        self.skip()?;
        if self.eat_kw(Kw::Or)? {
            self.expect_kw(Kw::Replace)?;
            return self.create_replaceable();
        }
        let Some(kw) = self.kw() else {
            return Err(self.syntax_error());
        };
        match kw {
            Kw::Temp | Kw::Temporary | Kw::Local | Kw::Global | Kw::Unlogged => {
                self.create_with_persistence()
            }
            Kw::Table => self.create_table(RelPersistence::Permanent),
            Kw::Unique | Kw::Index => self.create_index(),
            Kw::Sequence => self.create_sequence(RelPersistence::Permanent),
            Kw::View | Kw::Recursive => self.create_view(false, RelPersistence::Permanent),
            Kw::Materialized => self.create_matview(RelPersistence::Permanent),
            Kw::Statistics => self.create_statistics(),
            Kw::Schema => self.create_schema(),
            Kw::Database => self.create_database(),
            Kw::Tablespace => self.create_tablespace(),
            Kw::Role => self.create_role(RoleStmtType::Role),
            Kw::User if self.peek_is_kw(Kw::Mapping) && self.third_continues_mapping() => {
                self.create_user_mapping()
            }
            Kw::User => self.create_role(RoleStmtType::User),
            Kw::Group => self.create_role(RoleStmtType::Group),
            Kw::Function | Kw::Procedure => self.create_function(false),
            Kw::Constraint | Kw::Trigger => self.create_trigger(false),
            Kw::Event => self.create_event_trigger(),
            Kw::Rule => self.create_rule(false),
            Kw::Trusted | Kw::Procedural | Kw::Language => self.create_language(false),
            Kw::Transform => self.create_transform(false),
            Kw::Aggregate => self.create_aggregate(false),
            Kw::Domain => self.create_domain(),
            Kw::Type => self.create_type(),
            Kw::Operator => self.create_operator(),
            Kw::Text => self.create_text_search(),
            Kw::Collation => self.create_collation(),
            Kw::Cast => self.create_cast(),
            Kw::Default | Kw::Conversion => self.create_conversion(),
            Kw::Access => self.create_access_method(),
            Kw::Assertion => self.create_assertion(),
            Kw::Policy => self.create_policy(),
            Kw::Extension => self.create_extension(),
            Kw::Foreign => {
                self.skip()?;
                match self.kw() {
                    Some(Kw::Table) => self.create_foreign_table(),
                    Some(Kw::Data) => self.create_fdw(),
                    _ => Err(self.syntax_error()),
                }
            }
            Kw::Server => self.create_server(),
            Kw::Publication => self.create_publication(),
            Kw::Subscription => self.create_subscription(),
            _ => Err(self.syntax_error()),
        }
    }

    /// Reads it to the end, only to say that it is not there: PostgreSQL's grammar does the same.
    fn create_assertion(&mut self) -> Result<Statement> {
        self.skip()?;
        self.any_name()?;
        self.expect_kw(Kw::Check)?;
        self.paren_condition()?;
        self.constraint_attributes(&mut Constraint::default(), "ASSERTION")?;
        Err(err!(FEATURE_NOT_SUPPORTED, "CREATE ASSERTION is not yet implemented"))
    }

    /// Behind CREATE OR REPLACE.
    fn create_replaceable(&mut self) -> Result<Statement> {
        match self.kw() {
            Some(Kw::Temp | Kw::Temporary | Kw::Local | Kw::Global | Kw::Unlogged) => {
                let persistence = self.create_persistence()?;
                match self.kw() {
                    Some(Kw::View | Kw::Recursive) => self.create_view(true, persistence),
                    _ => Err(self.syntax_error()),
                }
            }
            Some(Kw::View | Kw::Recursive) => self.create_view(true, RelPersistence::Permanent),
            Some(Kw::Function | Kw::Procedure) => self.create_function(true),
            Some(Kw::Constraint | Kw::Trigger) => self.create_trigger(true),
            Some(Kw::Rule) => self.create_rule(true),
            Some(Kw::Trusted | Kw::Procedural | Kw::Language) => self.create_language(true),
            Some(Kw::Transform) => self.create_transform(true),
            Some(Kw::Aggregate) => self.create_aggregate(true),
            _ => Err(self.syntax_error()),
        }
    }

    fn create_persistence(&mut self) -> Result<RelPersistence> {
        let at = self.tok.start;
        let kw = self.eat_one_of(&[Kw::Temp, Kw::Temporary, Kw::Local, Kw::Global, Kw::Unlogged])?;
        if matches!(kw, Some(Kw::Local | Kw::Global)) {
            if self.eat_one_of(&[Kw::Temp, Kw::Temporary])?.is_none() {
                return Err(self.syntax_error());
            }
            if kw == Some(Kw::Global) {
                self.warn_global_temp(at);
            }
        }
        Ok(if kw == Some(Kw::Unlogged) { RelPersistence::Unlogged } else { RelPersistence::Temp })
    }

    fn create_with_persistence(&mut self) -> Result<Statement> {
        let persistence = self.create_persistence()?;
        match self.kw() {
            Some(Kw::Table) => self.create_table(persistence),
            Some(Kw::Sequence) => self.create_sequence(persistence),
            Some(Kw::View | Kw::Recursive) => self.create_view(false, persistence),
            Some(Kw::Materialized) if persistence == RelPersistence::Unlogged => {
                self.create_matview(persistence)
            }
            _ => Err(self.syntax_error()),
        }
    }

    /// CREATE TABLE AS or CREATE MATERIALIZED VIEW, the only CREATEs that EXPLAIN takes.
    pub(crate) fn create_as_only(&mut self) -> Result<Statement> {
        self.skip()?;
        let persistence = match self.kw() {
            Some(Kw::Temp | Kw::Temporary | Kw::Local | Kw::Global | Kw::Unlogged) => {
                self.create_persistence()?
            }
            _ => RelPersistence::Permanent,
        };
        match self.kind() {
            T::Kw(Kw::Table) => {
                self.in_explain = true;
                let stmt = self.create_table(persistence)?;
                self.in_explain = false;
                Ok(stmt)
            }
            T::Kw(Kw::Materialized) if persistence != RelPersistence::Temp => {
                self.create_matview(persistence)
            }
            _ => Err(self.syntax_error()),
        }
    }
}
