//! RENAME, OWNER TO and SET SCHEMA of relations, columns, constraints, schemas, roles and databases.

use crate::analysis::notice;
use crate::ctx::CommandCtx;
use crate::drop::owns_schema;
use crate::{acl, aclcheck, database, naming, role, roles, sequence_ddl, target};
use catalog::columns::*;
use catalog::depend::{DependencyKind, ObjectAddress};
use catalog::desc::Relation;
use common::{Error, Oid, Result, bail, err};
use parser::ast::*;
use transam::LockMode;
use types::Datum;

fn tag(t: ObjectType) -> String {
    match t {
        ObjectType::Index => "ALTER INDEX",
        ObjectType::Sequence => "ALTER SEQUENCE",
        ObjectType::View => "ALTER VIEW",
        ObjectType::MatView => "ALTER MATERIALIZED VIEW",
        ObjectType::Schema => "ALTER SCHEMA",
        ObjectType::Database => "ALTER DATABASE",
        ObjectType::Role => "ALTER ROLE",
        ObjectType::Type => "ALTER TYPE",
        ObjectType::LargeObject => "ALTER LARGE OBJECT",
        ObjectType::ForeignTable => "ALTER FOREIGN TABLE",
        _ => "ALTER TABLE",
    }
    .into()
}

fn last_name(o: Option<&ObjectRef>) -> Option<&str> {
    match o {
        Some(ObjectRef::Name(n)) => n.last().map(String::as_str),
        _ => None,
    }
}

/// Runs ALTER … RENAME.
pub fn rename(ctx: &CommandCtx<'_>, s: &RenameStmt) -> Result<String> {
    let simple = || {
        s.subname
            .as_deref()
            .or_else(|| last_name(s.object.as_ref()))
            .ok_or_else(|| Error::internal("RENAME without a name"))
    };
    match s.rename_type {
        ObjectType::Role => {
            role::rename(ctx, simple()?, &s.newname)?;
            return Ok("ALTER ROLE".into());
        }
        ObjectType::Database => {
            database::rename(ctx, simple()?, &s.newname)?;
            return Ok("ALTER DATABASE".into());
        }
        ObjectType::Schema => {
            rename_schema(ctx, simple()?, &s.newname)?;
            return Ok("ALTER SCHEMA".into());
        }
        ObjectType::Table
        | ObjectType::Index
        | ObjectType::Sequence
        | ObjectType::View
        | ObjectType::Column
        | ObjectType::MatView
        | ObjectType::Attribute
        | ObjectType::TabConstraint => {}
        ObjectType::Type | ObjectType::Domain | ObjectType::DomConstraint => {
            return crate::user_type::rename(ctx, s);
        }
        ObjectType::Function | ObjectType::Procedure | ObjectType::Routine | ObjectType::Aggregate => {
            return crate::routine::rename(ctx, s);
        }
        ObjectType::Collation => return crate::collation::rename(ctx, s),
        ObjectType::OpClass | ObjectType::OpFamily => return crate::opclass::rename(ctx, s),
        ObjectType::Statistic => return crate::statistics::alter::rename(ctx, s),
        other => return Err(Error::unsupported(format_args!("RENAME of {other:?}"))),
    }
    let of = s.relation_type.unwrap_or(s.rename_type);
    let done = if s.relation_type.is_some() { tag(of) } else { tag(s.rename_type) };
    let rv = s.relation.as_ref().ok_or_else(|| Error::internal("RENAME without a relation"))?;
    let Some(rel) = target::lock_relation(ctx, rv, LockMode::AccessExclusive)? else {
        if s.missing_ok {
            notice(ctx, format!("relation \"{}\" does not exist, skipping", rv.relname));
            return Ok(done);
        }
        return Err(target::undefined(ctx, rv));
    };
    target::check_relation_owner(ctx, &rel)?;
    target::check_not_catalog(&rel)?;
    let old = s.subname.as_deref().unwrap_or_default();
    match s.rename_type {
        ObjectType::Attribute if rel.kind != b'c' => {
            bail!(WRONG_OBJECT_TYPE, "\"{}\" is not a composite type", rel.name);
        }
        ObjectType::Column | ObjectType::Attribute => {
            if rel.of_type.is_valid() {
                bail!(WRONG_OBJECT_TYPE, "cannot rename column of typed table");
            }
            let tables = crate::typed_table::tables_of(ctx, &rel, s.behavior)?;
            for t in crate::inherit::alter::renamed_column(ctx, &rel, old, rv.inh)? {
                rename_column(ctx, &*ctx.catalog.relation(t)?, old, &s.newname)?;
            }
            for table in tables {
                let table = ctx.catalog.relation(table)?;
                for t in crate::inherit::alter::renamed_column(ctx, &table, old, true)? {
                    rename_column(ctx, &*ctx.catalog.relation(t)?, old, &s.newname)?;
                }
            }
        }
        ObjectType::TabConstraint => {
            for t in crate::inherit::alter::renamed_constraint(ctx, &rel, old, rv.inh)? {
                rename_constraint(ctx, &*ctx.catalog.relation(t)?, old, &s.newname)?;
            }
        }
        t => {
            let ok = match t {
                // ALTER INDEX renames anything, as it did before there were other words.
                ObjectType::Index => true,
                ObjectType::Sequence => rel.kind == b'S',
                ObjectType::View => rel.kind == b'v',
                ObjectType::MatView => rel.kind == b'm',
                _ => rel.kind != b'c',
            };
            if !ok && rel.kind == b'c' {
                return Err(err!(WRONG_OBJECT_TYPE, "\"{}\" is a composite type", rel.name)
                    .hint("Use ALTER TYPE instead."));
            }
            if !ok {
                let word = match t {
                    ObjectType::Index => "an index",
                    ObjectType::Sequence => "a sequence",
                    ObjectType::MatView => "a materialized view",
                    _ => "a view",
                };
                bail!(WRONG_OBJECT_TYPE, "\"{}\" is not {word}", rel.name);
            }
            rename_relation(ctx, &rel, &s.newname)?;
        }
    }
    Ok(done)
}

