//! The table of a Parallel Hash Join, which its processes build together ([`SharedTable`]). Beyond its memory, every builder
//! writes its rows to a file of its own, in blocks chained by partition, and the last one what is in memory; after that
//! each process joins partitions as a join that is not parallel does, with files of its own for its outer rows.

use super::*;
use crate::parallel::Joint;
use crate::parallel::table::{Look, Part, SharedChains, SharedTable};
use std::sync::atomic::Ordering::{Acquire, Release};

/// What a join has of the table of all processes.
pub(super) struct Common {
    table: SharedTable,
    /// The column of each key that is compared without a call.
    keys: Vec<usize>,
    /// Keys that are no columns of the inner side: stored behind those.
    computed: Vec<usize>,
    /// This process uses it, and it is in memory.
    memory: bool,
}

impl Common {
    pub fn in_memory(&self) -> bool {
        self.memory
    }
    pub fn look(&self) -> Look<'_> {
        self.table.look()
    }
    pub fn keys(&self) -> &[usize] {
        &self.keys
    }
}

impl Chains for SharedChains<'_> {
    #[inline(always)]
    fn head(&self, h: u64) -> u32 {
        SharedChains::head(self, h)
    }
    #[inline(always)]
    fn step(&self, c: u32, h: u64) -> (u32, bool) {
        SharedChains::step(self, c, h)
    }
    #[inline(always)]
    fn equals(&self, k: usize, a: &Column, i: usize, c: u32) -> bool {
        SharedChains::equals(self, k, a, i, c)
    }
}

impl HashJoin {
    /// Reserves the table in the Gather's memory.
    pub(super) fn reserve_shared(&mut self, b: &BuildCx<'_>, joint: &Rc<Joint>, join: &JoinCommon) {
        let mut columns = self.pairs.inner_phys.clone();
        let (mut keys, mut computed) = (Vec::new(), Vec::new());
        for k in 0..self.fns.len() {
            keys.push(self.inner_keys.column(k).unwrap_or_else(|| {
                columns.push(self.inner_keys.phys[k]);
                computed.push(k);
                columns.len() - 1
            }));
        }
        // The plan's numbers are those of one process.
        let sharers = joint.participants();
        self.est_bytes *= sharers as f64;
        let rows = (join.inner.rows * sharers as f64) as usize;
        let size = (rows, self.est_bytes as usize, b.env.hash_mem().saturating_mul(sharers));
        let table = SharedTable::reserve(joint, &columns, size, self.partition_count(b.env));
        self.shared = Some(Box::new(Common { table, keys, computed, memory: false }));
    }

    /// Builds the common table with the others; false: this join is not run in parallel.
    pub(super) fn open_shared(&mut self, cx: &Exec) -> Result<bool> {
        let Some(mut common) = self.shared.take() else { return Ok(false) };
        if !common.table.open() {
            self.shared = Some(common);
            return Ok(false);
        }
        let r = self.build_common(cx, &common);
        let large = common.table.look().is_too_large();
        common.memory = r.is_ok() && !large;
        self.partitioned = large;
        self.nbatches = if large { common.table.partitions() as u64 } else { 1 };
        {
            let look = common.table.look();
            self.measure(cx, look.buckets(), look.bytes());
        }
        self.partitions.clear();
        self.clear_table();
        if large && r.is_ok() {
            for k in 0..common.table.partitions() {
                let outer = SpillFile::create(&cx.env)?;
                self.partitions.push(Partition { inner: InnerPart::Common(k), outer });
            }
        }
        self.shared = Some(common);
        r?;
        Ok(true)
    }
    pub(super) fn close_shared(&mut self) {
        if let Some(s) = &mut self.shared {
            s.memory = false;
            s.table.close();
        }
    }

    fn build_common(&mut self, cx: &Exec, common: &Common) -> Result<()> {
        let look = common.table.look();
        if let Part::Build(number) = look.join() {
            self.inner.rescan(cx)?;
            while self.inner.next(cx, usize::MAX)? {
                cx.check_interrupts()?;
                let b = std::mem::take(self.inner.batch_mut());
                let r = self.add_common(cx, common, &look, number, &b);
                *self.inner.batch_mut() = b;
                r?;
            }
            if look.leave(number) {
                if look.is_too_large() {
                    self.write_out(cx, common, &look, number)?;
                } else {
                    look.widen();
                }
                look.publish();
            }
        }
        look.wait(cx)
    }

