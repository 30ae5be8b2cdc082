//! The `reg*` types: object ids that are read and written as names. Input takes a number, `-`, or a name looked up
//! along the search path; output qualifies a name where the search path does not find it.

mod input;
mod names;
mod output;

pub use input::{class as find_class, no_class};
pub use output::class as relation_name;

use common::{Error, Oid, Result};
use types::{CallCtx, Datum, DatumRef, FnImpl, c1};

pub static TABLE: &[(u32, FnImpl)] = &[
    (2218, FnImpl::Input(|c, s, _, _| read(c, s, input::class))),
    (2219, FnImpl::Output(|c, v, o| write(c, v, o, output::class))),
    (2452, FnImpl::Receive(recv)),
    (2453, FnImpl::Send(send)),
    (2220, FnImpl::Input(|c, s, _, _| read(c, s, input::type_))),
    (2221, FnImpl::Output(|c, v, o| write(c, v, o, output::type_))),
    (2454, FnImpl::Receive(recv)),
    (2455, FnImpl::Send(send)),
    (44, FnImpl::Input(|c, s, _, _| read(c, s, input::proc))),
    (45, FnImpl::Output(|c, v, o| write(c, v, o, output::proc))),
    (2444, FnImpl::Receive(recv)),
    (2445, FnImpl::Send(send)),
    (2212, FnImpl::Input(|c, s, _, _| read(c, s, input::procedure))),
    (2213, FnImpl::Output(|c, v, o| write(c, v, o, output::procedure))),
    (2446, FnImpl::Receive(recv)),
    (2447, FnImpl::Send(send)),
    (2214, FnImpl::Input(|c, s, _, _| read(c, s, input::oper))),
    (2215, FnImpl::Output(|c, v, o| write_operator(c, v, o, output::oper))),
    (2448, FnImpl::Receive(recv)),
    (2449, FnImpl::Send(send)),
    (2216, FnImpl::Input(|c, s, _, _| read(c, s, input::operator))),
    (2217, FnImpl::Output(|c, v, o| write_operator(c, v, o, output::operator))),
    (2450, FnImpl::Receive(recv)),
    (2451, FnImpl::Send(send)),
    (4098, FnImpl::Input(|c, s, _, _| read(c, s, input::role))),
    (4092, FnImpl::Output(|c, v, o| write(c, v, o, output::role))),
    (4094, FnImpl::Receive(recv)),
    (4095, FnImpl::Send(send)),
    (4084, FnImpl::Input(|c, s, _, _| read(c, s, input::namespace))),
    (4085, FnImpl::Output(|c, v, o| write(c, v, o, output::namespace))),
    (4087, FnImpl::Receive(recv)),
    (4088, FnImpl::Send(send)),
    (4193, FnImpl::Input(|c, s, _, _| read(c, s, input::collation))),
    (4194, FnImpl::Output(|c, v, o| write(c, v, o, output::collation))),
    (4196, FnImpl::Receive(recv)),
    (4197, FnImpl::Send(send)),
    (3736, FnImpl::Input(|c, s, _, _| read(c, s, input::ts_config))),
    (3737, FnImpl::Output(|c, v, o| write(c, v, o, output::ts_config))),
    (3738, FnImpl::Receive(recv)),
    (3739, FnImpl::Send(send)),
    (3771, FnImpl::Input(|c, s, _, _| read(c, s, input::ts_dict))),
    (3772, FnImpl::Output(|c, v, o| write(c, v, o, output::ts_dict))),
    (3773, FnImpl::Receive(recv)),
    (3774, FnImpl::Send(send)),
    (1079, c1!(|c, s: &str| input::class(c, s)?.map(|o| o.0).ok_or_else(|| input::no_class(s)))),
    (3495, c1!(|c, s: &str| found(input::class(c, s)))),
    (3493, c1!(|c, s: &str| found(input::type_(c, s)))),
    (3494, c1!(|c, s: &str| found(input::proc(c, s)))),
    (3479, c1!(|c, s: &str| found(input::procedure(c, s)))),
    (3492, c1!(|c, s: &str| found(input::oper(c, s)))),
    (3476, c1!(|c, s: &str| found(input::operator(c, s)))),
    (4093, c1!(|c, s: &str| found(input::role(c, s)))),
    (4086, c1!(|c, s: &str| found(input::namespace(c, s)))),
    (4195, c1!(|c, s: &str| found(input::collation(c, s)))),
];