fn rename_schema(ctx: &CommandCtx<'_>, old: &str, new: &str) -> Result<()> {
    use pg_namespace::*;
    let oid = ctx.catalog.require_namespace(old)?;
    if ctx.catalog.namespace_oid(new)?.is_some() {
        bail!(DUPLICATE_SCHEMA, "schema \"{new}\" already exists");
    }
    if !owns_schema(ctx, oid)? {
        bail!(INSUFFICIENT_PRIVILEGE, "must be owner of schema {old}");
    }
    aclcheck::check_database(ctx, acl::CREATE)?;
    if new.starts_with("pg_") {
        return Err(err!(RESERVED_NAME, "unacceptable schema name \"{new}\"")
            .detail("The prefix \"pg_\" is reserved for system schemas."));
    }
    for r in ctx.catalog.scan(TABLE, OID_INDEX, &[Datum::oid(oid)])? {
        ctx.catalog.update_columns(TABLE, &r, &[(NSPNAME, Datum::text(new))])?;
    }
    Ok(())
}

fn rename_type(ctx: &CommandCtx<'_>, ns: Oid, oid: Oid, new: &str) -> Result<()> {
    use pg_type::*;
    let rows = ctx.catalog.scan(TABLE, OID_INDEX, &[Datum::oid(oid)])?;
    let Some(r) = rows.first() else { return Ok(()) };
    if ctx.catalog.type_oid(ns, new)?.is_some() {
        bail!(DUPLICATE_OBJECT, "type \"{new}\" already exists");
    }
    ctx.catalog.update_columns(TABLE, r, &[(TYPNAME, Datum::text(new))])?;
    let array = r.oid(TYPARRAY);
    for a in ctx.catalog.scan(TABLE, OID_INDEX, &[Datum::oid(array)])? {
        let mut name = format!("_{}", naming::clip(new, naming::NAME_MAX - 1));
        while ctx.catalog.type_oid(ns, &name)?.is_some() {
            name = format!("_{}", naming::clip(&name, naming::NAME_MAX - 1));
        }
        ctx.catalog.update_columns(TABLE, &a, &[(TYPNAME, Datum::text(&name))])?;
    }
    Ok(())
}

