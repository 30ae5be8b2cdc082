//! A built-in function that returns one row of OUT columns, called where a value is wanted: the row as a record. In FROM
//! such a function fills columns (node/function_scan.rs).

use crate::expr::eval::call_ctx;
use crate::expr::program::{CallInfo, Src, State};
use crate::run::Exec;
use common::{Oid, Result};
use types::record::build_named;
use types::registry::SrfFn;
use types::{Batch, Column, Datum, DatumRef, Phys, Rows, oids};

/// The call and the shape of its row.
#[derive(Clone)]
pub(crate) struct OneRow {
    pub f: SrfFn,
    pub args: Box<[Src]>,
    pub info: CallInfo,
    pub strict: bool,
    pub types: Box<[Oid]>,
    pub phys: Box<[Phys]>,
    pub names: Vec<String>,
}

impl OneRow {
    /// Evaluates for each row; a strict function of a NULL, or one without a row, is NULL.
    pub fn run(&self, st: &State, cx: &Exec, input: &Batch, rows: Rows<'_>, out: &mut Column) -> Result<()> {
        let ctx = call_ctx(cx, &self.info);
        out.resize(rows.bound());
        rows.each(|i| {
            let args: Vec<Datum> = self.args.iter().map(|a| st.arg(*a, input).get(i).to_owned()).collect();
            if self.strict && args.iter().any(Datum::is_null) {
                out.nulls.set(i);
                return Ok(());
            }
            let mut columns: Vec<Column> = self.phys.iter().map(|p| Column::new(*p)).collect();
            if (self.f)(&ctx, &args)?.next(&ctx, &mut columns, 1)? == 0 {
                out.nulls.set(i);
                return Ok(());
            }
            let fields = self.types.iter().zip(&columns).map(|(t, c)| (*t, c.get(0)));
            let fields: Vec<(Oid, DatumRef<'_>)> = fields.collect();
            out.set(i, build_named(oids::RECORD, fields.iter().copied(), &self.names).as_ref());
            Ok(())
        })
    }
}
