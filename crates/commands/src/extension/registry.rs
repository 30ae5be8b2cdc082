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
pub static EXTENSIONS: &[&Extension] = &[&super::pg_stat_statements::EXTENSION];

/// The extension of a name.
pub fn find(name: &str) -> Option<&'static Extension> {
    EXTENSIONS.iter().find(|e| e.name == name).copied()
}

/// OIDs and code of all functions of all extensions.
pub fn table() -> Vec<(u32, FnImpl)> {
    EXTENSIONS.iter().flat_map(|e| e.functions.iter().map(|f| (f.oid, f.code))).collect()
}