pub(crate) fn rename_relation(ctx: &CommandCtx<'_>, rel: &Relation, new: &str) -> Result<()> {
    if ctx.catalog.relation_oid(rel.namespace, new)?.is_some() {
        bail!(DUPLICATE_TABLE, "relation \"{new}\" already exists");
    }
    if !target::owns(ctx, rel.owner)? {
        aclcheck::check_namespace(ctx, rel.namespace, acl::CREATE)?;
    }
    if rel.kind == b'i' {
        // An index and its constraint keep one name.
        let ix = ctx.catalog.index(rel.oid)?;
        if ix.constraint.is_valid() {
            set_constraint_name(ctx, ix.constraint, new)?;
        }
    }
    if rel.row_type.is_valid() {
        rename_type(ctx, rel.namespace, rel.row_type, new)?;
    }
    target::update_class(ctx.catalog, rel.oid, &[(pg_class::RELNAME, Datum::text(new))])
}

fn set_constraint_name(ctx: &CommandCtx<'_>, oid: Oid, new: &str) -> Result<()> {
    use pg_constraint::*;
    for r in ctx.catalog.scan(TABLE, OID_INDEX, &[Datum::oid(oid)])? {
        let rel = r.oid(CONRELID);
        if naming::constraint_on_relation(ctx.catalog, rel, new)? {
            let name = ctx.catalog.relation(rel)?.name.clone();
            bail!(DUPLICATE_OBJECT, "constraint \"{new}\" for relation \"{name}\" already exists");
        }
        ctx.catalog.update_columns(TABLE, &r, &[(CONNAME, Datum::text(new))])?;
    }
    Ok(())
}

fn rename_constraint(ctx: &CommandCtx<'_>, rel: &Relation, old: &str, new: &str) -> Result<()> {
    let Some(row) = crate::alter_table::find_constraint(ctx, rel.oid, old)? else {
        bail!(UNDEFINED_OBJECT, "constraint \"{old}\" for table \"{}\" does not exist", rel.name);
    };
    use pg_constraint::*;
    if matches!(row.char(CONTYPE), b'p' | b'u' | b'x') {
        let index = ctx.catalog.relation(row.oid(CONINDID))?;
        return rename_relation(ctx, &index, new);
    }
    set_constraint_name(ctx, row.oid(OID), new)
}

fn rename_column(ctx: &CommandCtx<'_>, rel: &Relation, old: &str, new: &str) -> Result<()> {
    use pg_attribute::*;
    if !matches!(rel.kind, b'r' | b'v' | b'm' | b'c' | b'f' | b'i') {
        bail!(WRONG_OBJECT_TYPE, "cannot rename columns of relation \"{}\"", rel.name);
    }
    let Some(i) = rel.desc.attrs.iter().position(|a| !a.dropped && a.name == old) else {
        if crate::create_table::is_system_column(old) {
            bail!(FEATURE_NOT_SUPPORTED, "cannot rename system column \"{old}\"");
        }
        bail!(UNDEFINED_COLUMN, "column \"{old}\" does not exist");
    };
    if crate::create_table::is_system_column(new) {
        bail!(DUPLICATE_COLUMN, "column name \"{new}\" conflicts with a system column name");
    }
    if rel.desc.attrs.iter().any(|a| !a.dropped && a.name == new) {
        bail!(DUPLICATE_COLUMN, "column \"{new}\" of relation \"{}\" already exists", rel.name);
    }
    let set = |oid: Oid, attnum: i16| -> Result<()> {
        let keys = [Datum::oid(oid), Datum::I16(attnum)];
        for r in ctx.catalog.scan(TABLE, RELID_ATTNUM_INDEX, &keys)? {
            ctx.catalog.update_columns(TABLE, &r, &[(ATTNAME, Datum::text(new))])?;
        }
        Ok(())
    };
    let attnum = i as i16 + 1;
    set(rel.oid, attnum)?;
    for ix in &rel.indexes {
        let d = ctx.catalog.index(*ix)?;
        let taken = d.rel.rel.desc.attrs.iter().any(|a| a.name == new);
        for (at, k) in d.keys.iter().enumerate() {
            if *k == attnum && !taken {
                set(*ix, at as i16 + 1)?;
            }
        }
    }
    Ok(())
}

/// Changes the recorded owner of an object of this database.
pub(crate) fn replace_owner_dependency(ctx: &CommandCtx<'_>, a: ObjectAddress, owner: Oid) -> Result<()> {
    use pg_shdepend::*;
    let keys = [Datum::oid(ctx.catalog.database()), Datum::oid(a.class), Datum::oid(a.object)];
    for r in ctx.catalog.scan(TABLE, DEPENDER_INDEX, &keys)? {
        let same_role = r.oid(REFOBJID) == owner && r.char(DEPTYPE) == b'a';
        if r.char(DEPTYPE) == b'o' || same_role {
            ctx.catalog.delete_row(TABLE, &r)?;
        }
    }
    ctx.catalog.record_role_dependency(a, owner, b'o')
}

