//! Descriptors: immutable values that say everything the upper layers need about a catalog object. Built once from
//! catalog rows (or from the built-in data), shared by `Rc`, dropped on invalidation.

use crate::stored_tree::StoredTree;
use common::Oid;
use std::cell::OnceCell;
use std::rc::Rc;
use types::{Phys, TupleDesc};

/// A row of `pg_type`, with what is derived from it.
#[derive(Clone, Debug)]
pub struct TypeDesc {
    pub oid: Oid,
    pub name: String,
    pub namespace: Oid,
    pub owner: Oid,
    pub len: i16,
    pub by_val: bool,
    pub align: u8,
    pub storage: u8,
    pub phys: Phys,
    /// `b` base, `c` composite, `d` domain, `e` enum, `p` pseudo, `r` range, `m` multirange.
    pub typtype: u8,
    /// `A` array, `N` numeric, `S` string, `U` user, `X` unknown …
    pub category: u8,
    pub preferred: bool,
    pub is_defined: bool,
    pub delim: u8,
    /// Composite: its relation.
    pub relid: Oid,
    /// Element type of a true array or of a fixed-length subscriptable type; invalid if none.
    pub elem: Oid,
    /// Array type over this one.
    pub array: Oid,
    pub subscript_proc: Oid,
    pub input: Oid,
    pub output: Oid,
    pub receive: Oid,
    pub send: Oid,
    pub modin: Oid,
    pub modout: Oid,
    pub base_type: Oid,
    pub typmod: i32,
    pub not_null: bool,
    pub collation: Oid,
}

/// A row of `pg_proc`.
#[derive(Clone, Debug)]
pub struct ProcDesc {
    pub oid: Oid,
    pub name: String,
    pub namespace: Oid,
    pub owner: Oid,
    pub language: Oid,
    pub cost: f64,
    pub rows: f64,
    /// Element type of a VARIADIC last argument; invalid if none.
    pub variadic: Oid,
    pub support: Oid,
    /// `f` function, `p` procedure, `a` aggregate, `w` window function.
    pub kind: u8,
    pub sec_def: bool,
    pub leakproof: bool,
    pub strict: bool,
    pub retset: bool,
    /// `i`, `s` or `v`.
    pub volatile: u8,
    /// `s`, `r` or `u`.
    pub parallel: u8,
    pub num_defaults: u16,
    pub ret_type: Oid,
    /// Input arguments.
    pub arg_types: Vec<Oid>,
    /// All arguments with modes (`i o b v t`) and names, when there is more to say than `arg_types`.
    pub all_arg_types: Vec<Oid>,
    pub arg_modes: Vec<u8>,
    pub arg_names: Vec<String>,
    /// Stored default expressions (a JSON array of [`Expr`] trees for user functions; SQL text for built-in ones).
    pub arg_defaults: Option<String>,
    pub src: String,
    /// The library of a function in language C.
    pub bin: String,
    /// Body in standard SQL: JSON of a list of `analyze::query::Query`.
    pub sql_body: Option<String>,
    pub config: Vec<String>,
}

/// A row of `pg_aggregate`.
#[derive(Clone, Debug)]
pub struct AggDesc {
    pub fnoid: Oid,
    /// `n`, `o` or `h`.
    pub kind: u8,
    pub num_direct_args: i16,
    pub trans_fn: Oid,
    pub final_fn: Oid,
    /// The final function gets NULLs of the arguments' types after the state.
    pub final_extra: bool,
    pub combine_fn: Oid,
    /// To and from bytes, for states of type `internal`.
    pub serial_fn: Oid,
    pub deserial_fn: Oid,
    /// Operator that makes it replaceable by the first row of an index (`min`, `max`); invalid if none.
    pub sort_op: Oid,
    pub trans_type: Oid,
    /// Bytes of a transition state, 0 = not said.
    pub trans_space: i32,
    pub init_val: Option<String>,
}

/// A row of `pg_operator`.
#[derive(Clone, Debug)]
pub struct OperDesc {
    pub oid: Oid,
    pub name: String,
    pub namespace: Oid,
    pub owner: Oid,
    /// `b` infix, `l` prefix.
    pub kind: u8,
    pub can_merge: bool,
    pub can_hash: bool,
    pub left: Oid,
    pub right: Oid,
    pub result: Oid,
    pub commutator: Oid,
    pub negator: Oid,
    pub code: Oid,
    /// Selectivity estimators (`eqsel`, `eqjoinsel` …) by OID.
    pub rest: Oid,
    pub join: Oid,
}

/// How a cast is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CastMethod {
    Function(Oid),
    Binary,
    InOut,
}

/// A row of `pg_cast`.
#[derive(Clone, Copy, Debug)]
pub struct CastDesc {
    pub source: Oid,
    pub target: Oid,
    /// `e` explicit only, `a` assignment, `i` implicit.
    pub context: u8,
    pub method: CastMethod,
}

