//! Code of extensions whose types are compiled in. `pg_proc` has their functions in language C; what their symbols stand
//! for is said here. The code has OIDs of its own, which no function of a database has: [`symbol`] finds them.

mod citext;
mod hstore;
mod pgcrypto;
mod uuid_ossp;

use crate::FnImpl;
use crate::typeinfo::TypeInfo;
use common::Oid;

/// A function of an extension: symbol, OID of its code, the code.
pub type Symbol = (&'static str, u32, FnImpl);

/// Libraries, and what they export.
static LIBRARIES: &[(&str, &[Symbol])] = &[
    ("citext", citext::SYMBOLS),
    ("hstore", hstore::SYMBOLS),
    ("uuid-ossp", uuid_ossp::SYMBOLS),
    ("pgcrypto", pgcrypto::SYMBOLS),
];

/// The code behind a symbol of a library (`$libdir/` in front or not).
pub fn symbol(library: &str, name: &str) -> Option<Oid> {
    let library = library.strip_prefix("$libdir/").unwrap_or(library);
    let (_, symbols) = LIBRARIES.iter().find(|l| l.0 == library)?;
    symbols.iter().find(|s| s.0 == name).map(|s| Oid(s.1))
}

/// Is there a library of this name?
pub fn has_library(library: &str) -> bool {
    let library = library.strip_prefix("$libdir/").unwrap_or(library);
    LIBRARIES.iter().any(|l| l.0 == library)
}

/// Is this the OID of code, and so of no function?
pub fn is_code(oid: Oid) -> bool {
    (9500..10_000).contains(&oid.0)
}

/// Is this the type hstore of a database?
pub fn is_hstore(t: Oid) -> bool {
    crate::UserClass::Base.is(t)
        && crate::user_type::model_info(t).is_some_and(|m| m.input == hstore::TYPE.input)
}
pub(crate) use hstore::{node as hstore_node, to_json as hstore_to_json};

/// All code, for the registry.
pub fn table() -> Vec<(u32, FnImpl)> {
    LIBRARIES.iter().flat_map(|l| l.1.iter().map(|s| (s.1, s.2))).collect()
}

/// The code of an OID.
pub(crate) fn code(oid: Oid) -> Option<FnImpl> {
    LIBRARIES.iter().flat_map(|l| l.1.iter()).find(|s| s.1 == oid.0).map(|s| s.2)
}

/// Storage of the types of extensions, by extension and name. The order is that of [`crate::user_type`]'s models, which
/// types' OIDs in databases tell: it never changes.
pub(crate) static TYPES: &[(&str, &str, TypeInfo)] =
    &[("citext", "citext", citext::TYPE), ("hstore", "hstore", hstore::TYPE)];
