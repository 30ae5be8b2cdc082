//! Transactions: the words, the state machine of blocks and savepoints, what happens at commit and abort.

pub mod block;
pub mod end;
pub mod record;
pub mod savepoint;
pub mod settings;
pub mod state;
mod words;

pub use record::CommitRecord;
pub use words::*;
