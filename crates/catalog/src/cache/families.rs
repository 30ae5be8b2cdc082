//! Operator classes and families that are not built in. There are few: all of a database's are read at once, the first
//! time anybody asks, and forgotten when any of their four catalogs changes.

use super::Catalog;
use crate::columns::*;
use crate::desc::*;
use crate::rows::CatRow;
use crate::shared_ref::Ref;
use access::btree::{ScanKey, ScanOp, Strategy};
use common::{Oid, Result};
use foldhash::HashMap;
use std::rc::Rc;
use types::Datum;

/// What users and extensions added to the built-in classes and families.
#[derive(Default)]
pub(crate) struct OwnFamilies {
    classes: Vec<Ref<OpclassDesc>>,
    amops: Vec<AmopDesc>,
    amprocs: HashMap<(Oid, Oid, Oid, i16), Oid>,
    names: HashMap<Oid, Rc<str>>,
}

fn class_from_row(r: &CatRow) -> OpclassDesc {
    use pg_opclass::*;
    OpclassDesc {
        oid: r.oid(OID),
        method: r.oid(OPCMETHOD),
        name: r.str(OPCNAME).to_string(),
        namespace: r.oid(OPCNAMESPACE),
        family: r.oid(OPCFAMILY),
        in_type: r.oid(OPCINTYPE),
        is_default: r.bool(OPCDEFAULT),
        key_type: r.oid(OPCKEYTYPE),
    }
}

fn amop_from_row(r: &CatRow) -> AmopDesc {
    use pg_amop::*;
    AmopDesc {
        family: r.oid(AMOPFAMILY),
        left: r.oid(AMOPLEFTTYPE),
        right: r.oid(AMOPRIGHTTYPE),
        strategy: r.i16(AMOPSTRATEGY),
        purpose: r.char(AMOPPURPOSE),
        opr: r.oid(AMOPOPR),
        method: r.oid(AMOPMETHOD),
        sort_family: r.oid(AMOPSORTFAMILY),
    }
}

impl Catalog {
    /// The rows of a catalog that `initdb` did not make.
    fn own_rows(&self, table: Oid, oid_index: Oid) -> Result<Vec<CatRow>> {
        let first = ScanOp::Cmp(Strategy::Ge, Datum::oid(Oid::FIRST_NORMAL), None);
        let keys = vec![ScanKey { column: 1, op: first }];
        self.scan_keys(
            table,
            oid_index,
            keys,
            access::Direction::Forward,
            usize::MAX,
            self.catalog_snapshot()?,
        )
    }

    pub(crate) fn own_families(&self) -> Result<Rc<OwnFamilies>> {
        if let Some(f) = &*self.families.borrow() {
            return Ok(f.clone());
        }
        let generation = self.generation();
        let mut f = OwnFamilies::default();
        for r in self.own_rows(pg_opclass::TABLE, pg_opclass::OID_INDEX)? {
            f.classes.push(Rc::new(class_from_row(&r)).into());
        }
        for r in self.own_rows(pg_amop::TABLE, pg_amop::OID_INDEX)? {
            f.amops.push(amop_from_row(&r));
        }
        for r in self.own_rows(pg_amproc::TABLE, pg_amproc::OID_INDEX)? {
            use pg_amproc::*;
            let key = (r.oid(AMPROCFAMILY), r.oid(AMPROCLEFTTYPE), r.oid(AMPROCRIGHTTYPE), r.i16(AMPROCNUM));
            f.amprocs.insert(key, r.oid(AMPROC));
        }
        for r in self.own_rows(pg_opfamily::TABLE, pg_opfamily::OID_INDEX)? {
            f.names.insert(r.oid(pg_opfamily::OID), r.str(pg_opfamily::OPFNAME).into());
        }
        let f = Rc::new(f);
        if generation == self.generation() {
            *self.families.borrow_mut() = Some(f.clone());
        }
        Ok(f)
    }
}

impl OwnFamilies {
    pub(crate) fn class(&self, oid: Oid) -> Option<Ref<OpclassDesc>> {
        self.classes.iter().find(|c| c.oid == oid).cloned()
    }
    pub(crate) fn classes_named(&self, am: Oid, name: &str) -> impl Iterator<Item = Ref<OpclassDesc>> {
        self.classes.iter().filter(move |c| c.method == am && c.name == name).cloned()
    }
    /// The default classes of an access method.
    pub(crate) fn default_classes(&self, am: Oid) -> impl Iterator<Item = &Ref<OpclassDesc>> {
        self.classes.iter().filter(move |c| c.method == am && c.is_default)
    }
    pub(crate) fn amops_of(&self, opr: Oid) -> impl Iterator<Item = AmopDesc> {
        self.amops.iter().filter(move |a| a.opr == opr).copied()
    }
    pub(crate) fn amop(&self, family: Oid, left: Oid, right: Oid, strategy: i16) -> Option<Oid> {
        let is = |a: &&AmopDesc| {
            (a.family, a.left, a.right, a.strategy) == (family, left, right, strategy) && a.purpose == b's'
        };
        self.amops.iter().find(is).map(|a| a.opr)
    }
    pub(crate) fn amproc(&self, family: Oid, left: Oid, right: Oid, num: i16) -> Option<Oid> {
        self.amprocs.get(&(family, left, right, num)).copied()
    }
    pub(crate) fn name(&self, family: Oid) -> Option<Rc<str>> {
        self.names.get(&family).cloned()
    }
}
