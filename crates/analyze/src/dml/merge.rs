//! MERGE: the join of source and target, and its WHEN clauses.

use crate::kind::ExprKind;
use crate::query::*;
use crate::scope::{Analyzer, acl};
use crate::select::new_query;
use common::{Error, Result, err};
use parser::{MergeAction as RawAction, MergeStmt, OverridingKind};

impl Analyzer<'_> {
    /// MERGE.
    pub fn transform_merge(&mut self, s: &MergeStmt) -> Result<Query> {
        let mut q = new_query(CmdType::Merge);
        if let Some(w) = &s.with_clause {
            if w.recursive {
                return Err(err!(SYNTAX_ERROR, "WITH RECURSIVE is not supported for MERGE statement"));
            }
            self.transform_with(w)?;
        }
        let mut perms = 0;
        let mut ended = [false; 2];
        for c in &s.merge_when_clauses {
            perms |= match c.action {
                RawAction::Insert { .. } => acl::INSERT,
                RawAction::Update { .. } => acl::UPDATE,
                RawAction::Delete => acl::DELETE,
                RawAction::DoNothing => 0,
            };
            let seen = &mut ended[usize::from(c.matched)];
            if *seen {
                return Err(err!(
                    SYNTAX_ERROR,
                    "unreachable WHEN clause specified after unconditional WHEN clause"
                ));
            }
            *seen |= c.condition.is_none();
        }
        let rel = self.open_relation(&s.relation, super::ROW_EXCLUSIVE)?;
        let kind = match rel.kind {
            b'v' => Some("views"),
            b'm' => Some("materialized views"),
            b'f' => Some("foreign tables"),
            b'S' => Some("sequences"),
            b't' => Some("TOAST tables"),
            _ => None,
        };
        if let Some(k) = kind {
            return Err(err!(WRONG_OBJECT_TYPE, "cannot execute MERGE on relation \"{}\"", rel.name)
                .detail(format!("This operation is not supported for {k}.")));
        }
        let (rel, target) = self.set_target(&s.relation, s.relation.inh, perms)?;
        q.result_relation = target.rti;
        self.transform_from(std::slice::from_ref(&s.source_relation))?;
        let source = self.level().namespace.clone();
        if source.iter().any(|i| i.rel_visible && i.name == target.name) {
            return Err(err!(DUPLICATE_ALIAS, "name \"{}\" specified more than once", target.name)
                .detail("The name is used both as MERGE target table and data source."));
        }
        let mut both = source.clone();
        both.push(target.clone());
        self.level().namespace.clone_from(&both);
        let on = self.transform_condition(&Some(s.join_condition.clone()), ExprKind::JoinOn)?;
        let outer = s.merge_when_clauses.iter().any(|c| matches!(c.action, RawAction::Insert { .. }));
        let left = self.level().joinlist.pop().ok_or_else(|| Error::internal("MERGE without a source"))?;
        q.jointree.from = vec![JoinTree::Join(Box::new(JoinExpr {
            kind: if outer { JoinType::Left } else { JoinType::Inner },
            natural: false,
            left,
            right: JoinTree::Rte(target.rti),
            using: Vec::new(),
            quals: on,
            rtindex: 0,
        }))];
        for c in &s.merge_when_clauses {
            // Where there is no row of the target, its columns cannot be named.
            self.level().namespace = if c.matched { both.clone() } else { source.clone() };
            let qual = self.transform_condition(&c.condition, ExprKind::MergeWhen)?;
            let mut a = MergeAction {
                matched: c.matched,
                command: None,
                qual,
                target_list: Vec::new(),
                overriding: Overriding::None,
            };
            match &c.action {
                RawAction::DoNothing => {}
                RawAction::Delete => a.command = Some(CmdType::Delete),
                RawAction::Update { target_list } => {
                    a.command = Some(CmdType::Update);
                    a.target_list = self.transform_set_list(&rel, target.rti, target_list)?;
                }
                RawAction::Insert { cols, override_, values } => {
                    a.command = Some(CmdType::Insert);
                    a.overriding = match override_ {
                        OverridingKind::NotSet => Overriding::None,
                        OverridingKind::UserValue => Overriding::User,
                        OverridingKind::SystemValue => Overriding::System,
                    };
                    a.target_list = self.merge_insert(&rel, target.rti, cols, values.as_deref())?;
                }
            }
            q.merge_actions.push(a);
        }
        self.level().namespace.clear();
        self.finish_query(&mut q);
        crate::collation::assign_query(self.ctx, &mut q)?;
        Ok(q)
    }
}
