//! The client's side of COPY FROM STDIN, and rows that utility statements return.

use super::Session;
use common::{Result, bail, err};
use protocol::Field;
use types::Datum;

impl Session {
    pub(super) fn copy_in_begin(&self, binary: bool, columns: usize) -> Result<()> {
        let mut conn = self.conn.borrow_mut();
        self.write_notices(&mut conn);
        conn.out.copy_response(b'G', binary, columns);
        conn.flush()
    }

    /// Appends the data of the client's next CopyData; false at CopyDone.
    pub(super) fn copy_in_read(&self, buf: &mut Vec<u8>) -> Result<bool> {
        loop {
            self.engine.check_interrupts()?;
            let mut conn = self.conn.borrow_mut();
            let Some(kind) = conn.read_message()? else {
                return Err(err!(
                    CONNECTION_FAILURE,
                    "unexpected EOF on client connection with an open transaction"
                )
                .fatal());
            };
            match kind {
                b'd' => {
                    buf.extend_from_slice(conn.body());
                    return Ok(true);
                }
                b'c' => return Ok(false),
                b'f' => {
                    let body = conn.body();
                    let text = String::from_utf8_lossy(body.strip_suffix(b"\0").unwrap_or(body)).into_owned();
                    bail!(QUERY_CANCELED, "COPY from stdin failed: {text}");
                }
                // Allowed in between and meaningless there.
                b'H' | b'S' => {}
                k => {
                    let what =
                        err!(PROTOCOL_VIOLATION, "unexpected message type 0x{k:02X} during COPY from stdin");
                    conn.out.report(what.report(), None);
                    let lost = "terminating connection because protocol synchronization was lost";
                    return Err(err!(PROTOCOL_VIOLATION, "{lost}").fatal());
                }
            }
        }
    }

    /// Columns of a utility statement's result.
    pub(super) fn begin_utility_rows(&self, columns: &[Field]) -> Result<()> {
        if self.describe_utility.get() {
            let mut columns = columns.to_vec();
            let formats = self.utility_formats.borrow();
            for (i, c) in columns.iter_mut().enumerate() {
                c.format = super::format::format_of(&formats, i)?;
            }
            self.conn.borrow_mut().out.row_description(&columns);
        }
        Ok(())
    }

    pub(super) fn send_utility_row(&self, row: &[Datum], types: &[common::Oid]) -> Result<()> {
        let format = self.row_format(types, &self.utility_formats.borrow())?;
        let mut conn = self.conn.borrow_mut();
        self.write_notices(&mut conn);
        format.write_row(self, &mut conn, row)
    }
}
