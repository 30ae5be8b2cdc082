//! Object ids: one counter for the cluster, logged ahead in steps so that a crash never hands an id out twice.

use crate::Engine;
use common::{Oid, Result, Xid};
use std::sync::atomic::Ordering::Relaxed;
use storage::RmgrId;

/// Ids logged ahead.
const PREFETCH: u32 = 8192;
/// `info` of the record that logs them.
pub const NEXT_OID: u8 = 0x30;

impl Engine {
    /// The next object id. Unique only together with a look into the catalog once the counter has wrapped.
    pub fn new_oid(&self) -> Result<Oid> {
        let c = self.shared.c;
        let _g = c.oid_gen.exclusive(self.proc());
        let mut next = c.next_oid.load(Relaxed);
        if next < Oid::FIRST_NORMAL.0 && !self.is_bootstrap.get() {
            next = Oid::FIRST_NORMAL.0;
            c.oids_left.store(0, Relaxed);
        }
        if c.oids_left.load(Relaxed) == 0 {
            let upto = next.wrapping_add(PREFETCH);
            self.store.log(RmgrId::XLOG, NEXT_OID, Xid::INVALID, &upto.to_le_bytes());
            c.oids_left.store(PREFETCH, Relaxed);
        }
        c.oids_left.fetch_sub(1, Relaxed);
        c.next_oid.store(next.wrapping_add(1), Relaxed);
        Ok(Oid(next))
    }
    /// The id that will be handed out next.
    pub fn next_oid(&self) -> Oid {
        Oid(self.shared.c.next_oid.load(Relaxed))
    }
    /// Sets the counter (initdb).
    pub fn set_next_oid(&self, o: Oid) {
        let _g = self.shared.c.oid_gen.exclusive(self.proc());
        self.shared.c.next_oid.store(o.0, Relaxed);
        self.shared.c.oids_left.store(0, Relaxed);
    }
}
