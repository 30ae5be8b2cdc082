//! Comparison of enum values. Their text is in the catalog: input and output live in `commands`.

use crate::int::{int_cmp, int_hash};
use crate::{FnImpl, k2};

/// Enum functions that need no catalog.
pub static TABLE: &[(u32, FnImpl)] = &[
    (3508, k2!(|a: i64, b: i64| a == b)),
    (3509, k2!(|a: i64, b: i64| a != b)),
    (3510, k2!(|a: i64, b: i64| a < b)),
    (3511, k2!(|a: i64, b: i64| a > b)),
    (3512, k2!(|a: i64, b: i64| a <= b)),
    (3513, k2!(|a: i64, b: i64| a >= b)),
    (3514, FnImpl::Cmp(int_cmp)),
    (3515, FnImpl::Hash(int_hash)),
    (3524, k2!(|a: i64, b: i64| a.min(b))),
    (3525, k2!(|a: i64, b: i64| a.max(b))),
];
