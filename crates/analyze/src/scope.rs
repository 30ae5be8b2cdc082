//! The analyzer's state: a stack of query levels, each with its range table and the names visible in it. Column and
//! table names are looked up here, innermost level first, and the privileges they need are noted on the range table.

use crate::ctx::{AnalyzeCtx, ParamTypes};
use crate::expr::*;
use crate::kind::ExprKind;
use crate::query::*;
use common::{Error, Oid, Result, err};
use std::rc::Rc;
use types::oids;

/// AclMode bits.
pub mod acl {
    pub const INSERT: u32 = 1;
    pub const SELECT: u32 = 2;
    pub const UPDATE: u32 = 4;
    pub const DELETE: u32 = 8;
}

/// System columns: name, attribute number, type.
pub const SYSTEM_COLUMNS: &[(&str, i16, Oid)] = &[
    ("ctid", -1, oids::TID),
    ("xmin", -2, oids::XID),
    ("cmin", -3, oids::CID),
    ("xmax", -4, oids::XID),
    ("cmax", -5, oids::CID),
    ("tableoid", -6, oids::OID),
];

/// A visible column: what a reference to it becomes.
#[derive(Clone, Copy, Debug)]
pub struct NsCol {
    pub varno: u32,
    pub attno: i16,
    pub type_oid: Oid,
    pub typmod: i32,
    pub collation: Oid,
    pub syn: (u32, i16),
}

/// A visible table, function, sub-query or join.
#[derive(Clone, Debug)]
pub struct NsItem {
    pub what: Rc<NsNames>,
    /// Can be named as a qualifier.
    pub rel_visible: bool,
    /// Its columns can be named without qualifier.
    pub cols_visible: bool,
    /// Only visible inside LATERAL items.
    pub lateral_only: bool,
    /// A LATERAL reference to it is allowed (join type permits).
    pub lateral_ok: bool,
}

/// What an item stands for, and the names of its columns.
#[derive(Clone, Debug)]
pub struct NsNames {
    pub rti: u32,
    pub name: Rc<str>,
    /// Empty for dropped columns.
    pub names: Rc<Vec<Rc<str>>>,
    pub cols: NsCols,
}

impl std::ops::Deref for NsItem {
    type Target = NsNames;
    fn deref(&self) -> &NsNames {
        &self.what
    }
}

/// The columns of an item, in parallel with their names.
#[derive(Clone, Debug)]
pub enum NsCols {
    /// The entry's own: their types, typmods and collations.
    Own(Rc<Vec<Oid>>, Rc<Vec<i32>>, Rc<Vec<Oid>>),
    /// Of a join: those of the joined relations.
    List(Rc<Vec<NsCol>>),
}

impl NsItem {
    /// The item that makes an entry visible by both kinds of names.
    pub fn of_entry(rti: u32, rte: &RangeTblEntry) -> NsItem {
        let (types, typmods, collations) = (&rte.col_types, &rte.col_typmods, &rte.col_collations);
        let what = NsNames {
            rti,
            name: rte.eref_name.clone(),
            names: rte.eref_cols.clone(),
            cols: NsCols::Own(types.clone(), typmods.clone(), collations.clone()),
        };
        NsItem {
            what: Rc::new(what),
            rel_visible: true,
            cols_visible: true,
            lateral_only: false,
            lateral_ok: true,
        }
    }
    /// Column number `i`, from 0.
    pub fn col(&self, i: usize) -> NsCol {
        match &self.cols {
            NsCols::List(list) => list[i],
            NsCols::Own(types, typmods, collations) => {
                let at = (self.rti, i as i16 + 1);
                NsCol {
                    varno: at.0,
                    attno: at.1,
                    type_oid: types[i],
                    typmod: typmods[i],
                    collation: collations[i],
                    syn: at,
                }
            }
        }
    }
    /// The columns that are not dropped, with their names.
    pub fn live(&self) -> impl Iterator<Item = (&Rc<str>, NsCol)> {
        self.names.iter().enumerate().filter(|(_, n)| !n.is_empty()).map(|(i, n)| (n, self.col(i)))
    }
}

