//! Scans of relations: sequential, index, index-only, bitmap, by TID. They fill only the columns that target list and
//! conditions name. During a re-check of a concurrently updated row a scan gives the replacement row instead.

use super::parallel_scan::{BitmapSource, IndexShare};
use super::run_filters::Filters;
use super::*;
use crate::expr::compile::cmp_fn;
use crate::expr::{NoScope, Program, colops, compile};
use crate::run_filter::RunFilter;
use crate::store::batch_of;
use access::{
    BitmapHeapScan, BtScan, Direction, FetchStatus, IndexFetch, IndexRel, Rel, ScanKey, ScanOp, ScanSpec,
    Strategy, SysCol,
};
use analyze::info::expr_type;
use analyze::query::RteKind;
use analyze::walk;
use common::{Oid, Tid};
use planner::plan::{IndexCond, IndexCondKind, ScanDirection};
use transam::Snapshot;
use types::array::ArrayRef;
use types::column::BATCH_ROWS;
use types::{CmpFn, DatumRef, Phys, oids};

/// Columns a scan fills: attributes ascending, then system columns.
pub struct RelCols {
    pub attrs: Vec<i16>,
    pub system: Vec<i16>,
    index: bool,
}

impl RelCols {
    /// Collects the Vars of a relation's row (or of an index tuple).
    /// A reference to the whole row wants all columns of `rel`.
    pub fn collect<'e>(exprs: impl IntoIterator<Item = &'e Expr>, rel: &Rel, index: bool) -> Result<RelCols> {
        let (mut attrs, mut system) = (Vec::new(), Vec::new());
        let mut whole = false;
        for e in exprs {
            walk::walk(e, 0, &mut |e, _| {
                if let Expr::Var(v) = e
                    && (matches!(v.varno, VarNo::Rte(_)) || v.varno == VarNo::Index)
                {
                    match v.attno {
                        0 => whole = true,
                        a if a > 0 => attrs.push(a),
                        a => system.push(a),
                    }
                }
                true
            });
        }
        if whole {
            attrs.extend(RelCols::all(rel).attrs);
        }
        for v in [&mut attrs, &mut system] {
            v.sort_unstable();
            v.dedup();
        }
        Ok(RelCols { attrs, system, index })
    }
    /// These attributes and system columns, each ascending.
    pub fn of(attrs: Vec<i16>, system: Vec<i16>) -> RelCols {
        RelCols { attrs, system, index: false }
    }
    /// All attributes of a relation.
    pub fn all(rel: &Rel) -> RelCols {
        let attrs =
            (1..=rel.desc.len() as i16).filter(|a| !rel.desc.attrs[*a as usize - 1].dropped).collect();
        RelCols { attrs, system: Vec::new(), index: false }
    }
    /// The access method's form.
    pub fn spec(&self) -> ScanSpec {
        let n = self.attrs.len();
        ScanSpec {
            wanted: self.attrs.iter().enumerate().map(|(i, a)| (*a as u16, i as u16)).collect(),
            system: self.system.iter().enumerate().map(|(i, a)| (sys_col(*a), (n + i) as u16)).collect(),
        }
    }
    /// The same, with attribute n in batch column n - 1 (dropped attributes get no values).
    pub fn spec_by_attr(&self) -> ScanSpec {
        ScanSpec {
            wanted: self.attrs.iter().map(|a| (*a as u16, *a as u16 - 1)).collect(),
            system: Vec::new(),
        }
    }
    /// An empty batch for it.
    pub fn batch(&self, rel: &Rel) -> Batch {
        let mut phys: Vec<Phys> = self.attrs.iter().map(|a| rel.desc.attrs[*a as usize - 1].phys).collect();
        phys.extend(self.system.iter().map(|a| if *a == -1 { Phys::I64 } else { Phys::U32 }));
        batch_of(&phys)
    }
}

