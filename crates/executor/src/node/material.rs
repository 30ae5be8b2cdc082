//! Material: keeps the child's rows for rescans that need no recomputation.

use super::*;
use crate::store::RowStore;

struct Material {
    child: BoxNode,
    params: Vec<u32>,
    stamp: u64,
    rows: RowStore,
    /// Next chunk to give.
    at: usize,
    /// The child has no more rows.
    full: bool,
    opened: bool,
    out: Batch,
}

/// Material.
pub fn build(b: &BuildCx<'_>, plan: &Plan, child: &Plan) -> Result<BoxNode> {
    Ok(Box::new(Material {
        child: super::build(b, child)?,
        params: plan.ext_params.clone(),
        stamp: 0,
        rows: RowStore::default(),
        at: 0,
        full: false,
        opened: false,
        out: output_batch(b.env, child)?,
    }))
}

impl ExecNode for Material {
    fn next(&mut self, cx: &Exec, want: usize) -> Result<bool> {
        if !self.opened {
            self.opened = true;
            self.child.rescan(cx)?;
        }
        while self.at >= self.rows.chunks() {
            if self.full {
                return Ok(false);
            }
            if !self.child.next(cx, want)? {
                self.full = true;
                self.rows.flush(&cx.env)?;
                continue;
            }
            self.rows.append(&cx.env, self.child.batch())?;
            if want < types::column::BATCH_ROWS {
                self.rows.flush(&cx.env)?;
            }
        }
        self.rows.chunk(self.at, &mut self.out)?;
        self.at += 1;
        Ok(true)
    }
    fn batch(&self) -> &Batch {
        &self.out
    }
    fn batch_mut(&mut self) -> &mut Batch {
        &mut self.out
    }
    fn rescan(&mut self, cx: &Exec) -> Result<()> {
        self.at = 0;
        let stamp = cx.stamp(&self.params);
        if stamp != self.stamp {
            self.stamp = stamp;
            self.rows.clear();
            self.full = false;
            self.opened = false;
        }
        Ok(())
    }
    fn end(&mut self, cx: &Exec) {
        self.rows.clear();
        self.stamp = 0;
        self.child.end(cx);
    }
}
