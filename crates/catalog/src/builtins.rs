//! Built-in types, functions, operators, casts and operator classes: read once from the bootstrap data by the
//! postmaster before it forks, then shared read-only by all processes. The same data fills the catalogs at `initdb`, so
//! that a look-up of a built-in object by OID or by name never touches a page.

use crate::columns::*;
use crate::data;
use crate::desc::*;
use crate::literal;
use crate::schema::Schema;
use common::Oid;
use foldhash::HashMap;
use types::{Datum, oids};

/// OID of the schema `pg_catalog`.
pub const PG_CATALOG: Oid = Oid(11);
/// OID of the schema `pg_toast`.
pub const PG_TOAST: Oid = Oid(99);
/// OID of the schema `public`.
pub const PG_PUBLIC: Oid = Oid(2200);
/// OIDs of functions of extensions: they are compiled in, but dropped and made like a user's.
pub const EXTENSION_FUNCTIONS: std::ops::Range<u32> = 9000..9500;

/// OIDs from here up to 16383 are those of what `initdb` makes by itself: views, `information_schema`, collations. The server
/// works without.
pub const FIRST_UNPINNED: Oid = Oid(12_000);

/// OID of the schema `information_schema`, the one PostgreSQL's initdb gives it: the data of its functions has it.
pub const INFORMATION_SCHEMA: Oid = Oid(13_207);

/// Is an object with this OID part of the system, so that nothing needs to be noted about who depends on it?
pub fn is_pinned(oid: Oid) -> bool {
    oid < FIRST_UNPINNED && !EXTENSION_FUNCTIONS.contains(&oid.0)
}
/// OID of the btree access method.
pub const BTREE_AM: Oid = Oid(403);
/// OID of the hash access method.
pub const HASH_AM: Oid = Oid(405);
/// OID of the heap access method.
pub const HEAP_AM: Oid = Oid(2);
/// OID of the role made by `initdb`.
pub const BOOTSTRAP_SUPERUSER: Oid = Oid(10);
/// Default tablespace.
pub const DEFAULT_TABLESPACE: Oid = Oid(1663);
/// Tablespace of the shared catalogs.
pub const GLOBAL_TABLESPACE: Oid = Oid(1664);
/// The languages.
pub const LANGUAGE_INTERNAL: Oid = Oid(12);
pub const LANGUAGE_C: Oid = Oid(13);
pub const LANGUAGE_SQL: Oid = Oid(14);

/// Objects by OID. Those of the system are dense enough for a plain table.
struct ByOid<T: 'static>(Vec<Option<&'static T>>);

impl<T> ByOid<T> {
    fn new() -> ByOid<T> {
        ByOid(vec![None; Oid::FIRST_NORMAL.0 as usize])
    }
    fn insert(&mut self, oid: Oid, v: &'static T) {
        if let Some(slot) = self.0.get_mut(oid.0 as usize) {
            *slot = Some(v);
        }
    }
    #[inline]
    fn get(&self, oid: Oid) -> Option<&'static T> {
        self.0.get(oid.0 as usize).copied().flatten()
    }
}

/// Everything built in.
pub struct Builtins {
    pub schema: Schema,
    types: ByOid<TypeDesc>,
    type_names: HashMap<&'static str, Oid>,
    procs: ByOid<ProcDesc>,
    proc_names: HashMap<&'static str, Vec<&'static ProcDesc>>,
    /// The lowest OID with a certain code.
    proc_srcs: HashMap<&'static str, Oid>,
    aggs: HashMap<Oid, &'static AggDesc>,
    opers: ByOid<OperDesc>,
    oper_names: HashMap<&'static str, Vec<&'static OperDesc>>,
    casts: HashMap<(Oid, Oid), CastDesc>,
    opclasses: HashMap<Oid, &'static OpclassDesc>,
    /// By access method and input type.
    default_opclasses: HashMap<(Oid, Oid), &'static OpclassDesc>,
    amops: Vec<AmopDesc>,
    amops_by_opr: HashMap<Oid, Vec<usize>>,
    amops_by_key: HashMap<(Oid, Oid, Oid, i16), Oid>,
    amprocs: HashMap<(Oid, Oid, Oid, i16), Oid>,
    opfamily_names: HashMap<Oid, &'static str>,
    /// (range subtype, range type, multirange type).
    pub ranges: Vec<(Oid, Oid, Oid)>,
}