impl Scope for RelCols {
    fn var(&self, v: &Var) -> Option<usize> {
        let right = if self.index { v.varno == VarNo::Index } else { matches!(v.varno, VarNo::Rte(_)) };
        if !right {
            return None;
        }
        if v.attno > 0 {
            self.attrs.binary_search(&v.attno).ok()
        } else {
            self.system.binary_search(&v.attno).ok().map(|p| self.attrs.len() + p)
        }
    }
}

fn sys_col(attno: i16) -> SysCol {
    match attno {
        -1 => SysCol::Ctid,
        -2 => SysCol::Xmin,
        -3 => SysCol::Cmin,
        -4 => SysCol::Xmax,
        -5 => SysCol::Cmax,
        _ => SysCol::TableOid,
    }
}

/// OID of the relation behind a range table index.
pub fn relation_of(b: &BuildCx<'_>, rti: u32) -> Result<Oid> {
    match b.stmt.rtable.get(rti as usize - 1).map(|r| &r.kind) {
        Some(RteKind::Relation { relid, .. }) => Ok(*relid),
        _ => Err(Error::internal("executor: scan of something that is not a relation")),
    }
}

/// The heap of a relation.
pub fn heap_of(env: &ExecEnv, relid: Oid) -> Result<Rc<Rel>> {
    let r = env.catalog()?.relation(relid)?;
    if !r.populated {
        return Err(common::err!(
            OBJECT_NOT_IN_PREREQUISITE_STATE,
            "materialized view \"{}\" has not been populated",
            r.name
        )
        .hint("Use the REFRESH MATERIALIZED VIEW command."));
    }
    r.rel.clone().ok_or_else(|| common::err!(WRONG_OBJECT_TYPE, "cannot open relation \"{}\"", r.name))
}

/// What all heap scans share.
pub(super) struct Base {
    rti: u32,
    pub(super) heap: Rc<Rel>,
    pub(super) cols: RelCols,
    pub(super) input: Batch,
    pub(super) tail: Tail,
    /// Conditions that the access path implies, tested only when a replacement row is looked at.
    recheck: Option<Qual>,
    /// The replacement row was given.
    pub(super) epq_done: bool,
    pub(super) filters: Filters,
}

impl Base {
    fn new(b: &BuildCx<'_>, plan: &Plan, rti: u32, implied: &[Expr]) -> Result<Base> {
        let heap = heap_of(b.env, relation_of(b, rti)?)?;
        let exprs = plan.targetlist.iter().map(|t| &t.expr).chain(&plan.qual).chain(implied);
        let cols = RelCols::collect(exprs, &heap, false)?;
        let width = cols.attrs.len() + cols.system.len();
        Ok(Base {
            rti,
            input: cols.batch(&heap),
            tail: Tail::compile(b, plan, &cols, width)?,
            recheck: Qual::compile(b.env, implied, &cols)?,
            heap,
            cols,
            epq_done: false,
            filters: Filters::default(),
        })
    }
    /// Run-time filters, filter and target list on the rows read; false if no row is left.
    fn finish(&mut self, cx: &Exec) -> Result<bool> {
        self.filters.apply(&mut self.input, |_| true);
        Ok(self.input.live_count() > 0 && self.tail.finish_own(cx, &mut self.input)?)
    }
    /// Takes a filter on an output column.
    pub(super) fn push_filter(&mut self, col: usize, from: u32, f: Option<&Rc<RunFilter>>) -> bool {
        match self.tail.plain_column(col) {
            Some(c) if c < self.cols.attrs.len() => self.filters.set(c, from, f),
            _ => false,
        }
    }
    /// The replacement row, during a re-check that concerns this relation.
    pub(super) fn epq(&mut self, cx: &Exec) -> Result<Option<bool>> {
        let tid = {
            let epq = cx.epq.borrow();
            match epq.as_ref().and_then(|e| e.row(self.rti)) {
                None => return Ok(None),
                Some(t) => t,
            }
        };
        if std::mem::replace(&mut self.epq_done, true) {
            return Ok(Some(false));
        }
        let Some(tid) = tid else { return Ok(Some(false)) };
        self.input.clear();
        let spec = self.cols.spec();
        if !access::heap::fetch_into(cx.engine()?, &self.heap, tid, &Snapshot::Any, &spec, &mut self.input)? {
            return Ok(Some(false));
        }
        if qual::apply(&mut self.recheck, cx, &mut self.input)? == 0 {
            return Ok(Some(false));
        }
        self.tail.finish_own(cx, &mut self.input).map(Some)
    }
}

