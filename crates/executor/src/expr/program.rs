//! The compiled form of expressions. A [`Program`] owns its registers, so that evaluating a warm one allocates nothing.

use analyze::expr::{BoolTest, RowCompareType, SqlValueFunctionOp, SubLinkType};
use common::Oid;
use std::rc::Rc;
use types::numeric::{DecColumn, DecOp};
use types::registry::{InputFn, OutputFn};
use types::{Arg, Batch, CmpFn, Collation, Column, Datum, HashFn, Phys, ScalarKernel};

/// Where a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Src {
    /// Column of the input batch.
    Col(u16),
    /// Register, one value a row.
    Reg(u16),
    /// Register with one value for all rows, in row 0.
    Konst(u16),
    /// Constant of the program.
    Const(u16),
}

impl Src {
    /// One value for all rows?
    pub fn is_konst(self) -> bool {
        matches!(self, Src::Konst(_) | Src::Const(_))
    }
}

/// What a call needs besides arguments.
#[derive(Clone, Debug)]
pub(crate) struct CallInfo {
    pub collation: Collation,
    pub result_type: Oid,
    pub typmod: i32,
    pub arg_types: Box<[Oid]>,
    /// The last argument was passed as VARIADIC.
    pub variadic: bool,
}

/// A piece of program with the place of its result.
#[derive(Clone)]
pub(crate) struct Block {
    pub steps: Vec<Step>,
    pub src: Src,
}

/// Result column of an ArrayCoerce, hashed set, … : state of a step that is itself a program.
/// A piece of program that leaves its result in a column of small numbers.
#[derive(Clone)]
pub(crate) struct DecBlock {
    pub steps: Vec<Step>,
    pub d: u16,
}

#[derive(Clone)]
pub(crate) struct SubPlanStep {
    pub plan_id: u32,
    pub kind: SubLinkType,
    /// MULTIEXPR: the column that is the value, and where all columns are kept.
    pub column: u16,
    pub rows: Option<usize>,
    pub args: Vec<(Src, u32)>,
    pub test: Option<Block>,
    pub param_ids: Vec<u32>,
    /// ANY through a hash table: probe values, equality kernels and hash functions.
    pub hashed: Option<HashedAny>,
    pub array_elem: Oid,
    /// Its values are arrays, to be stacked.
    pub stacked: bool,
}

#[derive(Clone)]
pub(crate) struct HashedAny {
    pub keys: Vec<HashedKey>,
    /// Index into the program's sets.
    pub set: usize,
    pub unknown_eq_false: bool,
}

#[derive(Clone)]
pub(crate) struct HashedKey {
    pub lhs: Src,
    pub eq: ScalarKernel,
    pub info: CallInfo,
    pub lhs_hash: HashFn,
    pub rhs_hash: HashFn,
}

#[derive(Clone)]
pub(crate) struct Step {
    pub out: u16,
    /// All inputs are constant: evaluated once for the batch.
    pub konst: bool,
    pub op: Op,
}

