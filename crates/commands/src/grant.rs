//! GRANT and REVOKE of privileges on tables, columns, sequences, schemas, databases and functions.

use crate::acl::{self, AclItem, AclKind};
use crate::analysis::warning;
use crate::ctx::CommandCtx;
use crate::target;
use catalog::CatRow;
use catalog::columns::*;
use catalog::depend::ObjectAddress;
use common::{Error, Oid, Result, SqlState, bail, err};
use parser::ast::*;
use transam::LockMode;
use types::Datum;

/// What a list is stored at.
struct Holder {
    kind: AclKind,
    row: CatRow,
    table: Oid,
    column: usize,
    owner: Oid,
    /// For messages.
    name: String,
    address: ObjectAddress,
}

impl Holder {
    fn word(&self) -> &'static str {
        match self.kind {
            AclKind::Sequence => "sequence",
            AclKind::Schema => "schema",
            AclKind::Database => "database",
            AclKind::Column => "column",
            AclKind::Function => "function",
            AclKind::Type => "type",
            AclKind::Language => "language",
            AclKind::LargeObject => "large object",
            _ => "table",
        }
    }
}

fn function_holder(ctx: &CommandCtx<'_>, kind: ObjectType, f: &ObjectWithArgs) -> Result<Holder> {
    routine_holder(ctx, crate::routine::require(ctx, kind, f)?.oid)
}

fn routine_holder(ctx: &CommandCtx<'_>, oid: Oid) -> Result<Holder> {
    use pg_proc::*;
    let rows = ctx.catalog.scan(TABLE, OID_INDEX, &[Datum::oid(oid)])?;
    let row = rows.into_iter().next().ok_or_else(|| crate::analysis::lost("function", oid))?;
    Ok(Holder {
        kind: AclKind::Function,
        owner: row.oid(PROOWNER),
        name: row.str(PRONAME).into(),
        row,
        table: TABLE,
        column: PROACL,
        address: ObjectAddress::new(TABLE, oid),
    })
}

fn relation_holder(ctx: &CommandCtx<'_>, oid: Oid) -> Result<Holder> {
    let row = target::class_row(ctx.catalog, oid)?;
    let kind = if row.char(pg_class::RELKIND) == b'S' { AclKind::Sequence } else { AclKind::Table };
    let name = row.str(pg_class::RELNAME).to_string();
    match row.char(pg_class::RELKIND) {
        b'i' => bail!(WRONG_OBJECT_TYPE, "\"{name}\" is an index"),
        b'c' => bail!(WRONG_OBJECT_TYPE, "\"{name}\" is a composite type"),
        _ => {}
    }
    Ok(Holder {
        kind,
        owner: row.oid(pg_class::RELOWNER),
        row,
        table: pg_class::TABLE,
        column: pg_class::RELACL,
        name,
        address: ObjectAddress::new(pg_class::TABLE, oid),
    })
}

fn column_holder(ctx: &CommandCtx<'_>, rel: Oid, column: &str) -> Result<Holder> {
    use pg_attribute::*;
    let r = ctx.catalog.relation(rel)?;
    let Some(i) = r.desc.attrs.iter().position(|a| !a.dropped && a.name == column) else {
        bail!(UNDEFINED_COLUMN, "column \"{column}\" of relation \"{}\" does not exist", r.name);
    };
    let attnum = i as i16 + 1;
    let keys = [Datum::oid(rel), Datum::I16(attnum)];
    let rows = ctx.catalog.scan(TABLE, RELID_ATTNUM_INDEX, &keys)?;
    let row = rows.into_iter().next().ok_or_else(|| crate::analysis::lost("column of", rel))?;
    Ok(Holder {
        kind: AclKind::Column,
        row,
        table: TABLE,
        column: ATTACL,
        owner: r.owner,
        name: column.to_string(),
        address: ObjectAddress::column(rel, attnum),
    })
}

