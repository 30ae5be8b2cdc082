//! Calling registry functions on values known while planning: constant folding and statistics.

use crate::PlannerCtx;
use common::{Error, Oid, Result};
use std::cmp::Ordering;
use types::{Arg, CallCtx, Collation, Column, Datum, DatumRef, FnImpl, Phys, Rows};

/// The comparison behind a function of integers, dates or timestamps (of one kind or crosswise), whose order is that of
/// the machine values; as a test of the order of its arguments.
pub fn machine_comparison(funcid: Oid) -> Option<fn(Ordering) -> bool> {
    Some(match funcid.0 {
        // int2, int4, int8, crosswise, oid, date, timestamp, timestamptz: eq ne lt le gt ge
        63 | 65 | 467 | 474 | 852 | 158 | 159 | 1850 | 1856 | 184 | 1086 | 2052 | 1152 => Ordering::is_eq,
        145 | 144 | 468 | 475 | 853 | 164 | 165 | 1851 | 1857 | 185 | 1091 | 2053 | 1153 => Ordering::is_ne,
        64 | 66 | 469 | 476 | 854 | 160 | 161 | 1852 | 1858 | 716 | 1087 | 2054 | 1154 => Ordering::is_lt,
        148 | 149 | 471 | 478 | 856 | 166 | 167 | 1854 | 1860 | 717 | 1088 | 2055 | 1155 => Ordering::is_le,
        146 | 147 | 470 | 477 | 855 | 162 | 163 | 1853 | 1859 | 1638 | 1089 | 2057 | 1157 => Ordering::is_gt,
        151 | 150 | 472 | 479 | 857 | 168 | 169 | 1855 | 1861 | 1639 | 1090 | 2056 | 1156 => Ordering::is_ge,
        _ => return None,
    })
}

/// A value of an integer kind.
pub fn integer(d: &Datum) -> Option<i64> {
    match d {
        Datum::I16(v) => Some(i64::from(*v)),
        Datum::I32(v) => Some(i64::from(*v)),
        Datum::U32(v) => Some(i64::from(*v)),
        Datum::I64(v) => Some(*v),
        _ => None,
    }
}

/// The support function that orders values as a comparison does, and the comparison as a test of that order.
fn ordering(funcid: Oid) -> Option<(Oid, fn(Ordering) -> bool)> {
    // numeric, text, bpchar, float8
    let cmp = match funcid.0 {
        1718..=1723 => 1769,
        67 | 157 | 740..=743 => 360,
        1048..=1053 => 1078,
        293..=298 => 355,
        _ => return None,
    };
    let test: fn(Ordering) -> bool = match funcid.0 {
        1718 | 67 | 1048 | 293 => Ordering::is_eq,
        1719 | 157 | 1053 | 294 => Ordering::is_ne,
        1722 | 740 | 1049 | 295 => Ordering::is_lt,
        1723 | 741 | 1050 | 296 => Ordering::is_le,
        1720 | 742 | 1051 | 297 => Ordering::is_gt,
        _ => Ordering::is_ge,
    };
    Some((Oid(cmp), test))
}

/// A date beside a timestamp: the order of its midnight.
fn date_with_timestamp(funcid: Oid, a: &Datum, b: &Datum) -> Option<bool> {
    let test: fn(Ordering) -> bool = match funcid.0 {
        2338 => Ordering::is_lt,
        2339 => Ordering::is_le,
        2340 => Ordering::is_eq,
        2341 => Ordering::is_gt,
        2342 => Ordering::is_ge,
        2343 => Ordering::is_ne,
        _ => return None,
    };
    let (Datum::I32(day), Datum::I64(us)) = (a, b) else { return None };
    if matches!(*day, i32::MIN | i32::MAX) {
        return None;
    }
    Some(test((i64::from(*day) * 86_400_000_000).cmp(us)))
}

