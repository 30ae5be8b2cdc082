//! Filling the catalogs of a fresh cluster. `initdb` runs this in the first database inside one transaction: files of
//! all catalogs, TOAST tables and indexes are made, then the rows of the bootstrap data and the rows that describe the
//! catalogs themselves.

use crate::builtins::*;
use crate::cache::Catalog;
use crate::columns::*;
use crate::data;
use crate::literal;
use crate::schema::{CatalogIndex, CatalogTable};
use access::btree;
use common::{Error, Oid, Result};
use types::{Datum, oids};

/// What the user of `initdb` chose.
#[derive(Clone, Debug)]
pub struct BootstrapOptions {
    /// Name of the first superuser.
    pub superuser: String,
    /// Stored (hashed) password, if one was given.
    pub password: Option<String>,
    pub collate: String,
    pub ctype: String,
    /// Of a cluster whose databases have the provider icu.
    pub icu_locale: Option<String>,
    /// PostgreSQL's number of the encoding: 6 is UTF8.
    pub encoding: i32,
}

/// Creates and fills all catalogs in `catalog`'s database (`template1`).
pub fn bootstrap(catalog: &Catalog, opts: &BootstrapOptions) -> Result<()> {
    create_files(catalog)?;
    let schema = &catalog.builtins().schema;
    for (table, file) in data::CONTENTS {
        load_contents(catalog, *table, file, opts)?;
    }
    for t in &schema.tables {
        describe_table(catalog, t)?;
    }
    for ix in &schema.indexes {
        describe_index(catalog, ix)?;
    }
    Ok(())
}

fn create_files(catalog: &Catalog) -> Result<()> {
    let schema = &catalog.builtins().schema;
    for t in &schema.tables {
        let rel = catalog.catalog_storage(t);
        catalog.engine().create_storage(rel.locator, true)?;
        if let Some(toast) = &rel.toast {
            catalog.engine().create_storage(toast.heap.locator, true)?;
            catalog.engine().create_storage(toast.index.rel.locator, true)?;
            btree::create_empty(catalog.engine(), &toast.index)?;
        }
    }
    for ix in &schema.indexes {
        let rel = catalog.catalog_index_rel(ix)?;
        catalog.engine().create_storage(rel.rel.locator, true)?;
        btree::create_empty(catalog.engine(), &rel)?;
    }
    Ok(())
}

fn load_contents(catalog: &Catalog, table: Oid, file: &'static str, opts: &BootstrapOptions) -> Result<()> {
    let t = catalog
        .builtins()
        .schema
        .table(table)
        .ok_or_else(|| Error::internal(format!("bootstrap data for unknown catalog {table}")))?;
    for fields in data::rows(file) {
        let mut row = Vec::with_capacity(t.desc.len());
        for (a, f) in t.desc.attrs.iter().zip(&fields) {
            row.push(match data::unescape(f) {
                None => Datum::Null,
                Some(text) => literal::parse(a.type_oid, &text)?,
            });
        }
        match table {
            pg_database::TABLE if row[pg_database::OID] != Datum::U32(1) => continue,
            pg_database::TABLE => {
                locale_columns(&mut row, opts);
                row[pg_database::DATFROZENXID] = Datum::U32(3);
                row[pg_database::DATMINMXID] = Datum::U32(1);
                // Everybody may connect to a template; its owner has everything.
                row[pg_database::DATACL] =
                    acl_of(BOOTSTRAP_SUPERUSER, &[(Oid::INVALID, 2048), (BOOTSTRAP_SUPERUSER, 3584)]);
            }
            pg_namespace::TABLE if row[pg_namespace::OID] != Datum::oid(PG_TOAST) => {
                // Owner: USAGE and CREATE, everybody: USAGE.
                let owner = row[pg_namespace::NSPOWNER].as_ref().oid();
                let acl = acl_of(owner, &[(owner, 768), (Oid::INVALID, 256)]);
                record_initial(
                    catalog,
                    pg_namespace::TABLE,
                    row[pg_namespace::OID].as_ref().oid(),
                    acl.clone(),
                )?;
                row[pg_namespace::NSPACL] = acl;
            }
            pg_proc::TABLE => {
                let oid = row[pg_proc::OID].as_ref().oid();
                if let Some(acl) = function_acl(oid.0) {
                    record_initial(catalog, pg_proc::TABLE, oid, acl.clone())?;
                    row[pg_proc::PROACL] = acl;
                }
            }
            pg_authid::TABLE if row[pg_authid::OID] == Datum::oid(BOOTSTRAP_SUPERUSER) => {
                row[pg_authid::ROLNAME] = Datum::text(&opts.superuser);
                row[pg_authid::ROLPASSWORD] = opts.password.as_deref().map_or(Datum::Null, Datum::text);
            }
            _ => {}
        }
        catalog.insert_row(table, &row)?;
    }
    Ok(())
}