/// The list with the old owner's name replaced by the new one's.
fn acl_for_new_owner(stored: Option<&[u8]>, old: Oid, new: Oid) -> Option<Datum> {
    let mut items = acl::parse(stored?);
    for i in &mut items {
        if i.grantee == old {
            i.grantee = new;
        }
        if i.grantor == old {
            i.grantor = new;
        }
    }
    let mut merged: Vec<acl::AclItem> = Vec::new();
    for i in items {
        match merged.iter_mut().find(|m| m.grantee == i.grantee && m.grantor == i.grantor) {
            Some(m) => {
                m.privs |= i.privs;
                m.goptions |= i.goptions;
            }
            None => merged.push(i),
        }
    }
    Some(acl::format(&merged))
}

pub(crate) fn check_new_owner(ctx: &CommandCtx<'_>, owner: Oid, ns: Option<Oid>) -> Result<()> {
    if ctx.host.is_superuser() {
        return Ok(());
    }
    if !roles::is_member(ctx.catalog, ctx.host.role(), owner)? {
        let n = ctx.catalog.role_name(owner)?.unwrap_or_default();
        bail!(INSUFFICIENT_PRIVILEGE, "must be member of role \"{n}\"");
    }
    if let Some(ns) = ns
        && aclcheck::namespace_mask(ctx.catalog, ns, owner, acl::CREATE)? == 0
        && !roles::is_superuser(ctx.catalog, owner)?
    {
        let n = ctx.catalog.namespace_name(ns)?.unwrap_or_default();
        bail!(INSUFFICIENT_PRIVILEGE, "permission denied for schema {n}");
    }
    Ok(())
}

/// Gives a relation, its indexes, its TOAST table and its owned sequences a new owner.
pub fn change_relation_owner(ctx: &CommandCtx<'_>, oid: Oid, owner: Oid, top: bool) -> Result<()> {
    let rel = ctx.catalog.relation(oid)?;
    if rel.owner == owner {
        return Ok(());
    }
    if top {
        if rel.kind == b'i' {
            return Err(err!(WRONG_OBJECT_TYPE, "cannot change owner of index \"{}\"", rel.name)
                .hint("Change the ownership of the index's table instead."));
        }
        if rel.kind == b'S' {
            for d in ctx.catalog.dependencies(ObjectAddress::new(pg_class::TABLE, oid))? {
                let owned = matches!(d.kind, DependencyKind::Auto | DependencyKind::Internal);
                if owned && d.referenced.class == pg_class::TABLE && d.referenced.sub != 0 {
                    let t = ctx.catalog.relation(d.referenced.object)?;
                    return Err(err!(
                        FEATURE_NOT_SUPPORTED,
                        "cannot change owner of sequence \"{}\"",
                        rel.name
                    )
                    .detail(format!("Sequence \"{}\" is linked to table \"{}\".", rel.name, t.name)));
                }
            }
        }
        check_new_owner(ctx, owner, Some(rel.namespace))?;
    }
    let mut changes = vec![(pg_class::RELOWNER, Datum::oid(owner))];
    if let Some(a) = acl_for_new_owner(rel.acl.as_deref(), rel.owner, owner) {
        changes.push((pg_class::RELACL, a));
    }
    let toast = target::class_row(ctx.catalog, oid)?.oid(pg_class::RELTOASTRELID);
    target::update_class(ctx.catalog, oid, &changes)?;
    if !matches!(rel.kind, b'i' | b't') {
        replace_owner_dependency(ctx, ObjectAddress::new(pg_class::TABLE, oid), owner)?;
    }
    for t in [rel.row_type] {
        use pg_type::*;
        for r in ctx.catalog.scan(TABLE, OID_INDEX, &[Datum::oid(t)])? {
            ctx.catalog.update_columns(TABLE, &r, &[(TYPOWNER, Datum::oid(owner))])?;
            for a in ctx.catalog.scan(TABLE, OID_INDEX, &[Datum::oid(r.oid(TYPARRAY))])? {
                ctx.catalog.update_columns(TABLE, &a, &[(TYPOWNER, Datum::oid(owner))])?;
            }
        }
    }
    ctx.engine.command_counter_increment()?;
    for ix in &rel.indexes {
        change_relation_owner(ctx, *ix, owner, false)?;
    }
    if toast.is_valid() {
        change_relation_owner(ctx, toast, owner, false)?;
    }
    if matches!(rel.kind, b'r' | b'v') {
        for (seq, _, _) in sequence_ddl::owned_sequences(ctx.catalog, oid)? {
            change_relation_owner(ctx, seq, owner, false)?;
        }
    }
    Ok(())
}

