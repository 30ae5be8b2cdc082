//! Transaction ids and positions in the log.

use super::env;
use common::{Result, SqlState, Xid, bail, err};
use types::numeric::Num;
use types::{CallCtx, Datum, FnImpl, c0, c1, k2};

pub static TABLE: &[(u32, FnImpl)] = &[
    (2943, c0!(current_xid)),
    (1181, c1!(|c, x: u32| xid_age(c, x))),
    (3939, c1!(|c, m: u32| multixact_age(c, m))),
    (3348, c0!(current_xid_if_assigned)),
    (5059, c0!(current_xid)),
    (5060, c0!(current_xid_if_assigned)),
    (3360, c1!(status)),
    (5066, c1!(status)),
    (2849, c0!(written_lsn)),
    (2852, c0!(insert_lsn)),
    (3330, c0!(flush_lsn)),
    (2851, c1!(walfile_name)),
    (3165, k2!(lsn_diff)),
    (2848, c0!(switch_wal)),
    (3809, c0!(export_snapshot)),
];

/// Bytes of a log segment.
const SEGMENT_BYTES: u64 = 16 << 20;

fn current_xid(c: &CallCtx<'_>) -> Result<i64> {
    Ok(env(c)?.engine.top_xid()?.0 as i64)
}

fn current_xid_if_assigned(c: &CallCtx<'_>) -> Result<Option<i64>> {
    Ok(env(c)?.engine.top_xid_if_any().map(|x| x.0 as i64))
}

fn status(c: &CallCtx<'_>, xid: i64) -> Result<Option<&'static str>> {
    let e = &env(c)?.engine;
    let xid = Xid(xid as u64);
    if !xid.is_normal() {
        return Ok(xid.is_valid().then_some("committed"));
    }
    if xid >= e.next_xid() {
        bail!(INVALID_PARAMETER_VALUE, "transaction ID {xid} is in the future");
    }
    Ok(Some(if e.is_current_xid(xid) || e.xid_is_in_progress(xid) {
        "in progress"
    } else if e.xid_did_commit(xid)? {
        "committed"
    } else {
        "aborted"
    }))
}

fn written_lsn(c: &CallCtx<'_>) -> Result<i64> {
    Ok(env(c)?.engine.store().written_lsn().0 as i64)
}

fn insert_lsn(c: &CallCtx<'_>) -> Result<i64> {
    Ok(env(c)?.engine.store().insert_lsn().0 as i64)
}

fn flush_lsn(c: &CallCtx<'_>) -> Result<i64> {
    Ok(env(c)?.engine.store().flushed_lsn().0 as i64)
}

fn walfile_name(c: &CallCtx<'_>, lsn: i64) -> Result<String> {
    // The byte before: a position at a segment's start belongs to the one that ends there.
    let timeline = transam::ControlFile::read(env(c)?.engine.data_dir())?.copy.timeline;
    let segment = (lsn as u64).wrapping_sub(1) / SEGMENT_BYTES;
    Ok(storage::wal::segment::segment_name(timeline, segment))
}

fn lsn_diff(a: i64, b: i64) -> Result<Datum> {
    Num::from_i128(i128::from(a as u64) - i128::from(b as u64)).to_datum()
}

fn switch_wal(c: &CallCtx<'_>) -> Result<i64> {
    let e = env(c)?;
    if !e.host.is_superuser() {
        return Err(err!(INSUFFICIENT_PRIVILEGE, "permission denied for function pg_switch_wal"));
    }
    Ok(e.engine.switch_wal()?.0 as i64)
}

fn export_snapshot(_: &CallCtx<'_>) -> Result<String> {
    Err(common::Error::new(SqlState::FEATURE_NOT_SUPPORTED, "exporting snapshots is not supported"))
}

/// How many ids were given out since `xid`, by the low 32 bits that the type has; ids that are always visible are
/// infinitely old.
fn xid_age(c: &CallCtx<'_>, xid: u32) -> Result<i32> {
    const FIRST_NORMAL: u32 = 3;
    if xid < FIRST_NORMAL {
        return Ok(i32::MAX);
    }
    let now = env(c)?.engine.next_xid().0 as u32;
    Ok(now.wrapping_sub(xid) as i32)
}

/// The same for multixacts.
fn multixact_age(c: &CallCtx<'_>, m: u32) -> Result<i32> {
    if m == 0 {
        return Ok(i32::MAX);
    }
    Ok((env(c)?.engine.next_multixact().0 as u32).wrapping_sub(m) as i32)
}
