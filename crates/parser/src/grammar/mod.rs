//! The grammar: recursive descent over the lexer's tokens, one file per family of statements. [`Parser`] holds the one
//! token of lookahead (a second one on demand) and the primitives that all files use.
//! Invariant: an error is raised at the first token that no valid statement could have in its place, as an LALR parser
//! does, so that its position is PostgreSQL's.

mod admin;
mod alter;
mod alter_object;
mod alter_type;
mod column;
mod copy;
mod create;
mod define;
mod drop;
mod expr;
mod extension;
mod from;
mod func;
mod grant;
mod index;
mod insert;
mod merge;
mod name;
mod object;
mod opclass;
mod option;
mod primary;
mod publication;
mod role;
mod routine;
mod schema;
mod select;
mod sequence;
mod special;
mod statement;
mod table;
mod textsearch;
mod transaction;
mod trigger;
mod types;
mod update;
mod utility;
mod variable;
mod with;
mod xml;

use crate::ast::{Expr, RawStmt, Statement, TypeName};
use crate::keywords::Kw;
use crate::lexer::Lexer;
use crate::token::{T, Token};
use common::{Error, Report, Result, Severity, err};
use std::rc::Rc;

/// Levels of nesting the parser follows. Each costs stack here and in everything that walks the tree; the server makes
/// room for that on its main thread.
const DEPTH_MAX: u32 = 1_000;
/// Length of a chain of left-associative operators, which nests the tree without nesting the parser. PostgreSQL gives up
/// at some 4,000 as well.
const CHAIN_MAX: u32 = 4_000;
/// The same for UNION and its like.
const SET_CHAIN_MAX: u32 = 10_000;

/// The parser's state over one query string.
pub(crate) struct Parser<'a> {
    lex: Lexer<'a>,
    /// The token under consideration.
    pub(crate) tok: Token<'a>,
    /// The one behind it, when it was looked at. A scanner error waits here until its turn comes.
    ahead: Option<Result<Token<'a>>>,
    /// End of the last consumed token.
    pub(crate) prev_end: usize,
    depth: u32,
    chain: u32,
    /// End of the last row constructor, for OVERLAPS.
    row_end: usize,
    /// Name of the last plain operator: the next one is often the same.
    last_operator: Option<Rc<[String]>>,
    /// Where the ORDER BY of the last call's arguments stood.
    order_at: usize,
    /// Inside the first argument of SUBSTRING, where SIMILAR without TO ends the operand.
    similar_stops: bool,
    /// Inside CREATE SCHEMA, where CREATE TABLE AS cannot stand.
    in_schema: bool,
    /// Inside EXPLAIN, where CREATE TABLE stands only with AS.
    in_explain: bool,
}

