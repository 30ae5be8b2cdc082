//! Results of set-returning functions that are made at once.

use common::Result;
use types::{CallCtx, Column, Datum, RowSource};

/// Rows handed out one batch after the other.
pub struct Made {
    rows: std::vec::IntoIter<Vec<Datum>>,
}

/// A source of these rows.
pub fn made(rows: Vec<Vec<Datum>>) -> Result<Box<dyn RowSource>> {
    Ok(Box::new(Made { rows: rows.into_iter() }))
}

impl RowSource for Made {
    fn next(&mut self, _: &CallCtx<'_>, out: &mut [Column], max: usize) -> Result<usize> {
        let mut n = 0;
        for row in self.rows.by_ref().take(max) {
            for (c, d) in out.iter_mut().zip(&row) {
                c.push(d.as_ref());
            }
            n += 1;
        }
        Ok(n)
    }
}

/// A text, or NULL.
pub fn opt_text(s: Option<impl AsRef<str>>) -> Datum {
    s.map_or(Datum::Null, |s| Datum::text(s.as_ref()))
}
