//! The columns of anonymous records: a value of type `record` has no columns by its type, but where it was made they are
//! known. Found by following variables to the sub-query, WITH item or function they come from.

use crate::expr::*;
use crate::info::{expr_collation, expr_type, expr_typmod};
use crate::query::*;
use crate::rte::ColInfo;
use crate::scope::Analyzer;
use common::Result;
use types::oids;

/// A query level as seen from inside: its range table and WITH items.
#[derive(Clone, Copy)]
struct Frame<'q> {
    rtable: &'q [RangeTblEntry],
    ctes: &'q [CommonTableExpr],
}

impl Analyzer<'_> {
    /// Columns of a row value, with empty names for dropped ones; `None` if they are not known (or it is no row).
    pub fn row_columns(&self, e: &Expr) -> Result<Option<Vec<ColInfo>>> {
        let t = expr_type(e);
        if t != oids::RECORD {
            if !t.is_valid() || !self.ctx.is_complex(t)? {
                return Ok(None);
            }
            let (base, _) = self.ctx.base_type(t, -1)?;
            let desc = self.ctx.catalog.composite_desc(base)?;
            let cols = desc.attrs.iter().map(|a| ColInfo {
                name: if a.dropped { "" } else { &a.name }.into(),
                type_oid: a.type_oid,
                typmod: a.typmod,
                collation: a.collation,
            });
            return Ok(Some(cols.collect()));
        }
        let frames: Vec<Frame<'_>> =
            self.levels.iter().map(|l| Frame { rtable: &l.rtable, ctes: &l.ctes }).collect();
        self.record_columns(e, &frames)
    }

    fn record_columns(&self, e: &Expr, frames: &[Frame<'_>]) -> Result<Option<Vec<ColInfo>>> {
        self.check_stack()?;
        match e {
            Expr::Row { args, col_names, .. } => {
                let cols = args.iter().zip(col_names).map(|(a, n)| ColInfo {
                    name: n.as_str().into(),
                    type_oid: expr_type(a),
                    typmod: expr_typmod(a),
                    collation: expr_collation(a),
                });
                Ok(Some(cols.collect()))
            }
            Expr::Var(v) => self.var_columns(v, frames),
            Expr::Func(f) => {
                let p = self.ctx.catalog.proc_desc(f.funcid)?;
                let cols = self.out_params(f)?;
                Ok((p.ret_type == oids::RECORD && !cols.is_empty()).then_some(cols))
            }
            Expr::Relabel { arg, .. } | Expr::Collate { arg, .. } => self.record_columns(arg, frames),
            Expr::SubLink(s) if s.kind == SubLinkType::Expr => {
                let Some(t) = s.subselect.target_list.iter().find(|t| !t.junk) else { return Ok(None) };
                let inner = push(frames, &s.subselect);
                self.record_columns(&t.expr, &inner)
            }
            _ => Ok(None),
        }
    }

    fn var_columns(&self, v: &Var, frames: &[Frame<'_>]) -> Result<Option<Vec<ColInfo>>> {
        let VarNo::Rte(n) = v.varno else { return Ok(None) };
        let Some(depth) = (frames.len()).checked_sub(1 + v.levels_up as usize) else { return Ok(None) };
        let Some(rte) = frames[depth].rtable.get(n as usize - 1) else { return Ok(None) };
        if v.attno == 0 {
            return Ok(Some(rte_columns(rte)));
        }
        let at = v.attno as usize - 1;
        let here = &frames[..=depth];
        match &rte.kind {
            RteKind::Subquery { query, .. } => self.query_column(query, at, here),
            RteKind::Join { alias_vars, .. } => match alias_vars.get(at) {
                Some(e) => self.record_columns(e, here),
                None => Ok(None),
            },
            RteKind::Values { lists, .. } => match lists.first().and_then(|l| l.get(at)) {
                Some(e) => self.record_columns(e, here),
                None => Ok(None),
            },
            RteKind::Cte { name, levels_up, .. } => {
                let Some(d) = depth.checked_sub(*levels_up as usize) else { return Ok(None) };
                match frames[d].ctes.iter().find(|c| c.name == *name) {
                    Some(c) => self.query_column(&c.query, at, &frames[..=d]),
                    None => Ok(None),
                }
            }
            _ => Ok(None),
        }
    }

    fn query_column(&self, q: &Query, at: usize, outer: &[Frame<'_>]) -> Result<Option<Vec<ColInfo>>> {
        let list = if q.command == CmdType::Select { &q.target_list } else { &q.returning };
        match list.iter().filter(|t| !t.junk).nth(at) {
            Some(t) => self.record_columns(&t.expr, &push(outer, q)),
            None => Ok(None),
        }
    }
}

fn push<'q>(outer: &[Frame<'q>], q: &'q Query) -> Vec<Frame<'q>> {
    let mut v = outer.to_vec();
    v.push(Frame { rtable: &q.rtable, ctes: &q.ctes });
    v
}

fn rte_columns(r: &RangeTblEntry) -> Vec<ColInfo> {
    (0..r.col_types.len())
        .map(|i| ColInfo {
            name: r.eref_cols.get(i).cloned().unwrap_or_default(),
            type_oid: r.col_types[i],
            typmod: r.col_typmods[i],
            collation: r.col_collations[i],
        })
        .collect()
}

/// Field number `i` (from 0) of a row.
pub fn field_select(row: Expr, i: usize, c: &ColInfo) -> Expr {
    Expr::FieldSelect {
        arg: Box::new(row),
        fieldnum: i as i16 + 1,
        result_type: c.type_oid,
        typmod: c.typmod,
        collation: c.collation,
    }
}
