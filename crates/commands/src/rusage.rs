//! How long something took, as VERBOSE's lines show it.

use std::time::Instant;

/// Runs from its start.
pub struct Timer {
    started: Instant,
    cpu: (f64, f64),
}

impl Timer {
    /// Now.
    pub fn start() -> Timer {
        Timer { started: Instant::now(), cpu: ipc::clock::cpu_seconds() }
    }
    /// Seconds since the start.
    pub fn elapsed(&self) -> f64 {
        self.started.elapsed().as_secs_f64()
    }
    /// `CPU: user: 0.00 s, system: 0.00 s, elapsed: 0.00 s`
    pub fn show(&self) -> String {
        let (user, system) = ipc::clock::cpu_seconds();
        format!(
            "CPU: user: {:.2} s, system: {:.2} s, elapsed: {:.2} s",
            user - self.cpu.0,
            system - self.cpu.1,
            self.elapsed()
        )
    }
}
