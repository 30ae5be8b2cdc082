//! A partition (or peer group) that does not fit into memory: its rows are in a [`Spool`], and results are made for a block
//! of rows at a time. Every function has cursors of its own where it looks; frames move forward, so their ends do too.

use super::NEW_PEER;
use super::frame::FrameRule;
use super::func::{Call, Places};
use super::spool::{Cursor, Row, Spool};
use crate::run::Exec;
use common::Result;
use std::rc::Rc;
use types::{Batch, ColumnData};

/// Rows `.0 .. .1` of a spool.
pub type Wide = (Row, Row);

/// What functions are given for a block of rows.
pub struct Block<'a> {
    pub spool: &'a Spool,
    /// The block's first row and its rows.
    pub first: Row,
    pub batch: &'a Batch,
    pub flags: &'a [u8],
    /// Each row's frame, frames with holes instead where rows are excluded, and peers; if any call wants them.
    pub frames: &'a [Wide],
    pub spans: &'a [[Wide; 3]],
    pub peers: &'a [Wide],
}

/// First rows of peer groups, asked for in ascending order.
#[derive(Default)]
struct Groups {
    group: i64,
    row: Row,
    cursor: Cursor,
}

impl Groups {
    /// Where peer group `target` begins; the number of rows if there is none.
    fn start_of(&mut self, s: &Spool, flags: usize, target: i64) -> Result<Row> {
        while self.group < target && self.row < s.rows {
            self.row += 1;
            while self.row < s.rows {
                let at = self.cursor.seek(s, self.row)?;
                let f = flags_of(&self.cursor.batch, flags);
                match f[at..].iter().position(|f| *f & NEW_PEER as i8 != 0) {
                    Some(k) => {
                        self.row += k as Row;
                        break;
                    }
                    None => self.row += (f.len() - at) as Row,
                }
            }
            self.group += 1;
        }
        Ok(match target {
            ..=0 => 0,
            _ if self.group < target => s.rows,
            _ => self.row,
        })
    }
}

fn flags_of(b: &Batch, col: usize) -> &[i8] {
    match &b.cols[col].data {
        ColumnData::I8(v) => v,
        _ => &[],
    }
}

/// One moving end of RANGE frames.
#[derive(Default)]
struct Edge {
    row: Row,
    cursor: Cursor,
}

/// A spooled partition on its way out.
pub struct Big {
    pub spool: Spool,
    /// The spool's column of row flags.
    flags_col: usize,
    /// Where each call's columns are.
    places: Vec<Places>,
    next_block: usize,
    /// The peer group of the last row looked at: its number and its rows.
    group: i64,
    peers_now: Wide,
    frame_now: Wide,
    head: Groups,
    tail: Groups,
    peer_end: Groups,
    edges: [Edge; 2],
    now: Cursor,

    pub batch: Rc<Batch>,
    flags: Vec<u8>,
    frames: Vec<Wide>,
    spans: Vec<[Wide; 3]>,
    peers: Vec<Wide>,
}

impl Big {
    /// Rows are to be appended to the spool yet.
    pub fn new(spool: Spool, flags_col: usize, places: Vec<Places>) -> Big {
        Big {
            spool,
            flags_col,
            places,
            next_block: 0,
            group: 0,
            peers_now: (0, 0),
            frame_now: (0, 0),
            head: Groups::default(),
            tail: Groups::default(),
            peer_end: Groups::default(),
            edges: Default::default(),
            now: Cursor::default(),
            batch: Rc::default(),
            flags: Vec::new(),
            frames: Vec::new(),
            spans: Vec::new(),
            peers: Vec::new(),
        }
    }

    /// Computes the functions for the next block, which is in `batch` then. False: there is none.
    pub fn next(
        &mut self,
        cx: &Exec,
        rule: &mut FrameRule,
        calls: &mut [Call],
        frames_wanted: bool,
    ) -> Result<bool> {
        let first = self.next_block as Row * types::column::BATCH_ROWS as Row;
        if first >= self.spool.rows {
            return Ok(false);
        }
        cx.check_interrupts()?;
        self.batch = self.spool.block(self.next_block)?;
        self.next_block += 1;
        self.flags.clear();
        self.flags.extend(flags_of(&self.batch, self.flags_col).iter().map(|f| *f as u8));
        self.frames.clear();
        self.spans.clear();
        self.peers.clear();
        let peers_wanted = rule.has_exclusion() || calls.iter().any(Call::wants_peers);
        if peers_wanted || (frames_wanted && !rule.by_rows()) {
            self.make_peers(cx, rule, first, frames_wanted)?;
        }
        if frames_wanted && rule.by_rows() {
            let rows = self.spool.rows;
            let n = self.batch.rows as Row;
            self.frames.extend((first..first + n).map(|i| by_rows(rule, i, rows)));
        }
        if frames_wanted && rule.has_exclusion() {
            for (k, f) in self.frames.iter().enumerate() {
                self.spans.push(rule.spans(first + k as Row, *f, self.peers[k]));
            }
        }
        let block = Block {
            spool: &self.spool,
            first,
            batch: &self.batch,
            flags: &self.flags,
            frames: &self.frames,
            spans: &self.spans,
            peers: &self.peers,
        };
        let mut calls = calls.iter_mut().zip(&mut self.places);
        calls.try_for_each(|(c, p)| c.compute_block(cx, &block, p, rule))?;
        Ok(true)
    }