fn simple_holder(ctx: &CommandCtx<'_>, kind: ObjectType, name: &str) -> Result<Holder> {
    match kind {
        ObjectType::Schema => {
            use pg_namespace::*;
            let oid = ctx.catalog.require_namespace(name)?;
            let rows = ctx.catalog.scan(TABLE, OID_INDEX, &[Datum::oid(oid)])?;
            let row = rows.into_iter().next().ok_or_else(|| crate::analysis::lost("schema", oid))?;
            Ok(Holder {
                kind: AclKind::Schema,
                owner: row.oid(NSPOWNER),
                row,
                table: TABLE,
                column: NSPACL,
                name: name.into(),
                address: ObjectAddress::new(TABLE, oid),
            })
        }
        ObjectType::Database => {
            use pg_database::*;
            let Some(row) = ctx.catalog.database_row(name)? else {
                bail!(UNDEFINED_DATABASE, "database \"{name}\" does not exist");
            };
            Ok(Holder {
                kind: AclKind::Database,
                owner: row.oid(DATDBA),
                address: ObjectAddress::new(TABLE, row.oid(OID)),
                row,
                table: TABLE,
                column: DATACL,
                name: name.into(),
            })
        }
        ObjectType::Language => {
            use pg_language::*;
            let rows = ctx.catalog.scan(TABLE, NAME_INDEX, &[Datum::text(name)])?;
            let Some(row) = rows.into_iter().next() else {
                bail!(UNDEFINED_OBJECT, "language \"{name}\" does not exist");
            };
            if !row.bool(LANPLTRUSTED) {
                return Err(err!(WRONG_OBJECT_TYPE, "language \"{name}\" is not trusted").detail(
                    "GRANT and REVOKE are not allowed on untrusted languages, because only superusers can use untrusted languages.",
                ));
            }
            Ok(Holder {
                kind: AclKind::Language,
                owner: row.oid(LANOWNER),
                address: ObjectAddress::new(TABLE, row.oid(OID)),
                row,
                table: TABLE,
                column: LANACL,
                name: name.into(),
            })
        }
        ObjectType::LargeObject => {
            use pg_largeobject_metadata::*;
            let oid = crate::large_object::parse_oid(name)?;
            let row = crate::large_object::require(ctx.catalog, oid)?;
            Ok(Holder {
                kind: AclKind::LargeObject,
                owner: row.oid(LOMOWNER),
                row,
                table: TABLE,
                column: LOMACL,
                name: format!("large object {oid}"),
                address: crate::large_object::address(oid),
            })
        }
        other => Err(Error::unsupported(format_args!("GRANT ON {other:?}"))),
    }
}

/// A type or domain.
fn type_holder(ctx: &CommandCtx<'_>, kind: ObjectType, names: &[String]) -> Result<Holder> {
    use pg_type::*;
    let tn = TypeName { names: names.to_vec(), ..TypeName::default() };
    let found = crate::analysis::with_analyze(ctx, |a| analyze::typename::lookup_type_name(a, &tn))?;
    let Some(oid) = found else {
        bail!(UNDEFINED_OBJECT, "type \"{}\" does not exist", names.join("."));
    };
    let oid = oid.0;
    let rows = ctx.catalog.scan(TABLE, OID_INDEX, &[Datum::oid(oid)])?;
    let row = rows.into_iter().next().ok_or_else(|| crate::analysis::lost("type", oid))?;
    let name = row.str(TYPNAME).to_string();
    if row.oid(TYPELEM).is_valid() && row.i16(TYPLEN) == -1 {
        return Err(err!(INVALID_GRANT_OPERATION, "cannot set privileges of array types")
            .hint("Set the privileges of the element type instead."));
    }
    if kind == ObjectType::Domain && row.char(TYPTYPE) != b'd' {
        bail!(WRONG_OBJECT_TYPE, "\"{name}\" is not a domain");
    }
    Ok(Holder {
        kind: AclKind::Type,
        owner: row.oid(TYPOWNER),
        row,
        table: TABLE,
        column: TYPACL,
        name,
        address: ObjectAddress::new(TABLE, oid),
    })
}