/// A row of the bootstrap data.
struct Row(Vec<&'static str>);

impl Row {
    fn oid(&self, c: usize) -> Oid {
        Oid(self.0.get(c).and_then(|s| s.parse().ok()).unwrap_or(0))
    }
    fn int<T: std::str::FromStr + Default>(&self, c: usize) -> T {
        self.0.get(c).and_then(|s| s.parse().ok()).unwrap_or_default()
    }
    fn flag(&self, c: usize) -> bool {
        self.0.get(c) == Some(&"t")
    }
    fn letter(&self, c: usize) -> u8 {
        self.0.get(c).and_then(|s| s.bytes().next()).unwrap_or(0)
    }
    fn text(&self, c: usize) -> Option<String> {
        data::unescape(self.0.get(c)?)
    }
    fn string(&self, c: usize) -> String {
        self.text(c).unwrap_or_default()
    }
    fn array(&self, c: usize, array_type: Oid) -> Vec<Datum> {
        match self.text(c).map(|t| literal::parse(array_type, &t)) {
            Some(Ok(Datum::Bytes(b))) => literal::array_items(&b),
            _ => Vec::new(),
        }
    }
    fn oids(&self, c: usize, array_type: Oid) -> Vec<Oid> {
        self.array(c, array_type).iter().map(|d| d.as_ref().oid()).collect()
    }
    fn texts(&self, c: usize) -> Vec<String> {
        self.array(c, oids::TEXT_ARRAY).iter().map(|d| d.as_ref().str().to_string()).collect()
    }
}

fn contents(table: Oid) -> impl Iterator<Item = Row> {
    let file = data::CONTENTS.iter().find(|(t, _)| *t == table).map_or("", |(_, f)| f);
    data::rows(file).map(Row)
}

fn leak<T>(v: T) -> &'static T {
    Box::leak(Box::new(v))
}

