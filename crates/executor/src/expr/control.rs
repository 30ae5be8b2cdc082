//! Control steps: AND, OR, CASE, COALESCE and friends evaluate their blocks for ever fewer rows, so that a row decided
//! early never meets the error or the side effect of a later operand.

use crate::expr::eval::{call, run_steps};
use crate::expr::program::{Block, CallInfo, RowCmp, Src, State};
use crate::run::Exec;
use analyze::expr::{BoolTest, RowCompareType};
use common::Result;
use std::cmp::Ordering;
use types::{Arg, Batch, CmpFn, Collation, Column, ColumnData, DatumRef, Phys, Rows, ScalarKernel};

fn bools(c: &mut Column) -> &mut [bool] {
    match &mut c.data {
        ColumnData::Bool(v) => v,
        _ => &mut [],
    }
}

/// Truth value of row `i`: `None` is NULL.
#[inline]
pub(crate) fn truth(a: &Arg<'_>, i: usize) -> Option<bool> {
    let k = a.index(i);
    if a.col.nulls.get(k) {
        return None;
    }
    match &a.col.data {
        ColumnData::Bool(v) => Some(v[k]),
        _ => None,
    }
}

/// Runs a block's steps unless there are none.
pub(crate) fn run_block(b: &Block, st: &mut State, cx: &Exec, input: &Batch, rows: Rows<'_>) -> Result<()> {
    if b.steps.is_empty() || rows.count() == 0 {
        return Ok(());
    }
    run_steps(&b.steps, st, cx, input, rows)
}

/// AND (`stop` false) and OR (`stop` true): a row is decided by the first operand equal to `stop`.
pub(crate) fn and_or(
    parts: &[Block],
    stop: bool,
    st: &mut State,
    cx: &Exec,
    input: &Batch,
    rows: Rows<'_>,
    out: &mut Column,
) -> Result<()> {
    out.resize(rows.bound());
    if !stop {
        bools(out).fill(true);
    }
    let mut live = st.take_sel();
    let mut next = st.take_sel();
    for (k, part) in parts.iter().enumerate() {
        let rows = if k == 0 { rows } else { Rows::Sel(&live) };
        if rows.count() == 0 {
            break;
        }
        run_block(part, st, cx, input, rows)?;
        let a = st.arg(part.src, input);
        next.clear();
        rows.each(|i| {
            match truth(&a, i) {
                Some(v) if v == stop => {
                    bools(out)[i] = stop;
                    out.nulls.unset(i);
                    return Ok(());
                }
                Some(_) => {}
                None => out.nulls.set(i),
            }
            next.push(i as u16);
            Ok::<(), common::Error>(())
        })?;
        std::mem::swap(&mut live, &mut next);
    }
    st.give_sel(live);
    st.give_sel(next);
    Ok(())
}

pub(crate) fn not(a: Arg<'_>, rows: Rows<'_>, out: &mut Column) -> Result<()> {
    out.resize(rows.bound());
    rows.each(|i| {
        match truth(&a, i) {
            Some(v) => bools(out)[i] = !v,
            None => out.nulls.set(i),
        }
        Ok(())
    })
}

pub(crate) fn null_test(a: Arg<'_>, is_null: bool, rows: Rows<'_>, out: &mut Column) -> Result<()> {
    out.resize(rows.bound());
    let o = bools(out);
    rows.each(|i| {
        o[i] = a.is_null(i) == is_null;
        Ok(())
    })
}

pub(crate) fn bool_test(a: Arg<'_>, test: BoolTest, rows: Rows<'_>, out: &mut Column) -> Result<()> {
    out.resize(rows.bound());
    let o = bools(out);
    rows.each(|i| {
        let t = truth(&a, i);
        o[i] = match test {
            BoolTest::IsTrue => t == Some(true),
            BoolTest::IsNotTrue => t != Some(true),
            BoolTest::IsFalse => t == Some(false),
            BoolTest::IsNotFalse => t != Some(false),
            BoolTest::IsUnknown => t.is_none(),
            BoolTest::IsNotUnknown => t.is_some(),
        };
        Ok(())
    })
}