#[derive(Clone)]
pub(crate) enum Op {
    Call {
        f: ScalarKernel,
        args: Box<[Src]>,
        info: CallInfo,
    },
    /// A btree support function called from SQL.
    Cmp {
        f: CmpFn,
        a: Src,
        b: Src,
        collation: Collation,
    },
    /// A hash support function called from SQL.
    Hash {
        f: HashFn,
        a: Src,
        collation: Collation,
    },
    /// Input or output function called from SQL (cstring side is Bytes).
    OutputCall {
        f: OutputFn,
        a: Src,
    },
    InputCall {
        f: InputFn,
        a: Src,
        ioparam: Oid,
        typmod: i32,
    },
    /// A built-in function of one row.
    OneRow(Box<super::one_row::OneRow>),
    User {
        site: Box<crate::routine::RoutineSite>,
        args: Box<[Src]>,
    },
    ExtParam {
        id: u32,
    },
    ExecParam {
        id: u32,
    },
    And {
        parts: Vec<Block>,
    },
    Or {
        parts: Vec<Block>,
    },
    Not {
        a: Src,
    },
    NullTest {
        a: Src,
        is_null: bool,
    },
    RowNullTest {
        a: Src,
        is_null: bool,
    },
    BoolTest {
        a: Src,
        test: BoolTest,
    },
    /// `eq` is the register with `a = b` for rows where both are not null.
    Distinct {
        a: Src,
        b: Src,
        f: ScalarKernel,
        info: CallInfo,
        negate: bool,
    },
    NullIf {
        a: Src,
        b: Src,
        f: ScalarKernel,
        info: CallInfo,
    },
    Case {
        whens: Vec<(Block, Block)>,
        default: Option<Block>,
    },
    Coalesce {
        parts: Vec<Block>,
    },
    MinMax {
        args: Box<[Src]>,
        cmp: CmpFn,
        collation: Collation,
        greatest: bool,
    },
    ScalarArray {
        f: ScalarKernel,
        lhs: Src,
        array: Src,
        elem: Oid,
        use_or: bool,
        info: CallInfo,
    },
    ArrayIn {
        lhs: Src,
        set: Rc<crate::expr::arrays::InSet>,
        negate: bool,
    },
    ViaIo {
        a: Src,
        out_f: OutputFn,
        in_f: InputFn,
        ioparam: Oid,
    },
    ArrayCoerce {
        a: Src,
        sub: usize,
        from_elem: Oid,
        to_elem: Oid,
    },
    Array {
        elem: Oid,
        elements: Box<[Src]>,
        multidims: bool,
    },
    Subscript {
        a: Src,
        upper: Vec<Option<Src>>,
        lower: Option<Vec<Option<Src>>>,
        elem: Oid,
        /// The container is a `name`: 64 characters, counted from 0.
        name: bool,
        assign: Option<Src>,
    },
    /// A part of a fixed-width geometric value: a coordinate or a point, counted from 0.
    PartSubscript {
        a: Src,
        index: Src,
    },
    /// `jsonb[…][…]`, read or assigned; the subscripts are text or integers.
    JsonbSubscript {
        a: Src,
        path: Vec<Src>,
        assign: Option<Src>,
    },
    Row(Box<RowStep>),
    FieldStore(Box<FieldStoreStep>),
    RowCompare {
        cmp: RowCompareType,
        parts: Vec<(Block, Block, RowCmp)>,
    },
    FieldSelect {
        a: Src,
        field: u16,
    },
    SqlValue {
        op: SqlValueFunctionOp,
        f: Option<ScalarKernel>,
        typmod: i32,
    },
    NextValue {
        seq: Oid,
        phys: Phys,
    },
    SubPlan(Box<SubPlanStep>),
    /// Another column of a multi-column sub-select that an earlier step has run.
    MultiColumn {
        rows: usize,
        column: u16,
    },
    /// Tests the constraints of a domain (by its place in the state) and hands the value on.
    Domain {
        a: Src,
        check: usize,
    },
    /// Loads numerics or integers as a column of small numbers (by its place in the state).
    DecLoad {
        a: Src,
        d: u16,
    },
    DecCalc {
        op: DecOp,
        a: u16,
        b: u16,
        d: u16,
    },
    DecCase {
        whens: Vec<(Block, DecBlock)>,
        default: Option<DecBlock>,
        d: u16,
    },
    /// The numerics again; computed by `general` if the numbers were not small.
    DecOut {
        d: u16,
        general: Block,
    },
    /// A binary-coercible cast between types of different physical kind (oid and int4).
    Rephys {
        a: Src,
    },
}

/// ROW(…), or the whole row of a relation.
#[derive(Clone)]
pub(crate) struct RowStep {
    pub args: Box<[Src]>,
    /// Types the fields carry; invalid for dropped columns.
    pub types: Box<[Oid]>,
    pub row_type: Oid,
    pub names: Vec<String>,
}

