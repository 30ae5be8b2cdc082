//! `pg_depend`: what must go when an object goes. The DROP commands walk it; creating commands record it.

use crate::cache::Catalog;
use crate::columns::{pg_depend, pg_shdepend};
use common::{Oid, Result};
use types::Datum;

/// An object: the catalog its row is in, its OID, and a column number for columns of relations (else 0).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectAddress {
    pub class: Oid,
    pub object: Oid,
    pub sub: i32,
}

impl ObjectAddress {
    /// A whole object.
    pub fn new(class: Oid, object: Oid) -> ObjectAddress {
        ObjectAddress { class, object, sub: 0 }
    }
    /// A column of a relation.
    pub fn column(relation: Oid, attnum: i16) -> ObjectAddress {
        ObjectAddress { class: crate::columns::pg_class::TABLE, object: relation, sub: i32::from(attnum) }
    }
}

/// Kinds of dependencies, PostgreSQL's letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum DependencyKind {
    /// Must be dropped by CASCADE.
    Normal = b'n',
    /// Goes silently with the referenced object.
    Auto = b'a',
    /// Part of the referenced object: cannot be dropped alone.
    Internal = b'i',
    Extension = b'e',
}

impl DependencyKind {
    /// From the catalog's letter.
    pub fn from_char(c: u8) -> DependencyKind {
        match c {
            b'a' => DependencyKind::Auto,
            b'i' => DependencyKind::Internal,
            b'e' | b'x' => DependencyKind::Extension,
            _ => DependencyKind::Normal,
        }
    }
}

/// A row of `pg_depend`.
#[derive(Clone, Copy, Debug)]
pub struct Dependency {
    pub depender: ObjectAddress,
    pub referenced: ObjectAddress,
    pub kind: DependencyKind,
}

impl Catalog {
    /// Records that `depender` depends on `referenced`. Built-in objects are never dropped: nothing is recorded.
    pub fn record_dependency(
        &self,
        depender: ObjectAddress,
        referenced: ObjectAddress,
        kind: DependencyKind,
    ) -> Result<()> {
        if crate::builtins::is_pinned(referenced.object) && referenced.object != crate::builtins::PG_PUBLIC {
            return Ok(());
        }
        use pg_depend::*;
        let mut r = self.blank_row(TABLE);
        r[CLASSID] = Datum::oid(depender.class);
        r[OBJID] = Datum::oid(depender.object);
        r[OBJSUBID] = Datum::I32(depender.sub);
        r[REFCLASSID] = Datum::oid(referenced.class);
        r[REFOBJID] = Datum::oid(referenced.object);
        r[REFOBJSUBID] = Datum::I32(referenced.sub);
        r[DEPTYPE] = Datum::I8(kind as u8 as i8);
        self.insert_row(TABLE, &r)?;
        Ok(())
    }

    /// What depends on `referenced` (for a whole relation: on its columns too).
    pub fn dependents(&self, referenced: ObjectAddress) -> Result<Vec<Dependency>> {
        use pg_depend::*;
        let mut keys = vec![Datum::oid(referenced.class), Datum::oid(referenced.object)];
        if referenced.sub != 0 {
            keys.push(Datum::I32(referenced.sub));
        }
        Ok(self.scan(TABLE, REFERENCE_INDEX, &keys)?.iter().map(dependency).collect())
    }

    /// What `depender` depends on.
    pub fn dependencies(&self, depender: ObjectAddress) -> Result<Vec<Dependency>> {
        use pg_depend::*;
        let mut keys = vec![Datum::oid(depender.class), Datum::oid(depender.object)];
        if depender.sub != 0 {
            keys.push(Datum::I32(depender.sub));
        }
        Ok(self.scan(TABLE, DEPENDER_INDEX, &keys)?.iter().map(dependency).collect())
    }

    /// Deletes the rows in which `depender` (with all its columns, if it is a whole relation) depends on something.
    pub fn delete_dependencies_of(&self, depender: ObjectAddress) -> Result<()> {
        use pg_depend::*;
        let mut keys = vec![Datum::oid(depender.class), Datum::oid(depender.object)];
        if depender.sub != 0 {
            keys.push(Datum::I32(depender.sub));
        }
        for row in self.scan(TABLE, DEPENDER_INDEX, &keys)? {
            self.delete_row(TABLE, &row)?;
        }
        Ok(())
    }

    /// Records that an object of this database depends on a role: `o` owner, `a` privileges.
    pub fn record_role_dependency(&self, object: ObjectAddress, role: Oid, kind: u8) -> Result<()> {
        if role < Oid::FIRST_NORMAL {
            return Ok(());
        }
        use pg_shdepend::*;
        let mut r = self.blank_row(TABLE);
        r[DBID] = Datum::oid(self.database());
        r[CLASSID] = Datum::oid(object.class);
        r[OBJID] = Datum::oid(object.object);
        r[OBJSUBID] = Datum::I32(object.sub);
        r[REFCLASSID] = Datum::oid(crate::columns::pg_authid::TABLE);
        r[REFOBJID] = Datum::oid(role);
        r[DEPTYPE] = Datum::I8(kind as i8);
        self.insert_row(TABLE, &r)?;
        Ok(())
    }

    /// Deletes an object's role dependencies.
    pub fn delete_role_dependencies_of(&self, object: ObjectAddress) -> Result<()> {
        use pg_shdepend::*;
        let keys = [Datum::oid(self.database()), Datum::oid(object.class), Datum::oid(object.object)];
        for row in self.scan(TABLE, DEPENDER_INDEX, &keys)? {
            self.delete_row(TABLE, &row)?;
        }
        Ok(())
    }
}

fn dependency(r: &crate::rows::CatRow) -> Dependency {
    use pg_depend::*;
    Dependency {
        depender: ObjectAddress { class: r.oid(CLASSID), object: r.oid(OBJID), sub: r.i32(OBJSUBID) },
        referenced: ObjectAddress {
            class: r.oid(REFCLASSID),
            object: r.oid(REFOBJID),
            sub: r.i32(REFOBJSUBID),
        },
        kind: DependencyKind::from_char(r.char(DEPTYPE)),
    }
}
