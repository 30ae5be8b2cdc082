//! Look-ups by OID and by name.

use super::{Catalog, Names};
use crate::builtins::{PG_CATALOG, PG_TOAST};
use crate::columns::*;
use crate::desc::*;
use crate::literal;
use crate::rows::CatRow;
use crate::search_path::SearchPath;
use crate::shared_ref::Ref;
use common::{Error, Oid, Result, bail, err};
use std::rc::Rc;
use types::{Datum, TupleDesc, oids};

impl Catalog {
    /// A relation by OID; `could not open relation with OID n` (42P01) if it is gone.
    pub fn relation(&self, oid: Oid) -> Result<Ref<Relation>> {
        match self.relation_if_any(oid)? {
            Some(r) => Ok(r),
            None => bail!(UNDEFINED_TABLE, "could not open relation with OID {oid}"),
        }
    }
    /// A relation by OID, if it exists.
    pub fn relation_if_any(&self, oid: Oid) -> Result<Option<Ref<Relation>>> {
        if let Some(r) = self.relations.borrow().get(&oid) {
            return Ok(Some(r.clone()));
        }
        let generation = self.generation();
        let m = &self.memory;
        let built = m.relations.measure(&m.nesting, || self.build_relation(oid))?;
        let Some(built) = built else { return Ok(None) };
        let r: Ref<Relation> = Rc::new(built).into();
        // What was read while something was invalidated may be half old: use it, but do not keep it.
        if generation == self.generation() {
            self.relations.borrow_mut().insert(oid, r.clone());
        }
        Ok(Some(r))
    }
    /// Puts descriptors into the cache that have no catalog rows: tests of the upper layers make their tables so.
    pub fn preload(&self, rel: Relation, indexes: Vec<IndexDesc>) {
        for ix in indexes {
            self.indexes.borrow_mut().insert(ix.oid, Rc::new(ix).into());
        }
        let (oid, namespace, name) = (rel.oid, rel.namespace, rel.name.clone());
        self.relations.borrow_mut().insert(oid, Rc::new(rel).into());
        self.relation_names.borrow_mut().entry(namespace).or_default().insert(name, Some(oid));
    }
    /// An index by OID.
    pub fn index(&self, oid: Oid) -> Result<Ref<IndexDesc>> {
        if let Some(r) = self.indexes.borrow().get(&oid) {
            return Ok(r.clone());
        }
        let generation = self.generation();
        let m = &self.memory;
        let built = m.indexes.measure(&m.nesting, || self.build_index(oid))?;
        let r: Ref<IndexDesc> = Rc::new(built).into();
        if generation == self.generation() {
            self.indexes.borrow_mut().insert(oid, r.clone());
        }
        Ok(r)
    }
    /// OID of a relation by schema and name.
    pub fn relation_oid(&self, namespace: Oid, name: &str) -> Result<Option<Oid>> {
        self.named(&self.relation_names, namespace, name, || {
            let keys = [Datum::text(name), Datum::oid(namespace)];
            let rows = self.scan(pg_class::TABLE, pg_class::RELNAME_NSP_INDEX, &keys)?;
            Ok(rows.first().map(|r| r.oid(pg_class::OID)))
        })
    }
    fn named(
        &self,
        names: &Names,
        namespace: Oid,
        name: &str,
        find: impl FnOnce() -> Result<Option<Oid>>,
    ) -> Result<Option<Oid>> {
        if let Some(found) = names.borrow().get(&namespace).and_then(|m| m.get(name)) {
            return Ok(*found);
        }
        let generation = self.generation();
        let found = find()?;
        if generation == self.generation() {
            names.borrow_mut().entry(namespace).or_default().insert(name.to_string(), found);
        }
        Ok(found)
    }
    /// OID of a relation by name along the search path.
    pub fn find_relation(&self, path: &SearchPath, name: &str) -> Result<Option<Oid>> {
        for ns in &path.schemas {
            if let Some(oid) = self.relation_oid(*ns, name)? {
                return Ok(Some(oid));
            }
        }
        Ok(None)
    }
    /// Can the relation be named without its schema?
    pub fn relation_is_visible(&self, path: &SearchPath, rel: Oid) -> Result<bool> {
        let r = self.relation(rel)?;
        Ok(self.find_relation(path, &r.name)? == Some(rel))
    }
    /// OID of a schema.
    pub fn namespace_oid(&self, name: &str) -> Result<Option<Oid>> {
        if name == "pg_catalog" {
            return Ok(Some(PG_CATALOG));
        }
        if name == "pg_temp"
            && let Some(own) = self.temp.namespace()
        {
            return Ok(Some(own));
        }
        if let Some(found) = self.namespace_names.borrow().get(name) {
            return Ok(*found);
        }
        let rows = self.scan(pg_namespace::TABLE, pg_namespace::NSPNAME_INDEX, &[Datum::text(name)])?;
        let found = rows.first().map(|r| r.oid(pg_namespace::OID));
        self.namespace_names.borrow_mut().insert(name.to_string(), found);
        Ok(found)
    }
    /// Name of a schema.
    pub fn namespace_name(&self, oid: Oid) -> Result<Option<Rc<str>>> {
        match oid {
            PG_CATALOG => return Ok(Some("pg_catalog".into())),
            PG_TOAST => return Ok(Some("pg_toast".into())),
            _ => {}
        }
        if let Some(found) = self.namespaces.borrow().get(&oid) {
            return Ok(found.clone());
        }
        let rows = self.scan(pg_namespace::TABLE, pg_namespace::OID_INDEX, &[Datum::oid(oid)])?;
        let found: Option<Rc<str>> = rows.first().map(|r| r.str(pg_namespace::NSPNAME).into());
        self.namespaces.borrow_mut().insert(oid, found.clone());
        Ok(found)
    }
    /// A type by OID; XX000 `cache lookup failed for type n`.
    pub fn type_desc(&self, oid: Oid) -> Result<Ref<TypeDesc>> {
        match self.type_if_any(oid)? {
            Some(t) => Ok(t),
            None => Err(Error::internal(format!("cache lookup failed for type {oid}"))),
        }
    }
    /// A type by OID, if it exists.
    pub fn type_if_any(&self, oid: Oid) -> Result<Option<Ref<TypeDesc>>> {
        if let Some(t) = self.builtins.type_desc(oid) {
            return Ok(Some(t.into()));
        }
        if let Some(t) = self.types.borrow().get(&oid) {
            return Ok(Some(t.clone()));
        }
        let rows = self.scan(pg_type::TABLE, pg_type::OID_INDEX, &[Datum::oid(oid)])?;
        let Some(row) = rows.first() else { return Ok(None) };
        let mut t = type_from_row(row);
        if t.typtype == b'd' {
            // Its values are those of the type underneath.
            let base = self.type_desc(t.base_type)?;
            (t.phys, t.len, t.align) = (base.phys, base.len, base.align);
        }
        if types::UserClass::Base.is(oid)
            && t.is_defined
            && let Some(m) = types::user_type::model_info(oid)
        {
            // The row says what CREATE TYPE said; the values are the model's, and the code of the functions is known.
            let by_val = self.builtins.type_desc(m.oid).map_or(m.len > 0 && m.len <= 8, |b| b.by_val);
            (t.phys, t.len, t.align, t.by_val) = (m.phys, m.len, m.align, by_val);
            t.input = self.code_oid(t.input)?;
            t.output = self.code_oid(t.output)?;
            t.receive = self.code_oid(t.receive)?;
            t.send = self.code_oid(t.send)?;
        }
        let t: Ref<TypeDesc> = Rc::new(t).into();
        self.types.borrow_mut().insert(oid, t.clone());
        Ok(Some(t))
    }
    /// OID of a type by schema and name.
    pub fn type_oid(&self, namespace: Oid, name: &str) -> Result<Option<Oid>> {
        if namespace == PG_CATALOG
            && let Some(oid) = self.builtins.type_oid(name)
        {
            return Ok(Some(oid));
        }
        self.named(&self.type_names, namespace, name, || {
            let keys = [Datum::text(name), Datum::oid(namespace)];
            let rows = self.scan(pg_type::TABLE, pg_type::TYPNAME_NSP_INDEX, &keys)?;
            Ok(rows.first().map(|r| r.oid(pg_type::OID)))
        })
    }
    /// OID of a type by name along the search path.
    pub fn find_type(&self, path: &SearchPath, name: &str) -> Result<Option<Oid>> {
        for ns in &path.schemas {
            if let Some(oid) = self.type_oid(*ns, name)? {
                return Ok(Some(oid));
            }
        }
        Ok(None)
    }
    /// A type's name as messages have it, without schema or modifiers.
    pub fn type_label(&self, oid: Oid) -> Result<String> {
        let t = self.type_desc(oid)?;
        if t.elem.is_valid() && t.subscript_proc == Oid(6179) {
            return Ok(format!("{}[]", self.type_label(t.elem)?));
        }
        Ok(match types::record::sql_name(oid) {
            "???" => t.name.clone(),
            name => name.to_string(),
        })
    }
    /// The type whose form a type's values have: of a domain the one underneath, else itself.
    pub fn storage_type(&self, oid: Oid) -> Result<Oid> {
        let mut t = oid;
        while types::UserClass::Domain.is(t) || (12000..16384).contains(&t.0) {
            let d = self.type_desc(t)?;
            if d.typtype != b'd' {
                break;
            }
            t = d.base_type;
        }
        Ok(t)
    }
    /// Columns of a composite type (a relation's row type included).
    pub fn composite_desc(&self, type_oid: Oid) -> Result<Rc<TupleDesc>> {
        let t = self.type_desc(type_oid)?;
        if t.typtype != b'c' {
            bail!(WRONG_OBJECT_TYPE, "type {} is not composite", t.name);
        }
        Ok(self.relation(t.relid)?.desc.clone())
    }
    /// A function by OID; XX000 `cache lookup failed for function n`.
    pub fn proc_desc(&self, oid: Oid) -> Result<Ref<ProcDesc>> {
        match self.proc_if_any(oid)? {
            Some(p) => Ok(p),
            None => Err(Error::internal(format!("cache lookup failed for function {oid}"))),
        }
    }
    /// A function by OID, if it exists.
    pub fn proc_if_any(&self, oid: Oid) -> Result<Option<Ref<ProcDesc>>> {
        if let Some(p) = self.builtins.proc_desc(oid) {
            return Ok(Some(p.into()));
        }
        if types::ext::is_code(oid) {
            // Input and output functions of extensions' types, by their code: immutable and strict, as text's are.
            return Ok(self.builtins.proc_desc(Oid(46)).map(Ref::Static));
        }
        if let Some(p) = self.procs.borrow().get(&oid) {
            return Ok(Some(p.clone()));
        }
        let rows = self.scan(pg_proc::TABLE, pg_proc::OID_INDEX, &[Datum::oid(oid)])?;
        let Some(row) = rows.first() else { return Ok(None) };
        let p: Ref<ProcDesc> = Rc::new(proc_from_row(row)).into();
        self.procs.borrow_mut().insert(oid, p.clone());
        Ok(Some(p))
    }
    /// The built-in function whose code a function runs: itself, unless it is a user's of language `internal`.
    pub fn code_oid(&self, oid: Oid) -> Result<Oid> {
        if oid < Oid::FIRST_NORMAL {
            return Ok(oid);
        }
        let p = self.proc_desc(oid)?;
        if p.language == crate::builtins::LANGUAGE_C {
            return Ok(types::ext::symbol(&p.bin, &p.src).unwrap_or(oid));
        }
        if p.language != crate::builtins::LANGUAGE_INTERNAL || p.kind == b'a' {
            return Ok(oid);
        }
        Ok(self.builtins.proc_by_src(&p.src).unwrap_or(oid))
    }
    /// All functions of a name, in all schemas (the caller filters by its path).
    pub fn procs_named(&self, name: &str) -> Result<Vec<Ref<ProcDesc>>> {
        let mut out: Vec<Ref<ProcDesc>> =
            self.builtins.procs_named(name).iter().map(|p| Ref::Static(*p)).collect();
        if let Some(own) = self.proc_names.borrow().get(name) {
            out.extend(own.iter().cloned());
            return Ok(out);
        }
        let rows = self.scan(pg_proc::TABLE, pg_proc::PRONAME_ARGS_NSP_INDEX, &[Datum::text(name)])?;
        let mut own: Vec<Ref<ProcDesc>> = Vec::new();
        for row in rows.iter().filter(|r| self.builtins.proc_desc(r.oid(pg_proc::OID)).is_none()) {
            own.push(Rc::new(proc_from_row(row)).into());
        }
        out.extend(own.iter().cloned());
        self.proc_names.borrow_mut().insert(name.to_string(), Rc::new(own));
        Ok(out)
    }
    /// The aggregate behind a function; `None` if it is not one.
    pub fn aggregate(&self, fnoid: Oid) -> Result<Option<Ref<AggDesc>>> {
        if fnoid < Oid::FIRST_NORMAL {
            return Ok(self.builtins.aggregate(fnoid).map(Ref::Static));
        }
        if let Some(a) = self.aggregates.borrow().get(&fnoid) {
            return Ok(a.clone());
        }
        use pg_aggregate::*;
        let rows = self.scan(TABLE, FNOID_INDEX, &[Datum::oid(fnoid)])?;
        let found: Option<Ref<AggDesc>> = rows.first().map(|r| {
            Rc::new(AggDesc {
                fnoid,
                kind: r.char(AGGKIND),
                num_direct_args: r.i16(AGGNUMDIRECTARGS),
                trans_fn: r.oid(AGGTRANSFN),
                final_fn: r.oid(AGGFINALFN),
                final_extra: r.bool(AGGFINALEXTRA),
                combine_fn: r.oid(AGGCOMBINEFN),
                serial_fn: r.oid(AGGSERIALFN),
                deserial_fn: r.oid(AGGDESERIALFN),
                sort_op: r.oid(AGGSORTOP),
                trans_type: r.oid(AGGTRANSTYPE),
                trans_space: r.i32(AGGTRANSSPACE),
                init_val: r.text(AGGINITVAL),
            })
            .into()
        });
        self.aggregates.borrow_mut().insert(fnoid, found.clone());
        Ok(found)
    }
    /// An operator by OID; XX000 `cache lookup failed for operator n`.
    pub fn operator(&self, oid: Oid) -> Result<Ref<OperDesc>> {
        if let Some(o) = self.builtins.operator(oid) {
            return Ok(o.into());
        }
        if let Some(o) = self.operators.borrow().get(&oid) {
            return Ok(o.clone());
        }
        let rows = self.scan(pg_operator::TABLE, pg_operator::OID_INDEX, &[Datum::oid(oid)])?;
        let Some(row) = rows.first() else {
            return Err(Error::internal(format!("cache lookup failed for operator {oid}")));
        };
        let o: Ref<OperDesc> = Rc::new(operator_from_row(row)).into();
        self.operators.borrow_mut().insert(oid, o.clone());
        Ok(o)
    }
    /// All operators of a name and kind (`b`, `l`), in all schemas.
    pub fn operators_named(&self, name: &str, kind: u8) -> Result<Vec<Ref<OperDesc>>> {
        let all = self.builtins.operators_named(name).iter();
        let mut out: Vec<Ref<OperDesc>> = all.filter(|o| o.kind == kind).map(|o| Ref::Static(*o)).collect();
        let own = self.own_operators(name)?;
        out.extend(own.iter().filter(|o| o.kind == kind).cloned());
        Ok(out)
    }
    /// Operators of a name and kind with exactly these operand types, in all schemas.
    pub fn operators_between(
        &self,
        name: &str,
        kind: u8,
        left: Oid,
        right: Oid,
    ) -> Result<Vec<Ref<OperDesc>>> {
        let fits = |o: &OperDesc| o.left == left && o.right == right && o.kind == kind;
        let all = self.builtins.operators_named(name).iter();
        let mut out: Vec<Ref<OperDesc>> = all.filter(|o| fits(o)).map(|o| Ref::Static(*o)).collect();
        out.extend(self.own_operators(name)?.iter().filter(|o| fits(o)).cloned());
        Ok(out)
    }
    /// Operators of a name that are not built in; those without a function are there for links only.
    pub fn own_operators(&self, name: &str) -> Result<Rc<Vec<Ref<OperDesc>>>> {
        if let Some(own) = self.operator_names.borrow().get(name) {
            return Ok(own.clone());
        }
        let keys = [Datum::text(name)];
        let mut own: Vec<Ref<OperDesc>> = Vec::new();
        for r in self.scan(pg_operator::TABLE, pg_operator::OPRNAME_L_R_N_INDEX, &keys)? {
            if r.oid(pg_operator::OID) >= Oid::FIRST_NORMAL {
                own.push(Rc::new(operator_from_row(&r)).into());
            }
        }
        let own = Rc::new(own);
        self.operator_names.borrow_mut().insert(name.to_string(), own.clone());
        Ok(own)
    }
    /// The cast between two types, if `pg_cast` has one.
    pub fn cast(&self, source: Oid, target: Oid) -> Result<Option<CastDesc>> {
        if let Some(c) = self.builtins.cast(source, target) {
            return Ok(Some(c));
        }
        if let Some(c) = self.casts.borrow().get(&(source, target)) {
            return Ok(*c);
        }
        let keys = [Datum::oid(source), Datum::oid(target)];
        let rows = self.scan(pg_cast::TABLE, pg_cast::SOURCE_TARGET_INDEX, &keys)?;
        let found = rows.first().map(|r| CastDesc {
            source,
            target,
            context: r.char(pg_cast::CASTCONTEXT),
            method: match r.char(pg_cast::CASTMETHOD) {
                b'b' => CastMethod::Binary,
                b'i' => CastMethod::InOut,
                _ => CastMethod::Function(r.oid(pg_cast::CASTFUNC)),
            },
        });
        self.casts.borrow_mut().insert((source, target), found);
        Ok(found)
    }
    /// The default operator class of an access method for a type: of the type itself, else of one it is binary
    /// coercible to (varchar → text, arrays → anyarray, enums → anyenum …).
    pub fn default_opclass(&self, am: Oid, type_oid: Oid) -> Result<Option<Ref<OpclassDesc>>> {
        if let Some(c) = self.builtins.default_opclass(am, type_oid) {
            return Ok(Some(c.into()));
        }
        let t = self.type_desc(type_oid)?;
        if t.typtype == b'd' {
            return self.default_opclass(am, t.base_type);
        }
        let own = self.own_families()?;
        if let Some(c) = own.default_classes(am).find(|c| c.in_type == type_oid) {
            return Ok(Some(c.clone()));
        }
        let pseudo = match t.typtype {
            b'e' => oids::ANYENUM,
            b'r' => oids::ANYRANGE,
            b'm' => oids::ANYMULTIRANGE,
            b'c' => oids::RECORD,
            _ if t.elem.is_valid() && t.subscript_proc == Oid(6179) => oids::ANYARRAY,
            _ => Oid::INVALID,
        };
        let (mut coerced, mut poly): (Option<Ref<OpclassDesc>>, _) = (None, None);
        let all = self.builtins.opclasses().filter(|c| c.method == am && c.is_default).map(Ref::Static);
        for c in all.chain(own.default_classes(am).cloned()) {
            if c.in_type == pseudo {
                poly = Some(c);
                continue;
            }
            // Casts from built-in types are looked up among the built-in ones only: no page is touched.
            let cast = match type_oid < Oid::FIRST_NORMAL && c.in_type < Oid::FIRST_NORMAL {
                true => self.builtins.cast(type_oid, c.in_type),
                false => self.cast(type_oid, c.in_type)?,
            };
            // Several classes may fit: prefer the one of the preferred type, as PostgreSQL does.
            if cast.is_some_and(|k| k.method == CastMethod::Binary && k.context == b'i')
                && (coerced.is_none() || self.type_desc(c.in_type)?.preferred)
            {
                coerced = Some(c);
            }
        }
        Ok(coerced.or(poly))
    }
    /// An operator class by OID.
    pub fn opclass(&self, oid: Oid) -> Result<Ref<OpclassDesc>> {
        if let Some(c) = self.builtins.opclass(oid) {
            return Ok(c.into());
        }
        let found = self.own_families()?.class(oid);
        found.ok_or_else(|| Error::internal(format!("cache lookup failed for opclass {oid}")))
    }
    /// Operator classes of an access method by name, in all schemas.
    pub fn opclasses_named(&self, am: Oid, name: &str) -> Result<Vec<Ref<OpclassDesc>>> {
        let all = self.builtins.opclasses();
        let mut out: Vec<Ref<OpclassDesc>> =
            all.filter(|c| c.method == am && c.name == name).map(Ref::Static).collect();
        out.extend(self.own_families()?.classes_named(am, name));
        Ok(out)
    }
    /// Families in which an operator is a member, with strategy and declared types.
    pub fn amops_of(&self, operator: Oid) -> Result<Vec<AmopDesc>> {
        let mut out = self.builtins.amops_of(operator);
        out.extend(self.own_families()?.amops_of(operator));
        Ok(out)
    }
    /// The member operator of a family for (left, right, strategy).
    pub fn amop(&self, family: Oid, left: Oid, right: Oid, strategy: i16) -> Result<Option<Oid>> {
        match self.builtins.amop(family, left, right, strategy) {
            Some(o) => Ok(Some(o)),
            None => Ok(self.own_families()?.amop(family, left, right, strategy)),
        }
    }
    /// The support function of a family for (left, right, number).
    pub fn amproc(&self, family: Oid, left: Oid, right: Oid, num: i16) -> Result<Option<Oid>> {
        match self.builtins.amproc(family, left, right, num) {
            Some(p) => Ok(Some(p)),
            None => Ok(self.own_families()?.amproc(family, left, right, num)),
        }
    }
    /// Name of an operator family.
    pub fn opfamily_name(&self, oid: Oid) -> Result<Option<Rc<str>>> {
        match self.builtins.opfamily_name(oid) {
            Some(n) => Ok(Some(n.into())),
            None => Ok(self.own_families()?.name(oid)),
        }
    }
    /// Name of a role.
    pub fn role_name(&self, oid: Oid) -> Result<Option<Rc<str>>> {
        if let Some(found) = self.roles.borrow().get(&oid) {
            return Ok(found.clone());
        }
        let rows = self.scan(pg_authid::TABLE, pg_authid::OID_INDEX, &[Datum::oid(oid)])?;
        let found: Option<Rc<str>> = rows.first().map(|r| r.str(pg_authid::ROLNAME).into());
        self.roles.borrow_mut().insert(oid, found.clone());
        Ok(found)
    }
    /// OID of a role.
    pub fn role_oid(&self, name: &str) -> Result<Option<Oid>> {
        Ok(self.role_row(name)?.map(|r| r.oid(pg_authid::OID)))
    }
    /// The row of `pg_authid` by name.
    pub fn role_row(&self, name: &str) -> Result<Option<CatRow>> {
        let rows = self.scan(pg_authid::TABLE, pg_authid::ROLNAME_INDEX, &[Datum::text(name)])?;
        Ok(rows.into_iter().next())
    }
    /// The row of `pg_database` by name.
    pub fn database_row(&self, name: &str) -> Result<Option<CatRow>> {
        let rows = self.scan(pg_database::TABLE, pg_database::DATNAME_INDEX, &[Datum::text(name)])?;
        Ok(rows.into_iter().next())
    }
    /// Schema and name of a collation.
    pub fn collation_name(&self, oid: Oid) -> Result<Option<(Oid, Rc<str>)>> {
        let name = match oid.0 {
            100 => "default",
            950 => "C",
            951 => "POSIX",
            _ => {
                let rows = self.scan(pg_collation::TABLE, pg_collation::OID_INDEX, &[Datum::oid(oid)])?;
                return Ok(rows
                    .first()
                    .map(|r| (r.oid(pg_collation::COLLNAMESPACE), r.str(pg_collation::COLLNAME).into())));
            }
        };
        Ok(Some((PG_CATALOG, name.into())))
    }
    /// OID of a collation by name along the search path.
    pub fn find_collation(&self, path: &SearchPath, name: &str) -> Result<Option<Oid>> {
        for ns in &path.schemas {
            let keys = [Datum::text(name)];
            for r in self.scan(pg_collation::TABLE, pg_collation::NAME_ENC_NSP_INDEX, &keys)? {
                if r.oid(pg_collation::COLLNAMESPACE) == *ns {
                    return Ok(Some(r.oid(pg_collation::OID)));
                }
            }
        }
        Ok(None)
    }
    /// Present size of a relation's main fork in blocks.
    pub fn relation_blocks(&self, rel: &Relation) -> Result<u32> {
        match &rel.rel {
            Some(r) => Ok(self.eng.store().nblocks(r.locator, storage::Fork::Main)?.0),
            None => Ok(0),
        }
    }
    /// Present size of an index in blocks.
    pub fn index_blocks(&self, ix: &IndexDesc) -> Result<u32> {
        Ok(self.eng.store().nblocks(ix.rel.rel.locator, storage::Fork::Main)?.0)
    }
    /// Levels of a btree above its leaves.
    pub fn index_height(&self, ix: &IndexDesc) -> Result<u32> {
        access::btree::search::height(&self.eng, &ix.rel)
    }
    /// The search path a list of schema names stands for. Names without a schema are passed over, as in PostgreSQL;
    /// `$user` is the schema named like the role.
    pub fn search_path(&self, names: &[String], user: Oid, temp: Option<Oid>) -> Result<SearchPath> {
        let mut path = SearchPath { temp: temp.unwrap_or(Oid::INVALID), ..SearchPath::default() };
        for name in names {
            let found = match name.as_str() {
                "$user" => match self.role_name(user)? {
                    Some(role) => self.namespace_oid(&role)?,
                    None => None,
                },
                "pg_temp" => {
                    if !path.creation.is_valid() && !path.creates_temp {
                        path.creates_temp = true;
                        path.creation = temp.unwrap_or(Oid::INVALID);
                    }
                    temp
                }
                name => self.namespace_oid(name)?,
            };
            if let Some(oid) = found
                && !path.schemas.contains(&oid)
                && self.may_use_schema(oid)?
            {
                if !path.creation.is_valid() && !path.creates_temp {
                    path.creation = oid;
                }
                path.schemas.push(oid);
            }
        }
        if !path.schemas.contains(&PG_CATALOG) {
            path.schemas.insert(0, PG_CATALOG);
        }
        if let Some(t) = temp
            && !path.schemas.contains(&t)
        {
            path.schemas.insert(0, t);
        }
        Ok(path)
    }
    /// The schema a qualified name begins with; 42501 if the user may not look into it.
    pub fn named_schema(&self, name: &str) -> Result<Option<Oid>> {
        match self.namespace_oid(name)? {
            Some(oid) if !self.may_use_schema(oid)? => {
                Err(err!(INSUFFICIENT_PRIVILEGE, "permission denied for schema {name}"))
            }
            found => Ok(found),
        }
    }
    /// A schema by name or 3F000.
    pub fn require_namespace(&self, name: &str) -> Result<Oid> {
        self.namespace_oid(name)?.ok_or_else(|| err!(INVALID_SCHEMA_NAME, "schema \"{name}\" does not exist"))
    }
}

