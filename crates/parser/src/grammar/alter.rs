//! ALTER TABLE and its siblings for indexes, sequences, views, materialized views and foreign tables.

use super::Parser;
use crate::ast::{
    AlterObjectSchemaStmt, AlterSeqStmt, AlterTableCmd, AlterTableMoveAllStmt, AlterTableStmt, ConstrType,
    Constraint, DefArg, DefElem, DropBehavior, GeneratedWhen, ObjectType, RangeVar, RenameStmt,
    ReplicaIdentity, Statement, TriggerFires, TypeName,
};
use crate::keywords::Kw;
use crate::token::T;
use common::{Result, err};

impl Parser<'_> {
    /// Behind ALTER kind: everything there is for relations. `objtype` says which kind.
    pub(crate) fn alter_relation(&mut self, objtype: ObjectType) -> Result<Statement> {
        let all_allowed = matches!(objtype, ObjectType::Table | ObjectType::Index | ObjectType::MatView);
        if all_allowed && self.at_kw(Kw::All) {
            return self.move_all(objtype);
        }
        let missing_ok = self.if_exists()?;
        let expr = matches!(objtype, ObjectType::Table | ObjectType::ForeignTable);
        let relation = if expr { self.relation_expr()? } else { self.qualified_name()? };
        match self.kw() {
            Some(Kw::Rename) => return self.rename_relation(objtype, relation, missing_ok),
            Some(Kw::Set) if objtype != ObjectType::Index && self.peek_is_kw(Kw::Schema) => {
                self.skip()?;
                self.skip()?;
                let newschema = self.col_id()?;
                return Ok(Statement::AlterObjectSchema(Box::new(AlterObjectSchemaStmt {
                    object_type: objtype,
                    relation: Some(relation),
                    object: None,
                    newschema,
                    missing_ok,
                })));
            }
            Some(Kw::Depends | Kw::No)
                if matches!(objtype, ObjectType::Index | ObjectType::MatView)
                    && !missing_ok
                    && (self.at_kw(Kw::Depends) || self.peek_is_kw(Kw::Depends)) =>
            {
                return self.depends_on_extension(objtype, Some(relation), None);
            }
            _ => {}
        }
        if objtype == ObjectType::Sequence && self.at_sequence_option() {
            let options = self.sequence_options()?;
            return Ok(Statement::AlterSequence(Box::new(AlterSeqStmt {
                sequence: relation,
                options,
                missing_ok,
            })));
        }
        let cmds = self.alter_commands(objtype)?;
        Ok(Statement::AlterTable(Box::new(AlterTableStmt { relation, cmds, objtype, missing_ok })))
    }

    fn alter_commands(&mut self, objtype: ObjectType) -> Result<Vec<AlterTableCmd>> {
        let partitions = matches!(objtype, ObjectType::Table | ObjectType::Index);
        match self.kw() {
            Some(Kw::Attach) if partitions => {
                self.skip()?;
                self.expect_kw(Kw::Partition)?;
                let name = self.qualified_name()?;
                let bound = if objtype == ObjectType::Index { None } else { Some(self.partition_bound()?) };
                Ok(vec![AlterTableCmd::AttachPartition { name, bound }])
            }
            Some(Kw::Detach) if objtype == ObjectType::Table => {
                self.skip()?;
                self.expect_kw(Kw::Partition)?;
                let name = self.qualified_name()?;
                Ok(vec![match self.eat_one_of(&[Kw::Concurrently, Kw::Finalize])? {
                    Some(Kw::Finalize) => AlterTableCmd::DetachPartitionFinalize { name },
                    other => AlterTableCmd::DetachPartition { name, concurrent: other.is_some() },
                }])
            }
            _ => self.list(Self::alter_command),
        }
    }

    /// `ALL IN TABLESPACE name [OWNED BY roles] SET TABLESPACE name [NOWAIT]`
    fn move_all(&mut self, objtype: ObjectType) -> Result<Statement> {
        self.skip()?;
        self.expect_kws(&[Kw::In, Kw::Tablespace])?;
        let orig_tablespacename = self.col_id()?;
        let mut roles = Vec::new();
        if self.eat_kw(Kw::Owned)? {
            self.expect_kw(Kw::By)?;
            roles = self.role_list()?;
        }
        self.expect_kws(&[Kw::Set, Kw::Tablespace])?;
        let new_tablespacename = self.col_id()?;
        let nowait = self.eat_kw(Kw::Nowait)?;
        Ok(Statement::AlterTableMoveAll(Box::new(AlterTableMoveAllStmt {
            orig_tablespacename,
            objtype,
            roles,
            new_tablespacename,
            nowait,
        })))
    }

    fn rename_relation(
        &mut self,
        objtype: ObjectType,
        relation: RangeVar,
        missing_ok: bool,
    ) -> Result<Statement> {
        self.skip()?;
        let mut stmt = RenameStmt {
            rename_type: objtype,
            relation_type: None,
            relation: Some(relation),
            object: None,
            subname: None,
            newname: String::new(),
            behavior: DropBehavior::Restrict,
            missing_ok,
        };
        let columns = !matches!(objtype, ObjectType::Index | ObjectType::Sequence);
        if !self.at_kw(Kw::To) && columns {
            if objtype == ObjectType::Table && self.eat_kw(Kw::Constraint)? {
                stmt.rename_type = ObjectType::TabConstraint;
            } else {
                self.eat_kw(Kw::Column)?;
                stmt.rename_type = ObjectType::Column;
                stmt.relation_type = Some(objtype);
            }
            stmt.subname = Some(self.col_id()?);
        }
        self.expect_kw(Kw::To)?;
        stmt.newname = self.col_id()?;
        Ok(Statement::Rename(Box::new(stmt)))
    }

    fn alter_command(&mut self) -> Result<AlterTableCmd> {
        let Some(kw) = self.kw() else {
            return Err(self.syntax_error());
        };
        match kw {
            Kw::Add => {
                self.skip()?;
                if self.at_table_constraint() {
                    return Ok(AlterTableCmd::AddConstraint(Box::new(self.table_constraint()?)));
                }
                self.eat_kw(Kw::Column)?;
                let missing_ok = self.if_not_exists()?;
                let def = self.column_def()?;
                Ok(AlterTableCmd::AddColumn { def, missing_ok, behavior: DropBehavior::Restrict })
            }
            Kw::Alter => {
                self.skip()?;
                if self.eat_kw(Kw::Constraint)? {
                    return self.alter_constraint();
                }
                self.eat_kw(Kw::Column)?;
                self.alter_column()
            }
            Kw::Drop => {
                self.skip()?;
                let constraint = self.eat_kw(Kw::Constraint)?;
                if !constraint {
                    self.eat_kw(Kw::Column)?;
                }
                let missing_ok = self.if_exists()?;
                let name = self.col_id()?;
                let behavior = self.opt_drop_behavior()?;
                Ok(if constraint {
                    AlterTableCmd::DropConstraint { name, behavior, missing_ok }
                } else {
                    AlterTableCmd::DropColumn { name, behavior, missing_ok }
                })
            }
            Kw::Set => {
                self.skip()?;
                self.alter_set()
            }
            Kw::Options => Ok(AlterTableCmd::GenericOptions(self.alter_generic_options()?)),
            Kw::Validate => {
                self.skip()?;
                self.expect_kw(Kw::Constraint)?;
                Ok(AlterTableCmd::ValidateConstraint { name: self.col_id()? })
            }
            Kw::Cluster => {
                self.skip()?;
                self.expect_kw(Kw::On)?;
                Ok(AlterTableCmd::ClusterOn { name: self.col_id()? })
            }
            Kw::Enable => {
                self.skip()?;
                self.enable()
            }
            Kw::Disable => {
                self.skip()?;
                self.disable()
            }
            Kw::Force => {
                self.skip()?;
                self.expect_kws(&[Kw::Row, Kw::Level, Kw::Security])?;
                Ok(AlterTableCmd::ForceRowSecurity)
            }
            Kw::Inherit => {
                self.skip()?;
                Ok(AlterTableCmd::AddInherit(self.qualified_name()?))
            }
            Kw::No => {
                self.skip()?;
                if self.eat_kw(Kw::Force)? {
                    self.expect_kws(&[Kw::Row, Kw::Level, Kw::Security])?;
                    return Ok(AlterTableCmd::NoForceRowSecurity);
                }
                self.expect_kw(Kw::Inherit)?;
                Ok(AlterTableCmd::DropInherit(self.qualified_name()?))
            }
            Kw::Of => {
                self.skip()?;
                let location = self.tok.start;
                let names = self.any_name()?;
                Ok(AlterTableCmd::AddOf(TypeName { names, location, ..TypeName::default() }))
            }
            Kw::Not => {
                self.skip()?;
                self.expect_kw(Kw::Of)?;
                Ok(AlterTableCmd::DropOf)
            }
            Kw::Owner => {
                self.skip()?;
                self.expect_kw(Kw::To)?;
                Ok(AlterTableCmd::ChangeOwner(self.role_spec()?))
            }
            Kw::Reset => {
                self.skip()?;
                Ok(AlterTableCmd::ResetRelOptions(self.reloptions()?))
            }
            Kw::Replica => {
                self.skip()?;
                self.expect_kw(Kw::Identity)?;
                self.replica_identity()
            }
            _ => Err(self.syntax_error()),
        }
    }

    fn alter_set(&mut self) -> Result<AlterTableCmd> {
        if self.at_char(b'(') {
            return Ok(AlterTableCmd::SetRelOptions(self.reloptions()?));
        }
        match self.eat_one_of(&[Kw::Logged, Kw::Unlogged, Kw::Without, Kw::Access, Kw::Tablespace])? {
            Some(Kw::Logged) => Ok(AlterTableCmd::SetLogged),
            Some(Kw::Unlogged) => Ok(AlterTableCmd::SetUnLogged),
            Some(Kw::Without) => match self.eat_one_of(&[Kw::Oids, Kw::Cluster])? {
                Some(Kw::Oids) => Ok(AlterTableCmd::DropOids),
                Some(_) => Ok(AlterTableCmd::DropCluster),
                None => Err(self.syntax_error()),
            },
            Some(Kw::Access) => {
                self.expect_kw(Kw::Method)?;
                Ok(AlterTableCmd::SetAccessMethod { name: self.col_id()? })
            }
            Some(_) => Ok(AlterTableCmd::SetTableSpace { name: self.col_id()? }),
            None => Err(self.syntax_error()),
        }
    }

    fn enable(&mut self) -> Result<AlterTableCmd> {
        if self.eat_kw(Kw::Row)? {
            self.expect_kws(&[Kw::Level, Kw::Security])?;
            return Ok(AlterTableCmd::EnableRowSecurity);
        }
        let fires = match self.eat_one_of(&[Kw::Always, Kw::Replica])? {
            Some(Kw::Always) => TriggerFires::Always,
            Some(_) => TriggerFires::Replica,
            None => TriggerFires::Origin,
        };
        match self.eat_one_of(&[Kw::Trigger, Kw::Rule])? {
            Some(Kw::Trigger) => {
                if fires == TriggerFires::Origin {
                    match self.eat_one_of(&[Kw::All, Kw::User])? {
                        Some(Kw::All) => return Ok(AlterTableCmd::EnableTrigAll),
                        Some(_) => return Ok(AlterTableCmd::EnableTrigUser),
                        None => {}
                    }
                }
                Ok(AlterTableCmd::EnableTrig { name: self.col_id()?, fires })
            }
            Some(_) => Ok(AlterTableCmd::EnableRule { name: self.col_id()?, fires }),
            None => Err(self.syntax_error()),
        }
    }

    fn disable(&mut self) -> Result<AlterTableCmd> {
        match self.eat_one_of(&[Kw::Row, Kw::Trigger, Kw::Rule])? {
            Some(Kw::Row) => {
                self.expect_kws(&[Kw::Level, Kw::Security])?;
                Ok(AlterTableCmd::DisableRowSecurity)
            }
            Some(Kw::Trigger) => match self.eat_one_of(&[Kw::All, Kw::User])? {
                Some(Kw::All) => Ok(AlterTableCmd::DisableTrigAll),
                Some(_) => Ok(AlterTableCmd::DisableTrigUser),
                None => Ok(AlterTableCmd::DisableTrig { name: self.col_id()? }),
            },
            Some(_) => Ok(AlterTableCmd::DisableRule { name: self.col_id()? }),
            None => Err(self.syntax_error()),
        }
    }

    fn replica_identity(&mut self) -> Result<AlterTableCmd> {
        let identity = match self.eat_one_of(&[Kw::Nothing, Kw::Full, Kw::Default, Kw::Using])? {
            Some(Kw::Nothing) => ReplicaIdentity::Nothing,
            Some(Kw::Full) => ReplicaIdentity::Full,
            Some(Kw::Default) => ReplicaIdentity::Default,
            Some(_) => {
                self.expect_kw(Kw::Index)?;
                ReplicaIdentity::Index(self.col_id()?)
            }
            None => return Err(self.syntax_error()),
        };
        Ok(AlterTableCmd::ReplicaIdentity(identity))
    }

    fn alter_constraint(&mut self) -> Result<AlterTableCmd> {
        let conname = Some(self.col_id()?);
        let location = self.tok.start;
        // NOT VALID says nothing about a constraint that is there.
        let initially_valid = true;
        let mut c = Constraint {
            contype: ConstrType::Foreign,
            conname,
            location,
            initially_valid,
            ..Constraint::default()
        };
        self.constraint_attributes(&mut c, "FOREIGN KEY")?;
        Ok(AlterTableCmd::AlterConstraint(Box::new(c)))
    }

    /// Behind ALTER [COLUMN].
    fn alter_column(&mut self) -> Result<AlterTableCmd> {
        if self.at(T::IConst) {
            let at = self.tok.start;
            let number = self.iconst()?;
            self.expect_kws(&[Kw::Set, Kw::Statistics])?;
            let value = self.signed_iconst()?;
            let Ok(num) = i16::try_from(number) else {
                let message = format!("column number must be in range from 1 to {}", i16::MAX);
                return Err(err!(INVALID_PARAMETER_VALUE, "{message}").at(at));
            };
            if num <= 0 {
                let message = format!("column number must be in range from 1 to {}", i16::MAX);
                return Err(err!(INVALID_PARAMETER_VALUE, "{message}").at(at));
            }
            return Ok(AlterTableCmd::SetStatistics { name: None, num, value });
        }
        let location = self.tok.start;
        let name = self.col_id()?;
        match self.kw() {
            Some(Kw::Options) => {
                let options = self.alter_generic_options()?;
                Ok(AlterTableCmd::AlterColumnGenericOptions { name, options })
            }
            Some(Kw::Type) => self.alter_column_type(name, location),
            Some(Kw::Set) if self.peek_is_kw(Kw::Data) => {
                self.skip()?;
                self.skip()?;
                self.alter_column_type(name, location)
            }
            Some(Kw::Reset) => {
                self.skip()?;
                self.alter_column_reset(name)
            }
            Some(Kw::Restart) => self.alter_identity(name),
            Some(Kw::Drop) => {
                self.skip()?;
                self.alter_column_drop(name)
            }
            Some(Kw::Add) => {
                let at = self.skip()?;
                self.expect_kw(Kw::Generated)?;
                let generated_when = self.generated_when()?;
                self.expect_kws(&[Kw::As, Kw::Identity])?;
                let options = self.opt_paren_sequence_options()?;
                let def = Box::new(Constraint {
                    contype: ConstrType::Identity,
                    generated_when,
                    options,
                    location: at,
                    ..Constraint::default()
                });
                Ok(AlterTableCmd::AddIdentity { name, def })
            }
            Some(Kw::Set) => self.alter_column_set(name),
            _ => Err(self.syntax_error()),
        }
    }

    fn alter_column_reset(&mut self, name: String) -> Result<AlterTableCmd> {
        let options = self.reloptions()?;
        Ok(AlterTableCmd::ResetOptions { name, options })
    }

    fn alter_column_type(&mut self, name: String, location: usize) -> Result<AlterTableCmd> {
        self.expect_kw(Kw::Type)?;
        let type_name = self.type_name()?;
        let coll_clause = self.opt_collate()?;
        let using = if self.eat_kw(Kw::Using)? { Some(self.a_expr()?) } else { None };
        let behavior = DropBehavior::Restrict;
        Ok(AlterTableCmd::AlterColumnType { name, type_name, coll_clause, using, behavior, location })
    }

    fn alter_column_drop(&mut self, name: String) -> Result<AlterTableCmd> {
        match self.eat_one_of(&[Kw::Default, Kw::Not, Kw::Expression, Kw::Identity])? {
            Some(Kw::Default) => Ok(AlterTableCmd::ColumnDefault { name, default: None }),
            Some(Kw::Not) => {
                self.expect_kw(Kw::Null)?;
                Ok(AlterTableCmd::DropNotNull { name })
            }
            Some(Kw::Expression) => {
                let missing_ok = self.if_exists_only()?;
                Ok(AlterTableCmd::DropExpression { name, missing_ok })
            }
            Some(_) => {
                let missing_ok = self.if_exists_only()?;
                Ok(AlterTableCmd::DropIdentity { name, missing_ok })
            }
            None => Err(self.syntax_error()),
        }
    }

    fn alter_column_set(&mut self, name: String) -> Result<AlterTableCmd> {
        match self.peek() {
            T::Kw(Kw::Default) => {
                self.skip()?;
                self.skip()?;
                let default = Some(self.a_expr()?);
                Ok(AlterTableCmd::ColumnDefault { name, default })
            }
            T::Kw(Kw::Not) => {
                self.skip()?;
                self.skip()?;
                self.expect_kw(Kw::Null)?;
                Ok(AlterTableCmd::SetNotNull { name })
            }
            T::Kw(Kw::Statistics) => {
                self.skip()?;
                self.skip()?;
                let value = self.signed_iconst()?;
                Ok(AlterTableCmd::SetStatistics { name: Some(name), num: 0, value })
            }
            T::Kw(Kw::Storage) => {
                self.skip()?;
                self.skip()?;
                let storage = self.col_id()?;
                Ok(AlterTableCmd::SetStorage { name, storage })
            }
            T::Kw(Kw::Compression) => {
                self.skip()?;
                self.skip()?;
                let method = self.compression_method()?;
                Ok(AlterTableCmd::SetCompression { name, method })
            }
            T::Char(b'(') => {
                self.skip()?;
                let options = self.reloptions()?;
                Ok(AlterTableCmd::SetOptions { name, options })
            }
            _ => self.alter_identity(name),
        }
    }

    /// RESTART, SET GENERATED, SET sequence option; any number.
    fn alter_identity(&mut self, name: String) -> Result<AlterTableCmd> {
        let mut options = Vec::new();
        while options.is_empty() || matches!(self.kw(), Some(Kw::Restart | Kw::Set)) {
            if self.at_kw(Kw::Restart) {
                options.push(self.sequence_option()?);
                continue;
            }
            self.expect_kw(Kw::Set)?;
            let at = self.tok.start;
            if self.eat_kw(Kw::Generated)? {
                let letter = match self.generated_when()? {
                    GeneratedWhen::Always => "a",
                    GeneratedWhen::ByDefault => "d",
                };
                options.push(DefElem::new("generated", Some(DefArg::String(letter.to_string())), at));
            } else {
                let option = self.sequence_option()?;
                if matches!(option.defname.as_str(), "as" | "restart" | "owned_by") {
                    let shown = option.defname.as_str();
                    return Err(err!(SYNTAX_ERROR, "sequence option \"{shown}\" not supported here").at(at));
                }
                options.push(option);
            }
        }
        Ok(AlterTableCmd::SetIdentity { name, options })
    }

    /// ALTER TYPE of a composite type: ADD, DROP, ALTER ATTRIBUTE.
    pub(crate) fn alter_attributes(&mut self, relation: RangeVar) -> Result<Statement> {
        let cmds = self.list(|p| {
            let kw = p.eat_one_of(&[Kw::Add, Kw::Drop, Kw::Alter])?;
            if kw.is_none() {
                return Err(p.syntax_error());
            }
            p.expect_kw(Kw::Attribute)?;
            match kw {
                Some(Kw::Add) => {
                    let def = p.attribute_def()?;
                    let behavior = p.opt_drop_behavior()?;
                    Ok(AlterTableCmd::AddColumn { def, missing_ok: false, behavior })
                }
                Some(Kw::Drop) => {
                    let missing_ok = p.if_exists()?;
                    let name = p.col_id()?;
                    let behavior = p.opt_drop_behavior()?;
                    Ok(AlterTableCmd::DropColumn { name, behavior, missing_ok })
                }
                _ => {
                    let location = p.tok.start;
                    let name = p.col_id()?;
                    if p.eat_kw(Kw::Set)? {
                        p.expect_kw(Kw::Data)?;
                    }
                    p.expect_kw(Kw::Type)?;
                    let type_name = p.type_name()?;
                    let coll_clause = p.opt_collate()?;
                    let behavior = p.opt_drop_behavior()?;
                    let using = None;
                    Ok(AlterTableCmd::AlterColumnType {
                        name,
                        type_name,
                        coll_clause,
                        using,
                        behavior,
                        location,
                    })
                }
            }
        })?;
        let objtype = ObjectType::Type;
        Ok(Statement::AlterTable(Box::new(AlterTableStmt { relation, cmds, objtype, missing_ok: false })))
    }
}
