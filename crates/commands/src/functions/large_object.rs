//! Large objects in SQL: `lo_open`, `loread`, `lo_put` …

use super::env;
use crate::FnEnv;
use crate::large_object::{self as lo, INV_READ, INV_WRITE, Open};
use common::{Error, Oid, Result, bail};
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use types::{CallCtx, FnImpl, c1, c2, c3};

pub static TABLE: &[(u32, FnImpl)] = &[
    (957, c1!(lo_creat)),
    (715, c1!(lo_create)),
    (952, c2!(lo_open)),
    (953, c1!(lo_close)),
    (954, c2!(loread)),
    (955, c2!(lowrite)),
    (956, c3!(lo_lseek)),
    (3170, c3!(lo_lseek64)),
    (958, c1!(lo_tell)),
    (3171, c1!(lo_tell64)),
    (1004, c2!(lo_truncate)),
    (3172, c2!(lo_truncate64)),
    (964, c1!(lo_unlink)),
    (764, c1!(lo_import)),
    (767, c2!(lo_import_with_oid)),
    (765, c2!(lo_export)),
    (3457, c2!(lo_from_bytea)),
    (3458, c1!(lo_get)),
    (3459, c3!(lo_get_fragment)),
    (3460, c3!(lo_put)),
];

/// Longest value a function can return.
const LONGEST: i64 = 0x3fff_ffff;
/// Bytes read from or written to a file at a time.
const CHUNK: usize = 64 << 10;

fn lo_creat(c: &CallCtx<'_>, _mode: i32) -> Result<u32> {
    Ok(lo::create(env(c)?, Oid::INVALID)?.0)
}

fn lo_create(c: &CallCtx<'_>, oid: u32) -> Result<u32> {
    Ok(lo::create(env(c)?, Oid(oid))?.0)
}

fn lo_open(c: &CallCtx<'_>, oid: u32, mode: i32) -> Result<i32> {
    let e = env(c)?;
    let o = Open::new(e, Oid(oid), mode)?;
    Ok(e.large_objects.add(o))
}

fn lo_close(c: &CallCtx<'_>, fd: i32) -> Result<i32> {
    let e = env(c)?;
    e.large_objects.close(fd, &e.engine)?;
    Ok(0)
}

fn loread(c: &CallCtx<'_>, fd: i32, len: i32) -> Result<Vec<u8>> {
    let e = env(c)?;
    let mut o = e.large_objects.get(fd)?;
    if !o.reads {
        bail!(OBJECT_NOT_IN_PREREQUISITE_STATE, "large object descriptor {fd} was not opened for reading");
    }
    o.read(e, len.max(0) as usize)
}

fn require_write(o: &Open, fd: i32) -> Result<()> {
    if !o.writes {
        bail!(OBJECT_NOT_IN_PREREQUISITE_STATE, "large object descriptor {fd} was not opened for writing");
    }
    Ok(())
}

fn lowrite(c: &CallCtx<'_>, fd: i32, data: &[u8]) -> Result<i32> {
    let e = env(c)?;
    let mut o = e.large_objects.get(fd)?;
    require_write(&o, fd)?;
    o.write(e, data)?;
    Ok(data.len() as i32)
}

fn lo_lseek64(c: &CallCtx<'_>, fd: i32, offset: i64, whence: i32) -> Result<i64> {
    let e = env(c)?;
    e.large_objects.get(fd)?.seek(e, offset, whence)
}

fn lo_lseek(c: &CallCtx<'_>, fd: i32, offset: i32, whence: i32) -> Result<i32> {
    small(lo_lseek64(c, fd, i64::from(offset), whence)?, "lo_lseek", fd)
}

fn small(at: i64, function: &str, fd: i32) -> Result<i32> {
    i32::try_from(at).map_err(|_| {
        common::err!(
            NUMERIC_VALUE_OUT_OF_RANGE,
            "{function} result out of range for large-object descriptor {fd}"
        )
    })
}

fn lo_tell64(c: &CallCtx<'_>, fd: i32) -> Result<i64> {
    Ok(env(c)?.large_objects.get(fd)?.at)
}

fn lo_tell(c: &CallCtx<'_>, fd: i32) -> Result<i32> {
    small(lo_tell64(c, fd)?, "lo_tell", fd)
}

