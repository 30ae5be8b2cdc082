//! `pg_lock_status` (the view pg_locks) and who blocks whom.

use super::env;
use super::rows::made;
use catalog::literal;
use common::Result;
use transam::ssi::Place;
use transam::{LockStatus, TagType};
use types::registry::RowSource;
use types::{CallCtx, Datum, FnImpl, c1, c2, oids};

pub static TABLE: &[(u32, FnImpl)] = &[
    (1371, FnImpl::Srf(status)),
    (2561, c1!(blocking_pids)),
    (3376, c1!(safe_snapshot_blocking_pids)),
    (3378, c2!(test_session_is_blocked)),
];

fn status(c: &CallCtx<'_>, _: &[Datum]) -> Result<Box<dyn RowSource>> {
    let eng = &env(c)?.engine;
    let mut rows: Vec<Vec<Datum>> = eng.lock_status().iter().map(row).collect();
    rows.extend(eng.predicate_locks().iter().map(predicate_row));
    made(rows)
}

/// A read of a serializable transaction.
fn predicate_row(l: &transam::PredicateLock) -> Vec<Datum> {
    let mut r = vec![Datum::Null; 10];
    let (kind, page, row) = match l.target.place {
        Place::Whole => ("relation", None, None),
        Place::Page(b) => ("page", Some(b), None),
        Place::Row(t) => ("tuple", Some(t.block), Some(t.offset)),
    };
    r[0] = Datum::text(kind);
    r[1] = Datum::oid(l.target.db);
    r[2] = Datum::oid(l.target.rel);
    r[3] = page.map_or(Datum::Null, |b| Datum::I32(b.0 as i32));
    r[4] = row.map_or(Datum::Null, |o| Datum::I16(o as i16));
    r.extend([
        Datum::text(&format!("{}/{}", l.vxid.0, l.vxid.1)),
        Datum::I32(l.pid),
        Datum::text("SIReadLock"),
        Datum::Bool(true),
        Datum::Bool(false),
        Datum::Null,
    ]);
    r
}

/// One row of `pg_locks`: which columns name the object depends on its kind.
fn row(s: &LockStatus) -> Vec<Datum> {
    let t = &s.tag;
    let kind = match t.kind {
        TagType::Relation => "relation",
        TagType::RelationExtend => "extend",
        TagType::DatabaseFrozenIds => "frozenid",
        TagType::Page => "page",
        TagType::Tuple => "tuple",
        TagType::Transaction => "transactionid",
        TagType::VirtualTransaction => "virtualxid",
        TagType::SpeculativeToken => "spectoken",
        TagType::Object => "object",
        TagType::UserLock => "userlock",
        TagType::Advisory => "advisory",
    };
    // locktype … objsubid
    let mut r = vec![Datum::Null; 10];
    r[0] = Datum::text(kind);
    match t.kind {
        TagType::Relation | TagType::RelationExtend | TagType::Page | TagType::Tuple => {
            r[1] = Datum::U32(t.f1);
            r[2] = Datum::U32(t.f2);
            if matches!(t.kind, TagType::Page | TagType::Tuple) {
                r[3] = Datum::I32(t.f3 as i32);
            }
            if t.kind == TagType::Tuple {
                r[4] = Datum::I16(t.f4 as i16);
            }
        }
        TagType::DatabaseFrozenIds => r[1] = Datum::U32(t.f1),
        TagType::Transaction => r[6] = t.xid().map_or(Datum::Null, |x| Datum::U32(x.0 as u32)),
        TagType::VirtualTransaction => {
            r[5] = Datum::text(&format!("{}/{}", t.f1, u64::from(t.f2) | u64::from(t.f3) << 32));
        }
        TagType::SpeculativeToken => {
            r[6] = t.xid().map_or(Datum::Null, |x| Datum::U32(x.0 as u32));
            r[8] = Datum::U32(t.f3);
        }
        TagType::Object | TagType::UserLock | TagType::Advisory => {
            r[1] = Datum::U32(t.f1);
            r[7] = Datum::U32(t.f2);
            r[8] = Datum::U32(t.f3);
            r[9] = Datum::I16(t.f4 as i16);
        }
    }
    r.extend([
        Datum::text(&format!("{}/{}", s.vxid.0, s.vxid.1)),
        Datum::I32(s.pid),
        Datum::text(s.mode.name()),
        Datum::Bool(s.granted),
        Datum::Bool(s.fast_path),
        s.wait_start.map_or(Datum::Null, Datum::I64),
    ]);
    r
}

fn blocking_pids(c: &CallCtx<'_>, pid: i32) -> Result<Datum> {
    let pids: Vec<Datum> = env(c)?.engine.blocking_pids(pid).into_iter().map(Datum::I32).collect();
    Ok(literal::make_array(oids::INT4, &pids, 1))
}

fn safe_snapshot_blocking_pids(c: &CallCtx<'_>, pid: i32) -> Result<Datum> {
    let pids: Vec<Datum> = env(c)?.engine.safe_snapshot_blockers(pid).into_iter().map(Datum::I32).collect();
    Ok(literal::make_array(oids::INT4, &pids, 1))
}

/// Is the process blocked by one of these, or by anybody for a safe snapshot?
fn test_session_is_blocked(c: &CallCtx<'_>, pid: i32, by: &[u8]) -> Result<bool> {
    let eng = &env(c)?.engine;
    let by = literal::array_items(by);
    let named = |p: i32| by.contains(&Datum::I32(p));
    Ok(eng.blocking_pids(pid).into_iter().any(named) || !eng.safe_snapshot_blockers(pid).is_empty())
}