/// Functions that only their owner may call: they read files, reset statistics, control the server.
const CLOSED: [u32; 49] = [
    764, 765, 767, 2172, 2274, 2307, 2621, 2622, 2623, 2624, 2625, 2739, 2848, 3071, 3072, 3098, 3293, 3295,
    3297, 3307, 3329, 3400, 3401, 3436, 3775, 3776, 3777, 3800, 3801, 3826, 3827, 3828, 4543, 6003, 6004,
    6005, 6006, 6007, 6008, 6009, 6010, 6011, 6012, 6013, 6014, 6170, 6230, 6232, 6250,
];
/// The same, but members of `pg_monitor` may call them.
const FOR_MONITOR: [u32; 8] = [3353, 3354, 5029, 5030, 5031, 6270, 6271, 6272];
/// The same, but members of `pg_read_all_stats` may call them.
const FOR_STATS: [u32; 2] = [2282, 5052];

/// Notes privileges that are there from the start, so that a dump leaves them out.
pub fn record_initial(catalog: &Catalog, class: Oid, object: Oid, acl: Datum) -> Result<()> {
    record_initial_part(catalog, class, (object, 0), acl)
}

/// The same of a column.
fn record_initial_part(catalog: &Catalog, class: Oid, (object, sub): (Oid, i32), acl: Datum) -> Result<()> {
    use pg_init_privs::*;
    let mut r = catalog.blank_row(TABLE);
    r[OBJOID] = Datum::oid(object);
    r[CLASSOID] = Datum::oid(class);
    r[OBJSUBID] = Datum::I32(sub);
    r[PRIVTYPE] = Datum::I8(b'i' as i8);
    r[INITPRIVS] = acl;
    catalog.insert_row(TABLE, &r).map(|_| ())
}

/// Initial privileges of a function that is not everybody's.
fn function_acl(oid: u32) -> Option<Datum> {
    const EXECUTE: u32 = 128;
    let mut items = vec![(BOOTSTRAP_SUPERUSER, EXECUTE)];
    match oid {
        o if FOR_MONITOR.contains(&o) => items.push((Oid(3373), EXECUTE)),
        o if FOR_STATS.contains(&o) => items.push((Oid(3375), EXECUTE)),
        o if CLOSED.contains(&o) => {}
        _ => return None,
    }
    Some(acl_of(BOOTSTRAP_SUPERUSER, &items))
}

/// An `aclitem[]`: (grantee, privileges) granted by the owner. PUBLIC is the invalid OID.
fn acl_of(owner: Oid, items: &[(Oid, u32)]) -> Datum {
    let item = |(grantee, privileges): &(Oid, u32)| {
        let words = [grantee.0, owner.0, *privileges].map(u32::to_le_bytes);
        Datum::bytes(&words.concat())
    };
    let items: Vec<Datum> = items.iter().map(item).collect();
    literal::make_array(oids::ACLITEM, &items, 1)
}

fn locale_columns(row: &mut [Datum], opts: &BootstrapOptions) {
    row[pg_database::ENCODING] = Datum::I32(opts.encoding);
    row[pg_database::DATCOLLATE] = Datum::text(&opts.collate);
    row[pg_database::DATCTYPE] = Datum::text(&opts.ctype);
    if let Some(icu) = &opts.icu_locale {
        row[pg_database::DATLOCPROVIDER] = Datum::I8(b'i' as i8);
        row[pg_database::DATICULOCALE] = Datum::text(icu);
        row[pg_database::DATCOLLVERSION] = Datum::text(types::locale::ICU_VERSION);
    }
}

/// Adds the rows of `template0` and `postgres`, copies of `template1`'s.
pub fn add_databases(catalog: &Catalog) -> Result<()> {
    catalog.engine().command_counter_increment()?;
    let row =
        catalog.database_row("template1")?.ok_or_else(|| Error::internal("database template1 is missing"))?;
    for (oid, name, template, allow) in [(4, "template0", true, false), (5, "postgres", false, true)] {
        let mut v = row.values.clone();
        v[pg_database::OID] = Datum::U32(oid);
        v[pg_database::DATNAME] = Datum::text(name);
        v[pg_database::DATISTEMPLATE] = Datum::Bool(template);
        v[pg_database::DATALLOWCONN] = Datum::Bool(allow);
        if !template {
            v[pg_database::DATACL] = Datum::Null;
        }
        catalog.insert_row(pg_database::TABLE, &v)?;
    }
    Ok(())
}

