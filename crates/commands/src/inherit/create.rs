//! CREATE TABLE … INHERITS: the columns and CHECK constraints of the parents, merged with each other and with the table's own.

use super::{record, same, set_column_state, set_constraint_state, shown, translated};
use crate::analysis::notice;
use crate::columns::{Default, NewColumn};
use crate::constraint::Check;
use crate::create_table::TableSpec;
use crate::ctx::CommandCtx;
use crate::target;
use analyze::expr::Expr;
use catalog::Ref;
use catalog::desc::Relation;
use common::{Oid, Result, bail, err};
use parser::ast::{CreateStmt, RangeVar};
use transam::LockMode;

/// How often something is inherited, and whether the table has it on its own.
#[derive(Clone, Copy)]
struct State {
    count: i32,
    local: bool,
}

/// What is to be recorded once the table exists.
#[derive(Default)]
pub struct Inherited {
    parents: Vec<Oid>,
    columns: Vec<(String, State)>,
    checks: Vec<(String, State)>,
}

fn parents(ctx: &CommandCtx<'_>, list: &[RangeVar], persistence: u8) -> Result<Vec<Ref<Relation>>> {
    let mut out: Vec<Ref<Relation>> = Vec::new();
    for rv in list {
        let r = target::open_relation(ctx, rv, LockMode::ShareUpdateExclusive)?;
        target::check_openable(&r)?;
        if out.iter().any(|o| o.oid == r.oid) {
            bail!(DUPLICATE_TABLE, "relation \"{}\" would be inherited from more than once", r.name);
        }
        out.push(r);
    }
    for r in &out {
        if r.kind != b'r' {
            bail!(WRONG_OBJECT_TYPE, "inherited relation \"{}\" is not a table or foreign table", r.name);
        }
        if r.persistence == b't' && persistence != b't' {
            bail!(WRONG_OBJECT_TYPE, "cannot inherit from temporary relation \"{}\"", r.name);
        }
        target::check_relation_owner(ctx, r)?;
        target::check_not_catalog(r)?;
    }
    Ok(out)
}

/// A column on its way, with what is not decided yet.
struct Merged {
    column: NewColumn,
    state: State,
    /// Two parents have different defaults.
    conflict: bool,
}

fn type_conflict(ctx: &CommandCtx<'_>, text: String, a: &NewColumn, b: &NewColumn) -> Result<()> {
    let (a, b) = (&a.attr, &b.attr);
    if a.type_oid != b.type_oid || a.typmod != b.typmod {
        let detail =
            format!("{} versus {}", shown(ctx, a.type_oid, a.typmod)?, shown(ctx, b.type_oid, b.typmod)?);
        return Err(err!(DATATYPE_MISMATCH, "{text} has a type conflict").detail(detail));
    }
    if a.collation != b.collation {
        let name = |c| -> Result<String> {
            Ok(ctx.catalog.collation_name(c)?.map_or_else(String::new, |n| n.1.to_string()))
        };
        let detail = format!("\"{}\" versus \"{}\"", name(a.collation)?, name(b.collation)?);
        return Err(err!(COLLATION_MISMATCH, "{text} has a collation conflict").detail(detail));
    }
    Ok(())
}

/// What a child may say about a column that its parent computes.
fn check_generated(inherited: &NewColumn, own: &NewColumn) -> Result<()> {
    let name = &own.attr.name;
    if inherited.attr.generated == 0 {
        return Ok(());
    }
    if !matches!(own.default, Default::None) && own.attr.generated == 0 {
        bail!(
            INVALID_COLUMN_DEFINITION,
            "column \"{name}\" inherits from generated column but specifies default"
        );
    }
    if own.identity.is_some() {
        bail!(
            INVALID_COLUMN_DEFINITION,
            "column \"{name}\" inherits from generated column but specifies identity"
        );
    }
    if own.attr.generated != 0 {
        return Err(err!(
            INVALID_COLUMN_DEFINITION,
            "child column \"{name}\" specifies generation expression"
        )
        .hint("Omit the generation expression in the definition of the child table column to inherit the generation expression from the parent table."));
    }
    Ok(())
}

