//! Frames: for every row of a partition the rows its window functions see, as spans of row numbers.

use crate::expr::compile::scalar_kernel;
use crate::expr::{NoScope, Program, compile_one};
use crate::node::BuildCx;
use crate::run::Exec;
use analyze::clause::frame as f;
use analyze::query::WindowClause;
use common::{Oid, Result, err};
use std::ops::Add;
use types::agg::Span;
use types::{Arg, Collation, Column, ColumnData, Datum, DatumRef, Phys, Rows, ScalarKernel};

/// One end of a frame.
pub struct Bound {
    pub unbounded: bool,
    pub current: bool,
    pub preceding: bool,
    pub offset: Option<Program>,
    in_range: Option<ScalarKernel>,
    /// ROWS and GROUPS.
    pub count: i64,
    /// RANGE.
    value: Datum,
}

/// How the frames of a window are made.
pub struct FrameRule {
    options: u32,
    pub start: Bound,
    pub end: Bound,
    /// The ORDER BY column of RANGE offsets, and how it is sorted.
    pub column: usize,
    desc: bool,
    nulls_first: bool,
    call: InRange,
}

/// A partition within the node's buffer: its rows and the first rows of its peer groups.
pub struct Partition<'a> {
    pub lo: u32,
    pub hi: u32,
    pub peers: &'a [u32],
}

impl Partition<'_> {
    /// End of peer group `g`.
    fn peer_end(&self, g: usize) -> u32 {
        self.peers.get(g + 1).copied().unwrap_or(self.hi)
    }
}

/// Scratch columns for calls of `in_range` functions.
struct InRange {
    cols: [Column; 5],
    out: Column,
    collation: Collation,
}

impl FrameRule {
    /// From the clause; `column` is the child's column of the first ORDER BY item.
    pub fn new(
        b: &BuildCx<'_>,
        w: &WindowClause,
        column: Option<(usize, Phys, Collation)>,
        desc: bool,
        nulls_first: bool,
    ) -> Result<FrameRule> {
        let o = w.frame_options;
        let bound = |e: &Option<analyze::expr::Expr>, func: Oid, bits: [u32; 3]| -> Result<Bound> {
            Ok(Bound {
                unbounded: o & bits[0] != 0,
                current: o & bits[1] != 0,
                preceding: o & bits[2] != 0,
                offset: e.as_ref().map(|e| compile_one(b.env, e, &NoScope)).transpose()?,
                in_range: func.is_valid().then(|| scalar_kernel(b.env, func)).transpose()?,
                count: 0,
                value: Datum::Null,
            })
        };
        let start = bound(
            &w.start_offset,
            w.start_in_range,
            [f::START_UNBOUNDED_PRECEDING, f::START_CURRENT_ROW, f::START_OFFSET_PRECEDING],
        )?;
        let end = bound(
            &w.end_offset,
            w.end_in_range,
            [f::END_UNBOUNDED_FOLLOWING, f::END_CURRENT_ROW, f::END_OFFSET_PRECEDING],
        )?;
        let (column, phys, collation) = column.unwrap_or((0, Phys::Bool, Collation::NONE));
        let new = Column::new;
        let call = InRange {
            cols: [new(phys), new(phys), new(Phys::Bool), new(Phys::Bool), new(Phys::Bool)],
            out: new(Phys::Bool),
            collation,
        };
        Ok(FrameRule { options: o, start, end, column, desc, nulls_first, call })
    }

    /// Do frames reach from the partition's start to the current row (or its last peer), without holes?
    pub fn is_running(&self) -> bool {
        self.start.unbounded && self.end.current && !self.has_exclusion()
    }
    /// Do frames end at values of the ORDER BY column?
    pub fn by_values(&self) -> bool {
        self.options & f::RANGE != 0 && (self.start.offset.is_some() || self.end.offset.is_some())
    }
    /// Are frames counted in rows?
    pub fn by_rows(&self) -> bool {
        self.options & f::ROWS != 0
    }
    /// EXCLUDE something?
    pub fn has_exclusion(&self) -> bool {
        self.options & (f::EXCLUDE_CURRENT_ROW | f::EXCLUDE_GROUP | f::EXCLUDE_TIES) != 0
    }

