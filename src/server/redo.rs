//! The table of redo handlers: the one place that knows all of them.

use transam::{RedoCtx, RedoTable};

/// Handlers of all resource managers.
pub fn table() -> RedoTable {
    let mut t = RedoTable::new();
    access::register_redo(&mut t);
    t.register(storage::RmgrId::SEQUENCE, "Sequence", |cx: &RedoCtx<'_>, r| commands::sequence::redo(cx, r));
    t
}