/// Makes a scan node.
pub fn build(b: &BuildCx<'_>, plan: &Plan) -> Result<BoxNode> {
    Ok(match &plan.node {
        Node::SeqScan { rti, sample } => {
            let Some(s) = sample else {
                return Ok(seq_scan::build(b, Base::new(b, plan, *rti, &[])?, plan, None));
            };
            // The sampling looks at the rows' places.
            let ctid = super::sample::ctid_test(*rti);
            let base = Base::new(b, plan, *rti, std::slice::from_ref(&ctid))?;
            let column = base.cols.attrs.len() + base.cols.system.binary_search(&-1).unwrap_or(0);
            let sample = super::sample::Sampler::new(b, s, column)?;
            seq_scan::build(b, base, plan, Some(sample))
        }
        Node::IndexScan { rti, index, conds, direction } => {
            let (keys, ix, rows) = Keys::compile(b, *index, conds)?;
            let implied: Vec<Expr> = conds.iter().map(|c| c.clause.clone()).collect();
            let base = Base::new(b, plan, *rti, &implied)?;
            let row_qual = Qual::compile(b.env, &rows, &base.cols)?;
            Box::new(IndexScan {
                base,
                keys,
                ix,
                dir: dir_of(*direction),
                scan: None,
                fetch: None,
                tids: Vec::new(),
                at: 0,
                ready: false,
                row_qual,
                share: IndexShare::of(b, plan),
            })
        }
        Node::IndexOnlyScan { rti, index, conds, direction } => {
            let (keys, ix, rows) = Keys::compile(b, *index, conds)?;
            let relid = relation_of(b, *rti)?;
            let heap = heap_of(b.env, relid)?;
            let exprs = plan.targetlist.iter().map(|t| &t.expr).chain(&plan.qual).chain(&rows);
            let cols = RelCols::collect(exprs, &ix.rel, true)?;
            let input = cols.batch(&ix.rel);
            let tail = Tail::compile(b, plan, &cols, cols.attrs.len())?;
            Box::new(IndexOnlyScan {
                rti: *rti,
                heap,
                keys,
                row_qual: Qual::compile(b.env, &rows, &cols)?,
                wanted: cols.spec().wanted,
                input,
                tail,
                ix,
                dir: dir_of(*direction),
                scan: None,
                fetch: None,
                tids: Vec::new(),
                probe: Batch::default(),
                pending: None,
                node_id: plan.node_id,
                ready: false,
                share: IndexShare::of(b, plan),
            })
        }
        Node::BitmapIndexScan { index, conds, .. } => {
            let (keys, ix, _) = Keys::compile(b, *index, conds)?;
            Box::new(BitmapIndex {
                keys,
                ix,
                scan: None,
                tids: Vec::new(),
                none: Batch::default(),
                node_id: plan.node_id,
            })
        }
        Node::BitmapAnd { children } => Box::new(BitmapOp {
            children: children.iter().map(|c| super::build(b, c)).collect::<Result<_>>()?,
            and: true,
            none: Batch::default(),
        }),
        Node::BitmapOr { children } => Box::new(BitmapOp {
            children: children.iter().map(|c| super::build(b, c)).collect::<Result<_>>()?,
            and: false,
            none: Batch::default(),
        }),
        Node::BitmapHeapScan { rti, child, recheck } => Box::new(BitmapHeap {
            base: Base::new(b, plan, *rti, recheck)?,
            child: BitmapSource::new(b, plan, super::build(b, child)?),
            scan: None,
            recheck_rows: Vec::new(),
            node_id: plan.node_id,
        }),
        Node::TidScan { rti, tids } => super::tid_scan::build(b, Base::new(b, plan, *rti, &[])?, *rti, tids)?,
        _ => return Err(Error::internal("executor: not a scan")),
    })
}

