//! The dependency walk: from the objects of a DROP to everything that must go with them, in an order in which each goes
//! after what depends on it; and the report on what that means for the user.

use super::describe::describe;
use super::remove;
use crate::analysis::notice;
use crate::ctx::CommandCtx;
use catalog::columns::*;
use catalog::depend::{Dependency, DependencyKind, ObjectAddress};
use common::{Oid, Report, Result, Severity, SqlState, bail, err};
use parser::ast::DropBehavior;
use transam::LockMode;

/// Named by the user.
const ORIGINAL: u8 = 1;
/// Reached by a normal dependency: needs CASCADE.
const NORMAL: u8 = 2;
/// Reached by an automatic or internal one: goes silently.
const SILENT: u8 = 4;

struct Target {
    object: ObjectAddress,
    flags: u8,
    /// What it was reached from.
    dependee: Option<ObjectAddress>,
}

struct Walk<'a> {
    ctx: &'a CommandCtx<'a>,
    /// In order of deletion.
    targets: Vec<Target>,
    stack: Vec<(ObjectAddress, u8)>,
    originals: &'a [ObjectAddress],
}

/// The whole object an address lies in covers it.
fn covers(whole: ObjectAddress, a: ObjectAddress) -> bool {
    whole.class == a.class && whole.object == a.object && (whole.sub == a.sub || whole.sub == 0)
}

impl Walk<'_> {
    fn seen(&mut self, a: ObjectAddress, flags: u8) -> bool {
        if let Some(t) = self.targets.iter_mut().find(|t| covers(t.object, a)) {
            if t.object == a {
                t.flags |= flags;
            }
            return true;
        }
        match self.stack.iter_mut().find(|(s, _)| covers(*s, a)) {
            Some((s, f)) => {
                if *s == a {
                    *f |= flags;
                }
                true
            }
            None => false,
        }
    }

    fn find(&mut self, a: ObjectAddress, flags: u8) -> Result<()> {
        if self.seen(a, flags) {
            return Ok(());
        }
        if self.transfer_to_owner(a, flags)? {
            return Ok(());
        }
        lock(self.ctx, a)?;
        let mut below = self.dependents(a)?;
        // The youngest first, as PostgreSQL does; the report then reads from the oldest.
        below.sort_by(|x, y| {
            (y.depender.object, x.depender.class, x.depender.sub).cmp(&(
                x.depender.object,
                y.depender.class,
                y.depender.sub,
            ))
        });
        self.stack.push((a, flags));
        for d in below {
            let f = if d.kind == DependencyKind::Normal { NORMAL } else { SILENT };
            self.find(d.depender, f)?;
        }
        let flags = self.stack.pop().map_or(flags, |s| s.1);
        let dependee = self.stack.last().map(|s| s.0);
        self.targets.push(Target { object: a, flags, dependee });
        Ok(())
    }

    /// Does a part go because the whole object goes?
    fn goes_with_whole(&self, a: ObjectAddress) -> bool {
        let whole = ObjectAddress { sub: 0, ..a };
        a.sub != 0 && self.targets.iter().any(|t| t.object == whole)
    }

    fn dependents(&self, a: ObjectAddress) -> Result<Vec<Dependency>> {
        let all = self.ctx.catalog.dependents(a)?;
        // Parts of the object itself go with it.
        Ok(all.into_iter().filter(|d| !covers(a, d.depender)).collect())
    }

    /// An object that is part of another cannot go alone: the owner goes instead, or the user is told.
    fn transfer_to_owner(&mut self, a: ObjectAddress, flags: u8) -> Result<bool> {
        let owner = self
            .ctx
            .catalog
            .dependencies(a)?
            .into_iter()
            .filter(|d| {
                matches!(d.kind, DependencyKind::Internal | DependencyKind::Extension) && d.depender == a
            })
            .map(|d| d.referenced)
            .next();
        let Some(owner) = owner else { return Ok(false) };
        if self.stack.iter().any(|(s, _)| covers(*s, owner)) {
            return Ok(false);
        }
        if flags & ORIGINAL != 0 && !self.originals.iter().any(|o| covers(*o, owner)) {
            let (this, that) = (describe(self.ctx, a)?, describe(self.ctx, owner)?);
            return Err(err!(DEPENDENT_OBJECTS_STILL_EXIST, "cannot drop {this} because {that} requires it")
                .hint(format!("You can drop {that} instead.")));
        }
        if self.targets.iter().any(|t| covers(t.object, owner)) {
            return Ok(true);
        }
        self.find(owner, flags & !ORIGINAL)?;
        Ok(true)
    }
}

