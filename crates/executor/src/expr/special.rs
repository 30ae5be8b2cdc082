//! Steps that go through text: casts by input and output functions; current date and time.

use crate::env::ExecEnv;
use crate::expr::eval::plain_ctx;
use crate::run::Exec;
use analyze::expr::SqlValueFunctionOp as V;
use common::{Error, Oid, Result};
use types::registry::{InputFn, OutputFn};
use types::{Arg, Column, Datum, DatumRef, FnImpl, Phys, Rows, ScalarKernel, typeinfo};

/// (input function, output function, ioparam) of a type.
pub fn io_functions(env: &ExecEnv, t: Oid) -> Result<(Oid, Oid, Oid)> {
    if let Some(i) = typeinfo::type_info(t) {
        return Ok((i.input, i.output, if i.elem.is_valid() { i.elem } else { t }));
    }
    let d = env.catalog()?.type_desc(t)?;
    Ok((d.input, d.output, if d.elem.is_valid() { d.elem } else { t }))
}

/// The output function behind an OID.
pub fn output_fn(env: &ExecEnv, oid: Oid) -> Result<OutputFn> {
    match env.code(oid)? {
        Some(FnImpl::Output(f)) => Ok(f),
        _ => Err(Error::unsupported(format_args!("output function with OID {oid}"))),
    }
}

/// The input function behind an OID.
pub fn input_fn(env: &ExecEnv, oid: Oid) -> Result<InputFn> {
    match env.code(oid)? {
        Some(FnImpl::Input(f)) => Ok(f),
        _ => Err(Error::unsupported(format_args!("input function with OID {oid}"))),
    }
}

/// Text form of a value, for messages.
pub fn value_text(env: &ExecEnv, t: Oid, v: DatumRef<'_>) -> Result<String> {
    if v.is_null() {
        return Ok("null".into());
    }
    let (_, out, _) = io_functions(env, t)?;
    let f = output_fn(env, out)?;
    let mut buf = Vec::new();
    env.with_call_ctx(types::Collation::NONE, |ctx| f(ctx, v, &mut buf))?;
    Ok(String::from_utf8_lossy(&buf).into_owned())
}

pub(crate) fn output_call(
    f: OutputFn,
    a: Arg<'_>,
    cx: &Exec,
    rows: Rows<'_>,
    out: &mut Column,
) -> Result<()> {
    let ctx = plain_ctx(cx);
    out.resize(rows.bound());
    let mut buf = Vec::new();
    rows.each(|i| {
        match a.get(i) {
            DatumRef::Null => out.nulls.set(i),
            v => {
                buf.clear();
                f(&ctx, v, &mut buf)?;
                out.set(i, DatumRef::Bytes(&buf));
            }
        }
        Ok(())
    })
}

pub(crate) fn input_call(
    f: InputFn,
    a: Arg<'_>,
    ioparam: Oid,
    typmod: i32,
    cx: &Exec,
    rows: Rows<'_>,
    out: &mut Column,
) -> Result<()> {
    let ctx = plain_ctx(cx);
    out.resize(rows.bound());
    rows.each(|i| {
        match a.get(i) {
            DatumRef::Null => out.nulls.set(i),
            v => out.set(i, f(&ctx, v.str(), ioparam, typmod)?.as_ref()),
        }
        Ok(())
    })
}

pub(crate) fn via_io(
    a: Arg<'_>,
    out_f: OutputFn,
    in_f: InputFn,
    ioparam: Oid,
    cx: &Exec,
    rows: Rows<'_>,
    out: &mut Column,
) -> Result<()> {
    let ctx = plain_ctx(cx);
    out.resize(rows.bound());
    let mut buf = Vec::new();
    rows.each(|i| {
        match a.get(i) {
            DatumRef::Null => out.nulls.set(i),
            v => {
                buf.clear();
                out_f(&ctx, v, &mut buf)?;
                let s = std::str::from_utf8(&buf).map_err(|_| Error::internal("output is not UTF-8"))?;
                out.set(i, in_f(&ctx, s, ioparam, -1)?.as_ref());
            }
        }
        Ok(())
    })
}

