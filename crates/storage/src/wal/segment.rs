//! Segment files: names, headers, creation ahead of need, recycling and removal. A segment is zero-filled and synced
//! before it gets its name, so that flushing the log only overwrites.

use super::position::{SEGMENT_HEADER, SEGMENT_SIZE};
use crate::datadir;
use common::{Error, Result};
use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

const MAGIC: u32 = 0x5357_414C;
const VERSION: u16 = 1;

/// Name of a segment file: timeline, then number, in hexadecimal.
pub fn segment_name(timeline: u32, segno: u64) -> String {
    let per_id = (1u64 << 32) / SEGMENT_SIZE;
    format!("{timeline:08X}{:08X}{:08X}", segno / per_id, segno % per_id)
}
/// Inverse of [`segment_name`].
pub fn parse_segment_name(name: &str) -> Option<(u32, u64)> {
    if name.len() != 24 || !name.bytes().all(|b| matches!(b, b'0'..=b'9' | b'A'..=b'F')) {
        return None;
    }
    let per_id = (1u64 << 32) / SEGMENT_SIZE;
    let part = |r: std::ops::Range<usize>| u64::from_str_radix(&name[r], 16).ok();
    let low = part(16..24)?;
    (low < per_id).then_some(())?;
    Some((part(0..8)? as u32, part(8..16)? * per_id + low))
}
/// Path of a segment.
pub fn segment_path(data_dir: &Path, timeline: u32, segno: u64) -> PathBuf {
    data_dir.join("pg_wal").join(segment_name(timeline, segno))
}

/// The header of a segment.
pub fn encode_header(timeline: u32, system: u64, segno: u64) -> [u8; SEGMENT_HEADER as usize] {
    let mut h = [0; SEGMENT_HEADER as usize];
    h[0..4].copy_from_slice(&MAGIC.to_le_bytes());
    h[4..6].copy_from_slice(&VERSION.to_le_bytes());
    h[8..16].copy_from_slice(&system.to_le_bytes());
    h[16..24].copy_from_slice(&segno.to_le_bytes());
    h[24..28].copy_from_slice(&timeline.to_le_bytes());
    h[28..32].copy_from_slice(&(SEGMENT_SIZE as u32).to_le_bytes());
    let crc = crc32fast::hash(&h[..60]);
    h[60..64].copy_from_slice(&crc.to_le_bytes());
    h
}
/// Is this the header of segment `segno`? The system identifier is not compared when `system` is 0.
pub fn header_ok(h: &[u8; SEGMENT_HEADER as usize], timeline: u32, system: u64, segno: u64) -> bool {
    let mut want = encode_header(timeline, system, segno);
    if system == 0 {
        want[8..16].copy_from_slice(&h[8..16]);
        let crc = crc32fast::hash(&want[..60]);
        want[60..64].copy_from_slice(&crc.to_le_bytes());
    }
    want == *h
}

fn os(what: &str, path: &Path, e: &std::io::Error) -> Error {
    Error::os(format!("could not {what} file \"{}\"", path.display()), e)
}