/// A composite value with some fields replaced.
#[derive(Clone)]
pub(crate) struct FieldStoreStep {
    pub a: Src,
    /// Field number (from 1) and its new value.
    pub fields: Vec<(u16, Src)>,
    pub types: Box<[Oid]>,
    pub row_type: Oid,
}

/// Three-way comparison of a column pair and its collation.
#[derive(Clone, Copy)]
pub(crate) struct RowCmp(pub CmpFn, pub Collation);

/// Registers and scratch of a program.
#[derive(Default)]
pub(crate) struct State {
    pub regs: Vec<Column>,
    pub consts: Vec<Column>,
    /// Selection vectors not in use.
    pub sels: Vec<Vec<u16>>,
    pub subs: Vec<Option<Program>>,
    pub domains: Vec<Option<Box<crate::expr::domain::DomainCheck>>>,
    pub sets: Vec<Option<crate::expr::subplan::HashedSet>>,
    pub decs: Vec<DecColumn>,
    /// Rows of multi-column sub-selects, by the row they were run for.
    pub multi: Vec<Vec<Vec<Datum>>>,
}

impl State {
    /// The column behind a source.
    #[inline]
    pub fn arg<'a>(&'a self, src: Src, input: &'a Batch) -> Arg<'a> {
        match src {
            Src::Col(i) => Arg { col: &input.cols[i as usize], konst: false },
            Src::Reg(i) => Arg { col: &self.regs[i as usize], konst: false },
            Src::Konst(i) => Arg { col: &self.regs[i as usize], konst: true },
            Src::Const(i) => Arg { col: &self.consts[i as usize], konst: true },
        }
    }
    pub fn take_sel(&mut self) -> Vec<u16> {
        let mut v = self.sels.pop().unwrap_or_default();
        v.clear();
        v
    }
    pub fn give_sel(&mut self, v: Vec<u16>) {
        self.sels.push(v);
    }
}

/// Compiled expressions: evaluate with [`Program::run`], then read the results with [`Program::result`].
pub struct Program {
    pub(crate) steps: Vec<Step>,
    pub(crate) st: State,
    /// Where the value of each expression is.
    pub outs: Vec<Src>,
    /// Where the steps leave it, when rows are evaluated one by one.
    pub(crate) inner_outs: Vec<Src>,
    pub phys: Vec<Phys>,
    /// More than one volatile call: rows must be evaluated one after the other.
    pub row_by_row: bool,
    pub(crate) volatile_calls: u32,
    /// Expressions whose values may be left as small numbers: where, and how they are computed otherwise.
    pub(crate) decs: Vec<Option<(u16, Block)>>,
    /// Input columns read.
    pub uses: Vec<u16>,
}

impl Program {
    /// Value of expression `k` after [`Program::run`] on `input`.
    #[inline]
    pub fn result<'a>(&'a self, k: usize, input: &'a Batch) -> Arg<'a> {
        self.st.arg(self.outs[k], input)
    }
    /// Value of expression `k`, compiled as small numbers, if the last batch's were.
    pub fn small(&self, k: usize) -> Option<&DecColumn> {
        let (d, _) = self.decs.get(k)?.as_ref()?;
        Some(&self.st.decs[usize::from(*d)]).filter(|d| d.ok)
    }
    /// Nothing to compute: all results are input columns or constants.
    pub fn is_trivial(&self) -> bool {
        self.steps.is_empty()
    }
    /// Does it call volatile functions?
    pub fn is_volatile(&self) -> bool {
        self.volatile_calls > 0
    }
    /// The input column that expression `k` is.
    pub fn column(&self, k: usize) -> Option<usize> {
        match self.outs[k] {
            Src::Col(c) => Some(usize::from(c)),
            _ => None,
        }
    }
    /// The value of expression `k` if it is a constant.
    pub fn constant(&self, k: usize) -> Option<Datum> {
        match self.outs[k] {
            Src::Const(i) => Some(self.st.consts[i as usize].get(0).to_owned()),
            _ => None,
        }
    }
}