/// A member operator of an operator family (`pg_amop`).
#[derive(Clone, Copy, Debug)]
pub struct AmopDesc {
    pub family: Oid,
    pub left: Oid,
    pub right: Oid,
    pub strategy: i16,
    /// `s` search, `o` ordering.
    pub purpose: u8,
    pub opr: Oid,
    pub method: Oid,
    pub sort_family: Oid,
}

/// A support function of an operator family (`pg_amproc`).
#[derive(Clone, Copy, Debug)]
pub struct AmprocDesc {
    pub family: Oid,
    pub left: Oid,
    pub right: Oid,
    pub num: i16,
    pub proc: Oid,
}

/// A row of `pg_opclass`.
#[derive(Clone, Debug)]
pub struct OpclassDesc {
    pub oid: Oid,
    pub method: Oid,
    pub name: String,
    pub namespace: Oid,
    pub family: Oid,
    pub in_type: Oid,
    pub is_default: bool,
    pub key_type: Oid,
}

/// A CHECK constraint of a relation, its expression as stored.
#[derive(Clone, Debug)]
pub struct CheckConstraint {
    pub oid: Oid,
    pub name: String,
    /// JSON of `analyze::expr::Expr`.
    pub bin: StoredTree,
    pub valid: bool,
    pub no_inherit: bool,
}

/// A foreign key seen from either side.
#[derive(Clone, Debug)]
pub struct ForeignKey {
    pub oid: Oid,
    pub name: String,
    /// Referencing table and columns.
    pub conrelid: Oid,
    pub conkey: Vec<i16>,
    /// Referenced table, columns and their unique index.
    pub confrelid: Oid,
    pub confkey: Vec<i16>,
    pub index: Oid,
    /// `a` no action, `r` restrict, `c` cascade, `n` set null, `d` set default.
    pub on_update: u8,
    pub on_delete: u8,
    /// Columns for SET NULL / SET DEFAULT, empty = all.
    pub delete_set_cols: Vec<i16>,
    /// `s` simple, `f` full.
    pub match_type: u8,
    /// PK = FK, PK = PK, FK = FK equality operators per column.
    pub pf_eq: Vec<Oid>,
    pub pp_eq: Vec<Oid>,
    pub ff_eq: Vec<Oid>,
    pub deferrable: bool,
    pub deferred: bool,
    pub validated: bool,
}

/// A row of `pg_index` with what the planner and the access method need.
#[derive(Clone, Debug)]
pub struct IndexDesc {
    pub oid: Oid,
    pub name: String,
    pub table: Oid,
    pub am: Oid,
    /// Table attribute numbers; 0 for an expression. Key columns first, then INCLUDE columns.
    pub keys: Vec<i16>,
    pub num_key_atts: u16,
    pub unique: bool,
    pub nulls_not_distinct: bool,
    pub primary: bool,
    pub exclusion: bool,
    pub immediate: bool,
    pub clustered: bool,
    pub valid: bool,
    pub check_xmin: bool,
    /// With `check_xmin`: snapshots that do not see this transaction cannot use the index.
    pub made_by: common::Xid,
    pub ready: bool,
    pub live: bool,
    pub replident: bool,
    pub opclasses: Vec<Oid>,
    pub opfamilies: Vec<Oid>,
    pub opcintypes: Vec<Oid>,
    pub collations: Vec<Oid>,
    /// PostgreSQL's indoption bits: 1 DESC, 2 NULLS FIRST.
    pub options: Vec<i16>,
    /// JSON of a `Vec<Expr>` for the zero entries of `keys`, in order.
    pub expressions: Option<StoredTree>,
    /// JSON of an `Expr`.
    pub predicate: Option<StoredTree>,
    /// What the access method works with.
    pub rel: Rc<access::IndexRel>,
    /// Constraint that owns the index; invalid if none.
    pub constraint: Oid,
    /// The constraint is INITIALLY DEFERRED.
    pub deferred: bool,
}

/// Default of a column.
#[derive(Clone, Debug)]
pub struct AttrDefault {
    pub attnum: i16,
    /// JSON of an `Expr`.
    pub bin: StoredTree,
}

