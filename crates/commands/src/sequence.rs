//! Sequences: nextval, currval, setval and the page they live on. A sequence is a heap of one page with one frozen row
//! (last_value, log_cnt, is_called) that is changed in place, outside any transaction.
//!
//! 1. Every change is made under the page's exclusive lock; the log runs ahead of it by up to [`LOG_VALUES`] values:
//!    the record says that they are used up, `log_cnt` counts how many may still be given out without a record.
//! 2. The first change after a checkpoint begins is always logged, with the whole page: redo makes it from nothing.
//! 3. After a crash up to [`LOG_VALUES`] values are skipped; none is given out twice.

use crate::sequence_ddl::{self, SeqParams};
use crate::{FnEnv, acl, aclcheck};
use access::heap::header::{self, Bases};
use access::heap::{self, InsertOptions, page};
use catalog::desc::Relation;
use catalog::{Catalog, Ref};
use common::{BlockNumber, Error, Oid, Result, Xid, bail, err};
use foldhash::{HashMap, HashMapExt};
use std::cell::RefCell;
use std::rc::Rc;
use storage::{Fork, PageMut, ReadMode, RegFlags, RelFileLocator, RmgrId};
use transam::LockMode;
use types::DatumRef;

/// Values the log runs ahead.
const LOG_VALUES: i64 = 32;
/// The one kind of record: the page's bases, and as block data the row.
const LOG: u8 = 0x00;

/// What a session remembers of a sequence.
#[derive(Clone, Copy)]
struct Seen {
    locator: RelFileLocator,
    /// Last value given out here, if any.
    last: Option<i64>,
    /// With CACHE: values up to `cached` are this session's.
    next_from: i64,
    cached: i64,
    increment: i64,
}

/// Sequences a session has used: what currval, lastval and CACHE need.
#[derive(Default)]
pub struct SessionSequences {
    seen: RefCell<(HashMap<Oid, Seen>, Option<Oid>)>,
}

/// The row's three columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct State {
    last_value: i64,
    log_cnt: i64,
    is_called: bool,
}

impl State {
    fn read(tuple: &[u8]) -> Result<State> {
        let data = tuple.get(header::hoff(tuple)..).unwrap_or_default();
        let word =
            |at: usize| data.get(at..at + 8).and_then(|b| b.first_chunk()).map(|b| i64::from_le_bytes(*b));
        match (word(0), word(8), data.get(16)) {
            (Some(last_value), Some(log_cnt), Some(c)) => {
                Ok(State { last_value, log_cnt, is_called: *c != 0 })
            }
            _ => Err(Error::corrupted("row of a sequence is too short")),
        }
    }
    fn write(self, tuple: &mut [u8]) {
        let at = header::hoff(tuple);
        tuple[at..at + 8].copy_from_slice(&self.last_value.to_le_bytes());
        tuple[at + 8..at + 16].copy_from_slice(&self.log_cnt.to_le_bytes());
        tuple[at + 16] = u8::from(self.is_called);
    }
}

fn storage(catalog: &Catalog, sequence: Oid) -> Result<Rc<access::Rel>> {
    let r = catalog.relation(sequence)?;
    r.rel.clone().ok_or_else(|| Error::internal(format!("sequence \"{}\" has no storage", r.name)))
}

/// Writes the one row of a sequence whose file is empty.
pub fn create_storage(catalog: &Catalog, sequence: Oid, last_value: i64, is_called: bool) -> Result<()> {
    let rel = storage(catalog, sequence)?;
    let values = [DatumRef::I64(last_value), DatumRef::I64(0), DatumRef::Bool(is_called)];
    let opts = InsertOptions { frozen: true, ..InsertOptions::default() };
    let cid = catalog.engine().current_command_id(true);
    heap::insert(catalog.engine(), &rel, &values, cid, &opts)?;
    if rel.persistence == access::Persistence::Unlogged {
        let store = catalog.engine().store();
        let from = locked_page(catalog, &rel)?;
        let mut to = match store.nblocks(rel.locator, Fork::Init)?.0 {
            0 => store.extend_exclusive(rel.locator, Fork::Init, None)?,
            _ => {
                store.read(rel.locator, Fork::Init, BlockNumber(0), ReadMode::Normal, None)?.into_exclusive()
            }
        };
        store.log_copy(&mut to, &from);
    }
    Ok(())
}