fn inherited_column(parent: &Relation, i: usize) -> Result<NewColumn> {
    let mut attr = parent.desc.attrs[i].clone();
    attr.missing = None;
    attr.has_default = false;
    attr.identity = 0;
    let default = match parent.defaults.iter().find(|d| d.attnum == i as i16 + 1) {
        Some(d) => Default::Resolved(analyze::load_expr::<Expr>(&d.bin)?),
        None => Default::None,
    };
    Ok(NewColumn { attr, ndims: 0, default, serial: false, identity: None, explicit_null: false })
}

fn from_parents(ctx: &CommandCtx<'_>, parents: &[Ref<Relation>]) -> Result<Vec<Merged>> {
    let mut out: Vec<Merged> = Vec::new();
    for p in parents {
        for (i, a) in p.desc.attrs.iter().enumerate().filter(|(_, a)| !a.dropped) {
            let c = inherited_column(p, i)?;
            let Some(m) = out.iter_mut().find(|m| m.column.attr.name == a.name) else {
                out.push(Merged { column: c, state: State { count: 1, local: false }, conflict: false });
                continue;
            };
            notice(ctx, format!("merging multiple inherited definitions of column \"{}\"", a.name));
            type_conflict(ctx, format!("inherited column \"{}\"", a.name), &m.column, &c)?;
            if m.column.attr.generated != c.attr.generated {
                bail!(DATATYPE_MISMATCH, "inherited column \"{}\" has a generation conflict", a.name);
            }
            m.column.attr.not_null |= a.not_null;
            m.state.count += 1;
            match (&m.column.default, &c.default) {
                (Default::Resolved(x), Default::Resolved(y)) => m.conflict |= !same(x, y),
                (Default::None, _) => m.column.default = c.default,
                _ => {}
            }
        }
    }
    Ok(out)
}

/// Merges the parents' columns and constraints into what the statement says. The parents' columns come first.
pub fn merge(
    ctx: &CommandCtx<'_>,
    s: &CreateStmt,
    persistence: u8,
    spec: &mut TableSpec,
) -> Result<Inherited> {
    if s.inh_relations.is_empty() {
        return Ok(Inherited::default());
    }
    let own_names: Vec<String> = spec.columns.iter().map(|c| c.attr.name.clone()).collect();
    let parents = parents(ctx, &s.inh_relations, persistence)?;
    let mut all = from_parents(ctx, &parents)?;
    let from_above = all.len();
    for (number, own) in std::mem::take(&mut spec.columns).into_iter().enumerate() {
        let name = own.attr.name.clone();
        let Some(at) = all[..from_above].iter().position(|m| m.column.attr.name == name) else {
            all.push(Merged { column: own, state: State { count: 0, local: true }, conflict: false });
            continue;
        };
        if at == number {
            notice(ctx, format!("merging column \"{name}\" with inherited definition"));
        } else {
            let text = format!("moving and merging column \"{name}\" with inherited definition");
            let mut r =
                common::Report::new(common::Severity::Notice, common::SqlState::SUCCESSFUL_COMPLETION, text);
            r.detail = Some("User-specified column moved to the position of the inherited column.".into());
            ctx.host.notice(r);
        }
        let m = &mut all[at];
        type_conflict(ctx, format!("column \"{name}\""), &m.column, &own)?;
        check_generated(&m.column, &own)?;
        if m.column.attr.generated == 0 {
            m.column.attr.generated = own.attr.generated;
        }
        m.state.local = true;
        m.column.attr.not_null |= own.attr.not_null;
        m.column.identity = own.identity;
        m.column.attr.identity = own.attr.identity;
        m.column.serial = own.serial;
        if !matches!(own.default, Default::None) {
            m.column.default = own.default;
            m.conflict = false;
        }
    }
    if let Some(m) = all.iter().find(|m| m.conflict) {
        let name = &m.column.attr.name;
        return Err(err!(INVALID_COLUMN_DEFINITION, "column \"{name}\" inherits conflicting default values")
            .hint("To resolve the conflict, specify a default explicitly."));
    }
    let names: Vec<String> = all.iter().map(|m| m.column.attr.name.clone()).collect();
    renumber_generated(&mut all, &parents, &names)?;
    // What LIKE copied names columns by the numbers they had without the inherited ones.
    let moved: Vec<i16> =
        own_names.iter().map(|n| names.iter().position(|x| x == n).map_or(0, |i| i as i16 + 1)).collect();
    for l in &mut spec.likes {
        l.renumber(&moved)?;
    }
    for m in all.iter_mut().filter(|m| m.state.local && m.column.attr.generated != 0) {
        if let Default::Resolved(e) = &mut m.column.default
            && own_names.contains(&m.column.attr.name)
            && m.state.count == 0
        {
            crate::create_like::remap(e, &moved)?;
        }
    }
    let checks = checks(&parents, &names)?;
    let out = Inherited {
        parents: parents.iter().map(|p| p.oid).collect(),
        columns: all.iter().map(|m| (m.column.attr.name.clone(), m.state)).collect(),
        checks: checks.iter().map(|(c, state)| (c.name.clone(), *state)).collect(),
    };
    spec.inherited_checks = checks.into_iter().map(|c| c.0).collect();
    spec.columns = all.into_iter().map(|m| m.column).collect();
    Ok(out)
}

