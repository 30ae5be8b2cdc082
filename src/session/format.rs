//! Turning result rows into DataRow messages: one encoder a column, looked up once per result.

use super::Session;
use super::socket::ClientSocket;
use analyze::OutputColumn;
use common::{Encoding, Error, Oid, Result};
use protocol::{Connection, Field};
use std::rc::Rc;
use types::registry::{OutputFn, SendFn};
use types::{Batch, CallCtx, DatumRef, FnImpl, FormatSettings, oids};

/// How a column's values become bytes.
#[derive(Clone, Copy)]
enum Encoder {
    /// The bytes as they are: text and its kin in either format, bytea in binary.
    Raw,
    /// int4 and int8 in text.
    Int,
    Text(OutputFn),
    Binary(SendFn),
}

/// Encoders for the columns of a result.
pub struct RowFormat {
    encoders: Vec<Encoder>,
    fmt: Rc<FormatSettings>,
    /// The client's encoding where it is not UTF-8, and the columns whose bytes are text.
    encoding: Option<(Encoding, Vec<bool>)>,
}

impl Session {
    /// Looks up the encoders. `formats` is the list of Bind: empty, one, or one a column.
    pub(super) fn row_format(&self, types: &[Oid], formats: &[i16]) -> Result<RowFormat> {
        let encoders = types
            .iter()
            .enumerate()
            .map(|(i, t)| self.encoder(*t, format_of(formats, i)?))
            .collect::<Result<Vec<Encoder>>>()?;
        let encoding = match self.conn.try_borrow() {
            Ok(c) => c.out.encoding(),
            Err(_) => None,
        };
        let encoding = match encoding {
            None => None,
            Some(e) => Some((
                e,
                types
                    .iter()
                    .enumerate()
                    .map(|(i, t)| Ok(format_of(formats, i)? == 0 || is_text_in_binary(*t)))
                    .collect::<Result<_>>()?,
            )),
        };
        Ok(RowFormat { encoders, fmt: self.env().fmt.borrow().clone(), encoding })
    }

    fn encoder(&self, type_oid: Oid, format: i16) -> Result<Encoder> {
        match (type_oid, format) {
            (oids::TEXT | oids::VARCHAR | oids::BPCHAR | oids::NAME | oids::UNKNOWN, _)
            | (oids::BYTEA, 1) => {
                return Ok(Encoder::Raw);
            }
            (oids::INT4 | oids::INT8, 0) => return Ok(Encoder::Int),
            _ => {}
        }
        let t = self.catalog.type_desc(type_oid)?;
        let proc = if format == 0 { t.output } else { t.send };
        match self.catalog.registry().get(proc) {
            Some(FnImpl::Output(f)) if format == 0 => Ok(Encoder::Text(f)),
            Some(FnImpl::Send(f)) if format == 1 => Ok(Encoder::Binary(f)),
            _ if format == 1 && !t.send.is_valid() => {
                common::bail!(UNDEFINED_FUNCTION, "no binary output function available for type {}", t.name)
            }
            _ => Err(Error::unsupported(format_args!("output of type {}", t.name))),
        }
    }

    /// RowDescription's fields.
    pub(super) fn fields(&self, columns: &[OutputColumn], formats: &[i16]) -> Result<Vec<Field>> {
        columns
            .iter()
            .enumerate()
            .map(|(i, c)| {
                // A domain's values travel as its base type.
                let t = self.catalog.type_desc(c.type_oid)?;
                let (oid, len) = if t.typtype == b'd' {
                    {
                        let base = self.catalog.storage_type(t.oid)?;
                        (base, self.catalog.type_desc(base)?.len)
                    }
                } else {
                    // Enum values are wider here than the client is told.
                    (c.type_oid, if t.typtype == b'e' { 4 } else { t.len })
                };
                Ok(Field {
                    name: c.name.clone(),
                    table: c.orig_table.0,
                    attno: c.orig_attno,
                    type_oid: oid.0,
                    type_len: len,
                    typmod: c.typmod,
                    format: format_of(formats, i)?,
                })
            })
            .collect()
    }
}

/// Types whose binary form is text.
pub fn is_text_in_binary(t: Oid) -> bool {
    matches!(
        t,
        oids::TEXT
            | oids::VARCHAR
            | oids::BPCHAR
            | oids::NAME
            | oids::UNKNOWN
            | oids::CSTRING
            | oids::JSON
            | oids::JSONB
            | oids::XML
    )
}

/// Format code of column `i`.
pub fn format_of(formats: &[i16], i: usize) -> Result<i16> {
    let f = match formats {
        [] => 0,
        [one] => *one,
        many => many.get(i).copied().unwrap_or(0),
    };
    if f != 0 && f != 1 {
        common::bail!(INVALID_PARAMETER_VALUE, "unsupported format code: {f}");
    }
    Ok(f)
}

