//! [`Catalog`]: look-ups by every upper layer. A descriptor is built from catalog rows on first use and kept until an
//! invalidation message names it; built-in objects come from [`crate::builtins`] without touching a page.

mod build;
mod choices;
mod collations;
mod ext_stats;
mod families;
mod foreign;
mod inval;
mod lookup;
mod stats;
mod user_types;

use crate::builtins::Builtins;
use crate::depend::ObjectAddress;
use crate::desc::*;
use crate::shared_ref::Ref;
use common::Oid;
use foldhash::HashMap;
use ipc::memory::{MemoryContext, Nesting, Owner};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use transam::Engine;
use types::Registry;

pub use choices::FunctionChoice;
pub use collations::DEFAULT as DEFAULT_COLLATION;
pub use inval::{INVAL_CATALOG, INVAL_RELATION};
pub use stats::{KIND_CORRELATION, KIND_HISTOGRAM, KIND_MCV};
pub use user_types::{DomainRules, EnumLabel};

/// Name → OID within a schema; `None` remembers that there is no such object.
type Names = RefCell<HashMap<Oid, HashMap<String, Option<Oid>>>>;

#[derive(Default)]
struct CacheMemory {
    nesting: Nesting,
    relations: Owner,
    indexes: Owner,
    other: Owner,
}

