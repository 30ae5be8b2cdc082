//! Filling an index from its table. The caller holds a lock that keeps writers away.

use crate::analysis::{TableScope, debug, setting_int};
use crate::ctx::CommandCtx;
use crate::index::key_names;
use crate::table_scan::{self, HotRoots};
use crate::target;
use access::{BtBuild, IndexRel};
use analyze::expr::Expr;
use catalog::columns::*;
use catalog::desc::{IndexDesc, Relation};
use common::{Oid, Result, Tid};
use executor::expr::compile;
use executor::run::Exec;
use ipc::progress::{Command, create_index as progress};
use std::rc::Rc;
use storage::Fork;
use types::column::Arg;
use types::{Datum, DatumRef, FnImpl};

/// The access method's descriptor with the words for `Key (a)=(1)`.
fn described(ctx: &CommandCtx<'_>, rel: &Relation, ix: &IndexDesc) -> Result<IndexRel> {
    let mut out = (*ix.rel).clone();
    let names = key_names(ctx, rel, ix)?;
    let outputs = out
        .rel
        .desc
        .attrs
        .iter()
        .map(|a| Ok(ctx.catalog.type_desc(a.type_oid)?.output))
        .collect::<Result<Vec<Oid>>>()?;
    let env = ctx.env.clone();
    let registry = ctx.catalog.registry();
    out.format_key = Some(Rc::new(move |_, values| {
        let mut shown = Vec::new();
        for (v, output) in values.iter().take(names.len()).zip(&outputs) {
            let mut text = Vec::new();
            match (v, registry.get(*output)) {
                (DatumRef::Null, _) => text.extend_from_slice(b"null"),
                (v, Some(FnImpl::Output(f))) => {
                    env.with_call_ctx(types::Collation::NONE, |c| f(c, *v, &mut text))?
                }
                _ => return Ok(String::new()),
            }
            shown.push(String::from_utf8_lossy(&text).into_owned());
        }
        Ok(format!("({})=({})", names.join(", "), shown.join(", ")))
    }));
    Ok(out)
}

/// The attributes that keys, expressions and predicate read, ascending.
fn attributes<'e>(
    keys: &[i16],
    exprs: impl Iterator<Item = &'e Expr>,
    heap: &access::Rel,
) -> Result<Vec<u16>> {
    let used = executor::node::scan::RelCols::collect(exprs, heap, false)?;
    let mut out: Vec<u16> = keys.iter().chain(&used.attrs).filter(|a| **a > 0).map(|a| *a as u16).collect();
    out.sort_unstable();
    out.dedup();
    Ok(out)
}

