//! What this process has allocated, as the allocator counts it.

use std::cell::Cell;

/// Bytes taken from the system, and how many of them are in use.
#[derive(Clone, Copy, Debug, Default)]
pub struct MemoryUse {
    pub total: usize,
    pub blocks: usize,
    pub free: usize,
    pub free_chunks: usize,
}

/// The present numbers.
pub fn in_use() -> MemoryUse {
    let h = crate::heap::sizes();
    MemoryUse { total: h.total, blocks: 1, free: h.total - h.used, free_chunks: 1 }
}

/// What somebody's allocations come to: the difference that pieces of work make to the allocator's count. A piece within a
/// piece counts for its own owner only.
#[derive(Debug, Default)]
pub struct Owner {
    bytes: Cell<i64>,
    pieces: Cell<i64>,
}

/// Bytes counted so far within the piece of work under way: shared by owners whose pieces nest.
#[derive(Debug, Default)]
pub struct Nesting(Cell<i64>);

fn allocated() -> i64 {
    crate::heap::used() as i64
}

impl Owner {
    /// Runs a piece of work that leaves something allocated, or frees some of it.
    pub fn measure<R>(&self, within: &Nesting, f: impl FnOnce() -> R) -> R {
        let outer = within.0.replace(0);
        let before = allocated();
        let r = f();
        let grown = allocated() - before;
        self.bytes.set(self.bytes.get() + grown - within.0.get());
        self.pieces.set(self.pieces.get() + 1);
        within.0.set(outer + grown);
        r
    }
    /// Bytes, and pieces of work that made them.
    pub fn read(&self) -> (usize, usize) {
        (self.bytes.get().max(0) as usize, self.pieces.get() as usize)
    }
}

/// A row of `pg_backend_memory_contexts`.
#[derive(Clone, Debug, Default)]
pub struct MemoryContext {
    pub name: &'static str,
    pub parent: Option<&'static str>,
    pub level: i32,
    pub total: usize,
    pub blocks: usize,
    pub free: usize,
    pub free_chunks: usize,
}

impl MemoryContext {
    /// One below the top that uses all it has.
    pub fn below_top(name: &'static str, bytes: usize, blocks: usize) -> MemoryContext {
        let parent = Some("TopMemoryContext");
        MemoryContext { name, parent, level: 1, total: bytes, blocks, ..MemoryContext::default() }
    }
    /// The same, one level deeper.
    pub fn below(mut self, parent: &'static str) -> MemoryContext {
        (self.parent, self.level) = (Some(parent), 2);
        self
    }
    /// The line of the server log.
    pub fn line(&self) -> String {
        format!(
            "level: {}; {}: {} total in {} blocks; {} free ({} chunks); {} used",
            self.level,
            self.name,
            self.total,
            self.blocks,
            self.free,
            self.free_chunks,
            self.total - self.free
        )
    }
}

/// The tree of this process: what the owners say, below a top that holds the rest of what the allocator has.
pub fn tree(owned: Vec<MemoryContext>) -> Vec<MemoryContext> {
    let m = in_use();
    let below: usize = owned.iter().map(|c| c.total).sum();
    let mut out = vec![MemoryContext {
        name: "TopMemoryContext",
        total: m.total.saturating_sub(below).max(m.free),
        blocks: m.blocks,
        free: m.free,
        free_chunks: m.free_chunks,
        ..MemoryContext::default()
    }];
    out.extend(owned);
    out
}

/// What `pg_log_backend_memory_contexts` writes: a line for each, and their sum.
pub fn lines(tree: &[MemoryContext]) -> Vec<String> {
    let sum = |f: fn(&MemoryContext) -> usize| tree.iter().map(f).sum::<usize>();
    let (total, free) = (sum(|c| c.total), sum(|c| c.free));
    let mut out: Vec<String> = tree.iter().map(MemoryContext::line).collect();
    out.push(format!(
        "Grand total: {total} bytes in {} blocks; {free} free ({} chunks); {} used",
        sum(|c| c.blocks),
        sum(|c| c.free_chunks),
        total - free
    ));
    out
}