fn locked_page(catalog: &Catalog, rel: &access::Rel) -> Result<PageMut> {
    let store = catalog.engine().store();
    Ok(store.read(rel.locator, Fork::Main, BlockNumber(0), ReadMode::Normal, None)?.into_exclusive())
}

fn row(page: &storage::Page) -> Result<&[u8]> {
    page::tuple(page, 1)?.ok_or_else(|| Error::corrupted("sequence has no row"))
}

/// A sequence's last value, and whether nextval has given it out.
pub fn state(catalog: &Catalog, sequence: Oid) -> Result<(i64, bool)> {
    let rel = storage(catalog, sequence)?;
    let store = catalog.engine().store();
    let g = store.read(rel.locator, Fork::Main, BlockNumber(0), ReadMode::Normal, None)?.into_share();
    let s = State::read(row(&g)?)?;
    Ok((s.last_value, s.is_called))
}

/// Changes the row to `now`; `logged` is what the record says, if there is to be one.
fn change(
    catalog: &Catalog,
    rel: &access::Rel,
    g: &mut PageMut,
    now: State,
    logged: Option<State>,
) -> Result<()> {
    let mut after_crash = row(g)?.to_vec();
    // The checks are done before the section, in which nothing may fail.
    State::read(&after_crash)?;
    let bases = page::bases(g);
    let crit = catalog.engine().store().begin_critical();
    now.write(crit.page(g).item_mut(1)?);
    match logged {
        Some(s) if rel.is_logged() => {
            s.write(&mut after_crash);
            let mut r = crit.record(RmgrId::SEQUENCE, LOG, Xid::INVALID);
            r.data(&bases.xid.to_le_bytes()).data(&bases.multi.to_le_bytes());
            r.block(0, g, RegFlags::WILL_INIT);
            r.block_data(0, &after_crash);
            crit.log(r);
        }
        _ => crit.unlogged(),
    }
    Ok(())
}

/// Redo of a sequence's log record.
pub fn redo(cx: &transam::RedoCtx<'_>, record: &storage::Record) -> Result<()> {
    let d = record.data();
    let (Some(xid), Some(multi)) = (d.first_chunk::<8>(), d.get(8..16).and_then(|b| b.first_chunk::<8>()))
    else {
        return Err(Error::corrupted("sequence log record is too short"));
    };
    let bases = Bases { xid: u64::from_le_bytes(*xid), multi: u64::from_le_bytes(*multi) };
    let tuple = record.block_data(0);
    let mut p = cx.engine.store().init_for_redo(record, 0)?;
    let p = p.page();
    page::init(p, bases);
    if tuple.len() < header::HEADER_SIZE || !p.put_item(1, tuple) {
        return Err(Error::corrupted("sequence log record has no row"));
    }
    Ok(())
}

/// Locks a sequence for the transaction and checks that it is one.
fn open(env: &FnEnv, sequence: Oid) -> Result<Ref<Relation>> {
    env.engine.lock_relation(env.catalog.database(), sequence, LockMode::RowExclusive)?;
    let r = env.catalog.relation(sequence)?;
    if r.kind != b'S' {
        bail!(WRONG_OBJECT_TYPE, "\"{}\" is not a sequence", r.name);
    }
    Ok(r)
}

/// 42501 without any of the privileges.
fn check_any(env: &FnEnv, r: &Relation, wanted: u32) -> Result<()> {
    if env.host.is_superuser() || aclcheck::relation_mask(&env.catalog, r, env.host.role(), wanted)? != 0 {
        return Ok(());
    }
    Err(err!(INSUFFICIENT_PRIVILEGE, "permission denied for sequence {}", r.name))
}

fn check_writable(env: &FnEnv, r: &Relation, command: &str) -> Result<()> {
    if env.engine.read_only() && r.persistence != b't' {
        bail!(READ_ONLY_SQL_TRANSACTION, "cannot execute {command} in a read-only transaction");
    }
    if env.engine.in_parallel_mode() {
        env.engine.not_in_parallel_mode(&format!("execute {command}"))?;
    }
    Ok(())
}

/// The value after `v`; `None` past the end.
fn step(v: i64, p: &SeqParams) -> Option<i64> {
    v.checked_add(p.increment).filter(|n| if p.increment > 0 { *n <= p.max } else { *n >= p.min })
}

/// What a call takes from a sequence.
#[derive(Debug, PartialEq, Eq)]
struct Taken {
    first: i64,
    /// Last value this session may give out without looking again.
    last: i64,
    now: State,
    logged: Option<State>,
}