/// One query level under analysis.
#[derive(Default)]
pub struct Level {
    pub rtable: Vec<RangeTblEntry>,
    pub joinlist: Vec<JoinTree>,
    pub namespace: Vec<NsItem>,
    pub lateral_active: bool,
    /// WITH items of this query.
    pub ctes: Vec<CommonTableExpr>,
    /// Names of WITH items that come later (for the hint on forward references).
    pub future_ctes: Vec<String>,
    /// Recursion state of a WITH item whose left arm is done: its name and columns.
    pub recursive_cte: Option<CommonTableExpr>,
    pub kind: ExprKind,
    pub target_rti: u32,
    pub window_defs: Vec<parser::WindowDef>,
    pub has_aggs: bool,
    pub has_window_funcs: bool,
    pub has_target_srfs: bool,
    pub has_sub_links: bool,
    pub has_modifying_cte: bool,
    /// Locking clause that applies to a view or sub-query being analysed.
    pub locking: Vec<parser::LockingClause>,
    pub locked_from_parent: bool,
    /// Unknown-typed output literals become text.
    pub resolve_unknowns: bool,
}

/// Resolves one statement.
pub struct Analyzer<'a> {
    pub ctx: &'a AnalyzeCtx<'a>,
    pub params: ParamTypes,
    pub levels: Vec<Level>,
    /// What `VALUE` stands for: in CHECK constraints of domains.
    pub domain_value: Option<Expr>,
    /// Address of a local of the caller: how deep recursion may go is measured from it.
    stack_base: usize,
    visited: std::cell::Cell<u32>,
}

/// Bytes of stack analysis may use; the planner needs some for the same tree. The server gives its main thread more than
/// twice that.
const STACK_BYTES_MAX: usize = if cfg!(debug_assertions) { 60 << 20 } else { 24 << 20 };
/// So many nodes are visited between two looks at pending interrupts.
const NODES_PER_CHECK: u32 = 64;

fn stack_address() -> usize {
    let here = 0u8;
    std::ptr::from_ref(&here) as usize
}