/// The relations of ALL TABLES / SEQUENCES IN SCHEMA.
fn all_in_schema(ctx: &CommandCtx<'_>, s: &GrantStmt, schemas: &[String]) -> Result<Vec<Oid>> {
    let mut out = Vec::new();
    for n in schemas {
        let ns = ctx.catalog.require_namespace(n)?;
        for r in ctx.catalog.scan_all(pg_class::TABLE)? {
            let kind = r.char(pg_class::RELKIND);
            let wanted = match s.objtype {
                ObjectType::Sequence => kind == b'S',
                ObjectType::Table => matches!(kind, b'r' | b'v' | b'm' | b'f' | b'p'),
                other => return Err(Error::unsupported(format_args!("GRANT ON ALL {other:?}"))),
            };
            if wanted && r.oid(pg_class::RELNAMESPACE) == ns {
                out.push(r.oid(pg_class::OID));
            }
        }
    }
    Ok(out)
}

/// (holder, columns or none) of everything the statement names.
fn relations(ctx: &CommandCtx<'_>, s: &GrantStmt) -> Result<Option<Vec<Oid>>> {
    match (&s.objects, s.targtype) {
        (GrantObjects::Relations(list), _) => {
            let mut out = Vec::new();
            for rv in list {
                let r = target::open_relation(ctx, rv, LockMode::AccessShare)?;
                if s.objtype == ObjectType::Sequence && r.kind != b'S' {
                    bail!(WRONG_OBJECT_TYPE, "\"{}\" is not a sequence", r.name);
                }
                out.push(r.oid);
            }
            Ok(Some(out))
        }
        (GrantObjects::Simple(names), GrantTargetType::AllInSchema) => {
            Ok(Some(all_in_schema(ctx, s, names)?))
        }
        (GrantObjects::Names(names), GrantTargetType::AllInSchema) => {
            let flat: Vec<String> = names.iter().filter_map(|n| n.last().cloned()).collect();
            Ok(Some(all_in_schema(ctx, s, &flat)?))
        }
        _ => Ok(None),
    }
}

/// The privileges a statement names, checked against what the kind of object has.
pub fn privilege_bits(s: &GrantStmt, kind: AclKind, columns: bool) -> Result<u32> {
    if s.privileges.is_empty() {
        return Ok(kind.all());
    }
    let mut bits = 0;
    for p in s.privileges.iter().filter(|p| p.cols.is_empty() != columns) {
        let Some(name) = &p.priv_name else {
            bits |= kind.all();
            continue;
        };
        let Some(b) = acl::by_name(&name.to_ascii_lowercase()) else {
            bail!(SYNTAX_ERROR, "unrecognized privilege type \"{name}\"");
        };
        // GRANT … ON TABLE may name a sequence: SELECT and UPDATE mean the same there.
        if b & kind.all() == 0 {
            let word = match kind {
                AclKind::Sequence => "sequence",
                AclKind::Schema => "schema",
                AclKind::Database => "database",
                AclKind::Column => "column",
                AclKind::Function => "function",
                AclKind::Type => "type",
                AclKind::Language => "language",
                AclKind::LargeObject => "large object",
                _ => "table",
            };
            let shown = name.to_ascii_uppercase();
            let shown = if shown == "TEMP" { "TEMPORARY".into() } else { shown };
            bail!(INVALID_GRANT_OPERATION, "invalid privilege type {shown} for {word}");
        }
        bits |= b;
    }
    Ok(bits)
}

