//! DROP of everything.

use super::Parser;
use super::object::routine_kind;
use crate::ast::{
    DefElem, DropOwnedStmt, DropRoleStmt, DropStmt, DropSubscriptionStmt, DropTableSpaceStmt,
    DropUserMappingStmt, DropdbStmt, ObjectRef, ObjectType, Statement,
};
use crate::keywords::Kw;
use crate::token::T;
use common::Result;

impl Parser<'_> {
    pub(crate) fn drop_stmt(&mut self) -> Result<Statement> {
        self.skip()?;
        if let Some(kind) = self.opt_qualified_kind()? {
            let concurrent = kind == ObjectType::Index && self.eat_kw(Kw::Concurrently)?;
            let missing_ok = self.if_exists()?;
            let objects = self.any_name_list()?.into_iter().map(ObjectRef::Name).collect();
            return self.finish_drop(kind, objects, missing_ok, concurrent);
        }
        if let Some(kind) = self.opt_simple_kind()? {
            let missing_ok = self.if_exists()?;
            let objects = self.name_list()?.into_iter().map(|n| ObjectRef::Name(vec![n])).collect();
            return self.finish_drop(kind, objects, missing_ok, false);
        }
        let Some(kw) = self.kw() else {
            return Err(self.syntax_error());
        };
        self.skip_if_droppable(kw)?;
        match kw {
            Kw::Type | Kw::Domain => {
                let missing_ok = self.if_exists()?;
                let objects = self.list(|p| Ok(ObjectRef::Type(p.type_name()?)))?;
                let kind = if kw == Kw::Type { ObjectType::Type } else { ObjectType::Domain };
                self.finish_drop(kind, objects, missing_ok, false)
            }
            Kw::Policy | Kw::Rule | Kw::Trigger => self.drop_on_table(kw),
            Kw::Function | Kw::Procedure | Kw::Routine => {
                let missing_ok = self.if_exists()?;
                let objects = self.list(|p| Ok(ObjectRef::WithArgs(p.function_with_args()?)))?;
                self.finish_drop(routine_kind(kw), objects, missing_ok, false)
            }
            Kw::Aggregate => {
                let missing_ok = self.if_exists()?;
                let objects = self.list(|p| Ok(ObjectRef::WithArgs(p.aggregate_with_args()?)))?;
                self.finish_drop(ObjectType::Aggregate, objects, missing_ok, false)
            }
            Kw::Operator if matches!(self.kw(), Some(Kw::Class | Kw::Family)) && !self.peek_is_char(b'.') => {
                let kind = if self.at_kw(Kw::Class) { ObjectType::OpClass } else { ObjectType::OpFamily };
                self.skip()?;
                let missing_ok = self.if_exists()?;
                let names = self.any_name()?;
                self.expect_kw(Kw::Using)?;
                let mut full = vec![self.col_id()?];
                full.extend(names);
                self.finish_drop(kind, vec![ObjectRef::Name(full)], missing_ok, false)
            }
            Kw::Operator => {
                let missing_ok = self.if_exists()?;
                let objects = self.list(|p| Ok(ObjectRef::WithArgs(p.operator_with_args()?)))?;
                self.finish_drop(ObjectType::Operator, objects, missing_ok, false)
            }
            Kw::Cast => {
                let missing_ok = self.if_exists_only()?;
                let object = self.cast_object()?;
                self.finish_drop(ObjectType::Cast, vec![object], missing_ok, false)
            }
            Kw::Transform => {
                let missing_ok = self.if_exists_only()?;
                let object = self.transform_object()?;
                self.finish_drop(ObjectType::Transform, vec![object], missing_ok, false)
            }
            Kw::Database => self.drop_database(),
            Kw::Tablespace => {
                let missing_ok = self.if_exists()?;
                let tablespacename = self.col_id()?;
                Ok(Statement::DropTableSpace(DropTableSpaceStmt { tablespacename, missing_ok }))
            }
            Kw::User if self.at_kw(Kw::Mapping) && matches!(self.peek(), T::Kw(Kw::If | Kw::For)) => {
                self.skip()?;
                let missing_ok = self.if_exists_only()?;
                self.expect_kw(Kw::For)?;
                let user = self.auth_ident()?;
                self.expect_kw(Kw::Server)?;
                let servername = self.col_id()?;
                Ok(Statement::DropUserMapping(DropUserMappingStmt { user, servername, missing_ok }))
            }
            Kw::Role | Kw::User | Kw::Group => {
                let missing_ok = self.if_exists()?;
                Ok(Statement::DropRole(DropRoleStmt { roles: self.role_list()?, missing_ok }))
            }
            Kw::Owned => {
                self.expect_kw(Kw::By)?;
                let roles = self.role_list()?;
                let behavior = self.opt_drop_behavior()?;
                Ok(Statement::DropOwned(DropOwnedStmt { roles, behavior }))
            }
            Kw::Subscription => {
                let missing_ok = self.if_exists()?;
                let subname = self.col_id()?;
                let behavior = self.opt_drop_behavior()?;
                Ok(Statement::DropSubscription(DropSubscriptionStmt { subname, missing_ok, behavior }))
            }
            _ => Err(self.syntax_error()),
        }
    }

    /// Consumes the word behind DROP if anything of its kind can be dropped.
    fn skip_if_droppable(&mut self, kw: Kw) -> Result<()> {
        let known = matches!(
            kw,
            Kw::Type
                | Kw::Domain
                | Kw::Policy
                | Kw::Rule
                | Kw::Trigger
                | Kw::Function
                | Kw::Procedure
                | Kw::Routine
                | Kw::Aggregate
                | Kw::Operator
                | Kw::Cast
                | Kw::Transform
                | Kw::Database
                | Kw::Tablespace
                | Kw::User
                | Kw::Role
                | Kw::Group
                | Kw::Owned
                | Kw::Subscription
        );
        if !known {
            return Err(self.syntax_error());
        }
        self.skip()?;
        Ok(())
    }

    fn finish_drop(
        &mut self,
        remove_type: ObjectType,
        objects: Vec<ObjectRef>,
        missing_ok: bool,
        concurrent: bool,
    ) -> Result<Statement> {
        let behavior = self.opt_drop_behavior()?;
        Ok(Statement::Drop(Box::new(DropStmt { objects, remove_type, behavior, missing_ok, concurrent })))
    }

    /// DROP POLICY, RULE, TRIGGER: `name ON table`.
    fn drop_on_table(&mut self, kw: Kw) -> Result<Statement> {
        let missing_ok = self.if_exists()?;
        let name = self.col_id()?;
        self.expect_kw(Kw::On)?;
        let mut names = self.any_name()?;
        names.push(name);
        let kind = match kw {
            Kw::Policy => ObjectType::Policy,
            Kw::Rule => ObjectType::Rule,
            _ => ObjectType::Trigger,
        };
        self.finish_drop(kind, vec![ObjectRef::Name(names)], missing_ok, false)
    }

    fn drop_database(&mut self) -> Result<Statement> {
        let missing_ok = self.if_exists()?;
        let dbname = self.col_id()?;
        let with = self.opt_with()?;
        let mut options = Vec::new();
        if with || self.at(T::Char(b'(')) {
            options = self.paren_list(|p| {
                let at = p.expect_kw(Kw::Force)?;
                Ok(DefElem::new("force", None, at))
            })?;
        }
        Ok(Statement::DropDatabase(Box::new(DropdbStmt { dbname, missing_ok, options })))
    }
}