pub(super) fn dir_of(d: ScanDirection) -> Direction {
    match d {
        ScanDirection::Forward => Direction::Forward,
        ScanDirection::Backward => Direction::Backward,
    }
}

fn strategy(n: u8) -> Strategy {
    match n {
        1 => Strategy::Lt,
        2 => Strategy::Le,
        4 => Strategy::Ge,
        5 => Strategy::Gt,
        _ => Strategy::Eq,
    }
}

pub(super) enum KeyKind {
    Op(Strategy, usize, Option<CmpFn>),
    Array(usize, Option<CmpFn>),
    Null(bool),
}

/// Scan keys: conditions whose values are computed at each (re)scan.
pub(super) struct Keys {
    pub(super) values: Program,
    pub(super) kinds: Vec<KeyKind>,
    pub(super) keys: Vec<ScanKey>,
}

impl Keys {
    /// Compiles; also returns clauses that the scan must test itself (row comparisons).
    fn compile(b: &BuildCx<'_>, index: Oid, conds: &[IndexCond]) -> Result<(Keys, Rc<IndexRel>, Vec<Expr>)> {
        Keys::compile_in(b, index, conds, &NoScope)
    }
    /// The same with values that read columns.
    pub(super) fn compile_in(
        b: &BuildCx<'_>,
        index: Oid,
        conds: &[IndexCond],
        scope: &dyn Scope,
    ) -> Result<(Keys, Rc<IndexRel>, Vec<Expr>)> {
        let desc = b.env.catalog()?.index(index)?;
        let ix = desc.rel.clone();
        let mut exprs: Vec<&Expr> = Vec::new();
        let mut kinds = Vec::new();
        let mut keys = Vec::new();
        let mut rows = Vec::new();
        let cross = |column: u16, t: Oid, proc: Oid| -> Result<Option<CmpFn>> {
            let own = ix.rel.desc.attrs[column as usize].type_oid;
            let text = |t: Oid| t == oids::TEXT || t == oids::VARCHAR;
            if own == t || (text(own) && text(t)) {
                return Ok(None);
            }
            cmp_fn(b.env, proc).map(Some)
        };
        for c in conds {
            let (column, kind) = match &c.kind {
                IndexCondKind::Op { strategy: s, cmp_proc, value, .. } => {
                    exprs.push(value);
                    let cmp = cross(c.column, expr_type(value), *cmp_proc)?;
                    (c.column, KeyKind::Op(strategy(*s), exprs.len() - 1, cmp))
                }
                IndexCondKind::ArrayOp { strategy: s, cmp_proc, array, .. } => {
                    if *s != 3 {
                        return Err(Error::internal("executor: array index condition that is not equality"));
                    }
                    exprs.push(array);
                    let elem = crate::expr::arrays::elem_type(b.env, expr_type(array))?;
                    (c.column, KeyKind::Array(exprs.len() - 1, cross(c.column, elem, *cmp_proc)?))
                }
                IndexCondKind::IsNull => (c.column, KeyKind::Null(true)),
                IndexCondKind::IsNotNull => (c.column, KeyKind::Null(false)),
                IndexCondKind::Row { strategy: s, columns, cmp_procs, values, .. } => {
                    // The leading column bounds the scan, the clause itself decides.
                    rows.push(c.clause.clone());
                    exprs.push(&values[0]);
                    let lead = match s {
                        1 | 2 => Strategy::Le,
                        _ => Strategy::Ge,
                    };
                    let cmp = cross(columns[0], expr_type(&values[0]), cmp_procs[0])?;
                    (columns[0], KeyKind::Op(lead, exprs.len() - 1, cmp))
                }
            };
            let op = match kind {
                KeyKind::Null(true) => ScanOp::IsNull,
                _ => ScanOp::IsNotNull,
            };
            keys.push(ScanKey { column: column + 1, op });
            kinds.push(kind);
        }
        let values = compile(b.env, exprs, scope)?;
        Ok((Keys { values, kinds, keys }, ix, rows))
    }
    /// Evaluates the values.
    fn compute(&mut self, cx: &Exec) -> Result<()> {
        self.values.run_once(cx)?;
        for (key, kind) in self.keys.iter_mut().zip(&self.kinds) {
            match kind {
                KeyKind::Null(_) => {}
                KeyKind::Op(s, k, cmp) => {
                    let v = self.values.result(*k, &cx.no_input).get(0).to_owned();
                    key.op = ScanOp::Cmp(*s, v, *cmp);
                }
                KeyKind::Array(k, cmp) => {
                    let list = match self.values.result(*k, &cx.no_input).get(0) {
                        DatumRef::Null => Vec::new(),
                        d => ArrayRef::new(d.bytes())?
                            .to_vec()?
                            .into_iter()
                            .filter(|d| !d.is_null())
                            .map(DatumRef::to_owned)
                            .collect(),
                    };
                    key.op = ScanOp::Any(list, *cmp);
                }
            }
        }
        Ok(())
    }
    pub(super) fn begin(&self, scan: &mut Option<BtScan>, ix: &Rc<IndexRel>, dir: Direction, keep_pin: bool) {
        match scan {
            Some(s) => s.restart(&self.keys),
            None => *scan = Some(BtScan::begin(ix.clone(), self.keys.clone(), dir, keep_pin)),
        }
    }
}

