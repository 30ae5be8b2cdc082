//! Reading, writing, extending, truncating and removing relation files, through a bounded table of open files that
//! belongs to one process. Durability is not decided here: callers register what must be synced ([`super::sync`]).

use super::{Fork, RelFileLocator, SEGMENT_BLOCKS, database_dir};
use crate::datadir;
use crate::page::PAGE_SIZE;
use common::{Error, Oid, Result, err};
use hashbrown::HashMap;
use std::cell::{Cell, RefCell};
use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::rc::Rc;

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct SegmentKey {
    rel: RelFileLocator,
    fork: Fork,
    seg: u32,
}

struct OpenFile {
    file: Rc<File>,
    used: u64,
}

/// What to do when a segment file is not there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Missing {
    Fail,
    Create,
    None,
}

/// A process's open relation files.
pub struct Files {
    data_dir: PathBuf,
    open: RefCell<HashMap<SegmentKey, OpenFile, foldhash::fast::FixedState>>,
    clock: Cell<u64>,
    max_open: usize,
    /// The last file used: scans and lookups mostly stay with one.
    last: RefCell<Option<(SegmentKey, Rc<File>)>>,
}

impl Files {
    /// An empty table that keeps at most `max_open` files open.
    pub fn new(data_dir: &Path, max_open: usize) -> Files {
        Files {
            data_dir: data_dir.to_path_buf(),
            open: RefCell::new(HashMap::default()),
            clock: Cell::new(0),
            max_open: max_open.max(8),
            last: RefCell::new(None),
        }
    }
    /// The data directory.
    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }
    /// Absolute path of a segment.
    pub fn path(&self, rel: RelFileLocator, fork: Fork, seg: u32) -> PathBuf {
        self.data_dir.join(rel.segment_path(fork, seg))
    }
    /// Absolute path of a database's directory.
    pub fn database_path(&self, spc: Oid, db: Oid) -> PathBuf {
        self.data_dir.join(database_dir(spc, db))
    }
    /// Closes every open file (after a fork, before removing a database).
    pub fn close_all(&self) {
        self.open.borrow_mut().clear();
        *self.last.borrow_mut() = None;
    }
    /// Closes the files of one relation.
    pub fn close_relation(&self, rel: RelFileLocator) {
        self.open.borrow_mut().retain(|k, _| k.rel != rel);
        *self.last.borrow_mut() = None;
    }
    /// Closes the files of one database.
    pub fn close_database(&self, db: Oid) {
        self.open.borrow_mut().retain(|k, _| k.rel.db_oid != db);
        *self.last.borrow_mut() = None;
    }

    fn segment(
        &self,
        rel: RelFileLocator,
        fork: Fork,
        seg: u32,
        missing: Missing,
    ) -> Result<Option<Rc<File>>> {
        let key = SegmentKey { rel, fork, seg };
        if let Some((k, f)) = &*self.last.borrow()
            && *k == key
        {
            return Ok(Some(f.clone()));
        }
        let now = self.clock.get() + 1;
        self.clock.set(now);
        if let Some(o) = self.open.borrow_mut().get_mut(&key) {
            o.used = now;
            *self.last.borrow_mut() = Some((key, o.file.clone()));
            return Ok(Some(o.file.clone()));
        }
        let path = self.path(rel, fork, seg);
        let mut opts = OpenOptions::new();
        opts.read(true).write(true).mode(0o600).create(missing == Missing::Create);
        let file = loop {
            match opts.open(&path) {
                Ok(f) => break f,
                Err(e) if e.kind() == ErrorKind::NotFound && missing == Missing::None => return Ok(None),
                Err(e) if is_out_of_fds(&e) && self.evict(now) => continue,
                Err(e) => {
                    let what = format!("could not open file \"{}\"", rel.segment_path(fork, seg));
                    return Err(Error::os(what, &e));
                }
            }
        };
        if self.open.borrow().len() >= self.max_open {
            self.evict(now);
        }
        let file = Rc::new(file);
        self.open.borrow_mut().insert(key, OpenFile { file: file.clone(), used: now });
        *self.last.borrow_mut() = Some((key, file.clone()));
        Ok(Some(file))
    }
    /// Closes the least recently used eighth of the table; false when there was nothing to close.
    fn evict(&self, now: u64) -> bool {
        *self.last.borrow_mut() = None;
        let mut open = self.open.borrow_mut();
        if open.is_empty() {
            return false;
        }
        let mut ages: Vec<u64> = open.values().map(|o| now - o.used).collect();
        ages.sort_unstable();
        let cut = ages[ages.len() - 1 - ages.len() / 8];
        open.retain(|_, o| now - o.used < cut);
        true
    }

    /// Creates the fork's first segment. With `exist_ok` (redo) an existing file is kept. Missing database
    /// directories are created in redo.
    pub fn create(&self, rel: RelFileLocator, fork: Fork, exist_ok: bool) -> Result<()> {
        let path = self.path(rel, fork, 0);
        let mut opts = OpenOptions::new();
        opts.read(true).write(true).mode(0o600);
        if exist_ok {
            opts.create(true)
        } else {
            opts.create_new(true)
        };
        let mut r = opts.open(&path);
        if let Err(e) = &r
            && e.kind() == ErrorKind::NotFound
            && exist_ok
        {
            let dir = self.database_path(rel.spc_oid, rel.db_oid);
            std::fs::create_dir_all(&dir)
                .map_err(|e| Error::os(format!("could not create directory \"{}\"", dir.display()), &e))?;
            r = opts.open(&path);
        }
        r.map_err(|e| Error::os(format!("could not create file \"{}\"", rel.path(fork)), &e))?;
        Ok(())
    }
    /// Is there a first segment?
    pub fn exists(&self, rel: RelFileLocator, fork: Fork) -> Result<bool> {
        Ok(self.segment(rel, fork, 0, Missing::None)?.is_some())
    }
    /// Length of the fork in blocks.
    pub fn nblocks(&self, rel: RelFileLocator, fork: Fork) -> Result<u32> {
        self.nblocks_from(rel, fork, Missing::Fail)
    }
    /// Length of the fork in blocks, 0 when it does not exist.
    pub fn nblocks_or_zero(&self, rel: RelFileLocator, fork: Fork) -> Result<u32> {
        self.nblocks_from(rel, fork, Missing::None)
    }
    fn nblocks_from(&self, rel: RelFileLocator, fork: Fork, first: Missing) -> Result<u32> {
        let mut seg = 0;
        loop {
            let missing = if seg == 0 { first } else { Missing::None };
            let Some(f) = self.segment(rel, fork, seg, missing)? else { return Ok(seg * SEGMENT_BLOCKS) };
            let n = segment_blocks(&f).map_err(|e| {
                Error::os(format!("could not seek to end of file \"{}\"", rel.segment_path(fork, seg)), &e)
            })?;
            if n > SEGMENT_BLOCKS {
                return Err(Error::corrupted(format!(
                    "segment \"{}\" is longer than {SEGMENT_BLOCKS} blocks",
                    rel.segment_path(fork, seg)
                )));
            }
            if n < SEGMENT_BLOCKS || seg == u32::MAX / SEGMENT_BLOCKS {
                return Ok(seg * SEGMENT_BLOCKS + n);
            }
            seg += 1;
        }
    }

    /// Reads consecutive blocks into the given pages, all within one segment. XX001 when the file is too short.
    pub fn read(&self, rel: RelFileLocator, fork: Fork, block: u32, bufs: &mut [libc::iovec]) -> Result<()> {
        let seg = block / SEGMENT_BLOCKS;
        let Some(file) =
            self.segment(rel, fork, seg, if seg == 0 { Missing::Fail } else { Missing::None })?
        else {
            return Err(self.read_beyond(rel, fork, block, 0));
        };
        let mut at = (block % SEGMENT_BLOCKS) as u64 * PAGE_SIZE as u64;
        let want = bufs.len() * PAGE_SIZE;
        let mut done = 0;
        while done < want {
            let first = done / PAGE_SIZE;
            let skip = done % PAGE_SIZE;
            let mut head = bufs[first];
            head.iov_base = head.iov_base.cast::<u8>().wrapping_add(skip).cast();
            head.iov_len -= skip;
            let saved = std::mem::replace(&mut bufs[first], head);
            // SAFETY: the iovecs cover memory the caller owns exclusively (buffers with an I/O in progress); the count is
            // the slice's length.
            let n = unsafe {
                libc::preadv(
                    file.as_raw_fd(),
                    bufs[first..].as_ptr(),
                    (bufs.len() - first) as i32,
                    at as libc::off_t,
                )
            };
            bufs[first] = saved;
            if n < 0 {
                let e = std::io::Error::last_os_error();
                if e.kind() == ErrorKind::Interrupted {
                    continue;
                }
                let what =
                    format!("could not read block {block} in file \"{}\"", rel.segment_path(fork, seg));
                return Err(Error::os(what, &e));
            }
            if n == 0 {
                return Err(self.read_beyond(rel, fork, block, done));
            }
            done += n as usize;
            at += n as u64;
        }
        Ok(())
    }
    fn read_beyond(&self, rel: RelFileLocator, fork: Fork, block: u32, done: usize) -> Error {
        err!(
            DATA_CORRUPTED,
            "could not read block {} in file \"{}\": read only {} of {} bytes",
            block as usize + done / PAGE_SIZE,
            rel.segment_path(fork, block / SEGMENT_BLOCKS),
            done % PAGE_SIZE,
            PAGE_SIZE
        )
    }
    /// Writes one block that lies within the file.
    pub fn write(&self, rel: RelFileLocator, fork: Fork, block: u32, page: &[u8; PAGE_SIZE]) -> Result<()> {
        let seg = block / SEGMENT_BLOCKS;
        let file = self.segment(rel, fork, seg, Missing::Create)?;
        let file = file.ok_or_else(|| Error::internal("segment was not created"))?;
        let at = (block % SEGMENT_BLOCKS) as u64 * PAGE_SIZE as u64;
        file.write_all_at(page, at).map_err(|e| {
            let what = format!("could not write block {block} in file \"{}\"", rel.segment_path(fork, seg));
            let full = e.raw_os_error() == Some(libc::ENOSPC);
            let e = Error::os(what, &e);
            if full { e.hint("Check free disk space.") } else { e }
        })
    }
    /// Lengthens the fork with zeros from `block` on by `n` blocks. Space is really allocated, so that later writes of
    /// these blocks do not fail for lack of it.
    pub fn extend(&self, rel: RelFileLocator, fork: Fork, block: u32, n: u32) -> Result<()> {
        let (mut block, mut n) = (block, n);
        while n > 0 {
            let seg = block / SEGMENT_BLOCKS;
            let here = n.min(SEGMENT_BLOCKS - block % SEGMENT_BLOCKS);
            let file = self.segment(rel, fork, seg, Missing::Create)?;
            let file = file.ok_or_else(|| Error::internal("segment was not created"))?;
            let at = (block % SEGMENT_BLOCKS) as u64 * PAGE_SIZE as u64;
            zero_range(&file, at, here).map_err(|e| {
                let what = format!("could not extend file \"{}\"", rel.segment_path(fork, seg));
                Error::os(what, &e).hint("Check free disk space.")
            })?;
            block += here;
            n -= here;
        }
        Ok(())
    }
    /// Shortens the fork to `nblocks`. Later segments become empty files: other processes may hold them open.
    pub fn truncate(&self, rel: RelFileLocator, fork: Fork, nblocks: u32) -> Result<()> {
        let current = self.nblocks_or_zero(rel, fork)?;
        if nblocks >= current {
            return Ok(());
        }
        for seg in (nblocks / SEGMENT_BLOCKS..=(current - 1) / SEGMENT_BLOCKS).rev() {
            let Some(f) = self.segment(rel, fork, seg, Missing::None)? else { continue };
            let keep = nblocks.saturating_sub(seg * SEGMENT_BLOCKS).min(SEGMENT_BLOCKS);
            f.set_len(u64::from(keep) * PAGE_SIZE as u64).map_err(|e| {
                Error::os(format!("could not truncate file \"{}\"", rel.segment_path(fork, seg)), &e)
            })?;
        }
        Ok(())
    }
    /// Removes a fork's files, freeing their space at once even where other processes hold them open. With
    /// `keep_first`, the first segment stays as an empty file that occupies the name. Missing files are fine.
    pub fn unlink(&self, rel: RelFileLocator, fork: Fork, keep_first: bool) -> Result<()> {
        self.close_relation(rel);
        for seg in 0.. {
            let path = self.path(rel, fork, seg);
            match OpenOptions::new().write(true).open(&path) {
                Ok(f) => {
                    let _ = f.set_len(0);
                }
                Err(e) if e.kind() == ErrorKind::NotFound => {
                    if seg == 0 {
                        continue;
                    }
                    return Ok(());
                }
                Err(_) => {}
            }
            if seg == 0 && keep_first {
                continue;
            }
            datadir::unlink(&path)?;
        }
        Ok(())
    }
    /// fsyncs one segment; false when the file is gone.
    pub fn sync_segment(&self, rel: RelFileLocator, fork: Fork, seg: u32) -> Result<bool> {
        match self.segment(rel, fork, seg, Missing::None)? {
            Some(f) => {
                datadir::sync_or_panic(&f, &rel.segment_path(fork, seg));
                Ok(true)
            }
            None => Ok(false),
        }
    }
    /// fsyncs all segments of a fork.
    pub fn sync_fork(&self, rel: RelFileLocator, fork: Fork) -> Result<()> {
        for seg in 0.. {
            if !self.sync_segment(rel, fork, seg)? {
                break;
            }
        }
        Ok(())
    }
    /// Announces a coming read to the kernel.
    pub fn prefetch(&self, rel: RelFileLocator, fork: Fork, block: u32, n: u32) {
        let seg = block / SEGMENT_BLOCKS;
        if let Ok(Some(f)) = self.segment(rel, fork, seg, Missing::None) {
            let at = (block % SEGMENT_BLOCKS) as i64 * PAGE_SIZE as i64;
            let len = i64::from(n) * PAGE_SIZE as i64;
            // SAFETY: plain system call on an open descriptor.
            unsafe { libc::posix_fadvise(f.as_raw_fd(), at, len, libc::POSIX_FADV_WILLNEED) };
        }
    }
    /// Starts write-back of recently written blocks, so that the fsync at the end of a checkpoint finds little to do.
    pub fn start_writeback(&self, rel: RelFileLocator, fork: Fork, block: u32, n: u32) {
        let seg = block / SEGMENT_BLOCKS;
        if let Ok(Some(f)) = self.segment(rel, fork, seg, Missing::None) {
            let at = (block % SEGMENT_BLOCKS) as i64 * PAGE_SIZE as i64;
            let len = i64::from(n) * PAGE_SIZE as i64;
            // SAFETY: plain system call on an open descriptor.
            unsafe { libc::sync_file_range(f.as_raw_fd(), at, len, libc::SYNC_FILE_RANGE_WRITE) };
        }
    }
}

