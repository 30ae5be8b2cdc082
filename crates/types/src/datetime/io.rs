//! Input and output functions.

use super::DAY_US;
use super::SECOND_US;
use super::cal::*;
use super::interval::Interval;
use super::interval_in::parse_interval;
use super::interval_out::push_interval;
use super::output::{push_date, push_offset, push_time, push_timestamp, push_timestamptz};
use super::parse::{Parsed, Want, parse};
use super::typmod::{apply_interval, round_micros, round_time};
use super::zone::{Zone, offset_of_local, to_local};
use crate::wire::Wire;
use crate::{CallCtx, Datum, DatumRef};
use common::{Error, Oid, Result, bail, err};

#[cold]
fn out_of(kind: &str, text: &str) -> Error {
    err!(DATETIME_VALUE_OUT_OF_RANGE, "{} out of range: \"{}\"", kind, text)
}

/// Text to date.
pub fn parse_date(ctx: &CallCtx<'_>, s: &str) -> Result<i32> {
    Ok(match parse(ctx, s, Want::Date)? {
        Parsed::Infinity => DATE_NOEND,
        Parsed::NegInfinity => DATE_NOBEGIN,
        Parsed::Moment(us) if us == -super::EPOCH_SHIFT * SECOND_US => (us / DAY_US) as i32,
        Parsed::Moment(us) => to_local(ctx.fmt, us).div_euclid(DAY_US) as i32,
        Parsed::Local { day, .. } => {
            let day = day.unwrap_or(i64::MAX);
            if !(MIN_DAY..END_DAY).contains(&day) {
                return Err(out_of("date", s));
            }
            day as i32
        }
    })
}

/// Text to timestamp; a zone is ignored.
pub fn parse_timestamp(ctx: &CallCtx<'_>, s: &str) -> Result<i64> {
    match parse(ctx, s, Want::Timestamp)? {
        Parsed::Infinity => Ok(TS_NOEND),
        Parsed::NegInfinity => Ok(TS_NOBEGIN),
        Parsed::Moment(us) if us == -super::EPOCH_SHIFT * SECOND_US => Ok(us),
        Parsed::Moment(us) => Ok(to_local(ctx.fmt, us)),
        Parsed::Local { day, us, .. } => {
            join_ts(day.unwrap_or(i64::MAX), us).ok_or_else(|| out_of("timestamp", s))
        }
    }
}

/// Text to timestamptz.
pub fn parse_timestamptz(ctx: &CallCtx<'_>, s: &str) -> Result<i64> {
    match parse(ctx, s, Want::TimestampTz)? {
        Parsed::Infinity => Ok(TS_NOEND),
        Parsed::NegInfinity => Ok(TS_NOBEGIN),
        Parsed::Moment(us) => Ok(us),
        Parsed::Local { day, us, zone, .. } => {
            let local = day
                .unwrap_or(i64::MAX)
                .checked_mul(DAY_US)
                .and_then(|d| d.checked_add(us))
                .ok_or_else(|| out_of("timestamp", s))?;
            let east = match zone {
                Some(z) => z.at_local(local),
                None => offset_of_local(&ctx.fmt.timezone, local),
            };
            Some(local - i64::from(east) * SECOND_US)
                .filter(|t| ts_valid(*t))
                .ok_or_else(|| out_of("timestamp", s))
        }
    }
}

/// Text to time of day.
pub fn parse_time(ctx: &CallCtx<'_>, s: &str) -> Result<i64> {
    match parse(ctx, s, Want::Time)? {
        Parsed::Moment(us) => Ok(to_local(ctx.fmt, us).rem_euclid(DAY_US)),
        Parsed::Local { us, day, zone, .. } => {
            let varies = |z: &Zone| matches!(z, Zone::Named(tz) if tz.to_fixed_offset().is_err());
            if day.is_none() && zone.as_ref().is_some_and(varies) {
                bail!(INVALID_DATETIME_FORMAT, "invalid input syntax for type time: \"{}\"", s);
            }
            Ok(us)
        }
        _ => bail!(INVALID_DATETIME_FORMAT, "invalid input syntax for type time: \"{}\"", s),
    }
}