/// Opens a segment for writing, with more `flags` for open(); `None` when it does not exist.
pub fn open_segment(data_dir: &Path, timeline: u32, segno: u64, flags: i32) -> Result<Option<File>> {
    let path = segment_path(data_dir, timeline, segno);
    match OpenOptions::new().read(true).write(true).custom_flags(flags).open(&path) {
        Ok(f) => Ok(Some(f)),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
        Err(e) => Err(os("open", &path, &e)),
    }
}
/// Makes segment `segno` exist: zero-filled (or without `fill` as one hole), synced, then linked under its name. Whoever
/// comes second keeps the first.
pub fn create_segment(data_dir: &Path, timeline: u32, segno: u64, sync: bool, fill: bool) -> Result<bool> {
    let path = segment_path(data_dir, timeline, segno);
    if path.exists() {
        return Ok(false);
    }
    let tmp = data_dir.join("pg_wal").join(format!("xlogtemp.{}", std::process::id()));
    let f = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&tmp)
        .map_err(|e| os("create", &tmp, &e))?;
    let written = if fill { fill_with_zeros(&f) } else { f.write_all_at(&[0], SEGMENT_SIZE - 1) };
    if let Err(e) = written {
        let _ = std::fs::remove_file(&tmp);
        return Err(os("write to", &tmp, &e));
    }
    if sync {
        datadir::sync_or_panic(&f, &tmp.to_string_lossy());
    }
    install(&tmp, &path, sync)
}
fn fill_with_zeros(f: &File) -> std::io::Result<()> {
    let zeros = vec![0u8; 1 << 20];
    (0..SEGMENT_SIZE / zeros.len() as u64).try_for_each(|i| f.write_all_at(&zeros, i * zeros.len() as u64))
}
/// Gives a finished file its segment name unless that exists; the file is gone from its old name either way.
fn install(from: &Path, to: &Path, sync: bool) -> Result<bool> {
    let linked = match std::fs::hard_link(from, to) {
        Ok(()) => true,
        Err(e) if e.kind() == ErrorKind::AlreadyExists => false,
        Err(e) => return Err(os("link", from, &e)),
    };
    datadir::unlink(from)?;
    if sync && let Some(dir) = to.parent() {
        datadir::sync_dir(dir)?;
    }
    Ok(linked)
}
/// Numbers of the existing segments of a timeline, ascending.
pub fn list_segments(data_dir: &Path, timeline: u32) -> Result<Vec<u64>> {
    let dir = data_dir.join("pg_wal");
    let entries = std::fs::read_dir(&dir)
        .map_err(|e| Error::os(format!("could not open directory \"{}\"", dir.display()), &e))?;
    let mut v: Vec<u64> = entries
        .flatten()
        .filter_map(|e| parse_segment_name(e.file_name().to_str()?))
        .filter(|(t, _)| *t == timeline)
        .map(|(_, s)| s)
        .collect();
    v.sort_unstable();
    Ok(v)
}
/// Removes half-made segments an earlier crash left.
pub fn remove_temporary(data_dir: &Path) -> Result<()> {
    if let Ok(entries) = std::fs::read_dir(data_dir.join("pg_wal")) {
        for e in entries.flatten() {
            if e.file_name().to_string_lossy().starts_with("xlogtemp.") {
                datadir::unlink(&e.path())?;
            }
        }
    }
    Ok(())
}
/// What [`retire_segments`] did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retired {
    pub removed: u32,
    pub recycled: u32,
}
/// Renames segments below `keep_from` to future names up to `recycle_until`, removes the rest of them. Their stale
/// contents are harmless: records and headers are bound to their position.
pub fn retire_segments(
    data_dir: &Path,
    timeline: u32,
    keep_from: u64,
    current: u64,
    recycle_until: u64,
) -> Result<Retired> {
    let mut r = Retired::default();
    let existing = list_segments(data_dir, timeline)?;
    let mut next = current + 1;
    for segno in existing.iter().copied().filter(|s| *s < keep_from) {
        let path = segment_path(data_dir, timeline, segno);
        while next <= recycle_until && existing.binary_search(&next).is_ok() {
            next += 1;
        }
        if next <= recycle_until {
            if install(&path, &segment_path(data_dir, timeline, next), false)? {
                r.recycled += 1;
            } else {
                r.removed += 1;
            }
            next += 1;
        } else {
            datadir::unlink(&path)?;
            r.removed += 1;
        }
    }
    if r != Retired::default() {
        datadir::sync_dir(&data_dir.join("pg_wal"))?;
    }
    Ok(r)
}
fn status_path(data_dir: &Path, timeline: u32, segno: u64, suffix: &str) -> PathBuf {
    data_dir.join("pg_wal/archive_status").join(format!("{}.{suffix}", segment_name(timeline, segno)))
}
/// A finished segment waits for the archiver. Where the mark cannot be made, [`is_archived`] keeps the segment all the
/// same, and the next checkpoint tries again.
pub fn mark_ready(data_dir: &Path, timeline: u32, segno: u64) {
    let ready = status_path(data_dir, timeline, segno, "ready");
    if !status_path(data_dir, timeline, segno, "done").exists() {
        let _ = std::fs::File::create(ready);
    }
}
/// Has the archiver got the segment? Marks it as waiting where there is no mark at all.
pub fn is_archived(data_dir: &Path, timeline: u32, segno: u64) -> bool {
    if status_path(data_dir, timeline, segno, "done").exists() {
        return true;
    }
    mark_ready(data_dir, timeline, segno);
    false
}
/// The segment is gone, and with it what was noted of it.
pub fn forget_archived(data_dir: &Path, timeline: u32, segno: u64) {
    let _ = std::fs::remove_file(status_path(data_dir, timeline, segno, "done"));
}
/// After recovery: zeroes what follows `end` in its segment and removes later segments, so that no record of the
/// past can ever follow a record to come.
pub fn clear_after(data_dir: &Path, timeline: u32, end: common::Lsn, sync: bool) -> Result<()> {
    let segno = super::position::segment_of(end);
    for s in list_segments(data_dir, timeline)? {
        if s > segno {
            datadir::unlink(&segment_path(data_dir, timeline, s))?;
        }
    }
    if let Some(f) = open_segment(data_dir, timeline, segno, 0)? {
        let path = segment_path(data_dir, timeline, segno);
        let from = end.0 % SEGMENT_SIZE;
        f.write_all_at(&vec![0; (SEGMENT_SIZE - from) as usize], from)
            .map_err(|e| os("write to", &path, &e))?;
        if sync {
            datadir::sync_or_panic(&f, &path.to_string_lossy());
        }
    }
    if sync {
        datadir::sync_dir(&data_dir.join("pg_wal"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        assert_eq!(segment_name(1, 1), "000000010000000000000001");
        assert_eq!(segment_name(1, 256), "000000010000000100000000");
        for s in [0, 1, 255, 256, 70000] {
            assert_eq!(parse_segment_name(&segment_name(3, s)), Some((3, s)));
        }
        assert_eq!(parse_segment_name("archive_status"), None);
        assert_eq!(parse_segment_name("000000010000000000000100"), None);
    }

    #[test]
    fn create_recycle_remove() {
        let dir = crate::testing::TestDir::new("segments");
        std::fs::create_dir(dir.path().join("pg_wal")).unwrap();
        for s in 1..=4 {
            assert!(create_segment(dir.path(), 1, s, false, true).unwrap());
        }
        assert!(!create_segment(dir.path(), 1, 4, false, false).unwrap());
        let r = retire_segments(dir.path(), 1, 4, 4, 5).unwrap();
        assert_eq!(r, Retired { removed: 2, recycled: 1 });
        assert_eq!(list_segments(dir.path(), 1).unwrap(), vec![4, 5]);
        clear_after(dir.path(), 1, common::Lsn(4 * SEGMENT_SIZE + 100), false).unwrap();
        assert_eq!(list_segments(dir.path(), 1).unwrap(), vec![4]);
        let h = encode_header(1, 77, 4);
        assert!(header_ok(&h, 1, 77, 4) && header_ok(&h, 1, 0, 4) && !header_ok(&h, 1, 77, 5));
    }
}
