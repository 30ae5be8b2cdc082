//! WITH: analysing the items in order, references to them from anywhere below, and recursion.

use crate::query::*;
use crate::rte::ColInfo;
use crate::scope::{Analyzer, NsItem};
use crate::typename::format_type;
use common::{Error, Result, err};
use parser::{Statement, WithClause};

impl Analyzer<'_> {
    /// The WITH clause of the innermost level's query.
    pub fn transform_with(&mut self, w: &WithClause) -> Result<()> {
        for (i, c) in w.ctes.iter().enumerate() {
            if w.ctes[..i].iter().any(|d| d.ctename == c.ctename) {
                return Err(err!(
                    DUPLICATE_ALIAS,
                    "WITH query name \"{}\" specified more than once",
                    c.ctename
                )
                .at(c.location));
            }
            if matches!(*c.ctequery, Statement::Insert(_) | Statement::Update(_) | Statement::Delete(_)) {
                if self.levels.len() > 1 {
                    return Err(err!(
                        FEATURE_NOT_SUPPORTED,
                        "WITH clause containing a data-modifying statement must be at the top level"
                    )
                    .at(c.location));
                }
                self.level().has_modifying_cte = true;
            }
        }
        let order = match w.recursive {
            true => crate::cte_order::order(w)?,
            false => crate::cte_order::Order {
                order: (0..w.ctes.len()).collect(),
                recursive: vec![false; w.ctes.len()],
            },
        };
        self.level().future_ctes = w.ctes.iter().map(|c| c.ctename.clone()).collect();
        for i in order.order {
            let c = &w.ctes[i];
            let (search, cycle) = self.cte_clauses(c)?;
            if order.recursive[i] {
                let mut item = placeholder(c);
                item.search = search.clone();
                item.cycle = cycle.clone().map(Box::new);
                self.level().recursive_cte = Some(item);
            }
            let r = self.transform_cte(c, order.recursive[i]);
            self.level().recursive_cte = None;
            let mut cte = r?;
            crate::cte_search::check(&cte, c)?;
            for (name, t, typmod, collation) in crate::cte_search::columns(search.as_ref(), cycle.as_ref()) {
                cte.push_column(name, t, typmod, collation);
            }
            cte.search = search;
            cte.cycle = cycle.map(Box::new);
            let lv = self.level();
            lv.future_ctes.retain(|n| *n != c.ctename);
            lv.ctes.push(cte);
        }
        Ok(())
    }

    fn transform_cte(&mut self, c: &parser::CommonTableExpr, recursive: bool) -> Result<CommonTableExpr> {
        let q = {
            self.push_level();
            let r = match &*c.ctequery {
                Statement::Select(s) => self.transform_select(s),
                Statement::Insert(s) => self.transform_insert(s),
                Statement::Update(s) => self.transform_update(s),
                Statement::Delete(s) => self.transform_delete(s),
                Statement::Merge(_) => {
                    Err(err!(FEATURE_NOT_SUPPORTED, "MERGE not supported in WITH query").at(c.location))
                }
                _ => Err(Error::internal("unexpected statement in WITH")),
            };
            self.pop_level();
            r?
        };
        let cols = crate::output_columns(&q);
        let mut cte = placeholder(c);
        cte.recursive = recursive;
        if c.aliascolnames.len() > cols.len() {
            return Err(err!(
                INVALID_COLUMN_REFERENCE,
                "WITH query \"{}\" has {} columns available but {} columns specified",
                c.ctename,
                cols.len(),
                c.aliascolnames.len()
            )
            .at(c.location));
        }
        for (i, o) in cols.into_iter().enumerate() {
            let name = c.aliascolnames.get(i).map_or(o.name, |n| n.as_str().into());
            cte.push_column(name, o.type_oid, o.typmod, o.collation);
        }
        cte.query = Box::new(q);
        Ok(cte)
    }

    /// If an unqualified name in FROM is a WITH item, the item for it.
    pub fn cte_reference(&mut self, rv: &parser::RangeVar) -> Result<Option<NsItem>> {
        for depth in (0..self.levels.len()).rev() {
            let up = (self.levels.len() - 1 - depth) as u32;
            let lv = &mut self.levels[depth];
            if let Some(c) = lv.ctes.iter_mut().find(|c| c.name == rv.relname) {
                c.refcount += 1;
                if c.query.command != CmdType::Select && c.query.returning.is_empty() {
                    return Err(err!(
                        FEATURE_NOT_SUPPORTED,
                        "WITH query \"{}\" does not have a RETURNING clause",
                        c.name
                    )
                    .at(rv.location));
                }
                let (name, cols) = (c.name.clone(), c.column_lists());
                return self.add_cte_ref(&name, cols, up, false, rv.alias.as_ref(), rv.location).map(Some);
            }
            if let Some(c) = &mut lv.recursive_cte
                && c.name == rv.relname
            {
                if c.col_names.is_empty() {
                    return Err(Error::internal("recursive reference outside a recursive term"));
                }
                c.refcount += 1;
                let (name, cols) = (c.name.clone(), c.column_lists());
                return self.add_cte_ref(&name, cols, up, true, rv.alias.as_ref(), rv.location).map(Some);
            }
        }
        Ok(None)
    }

    /// Called between the arms of a top-level UNION: if this query is the body of a WITH RECURSIVE item, its columns
    /// are known from here on.
    pub fn begin_recursive_arm(&mut self, cols: &[ColInfo]) -> Result<bool> {
        let Some(owner) = self.levels.len().checked_sub(2) else { return Ok(false) };
        // The item's column aliases are kept in `col_names` until the columns are known.
        let Some(c) = &mut self.levels[owner].recursive_cte else { return Ok(false) };
        if !c.col_types.is_empty() {
            return Ok(false);
        }
        let aliases = std::mem::take(&mut c.query.target_list);
        if aliases.len() > cols.len() {
            return Err(err!(
                INVALID_COLUMN_REFERENCE,
                "WITH query \"{}\" has {} columns available but {} columns specified",
                c.name,
                cols.len(),
                aliases.len()
            )
            .at_if_none(c.location));
        }
        for (i, k) in cols.iter().enumerate() {
            let alias = aliases.get(i).and_then(|t| t.name.clone());
            let name = alias.unwrap_or_else(|| k.name.clone());
            c.push_column(name, k.type_oid, k.typmod, k.collation);
        }
        for (name, t, typmod, collation) in crate::cte_search::columns(c.search.as_ref(), c.cycle.as_deref())
        {
            c.push_column(name, t, typmod, collation);
        }
        Ok(true)
    }

    /// The overall column types must be those of the non-recursive term, which the recursive one has worked with.
    pub fn check_recursive_types(&mut self, node: &SetOperation, locations: &[Option<usize>]) -> Result<()> {
        let Some(owner) = self.levels.len().checked_sub(2) else { return Ok(()) };
        let Some(c) = &self.levels[owner].recursive_cte else { return Ok(()) };
        if c.refcount == 0 {
            return Ok(());
        }
        for (i, t) in c.col_types.iter().take(node.col_types.len()).enumerate() {
            if node.col_types[i] != *t || node.col_typmods[i] != c.col_typmods[i] {
                return Err(err!(
                    DATATYPE_MISMATCH,
                    "recursive query \"{}\" column {} has type {} in non-recursive term but type {} overall",
                    c.name,
                    i + 1,
                    format_type(self.ctx, *t, c.col_typmods[i]),
                    format_type(self.ctx, node.col_types[i], node.col_typmods[i])
                )
                .hint("Cast the output of the non-recursive term to the correct type.")
                .at_if_none(locations.get(i).copied().flatten()));
            }
        }
        Ok(())
    }
}

/// An item whose columns are not known; the written column aliases are parked in its query's target list.
fn placeholder(c: &parser::CommonTableExpr) -> CommonTableExpr {
    let mut query = crate::select::new_query(CmdType::Select);
    for a in &c.aliascolnames {
        let null = crate::coerce::make_const(types::oids::UNKNOWN, types::Datum::Null);
        crate::target::push_entry(&mut query.target_list, null, Some(a.as_str().into()));
    }
    CommonTableExpr {
        name: c.ctename.clone(),
        materialized: match c.ctematerialized {
            parser::CTEMaterialize::Default => CteMaterialize::Default,
            parser::CTEMaterialize::Always => CteMaterialize::Always,
            parser::CTEMaterialize::Never => CteMaterialize::Never,
        },
        query: Box::new(query),
        recursive: false,
        refcount: 0,
        col_names: Default::default(),
        col_types: Default::default(),
        col_typmods: Default::default(),
        col_collations: Default::default(),
        search: None,
        cycle: None,
        location: Some(c.location),
    }
}
