//! Assignment to parts of columns: `SET a[1] = …`, `SET c.f = …`, `INSERT INTO t (a[1:2], c.f)`, and any nesting of
//! them. The result is an expression for the whole new value of the column.

use super::default_refused;
use crate::coerce::{Context, make_const};
use crate::expr::*;
use crate::info::expr_type;
use crate::kind::ExprKind;
use crate::scope::Analyzer;
use crate::typename::format_type_short;
use common::{Oid, Result, err};
use parser::Indirection;
use types::{Datum, oids};

/// Something that is assigned to: a column, or a part of one.
#[derive(Clone)]
pub(crate) struct Place<'n> {
    /// What messages call it.
    pub name: &'n str,
    pub type_oid: Oid,
    pub typmod: i32,
    pub collation: Oid,
    /// Is it an element or slice of `name`?
    pub subscripted: bool,
    pub loc: Option<usize>,
}

impl<'n> Place<'n> {
    /// A column.
    pub(crate) fn column(a: &'n types::Attribute, loc: Option<usize>) -> Place<'n> {
        Place {
            name: &a.name,
            type_oid: a.type_oid,
            typmod: a.typmod,
            collation: a.collation,
            subscripted: false,
            loc,
        }
    }
}

impl Analyzer<'_> {
    /// The new value of a place whose present value is `base`, when `steps` of it is set to `value`.
    pub(crate) fn assign_part(
        &mut self,
        base: Expr,
        place: &Place<'_>,
        steps: &[Indirection],
        value: Expr,
    ) -> Result<Expr> {
        self.check_stack()?;
        match steps.first() {
            None => self.assign_whole(place, value),
            Some(Indirection::Star) => {
                Err(err!(FEATURE_NOT_SUPPORTED, "row expansion via \"*\" is not supported here")
                    .at_if_none(place.loc))
            }
            Some(Indirection::Field(f)) => self.assign_field(base, place, f, &steps[1..], value),
            Some(_) => {
                let n = steps
                    .iter()
                    .take_while(|s| matches!(s, Indirection::Index(_) | Indirection::Slice { .. }))
                    .count();
                self.assign_subscripts(base, place, &steps[..n], &steps[n..], value)
            }
        }
    }

    fn assign_whole(&mut self, place: &Place<'_>, value: Expr) -> Result<Expr> {
        if let Expr::SetToDefault { .. } = value {
            return Err(default_refused(place.subscripted, place.loc));
        }
        let source = expr_type(&value);
        let e = self.coerce_to_target(
            value,
            place.type_oid,
            place.typmod,
            Context::Assignment,
            CoercionForm::ImplicitCast,
            None,
        )?;
        e.ok_or_else(|| {
            let want = format_type_short(self.ctx, place.type_oid);
            let got = format_type_short(self.ctx, source);
            let e = if place.subscripted {
                err!(
                    DATATYPE_MISMATCH,
                    "subscripted assignment to \"{}\" requires type {want} but expression is of type {got}",
                    place.name
                )
            } else {
                err!(
                    DATATYPE_MISMATCH,
                    "subfield \"{}\" is of type {want} but expression is of type {got}",
                    place.name
                )
            };
            e.hint("You will need to rewrite or cast the expression.").at_if_none(place.loc)
        })
    }

    fn assign_field(
        &mut self,
        base: Expr,
        place: &Place<'_>,
        field: &str,
        rest: &[Indirection],
        value: Expr,
    ) -> Result<Expr> {
        let (row_type, _) = self.ctx.base_type(place.type_oid, place.typmod)?;
        if self.ctx.catalog.type_desc(row_type)?.typtype != b'c' {
            return Err(err!(
                DATATYPE_MISMATCH,
                "cannot assign to field \"{field}\" of column \"{}\" because its type {} is not a composite type",
                place.name,
                format_type_short(self.ctx, place.type_oid)
            )
            .at_if_none(place.loc));
        }
        let desc = self.ctx.catalog.composite_desc(row_type)?;
        let Some(i) = desc.attrs.iter().position(|a| !a.dropped && a.name == field) else {
            return Err(err!(
                UNDEFINED_COLUMN,
                "cannot assign to field \"{field}\" of column \"{}\" because there is no such column in data type {}",
                place.name,
                format_type_short(self.ctx, place.type_oid)
            )
            .at_if_none(place.loc));
        };
        let a = &desc.attrs[i];
        let inner = Place {
            name: field,
            type_oid: a.type_oid,
            typmod: a.typmod,
            collation: a.collation,
            subscripted: false,
            loc: place.loc,
        };
        let base = self.as_base(base, row_type)?;
        let old = Expr::FieldSelect {
            arg: Box::new(base.clone()),
            fieldnum: i as i16 + 1,
            result_type: a.type_oid,
            typmod: a.typmod,
            collation: a.collation,
        };
        let value = self.assign_part(old, &inner, rest, value)?;
        let stored = Expr::FieldStore {
            arg: Box::new(base),
            newvals: vec![value],
            fieldnums: vec![i as i16 + 1],
            result_type: row_type,
        };
        self.put_into_place(stored, place)
    }