fn is_out_of_fds(e: &std::io::Error) -> bool {
    matches!(e.raw_os_error(), Some(libc::EMFILE) | Some(libc::ENFILE))
}

fn segment_blocks(f: &File) -> std::io::Result<u32> {
    // SAFETY: plain system call on an open descriptor; nothing relies on its file position.
    let n = unsafe { libc::lseek(f.as_raw_fd(), 0, libc::SEEK_END) };
    if n < 0 {
        return Err(std::io::Error::last_os_error());
    }
    Ok((n as u64 / PAGE_SIZE as u64).min(u64::from(u32::MAX)) as u32)
}

fn zero_range(f: &File, at: u64, blocks: u32) -> std::io::Result<()> {
    if blocks >= 8 {
        // SAFETY: plain system call on an open descriptor.
        let r = unsafe {
            libc::fallocate(f.as_raw_fd(), 0, at as libc::off_t, i64::from(blocks) * PAGE_SIZE as i64)
        };
        if r == 0 {
            return Ok(());
        }
        let e = std::io::Error::last_os_error();
        if !matches!(e.raw_os_error(), Some(libc::EOPNOTSUPP) | Some(libc::EINTR) | Some(libc::ENOSYS)) {
            return Err(e);
        }
    }
    let zeros = [0u8; PAGE_SIZE];
    for i in 0..u64::from(blocks) {
        f.write_all_at(&zeros, at + i * PAGE_SIZE as u64)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn write_read_truncate_unlink() {
        let dir = crate::testing::TestDir::new("files");
        std::fs::create_dir_all(dir.path().join("base/5")).unwrap();
        let f = Files::new(dir.path(), 10);
        let rel = RelFileLocator::new(Oid(1663), Oid(5), 16384);
        assert!(!f.exists(rel, Fork::Main).unwrap());
        f.create(rel, Fork::Main, false).unwrap();
        assert_eq!(
            f.create(rel, Fork::Main, false).unwrap_err().sqlstate(),
            common::SqlState::DUPLICATE_FILE
        );
        f.extend(rel, Fork::Main, 0, 20).unwrap();
        assert_eq!(f.nblocks(rel, Fork::Main).unwrap(), 20);
        f.write(rel, Fork::Main, 3, &[7; PAGE_SIZE]).unwrap();
        let mut a = vec![0u8; PAGE_SIZE * 2];
        let (x, y) = a.split_at_mut(PAGE_SIZE);
        let mut iov = [iov(x), iov(y)];
        f.read(rel, Fork::Main, 3, &mut iov).unwrap();
        assert_eq!((a[0], a[PAGE_SIZE]), (7, 0));
        f.truncate(rel, Fork::Main, 4).unwrap();
        assert_eq!(f.nblocks(rel, Fork::Main).unwrap(), 4);
        let mut iov = [self::iov(&mut a[..PAGE_SIZE])];
        let e = f.read(rel, Fork::Main, 4, &mut iov).unwrap_err();
        assert_eq!(e.sqlstate(), common::SqlState::DATA_CORRUPTED);
        f.unlink(rel, Fork::Main, true).unwrap();
        assert_eq!(f.nblocks(rel, Fork::Main).unwrap(), 0);
        f.unlink(rel, Fork::Main, false).unwrap();
        assert!(!f.exists(rel, Fork::Main).unwrap());
    }

    fn iov(b: &mut [u8]) -> libc::iovec {
        libc::iovec { iov_base: b.as_mut_ptr().cast(), iov_len: b.len() }
    }
}
