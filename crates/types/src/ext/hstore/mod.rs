//! hstore: sets of key and value, both text, values possibly NULL.

mod io;
mod ops;
mod value;

pub(crate) use ops::{node, to_json};

use super::Symbol;
use crate::FnImpl;
use crate::Phys;
use crate::typeinfo::TypeInfo;
use crate::{cw1, k1, k2, w1, w2};
use common::Oid;

pub const TYPE: TypeInfo = TypeInfo {
    oid: Oid(0),
    name: "hstore",
    len: -1,
    align: b'i',
    storage: b'x',
    elem: Oid(0),
    array: Oid(0),
    input: Oid(9520),
    output: Oid(9521),
    receive: Oid(9522),
    send: Oid(9523),
    cmp: Oid(9530),
    hash: Oid(9531),
    phys: Phys::Bytes,
};

pub static SYMBOLS: &[Symbol] = &[
    ("hstore_in", 9520, FnImpl::Input(io::hstore_in)),
    ("hstore_out", 9521, FnImpl::Output(io::hstore_out)),
    ("hstore_recv", 9522, FnImpl::Receive(io::hstore_recv)),
    ("hstore_send", 9523, FnImpl::Send(io::hstore_send)),
    ("hstore_eq", 9524, k2!(ops::eq)),
    ("hstore_ne", 9525, k2!(ops::ne)),
    ("hstore_lt", 9526, k2!(ops::lt)),
    ("hstore_le", 9527, k2!(ops::le)),
    ("hstore_gt", 9528, k2!(ops::gt)),
    ("hstore_ge", 9529, k2!(ops::ge)),
    ("hstore_cmp", 9530, FnImpl::Cmp(ops::cmp)),
    ("hstore_hash", 9531, FnImpl::Hash(ops::hash)),
    ("hstore_hash_extended", 9532, k2!(ops::hash_extended)),
    ("hstore_version_diag", 9533, k1!(ops::version_diag)),
    ("hstore_fetchval", 9534, k2!(ops::fetchval)),
    ("hstore_exists", 9535, k2!(ops::exists)),
    ("hstore_defined", 9536, k2!(ops::defined)),
    ("hstore_exists_any", 9537, k2!(ops::exists_any)),
    ("hstore_exists_all", 9538, k2!(ops::exists_all)),
    ("hstore_slice_to_array", 9539, w2!(ops::slice_to_array)),
    ("hstore_slice_to_hstore", 9540, w2!(ops::slice_to_hstore)),
    ("hstore_delete", 9541, w2!(ops::delete)),
    ("hstore_delete_array", 9542, w2!(ops::delete_array)),
    ("hstore_delete_hstore", 9543, w2!(ops::delete_hstore)),
    ("hstore_concat", 9544, w2!(ops::concat)),
    ("hstore_contains", 9545, k2!(ops::contains)),
    ("hstore_contained", 9546, k2!(ops::contained)),
    ("hstore_from_text", 9547, w2!(ops::from_text)),
    ("hstore_from_arrays", 9548, w2!(ops::from_arrays)),
    ("hstore_from_array", 9549, w1!(ops::from_array)),
    ("hstore_from_record", 9550, cw1!(ops::from_record)),
    ("hstore_to_array", 9551, k1!(ops::to_array)),
    ("hstore_to_matrix", 9552, w1!(ops::to_matrix)),
    ("hstore_akeys", 9553, k1!(ops::akeys)),
    ("hstore_avals", 9554, k1!(ops::avals)),
    ("hstore_skeys", 9555, FnImpl::Srf(ops::skeys)),
    ("hstore_svals", 9556, FnImpl::Srf(ops::svals)),
    ("hstore_each", 9557, FnImpl::Srf(ops::each)),
    ("hstore_to_json", 9558, w1!(ops::to_json)),
    ("hstore_to_json_loose", 9559, w1!(ops::to_json_loose)),
    ("hstore_to_jsonb", 9560, k1!(ops::to_jsonb)),
    ("hstore_to_jsonb_loose", 9561, k1!(ops::to_jsonb_loose)),
    ("hstore_subscript_handler", 9562, FnImpl::Scalar(ops::subscript_handler)),
];
