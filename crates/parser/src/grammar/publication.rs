//! Publications and subscriptions.

use super::Parser;
use super::alter_object::Forms;
use crate::ast::{
    AlterPublicationStmt, AlterSubscriptionStmt, AlterSubscriptionType, CreatePublicationStmt,
    CreateSubscriptionStmt, DefArg, DefElem, DefElemAction, ObjectRef, ObjectType, PublicationObject,
    Statement,
};
use crate::keywords::Kw;
use common::{Error, Result, err};

const RENAME_OWNER: Forms = Forms { rename: true, owner: true, schema: false };

/// What the last keyword in a list of publication objects was; a bare name continues it.
#[derive(Clone, Copy, PartialEq)]
enum Continues {
    Nothing,
    Tables,
    Schemas,
}

impl Parser<'_> {
    /// `WITH (…)`, optional.
    fn opt_with_definition(&mut self) -> Result<Vec<DefElem>> {
        if self.eat_kw(Kw::With)? { self.definition() } else { Ok(Vec::new()) }
    }

    /// CREATE PUBLICATION; the present token is PUBLICATION.
    pub(crate) fn create_publication(&mut self) -> Result<Statement> {
        self.skip()?;
        let pubname = self.col_id()?;
        let mut stmt = CreatePublicationStmt {
            pubname,
            options: Vec::new(),
            pubobjects: Vec::new(),
            for_all_tables: false,
        };
        let mut deferred = None;
        if self.eat_kw(Kw::For)? {
            if self.eat_kw(Kw::All)? {
                self.expect_kw(Kw::Tables)?;
                stmt.for_all_tables = true;
            } else {
                (stmt.pubobjects, deferred) = self.publication_objects()?;
            }
        }
        stmt.options = self.opt_with_definition()?;
        raise(deferred)?;
        Ok(Statement::CreatePublication(Box::new(stmt)))
    }

    fn publication_objects(&mut self) -> Result<(Vec<PublicationObject>, Option<Error>)> {
        let mut continues = Continues::Nothing;
        let mut first_error = None;
        let list = self.list(|p| {
            let at = p.tok.start;
            if p.at_kw(Kw::Table) {
                p.skip()?;
                continues = Continues::Tables;
                return Ok(p.publication_table()?.0);
            }
            if p.at_kw(Kw::Tables) && p.peek_is_kw(Kw::In) {
                p.skip()?;
                p.expect_kws(&[Kw::In, Kw::Schema])?;
                continues = Continues::Schemas;
                if p.eat_kw(Kw::CurrentSchema)? {
                    return Ok(PublicationObject::TablesInCurrentSchema);
                }
                return Ok(PublicationObject::TablesInSchema(p.col_id()?));
            }
            if p.at_kw(Kw::CurrentSchema) {
                p.skip()?;
                if continues != Continues::Schemas {
                    let e = bare_object_error(continues, at, "invalid table name");
                    first_error.get_or_insert(e);
                }
                return Ok(PublicationObject::TablesInCurrentSchema);
            }
            let (object, extended) = p.publication_table()?;
            if continues == Continues::Tables {
                return Ok(object);
            }
            match object {
                PublicationObject::Table { relation, columns, where_clause }
                    if continues == Continues::Schemas
                        && relation.schemaname.is_none()
                        && !extended
                        && columns.is_empty()
                        && where_clause.is_none() =>
                {
                    Ok(PublicationObject::TablesInSchema(relation.relname))
                }
                object => {
                    // PostgreSQL records no place for ONLY and `*`.
                    let at = if extended { 0 } else { at };
                    let e = bare_object_error(continues, at, "invalid schema name");
                    first_error.get_or_insert(e);
                    Ok(object)
                }
            }
        })?;
        Ok((list, first_error))
    }

    /// `relation [(columns)] [WHERE (condition)]`; with it, whether ONLY or `*` was written.
    fn publication_table(&mut self) -> Result<(PublicationObject, bool)> {
        let only = self.at_kw(Kw::Only);
        let relation = self.relation_expr()?;
        let extended = only || self.source()[..self.prev_end].ends_with('*');
        let columns = self.opt_column_list()?;
        let where_clause = if self.eat_kw(Kw::Where)? { Some(self.paren_condition()?) } else { None };
        Ok((PublicationObject::Table { relation, columns, where_clause }, extended))
    }

    /// ALTER PUBLICATION; PUBLICATION has been read.
    pub(crate) fn alter_publication(&mut self) -> Result<Statement> {
        let pubname = self.col_id()?;
        let action = match self.eat_one_of(&[Kw::Set, Kw::Add, Kw::Drop])? {
            Some(Kw::Set) => DefElemAction::Set,
            Some(Kw::Add) => DefElemAction::Add,
            Some(_) => DefElemAction::Drop,
            None => {
                return self.shared_form(
                    ObjectType::Publication,
                    ObjectRef::Name(vec![pubname]),
                    RENAME_OWNER,
                );
            }
        };
        let mut stmt = AlterPublicationStmt { pubname, options: Vec::new(), pubobjects: Vec::new(), action };
        if action == DefElemAction::Set && self.at_char(b'(') {
            stmt.options = self.definition()?;
        } else {
            let deferred;
            (stmt.pubobjects, deferred) = self.publication_objects()?;
            raise(deferred)?;
        }
        Ok(Statement::AlterPublication(Box::new(stmt)))
    }

    /// CREATE SUBSCRIPTION; the present token is SUBSCRIPTION.
    pub(crate) fn create_subscription(&mut self) -> Result<Statement> {
        self.skip()?;
        let subname = self.col_id()?;
        self.expect_kw(Kw::Connection)?;
        let conninfo = self.sconst()?;
        self.expect_kw(Kw::Publication)?;
        let publication = self.name_list()?;
        let options = self.opt_with_definition()?;
        let stmt = CreateSubscriptionStmt { subname, conninfo, publication, options };
        Ok(Statement::CreateSubscription(Box::new(stmt)))
    }

    /// ALTER SUBSCRIPTION; SUBSCRIPTION has been read.
    pub(crate) fn alter_subscription(&mut self) -> Result<Statement> {
        use AlterSubscriptionType as Kind;
        let subname = self.col_id()?;
        let mut stmt = AlterSubscriptionStmt {
            kind: Kind::Options,
            subname,
            conninfo: None,
            publication: Vec::new(),
            options: Vec::new(),
        };
        let at = self.tok.start;
        let words =
            [Kw::Set, Kw::Connection, Kw::Refresh, Kw::Add, Kw::Drop, Kw::Enable, Kw::Disable, Kw::Skip];
        match self.eat_one_of(&words)? {
            Some(Kw::Set) if self.at_char(b'(') => stmt.options = self.definition()?,
            Some(kw @ (Kw::Set | Kw::Add | Kw::Drop)) => {
                self.expect_kw(Kw::Publication)?;
                stmt.kind = match kw {
                    Kw::Set => Kind::SetPublication,
                    Kw::Add => Kind::AddPublication,
                    _ => Kind::DropPublication,
                };
                stmt.publication = self.name_list()?;
                stmt.options = self.opt_with_definition()?;
            }
            Some(Kw::Connection) => {
                stmt.kind = Kind::Connection;
                stmt.conninfo = Some(self.sconst()?);
            }
            Some(Kw::Refresh) => {
                self.expect_kw(Kw::Publication)?;
                stmt.kind = Kind::Refresh;
                stmt.options = self.opt_with_definition()?;
            }
            Some(Kw::Skip) => {
                stmt.kind = Kind::Skip;
                stmt.options = self.definition()?;
            }
            Some(kw) => {
                stmt.kind = Kind::Enabled;
                let enabled = DefArg::Boolean(kw == Kw::Enable);
                stmt.options = vec![DefElem::new("enabled", Some(enabled), at)];
            }
            None => {
                let object = ObjectRef::Name(vec![stmt.subname]);
                return self.shared_form(ObjectType::Subscription, object, RENAME_OWNER);
            }
        }
        Ok(Statement::AlterSubscription(Box::new(stmt)))
    }
}

fn bare_object_error(continues: Continues, at: usize, message: &str) -> Error {
    if continues == Continues::Nothing {
        return err!(SYNTAX_ERROR, "invalid publication object list")
            .detail(
                "One of TABLE or TABLES IN SCHEMA must be specified before a standalone table or schema name.",
            )
            .at(at);
    }
    err!(SYNTAX_ERROR, "{message}").at(at)
}

fn raise(deferred: Option<Error>) -> Result<()> {
    deferred.map_or(Ok(()), Err)
}
