//! Names: the classes of words that may stand for an identifier, qualified names, operators, and constants that the
//! statements take in place of names.

use super::Parser;
use crate::ast::{Field, Indirection, RangeVar, RelPersistence, RoleSpec, RoleSpecType};
use crate::keywords::{Category, Kw};
use crate::token::T;
use common::{Result, err};

/// Identifier or keyword that may name a column or table.
pub(crate) fn is_col_id(kind: T) -> bool {
    match kind {
        T::Ident => true,
        T::Kw(k) => matches!(k.category(), Category::Unreserved | Category::ColName),
        _ => false,
    }
}

/// Identifier or keyword that may name a function or type.
pub(crate) fn is_type_function_name(kind: T) -> bool {
    match kind {
        T::Ident => true,
        T::Kw(k) => matches!(k.category(), Category::Unreserved | Category::TypeFuncName),
        _ => false,
    }
}

/// Anything but a reserved word.
pub(crate) fn is_non_reserved(kind: T) -> bool {
    match kind {
        T::Ident => true,
        T::Kw(k) => k.category() != Category::Reserved,
        _ => false,
    }
}

/// Any word.
pub(crate) fn is_col_label(kind: T) -> bool {
    matches!(kind, T::Ident | T::Kw(_))
}

/// A word that may be a column label without AS.
pub(crate) fn is_bare_label(kind: T) -> bool {
    match kind {
        T::Ident => true,
        T::Kw(k) => k.is_bare_label(),
        _ => false,
    }
}

