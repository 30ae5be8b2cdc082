//! Code behind a comparison that is not in the registry: a function of a user's own, run by the session. Comparisons,
//! hashes and kernels are plain function pointers that are called with a [`Collation`]; where the function is a user's,
//! the pointer is one of those below, and the collation carries the [`Code`] it calls.

use super::Collation;
use crate::column::{Arg, Column, Rows};
use crate::datum::DatumRef;
use crate::registry::CallCtx;
use common::{Error, Result};
use std::cmp::Ordering;
use std::fmt;

/// A function of a user's own as a comparison, a hash or a kernel. Comparisons and hashes have no place for an error: the
/// first one is kept, all later calls answer at once, and whoever acts upon the answers asks [`Code::check`] before.
pub trait Code {
    fn compare(&self, a: DatumRef<'_>, b: DatumRef<'_>) -> Ordering;
    fn hash(&self, v: DatumRef<'_>) -> u64;
    fn kernel(&self, ctx: &CallCtx<'_>, args: &[Arg<'_>], rows: Rows<'_>, out: &mut Column) -> Result<()>;
    /// The error of an earlier call.
    fn check(&self) -> Result<()>;
}

/// Lives to the process's end, like a locale: there is one for each function a session compares by.
pub struct OwnCode(pub Box<dyn Code>);

impl fmt::Debug for OwnCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OwnCode")
    }
}

/// [`crate::CmpFn`] of a function of one's own.
pub fn own_cmp(c: Collation, a: DatumRef<'_>, b: DatumRef<'_>) -> Ordering {
    c.code().map_or(Ordering::Equal, |code| code.0.compare(a, b))
}

/// [`crate::HashFn`] of a function of one's own.
pub fn own_hash(c: Collation, v: DatumRef<'_>) -> u64 {
    c.code().map_or(0, |code| code.0.hash(v))
}

/// [`crate::ScalarKernel`] of a function of one's own.
pub fn own_kernel(ctx: &CallCtx<'_>, args: &[Arg<'_>], rows: Rows<'_>, out: &mut Column) -> Result<()> {
    match ctx.collation.code() {
        Some(code) => code.0.kernel(ctx, args, rows, out),
        None => Err(Error::internal("a user's function without its code")),
    }
}
