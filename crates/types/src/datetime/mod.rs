//! date, time, timetz, timestamp, timestamptz, interval. Arithmetic is on days and microseconds from 2000-01-01; time zone
//! offsets come from jiff. A timestamptz is a timestamp in UTC.

mod age;
pub mod cal;
mod calc;
mod cmp;
mod convert;
mod extract;
mod fields;
mod interval;
mod interval_in;
mod interval_out;
mod io;
mod lex;
mod make;
mod output;
mod parse;
mod series;
pub mod table;
mod template;
mod to_char;
mod to_timestamp;
mod trunc;
mod typmod;
mod zone;

pub use calc::{interval_add, interval_div, interval_mul, interval_sub};
pub use convert::{current_date, current_time, current_timetz, local_time, local_timestamp};
pub use interval::Interval;
pub use interval_in::parse_interval;
pub use io::unpack_timetz;
pub use output::{push_date, push_time, push_timestamp, push_timestamptz};
pub use to_timestamp::parse_template;
pub use typmod::{interval_typmod, round_micros, time_typmod};
pub use zone::{Zone, all_abbreviations, all_zones, find_zone, offset_at, to_utc};

/// Microseconds in a day.
pub const DAY_US: i64 = 86_400_000_000;
/// Microseconds in an hour.
pub const HOUR_US: i64 = 3_600_000_000;
/// Microseconds in a minute.
pub const MINUTE_US: i64 = 60_000_000;
/// Microseconds in a second.
pub const SECOND_US: i64 = 1_000_000;
/// Seconds from 1970-01-01 to 2000-01-01.
pub const EPOCH_SHIFT: i64 = 946_684_800;

/// Microseconds from 2000-01-01 UTC at this moment.
pub fn clock_us() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    now.as_micros() as i64 - EPOCH_SHIFT * SECOND_US
}
