//! The background writer: writes dirty buffers ahead of the clock sweep, so that backends find clean ones. At first it also
//! moves shared memory to huge pages, a few megabytes a round.

use super::AuxContext;
use common::Result;
use std::time::Duration;

/// Bytes the kernel is asked to move to huge pages at a time. It copies them under a lock of the mapping.
const CHUNK: usize = 2 << 20;
const CHUNKS_PER_ROUND: usize = 8;

/// Walks once over the segment and has it backed by huge pages, as far as the kernel will: with 4 kB pages each of 500
/// backends needs its own page tables for all of it.
struct HugePages {
    next: usize,
    wanted: bool,
    made: usize,
}

impl HugePages {
    /// Some more of the segment; nothing once all of it has been seen.
    fn round(&mut self, cx: &AuxContext<'_>) {
        let segment = &cx.shared.segment;
        for _ in 0..CHUNKS_PER_ROUND {
            if !self.wanted || self.next + CHUNK > segment.size() {
                return;
            }
            self.made += usize::from(segment.collapse(self.next, CHUNK));
            self.next += CHUNK;
            // A kernel that refuses the first chunks refuses the rest.
            self.wanted = self.made > 0 || self.next < 4 * CHUNK;
        }
        if self.next + CHUNK > segment.size() {
            let text =
                format!("{} of {} chunks of shared memory are huge pages", self.made, self.next / CHUNK);
            crate::log::line("DEBUG1", &text);
        }
    }
}

/// Main loop.
pub fn main(cx: &mut AuxContext<'_>) -> Result<()> {
    let wanted = cx.settings.text("huge_pages") != "off";
    let mut huge_pages = HugePages { next: 0, wanted, made: 0 };
    loop {
        huge_pages.round(cx);
        let max = cx.settings.int("bgwriter_lru_maxpages") as u32;
        let multiplier = cx.settings.real("bgwriter_lru_multiplier") as f32;
        let written = cx.engine.store().bgwriter_pass(max, multiplier)?;
        if written > 0 {
            cx.engine.count_writer(&transam::WriterStats {
                buffers_clean: i64::from(written),
                maxwritten_clean: i64::from(written >= max),
                ..transam::WriterStats::default()
            });
        }
        let delay = cx.settings.int("bgwriter_delay").max(10) as u64;
        // Nothing to do: sleep longer, up to a second.
        let (factor, event) = if written == 0 {
            (5, ipc::WaitEvent::BGWRITER_HIBERNATE)
        } else {
            (1, ipc::WaitEvent::BGWRITER_MAIN)
        };
        cx.nap_as(Duration::from_millis((delay * factor).min(1000)), event)?;
    }
}
