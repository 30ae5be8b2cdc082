//! EXPLAIN, VACUUM, prepared statements, cursors, LOCK and the small session statements.

use super::Parser;
use super::name::is_col_id;
use crate::ast::{
    CallStmt, ClosePortalStmt, ClusterStmt, DeallocateStmt, DeclareCursorStmt, DefArg, DefElem, DiscardStmt,
    DiscardTarget, DoStmt, DropBehavior, ExecuteStmt, ExplainStmt, FETCH_ALL, FetchDirection, FetchStmt,
    ListenStmt, LoadStmt, LockMode, LockStmt, NotifyStmt, PrepareStmt, RawStmt, ReindexObjectType,
    ReindexStmt, Statement, TruncateStmt, UnlistenStmt, VacuumRelation, VacuumStmt, cursor_opt,
};
use crate::keywords::Kw;
use crate::token::T;
use common::Result;
use std::rc::Rc;

impl Parser<'_> {
    pub(crate) fn explain_stmt(&mut self) -> Result<Statement> {
        self.skip()?;
        let mut options = Vec::new();
        if self.at_char(b'(') && !self.peek_opens_select() {
            options = self.utility_options()?;
        } else {
            let at = self.tok.start;
            if self.eat_one_of(&[Kw::Analyze, Kw::Analyse])?.is_some() {
                options.push(DefElem::new("analyze", None, at));
            }
            let at = self.tok.start;
            if self.eat_kw(Kw::Verbose)? {
                options.push(DefElem::new("verbose", None, at));
            }
        }
        let query = match self.kw() {
            Some(Kw::Declare) => self.declare_cursor_stmt()?,
            Some(Kw::Create) => self.create_as_only()?,
            Some(Kw::Refresh) => self.refresh_stmt()?,
            Some(Kw::Execute) => self.execute_stmt()?,
            _ => self.preparable_stmt()?,
        };
        Ok(Statement::Explain(Box::new(ExplainStmt { query, options })))
    }

    /// At `(`: whether a SELECT stands in it.
    fn peek_opens_select(&mut self) -> bool {
        match self.peek() {
            T::Kw(Kw::Values) => self.third_is_paren(),
            kind => matches!(kind, T::Char(b'(') | T::Kw(Kw::Select | Kw::With | Kw::Table)),
        }
    }

    pub(crate) fn vacuum_stmt(&mut self) -> Result<Statement> {
        self.skip()?;
        let options = if self.at_char(b'(') {
            self.utility_options()?
        } else {
            let mut options = Vec::new();
            for kw in [Kw::Full, Kw::Freeze, Kw::Verbose] {
                let at = self.tok.start;
                if self.eat_kw(kw)? {
                    options.push(DefElem::new(kw.text(), None, at));
                }
            }
            let at = self.tok.start;
            if self.eat_one_of(&[Kw::Analyze, Kw::Analyse])?.is_some() {
                options.push(DefElem::new("analyze", None, at));
            }
            options
        };
        let rels = self.opt_vacuum_relations()?;
        Ok(Statement::Vacuum(Box::new(VacuumStmt { options, rels, is_vacuumcmd: true })))
    }

    pub(crate) fn analyze_stmt(&mut self) -> Result<Statement> {
        self.skip()?;
        let options = if self.at_char(b'(') {
            self.utility_options()?
        } else {
            let at = self.tok.start;
            if self.eat_kw(Kw::Verbose)? { vec![DefElem::new("verbose", None, at)] } else { Vec::new() }
        };
        let rels = self.opt_vacuum_relations()?;
        Ok(Statement::Vacuum(Box::new(VacuumStmt { options, rels, is_vacuumcmd: false })))
    }

    fn opt_vacuum_relations(&mut self) -> Result<Vec<VacuumRelation>> {
        if !is_col_id(self.tok.kind) {
            return Ok(Vec::new());
        }
        self.list(|p| {
            let relation = p.qualified_name()?;
            let va_cols = p.opt_column_list()?;
            Ok(VacuumRelation { relation, va_cols })
        })
    }

    pub(crate) fn prepare_stmt(&mut self) -> Result<Statement> {
        self.skip()?;
        if self.at_kw(Kw::Transaction) && self.peek() == T::SConst {
            return self.prepare_transaction();
        }
        let name = self.col_id()?;
        let argtypes = if self.at_char(b'(') { self.paren_list(Self::type_name)? } else { Vec::new() };
        self.expect_kw(Kw::As)?;
        let stmt = self.preparable_stmt()?;
        let query = Rc::new(RawStmt { stmt, location: 0, len: 0 });
        Ok(Statement::Prepare(Box::new(PrepareStmt { name, argtypes, query })))
    }

    pub(crate) fn execute_stmt(&mut self) -> Result<Statement> {
        self.skip()?;
        let name = self.col_id()?;
        let params = if self.at_char(b'(') { self.paren_list(Self::a_expr)? } else { Vec::new() };
        Ok(Statement::Execute(Box::new(ExecuteStmt { name, params })))
    }

    pub(crate) fn deallocate_stmt(&mut self) -> Result<Statement> {
        self.skip()?;
        if self.at_kw(Kw::Prepare) && (is_col_id(self.peek()) || self.peek_is_kw(Kw::All)) {
            self.skip()?;
        }
        let name = if self.eat_kw(Kw::All)? { None } else { Some(self.col_id()?) };
        Ok(Statement::Deallocate(DeallocateStmt { name }))
    }

    pub(crate) fn declare_cursor_stmt(&mut self) -> Result<Statement> {
        self.skip()?;
        let portalname = self.col_id()?;
        let mut options = 0;
        loop {
            options |=
                match self.eat_one_of(&[Kw::No, Kw::Scroll, Kw::Binary, Kw::Asensitive, Kw::Insensitive])? {
                    Some(Kw::No) => {
                        self.expect_kw(Kw::Scroll)?;
                        cursor_opt::NO_SCROLL
                    }
                    Some(Kw::Scroll) => cursor_opt::SCROLL,
                    Some(Kw::Binary) => cursor_opt::BINARY,
                    Some(Kw::Asensitive) => cursor_opt::ASENSITIVE,
                    Some(_) => cursor_opt::INSENSITIVE,
                    None => break,
                };
        }
        self.expect_kw(Kw::Cursor)?;
        if let Some(kw) = self.eat_one_of(&[Kw::With, Kw::Without])? {
            self.expect_kw(Kw::Hold)?;
            if kw == Kw::With {
                options |= cursor_opt::HOLD;
            }
        }
        self.expect_kw(Kw::For)?;
        let query = self.select_stmt()?;
        Ok(Statement::DeclareCursor(Box::new(DeclareCursorStmt { portalname, options, query })))
    }

    /// FETCH and MOVE.
    pub(crate) fn fetch_stmt(&mut self) -> Result<Statement> {
        let ismove = self.at_kw(Kw::Move);
        self.skip()?;
        let (direction, how_many) = self.fetch_direction()?;
        self.eat_one_of(&[Kw::From, Kw::In])?;
        let portalname = self.col_id()?;
        Ok(Statement::Fetch(FetchStmt { direction, how_many, portalname, ismove }))
    }

    fn fetch_direction(&mut self) -> Result<(FetchDirection, i64)> {
        use FetchDirection::{Absolute, Backward, Forward, Relative};
        let next = self.peek();
        let cursor_follows = is_col_id(next) || matches!(next, T::Kw(Kw::From | Kw::In));
        let count_follows = matches!(next, T::IConst | T::Char(b'+' | b'-'));
        match self.kind() {
            T::IConst | T::Char(b'+' | b'-') => Ok((Forward, i64::from(self.signed_iconst()?))),
            T::Kw(Kw::All) => {
                self.skip()?;
                Ok((Forward, FETCH_ALL))
            }
            T::Kw(kw @ (Kw::Next | Kw::Prior | Kw::First | Kw::Last)) if cursor_follows => {
                self.skip()?;
                Ok(match kw {
                    Kw::Next => (Forward, 1),
                    Kw::Prior => (Backward, 1),
                    Kw::First => (Absolute, 1),
                    _ => (Absolute, -1),
                })
            }
            T::Kw(kw @ (Kw::Absolute | Kw::Relative)) if count_follows => {
                self.skip()?;
                let n = i64::from(self.signed_iconst()?);
                Ok((if kw == Kw::Absolute { Absolute } else { Relative }, n))
            }
            T::Kw(kw @ (Kw::Forward | Kw::Backward))
                if cursor_follows || count_follows || next == T::Kw(Kw::All) =>
            {
                self.skip()?;
                let direction = if kw == Kw::Forward { Forward } else { Backward };
                if self.eat_kw(Kw::All)? {
                    return Ok((direction, FETCH_ALL));
                }
                let n = if count_follows { i64::from(self.signed_iconst()?) } else { 1 };
                Ok((direction, n))
            }
            _ => Ok((Forward, 1)),
        }
    }

    pub(crate) fn close_stmt(&mut self) -> Result<Statement> {
        self.skip()?;
        let portalname = if self.eat_kw(Kw::All)? { None } else { Some(self.col_id()?) };
        Ok(Statement::ClosePortal(ClosePortalStmt { portalname }))
    }

    pub(crate) fn lock_stmt(&mut self) -> Result<Statement> {
        self.skip()?;
        self.eat_kw(Kw::Table)?;
        let relations = self.list(Self::relation_expr)?;
        let mut mode = LockMode::AccessExclusive;
        if self.eat_kw(Kw::In)? {
            mode = self.lock_mode()?;
            self.expect_kw(Kw::Mode)?;
        }
        let nowait = self.eat_kw(Kw::Nowait)?;
        Ok(Statement::Lock(Box::new(LockStmt { relations, mode, nowait })))
    }

    fn lock_mode(&mut self) -> Result<LockMode> {
        match self.eat_one_of(&[Kw::Access, Kw::Row, Kw::Share, Kw::Exclusive])? {
            Some(kw @ (Kw::Access | Kw::Row)) => {
                let share = match self.eat_one_of(&[Kw::Share, Kw::Exclusive])? {
                    Some(kw) => kw == Kw::Share,
                    None => return Err(self.syntax_error()),
                };
                Ok(match (kw, share) {
                    (Kw::Access, true) => LockMode::AccessShare,
                    (Kw::Access, false) => LockMode::AccessExclusive,
                    (_, true) => LockMode::RowShare,
                    (_, false) => LockMode::RowExclusive,
                })
            }
            Some(Kw::Share) => match self.eat_one_of(&[Kw::Update, Kw::Row])? {
                Some(kw) => {
                    self.expect_kw(Kw::Exclusive)?;
                    Ok(if kw == Kw::Update {
                        LockMode::ShareUpdateExclusive
                    } else {
                        LockMode::ShareRowExclusive
                    })
                }
                None => Ok(LockMode::Share),
            },
            Some(_) => Ok(LockMode::Exclusive),
            None => Err(self.syntax_error()),
        }
    }

    pub(crate) fn discard_stmt(&mut self) -> Result<Statement> {
        self.skip()?;
        let target = match self.eat_one_of(&[Kw::All, Kw::Plans, Kw::Sequences, Kw::Temp, Kw::Temporary])? {
            Some(Kw::All) => DiscardTarget::All,
            Some(Kw::Plans) => DiscardTarget::Plans,
            Some(Kw::Sequences) => DiscardTarget::Sequences,
            Some(_) => DiscardTarget::Temp,
            None => return Err(self.syntax_error()),
        };
        Ok(Statement::Discard(DiscardStmt { target }))
    }

    pub(crate) fn load_stmt(&mut self) -> Result<Statement> {
        self.skip()?;
        Ok(Statement::Load(LoadStmt { filename: self.sconst()? }))
    }

    pub(crate) fn listen_stmt(&mut self) -> Result<Statement> {
        self.skip()?;
        Ok(Statement::Listen(ListenStmt { conditionname: self.col_id()? }))
    }

    pub(crate) fn notify_stmt(&mut self) -> Result<Statement> {
        self.skip()?;
        let conditionname = self.col_id()?;
        let payload = if self.eat_char(b',')? { Some(self.sconst()?) } else { None };
        Ok(Statement::Notify(NotifyStmt { conditionname, payload }))
    }

    pub(crate) fn unlisten_stmt(&mut self) -> Result<Statement> {
        self.skip()?;
        let conditionname = if self.eat_char(b'*')? { None } else { Some(self.col_id()?) };
        Ok(Statement::Unlisten(UnlistenStmt { conditionname }))
    }

    pub(crate) fn cluster_stmt(&mut self) -> Result<Statement> {
        self.skip()?;
        let mut stmt = ClusterStmt { relation: None, indexname: None, params: Vec::new() };
        let options = self.at_char(b'(');
        if options {
            stmt.params = self.utility_options()?;
        } else {
            let at = self.tok.start;
            if self.eat_kw(Kw::Verbose)? {
                stmt.params.push(DefElem::new("verbose", None, at));
            }
        }
        if !options && is_col_id(self.tok.kind) && self.peek_is_kw(Kw::On) {
            stmt.indexname = Some(self.col_id()?);
            self.skip()?;
            stmt.relation = Some(self.qualified_name()?);
        } else if options || is_col_id(self.tok.kind) {
            stmt.relation = Some(self.qualified_name()?);
            if self.eat_kw(Kw::Using)? {
                stmt.indexname = Some(self.col_id()?);
            }
        }
        Ok(Statement::Cluster(Box::new(stmt)))
    }

    pub(crate) fn reindex_stmt(&mut self) -> Result<Statement> {
        self.skip()?;
        let mut params = if self.at_char(b'(') { self.utility_options()? } else { Vec::new() };
        let kinds = [Kw::Index, Kw::Table, Kw::Schema, Kw::System, Kw::Database];
        let kind = match self.eat_one_of(&kinds)? {
            Some(Kw::Index) => ReindexObjectType::Index,
            Some(Kw::Table) => ReindexObjectType::Table,
            Some(Kw::Schema) => ReindexObjectType::Schema,
            Some(Kw::System) => ReindexObjectType::System,
            Some(_) => ReindexObjectType::Database,
            None => return Err(self.syntax_error()),
        };
        let at = self.tok.start;
        if self.eat_kw(Kw::Concurrently)? {
            params.push(DefElem::new("concurrently", None, at));
        }
        let (mut relation, mut name) = (None, None);
        if matches!(kind, ReindexObjectType::Index | ReindexObjectType::Table) {
            relation = Some(self.qualified_name()?);
        } else {
            name = Some(self.col_id()?);
        }
        Ok(Statement::Reindex(Box::new(ReindexStmt { kind, relation, name, params })))
    }

    pub(crate) fn truncate_stmt(&mut self) -> Result<Statement> {
        self.skip()?;
        self.eat_kw(Kw::Table)?;
        let relations = self.list(Self::relation_expr)?;
        let restart = self.eat_one_of(&[Kw::Continue, Kw::Restart])?;
        if restart.is_some() {
            self.expect_kw(Kw::Identity)?;
        }
        let behavior = self.opt_drop_behavior()?;
        let restart_seqs = restart == Some(Kw::Restart);
        Ok(Statement::Truncate(Box::new(TruncateStmt { relations, restart_seqs, behavior })))
    }

    /// CASCADE, RESTRICT, or nothing.
    pub(crate) fn opt_drop_behavior(&mut self) -> Result<DropBehavior> {
        Ok(match self.eat_one_of(&[Kw::Cascade, Kw::Restrict])? {
            Some(Kw::Cascade) => DropBehavior::Cascade,
            _ => DropBehavior::Restrict,
        })
    }

    pub(crate) fn do_stmt(&mut self) -> Result<Statement> {
        self.skip()?;
        let mut args = Vec::new();
        loop {
            let at = self.tok.start;
            if self.at(T::SConst) {
                args.push(DefElem::new("as", Some(DefArg::String(self.sconst()?)), at));
            } else if self.eat_kw(Kw::Language)? {
                let language = self.non_reserved_word_or_sconst()?;
                args.push(DefElem::new("language", Some(DefArg::String(language)), at));
            } else if args.is_empty() {
                return Err(self.syntax_error());
            } else {
                return Ok(Statement::Do(Box::new(DoStmt { args })));
            }
        }
    }

    pub(crate) fn call_stmt(&mut self) -> Result<Statement> {
        self.skip()?;
        let at = self.tok.start;
        let names = self.func_name()?;
        let funccall = self.application(names, at)?;
        Ok(Statement::Call(Box::new(CallStmt { funccall })))
    }
}
