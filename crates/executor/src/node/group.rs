//! Nodes over sorted input that look for runs of equal keys: Group and Unique; and [`KeyEq`], which tells whether two rows
//! agree in grouping columns (NULLs are equal).

use super::*;
use crate::expr::colops;
use common::Oid;
use planner::plan::GroupKey;
use types::{Arg, Collation, Column, ColumnData, DatumRef, Phys, Rows, ScalarKernel};

/// Equality functions that are equality of the stored value.
pub fn eq_is_native(eq_proc: Oid, collation: Collation) -> bool {
    if !collation.is_deterministic() {
        return false;
    }
    matches!(
        eq_proc.0,
        // int2 int4 int8 oid bool date time timestamp timestamptz text name bytea uuid money "char" tid xid cid aclitem
        63 | 65
            | 467
            | 184
            | 60
            | 1086
            | 1145
            | 2052
            | 1152
            | 67
            | 62
            | 1948
            | 2956
            | 888
            | 61
            | 1292
            | 68
            | 69
            | 1062
    )
}

struct KeyCol {
    col: usize,
    native: bool,
    eq: Option<(ScalarKernel, Collation)>,
}

impl KeyCol {
    fn same(&self, cx: &Exec, x: DatumRef<'_>, y: DatumRef<'_>, tmp: &mut Column) -> Result<bool> {
        match (x, y) {
            (DatumRef::Null, DatumRef::Null) => Ok(true),
            (DatumRef::Null, _) | (_, DatumRef::Null) => Ok(false),
            _ if self.native => Ok(x == y),
            _ => match self.eq {
                Some((f, collation)) => call_eq(cx, f, collation, x, y, tmp),
                None => Ok(x == y),
            },
        }
    }
}

/// Equality of rows in grouping columns.
pub struct KeyEq {
    cols: Vec<KeyCol>,
    tmp: Column,
}