pub(crate) fn type_from_row(r: &CatRow) -> TypeDesc {
    use pg_type::*;
    let (oid, mut len, by_val, typtype) = (r.oid(OID), r.i16(TYPLEN), r.bool(TYPBYVAL), r.char(TYPTYPE));
    let mut align = r.char(TYPALIGN);
    if typtype == b'e' {
        // The row says what PostgreSQL's says; the values are wider (see `types::user_type`).
        (len, align) = (8, b'd');
    }
    TypeDesc {
        oid,
        name: r.str(TYPNAME).to_string(),
        namespace: r.oid(TYPNAMESPACE),
        owner: r.oid(TYPOWNER),
        len,
        by_val,
        align,
        storage: r.char(TYPSTORAGE),
        phys: literal::phys_of(oid, len, by_val, typtype),
        typtype,
        category: r.char(TYPCATEGORY),
        preferred: r.bool(TYPISPREFERRED),
        is_defined: r.bool(TYPISDEFINED),
        delim: r.char(TYPDELIM),
        relid: r.oid(TYPRELID),
        elem: r.oid(TYPELEM),
        array: r.oid(TYPARRAY),
        subscript_proc: r.oid(TYPSUBSCRIPT),
        input: r.oid(TYPINPUT),
        output: r.oid(TYPOUTPUT),
        receive: r.oid(TYPRECEIVE),
        send: r.oid(TYPSEND),
        modin: r.oid(TYPMODIN),
        modout: r.oid(TYPMODOUT),
        base_type: r.oid(TYPBASETYPE),
        typmod: r.i32(TYPTYPMOD),
        not_null: r.bool(TYPNOTNULL),
        collation: r.oid(TYPCOLLATION),
    }
}