/// Everything, of a table.
const ALL_OF_TABLE: u32 = 127;
const SELECT: u32 = 2;
/// Catalogs that not everybody may read: they hold secrets, or other people's data.
pub const CLOSED_CATALOGS: [Oid; 6] = [
    pg_authid::TABLE,
    pg_statistic::TABLE,
    pg_subscription::TABLE,
    pg_user_mapping::TABLE,
    pg_largeobject::TABLE,
    pg_statistic_ext_data::TABLE,
];

/// Privileges on a catalog.
fn catalog_acl(oid: Oid) -> Datum {
    let mut items = vec![(BOOTSTRAP_SUPERUSER, ALL_OF_TABLE)];
    if !CLOSED_CATALOGS.contains(&oid) {
        items.push((Oid::INVALID, SELECT));
    }
    acl_of(BOOTSTRAP_SUPERUSER, &items)
}

/// Of `pg_subscription` everybody may read all but the connection string.
fn column_acl(catalog: &Catalog, table: Oid, attnum: usize, row: &mut [Datum]) -> Result<()> {
    if table != pg_subscription::TABLE || attnum == pg_subscription::SUBCONNINFO + 1 {
        return Ok(());
    }
    let acl = acl_of(BOOTSTRAP_SUPERUSER, &[(Oid::INVALID, SELECT)]);
    row[pg_attribute::ATTACL] = acl.clone();
    record_initial_part(catalog, pg_class::TABLE, (table, attnum as i32), acl)
}

/// A `pg_class` row with the columns every relation of `initdb` shares.
struct ClassRow<'a> {
    oid: Oid,
    name: &'a str,
    namespace: Oid,
    row_type: Oid,
    am: Oid,
    kind: u8,
    natts: usize,
    shared: bool,
    has_index: bool,
    toast: Oid,
}

fn insert_class(catalog: &Catalog, c: &ClassRow<'_>) -> Result<()> {
    use pg_class::*;
    let mut r = catalog.blank_row(TABLE);
    for i in [
        RELISSHARED,
        RELHASRULES,
        RELHASTRIGGERS,
        RELHASSUBCLASS,
        RELROWSECURITY,
        RELFORCEROWSECURITY,
        RELISPARTITION,
    ] {
        r[i] = Datum::Bool(false);
    }
    for i in [RELOFTYPE, RELREWRITE] {
        r[i] = Datum::oid(Oid::INVALID);
    }
    r[OID] = Datum::oid(c.oid);
    r[RELNAME] = Datum::text(c.name);
    r[RELNAMESPACE] = Datum::oid(c.namespace);
    r[RELTYPE] = Datum::oid(c.row_type);
    r[RELOWNER] = Datum::oid(BOOTSTRAP_SUPERUSER);
    r[RELAM] = Datum::oid(c.am);
    r[RELFILENODE] = Datum::oid(c.oid);
    r[RELTABLESPACE] = Datum::oid(if c.shared { GLOBAL_TABLESPACE } else { Oid::INVALID });
    r[RELPAGES] = Datum::I32(0);
    r[RELTUPLES] = Datum::F32(if c.kind == b'i' { 0.0 } else { -1.0 });
    r[RELALLVISIBLE] = Datum::I32(0);
    r[RELTOASTRELID] = Datum::oid(c.toast);
    r[RELHASINDEX] = Datum::Bool(c.has_index);
    r[RELISSHARED] = Datum::Bool(c.shared);
    r[RELPERSISTENCE] = Datum::I8(b'p' as i8);
    r[RELKIND] = Datum::I8(c.kind as i8);
    r[RELNATTS] = Datum::I16(c.natts as i16);
    r[RELCHECKS] = Datum::I16(0);
    r[RELISPOPULATED] = Datum::Bool(true);
    r[RELREPLIDENT] = Datum::I8(b'n' as i8);
    r[RELFROZENXID] = Datum::U32(if c.kind == b'i' { 0 } else { 3 });
    r[RELMINMXID] = Datum::U32(if c.kind == b'i' { 0 } else { 1 });
    if c.kind == b'r' {
        r[RELACL] = catalog_acl(c.oid);
        record_initial(catalog, TABLE, c.oid, r[RELACL].clone())?;
    }
    catalog.insert_row(TABLE, &r)?;
    Ok(())
}