/// Takes `cache` values; `force_log`: the page was not logged since the checkpoint began. `None`: the end is reached.
fn take(s: State, p: &SeqParams, force_log: bool) -> Option<Taken> {
    let log_it = !s.is_called || s.log_cnt < p.cache || force_log;
    let mut next = s.last_value;
    // The value itself, if nobody had it, is the first one taken.
    let (mut first, mut taken) = if s.is_called { (None, 0) } else { (Some(next), 1) };
    let mut last = next;
    let mut allowed = if log_it { p.cache + LOG_VALUES } else { s.log_cnt };
    let mut ahead = if log_it { allowed } else { p.cache };
    if !s.is_called {
        ahead -= 1;
        allowed -= 1;
    }
    while ahead > 0 {
        next = match step(next, p) {
            Some(n) => n,
            None if taken > 0 => break,
            None if p.cycle => {
                if p.increment > 0 {
                    p.min
                } else {
                    p.max
                }
            }
            None => return None,
        };
        ahead -= 1;
        if taken < p.cache {
            taken += 1;
            allowed -= 1;
            last = next;
            first = first.or(Some(next));
        }
    }
    let now = State { last_value: last, log_cnt: allowed - ahead, is_called: true };
    let logged = State { last_value: next, log_cnt: 0, is_called: true };
    Some(Taken { first: first?, last, now, logged: log_it.then_some(logged) })
}

/// The next value. 42501, 25006, 2200H at the end.
pub fn nextval(env: &FnEnv, sequence: Oid) -> Result<i64> {
    let r = open(env, sequence)?;
    check_any(env, &r, acl::USAGE | acl::UPDATE)?;
    check_writable(env, &r, "nextval()")?;
    let rel = storage(&env.catalog, sequence)?;
    if let Some(v) = cached(env, sequence, &rel) {
        return Ok(v);
    }
    let p = sequence_ddl::params(&env.catalog, sequence)?;
    let store = env.engine.store();
    let mut g = locked_page(&env.catalog, &rel)?;
    let force = rel.is_logged() && g.lsn() <= store.redo_lsn();
    let mut t = take(State::read(row(&g)?)?, &p, force).ok_or_else(|| exhausted(&r, &p))?;
    if t.logged.is_some() && rel.is_logged() && env.engine.top_xid_if_any().is_none() {
        // The transaction must have an id, so that its commit waits for the record. It is not got under a page lock.
        drop(g);
        env.engine.top_xid()?;
        g = locked_page(&env.catalog, &rel)?;
        t = take(State::read(row(&g)?)?, &p, true).ok_or_else(|| exhausted(&r, &p))?;
    }
    finish(env, &r, &rel, &mut g, &p, &t)
}

fn exhausted(r: &Relation, p: &SeqParams) -> Error {
    let (which, limit) = if p.increment > 0 { ("maximum", p.max) } else { ("minimum", p.min) };
    err!(
        SEQUENCE_GENERATOR_LIMIT_EXCEEDED,
        "nextval: reached {which} value of sequence \"{}\" ({limit})",
        r.name
    )
}

fn finish(
    env: &FnEnv,
    r: &Relation,
    rel: &access::Rel,
    g: &mut PageMut,
    p: &SeqParams,
    t: &Taken,
) -> Result<i64> {
    change(&env.catalog, rel, g, t.now, t.logged)?;
    let seen = Seen {
        locator: rel.locator,
        last: Some(t.first),
        next_from: t.first,
        cached: t.last,
        increment: p.increment,
    };
    let mut s = env.sequences.seen.borrow_mut();
    s.0.insert(r.oid, seen);
    s.1 = Some(r.oid);
    Ok(t.first)
}

/// A value this session took earlier and has not given out.
fn cached(env: &FnEnv, sequence: Oid, rel: &access::Rel) -> Option<i64> {
    let mut s = env.sequences.seen.borrow_mut();
    let seen = s.0.get_mut(&sequence)?;
    if seen.locator != rel.locator || seen.next_from == seen.cached {
        return None;
    }
    seen.next_from += seen.increment;
    seen.last = Some(seen.next_from);
    let v = seen.next_from;
    s.1 = Some(sequence);
    Some(v)
}

/// The value nextval gave out last in this session. 55000 if none.
pub fn currval(env: &FnEnv, sequence: Oid) -> Result<i64> {
    let r = open(env, sequence)?;
    check_any(env, &r, acl::SELECT | acl::USAGE)?;
    match env.sequences.seen.borrow().0.get(&sequence).and_then(|s| s.last) {
        Some(v) => Ok(v),
        None => bail!(
            OBJECT_NOT_IN_PREREQUISITE_STATE,
            "currval of sequence \"{}\" is not yet defined in this session",
            r.name
        ),
    }
}