impl Builtins {
    /// Reads the bootstrap data. Called once a process tree; the result lives for ever.
    pub fn load() -> &'static Builtins {
        let types: HashMap<Oid, &'static TypeDesc> =
            contents(pg_type::TABLE).map(|r| (r.oid(pg_type::OID), leak(type_desc(&r)))).collect();
        // A column may be an array of another catalog's rows.
        let arrays: HashMap<Oid, &'static TypeDesc> = data::rows(data::ROWTYPES)
            .map(|f| {
                let oid = |i: usize| Oid(f[i].parse().unwrap_or(0));
                (oid(2), leak(crate::desc::row_type_desc(oid(2), f[1], true, oid(3), oid(0), oid(2))))
            })
            .collect();
        let schema = Schema::load(|t| types.get(&t).or_else(|| arrays.get(&t)).copied());
        let mut b = Builtins {
            schema,
            type_names: types.values().map(|t| (t.name.as_str(), t.oid)).collect(),
            types: ByOid::new(),
            procs: ByOid::new(),
            proc_names: HashMap::default(),
            proc_srcs: HashMap::default(),
            aggs: HashMap::default(),
            opers: ByOid::new(),
            oper_names: HashMap::default(),
            casts: HashMap::default(),
            opclasses: HashMap::default(),
            default_opclasses: HashMap::default(),
            amops: Vec::new(),
            amops_by_opr: HashMap::default(),
            amops_by_key: HashMap::default(),
            amprocs: HashMap::default(),
            opfamily_names: HashMap::default(),
            ranges: Vec::new(),
        };
        types.iter().for_each(|(oid, t)| b.types.insert(*oid, t));
        b.load_row_types();
        b.load_procs();
        b.load_operators();
        b.load_families();
        leak(b)
    }

    fn load_row_types(&mut self) {
        for t in &self.schema.tables {
            for (oid, array) in [(t.row_type, false), (t.row_array_type, true)] {
                let d = leak(crate::desc::row_type_desc(
                    oid,
                    &t.name,
                    array,
                    t.oid,
                    t.row_type,
                    t.row_array_type,
                ));
                self.type_names.insert(&d.name, oid);
                self.types.insert(oid, d);
            }
        }
    }

    fn load_procs(&mut self) {
        for r in contents(pg_proc::TABLE) {
            let p = leak(proc_desc(&r));
            self.procs.insert(p.oid, p);
            self.proc_names.entry(&p.name).or_default().push(p);
            if p.language == LANGUAGE_INTERNAL {
                let first = self.proc_srcs.entry(&p.src).or_insert(p.oid);
                *first = p.oid.min(*first);
            }
        }
        for r in contents(pg_aggregate::TABLE) {
            let a = leak(AggDesc {
                fnoid: r.oid(pg_aggregate::AGGFNOID),
                kind: r.letter(pg_aggregate::AGGKIND),
                num_direct_args: r.int(pg_aggregate::AGGNUMDIRECTARGS),
                trans_fn: r.oid(pg_aggregate::AGGTRANSFN),
                final_fn: r.oid(pg_aggregate::AGGFINALFN),
                final_extra: r.flag(pg_aggregate::AGGFINALEXTRA),
                combine_fn: r.oid(pg_aggregate::AGGCOMBINEFN),
                serial_fn: r.oid(pg_aggregate::AGGSERIALFN),
                deserial_fn: r.oid(pg_aggregate::AGGDESERIALFN),
                sort_op: r.oid(pg_aggregate::AGGSORTOP),
                trans_type: r.oid(pg_aggregate::AGGTRANSTYPE),
                trans_space: r.int(pg_aggregate::AGGTRANSSPACE),
                init_val: r.text(pg_aggregate::AGGINITVAL),
            });
            self.aggs.insert(a.fnoid, a);
        }
    }

    fn load_operators(&mut self) {
        for r in contents(pg_operator::TABLE) {
            let o = leak(OperDesc {
                oid: r.oid(pg_operator::OID),
                name: r.string(pg_operator::OPRNAME),
                namespace: r.oid(pg_operator::OPRNAMESPACE),
                owner: r.oid(pg_operator::OPROWNER),
                kind: r.letter(pg_operator::OPRKIND),
                can_merge: r.flag(pg_operator::OPRCANMERGE),
                can_hash: r.flag(pg_operator::OPRCANHASH),
                left: r.oid(pg_operator::OPRLEFT),
                right: r.oid(pg_operator::OPRRIGHT),
                result: r.oid(pg_operator::OPRRESULT),
                commutator: r.oid(pg_operator::OPRCOM),
                negator: r.oid(pg_operator::OPRNEGATE),
                code: r.oid(pg_operator::OPRCODE),
                rest: r.oid(pg_operator::OPRREST),
                join: r.oid(pg_operator::OPRJOIN),
            });
            self.opers.insert(o.oid, o);
            self.oper_names.entry(&o.name).or_default().push(o);
        }
        for r in contents(pg_cast::TABLE) {
            let (source, target) = (r.oid(pg_cast::CASTSOURCE), r.oid(pg_cast::CASTTARGET));
            let method = match r.letter(pg_cast::CASTMETHOD) {
                b'b' => CastMethod::Binary,
                b'i' => CastMethod::InOut,
                _ => CastMethod::Function(r.oid(pg_cast::CASTFUNC)),
            };
            let c = CastDesc { source, target, context: r.letter(pg_cast::CASTCONTEXT), method };
            self.casts.insert((source, target), c);
        }
    }

    fn load_families(&mut self) {
        for r in contents(pg_opclass::TABLE) {
            let c = leak(OpclassDesc {
                oid: r.oid(pg_opclass::OID),
                method: r.oid(pg_opclass::OPCMETHOD),
                name: r.string(pg_opclass::OPCNAME),
                namespace: r.oid(pg_opclass::OPCNAMESPACE),
                family: r.oid(pg_opclass::OPCFAMILY),
                in_type: r.oid(pg_opclass::OPCINTYPE),
                is_default: r.flag(pg_opclass::OPCDEFAULT),
                key_type: r.oid(pg_opclass::OPCKEYTYPE),
            });
            self.opclasses.insert(c.oid, c);
            if c.is_default {
                self.default_opclasses.insert((c.method, c.in_type), c);
            }
        }
        for r in contents(pg_amop::TABLE) {
            let a = AmopDesc {
                family: r.oid(pg_amop::AMOPFAMILY),
                left: r.oid(pg_amop::AMOPLEFTTYPE),
                right: r.oid(pg_amop::AMOPRIGHTTYPE),
                strategy: r.int(pg_amop::AMOPSTRATEGY),
                purpose: r.letter(pg_amop::AMOPPURPOSE),
                opr: r.oid(pg_amop::AMOPOPR),
                method: r.oid(pg_amop::AMOPMETHOD),
                sort_family: r.oid(pg_amop::AMOPSORTFAMILY),
            };
            self.amops_by_opr.entry(a.opr).or_default().push(self.amops.len());
            self.amops_by_key.insert((a.family, a.left, a.right, a.strategy), a.opr);
            self.amops.push(a);
        }
        for r in contents(pg_amproc::TABLE) {
            let key = (
                r.oid(pg_amproc::AMPROCFAMILY),
                r.oid(pg_amproc::AMPROCLEFTTYPE),
                r.oid(pg_amproc::AMPROCRIGHTTYPE),
                r.int(pg_amproc::AMPROCNUM),
            );
            self.amprocs.insert(key, r.oid(pg_amproc::AMPROC));
        }
        for r in contents(pg_opfamily::TABLE) {
            let name: &'static str = leak(r.string(pg_opfamily::OPFNAME));
            self.opfamily_names.insert(r.oid(pg_opfamily::OID), name);
        }
        for r in contents(pg_range::TABLE) {
            let range =
                (r.oid(pg_range::RNGSUBTYPE), r.oid(pg_range::RNGTYPID), r.oid(pg_range::RNGMULTITYPID));
            self.ranges.push(range);
        }
    }

    /// A type.
    pub fn type_desc(&self, oid: Oid) -> Option<&'static TypeDesc> {
        self.types.get(oid)
    }
    /// A type of `pg_catalog` by name.
    pub fn type_oid(&self, name: &str) -> Option<Oid> {
        self.type_names.get(name).copied()
    }
    /// A function.
    pub fn proc_desc(&self, oid: Oid) -> Option<&'static ProcDesc> {
        self.procs.get(oid)
    }
    /// The function whose code has this name (`prosrc`).
    pub fn proc_by_src(&self, src: &str) -> Option<Oid> {
        self.proc_srcs.get(src).copied()
    }
    /// Functions by name.
    pub fn procs_named(&self, name: &str) -> &[&'static ProcDesc] {
        self.proc_names.get(name).map_or(&[], Vec::as_slice)
    }
    /// The aggregate behind a function.
    pub fn aggregate(&self, fnoid: Oid) -> Option<&'static AggDesc> {
        self.aggs.get(&fnoid).copied()
    }
    /// An operator.
    pub fn operator(&self, oid: Oid) -> Option<&'static OperDesc> {
        self.opers.get(oid)
    }
    /// Operators by name.
    pub fn operators_named(&self, name: &str) -> &[&'static OperDesc] {
        self.oper_names.get(name).map_or(&[], Vec::as_slice)
    }
    /// A cast.
    pub fn cast(&self, source: Oid, target: Oid) -> Option<CastDesc> {
        self.casts.get(&(source, target)).copied()
    }
    /// An operator class.
    pub fn opclass(&self, oid: Oid) -> Option<&'static OpclassDesc> {
        self.opclasses.get(&oid).copied()
    }
    /// All operator classes.
    pub fn opclasses(&self) -> impl Iterator<Item = &'static OpclassDesc> + '_ {
        self.opclasses.values().copied()
    }
    /// The default operator class of an access method for exactly this type.
    pub fn default_opclass(&self, am: Oid, in_type: Oid) -> Option<&'static OpclassDesc> {
        self.default_opclasses.get(&(am, in_type)).copied()
    }
    /// Families in which an operator is a member.
    pub fn amops_of(&self, opr: Oid) -> Vec<AmopDesc> {
        self.amops_by_opr.get(&opr).map_or_else(Vec::new, |v| v.iter().map(|&i| self.amops[i]).collect())
    }
    /// The member operator of a family.
    pub fn amop(&self, family: Oid, left: Oid, right: Oid, strategy: i16) -> Option<Oid> {
        self.amops_by_key.get(&(family, left, right, strategy)).copied()
    }
    /// The support function of a family.
    pub fn amproc(&self, family: Oid, left: Oid, right: Oid, num: i16) -> Option<Oid> {
        self.amprocs.get(&(family, left, right, num)).copied()
    }
    /// Name of an operator family.
    pub fn opfamily_name(&self, oid: Oid) -> Option<&'static str> {
        self.opfamily_names.get(&oid).copied()
    }
}

