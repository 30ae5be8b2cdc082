//! The extensions this server has. They are compiled in: an entry says what PostgreSQL's control file and script would
//! say, and which Rust code stands behind each function. Functions have fixed OIDs from
//! [`catalog::builtins::EXTENSION_FUNCTIONS`], where no function of PostgreSQL lies; the registry of functions knows them
//! in every database, `pg_proc` only where the extension was created.

use types::FnImpl;

/// An extension.
pub struct Extension {
    pub name: &'static str,
    pub version: &'static str,
    pub comment: &'static str,
    pub relocatable: bool,
    /// Only a superuser may create it …
    pub superuser: bool,
    /// … or who may create things in the database.
    pub trusted: bool,
    pub requires: &'static [&'static str],
    /// Where its C code would be (`probin`).
    pub library: &'static str,
    pub functions: &'static [Function],
    pub views: &'static [View],
    /// Statements that make the rest. `MODULE` is the library; the functions' code is in [`types::ext`].
    pub script: &'static str,
}

/// A function of an extension.
pub struct Function {
    pub oid: u32,
    pub name: &'static str,
    /// Mode (`i`, `o`, `v`), name and type OID. With output arguments it returns a record or that argument.
    pub args: &'static [(u8, &'static str, u32)],
    /// SQL text of the last input arguments' defaults.
    pub defaults: &'static [&'static str],
    pub returns: u32,
    pub retset: bool,
    pub rows: f32,
    pub strict: bool,
    pub volatile: u8,
    pub parallel: u8,
    pub symbol: &'static str,
    /// May everybody call it?
    pub public: bool,
    pub code: FnImpl,
}

/// A view of an extension, which everybody may read.
pub struct View {
    pub name: &'static str,
    pub text: &'static str,
}

/// All of them, by name.
pub static EXTENSIONS: &[&Extension] =
    &[&CITEXT, &HSTORE, &super::pg_stat_statements::EXTENSION, &PGCRYPTO, &UUID_OSSP];

static CITEXT: Extension = Extension {
    name: "citext",
    version: "1.6",
    comment: "data type for case-insensitive character strings",
    relocatable: true,
    superuser: true,
    trusted: true,
    requires: &[],
    library: "$libdir/citext",
    functions: &[],
    views: &[],
    script: include_str!("scripts/citext.sql"),
};

static PGCRYPTO: Extension = Extension {
    name: "pgcrypto",
    version: "1.3",
    comment: "cryptographic functions",
    relocatable: true,
    superuser: true,
    trusted: true,
    requires: &[],
    library: "$libdir/pgcrypto",
    functions: &[],
    views: &[],
    script: include_str!("scripts/pgcrypto.sql"),
};

static UUID_OSSP: Extension = Extension {
    name: "uuid-ossp",
    version: "1.1",
    comment: "generate universally unique identifiers (UUIDs)",
    relocatable: true,
    superuser: true,
    trusted: true,
    requires: &[],
    library: "$libdir/uuid-ossp",
    functions: &[],
    views: &[],
    script: include_str!("scripts/uuid-ossp.sql"),
};

static HSTORE: Extension = Extension {
    name: "hstore",
    version: "1.8",
    comment: "data type for storing sets of (key, value) pairs",
    relocatable: true,
    superuser: true,
    trusted: true,
    requires: &[],
    library: "$libdir/hstore",
    functions: &[],
    views: &[],
    script: include_str!("scripts/hstore.sql"),
};

/// The extension of a name.
pub fn find(name: &str) -> Option<&'static Extension> {
    EXTENSIONS.iter().find(|e| e.name == name).copied()
}

/// OIDs and code of all functions of all extensions.
pub fn table() -> Vec<(u32, FnImpl)> {
    let own = EXTENSIONS.iter().flat_map(|e| e.functions.iter().map(|f| (f.oid, f.code)));
    own.chain(types::ext::table()).collect()
}
