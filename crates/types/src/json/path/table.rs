//! jsonpath functions by OID.

use super::{
    array, exists, first, jsonpath_in, jsonpath_out, jsonpath_recv, jsonpath_send, matches, query, run,
};
use crate::FnImpl;

/// jsonpath functions.
pub static TABLE: &[(u32, FnImpl)] = &[
    (4001, FnImpl::Input(jsonpath_in)),
    (4003, FnImpl::Output(jsonpath_out)),
    (4002, FnImpl::Receive(jsonpath_recv)),
    (4004, FnImpl::Send(jsonpath_send)),
    (4005, FnImpl::Scalar(|c, a, r, o| run(c, a, r, o, false, exists))),
    (4010, FnImpl::Scalar(|c, a, r, o| run(c, a, r, o, false, exists))),
    (1177, FnImpl::Scalar(|c, a, r, o| run(c, a, r, o, true, exists))),
    (4009, FnImpl::Scalar(|c, a, r, o| run(c, a, r, o, false, matches))),
    (4011, FnImpl::Scalar(|c, a, r, o| run(c, a, r, o, false, matches))),
    (2030, FnImpl::Scalar(|c, a, r, o| run(c, a, r, o, true, matches))),
    (4007, FnImpl::Scalar(|c, a, r, o| run(c, a, r, o, false, array))),
    (1180, FnImpl::Scalar(|c, a, r, o| run(c, a, r, o, true, array))),
    (4008, FnImpl::Scalar(|c, a, r, o| run(c, a, r, o, false, first))),
    (2023, FnImpl::Scalar(|c, a, r, o| run(c, a, r, o, true, first))),
    (4006, FnImpl::Srf(|c, a| query(c, a, false))),
    (1179, FnImpl::Srf(|c, a| query(c, a, true))),
];
