//! Array values in expressions: constructors, element-wise casts, subscripts, `= ANY (array)`.

use crate::env::ExecEnv;
use crate::expr::control::truth;
use crate::expr::eval::call_ctx;
use crate::expr::program::{Op, Src, State};
use crate::run::Exec;
use analyze::expr::ScalarArrayOpExpr;
use common::{Error, Oid, Result, bail};
use types::array::{ArrayBuilder, ArrayRef, build_1d, empty_array};
use types::array::{array_get, array_set, array_set_slice, array_slice};
use types::{Arg, Batch, Column, Datum, DatumRef, Phys, Rows, typeinfo};

/// A constant list for `x IN (…)` over integers or byte strings.
pub struct InSet {
    ints: hashbrown::HashSet<i64, foldhash::fast::RandomState>,
    bytes: hashbrown::HashSet<Box<[u8]>, foldhash::fast::RandomState>,
    has_null: bool,
}

/// Lists shorter than this are compared one by one, vector-wise.
const HASH_FROM: usize = 3;

/// Element type of an array type (or a domain over one): the one its values carry.
pub fn elem_type(env: &ExecEnv, array: Oid) -> Result<Oid> {
    if let Some(e) = typeinfo::element_type(array) {
        return Ok(e);
    }
    if let Some(t) = typeinfo::type_info(array)
        && t.elem.is_valid()
    {
        return Ok(t.elem);
    }
    let c = env.catalog()?;
    c.storage_type(c.type_desc(c.storage_type(array)?)?.elem)
}

fn int_of(d: DatumRef<'_>) -> Option<i64> {
    match d {
        DatumRef::I16(v) => Some(v.into()),
        DatumRef::I32(v) => Some(v.into()),
        DatumRef::I64(v) => Some(v),
        DatumRef::U32(v) => Some(v.into()),
        _ => None,
    }
}

/// A hash set for a long constant list under an equality (ANY) or inequality (ALL) of stored values.
pub(crate) fn in_set(
    o: &ScalarArrayOpExpr,
    collation: types::Collation,
    array: &Datum,
) -> Result<Option<(InSet, bool)>> {
    // int2 int4 int8 (and crosswise) oid date text name
    let eq = matches!(o.funcid.0, 63 | 65 | 467 | 474 | 852 | 158 | 159 | 184 | 1086 | 67 | 62);
    let ne = matches!(o.funcid.0, 145 | 144 | 468 | 475 | 853 | 164 | 165 | 185 | 1091 | 157 | 659);
    if !collation.is_deterministic() {
        return Ok(None);
    }
    let negate = match (eq, ne, o.use_or) {
        (true, _, true) => false,
        (_, true, false) => true,
        _ => return Ok(None),
    };
    let Datum::Bytes(raw) = array else { return Ok(None) };
    let a = ArrayRef::new(raw)?;
    if a.len() < HASH_FROM {
        return Ok(None);
    }
    let mut s =
        InSet { ints: hashbrown::HashSet::default(), bytes: hashbrown::HashSet::default(), has_null: false };
    for d in a.to_vec()? {
        match d {
            DatumRef::Null => s.has_null = true,
            DatumRef::Bytes(b) => {
                s.bytes.insert(b.into());
            }
            d => match int_of(d) {
                Some(v) => {
                    s.ints.insert(v);
                }
                None => return Ok(None),
            },
        }
    }
    Ok(Some((s, negate)))
}

pub(crate) fn array_in(
    lhs: Arg<'_>,
    set: &InSet,
    negate: bool,
    rows: Rows<'_>,
    out: &mut Column,
) -> Result<()> {
    out.resize(rows.bound());
    rows.each(|i| {
        let found = match lhs.get(i) {
            DatumRef::Null => {
                out.nulls.set(i);
                return Ok(());
            }
            DatumRef::Bytes(b) => set.bytes.contains(b),
            d => int_of(d).is_some_and(|v| set.ints.contains(&v)),
        };
        if !found && set.has_null {
            out.nulls.set(i);
        } else {
            out.set(i, DatumRef::Bool(found != negate));
        }
        Ok(())
    })
}

