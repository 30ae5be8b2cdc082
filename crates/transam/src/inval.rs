//! Invalidation messages: what a committed change made stale in other processes' caches. Transactions collect them,
//! commit sends them through a ring in shared memory, and every process accepts them when it takes a lock or begins a
//! transaction. What a message means is the catalog's business.

/// One message. `kind` below 0x8000 is the catalog's to define.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct InvalMsg {
    pub kind: u32,
    /// Database concerned, 0 for shared objects.
    pub db: u32,
    pub a: u32,
    pub b: u32,
}

/// The caches' side, registered with `Engine::set_inval_handler`.
pub trait InvalHandler {
    /// Something became stale.
    fn invalidate(&self, engine: &crate::Engine, msg: &InvalMsg);
    /// Messages were lost: everything may be stale.
    fn reset(&self, engine: &crate::Engine);
}
