//! Foreign keys, enforced without SQL: keys are looked up through the referenced table's unique index and locked FOR KEY
//! SHARE; changes of referenced rows look for referencing ones (through an index where there is one) and do as the
//! constraint says. Lookups use the latest snapshot, as PostgreSQL's do.

use super::after::Event;
use super::epq::{concurrent_update, keeps_snapshot};
use super::table::write_update;
use super::target::{TargetRelation, key_text, schema_name};
use crate::expr::compile::cmp_fn;
use crate::expr::{NoScope, colops, compile_one};
use crate::node::scan::RelCols;
use crate::run::Exec;
use access::{
    BtScan, Direction, FetchStatus, HeapScan, IndexFetch, IndexRel, LockWait, Rel, RowLock, ScanKey, ScanOp,
    ScanOptions, ScanSpec, Strategy, TmResult,
};
use analyze::expr::Expr;
use catalog::Ref;
use catalog::desc::{ForeignKey, Relation};
use common::{Error, Oid, Result, Tid, err};
use std::rc::Rc;
use transam::Snapshot;
use types::{Arg, Batch, CmpFn, Column, Datum, Phys, Rows, ScalarKernel};

/// Checks beyond this many are run before the end of the statement, to bound memory.
const EARLY_CHECKS: usize = 20_000;

fn key_of(b: &Batch, i: usize, attrs: &[i16]) -> Vec<Datum> {
    attrs.iter().map(|a| b.cols[*a as usize - 1].get(i).to_owned()).collect()
}

/// Queues a check for a referencing row's key; NULLs need none (23503 where MATCH FULL forbids them).
fn queue_check(
    cx: &Exec,
    rel: &Relation,
    fk: &Rc<ForeignKey>,
    (b, i): (&Batch, usize),
    tid: Tid,
) -> Result<()> {
    let nulls = fk.conkey.iter().filter(|a| b.cols[**a as usize - 1].nulls.get(i)).count();
    if nulls > 0 {
        if fk.match_type == b'f' && nulls < fk.conkey.len() {
            return Err(err!(
                FOREIGN_KEY_VIOLATION,
                "insert or update on table \"{}\" violates foreign key constraint \"{}\"",
                rel.name,
                fk.name
            )
            .detail("MATCH FULL does not allow mixing of null and nonnull key values.")
            .schema(schema_name(&cx.env, rel))
            .table(rel.name.clone())
            .constraint(fk.name.clone()));
        }
        return Ok(());
    }
    let key = key_of(b, i, &fk.conkey);
    let mut q = cx.after.borrow_mut();
    // Neighbouring rows often have the same key.
    if !fk.deferrable
        && let Some(Event::Check { fk: f, key: k, .. }) = q.events.last()
        && Rc::ptr_eq(f, fk)
        && *k == key
    {
        return Ok(());
    }
    q.push(Event::Check { fk: fk.clone(), key, row: fk.deferrable.then_some(tid) });
    Ok(())
}

/// Calls of the trigger of a foreign key, for EXPLAIN ANALYZE: one a row, however many look-ups that takes.
fn count_checks(cx: &Exec, fk: &ForeignKey, rows: usize) {
    if cx.instrumented() && !fk.deferrable && rows > 0 {
        let key = (fk.oid, fk.conrelid, planner::instrument::TriggerKind::Check);
        cx.trigger_called(key, rows as u64, 0.0);
    }
}

/// After an insertion of the live rows of `b` (attribute order) at `tids`.
pub fn queue_inserts(cx: &Exec, rel: &Relation, b: &Batch, tids: &[Tid]) -> Result<()> {
    for fk in &rel.fkeys_out {
        let mut at = tids.iter();
        b.live().each(|i| queue_check(cx, rel, fk, (b, i), at.next().copied().unwrap_or_default()))?;
        count_checks(cx, fk, b.live().count());
    }
    let full = cx.after.borrow().events.len() > EARLY_CHECKS;
    if full && rel.fkeys_out.iter().all(|f| f.confrelid != f.conrelid && !f.deferred) {
        super::fire_after(cx)?;
    }
    Ok(())
}