/// A `pg_attribute` row for an attribute.
pub fn attribute_row(catalog: &Catalog, rel: Oid, num: i16, a: &types::Attribute, ndims: i32) -> Vec<Datum> {
    use pg_attribute::*;
    let mut r = catalog.blank_row(TABLE);
    r[ATTRELID] = Datum::oid(rel);
    r[ATTNAME] = Datum::text(&a.name);
    r[ATTTYPID] = Datum::oid(a.type_oid);
    r[ATTSTATTARGET] = Datum::I32(if num > 0 { -1 } else { 0 });
    r[ATTLEN] = Datum::I16(a.len);
    r[ATTNUM] = Datum::I16(num);
    r[ATTNDIMS] = Datum::I32(ndims);
    r[ATTCACHEOFF] = Datum::I32(-1);
    r[ATTTYPMOD] = Datum::I32(a.typmod);
    r[ATTBYVAL] = Datum::Bool(a.by_val);
    r[ATTALIGN] = Datum::I8(a.align as i8);
    r[ATTSTORAGE] = Datum::I8(a.storage as i8);
    r[ATTCOMPRESSION] = Datum::I8(a.compression as i8);
    r[ATTNOTNULL] = Datum::Bool(a.not_null);
    r[ATTHASDEF] = Datum::Bool(a.has_default);
    r[ATTHASMISSING] = Datum::Bool(a.missing.is_some());
    r[ATTIDENTITY] = Datum::I8(a.identity as i8);
    r[ATTGENERATED] = Datum::I8(a.generated as i8);
    r[ATTISDROPPED] = Datum::Bool(a.dropped);
    r[ATTISLOCAL] = Datum::Bool(true);
    r[ATTINHCOUNT] = Datum::I32(0);
    r[ATTCOLLATION] = Datum::oid(a.collation);
    r
}

/// The system columns of a table: (name, number, type).
pub const SYSTEM_COLUMNS: [(&str, i16, Oid); 6] = [
    ("tableoid", -6, oids::OID),
    ("cmax", -5, oids::CID),
    ("xmax", -4, oids::XID),
    ("cmin", -3, oids::CID),
    ("xmin", -2, oids::XID),
    ("ctid", -1, oids::TID),
];

/// Inserts the rows of a relation's system columns.
pub fn insert_system_columns(catalog: &Catalog, rel: Oid) -> Result<()> {
    for (name, num, type_oid) in SYSTEM_COLUMNS {
        let mut a = crate::schema::attribute(name, &*catalog.type_desc(type_oid)?, -1);
        a.not_null = true;
        catalog.insert_row(pg_attribute::TABLE, &attribute_row(catalog, rel, num, &a, 0))?;
    }
    Ok(())
}

fn describe_table(catalog: &Catalog, t: &CatalogTable) -> Result<()> {
    insert_class(
        catalog,
        &ClassRow {
            oid: t.oid,
            name: &t.name,
            namespace: PG_CATALOG,
            row_type: t.row_type,
            am: HEAP_AM,
            kind: b'r',
            natts: t.desc.len(),
            shared: t.shared,
            has_index: !t.indexes.is_empty(),
            toast: t.toast,
        },
    )?;
    for (i, a) in t.desc.attrs.iter().enumerate() {
        let ndims = t.ndims.get(i).copied().unwrap_or(0);
        let mut row = attribute_row(catalog, t.oid, i as i16 + 1, a, ndims);
        column_acl(catalog, t.oid, i + 1, &mut row)?;
        catalog.insert_row(pg_attribute::TABLE, &row)?;
    }
    insert_system_columns(catalog, t.oid)?;
    for oid in [t.row_type, t.row_array_type] {
        if let Some(d) = catalog.builtins().type_desc(oid) {
            catalog.insert_row(pg_type::TABLE, &type_row(catalog, d))?;
        }
    }
    if t.toast.is_valid() {
        describe_toast(catalog, t)?;
    }
    Ok(())
}

