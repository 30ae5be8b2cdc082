//! Collations as comparisons need them: the locale behind an OID. A locale is made once for each name a session uses, and
//! stays to its end ([`types::Collation`] refers to it); rows that changed are read again.

use super::Catalog;
use crate::columns::{pg_collation, pg_database};
use crate::rows::CatRow;
use common::{Error, Oid, Result};
use foldhash::HashMap;
use std::cell::{Cell, RefCell};
use types::Collation;
use types::Datum;
use types::locale::Locale;

/// The collation that stands for the database's.
pub const DEFAULT: Oid = Oid(100);

/// What makes a locale: provider, names of its parts, deterministic.
type Recipe = (u8, String, String, bool);

/// The collations of a session.
#[derive(Default)]
pub(super) struct Collations {
    by_oid: RefCell<HashMap<Oid, Collation>>,
    locales: RefCell<HashMap<Recipe, Option<&'static Locale>>>,
    default: Cell<Option<Option<&'static Locale>>>,
}

impl Collations {
    /// Forgets what rows said.
    pub(super) fn clear(&self) {
        self.by_oid.borrow_mut().clear();
    }

    /// The locale of a recipe; `None` is C. Bounded by the number of different locales a session asks for.
    fn locale(&self, recipe: Recipe) -> Result<Option<&'static Locale>> {
        if let Some(l) = self.locales.borrow().get(&recipe) {
            return Ok(*l);
        }
        let made = match recipe.0 {
            b'i' => Some(Locale::icu(&recipe.1, recipe.3)?),
            _ => Locale::libc(&recipe.1, &recipe.2)?,
        };
        let l = made.map(|l| &*Box::leak(Box::new(l)));
        self.locales.borrow_mut().insert(recipe, l);
        Ok(l)
    }
}

impl Catalog {
    /// The collation an OID means. The invalid one has the locale of the database: values without a collation of their own
    /// may hold strings (records). XX000, 42704.
    pub fn collation(&self, oid: Oid) -> Result<Collation> {
        match oid.0 {
            950 | 951 => return Ok(Collation::new(oid, None)),
            0 | 100 => return Ok(Collation::new(oid, self.default_locale()?)),
            _ => {}
        }
        if let Some(c) = self.collations.by_oid.borrow().get(&oid) {
            return Ok(*c);
        }
        let rows = self.scan(pg_collation::TABLE, pg_collation::OID_INDEX, &[Datum::oid(oid)])?;
        let Some(r) = rows.first() else {
            return Err(Error::internal(format!("cache lookup failed for collation {oid}")));
        };
        let c = Collation::new(oid, self.collations.locale(recipe_of(r))?);
        self.collations.by_oid.borrow_mut().insert(oid, c);
        Ok(c)
    }

    /// The locale of the database; `None` is C.
    fn default_locale(&self) -> Result<Option<&'static Locale>> {
        if let Some(l) = self.collations.default.get() {
            return Ok(l);
        }
        let keys = [Datum::oid(self.database)];
        let rows = self.scan(pg_database::TABLE, pg_database::OID_INDEX, &keys)?;
        // Before there are rows, initdb works in C.
        let l = match rows.first() {
            Some(r) => self.collations.locale(database_recipe(r))?,
            None => return Ok(None),
        };
        self.collations.default.set(Some(l));
        Ok(l)
    }
}

fn recipe_of(r: &CatRow) -> Recipe {
    use pg_collation::*;
    let text = |c: usize| r.text(c).unwrap_or_default();
    match r.char(COLLPROVIDER) {
        b'i' => (b'i', text(COLLICULOCALE), String::new(), r.bool(COLLISDETERMINISTIC)),
        p => (p, text(COLLCOLLATE), text(COLLCTYPE), true),
    }
}

fn database_recipe(r: &CatRow) -> Recipe {
    use pg_database::*;
    let text = |c: usize| r.text(c).unwrap_or_default();
    match r.char(DATLOCPROVIDER) {
        b'i' => (b'i', text(DATICULOCALE), String::new(), true),
        p => (p, text(DATCOLLATE), text(DATCTYPE), true),
    }
}
