//! One-dimensional array values: taking them apart for estimates and putting constant ones together.

use super::eval::Evaluator;
use common::Oid;
use types::Datum;

/// Elements of an array; `None` if it cannot be read.
pub fn elems(ev: &Evaluator<'_>, array: &Datum, elem_type: Oid) -> Option<Vec<Datum>> {
    let _ = (ev, array, elem_type);
    None
}

/// A one-dimensional array of the elements; `None` if the element type is not understood.
pub fn build(ev: &Evaluator<'_>, vals: &[Datum], elem_type: Oid) -> Option<Datum> {
    let _ = (ev, vals, elem_type);
    None
}