/// Gives an object that is not a relation a new owner.
pub fn change_owner(ctx: &CommandCtx<'_>, a: ObjectAddress, owner: Oid) -> Result<()> {
    let Some(k) = crate::object_address::kind_of(a.class) else {
        return Err(Error::unsupported(format_args!("a new owner for an object of catalog {}", a.class)));
    };
    let Some(owner_column) = k.owner else { return Ok(()) };
    for r in ctx.catalog.scan(k.table, k.oid_index, &[Datum::oid(a.object)])? {
        let old = r.oid(owner_column);
        let mut changes = vec![(owner_column, Datum::oid(owner))];
        if let Some(c) = k.acl
            && let Some(acl) = acl_for_new_owner(r.opt_bytes(c).as_deref(), old, owner)
        {
            changes.push((c, acl));
        }
        ctx.catalog.update_columns(k.table, &r, &changes)?;
    }
    if a.class == pg_database::TABLE {
        return Ok(());
    }
    replace_owner_dependency(ctx, a, owner)
}

/// Runs ALTER … OWNER TO for objects that are not relations.
pub fn owner(ctx: &CommandCtx<'_>, s: &AlterOwnerStmt) -> Result<String> {
    let owner = target::role(ctx, &s.newowner)?;
    let name = last_name(Some(&s.object)).unwrap_or_default();
    match s.object_type {
        ObjectType::Schema => {
            use pg_namespace::*;
            let oid = ctx.catalog.require_namespace(name)?;
            if !owns_schema(ctx, oid)? {
                bail!(INSUFFICIENT_PRIVILEGE, "must be owner of schema {name}");
            }
            check_new_owner(ctx, owner, None)?;
            for r in ctx.catalog.scan(TABLE, OID_INDEX, &[Datum::oid(oid)])? {
                let mut changes = vec![(NSPOWNER, Datum::oid(owner))];
                let acl = r.opt_bytes(NSPACL);
                if let Some(a) = acl_for_new_owner(acl.as_deref(), r.oid(NSPOWNER), owner) {
                    changes.push((NSPACL, a));
                }
                ctx.catalog.update_columns(TABLE, &r, &changes)?;
            }
            replace_owner_dependency(ctx, ObjectAddress::new(TABLE, oid), owner)?;
        }
        ObjectType::Database => {
            check_new_owner(ctx, owner, None)?;
            database::change_owner(ctx, name, owner)?;
        }
        ObjectType::Type | ObjectType::Domain => return crate::user_type::owner(ctx, s, owner),
        ObjectType::LargeObject => {
            let (a, old) = crate::object_address::resolve(ctx, s.object_type, &s.object)?;
            if !target::owns(ctx, old)? {
                bail!(INSUFFICIENT_PRIVILEGE, "must be owner of large object {}", a.object);
            }
            if old != owner {
                check_new_owner(ctx, owner, None)?;
                change_owner(ctx, a, owner)?;
            }
        }
        ObjectType::Function | ObjectType::Procedure | ObjectType::Routine | ObjectType::Aggregate => {
            return crate::routine::owner(ctx, s, owner);
        }
        ObjectType::OpClass | ObjectType::OpFamily => return crate::opclass::owner(ctx, s, owner),
        ObjectType::Collation => return crate::collation::owner(ctx, &s.object, owner),
        ObjectType::Statistic => return crate::statistics::alter::owner(ctx, &s.object, owner),
        other => return Err(Error::unsupported(format_args!("OWNER TO of {other:?}"))),
    }
    Ok(tag(s.object_type))
}

