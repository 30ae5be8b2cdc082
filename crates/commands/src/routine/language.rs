//! What a language has to offer. SQL is built in; a procedural language is another implementation of the trait.

use crate::FnEnv;
use crate::ctx::CommandCtx;
use catalog::builtins::{LANGUAGE_C, LANGUAGE_INTERNAL, LANGUAGE_SQL};
use catalog::columns::pg_language;
use catalog::desc::ProcDesc;
use common::{Error, Oid, Result, bail, err};
use executor::routine::{RoutineCall, RowSet};
use types::Datum;

/// A language in which functions are written.
pub trait Language {
    /// Runs a function that returns one value.
    fn call(&self, env: &FnEnv, p: &ProcDesc, call: &RoutineCall<'_>) -> Result<Datum>;
    /// Starts one that returns a set. `in_from`: it is an item of FROM.
    fn open_set(
        &self,
        env: &FnEnv,
        p: &ProcDesc,
        call: &RoutineCall<'_>,
        in_from: bool,
    ) -> Result<Box<dyn RowSet>>;
    /// Tests a function that was just stored. `source` is the text of the statement that made it.
    fn validate(&self, ctx: &CommandCtx<'_>, p: &ProcDesc) -> Result<()>;
}

/// The implementation behind a language.
pub fn of(oid: Oid) -> Result<&'static dyn Language> {
    match oid {
        LANGUAGE_SQL => Ok(&super::sql::Sql),
        other => Err(Error::unsupported(format_args!("language with OID {other}"))),
    }
}

/// Languages that come with an extension.
const EXTENSIONS: [&str; 1] = ["plpgsql"];

/// OID of a language that the user may write functions in: 42704, 42501.
pub fn usable(ctx: &CommandCtx<'_>, name: &str) -> Result<Oid> {
    use pg_language::*;
    let row = find(ctx, name)?;
    if row.bool(LANPLTRUSTED) {
        let acl = row.opt_bytes(LANACL);
        let items = crate::acl::effective(crate::acl::AclKind::Language, acl.as_deref(), row.oid(LANOWNER));
        let have =
            crate::acl::mask(ctx.catalog, &items, ctx.host.role(), row.oid(LANOWNER), crate::acl::USAGE)?;
        if have == 0 && !ctx.host.is_superuser() {
            bail!(INSUFFICIENT_PRIVILEGE, "permission denied for language {name}");
        }
    } else if !ctx.host.is_superuser() {
        bail!(INSUFFICIENT_PRIVILEGE, "permission denied for language {name}");
    }
    let oid = row.oid(OID);
    if ![LANGUAGE_SQL, LANGUAGE_INTERNAL, LANGUAGE_C].contains(&oid) {
        return Err(Error::unsupported(format_args!("CREATE FUNCTION in language {name}")));
    }
    Ok(oid)
}

/// The row of a language; 42704 with a hint if an extension would bring it.
pub fn find(ctx: &CommandCtx<'_>, name: &str) -> Result<catalog::CatRow> {
    use pg_language::*;
    let rows = ctx.catalog.scan(TABLE, NAME_INDEX, &[Datum::text(name)])?;
    // A row without code behind it is no language yet.
    let known = |r: &catalog::CatRow| !EXTENSIONS.contains(&r.str(LANNAME));
    rows.into_iter().find(known).ok_or_else(|| {
        let e = err!(UNDEFINED_OBJECT, "language \"{name}\" does not exist");
        if EXTENSIONS.contains(&name) {
            return e.hint("Use CREATE EXTENSION to load the language into the database.");
        }
        e
    })
}
