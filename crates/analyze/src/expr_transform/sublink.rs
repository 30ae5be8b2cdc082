//! Sub-selects in expressions: EXISTS, scalar, ARRAY, IN / ANY / ALL and row comparisons.

use crate::expr::*;
use crate::info::{expr_collation, expr_type, expr_typmod};
use crate::query::Query;
use crate::scope::Analyzer;
use common::{Error, Oid, Result, err};
use parser::Expr as Raw;
use types::oids;

impl Analyzer<'_> {
    pub(super) fn transform_sublink(&mut self, s: &parser::SubLink) -> Result<Expr> {
        let loc = Some(s.location);
        let kind = self.level().kind;
        if let Some(place) = kind.forbids_subqueries() {
            return Err(err!(FEATURE_NOT_SUPPORTED, "cannot use subquery in {place}").at(s.location));
        }
        self.level().has_sub_links = true;
        let q = self.sub_query(&s.subselect)?;
        match s.sub_link_type {
            parser::SubLinkType::Exists => {
                Ok(sublink(SubLinkType::Exists, None, Vec::new(), q, oids::BOOL, loc))
            }
            parser::SubLinkType::Expr | parser::SubLinkType::Array => {
                let visible: Vec<&TargetEntry> = q.target_list.iter().filter(|t| !t.junk).collect();
                let [col] = visible.as_slice() else {
                    return Err(err!(SYNTAX_ERROR, "subquery must return only one column").at(s.location));
                };
                let t = expr_type(&col.expr);
                if s.sub_link_type == parser::SubLinkType::Expr {
                    return Ok(sublink(SubLinkType::Expr, None, Vec::new(), q, t, loc));
                }
                // An array's own elements stay in one flat array.
                let array = if self.ctx.array_elem(t)?.is_valid() { t } else { self.ctx.array_of(t)? };
                if !array.is_valid() {
                    return Err(err!(
                        UNDEFINED_OBJECT,
                        "could not find array type for data type {}",
                        crate::typename::format_type_short(self.ctx, t)
                    )
                    .at(s.location));
                }
                Ok(sublink(SubLinkType::Array, None, Vec::new(), q, array, loc))
            }
            parser::SubLinkType::Any | parser::SubLinkType::All => {
                let Some(test) = &s.testexpr else { return Err(Error::internal("sub-select without test")) };
                let left = match test {
                    Raw::RowExpr(r) => match self.transform_row(r)? {
                        Expr::Row { args, .. } => args,
                        e => vec![e],
                    },
                    e => vec![self.transform_expr(e)?],
                };
                let right = output_params(&q);
                check_columns(left.len(), right.len(), s.location)?;
                let name = if s.oper_name.is_empty() { vec!["=".to_string()] } else { s.oper_name.clone() };
                let cmp = self.make_row_comparison(&name, left, right, loc)?;
                let kind = if s.sub_link_type == parser::SubLinkType::Any {
                    SubLinkType::Any
                } else {
                    SubLinkType::All
                };
                Ok(sublink(kind, Some(cmp), s.oper_name.clone(), q, oids::BOOL, loc))
            }
        }
    }

    /// `(a, b) op (SELECT …)`.
    pub(super) fn row_compare_sublink(
        &mut self,
        name: &[String],
        left: Vec<Expr>,
        s: &parser::SubLink,
        loc: Option<usize>,
    ) -> Result<Expr> {
        if let Some(place) = self.level().kind.forbids_subqueries() {
            return Err(err!(FEATURE_NOT_SUPPORTED, "cannot use subquery in {place}").at(s.location));
        }
        self.level().has_sub_links = true;
        let q = self.sub_query(&s.subselect)?;
        let right = output_params(&q);
        check_columns(left.len(), right.len(), loc.unwrap_or(s.location))?;
        let cmp = self.make_row_comparison(name, left, right, loc)?;
        Ok(sublink(SubLinkType::RowCompare, Some(cmp), name.to_vec(), q, oids::BOOL, loc))
    }

    /// Analyses a sub-select one level down.
    pub fn sub_query(&mut self, s: &parser::SelectStmt) -> Result<Query> {
        self.push_level();
        let r = self.transform_select(s);
        self.pop_level();
        let q = r?;
        if q.command != crate::query::CmdType::Select {
            return Err(Error::internal("unexpected non-SELECT command in SubLink"));
        }
        Ok(q)
    }
}

fn check_columns(left: usize, right: usize, loc: usize) -> Result<()> {
    if left < right {
        return Err(err!(SYNTAX_ERROR, "subquery has too many columns").at(loc));
    }
    if left > right {
        return Err(err!(SYNTAX_ERROR, "subquery has too few columns").at(loc));
    }
    Ok(())
}

fn output_params(q: &Query) -> Vec<Expr> {
    q.target_list
        .iter()
        .filter(|t| !t.junk)
        .enumerate()
        .map(|(i, t)| {
            Expr::Param(Param {
                kind: ParamKind::SubLink,
                id: i as u32 + 1,
                paramtype: expr_type(&t.expr),
                typmod: expr_typmod(&t.expr),
                collation: expr_collation(&t.expr),
                location: None,
            })
        })
        .collect()
}

/// A sub-link node.
pub fn sublink(
    kind: SubLinkType,
    test: Option<Expr>,
    oper_name: Vec<String>,
    q: Query,
    result_type: Oid,
    location: Option<usize>,
) -> Expr {
    Expr::SubLink(Box::new(SubLink {
        kind,
        test: test.map(Box::new),
        oper_name,
        multi: None,
        subselect: Box::new(q),
        result_type,
        location,
    }))
}
