//! `pg_controldata`: prints the control file.

use clap::Parser;
use common::{Result, err};
use std::path::PathBuf;
use storage::wal::segment::segment_name;
use transam::ControlFile;

/// pg_controldata displays control information of a database cluster.
#[derive(Parser, Debug)]
#[command(name = "pg_controldata", disable_version_flag = true)]
struct Args {
    /// Data directory
    #[arg(short = 'D', long = "pgdata", value_name = "DATADIR")]
    pgdata: Option<PathBuf>,
    #[arg(value_name = "DATADIR")]
    positional: Option<PathBuf>,
    /// Output version information, then exit
    #[arg(short = 'V', long)]
    version: bool,
}

fn time(us: i64) -> String {
    // Seconds between 1970 and 2000.
    let t = jiff::Timestamp::from_microsecond(us + 946_684_800_000_000).unwrap_or_default();
    t.to_zoned(jiff::tz::TimeZone::system()).strftime("%a %d %b %Y %I:%M:%S %p %Z").to_string()
}

/// Entry point.
pub fn main() -> Result<i32> {
    let a = Args::parse();
    if a.version {
        println!("pg_controldata (PostgreSQL) {} (Stegodon {})", crate::VERSION, env!("CARGO_PKG_VERSION"));
        return Ok(0);
    }
    let given = a.pgdata.as_deref().or(a.positional.as_deref());
    let dir = crate::config::data_directory(given)
        .ok_or_else(|| err!(INVALID_PARAMETER_VALUE, "no data directory specified"))?;
    let c = ControlFile::read(&dir)?;
    let on = |b: bool| if b { "on" } else { "off" };
    let k = &c.copy;
    let line = |name: &str, value: String| println!("{:<38}{value}", format!("{name}:"));
    line("pg_control version number", c.control_version.to_string());
    line("Catalog version number", c.catalog_version.to_string());
    line("Database system identifier", c.system_identifier.to_string());
    line("Database cluster state", c.state.as_str().to_string());
    line("pg_control last modified", time(c.time));
    line("Latest checkpoint location", c.checkpoint.to_string());
    line("Latest checkpoint's REDO location", k.redo.to_string());
    let segno = k.redo.0 >> 24;
    line("Latest checkpoint's REDO WAL file", segment_name(k.timeline, segno));
    line("Latest checkpoint's TimeLineID", k.timeline.to_string());
    line("Latest checkpoint's PrevTimeLineID", k.prev_timeline.to_string());
    line("Latest checkpoint's full_page_writes", on(k.full_page_writes).into());
    line("Latest checkpoint's NextXID", k.next_xid.to_string());
    line("Latest checkpoint's NextOID", k.next_oid.to_string());
    line("Latest checkpoint's NextMultiXactId", k.next_multi.0.to_string());
    line("Latest checkpoint's NextMultiOffset", k.next_member.to_string());
    line("Latest checkpoint's oldestXID", k.oldest_xid.to_string());
    line("Latest checkpoint's oldestXID's DB", k.oldest_xid_db.to_string());
    line("Latest checkpoint's oldestActiveXID", k.oldest_active_xid.to_string());
    line("Latest checkpoint's oldestMultiXid", k.oldest_multi.0.to_string());
    line("Latest checkpoint's oldestMulti's DB", k.oldest_multi_db.to_string());
    line("Time of latest checkpoint", time(k.time));
    line("Fake LSN counter for unlogged rels", c.unlogged_lsn.to_string());
    line("max_connections setting", c.max_connections.to_string());
    line("max_worker_processes setting", c.max_worker_processes.to_string());
    line("max_wal_senders setting", c.max_wal_senders.to_string());
    line("max_prepared_xacts setting", c.max_prepared_xacts.to_string());
    line("max_locks_per_xact setting", c.max_locks_per_xact.to_string());
    line("Database block size", c.page_size.to_string());
    line("Bytes per WAL segment", c.wal_segment_size.to_string());
    line("Data page checksum version", u32::from(c.data_checksums).to_string());
    let nonce: String = c.mock_auth_nonce.iter().map(|b| format!("{b:02x}")).collect();
    line("Mock authentication nonce", nonce);
    Ok(0)
}
