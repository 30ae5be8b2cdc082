//! Making a relation: files, `pg_class`, `pg_attribute`, row type and array type, TOAST table. CREATE TABLE, VIEW,
//! SEQUENCE and INDEX all come through here; what is special about them is added by the callers.

use crate::{acl, default_privileges};
use catalog::bootstrap::{attribute_row, insert_system_columns, type_row};
use catalog::builtins::{BTREE_AM, HEAP_AM, PG_TOAST};
use catalog::columns::*;
use catalog::depend::{DependencyKind, ObjectAddress};
use catalog::desc::row_type_desc;
use catalog::{Catalog, literal};
use common::{Oid, Result, bail, err};
use types::{Attribute, Datum, UserClass};

/// A relation to be made.
pub struct NewRelation<'a> {
    pub name: &'a str,
    pub namespace: Oid,
    pub owner: Oid,
    /// `r`, `i`, `S`, `t`, `v`.
    pub kind: u8,
    /// `p`, `u`, `t`.
    pub persistence: u8,
    pub attrs: &'a [Attribute],
    /// Array dimensions per attribute; missing ones are 0.
    pub ndims: &'a [i32],
    /// `name=value` strings.
    pub options: &'a [String],
    pub checks: i16,
}

impl NewRelation<'_> {
    fn has_row_type(&self) -> bool {
        matches!(self.kind, b'r' | b'v' | b'm' | b'c')
    }
    fn has_storage(&self) -> bool {
        matches!(self.kind, b'r' | b'i' | b'S' | b't' | b'm')
    }
}

fn check_names(catalog: &Catalog, r: &NewRelation<'_>) -> Result<()> {
    if catalog.relation_oid(r.namespace, r.name)?.is_some() {
        bail!(DUPLICATE_TABLE, "relation \"{}\" already exists", r.name);
    }
    if r.has_row_type() && catalog.type_oid(r.namespace, r.name)?.is_some() {
        return Err(err!(DUPLICATE_OBJECT, "type \"{}\" already exists", r.name).hint(
            "A relation has an associated type of the same name, so you must use a name that doesn't conflict with any existing type.",
        ));
    }
    Ok(())
}

/// The files of a relation: main fork, and for an unlogged one what it becomes after a crash.
pub fn create_files(
    catalog: &Catalog,
    locator: storage::RelFileLocator,
    persistence: u8,
    kind: u8,
) -> Result<()> {
    let eng = catalog.engine();
    eng.create_storage(locator, persistence == b'p')?;
    if persistence == b'u' {
        eng.create_init_fork(locator)?;
        if kind == b'i' {
            access::btree::write_init_fork(eng, locator)?;
        }
    }
    Ok(())
}

/// Makes it and returns its OID. Visible to the next command.
pub fn create(catalog: &Catalog, r: &NewRelation<'_>) -> Result<Oid> {
    let eng = catalog.engine();
    check_names(catalog, r)?;
    let oid = eng.new_relfilenumber(catalog::builtins::DEFAULT_TABLESPACE, catalog.database())?;
    let oid = Oid(oid);
    if r.has_storage() {
        let locator = catalog.locator_in(Oid::INVALID, false, oid, r.persistence, r.namespace)?;
        create_files(catalog, locator, r.persistence, r.kind)?;
    }
    let row_type = if r.has_row_type() { create_row_type(catalog, r, oid)? } else { Oid::INVALID };
    let acl = default_list(catalog, r)?;
    insert_class(catalog, r, oid, row_type, acl.as_deref())?;
    for (i, a) in r.attrs.iter().enumerate() {
        let ndims = r.ndims.get(i).copied().unwrap_or(0);
        let row = attribute_row(catalog, oid, i as i16 + 1, a, ndims);
        catalog.insert_row(pg_attribute::TABLE, &row)?;
    }
    if matches!(r.kind, b'r' | b'S' | b't' | b'm') {
        insert_system_columns(catalog, oid)?;
    }
    let me = ObjectAddress::new(pg_class::TABLE, oid);
    if !matches!(r.kind, b'i' | b't' | b'c') {
        let ns = ObjectAddress::new(pg_namespace::TABLE, r.namespace);
        catalog.record_dependency(me, ns, DependencyKind::Normal)?;
        catalog.record_role_dependency(me, r.owner, b'o')?;
        if let Some(items) = &acl {
            default_privileges::record_roles(catalog, me, r.owner, items)?;
        }
    }
    if r.kind != b'i' {
        record_column_types(catalog, r, oid)?;
    }
    eng.command_counter_increment()?;
    Ok(oid)
}