struct IndexScan {
    base: Base,
    keys: Keys,
    ix: Rc<IndexRel>,
    dir: Direction,
    scan: Option<BtScan>,
    fetch: Option<IndexFetch>,
    tids: Vec<Tid>,
    at: usize,
    /// Keys are computed and the scan is positioned.
    ready: bool,
    row_qual: Option<Qual>,
    share: Option<IndexShare>,
}

impl ExecNode for IndexScan {
    fn next(&mut self, cx: &Exec, want: usize) -> Result<bool> {
        if cx.epq.borrow().is_some()
            && let Some(r) = self.base.epq(cx)?
        {
            return Ok(r);
        }
        let eng = cx.engine()?;
        if !self.ready {
            self.keys.compute(cx)?;
            self.keys.begin(&mut self.scan, &self.ix, self.dir, false);
            if let (Some(share), Some(scan)) = (&self.share, &mut self.scan) {
                share.apply(scan);
            }
            self.tids.clear();
            self.at = 0;
            self.ready = true;
        }
        let (Some(scan), Some(fetch)) = (&mut self.scan, &mut self.fetch) else {
            return Err(Error::internal("executor: scan not open"));
        };
        let want = want.clamp(1, BATCH_ROWS);
        loop {
            cx.check_interrupts()?;
            self.base.input.clear();
            let mut end = false;
            while self.base.input.rows < want {
                if self.at >= self.tids.len() {
                    self.at = 0;
                    if !scan.next_batch(eng, &mut self.tids, None)? {
                        self.tids.clear();
                        end = true;
                        break;
                    }
                    continue;
                }
                if self.at.is_multiple_of(access::WARM_MAX) {
                    fetch.warm(eng, &self.tids[self.at..]);
                }
                let tid = self.tids[self.at];
                if fetch.fetch_into(eng, tid, &mut self.base.input)? == FetchStatus::AllDead {
                    scan.kill(self.at);
                }
                self.at += 1;
            }
            if self.base.input.rows > 0
                && qual::apply(&mut self.row_qual, cx, &mut self.base.input)? > 0
                && self.base.finish(cx)?
            {
                return Ok(true);
            }
            if end {
                return Ok(false);
            }
        }
    }
    fn push_filter(&mut self, col: usize, from: u32, f: Option<&Rc<RunFilter>>) -> bool {
        self.base.push_filter(col, from, f)
    }
    fn batch(&self) -> &Batch {
        &self.base.tail.proj.out
    }
    fn batch_mut(&mut self) -> &mut Batch {
        &mut self.base.tail.proj.out
    }
    fn rescan(&mut self, cx: &Exec) -> Result<()> {
        self.base.epq_done = false;
        self.ready = false;
        match &mut self.fetch {
            Some(f) => f.set_snapshot(cx.snapshot()?.clone()),
            None => {
                let spec = self.base.cols.spec();
                self.fetch = Some(IndexFetch::new(self.base.heap.clone(), cx.snapshot()?.clone(), spec));
            }
        }
        Ok(())
    }
    fn end(&mut self, cx: &Exec) {
        if let (Some(s), Ok(e)) = (&mut self.scan, cx.engine()) {
            s.end(e);
        }
        if let Some(f) = &mut self.fetch {
            f.release();
            f.set_snapshot(Snapshot::Any);
        }
        self.ready = false;
        self.base.tail.report(cx);
    }
}