    /// Adds a batch of inner rows to the table, or to this process's file.
    fn add_common(
        &mut self,
        cx: &Exec,
        common: &Common,
        look: &Look<'_>,
        number: usize,
        b: &Batch,
    ) -> Result<()> {
        self.inner_keys.run(cx, b, b.live())?;
        let (mut hashes, mut valid) = (std::mem::take(&mut self.ohashes), std::mem::take(&mut self.ovalid));
        hash_keys(&self.inner_keys, &self.fns, true, b, &mut hashes, &mut valid, &mut Vec::new());
        let mut r = Ok(());
        if !self.insert_common(common, look, b, &hashes, &valid) {
            r = spill(common, look, number, b, &hashes, &valid);
        }
        (self.ohashes, self.ovalid) = (hashes, valid);
        r
    }
    /// False: there is no room.
    fn insert_common(
        &self,
        common: &Common,
        look: &Look<'_>,
        b: &Batch,
        hashes: &[u64],
        valid: &[bool],
    ) -> bool {
        let constant = |k: usize| {
            let a = self.inner_keys.result(k, b);
            let mut c = Column::new(a.col.phys());
            colops::fill(&mut c, a.get(0), b.rows);
            c
        };
        let konst = |k: usize| self.inner_keys.result(k, b).konst;
        let filled: Vec<Option<Column>> =
            common.computed.iter().map(|k| konst(*k).then(|| constant(*k))).collect();
        let computed = common.computed.iter().zip(&filled);
        let computed = computed.map(|(k, f)| f.as_ref().unwrap_or_else(|| self.inner_keys.result(*k, b).col));
        let cols: Vec<&Column> = b.cols.iter().chain(computed).collect();
        // A row with a NULL key has no partner, and no part in any join that is run so.
        let live = (0..valid.len()).filter(|k| valid[*k]);
        let rows: Vec<u16> = live.clone().map(|k| colops::nth_live(b, k) as u16).collect();
        if rows.len() == hashes.len() {
            look.insert(&cols, &rows, hashes)
        } else {
            let hashes: Vec<u64> = live.map(|k| hashes[k]).collect();
            look.insert(&cols, &rows, &hashes)
        }
    }
    /// The last builder: what is in memory goes to its file.
    fn write_out(&mut self, cx: &Exec, common: &Common, look: &Look<'_>, number: usize) -> Result<()> {
        let n = look.rows();
        let mut b = batch_of(&self.pairs.inner_phys);
        let (mut hashes, mut valid) = (Vec::new(), Vec::new());
        for from in (0..n).step_by(BATCH_ROWS) {
            cx.check_interrupts()?;
            look.read(from, (from + BATCH_ROWS).min(n), &mut b);
            self.inner_keys.run(cx, &b, b.live())?;
            hash_keys(&self.inner_keys, &self.fns, true, &b, &mut hashes, &mut valid, &mut Vec::new());
            spill(common, look, number, &b, &hashes, &valid)?;
        }
        Ok(())
    }
    /// Loads the inner rows of a partition from the files of all.
    pub(super) fn take_common(&mut self, cx: &Exec, partition: usize, b: &mut Batch) -> Result<()> {
        let Some(common) = self.shared.take() else { return Ok(()) };
        let r = self.load_common(cx, &common, partition, b);
        self.shared = Some(common);
        r
    }
    fn load_common(&mut self, cx: &Exec, common: &Common, partition: usize, b: &mut Batch) -> Result<()> {
        let look = common.table.look();
        let joint = common.table.joint();
        for process in 0..joint.participants() {
            let mut next = look.block(process, partition).load(Acquire);
            while next > 0 {
                next = joint.with_spill(process, |f| f.read_linked(next - 1, b))?;
                self.take_inner(cx, b)?;
            }
        }
        Ok(())
    }

    /// Rows of the table in memory.
    pub(super) fn inner_rows(&self) -> usize {
        match &self.shared {
            Some(s) if s.memory => s.look().rows(),
            _ => self.table.rows.rows,
        }
    }
    /// The filter of a key's values.
    pub(super) fn filter_of(&self, k: usize) -> Option<RunFilter> {
        match &self.shared {
            Some(s) if s.memory => RunFilter::of(&s.look().int_keys(s.keys[k])),
            _ => RunFilter::of(&self.table.keys[k]),
        }
    }
}

/// Writes a batch's rows to a process's file, by partition.
fn spill(
    common: &Common,
    look: &Look<'_>,
    number: usize,
    b: &Batch,
    hashes: &[u64],
    valid: &[bool],
) -> Result<()> {
    let mut part = colops::like(b);
    let lists = partition_rows(b, hashes, valid, false, common.table.partitions());
    for (p, rows) in lists.iter().enumerate().filter(|(_, r)| !r.is_empty()) {
        part.clear();
        for (d, s) in part.cols.iter_mut().zip(&b.cols) {
            colops::append_gather(d, s, rows);
        }
        part.rows = rows.len();
        let last = look.block(number, p);
        let at = common.table.joint().with_spill(number, |f| f.write_linked(last.load(Acquire), &part))?;
        last.store(at + 1, Release);
    }
    Ok(())
}