/// oid ↔ int4 and the like: same bits, another physical kind.
pub(crate) fn rephys(a: Arg<'_>, rows: Rows<'_>, out: &mut Column) -> Result<()> {
    out.resize(rows.bound());
    let to = out.phys();
    rows.each(|i| {
        let v = match (a.get(i), to) {
            (DatumRef::Null, _) => DatumRef::Null,
            (DatumRef::I32(x), Phys::U32) => DatumRef::U32(x as u32),
            (DatumRef::U32(x), Phys::I32) => DatumRef::I32(x as i32),
            (v, _) if Column::constant(to, &Datum::Null).phys() == phys_of(v) => v,
            (v, to) => return Err(Error::internal(format!("cannot relabel {v:?} as {to:?}"))),
        };
        out.set(i, v);
        Ok(())
    })
}

fn phys_of(v: DatumRef<'_>) -> Phys {
    match v {
        DatumRef::Bool(_) => Phys::Bool,
        DatumRef::I8(_) => Phys::I8,
        DatumRef::I16(_) => Phys::I16,
        DatumRef::I32(_) => Phys::I32,
        DatumRef::U32(_) => Phys::U32,
        DatumRef::I64(_) => Phys::I64,
        DatumRef::F32(_) => Phys::F32,
        DatumRef::F64(_) => Phys::F64,
        DatumRef::Fixed16(_) => Phys::Fixed16,
        DatumRef::Bytes(_) | DatumRef::Null => Phys::Bytes,
    }
}

/// An integer as a value of the given width; 22003 when it does not fit.
pub fn int_datum(v: i64, phys: Phys) -> Result<Datum> {
    Ok(match phys {
        Phys::I16 => Datum::I16(
            i16::try_from(v)
                .map_err(|_| common::err!(NUMERIC_VALUE_OUT_OF_RANGE, "smallint out of range"))?,
        ),
        Phys::I32 => Datum::I32(
            i32::try_from(v).map_err(|_| common::err!(NUMERIC_VALUE_OUT_OF_RANGE, "integer out of range"))?,
        ),
        _ => Datum::I64(v),
    })
}

/// The cast from `timestamptz` behind a date/time value function.
pub(crate) fn sql_value_kernel(op: V) -> Option<Oid> {
    match op {
        V::CurrentDate => Some(Oid(1178)),
        V::CurrentTime => Some(Oid(1388)),
        V::LocalTime => Some(Oid(2019)),
        V::LocalTimestamp => Some(Oid(2027)),
        _ => None,
    }
}

/// Cuts microseconds to `typmod` digits, rounding half away from zero.
fn round_us(us: i64, typmod: i32) -> i64 {
    let Ok(digits) = u32::try_from(typmod) else { return us };
    if digits >= 6 {
        return us;
    }
    let unit = 10i64.pow(6 - digits);
    let half = unit / 2;
    if us >= 0 { (us + half) / unit * unit } else { -((-us + half) / unit * unit) }
}

pub(crate) fn sql_value(
    op: V,
    f: Option<ScalarKernel>,
    typmod: i32,
    cx: &Exec,
    out: &mut Column,
) -> Result<()> {
    match op {
        V::CurrentTimestamp => out.push(DatumRef::I64(round_us(cx.xact_start_us, typmod))),
        V::CurrentDate | V::CurrentTime | V::LocalTime | V::LocalTimestamp => {
            let now = Column::constant(Phys::I64, &Datum::I64(round_us(cx.xact_start_us, typmod)));
            let f = f.ok_or_else(|| Error::internal("executor: no kernel"))?;
            f(&plain_ctx(cx), &[Arg { col: &now, konst: true }], Rows::All(1), out)?;
        }
        _ => out.push(cx.env.session.name_value(op)?.as_ref()),
    }
    Ok(())
}
