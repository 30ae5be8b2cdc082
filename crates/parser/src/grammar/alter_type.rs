//! ALTER TYPE (enum, composite, base) and ALTER DOMAIN.

use super::Parser;
use super::alter_object::ALL_FORMS;
use super::name::range_var_from_names;
use crate::ast::{
    AlterDomainCmd, AlterDomainStmt, AlterEnumStmt, AlterTypeStmt, DropBehavior, ObjectRef, ObjectType,
    RenameStmt, Statement, TypeName,
};
use crate::keywords::Kw;
use crate::token::T;
use common::Result;

impl Parser<'_> {
    /// ALTER TYPE; TYPE has been read.
    pub(crate) fn alter_type(&mut self) -> Result<Statement> {
        let location = self.tok.start;
        let type_name = self.any_name()?;
        match (self.kw(), self.peek()) {
            (Some(Kw::Add), T::Kw(Kw::Value)) => self.add_enum_value(type_name),
            (Some(Kw::Rename), T::Kw(Kw::Value)) => {
                self.skip()?;
                self.skip()?;
                let old_val = Some(self.sconst()?);
                self.expect_kw(Kw::To)?;
                let new_val = self.sconst()?;
                Ok(Statement::AlterEnum(AlterEnumStmt {
                    type_name,
                    old_val,
                    new_val,
                    new_val_neighbor: None,
                    new_val_is_after: false,
                    skip_if_new_val_exists: false,
                }))
            }
            (Some(Kw::Rename), T::Kw(Kw::Attribute)) => {
                self.skip()?;
                self.skip()?;
                let subname = Some(self.col_id()?);
                self.expect_kw(Kw::To)?;
                let newname = self.col_id()?;
                let behavior = self.opt_drop_behavior()?;
                let relation = Some(range_var_from_names(type_name, location)?);
                Ok(Statement::Rename(Box::new(RenameStmt {
                    rename_type: ObjectType::Attribute,
                    relation_type: Some(ObjectType::Type),
                    relation,
                    object: None,
                    subname,
                    newname,
                    behavior,
                    missing_ok: false,
                })))
            }
            (Some(Kw::Set), T::Char(b'(')) => {
                self.skip()?;
                let options = self.operator_definition()?;
                Ok(Statement::AlterType(Box::new(AlterTypeStmt { type_name, options })))
            }
            (Some(Kw::Add | Kw::Drop | Kw::Alter), _) => {
                let relation = range_var_from_names(type_name, location)?;
                self.alter_attributes(relation)
            }
            _ => self.shared_form(ObjectType::Type, type_object(type_name, location), ALL_FORMS),
        }
    }

    fn add_enum_value(&mut self, type_name: Vec<String>) -> Result<Statement> {
        self.skip()?;
        self.skip()?;
        let skip_if_new_val_exists = self.if_not_exists_only()?;
        let new_val = self.sconst()?;
        let (mut new_val_neighbor, mut new_val_is_after) = (None, true);
        if let Some(kw) = self.eat_one_of(&[Kw::Before, Kw::After])? {
            new_val_is_after = kw == Kw::After;
            new_val_neighbor = Some(self.sconst()?);
        }
        Ok(Statement::AlterEnum(AlterEnumStmt {
            type_name,
            old_val: None,
            new_val,
            new_val_neighbor,
            new_val_is_after,
            skip_if_new_val_exists,
        }))
    }

    /// ALTER DOMAIN; DOMAIN has been read.
    pub(crate) fn alter_domain(&mut self) -> Result<Statement> {
        let location = self.tok.start;
        let type_name = self.any_name()?;
        let cmd = match (self.kw(), self.peek()) {
            (Some(Kw::Set), T::Kw(Kw::Default)) => {
                self.skip()?;
                self.skip()?;
                AlterDomainCmd::Default(Some(self.a_expr()?))
            }
            (Some(Kw::Set), T::Kw(Kw::Not)) => {
                self.skip()?;
                self.expect_kws(&[Kw::Not, Kw::Null])?;
                AlterDomainCmd::SetNotNull
            }
            (Some(Kw::Drop), _) => {
                self.skip()?;
                self.domain_drop()?
            }
            (Some(Kw::Add), _) => {
                self.skip()?;
                AlterDomainCmd::AddConstraint(Box::new(self.table_constraint()?))
            }
            (Some(Kw::Validate), _) => {
                self.skip()?;
                self.expect_kw(Kw::Constraint)?;
                AlterDomainCmd::ValidateConstraint { name: self.col_id()? }
            }
            (Some(Kw::Rename), T::Kw(Kw::Constraint)) => {
                self.skip()?;
                self.skip()?;
                let subname = Some(self.col_id()?);
                self.expect_kw(Kw::To)?;
                let newname = self.col_id()?;
                return Ok(Statement::Rename(Box::new(RenameStmt {
                    rename_type: ObjectType::DomConstraint,
                    relation_type: None,
                    relation: None,
                    object: Some(ObjectRef::Name(type_name)),
                    subname,
                    newname,
                    behavior: DropBehavior::Restrict,
                    missing_ok: false,
                })));
            }
            _ => return self.shared_form(ObjectType::Domain, type_object(type_name, location), ALL_FORMS),
        };
        Ok(Statement::AlterDomain(Box::new(AlterDomainStmt { type_name, cmd })))
    }

    fn domain_drop(&mut self) -> Result<AlterDomainCmd> {
        match self.eat_one_of(&[Kw::Default, Kw::Not, Kw::Constraint])? {
            Some(Kw::Default) => Ok(AlterDomainCmd::Default(None)),
            Some(Kw::Not) => {
                self.expect_kw(Kw::Null)?;
                Ok(AlterDomainCmd::DropNotNull)
            }
            Some(_) => {
                let missing_ok = self.if_exists()?;
                let name = self.col_id()?;
                let behavior = self.opt_drop_behavior()?;
                Ok(AlterDomainCmd::DropConstraint { name, behavior, missing_ok })
            }
            None => Err(self.syntax_error()),
        }
    }
}

fn type_object(names: Vec<String>, location: usize) -> ObjectRef {
    ObjectRef::Type(TypeName { names, location, ..TypeName::default() })
}
