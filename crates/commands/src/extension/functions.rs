//! What there is to create: `pg_available_extensions` and its kin.

use super::registry::{EXTENSIONS, find};
use crate::functions::rows::made;
use catalog::literal;
use common::Result;
use types::registry::RowSource;
use types::{CallCtx, Datum, FnImpl};

pub static TABLE: &[(u32, FnImpl)] =
    &[(3082, FnImpl::Srf(available)), (3083, FnImpl::Srf(versions)), (3084, FnImpl::Srf(update_paths))];

fn available(_: &CallCtx<'_>, _: &[Datum]) -> Result<Box<dyn RowSource>> {
    made(
        EXTENSIONS
            .iter()
            .map(|x| vec![Datum::text(x.name), Datum::text(x.version), Datum::text(x.comment)])
            .collect(),
    )
}

fn versions(_: &CallCtx<'_>, _: &[Datum]) -> Result<Box<dyn RowSource>> {
    let row = |x: &&super::registry::Extension| {
        let names: Vec<Datum> = x.requires.iter().map(|n| Datum::text(n)).collect();
        let requires =
            if names.is_empty() { Datum::Null } else { literal::make_array(types::oids::NAME, &names, 1) };
        vec![
            Datum::text(x.name),
            Datum::text(x.version),
            Datum::Bool(x.superuser),
            Datum::Bool(x.trusted),
            Datum::Bool(x.relocatable),
            Datum::Null,
            requires,
            Datum::text(x.comment),
        ]
    };
    made(EXTENSIONS.iter().map(row).collect())
}

/// One version has no way to another.
fn update_paths(_: &CallCtx<'_>, args: &[Datum]) -> Result<Box<dyn RowSource>> {
    if let Some(Datum::Bytes(b)) = args.first() {
        let name = std::str::from_utf8(b).unwrap_or("");
        if find(name).is_none() {
            common::bail!(FEATURE_NOT_SUPPORTED, "extension \"{name}\" is not available");
        }
    }
    made(Vec::new())
}