/// Runs GRANT or REVOKE.
pub fn run(ctx: &CommandCtx<'_>, s: &GrantStmt) -> Result<String> {
    if let Some(g) = &s.grantor
        && target::role(ctx, g)? != ctx.host.role()
    {
        bail!(FEATURE_NOT_SUPPORTED, "grantor must be current user");
    }
    find_objects(ctx, s)?;
    let mut grantees = Vec::new();
    for g in &s.grantees {
        grantees.push(match &g.roletype {
            RoleSpecType::Public => Oid::INVALID,
            _ => target::role(ctx, g)?,
        });
    }
    // Names of privileges are checked before objects are looked for.
    for p in s.privileges.iter().filter_map(|p| p.priv_name.as_ref()) {
        if acl::by_name(&p.to_ascii_lowercase()).is_none() {
            bail!(SYNTAX_ERROR, "unrecognized privilege type \"{p}\"");
        }
    }
    let has_columns = s.privileges.iter().any(|p| !p.cols.is_empty());
    if let Some(list) = routines(ctx, s)? {
        if has_columns {
            bail!(INVALID_GRANT_OPERATION, "column privileges are only valid for relations");
        }
        let bits = privilege_bits(s, AclKind::Function, false)?;
        for oid in list {
            change(ctx, s, &routine_holder(ctx, oid)?, bits, &grantees)?;
        }
    } else if let Some(list) = relations(ctx, s)? {
        for oid in list {
            let h = relation_holder(ctx, oid)?;
            let bits = if s.privileges.iter().all(|p| !p.cols.is_empty()) && has_columns {
                0
            } else {
                privilege_bits(s, h.kind, false)?
            };
            if bits != 0 {
                change(ctx, s, &h, bits, &grantees)?;
            }
            if !s.is_grant && bits & acl::ALL_COLUMN != 0 && h.kind == AclKind::Table {
                revoke_from_columns(ctx, s, oid, bits & acl::ALL_COLUMN, &grantees)?;
            }
            for p in s.privileges.iter().filter(|p| !p.cols.is_empty()) {
                let one = GrantStmt { privileges: vec![p.clone()], ..s.clone() };
                let bits = privilege_bits(&one, AclKind::Column, true)?;
                for c in &p.cols {
                    change(ctx, s, &column_holder(ctx, oid, c)?, bits, &grantees)?;
                }
            }
        }
    } else if let GrantObjects::Simple(names) = &s.objects {
        if has_columns {
            bail!(INVALID_GRANT_OPERATION, "column privileges are only valid for relations");
        }
        for n in names {
            let h = simple_holder(ctx, s.objtype, n)?;
            let bits = privilege_bits(s, h.kind, false)?;
            change(ctx, s, &h, bits, &grantees)?;
        }
    } else if let (GrantObjects::Names(list), ObjectType::Type | ObjectType::Domain) = (&s.objects, s.objtype)
    {
        if has_columns {
            bail!(INVALID_GRANT_OPERATION, "column privileges are only valid for relations");
        }
        for names in list {
            let h = type_holder(ctx, s.objtype, names)?;
            change(ctx, s, &h, privilege_bits(s, h.kind, false)?, &grantees)?;
        }
    } else if let GrantObjects::Functions(list) = &s.objects {
        if has_columns {
            bail!(INVALID_GRANT_OPERATION, "column privileges are only valid for relations");
        }
        for f in list {
            let h = function_holder(ctx, s.objtype, f)?;
            change(ctx, s, &h, privilege_bits(s, h.kind, false)?, &grantees)?;
        }
    } else {
        return Err(Error::unsupported(format_args!("GRANT ON {:?}", s.objtype)));
    }
    Ok(if s.is_grant { "GRANT" } else { "REVOKE" }.into())
}

/// The routines of ALL FUNCTIONS, PROCEDURES or ROUTINES IN SCHEMA; `None` where the statement names none so.
fn routines(ctx: &CommandCtx<'_>, s: &GrantStmt) -> Result<Option<Vec<Oid>>> {
    let wanted: fn(u8) -> bool = match s.objtype {
        ObjectType::Function => |kind| kind != b'p',
        ObjectType::Procedure => |kind| kind == b'p',
        ObjectType::Routine => |_| true,
        _ => return Ok(None),
    };
    let schemas: Vec<String> = match (&s.objects, s.targtype) {
        (GrantObjects::Simple(names), GrantTargetType::AllInSchema) => names.clone(),
        (GrantObjects::Names(names), GrantTargetType::AllInSchema) => {
            names.iter().filter_map(|n| n.last().cloned()).collect()
        }
        _ => return Ok(None),
    };
    let mut out = Vec::new();
    for n in &schemas {
        let ns = ctx.catalog.require_namespace(n)?;
        for r in ctx.catalog.scan_all(pg_proc::TABLE)? {
            if r.oid(pg_proc::PRONAMESPACE) == ns && wanted(r.char(pg_proc::PROKIND)) {
                out.push(r.oid(pg_proc::OID));
            }
        }
    }
    Ok(Some(out))
}