fn record_column_types(catalog: &Catalog, r: &NewRelation<'_>, oid: Oid) -> Result<()> {
    for (i, a) in r.attrs.iter().enumerate() {
        record_column_type(catalog, oid, i as i16 + 1, a)?;
    }
    Ok(())
}

/// What a column depends on by its type and collation.
pub fn record_column_type(catalog: &Catalog, rel: Oid, attnum: i16, a: &Attribute) -> Result<()> {
    let me = ObjectAddress::column(rel, attnum);
    let t = ObjectAddress::new(pg_type::TABLE, a.type_oid);
    catalog.record_dependency(me, t, DependencyKind::Normal)?;
    if a.collation.is_valid() {
        let c = ObjectAddress::new(pg_collation::TABLE, a.collation);
        catalog.record_dependency(me, c, DependencyKind::Normal)?;
    }
    Ok(())
}

fn create_row_type(catalog: &Catalog, r: &NewRelation<'_>, rel: Oid) -> Result<Oid> {
    let array_oid = catalog.new_type_oid(UserClass::Array)?;
    let row_oid = catalog.new_type_oid(UserClass::Composite)?;
    let mut row = row_type_desc(row_oid, r.name, false, rel, row_oid, array_oid);
    let mut array = row_type_desc(array_oid, r.name, true, rel, row_oid, array_oid);
    array.name = crate::user_type::array_name(catalog, r.namespace, r.name)?;
    for t in [&mut row, &mut array] {
        t.namespace = r.namespace;
        t.owner = r.owner;
    }
    catalog.insert_row(pg_type::TABLE, &type_row(catalog, &row))?;
    catalog.insert_row(pg_type::TABLE, &type_row(catalog, &array))?;
    let address = |o| ObjectAddress::new(pg_type::TABLE, o);
    let rel = ObjectAddress::new(pg_class::TABLE, rel);
    if r.kind == b'c' {
        // The type is the object, its relation a part of it.
        let ns = ObjectAddress::new(pg_namespace::TABLE, r.namespace);
        catalog.record_dependency(rel, address(row_oid), DependencyKind::Internal)?;
        catalog.record_dependency(address(row_oid), ns, DependencyKind::Normal)?;
        catalog.record_role_dependency(address(row_oid), r.owner, b'o')?;
    } else {
        catalog.record_dependency(address(row_oid), rel, DependencyKind::Internal)?;
    }
    catalog.record_dependency(address(array_oid), address(row_oid), DependencyKind::Internal)?;
    if r.kind == b'c' {
        default_privileges::apply_to_type(catalog, row_oid, r.owner, r.namespace)?;
    }
    Ok(row_oid)
}

/// Privileges that ALTER DEFAULT PRIVILEGES gives a new relation.
fn default_list(catalog: &Catalog, r: &NewRelation<'_>) -> Result<Option<Vec<acl::AclItem>>> {
    match r.kind {
        b'r' | b'v' | b'm' | b'f' | b'p' => {
            default_privileges::for_new(catalog, acl::AclKind::Table, r.owner, r.namespace)
        }
        b'S' => default_privileges::for_new(catalog, acl::AclKind::Sequence, r.owner, r.namespace),
        _ => Ok(None),
    }
}

