//! Sub-selects inside expressions. Correlated ones run once a row with their parameters set; `x IN (sub-select)` without
//! correlation is answered from a hash set that is filled once.

use crate::expr::compile::{Compiler, expr_type, hash_for_operator};
use crate::expr::control::{run_block, truth};
use crate::expr::program::*;
use crate::expr::{arrays, colops};
use crate::run::Exec;
use analyze::expr::{BoolOp, Expr, OpExpr, ParamKind, SubLinkType, SubPlan};
use common::{Error, Result, err};
use types::{Arg, Batch, Column, ColumnData, Datum, DatumRef, Phys, Rows, oids};

/// The rows of a sub-select by the hash of their columns.
pub(crate) struct HashedSet {
    /// Parameters' stamp at the time of filling.
    stamp: u64,
    table: hashbrown::HashTable<(u64, u32)>,
    rows: Batch,
    /// Rows with a null in some column.
    with_null: Vec<u32>,
}

/// Splits a hashable test `a = $1 AND b = $2` into probe values; `None` if it cannot be hashed.
pub(crate) fn hashed_any(
    c: &mut Compiler<'_>,
    s: &SubPlan,
    steps: &mut Vec<Step>,
) -> Result<Option<HashedAny>> {
    if !s.use_hash_table || s.kind != SubLinkType::Any || !s.par_param.is_empty() {
        return Ok(None);
    }
    let ops: Vec<&OpExpr> = match s.test.as_deref() {
        Some(Expr::Op(o)) => vec![o],
        Some(Expr::Bool { op: BoolOp::And, args, .. }) => {
            let ops: Vec<&OpExpr> =
                args.iter().filter_map(|a| if let Expr::Op(o) = a { Some(o) } else { None }).collect();
            if ops.len() != args.len() {
                return Ok(None);
            }
            ops
        }
        _ => return Ok(None),
    };
    let mut parts = Vec::new();
    for (k, o) in ops.iter().enumerate() {
        // The right-hand side must be the k-th column, possibly relabelled.
        let mut r = &o.args[1];
        while let Expr::Relabel { arg, .. } = r {
            r = arg;
        }
        match r {
            Expr::Param(p) if p.kind == ParamKind::Exec && s.param_ids.get(k) == Some(&p.id) => {}
            _ => return Ok(None),
        }
        let Some((lh, rh)) = hash_for_operator(c.env, o.opno)? else { return Ok(None) };
        parts.push((*o, lh, rh));
    }
    let mut keys = Vec::new();
    for (o, lhs_hash, rhs_hash) in parts {
        let lhs = c.expr(&o.args[0], steps)?;
        let (eq, collation) = c.env.kernel(o.funcid, o.input_collation)?;
        keys.push(HashedKey {
            lhs,
            eq,
            info: CallInfo {
                collation,
                result_type: oids::BOOL,
                typmod: -1,
                arg_types: o.args.iter().map(expr_type).collect(),
                variadic: false,
            },
            lhs_hash,
            rhs_hash,
        });
    }
    c.st.sets.push(None);
    Ok(Some(HashedAny { keys, set: c.st.sets.len() - 1, unknown_eq_false: s.unknown_eq_false }))
}

pub(crate) fn run(
    s: &SubPlanStep,
    st: &mut State,
    cx: &Exec,
    input: &Batch,
    rows: Rows<'_>,
    out: &mut Column,
) -> Result<()> {
    out.resize(rows.bound());
    if let Some(h) = &s.hashed {
        return run_hashed(s, h, st, cx, input, rows, out);
    }
    if let Some(kept) = s.rows {
        let mut all = std::mem::take(&mut st.multi[kept]);
        all.resize(all.len().max(rows.bound()), Vec::new());
        rows.each(|i| {
            all[i] = several_columns(s, st, cx, input, i)?;
            Ok::<(), Error>(())
        })?;
        st.multi[kept] = all;
        return put_column(&st.multi[kept], s.column, rows, out);
    }
    // Without correlation the value is the same for all rows, unless a test looks at them.
    if s.args.is_empty() && s.test.is_none() {
        let v = one_row(s, st, cx, input, 0)?;
        return rows.each(|i| {
            out.set(i, v.as_ref());
            Ok(())
        });
    }
    rows.each(|i| {
        let v = one_row(s, st, cx, input, i)?;
        out.set(i, v.as_ref());
        Ok(())
    })
}

/// One column of the rows of a multi-column sub-select.
pub(crate) fn put_column(kept: &[Vec<Datum>], column: u16, rows: Rows<'_>, out: &mut Column) -> Result<()> {
    out.resize(rows.bound());
    rows.each(|i| {
        // A sub-select that found no row gives nulls.
        out.set(i, kept[i].get(usize::from(column)).map_or(DatumRef::Null, Datum::as_ref));
        Ok(())
    })
}

