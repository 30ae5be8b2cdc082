//! Range table entries: made from relations, sub-queries, functions, VALUES, WITH items and joins, each with the item
//! that makes its columns visible.

use crate::CatRef;
use crate::ctx::ExprRel;
use crate::expr::Expr;
use crate::info::{expr_collation, expr_type, expr_typmod};
use crate::query::*;
use crate::scope::{Analyzer, NsCol, NsItem};
use catalog::desc::Relation;
use common::{Oid, Result, err};
use parser::{Alias, RangeVar};

/// An entry with nothing filled in but its kind.
pub fn new_rte(kind: RteKind, alias: Option<&Alias>, name: &str) -> RangeTblEntry {
    RangeTblEntry {
        kind,
        alias: alias.map(|a| a.aliasname.clone()),
        eref_name: alias.map_or_else(|| name.to_string(), |a| a.aliasname.clone()),
        eref_cols: Vec::new(),
        col_types: Vec::new(),
        col_typmods: Vec::new(),
        col_collations: Vec::new(),
        in_from: true,
        required_perms: 0,
        check_as_user: Oid::INVALID,
        selected_cols: Vec::new(),
        inserted_cols: Vec::new(),
        updated_cols: Vec::new(),
        security_quals: Vec::new(),
    }
}

/// A column to be put into an entry.
#[derive(Clone, Debug)]
pub struct ColInfo {
    /// Empty for a dropped column.
    pub name: String,
    pub type_oid: Oid,
    pub typmod: i32,
    pub collation: Oid,
}

fn fill(rte: &mut RangeTblEntry, cols: Vec<ColInfo>, alias: Option<&Alias>) {
    let mut names = alias.map(|a| a.colnames.iter()).into_iter().flatten();
    for c in cols {
        let name = if c.name.is_empty() { String::new() } else { names.next().cloned().unwrap_or(c.name) };
        rte.eref_cols.push(name);
        rte.col_types.push(c.type_oid);
        rte.col_typmods.push(c.typmod);
        rte.col_collations.push(c.collation);
    }
}