/// `x op ANY/ALL (array)`: for a constant array element by element over all rows still undecided, else row by row.
pub(crate) fn array_op(
    op: &Op,
    st: &mut State,
    cx: &Exec,
    input: &Batch,
    rows: Rows<'_>,
    out: &mut Column,
) -> Result<()> {
    let Op::ScalarArray { f, lhs, array, elem, use_or, info } = op else {
        return Err(Error::internal("executor: not an array operation"));
    };
    out.resize(rows.bound());
    let phys = cx.env.phys(*elem)?;
    let ctx = call_ctx(cx, info);
    let l = st.arg(*lhs, input);
    let arr = st.arg(*array, input);
    let mut tmp = Column::new(Phys::Bool);
    if arr.konst {
        let d = arr.get(0);
        if d.is_null() {
            return rows.each(|i| {
                out.nulls.set(i);
                Ok(())
            });
        }
        let items = ArrayRef::new(d.bytes())?.to_vec()?;
        let mut live: Vec<u16> = Vec::new();
        rows.each(|i| {
            live.push(i as u16);
            out.set(i, DatumRef::Bool(!*use_or));
            Ok::<(), Error>(())
        })?;
        for item in items {
            if live.is_empty() {
                break;
            }
            let mut e = Column::new(phys);
            e.push(item);
            tmp.clear();
            f(&ctx, &[l, Arg { col: &e, konst: true }], Rows::Sel(&live), &mut tmp)?;
            let t = Arg { col: &tmp, konst: false };
            live.retain(|&i| match truth(&t, i as usize) {
                Some(v) if v == *use_or => {
                    out.nulls.unset(i as usize);
                    out.set(i as usize, DatumRef::Bool(*use_or));
                    false
                }
                Some(_) => true,
                None => {
                    out.nulls.set(i as usize);
                    true
                }
            });
        }
        return Ok(());
    }
    let mut elems = Column::new(phys);
    let mut one = Column::new(l.col.phys());
    rows.each(|i| {
        let d = arr.get(i);
        if d.is_null() {
            out.nulls.set(i);
            return Ok(());
        }
        elems.clear();
        let items = ArrayRef::new(d.bytes())?.to_vec()?;
        items.iter().for_each(|d| elems.push(*d));
        one.clear();
        one.push(l.get(i));
        tmp.clear();
        if !items.is_empty() {
            let args = [Arg { col: &one, konst: true }, Arg { col: &elems, konst: false }];
            f(&ctx, &args, Rows::All(items.len()), &mut tmp)?;
        }
        let t = Arg { col: &tmp, konst: false };
        let mut result = Some(!*use_or);
        for k in 0..items.len() {
            match truth(&t, k) {
                Some(v) if v == *use_or => {
                    result = Some(*use_or);
                    break;
                }
                Some(_) => {}
                None => result = None,
            }
        }
        match result {
            Some(v) => out.set(i, DatumRef::Bool(v)),
            None => out.nulls.set(i),
        }
        Ok(())
    })
}

pub(crate) fn array_coerce(
    op: &Op,
    st: &mut State,
    cx: &Exec,
    input: &Batch,
    rows: Rows<'_>,
    out: &mut Column,
) -> Result<()> {
    let Op::ArrayCoerce { a, sub, from_elem, to_elem } = op else {
        return Err(Error::internal("executor: not an array cast"));
    };
    let mut prog =
        st.subs[*sub].take().ok_or_else(|| Error::internal("executor: array cast runs already"))?;
    out.resize(rows.bound());
    let from = cx.env.phys(*from_elem)?;
    let src = st.arg(*a, input);
    let mut elems = Batch { cols: vec![Column::new(from)], rows: 0, sel: None };
    let r = rows.each(|i| {
        let d = src.get(i);
        if d.is_null() {
            out.nulls.set(i);
            return Ok(());
        }
        let arr = ArrayRef::new(d.bytes())?;
        if arr.is_empty() {
            out.set(i, DatumRef::Bytes(&empty_array(*to_elem)));
            return Ok(());
        }
        elems.clear();
        for d in arr.to_vec()? {
            elems.cols[0].push(d);
            elems.rows += 1;
        }
        prog.run(cx, &elems, Rows::All(elems.rows))?;
        let mut b = ArrayBuilder::new(*to_elem);
        let v = prog.result(0, &elems);
        (0..elems.rows).for_each(|k| b.push(v.get(k)));
        out.set(i, DatumRef::Bytes(&b.finish(&arr.dims, &arr.lower)));
        Ok(())
    });
    st.subs[*sub] = Some(prog);
    r
}

pub(crate) fn make_array(
    elem: Oid,
    elements: &[Src],
    multidims: bool,
    st: &State,
    input: &Batch,
    rows: Rows<'_>,
    out: &mut Column,
) -> Result<()> {
    out.resize(rows.bound());
    rows.each(|i| {
        let mut b = ArrayBuilder::new(elem);
        if !multidims {
            if elements.is_empty() {
                out.set(i, DatumRef::Bytes(&empty_array(elem)));
                return Ok(());
            }
            elements.iter().for_each(|s| b.push(st.arg(*s, input).get(i)));
            out.set(i, DatumRef::Bytes(&b.finish_1d()));
            return Ok(());
        }
        // Sub-arrays must agree in shape; empty and null ones count as empty.
        let mut shape: Option<(Vec<i32>, Vec<i32>)> = None;
        let mut empties = 0;
        for s in elements {
            let d = st.arg(*s, input).get(i);
            if d.is_null() {
                empties += 1;
                continue;
            }
            let a = ArrayRef::new(d.bytes())?;
            if a.is_empty() {
                empties += 1;
                continue;
            }
            match &shape {
                None => shape = Some((a.dims.to_vec(), a.lower.to_vec())),
                Some((dims, _)) if dims[..] == a.dims[..] => {}
                Some(_) => bail_shape()?,
            }
            a.to_vec()?.into_iter().for_each(|d| b.push(d));
        }
        match shape {
            None => out.set(i, DatumRef::Bytes(&empty_array(elem))),
            Some(_) if empties > 0 => bail_shape()?,
            Some((mut dims, mut lower)) => {
                dims.insert(0, elements.len() as i32);
                lower.insert(0, 1);
                out.set(i, DatumRef::Bytes(&b.finish(&dims, &lower)));
            }
        }
        Ok(())
    })
}

