//! SetOp: INTERSECT and EXCEPT [ALL] over the concatenated inputs, told apart by a flag column. Rows are counted per
//! group of equal ones in a hash table; for sorted input the table keeps the input's order, so both forms are one.

use super::*;
use crate::expr::colops;
use crate::node::group_table::GroupTable;
use analyze::query::SetOp as Op;
use planner::plan::GroupKey;
use types::DatumRef;
use types::column::BATCH_ROWS;

struct SetOpNode {
    child: BoxNode,
    op: Op,
    all: bool,
    table: GroupTable,
    flag_col: usize,
    first_flag: i64,
    /// Rows of either input by group.
    counts: Vec<(u64, u64)>,
    /// First row of each group.
    rows: Batch,
    at: usize,
    /// Copies of group `at` still to give.
    left: u64,
    started: bool,
    out: Batch,
}

/// SetOp.
pub fn build(
    b: &BuildCx<'_>,
    _plan: &Plan,
    child: &Plan,
    op: Op,
    all: bool,
    keys: &[GroupKey],
    flag_col: u16,
    first_flag: i32,
) -> Result<BoxNode> {
    let phys = output_phys(b.env, child)?;
    Ok(Box::new(SetOpNode {
        table: GroupTable::new(b.env, keys, &phys)?,
        child: super::build(b, child)?,
        op,
        all,
        flag_col: flag_col as usize,
        first_flag: i64::from(first_flag),
        counts: Vec::new(),
        rows: crate::store::batch_of(&phys),
        at: 0,
        left: 0,
        started: false,
        out: crate::store::batch_of(&phys),
    }))
}

impl SetOpNode {
    fn fill(&mut self, cx: &Exec) -> Result<()> {
        self.table.clear();
        self.rows.clear();
        self.counts.clear();
        self.at = 0;
        self.left = 0;
        let (mut groups, mut fresh) = (Vec::new(), Vec::new());
        self.child.rescan(cx)?;
        while self.child.next(cx, usize::MAX)? {
            cx.check_interrupts()?;
            let b = self.child.batch();
            self.table.find(cx, b, false, &mut groups, &mut fresh)?;
            for (d, s) in self.rows.cols.iter_mut().zip(&b.cols) {
                colops::append_gather(d, s, &fresh);
            }
            self.rows.rows += fresh.len();
            self.counts.resize(self.table.groups(), (0, 0));
            for (k, g) in groups.iter().enumerate() {
                let i = colops::nth_live(b, k);
                let flag = match b.cols[self.flag_col].get(i) {
                    DatumRef::I32(v) => i64::from(v),
                    DatumRef::I64(v) => v,
                    DatumRef::Bool(v) => i64::from(v),
                    _ => -1,
                };
                let c = &mut self.counts[*g as usize];
                if flag == self.first_flag { c.0 += 1 } else { c.1 += 1 }
            }
        }
        self.left = self.copies(0);
        Ok(())
    }
    fn copies(&self, g: usize) -> u64 {
        let Some(&(l, r)) = self.counts.get(g) else { return 0 };
        match (self.op, self.all) {
            (Op::Intersect, false) => u64::from(l > 0 && r > 0),
            (Op::Intersect, true) => l.min(r),
            (Op::Except, false) => u64::from(l > 0 && r == 0),
            (Op::Except, true) => l.saturating_sub(r),
            (Op::Union, false) => 1,
            (Op::Union, true) => l + r,
        }
    }
}

impl ExecNode for SetOpNode {
    fn next(&mut self, cx: &Exec, want: usize) -> Result<bool> {
        if !self.started {
            self.started = true;
            self.fill(cx)?;
        }
        self.out.clear();
        let want = want.clamp(1, BATCH_ROWS);
        while self.at < self.rows.rows && self.out.rows < want {
            if self.left == 0 {
                self.at += 1;
                self.left = self.copies(self.at);
                continue;
            }
            colops::append_row(&mut self.out, &self.rows, self.at);
            self.left -= 1;
        }
        Ok(self.out.rows > 0)
    }
    fn batch(&self) -> &Batch {
        &self.out
    }
    fn batch_mut(&mut self) -> &mut Batch {
        &mut self.out
    }
    fn rescan(&mut self, _cx: &Exec) -> Result<()> {
        self.started = false;
        Ok(())
    }
    fn end(&mut self, cx: &Exec) {
        self.started = false;
        self.table.clear();
        self.rows.clear();
        self.child.end(cx);
    }
}