fn insert_class(
    catalog: &Catalog,
    n: &NewRelation<'_>,
    oid: Oid,
    row_type: Oid,
    acl: Option<&[acl::AclItem]>,
) -> Result<()> {
    use pg_class::*;
    let mut r = catalog.blank_row(TABLE);
    for i in [
        RELHASINDEX,
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
    for i in [RELOFTYPE, RELREWRITE, RELTABLESPACE, RELTOASTRELID] {
        r[i] = Datum::oid(Oid::INVALID);
    }
    let am = match n.kind {
        b'r' | b't' | b'm' => HEAP_AM,
        b'i' => BTREE_AM,
        _ => Oid::INVALID,
    };
    let has_xids = matches!(n.kind, b'r' | b't' | b'm');
    r[OID] = Datum::oid(oid);
    r[RELNAME] = Datum::text(n.name);
    r[RELNAMESPACE] = Datum::oid(n.namespace);
    r[RELTYPE] = Datum::oid(row_type);
    r[RELOWNER] = Datum::oid(n.owner);
    r[RELAM] = Datum::oid(am);
    r[RELFILENODE] = Datum::oid(if n.has_storage() { oid } else { Oid::INVALID });
    r[RELPAGES] = Datum::I32(i32::from(n.kind == b'S'));
    r[RELTUPLES] = Datum::F32(match n.kind {
        b'S' => 1.0,
        b'i' => 0.0,
        _ => -1.0,
    });
    r[RELALLVISIBLE] = Datum::I32(0);
    r[RELPERSISTENCE] = Datum::I8(n.persistence as i8);
    r[RELKIND] = Datum::I8(n.kind as i8);
    r[RELNATTS] = Datum::I16(n.attrs.len() as i16);
    r[RELCHECKS] = Datum::I16(n.checks);
    r[RELISPOPULATED] = Datum::Bool(true);
    r[RELREPLIDENT] = Datum::I8(if matches!(n.kind, b'r' | b'm') { b'd' } else { b'n' } as i8);
    r[RELFROZENXID] = Datum::U32(if has_xids { catalog.engine().current_xid()?.0 as u32 } else { 0 });
    r[RELMINMXID] = Datum::U32(u32::from(has_xids));
    if let Some(items) = acl {
        r[RELACL] = acl::format(items);
    }
    if !n.options.is_empty() {
        r[RELOPTIONS] = literal::text_array(n.options);
    }
    catalog.insert_row(TABLE, &r)?;
    Ok(())
}

/// Longest value of a type in bytes, length word included; `None` if there is no limit.
fn maximum_size(a: &Attribute) -> Option<usize> {
    use types::oids::*;
    match a.type_oid {
        // At most four bytes a character.
        BPCHAR | VARCHAR if a.typmod >= 4 => Some((a.typmod as usize - 4) * 4 + 4),
        NUMERIC if a.typmod >= 4 => {
            let precision = ((a.typmod - 4) >> 16) as usize & 0xFFFF;
            Some(4 + 4 + (precision + 2 * 3).div_ceil(4) * 2)
        }
        _ => None,
    }
}

/// Can a row grow past the size at which values are moved out?
pub fn needs_toast_table(attrs: &[Attribute]) -> bool {
    const THRESHOLD: usize = 2032;
    let (mut data, mut unlimited, mut toastable) = (0usize, false, false);
    for a in attrs.iter().filter(|a| !a.dropped) {
        let align = match a.align {
            b'd' => 8,
            b'i' => 4,
            b's' => 2,
            _ => 1,
        };
        data = data.next_multiple_of(align);
        if a.len > 0 {
            data += a.len as usize;
            continue;
        }
        match maximum_size(a) {
            Some(n) => data += n,
            None => unlimited = true,
        }
        toastable |= a.storage != b'p';
    }
    if !toastable {
        return false;
    }
    let header = (23 + attrs.len().div_ceil(8)).next_multiple_of(8);
    unlimited || header + data.next_multiple_of(8) > THRESHOLD
}

/// Gives a table its TOAST table if its rows may need one and it has none. Returns whether it made one.
pub fn create_toast_if_needed(catalog: &Catalog, table: Oid) -> Result<bool> {
    let rel = catalog.relation(table)?;
    let has = rel.rel.as_ref().is_some_and(|r| r.toast.is_some());
    if has || rel.kind != b'r' || !needs_toast_table(&rel.desc.attrs) {
        return Ok(false);
    }
    let desc = catalog::toast::toast_desc(catalog.builtins());
    let name = format!("pg_toast_{table}");
    let new = NewRelation {
        name: &name,
        namespace: toast_namespace(catalog, rel.persistence),
        owner: rel.owner,
        kind: b't',
        persistence: rel.persistence,
        attrs: &desc.attrs,
        ndims: &[],
        options: &[],
        checks: 0,
    };
    let toast = create(catalog, &new)?;
    let me = ObjectAddress::new(pg_class::TABLE, toast);
    let table_address = ObjectAddress::new(pg_class::TABLE, table);
    catalog.record_dependency(me, table_address, DependencyKind::Internal)?;
    create_toast_index(catalog, toast, &name, (rel.owner, rel.persistence), &desc.attrs[..2])?;
    let flag = [(pg_class::RELHASINDEX, Datum::Bool(true))];
    crate::target::update_class(catalog, toast, &flag)?;
    let link = [(pg_class::RELTOASTRELID, Datum::oid(toast))];
    crate::target::update_class(catalog, table, &link)?;
    Ok(true)
}

fn toast_namespace(catalog: &Catalog, persistence: u8) -> Oid {
    match catalog.temp().toast_namespace() {
        Some(ns) if persistence == b't' => ns,
        _ => PG_TOAST,
    }
}

fn create_toast_index(
    catalog: &Catalog,
    toast: Oid,
    name: &str,
    (owner, persistence): (Oid, u8),
    attrs: &[Attribute],
) -> Result<()> {
    let index_name = format!("{name}_index");
    let new = NewRelation {
        name: &index_name,
        namespace: toast_namespace(catalog, persistence),
        owner,
        kind: b'i',
        persistence,
        attrs,
        ndims: &[],
        options: &[],
        checks: 0,
    };
    let index = create(catalog, &new)?;
    let opclasses: Vec<Oid> = catalog::toast::TOAST_OPCLASSES.iter().map(|c| c.0).collect();
    insert_index_row(
        catalog,
        &IndexRow {
            index,
            table: toast,
            keys: &[1, 2],
            num_key_atts: 2,
            unique: true,
            nulls_not_distinct: false,
            primary: true,
            immediate: true,
            exclusion: false,
            check_xmin: false,
            collations: &[Oid::INVALID; 2],
            opclasses: &opclasses,
            options: &[0, 0],
            expressions: None,
            predicate: None,
        },
    )?;
    let me = ObjectAddress::new(pg_class::TABLE, index);
    for c in [1, 2] {
        catalog.record_dependency(me, ObjectAddress::column(toast, c), DependencyKind::Auto)?;
    }
    catalog.engine().command_counter_increment()?;
    access::btree::create_empty(catalog.engine(), &catalog.index(index)?.rel)
}

/// A row of `pg_index`.
pub struct IndexRow<'a> {
    pub index: Oid,
    pub table: Oid,
    pub keys: &'a [i16],
    pub num_key_atts: usize,
    pub unique: bool,
    pub nulls_not_distinct: bool,
    pub primary: bool,
    pub immediate: bool,
    pub exclusion: bool,
    pub check_xmin: bool,
    /// Key columns only.
    pub collations: &'a [Oid],
    pub opclasses: &'a [Oid],
    pub options: &'a [i16],
    pub expressions: Option<&'a str>,
    pub predicate: Option<&'a str>,
}

