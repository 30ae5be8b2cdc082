//! Transition and final functions of the built-in aggregates as ordinary functions, for who calls them or builds an
//! aggregate of one's own on them. The states are arrays, as in PostgreSQL.

use crate::array::{ArrayRef, build_1d};
use crate::float::float_overflow;
use crate::numeric::Num;
use crate::{Datum, DatumRef, FnImpl, k1, k2, k3, oids};
use common::{Error, Result, err};

fn wrong(func: &str, n: usize, of: &str) -> Error {
    Error::internal(format!("{func}: expected {n}-element {of} array"))
}

fn floats<const N: usize>(func: &str, b: &[u8]) -> Result<[f64; N]> {
    let a = ArrayRef::new(b)?;
    let v = a.to_vec()?;
    if a.ndim() != 1 || v.len() != N || v.iter().any(|d| d.is_null()) || a.elem.oid != oids::FLOAT8 {
        return Err(wrong(func, N, "float8"));
    }
    Ok(std::array::from_fn(|i| v[i].f64()))
}
fn pack(v: &[f64]) -> Datum {
    build_1d(oids::FLOAT8, v.iter().map(|f| DatumRef::F64(*f)))
}

fn accumulate(func: &str, state: &[u8], x: f64) -> Result<Datum> {
    let [n0, sx0, mut sxx] = floats::<3>(func, state)?;
    let (n, sx) = (n0 + 1.0, sx0 + x);
    if n0 > 0.0 {
        let t = x * n - sx;
        sxx += t * t / (n * n0);
        if sx.is_infinite() || sxx.is_infinite() {
            if !sx0.is_infinite() && !x.is_infinite() {
                return Err(float_overflow());
            }
            sxx = f64::NAN;
        }
    } else if x.is_nan() || x.is_infinite() {
        sxx = f64::NAN;
    }
    Ok(pack(&[n, sx, sxx]))
}
fn float8_accum(state: &[u8], x: f64) -> Result<Datum> {
    accumulate("float8_accum", state, x)
}
fn float4_accum(state: &[u8], x: f32) -> Result<Datum> {
    accumulate("float4_accum", state, f64::from(x))
}
fn float8_combine(a: &[u8], b: &[u8]) -> Result<Datum> {
    let (a, b) = (floats::<3>("float8_combine", a)?, floats::<3>("float8_combine", b)?);
    if a[0] == 0.0 {
        return Ok(pack(&b));
    }
    if b[0] == 0.0 {
        return Ok(pack(&a));
    }
    let n = a[0] + b[0];
    let t = a[1] / a[0] - b[1] / b[0];
    let sxx = a[2] + b[2] + a[0] * b[0] * t * t / n;
    if sxx.is_infinite() && !a[2].is_infinite() && !b[2].is_infinite() {
        return Err(float_overflow());
    }
    Ok(pack(&[n, a[1] + b[1], sxx]))
}

macro_rules! of_one {
    ($($name:ident $least:literal |$n:ident, $sx:ident, $sxx:ident| $e:expr;)*) => {$(
        fn $name(b: &[u8]) -> Result<Option<f64>> {
            let [$n, $sx, $sxx] = floats::<3>(stringify!($name), b)?;
            let _ = ($sx, $sxx);
            Ok(($n >= $least).then(|| $e))
        }
    )*};
}
of_one! {
    float8_avg 1.0 |n, sx, sxx| sx / n;
    float8_var_pop 1.0 |n, sx, sxx| sxx / n;
    float8_var_samp 2.0 |n, sx, sxx| sxx / (n - 1.0);
    float8_stddev_pop 1.0 |n, sx, sxx| (sxx / n).sqrt();
    float8_stddev_samp 2.0 |n, sx, sxx| (sxx / (n - 1.0)).sqrt();
}