impl<'a> Parser<'a> {
    /// Reads the first token.
    pub(crate) fn new(sql: &'a str) -> Result<Parser<'a>> {
        Parser::of(Lexer::new(sql))
    }

    /// Reads what the lexer delivers.
    pub(crate) fn of(mut lex: Lexer<'a>) -> Result<Parser<'a>> {
        let tok = lex.next_token()?;
        let mut parser = Parser {
            lex,
            tok,
            ahead: None,
            prev_end: 0,
            depth: 0,
            chain: 0,
            row_end: usize::MAX,
            last_operator: None,
            order_at: 0,
            similar_stops: false,
            in_schema: false,
            in_explain: false,
        };
        if matches!(parser.kind(), T::Kw(Kw::With | Kw::Nulls | Kw::Not)) {
            parser.look_behind_word()?;
        }
        Ok(parser)
    }

    /// NOTICEs so far.
    pub(crate) fn take_notices(&mut self) -> Vec<Report> {
        self.lex.take_notices()
    }

    /// Emits a WARNING from the grammar.
    pub(crate) fn warning(&mut self, report: Report) {
        debug_assert!(report.severity >= Severity::Notice);
        self.lex.add_notice(report);
    }

    /// The whole text: statements separated by semicolons.
    pub(crate) fn statements(&mut self) -> Result<Vec<RawStmt>> {
        let mut list = Vec::new();
        let mut location = 0;
        loop {
            if self.tok.kind == T::Eof {
                return Ok(list);
            }
            if self.at_char(b';') {
                location = self.tok.end;
                self.skip()?;
                continue;
            }
            let mut stmt = self.statement()?;
            let end = match self.kind() {
                T::Eof => self.lex.src.len(),
                T::Char(b';') => self.tok.start,
                _ => return Err(self.syntax_error()),
            };
            let len = end - location;
            if let Statement::Prepare(p) = &mut stmt
                && let Some(query) = Rc::get_mut(&mut p.query)
            {
                (query.location, query.len) = (location, len);
            }
            list.push(RawStmt { stmt, location, len });
        }
    }

    /// One expression and nothing else.
    pub(crate) fn only_expression(&mut self) -> Result<Expr> {
        let e = self.a_expr()?;
        self.expect_eof()?;
        Ok(e)
    }

    /// One type name and nothing else.
    pub(crate) fn only_type_name(&mut self) -> Result<TypeName> {
        let t = self.type_name()?;
        self.expect_eof()?;
        Ok(t)
    }

    fn expect_eof(&mut self) -> Result<()> {
        if self.tok.kind == T::Eof { Ok(()) } else { Err(self.syntax_error()) }
    }

    // ---- tokens

    /// Consumes the present token and returns it.
    #[inline]
    pub(crate) fn advance(&mut self) -> Result<Token<'a>> {
        let next = self.scan()?;
        self.prev_end = self.tok.end;
        Ok(std::mem::replace(&mut self.tok, next))
    }

    /// The token behind the present one.
    #[inline]
    fn scan(&mut self) -> Result<Token<'a>> {
        let next = if self.ahead.is_none() { self.lex.next_token()? } else { self.take_ahead()? };
        if matches!(next.kind, T::Kw(Kw::With | Kw::Nulls | Kw::Not)) {
            self.look_behind_word()?;
        }
        Ok(next)
    }

    /// What follows WITH, NULLS and NOT decides which token they are, so it is scanned together with them.
    #[cold]
    fn look_behind_word(&mut self) -> Result<()> {
        self.peek();
        if let Some(Err(e)) = self.ahead.take_if(|ahead| ahead.is_err()) {
            return Err(e);
        }
        Ok(())
    }

