//! Relation descriptors as the access methods see them: immutable, built by `catalog` (or by `initdb` before there is
//! one), shared by `Rc`. An access method never reads a catalog; what it needs to know is here.

use common::{Oid, Result};
use std::cell::Cell;
use std::cmp::Ordering;
use std::fmt;
use std::rc::Rc;
use storage::RelFileLocator;
use types::tuple::Deformer;
use types::{CmpFn, Collation, DatumRef, TupleDesc, oids};

/// `pg_class.relpersistence`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Persistence {
    #[default]
    Permanent,
    Unlogged,
    Temp,
}

impl Persistence {
    /// From the catalog's letter.
    pub fn from_char(c: u8) -> Persistence {
        match c {
            b'u' => Persistence::Unlogged,
            b't' => Persistence::Temp,
            _ => Persistence::Permanent,
        }
    }
}

/// Per-table settings of vacuum (reloptions); `None` = the global setting.
#[derive(Clone, Copy, Debug, Default)]
pub struct VacuumOptions {
    pub truncate: Option<bool>,
    pub index_cleanup: Option<bool>,
    pub freeze_min_age: Option<u64>,
    pub freeze_table_age: Option<u64>,
    /// `toast_tuple_target`.
    pub toast_tuple_target: Option<usize>,
}

/// A table (or TOAST table, catalog, sequence, materialized view): anything with a heap.
#[derive(Clone, Debug)]
pub struct Rel {
    pub oid: Oid,
    /// For messages.
    pub name: String,
    pub locator: RelFileLocator,
    pub persistence: Persistence,
    pub desc: Rc<TupleDesc>,
    /// Derived from `desc`.
    pub deformer: Deformer,
    /// Percent of a page that inserts fill.
    pub fillfactor: u8,
    pub is_catalog: bool,
    pub toast: Option<Rc<ToastRel>>,
    pub vacuum: VacuumOptions,
    /// Where the last insert found room; `u32::MAX` = unknown.
    pub(crate) target_block: Cell<u32>,
}

impl Rel {
    /// A permanent table with default settings and no TOAST table; set the other fields afterwards.
    pub fn new(oid: Oid, name: impl Into<String>, locator: RelFileLocator, desc: Rc<TupleDesc>) -> Rel {
        let deformer = Deformer::new(&desc);
        Rel {
            oid,
            name: name.into(),
            locator,
            persistence: Persistence::Permanent,
            desc,
            deformer,
            fillfactor: 100,
            is_catalog: false,
            toast: None,
            vacuum: VacuumOptions::default(),
            target_block: Cell::new(u32::MAX),
        }
    }
    /// Are its changes logged?
    #[inline]
    pub fn is_logged(&self) -> bool {
        self.persistence == Persistence::Permanent
    }
    /// Under which its rows are counted.
    #[inline]
    pub fn stat_key(&self) -> transam::StatKey {
        transam::StatKey::new(self.locator.db_oid, self.oid)
    }
    /// Bytes that inserts leave free on a page.
    pub fn target_free_space(&self) -> usize {
        storage::PAGE_SIZE * (100 - usize::from(self.fillfactor.clamp(10, 100))) / 100
    }
}

/// The TOAST table of a table, with its index on (chunk_id, chunk_seq).
#[derive(Clone, Debug)]
pub struct ToastRel {
    pub heap: Rc<Rel>,
    pub index: Rc<IndexRel>,
}

/// Key types whose order is the order of the machine integer or of the bytes: compared without a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FastCmp {
    I16,
    I32,
    I64,
    U32,
    /// Bytes compared as unsigned, shorter first (text in the C collation, bytea, name).
    Bytes,
}

/// A key column of an index.
#[derive(Clone, Copy)]
pub struct KeyColumn {
    /// Three-way comparison of the operator class.
    pub cmp: CmpFn,
    pub collation: Collation,
    pub desc: bool,
    pub nulls_first: bool,
    pub fast: Option<FastCmp>,
}

/// Integers of any width as one: a scan key may be wider or narrower than the column.
fn wide(d: DatumRef<'_>) -> Option<i64> {
    match d {
        DatumRef::I16(v) => Some(i64::from(v)),
        DatumRef::I32(v) => Some(i64::from(v)),
        DatumRef::I64(v) => Some(v),
        _ => None,
    }
}

impl fmt::Debug for KeyColumn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyColumn {{ desc: {}, nulls_first: {} }}", self.desc, self.nulls_first)
    }
}