struct IndexOnlyScan {
    rti: u32,
    heap: Rc<Rel>,
    keys: Keys,
    ix: Rc<IndexRel>,
    row_qual: Option<Qual>,
    wanted: Vec<(u16, u16)>,
    input: Batch,
    tail: Tail,
    dir: Direction,
    scan: Option<BtScan>,
    fetch: Option<IndexFetch>,
    tids: Vec<Tid>,
    probe: Batch,
    /// Rows of `input` from here on are still to be given (a small `want` takes a leaf in portions).
    pending: Option<usize>,
    node_id: u32,
    ready: bool,
    share: Option<IndexShare>,
}

impl IndexOnlyScan {
    /// Looks at the heap where the page is not all-visible; leaves the visible rows selected.
    fn check_visible(&mut self, cx: &Exec, from: usize, want: usize) -> Result<usize> {
        let eng = cx.engine()?;
        let (Some(scan), Some(fetch)) = (&mut self.scan, &mut self.fetch) else { return Ok(0) };
        let mut sel = Vec::new();
        let mut at = from;
        let mut fetches = 0u64;
        while at < self.tids.len() && sel.len() < want {
            let tid = self.tids[at];
            if fetch.all_visible(eng, tid)? {
                sel.push(at as u16);
            } else {
                fetches += 1;
                self.probe.clear();
                match fetch.fetch_into(eng, tid, &mut self.probe)? {
                    FetchStatus::Found(_) => sel.push(at as u16),
                    FetchStatus::AllDead => scan.kill(at),
                    FetchStatus::NotVisible => {}
                }
            }
            at += 1;
        }
        cx.instr(self.node_id, |i| i.heap_fetches += fetches);
        self.input.sel = Some(sel);
        Ok(at)
    }
}

