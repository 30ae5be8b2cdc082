//! Building relation and index descriptors: system catalogs from the built-in shapes, everything else from rows.

use super::Catalog;
use crate::builtins::*;
use crate::columns::*;
use crate::desc::*;
use crate::literal;
use crate::rows::CatRow;
use crate::schema::{CatalogIndex, CatalogTable};
use crate::stored_tree::StoredTree;
use access::{IndexRel, KeyColumn, Persistence, Rel, ToastRel};
use common::{Error, Oid, Result};
use std::rc::Rc;
use storage::RelFileLocator;
use types::{Attribute, Collation, Datum, FnImpl, TupleDesc, oids};

/// Options of a relation that the storage layer acts upon.
struct StorageOptions {
    fillfactor: Option<u8>,
}

fn storage_options(options: &[String]) -> StorageOptions {
    let get = |name: &str| options.iter().find_map(|o| o.strip_prefix(name)?.strip_prefix('='));
    StorageOptions { fillfactor: get("fillfactor").and_then(|v| v.parse().ok()) }
}

impl Catalog {
    pub(super) fn build_relation(&self, oid: Oid) -> Result<Option<Relation>> {
        if let Some(t) = self.builtins.schema.table(oid) {
            return self.catalog_relation(t).map(Some);
        }
        let rows = self.scan(pg_class::TABLE, pg_class::OID_INDEX, &[Datum::oid(oid)])?;
        match rows.first() {
            Some(row) => self.relation_from_row(oid, row).map(Some),
            None => Ok(None),
        }
    }

    /// Where the files of a relation are.
    pub fn locator(&self, tablespace: Oid, shared: bool, relfilenode: Oid) -> RelFileLocator {
        if shared {
            return RelFileLocator::new(GLOBAL_TABLESPACE, Oid::INVALID, relfilenode.0);
        }
        let spc_oid = if tablespace.is_valid() { tablespace } else { DEFAULT_TABLESPACE };
        RelFileLocator::new(spc_oid, self.database, relfilenode.0)
    }

    /// Files of a relation by its `pg_class` row.
    pub fn locator_of(&self, row: &CatRow) -> Result<RelFileLocator> {
        use pg_class::*;
        self.locator_in(
            row.oid(RELTABLESPACE),
            row.bool(RELISSHARED),
            row.oid(RELFILENODE),
            row.char(RELPERSISTENCE),
            row.oid(RELNAMESPACE),
        )
    }
    /// Files of a relation: those of a temporary one belong to the backend its schema is named for.
    pub fn locator_in(
        &self,
        tablespace: Oid,
        shared: bool,
        relfilenode: Oid,
        persistence: u8,
        namespace: Oid,
    ) -> Result<RelFileLocator> {
        let plain = self.locator(tablespace, shared, relfilenode);
        if persistence != b't' {
            return Ok(plain);
        }
        if self.temp.is_own(namespace) {
            return Ok(plain.of_backend(self.eng.store().backend_number()));
        }
        let name = self.namespace_name(namespace)?;
        let backend = name.as_deref().and_then(crate::temp::backend_of_schema);
        match backend {
            Some(b) => Ok(plain.of_backend(b)),
            None => Err(Error::corrupted(format!("temporary relation in schema {namespace}"))),
        }
    }

    fn relation_from_row(&self, oid: Oid, row: &CatRow) -> Result<Relation> {
        use pg_class::*;
        let kind = row.char(RELKIND);
        let name = row.str(RELNAME).to_string();
        let has_triggers = row.bool(RELHASTRIGGERS);
        let natts = row.i16(RELNATTS).max(0) as usize;
        let row_type = row.oid(RELTYPE);
        let desc = Rc::new(self.read_attributes(oid, natts, row_type)?);
        let options = literal::text_items(row.bytes(RELOPTIONS));
        let (defaults, checks) = self.read_defaults_and_checks(oid, &desc, row.i16(RELCHECKS))?;
        let (fkeys_out, fkeys_in) = if has_triggers && kind == b'r' {
            (self.foreign_keys_of(oid)?, self.foreign_keys_onto(oid)?)
        } else {
            (Vec::new(), Vec::new())
        };
        let indexes = if row.bool(RELHASINDEX) { self.index_oids(oid)? } else { Vec::new() };
        let rel = self.storage_rel(oid, &name, row, kind, &desc, &options)?;
        let view_query = if kind == b'v' || kind == b'm' { self.view_query(oid)? } else { None };
        Ok(Relation {
            oid,
            name,
            namespace: row.oid(RELNAMESPACE),
            owner: row.oid(RELOWNER),
            kind,
            persistence: row.char(RELPERSISTENCE),
            am: row.oid(RELAM),
            row_type,
            of_type: row.oid(RELOFTYPE),
            tablespace: row.oid(RELTABLESPACE),
            shared: row.bool(RELISSHARED),
            acl: row.opt_bytes(RELACL),
            options,
            reltuples: row.f32(RELTUPLES),
            relpages: row.i32(RELPAGES),
            relallvisible: row.i32(RELALLVISIBLE),
            has_index: row.bool(RELHASINDEX),
            has_rules: row.bool(RELHASRULES),
            populated: row.bool(RELISPOPULATED),
            has_triggers,
            has_subclass: row.bool(RELHASSUBCLASS),
            row_security: row.bool(RELROWSECURITY),
            force_row_security: row.bool(RELFORCEROWSECURITY),
            desc,
            defaults,
            checks,
            indexes,
            fkeys_out,
            fkeys_in,
            view_query,
            rel,
            column_lists: Default::default(),
        })
    }

