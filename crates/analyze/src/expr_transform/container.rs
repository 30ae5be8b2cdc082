//! Rows, arrays, subscripts and field selection.

use crate::coerce::{Context, make_const};
use crate::expr::*;
use crate::info::{expr_collation, expr_location, expr_type, expr_typmod};
use crate::scope::Analyzer;
use crate::typename::format_type_short;
use common::{Oid, Result, err};
use parser::{Expr as Raw, Indirection};
use types::{Datum, oids};

impl Analyzer<'_> {
    pub(super) fn transform_row(&mut self, r: &parser::RowExpr) -> Result<Expr> {
        let mut args = Vec::new();
        for a in &r.args {
            match self.expand_star_in_list(a)? {
                Some(list) => args.extend(list.into_iter().map(|x| x.1)),
                None => args.push(self.transform_expr(a)?),
            }
        }
        if args.len() > 1664 {
            return Err(
                err!(TOO_MANY_COLUMNS, "ROW expressions can have at most 1664 entries").at(r.location)
            );
        }
        let col_names = (1..=args.len()).map(|i| format!("f{i}")).collect();
        Ok(Expr::Row { args, row_type: oids::RECORD, col_names, location: Some(r.location) })
    }

    /// `ARRAY[…]`; `target` is (array type, element type, typmod) of a cast around it.
    pub(super) fn transform_array(
        &mut self,
        a: &parser::AArrayExpr,
        target: Option<(Oid, Oid, i32)>,
    ) -> Result<Expr> {
        let loc = Some(a.location);
        let mut elements = Vec::with_capacity(a.elements.len());
        let mut multidims = false;
        for x in &a.elements {
            let e = match x {
                Raw::AArrayExpr(inner) => {
                    multidims = true;
                    self.transform_array(inner, target)?
                }
                x => {
                    let e = self.transform_expr(x)?;
                    let t = expr_type(&e);
                    if t == oids::INT2VECTOR || t == oids::OIDVECTOR {
                        e
                    } else {
                        multidims |= t.is_valid() && t != oids::UNKNOWN && self.ctx.array_elem(t)?.is_valid();
                        e
                    }
                }
            };
            elements.push(e);
        }
        let (array_type, elem_type, coerce_to, hard) = match target {
            Some((arr, elem, _)) => (arr, elem, if multidims { arr } else { elem }, true),
            None => {
                if elements.is_empty() {
                    return Err(err!(INDETERMINATE_DATATYPE, "cannot determine type of empty array")
                        .hint("Explicitly cast to the desired type, for example ARRAY[]::integer[].")
                        .at(a.location));
                }
                let refs: Vec<&Expr> = elements.iter().collect();
                let t = self.common_type(&refs, "ARRAY")?;
                if multidims {
                    let elem = self.ctx.array_elem(t)?;
                    if !elem.is_valid() {
                        return Err(err!(
                            UNDEFINED_OBJECT,
                            "could not find element type for data type {}",
                            format_type_short(self.ctx, t)
                        )
                        .at(a.location));
                    }
                    (t, elem, t, false)
                } else {
                    let arr = self.ctx.array_of(t)?;
                    if !arr.is_valid() {
                        return Err(err!(
                            UNDEFINED_OBJECT,
                            "could not find array type for data type {}",
                            format_type_short(self.ctx, t)
                        )
                        .at(a.location));
                    }
                    (arr, t, t, false)
                }
            }
        };
        let typmod = target.map_or(-1, |t| t.2);
        let mut out = Vec::with_capacity(elements.len());
        for e in elements {
            let (t, l) = (expr_type(&e), expr_location(&e));
            out.push(if hard {
                match self.coerce_to_target(
                    e,
                    coerce_to,
                    typmod,
                    Context::Explicit,
                    CoercionForm::ExplicitCast,
                    None,
                )? {
                    Some(e) => e,
                    None => {
                        return Err(err!(
                            CANNOT_COERCE,
                            "cannot cast type {} to {}",
                            format_type_short(self.ctx, t),
                            format_type_short(self.ctx, coerce_to)
                        )
                        .at_if_none(l));
                    }
                }
            } else {
                self.coerce_to_common(e, coerce_to, "ARRAY")?
            });
        }
        Ok(Expr::Array {
            array_type,
            elem_type,
            collation: Oid::INVALID,
            elements: out,
            multidims,
            location: loc,
        })
    }

    pub(super) fn transform_indirection(&mut self, i: &parser::AIndirection) -> Result<Expr> {
        let mut e = self.transform_expr(&i.arg)?;
        let loc = expr_location(&e);
        let mut subs: Vec<&Indirection> = Vec::new();
        for step in &i.indirection {
            match step {
                Indirection::Index(_) | Indirection::Slice { .. } => subs.push(step),
                Indirection::Star => {
                    return Err(err!(FEATURE_NOT_SUPPORTED, "row expansion via \"*\" is not supported here")
                        .at_if_none(loc));
                }
                Indirection::Field(f) => {
                    if !subs.is_empty() {
                        e = self.subscript(e, &std::mem::take(&mut subs))?;
                    }
                    let before = e.clone();
                    e = match self.field_of(e, f, loc)? {
                        Some(e) => e,
                        None => return Err(self.no_such_field(&before, f, loc)?),
                    };
                }
            }
        }
        if !subs.is_empty() {
            e = self.subscript(e, &subs)?;
        }
        Ok(e)
    }

    fn no_such_field(&self, e: &Expr, field: &str, loc: Option<usize>) -> Result<common::Error> {
        let t = expr_type(e);
        if let Expr::Var(v) = e
            && v.attno == 0
        {
            let depth = self.levels.len() - 1 - v.levels_up as usize;
            if let VarNo::Rte(n) = v.varno {
                let name = self.levels[depth].rtable[n as usize - 1].eref_name.clone();
                return Ok(err!(UNDEFINED_COLUMN, "column {name}.{field} does not exist").at_if_none(loc));
            }
        }
        if t == oids::RECORD {
            return Ok(err!(UNDEFINED_COLUMN, "could not identify column \"{field}\" in record data type")
                .at_if_none(loc));
        }
        if t != oids::UNKNOWN && self.ctx.is_complex(t)? {
            return Ok(err!(
                UNDEFINED_COLUMN,
                "column \"{field}\" not found in data type {}",
                format_type_short(self.ctx, t)
            )
            .at_if_none(loc));
        }
        Ok(err!(
            WRONG_OBJECT_TYPE,
            "column notation .{field} applied to type {}, which is not a composite type",
            format_type_short(self.ctx, t)
        )
        .at_if_none(loc))
    }

    /// `container[…][…]` for reading.
    pub fn subscript(&mut self, e: Expr, subs: &[&Indirection]) -> Result<Expr> {
        let (container_type, typmod) = self.ctx.base_type(expr_type(&e), expr_typmod(&e))?;
        let elem_type = self.subscript_elem(container_type, &e)?;
        let (upper, lower) = self.transform_subscripts(container_type, subs)?;
        let is_slice = lower.is_some();
        let e = if container_type != expr_type(&e) && expr_type(&e) != oids::UNKNOWN {
            self.coerce_implicit(e, container_type)?
        } else {
            e
        };
        let result_type = if is_slice { container_type } else { elem_type };
        Ok(Expr::Subscript {
            container_type,
            elem_type,
            result_type,
            typmod,
            collation: expr_collation(&e),
            upper,
            lower: lower.map(Box::new),
            arg: Box::new(e),
            assign: None,
        })
    }

    /// Element type of something that can be subscripted; 42804 if it cannot.
    pub fn subscript_elem(&self, container: Oid, e: &Expr) -> Result<Oid> {
        let d = self.ctx.catalog.type_desc(container)?;
        if container == oids::JSONB {
            return Ok(oids::JSONB);
        }
        if d.subscript_proc.is_valid() && d.elem.is_valid() {
            return Ok(d.elem);
        }
        if d.subscript_proc.is_valid() {
            return Err(common::Error::unsupported(format_args!("subscripting type {}", d.name)));
        }
        Err(err!(
            DATATYPE_MISMATCH,
            "cannot subscript type {} because it does not support subscripting",
            format_type_short(self.ctx, container)
        )
        .at_if_none(expr_location(e)))
    }

    /// Upper and (for slices) lower bounds.
    pub fn transform_subscripts(
        &mut self,
        container: Oid,
        subs: &[&Indirection],
    ) -> Result<(Vec<Option<Expr>>, Option<Vec<Option<Expr>>>)> {
        if container == oids::JSONB {
            return Ok((subs.iter().map(|s| self.jsonb_step(s).map(Some)).collect::<Result<_>>()?, None));
        }
        let slice = subs.iter().any(|s| matches!(s, Indirection::Slice { .. }));
        let mut upper = Vec::new();
        let mut lower = Vec::new();
        for s in subs {
            match s {
                Indirection::Index(x) => {
                    // In a slice a plain subscript n means 1:n.
                    lower.push(Some(make_const(oids::INT4, Datum::I32(1))));
                    upper.push(Some(self.subscript_value(x)?));
                }
                Indirection::Slice { lower: l, upper: u } => {
                    lower.push(match l {
                        Some(x) => Some(self.subscript_value(x)?),
                        None => None,
                    });
                    upper.push(match u {
                        Some(x) => Some(self.subscript_value(x)?),
                        None => None,
                    });
                }
                _ => {}
            }
        }
        Ok((upper, slice.then_some(lower)))
    }

    /// A subscript of jsonb: text, or integer where it converts to that only. 42804.
    fn jsonb_step(&mut self, s: &Indirection) -> Result<Expr> {
        let Indirection::Index(x) = s else {
            let bound = match s {
                Indirection::Slice { lower, upper } => upper.as_ref().or(lower.as_ref()),
                _ => None,
            };
            let loc = match bound {
                Some(x) => expr_location(&self.transform_expr(x)?),
                None => None,
            };
            return Err(err!(DATATYPE_MISMATCH, "jsonb subscript does not support slices").at_if_none(loc));
        };
        let e = self.transform_expr(x)?;
        let (t, loc) = (expr_type(&e), expr_location(&e));
        let fits = |to| self.ctx.can_coerce(&[t], &[to], Context::Implicit);
        let target = match t {
            oids::UNKNOWN => oids::TEXT,
            _ => match (fits(oids::INT4)?, fits(oids::TEXT)?) {
                (true, false) => oids::INT4,
                (false, true) => oids::TEXT,
                (int, _) => {
                    let hint = match int {
                        true => "jsonb subscript must be coercible to only one type, integer or text.",
                        false => "jsonb subscript must be coercible to either integer or text.",
                    };
                    let shown = format_type_short(self.ctx, t);
                    return Err(err!(DATATYPE_MISMATCH, "subscript type {shown} is not supported")
                        .hint(hint)
                        .at_if_none(loc));
                }
            },
        };
        self.coerce_to_target(e, target, -1, Context::Assignment, CoercionForm::ImplicitCast, None)?
            .ok_or_else(|| err!(DATATYPE_MISMATCH, "jsonb subscript must have text type").at_if_none(loc))
    }

    fn subscript_value(&mut self, x: &Raw) -> Result<Expr> {
        let e = self.transform_expr(x)?;
        let loc = expr_location(&e);
        self.coerce_to_target(e, oids::INT4, -1, Context::Assignment, CoercionForm::ImplicitCast, None)?
            .ok_or_else(|| err!(DATATYPE_MISMATCH, "array subscript must have type integer").at_if_none(loc))
    }
}