/// Generation expressions name columns by number: those of the parent they come from.
fn renumber_generated(all: &mut [Merged], parents: &[Ref<Relation>], names: &[String]) -> Result<()> {
    for m in all.iter_mut().filter(|m| m.column.attr.generated != 0 && m.state.count > 0) {
        let from = parents.iter().find(|p| super::column(p, &m.column.attr.name).is_some());
        if let (Some(p), Default::Resolved(e)) = (from, &m.column.default) {
            m.column.default = Default::Resolved(translated(e, p, names)?);
        }
    }
    Ok(())
}

/// The parents' CHECK constraints over the new table's columns.
fn checks(parents: &[Ref<Relation>], names: &[String]) -> Result<Vec<(Check, State)>> {
    let mut out: Vec<(Check, State)> = Vec::new();
    for p in parents {
        for c in p.checks.iter().filter(|c| !c.no_inherit) {
            let expr = translated(&analyze::load_expr(&c.bin)?, p, names)?;
            match out.iter_mut().find(|(o, _)| o.name == c.name) {
                Some((o, state)) if same(&o.expr, &expr) => state.count += 1,
                Some(_) => bail!(
                    DUPLICATE_OBJECT,
                    "check constraint name \"{}\" appears multiple times but with different expressions",
                    c.name
                ),
                None => {
                    let check = Check { name: c.name.clone(), expr, no_inherit: false, validated: true };
                    out.push((check, State { count: 1, local: false }));
                }
            }
        }
    }
    Ok(out)
}

/// A constraint of the statement that is inherited as well; true if it is the same.
pub fn merges_with(ctx: &CommandCtx<'_>, inherited: &[Check], own: &Check, table: &str) -> Result<bool> {
    let Some(c) = inherited.iter().find(|c| c.name == own.name) else { return Ok(false) };
    if !same(&c.expr, &own.expr) {
        bail!(DUPLICATE_OBJECT, "constraint \"{}\" for relation \"{table}\" already exists", own.name);
    }
    if own.no_inherit {
        bail!(
            INVALID_OBJECT_DEFINITION,
            "constraint \"{}\" conflicts with inherited constraint on relation \"{table}\"",
            own.name
        );
    }
    notice(ctx, format!("merging constraint \"{}\" with inherited definition", own.name));
    Ok(true)
}

impl Inherited {
    /// Records it all. `own`: names of inherited constraints that the statement has too.
    pub fn store(&self, ctx: &CommandCtx<'_>, table: Oid, own: &[String]) -> Result<()> {
        if self.parents.is_empty() {
            return Ok(());
        }
        for (n, p) in self.parents.iter().enumerate() {
            record(ctx, table, *p, n as i32 + 1)?;
        }
        for (n, (_, s)) in self.columns.iter().enumerate().filter(|(_, c)| c.1.count > 0) {
            set_column_state(ctx, table, n as i16 + 1, s.count, s.local)?;
        }
        for (name, s) in &self.checks {
            if let Some((row, _, _)) = super::constraint_state(ctx, table, name)? {
                set_constraint_state(ctx, &row, s.count, own.contains(name))?;
            }
        }
        Ok(())
    }
}
