//! ON CONFLICT: the arbiter (index inference or a constraint) and DO UPDATE's SET and WHERE.

use crate::info::expr_type;
use crate::kind::ExprKind;
use crate::query::*;
use crate::scope::{Analyzer, NsItem};
use catalog::desc::Relation;
use common::{Error, Oid, Result, err};
use parser::{InferClause, OnConflictAction, OnConflictClause, SortByDir, SortByNulls};

impl Analyzer<'_> {
    pub(super) fn transform_on_conflict(
        &mut self,
        c: &OnConflictClause,
        rel: &Relation,
        target: &NsItem,
    ) -> Result<OnConflict> {
        let do_update = c.action == OnConflictAction::Update;
        let mut out = OnConflict {
            do_update,
            arbiter_elems: Vec::new(),
            arbiter_classes: Vec::new(),
            arbiter_where: None,
            constraint: Oid::INVALID,
            set: Vec::new(),
            where_clause: None,
            excluded_rti: 0,
        };
        match &c.infer {
            None if do_update => {
                return Err(err!(
                    SYNTAX_ERROR,
                    "ON CONFLICT DO UPDATE requires inference specification or constraint name"
                )
                .hint("For example, ON CONFLICT (column_name).")
                .at(c.location));
            }
            None => {}
            Some(i) => self.transform_inference(i, rel, target, &mut out)?,
        }
        if do_update {
            let alias = parser::Alias { aliasname: "excluded".into(), colnames: Vec::new() };
            let excluded = self.add_relation(rel, Some(&alias), false, 3, None)?;
            let rte = self.rte(excluded.rti);
            rte.required_perms = 0;
            rte.in_from = false;
            out.excluded_rti = excluded.rti;
            self.level().namespace = vec![target.clone(), excluded.clone()];
            let set = self.transform_set_list(rel, target.rti, &c.target_list);
            let cond = self.transform_condition(&c.where_clause, ExprKind::Where);
            self.level().namespace.clear();
            out.set = set?;
            out.where_clause = cond?;
            // EXCLUDED is no table: nothing to be checked for it.
            let rte = self.rte(excluded.rti);
            rte.required_perms = 0;
            rte.selected_cols.clear();
        }
        Ok(out)
    }

    fn transform_inference(
        &mut self,
        i: &InferClause,
        rel: &Relation,
        target: &NsItem,
        out: &mut OnConflict,
    ) -> Result<()> {
        if let Some(name) = &i.conname {
            for ix in &rel.indexes {
                let ix = self.ctx.catalog.index(*ix)?;
                if ix.constraint.is_valid() && ix.name == *name {
                    // The arbiter is the constraint's index.
                    out.constraint = ix.oid;
                    return Ok(());
                }
            }
            return Err(err!(
                UNDEFINED_OBJECT,
                "constraint \"{name}\" for table \"{}\" does not exist",
                rel.name
            ));
        }
        self.level().namespace = vec![target.clone()];
        let r = self.inference_elems(i, out);
        self.level().namespace.clear();
        r
    }

    /// A btree operator class by name.
    fn named_opclass(&self, name: &[String]) -> Result<Oid> {
        const BTREE: Oid = Oid(403);
        let classes = self.ctx.catalog.opclasses_named(BTREE, name.last().map_or("", String::as_str))?;
        match classes.first() {
            Some(c) => Ok(c.oid),
            None => Err(err!(
                UNDEFINED_OBJECT,
                "operator class \"{}\" does not exist for access method \"btree\"",
                name.join(".")
            )),
        }
    }

    fn inference_elems(&mut self, i: &InferClause, out: &mut OnConflict) -> Result<()> {
        for e in &i.index_elems {
            if e.ordering != SortByDir::Default {
                return Err(err!(INVALID_COLUMN_REFERENCE, "ASC/DESC is not allowed in ON CONFLICT clause")
                    .at(i.location));
            }
            if e.nulls_ordering != SortByNulls::Default {
                return Err(err!(
                    INVALID_COLUMN_REFERENCE,
                    "NULLS FIRST/LAST is not allowed in ON CONFLICT clause"
                )
                .at(i.location));
            }
            let raw = match (&e.name, &e.expr) {
                (Some(n), _) => parser::Expr::ColumnRef(parser::ColumnRef {
                    fields: vec![parser::Field::Name(n.clone())],
                    location: i.location,
                }),
                (None, Some(x)) => x.clone(),
                (None, None) => return Err(Error::internal("empty index element")),
            };
            let x = self.transform_expr_kind(&raw, ExprKind::IndexExpr)?;
            if !expr_type(&x).is_valid() {
                return Err(Error::internal("untyped index expression"));
            }
            let mut given = (Oid::INVALID, Oid::INVALID);
            if !e.collation.is_empty() {
                given.0 = crate::collation::lookup_collation(self.ctx, &e.collation, Some(i.location))?;
            }
            if !e.opclass.is_empty() {
                given.1 = self.named_opclass(&e.opclass)?;
            }
            out.arbiter_elems.push(x);
            out.arbiter_classes.push(given);
        }
        if let Some(w) = &i.where_clause {
            let e = self.transform_expr_kind(w, ExprKind::IndexPredicate)?;
            out.arbiter_where = Some(self.coerce_to_boolean(e, "WHERE")?);
        }
        Ok(())
    }
}