impl Parser<'_> {
    /// Consumes a word and returns its spelling.
    pub(crate) fn word(&mut self) -> Result<String> {
        let token = self.advance()?;
        Ok(match token.kind {
            T::Kw(k) => k.text().to_string(),
            _ => token.text.into_owned(),
        })
    }

    fn word_if(&mut self, class: fn(T) -> bool) -> Result<String> {
        if class(self.tok.kind) && !self.at_nulls_order() { self.word() } else { Err(self.syntax_error()) }
    }

    pub(crate) fn col_id(&mut self) -> Result<String> {
        self.word_if(is_col_id)
    }

    pub(crate) fn type_function_name(&mut self) -> Result<String> {
        self.word_if(is_type_function_name)
    }

    pub(crate) fn non_reserved_word(&mut self) -> Result<String> {
        self.word_if(is_non_reserved)
    }

    pub(crate) fn col_label(&mut self) -> Result<String> {
        self.word_if(is_col_label)
    }

    /// A string literal.
    pub(crate) fn sconst(&mut self) -> Result<String> {
        if !self.at(T::SConst) {
            return Err(self.syntax_error());
        }
        Ok(self.advance()?.text.into_owned())
    }

    /// An integer literal without sign.
    pub(crate) fn iconst(&mut self) -> Result<i32> {
        if !self.at(T::IConst) {
            return Err(self.syntax_error());
        }
        Ok(self.advance()?.ival)
    }

    /// An integer literal with optional sign.
    pub(crate) fn signed_iconst(&mut self) -> Result<i32> {
        if self.eat_char(b'-')? {
            return Ok(self.iconst()?.wrapping_neg());
        }
        self.eat_char(b'+')?;
        self.iconst()
    }

    pub(crate) fn non_reserved_word_or_sconst(&mut self) -> Result<String> {
        if self.at(T::SConst) { self.sconst() } else { self.non_reserved_word() }
    }

    /// `name` or `name.name…` as it stands for objects that are not relations.
    pub(crate) fn any_name(&mut self) -> Result<Vec<String>> {
        let mut names = vec![self.col_id()?];
        while self.eat_char(b'.')? {
            names.push(self.col_label()?);
        }
        Ok(names)
    }

    pub(crate) fn any_name_list(&mut self) -> Result<Vec<Vec<String>>> {
        self.list(Self::any_name)
    }

    pub(crate) fn name_list(&mut self) -> Result<Vec<String>> {
        self.list(Self::col_id)
    }

    /// `(name, …)`, optional.
    pub(crate) fn opt_column_list(&mut self) -> Result<Vec<String>> {
        if self.at_char(b'(') { self.paren_list(Self::col_id) } else { Ok(Vec::new()) }
    }

    /// A function's name: one word that may be a keyword of the function class, or a qualified name.
    pub(crate) fn func_name(&mut self) -> Result<Vec<String>> {
        if !is_col_id(self.tok.kind) {
            return Ok(vec![self.type_function_name()?]);
        }
        let single = is_type_function_name(self.tok.kind);
        let first = self.word()?;
        if !single && !self.at_char(b'.') && !self.at_char(b'[') {
            return Err(self.syntax_error());
        }
        let indirection = self.indirection()?;
        self.names_of(first, indirection)
    }

    /// Turns `first` and an indirection of plain names into a qualified name.
    pub(crate) fn names_of(&mut self, first: String, indirection: Vec<Indirection>) -> Result<Vec<String>> {
        let mut names = Vec::with_capacity(1 + indirection.len());
        names.push(first);
        for step in indirection {
            match step {
                Indirection::Field(name) => names.push(name),
                _ => return Err(self.syntax_error()),
            }
        }
        Ok(names)
    }

    /// A relation's name.
    pub(crate) fn qualified_name(&mut self) -> Result<RangeVar> {
        let location = self.tok.start;
        let first = self.col_id()?;
        if !self.at_char(b'.') && !self.at_char(b'[') {
            return Ok(RangeVar { relname: first, inh: true, location, ..RangeVar::default() });
        }
        let indirection = self.indirection()?;
        let names = self.names_of(first, indirection)?;
        range_var_from_names(names, location)
    }

    pub(crate) fn qualified_name_list(&mut self) -> Result<Vec<RangeVar>> {
        self.list(Self::qualified_name)
    }

    /// `name`, `name *`, `ONLY name`, `ONLY (name)`.
    pub(crate) fn relation_expr(&mut self) -> Result<RangeVar> {
        if self.eat_kw(Kw::Only)? {
            let paren = self.eat_char(b'(')?;
            let mut rel = self.qualified_name()?;
            if paren {
                self.expect_char(b')')?;
            }
            rel.inh = false;
            return Ok(rel);
        }
        let rel = self.qualified_name()?;
        self.eat_char(b'*')?;
        Ok(rel)
    }

    /// Steps of `.name`, `.*`, `[index]`; may be none.
    pub(crate) fn indirection(&mut self) -> Result<Vec<Indirection>> {
        self.steps(Vec::new())
    }

    /// As [`Parser::indirection`], behind a first step.
    pub(crate) fn further_indirection(&mut self, first: Indirection) -> Result<Vec<Indirection>> {
        self.steps(vec![first])
    }

    fn steps(&mut self, mut steps: Vec<Indirection>) -> Result<Vec<Indirection>> {
        loop {
            if self.at_char(b'.') {
                self.skip()?;
                if self.eat_char(b'*')? {
                    steps.push(Indirection::Star);
                } else {
                    steps.push(Indirection::Field(self.col_label()?));
                }
            } else if self.at_char(b'[') {
                self.skip()?;
                steps.push(self.subscript()?);
            } else {
                break;
            }
        }
        let star = steps.iter().position(|s| *s == Indirection::Star);
        if star.is_some_and(|i| i + 1 < steps.len()) {
            return Err(self.error_at_token("improper use of \"*\""));
        }
        Ok(steps)
    }

    /// Inside the brackets, and the closing one.
    fn subscript(&mut self) -> Result<Indirection> {
        let lower = if self.at_char(b':') { None } else { Some(self.a_expr()?) };
        let step = if self.eat_char(b':')? {
            let upper = if self.at_char(b']') { None } else { Some(self.a_expr()?) };
            Indirection::Slice { lower, upper }
        } else {
            match lower {
                Some(index) => Indirection::Index(index),
                None => return Err(self.syntax_error()),
            }
        };
        self.expect_char(b']')?;
        Ok(step)
    }

    // ---- operators

    /// Spelling of an operator token (`Op` and the operators with tokens of their own).
    pub(crate) fn operator_text(&self) -> Option<&str> {
        Some(match self.kind() {
            T::Op => &self.tok.text,
            T::Char(b'+') => "+",
            T::Char(b'-') => "-",
            T::Char(b'*') => "*",
            T::Char(b'/') => "/",
            T::Char(b'%') => "%",
            T::Char(b'^') => "^",
            T::Char(b'<') => "<",
            T::Char(b'>') => ">",
            T::Char(b'=') => "=",
            T::LessEquals => "<=",
            T::GreaterEquals => ">=",
            T::NotEquals => "<>",
            _ => return None,
        })
    }

    pub(crate) fn all_op(&mut self) -> Result<String> {
        let Some(text) = self.operator_text() else {
            return Err(self.syntax_error());
        };
        let text = text.to_string();
        self.skip()?;
        Ok(text)
    }

    /// An operator, perhaps with schema.
    pub(crate) fn any_operator(&mut self) -> Result<Vec<String>> {
        let mut names = Vec::new();
        while is_col_id(self.tok.kind) {
            names.push(self.word()?);
            self.expect_char(b'.')?;
        }
        names.push(self.all_op()?);
        Ok(names)
    }

    /// `OPERATOR(…)`; the present token is OPERATOR.
    pub(crate) fn operator_call(&mut self) -> Result<Vec<String>> {
        self.skip()?;
        self.expect_char(b'(')?;
        let names = self.any_operator()?;
        self.expect_char(b')')?;
        Ok(names)
    }

    /// Any operator, or `OPERATOR(…)`.
    pub(crate) fn qual_all_op(&mut self) -> Result<Vec<String>> {
        if self.at_kw(Kw::Operator) { self.operator_call() } else { Ok(vec![self.all_op()?]) }
    }

    // ---- roles

    /// A role: a name or one of the words that stand for one.
    pub(crate) fn role_spec(&mut self) -> Result<RoleSpec> {
        let location = self.tok.start;
        let roletype = match self.kind() {
            T::Kw(Kw::CurrentRole) => RoleSpecType::CurrentRole,
            T::Kw(Kw::CurrentUser) => RoleSpecType::CurrentUser,
            T::Kw(Kw::SessionUser) => RoleSpecType::SessionUser,
            kind if is_non_reserved(kind) => {
                let name = self.word()?;
                let roletype = match name.as_str() {
                    "public" => RoleSpecType::Public,
                    "none" => {
                        return Err(err!(RESERVED_NAME, "role name \"none\" is reserved").at(location));
                    }
                    _ => RoleSpecType::CString(name),
                };
                return Ok(RoleSpec { roletype, location });
            }
            _ => return Err(self.syntax_error()),
        };
        self.skip()?;
        Ok(RoleSpec { roletype, location })
    }

    pub(crate) fn role_list(&mut self) -> Result<Vec<RoleSpec>> {
        self.list(Self::role_spec)
    }

    /// A role's own name, where PUBLIC and CURRENT_USER make no sense.
    pub(crate) fn role_id(&mut self) -> Result<String> {
        only_name(self.role_spec()?)
    }
}

