//! The function registry: which Rust code stands behind a `pg_proc` OID. A scalar function is written once, typed, and
//! the `kernel!` macro derives the vector form (one row is a vector of one). Tables of several crates are merged into one
//! [`Registry`] by the postmaster before it forks; it is read-only afterwards.
//!
//! Functions that need the database (they live in higher crates) reach it through [`CallCtx::env`].

use crate::agg::{Span, Spans};
use crate::column::{Arg, Column, Rows};
use crate::datum::{Datum, DatumRef};
use crate::locale::Collation;
use crate::numeric::DecColumn;
use common::{Oid, Result};
use std::any::Any;
use std::cmp::Ordering;

/// What text conversion depends on: the session's formatting settings.
#[derive(Clone, Debug)]
pub struct FormatSettings {
    pub date_style: DateStyle,
    pub date_order: DateOrder,
    pub interval_style: IntervalStyle,
    pub timezone: jiff::tz::TimeZone,
    /// As shown by SHOW TimeZone.
    pub timezone_name: String,
    pub extra_float_digits: i32,
    pub bytea_escape: bool,
    pub standard_conforming_strings: bool,
    pub array_nulls: bool,
    /// `x = NULL` is read as `x IS NULL`.
    pub transform_null_equals: bool,
}

/// `DateStyle`, first half.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateStyle {
    Iso,
    Sql,
    Postgres,
    German,
}

/// `DateStyle`, second half.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateOrder {
    Mdy,
    Dmy,
    Ymd,
}

/// `IntervalStyle`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IntervalStyle {
    Postgres,
    PostgresVerbose,
    SqlStandard,
    Iso8601,
}

impl Default for FormatSettings {
    fn default() -> Self {
        FormatSettings {
            date_style: DateStyle::Iso,
            date_order: DateOrder::Mdy,
            interval_style: IntervalStyle::Postgres,
            timezone: jiff::tz::TimeZone::UTC,
            timezone_name: "Etc/UTC".into(),
            extra_float_digits: 1,
            bytea_escape: false,
            standard_conforming_strings: true,
            array_nulls: true,
            transform_null_equals: false,
        }
    }
}

/// What a function sees besides its arguments.
pub struct CallCtx<'a> {
    pub fmt: &'a FormatSettings,
    pub registry: &'a Registry,
    /// Collation of the call (input collation).
    pub collation: Collation,
    /// Result type and typmod of the call where the function needs them (polymorphic results), else invalid and -1.
    pub result_type: Oid,
    pub result_typmod: i32,
    /// Declared types of the arguments, for polymorphic functions. May be empty.
    pub arg_types: &'a [Oid],
    /// Was an array passed as VARIADIC to a VARIADIC "any" function? It is then the last argument.
    pub variadic: bool,
    /// The columns a function returning `record` is expected to yield. Empty where nobody said.
    pub columns: &'a [RowColumn],
    /// Start of transaction, of statement: microseconds from 2000-01-01 UTC.
    pub xact_start_us: i64,
    pub stmt_start_us: i64,
    /// The database, for functions of higher crates: they downcast it to what they need. `&()` when there is none.
    pub env: &'a dyn Any,
}

/// A column of a row, as far as functions that build or read rows need it.
#[derive(Clone, Debug, PartialEq)]
pub struct RowColumn {
    pub name: String,
    /// Invalid for a dropped column.
    pub type_oid: Oid,
    pub typmod: i32,
}