/// The catalogs as seen by one process connected to one database.
pub struct Catalog {
    pub(crate) eng: Rc<Engine>,
    pub(crate) builtins: &'static Builtins,
    pub(crate) registry: &'static Registry,
    pub(crate) database: Oid,
    pub(crate) handles: RefCell<HashMap<Oid, Rc<crate::rows::Handle>>>,
    /// What the descriptors take.
    memory: CacheMemory,
    relations: RefCell<HashMap<Oid, Ref<Relation>>>,
    indexes: RefCell<HashMap<Oid, Ref<IndexDesc>>>,
    relation_names: Names,
    type_names: Names,
    types: RefCell<HashMap<Oid, Ref<TypeDesc>>>,
    procs: RefCell<HashMap<Oid, Ref<ProcDesc>>>,
    aggregates: RefCell<HashMap<Oid, Option<Ref<AggDesc>>>>,
    proc_names: RefCell<HashMap<String, Rc<Vec<Ref<ProcDesc>>>>>,
    operators: RefCell<HashMap<Oid, Ref<OperDesc>>>,
    families: RefCell<Option<Rc<families::OwnFamilies>>>,
    operator_names: RefCell<HashMap<String, Rc<Vec<Ref<OperDesc>>>>>,
    choices: choices::Choices,
    casts: RefCell<HashMap<(Oid, Oid), Option<CastDesc>>>,
    ranges: RefCell<HashMap<Oid, Option<types::range::RangeType>>>,
    namespaces: RefCell<HashMap<Oid, Option<Rc<str>>>>,
    namespace_names: RefCell<HashMap<String, Option<Oid>>>,
    roles: RefCell<HashMap<Oid, Option<Rc<str>>>>,
    stats: RefCell<HashMap<(Oid, i16, bool), Option<Rc<ColumnStats>>>>,
    ext_stats: RefCell<HashMap<Oid, Rc<Vec<crate::ext_stats::ExtStats>>>>,
    enums: RefCell<HashMap<Oid, Rc<Vec<EnumLabel>>>>,
    enum_names: RefCell<HashMap<Oid, Rc<str>>>,
    domains: RefCell<HashMap<Oid, Rc<DomainRules>>>,
    new_enum_labels: RefCell<(Option<common::Xid>, Vec<Oid>)>,
    generation: Cell<u64>,
    temp: crate::temp::TempObjects,
    schema_check: RefCell<Option<SchemaCheck>>,
    comparer: RefCell<Option<Comparer>>,
    creating: RefCell<Option<(ObjectAddress, &'static str)>>,
    collations: collations::Collations,
}

/// A comparison by a function that is not built in (its OID) under a collation: layers above know how to run it.
pub type Comparer = Rc<dyn Fn(Oid, Oid) -> common::Result<(types::CmpFn, types::Collation)>>;

/// May the session's user look into a schema?
pub type SchemaCheck = Rc<dyn Fn(Oid) -> common::Result<bool>>;

impl Catalog {
    /// The catalogs of `database` (its OID); shared ones are the same everywhere.
    pub fn new(
        eng: Rc<Engine>,
        builtins: &'static Builtins,
        registry: &'static Registry,
        database: Oid,
    ) -> Rc<Catalog> {
        let c = Rc::new(Catalog {
            eng,
            builtins,
            registry,
            database,
            handles: RefCell::default(),
            memory: CacheMemory::default(),
            relations: RefCell::default(),
            indexes: RefCell::default(),
            relation_names: RefCell::default(),
            type_names: RefCell::default(),
            types: RefCell::default(),
            procs: RefCell::default(),
            aggregates: RefCell::default(),
            proc_names: RefCell::default(),
            operators: RefCell::default(),
            families: RefCell::default(),
            operator_names: RefCell::default(),
            choices: Default::default(),
            casts: RefCell::default(),
            ranges: RefCell::default(),
            namespaces: RefCell::default(),
            namespace_names: RefCell::default(),
            roles: RefCell::default(),
            stats: RefCell::default(),
            ext_stats: RefCell::default(),
            enums: RefCell::default(),
            enum_names: RefCell::default(),
            domains: RefCell::default(),
            new_enum_labels: RefCell::default(),
            generation: Cell::new(1),
            temp: Default::default(),
            schema_check: RefCell::default(),
            comparer: RefCell::default(),
            creating: RefCell::default(),
            collations: Default::default(),
        });
        c.eng.set_inval_handler(c.clone());
        c
    }
    /// The session's temporary objects.
    /// What the caches have allocated, for `pg_backend_memory_contexts`.
    pub fn memory(&self) -> Vec<MemoryContext> {
        let m = &self.memory;
        let context = |name, o: &Owner| MemoryContext::below_top(name, o.read().0, o.read().1);
        vec![
            context("CacheMemoryContext", &m.other),
            context("relation descriptors", &m.relations).below("CacheMemoryContext"),
            context("index info", &m.indexes).below("CacheMemoryContext"),
        ]
    }
    /// The temporary objects of the session.
    pub fn temp(&self) -> &crate::temp::TempObjects {
        &self.temp
    }
    /// Privileges are the business of layers above: this asks them about schemas.
    pub fn set_schema_check(&self, f: SchemaCheck) {
        *self.schema_check.borrow_mut() = Some(f);
    }
    /// Says that what is made from here on belongs to an extension (its address and name); `None`: no longer.
    pub fn set_creating_extension(&self, x: Option<(ObjectAddress, &'static str)>) {
        *self.creating.borrow_mut() = x;
    }
    /// The extension whose script runs.
    pub fn creating_extension(&self) -> Option<(ObjectAddress, &'static str)> {
        *self.creating.borrow()
    }
    /// Records that an object with this row is a member of the extension being made.
    pub fn note_member(&self, table: Oid, row: &[types::Datum]) -> common::Result<()> {
        use crate::columns::*;
        let Some((extension, _)) = self.creating_extension() else { return Ok(()) };
        let is_array = table == pg_type::TABLE
            && matches!(row[pg_type::TYPCATEGORY], types::Datum::I8(c) if c as u8 == b'A');
        let kinds = [
            pg_type::TABLE,
            pg_proc::TABLE,
            pg_operator::TABLE,
            pg_opclass::TABLE,
            pg_opfamily::TABLE,
            pg_cast::TABLE,
        ];
        match row.first() {
            Some(types::Datum::U32(oid)) if kinds.contains(&table) && !is_array => {
                let me = ObjectAddress::new(table, Oid(*oid));
                self.record_dependency(me, extension, crate::depend::DependencyKind::Extension)
            }
            _ => Ok(()),
        }
    }
    /// Running functions of users is the business of layers above.
    pub fn set_comparer(&self, f: Comparer) {
        *self.comparer.borrow_mut() = Some(f);
    }
    pub(crate) fn own_comparison(
        &self,
        proc: Oid,
        collation: Oid,
    ) -> common::Result<(types::CmpFn, types::Collation)> {
        let comparer = self.comparer.borrow().clone();
        match comparer {
            Some(f) => f(proc, collation),
            None => {
                Err(common::Error::unsupported("a comparison by a function of one's own in this process"))
            }
        }
    }
    fn may_use_schema(&self, oid: Oid) -> common::Result<bool> {
        if self.temp.namespace() == Some(oid) {
            return Ok(true);
        }
        let check = self.schema_check.borrow().clone();
        check.map_or(Ok(true), |f| f(oid))
    }
    /// The storage engine underneath.
    pub fn engine(&self) -> &Rc<Engine> {
        &self.eng
    }
    /// Built-in objects.
    pub fn builtins(&self) -> &'static Builtins {
        self.builtins
    }
    /// The function registry.
    pub fn registry(&self) -> &'static Registry {
        self.registry
    }
    /// The database connected to.
    pub fn database(&self) -> Oid {
        self.database
    }
    /// A number that changes whenever any descriptor was invalidated: plans made under another number must be
    /// revalidated.
    pub fn generation(&self) -> u64 {
        self.generation.get()
    }
}
