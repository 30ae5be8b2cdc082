//! Rows whose groups have no room in memory: they go to files by their hash, which are worked off one after the other.

use crate::expr::colops;
use crate::node::group_table::GroupTable;
use crate::run::Exec;
use crate::store::SpillFile;
use common::Result;
use types::Batch;

const PARTITIONS: usize = 32;

/// Partitions are split again this many times at most.
pub const DEPTH_MAX: u32 = 6;

/// A file a partition, made when it gets its first row.
#[derive(Default)]
pub struct Overflow {
    files: [Option<SpillFile>; PARTITIONS],
}

impl Overflow {
    /// Writes the rows without a group (`u32::MAX`) to the files and takes them out of the batch and of `groups`. `depth` is
    /// how many times the rows were split before; `tmp` is a batch of the same shape.
    pub fn put_unknown(
        &mut self,
        cx: &Exec,
        table: &mut GroupTable,
        b: &mut Batch,
        groups: &mut Vec<u32>,
        depth: u32,
        tmp: &mut Batch,
    ) -> Result<()> {
        let hashes = table.hash_rows(b);
        let shift = 5 * depth + 10;
        let mut keep = Vec::new();
        let mut parts: [Vec<u16>; PARTITIONS] = Default::default();
        let mut kept = Vec::new();
        for k in 0..b.live_count() {
            let i = colops::nth_live(b, k) as u16;
            if groups[k] == u32::MAX {
                parts[(hashes[k] >> shift) as usize % PARTITIONS].push(i);
            } else {
                keep.push(i);
                kept.push(groups[k]);
            }
        }
        for (file, rows) in self.files.iter_mut().zip(&parts).filter(|(_, r)| !r.is_empty()) {
            tmp.clear();
            for (d, s) in tmp.cols.iter_mut().zip(&b.cols) {
                colops::append_gather(d, s, rows);
            }
            tmp.rows = rows.len();
            let file = match file {
                Some(f) => f,
                None => file.insert(SpillFile::create(&cx.env)?),
            };
            file.write(tmp)?;
        }
        b.sel = Some(keep);
        *groups = kept;
        Ok(())
    }

    /// The files that have rows.
    pub fn files(self) -> impl Iterator<Item = SpillFile> {
        self.files.into_iter().flatten()
    }
}