    fn storage_rel(
        &self,
        oid: Oid,
        name: &str,
        row: &CatRow,
        kind: u8,
        desc: &Rc<TupleDesc>,
        options: &[String],
    ) -> Result<Option<Rc<Rel>>> {
        let relfilenode = row.oid(pg_class::RELFILENODE);
        if !relfilenode.is_valid() || !matches!(kind, b'r' | b'S' | b't' | b'm') {
            return Ok(None);
        }
        let locator = self.locator_of(row)?;
        let mut rel = Rel::new(oid, name, locator, desc.clone());
        rel.persistence = Persistence::from_char(row.char(pg_class::RELPERSISTENCE));
        if let Some(f) = storage_options(options).fillfactor {
            rel.fillfactor = f;
        }
        let toast = row.oid(pg_class::RELTOASTRELID);
        if toast.is_valid() {
            rel.toast = Some(self.toast_rel(toast)?);
        }
        Ok(Some(Rc::new(rel)))
    }

    fn toast_rel(&self, toast: Oid) -> Result<Rc<ToastRel>> {
        let t = self.relation(toast)?;
        let lost = || Error::corrupted(format!("TOAST table {toast} is incomplete"));
        let heap = t.rel.clone().ok_or_else(lost)?;
        let index = self.index(*t.indexes.first().ok_or_else(lost)?)?.rel.clone();
        Ok(Rc::new(ToastRel { heap, index }))
    }

    fn read_attributes(&self, oid: Oid, natts: usize, row_type: Oid) -> Result<TupleDesc> {
        use pg_attribute::*;
        let rows = self.scan(TABLE, RELID_ATTNUM_INDEX, &[Datum::oid(oid)])?;
        let mut attrs: Vec<Attribute> = Vec::with_capacity(natts);
        for r in rows.iter().filter(|r| r.i16(ATTNUM) > 0) {
            attrs.push(self.attribute_from_row(r)?);
        }
        if attrs.len() != natts {
            return Err(Error::corrupted(format!(
                "pg_attribute has {} columns of relation {oid}, pg_class says {natts}",
                attrs.len()
            )));
        }
        Ok(TupleDesc { attrs, type_oid: if row_type.is_valid() { row_type } else { oids::RECORD } })
    }

    fn attribute_from_row(&self, r: &CatRow) -> Result<Attribute> {
        use pg_attribute::*;
        let type_oid = r.oid(ATTTYPID);
        let dropped = r.bool(ATTISDROPPED);
        // A dropped column's type may be gone; its storage facts are in the row.
        let phys = if dropped {
            literal::phys_of(Oid::INVALID, r.i16(ATTLEN), r.bool(ATTBYVAL), b'b')
        } else {
            self.type_desc(type_oid)?.phys
        };
        let missing = if r.bool(ATTHASMISSING) {
            let t = self.type_desc(type_oid)?;
            crate::array::first_element(&t, r.bytes(ATTMISSINGVAL))
        } else {
            None
        };
        Ok(Attribute {
            name: r.str(ATTNAME).to_string(),
            type_oid,
            typmod: r.i32(ATTTYPMOD),
            len: r.i16(ATTLEN),
            by_val: r.bool(ATTBYVAL),
            align: r.char(ATTALIGN),
            storage: r.char(ATTSTORAGE),
            compression: r.char(ATTCOMPRESSION),
            phys,
            collation: r.oid(ATTCOLLATION),
            not_null: r.bool(ATTNOTNULL),
            has_default: r.bool(ATTHASDEF),
            missing,
            identity: r.char(ATTIDENTITY),
            generated: r.char(ATTGENERATED),
            dropped,
        })
    }

