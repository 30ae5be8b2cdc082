//! What the three joins share: which columns of either side a pair needs, and the batch of candidate pairs on which join
//! conditions, filter and target list are evaluated.

use super::*;
use crate::expr::colops;
use analyze::query::JoinType;
use analyze::walk;
use planner::plan::JoinCommon;
use types::{Column, DatumRef, Phys};

/// Columns of a pair batch: outer ones, then inner ones.
pub struct PairScope {
    pub outer: Vec<u16>,
    pub inner: Vec<u16>,
}

impl PairScope {
    /// Collects the Vars of expressions.
    pub fn collect<'e>(exprs: impl IntoIterator<Item = &'e Expr>) -> PairScope {
        let mut s = PairScope { outer: Vec::new(), inner: Vec::new() };
        for e in exprs {
            walk::walk(e, 0, &mut |e, _| {
                if let Expr::Var(v) = e
                    && v.attno > 0
                {
                    let side = match v.varno {
                        VarNo::Outer => &mut s.outer,
                        VarNo::Inner => &mut s.inner,
                        _ => return true,
                    };
                    let c = v.attno as u16 - 1;
                    if !side.contains(&c) {
                        side.push(c);
                    }
                }
                true
            });
        }
        s
    }
    /// The kinds of the pair's columns.
    pub fn phys(&self, outer: &[Phys], inner: &[Phys]) -> Vec<Phys> {
        let o = self.outer.iter().map(|c| outer[*c as usize]);
        o.chain(self.inner.iter().map(|c| inner[*c as usize])).collect()
    }
}

impl Scope for PairScope {
    fn var(&self, v: &Var) -> Option<usize> {
        let c = (v.attno as u16).wrapping_sub(1);
        match v.varno {
            VarNo::Outer => self.outer.iter().position(|x| *x == c),
            VarNo::Inner => self.inner.iter().position(|x| *x == c).map(|p| self.outer.len() + p),
            _ => None,
        }
    }
}

/// A column of a side.
pub enum Side {
    Outer(usize),
    Inner(usize),
}

/// Pair batch, join condition and tail of a join.
pub struct Pairs {
    pub scope: PairScope,
    pub batch: Batch,
    pub joinqual: Option<Qual>,
    pub tail: Tail,
    pub kind: JoinType,
    pub outer_phys: Vec<Phys>,
    pub inner_phys: Vec<Phys>,
}

impl Pairs {
    /// Compiles; `extra` are further join conditions.
    pub fn compile(b: &BuildCx<'_>, plan: &Plan, join: &JoinCommon, extra: &[Expr]) -> Result<Pairs> {
        let outer_phys = output_phys(b.env, &join.outer)?;
        let inner_phys = output_phys(b.env, &join.inner)?;
        let quals: Vec<Expr> = join.joinqual.iter().chain(extra).cloned().collect();
        let all = plan.targetlist.iter().map(|t| &t.expr).chain(&plan.qual).chain(&quals);
        let scope = PairScope::collect(all);
        let phys = scope.phys(&outer_phys, &inner_phys);
        Ok(Pairs {
            joinqual: Qual::compile(b.env, &quals, &scope)?,
            tail: Tail::compile(b, plan, &scope, phys.len())?,
            batch: crate::store::batch_of(&phys),
            kind: join.kind,
            scope,
            outer_phys,
            inner_phys,
        })
    }
    /// The column of a side that output column `col` is, when dropping rows of that side earlier changes nothing but work.
    pub fn plain_column(&self, col: usize) -> Option<Side> {
        if self.joinqual.as_ref().is_some_and(Qual::is_volatile) {
            return None;
        }
        let c = self.tail.plain_column(col)?;
        match self.scope.outer.get(c) {
            Some(o) => Some(Side::Outer(usize::from(*o))),
            None => self.scope.inner.get(c - self.scope.outer.len()).map(|i| Side::Inner(usize::from(*i))),
        }
    }
    /// Appends pairs given by row numbers on both sides.
    pub fn gather<I: colops::RowIx, J: colops::RowIx>(
        &mut self,
        outer: &Batch,
        orows: &[I],
        inner: &Batch,
        irows: &[J],
    ) {
        self.gather_by(outer, orows, |c, d| colops::append_gather(d, &inner.cols[c], irows));
    }
    /// Appends pairs; `inner` appends to the given column the values of an inner column.
    pub fn gather_by<I: colops::RowIx>(
        &mut self,
        outer: &Batch,
        orows: &[I],
        inner: impl Fn(usize, &mut Column),
    ) {
        let (o, i) = self.batch.cols.split_at_mut(self.scope.outer.len());
        for (d, c) in o.iter_mut().zip(&self.scope.outer) {
            colops::append_gather(d, &outer.cols[*c as usize], orows);
        }
        for (d, c) in i.iter_mut().zip(&self.scope.inner) {
            inner(*c as usize, d);
        }
        self.batch.rows += orows.len();
    }
    /// [`Pairs::gather`], where an inner row `u32::MAX` stands for NULLs. The inner side must not be empty.
    pub fn gather_outer_join(
        &mut self,
        outer: &Batch,
        orows: &[u16],
        irows: &mut [u32],
        inner: impl Fn(usize, &mut Column, &[u32]),
    ) {
        let from = self.batch.rows;
        let missing: Vec<usize> = (0..irows.len()).filter(|k| irows[*k] == u32::MAX).collect();
        missing.iter().for_each(|k| irows[*k] = 0);
        self.gather_by(outer, orows, |c, d| inner(c, d, irows));
        for c in &mut self.batch.cols[self.scope.outer.len()..] {
            missing.iter().for_each(|k| c.nulls.set(from + k));
        }
    }
    /// Appends outer rows with NULLs for the inner side.
    pub fn outer_only<I: colops::RowIx>(&mut self, outer: &Batch, orows: &[I]) {
        let (o, i) = self.batch.cols.split_at_mut(self.scope.outer.len());
        for (d, c) in o.iter_mut().zip(&self.scope.outer) {
            colops::append_gather(d, &outer.cols[*c as usize], orows);
        }
        for d in i {
            colops::fill_more(d, DatumRef::Null, orows.len());
        }
        self.batch.rows += orows.len();
    }
    /// Appends inner rows with NULLs for the outer side.
    pub fn inner_only<I: colops::RowIx>(&mut self, inner: &Batch, irows: &[I]) {
        let (o, i) = self.batch.cols.split_at_mut(self.scope.outer.len());
        for d in o {
            colops::fill_more(d, DatumRef::Null, irows.len());
        }
        for (d, c) in i.iter_mut().zip(&self.scope.inner) {
            colops::append_gather(d, &inner.cols[*c as usize], irows);
        }
        self.batch.rows += irows.len();
    }
    /// Applies filter and target list to the pair batch; false if nothing is left.
    pub fn finish(&mut self, cx: &Exec) -> Result<bool> {
        if self.batch.rows == 0 {
            return Ok(false);
        }
        self.tail.finish_own(cx, &mut self.batch)
    }
}
