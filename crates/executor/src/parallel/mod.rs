//! Parallel query at run time. A Gather node forks workers ([`team`]), copies of its own process that run the tree below
//! it ([`worker`]) and send their rows back ([`message`]) through memory mapped before the fork. Nodes that share their
//! work between the processes find what they share in the [`Joint`] of their Gather.

pub mod message;
pub mod table;
pub mod team;
pub mod worker;

use crate::run::Exec;
use crate::store::SpillFile;
use common::{Error, Result};
use ipc::{Region, RegionLayout, Shared, shared_struct};
use std::cell::{Cell, RefCell};
use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::atomic::{AtomicI32, AtomicU32};

/// What the session's settings say.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// `max_parallel_workers`.
    pub workers_max: usize,
    /// `max_worker_processes`.
    pub processes_max: usize,
    /// `parallel_leader_participation`.
    pub leader_works: bool,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { workers_max: 8, processes_max: 8, leader_works: true }
    }
}

/// Where something lies in the region of a Gather.
pub struct Place<T>(usize, PhantomData<T>);
impl<T> Clone for Place<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Place<T> {}

shared_struct! {
    /// A worker, as it tells its leader.
    pub struct WorkerState {
        /// One of [`stage`].
        pub stage: AtomicU32,
        pub pid: AtomicI32,
    }
}

/// How far a worker is.
pub mod stage {
    /// Forked, without a slot.
    pub const STARTING: u32 = 0;
    pub const RUNNING: u32 = 1;
    /// There was no slot for it: it has ended without doing anything.
    pub const REFUSED: u32 = 2;
    /// It has given its slot back.
    pub const ENDED: u32 = 3;
}

/// Bytes of a worker's ring: several batches.
pub const RING: usize = 256 << 10;

/// Something the leader has to do before it forks, for workers to find it done.
pub trait Prepare {
    fn prepare(&self, cx: &Exec) -> Result<()>;
}

/// What the nodes below one Gather have in common. Made with them; the memory is there while they run in parallel.
pub struct Joint {
    layout: Cell<RegionLayout>,
    region: RefCell<Option<Rc<Region>>>,
    prepares: RefCell<Vec<Rc<dyn Prepare>>>,
    /// A node below cannot share its work.
    serial: Cell<bool>,
    /// A file for each process, where shared tables have outgrown their memory; made before the fork, so that all have all
    /// of them. Empty where no node wants them.
    spills: RefCell<Vec<SpillFile>>,
    wants_spills: Cell<bool>,
    /// The workers stop early: nobody wants their rows.
    stop: Place<AtomicU32>,
    /// A worker has met an error.
    failed: Place<AtomicU32>,
    states: Place<WorkerState>,
    rings: usize,
    planned: usize,
}

impl Joint {
    /// For a Gather with so many workers at most.
    pub fn new(workers: u32) -> Rc<Joint> {
        let planned = workers as usize;
        let mut l = RegionLayout::default();
        let stop = Place(l.reserve::<AtomicU32>(1), PhantomData);
        let failed = Place(l.reserve::<AtomicU32>(1), PhantomData);
        let states = Place(l.reserve::<WorkerState>(planned), PhantomData);
        let rings = l.reserve_bytes(planned * ipc::queue::size_of_queue(RING), 64);
        Rc::new(Joint {
            layout: Cell::new(l),
            region: RefCell::default(),
            prepares: RefCell::default(),
            serial: Cell::default(),
            spills: RefCell::default(),
            wants_spills: Cell::default(),
            stop,
            failed,
            states,
            rings,
            planned,
        })
    }
    /// Room for values that the processes share, zero at the beginning of each parallel run. While the tree is built.
    pub fn reserve<T: Shared>(&self, count: usize) -> Place<T> {
        let mut l = self.layout.get();
        let at = l.reserve::<T>(count);
        self.layout.set(l);
        Place(at, PhantomData)
    }
    /// Room for bytes.
    pub fn reserve_bytes(&self, len: usize) -> usize {
        let mut l = self.layout.get();
        let at = l.reserve_bytes(len, 64);
        self.layout.set(l);
        at
    }
    /// Processes that may take part.
    pub fn participants(&self) -> usize {
        self.planned + 1
    }
    /// A node below may need files that all processes read.
    pub fn want_spills(&self) {
        self.wants_spills.set(true);
    }
    /// The file of one process.
    pub fn with_spill<R>(&self, k: usize, f: impl FnOnce(&mut SpillFile) -> Result<R>) -> Result<R> {
        match self.spills.borrow_mut().get_mut(k) {
            Some(s) => f(s),
            None => Err(Error::internal("executor: no file of a parallel process")),
        }
    }
    /// Lets go of this process's side of the files.
    pub(crate) fn close_spills(&self) {
        self.spills.borrow_mut().clear();
    }
    /// Has the leader do something before each fork. Inner nodes come first.
    pub fn before_fork(&self, p: Rc<dyn Prepare>) {
        self.prepares.borrow_mut().push(p);
    }
    /// A node below would do in each process what is to be done once: the leader works alone.
    pub fn forbid_workers(&self) {
        self.serial.set(true);
    }
    /// The shared memory, if this is run in parallel.
    pub fn region(&self) -> Option<Rc<Region>> {
        self.region.borrow().clone()
    }
    /// Values in it.
    pub fn with<T: Shared, R>(&self, p: Place<T>, count: usize, f: impl FnOnce(&[T]) -> R) -> Option<R> {
        self.region.borrow().as_ref().map(|r| f(r.slice(p.0, count)))
    }
    pub(crate) fn begin(&self) -> Result<Rc<Region>> {
        let r = Rc::new(Region::new(&self.layout.get())?);
        *self.region.borrow_mut() = Some(r.clone());
        Ok(r)
    }
    pub(crate) fn end(&self) {
        *self.region.borrow_mut() = None;
        self.close_spills();
    }
    pub(crate) fn prepare(&self, cx: &Exec) -> Result<()> {
        let all = self.prepares.borrow().clone();
        all.iter().try_for_each(|p| p.prepare(cx))?;
        if self.wants_spills.get() {
            let files = (0..self.participants()).map(|_| SpillFile::create(&cx.env));
            *self.spills.borrow_mut() = files.collect::<Result<_>>()?;
        }
        Ok(())
    }
    pub(crate) fn planned(&self) -> usize {
        if self.serial.get() { 0 } else { self.planned }
    }
    pub(crate) fn ring(&self, worker: usize) -> usize {
        self.rings + worker * ipc::queue::size_of_queue(RING)
    }
    pub(crate) fn state<'r>(&self, r: &'r Region, worker: usize) -> &'r WorkerState {
        &r.slice(self.states.0, worker + 1)[worker]
    }
    pub(crate) fn failed_flag<'r>(&self, r: &'r Region) -> &'r AtomicU32 {
        r.get(self.failed.0)
    }
    pub(crate) fn stop_flag<'r>(&self, r: &'r Region) -> &'r AtomicU32 {
        r.get(self.stop.0)
    }
}

impl<T> Place<T> {
    /// Its number, for modules that find the value themselves.
    pub fn offset(self) -> usize {
        self.0
    }
}

impl<T: Shared> Place<T> {
    /// The value.
    pub fn of(self, r: &Region) -> &T {
        r.get(self.0)
    }
}
