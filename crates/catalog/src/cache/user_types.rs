//! What the catalogs know of enums and domains: labels, constraints, defaults. Kept like the descriptors and dropped by
//! the same messages.

use super::Catalog;
use crate::columns::*;
use common::{Oid, Result};
use std::rc::Rc;
use types::Datum;

/// A label of an enum.
#[derive(Clone, Debug)]
pub struct EnumLabel {
    /// `pg_enum.oid`.
    pub oid: Oid,
    pub sort_order: f32,
    pub label: Rc<str>,
}

impl EnumLabel {
    /// The value of the type that it is.
    pub fn value(&self) -> i64 {
        types::user_type::enum_value(self.sort_order, self.oid)
    }
}

/// What a domain (with the domains under it) asks of its values.
#[derive(Clone, Debug, Default)]
pub struct DomainRules {
    pub not_null: bool,
    /// CHECK constraints, the innermost domain's first, by name within one: (name, stored expression).
    pub checks: Vec<(Rc<str>, Rc<str>)>,
}

impl Catalog {
    /// The labels of an enum in order.
    pub fn enum_labels(&self, type_oid: Oid) -> Result<Rc<Vec<EnumLabel>>> {
        if let Some(l) = self.enums.borrow().get(&type_oid) {
            return Ok(l.clone());
        }
        let generation = self.generation();
        let mut labels = Vec::new();
        for r in self.scan(pg_enum::TABLE, pg_enum::TYPID_SORTORDER_INDEX, &[Datum::oid(type_oid)])? {
            labels.push(EnumLabel {
                oid: r.oid(pg_enum::OID),
                sort_order: r.f32(pg_enum::ENUMSORTORDER),
                label: r.str(pg_enum::ENUMLABEL).into(),
            });
        }
        labels.sort_by(|a, b| a.sort_order.total_cmp(&b.sort_order));
        let labels = Rc::new(labels);
        if generation == self.generation() {
            self.enums.borrow_mut().insert(type_oid, labels.clone());
        }
        Ok(labels)
    }

    /// The text of a label; `None` if it does not exist.
    pub fn enum_label(&self, label: Oid) -> Result<Option<Rc<str>>> {
        if let Some(l) = self.enum_names.borrow().get(&label) {
            return Ok(Some(l.clone()));
        }
        let rows = self.scan(pg_enum::TABLE, pg_enum::OID_INDEX, &[Datum::oid(label)])?;
        let Some(r) = rows.first() else { return Ok(None) };
        let text: Rc<str> = r.str(pg_enum::ENUMLABEL).into();
        self.enum_names.borrow_mut().insert(label, text.clone());
        Ok(Some(text))
    }

    /// Remembers that this transaction has added a label to a type that was there before.
    pub fn note_new_enum_label(&self, label: Oid) -> Result<()> {
        let xid = self.eng.top_xid()?;
        let mut new = self.new_enum_labels.borrow_mut();
        if new.0 != Some(xid) {
            *new = (Some(xid), Vec::new());
        }
        new.1.push(label);
        Ok(())
    }

    /// Was the label added by the running transaction to a type that was there before?
    pub fn is_new_enum_label(&self, label: Oid) -> Result<bool> {
        let new = self.new_enum_labels.borrow();
        Ok(new.1.contains(&label) && new.0 == Some(self.eng.top_xid()?))
    }

    /// The rules of a domain.
    pub fn domain_rules(&self, type_oid: Oid) -> Result<Rc<DomainRules>> {
        if let Some(d) = self.domains.borrow().get(&type_oid) {
            return Ok(d.clone());
        }
        let generation = self.generation();
        let mut rules = DomainRules::default();
        let mut t = self.type_desc(type_oid)?;
        while t.typtype == b'd' {
            rules.not_null |= t.not_null;
            let mut own: Vec<(Rc<str>, Rc<str>)> = Vec::new();
            for r in self.scan(pg_constraint::TABLE, pg_constraint::CONTYPID_INDEX, &[Datum::oid(t.oid)])? {
                if r.char(pg_constraint::CONTYPE) == b'c' {
                    own.push((r.str(pg_constraint::CONNAME).into(), r.str(pg_constraint::CONBIN).into()));
                }
            }
            own.sort();
            own.append(&mut rules.checks);
            rules.checks = own;
            t = self.type_desc(t.base_type)?;
        }
        let rules = Rc::new(rules);
        if generation == self.generation() {
            self.domains.borrow_mut().insert(type_oid, rules.clone());
        }
        Ok(rules)
    }

    /// The family of a range or multirange type, built in or not.
    pub fn range_family(&self, t: Oid) -> Result<Option<types::range::RangeType>> {
        if let Some(f) = types::range::find_family(t) {
            return Ok(Some(f));
        }
        if !types::UserClass::Range.is(t) && !types::UserClass::Multirange.is(t) {
            return Ok(None);
        }
        if let Some(f) = self.ranges.borrow().get(&t) {
            return Ok(*f);
        }
        use pg_range::*;
        let index = if types::UserClass::Range.is(t) { RNGTYPID_INDEX } else { RNGMULTITYPID_INDEX };
        let rows = self.scan(TABLE, index, &[Datum::oid(t)])?;
        let found = rows.first().map(|r| types::range::RangeType {
            subtype: r.oid(RNGSUBTYPE),
            range: r.oid(RNGTYPID),
            multirange: r.oid(RNGMULTITYPID),
        });
        self.ranges.borrow_mut().insert(t, found);
        Ok(found)
    }

    /// Stored default expression of a type (domains have them).
    pub fn type_default(&self, type_oid: Oid) -> Result<Option<String>> {
        let rows = self.scan(pg_type::TABLE, pg_type::OID_INDEX, &[Datum::oid(type_oid)])?;
        Ok(rows.first().and_then(|r| r.text(pg_type::TYPDEFAULTBIN)))
    }

    /// The default of a base type, as text.
    pub fn type_default_text(&self, type_oid: Oid) -> Result<Option<String>> {
        let rows = self.scan(pg_type::TABLE, pg_type::OID_INDEX, &[Datum::oid(type_oid)])?;
        Ok(rows.first().and_then(|r| r.text(pg_type::TYPDEFAULT)))
    }

    pub(super) fn forget_user_types(&self) {
        self.enums.borrow_mut().clear();
        self.enum_names.borrow_mut().clear();
        self.domains.borrow_mut().clear();
    }
}
