//! ALTER TABLE on tables that others inherit from: what goes down to the children, what may not be done to inherited parts, and
//! what may not be done to a parent ONLY.

use super::{
    column, column_state, constraint_state, same, set_column_state, set_constraint_state, translated,
};
use crate::alter_table::work::Work;
use crate::alter_table::{self, column_number};
use crate::analysis::notice;
use crate::ctx::CommandCtx;
use crate::target;
use analyze::expr::Expr;
use catalog::columns::pg_constraint;
use catalog::desc::Relation;
use common::{Oid, Result, bail};
use parser::ast::*;
use transam::LockMode;

use AlterTableCmd as Cmd;

/// The work on the children, each table once.
#[derive(Default)]
pub struct Below {
    works: Vec<Work>,
}

impl Below {
    /// The work on one of them.
    pub fn of(&mut self, ctx: &CommandCtx<'_>, oid: Oid) -> Result<&mut Work> {
        let at = match self.works.iter().position(|w| w.old.oid == oid) {
            Some(i) => i,
            None => {
                target::lock_oid(ctx, oid, LockMode::AccessExclusive)?;
                let rel = ctx.catalog.relation(oid)?;
                target::check_not_in_use(ctx, oid, &rel.name, "ALTER TABLE")?;
                self.works.push(Work::new(rel));
                self.works.len() - 1
            }
        };
        Ok(&mut self.works[at])
    }
    /// Does what is left to be done to the children's rows.
    pub fn finish(self, ctx: &CommandCtx<'_>) -> Result<()> {
        for mut w in self.works {
            alter_table::again::make(ctx, &mut w)?;
            w.finish(ctx)?;
        }
        Ok(())
    }
}

fn refuse_inherited(ctx: &CommandCtx<'_>, rel: &Relation, name: &str, doing: &str) -> Result<()> {
    if let Some(n) = column(rel, name)
        && column_state(ctx, rel.oid, n)?.1 > 0
    {
        bail!(INVALID_TABLE_DEFINITION, "cannot {doing} inherited column \"{name}\"");
    }
    Ok(())
}

/// Checks a subcommand, and does what is to be done to the children before the table itself. `recurse`: not ONLY.
pub fn before(ctx: &CommandCtx<'_>, rel: &Relation, c: &Cmd, recurse: bool) -> Result<()> {
    if rel.kind != b'r' {
        return Ok(());
    }
    match c {
        Cmd::DropColumn { name, .. } => {
            refuse_inherited(ctx, rel, name, "drop")?;
            if let Some(n) = column(rel, name) {
                drop_column(ctx, rel.oid, &rel.desc.attrs[n as usize - 1].name, recurse)?;
            }
        }
        Cmd::AlterColumnType { name, .. } => {
            refuse_inherited(ctx, rel, name, "alter")?;
            if !recurse && !ctx.catalog.children(rel.oid)?.is_empty() {
                bail!(
                    INVALID_TABLE_DEFINITION,
                    "type of inherited column \"{name}\" must be changed in child tables too"
                );
            }
        }
        Cmd::DropConstraint { name, .. } => {
            let Some((row, count, _)) = constraint_state(ctx, rel.oid, name)? else { return Ok(()) };
            if count > 0 {
                bail!(
                    INVALID_TABLE_DEFINITION,
                    "cannot drop inherited constraint \"{name}\" of relation \"{}\"",
                    rel.name
                );
            }
            if row.char(pg_constraint::CONTYPE) == b'c' && !row.bool(pg_constraint::CONNOINHERIT) {
                drop_check(ctx, rel.oid, name, recurse)?;
            }
        }
        Cmd::AddColumn { def, .. } if !recurse && column(rel, &def.colname).is_none() => {
            no_children(ctx, rel, "column")?;
        }
        Cmd::AddConstraint(k) if k.contype == ConstrType::Check && !k.is_no_inherit && !recurse => {
            no_children(ctx, rel, "constraint")?;
        }
        Cmd::ValidateConstraint { name } if !recurse => {
            if let Some((row, _, _)) = constraint_state(ctx, rel.oid, name)?
                && row.char(pg_constraint::CONTYPE) == b'c'
                && !row.bool(pg_constraint::CONVALIDATED)
                && !row.bool(pg_constraint::CONNOINHERIT)
                && !ctx.catalog.children(rel.oid)?.is_empty()
            {
                bail!(INVALID_TABLE_DEFINITION, "constraint must be validated on child tables too");
            }
        }
        _ => {}
    }
    Ok(())
}

