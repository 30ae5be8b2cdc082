//! CREATE TABLE in all its forms, partitions, CREATE TABLE AS, views and materialized views.

use super::Parser;
use super::index::IndexTarget;
use super::name::is_col_id;
use crate::ast::{
    CreateForeignTableStmt, CreateStmt, CreateTableAsStmt, DefElem, IntoClause, ObjectType, OnCommitAction,
    PartitionBound, PartitionBoundSpec, PartitionElem, PartitionSpec, PartitionStrategy, RangeVar,
    RefreshMatViewStmt, RelPersistence, Statement, TableElt, TableLikeClause, TypeName, ViewCheckOption,
    ViewStmt, like_option,
};
use crate::keywords::Kw;
use crate::token::T;
use common::{Result, err};

fn empty_table(relation: RangeVar, if_not_exists: bool) -> CreateStmt {
    CreateStmt {
        relation,
        table_elts: Vec::new(),
        inh_relations: Vec::new(),
        partbound: None,
        partspec: None,
        of_typename: None,
        options: Vec::new(),
        oncommit: OnCommitAction::Noop,
        tablespacename: None,
        access_method: None,
        if_not_exists,
    }
}

impl Parser<'_> {
    /// CREATE TABLE; the present token is TABLE.
    pub(crate) fn create_table(&mut self, persistence: RelPersistence) -> Result<Statement> {
        self.skip()?;
        let if_not_exists = self.if_not_exists()?;
        let mut relation = self.qualified_name()?;
        relation.relpersistence = persistence;
        let mut stmt = empty_table(relation, if_not_exists);
        match self.kind() {
            T::Char(b'(') => {
                self.skip()?;
                let names = is_col_id(self.tok.kind) && matches!(self.peek(), T::Char(b',' | b')'));
                if self.in_explain || (names && !self.in_schema) {
                    let columns = self.name_list()?;
                    self.expect_char(b')')?;
                    return self.create_table_as(stmt, columns);
                }
                if !self.at_char(b')') {
                    stmt.table_elts = self.list(Self::table_element)?;
                }
                self.expect_char(b')')?;
                if self.eat_kw(Kw::Inherits)? {
                    stmt.inh_relations = self.paren_list(Self::qualified_name)?;
                }
            }
            T::Kw(Kw::Of | Kw::Partition) if self.in_explain => return Err(self.syntax_error()),
            T::Kw(Kw::Of) => {
                self.skip()?;
                let location = self.tok.start;
                let names = self.any_name()?;
                stmt.of_typename = Some(TypeName { names, location, ..TypeName::default() });
                stmt.table_elts = self.opt_typed_elements()?;
            }
            T::Kw(Kw::Partition) => {
                self.skip()?;
                self.partition_of(&mut stmt)?;
            }
            _ if self.in_schema => return Err(self.syntax_error()),
            _ => return self.create_table_as(stmt, Vec::new()),
        }
        if self.at_kw(Kw::Partition) {
            stmt.partspec = Some(self.partition_spec()?);
        }
        self.storage_clauses(&mut stmt)?;
        Ok(Statement::CreateTable(Box::new(stmt)))
    }

    /// Behind PARTITION: the parent, own elements and the bound.
    fn partition_of(&mut self, stmt: &mut CreateStmt) -> Result<()> {
        self.expect_kw(Kw::Of)?;
        stmt.inh_relations = vec![self.qualified_name()?];
        stmt.table_elts = self.opt_typed_elements()?;
        stmt.partbound = Some(self.partition_bound()?);
        Ok(())
    }

    /// USING, WITH, ON COMMIT, TABLESPACE.
    fn storage_clauses(&mut self, stmt: &mut CreateStmt) -> Result<()> {
        if self.eat_kw(Kw::Using)? {
            stmt.access_method = Some(self.col_id()?);
        }
        if self.eat_kw(Kw::With)? {
            stmt.options = self.reloptions()?;
        } else if self.eat_kw(Kw::Without)? {
            self.expect_kw(Kw::Oids)?;
        }
        stmt.oncommit = self.opt_on_commit()?;
        stmt.tablespacename = self.opt_tablespace()?;
        Ok(())
    }

    fn opt_on_commit(&mut self) -> Result<OnCommitAction> {
        if !self.eat_kw(Kw::On)? {
            return Ok(OnCommitAction::Noop);
        }
        self.expect_kw(Kw::Commit)?;
        match self.eat_one_of(&[Kw::Drop, Kw::Delete, Kw::Preserve])? {
            Some(Kw::Drop) => Ok(OnCommitAction::Drop),
            Some(kw) => {
                self.expect_kw(Kw::Rows)?;
                Ok(if kw == Kw::Delete { OnCommitAction::DeleteRows } else { OnCommitAction::PreserveRows })
            }
            None => Err(self.syntax_error()),
        }
    }

    pub(crate) fn opt_tablespace(&mut self) -> Result<Option<String>> {
        if self.eat_kw(Kw::Tablespace)? { Ok(Some(self.col_id()?)) } else { Ok(None) }
    }

    fn table_element(&mut self) -> Result<TableElt> {
        if self.at_table_constraint() {
            return Ok(TableElt::Constraint(self.table_constraint()?));
        }
        if self.eat_kw(Kw::Like)? {
            let relation = self.qualified_name()?;
            let options = self.like_options()?;
            return Ok(TableElt::Like(TableLikeClause { relation, options }));
        }
        Ok(TableElt::Column(self.column_def()?))
    }

    fn like_options(&mut self) -> Result<u32> {
        let mut options = 0;
        while let Some(kw) = self.eat_one_of(&[Kw::Including, Kw::Excluding])? {
            let bits = match self.kw() {
                Some(Kw::Comments) => like_option::COMMENTS,
                Some(Kw::Compression) => like_option::COMPRESSION,
                Some(Kw::Constraints) => like_option::CONSTRAINTS,
                Some(Kw::Defaults) => like_option::DEFAULTS,
                Some(Kw::Identity) => like_option::IDENTITY,
                Some(Kw::Generated) => like_option::GENERATED,
                Some(Kw::Indexes) => like_option::INDEXES,
                Some(Kw::Statistics) => like_option::STATISTICS,
                Some(Kw::Storage) => like_option::STORAGE,
                Some(Kw::All) => like_option::ALL,
                _ => return Err(self.syntax_error()),
            };
            self.skip()?;
            if kw == Kw::Including {
                options |= bits;
            } else {
                options &= !bits;
            }
        }
        Ok(options)
    }

    /// Elements of a table whose columns come from a type or a parent.
    fn opt_typed_elements(&mut self) -> Result<Vec<TableElt>> {
        if !self.at_char(b'(') {
            return Ok(Vec::new());
        }
        self.paren_list(|p| {
            if p.at_table_constraint() {
                Ok(TableElt::Constraint(p.table_constraint()?))
            } else {
                Ok(TableElt::Column(p.column_options()?))
            }
        })
    }

    /// `PARTITION BY strategy (…)`
    fn partition_spec(&mut self) -> Result<PartitionSpec> {
        let location = self.skip()?;
        self.expect_kw(Kw::By)?;
        let strategy_name = self.col_id()?;
        let part_params = self.paren_list(|p| {
            let location = p.tok.start;
            let IndexTarget { name, expr } = p.index_target()?;
            let collation = p.opt_collate()?.map(|c| c.collname).unwrap_or_default();
            let opclass = if is_col_id(p.tok.kind) { p.any_name()? } else { Vec::new() };
            Ok(PartitionElem { name, expr, collation, opclass, location })
        })?;
        let strategy = match strategy_name.to_ascii_lowercase().as_str() {
            "list" => PartitionStrategy::List,
            "range" => PartitionStrategy::Range,
            "hash" => PartitionStrategy::Hash,
            _ => PartitionStrategy::Other(strategy_name),
        };
        Ok(PartitionSpec { strategy, part_params, location })
    }

    /// `FOR VALUES …` or `DEFAULT`.
    pub(crate) fn partition_bound(&mut self) -> Result<PartitionBoundSpec> {
        if self.at_kw(Kw::Default) {
            let location = self.skip()?;
            return Ok(PartitionBoundSpec { bound: PartitionBound::Default, location });
        }
        self.expect_kws(&[Kw::For, Kw::Values])?;
        let location = self.tok.start;
        let bound = match self.eat_one_of(&[Kw::With, Kw::In, Kw::From])? {
            Some(Kw::With) => self.hash_bound()?,
            Some(Kw::In) => PartitionBound::List(self.paren_list(Self::a_expr)?),
            Some(_) => {
                let lower = self.paren_list(Self::a_expr)?;
                self.expect_kw(Kw::To)?;
                let upper = self.paren_list(Self::a_expr)?;
                PartitionBound::Range { lower, upper }
            }
            None => return Err(self.syntax_error()),
        };
        Ok(PartitionBoundSpec { bound, location })
    }

    fn hash_bound(&mut self) -> Result<PartitionBound> {
        let items = self.paren_list(|p| {
            let at = p.tok.start;
            Ok((p.non_reserved_word()?, p.iconst()?, at))
        })?;
        let (mut modulus, mut remainder) = (None, None);
        for (name, value, at) in items {
            let slot = match name.as_str() {
                "modulus" => &mut modulus,
                "remainder" => &mut remainder,
                _ => {
                    let message = format!("unrecognized hash partition bound specification \"{name}\"");
                    return Err(err!(SYNTAX_ERROR, "{message}").at(at));
                }
            };
            if slot.replace(value).is_some() {
                let message = format!("{name} for hash partition provided more than once");
                return Err(err!(DUPLICATE_OBJECT, "{message}").at(at));
            }
        }
        let missing = |name: &str| err!(SYNTAX_ERROR, "{name} for hash partition must be specified");
        let modulus = modulus.ok_or_else(|| missing("modulus"))?;
        let remainder = remainder.ok_or_else(|| missing("remainder"))?;
        Ok(PartitionBound::Hash { modulus, remainder })
    }

    /// The rest of CREATE TABLE AS behind name and column list.
    fn create_table_as(&mut self, target: CreateStmt, col_names: Vec<String>) -> Result<Statement> {
        let mut clauses = target;
        self.storage_clauses(&mut clauses)?;
        self.expect_kw(Kw::As)?;
        let query = if self.at_kw(Kw::Execute) {
            self.execute_stmt()?
        } else {
            Statement::Select(self.select_stmt()?)
        };
        let skip_data = self.opt_with_no_data()?;
        let into = IntoClause {
            rel: clauses.relation,
            col_names,
            access_method: clauses.access_method,
            options: clauses.options,
            on_commit: clauses.oncommit,
            table_space_name: clauses.tablespacename,
            skip_data,
        };
        let if_not_exists = clauses.if_not_exists;
        let stmt = CreateTableAsStmt { query, into, objtype: ObjectType::Table, if_not_exists };
        Ok(Statement::CreateTableAs(Box::new(stmt)))
    }

    /// `WITH [NO] DATA`; true for NO DATA.
    fn opt_with_no_data(&mut self) -> Result<bool> {
        if !self.eat_kw(Kw::With)? {
            return Ok(false);
        }
        let no = self.eat_kw(Kw::No)?;
        self.expect_kw(Kw::Data)?;
        Ok(no)
    }

    /// CREATE FOREIGN TABLE; the present token is TABLE.
    pub(crate) fn create_foreign_table(&mut self) -> Result<Statement> {
        self.skip()?;
        let if_not_exists = self.if_not_exists()?;
        let relation = self.qualified_name()?;
        let mut base = empty_table(relation, if_not_exists);
        if self.eat_kw(Kw::Partition)? {
            self.partition_of(&mut base)?;
        } else {
            self.expect_char(b'(')?;
            if !self.at_char(b')') {
                base.table_elts = self.list(Self::table_element)?;
            }
            self.expect_char(b')')?;
            if self.eat_kw(Kw::Inherits)? {
                base.inh_relations = self.paren_list(Self::qualified_name)?;
            }
        }
        self.expect_kw(Kw::Server)?;
        let servername = self.col_id()?;
        let options = self.opt_generic_options()?;
        let stmt = CreateForeignTableStmt { base, servername, options };
        Ok(Statement::CreateForeignTable(Box::new(stmt)))
    }

    /// CREATE VIEW; the present token is VIEW or RECURSIVE.
    pub(crate) fn create_view(&mut self, replace: bool, persistence: RelPersistence) -> Result<Statement> {
        let recursive = self.eat_kw(Kw::Recursive)?;
        self.expect_kw(Kw::View)?;
        let mut view = self.qualified_name()?;
        view.relpersistence = persistence;
        let aliases = if recursive { self.paren_list(Self::col_id)? } else { self.opt_column_list()? };
        let options = if self.eat_kw(Kw::With)? { self.reloptions()? } else { Vec::new() };
        self.expect_kw(Kw::As)?;
        let mut query = self.select_stmt()?;
        let check_at = self.tok.start;
        let with_check_option = self.opt_check_option()?;
        if recursive {
            query = recursive_view_query(&view.relname, &aliases, query);
            if with_check_option != ViewCheckOption::NoCheck {
                let message = "WITH CHECK OPTION not supported on recursive views";
                return Err(err!(FEATURE_NOT_SUPPORTED, "{message}").at(check_at));
            }
        }
        let stmt = ViewStmt { view, aliases, query, replace, options, with_check_option };
        Ok(Statement::View(Box::new(stmt)))
    }

    fn opt_check_option(&mut self) -> Result<ViewCheckOption> {
        if !self.eat_kw(Kw::With)? {
            return Ok(ViewCheckOption::NoCheck);
        }
        let option = match self.eat_one_of(&[Kw::Cascaded, Kw::Local])? {
            Some(Kw::Local) => ViewCheckOption::Local,
            _ => ViewCheckOption::Cascaded,
        };
        self.expect_kws(&[Kw::Check, Kw::Option])?;
        Ok(option)
    }

    /// CREATE MATERIALIZED VIEW; the present token is MATERIALIZED.
    pub(crate) fn create_matview(&mut self, persistence: RelPersistence) -> Result<Statement> {
        self.skip()?;
        self.expect_kw(Kw::View)?;
        let if_not_exists = self.if_not_exists()?;
        let mut rel = self.qualified_name()?;
        rel.relpersistence = persistence;
        let col_names = self.opt_column_list()?;
        let access_method = if self.eat_kw(Kw::Using)? { Some(self.col_id()?) } else { None };
        let options: Vec<DefElem> = if self.eat_kw(Kw::With)? { self.reloptions()? } else { Vec::new() };
        let table_space_name = self.opt_tablespace()?;
        self.expect_kw(Kw::As)?;
        let query = Statement::Select(self.select_stmt()?);
        let skip_data = self.opt_with_no_data()?;
        let into = IntoClause {
            rel,
            col_names,
            access_method,
            options,
            on_commit: OnCommitAction::Noop,
            table_space_name,
            skip_data,
        };
        let stmt = CreateTableAsStmt { query, into, objtype: ObjectType::MatView, if_not_exists };
        Ok(Statement::CreateTableAs(Box::new(stmt)))
    }

    pub(crate) fn refresh_stmt(&mut self) -> Result<Statement> {
        self.skip()?;
        self.expect_kws(&[Kw::Materialized, Kw::View])?;
        let concurrent = self.eat_kw(Kw::Concurrently)?;
        let relation = self.qualified_name()?;
        let skip_data = self.opt_with_no_data()?;
        Ok(Statement::RefreshMatView(Box::new(RefreshMatViewStmt { concurrent, skip_data, relation })))
    }
}

