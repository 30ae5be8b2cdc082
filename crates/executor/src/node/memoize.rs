//! Memoize: results of a parameterised child by the values it depends on. Beyond its memory the least recently used
//! results make room.

use super::*;
use crate::expr::{NoScope, Program, colops, compile};
use planner::instrument::MemoizeInstr;
use types::DatumRef;

/// A result: the rows of one key.
struct Entry {
    rows: Batch,
    /// When it was last asked for.
    used: u64,
}

struct Memoize {
    child: BoxNode,
    keys: Program,
    /// Parameters below that are not cache keys: a change empties the cache.
    others: Vec<u32>,
    /// The parent takes one row of each result at most.
    single: bool,
    stamp: u64,
    cache: hashbrown::HashMap<Box<[u8]>, Entry, foldhash::fast::RandomState>,
    bytes: usize,
    clock: u64,
    key: Vec<u8>,
    state: State,
    /// Rows of the present key while the child is read.
    filling: Batch,
    out: Batch,
    stats: MemoizeInstr,
    peak: usize,
    node_id: u32,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    /// The cached result is to be given out.
    Hit,
    /// The child is read, and its rows kept.
    Fill,
    /// The child is read; its result is too large to be kept.
    Pass,
    Done,
}

/// A result of more rows is not kept: it is given out as one batch.
const ROWS_MAX: usize = 16_384;

/// What an entry takes besides rows and key.
const ENTRY_BYTES: usize = 96;

/// Memoize. Keys are compared by their stored form: equal values of different form are cached twice, which is harmless.
pub fn build(b: &BuildCx<'_>, plan: &Plan, child: &Plan, keys: &[Expr], single: bool) -> Result<BoxNode> {
    let mut own = Vec::new();
    for e in keys {
        analyze::walk::walk(e, 0, &mut |e, _| {
            if let Expr::Param(p) = e {
                own.push(p.id);
            }
            true
        });
    }
    Ok(Box::new(Memoize {
        child: super::build(b, child)?,
        keys: compile(b.env, keys, &NoScope)?,
        others: plan.ext_params.iter().copied().filter(|p| !own.contains(p)).collect(),
        single,
        stamp: 0,
        cache: hashbrown::HashMap::default(),
        bytes: 0,
        clock: 0,
        key: Vec::new(),
        state: State::Done,
        filling: output_batch(b.env, child)?,
        out: output_batch(b.env, child)?,
        stats: MemoizeInstr::default(),
        peak: 0,
        node_id: plan.node_id,
    }))
}

fn put(key: &mut Vec<u8>, d: DatumRef<'_>) {
    let mut fixed = |tag: u8, b: &[u8]| {
        key.push(tag);
        key.extend_from_slice(b);
    };
    match d {
        DatumRef::Null => fixed(0, &[]),
        DatumRef::Bytes(b) => {
            fixed(1, &(b.len() as u32).to_le_bytes());
            key.extend_from_slice(b);
        }
        DatumRef::I64(v) => fixed(2, &v.to_le_bytes()),
        DatumRef::I32(v) => fixed(3, &v.to_le_bytes()),
        DatumRef::I16(v) => fixed(4, &v.to_le_bytes()),
        DatumRef::U32(v) => fixed(5, &v.to_le_bytes()),
        DatumRef::F64(v) => fixed(6, &v.to_bits().to_le_bytes()),
        DatumRef::F32(v) => fixed(7, &v.to_bits().to_le_bytes()),
        DatumRef::I8(v) => fixed(8, &v.to_le_bytes()),
        DatumRef::Bool(v) => fixed(9, &[u8::from(v)]),
        DatumRef::Fixed16(v) => fixed(10, &v),
    }
}

impl Memoize {
    fn clear(&mut self) {
        self.cache.clear();
        self.bytes = 0;
    }

    fn size(key: usize, rows: &Batch) -> usize {
        colops::memory(rows) + key + ENTRY_BYTES
    }

    /// Keeps the complete result of the present key; older ones give way.
    fn keep(&mut self, cx: &Exec) {
        let empty = colops::like(&self.filling);
        let mut rows = std::mem::replace(&mut self.filling, empty);
        for c in &mut rows.cols {
            c.shrink();
        }
        self.clock += 1;
        self.bytes += Self::size(self.key.len(), &rows);
        self.cache.insert(self.key.as_slice().into(), Entry { rows, used: self.clock });
        self.peak = self.peak.max(self.bytes);
        if self.bytes > cx.env.hash_mem() {
            self.evict(cx.env.hash_mem());
        }
    }

    /// Drops the older half, so that the search for what is old is rare.
    fn evict(&mut self, limit: usize) {
        let mut used: Vec<u64> = self.cache.values().map(|e| e.used).collect();
        used.sort_unstable();
        let from = used[used.len() / 2];
        let before = self.cache.len();
        let mut bytes = 0;
        self.cache.retain(|k, e| {
            let stays = e.used > from;
            if stays {
                bytes += Self::size(k.len(), &e.rows);
            }
            stays
        });
        self.bytes = bytes;
        self.stats.evictions += (before - self.cache.len()) as u64;
        if self.bytes > limit && !self.cache.is_empty() {
            self.evict(limit);
        }
    }
}

impl ExecNode for Memoize {
    fn next(&mut self, cx: &Exec, want: usize) -> Result<bool> {
        match self.state {
            State::Done => Ok(false),
            State::Hit => {
                self.state = State::Done;
                let Some(e) = self.cache.get(self.key.as_slice()) else { return Ok(false) };
                if e.rows.rows == 0 {
                    return Ok(false);
                }
                colops::copy_batch(&mut self.out, &e.rows);
                Ok(true)
            }
            State::Fill | State::Pass => {
                if !self.child.next(cx, want)? {
                    // Complete: only now may it be used again.
                    if self.state == State::Fill {
                        self.keep(cx);
                    }
                    self.state = State::Done;
                    return Ok(false);
                }
                colops::copy_batch(&mut self.out, self.child.batch());
                if self.state == State::Fill {
                    colops::append_batch(&mut self.filling, &self.out);
                    let large =
                        self.filling.rows > ROWS_MAX || colops::memory(&self.filling) > cx.env.hash_mem();
                    if large {
                        self.stats.overflows += 1;
                        self.filling.clear();
                        self.state = State::Pass;
                    } else if self.single {
                        self.keep(cx);
                        self.state = State::Done;
                    }
                }
                Ok(true)
            }
        }
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
            self.clear();
        }
        self.key.clear();
        self.keys.run_once(cx)?;
        for k in 0..self.keys.outs.len() {
            put(&mut self.key, self.keys.result(k, &cx.no_input).get(0));
        }
        self.filling.clear();
        if let Some(e) = self.cache.get_mut(self.key.as_slice()) {
            self.clock += 1;
            e.used = self.clock;
            self.stats.hits += 1;
            self.state = State::Hit;
            return Ok(());
        }
        self.stats.misses += 1;
        self.state = State::Fill;
        self.child.rescan(cx)
    }
    fn end(&mut self, cx: &Exec) {
        let mut s = std::mem::take(&mut self.stats);
        s.memory_kb = (self.peak as u64).div_ceil(1024).max(1);
        cx.instr(self.node_id, |i| i.memoize = Some(s));
        self.clear();
        self.peak = 0;
        self.stamp = 0;
        self.state = State::Done;
        self.child.end(cx);
    }
}