    fn read_defaults_and_checks(
        &self,
        oid: Oid,
        desc: &TupleDesc,
        nchecks: i16,
    ) -> Result<(Vec<AttrDefault>, Vec<CheckConstraint>)> {
        let mut defaults = Vec::new();
        if desc.attrs.iter().any(|a| a.has_default) {
            for r in self.scan(pg_attrdef::TABLE, pg_attrdef::ADRELID_ADNUM_INDEX, &[Datum::oid(oid)])? {
                let bin = r.str(pg_attrdef::ADBIN).into();
                defaults.push(AttrDefault { attnum: r.i16(pg_attrdef::ADNUM), bin });
            }
        }
        let mut checks = Vec::new();
        if nchecks > 0 {
            use pg_constraint::*;
            for r in self.scan(TABLE, CONRELID_CONTYPID_CONNAME_INDEX, &[Datum::oid(oid)])? {
                if r.char(CONTYPE) == b'c' {
                    checks.push(CheckConstraint {
                        oid: r.oid(OID),
                        name: r.str(CONNAME).to_string(),
                        bin: r.str(CONBIN).into(),
                        valid: r.bool(CONVALIDATED),
                        no_inherit: r.bool(CONNOINHERIT),
                    });
                }
            }
        }
        Ok((defaults, checks))
    }

    fn index_oids(&self, table: Oid) -> Result<Vec<Oid>> {
        let rows = self.scan(pg_index::TABLE, pg_index::INDRELID_INDEX, &[Datum::oid(table)])?;
        let mut out: Vec<Oid> = rows
            .iter()
            .filter(|r| r.bool(pg_index::INDISLIVE))
            .map(|r| r.oid(pg_index::INDEXRELID))
            .collect();
        out.sort();
        Ok(out)
    }

    fn view_query(&self, oid: Oid) -> Result<Option<StoredTree>> {
        let keys = [Datum::oid(oid), Datum::text("_RETURN")];
        let rows = self.scan(pg_rewrite::TABLE, pg_rewrite::REL_RULENAME_INDEX, &keys)?;
        Ok(rows.first().map(|r| r.str(pg_rewrite::EV_ACTION).into()))
    }

    pub(super) fn build_index(&self, oid: Oid) -> Result<IndexDesc> {
        if let Some(ix) = self.builtins.schema.index(oid) {
            return self.catalog_index(ix);
        }
        use pg_index::*;
        let rows = self.scan(TABLE, INDEXRELID_INDEX, &[Datum::oid(oid)])?;
        let lost = || Error::internal(format!("cache lookup failed for index {oid}"));
        let r = rows.first().ok_or_else(lost)?;
        let class_rows = self.scan(pg_class::TABLE, pg_class::OID_INDEX, &[Datum::oid(oid)])?;
        let class = class_rows.first().ok_or_else(lost)?;
        let table = r.oid(INDRELID);
        let table_rows = self.scan(pg_class::TABLE, pg_class::OID_INDEX, &[Datum::oid(table)])?;
        let table_row = table_rows.first().ok_or_else(lost)?;
        let name = class.str(pg_class::RELNAME).to_string();
        let desc =
            Rc::new(self.read_attributes(oid, class.i16(pg_class::RELNATTS) as usize, Oid::INVALID)?);
        let num_key_atts = r.i16(INDNKEYATTS) as u16;
        let opclasses = literal::oid_items(r.bytes(INDCLASS));
        let collations = literal::oid_items(r.bytes(INDCOLLATION));
        let options = literal::int2_items(r.bytes(INDOPTION));
        let locator = self.locator_of(class)?;
        let mut rel = Rel::new(oid, name.clone(), locator, desc.clone());
        rel.persistence = Persistence::from_char(class.char(pg_class::RELPERSISTENCE));
        let reloptions = literal::text_items(class.bytes(pg_class::RELOPTIONS));
        rel.fillfactor = storage_options(&reloptions).fillfactor.unwrap_or(90);
        let keys = self.key_columns(num_key_atts as usize, &opclasses, &collations, &options)?;
        let mut index_rel = IndexRel::new(rel, table, table_row.str(pg_class::RELNAME), keys);
        index_rel.unique = r.bool(INDISUNIQUE);
        index_rel.nulls_not_distinct = r.bool(INDNULLSNOTDISTINCT);
        index_rel.immediate = r.bool(INDIMMEDIATE);
        let schema = self.namespace_name(class.oid(pg_class::RELNAMESPACE))?;
        index_rel.schema_name = schema.as_deref().unwrap_or_default().to_string();
        let families = opclasses.iter().map(|o| self.opclass(*o)).collect::<Result<Vec<_>>>()?;
        let constraint = self.index_constraint(oid)?;
        Ok(IndexDesc {
            oid,
            name,
            table,
            am: class.oid(pg_class::RELAM),
            keys: literal::int2_items(r.bytes(INDKEY)),
            num_key_atts,
            unique: r.bool(INDISUNIQUE),
            nulls_not_distinct: r.bool(INDNULLSNOTDISTINCT),
            primary: r.bool(INDISPRIMARY),
            exclusion: r.bool(INDISEXCLUSION),
            immediate: r.bool(INDIMMEDIATE),
            clustered: r.bool(INDISCLUSTERED),
            valid: r.bool(INDISVALID),
            check_xmin: r.bool(INDCHECKXMIN),
            made_by: if r.bool(INDCHECKXMIN) { self.row_xmin(TABLE, r.tid)? } else { common::Xid::FROZEN },
            ready: r.bool(INDISREADY),
            live: r.bool(INDISLIVE),
            replident: r.bool(INDISREPLIDENT),
            opfamilies: families.iter().map(|c| c.family).collect(),
            opcintypes: families.iter().map(|c| c.in_type).collect(),
            opclasses,
            collations,
            options,
            expressions: r.text(INDEXPRS).map(StoredTree::from),
            predicate: r.text(INDPRED).map(StoredTree::from),
            rel: Rc::new(index_rel),
            constraint,
            deferred: !r.bool(INDIMMEDIATE) && self.initially_deferred(constraint)?,
        })
    }