/// Calls functions through the registry.
#[derive(Clone, Copy)]
pub struct Evaluator<'a> {
    pub ctx: &'a PlannerCtx<'a>,
}

impl<'a> Evaluator<'a> {
    /// An evaluator for a planning run.
    pub fn new(ctx: &'a PlannerCtx<'a>) -> Evaluator<'a> {
        Evaluator { ctx }
    }

    /// Is there code behind the function?
    pub fn has(&self, funcid: Oid) -> bool {
        let code = self.ctx.catalog.code_oid(funcid).unwrap_or(funcid);
        match self.ctx.registry.get(code) {
            None => funcid >= Oid::FIRST_NORMAL && self.ctx.routines.is_some(),
            Some(f) => {
                matches!(f, FnImpl::Scalar(_) | FnImpl::Cmp(_) | FnImpl::Output(_) | FnImpl::Input(_))
            }
        }
    }

    /// Call context for a function call.
    pub fn call_ctx<'b>(
        &self,
        collation: Collation,
        result_type: Oid,
        typmod: i32,
        arg_types: &'b [Oid],
    ) -> CallCtx<'b>
    where
        'a: 'b,
    {
        CallCtx {
            fmt: self.ctx.fmt,
            registry: self.ctx.registry,
            collation,
            result_type,
            result_typmod: typmod,
            arg_types,
            variadic: false,
            columns: &[],
            xact_start_us: self.ctx.xact_start_us,
            stmt_start_us: self.ctx.stmt_start_us,
            env: self.ctx.env,
        }
    }

    /// How values of a type are held.
    pub fn phys(&self, type_oid: Oid) -> Result<Phys> {
        Ok(self.ctx.catalog.type_desc(type_oid)?.phys)
    }

    /// Calls a scalar function on one row of values.
    pub fn call(
        &self,
        funcid: Oid,
        args: &[(Datum, Oid)],
        result_type: Oid,
        typmod: i32,
        collation: Oid,
    ) -> Result<Datum> {
        let types: Vec<Oid> = args.iter().map(|a| a.1).collect();
        let collation_oid = collation;
        let collation = self.ctx.catalog.collation(collation)?;
        let cx = self.call_ctx(collation, result_type, typmod, &types);
        match self.ctx.registry.get(self.ctx.catalog.code_oid(funcid)?) {
            None if funcid >= Oid::FIRST_NORMAL && self.ctx.routines.is_some() => match self.ctx.routines {
                Some(r) => r.call(funcid, args, result_type, collation_oid),
                None => Ok(Datum::Null),
            },
            Some(FnImpl::Scalar(k)) => {
                let mut cols = Vec::with_capacity(args.len());
                for (d, t) in args {
                    cols.push(Column::constant(self.phys(*t)?, d));
                }
                let a: Vec<Arg<'_>> = cols.iter().map(|col| Arg { col, konst: true }).collect();
                let mut out = Column::new(self.phys(result_type)?);
                k(&cx, &a, Rows::All(1), &mut out)?;
                Ok(out.get(0).to_owned())
            }
            Some(FnImpl::Cmp(f)) if args.len() == 2 => {
                if args.iter().any(|a| a.0.is_null()) {
                    return Ok(Datum::Null);
                }
                Ok(Datum::I32(f(collation, args[0].0.as_ref(), args[1].0.as_ref()) as i32))
            }
            _ => Err(Error::unsupported(format_args!("function with OID {funcid}"))),
        }
    }

    /// Calls a boolean binary function for every value of a column against one constant; `false` for NULL results
    /// and where there is no code. `const_left`: the constant is the first argument.
    pub fn filter_column(
        &self,
        funcid: Oid,
        values: &[Datum],
        val_type: Oid,
        konst: &Datum,
        konst_type: Oid,
        const_left: bool,
        collation: Oid,
    ) -> Option<Vec<bool>> {
        let Some(FnImpl::Scalar(k)) = self.ctx.registry.get(funcid) else { return None };
        let mut col = Column::new(self.phys(val_type).ok()?);
        for v in values {
            col.push(v.as_ref());
        }
        let kc = Column::constant(self.phys(konst_type).ok()?, konst);
        let (a, b) = (Arg { col: &col, konst: false }, Arg { col: &kc, konst: true });
        let args = if const_left { [b, a] } else { [a, b] };
        let types = if const_left { [konst_type, val_type] } else { [val_type, konst_type] };
        let cx = self.call_ctx(self.ctx.catalog.collation(collation).ok()?, types::oids::BOOL, -1, &types);
        let mut out = Column::new(Phys::Bool);
        k(&cx, &args, Rows::All(values.len()), &mut out).ok()?;
        Some((0..values.len()).map(|i| matches!(out.get(i), DatumRef::Bool(true))).collect())
    }

    /// A comparison of common types without a call through columns; `None` if it needs one.
    pub fn quick_test(&self, funcid: Oid, a: &Datum, b: &Datum, collation: Oid) -> Option<bool> {
        if let Some(t) = machine_comparison(funcid) {
            return Some(t(integer(a)?.cmp(&integer(b)?)));
        }
        if let Some((cmp, t)) = ordering(funcid) {
            let Some(FnImpl::Cmp(f)) = self.ctx.registry.get(cmp) else { return None };
            if a.is_null() || b.is_null() {
                return None;
            }
            let collation = self.ctx.catalog.collation(collation).ok()?;
            return Some(t(f(collation, a.as_ref(), b.as_ref())));
        }
        date_with_timestamp(funcid, a, b)
    }

    /// One boolean comparison; `None` if it cannot be computed.
    pub fn test(&self, funcid: Oid, a: (&Datum, Oid), b: (&Datum, Oid), collation: Oid) -> Option<bool> {
        if let Some(known) = self.quick_test(funcid, a.0, b.0, collation) {
            return Some(known);
        }
        match self.call(funcid, &[(a.0.clone(), a.1), (b.0.clone(), b.1)], types::oids::BOOL, -1, collation) {
            Ok(Datum::Bool(b)) => Some(b),
            Ok(Datum::Null) => Some(false),
            _ => None,
        }
    }

    /// Text form of a value.
    pub fn output(&self, type_oid: Oid, value: &Datum) -> Option<String> {
        let t = self.ctx.catalog.type_desc(type_oid).ok()?;
        let Some(FnImpl::Output(f)) = self.ctx.registry.get(t.output) else { return None };
        let mut out = Vec::new();
        f(&self.call_ctx(Collation::NONE, Oid::INVALID, -1, &[]), value.as_ref(), &mut out).ok()?;
        String::from_utf8(out).ok()
    }

    /// Value of a text form.
    pub fn input(&self, type_oid: Oid, text: &str, typmod: i32) -> Result<Datum> {
        let t = self.ctx.catalog.type_desc(type_oid)?;
        let ioparam = if t.elem.is_valid() { t.elem } else { t.oid };
        match self.ctx.registry.get(t.input) {
            Some(FnImpl::Input(f)) => {
                f(&self.call_ctx(Collation::NONE, Oid::INVALID, -1, &[]), text, ioparam, typmod)
            }
            _ => Err(Error::unsupported(format_args!("input of type {}", t.name))),
        }
    }

    /// Elements of an array value; `None` if it is not a plain array of known shape.
    pub fn array_elems(&self, array: &Datum, elem_type: Oid) -> Option<Vec<Datum>> {
        crate::exprs::array::elems(self, array, elem_type)
    }
}

/// Calls a function on constants (see [`Evaluator::call`]).
pub fn eval_scalar(
    ctx: &PlannerCtx<'_>,
    funcid: Oid,
    args: &[(Datum, Oid)],
    result_type: Oid,
    collation: Oid,
) -> Result<Datum> {
    Evaluator::new(ctx).call(funcid, args, result_type, -1, collation)
}