fn float8_regr_accum(state: &[u8], y: f64, x: f64) -> Result<Datum> {
    let [n0, sx0, mut sxx, sy0, mut syy, mut sxy] = floats::<6>("float8_regr_accum", state)?;
    let (n, sx, sy) = (n0 + 1.0, sx0 + x, sy0 + y);
    if n0 > 0.0 {
        let (tx, ty) = (x * n - sx, y * n - sy);
        let scale = 1.0 / (n * n0);
        sxx += tx * tx * scale;
        syy += ty * ty * scale;
        sxy += tx * ty * scale;
        if [sx, sxx, sy, syy, sxy].iter().any(|v| v.is_infinite()) {
            let given = |v: f64, s: f64| v.is_infinite() || s.is_infinite();
            let (in_x, in_y) = (given(x, sx0), given(y, sy0));
            let over = |v: f64, from: bool| v.is_infinite() && !from;
            if over(sx, in_x)
                || over(sxx, in_x)
                || over(sy, in_y)
                || over(syy, in_y)
                || over(sxy, in_x || in_y)
            {
                return Err(float_overflow());
            }
            for v in [&mut sxx, &mut syy, &mut sxy] {
                if v.is_infinite() {
                    *v = f64::NAN;
                }
            }
        }
    } else {
        if !x.is_finite() {
            (sxx, sxy) = (f64::NAN, f64::NAN);
        }
        if !y.is_finite() {
            (syy, sxy) = (f64::NAN, f64::NAN);
        }
    }
    Ok(pack(&[n, sx, sxx, sy, syy, sxy]))
}
fn float8_regr_combine(a: &[u8], b: &[u8]) -> Result<Datum> {
    let (a, b) = (floats::<6>("float8_regr_combine", a)?, floats::<6>("float8_regr_combine", b)?);
    if a[0] == 0.0 {
        return Ok(pack(&b));
    }
    if b[0] == 0.0 {
        return Ok(pack(&a));
    }
    let n = a[0] + b[0];
    let (tx, ty) = (a[1] / a[0] - b[1] / b[0], a[3] / a[0] - b[3] / b[0]);
    let w = a[0] * b[0];
    let out = [
        n,
        a[1] + b[1],
        a[2] + b[2] + w * tx * tx / n,
        a[3] + b[3],
        a[4] + b[4] + w * ty * ty / n,
        a[5] + b[5] + w * tx * ty / n,
    ];
    if out.iter().enumerate().any(|(i, v)| v.is_infinite() && !a[i].is_infinite() && !b[i].is_infinite()) {
        return Err(float_overflow());
    }
    Ok(pack(&out))
}

macro_rules! of_two {
    ($($name:ident $least:literal |$s:ident| $e:expr;)*) => {$(
        fn $name(b: &[u8]) -> Result<Option<f64>> {
            let $s = floats::<6>(stringify!($name), b)?;
            Ok(if $s[0] >= $least { $e } else { None })
        }
    )*};
}
// The state: n, sum of x, of its squared deviations, the same of y, sum of products of deviations.
of_two! {
    float8_regr_sxx 1.0 |s| Some(s[2]);
    float8_regr_syy 1.0 |s| Some(s[4]);
    float8_regr_sxy 1.0 |s| Some(s[5]);
    float8_regr_avgx 1.0 |s| Some(s[1] / s[0]);
    float8_regr_avgy 1.0 |s| Some(s[3] / s[0]);
    float8_covar_pop 1.0 |s| Some(s[5] / s[0]);
    float8_covar_samp 2.0 |s| Some(s[5] / (s[0] - 1.0));
    float8_corr 1.0 |s| (s[2] != 0.0 && s[4] != 0.0).then(|| s[5] / (s[2] * s[4]).sqrt());
    float8_regr_r2 1.0 |s| match (s[2] == 0.0, s[4] == 0.0) {
        (true, _) => None,
        (_, true) => Some(1.0),
        _ => Some((s[5] * s[5]) / (s[2] * s[4])),
    };
    float8_regr_slope 1.0 |s| (s[2] != 0.0).then(|| s[5] / s[2]);
    float8_regr_intercept 1.0 |s| (s[2] != 0.0).then(|| (s[3] - s[1] * s[5] / s[2]) / s[0]);
}