/// Inserts it.
pub fn insert_index_row(catalog: &Catalog, ix: &IndexRow<'_>) -> Result<()> {
    use pg_index::*;
    let mut r = catalog.blank_row(TABLE);
    r[INDEXRELID] = Datum::oid(ix.index);
    r[INDRELID] = Datum::oid(ix.table);
    r[INDNATTS] = Datum::I16(ix.keys.len() as i16);
    r[INDNKEYATTS] = Datum::I16(ix.num_key_atts as i16);
    r[INDISUNIQUE] = Datum::Bool(ix.unique);
    r[INDNULLSNOTDISTINCT] = Datum::Bool(ix.nulls_not_distinct);
    r[INDISPRIMARY] = Datum::Bool(ix.primary);
    r[INDIMMEDIATE] = Datum::Bool(ix.immediate);
    r[INDCHECKXMIN] = Datum::Bool(ix.check_xmin);
    r[INDISEXCLUSION] = Datum::Bool(ix.exclusion);
    for i in [INDISCLUSTERED, INDISREPLIDENT] {
        r[i] = Datum::Bool(false);
    }
    for i in [INDISVALID, INDISREADY, INDISLIVE] {
        r[i] = Datum::Bool(true);
    }
    r[INDKEY] = literal::int2vector(ix.keys);
    r[INDCOLLATION] = literal::oidvector(ix.collations);
    r[INDCLASS] = literal::oidvector(ix.opclasses);
    r[INDOPTION] = literal::int2vector(ix.options);
    r[INDEXPRS] = ix.expressions.map_or(Datum::Null, Datum::text);
    r[INDPRED] = ix.predicate.map_or(Datum::Null, Datum::text);
    catalog.insert_row(TABLE, &r)?;
    Ok(())
}