/// Carries a subcommand down to the children after the table itself was changed; `rel` is the table as it was before.
pub fn after(ctx: &CommandCtx<'_>, rel: &Relation, c: &Cmd, recurse: bool, below: &mut Below) -> Result<()> {
    if rel.kind != b'r' || !recurse || ctx.catalog.children(rel.oid)?.is_empty() {
        return Ok(());
    }
    match c {
        Cmd::AddColumn { def, .. } if column(rel, &def.colname).is_none() => {
            add_column(ctx, rel.oid, def, below)?;
            let now = ctx.catalog.relation(rel.oid)?;
            let new = now.checks.iter().filter(|c| rel.checks.iter().all(|o| o.oid != c.oid));
            let written = def.constraints.iter().filter(|k| k.contype == ConstrType::Check);
            for (k, c) in written.zip(new).filter(|x| !x.1.no_inherit) {
                let named = Constraint { conname: Some(c.name.clone()), ..k.clone() };
                add_check(ctx, &now, &named, below)?;
            }
            Ok(())
        }
        Cmd::AddConstraint(k) if k.contype == ConstrType::Check && !k.is_no_inherit => {
            let now = ctx.catalog.relation(rel.oid)?;
            let Some(new) = now.checks.iter().find(|c| rel.checks.iter().all(|o| o.oid != c.oid)) else {
                return Ok(());
            };
            let named = Constraint { conname: Some(new.name.clone()), ..(**k).clone() };
            add_check(ctx, &now, &named, below)
        }
        Cmd::AlterColumnType { .. }
        | Cmd::ColumnDefault { .. }
        | Cmd::SetNotNull { .. }
        | Cmd::DropNotNull { .. }
        | Cmd::SetStatistics { .. }
        | Cmd::SetStorage { .. }
        | Cmd::SetCompression { .. }
        | Cmd::DropExpression { .. } => everywhere(ctx, rel.oid, c, below),
        Cmd::ValidateConstraint { name } => {
            let is_check = constraint_state(ctx, rel.oid, name)?
                .is_some_and(|(r, _, _)| r.char(pg_constraint::CONTYPE) == b'c');
            if is_check { everywhere(ctx, rel.oid, c, below) } else { Ok(()) }
        }
        _ => Ok(()),
    }
}

/// The same subcommand on every table below.
fn everywhere(ctx: &CommandCtx<'_>, oid: Oid, c: &Cmd, below: &mut Below) -> Result<()> {
    for d in ctx.catalog.descendants(oid)?.into_iter().skip(1) {
        alter_table::command(ctx, below.of(ctx, d)?, d, c)?;
        ctx.engine.command_counter_increment()?;
    }
    Ok(())
}

fn add_column(ctx: &CommandCtx<'_>, parent: Oid, def: &ColumnDef, below: &mut Below) -> Result<()> {
    let mut plain = def.clone();
    for k in &def.constraints {
        match k.contype {
            ConstrType::Null | ConstrType::NotNull | ConstrType::Default | ConstrType::Generated => {}
            ConstrType::Identity => {
                bail!(
                    INVALID_TABLE_DEFINITION,
                    "cannot recursively add identity column to table that has child tables"
                );
            }
            _ => {}
        }
    }
    plain.constraints.retain(|k| {
        matches!(
            k.contype,
            ConstrType::Null | ConstrType::NotNull | ConstrType::Default | ConstrType::Generated
        )
    });
    for child in ctx.catalog.children(parent)? {
        let w = below.of(ctx, child)?;
        let rel = ctx.catalog.relation(child)?;
        let above = ctx.catalog.relation(parent)?;
        let n = column_number(&above, &def.colname)?;
        let a = &above.desc.attrs[n as usize - 1];
        if let Some(n) = column(&rel, &def.colname) {
            let own = &rel.desc.attrs[n as usize - 1];
            if own.type_oid != a.type_oid || own.typmod != a.typmod {
                bail!(
                    DATATYPE_MISMATCH,
                    "child table \"{}\" has different type for column \"{}\"",
                    rel.name,
                    def.colname
                );
            }
            let (_, count, local) = column_state(ctx, child, n)?;
            set_column_state(ctx, child, n, count + 1, local)?;
            notice(
                ctx,
                format!("merging definition of column \"{}\" for child \"{}\"", def.colname, rel.name),
            );
            continue;
        }
        alter_table::column::add_inherited(ctx, w, &rel, &plain, &above)?;
        ctx.engine.command_counter_increment()?;
        let rel = ctx.catalog.relation(child)?;
        set_column_state(ctx, child, column_number(&rel, &def.colname)?, 1, false)?;
        add_column(ctx, child, def, below)?;
    }
    Ok(())
}

fn drop_column(ctx: &CommandCtx<'_>, parent: Oid, name: &str, recurse: bool) -> Result<()> {
    for child in ctx.catalog.children(parent)? {
        target::lock_oid(ctx, child, LockMode::AccessExclusive)?;
        let rel = ctx.catalog.relation(child)?;
        let n = column_number(&rel, name)?;
        let (_, count, local) = column_state(ctx, child, n)?;
        if !recurse {
            set_column_state(ctx, child, n, count - 1, true)?;
        } else if count > 1 || local {
            set_column_state(ctx, child, n, count - 1, local)?;
        } else {
            drop_column(ctx, child, name, true)?;
            set_column_state(ctx, child, n, 0, true)?;
            let rel = ctx.catalog.relation(child)?;
            alter_table::column::drop(ctx, &rel, name, DropBehavior::Restrict, false)?;
        }
    }
    Ok(())
}