    #[cold]
    fn take_ahead(&mut self) -> Result<Token<'a>> {
        match self.ahead.take() {
            Some(token) => token,
            None => self.lex.next_token(),
        }
    }

    /// Consumes the present token; returns where it started.
    #[inline]
    pub(crate) fn skip(&mut self) -> Result<usize> {
        let start = self.tok.start;
        let next = self.scan()?;
        self.prev_end = self.tok.end;
        self.tok = next;
        Ok(start)
    }

    /// Kind of the token behind the present one.
    pub(crate) fn peek(&mut self) -> T {
        if self.ahead.is_none() {
            self.ahead = Some(self.lex.next_token());
        }
        match &self.ahead {
            Some(Ok(t)) => t.kind,
            _ => T::Eof,
        }
    }

    /// Kind of the token two behind the present one. Scans it again later; for rare decisions only.
    fn third(&mut self) -> T {
        self.peek();
        let Some(Ok(second)) = &self.ahead else {
            return T::Eof;
        };
        let mut lex = Lexer::with_options(self.lex.src, self.lex.options);
        lex.pos = second.end;
        lex.next_token().map_or(T::Eof, |t| t.kind)
    }

    /// Whether the third token is TIME, for `time WITH TIME ZONE`.
    pub(crate) fn third_is_time(&mut self) -> bool {
        self.third_is(Kw::Time)
    }

    pub(crate) fn third_is(&mut self, kw: Kw) -> bool {
        self.third() == T::Kw(kw)
    }

    pub(crate) fn third_is_paren(&mut self) -> bool {
        self.third() == T::Char(b'(')
    }

    /// Whether CREATE USER MAPPING is about a mapping, not about a user of that name.
    pub(crate) fn third_continues_mapping(&mut self) -> bool {
        matches!(self.third(), T::Kw(Kw::For | Kw::If))
    }

    pub(crate) fn third_is_equals(&mut self) -> bool {
        self.third() == T::Char(b'=')
    }

    /// Whether SET SCHEMA or SET TABLESPACE sets a variable, not the object's property.
    pub(crate) fn third_sets_variable(&mut self) -> bool {
        matches!(self.third(), T::SConst | T::Char(b'=' | b'.') | T::Kw(Kw::To | Kw::From))
    }

    /// The text being parsed.
    pub(crate) fn source(&self) -> &str {
        self.lex.src
    }

    #[inline]
    pub(crate) fn at(&self, kind: T) -> bool {
        self.tok.kind == kind
    }

    #[inline]
    pub(crate) fn at_char(&self, c: u8) -> bool {
        self.tok.kind == T::Char(c)
    }

    #[inline]
    pub(crate) fn at_kw(&self, kw: Kw) -> bool {
        self.tok.kind == T::Kw(kw)
    }

    /// Kind of the present token.
    #[inline]
    pub(crate) fn kind(&self) -> T {
        self.tok.kind
    }

    /// The present token's keyword; none for WITH and NOT that belong to the next word.
    pub(crate) fn kw(&self) -> Option<Kw> {
        match self.kind() {
            T::Kw(Kw::With) if matches!(self.known_ahead(), Some(T::Kw(Kw::Time | Kw::Ordinality))) => None,
            T::Kw(Kw::Not) if self.known_ahead().is_some_and(expr::negatable) => None,
            T::Kw(kw) => Some(kw),
            _ => None,
        }
    }

    /// Kind of the token behind the present one, if it has been scanned, as it always is behind WITH and NOT.
    fn known_ahead(&self) -> Option<T> {
        match &self.ahead {
            Some(Ok(token)) => Some(token.kind),
            _ => None,
        }
    }

    pub(crate) fn peek_is_kw(&mut self, kw: Kw) -> bool {
        self.peek() == T::Kw(kw)
    }

    pub(crate) fn peek_is_char(&mut self, c: u8) -> bool {
        self.peek() == T::Char(c)
    }

    /// Consumes the character if it is the present token.
    #[inline]
    pub(crate) fn eat_char(&mut self, c: u8) -> Result<bool> {
        let yes = self.at_char(c);
        if yes {
            self.skip()?;
        }
        Ok(yes)
    }

    /// Consumes the keyword if it is the present token.
    #[inline]
    pub(crate) fn eat_kw(&mut self, kw: Kw) -> Result<bool> {
        let yes = self.at_kw(kw) && !self.belongs_to_next(kw);
        if yes {
            self.skip()?;
        }
        Ok(yes)
    }

    /// At WITH: whether TIME or ORDINALITY follows; at NOT: LIKE and its like. Then it is a token of its own that few
    /// rules take.
    fn belongs_to_next(&mut self, kw: Kw) -> bool {
        match kw {
            Kw::With => matches!(self.peek(), T::Kw(Kw::Time | Kw::Ordinality)),
            Kw::Not => expr::negatable(self.peek()),
            _ => false,
        }
    }

    /// Consumes one of the keywords and says which.
    pub(crate) fn eat_one_of(&mut self, kws: &[Kw]) -> Result<Option<Kw>> {
        match self.kw() {
            Some(kw) if kws.contains(&kw) => {
                self.skip()?;
                Ok(Some(kw))
            }
            _ => Ok(None),
        }
    }

    pub(crate) fn expect_char(&mut self, c: u8) -> Result<usize> {
        if self.at_char(c) { self.skip() } else { Err(self.syntax_error()) }
    }

    pub(crate) fn expect_kw(&mut self, kw: Kw) -> Result<usize> {
        if self.at_kw(kw) && !self.belongs_to_next(kw) { self.skip() } else { Err(self.syntax_error()) }
    }

    /// WITH as a noise word: whatever follows it.
    pub(crate) fn opt_with(&mut self) -> Result<bool> {
        let yes = self.at_kw(Kw::With);
        if yes {
            self.skip()?;
        }
        Ok(yes)
    }

    /// A fixed sequence of keywords.
    pub(crate) fn expect_kws(&mut self, kws: &[Kw]) -> Result<()> {
        for kw in kws {
            self.expect_kw(*kw)?;
        }
        Ok(())
    }

    /// `IF EXISTS`, optional.
    pub(crate) fn if_exists(&mut self) -> Result<bool> {
        if self.at_kw(Kw::If) && self.peek_is_kw(Kw::Exists) {
            self.skip()?;
            self.skip()?;
            return Ok(true);
        }
        Ok(false)
    }

    /// As [`Parser::if_exists`] where no name could stand in its place.
    pub(crate) fn if_exists_only(&mut self) -> Result<bool> {
        let yes = self.eat_kw(Kw::If)?;
        if yes {
            self.expect_kw(Kw::Exists)?;
        }
        Ok(yes)
    }

    /// As [`Parser::if_not_exists`] where no name could stand in its place.
    pub(crate) fn if_not_exists_only(&mut self) -> Result<bool> {
        let yes = self.eat_kw(Kw::If)?;
        if yes {
            self.expect_kws(&[Kw::Not, Kw::Exists])?;
        }
        Ok(yes)
    }

    /// `IF NOT EXISTS`, optional.
    pub(crate) fn if_not_exists(&mut self) -> Result<bool> {
        if self.at_kw(Kw::If) && self.peek_is_kw(Kw::Not) {
            self.skip()?;
            self.expect_kws(&[Kw::Not, Kw::Exists])?;
            return Ok(true);
        }
        Ok(false)
    }

    /// `item, item, …`
    pub(crate) fn list<R>(&mut self, mut item: impl FnMut(&mut Self) -> Result<R>) -> Result<Vec<R>> {
        let mut list = vec![item(self)?];
        while self.eat_char(b',')? {
            list.push(item(self)?);
        }
        Ok(list)
    }

    /// `( item, item, … )`
    pub(crate) fn paren_list<R>(&mut self, item: impl FnMut(&mut Self) -> Result<R>) -> Result<Vec<R>> {
        self.expect_char(b'(')?;
        let list = self.list(item)?;
        self.expect_char(b')')?;
        Ok(list)
    }

    // ---- errors

    /// The present token fits nowhere.
    #[cold]
    pub(crate) fn syntax_error(&self) -> Error {
        self.error_at_token("syntax error")
    }

    /// `message at or near …` the present token.
    #[cold]
    pub(crate) fn error_at_token(&self, message: &str) -> Error {
        if self.tok.kind == T::Eof {
            return err!(SYNTAX_ERROR, "{message} at end of input").at(self.tok.start);
        }
        let near = &self.lex.src[self.tok.start..self.tok.end];
        err!(SYNTAX_ERROR, "{message} at or near \"{near}\"").at(self.tok.start)
    }

    // ---- depth

    /// Enters a level of nesting; [`Parser::leave`] ends it. On an error the parser is given up anyway.
    #[inline]
    pub(crate) fn enter(&mut self) -> Result<()> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(too_deep());
        }
        Ok(())
    }

    #[inline]
    pub(crate) fn leave(&mut self) {
        self.depth -= 1;
    }

    /// Counts a link of a left-associative chain.
    #[inline]
    pub(crate) fn link(&mut self) -> Result<()> {
        self.link_within(CHAIN_MAX)
    }

    fn link_within(&mut self, max: u32) -> Result<()> {
        self.chain += 1;
        if self.chain > max {
            return Err(too_deep());
        }
        Ok(())
    }

    /// Where the chain counter stands, to be restored when an independent part of the tree begins.
    #[inline]
    pub(crate) fn start_chain(&mut self) -> u32 {
        std::mem::take(&mut self.chain)
    }

    /// The longest chain in a subtree adds to the chain around it.
    #[inline]
    pub(crate) fn end_chain(&mut self, saved: u32) {
        self.chain = self.chain.max(saved);
    }
}

#[cold]
fn too_deep() -> Error {
    err!(STATEMENT_TOO_COMPLEX, "stack depth limit exceeded").hint(
        "Increase the configuration parameter \"max_stack_depth\" (currently 2048kB), \
         after ensuring the platform's stack depth limit is adequate.",
    )
}