/// After an update of row 0 of `old` to row 0 of `new`.
pub fn queue_update(
    cx: &Exec,
    rel: &Relation,
    old: &Batch,
    (new, tid): (&Batch, Tid),
    changed: &[u16],
) -> Result<()> {
    let touches = |attrs: &[i16]| attrs.iter().any(|a| changed.contains(&(*a as u16)));
    let differs = |attrs: &[i16]| {
        attrs.iter().any(|a| {
            let k = *a as usize - 1;
            old.cols[k].get(0) != new.cols[k].get(0)
        })
    };
    for fk in &rel.fkeys_out {
        if touches(&fk.conkey) && differs(&fk.conkey) || cx.env.deferred.has_checks_of(fk.oid) {
            queue_check(cx, rel, fk, (new, 0), tid)?;
            count_checks(cx, fk, 1);
        }
    }
    for fk in &rel.fkeys_in {
        if touches(&fk.confkey) && differs(&fk.confkey) {
            let (old, new) = (key_of(old, 0, &fk.confkey), key_of(new, 0, &fk.confkey));
            if !old.iter().any(Datum::is_null) {
                cx.after.borrow_mut().push(Event::Updated { fk: fk.clone(), old, new });
            }
        }
    }
    Ok(())
}

/// After a deletion of row 0 of `old`.
pub fn queue_delete(cx: &Exec, rel: &Relation, old: &Batch) {
    for fk in &rel.fkeys_in {
        let key = key_of(old, 0, &fk.confkey);
        if !key.iter().any(Datum::is_null) {
            cx.after.borrow_mut().push(Event::Deleted { fk: fk.clone(), old: key });
        }
    }
}

/// A way to find rows by key columns.
enum Access {
    /// Index, and for each of its leading columns the position in the key and a cross-type comparison.
    Index(Rc<IndexRel>, Vec<(usize, Option<CmpFn>)>),
    /// Sequential scan.
    Heap,
}

struct Side {
    rel: Ref<Relation>,
    heap: Rc<Rel>,
    access: Access,
    /// Attributes compared, and the kernels of `pk = fk` (the argument order is told by `pk_first`).
    attrs: Vec<i16>,
}

/// Resolved tables of the constraints met so far.
#[derive(Default)]
pub struct Lookups {
    pk: Vec<(Oid, Rc<Side>)>,
    fk: Vec<(Oid, Rc<Side>)>,
    /// Last key found and locked, by constraint.
    last: Option<(Oid, Vec<Datum>)>,
}

fn open(cx: &Exec, relid: Oid) -> Result<(Ref<Relation>, Rc<Rel>)> {
    let rel = cx.env.catalog()?.relation(relid)?;
    let heap = rel.rel.clone().ok_or_else(|| Error::internal("foreign key of a relation without storage"))?;
    Ok((rel, heap))
}

/// An index whose leading columns are exactly the key's, in any order.
fn index_on(cx: &Exec, rel: &Relation, attrs: &[i16], value_types: &[Oid], prefer: Oid) -> Result<Access> {
    let catalog = cx.env.catalog()?;
    let mut oids: Vec<Oid> = rel.indexes.to_vec();
    oids.sort_by_key(|o| *o != prefer);
    for oid in oids {
        let d = catalog.index(oid)?;
        let usable = d.valid && d.predicate.is_none() && d.num_key_atts as usize >= attrs.len();
        if !usable || !d.keys[..attrs.len()].iter().all(|k| attrs.contains(k)) {
            continue;
        }
        let mut cols = Vec::new();
        for k in 0..attrs.len() {
            let Some(pos) = attrs.iter().position(|a| *a == d.keys[k]) else { continue };
            let own = rel.desc.attrs[attrs[pos] as usize - 1].type_oid;
            let other = value_types[pos];
            let cmp = if own == other {
                None
            } else {
                match catalog.amproc(d.opfamilies[k], d.opcintypes[k], other, 1)? {
                    Some(p) => Some(cmp_fn(&cx.env, p)?),
                    None => None,
                }
            };
            cols.push((pos, cmp));
        }
        if cols.len() == attrs.len() {
            return Ok(Access::Index(d.rel.clone(), cols));
        }
    }
    Ok(Access::Heap)
}