/// Runs ALTER … SET SCHEMA.
pub fn set_schema(ctx: &CommandCtx<'_>, s: &AlterObjectSchemaStmt) -> Result<String> {
    if matches!(s.object_type, ObjectType::Type | ObjectType::Domain) {
        return crate::user_type::set_schema(ctx, s);
    }
    if matches!(s.object_type, ObjectType::OpClass | ObjectType::OpFamily) {
        return crate::opclass::set_schema(ctx, s);
    }
    if s.object_type == ObjectType::Collation {
        return crate::collation::set_schema(ctx, s.object.as_ref(), &s.newschema);
    }
    if s.object_type == ObjectType::Statistic {
        return crate::statistics::alter::set_schema(ctx, s);
    }
    if let (ObjectType::Extension, Some(name)) = (s.object_type, last_name(s.object.as_ref())) {
        return crate::extension::set_schema(ctx, name, &s.newschema);
    }
    if matches!(
        s.object_type,
        ObjectType::Function | ObjectType::Procedure | ObjectType::Routine | ObjectType::Aggregate
    ) {
        return crate::routine::set_schema(ctx, s);
    }
    let Some(rv) = &s.relation else {
        return Err(Error::unsupported(format_args!("SET SCHEMA of {:?}", s.object_type)));
    };
    let Some(rel) = target::lock_relation(ctx, rv, LockMode::AccessExclusive)? else {
        if s.missing_ok {
            notice(ctx, format!("relation \"{}\" does not exist, skipping", rv.relname));
            return Ok(tag(s.object_type));
        }
        return Err(target::undefined(ctx, rv));
    };
    target::check_relation_owner(ctx, &rel)?;
    target::check_not_catalog(&rel)?;
    if rel.kind == b'i' {
        return Err(err!(WRONG_OBJECT_TYPE, "cannot change schema of index \"{}\"", rel.name)
            .hint("Change the schema of the table instead."));
    }
    let ns = ctx.catalog.require_namespace(&s.newschema)?;
    target::check_move(ctx, rel.namespace, ns)?;
    target::check_creation(ctx, ns)?;
    if rel.namespace != ns {
        move_relation(ctx, rel.oid, ns)?;
        if rel.kind == b'r' {
            for (seq, _, _) in sequence_ddl::owned_sequences(ctx.catalog, rel.oid)? {
                move_relation(ctx, seq, ns)?;
            }
        }
    }
    Ok(tag(s.object_type))
}

pub(crate) fn move_relation(ctx: &CommandCtx<'_>, oid: Oid, ns: Oid) -> Result<()> {
    let rel = ctx.catalog.relation(oid)?;
    if ctx.catalog.relation_oid(ns, &rel.name)?.is_some() {
        let schema = ctx.catalog.namespace_name(ns)?.unwrap_or_default();
        bail!(DUPLICATE_TABLE, "relation \"{}\" already exists in schema \"{schema}\"", rel.name);
    }
    target::update_class(ctx.catalog, oid, &[(pg_class::RELNAMESPACE, Datum::oid(ns))])?;
    for ix in &rel.indexes {
        target::update_class(ctx.catalog, *ix, &[(pg_class::RELNAMESPACE, Datum::oid(ns))])?;
    }
    {
        use pg_type::*;
        for r in ctx.catalog.scan(TABLE, OID_INDEX, &[Datum::oid(rel.row_type)])? {
            ctx.catalog.update_columns(TABLE, &r, &[(TYPNAMESPACE, Datum::oid(ns))])?;
            for a in ctx.catalog.scan(TABLE, OID_INDEX, &[Datum::oid(r.oid(TYPARRAY))])? {
                ctx.catalog.update_columns(TABLE, &a, &[(TYPNAMESPACE, Datum::oid(ns))])?;
            }
        }
    }
    {
        use pg_constraint::*;
        for r in ctx.catalog.scan(TABLE, CONRELID_CONTYPID_CONNAME_INDEX, &[Datum::oid(oid)])? {
            ctx.catalog.update_columns(TABLE, &r, &[(CONNAMESPACE, Datum::oid(ns))])?;
        }
    }
    let me = ObjectAddress::new(pg_class::TABLE, oid);
    use pg_depend::*;
    let keys = [Datum::oid(pg_class::TABLE), Datum::oid(oid), Datum::I32(0)];
    for r in ctx.catalog.scan(TABLE, DEPENDER_INDEX, &keys)? {
        if r.oid(REFCLASSID) == pg_namespace::TABLE {
            ctx.catalog.delete_row(TABLE, &r)?;
        }
    }
    let schema = ObjectAddress::new(pg_namespace::TABLE, ns);
    ctx.catalog.record_dependency(me, schema, DependencyKind::Normal)?;
    ctx.engine.command_counter_increment()
}
