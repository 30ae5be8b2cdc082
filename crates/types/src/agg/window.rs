//! Aggregates over window frames: one state that follows the frame from row to row. Rows that enter are added, rows that
//! leave are taken back where the aggregate can do that exactly, else the frame is gone through again.

use super::{Group, PerGroup};
use crate::column::{Arg, Column};
use crate::{AggState, CallCtx};
use common::Result;

/// The rows of a frame: `lo..hi` of the argument columns.
pub type Span = (u32, u32);

/// Up to three spans, ascending: a frame with an exclusion.
pub type Spans = [Span; 3];

#[inline]
fn feed<S: Group>(
    s: &mut S,
    ctx: &CallCtx<'_>,
    args: &[Arg<'_>],
    pass: Option<&[bool]>,
    lo: u32,
    hi: u32,
) -> Result<()> {
    match pass {
        None => (lo..hi).try_for_each(|i| s.add(ctx, args, i as usize)),
        Some(p) => (lo..hi).filter(|i| p[*i as usize]).try_for_each(|i| s.add(ctx, args, i as usize)),
    }
}

/// Takes rows back; false if that cannot be done exactly.
#[inline]
fn withdraw<S: Group>(
    s: &mut S,
    ctx: &CallCtx<'_>,
    args: &[Arg<'_>],
    pass: Option<&[bool]>,
    lo: u32,
    hi: u32,
) -> Result<bool> {
    for i in lo..hi {
        if pass.is_none_or(|p| p[i as usize]) && !s.remove(ctx, args, i as usize)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Results for frames that move forward; see [`AggState::slide`].
pub fn slide<S: Group>(
    state: &mut PerGroup<S>,
    ctx: &CallCtx<'_>,
    args: &[Arg<'_>],
    pass: Option<&[bool]>,
    frames: &[Span],
    at: &mut Option<Span>,
    out: &mut Column,
) -> Result<()> {
    state.resize(1);
    let mut given = false;
    for &(lo, hi) in frames {
        match *at {
            Some(p) if p == (lo, hi) && given => {
                out.repeat_last();
                continue;
            }
            Some((l, h)) if l == lo && h <= hi => feed(&mut state.groups[0], ctx, args, pass, h, hi)?,
            Some((l, h))
                if S::INVERSE
                    && l < lo
                    && lo < h
                    && h <= hi
                    && withdraw(&mut state.groups[0], ctx, args, pass, l, lo)? =>
            {
                feed(&mut state.groups[0], ctx, args, pass, h, hi)?;
            }
            _ => {
                state.groups[0].clone_from(&state.empty);
                feed(&mut state.groups[0], ctx, args, pass, lo, hi)?;
            }
        }
        *at = Some((lo, hi));
        out.push(state.groups[0].finish(ctx)?.as_ref());
        given = true;
    }
    Ok(())
}

/// Results for frames with holes; each is computed on its own.
pub fn over_spans<S: Group>(
    state: &mut PerGroup<S>,
    ctx: &CallCtx<'_>,
    args: &[Arg<'_>],
    pass: Option<&[bool]>,
    frames: &[Spans],
    out: &mut Column,
) -> Result<()> {
    state.resize(1);
    for f in frames {
        state.groups[0].clone_from(&state.empty);
        for &(lo, hi) in f {
            feed(&mut state.groups[0], ctx, args, pass, lo, hi)?;
        }
        out.push(state.groups[0].finish(ctx)?.as_ref());
    }
    Ok(())
}

/// Feeds rows or takes them back; see [`AggState::span`].
pub fn span<S: Group>(
    state: &mut PerGroup<S>,
    ctx: &CallCtx<'_>,
    args: &[Arg<'_>],
    pass: Option<&[bool]>,
    (lo, hi): Span,
    add: bool,
) -> Result<bool> {
    let s = &mut state.groups[0];
    if add {
        return feed(s, ctx, args, pass, lo, hi).map(|()| true);
    }
    Ok(S::INVERSE && withdraw(s, ctx, args, pass, lo, hi)?)
}