impl ExecNode for IndexOnlyScan {
    fn next(&mut self, cx: &Exec, want: usize) -> Result<bool> {
        if cx.epq.borrow().as_ref().is_some_and(|e| e.row(self.rti).is_some()) {
            return Err(Error::internal("executor: re-check through an index-only scan"));
        }
        let eng = cx.engine()?;
        if !self.ready {
            self.keys.compute(cx)?;
            self.keys.begin(&mut self.scan, &self.ix, self.dir, true);
            if let (Some(share), Some(scan)) = (&self.share, &mut self.scan) {
                share.apply(scan);
            }
            self.pending = None;
            self.ready = true;
        }
        loop {
            cx.check_interrupts()?;
            let from = match self.pending.take() {
                Some(p) => p,
                None => {
                    self.input.clear();
                    let Some(scan) = &mut self.scan else { return Ok(false) };
                    if !scan.next_batch(eng, &mut self.tids, Some((&self.wanted, &mut self.input)))? {
                        self.tids.clear();
                        return Ok(false);
                    }
                    self.input.rows = self.tids.len();
                    0
                }
            };
            let at = self.check_visible(cx, from, want.max(1))?;
            if at < self.tids.len() {
                // Part of the leaf: the columns must stay for the rest.
                let mut part = colops::like(&self.input);
                colops::append_batch(&mut part, &self.input);
                self.input.sel = None;
                self.pending = Some(at);
                if qual::apply(&mut self.row_qual, cx, &mut part)? > 0
                    && self.tail.finish_own(cx, &mut part)?
                {
                    return Ok(true);
                }
                continue;
            }
            if self.input.live_count() > 0
                && qual::apply(&mut self.row_qual, cx, &mut self.input)? > 0
                && self.tail.finish_own(cx, &mut self.input)?
            {
                return Ok(true);
            }
        }
    }
    fn batch(&self) -> &Batch {
        &self.tail.proj.out
    }
    fn batch_mut(&mut self) -> &mut Batch {
        &mut self.tail.proj.out
    }
    fn rescan(&mut self, cx: &Exec) -> Result<()> {
        self.ready = false;
        self.pending = None;
        match &mut self.fetch {
            Some(f) => f.set_snapshot(cx.snapshot()?.clone()),
            None => {
                let f = IndexFetch::new(self.heap.clone(), cx.snapshot()?.clone(), ScanSpec::default());
                self.fetch = Some(f);
            }
        }
        Ok(())
    }
    fn end(&mut self, cx: &Exec) {
        if let (Some(s), Ok(e)) = (&mut self.scan, cx.engine()) {
            s.end(e);
        }
        if let Some(f) = &mut self.fetch {
            f.release();
            f.set_snapshot(Snapshot::Any);
        }
        self.ready = false;
        self.tail.report(cx);
    }
}

struct BitmapIndex {
    keys: Keys,
    ix: Rc<IndexRel>,
    scan: Option<BtScan>,
    tids: Vec<Tid>,
    none: Batch,
    node_id: u32,
}

impl ExecNode for BitmapIndex {
    fn next(&mut self, _cx: &Exec, _want: usize) -> Result<bool> {
        Err(Error::internal("executor: bitmap nodes give no rows"))
    }
    fn batch(&self) -> &Batch {
        &self.none
    }
    fn batch_mut(&mut self) -> &mut Batch {
        &mut self.none
    }
    fn rescan(&mut self, _cx: &Exec) -> Result<()> {
        Ok(())
    }
    fn bitmap(&mut self, cx: &Exec) -> Result<TidBitmap> {
        let eng = cx.engine()?;
        self.keys.compute(cx)?;
        self.keys.begin(&mut self.scan, &self.ix, Direction::Forward, false);
        let mut map = TidBitmap::new(cx.env.work_mem.get());
        let mut n = 0;
        if let Some(s) = &mut self.scan {
            while s.next_batch(eng, &mut self.tids, None)? {
                cx.check_interrupts()?;
                n += self.tids.len();
                map.add(&self.tids, false);
            }
        }
        cx.instr(self.node_id, |i| i.rows += n as f64);
        Ok(map)
    }
    fn end(&mut self, cx: &Exec) {
        if let (Some(s), Ok(e)) = (&mut self.scan, cx.engine()) {
            s.end(e);
        }
    }
}

struct BitmapOp {
    children: Vec<BoxNode>,
    and: bool,
    none: Batch,
}

