//! Writes dates, times and timestamps as DateStyle says.

use super::cal::*;
use super::fields::{DAYS, MONTHS};
use super::interval_out::push_fraction;
use super::zone::offset_at;
use super::{HOUR_US, MINUTE_US, SECOND_US};
use crate::FormatSettings;
use crate::registry::{DateOrder, DateStyle};
use crate::wire::push_padded;

/// Year as shown and whether it is BC.
fn shown_year(y: i64) -> (i64, bool) {
    if y > 0 { (y, false) } else { (1 - y, true) }
}

fn push_bc(bc: bool, out: &mut Vec<u8>) {
    if bc {
        out.extend_from_slice(b" BC");
    }
}

/// Appends the calendar date, without BC.
fn push_day(fmt: &FormatSettings, y: i64, m: i64, d: i64, out: &mut Vec<u8>) {
    let dmy = fmt.date_order == DateOrder::Dmy;
    let mut three = |a: (i64, usize), b: i64, c: (i64, usize), sep: u8| {
        push_padded(out, a.0, a.1);
        out.push(sep);
        push_padded(out, b, 2);
        out.push(sep);
        push_padded(out, c.0, c.1);
    };
    match fmt.date_style {
        DateStyle::Iso => three((y, 4), m, (d, 2), b'-'),
        DateStyle::German => three((d, 2), m, (y, 4), b'.'),
        DateStyle::Sql if dmy => three((d, 2), m, (y, 4), b'/'),
        DateStyle::Sql => three((m, 2), d, (y, 4), b'/'),
        DateStyle::Postgres if dmy => three((d, 2), m, (y, 4), b'-'),
        DateStyle::Postgres => three((m, 2), d, (y, 4), b'-'),
    }
}

/// Appends a date.
pub fn push_date(fmt: &FormatSettings, date: i32, out: &mut Vec<u8>) {
    match date {
        DATE_NOBEGIN => return out.extend_from_slice(b"-infinity"),
        DATE_NOEND => return out.extend_from_slice(b"infinity"),
        _ => {}
    }
    let (y, m, d) = civil_from_days(i64::from(date));
    let (y, bc) = shown_year(y);
    push_day(fmt, y, m, d, out);
    push_bc(bc, out);
}

/// Appends `HH:MM:SS[.ffffff]`.
pub fn push_time(us: i64, out: &mut Vec<u8>) {
    push_padded(out, us / HOUR_US, 2);
    out.push(b':');
    push_padded(out, us / MINUTE_US % 60, 2);
    out.push(b':');
    push_padded(out, us / SECOND_US % 60, 2);
    push_fraction(us % SECOND_US, out);
}

/// Appends a zone offset, seconds east: `+HH[:MM[:SS]]`.
pub fn push_offset(east: i32, out: &mut Vec<u8>) {
    out.push(if east < 0 { b'-' } else { b'+' });
    let s = i64::from(east.abs());
    push_padded(out, s / 3600, 2);
    if s % 3600 != 0 {
        out.push(b':');
        push_padded(out, s / 60 % 60, 2);
        if s % 60 != 0 {
            out.push(b':');
            push_padded(out, s % 60, 2);
        }
    }
}

/// Appends a local timestamp; `zone` is offset and abbreviation for a timestamptz.
fn push_stamp(fmt: &FormatSettings, ts: i64, zone: Option<(i32, &str)>, out: &mut Vec<u8>) {
    let (day, us) = split_ts(ts);
    let (y, m, d) = civil_from_days(day);
    let (y, bc) = shown_year(y);
    let abbreviation = |out: &mut Vec<u8>| {
        if let Some((east, name)) = zone {
            if name.starts_with(|c: char| c.is_ascii_alphabetic()) {
                out.push(b' ');
                out.extend_from_slice(name.as_bytes());
            } else {
                if fmt.date_style == DateStyle::Postgres {
                    out.push(b' ');
                }
                push_offset(east, out);
            }
        }
    };
    match fmt.date_style {
        DateStyle::Iso => {
            push_day(fmt, y, m, d, out);
            out.push(b' ');
            push_time(us, out);
            if let Some((east, _)) = zone {
                push_offset(east, out);
            }
        }
        DateStyle::Sql | DateStyle::German => {
            push_day(fmt, y, m, d, out);
            out.push(b' ');
            push_time(us, out);
            abbreviation(out);
        }
        DateStyle::Postgres => {
            out.extend_from_slice(&DAYS[weekday(day) as usize].as_bytes()[..3]);
            out.push(b' ');
            let month = &MONTHS[m as usize - 1].as_bytes()[..3];
            if fmt.date_order == DateOrder::Dmy {
                push_padded(out, d, 2);
                out.push(b' ');
                out.extend_from_slice(month);
            } else {
                out.extend_from_slice(month);
                out.push(b' ');
                push_padded(out, d, 2);
            }
            out.push(b' ');
            push_time(us, out);
            out.push(b' ');
            push_padded(out, y, 4);
            abbreviation(out);
        }
    }
    push_bc(bc, out);
}

fn push_infinite(ts: i64, out: &mut Vec<u8>) -> bool {
    match ts {
        TS_NOBEGIN => out.extend_from_slice(b"-infinity"),
        TS_NOEND => out.extend_from_slice(b"infinity"),
        _ => return false,
    }
    true
}

/// Appends a timestamp.
pub fn push_timestamp(fmt: &FormatSettings, ts: i64, out: &mut Vec<u8>) {
    if !push_infinite(ts, out) {
        push_stamp(fmt, ts, None, out);
    }
}

/// Appends a timestamptz in the session's zone.
pub fn push_timestamptz(fmt: &FormatSettings, ts: i64, out: &mut Vec<u8>) {
    if !push_infinite(ts, out) {
        let (east, _, name) = offset_at(&fmt.timezone, ts);
        push_stamp(fmt, ts + i64::from(east) * SECOND_US, Some((east, &name)), out);
    }
}
