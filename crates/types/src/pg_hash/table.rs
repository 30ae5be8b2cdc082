//! Hash functions by OID.

use super::value::rows;
use crate::column::{Arg, Column, Rows};
use crate::{CallCtx, FnImpl, ScalarKernel};
use common::{Oid, Result};

/// The kernel of a type, whose OID is `T`.
fn of<const T: u32>(_: &CallCtx<'_>, args: &[Arg<'_>], r: Rows<'_>, out: &mut Column) -> Result<()> {
    rows(Oid(T), args, r, out)
}

macro_rules! extended {
    ($($oid:literal $t:literal;)*) => {
        /// The functions that take a seed.
        pub static EXTENDED: &[(u32, FnImpl)] = &[$(($oid, FnImpl::Scalar(of::<$t>)),)*];
    };
}
extended! {
    425 23; 441 21; 442 20; 443 700; 444 701; 445 26; 446 18; 447 19; 448 25; 772 17; 776 30; 778 829; 779 869;
    780 1700; 781 774; 782 2277; 972 1042; 2234 27; 3409 1083; 3410 1266; 3411 1114; 3412 2950; 3413 3220; 3414 3500;
    3416 3802; 3417 3831; 3418 1186; 4279 3831; 6193 2249;
}

macro_rules! plain {
    ($($oid:literal $t:literal;)*) => {
        /// What a call of a hash support function from SQL runs.
        pub fn kernel(oid: Oid) -> Option<ScalarKernel> {
            Some(match oid.0 {
                $($oid => of::<$t>,)*
                _ => return None,
            })
        }
    };
}
plain! {
    328 774; 399 829; 400 25; 422 869; 432 1700; 449 21; 450 23; 451 700; 452 701; 453 26; 454 18; 455 19; 456 17;
    457 30; 626 2277; 949 20; 1080 1042; 1688 1083; 1696 1266; 1697 1186; 2039 1114; 2233 27; 2963 2950; 3252 3220;
    3515 3500; 3902 3831; 4045 3802; 4278 3831; 6192 2249;
}