/// The value nextval gave out last in this session, of whatever sequence. 55000 if none, or if it is gone.
pub fn lastval(env: &FnEnv) -> Result<i64> {
    let undefined = || err!(OBJECT_NOT_IN_PREREQUISITE_STATE, "lastval is not yet defined in this session");
    let last = env.sequences.seen.borrow().1;
    let Some(oid) = last else { return Err(undefined()) };
    if env.catalog.relation_if_any(oid)?.is_none() {
        return Err(undefined());
    }
    let r = open(env, oid)?;
    check_any(env, &r, acl::SELECT | acl::USAGE)?;
    let value = env.sequences.seen.borrow().0.get(&oid).and_then(|s| s.last);
    value.ok_or_else(undefined)
}

/// Sets the value; `called`: nextval goes on from the one after it.
pub fn setval(env: &FnEnv, sequence: Oid, value: i64, called: bool) -> Result<i64> {
    let r = open(env, sequence)?;
    check_any(env, &r, acl::UPDATE)?;
    check_writable(env, &r, "setval()")?;
    let p = sequence_ddl::params(&env.catalog, sequence)?;
    if value < p.min || value > p.max {
        bail!(
            NUMERIC_VALUE_OUT_OF_RANGE,
            "setval: value {value} is out of bounds for sequence \"{}\" ({}..{})",
            r.name,
            p.min,
            p.max
        );
    }
    let rel = storage(&env.catalog, sequence)?;
    if rel.is_logged() {
        env.engine.top_xid()?;
    }
    let mut g = locked_page(&env.catalog, &rel)?;
    let now = State { last_value: value, log_cnt: 0, is_called: called };
    change(&env.catalog, &rel, &mut g, now, Some(now))?;
    drop(g);
    let mut s = env.sequences.seen.borrow_mut();
    let old = s.0.get(&sequence).and_then(|s| s.last);
    let last = if called { Some(value) } else { old };
    let at = value;
    s.0.insert(
        sequence,
        Seen { locator: rel.locator, last, next_from: at, cached: at, increment: p.increment },
    );
    Ok(value)
}

/// `last_value` of a sequence that has been used, for `pg_sequences`.
pub fn last_value(env: &FnEnv, sequence: Oid) -> Result<Option<i64>> {
    let r = open(env, sequence)?;
    check_any(env, &r, acl::SELECT | acl::USAGE)?;
    let (value, called) = state(&env.catalog, sequence)?;
    Ok(called.then_some(value))
}

/// Forgets cached values and `lastval` (DISCARD SEQUENCES).
pub fn forget_all(env: &FnEnv) {
    *env.sequences.seen.borrow_mut() = (HashMap::new(), None);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(cache: i64, max: i64, cycle: bool) -> SeqParams {
        SeqParams { type_oid: types::oids::INT8, start: 1, increment: 1, max, min: 1, cache, cycle }
    }
    fn at(last_value: i64, log_cnt: i64, is_called: bool) -> State {
        State { last_value, log_cnt, is_called }
    }

    #[test]
    fn the_log_runs_ahead() {
        // As `select * from s` shows after the first, second and 34th nextval.
        let p = params(1, i64::MAX, false);
        let t = take(at(1, 0, false), &p, false).unwrap();
        assert_eq!((t.first, t.now, t.logged), (1, at(1, 32, true), Some(at(33, 0, true))));
        let t = take(t.now, &p, false).unwrap();
        assert_eq!((t.first, t.now, t.logged), (2, at(2, 31, true), None));
        let t = take(at(33, 0, true), &p, false).unwrap();
        assert_eq!((t.first, t.now), (34, at(34, 32, true)));
    }

    #[test]
    fn caches_and_ends() {
        let p = params(5, 7, false);
        let t = take(at(1, 0, false), &p, false).unwrap();
        assert_eq!((t.first, t.last, t.now.last_value), (1, 5, 5));
        let t = take(t.now, &p, false).unwrap();
        assert_eq!((t.first, t.last), (6, 7));
        assert_eq!(take(t.now, &p, false), None);
        let t = take(t.now, &params(5, 7, true), false).unwrap();
        assert_eq!((t.first, t.last), (1, 5));
    }
}