/// Rows where neither argument is null, and the equality of those in `tmp`.
fn equality(
    args: [Src; 2],
    f: ScalarKernel,
    info: &CallInfo,
    st: &mut State,
    cx: &Exec,
    input: &Batch,
    rows: Rows<'_>,
    tmp: &mut Column,
) -> Result<()> {
    let mut both = st.take_sel();
    {
        let (a, b) = (st.arg(args[0], input), st.arg(args[1], input));
        rows.each(|i| {
            if !a.is_null(i) && !b.is_null(i) {
                both.push(i as u16);
            }
            Ok::<(), common::Error>(())
        })?;
    }
    let r = if both.is_empty() { Ok(()) } else { call(f, &args, info, st, cx, input, Rows::Sel(&both), tmp) };
    st.give_sel(both);
    r
}

pub(crate) fn distinct(
    args: [Src; 2],
    f: ScalarKernel,
    info: &CallInfo,
    negate: bool,
    st: &mut State,
    cx: &Exec,
    input: &Batch,
    rows: Rows<'_>,
    out: &mut Column,
) -> Result<()> {
    let mut tmp = Column::new(Phys::Bool);
    equality(args, f, info, st, cx, input, rows, &mut tmp)?;
    let eq = Arg { col: &tmp, konst: false };
    let (a, b) = (st.arg(args[0], input), st.arg(args[1], input));
    out.resize(rows.bound());
    let o = bools(out);
    rows.each(|i| {
        let d = match (a.is_null(i), b.is_null(i)) {
            (true, true) => false,
            (false, false) => truth(&eq, i) != Some(true),
            _ => true,
        };
        o[i] = d != negate;
        Ok(())
    })
}

pub(crate) fn null_if(
    args: [Src; 2],
    f: ScalarKernel,
    info: &CallInfo,
    st: &mut State,
    cx: &Exec,
    input: &Batch,
    rows: Rows<'_>,
    out: &mut Column,
) -> Result<()> {
    let mut tmp = Column::new(Phys::Bool);
    equality(args, f, info, st, cx, input, rows, &mut tmp)?;
    let eq = Arg { col: &tmp, konst: false };
    let (a, b) = (st.arg(args[0], input), st.arg(args[1], input));
    out.resize(rows.bound());
    rows.each(|i| {
        if !a.is_null(i) && !b.is_null(i) && truth(&eq, i) == Some(true) {
            out.nulls.set(i);
        } else {
            out.set(i, a.get(i));
        }
        Ok(())
    })
}

pub(crate) fn copy_rows(src: Arg<'_>, rows: Rows<'_>, out: &mut Column) -> Result<()> {
    macro_rules! fixed {
        ($($v:ident),*) => {
            match (&src.col.data, &mut out.data) {
                $((ColumnData::$v(s), ColumnData::$v(d)) if !src.col.nulls.any() => {
                    rows.each(|i| { d[i] = s[src.index(i)]; Ok(()) })
                })*
                _ => rows.each(|i| { out.set(i, src.get(i)); Ok(()) }),
            }
        };
    }
    fixed!(Bool, I16, I32, U32, I64, F32, F64)
}

pub(crate) fn case(
    whens: &[(Block, Block)],
    default: Option<&Block>,
    st: &mut State,
    cx: &Exec,
    input: &Batch,
    rows: Rows<'_>,
    out: &mut Column,
) -> Result<()> {
    out.resize(rows.bound());
    let mut live = st.take_sel();
    rows.each(|i| {
        live.push(i as u16);
        Ok::<(), common::Error>(())
    })?;
    let mut hit = st.take_sel();
    let mut rest = st.take_sel();
    for (cond, result) in whens {
        if live.is_empty() {
            break;
        }
        run_block(cond, st, cx, input, Rows::Sel(&live))?;
        hit.clear();
        rest.clear();
        let a = st.arg(cond.src, input);
        for &i in &live {
            if truth(&a, i as usize) == Some(true) {
                hit.push(i);
            } else {
                rest.push(i);
            }
        }
        if !hit.is_empty() {
            run_block(result, st, cx, input, Rows::Sel(&hit))?;
            copy_rows(st.arg(result.src, input), Rows::Sel(&hit), out)?;
        }
        std::mem::swap(&mut live, &mut rest);
    }
    match default {
        Some(d) if !live.is_empty() => {
            run_block(d, st, cx, input, Rows::Sel(&live))?;
            copy_rows(st.arg(d.src, input), Rows::Sel(&live), out)?;
        }
        Some(_) => {}
        None => live.iter().for_each(|&i| out.nulls.set(i as usize)),
    }
    st.give_sel(live);
    st.give_sel(hit);
    st.give_sel(rest);
    Ok(())
}

