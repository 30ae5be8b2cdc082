//! `pg_lock_status` (the view pg_locks) and who blocks whom.

use super::env;
use super::rows::made;
use catalog::literal;
use common::Result;
use transam::{LockStatus, TagType};
use types::registry::RowSource;
use types::{CallCtx, Datum, FnImpl, c1, oids};

pub static TABLE: &[(u32, FnImpl)] =
    &[(1371, FnImpl::Srf(status)), (2561, c1!(blocking_pids)), (3376, c1!(safe_snapshot_blocking_pids))];

fn status(c: &CallCtx<'_>, _: &[Datum]) -> Result<Box<dyn RowSource>> {
    made(env(c)?.engine.lock_status().iter().map(row).collect())
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

fn safe_snapshot_blocking_pids(_: &CallCtx<'_>, _: i32) -> Datum {
    // Without SERIALIZABLE nobody waits for a safe snapshot.
    literal::make_array(oids::INT4, &[], 1)
}
