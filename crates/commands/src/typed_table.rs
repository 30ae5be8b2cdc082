//! Typed tables: CREATE TABLE OF, ALTER TABLE OF and NOT OF, and changes of a composite type carried to its tables.

use crate::analysis::with_analyze;
use crate::columns::{self, Default, NewColumn, TableConstraints};
use crate::create_table::TableSpec;
use crate::ctx::CommandCtx;
use crate::inherit::alter::Below;
use crate::target;
use catalog::Ref;
use catalog::columns::{pg_class, pg_depend, pg_type};
use catalog::depend::{DependencyKind, ObjectAddress};
use catalog::desc::Relation;
use common::{Oid, Result, bail, err};
use parser::ast::*;
use transam::LockMode;
use types::Datum;

use AlterTableCmd as Cmd;

/// The relation behind a stand-alone composite type. 42809 for other types.
pub fn type_of(ctx: &CommandCtx<'_>, tn: &TypeName) -> Result<Ref<Relation>> {
    let (oid, _) = with_analyze(ctx, |a| analyze::resolve_type_name(a, tn)).map_err(|mut e| {
        e.report_mut().position = None;
        e
    })?;
    crate::aclcheck::check_type(ctx, oid)?;
    let t = ctx.catalog.type_desc(oid)?;
    if t.typtype == b'c' {
        let class = ctx.catalog.relation(t.relid)?;
        if class.kind == b'c' {
            target::lock_oid(ctx, class.oid, LockMode::AccessShare)?;
            return Ok(class);
        }
    }
    let shown = with_analyze(ctx, |a| Ok(analyze::format_type_short(a, oid)))?;
    bail!(WRONG_OBJECT_TYPE, "type {shown} is not a composite type")
}

/// The columns of the type, with what the statement says about them.
pub fn elements(
    ctx: &CommandCtx<'_>,
    table: &str,
    class: &Relation,
    elements: &[TableElt],
) -> Result<TableSpec> {
    let _ = ctx;
    let mut columns: Vec<NewColumn> = Vec::new();
    for a in class.desc.attrs.iter().filter(|a| !a.dropped) {
        let mut attr = a.clone();
        attr.missing = None;
        attr.has_default = false;
        columns.push(NewColumn {
            attr,
            ndims: 0,
            default: Default::None,
            serial: false,
            identity: None,
            explicit_null: false,
        });
    }
    let mut constraints = TableConstraints::default();
    let mut named: Vec<&str> = Vec::new();
    for e in elements {
        match e {
            TableElt::Constraint(c) => constraints.add(table, c)?,
            TableElt::Column(d) => {
                let Some(c) = columns.iter_mut().find(|c| c.attr.name == d.colname) else {
                    bail!(UNDEFINED_COLUMN, "column \"{}\" does not exist", d.colname);
                };
                if named.contains(&d.colname.as_str()) {
                    bail!(DUPLICATE_COLUMN, "column \"{}\" specified more than once", d.colname);
                }
                named.push(&d.colname);
                columns::add_constraints(table, d, c, &mut constraints)?;
            }
            TableElt::Like(_) => bail!(WRONG_OBJECT_TYPE, "LIKE in a typed table"),
        }
    }
    Ok(TableSpec { columns, constraints, likes: Vec::new(), inherited_checks: Vec::new() })
}

/// Notes the type of a table.
pub fn record(ctx: &CommandCtx<'_>, table: Oid, row_type: Oid) -> Result<()> {
    target::update_class(ctx.catalog, table, &[(pg_class::RELOFTYPE, Datum::oid(row_type))])?;
    let me = ObjectAddress::new(pg_class::TABLE, table);
    let its = ObjectAddress::new(pg_type::TABLE, row_type);
    ctx.catalog.record_dependency(me, its, DependencyKind::Normal)?;
    ctx.engine.command_counter_increment()
}

fn forget(ctx: &CommandCtx<'_>, rel: &Relation) -> Result<()> {
    use pg_depend::*;
    let me = ObjectAddress::new(pg_class::TABLE, rel.oid);
    let keys = [Datum::oid(me.class), Datum::oid(me.object), Datum::I32(0)];
    for r in ctx.catalog.scan(TABLE, DEPENDER_INDEX, &keys)? {
        if r.oid(REFCLASSID) == pg_type::TABLE && r.oid(REFOBJID) == rel.of_type {
            ctx.catalog.delete_row(TABLE, &r)?;
        }
    }
    Ok(())
}