/// A relation: its `pg_class` row, columns, constraints and indexes.
#[derive(Clone, Debug)]
pub struct Relation {
    pub oid: Oid,
    pub name: String,
    pub namespace: Oid,
    pub owner: Oid,
    /// `r` table, `i` index, `S` sequence, `t` toast, `v` view, `m` matview, `c` composite, `p` partitioned …
    pub kind: u8,
    /// `p` permanent, `u` unlogged, `t` temporary.
    pub persistence: u8,
    pub am: Oid,
    pub row_type: Oid,
    pub of_type: Oid,
    pub tablespace: Oid,
    pub shared: bool,
    pub acl: Option<Rc<[u8]>>,
    pub options: Vec<String>,
    /// As of the last VACUUM/ANALYZE; -1 = never.
    pub reltuples: f32,
    pub relpages: i32,
    pub relallvisible: i32,
    pub has_index: bool,
    pub has_rules: bool,
    /// False for a materialized view without data.
    pub populated: bool,
    pub has_triggers: bool,
    pub has_subclass: bool,
    pub row_security: bool,
    pub force_row_security: bool,
    pub desc: Rc<TupleDesc>,
    pub defaults: Vec<AttrDefault>,
    pub checks: Vec<CheckConstraint>,
    /// Index OIDs in OID order; descriptors by `Catalog::index`.
    pub indexes: Vec<Oid>,
    /// Foreign keys of this table, and of others onto it.
    pub fkeys_out: Vec<Rc<ForeignKey>>,
    pub fkeys_in: Vec<Rc<ForeignKey>>,
    /// View: the stored query (JSON of `analyze::query::Query`).
    pub view_query: Option<StoredTree>,
    /// What the heap works with; `None` for relations without storage.
    pub rel: Option<Rc<access::Rel>>,
    /// Made when first asked for.
    pub column_lists: OnceCell<ColumnLists>,
}

/// The columns of a relation as queries have them, shared by all range table entries.
#[derive(Clone, Debug)]
pub struct ColumnLists {
    /// Empty for a dropped column.
    pub names: Rc<Vec<Rc<str>>>,
    /// Invalid for a dropped column.
    pub types: Rc<Vec<Oid>>,
    pub typmods: Rc<Vec<i32>>,
    pub collations: Rc<Vec<Oid>>,
    /// How many are not dropped.
    pub live: usize,
}

impl ColumnLists {
    /// Those of a row type.
    pub fn of(desc: &TupleDesc) -> ColumnLists {
        let attrs = &desc.attrs;
        let name = |a: &types::Attribute| if a.dropped { "".into() } else { a.name.as_str().into() };
        let type_oid = |a: &types::Attribute| if a.dropped { Oid::INVALID } else { a.type_oid };
        ColumnLists {
            names: Rc::new(attrs.iter().map(name).collect()),
            types: Rc::new(attrs.iter().map(type_oid).collect()),
            typmods: Rc::new(attrs.iter().map(|a| a.typmod).collect()),
            collations: Rc::new(attrs.iter().map(|a| a.collation).collect()),
            live: attrs.iter().filter(|a| !a.dropped).count(),
        }
    }
}

impl Relation {
    /// Its columns as lists.
    pub fn column_lists(&self) -> &ColumnLists {
        self.column_lists.get_or_init(|| ColumnLists::of(&self.desc))
    }
}

/// What ANALYZE found out about a column (`pg_statistic`).
#[derive(Clone, Debug)]
pub struct ColumnStats {
    pub null_frac: f32,
    pub width: i32,
    /// > 0 number of distinct values, < 0 negative fraction of rows.
    pub distinct: f32,
    pub mcv: Vec<(types::Datum, f32)>,
    /// Bounds of equi-depth buckets, sorted by the type's default `<`.
    pub histogram: Vec<types::Datum>,
    pub correlation: Option<f32>,
}

/// The row type of a relation (or, with `array`, the array type over it), as CREATE TABLE makes it.
pub fn row_type_desc(oid: Oid, relname: &str, array: bool, relid: Oid, row: Oid, row_array: Oid) -> TypeDesc {
    TypeDesc {
        oid,
        name: if array { format!("_{relname}") } else { relname.to_string() },
        namespace: crate::builtins::PG_CATALOG,
        owner: crate::builtins::BOOTSTRAP_SUPERUSER,
        len: -1,
        by_val: false,
        align: b'd',
        storage: b'x',
        phys: Phys::Bytes,
        typtype: if array { b'b' } else { b'c' },
        category: if array { b'A' } else { b'C' },
        preferred: false,
        is_defined: true,
        delim: b',',
        relid: if array { Oid::INVALID } else { relid },
        elem: if array { row } else { Oid::INVALID },
        array: if array { Oid::INVALID } else { row_array },
        subscript_proc: if array { Oid(6179) } else { Oid::INVALID },
        input: if array { Oid(750) } else { Oid(2290) },
        output: if array { Oid(751) } else { Oid(2291) },
        receive: if array { Oid(2400) } else { Oid(2402) },
        send: if array { Oid(2401) } else { Oid(2403) },
        modin: Oid::INVALID,
        modout: Oid::INVALID,
        base_type: Oid::INVALID,
        typmod: -1,
        not_null: false,
        collation: Oid::INVALID,
    }
}