fn lo_truncate64(c: &CallCtx<'_>, fd: i32, len: i64) -> Result<i32> {
    let e = env(c)?;
    let mut o = e.large_objects.get(fd)?;
    require_write(&o, fd)?;
    o.truncate(e, len)?;
    Ok(0)
}

fn lo_truncate(c: &CallCtx<'_>, fd: i32, len: i32) -> Result<i32> {
    lo_truncate64(c, fd, i64::from(len))
}

fn lo_unlink(c: &CallCtx<'_>, oid: u32) -> Result<i32> {
    let e = env(c)?;
    lo::check_owner(e, Oid(oid))?;
    e.large_objects.forget(Oid(oid), &e.engine);
    lo::remove(e, Oid(oid))?;
    Ok(1)
}

fn import(e: &FnEnv, path: &str, oid: Oid) -> Result<Oid> {
    let failed = |what: &str, err| Error::os(format!("could not {what} server file \"{path}\""), &err);
    let mut f = File::open(path).map_err(|x| failed("open", x))?;
    let oid = lo::create(e, oid)?;
    let mut o = Open::new(e, oid, INV_WRITE)?;
    let mut buf = vec![0; CHUNK];
    loop {
        let n = f.read(&mut buf).map_err(|x| failed("read", x))?;
        if n == 0 {
            return Ok(oid);
        }
        e.engine.check_interrupts()?;
        o.write(e, &buf[..n])?;
    }
}

fn lo_import(c: &CallCtx<'_>, path: &str) -> Result<u32> {
    Ok(import(env(c)?, path, Oid::INVALID)?.0)
}

fn lo_import_with_oid(c: &CallCtx<'_>, path: &str, oid: u32) -> Result<u32> {
    Ok(import(env(c)?, path, Oid(oid))?.0)
}

fn lo_export(c: &CallCtx<'_>, oid: u32, path: &str) -> Result<i32> {
    let e = env(c)?;
    let mut o = Open::new(e, Oid(oid), INV_READ)?;
    let failed = |what: &str, err| Error::os(format!("could not {what} server file \"{path}\""), &err);
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o644).open(path);
    let mut f = file.map_err(|x| failed("create", x))?;
    let done = loop {
        e.engine.check_interrupts()?;
        let piece = o.read(e, CHUNK)?;
        if piece.is_empty() {
            break Ok(1);
        }
        if let Err(x) = f.write_all(&piece) {
            break Err(failed("write", x));
        }
    };
    o.close(&e.engine);
    done
}

fn lo_from_bytea(c: &CallCtx<'_>, oid: u32, data: &[u8]) -> Result<u32> {
    let e = env(c)?;
    let oid = lo::create(e, Oid(oid))?;
    Open::new(e, oid, INV_WRITE)?.write(e, data)?;
    Ok(oid.0)
}

fn fragment(e: &FnEnv, oid: Oid, offset: i64, len: Option<i64>) -> Result<Vec<u8>> {
    let mut o = Open::new(e, oid, INV_READ)?;
    let read = (|| {
        let size = o.size(e)?;
        o.seek(e, offset, 0)?;
        let n = len.unwrap_or(i64::MAX).min((size - offset).max(0));
        if n > LONGEST {
            bail!(INVALID_PARAMETER_VALUE, "large object read request is too large");
        }
        o.read(e, n as usize)
    })();
    o.close(&e.engine);
    read
}

fn lo_get(c: &CallCtx<'_>, oid: u32) -> Result<Vec<u8>> {
    fragment(env(c)?, Oid(oid), 0, None)
}

fn lo_get_fragment(c: &CallCtx<'_>, oid: u32, offset: i64, len: i32) -> Result<Vec<u8>> {
    if len < 0 {
        bail!(INVALID_PARAMETER_VALUE, "requested length cannot be negative");
    }
    fragment(env(c)?, Oid(oid), offset, Some(i64::from(len)))
}

fn lo_put(c: &CallCtx<'_>, oid: u32, offset: i64, data: &[u8]) -> Result<i32> {
    let e = env(c)?;
    let mut o = Open::new(e, Oid(oid), INV_WRITE)?;
    o.seek(e, offset, 0)?;
    o.write(e, data)?;
    Ok(0)
}
