//! The background writer: writes dirty buffers ahead of the clock sweep, so that backends find clean ones.

use super::AuxContext;
use common::Result;
use std::time::Duration;

/// Main loop.
pub fn main(cx: &mut AuxContext<'_>) -> Result<()> {
    loop {
        let max = cx.settings.int("bgwriter_lru_maxpages") as u32;
        let multiplier = cx.settings.real("bgwriter_lru_multiplier") as f32;
        let written = cx.engine.store().bgwriter_pass(max, multiplier)?;
        let delay = cx.settings.int("bgwriter_delay").max(10) as u64;
        // Nothing to do: sleep longer, up to a second.
        let factor = if written == 0 { 5 } else { 1 };
        cx.nap(Duration::from_millis((delay * factor).min(1000)))?;
    }
}
