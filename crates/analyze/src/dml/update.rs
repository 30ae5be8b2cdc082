//! UPDATE, and the SET lists of ON CONFLICT DO UPDATE.

use super::column_entry;
use crate::expr::*;
use crate::kind::ExprKind;
use crate::query::*;
use crate::scope::{Analyzer, acl};
use crate::select::new_query;
use catalog::desc::Relation;
use common::{Error, Oid, Result, err};
use parser::{Expr as Raw, ResTarget, UpdateStmt};
use types::oids;

/// Where the columns of `(a, b) = source` come from.
enum Source {
    Row(Vec<Expr>),
    Sub(Box<Query>, usize),
}

impl Analyzer<'_> {
    /// UPDATE.
    pub fn transform_update(&mut self, s: &UpdateStmt) -> Result<Query> {
        let mut q = new_query(CmdType::Update);
        if let Some(w) = &s.with_clause {
            q.has_recursive = w.recursive;
            self.transform_with(w)?;
        }
        let (rel, mut item) = self.set_target(&s.relation, s.relation.inh, acl::UPDATE)?;
        q.result_relation = item.rti;
        item.lateral_only = true;
        item.lateral_ok = false;
        self.add_to_query(item, true);
        self.transform_from(&s.from_clause)?;
        let quals = self.transform_condition(&s.where_clause, ExprKind::Where)?;
        q.returning = self.transform_returning(&s.returning_list)?;
        q.target_list = self.transform_set_list(&rel, q.result_relation, &s.target_list)?;
        q.jointree = FromExpr { from: std::mem::take(&mut self.level().joinlist), quals };
        self.finish_query(&mut q);
        crate::collation::assign_query(self.ctx, &mut q)?;
        if q.has_aggs {
            self.check_grouping(&mut q)?;
        }
        Ok(q)
    }

    /// A SET list: one entry per assigned column.
    pub(super) fn transform_set_list(
        &mut self,
        rel: &Relation,
        rti: u32,
        raw: &[ResTarget],
    ) -> Result<Vec<TargetEntry>> {
        let mut values: Vec<Expr> = Vec::new();
        let mut source: Option<Source> = None;
        for r in raw {
            let Some(val) = &r.val else { return Err(Error::internal("SET without value")) };
            let e = match val {
                Raw::SetToDefault(d) => default_marker(d.location),
                Raw::MultiAssignRef(m) => {
                    if let Some(src) = &m.source {
                        source = Some(self.multi_source(src, m.ncolumns)?);
                    }
                    self.multi_column(source.as_ref(), m.colno)?
                }
                v => self.transform_expr_kind(v, ExprKind::UpdateSource)?,
            };
            values.push(e);
        }
        let mut out: Vec<TargetEntry> = Vec::new();
        let mut whole: Vec<i16> = Vec::new();
        for (r, e) in raw.iter().zip(values) {
            let name = r.name.as_deref().unwrap_or("");
            let attno = self.target_column(rel, name, r.location, false)?;
            let e = if r.indirection.is_empty() {
                whole.push(attno);
                self.assigned_expr(rel, attno, e)?
            } else {
                self.assign_indirection(rel, rti, attno, r, e, &mut out)?
            };
            if let Some(prev) = out.iter_mut().find(|t| t.resno == attno) {
                // Several parts of a column may be set, but not a part beside the whole.
                if whole.contains(&attno) {
                    return Err(err!(SYNTAX_ERROR, "multiple assignments to same column \"{name}\""));
                }
                prev.expr = e;
            } else {
                out.push(column_entry(rel, attno, e));
            }
            let rte = self.rte(rti);
            if !rte.updated_cols.contains(&attno) {
                rte.updated_cols.push(attno);
            }
        }
        Ok(out)
    }

    /// `SET a[i] = e`, `SET c.f = e`: the column with a part replaced.
    fn assign_indirection(
        &mut self,
        rel: &Relation,
        rti: u32,
        attno: i16,
        r: &ResTarget,
        e: Expr,
        out: &mut [TargetEntry],
    ) -> Result<Expr> {
        let a = &rel.desc.attrs[attno as usize - 1];
        let current = match out.iter().find(|t| t.resno == attno) {
            Some(t) => t.expr.clone(),
            None => Expr::Var(Var {
                varno: VarNo::Rte(rti),
                attno,
                vartype: a.type_oid,
                typmod: a.typmod,
                collation: a.collation,
                levels_up: 0,
                syn: (rti, attno),
                location: Some(r.location),
            }),
        };
        let place = super::assign::Place::column(a, Some(r.location));
        if let Expr::SetToDefault { .. } = e {
            let field = matches!(r.indirection.last(), Some(parser::Indirection::Field(_)));
            return Err(super::default_refused(!field, place.loc));
        }
        self.assign_part(current, &place, &r.indirection, e)
    }

    fn multi_source(&mut self, src: &Raw, ncolumns: usize) -> Result<Source> {
        match src {
            Raw::RowExpr(r) => {
                let mut values = Vec::with_capacity(r.args.len());
                for a in &r.args {
                    values.push(match a {
                        Raw::SetToDefault(d) => default_marker(d.location),
                        e => self.transform_expr_kind(e, ExprKind::UpdateSource)?,
                    });
                }
                if values.len() != ncolumns {
                    return Err(err!(SYNTAX_ERROR, "number of columns does not match number of values")
                        .at(r.location));
                }
                Ok(Source::Row(values))
            }
            Raw::SubLink(s) if s.sub_link_type == parser::SubLinkType::Expr => {
                self.level().has_sub_links = true;
                let q = self.with_kind(ExprKind::UpdateSource, |a| a.sub_query(&s.subselect))?;
                if q.target_list.iter().filter(|t| !t.junk).count() != ncolumns {
                    return Err(err!(SYNTAX_ERROR, "number of columns does not match number of values")
                        .at(s.location));
                }
                Ok(Source::Sub(Box::new(q), s.location))
            }
            e => Err(err!(
                FEATURE_NOT_SUPPORTED,
                "source for a multiple-column UPDATE item must be a sub-SELECT or ROW() expression"
            )
            .at(e.location())),
        }
    }

    fn multi_column(&mut self, source: Option<&Source>, colno: usize) -> Result<Expr> {
        match source {
            Some(Source::Row(values)) => Ok(values[colno - 1].clone()),
            Some(Source::Sub(q, loc)) => Ok(column_sublink(q, colno - 1, *loc)),
            None => Err(Error::internal("MultiAssignRef without source")),
        }
    }
}

fn default_marker(loc: usize) -> Expr {
    Expr::SetToDefault { type_oid: oids::UNKNOWN, typmod: -1, collation: Oid::INVALID, location: Some(loc) }
}

/// One column of a sub-select that gives several.
fn column_sublink(q: &Query, column: usize, at: usize) -> Expr {
    let c = &crate::output_columns(q)[column];
    // Errors about the column point at its expression.
    let source = q.target_list.iter().filter(|t| !t.junk).nth(column);
    let location = source.and_then(|t| crate::info::expr_location(&t.expr)).or(Some(at));
    Expr::SubLink(Box::new(SubLink {
        kind: SubLinkType::MultiExpr,
        test: None,
        oper_name: Vec::new(),
        multi: Some(MultiColumn { source: at, column: column as u16 }),
        subselect: Box::new(q.clone()),
        result_type: c.type_oid,
        location,
    }))
}
