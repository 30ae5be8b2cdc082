//! What planning asks about functions that are not built in: their bodies, to merge them into the query, and their values,
//! to fold calls on constants. The layers above know the languages.

use analyze::query::Query;
use analyze::routine::Shape;
use common::{Oid, Result};
use types::{Datum, TupleDesc};

/// A call whose body is asked for.
pub struct BodyOf<'a> {
    pub funcid: Oid,
    /// Types of the arguments and of the result in this call.
    pub arg_types: &'a [Oid],
    pub result_type: Oid,
    /// The call's input collation.
    pub collation: Oid,
    /// Columns of the rows, where the query says so.
    pub columns: Option<&'a TupleDesc>,
}

/// Implemented by the layers above.
pub trait Routines {
    /// The only statement of an SQL function, rewritten and with its result converted; `None` if there are several, or
    /// one that is no query. Parameters are external ones. Errors say that they come from merging.
    fn single_query(&self, call: &BodyOf<'_>) -> Result<Option<(Query, Shape)>>;
    /// Value of a call on constants.
    fn call(&self, funcid: Oid, args: &[(Datum, Oid)], result_type: Oid, collation: Oid) -> Result<Datum>;
    /// May the current user call the function?
    fn may_execute(&self, funcid: Oid) -> Result<bool>;
}