fn operator_from_row(r: &CatRow) -> OperDesc {
    use pg_operator::*;
    OperDesc {
        oid: r.oid(OID),
        name: r.str(OPRNAME).to_string(),
        namespace: r.oid(OPRNAMESPACE),
        owner: r.oid(OPROWNER),
        kind: r.char(OPRKIND),
        can_merge: r.bool(OPRCANMERGE),
        can_hash: r.bool(OPRCANHASH),
        left: r.oid(OPRLEFT),
        right: r.oid(OPRRIGHT),
        result: r.oid(OPRRESULT),
        commutator: r.oid(OPRCOM),
        negator: r.oid(OPRNEGATE),
        code: r.oid(OPRCODE),
        rest: r.oid(OPRREST),
        join: r.oid(OPRJOIN),
    }
}

fn proc_from_row(r: &CatRow) -> ProcDesc {
    use pg_proc::*;
    ProcDesc {
        oid: r.oid(OID),
        name: r.str(PRONAME).to_string(),
        namespace: r.oid(PRONAMESPACE),
        owner: r.oid(PROOWNER),
        language: r.oid(PROLANG),
        cost: f64::from(r.f32(PROCOST)),
        rows: f64::from(r.f32(PROROWS)),
        variadic: r.oid(PROVARIADIC),
        support: r.oid(PROSUPPORT),
        kind: r.char(PROKIND),
        sec_def: r.bool(PROSECDEF),
        leakproof: r.bool(PROLEAKPROOF),
        strict: r.bool(PROISSTRICT),
        retset: r.bool(PRORETSET),
        volatile: r.char(PROVOLATILE),
        parallel: r.char(PROPARALLEL),
        num_defaults: r.i16(PRONARGDEFAULTS) as u16,
        ret_type: r.oid(PRORETTYPE),
        arg_types: literal::oid_items(r.bytes(PROARGTYPES)),
        all_arg_types: literal::oid_items(r.bytes(PROALLARGTYPES)),
        arg_modes: literal::array_items(r.bytes(PROARGMODES)).iter().map(|d| d.as_ref().i8() as u8).collect(),
        arg_names: literal::text_items(r.bytes(PROARGNAMES)),
        arg_defaults: r.text(PROARGDEFAULTS),
        src: r.str(PROSRC).to_string(),
        bin: r.text(PROBIN).unwrap_or_default(),
        sql_body: r.text(PROSQLBODY),
        config: literal::text_items(r.bytes(PROCONFIG)),
    }
}
