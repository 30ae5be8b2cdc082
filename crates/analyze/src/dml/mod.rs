//! INSERT, UPDATE, DELETE: target relation, assigned values, RETURNING.

mod assign;
mod insert;
mod merge;
mod on_conflict;
mod update;

use crate::CatRef;
use crate::coerce::Context;
use crate::expr::*;
use crate::info::{expr_location, expr_type};
use crate::kind::ExprKind;
use crate::query::*;
use crate::scope::Analyzer;
use crate::select::new_query;
use crate::typename::format_type_short;
use catalog::desc::Relation;
use common::{Error, Oid, Result, err};
use parser::{RangeVar, ResTarget};
use types::oids;

const ROW_EXCLUSIVE: u8 = 3;

impl Analyzer<'_> {
    /// Opens the target relation and adds it as an entry that is not part of FROM.
    pub(crate) fn set_target(
        &mut self,
        rv: &RangeVar,
        inh: bool,
        perms: u32,
    ) -> Result<(CatRef<Relation>, crate::scope::NsItem)> {
        if rv.schemaname.is_none() && self.levels.iter().any(|l| l.ctes.iter().any(|c| c.name == rv.relname))
        {
            return Err(err!(
                WRONG_OBJECT_TYPE,
                "relation \"{}\" cannot be the target of a modifying statement",
                rv.relname
            )
            .at(rv.location));
        }
        let rel = self.open_relation(rv, ROW_EXCLUSIVE)?;
        match rel.kind {
            b'r' | b'p' | b'v' => {}
            b'm' => {
                return Err(err!(WRONG_OBJECT_TYPE, "cannot change materialized view \"{}\"", rel.name));
            }
            b'S' => return Err(err!(WRONG_OBJECT_TYPE, "cannot change sequence \"{}\"", rel.name)),
            b't' => return Err(err!(WRONG_OBJECT_TYPE, "cannot change TOAST relation \"{}\"", rel.name)),
            _ => return Err(err!(WRONG_OBJECT_TYPE, "cannot change relation \"{}\"", rel.name)),
        }
        let item = self.add_relation(&rel, rv.alias.as_ref(), inh, ROW_EXCLUSIVE, Some(rv.location))?;
        self.level().target_rti = item.rti;
        let rte = self.rte(item.rti);
        rte.required_perms = perms;
        rte.in_from = false;
        Ok((rel, item))
    }

    /// Attribute number of an assignable column; 42703 if there is none.
    pub(crate) fn target_column(&self, rel: &Relation, name: &str, loc: usize, insert: bool) -> Result<i16> {
        if let Some(i) = rel.desc.attrs.iter().position(|a| !a.dropped && a.name == name) {
            return Ok(i as i16 + 1);
        }
        if !insert && crate::scope::SYSTEM_COLUMNS.iter().any(|s| s.0 == name) {
            return Err(err!(FEATURE_NOT_SUPPORTED, "cannot assign to system column \"{name}\"").at(loc));
        }
        Err(err!(UNDEFINED_COLUMN, "column \"{name}\" of relation \"{}\" does not exist", rel.name).at(loc))
    }

    /// Converts a value to its target column's type by assignment rules.
    pub(crate) fn assigned_expr(&mut self, rel: &Relation, attno: i16, e: Expr) -> Result<Expr> {
        let a = &rel.desc.attrs[attno as usize - 1];
        if let Expr::SetToDefault { location, .. } = e {
            return Ok(Expr::SetToDefault {
                type_oid: a.type_oid,
                typmod: a.typmod,
                collation: a.collation,
                location,
            });
        }
        let source = expr_type(&e);
        let loc = expr_location(&e);
        self.coerce_to_target(e, a.type_oid, a.typmod, Context::Assignment, CoercionForm::ImplicitCast, None)?
            .ok_or_else(|| {
                err!(
                    DATATYPE_MISMATCH,
                    "column \"{}\" is of type {} but expression is of type {}",
                    a.name,
                    format_type_short(self.ctx, a.type_oid),
                    format_type_short(self.ctx, source)
                )
                .hint("You will need to rewrite or cast the expression.")
                .at_if_none(loc)
            })
    }

    /// RETURNING.
    pub(crate) fn transform_returning(&mut self, raw: &[ResTarget]) -> Result<Vec<TargetEntry>> {
        if raw.is_empty() {
            return Ok(Vec::new());
        }
        let mut list = self.transform_target_list(raw, ExprKind::Returning)?;
        if list.is_empty() {
            return Err(err!(SYNTAX_ERROR, "RETURNING must have at least one column")
                .at_if_none(raw[0].val.as_ref().map(|v| v.location())));
        }
        if self.level().resolve_unknowns {
            self.resolve_unknown_list(&mut list)?;
        }
        Ok(list)
    }

    /// DELETE.
    pub fn transform_delete(&mut self, s: &parser::DeleteStmt) -> Result<Query> {
        let mut q = new_query(CmdType::Delete);
        if let Some(w) = &s.with_clause {
            q.has_recursive = w.recursive;
            self.transform_with(w)?;
        }
        let (_, mut item) = self.set_target(&s.relation, s.relation.inh, crate::scope::acl::DELETE)?;
        q.result_relation = item.rti;
        item.lateral_only = true;
        item.lateral_ok = false;
        self.add_to_query(item, true);
        self.transform_from(&s.using_clause)?;
        let quals = self.transform_condition(&s.where_clause, ExprKind::Where)?;
        q.returning = self.transform_returning(&s.returning_list)?;
        q.jointree = FromExpr { from: std::mem::take(&mut self.level().joinlist), quals };
        self.finish_query(&mut q);
        crate::collation::assign_query(self.ctx, &mut q)?;
        if q.has_aggs {
            self.check_grouping(&mut q)?;
        }
        Ok(q)
    }
}

/// DEFAULT as the value of a part of a column.
pub(crate) fn default_refused(subscripted: bool, loc: Option<usize>) -> Error {
    let what = if subscripted { "an array element" } else { "a subfield" };
    err!(FEATURE_NOT_SUPPORTED, "cannot set {what} to DEFAULT").at_if_none(loc)
}

/// A target entry for a column.
pub(crate) fn column_entry(rel: &Relation, attno: i16, expr: Expr) -> TargetEntry {
    TargetEntry {
        expr,
        resno: attno,
        name: Some(rel.column_lists().names[attno as usize - 1].clone()),
        sort_group_ref: 0,
        orig: (Oid::INVALID, 0),
        junk: false,
    }
}

/// Is it a literal or parameter whose type is open?
pub(crate) fn is_unknown_literal(e: &Expr) -> bool {
    matches!(e, Expr::Const(_) | Expr::Param(_)) && expr_type(e) == oids::UNKNOWN
}
