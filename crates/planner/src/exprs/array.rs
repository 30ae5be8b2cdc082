//! One-dimensional array values: taking them apart for estimates and putting constant ones together.

use super::eval::Evaluator;
use super::strip_relabel;
use analyze::expr::{Const, Expr};
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

/// The elements of a constant array as constants, if there are not too many.
pub fn array_constants(e: &Expr) -> Option<Vec<Expr>> {
    match strip_relabel(e) {
        Expr::Const(c) => {
            let Datum::Bytes(b) = &c.value else { return None };
            let a = ArrayRef::new(b).ok()?;
            let elem = a.elem.oid;
            let list = a.to_vec().ok()?;
            if list.len() > 100 {
                return None;
            }
            let one = |d: types::DatumRef<'_>| {
                Expr::Const(Const {
                    consttype: elem,
                    typmod: -1,
                    collation: c.collation,
                    value: d.to_owned(),
                    location: None,
                })
            };
            Some(list.into_iter().map(one).collect())
        }
        _ => None,
    }
}

/// A one-dimensional array of the elements; `None` if the element type is not understood.
pub fn build(ev: &Evaluator<'_>, vals: &[Datum], elem_type: Oid) -> Option<Datum> {
    let elem = ev.ctx.catalog.storage_type(elem_type).ok()?;
    Some(build_1d(elem, vals.iter().map(Datum::as_ref)))
}
