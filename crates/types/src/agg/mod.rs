//! Aggregate functions. A state holds all groups of a node in one vector; [`PerGroup`] turns the state of one group into
//! that. Strictness is the state's: null inputs are skipped where SQL says so.

mod collect;
pub use collect::stack as stack_arrays;
mod extreme;
mod float;
mod int;
mod interval;
mod num;
mod simple;
pub mod table;
pub mod transition;
pub mod wire;

pub use extreme::{max, min};
mod window;

pub use window::{Span, Spans};

use crate::column::{Arg, Column, Rows};
use crate::numeric::{DecColumn, ten};
use crate::{AggState, CallCtx, Datum};
use common::{Error, Result};
use std::any::Any;

/// Decimal places that sums of small numbers are kept with.
const DEC_PLACES: i32 = 16;

/// State of one group.
pub trait Group: Clone + 'static {
    /// Feeds row `i` of the batch.
    fn add(&mut self, ctx: &CallCtx<'_>, args: &[Arg<'_>], i: usize) -> Result<()>;
    /// Feeds rows `0..n` at once, if it can do that faster than row by row; `false` when nothing was fed.
    fn add_dense(&mut self, _: &[Arg<'_>], _: usize) -> Result<bool> {
        Ok(false)
    }
    /// Can [`Group::add_dec`] and [`Group::add_dec_sum`] do anything?
    const DEC: bool = false;
    /// Feeds `v * unit`, an integer over `10^-16`, displayed with `dscale` digits.
    fn add_dec(&mut self, _v: i64, _unit: i64, _dscale: i32) {}
    /// Feeds `n` values at once, which make `v * unit` in all.
    fn add_dec_sum(&mut self, _v: i128, _unit: i64, _dscale: i32, _n: i64) {}
    /// The result.
    fn finish(&self, ctx: &CallCtx<'_>) -> Result<Datum>;
    /// Can [`Group::remove`] do anything?
    const INVERSE: bool = false;
    /// Takes row `i`, which was added before, back. False if the state cannot do that exactly: it is then unusable.
    fn remove(&mut self, _: &CallCtx<'_>, _: &[Arg<'_>], _: usize) -> Result<bool> {
        Ok(false)
    }
    /// Takes in another state.
    fn combine(&mut self, other: &Self) -> Result<()>;
    /// The same for states that need a function to be called.
    fn merge(&mut self, _: &CallCtx<'_>, other: &Self) -> Result<()> {
        self.combine(other)
    }
    /// Appends the state in the form [`Group::decode`] reads. 0A000 for aggregates that cannot be split.
    fn encode(&self, _out: &mut Vec<u8>) -> Result<()> {
        Err(Error::unsupported("this aggregate in a parallel query"))
    }
    /// The state again; `self` is an empty one.
    fn decode(&self, _r: &mut wire::Reader<'_>) -> Result<Self> {
        Err(Error::unsupported("this aggregate in a parallel query"))
    }
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
            Rows::All(n)
                if self.groups.len() == 1
                    && !args.iter().any(|a| a.konst || a.col.nulls.any())
                    && self.groups[0].add_dense(args, n)? => {}
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
    fn update_dec(&mut self, groups: &[u32], arg: &DecColumn, rows: Rows<'_>) -> bool {
        let Some(unit) = ten(DEC_PLACES - arg.scale).filter(|_| S::DEC) else { return false };
        let plain = !arg.one && arg.scales.is_empty() && !arg.nulls.any();
        match rows {
            Rows::All(n) if plain && self.groups.len() == 1 => {
                let v = &arg.v[..n];
                let sum = if arg.adds_up(n) {
                    v.iter().sum::<i64>().into()
                } else {
                    v.iter().map(|x| i128::from(*x)).sum()
                };
                self.groups[0].add_dec_sum(sum, unit, arg.scale, n as i64);
            }
            _ if plain => {
                let mut g = groups.iter();
                let _ = rows.each(|i| {
                    let g = *g.next().ok_or(())?;
                    self.groups[g as usize].add_dec(arg.v[i], unit, arg.scale);
                    Ok::<(), ()>(())
                });
            }
            _ => {
                let mut g = groups.iter();
                let _ = rows.each(|i| {
                    let g = *g.next().ok_or(())?;
                    let i = if arg.one { 0 } else { i };
                    if !arg.nulls.get(i) {
                        let dscale = arg.scales.get(i).map_or(arg.scale, |s| i32::from(*s));
                        self.groups[g as usize].add_dec(arg.v[i], unit, dscale);
                    }
                    Ok::<(), ()>(())
                });
            }
        }
        true
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
    fn encode(&self, group: usize, out: &mut Vec<u8>) -> Result<()> {
        self.groups[group].encode(out)
    }
    fn combine_encoded(&mut self, ctx: &CallCtx<'_>, group: usize, state: &[u8]) -> Result<()> {
        let other = self.empty.decode(&mut wire::Reader(state))?;
        self.groups[group].merge(ctx, &other)
    }
    fn slide(
        &mut self,
        ctx: &CallCtx<'_>,
        args: &[Arg<'_>],
        pass: Option<&[bool]>,
        frames: &[Span],
        at: &mut Option<Span>,
        out: &mut Column,
    ) -> Result<()> {
        window::slide(self, ctx, args, pass, frames, at, out)
    }
    fn over_spans(
        &mut self,
        ctx: &CallCtx<'_>,
        args: &[Arg<'_>],
        pass: Option<&[bool]>,
        frames: &[Spans],
        out: &mut Column,
    ) -> Result<()> {
        window::over_spans(self, ctx, args, pass, frames, out)
    }
    fn span(
        &mut self,
        ctx: &CallCtx<'_>,
        args: &[Arg<'_>],
        pass: Option<&[bool]>,
        rows: Span,
        add: bool,
    ) -> Result<bool> {
        window::span(self, ctx, args, pass, rows, add)
    }
    fn keep(&mut self, group: usize) -> bool {
        self.groups.swap(0, group);
        self.groups.truncate(1);
        true
    }
    fn restart(&mut self) {
        self.groups.resize(1, self.empty.clone());
        self.groups[0].clone_from(&self.empty);
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
    fn memory(&self) -> usize {
        self.groups.capacity() * size_of::<S>() + self.groups.iter().map(Group::heap).sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use crate::{Arg, CallCtx, Column, DatumRef, FnImpl, FormatSettings, Phys, Registry, Rows, oids};
    use common::Oid;

    fn ctx<'a>(fmt: &'a FormatSettings, reg: &'a Registry) -> CallCtx<'a> {
        CallCtx {
            fmt,
            registry: reg,
            collation: crate::Collation::NONE,
            result_type: Oid(0),
            result_typmod: -1,
            arg_types: &[oids::INT4],
            variadic: false,
            columns: &[],
            xact_start_us: 0,
            stmt_start_us: 0,
            env: &(),
        }
    }

    /// Every aggregate that PostgreSQL 15 splits can be split here: an empty state survives the way through its bytes.
    #[test]
    fn states_can_travel() {
        let reg = Registry::build(&crate::builtin_tables());
        let fmt = FormatSettings::default();
        let ctx = ctx(&fmt, &reg);
        let splittable = [
            2050, 2051, 2100, 2101, 2102, 2103, 2104, 2105, 2106, 2107, 2108, 2109, 2110, 2111, 2112, 2113,
            2114, 2115, 2116, 2117, 2118, 2119, 2120, 2122, 2123, 2124, 2125, 2126, 2127, 2128, 2129, 2130,
            2131, 2132, 2133, 2134, 2135, 2136, 2138, 2139, 2140, 2141, 2142, 2143, 2144, 2145, 2146, 2147,
            2148, 2149, 2150, 2151, 2152, 2153, 2154, 2155, 2156, 2157, 2158, 2159, 2236, 2237, 2238, 2239,
            2240, 2241, 2242, 2243, 2244, 2245, 2517, 2518, 2519, 2641, 2642, 2643, 2644, 2645, 2646, 2712,
            2713, 2714, 2715, 2716, 2717, 2718, 2719, 2720, 2721, 2722, 2723, 2724, 2725, 2726, 2727, 2728,
            2729, 2797, 2798, 2803, 2818, 2819, 2820, 2821, 2822, 2823, 2824, 2825, 2826, 2827, 2828, 2829,
            3526, 3527, 3564, 3565, 4189, 4190, 4389, 4450, 5099, 5100, 6164, 6165, 6166, 6167,
        ];
        for oid in splittable {
            let Some(FnImpl::Agg(a)) = reg.get(Oid(oid)) else { continue };
            let mut st = (a.make)(&[oids::INT4], Oid(0), crate::Collation::NONE);
            st.resize(2);
            let mut bytes = Vec::new();
            st.encode(0, &mut bytes).unwrap_or_else(|e| panic!("{oid}: {e}"));
            st.combine_encoded(&ctx, 1, &bytes).unwrap_or_else(|e| panic!("{oid}: {e}"));
        }
    }

    /// The dense path, the row path with nulls and a selection, and combination agree.
    #[test]
    fn paths_agree() {
        let reg = Registry::build(&crate::builtin_tables());
        let fmt = FormatSettings::default();
        let ctx = ctx(&fmt, &reg);
        let mut col = Column::new(Phys::I32);
        (1..=100).for_each(|i| col.push(DatumRef::I32(i)));
        let mut with_nulls = col.clone();
        with_nulls.push(DatumRef::Null);
        let sel: Vec<u16> = (0..50).collect();
        let rest: Vec<u16> = (50..100).collect();
        // count, sum, avg, max, min over integer.
        for oid in [2147, 2108, 2101, 2116, 2132] {
            let Some(FnImpl::Agg(a)) = reg.get(Oid(oid)) else { panic!("aggregate {oid}") };
            let run = |col: &Column, parts: &[Rows<'_>]| {
                let mut total = (a.make)(&[oids::INT4], Oid(0), crate::Collation::NONE);
                total.resize(1);
                for rows in parts {
                    let mut st = (a.make)(&[oids::INT4], Oid(0), crate::Collation::NONE);
                    st.resize(1);
                    let groups = vec![0; rows.count()];
                    st.update(&ctx, &groups, &[Arg { col, konst: false }], *rows).unwrap();
                    let mut bytes = Vec::new();
                    st.encode(0, &mut bytes).unwrap();
                    total.combine_encoded(&ctx, 0, &bytes).unwrap();
                }
                total.finish(&ctx, 0).unwrap()
            };
            let dense = run(&col, &[Rows::All(100)]);
            assert_eq!(dense, run(&with_nulls, &[Rows::All(101)]), "{oid}");
            assert_eq!(dense, run(&col, &[Rows::Sel(&sel), Rows::Sel(&rest)]), "{oid}");
        }
    }
}