fn types_of(rel: &Relation, attrs: &[i16]) -> Vec<Oid> {
    attrs.iter().map(|a| rel.desc.attrs[*a as usize - 1].type_oid).collect()
}

impl Lookups {
    /// The referenced table.
    fn pk_side(&mut self, cx: &Exec, fk: &ForeignKey) -> Result<Rc<Side>> {
        if let Some(s) = self.pk.iter().find(|s| s.0 == fk.oid) {
            return Ok(s.1.clone());
        }
        let (rel, heap) = open(cx, fk.confrelid)?;
        let (con, _) = open(cx, fk.conrelid)?;
        let access = index_on(cx, &rel, &fk.confkey, &types_of(&con, &fk.conkey), fk.index)?;
        let s = Rc::new(Side { rel, heap, access, attrs: fk.confkey.clone() });
        self.pk.push((fk.oid, s.clone()));
        Ok(s)
    }
    /// The referencing table.
    fn fk_side(&mut self, cx: &Exec, fk: &ForeignKey) -> Result<Rc<Side>> {
        if let Some(s) = self.fk.iter().find(|s| s.0 == fk.oid) {
            return Ok(s.1.clone());
        }
        let (rel, heap) = open(cx, fk.conrelid)?;
        let (conf, _) = open(cx, fk.confrelid)?;
        let access = index_on(cx, &rel, &fk.conkey, &types_of(&conf, &fk.confkey), Oid::INVALID)?;
        let s = Rc::new(Side { rel, heap, access, attrs: fk.conkey.clone() });
        self.fk.push((fk.oid, s.clone()));
        Ok(s)
    }
}

/// `a = b` by a kernel, both not null.
fn equal(
    cx: &Exec,
    f: ScalarKernel,
    coll: types::Collation,
    a: &Datum,
    b: &Datum,
    pa: Phys,
    pb: Phys,
) -> Result<bool> {
    let (x, y) = (Column::constant(pa, a), Column::constant(pb, b));
    let mut out = Column::new(Phys::Bool);
    cx.env.with_call_ctx(coll, |ctx| {
        f(ctx, &[Arg { col: &x, konst: true }, Arg { col: &y, konst: true }], Rows::All(1), &mut out)
    })?;
    Ok(matches!(out.get(0), types::DatumRef::Bool(true)))
}

/// Addresses of the rows whose key columns equal `key`, by `snapshot`. `ops` are the equality operators with the
/// referenced table's value on the left; `key_is_pk` says which side `key` comes from.
fn find(
    cx: &Exec,
    s: &Side,
    key: &[Datum],
    ops: &[Oid],
    key_is_pk: bool,
    snapshot: &Snapshot,
    max: usize,
) -> Result<Vec<Tid>> {
    let eng = cx.engine()?;
    let mut found = Vec::new();
    if let Access::Index(ix, cols) = &s.access {
        let keys = cols
            .iter()
            .enumerate()
            .map(|(k, (pos, cmp))| ScanKey {
                column: k as u16 + 1,
                op: ScanOp::Cmp(Strategy::Eq, key[*pos].clone(), *cmp),
            })
            .collect();
        let mut scan = BtScan::begin(ix.clone(), keys, Direction::Forward, false);
        let mut fetch = IndexFetch::new(s.heap.clone(), snapshot.clone(), ScanSpec::default());
        let mut none = Batch::default();
        let mut tids = Vec::new();
        while found.len() < max && scan.next_batch(eng, &mut tids, None)? {
            for t in &tids {
                if let FetchStatus::Found(tid) = fetch.fetch_into(eng, *t, &mut none)? {
                    found.push(tid);
                }
            }
        }
        fetch.release();
        scan.end(eng);
        return Ok(found);
    }
    let catalog = cx.env.catalog()?;
    let mut kernels = Vec::new();
    for (k, op) in ops.iter().enumerate() {
        let attr = &s.rel.desc.attrs[s.attrs[k] as usize - 1];
        let (f, collation) = cx.env.kernel(catalog.operator(*op)?.code, attr.collation)?;
        kernels.push((f, attr.phys, collation));
    }
    let all = RelCols::of(sorted(&s.attrs), vec![-1]);
    let opts = ScanOptions::default();
    let mut scan = HeapScan::begin(eng, s.heap.clone(), snapshot.clone(), all.spec(), opts)?;
    let mut b = all.batch(&s.heap);
    let tid_col = all.attrs.len();
    loop {
        b.clear();
        if found.len() >= max || !scan.next_batch(eng, &mut b)? {
            return Ok(found);
        }
        cx.check_interrupts()?;
        for i in 0..b.rows {
            let mut same = true;
            for (k, (f, phys, coll)) in kernels.iter().enumerate() {
                let col = all.attrs.binary_search(&s.attrs[k]).unwrap_or(0);
                let v = b.cols[col].get(i).to_owned();
                if v.is_null() {
                    same = false;
                    break;
                }
                let kp = phys_of(&key[k], *phys);
                same = if key_is_pk {
                    equal(cx, *f, *coll, &key[k], &v, kp, *phys)?
                } else {
                    equal(cx, *f, *coll, &v, &key[k], *phys, kp)?
                };
                if !same {
                    break;
                }
            }
            if same {
                found.push(Tid::unpack(b.cols[tid_col].get(i).i64()));
            }
        }
    }
}

