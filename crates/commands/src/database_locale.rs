//! The locale of a database: what CREATE DATABASE makes of its options and the template's, and ALTER DATABASE … REFRESH
//! COLLATION VERSION.

use crate::analysis::notice;
use crate::collation::actual_version;
use crate::ctx::CommandCtx;
use catalog::CatRow;
use catalog::columns::pg_database::*;
use common::{Error, Result, bail, err};
use parser::ast::AlterDatabaseRefreshCollStmt;
use types::Datum;
use types::locale::{Locale, libc_has};

/// What was asked for; `None` takes the template's.
#[derive(Default)]
pub struct Wanted {
    pub provider: Option<String>,
    pub collate: Option<String>,
    pub ctype: Option<String>,
    pub icu: Option<String>,
    pub version: Option<String>,
}

fn provider_name(p: u8) -> &'static str {
    if p == b'i' { "icu" } else { "libc" }
}

/// A name of libc's. 42809, with a hint for names that other systems have.
pub fn check_libc_name(name: &str) -> Result<()> {
    if libc_has(name) {
        return Ok(());
    }
    let e = err!(WRONG_OBJECT_TYPE, "invalid locale name: \"{name}\"");
    let base = name.split(['.', '@']).next().unwrap_or("");
    let language = base.split('_').next().unwrap_or("");
    let plausible = base.contains('_') && (2..=3).contains(&language.len());
    Err(match plausible {
        true => e.hint(format!(
            "Only C, POSIX and C.UTF-8 are locales of the provider libc. Use the provider icu with the ICU locale \"{}\".",
            base.replace('_', "-")
        )),
        false => e,
    })
}

fn incompatible(word: &str, new: &str, old: &str) -> Error {
    err!(
        INVALID_PARAMETER_VALUE,
        "new {word} ({new}) is incompatible with the {word} of the template database ({old})"
    )
    .hint(format!("Use the same {word} as in the template database, or use template0 as template."))
}

/// Fills the columns of a new database's row, which are the template's so far. 42P17, 42809, 22023.
pub fn choose(row: &mut [Datum], source: &CatRow, template: &str, w: &Wanted) -> Result<()> {
    let provider = match w.provider.as_deref() {
        None => source.char(DATLOCPROVIDER),
        Some(p) if p.eq_ignore_ascii_case("icu") => b'i',
        Some(p) if p.eq_ignore_ascii_case("libc") => b'c',
        Some(p) => bail!(INVALID_OBJECT_DEFINITION, "unrecognized locale provider: {p}"),
    };
    // POSIX is another name of C.
    let canonical = |n: &String| if n == "POSIX" { "C".to_string() } else { n.clone() };
    let given =
        |x: &Option<String>, c: usize| x.as_ref().map_or_else(|| source.str(c).to_string(), canonical);
    let (collate, ctype) = (given(&w.collate, DATCOLLATE), given(&w.ctype, DATCTYPE));
    check_libc_name(&collate)?;
    check_libc_name(&ctype)?;
    let icu = w.icu.clone().or_else(|| source.text(DATICULOCALE).filter(|_| provider == b'i'));
    match (provider, &icu) {
        (b'i', None) => bail!(INVALID_PARAMETER_VALUE, "ICU locale must be specified"),
        (b'i', Some(name)) => {
            Locale::icu(name, true)?;
        }
        (_, Some(_)) => {
            bail!(INVALID_OBJECT_DEFINITION, "ICU locale cannot be specified unless locale provider is ICU")
        }
        _ => {}
    }
    if template != "template0" {
        check_template(source, provider, &collate, &ctype, icu.as_deref())?;
    }
    let recorded = w.version.clone().or_else(|| source.text(DATCOLLVERSION));
    let same_provider = provider == source.char(DATLOCPROVIDER);
    let version = match recorded {
        Some(v) if w.version.is_some() || same_provider => Some(v),
        _ => actual_version(provider).map(str::to_string),
    };
    let opt = |s: Option<String>| s.map_or(Datum::Null, |s| Datum::text(&s));
    row[DATLOCPROVIDER] = Datum::I8(provider as i8);
    row[DATCOLLATE] = Datum::text(&collate);
    row[DATCTYPE] = Datum::text(&ctype);
    row[DATICULOCALE] = opt(icu);
    row[DATCOLLVERSION] = opt(version);
    Ok(())
}

/// Only template0 is known to hold nothing that depends on its locale. 22023.
fn check_template(
    source: &CatRow,
    provider: u8,
    collate: &str,
    ctype: &str,
    icu: Option<&str>,
) -> Result<()> {
    for (word, new, column) in [("collation", collate, DATCOLLATE), ("LC_CTYPE", ctype, DATCTYPE)] {
        if new != source.str(column) {
            return Err(incompatible(word, new, source.str(column)));
        }
    }
    let old = source.char(DATLOCPROVIDER);
    if provider != old {
        return Err(err!(
            INVALID_PARAMETER_VALUE,
            "new locale provider ({}) does not match locale provider of the template database ({})",
            provider_name(provider),
            provider_name(old)
        )
        .hint("Use the same locale provider as in the template database, or use template0 as template."));
    }
    let old = source.text(DATICULOCALE).unwrap_or_default();
    match icu {
        Some(new) if new != old => Err(incompatible("ICU locale", new, &old)),
        _ => Ok(()),
    }
}

/// ALTER DATABASE … REFRESH COLLATION VERSION.
pub fn refresh(ctx: &CommandCtx<'_>, s: &AlterDatabaseRefreshCollStmt) -> Result<String> {
    let r = crate::database::owned_row(ctx, &s.dbname)?;
    let (old, new) = (r.text(DATCOLLVERSION), actual_version(r.char(DATLOCPROVIDER)));
    match (old.as_deref(), new) {
        (Some(a), Some(b)) if a != b => {
            notice(ctx, format!("changing version from {a} to {b}"));
            ctx.catalog.update_columns(TABLE, &r, &[(DATCOLLVERSION, Datum::text(b))])?;
        }
        (a, b) if a.is_none() != b.is_none() => {
            bail!(INTERNAL_ERROR, "invalid collation version change")
        }
        _ => notice(ctx, "version has not changed"),
    }
    Ok("ALTER DATABASE".into())
}
