//! [`Catalog`]: look-ups by every upper layer. A descriptor is built from catalog rows on first use and kept until an
//! invalidation message names it; built-in objects come from [`crate::builtins`] without touching a page.

use crate::desc::*;
use crate::search_path::SearchPath;
use crate::shared_ref::Ref;
use common::{Oid, Result};
use std::rc::Rc;

/// The catalogs as seen by one process connected to one database.
pub struct Catalog {}

#[allow(unused_variables, clippy::todo)]
impl Catalog {
    /// A relation by OID; error 42P01/XX000 `could not open relation with OID n` if it is gone.
    pub fn relation(&self, oid: Oid) -> Result<Ref<Relation>> {
        todo!()
    }
    /// An index by OID.
    pub fn index(&self, oid: Oid) -> Result<Ref<IndexDesc>> {
        todo!()
    }
    /// OID of a relation by schema and name.
    pub fn relation_oid(&self, namespace: Oid, name: &str) -> Result<Option<Oid>> {
        todo!()
    }
    /// OID of a relation by name along the search path.
    pub fn find_relation(&self, path: &SearchPath, name: &str) -> Result<Option<Oid>> {
        todo!()
    }
    /// OID of a schema.
    pub fn namespace_oid(&self, name: &str) -> Result<Option<Oid>> {
        todo!()
    }
    /// Name of a schema.
    pub fn namespace_name(&self, oid: Oid) -> Result<Option<Rc<str>>> {
        todo!()
    }
    /// A type by OID.
    pub fn type_desc(&self, oid: Oid) -> Result<Ref<TypeDesc>> {
        todo!()
    }
    /// OID of a type by schema and name.
    pub fn type_oid(&self, namespace: Oid, name: &str) -> Result<Option<Oid>> {
        todo!()
    }
    /// OID of a type by name along the search path.
    pub fn find_type(&self, path: &SearchPath, name: &str) -> Result<Option<Oid>> {
        todo!()
    }
    /// Columns of a composite type (a relation's row type included).
    pub fn composite_desc(&self, type_oid: Oid) -> Result<Rc<types::TupleDesc>> {
        todo!()
    }
    /// A function by OID.
    pub fn proc_desc(&self, oid: Oid) -> Result<Ref<ProcDesc>> {
        todo!()
    }
    /// All functions of a name, in all schemas (the caller filters by its path).
    pub fn procs_named(&self, name: &str) -> Result<Vec<Ref<ProcDesc>>> {
        todo!()
    }
    /// The aggregate behind a function; `None` if it is not one.
    pub fn aggregate(&self, fnoid: Oid) -> Result<Option<Ref<AggDesc>>> {
        todo!()
    }
    /// An operator by OID.
    pub fn operator(&self, oid: Oid) -> Result<Ref<OperDesc>> {
        todo!()
    }
    /// All operators of a name and kind (`b`, `l`), in all schemas.
    pub fn operators_named(&self, name: &str, kind: u8) -> Result<Vec<Ref<OperDesc>>> {
        todo!()
    }
    /// The cast between two types, if `pg_cast` has one.
    pub fn cast(&self, source: Oid, target: Oid) -> Result<Option<CastDesc>> {
        todo!()
    }
    /// The default operator class of an access method for a type (binary-coercible types resolved: varchar → text,
    /// arrays → anyarray, enums → anyenum …).
    pub fn default_opclass(&self, am: Oid, type_oid: Oid) -> Result<Option<Ref<OpclassDesc>>> {
        todo!()
    }
    /// An operator class by OID.
    pub fn opclass(&self, oid: Oid) -> Result<Ref<OpclassDesc>> {
        todo!()
    }
    /// Operator classes of an access method by name.
    pub fn opclasses_named(&self, am: Oid, name: &str) -> Result<Vec<Ref<OpclassDesc>>> {
        todo!()
    }
    /// Families in which an operator is a member, with strategy and declared types.
    pub fn amops_of(&self, operator: Oid) -> Result<Vec<AmopDesc>> {
        todo!()
    }
    /// The member operator of a family for (left, right, strategy).
    pub fn amop(&self, family: Oid, left: Oid, right: Oid, strategy: i16) -> Result<Option<Oid>> {
        todo!()
    }
    /// The support function of a family for (left, right, number).
    pub fn amproc(&self, family: Oid, left: Oid, right: Oid, num: i16) -> Result<Option<Oid>> {
        todo!()
    }
    /// Statistics of a column; `None` if it was never analysed.
    pub fn column_stats(&self, rel: Oid, attnum: i16) -> Result<Option<Rc<ColumnStats>>> {
        todo!()
    }
    /// Present size of a relation's main fork in blocks.
    pub fn relation_blocks(&self, rel: &Relation) -> Result<u32> {
        todo!()
    }
    /// Name of a role.
    pub fn role_name(&self, oid: Oid) -> Result<Option<Rc<str>>> {
        todo!()
    }
    /// OID of a role.
    pub fn role_oid(&self, name: &str) -> Result<Option<Oid>> {
        todo!()
    }
    /// Name of a collation (schema, name).
    pub fn collation_name(&self, oid: Oid) -> Result<Option<(Oid, Rc<str>)>> {
        todo!()
    }
    /// OID of a collation by name along the search path.
    pub fn find_collation(&self, path: &SearchPath, name: &str) -> Result<Option<Oid>> {
        todo!()
    }
    /// A number that changes whenever any descriptor was invalidated: plans made under another number must be
    /// revalidated.
    pub fn generation(&self) -> u64 {
        todo!()
    }
}