/// `WITH RECURSIVE name (aliases) AS (query) SELECT aliases FROM name`
fn recursive_view_query(
    name: &str,
    aliases: &[String],
    query: Box<crate::ast::SelectStmt>,
) -> Box<crate::ast::SelectStmt> {
    use crate::ast::{
        CTEMaterialize, ColumnRef, CommonTableExpr, Expr, Field, ResTarget, SelectStmt, TableExpr, WithClause,
    };
    let cte = CommonTableExpr {
        ctename: name.to_string(),
        aliascolnames: aliases.to_vec(),
        ctematerialized: CTEMaterialize::Default,
        ctequery: Box::new(Statement::Select(query)),
        search_clause: None,
        cycle_clause: None,
        location: 0,
    };
    let target = |alias: &String| {
        let fields = vec![Field::Name(alias.clone())];
        ResTarget { val: Some(Expr::ColumnRef(ColumnRef { fields, location: 0 })), ..ResTarget::default() }
    };
    let from = RangeVar { relname: name.to_string(), inh: true, ..RangeVar::default() };
    Box::new(SelectStmt {
        with_clause: Some(Box::new(WithClause { ctes: vec![cte], recursive: true, location: 0 })),
        target_list: aliases.iter().map(target).collect(),
        from_clause: vec![TableExpr::RangeVar(Box::new(from))],
        ..SelectStmt::default()
    })
}