impl KeyColumn {
    /// A key column of a type with its default operator class; `default_opclass` false turns the shortcut off.
    pub fn new(
        type_oid: Oid,
        cmp: CmpFn,
        collation: Collation,
        desc: bool,
        nulls_first: bool,
        default_opclass: bool,
    ) -> KeyColumn {
        let fast = match type_oid {
            _ if !default_opclass => None,
            oids::INT2 => Some(FastCmp::I16),
            oids::INT4 | oids::DATE => Some(FastCmp::I32),
            oids::INT8 | oids::TIMESTAMP | oids::TIMESTAMPTZ | oids::TIME => Some(FastCmp::I64),
            oids::OID | oids::REGCLASS | oids::REGPROC | oids::REGTYPE => Some(FastCmp::U32),
            oids::BYTEA => Some(FastCmp::Bytes),
            oids::TEXT | oids::VARCHAR | oids::NAME if collation.by_bytes() => Some(FastCmp::Bytes),
            _ => None,
        };
        KeyColumn { cmp, collation, desc, nulls_first, fast }
    }
    /// Order of two non-null values, without DESC.
    #[inline]
    pub fn compare_values(&self, a: DatumRef<'_>, b: DatumRef<'_>) -> Ordering {
        match (self.fast, a, b) {
            (Some(_), DatumRef::I32(x), DatumRef::I32(y)) => x.cmp(&y),
            (Some(_), DatumRef::I64(x), DatumRef::I64(y)) => x.cmp(&y),
            (Some(_), DatumRef::I16(x), DatumRef::I16(y)) => x.cmp(&y),
            (Some(_), DatumRef::U32(x), DatumRef::U32(y)) => x.cmp(&y),
            (Some(_), DatumRef::Bytes(x), DatumRef::Bytes(y)) => x.cmp(y),
            (Some(_), x, y) => match (wide(x), wide(y)) {
                (Some(x), Some(y)) => x.cmp(&y),
                _ => (self.cmp)(self.collation, x, y),
            },
            _ => (self.cmp)(self.collation, a, b),
        }
    }
    /// Order in the index: DESC and the place of NULLs included.
    #[inline]
    pub fn compare(&self, a: DatumRef<'_>, b: DatumRef<'_>) -> Ordering {
        match (a.is_null(), b.is_null()) {
            (true, true) => Ordering::Equal,
            (true, false) => {
                if self.nulls_first {
                    Ordering::Less
                } else {
                    Ordering::Greater
                }
            }
            (false, true) => {
                if self.nulls_first {
                    Ordering::Greater
                } else {
                    Ordering::Less
                }
            }
            (false, false) => {
                let o = self.compare_values(a, b);
                if self.desc { o.reverse() } else { o }
            }
        }
    }
}

/// Makes the error's `Key (a)=(1)` from the key values: `Ok("(a)=(1)")`. Set by the catalog, which knows output
/// functions and privileges.
pub type KeyFormatter = Rc<dyn Fn(&IndexRel, &[DatumRef<'_>]) -> Result<String>>;

/// A btree index.
#[derive(Clone)]
pub struct IndexRel {
    /// `rel.desc` describes the index columns, INCLUDE columns last.
    pub rel: Rel,
    /// The table.
    pub heap_oid: Oid,
    pub heap_name: String,
    /// One entry a key column; its length is the key column count.
    pub keys: Vec<KeyColumn>,
    pub unique: bool,
    pub nulls_not_distinct: bool,
    /// Unique violations are reported at once, not at the end of the statement.
    pub immediate: bool,
    /// Schema for the error's fields.
    pub schema_name: String,
    /// Name for messages: that of the constraint or of the index.
    pub constraint_name: String,
    pub format_key: Option<KeyFormatter>,
    /// (block, level) of the page where descents start; block 0 = unknown.
    pub(crate) root_cache: Cell<(u32, u32)>,
    /// The leaf where the last search ended, and how often in a row searches ended where the one before had.
    pub(crate) leaf_hint: Cell<(u32, u32)>,
    /// Rightmost leaf, if the last insert went there; 0 = unknown.
    pub(crate) last_leaf: Cell<u32>,
}

impl fmt::Debug for IndexRel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IndexRel {{ {} {:?}, keys: {:?} }}", self.rel.oid, self.rel.name, self.keys)
    }
}

impl IndexRel {
    /// A non-unique index with the default fill factor of btree leaves, 90; set the other fields afterwards.
    pub fn new(mut rel: Rel, heap_oid: Oid, heap_name: impl Into<String>, keys: Vec<KeyColumn>) -> IndexRel {
        let constraint_name = rel.name.clone();
        rel.fillfactor = 90;
        IndexRel {
            rel,
            heap_oid,
            heap_name: heap_name.into(),
            keys,
            unique: false,
            nulls_not_distinct: false,
            immediate: true,
            schema_name: String::new(),
            constraint_name,
            format_key: None,
            root_cache: Cell::new((0, 0)),
            leaf_hint: Cell::new((0, 0)),
            last_leaf: Cell::new(0),
        }
    }
    /// Key columns.
    #[inline]
    pub fn nkeys(&self) -> usize {
        self.keys.len()
    }
    /// All columns, INCLUDE ones too.
    #[inline]
    pub fn natts(&self) -> usize {
        self.rel.desc.len()
    }
    /// The error of a comparison by a user's function: before it is known that there was none, a place found by comparing
    /// means nothing.
    pub fn check_comparisons(&self) -> Result<()> {
        self.keys.iter().try_for_each(|k| k.collation.check())
    }
    /// 23505 for these key values.
    pub fn unique_violation(&self, values: &[DatumRef<'_>]) -> common::Error {
        let e = common::err!(
            UNIQUE_VIOLATION,
            "duplicate key value violates unique constraint \"{}\"",
            self.constraint_name
        )
        .schema(self.schema_name.clone())
        .table(self.heap_name.clone())
        .constraint(self.constraint_name.clone());
        match &self.format_key {
            Some(f) => match f(self, values) {
                Ok(s) if !s.is_empty() => e.detail(format!("Key {s} already exists.")),
                _ => e,
            },
            None => e,
        }
    }
}
