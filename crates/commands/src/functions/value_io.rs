//! Reading a value of any type by its catalog row: what record, array and domain input are made of.

use super::env;
use common::{Error, Oid, Result};
use types::{CallCtx, Datum, DatumRef, FnImpl};

/// What a type's input and receive functions get as their second argument.
fn ioparam(t: &catalog::desc::TypeDesc) -> Oid {
    if t.elem.is_valid() { t.elem } else { t.oid }
}

/// A value from text; NULL passes through, but for domains, which may refuse it.
pub fn input_value(c: &CallCtx<'_>, type_oid: Oid, typmod: i32, text: Option<&str>) -> Result<Datum> {
    let t = env(c)?.catalog.type_desc(type_oid)?;
    let Some(text) = text else {
        if t.typtype == b'd' {
            super::domains::check(c, type_oid, &Datum::Null)?;
        }
        return Ok(Datum::Null);
    };
    match c.registry.get(t.input) {
        Some(FnImpl::Input(f)) => f(c, text, ioparam(&t), typmod),
        _ if t.typtype == b'p' => {
            Err(common::err!(FEATURE_NOT_SUPPORTED, "cannot accept a value of type {}", t.name))
        }
        _ => Err(Error::unsupported(format_args!("input of type {}", t.name))),
    }
}

/// A value from its binary form.
pub fn receive_value(c: &CallCtx<'_>, type_oid: Oid, typmod: i32, wire: Option<&[u8]>) -> Result<Datum> {
    let t = env(c)?.catalog.type_desc(type_oid)?;
    let Some(wire) = wire else {
        return input_value(c, type_oid, typmod, None);
    };
    match c.registry.get(t.receive) {
        Some(FnImpl::Receive(f)) => f(c, wire, ioparam(&t), typmod),
        _ => Err(Error::unsupported(format_args!("binary input of type {}", t.name))),
    }
}

/// A value as text, appended.
pub fn output_value(c: &CallCtx<'_>, type_oid: Oid, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    let t = env(c)?.catalog.type_desc(type_oid)?;
    match c.registry.get(t.output) {
        Some(FnImpl::Output(f)) => f(c, v, out),
        _ => Err(Error::unsupported(format_args!("output of type {}", t.name))),
    }
}