impl RowFormat {
    /// Was it made for these settings and this encoding of the client (`None`: UTF-8)?
    pub fn is_for(&self, fmt: &Rc<FormatSettings>, encoding: Option<Encoding>) -> bool {
        Rc::ptr_eq(&self.fmt, fmt) && self.encoding.as_ref().map(|e| e.0) == encoding
    }
    /// Writes the live rows of a batch, at most `columns` of it.
    pub fn write_batch(
        &self,
        session: &Session,
        conn: &mut Connection<ClientSocket>,
        batch: &Batch,
    ) -> Result<()> {
        let ctx = self.ctx(session);
        batch.live().each(|row| {
            conn.out.data_row(self.encoders.len(), |i, buf| {
                let v = batch.cols[i].get(row);
                if v.is_null() {
                    return Ok(false);
                }
                self.append(&ctx, i, v, buf)?;
                Ok::<bool, Error>(true)
            })?;
            conn.flush_if_full()
        })
    }
    /// Writes one row.
    pub fn write_row(
        &self,
        session: &Session,
        conn: &mut Connection<ClientSocket>,
        row: &[types::Datum],
    ) -> Result<()> {
        let ctx = self.ctx(session);
        conn.out.data_row(self.encoders.len(), |i, buf| {
            let v = row[i].as_ref();
            if v.is_null() {
                return Ok(false);
            }
            self.append(&ctx, i, v, buf)?;
            Ok::<bool, Error>(true)
        })?;
        conn.flush_if_full()
    }
    /// A value of column `i` as text; `None` for NULL.
    pub fn text_of(&self, session: &Session, i: usize, v: &types::Datum) -> Result<Option<String>> {
        let v = v.as_ref();
        if v.is_null() {
            return Ok(None);
        }
        let mut buf = Vec::new();
        self.encoders[i].append(&self.ctx(session), v, &mut buf)?;
        Ok(Some(String::from_utf8_lossy(&buf).into_owned()))
    }
    /// Appends a value of column `i` in the client's encoding.
    #[inline]
    fn append(&self, ctx: &CallCtx<'_>, i: usize, v: DatumRef<'_>, buf: &mut Vec<u8>) -> Result<()> {
        let at = buf.len();
        self.encoders[i].append(ctx, v, buf)?;
        match &self.encoding {
            Some((e, text)) if text[i] && !buf[at..].is_ascii() => recode(*e, buf, at),
            _ => Ok(()),
        }
    }
    fn ctx<'a>(&'a self, session: &'a Session) -> CallCtx<'a> {
        CallCtx {
            fmt: &self.fmt,
            registry: session.catalog.registry(),
            collation: types::Collation::NONE,
            result_type: Oid::INVALID,
            result_typmod: -1,
            arg_types: &[],
            variadic: false,
            columns: &[],
            xact_start_us: session.engine.transaction_timestamp(),
            stmt_start_us: session.engine.statement_timestamp(),
            env: session.env().session.fn_env(),
        }
    }
}

impl Encoder {
    #[inline]
    fn append(self, ctx: &CallCtx<'_>, v: DatumRef<'_>, buf: &mut Vec<u8>) -> Result<()> {
        match (self, v) {
            (Encoder::Raw, DatumRef::Bytes(b)) => buf.extend_from_slice(b),
            (Encoder::Int, DatumRef::I32(n)) => append_int(i64::from(n), buf),
            (Encoder::Int, DatumRef::I64(n)) => append_int(n, buf),
            (Encoder::Text(f), v) => f(ctx, v, buf)?,
            (Encoder::Binary(f), v) => f(ctx, v, buf)?,
            (_, v) => return Err(Error::internal(format!("result value of the wrong kind: {v:?}"))),
        }
        Ok(())
    }
}

/// Turns the UTF-8 text behind `at` into another encoding.
fn recode(e: Encoding, buf: &mut Vec<u8>, at: usize) -> Result<()> {
    let text = e.encode(protocol::frontend::utf8(&buf[at..])?)?.into_owned();
    buf.truncate(at);
    buf.extend_from_slice(&text);
    Ok(())
}

fn append_int(n: i64, buf: &mut Vec<u8>) {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    let mut u = n.unsigned_abs();
    loop {
        at -= 1;
        digits[at] = b'0' + (u % 10) as u8;
        u /= 10;
        if u == 0 {
            break;
        }
    }
    if n < 0 {
        buf.push(b'-');
    }
    buf.extend_from_slice(&digits[at..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers() {
        for n in [0, 7, -1, i64::MAX, i64::MIN, 1_000_000] {
            let mut b = Vec::new();
            append_int(n, &mut b);
            assert_eq!(String::from_utf8(b).unwrap(), n.to_string());
        }
    }
}
