//! Range table entries: made from relations, sub-queries, functions, VALUES, WITH items and joins, each with the item
//! that makes its columns visible.

use crate::CatRef;
use crate::ctx::ExprRel;
use crate::expr::Expr;
use crate::info::{expr_collation, expr_type, expr_typmod};
use crate::query::*;
use crate::scope::{Analyzer, NsItem};
use catalog::desc::{ColumnLists, Relation};
use common::{Oid, Result, err};
use parser::{Alias, RangeVar};
use std::rc::Rc;

/// An entry with nothing filled in but its kind.
pub fn new_rte(kind: RteKind, alias: Option<&Alias>, name: &str) -> RangeTblEntry {
    let alias: Option<Rc<str>> = alias.map(|a| a.aliasname.as_str().into());
    RangeTblEntry {
        kind,
        eref_name: alias.clone().unwrap_or_else(|| name.into()),
        alias,
        eref_cols: Rc::default(),
        col_types: Rc::default(),
        col_typmods: Rc::default(),
        col_collations: Rc::default(),
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
    pub name: Rc<str>,
    pub type_oid: Oid,
    pub typmod: i32,
    pub collation: Oid,
}

fn fill(rte: &mut RangeTblEntry, cols: Vec<ColInfo>, alias: Option<&Alias>) {
    let mut names = alias.map(|a| a.colnames.iter()).into_iter().flatten();
    rte.col_types = Rc::new(cols.iter().map(|c| c.type_oid).collect());
    rte.col_typmods = Rc::new(cols.iter().map(|c| c.typmod).collect());
    rte.col_collations = Rc::new(cols.iter().map(|c| c.collation).collect());
    let name = |c: ColInfo| match c.name.is_empty() {
        true => c.name,
        false => names.next().map_or(c.name, |n| n.as_str().into()),
    };
    rte.eref_cols = Rc::new(cols.into_iter().map(name).collect());
}

/// As [`fill`], from lists that need not be made.
fn share(rte: &mut RangeTblEntry, cols: &ColumnLists, alias: Option<&Alias>) {
    rte.eref_cols = cols.names.clone();
    rte.col_types = cols.types.clone();
    rte.col_typmods = cols.typmods.clone();
    rte.col_collations = cols.collations.clone();
    if let Some(a) = alias
        && !a.colnames.is_empty()
    {
        let live = Rc::make_mut(&mut rte.eref_cols).iter_mut().filter(|n| !n.is_empty());
        live.zip(&a.colnames).for_each(|(to, from)| *to = from.as_str().into());
    }
}

impl Analyzer<'_> {
    /// Adds an entry to the range table and returns the item for it (both kinds of names visible).
    pub fn add_rte(&mut self, rte: RangeTblEntry) -> NsItem {
        let rti = self.level().rtable.len() as u32 + 1;
        let item = NsItem::of_entry(rti, &rte);
        self.level().rtable.push(rte);
        item
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
            let generation = self.ctx.catalog.generation();
            (self.ctx.lock)(oid, lockmode)?;
            if self.ctx.catalog.generation() == generation {
                break;
            }
            match self.relation_name_to_oid(rv)? {
                Some(again) if again == oid => break,
                Some(again) => oid = again,
                None => return Ok(None),
            }
        }
        let r = self.ctx.catalog.relation(oid)?;
        let what = match r.kind {
            b'i' | b'I' => "an index",
            b'c' => "a composite type",
            _ => return Ok(Some(r)),
        };
        Err(err!(WRONG_OBJECT_TYPE, "\"{}\" is {what}", r.name).at(rv.location))
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
        let kind = RteKind::Relation { relid: rel.oid, relkind: rel.kind, lockmode, inh, tablesample: None };
        self.add_lists(kind, &rel.name, rel.column_lists(), alias, loc)
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
        self.add_lists(kind, rel.name, &ColumnLists::of(rel.desc), alias, loc)
    }

    fn add_lists(
        &mut self,
        kind: RteKind,
        name: &str,
        cols: &ColumnLists,
        alias: Option<&Alias>,
        loc: Option<usize>,
    ) -> Result<NsItem> {
        let mut rte = new_rte(kind, alias, name);
        check_alias_count(alias, cols.live, loc)?;
        share(&mut rte, cols, alias);
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
                    name: f.col_names[i].as_str().into(),
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
        name: &str,
        cols: ColumnLists,
        levels_up: u32,
        recursive: bool,
        alias: Option<&Alias>,
        loc: usize,
    ) -> Result<NsItem> {
        let kind = RteKind::Cte { name: name.to_string(), levels_up, recursive };
        let mut rte = new_rte(kind, alias, name);
        check_alias_count(alias, cols.live, Some(loc))?;
        share(&mut rte, &cols, alias);
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
        name: name.into(),
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
