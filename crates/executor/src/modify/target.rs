//! A table that rows are written to: its constraints and indexes, compiled. Used by ModifyTable, COPY, foreign-key actions
//! and CREATE INDEX, so that every path checks the same things in the same order.

use crate::env::ExecEnv;
use crate::expr::special::value_text;
use crate::expr::{Program, Scope, compile, compile_one};
use crate::run::Exec;
use access::{IndexRel, Rel, UniqueCheck};
use analyze::expr::{Expr, Var, VarNo};
use catalog::Ref;
use catalog::desc::{IndexDesc, Relation};
use common::{Error, Oid, Result, SqlState, Tid, err};
use std::rc::Rc;
use transam::Snapshot;
use types::{Batch, Column, Datum, DatumRef, Phys, Rows};

/// Most columns of an index.
const INDEX_COLS_MAX: usize = 32;

/// Rows of a table in attribute order: attribute n is column n - 1.
pub struct TableScope;
impl Scope for TableScope {
    fn var(&self, v: &Var) -> Option<usize> {
        (matches!(v.varno, VarNo::Rte(_)) && v.attno > 0).then(|| v.attno as usize - 1)
    }
}

enum IndexCol {
    Attr(usize),
    Expr(usize),
}

/// An index with what is needed to make its entries.
pub struct IndexTarget {
    pub desc: Ref<IndexDesc>,
    pub ix: Rc<IndexRel>,
    cols: Vec<IndexCol>,
    exprs: Option<Program>,
    predicate: Option<Program>,
}