fn bail_shape() -> Result<()> {
    bail!(
        ARRAY_SUBSCRIPT_ERROR,
        "multidimensional arrays must have array expressions with matching dimensions"
    )
}

fn sub(s: Option<Src>, st: &State, input: &Batch, i: usize) -> Option<Option<i32>> {
    match s {
        None => Some(None),
        Some(s) => match st.arg(s, input).get(i) {
            DatumRef::I32(v) => Some(Some(v)),
            _ => None,
        },
    }
}

pub(crate) fn subscript(op: &Op, st: &State, input: &Batch, rows: Rows<'_>, out: &mut Column) -> Result<()> {
    let Op::Subscript { a, upper, lower, elem, name, assign } = op else {
        return Err(Error::internal("executor: not a subscript"));
    };
    if *name && (assign.is_some() || lower.is_some()) {
        return Err(Error::unsupported("slices of and assignments to parts of a name"));
    }
    out.resize(rows.bound());
    let src = st.arg(*a, input);
    rows.each(|i| {
        let arr = src.get(i);
        let ups: Option<Vec<Option<i32>>> = upper.iter().map(|s| sub(*s, st, input, i)).collect();
        let Some(ups) = ups else {
            if assign.is_some() {
                bail!(NULL_VALUE_NOT_ALLOWED, "array subscript in assignment must not be null");
            }
            out.nulls.set(i);
            return Ok(());
        };
        if let Some(v) = assign {
            if let Some(l) = lower {
                let lows: Option<Vec<Option<i32>>> = l.iter().map(|s| sub(*s, st, input, i)).collect();
                let Some(lows) = lows else {
                    bail!(NULL_VALUE_NOT_ALLOWED, "array subscript in assignment must not be null");
                };
                let empty = empty_array(*elem);
                let old = if arr.is_null() { &empty[..] } else { arr.bytes() };
                let bounds: Vec<_> = lows.into_iter().zip(ups).collect();
                match st.arg(*v, input).get(i) {
                    DatumRef::Null => out.set(i, DatumRef::Bytes(old)),
                    new => out.set(i, array_set_slice(old, &bounds, new.bytes())?.as_ref()),
                }
                return Ok(());
            }
            let subs: Vec<i32> = ups.into_iter().flatten().collect();
            let bytes = if arr.is_null() { None } else { Some(arr.bytes()) };
            let d = array_set(bytes, *elem, &subs, st.arg(*v, input).get(i))?;
            out.set(i, d.as_ref());
            return Ok(());
        }
        if arr.is_null() {
            out.nulls.set(i);
            return Ok(());
        }
        match lower {
            None if *name => match name_char(arr.bytes(), &ups) {
                Some(c) => out.set(i, DatumRef::I8(c)),
                None => out.nulls.set(i),
            },
            None => {
                let subs: Vec<i32> = ups.into_iter().flatten().collect();
                out.set(i, array_get(arr.bytes(), &subs)?.as_ref());
            }
            Some(l) => {
                let lows: Option<Vec<Option<i32>>> = l.iter().map(|s| sub(*s, st, input, i)).collect();
                match lows {
                    None => out.nulls.set(i),
                    Some(lows) => {
                        let bounds: Vec<_> = lows.into_iter().zip(ups).collect();
                        out.set(i, array_slice(arr.bytes(), &bounds)?.as_ref());
                    }
                }
            }
        }
        Ok(())
    })
}

/// A character of a name, which is padded with zeros; `None` outside it.
fn name_char(name: &[u8], subscripts: &[Option<i32>]) -> Option<i8> {
    let [Some(at)] = subscripts else { return None };
    let at = usize::try_from(*at).ok().filter(|at| *at < 64)?;
    Some(name.get(at).copied().unwrap_or(0) as i8)
}

/// An array of a column's values; of arrays it makes one with a dimension more.
pub fn from_column(elem: Oid, col: Option<&Column>, stacked: bool) -> Result<Datum> {
    let Some(c) = col else { return Ok(Datum::bytes(&empty_array(elem))) };
    if stacked {
        let made = types::agg::stack_arrays((0..c.len()).map(|i| c.get(i)))?;
        return Ok(made.unwrap_or_else(|| Datum::bytes(&empty_array(elem))));
    }
    Ok(build_1d(elem, (0..c.len()).map(|i| c.get(i))))
}