impl Analyzer<'_> {
    /// Adds an entry to the range table and returns the item for it (both kinds of names visible).
    pub fn add_rte(&mut self, rte: RangeTblEntry) -> NsItem {
        let rti = self.level().rtable.len() as u32 + 1;
        let cols: Vec<NsCol> = (0..rte.eref_cols.len())
            .map(|i| NsCol {
                name: rte.eref_cols[i].as_str().into(),
                varno: rti,
                attno: i as i16 + 1,
                type_oid: rte.col_types[i],
                typmod: rte.col_typmods[i],
                collation: rte.col_collations[i],
                syn: (rti, i as i16 + 1),
                dont_expand: false,
            })
            .collect();
        let name = rte.eref_name.clone();
        self.level().rtable.push(rte);
        NsItem {
            rti,
            name,
            cols: cols.into(),
            rel_visible: true,
            cols_visible: true,
            lateral_only: false,
            lateral_ok: true,
        }
    }

    /// Finds a relation, locks it and reads its descriptor; 42P01 if there is none.
    pub fn open_relation(&mut self, rv: &RangeVar, lockmode: u8) -> Result<CatRef<Relation>> {
        match self.try_open(rv, lockmode)? {
            Some(r) => Ok(r),
            None => {
                let full = match &rv.schemaname {
                    Some(s) => format!("{s}.{}", rv.relname),
                    None => rv.relname.clone(),
                };
                let e = err!(UNDEFINED_TABLE, "relation \"{full}\" does not exist").at(rv.location);
                if rv.schemaname.is_none() && self.levels.iter().any(|l| l.future_ctes.contains(&rv.relname))
                {
                    return Err(e
                        .detail(format!(
                            "There is a WITH item named \"{}\", but it cannot be referenced from this part of the query.",
                            rv.relname
                        ))
                        .hint("Use WITH RECURSIVE, or re-order the WITH items to remove forward references."));
                }
                Err(e)
            }
        }
    }

    fn relation_name_to_oid(&self, rv: &RangeVar) -> Result<Option<Oid>> {
        if let Some(c) = &rv.catalogname
            && c != self.ctx.database
        {
            return Err(err!(
                FEATURE_NOT_SUPPORTED,
                "cross-database references are not implemented: \"{}.{}.{}\"",
                c,
                rv.schemaname.as_deref().unwrap_or(""),
                rv.relname
            )
            .at(rv.location));
        }
        match &rv.schemaname {
            None => self.ctx.catalog.find_relation(self.ctx.path, &rv.relname),
            Some(s) => match self.ctx.catalog.named_schema(s).map_err(|e| e.at(rv.location))? {
                Some(ns) => self.ctx.catalog.relation_oid(ns, &rv.relname),
                None => Ok(None),
            },
        }
    }

    fn try_open(&mut self, rv: &RangeVar, lockmode: u8) -> Result<Option<CatRef<Relation>>> {
        let Some(mut oid) = self.relation_name_to_oid(rv)? else { return Ok(None) };
        // The name may come to mean another relation while we wait for the lock.
        loop {
            (self.ctx.lock)(oid, lockmode)?;
            match self.relation_name_to_oid(rv)? {
                Some(again) if again == oid => break,
                Some(again) => oid = again,
                None => return Ok(None),
            }
        }
        let r = self.ctx.catalog.relation(oid)?;
        let what = match r.kind {
            b'i' | b'I' => "indexes",
            b'c' => "composite types",
            _ => return Ok(Some(r)),
        };
        Err(err!(WRONG_OBJECT_TYPE, "cannot open relation \"{}\"", r.name)
            .detail(format!("This operation is not supported for {what}."))
            .at(rv.location))
    }

    /// A table, view or sequence in FROM (or a target).
    pub fn add_relation(
        &mut self,
        rel: &Relation,
        alias: Option<&Alias>,
        inh: bool,
        lockmode: u8,
        loc: Option<usize>,
    ) -> Result<NsItem> {
        let shape = ExprRel { name: &rel.name, oid: rel.oid, desc: &rel.desc };
        self.add_shape(shape, rel.kind, alias, inh, lockmode, loc)
    }

    /// As [`Analyzer::add_relation`] for a relation that may not exist yet.
    pub fn add_shape(
        &mut self,
        rel: ExprRel<'_>,
        relkind: u8,
        alias: Option<&Alias>,
        inh: bool,
        lockmode: u8,
        loc: Option<usize>,
    ) -> Result<NsItem> {
        let kind = RteKind::Relation { relid: rel.oid, relkind, lockmode, inh, tablesample: None };
        let mut rte = new_rte(kind, alias, rel.name);
        let cols: Vec<ColInfo> = rel
            .desc
            .attrs
            .iter()
            .map(|a| ColInfo {
                name: if a.dropped { String::new() } else { a.name.clone() },
                type_oid: if a.dropped { Oid::INVALID } else { a.type_oid },
                typmod: a.typmod,
                collation: a.collation,
            })
            .collect();
        check_alias_count(alias, cols.iter().filter(|c| !c.name.is_empty()).count(), loc)?;
        fill(&mut rte, cols, alias);
        rte.required_perms = crate::scope::acl::SELECT;
        Ok(self.add_rte(rte))
    }

    /// A sub-query in FROM.
    pub fn add_subquery(
        &mut self,
        query: Query,
        alias: Option<&Alias>,
        name: &str,
        lateral: bool,
    ) -> Result<NsItem> {
        let cols: Vec<ColInfo> = crate::output_columns(&query)
            .into_iter()
            .map(|c| ColInfo { name: c.name, type_oid: c.type_oid, typmod: c.typmod, collation: c.collation })
            .collect();
        let kind = RteKind::Subquery { query: Box::new(query), lateral, security_barrier: false, view: None };
        let mut rte = new_rte(kind, alias, name);
        check_alias_count(alias, cols.len(), None)?;
        fill(&mut rte, cols, alias);
        Ok(self.add_rte(rte))
    }

    /// VALUES in FROM.
    pub fn add_values(
        &mut self,
        lists: Vec<Vec<Expr>>,
        cols: Vec<ColInfo>,
        alias: Option<&Alias>,
        lateral: bool,
    ) -> Result<NsItem> {
        let mut rte = new_rte(RteKind::Values { lists, lateral }, alias, "*VALUES*");
        check_alias_count(alias, cols.len(), None)?;
        fill(&mut rte, cols, alias);
        Ok(self.add_rte(rte))
    }

    /// Functions in FROM.
    pub fn add_functions(
        &mut self,
        functions: Vec<RangeFunction>,
        ordinality: bool,
        lateral: bool,
        alias: Option<&Alias>,
        name: &str,
        loc: usize,
    ) -> Result<NsItem> {
        let mut cols: Vec<ColInfo> = Vec::new();
        for f in &functions {
            for i in 0..f.col_names.len() {
                cols.push(ColInfo {
                    name: f.col_names[i].clone(),
                    type_oid: f.col_types[i],
                    typmod: f.col_typmods[i],
                    collation: f.col_collations[i],
                });
            }
        }
        if ordinality {
            cols.push(ColInfo {
                name: "ordinality".into(),
                type_oid: types::oids::INT8,
                typmod: -1,
                collation: Oid::INVALID,
            });
        }
        let mut rte = new_rte(RteKind::Function { functions, ordinality, lateral }, alias, name);
        check_alias_count(alias, cols.len(), Some(loc))?;
        fill(&mut rte, cols, alias);
        Ok(self.add_rte(rte))
    }

    /// A reference to a WITH item found `levels_up` levels out.
    pub fn add_cte_ref(
        &mut self,
        cte: &CommonTableExpr,
        levels_up: u32,
        recursive: bool,
        alias: Option<&Alias>,
        loc: usize,
    ) -> Result<NsItem> {
        let kind = RteKind::Cte { name: cte.name.clone(), levels_up, recursive };
        let mut rte = new_rte(kind, alias, &cte.name);
        let cols: Vec<ColInfo> = (0..cte.col_names.len())
            .map(|i| ColInfo {
                name: cte.col_names[i].clone(),
                type_oid: cte.col_types[i],
                typmod: cte.col_typmods[i],
                collation: cte.col_collations[i],
            })
            .collect();
        check_alias_count(alias, cols.len(), Some(loc))?;
        fill(&mut rte, cols, alias);
        Ok(self.add_rte(rte))
    }

    /// Puts an item into the join list and makes it visible.
    pub fn add_to_query(&mut self, item: NsItem, join: bool) {
        let lv = self.level();
        if join {
            lv.joinlist.push(JoinTree::Rte(item.rti));
        }
        lv.namespace.push(item);
    }
}

/// Column info of an expression under a name.
pub fn col_of(name: &str, e: &Expr) -> ColInfo {
    ColInfo {
        name: name.to_string(),
        type_oid: expr_type(e),
        typmod: expr_typmod(e),
        collation: expr_collation(e),
    }
}

fn check_alias_count(alias: Option<&Alias>, available: usize, loc: Option<usize>) -> Result<()> {
    let _ = loc;
    match alias {
        Some(a) if a.colnames.len() > available => Err(err!(
            INVALID_COLUMN_REFERENCE,
            "table \"{}\" has {available} columns available but {} columns specified",
            a.aliasname,
            a.colnames.len()
        )),
        _ => Ok(()),
    }
}