    fn initially_deferred(&self, constraint: Oid) -> Result<bool> {
        use pg_constraint::*;
        let rows = self.scan(TABLE, OID_INDEX, &[Datum::oid(constraint)])?;
        Ok(rows.first().is_some_and(|r| r.bool(CONDEFERRED)))
    }

    /// The constraint that owns an index, found through its dependency.
    fn index_constraint(&self, index: Oid) -> Result<Oid> {
        use pg_depend::*;
        let keys = [Datum::oid(pg_class::TABLE), Datum::oid(index), Datum::I32(0)];
        let rows = self.scan(TABLE, DEPENDER_INDEX, &keys)?;
        let owner = rows
            .iter()
            .find(|r| r.oid(REFCLASSID) == pg_constraint::TABLE && r.char(DEPTYPE) == b'i')
            .map(|r| r.oid(REFOBJID));
        Ok(owner.unwrap_or_default())
    }

    /// Comparison functions of the key columns, from their operator classes.
    pub fn key_columns(
        &self,
        nkeys: usize,
        opclasses: &[Oid],
        collations: &[Oid],
        options: &[i16],
    ) -> Result<Vec<KeyColumn>> {
        (0..nkeys)
            .map(|i| {
                let class = self.opclass(opclasses[i])?;
                let proc = self.amproc(class.family, class.in_type, class.in_type, 1)?.ok_or_else(|| {
                    let t = types::record::sql_name(class.in_type);
                    Error::internal(format!(
                        "missing support function 1({t},{t}) for attribute {} of index",
                        i + 1
                    ))
                })?;
                let collation = match collations.get(i).copied().unwrap_or_default() {
                    // Records hold strings; nothing else without a collation does.
                    Oid::INVALID if class.in_type != oids::RECORD => Collation::NONE,
                    c => self.collation(c)?,
                };
                let (cmp, collation) = match self.registry.get(self.code_oid(proc)?) {
                    Some(FnImpl::Cmp(f)) => (f, collation),
                    _ => self.own_comparison(proc, collation.oid)?,
                };
                let opt = options.get(i).copied().unwrap_or(0);
                Ok(KeyColumn::new(
                    class.in_type,
                    cmp,
                    collation,
                    opt & 1 != 0,
                    opt & 2 != 0,
                    class.is_default,
                ))
            })
            .collect()
    }

    /// A system catalog's storage descriptor, TOAST table included.
    pub(crate) fn catalog_storage(&self, t: &CatalogTable) -> Rel {
        let mut rel = Rel::new(
            t.oid,
            t.name.clone(),
            self.locator(Oid::INVALID, t.shared, t.oid),
            Rc::new(t.desc.clone()),
        );
        rel.is_catalog = true;
        if t.toast.is_valid() {
            rel.toast = Some(Rc::new(self.catalog_toast(t)));
        }
        rel
    }