impl IndexTarget {
    /// Opens an index.
    pub fn open(env: &Rc<ExecEnv>, index: Oid) -> Result<IndexTarget> {
        let desc = env.catalog()?.index(index)?;
        let list: Vec<Expr> = match &desc.expressions {
            Some(t) => Vec::clone(&*analyze::load_stored(t)?),
            None => Vec::new(),
        };
        let mut next = 0;
        let cols = desc
            .keys
            .iter()
            .map(|k| {
                if *k > 0 {
                    return IndexCol::Attr(*k as usize - 1);
                }
                next += 1;
                IndexCol::Expr(next - 1)
            })
            .collect();
        let exprs = if list.is_empty() { None } else { Some(compile(env, &list, &TableScope)?) };
        let predicate = match &desc.predicate {
            Some(t) => Some(compile_one(env, &*analyze::load_stored::<Expr>(t)?, &TableScope)?),
            None => None,
        };
        Ok(IndexTarget { ix: desc.rel.clone(), desc, cols, exprs, predicate })
    }
    /// Evaluates predicate and expressions for the live rows of a batch in attribute order.
    pub fn prepare(&mut self, cx: &Exec, b: &Batch) -> Result<()> {
        if let Some(p) = &mut self.predicate {
            p.run(cx, b, b.live())?;
        }
        if let Some(p) = &mut self.exprs {
            p.run(cx, b, b.live())?;
        }
        Ok(())
    }
    /// Does row `i` belong into a partial index?
    pub fn covers(&self, b: &Batch, i: usize) -> bool {
        match &self.predicate {
            None => true,
            Some(p) => matches!(p.result(0, b).get(i), DatumRef::Bool(true)),
        }
    }
    /// The entry's values for row `i`, after [`IndexTarget::prepare`].
    pub fn with_values<R>(&self, b: &Batch, i: usize, f: impl FnOnce(&[DatumRef<'_>]) -> R) -> R {
        let mut v = [DatumRef::Null; INDEX_COLS_MAX];
        let n = self.cols.len().min(INDEX_COLS_MAX);
        for (d, c) in v.iter_mut().zip(&self.cols) {
            *d = match (c, &self.exprs) {
                (IndexCol::Attr(a), _) => b.cols[*a].get(i),
                (IndexCol::Expr(k), Some(p)) => p.result(*k, b).get(i),
                _ => DatumRef::Null,
            };
        }
        f(&v[..n])
    }
    /// Attributes the index depends on, expressions and predicate included.
    fn attrs(&self, out: &mut Vec<u16>) {
        for c in &self.cols {
            if let IndexCol::Attr(a) = c {
                out.push(*a as u16 + 1);
            }
        }
        for p in self.exprs.iter().chain(&self.predicate) {
            out.extend(p.uses.iter().map(|c| c + 1));
        }
    }
    fn check_kind(&self) -> UniqueCheck {
        match (self.desc.unique, self.desc.immediate) {
            (false, _) => UniqueCheck::No,
            (true, true) => UniqueCheck::Yes,
            (true, false) => UniqueCheck::Partial,
        }
    }
}

/// Schema of a relation for error fields.
pub fn schema_name(env: &ExecEnv, rel: &Relation) -> String {
    env.catalog()
        .and_then(|c| c.namespace_name(rel.namespace))
        .ok()
        .flatten()
        .map(|s| s.to_string())
        .unwrap_or_default()
}

/// A table to write to.
pub struct TargetRelation {
    pub rel: Ref<Relation>,
    pub heap: Rc<Rel>,
    pub indexes: Vec<IndexTarget>,
    pub phys: Vec<Phys>,
    /// Attributes of any index, of unique indexes (from 1, ascending).
    pub indexed_attrs: Vec<u16>,
    pub key_attrs: Vec<u16>,
    not_null: Vec<usize>,
    checks: Vec<(String, Program)>,
    /// Generated columns (from 0) and what they are computed from.
    generated: Vec<(usize, Program)>,
    /// The attributes (from 0) that messages show of a row, if not all: those of the table the statement names.
    pub shown: Option<Vec<usize>>,
    /// Row number (in its batch) of the row that violated a constraint last.
    pub failed_row: Option<usize>,
}

impl TargetRelation {
    /// Opens a table with its indexes and constraints.
    pub fn open(env: &Rc<ExecEnv>, relid: Oid) -> Result<TargetRelation> {
        let catalog = env.catalog()?;
        let rel = catalog.relation(relid)?;
        let heap = rel
            .rel
            .clone()
            .ok_or_else(|| err!(WRONG_OBJECT_TYPE, "cannot change relation \"{}\"", rel.name))?;
        let mut indexes = Vec::new();
        for oid in &rel.indexes {
            let t = IndexTarget::open(env, *oid)?;
            if t.desc.ready {
                indexes.push(t);
            }
        }
        let mut indexed_attrs = Vec::new();
        let mut key_attrs = Vec::new();
        for i in &indexes {
            i.attrs(&mut indexed_attrs);
            if i.desc.unique && i.desc.predicate.is_none() && i.desc.expressions.is_none() {
                key_attrs.extend(i.desc.keys.iter().take(i.desc.num_key_atts as usize).map(|k| *k as u16));
            }
        }
        for v in [&mut indexed_attrs, &mut key_attrs] {
            v.sort_unstable();
            v.dedup();
        }
        let mut checks = Vec::new();
        for c in &rel.checks {
            let e: Expr = analyze::load_expr(&c.bin)?;
            checks.push((c.name.clone(), compile_one(env, &e, &TableScope)?));
        }
        // In the order of their names, as PostgreSQL does.
        checks.sort_by(|a, b| a.0.cmp(&b.0));
        let attrs = &rel.desc.attrs;
        let mut generated = Vec::new();
        for d in &rel.defaults {
            let k = d.attnum as usize - 1;
            if attrs.get(k).is_some_and(|a| a.generated != 0 && !a.dropped) {
                let e: Expr = analyze::load_expr(&d.bin)?;
                generated.push((k, compile_one(env, &e, &TableScope)?));
            }
        }
        Ok(TargetRelation {
            heap,
            phys: attrs.iter().map(|a| a.phys).collect(),
            not_null: (0..attrs.len()).filter(|i| attrs[*i].not_null && !attrs[*i].dropped).collect(),
            indexes,
            indexed_attrs,
            key_attrs,
            checks,
            generated,
            failed_row: None,
            shown: None,
            rel,
        })
    }
    /// Number of attributes.
    pub fn natts(&self) -> usize {
        self.phys.len()
    }
    /// An empty batch in attribute order.
    pub fn batch(&self) -> Batch {
        crate::store::batch_of(&self.phys)
    }
    /// Attributes (from 1) that are computed from others: any update may change them.
    pub fn generated_attrs(&self) -> impl Iterator<Item = u16> + '_ {
        self.generated.iter().map(|g| g.0 as u16 + 1)
    }
    /// Computes the generated columns of the live rows.
    pub fn compute_generated(&mut self, cx: &Exec, b: &mut Batch) -> Result<()> {
        for (k, p) in &mut self.generated {
            p.run(cx, b, b.live())?;
            let mut col = Column::new(self.phys[*k]);
            crate::expr::colops::fill(&mut col, DatumRef::Null, b.rows);
            let r = p.result(0, b);
            b.live().each(|i| {
                col.set(i, r.get(i));
                Ok::<(), Error>(())
            })?;
            b.cols[*k] = col;
        }
        Ok(())
    }
    /// Checks NOT NULL and CHECK for the live rows. 23502, 23514.
    pub fn check_constraints(&mut self, cx: &Exec, b: &Batch) -> Result<()> {
        self.failed_row = None;
        for &a in &self.not_null {
            let nulls = &b.cols[a].nulls;
            if !nulls.any() {
                continue;
            }
            let mut bad = None;
            b.live().each(|i| {
                if nulls.get(i) && bad.is_none() {
                    bad = Some(i);
                }
                Ok::<(), Error>(())
            })?;
            if let Some(i) = bad {
                self.failed_row = Some(i);
                let name = &self.rel.desc.attrs[a].name;
                return Err(err!(
                    NOT_NULL_VIOLATION,
                    "null value in column \"{name}\" of relation \"{}\" violates not-null constraint",
                    self.rel.name
                )
                .detail(self.failing_row(&cx.env, b, i)?)
                .schema(schema_name(&cx.env, &self.rel))
                .table(self.rel.name.clone())
                .column(name.clone()));
            }
        }
        for k in 0..self.checks.len() {
            let p = &mut self.checks[k].1;
            p.run(cx, b, b.live())?;
            let r = p.result(0, b);
            let mut bad = None;
            b.live().each(|i| {
                if bad.is_none() && matches!(r.get(i), DatumRef::Bool(false)) {
                    bad = Some(i);
                }
                Ok::<(), Error>(())
            })?;
            if let Some(i) = bad {
                self.failed_row = Some(i);
                let name = &self.checks[k].0;
                return Err(err!(
                    CHECK_VIOLATION,
                    "new row for relation \"{}\" violates check constraint \"{name}\"",
                    self.rel.name
                )
                .detail(self.failing_row(&cx.env, b, i)?)
                .schema(schema_name(&cx.env, &self.rel))
                .table(self.rel.name.clone())
                .constraint(name.clone()));
            }
        }
        Ok(())
    }
    /// `Failing row contains (…).`
    pub fn failing_row(&self, env: &ExecEnv, b: &Batch, i: usize) -> Result<String> {
        let mut s = String::from("Failing row contains (");
        let mut first = true;
        let all: Vec<usize> = (0..self.natts()).collect();
        for k in self.shown.as_ref().unwrap_or(&all) {
            let (a, c) = (&self.rel.desc.attrs[*k], &b.cols[*k]);
            if a.dropped {
                continue;
            }
            if !std::mem::replace(&mut first, false) {
                s.push_str(", ");
            }
            let text = value_text(env, a.type_oid, c.get(i))?;
            push_clipped(&mut s, &text);
        }
        s.push_str(").");
        Ok(s)
    }
    /// Values of row `i` in attribute order.
    pub fn with_row<R>(&self, b: &Batch, i: usize, f: impl FnOnce(&[DatumRef<'_>]) -> R) -> R {
        let n = self.natts();
        let mut v = [DatumRef::Null; 32];
        if n <= v.len() {
            for (d, c) in v.iter_mut().zip(&b.cols) {
                *d = c.get(i);
            }
            return f(&v[..n]);
        }
        let v: Vec<DatumRef<'_>> = b.cols[..n].iter().map(|c| c.get(i)).collect();
        f(&v)
    }
    /// Makes the index entries of row `i` (after `prepare_indexes`).
    pub fn insert_entries(&mut self, cx: &Exec, b: &Batch, i: usize, tid: Tid) -> Result<()> {
        let eng = cx.engine()?;
        for k in 0..self.indexes.len() {
            let t = &self.indexes[k];
            if !t.covers(b, i) {
                continue;
            }
            let kind = t.check_kind();
            let ok = t.with_values(b, i, |v| access::btree::insert(eng, &t.ix, &self.heap, v, tid, kind));
            match ok {
                Err(e) => {
                    self.failed_row = Some(i);
                    return Err(self.with_key_detail(cx, e, k, b, i));
                }
                Ok(false) => {
                    let values = t.with_values(b, i, |v| v.iter().map(|d| DatumRef::to_owned(*d)).collect());
                    cx.after.borrow_mut().push_unique(&t.desc, tid, values);
                }
                Ok(true) if t.desc.exclusion => {
                    let values: Vec<Datum> =
                        t.with_values(b, i, |v| v.iter().map(|d| DatumRef::to_owned(*d)).collect());
                    if t.desc.immediate {
                        let index = t.desc.oid;
                        let v: Vec<DatumRef<'_>> = values.iter().map(Datum::as_ref).collect();
                        self.check_exclusion(cx, index, &v, tid)?;
                    } else if t
                        .with_values(b, i, |v| access::btree::may_conflict(eng, &t.ix, &self.heap, v, tid))?
                    {
                        cx.after.borrow_mut().push_unique(&t.desc, tid, values);
                    }
                }
                Ok(true) => {}
            }
        }
        Ok(())
    }
    /// Fails with 23P01 if another live row's entry conflicts with this one, under the equality that is all a btree can
    /// exclude by. Waits for transactions that decide it.
    pub fn check_exclusion(
        &mut self,
        cx: &Exec,
        index: Oid,
        values: &[DatumRef<'_>],
        tid: Tid,
    ) -> Result<()> {
        let eng = cx.engine()?;
        let Some(k) = self.indexes.iter().position(|t| t.desc.oid == index) else { return Ok(()) };
        let found = access::btree::check_conflict(eng, &self.indexes[k].ix, &self.heap, values, Some(tid))?;
        let access::Conflict::Row(other) = found else { return Ok(()) };
        let mut old = self.batch();
        let spec = crate::node::scan::RelCols::all(&self.heap).spec_by_attr();
        access::heap::fetch_into(eng, &self.heap, other, &Snapshot::Any, &spec, &mut old)?;
        for c in old.cols.iter_mut().filter(|c| c.is_empty()) {
            c.push(DatumRef::Null);
        }
        old.rows = 1;
        self.prepare_indexes(cx, &old)?;
        let t = &self.indexes[k];
        let names = self.key_names(cx, t)?.join(", ");
        let text = |v: &[DatumRef<'_>]| -> Result<String> {
            let attrs = t.ix.rel.desc.attrs.iter().take(t.desc.num_key_atts as usize);
            let shown: Result<Vec<String>> =
                v.iter().zip(attrs).map(|(d, a)| value_text(&cx.env, a.type_oid, *d)).collect();
            Ok(shown?.join(", "))
        };
        let (new, old) = (text(values)?, t.with_values(&old, 0, text)?);
        Err(err!(
            EXCLUSION_VIOLATION,
            "conflicting key value violates exclusion constraint \"{}\"",
            t.desc.name
        )
        .detail(format!("Key ({names})=({new}) conflicts with existing key ({names})=({old})."))
        .schema(schema_name(&cx.env, &self.rel))
        .table(self.rel.name.clone())
        .constraint(t.desc.name.clone()))
    }
    /// Adds `Key (a)=(1) already exists.` to a unique violation that does not say it yet.
    pub fn with_key_detail(&self, cx: &Exec, e: Error, index: usize, b: &Batch, i: usize) -> Error {
        if e.sqlstate() != SqlState::UNIQUE_VIOLATION || e.report().detail.is_some() {
            return e;
        }
        let t = &self.indexes[index];
        t.with_values(b, i, |v| self.with_key_values(cx, e, t, v))
    }
    /// The same for values at hand.
    pub fn with_key_values(&self, cx: &Exec, e: Error, t: &IndexTarget, values: &[DatumRef<'_>]) -> Error {
        let attrs = t.ix.rel.desc.attrs.iter().take(t.desc.num_key_atts as usize);
        let text: Result<Vec<String>> =
            values.iter().zip(attrs).map(|(d, a)| value_text(&cx.env, a.type_oid, *d)).collect();
        match (self.key_names(cx, t), text.map(|t| t.join(", "))) {
            (Ok(names), Ok(text)) => e.detail(format!("Key ({})=({text}) already exists.", names.join(", "))),
            _ => e,
        }
    }
    /// Names of an index's key columns, expressions as SQL.
    fn key_names(&self, cx: &Exec, t: &IndexTarget) -> Result<Vec<String>> {
        let list: Vec<Expr> = match &t.desc.expressions {
            Some(text) => analyze::load_expr(text)?,
            None => Vec::new(),
        };
        let path = catalog::search_path::SearchPath {
            schemas: vec![Oid(11), Oid(2200)],
            creation: Oid(2200),
            ..Default::default()
        };
        let ctx = analyze::AnalyzeCtx {
            catalog: cx.env.catalog()?,
            path: &path,
            registry: cx.env.registry,
            fmt: &cx.fmt,
            role: Oid::INVALID,
            database: "",
            source: "",
            lock: &|_, _| Ok(()),
            env: cx.env.session.fn_env(),
            xact_start_us: cx.xact_start_us,
            stmt_start_us: cx.stmt_start_us,
        };
        let name = |a: i16| self.rel.desc.attrs[a as usize - 1].name.clone();
        let mut exprs = list.iter();
        t.desc
            .keys
            .iter()
            .take(t.desc.num_key_atts as usize)
            .map(|k| match *k {
                a if a != 0 => Ok(name(a)),
                _ => match exprs.next() {
                    Some(e) => analyze::expr_to_sql(&ctx, e, &|v| name(v.attno)),
                    None => Ok(String::new()),
                },
            })
            .collect()
    }
    /// Evaluates index expressions and predicates for a batch.
    pub fn prepare_indexes(&mut self, cx: &Exec, b: &Batch) -> Result<()> {
        self.indexes.iter_mut().try_for_each(|t| t.prepare(cx, b))
    }
    /// Rows alive in the batch, as numbers.
    pub fn rows(b: &Batch) -> Vec<u16> {
        match b.live() {
            Rows::All(n) => (0..n as u16).collect(),
            Rows::Sel(s) => s.to_vec(),
        }
    }
}

/// Values in failing rows are cut after 64 bytes (at a character border).
fn push_clipped(s: &mut String, text: &str) {
    const MAX: usize = 64;
    if text.len() <= MAX {
        s.push_str(text);
        return;
    }
    let mut n = MAX;
    while !text.is_char_boundary(n) {
        n -= 1;
    }
    s.push_str(&text[..n]);
    s.push_str("...");
}

/// `(a, b)=(1, 2)` for messages about keys.
pub fn key_text(env: &ExecEnv, rel: &Relation, attrs: &[i16], values: &[types::Datum]) -> Result<String> {
    let names: Vec<&str> = attrs.iter().map(|a| rel.desc.attrs[*a as usize - 1].name.as_str()).collect();
    let mut texts = Vec::with_capacity(values.len());
    for (a, v) in attrs.iter().zip(values) {
        texts.push(value_text(env, rel.desc.attrs[*a as usize - 1].type_oid, v.as_ref())?);
    }
    Ok(format!("({})=({})", names.join(", "), texts.join(", ")))
}