/// A `pg_type` row.
pub fn type_row(catalog: &Catalog, d: &crate::desc::TypeDesc) -> Vec<Datum> {
    use pg_type::*;
    let mut r = catalog.blank_row(TABLE);
    r[OID] = Datum::oid(d.oid);
    r[TYPNAME] = Datum::text(&d.name);
    r[TYPNAMESPACE] = Datum::oid(d.namespace);
    r[TYPOWNER] = Datum::oid(d.owner);
    r[TYPLEN] = Datum::I16(d.len);
    r[TYPBYVAL] = Datum::Bool(d.by_val);
    r[TYPTYPE] = Datum::I8(d.typtype as i8);
    r[TYPCATEGORY] = Datum::I8(d.category as i8);
    r[TYPISPREFERRED] = Datum::Bool(d.preferred);
    r[TYPISDEFINED] = Datum::Bool(d.is_defined);
    r[TYPDELIM] = Datum::I8(d.delim as i8);
    r[TYPRELID] = Datum::oid(d.relid);
    r[TYPSUBSCRIPT] = Datum::oid(d.subscript_proc);
    r[TYPELEM] = Datum::oid(d.elem);
    r[TYPARRAY] = Datum::oid(d.array);
    r[TYPINPUT] = Datum::oid(d.input);
    r[TYPOUTPUT] = Datum::oid(d.output);
    r[TYPRECEIVE] = Datum::oid(d.receive);
    r[TYPSEND] = Datum::oid(d.send);
    r[TYPMODIN] = Datum::oid(d.modin);
    r[TYPMODOUT] = Datum::oid(d.modout);
    // array_typanalyze for arrays; composite types have none.
    r[TYPANALYZE] = Datum::U32(if d.subscript_proc == Oid(6179) { 3816 } else { 0 });
    r[TYPALIGN] = Datum::I8(d.align as i8);
    r[TYPSTORAGE] = Datum::I8(d.storage as i8);
    r[TYPNOTNULL] = Datum::Bool(d.not_null);
    r[TYPBASETYPE] = Datum::oid(d.base_type);
    r[TYPTYPMOD] = Datum::I32(d.typmod);
    r[TYPNDIMS] = Datum::I32(0);
    r[TYPCOLLATION] = Datum::oid(d.collation);
    r
}

fn describe_toast(catalog: &Catalog, t: &CatalogTable) -> Result<()> {
    let name = format!("pg_toast_{}", t.oid);
    let desc = crate::toast::toast_desc(catalog.builtins());
    let class = ClassRow {
        oid: t.toast,
        name: &name,
        namespace: PG_TOAST,
        row_type: Oid::INVALID,
        am: HEAP_AM,
        kind: b't',
        natts: desc.len(),
        shared: t.shared,
        has_index: true,
        toast: Oid::INVALID,
    };
    insert_class(catalog, &class)?;
    for (i, a) in desc.attrs.iter().enumerate() {
        catalog.insert_row(pg_attribute::TABLE, &attribute_row(catalog, t.toast, i as i16 + 1, a, 0))?;
    }
    insert_system_columns(catalog, t.toast)?;
    let index_name = format!("{name}_index");
    let ix = CatalogIndex {
        oid: t.toast_index,
        name: index_name,
        table: t.toast,
        unique: true,
        primary: true,
        immediate: true,
        keys: vec![1, 2],
        collations: vec![Oid::INVALID; 2],
        opclasses: crate::toast::TOAST_OPCLASSES.iter().map(|c| c.0).collect(),
        options: vec![0, 0],
        constraint: Oid::INVALID,
    };
    describe_index_columns(catalog, &ix, &desc.attrs[..2], PG_TOAST, t.shared)
}

fn describe_index(catalog: &Catalog, ix: &CatalogIndex) -> Result<()> {
    let desc = catalog.builtins().schema.index_desc(ix);
    let shared = catalog.builtins().schema.table(ix.table).is_some_and(|t| t.shared);
    describe_index_columns(catalog, ix, &desc.attrs, PG_CATALOG, shared)?;
    if ix.constraint.is_valid() {
        insert_constraint(catalog, ix)?;
    }
    Ok(())
}

