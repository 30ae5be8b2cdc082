//! Combined command ids: a row version inserted and deleted by one transaction has room for one number only, so the
//! pair (cmin, cmax) gets a number of its own, known to this process until the transaction ends.

use crate::Engine;
use common::CommandId;
use hashbrown::HashMap;

/// The pairs of this transaction.
#[derive(Default)]
pub(crate) struct ComboCids {
    pairs: Vec<(CommandId, CommandId)>,
    index: HashMap<(u32, u32), u32, foldhash::fast::FixedState>,
}

impl ComboCids {
    pub(crate) fn clear(&mut self) {
        if !self.pairs.is_empty() {
            self.pairs.clear();
            self.index.clear();
        }
    }
}

impl Engine {
    /// The combined number for a version inserted (`cmin`) and deleted (`cmax`) in this transaction.
    pub fn combo_cid(&self, cmin: CommandId, cmax: CommandId) -> CommandId {
        let mut c = self.combo.borrow_mut();
        if let Some(i) = c.index.get(&(cmin.0, cmax.0)) {
            return CommandId(*i);
        }
        let i = c.pairs.len() as u32;
        c.pairs.push((cmin, cmax));
        c.index.insert((cmin.0, cmax.0), i);
        CommandId(i)
    }
    /// Inserting command of a combined number.
    pub fn combo_cmin(&self, combo: CommandId) -> CommandId {
        self.combo.borrow().pairs.get(combo.0 as usize).map_or(combo, |p| p.0)
    }
    /// Deleting command of a combined number.
    pub fn combo_cmax(&self, combo: CommandId) -> CommandId {
        self.combo.borrow().pairs.get(combo.0 as usize).map_or(combo, |p| p.1)
    }
}
