//! VACUUM and ANALYZE as statements: which relations, with which options, each in a transaction of its own.

use crate::CommandCtx;
use crate::analyze_table;
use crate::target::find_relation;
use crate::vacuum_delay::CostDelay;
use crate::vacuum_settings::VacuumSettings;
use access::VacuumParams;
use catalog::columns::pg_class;
use common::{Error, MultiXactId, Oid, Report, Result, Severity, SqlState, Xid, bail};
use ipc::progress::{Command, Reporting};
use parser::ast::{DefArg, DefElem, VacuumStmt};
use std::rc::Rc;
use transam::LockMode;
use types::Datum;

/// Options of VACUUM and ANALYZE.
#[derive(Clone, Debug, Default)]
pub struct Options {
    pub vacuum: bool,
    pub analyze: bool,
    pub verbose: bool,
    pub freeze: bool,
    /// Write the table anew.
    pub full: bool,
    pub disable_page_skipping: bool,
    pub skip_locked: bool,
    pub truncate: Option<bool>,
    pub index_cleanup: Option<bool>,
    /// Processes that may help with the indexes. None do: the leader takes them one by one.
    pub parallel: u32,
    /// Leave the TOAST table alone.
    pub skip_toast: bool,
    /// Sleep now and then.
    pub delay: Option<CostDelay>,
    /// Prices and ages.
    pub settings: Option<VacuumSettings>,
}

/// The value of a Boolean option.
pub fn flag(o: &DefElem) -> Result<bool> {
    Ok(match &o.arg {
        None => true,
        Some(DefArg::Boolean(b)) => *b,
        Some(DefArg::Integer(i)) => *i != 0,
        Some(DefArg::String(s)) => match s.to_ascii_lowercase().as_str() {
            "on" | "true" => true,
            "off" | "false" => false,
            _ => bail!(SYNTAX_ERROR, "{} requires a Boolean value", o.defname),
        },
        Some(_) => bail!(SYNTAX_ERROR, "{} requires a Boolean value", o.defname),
    })
}

fn options(s: &VacuumStmt) -> Result<Options> {
    let mut o = Options { vacuum: s.is_vacuumcmd, analyze: !s.is_vacuumcmd, ..Options::default() };
    for e in &s.options {
        match e.defname.as_str() {
            "verbose" => o.verbose = flag(e)?,
            "skip_locked" => o.skip_locked = flag(e)?,
            "analyze" if s.is_vacuumcmd => o.analyze = flag(e)?,
            "freeze" if s.is_vacuumcmd => o.freeze = flag(e)?,
            "full" if s.is_vacuumcmd => o.full = flag(e)?,
            "disable_page_skipping" if s.is_vacuumcmd => o.disable_page_skipping = flag(e)?,
            "truncate" if s.is_vacuumcmd => o.truncate = Some(flag(e)?),
            "index_cleanup" if s.is_vacuumcmd => {
                let auto = matches!(&e.arg, Some(DefArg::String(s)) if s.eq_ignore_ascii_case("auto"));
                o.index_cleanup = if auto { None } else { Some(flag(e)?) };
            }
            "process_toast" if s.is_vacuumcmd => o.skip_toast = !flag(e)?,
            "parallel" if s.is_vacuumcmd => o.parallel = parallel(e)?,
            other if s.is_vacuumcmd => {
                return Err(
                    common::err!(SYNTAX_ERROR, "unrecognized VACUUM option \"{other}\"").at(e.location)
                );
            }
            other => {
                return Err(
                    common::err!(SYNTAX_ERROR, "unrecognized ANALYZE option \"{other}\"").at(e.location)
                );
            }
        }
    }
    if o.full && o.parallel > 0 {
        bail!(FEATURE_NOT_SUPPORTED, "VACUUM FULL cannot be performed in parallel");
    }
    if o.full && o.disable_page_skipping {
        bail!(FEATURE_NOT_SUPPORTED, "VACUUM option DISABLE_PAGE_SKIPPING cannot be used with FULL");
    }
    if o.full && o.skip_toast {
        bail!(FEATURE_NOT_SUPPORTED, "PROCESS_TOAST required with VACUUM FULL");
    }
    Ok(o)
}

