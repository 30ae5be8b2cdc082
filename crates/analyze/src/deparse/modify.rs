//! INSERT, UPDATE and DELETE as SQL, as bodies of functions written BEGIN ATOMIC have them.

use super::Deparser;
use crate::expr::*;
use crate::names::quote_ident;
use crate::query::*;
use common::{Error, Result};

const STD: i32 = 8;

/// Parts of columns and rows assigned as one are put together again nowhere yet.
fn check_values(list: &[TargetEntry]) -> Result<()> {
    for t in list {
        let part = match &t.expr {
            Expr::FieldStore { .. } => true,
            Expr::Subscript { assign, .. } => assign.is_some(),
            Expr::SubLink(s) => s.multi.is_some(),
            _ => false,
        };
        if part {
            return Err(Error::unsupported(
                "deparsing of assignments to parts of columns and to several at once",
            ));
        }
    }
    Ok(())
}

impl Deparser<'_> {
    /// A data-modifying statement whose scope is open.
    pub(super) fn modification(&mut self, q: &Query) -> Result<()> {
        self.with_clause(q)?;
        if self.indent {
            self.put(" ");
            self.level += STD;
        }
        match q.command {
            CmdType::Insert => self.insert(q)?,
            CmdType::Update => self.update(q)?,
            CmdType::Delete => self.delete(q)?,
            _ => return Err(Error::unsupported("deparsing of MERGE")),
        }
        if q.returning.is_empty() {
            return Ok(());
        }
        self.keyword(" RETURNING", -STD, STD, 1);
        self.target_entries(&q.returning, None)
    }

    /// The target's name and alias.
    fn target(&mut self, q: &Query, only: bool, article: &str) -> Result<()> {
        let r = q.rte(q.result_relation);
        let RteKind::Relation { relid, inh, .. } = &r.kind else {
            return Err(Error::internal("target is no relation"));
        };
        if only && !inh {
            self.put("ONLY ");
        }
        let rel = self.ctx.catalog.relation(*relid)?;
        let name = self.relation_name(&rel)?;
        self.put(&name);
        if let Some(a) = &r.alias {
            self.put(&format!("{article} {}", quote_ident(a)));
        }
        Ok(())
    }

    fn column_name(&self, q: &Query, t: &TargetEntry) -> Result<String> {
        let RteKind::Relation { relid, .. } = &q.rte(q.result_relation).kind else {
            return Err(Error::internal("target is no relation"));
        };
        let rel = self.ctx.catalog.relation(*relid)?;
        let a = rel.desc.attrs.get(t.resno as usize - 1);
        Ok(a.map_or_else(String::new, |a| quote_ident(&a.name).to_string()))
    }

    fn insert(&mut self, q: &Query) -> Result<()> {
        check_values(&q.target_list)?;
        self.put("INSERT INTO ");
        self.target(q, false, " AS")?;
        self.put(" ");
        if !q.target_list.is_empty() {
            let names: Result<Vec<String>> = q.target_list.iter().map(|t| self.column_name(q, t)).collect();
            self.put(&format!("({}) ", names?.join(", ")));
        }
        self.put(match q.overriding {
            Overriding::None => "",
            Overriding::User => "OVERRIDING USER VALUE ",
            Overriding::System => "OVERRIDING SYSTEM VALUE ",
        });
        let source = match q.jointree.from.first() {
            Some(JoinTree::Rte(n)) => Some(&q.rte(*n).kind),
            _ => None,
        };
        match source {
            Some(RteKind::Subquery { query, .. }) => self.source_query(query)?,
            Some(RteKind::Values { lists, .. }) => {
                self.put("VALUES ");
                self.values(lists)?;
            }
            _ if q.target_list.is_empty() => self.put("DEFAULT VALUES"),
            _ => {
                self.keyword("VALUES (", -STD, STD, 2);
                for (i, t) in q.target_list.iter().enumerate() {
                    if i > 0 {
                        self.put(", ");
                    }
                    self.expr(&t.expr, false)?;
                }
                self.put(")");
            }
        }
        match &q.on_conflict {
            Some(c) => self.on_conflict(q, c),
            None => Ok(()),
        }
    }

    /// The query of INSERT stands alone: it sees nothing around it.
    fn source_query(&mut self, query: &Query) -> Result<()> {
        let old = std::mem::replace(&mut self.names_visible, false);
        let r = self.subquery(query);
        self.names_visible = old;
        r
    }

    fn on_conflict(&mut self, q: &Query, c: &OnConflict) -> Result<()> {
        self.put(" ON CONFLICT");
        if c.constraint.is_valid() {
            // A constraint and its index have one name.
            let name = self.ctx.catalog.relation(c.constraint)?.name.clone();
            self.put(&format!(" ON CONSTRAINT {}", quote_ident(&name)));
        }
        if !c.arbiter_elems.is_empty() {
            let written = c.arbiter_classes.iter().any(|(a, b)| a.is_valid() || b.is_valid());
            let plain = c.arbiter_elems.iter().all(|e| matches!(e, Expr::Var(_)));
            if written || !plain || c.arbiter_where.is_some() {
                return Err(Error::unsupported(
                    "deparsing of ON CONFLICT with expressions, operator classes or WHERE",
                ));
            }
            let rel = q.rte(q.result_relation);
            let names: Vec<String> = c
                .arbiter_elems
                .iter()
                .filter_map(
                    |e| if let Expr::Var(v) = e { rel.eref_cols.get(v.attno as usize - 1) } else { None },
                )
                .map(|n| quote_ident(n).to_string())
                .collect();
            self.put(&format!("({})", names.join(", ")));
        }
        if !c.do_update {
            self.put(" DO NOTHING");
            return Ok(());
        }
        self.put(" DO UPDATE SET ");
        self.assignments(q, &c.set)?;
        if let Some(w) = &c.where_clause {
            self.keyword(" WHERE ", -STD, STD, 1);
            self.expr(w, false)?;
        }
        Ok(())
    }

    fn assignments(&mut self, q: &Query, list: &[TargetEntry]) -> Result<()> {
        check_values(list)?;
        for (i, t) in list.iter().filter(|t| !t.junk).enumerate() {
            if i > 0 {
                self.put(", ");
            }
            let name = self.column_name(q, t)?;
            self.put(&format!("{name} = "));
            self.expr(&t.expr, false)?;
        }
        Ok(())
    }

    /// FROM or USING, without the target that stands in front of its items.
    fn other_tables(&mut self, q: &Query, word: &str) -> Result<()> {
        let target = |j: &JoinTree| matches!(j, JoinTree::Rte(n) if *n == q.result_relation);
        let from = q.jointree.from.iter().filter(|j| !target(j)).cloned().collect();
        self.put_from(&FromExpr { from, quals: None }, word)?;
        if let Some(w) = &q.jointree.quals {
            self.keyword(" WHERE ", -STD, STD, 1);
            self.expr(w, false)?;
        }
        Ok(())
    }

    fn update(&mut self, q: &Query) -> Result<()> {
        self.put("UPDATE ");
        self.target(q, true, "")?;
        self.put(" SET ");
        self.assignments(q, &q.target_list)?;
        self.other_tables(q, " FROM ")
    }

    fn delete(&mut self, q: &Query) -> Result<()> {
        self.put("DELETE FROM ");
        self.target(q, true, "")?;
        self.other_tables(q, " USING ")
    }
}