/// Looks a name up; `Ok(None)` never comes out of it with `missing` being an error there.
type Lookup = fn(&CallCtx<'_>, &str) -> Result<Option<Oid>>;

/// An input function: a number, `-`, or a name.
fn read(c: &CallCtx<'_>, text: &str, lookup: Lookup) -> Result<Datum> {
    // A dash is an operator's name.
    let operator = std::ptr::fn_addr_eq(lookup, input::oper as Lookup)
        || std::ptr::fn_addr_eq(lookup, input::operator as Lookup);
    if text == "-" && !operator {
        return Ok(Datum::oid(Oid::INVALID));
    }
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        return match text.parse::<u32>() {
            Ok(n) => Ok(Datum::U32(n)),
            Err(_) => {
                Err(common::err!(NUMERIC_VALUE_OUT_OF_RANGE, "value \"{text}\" is out of range for type oid"))
            }
        };
    }
    match lookup(c, text)? {
        Some(oid) => Ok(Datum::oid(oid)),
        None => Err(input::missing(c, lookup, text)),
    }
}

/// A function by its signature, or 42883.
pub fn procedure_oid(c: &CallCtx<'_>, text: &str) -> Result<Oid> {
    input::procedure(c, text)?.ok_or_else(|| input::missing(c, input::procedure, text))
}

/// A type by its name, or 42704.
pub fn type_oid(c: &CallCtx<'_>, text: &str) -> Result<Oid> {
    input::type_(c, text)?.ok_or_else(|| input::missing(c, input::type_, text))
}

/// A `to_reg*` function: NULL for what does not exist or is not unique.
fn found(r: Result<Option<Oid>>) -> Result<Option<u32>> {
    use common::SqlState as S;
    match r {
        Ok(o) => Ok(o.map(|o| o.0)),
        Err(e)
            if matches!(
                e.sqlstate(),
                S::UNDEFINED_OBJECT | S::AMBIGUOUS_FUNCTION | S::INVALID_SCHEMA_NAME
            ) =>
        {
            Ok(None)
        }
        Err(e) => Err(e),
    }
}

fn write(
    c: &CallCtx<'_>,
    v: DatumRef<'_>,
    out: &mut Vec<u8>,
    name: fn(&CallCtx<'_>, Oid) -> Result<Option<String>>,
) -> Result<()> {
    let oid = v.oid();
    let text = if oid.is_valid() { name(c, oid)? } else { Some("-".into()) };
    out.extend_from_slice(text.unwrap_or_else(|| oid.to_string()).as_bytes());
    Ok(())
}

/// The same for operators, where none is `0`.
fn write_operator(
    c: &CallCtx<'_>,
    v: DatumRef<'_>,
    out: &mut Vec<u8>,
    name: fn(&CallCtx<'_>, Oid) -> Result<Option<String>>,
) -> Result<()> {
    if v.oid().is_valid() {
        return write(c, v, out, name);
    }
    out.push(b'0');
    Ok(())
}

fn recv(_: &CallCtx<'_>, wire: &[u8], _: Oid, _: i32) -> Result<Datum> {
    match wire.first_chunk::<4>() {
        Some(b) if wire.len() == 4 => Ok(Datum::U32(u32::from_be_bytes(*b))),
        _ => Err(Error::new(common::SqlState::PROTOCOL_VIOLATION, "insufficient data left in message")),
    }
}

fn send(_: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    out.extend_from_slice(&v.u32().to_be_bytes());
    Ok(())
}
