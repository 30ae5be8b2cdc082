//! Calls of functions without code of their own in the registry: the session runs them ([`crate::Session`]). A function
//! of language `internal` is another name for a built-in one and never comes here.

use common::{Oid, Result};
use std::rc::Rc;
use transam::MvccSnapshot;
use types::registry::RowColumn;
use types::{Collation, Column, Datum};

/// One call.
pub struct RoutineCall<'a> {
    pub oid: Oid,
    pub args: &'a [Datum],
    /// Types of the arguments and of the result in this call: pseudo-types stand for something.
    pub arg_types: &'a [Oid],
    pub result_type: Oid,
    pub collation: Oid,
    /// What a column definition list says of the rows; empty without one.
    pub columns: &'a [RowColumn],
    /// What the calling statement sees. A function that is not volatile sees the same.
    pub snapshot: Option<&'a Rc<MvccSnapshot>>,
}

/// What a call is made with, apart from the values.
#[derive(Clone, Debug)]
pub struct RoutineSite {
    pub oid: Oid,
    pub strict: bool,
    pub arg_types: Box<[Oid]>,
    pub result_type: Oid,
    pub collation: Collation,
}

impl RoutineSite {
    /// The call with these values.
    pub fn call<'a>(
        &'a self,
        args: &'a [Datum],
        columns: &'a [RowColumn],
        snapshot: Option<&'a Rc<MvccSnapshot>>,
    ) -> RoutineCall<'a> {
        RoutineCall {
            oid: self.oid,
            args,
            arg_types: &self.arg_types,
            result_type: self.result_type,
            collation: self.collation.oid,
            columns,
            snapshot,
        }
    }
}

/// The rows of a call: values, or composite values.
pub trait RowSet {
    /// Appends up to `max` rows; 0 at the end.
    fn next(&mut self, out: &mut Column, max: usize) -> Result<usize>;
}
