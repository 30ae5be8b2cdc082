//! The client's side of COPY FROM STDIN, and rows that utility statements return.

use super::Session;
use common::{Encoding, Result, bail, err};
use protocol::Field;
use protocol::frontend::utf8;
use types::Datum;

impl Session {
    pub(super) fn copy_in_begin(
        &self,
        binary: bool,
        columns: usize,
        encoding: Option<Encoding>,
    ) -> Result<()> {
        self.set_copy_encoding(binary, encoding);
        let mut conn = self.conn.borrow_mut();
        self.write_notices(&mut conn);
        conn.out.copy_response(b'G', binary, columns);
        conn.flush()
    }

    pub(super) fn copy_out_begin(
        &self,
        binary: bool,
        columns: usize,
        encoding: Option<Encoding>,
    ) -> Result<()> {
        self.set_copy_encoding(binary, encoding);
        self.conn.borrow_mut().out.copy_response(b'H', binary, columns);
        Ok(())
    }

    pub(super) fn copy_out_row(&self, data: &[u8]) -> Result<()> {
        self.count_copied(data.len());
        let mut conn = self.conn.borrow_mut();
        match self.copy_encoding.get() {
            None => conn.out.copy_data(data),
            Some(e) => conn.out.copy_data(&e.encode(utf8(data)?)?),
        }
        conn.flush_if_full()
    }

    fn count_copied(&self, bytes: usize) {
        use ipc::progress::{Command, copy::BYTES};
        self.engine.proc().progress.add(Command::Copy, BYTES, bytes as i64);
    }

    /// The encoding the stream is turned from or into: none for UTF-8 and for binary data.
    fn set_copy_encoding(&self, binary: bool, encoding: Option<Encoding>) {
        let client = self.conn.borrow().out.encoding();
        let encoding = encoding.map_or(client, |e| (!e.is_identity()).then_some(e));
        self.copy_encoding.set(encoding.filter(|_| !binary));
        self.copy_rest.borrow_mut().clear();
    }

    /// Appends a piece of the client's stream in UTF-8. A piece may end within a character: what stands behind its last
    /// newline waits for the next one. (No encoding has a newline's byte within a character.)
    fn append_copy_data(&self, e: Encoding, data: &[u8], last: bool, buf: &mut Vec<u8>) -> Result<()> {
        let mut rest = self.copy_rest.borrow_mut();
        rest.extend_from_slice(data);
        let end = if last { rest.len() } else { rest.iter().rposition(|&b| b == b'\n').map_or(0, |n| n + 1) };
        buf.extend_from_slice(e.decode(&rest[..end])?.as_bytes());
        rest.drain(..end);
        Ok(())
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
                    self.count_copied(conn.body().len());
                    match self.copy_encoding.get() {
                        None => buf.extend_from_slice(conn.body()),
                        Some(e) => self.append_copy_data(e, conn.body(), false, buf)?,
                    }
                    return Ok(true);
                }
                b'c' => {
                    if let Some(e) = self.copy_encoding.get() {
                        self.append_copy_data(e, b"", true, buf)?;
                    }
                    return Ok(false);
                }
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
        if self.describe_utility.get() && self.in_utility.get() == 0 {
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
        if self.in_utility.get() > 0 {
            return Ok(());
        }
        let format = self.row_format(types, &self.utility_formats.borrow())?;
        let mut conn = self.conn.borrow_mut();
        self.write_notices(&mut conn);
        format.write_row(self, &mut conn, row)
    }
}