fn describe_index_columns(
    catalog: &Catalog,
    ix: &CatalogIndex,
    attrs: &[types::Attribute],
    namespace: Oid,
    shared: bool,
) -> Result<()> {
    let class = ClassRow {
        oid: ix.oid,
        name: &ix.name,
        namespace,
        row_type: Oid::INVALID,
        am: BTREE_AM,
        kind: b'i',
        natts: ix.keys.len(),
        shared,
        has_index: false,
        toast: Oid::INVALID,
    };
    insert_class(catalog, &class)?;
    let table = catalog.builtins().schema.table(ix.table);
    for (i, (a, key)) in attrs.iter().zip(&ix.keys).enumerate() {
        let mut a = a.clone();
        a.not_null = false;
        if a.type_oid == oids::NAME {
            // The row says what PostgreSQL's btree stores of a name.
            (a.type_oid, a.len, a.align) = (oids::CSTRING, -2, b'c');
        }
        let ndims = table.and_then(|t| t.ndims.get(*key as usize - 1)).copied().unwrap_or(0);
        let row = attribute_row(catalog, ix.oid, i as i16 + 1, &a, ndims);
        catalog.insert_row(pg_attribute::TABLE, &row)?;
    }
    use pg_index::*;
    let mut r = catalog.blank_row(TABLE);
    r[INDEXRELID] = Datum::oid(ix.oid);
    r[INDRELID] = Datum::oid(ix.table);
    r[INDNATTS] = Datum::I16(ix.keys.len() as i16);
    r[INDNKEYATTS] = Datum::I16(ix.keys.len() as i16);
    r[INDISUNIQUE] = Datum::Bool(ix.unique);
    r[INDISPRIMARY] = Datum::Bool(ix.primary);
    r[INDIMMEDIATE] = Datum::Bool(ix.immediate);
    for i in [INDNULLSNOTDISTINCT, INDISEXCLUSION, INDISCLUSTERED, INDCHECKXMIN, INDISREPLIDENT] {
        r[i] = Datum::Bool(false);
    }
    for i in [INDISVALID, INDISREADY, INDISLIVE] {
        r[i] = Datum::Bool(true);
    }
    r[INDKEY] = literal::int2vector(&ix.keys);
    r[INDCOLLATION] = literal::oidvector(&ix.collations);
    r[INDCLASS] = literal::oidvector(&ix.opclasses);
    r[INDOPTION] = literal::int2vector(&ix.options);
    catalog.insert_row(TABLE, &r)?;
    Ok(())
}

fn insert_constraint(catalog: &Catalog, ix: &CatalogIndex) -> Result<()> {
    use pg_constraint::*;
    let mut r = catalog.blank_row(TABLE);
    for i in [CONTYPID, CONPARENTID, CONFRELID] {
        r[i] = Datum::oid(Oid::INVALID);
    }
    r[OID] = Datum::oid(ix.constraint);
    r[CONNAME] = Datum::text(&ix.name);
    r[CONNAMESPACE] = Datum::oid(PG_CATALOG);
    r[CONTYPE] = Datum::I8(if ix.primary { b'p' as i8 } else { b'u' as i8 });
    r[CONDEFERRABLE] = Datum::Bool(false);
    r[CONDEFERRED] = Datum::Bool(false);
    r[CONVALIDATED] = Datum::Bool(true);
    r[CONRELID] = Datum::oid(ix.table);
    r[CONINDID] = Datum::oid(ix.oid);
    for i in [CONFUPDTYPE, CONFDELTYPE, CONFMATCHTYPE] {
        r[i] = Datum::I8(b' ' as i8);
    }
    r[CONISLOCAL] = Datum::Bool(true);
    r[CONINHCOUNT] = Datum::I32(0);
    r[CONNOINHERIT] = Datum::Bool(true);
    let keys: Vec<Datum> = ix.keys.iter().map(|k| Datum::I16(*k)).collect();
    r[CONKEY] = literal::make_array(oids::INT2, &keys, 1);
    catalog.insert_row(TABLE, &r)?;
    Ok(())
}

impl Catalog {
    /// Name and row of each collation that stands for a locale of the system, as the bootstrap data has them.
    pub fn system_collations(&self) -> Result<Vec<(String, Vec<Datum>)>> {
        let missing = || Error::internal("bootstrap data without collations");
        let t = self.builtins().schema.table(pg_collation::TABLE).ok_or_else(missing)?;
        let (_, file) = data::CONTENTS.iter().find(|(t, _)| *t == pg_collation::TABLE).ok_or_else(missing)?;
        let mut out = Vec::new();
        for fields in data::rows(file) {
            let mut row = Vec::with_capacity(t.desc.len());
            for (a, f) in t.desc.attrs.iter().zip(&fields) {
                row.push(match data::unescape(f) {
                    None => Datum::Null,
                    Some(text) => literal::parse(a.type_oid, &text)?,
                });
            }
            let name = String::from_utf8_lossy(row[pg_collation::COLLNAME].as_ref().bytes()).into_owned();
            if row[pg_collation::COLLPROVIDER] == Datum::I8(b'i' as i8) || name == "C.utf8" {
                out.push((name, row));
            }
        }
        Ok(out)
    }
}