    fn catalog_toast(&self, t: &CatalogTable) -> ToastRel {
        let desc = Rc::new(crate::toast::toast_desc(self.builtins));
        let name = format!("pg_toast_{}", t.oid);
        let mut heap = Rel::new(t.toast, name.clone(), self.locator(Oid::INVALID, t.shared, t.toast), desc);
        heap.is_catalog = true;
        let index = crate::toast::toast_index(
            self.builtins,
            self.registry,
            t.toast_index,
            self.locator(Oid::INVALID, t.shared, t.toast_index),
            &heap,
        );
        ToastRel { heap: Rc::new(heap), index: Rc::new(index) }
    }

    /// A system catalog's index for the access method.
    pub(crate) fn catalog_index_rel(&self, ix: &CatalogIndex) -> Result<IndexRel> {
        let table = self.builtins.schema.table(ix.table);
        let shared = table.is_some_and(|t| t.shared);
        let locator = self.locator(Oid::INVALID, shared, ix.oid);
        let mut rel = Rel::new(ix.oid, ix.name.clone(), locator, self.builtins.schema.index_desc(ix));
        rel.is_catalog = true;
        rel.fillfactor = 90;
        let keys = self.key_columns(ix.keys.len(), &ix.opclasses, &ix.collations, &ix.options)?;
        let mut r = IndexRel::new(rel, ix.table, table.map_or("", |t| &t.name), keys);
        r.unique = ix.unique;
        r.immediate = ix.immediate;
        r.schema_name = "pg_catalog".into();
        Ok(r)
    }

    fn catalog_relation(&self, t: &CatalogTable) -> Result<Relation> {
        // Sizes and privileges live in the row; the shape does not.
        let rows = self.scan(pg_class::TABLE, pg_class::OID_INDEX, &[Datum::oid(t.oid)])?;
        let row = rows.first();
        let rel = self.catalog_storage(t);
        let desc = rel.desc.clone();
        Ok(Relation {
            oid: t.oid,
            name: t.name.clone(),
            namespace: PG_CATALOG,
            owner: row.map_or(BOOTSTRAP_SUPERUSER, |r| r.oid(pg_class::RELOWNER)),
            kind: b'r',
            persistence: b'p',
            am: HEAP_AM,
            row_type: t.row_type,
            of_type: Oid::INVALID,
            tablespace: if t.shared { GLOBAL_TABLESPACE } else { Oid::INVALID },
            shared: t.shared,
            acl: row.and_then(|r| r.opt_bytes(pg_class::RELACL)),
            options: Vec::new(),
            reltuples: row.map_or(-1.0, |r| r.f32(pg_class::RELTUPLES)),
            relpages: row.map_or(0, |r| r.i32(pg_class::RELPAGES)),
            relallvisible: row.map_or(0, |r| r.i32(pg_class::RELALLVISIBLE)),
            has_index: !t.indexes.is_empty(),
            has_rules: false,
            populated: true,
            has_triggers: false,
            has_subclass: false,
            row_security: false,
            force_row_security: false,
            desc,
            defaults: Vec::new(),
            checks: Vec::new(),
            indexes: t.indexes.clone(),
            fkeys_out: Vec::new(),
            fkeys_in: Vec::new(),
            view_query: None,
            rel: Some(Rc::new(rel)),
            column_lists: Default::default(),
        })
    }

    fn catalog_index(&self, ix: &CatalogIndex) -> Result<IndexDesc> {
        let classes = ix.opclasses.iter().map(|o| self.opclass(*o)).collect::<Result<Vec<_>>>()?;
        Ok(IndexDesc {
            oid: ix.oid,
            name: ix.name.clone(),
            table: ix.table,
            am: BTREE_AM,
            keys: ix.keys.clone(),
            num_key_atts: ix.keys.len() as u16,
            unique: ix.unique,
            nulls_not_distinct: false,
            primary: ix.primary,
            exclusion: false,
            immediate: ix.immediate,
            clustered: false,
            valid: true,
            check_xmin: false,
            made_by: common::Xid::FROZEN,
            ready: true,
            live: true,
            replident: false,
            opclasses: ix.opclasses.clone(),
            opfamilies: classes.iter().map(|c| c.family).collect(),
            opcintypes: classes.iter().map(|c| c.in_type).collect(),
            collations: ix.collations.clone(),
            options: ix.options.clone(),
            expressions: None,
            predicate: None,
            rel: Rc::new(self.catalog_index_rel(ix)?),
            constraint: ix.constraint,
            deferred: false,
        })
    }
}
