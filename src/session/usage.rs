//! `log_parser_stats` and its kin: what the kernel counted for a step of a statement, in getrusage's terms.

use super::Session;
use common::{Report, Severity, SqlState};
use nix::sys::resource::{Usage, UsageWho, getrusage};
use nix::sys::time::TimeVal;
use std::time::Instant;

/// The counters at the begin of a step.
pub struct Begun {
    usage: Usage,
    at: Instant,
}

fn seconds(t: TimeVal) -> f64 {
    t.tv_sec() as f64 + t.tv_usec() as f64 / 1e6
}

impl Session {
    /// Notes the counters if the setting is on.
    pub(super) fn usage_begin(&self, setting: &str) -> Option<Begun> {
        if !self.often().usage || !self.settings.borrow().bool(setting) {
            return None;
        }
        let usage = getrusage(UsageWho::RUSAGE_SELF).ok()?;
        Some(Begun { usage, at: Instant::now() })
    }
    /// Logs what was used since.
    pub(super) fn usage_end(&self, title: &str, begun: Option<Begun>) {
        let Some(b) = begun else { return };
        let Ok(now) = getrusage(UsageWho::RUSAGE_SELF) else { return };
        let mut r = Report::new(Severity::Log, SqlState::SUCCESSFUL_COMPLETION, title);
        r.detail = Some(text(&b.usage, &now, b.at.elapsed().as_secs_f64()));
        self.queue_notice(r);
    }
}

fn text(then: &Usage, now: &Usage, elapsed: f64) -> String {
    let d = |f: fn(&Usage) -> i64| f(now) - f(then);
    let user = seconds(now.user_time()) - seconds(then.user_time());
    let system = seconds(now.system_time()) - seconds(then.system_time());
    format!(
        "! system usage stats:\n\
         !\t{user:.6} s user, {system:.6} s system, {elapsed:.6} s elapsed\n\
         !\t[{:.6} s user, {:.6} s system total]\n\
         !\t{} kB max resident size\n\
         !\t{}/{} [{}/{}] filesystem blocks in/out\n\
         !\t{}/{} [{}/{}] page faults/reclaims, {} [{}] swaps\n\
         !\t{} [{}] signals rcvd, {}/{} [{}/{}] messages rcvd/sent\n\
         !\t{}/{} [{}/{}] voluntary/involuntary context switches",
        seconds(now.user_time()),
        seconds(now.system_time()),
        now.max_rss(),
        d(Usage::block_reads),
        d(Usage::block_writes),
        now.block_reads(),
        now.block_writes(),
        d(Usage::major_page_faults),
        d(Usage::minor_page_faults),
        now.major_page_faults(),
        now.minor_page_faults(),
        d(Usage::full_swaps),
        now.full_swaps(),
        d(Usage::signals),
        now.signals(),
        d(Usage::ipc_receives),
        d(Usage::ipc_sends),
        now.ipc_receives(),
        now.ipc_sends(),
        d(Usage::voluntary_context_switches),
        d(Usage::involuntary_context_switches),
        now.voluntary_context_switches(),
        now.involuntary_context_switches(),
    )
}