fn lock(ctx: &CommandCtx<'_>, a: ObjectAddress) -> Result<()> {
    let db = ctx.catalog.database();
    match a.class {
        // The parent of an index is locked first, for everybody takes them in that order.
        pg_class::TABLE => {
            let mode = LockMode::AccessExclusive;
            ctx.engine.lock_relation(db, a.object, mode)
        }
        pg_authid::TABLE | pg_database::TABLE => {
            ctx.engine.lock_object(Oid::INVALID, a.class, a.object, 0, LockMode::AccessExclusive)
        }
        _ => ctx.engine.lock_object(db, a.class, a.object, 0, LockMode::AccessExclusive),
    }
}

/// Most lines of a report that go to the client.
const LINES_MAX: usize = 100;

fn report(ctx: &CommandCtx<'_>, w: &Walk<'_>, behavior: DropBehavior) -> Result<()> {
    let mut lines = Vec::new();
    for t in w.targets.iter().rev() {
        if t.flags & (ORIGINAL | SILENT) != 0 || t.flags & NORMAL == 0 || w.goes_with_whole(t.object) {
            continue;
        }
        let what = describe(ctx, t.object)?;
        lines.push(match (behavior, t.dependee) {
            (DropBehavior::Restrict, Some(d)) => format!("{what} depends on {}", describe(ctx, d)?),
            _ => format!("drop cascades to {what}"),
        });
    }
    if lines.is_empty() {
        return Ok(());
    }
    let total = lines.len();
    if behavior == DropBehavior::Cascade && total == 1 {
        notice(ctx, lines.remove(0));
        return Ok(());
    }
    let full = lines.join("\n");
    let mut shown: Vec<String> = lines.into_iter().take(LINES_MAX).collect();
    if total > LINES_MAX {
        let more = total - LINES_MAX;
        let noun = if more == 1 { "object" } else { "objects" };
        shown.push(format!("and {more} other {noun} (see server log for list)"));
    }
    if behavior == DropBehavior::Cascade {
        let mut r = Report::new(
            Severity::Notice,
            SqlState::SUCCESSFUL_COMPLETION,
            format!("drop cascades to {total} other objects"),
        );
        r.detail = Some(shown.join("\n"));
        r.detail_log = Some(full);
        ctx.host.notice(r);
        return Ok(());
    }
    let e = match w.originals {
        [one] => err!(
            DEPENDENT_OBJECTS_STILL_EXIST,
            "cannot drop {} because other objects depend on it",
            describe(ctx, *one)?
        ),
        _ => err!(
            DEPENDENT_OBJECTS_STILL_EXIST,
            "cannot drop desired object(s) because other objects depend on them"
        ),
    };
    Err(e
        .detail(shown.join("\n"))
        .detail_log(full)
        .hint("Use DROP ... CASCADE to drop the dependent objects too."))
}

/// The schema `public`.
const PUBLIC: Oid = Oid(2200);

/// Does the server need the object itself? Large objects have OIDs of the user's choice.
fn is_pinned(a: ObjectAddress) -> bool {
    a.object < catalog::builtins::FIRST_UNPINNED
        && a.class != pg_largeobject::TABLE
        && !(a.class == pg_namespace::TABLE && a.object == PUBLIC)
}

/// Drops objects with what depends on them. `quiet`: without a report (internal uses that know what they do).
pub fn drop_objects(
    ctx: &CommandCtx<'_>,
    originals: &[ObjectAddress],
    behavior: DropBehavior,
    quiet: bool,
) -> Result<()> {
    if let Some(pinned) = originals.iter().find(|a| is_pinned(**a)) {
        bail!(
            DEPENDENT_OBJECTS_STILL_EXIST,
            "cannot drop {} because it is required by the database system",
            describe(ctx, *pinned)?
        );
    }
    let mut w = Walk { ctx, targets: Vec::new(), stack: Vec::new(), originals };
    for a in originals {
        // One original may have been reached from another.
        if let Some(t) = w.targets.iter_mut().find(|t| t.object == *a) {
            t.flags |= ORIGINAL;
            continue;
        }
        w.find(*a, ORIGINAL)?;
    }
    for t in &mut w.targets {
        if originals.contains(&t.object) {
            t.flags |= ORIGINAL;
        }
    }
    if !quiet {
        report(ctx, &w, behavior)?;
    }
    for t in w.targets.iter().filter(|t| !w.goes_with_whole(t.object)) {
        remove::remove(ctx, t.object)?;
    }
    ctx.engine.command_counter_increment()
}
