//! Window functions over spooled rows ([`super::big`]): the same results as over columns, row by row through cursors.

use super::*;
use crate::node::window::big::{Block, Wide};
use crate::node::window::spool::{Cursor, Row, Spool};

/// Where a call's arguments and its filter's answers are in a spool, and how far the call has come there.
#[derive(Default)]
pub struct Places {
    args: Vec<Option<usize>>,
    pass: Option<usize>,
    /// The frame that the aggregate's state holds; `None`: nothing yet.
    at: Option<Wide>,
    enter: Cursor,
    leave: Cursor,
}

impl Call {
    /// Names the spool's columns that this call brings along, beginning with `next`, and appends their kinds.
    pub fn places(&self, next: &mut usize, kinds: &mut Vec<Phys>, continued: bool) -> Places {
        let mut add = |phys: Phys| {
            kinds.push(phys);
            *next += 1;
            *next - 1
        };
        let args = self
            .args
            .iter()
            .map(|a| match a {
                ArgAt::Buffer(k) => Some(*k),
                ArgAt::Own(c) => Some(add(c.phys())),
                ArgAt::Const(_) => None,
            })
            .collect();
        let pass = self.filter.is_some().then(|| add(Phys::Bool));
        // A state that goes on holds rows from before the spool.
        let at = continued.then_some((0, 0)).filter(|_| matches!(self.kind, Kind::Agg(_)));
        Places { args, pass, at, ..Places::default() }
    }

    /// The columns named by [`Call::places`], in that order; `pass` is [`Call::pass_column`].
    pub fn spooled<'a>(&'a self, pass: Option<&'a Column>, out: &mut Vec<&'a Column>) {
        out.extend(self.args.iter().filter_map(|a| match a {
            ArgAt::Own(c) => Some(c),
            _ => None,
        }));
        out.extend(pass);
    }

    /// FILTER's answers of the first `n` rows as a column.
    pub fn pass_column(&self, n: usize) -> Option<Column> {
        self.filter.as_ref()?;
        let mut c = Column::new(Phys::Bool);
        c.data = ColumnData::Bool(self.pass[..n].to_vec());
        Some(c)
    }

    /// Bytes that rows waiting here take, a row's results included.
    pub fn memory(&self) -> usize {
        let own = self.args.iter().map(|a| match a {
            ArgAt::Own(c) => c.memory(),
            _ => 0,
        });
        own.sum::<usize>() + self.pass.len()
    }

    /// Gives the memory of arguments back; there are no rows.
    pub fn release(&mut self) {
        for a in &mut self.args {
            if let ArgAt::Own(c) = a {
                *c = Column::new(c.phys());
            }
        }
    }

    /// Does it ask for each row's peers?
    pub fn wants_peers(&self) -> bool {
        matches!(self.kind, Kind::PercentRank | Kind::CumeDist)
    }

    /// Computes `out` for the rows of a block.
    pub fn compute_block(
        &mut self,
        cx: &Exec,
        b: &Block<'_>,
        p: &mut Places,
        rule: &FrameRule,
    ) -> Result<()> {
        self.out.clear();
        match &mut self.kind {
            Kind::RowNumber | Kind::Rank | Kind::DenseRank => {
                self.ranks(b.flags);
                Ok(())
            }
            Kind::PercentRank | Kind::CumeDist => {
                self.distribution_of(b);
                Ok(())
            }
            Kind::Ntile => self.ntile_of(b, p),
            Kind::Lag => self.shift_of(b, p, -1),
            Kind::Lead => self.shift_of(b, p, 1),
            Kind::First | Kind::Last | Kind::Nth => self.fetch_of(b, p, rule),
            Kind::Agg(_) => self.aggregate_of(cx, b, p, rule),
        }
    }

    fn distribution_of(&mut self, b: &Block<'_>) {
        let ColumnData::F64(out) = &mut self.out.data else { return };
        let percent = matches!(self.kind, Kind::PercentRank);
        let total = b.spool.rows as f64;
        out.extend(b.peers.iter().map(|&(lo, hi)| match percent {
            false => hi as f64 / total,
            true if b.spool.rows <= 1 => 0.0,
            true => lo as f64 / (total - 1.0),
        }));
    }

    fn ntile_of(&mut self, b: &Block<'_>, p: &Places) -> Result<()> {
        if b.first == 0 {
            self.tile = None;
        }
        let arg = arg_of(&self.args[0], p.args[0], b.batch);
        for i in 0..b.batch.rows {
            let v = tile(&mut self.tile, arg.get(i), b.spool.rows as i64)?;
            self.out.push(v.map_or(DatumRef::Null, DatumRef::I32));
        }
        Ok(())
    }

    fn shift_of(&mut self, b: &Block<'_>, p: &mut Places, sign: i64) -> Result<()> {
        let here = |k: usize| self.args.get(k).map(|a| arg_of(a, p.args[k], b.batch));
        let (offset, default) = (here(1), here(2));
        for i in 0..b.batch.rows {
            let Some(k) = offset.map_or(Some(1), |o| int4(o.get(i))) else {
                self.out.push(DatumRef::Null);
                continue;
            };
            let row = (b.first + i as Row) as i64 + sign * i64::from(k);
            if row < 0 || row as Row >= b.spool.rows {
                self.out.push(default.map_or(DatumRef::Null, |d| d.get(i)));
                continue;
            }
            let at = p.enter.seek(b.spool, row as Row)?;
            self.out.push(arg_of(&self.args[0], p.args[0], &p.enter.batch).get(at));
        }
        Ok(())
    }

    fn fetch_of(&mut self, b: &Block<'_>, p: &mut Places, rule: &FrameRule) -> Result<()> {
        let holes = rule.has_exclusion();
        let nth = self.args.get(1).map(|a| arg_of(a, p.args[1], b.batch));
        for i in 0..b.batch.rows {
            let spans: &[Wide] = if holes { &b.spans[i] } else { &b.frames[i..=i] };
            match hit(&self.kind, spans, nth.and_then(|a| int4(a.get(i))))? {
                Some(row) => {
                    let at = p.enter.seek(b.spool, row)?;
                    self.out.push(arg_of(&self.args[0], p.args[0], &p.enter.batch).get(at));
                }
                None => self.out.push(DatumRef::Null),
            }
        }
        Ok(())
    }

    fn aggregate_of(&mut self, cx: &Exec, b: &Block<'_>, p: &mut Places, rule: &FrameRule) -> Result<()> {
        let Kind::Agg(a) = &mut self.kind else { return Ok(()) };
        let ctx = CallCtx {
            collation: self.collation,
            result_type: self.result_type,
            arg_types: &self.arg_types,
            ..cx.call_ctx()
        };
        let Places { args: cols, pass, at, enter, leave } = p;
        let source = Source { cx, ctx, args: &self.args, cols, pass: *pass, spool: b.spool };
        let mut given = false;
        for i in 0..b.batch.rows {
            let (lo, hi) = b.frames[i];
            if rule.has_exclusion() {
                a.state.restart();
                for s in &b.spans[i] {
                    source.feed(&mut *a.state, enter, *s, true)?;
                }
                self.out.push(a.state.finish(&source.ctx, 0)?.as_ref());
                continue;
            }
            match *at {
                Some(p) if p == (lo, hi) && given => {
                    self.out.repeat_last();
                    continue;
                }
                Some((l, h)) if l == lo && h <= hi => {
                    source.feed(&mut *a.state, enter, (h, hi), true)?;
                }
                Some((l, h))
                    if l < lo
                        && lo < h
                        && h <= hi
                        && source.feed(&mut *a.state, leave, (l, lo), false)? =>
                {
                    source.feed(&mut *a.state, enter, (h, hi), true)?;
                }
                _ => {
                    a.state.restart();
                    source.feed(&mut *a.state, enter, (lo, hi), true)?;
                }
            }
            *at = Some((lo, hi));
            self.out.push(a.state.finish(&source.ctx, 0)?.as_ref());
            given = true;
        }
        // Rows in memory that go on with the partition find everything before them in the state.
        a.at = Some((0, 0));
        Ok(())
    }
}