/// The value of PARALLEL.
fn parallel(e: &DefElem) -> Result<u32> {
    let n = match &e.arg {
        None => {
            let text = "parallel option requires a value between 0 and 1024";
            return Err(common::err!(SYNTAX_ERROR, "{text}").at(e.location));
        }
        Some(DefArg::Integer(n)) => i64::from(*n),
        Some(_) => bail!(SYNTAX_ERROR, "parallel requires an integer value"),
    };
    match u32::try_from(n) {
        Ok(n @ 0..=1024) => Ok(n),
        _ => {
            let text = "parallel workers for vacuum must be between 0 and 1024";
            Err(common::err!(SYNTAX_ERROR, "{text}").at(e.location))
        }
    }
}

/// Runs VACUUM or ANALYZE.
pub fn run(ctx: &CommandCtx<'_>, s: &VacuumStmt) -> Result<String> {
    let mut o = options(s)?;
    ctx.host.with_settings(&mut |s| {
        let cost_limit = s.int("vacuum_cost_limit") as u32;
        o.settings = Some(VacuumSettings::new(s, &[]));
        o.delay = Some(CostDelay { delay_ms: s.real("vacuum_cost_delay"), cost_limit });
    });
    if o.vacuum {
        ctx.engine.prevent_in_block(ctx.top_level, "VACUUM")?;
    }
    let mut targets: Vec<(Oid, Vec<String>)> = Vec::new();
    for r in &s.rels {
        let Some(oid) = find_relation(ctx, &r.relation)? else {
            let shown = crate::target::display(&r.relation);
            return Err(
                common::err!(UNDEFINED_TABLE, "relation \"{shown}\" does not exist").at(r.relation.location)
            );
        };
        if !r.va_cols.is_empty() && !o.analyze {
            bail!(FEATURE_NOT_SUPPORTED, "ANALYZE option must be specified when a column list is provided");
        }
        targets.push((oid, r.va_cols.clone()));
    }
    let named = !targets.is_empty();
    if !named {
        for row in ctx.catalog.scan_all(pg_class::TABLE)? {
            let wanted = if o.vacuum { b"rmt".as_slice() } else { b"rm".as_slice() };
            if wanted.contains(&row.char(pg_class::RELKIND)) && row.char(pg_class::RELKIND) != b't' {
                targets.push((row.oid(pg_class::OID), Vec::new()));
            }
        }
    }
    let own_transactions = o.vacuum || !ctx.engine.in_block();
    if own_transactions {
        ctx.engine.commit_command()?;
    }
    for (oid, columns) in targets {
        if own_transactions {
            ctx.engine.start_command()?;
        }
        one(ctx, oid, &columns, &o, named)?;
        if own_transactions {
            ctx.engine.commit_command()?;
        }
    }
    if own_transactions {
        ctx.engine.start_command()?;
    }
    if o.vacuum {
        let _ = ctx.engine.transaction_snapshot()?;
        crate::frozen_ids::update_database(ctx.engine, ctx.catalog)?;
    }
    Ok(if s.is_vacuumcmd { "VACUUM" } else { "ANALYZE" }.into())
}