/// Tells the columns of a composite type, dropped ones included.
pub type RowShapeFn = fn(ctx: &CallCtx<'_>, type_oid: Oid) -> Result<Vec<RowColumn>>;

/// Where the registry has the [`RowShapeFn`] of the crate that knows the catalog: no function has this OID.
pub const ROW_SHAPE: Oid = Oid(1);

/// The columns of a composite type. 0A000 without a catalog.
pub fn row_shape(ctx: &CallCtx<'_>, type_oid: Oid) -> Result<Vec<RowColumn>> {
    match ctx.registry.get(ROW_SHAPE) {
        Some(FnImpl::RowShape(f)) => f(ctx, type_oid),
        _ => Err(common::Error::unsupported("a composite type without a catalog")),
    }
}

/// A scalar function over vectors: writes `out[i]` for every `i` in `rows` (`out` is cleared by the caller; the kernel
/// resizes it to `rows.bound()`). Strictness is the kernel's business (the macros do it).
pub type ScalarKernel =
    fn(ctx: &CallCtx<'_>, args: &[Arg<'_>], rows: Rows<'_>, out: &mut Column) -> Result<()>;

/// Text input: the literal, the element type for arrays etc. (`typioparam`), the typmod.
pub type InputFn = fn(ctx: &CallCtx<'_>, text: &str, ioparam: Oid, typmod: i32) -> Result<Datum>;
/// Text output, appended.
pub type OutputFn = fn(ctx: &CallCtx<'_>, value: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()>;
/// Binary input.
pub type ReceiveFn = fn(ctx: &CallCtx<'_>, wire: &[u8], ioparam: Oid, typmod: i32) -> Result<Datum>;
/// Binary output, appended.
pub type SendFn = fn(ctx: &CallCtx<'_>, value: DatumRef<'_>, out: &mut Vec<u8>) -> Result<()>;
/// Three-way comparison of two non-null values of one type under a collation (btree support function 1).
pub type CmpFn = fn(collation: Collation, a: DatumRef<'_>, b: DatumRef<'_>) -> Ordering;
/// Hash of a non-null value (equal values hash equally).
pub type HashFn = fn(collation: Collation, v: DatumRef<'_>) -> u64;

/// Rows made by a set-returning function: appends up to `max` rows to `out` (one column per result column) and
/// returns how many; zero is the end.
pub trait RowSource {
    /// Next rows.
    fn next(&mut self, ctx: &CallCtx<'_>, out: &mut [Column], max: usize) -> Result<usize>;
}

/// Starts a set-returning function.
pub type SrfFn = fn(ctx: &CallCtx<'_>, args: &[Datum]) -> Result<Box<dyn RowSource>>;

/// The states of one aggregate for all groups of a node.
pub trait AggState {
    /// Makes room for groups `0..n`; new ones start empty.
    fn resize(&mut self, n: usize);
    /// Feeds rows: `rows` and `groups` run in parallel (`groups[k]` is the group of the k-th row of `rows`). FILTER and
    /// DISTINCT are the caller's; strictness is the state's.
    fn update(&mut self, ctx: &CallCtx<'_>, groups: &[u32], args: &[Arg<'_>], rows: Rows<'_>) -> Result<()>;
    /// [`AggState::update`] with a column of small numbers as the argument; `false` when the state cannot take it (and
    /// nothing was fed).
    fn update_dec(&mut self, _groups: &[u32], _arg: &DecColumn, _rows: Rows<'_>) -> bool {
        false
    }
    /// Result of one group.
    fn finish(&self, ctx: &CallCtx<'_>, group: usize) -> Result<Datum>;
    /// Adds the state of `other`'s group `from` into group `into` (parallel and spilled aggregation).
    fn combine(&mut self, ctx: &CallCtx<'_>, into: usize, other: &dyn AggState, from: usize) -> Result<()>;
    /// Appends the state of a group as bytes: what a partial aggregation hands on.
    fn encode(&self, _group: usize, _out: &mut Vec<u8>) -> Result<()> {
        Err(common::Error::unsupported("this aggregate in a parallel query"))
    }
    /// Adds a state in that form to a group's.
    fn combine_encoded(&mut self, _ctx: &CallCtx<'_>, _group: usize, _state: &[u8]) -> Result<()> {
        Err(common::Error::unsupported("this aggregate in a parallel query"))
    }
    /// Results over window frames, one for each of `frames` (which move forward, rows of the argument columns), with the
    /// state of group 0. `at` is the frame the state holds; `None` starts afresh. `pass` is FILTER's answer by row.
    fn slide(
        &mut self,
        _ctx: &CallCtx<'_>,
        _args: &[Arg<'_>],
        _pass: Option<&[bool]>,
        _frames: &[Span],
        _at: &mut Option<Span>,
        _out: &mut Column,
    ) -> Result<()> {
        Err(common::Error::unsupported("this aggregate as a window function"))
    }
    /// The same over frames with holes, each computed from nothing.
    fn over_spans(
        &mut self,
        _ctx: &CallCtx<'_>,
        _args: &[Arg<'_>],
        _pass: Option<&[bool]>,
        _frames: &[Spans],
        _out: &mut Column,
    ) -> Result<()> {
        Err(common::Error::unsupported("this aggregate as a window function"))
    }
    /// Feeds rows `lo..hi` to group 0, or takes them back (false: this cannot be done exactly; the state is unusable then).
    /// For frames whose rows are not in one column.
    fn span(
        &mut self,
        _ctx: &CallCtx<'_>,
        _args: &[Arg<'_>],
        _pass: Option<&[bool]>,
        _rows: Span,
        _add: bool,
    ) -> Result<bool> {
        Err(common::Error::unsupported("this aggregate as a window function"))
    }
    /// Makes group 0 empty.
    fn restart(&mut self) {}
    /// Makes one group, which becomes group 0, the only one. False: it cannot, nothing was changed.
    fn keep(&mut self, _group: usize) -> bool {
        false
    }
    /// For downcasts in `combine`.
    fn as_any(&self) -> &dyn Any;
    /// Bytes held.
    fn memory(&self) -> usize;
}

/// How an aggregate is started: its argument types (resolved) tell polymorphic ones what to do.
#[derive(Clone, Copy)]
pub struct AggImpl {
    pub make: fn(arg_types: &[Oid], result_type: Oid, collation: Collation) -> Box<dyn AggState>,
}

/// The code behind an OID of `pg_proc`.
#[derive(Clone, Copy)]
pub enum FnImpl {
    Scalar(ScalarKernel),
    Input(InputFn),
    Output(OutputFn),
    Receive(ReceiveFn),
    Send(SendFn),
    /// A btree comparison function; callable as a scalar int4 function too.
    Cmp(CmpFn),
    /// A hash support function.
    Hash(HashFn),
    Srf(SrfFn),
    Agg(AggImpl),
    /// Not a function of SQL: see [`ROW_SHAPE`].
    RowShape(RowShapeFn),
}

/// All functions with code, by OID.
#[derive(Default)]
pub struct Registry {
    by_oid: Vec<Option<FnImpl>>,
}

impl Registry {
    /// Merges tables of (OID, implementation). A later entry replaces an earlier one.
    pub fn build(tables: &[&[(u32, FnImpl)]]) -> Registry {
        let mut by_oid = Vec::new();
        for (oid, imp) in tables.iter().flat_map(|t| t.iter()) {
            let i = *oid as usize;
            if i >= by_oid.len() {
                by_oid.resize(i + 1, None);
            }
            by_oid[i] = Some(*imp);
        }
        Registry { by_oid }
    }
    /// The code behind `oid`, if there is any.
    #[inline]
    pub fn get(&self, oid: Oid) -> Option<FnImpl> {
        self.by_oid.get(oid.0 as usize).copied().flatten()
    }
    /// The scalar kernel behind `oid`; 0A000 where PostgreSQL has the function and this server not yet.
    pub fn scalar(&self, oid: Oid, name: &str) -> Result<ScalarKernel> {
        match self.get(oid) {
            Some(FnImpl::Scalar(k)) => Ok(k),
            _ => Err(common::Error::unsupported(format_args!("function {name}"))),
        }
    }
}
