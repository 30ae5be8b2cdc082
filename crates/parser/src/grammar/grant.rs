//! GRANT and REVOKE of privileges and roles, ALTER DEFAULT PRIVILEGES.

use super::Parser;
use super::name::is_col_id;
use crate::ast::{
    AccessPriv, AlterDefaultPrivilegesStmt, DefArg, DefElem, DropBehavior, GrantObjects, GrantRoleStmt,
    GrantStmt, GrantTargetType, ObjectType, RoleSpec, Statement,
};
use crate::keywords::Kw;
use common::Result;

/// What stands between the privileges and the grantees.
struct Target {
    targtype: GrantTargetType,
    objtype: ObjectType,
    objects: GrantObjects,
}

impl Parser<'_> {
    pub(crate) fn grant_stmt(&mut self) -> Result<Statement> {
        self.skip()?;
        let privileges = self.privileges()?;
        let roles = privileges.first().is_some_and(|p| p.priv_name.is_some());
        if !self.at_kw(Kw::On) && roles {
            return self.grant_role(privileges);
        }
        self.expect_kw(Kw::On)?;
        let target = self.grant_target()?;
        self.expect_kw(Kw::To)?;
        let grantees = self.grantees()?;
        let mut grant_option = false;
        if self.eat_kw(Kw::With)? {
            self.expect_kws(&[Kw::Grant, Kw::Option])?;
            grant_option = true;
        }
        let grantor = self.opt_granted_by()?;
        Ok(Statement::Grant(Box::new(GrantStmt {
            is_grant: true,
            targtype: target.targtype,
            objtype: target.objtype,
            objects: target.objects,
            privileges,
            grantees,
            grant_option,
            grantor,
            behavior: DropBehavior::Restrict,
        })))
    }

    pub(crate) fn revoke_stmt(&mut self) -> Result<Statement> {
        self.skip()?;
        let mut admin = false;
        let mut grant_option = false;
        if self.at_kw(Kw::Grant) {
            self.skip()?;
            self.expect_kws(&[Kw::Option, Kw::For])?;
            grant_option = true;
        } else if self.at_kw(Kw::Admin) && self.peek_is_kw(Kw::Option) {
            self.skip()?;
            self.skip()?;
            self.expect_kw(Kw::For)?;
            admin = true;
        }
        let privileges = self.privileges()?;
        let roles = privileges.first().is_some_and(|p| p.priv_name.is_some());
        if admin || (!grant_option && !self.at_kw(Kw::On) && roles) {
            return self.revoke_role(privileges, admin);
        }
        self.expect_kw(Kw::On)?;
        let target = self.grant_target()?;
        self.expect_kw(Kw::From)?;
        let grantees = self.grantees()?;
        let grantor = self.opt_granted_by()?;
        let behavior = self.opt_drop_behavior()?;
        Ok(Statement::Grant(Box::new(GrantStmt {
            is_grant: false,
            targtype: target.targtype,
            objtype: target.objtype,
            objects: target.objects,
            privileges,
            grantees,
            grant_option,
            grantor,
            behavior,
        })))
    }

    fn grant_role(&mut self, granted_roles: Vec<AccessPriv>) -> Result<Statement> {
        self.expect_kw(Kw::To)?;
        let grantee_roles = self.role_list()?;
        let mut admin_opt = false;
        if self.eat_kw(Kw::With)? {
            self.expect_kws(&[Kw::Admin, Kw::Option])?;
            admin_opt = true;
        }
        let grantor = self.opt_granted_by()?;
        Ok(Statement::GrantRole(Box::new(GrantRoleStmt {
            granted_roles,
            grantee_roles,
            is_grant: true,
            admin_opt,
            grantor,
            behavior: DropBehavior::Restrict,
        })))
    }

    fn revoke_role(&mut self, granted_roles: Vec<AccessPriv>, admin_opt: bool) -> Result<Statement> {
        self.expect_kw(Kw::From)?;
        let grantee_roles = self.role_list()?;
        let grantor = self.opt_granted_by()?;
        let behavior = self.opt_drop_behavior()?;
        Ok(Statement::GrantRole(Box::new(GrantRoleStmt {
            granted_roles,
            grantee_roles,
            is_grant: false,
            admin_opt,
            grantor,
            behavior,
        })))
    }

    fn opt_granted_by(&mut self) -> Result<Option<RoleSpec>> {
        if !self.eat_kw(Kw::Granted)? {
            return Ok(None);
        }
        self.expect_kw(Kw::By)?;
        Ok(Some(self.role_spec()?))
    }

    /// Empty for ALL [PRIVILEGES] without columns.
    fn privileges(&mut self) -> Result<Vec<AccessPriv>> {
        if self.eat_kw(Kw::All)? {
            self.eat_kw(Kw::Privileges)?;
            if self.at_char(b'(') {
                let cols = self.paren_list(Self::col_id)?;
                return Ok(vec![AccessPriv { priv_name: None, cols }]);
            }
            return Ok(Vec::new());
        }
        self.list(Self::privilege)
    }

    fn privilege(&mut self) -> Result<AccessPriv> {
        if self.at_kw(Kw::Alter) && self.peek_is_kw(Kw::System) {
            self.skip()?;
            self.skip()?;
            return Ok(AccessPriv { priv_name: Some("alter system".to_string()), cols: Vec::new() });
        }
        let keyword = matches!(self.kw(), Some(Kw::Select | Kw::References | Kw::Create));
        let priv_name = Some(if keyword { self.word()? } else { self.col_id()? });
        let cols = self.opt_column_list()?;
        Ok(AccessPriv { priv_name, cols })
    }

    /// Behind ON.
    fn grant_target(&mut self) -> Result<Target> {
        use GrantObjects::{Functions, Names, Relations, Simple};
        let object = |objtype, objects| Ok(Target { targtype: GrantTargetType::Object, objtype, objects });
        match self.kw() {
            Some(Kw::Table) => {
                self.skip()?;
                object(ObjectType::Table, Relations(self.qualified_name_list()?))
            }
            Some(Kw::All) => self.all_in_schema(),
            Some(Kw::Sequence) if is_col_id(self.peek()) => {
                self.skip()?;
                object(ObjectType::Sequence, Relations(self.qualified_name_list()?))
            }
            Some(Kw::Foreign) => {
                self.skip()?;
                if self.eat_kw(Kw::Server)? {
                    return object(ObjectType::ForeignServer, Simple(self.name_list()?));
                }
                self.expect_kws(&[Kw::Data, Kw::Wrapper])?;
                object(ObjectType::Fdw, Simple(self.name_list()?))
            }
            Some(kw @ (Kw::Function | Kw::Procedure | Kw::Routine)) if self.peek_is_name() => {
                self.skip()?;
                let functions = self.list(Self::function_with_args)?;
                object(super::object::routine_kind(kw), Functions(functions))
            }
            Some(Kw::Database) if is_col_id(self.peek()) => {
                self.skip()?;
                object(ObjectType::Database, Simple(self.name_list()?))
            }
            Some(Kw::Domain) if is_col_id(self.peek()) => {
                self.skip()?;
                object(ObjectType::Domain, Names(self.any_name_list()?))
            }
            Some(Kw::Type) if is_col_id(self.peek()) => {
                self.skip()?;
                object(ObjectType::Type, Names(self.any_name_list()?))
            }
            Some(Kw::Language) if is_col_id(self.peek()) => {
                self.skip()?;
                object(ObjectType::Language, Simple(self.name_list()?))
            }
            Some(Kw::Large) if self.peek_is_kw(Kw::Object) => {
                self.skip()?;
                self.skip()?;
                object(ObjectType::LargeObject, Simple(self.list(Self::large_object_id)?))
            }
            Some(Kw::Parameter) if is_col_id(self.peek()) => {
                self.skip()?;
                object(ObjectType::ParameterAcl, Simple(self.list(Self::var_name)?))
            }
            Some(Kw::Schema) if is_col_id(self.peek()) => {
                self.skip()?;
                object(ObjectType::Schema, Simple(self.name_list()?))
            }
            Some(Kw::Tablespace) if is_col_id(self.peek()) => {
                self.skip()?;
                object(ObjectType::TableSpace, Simple(self.name_list()?))
            }
            _ => object(ObjectType::Table, Relations(self.qualified_name_list()?)),
        }
    }

    fn peek_is_name(&mut self) -> bool {
        let next = self.peek();
        is_col_id(next) || super::name::is_type_function_name(next)
    }

    /// `ALL TABLES IN SCHEMA names`
    fn all_in_schema(&mut self) -> Result<Target> {
        self.skip()?;
        let objtype = match self.eat_one_of(&[
            Kw::Tables,
            Kw::Sequences,
            Kw::Functions,
            Kw::Procedures,
            Kw::Routines,
        ])? {
            Some(Kw::Tables) => ObjectType::Table,
            Some(Kw::Sequences) => ObjectType::Sequence,
            Some(Kw::Functions) => ObjectType::Function,
            Some(Kw::Procedures) => ObjectType::Procedure,
            Some(_) => ObjectType::Routine,
            None => return Err(self.syntax_error()),
        };
        self.expect_kws(&[Kw::In, Kw::Schema])?;
        let objects = GrantObjects::Simple(self.name_list()?);
        Ok(Target { targtype: GrantTargetType::AllInSchema, objtype, objects })
    }

    fn grantees(&mut self) -> Result<Vec<RoleSpec>> {
        self.list(|p| {
            if p.at_kw(Kw::Group) {
                p.skip()?;
            }
            p.role_spec()
        })
    }

    /// ALTER DEFAULT PRIVILEGES; ALTER DEFAULT has been read.
    pub(crate) fn alter_default_privileges(&mut self) -> Result<Statement> {
        self.expect_kw(Kw::Privileges)?;
        let mut options = Vec::new();
        loop {
            let at = self.tok.start;
            if self.eat_kw(Kw::In)? {
                self.expect_kw(Kw::Schema)?;
                let names = self.name_list()?.into_iter().map(DefArg::String).collect();
                options.push(DefElem::new("schemas", Some(DefArg::List(names)), at));
            } else if self.eat_kw(Kw::For)? {
                if self.eat_one_of(&[Kw::Role, Kw::User])?.is_none() {
                    return Err(self.syntax_error());
                }
                options.push(DefElem::new("roles", Some(DefArg::Roles(self.role_list()?)), at));
            } else {
                break;
            }
        }
        let action = self.default_action()?;
        let stmt = AlterDefaultPrivilegesStmt { options, action };
        Ok(Statement::AlterDefaultPrivileges(Box::new(stmt)))
    }

    fn default_action(&mut self) -> Result<GrantStmt> {
        let is_grant = match self.eat_one_of(&[Kw::Grant, Kw::Revoke])? {
            Some(kw) => kw == Kw::Grant,
            None => return Err(self.syntax_error()),
        };
        let mut grant_option = false;
        if !is_grant && self.eat_kw(Kw::Grant)? {
            self.expect_kws(&[Kw::Option, Kw::For])?;
            grant_option = true;
        }
        let privileges = self.privileges()?;
        self.expect_kw(Kw::On)?;
        let objtype = match self.eat_one_of(&[
            Kw::Tables,
            Kw::Functions,
            Kw::Routines,
            Kw::Sequences,
            Kw::Types,
            Kw::Schemas,
        ])? {
            Some(Kw::Tables) => ObjectType::Table,
            Some(Kw::Functions | Kw::Routines) => ObjectType::Function,
            Some(Kw::Sequences) => ObjectType::Sequence,
            Some(Kw::Types) => ObjectType::Type,
            Some(_) => ObjectType::Schema,
            None => return Err(self.syntax_error()),
        };
        self.expect_kw(if is_grant { Kw::To } else { Kw::From })?;
        let grantees = self.grantees()?;
        let mut behavior = DropBehavior::Restrict;
        if is_grant {
            if self.eat_kw(Kw::With)? {
                self.expect_kws(&[Kw::Grant, Kw::Option])?;
                grant_option = true;
            }
        } else {
            behavior = self.opt_drop_behavior()?;
        }
        Ok(GrantStmt {
            is_grant,
            targtype: GrantTargetType::Defaults,
            objtype,
            objects: GrantObjects::None,
            privileges,
            grantees,
            grant_option,
            grantor: None,
            behavior,
        })
    }
}