/// The name of a role where no word that stands for one is allowed.
pub(crate) fn only_name(role: RoleSpec) -> Result<String> {
    let at = role.location;
    match role.roletype {
        RoleSpecType::CString(name) => Ok(name),
        RoleSpecType::Public => Err(err!(RESERVED_NAME, "role name \"public\" is reserved").at(at)),
        other => {
            let word = match other {
                RoleSpecType::SessionUser => "SESSION_USER",
                RoleSpecType::CurrentUser => "CURRENT_USER",
                _ => "CURRENT_ROLE",
            };
            Err(err!(RESERVED_NAME, "{word} cannot be used as a role name here").at(at))
        }
    }
}

/// `[catalog.][schema.]name`
pub(crate) fn range_var_from_names(mut names: Vec<String>, location: usize) -> Result<RangeVar> {
    if names.len() > 3 {
        let dotted = names.join(".");
        return Err(
            err!(SYNTAX_ERROR, "improper qualified name (too many dotted names): {dotted}").at(location)
        );
    }
    let relname = names.pop().unwrap_or_default();
    let schemaname = names.pop();
    let catalogname = names.pop();
    Ok(RangeVar {
        catalogname,
        schemaname,
        relname,
        inh: true,
        relpersistence: RelPersistence::Permanent,
        alias: None,
        location,
    })
}

/// Splits `name indirection` into a column reference's fields and what remains from the first subscript on.
pub(crate) fn split_column_ref(first: String, steps: Vec<Indirection>) -> (Vec<Field>, Vec<Indirection>) {
    let mut fields = Vec::with_capacity(1 + steps.len());
    fields.push(Field::Name(first));
    let mut rest = Vec::new();
    for step in steps {
        match step {
            Indirection::Field(name) if rest.is_empty() => fields.push(Field::Name(name)),
            Indirection::Star if rest.is_empty() => fields.push(Field::Star),
            step => rest.push(step),
        }
    }
    (fields, rest)
}