/// ALTER TABLE … OF.
pub fn attach(ctx: &CommandCtx<'_>, rel: &Relation, tn: &TypeName) -> Result<()> {
    let class = type_of(ctx, tn)?;
    if !ctx.catalog.parents(rel.oid)?.is_empty() {
        bail!(WRONG_OBJECT_TYPE, "typed tables cannot inherit");
    }
    let mut own = rel.desc.attrs.iter().filter(|a| !a.dropped);
    for t in class.desc.attrs.iter().filter(|a| !a.dropped) {
        let Some(a) = own.next() else {
            bail!(DATATYPE_MISMATCH, "table is missing column \"{}\"", t.name);
        };
        if a.name != t.name {
            bail!(DATATYPE_MISMATCH, "table has column \"{}\" where type requires \"{}\"", a.name, t.name);
        }
        if (a.type_oid, a.typmod, a.collation) != (t.type_oid, t.typmod, t.collation) {
            bail!(DATATYPE_MISMATCH, "table \"{}\" has different type for column \"{}\"", rel.name, t.name);
        }
    }
    if let Some(a) = own.next() {
        bail!(DATATYPE_MISMATCH, "table has extra column \"{}\"", a.name);
    }
    if rel.of_type.is_valid() {
        forget(ctx, rel)?;
    }
    record(ctx, rel.oid, class.row_type)
}

/// ALTER TABLE … NOT OF.
pub fn detach(ctx: &CommandCtx<'_>, rel: &Relation) -> Result<()> {
    if !rel.of_type.is_valid() {
        bail!(WRONG_OBJECT_TYPE, "\"{}\" is not a typed table", rel.name);
    }
    forget(ctx, rel)?;
    target::update_class(ctx.catalog, rel.oid, &[(pg_class::RELOFTYPE, Datum::oid(Oid::INVALID))])
}

/// The columns of a typed table are its type's affair.
pub fn refuse(rel: &Relation, c: &Cmd) -> Result<()> {
    if !rel.of_type.is_valid() {
        return Ok(());
    }
    let text = match c {
        Cmd::AddColumn { .. } => "cannot add column to typed table",
        Cmd::DropColumn { .. } => "cannot drop column from typed table",
        Cmd::AlterColumnType { .. } => "cannot alter column type of typed table",
        Cmd::AddInherit(_) => "cannot change inheritance of typed table",
        _ => return Ok(()),
    };
    Err(err!(WRONG_OBJECT_TYPE, "{text}"))
}

/// The tables of a composite type; 2BP01 if there are some and CASCADE was not said.
pub fn tables_of(ctx: &CommandCtx<'_>, class: &Relation, behavior: DropBehavior) -> Result<Vec<Oid>> {
    let mut out = Vec::new();
    if class.kind != b'c' {
        return Ok(out);
    }
    use pg_depend::*;
    let keys = [Datum::oid(pg_type::TABLE), Datum::oid(class.row_type)];
    for r in ctx.catalog.scan(TABLE, REFERENCE_INDEX, &keys)? {
        let oid = r.oid(OBJID);
        if r.oid(CLASSID) == pg_class::TABLE
            && r.i32(OBJSUBID) == 0
            && ctx.catalog.relation_if_any(oid)?.is_some_and(|t| t.of_type == class.row_type)
        {
            out.push(oid);
        }
    }
    out.sort_unstable();
    if !out.is_empty() && behavior != DropBehavior::Cascade {
        return Err(err!(
            DEPENDENT_OBJECTS_STILL_EXIST,
            "cannot alter type \"{}\" because it is the type of a typed table",
            class.name
        )
        .hint("Use ALTER ... CASCADE to alter the typed tables too."));
    }
    Ok(out)
}

/// The tables that a subcommand of ALTER TYPE is for as well.
pub fn affected(ctx: &CommandCtx<'_>, class: &Relation, c: &Cmd) -> Result<Vec<Oid>> {
    match c {
        Cmd::AddColumn { behavior, .. }
        | Cmd::DropColumn { behavior, .. }
        | Cmd::AlterColumnType { behavior, .. } => tables_of(ctx, class, *behavior),
        _ => Ok(Vec::new()),
    }
}

/// Does to the tables, and to those that inherit from them, what was done to their type.
pub fn cascade(ctx: &CommandCtx<'_>, tables: &[Oid], c: &Cmd, below: &mut Below) -> Result<()> {
    for t in tables {
        let was = ctx.catalog.relation(*t)?;
        crate::inherit::alter::before(ctx, &was, c, true)?;
        crate::alter_table::command(ctx, below.of(ctx, *t)?, *t, c)?;
        ctx.engine.command_counter_increment()?;
        crate::inherit::alter::after(ctx, &was, c, true, below)?;
    }
    Ok(())
}
