//! The functions of a window: ranking functions, functions that fetch another row's value, aggregates over frames.

mod spooled;

pub use spooled::Places;

use super::frame::FrameRule;
use super::{NEW_PARTITION, NEW_PEER};
use crate::expr::Src;
use crate::expr::qual::Qual;
use crate::expr::{Program, colops, compile};
use crate::node::own_aggregate::Maker;
use crate::node::{BuildCx, OuterScope};
use crate::run::Exec;
use analyze::expr::WindowFunc;
use analyze::info::expr_type;
use common::{Oid, Result, err};
use std::ops::{Add, Sub};
use types::agg::{Span, Spans};
use types::{AggState, Arg, Batch, CallCtx, Collation, Column, ColumnData, DatumRef, Phys};

/// Where an argument's values are.
enum ArgAt {
    /// Column of the node's buffer.
    Buffer(usize),
    /// Computed as rows come in, in parallel with the buffer.
    Own(Column),
    /// One value for all rows.
    Const(Column),
}

enum Kind {
    RowNumber,
    Rank,
    DenseRank,
    PercentRank,
    CumeDist,
    Ntile,
    Lag,
    Lead,
    First,
    Last,
    Nth,
    Agg(Agg),
}

struct Agg {
    state: Box<dyn AggState>,
    at: Option<Span>,
}

/// Counters of the ranking functions, carried from chunk to chunk.
#[derive(Default)]
struct Rank {
    row: i64,
    rank: i64,
    dense: i64,
}

/// Where ntile is: the bucket, the rows in it so far, how many rows a bucket has, how many buckets have one more.
struct Tile {
    bucket: i32,
    filled: i64,
    per: i64,
    more: i64,
}

/// A window function call.
pub struct Call {
    kind: Kind,
    prog: Program,
    args: Vec<ArgAt>,
    filter: Option<Qual>,
    pass: Vec<bool>,
    rank: Rank,
    tile: Option<Tile>,
    pub phys: Phys,
    pub out: Column,
    arg_types: Vec<Oid>,
    result_type: Oid,
    collation: Collation,
}

/// Complete rows `0..rows` of the buffer, to be computed in one go.
pub struct Chunk<'a> {
    pub rows: usize,
    pub flags: &'a [u8],
    /// Whole partitions (not for streamed chunks).
    pub parts: &'a [Span],
    /// Each row's frame, if any call wants it, and frames with holes instead where rows are excluded.
    pub frames: &'a [Span],
    pub spans: &'a [Spans],
    pub cols: &'a [Column],
    /// The chunk goes on with the partition of the one before.
    pub continued: bool,
}

impl Call {
    pub fn compile(b: &BuildCx<'_>, w: &WindowFunc) -> Result<Call> {
        let prog = compile(b.env, w.args.iter(), &OuterScope)?;
        let args = (0..w.args.len())
            .map(|k| match prog.outs[k] {
                Src::Col(c) => ArgAt::Buffer(c as usize),
                s if s.is_konst() => ArgAt::Const(Column::new(prog.phys[k])),
                _ => ArgAt::Own(Column::new(prog.phys[k])),
            })
            .collect();
        let filter = match &w.filter {
            Some(f) => Qual::compile(b.env, std::slice::from_ref(&**f), &OuterScope)?,
            None => None,
        };
        let arg_types: Vec<Oid> = w.args.iter().map(expr_type).collect();
        let collation = b.env.collation(w.input_collation)?;
        let kind = match w.winfnoid.0 {
            3100 => Kind::RowNumber,
            3101 => Kind::Rank,
            3102 => Kind::DenseRank,
            3103 => Kind::PercentRank,
            3104 => Kind::CumeDist,
            3105 => Kind::Ntile,
            3106..=3108 => Kind::Lag,
            3109..=3111 => Kind::Lead,
            3112 => Kind::First,
            3113 => Kind::Last,
            3114 => Kind::Nth,
            _ => {
                let imp = Maker::of(b.env, w.winfnoid, &arg_types, w.result_type, collation)?;
                Kind::Agg(Agg { state: imp.make(&arg_types, w.result_type, collation), at: None })
            }
        };
        let phys = b.env.phys(w.result_type)?;
        // lag and lead over bpchar and the like were converted by the analysis: kinds agree.
        Ok(Call {
            kind,
            prog,
            args,
            filter,
            pass: Vec::new(),
            rank: Rank::default(),
            tile: None,
            phys,
            out: Column::new(phys),
            arg_types,
            result_type: w.result_type,
            collation,
        })
    }

