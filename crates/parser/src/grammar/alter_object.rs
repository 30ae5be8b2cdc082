//! ALTER of everything that is not a relation: dispatch, and the forms that most kinds share (RENAME TO, OWNER TO,
//! SET SCHEMA, DEPENDS ON EXTENSION).

use super::Parser;
use super::admin::rename_simple;
use super::object::routine_kind;
use crate::ast::{
    AlterCollationStmt, AlterEventTrigStmt, AlterObjectDependsStmt, AlterObjectSchemaStmt, AlterOwnerStmt,
    DropBehavior, ObjectRef, ObjectType, RangeVar, RenameStmt, Statement, TriggerFires,
};
use crate::keywords::Kw;
use common::Result;

/// Which of the shared forms a kind of object has.
#[derive(Clone, Copy)]
pub(crate) struct Forms {
    pub(crate) rename: bool,
    pub(crate) owner: bool,
    pub(crate) schema: bool,
}

/// All three.
pub(crate) const ALL_FORMS: Forms = Forms { rename: true, owner: true, schema: true };
const RENAME_OWNER: Forms = Forms { rename: true, owner: true, schema: false };

impl Parser<'_> {
    pub(crate) fn alter_stmt(&mut self) -> Result<Statement> {
        self.skip()?;
        let Some(kw) = self.kw() else {
            return Err(self.syntax_error());
        };
        match kw {
            Kw::Table | Kw::Index | Kw::Sequence | Kw::View => {
                self.skip()?;
                self.alter_relation(match kw {
                    Kw::Table => ObjectType::Table,
                    Kw::Index => ObjectType::Index,
                    Kw::Sequence => ObjectType::Sequence,
                    _ => ObjectType::View,
                })
            }
            Kw::Materialized => {
                self.skip()?;
                self.expect_kw(Kw::View)?;
                self.alter_relation(ObjectType::MatView)
            }
            Kw::Foreign => {
                self.skip()?;
                if self.eat_kw(Kw::Table)? {
                    return self.alter_relation(ObjectType::ForeignTable);
                }
                self.expect_kws(&[Kw::Data, Kw::Wrapper])?;
                self.alter_fdw()
            }
            Kw::Default => {
                self.skip()?;
                self.alter_default_privileges()
            }
            Kw::Role | Kw::User => {
                self.skip()?;
                if kw == Kw::User && self.at_kw(Kw::Mapping) && self.peek_is_kw(Kw::For) {
                    return self.alter_user_mapping();
                }
                self.alter_role()
            }
            Kw::Group => {
                self.skip()?;
                self.alter_group()
            }
            Kw::Database => {
                self.skip()?;
                self.alter_database()
            }
            Kw::System => {
                self.skip()?;
                self.alter_system()
            }
            Kw::Tablespace => {
                self.skip()?;
                self.alter_tablespace()
            }
            Kw::Type => {
                self.skip()?;
                self.alter_type()
            }
            Kw::Domain => {
                self.skip()?;
                self.alter_domain()
            }
            Kw::Function | Kw::Procedure | Kw::Routine => {
                self.skip()?;
                self.alter_routine(routine_kind(kw))
            }
            Kw::Operator => {
                self.skip()?;
                self.alter_operator()
            }
            Kw::Text => {
                self.skip()?;
                self.expect_kw(Kw::Search)?;
                self.alter_text_search()
            }
            Kw::Extension => {
                self.skip()?;
                self.alter_extension()
            }
            Kw::Server => {
                self.skip()?;
                self.alter_server()
            }
            Kw::Publication => {
                self.skip()?;
                self.alter_publication()
            }
            Kw::Subscription => {
                self.skip()?;
                self.alter_subscription()
            }
            _ => self.alter_simple(kw),
        }
    }

    /// Kinds that have little more than the shared forms.
    fn alter_simple(&mut self, kw: Kw) -> Result<Statement> {
        match kw {
            Kw::Aggregate => {
                self.skip()?;
                let object = ObjectRef::WithArgs(self.aggregate_with_args()?);
                self.shared_form(ObjectType::Aggregate, object, ALL_FORMS)
            }
            Kw::Collation => {
                self.skip()?;
                let collname = self.any_name()?;
                if self.eat_kw(Kw::Refresh)? {
                    self.expect_kw(Kw::Version)?;
                    return Ok(Statement::AlterCollation(AlterCollationStmt { collname }));
                }
                self.shared_form(ObjectType::Collation, ObjectRef::Name(collname), ALL_FORMS)
            }
            Kw::Conversion => {
                self.skip()?;
                let name = self.any_name()?;
                self.shared_form(ObjectType::Conversion, ObjectRef::Name(name), ALL_FORMS)
            }
            Kw::Statistics => {
                self.skip()?;
                let missing_ok = self.if_exists()?;
                let name = self.any_name()?;
                if missing_ok || (self.at_kw(Kw::Set) && self.peek_is_kw(Kw::Statistics)) {
                    self.expect_kw(Kw::Set)?;
                    return self.alter_statistics_target(name, missing_ok);
                }
                self.shared_form(ObjectType::Statistic, ObjectRef::Name(name), ALL_FORMS)
            }
            Kw::Schema => {
                self.skip()?;
                let name = self.col_id()?;
                if self.eat_kw(Kw::Rename)? {
                    self.expect_kw(Kw::To)?;
                    return Ok(rename_simple(ObjectType::Schema, name, self.col_id()?));
                }
                self.shared_form(ObjectType::Schema, ObjectRef::Name(vec![name]), RENAME_OWNER)
            }
            Kw::Procedural | Kw::Language => {
                if self.eat_kw(Kw::Procedural)? {
                    self.expect_kw(Kw::Language)?;
                } else {
                    self.skip()?;
                }
                let name = self.col_id()?;
                self.shared_form(ObjectType::Language, ObjectRef::Name(vec![name]), RENAME_OWNER)
            }
            Kw::Event => {
                self.skip()?;
                self.expect_kw(Kw::Trigger)?;
                self.alter_event_trigger()
            }
            Kw::Large => {
                self.skip()?;
                self.expect_kw(Kw::Object)?;
                let object = ObjectRef::LargeObject(self.large_object_id()?);
                let only_owner = Forms { rename: false, owner: true, schema: false };
                self.shared_form(ObjectType::LargeObject, object, only_owner)
            }
            Kw::Policy | Kw::Rule | Kw::Trigger => {
                self.skip()?;
                self.alter_on_table(kw)
            }
            _ => Err(self.syntax_error()),
        }
    }

    /// RENAME TO, OWNER TO or SET SCHEMA behind an object.
    pub(crate) fn shared_form(
        &mut self,
        kind: ObjectType,
        object: ObjectRef,
        forms: Forms,
    ) -> Result<Statement> {
        match self.kw() {
            Some(Kw::Rename) if forms.rename => {
                self.skip()?;
                self.expect_kw(Kw::To)?;
                let newname = self.col_id()?;
                Ok(Statement::Rename(Box::new(RenameStmt {
                    rename_type: kind,
                    relation_type: None,
                    relation: None,
                    object: Some(object),
                    subname: None,
                    newname,
                    behavior: DropBehavior::Restrict,
                    missing_ok: false,
                })))
            }
            Some(Kw::Owner) if forms.owner => {
                self.skip()?;
                self.expect_kw(Kw::To)?;
                let newowner = self.role_spec()?;
                Ok(Statement::AlterOwner(Box::new(AlterOwnerStmt { object_type: kind, object, newowner })))
            }
            Some(Kw::Set) if forms.schema => {
                self.skip()?;
                self.expect_kw(Kw::Schema)?;
                let newschema = self.col_id()?;
                Ok(Statement::AlterObjectSchema(Box::new(AlterObjectSchemaStmt {
                    object_type: kind,
                    relation: None,
                    object: Some(object),
                    newschema,
                    missing_ok: false,
                })))
            }
            _ => Err(self.syntax_error()),
        }
    }

    /// `[NO] DEPENDS ON EXTENSION name`
    pub(crate) fn depends_on_extension(
        &mut self,
        object_type: ObjectType,
        relation: Option<RangeVar>,
        object: Option<ObjectRef>,
    ) -> Result<Statement> {
        let remove = self.eat_kw(Kw::No)?;
        self.expect_kws(&[Kw::Depends, Kw::On, Kw::Extension])?;
        let extname = self.col_id()?;
        let stmt = AlterObjectDependsStmt { object_type, relation, object, extname, remove };
        Ok(Statement::AlterObjectDepends(Box::new(stmt)))
    }

    fn alter_event_trigger(&mut self) -> Result<Statement> {
        let trigname = self.col_id()?;
        let fires = match self.eat_one_of(&[Kw::Enable, Kw::Disable])? {
            Some(Kw::Enable) => match self.eat_one_of(&[Kw::Replica, Kw::Always])? {
                Some(Kw::Replica) => TriggerFires::Replica,
                Some(_) => TriggerFires::Always,
                None => TriggerFires::Origin,
            },
            Some(_) => TriggerFires::Disabled,
            None => {
                let object = ObjectRef::Name(vec![trigname]);
                return self.shared_form(ObjectType::EventTrigger, object, RENAME_OWNER);
            }
        };
        Ok(Statement::AlterEventTrigger(AlterEventTrigStmt { trigname, fires }))
    }

    /// ALTER POLICY, RULE, TRIGGER: `name ON table …`
    fn alter_on_table(&mut self, kw: Kw) -> Result<Statement> {
        let missing_ok = kw == Kw::Policy && self.if_exists()?;
        let name = self.col_id()?;
        self.expect_kw(Kw::On)?;
        let table = self.qualified_name()?;
        if kw == Kw::Policy && !missing_ok && !self.at_kw(Kw::Rename) {
            return self.alter_policy(name, table);
        }
        if kw == Kw::Trigger && (self.at_kw(Kw::Depends) || self.at_kw(Kw::No)) {
            let object = ObjectRef::Name(vec![name]);
            return self.depends_on_extension(ObjectType::Trigger, Some(table), Some(object));
        }
        self.expect_kws(&[Kw::Rename, Kw::To])?;
        let newname = self.col_id()?;
        let rename_type = match kw {
            Kw::Policy => ObjectType::Policy,
            Kw::Rule => ObjectType::Rule,
            _ => ObjectType::Trigger,
        };
        Ok(Statement::Rename(Box::new(RenameStmt {
            rename_type,
            relation_type: None,
            relation: Some(table),
            object: None,
            subname: Some(name),
            newname,
            behavior: DropBehavior::Restrict,
            missing_ok,
        })))
    }
}
