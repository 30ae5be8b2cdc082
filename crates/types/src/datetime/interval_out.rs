//! Writes intervals in the four styles.

use super::interval::Interval;
use crate::registry::IntervalStyle;
use crate::wire::{push_i64, push_padded};

/// Seconds with up to six fraction digits, trailing zeros dropped; both parts not negative.
pub fn push_seconds(sec: i64, us: i64, pad: bool, out: &mut Vec<u8>) {
    if pad {
        push_padded(out, sec, 2);
    } else {
        push_i64(out, sec);
    }
    push_fraction(us, out);
}

/// `.ffffff` without trailing zeros; nothing for zero.
pub fn push_fraction(us: i64, out: &mut Vec<u8>) {
    if us == 0 {
        return;
    }
    out.push(b'.');
    push_padded(out, us, 6);
    while out.last() == Some(&b'0') {
        out.pop();
    }
}

/// Appends the interval.
pub fn push_interval(v: Interval, style: IntervalStyle, out: &mut Vec<u8>) {
    match style {
        IntervalStyle::Postgres => postgres(v, out),
        IntervalStyle::PostgresVerbose => verbose(v, out),
        IntervalStyle::SqlStandard => sql(v, out),
        IntervalStyle::Iso8601 => iso(v, out),
    }
}

fn postgres(v: Interval, out: &mut Vec<u8>) {
    let start = out.len();
    let mut before = false;
    for (n, unit) in [(v.months / 12, "year"), (v.months % 12, "mon"), (v.days, "day")] {
        if n == 0 {
            continue;
        }
        if out.len() > start {
            out.push(b' ');
        }
        if before && n > 0 {
            out.push(b'+');
        }
        push_i64(out, i64::from(n));
        out.push(b' ');
        out.extend_from_slice(unit.as_bytes());
        if n != 1 {
            out.push(b's');
        }
        before = n < 0;
    }
    if v.us != 0 || out.len() == start {
        if out.len() > start {
            out.push(b' ');
        }
        if v.us < 0 {
            out.push(b'-');
        } else if before {
            out.push(b'+');
        }
        push_hms(v, out);
    }
}

fn push_hms(v: Interval, out: &mut Vec<u8>) {
    let (h, m, s, us) = v.hms();
    push_padded(out, h.abs(), 2);
    out.push(b':');
    push_padded(out, m.abs(), 2);
    out.push(b':');
    push_seconds(s.abs(), us.abs(), true, out);
}

fn verbose(v: Interval, out: &mut Vec<u8>) {
    out.push(b'@');
    let (h, m, s, us) = v.hms();
    let mut before = false;
    let mut none = true;
    let parts = [
        (i64::from(v.months / 12), "year"),
        (i64::from(v.months % 12), "mon"),
        (i64::from(v.days), "day"),
        (h, "hour"),
        (m, "min"),
    ];
    for (n, unit) in parts {
        if n == 0 {
            continue;
        }
        if none {
            before = n < 0;
        }
        none = false;
        let n = if before { -n } else { n };
        out.push(b' ');
        push_i64(out, n);
        out.push(b' ');
        out.extend_from_slice(unit.as_bytes());
        if n != 1 {
            out.push(b's');
        }
    }
    if s != 0 || us != 0 {
        let neg = s < 0 || us < 0;
        if none {
            before = neg;
        }
        none = false;
        out.push(b' ');
        if neg != before {
            out.push(b'-');
        }
        push_seconds(s.abs(), us.abs(), false, out);
        out.extend_from_slice(if s.abs() == 1 && us == 0 { b" sec" } else { b" secs" });
    }
    if none {
        out.extend_from_slice(b" 0");
    }
    if before {
        out.extend_from_slice(b" ago");
    }
}

fn sql(v: Interval, out: &mut Vec<u8>) {
    let negative = v.months < 0 || v.days < 0 || v.us < 0;
    let positive = v.months > 0 || v.days > 0 || v.us > 0;
    let year_month = v.months != 0;
    let day_time = v.days != 0 || v.us != 0;
    let (h, m, s, us) = v.hms();
    let (y, mon) = (i64::from(v.months / 12).abs(), i64::from(v.months % 12).abs());
    let time = |out: &mut Vec<u8>| {
        push_i64(out, h.abs());
        out.push(b':');
        push_padded(out, m.abs(), 2);
        out.push(b':');
        push_seconds(s.abs(), us.abs(), true, out);
    };
    if !negative && !positive {
        out.push(b'0');
        return;
    }
    if (negative && positive) || (year_month && day_time) {
        let sign = |neg: bool| if neg { b'-' } else { b'+' };
        out.push(sign(v.months < 0));
        push_i64(out, y);
        out.push(b'-');
        push_i64(out, mon);
        out.push(b' ');
        out.push(sign(v.days < 0));
        push_i64(out, i64::from(v.days).abs());
        out.push(b' ');
        out.push(sign(v.us < 0));
        time(out);
        return;
    }
    if negative {
        out.push(b'-');
    }
    if year_month {
        push_i64(out, y);
        out.push(b'-');
        push_i64(out, mon);
    } else {
        if v.days != 0 {
            push_i64(out, i64::from(v.days).abs());
            out.push(b' ');
        }
        time(out);
    }
}

fn iso(v: Interval, out: &mut Vec<u8>) {
    if v == Interval::default() {
        out.extend_from_slice(b"PT0S");
        return;
    }
    out.push(b'P');
    let part = |n: i64, unit: u8, out: &mut Vec<u8>| {
        if n != 0 {
            push_i64(out, n);
            out.push(unit);
        }
    };
    part(i64::from(v.months / 12), b'Y', out);
    part(i64::from(v.months % 12), b'M', out);
    part(i64::from(v.days), b'D', out);
    if v.us != 0 {
        out.push(b'T');
        let (h, m, s, us) = v.hms();
        part(h, b'H', out);
        part(m, b'M', out);
        if s != 0 || us != 0 {
            if v.us < 0 {
                out.push(b'-');
            }
            push_seconds(s.abs(), us.abs(), false, out);
            out.push(b'S');
        }
    }
}