fn type_desc(r: &Row) -> TypeDesc {
    use pg_type::*;
    let (oid, len, by_val, typtype) = (r.oid(OID), r.int(TYPLEN), r.flag(TYPBYVAL), r.letter(TYPTYPE));
    TypeDesc {
        oid,
        name: r.string(TYPNAME),
        namespace: r.oid(TYPNAMESPACE),
        owner: r.oid(TYPOWNER),
        len,
        by_val,
        align: r.letter(TYPALIGN),
        storage: r.letter(TYPSTORAGE),
        phys: literal::phys_of(oid, len, by_val, typtype),
        typtype,
        category: r.letter(TYPCATEGORY),
        preferred: r.flag(TYPISPREFERRED),
        is_defined: r.flag(TYPISDEFINED),
        delim: r.letter(TYPDELIM),
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
        typmod: r.int(TYPTYPMOD),
        not_null: r.flag(TYPNOTNULL),
        collation: r.oid(TYPCOLLATION),
    }
}

fn proc_desc(r: &Row) -> ProcDesc {
    use pg_proc::*;
    ProcDesc {
        oid: r.oid(OID),
        name: r.string(PRONAME),
        namespace: r.oid(PRONAMESPACE),
        owner: r.oid(PROOWNER),
        language: r.oid(PROLANG),
        cost: r.int(PROCOST),
        rows: r.int(PROROWS),
        variadic: r.oid(PROVARIADIC),
        support: r.oid(PROSUPPORT),
        kind: r.letter(PROKIND),
        sec_def: r.flag(PROSECDEF),
        leakproof: r.flag(PROLEAKPROOF),
        strict: r.flag(PROISSTRICT),
        retset: r.flag(PRORETSET),
        volatile: r.letter(PROVOLATILE),
        parallel: r.letter(PROPARALLEL),
        num_defaults: r.int(PRONARGDEFAULTS),
        ret_type: r.oid(PRORETTYPE),
        arg_types: r.oids(PROARGTYPES, oids::OIDVECTOR),
        all_arg_types: r.oids(PROALLARGTYPES, oids::OID_ARRAY),
        arg_modes: r.array(PROARGMODES, oids::CHAR_ARRAY).iter().map(|d| d.as_ref().i8() as u8).collect(),
        arg_names: r.texts(PROARGNAMES),
        arg_defaults: r.text(PROARGDEFAULTS),
        src: r.string(PROSRC),
        bin: String::new(),
        sql_body: None,
        config: r.texts(PROCONFIG),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_read() {
        let b = Builtins::load();
        let int4 = b.type_desc(oids::INT4).unwrap();
        assert_eq!((int4.name.as_str(), int4.len, int4.category), ("int4", 4, b'N'));
        let p = b.procs_named("int4pl");
        assert_eq!((p.len(), p[0].oid, p[0].strict), (1, Oid(177), true));
        assert_eq!(p[0].arg_types, vec![oids::INT4, oids::INT4]);
        assert_eq!(b.operators_named("=").len(), 63);
        assert_eq!(b.amproc(Oid(1976), oids::INT4, oids::INT4, 1), Some(Oid(351)));
        assert_eq!(b.cast(oids::INT4, oids::INT8).unwrap().context, b'i');
        let class = b.schema.table(pg_class::TABLE).unwrap();
        assert_eq!(class.desc.attrs[pg_class::RELNAME].name, "relname");
        assert!(class.indexes.contains(&pg_class::OID_INDEX));
        assert_eq!(b.type_oid("pg_class"), Some(Oid(83)));
    }
}
