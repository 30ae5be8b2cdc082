//! One-dimensional array values: taking them apart for estimates and putting constant ones together.

use super::eval::Evaluator;
use common::Oid;
use types::Datum;
use types::array::{ArrayRef, build_1d};

/// Elements of an array; `None` if it cannot be read.
pub fn elems(_ev: &Evaluator<'_>, array: &Datum, _elem_type: Oid) -> Option<Vec<Datum>> {
    let Datum::Bytes(b) = array else { return None };
    let a = ArrayRef::new(b).ok()?;
    Some(a.to_vec().ok()?.into_iter().map(|d| d.to_owned()).collect())
}

/// Number of elements of an array; `None` if it cannot be read.
pub fn length(array: &Datum) -> Option<usize> {
    let Datum::Bytes(b) = array else { return None };
    Some(ArrayRef::new(b).ok()?.len())
}

/// A one-dimensional array of the elements; `None` if the element type is not understood.
pub fn build(ev: &Evaluator<'_>, vals: &[Datum], elem_type: Oid) -> Option<Datum> {
    let elem = ev.ctx.catalog.storage_type(elem_type).ok()?;
    Some(build_1d(elem, vals.iter().map(Datum::as_ref)))
}
