//! Column references: `a`, `t.a`, `s.t.a`, whole rows, `.field` of rows.

use crate::expr::Expr;
use crate::kind::ExprKind;
use crate::scope::Analyzer;
use common::{Result, SqlState, err};
use parser::{ColumnRef, Field};

impl Analyzer<'_> {
    /// Resolves a column reference. In the body of a function a name that is no column may be a parameter's.
    pub fn transform_column_ref(&mut self, c: &ColumnRef) -> Result<Expr> {
        match self.column_or_row(c) {
            Err(e)
                if self.params.function.is_some()
                    && matches!(e.sqlstate(), SqlState::UNDEFINED_COLUMN | SqlState::UNDEFINED_TABLE) =>
            {
                let names: Vec<String> = names_of(c).iter().map(|n| n.to_string()).collect();
                self.function_parameter(&names, c.location)?.ok_or(e)
            }
            r => r,
        }
    }

    /// The parameter of the function under analysis that a name means: `p`, `p.field`, `function.p`, `function.p.field`.
    pub fn function_parameter(&mut self, names: &[String], loc: usize) -> Result<Option<Expr>> {
        let Some(f) = self.params.function.clone() else { return Ok(None) };
        let number = |n: &String| f.arg_names.iter().position(|a| a == n && !n.is_empty());
        let (i, field) = match names {
            [p] => (number(p), None),
            [q, p] if *q == f.name && number(p).is_some() => (number(p), None),
            [p, field] => (number(p), Some(field)),
            [q, p, field] if *q == f.name => (number(p), Some(field)),
            _ => (None, None),
        };
        let Some(i) = i else { return Ok(None) };
        let param = self.transform_param(parser::ParamRef { number: i as i32 + 1, location: loc })?;
        match field {
            None => Ok(Some(param)),
            Some(field) => self.field_of(param, field, Some(loc)),
        }
    }

    fn column_or_row(&mut self, c: &ColumnRef) -> Result<Expr> {
        let loc = c.location;
        match self.level().kind {
            ExprKind::ColumnDefault => {
                return Err(
                    err!(FEATURE_NOT_SUPPORTED, "cannot use column reference in DEFAULT expression").at(loc)
                );
            }
            ExprKind::PartitionBound => {
                return Err(err!(
                    FEATURE_NOT_SUPPORTED,
                    "cannot use column reference in partition bound expression"
                )
                .at(loc));
            }
            _ => {}
        }
        let star = matches!(c.fields.last(), Some(Field::Star));
        match c.fields.as_slice() {
            [Field::Name(name)] => return self.unqualified(name, loc),
            [Field::Name(rel), Field::Name(col)] => return self.qualified(None, rel, Some(col), loc),
            _ => {}
        }
        match names_of(c).as_slice() {
            [rel] => self.qualified(None, rel, None, loc),
            [schema, rel] => self.qualified(Some(schema), rel, None, loc),
            [schema, rel, col] if !star => self.qualified(Some(schema), rel, Some(col), loc),
            [db, schema, rel] => {
                self.check_database(db, c)?;
                self.qualified(Some(schema), rel, None, loc)
            }
            [db, schema, rel, col] if !star => {
                self.check_database(db, c)?;
                self.qualified(Some(schema), rel, Some(col), loc)
            }
            names => Err(err!(
                SYNTAX_ERROR,
                "improper qualified name (too many dotted names): {}",
                names.join(".")
            )
            .at(loc)),
        }
    }

    fn unqualified(&mut self, name: &str, loc: usize) -> Result<Expr> {
        if let Some(v) = &self.domain_value
            && name == "value"
        {
            return Ok(v.clone());
        }
        if let Some(e) = self.column_by_name(name, loc, false)? {
            return Ok(e);
        }
        if let Some((depth, item)) = self.find_item(None, name, loc)? {
            return self.whole_row(depth, &item, Some(loc));
        }
        Err(self.missing_column(None, name, loc))
    }

    fn check_database(&self, db: &str, c: &ColumnRef) -> Result<()> {
        if db == self.ctx.database {
            return Ok(());
        }
        let name = names_of(c).join(".");
        Err(err!(FEATURE_NOT_SUPPORTED, "cross-database references are not implemented: {name}")
            .at(c.location))
    }

    fn qualified(&mut self, schema: Option<&str>, rel: &str, col: Option<&str>, loc: usize) -> Result<Expr> {
        let Some((depth, place)) = self.item_place(schema, rel, loc)? else {
            return Err(self.missing_rte(schema, rel, loc)?);
        };
        if let Some(col) = col {
            let items = std::mem::take(&mut self.levels[depth].namespace);
            let found = self.column_of_item(depth, &items[place], col, loc);
            self.levels[depth].namespace = items;
            if let Some(e) = found? {
                return Ok(e);
            }
        }
        let item = self.levels[depth].namespace[place].clone();
        let Some(col) = col else { return self.whole_row(depth, &item, Some(loc)) };
        // `t.f` may be a function of the row in functional notation.
        let row = self.whole_row(depth, &item, Some(loc))?;
        let t = crate::info::expr_type(&row);
        if let Ok(crate::func::Lookup::Found(c)) =
            self.ctx.find_function(&[col.to_string()], &[t], &[], false)
            && c.item.proc.kind == b'f'
        {
            let raw = parser::FuncCall {
                funcname: vec![col.to_string()],
                args: vec![parser::Expr::ColumnRef(ColumnRef {
                    fields: vec![Field::Name(rel.to_string()), Field::Star],
                    location: loc,
                })],
                location: loc,
                ..Default::default()
            };
            return self.transform_func_call(&raw);
        }
        Err(self.missing_column(Some(rel), col, loc))
    }
}

/// The names of a reference without the star.
pub fn names_of(c: &ColumnRef) -> Vec<&str> {
    c.fields
        .iter()
        .filter_map(|f| match f {
            Field::Name(n) => Some(n.as_str()),
            Field::Star => None,
        })
        .collect()
}