/// A missing object is told before a missing role.
fn find_objects(ctx: &CommandCtx<'_>, s: &GrantStmt) -> Result<()> {
    if routines(ctx, s)?.is_some() || relations(ctx, s)?.is_some() {
        return Ok(());
    }
    match (&s.objects, s.objtype) {
        (GrantObjects::Simple(names), _) => {
            names.iter().try_for_each(|n| simple_holder(ctx, s.objtype, n).map(drop))
        }
        (GrantObjects::Names(list), ObjectType::Type | ObjectType::Domain) => {
            list.iter().try_for_each(|n| type_holder(ctx, s.objtype, n).map(drop))
        }
        (GrantObjects::Functions(list), _) => {
            list.iter().try_for_each(|f| function_holder(ctx, s.objtype, f).map(drop))
        }
        _ => Ok(()),
    }
}

/// PUBLIC cannot pass anything on.
pub fn check_public(s: &GrantStmt, grantees: &[Oid]) -> Result<()> {
    if s.is_grant && s.grant_option && grantees.contains(&Oid::INVALID) {
        bail!(INVALID_GRANT_OPERATION, "grant options can only be granted to roles");
    }
    Ok(())
}

/// Taking a privilege from a table takes it from its columns too.
fn revoke_from_columns(
    ctx: &CommandCtx<'_>,
    s: &GrantStmt,
    rel: Oid,
    bits: u32,
    grantees: &[Oid],
) -> Result<()> {
    let names: Vec<String> =
        ctx.catalog.relation(rel)?.desc.attrs.iter().filter(|a| !a.dropped).map(|a| a.name.clone()).collect();
    for n in names {
        let h = column_holder(ctx, rel, &n)?;
        if h.row.opt_bytes(h.column).is_some() {
            change(ctx, s, &h, bits, grantees)?;
        }
    }
    Ok(())
}

/// Who grants: the owner when the user may act as him, else the user with what options he has.
fn grantor(ctx: &CommandCtx<'_>, h: &Holder, items: &[AclItem], bits: u32) -> Result<(Oid, u32)> {
    let me = ctx.host.role();
    if target::owns(ctx, h.owner)? {
        return Ok((h.owner, bits));
    }
    let have = acl::grantable(ctx.catalog, items, me, h.owner, false, bits)?;
    if have == 0 && acl::mask(ctx.catalog, items, me, h.owner, h.kind.all())? == 0 {
        if h.kind == AclKind::LargeObject {
            bail!(INSUFFICIENT_PRIVILEGE, "permission denied for {}", h.name);
        }
        bail!(INSUFFICIENT_PRIVILEGE, "permission denied for {} {}", h.word(), h.name);
    }
    Ok((me, have))
}

/// What the relation of a column gives counts for the column as well.
fn with_relation(ctx: &CommandCtx<'_>, h: &Holder, items: &[AclItem]) -> Result<Vec<AclItem>> {
    let mut all = items.to_vec();
    if h.kind == AclKind::Column {
        let rel = ctx.catalog.relation(h.row.oid(pg_attribute::ATTRELID))?;
        all.extend(crate::aclcheck::relation_items(&rel));
    }
    Ok(all)
}

impl Holder {
    /// As warnings name it.
    fn shown(&self, ctx: &CommandCtx<'_>) -> Result<String> {
        if self.kind != AclKind::Column {
            return Ok(format!("\"{}\"", self.name));
        }
        let rel = ctx.catalog.relation(self.row.oid(pg_attribute::ATTRELID))?;
        Ok(format!("column \"{}\" of relation \"{}\"", self.name, rel.name))
    }
}

