//! nextval and its kin as SQL functions.

use super::env;
use crate::sequence as seq;
use common::{Oid, Result};
use types::{CallCtx, FnImpl, c0, c1, c2, c3};

pub static TABLE: &[(u32, FnImpl)] = &[
    (1574, c1!(nextval)),
    (1575, c1!(currval)),
    (2559, c0!(lastval)),
    (1576, c2!(setval)),
    (1765, c3!(setval_called)),
    (4032, c1!(last_value)),
];

fn nextval(c: &CallCtx<'_>, sequence: u32) -> Result<i64> {
    seq::nextval(env(c)?, Oid(sequence))
}

fn currval(c: &CallCtx<'_>, sequence: u32) -> Result<i64> {
    seq::currval(env(c)?, Oid(sequence))
}

fn lastval(c: &CallCtx<'_>) -> Result<i64> {
    seq::lastval(env(c)?)
}

fn setval(c: &CallCtx<'_>, sequence: u32, value: i64) -> Result<i64> {
    seq::setval(env(c)?, Oid(sequence), value, true)
}

fn setval_called(c: &CallCtx<'_>, sequence: u32, value: i64, called: bool) -> Result<i64> {
    seq::setval(env(c)?, Oid(sequence), value, called)
}

fn last_value(c: &CallCtx<'_>, sequence: u32) -> Result<Option<i64>> {
    seq::last_value(env(c)?, Oid(sequence))
}
