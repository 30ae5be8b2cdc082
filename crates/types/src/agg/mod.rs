//! Aggregate functions. A state holds all groups of a node in one vector; [`PerGroup`] turns the state of one group into
//! that. Strictness is the state's: null inputs are skipped where SQL says so.

mod collect;
mod extreme;
mod float;
mod int;
mod interval;
mod num;
mod simple;
pub mod table;

use crate::column::{Arg, Rows};
use crate::{AggState, CallCtx, Datum};
use common::{Error, Result};
use std::any::Any;

/// State of one group.
pub trait Group: Clone + 'static {
    /// Feeds row `i` of the batch.
    fn add(&mut self, ctx: &CallCtx<'_>, args: &[Arg<'_>], i: usize) -> Result<()>;
    /// The result.
    fn finish(&self, ctx: &CallCtx<'_>) -> Result<Datum>;
    /// Takes in another state.
    fn combine(&mut self, other: &Self) -> Result<()>;
    /// Heap bytes held.
    fn heap(&self) -> usize {
        0
    }
}

/// One state a group.
pub struct PerGroup<S> {
    empty: S,
    groups: Vec<S>,
}

impl<S: Group> PerGroup<S> {
    /// Boxed state whose groups start as copies of `empty`.
    pub fn boxed(empty: S) -> Box<dyn AggState> {
        Box::new(PerGroup { empty, groups: Vec::new() })
    }
}

impl<S: Group> AggState for PerGroup<S> {
    fn resize(&mut self, n: usize) {
        self.groups.resize(n, self.empty.clone());
    }
    fn update(&mut self, ctx: &CallCtx<'_>, groups: &[u32], args: &[Arg<'_>], rows: Rows<'_>) -> Result<()> {
        match rows {
            Rows::All(n) => {
                for (i, g) in groups.iter().enumerate().take(n) {
                    self.groups[*g as usize].add(ctx, args, i)?;
                }
            }
            Rows::Sel(sel) => {
                for (i, g) in sel.iter().zip(groups) {
                    self.groups[*g as usize].add(ctx, args, usize::from(*i))?;
                }
            }
        }
        Ok(())
    }
    fn finish(&self, ctx: &CallCtx<'_>, group: usize) -> Result<Datum> {
        self.groups[group].finish(ctx)
    }
    fn combine(&mut self, _: &CallCtx<'_>, into: usize, other: &dyn AggState, from: usize) -> Result<()> {
        let Some(o) = other.as_any().downcast_ref::<PerGroup<S>>() else {
            return Err(Error::internal("aggregate states of different functions"));
        };
        self.groups[into].combine(&o.groups[from])
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
    fn memory(&self) -> usize {
        self.groups.capacity() * size_of::<S>() + self.groups.iter().map(Group::heap).sum::<usize>()
    }
}