fn add_check(ctx: &CommandCtx<'_>, parent: &Relation, k: &Constraint, below: &mut Below) -> Result<()> {
    let name = k.conname.as_deref().unwrap_or_default();
    let Some(above) = parent.checks.iter().find(|c| c.name == name) else { return Ok(()) };
    let above: Expr = analyze::load_expr(&above.bin)?;
    for child in ctx.catalog.children(parent.oid)? {
        let w = below.of(ctx, child)?;
        let rel = ctx.catalog.relation(child)?;
        if let Some((row, count, local)) = constraint_state(ctx, child, name)? {
            let names: Vec<String> = rel
                .desc
                .attrs
                .iter()
                .map(|a| if a.dropped { String::new() } else { a.name.clone() })
                .collect();
            let own = rel.checks.iter().find(|c| c.name == name);
            let equal = match own {
                Some(o) => same(&translated(&above, parent, &names)?, &analyze::load_expr(&o.bin)?),
                None => false,
            };
            if !equal {
                bail!(DUPLICATE_OBJECT, "constraint \"{name}\" for relation \"{}\" already exists", rel.name);
            }
            set_constraint_state(ctx, &row, count + 1, local)?;
            notice(ctx, format!("merging constraint \"{name}\" with inherited definition"));
            continue;
        }
        alter_table::add_constraint(ctx, w, &rel, k)?;
        ctx.engine.command_counter_increment()?;
        if let Some((row, _, _)) = constraint_state(ctx, child, name)? {
            set_constraint_state(ctx, &row, 1, false)?;
        }
        let rel = ctx.catalog.relation(child)?;
        add_check(ctx, &rel, k, below)?;
    }
    Ok(())
}

fn drop_check(ctx: &CommandCtx<'_>, parent: Oid, name: &str, recurse: bool) -> Result<()> {
    for child in ctx.catalog.children(parent)? {
        target::lock_oid(ctx, child, LockMode::AccessExclusive)?;
        let Some((row, count, local)) = constraint_state(ctx, child, name)? else { continue };
        if !recurse {
            set_constraint_state(ctx, &row, count - 1, true)?;
        } else if count > 1 || local {
            set_constraint_state(ctx, &row, count - 1, local)?;
        } else {
            drop_check(ctx, child, name, true)?;
            set_constraint_state(ctx, &row, 0, true)?;
            let rel = ctx.catalog.relation(child)?;
            alter_table::drop_constraint(ctx, &rel, name)?;
        }
    }
    Ok(())
}

/// The tables that a column is renamed in, with the one named first. 42P16 where that may not be.
pub fn renamed_column(ctx: &CommandCtx<'_>, rel: &Relation, name: &str, recurse: bool) -> Result<Vec<Oid>> {
    if rel.kind != b'r' {
        return Ok(vec![rel.oid]);
    }
    let all = ctx.catalog.descendants(rel.oid)?;
    if !recurse && all.len() > 1 && column(rel, name).is_some() {
        bail!(INVALID_TABLE_DEFINITION, "inherited column \"{name}\" must be renamed in child tables too");
    }
    for t in &all {
        if *t != rel.oid {
            target::lock_oid(ctx, *t, LockMode::AccessExclusive)?;
        }
        let r = ctx.catalog.relation(*t)?;
        let Some(n) = column(&r, name) else { continue };
        let parents = ctx.catalog.parents(*t)?.iter().filter(|p| all.contains(p)).count();
        if column_state(ctx, *t, n)?.1 > parents as i32 {
            bail!(INVALID_TABLE_DEFINITION, "cannot rename inherited column \"{name}\"");
        }
    }
    Ok(all)
}

/// The same for a constraint.
pub fn renamed_constraint(
    ctx: &CommandCtx<'_>,
    rel: &Relation,
    name: &str,
    recurse: bool,
) -> Result<Vec<Oid>> {
    let Some((row, _, _)) = constraint_state(ctx, rel.oid, name)? else { return Ok(vec![rel.oid]) };
    if row.char(pg_constraint::CONTYPE) != b'c' || row.bool(pg_constraint::CONNOINHERIT) {
        return Ok(vec![rel.oid]);
    }
    let all = ctx.catalog.descendants(rel.oid)?;
    if !recurse && all.len() > 1 {
        bail!(
            INVALID_TABLE_DEFINITION,
            "inherited constraint \"{name}\" must be renamed in child tables too"
        );
    }
    for t in &all {
        let Some((_, count, _)) = constraint_state(ctx, *t, name)? else { continue };
        let parents = ctx.catalog.parents(*t)?.iter().filter(|p| all.contains(p)).count();
        if count > parents as i32 {
            bail!(INVALID_TABLE_DEFINITION, "cannot rename inherited constraint \"{name}\"");
        }
    }
    Ok(all)
}

/// With ONLY, what children must have as well is not added to a parent.
fn no_children(ctx: &CommandCtx<'_>, rel: &Relation, what: &str) -> Result<()> {
    if !ctx.catalog.children(rel.oid)?.is_empty() {
        bail!(INVALID_TABLE_DEFINITION, "{what} must be added to child tables too");
    }
    Ok(())
}
