//! The startup process: recovery, then it ends.

use super::AuxContext;
use common::Result;

/// Replays the log if the server was not shut down properly.
pub fn main(cx: &mut AuxContext<'_>) -> Result<()> {
    let every =
        std::time::Duration::from_millis(cx.settings.int("log_startup_progress_interval").max(0) as u64);
    let table = crate::server::redo::table();
    let report = cx.engine.perform_recovery(&table, every).map_err(common::Error::fatal)?;
    if report.needed {
        let text = format!("redo done at {}: {} records", report.end, report.records);
        crate::log::line("LOG", &text);
    }
    if !cx.engine.load_stats() {
        crate::log::line("LOG", "cumulative statistics could not be read and start at zero");
    }
    cx.engine.begin_counting();
    Ok(())
}