/// Packs a timetz: microseconds and seconds *west*.
pub fn pack_timetz(us: i64, west: i32) -> [u8; 16] {
    let mut b = [0; 16];
    b[..8].copy_from_slice(&us.to_le_bytes());
    b[8..12].copy_from_slice(&west.to_le_bytes());
    b
}
/// Inverse of [`pack_timetz`].
pub fn unpack_timetz(b: [u8; 16]) -> (i64, i32) {
    let mut us = [0; 8];
    us.copy_from_slice(&b[..8]);
    (i64::from_le_bytes(us), i32::from_le_bytes([b[8], b[9], b[10], b[11]]))
}

/// Text to timetz.
pub fn parse_timetz(ctx: &CallCtx<'_>, s: &str) -> Result<(i64, i32)> {
    match parse(ctx, s, Want::TimeTz)? {
        Parsed::Moment(us) => {
            let local = to_local(ctx.fmt, us);
            Ok((local.rem_euclid(DAY_US), ((us - local) / SECOND_US) as i32))
        }
        Parsed::Local { us, day, zone, .. } => {
            if day.is_none()
                && let Some(Zone::Named(tz)) = &zone
                && tz.to_fixed_offset().is_err()
            {
                bail!(
                    INVALID_DATETIME_FORMAT,
                    "invalid input syntax for type time with time zone: \"{}\"",
                    s
                );
            }
            // Without a date, today's offset holds.
            let day = day.unwrap_or_else(|| to_local(ctx.fmt, ctx.xact_start_us).div_euclid(DAY_US));
            let local = day * DAY_US + us;
            let east = match zone {
                Some(z) => z.at_local(local),
                None => offset_of_local(&ctx.fmt.timezone, local),
            };
            Ok((us, -east))
        }
        _ => bail!(INVALID_DATETIME_FORMAT, "invalid input syntax for type time with time zone: \"{}\"", s),
    }
}

pub fn date_in(ctx: &CallCtx<'_>, s: &str, _: Oid, _: i32) -> Result<Datum> {
    parse_date(ctx, s).map(Datum::I32)
}
pub fn date_out(ctx: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    push_date(ctx.fmt, v.i32(), out);
    Ok(())
}
pub fn date_recv(_: &CallCtx<'_>, b: &[u8], _: Oid, _: i32) -> Result<Datum> {
    let mut w = Wire::new(b);
    let v = w.i32()?;
    w.end()?;
    if !date_infinite(v) && !(MIN_DAY..END_DAY).contains(&i64::from(v)) {
        return Err(date_range());
    }
    Ok(Datum::I32(v))
}
pub fn date_send(_: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    out.extend_from_slice(&v.i32().to_be_bytes());
    Ok(())
}

/// Rounds a timestamp to its declared precision.
pub fn round_ts(ts: i64, typmod: i32) -> i64 {
    if ts_infinite(ts) { ts } else { round_micros(ts, typmod) }
}

pub fn timestamp_in(ctx: &CallCtx<'_>, s: &str, _: Oid, typmod: i32) -> Result<Datum> {
    Ok(Datum::I64(round_ts(parse_timestamp(ctx, s)?, typmod)))
}
pub fn timestamptz_in(ctx: &CallCtx<'_>, s: &str, _: Oid, typmod: i32) -> Result<Datum> {
    Ok(Datum::I64(round_ts(parse_timestamptz(ctx, s)?, typmod)))
}
pub fn timestamp_out(ctx: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    push_timestamp(ctx.fmt, v.i64(), out);
    Ok(())
}
pub fn timestamptz_out(ctx: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    push_timestamptz(ctx.fmt, v.i64(), out);
    Ok(())
}
pub fn timestamp_recv(_: &CallCtx<'_>, b: &[u8], _: Oid, typmod: i32) -> Result<Datum> {
    let mut w = Wire::new(b);
    let v = w.i64()?;
    w.end()?;
    if !ts_infinite(v) && !ts_valid(v) {
        return Err(ts_range());
    }
    Ok(Datum::I64(round_ts(v, typmod)))
}
pub fn i64_send(_: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    out.extend_from_slice(&v.i64().to_be_bytes());
    Ok(())
}