/// Where an aggregate's input comes from.
struct Source<'a> {
    cx: &'a Exec,
    ctx: CallCtx<'a>,
    args: &'a [ArgAt],
    cols: &'a [Option<usize>],
    pass: Option<usize>,
    spool: &'a Spool,
}

impl Source<'_> {
    /// Adds rows to the state or takes them back; false if that cannot be done.
    fn feed(&self, state: &mut dyn AggState, from: &mut Cursor, (lo, hi): Wide, add: bool) -> Result<bool> {
        from.pieces(self.spool, lo, hi, |batch, lo, hi| {
            self.cx.check_interrupts()?;
            let args: Vec<Arg<'_>> =
                self.args.iter().zip(self.cols).map(|(a, c)| arg_of(a, *c, batch)).collect();
            let pass = self.pass.map(|c| bools(&batch.cols[c]));
            state.span(&self.ctx, &args, pass, (lo, hi), add)
        })
    }
}

fn bools(c: &Column) -> &[bool] {
    match &c.data {
        ColumnData::Bool(v) => v,
        _ => &[],
    }
}

/// An argument in a batch of the spool.
fn arg_of<'a>(a: &'a ArgAt, col: Option<usize>, b: &'a Batch) -> Arg<'a> {
    match (a, col) {
        (ArgAt::Const(col), _) | (ArgAt::Own(col), None) => Arg { col, konst: true },
        (_, Some(k)) => Arg { col: &b.cols[k], konst: false },
        (ArgAt::Buffer(k), None) => Arg { col: &b.cols[*k], konst: false },
    }
}