fn sorted(a: &[i16]) -> Vec<i16> {
    let mut v = a.to_vec();
    v.sort_unstable();
    v.dedup();
    v
}

fn phys_of(d: &Datum, default: Phys) -> Phys {
    match d {
        Datum::Null => default,
        Datum::Bool(_) => Phys::Bool,
        Datum::I8(_) => Phys::I8,
        Datum::I16(_) => Phys::I16,
        Datum::I32(_) => Phys::I32,
        Datum::U32(_) => Phys::U32,
        Datum::I64(_) => Phys::I64,
        Datum::F32(_) => Phys::F32,
        Datum::F64(_) => Phys::F64,
        Datum::Fixed16(_) => Phys::Fixed16,
        Datum::Bytes(_) => Phys::Bytes,
    }
}

/// The snapshot for looking at the other table.
fn snapshot(cx: &Exec, latest: bool) -> Result<Snapshot> {
    let eng = cx.engine()?;
    let s = if latest || !keeps_snapshot(cx)? { eng.latest_snapshot()? } else { eng.transaction_snapshot()? };
    Ok(Snapshot::Mvcc(s))
}

/// Runs a foreign-key event.
pub fn run(cx: &Exec, e: &Event, l: &mut Lookups) -> Result<()> {
    match e {
        Event::Check { fk, key, row } => {
            // A row that is gone again by the time of a deferred check needs none.
            if let Some(tid) = row {
                let (_, heap) = open(cx, fk.conrelid)?;
                if access::heap::fetch_row(cx.engine()?, &heap, *tid, &Snapshot::SelfSeen)?.is_none() {
                    return Ok(());
                }
            }
            check(cx, fk, key, l)
        }
        Event::Deleted { fk, old } => changed(cx, fk, old, None, fk.on_delete, l),
        Event::Updated { fk, old, new } => changed(cx, fk, old, Some(new), fk.on_update, l),
        Event::Unique { .. } => Ok(()),
    }
}

/// Is there a referenced row? Locks it, so that it stays.
fn check(cx: &Exec, fk: &Rc<ForeignKey>, key: &[Datum], l: &mut Lookups) -> Result<()> {
    if l.last.as_ref().is_some_and(|(o, k)| *o == fk.oid && k == key) {
        return Ok(());
    }
    let side = l.pk_side(cx, fk)?;
    if lock_referenced(cx, &side, fk, key)? {
        l.last = Some((fk.oid, key.to_vec()));
        return Ok(());
    }
    let (con, _) = open(cx, fk.conrelid)?;
    Err(err!(
        FOREIGN_KEY_VIOLATION,
        "insert or update on table \"{}\" violates foreign key constraint \"{}\"",
        con.name,
        fk.name
    )
    .detail(format!(
        "Key {} is not present in table \"{}\".",
        key_text(&cx.env, &con, &fk.conkey, key)?,
        side.rel.name
    ))
    .schema(schema_name(&cx.env, &con))
    .table(con.name.clone())
    .constraint(fk.name.clone()))
}