    /// The value without its domain.
    fn as_base(&mut self, e: Expr, base: Oid) -> Result<Expr> {
        match e {
            e if expr_type(&e) == base => Ok(e),
            // Parts set one after the other are tested when all are set.
            Expr::CoerceToDomain { arg, .. } if expr_type(&arg) == base => Ok(*arg),
            e => self.coerce_implicit(e, base),
        }
    }

    /// Puts a domain around the new value if the place has one.
    fn put_into_place(&mut self, e: Expr, place: &Place<'_>) -> Result<Expr> {
        if expr_type(&e) == place.type_oid {
            return Ok(e);
        }
        let source = expr_type(&e);
        self.coerce_to_target(
            e,
            place.type_oid,
            place.typmod,
            Context::Assignment,
            CoercionForm::ImplicitCast,
            None,
        )?
        .ok_or_else(|| {
            err!(
                CANNOT_COERCE,
                "cannot cast type {} to {}",
                format_type_short(self.ctx, source),
                format_type_short(self.ctx, place.type_oid)
            )
        })
    }

    fn assign_subscripts(
        &mut self,
        base: Expr,
        place: &Place<'_>,
        subs: &[Indirection],
        rest: &[Indirection],
        value: Expr,
    ) -> Result<Expr> {
        let (container, typmod) = self.ctx.base_type(place.type_oid, place.typmod)?;
        let base = self.as_base(base, container)?;
        // Only a column has a place of its own in the statement.
        let shown = match &base {
            Expr::Var(v) => Expr::Var(Var { location: place.loc, ..v.clone() }),
            _ => make_const(container, Datum::Null),
        };
        let elem = self.subscript_elem(container, &shown)?;
        let list: Vec<&Indirection> = subs.iter().collect();
        let (upper, lower) =
            self.with_kind(ExprKind::UpdateTarget, |an| an.transform_subscripts(container, &list))?;
        let want = if lower.is_some() { container } else { elem };
        let inner = Place {
            name: place.name,
            type_oid: want,
            typmod,
            collation: place.collation,
            subscripted: true,
            loc: place.loc,
        };
        let node = |arg: Expr, result_type, assign| Expr::Subscript {
            container_type: container,
            elem_type: elem,
            result_type,
            typmod,
            collation: place.collation,
            upper: upper.clone(),
            lower: lower.clone().map(Box::new),
            arg: Box::new(arg),
            assign,
        };
        let old = if rest.is_empty() {
            make_const(oids::UNKNOWN, Datum::Null)
        } else {
            node(base.clone(), want, None)
        };
        let value = self.assign_part(old, &inner, rest, value)?;
        let stored = node(base, container, Some(Box::new(value)));
        self.put_into_place(stored, place)
    }

    /// Type and typmod of a part of a place.
    pub(crate) fn part_type(&mut self, place: &Place<'_>, steps: &[Indirection]) -> Result<(Oid, i32)> {
        let null = make_const(place.type_oid, Datum::Null);
        // What is stored decides; a NULL of unknown type takes any.
        let e = self.assign_part(null, place, steps, make_const(oids::UNKNOWN, Datum::Null))?;
        let mut e = &e;
        for _ in 0..=steps.len() {
            e = match e {
                Expr::CoerceToDomain { arg, .. } | Expr::Relabel { arg, .. } => arg,
                Expr::FieldStore { newvals, .. } => &newvals[0],
                Expr::Subscript { assign: Some(v), .. } => v,
                e => e,
            };
        }
        Ok((expr_type(e), crate::info::expr_typmod(e)))
    }
}
