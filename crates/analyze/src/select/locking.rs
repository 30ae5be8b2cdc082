//! FOR UPDATE, NO KEY UPDATE, SHARE, KEY SHARE: row marks on the tables they name.

use crate::query::*;
use crate::scope::{Analyzer, acl};
use common::{Result, err};
use parser::{LockClauseStrength, LockingClause};

/// The clause as errors name it.
pub fn strength_name(s: LockClauseStrength) -> &'static str {
    match s {
        LockClauseStrength::ForKeyShare => "FOR KEY SHARE",
        LockClauseStrength::ForShare => "FOR SHARE",
        LockClauseStrength::ForNoKeyUpdate => "FOR NO KEY UPDATE",
        LockClauseStrength::ForUpdate => "FOR UPDATE",
    }
}

fn strength(s: LockClauseStrength) -> LockStrength {
    match s {
        LockClauseStrength::ForKeyShare => LockStrength::KeyShare,
        LockClauseStrength::ForShare => LockStrength::Share,
        LockClauseStrength::ForNoKeyUpdate => LockStrength::NoKeyUpdate,
        LockClauseStrength::ForUpdate => LockStrength::Update,
    }
}

/// Refuses row locking for queries whose rows are no table's rows.
pub fn check_lockable(q: &Query, s: LockClauseStrength) -> Result<()> {
    let name = strength_name(s);
    let bad = if q.set_operations.is_some() {
        "UNION/INTERSECT/EXCEPT"
    } else if !q.distinct.is_empty() {
        "DISTINCT clause"
    } else if !q.group_clause.is_empty() || !q.grouping_sets.is_empty() {
        "GROUP BY clause"
    } else if q.having.is_some() {
        "HAVING clause"
    } else if q.has_aggs {
        "aggregate functions"
    } else if q.has_window_funcs {
        "window functions"
    } else if q.has_target_srfs {
        "set-returning functions in the target list"
    } else {
        return Ok(());
    };
    Err(err!(FEATURE_NOT_SUPPORTED, "{name} is not allowed with {bad}"))
}

impl Analyzer<'_> {
    /// Applies one locking clause to a finished query.
    pub fn transform_locking(&mut self, q: &mut Query, l: &LockingClause, pushed_down: bool) -> Result<()> {
        check_lockable(q, l.strength)?;
        q.has_for_update = true;
        let name = strength_name(l.strength);
        if l.locked_rels.is_empty() {
            for i in 0..q.rtable.len() {
                if !q.rtable[i].in_from {
                    continue;
                }
                match &q.rtable[i].kind {
                    RteKind::Relation { .. } => apply(q, i, l, pushed_down),
                    RteKind::Subquery { .. } => {
                        apply(q, i, l, pushed_down);
                        self.lock_subquery(q, i, l)?;
                    }
                    _ => {}
                }
            }
            return Ok(());
        }
        for rv in &l.locked_rels {
            if rv.schemaname.is_some() || rv.catalogname.is_some() {
                return Err(
                    err!(SYNTAX_ERROR, "{name} must specify unqualified relation names").at(rv.location)
                );
            }
            let hit = q.rtable.iter().position(|r| {
                r.in_from
                    && *r.eref_name == *rv.relname
                    && !matches!(&r.kind, RteKind::Join { .. } if r.alias.is_none())
            });
            let Some(i) = hit else {
                return Err(err!(
                    UNDEFINED_TABLE,
                    "relation \"{}\" in {name} clause not found in FROM clause",
                    rv.relname
                )
                .at(rv.location));
            };
            let what = match &q.rtable[i].kind {
                RteKind::Relation { .. } => {
                    apply(q, i, l, pushed_down);
                    continue;
                }
                RteKind::Subquery { .. } => {
                    apply(q, i, l, pushed_down);
                    self.lock_subquery(q, i, l)?;
                    continue;
                }
                RteKind::Join { .. } => "a join",
                RteKind::Function { .. } => "a function",
                RteKind::Values { .. } => "VALUES",
                RteKind::Cte { .. } => "a WITH query",
                RteKind::Append { .. } | RteKind::Result => "a function",
            };
            return Err(err!(FEATURE_NOT_SUPPORTED, "{name} cannot be applied to {what}").at(rv.location));
        }
        Ok(())
    }

    fn lock_subquery(&mut self, q: &mut Query, i: usize, l: &LockingClause) -> Result<()> {
        let all = LockingClause { locked_rels: Vec::new(), strength: l.strength, wait_policy: l.wait_policy };
        if let RteKind::Subquery { query, .. } = &mut q.rtable[i].kind {
            self.transform_locking(query, &all, true)?;
        }
        Ok(())
    }
}

fn apply(q: &mut Query, i: usize, l: &LockingClause, pushed_down: bool) {
    let rti = i as u32 + 1;
    if matches!(q.rtable[i].kind, RteKind::Relation { .. }) {
        q.rtable[i].required_perms |= acl::UPDATE;
    }
    let wait = match l.wait_policy {
        parser::LockWaitPolicy::Block => LockWaitPolicy::Block,
        parser::LockWaitPolicy::Skip => LockWaitPolicy::Skip,
        parser::LockWaitPolicy::Error => LockWaitPolicy::Error,
    };
    add_row_mark(q, rti, strength(l.strength), wait, pushed_down);
}

/// Adds a row mark, or strengthens the one there is.
pub fn add_row_mark(
    q: &mut Query,
    rti: u32,
    strength: LockStrength,
    wait: LockWaitPolicy,
    pushed_down: bool,
) {
    let rank = |s: LockStrength| match s {
        LockStrength::KeyShare => 0,
        LockStrength::Share => 1,
        LockStrength::NoKeyUpdate => 2,
        LockStrength::Update => 3,
    };
    let wrank = |w: LockWaitPolicy| match w {
        LockWaitPolicy::Block => 0,
        LockWaitPolicy::Skip => 1,
        LockWaitPolicy::Error => 2,
    };
    if let Some(m) = q.row_marks.iter_mut().find(|m| m.rti == rti) {
        if rank(strength) > rank(m.strength) {
            m.strength = strength;
        }
        if wrank(wait) > wrank(m.wait) {
            m.wait = wait;
        }
        m.pushed_down &= pushed_down;
        return;
    }
    q.row_marks.push(RowMark { rti, strength, wait, pushed_down });
}
