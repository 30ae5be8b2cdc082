//! What the processes of one server share: the memory segment, the locks in it, process slots, and the signals by
//! which they wake and stop each other. Linux only. Everything above is written against these types and never
//! sees a raw address.

pub mod activity;
pub mod bgworker;
pub mod clock;
pub mod condvar;
pub mod fork;
pub mod futex;
pub mod hash;
pub mod heap;
pub mod interrupts;
pub mod latch;
pub mod lwlock;
pub mod memory;
mod pieces;
pub mod procs;
pub mod progress;
pub mod queue;
pub mod region;
pub mod resolve;
pub mod segment;
pub mod shared;
pub mod shmhash;
pub mod signals;
pub mod title;
pub mod tranche;

pub use activity::Activity;
pub use bgworker::{StartTime, WorkerHandle, WorkerSpec, WorkerStatus, WorkerTable};
pub use condvar::CondVar;
pub use fork::{Fork, fork, fork_sibling};
pub use interrupts::{Interrupts, TimerId};
pub use latch::{Latch, Ready, Wake};
pub use lwlock::{ExclusiveGuard, LwLock, Mode, PaddedLwLock, SharedGuard};
pub use procs::{BackendKind, InFlight, Proc, ProcConfig, ProcTable};
pub use region::{Region, RegionLayout};
pub use segment::{Handle, Layout, Segment};
pub use shared::{Guarded, Plain, Shared};
pub use shmhash::ShmHash;
pub use tranche::{Tranche, WaitEvent};
