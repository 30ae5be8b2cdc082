//! What invalidation messages mean to the caches. A changed catalog row queues a message; it is acted upon here at the
//! next command, and in every other process after commit.

use super::Catalog;
use crate::columns::*;
use common::Oid;
use transam::{Engine, InvalHandler, InvalMsg};
use types::Datum;

/// The relation with OID `a` changed (its row, columns, constraints or indexes).
pub const INVAL_RELATION: u32 = 1;
/// A row of catalog `a` changed; `b` is the object's OID, 0 = unknown.
pub const INVAL_CATALOG: u32 = 2;

fn oid_at(row: &[Datum], column: usize) -> Oid {
    match row.get(column) {
        Some(Datum::U32(v)) => Oid(*v),
        _ => Oid::INVALID,
    }
}

impl Catalog {
    /// Queues the messages that a change of `row` in catalog `table` calls for.
    pub(crate) fn queue_row_invalidation(&self, table: Oid, row: &[Datum]) {
        let shared = self.builtins.schema.table(table).is_some_and(|t| t.shared);
        let db = if shared { 0 } else { self.database.0 };
        let send = |kind, a: Oid, b: Oid| self.eng.queue_invalidation(InvalMsg { kind, db, a: a.0, b: b.0 });
        let relation = |oid: Oid| {
            if oid.is_valid() {
                send(INVAL_RELATION, oid, Oid::INVALID);
            }
        };
        match table {
            pg_class::TABLE => {
                relation(oid_at(row, pg_class::OID));
                send(INVAL_CATALOG, table, oid_at(row, pg_class::OID));
            }
            pg_attribute::TABLE => relation(oid_at(row, pg_attribute::ATTRELID)),
            pg_attrdef::TABLE => relation(oid_at(row, pg_attrdef::ADRELID)),
            pg_rewrite::TABLE => relation(oid_at(row, pg_rewrite::EV_CLASS)),
            pg_index::TABLE => {
                relation(oid_at(row, pg_index::INDRELID));
                relation(oid_at(row, pg_index::INDEXRELID));
            }
            pg_constraint::TABLE => {
                relation(oid_at(row, pg_constraint::CONRELID));
                relation(oid_at(row, pg_constraint::CONFRELID));
                relation(oid_at(row, pg_constraint::CONINDID));
                let domain = oid_at(row, pg_constraint::CONTYPID);
                if domain.is_valid() {
                    send(INVAL_CATALOG, pg_type::TABLE, domain);
                }
            }
            pg_statistic::TABLE => send(INVAL_CATALOG, table, oid_at(row, pg_statistic::STARELID)),
            pg_enum::TABLE => send(INVAL_CATALOG, table, oid_at(row, pg_enum::ENUMTYPID)),
            pg_type::TABLE
            | pg_proc::TABLE
            | pg_namespace::TABLE
            | pg_authid::TABLE
            | pg_operator::TABLE
            | pg_opclass::TABLE
            | pg_opfamily::TABLE
            | pg_amop::TABLE
            | pg_amproc::TABLE
            | pg_cast::TABLE
            | pg_range::TABLE
            | pg_collation::TABLE
            | pg_statistic_ext::TABLE
            | pg_statistic_ext_data::TABLE
            // Nothing is cached of it here, but what others have found out about privileges depends on it.
            | pg_auth_members::TABLE
            | pg_aggregate::TABLE => {
                send(INVAL_CATALOG, table, oid_at(row, 0));
            }
            // Nothing is cached of the others.
            _ => {}
        }
    }

    /// Says that a relation changed in a way no catalog row shows (its size class, say).
    pub fn invalidate_relation(&self, oid: Oid) {
        self.eng.queue_invalidation(InvalMsg { kind: INVAL_RELATION, db: self.database.0, a: oid.0, b: 0 });
    }

    fn drop_relation(&self, oid: Oid) {
        let m = &self.memory;
        let relation = self.relations.borrow_mut().remove(&oid);
        let index = self.indexes.borrow_mut().remove(&oid);
        if relation.is_some() {
            m.relations.measure(&m.nesting, || drop(relation));
        }
        if index.is_some() {
            m.indexes.measure(&m.nesting, || drop(index));
        }
    }

    fn drop_catalog(&self, table: Oid, oid: Oid) {
        match table {
            pg_class::TABLE => self.relation_names.borrow_mut().clear(),
            pg_type::TABLE => {
                self.type_names.borrow_mut().clear();
                self.types.borrow_mut().remove(&oid);
                self.forget_user_types();
            }
            pg_enum::TABLE => self.forget_user_types(),
            pg_proc::TABLE | pg_aggregate::TABLE => {
                self.procs.borrow_mut().remove(&oid);
                self.aggregates.borrow_mut().remove(&oid);
                self.proc_names.borrow_mut().clear();
                self.choices.forget_functions();
            }
            pg_operator::TABLE => {
                self.operators.borrow_mut().clear();
                self.operator_names.borrow_mut().clear();
                self.choices.forget_operators();
            }
            pg_opclass::TABLE | pg_opfamily::TABLE | pg_amop::TABLE | pg_amproc::TABLE => {
                *self.families.borrow_mut() = None;
            }
            pg_cast::TABLE => {
                self.casts.borrow_mut().clear();
                self.choices.forget_operators();
                self.choices.forget_functions();
            }
            pg_range::TABLE => self.ranges.borrow_mut().clear(),
            pg_collation::TABLE => self.collations.clear(),
            pg_namespace::TABLE => {
                self.namespaces.borrow_mut().clear();
                self.namespace_names.borrow_mut().clear();
            }
            pg_authid::TABLE => self.roles.borrow_mut().clear(),
            pg_statistic::TABLE => self.stats.borrow_mut().retain(|(rel, ..), _| *rel != oid),
            pg_statistic_ext::TABLE | pg_statistic_ext_data::TABLE => self.ext_stats.borrow_mut().clear(),
            _ => {}
        }
    }

    /// Forgets everything.
    pub fn reset_caches(&self) {
        self.generation.set(self.generation.get() + 1);
        let m = &self.memory;
        m.relations.measure(&m.nesting, || self.relations.borrow_mut().clear());
        m.indexes.measure(&m.nesting, || self.indexes.borrow_mut().clear());
        self.relation_names.borrow_mut().clear();
        self.type_names.borrow_mut().clear();
        self.types.borrow_mut().clear();
        self.forget_user_types();
        self.procs.borrow_mut().clear();
        self.aggregates.borrow_mut().clear();
        self.proc_names.borrow_mut().clear();
        self.operators.borrow_mut().clear();
        *self.families.borrow_mut() = None;
        self.operator_names.borrow_mut().clear();
        self.choices.forget_operators();
        self.choices.forget_functions();
        self.casts.borrow_mut().clear();
        self.ranges.borrow_mut().clear();
        self.namespaces.borrow_mut().clear();
        self.namespace_names.borrow_mut().clear();
        self.roles.borrow_mut().clear();
        self.stats.borrow_mut().clear();
        self.collations.clear();
        self.ext_stats.borrow_mut().clear();
    }
}

impl InvalHandler for Catalog {
    fn invalidate(&self, _engine: &Engine, msg: &InvalMsg) {
        if msg.db != 0 && msg.db != self.database.0 {
            return;
        }
        self.generation.set(self.generation.get() + 1);
        match msg.kind {
            INVAL_RELATION => self.drop_relation(Oid(msg.a)),
            INVAL_CATALOG => self.drop_catalog(Oid(msg.a), Oid(msg.b)),
            _ => {}
        }
    }
    fn reset(&self, _engine: &Engine) {
        self.reset_caches();
    }
}