impl KeyEq {
    /// From a plan's keys.
    pub fn new(env: &ExecEnv, keys: &[GroupKey]) -> Result<KeyEq> {
        let cols = keys
            .iter()
            .map(|k| {
                let collation = env.collation(k.collation)?;
                let native = eq_is_native(k.eq_proc, collation);
                let eq = if native { None } else { Some(env.kernel(k.eq_proc, k.collation)?) };
                Ok(KeyCol { col: k.column as usize, native, eq })
            })
            .collect::<Result<_>>()?;
        Ok(KeyEq { cols, tmp: Column::new(Phys::Bool) })
    }
    /// For rows `from..b.rows` of a dense batch (`from` ≥ 1): sets `mark` in `flags[row]` where the row differs from the
    /// one before.
    pub fn mark_changes(
        &mut self,
        cx: &Exec,
        b: &Batch,
        from: usize,
        mark: u8,
        flags: &mut [u8],
    ) -> Result<()> {
        for k in &self.cols {
            let c = &b.cols[k.col];
            macro_rules! fixed {
                ($v:expr) => {{
                    let v = $v;
                    for i in from..b.rows {
                        flags[i] |= mark * u8::from(v[i] != v[i - 1]);
                    }
                }};
            }
            match (&c.data, c.nulls.any() || !k.native) {
                (ColumnData::I32(v), false) => fixed!(v),
                (ColumnData::I64(v), false) => fixed!(v),
                (ColumnData::Bytes(v), false) => {
                    for (i, flag) in flags.iter_mut().enumerate().take(b.rows).skip(from) {
                        *flag |= mark * u8::from(v.get(i) != v.get(i - 1));
                    }
                }
                _ => {
                    for (i, flag) in flags.iter_mut().enumerate().take(b.rows).skip(from) {
                        if *flag & mark == 0 && !k.same(cx, c.get(i), c.get(i - 1), &mut self.tmp)? {
                            *flag |= mark;
                        }
                    }
                }
            }
        }
        Ok(())
    }
    /// Do row `i` of `a` and row `j` of `b` agree?
    pub fn equal(&mut self, cx: &Exec, a: &Batch, i: usize, b: &Batch, j: usize) -> Result<bool> {
        for k in &self.cols {
            if !k.same(cx, a.cols[k.col].get(i), b.cols[k.col].get(j), &mut self.tmp)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Calls an equality function on two non-null values.
pub fn call_eq(
    cx: &Exec,
    f: ScalarKernel,
    collation: Collation,
    x: DatumRef<'_>,
    y: DatumRef<'_>,
    tmp: &mut Column,
) -> Result<bool> {
    let one = |d: DatumRef<'_>| {
        let mut c = Column::new(phys_of(d));
        c.push(d);
        c
    };
    let (a, b) = (one(x), one(y));
    tmp.clear();
    cx.env.with_call_ctx(collation, |ctx| {
        f(ctx, &[Arg { col: &a, konst: true }, Arg { col: &b, konst: true }], Rows::All(1), tmp)
    })?;
    Ok(!tmp.nulls.get(0) && matches!(&tmp.data, ColumnData::Bool(v) if v[0]))
}

/// Physical kind of a value.
pub fn phys_of(d: DatumRef<'_>) -> Phys {
    match d {
        DatumRef::Bool(_) => Phys::Bool,
        DatumRef::I8(_) => Phys::I8,
        DatumRef::I16(_) => Phys::I16,
        DatumRef::I32(_) => Phys::I32,
        DatumRef::U32(_) => Phys::U32,
        DatumRef::I64(_) => Phys::I64,
        DatumRef::F32(_) => Phys::F32,
        DatumRef::F64(_) => Phys::F64,
        DatumRef::Fixed16(_) => Phys::Fixed16,
        DatumRef::Bytes(_) | DatumRef::Null => Phys::Bytes,
    }
}

struct Unique {
    child: BoxNode,
    eq: KeyEq,
    last: Batch,
    have_last: bool,
    spare: Vec<u16>,
    /// Group projects and filters; Unique does not.
    tail: Option<Tail>,
}

/// Unique.
pub fn build_unique(b: &BuildCx<'_>, child: &Plan, keys: &[GroupKey]) -> Result<BoxNode> {
    Ok(Box::new(make(b, child, keys, None)?))
}

/// Group: Unique with HAVING and a target list.
pub fn build_group(b: &BuildCx<'_>, plan: &Plan, child: &Plan, keys: &[GroupKey]) -> Result<BoxNode> {
    let tail = Tail::compile(b, plan, &OuterScope, child.targetlist.len())?;
    Ok(Box::new(make(b, child, keys, Some(tail))?))
}

fn make(b: &BuildCx<'_>, child: &Plan, keys: &[GroupKey], tail: Option<Tail>) -> Result<Unique> {
    Ok(Unique {
        eq: KeyEq::new(b.env, keys)?,
        last: output_batch(b.env, child)?,
        have_last: false,
        child: super::build(b, child)?,
        spare: Vec::new(),
        tail,
    })
}

impl ExecNode for Unique {
    fn next(&mut self, cx: &Exec, want: usize) -> Result<bool> {
        while self.child.next(cx, want)? {
            let b = self.child.batch();
            self.spare.clear();
            let mut prev: Option<usize> = None;
            for k in 0..b.live_count() {
                let i = colops::nth_live(b, k);
                let same = match prev {
                    Some(p) => self.eq.equal(cx, b, i, b, p)?,
                    None => self.have_last && self.eq.equal(cx, b, i, &self.last, 0)?,
                };
                if !same {
                    self.spare.push(i as u16);
                    prev = Some(i);
                }
            }
            if let Some(p) = prev {
                self.last.clear();
                colops::append_row(&mut self.last, b, p);
                self.have_last = true;
            }
            if self.spare.is_empty() {
                continue;
            }
            let sel = std::mem::take(&mut self.spare);
            self.spare = self.child.batch_mut().sel.replace(sel).unwrap_or_default();
            match &mut self.tail {
                Some(t) => {
                    if t.finish_child(cx, &mut *self.child)? {
                        return Ok(true);
                    }
                }
                None => return Ok(true),
            }
        }
        Ok(false)
    }
    fn batch(&self) -> &Batch {
        match &self.tail {
            Some(t) => &t.proj.out,
            None => self.child.batch(),
        }
    }
    fn batch_mut(&mut self) -> &mut Batch {
        match &mut self.tail {
            Some(t) => &mut t.proj.out,
            None => self.child.batch_mut(),
        }
    }
    fn rescan(&mut self, cx: &Exec) -> Result<()> {
        self.have_last = false;
        self.child.rescan(cx)
    }
    fn end(&mut self, cx: &Exec) {
        if let Some(t) = &mut self.tail {
            t.report(cx);
        }
        self.child.end(cx);
    }
}