/// What `pg_stat_progress_create_index` shows of a build, unless the build is part of another command.
struct ScanProgress(&'static ipc::Proc);

impl ScanProgress {
    fn begin(ctx: &CommandCtx<'_>, index: Oid, heap: &access::Rel) -> Result<ScanProgress> {
        let s = ScanProgress(ctx.engine.proc());
        s.set(progress::INDEX, i64::from(index.0));
        s.set(progress::ACCESS_METHOD, i64::from(catalog::builtins::BTREE_AM.0));
        s.set(progress::PHASE, 2);
        s.set(progress::SUBPHASE, 2);
        s.set(progress::BLOCKS, i64::from(ctx.engine.store().nblocks(heap.locator, Fork::Main)?.0));
        s.set(progress::BLOCKS_DONE, 0);
        Ok(s)
    }
    fn set(&self, param: usize, v: i64) {
        self.0.progress.set(Command::CreateIndex, param, v);
    }
    /// The scan has got to this row.
    fn at(&self, tid: Tid) {
        self.set(progress::BLOCKS_DONE, i64::from(tid.block.0));
    }
    fn end(&self, entries: u64) {
        self.set(progress::SUBPHASE, 3);
        self.set(progress::TUPLES, entries as i64);
        self.set(progress::BLOCKS, 0);
        self.set(progress::BLOCKS_DONE, 0);
    }
}

/// Reads the table and writes the tree; then records the sizes of both.
pub fn build(ctx: &CommandCtx<'_>, table: Oid, index: Oid) -> Result<()> {
    let rel = ctx.catalog.relation(table)?;
    let ix = ctx.catalog.index(index)?;
    let heap = table_scan::heap_of(&rel)?;
    debug(ctx, format!("building index \"{}\" on table \"{}\" serially", ix.name, rel.name));
    if ix.keys.len() == usize::from(ix.num_key_atts) {
        let how = if has_equal_images(ctx, &ix)? { "can safely" } else { "cannot" };
        debug(ctx, format!("index \"{}\" {how} use deduplication", ix.name));
    }
    let mut index_rel = described(ctx, &rel, &ix)?;
    index_rel.unique |= ix.exclusion;
    let exprs: Vec<Expr> = match &ix.expressions {
        Some(t) => analyze::load_expr(t)?,
        None => Vec::new(),
    };
    let predicate: Option<Expr> = ix.predicate.as_deref().map(analyze::load_expr).transpose()?;
    let natts = heap.desc.len();
    let scope = TableScope { natts };
    let mut values = compile(ctx.env, exprs.iter(), &scope)?;
    let quals: Vec<Expr> = predicate.into_iter().collect();
    let mut qual = executor::expr::qual::Qual::compile(ctx.env, &quals, &scope)?;
    let exec = Exec::bare(ctx.env);
    let memory = setting_int(ctx, "maintenance_work_mem").max(1024) as usize * 1024;
    let mut roots = HotRoots::default();
    let mut build = BtBuild::new(ctx.engine, &index_rel, memory);
    let mut rows = 0u64;
    let mut entries_added = 0u64;
    let mut tids: Vec<u64> = Vec::new();
    let scan = ScanProgress::begin(ctx, index, &heap)?;
    let attrs = attributes(&ix.keys, exprs.iter().chain(&quals), &heap)?;
    table_scan::each_batch_of(ctx, &heap, &attrs, &mut |batch| {
        rows += batch.rows as u64;
        if batch.rows > 0 {
            scan.at(Tid::unpack(batch.cols[natts].get(batch.rows - 1).i64()));
        }
        if let Some(q) = &mut qual {
            q.filter(&exec, batch)?;
        }
        if !exprs.is_empty() {
            values.run(&exec, batch, batch.live())?;
        }
        let batch = &*batch;
        tids.clear();
        batch.live().each(|i| {
            let tid = Tid::unpack(batch.cols[natts].get(i).i64());
            tids.push(roots.root(ctx, &heap, tid)?.pack() as u64);
            Ok::<(), common::Error>(())
        })?;
        entries_added += tids.len() as u64;
        let mut next = 0;
        let args: Vec<Arg<'_>> = ix
            .keys
            .iter()
            .map(|k| {
                if *k > 0 {
                    return Arg { col: &batch.cols[*k as usize - 1], konst: false };
                }
                next += 1;
                values.result(next - 1, batch)
            })
            .collect();
        build.add_batch(&args, batch.live(), &tids)
    })?;
    scan.end(entries_added);
    let entries =
        build.finish(ctx.engine).map_err(|e| if ix.exclusion { excluded(e, &ix.name) } else { e })?;
    let older = older_snapshots(ctx)?;
    if older {
        add_deleted(ctx, &heap, &ix, &exprs, &quals, &attrs)?;
    }
    let old_versions = roots.any && older;
    record_sizes(ctx, &rel, index, rows, entries, old_versions)
}

/// Are values of the key columns that compare equal the same bytes? (btree support function 4)
fn has_equal_images(ctx: &CommandCtx<'_>, ix: &IndexDesc) -> Result<bool> {
    for class in &ix.opclasses {
        let c = ctx.catalog.opclass(*class)?;
        if ctx.catalog.amproc(c.family, c.in_type, c.in_type, 4)?.is_none() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Entries for rows that were deleted of late: older snapshots look for them here. They take no part in what is unique.
fn add_deleted(
    ctx: &CommandCtx<'_>,
    heap: &Rc<access::Rel>,
    ix: &IndexDesc,
    exprs: &[Expr],
    quals: &[Expr],
    attrs: &[u16],
) -> Result<()> {
    let natts = heap.desc.len();
    let scope = TableScope { natts };
    let mut values = compile(ctx.env, exprs.iter(), &scope)?;
    let mut qual = executor::expr::qual::Qual::compile(ctx.env, quals, &scope)?;
    let exec = Exec::bare(ctx.env);
    let horizon = ctx.engine.oldest_xmin(false, false);
    let mut roots = HotRoots::default();
    let mut dead: Option<(common::BlockNumber, Vec<bool>)> = None;
    table_scan::each_version_of(ctx, heap, attrs, horizon, &mut |batch| {
        let mut kept: Vec<u16> = Vec::new();
        for i in 0..batch.rows {
            let tid = Tid::unpack(batch.cols[natts].get(i).i64());
            let of_page = match dead.take() {
                Some((block, d)) if block == tid.block => d,
                _ => access::heap::carry::recently_dead(ctx.engine, heap, tid.block, horizon)?,
            };
            if of_page.get(usize::from(tid.offset).wrapping_sub(1)) == Some(&true) {
                kept.push(i as u16);
            }
            dead = Some((tid.block, of_page));
        }
        batch.sel = Some(kept);
        if let Some(q) = &mut qual {
            q.filter(&exec, batch)?;
        }
        if !exprs.is_empty() {
            values.run(&exec, batch, batch.live())?;
        }
        let batch = &*batch;
        batch.live().each(|i| {
            let tid = roots.root(ctx, heap, Tid::unpack(batch.cols[natts].get(i).i64()))?;
            let mut next = 0;
            let keys: Vec<DatumRef<'_>> = ix
                .keys
                .iter()
                .map(|k| {
                    if *k > 0 {
                        return batch.cols[*k as usize - 1].get(i);
                    }
                    next += 1;
                    values.result(next - 1, batch).get(i)
                })
                .collect();
            access::btree::insert(ctx.engine, &ix.rel, heap, &keys, tid, access::UniqueCheck::No).map(|_| ())
        })
    })
}

/// Duplicates of an exclusion constraint's keys are conflicts.
fn excluded(e: common::Error, name: &str) -> common::Error {
    if e.sqlstate() != common::SqlState::UNIQUE_VIOLATION {
        return e;
    }
    let r = e.report();
    let mut out = common::err!(EXCLUSION_VIOLATION, "could not create exclusion constraint \"{name}\"");
    if let Some(key) =
        r.detail.as_deref().and_then(|d| d.strip_prefix("Key ")?.strip_suffix(" is duplicated."))
    {
        out = out.detail(format!("Key {key} conflicts with key {key}."));
    }
    out
}

/// Whoever advertises an xmin below the next transaction's id may see less than we do. Our own xmin says nothing: a
/// transaction that has been running for long gives the same one to all.
fn older_snapshots(ctx: &CommandCtx<'_>) -> Result<bool> {
    Ok(table_scan::older_snapshot_exists(ctx, ctx.engine.latest_snapshot()?.xmax))
}

fn record_sizes(
    ctx: &CommandCtx<'_>,
    rel: &Relation,
    index: Oid,
    rows: u64,
    entries: u64,
    check_xmin: bool,
) -> Result<()> {
    let blocks =
        |r: &access::Rel| Ok::<_, common::Error>(ctx.engine.store().nblocks(r.locator, Fork::Main)?.0);
    let index_pages = blocks(&ctx.catalog.index(index)?.rel.rel)?;
    let heap_pages = blocks(&*table_scan::heap_of(rel)?)?;
    let row = target::class_row(ctx.catalog, index)?;
    let sizes = [
        (pg_class::RELPAGES, Datum::I32(index_pages as i32)),
        (pg_class::RELTUPLES, Datum::F32(entries as f32)),
    ];
    ctx.catalog.overwrite_columns(pg_class::TABLE, &row, &sizes)?;
    // In place: two CREATE INDEX on one table may run at a time, and an abort does no harm to a hint.
    let row = target::class_row(ctx.catalog, rel.oid)?;
    let keep = rows == 0 && row.f32(pg_class::RELTUPLES) < 0.0;
    let tuples = if keep { -1.0 } else { rows as f32 };
    let table = [
        (pg_class::RELHASINDEX, Datum::Bool(true)),
        (pg_class::RELPAGES, Datum::I32(heap_pages as i32)),
        (pg_class::RELTUPLES, Datum::F32(tuples)),
    ];
    ctx.catalog.overwrite_columns(pg_class::TABLE, &row, &table)?;
    if check_xmin {
        use pg_index::*;
        for r in ctx.catalog.scan(TABLE, INDEXRELID_INDEX, &[Datum::oid(index)])? {
            ctx.catalog.update_columns(TABLE, &r, &[(INDCHECKXMIN, Datum::Bool(true))])?;
        }
    }
    // The in-place changes carry no command of their own: make sure the caches hear of them.
    ctx.engine.current_command_id(true);
    ctx.engine.command_counter_increment()
}