fn one(ctx: &CommandCtx<'_>, oid: Oid, columns: &[String], o: &Options, named: bool) -> Result<()> {
    let _ = ctx.engine.transaction_snapshot()?;
    let shared = ctx.catalog.builtins().schema.table(oid).is_some_and(|t| t.shared);
    let db = if shared { Oid::INVALID } else { ctx.catalog.database() };
    let mode = if o.full { LockMode::AccessExclusive } else { LockMode::ShareUpdateExclusive };
    if o.skip_locked {
        if !ctx.engine.try_lock_relation(db, oid, mode)? {
            let verb = if o.vacuum { "vacuum" } else { "analyze" };
            warn(
                ctx,
                SqlState::LOCK_NOT_AVAILABLE,
                format!("skipping {verb} of relation with OID {oid} --- lock not available"),
            );
            return Ok(());
        }
    } else {
        ctx.engine.lock_relation(db, oid, mode)?;
    }
    let Some(rel) = ctx.catalog.relation_if_any(oid)? else { return Ok(()) };
    if !matches!(rel.kind, b'r' | b'm' | b't') {
        if named {
            let verb = if o.vacuum { "vacuum" } else { "analyze" };
            warn(
                ctx,
                SqlState::WARNING,
                format!("skipping \"{}\" --- cannot {verb} non-tables or special system tables", rel.name),
            );
        }
        return Ok(());
    }
    // The private buffers of another session are out of reach.
    if rel.persistence == b't' && !ctx.catalog.temp().is_own(rel.namespace) {
        return Ok(());
    }
    if !may_maintain(ctx, &rel)? {
        let verb = if o.vacuum { "vacuum" } else { "analyze" };
        warn(
            ctx,
            SqlState::WARNING,
            format!("skipping \"{}\" --- only table or database owner can {verb} it", rel.name),
        );
        return Ok(());
    }
    let say = |text: String| {
        ctx.host.notice(Report::new(Severity::Info, SqlState::SUCCESSFUL_COMPLETION, text));
    };
    let say: Option<&dyn Fn(String)> = if o.verbose { Some(&say) } else { None };
    if o.full && o.vacuum {
        // Catalogs keep their files: a database-wide VACUUM FULL leaves them out.
        if rel.oid >= Oid::FIRST_NORMAL || named {
            crate::cluster::vacuum_full(ctx, &rel, o.verbose)?;
        }
    } else if o.vacuum {
        let mut memory = 64 << 20;
        ctx.host.with_settings(&mut |s| memory = s.int("maintenance_work_mem") as usize * 1024);
        vacuum_relation(ctx.engine, ctx.catalog, oid, o, memory, say)?;
    }
    if o.analyze && rel.kind != b't' {
        if o.vacuum {
            ctx.engine.command_counter_increment()?;
        }
        let mut target = 100;
        ctx.host.with_settings(&mut |s| target = s.int("default_statistics_target") as usize);
        let warn_of = |text: String| warn(ctx, SqlState::INVALID_OBJECT_DEFINITION, text);
        let request = analyze_table::Request {
            oid,
            columns,
            target,
            update_sizes: !o.vacuum,
            warn: Some(&warn_of),
            say,
        };
        analyze_table::analyze(ctx.engine, ctx.catalog, ctx.env, &request)?;
        // The statement may name the table once more.
        ctx.engine.command_counter_increment()?;
    }
    Ok(())
}

/// The owner, or a superuser.
fn may_maintain(ctx: &CommandCtx<'_>, rel: &catalog::desc::Relation) -> Result<bool> {
    Ok(ctx.host.is_superuser() || crate::roles::is_member(ctx.catalog, ctx.host.role(), rel.owner)?)
}

fn warn(ctx: &CommandCtx<'_>, state: SqlState, text: String) {
    ctx.host.notice(Report::new(Severity::Warning, state, text));
}

fn report_progress(me: &'static ipc::Proc) -> impl Fn(&access::VacuumProgress) {
    use ipc::progress::vacuum::*;
    move |p| {
        let set = |param, v| me.progress.set(Command::Vacuum, param, v);
        set(PHASE, i64::from(p.phase));
        set(BLOCKS, i64::from(p.heap_blks_total));
        set(SCANNED, i64::from(p.heap_blks_scanned));
        set(VACUUMED, i64::from(p.heap_blks_vacuumed));
        set(INDEX_VACUUMS, i64::from(p.index_vacuum_count));
        set(DEAD_MAX, p.max_dead_tuples as i64);
        set(DEAD, p.num_dead_tuples as i64);
    }
}