/// All columns of the only row that a sub-select gives for row `i`; none if it gives no row.
fn several_columns(s: &SubPlanStep, st: &State, cx: &Exec, input: &Batch, i: usize) -> Result<Vec<Datum>> {
    set_args(s, st, cx, input, i);
    cx.check_stack()?;
    cx.with_subplan(s.plan_id, |node| {
        node.rescan(cx)?;
        if !node.next(cx, 2)? {
            return Ok(Vec::new());
        }
        let row = colops::nth_live(node.batch(), 0);
        let many = node.batch().live_count() > 1;
        let values = node.batch().cols.iter().map(|c| c.get(row).to_owned()).collect();
        if many || node.next(cx, 1)? {
            return Err(too_many_rows());
        }
        Ok(values)
    })
}

fn set_args(s: &SubPlanStep, st: &State, cx: &Exec, input: &Batch, i: usize) {
    for (src, p) in &s.args {
        cx.set_param(*p, st.arg(*src, input).get(i));
    }
}

fn too_many_rows() -> Error {
    err!(CARDINALITY_VIOLATION, "more than one row returned by a subquery used as an expression")
}

/// Value for row `i`.
fn one_row(s: &SubPlanStep, st: &mut State, cx: &Exec, input: &Batch, i: usize) -> Result<Datum> {
    set_args(s, st, cx, input, i);
    cx.check_stack()?;
    cx.with_subplan(s.plan_id, |node| {
        node.rescan(cx)?;
        match s.kind {
            SubLinkType::Exists => Ok(Datum::Bool(node.next(cx, 1)?)),
            SubLinkType::Expr | SubLinkType::RowCompare | SubLinkType::MultiExpr => {
                if !node.next(cx, 2)? {
                    return Ok(Datum::Null);
                }
                let row = colops::nth_live(node.batch(), 0);
                let many = node.batch().live_count() > 1;
                let v = if s.kind == SubLinkType::Expr {
                    node.batch().cols[0].get(row).to_owned()
                } else {
                    set_columns(s, cx, node.batch(), row);
                    Datum::Null
                };
                if many || node.next(cx, 1)? {
                    return Err(too_many_rows());
                }
                match (&s.test, s.kind) {
                    (Some(t), SubLinkType::RowCompare) => test_row(t, st, cx, input, i),
                    _ => Ok(v),
                }
            }
            SubLinkType::Array => {
                let mut col: Option<Column> = None;
                while node.next(cx, usize::MAX)? {
                    let b = node.batch();
                    let c = col.get_or_insert_with(|| Column::new(b.cols[0].phys()));
                    colops::append_rows(c, &b.cols[0], b.live());
                }
                arrays::from_column(s.array_elem, col.as_ref(), s.stacked)
            }
            SubLinkType::Any | SubLinkType::All => {
                let t = s.test.as_ref().ok_or_else(|| Error::internal("executor: ANY without test"))?;
                let stop = s.kind == SubLinkType::Any;
                let mut null = false;
                while node.next(cx, usize::MAX)? {
                    for k in 0..node.batch().live_count() {
                        let row = colops::nth_live(node.batch(), k);
                        set_columns(s, cx, node.batch(), row);
                        match test_row(t, st, cx, input, i)? {
                            Datum::Bool(b) if b == stop => return Ok(Datum::Bool(stop)),
                            Datum::Null => null = true,
                            _ => {}
                        }
                    }
                }
                Ok(if null { Datum::Null } else { Datum::Bool(!stop) })
            }
        }
    })
}

fn set_columns(s: &SubPlanStep, cx: &Exec, b: &Batch, row: usize) {
    for (k, p) in s.param_ids.iter().enumerate() {
        cx.set_param(*p, b.cols[k].get(row));
    }
}

fn test_row(t: &Block, st: &mut State, cx: &Exec, input: &Batch, i: usize) -> Result<Datum> {
    let one = [i as u16];
    run_block(t, st, cx, input, Rows::Sel(&one))?;
    Ok(match truth(&st.arg(t.src, input), i) {
        Some(b) => Datum::Bool(b),
        None => Datum::Null,
    })
}