    /// Does it look at frames?
    pub fn wants_frames(&self) -> bool {
        matches!(self.kind, Kind::First | Kind::Last | Kind::Nth | Kind::Agg(_))
    }
    /// Can rows be finished before their partition is complete, if frames only run up to the current row?
    pub fn streams(&self) -> bool {
        matches!(self.kind, Kind::RowNumber | Kind::Rank | Kind::DenseRank | Kind::Agg(_))
    }

    /// Forgets everything.
    pub fn reset(&mut self) {
        self.pass.clear();
        self.rank = Rank::default();
        self.tile = None;
        self.out.clear();
        if let Kind::Agg(a) = &mut self.kind {
            a.at = None;
        }
        for a in &mut self.args {
            if let ArgAt::Own(c) | ArgAt::Const(c) = a {
                c.clear();
            }
        }
    }

    /// Takes the arguments of the live rows of `b` in.
    pub fn take(&mut self, cx: &Exec, b: &mut Batch) -> Result<()> {
        if let Some(f) = &mut self.filter {
            let saved = b.sel.clone();
            let base = self.pass.len();
            let n = b.live_count();
            self.pass.resize(base + n, false);
            f.filter(cx, b)?;
            let mut left = 0;
            for k in 0..n {
                let row = saved.as_ref().map_or(k, |s| s[k] as usize);
                if left < b.live_count() && colops::nth_live(b, left) == row {
                    self.pass[base + k] = true;
                    left += 1;
                }
            }
            // Arguments are evaluated for rows that pass only; the others hold nothing that is looked at.
            let r = self.take_args(cx, b, saved.as_deref(), n);
            b.sel = saved;
            return r;
        }
        let n = b.live_count();
        self.prog.run(cx, b, b.live())?;
        for (k, a) in self.args.iter_mut().enumerate() {
            match a {
                ArgAt::Buffer(_) => {}
                ArgAt::Own(c) => colops::append_rows(c, self.prog.result(k, b).col, b.live()),
                ArgAt::Const(c) => {
                    if c.is_empty() && n > 0 {
                        c.push(self.prog.result(k, b).get(0));
                    }
                }
            }
        }
        Ok(())
    }

