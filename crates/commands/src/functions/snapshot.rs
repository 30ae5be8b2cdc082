//! The current snapshot as a value, and the age of transaction ids.

use super::{env, with_analyze};
use common::{Oid, Result};
use types::{CallCtx, FnImpl, array, c0, c1};

pub static TABLE: &[(u32, FnImpl)] = &[
    (5061, c0!(current_snapshot)),
    (2944, c0!(current_snapshot)),
    (1181, c1!(xid_age)),
    (3939, c1!(multixact_age)),
    (1349, c1!(vector_types)),
    (5051, c1!(|_: &CallCtx<'_>, _: u32| true)),
    (2121, c1!(|_: &CallCtx<'_>, _: types::DatumRef<'_>| None::<String>)),
];

fn current_snapshot(c: &CallCtx<'_>) -> Result<Vec<u8>> {
    let e = &env(c)?.engine;
    let s = match e.active_snapshot() {
        Some(s) => s,
        None => e.transaction_snapshot()?,
    };
    let mut running: Vec<u64> = s.xip.iter().map(|x| x.0).collect();
    running.sort_unstable();
    running.dedup();
    Ok(types::snapshot::build(s.xmin.0, s.xmax.0, &running))
}

fn xid_age(c: &CallCtx<'_>, xid: u32) -> Result<i32> {
    // The ids that are no transaction's are infinitely old.
    if xid < 3 {
        return Ok(i32::MAX);
    }
    let e = &env(c)?.engine;
    let now = e.top_xid_if_any().unwrap_or_else(|| e.next_xid());
    Ok((now.0 as u32).wrapping_sub(xid) as i32)
}

fn multixact_age(c: &CallCtx<'_>, id: u32) -> Result<i32> {
    if id == 0 {
        return Ok(i32::MAX);
    }
    Ok((env(c)?.engine.next_multixact().0 as u32).wrapping_sub(id) as i32)
}

fn vector_types(c: &CallCtx<'_>, b: &[u8]) -> Result<String> {
    let oids = array::vector_items(b)?;
    with_analyze(c, |a| {
        Ok(oids.iter().map(|o| analyze::format_type_short(a, Oid(*o as u32))).collect::<Vec<_>>().join(", "))
    })
}