fn fill(s: &SubPlanStep, h: &HashedAny, cx: &Exec) -> Result<HashedSet> {
    let mut set = HashedSet {
        stamp: cx.plan_stamp(s.plan_id),
        table: hashbrown::HashTable::new(),
        rows: Batch::default(),
        with_null: Vec::new(),
    };
    cx.with_subplan(s.plan_id, |node| {
        node.rescan(cx)?;
        while node.next(cx, usize::MAX)? {
            if set.rows.cols.is_empty() {
                set.rows = colops::like(node.batch());
            }
            let from = set.rows.rows;
            colops::append_batch(&mut set.rows, node.batch());
            for r in from..set.rows.rows {
                let mut hash = 0u64;
                let mut null = false;
                for (k, key) in h.keys.iter().enumerate() {
                    match set.rows.cols[k].get(r) {
                        DatumRef::Null => null = true,
                        v => hash = mix(hash, (key.rhs_hash)(key.info.collation, v)),
                    }
                }
                if null {
                    set.with_null.push(r as u32);
                } else {
                    set.table.insert_unique(hash, (hash, r as u32), |e| e.0);
                }
            }
        }
        Ok(())
    })?;
    Ok(set)
}

/// Combines the hashes of several columns.
#[inline]
pub(crate) fn mix(h: u64, v: u64) -> u64 {
    (h.rotate_left(5) ^ v).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

fn run_hashed(
    s: &SubPlanStep,
    h: &HashedAny,
    st: &mut State,
    cx: &Exec,
    input: &Batch,
    rows: Rows<'_>,
    out: &mut Column,
) -> Result<()> {
    let set = match st.sets[h.set].take() {
        Some(set) if set.stamp == cx.plan_stamp(s.plan_id) => set,
        _ => fill(s, h, cx)?,
    };
    let r = rows.each(|i| {
        let v = probe(h, &set, st, cx, input, i)?;
        out.set(i, v.as_ref());
        Ok::<(), Error>(())
    });
    st.sets[h.set] = Some(set);
    r
}

fn probe(h: &HashedAny, set: &HashedSet, st: &State, cx: &Exec, input: &Batch, i: usize) -> Result<Datum> {
    if set.rows.rows == 0 {
        return Ok(Datum::Bool(false));
    }
    let mut hash = 0u64;
    let mut null = false;
    for key in &h.keys {
        match st.arg(key.lhs, input).get(i) {
            DatumRef::Null => null = true,
            v => hash = mix(hash, (key.lhs_hash)(key.info.collation, v)),
        }
    }
    let mut failed = None;
    if !null {
        let hit = set.table.find(hash, |e| {
            e.0 == hash
                && match equal(h, set, st, cx, input, i, e.1 as usize) {
                    Ok(t) => t == Some(true),
                    Err(e) => {
                        failed = Some(e);
                        true
                    }
                }
        });
        if let Some(e) = failed {
            return Err(e);
        }
        if hit.is_some() {
            return Ok(Datum::Bool(true));
        }
    }
    if h.unknown_eq_false {
        return Ok(Datum::Bool(false));
    }
    if h.keys.len() == 1 {
        return Ok(if null || !set.with_null.is_empty() { Datum::Null } else { Datum::Bool(false) });
    }
    // Several columns: a row that differs in a known column is a definite mismatch.
    let candidates: Box<dyn Iterator<Item = usize>> =
        if null { Box::new(0..set.rows.rows) } else { Box::new(set.with_null.iter().map(|&r| r as usize)) };
    for r in candidates {
        if equal(h, set, st, cx, input, i, r)?.is_none() {
            return Ok(Datum::Null);
        }
    }
    Ok(Datum::Bool(false))
}

/// Compares row `i` with row `r` of the set, as AND of the columns.
fn equal(
    h: &HashedAny,
    set: &HashedSet,
    st: &State,
    cx: &Exec,
    input: &Batch,
    i: usize,
    r: usize,
) -> Result<Option<bool>> {
    let mut unknown = false;
    for (k, key) in h.keys.iter().enumerate() {
        let (a, b) = (st.arg(key.lhs, input).get(i), set.rows.cols[k].get(r));
        if a.is_null() || b.is_null() {
            unknown = true;
            continue;
        }
        let eq = match (a, b) {
            (DatumRef::I32(x), DatumRef::I32(y)) => x == y,
            (DatumRef::I64(x), DatumRef::I64(y)) => x == y,
            _ => {
                let mut tmp = Column::new(Phys::Bool);
                let l = Column::constant(st.arg(key.lhs, input).col.phys(), &a.to_owned());
                let rc = Column::constant(set.rows.cols[k].phys(), &b.to_owned());
                let ctx = crate::expr::eval::call_ctx(cx, &key.info);
                (key.eq)(
                    &ctx,
                    &[Arg { col: &l, konst: true }, Arg { col: &rc, konst: true }],
                    Rows::All(1),
                    &mut tmp,
                )?;
                matches!(&tmp.data, ColumnData::Bool(v) if v[0])
            }
        };
        if !eq {
            return Ok(Some(false));
        }
    }
    Ok(if unknown { None } else { Some(true) })
}