    /// With FILTER: `b`'s selection holds the rows that pass; all `n` rows of `all` get a place.
    fn take_args(&mut self, cx: &Exec, b: &Batch, all: Option<&[u16]>, n: usize) -> Result<()> {
        if b.live_count() > 0 {
            self.prog.run(cx, b, b.live())?;
        }
        for (k, a) in self.args.iter_mut().enumerate() {
            match a {
                ArgAt::Buffer(_) => {}
                ArgAt::Const(c) => {
                    if c.is_empty() && b.live_count() > 0 {
                        c.push(self.prog.result(k, b).get(0));
                    }
                }
                ArgAt::Own(c) => {
                    let mut left = 0;
                    for j in 0..n {
                        let row = all.map_or(j, |s| s[j] as usize);
                        if left < b.live_count() && colops::nth_live(b, left) == row {
                            c.push(self.prog.result(k, b).get(row));
                            left += 1;
                        } else {
                            c.push(DatumRef::Null);
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// Drops the first `n` rows.
    pub fn drop_rows(&mut self, n: usize, total: usize) {
        if !self.pass.is_empty() {
            self.pass.drain(..n);
        }
        for a in &mut self.args {
            if let ArgAt::Own(c) = a {
                super::drop_front(c, n, total);
            }
        }
        if let Kind::Agg(a) = &mut self.kind {
            // What the state holds lies before the new first row.
            a.at = a.at.map(|_| (0, 0));
        }
    }

    /// Computes `out` for the rows of a chunk.
    pub fn compute(&mut self, cx: &Exec, c: &Chunk<'_>, rule: &FrameRule) -> Result<()> {
        self.out.clear();
        match &mut self.kind {
            Kind::RowNumber | Kind::Rank | Kind::DenseRank => self.ranks(&c.flags[..c.rows]),
            Kind::PercentRank | Kind::CumeDist => self.distribution(c),
            Kind::Ntile => return self.ntile(c),
            Kind::Lag => return self.shift(c, -1),
            Kind::Lead => return self.shift(c, 1),
            Kind::First | Kind::Last | Kind::Nth => return self.fetch(c, rule),
            Kind::Agg(_) => return self.aggregate(cx, c, rule),
        }
        Ok(())
    }

    fn ranks(&mut self, flags: &[u8]) {
        let ColumnData::I64(out) = &mut self.out.data else { return };
        let r = &mut self.rank;
        let which = match self.kind {
            Kind::RowNumber => 0,
            Kind::Rank => 1,
            _ => 2,
        };
        for f in flags {
            if f & NEW_PARTITION != 0 {
                *r = Rank::default();
            }
            r.row += 1;
            if f & NEW_PEER != 0 {
                r.rank = r.row;
                r.dense += 1;
            }
            out.push([r.row, r.rank, r.dense][which]);
        }
    }

    fn distribution(&mut self, c: &Chunk<'_>) {
        let ColumnData::F64(out) = &mut self.out.data else { return };
        let percent = matches!(self.kind, Kind::PercentRank);
        for &(lo, hi) in c.parts {
            let total = f64::from(hi - lo);
            let mut i = lo;
            while i < hi {
                let mut end = i + 1;
                while end < hi && c.flags[end as usize] & NEW_PEER == 0 {
                    end += 1;
                }
                let v = if !percent {
                    f64::from(end - lo) / total
                } else if hi - lo <= 1 {
                    0.0
                } else {
                    f64::from(i - lo) / (total - 1.0)
                };
                out.extend(std::iter::repeat_n(v, (end - i) as usize));
                i = end;
            }
        }
    }

    fn ntile(&mut self, c: &Chunk<'_>) -> Result<()> {
        let arg = arg_at(&self.args[0], c);
        for &(lo, hi) in c.parts {
            self.tile = None;
            for i in lo..hi {
                let v = tile(&mut self.tile, arg.get(i as usize), i64::from(hi - lo))?;
                self.out.push(v.map_or(DatumRef::Null, DatumRef::I32));
            }
        }
        Ok(())
    }

    /// lag, lead.
    fn shift(&mut self, c: &Chunk<'_>, sign: i64) -> Result<()> {
        let value = arg_at(&self.args[0], c);
        let offset = self.args.get(1).map(|a| arg_at(a, c));
        let default = self.args.get(2).map(|a| arg_at(a, c));
        let out = &mut self.out;
        for &(lo, hi) in c.parts {
            if offset.is_none_or(|o| o.konst) && !value.konst {
                let k = match offset.map(|o| o.get(0)) {
                    None => 1,
                    Some(DatumRef::I32(k)) => i64::from(k),
                    Some(_) => {
                        (lo..hi).for_each(|_| out.push(DatumRef::Null));
                        continue;
                    }
                } * sign;
                // Rows lo+k .. hi+k, cut to the partition, with the default around them.
                let from = (i64::from(lo) + k).clamp(i64::from(lo), i64::from(hi)) as usize;
                let to = (i64::from(hi) + k).clamp(i64::from(lo), i64::from(hi)) as usize;
                let missing = (hi - lo) as usize - (to - from);
                let fill = |out: &mut Column, first: u32, n: usize| {
                    (first..first + n as u32)
                        .for_each(|i| out.push(default.map_or(DatumRef::Null, |d| d.get(i as usize))));
                };
                if k < 0 {
                    fill(out, lo, missing);
                }
                colops::append_range(out, value.col, from, to);
                if k >= 0 {
                    fill(out, hi - missing as u32, missing);
                }
                continue;
            }
            for i in lo..hi {
                let v = match offset.map_or(DatumRef::I32(1), |o| o.get(i as usize)) {
                    DatumRef::I32(k) => {
                        let j = i64::from(i) + sign * i64::from(k);
                        if (i64::from(lo)..i64::from(hi)).contains(&j) {
                            value.get(j as usize)
                        } else {
                            default.map_or(DatumRef::Null, |d| d.get(i as usize))
                        }
                    }
                    _ => DatumRef::Null,
                };
                out.push(v);
            }
        }
        Ok(())
    }

    /// first_value, last_value, nth_value.
    fn fetch(&mut self, c: &Chunk<'_>, rule: &FrameRule) -> Result<()> {
        let value = arg_at(&self.args[0], c);
        let nth = self.args.get(1).map(|a| arg_at(a, c));
        let holes = rule.has_exclusion();
        let out = &mut self.out;
        for i in 0..c.rows {
            let whole = [c.frames[i], (0, 0), (0, 0)];
            let spans: &Spans = if holes { &c.spans[i] } else { &whole };
            let k = hit(&self.kind, spans, nth.and_then(|a| int4(a.get(i))))?;
            out.push(k.map_or(DatumRef::Null, |k| value.get(k as usize)));
        }
        Ok(())
    }

    fn aggregate(&mut self, cx: &Exec, c: &Chunk<'_>, rule: &FrameRule) -> Result<()> {
        let Kind::Agg(a) = &mut self.kind else { return Ok(()) };
        let ctx = CallCtx {
            collation: self.collation,
            result_type: self.result_type,
            arg_types: &self.arg_types,
            ..cx.call_ctx()
        };
        let args: Vec<Arg<'_>> = self.args.iter().map(|x| arg_at(x, c)).collect();
        let pass = self.filter.is_some().then_some(self.pass.as_slice());
        if rule.has_exclusion() {
            return a.state.over_spans(&ctx, &args, pass, c.spans, &mut self.out);
        }
        if !c.continued {
            a.at = None;
        }
        a.state.slide(&ctx, &args, pass, c.frames, &mut a.at, &mut self.out)
    }
}

/// ntile's next row, in a partition of `total` rows.
fn tile(state: &mut Option<Tile>, arg: DatumRef<'_>, total: i64) -> Result<Option<i32>> {
    let t = match state {
        Some(t) => t,
        None => {
            let DatumRef::I32(n) = arg else { return Ok(None) };
            if n <= 0 {
                return Err(err!(INVALID_ARGUMENT_FOR_NTILE, "argument of ntile must be greater than zero"));
            }
            let n = i64::from(n);
            let more = if total < n { 0 } else { total % n };
            state.insert(Tile { bucket: 1, filled: 0, per: (total / n).max(1), more })
        }
    };
    if t.filled == t.per + i64::from(t.more > 0) {
        t.bucket += 1;
        t.filled = 0;
        t.more = (t.more - 1).max(0);
    }
    t.filled += 1;
    Ok(Some(t.bucket))
}

/// The row of a frame that first_value, last_value or nth_value look at. `n` of nth_value: `None` is NULL.
fn hit<T>(kind: &Kind, spans: &[(T, T)], n: Option<i32>) -> Result<Option<T>>
where
    T: Copy + Ord + Add<Output = T> + Sub<Output = T> + From<u8> + TryFrom<i32>,
{
    match kind {
        Kind::Last => Ok(spans.iter().rev().find(|s| s.1 > s.0).map(|s| s.1 - T::from(1))),
        Kind::First => Ok(spans.iter().find(|s| s.1 > s.0).map(|s| s.0)),
        _ => {
            let Some(n) = n else { return Ok(None) };
            if n <= 0 {
                return Err(err!(
                    INVALID_ARGUMENT_FOR_NTH_VALUE,
                    "argument of nth_value must be greater than zero"
                ));
            }
            let Ok(mut left) = T::try_from(n - 1) else { return Ok(None) };
            Ok(spans.iter().find_map(|s| {
                if left < s.1 - s.0 {
                    return Some(s.0 + left);
                }
                left = left - (s.1 - s.0);
                None
            }))
        }
    }
}

fn int4(d: DatumRef<'_>) -> Option<i32> {
    match d {
        DatumRef::I32(n) => Some(n),
        _ => None,
    }
}

fn arg_at<'a>(a: &'a ArgAt, c: &Chunk<'a>) -> Arg<'a> {
    match a {
        ArgAt::Buffer(k) => Arg { col: &c.cols[*k], konst: false },
        ArgAt::Own(col) => Arg { col, konst: false },
        ArgAt::Const(col) => Arg { col, konst: true },
    }
}
