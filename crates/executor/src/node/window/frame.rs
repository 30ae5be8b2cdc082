//! Frames: for every row of a partition the rows its window functions see, as spans of row numbers.

use crate::expr::compile::scalar_kernel;
use crate::expr::{NoScope, Program, compile_one};
use crate::node::BuildCx;
use crate::run::Exec;
use analyze::clause::frame as f;
use analyze::query::WindowClause;
use common::{Oid, Result, err};
use types::agg::{Span, Spans};
use types::{Arg, Collation, Column, ColumnData, Datum, DatumRef, Phys, Rows, ScalarKernel};

/// One end of a frame.
struct Bound {
    unbounded: bool,
    current: bool,
    preceding: bool,
    offset: Option<Program>,
    in_range: Option<ScalarKernel>,
    /// ROWS and GROUPS.
    count: i64,
    /// RANGE.
    value: Datum,
}

/// How the frames of a window are made.
pub struct FrameRule {
    options: u32,
    start: Bound,
    end: Bound,
    /// The ORDER BY column of RANGE offsets, and how it is sorted.
    column: usize,
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
            let offsets = self.start.offset.is_some() || self.end.offset.is_some();
            if o & f::GROUPS != 0 || !offsets {
                self.groups(p, out);
            } else {
                self.range(cx, &cols[self.column], p, out)?;
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
                head = self.head(cx, col, p.hi, row, head)?;
            }
            if self.end.unbounded {
                tail = p.hi;
            } else if self.end.current {
                tail = p.peer_end(g);
            } else {
                tail = self.tail(cx, col, p.hi, row, tail)?;
            }
            out.extend(std::iter::repeat_n((head, tail), (p.peer_end(g) - row) as usize));
        }
        Ok(())
    }

    fn head(&mut self, cx: &Exec, col: &Column, end: u32, row: u32, mut head: u32) -> Result<u32> {
        let now_null = col.nulls.get(row as usize);
        let sub = self.start.preceding != self.desc;
        if let Some(bound) = int_bound(col, row, &self.start.value, sub) {
            while head < end {
                let stop = match int_at(col, head) {
                    Some(v) if !now_null => {
                        if self.desc {
                            v <= bound
                        } else {
                            v >= bound
                        }
                    }
                    v => {
                        if self.nulls_first {
                            v.is_some() || now_null
                        } else {
                            v.is_none() || !now_null
                        }
                    }
                };
                if stop {
                    break;
                }
                head += 1;
            }
            return Ok(head);
        }
        while head < end {
            let null = col.nulls.get(head as usize);
            let stop = if null || now_null {
                if self.nulls_first { !null || now_null } else { null || !now_null }
            } else {
                let f = self.start.in_range;
                self.call.call(cx, f, col, head, row, &self.start.value, sub, self.desc)?
            };
            if stop {
                break;
            }
            head += 1;
        }
        Ok(head)
    }

    fn tail(&mut self, cx: &Exec, col: &Column, end: u32, row: u32, mut tail: u32) -> Result<u32> {
        let now_null = col.nulls.get(row as usize);
        let sub = self.end.preceding != self.desc;
        if let Some(bound) = int_bound(col, row, &self.end.value, sub) {
            while tail < end {
                let stop = match int_at(col, tail) {
                    Some(v) if !now_null => {
                        if self.desc {
                            v < bound
                        } else {
                            v > bound
                        }
                    }
                    v => {
                        if self.nulls_first {
                            v.is_some()
                        } else {
                            !now_null
                        }
                    }
                };
                if stop {
                    break;
                }
                tail += 1;
            }
            return Ok(tail);
        }
        while tail < end {
            let null = col.nulls.get(tail as usize);
            let stop = if null || now_null {
                if self.nulls_first { !null } else { !now_null }
            } else {
                let f = self.end.in_range;
                !self.call.call(cx, f, col, tail, row, &self.end.value, sub, !self.desc)?
            };
            if stop {
                break;
            }
            tail += 1;
        }
        Ok(tail)
    }

    /// The frame of row `i` without what is excluded; `peers` are the row's peers.
    pub fn spans(&self, i: u32, (lo, hi): Span, peers: Span) -> Spans {
        let (a, b) = if self.options & f::EXCLUDE_CURRENT_ROW != 0 { (i, i + 1) } else { peers };
        let keep = if self.options & f::EXCLUDE_TIES != 0 && lo <= i && i < hi { (i, i + 1) } else { (0, 0) };
        let first = (lo, hi.min(a).max(lo));
        let last_lo = lo.max(b);
        [first, keep, (last_lo, hi.max(last_lo))]
    }
}

/// Value of an integer column.
#[inline]
fn int_at(col: &Column, i: u32) -> Option<i128> {
    let i = i as usize;
    if col.nulls.get(i) {
        return None;
    }
    match &col.data {
        ColumnData::I16(v) => Some(i128::from(v[i])),
        ColumnData::I32(v) => Some(i128::from(v[i])),
        ColumnData::I64(v) => Some(i128::from(v[i])),
        _ => None,
    }
}

/// Integer columns with a non-negative integer offset: the value the frame ends at. (A date's or timestamp's offset is
/// an interval; a NULL row's bound is never looked at.)
fn int_bound(col: &Column, row: u32, offset: &Datum, sub: bool) -> Option<i128> {
    let o = match offset {
        Datum::I16(x) => i128::from(*x),
        Datum::I32(x) => i128::from(*x),
        Datum::I64(x) => i128::from(*x),
        _ => return None,
    };
    if o < 0 || !matches!(col.data, ColumnData::I16(_) | ColumnData::I32(_) | ColumnData::I64(_)) {
        return None;
    }
    let v = int_at(col, row).unwrap_or(0);
    Some(if sub { v - o } else { v + o })
}

impl InRange {
    /// `in_range(value at i, value at base, offset, sub, less)`.
    fn call(
        &mut self,
        cx: &Exec,
        f: Option<ScalarKernel>,
        col: &Column,
        i: u32,
        base: u32,
        offset: &Datum,
        sub: bool,
        less: bool,
    ) -> Result<bool> {
        let Some(f) = f else { return Err(common::Error::internal("executor: no in_range function")) };
        if self.cols[2].phys() != phys_of(offset) {
            self.cols[2] = Column::new(phys_of(offset));
        }
        let values = [
            col.get(i as usize),
            col.get(base as usize),
            offset.as_ref(),
            DatumRef::Bool(sub),
            DatumRef::Bool(less),
        ];
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