    /// Evaluates the offsets, once an execution.
    pub fn start(&mut self, cx: &Exec) -> Result<()> {
        let range = self.options & f::RANGE != 0;
        for (b, name) in [(&mut self.start, "starting"), (&mut self.end, "ending")] {
            let Some(p) = &mut b.offset else { continue };
            let v = p.value_once(cx, 0)?;
            match v.as_ref() {
                DatumRef::Null => {
                    return Err(err!(NULL_VALUE_NOT_ALLOWED, "frame {name} offset must not be null"));
                }
                DatumRef::I64(n) if !range => {
                    if n < 0 {
                        return Err(err!(
                            INVALID_PRECEDING_OR_FOLLOWING_SIZE,
                            "frame {name} offset must not be negative"
                        ));
                    }
                    b.count = n;
                }
                _ => {}
            }
            b.value = v;
        }
        Ok(())
    }

    /// Appends the frames of a partition's rows.
    pub fn frames(
        &mut self,
        cx: &Exec,
        cols: &[Column],
        p: &Partition<'_>,
        out: &mut Vec<Span>,
    ) -> Result<()> {
        let from = out.len();
        let o = self.options;
        if o & f::ROWS != 0 {
            self.rows(p, out);
        } else {
            if self.by_values() {
                self.range(cx, &cols[self.column], p, out)?;
            } else {
                self.groups(p, out);
            }
        }
        for s in &mut out[from..] {
            s.1 = s.1.max(s.0);
        }
        Ok(())
    }

    fn rows(&self, p: &Partition<'_>, out: &mut Vec<Span>) {
        let (lo, hi) = (i64::from(p.lo), i64::from(p.hi));
        let clamp = |x: i64| x.clamp(lo, hi) as u32;
        let (s, e) = (&self.start, &self.end);
        out.extend((lo..hi).map(|i| {
            let a = match s {
                _ if s.unbounded => p.lo,
                _ if s.current => i as u32,
                _ if s.preceding => clamp(i.saturating_sub(s.count)),
                _ => clamp(i.saturating_add(s.count)),
            };
            let b = match e {
                _ if e.unbounded => p.hi,
                _ if e.current => i as u32 + 1,
                _ if e.preceding => clamp((i + 1).saturating_sub(e.count)),
                _ => clamp((i + 1).saturating_add(e.count)),
            };
            (a, b)
        }));
    }

    /// GROUPS, and RANGE without offsets.
    fn groups(&self, p: &Partition<'_>, out: &mut Vec<Span>) {
        let n = p.peers.len() as i64;
        let (s, e) = (&self.start, &self.end);
        for g in 0..p.peers.len() {
            let at = g as i64;
            let a = if s.unbounded {
                p.lo
            } else if s.current {
                p.peers[g]
            } else {
                let k = if s.preceding { at.saturating_sub(s.count) } else { at.saturating_add(s.count) };
                if k >= n { p.hi } else { p.peers[k.max(0) as usize] }
            };
            let b = if e.unbounded {
                p.hi
            } else if e.current {
                p.peer_end(g)
            } else {
                let k = if e.preceding { at.saturating_sub(e.count) } else { at.saturating_add(e.count) };
                if k < 0 { p.lo } else { p.peer_end(k.min(n - 1) as usize) }
            };
            out.extend(std::iter::repeat_n((a, b), (p.peer_end(g) - p.peers[g]) as usize));
        }
    }

    /// RANGE with an offset: both ends only move forward; they are the same for all peers.
    fn range(&mut self, cx: &Exec, col: &Column, p: &Partition<'_>, out: &mut Vec<Span>) -> Result<()> {
        let (mut head, mut tail) = (p.lo, p.lo);
        for g in 0..p.peers.len() {
            let row = p.peers[g];
            if self.start.current {
                head = row;
            } else if !self.start.unbounded {
                head = self.edge(cx, true, col, p.hi, row, head)?;
            }
            if self.end.unbounded {
                tail = p.hi;
            } else if self.end.current {
                tail = p.peer_end(g);
            } else {
                tail = self.edge(cx, false, col, p.hi, row, tail)?;
            }
            out.extend(std::iter::repeat_n((head, tail), (p.peer_end(g) - row) as usize));
        }
        Ok(())
    }

