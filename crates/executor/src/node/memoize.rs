//! Memoize: results of a parameterised child by parameter values. The cache is emptied when it outgrows its memory.

use super::*;
use crate::expr::colops;
use planner::instrument::MemoizeInstr;
use planner::plan::GroupKey;
use types::Datum;

struct Memoize {
    child: BoxNode,
    params: Vec<u32>,
    /// Parameters below that are not cache keys: a change empties the cache.
    others: Vec<u32>,
    stamp: u64,
    cache: hashbrown::HashMap<Vec<u8>, Vec<Batch>, foldhash::fast::RandomState>,
    bytes: usize,
    key: Vec<u8>,
    /// Giving out the cached result of `key`, from this batch on.
    hit: Option<usize>,
    /// Rows of the present key while the child is read.
    filling: Vec<Batch>,
    done: bool,
    out: Batch,
    stats: MemoizeInstr,
    node_id: u32,
}

/// Memoize. Keys are compared by their stored form: equal values of different form are cached twice, which is harmless.
pub fn build(
    b: &BuildCx<'_>,
    plan: &Plan,
    child: &Plan,
    _keys: &[GroupKey],
    params: &[u32],
) -> Result<BoxNode> {
    Ok(Box::new(Memoize {
        child: super::build(b, child)?,
        params: params.to_vec(),
        others: plan.ext_params.iter().copied().filter(|p| !params.contains(p)).collect(),
        stamp: 0,
        cache: hashbrown::HashMap::default(),
        bytes: 0,
        key: Vec::new(),
        hit: None,
        filling: Vec::new(),
        done: false,
        out: output_batch(b.env, child)?,
        stats: MemoizeInstr::default(),
        node_id: plan.node_id,
    }))
}

fn put(key: &mut Vec<u8>, d: &Datum) {
    match d {
        Datum::Null => key.push(0),
        Datum::Bytes(b) => {
            key.push(1);
            key.extend_from_slice(&(b.len() as u32).to_le_bytes());
            key.extend_from_slice(b);
        }
        Datum::I64(v) => {
            key.push(2);
            key.extend_from_slice(&v.to_le_bytes());
        }
        Datum::I32(v) => {
            key.push(3);
            key.extend_from_slice(&v.to_le_bytes());
        }
        other => {
            key.push(4);
            key.extend_from_slice(format!("{other:?};").as_bytes());
        }
    }
}

impl ExecNode for Memoize {
    fn next(&mut self, cx: &Exec, want: usize) -> Result<bool> {
        if let Some(n) = self.hit {
            let Some(b) = self.cache.get(&self.key).and_then(|v| v.get(n)) else { return Ok(false) };
            colops::copy_batch(&mut self.out, b);
            self.hit = Some(n + 1);
            return Ok(true);
        }
        if self.done {
            return Ok(false);
        }
        if self.child.next(cx, want)? {
            let mut b = colops::like(self.child.batch());
            colops::append_batch(&mut b, self.child.batch());
            colops::copy_batch(&mut self.out, &b);
            self.filling.push(b);
            return Ok(true);
        }
        // The result is complete: only now may it be used again.
        self.done = true;
        let rows = std::mem::take(&mut self.filling);
        self.bytes += rows.iter().map(colops::memory).sum::<usize>() + self.key.len() + 64;
        if self.bytes > cx.env.hash_mem() {
            self.stats.evictions += self.cache.len() as u64;
            self.cache.clear();
            self.bytes = 0;
        } else {
            self.cache.insert(self.key.clone(), rows);
        }
        Ok(false)
    }
    fn batch(&self) -> &Batch {
        &self.out
    }
    fn batch_mut(&mut self) -> &mut Batch {
        &mut self.out
    }
    fn rescan(&mut self, cx: &Exec) -> Result<()> {
        let stamp = cx.stamp(&self.others);
        if stamp != self.stamp {
            self.stamp = stamp;
            self.cache.clear();
            self.bytes = 0;
        }
        self.key.clear();
        for p in &self.params {
            cx.with_param(*p, |d| put(&mut self.key, &d.to_owned()))?;
        }
        self.filling.clear();
        self.done = false;
        if self.cache.contains_key(&self.key) {
            self.stats.hits += 1;
            self.hit = Some(0);
            return Ok(());
        }
        self.stats.misses += 1;
        self.hit = None;
        self.child.rescan(cx)
    }
    fn end(&mut self, cx: &Exec) {
        let mut s = std::mem::take(&mut self.stats);
        s.memory_kb = (self.bytes as u64).div_ceil(1024).max(1);
        cx.instr(self.node_id, |i| i.memoize = Some(s));
        self.cache.clear();
        self.bytes = 0;
        self.stamp = 0;
        self.child.end(cx);
    }
}