fn change(ctx: &CommandCtx<'_>, s: &GrantStmt, h: &Holder, bits: u32, grantees: &[Oid]) -> Result<()> {
    let stored = h.row.opt_bytes(h.column);
    let mut items = acl::effective(h.kind, stored.as_deref(), h.owner);
    let (by, allowed) = grantor(ctx, h, &with_relation(ctx, h, &items)?, bits)?;
    check_public(s, grantees)?;
    if allowed != bits {
        let all = s.privileges.is_empty();
        let (verb, state) = if s.is_grant {
            ("granted", SqlState::WARNING_PRIVILEGE_NOT_GRANTED)
        } else {
            ("revoked", SqlState::WARNING_PRIVILEGE_NOT_REVOKED)
        };
        if allowed == 0 {
            let noun = if s.is_grant { "privileges were" } else { "privileges could be" };
            warning(ctx, state, format!("no {noun} {verb} for {}", h.shown(ctx)?));
        } else if !all {
            let noun = if s.is_grant { "privileges were" } else { "privileges could be" };
            warning(ctx, state, format!("not all {noun} {verb} for {}", h.shown(ctx)?));
        }
    }
    for g in grantees {
        if s.is_grant {
            grant_one(&mut items, *g, by, allowed, s.grant_option);
        } else {
            revoke_one(&mut items, *g, by, h.owner, allowed, s.grant_option, s.behavior)?;
        }
    }
    store(ctx, h, &items)
}

/// Adds privileges to a list.
pub fn grant_one(items: &mut Vec<AclItem>, grantee: Oid, grantor: Oid, bits: u32, option: bool) {
    if bits == 0 {
        return;
    }
    let goptions = if option { bits } else { 0 };
    match items.iter_mut().find(|i| i.grantee == grantee && i.grantor == grantor) {
        Some(i) => {
            i.privs |= bits;
            i.goptions |= goptions;
        }
        None => items.push(AclItem { grantee, grantor, privs: bits, goptions }),
    }
}

/// Takes privileges from a list, and what was granted on by them.
pub fn revoke_one(
    items: &mut Vec<AclItem>,
    grantee: Oid,
    grantor: Oid,
    owner: Oid,
    bits: u32,
    option_only: bool,
    behavior: DropBehavior,
) -> Result<()> {
    let Some(i) = items.iter_mut().find(|i| i.grantee == grantee && i.grantor == grantor) else {
        return Ok(());
    };
    let lost = i.goptions & bits;
    i.goptions &= !bits;
    if !option_only {
        i.privs &= !bits;
    }
    items.retain(|i| i.privs != 0);
    if lost == 0 || grantee == owner {
        return Ok(());
    }
    // What the grantee granted on rests on the option he has lost, unless another grantor gave it too.
    let still: u32 = items.iter().filter(|i| i.grantee == grantee).map(|i| i.goptions).fold(0, |a, b| a | b);
    let gone = lost & !still;
    let dependents: Vec<Oid> =
        items.iter().filter(|i| i.grantor == grantee && i.privs & gone != 0).map(|i| i.grantee).collect();
    if !dependents.is_empty() && behavior == DropBehavior::Restrict {
        return Err(err!(DEPENDENT_OBJECTS_STILL_EXIST, "dependent privileges exist")
            .hint("Use CASCADE to revoke them too."));
    }
    for d in dependents {
        revoke_one(items, d, grantee, owner, gone, false, behavior)?;
    }
    Ok(())
}

/// Writes a list back, with the roles it names recorded.
fn store(ctx: &CommandCtx<'_>, h: &Holder, items: &[AclItem]) -> Result<()> {
    let value = if h.kind == AclKind::Column && items.is_empty() { Datum::Null } else { acl::format(items) };
    ctx.catalog.update_columns(h.table, &h.row, &[(h.column, value)])?;
    use pg_shdepend::*;
    let db = if h.table == pg_database::TABLE { Oid::INVALID } else { ctx.catalog.database() };
    let a = h.address;
    let keys = [Datum::oid(db), Datum::oid(a.class), Datum::oid(a.object), Datum::I32(a.sub)];
    for r in ctx.catalog.scan(TABLE, DEPENDER_INDEX, &keys)? {
        if r.char(DEPTYPE) == b'a' {
            ctx.catalog.delete_row(TABLE, &r)?;
        }
    }
    let mut roles: Vec<Oid> = items.iter().flat_map(|i| [i.grantee, i.grantor]).collect();
    roles.sort();
    roles.dedup();
    for r in roles.into_iter().filter(|r| r.is_valid() && *r != h.owner) {
        if db.is_valid() {
            ctx.catalog.record_role_dependency(a, r, b'a')?;
        } else {
            crate::database::record_shared_dependency(ctx, a, r, b'a')?;
        }
    }
    ctx.engine.command_counter_increment()
}