impl ExecNode for BitmapOp {
    fn next(&mut self, _cx: &Exec, _want: usize) -> Result<bool> {
        Err(Error::internal("executor: bitmap nodes give no rows"))
    }
    fn batch(&self) -> &Batch {
        &self.none
    }
    fn batch_mut(&mut self) -> &mut Batch {
        &mut self.none
    }
    fn rescan(&mut self, cx: &Exec) -> Result<()> {
        self.children.iter_mut().try_for_each(|c| c.rescan(cx))
    }
    fn bitmap(&mut self, cx: &Exec) -> Result<TidBitmap> {
        let mut acc: Option<TidBitmap> = None;
        for c in &mut self.children {
            let m = c.bitmap(cx)?;
            match &mut acc {
                None => acc = Some(m),
                Some(a) if self.and => a.intersect(&m),
                Some(a) => a.union(&m),
            }
            // Nothing can come back into an empty intersection.
            if self.and && acc.as_ref().is_some_and(TidBitmap::is_empty) {
                break;
            }
        }
        acc.ok_or_else(|| Error::internal("executor: bitmap node without children"))
    }
    fn end(&mut self, cx: &Exec) {
        self.children.iter_mut().for_each(|c| c.end(cx));
    }
}

struct BitmapHeap {
    base: Base,
    child: Rc<BitmapSource>,
    scan: Option<BitmapHeapScan>,
    recheck_rows: Vec<u16>,
    node_id: u32,
}

impl BitmapHeap {
    /// Drops the rows listed in `recheck_rows` that fail the conditions.
    fn recheck(&mut self, cx: &Exec) -> Result<()> {
        if self.recheck_rows.is_empty() || self.base.recheck.is_none() {
            return Ok(());
        }
        let b = &mut self.base.input;
        let all = b.rows;
        let listed = std::mem::take(&mut self.recheck_rows);
        b.sel = Some(listed.clone());
        qual::apply(&mut self.base.recheck, cx, b)?;
        let passed = b.sel.take().unwrap_or_default();
        let mut bad = vec![false; all];
        listed.iter().for_each(|i| bad[*i as usize] = true);
        passed.iter().for_each(|i| bad[*i as usize] = false);
        let removed = listed.len() - passed.len();
        if removed > 0 {
            b.sel = Some((0..all as u16).filter(|i| !bad[*i as usize]).collect());
            cx.instr(self.node_id, |i| i.removed_recheck += removed as f64);
        }
        self.recheck_rows = listed;
        Ok(())
    }
}

impl ExecNode for BitmapHeap {
    fn next(&mut self, cx: &Exec, _want: usize) -> Result<bool> {
        if cx.epq.borrow().is_some()
            && let Some(r) = self.base.epq(cx)?
        {
            return Ok(r);
        }
        let eng = cx.engine()?;
        if self.scan.is_none() {
            let pages = self.child.pages(cx)?;
            let spec = self.base.cols.spec();
            let heap = self.base.heap.clone();
            self.scan = Some(BitmapHeapScan::begin(eng, heap, cx.snapshot()?.clone(), spec, pages)?);
        }
        loop {
            cx.check_interrupts()?;
            self.base.input.clear();
            self.recheck_rows.clear();
            let Some(scan) = &mut self.scan else { return Ok(false) };
            if !scan.next_batch(eng, &mut self.base.input, &mut self.recheck_rows)? {
                return Ok(false);
            }
            self.recheck(cx)?;
            if self.base.input.live_count() > 0 && self.base.finish(cx)? {
                return Ok(true);
            }
        }
    }
    fn batch(&self) -> &Batch {
        &self.base.tail.proj.out
    }
    fn batch_mut(&mut self) -> &mut Batch {
        &mut self.base.tail.proj.out
    }
    fn push_filter(&mut self, col: usize, from: u32, f: Option<&Rc<RunFilter>>) -> bool {
        self.base.push_filter(col, from, f)
    }
    fn rescan(&mut self, cx: &Exec) -> Result<()> {
        self.base.epq_done = false;
        self.scan = None;
        self.child.rescan(cx)
    }
    fn end(&mut self, cx: &Exec) {
        if let Some(s) = self.scan.take() {
            let (exact, lossy) = s.heap_blocks();
            cx.instr(self.node_id, |i| {
                i.exact_blocks += exact;
                i.lossy_blocks += lossy;
            });
        }
        self.base.tail.report(cx);
        self.child.end(cx);
    }
}