impl<'a> Analyzer<'a> {
    /// An analyzer with no level open.
    pub fn new(ctx: &'a AnalyzeCtx<'a>, params: ParamTypes) -> Analyzer<'a> {
        Analyzer {
            ctx,
            params,
            levels: Vec::new(),
            domain_value: None,
            stack_base: stack_address(),
            visited: Default::default(),
        }
    }
    /// 54001 if expressions or queries are nested too deeply. Visited for every node, so interrupts are served here.
    pub fn check_stack(&self) -> Result<()> {
        self.visited.set(self.visited.get().wrapping_add(1));
        if self.visited.get().is_multiple_of(NODES_PER_CHECK) {
            self.ctx.catalog.engine().check_interrupts()?;
        }
        if self.stack_base.abs_diff(stack_address()) < STACK_BYTES_MAX {
            return Ok(());
        }
        Err(err!(STATEMENT_TOO_COMPLEX, "stack depth limit exceeded").hint(
            "Increase the configuration parameter \"max_stack_depth\" (currently 2048kB), after ensuring the platform's stack depth limit is adequate.",
        ))
    }
    /// The innermost level.
    pub fn level(&mut self) -> &mut Level {
        if self.levels.is_empty() {
            self.push_level();
        }
        let n = self.levels.len() - 1;
        &mut self.levels[n]
    }
    /// Opens a query level.
    pub fn push_level(&mut self) {
        self.levels.push(Level { resolve_unknowns: true, ..Level::default() });
    }
    /// Closes the innermost level.
    pub fn pop_level(&mut self) -> Level {
        self.levels.pop().unwrap_or_default()
    }
    /// The range table entry of the innermost level.
    pub fn rte(&mut self, rti: u32) -> &mut RangeTblEntry {
        &mut self.level().rtable[rti as usize - 1]
    }
    /// Runs `f` with the innermost level's expression kind set to `kind`.
    pub fn with_kind<T>(&mut self, kind: ExprKind, f: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let old = std::mem::replace(&mut self.level().kind, kind);
        let r = f(self);
        self.level().kind = old;
        r
    }

    /// Makes the expression for a visible column and notes that it is read.
    pub fn var_for_col(&mut self, depth: usize, col: NsCol, location: Option<usize>) -> Expr {
        let up = (self.levels.len() - 1 - depth) as u32;
        self.mark_selected(depth, col.varno, col.attno);
        Expr::Var(Var {
            varno: VarNo::Rte(col.varno),
            attno: col.attno,
            vartype: col.type_oid,
            typmod: col.typmod,
            collation: col.collation,
            levels_up: up,
            syn: col.syn,
            location,
        })
    }

    /// Notes that column `attno` of an entry is read.
    pub fn mark_selected(&mut self, depth: usize, rti: u32, attno: i16) {
        let rte = &mut self.levels[depth].rtable[rti as usize - 1];
        match &rte.kind {
            RteKind::Relation { .. } => {
                rte.required_perms |= acl::SELECT;
                if !rte.selected_cols.contains(&attno) {
                    rte.selected_cols.push(attno);
                }
            }
            RteKind::Join { alias_vars, .. } => {
                let mut below = Vec::new();
                let mut note = |e: &Expr| {
                    crate::walk::walk(e, 0, &mut |x, _| {
                        if let Expr::Var(Var { varno: VarNo::Rte(n), attno, levels_up: 0, .. }) = x {
                            below.push((*n, *attno));
                        }
                        true
                    });
                };
                match attno {
                    0 => alias_vars.iter().for_each(&mut note),
                    n => alias_vars.get(n as usize - 1).into_iter().for_each(&mut note),
                }
                for (n, a) in below {
                    self.mark_selected(depth, n, a);
                }
            }
            _ => {}
        }
    }

    /// Finds `name` among an item's columns: 42702 if it is there twice.
    fn scan_item(&mut self, depth: usize, item: &NsItem, name: &str, loc: usize) -> Result<Option<Expr>> {
        let mut hits = item.names.iter().enumerate().filter(|(_, n)| ***n == *name && !name.is_empty());
        if let Some((i, _)) = hits.next() {
            if hits.next().is_some() {
                return Err(err!(AMBIGUOUS_COLUMN, "column reference \"{name}\" is ambiguous").at(loc));
            }
            return Ok(Some(self.var_for_col(depth, item.col(i), Some(loc))));
        }
        let rte = &self.levels[depth].rtable[item.rti as usize - 1];
        let RteKind::Relation { relkind, .. } = &rte.kind else { return Ok(None) };
        if !matches!(relkind, b'r' | b'm' | b't' | b'p' | b'f' | b'S') {
            return Ok(None);
        }
        let Some((n, attno, t)) = SYSTEM_COLUMNS.iter().find(|s| s.0 == name) else { return Ok(None) };
        self.check_system_column(n, *attno, loc)?;
        let c = NsCol {
            varno: item.rti,
            attno: *attno,
            type_oid: *t,
            typmod: -1,
            collation: Oid::INVALID,
            syn: (item.rti, *attno),
        };
        Ok(Some(self.var_for_col(depth, c, Some(loc))))
    }

    fn check_system_column(&mut self, name: &str, attno: i16, loc: usize) -> Result<()> {
        let kind = self.level().kind;
        if kind == ExprKind::CheckConstraint && attno != -6 {
            return Err(err!(
                INVALID_COLUMN_REFERENCE,
                "system column \"{name}\" reference in check constraint is invalid"
            )
            .at(loc));
        }
        if kind == ExprKind::MergeWhen && attno != -6 {
            return Err(err!(
                INVALID_COLUMN_REFERENCE,
                "cannot use system column \"{name}\" in MERGE WHEN condition"
            )
            .at(loc));
        }
        if kind == ExprKind::GeneratedColumn && attno != -6 {
            return Err(err!(
                INVALID_COLUMN_REFERENCE,
                "cannot use system column \"{name}\" in column generation expression"
            )
            .at(loc));
        }
        Ok(())
    }

    /// An unqualified column, searched outwards. `None` if there is none.
    pub fn column_by_name(&mut self, name: &str, loc: usize, local_only: bool) -> Result<Option<Expr>> {
        for depth in (0..self.levels.len()).rev() {
            let mut found = None;
            let items = std::mem::take(&mut self.levels[depth].namespace);
            let r = self.search_items(depth, &items, name, loc, &mut found);
            self.levels[depth].namespace = items;
            r?;
            if found.is_some() || local_only {
                return Ok(found);
            }
        }
        Ok(None)
    }

    fn search_items(
        &mut self,
        depth: usize,
        items: &[NsItem],
        name: &str,
        loc: usize,
        found: &mut Option<Expr>,
    ) -> Result<()> {
        for item in items.iter().filter(|i| i.cols_visible) {
            if item.lateral_only && !self.levels[depth].lateral_active {
                continue;
            }
            if let Some(e) = self.scan_item(depth, item, name, loc)? {
                if found.is_some() {
                    return Err(err!(AMBIGUOUS_COLUMN, "column reference \"{name}\" is ambiguous").at(loc));
                }
                check_lateral_ok(item, self.levels[depth].target_rti, loc)?;
                *found = Some(e);
            }
        }
        Ok(())
    }

    /// A column of a given item.
    pub fn column_of_item(
        &mut self,
        depth: usize,
        item: &NsItem,
        name: &str,
        loc: usize,
    ) -> Result<Option<Expr>> {
        self.scan_item(depth, item, name, loc)
    }

    /// A table name used as a qualifier: its level and item.
    pub fn find_item(
        &mut self,
        schema: Option<&str>,
        name: &str,
        loc: usize,
    ) -> Result<Option<(usize, NsItem)>> {
        let found = self.item_place(schema, name, loc)?;
        Ok(found.map(|(depth, i)| (depth, self.levels[depth].namespace[i].clone())))
    }

    /// As [`Analyzer::find_item`]; the item by its place in the level's namespace.
    pub fn item_place(
        &mut self,
        schema: Option<&str>,
        name: &str,
        loc: usize,
    ) -> Result<Option<(usize, usize)>> {
        let relid = match schema {
            None => None,
            Some(s) => {
                let Some(ns) = self.ctx.catalog.namespace_oid(s)? else { return Ok(None) };
                match self.ctx.catalog.relation_oid(ns, name)? {
                    Some(r) => Some(r),
                    None => return Ok(None),
                }
            }
        };
        for depth in (0..self.levels.len()).rev() {
            let lv = &self.levels[depth];
            let mut found: Option<usize> = None;
            for (place, item) in lv.namespace.iter().enumerate() {
                if !item.rel_visible || item.lateral_only && !lv.lateral_active {
                    continue;
                }
                let matches = match relid {
                    None => *item.name == *name,
                    Some(r) => {
                        let rte = &lv.rtable[item.rti as usize - 1];
                        rte.alias.is_none()
                            && matches!(&rte.kind, RteKind::Relation { relid, .. } if *relid == r)
                    }
                };
                if matches {
                    if found.is_some() {
                        return Err(err!(AMBIGUOUS_ALIAS, "table reference \"{name}\" is ambiguous").at(loc));
                    }
                    check_lateral_ok(item, self.levels[depth].target_rti, loc)?;
                    found = Some(place);
                }
            }
            if let Some(i) = found {
                return Ok(Some((depth, i)));
            }
        }
        Ok(None)
    }

    /// The whole row of an item.
    pub fn whole_row(&mut self, depth: usize, item: &NsItem, loc: Option<usize>) -> Result<Expr> {
        let up = (self.levels.len() - 1 - depth) as u32;
        self.mark_selected(depth, item.rti, 0);
        let rte = &self.levels[depth].rtable[item.rti as usize - 1];
        let vartype = match &rte.kind {
            RteKind::Relation { relid, .. } => self.ctx.catalog.relation(*relid)?.row_type,
            // A function returning a scalar is its own row.
            RteKind::Function { functions, ordinality: false, .. }
                if functions.len() == 1
                    && functions[0].col_types.len() == 1
                    && functions[0].col_types[0] == crate::info::expr_type(&functions[0].expr) =>
            {
                return Ok(self.var_for_col(depth, item.col(0), loc));
            }
            RteKind::Function { functions, ordinality: false, .. } if functions.len() == 1 => {
                crate::info::expr_type(&functions[0].expr)
            }
            RteKind::Join { .. } => return self.join_row(depth, item, loc),
            _ => oids::RECORD,
        };
        Ok(Expr::Var(Var {
            varno: VarNo::Rte(item.rti),
            attno: 0,
            vartype,
            typmod: -1,
            collation: Oid::INVALID,
            levels_up: up,
            syn: (item.rti, 0),
            location: loc,
        }))
    }

    fn join_row(&mut self, depth: usize, item: &NsItem, loc: Option<usize>) -> Result<Expr> {
        let args = item.live().map(|(_, c)| self.var_for_col(depth, c, loc)).collect();
        Ok(Expr::Row {
            args,
            row_type: oids::RECORD,
            col_names: item.live().map(|(n, _)| n.to_string()).collect(),
            location: loc,
        })
    }

    /// The error for a qualifier that names no visible table (42P01).
    pub fn missing_rte(&mut self, schema: Option<&str>, name: &str, loc: usize) -> Result<Error> {
        let relid = match schema {
            None => self.ctx.catalog.find_relation(self.ctx.path, name)?,
            Some(s) => match self.ctx.catalog.namespace_oid(s)? {
                Some(ns) => self.ctx.catalog.relation_oid(ns, name)?,
                None => None,
            },
        };
        let mut hit: Option<(String, bool)> = None;
        'search: for lv in self.levels.iter().rev() {
            for (i, r) in lv.rtable.iter().enumerate() {
                let by_oid =
                    matches!((&r.kind, relid), (RteKind::Relation { relid: a, .. }, Some(b)) if *a == b);
                if by_oid
                    || (*r.eref_name == *name && !matches!(r.kind, RteKind::Join { .. } if r.alias.is_none()))
                {
                    let visible = lv.namespace.iter().any(|n| {
                        n.rti as usize == i + 1 && n.rel_visible && (!n.lateral_only || lv.lateral_active)
                    });
                    hit = Some((
                        r.eref_name.to_string(),
                        visible && r.alias.is_some() && *r.eref_name != *name,
                    ));
                    break 'search;
                }
            }
        }
        Ok(match hit {
            Some((alias, true)) => {
                err!(UNDEFINED_TABLE, "invalid reference to FROM-clause entry for table \"{name}\"")
                    .hint(format!("Perhaps you meant to reference the table alias \"{alias}\"."))
                    .at(loc)
            }
            Some((entry, false)) => {
                err!(UNDEFINED_TABLE, "invalid reference to FROM-clause entry for table \"{name}\"")
                    .hint(format!(
                        "There is an entry for table \"{entry}\", but it cannot be referenced from this part of the query."
                    ))
                    .at(loc)
            }
            None => err!(UNDEFINED_TABLE, "missing FROM-clause entry for table \"{name}\"").at(loc),
        })
    }

    /// The error for a column that does not exist (42703), with PostgreSQL's guess at what was meant.
    pub fn missing_column(&self, rel: Option<&str>, col: &str, loc: usize) -> Error {
        let e = match rel {
            Some(r) => err!(UNDEFINED_COLUMN, "column {r}.{col} does not exist"),
            None => err!(UNDEFINED_COLUMN, "column \"{col}\" does not exist"),
        }
        .at(loc);
        match self.guess_column(rel, col) {
            Guess::None => e,
            Guess::Unreachable(t) => e.hint(format!(
                "There is a column named \"{col}\" in table \"{t}\", but it cannot be referenced from this part of the query."
            )),
            Guess::One(a) => e.hint(format!("Perhaps you meant to reference the column \"{a}\".")),
            Guess::Two(a, b) => {
                e.hint(format!("Perhaps you meant to reference the column \"{a}\" or the column \"{b}\"."))
            }
        }
    }

    fn guess_column(&self, rel: Option<&str>, col: &str) -> Guess {
        const MAX_DISTANCE: usize = 3;
        let mut best = MAX_DISTANCE + 1;
        let mut hits: Vec<String> = Vec::new();
        for rte in self.levels.iter().rev().flat_map(|l| l.rtable.iter()) {
            if matches!(rte.kind, RteKind::Join { .. }) {
                continue;
            }
            let penalty = match rel {
                Some(r) => levenshtein(r, &rte.eref_name).min(MAX_DISTANCE + 1),
                None => 0,
            };
            for name in rte.eref_cols.iter().filter(|n| !n.is_empty()) {
                if penalty > best {
                    continue;
                }
                if penalty == 0 && **name == *col {
                    return Guess::Unreachable(rte.eref_name.to_string());
                }
                let d = levenshtein(name, col);
                if d > col.len() / 2 {
                    continue;
                }
                let total = d + penalty;
                if total < best {
                    best = total;
                    hits.clear();
                }
                if total == best && best <= MAX_DISTANCE {
                    hits.push(format!("{}.{}", rte.eref_name, name));
                }
            }
        }
        match hits.as_slice() {
            [a] => Guess::One(a.clone()),
            [a, b] => Guess::Two(a.clone(), b.clone()),
            _ => Guess::None,
        }
    }
}

enum Guess {
    None,
    Unreachable(String),
    One(String),
    Two(String, String),
}

fn check_lateral_ok(item: &NsItem, target_rti: u32, loc: usize) -> Result<()> {
    if !item.lateral_only || item.lateral_ok {
        return Ok(());
    }
    let e =
        err!(INVALID_COLUMN_REFERENCE, "invalid reference to FROM-clause entry for table \"{}\"", item.name)
            .at(loc);
    Err(if item.rti == target_rti {
        e.hint(format!(
            "There is an entry for table \"{}\", but it cannot be referenced from this part of the query.",
            item.name
        ))
    } else {
        e.detail("The combining JOIN type must be INNER or LEFT for a LATERAL reference.")
    })
}

/// Edit distance with unit costs.
fn levenshtein(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diag = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let sub = diag + usize::from(ca != *cb);
            diag = row[j + 1];
            row[j + 1] = sub.min(row[j] + 1).min(diag + 1);
        }
    }
    row[b.len()]
}
