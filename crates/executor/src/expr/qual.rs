//! Filters. A qual narrows a selection conjunct by conjunct; comparisons of a column with a constant, a parameter or
//! another column of the usual types run as plain loops without a boolean column in between.

use crate::env::ExecEnv;
use crate::expr::colops;
use crate::expr::compile::{Scope, compile_one};
use crate::expr::control::truth;
use crate::expr::program::Program;
use crate::expr::quick::Quick;
use crate::run::Exec;
use analyze::expr::{Expr, OpExpr};
use common::{Oid, Result};
use std::cmp::Ordering;
use std::rc::Rc;
use types::{Batch, Collation, Column, ColumnData, DatumRef, Rows};

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cmp {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

impl Cmp {
    /// With the operands exchanged.
    pub(super) fn flip(self) -> Cmp {
        match self {
            Cmp::Lt => Cmp::Gt,
            Cmp::Le => Cmp::Ge,
            Cmp::Gt => Cmp::Lt,
            Cmp::Ge => Cmp::Le,
            c => c,
        }
    }
    /// Is it true for operands in this order?
    #[inline(always)]
    pub(super) fn holds(self, o: Ordering) -> bool {
        match self {
            Cmp::Eq => o == Ordering::Equal,
            Cmp::Ne => o != Ordering::Equal,
            Cmp::Lt => o == Ordering::Less,
            Cmp::Le => o != Ordering::Greater,
            Cmp::Gt => o == Ordering::Greater,
            Cmp::Ge => o != Ordering::Less,
        }
    }
}

/// Comparison functions whose meaning is the order of the machine values.
fn fast_cmp(funcid: Oid, collation: Collation) -> Option<Cmp> {
    use Cmp::*;
    Some(match funcid.0 {
        // int2, int4, int8, crosswise, oid, date, timestamp, timestamptz: eq ne lt le gt ge
        63 | 65 | 467 | 474 | 852 | 158 | 159 | 1850 | 1856 | 184 | 1086 | 2052 | 1152 => Eq,
        145 | 144 | 468 | 475 | 853 | 164 | 165 | 1851 | 1857 | 185 | 1091 | 2053 | 1153 => Ne,
        64 | 66 | 469 | 476 | 854 | 160 | 161 | 1852 | 1858 | 716 | 1087 | 2054 | 1154 => Lt,
        148 | 149 | 471 | 478 | 856 | 166 | 167 | 1854 | 1860 | 717 | 1088 | 2055 | 1155 => Le,
        146 | 147 | 470 | 477 | 855 | 162 | 163 | 1853 | 1859 | 1638 | 1089 | 2057 | 1157 => Gt,
        151 | 150 | 472 | 479 | 857 | 168 | 169 | 1855 | 1861 | 1639 | 1090 | 2056 | 1156 => Ge,
        // Without a collation the function says so.
        67 | 62 | 157 | 659 | 740..=743 if !collation.oid.is_valid() => return None,
        67 | 62 if collation.is_deterministic() => Eq,
        157 | 659 if collation.is_deterministic() => Ne,
        740 if collation.by_bytes() => Lt,
        741 if collation.by_bytes() => Le,
        742 if collation.by_bytes() => Gt,
        743 if collation.by_bytes() => Ge,
        _ => return None,
    })
}

enum Rhs {
    /// Evaluated once a batch.
    Value(Box<Program>),
    Col(usize),
}

enum Conjunct {
    Fast { col: usize, cmp: Cmp, rhs: Rhs },
    NotNull { col: usize },
    Quick(Box<Quick>),
    General(Box<Program>),
}

/// A filter: implicitly ANDed conditions.
pub struct Qual {
    conjuncts: Vec<Conjunct>,
    spare: Vec<u16>,
}

impl Qual {
    /// Compiles; `None` if there is nothing to test.
    pub fn compile(env: &Rc<ExecEnv>, quals: &[Expr], scope: &dyn Scope) -> Result<Option<Qual>> {
        if quals.is_empty() {
            return Ok(None);
        }
        let conjuncts = quals.iter().map(|q| conjunct(env, q, scope)).collect::<Result<_>>()?;
        Ok(Some(Qual { conjuncts, spare: Vec::new() }))
    }

    /// Does it call volatile functions?
    pub fn is_volatile(&self) -> bool {
        self.conjuncts.iter().any(|c| matches!(c, Conjunct::General(p) if p.volatile_calls > 0))
    }

    /// Leaves only the rows of `b` that pass. Returns how many are left.
    pub fn filter(&mut self, cx: &Exec, b: &mut Batch) -> Result<usize> {
        let mut left = b.live_count();
        for c in &mut self.conjuncts {
            if left == 0 {
                break;
            }
            let mut sel = std::mem::take(&mut self.spare);
            sel.clear();
            let r = c.select(cx, b, &mut sel);
            left = sel.len();
            if left < b.rows {
                self.spare = b.sel.replace(sel).unwrap_or_default();
            } else {
                self.spare = sel;
            }
            r?;
        }
        Ok(left)
    }
}

fn conjunct(env: &Rc<ExecEnv>, q: &Expr, scope: &dyn Scope) -> Result<Conjunct> {
    if scope.special(q).is_none() {
        if let Some(c) = Quick::compile(env, q, scope)? {
            return Ok(Conjunct::Quick(Box::new(c)));
        }
        match q {
            Expr::Op(o) if o.args.len() == 2 => {
                if let Some(f) = fast(env, o, scope)? {
                    return Ok(f);
                }
            }
            Expr::NullTest { arg, is_null: false, arg_is_row: false, .. } => {
                if let Some(col) = column(arg, scope) {
                    return Ok(Conjunct::NotNull { col });
                }
            }
            _ => {}
        }
    }
    Ok(Conjunct::General(Box::new(compile_one(env, q, scope)?)))
}

/// A plain column, relabelled or not.
pub(super) fn column(e: &Expr, scope: &dyn Scope) -> Option<usize> {
    match e {
        Expr::Relabel { arg, .. } => column(arg, scope),
        Expr::Var(v) => scope.special(e).or_else(|| scope.var(v)),
        _ => scope.special(e),
    }
}

fn fast(env: &Rc<ExecEnv>, o: &OpExpr, scope: &dyn Scope) -> Result<Option<Conjunct>> {
    let Some(cmp) = fast_cmp(o.funcid, env.collation(o.input_collation)?) else { return Ok(None) };
    let (l, r) = (column(&o.args[0], scope), column(&o.args[1], scope));
    let (col, cmp, other) = match (l, r) {
        (Some(a), Some(b)) => return Ok(Some(Conjunct::Fast { col: a, cmp, rhs: Rhs::Col(b) })),
        (Some(a), None) => (a, cmp, &o.args[1]),
        (None, Some(b)) => (b, cmp.flip(), &o.args[0]),
        (None, None) => return Ok(None),
    };
    let p = compile_one(env, other, scope)?;
    if !p.outs[0].is_konst() || p.volatile_calls > 0 {
        return Ok(None);
    }
    Ok(Some(Conjunct::Fast { col, cmp, rhs: Rhs::Value(Box::new(p)) }))
}

impl Conjunct {
    fn select(&mut self, cx: &Exec, b: &Batch, sel: &mut Vec<u16>) -> Result<()> {
        match self {
            Conjunct::General(p) => {
                p.run(cx, b, b.live())?;
                let a = p.result(0, b);
                b.live().each(|i| {
                    if truth(&a, i) == Some(true) {
                        sel.push(i as u16);
                    }
                    Ok(())
                })
            }
            Conjunct::Quick(q) => {
                q.select(b, sel);
                Ok(())
            }
            Conjunct::NotNull { col } => {
                let nulls = &b.cols[*col].nulls;
                b.live().each(|i| {
                    if !nulls.get(i) {
                        sel.push(i as u16);
                    }
                    Ok(())
                })
            }
            Conjunct::Fast { col, cmp, rhs } => match rhs {
                Rhs::Value(p) => {
                    p.run(cx, b, b.live())?;
                    select_const(&b.cols[*col], *cmp, p.result(0, b).get(0), b.live(), sel)
                }
                Rhs::Col(r) => select_cols(&b.cols[*col], *cmp, &b.cols[*r], b.live(), sel),
            },
        }
    }
}

/// Appends the rows that pass; dense input without nulls takes a loop without branches.
#[inline(always)]
pub(super) fn pick(c: &Column, rows: Rows<'_>, sel: &mut Vec<u16>, test: impl Fn(usize) -> bool) {
    let nulls = &c.nulls;
    match rows {
        Rows::All(n) if !nulls.any() => {
            sel.resize(n, 0);
            let mut k = 0;
            for i in 0..n {
                sel[k] = i as u16;
                k += test(i) as usize;
            }
            sel.truncate(k);
        }
        Rows::Sel(s) if !nulls.any() => {
            sel.resize(s.len(), 0);
            let mut k = 0;
            for &i in s {
                sel[k] = i;
                k += test(i as usize) as usize;
            }
            sel.truncate(k);
        }
        Rows::All(n) => sel.extend((0..n).filter(|&i| !nulls.get(i) && test(i)).map(|i| i as u16)),
        Rows::Sel(s) => sel.extend(s.iter().copied().filter(|&i| !nulls.get(i as usize) && test(i as usize))),
    }
}

pub(super) fn pick_ord<T: Copy + PartialOrd>(
    c: &Column,
    v: &[T],
    x: T,
    cmp: Cmp,
    rows: Rows<'_>,
    sel: &mut Vec<u16>,
) {
    match cmp {
        Cmp::Eq => pick(c, rows, sel, |i| v[i] == x),
        Cmp::Ne => pick(c, rows, sel, |i| v[i] != x),
        Cmp::Lt => pick(c, rows, sel, |i| v[i] < x),
        Cmp::Le => pick(c, rows, sel, |i| v[i] <= x),
        Cmp::Gt => pick(c, rows, sel, |i| v[i] > x),
        Cmp::Ge => pick(c, rows, sel, |i| v[i] >= x),
    }
}

/// Value as an i64, for integer kinds.
fn as_i64(d: DatumRef<'_>) -> Option<i64> {
    match d {
        DatumRef::I16(x) => Some(i64::from(x)),
        DatumRef::I32(x) => Some(i64::from(x)),
        DatumRef::U32(x) => Some(i64::from(x)),
        DatumRef::I64(x) => Some(x),
        _ => None,
    }
}

fn select_const(c: &Column, cmp: Cmp, d: DatumRef<'_>, rows: Rows<'_>, sel: &mut Vec<u16>) -> Result<()> {
    match (&c.data, d) {
        (_, DatumRef::Null) => {}
        (ColumnData::I32(v), DatumRef::I32(x)) => pick_ord(c, v, x, cmp, rows, sel),
        (ColumnData::I64(v), DatumRef::I64(x)) => pick_ord(c, v, x, cmp, rows, sel),
        (ColumnData::I16(v), DatumRef::I16(x)) => pick_ord(c, v, x, cmp, rows, sel),
        (ColumnData::U32(v), DatumRef::U32(x)) => pick_ord(c, v, x, cmp, rows, sel),
        (ColumnData::Bytes(v), DatumRef::Bytes(x)) => match cmp {
            Cmp::Eq => pick(c, rows, sel, |i| v.get(i) == x),
            Cmp::Ne => pick(c, rows, sel, |i| v.get(i) != x),
            cmp => pick(c, rows, sel, |i| cmp.holds(v.get(i).cmp(x))),
        },
        (data, d) => match as_i64(d) {
            Some(x) => match data {
                ColumnData::I16(v) => pick(c, rows, sel, |i| cmp.holds(i64::from(v[i]).cmp(&x))),
                ColumnData::I32(v) => pick(c, rows, sel, |i| cmp.holds(i64::from(v[i]).cmp(&x))),
                ColumnData::I64(v) => pick(c, rows, sel, |i| cmp.holds(v[i].cmp(&x))),
                _ => pick(c, rows, sel, |i| as_i64(c.get(i)).is_some_and(|y| cmp.holds(y.cmp(&x)))),
            },
            None => unreachable!("physical kind mismatch: {d:?} against {:?}", c.phys()),
        },
    }
    Ok(())
}

fn select_cols(a: &Column, cmp: Cmp, b: &Column, rows: Rows<'_>, sel: &mut Vec<u16>) -> Result<()> {
    let ok = |i: usize| !b.nulls.get(i);
    match (&a.data, &b.data) {
        (ColumnData::I32(x), ColumnData::I32(y)) => {
            pick(a, rows, sel, |i| ok(i) && cmp.holds(x[i].cmp(&y[i])))
        }
        (ColumnData::I64(x), ColumnData::I64(y)) => {
            pick(a, rows, sel, |i| ok(i) && cmp.holds(x[i].cmp(&y[i])))
        }
        (ColumnData::Bytes(x), ColumnData::Bytes(y)) => {
            pick(a, rows, sel, |i| ok(i) && cmp.holds(x.get(i).cmp(y.get(i))));
        }
        _ => pick(a, rows, sel, |i| {
            ok(i)
                && match (as_i64(a.get(i)), as_i64(b.get(i))) {
                    (Some(x), Some(y)) => cmp.holds(x.cmp(&y)),
                    _ => false,
                }
        }),
    }
    Ok(())
}

/// Applies an optional filter; returns how many rows are left.
pub fn apply(q: &mut Option<Qual>, cx: &Exec, b: &mut Batch) -> Result<usize> {
    match q {
        Some(q) => q.filter(cx, b),
        None => Ok(b.live_count()),
    }
}

/// Drops the rows that are not selected, in place.
pub fn compact(b: &mut Batch, scratch: &mut Batch) {
    if b.sel.is_none() {
        return;
    }
    if scratch.cols.len() != b.cols.len() {
        *scratch = colops::like(b);
    }
    scratch.clear();
    colops::append_batch(scratch, b);
    std::mem::swap(b, scratch);
}