    /// The first row from `at` on where the start (or the end) of `row`'s frame is.
    fn edge(&mut self, cx: &Exec, start: bool, col: &Column, end: u32, row: u32, mut at: u32) -> Result<u32> {
        let now = col.get(row as usize);
        let bound = self.int_bound(start, now);
        while at < end && !self.stop(cx, start, col.get(at as usize), now, bound)? {
            at += 1;
        }
        Ok(at)
    }

    /// RANGE with an offset: has the start (or the end) of the frame of a row of value `now` come when it is at `v`?
    pub fn stop(
        &mut self,
        cx: &Exec,
        start: bool,
        v: DatumRef<'_>,
        now: DatumRef<'_>,
        bound: Option<i128>,
    ) -> Result<bool> {
        let (null, now_null) = (v.is_null(), now.is_null());
        if null || now_null {
            return Ok(match (start, self.nulls_first) {
                (true, true) => !null || now_null,
                (true, false) => null || !now_null,
                (false, true) => !null,
                (false, false) => !now_null,
            });
        }
        if let (Some(bound), Some(v)) = (bound, int_of(v)) {
            return Ok(match (start, self.desc) {
                (true, true) => v <= bound,
                (true, false) => v >= bound,
                (false, true) => v < bound,
                (false, false) => v > bound,
            });
        }
        let b = if start { &self.start } else { &self.end };
        let (sub, less) = (b.preceding != self.desc, start == self.desc);
        Ok(self.call.call(cx, b.in_range, v, now, &b.value, sub, less)? == start)
    }

    /// Integers with a non-negative integer offset: the value the frame ends at. (A date's or timestamp's offset is an
    /// interval; a NULL row's bound is never looked at.)
    pub fn int_bound(&self, start: bool, now: DatumRef<'_>) -> Option<i128> {
        let b = if start { &self.start } else { &self.end };
        let o = int_of(b.value.as_ref()).filter(|o| *o >= 0)?;
        let v = int_of(now)?;
        Some(if b.preceding != self.desc { v - o } else { v + o })
    }

    /// The frame of row `i` without what is excluded; `peers` are the row's peers.
    pub fn spans<T: Copy + Ord + Default + Add<Output = T> + From<u8>>(
        &self,
        i: T,
        (lo, hi): (T, T),
        peers: (T, T),
    ) -> [(T, T); 3] {
        let next = i + T::from(1);
        let (a, b) = if self.options & f::EXCLUDE_CURRENT_ROW != 0 { (i, next) } else { peers };
        let keep = self.options & f::EXCLUDE_TIES != 0 && lo <= i && i < hi;
        let keep = if keep { (i, next) } else { (T::default(), T::default()) };
        let first = (lo, hi.min(a).max(lo));
        let last_lo = lo.max(b);
        [first, keep, (last_lo, hi.max(last_lo))]
    }
}

/// Value of an integer.
#[inline]
fn int_of(v: DatumRef<'_>) -> Option<i128> {
    match v {
        DatumRef::I16(v) => Some(i128::from(v)),
        DatumRef::I32(v) => Some(i128::from(v)),
        DatumRef::I64(v) => Some(i128::from(v)),
        _ => None,
    }
}

impl InRange {
    /// `in_range(value, base, offset, sub, less)`.
    fn call(
        &mut self,
        cx: &Exec,
        f: Option<ScalarKernel>,
        value: DatumRef<'_>,
        base: DatumRef<'_>,
        offset: &Datum,
        sub: bool,
        less: bool,
    ) -> Result<bool> {
        let Some(f) = f else { return Err(common::Error::internal("executor: no in_range function")) };
        if self.cols[2].phys() != phys_of(offset) {
            self.cols[2] = Column::new(phys_of(offset));
        }
        let values = [value, base, offset.as_ref(), DatumRef::Bool(sub), DatumRef::Bool(less)];
        for (c, v) in self.cols.iter_mut().zip(values) {
            c.clear();
            c.push(v);
        }
        self.out.clear();
        let args = self.cols.each_ref().map(|col| Arg { col, konst: false });
        let out = &mut self.out;
        cx.env.with_call_ctx(self.collation, |ctx| f(ctx, &args, Rows::All(1), out))?;
        Ok(matches!(&self.out.data, ColumnData::Bool(v) if v[0]) && !self.out.nulls.get(0))
    }
}

fn phys_of(d: &Datum) -> Phys {
    crate::node::group::phys_of(d.as_ref())
}
