//! Comparison and hashing. Within one type by the integers; across date, timestamp and timestamptz on a common scale.

use super::DAY_US;
use super::cal::*;
use super::interval::Interval;
use super::io::unpack_timetz;
use super::zone::to_utc;
use crate::{CallCtx, DatumRef};
use std::cmp::Ordering;

type F16 = [u8; 16];

macro_rules! six {
    ($m:ident, $t:ty, $key:expr) => {
        /// The six comparisons and the two choices.
        pub mod $m {
            use super::*;
            pub fn cmp(a: $t, b: $t) -> Ordering {
                let key = $key;
                key(a).cmp(&key(b))
            }
            pub fn eq(a: $t, b: $t) -> bool {
                cmp(a, b).is_eq()
            }
            pub fn ne(a: $t, b: $t) -> bool {
                cmp(a, b).is_ne()
            }
            pub fn lt(a: $t, b: $t) -> bool {
                cmp(a, b).is_lt()
            }
            pub fn le(a: $t, b: $t) -> bool {
                cmp(a, b).is_le()
            }
            pub fn gt(a: $t, b: $t) -> bool {
                cmp(a, b).is_gt()
            }
            pub fn ge(a: $t, b: $t) -> bool {
                cmp(a, b).is_ge()
            }
            pub fn larger(a: $t, b: $t) -> $t {
                if gt(a, b) { a } else { b }
            }
            pub fn smaller(a: $t, b: $t) -> $t {
                if lt(a, b) { a } else { b }
            }
        }
    };
}

fn timetz_key(v: F16) -> (i64, i32) {
    let (us, west) = unpack_timetz(v);
    (us + i64::from(west) * super::SECOND_US, west)
}
fn interval_key(v: F16) -> i128 {
    Interval::unpack(v).span()
}
six!(day, i32, |v: i32| v);
six!(stamp, i64, |v: i64| v);
six!(timetz, F16, timetz_key);
six!(interval, F16, interval_key);

pub fn timetz_cmp(_: crate::Collation, a: DatumRef<'_>, b: DatumRef<'_>) -> Ordering {
    timetz::cmp(a.fixed16(), b.fixed16())
}
pub fn interval_cmp(_: crate::Collation, a: DatumRef<'_>, b: DatumRef<'_>) -> Ordering {
    interval::cmp(a.fixed16(), b.fixed16())
}
pub fn timetz_hash(_: crate::Collation, v: DatumRef<'_>) -> u64 {
    crate::hash::hash_bytes(&v.fixed16()[..12])
}
pub fn interval_hash(_: crate::Collation, v: DatumRef<'_>) -> u64 {
    let s = interval_key(v.fixed16());
    crate::hash::combine(s as u64, (s >> 64) as u64)
}

/// Date as timestamp on an unbounded scale.
pub fn date_us(d: i32) -> i128 {
    match d {
        DATE_NOBEGIN => i128::MIN,
        DATE_NOEND => i128::MAX,
        d => i128::from(d) * i128::from(DAY_US),
    }
}
pub fn ts_us(t: i64) -> i128 {
    match t {
        TS_NOBEGIN => i128::MIN,
        TS_NOEND => i128::MAX,
        t => i128::from(t),
    }
}
pub fn date_utc(ctx: &CallCtx<'_>, d: i32) -> i128 {
    match i64::from(d).checked_mul(DAY_US) {
        Some(local) if !date_infinite(d) => i128::from(to_utc(&ctx.fmt.timezone, local)),
        _ => date_us(d),
    }
}
pub fn ts_utc(ctx: &CallCtx<'_>, t: i64) -> i128 {
    if ts_infinite(t) { ts_us(t) } else { i128::from(to_utc(&ctx.fmt.timezone, t)) }
}

pub fn cmp_date_ts(a: i32, b: i64) -> Ordering {
    date_us(a).cmp(&ts_us(b))
}
pub fn date_cmp_timestamp(_: crate::Collation, a: DatumRef<'_>, b: DatumRef<'_>) -> Ordering {
    cmp_date_ts(a.i32(), b.i64())
}
pub fn timestamp_cmp_date(_: crate::Collation, a: DatumRef<'_>, b: DatumRef<'_>) -> Ordering {
    cmp_date_ts(b.i32(), a.i64()).reverse()
}

macro_rules! mixed {
    ($($name:ident $test:ident;)*) => {
        /// date with timestamp.
        pub mod date_ts {
            use super::*;
            $(pub fn $name(a: i32, b: i64) -> bool { cmp_date_ts(a, b).$test() })*
        }
        /// timestamp with date.
        pub mod ts_date {
            use super::*;
            $(pub fn $name(a: i64, b: i32) -> bool { cmp_date_ts(b, a).reverse().$test() })*
        }
        /// date with timestamptz.
        pub mod date_tz {
            use super::*;
            $(pub fn $name(c: &CallCtx<'_>, a: i32, b: i64) -> bool { date_utc(c, a).cmp(&ts_us(b)).$test() })*
        }
        /// timestamptz with date.
        pub mod tz_date {
            use super::*;
            $(pub fn $name(c: &CallCtx<'_>, a: i64, b: i32) -> bool { ts_us(a).cmp(&date_utc(c, b)).$test() })*
        }
        /// timestamp with timestamptz.
        pub mod ts_tz {
            use super::*;
            $(pub fn $name(c: &CallCtx<'_>, a: i64, b: i64) -> bool { ts_utc(c, a).cmp(&ts_us(b)).$test() })*
        }
        /// timestamptz with timestamp.
        pub mod tz_ts {
            use super::*;
            $(pub fn $name(c: &CallCtx<'_>, a: i64, b: i64) -> bool { ts_us(a).cmp(&ts_utc(c, b)).$test() })*
        }
    };
}
mixed! { eq is_eq; ne is_ne; lt is_lt; le is_le; gt is_gt; ge is_ge; }