pub fn time_in(ctx: &CallCtx<'_>, s: &str, _: Oid, typmod: i32) -> Result<Datum> {
    Ok(Datum::I64(round_time(parse_time(ctx, s)?, typmod)))
}
pub fn time_out(_: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    push_time(v.i64(), out);
    Ok(())
}
pub fn time_recv(_: &CallCtx<'_>, b: &[u8], _: Oid, typmod: i32) -> Result<Datum> {
    let mut w = Wire::new(b);
    let v = w.i64()?;
    w.end()?;
    if !(0..=DAY_US).contains(&v) {
        bail!(DATETIME_VALUE_OUT_OF_RANGE, "time out of range");
    }
    Ok(Datum::I64(round_time(v, typmod)))
}
pub fn timetz_in(ctx: &CallCtx<'_>, s: &str, _: Oid, typmod: i32) -> Result<Datum> {
    let (us, west) = parse_timetz(ctx, s)?;
    Ok(Datum::Fixed16(pack_timetz(round_time(us, typmod), west)))
}
pub fn timetz_out(_: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    let (us, west) = unpack_timetz(v.fixed16());
    push_time(us, out);
    push_offset(-west, out);
    Ok(())
}
pub fn timetz_recv(_: &CallCtx<'_>, b: &[u8], _: Oid, typmod: i32) -> Result<Datum> {
    let mut w = Wire::new(b);
    let (us, west) = (w.i64()?, w.i32()?);
    w.end()?;
    if !(0..=DAY_US).contains(&us) {
        bail!(DATETIME_VALUE_OUT_OF_RANGE, "time out of range");
    }
    if west.unsigned_abs() >= super::fields::OFFSET_LIMIT as u32 {
        bail!(INVALID_TIME_ZONE_DISPLACEMENT_VALUE, "time zone displacement out of range");
    }
    Ok(Datum::Fixed16(pack_timetz(round_time(us, typmod), west)))
}
pub fn timetz_send(_: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    let (us, west) = unpack_timetz(v.fixed16());
    out.extend_from_slice(&us.to_be_bytes());
    out.extend_from_slice(&west.to_be_bytes());
    Ok(())
}

pub fn interval_in(ctx: &CallCtx<'_>, s: &str, _: Oid, typmod: i32) -> Result<Datum> {
    let sql_standard = ctx.fmt.interval_style == crate::registry::IntervalStyle::SqlStandard;
    Ok(Datum::Fixed16(parse_interval(s, typmod, sql_standard)?.pack()))
}
pub fn interval_out(ctx: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    push_interval(Interval::unpack(v.fixed16()), ctx.fmt.interval_style, out);
    Ok(())
}
pub fn interval_recv(_: &CallCtx<'_>, b: &[u8], _: Oid, typmod: i32) -> Result<Datum> {
    let mut w = Wire::new(b);
    let v = Interval { us: w.i64()?, days: w.i32()?, months: w.i32()? };
    w.end()?;
    Ok(Datum::Fixed16(apply_interval(v, typmod)?.pack()))
}
pub fn interval_send(_: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    let v = Interval::unpack(v.fixed16());
    out.extend_from_slice(&v.us.to_be_bytes());
    out.extend_from_slice(&v.days.to_be_bytes());
    out.extend_from_slice(&v.months.to_be_bytes());
    Ok(())
}
