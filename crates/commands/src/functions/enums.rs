//! Enums: text and binary form, `enum_first`, `enum_last`, `enum_range`.

use super::env;
use catalog::cache::EnumLabel;
use common::{Error, Oid, Result, bail, err};
use types::array::build_1d;
use types::user_type::enum_label;
use types::{Arg, CallCtx, Column, Datum, DatumRef, FnImpl, Rows};

/// Enum functions by OID.
pub static TABLE: &[(u32, FnImpl)] = &[
    (3505, FnImpl::Output(enum_out)),
    (3506, FnImpl::Input(enum_in)),
    (3507, FnImpl::Output(enum_out)),
    (3532, FnImpl::Receive(enum_recv)),
    (3533, FnImpl::Send(enum_out)),
    (3528, FnImpl::Scalar(|c, _, r, o| whole(c, "enum_first", r, o, |l| l.first().map(EnumLabel::value)))),
    (3529, FnImpl::Scalar(|c, _, r, o| whole(c, "enum_last", r, o, |l| l.last().map(EnumLabel::value)))),
    (3530, FnImpl::Scalar(range_bounds)),
    (3531, FnImpl::Scalar(range_all)),
];

fn enum_in(c: &CallCtx<'_>, s: &str, type_oid: Oid, _: i32) -> Result<Datum> {
    let catalog = &env(c)?.catalog;
    let labels = catalog.enum_labels(type_oid)?;
    let Some(l) = labels.iter().find(|l| &*l.label == s) else {
        let name = types::text_io::quote_identifier(&catalog.type_desc(type_oid)?.name).into_owned();
        bail!(INVALID_TEXT_REPRESENTATION, "invalid input value for enum {name}: \"{s}\"");
    };
    check_committed(c, l.oid, s, type_oid)?;
    Ok(Datum::I64(l.value()))
}

/// A label that this transaction added to an older type may not be used: an index would outlive its rollback. 55P04.
fn check_committed(c: &CallCtx<'_>, label: Oid, s: &str, type_oid: Oid) -> Result<()> {
    let catalog = &env(c)?.catalog;
    if !catalog.is_new_enum_label(label)? {
        return Ok(());
    }
    let name = types::text_io::quote_identifier(&catalog.type_desc(type_oid)?.name).into_owned();
    Err(err!(UNSAFE_NEW_ENUM_VALUE_USAGE, "unsafe use of new value \"{s}\" of enum type {name}")
        .hint("New enum values must be committed before they can be used."))
}

fn enum_recv(c: &CallCtx<'_>, wire: &[u8], type_oid: Oid, typmod: i32) -> Result<Datum> {
    match std::str::from_utf8(wire) {
        Ok(s) => enum_in(c, s, type_oid, typmod),
        Err(_) => Err(err!(CHARACTER_NOT_IN_REPERTOIRE, "invalid byte sequence for encoding \"UTF8\"")),
    }
}

fn enum_out(c: &CallCtx<'_>, v: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()> {
    let label = enum_label(v.i64());
    match env(c)?.catalog.enum_label(label)? {
        Some(text) => out.extend_from_slice(text.as_bytes()),
        None => bail!(INVALID_BINARY_REPRESENTATION, "invalid internal value for enum: {label}"),
    }
    Ok(())
}

/// The enum type of the call.
fn call_type(c: &CallCtx<'_>) -> Result<Oid> {
    match c.arg_types.iter().find(|t| t.is_valid()) {
        Some(t) => Ok(*t),
        None => bail!(FEATURE_NOT_SUPPORTED, "could not determine actual enum type"),
    }
}

fn whole(
    c: &CallCtx<'_>,
    _name: &str,
    rows: Rows<'_>,
    out: &mut Column,
    pick: impl Fn(&[EnumLabel]) -> Option<i64>,
) -> Result<()> {
    let t = call_type(c)?;
    let labels = env(c)?.catalog.enum_labels(t)?;
    check_all(c, t, &labels)?;
    let Some(v) = pick(&labels) else {
        let name = env(c)?.catalog.type_label(t)?;
        bail!(OBJECT_NOT_IN_PREREQUISITE_STATE, "enum {name} contains no values");
    };
    out.resize(rows.bound());
    rows.each(|i| {
        out.set(i, DatumRef::I64(v));
        Ok::<(), Error>(())
    })
}

fn check_all(c: &CallCtx<'_>, t: Oid, labels: &[EnumLabel]) -> Result<()> {
    labels.iter().try_for_each(|l| check_committed(c, l.oid, &l.label, t))
}

fn range(t: Oid, labels: &[EnumLabel], lo: Option<i64>, hi: Option<i64>) -> Datum {
    let inside = labels
        .iter()
        .map(EnumLabel::value)
        .filter(|v| lo.is_none_or(|l| *v >= l) && hi.is_none_or(|h| *v <= h));
    build_1d(t, inside.map(DatumRef::I64).collect::<Vec<_>>())
}

fn range_all(c: &CallCtx<'_>, _: &[Arg<'_>], rows: Rows<'_>, out: &mut Column) -> Result<()> {
    let t = call_type(c)?;
    let labels = env(c)?.catalog.enum_labels(t)?;
    check_all(c, t, &labels)?;
    let all = range(t, &labels, None, None);
    out.resize(rows.bound());
    rows.each(|i| {
        out.set(i, all.as_ref());
        Ok::<(), Error>(())
    })
}

fn range_bounds(c: &CallCtx<'_>, args: &[Arg<'_>], rows: Rows<'_>, out: &mut Column) -> Result<()> {
    let t = call_type(c)?;
    let labels = env(c)?.catalog.enum_labels(t)?;
    let bound = |a: &Arg<'_>, i: usize| if a.is_null(i) { None } else { Some(a.get(i).i64()) };
    out.resize(rows.bound());
    rows.each(|i| {
        out.set(i, range(t, &labels, bound(&args[0], i), bound(&args[1], i)).as_ref());
        Ok::<(), Error>(())
    })
}