fn pair(b: &[u8]) -> Result<(i64, i64)> {
    let a = ArrayRef::new(b)?;
    match a.to_vec()?[..] {
        [DatumRef::I64(n), DatumRef::I64(sum)] => Ok((n, sum)),
        _ => Err(Error::internal("expected 2-element int8 array")),
    }
}
fn pack_pair(n: i64, sum: i64) -> Datum {
    build_1d(oids::INT8, [DatumRef::I64(n), DatumRef::I64(sum)])
}
fn int2_avg_accum(b: &[u8], v: i16) -> Result<Datum> {
    int4_avg_accum(b, i32::from(v))
}
fn int4_avg_accum(b: &[u8], v: i32) -> Result<Datum> {
    let (n, sum) = pair(b)?;
    Ok(pack_pair(n.wrapping_add(1), sum.wrapping_add(i64::from(v))))
}
fn int2_avg_accum_inv(b: &[u8], v: i16) -> Result<Datum> {
    int4_avg_accum_inv(b, i32::from(v))
}
fn int4_avg_accum_inv(b: &[u8], v: i32) -> Result<Datum> {
    let (n, sum) = pair(b)?;
    Ok(pack_pair(n.wrapping_sub(1), sum.wrapping_sub(i64::from(v))))
}
fn int8_avg(b: &[u8]) -> Result<Datum> {
    let (n, sum) = pair(b)?;
    if n == 0 {
        return Ok(Datum::Null);
    }
    crate::numeric::num_div(&Num::from_i64(sum), &Num::from_i64(n))?.to_datum()
}
fn int2int4_sum(b: &[u8]) -> Result<Option<i64>> {
    let (n, sum) = pair(b)?;
    Ok((n != 0).then_some(sum))
}
fn int2_sum(sum: Option<i64>, v: Option<i16>) -> Option<i64> {
    int4_sum(sum, v.map(i32::from))
}
fn int4_sum(sum: Option<i64>, v: Option<i32>) -> Option<i64> {
    match (sum, v) {
        (None, v) => v.map(i64::from),
        (s, None) => s,
        (Some(s), Some(v)) => Some(s.wrapping_add(i64::from(v))),
    }
}
fn int8_sum(sum: DatumRef<'_>, v: Option<i64>) -> Result<Datum> {
    let Some(v) = v else { return Ok(sum.to_owned()) };
    let v = Num::from_i64(v);
    match sum {
        DatumRef::Null => v.to_datum(),
        s => crate::numeric::num_add(&Num::unpack(s.bytes())?, &v).to_datum(),
    }
}
fn step(v: i64, by: i64) -> Result<i64> {
    v.checked_add(by).ok_or_else(|| err!(NUMERIC_VALUE_OUT_OF_RANGE, "bigint out of range"))
}

/// Transition and final functions.
pub static TABLE: &[(u32, FnImpl)] = &[
    (208, k2!(float4_accum)),
    (222, k2!(float8_accum)),
    (276, k2!(float8_combine)),
    (1830, k1!(float8_avg)),
    (1831, k1!(float8_var_samp)),
    (1832, k1!(float8_stddev_samp)),
    (2512, k1!(float8_var_pop)),
    (2513, k1!(float8_stddev_pop)),
    (2806, k3!(float8_regr_accum)),
    (3342, k2!(float8_regr_combine)),
    (2807, k1!(float8_regr_sxx)),
    (2808, k1!(float8_regr_syy)),
    (2809, k1!(float8_regr_sxy)),
    (2810, k1!(float8_regr_avgx)),
    (2811, k1!(float8_regr_avgy)),
    (2812, k1!(float8_regr_r2)),
    (2813, k1!(float8_regr_slope)),
    (2814, k1!(float8_regr_intercept)),
    (2815, k1!(float8_covar_pop)),
    (2816, k1!(float8_covar_samp)),
    (2817, k1!(float8_corr)),
    (1962, k2!(int2_avg_accum)),
    (1963, k2!(int4_avg_accum)),
    (3570, k2!(int2_avg_accum_inv)),
    (3571, k2!(int4_avg_accum_inv)),
    (1964, k1!(int8_avg)),
    (3572, k1!(int2int4_sum)),
    (1840, k2!(int2_sum)),
    (1841, k2!(int4_sum)),
    (1842, k2!(int8_sum)),
    (3546, k1!(|v: i64| step(v, -1))),
    (3547, k2!(|v: i64, _: DatumRef<'_>| step(v, -1))),
    (2804, k2!(|v: i64, d: DatumRef<'_>| if d.is_null() { Ok(v) } else { step(v, 1) })),
    (2805, k3!(|v: i64, _: f64, _: f64| step(v, 1))),
    (2515, k2!(|a: bool, b: bool| a && b)),
    (2516, k2!(|a: bool, b: bool| a || b)),
];