fn lock_referenced(cx: &Exec, side: &Side, fk: &ForeignKey, key: &[Datum]) -> Result<bool> {
    let eng = cx.engine()?;
    let cid = eng.current_command_id(true);
    loop {
        let snap = snapshot(cx, false)?;
        let found = find(cx, side, key, &fk.pf_eq, false, &snap, 1)?;
        let Some(tid) = found.first() else { return Ok(false) };
        match access::heap::lock_tuple(eng, &side.heap, *tid, cid, RowLock::KeyShare, LockWait::Block, true)?
        {
            TmResult::Ok | TmResult::SelfModified { .. } => return Ok(true),
            TmResult::Updated { .. } | TmResult::Deleted { .. } => {
                if keeps_snapshot(cx)? {
                    return Err(concurrent_update());
                }
                // Its key may be another one by now: look again.
                cx.check_interrupts()?;
            }
            other => return Err(Error::internal(format!("unexpected result of locking a row: {other:?}"))),
        }
    }
}

/// A referenced row lost its key `old` (`new`: what it became).
fn changed(
    cx: &Exec,
    fk: &Rc<ForeignKey>,
    old: &[Datum],
    new: Option<&Vec<Datum>>,
    action: u8,
    l: &mut Lookups,
) -> Result<()> {
    let side = l.fk_side(cx, fk)?;
    // What was checked before may hold no longer.
    l.last = None;
    if matches!(action, b'a' | b'r') {
        // Somebody else may have the key by now, which is as good.
        if action == b'a' {
            let pk = l.pk_side(cx, fk)?;
            let own = Side {
                rel: pk.rel.clone(),
                heap: pk.heap.clone(),
                access: index_on(cx, &pk.rel, &fk.confkey, &types_of(&pk.rel, &fk.confkey), fk.index)?,
                attrs: pk.attrs.clone(),
            };
            if !find(cx, &own, old, &fk.pp_eq, false, &snapshot(cx, true)?, 1)?.is_empty() {
                return Ok(());
            }
        }
        return refuse_if_referenced(cx, fk, old, &side, l);
    }
    loop {
        let tids = find(cx, &side, old, &fk.pf_eq, true, &snapshot(cx, true)?, usize::MAX)?;
        if tids.is_empty() {
            return Ok(());
        }
        let mut target = TargetRelation::open(&cx.env, fk.conrelid)?;
        let mut again = false;
        for tid in tids {
            cx.check_interrupts()?;
            again |= !act(cx, fk, &mut target, tid, new, action)?;
        }
        if !again {
            if action != b'd' {
                return Ok(());
            }
            // A row whose default is the lost key itself was not changed, so that nothing has checked it.
            cx.engine()?.command_counter_increment()?;
            return changed(cx, fk, old, new, b'a', l);
        }
        if keeps_snapshot(cx)? {
            return Err(concurrent_update());
        }
    }
}

fn refuse_if_referenced(
    cx: &Exec,
    fk: &Rc<ForeignKey>,
    old: &[Datum],
    side: &Side,
    l: &mut Lookups,
) -> Result<()> {
    let eng = cx.engine()?;
    let cid = eng.current_command_id(true);
    loop {
        let found = find(cx, side, old, &fk.pf_eq, true, &snapshot(cx, true)?, 1)?;
        let Some(tid) = found.first() else { return Ok(()) };
        match access::heap::lock_tuple(eng, &side.heap, *tid, cid, RowLock::KeyShare, LockWait::Block, true)?
        {
            TmResult::Updated { .. } | TmResult::Deleted { .. } => continue,
            _ => {}
        }
        let pk = l.pk_side(cx, fk)?;
        let con = &side.rel;
        return Err(err!(
            FOREIGN_KEY_VIOLATION,
            "update or delete on table \"{}\" violates foreign key constraint \"{}\" on table \"{}\"",
            pk.rel.name,
            fk.name,
            con.name
        )
        .detail(format!(
            "Key {} is still referenced from table \"{}\".",
            key_text(&cx.env, &pk.rel, &fk.confkey, old)?,
            con.name
        ))
        .schema(schema_name(&cx.env, con))
        .table(con.name.clone())
        .constraint(fk.name.clone()));
    }
}

