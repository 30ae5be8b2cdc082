//! Cost-based delay: a vacuum that has spent its limit of page costs sleeps, so that it leaves the disks to others.

use common::Result;
use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};
use transam::Engine;

/// How long to sleep after how much work.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CostDelay {
    pub delay_ms: f64,
    pub cost_limit: u32,
}

/// What [`access::VacuumParams::delay`] calls.
pub type DelayFn = Rc<dyn Fn(&Engine, u32) -> Result<()>>;

impl CostDelay {
    /// `None` when there is no delay. The longest sleep is four times the delay, as in PostgreSQL.
    pub fn function(self) -> Option<DelayFn> {
        if self.delay_ms <= 0.0 {
            return None;
        }
        let limit = self.cost_limit.max(1);
        let balance = Cell::new(0u32);
        Some(Rc::new(move |eng: &Engine, cost: u32| {
            let spent = balance.get().saturating_add(cost);
            if spent < limit {
                balance.set(spent);
                return Ok(());
            }
            balance.set(0);
            let ms = (self.delay_ms * f64::from(spent) / f64::from(limit)).min(self.delay_ms * 4.0);
            sleep(eng, Duration::from_micros((ms * 1000.0) as u64))
        }))
    }
}

fn sleep(eng: &Engine, time: Duration) -> Result<()> {
    let until = Instant::now() + time;
    let ints = eng.interrupts();
    let _shown = ints.waiting(ipc::WaitEvent::VACUUM_DELAY);
    loop {
        eng.check_interrupts()?;
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        ints.latch().wait(Some(left));
        ints.latch().reset();
    }
}