    /// Peers of the block's rows, and the frames that are the same for all peers.
    fn make_peers(&mut self, cx: &Exec, rule: &mut FrameRule, first: Row, frames: bool) -> Result<()> {
        for k in 0..self.flags.len() {
            let row = first + k as Row;
            if row >= self.peers_now.1 {
                self.group += i64::from(row > 0);
                let end = self.peer_end.start_of(&self.spool, self.flags_col, self.group + 1)?;
                self.peers_now = (row, end);
                if frames && !rule.by_rows() {
                    let (a, b) = match rule.by_values() {
                        true => self.by_values(cx, rule, row)?,
                        false => self.by_groups(rule)?,
                    };
                    self.frame_now = (a, b.max(a));
                }
            }
            self.peers.push(self.peers_now);
            if frames && !rule.by_rows() {
                self.frames.push(self.frame_now);
            }
        }
        Ok(())
    }

    /// GROUPS, and RANGE without offsets: the frame of the present peer group.
    fn by_groups(&mut self, rule: &FrameRule) -> Result<Wide> {
        let (s, e, g) = (&rule.start, &rule.end, self.group);
        let a = if s.unbounded {
            0
        } else if s.current {
            self.peers_now.0
        } else {
            let k = if s.preceding { g.saturating_sub(s.count) } else { g.saturating_add(s.count) };
            self.head.start_of(&self.spool, self.flags_col, k)?
        };
        let b = if e.unbounded {
            self.spool.rows
        } else if e.current {
            self.peers_now.1
        } else {
            let k = if e.preceding { g.saturating_sub(e.count) } else { g.saturating_add(e.count) };
            self.tail.start_of(&self.spool, self.flags_col, k.saturating_add(1))?
        };
        Ok((a, b))
    }

    /// RANGE with an offset: the frame of `row` and its peers.
    fn by_values(&mut self, cx: &Exec, rule: &mut FrameRule, row: Row) -> Result<Wide> {
        let a = match () {
            () if rule.start.unbounded => 0,
            () if rule.start.current => row,
            () => self.edge(cx, rule, true, row)?,
        };
        let b = match () {
            () if rule.end.unbounded => self.spool.rows,
            () if rule.end.current => self.peers_now.1,
            () => self.edge(cx, rule, false, row)?,
        };
        Ok((a, b))
    }

    fn edge(&mut self, cx: &Exec, rule: &mut FrameRule, start: bool, row: Row) -> Result<Row> {
        let col = rule.column;
        let at = self.now.seek(&self.spool, row)?;
        let now = self.now.batch.cols[col].get(at);
        let bound = rule.int_bound(start, now);
        let e = &mut self.edges[usize::from(start)];
        while e.row < self.spool.rows {
            let at = e.cursor.seek(&self.spool, e.row)?;
            if rule.stop(cx, start, e.cursor.batch.cols[col].get(at), now, bound)? {
                break;
            }
            e.row += 1;
        }
        Ok(e.row)
    }
}

/// The frame of row `i` of `rows`, in ROWS mode.
fn by_rows(rule: &FrameRule, i: Row, rows: Row) -> Wide {
    let shift = |from: Row, count: i64, back: bool| {
        let count = count as Row;
        if back { from.saturating_sub(count) } else { from.saturating_add(count).min(rows) }
    };
    let (s, e) = (&rule.start, &rule.end);
    let a = match s {
        _ if s.unbounded => 0,
        _ if s.current => i,
        _ => shift(i, s.count, s.preceding),
    };
    let b = match e {
        _ if e.unbounded => rows,
        _ if e.current => i + 1,
        _ => shift(i + 1, e.count, e.preceding),
    };
    (a, b.max(a))
}
