//! The shapes of the system catalogs, read from the bootstrap data once by the postmaster before it forks.

use crate::data;
use crate::desc::TypeDesc;
use common::Oid;
use foldhash::HashMap;
use std::rc::Rc;
use types::{Attribute, TupleDesc};

/// A system catalog.
#[derive(Debug)]
pub struct CatalogTable {
    pub oid: Oid,
    pub name: String,
    /// One copy for the whole cluster, in `global/`.
    pub shared: bool,
    pub row_type: Oid,
    pub row_array_type: Oid,
    /// TOAST table and its index; invalid if none.
    pub toast: Oid,
    pub toast_index: Oid,
    pub desc: TupleDesc,
    /// `attndims` per column.
    pub ndims: Vec<i32>,
    /// Indexes by OID.
    pub indexes: Vec<Oid>,
}

/// An index of a system catalog.
#[derive(Debug)]
pub struct CatalogIndex {
    pub oid: Oid,
    pub name: String,
    pub table: Oid,
    pub unique: bool,
    pub primary: bool,
    pub immediate: bool,
    pub keys: Vec<i16>,
    pub collations: Vec<Oid>,
    pub opclasses: Vec<Oid>,
    pub options: Vec<i16>,
    /// Row of `pg_constraint`; invalid if none.
    pub constraint: Oid,
}

/// All system catalogs.
#[derive(Debug, Default)]
pub struct Schema {
    pub tables: Vec<CatalogTable>,
    pub indexes: Vec<CatalogIndex>,
    table_at: HashMap<Oid, usize>,
    index_at: HashMap<Oid, usize>,
}

fn num<T: std::str::FromStr + Default>(s: &str) -> T {
    s.parse().unwrap_or_default()
}

fn list<T: std::str::FromStr + Default>(s: &str) -> Vec<T> {
    s.split_ascii_whitespace().map(num).collect()
}

impl Schema {
    /// Reads the data; `type_of` gives the storage facts of a column's type.
    pub fn load(type_of: impl Fn(Oid) -> Option<&'static TypeDesc>) -> Schema {
        let mut s = Schema::default();
        for f in data::rows(data::RELATIONS) {
            s.table_at.insert(Oid(num(f[0])), s.tables.len());
            s.tables.push(CatalogTable {
                oid: Oid(num(f[0])),
                name: f[1].to_string(),
                shared: f[2] == "t",
                row_type: Oid(num(f[3])),
                row_array_type: Oid::INVALID,
                toast: Oid(num(f[4])),
                toast_index: Oid(num(f[5])),
                desc: TupleDesc { attrs: Vec::new(), type_oid: Oid(num(f[3])) },
                ndims: Vec::new(),
                indexes: Vec::new(),
            });
        }
        for f in data::rows(data::ROWTYPES) {
            if let Some(&i) = s.table_at.get(&Oid(num(f[3]))) {
                s.tables[i].row_array_type = Oid(num(f[2]));
            }
        }
        for f in data::rows(data::COLUMNS) {
            let (Some(&i), Some(t)) = (s.table_at.get(&Oid(num(f[0]))), type_of(Oid(num(f[3])))) else {
                continue;
            };
            s.tables[i].ndims.push(num(f[4]));
            s.tables[i].desc.attrs.push(column_attribute(&f, t));
        }
        for f in data::rows(data::INDEXES) {
            let ix = CatalogIndex {
                oid: Oid(num(f[0])),
                name: f[1].to_string(),
                table: Oid(num(f[2])),
                unique: f[3] == "t",
                primary: f[4] == "t",
                immediate: f[5] == "t",
                keys: list(f[6]),
                collations: list::<u32>(f[7]).into_iter().map(Oid).collect(),
                opclasses: list::<u32>(f[8]).into_iter().map(Oid).collect(),
                options: list(f[9]),
                constraint: Oid(num(f[10])),
            };
            if let Some(&i) = s.table_at.get(&ix.table) {
                s.tables[i].indexes.push(ix.oid);
            }
            s.index_at.insert(ix.oid, s.indexes.len());
            s.indexes.push(ix);
        }
        s
    }
    /// A catalog by OID.
    pub fn table(&self, oid: Oid) -> Option<&CatalogTable> {
        self.table_at.get(&oid).map(|&i| &self.tables[i])
    }
    /// A catalog's index by OID.
    pub fn index(&self, oid: Oid) -> Option<&CatalogIndex> {
        self.index_at.get(&oid).map(|&i| &self.indexes[i])
    }
    /// The shape of an index's tuples.
    pub fn index_desc(&self, ix: &CatalogIndex) -> Rc<TupleDesc> {
        let Some(table) = self.table(ix.table) else { return Rc::default() };
        let attrs = ix.keys.iter().filter_map(|&k| table.desc.attrs.get(k as usize - 1)).cloned().collect();
        Rc::new(TupleDesc { attrs, type_oid: Oid::INVALID })
    }
}

fn column_attribute(f: &[&str], t: &TypeDesc) -> Attribute {
    Attribute {
        name: f[2].to_string(),
        type_oid: t.oid,
        typmod: -1,
        len: t.len,
        by_val: t.by_val,
        align: t.align,
        storage: f[10].bytes().next().unwrap_or(b'p'),
        compression: 0,
        phys: t.phys,
        collation: Oid(num(f[6])),
        not_null: f[5] == "t",
        has_default: false,
        missing: None,
        identity: 0,
        generated: 0,
        dropped: false,
    }
}

/// A plain nullable attribute of a type, for descriptors made in code (TOAST tables, sequences, result rows).
pub fn attribute(name: &str, t: &TypeDesc, typmod: i32) -> Attribute {
    Attribute {
        name: name.to_string(),
        type_oid: t.oid,
        typmod,
        len: t.len,
        by_val: t.by_val,
        align: t.align,
        storage: t.storage,
        compression: 0,
        phys: t.phys,
        collation: t.collation,
        not_null: false,
        has_default: false,
        missing: None,
        identity: 0,
        generated: 0,
        dropped: false,
    }
}