/// Deletes or changes one referencing row; false if another transaction was faster and the key must be looked up again.
fn act(
    cx: &Exec,
    fk: &ForeignKey,
    target: &mut TargetRelation,
    tid: Tid,
    new: Option<&Vec<Datum>>,
    action: u8,
) -> Result<bool> {
    let eng = cx.engine()?;
    let mut old = target.batch();
    let spec = RelCols::all(&target.heap).spec_by_attr();
    if !access::heap::fetch_into(eng, &target.heap, tid, &Snapshot::Any, &spec, &mut old)? {
        return Ok(true);
    }
    for c in &mut old.cols {
        if c.is_empty() {
            c.push(types::DatumRef::Null);
        }
    }
    if action == b'c' && new.is_none() {
        let cid = eng.current_command_id(true);
        return Ok(match access::heap::delete(eng, &target.heap, tid, cid, LockWait::Block)? {
            TmResult::Ok => {
                queue_delete(cx, &target.rel, &old);
                true
            }
            TmResult::SelfModified { .. } => true,
            _ => false,
        });
    }
    let mut set: Vec<i16> = fk.conkey.clone();
    if new.is_none() && !fk.delete_set_cols.is_empty() {
        set.clone_from(&fk.delete_set_cols);
    }
    let mut values: Vec<(i16, Datum)> = Vec::new();
    for a in &set {
        let v = match (action, new) {
            (b'c', Some(n)) => {
                let pos = fk.conkey.iter().position(|c| c == a).unwrap_or(0);
                convert(cx, &n[pos], target.phys[*a as usize - 1])?
            }
            (b'd', _) => default_value(cx, &target.rel, *a)?,
            _ => Datum::Null,
        };
        values.push((*a, v));
    }
    let mut row = target.batch();
    for (k, c) in row.cols.iter_mut().enumerate() {
        match values.iter().find(|v| v.0 as usize == k + 1) {
            Some((_, v)) => c.push(v.as_ref()),
            None => c.push(old.cols[k].get(0)),
        }
    }
    row.rows = 1;
    target.compute_generated(cx, &mut row)?;
    target.check_constraints(cx, &row)?;
    let mut changed: Vec<u16> =
        sorted(&set).into_iter().map(|a| a as u16).chain(target.generated_attrs()).collect();
    changed.sort_unstable();
    changed.dedup();
    let mut view = colops::like(&old);
    colops::append_row(&mut view, &old, 0);
    let u = write_update(cx, target, &view, &row, tid, &changed, eng.current_command_id(true))?;
    Ok(matches!(u.result, TmResult::Ok | TmResult::SelfModified { .. }))
}

/// A referenced key's value as one of the referencing column, where they differ in width only.
fn convert(cx: &Exec, v: &Datum, to: Phys) -> Result<Datum> {
    let _ = cx;
    let int = match v {
        Datum::I16(x) => i64::from(*x),
        Datum::I32(x) => i64::from(*x),
        Datum::I64(x) => *x,
        other => return Ok(other.clone()),
    };
    match to {
        Phys::I16 | Phys::I32 | Phys::I64 => crate::expr::int_datum(int, to),
        _ => Err(Error::unsupported("ON UPDATE CASCADE between different types")),
    }
}

fn default_value(cx: &Exec, rel: &Relation, attno: i16) -> Result<Datum> {
    match rel.defaults.iter().find(|d| d.attnum == attno) {
        None => Ok(Datum::Null),
        Some(d) => {
            let e = Expr::clone(&*analyze::load_stored(&d.bin)?);
            compile_one(&cx.env, &e, &NoScope)?.value_once(cx, 0)
        }
    }
}