/// Vacuums one table with its TOAST table and notes the result in `pg_class`.
pub fn vacuum_relation(
    eng: &std::rc::Rc<transam::Engine>,
    catalog: &std::rc::Rc<catalog::Catalog>,
    oid: Oid,
    o: &Options,
    memory_bytes: usize,
    verbose: Option<&dyn Fn(String)>,
) -> Result<access::VacuumStats> {
    let rel = catalog.relation(oid)?;
    let work = crate::vacuum_report::Work::begin(eng);
    if let Some(say) = verbose {
        say(format!("vacuuming \"{}\"", crate::vacuum_report::full_name(catalog, &rel)?));
    }
    let Some(heap) = rel.rel.clone() else {
        return Err(Error::internal("vacuum of a relation without storage"));
    };
    let mut indexes = Vec::new();
    for i in &rel.indexes {
        indexes.push(catalog.index(*i)?.rel.clone());
    }
    let row = class_row(catalog, oid)?;
    let mut params = VacuumParams {
        freeze: o.freeze,
        disable_page_skipping: o.disable_page_skipping,
        index_cleanup: o.index_cleanup,
        truncate: o.truncate.unwrap_or(true),
        memory_bytes,
        relfrozenxid: row
            .as_ref()
            .map_or(Xid::FIRST_NORMAL, |r| crate::frozen_ids::full_xid(eng, r.oid(pg_class::RELFROZENXID).0)),
        old_rel_pages: row.as_ref().map_or(0, |r| r.i32(pg_class::RELPAGES).max(0) as u32),
        old_rel_tuples: row.as_ref().map_or(-1.0, |r| f64::from(r.f32(pg_class::RELTUPLES))),
        delay: o.delay.and_then(CostDelay::function),
        progress: Some(Rc::new(report_progress(eng.proc()))),
        ..VacuumParams::default()
    };
    if let Some(s) = o.settings {
        s.apply(&mut params);
    }
    let stats = {
        let _reported = Reporting::begin(&eng.proc().progress, Command::Vacuum, oid.0);
        access::vacuum_heap(eng, &heap, &indexes, &params)?
    };
    let dead = stats.recently_dead_tuples + stats.missed_dead_tuples;
    eng.report_vacuum(heap.stat_key(), stats.new_rel_tuples, dead);
    if let Some(row) = class_row(catalog, oid)? {
        let mut changes = vec![
            (pg_class::RELPAGES, Datum::I32(stats.rel_pages as i32)),
            (pg_class::RELTUPLES, Datum::F32(stats.new_rel_tuples as f32)),
            (pg_class::RELALLVISIBLE, Datum::I32(stats.all_visible_pages as i32)),
        ];
        if let Some(x) = stats.new_frozen_xid {
            changes.push((pg_class::RELFROZENXID, Datum::U32(x.0 as u32)));
        }
        if let Some(MultiXactId(m)) = stats.new_min_mxid {
            changes.push((pg_class::RELMINMXID, Datum::U32(m as u32)));
        }
        overwrite_if_changed(catalog, &row, &changes)?;
    }
    for (i, ix) in rel.indexes.iter().enumerate() {
        let (Some(row), Some(s)) = (class_row(catalog, *ix)?, stats.indexes.get(i)) else { continue };
        let changes = [
            (pg_class::RELPAGES, Datum::I32(s.pages as i32)),
            (pg_class::RELTUPLES, Datum::F32(s.tuples as f32)),
        ];
        overwrite_if_changed(catalog, &row, &changes)?;
    }
    if let Some(say) = verbose {
        say(format!("finished vacuuming {}", work.text(eng, catalog, &rel, &params, &stats)?));
    }
    if let Some(t) = heap.toast.as_ref().filter(|_| !o.skip_toast) {
        vacuum_relation(eng, catalog, t.heap.oid, o, memory_bytes, verbose)?;
    }
    Ok(stats)
}

/// The `pg_class` row of a relation.
pub fn class_row(catalog: &catalog::Catalog, oid: Oid) -> Result<Option<catalog::CatRow>> {
    Ok(catalog.scan(pg_class::TABLE, pg_class::OID_INDEX, &[Datum::oid(oid)])?.into_iter().next())
}

/// Writes only what differs: an unchanged row makes no work for other processes.
pub fn overwrite_if_changed(
    catalog: &catalog::Catalog,
    row: &catalog::CatRow,
    changes: &[(usize, Datum)],
) -> Result<()> {
    if changes.iter().any(|(c, d)| row.values[*c] != *d) {
        catalog.overwrite_columns(pg_class::TABLE, row, changes)?;
    }
    Ok(())
}
