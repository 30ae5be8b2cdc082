//! Input and output of json and jsonb, casts from jsonb, typeof and pretty.

use super::lex::{self, Check};
use super::node::{Value, parse_tree};
use crate::numeric::Num;
use crate::{CallCtx, Datum, DatumRef};
use common::{Error, Oid, Result, bail, err};

fn utf8(b: &[u8]) -> Result<&str> {
    match std::str::from_utf8(b) {
        Ok(s) if !b.contains(&0) => Ok(s),
        Ok(_) => Err(err!(CHARACTER_NOT_IN_REPERTOIRE, "invalid byte sequence for encoding \"UTF8\": 0x00")),
        Err(e) => {
            let at = e.valid_up_to();
            let n = e.error_len().unwrap_or(b.len() - at).clamp(1, 4);
            let bytes: Vec<String> = b[at..at + n].iter().map(|c| format!("0x{c:02x}")).collect();
            Err(err!(
                CHARACTER_NOT_IN_REPERTOIRE,
                "invalid byte sequence for encoding \"UTF8\": {}",
                bytes.join(" ")
            ))
        }
    }
}

pub fn json_in(_: &CallCtx<'_>, s: &str, _: Oid, _: i32) -> Result<Datum> {
    lex::parse(s, false, &mut Check)?;
    Ok(Datum::text(s))
}
pub fn json_out(_: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    out.extend_from_slice(v.bytes());
    Ok(())
}
pub fn json_recv(c: &CallCtx<'_>, b: &[u8], t: Oid, m: i32) -> Result<Datum> {
    json_in(c, utf8(b)?, t, m)
}
pub fn jsonb_in(_: &CallCtx<'_>, s: &str, _: Oid, _: i32) -> Result<Datum> {
    Ok(Datum::bytes(&parse_tree(s)?.to_jsonb()?))
}
pub fn jsonb_out(_: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    Value::root(v.bytes())?.write(out)
}
/// A version byte, then the text.
pub fn jsonb_recv(c: &CallCtx<'_>, b: &[u8], t: Oid, m: i32) -> Result<Datum> {
    match b.split_first() {
        Some((1, text)) => jsonb_in(c, utf8(text)?, t, m),
        Some((v, _)) => Err(Error::internal(format!("unsupported jsonb version number {v}"))),
        None => bail!(PROTOCOL_VIOLATION, "no data left in message"),
    }
}
pub fn jsonb_send(c: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    out.push(1);
    jsonb_out(c, v, out)
}

fn cast_error(v: &Value<'_>, to: &str) -> Error {
    err!(INVALID_PARAMETER_VALUE, "cannot cast jsonb {} to type {}", v.type_name(), to)
}
fn number<'a>(b: &'a [u8], to: &str) -> Result<&'a [u8]> {
    match Value::root(b)? {
        Value::Number(n) => Ok(n),
        v => Err(cast_error(&v, to)),
    }
}
pub fn jsonb_bool(b: &[u8]) -> Result<bool> {
    match Value::root(b)? {
        Value::Bool(v) => Ok(v),
        v => Err(cast_error(&v, "boolean")),
    }
}
pub fn jsonb_numeric(b: &[u8], out: &mut Vec<u8>) -> Result<()> {
    out.extend_from_slice(number(b, "numeric")?);
    Ok(())
}
macro_rules! casts {
    ($($name:ident $t:ty, $to:expr, $range:expr;)*) => {$(
        pub fn $name(b: &[u8]) -> Result<$t> {
            let mut n = Num::unpack(number(b, $to)?)?;
            n.round(0);
            n.to_i128()
                .and_then(|v| <$t>::try_from(v).ok())
                .ok_or_else(|| err!(NUMERIC_VALUE_OUT_OF_RANGE, "{} out of range", $range))
        }
    )*};
}
casts! {
    jsonb_int2 i16, "smallint", "smallint";
    jsonb_int4 i32, "integer", "integer";
    jsonb_int8 i64, "bigint", "bigint";
}
pub fn jsonb_float8(b: &[u8]) -> Result<f64> {
    crate::numeric::to_float(&Num::unpack(number(b, "double precision")?)?)
}
pub fn jsonb_float4(b: &[u8]) -> Result<f32> {
    crate::numeric::numeric_float4(number(b, "real")?)
}

pub fn jsonb_typeof(b: &[u8]) -> Result<&'static str> {
    Ok(Value::root(b)?.type_name())
}
pub fn json_typeof(s: &str) -> &'static str {
    match lex::first_kind(s) {
        b'{' => "object",
        b'[' => "array",
        b'"' => "string",
        b'0' => "number",
        b't' | b'f' => "boolean",
        _ => "null",
    }
}
pub fn jsonb_pretty(b: &[u8], out: &mut Vec<u8>) -> Result<()> {
    Value::root(b)?.write_indented(out, Some(0))
}