pub(crate) fn coalesce(
    parts: &[Block],
    st: &mut State,
    cx: &Exec,
    input: &Batch,
    rows: Rows<'_>,
    out: &mut Column,
) -> Result<()> {
    out.resize(rows.bound());
    let mut live = st.take_sel();
    rows.each(|i| {
        live.push(i as u16);
        Ok::<(), common::Error>(())
    })?;
    let mut next = st.take_sel();
    for part in parts {
        if live.is_empty() {
            break;
        }
        run_block(part, st, cx, input, Rows::Sel(&live))?;
        let a = st.arg(part.src, input);
        next.clear();
        for &i in &live {
            match a.get(i as usize) {
                DatumRef::Null => next.push(i),
                d => out.set(i as usize, d),
            }
        }
        std::mem::swap(&mut live, &mut next);
    }
    live.iter().for_each(|&i| out.nulls.set(i as usize));
    st.give_sel(live);
    st.give_sel(next);
    Ok(())
}

pub(crate) fn min_max(
    args: &[Src],
    cmp: CmpFn,
    collation: Collation,
    greatest: bool,
    st: &State,
    input: &Batch,
    rows: Rows<'_>,
    out: &mut Column,
) -> Result<()> {
    out.resize(rows.bound());
    let want = if greatest { Ordering::Greater } else { Ordering::Less };
    rows.each(|i| {
        let mut best = DatumRef::Null;
        for a in args {
            let v = st.arg(*a, input).get(i);
            if !v.is_null() && (best.is_null() || cmp(collation, v, best) == want) {
                best = v;
            }
        }
        out.set(i, best);
        Ok(())
    })
}

/// Row comparison: columns are looked at until one decides.
pub(crate) fn row_compare(
    kind: RowCompareType,
    parts: &[(Block, Block, RowCmp)],
    st: &mut State,
    cx: &Exec,
    input: &Batch,
    rows: Rows<'_>,
    out: &mut Column,
) -> Result<()> {
    out.resize(rows.bound());
    let mut live = st.take_sel();
    rows.each(|i| {
        live.push(i as u16);
        Ok::<(), common::Error>(())
    })?;
    let mut next = st.take_sel();
    for (l, r, cmp) in parts {
        if live.is_empty() {
            break;
        }
        run_block(l, st, cx, input, Rows::Sel(&live))?;
        run_block(r, st, cx, input, Rows::Sel(&live))?;
        let RowCmp(f, coll) = cmp;
        let (a, b) = (st.arg(l.src, input), st.arg(r.src, input));
        next.clear();
        for &i in &live {
            let (x, y) = (a.get(i as usize), b.get(i as usize));
            if x.is_null() || y.is_null() {
                out.nulls.set(i as usize);
                continue;
            }
            match f(*coll, x, y) {
                Ordering::Equal => next.push(i),
                o => bools(out)[i as usize] = row_result(kind, o),
            }
        }
        std::mem::swap(&mut live, &mut next);
    }
    for &i in &live {
        bools(out)[i as usize] = row_result(kind, Ordering::Equal);
    }
    st.give_sel(live);
    st.give_sel(next);
    Ok(())
}

fn row_result(kind: RowCompareType, o: Ordering) -> bool {
    match kind {
        RowCompareType::Lt => o == Ordering::Less,
        RowCompareType::Le => o != Ordering::Greater,
        RowCompareType::Eq => o == Ordering::Equal,
        RowCompareType::Ge => o != Ordering::Less,
        RowCompareType::Gt => o == Ordering::Greater,
        RowCompareType::Ne => o != Ordering::Equal,
    }
}
