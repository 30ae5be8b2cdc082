//! Column definitions and constraints, of columns and of tables.

use super::Parser;
use crate::ast::{
    CollateClause, ColumnDef, ConstrType, Constraint, FkAction, FkMatchType, GeneratedWhen, IndexElem,
};
use crate::keywords::Kw;
use crate::token::T;
use common::{Result, err};

/// Bits of a constraint's attributes.
mod attribute {
    pub const NOT_DEFERRABLE: u8 = 1;
    pub const DEFERRABLE: u8 = 2;
    pub const IMMEDIATE: u8 = 4;
    pub const DEFERRED: u8 = 8;
    pub const NOT_VALID: u8 = 16;
    pub const NO_INHERIT: u8 = 32;
}

impl Parser<'_> {
    /// `name type [COMPRESSION m] [OPTIONS (…)] qualifiers`
    pub(crate) fn column_def(&mut self) -> Result<ColumnDef> {
        let location = self.tok.start;
        let mut def = ColumnDef { colname: self.col_id()?, location, ..ColumnDef::default() };
        def.type_name = Some(self.type_name()?);
        if self.eat_kw(Kw::Compression)? {
            def.compression = Some(self.compression_method()?);
        }
        def.fdwoptions = self.opt_generic_options()?;
        self.column_qualifiers(&mut def)?;
        Ok(def)
    }

    pub(crate) fn compression_method(&mut self) -> Result<String> {
        if self.eat_kw(Kw::Default)? { Ok("default".to_string()) } else { self.col_id() }
    }

    /// `name [WITH OPTIONS] qualifiers`, in tables that take their columns from elsewhere.
    pub(crate) fn column_options(&mut self) -> Result<ColumnDef> {
        let location = self.tok.start;
        let mut def = ColumnDef { colname: self.col_id()?, location, ..ColumnDef::default() };
        if self.eat_kw(Kw::With)? {
            self.expect_kw(Kw::Options)?;
        }
        self.column_qualifiers(&mut def)?;
        Ok(def)
    }

    fn column_qualifiers(&mut self, def: &mut ColumnDef) -> Result<()> {
        let (constraints, coll_clause) = self.qualifiers()?;
        def.constraints = constraints;
        def.coll_clause = coll_clause;
        Ok(())
    }

    /// Constraints and COLLATE in any order, of a column or a domain.
    pub(crate) fn qualifiers(&mut self) -> Result<(Vec<Constraint>, Option<CollateClause>)> {
        let mut constraints = Vec::new();
        let mut collation: Option<CollateClause> = None;
        loop {
            let at = self.tok.start;
            if let Some(clause) = self.opt_collate()? {
                if collation.replace(clause).is_some() {
                    return Err(err!(SYNTAX_ERROR, "multiple COLLATE clauses not allowed").at(at));
                }
            } else if self.eat_kw(Kw::Constraint)? {
                let name = self.col_id()?;
                match self.column_constraint()? {
                    Some(mut c) => {
                        c.conname = Some(name);
                        c.location = at;
                        constraints.push(c);
                    }
                    None => return Err(self.syntax_error()),
                }
            } else if let Some(c) = self.column_attribute()? {
                constraints.push(c);
            } else if let Some(c) = self.column_constraint()? {
                constraints.push(c);
            } else {
                return Ok((constraints, collation));
            }
        }
    }

    pub(crate) fn opt_collate(&mut self) -> Result<Option<CollateClause>> {
        if !self.at_kw(Kw::Collate) {
            return Ok(None);
        }
        let location = self.skip()?;
        let collname = self.any_name()?;
        Ok(Some(CollateClause { arg: None, collname, location }))
    }

    fn column_attribute(&mut self) -> Result<Option<Constraint>> {
        let location = self.tok.start;
        let contype = match self.kw() {
            Some(Kw::Deferrable) => ConstrType::AttrDeferrable,
            Some(Kw::Not) if self.peek_is_kw(Kw::Deferrable) => {
                self.skip()?;
                ConstrType::AttrNotDeferrable
            }
            Some(Kw::Initially) => {
                self.skip()?;
                match self.kw() {
                    Some(Kw::Deferred) => ConstrType::AttrDeferred,
                    Some(Kw::Immediate) => ConstrType::AttrImmediate,
                    _ => return Err(self.syntax_error()),
                }
            }
            _ => return Ok(None),
        };
        self.skip()?;
        Ok(Some(Constraint { contype, location, ..Constraint::default() }))
    }

    fn column_constraint(&mut self) -> Result<Option<Constraint>> {
        let location = self.tok.start;
        let mut c = Constraint { location, ..Constraint::default() };
        match self.kw() {
            Some(Kw::Not) => {
                self.skip()?;
                self.expect_kw(Kw::Null)?;
                c.contype = ConstrType::NotNull;
            }
            Some(Kw::Null) => {
                self.skip()?;
                c.contype = ConstrType::Null;
            }
            Some(Kw::Unique) => {
                self.skip()?;
                c.contype = ConstrType::Unique;
                c.nulls_not_distinct = self.opt_nulls_distinct()?;
                self.index_parameters(&mut c)?;
            }
            Some(Kw::Primary) => {
                self.skip()?;
                self.expect_kw(Kw::Key)?;
                c.contype = ConstrType::Primary;
                self.index_parameters(&mut c)?;
            }
            Some(Kw::Check) => {
                self.skip()?;
                c.contype = ConstrType::Check;
                self.check_condition(&mut c)?;
                if self.eat_kw(Kw::No)? {
                    self.expect_kw(Kw::Inherit)?;
                    c.is_no_inherit = true;
                }
                c.initially_valid = true;
            }
            Some(Kw::Default) => {
                self.skip()?;
                c.contype = ConstrType::Default;
                c.raw_expr = Some(self.b_expr()?);
            }
            Some(Kw::Generated) => self.generated(&mut c)?,
            Some(Kw::References) => {
                self.skip()?;
                c.contype = ConstrType::Foreign;
                self.references(&mut c)?;
                c.initially_valid = true;
            }
            _ => return Ok(None),
        }
        Ok(Some(c))
    }

    fn check_condition(&mut self, c: &mut Constraint) -> Result<()> {
        self.expect_char(b'(')?;
        c.raw_expr = Some(self.a_expr()?);
        self.expect_char(b')')?;
        Ok(())
    }

    fn generated(&mut self, c: &mut Constraint) -> Result<()> {
        self.skip()?;
        let when_at = self.tok.start;
        c.generated_when = self.generated_when()?;
        self.expect_kw(Kw::As)?;
        if self.eat_kw(Kw::Identity)? {
            c.contype = ConstrType::Identity;
            c.options = self.opt_paren_sequence_options()?;
            return Ok(());
        }
        c.contype = ConstrType::Generated;
        self.check_condition(c)?;
        self.expect_kw(Kw::Stored)?;
        if c.generated_when != GeneratedWhen::Always {
            let message = "for a generated column, GENERATED ALWAYS must be specified";
            return Err(err!(SYNTAX_ERROR, "{message}").at(when_at));
        }
        Ok(())
    }

    pub(crate) fn generated_when(&mut self) -> Result<GeneratedWhen> {
        if self.eat_kw(Kw::Always)? {
            return Ok(GeneratedWhen::Always);
        }
        self.expect_kws(&[Kw::By, Kw::Default])?;
        Ok(GeneratedWhen::ByDefault)
    }

    /// `NULLS [NOT] DISTINCT`
    pub(crate) fn opt_nulls_distinct(&mut self) -> Result<bool> {
        if self.at_kw(Kw::Nulls) && !matches!(self.peek(), T::Kw(Kw::First | Kw::Last)) {
            self.skip()?;
            let not = self.eat_kw(Kw::Not)?;
            self.expect_kw(Kw::Distinct)?;
            return Ok(not);
        }
        Ok(false)
    }

    /// `[WITH (…)] [USING INDEX TABLESPACE name]`
    fn index_parameters(&mut self, c: &mut Constraint) -> Result<()> {
        if self.eat_kw(Kw::With)? {
            c.options = self.definition()?;
        }
        if self.eat_kw(Kw::Using)? {
            self.expect_kws(&[Kw::Index, Kw::Tablespace])?;
            c.indexspace = Some(self.col_id()?);
        }
        Ok(())
    }

    /// Behind REFERENCES.
    fn references(&mut self, c: &mut Constraint) -> Result<()> {
        c.pktable = Some(self.qualified_name()?);
        c.pk_attrs = self.opt_column_list()?;
        if self.at_kw(Kw::Match) {
            let at = self.skip()?;
            c.fk_matchtype = match self.eat_one_of(&[Kw::Full, Kw::Partial, Kw::Simple])? {
                Some(Kw::Full) => FkMatchType::Full,
                Some(Kw::Partial) => {
                    return Err(err!(FEATURE_NOT_SUPPORTED, "MATCH PARTIAL not yet implemented").at(at));
                }
                Some(_) => FkMatchType::Simple,
                None => return Err(self.syntax_error()),
            };
        }
        let (mut on_update, mut on_delete) = (false, false);
        while self.at_kw(Kw::On) {
            let next = self.peek();
            if (next == T::Kw(Kw::Update) && on_update) || (next == T::Kw(Kw::Delete) && on_delete) {
                self.skip()?;
                return Err(self.syntax_error());
            }
            let at = self.skip()?;
            match self.eat_one_of(&[Kw::Update, Kw::Delete])? {
                Some(Kw::Update) => {
                    on_update = true;
                    let (action, columns, word) = self.fk_action()?;
                    if !columns.is_empty() {
                        let message =
                            format!("a column list with {word} is only supported for ON DELETE actions");
                        return Err(err!(FEATURE_NOT_SUPPORTED, "{message}").at(at));
                    }
                    c.fk_upd_action = action;
                }
                Some(_) => {
                    on_delete = true;
                    (c.fk_del_action, c.fk_del_set_cols, _) = self.fk_action()?;
                }
                None => return Err(self.syntax_error()),
            }
        }
        Ok(())
    }

    fn fk_action(&mut self) -> Result<(FkAction, Vec<String>, &'static str)> {
        let plain = |action| Ok((action, Vec::new(), ""));
        match self.eat_one_of(&[Kw::No, Kw::Restrict, Kw::Cascade, Kw::Set])? {
            Some(Kw::No) => {
                self.expect_kw(Kw::Action)?;
                plain(FkAction::NoAction)
            }
            Some(Kw::Restrict) => plain(FkAction::Restrict),
            Some(Kw::Cascade) => plain(FkAction::Cascade),
            Some(_) => {
                let (action, word) = match self.eat_one_of(&[Kw::Null, Kw::Default])? {
                    Some(Kw::Null) => (FkAction::SetNull, "SET NULL"),
                    Some(_) => (FkAction::SetDefault, "SET DEFAULT"),
                    None => return Err(self.syntax_error()),
                };
                Ok((action, self.opt_column_list()?, word))
            }
            None => Err(self.syntax_error()),
        }
    }

    /// Whether a table constraint rather than a column begins here.
    pub(crate) fn at_table_constraint(&mut self) -> bool {
        match self.kw() {
            Some(Kw::Constraint | Kw::Check | Kw::Unique | Kw::Primary | Kw::Foreign) => true,
            Some(Kw::Exclude) => matches!(self.peek(), T::Kw(Kw::Using) | T::Char(b'(')),
            _ => false,
        }
    }

    pub(crate) fn table_constraint(&mut self) -> Result<Constraint> {
        let location = self.tok.start;
        let conname = if self.eat_kw(Kw::Constraint)? { Some(self.col_id()?) } else { None };
        let mut c = Constraint { conname, location, ..Constraint::default() };
        match self.eat_one_of(&[Kw::Check, Kw::Unique, Kw::Primary, Kw::Exclude, Kw::Foreign])? {
            Some(Kw::Check) => {
                c.contype = ConstrType::Check;
                self.check_condition(&mut c)?;
                self.constraint_attributes(&mut c, "CHECK")?;
                c.initially_valid = !c.skip_validation;
            }
            Some(Kw::Unique) => {
                c.contype = ConstrType::Unique;
                if !self.opt_existing_index(&mut c)? {
                    c.nulls_not_distinct = self.opt_nulls_distinct()?;
                    self.key_columns(&mut c)?;
                }
                self.constraint_attributes(&mut c, "UNIQUE")?;
            }
            Some(Kw::Primary) => {
                c.contype = ConstrType::Primary;
                self.expect_kw(Kw::Key)?;
                if !self.opt_existing_index(&mut c)? {
                    self.key_columns(&mut c)?;
                }
                self.constraint_attributes(&mut c, "PRIMARY KEY")?;
            }
            Some(Kw::Exclude) => {
                c.contype = ConstrType::Exclusion;
                self.exclusion(&mut c)?;
                self.constraint_attributes(&mut c, "EXCLUDE")?;
            }
            Some(_) => {
                c.contype = ConstrType::Foreign;
                self.expect_kw(Kw::Key)?;
                c.fk_attrs = self.paren_list(Self::col_id)?;
                self.expect_kw(Kw::References)?;
                self.references(&mut c)?;
                self.constraint_attributes(&mut c, "FOREIGN KEY")?;
                c.initially_valid = !c.skip_validation;
            }
            None => return Err(self.syntax_error()),
        }
        Ok(c)
    }

    fn opt_existing_index(&mut self, c: &mut Constraint) -> Result<bool> {
        if !self.eat_kw(Kw::Using)? {
            return Ok(false);
        }
        self.expect_kw(Kw::Index)?;
        c.indexname = Some(self.col_id()?);
        Ok(true)
    }

    fn key_columns(&mut self, c: &mut Constraint) -> Result<()> {
        c.keys = self.paren_list(Self::col_id)?;
        self.constraint_include(c)?;
        self.index_parameters(c)
    }

    fn constraint_include(&mut self, c: &mut Constraint) -> Result<()> {
        if self.eat_kw(Kw::Include)? {
            c.including = self.paren_list(Self::col_id)?;
        }
        Ok(())
    }

    fn exclusion(&mut self, c: &mut Constraint) -> Result<()> {
        c.access_method = Some(if self.eat_kw(Kw::Using)? { self.col_id()? } else { "btree".to_string() });
        c.exclusions = self.paren_list(|p| {
            let element: IndexElem = p.index_elem()?;
            p.expect_kw(Kw::With)?;
            let operator = if p.at_kw(Kw::Operator) { p.operator_call()? } else { p.any_operator()? };
            Ok((element, operator))
        })?;
        self.constraint_include(c)?;
        self.index_parameters(c)?;
        if self.eat_kw(Kw::Where)? {
            self.expect_char(b'(')?;
            c.where_clause = Some(self.a_expr()?);
            self.expect_char(b')')?;
        }
        Ok(())
    }

    /// DEFERRABLE, INITIALLY …, NOT VALID, NO INHERIT behind a table constraint; `what` names it in errors.
    pub(crate) fn constraint_attributes(&mut self, c: &mut Constraint, what: &str) -> Result<()> {
        use attribute::*;
        let bits = self.attribute_bits()?;
        let refuse = |word: &str| {
            let message = format!("{what} constraints cannot be marked {word}");
            Err(err!(FEATURE_NOT_SUPPORTED, "{message}"))
        };
        if bits & (DEFERRABLE | DEFERRED) != 0 {
            if what == "CHECK" {
                return refuse("DEFERRABLE");
            }
            c.deferrable = true;
        }
        c.initdeferred = bits & DEFERRED != 0;
        if bits & NOT_VALID != 0 {
            if !matches!(c.contype, ConstrType::Check | ConstrType::Foreign) || c.initially_valid {
                return refuse("NOT VALID");
            }
            c.skip_validation = true;
        }
        if bits & NO_INHERIT != 0 {
            if what != "CHECK" {
                return refuse("NO INHERIT");
            }
            c.is_no_inherit = true;
        }
        Ok(())
    }

    fn attribute_bits(&mut self) -> Result<u8> {
        use attribute::*;
        let mut bits = 0;
        loop {
            let at = self.tok.start;
            let bit = match self.kw() {
                Some(Kw::Deferrable) => DEFERRABLE,
                Some(Kw::Not) => {
                    self.skip()?;
                    match self.kw() {
                        Some(Kw::Deferrable) => NOT_DEFERRABLE,
                        Some(Kw::Valid) => NOT_VALID,
                        _ => return Err(self.syntax_error()),
                    }
                }
                Some(Kw::Initially) => {
                    self.skip()?;
                    match self.kw() {
                        Some(Kw::Immediate) => IMMEDIATE,
                        Some(Kw::Deferred) => DEFERRED,
                        _ => return Err(self.syntax_error()),
                    }
                }
                Some(Kw::No) => {
                    self.skip()?;
                    if !self.at_kw(Kw::Inherit) {
                        return Err(self.syntax_error());
                    }
                    NO_INHERIT
                }
                _ => return Ok(bits),
            };
            self.skip()?;
            bits |= bit;
            if bits & (NOT_DEFERRABLE | DEFERRED) == (NOT_DEFERRABLE | DEFERRED) {
                let message = "constraint declared INITIALLY DEFERRED must be DEFERRABLE";
                return Err(err!(SYNTAX_ERROR, "{message}").at(at));
            }
            let both = |a: u8, b: u8| bits & (a | b) == (a | b);
            if both(NOT_DEFERRABLE, DEFERRABLE) || both(IMMEDIATE, DEFERRED) {
                return Err(err!(SYNTAX_ERROR, "conflicting constraint properties").at(at));
            }
        }
    }
}
